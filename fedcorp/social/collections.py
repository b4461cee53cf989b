"""Collections: accounts that somebody of this department recommends to others, with what the accounts say to it.

Who may be added is asked when they are: people who let themselves be found (`discoverable`), and groups that are no
secret. Those of this department are in at once and may leave for good; of others nobody can be asked yet, so they stay
`pending`, which only the owner sees. No other server hears of a collection. What one shows is decided for each viewer
anew. Who is told of what is another room's (`effects`).

Source: Mastodon's documentation (client/collections, methods/collections).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import sqlalchemy as sa

from fedcorp.errors import Forbidden, NotFound, Unprocessable
from fedcorp.social import accounts, memberships, policy, tags
from fedcorp.social.accounts import Account
from fedcorp.social.events import AddedToCollection, CollectionUpdated, RemovedFromCollection
from fedcorp.social.visibility import blocked, domain_blocked, is_shown, limited, shown
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import collection_items as items_table
from fedcorp.storage.tables import collections as table
from fedcorp.storage.upsert import insert_ignore

MAX_NAME, MAX_DESCRIPTION = 40, 100
MAX_ITEMS = 25
MAX_COLLECTIONS = 10
"""Of one person; Mastodon's default for a role."""
PENDING, ACCEPTED, REVOKED = "pending", "accepted", "revoked"
_NOT_ALLOWED = "This action is not allowed"
_UNWANTED = "This account cannot be added to collections."
_TAKEN = "Validation failed: Account has already been taken"


