"""Bad input over every route of the client API: a clear refusal in JSON, never a fault, and nothing is stored."""

import json
import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcorp.company import peers
from fedcorp.social import accounts
from fedcorp.storage.tables import metadata
from fedcorp.web.route import WEBSOCKET, Route
from fedcorp.web.routes import API_ROUTES, ROUTES
from tests.databases import examples
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio

_VARIABLE = re.compile(r"\{(\w+)\}")
LONG = "x" * 20_000
NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 2**63 - 1, 2**63, 2**70, 1.5, 1e300, "", " ", LONG, "\x00", "a\x00b", "\u202e", "\ud83d",
    "💥" * 300, "<script>", "%00", "%", "_", "'", '"', "\\", "../../etc/passwd", "javascript:alert(1)", "@", "#",
    "@a@b@c", "https://", "http://[", "2026-13-45", "null", "NaN", "Infinity", "-0", "\uff11\uff12", "1" * 400,
    "en" * 3000, [], [[]], [None], ["1", 2, {}], [LONG], [{"id": LONG}], ["a"] * 2000, {}, {"0": "x"},
    {"a": {"b": {"c": []}}},
)  # fmt: skip
_PAGE = "limit max_id min_id since_id"
_POST = (
    "status spoiler_text sensitive language media_ids poll poll.options poll.expires_in poll.multiple poll.hide_totals"
)
_FIELDS = "fields_attributes fields_attributes.0.name fields_attributes.0.value"
_SOURCE = "source source.privacy source.reach source.sensitive source.language source.quote_policy"
_FILTER = (
    "title context filter_action expires_in keywords_attributes keywords_attributes.0.keyword "
    "keywords_attributes.0.whole_word keywords_attributes.0.id keywords_attributes.0._destroy"
)
_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"  # of RFC 8291
_SUBSCRIPTION = "subscription subscription.endpoint subscription.keys subscription.keys.p256dh subscription.keys.auth"
_SUBSCRIPTION += " subscription.standard"
_PUSHED = "data data.policy data.alerts data.alerts.mention data.alerts.admin data.alerts.admin.report policy"
_PRESENTATION = (
    "avatar_description header_description show_media show_media_replies show_featured attribution_domains "
    "attribution_domains.0"
)
_COLLECTION = "name description language tag_name sensitive discoverable reach"
PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "POST /api/v1/apps": ({"client_name": "x", "redirect_uris": "app://x"}, "client_name redirect_uris scopes website"),
    "PATCH /api/v1/accounts/update_credentials": (
        {},
        f"display_name note locked bot discoverable indexable hide_collections avatar header {_FIELDS} {_SOURCE}",
    ),
    "PATCH /api/v1/profile": ({}, f"display_name note avatar header {_PRESENTATION} {_FIELDS}"),
    "GET /api/v1/accounts": ({}, "id"),
    "GET /api/v1/accounts/lookup": ({}, "acct"),
    "GET /api/v1/accounts/search": ({"q": "x"}, "q limit offset resolve following"),
    "GET /api/v1/accounts/relationships": ({}, "id"),
    "GET /api/v1/accounts/familiar_followers": ({}, "id"),
    "GET /api/v1/accounts/{id}/statuses": (
        {},
        f"{_PAGE} tagged exclude_replies exclude_reblogs only_media pinned",
    ),
    "GET /api/v1/accounts/{id}/followers": ({}, _PAGE),
    "POST /api/v1/accounts/{id}/follow": ({}, "reblogs notify languages"),
    "POST /api/v1/accounts/{id}/mute": ({}, "notifications duration"),
    "POST /api/v1/accounts/{id}/note": ({}, "comment"),
    "GET /api/v1/follow_requests": ({}, _PAGE),
    "GET /api/v1/mutes": ({}, _PAGE),
    "GET /api/v1/endorsements": ({}, _PAGE),
    "GET /api/v1/accounts/{id}/endorsements": ({}, _PAGE),
    "GET /api/v1/domain_blocks": ({}, _PAGE),
    "POST /api/v1/domain_blocks": ({}, "domain"),
    "DELETE /api/v1/domain_blocks": ({}, "domain"),
    "GET /api/v1/accounts/{id}/collections": ({}, "limit offset"),
    "GET /api/v1/accounts/{id}/in_collections": ({}, "limit offset"),
    "POST /api/v1/collections": ({"name": "x"}, f"{_COLLECTION} account_ids"),
    "PATCH /api/v1/collections/{id}": ({}, _COLLECTION),
    "POST /api/v1/collections/{id}/items": ({}, "account_id"),
    "GET /api/v1/directory": ({}, "limit offset order local"),
    "GET /api/v2/suggestions": ({}, "limit"),
    "POST /api/v1/statuses": (
        {"status": "x"},
        f"{_POST} visibility reach local_only in_reply_to_id scheduled_at quoted_status_id quote_approval_policy",
    ),
    "PUT /api/v1/statuses/{id}": (
        {"status": "x"},
        f"{_POST} media_attributes media_attributes.0.description quote_approval_policy",
    ),
    "PUT /api/v1/statuses/{id}/interaction_policy": ({}, "quote_approval_policy"),
    "GET /api/v1/statuses/{id}/quotes": ({}, _PAGE),
    "DELETE /api/v1/statuses/{id}": ({}, "delete_media"),
    "GET /api/v1/statuses": ({}, "id"),
    "GET /api/v1/statuses/{id}/favourited_by": ({}, _PAGE),
    "GET /api/v1/statuses/{id}/reactions": ({}, f"{_PAGE} emoji"),
    "POST /api/v1/statuses/{id}/reblog": ({}, "visibility"),
    "POST /api/v2/media": ({}, "file description focus thumbnail"),
    "PUT /api/v1/media/{id}": ({}, "description focus thumbnail"),
    "POST /api/v1/polls/{id}/votes": ({}, "choices"),
    "GET /api/v1/timelines/home": ({}, _PAGE),
    "GET /api/v1/timelines/public": ({}, f"{_PAGE} local remote only_media"),
    "GET /api/v1/timelines/tag/{hashtag}": ({}, f"{_PAGE} local remote only_media any all none"),
    "GET /api/v1/timelines/list/{id}": ({}, _PAGE),
    "GET /api/v1/timelines/direct": ({}, _PAGE),
    "GET /api/v1/favourites": ({}, _PAGE),
    "GET /api/v1/conversations": ({}, _PAGE),
    "GET /api/v1/markers": ({}, "timeline"),
    "POST /api/v1/markers": ({}, "home home.last_read_id notifications.last_read_id"),
    "POST /api/v1/lists": ({"title": "x"}, "title replies_policy exclusive"),
    "PUT /api/v1/lists/{id}": ({}, "title replies_policy exclusive"),
    "GET /api/v1/lists/{id}/accounts": ({}, _PAGE),
    "POST /api/v1/lists/{id}/accounts": ({}, "account_ids"),
    "DELETE /api/v1/lists/{id}/accounts": ({}, "account_ids"),
    "GET /api/v1/scheduled_statuses": ({}, _PAGE),
    "PUT /api/v1/scheduled_statuses/{id}": ({}, "scheduled_at"),
    "POST /api/v2/filters": ({"title": "x", "context": ["home"]}, _FILTER),
    "PUT /api/v2/filters/{id}": ({}, _FILTER),
    "POST /api/v2/filters/{id}/keywords": ({"keyword": "x"}, "keyword whole_word"),
    "POST /api/v2/filters/{id}/statuses": ({}, "status_id"),
    "POST /api/v1/filters": (
        {"phrase": "x", "context": ["home"]},
        "phrase context irreversible whole_word expires_in",
    ),
    "GET /api/v1/notifications": ({}, f"{_PAGE} types exclude_types account_id include_filtered"),
    "GET /api/v1/notifications/requests": ({}, _PAGE),
    "POST /api/v1/notifications/requests/accept": ({}, "id"),
    "POST /api/v1/notifications/requests/dismiss": ({}, "id"),
    "PATCH /api/v2/notifications/policy": (
        {"for_not_followers": "filter"},
        "for_not_following for_not_followers for_new_accounts for_private_mentions",
    ),
    "PATCH /api/v1/notifications/policy": (
        {},
        "filter_not_following filter_not_followers filter_new_accounts filter_private_mentions",
    ),
    "POST /api/v1/push/subscription": (
        {"subscription": {"endpoint": "https://push.example.com/x", "keys": {"p256dh": _POINT, "auth": "A" * 22}}},
        f"{_SUBSCRIPTION} {_PUSHED}",
    ),
    "PUT /api/v1/push/subscription": ({}, _PUSHED),
    "GET /api/v1/notifications/unread_count": ({}, "limit types exclude_types"),
    "GET /api/v2/notifications": ({}, f"{_PAGE} types exclude_types account_id grouped_types"),
    "GET /api/v2/notifications/unread_count": ({}, "limit types exclude_types"),
    "POST /api/v1/reports": ({}, "account_id status_ids comment category rule_ids forward"),
    "GET /api/v1/admin/reports": ({}, f"{_PAGE} resolved account_id target_account_id"),
    "PUT /api/v1/admin/reports/{id}": ({}, "category rule_ids"),
    "GET /api/v1/admin/accounts": (
        {},
        f"{_PAGE} local remote active disabled suspended staff username display_name by_domain email",
    ),
    "GET /api/v2/admin/accounts": ({}, f"{_PAGE} origin status permissions username display_name by_domain email"),
    "POST /api/v1/admin/accounts/{id}/action": ({"type": "suspend"}, "type text report_id"),
    "POST /api/v1/admin/measures": (
        {
            "keys": ["active_users", "tag_uses", "instance_media_attachments"],
            "tag_uses": {"id": "x"},
            "instance_media_attachments": {"domain": "x.example"},
        },
        "keys start_at end_at tag_uses tag_uses.id instance_media_attachments.domain",
    ),
    "POST /api/v1/admin/dimensions": (
        {"keys": ["languages", "tag_servers"], "tag_servers": {"id": "x"}},
        "keys start_at end_at limit tag_servers tag_servers.id",
    ),
    "POST /api/v1/admin/retention": (
        {"start_at": "2026-11-01", "end_at": "2026-11-02", "frequency": "day"},
        "start_at end_at frequency",
    ),
    "GET /api/v1/admin/trends/tags": ({}, "limit offset"),
    "GET /api/v1/admin/trends/statuses": ({}, "limit offset"),
    "GET /api/v1/admin/trends/links": ({}, "limit offset"),
    "GET /api/v1/admin/domain_allows": ({}, _PAGE),
    "POST /api/v1/admin/domain_allows": ({"domain": "x.example"}, "domain tier"),
    "GET /api/v1/admin/domain_blocks": ({}, _PAGE),
    "POST /api/v1/admin/domain_blocks": (
        {"domain": "x.example"},
        "domain severity private_comment public_comment obfuscate",
    ),
    "PUT /api/v1/admin/domain_blocks/{id}": ({}, "severity private_comment public_comment obfuscate"),
    "GET /api/v2/search": ({"q": "x"}, "q type limit offset resolve following account_id max_id min_id"),
    "GET /api/v1/followed_tags": ({}, _PAGE),
    "POST /api/v1/featured_tags": ({"name": "x"}, "name"),
    "GET /api/v1/announcements": ({}, "with_dismissed"),
    "GET /api/v1/trends/tags": ({}, "limit offset"),
    "GET /api/v1/trends/statuses": ({}, "limit offset"),
    "GET /api/v1/trends/links": ({}, "limit offset"),
    "POST /api/v1/statuses/{id}/translate": ({}, "lang"),
    "GET /api/oembed": ({"url": "http://finance.localhost/@ann/1"}, "url maxwidth maxheight"),
}
"""What each route reads: what must be there, and everything that may be. What is ours says it itself, below."""
_NEEDED = {
    "POST /api/fedcorp/v1/groups": {"name": "x", "title": "x"},
    "POST /api/fedcorp/v1/groups/{id}/invites": {"acct": "ben"},
    "POST /api/fedcorp/v1/groups/{id}/bans": {"acct": "ben"},
    "POST /api/fedcorp/v1/warnings/{id}/appeal": {"text": "x"},
}
for _route in API_ROUTES:
    if _route.takes:
        _name = f"{_route.method} {_route.path}"
        PARAMETERS[_name] = (_NEEDED.get(_name, {}), " ".join(param.name for param in _route.takes))


