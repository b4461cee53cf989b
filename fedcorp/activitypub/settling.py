"""Ends the doubt about a group that showed two histories, once an administrator here has decided to believe its server.

What our copy shares with the history that the server tells now stays. That history is read to its end and checked
before anything of ours is given up; then members and roles become what it says, and `pull` takes its entries. Posts
stay as they are: who wrote them has signed them, and what was removed stays so until a moderator restores it.
While the server cannot be reached, or tells what does not hold, the doubt stays. Decision: docs/decisions/0024.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import orjson

from fedcorp.activitypub import ledger, ledger_keys
from fedcorp.activitypub.documents import domain_of
from fedcorp.activitypub.handlers import groups as handlers
from fedcorp.activitypub.intake import Deferred, Intake, Missing
from fedcorp.activitypub.ledger import Chain, Evidence
from fedcorp.activitypub.resolve import Budget, Resolver
from fedcorp.activitypub.vocabulary import as_list
from fedcorp.company import audit, peers
from fedcorp.errors import Unavailable, Unprocessable
from fedcorp.social import accounts, groups
from fedcorp.social.accounts import Account
from fedcorp.storage import jobs
from fedcorp.storage.database import Database, Tx

JOB = "settle_ledger"
MOST_FETCHES = 400


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

    def __init__(self, db: Database, resolver: Resolver) -> None:
        self._db = db
        self._resolver = resolver

    async def run(self, payload: dict[str, Any]) -> None:
        """Take the copy of a group again. Raises Unavailable, so that it is tried again later."""
        group_id = int(payload["group"])
        intake: Intake | None = None
        for _ in range(MOST_FETCHES):
            found = await self._db.write(_step, group_id, intake)
            if found is None:
                return
            missing, intake = found
            await self._resolver.fetch(missing, intake, Budget())
        raise Unavailable("What the group's server tells has no end.")


def _step(tx: Tx, group_id: int, intake: Intake | None) -> tuple[Missing, Intake] | None:
    """Settle with what was fetched, once all is there; what is missing next, or None when the doubt has ended."""
    group = accounts.find(tx, group_id)
    if group is None or group.hidden or ledger.head(tx, group_id).forked_at is None:
        return None
    if intake is None:
        domain = domain_of(group.uri)
        intake = Intake(domain, peers.check_tier(tx, domain))
    try:
        _take_again(tx, group, _History(tx, group, intake))
    except Missing as missing:
        return missing, intake
    except Deferred as deferred:
        raise Unavailable("The server of the group cannot be reached.", str(deferred)) from deferred
    return None


def _take_again(tx: Tx, group: Account, history: "_History") -> None:
    seq = history.last_shared(tx)
    chain = ledger.shared(tx, group, seq)
    told = history.read_on(chain)
    ledger.give_up(tx, group, seq, chain.count)
    handlers.retell_roles(tx, group, itertools.chain(_bodies(tx, group), told))
    ledger.pull(tx, group.id)


def _bodies(tx: Tx, group: Account) -> Iterator[Any]:
    """What our copy keeps of the activities that its entries stand for."""
    return (orjson.loads(body) for _, _, body, _ in ledger.all_entries(tx, group.id) if body is not None)


class _History:
    """What the server of a group tells now. Raises Missing for what was not fetched yet, Deferred while it is away."""

    def __init__(self, tx: Tx, group: Account, intake: Intake) -> None:
        self._group = group
        self._intake = intake
        if group.uri not in intake.stored:  # its rules, and the key that it publishes
            intake.require(group.uri, "fresh actor")
        rules = groups.find(tx, group.id)
        if rules is None or rules.ledger_uri is None:
            raise Unavailable("The group's server shows no ledger of it.")
        self._uri = rules.ledger_uri
        self._size = ledger.head(tx, group.id).seq

    def last_shared(self, tx: Tx) -> int:
        """The number of the last entry that our copy and this history have in common: each entry holds the digest of
        the one before, so what is behind the first difference is different too."""
        low, high = 0, self._size
        while low < high:
            middle = (low + high + 1) // 2
            items = self._page(middle - 1)
            entry = ledger.read(items[0].get("entry")) if items else None
            if entry is not None and entry.seq == middle and ledger.holds(tx, self._group.id, entry):
                low = middle
            else:
                high = middle - 1
        return low

    def read_on(self, chain: Chain) -> list[Any]:
        """The bodies of what is told behind `chain`, which goes on to its end. Raises Unavailable when it does not
        hold."""
        bodies = []
        if chain.count == 0 and (first := self._first_key(chain)) is not None:
            chain.key = first
        while items := self._page(chain.count):
            for item in items:
                entry, body = ledger.read(item.get("entry")), item.get("body")
                kept = body if entry is not None and isinstance(body, dict) and ledger.fits(entry, body) else None
                if (flaw := chain.add(item.get("entry"), kept)) is not None:
                    raise Unavailable(f"What the group's server tells does not hold: entry {flaw.seq}: {flaw.text}.")
                bodies.append(kept)
        return bodies

    def _first_key(self, chain: Chain) -> ledger_keys.GroupKey | None:
        return ledger_keys.read_multikey(self._group, self._document(0).get("firstKey"), chain.key.now)

    def _page(self, after: int) -> list[dict[str, Any]]:
        items = as_list(self._document(after).get("orderedItems"))[: ledger.PAGE]
        return [item for item in items if isinstance(item, dict)]

    def _document(self, after: int) -> dict[str, Any]:
        uri = f"{self._uri}?after={after}"
        if uri not in self._intake.documents:
            self._intake.require(uri, "document")
            raise Unavailable("The group's server does not show its ledger.")
        return self._intake.documents[uri]
