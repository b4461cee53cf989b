"""Idle streams: what an open WebSocket that hears nothing costs, of many people with an app open."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from bench.department import Department
from bench.scenarios import Bench, Row

IDLE = 3_000
WARM = 50  # connections before anything is weighed: modules, statements and buffers that come with the first
TARGET = 30.0  # KiB
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455


def idle(bench: Bench) -> Iterator[Row]:
    """KiB of the server's resident memory for each of 3,000 WebSockets that listen to `user`, of ten people."""
    with bench.department("finance") as finance, ExitStack() as stack:
        names = [f"p{number}" for number in range(10)]
        finance.hire(*names)
        finance.start()
        for number in range(WARM):
            stack.enter_context(_opened(finance, names[number % len(names)]))
        before = finance.memory()
        count = bench.count(IDLE)
        cpu = finance.cpu()
        for number in range(count):
            stack.enter_context(_opened(finance, names[number % len(names)]))
        each = (finance.memory() - before) * 1024 / count
        cost = (finance.cpu() - cpu) / count * 1e6
        note = f"{each:.1f} KiB for each of {count:,}; target {TARGET:.0f}"
        yield Row("streams_idle", cpu=cost, memory=finance.memory(), note=note)


def _opened(department: Department, name: str) -> socket.socket:
    """A WebSocket that was accepted."""
    made = socket.create_connection(("127.0.0.1", department.port), timeout=30)
    lines = [
        "GET /api/v1/streaming?stream=user HTTP/1.1", f"Host: 127.0.0.1:{department.port}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {_KEY}",
        f"Authorization: Bearer {department.tokens[name]}",
    ]  # fmt: skip
    made.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    answer = made.recv(4096)
    if not answer.startswith(b"HTTP/1.1 101"):
        raise RuntimeError(f"a stream was refused: {answer[:60]!r}")
    return made


SCENARIOS: dict[str, Callable[[Bench], Iterator[Row]]] = {"streams_idle": idle}
