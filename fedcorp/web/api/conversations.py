"""Conversations: direct messages by thread, marked as read or not, and removed."""

from typing import Any

from starlette.responses import Response

from fedcorp.social import conversations
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import conversations as entities
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.pagination import links, page_of


async def listing(call: Call) -> Response:
    """GET /api/v1/conversations"""
    page = page_of(call.query)
    ids, body = await call.read(_listing, call.context.rendered, page)
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit))


def _listing(tx: Tx, viewer: Viewer, cache: Rendered, page: Page) -> tuple[list[int], list[dict[str, Any]]]:
    rows = conversations.listing(tx, viewer.id, page)
    return [row.last_status_id for row in rows], entities.many(tx, cache, viewer.id, rows)


async def read(call: Call) -> Response:
    """POST /api/v1/conversations/{id}/read"""
    return json(await call.write(_mark, call.context.rendered, call.id(), "read"))


async def unread(call: Call) -> Response:
    """POST /api/v1/conversations/{id}/unread"""
    return json(await call.write(_mark, call.context.rendered, call.id(), "unread"))


def _mark(tx: Tx, viewer: Viewer, cache: Rendered, id_: int, state: str) -> dict[str, Any]:
    (found,) = entities.many(tx, cache, viewer.id, [conversations.mark(tx, viewer.id, id_, state)])
    return found


async def delete(call: Call) -> Response:
    """DELETE /api/v1/conversations/{id}: until the next message comes"""
    id_ = call.id()
    await call.write(lambda tx, viewer: conversations.mark(tx, viewer.id, id_, "removed"))
    return json({})
