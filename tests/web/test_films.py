"""Video and sound: what is taken, what is made of it, and what is said where ffmpeg is not."""

from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from PIL import Image

from fedcorp.social import images
from fedcorp.social.films import ABSENT, find_tools
from tests.films import film, moving_picture, needs_ffmpeg, sound, times_of, told
from tests.web.instance import ORIGIN, MovableClock, Office, Person, picture, running
from tests.web.test_hostile_files import kept

pytestmark = [pytest.mark.anyio, pytest.mark.once]

MEDIA = "/api/v2/media"
WEBM = ("-c:v", "libvpx", "-b:v", "200k", "-c:a", "libvorbis")
FFMPEG = needs_ffmpeg


async def fetched(office: Office, url: str, **headers: str) -> httpx.Response:
    """A file as a player without a token gets it."""
    assert url.startswith(ORIGIN)
    return await office.anybody.http.get(url.removeprefix(ORIGIN), headers=headers)


async def sent(person: Person, content: bytes, mime: str = "video/mp4", **data: Any) -> Any:
    """An upload that is taken and made later."""
    response = await person.ask("POST", MEDIA, files={"file": ("x", content, mime)}, data=data)
    assert response.status_code == 202, response.text
    return response.json()


async def made(office: Office, person: Person, content: bytes, mime: str = "video/mp4", **data: Any) -> Any:
    """An upload after the work is done."""
    uploaded = await sent(person, content, mime, **data)
    await office.settle()
    return await person.get(f"/api/v1/media/{uploaded['id']}")


# -- what is made ----------------------------------------------------------------------------------------------------


@FFMPEG
async def test_a_film_is_made_after_the_answer(office: Office, ann: Person) -> None:
    uploaded = await sent(ann, film(), description="a test pattern", focus="0.5,0")
    assert (uploaded["url"], uploaded["preview_url"], uploaded["type"]) == (None, None, "video")
    path = f"/api/v1/media/{uploaded['id']}"
    waiting = await ann.ask("GET", path)
    assert waiting.status_code == 206
    early = await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "x", "media_ids": [uploaded["id"]]})
    assert "finished processing" in early
    await office.settle()
    ready = await ann.get(path)
    assert (ready["type"], ready["description"], ready["meta"]["focus"]) == (
        "video",
        "a test pattern",
        {"x": 0.5, "y": 0.0},
    )
    original = ready["meta"]["original"]
    assert (original["width"], original["height"], original["frame_rate"]) == (160, 120, "10/1")
    assert original["duration"] == pytest.approx(1, abs=0.2)
    assert original["bitrate"] > 1000
    assert ready["meta"]["small"]["size"] == "160x120"
    assert len(ready["blurhash"]) == 28
    file = await fetched(office, ready["url"])
    assert file.headers["content-type"] == "video/mp4"
    assert Image.open(BytesIO((await fetched(office, ready["preview_url"])).content)).size == (160, 120)
    status = await ann.publish("look", media_ids=[ready["id"]])
    assert status["media_attachments"][0]["id"] == ready["id"]
    assert len(list(office.instance.config.media_folder.rglob("*.raw"))) == 0, "what was sent is kept no longer"


@FFMPEG
async def test_the_older_address_answers_when_the_film_is_there(office: Office, ann: Person) -> None:
    response = await ann.ask("POST", "/api/v1/media", files={"file": ("x.mp4", film(), "video/mp4")})
    assert (response.status_code, response.json()["type"]) == (200, "video")
    assert (await fetched(office, response.json()["url"])).status_code == 200
    office.clock.pass_(seconds=2000)
    before = await ann.get(f"/api/v1/media/{response.json()['id']}")
    await office.settle()
    assert (await ann.get(f"/api/v1/media/{response.json()['id']}"))["meta"] == before["meta"]


@FFMPEG
async def test_nothing_tells_where_a_film_was_taken(office: Office, ann: Person) -> None:
    for content, mime in (
        (film(), "video/mp4"),
        (film("x.webm", *WEBM), "video/webm"),
        (sound(), "audio/mpeg"),
        (sound("x.m4a", "-c:a", "aac"), "audio/mp4"),
    ):
        assert "zzsecretzz" in told(content)
        ready = await made(office, ann, content, mime)
        words = told((await fetched(office, ready["url"])).content)
        assert not any(word in words for word in ("zzsecretzz", "52.52", "13.405")), mime


