"""Sends the ordered log of every peer: one task leases a peer, posts entry by entry and moves that peer's cursor.

An entry is settled when it was sent, refused for good, or may no longer go there. Anything else stops the log of that
peer, which is tried again later; other peers do not wait. Departments are never given up.
"""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Protocol

import httpx
import orjson
import sqlalchemy as sa

from fedcorp.activitypub import discovery, followers, signatures
from fedcorp.clock import Clock, to_ms
from fedcorp.company import peers as company_peers
from fedcorp.company.peers import Peer
from fedcorp.errors import FedcorpError, report
from fedcorp.keys import load_private
from fedcorp.net import stage_of
from fedcorp.social import policy
from fedcorp.social.accounts import KEEP_KEYS_MS
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.leases import LEASE_MS, kept
from fedcorp.storage.tables import activities, deliveries, keys, peers

log = logging.getLogger(__name__)

BATCH = 25
PEERS_AT_ONCE = 16
DEPARTMENT_PAUSES_MS = (500, 1_000, 2_000, 5_000, 10_000, 30_000)
PARTNER_PAUSES_MS = (15_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000)
LONGEST_RETRY_AFTER_MS = 6 * 3_600_000
TOO_FAST_MS = 30_000  # pause after a 429 that does not say how long
ASKED_TO_WAIT = frozenset({429, 503})
PARK_AFTER_ASKED = 64  # of one that it answers with 503 and a time to come again
PARK_AFTER = 8  # tries of one activity that a peer neither takes nor refuses while it is otherwise well
PARK_AFTER_PARTNER = 4  # the same for peers whose pauses are long
LOOK_AHEAD = 3  # entries after one that had its tries, of which one must be taken to show that the peer is well
PARK_AFTER_UNREAD = 2  # of one of which the peer says that it cannot fetch what it names (NodeBB)
EXPIRES_MS = 7 * 86_400_000
EXPIRING = ("Like",)
_REFUSED = frozenset({400, 404, 405, 406, 410, 413, 414, 415, 422, 501})
_TRY_OTHER_DIALECT = frozenset({400, 401})
_TOO_MANY_REQUESTS = 429
_FORBIDDEN = 403
_UNREAD = 424

_DUE = sa.select(peers.c.domain).where(
    peers.c.removed_at.is_(None),
    peers.c.next_seq - 1 > peers.c.cursor,
    sa.or_(peers.c.next_attempt_at.is_(None), peers.c.next_attempt_at <= sa.bindparam("now")),
    sa.or_(peers.c.lease_until_at.is_(None), peers.c.lease_until_at < sa.bindparam("now")),
)
_ENTRIES = (
    sa.select(
        deliveries.c.seq,
        deliveries.c.inbox_uri,
        deliveries.c.attempts,
        activities.c.type,
        activities.c.reach,
        activities.c.body,
        activities.c.created_at,
        activities.c.account_id,
        deliveries.c.state,
    )
    .join(activities, activities.c.id == deliveries.c.activity_id)
    .where(deliveries.c.domain == sa.bindparam("domain"), deliveries.c.seq > sa.bindparam("after"))
    .order_by(deliveries.c.seq)
    .limit(BATCH)
)
_KEYS = (
    sa.select(keys.c.account_id, keys.c.kind, keys.c.id, keys.c.private, keys.c.expires_at)
    .where(keys.c.account_id.in_(sa.bindparam("accounts", expanding=True)))
    .where(keys.c.private.is_not(None), keys.c.revoked_at.is_(None))
    .order_by(keys.c.expires_at)
)
_SETTLE = (
    sa.update(deliveries)
    .where(deliveries.c.domain == sa.bindparam("of"), deliveries.c.seq == sa.bindparam("entry"))
    .values(
        state=sa.bindparam("outcome"),
        attempts=deliveries.c.attempts + 1,
        last_status=sa.bindparam("status"),
        error=sa.bindparam("why"),
    )
)
_STATE = sa.select(deliveries.c.state).where(
    deliveries.c.domain == sa.bindparam("of"), deliveries.c.seq == sa.bindparam("entry")
)
_OURS = sa.and_(peers.c.domain == sa.bindparam("of"), peers.c.lease_token == sa.bindparam("mine"))
_TAKE = (
    sa.update(peers)
    .where(peers.c.domain == sa.bindparam("of"), peers.c.removed_at.is_(None))
    .where(
        sa.or_(
            peers.c.lease_until_at.is_(None),
            peers.c.lease_until_at < sa.bindparam("now"),
            peers.c.lease_token == sa.bindparam("mine"),
        )
    )
    .where(sa.or_(peers.c.next_attempt_at.is_(None), peers.c.next_attempt_at <= sa.bindparam("now")))
    .values(lease_token=sa.bindparam("mine"), lease_until_at=sa.bindparam("until"))
)
_RENEW = sa.update(peers).where(_OURS).values(lease_until_at=sa.bindparam("until"))
_RELEASE = sa.update(peers).where(_OURS).values(lease_token=None, lease_until_at=None)
_CHANGE = sa.update(peers).where(peers.c.domain == sa.bindparam("of"))


