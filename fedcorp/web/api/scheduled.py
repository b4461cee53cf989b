"""Posts that wait for their time: made where other posts are made, looked at, moved and taken back here."""

from typing import Any

from starlette.responses import Response

from fedcorp.errors import BadRequest
from fedcorp.social import scheduling
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities.scheduled import scheduled
from fedcorp.web.pagination import links, page_of


async def listing(call: Call) -> Response:
    """GET /api/v1/scheduled_statuses"""
    page = page_of(call.query)
    ids, body = await call.read(_listing, page)
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit))


def _listing(tx: Tx, viewer: Viewer, page: Page) -> tuple[list[int], list[dict[str, Any]]]:
    found = scheduling.listing(tx, viewer.id, page)
    return [item.id for item in found], [scheduled(tx, item) for item in found]


async def show(call: Call) -> Response:
    """GET /api/v1/scheduled_statuses/{id}"""
    id_ = call.id()
    return json(await call.read(lambda tx, viewer: scheduled(tx, scheduling.get(tx, viewer.id, id_))))


async def update(call: Call) -> Response:
    """PUT /api/v1/scheduled_statuses/{id}: another time"""
    params, id_ = await call.params(), call.id()
    return json(await call.write(_update, id_, params.time("scheduled_at")))


def _update(tx: Tx, viewer: Viewer, id_: int, at: int | None) -> dict[str, Any]:
    scheduling.get(tx, viewer.id, id_)
    if at is None:
        raise BadRequest("The parameter scheduled_at is missing.")
    return scheduled(tx, scheduling.reschedule(tx, viewer.id, id_, at))


async def delete(call: Call) -> Response:
    """DELETE /api/v1/scheduled_statuses/{id}"""
    id_ = call.id()
    await call.write(lambda tx, viewer: scheduling.delete(tx, viewer.id, id_))
    return json({})
