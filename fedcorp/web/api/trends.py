"""Trends: posts, hashtags and pages that many people had to do with of late. Never people."""

from typing import Any

import orjson
from starlette.responses import Response

from fedcorp.social import cards, trends
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.cards import trend
from fedcorp.web.entities.lists import hashtags
from fedcorp.web.entities.statuses import array, render

MAX_OFFSET = 1000


def _cut(call: Call, default: int, most: int) -> tuple[int, int]:
    params = call.query
    return params.integer("limit", least=1, most=most) or default, params.integer("offset", most=MAX_OFFSET) or 0


async def list_tags(call: Call) -> Response:
    """GET /api/v1/trends/tags and /api/v1/trends"""
    return json(await call.read(_tags, *_cut(call, 10, 20)))


def _tags(tx: Tx, viewer: Viewer, limit: int, offset: int) -> list[dict[str, Any]]:
    return hashtags(tx, viewer.account_id, trends.top_tags(tx, viewer.account_id, limit, offset))


async def list_admin_statuses(call: Call) -> Response:
    """GET /api/v1/admin/trends/statuses: as everybody is shown them; none waits for a review"""
    found = await call.read(_statuses, call.context.rendered, *_cut(call, 20, 40))
    return json([status | {"requires_review": False} for status in orjson.loads(found)])


async def list_admin_links(call: Call) -> Response:
    """GET /api/v1/admin/trends/links: likewise"""
    found = await call.read(_links, *_cut(call, 10, 20))
    return json([link | {"requires_review": False} for link in found])


async def list_statuses(call: Call) -> Response:
    """GET /api/v1/trends/statuses"""
    return json(await call.read(_statuses, call.context.rendered, *_cut(call, 20, 40)))


def _statuses(tx: Tx, viewer: Viewer, cache: Rendered, limit: int, offset: int) -> bytes:
    found = trends.top_statuses(tx, viewer.account_id, limit, offset)
    return array(render(tx, cache, viewer.account_id, found, context="public"))


async def list_links(call: Call) -> Response:
    """GET /api/v1/trends/links"""
    return json(await call.read(_links, *_cut(call, 10, 20)))


def _links(tx: Tx, viewer: Viewer, limit: int, offset: int) -> list[dict[str, Any]]:
    if not tx.site.config.links.previews:
        return []
    found = trends.top_cards(tx, viewer.account_id, limit, offset)
    rows, history = cards.by_ids(tx, found), cards.history(tx, viewer.account_id, found)
    creators = cards.creators(tx, rows.values())
    return [trend(tx, rows[id_], creators.get(id_), history[id_]) for id_ in found]