@dataclass(frozen=True, slots=True)
class Collection:
    """One row of `collections`: times in ms, `tag` a normalised hashtag."""

    id: int
    account_id: int
    name: str
    description: str
    language: str | None
    sensitive: bool
    discoverable: bool
    tag: str | None
    reach: str
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Item:
    """An account in a collection: PENDING, ACCEPTED or REVOKED (which nobody is shown); `created_at` in ms."""

    id: int
    collection_id: int
    account_id: int
    state: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a person says of a collection; None leaves a part as it is, "" takes language and tag away."""

    name: str | None = None
    description: str | None = None
    language: str | None = None
    tag: str | None = None
    sensitive: bool | None = None
    discoverable: bool | None = None
    reach: str | None = None


# -- what a viewer may know of ---------------------------------------------------------------------------------------

_COLUMNS = [table.c[item.name] for item in fields(Collection)]
_ITEM_COLUMNS = [items_table.c[item.name] for item in fields(Item)]
_ID: Any = sa.bindparam("this", type_=sa.BigInteger)
_ACCOUNT: Any = sa.bindparam("account", type_=sa.BigInteger)
_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)
_ALIVE = sa.and_(accounts_table.c.suspended_at.is_(None), accounts_table.c.deleted_at.is_(None))
_OWNED_BY_VIEWER = table.c.account_id == _VIEWER


def _visible(signed_in: bool) -> "sa.Select[Any]":
    """The one rule: who works here is shown to who works here, and to others only what reaches everybody and wants to
    be found. A block on either side hides it."""
    statement = sa.select(*_COLUMNS).join(accounts_table, accounts_table.c.id == table.c.account_id).where(_ALIVE)
    if signed_in:
        return statement.where(~blocked(table.c.account_id, _VIEWER))
    return statement.where(table.c.discoverable, table.c.reach == "public")


def _shown_items(signed_in: bool) -> "sa.Select[Any]":
    """Items of some collections as this viewer sees them, in the order in which they were added. That a group stands
    in a collection says of nobody that they belong to it; a secret one is shown to who may know of it."""
    account = items_table.c.account_id
    statement = (
        sa.select(*_ITEM_COLUMNS)
        .join(table, table.c.id == items_table.c.collection_id)
        .join(accounts_table, accounts_table.c.id == account)
        .where(items_table.c.collection_id.in_(sa.bindparam("of", expanding=True)), _ALIVE)
        .where(shown(account, _VIEWER if signed_in else None))
        .order_by(items_table.c.id)
    )
    if not signed_in:
        return statement.where(items_table.c.state == ACCEPTED, ~limited(account, None))
    return statement.where(
        sa.or_(items_table.c.state == ACCEPTED, sa.and_(items_table.c.state == PENDING, _OWNED_BY_VIEWER)),
        sa.or_(~limited(account, _VIEWER), _OWNED_BY_VIEWER),
        ~blocked(account, _VIEWER),
        ~domain_blocked(account, _VIEWER),
    )


_VISIBLE = {signed_in: _visible(signed_in) for signed_in in (True, False)}
_BY_IDS = {
    signed_in: rows.where(table.c.id.in_(sa.bindparam("ids", expanding=True))) for signed_in, rows in _VISIBLE.items()
}
_ITEMS = {signed_in: _shown_items(signed_in) for signed_in in (True, False)}


def _part(statement: "sa.Select[Any]") -> "sa.Select[Any]":
    limit, offset = (sa.bindparam(name, type_=sa.BigInteger) for name in ("limit", "offset"))
    return statement.order_by(table.c.id.desc()).limit(limit).offset(offset)


_OF_ACCOUNT = {
    True: _part(_VISIBLE[True].where(table.c.account_id == _ACCOUNT, sa.or_(table.c.discoverable, _OWNED_BY_VIEWER))),
    False: _part(_VISIBLE[False].where(table.c.account_id == _ACCOUNT)),
}
_FEATURING = _part(
    _VISIBLE[True].where(
        sa.exists().where(
            items_table.c.collection_id == table.c.id,
            items_table.c.account_id == _ACCOUNT,
            items_table.c.state == ACCEPTED,
        )
    )
)
_ITEM = sa.select(*_ITEM_COLUMNS).where(
    items_table.c.id == _ID,
    items_table.c.collection_id == sa.bindparam("collection", type_=sa.BigInteger),
    items_table.c.state != REVOKED,
)
_STANDING = sa.select(items_table.c.account_id, items_table.c.state).where(
    items_table.c.collection_id == sa.bindparam("collection", type_=sa.BigInteger)
)
_APART = sa.select(sa.or_(blocked(_ACCOUNT, _VIEWER), domain_blocked(_ACCOUNT, _VIEWER)))
_COUNT = sa.select(sa.func.count()).select_from(table).where(table.c.account_id == _ACCOUNT)


def find_many(tx: Tx, viewer_id: int | None, ids: Sequence[int]) -> dict[int, Collection]:
    """Those of these collections that the viewer (None: anybody) may know of."""
    if not ids:
        return {}
    found = tx.conn.execute(_BY_IDS[viewer_id is not None], {"ids": list(ids), "viewer": viewer_id})
    return {row[0]: Collection(*row) for row in found}


def get(tx: Tx, viewer_id: int | None, id_: int) -> Collection:
    """A collection, listed or not. Raises NotFound, also for one that this viewer may not know of."""
    found = find_many(tx, viewer_id, [id_])
    if id_ not in found:
        raise NotFound
    return found[id_]


def of_account(tx: Tx, viewer_id: int | None, account_id: int, limit: int, offset: int = 0) -> list[Collection]:
    """What an account shows on its profile, latest first; to itself everything that it made."""
    values = {"account": account_id, "viewer": viewer_id, "limit": limit, "offset": offset}
    return [Collection(*row) for row in tx.conn.execute(_OF_ACCOUNT[viewer_id is not None], values)]


def featuring(tx: Tx, viewer_id: int, account_id: int, limit: int, offset: int = 0) -> list[Collection]:
    """In which collections an account stands, latest first: for itself, and of a group for its moderators, who may take
    it out. Raises Forbidden."""
    if not _speaks_for(tx, viewer_id, account_id):
        raise Forbidden(_NOT_ALLOWED)
    values = {"account": account_id, "viewer": viewer_id, "limit": limit, "offset": offset}
    return [Collection(*row) for row in tx.conn.execute(_FEATURING, values)]


def items_of(tx: Tx, viewer_id: int | None, ids: Sequence[int]) -> dict[int, list[Item]]:
    """What this viewer sees in each of these collections, which they may know of, in the order of adding."""
    found: dict[int, list[Item]] = {id_: [] for id_ in ids}
    if ids:
        for row in tx.conn.execute(_ITEMS[viewer_id is not None], {"of": list(ids), "viewer": viewer_id}):
            item = Item(*row)
            found[item.collection_id].append(item)
    return found


def shown_locals(tx: Tx, collection_id: int) -> list[Item]:
    """The accounts of this department in a collection, who may be told of it."""
    statement = (
        sa.select(*_ITEM_COLUMNS)
        .join(accounts_table, accounts_table.c.id == items_table.c.account_id)
        .where(items_table.c.collection_id == collection_id, items_table.c.state == ACCEPTED, accounts_table.c.local)
    )
    return [Item(*row) for row in tx.conn.execute(statement)]


def _speaks_for(tx: Tx, viewer_id: int, account_id: int) -> bool:
    """Whether somebody answers for an account: their own, or a group of this department that they moderate."""
    if viewer_id == account_id:
        return True
    account = accounts.find(tx, account_id)
    if account is None or not account.is_group or not account.local:
        return False
    return policy.may_moderate(memberships.role_of(tx, account_id, viewer_id))


# -- making and changing ---------------------------------------------------------------------------------------------


def create(tx: Tx, owner_id: int, said: Change, account_ids: Sequence[int] = ()) -> Collection:
    """Make a collection, which may be empty. What is not said: it is shown on the profile, not sensitive, and goes as
    far as the posts of its owner do. Raises Unprocessable."""
    if tx.conn.execute(_COUNT, {"account": owner_id}).scalar_one() >= MAX_COLLECTIONS:
        raise Unprocessable(f"Validation failed: at most {MAX_COLLECTIONS} collections are kept")
    reach = accounts.settings_of(tx, owner_id).reach or tx.site.config.default_reach
    values = {"name": "", "description": "", "sensitive": False, "discoverable": True, "reach": reach}
    values |= _checked(said)
    if not values["name"]:
        raise Unprocessable("Validation failed: Name can't be blank")
    id_ = tx.new_id()
    values |= {"id": id_, "account_id": owner_id, "created_at": tx.ms, "updated_at": tx.ms}
    tx.conn.execute(sa.insert(table).values(**values))
    for account_id in account_ids:
        add(tx, owner_id, id_, account_id)
    return get(tx, owner_id, id_)


def _checked(said: Change) -> dict[str, Any]:
    """The columns that change, checked. Raises Unprocessable."""
    values = {
        item.name: value.strip() if isinstance(value, str) else value
        for item in fields(said)
        if (value := getattr(said, item.name)) is not None
    }
    if not values.get("name", "unchanged"):
        raise Unprocessable("Validation failed: Name can't be blank")
    for name, most in (("name", MAX_NAME), ("description", MAX_DESCRIPTION)):
        if len(values.get(name, "")) > most:
            raise Unprocessable(f"Validation failed: {name.title()} is too long (maximum is {most} characters)")
    if values.get("reach", "public") not in policy.REACHES:
        raise Unprocessable(f"Validation failed: reach is one of {', '.join(policy.REACHES)}")
    if "language" in values:
        values["language"] = values["language"] or None
    if "tag" in values:
        values["tag"] = tags.key(values["tag"]) if values["tag"] else None
    return values


def update(tx: Tx, viewer_id: int, id_: int, said: Change) -> Collection:
    """Change what one's collection says of itself. Raises NotFound, Forbidden, Unprocessable."""
    known = _own(tx, viewer_id, id_)
    changed = {name: value for name, value in _checked(said).items() if value != getattr(known, name)}
    if not changed:
        return known
    tx.conn.execute(sa.update(table).where(table.c.id == id_).values(**changed, updated_at=tx.ms))
    tx.record(CollectionUpdated(viewer_id, id_))
    return get(tx, viewer_id, id_)


