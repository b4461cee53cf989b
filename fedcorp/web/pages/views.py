"""The few pages for people without an app: what this server is, and what everybody may read. Shows nothing else.

To somebody who is not signed in, a name that does not exist and a name with nothing public get the same answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from fedcorp import __version__
from fedcorp.clock import from_ms
from fedcorp.errors import NotFound
from fedcorp.social import accounts, applications, collections, statuses, timelines
from fedcorp.social.accounts import Account
from fedcorp.social.collections import Collection
from fedcorp.social.pages import Page
from fedcorp.social.statuses import Status
from fedcorp.social.text import normalise_tag
from fedcorp.social.visibility import is_shown
from fedcorp.storage.database import Tx
from fedcorp.web import browser
from fedcorp.web.call import Call
from fedcorp.web.pages.page import STYLE, page
from fedcorp.web.problems import FOUND, NOT_FOUND, OK
from fedcorp.web.route import Route

HINT = "Nothing at this address is open to everybody. People of this department read it with their app, signed in."
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Post:
    """What a template needs of a status; `content` is sanitised HTML, `url` its page, wherever that is."""

    url: str
    author: Account
    content: str
    spoiler_text: str
    when: str


async def show_home(call: Call) -> Response:
    """GET /: what this server is."""
    return page(call.context.config, "home", version=__version__)


async def show_style(call: Call) -> Response:
    """GET /pages.css"""
    return Response(STYLE, OK, {"Cache-Control": "public, max-age=3600"}, "text/css")


async def show_profile(call: Call) -> Response:
    """GET /@NAME: a profile with what the reader may see."""
    found = await call.context.db.read(_profile, browser.session(call), call.path_params["name"])
    if found is None:
        return hint(call)
    account, posts = found
    if _wants_document(call):
        return RedirectResponse(account.uri, FOUND, {"Vary": "Accept"})
    return page(call.context.config, "profile", document=account.uri, account=account, statuses=posts)


async def show_status(call: Call) -> Response:
    """GET /@NAME/ID: one post, for those who may see it."""
    found = await call.context.db.read(_status, browser.session(call), call.path_params["name"], call.id())
    if found is None:
        return hint(call)
    account, status = found
    if _wants_document(call):
        return RedirectResponse(status.uri, FOUND, {"Vary": "Accept"})
    post = post_of(status, account)
    return page(call.context.config, "status", document=status.uri, account=account, post=post)


async def show_tag(call: Call) -> Response:
    """GET /tags/NAME: where the hashtags in posts lead; the latest of those that the reader may see."""
    name = normalise_tag(call.path_params["name"])
    posts = await call.context.db.read(_tagged, browser.session(call), name)
    return page(call.context.config, "tag", tag=name, statuses=posts) if posts is not None else hint(call)


async def show_collection(call: Call) -> Response:
    """GET /collections/ID: whom somebody recommends, as far as the reader may know of them."""
    try:
        owner, collection, shown = await call.context.db.read(_collection, browser.session(call), call.id())
    except NotFound:
        return hint(call)
    return page(call.context.config, "collection", owner=owner, collection=collection, accounts=shown)


def hint(call: Call) -> Response:
    """The page of whatever is not there, or not for this reader."""
    return page(call.context.config, "notice", NOT_FOUND, title="Nothing to see here", text=HINT)


def _wants_document(call: Call) -> bool:
    accept = call.headers.get("accept", "")
    return "activity+json" in accept or "ld+json" in accept


def _reader(tx: Tx, session: str | None) -> int | None:
    return applications.find_session(tx, session) if session else None


def _profile(tx: Tx, session: str | None, name: str) -> tuple[Account, list[Post]] | None:
    account, reader = accounts.find_local(tx, name), _reader(tx, session)
    if account is None or account.is_server or not is_shown(tx, account, reader):
        return None
    lines = timelines.account_statuses(
        tx, reader, account.id, Page(SHOWN), exclude_replies=True, exclude_reblogs=not account.is_group
    )
    shown = _posts(tx, lines)
    if reader is None and not shown and tx.site.config.closed:
        return None
    return account, shown


def _tagged(tx: Tx, session: str | None, name: str) -> list[Post] | None:
    reader = _reader(tx, session)
    shown = _posts(tx, timelines.tag(tx, reader, Page(SHOWN), name)) if name else []
    return shown if shown or reader is not None else None


def _collection(tx: Tx, session: str | None, id_: int) -> tuple[Account, Collection, list[Account]]:
    reader = _reader(tx, session)
    found = collections.get(tx, reader, id_)
    items = collections.items_of(tx, reader, [id_])[id_]
    people = accounts.find_many(tx, {found.account_id, *(item.account_id for item in items)})
    return people[found.account_id], found, [people[item.account_id] for item in items]


def _posts(tx: Tx, lines: Sequence[str]) -> list[Post]:
    ids = [entry.status_id for entry in timelines.entries(lines)]
    found = statuses.find_many(tx, ids)
    shown = [found[id_] for id_ in ids if id_ in found]
    authors = accounts.find_many(tx, {status.account_id for status in shown})
    return [post_of(status, authors[status.account_id]) for status in shown]


def _status(tx: Tx, session: str | None, name: str, id_: int) -> tuple[Account, Status] | None:
    account = accounts.find_local(tx, name)
    if account is None or id_ not in statuses.visible_ids(tx, _reader(tx, session), [id_]):
        return None
    status = statuses.find(tx, id_)
    if status is None or status.account_id != account.id or status.reblog_of_id is not None:
        return None
    return account, status


def post_of(status: Status, author: Account) -> Post:
    """What a template needs of a status."""
    when = from_ms(status.created_at).strftime("%Y-%m-%d %H:%M UTC")
    return Post(status.url or status.uri, author, status.content, status.spoiler_text, when)


ROUTES = (
    Route("GET", "/", show_home),
    Route("GET", "/pages.css", show_style),
    Route("GET", "/@{name}", show_profile),
    Route("GET", "/@{name}/{id}", show_status),
    Route("GET", "/tags/{name}", show_tag),
    Route("GET", "/collections/{id}", show_collection),
)
