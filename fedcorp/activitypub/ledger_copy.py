"""Examines the ledger of a group as this database holds it: the chain itself, then the roles that follow from it.

Offline: what is in the tables is held against itself and against the group's key, nothing is fetched and nothing is
changed. What one database cannot know (that all of it was exchanged for another signed history, or that the end is
missing and the head with it) is found by comparing heads with other departments. The file for others: `ledger_file`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.activitypub import ledger, ledger_keys
from fedcorp.activitypub.ledger import Chain, Flaw, Head
from fedcorp.activitypub.ledger_keys import GroupKey
from fedcorp.errors import NotFound
from fedcorp.social import accounts, groups, policy
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import affiliations, ledger_heads, memberships
from fedcorp.storage.tables import events as events_table
from fedcorp.storage.tables import follows as follows_table
from fedcorp.storage.tables import ledger as ledger_table

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many entries hold and the digest of the last; what is `wrong` first (None: nothing); what to know besides."""

    count: int
    digest: str
    wrong: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Roles:
    """Who has which role by the bodies of entries: (number of the entry, role or None) by uri. 0: no entry yet."""

    group_uri: str
    told: dict[str, tuple[int, str | None]] = field(default_factory=dict)

    def add(self, seq: int, body: Any) -> None:
        """Take in the body of an entry. Only what the group itself says changes roles; bans are roles, too."""
        if not isinstance(body, dict) or body.get("actor") != self.group_uri or body.get("type") not in _ROLE_ACTS:
            return
        relation = body.get("object")
        if not isinstance(relation, dict) or relation.get("type") != "Relationship":
            return
        subject, role = relation.get("subject"), relation.get("relationship")
        if relation.get("object") == self.group_uri and isinstance(subject, str) and role in policy.ROLES:
            self.told[subject] = (seq, str(role) if body["type"] == "Add" else None)