def delete(tx: Tx, viewer_id: int, id_: int) -> None:
    """Remove one's collection. Raises NotFound, Forbidden."""
    _own(tx, viewer_id, id_)
    for item in shown_locals(tx, id_):
        tx.record(RemovedFromCollection(id_, item.account_id))
    tx.conn.execute(sa.delete(items_table).where(items_table.c.collection_id == id_))
    tx.conn.execute(sa.delete(table).where(table.c.id == id_))


def _own(tx: Tx, viewer_id: int, id_: int) -> Collection:
    found = get(tx, viewer_id, id_)
    if found.account_id != viewer_id:
        raise Forbidden(_NOT_ALLOWED)
    return found


def _touch(tx: Tx, id_: int) -> None:
    tx.conn.execute(sa.update(table).where(table.c.id == id_).values(updated_at=tx.ms))


# -- who stands in it ------------------------------------------------------------------------------------------------


def add(tx: Tx, viewer_id: int, id_: int, account_id: int | None) -> Item:
    """Put an account into one's collection. Raises NotFound, Forbidden, and Unprocessable for whom it may not show;
    the sentence is the same for who does not want it, is a secret, blocks, or does not exist."""
    _own(tx, viewer_id, id_)
    if account_id is None:
        raise Unprocessable("`account_id` parameter is missing")
    account = accounts.find(tx, account_id)
    if account is None or not _may_add(tx, viewer_id, account):
        raise Unprocessable(_UNWANTED)
    standing = {row[0]: row[1] for row in tx.conn.execute(_STANDING, {"collection": id_})}
    if account_id in standing:
        raise Unprocessable(_UNWANTED if standing[account_id] == REVOKED else _TAKEN)
    if sum(state != REVOKED for state in standing.values()) >= MAX_ITEMS:
        raise Unprocessable(f"Validation failed: at most {MAX_ITEMS} accounts stand in a collection")
    item = Item(tx.new_id(), id_, account_id, ACCEPTED if account.local else PENDING, tx.ms)
    if not insert_ignore(tx, items_table, **asdict(item)):  # somebody was faster
        raise Unprocessable(_TAKEN)
    _touch(tx, id_)
    if item.state == ACCEPTED:
        tx.record(AddedToCollection(viewer_id, id_, item.id, account_id))
    return item