class Sender(Protocol):
    """What delivery needs of the one client: POST signed bytes to an inbox, and find out what software a peer runs."""

    async def post(self, inbox: str, body: bytes, headers: dict[str, str]) -> httpx.Response: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a peer's log, with what is needed to sign it."""

    seq: int
    inbox_uri: str
    attempts: int
    type: str
    reach: str
    body: bytes
    created_at: int
    account_id: int
    state: str = "queued"  # or rejected, when the peer has said so in a word of its own
    rsa_id: str = ""
    rsa_private: str = ""
    ed25519_id: str = ""
    ed25519_private: str = ""
    synchronization: str | None = None  # the header by which a peer checks who follows (FEP-8fcf)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one try. `settled` moves the cursor; else the peer is paused for `retry_after` ms or longer.

    A peer that `asks` us to wait has not failed, and nothing but the end of that time wakes us. An entry that is
    `stuck` had all its tries: it is set aside if the peer takes something that comes after it. A peer that was
    `reached` had the request, whether it answered or not.
    """

    state: str
    settled: bool
    status: int | None = None
    error: str | None = None
    retry_after: int = 0
    asks: bool = False
    stuck: bool = False
    reached: bool = True
    dialect: str | None = None


_TOLD = Verdict("rejected", settled=True, error="the other server says that it does not take it")


class Delivery:
    """Delivers for one process. `sender` is the one client of the wire."""

    def __init__(self, db: Database, clock: Clock, sender: Sender) -> None:
        self._db = db
        self._clock = clock
        self._sender = sender
        self._token = clock.token(12)
        self._busy: set[str] = set()

    async def run_due(self) -> int:
        """Deliver to every peer that is due until its log is empty or it must wait; how many entries were settled."""
        domains = [domain for domain in await self._db.read(_due_domains) if domain not in self._busy]
        gate = asyncio.Semaphore(PEERS_AT_ONCE)
        results = await asyncio.gather(*(self._serve(domain, gate) for domain in domains), return_exceptions=True)
        for domain, result in zip(domains, results, strict=True):
            if isinstance(result, BaseException):
                report(log, result, "delivery to %s stopped", domain)
        return sum(result for result in results if isinstance(result, int))

    async def _serve(self, domain: str, gate: asyncio.Semaphore) -> int:
        async with gate:
            self._busy.add(domain)
            try:
                return await self._empty_log(domain)
            except BaseException:  # also when asked to stop: the next process need not wait until the lease ends
                await self._db.write(_release, domain, self._token)
                raise
            finally:
                self._busy.discard(domain)

    async def _empty_log(self, domain: str) -> int:
        settled = 0
        while True:
            leased = await self._db.write(_lease, domain, self._token)
            if leased is None:
                return settled
            peer, entries = leased
            if not entries:
                await self._db.write(_release, domain, self._token)
                return settled
            async with kept(self._clock, partial(self._db.write, _renew, domain, self._token)):
                results = await self._send_batch(peer, entries)
            settled += sum(verdict.settled for _, verdict in results)
            if not await self._db.write(_record, domain, self._token, results):
                return settled

    async def _send_batch(self, peer: Peer, entries: list[Entry]) -> list[tuple[Entry, Verdict]]:
        """Post in order; stop at the first entry that is not settled."""
        dialect = signatures.dialects(peer.signature_profile)[0]
        signed = await self._clock.offload(_sign_all, entries, dialect, self._clock)
        results: list[tuple[Entry, Verdict]] = []
        taken: dict[int, Verdict] = {}
        for place, (entry, headers) in enumerate(zip(entries, signed, strict=True), 1):
            verdict = taken.get(entry.seq) or _early_verdict(peer, entry, self._clock.ms())
            if verdict is None:
                verdict = await self._send(peer, entry, headers)
            if verdict.stuck:
                following = list(zip(entries[place:], signed[place:], strict=True))
                taken = taken or await self._look_ahead(peer, following[: _reach(peer, entry)])
                verdict = _parked(peer, entry, verdict) if taken else verdict
            results.append((entry, verdict))
            if not verdict.settled:
                break
        return results

    async def _look_ahead(self, peer: Peer, following: list[tuple[Entry, dict[str, Any]]]) -> dict[int, Verdict]:
        """The first of these entries that the peer takes, out of its turn: then it is well, and what is before it is at
        fault. Nothing when it takes none.
        """
        for entry, headers in following:
            if _early_verdict(peer, entry, self._clock.ms()) is None:
                verdict = await self._send(peer, entry, headers)
                if verdict.state == "sent":
                    return {entry.seq: verdict}
                if not verdict.settled and (verdict.asks or verdict.status == _FORBIDDEN or not verdict.reached):
                    break  # it wants to be left alone, or cannot be reached
        return {}

    async def _send(self, peer: Peer, entry: Entry, headers: dict[str, str]) -> Verdict:
        """One try: the dialect that worked last, then the others when the answer says that it did not like it."""
        dialects = signatures.dialects(peer.signature_profile)
        left, response, wanted = list(dialects), None, None
        signed = headers
        while left:
            dialect = left.pop(0)
            if response is not None:
                signed = _sign(entry, dialect, self._clock, wanted)
            try:
                response = await self._sender.post(entry.inbox_uri, entry.body, signed)
            except (httpx.HTTPError, FedcorpError) as error:
                return _unanswered(peer, entry, error)
            if response.status_code not in _TRY_OTHER_DIALECT:
                return judge(peer, entry, response, dialect, self._clock.ms())
            if wanted is None and (wanted := signatures.asked(response.headers.get("accept-signature"))) is not None:
                left = [wanted.dialect, *(one for one in left if one != wanted.dialect)]
        assert response is not None
        return judge(peer, entry, response, dialects[0], self._clock.ms())


def _sign_all(entries: list[Entry], dialect: str, clock: Clock) -> list[dict[str, str]]:
    return [_sign(entry, dialect, clock) for entry in entries]


def _sign(entry: Entry, dialect: Any, clock: Clock, wanted: signatures.Asked | None = None) -> dict[str, str]:
    edwards = dialect == "9421-ed25519"
    return signatures.sign(
        "POST",
        entry.inbox_uri,
        entry.body,
        key_id=entry.ed25519_id if edwards else entry.rsa_id,
        private=load_private(entry.ed25519_private if edwards else entry.rsa_private),
        dialect=dialect,
        now=clock.now(),
        headers={followers.HEADER: entry.synchronization} if entry.synchronization else None,
        wanted=wanted,
    )


def _early_verdict(peer: Peer, entry: Entry, now: int) -> Verdict | None:
    """What needs no try: the peer may no longer have it, wants it no more, or it has become pointless."""
    if entry.state == "rejected":
        return _TOLD
    if not policy.reaches(entry.reach, peer.tier):
        return Verdict("skipped", settled=True, error=f"reach {entry.reach} does not go to a {peer.tier}")
    if entry.type in EXPIRING and entry.created_at < now - EXPIRES_MS:
        return Verdict("skipped", settled=True, error="too old to matter")
    unbearable = discovery.UNBEARABLE.get(peer.software or "")
    if unbearable is not None and not unbearable.isdisjoint(_kinds(entry)):
        return Verdict("skipped", settled=True, error=f"{peer.software} fails on it")
    return None


def _kinds(entry: Entry) -> set[str]:
    """How `UNBEARABLE` may call an activity: by its type, of an Undo that of what it undoes, and by both types."""
    thing = orjson.loads(entry.body).get("object")
    inner = str(thing.get("type")) if isinstance(thing, dict) else ""
    return {inner if inner and entry.type == "Undo" else entry.type, f"{entry.type} {inner}"}


def _tries(peer: Peer) -> int:
    """After how many tries an entry is set aside, if the peer is well otherwise."""
    return PARK_AFTER if peer.tier == "department" else PARK_AFTER_PARTNER


def _reach(peer: Peer, entry: Entry) -> int:
    """How many entries to look ahead: more with each further try, since several may stand together that a peer fails
    on."""
    return LOOK_AHEAD * max(1, entry.attempts + 2 - _tries(peer))


def _unanswered(peer: Peer, entry: Entry, error: Exception) -> Verdict:
    """No answer came. Where the peer was reached, that may be for what this entry is: it closes the connection, or
    never answers (NodeBB, Gancio)."""
    reached = isinstance(error.__cause__, httpx.TransportError) and stage_of(error.__cause__)[0] == "http"
    stuck = reached and entry.attempts + 1 >= (1 if peer.software in discovery.SILENT else _tries(peer))
    text = f"{type(error).__name__}: {error}"[:300]
    return Verdict("queued", settled=False, error=text, stuck=stuck, reached=reached)


def judge(peer: Peer, entry: Entry, response: httpx.Response, dialect: str, now: int) -> Verdict:
    """What an answer means. A department that refuses us (403) may yet add us: that pauses, and drops nothing."""
    status = response.status_code
    if 200 <= status < 300:
        return Verdict("sent", settled=True, status=status, dialect=dialect)
    patient = status == _FORBIDDEN and peer.tier == "department"
    if status in _REFUSED or (status == _FORBIDDEN and not patient):
        return Verdict("rejected", settled=True, status=status, error=f"HTTP {status}")
    if status == _UNREAD and entry.attempts + 1 >= PARK_AFTER_UNREAD:
        log.warning("activity %s parked: %s cannot read what it names", entry.seq, peer.domain)
        return Verdict("rejected", settled=True, status=status, error=f"HTTP {status}, {PARK_AFTER_UNREAD} times")
    wait = _retry_after(response, now)
    if status == _TOO_MANY_REQUESTS and not wait:
        wait = TOO_FAST_MS
    asks = status in ASKED_TO_WAIT and wait > 0
    retries = 0 if patient or status == _TOO_MANY_REQUESTS else _tries(peer)
    retries = PARK_AFTER_ASKED if retries and asks else retries
    spent = retries > 0 and entry.attempts + 1 >= retries
    verdict = Verdict(
        "queued",
        settled=False,
        status=status,
        error=f"HTTP {status}",
        retry_after=wait,
        asks=asks,
        stuck=spent and not wait,
    )
    return _parked(peer, entry, verdict) if spent and (peer.last_success_at or 0) > entry.created_at else verdict


def _parked(peer: Peer, entry: Entry, verdict: Verdict) -> Verdict:
    """The entry is set aside: the peer is well otherwise."""
    log.warning("activity %s parked: %s neither takes nor refuses it (%s)", entry.seq, peer.domain, verdict.error)
    return replace(verdict, state="rejected", settled=True, error=f"{verdict.error}, {entry.attempts + 1} times")


def _retry_after(response: httpx.Response, now: int) -> int:
    """Milliseconds from `now` that the peer asks us to wait: seconds, or a date (RFC 9110 10.2.3)."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        wait = int(text[:8]) * 1000
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return 0
        wait = to_ms(at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(max(wait, 0), LONGEST_RETRY_AFTER_MS)


# -- units -----------------------------------------------------------------------------------------------------------


def _due_domains(tx: Tx) -> list[str]:
    return list(tx.conn.execute(_DUE, {"now": tx.ms}).scalars())


def _lease(tx: Tx, domain: str, token: str) -> tuple[Peer, list[Entry]] | None:
    """Take the peer for a while, and what it should get next; None when somebody else has it or it must wait."""
    taken = tx.conn.execute(_TAKE, {"of": domain, "mine": token, "now": tx.ms, "until": tx.ms + LEASE_MS})
    peer = company_peers.find(tx, domain) if taken.rowcount else None
    if peer is None:
        return None
    rows = tx.conn.execute(_ENTRIES, {"domain": domain, "after": peer.cursor})
    return peer, _synchronized(tx, peer, _with_keys(tx, [Entry(*row) for row in rows]))


def _with_keys(tx: Tx, entries: list[Entry]) -> list[Entry]:
    """The entries with the keys that sign them: what was made before a rotation, with its last word of the new keys, is
    signed with the old ones as long as those are listed.
    """
    found: dict[tuple[int, str], list[Any]] = {}
    for row in tx.conn.execute(_KEYS, {"accounts": list({entry.account_id for entry in entries})}):
        found.setdefault((row.account_id, row.kind), []).append(row)
    signed = []
    for entry in entries:
        rsa, edwards = (_key_of(entry, found.get((entry.account_id, kind), []), tx.ms) for kind in ("rsa", "ed25519"))
        signed.append(
            replace(entry, rsa_id=rsa.id, rsa_private=tx.unseal(rsa.private, rsa.id), ed25519_id=edwards.id,
                    ed25519_private=tx.unseal(edwards.private, edwards.id))
        )  # fmt: skip
    return signed


def _key_of(entry: Entry, known: list[Any], now: int) -> Any:
    old = [row for row in known if row.expires_at is not None and row.expires_at > now]
    was_current = (row for row in old if entry.created_at < row.expires_at - KEEP_KEYS_MS)
    return next(was_current, None) or next(row for row in known if row.expires_at is None)


def _synchronized(tx: Tx, peer: Peer, entries: list[Entry]) -> list[Entry]:
    """The entries with the header that goes with what is for followers."""
    keeps_ledgers = (peer.dialect or ("fedcorp" if peer.tier == "department" else "")) == "fedcorp"
    found = followers.headers_for(
        tx, peer.domain, ((entry.account_id, entry.body) for entry in entries), keeps_ledgers=keeps_ledgers
    )
    return [
        replace(entry, synchronization=found[entry.account_id]) if _is_for_followers(entry, found) else entry
        for entry in entries
    ]


def _is_for_followers(entry: Entry, found: dict[int, str]) -> bool:
    """Whether this entry names the collection of its sender's followers, whose uri stands first in the header."""
    header = found.get(entry.account_id)
    return header is not None and header.split('"', 2)[1].encode() in entry.body


def _renew(tx: Tx, domain: str, token: str) -> None:
    tx.conn.execute(_RENEW, {"of": domain, "mine": token, "until": tx.ms + LEASE_MS})


def _release(tx: Tx, domain: str, token: str) -> None:
    tx.conn.execute(_RELEASE, {"of": domain, "mine": token})


def _record(tx: Tx, domain: str, token: str, results: list[tuple[Entry, Verdict]]) -> bool:
    """Write the outcomes and move the cursor, if the lease is still ours. Says whether to go on with this peer.

    The lease is given back when the log is empty, or must wait.
    """
    peer = company_peers.find(tx, domain)
    if peer is None or peer.lease_token != token:
        return False
    results = [(entry, _as_told(tx, domain, entry, verdict)) for entry, verdict in results]
    for entry, verdict in results:
        values = {"of": domain, "entry": entry.seq, "outcome": verdict.state}
        tx.conn.execute(_SETTLE, {**values, "status": verdict.status, "why": verdict.error})
    settled = [entry.seq for entry, verdict in results if verdict.settled]
    last = results[-1][1]
    changes: dict[str, Any] = {"cursor": settled[-1]} if settled else {}
    sent = [verdict for _, verdict in results if verdict.state == "sent"]
    if sent or any(verdict.stuck and verdict.settled for _, verdict in results):  # set aside, since the peer is well
        discovery.notice(tx, peer)
        changes |= {"last_success_at": tx.ms, "fail_count": 0, "last_error": None, "next_attempt_at": None}
    if sent and signatures.is_news(sent[-1].dialect or "", peer.signature_profile):
        changes |= {"signature_profile": sent[-1].dialect, "learned_at": tx.ms}
    if not last.settled:
        before = changes.get("fail_count", peer.fail_count)
        count = 0 if last.asks else before + 1
        pause = _pause(peer.tier, before + 1, tx.clock)
        if last.retry_after:  # not a moment sooner, and not all at once
            pause = max(pause, last.retry_after + int(_pause(peer.tier, 1, tx.clock) * tx.clock.random()))
        changes |= {"fail_count": count, "last_error": last.error, "next_attempt_at": tx.ms + pause}
        changes |= {"lease_token": None, "lease_until_at": None}
    if changes.get("cursor") == peer.next_seq - 1:  # nothing is left
        changes |= {"lease_token": None, "lease_until_at": None}
    tx.conn.execute(_CHANGE, {"of": domain, **changes})
    return "lease_token" not in changes


def _as_told(tx: Tx, domain: str, entry: Entry, verdict: Verdict) -> Verdict:
    """The verdict, unless the peer has meanwhile refused the entry in a word of its own (`telling.refuse`)."""
    if verdict.settled:
        return verdict
    state = tx.conn.execute(_STATE, {"of": domain, "entry": entry.seq}).scalar()
    return _TOLD if state == "rejected" else verdict


def _pause(tier: str, failures: int, clock: Clock) -> int:
    """Milliseconds until the next try, with a fifth of jitter so that peers do not come back all at once."""
    pauses = DEPARTMENT_PAUSES_MS if tier == "department" else PARTNER_PAUSES_MS
    pause = pauses[min(failures, len(pauses)) - 1]
    return int(pause * (0.8 + 0.4 * clock.random()))