@FFMPEG
@pytest.mark.parametrize(
    ("name", "mime", "options", "kind", "type_"),
    [
        ("x.webm", "video/webm", WEBM, "video", "video/mp4"),
        ("x.mov", "video/quicktime", ("-c:v", "mpeg4", "-c:a", "pcm_s16le"), "video", "video/mp4"),
        ("x.mkv", "video/x-matroska", ("-c:v", "libx264", "-pix_fmt", "yuv444p", "-c:a", "flac"), "video", "video/mp4"),
        ("x.ogg", "audio/ogg", ("-c:a", "libvorbis"), "audio", "audio/mpeg"),
        ("x.wav", "audio/wav", (), "audio", "audio/mpeg"),
        ("x.flac", "audio/flac", (), "audio", "audio/mpeg"),
        ("x.mp3", "audio/mpeg", (), "audio", "audio/mpeg"),
        ("x.m4a", "audio/mp4", ("-c:a", "aac"), "audio", "audio/mp4"),
        ("x.aac", "audio/aac", ("-c:a", "aac"), "audio", "audio/mp4"),
        ("x.webm", "audio/webm", ("-c:a", "libopus"), "audio", "audio/mpeg"),
    ],
)  # fmt: skip
async def test_every_kind_becomes_what_browsers_play(
    office: Office, ann: Person, name: str, mime: str, options: tuple[str, ...], kind: str, type_: str
) -> None:
    claimed = (await ann.get("/api/v2/instance"))["configuration"]["media_attachments"]["supported_mime_types"]
    assert mime in claimed
    content = film(name, *options) if kind == "video" else sound(name, *options)
    ready = await made(office, ann, content, mime)
    assert ready["type"] == kind
    file = await fetched(office, ready["url"])
    assert file.headers["content-type"] == type_
    words = told(file.content)
    if kind == "video":
        assert '"h264"' in words
        assert '"yuv420p"' in words
        assert '"aac"' in words
    else:
        assert ('"aac"' if type_ == "audio/mp4" else '"mp3"') in words
        assert (ready["preview_url"], ready["blurhash"]) == (None, None)
        assert ready["meta"]["original"]["duration"] > 0.5