_IDS = ("id", "account", "status", "report", "quoting", "item")


def filled(route: Route, value: str) -> str:
    """The path of a route with `value` for its id, and a name where it takes one."""
    return _VARIABLE.sub(lambda match: value if match[1] in _IDS else "word", route.path)


def id_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def with_variable(*wanted: str) -> list[Route]:
    return [route for route in API_ROUTES if set(_VARIABLE.findall(route.path)) & set(wanted)]


_COUNTED = [
    table for table in metadata.sorted_tables if table.name not in {"audit", "leases", "nodes", "peers", "markers"}
]
_COUNTS = sa.select(*(sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in _COUNTED))


async def counts(office: Office) -> dict[str, int]:
    """How many rows each table has that a client could fill."""
    row = await office.db.read(lambda tx: tx.conn.execute(_COUNTS).one())
    return dict(zip((table.name for table in _COUNTED), row, strict=True))


_TEXTS = [column for table in metadata.sorted_tables for column in table.c if isinstance(column.type, sa.Text)]
_LENGTHS = sa.select(*(sa.select(sa.func.max(sa.func.length(text))).scalar_subquery() for text in _TEXTS))


async def longest(office: Office) -> int:
    """The most characters of any text in the database."""
    row = await office.db.read(lambda tx: tx.conn.execute(_LENGTHS).one())
    return max(length or 0 for length in row)


