"""A connection from outside, guarded until its headers are complete: from then on the app's own limits hold.

A client that sends its headers for ever, slowly or without end, would otherwise cost a connection and memory without
ever becoming a request.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEADER_BYTES = 65_536  # all headers of a request; no client that we know sends an eighth of it

_TOO_SLOW = b"408 Request Timeout", b'{"error":"The headers of the request did not come in time."}'
_TOO_LARGE = b"431 Request Header Fields Too Large", b'{"error":"The headers of the request are too large."}'


class GuardedConnection(HttpToolsProtocol):
    """uvicorn's connection, which ends when headers need longer than `header_seconds` or more than 64 KiB."""

    header_seconds: float

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._waiting = True  # for the headers of the first request, from the moment of connecting
        self._header_bytes = 0
        self._alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a client connects because it has something to say."""
        super().connection_made(transport)
        self._set_alarm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._unset_alarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what came for as long as the headers are not complete."""
        super().data_received(data)
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
        """From here on the app decides."""
        self._waiting = False
        self._unset_alarm()
        super().on_headers_complete()

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
        if cycle is None or cycle.response_complete:
            length = str(len(body)).encode()
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\nconnection: close\r\n"
                b"content-length: " + length + b"\r\n\r\n" + body
            )
        self.transport.close()


def guarded(header_seconds: float) -> type[GuardedConnection]:
    """The class of connections for uvicorn, which makes them itself."""
    return type("GuardedConnection", (GuardedConnection,), {"header_seconds": header_seconds})
