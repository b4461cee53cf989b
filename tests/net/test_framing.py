"""Where a response ends: every doubtful framing is refused, and its connection is never used again."""

import asyncio

import httpx
import pytest

from fedcorp.net import BadResponse
from tests.net.sink import OK, Line, get, opened, replies, serve

pytestmark = pytest.mark.anyio
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

BAD = {
    "length-and-chunked": HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunked-and-length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "two-lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "same-length-twice": HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "list-of-lengths": HEAD + b"Content-Length: 2, 2\r\n\r\nok",
    "negative-length": HEAD + b"Content-Length: -2\r\n\r\nok",
    "signed-length": HEAD + b"Content-Length: +2\r\n\r\nok",
    "hex-length": HEAD + b"Content-Length: 0x2\r\n\r\nok",
    "empty-length": HEAD + b"Content-Length:\r\n\r\nok",
    "huge-length": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\nok",
    "fold-space": HEAD + b"X-A: one\r\n two\r\nContent-Length: 2\r\n\r\nok",
    "fold-tab": HEAD + b"X-A: one\r\n\ttwo\r\nContent-Length: 2\r\n\r\nok",
    "fold-empty": HEAD + b"X-A:\r\n two\r\nContent-Length: 2\r\n\r\nok",
    "fold-at-start": HEAD + b" two\r\nContent-Length: 2\r\n\r\nok",
    "space-before-colon": HEAD + b"Content-Length : 2\r\n\r\nok",
    "bare-newline": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "bare-return": HEAD + b"X-A: a\rb\r\nContent-Length: 2\r\n\r\nok",
    "nul": HEAD + b"X-A: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "gzip-transfer": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunked-not-last": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunked-twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "unknown-transfer": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunked-in-1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "negative-chunk": CHUNKED + b"-2\r\nok\r\n0\r\n\r\n",
    "huge-chunk": CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nok\r\n0\r\n\r\n",
    "chunk-without-end": CHUNKED + b"2\r\nokay\r\n0\r\n\r\n",
    "length-in-trailer": CHUNKED + b"2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n",
    "version-2": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "version-0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "not-http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "html": b"<html>hello</html>",
    "status-99": b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok",
    "status-600": b"HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok",
    "switch": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nok",
}


# Here the server closes the connection after these bytes; above it keeps it open.
CUT = {
    "truncated-chunk": CHUNKED + b"5\r\nok",
    "missing-last-chunk": CHUNKED + b"2\r\nok\r\n",
    "missing-final-line": CHUNKED + b"2\r\nok\r\n0\r\n",
    "short-body": HEAD + b"Content-Length: 9\r\n\r\nok",
    "cut-head": HEAD + b"Content-Le",
    "cut-after-interim": b"HTTP/1.1 100 Continue\r\n\r\n",
}
EVERY = BAD | CUT


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD.keys())
async def test_refused_and_not_reused(answer: bytes) -> None:
    async with serve(replies(answer, OK)) as sink, opened() as transport:
        for count in (1, 2):
            with pytest.raises(BadResponse):
                await get(transport, sink.url())
            assert sink.connections == count


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
async def test_cut_off(answer: bytes) -> None:
    async with serve(replies(answer)) as sink, opened() as transport:
        with pytest.raises(BadResponse):
            await get(transport, sink.url())


@pytest.mark.parametrize("answer", EVERY.values(), ids=EVERY.keys())
async def test_refused_byte_by_byte_too(answer: bytes) -> None:
    async def script(line: Line) -> None:
        await line.request()
        for byte in answer:
            await line.send(bytes([byte]))
            await asyncio.sleep(0)

    async with serve(script) as sink, opened() as transport:
        with pytest.raises(BadResponse):
            await get(transport, sink.url())


GOOD = {
    "length": (HEAD + b"Content-Length: 2\r\n\r\nok", True),
    "chunked": (CHUNKED + b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n", True),
    "chunked-upper": (HEAD + b"TRANSFER-ENCODING: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", True),
    "extension": (CHUNKED + b'2;a=b;c="d"\r\nok\r\n0;last\r\n\r\n', True),
    "trailer": (CHUNKED + b"2\r\nok\r\n0\r\nX-T: t\r\n\r\n", True),
    "no-reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", True),
    "empty-header": (HEAD + b"X-Empty:\r\nContent-Length: 2\r\n\r\nok", True),
    "interim": (b"HTTP/1.1 103 Early\r\nLink: <a>\r\n\r\n" + HEAD + b"Content-Length: 2\r\n\r\nok", True),
    "upgrade-offer": (HEAD + b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nok", True),
    "old-version": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
    "close": (HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", False),
    "until-close": (HEAD + b"\r\nok", False),
}


@pytest.mark.parametrize(("answer", "reused"), GOOD.values(), ids=GOOD.keys())
async def test_accepted(answer: bytes, reused: bool) -> None:
    script = replies(answer, OK) if reused else replies(answer)
    async with serve(script) as sink, opened() as transport:
        response = await get(transport, sink.url())
        assert response.content == b"ok"
        assert "x-t" not in response.headers
        assert "link" not in response.headers
        assert (await get(transport, sink.url())).content == b"ok"
        assert sink.connections == (1 if reused else 2)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_statuses_without_a_body(status: bytes) -> None:
    async with serve(replies(b"HTTP/1.1 " + status + b"\r\nX-A: b\r\n\r\n", OK)) as sink, opened() as transport:
        response = await get(transport, sink.url())
        assert (response.content, response.headers["x-a"]) == (b"", "b")
        assert (await get(transport, sink.url())).content == b"ok"
        assert sink.connections == 1


async def test_head_keeps_the_announced_length_and_ends_its_connection() -> None:
    answer = HEAD + b"Content-Length: 5000000\r\nContent-Encoding: gzip\r\n\r\n"
    async with serve(replies(answer, OK)) as sink, opened() as transport:
        response = await transport.handle_async_request(httpx.Request("HEAD", sink.url()))
        assert (response.content, response.headers["content-length"]) == (b"", "5000000")
        assert (await transport.handle_async_request(httpx.Request("HEAD", sink.url()))).status_code == 200
        assert sink.connections == 2
