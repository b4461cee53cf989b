"""The load: a process of its own that sends requests made beforehand over raw sockets and counts what comes back.

Requests are complete bytes before the clock starts, so that the generator costs little. It measures; it judges nothing.
"""

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any, cast

import uvloop


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of requests gave: `seconds` in all, latencies in ms, answers by status."""

    count: int
    seconds: float
    p50: float
    p99: float
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self.seconds


async def _lane(port: int, requests: "list[bytes]", latencies: list[float], statuses: dict[int, int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while requests:
        request = requests.pop()
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        at = lower.find(b"content-length:")
        if at >= 0:
            await reader.readexactly(int(lower[at + 15 : lower.index(b"\r\n", at)]))
        latencies.append((time.perf_counter() - began) * 1000)
        status = int(head[9:12])
        statuses[status] = statuses.get(status, 0) + 1
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def _run(port: int, requests: Sequence[bytes], connections: int) -> Outcome:
    waiting = list(reversed(requests))
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    began = time.perf_counter()
    await asyncio.gather(*(_lane(port, waiting, latencies, statuses) for _ in range(connections)))
    seconds = time.perf_counter() - began
    latencies.sort()
    middle, late = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
    return Outcome(len(latencies), seconds, middle, late, statuses)


class _Counting(asyncio.Protocol):
    """A server that takes every POST and counts it; `total` is shared by all its connections."""

    total = 0

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._data) < end + 4 + length:
                return
            self._data = self._data[end + 4 + length :]
            _Counting.total += 1
            self._transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


async def _wait_for(count: int, seconds: float) -> float:
    """Until the sink has `count` requests; the moment of the last (perf_counter)."""
    give_up = time.perf_counter() + seconds
    while _Counting.total < count and time.perf_counter() < give_up:
        await asyncio.sleep(0.002)
    return time.perf_counter()


async def _serve(pipe: Pipe) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Counting, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    while True:
        order, *arguments = await loop.run_in_executor(None, pipe.recv)
        if order == "stop":
            return
        if order == "run":
            pipe.send(await _run(*arguments))
        elif order == "reset":
            _Counting.total = 0
            pipe.send(None)
        elif order == "wait":
            ended = await _wait_for(*arguments)
            pipe.send((ended, _Counting.total))


def _process(pipe: Pipe) -> None:
    uvloop.run(_serve(pipe))


class Load:
    """The load process: `run` sends, and what others send to `port` is counted."""

    def __init__(self) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._worker = multiprocessing.get_context("spawn").Process(target=_process, args=(theirs,), daemon=True)
        self._worker.start()
        self.port: int = self._pipe.recv()

    def _order(self, *order: Any) -> Any:
        self._pipe.send(order)
        return self._pipe.recv()

    def run(self, port: int, requests: Sequence[bytes], connections: int) -> Outcome:
        """Send all requests over so many connections."""
        found: Outcome = self._order("run", port, requests, connections)
        return found

    def reset(self) -> None:
        """Count from nought."""
        self._order("reset")

    def wait(self, count: int, seconds: float) -> tuple[float, int]:
        """(moment, number) when the sink has that many requests, or the time is over."""
        found: tuple[float, int] = self._order("wait", count, seconds)
        return found

    def close(self) -> None:
        """End the process."""
        self._pipe.send(("stop",))
        self._worker.join()
