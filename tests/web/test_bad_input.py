"""Bad input over every route of the client API: a clear refusal in JSON, never a fault, and nothing is stored."""

import re
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import metadata
from fedcorp.web.route import Route
from fedcorp.web.routes import API_ROUTES
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio

_VARIABLE = re.compile(r"\{(\w+)\}")
NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 2**70, 1e400, "", " ", "x" * 6000, "\x00", "\ud83d", "💥" * 300, "<script>", "%00",
    [], [[]], [None], ["1", 2, {}], {}, {"a": {"b": {"c": []}}}, "2026-13-45", "null", "NaN", "-0", "\uff11\uff12",
)  # fmt: skip
NAMES = (
    "status", "media_ids", "poll", "in_reply_to_id", "visibility", "reach", "language", "spoiler_text", "sensitive",
    "title", "replies_policy", "exclusive", "account_ids", "q", "type", "limit", "offset", "max_id", "min_id",
    "since_id", "id", "acct", "home", "notifications", "duration", "comment", "display_name", "note",
    "fields_attributes", "source", "choices", "description", "focus", "client_name", "redirect_uris", "scopes",
    "types", "exclude_types", "timeline", "any", "all", "local", "resolve", "languages", "reblogs", "notify",
)  # fmt: skip


def filled(route: Route, value: str) -> str:
    """The path of a route with `value` for its id, and a name where it takes one."""
    return _VARIABLE.sub(lambda match: value if match[1] == "id" else "word", route.path)


def id_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def with_variable(*wanted: str) -> list[Route]:
    return [route for route in API_ROUTES if set(_VARIABLE.findall(route.path)) & set(wanted)]


async def counts(office: Office) -> dict[str, int]:
    """How many rows each table has that a client could fill."""
    left_out = {"audit", "leases", "nodes", "peers", "markers"}

    def read(tx: Tx) -> dict[str, int]:
        tables = [table for table in metadata.sorted_tables if table.name not in left_out]
        return {
            table.name: tx.conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables
        }

    return await office.db.read(read)


def check(response: httpx.Response, *statuses: int) -> None:
    """A refusal that a client can read."""
    assert response.status_code in statuses, (response.request.method, str(response.request.url), response.text)
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["content-type"].startswith("application/json")
    assert isinstance(response.json()["error"], str)


@pytest.mark.parametrize("route", [route for route in API_ROUTES if route.scope is not None], ids=id_of)
async def test_the_token_decides(office: Office, route: Route) -> None:
    path = filled(route, "1") + "?acct=x&q=x"
    nobody = await office.anybody.http.request(route.method, path)
    wrong = await office.anybody.http.request(route.method, path, headers={"Authorization": "Bearer nothing"})
    check(wrong, 401)
    if not route.anonymous:
        check(nobody, 401)
    stranger = await office.app(await office.person("eve"), "write:reports")  # a scope that no route here takes
    answer = await stranger.http.request(route.method, path)
    if route.scope:
        check(answer, 403)
    else:
        assert answer.status_code < 500


@pytest.mark.parametrize("route", with_variable("id"), ids=id_of)
async def test_an_id_that_is_none_is_not_found(office: Office, ann: Person, route: Route) -> None:
    before = await counts(office)
    for value in ("0", "abc", "-1", "1.5", "9" * 18, "9" * 30, "%00", "\uff11", "1%2F2"):
        response = await ann.http.request(route.method, filled(route, value))
        check(response, 404)
    assert await counts(office) == before


@pytest.mark.parametrize("route", with_variable("id"), ids=id_of)
async def test_what_belongs_to_others_is_not_found_or_forbidden(
    office: Office, ann: Person, ben: Person, route: Route
) -> None:
    picture = await ben.upload()
    made = {
        "statuses": (await ben.publish("for me", visibility="direct"))["id"],
        "polls": (await ben.publish("?", visibility="direct", poll={"options": ["a", "b"], "expires_in": 600}))["poll"][
            "id"
        ],
        "media": picture["id"],
        "lists": (await ben.post("/api/v1/lists", title="mine"))["id"],
        "list": (await ben.post("/api/v1/lists", title="also mine"))["id"],
    }
    chapter = next((part for part in route.path.split("/") if part in made), None)
    if chapter is None:
        return
    before = await counts(office)
    response = await ann.http.request(route.method, filled(route, made[chapter]))
    check(response, 404, 403)
    assert await counts(office) == before


@pytest.mark.parametrize("route", API_ROUTES, ids=id_of)
async def test_nasty_values_never_break_anything(office: Office, ann: Person, route: Route) -> None:
    posted = await ann.publish("here")
    path = filled(route, posted["id"])
    if path.startswith("/api/v1/accounts/") and "{id}" in route.path:
        path = filled(route, ann.id)
    for value in NASTY:
        everything = dict.fromkeys(NAMES, value)
        sent: list[dict[str, Any]] = [{"params": _as_text(everything)}]
        if route.method != "GET":
            sent += [{"json": everything} if value != 1e400 else {"content": b'{"status": 1e999}', "headers": _JSON}]
            sent += [{"data": _as_text(everything)}]
        for options in sent:
            try:
                response = await ann.http.request(route.method, path, **options)
            except (ValueError, httpx.InvalidURL, UnicodeEncodeError):
                continue  # cannot be written as a request at all
            assert response.status_code < 500, (id_of(route), value, response.text)
            if not response.is_success:
                check(response, *range(400, 500))


_JSON = {"Content-Type": "application/json"}


def _as_text(values: dict[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else str(value) for name, value in values.items()}


WITHOUT_BODY = ("/api/v1/notifications/clear", "/api/v1/tags/{name}/follow", "/api/v1/tags/{name}/unfollow")
WITH_BODY = [
    route for route in API_ROUTES if route.method in ("POST", "PUT", "PATCH") and route.path not in WITHOUT_BODY
]


@pytest.mark.parametrize("route", WITH_BODY, ids=id_of)
async def test_a_body_that_is_none_is_refused(office: Office, ann: Person, route: Route) -> None:
    path = filled(route, ann.id)
    before = await counts(office)
    for body in (b"{", b"[1]", b'"x"', b"\xff\xfe", b'{"a":' * 200 + b"1" + b"}" * 200):
        check(await ann.http.request(route.method, path, content=body, headers=_JSON), 400, 404, 422)
    large = await ann.http.request(route.method, path, content=b"x" * (18 * 1024 * 1024), headers=_JSON)
    check(large, 413, 400, 404)
    strange = await ann.http.request(route.method, path, content=b"<a/>", headers={"Content-Type": "application/xml"})
    check(strange, 415, 400, 404, 422)
    assert await counts(office) == before
