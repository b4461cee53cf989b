"""What can go wrong on the way out, as subclasses of httpx's transport errors.

A caller that already handles `httpx.TransportError` handles these too. The texts name hosts, sizes and rules, never
content, headers or credentials. Nothing here does I/O.
"""

import socket
import ssl

import httpx


class AddressRefused(httpx.ConnectError):
    """The scheme, host, port or a resolved address is not one we may connect to. Trying again does not help.

    `detail` names the address, for the log only: the text does not tell what a name resolves to.
    """

    def __init__(self, text: str, detail: str = "") -> None:
        super().__init__(text)
        self.detail = detail


class DeadlineExceeded(httpx.TimeoutException):
    """Connecting, or the whole exchange including the body, took longer than its limit."""


class ConnectDeadlineExceeded(DeadlineExceeded):
    """Resolving, connecting or the TLS handshake took longer than its limit: nothing was sent."""


class ResponseTooLarge(httpx.RemoteProtocolError):
    """Header section or body (as sent, or after decompression) is larger than the caller accepts."""


class BadResponse(httpx.RemoteProtocolError):
    """The peer broke HTTP/1.1 framing, sent an unreadable content coding, or closed in the middle."""


class NoResponse(BadResponse):
    """The peer closed the connection before the first byte of a response."""


def stage_of(error: BaseException | None) -> tuple[str, str]:
    """(how far an exchange came, why it ended there) for what the transport raised.

    The stages: `name` (it has no address), `address` (not one we may connect to), `connection`, `tls`, `http` (it was
    reached, but no good answer came).
    """
    inner = error.__cause__ if error is not None else None
    if isinstance(error, AddressRefused):
        return "address", f"{error} ({error.detail})" if error.detail else str(error)
    if isinstance(inner, socket.gaierror):
        return "name", inner.strerror or str(inner)
    if isinstance(inner, ssl.SSLError):
        return "tls", str(getattr(inner, "verify_message", "") or inner.reason or inner)
    if isinstance(error, ConnectDeadlineExceeded):
        return "connection", "it does not answer in time"
    if isinstance(error, httpx.ConnectError):
        return "connection", str(inner or error)
    return "http", str(error or "")
