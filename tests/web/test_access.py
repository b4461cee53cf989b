"""Who may ask what: every route x scope x role, made from what the routes declare and held through the door.

The rules stand here a second time, in other words than the code's, and beside the scopes of Mastodon's documentation. A
route that looks at no token must be named in OPEN, so one whose declaration was forgotten fails.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fedcorp.social import applications
from fedcorp.social.applications import SCOPES
from fedcorp.storage.database import Tx
from fedcorp.web import activitypub, files, metrics, oauth, oembed, wellknown
from fedcorp.web.api import openapi
from fedcorp.web.auth import INVALID, NEEDS_PERSON, OUT_OF_SCOPE
from fedcorp.web.pages import disputes, joining, views
from fedcorp.web.route import WEBSOCKET, Route
from fedcorp.web.routes import ROUTES
from tests.web.instance import Office

pytestmark = pytest.mark.once

_IDS = ("id", "account", "status", "report", "quoting", "item")
ROLES = ("user", "moderator", "admin")
OPEN = {
    "POST /api/v1/apps": "apps register themselves",
    "GET /api/v1/instance": "read before anybody signs in, as the next three",
    "GET /api/v2/instance": "",
    "GET /api/v1/instance/extended_description": "",
    "GET /api/v1/instance/privacy_policy": "",
    "GET /api/v1/instance/terms_of_service": "people read what they agree to first",
    "GET /api/v1/instance/terms_of_service/{date}": "likewise",
    "GET /api/v1/instance/translation_languages": "says nothing of anybody",
    f"GET {openapi.PATH}": "the same for everybody",
    "GET /api/oembed": "of open posts only",
    "GET /health": "for monitors",
    "GET /api/v1/streaming/health": "for monitors",
    "GET /metrics": "open to programs of this machine; tokens of others it looks at itself (tests/web/test_metrics.py)",
}
"""Routes of the API that look at no token, and why. Besides, none of these rooms knows tokens:"""
ROOMS = (
    oauth.ROUTES,
    oembed.ROUTES,
    files.ROUTES,
    wellknown.ROUTES,
    activitypub.ROUTES,
    views.ROUTES,
    joining.ROUTES,
    disputes.ROUTES,
)
"""Signing in itself, posts in pages of others, signed addresses, discovery, signed requests of servers, and pages with
their own sessions."""

_OUTCOMES = {
    (401, INVALID): "token", (403, OUT_OF_SCOPE): "scope", (401, NEEDS_PERSON): "person",
    (403, "This action is not allowed"): "role",
}  # fmt: skip
_OF_FOLLOW = {"read:follows", "write:follows", "read:blocks", "write:blocks", "read:mutes", "write:mutes"}


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def covers(held: str, needed: str) -> bool:
    """Mastodon's rule: a scope holds itself and its parts; the old `follow` holds six."""
    return held == needed or needed.startswith(f"{held}:") or (held == "follow" and needed in _OF_FOLLOW)


def expected(route: Route, scope: str | None, role: str | None) -> str:
    """What must come of a request: "in", or what is missing. `scope` None: no token; `role` None: nobody's token."""
    if route.scope is None or (scope is None and route.anonymous):
        return "in"
    if scope is None:
        return "token"
    if route.scope and not any(covers(scope, needed) for needed in route.scope.split()):
        return "scope"
    if role is None:
        return "in" if route.app or route.anonymous else "person"
    return "in" if not route.role or ROLES.index(role) >= ROLES.index(route.role) else "role"


