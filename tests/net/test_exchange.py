"""One exchange and the next: reuse, retry, limits in time and size, against a server that misbehaves."""

import asyncio
import gzip
import zlib

import httpx
import pytest

from fedcorp.net import BadResponse, DeadlineExceeded, Limits, NoResponse, ResponseTooLarge
from tests.net.sink import OK, Line, get, keep_alive, opened, replies, serve

pytestmark = pytest.mark.anyio
HEAD = b"HTTP/1.1 200 OK\r\n"


def sized(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def post(transport: httpx.AsyncBaseTransport, url: str, body: bytes) -> httpx.Response:
    return await transport.handle_async_request(httpx.Request("POST", url, content=body))


async def test_connections_are_reused() -> None:
    async with serve(keep_alive) as sink, opened() as transport:
        for _ in range(5):
            response = await get(transport, sink.url("/a?b=c"))
            assert (response.status_code, response.content, response.http_version) == (200, b"ok", "HTTP/1.1")
        assert (sink.connections, len(sink.requests)) == (1, 5)


async def test_request_on_the_wire() -> None:
    async with serve(keep_alive) as sink, opened() as transport:
        request = httpx.Request(
            "POST", sink.url("/in?x=%20"), headers={"Accept-Encoding": "br", "TE": "x", "X-A": "1"}, content=b"hi"
        )
        await transport.handle_async_request(request)
        head = sink.requests[0].split(b"\r\n")
        assert head[:2] == [b"POST /in?x=%20 HTTP/1.1", b"Host: sink.localhost:%d" % sink.port]
        assert sorted(head[2:]) == [b"", b"Accept-Encoding: gzip, identity", b"Content-Length: 2", b"X-A: 1", b"hi"]


async def test_streamed_request_body_is_sent_with_its_length() -> None:
    async def pieces() -> object:
        yield b"one"
        yield b"two"

    async with serve(keep_alive) as sink, opened() as transport:
        await transport.handle_async_request(httpx.Request("PUT", sink.url(), content=pieces()))  # type: ignore[arg-type]
        assert sink.requests[0].endswith(b"Content-Length: 6\r\n\r\nonetwo")
        assert b"chunked" not in sink.requests[0]


@pytest.mark.parametrize("headers", [{"X": "a\r\nHost: b"}, {"X": "a\nb"}, {"X": "a\0b"}, {"X\r\nY": "a"}])
async def test_requests_cannot_be_split(headers: dict[str, str]) -> None:
    async with serve(keep_alive) as sink, opened() as transport:
        with pytest.raises(httpx.LocalProtocolError):
            await transport.handle_async_request(httpx.Request("GET", sink.url(), headers=headers))
        with pytest.raises(httpx.LocalProtocolError):
            await transport.handle_async_request(httpx.Request("GET / HTTP/1.1\r\n", sink.url()))
        assert sink.connections == 0


async def test_works_under_the_httpx_client() -> None:
    async with serve(keep_alive) as sink, opened() as transport, httpx.AsyncClient(transport=transport) as client:
        response = await client.post(sink.url(), json={"a": 1})
        assert response.text == "ok"
        assert sink.requests[0].endswith(b'{"a":1}')


async def test_as_many_connections_as_exchanges_and_eight_kept() -> None:
    async with serve(keep_alive) as sink, opened() as transport:
        await asyncio.gather(*(get(transport, sink.url()) for _ in range(12)))
        assert sink.connections == 12
        await asyncio.gather(*(get(transport, sink.url()) for _ in range(12)))
        assert sink.connections == 12 + 4


async def test_exchanges_beyond_the_cap_wait_their_turn() -> None:
    async with serve(keep_alive) as sink, opened(limits=Limits(exchanges=2)) as transport:
        await asyncio.gather(*(get(transport, sink.url()) for _ in range(9)))
        assert (sink.connections, len(sink.requests)) == (2, 9)


async def test_least_recently_used_origin_is_closed_first() -> None:
    async with serve(keep_alive) as one, serve(keep_alive) as two, opened(limits=Limits(idle_total=1)) as transport:
        await get(transport, one.url())
        await get(transport, two.url())
        await one.left.wait()
        await get(transport, two.url())
        assert (one.connections, two.connections) == (1, 1)


async def test_idle_connections_are_closed_in_time() -> None:
    async with serve(keep_alive) as sink, opened(limits=Limits(idle_seconds=0.05)) as transport:
        await get(transport, sink.url())
        await asyncio.wait_for(sink.left.wait(), 5)
        await get(transport, sink.url())
        assert sink.connections == 2


async def test_connection_close_is_honoured() -> None:
    async with serve(replies(sized(b"ok", b"Connection: close"), OK)) as sink, opened() as transport:
        for _ in range(2):
            assert (await get(transport, sink.url())).content == b"ok"
        assert sink.connections == 2


async def test_redirects_are_answers() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/secret\r\nContent-Length: 0\r\n\r\n"
    async with serve(replies(moved)) as sink, opened() as transport:
        response = await get(transport, sink.url())
        assert (response.status_code, response.headers["location"]) == (302, "http://127.0.0.1/secret")
        assert len(sink.requests) == 1


async def dies_on_second_request(line: Line) -> None:
    await line.request()
    await line.send(OK)
    if line.number == 1:
        await line.request()
    else:
        await keep_alive(line)


async def test_dead_reused_connection_is_replaced_once() -> None:
    async with serve(dies_on_second_request) as sink, opened() as transport:
        await post(transport, sink.url(), b"first")
        assert (await post(transport, sink.url(), b"second")).status_code == 200
        assert [request[-6:] for request in sink.requests] == [b"\nfirst", b"second", b"second"]
        assert sink.connections == 2


async def test_retry_happens_exactly_once() -> None:
    async def script(line: Line) -> None:
        await line.request()
        if line.number == 1:
            await line.send(OK)
            await line.request()

    async with serve(script) as sink, opened() as transport:
        await get(transport, sink.url())
        with pytest.raises(NoResponse):
            await get(transport, sink.url())
        assert (sink.connections, len(sink.requests)) == (2, 3)


async def test_fresh_connection_that_dies_is_not_retried() -> None:
    async with serve(replies(b"")) as sink, opened() as transport:
        with pytest.raises(NoResponse):
            await post(transport, sink.url(), b"once")
        assert (sink.connections, len(sink.requests)) == (1, 1)


async def test_no_retry_once_a_byte_of_the_response_came() -> None:
    async with serve(replies(OK, b"H")) as sink, opened() as transport:
        await post(transport, sink.url(), b"first")
        with pytest.raises(BadResponse):
            await post(transport, sink.url(), b"second")
        assert (sink.connections, len(sink.requests)) == (1, 2)


async def test_no_retry_after_the_deadline() -> None:
    async def script(line: Line) -> None:
        await line.request()
        await line.send(OK)
        await line.request()
        await line.request()

    async with serve(script) as sink, opened(limits=Limits(total=0.2)) as transport:
        await post(transport, sink.url(), b"first")
        with pytest.raises(DeadlineExceeded):
            await post(transport, sink.url(), b"second")
        await sink.left.wait()
        assert (sink.connections, len(sink.requests)) == (1, 2)


async def test_connection_closed_while_idle_is_not_used() -> None:
    gone = asyncio.Event()

    async def script(line: Line) -> None:
        await line.request()
        await line.send(OK)
        line.writer.close()
        await line.writer.wait_closed()
        gone.set()

    async with serve(script) as sink, opened() as transport:
        for _ in range(3):
            gone.clear()
            await get(transport, sink.url())
            await gone.wait()
        assert (sink.connections, len(sink.requests)) == (3, 3)


async def test_unasked_bytes_on_an_idle_connection_end_it() -> None:
    async def script(line: Line) -> None:
        await line.request()
        await line.send(OK)
        await asyncio.sleep(0.02)
        await line.send(sized(b"forged"))
        await keep_alive(line)

    async with serve(script) as sink, opened() as transport:
        await get(transport, sink.url())
        await sink.left.wait()
        assert (await get(transport, sink.url())).content == b"ok"
        assert sink.connections == 2


async def test_second_response_in_one_packet_is_not_kept_for_the_next_request() -> None:
    async with serve(replies(OK + sized(b"forged"))) as sink, opened() as transport:
        for _ in range(2):
            assert (await get(transport, sink.url())).content == b"ok"
        assert sink.connections == 2


async def drip(line: Line, start: bytes, piece: bytes) -> None:
    await line.request()
    await line.send(start)
    while not line.reader.at_eof():
        await line.send(piece)
        await asyncio.sleep(0.01)
    line.sink.left.set()


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
        (HEAD, b"X-Drip: x\r\n"),
        (b"", b"H"[:0]),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
        (HEAD + b"\r\n", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "headers", "silence", "chunks", "chunk-extension", "until-close", "interim"],
)
async def test_slow_answers_meet_the_total_deadline(start: bytes, piece: bytes) -> None:
    async with (
        serve(lambda line: drip(line, start, piece)) as sink,
        opened(limits=Limits(total=0.5)) as transport,
    ):
        with pytest.raises(DeadlineExceeded) as caught:
            await get(transport, sink.url())
        assert caught.value.request.url.path == "/"
        assert isinstance(caught.value, httpx.TransportError)
        await asyncio.wait_for(sink.left.wait(), 5)