def _may_add(tx: Tx, owner_id: int, account: Account) -> bool:
    """Whether an account lets somebody show it to others: it wants to be found and hides from nobody. Everybody may
    show themselves."""
    if account.id == owner_id:
        return True
    if account.is_server or not account.discoverable or not is_shown(tx, account, None):
        return False
    return not tx.conn.execute(_APART, {"account": account.id, "viewer": owner_id}).scalar()


def remove(tx: Tx, viewer_id: int, id_: int, item_id: int) -> None:
    """Take an account out of one's collection. Raises NotFound, Forbidden."""
    _own(tx, viewer_id, id_)
    item = _get_item(tx, id_, item_id)
    tx.conn.execute(sa.delete(items_table).where(items_table.c.id == item.id))
    _touch(tx, id_)
    tx.record(RemovedFromCollection(id_, item.account_id))


def revoke(tx: Tx, viewer_id: int, id_: int, item_id: int) -> None:
    """The account itself, or a moderator of the group, takes it out of a collection, where it cannot be added again.
    Raises NotFound, Forbidden."""
    get(tx, viewer_id, id_)
    item = _get_item(tx, id_, item_id)
    if not _speaks_for(tx, viewer_id, item.account_id):
        if item.id not in {seen.id for seen in items_of(tx, viewer_id, [id_])[id_]}:
            raise NotFound
        raise Forbidden(_NOT_ALLOWED)
    tx.conn.execute(sa.update(items_table).where(items_table.c.id == item.id).values(state=REVOKED))
    _touch(tx, id_)
    tx.record(RemovedFromCollection(id_, item.account_id))


def _get_item(tx: Tx, collection_id: int, item_id: int) -> Item:
    row = tx.conn.execute(_ITEM, {"this": item_id, "collection": collection_id}).first()
    if row is None:
        raise NotFound
    return Item(*row)


def forget_account(tx: Tx, account_id: int) -> None:
    """An account is gone: with it what it collected, and its place with others."""
    own = sa.select(table.c.id).where(table.c.account_id == account_id)
    gone = sa.or_(items_table.c.account_id == account_id, items_table.c.collection_id.in_(own))
    tx.conn.execute(sa.delete(items_table).where(gone))
    tx.conn.execute(sa.delete(table).where(table.c.account_id == account_id))
