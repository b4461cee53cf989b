"""Compares our copies of ledgers with those of other departments, so that a group with two histories is found out.

Now and then a few copies are chosen by chance, and for each the server of another department with members: it is sent
the last entry we have, as the group signed it, and answers with its own entry at that number, or with its last. Signed
entries need no trust in whoever shows them: two that cannot both be true are evidence by themselves, and evidence is
passed on in the same way. The cost of a round does not grow with groups or departments.

Our copy is shown to servers that have members in the group, and to one that proves that it was told another history.
Never writes entries; whoever is behind asks the group's own server (`pull`). Decision: docs/decisions/0013.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcorp.activitypub import ledger, render
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.compaction import normalize
from fedcorp.activitypub.documents import domain_of, origin, parse_json
from fedcorp.activitypub.handlers.parties import has_local_follower
from fedcorp.activitypub.ledger import Entry, Fork
from fedcorp.activitypub.serving import Served
from fedcorp.activitypub.signers import Signer
from fedcorp.activitypub.vocabulary import as_list
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.errors import BadRequest, FedcorpError, NotFound
from fedcorp.social import accounts, memberships
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import follows, ledger_heads

ROUND_MS = 60_000
IN_A_ROUND = 5  # copies that are compared, each with one server
MOST_TOLD = 3  # entries that are looked at in one message
PLACE = "/ap/heads"

log = logging.getLogger("fedcorp.activitypub")

_MEMBER_HERE = sa.exists().where(
    follows.c.target_id == ledger_heads.c.group_id,
    follows.c.state == "accepted",
    follows.c.follower_id.in_(sa.select(accounts_table.c.id).where(accounts_table.c.local)),
)
_COPIES = (
    sa.select(ledger_heads.c.group_id)
    .join(accounts_table, accounts_table.c.id == ledger_heads.c.group_id)
    .where(ledger_heads.c.seq > 0, ~accounts_table.c.local, accounts_table.c.deleted_at.is_(None), _MEMBER_HERE)
    .order_by(ledger_heads.c.group_id)
)


@dataclass(frozen=True, slots=True)
class Meeting:
    """One comparison: our copy of a group's ledger with that of the server at `place`."""

    group_id: int
    place: str
    document: dict[str, Any]


class Heads:
    """The rounds of one process; the first begins at a moment by chance, so that servers do not ask all at once."""

    def __init__(self, client: Client, db: Database, clock: Clock) -> None:
        self._client = client
        self._db = db
        self._clock = clock
        self._due = clock.ms() + int(ROUND_MS * (0.5 + clock.random()))

    async def run(self) -> int:
        """One round when it is due. Returns 0: nobody has to wait for it."""
        if self._clock.ms() >= self._due:
            self._due = self._clock.ms() + int(ROUND_MS * (0.5 + self._clock.random()))
            meetings = await self._db.read(_choose)
            await asyncio.gather(*(self._meet(meeting) for meeting in meetings))
        return 0

    async def _meet(self, meeting: Meeting) -> None:
        try:
            answer = await self._client.exchange(meeting.place, meeting.document)
        except FedcorpError as error:
            log.info("the head of a ledger was not compared with %s: %s", domain_of(meeting.place), error.text)
            return
        await self._db.write(_hear_answer, meeting, answer)


# -- asking ----------------------------------------------------------------------------------------------------------


def _choose(tx: Tx) -> list[Meeting]:
    copies = list(tx.conn.execute(_COPIES).scalars())
    chosen = []
    for _ in range(min(IN_A_ROUND, len(copies))):
        group = accounts.get(tx, copies.pop(_by_chance(tx, len(copies))))
        if others := _others(tx, group):
            place = others[_by_chance(tx, len(others))]
            chosen.append(Meeting(group.id, place + PLACE, _tell(tx, group)))
    return chosen


def _by_chance(tx: Tx, size: int) -> int:
    return int(tx.clock.random() * size)


