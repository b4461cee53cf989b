"""The ledger of a group: signed entries in a chain, one for everything that changes members, roles, rules or posts.

An entry holds no words, only digests, so a post can be erased while the chain still proves that nothing was changed.
The group's own server appends; servers of members keep copies and notice a gap, a false entry and a second history.
What the group decided (members, roles, rules, verdicts on posts) is kept with its entry for good.

Reads and writes rows of its own tables, signs and verifies; never fetches. What an entry does: `handlers.groups`.
Sources: FEP-8b32 (proofs), FEP-5219 (relationships). The bytes of an entry are part of every later digest.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.activitypub.proofs import add_proof, proof_of, verify_proof
from fedcorp.activitypub.vocabulary import ENTRY_CONTEXT, format_time, parse_time
from fedcorp.canonical import digest_of
from fedcorp.clock import from_ms, to_ms
from fedcorp.errors import Forbidden
from fedcorp.keys import PublicKey, load_private, load_public
from fedcorp.social import accounts
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import audit, ledger, ledger_heads
from fedcorp.storage.upsert import upsert

log = logging.getLogger("fedcorp.activitypub")

PAGE = 100
KEPT = frozenset({"Add", "Remove", "Update", "Block", "Delete", "Lock", "Undo"})
"""Activities of the group itself whose bodies stay with their entries (`append(keep=True)`)."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain (`seq` 0 before the first), and what is known of the chain."""

    epoch: str
    seq: int
    digest: str
    announced: int = 0
    known: int = 0
    forked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of right shape; whether it is true is another question. `document` is it with its proof."""

    seq: int
    epoch: str
    previous: str
    digest: str
    kind: str
    object_uri: str
    object_actor: str
    object_digest: str
    published: int
    document: dict[str, Any]


class Fork(Exception):
    """Two entries with one number, both signed by the group: somebody was shown another history."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"two different entries have the number {seq}")
        self.seq = seq


_HEAD = sa.select(
    ledger_heads.c.epoch,
    ledger_heads.c.seq,
    ledger_heads.c.digest,
    ledger_heads.c.announced,
    ledger_heads.c.known,
    ledger_heads.c.forked_at,
).where(ledger_heads.c.group_id == sa.bindparam("group"))
_AFTER = (
    sa.select(ledger.c.seq, ledger.c.entry, ledger.c.body, ledger.c.object_uri)
    .where(ledger.c.group_id == sa.bindparam("group"), ledger.c.seq > sa.bindparam("after"))
    .order_by(ledger.c.seq)
    .limit(sa.bindparam("most"))
)
_DIGEST = sa.select(ledger.c.digest).where(
    ledger.c.group_id == sa.bindparam("group"), ledger.c.seq == sa.bindparam("seq")
)
_ENTRY = sa.select(ledger.c.entry).where(
    ledger.c.group_id == sa.bindparam("group"), ledger.c.seq == sa.bindparam("seq")
)
_FORK = sa.select(ledger_heads.c.fork).where(ledger_heads.c.group_id == sa.bindparam("group"))
_HAS_OBJECT = sa.select(ledger.c.seq).where(
    ledger.c.group_id == sa.bindparam("group"), ledger.c.object_uri == sa.bindparam("uri")
)
_TIME = sa.select(ledger.c.entry).where(
    ledger.c.group_id == sa.bindparam("group"), ledger.c.object_uri == sa.bindparam("uri")
)
_INSERT = sa.insert(ledger)


def head(tx: Tx, group_id: int) -> Head:
    """Where the chain of a group ends, as far as it is known here."""
    row = tx.conn.execute(_HEAD, {"group": group_id}).first()
    return Head(*row) if row else Head("", 0, "")


# -- the group's own server ------------------------------------------------------------------------------------------


def append(
    tx: Tx, group: Account, inner: dict[str, Any], *, keep: bool = False, announced: bool = True
) -> dict[str, Any]:
    """Write an entry for an activity that the group has accepted; the signed entry. `keep` its body for good.

    What is not `announced` by the caller at once is announced later, with others; it must keep its body.
    """
    last = head(tx, group.id)
    epoch = last.epoch or str(tx.new_id())
    seq = last.seq + 1
    document = {
        "@context": ENTRY_CONTEXT,
        "id": f"{group.uri}/ledger/{seq}",
        "type": "Entry",
        "attributedTo": group.uri,
        "epoch": epoch,
        "seq": seq,
        "prevDigest": last.digest,
        "published": format_time(from_ms(tx.ms), ms=True),
        "object": str(inner["id"]),
        "objectType": str(inner["type"]),
        "objectActor": str(inner["actor"]),
        "digestMultibase": digest_of(inner),
    }
    digest = digest_of(document)
    key = accounts.signing_keys(tx, group.id)["ed25519"]
    assert key.private is not None
    signed = add_proof(document, key_id=key.id, private=load_private(key.private), created=from_ms(tx.ms))
    _write(tx, group.id, signed, digest, orjson.dumps(inner) if keep else None)
    upsert(
        tx, ledger_heads, ("group_id",), group_id=group.id, epoch=epoch, seq=seq, digest=digest,
        announced=seq if announced else last.announced, known=seq, checked_at=tx.ms,
    )  # fmt: skip
    return signed


