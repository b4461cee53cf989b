"""Those who are sent something and do not read it: the connection ends, and with it what the app does for them.

Over real sockets, with an app that has no end of things to say.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from fedcorp.commands.connections import guarded
from fedcorp.config import Limits

pytestmark = [pytest.mark.anyio, pytest.mark.once]

PIECE = bytes(65_536)
WAIT_SECONDS = 30  # for what should happen after three


class Endless:
    """An ASGI app that sends for ever; `ended` is set when it is told to stop."""

    def __init__(self) -> None:
        self.sent = 0
        self.ended = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        watcher = asyncio.create_task(self.watch(receive))
        try:
            if scope["type"] == "websocket":
                await send({"type": "websocket.accept"})
            else:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            while not self.ended.is_set():
                if scope["type"] == "websocket":
                    await send({"type": "websocket.send", "bytes": PIECE})
                else:
                    await send({"type": "http.response.body", "body": PIECE, "more_body": True})
                self.sent += 1
                await asyncio.sleep(0)
        finally:
            watcher.cancel()

    async def watch(self, receive: Any) -> None:
        while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
            pass
        self.ended.set()


@pytest.fixture
async def endless() -> AsyncIterator[tuple[Endless, int]]:
    """The app, and the port at which it is served with our connections."""
    app = Endless()
    connection, web_socket = guarded(Limits(body_seconds=1))
    config = uvicorn.Config(
        app, port=0, http=connection, ws=web_socket, ws_per_message_deflate=False, lifespan="off", log_config=None,
        loop="asyncio", ws_ping_interval=None,
    )  # fmt: skip
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield app, server.servers[0].sockets[0].getsockname()[1]
    server.force_exit = True
    await server.shutdown()


ASKED = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "websocket": (
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ),
}


async def reach(port: int, kind: str) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", port))
    await loop.sock_sendall(connection, ASKED[kind])
    return connection


@pytest.mark.parametrize("kind", ASKED)
async def test_who_does_not_read_is_let_go(endless: tuple[Endless, int], kind: str) -> None:
    app, port = endless
    connection = await reach(port, kind)
    try:
        await asyncio.wait_for(app.ended.wait(), WAIT_SECONDS)
    finally:
        connection.close()
    assert app.sent > 0


@pytest.mark.parametrize("kind", ASKED)
async def test_who_reads_slowly_is_heard_out(endless: tuple[Endless, int], kind: str) -> None:
    """A megabyte every half second, for longer than one who does not read at all is waited for."""
    app, port = endless
    connection = await reach(port, kind)
    loop = asyncio.get_running_loop()
    for _ in range(10):
        await asyncio.sleep(0.5)
        left = 16 * 65_536
        while left > 0:
            piece = await asyncio.wait_for(loop.sock_recv(connection, left), WAIT_SECONDS)
            assert piece, "the connection was ended"
            left -= len(piece)
    assert not app.ended.is_set()
    connection.close()
    await asyncio.wait_for(app.ended.wait(), WAIT_SECONDS)
