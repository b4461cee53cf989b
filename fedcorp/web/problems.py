"""Errors become answers here, and the numbers of HTTP stand here and nowhere else.

`Problems` is the catch-all around the router: meant errors keep their safe text, all others become an answer without
detail and a log line with the request id. It never shows a private detail and never logs what people wrote.
"""

import logging
from html import escape
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fedcorp import errors
from fedcorp.errors import FedcorpError

OK = 200
CREATED = 201
ACCEPTED = 202
NO_CONTENT = 204
PARTIAL = 206
MOVED = 301
FOUND = 302
SEE_OTHER = 303
BAD_REQUEST = 400
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
METHOD_NOT_ALLOWED = 405
NOT_ACCEPTABLE = 406
REQUEST_TIMEOUT = 408
CONFLICT = 409
GONE = 410
TOO_LARGE = 413
UNSUPPORTED_MEDIA = 415
MISDIRECTED = 421
UNPROCESSABLE = 422
TOO_EARLY = 425
TOO_MANY_REQUESTS = 429
BROKEN = 500
UNAVAILABLE = 503

STATUSES: dict[type[FedcorpError], int] = {
    errors.BadRequest: BAD_REQUEST,
    errors.Unauthorized: UNAUTHORIZED,
    errors.Forbidden: FORBIDDEN,
    errors.NotFound: NOT_FOUND,
    errors.MethodNotAllowed: METHOD_NOT_ALLOWED,
    errors.NotAcceptable: NOT_ACCEPTABLE,
    errors.Misdirected: MISDIRECTED,
    errors.Conflict: CONFLICT,
    errors.Gone: GONE,
    errors.TooLarge: TOO_LARGE,
    errors.UnsupportedMedia: UNSUPPORTED_MEDIA,
    errors.Unprocessable: UNPROCESSABLE,
    errors.TooManyRequests: TOO_MANY_REQUESTS,
    errors.Unavailable: UNAVAILABLE,
}
BROKEN_TEXT = "Something went wrong on this server. It has been noted; try again."
_MACHINE_PATHS = ("/api/", "/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/.well-known/", "/nodeinfo")

log = logging.getLogger("fedcorp.web")


def status_of(error: FedcorpError) -> int:
    """The HTTP status of an error that is meant; of one without a place in the table that of a broken server."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), BROKEN)


def is_success(status: int) -> bool:
    """Whether a status says that the request was carried out."""
    return OK <= status < MOVED


def answer(connection: HTTPConnection, error: FedcorpError) -> Response:
    """The answer to a meant error: JSON for programs, a small page for a person with a browser."""
    headers = dict(getattr(error, "headers", {}))
    if isinstance(error, errors.TooManyRequests | errors.Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unauthorized):
        headers.setdefault("WWW-Authenticate", 'Bearer realm="fedcorp"')
    return _response(connection, status_of(error), error.text, headers, getattr(error, "code", None))


def _response(
    connection: HTTPConnection, status: int, text: str, headers: dict[str, str], code: str | None = None
) -> Response:
    if _wants_page(connection):
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(text)}</title><body><main><h1>{escape(text)}</h1>"
            '<p><a href="/">Back to the first page</a></p></main></body></html>'
        )
        return Response(page, status, headers, "text/html")
    body: dict[str, Any] = {"error": text} if code is None else {"error": code, "error_description": text}
    return Response(orjson.dumps(body), status, headers, "application/json")


def _wants_page(connection: HTTPConnection) -> bool:
    path = connection.scope["path"]
    accept = connection.headers.get("accept", "")
    return "text/html" in accept and "json" not in accept and not path.startswith(_MACHINE_PATHS)


class Problems:
    """Pure ASGI: turns what the application raises into an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return
        except FedcorpError as error:
            if started:
                raise
            note(scope, error)
            await answer(HTTPConnection(scope), error)(scope, receive, send)
        except Exception:
            log.exception("%s %s failed (request %s)", scope["method"], _place(scope), scope.get("request_id", "-"))
            if started:
                raise
            await _response(HTTPConnection(scope), BROKEN, BROKEN_TEXT, {})(scope, receive, send)


def note(scope: Scope, error: FedcorpError) -> None:
    """Keep the private detail of an error in the log, when it has one."""
    if error.detail:
        log.info("%s: %s (request %s)", _place(scope), error.detail, scope.get("request_id", "-"))


def _place(scope: Scope) -> str:
    """The template of the route rather than the path, which may hold names."""
    return str(scope.get("route_path", "unknown path"))
