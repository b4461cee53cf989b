"""One row of the table of URLs. See `fedcorp.web.routes` for the table and `fedcorp.web.router` for what reads it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

WEBSOCKET = "WS"


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter that a handler reads, declared beside it so that it is described and tested from one place.

    `kind` is text, boolean, integer, id, time, file, texts or ids, after the getters of `fedcorp.web.params`. `choices`
    are all words that are taken; `least` and `most` bound an integer, `most` alone the characters of a text.
    """

    name: str
    words: str
    kind: str = "text"
    needed: bool = False
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Handlers get a `Call`, which is a Starlette request; those of method WEBSOCKET a WebSocket.

    `scope` is the OAuth scope that the token must hold, or several, of which it must hold one. None means that the
    handler looks at no token; "" means any valid token. With `anonymous`, requests without a token are let through
    too. `app` lets in tokens that belong to no person. `role` is the least role in the department that the person must
    have, moderator or admin; every route of a scope of administrators names one. `uploads` raises the cap of the body
    to that of pictures, `films` to that of films where those are taken.

    `takes`, `gives` and `waits` describe our own API (`fedcorp.web.api.openapi`): what the handler reads besides the
    path, the schema of its answer ("Group", or "[Group]" for a list), and of the one that says that another department
    decides.
    """

    method: str
    path: str
    handler: Callable[[Any], Awaitable[Any]]
    scope: str | None = None
    anonymous: bool = False
    app: bool = False
    role: str = ""
    uploads: bool = False
    films: bool = False
    takes: tuple[Param, ...] = ()
    gives: str = ""
    waits: str = ""

    def __post_init__(self) -> None:
        is_for_staff = any(scope.startswith("admin:") for scope in (self.scope or "").split())
        if is_for_staff != bool(self.role):
            raise ValueError(f"{self.method} {self.path}: a scope of administrators and a role go together")
