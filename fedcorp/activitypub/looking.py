"""Looks at groups of other makes that say nothing: whether they took a post of ours, and did what a moderator of ours
wished. PieFed tells everybody of that but the server that it came from.

Only the group's own server is taken at its word, and only for what stands there. What it does not show yet is looked
for again a few times. Each look has a budget of requests.
"""

import logging
from collections.abc import Awaitable
from typing import Any

from fedcorp.activitypub import paging
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.documents import same_origin
from fedcorp.activitypub.resolve import Budget
from fedcorp.activitypub.vocabulary import ACTIVITY_TYPES, ids_of, types_of, value_or_id
from fedcorp.errors import FedcorpError, Gone, NotFound, Unavailable
from fedcorp.social import accounts, group_posts, interactions, statuses, threads, wishes
from fedcorp.social.accounts import Account
from fedcorp.social.statuses import Status
from fedcorp.social.wishes import Wish
from fedcorp.storage.database import Database, Tx

FETCHES, OUTBOX_PAGES, OUTBOX_POSTS, THREAD_POSTS = 10, 3, 100, 200

log = logging.getLogger("fedcorp.activitypub")


class Looking:
    """The jobs `look_in_group` and `look_at_wish`."""

    def __init__(self, client: Client, db: Database) -> None:
        self._client = client
        self._db = db

    async def look_in_group(self, payload: dict[str, Any]) -> None:
        """Look whether a group shows a post of ours that it has said nothing of. Raises Unavailable."""
        found = await self._db.read(_still_pending, int(payload["group"]), int(payload["status"]))
        if found is None:
            return
        group, status, root = found
        if await _is_seen(self._is_shown(group, status, root, Budget(FETCHES))):
            await self._db.write(group_posts.note_taken, group, status)
        else:
            await self._db.write(threads.want_place, group, status, int(payload["tries"]))

    async def look_at_wish(self, payload: dict[str, Any]) -> None:
        """Look whether what a moderator of ours wished for a post has come about. Raises Unavailable."""
        found = await self._db.read(_still_wished, int(payload["wish"]))
        if found is None:
            return
        wish, group, status = found
        verdict, reason = str(payload["verdict"]), str(payload["reason"])
        if await _is_seen(self._is_so(verdict, group, status, Budget(FETCHES))):
            await self._db.write(_came_about, wish, group, status, verdict, reason)
        else:
            await self._db.write(wishes.want_look, group.id, payload)

    async def _is_so(self, verdict: str, group: Account, status: Status, budget: Budget) -> bool:
        """What the group's own server says of a post of its own: of others it is not asked."""
        if not same_origin(status.uri, group.uri):
            return False
        budget.take()
        doc = await self._client.get(status.uri)
        if verdict in _SAID_BY:
            name, value = _SAID_BY[verdict]
            return doc.get(name) is value
        context = value_or_id(doc.get("context"))
        if verdict not in ("removed", "restored") or context is None or not same_origin(context, group.uri):
            return False
        try:
            read = await self._thread(context, budget)
        except (Gone, NotFound):
            return verdict == "removed"
        stands = status.uri in ids_of(read.found)
        return stands if verdict == "restored" else not stands and read.whole and bool(read.found)

    async def _is_shown(self, group: Account, status: Status, root: Status, budget: Budget) -> bool:
        """Its outbox tells for what begins a thread, the thread for the rest."""
        context = status.context_uri
        if status.id == root.id or context is None or not same_origin(context, group.uri):
            page = await self._in_outbox(group, root.uri, budget)
            if page is None or status.id == root.id:
                return page is not None
            context = value_or_id(page.get("context"))
        if context is None or not same_origin(context, group.uri):
            return False
        return status.uri in ids_of((await self._thread(context, budget)).found)

    async def _thread(self, context: str, budget: Budget) -> paging.Items:
        return await paging.read(self._client, context, most=THREAD_POSTS, take=budget.take, as_said=True)

    async def _in_outbox(self, group: Account, uri: str, budget: Budget) -> dict[str, Any] | None:
        """The post in what a group has announced; whole activities are looked into, posts by id alone have no terms."""
        if group.outbox_uri is None or not same_origin(group.outbox_uri, group.uri):
            return None
        read = await paging.read(
            self._client, group.outbox_uri, pages=OUTBOX_PAGES, most=OUTBOX_POSTS, take=budget.take, as_json=True
        )
        for item in read.found:
            thing = item
            while isinstance(thing, dict) and ACTIVITY_TYPES.intersection(types_of(thing)):
                thing = thing.get("object")
            if value_or_id(thing) == uri:
                return thing if isinstance(thing, dict) else {}
        return None


async def _is_seen(look: Awaitable[bool]) -> bool:
    """What a look says; that there is nothing to see where it is refused. Raises Unavailable."""
    try:
        return await look
    except Unavailable:
        raise
    except FedcorpError as error:
        log.info("a group could not be looked at: %s", error.text)
        return False


_SAID_BY = {
    "pinned": ("stickied", True), "unpinned": ("stickied", False),
    "locked": ("commentsEnabled", False), "unlocked": ("commentsEnabled", True),
}  # fmt: skip


def _still_wished(tx: Tx, wish_id: int) -> tuple[Wish, Account, Status] | None:
    wish = wishes.find(tx, wish_id)
    group = accounts.find(tx, wish.group_id) if wish is not None else None
    status = statuses.find_by_uri(tx, wish.subject_uri) if wish is not None else None
    if wish is None or wish.state != "pending" or group is None or group.hidden or status is None:
        return None
    return wish, group, status


def _came_about(tx: Tx, wish: Wish, group: Account, status: Status, verdict: str, reason: str) -> None:
    if wishes.settle(tx, wish.uri, "done") is None:
        return  # the group has said it meanwhile
    group_posts.judge(tx, group, status, verdict, actor_id=wish.account_id, reason=reason)
    if verdict == "restored":
        uri = f"{group.uri}#announce-{wish.id}"
        interactions.reblog(tx, group, status, visibility=status.visibility, uri=uri, at=status.created_at)


def _still_pending(tx: Tx, group_id: int, status_id: int) -> tuple[Account, Status, Status] | None:
    """(group, post, first post of its thread) as long as the group has not said what became of the post."""
    group, status = accounts.find(tx, group_id), statuses.find(tx, status_id)
    known = group_posts.find(tx, group_id, status_id)
    root = statuses.find(tx, status.thread_id) if status is not None else None
    if group is None or status is None or root is None or known is None or known.state != "pending":
        return None
    return None if group.hidden or status.deleted_at is not None else (group, status, root)
