"""The load: a process of its own that sends requests made beforehand over raw sockets and counts what comes back.

Requests are complete bytes before the clock starts, so that the generator costs little. It measures; it judges nothing.
"""

import asyncio
import contextlib
import math
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any, ClassVar, cast

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


async def _lane(
    port: int, due: list[tuple[float, bytes]], latencies: list[float], statuses: dict[int, int], until: float
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while due and time.perf_counter() < until:
        began, request = due.pop()
        early = began - time.perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        if early > 0 or not began:
            began = time.perf_counter()  # who sends late, because no connection was free, has waited since it was due
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


async def _run(
    port: int, requests: Sequence[bytes], connections: int, pace: float = 0, seconds: float = math.inf
) -> Outcome:
    began = time.perf_counter()
    waiting = [(began + number / pace if pace else 0.0, request) for number, request in enumerate(requests)]
    waiting.reverse()
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    await asyncio.gather(*(_lane(port, waiting, latencies, statuses, began + seconds) for _ in range(connections)))
    seconds = time.perf_counter() - began
    latencies.sort()
    middle, late = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
    return Outcome(len(latencies), seconds, middle, late, statuses)


class _Counting(asyncio.Protocol):
    """A server of any number of hosts that takes every POST and counts it, and serves `documents` by host and path.

    What it has seen is shared by all its connections. `marked` counts the bodies that hold `mark`; `first` says when
    (perf_counter) each host got its first one.
    """

    total = 0
    marked = 0
    mark = b""
    first: ClassVar[dict[bytes, float]] = {}
    documents: ClassVar[dict[tuple[str, str], bytes]] = {}

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower() + b"\r\n"
            length = int(_header(head, b"content-length") or 0)
            if len(self._data) < end + 4 + length:
                return
            body, self._data = self._data[end + 4 : end + 4 + length], self._data[end + 4 + length :]
            method, path, _ = head.split(b" ", 2)
            answer = self._take(head, body) if method == b"post" else self._serve(head, path.decode())
            self._transport.write(answer)

    @staticmethod
    def _take(head: bytes, body: bytes) -> bytes:
        _Counting.total += 1
        if _Counting.mark and _Counting.mark in body:
            _Counting.marked += 1
            _Counting.first.setdefault(_header(head, b"host"), time.perf_counter())
        return b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

    @staticmethod
    def _serve(head: bytes, path: str) -> bytes:
        found = _Counting.documents.get((_header(head, b"host").decode(), path))
        if found is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        kind = b"Content-Type: application/activity+json"
        return b"HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(found), found)


def _header(head: bytes, name: bytes) -> bytes:
    """The value of a header in lower-case lines; empty when there is none."""
    at = head.find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip() if at >= 0 else b""


async def _wait_for(count: int, seconds: float) -> float:
    """Until the sink has `count` requests; the moment of the last (perf_counter)."""
    give_up = time.perf_counter() + seconds
    while _Counting.total < count and time.perf_counter() < give_up:
        await asyncio.sleep(0.002)
    return time.perf_counter()


async def _wait_for_marked(count: int, seconds: float) -> tuple[float, int]:
    """Until so many marked bodies came, or the time is over; (the moment, how many came)."""
    give_up = time.perf_counter() + seconds
    while _Counting.marked < count and time.perf_counter() < give_up:
        await asyncio.sleep(0.002)
    return time.perf_counter(), _Counting.marked


async def _spread(port: int, request: bytes, hosts: int, seconds: float) -> list[float]:
    """Send one request; milliseconds from its answer until each of so many hosts has what is marked, in order."""
    await _run(port, [request], 1)
    answered = time.perf_counter()
    give_up = answered + seconds
    while len(_Counting.first) < hosts and time.perf_counter() < give_up:
        await asyncio.sleep(0.002)
    return sorted((moment - answered) * 1000 for moment in _Counting.first.values())


def _watch(mark: bytes) -> None:
    _Counting.mark, _Counting.marked = mark, 0
    _Counting.first.clear()


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
        elif order == "watch":
            _watch(*arguments)
            pipe.send(None)
        elif order == "wait_marked":
            pipe.send(await _wait_for_marked(*arguments))
        elif order == "spread":
            pipe.send(await _spread(*arguments))
        elif order == "publish":
            _Counting.documents.update(*arguments)
            pipe.send(None)


def _process(pipe: Pipe, niceness: int) -> None:
    os.nice(niceness)
    uvloop.run(_serve(pipe))


class Load:
    """The load process: `run` sends, and what others send to `port` is counted. With `niceness` it takes what processor
    is left, since whom it plays has a machine of their own."""

    def __init__(self, niceness: int = 0) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._worker = multiprocessing.get_context("spawn").Process(
            target=_process, args=(theirs, niceness), daemon=True
        )
        self._worker.start()
        self.port: int = self._pipe.recv()

    def _order(self, *order: Any) -> Any:
        self._pipe.send(order)
        return self._pipe.recv()

    def run(
        self,
        port: int,
        requests: Sequence[bytes],
        connections: int,
        pace: float = 0,
        seconds: float = math.inf,
    ) -> Outcome:
        """Send requests over so many connections, all or those of so many seconds: `pace` of them a second, or the next
        one after each answer.

        At a pace, a request that finds all connections busy waits from the moment when it was due.
        """
        found: Outcome = self._order("run", port, requests, connections, pace, seconds)
        return found

    def reset(self) -> None:
        """Count from nought."""
        self._order("reset")

    def wait(self, count: int, seconds: float) -> tuple[float, int]:
        """(moment, number) when the sink has that many requests, or the time is over."""
        found: tuple[float, int] = self._order("wait", count, seconds)
        return found

    def watch(self, mark: bytes) -> None:
        """Look from now on for bodies that hold `mark`."""
        self._order("watch", mark)

    def wait_marked(self, count: int, seconds: float) -> tuple[float, int]:
        """(moment, number) when so many of the bodies that are watched for came, or the time is over."""
        found: tuple[float, int] = self._order("wait_marked", count, seconds)
        return found

    def spread(self, port: int, request: bytes, hosts: int, seconds: float) -> list[float]:
        """Send one request; ms from its answer until each of so many hosts had what is watched for, in order."""
        found: list[float] = self._order("spread", port, request, hosts, seconds)
        return found

    def publish(self, documents: dict[tuple[str, str], bytes]) -> None:
        """Serve documents to whoever asks, by host and path."""
        self._order("publish", documents)

    def close(self) -> None:
        """End the process."""
        self._pipe.send(("stop",))
        self._worker.join()
