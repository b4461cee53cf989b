"""Notifications one by one (v1) and in groups (v2). Nothing is filtered: there is one policy, and no requests."""

from typing import Any

from starlette.responses import Response

from fedcorp.errors import NotFound
from fedcorp.social import notifications
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


async def listing(call: Call) -> Response:
    """GET /api/v1/notifications"""
    params = call.query
    page = page_of(params, default=40, most=80)
    which = _which(params) | {"from_account": params.id("account_id")}
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
    which = _which(params) | {"from_account": params.id("account_id")}
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


# -- policy and requests ---------------------------------------------------------------------------------------------


async def policy(call: Call) -> Response:
    """GET /api/v2/notifications/policy"""
    await call.viewer()
    return json(entities.policy())


async def policy_v1(call: Call) -> Response:
    """GET /api/v1/notifications/policy"""
    await call.viewer()
    return json(entities.policy_v1())


async def requests(call: Call) -> Response:
    """GET /api/v1/notifications/requests"""
    await call.viewer()
    return json([])


async def requests_merged(call: Call) -> Response:
    """GET /api/v1/notifications/requests/merged: nothing is ever waiting to be merged."""
    await call.viewer()
    return json({"merged": True})


async def no_request(call: Call) -> Response:
    """One notification request, which cannot exist."""
    await call.viewer()
    raise NotFound
