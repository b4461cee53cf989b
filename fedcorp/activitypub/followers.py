"""Keeps the two halves of a follow equal: says with a delivery who follows, and repairs what differs (FEP-8fcf).

Outgoing, a header tells the digest of an account's followers on the server that is delivered to. Incoming, the digest
is held against our own people; where it differs the list is read, from the server of the account alone, and acted upon
only when it is the one that the header spoke of. Groups that keep a ledger are left out: there the ledger alone says
who belongs.
"""

import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcorp.activitypub import paging
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.documents import Activity, same_origin
from fedcorp.activitypub.signatures import ParsedSignature
from fedcorp.activitypub.vocabulary import ids_of
from fedcorp.clock import Clock
from fedcorp.errors import FedcorpError, Unavailable
from fedcorp.social import accounts, follows, groups, memberships
from fedcorp.social.accounts import Account
from fedcorp.social.events import Unfollowed
from fedcorp.storage import jobs
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import follows as follows_table

HEADER = "collection-synchronization"
PLACE = "followers_synchronization"
AFTER_MS = 10_000  # so that what is under way (an Accept, say) has arrived before anything is compared
AGAIN_MS = 3_600_000  # a digest that does not change is compared once in this time
MOST = 20_000
_REMEMBERED = 4096
_PART = re.compile(r'\s*([A-Za-z]+)\s*=\s*"([^"]*)"\s*(?:,|\Z)')
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")

log = logging.getLogger("fedcorp.activitypub")

_FOLLOWERS_OF = (
    sa.select(accounts_table.c.uri)
    .join(follows_table, follows_table.c.follower_id == accounts_table.c.id)
    .where(follows_table.c.target_id == sa.bindparam("target"), follows_table.c.state == "accepted")
    .where(accounts_table.c.deleted_at.is_(None))
)
_AT = _FOLLOWERS_OF.where(follows_table.c.origin.in_(sa.bindparam("origins", expanding=True)))
_HERE = _FOLLOWERS_OF.where(accounts_table.c.local)


@dataclass(frozen=True, slots=True)
class Announced:
    """What the header of a delivery says: the followers of `actor` here have this digest and are listed at `url`."""

    actor: str
    collection: str
    url: str
    digest: str


def digest(uris: Iterable[str]) -> str:
    """The sum of a set of followers: SHA-256 of each, combined by XOR; zeros for none (FEP-8fcf)."""
    total = 0
    for uri in uris:
        total ^= int.from_bytes(hashlib.sha256(uri.encode()).digest(), "big")
    return f"{total:064x}"


# -- telling ---------------------------------------------------------------------------------------------------------


def at(tx: Tx, account_id: int, domain: str) -> list[str]:
    """The accepted followers of an account that live on a server, by uri."""
    origins = [f"https://{domain}", f"http://{domain}"]
    return list(tx.conn.execute(_AT, {"target": account_id, "origins": origins}).scalars())


def header(tx: Tx, account: Account, domain: str) -> str:
    """The value of the header for a delivery to a server."""
    total = digest(at(tx, account.id, domain))
    return f'collectionId="{account.followers_uri}", url="{account.uri}/{PLACE}", digest="{total}"'


def headers_for(tx: Tx, domain: str, entries: Iterable[tuple[int, bytes]], *, keeps_ledgers: bool) -> dict[int, str]:
    """The header of each account among (account id, activity) some of whose activities go to its followers there."""
    found: dict[int, str] = {}
    kept = list(entries)
    for account in accounts.find_many(tx, {account_id for account_id, _ in kept}).values():
        if not account.followers_uri or (account.is_group and keeps_ledgers):
            continue
        named = f'"{account.followers_uri}"'.encode()
        if any(account_id == account.id and named in body for account_id, body in kept):
            found[account.id] = header(tx, account, domain)
    return found


# -- hearing ---------------------------------------------------------------------------------------------------------


def parse(text: str) -> dict[str, str] | None:
    """The parts of the header; None when it cannot be read."""
    values: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None or match[1] in values:
            return None
        values[match[1]] = match[2]
        position = match.end()
    return values if {"collectionId", "url", "digest"} <= set(values) else None


