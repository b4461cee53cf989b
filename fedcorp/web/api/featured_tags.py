"""Hashtags on profiles: show one's own, suggest some, and see those of others."""

from typing import Any

from starlette.responses import Response

from fedcorp.social import featured_tags
from fedcorp.social.text import normalise_tag
from fedcorp.social.visibility import get_shown
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities.lists import featured_tag, hashtags


async def listing(call: Call) -> Response:
    """GET /api/v1/featured_tags"""
    return json(await call.read(lambda tx, viewer: _of_account(tx, viewer, viewer.id)))


async def of_account(call: Call) -> Response:
    """GET /api/v1/accounts/{id}/featured_tags"""
    return json(await call.read(_of_account, call.id()))


def _of_account(tx: Tx, viewer: Viewer, id_: int) -> list[dict[str, Any]]:
    owner = get_shown(tx, id_, viewer.account_id)
    return [featured_tag(tx, item) for item in featured_tags.of_account(tx, owner.id, viewer.account_id)]


async def suggestions(call: Call) -> Response:
    """GET /api/v1/featured_tags/suggestions"""
    found = await call.read(lambda tx, viewer: hashtags(tx, viewer.id, featured_tags.suggested(tx, viewer.id)))
    return json(found)


async def create(call: Call) -> Response:
    """POST /api/v1/featured_tags"""
    params = await call.params()
    name = params.text("name") or ""
    made = await call.write(lambda tx, viewer: featured_tag(tx, featured_tags.feature(tx, viewer.id, name)))
    return json(made)


async def delete(call: Call) -> Response:
    """DELETE /api/v1/featured_tags/{id}"""
    id_ = call.id()
    await call.write(lambda tx, viewer: featured_tags.remove(tx, viewer.id, id_))
    return json({})


async def feature(call: Call) -> Response:
    """POST /api/v1/tags/{name}/feature"""
    return json(await call.write(_feature, call.path_params["name"]))


def _feature(tx: Tx, viewer: Viewer, name: str) -> dict[str, Any]:
    featured_tags.feature(tx, viewer.id, name)
    return hashtags(tx, viewer.id, [normalise_tag(name)])[0]


async def unfeature(call: Call) -> Response:
    """POST /api/v1/tags/{name}/unfeature"""
    return json(await call.write(_unfeature, call.path_params["name"]))


def _unfeature(tx: Tx, viewer: Viewer, name: str) -> dict[str, Any]:
    featured_tags.unfeature(tx, viewer.id, name)
    return hashtags(tx, viewer.id, [normalise_tag(name)])[0]
