"""Pictures: what is taken, what is removed from them, and how far a file goes."""

from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import ExifTags, Image

from fedcorp.storage.signed import WINDOW_MS
from tests.films import moving_picture
from tests.web.instance import ORIGIN, MovableClock, Office, Person, picture, running

pytestmark = pytest.mark.anyio

MEDIA = "/api/v2/media"
WINDOW = WINDOW_MS / 1000


def photograph(size: tuple[int, int] = (300, 200)) -> bytes:
    """A picture as a phone writes it: turned, and with where, when and with what it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "PhoneMaker"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"my desk"
    out = BytesIO()
    Image.new("RGB", size, "orange").save(out, "JPEG", exif=exif)
    return out.getvalue()


async def fetched(office: Office, url: str) -> httpx.Response:
    """A file as somebody without a token gets it."""
    assert url.startswith(ORIGIN)
    return await office.anybody.http.get(url.removeprefix(ORIGIN))


async def posted(author: Person, **values: Any) -> Any:
    """A post with one picture; the picture in it."""
    status = await author.publish("look", media_ids=[(await author.upload())["id"]], **values)
    return status["media_attachments"][0]


# -- what is taken ---------------------------------------------------------------------------------------------------


async def test_nothing_tells_where_a_picture_was_taken(office: Office, ann: Person) -> None:
    sent = photograph()
    assert b"PhoneMaker" in sent
    uploaded = await ann.upload(sent, "image/jpeg")
    for url in (uploaded["url"], uploaded["preview_url"]):
        stored = (await fetched(office, url)).content
        assert not any(word in stored for word in (b"Exif", b"PhoneMaker", b"my desk", b"GPS"))
        shown = Image.open(BytesIO(stored))
        assert not shown.getexif()
        assert shown.size == (200, 300), "upright, as its notes said"


async def test_an_upload_says_all_that_clients_show(ann: Person) -> None:
    uploaded = await ann.upload(picture("navy", (800, 400)), description="a blue field", focus="-0.5,0.25")
    assert (uploaded["type"], uploaded["description"]) == ("image", "a blue field")
    assert uploaded["meta"]["focus"] == {"x": -0.5, "y": 0.25}
    assert uploaded["meta"]["original"] == {"width": 800, "height": 400, "size": "800x400", "aspect": 2.0}
    assert uploaded["meta"]["small"]["width"] < 800
    assert len(uploaded["blurhash"]) == 28
    assert uploaded["remote_url"] is None
    assert await ann.get(f"/api/v1/media/{uploaded['id']}") == uploaded


async def test_the_older_address_takes_pictures_too(ann: Person) -> None:
    response = await ann.ask("POST", "/api/v1/media", files={"file": ("x.png", picture(), "image/png")})
    assert response.status_code == 200
    assert response.json()["url"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
async def test_every_type_that_is_claimed_is_taken(office: Office, ann: Person, kind: str) -> None:
    claimed = (await ann.get("/api/v2/instance"))["configuration"]["media_attachments"]["supported_mime_types"]
    assert f"image/{kind.lower()}" in claimed
    uploaded = await ann.upload(picture("teal", kind=kind), "application/octet-stream")
    stored = await fetched(office, uploaded["url"])
    assert stored.headers["content-type"] in ("image/png", "image/jpeg", "image/webp")
    assert Image.open(BytesIO(stored.content)).size == (64, 48)


async def test_a_moving_picture_keeps_moving_also_without_ffmpeg(
    office: Office, ann: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    uploaded = await ann.upload(moving_picture(), "image/gif")
    assert uploaded["type"] == "image"
    shown = Image.open(BytesIO((await fetched(office, uploaded["url"])).content))
    assert (shown.format, getattr(shown, "n_frames", 1)) == ("GIF", 3)


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (b"no picture", "image/png"),
        (b"", "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
        (b"\x1aE\xdf\xa3" + b"\x00" * 100, "video/webm"),
        (b"ID3" + b"\x00" * 100, "audio/mpeg"),
        (picture()[:60], "image/png"),
    ],
)
async def test_anything_else_is_refused(ann: Person, content: bytes, mime: str) -> None:
    await ann.refused(422, "POST", MEDIA, files={"file": ("x", content, mime)})


async def test_a_file_must_be_a_file(ann: Person) -> None:
    await ann.refused(422, "POST", MEDIA)
    await ann.refused(400, "POST", MEDIA, data={"file": "text"})


async def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    clock = MovableClock()
    async with running(tmp_path, clock, limits={"enabled": False, "media_bytes": 2000}) as instance:
        ann = await Office(instance, clock).person("ann")
        await ann.refused(413, "POST", MEDIA, files={"file": ("x", b"x" * 200_000, "image/png")})


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"description": "x" * 1501}, 422),
        ({"focus": "2,0"}, 422),
        ({"focus": "0"}, 422),
        ({"focus": "a,b"}, 400),
        ({"focus": "nan,0"}, 400),
    ],
)
async def test_descriptions_and_focus_have_rules(ann: Person, wrong: dict[str, str], status: int) -> None:
    await ann.refused(status, "POST", MEDIA, files={"file": ("x", picture(), "image/png")}, data=wrong)
    uploaded = await ann.upload()
    await ann.refused(status, "PUT", f"/api/v1/media/{uploaded['id']}", json=wrong)
    assert await ann.get(f"/api/v1/media/{uploaded['id']}") == uploaded


# -- until it is posted ----------------------------------------------------------------------------------------------


async def test_an_upload_is_described_later(ann: Person) -> None:
    uploaded = await ann.upload()
    path = f"/api/v1/media/{uploaded['id']}"
    changed = await ann.put(path, description="a square", focus="1,-1")
    assert (changed["description"], changed["meta"]["focus"]) == ("a square", {"x": 1.0, "y": -1.0})
    assert (await ann.put(path, focus="0,0"))["description"] == "a square"
    assert (await ann.put(path, description=""))["description"] is None


async def test_an_upload_is_its_owners_alone(ann: Person, ben: Person) -> None:
    uploaded = await ann.upload()
    for method in ("GET", "PUT", "DELETE"):
        await ben.refused(404, method, f"/api/v1/media/{uploaded['id']}")
    await ben.refused(422, "POST", "/api/v1/statuses", json={"status": "mine", "media_ids": [uploaded["id"]]})


async def test_an_upload_can_be_dropped(office: Office, ann: Person) -> None:
    uploaded = await ann.upload()
    assert (await fetched(office, uploaded["url"])).status_code == 200
    await ann.delete(f"/api/v1/media/{uploaded['id']}")
    await ann.refused(404, "GET", f"/api/v1/media/{uploaded['id']}")
    assert (await fetched(office, uploaded["url"])).status_code == 404


async def test_what_is_posted_belongs_to_its_post(ann: Person) -> None:
    shown = await posted(ann)
    for method in ("GET", "PUT", "DELETE"):
        await ann.refused(404, method, f"/api/v1/media/{shown['id']}")
    await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "again", "media_ids": [shown["id"]]})


async def test_what_nobody_posts_is_cleared_away(office: Office, ann: Person) -> None:
    uploaded = await ann.upload()
    kept = await posted(ann, reach="public")
    office.clock.pass_(seconds=2 * 86_400)
    await office.settle()
    await ann.refused(404, "GET", f"/api/v1/media/{uploaded['id']}")
    names = {path.stem for path in office.instance.config.media_folder.rglob("*") if path.is_file()}
    assert uploaded["url"].partition("?")[0].rsplit("/", 1)[1] not in names
    assert (await fetched(office, kept["url"])).status_code == 200


# -- how far it goes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
async def test_a_picture_for_everybody_has_an_open_address(office: Office, ann: Person, visibility: str) -> None:
    shown = await posted(ann, reach="public", visibility=visibility)
    assert "?" not in shown["url"]
    office.clock.pass_(seconds=90 * 86_400)
    response = await fetched(office, shown["url"])
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
    assert "public" in response.headers["cache-control"]
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "how",
    [
        {"reach": "department"},
        {"reach": "company"},
        {"reach": "partners"},
        {"reach": "public", "visibility": "private"},
        {"visibility": "direct"},
    ],
)
async def test_any_other_picture_has_an_address_that_ends(office: Office, ann: Person, how: dict[str, str]) -> None:
    shown = await posted(ann, **how)
    for url in (shown["url"], shown["preview_url"]):
        response = await fetched(office, url)
        assert response.status_code == 200
        assert "private" in response.headers["cache-control"]
        bare, _, query = url.partition("?")
        expires, _, signature = query.partition("&")
        later = f"{bare}?exp={int(expires.removeprefix('exp=')) + WINDOW_MS}&{signature}"
        for wrong in (bare, later, f"{bare}?{query}x", f"{bare}?{query}&a=b", f"{bare}?{expires}"):
            assert (await fetched(office, wrong)).status_code == 404
    office.clock.pass_(seconds=2 * WINDOW)
    assert (await fetched(office, shown["url"])).status_code == 404


async def test_an_address_stays_the_same_within_its_window_and_is_fresh_after(office: Office, ann: Person) -> None:
    office.clock.pass_(seconds=WINDOW - office.clock.ms() / 1000 % WINDOW)  # the beginning of a window
    status = await ann.publish("look", media_ids=[(await ann.upload())["id"]])
    path = f"/api/v1/statuses/{status['id']}"

    async def url() -> str:
        return str((await ann.get(path))["media_attachments"][0]["url"])

    first = await url()
    office.clock.pass_(seconds=WINDOW - 60)
    assert await url() == first
    office.clock.pass_(seconds=120)
    fresh = await url()
    assert fresh != first
    for address in (first, fresh):
        assert (await fetched(office, address)).status_code == 200


async def test_one_address_opens_one_file(office: Office, ann: Person) -> None:
    first, second = await posted(ann), await posted(ann)
    query = first["url"].partition("?")[2]
    assert (await fetched(office, f"{second['url'].partition('?')[0]}?{query}")).status_code == 404


async def test_a_deleted_post_takes_its_files_along(office: Office, ann: Person) -> None:
    status = await ann.publish("x", reach="public", media_ids=[(await ann.upload())["id"]])
    url = status["media_attachments"][0]["url"]
    response = await ann.ask("DELETE", f"/api/v1/statuses/{status['id']}", params={"delete_media": "true"})
    assert response.status_code == 200
    assert (await fetched(office, url)).status_code == 404


async def test_a_deleted_post_can_be_written_anew_with_its_files(office: Office, ann: Person) -> None:
    status = await ann.publish("x", reach="public", media_ids=[(await ann.upload())["id"]])
    (attached,) = status["media_attachments"]
    deleted = await ann.delete(f"/api/v1/statuses/{status['id']}")
    assert deleted["text"] == "x"
    assert (await fetched(office, attached["url"])).status_code == 404, "open no longer, since no open post shows it"
    again = await ann.publish("y", media_ids=[attached["id"]])
    assert [item["id"] for item in again["media_attachments"]] == [attached["id"]]


@pytest.mark.parametrize("key", ["x", "a" * 32, "..%2F..%2Fconfig.toml", "A" * 32, "%00" * 16])
async def test_other_names_are_no_files(office: Office, key: str) -> None:
    assert (await office.anybody.http.get(f"/media/{key}")).status_code == 404


# -- pictures of people ----------------------------------------------------------------------------------------------


async def test_pictures_of_people_are_open_and_can_be_removed(office: Office, ann: Person) -> None:
    files = {"avatar": ("me.jpg", photograph(), "image/jpeg"), "header": ("h.png", picture(), "image/png")}
    changed = (await ann.ask("PATCH", "/api/v1/accounts/update_credentials", files=files)).json()
    for name, size in (("avatar", (400, 400)), ("header", (1500, 500))):
        response = await fetched(office, changed[name])
        assert Image.open(BytesIO(response.content)).size == size
        assert b"PhoneMaker" not in response.content
        assert (await ann.delete(f"/api/v1/profile/{name}"))[name] != changed[name]


async def test_who_has_no_picture_has_a_drawn_one(office: Office, ann: Person) -> None:
    for path, size in ((f"/avatars/{ann.id}.png", (400, 400)), ("/headers/0.png", (1500, 500))):
        drawn = await office.anybody.http.get(path)
        assert Image.open(BytesIO(drawn.content)).size == size
    for path in ("/avatars/x.png", f"/headers/{ann.id}.jpg", "/avatars/1.png", "/avatars/99999999999999999999.png"):
        assert (await office.anybody.http.get(path)).status_code == 404