def check(response: httpx.Response, *statuses: int) -> None:
    """A refusal that a client can read."""
    assert response.status_code in statuses, (response.request.method, str(response.request.url), response.text)
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["content-type"].startswith("application/json")
    assert isinstance(response.json()["error"], str)


@pytest.mark.once
@pytest.mark.parametrize("route", [route for route in API_ROUTES if route.scope is not None], ids=id_of)
async def test_the_token_decides(office: Office, route: Route) -> None:
    path = filled(route, "1") + "?acct=x&q=x"
    nobody = await office.anybody.http.request(route.method, path)
    wrong = await office.anybody.http.request(route.method, path, headers={"Authorization": "Bearer nothing"})
    check(wrong, 401)
    if not route.anonymous:
        check(nobody, 401)
    stranger = await office.app(await office.person("eve"), "admin:write:ip_blocks")  # a scope that no route here takes
    answer = await stranger.http.request(route.method, path)
    if route.scope:
        check(answer, 403)
    else:
        assert answer.status_code < 500


_TAKES_ANY_ID = {"DELETE /api/v1/suggestions/{id}"}  # says of nobody whether there is such an account


@pytest.mark.parametrize("route", [item for item in with_variable("id") if id_of(item) not in _TAKES_ANY_ID], ids=id_of)
async def test_an_id_that_is_none_is_not_found(office: Office, ann: Person, route: Route) -> None:
    ann = await _entitled(office, ann, route)
    before = await counts(office)
    for value in ("0", "abc", "-1", "1.5", "9" * 18, "9" * 30, "%00", "\uff11", "1%2F2"):
        response = await ann.http.request(route.method, filled(route, value))
        check(response, 404)
    assert await counts(office) == before


