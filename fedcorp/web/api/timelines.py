"""Timelines, and what the viewer kept: favourites and bookmarks."""

from typing import Any

from starlette.responses import Response

from fedcorp.social import conversations, timelines
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.web.api import shown
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.pagination import page_of
from fedcorp.web.params import Params

_Shown = tuple[list[int], bytes]


async def home(call: Call) -> Response:
    """GET /api/v1/timelines/home"""
    page = page_of(call.query)
    ids, body = await call.read(_home, call.context.rendered, page)
    return shown.page(call, ids, body, page.limit)


def _home(tx: Tx, viewer: Viewer, cache: Rendered, page: Page) -> _Shown:
    return shown.rendered(tx, cache, viewer, timelines.home(tx, viewer.id, page), "home")


def _which(params: Params) -> dict[str, Any]:
    return {name: params.flag(name) for name in ("local", "remote", "only_media")}


async def public(call: Call) -> Response:
    """GET /api/v1/timelines/public"""
    page = page_of(call.query)
    ids, body = await call.read(_public, call.context.rendered, page, _which(call.query))
    return shown.page(call, ids, body, page.limit)


def _public(tx: Tx, viewer: Viewer, cache: Rendered, page: Page, which: dict[str, Any]) -> _Shown:
    return shown.rendered(tx, cache, viewer, timelines.public(tx, viewer.account_id, page, **which), "public")


async def tag(call: Call) -> Response:
    """GET /api/v1/timelines/tag/{hashtag}"""
    params = call.query
    page = page_of(params)
    which = _which(params) | {name: tuple(params.texts(name.strip("_"))[:10]) for name in ("any_", "all_", "none")}
    ids, body = await call.read(_tag, call.context.rendered, page, call.path_params["hashtag"], which)
    return shown.page(call, ids, body, page.limit)


def _tag(tx: Tx, viewer: Viewer, cache: Rendered, page: Page, name: str, which: dict[str, Any]) -> _Shown:
    return shown.rendered(tx, cache, viewer, timelines.tag(tx, viewer.account_id, page, name, **which), "public")


async def list_(call: Call) -> Response:
    """GET /api/v1/timelines/list/{id}"""
    page = page_of(call.query)
    ids, body = await call.read(_list, call.context.rendered, call.id(), page)
    return shown.page(call, ids, body, page.limit)


def _list(tx: Tx, viewer: Viewer, cache: Rendered, id_: int, page: Page) -> _Shown:
    return shown.rendered(tx, cache, viewer, timelines.list_(tx, viewer.id, id_, page), "home")


async def favourites(call: Call) -> Response:
    """GET /api/v1/favourites"""
    page = page_of(call.query)
    ids, body = await call.read(_favourites, call.context.rendered, page)
    return shown.page(call, ids, body, page.limit)


def _favourites(tx: Tx, viewer: Viewer, cache: Rendered, page: Page) -> _Shown:
    return shown.originals(tx, cache, viewer, timelines.own_favourites(tx, viewer.id, page))


async def bookmarks(call: Call) -> Response:
    """GET /api/v1/bookmarks"""
    page = page_of(call.query)
    ids, body = await call.read(_bookmarks, call.context.rendered, page)
    return shown.page(call, ids, body, page.limit)


def _bookmarks(tx: Tx, viewer: Viewer, cache: Rendered, page: Page) -> _Shown:
    return shown.originals(tx, cache, viewer, timelines.own_bookmarks(tx, viewer.id, page))


async def direct(call: Call) -> Response:
    """GET /api/v1/timelines/direct"""
    page = page_of(call.query)
    ids, body = await call.read(_direct, call.context.rendered, page)
    return shown.page(call, ids, body, page.limit)


def _direct(tx: Tx, viewer: Viewer, cache: Rendered, page: Page) -> _Shown:
    ids = conversations.messages(tx, viewer.id, page)
    return ids, shown.listed(tx, cache, viewer, ids)
