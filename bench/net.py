"""What one outgoing POST costs: 2.8 kB on kept-alive connections, 16 at a time, to a sink on loopback.

`python -m bench.net [requests]` prints CPU and wall microseconds per request for the transport called directly and
through httpx.AsyncClient. The sink is a separate process, so its CPU time is not counted.
"""

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from multiprocessing.connection import Connection as Pipe
from typing import cast

import httpx
import uvloop

from fedcorp.net import Transport

_BODY = b"x" * 2800
_CONCURRENT = 16
_ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Sink(asyncio.Protocol):
    """Answers every complete request of the benchmark's one shape."""

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head = self._data.find(b"\r\n\r\n")
        if head >= 0 and len(self._data) >= head + 4 + len(_BODY):
            self._data = b""
            self._transport.write(_ANSWER)


async def _serve(pipe: Pipe) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def sink(pipe: Pipe) -> None:
    """The sink process: sends its port through the pipe, then serves until it is terminated."""
    uvloop.run(_serve(pipe))


async def measure(label: str, count: int, post: Callable[[], Awaitable[httpx.Response]]) -> None:
    """Prints the best of three rounds of `count` requests."""

    async def lane() -> None:
        for _ in range(count // _CONCURRENT):
            assert (await post()).status_code == 202

    best = (float("inf"), float("inf"))
    for _ in range(3):
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(_CONCURRENT)))
        best = min(best, (time.process_time() - cpu, time.perf_counter() - wall))
    sent = count // _CONCURRENT * _CONCURRENT
    print(f"{label:28} {best[0] / sent * 1e6:7.1f} us CPU {best[1] / sent * 1e6:7.1f} us wall per request")


async def run(port: int, count: int) -> None:
    """Measures both ways of calling against the sink on `port`."""
    url = httpx.URL(f"http://sink.localhost:{port}/inbox")
    headers = {"Content-Type": "application/activity+json", "Date": "Tue, 24 Nov 2026 12:00:00 GMT", "Digest": "x" * 51}
    transport = Transport(networks=(ip_network("127.0.0.0/8"),))

    async def direct() -> httpx.Response:
        return await transport.handle_async_request(httpx.Request("POST", url, headers=headers, content=_BODY))

    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        await measure("transport, httpx.Request", count, direct)
        await measure("httpx.AsyncClient.post", count, lambda: client.post(url, headers=headers, content=_BODY))


def main() -> None:
    """Starts the sink, measures, ends the sink."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=sink, args=(theirs,), daemon=True)
    process.start()
    port = ours.recv()
    try:
        uvloop.run(run(port, count))
    finally:
        process.terminate()
        process.join()


if __name__ == "__main__":
    main()