_ROLE_ACTS = ("Add", "Remove")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of `ledger`."""

    seq: int
    uri: str
    kind: str
    object_uri: str
    digest: str
    entry: bytes
    body: bytes | None


_ROWS = (
    sa.select(*(ledger_table.c[name] for name in ("seq", "uri", "kind", "object_uri", "digest", "entry", "body")))
    .where(ledger_table.c.group_id == sa.bindparam("group"), ledger_table.c.seq > sa.bindparam("after"))
    .where(ledger_table.c.seq <= sa.bindparam("upto"))
    .order_by(ledger_table.c.seq)
    .limit(PAGE)
)
_LAST = sa.select(sa.func.max(ledger_table.c.seq)).where(ledger_table.c.group_id == sa.bindparam("group"))
_FORK = sa.select(ledger_heads.c.fork).where(ledger_heads.c.group_id == sa.bindparam("group"))
_WAITING = sa.select(events_table.c.payload).where(events_table.c.kind == "MemberChanged").order_by(events_table.c.seq)
_MEMBERS = (
    sa.select(accounts_table.c.uri, memberships.c.role)
    .join(accounts_table, accounts_table.c.id == memberships.c.account_id)
    .where(memberships.c.group_id == sa.bindparam("group"))
)
_AFFILIATED = sa.select(affiliations.c.subject_uri, affiliations.c.role).where(
    affiliations.c.group_id == sa.bindparam("group")
)
_FOLLOWING = (
    sa.select(accounts_table.c.uri)
    .join(follows_table, follows_table.c.follower_id == accounts_table.c.id)
    .where(follows_table.c.target_id == sa.bindparam("group"), follows_table.c.state == "accepted")
    .where(accounts_table.c.local, accounts_table.c.suspended_at.is_(None), accounts_table.c.deleted_at.is_(None))
)


def find_group(tx: Tx, name: str) -> Account:
    """The group called `name` (of this department) or `name@domain`. Raises NotFound."""
    username, _, domain = name.removeprefix("@").partition("@")
    found = accounts.find_by_handle(tx, username, domain or None)
    if found is None or not found.is_group:
        raise NotFound(f"there is no group called {name!r} here; `fedcorp group list` shows those that are.")
    return found


def key_of(tx: Tx, group: Account) -> GroupKey:
    """The key with which the chain of a group begins. Raises NotFound for a group that keeps no ledger."""
    known, rules = ledger_keys.of_group(tx, group), groups.find(tx, group.id)
    key = known[0] if known else ledger_keys.published(tx, group)
    if key is None or not (group.local or (rules is not None and rules.ledger_uri)):
        raise NotFound(f"@{group.handle} keeps no ledger; groups of departments with this software do.")
    return key


def page(tx: Tx, group_id: int, after: int, upto: int) -> list[Row]:
    """The next rows of our copy behind the number `after`, in order, not beyond `upto`."""
    return [Row(*row) for row in tx.conn.execute(_ROWS, {"group": group_id, "after": after, "upto": upto})]


def _rows(tx: Tx, group_id: int, upto: int) -> Iterator[Row]:
    after = 0
    while found := page(tx, group_id, after, upto):
        yield from found
        after = found[-1].seq


def load(data: bytes) -> Any:
    """The JSON in a column; None when it is none."""
    try:
        return orjson.loads(data)
    except ValueError:
        return None


# -- examining -------------------------------------------------------------------------------------------------------


def examine(tx: Tx, group: Account) -> Outcome:
    """Look at the whole copy. Raises NotFound for a group without key."""
    chain, roles = Chain(key_of(tx, group)), Roles(group.uri)
    tables = _read_tables(tx, group)
    flaw = _chain_flaw(tx, group, tables, chain, roles) or _key_flaw(tx, group, chain)
    if flaw is not None:
        return Outcome(chain.count, chain.digest, f"entry {flaw.seq}: {flaw.text}")
    waiting = _add_waiting(tx, group, tables, roles)
    return Outcome(
        chain.count, chain.digest, _fork(tx, group, tables.head) or _difference(tx, group, tables, roles),
        (*_notes(tables.head, waiting), *_key_notes(tx, group, chain)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Tables:
    """What the other tables say, at one moment."""

    head: Head
    last: int
    waiting: tuple[str, ...]
    members: dict[str, str]
    affiliated: dict[str, str]
    following: frozenset[str]


def _read_tables(tx: Tx, group: Account) -> _Tables:
    of = {"group": group.id}
    return _Tables(
        head=ledger.head(tx, group.id),
        last=tx.conn.execute(_LAST, of).scalar() or 0,
        waiting=tuple(tx.conn.execute(_WAITING, {}).scalars()),
        members={row[0]: row[1] for row in tx.conn.execute(_MEMBERS, of)},
        affiliated={row[0]: row[1] for row in tx.conn.execute(_AFFILIATED, of)},
        following=frozenset(tx.conn.execute(_FOLLOWING, of).scalars()),
    )


def _chain_flaw(tx: Tx, group: Account, tables: _Tables, chain: Chain, roles: Roles) -> Flaw | None:
    for row in _rows(tx, group.id, tables.last):
        document, body = load(row.entry), load(row.body) if row.body is not None else None
        if row.body is not None and body is None:
            return Flaw(chain.count + 1, "its body is no JSON")
        if (flaw := chain.add(document, body)) is not None:
            return flaw
        if (row.seq, row.digest, row.uri, row.kind, row.object_uri) != (
            chain.count, chain.digest, document.get("id"), document["objectType"], document["object"],
        ):  # fmt: skip
            return Flaw(chain.count, "the columns beside it say something else than the entry itself")
        roles.add(chain.count, body)
    return _end_flaw(group, tables.head, chain)


def _end_flaw(group: Account, head: Head, chain: Chain) -> Flaw | None:
    reached = max(head.seq, head.known if group.local and head.forked_at is None else 0)
    if chain.count < reached:
        return Flaw(chain.count + 1, f"it is missing with all that follow; the chain had {reached} entries here")
    if chain.count > head.seq:
        return Flaw(head.seq + 1, "the head of the chain in ledger_heads does not know of it")
    if chain.digest != head.digest:
        return Flaw(chain.count, "the head of the chain in ledger_heads has another digest")
    return None


def _key_flaw(tx: Tx, group: Account, chain: Chain) -> Flaw | None:
    """The keys in other tables must be those that follow from the entries."""
    if [_told(key) for key in ledger_keys.of_group(tx, group)] != [_told(key) for key in chain.keys if chain.count]:
        return Flaw(chain.count, "the keys in ledger_keys are others than those that the entries name")
    key = ledger_keys.published(tx, group)
    if key is not None and key.id == chain.key.id and key.text != chain.key.text:
        return Flaw(chain.count, f"the group publishes another key than this under the name {key.id}")
    return None


def _told(key: GroupKey) -> tuple[int, str, str, bool]:
    return key.since, key.id, key.text, key.stolen


def _key_notes(tx: Tx, group: Account, chain: Chain) -> Iterator[str]:
    key = ledger_keys.published(tx, group)
    if chain.count and key is not None and key.id != chain.key.id:
        because = "no server has run since" if group.local else "it has not come yet"
        yield f"The group publishes a newer key, {key.id}; there is no entry of the change, because {because}."


def _fork(tx: Tx, group: Account, head: Head) -> str | None:
    if head.forked_at is None:
        return None
    kept = load(str(tx.conn.execute(_FORK, {"group": group.id}).scalar()).encode())
    told = kept.get("told", kept) if isinstance(kept, dict) else {}
    return (
        f"entry {told.get('seq')}: the group has signed two different ones; see ledger_heads.fork for the other, and "
        "`fedcorp group settle` for what can be done"
    )


def _notes(head: Head, waiting: int) -> Iterator[str]:
    if waiting:
        yield f"Changes of roles that have no entry yet, because no server has run since: {waiting}."
    if head.known > head.seq:
        yield f"The group's server has told of {head.known} entries; those after {head.seq} have not come yet."


# -- roles -----------------------------------------------------------------------------------------------------------


def _add_waiting(tx: Tx, group: Account, tables: _Tables, roles: Roles) -> int:
    """What has happened in a group of ours and has no entry yet; how much that is."""
    changes = [change for text in tables.waiting if (change := orjson.loads(text))["group_id"] == group.id]
    subjects = accounts.find_many(tx, {change["account_id"] for change in changes})
    for change in changes:
        if (subject := subjects.get(change["account_id"])) is not None:
            roles.told[subject.uri] = (0, change["role"])
    return len(changes)


def _difference(tx: Tx, group: Account, tables: _Tables, roles: Roles) -> str | None:
    """The first account, in the order of the entries, whose role in our tables does not follow from the ledger."""
    here = tables.members if group.local else tables.affiliated
    table = "memberships" if group.local else "affiliations"
    found = [uri for uri in here.keys() | roles.told.keys() if here.get(uri) != _role(roles, uri)]
    if not found and not group.local:
        here, table = tables.members, "memberships"
        found = [uri for uri in _own(tx, here, roles) if not _is_explained(tables, roles, uri)]
    if not found:
        return None
    uri = min(found, key=lambda uri: (roles.told.get(uri, (tables.last + 1, None))[0] or tables.last + 1, uri))
    return f"{_who(tx, uri)} {_differs(here.get(uri), roles.told.get(uri), table)}"


def _role(roles: Roles, uri: str) -> str | None:
    return roles.told.get(uri, (0, None))[1]


def _own(tx: Tx, here: dict[str, str], roles: Roles) -> set[str]:
    return {uri for uri in here.keys() | roles.told.keys() if tx.site.urls.owns(uri)}


def _is_explained(tables: _Tables, roles: Roles, uri: str) -> bool:
    """Our people are members from the group's Accept on, and none from when they leave: the entry comes later.

    While nobody here belongs the copy does not grow, and a department still hears that one of its own was banned.
    """
    ours, told = tables.members.get(uri), _role(roles, uri)
    if not tables.following and ours in (None, "outcast"):
        return True
    if ours == told:
        return True
    if uri in tables.following:
        return ours == "member" and told is None
    return ours is None and told in policy.MEMBERS


def _who(tx: Tx, uri: str) -> str:
    known = accounts.find_by_uri(tx, uri)
    return f"@{known.handle} ({uri})" if known is not None else uri


def _differs(here: str | None, told: tuple[int, str | None] | None, table: str) -> str:
    ours = f"is {here} in the table {table}" if here is not None else f"has no role in the table {table}"
    if told is None:
        return f"{ours}, but no entry speaks of them"
    seq, role = told
    by = f"entry {seq}" if seq else "a change that waits for its entry"
    return f"{ours}, but {role} by {by}" if role is not None else f"{ours}, but {by} took the role away"
