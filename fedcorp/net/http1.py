"""One HTTP/1.1 client connection: writes a request, reads exactly one response within limits, says if it may be reused.

Parsing is httptools (llhttp in its strict mode); what that leaves open (transfer codings other than chunked, HTTP
versions, sizes, answers nobody asked for) is checked here. This room never resolves, connects, waits or retries.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, cast

import httptools
import httpx

from fedcorp.net.addresses import Origin
from fedcorp.net.codings import Decoder, find_decoder
from fedcorp.net.failures import BadResponse, NoResponse, ResponseTooLarge

MAX_HEAD = 64 * 1024
"""Largest header section of a response, in bytes, interim responses and trailers included."""

# Set by us on every request, because framing, reuse and decompression are decided here and not by the caller.
_OWN_HEADERS = frozenset(
    {
        b"accept-encoding",
        b"connection",
        b"content-length",
        b"expect",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_CODING_HEADERS = (b"content-encoding", b"content-length")
_STATUS_LINE = 32


class Reply(NamedTuple):
    """A complete response: status, headers as received, decoded body, b"HTTP/1.1" or b"HTTP/1.0"."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    version: bytes


def serialise_request(request: httpx.Request, body: bytes) -> bytes:
    """Request head and body as bytes on the wire; raises httpx.LocalProtocolError for anything that could split it."""
    method = request.method.encode("ascii", "replace")
    if not method.isalpha():
        raise httpx.LocalProtocolError("the request method is not a word")
    lines = [b"%b %b HTTP/1.1" % (method, request.url.raw_path)]
    lines += [b"%b: %b" % (name, value) for name, value in request.headers.raw if name.lower() not in _OWN_HEADERS]
    lines.append(b"Accept-Encoding: gzip, identity")
    if body or method in (b"POST", b"PUT", b"PATCH"):
        lines.append(b"Content-Length: %d" % len(body))
    head = b"\0".join(lines)
    if head.count(b"\0") >= len(lines) or b"\r" in head or b"\n" in head:
        raise httpx.LocalProtocolError("the request has a line break or NUL in its head")
    return head.replace(b"\0", b"\r\n") + b"\r\n\r\n" + body


