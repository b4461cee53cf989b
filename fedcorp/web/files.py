"""Serves files: media of posts as far as their posts go, pictures of people, and drawn ones for who has none.

What is narrower than public opens only by an expiring URL, which was given to somebody who saw the post. Nothing here
is ever run by a browser: types come from our own suffixes, and a policy forbids the rest.
"""

import re
from collections.abc import Callable

from starlette.responses import FileResponse, Response

from fedcorp.errors import NotFound
from fedcorp.social import accounts, cards, films, images, media, statuses
from fedcorp.storage.database import Tx
from fedcorp.storage.signed import check
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call
from fedcorp.web.entities.media import is_open
from fedcorp.web.route import Route

_KEY = re.compile(r"[a-z0-9]{16,64}")
_PICTURE = re.compile(r"([0-9]{1,19})\.png")
_TYPES = {suffix: mime for mime, suffix in (images.SUFFIXES | films.SUFFIXES).items()}
_FOR_EVERYBODY = "public, max-age=31536000, immutable"
_FOR_ONE = "private, max-age=21600, immutable"
_DRAWN = "public, max-age=86400"
_SAFE = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "cross-origin"}


async def show_media(call: Call) -> Response:
    """GET /media/{key}"""
    key = call.path_params["key"]
    if not _KEY.fullmatch(key):
        raise NotFound
    caching = await call.read(_caching, key, call.scope["query_string"].decode("latin-1"))
    try:
        path = await call.context.clock.offload(call.context.files.path, key)
    except FileNotFoundError:
        raise NotFound from None
    kind = _TYPES.get(path.suffix, "")
    headers = _SAFE | {"Cache-Control": caching}
    if not kind:
        headers["Content-Disposition"] = "attachment"
    return FileResponse(path, media_type=kind or "application/octet-stream", headers=headers)


def _caching(tx: Tx, _: Viewer, key: str, query: str) -> str:
    """How long the file may be kept by whom. Raises NotFound when this URL does not open it."""
    row = media.find_by_key(tx, key)
    if row is None:
        return _caching_of_card(tx, key, query)
    status = statuses.find(tx, row.status_id) if row.status_id is not None else None
    if status is not None and status.deleted_at is not None:
        raise NotFound
    if status is not None and is_open(status.visibility, status.reach):
        return _FOR_EVERYBODY
    if not check(tx.site.secret, f"/media/{key}", query, tx.ms):
        raise NotFound
    return _FOR_ONE


def _caching_of_card(tx: Tx, key: str, query: str) -> str:
    """The same for a picture of a page that posts link to, and for one of a profile, which is for everybody."""
    found = cards.find_by_image(tx, key)
    if found is None or found[1]:
        return _FOR_EVERYBODY
    if not check(tx.site.secret, f"/media/{key}", query, tx.ms):
        raise NotFound
    return _FOR_ONE


async def show_avatar(call: Call) -> Response:
    """GET /avatars/{name}: ID.png"""
    return await _drawn(call, "avatar", images.identicon)


async def show_header(call: Call) -> Response:
    """GET /headers/{name}: ID.png; 0 is the instance itself."""
    return await _drawn(call, "header", images.default_header)


async def _drawn(call: Call, kind: str, draw: Callable[[str], bytes]) -> Response:
    found = _PICTURE.fullmatch(call.path_params["name"])
    if found is None:
        raise NotFound
    seed = await call.read(_seed, int(found[1]))
    cache, key = call.context.rendered, (kind, seed)
    body = cache.get(key)
    if body is None:
        body = await call.context.clock.offload(draw, seed)
        cache.put(key, body)
    return Response(body, media_type="image/png", headers=_SAFE | {"Cache-Control": _DRAWN})


def _seed(tx: Tx, _: Viewer, id_: int) -> str:
    return tx.site.urls.origin if id_ == 0 else accounts.get(tx, id_).uri


ROUTES = (
    Route("GET", "/media/{key}", show_media),
    Route("GET", "/avatars/{name}", show_avatar),
    Route("GET", "/headers/{name}", show_header),
)