_OF_OTHERS = ("statuses", "polls", "media", "lists", "list", "notifications")


def chapter(route: Route) -> str | None:
    """Which of these things the id of a route names."""
    return next((part for part in route.path.split("/")[3:] if part in _OF_OTHERS), None)


@pytest.mark.parametrize("route", [route for route in with_variable("id") if chapter(route)], ids=id_of)
async def test_what_belongs_to_others_is_not_found(office: Office, ann: Person, ben: Person, route: Route) -> None:
    made = {
        "statuses": (await ben.publish("for me", visibility="direct"))["id"],
        "polls": (await ben.publish("?", visibility="direct", poll={"options": ["a", "b"], "expires_in": 600}))["poll"][
            "id"
        ],
        "media": (await ben.upload())["id"],
        "lists": (await ben.post("/api/v1/lists", title="mine"))["id"],
        "list": (await ben.post("/api/v1/lists", title="also mine"))["id"],
    }
    await ann.follow(ben)
    made["notifications"] = (await ben.get("/api/v1/notifications"))[0]["id"]
    before = await counts(office)
    path = filled(route, made[chapter(route) or ""])
    check(await ann.http.request(route.method, path, json={"choices": [0], "status": "x"}), 404)
    if route.anonymous:
        check(await office.anybody.http.request(route.method, path), 404)
    assert await counts(office) == before


