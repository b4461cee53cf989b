"""Video and sound between departments: everybody plays them from their own house."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.storage.tables import jobs
from tests.federation.world import Company, Outsider, Person
from tests.films import film, moving_picture, needs_ffmpeg, sound

pytestmark = pytest.mark.anyio


async def friends(company: Company) -> tuple[Person, Person]:
    """ann in finance, whom bo in operations follows."""
    finance, operations = await company.department("finance"), await company.department("operations")
    await company.introduce(finance, operations)
    ann, bo = await finance.person("ann"), await operations.person("bo")
    await bo.follow(ann.handle)
    await company.settle()
    return ann, bo


async def uploaded(person: Person, content: bytes, mime: str, description: str) -> str:
    """The id of a film that is ready."""
    files = {"file": ("x", content, mime)}
    response = await person.http.post("/api/v1/media", files=files, data={"description": description})
    assert response.status_code == 200, response.text
    return str(response.json()["id"])


@needs_ffmpeg
async def test_a_film_of_another_department_is_served_here(company: Company) -> None:
    ann, bo = await friends(company)
    ids = [
        await uploaded(ann, film(), "video/mp4", "a pattern"),
        await uploaded(ann, film(sound=False), "video/mp4", "silent"),
        await uploaded(ann, sound(), "audio/mpeg", "a tone"),
        await uploaded(ann, moving_picture(), "image/gif", "a light"),
    ]
    await ann.publish("look and listen", media_ids=ids)
    await company.settle()
    (seen,) = await bo.home()
    assert [(item["type"], item["description"]) for item in seen["media_attachments"]] == [
        ("video", "a pattern"), ("gifv", "silent"), ("audio", "a tone"), ("gifv", "a light"),
    ]  # fmt: skip
    for item, type_ in zip(
        seen["media_attachments"], ("video/mp4", "video/mp4", "audio/mpeg", "video/mp4"), strict=True
    ):
        assert item["url"].startswith(bo.department.origin)
        assert item["remote_url"].startswith(ann.department.origin)
        file = await bo.http.get(item["url"].removeprefix(bo.department.origin))
        assert (file.status_code, file.headers["content-type"]) == (200, type_)
        assert item["meta"]["original"]["duration"] > 0.2
        assert (item["preview_url"] is None) == (item["type"] == "audio")


@needs_ffmpeg
async def test_a_film_beyond_our_limits_stays_a_link(company: Company) -> None:
    finance = await company.department("finance")
    small = {"enabled": False, "video_bytes": 1000}
    operations = await company.department("operations", limits=small)
    await company.introduce(finance, operations)
    ann, bo = await finance.person("ann"), await operations.person("bo")
    await bo.follow(ann.handle)
    await company.settle()
    await ann.publish("look", media_ids=[await uploaded(ann, film(), "video/mp4", "x")])
    await company.settle()
    (seen,) = await bo.home()
    (item,) = seen["media_attachments"]
    assert (item["type"], item["url"]) == ("video", item["remote_url"])
    assert item["preview_url"] is None


@needs_ffmpeg
async def test_a_gif_of_elsewhere_that_is_too_large_for_a_film_is_a_picture(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    finance = await company.department("finance")
    operations = await company.department("operations", limits={"enabled": False, "video_bytes": 100})
    await company.introduce(finance, operations)
    ann, bo = await finance.person("ann"), await operations.person("bo")
    await bo.follow(ann.handle)
    await company.settle()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")  # so that it is told as the GIF that it was
        await ann.publish("look", media_ids=[await uploaded(ann, moving_picture(), "image/gif", "x")])
    await company.settle()
    (seen,) = await bo.home()
    (item,) = seen["media_attachments"]
    assert item["type"] == "image"
    assert item["url"].startswith(bo.department.origin)


async def test_without_ffmpeg_a_film_of_elsewhere_is_a_link(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    operations = await company.department("operations")
    mastodon = Outsider(company, "mastodon.example")
    await operations.db.write(_add_peer, mastodon.domain)
    mia = mastodon.actor("mia")
    bo = await operations.person("bo")
    monkeypatch.setenv("PATH", "/nowhere")
    document = {"type": "Document", "mediaType": "video/mp4", "url": f"{mastodon.origin}/film.mp4", "name": "x"}
    note = mastodon.note(mia, "look", attachment=[document])
    seen = await bo.find_status(note["id"])
    await company.settle()
    seen = await bo.get(f"/api/v1/statuses/{seen['id']}")
    (item,) = seen["media_attachments"]
    assert (item["type"], item["url"]) == ("video", f"{mastodon.origin}/film.mp4")
    assert await operations.db.read(_waiting) == 0


def _add_peer(tx: Any, domain: str) -> None:
    peers.add(tx, domain, "partner")


def _waiting(tx: Any) -> int:
    return int(tx.conn.execute(sa.select(sa.func.count()).select_from(jobs)).scalar())
