"""Conversations: direct messages by thread."""

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
    """GET /api/v1/conversations: none is marked as unread, since reading is not kept per conversation."""
    page = page_of(call.query)
    ids, body = await call.read(_listing, call.context.rendered, page)
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit))


def _listing(tx: Tx, viewer: Viewer, cache: Rendered, page: Page) -> tuple[list[int], list[dict[str, Any]]]:
    rows = conversations.listing(tx, viewer.id, page)
    return [row.last_status_id for row in rows], entities.many(tx, cache, viewer.id, rows)
