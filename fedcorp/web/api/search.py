"""Search: people and groups, hashtags and statuses; a handle or address of another server is looked up there."""

import orjson
from starlette.responses import Response

from fedcorp.social import accounts, memberships, search, statuses
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


async def find(call: Call) -> Response:
    """GET /api/v2/search"""
    params = call.query
    q = params.required("q").strip()
    kind = params.choice("type", TYPES)
    limit, offset = params.integer("limit", least=1, most=40) or 20, params.integer("offset") or 0
    viewer = await call.viewer()
    account_id = status_id = None
    if viewer.account_id is not None and params.flag("resolve"):
        account_id, status_id = await _resolve(call, q, viewer.account_id)
    how = {"following": params.flag("following"), "account_id": params.id("account_id")}
    bounds = {name: params.id(name) for name in ("max_id", "min_id")}
    return json(
        {
            "accounts": await call.read(_accounts, q, limit, offset, account_id, bool(how["following"]))
            if kind in (None, "accounts")
            else [],
            "statuses": orjson.Fragment(
                await call.read(
                    _statuses, call.context.rendered, q, limit, offset, status_id, how["account_id"], bounds
                )
            )
            if kind in (None, "statuses")
            else [],
            "hashtags": await call.read(_hashtags, q, limit, offset) if kind in (None, "hashtags") else [],
        }
    )


async def _resolve(call: Call, q: str, viewer_id: int) -> tuple[int | None, int | None]:
    """(account id, status id) of what the words name, if they are a full handle or an address."""
    resolve = call.context.resolve
    if (link := split_join_link(q)) is not None:
        if call.context.db.site.urls.find_join(q) is not None:
            return await call.context.db.write(_by_link, viewer_id, q), None
        return await resolve.account(link[0], viewer_id=viewer_id), None  # a secret one does not answer to its name
    if q.startswith(("https://", "http://")):
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


def _accounts(
    tx: Tx, viewer: Viewer, q: str, limit: int, offset: int, named: int | None, following: bool
) -> list[dict[str, object]]:
    account = accounts.find(tx, named) if named is not None and not offset else None
    found = [account.id] if account is not None and is_shown(tx, account, viewer.account_id) else []
    if not q.startswith(("https://", "http://")):
        found += search.account_ids(tx, viewer.account_id, q, limit, offset, following=following)
    return entities.many(tx, list(dict.fromkeys(found))[:limit])


def _statuses(
    tx: Tx,
    viewer: Viewer,
    cache: Rendered,
    q: str,
    limit: int,
    offset: int,
    named: int | None,
    account_id: int | None,
    bounds: dict[str, int | None],
) -> bytes:
    if named is not None:
        return shown.listed(tx, cache, viewer, [named])
    if viewer.account_id is None:
        return b"[]"  # the text of posts is searched for people who are signed in
    known = statuses.find_by_uri(tx, q)
    if known is not None:
        return shown.listed(tx, cache, viewer, [known.id])
    found = search.status_ids(tx, viewer.account_id, q, limit, offset, account_id=account_id, **bounds)
    return shown.listed(tx, cache, viewer, found)


def _hashtags(tx: Tx, viewer: Viewer, q: str, limit: int, offset: int) -> list[dict[str, object]]:
    return hashtags(tx, viewer.account_id, search.hashtags(tx, viewer.account_id, q, limit, offset))