def _write(tx: Tx, group_id: int, document: dict[str, Any], digest: str, body: bytes | None) -> None:
    values = {"group_id": group_id, "seq": document["seq"], "uri": document["id"], "epoch": document["epoch"]}
    values |= {"kind": document["objectType"], "object_uri": document["object"], "digest": digest}
    tx.conn.execute(_INSERT, values | {"entry": orjson.dumps(document), "body": body, "created_at": tx.ms})


def has_entry(tx: Tx, group_id: int, object_uri: str) -> bool:
    """Whether an activity has an entry already."""
    return tx.conn.execute(_HAS_OBJECT, {"group": group_id, "uri": object_uri}).first() is not None


def find_entry(tx: Tx, group_id: int, seq: int) -> dict[str, Any] | None:
    """The signed entry with this number, if the chain has come so far here."""
    found: bytes | None = tx.conn.execute(_ENTRY, {"group": group_id, "seq": seq}).scalar()
    return orjson.loads(found) if found is not None else None


def find_time(tx: Tx, group_id: int, object_uri: str | None) -> int | None:
    """When the group accepted an activity (ms); None when it has no entry here."""
    found = tx.conn.execute(_TIME, {"group": group_id, "uri": object_uri}).scalar()
    entry = read(orjson.loads(found)) if found is not None else None
    return entry.published if entry is not None else None


def entries(tx: Tx, group_id: int, after: int, most: int = PAGE) -> list[tuple[int, bytes, bytes | None, str]]:
    """(number, signed entry, kept body, uri of the activity) behind the number `after`."""
    return [tuple(row) for row in tx.conn.execute(_AFTER, {"group": group_id, "after": after, "most": most})]


# -- entries of others -----------------------------------------------------------------------------------------------


def read(document: Any) -> Entry | None:
    """The entry in a document; None when it has not the shape of one."""
    if not isinstance(document, dict) or document.get("type") != "Entry":
        return None
    seq, texts = document.get("seq"), [document.get(name) for name in _TEXTS]
    published = parse_time(document.get("published"))
    if type(seq) is not int or seq < 1 or published is None or not all(isinstance(text, str) for text in texts):
        return None
    try:
        own = digest_of({name: value for name, value in document.items() if name != "proof"})
    except ValueError:  # nested too deep and the like: nothing that could have been signed
        return None
    epoch, previous, kind, uri, actor, digest = (str(text) for text in texts)
    return Entry(seq, epoch, previous, own, kind, uri, actor, digest, to_ms(published), document)


_TEXTS = ("epoch", "prevDigest", "objectType", "object", "objectActor", "digestMultibase")


@dataclass(frozen=True, slots=True)
class GroupKey:
    """The key that must have signed entries, and whose it is. `now`: a proof that has expired by then does not hold."""

    group_uri: str
    id: str
    public: PublicKey
    now: datetime


def find_key(tx: Tx, group: Account) -> GroupKey | None:
    """The key that a group publishes, as far as it is known here."""
    key = accounts.public_keys(tx, group.id).get("ed25519")
    return GroupKey(group.uri, key.id, load_public(key.public), tx.clock.now()) if key is not None else None


def find_flaw(entry: Entry, key: GroupKey) -> str | None:
    """Why this is no entry that the group signed; None when it is. What is signed is exactly what the digest is of."""
    proof, document = proof_of(entry.document), entry.document
    if proof is None:
        return "it is not signed"
    if document.get("attributedTo") != key.group_uri:
        return "it belongs to another group"
    if proof.key_id != key.id:
        return f"it is signed with another key than the group's, {proof.key_id}"
    beyond = "signature" in document or proof.options.get("@context", document.get("@context")) != document.get(
        "@context"
    )
    if beyond or not verify_proof(document, proof, key.public, key.now):
        return "it was changed, or the group's key did not sign it"
    return None


def fits(entry: Entry, inner: dict[str, Any]) -> bool:
    """Whether the entry speaks of exactly this activity."""
    try:
        return entry.object_uri == inner.get("id") and entry.object_digest == digest_of(inner)
    except ValueError:
        return False


def check(tx: Tx, group: Account, entry: Entry) -> None:
    """Raises Forbidden unless the group signed the entry with the key that it publishes."""
    key = find_key(tx, group)
    if key is None or find_flaw(entry, key) is not None:
        raise Forbidden("The entry is not signed by the group.")


