"""The ledger of a group: signed entries in a chain, one for everything that changes members, roles, rules or posts.

An entry holds no words, only digests, so a post can be erased while the chain still proves that nothing was changed.
The group's own server appends; servers of members keep copies and notice a gap, a false entry and a second history.
What the group decided (members, roles, rules, verdicts on posts) is kept with its entry for good.

Reads and writes rows of its own tables, signs and verifies; never fetches. What an entry does: `handlers.groups`.
Sources: FEP-8b32 (proofs), FEP-5219 (relationships). The bytes of an entry are part of every later digest.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.activitypub import ledger_keys
from fedcorp.activitypub.ledger_keys import Change, GroupKey
from fedcorp.activitypub.proofs import add_proof, proof_of, verify_proof
from fedcorp.activitypub.vocabulary import ENTRY_CONTEXT, format_time, parse_time
from fedcorp.canonical import digest_of
from fedcorp.clock import from_ms, to_ms
from fedcorp.errors import Forbidden, NotFound
from fedcorp.keys import load_private
from fedcorp.social import accounts
from fedcorp.social.accounts import Account, Key
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import audit, ledger, ledger_given_up, ledger_heads
from fedcorp.storage.upsert import insert_ignore, upsert

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
    settled: int = 0


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
    ledger_heads.c.settled,
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
_TIME = sa.select(ledger.c.entry).where(
    ledger.c.group_id == sa.bindparam("group"), ledger.c.object_uri == sa.bindparam("uri")
)
_INSERT = sa.insert(ledger)
_DROP = sa.delete(ledger).where(ledger.c.group_id == sa.bindparam("group"), ledger.c.seq > sa.bindparam("after"))


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
    return _append(tx, group, inner, _own_key(tx, group), keep=keep, announced=announced)


def change_key(tx: Tx, group: Account, uri: str) -> None:
    """Write the entry after which the key that a group of ours signs with now signs its ledger, too, when that is
    another than the last. `uri` is the id of the activity. It is announced later, with others."""
    known, new = ledger_keys.of_group(tx, group), accounts.signing_keys(tx, group.id)["ed25519"]
    if not known or known[-1].id == new.id:
        return
    old = _own_key(tx, group)
    stolen = accounts.is_revoked(tx, old.id)
    said = ledger_keys.change(tx, group, uri, old, new, stolen=stolen)
    signed = _append(tx, group, said, new, keep=True, announced=False)
    key = GroupKey(group.uri, new.id, new.public, tx.clock.now(), signed["seq"])
    ledger_keys.add(tx, group.id, key, stolen=stolen)


def _own_key(tx: Tx, group: Account) -> Key:
    """The key that signs the next entry of a group of ours; the first one becomes that of the chain."""
    known, current = ledger_keys.of_group(tx, group), accounts.signing_keys(tx, group.id)["ed25519"]
    if not known:
        ledger_keys.add(tx, group.id, GroupKey(group.uri, current.id, current.public, tx.clock.now()))
    if not known or known[-1].id == current.id:
        return current
    return accounts.find_own_key(tx, known[-1].id)  # replaced, and the entry that says so comes next


def _append(tx: Tx, group: Account, inner: dict[str, Any], key: Key, *, keep: bool, announced: bool) -> dict[str, Any]:
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


def holds(tx: Tx, group_id: int, entry: Entry) -> bool:
    """Whether this entry stands in the chain as it is known here."""
    found: str | None = tx.conn.execute(_DIGEST, {"group": group_id, "seq": entry.seq}).scalar()
    return found == entry.digest


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


def all_entries(tx: Tx, group_id: int, after: int = 0) -> Iterator[tuple[int, bytes, bytes | None, str]]:
    """The same to the end, read page by page."""
    while rows := entries(tx, group_id, after):
        yield from rows
        after = rows[-1][0]


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
    """Raises Forbidden unless the group signed the entry: with the key of its place in the chain or, beyond the end of
    our copy, with the one that the group publishes, since a change of keys may lie between."""
    known = ledger_keys.of_group(tx, group)
    key = ledger_keys.at(known, entry.seq)
    if key is not None and find_flaw(entry, key) is None:
        return
    if entry.seq > head(tx, group.id).seq:
        key = ledger_keys.published(tx, group)
        if key is not None and find_flaw(entry, key) is None:
            return
    raise Forbidden("The entry is not signed by the group.")


def take(tx: Tx, group: Account, entry: Entry, body: dict[str, Any] | None) -> str:
    """Put a signed entry at the end of our copy: `new`, `known` or `gap`. `body` is kept when given.

    Raises Fork for a second history, Forbidden for one with another key than the last and no right change to it. A copy
    that was marked for two histories grows no more: every later entry is a gap.
    """
    last = head(tx, group.id)
    how = compare(tx, group, last, entry)
    if how == "same":
        return "known"
    if how == "settled":
        raise Forbidden("The entry belongs to a history that was given up here.")
    if entry.seq > last.seq + 1 or last.forked_at is not None:
        note_known(tx, group.id, last, entry.seq)
        return "gap"
    _follow_keys(tx, group, entry, body)
    _write(tx, group.id, entry.document, entry.digest, orjson.dumps(body) if body is not None else None)
    upsert(
        tx, ledger_heads, ("group_id",), group_id=group.id, epoch=entry.epoch, seq=entry.seq, digest=entry.digest,
        announced=0, known=max(last.known, entry.seq), checked_at=tx.ms,
    )  # fmt: skip
    return "new"


def _follow_keys(tx: Tx, group: Account, entry: Entry, body: dict[str, Any] | None) -> None:
    """Note the key of an entry that our copy takes, where it is the first one or another than the last."""
    known = ledger_keys.of_group(tx, group)
    if not known:
        first = ledger_keys.published(tx, group)
        if first is None or find_flaw(entry, first) is not None:
            raise Forbidden("The first entry is not signed by the group.")
        ledger_keys.add(tx, group.id, replace(first, since=entry.seq))
    elif find_flaw(entry, known[-1]) is not None:
        change = find_change(entry, body, known[-1])
        if change is None:
            raise Forbidden("The entry is signed with another key, to which the group has not changed.")
        ledger_keys.add(tx, group.id, change.key, stolen=change.stolen)


def changes_key(tx: Tx, group: Account, entry: Entry, body: dict[str, Any] | None) -> bool:
    """Whether an entry and its body change the last key that our copy knows for another one."""
    known = ledger_keys.of_group(tx, group)
    return bool(known) and find_change(entry, body, known[-1]) is not None


def find_change(entry: Entry, body: Any, before: GroupKey) -> Change | None:
    """The change of keys that an entry and its body are, if the body is signed with the key `before`, and the entry
    with the new one."""
    change = ledger_keys.read_change(body, before, entry.seq)
    if change is None or not fits(entry, body) or find_flaw(entry, change.key) is not None:
        return None
    return change


def compare(tx: Tx, group: Account, last: Head, entry: Entry) -> str:
    """How a signed entry stands to the chain that ends with `last` here: `same`, `ahead` of it, or `settled` where it
    belongs to another history, of which somebody here knows and has decided not to mind.

    Raises Fork when both cannot belong to one history, Forbidden where that says nothing: with a key that was stolen
    anybody may have signed it.
    """
    if entry.seq <= last.seq:
        known = tx.conn.execute(_DIGEST, {"group": group.id, "seq": entry.seq}).scalar()
        if known == entry.digest:
            return "same"
        key = ledger_keys.at(ledger_keys.of_group(tx, group), entry.seq)
        if key is not None and key.stolen:
            raise Forbidden("The entry is signed with a key that was stolen.")
    elif entry.seq > last.seq + 1 or not _is_other(last, entry):
        return "ahead"
    if entry.seq <= last.settled:
        return "settled"
    raise Fork(entry.seq)


def _is_other(last: Head, entry: Entry) -> bool:
    """Whether an entry that should follow the last one belongs to another chain."""
    return entry.previous != last.digest or bool(last.epoch and entry.epoch != last.epoch)


def note_known(tx: Tx, group_id: int, last: Head, seq: int) -> None:
    """There is more than we have: somebody will fetch it."""
    upsert(
        tx, ledger_heads, ("group_id",), group_id=group_id, epoch=last.epoch, seq=last.seq, digest=last.digest,
        announced=last.announced, known=max(last.known, seq), checked_at=tx.ms,
    )  # fmt: skip


def pull(tx: Tx, group_id: int) -> None:
    """Let what our copy lacks be fetched, page after page; asked for again while it waits, it is fetched once."""
    jobs.put(tx, "pull_ledger", {"group": group_id}, unique_key=f"pull_ledger:{group_id}")


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


def shared(tx: Tx, group: Account, seq: int) -> "Chain":
    """Our copy as far as the number `seq`, for a chain that goes on otherwise from there. Where that is nothing it
    begins with the key that the group publishes. Raises NotFound where none is known."""
    known = [key for key in ledger_keys.of_group(tx, group) if key.since <= seq] if seq else []
    last = known[-1] if known else ledger_keys.published(tx, group)
    if last is None:
        raise NotFound(f"No key of @{group.handle} is known.")
    digest = tx.conn.execute(_DIGEST, {"group": group.id, "seq": seq}).scalar() or ""
    return Chain(replace(last, stolen=False), seq, digest, head(tx, group.id).epoch if seq else "", known[:-1])


def give_up(tx: Tx, group: Account, seq: int, told: int) -> None:
    """End the doubt about a group: our copy ends with the number `seq`, as far as the group's server, who has `told`
    entries, says the same now. What stood behind that, and what else was shown to us, is kept apart. From now on no
    other entry with a number that is known by now is a reason to doubt."""
    last, evidence = head(tx, group.id), find_evidence(tx, group.id)
    end = shared(tx, group, seq)
    for _, document, body, _ in all_entries(tx, group.id, seq):
        _keep_apart(tx, group.id, orjson.loads(document), body)
    tx.conn.execute(_DROP, {"group": group.id, "after": seq})
    if evidence is not None:
        _keep_apart(tx, group.id, evidence.told, None)
    ledger_keys.drop(tx, group.id, seq)
    upsert(
        tx, ledger_heads, ("group_id",), group_id=group.id, epoch=end.epoch, seq=seq, digest=end.digest,
        announced=last.announced, known=told, checked_at=tx.ms, forked_at=None, fork="",
        settled=max(last.settled, last.seq, last.known, told),
    )  # fmt: skip


def _keep_apart(tx: Tx, group_id: int, document: dict[str, Any], body: bytes | None) -> None:
    entry = read(document)
    if entry is not None:
        insert_ignore(
            tx, ledger_given_up, group_id=group_id, digest=entry.digest, seq=entry.seq, entry=orjson.dumps(document),
            body=body, given_up_at=tx.ms,
        )  # fmt: skip


# -- checking a whole chain ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first thing that is wrong in a chain; `seq` is the number of the entry."""

    seq: int
    text: str