async def ask(office: Office, route: Route, token: str | None) -> str:
    """What comes of a request with this token. Streams end as soon as they began."""
    path = re.sub(r"\{(\w+)\}", lambda match: "1" if match[1] in _IDS else "word", route.path)
    said: list[dict[str, Any]] = []
    is_socket = route.method == WEBSOCKET
    opening: list[dict[str, Any]] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    incoming = iter(opening if is_socket else [{"type": "http.request", "body": b""}])

    async def receive() -> dict[str, Any]:
        return next(incoming, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"host", b"finance.localhost")]
    headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = {
        "type": "websocket" if is_socket else "http", "method": route.method, "path": path, "raw_path": path.encode(),
        "query_string": b"acct=x&q=x&tag=x&list=1", "scheme": "ws" if is_socket else "http", "http_version": "1.1",
        "root_path": "", "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "subprotocols": [],
    }  # fmt: skip
    await office.instance.app(scope, receive, send)
    if is_socket:
        return "in" if said[0]["type"] == "websocket.accept" else "no"
    status = said[0]["status"]
    assert status < 500, (name_of(route), said)
    body = b"".join(message.get("body", b"") for message in said[1:]) if status in (401, 403) else b"{}"
    error = json.loads(body).get("error", "") if body.startswith(b"{") else ""
    return _OUTCOMES.get((status, error), "in")


def _tokens(tx: Tx, account_id: int | None, scopes: list[str]) -> dict[str, str]:
    application = applications.command_line_application(tx)
    return {
        scope: applications.issue_token(tx, account_id=account_id, application_id=application.id, scopes=scope)
        for scope in scopes
    }


ASKED = tuple(route for route in ROUTES if route not in metrics.ROUTES)
CHAPTERS = sorted({scope.split(":")[-1] for scope in SCOPES})


@pytest.mark.anyio
@pytest.mark.parametrize("chapter", CHAPTERS)
async def test_every_route_for_every_scope_and_role(office: Office, chapter: str) -> None:
    scopes = sorted(scope for scope in SCOPES if scope.split(":")[-1] == chapter)
    tokens: dict[str | None, dict[str, str]] = {None: await office.db.write(_tokens, None, scopes)}
    for role in ROLES:
        who = await office.staff(f"of{role}", role)
        tokens[role] = await office.db.write(_tokens, who.account.id, scopes)
    wrong = []
    asked = [(role, scope, token) for role, held in tokens.items() for scope, token in held.items()]
    for route in ASKED:
        for holder, scope, token in asked:
            wanted = expected(route, scope, holder)
            if route.method == WEBSOCKET and wanted != "in":
                wanted = "no"
            found = await ask(office, route, token)
            if found != wanted:
                wrong.append(f"{name_of(route)} with {scope} of {holder or 'an app'}: {found}, not {wanted}")
    assert not wrong, "\n".join(wrong[:40])


@pytest.mark.anyio
async def test_every_route_without_a_token_and_with_a_wrong_one(office: Office) -> None:
    for route in ASKED:
        nobody, wrong = expected(route, None, None), "in" if route.scope is None else "token"
        if route.method == WEBSOCKET:
            nobody, wrong = "no", "no"
        assert await ask(office, route, None) == nobody, name_of(route)
        assert await ask(office, route, "nothing") == wrong, name_of(route)


# -- declarations ----------------------------------------------------------------------------------------------------


def test_a_route_that_looks_at_no_token_is_named_here() -> None:
    rooms = {name_of(route) for room in ROOMS for route in room if route.scope is None}
    unasked = {name_of(route) for route in ROUTES if route.scope is None}
    assert unasked - rooms == set(OPEN)


def test_every_scope_that_a_route_names_can_be_asked_for() -> None:
    named = {scope for route in ROUTES for scope in (route.scope or "").split()}
    assert named <= SCOPES


def test_what_administrators_do_has_a_scope_and_a_role() -> None:
    for route in ROUTES:
        if "/admin/" in route.path:
            assert route.role in ROLES[1:], name_of(route)
            assert all(scope.startswith("admin:") for scope in (route.scope or "none").split()), name_of(route)
            assert (route.anonymous, route.app) == (False, False), name_of(route)
    with pytest.raises(ValueError, match="go together"):
        Route("GET", "/x", openapi.show, "admin:read:accounts")
    with pytest.raises(ValueError, match="go together"):
        Route("GET", "/x", openapi.show, "read", role="admin")


