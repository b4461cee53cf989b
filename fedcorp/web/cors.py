"""Lets web clients from anywhere in (they prove themselves by token, never by cookie) and numbers every request.

The outermost layer: also an error of the server itself must carry these headers, or a browser hides it from its client.
"""

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fedcorp.clock import Clock
from fedcorp.web.problems import NO_CONTENT

EXPOSED = (
    "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, Retry-After, "
    "Mastodon-Async-Refresh"
)
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Accept, Last-Event-ID",
    "Access-Control-Max-Age": "7200",
}
_ALWAYS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", EXPOSED.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


class Cors:
    """Pure ASGI: adds the headers to every answer, answers OPTIONS everywhere, gives each request an id."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"{int(self._clock.random() * 2**64):016x}"  # to find it again, and no secret
        scope["request_id"] = request_id
        extra = (*_ALWAYS, (b"x-request-id", request_id.encode()))

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                names = {name for name, _ in given}  # in lower case, as ASGI has it
                message["headers"] = [*given, *(pair for pair in extra if pair[0] not in names)]
            await send(message)

        if scope["method"] == "OPTIONS":
            await Response(status_code=NO_CONTENT, headers=PREFLIGHT)(scope, receive, marked)
            return
        await self._app(scope, receive, marked)
