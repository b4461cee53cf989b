"""Search: people and groups, hashtags and statuses; a handle or address of another server is looked up there."""

from dataclasses import dataclass

import orjson
from starlette.responses import Response

from fedcorp.social import accounts, finding, memberships, search, statuses
from fedcorp.social.visibility import is_shown
from fedcorp.storage.database import Tx
from fedcorp.urls import split_handle, split_join_link
from fedcorp.web.api import shown
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import accounts as entities
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.lists import hashtags

TYPES = ("accounts", "hashtags", "statuses")
ADDRESSES = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is looked for; `named_...` is what the words were resolved to."""

    q: str
    kind: str | None
    limit: int
    offset: int
    following: bool
    author_id: int | None
    bounds: dict[str, int | None]
    named_account_id: int | None
    named_status_id: int | None


async def find(call: Call) -> Response:
    """GET /api/v2/search"""
    params = call.query
    q = params.required("q").strip()
    kind = params.choice("type", TYPES)
    limit = params.integer("limit", least=1, most=40) or 20
    offset = (params.integer("offset") or 0) if kind is not None else 0  # of which of the three would it be?
    account_id = status_id = None
    if params.flag("resolve"):
        account_id, status_id = await _resolve(call, q)
        await shown.count_found(call, account_id)
    bounds = {name: params.id(name) for name in ("max_id", "min_id")}
    wanted = _Wanted(
        q, kind, limit, offset, params.flag("following"), params.id("account_id"), bounds, account_id, status_id
    )
    short = kind in ("accounts", "hashtags") or q.startswith(ADDRESSES) or finding.is_short(q)
    return json(await (call.read if short else call.read_long)(_find, call.context.rendered, wanted))


def _find(tx: Tx, viewer: Viewer, cache: Rendered, wanted: _Wanted) -> dict[str, object]:
    kind = wanted.kind
    return {
        "accounts": _accounts(tx, viewer, wanted) if kind in (None, "accounts") else [],
        "statuses": orjson.Fragment(_statuses(tx, viewer, cache, wanted)) if kind in (None, "statuses") else [],
        "hashtags": _hashtags(tx, viewer, wanted) if kind in (None, "hashtags") else [],
    }


async def _resolve(call: Call, q: str) -> tuple[int | None, int | None]:
    """(account id, status id) of what the words name, if they are a full handle or an address and somebody asks."""
    viewer_id = (await call.viewer()).account_id
    if viewer_id is None:
        return None, None
    resolve = call.context.resolve
    if (link := split_join_link(q)) is not None:
        if call.context.db.site.urls.find_join(q) is not None:
            return await call.context.db.write(_by_link, viewer_id, q), None
        return await resolve.account(link[0], viewer_id=viewer_id), None  # a secret one does not answer to its name
    if q.startswith(ADDRESSES):
        account_id = await resolve.account(q, viewer_id=viewer_id)
        return account_id, None if account_id is not None else await resolve.status(q, viewer_id=viewer_id)
    if split_handle(q)[1] is not None and " " not in q:
        return await resolve.account(q, viewer_id=viewer_id), None
    return None, None


def _by_link(tx: Tx, viewer_id: int, link: str) -> int | None:
    """The group of ours that this link opens."""
    named = tx.site.urls.find_join(link)
    group = accounts.find_local(tx, named[0]) if named is not None else None
    if group is None or not group.is_group or group.hidden:
        return None
    return group.id if memberships.show_link(tx, accounts.get(tx, viewer_id), group, link) else None


def _accounts(tx: Tx, viewer: Viewer, wanted: _Wanted) -> list[dict[str, object]]:
    q, limit, offset, named = wanted.q, wanted.limit, wanted.offset, wanted.named_account_id
    account = accounts.find(tx, named) if named is not None and not offset else None
    found = [account.id] if account is not None and is_shown(tx, account, viewer.account_id) else []
    if not q.startswith(ADDRESSES):
        found += search.account_ids(tx, viewer.account_id, q, limit, offset, following=wanted.following)
    return entities.many(tx, list(dict.fromkeys(found))[:limit])


def _statuses(tx: Tx, viewer: Viewer, cache: Rendered, wanted: _Wanted) -> bytes:
    if wanted.named_status_id is not None:
        return shown.listed(tx, cache, viewer, [wanted.named_status_id])
    if viewer.account_id is None:
        return b"[]"  # the text of posts is searched for people who are signed in
    known = statuses.find_by_uri(tx, wanted.q) if wanted.q.startswith(ADDRESSES) else None
    if known is not None:
        return shown.listed(tx, cache, viewer, [known.id])
    found = finding.status_ids(
        tx, viewer.account_id, wanted.q, wanted.limit, wanted.offset, account_id=wanted.author_id, **wanted.bounds
    )
    return shown.found(tx, cache, viewer, found)


def _hashtags(tx: Tx, viewer: Viewer, wanted: _Wanted) -> list[dict[str, object]]:
    return hashtags(
        tx, viewer.account_id, search.hashtags(tx, viewer.account_id, wanted.q, wanted.limit, wanted.offset)
    )
