"""The corpus of `tests.hostile` at every door where people send pictures: each file is refused, or bounded and silent.

What is refused leaves nothing in the media folder. Memory is that of the whole process, at its highest meanwhile.
"""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from fedcorp.social.images import ORIGINAL_AREA
from tests.hostile import CORPUS, MIB, SCRIPT, TAKEN, bounded, encoded, flat, many_scans, scene
from tests.web.instance import ORIGIN, Office, Person

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.once,
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),  # of odd notes in pictures
]

MEDIA = "/api/v2/media"


def kept(office: Office) -> list[Path]:
    """Every file in the media folder."""
    return sorted(path for path in office.instance.config.media_folder.rglob("*") if path.is_file())


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 50
    assert CORPUS.keys() > TAKEN


async def sent(person: Person, door: str, content: bytes, mime: str) -> httpx.Response:
    """A file at one of the doors, under a name that is a path."""
    file = ("../../x.html", content, mime)
    if door == "attachment":
        return await person.ask("POST", MEDIA, files={"file": file})
    if door == "thumbnail":
        return await person.ask("POST", MEDIA, files={"file": ("x", scene("PNG"), "image/png"), "thumbnail": file})
    if door == "group":
        return await person.ask(
            "POST", "/api/fedcorp/v1/groups", data={"name": "g", "title": "g"}, files={"avatar": file}
        )
    return await person.ask("PATCH", "/api/v1/accounts/update_credentials", files={door: file})


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize("door", ["attachment", "avatar"])
async def test_a_hostile_file_is_refused_or_tamed(office: Office, ann: Person, name: str, door: str) -> None:
    content = CORPUS[name]()
    before = kept(office)
    with bounded():
        answer = await sent(ann, door, content, "image/png")
    if name not in TAKEN:
        assert answer.status_code == 422, (name, answer.text)
        assert kept(office) == before
        return
    assert answer.status_code == 200, (name, answer.text)
    body = answer.json()
    url = body["url"] if door == "attachment" else body["avatar"]
    shown = await office.anybody.http.get(url.removeprefix(ORIGIN))
    check_tame(shown)
    assert all(path.suffix in (".png", ".jpg", ".webp", ".gif") for path in kept(office))


def check_tame(shown: httpx.Response) -> None:
    """A picture of a size that can be shown, in a type that it says, and nothing else."""
    assert shown.headers["content-type"] in ("image/png", "image/jpeg", "image/webp", "image/gif")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert SCRIPT not in shown.content
    assert b"x.html" not in shown.content
    picture = Image.open(io.BytesIO(shown.content))
    picture.load()
    assert picture.width * picture.height <= ORIGINAL_AREA
    assert getattr(picture, "n_frames", 1) <= 1000
    assert len(shown.content) <= 16 * MIB


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "application/octet-stream", "nonsense", ""])
async def test_what_a_picture_is_said_to_be_does_not_matter(office: Office, ann: Person, mime: str) -> None:
    body = (await sent(ann, "attachment", scene("PNG") + SCRIPT, mime)).json()
    check_tame(await office.anybody.http.get(body["url"].removeprefix(ORIGIN)))


@pytest.mark.parametrize("door", ["header", "thumbnail", "group"])
@pytest.mark.parametrize("name", ["png-50000x50000", "svg-with-entities", "jpeg-truncated"])
async def test_the_other_doors_refuse_too_and_keep_nothing(office: Office, ann: Person, door: str, name: str) -> None:
    answer = await sent(ann, door, CORPUS[name](), "image/jpeg")
    assert answer.status_code == 422, answer.text
    assert kept(office) == []


async def test_a_good_picture_goes_with_what_is_refused_beside_it(office: Office, ann: Person, ben: Person) -> None:
    good = {"file": ("x.png", scene("PNG"), "image/png")}
    bad: dict[str, Any] = {"description": "x" * 2000}
    await ann.refused(422, "POST", MEDIA, files=good, data=bad)
    assert kept(office) == []
    pictures = {"avatar": ("x.png", scene("PNG"), "image/png"), "header": ("x.png", CORPUS["page"](), "image/png")}
    await ann.refused(422, "PATCH", "/api/v1/accounts/update_credentials", files=pictures)
    await ann.refused(
        422, "PATCH", "/api/v1/accounts/update_credentials", files={"avatar": pictures["avatar"]},
        data={"display_name": "x" * 500},
    )  # fmt: skip
    assert kept(office) == []
    group = await office.group(ann, "chess")
    await ben.refused(403, "PATCH", f"/api/fedcorp/v1/groups/{group}", files={"avatar": pictures["avatar"]})
    assert kept(office) == []
    mine = await ann.upload()
    before = kept(office)
    await ann.refused(
        422, "PUT", f"/api/v1/media/{mine['id']}", files={"thumbnail": pictures["avatar"]}, data=bad
    )  # fmt: skip
    assert kept(office) == before


async def test_a_profile_picture_is_one_file(office: Office, ann: Person) -> None:
    assert (await sent(ann, "avatar", scene("JPEG"), "image/jpeg")).status_code == 200
    assert len(kept(office)) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "largest",
    [
        lambda: flat(4472, 4472, 16, 6, 4),
        lambda: flat(4472, 4472, 1, 0, 1),
        lambda: encoded(Image.new("P", (4472, 4472), 1), "GIF"),
        lambda: encoded(Image.new("RGBA", (3162, 3162), (1, 2, 3, 4)), "WEBP", method=0),
        lambda: encoded(Image.new("RGB", (4472, 4472), "red"), "AVIF", speed=10),
        lambda: encoded(Image.new("RGB", (6324, 6324), "red"), "JPEG", progressive=True),
        lambda: many_scans(90),
    ],
    ids=["png", "png-grey", "gif", "webp", "avif", "jpeg", "jpeg-scans"],
)
async def test_the_largest_that_is_taken_is_bounded_too(office: Office, ann: Person, largest: Any) -> None:
    content = largest()
    with bounded():
        answer = await sent(ann, "attachment", content, "image/png")
    assert answer.status_code == 200, answer.text
