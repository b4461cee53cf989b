"""Blocks and mutes: how somebody keeps another account away, with its knowledge (block) or without (mute), or all
accounts of a domain (which tells its people no more than that they do not follow any longer).

What is kept away is left out by `fedcorp.social.visibility` and the lists themselves, not here.
"""

import re

import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.social import accounts as accounts_of
from fedcorp.social import follows, memberships
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import (
    accounts,
    blocks,
    collection_items,
    collections,
    domain_blocks,
    list_accounts,
    lists,
    mutes,
    notifications,
)
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


def block(tx: Tx, account: Account, target: Account, *, uri: str | None = None) -> None:
    """Block: follows end both ways, neither sees the other any more. `uri` is the Block of another server, whose latest
    counts; nobody is told there what it has told us. Raises Unprocessable for oneself."""
    if account.id == target.id:
        raise Unprocessable("You cannot block yourself.")
    values = {"id": tx.new_id(), "account_id": account.id, "target_id": target.id, "created_at": tx.ms, "uri": uri}
    if not insert_ignore(tx, blocks, **values):
        if uri is not None:
            tx.conn.execute(sa.update(blocks).where(_between(account.id, target.id)).values(uri=uri))
        return
    end_follows(tx, account.id, target.id)
    _part(tx, account.id, target.id)
    _part(tx, target.id, account.id)


def _between(account_id: int, target_id: int) -> "sa.ColumnElement[bool]":
    return sa.and_(blocks.c.account_id == account_id, blocks.c.target_id == target_id)


def end_follows(tx: Tx, account_id: int, target_id: int, *, before: int | None = None) -> None:
    """What a block ends between two, by the doing of the first; `before` (ms): follows that began later stay."""
    mine, theirs = follows.find(tx, account_id, target_id), follows.find(tx, target_id, account_id)
    if mine is not None and (before is None or mine.created_at < before):
        follows.unfollow(tx, account_id, target_id)
    if theirs is not None and (before is None or theirs.created_at < before):
        follows.reject(tx, target_id, account_id)


def _part(tx: Tx, account_id: int, target_id: int) -> None:
    """Take one out of the other's lists, collections and notifications."""
    own = sa.select(lists.c.id).where(lists.c.account_id == account_id)
    gone = sa.and_(list_accounts.c.account_id == target_id, list_accounts.c.list_id.in_(own))
    tx.conn.execute(sa.delete(list_accounts).where(gone))
    tx.conn.execute(
        sa.delete(collection_items).where(_collected(account_id), collection_items.c.account_id == target_id)
    )
    told = sa.and_(notifications.c.account_id == account_id, notifications.c.from_account_id == target_id)
    tx.conn.execute(sa.delete(notifications).where(told))


def _collected(account_id: int) -> "sa.ColumnElement[bool]":
    """What stands in the collections of an account; what was revoked stays, so that it is never added again."""
    own = sa.select(collections.c.id).where(collections.c.account_id == account_id)
    return sa.and_(collection_items.c.collection_id.in_(own), collection_items.c.state != "revoked")


def unblock(tx: Tx, account_id: int, target_id: int) -> None:
    """End a block; follows do not come back. Nothing happens when there is none."""
    tx.conn.execute(sa.delete(blocks).where(_between(account_id, target_id)))


def find_target(tx: Tx, account_id: int, uri: str) -> int | None:
    """Whom an account elsewhere blocks by the Block of this id."""
    mine = sa.select(blocks.c.target_id).where(blocks.c.account_id == account_id, blocks.c.uri == uri)
    found: int | None = tx.conn.execute(mine).scalar()
    return found


_BLOCKERS = sa.select(blocks.c.account_id).where(
    blocks.c.target_id == sa.bindparam("target"), blocks.c.account_id.in_(sa.bindparam("ids", expanding=True))
)


def blockers(tx: Tx, target_id: int, ids: set[int]) -> set[int]:
    """Who of these accounts blocks an account."""
    return set(tx.conn.execute(_BLOCKERS, {"target": target_id, "ids": list(ids)}).scalars()) if ids else set()


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


# -- domains ---------------------------------------------------------------------------------------------------------

_DOMAIN = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?(:[0-9]{1,5})?")
MAX_DOMAIN = 255


def check_domain(text: str) -> str:
    """A domain as handles have it, in ASCII. Raises Unprocessable; that there is one by this name is not asked."""
    try:
        domain = text.strip().lower().rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    if len(domain) > MAX_DOMAIN or _DOMAIN.fullmatch(domain) is None:
        raise Unprocessable("Validation failed: Domain is not a valid domain name")
    return domain


def block_domain(tx: Tx, account: Account, text: str) -> None:
    """Keep all accounts of a domain away, those that come to be known later too: follows end both ways, what was told
    of them goes. Twice is once. Raises Unprocessable for what is no domain, for one's own, and for the last admin of a
    group there."""
    domain = check_domain(text)
    if domain == account.domain:
        raise Unprocessable("You cannot block the domain of your own department.")
    if not insert_ignore(
        tx, domain_blocks, id=tx.new_id(), account_id=account.id, domain=domain, created_at=tx.ms
    ):  # fmt: skip
        return
    there = sa.select(accounts.c.id).where(accounts.c.domain == domain)
    for target_id in follows.followed_among(tx, account.id, there):
        memberships.leave(tx, account, accounts_of.get(tx, target_id))
    for follower_id in follows.followers_among(tx, account.id, there):
        follows.reject(tx, follower_id, account.id)
    own = sa.select(lists.c.id).where(lists.c.account_id == account.id)
    listed = sa.and_(list_accounts.c.account_id.in_(there), list_accounts.c.list_id.in_(own))
    tx.conn.execute(sa.delete(list_accounts).where(listed))
    tx.conn.execute(sa.delete(collection_items).where(_collected(account.id), collection_items.c.account_id.in_(there)))
    told = sa.and_(notifications.c.account_id == account.id, notifications.c.from_account_id.in_(there))
    tx.conn.execute(sa.delete(notifications).where(told))


def unblock_domain(tx: Tx, account_id: int, text: str) -> None:
    """End that; follows do not come back. Nothing happens when there is none. Raises Unprocessable."""
    mine = sa.and_(domain_blocks.c.account_id == account_id, domain_blocks.c.domain == check_domain(text))
    tx.conn.execute(sa.delete(domain_blocks).where(mine))


_DOMAINS = Listing(
    sa.select(domain_blocks.c.id, domain_blocks.c.domain).where(domain_blocks.c.account_id == sa.bindparam("account")),
    domain_blocks.c.id,
)


def blocked_domains(tx: Tx, account_id: int, page: Page) -> list[tuple[int, str]]:
    """(id for pages, domain) of every domain that the account keeps away, latest first."""
    return _DOMAINS.rows(tx, page, account=account_id)