def _others(tx: Tx, group: Account) -> list[str]:
    """Departments with members. The group's own server is asked for entries, not for an opinion; it is shown what its
    group is doubted for, though, because its administrators may know nothing of it."""
    places = {*memberships.origins(tx, group), group.origin} - {tx.site.urls.origin}
    if ledger.head(tx, group.id).forked_at is None:
        places.discard(group.origin)
    return sorted(place for place in places if peers.find_tier(tx, domain_of(place)) == "department")


def _hear_answer(tx: Tx, meeting: Meeting, answer: dict[str, Any]) -> None:
    group = accounts.find(tx, meeting.group_id)
    if group is None:
        return
    domain = domain_of(meeting.place)
    try:
        _listen(tx, group, _entries_in(answer), domain)
    except FedcorpError as error:
        log.warning("what %s answered about the ledger of %s is no entry: %s", domain, group.handle, error.text)


# -- being asked -----------------------------------------------------------------------------------------------------


def meet(tx: Tx, body: bytes, signer: Signer) -> Served:
    """Take what another department shows of a group's ledger, and answer with ours as far as they may see it.

    The answer is an empty collection for who may not. Raises NotFound to others than departments, BadRequest for
    something else than entries, Forbidden for entries that the group did not sign.
    """
    if signer.tier != "department":
        raise NotFound
    told = _entries_in(normalize(parse_json(body)))
    group = accounts.find_by_uri(tx, str(told[0].document.get("attributedTo"))) if told else None
    if group is None or not group.is_group or group.hidden or ledger.head(tx, group.id).seq == 0:
        return Served(_collection(tx, 0, []))
    doubted = _listen(tx, group, told, signer.domain)
    if not doubted and not memberships.has_member_at(tx, group, origin(signer.actor_uri)):
        return Served(_collection(tx, 0, []))
    return Served(_tell(tx, group, upto=told[0].seq))


def _tell(tx: Tx, group: Account, upto: int | None = None) -> dict[str, Any]:
    """Our last entry, or the one at the number `upto`; with it what we know of another history."""
    last = ledger.head(tx, group.id)
    evidence = ledger.find_evidence(tx, group.id)
    found = ledger.find_entry(tx, group.id, last.seq if upto is None else min(upto, last.seq))
    shown = [found, *((evidence.told, evidence.known) if evidence is not None else ())]
    return _collection(tx, last.seq, [document for document in shown if document is not None])


def _collection(tx: Tx, total: int, documents: list[dict[str, Any]]) -> dict[str, Any]:
    items = [{"type": "Delivery", "entry": document} for document in documents]
    return render.collection(tx.site.urls.origin + PLACE, total, items)


# -- comparing -------------------------------------------------------------------------------------------------------


def _entries_in(document: dict[str, Any]) -> list[Entry]:
    """The entries of a message. Raises BadRequest for anything else in it."""
    items = as_list(document.get("orderedItems"))[:MOST_TOLD]
    found = [ledger.read(item.get("entry")) if isinstance(item, dict) else None for item in items]
    entries = [entry for entry in found if entry is not None]
    if len(entries) != len(items):
        raise BadRequest("The message holds something else than entries.")
    return entries


def _listen(tx: Tx, group: Account, told: Iterable[Entry], domain: str) -> bool:
    """Compare our copy with what we are shown; whether they contradict each other. Raises Forbidden for what the group
    did not sign."""
    doubted = False
    for entry in told:
        ledger.check(tx, group, entry)
        last = ledger.head(tx, group.id)
        try:
            is_ahead = ledger.compare(tx, group, last, entry) == "ahead"
        except Fork:
            ledger.mark_forked(tx, group, entry, domain)
            doubted = True
            continue
        if is_ahead and not group.local and last.forked_at is None and has_local_follower(tx, group.id):
            if entry.seq > last.settled:  # or it may belong to the history that was given up
                ledger.note_known(tx, group.id, last, entry.seq)
            ledger.pull(tx, group.id)
    return doubted