_BY_NAME = {id_of(route): route for route in API_ROUTES}


@pytest.mark.parametrize("name", PARAMETERS)
async def test_every_parameter_takes_or_refuses_whatever_comes(
    office: Office, ann: Person, ben: Person, name: str
) -> None:
    route, (needed, names) = _BY_NAME[name], PARAMETERS[name]
    path = filled(route, await _own(office, ann, ben, route))
    ann = await _entitled(office, ann, route)
    before = await counts(office)
    for parameter in names.split():
        for value in NASTY:
            sent = {**needed, **_nested(parameter, value)}
            try:
                response = await _send(ann, route, path, sent)
            except (UnicodeEncodeError, httpx.InvalidURL):
                continue  # cannot be written as a request at all
            if not response.is_success:
                check(response, *range(400, 500))
            if route.method == "GET":
                continue
            if response.is_success:  # what is too long was refused or cut
                assert await longest(office) < 6000, (name, parameter, value)
                before = await counts(office)
            else:
                assert await counts(office) == before, (name, parameter, value)
    if route.method == "GET":
        assert await counts(office) == before, name


async def _entitled(office: Office, ann: Person, route: Route) -> Person:
    """Who may use this route at all."""
    return await office.staff("mo", "admin") if "/admin/" in route.path else ann


async def _send(ann: Person, route: Route, path: str, values: dict[str, Any]) -> httpx.Response:
    if route.method == "GET":
        return await ann.http.request(route.method, path, params=_query(values))
    return await ann.http.request(route.method, path, content=json.dumps(values).encode(), headers=_JSON)


async def _own(office: Office, ann: Person, ben: Person, route: Route) -> str:
    """Something that the person may use this route on."""
    if route.path.startswith("/api/fedcorp/v1/groups"):
        return await office.group(ann, "club")
    match [*route.path.split("/"), ""][3]:
        case "admin" if "accounts" in route.path:
            return ben.id
        case "admin" if "domain_blocks" in route.path:
            return str((await office.db.write(peers.bar, "other.example", {}, by="ann")).id)
        case "admin" if "domain_allows" in route.path:
            return str((await office.db.write(peers.add, "other.example", "partner")).id)
        case "admin":
            return str((await ann.post("/api/v1/reports", account_id=ben.id))["id"])
        case "collections":
            known = (await ann.get(f"/api/v1/accounts/{ann.id}/collections"))["collections"]  # of an earlier example
            return str((known or [(await ann.post("/api/v1/collections", name="mine"))["collection"]])[0]["id"])
        case "filters":
            return str((await ann.post("/api/v2/filters", title="mine", context=["home"]))["id"])
        case "statuses":
            return str((await ann.publish("here"))["id"])
        case "polls":
            return str((await ben.publish("?", poll={"options": ["a", "b"], "expires_in": 600}))["poll"]["id"])
        case "media":
            return str((await ann.upload())["id"])
        case "lists" | "timelines":
            return str((await ann.post("/api/v1/lists", title="mine"))["id"])
    return ben.id


def _nested(name: str, value: Any) -> dict[str, Any]:
    """`a.0.b` as {"a": [{"b": value}]}."""
    head, dot, rest = name.partition(".")
    if not dot:
        return {head: value}
    if rest.startswith("0."):
        return {head: [_nested(rest.removeprefix("0."), value)]}
    return {head: _nested(rest, value)}


