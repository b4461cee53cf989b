"""Reads what was said before somebody here listened: outbox and pins of whom they follow now, and threads they open.

Everything is stored as history: no bell rings. A post counts where it stands at its own address, or inside the outbox
of its author, which lies under the same origin. Each piece of work has a budget of requests, and the peer policy is
asked before every one.

Sources: FEP-7888 and FEP-f228 (`context`), ActivityPub 5.1 and 5.6 (outbox, replies).
"""

import contextlib
import logging
from collections import deque
from typing import Any

from fedcorp.activitypub import paging, translate
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.documents import same_origin
from fedcorp.activitypub.resolve import Budget, Resolver
from fedcorp.activitypub.vocabulary import as_list, types_of, value_or_id
from fedcorp.errors import FedcorpError, TooManyRequests, Unavailable
from fedcorp.social import accounts, follows, group_posts, interactions, receiving, statuses, threads
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Database, Tx

OUTBOX_POSTS, OUTBOX_PAGES, OUTBOX_FETCHES = 20, 3, 25
FEATURED_FETCHES, MOST_FEATURED = interactions.MAX_PINS + 2, 50
THREAD_POSTS, THREAD_FETCHES = 200, 50

_TELLS_OF_A_POST = {"Create", "Update"}

log = logging.getLogger("fedcorp.activitypub")


class Backfill:
    """The jobs `read_outbox`, `read_pins` and `read_thread`."""

    def __init__(self, client: Client, resolver: Resolver, db: Database) -> None:
        self._client = client
        self._resolver = resolver
        self._db = db

    # -- outboxes ----------------------------------------------------------------------------------------------------

    async def read_outbox(self, payload: dict[str, Any]) -> None:
        """Store the latest posts of an account. Raises Unavailable, so that it is tried again later."""
        account = await self._db.read(accounts.find, int(payload["account"]))
        if account is None or account.hidden or account.outbox_uri is None:
            return
        budget = Budget(OUTBOX_FETCHES)
        signer = int(payload["follower"])  # what only followers may read is shown to a follower's key
        if not await self._db.read(follows.is_following, signer, account.id):
            return  # not any more: who left before it could be read has no use for it
        try:
            read = await paging.read(
                self._client, account.outbox_uri, pages=OUTBOX_PAGES, most=OUTBOX_POSTS, signer_id=signer,
                take=budget.take, as_json=True,
            )  # fmt: skip
        except Unavailable:
            raise
        except FedcorpError as error:
            log.info("an outbox could not be read: %s", error.text)
            return
        for item in reversed(_latest(read.found)):
            if account.is_group and "Announce" in types_of(item):
                await self._store_passed_on(item, account, budget)
            else:
                await self._store_created(item, account.uri, signer, budget)
        with contextlib.suppress(Unavailable):  # the outbox need not be read again for that
            await self._read_pins(account, signer)

    async def read_pins(self, payload: dict[str, Any]) -> None:
        """Read what an account pins now, as somebody here who follows it may see it. Raises Unavailable."""
        account = await self._db.read(accounts.find, int(payload["account"]))
        signer = await self._db.read(follows.find_local_follower, account.id) if account is not None else None
        if account is not None and signer is not None and not account.hidden:
            await self._read_pins(account, signer)

    async def _read_pins(self, account: Account, signer: int) -> None:
        """What the account shows first: pins from before are told by nobody, and GoToSocial never tells of any. Those
        of a group are in its ledger, or come announced."""
        if account.featured_uri is None or account.is_group:
            return
        budget = Budget(FEATURED_FETCHES)
        await self._db.write(threads.begin_pins, account.featured_uri)
        before = await self._db.read(interactions.pins, account.id, signer)
        try:
            read = await paging.read(
                self._client, account.featured_uri, pages=2, most=MOST_FEATURED, signer_id=signer, take=budget.take
            )
        except Unavailable:
            raise
        except FedcorpError as error:
            log.info("pinned posts could not be read: %s", error.text)
            return
        for item in read.found[: interactions.MAX_PINS]:
            await self._store_created(item, account.uri, signer, budget)
        listed = [uri for item in read.found if (uri := value_or_id(item)) is not None]
        await self._db.write(_keep_pins, account.id, listed, before, read.whole)

    async def _store_created(self, item: Any, author: str, signer: int, budget: Budget) -> None:
        """One entry of an outbox: the Create or Update of a post, or the post itself. Boosts are not history of their
        own."""
        if isinstance(item, dict) and _TELLS_OF_A_POST & set(types_of(item)):
            item = item.get("object") if value_or_id(item.get("actor")) == author else None
        try:
            if isinstance(item, dict) and translate.is_note(item):
                uri = value_or_id(item)
                if uri is not None and same_origin(uri, author) and translate.author_of(item) == author:
                    await self._resolver.store(item, budget)
            elif isinstance(item, str) and same_origin(item, author):
                await self._fetch(item, budget, signer)
        except FedcorpError as error:
            log.info("a post of an outbox was left out: %s", error.text)

    async def _store_passed_on(self, item: dict[str, Any], group: Account, budget: Budget) -> None:
        """What a group passed on, by its own word: a post by its id, or inside the activity that tells of it. The post
        is read at its own address."""
        thing = item.get("object")
        if isinstance(thing, dict) and _TELLS_OF_A_POST & set(types_of(thing)):
            thing = thing.get("object")
        uri = value_or_id(thing)
        if uri is None or value_or_id(item.get("actor")) != group.uri:
            return
        try:
            status = await self._resolver.status(uri, budget=budget)
        except FedcorpError as error:
            log.info("a post that a group passed on was left out: %s", error.text)
            return
        if status is not None:
            await self._db.write(_pass_on, group.id, status.id, value_or_id(item), translate.note_time(item))

    async def _fetch(self, uri: str, budget: Budget, signer: int | None = None) -> dict[str, Any] | None:
        """Read a post at its address and store it, unless it is here already; its document when it was read."""
        if self._db.site.urls.owns(uri) or await self._db.read(statuses.find_by_uri, uri) is not None:
            return None
        budget.take()
        doc = await self._client.get(uri, signer_id=signer)
        if translate.is_note(doc) and not translate.is_vote(doc):
            await self._resolver.store(doc, budget)
            return doc
        return None

    # -- threads -----------------------------------------------------------------------------------------------------

    async def read_thread(self, payload: dict[str, Any]) -> None:
        """Store the answers of a thread that are not here: by its `context`, then by the `replies` of each post."""
        root = await self._db.read(statuses.find, int(payload["status"]))
        if root is None or root.deleted_at is not None:
            return
        budget = Budget(THREAD_FETCHES)
        try:
            await self._read_thread(root.uri, budget)
        except TooManyRequests:
            log.info("a thread was too long to be read whole")
        await self._db.write(threads.finish, root.uri)

    async def _read_thread(self, root_uri: str, budget: Budget) -> None:
        budget.take()
        try:
            doc = await self._client.get(root_uri)
        except FedcorpError as error:
            log.info("a thread could not be read: %s", error.text)
            return
        await self._renew(doc)
        seen = {root_uri}
        waiting: deque[dict[str, Any]] = deque([doc])
        context = value_or_id(doc.get("context"))
        listed = await self._listed(context, root_uri, budget) if context is not None else []
        while listed or waiting:
            for item in listed:
                found = await self._store_answer(item, seen, budget)
                if found is not None:
                    waiting.append(found)
                    await self._db.write(threads.count_found, root_uri)
            if not waiting or len(seen) >= THREAD_POSTS:
                return
            listed = await self._replies(waiting.popleft(), budget)

    async def _renew(self, doc: dict[str, Any]) -> None:
        try:
            await self._resolver.renew(doc)
        except FedcorpError as error:
            log.info("the first post of a thread cannot be read any more: %s", error.text)

    async def _store_answer(self, item: Any, seen: set[str], budget: Budget) -> dict[str, Any] | None:
        uri = value_or_id(item)
        if uri is None or uri in seen:
            return None
        seen.add(uri)
        try:
            return await self._fetch(uri, budget)
        except TooManyRequests:
            raise
        except FedcorpError as error:
            log.info("an answer was left out: %s", error.text)
            return None

    async def _replies(self, doc: dict[str, Any], budget: Budget) -> list[Any]:
        """Who answers a post, by its own word: a collection elsewhere, or one that stands inside it (Mastodon)."""
        replies, uri = doc.get("replies"), str(doc.get("id"))
        inside: list[Any] = []
        if isinstance(replies, dict):
            page = replies.get("first")
            parts = [replies, page] if isinstance(page, dict) else [replies]
            inside = [item for part in parts for name in ("orderedItems", "items") for item in as_list(part.get(name))]
        address = value_or_id(replies)
        return inside + (await self._listed(address, uri, budget) if address is not None else [])

    async def _listed(self, address: str, of_uri: str, budget: Budget) -> list[Any]:
        """The items of a collection of the server that a post lives on; nothing when it cannot be read."""
        if not same_origin(address, of_uri):
            return []
        try:
            return (await paging.read(self._client, address, most=THREAD_POSTS, take=budget.take)).found
        except TooManyRequests:
            raise
        except FedcorpError:
            return []