@FFMPEG
async def test_what_browsers_play_already_is_not_encoded_again(office: Office, ann: Person) -> None:
    content = film("x.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "40", "-c:a", "aac")
    ready = await made(office, ann, content)
    file = (await fetched(office, ready["url"])).content
    start = content.index(b"mdat") + 200
    assert content[start : start + 400] in file


@FFMPEG
async def test_a_short_film_without_sound_is_a_moving_picture(office: Office, ann: Person) -> None:
    assert (await made(office, ann, film(sound=False)))["type"] == "gifv"
    assert (await made(office, ann, film(sound=False, seconds=61, rate=1)))["type"] == "video"


@FFMPEG
async def test_a_gif_that_moves_becomes_one_too(office: Office, ann: Person) -> None:
    ready = await made(office, ann, moving_picture(), "image/gif", description="a traffic light")
    assert (ready["type"], ready["description"]) == ("gifv", "a traffic light")
    original = ready["meta"]["original"]
    assert (original["width"], original["height"], original["frame_rate"]) == (20, 20, "10/1")
    assert original["duration"] == pytest.approx(0.3, abs=0.11)
    assert (await fetched(office, ready["url"])).headers["content-type"] == "video/mp4"
    shown = Image.open(BytesIO((await fetched(office, ready["preview_url"])).content)).convert("RGB")
    red, green, blue = shown.getpixel((5, 5))  # type: ignore[misc]
    assert red > 200 > 60 > max(green, blue)
    assert shown.getpixel((15, 5)) == pytest.approx((255, 255, 255), abs=12), "where it let the page shine through"
    at_once = await ann.ask("POST", "/api/v1/media", files={"file": ("x.gif", moving_picture(), "image/gif")})
    assert (at_once.status_code, at_once.json()["type"]) == (200, "gifv")
    still = await ann.upload(picture("teal", kind="GIF"), "image/gif")
    assert still["type"] == "image"


@FFMPEG
@pytest.mark.parametrize(
    "times",
    [(100, 100, 2000), (1500, 20, 40), (5000, 100, 5000), (70,) * 20, (100,) * 200 + (20,) * 5 + (100,) * 50],
    ids=["rests", "hurries", "waits", "even", "uneven"],
)
async def test_every_frame_of_a_gif_stays_as_long_as_it_did(
    office: Office, ann: Person, times: tuple[int, ...]
) -> None:
    ready = await made(office, ann, moving_picture(times), "image/gif")
    assert ready["meta"]["original"]["duration"] == pytest.approx(sum(times) / 1000, abs=0.02)
    assert times_of((await fetched(office, ready["url"])).content) == pytest.approx(times, abs=20)


@FFMPEG
async def test_a_gif_of_more_bytes_than_a_film_may_have_stays_a_picture(tmp_path: Path) -> None:
    clock = MovableClock()
    async with running(tmp_path, clock, limits={"enabled": False, "video_bytes": 100}) as instance:
        ann = await Office(instance, clock).person("ann")
        assert (await ann.upload(moving_picture(), "image/gif"))["type"] == "image"
        older = await ann.ask("POST", "/api/v1/media", files={"file": ("x.gif", moving_picture(), "image/gif")})
        assert (older.status_code, older.json()["type"]) == (200, "image")


@FFMPEG
async def test_a_gif_that_is_too_much_for_a_film_stays_a_picture(tmp_path: Path) -> None:
    clock = MovableClock()
    async with running(tmp_path, clock, limits={"enabled": False, "video_pixels": 100}) as instance:
        ann = await Office(instance, clock).person("ann")
        assert (await ann.upload(moving_picture(), "image/gif"))["type"] == "image"
        assert not list(instance.config.media_folder.rglob("*.raw"))
        await ann.refused(422, "POST", MEDIA, files={"file": ("x", moving_picture()[:60], "image/gif")})


@FFMPEG
async def test_a_large_film_is_made_smaller_and_even(office: Office, ann: Person) -> None:
    content = film("x.webm", "-c:v", "libvpx", "-deadline", "realtime", seconds=0.3, size="2001x1001", sound=False)
    ready = await made(office, ann, content, "video/webm")
    assert (ready["meta"]["original"]["width"], ready["meta"]["original"]["height"]) == (1920, 960)


@FFMPEG
async def test_the_author_can_choose_the_picture_that_stands_for_it(office: Office, ann: Person) -> None:
    files = {"file": ("x.mp3", sound(), "audio/mpeg"), "thumbnail": ("t.png", picture("red", (90, 60)), "image/png")}
    uploaded = (await ann.ask("POST", MEDIA, files=files)).json()
    await office.settle()
    ready = await ann.get(f"/api/v1/media/{uploaded['id']}")
    assert (ready["type"], ready["meta"]["small"]["size"], len(ready["blurhash"])) == ("audio", "90x60", 28)
    assert Image.open(BytesIO((await fetched(office, ready["preview_url"])).content)).getpixel((1, 1)) == (255, 0, 0)
    path = f"/api/v1/media/{uploaded['id']}"
    changed = (await ann.ask("PUT", path, files={"thumbnail": ("t.png", picture("blue"), "image/png")})).json()
    assert changed["preview_url"] != ready["preview_url"]
    assert (await fetched(office, ready["preview_url"])).status_code == 404
    assert changed["url"] == ready["url"]


@FFMPEG
async def test_a_cover_stands_for_a_sound(office: Office, ann: Person, tmp_path: Path) -> None:
    cover = tmp_path / "cover.png"
    cover.write_bytes(picture("red", (80, 80)))
    content = sound(
        "x.mp3", "-i", str(cover), "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic"
    )
    ready = await made(office, ann, content, "audio/mpeg")
    assert (ready["type"], ready["meta"]["small"]["size"]) == ("audio", "80x80")
    assert "png" not in told((await fetched(office, ready["url"])).content)


@FFMPEG
async def test_players_ask_for_parts(office: Office, ann: Person) -> None:
    ready = await made(office, ann, film())
    whole = await fetched(office, ready["url"])
    assert whole.headers["accept-ranges"] == "bytes"
    part = await fetched(office, ready["url"], Range="bytes=100-199")
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert (await fetched(office, ready["url"], Range="bytes=-50")).content == whole.content[-50:]
    assert (await fetched(office, ready["url"], Range="bytes=99999999-")).status_code == 416
    bare = ready["url"].partition("?")[0]
    assert (await fetched(office, bare, Range="bytes=0-1")).status_code == 404, "a part is no way around the address"


# -- what is refused -------------------------------------------------------------------------------------------------


@FFMPEG
@pytest.mark.parametrize(
    ("limits", "status", "words"),
    [
        ({"video_bytes": 3000}, 413, "too large"),
        ({"video_pixels": 160 * 119}, 422, "pixels"),
        ({"video_frame_rate": 9}, 422, "frames"),
        ({"video_seconds": 1}, 422, "seconds"),
    ],
)
async def test_a_film_beyond_the_limits_is_refused_at_once(
    tmp_path: Path, limits: dict[str, int], status: int, words: str
) -> None:
    clock = MovableClock()
    async with running(tmp_path, clock, limits={"enabled": False} | limits) as instance:
        ann = await Office(instance, clock).person("ann")
        sentence = await ann.refused(status, "POST", MEDIA, files={"file": ("x", film(seconds=2), "video/mp4")})
        assert words in sentence
        assert not [path for path in instance.config.media_folder.rglob("*") if path.is_file()]


@FFMPEG
@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 200,
        b"OggS" + b"\x00" * 200,
        b"\x1a\x45\xdf\xa3" + b"\xff" * 200,
        b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
)
async def test_what_is_no_film_is_refused(office: Office, ann: Person, content: bytes) -> None:
    await ann.refused(422, "POST", MEDIA, files={"file": ("x.mp4", content, "video/mp4")})
    assert not [path for path in office.instance.config.media_folder.rglob("*") if path.is_file()]


