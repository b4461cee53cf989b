"""Lists: one's own, and one for every group that one belongs to."""

from typing import Any

from starlette.responses import Response

from fedcorp.social import lists
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import accounts as entities
from fedcorp.web.entities.lists import list_
from fedcorp.web.pagination import links, page_of

POLICIES = ("followed", "list", "none")
EVERYBODY = 5000


async def list_lists(call: Call) -> Response:
    """GET /api/v1/lists"""
    rows = await call.read(lambda tx, viewer: lists.lists_of(tx, viewer.id))
    return json([list_(row) for row in rows])


async def show(call: Call) -> Response:
    """GET /api/v1/lists/{id}"""
    id_ = call.id()
    return json(list_(await call.read(lambda tx, viewer: lists.get(tx, viewer.id, id_))))


async def create(call: Call) -> Response:
    """POST /api/v1/lists"""
    params = await call.params()
    values: dict[str, Any] = {
        "title": params.text("title") or "",
        "replies_policy": params.choice("replies_policy", POLICIES) or "list",
        "exclusive": params.flag("exclusive"),
    }
    return json(list_(await call.write(lambda tx, viewer: lists.create(tx, viewer.id, **values))))


async def update(call: Call) -> Response:
    """PUT /api/v1/lists/{id}"""
    params, id_ = await call.params(), call.id()
    values: dict[str, Any] = {
        "title": params.text("title"),
        "replies_policy": params.choice("replies_policy", POLICIES),
        "exclusive": params.boolean("exclusive"),
    }
    return json(list_(await call.write(lambda tx, viewer: lists.update(tx, viewer.id, id_, **values))))


async def delete(call: Call) -> Response:
    """DELETE /api/v1/lists/{id}"""
    id_ = call.id()
    await call.write(lambda tx, viewer: lists.delete(tx, viewer.id, id_))
    return json({})


async def list_accounts(call: Call) -> Response:
    """GET /api/v1/lists/{id}/accounts; `limit=0` means everybody"""
    params, id_ = call.query, call.id()
    everybody = params.text("limit") == "0"
    page = Page(limit=EVERYBODY) if everybody else page_of(params, default=40, most=80)
    ids, body = await call.read(_members, id_, page)
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit))


def _members(tx: Tx, viewer: Viewer, list_id: int, page: Page) -> tuple[list[int], list[dict[str, Any]]]:
    ids = lists.members(tx, viewer.id, list_id, page)
    return ids, entities.many(tx, ids)


async def add_accounts(call: Call) -> Response:
    """POST /api/v1/lists/{id}/accounts"""
    ids, id_ = (await call.params()).ids("account_ids"), call.id()
    await call.write(lambda tx, viewer: lists.add(tx, viewer.id, id_, ids))
    return json({})


async def remove_accounts(call: Call) -> Response:
    """DELETE /api/v1/lists/{id}/accounts"""
    ids, id_ = (await call.params()).ids("account_ids"), call.id()
    await call.write(lambda tx, viewer: lists.remove(tx, viewer.id, id_, ids))
    return json({})