class Connection(asyncio.Protocol):
    """An open connection to one origin, with at most one exchange at a time.

    `on_open` and `on_lost` are called with the connection when the socket opens and when it is gone.
    """

    def __init__(
        self, origin: Origin, on_open: Callable[["Connection"], None], on_lost: Callable[["Connection"], None]
    ) -> None:
        self.origin = origin
        self._on_open = on_open
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._sound = True
        self._begin("", 0)

    def _begin(self, method: str, max_body: int) -> None:
        self._method = method
        self._max_body = max_body
        self._max_wire = 2 * MAX_HEAD + 8 * max_body
        self._wire = self._head_fed = self._head_size = self._body_size = 0
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._decoder: Decoder | None = None
        self._headed = self._until_close = self._complete = False

    @property
    def reusable(self) -> bool:
        """Whether the connection is open, idle, and its last exchange ended cleanly on both sides."""
        transport = self._transport
        return (
            self._sound
            and self._waiter is None
            and transport is not None
            and not transport.is_closing()
            and transport.get_write_buffer_size() == 0
        )

    async def exchange(self, payload: bytes, method: str, max_body: int) -> Reply:
        """Sends one serialised request and returns its final response.

        Raises NoResponse when the peer closed before the first byte, BadResponse, or ResponseTooLarge. When it raises
        or is cancelled the connection is no longer reusable.
        """
        if self._transport is None or self._transport.is_closing():
            raise NoResponse("the connection was closed before it could be used")
        self._begin(method, max_body)
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(payload)
        return await self._waiter

    def close(self) -> None:
        """Closes an idle connection in good order."""
        self._sound = False
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drops the connection at once, whatever is going on."""
        self._sound = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface without being subclasses.
        self._transport = cast(asyncio.Transport, transport)
        self._on_open(self)

    def connection_lost(self, exc: Exception | None) -> None:
        closed_by_peer = self._sound and exc is None
        self._sound = False
        if self._waiter is not None:
            if self._wire == 0:
                self._fail(NoResponse("the peer closed the connection without a response"))
            elif self._until_close and closed_by_peer:
                self._end_by_close()
            else:
                self._fail(BadResponse("the connection was closed in the middle of a response"))
        self._on_lost(self)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            self.abort()
            return
        self._wire += len(data)
        try:
            self._parser.feed_data(data)
            self._check_sizes(len(data))
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._fail(cause if isinstance(cause, httpx.TransportError) else BadResponse("unreadable response"))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(BadResponse("the response breaks HTTP/1.1 framing"))
        except ResponseTooLarge as error:
            self._fail(error)

    def _check_sizes(self, received: int) -> None:
        if not self._headed:
            self._head_fed += received
        if self._head_fed > MAX_HEAD:
            raise ResponseTooLarge("the response header section is too large")
        if self._wire > self._max_wire:
            raise ResponseTooLarge("the response is too large for its body")

    def _fail(self, error: Exception) -> None:
        # A complete response stands, even when garbage follows it; the connection does not.
        waiter, self._waiter = self._waiter, None
        self.abort()
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)

    def _succeed(self) -> None:
        self._complete = True
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            version = b"HTTP/" + self._parser.get_http_version().encode("ascii")
            waiter.set_result(Reply(self._status, self._headers, b"".join(self._body), version))

    def on_message_begin(self) -> None:
        if self._complete:
            raise BadResponse("the peer sent a second response to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value) + 4
        if self._head_size > MAX_HEAD:
            raise ResponseTooLarge("the response header section is too large")
        if not self._headed:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        if 100 <= self._status < 200:
            return
        if not 200 <= self._status <= 599:
            raise BadResponse("the response status is out of range")
        self._headed = True
        self._read_framing()
        if self._method == "HEAD":
            # llhttp waits for the body that Content-Length announces and HEAD does not send.
            self._sound = False
            self._succeed()

    def _read_framing(self) -> None:
        length: int | None = None
        chunked = False
        coding = b""
        for name, value in self._headers:
            match name.lower():
                case b"content-length":
                    length = int(value)
                case b"transfer-encoding":
                    if chunked or value.strip().lower() != b"chunked":
                        raise BadResponse("the response uses a transfer coding other than chunked")
                    chunked = True
                case b"content-encoding":
                    coding = coding + b"," + value if coding else value
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0") or (chunked and (length is not None or version == "1.0")):
            raise BadResponse("the response breaks HTTP/1.1 framing")
        if self._method == "HEAD" or self._status in (204, 304):
            return
        if length is not None and length > self._max_body:
            raise ResponseTooLarge("the response body is too large")
        self._until_close = length is None and not chunked
        self._decoder = find_decoder(coding, self._max_body)

    def on_body(self, piece: bytes) -> None:
        self._body_size += len(piece)
        if self._body_size > self._max_body:
            raise ResponseTooLarge("the response body is too large")
        if self._decoder is not None:
            piece = self._decoder.feed(piece)
        self._body.append(piece)

    def on_message_complete(self) -> None:
        if not self._headed:
            if self._status == 101:
                raise BadResponse("the peer switched protocols unasked")
            self._head_size += _STATUS_LINE
            if self._head_size > MAX_HEAD:
                raise ResponseTooLarge("the peer sent too many interim responses")
            self._headers = []
            return
        self._sound = self._sound and self._parser.should_keep_alive()
        self._end_body()

    def _end_by_close(self) -> None:
        try:
            self._end_body()
        except BadResponse as error:
            self._fail(error)

    def _end_body(self) -> None:
        if self._decoder is not None:
            self._decoder.check_complete()
            # The body handed over is the decoded one; httpx would otherwise decode it a second time.
            self._headers = [header for header in self._headers if header[0].lower() not in _CODING_HEADERS]
        self._succeed()
