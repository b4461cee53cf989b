"""Markers: how far somebody has read, shared between their apps."""

from typing import Any

from starlette.responses import Response

from fedcorp.errors import BadRequest
from fedcorp.social import markers
from fedcorp.social.markers import Marker
from fedcorp.web.call import Call, json
from fedcorp.web.entities.times import iso

TIMELINES = ("home", "notifications")


async def show(call: Call) -> Response:
    """GET /api/v1/markers"""
    wanted = [name for name in call.query.texts("timeline") if name in TIMELINES]
    found = await call.read(lambda tx, viewer: markers.get(tx, viewer.id, wanted))
    return json(_entities(found))


async def save(call: Call) -> Response:
    """POST /api/v1/markers"""
    params = await call.params()
    last_read = {}
    for name in TIMELINES:
        group = params.group(name)
        if group is not None:
            last_read[name] = _read_id(group.required("last_read_id"))
    found = await call.write(lambda tx, viewer: markers.save(tx, viewer.id, last_read))
    return json(_entities(found))


def _read_id(text: str) -> str:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise BadRequest("The parameter last_read_id must be an id.")
    return text


def _entities(found: dict[str, Marker]) -> dict[str, Any]:
    return {
        name: {"last_read_id": item.last_read_id, "version": item.version, "updated_at": iso(item.updated_at)}
        for name, item in found.items()
    }
