"""Announcements of the department: read them, put them away, react."""

from typing import Any

from starlette.responses import Response

from fedcorp.social import announcements
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import announcements as entities


async def listing(call: Call) -> Response:
    """GET /api/v1/announcements"""
    return json(await call.read(_listing, call.query.flag("with_dismissed")))


def _listing(tx: Tx, viewer: Viewer, with_dismissed: bool) -> list[dict[str, Any]]:
    read = announcements.dismissed(tx, viewer.id)
    found = [item for item in announcements.current(tx) if with_dismissed or item.id not in read]
    reactions = announcements.reactions(tx, [item.id for item in found], viewer.id)
    return [entities.announcement(tx, item, reactions[item.id], item.id in read) for item in found]


async def dismiss(call: Call) -> Response:
    """POST /api/v1/announcements/{id}/dismiss"""
    id_ = call.id()
    await call.write(lambda tx, viewer: announcements.dismiss(tx, viewer.id, id_))
    return json({})


async def react(call: Call) -> Response:
    """PUT /api/v1/announcements/{id}/reactions/{name}"""
    id_, name = call.id(), call.path_params["name"]
    await call.write(lambda tx, viewer: announcements.react(tx, viewer.id, id_, name))
    return json({})


async def take_back(call: Call) -> Response:
    """DELETE /api/v1/announcements/{id}/reactions/{name}"""
    id_, name = call.id(), call.path_params["name"]
    await call.write(lambda tx, viewer: announcements.take_back(tx, viewer.id, id_, name))
    return json({})
