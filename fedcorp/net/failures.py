"""What can go wrong on the way out, as subclasses of httpx's transport errors.

A caller that already handles `httpx.TransportError` handles these too. The texts name hosts, sizes and rules, never
content, headers or credentials. Nothing here does I/O.
"""

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


class ResponseTooLarge(httpx.RemoteProtocolError):
    """Header section or body (as sent, or after decompression) is larger than the caller accepts."""


class BadResponse(httpx.RemoteProtocolError):
    """The peer broke HTTP/1.1 framing, sent an unreadable content coding, or closed in the middle."""


class NoResponse(BadResponse):
    """The peer closed the connection before the first byte of a response."""