async def test_cancelling_drops_the_connection() -> None:
    async with serve(lambda line: drip(line, HEAD, b"")) as sink, opened() as transport:
        task = asyncio.create_task(get(transport, sink.url()))
        while not sink.requests:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(sink.left.wait(), 5)


MIB = 1024 * 1024


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"X-Huge: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X-Endless: " + b"x" * 70_000,
        HEAD + b"X-Many: 1234567890\r\n" * 4000 + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 5000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X-Trailer: 1234567890\r\n" * 4000 + b"\r\n",
        HEAD + b"Content-Length: 1048577\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n100001\r\n" + b"x" * (MIB + 1) + b"\r\n0\r\n\r\n",
        HEAD + b"\r\n" + b"x" * (MIB + 1),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * (9 * MIB),
    ],
    ids=["header", "endless", "many", "100", "103", "trailers", "length", "chunked", "until-close", "extension"],
)
async def test_too_large(answer: bytes) -> None:
    async with serve(replies(answer, OK)) as sink, opened() as transport:
        with pytest.raises(ResponseTooLarge):
            await get(transport, sink.url())


async def test_body_limit_is_exact_and_per_request() -> None:
    async with serve(replies(*[sized(b"x" * 1000)] * 2)) as sink, opened() as transport:
        assert len((await get(transport, sink.url(), max_body=1000)).content) == 1000
        with pytest.raises(ResponseTooLarge):
            await get(transport, sink.url(), max_body=999)


RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
DEFLATED_RAW = RAW.compress(b"hello " * 99) + RAW.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(b"hello " * 99)),
        (b"X-Gzip", gzip.compress(b"hello " * 99)),
        (b"deflate", zlib.compress(b"hello " * 99)),
        (b"deflate", DEFLATED_RAW),
        (b"identity", b"hello " * 99),
    ],
    ids=["gzip", "x-gzip", "deflate", "raw-deflate", "identity"],  # gzip writes the time into the bytes
)
async def test_content_codings(coding: bytes, body: bytes) -> None:
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    answers = [
        sized(body, b"Content-Encoding: " + coding),
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Encoding: " + coding + b"\r\n\r\n" + chunked,
        HEAD + b"Content-Encoding: " + coding + b"\r\n\r\n" + body,
    ]
    async with serve(replies(*answers)) as sink, opened() as transport:
        for _ in answers:
            response = await get(transport, sink.url())
            assert response.content == b"hello " * 99
            assert response.headers.get("content-length", "594") == "594"
        assert sink.connections == 1


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
async def test_compression_bomb(coding: bytes) -> None:
    zeros = bytes(200 * MIB)
    bomb = gzip.compress(zeros, 9) if coding == b"gzip" else zlib.compress(zeros, 9)
    del zeros
    assert len(bomb) < MIB
    answer = sized(bomb, b"Content-Encoding: " + coding)
    async with serve(replies(answer)) as sink, opened() as transport:
        with pytest.raises(ResponseTooLarge, match="decompression"):
            await get(transport, sink.url())


async def test_decompressed_size_at_the_limit() -> None:
    answer = sized(gzip.compress(bytes(MIB)), b"Content-Encoding: gzip")
    over = sized(gzip.compress(bytes(MIB + 1)), b"Content-Encoding: gzip")
    async with serve(replies(answer, over)) as sink, opened() as transport:
        assert len((await get(transport, sink.url())).content) == MIB
        with pytest.raises(ResponseTooLarge):
            await get(transport, sink.url())


@pytest.mark.parametrize(
    "answer",
    [
        sized(b"not gzip", b"Content-Encoding: gzip"),
        sized(gzip.compress(b"hello")[:-3], b"Content-Encoding: gzip"),
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello")[:-3],
        sized(gzip.compress(b"hello") + b"tail", b"Content-Encoding: gzip"),
        sized(gzip.compress(gzip.compress(b"hello")), b"Content-Encoding: gzip, gzip"),
        sized(gzip.compress(b"hello"), b"Content-Encoding: gzip", b"Content-Encoding: gzip"),
        sized(b"x", b"Content-Encoding: br"),
    ],
    ids=["invalid", "cut", "cut-until-close", "tail", "twice", "twice-two-lines", "brotli"],
)
async def test_bad_content_codings(answer: bytes) -> None:
    async with serve(replies(answer)) as sink, opened() as transport:
        with pytest.raises(BadResponse):
            await get(transport, sink.url())


async def test_closing_ends_everything() -> None:
    async with serve(lambda line: drip(line, HEAD + b"\r\npartial", b"")) as sink, opened() as transport:
        task = asyncio.create_task(get(transport, sink.url()))
        while not sink.requests:
            await asyncio.sleep(0)
        await asyncio.sleep(0.02)
        await transport.aclose()
        with pytest.raises(BadResponse):
            await task
        with pytest.raises(RuntimeError):
            await get(transport, sink.url())
        await transport.aclose()
