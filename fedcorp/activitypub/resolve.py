"""Finds what is not here yet: actors, statuses with their parents, keys, handles. Fetches first, then stores.

What is stored was read at its own address (see `client.get`), so nobody can introduce somebody else's actor or note.
Each piece of work has a budget of fetches. Who may be asked at all is decided by the client, before every request.

Sources: federation by FEP-fe34; RFC 7033 and FEP-2c59 for handles; FEP-521a and draft-cavage-12 practice for keys.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag

from fedcorp.activitypub import discovery, translate
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.documents import domain_of, owner, same_origin
from fedcorp.activitypub.intake import Intake, Missing
from fedcorp.activitypub.vocabulary import COLLECTION_TYPES, as_list, ids_of, types_of, value_or_id
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.errors import (
    BadRequest,
    FedcorpError,
    Forbidden,
    Gone,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from fedcorp.social import accounts, counts, groups, moving, receiving, statuses, threads
from fedcorp.social.accounts import Account, Key
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Database, Tx
from fedcorp.urls import split_handle

log = logging.getLogger("fedcorp.activitypub")

ADDRESSES = ("https://", "http://")
FETCHES = 20
CHAIN = 40
STALE_MS = 86_400_000  # a known account is asked about again after a day, when somebody looks it up
REFETCH_MS = 300_000  # at most one refetch of an actor in this time because a signature did not hold
_KEY_MISS_MS = 60_000
_REMEMBERED = 4096


@dataclass(slots=True)
class Budget:
    """How many fetches one piece of work may still cost. `depth`: how many quotes, one in another, led to it."""

    left: int = FETCHES
    depth: int = 0

    def take(self) -> None:
        """Spend one fetch. Raises TooManyRequests when there is none left."""
        if self.left <= 0:
            raise TooManyRequests("This needs too many requests to other servers.")
        self.left -= 1


class Finder:
    """What the edge is given: looks things up for people and answers None for whatever cannot be had."""

    def __init__(self, resolver: "Resolver") -> None:
        self._resolver = resolver

    async def account(self, handle_or_url: str, *, viewer_id: int | None = None) -> int | None:
        """The id of the account of a handle or URL, or None. `viewer_id` does not matter: accounts are no secret."""
        try:
            return (await self._resolver.account(handle_or_url)).id
        except FedcorpError as error:
            if not handle_or_url.startswith(ADDRESSES):  # of an address it is no fault to be a post's
                self._note(split_handle(handle_or_url)[1], error)
            return None

    def _note(self, domain: str | None, error: FedcorpError) -> None:
        """A peer that knows nobody of a name, or cannot say, is worth a line. What people type is nobody's business:
        of whom they looked for, and of hosts that are no peers, nothing is written."""
        if domain is None or isinstance(error, Forbidden) or domain == self._resolver.domain:
            log.debug("a handle was not resolved: %s", type(error).__name__)
        else:
            log.info("a handle at %s was not resolved: %s", domain, type(error).__name__)

    async def status(self, url: str, *, viewer_id: int | None = None) -> int | None:
        """The id of the status at a URL, or None. Whether `viewer_id` may see it is for the caller to check."""
        try:
            found = await self._resolver.lookup(url)
        except FedcorpError as error:
            log.info("an address was not resolved: %s", type(error).__name__)
            return None
        return found.id if isinstance(found, Status) else None


class Resolver:
    """Brings actors, statuses and keys of peers into the database."""

    def __init__(self, client: Client, db: Database, clock: Clock) -> None:
        self._client = client
        self._db = db
        self._clock = clock
        self._refetched: OrderedDict[str, int] = OrderedDict()
        self._no_key: OrderedDict[str, int] = OrderedDict()

    @property
    def domain(self) -> str:
        """The domain of our own handles."""
        return self._db.site.urls.domain

    # -- for handlers -----------------------------------------------------------------------------------------------

    async def fetch(self, missing: Missing, intake: Intake, budget: Budget) -> None:
        """Fetch what a handler asked for and store it; what could not be had is noted in `intake`."""
        try:
            if missing.kind == "actor":
                await self.actor(missing.uri, budget=budget)
            elif missing.kind == "fresh actor":
                intake.stored[missing.uri] = (await self.actor(missing.uri, budget=budget, fresh=True)).uri
            elif missing.kind == "status":
                found = await self.status(missing.uri, budget=budget)
                if found is None:
                    intake.refused.add(missing.uri)
                else:
                    intake.stored[missing.uri] = found.uri
            elif missing.kind == "key":
                budget.take()
                await self.key(missing.uri)
            else:
                budget.take()
                intake.documents[missing.uri] = await self._client.get(missing.uri)
        except (Unavailable, TooManyRequests):
            intake.unreachable.add(missing.uri)
        except FedcorpError as error:
            intake.refused.add(missing.uri)
            if isinstance(error, (Gone, NotFound)):
                intake.gone.add(missing.uri)

    # -- actors -----------------------------------------------------------------------------------------------------

    async def actor(self, uri: str, *, budget: Budget | None = None, fresh: bool = False) -> Account:
        """The account of an actor's URI; fetched when it is unknown or `fresh`. Raises as `Client.get`."""
        known = await self._db.read(accounts.find_by_uri, uri)
        if known is not None and (known.local or not fresh):
            return known
        (budget or Budget()).take()
        return await self._store_actor(await self._client.get(uri))

    async def _store_actor(self, doc: dict[str, Any]) -> Account:
        username, domain = await self._handle_of(doc)
        return await self._db.write(store_actor, doc, username, domain)

    async def _handle_of(self, doc: dict[str, Any]) -> tuple[str, str]:
        """The confirmed handle of an actor. A server may always name its own actors; a handle at another domain holds
        only if WebFinger of that domain leads back to the actor.
        """
        uri = str(doc.get("id"))
        host = domain_of(uri)
        name = doc.get("preferredUsername")
        claimed = split_handle(doc["webfinger"]) if isinstance(doc.get("webfinger"), str) else (name, None)
        if "Application" in types_of(doc) or (claimed[1] == host and claimed[0]):
            return str(claimed[0] or name or host), host
        if not isinstance(name, str) or not name:
            raise BadRequest("The actor has no name")
        try:
            finger = await self._client.webfinger(f"{name}@{host}")
            if finger.actor_uri == uri and finger.domain != host:
                again = await self._client.webfinger(f"{finger.username}@{finger.domain}")
                if again.actor_uri == uri:
                    return finger.username, finger.domain
        except FedcorpError:
            return name, host  # the host itself vouches for its names by serving the actor
        return name, host

    # -- handles and addresses that people type ----------------------------------------------------------------------

    async def account(self, text: str, *, budget: Budget | None = None) -> Account:
        """The account of a handle (`ann@host`) or of an actor's or profile's address.

        Raises NotFound, Forbidden (not a peer), Unavailable.
        """
        if text.startswith(ADDRESSES):
            found = await self.lookup(text, budget=budget)
            if not isinstance(found, Account):
                raise NotFound(f"{text} is not an account.")
            return found
        username, domain = split_handle(text)
        known = await self._db.read(accounts.find_by_handle, username, domain)
        recent = known is not None and (known.local or (known.fetched_at or 0) > self._clock.ms() - STALE_MS)
        if known is not None and recent:
            return known
        if domain is None or domain == self._db.site.urls.domain:
            raise NotFound(f"@{username} is not here.")
        try:
            return await self._finger(username, domain, budget or Budget())
        except Unavailable:
            if known is None:
                raise
            return known

    async def _finger(self, username: str, domain: str, budget: Budget) -> Account:
        budget.take()
        finger = await self._client.webfinger(f"{username}@{domain}")
        found = await self.actor(finger.actor_uri, budget=budget, fresh=True)
        if found.domain != domain and found.domain != finger.domain:
            raise NotFound(f"@{username}@{domain} does not confirm its name.")
        return found

    async def lookup(self, text: str, *, budget: Budget | None = None) -> Account | Status | None:
        """What an address or handle that somebody pasted means; None when it is neither. Raises as `account`."""
        if not text.startswith(ADDRESSES):
            return await self.account(text, budget=budget) if "@" in text.strip().lstrip("@") else None
        known = await self._db.read(_known, text)
        if known is not None or self._db.site.urls.owns(text):
            return known
        budget = budget or Budget()
        budget.take()
        doc = await self._client.get(text)
        if translate.is_actor(doc):
            return await self._store_actor(doc)
        if COLLECTION_TYPES & set(types_of(doc)):
            return await self._first_of(doc, budget)
        return await self._store_thread(doc, budget)

    async def _first_of(self, thread: dict[str, Any], budget: Budget) -> Status | None:
        """The first post of a thread (FEP-7888), which the page of a topic in a forum stands for."""
        first, page = value_or_id(thread.get("first")), thread
        if first is not None and same_origin(first, str(thread.get("id"))):
            budget.take()
            page = await self._client.get(first, loose=True)
        items = as_list(page.get("orderedItems")) or as_list(page.get("items"))
        uri = value_or_id(items[0]) if items else None
        return await self.status(uri, budget=budget) if uri is not None else None

    # -- statuses ---------------------------------------------------------------------------------------------------

    async def status(self, uri: str, *, budget: Budget | None = None) -> Status | None:
        """The status at a URI, with its author and the thread above it. None when it is deleted or is none of ours."""
        known = await self._db.read(statuses.find_by_uri, uri)
        if known is not None and known.deleted_at is not None:
            return None
        if known is not None or self._db.site.urls.owns(uri):
            return known
        budget = budget or Budget()
        budget.take()
        return await self._store_thread(await self._client.get(uri), budget)

    async def store(self, doc: dict[str, Any], budget: Budget) -> Status | None:
        """Store a note that was read at its own address or in its author's outbox, after the notes above it."""
        known = await self._db.read(statuses.find_by_uri, str(doc.get("id")))
        if known is not None:
            await self.keep_counts(doc)
        return known if known is not None else await self._store_thread(doc, budget)

    async def keep_counts(self, doc: dict[str, Any]) -> None:
        """Keep what a note that may be here says of its likes and boosts. It was read as for `store`."""
        if translate.counts_of(doc) != (None, None):
            await self._db.write(keep_counts, doc)

    async def _store_thread(self, doc: dict[str, Any], budget: Budget) -> Status | None:
        """Store a note after the notes above it, at most 40 of them; a thread with a hole is better than none."""
        if "Create" in types_of(doc):
            doc = await self._created(doc, budget)
        chain = [doc]
        while len(chain) < CHAIN:
            parent_uri = value_or_id(chain[-1].get("inReplyTo"))
            if parent_uri is None or self._db.site.urls.owns(parent_uri):
                break
            if await self._db.read(statuses.find_by_uri, parent_uri) is not None:
                break
            try:
                budget.take()
                chain.append(await self._client.get(parent_uri))
            except FedcorpError:
                break
        stored: Status | None = None
        for item in reversed(chain):
            stored = await self._store_one(item, budget, needed=item is doc)
        return stored

    async def _created(self, doc: dict[str, Any], budget: Budget) -> dict[str, Any]:
        uri = value_or_id(doc.get("object"))
        if uri is None or not same_origin(uri, str(doc.get("id"))):
            raise BadRequest("The activity does not name its object")
        budget.take()
        return await self._client.get(uri)

    async def _store_one(self, doc: dict[str, Any], budget: Budget, *, needed: bool) -> Status | None:
        try:
            author_uri = translate.author_of(doc)
            if author_uri is None:
                raise BadRequest("The note has no author")
            await self.actor(author_uri, budget=budget)
            return await self._db.write(store_note, doc, budget.depth)
        except FedcorpError:
            if needed:
                raise
            return None

    # -- keys -------------------------------------------------------------------------------------------------------

    async def key(self, key_id: str, *, fresh: bool = False) -> Key:
        """The key with this id, proven to belong to an actor that lists it. Fetches unless it is known.

        Raises Unauthorized when there is no such key, Unavailable when its server cannot be asked now, Gone when its
        owner was deleted, Forbidden by peer policy.
        """
        known = await self._db.read(accounts.find_key, key_id)
        if known is not None and not fresh:
            return known
        if self._is_recent(self._no_key, key_id, _KEY_MISS_MS):
            raise Unauthorized("The key of the signature is not known.", key_id)
        await self._fetch_owner(key_id)
        found = await self._db.read(accounts.find_key, key_id)
        if found is None:
            self._note(self._no_key, key_id)
            raise Unauthorized("The actor does not list the key of the signature.", key_id)
        return found

    async def _fetch_owner(self, key_id: str) -> None:
        """Store the actor behind a key id: the document is that actor, or a key or stub that names it (GoToSocial)."""
        try:
            doc = await self._client.get(urldefrag(key_id).url, loose=True)
            owner_uri = self._owner_named_by(doc)
            if owner_uri is None:
                raise BadRequest("The key does not name its owner")
            stands_at_own_id = translate.is_actor(doc) and doc.get("id") == owner_uri == urldefrag(key_id).url
            await (self._store_actor(doc) if stands_at_own_id else self.actor(owner_uri, fresh=True))
        except (BadRequest, NotFound) as error:
            self._note(self._no_key, key_id)
            raise Unauthorized("The key of the signature cannot be found.", error.text) from error

    @staticmethod
    def _owner_named_by(doc: dict[str, Any]) -> str | None:
        listed = [item for item in as_list(doc.get("publicKey")) if isinstance(item, dict)]
        named = next((value_or_id(item.get("owner")) for item in listed if item.get("owner")), None)
        return named or owner(doc)

    def may_refetch(self, actor_uri: str) -> bool:
        """Whether the actor of a key that did not fit may be asked again now; says yes once in five minutes."""
        if self._is_recent(self._refetched, actor_uri, REFETCH_MS):
            return False
        self._note(self._refetched, actor_uri)
        return True

    def _is_recent(self, memory: OrderedDict[str, int], name: str, ms: int) -> bool:
        return memory.get(name, -ms) > self._clock.ms() - ms

    def _note(self, memory: OrderedDict[str, int], name: str) -> None:
        memory[name] = self._clock.ms()
        memory.move_to_end(name)
        while len(memory) > _REMEMBERED:
            memory.popitem(last=False)


