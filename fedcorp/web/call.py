"""One request as a handler sees it: its parameters, who asks, and the two doors to the database.

Whom the token speaks for is found inside the same unit that does the work, so a request costs one trip to the database.
"""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fedcorp.errors import NotFound
from fedcorp.social.studio import tools_for
from fedcorp.storage.database import Tx
from fedcorp.web import auth, context
from fedcorp.web.auth import Viewer
from fedcorp.web.context import Context
from fedcorp.web.params import MAX_ID, Params, capped, read_body, read_query
from fedcorp.web.problems import OK
from fedcorp.web.route import Route

P = ParamSpec("P")
T = TypeVar("T")
FORM_BYTES = 65_536  # around an uploaded file


class Call(Request):
    """A Starlette request with what the API needs. `route` says which scope its token must hold."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, route: Route) -> None:
        super().__init__(scope, receive, send)
        self.route = route
        self._viewer: Viewer | None = None
        self._values: Params | None = None

    @property
    def context(self) -> Context:
        """The parts of this instance."""
        return context.of(self)

    @property
    def base(self) -> str:
        """scheme://host under which the caller reached us, for links back to this API."""
        host = self.headers.get("host", "")
        is_loopback = host.startswith(("127.0.0.1", "localhost", "[::1]"))
        return f"{self.scope['scheme']}://{host}" if is_loopback else self.context.config.origin

    @property
    def query(self) -> Params:
        """Parameters in the query alone, without waiting for a body."""
        return read_query(self.scope["query_string"])

    async def params(self) -> Params:
        """Parameters of query and body together. Raises BadRequest, TooLarge, UnsupportedMedia."""
        if self._values is None:
            self._values = await read_body(self, self._body_limit())
        return self._values

    def _body_limit(self) -> int:
        config = self.context.config
        if not self.route.uploads:
            return config.limits.body_bytes
        most = config.limits.media_bytes
        if self.route.films and tools_for(config) is not None:  # with a picture that stands for the film
            most += config.limits.video_bytes
        return most + FORM_BYTES

    def id(self, name: str = "id") -> int:
        """An id in the path. Raises NotFound for anything that cannot be one."""
        text = self.path_params[name]
        if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > MAX_ID:
            raise NotFound
        return int(text)

    def token(self) -> str | None:
        """The token that came with the request, wherever it stood."""
        token = auth.bearer(self)
        if token is None and self._values is not None:
            return self._values.text("access_token")
        return token

    def _authenticate(self, tx: Tx) -> Viewer:
        if self._viewer is None:
            self._viewer = self._find_viewer(tx)
        return self._viewer

    def _find_viewer(self, tx: Tx) -> Viewer:
        route = self.route
        if route.scope is None:
            return auth.NOBODY
        viewer = auth.find_viewer(tx, self.token())
        auth.check(viewer, scope=route.scope, anonymous=route.anonymous, app=route.app, role=route.role)
        return viewer

    async def viewer(self) -> Viewer:
        """Who asks, when it must be known before the work begins. Raises Unauthorized, Forbidden."""
        if self._viewer is None:
            await self.context.db.glance(self._authenticate)
        assert self._viewer is not None
        return self._viewer

    async def read(self, work: Callable[Concatenate[Tx, Viewer, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, viewer, ...)` in a reading unit. Raises Unauthorized, Forbidden and what `work` raises."""
        return await self.context.db.glance(lambda tx: work(tx, self._authenticate(tx), *args, **kwargs))

    async def read_long(self, work: Callable[Concatenate[Tx, Viewer, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `read`, for what may take long without SQLite noticing: never on the thread of the event loop."""
        return await self.context.db.read(lambda tx: work(tx, self._authenticate(tx), *args, **kwargs))

    async def write(self, work: Callable[Concatenate[Tx, Viewer, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, viewer, ...)` in a writing unit; resumes after COMMIT. Raises like `read`."""
        return await self.context.db.write(lambda tx: work(tx, self._authenticate(tx), *args, **kwargs))

    async def capped_body(self, limit: int) -> bytes:
        """The body. Raises TooLarge as soon as more than `limit` bytes arrived."""
        return b"".join([chunk async for chunk in capped(self, limit)])


def json(value: Any, status: int = OK, headers: dict[str, str] | None = None) -> Response:
    """An answer of JSON; `value` may hold `orjson.Fragment`s and bytes that are JSON already."""
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return Response(body, status, headers, "application/json")