@dataclass(slots=True)
class Chain:
    """A chain as far as it was looked at: how many entries hold, the last of them, and the keys that have signed.

    Needs nothing but the first key.
    """

    key: GroupKey
    count: int = 0
    digest: str = ""
    epoch: str = ""
    before: list[GroupKey] = field(default_factory=list)

    @property
    def keys(self) -> list[GroupKey]:
        """All keys until now, in order."""
        return [*self.before, self.key]

    def add(self, document: Any, body: Any) -> Flaw | None:
        """Look at the next entry and its body (None when it was not kept); the flaw when it does not hold."""
        entry = read(document)
        if entry is None:
            return Flaw(self.count + 1, "it is not an entry")
        for text in self._flaws(entry, body):
            return Flaw(self.count + 1, text)
        if (change := self._change(entry, body)) is not None:
            self.before.append(replace(self.key, stolen=change.stolen))
            self.key = change.key
        self.count, self.digest, self.epoch = entry.seq, entry.digest, entry.epoch
        return None

    def _flaws(self, entry: Entry, body: Any) -> Iterator[str]:
        if entry.seq != self.count + 1:
            yield f"it is missing or out of order, entry {entry.seq} stands in its place"
        if (flaw := find_flaw(entry, self.key)) is not None and self._change(entry, body) is None:
            yield flaw
        if self.count and entry.epoch != self.epoch:
            yield "it belongs to another chain of the group"
        if entry.previous != self.digest:
            yield "it does not follow the entry before it"
        if body is not None and not (isinstance(body, dict) and fits(entry, body)):
            yield "its body is not the activity that it was written for"

    def _change(self, entry: Entry, body: Any) -> Change | None:
        """The change to another key, where this entry is one; the first key signs the first entry in any case."""
        return find_change(entry, body, self.key) if self.count and body is not None else None
