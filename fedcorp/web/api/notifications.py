"""Notifications one by one (v1) and in groups (v2), the policy that keeps some back, and the requests they become."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.responses import Response

from fedcorp.errors import NotFound
from fedcorp.social import notification_policy, notifications
from fedcorp.social.notification_policy import OLD_SORTS, SORTS, WORDS
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import accounts
from fedcorp.web.entities import notifications as entities
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.pagination import links, page_of
from fedcorp.web.params import Params


def _which(params: Params) -> dict[str, Any]:
    return {"types": tuple(params.texts("types")), "exclude_types": tuple(params.texts("exclude_types"))}


def _of(params: Params) -> dict[str, Any]:
    return {"from_account": params.id("account_id"), "include_filtered": params.flag("include_filtered")}


async def listing(call: Call) -> Response:
    """GET /api/v1/notifications"""
    params = call.query
    page = page_of(params, default=40, most=80)
    which = _which(params) | _of(params)
    ids, body = await call.read(_listing, call.context.rendered, page, which)
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit))


def _listing(
    tx: Tx, viewer: Viewer, cache: Rendered, page: Page, which: dict[str, Any]
) -> tuple[list[int], list[dict[str, Any]]]:
    rows = notifications.listing(tx, viewer.id, page, **which)
    return [row.seq for row in rows], entities.many(tx, cache, viewer.id, rows)


async def show(call: Call) -> Response:
    """GET /api/v1/notifications/{id}"""
    return json(await call.read(_show, call.context.rendered, call.id()))


def _show(tx: Tx, viewer: Viewer, cache: Rendered, id_: int) -> dict[str, Any]:
    row = notifications.find(tx, viewer.id, id_)
    found = entities.many(tx, cache, viewer.id, [row]) if row else []
    if not found:
        raise NotFound
    return found[0]


async def dismiss(call: Call) -> Response:
    """POST /api/v1/notifications/{id}/dismiss"""
    id_ = call.id()
    await call.write(lambda tx, viewer: notifications.dismiss(tx, viewer.id, id_))
    return json({})


async def clear(call: Call) -> Response:
    """POST /api/v1/notifications/clear"""
    await call.write(lambda tx, viewer: notifications.clear(tx, viewer.id))
    return json({})


async def unread_count(call: Call) -> Response:
    """GET /api/v1/notifications/unread_count"""
    return await _count(call, grouped=False)


async def unread_group_count(call: Call) -> Response:
    """GET /api/v2/notifications/unread_count"""
    return await _count(call, grouped=True)


async def _count(call: Call, *, grouped: bool) -> Response:
    params = call.query
    limit, which = params.integer("limit", least=1, most=1000) or 100, _which(params)
    count = await call.read(
        lambda tx, viewer: notifications.unread_count(tx, viewer.id, limit, grouped=grouped, **which)
    )
    return json({"count": count})


# -- in groups -------------------------------------------------------------------------------------------------------


async def grouped(call: Call) -> Response:
    """GET /api/v2/notifications"""
    params = call.query
    page = page_of(params, default=40, most=80)
    which = _which(params) | _of(params)
    if "grouped_types" in params:
        which["grouped_types"] = tuple(params.texts("grouped_types"))
    ids, body = await call.read(_grouped, call.context.rendered, page, which)
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit))


def _grouped(
    tx: Tx, viewer: Viewer, cache: Rendered, page: Page, which: dict[str, Any]
) -> tuple[list[int], dict[str, Any]]:
    groups = notifications.grouped(tx, viewer.id, page, **which)
    return [group.most_recent for group in groups], entities.grouped(tx, cache, viewer.id, groups)


async def show_group(call: Call) -> Response:
    """GET /api/v2/notifications/{group_key}"""
    return json(await call.read(_show_group, call.context.rendered, call.path_params["group_key"]))


def _show_group(tx: Tx, viewer: Viewer, cache: Rendered, key: str) -> dict[str, Any]:
    return entities.grouped(tx, cache, viewer.id, [notifications.get_group(tx, viewer.id, key)])


async def group_accounts(call: Call) -> Response:
    """GET /api/v2/notifications/{group_key}/accounts"""
    key = call.path_params["group_key"]
    return json(await call.read(lambda tx, viewer: accounts.many(tx, notifications.group_accounts(tx, viewer.id, key))))


async def dismiss_group(call: Call) -> Response:
    """POST /api/v2/notifications/{group_key}/dismiss"""
    key = call.path_params["group_key"]
    await call.write(lambda tx, viewer: notifications.dismiss_group(tx, viewer.id, key))
    return json({})


# -- policy ----------------------------------------------------------------------------------------------------------

_COUNTED = Page(100)  # requests that a policy tells of


def _policy(tx: Tx, viewer: Viewer) -> dict[str, Any]:
    return entities.policy(notification_policy.get(tx, viewer.id), notifications.requests(tx, viewer.id, _COUNTED))


def _policy_v1(tx: Tx, viewer: Viewer) -> dict[str, Any]:
    return entities.policy_v1(notification_policy.get(tx, viewer.id), notifications.requests(tx, viewer.id, _COUNTED))


async def policy(call: Call) -> Response:
    """GET /api/v2/notifications/policy"""
    return json(await call.read(_policy))


async def policy_v1(call: Call) -> Response:
    """GET /api/v1/notifications/policy"""
    return json(await call.read(_policy_v1))


async def update_policy(call: Call) -> Response:
    """PATCH or PUT /api/v2/notifications/policy"""
    params = await call.params()
    words = {sort: params.choice(f"for_{sort}", WORDS) for sort in SORTS}
    changed = {sort: word for sort, word in words.items() if word is not None}
    return json(await call.write(_save, changed, _policy))


async def update_policy_v1(call: Call) -> Response:
    """PATCH or PUT /api/v1/notifications/policy"""
    params = await call.params()
    flags = {sort: params.boolean(f"filter_{sort}") for sort in OLD_SORTS}
    words = {sort: "filter" if flag else "accept" for sort, flag in flags.items() if flag is not None}
    return json(await call.write(_save, words, _policy_v1))


def _save(
    tx: Tx, viewer: Viewer, words: dict[str, str], shape: Callable[[Tx, Viewer], dict[str, Any]]
) -> dict[str, Any]:
    notification_policy.save(tx, viewer.id, words)
    return shape(tx, viewer)


# -- requests --------------------------------------------------------------------------------------------------------


async def requests(call: Call) -> Response:
    """GET /api/v1/notifications/requests"""
    page = page_of(call.query, default=40, most=80)
    ids, body = await call.read(_requests, call.context.rendered, page)
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit))


def _requests(tx: Tx, viewer: Viewer, cache: Rendered, page: Page) -> tuple[list[int], list[dict[str, Any]]]:
    rows = notifications.requests(tx, viewer.id, page)
    return [row.from_account_id for row in rows], entities.requests(tx, cache, viewer.id, rows)


async def requests_merged(call: Call) -> Response:
    """GET /api/v1/notifications/requests/merged: they are among the others as soon as they were accepted."""
    await call.viewer()
    return json({"merged": True})


async def show_request(call: Call) -> Response:
    """GET /api/v1/notifications/requests/{id}"""
    return json(await call.read(_show_request, call.context.rendered, call.id()))


def _show_request(tx: Tx, viewer: Viewer, cache: Rendered, id_: int) -> dict[str, Any]:
    (found,) = entities.requests(tx, cache, viewer.id, [notifications.get_request(tx, viewer.id, id_)])
    return found


async def accept_request(call: Call) -> Response:
    """POST /api/v1/notifications/requests/{id}/accept"""
    id_ = call.id()
    await call.write(lambda tx, viewer: notifications.accept_request(tx, viewer.id, id_))
    return json({})


async def dismiss_request(call: Call) -> Response:
    """POST /api/v1/notifications/requests/{id}/dismiss"""
    id_ = call.id()
    await call.write(lambda tx, viewer: notifications.dismiss_request(tx, viewer.id, id_))
    return json({})


async def accept_requests(call: Call) -> Response:
    """POST /api/v1/notifications/requests/accept: several at once"""
    params = await call.params()
    await call.write(_each, params.ids("id"), notifications.accept_request)
    return json({})


async def dismiss_requests(call: Call) -> Response:
    """POST /api/v1/notifications/requests/dismiss: several at once"""
    params = await call.params()
    await call.write(_each, params.ids("id"), notifications.dismiss_request)
    return json({})


def _each(tx: Tx, viewer: Viewer, ids: list[int], act: Callable[[Tx, int, int], None]) -> None:
    """Those that there are: another client may have been faster."""
    for id_ in dict.fromkeys(ids):
        with suppress(NotFound):
            act(tx, viewer.id, id_)
