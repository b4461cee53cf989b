"""A hostile server on a loopback socket: each connection is handed to a script that may send any bytes it likes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import httpx

from fedcorp.net import Transport

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Line:
    """The sink's end of one connection; `number` counts connections from 1."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sink: "Sink"

    async def request(self) -> bytes:
        """One whole request, head and body, noted in the sink; raises IncompleteReadError when the client leaves."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        body = await self.reader.readexactly(int(length[0].split(b":")[1])) if length else b""
        self.sink.requests.append(head + body)
        return head + body

    async def send(self, data: bytes) -> None:
        """Writes and flushes; raises ConnectionError when the client has left."""
        if self.writer.is_closing():  # uvloop would raise a RuntimeError
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()


Script = Callable[[Line], Awaitable[None]]


@dataclass
class Sink:
    """What the server saw: `connections` opened, `requests` received whole; `left`: the client closed one."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/", host: str = "sink.localhost", scheme: str = "http") -> str:
        """An address of the sink."""
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def serve(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Sink]:
    """Runs the sink on a free port of 127.0.0.1; ends its connections when the block ends."""
    sink = Sink()
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sink.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await script(Line(sink.connections, reader, writer, sink))
        except (asyncio.IncompleteReadError, ConnectionError):
            sink.left.set()
        except asyncio.CancelledError:
            return  # the block has ended; StreamReaderProtocol reports a handler that ends cancelled as a fault
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def replies(*answers: bytes) -> Script:
    """A script that answers the requests of each connection with these bytes in turn, then closes it."""

    async def script(line: Line) -> None:
        for answer in answers:
            await line.request()
            await line.send(answer)

    return script


async def keep_alive(line: Line) -> None:
    """A script that answers every request with OK."""
    while True:
        await line.request()
        await line.send(OK)


@asynccontextmanager
async def opened(**settings: Any) -> AsyncIterator[Transport]:
    """A transport that may reach loopback, closed at the end of the block."""
    transport = Transport(**{"networks": LOOPBACK, **settings})
    try:
        yield transport
    finally:
        await transport.aclose()


async def get(transport: Transport, url: str, **extensions: Any) -> httpx.Response:
    """One GET straight through the transport."""
    return await transport.handle_async_request(httpx.Request("GET", url, extensions=extensions))