# -- Mastodon's documentation ----------------------------------------------------------------------------------------

DOCUMENTED = Path(__file__).parent / "documented_endpoints.txt"
_API = Path(__file__).parents[2] / "docs" / "api.md"
_NOT_PUBLIC = "who works here, and whom they know, is shown to who is signed in"
OTHERWISE = {
    "GET /api/v1/accounts/{}/followers": _NOT_PUBLIC,
    "GET /api/v1/accounts/{}/following": _NOT_PUBLIC,
    "GET /api/v1/accounts/{}/endorsements": _NOT_PUBLIC,
    "GET /api/v1/directory": _NOT_PUBLIC,
    "GET /api/v1/accounts/lookup": "without a token too, like the accounts it finds",
    "GET /api/v1/accounts/{}/identity_proofs": "likewise",
    "POST /api/v1/statuses/{}/translate": "the company's service translates for people",
    "GET /api/v1/statuses/{}/reblogged_by": "a list of accounts: read:accounts, as Mastodon's own code has it",
    "GET /api/v1/statuses/{}/favourited_by": "likewise",
    "GET /api/v1/statuses/{}/source": "an app alone sees no post that has a source for it",
    "GET /api/v2/notifications/{}/accounts": "reading asks for read:notifications, as Mastodon's own code has it",
    "GET /oauth/userinfo": "read:accounts holds more than profile",
    "GET /api/v1/streaming/user": "the stream of statuses",
    "GET /api/v1/streaming/user/notification": "the stream of notifications",
    "GET /api/v1/streaming/list": "read:lists reads the list's timeline, so it hears it too",
    "WS /api/v1/streaming": "likewise",
}
"""Where we ask for something else than the documentation says, and why."""


def documented() -> Iterator[tuple[str, str, str, set[str], str]]:
    """(method, path, public | app | user, scopes, flags) of every endpoint."""
    for line in DOCUMENTED.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            method, path, who, scopes, flags = line.split()
            yield method, path, who, set(scopes.split(",")) - {"-", "follow"}, flags


def plain(method: str, path: str) -> str:
    """A request whatever its variables are called; PUT and PATCH stand in for each other."""
    return f"{'PATCH' if method == 'PUT' else method} {re.sub(r'{.*?}', '{}', path)}"


_OURS = {plain(route.method, route.path): route for route in ROUTES}


def test_scopes_are_those_of_the_documentation() -> None:
    different = set()
    for method, path, who, scopes, _ in documented():
        route = _OURS.get(plain(method, path))
        if route is None:
            continue
        ours = "public" if route.scope is None or route.anonymous else "app" if route.app else "user"
        held = set((route.scope or "").split())
        # A token that comes along where none is needed is looked at all the same, as Mastodon does.
        same = held == scopes or (who == "public" and not scopes)
        if not (same and ours == who):
            different.add(plain(method, path))
    assert different == set(OTHERWISE)


def not_offered() -> set[str]:
    """What docs/api.md says is not offered, by method and path."""
    section = _API.read_text(encoding="utf-8").split("## What is not offered\n")[1].split("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ")][1:]
    named = set()
    for row in rows:
        what, reason = row.strip("| ").split(" | ")
        assert reason.strip(), row
        named |= {plain(*request.split(" ")) for request in re.findall(r"`([A-Z]+ /[^`]+)`", what)}
    return named


def test_every_documented_endpoint_works_or_is_said_not_to_be_offered() -> None:
    wanted = {plain(method, path) for method, path, _, _, flags in documented() if "removed" not in flags}
    listed = not_offered()
    assert sorted(wanted - set(_OURS) - listed) == [], "neither in the table of routes nor said not to be offered"
    assert sorted(listed & set(_OURS)) == [], "said not to be offered, and there all the same"
    assert sorted(listed - wanted) == [], "said not to be offered, and nobody's documentation knows it"
