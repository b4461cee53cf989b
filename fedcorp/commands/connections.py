"""A connection from outside, guarded against who sends or reads so slowly that it never ends.

A client that sends its headers for ever, slowly or without end, would otherwise cost a connection and memory without
ever becoming a request; one that drips a body, or does not read what it asked for, a task as well. What a request may
hold is the app's own business; that it comes at all, at a kilobyte a second, is decided here.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from fedcorp.config import Limits

MAX_HEADER_BYTES = 65_536  # all headers of a request; no client that we know sends an eighth of it
BYTES_A_SECOND = 1024  # of a body, on average over `body_seconds`; the slowest telephone does better
PARTING_SECONDS = 1.0  # for a client to answer that we close a connection; TLS has both sides say so
UNREAD = 3  # times `body_seconds`: so long may an answer wait for a client to read on

_TOO_SLOW = b"408 Request Timeout", b'{"error":"The headers of the request did not come in time."}'
_BODY_TOO_SLOW = b"408 Request Timeout", b'{"error":"The body of the request came too slowly."}'
_TOO_LARGE = b"431 Request Header Fields Too Large", b'{"error":"The headers of the request are too large."}'


class _Guarded:
    """What both kinds of connections do while a client does not read, or does not part from us."""

    unread_seconds: float
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _stalled: asyncio.TimerHandle | None = None

    def part(self) -> None:
        """After our goodbye: who has everything and leaves it without an answer holds up nobody who stops a server."""
        if not self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size():
            self.loop.call_later(PARTING_SECONDS, self.part)
        else:
            self.loop.call_later(PARTING_SECONDS, self.transport.abort)

    def watch_reader(self) -> None:
        """From now on the client must read."""
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.unread_seconds, self._give_up)

    def forget_reader(self) -> None:
        """The client has read, or is gone."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _give_up(self) -> None:
        self._stalled = None
        self.transport.abort()  # `close` would wait until the client has read the rest


class GuardedSocket(_Guarded, WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, which ends when its client does not read."""

    def shutdown(self) -> None:
        """The server stops."""
        super().shutdown()
        self.part()

    def pause_writing(self) -> None:
        """More waits to be sent than the system takes."""
        super().pause_writing()
        self.watch_reader()

    def resume_writing(self) -> None:
        """It took it."""
        self.forget_reader()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self.forget_reader()
        super().connection_lost(exc)


class GuardedConnection(_Guarded, HttpToolsProtocol):
    """uvicorn's connection, which ends when headers need longer than `header_seconds` or more than 64 KiB, when less
    than a kilobyte a second of a body comes, and when the client does not read the answer."""

    header_seconds: float
    body_seconds: float

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._waiting = True  # for the headers of the first request, from the moment of connecting
        self._header_bytes = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._in_body = False
        self._body_bytes = 0  # since the pace was looked at
        self._pace: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a client connects because it has something to say."""
        super().connection_made(transport)
        self._set_alarm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._unset_alarm()
        self._unset_pace()
        self.forget_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """More waits to be sent than the system takes."""
        super().pause_writing()
        self.watch_reader()

    def resume_writing(self) -> None:
        """It took it."""
        self.forget_reader()
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops."""
        super().shutdown()
        self.part()

    def data_received(self, data: bytes) -> None:
        """Count what came for as long as the headers are not complete."""
        super().data_received(data)
        if self._in_body:  # most bodies come with their headers, and need no clock
            self._body_bytes += len(data)
            if self._pace is None:
                self._pace = self.loop.call_later(self.body_seconds, self._check_pace)
        # Most requests come in one piece, which begins and ends the wait in the call above.
        if not self._waiting:
            return
        self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._refuse(*_TOO_LARGE)
        elif self._alarm is None:
            self._set_alarm()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._waiting = True
        self._header_bytes = 0

    def on_headers_complete(self) -> None:
        """From here on the app decides, as long as the body comes."""
        self._waiting = False
        self._unset_alarm()
        self._in_body = True
        self._body_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is here."""
        self._in_body = False
        self._unset_pace()
        super().on_message_complete()

    def _check_pace(self) -> None:
        self._pace = None
        if not self._in_body or self.transport.is_closing():
            return
        # While the app reads nothing, nothing can come.
        if self._body_bytes < self.body_seconds * BYTES_A_SECOND and not self.flow.read_paused:
            self._refuse(*_BODY_TOO_SLOW)
            return
        self._body_bytes = 0
        self._pace = self.loop.call_later(self.body_seconds, self._check_pace)

    def _unset_pace(self) -> None:
        if self._pace is not None:
            self._pace.cancel()
            self._pace = None

    def _set_alarm(self) -> None:
        self._alarm = self.loop.call_later(self.header_seconds, self._refuse, *_TOO_SLOW)

    def _unset_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _refuse(self, status: bytes, body: bytes) -> None:
        self._unset_alarm()
        if self.transport.is_closing():
            return
        # An answer to an earlier request may still be under way; another in its midst would be read as a part of it.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or (not cycle.response_started if self._in_body else cycle.response_complete):
            length = str(len(body)).encode()
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\nconnection: close\r\n"
                b"content-length: " + length + b"\r\n\r\n" + body
            )
        self.transport.close()


def guarded(limits: Limits) -> tuple[type[GuardedConnection], type[GuardedSocket]]:
    """The classes of connections and WebSockets for uvicorn, which makes them itself."""
    unread = {"unread_seconds": UNREAD * limits.body_seconds}
    # A little longer than the gate waits for bodies of other servers, which hears them out with words of its own.
    paces = {"header_seconds": limits.header_seconds, "body_seconds": limits.body_seconds + 1}
    return type("GuardedConnection", (GuardedConnection,), paces | unread), type(
        "GuardedSocket", (GuardedSocket,), unread
    )
