"""Takes activities in: `receive` makes a durable row of what its sender could prove, `process` acts on the rows later.

`receive` decides who sent an activity and never what it means. `process` works under a lease per peer, in the order of
arrival, many activities in one unit, each in a step of its own; what handlers miss is fetched between units. Each
activity is acted upon at most once, however often it comes.

Sources: ActivityPub section 7, FEP-fe34 (who may speak for whom), FEP-8b32 (proofs of forwarded activities).
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from fedcorp.activitypub import discovery, handlers
from fedcorp.activitypub.compaction import TooCostly, normalize, parse_activity
from fedcorp.activitypub.documents import Activity, domain_of, parse_json, read_activity
from fedcorp.activitypub.followers import HEADER, FollowersSync, announced
from fedcorp.activitypub.intake import Deferred, Intake, Missing
from fedcorp.activitypub.jsonld import is_plain
from fedcorp.activitypub.proofs import proof_of, verify_proof
from fedcorp.activitypub.resolve import Budget, Resolver
from fedcorp.activitypub.signatures import ParsedSignature
from fedcorp.activitypub.signers import Admitted, SignedRequest, Signers
from fedcorp.activitypub.vocabulary import ACTIVITY_JSON, AS
from fedcorp.clock import Clock, to_ms
from fedcorp.company import peers
from fedcorp.errors import (
    BadRequest,
    FedcorpError,
    Forbidden,
    Gone,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
    report,
)
from fedcorp.keys import load_public
from fedcorp.storage.database import Database, Tx, is_clash
from fedcorp.storage.leases import LEASE_MS, kept
from fedcorp.storage.tables import inbox, leases, undone
from fedcorp.storage.tables import peers as peers_table
from fedcorp.storage.turns import TURN_SECONDS
from fedcorp.storage.upsert import insert_ignore

CHUNK = 50
PEERS_AT_ONCE = 4
PAUSES_MS = (30_000, 300_000, 3_600_000, 21_600_000, 64_800_000)  # five more tries within some 24 hours
FORWARDED_MS = 7 * 86_400_000  # what came before is known for longer (see `upkeep`): nothing old can be sent once more
SEEN_MS = 10_000  # how often the last contact of a peer is written down
_MAY_LACK_ID = frozenset({"Accept", "Reject", "Undo"})
_MAY_REPEAT = frozenset({"Add", "Remove"})  # set a state: without an id, each request with them counts
_TAKEN_BACK = frozenset({"Follow", "Like", "Dislike", "Announce", "Block"})

log = logging.getLogger("fedcorp.activitypub")


@dataclass(slots=True)
class _Row:
    """One waiting row of the inbox."""

    seq: int
    activity_id: str
    body: bytes
    attempts: int
    forwarded: bool


@dataclass(slots=True)
class _Work:
    """What is known about the activity at the head of a peer's line, between two units."""

    seq: int
    missing: Missing
    intake: Intake
    budget: Budget = field(default_factory=Budget)


@dataclass(slots=True)
class _Chunk:
    """What became of one unit: how many rows were settled, whether more wait, and what the next one needs. The last
    one of a line gives the lease back."""

    settled: int = 0
    more: bool = False
    stuck: "_Work | None" = None

    @property
    def last(self) -> bool:
        """Whether nothing of the line is left to do now."""
        return not self.more and self.stuck is None


