"""What dashboards of administrators ask for: numbers by day, by kind, who stays, and hashtags that are much used."""

from collections.abc import Collection
from typing import Any

from starlette.responses import Response

from fedcorp.social import measures, trends
from fedcorp.social.measures import Span
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import measures as entities
from fedcorp.web.entities.lists import hashtags
from fedcorp.web.params import Params

MONTH_DAYS = 30


async def list_measures(call: Call) -> Response:
    """POST /api/v1/admin/measures: `keys[]`, `start_at`, `end_at`, and for some keys `KEY[id]` or `KEY[domain]`"""
    return json(await call.read(_measures, await call.params()))


def _measures(tx: Tx, _: Viewer, params: Params) -> list[dict[str, Any]]:
    wanted = _wanted(params, measures.KEYS)
    days = _span(tx, params)
    return [entities.measure(measures.measure(tx, key, days, about)) for key, about in wanted]


def _wanted(params: Params, known: Collection[str]) -> list[tuple[str, str]]:
    """The keys that are asked for, each once and with what it is about; those that are not known are left out."""
    keys = [key for key in dict.fromkeys(params.texts("keys")) if key in known]
    return [(key, _about(params, key)) for key in keys]


def _about(params: Params, key: str) -> str:
    given = params.group(key)
    if given is None:
        return ""
    return given.text("id" if key in measures.ABOUT_TAGS else "domain") or ""


def _span(tx: Tx, params: Params) -> Span:
    """The days that are asked for, without a word the last thirty."""
    end = params.time("end_at") or tx.ms
    start = params.time("start_at") or max(end - (MONTH_DAYS - 1) * measures.DAY_MS, 0)
    return measures.span(start, end)


async def list_dimensions(call: Call) -> Response:
    """POST /api/v1/admin/dimensions: `keys[]`, `start_at`, `end_at`, `limit`, and for some keys what they are about"""
    return json(await call.read(_dimensions, await call.params()))


def _dimensions(tx: Tx, _: Viewer, params: Params) -> list[dict[str, Any]]:
    wanted = _wanted(params, measures.DIMENSIONS)
    days, limit = _span(tx, params), params.integer("limit", least=1, most=100) or 10
    return [entities.dimension(key, measures.dimension(tx, key, days, limit, about)) for key, about in wanted]


async def list_retention(call: Call) -> Response:
    """POST /api/v1/admin/retention: `start_at`, `end_at`, `frequency` day or month"""
    return json(await call.read(_retention, await call.params()))


def _retention(tx: Tx, _: Viewer, params: Params) -> list[dict[str, Any]]:
    start, end, frequency = params.time("start_at"), params.time("end_at"), params.text("frequency")
    if start is None or end is None or frequency is None:
        return []
    monthly = frequency == "month"
    found = measures.retention(tx, start, end, monthly=monthly)
    return [entities.cohort(item, "month" if monthly else "day") for item in found]


async def list_trending_tags(call: Call) -> Response:
    """GET /api/v1/admin/trends/tags: as everybody is shown them; none waits for a review"""
    params = call.query
    limit, offset = params.integer("limit", least=1, most=20) or 10, params.integer("offset") or 0
    return json(await call.read(_trending_tags, limit, offset))


def _trending_tags(tx: Tx, viewer: Viewer, limit: int, offset: int) -> list[dict[str, Any]]:
    found = hashtags(tx, viewer.account_id, trends.top_tags(tx, viewer.account_id, limit, offset))
    return [tag | {"trendable": True, "usable": True, "requires_review": False} for tag in found]