@FFMPEG
async def test_what_cannot_be_made_has_failed(office: Office, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    uploaded = await sent(ann, film())
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        await office.settle()
    path = f"/api/v1/media/{uploaded['id']}"
    assert "could not be processed" in await ann.refused(422, "GET", path)
    await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "x", "media_ids": [uploaded["id"]]})
    await ann.delete(path)
    assert not [path for path in office.instance.config.media_folder.rglob("*") if path.is_file()]


@FFMPEG
async def test_of_a_gif_of_which_no_film_can_be_made_the_picture_stays(
    office: Office, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded = await sent(ann, moving_picture(), "image/gif")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        await office.settle()
    ready = await ann.get(f"/api/v1/media/{uploaded['id']}")
    assert (ready["type"], ready["meta"]["original"]["size"]) == ("image", "20x20")
    assert (await fetched(office, ready["url"])).headers["content-type"] == "image/gif"
    assert not list(office.instance.config.media_folder.rglob("*.raw"))


@FFMPEG
async def test_what_its_author_chose_stands_for_a_gif_without_a_film(
    office: Office, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = ("t.png", picture("teal"), "image/png")
    response = await ann.ask("POST", MEDIA, files={"file": ("x", moving_picture(), "image/gif"), "thumbnail": chosen})
    shown = response.json()["preview_url"].partition("?")[0]
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        await office.settle()
    ready = await ann.get(f"/api/v1/media/{response.json()['id']}")
    assert (ready["type"], ready["preview_url"].partition("?")[0]) == ("image", shown)
    assert len(kept(office)) == 2, "the GIF, and the picture that was chosen"


async def test_of_a_picture_whose_row_has_gone_nothing_is_kept(office: Office) -> None:
    await office.instance.studio.keep_picture(404, images.process(moving_picture()))
    assert not kept(office)


@FFMPEG
async def test_work_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    clock = MovableClock()
    async with running(tmp_path, clock, limits={"enabled": False, "video_work_seconds": 1}) as instance:
        office = Office(instance, clock)
        ann = await office.person("ann")
        slow = film("x.mov", "-c:v", "mjpeg", seconds=20, rate=25, size="1280x720", sound=False)
        uploaded = await sent(ann, slow, "video/quicktime")
        await office.settle()
        await ann.refused(422, "GET", f"/api/v1/media/{uploaded['id']}")
        running_still = [child.name() for child in psutil.Process().children(recursive=True)]
        assert "ffmpeg" not in running_still


async def test_without_ffmpeg_pictures_alone_are_taken(
    office: Office, ann: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 200
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tools() is None
    for path in (MEDIA, "/api/v1/media"):
        for mime in ("video/mp4", "application/octet-stream"):
            assert await ann.refused(422, "POST", path, files={"file": ("x", content, mime)}) == ABSENT
    claimed = (await ann.get("/api/v2/instance"))["configuration"]["media_attachments"]
    assert all(mime.startswith("image/") for mime in claimed["supported_mime_types"])
    assert claimed["video_size_limit"] == 0
    await ann.upload()


async def test_a_department_may_take_no_films(tmp_path: Path) -> None:
    clock = MovableClock()
    async with running(tmp_path, clock, limits={"enabled": False, "video_bytes": 0}) as instance:
        ann = await Office(instance, clock).person("ann")
        content = b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 200
        assert "no video" in await ann.refused(422, "POST", MEDIA, files={"file": ("x", content, "video/mp4")})