class Inbox:
    """The inbox of one instance: shared and personal inboxes are one."""

    def __init__(
        self, db: Database, resolver: Resolver, signers: Signers, clock: Clock, sync: FollowersSync | None = None
    ) -> None:
        self._db = db
        self._sync = sync
        self._resolver = resolver
        self._signers = signers
        self._clock = clock
        self._token = clock.token(12)
        self._busy: set[str] = set()

    # -- taking in --------------------------------------------------------------------------------------------------

    async def admit(self, parsed: ParsedSignature, domain: str) -> Admitted:
        """Let in who may write to us, before the body is read. Raises Forbidden (no peer)."""
        with _noted():
            return await self._signers.admit(parsed, domain)

    async def receive(self, request: SignedRequest, admitted: Admitted) -> None:
        """Take one POST; returns when the activity is stored durably, or was known, or concerns nobody.

        Raises TooLarge, BadRequest, Unauthorized (signature, or the actor is somebody else), Forbidden (no peer),
        Unavailable (the key cannot be fetched now).
        """
        with _noted():
            await self._receive(request, admitted)

    async def backlog(self, domain: str, most: int) -> int:
        """How much of a peer waits to be acted upon; `most` stands for that or more."""
        return await self._db.read(_backlog, domain, most)

    async def _receive(self, request: SignedRequest, admitted: Admitted) -> None:
        body = request.body or b""
        parsed, domain, key = admitted.parsed, admitted.domain, admitted.key
        if len(body) > self._db.site.config.limits.body_bytes:
            raise TooLarge(f"An activity has at most {self._db.site.config.limits.body_bytes} bytes.")
        async with self._signers.turn():
            doc = parse_json(body)
            activity = read_activity(doc, body) if is_plain(doc) else None
        if activity is None:
            activity = read_activity(await self._clock.offload(normalize, doc), body)
        if key is None and activity.type == "Delete" and activity.object_id == activity.actor:
            return  # whoever deletes an account that we never saw: nothing to do, and no key left to fetch
        try:
            key, signed_at = await self._signers.verify(request, parsed, key)
        except Gone as error:
            raise Unauthorized("The owner of the key was deleted.") from error
        forwarded = activity.actor != key.account_uri
        if forwarded:
            await self._check_proof(activity, parse_json(body))
        if self._db.site.urls.owns(activity.actor):
            return  # our own activity came back: it was done when it was made
        await self._db.write(_store, activity, _row_id(activity, signed_at), domain, forwarded, signed_at)
        heard = None if forwarded else announced(request.headers.get(HEADER), parsed, activity)
        if heard is not None and self._sync is not None:
            await self._sync.note(heard)

    async def _check_proof(self, activity: Activity, doc: dict[str, object]) -> None:
        """Somebody else's activity is taken from a messenger only with the proof of its actor (FEP-8b32)."""
        proof = proof_of(doc)
        if proof is None:
            raise Unauthorized("The activity belongs to another actor than the signature, and carries no proof.")
        if not is_plain(doc):  # proven is the JSON as sent, and read was something else
            raise Unauthorized("The proof of the activity covers words that are not plain, known terms.")
        if proof.created is None or to_ms(proof.created) < self._clock.ms() - FORWARDED_MS:
            raise Unauthorized("The proof of the activity is too old to be passed on.")
        for uri in (activity.actor, proof.key_id):
            if not self._db.site.urls.owns(uri):
                await self._db.read(peers.check_tier, domain_of(uri))
        key = await self._resolver.key(proof.key_id)
        if key.account_uri != activity.actor or not verify_proof(
            doc, proof, load_public(key.public), self._clock.now()
        ):
            raise Unauthorized("The proof of the activity does not hold.")

    # -- acting -----------------------------------------------------------------------------------------------------

    async def process(self, most: int = 1000) -> int:
        """Act on what waits, peers side by side, up to `most` rows of each; says how many rows were settled."""
        waiting = await self._db.read(_waiting_domains)
        domains = [domain for domain in waiting if domain not in self._busy]
        gate = asyncio.Semaphore(PEERS_AT_ONCE)
        results = await asyncio.gather(*(self._serve(domain, gate, most) for domain in domains), return_exceptions=True)
        for domain, result in zip(domains, results, strict=True):
            if isinstance(result, Exception):
                report(log, result, "the inbox of %s stopped", domain)
            elif isinstance(result, BaseException):
                raise result
        return sum(result for result in results if isinstance(result, int))

    async def _serve(self, domain: str, gate: asyncio.Semaphore, most: int) -> int:
        async with gate:
            if domain in self._busy:
                return 0
            self._busy.add(domain)
            try:
                return await self._empty(domain, most)
            finally:
                self._busy.discard(domain)

    async def _empty(self, domain: str, most: int) -> int:
        """Chunk after chunk; between two of them fetch what the first unsettled activity misses."""
        settled, holds = 0, True
        work: _Work | None = None
        try:
            while settled < most:
                chunk = await self._db.write(_run_chunk, domain, self._token, work)
                settled += chunk.settled if chunk is not None else 0
                if chunk is None or chunk.last:
                    holds = False
                    break
                work = chunk.stuck
                if work is not None:
                    async with kept(self._clock, partial(self._db.write, _take_lease, domain, self._token)):
                        await self._resolver.fetch(work.missing, work.intake, work.budget)
        finally:  # also when asked to stop: the next process need not wait until the lease ends
            if holds:
                await self._db.write(_release, domain, self._token)
        return settled


