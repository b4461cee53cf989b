"""The corpus of `tests.hostile` as attachments and emoji of another server; and files that never
end, or are not as long as they say.

The bytes come over a real socket from a server that is driven by hand.
"""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fedcorp.company import peers
from tests.federation.world import Company, Department, Outsider, Person
from tests.hostile import CORPUS, MIB, TAKEN, bounded, scene
from tests.net.sink import Line, opened, serve

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.once,
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),  # of odd notes in pictures
]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"


class Gallery(Outsider):
    """A server whose documents stand in memory, and whose files come from a socket."""

    def __init__(self, company: Company, transport: Any, sink: Any) -> None:
        super().__init__(company, "gallery.localhost")
        self.transport, self.sink = transport, sink

    async def respond(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.startswith("/files/"):
            wire = httpx.Request("GET", self.sink.url(request.url.path), extensions=request.extensions)
            return await self.transport.handle_async_request(wire)  # type: ignore[no-any-return]
        return await super().respond(request)


class Scene:
    """ann follows eva of the gallery; `show` has eva post files, and says what ann's department made of them."""

    def __init__(self, finance: Department, ann: Person, gallery: Gallery, eva: str) -> None:
        self.finance, self.ann, self.gallery, self.eva = finance, ann, gallery, eva

    async def show(self, *names: str) -> list[dict[str, Any]]:
        files = [
            {"type": "Document", "mediaType": "image/png", "url": f"{self.gallery.origin}/files/{name}", "name": name}
            for name in names
        ]
        note = self.gallery.note(self.eva, "look", attachment=files)
        create = self.gallery.activity("Create", self.eva, note, cc=note["cc"])
        assert (await self.gallery.deliver(self.finance, create)).status_code == 202
        await self.finance.settle()
        found = await self.ann.find_status(note["id"])
        shown: list[dict[str, Any]] = found["media_attachments"]
        assert [item["description"] for item in shown] == list(names)
        return shown

    def kept(self) -> list[Path]:
        folder = self.finance.instance.config.media_folder
        return sorted(path for path in folder.rglob("*") if path.is_file())


async def script(line: Line) -> None:
    """A file of the corpus at /files/NAME; other names say how it is sent."""
    while True:
        path = (await line.request()).split()[1].decode().removeprefix("/files/")
        good = scene("PNG")
        if path in CORPUS:
            body = CORPUS[path]()
            await line.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        elif path == "endless":
            await line.send(HEAD + b"\r\n" + good)
            while True:
                await line.send(bytes(MIB))
        elif path == "endless-chunks":
            await line.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            while True:
                await line.send(b"100000\r\n" + bytes(MIB) + b"\r\n")
        elif path == "longer-than-it-says":
            await line.send(HEAD + b"Content-Length: %d\r\n\r\n" % (len(good) - 60) + good)
        elif path == "shorter-than-it-says":
            await line.send(HEAD + b"Content-Length: %d\r\n\r\n" % (len(good) + 60) + good)
            return
        elif path == "says-a-terabyte":
            await line.send(HEAD + b"Content-Length: 1099511627776\r\n\r\n" + good)
        elif path == "says-less-than-nothing":
            await line.send(HEAD + b"Content-Length: -1\r\n\r\n" + good)
        elif path == "unfolds":
            body = gzip.compress(bytes(200 * MIB), 9)
            await line.send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        elif path == "unfolds-twice":
            body = gzip.compress(gzip.compress(bytes(200 * MIB), 9), 9)
            await line.send(HEAD + b"Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        elif path == "a-page":
            await line.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")
        else:
            await line.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(good) + good)


LIES = (
    "endless", "endless-chunks", "longer-than-it-says", "shorter-than-it-says", "says-a-terabyte",
    "says-less-than-nothing", "unfolds", "unfolds-twice", "a-page",
)  # fmt: skip


@pytest.fixture
async def gallery(company: Company) -> AsyncIterator[Scene]:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    async with serve(script) as sink, opened() as transport:
        made = Gallery(company, transport, sink)
        eva = made.actor("eva")
        await finance.db.write(peers.add, made.domain, "partner")
        await ann.follow("eva@gallery.localhost")
        await finance.settle()
        accept = made.activity("Accept", eva, made.received[-1], to=[ann.account.uri])
        assert (await made.deliver(finance, accept)).status_code == 202
        await finance.settle()
        yield Scene(finance, ann, made, eva)


@pytest.mark.parametrize("first", range(0, len(CORPUS), 16))
async def test_a_hostile_attachment_stays_a_link_or_is_tamed(gallery: Scene, first: int) -> None:
    names = list(CORPUS)[first : first + 16]
    for item in await gallery.show(*names):
        here = item["url"].startswith(gallery.finance.origin)
        assert here == (item["description"] in TAKEN), item
        if here:
            assert item["type"] == "image"
            assert (await gallery.ann.http.get(item["url"])).headers["content-type"].startswith("image/")
    taken = [name for name in names if name in TAKEN]
    assert len(gallery.kept()) == 2 * len(taken)


@pytest.mark.parametrize("name", LIES)
async def test_a_file_that_lies_about_its_length_is_left(gallery: Scene, name: str) -> None:
    with bounded(160 * MIB):
        good, bad = await gallery.show("good", name)
    assert good["url"].startswith(gallery.finance.origin)
    assert not bad["url"].startswith(gallery.finance.origin)
    assert len(gallery.kept()) == 2


async def test_a_hostile_emoji_is_left(gallery: Scene) -> None:
    pictures = {
        "good": "good", "bomb": "png-50000x50000", "scans": "jpeg-of-3000-scans", "svg": "svg-with-entities",
    }  # fmt: skip
    address = f"{gallery.gallery.origin}/files"
    tags = [
        {"type": "Emoji", "name": f":{code}:", "icon": {"type": "Image", "url": f"{address}/{name}"}}
        for code, name in pictures.items()
    ]
    note = gallery.gallery.note(gallery.eva, ":good: :bomb: :scans: :svg:", tag=tags)
    await gallery.gallery.deliver(gallery.finance, gallery.gallery.activity("Create", gallery.eva, note, cc=note["cc"]))
    await gallery.finance.settle()
    found = await gallery.ann.find_status(note["id"])
    assert [emoji["shortcode"] for emoji in found["emojis"]] == ["good"]
    assert len(gallery.kept()) == 2
