"""Hashtags: look at one, follow it, and see which are followed."""

from typing import Any

from starlette.responses import Response

from fedcorp.errors import NotFound
from fedcorp.social import tags
from fedcorp.social.text import normalise_tag
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities.lists import hashtags
from fedcorp.web.pagination import links, page_of


def _name(call: Call) -> str:
    name = normalise_tag(call.path_params["name"])
    if not name:
        raise NotFound
    return name


def _one(tx: Tx, viewer: Viewer, name: str) -> dict[str, Any]:
    return hashtags(tx, viewer.account_id, [name])[0]


async def show(call: Call) -> Response:
    """GET /api/v1/tags/{name}"""
    return json(await call.read(_one, _name(call)))


async def follow(call: Call) -> Response:
    """POST /api/v1/tags/{name}/follow"""
    return json(await call.write(_follow, call.path_params["name"]))


def _follow(tx: Tx, viewer: Viewer, name: str) -> dict[str, Any]:
    tags.follow(tx, viewer.id, name)
    return _one(tx, viewer, normalise_tag(name))


async def unfollow(call: Call) -> Response:
    """POST /api/v1/tags/{name}/unfollow"""
    return json(await call.write(_unfollow, call.path_params["name"]))


def _unfollow(tx: Tx, viewer: Viewer, name: str) -> dict[str, Any]:
    tags.unfollow(tx, viewer.id, name)
    return _one(tx, viewer, normalise_tag(name))


async def list_followed(call: Call) -> Response:
    """GET /api/v1/followed_tags"""
    page = page_of(call.query, default=100, most=200)
    rows = await call.read(lambda tx, viewer: tags.followed(tx, viewer.id, page))
    body = await call.read(lambda tx, viewer: hashtags(tx, viewer.account_id, [name for _, name in rows]))
    return json(body, headers=links(call, [id_ for id_, _ in rows], full=len(rows) >= page.limit))