@contextmanager
def _noted() -> Iterator[None]:
    try:
        yield
    except (BadRequest, Unauthorized, Forbidden) as error:
        log.info("an activity was turned away: %s", error.text)
        raise


def check_type(value: str) -> None:
    """Whether a body of this content type can be an activity. Raises UnsupportedMedia."""
    kind, _, parameters = value.partition(";")
    kind = kind.strip().lower()
    if kind != ACTIVITY_JSON and not (kind == "application/ld+json" and AS in parameters):
        raise UnsupportedMedia(f"An inbox takes {ACTIVITY_JSON}.")


def _row_id(activity: Activity, signed_at: datetime) -> str:
    """The id under which an activity counts once. Raises BadRequest for one without id, unless it answers something
    or sets a state (Takahe pins and unpins without ids).

    An answer counts once for what it answers: Hollo, and others made with Fedify, name every Accept to one follower
    alike, and whoever left and asks again must hear the second one too. A Reject of something without an id counts for
    each signature: NodeBB names those of a post alike, whoever liked it.
    """
    if activity.id is not None and activity.type == "Reject" and isinstance(activity.object, dict):
        return f"{activity.id} {activity.object_id or signed_at.isoformat()}"
    if activity.id is not None:
        answers = activity.type in ("Accept", "Reject") and activity.object_id is not None
        return f"{activity.id} {activity.object_id}" if answers else activity.id
    if activity.type not in _MAY_LACK_ID | _MAY_REPEAT:
        raise BadRequest("The activity has no id.")
    moment = signed_at.isoformat().encode() if activity.type in _MAY_REPEAT else b""
    return "sha256:" + hashlib.sha256(activity.raw + moment).hexdigest()


# -- units: taking in ------------------------------------------------------------------------------------------------

_KNOWN = sa.select(inbox.c.digest, inbox.c.state, inbox.c.actor_uri).where(
    inbox.c.activity_id == sa.bindparam("activity_id")
)
_RENEW = (
    sa.update(inbox)
    .where(inbox.c.activity_id == sa.bindparam("row_id"), inbox.c.actor_uri == sa.bindparam("by"))
    .where(inbox.c.object_uri == sa.bindparam("about"))
    .values(
        body=sa.bindparam("bytes"), digest=sa.bindparam("sum"), received_at=sa.bindparam("at"), state="new",
        outcome=None, reason="", attempts=0, next_attempt_at=None, forwarded=False,
    )
)  # fmt: skip


def _store(tx: Tx, activity: Activity, row_id: str, domain: str, forwarded: bool, signed_at: datetime) -> None:
    digest = hashlib.sha256(activity.raw).digest()
    values = {
        "activity_id": row_id, "domain": domain, "actor_uri": activity.actor,
        "object_uri": activity.object_id if activity.type in ("Create", "Update") else None, "digest": digest,
        "body": activity.raw, "state": "new", "received_at": tx.ms, "forwarded": forwarded,
    }  # fmt: skip
    fresh = insert_ignore(tx, inbox, **values)
    known = None if fresh else tx.conn.execute(_KNOWN, {"activity_id": row_id}).first()
    if known is not None and not forwarded and _is_done_again(tx, activity, domain, known):
        _forget(tx, activity, row_id)
        fresh = insert_ignore(tx, inbox, **values)
    elif known is not None and known.digest != digest:
        fresh = not forwarded and _renew(tx, activity, row_id, digest)
        if not fresh:
            log.warning("%s sent a second, different activity under a known id", domain)
    note_contact(tx, domain, to_ms(signed_at) - tx.ms)
    if fresh:
        tx.wake("inbox")


def _renew(tx: Tx, activity: Activity, row_id: str, digest: bytes) -> bool:
    """Let an Update stand for the one that had its id before, since GoToSocial names all Updates of one post alike, and
    a Delete for the Create of what it deletes, whose id BookWyrm gives it."""
    if activity.type not in ("Update", "Delete") or activity.object_id is None:
        return False
    values = {"row_id": row_id, "by": activity.actor, "about": activity.object_id, "at": tx.ms}
    return tx.conn.execute(_RENEW, {**values, "bytes": activity.raw, "sum": digest}).rowcount > 0


