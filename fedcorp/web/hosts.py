"""Answers only under our own name. The client API also answers as 127.0.0.1 and localhost, federation never does.

Without this check, a page of a stranger could reach a server inside the company under a name of the stranger's own.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from fedcorp.config import Config
from fedcorp.errors import Misdirected
from fedcorp.urls import Urls

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_FEDERATION = (
    "/inbox",
    "/actor",
    "/u/",
    "/g/",
    "/o/",
    "/a/",
    "/t/",
    "/.well-known/webfinger",
    "/.well-known/host-meta",
)
_DEFAULT_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


class Hosts:
    """Pure ASGI: raises Misdirected for requests under foreign names."""

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self._app = app
        self._domain = Urls(config.origin).domain
        self._port = config.server.port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            # Whoever sends two Host headers hopes that two readers choose differently; joined they are nobody's name.
            host = b",".join([value for name, value in scope["headers"] if name == b"host"]).decode("latin-1").lower()
            if not self._is_ours(host.removesuffix(_DEFAULT_PORTS.get(scope["scheme"], "")), scope):
                if scope["type"] == "websocket":
                    await receive()
                    await send({"type": "websocket.close", "code": 1008})
                    return
                raise Misdirected("This server does not answer under that name.", f"host {host!r}")
        await self._app(scope, receive, send)

    def _is_ours(self, host: str, scope: Scope) -> bool:
        if host == self._domain:
            return True
        name, colon, port = host.rpartition(":")
        if not colon or host.endswith("]"):
            name, port = host, _DEFAULT_PORTS.get(scope["scheme"], ":")[1:]
        ports = {str(self._port), str((scope.get("server") or ("", None))[1])}
        if name not in LOOPBACK or port not in ports:
            return False
        return not scope["path"].startswith(_FEDERATION)