def _latest(found: list[Any]) -> list[Any]:
    """Entries of an outbox, latest first, each post once: WordPress keeps the first words beside the Update of them."""
    kept: dict[str, Any] = {}
    for number, item in enumerate(found):
        told = isinstance(item, dict) and _TELLS_OF_A_POST & set(types_of(item))
        kept.setdefault(value_or_id(item.get("object") if told else item) or str(number), item)
    return list(kept.values())


def _pass_on(tx: Tx, group_id: int, status_id: int, uri: str | None, at: int | None) -> None:
    """A post that stands in the outbox of a group counts as if the group had passed it on then; answers come with
    their threads, and of one of ours its author would have heard."""
    group, status = accounts.find(tx, group_id), statuses.find(tx, status_id)
    if group is None or group.hidden or status is None or status.deleted_at is not None or status.local:
        return
    if status.in_reply_to_uri is not None or status.visibility not in ("public", "unlisted"):
        return
    if uri is None or not same_origin(uri, group.uri):
        uri = f"{group.uri}#announce-{status.id}"
    if interactions.is_undone(tx, uri) or statuses.find_by_uri(tx, uri) is not None or receiving.is_tombstoned(tx, uri):
        return
    at = min(at or status.created_at, tx.ms)
    group_posts.note_state(tx, group.id, status.id, "distributed", at=at)
    group_posts.own_thread(tx, group, status)
    interactions.reblog(tx, group, status, uri=uri, at=at, quiet=True)


def _keep_pins(tx: Tx, account_id: int, uris: list[str], before: dict[int, int], whole: bool) -> None:
    """Of what an account lists, its own posts that are here are its pins."""
    account = accounts.find(tx, account_id)
    if account is None or account.hidden:
        return
    found = [statuses.find_by_uri(tx, uri) for uri in uris]
    listed = [item for item in found if item is not None and item.deleted_at is None and item.account_id == account.id]
    interactions.keep_pins(tx, account, listed, before, whole=whole)
