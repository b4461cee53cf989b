"""Finds the handler of a request by method and path: a tree of path segments, which costs the same for any number of
routes. It decides nothing about who may ask.

A template is `/api/v1/accounts/{id}`; a segment may begin with text, as in `/@{name}`. A trailing slash is accepted
everywhere, HEAD wherever GET is, and PUT and PATCH stand in for each other, because clients mix them up.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from starlette.datastructures import State
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from fedcorp.errors import MethodNotAllowed, NotFound
from fedcorp.web.call import Call
from fedcorp.web.route import WEBSOCKET, Route

_STAND_INS = {"HEAD": "GET", "PUT": "PATCH", "PATCH": "PUT"}

__all__ = ["WEBSOCKET", "Route", "Router"]


@dataclass(slots=True)
class _Node:
    fixed: dict[str, "_Node"] = field(default_factory=dict)
    variables: list[tuple[str, str, "_Node"]] = field(default_factory=list)  # (prefix, name, node)
    routes: dict[str, Route] = field(default_factory=dict)

    def child(self, segment: str) -> "_Node":
        if "{" not in segment:
            if segment not in self.fixed:
                self.fixed[segment] = _Node()
            return self.fixed[segment]
        prefix, _, name = segment.rstrip("}").partition("{")
        for known_prefix, known_name, node in self.variables:
            if (known_prefix, known_name) == (prefix, name):
                return node
        node = _Node()
        self.variables.append((prefix, name, node))
        self.variables.sort(key=lambda variable: -len(variable[0]))
        return node


class Router:
    """Pure ASGI. Raises NotFound for unknown paths and MethodNotAllowed, which `problems` turns into answers."""

    def __init__(self, routes: Iterable[Route], state: State, attend: Callable[[], None] = lambda: None) -> None:
        """`attend` is called for every request of a person's app."""
        self.state = state
        self._attend = attend
        self.routes = tuple(routes)
        self._root, self._plain = _grown(self.routes)

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route and the values of its variables. Raises NotFound, MethodNotAllowed."""
        values: dict[str, str] = {}
        node = self._plain.get(path.strip("/")) or _walk(self._root, _segments(path), 0, values)
        if node is None or any("\x00" in value for value in values.values()):
            raise NotFound("There is nothing at this address.")
        route = node.routes.get(method) or node.routes.get(_STAND_INS.get(method, ""))
        if route is None:
            raise MethodNotAllowed(f"This address takes {', '.join(sorted(node.routes))} only.")
        return route, values

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_socket = scope["type"] == "websocket"
        route, values = self.match(WEBSOCKET if is_socket else scope["method"], scope["path"])
        scope["app"] = self
        scope["path_params"] = values
        scope["route_path"] = route.path
        if is_socket:
            await route.handler(WebSocket(scope, receive, send))
            return
        if route.scope is not None:
            self._attend()
        response = await route.handler(Call(scope, receive, send, route))
        await response(scope, receive, send)


@lru_cache(maxsize=8)  # several instances in one process have the same table
def _grown(routes: tuple[Route, ...]) -> tuple[_Node, dict[str, _Node]]:
    """(the tree, nodes by path of paths without variables, which the tree would prefer at every segment)"""
    root, plain = _Node(), dict[str, _Node]()
    for route in routes:
        node = root
        for segment in _segments(route.path):
            node = node.child(segment)
        if "{" not in route.path:
            plain[route.path.strip("/")] = node
        if route.method in node.routes:
            raise ValueError(f"{route.method} {route.path} stands twice in the table of routes")
        node.routes[route.method] = route
    return root, plain


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _walk(node: _Node, segments: list[str], at: int, values: dict[str, str]) -> _Node | None:
    """Text before variables, at every segment; steps back when the first choice leads nowhere."""
    if at == len(segments):
        return node if node.routes else None
    segment = segments[at]
    fixed = node.fixed.get(segment)
    if fixed is not None and (found := _walk(fixed, segments, at + 1, values)) is not None:
        return found
    for prefix, name, child in node.variables:
        if segment.startswith(prefix) and len(segment) > len(prefix):
            found = _walk(child, segments, at + 1, values)
            if found is not None:
                values[name] = unquote(segment[len(prefix) :])
                return found
    return None