def _is_done_again(tx: Tx, activity: Activity, domain: str, known: "sa.Row[tuple[bytes, str, str]]") -> bool:
    """Whether an activity whose id is known is more than a repetition: with some software a favourite, boost or follow
    has the same id, and the same Undo, whenever it is made and taken back, or a block that of a follow. Acted upon
    twice, none of them does harm.
    """
    kind = activity.object_type if activity.type == "Undo" else activity.type
    may = kind in _TAKEN_BACK and known.state == "done" and known.actor_uri == activity.actor
    return may and discovery.repeats(tx, domain)


def _forget(tx: Tx, activity: Activity, row_id: str) -> None:
    """Forget that an activity came, and that it was undone, so that it counts again and in the order of now."""
    tx.conn.execute(sa.delete(inbox).where(inbox.c.activity_id == row_id))
    tx.conn.execute(sa.delete(undone).where(undone.c.uri == activity.id, undone.c.owner_uri == activity.actor))


def note_contact(tx: Tx, domain: str, skew_ms: int) -> None:
    """A peer has spoken to us, proven by its signature: it is alive, so what waits for it is tried at once, and it is
    asked what it runs if nobody knows.

    Not when it asked us to wait: then it has not failed, and the pause is its own wish.
    """
    peer = peers.ensure(tx, domain)
    if peer.fail_count == 0 and (peer.last_inbound_at or 0) > tx.ms - SEEN_MS:
        return
    discovery.notice(tx, peer)
    values: dict[str, int | None] = {"last_inbound_at": tx.ms, "clock_skew_ms": skew_ms}
    if peer.fail_count:
        values |= {"fail_count": 0, "next_attempt_at": None}
    tx.conn.execute(sa.update(peers_table).where(peers_table.c.domain == domain).values(**values))
    if peer.queued:
        tx.wake("deliveries")


# -- units: acting ---------------------------------------------------------------------------------------------------

_DUE = sa.and_(
    inbox.c.state != "done",
    sa.or_(inbox.c.next_attempt_at.is_(None), inbox.c.next_attempt_at <= sa.bindparam("now")),
)
_DOMAINS = sa.select(inbox.c.domain).where(_DUE).group_by(inbox.c.domain).order_by(sa.func.min(inbox.c.seq)).limit(64)
_ROWS = (
    sa.select(inbox.c.seq, inbox.c.activity_id, inbox.c.body, inbox.c.attempts, inbox.c.forwarded)
    .where(inbox.c.domain == sa.bindparam("domain"), _DUE)
    .order_by(inbox.c.seq)
    .limit(CHUNK + 1)
)
_BACKLOG = sa.select(sa.func.count()).select_from(
    sa.select(inbox.c.seq)
    .where(inbox.c.domain == sa.bindparam("domain"), inbox.c.state != "done")
    .limit(sa.bindparam("most"))
    .subquery()
)
_SETTLE = (
    sa.update(inbox)
    .where(inbox.c.seq == sa.bindparam("row"))
    .values(
        state=sa.bindparam("now_state"),
        outcome=sa.bindparam("word"),
        reason=sa.bindparam("why"),
        attempts=sa.bindparam("tries"),
        next_attempt_at=sa.bindparam("next"),
    )
)
_LEASE = sa.select(leases.c.token, leases.c.lease_until_at).where(leases.c.name == sa.bindparam("lease"))
_HOLD = (
    sa.update(leases)
    .where(leases.c.name == sa.bindparam("lease"))
    .values(token=sa.bindparam("holder"), lease_until_at=sa.bindparam("until"))
)
_RELEASE = sa.delete(leases).where(leases.c.name == sa.bindparam("lease"), leases.c.token == sa.bindparam("holder"))


def _waiting_domains(tx: Tx) -> list[str]:
    return list(tx.conn.execute(_DOMAINS, {"now": tx.ms}).scalars())


def _backlog(tx: Tx, domain: str, most: int) -> int:
    found: int = tx.conn.execute(_BACKLOG, {"domain": domain, "most": most}).scalar_one()
    return found


