"""How other sites show a post of ours: the answer of oEmbed, and the page that it frames.

Only for what is open to everybody: a public or unlisted post of public reach. Runs no script on either side.
Source: the oEmbed specification 1.0, section 2.3.4.
"""

from html import escape
from typing import Any

from starlette.responses import Response

from fedcorp.errors import NotFound
from fedcorp.social import accounts, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.urls import Urls
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.pages.page import page
from fedcorp.web.pages.views import post_of
from fedcorp.web.problems import OK
from fedcorp.web.route import Route

DEFAULT_WIDTH = 400
MIN_WIDTH = 200
MAX_WIDTH = 2000
CACHE_SECONDS = 86_400
_FRAMED = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors *"


async def show(call: Call) -> Response:
    """GET /api/oembed"""
    params = call.query
    url = params.required("url")
    width = params.integer("maxwidth", least=MIN_WIDTH, most=MAX_WIDTH) or DEFAULT_WIDTH
    height = params.integer("maxheight", least=MIN_WIDTH, most=MAX_WIDTH)
    author, status = await call.read(_find_by_url, url)
    return json(_answer(Urls(call.context.config.origin), call.context.config.name, author, status, width, height))


def _find_by_url(tx: Tx, _: Viewer, url: str) -> tuple[Account, Status]:
    found = tx.site.urls.find_page(url)
    id_ = found[1] if found is not None else tx.site.urls.find_object_id(url)
    if id_ is None:
        raise NotFound
    author, status = _open(tx, id_)
    if found is not None and found[0].lower() != author.username.lower():
        raise NotFound
    return author, status


def _open(tx: Tx, id_: int) -> tuple[Account, Status]:
    """A post of ours that is open to everybody. Raises NotFound."""
    status = statuses.find(tx, id_)
    if status is None or not status.local or status.reblog_of_id is not None:
        raise NotFound
    if not statuses.visible_ids(tx, None, [id_]):
        raise NotFound
    return accounts.get(tx, status.account_id), status


def _answer(urls: Urls, name: str, author: Account, status: Status, width: int, height: int | None) -> dict[str, Any]:
    source = escape(f"{urls.status_page(author.username, status.id)}/embed", quote=True)
    shown = author.display_name or author.username
    sized = f' height="{height}"' if height is not None else ""
    return {
        "type": "rich",
        "version": "1.0",
        "title": f"New status by {shown}",
        "author_name": shown,
        "author_url": urls.profile(author.username),
        "provider_name": name,
        "provider_url": f"{urls.origin}/",
        "cache_age": CACHE_SECONDS,
        "html": f'<iframe src="{source}" class="mastodon-embed" style="max-width: 100%; border: 0" width="{width}"'
        f'{sized} sandbox="allow-popups"></iframe>',
        "width": width,
        "height": height,
    }


async def show_frame(call: Call) -> Response:
    """GET /@NAME/ID/embed: one post for the frame of another site, which may be any."""
    author, status = await call.context.db.read(_open, call.id())
    if author.username.lower() != call.path_params["name"].lower():
        raise NotFound
    response = page(call.context.config, "status", OK, account=author, post=post_of(status, author))
    response.headers["Content-Security-Policy"] = _FRAMED
    if "X-Frame-Options" in response.headers:
        del response.headers["X-Frame-Options"]
    return response


ROUTES = (Route("GET", "/@{name}/{id}/embed", show_frame),)
