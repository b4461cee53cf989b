"""Answers that many chapters give: pages of statuses, pages of accounts, one status after a change."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from fedcorp.social import accounts as social_accounts
from fedcorp.social import counts, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.timelines import Entry
from fedcorp.social.visibility import is_shown
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import accounts
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.statuses import array, render, render_lines, render_one
from fedcorp.web.pagination import links


def rendered(tx: Tx, cache: Rendered, viewer: Viewer, lines: Sequence[str], context: str) -> tuple[list[int], bytes]:
    """(ids for pages, Status entities as JSON) of a timeline, without what filters of that context hide."""
    ids, bodies = render_lines(tx, cache, viewer.account_id, lines, context)
    return ids, array(bodies)


def originals(tx: Tx, cache: Rendered, viewer: Viewer, entries: Sequence[Entry]) -> tuple[list[int], bytes]:
    """Like `rendered` for lists whose pages are cut by ids of their own: favourites and bookmarks."""
    shown = [entry.status_id for entry in entries]
    return [entry.id for entry in entries], array(render(tx, cache, viewer.account_id, shown))


def page(call: Call, ids: Sequence[int], body: Any, limit: int) -> Response:
    """A page with its Link header. A page that is not full has no older one."""
    return json(body, headers=links(call, ids, full=len(ids) >= limit))


def people(tx: Tx, rows: "Sequence[tuple[int, int]]") -> tuple[list[int], list[dict[str, Any]]]:
    """(ids for pages, Account entities) of rows that are (id for pages, account id)."""
    return [row[0] for row in rows], accounts.many(tx, [row[1] for row in rows])


def uncounted(tx: Tx, viewer: Viewer, account: Account) -> Account | None:
    """An account elsewhere whose numbers should be read now, since somebody who signed in looks at it."""
    return account if viewer.account_id is not None and counts.is_due(tx, account) else None


async def count_soon(call: Call, account: Account | None) -> None:
    """Have the numbers of an account read that is `uncounted`; they are there when it is looked at again."""
    if account is not None:
        await call.context.db.write(counts.want, account)


async def count_found(call: Call, id_: int | None) -> None:
    """The same for the account that a handle or address led to, if one did."""
    if id_ is not None:
        await count_soon(call, await call.read(_found_uncounted, id_))


def _found_uncounted(tx: Tx, viewer: Viewer, id_: int) -> Account | None:
    account = social_accounts.find(tx, id_)
    return uncounted(tx, viewer, account) if account and is_shown(tx, account, viewer.account_id) else None


async def status(call: Call, id_: int) -> Response:
    """One status as the viewer sees it now. Read apart from the change, so that the cache holds only what was kept."""
    return json(await call.read(_status, call.context.rendered, id_))


def _status(tx: Tx, viewer: Viewer, cache: Rendered, id_: int) -> bytes:
    row = statuses.get_visible(tx, viewer.account_id, id_)
    return render_one(tx, cache, viewer.account_id, row.id)


def listed(tx: Tx, cache: Rendered, viewer: Viewer, ids: Sequence[int], context: str | None = None) -> bytes:
    """Status entities of these ids as JSON: those that the viewer may see, without what filters of `context` hide."""
    allowed = statuses.visible_ids(tx, viewer.account_id, list(ids))
    return array(render(tx, cache, viewer.account_id, [id_ for id_ in ids if id_ in allowed], context=context))


def found(tx: Tx, cache: Rendered, viewer: Viewer, ids: Sequence[int]) -> bytes:
    """Like `listed`, for ids that a statement with the predicate of visibility gave in this same unit."""
    return array(render(tx, cache, viewer.account_id, ids))
