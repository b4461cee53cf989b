"""Blocks and mutes: how somebody keeps another account away, with its knowledge (block) or without (mute)."""

import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.social import follows
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, blocks, list_accounts, lists, mutes, notifications
from fedcorp.storage.upsert import insert_ignore

_EITHER = sa.select(blocks.c.id).where(
    sa.or_(
        sa.and_(blocks.c.account_id == sa.bindparam("one"), blocks.c.target_id == sa.bindparam("other")),
        sa.and_(blocks.c.account_id == sa.bindparam("other"), blocks.c.target_id == sa.bindparam("one")),
    )
)


def is_blocked(tx: Tx, one_id: int, other_id: int) -> bool:
    """Whether one of the two blocks the other."""
    return tx.conn.execute(_EITHER, {"one": one_id, "other": other_id}).first() is not None


def block(tx: Tx, account: Account, target: Account) -> None:
    """Block: follows end both ways, neither sees the other any more. Raises Unprocessable for oneself."""
    if account.id == target.id:
        raise Unprocessable("You cannot block yourself.")
    values = {"id": tx.new_id(), "account_id": account.id, "target_id": target.id, "created_at": tx.ms}
    if not insert_ignore(tx, blocks, **values):
        return
    follows.unfollow(tx, account.id, target.id)
    if follows.find(tx, target.id, account.id) is not None:
        follows.reject(tx, target.id, account.id)
    _part(tx, account.id, target.id)
    _part(tx, target.id, account.id)


def _part(tx: Tx, account_id: int, target_id: int) -> None:
    """Take one out of the other's lists and notifications."""
    own = sa.select(lists.c.id).where(lists.c.account_id == account_id)
    gone = sa.and_(list_accounts.c.account_id == target_id, list_accounts.c.list_id.in_(own))
    tx.conn.execute(sa.delete(list_accounts).where(gone))
    told = sa.and_(notifications.c.account_id == account_id, notifications.c.from_account_id == target_id)
    tx.conn.execute(sa.delete(notifications).where(told))


def unblock(tx: Tx, account_id: int, target_id: int) -> None:
    """End a block; follows do not come back. Nothing happens when there is none."""
    tx.conn.execute(sa.delete(blocks).where(blocks.c.account_id == account_id, blocks.c.target_id == target_id))


MAX_MUTE_SECONDS = 100 * 365 * 86_400


def mute(tx: Tx, account: Account, target: Account, *, notifications: bool = True, duration: int = 0) -> None:
    """Keep an account out of timelines for `duration` seconds (0: until unmuted), with `notifications` also out of
    those. Muting again changes how. Raises Unprocessable for oneself."""
    if account.id == target.id:
        raise Unprocessable("You cannot mute yourself.")
    how = {"notifications": notifications, "expires_at": tx.ms + duration * 1000 if duration > 0 else None}
    mine = sa.and_(mutes.c.account_id == account.id, mutes.c.target_id == target.id)
    if tx.conn.execute(sa.update(mutes).where(mine).values(how)).rowcount == 0:
        values = {"id": tx.new_id(), "account_id": account.id, "target_id": target.id, "created_at": tx.ms}
        tx.conn.execute(sa.insert(mutes).values(values | how))


def unmute(tx: Tx, account_id: int, target_id: int) -> None:
    """End a mute. Nothing happens when there is none."""
    tx.conn.execute(sa.delete(mutes).where(mutes.c.account_id == account_id, mutes.c.target_id == target_id))


def _kept_away(table: sa.Table, *more: "sa.Column[int]") -> Listing:
    statement = sa.select(table.c.id, table.c.target_id, *more).join(accounts, accounts.c.id == table.c.target_id)
    return Listing(
        statement.where(table.c.account_id == sa.bindparam("account"), accounts.c.deleted_at.is_(None)), table.c.id
    )


_BLOCKED, _MUTED = _kept_away(blocks), _kept_away(mutes, mutes.c.expires_at)


def blocked(tx: Tx, account_id: int, page: Page) -> list[tuple[int, int]]:
    """(id for pages, account id) of everybody whom the account blocks, latest first."""
    return _BLOCKED.rows(tx, page, account=account_id)


def muted(tx: Tx, account_id: int, page: Page) -> list[tuple[int, int, int | None]]:
    """(id for pages, account id, end in ms or None) of everybody whom the account mutes, latest first."""
    rows = _MUTED.rows(tx, page, account=account_id)
    return [row for row in rows if row[2] is None or row[2] > tx.ms]