def _query(values: dict[str, Any]) -> dict[str, Any]:
    """The same as a query writes it: `a[]=1&a[]=2`, `a[b]=1`."""
    pairs: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, list):
            pairs[f"{name}[]"] = [str(item) for item in value]
        elif isinstance(value, dict):
            pairs |= {f"{name}[{key}]": str(item) for key, item in value.items()}
        else:
            pairs[name] = value if isinstance(value, str) else str(value)
    return pairs


_TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_WRITING = [name for name in PARAMETERS if not name.startswith("GET")]


@pytest.mark.parametrize("name", _WRITING)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(25), deadline=None)
@given(trees=st.dictionaries(st.integers(0, 15), _TREES, max_size=5))
async def test_any_tree_of_json_is_taken_or_refused(
    office: Office, ann: Person, ben: Person, name: str, trees: dict[int, Any]
) -> None:
    route, (needed, names) = _BY_NAME[name], PARAMETERS[name]
    heads = sorted({part.split(".")[0] for part in names.split()})
    drawn = {heads[number % len(heads)]: tree for number, tree in trees.items()}
    club = await office.db.read(accounts.find_local, "club")  # of an earlier example
    own = str(club.id) if club is not None else await _own(office, ann, ben, route)
    at = own if "/groups/" in route.path or "/v1/collections/" in route.path else ben.id
    response = await _send(ann, route, filled(route, at), {**needed, **drawn})
    if not response.is_success:
        check(response, *range(400, 500))


_JSON = {"Content-Type": "application/json"}
OTHER_ROUTES = [route for route in ROUTES if route not in API_ROUTES and route.method != WEBSOCKET]


@pytest.mark.parametrize("route", OTHER_ROUTES, ids=id_of)
async def test_other_doors_hold_too(office: Office, route: Route) -> None:
    before = await counts(office)
    names = ("resource", "client_id", "redirect_uri", "response_type", "token", "stream", "tag", "list", "exp", "sig")
    for value in NASTY:
        text = str(value)[:2000]
        if "\ud83d" in text:
            continue  # cannot be written as a request at all
        path = _VARIABLE.sub(quote(text, safe="") or "%20", route.path)
        response = await office.anybody.http.request(route.method, path, params=dict.fromkeys(names, text))
        assert response.status_code < 500, (id_of(route), value, response.text)
        assert response.headers["access-control-allow-origin"] == "*"
    if route.method == "POST":
        for body, kind in ((b"{", "application/json"), (b"\xff=%", ""), (b"--x", "multipart/form-data; boundary=x")):
            response = await office.anybody.http.request(
                "POST", route.path, content=body, headers={"Content-Type": kind}
            )
            assert 400 <= response.status_code < 500, (id_of(route), body, response.text)
    assert await counts(office) == before


WITHOUT_BODY = (
    "/api/v1/notifications/clear",
    *(f"/api/v1/tags/{{name}}/{verb}" for verb in ("follow", "unfollow", "feature", "unfeature")),
)
WITH_BODY = [
    route for route in API_ROUTES if route.method in ("POST", "PUT", "PATCH") and route.path not in WITHOUT_BODY
]


@pytest.mark.once
@pytest.mark.parametrize("route", WITH_BODY, ids=id_of)
async def test_a_body_that_is_none_is_refused(office: Office, ann: Person, route: Route) -> None:
    path, ann = filled(route, ann.id), await _entitled(office, ann, route)
    before = await counts(office)
    for body in (b"{", b"[1]", b'"x"', b"\xff\xfe", b'{"a":' * 200 + b"1" + b"}" * 200):
        check(await ann.http.request(route.method, path, content=body, headers=_JSON), 400, 404, 422)
    large = await ann.http.request(route.method, path, content=b"x" * (18 * 1024 * 1024), headers=_JSON)
    check(large, 413, 400, 404)
    strange = await ann.http.request(route.method, path, content=b"<a/>", headers={"Content-Type": "application/xml"})
    check(strange, 415, 400, 404, 422)
    assert await counts(office) == before
