"""The keys of a ledger: which one signs which entries, and how a group changes from one to the next.

The first key is the one that the group published when its chain began, or, for who comes later, the one that its server
names with the chain. Every later one follows from an entry: the group says in an `Update` of its key, signed with the
key before, which one comes next, and that entry and all behind it are signed with the new one. The old key shows that
the group meant it, the new one that it stands behind everything that was written until then; so neither a thief of the
old key nor whoever made up another past can take a ledger over.

An entry of a key that was said to be stolen proves nothing against the group. Decision: docs/decisions/0019.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fedcorp.activitypub import render
from fedcorp.activitypub.proofs import add_proof, proof_of, verify_proof
from fedcorp.activitypub.vocabulary import CID, types_of
from fedcorp.clock import from_ms
from fedcorp.errors import BadRequest
from fedcorp.keys import PublicKey, load_private, load_public
from fedcorp.social import accounts
from fedcorp.social.accounts import Account, Key
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import ledger_keys


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A key that signs entries, from the number `since` on. `text` is it as Multikey; `stolen`: others have it, too.

    A proof that has expired by `now` does not hold.
    """

    group_uri: str
    id: str
    text: str
    now: datetime
    since: int = 1
    stolen: bool = False

    @property
    def public(self) -> PublicKey:
        """The key itself."""
        return load_public(self.text)


@dataclass(frozen=True, slots=True)
class Change:
    """The key that follows, and whether the one before was stolen."""

    key: GroupKey
    stolen: bool


_KEYS = (
    sa.select(ledger_keys.c.key_id, ledger_keys.c.public, ledger_keys.c.seq, ledger_keys.c.stolen)
    .where(ledger_keys.c.group_id == sa.bindparam("group"))
    .order_by(ledger_keys.c.seq)
)
_INSERT = sa.insert(ledger_keys)
_LAST = sa.select(sa.func.max(ledger_keys.c.seq)).where(ledger_keys.c.group_id == sa.bindparam("of")).scalar_subquery()
_OF_LAST = sa.update(ledger_keys).where(ledger_keys.c.group_id == sa.bindparam("of"), ledger_keys.c.seq == _LAST)
_STOLEN, _NOT_STOLEN = _OF_LAST.values(stolen=sa.true()), _OF_LAST.values(stolen=sa.false())


def of_group(tx: Tx, group: Account) -> list[GroupKey]:
    """The keys that have signed so far, as our copy knows them, in order; empty before the first entry."""
    rows, now = tx.conn.execute(_KEYS, {"group": group.id}).all(), tx.clock.now()
    return [GroupKey(group.uri, id_, text, now, since, stolen) for id_, text, since, stolen in rows]


def published(tx: Tx, group: Account) -> GroupKey | None:
    """The key that a group shows to everybody now, as far as it is known here."""
    key = accounts.public_keys(tx, group.id).get("ed25519")
    return GroupKey(group.uri, key.id, key.public, tx.clock.now()) if key is not None else None


def at(keys: list[GroupKey], seq: int) -> GroupKey | None:
    """The key that signs the entry with this number, if no change of it comes before."""
    return next((key for key in reversed(keys) if key.since <= seq), None)


def add(tx: Tx, group_id: int, key: GroupKey, *, stolen: bool = False) -> None:
    """Note that a key signs from its number on; `stolen`: the one before is in wrong hands."""
    if stolen:
        tx.conn.execute(_STOLEN, {"of": group_id})
    values = {"group_id": group_id, "seq": key.since, "key_id": key.id, "public": key.text, "stolen": False}
    tx.conn.execute(_INSERT, values)


def drop(tx: Tx, group_id: int, after: int) -> None:
    """Forget the keys that sign from a number behind `after` on, and that the one before them was stolen."""
    gone = sa.delete(ledger_keys).where(ledger_keys.c.group_id == group_id, ledger_keys.c.seq > after)
    if tx.conn.execute(gone).rowcount:
        tx.conn.execute(_NOT_STOLEN, {"of": group_id})


# -- a change of keys ------------------------------------------------------------------------------------------------


def multikey(key: GroupKey) -> dict[str, Any]:
    """A key as its group publishes it (FEP-521a)."""
    return _multikey(key.group_uri, key.id, key.text)


def _multikey(group_uri: str, key_id: str, text: str) -> dict[str, Any]:
    return {"id": key_id, "type": "Multikey", "controller": group_uri, "publicKeyMultibase": text}


def change(tx: Tx, group: Account, uri: str, old: Key, new: Key, *, stolen: bool) -> dict[str, Any]:
    """What a group of ours says when another key follows, signed with the old one."""
    before, after = (_multikey(group.uri, key.id, key.public) for key in (old, new))
    if stolen:
        before["revoked"] = render.time(tx.ms)
    # Both keep a context of their own: terms of cid/v1 are protected, and a proof that repeated them would not expand.
    more: dict[str, Any] = {"origin": {"@context": CID, **before}}
    to = [group.followers_uri or ""]
    document = render.activity("Update", uri, group, {"@context": CID, **after}, at=tx.ms, to=to, **more)
    return add_proof(document, key_id=old.id, private=load_private(old.private), created=from_ms(tx.ms))


def read_change(body: Any, before: GroupKey, seq: int) -> Change | None:
    """The change of keys that an activity is, if it is one and the key `before` signed it; `seq` is its entry."""
    thing = body.get("object") if isinstance(body, dict) and body.get("type") == "Update" else None
    if not isinstance(thing, dict) or "Multikey" not in types_of(thing) or body.get("actor") != before.group_uri:
        return None
    key_id, text, proof = thing.get("id"), thing.get("publicKeyMultibase"), proof_of(body)
    if not isinstance(key_id, str) or not isinstance(text, str) or not text.startswith("z6Mk"):
        return None
    if thing.get("controller") != before.group_uri or key_id == before.id or proof is None or proof.key_id != before.id:
        return None
    try:
        key = GroupKey(before.group_uri, key_id, text, before.now, seq)
        held = verify_proof(body, proof, before.public, before.now) and key.public is not None
    except BadRequest:  # no key at all
        return None
    was = body.get("origin")
    stolen = isinstance(was, dict) and was.get("id") == before.id and bool(was.get("revoked"))
    return Change(key, stolen) if held else None


def read_multikey(group: Account, given: Any, now: datetime) -> GroupKey | None:
    """The key of a group in a document of its server; None for anything else."""
    if not isinstance(given, dict) or given.get("controller") != group.uri:
        return None
    key_id, text = given.get("id"), given.get("publicKeyMultibase")
    if not isinstance(key_id, str) or not isinstance(text, str) or not text.startswith("z6Mk"):
        return None
    try:
        load_public(text)
    except BadRequest:
        return None
    return GroupKey(group.uri, key_id, text, now)