def _take_lease(tx: Tx, domain: str, token: str) -> bool:
    """Hold the inbox of a peer, or keep holding it. Runs in the same transaction as the work it guards."""
    name, until = f"inbox:{domain}", tx.ms + LEASE_MS
    held = tx.conn.execute(_LEASE, {"lease": name}).first()
    if held is None:
        return insert_ignore(tx, leases, name=name, token=token, lease_until_at=until)
    if held.token != token and held.lease_until_at > tx.ms:
        return False
    tx.conn.execute(_HOLD, {"lease": name, "holder": token, "until": until})
    return True


def _release(tx: Tx, domain: str, token: str) -> None:
    tx.conn.execute(_RELEASE, {"lease": f"inbox:{domain}", "holder": token})


def _run_chunk(tx: Tx, domain: str, token: str, work: _Work | None) -> _Chunk | None:
    """Act on the next rows of a peer, in order, until one misses something. None when somebody else holds the lease."""
    if not _take_lease(tx, domain, token):
        return None
    rows = [_Row(*row) for row in tx.conn.execute(_ROWS, {"domain": domain, "now": tx.ms})]
    chunk = _Chunk(more=len(rows) > CHUNK)
    tier_of = cache(partial(peers.check_tier, tx))
    began = tx.clock.monotonic()
    for row in rows[:CHUNK]:
        if chunk.settled and tx.clock.monotonic() - began > TURN_SECONDS:
            chunk.more = True
            break
        again = work if work is not None and work.seq == row.seq else None
        chunk.stuck = _run_row(tx, domain, row, again, tier_of)
        if chunk.stuck is not None:
            return chunk
        chunk.settled += 1
    if chunk.last:
        _release(tx, domain, token)
    return chunk


def _run_row(tx: Tx, domain: str, row: _Row, work: _Work | None, tier_of: Callable[[str], str]) -> _Work | None:
    """Act on one row and write its outcome; or undo the step and say what is missing."""
    try:
        activity = parse_activity(row.body)
        intake = work.intake if work else Intake(domain, tier_of(domain_of(activity.actor)), row.forwarded)
        missing = _act(tx, row, activity, intake)
        if missing is not None:
            return _Work(row.seq, missing, intake, work.budget if work is not None else Budget())
    except (Deferred, Unavailable, TooCostly) as error:  # it was read before: what is dear now is a busy machine
        _defer(tx, row, str(error))
    except FedcorpError as error:
        outcome = "ignored" if isinstance(error, NotFound) else "refused"
        log.info("%s %s of %s: %s", outcome, row.activity_id, domain, error.text)
        _settle(tx, row, "done", outcome, error.text)
    except (IntegrityError, DataError) as error:
        if is_clash(error) and not tx.alone:  # what was taken meanwhile is found when the unit runs again
            raise
        _fail(tx, row, domain, error)
    except DBAPIError:
        raise
    except Exception as error:  # noqa: BLE001 - one odd activity must not stop all others of its peer
        _fail(tx, row, domain, error)
    return None


def _act(tx: Tx, row: _Row, activity: Activity, intake: Intake) -> Missing | None:
    try:
        with tx.step():
            _settle(tx, row, "done", handlers.handle(tx, activity, intake))
    except Missing as missing:
        return missing
    return None


def _fail(tx: Tx, row: _Row, domain: str, error: Exception) -> None:
    log.error("activity %s of %s failed", row.seq, domain, exc_info=error)
    _settle(tx, row, "done", "failed", type(error).__name__)


def _defer(tx: Tx, row: _Row, reason: str) -> None:
    """Try again later; after the last try the activity is dropped."""
    if row.attempts >= len(PAUSES_MS):
        _settle(tx, row, "done", "ignored", reason)
        return
    _settle(tx, row, "deferred", "deferred", reason, next_attempt_at=tx.ms + PAUSES_MS[row.attempts])


def _settle(
    tx: Tx, row: _Row, state: str, outcome: str, reason: str = "", *, next_attempt_at: int | None = None
) -> None:
    values = {"row": row.seq, "now_state": state, "word": outcome, "why": reason[:500], "tries": row.attempts + 1}
    tx.conn.execute(_SETTLE, {**values, "next": next_attempt_at})