def announced(text: str | None, parsed: ParsedSignature, activity: Activity) -> Announced | None:
    """What a delivery says of the followers of its actor, by a header that its signature covers."""
    if text is None or len(text) > 4096 or HEADER not in parsed.covered:
        return None
    values = parse(text)
    if values is None or not _DIGEST.match(values["digest"]):
        return None
    if not same_origin(values["url"], activity.actor) or not same_origin(values["collectionId"], activity.actor):
        return None
    return Announced(activity.actor, values["collectionId"], values["url"], values["digest"])


class FollowersSync:
    """The job `sync_followers`, and what asks for it."""

    def __init__(self, client: Client, db: Database, clock: Clock) -> None:
        self._client = client
        self._db = db
        self._clock = clock
        self._noted: OrderedDict[str, tuple[str, int]] = OrderedDict()

    async def note(self, heard: Announced) -> None:
        """Have a digest compared soon, unless the same one was compared not long ago."""
        known = self._noted.get(heard.actor)
        if known is not None and known[0] == heard.digest and known[1] > self._clock.ms() - AGAIN_MS:
            return
        self._noted[heard.actor] = (heard.digest, self._clock.ms())
        self._noted.move_to_end(heard.actor)
        while len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        await self._db.write(_ask_for_job, heard)

    async def run(self, payload: dict[str, Any]) -> None:
        """Compare, and read the list when it differs. Raises Unavailable, so that it is tried again later."""
        heard = Announced(**{name: str(payload[name]) for name in ("actor", "collection", "url", "digest")})
        if not await self._db.read(_differs, heard):
            return
        try:
            read = await paging.read(self._client, heard.url, most=MOST)
        except Unavailable:
            raise
        except FedcorpError as error:
            log.info("the followers of an account could not be compared: %s", error.text)
            return
        listed = set(ids_of(read.found))
        if not read.whole or digest(listed) != heard.digest:
            log.info("the list of followers at %s is not the one that was announced", heard.url)
            return
        await self._db.write(_repair, heard, listed)


def _ask_for_job(tx: Tx, heard: Announced) -> None:
    payload = {"actor": heard.actor, "collection": heard.collection, "url": heard.url, "digest": heard.digest}
    jobs.put(tx, "sync_followers", payload, run_at=tx.ms + AFTER_MS, unique_key=f"sync_followers:{heard.actor}")


def _account(tx: Tx, heard: Announced) -> Account | None:
    """Whose followers are spoken of; None when that is not a collection of theirs, or a ledger says who belongs."""
    account = accounts.find_by_uri(tx, heard.actor)
    if account is None or account.local or account.hidden or account.followers_uri != heard.collection:
        return None
    group = groups.find(tx, account.id) if account.is_group else None
    return account if group is None or group.ledger_uri is None else None


def _here(tx: Tx, account: Account) -> set[str]:
    return set(tx.conn.execute(_HERE, {"target": account.id}).scalars())


def _differs(tx: Tx, heard: Announced) -> bool:
    account = _account(tx, heard)
    return account is not None and digest(_here(tx, account)) != heard.digest


def _repair(tx: Tx, heard: Announced, listed: set[str]) -> None:
    """Make our half like theirs, except where they list somebody who does not follow: they are told so."""
    account = _account(tx, heard)
    if account is None:
        return
    for uri in sorted(_here(tx, account) - listed):
        _end(tx, accounts.find_by_uri(tx, uri), account)
    for uri in sorted(listed):
        follower = accounts.find_by_uri(tx, uri) if tx.site.urls.owns(uri) else None
        if follower is None or not follower.local or follower.kind != "person" or follower.hidden:
            continue
        known = follows.find(tx, follower.id, account.id)
        if known is None:
            tx.record(Unfollowed(follower.id, account.id, tx.site.urls.activity(tx.new_id()), "accepted"))
        elif known.state == "pending":
            follows.accept(tx, follower.id, account.id)


def _end(tx: Tx, follower: Account | None, account: Account) -> None:
    if follower is None:
        return
    if account.is_group:
        memberships.leave(tx, follower, account)
    else:
        follows.unfollow(tx, follower.id, account.id)