# -- units -----------------------------------------------------------------------------------------------------------


def store_actor(tx: Tx, doc: dict[str, Any], username: str, domain: str) -> Account:
    """Store an actor whose document was read at its own id. Raises BadRequest, Forbidden."""
    remote = translate.actor(
        doc, username=username, domain=domain, tier=peers.check_tier(tx, domain_of(str(doc["id"])))
    )
    account = accounts.upsert_remote(tx, remote)
    discovery.note_implements(tx, domain_of(account.uri), doc)
    if remote.group is not None:
        groups.save_remote(tx, account.id, remote.group)
    threads.want_pins(tx, account)
    return _note_move(tx, account, value_or_id(doc.get("movedTo")))


def _note_move(tx: Tx, account: Account, uri: str | None) -> Account:
    """Where the actor says that it went, as far as that account is known here and says the same."""
    target = accounts.find_by_uri(tx, uri) if uri is not None else None
    if target is not None and (target.id == account.id or account.uri not in moving.aliases(target)):
        target = None
    if (target.id if target is not None else None) == account.moved_to_id:
        return account
    moving.note(tx, account, target)
    return accounts.get(tx, account.id)


def store_note(tx: Tx, doc: dict[str, Any], depth: int = 0) -> Status | None:
    """Store a note that was read at its own id, as part of history: nobody is notified. None when it was deleted.
    `depth` as in `Budget`."""
    tier = peers.check_tier(tx, domain_of(str(doc.get("id"))))
    try:
        return receiving.receive(tx, translate.note(tx, doc, tier), quiet=not _is_for_us(tx, doc), depth=depth)
    except Missing as missing:
        raise NotFound(detail=str(missing)) from missing


def keep_counts(tx: Tx, doc: dict[str, Any]) -> None:
    """Keep what a note that was read as for `Resolver.store` says of its likes and boosts, if it is here."""
    known = statuses.find_by_uri(tx, str(doc.get("id")))
    author = accounts.find(tx, known.account_id) if known is not None else None
    if known is not None and author is not None and author.uri == translate.author_of(doc):
        counts.keep_of_status(tx, known, *translate.counts_of(doc))


def _is_for_us(tx: Tx, doc: dict[str, Any]) -> bool:
    """What is merely fetched rings no bell, but what was just written to one of us does: its Create may be late."""
    recent = (translate.note_time(doc) or 0) > tx.ms - 3_600_000
    return recent and any(tx.site.urls.owns(uri) for uri in (*ids_of(doc.get("to")), *ids_of(doc.get("cc"))))


def _known(tx: Tx, url: str) -> Account | Status | None:
    """What is here under an address: by URI, or one of our own pages."""
    found = accounts.find_by_uri(tx, url) or statuses.find_by_uri(tx, url)
    page = tx.site.urls.find_page(url)
    if found is not None or page is None:
        return found
    username, status_id = page
    return statuses.find(tx, status_id) if status_id is not None else accounts.find_local(tx, username)