def take(tx: Tx, group: Account, entry: Entry, body: dict[str, Any] | None) -> str:
    """Put a signed entry at the end of our copy: `new`, `known` or `gap`. `body` is kept when given.

    Raises Fork for a second history. A copy that was marked for one grows no more: every later entry is a gap.
    """
    last = head(tx, group.id)
    if compare(tx, group.id, last, entry) == "same":
        return "known"
    if entry.seq > last.seq + 1 or last.forked_at is not None:
        note_known(tx, group.id, last, entry.seq)
        return "gap"
    _write(tx, group.id, entry.document, entry.digest, orjson.dumps(body) if body is not None else None)
    upsert(
        tx, ledger_heads, ("group_id",), group_id=group.id, epoch=entry.epoch, seq=entry.seq, digest=entry.digest,
        announced=0, known=max(last.known, entry.seq), checked_at=tx.ms,
    )  # fmt: skip
    return "new"


def compare(tx: Tx, group_id: int, last: Head, entry: Entry) -> str:
    """How a signed entry stands to the chain that ends with `last` here: `same`, or `ahead` of it.

    Raises Fork when both cannot belong to one history.
    """
    if entry.seq <= last.seq:
        known = tx.conn.execute(_DIGEST, {"group": group_id, "seq": entry.seq}).scalar()
        if known != entry.digest:
            raise Fork(entry.seq)
        return "same"
    if entry.seq == last.seq + 1 and (entry.previous != last.digest or (last.epoch and entry.epoch != last.epoch)):
        raise Fork(entry.seq)
    return "ahead"


def note_known(tx: Tx, group_id: int, last: Head, seq: int) -> None:
    """There is more than we have: somebody will fetch it."""
    upsert(
        tx, ledger_heads, ("group_id",), group_id=group_id, epoch=last.epoch, seq=last.seq, digest=last.digest,
        announced=last.announced, known=max(last.known, seq), checked_at=tx.ms,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two signed entries that cannot both be true: the one of our copy (None before the first), and what we were told
    by the server `told_by`."""

    known: dict[str, Any] | None
    told: dict[str, Any]
    told_by: str


def mark_forked(tx: Tx, group: Account, entry: Entry, told_by: str) -> None:
    """Keep the evidence of a second history and say so; members and roles are believed no further until somebody has
    looked. The first evidence stays."""
    last = head(tx, group.id)
    if last.forked_at is not None:
        return
    ours = find_entry(tx, group.id, min(entry.seq, last.seq))
    evidence = {"known": ours, "told": entry.document, "told_by": told_by}
    upsert(
        tx, ledger_heads, ("group_id",), group_id=group.id, epoch=last.epoch, seq=last.seq, digest=last.digest,
        announced=last.announced, known=max(last.known, entry.seq), checked_at=tx.ms, forked_at=tx.ms,
        fork=orjson.dumps(evidence).decode(),
    )  # fmt: skip
    reason = f"Two different entries have the number {entry.seq}; the second was told by {told_by}."
    log.error("the group %s shows two histories: %s", group.handle, reason)
    values = {"created_at": tx.ms, "actor": told_by, "act": "ledger.fork", "subject": group.uri, "outcome": "noted"}
    tx.conn.execute(sa.insert(audit).values(**values, reason=reason))


def find_evidence(tx: Tx, group_id: int) -> Evidence | None:
    """What was kept when two histories of a group were seen."""
    found: str | None = tx.conn.execute(_FORK, {"group": group_id}).scalar()
    return Evidence(**orjson.loads(found)) if found else None


# -- checking a whole chain ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first thing that is wrong in a chain; `seq` is the number of the entry."""

    seq: int
    text: str


@dataclass(slots=True)
class Chain:
    """A chain as far as it was looked at: how many entries hold, and the last of them. Needs nothing else."""

    key: GroupKey
    count: int = 0
    digest: str = ""
    epoch: str = ""

    def add(self, document: Any, body: Any) -> Flaw | None:
        """Look at the next entry and its body (None when it was not kept); the flaw when it does not hold."""
        entry = read(document)
        if entry is None:
            return Flaw(self.count + 1, "it is not an entry")
        for text in self._flaws(entry, body):
            return Flaw(self.count + 1, text)
        self.count, self.digest, self.epoch = entry.seq, entry.digest, entry.epoch
        return None

    def _flaws(self, entry: Entry, body: Any) -> Iterator[str]:
        if entry.seq != self.count + 1:
            yield f"it is missing or out of order, entry {entry.seq} stands in its place"
        if (flaw := find_flaw(entry, self.key)) is not None:
            yield flaw
        if self.count and entry.epoch != self.epoch:
            yield "it belongs to another chain of the group"
        if entry.previous != self.digest:
            yield "it does not follow the entry before it"
        if body is not None and not (isinstance(body, dict) and fits(entry, body)):
            yield "its body is not the activity that it was written for"
