"""Ends the doubt about a group that showed two histories, once an administrator here has decided to believe its server.

What our copy shares with the history that the server tells now stays. That history is read to its end and checked
before anything of ours is given up; then members and roles become what it says, and `pull` takes its entries. Posts
stay as they are: who wrote them has signed them, and what was removed stays so until a moderator restores it.
While the server cannot be reached, or tells what does not hold, the doubt stays. Decision: docs/decisions/0024.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from fedcorp.activitypub import ledger, ledger_keys
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.handlers import groups as handlers
from fedcorp.activitypub.ledger import Chain, Evidence, Head
from fedcorp.activitypub.resolve import Resolver
from fedcorp.activitypub.vocabulary import as_list
from fedcorp.clock import Clock
from fedcorp.company import audit
from fedcorp.errors import Unavailable, Unprocessable
from fedcorp.social import accounts, groups
from fedcorp.social.accounts import Account
from fedcorp.storage import jobs
from fedcorp.storage.database import Database, Tx

JOB = "settle_ledger"
MOST_PAGES = 5_000


def settle(tx: Tx, group: Account, actor: str) -> Evidence:
    """Decide, in the name of `actor` for the audit, to believe a group in doubt again; what the doubt was founded on.

    A group of this department is believed at once, one of another department when its server has told its history.
    Raises Unprocessable for a group that is not in doubt.
    """
    last, evidence = ledger.head(tx, group.id), ledger.find_evidence(tx, group.id)
    if last.forked_at is None or evidence is None:
        raise Unprocessable(f"@{group.handle} is not in doubt: no two histories of it were seen here.")
    audit.note(tx, actor, "ledger.settle", group.uri, f"told by {evidence.told_by}: entry {evidence.told.get('seq')}")
    if group.local:
        ledger.give_up(tx, group, last.seq, last.seq)
    else:
        jobs.put(tx, JOB, {"group": group.id}, unique_key=f"{JOB}:{group.id}")
    return evidence


class Settlement:
    """The job `settle_ledger`: its payload names the group."""

    def __init__(self, client: Client, resolver: Resolver, db: Database, clock: Clock) -> None:
        self._client = client
        self._resolver = resolver
        self._db = db
        self._clock = clock

    async def run(self, payload: dict[str, Any]) -> None:
        """Take the copy of a group again. Raises FedcorpError while its server does not tell a history that holds."""
        group_id = int(payload["group"])
        group, last = await self._db.read(_find, group_id)
        if group is None or group.hidden or last.forked_at is None:
            return
        await self._resolver.actor(group.uri, fresh=True)  # its rules, and the key that it publishes
        place = await self._db.read(_place, group_id)
        seq = await self._last_shared(group_id, place, last.seq)
        chain = await self._db.read(ledger.shared, group, seq)
        bodies = await self._read_on(group, place, chain)
        await self._db.write(_take_again, group, last, seq, chain.count, bodies)

    async def _last_shared(self, group_id: int, place: str, size: int) -> int:
        """The number of the last entry that our copy and the history there have in common: each entry holds the digest
        of the one before, so what is behind the first difference is different, too."""
        low, high = 0, size
        while low < high:
            middle = (low + high + 1) // 2
            page = await self._page(place, middle - 1)
            is_ours = await self._db.read(_is_ours, group_id, middle, page)
            if is_ours:
                low = middle
            else:
                high = middle - 1
        return low

    async def _read_on(self, group: Account, place: str, chain: Chain) -> list[Any]:
        """The bodies of what is told behind `chain`, which goes on to its end. Raises Unavailable when it does not
        hold."""
        bodies: list[Any] = []
        for _ in range(MOST_PAGES):
            page = await self._page(place, chain.count)
            if chain.count == 0:
                chain.key = ledger_keys.read_multikey(group, page.get("firstKey"), chain.key.now) or chain.key
            if not (items := _items(page)):
                return bodies
            bodies += await self._clock.offload(_add, chain, items)
        raise Unavailable("What the group's server tells has no end.")

    async def _page(self, place: str, after: int) -> dict[str, Any]:
        return await self._client.get(f"{place}?after={after}")


def _find(tx: Tx, group_id: int) -> tuple[Account | None, Head]:
    return accounts.find(tx, group_id), ledger.head(tx, group_id)


def _place(tx: Tx, group_id: int) -> str:
    rules = groups.find(tx, group_id)
    if rules is None or rules.ledger_uri is None:
        raise Unavailable("The group's server shows no ledger of it.")
    return rules.ledger_uri


def _items(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in as_list(page.get("orderedItems"))[: ledger.PAGE] if isinstance(item, dict)]


def _is_ours(tx: Tx, group_id: int, seq: int, page: dict[str, Any]) -> bool:
    """Whether a page begins with the entry that our copy has under this number."""
    items = _items(page)
    entry = ledger.read(items[0].get("entry")) if items else None
    return entry is not None and entry.seq == seq and ledger.holds(tx, group_id, entry)


def _add(chain: Chain, items: Sequence[dict[str, Any]]) -> list[Any]:
    """Add entries to a chain; the bodies of those that came with one. Raises Unavailable for one that does not hold."""
    bodies = []
    for item in items:
        entry, body = ledger.read(item.get("entry")), item.get("body")
        kept = body if entry is not None and isinstance(body, dict) and ledger.fits(entry, body) else None
        if (flaw := chain.add(item.get("entry"), kept)) is not None:
            raise Unavailable(f"What the group's server tells does not hold: entry {flaw.seq}: {flaw.text}.")
        if kept is not None:
            bodies.append(kept)
    return bodies


def _take_again(tx: Tx, group: Account, last: Head, seq: int, told: int, bodies: list[Any]) -> None:
    """Let our copy end with `seq`, and members and roles be what follows from it and from `bodies` behind it."""
    if ledger.head(tx, group.id) != last:
        raise Unavailable("Our copy has changed meanwhile.")
    ledger.give_up(tx, group, seq, told)
    ours = [orjson.loads(body) for _, _, body, _ in ledger.all_entries(tx, group.id) if body is not None]
    handlers.retell_roles(tx, group, [*ours, *bodies])
    ledger.pull(tx, group.id)
