"""One row of the table of URLs. See `fedcorp.web.routes` for the table and `fedcorp.web.router` for what reads it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

WEBSOCKET = "WS"


@dataclass(frozen=True, slots=True)
class Route:
    """Handlers get a `Call`, which is a Starlette request; those of method WEBSOCKET a WebSocket.

    `scope` is the OAuth scope that the token must hold, or several, of which it must hold one. None means that the
    handler looks at no token or does it itself; "" means any valid token. With `anonymous`, requests without a token
    are let through too. `app` lets in tokens that belong to no person. `uploads` raises the cap of the body to that
    of media.
    """

    method: str
    path: str
    handler: Callable[[Any], Awaitable[Any]]
    scope: str | None = None
    anonymous: bool = False
    app: bool = False
    uploads: bool = False
