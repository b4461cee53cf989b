"""Lists of accounts: followers and followed, requests, acquaintances, the directory, endorsements, and private notes.

Ids only; what an account looks like is the edge's work. Never lists the suspended, the deleted and the server's actor.
"""

from typing import Any

import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.social import accounts, memberships, policy
from fedcorp.social import follows as follows_of
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Listing, Page
from fedcorp.social.visibility import domain_blocked, is_shown, limited, membership_shown, shown
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import account_notes, blocks, dismissed_suggestions, endorsements, follows, groups
from fedcorp.storage.tables import accounts as table
from fedcorp.storage.tables import memberships as membership_rows
from fedcorp.storage.upsert import insert_ignore, upsert

MAX_NOTE = 2000
_ACCOUNT: Any = sa.bindparam("account", type_=sa.BigInteger)
_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)
_ALIVE = sa.and_(table.c.suspended_at.is_(None), table.c.deleted_at.is_(None), accounts.NOT_THIS_SERVER)


def _not_blocked(account: Any, viewer: Any) -> "sa.ColumnElement[bool]":
    blocked = sa.exists().where(
        sa.or_(
            sa.and_(blocks.c.account_id == viewer, blocks.c.target_id == account),
            sa.and_(blocks.c.account_id == account, blocks.c.target_id == viewer),
        )
    )
    return ~sa.or_(blocked, domain_blocked(account, viewer))


def _of(mine: "sa.Column[int]", other: "sa.Column[int]", state: str) -> Listing:
    """The other side of follows in this state."""
    statement = (
        sa.select(follows.c.id, other)
        .join(table, table.c.id == other)
        .where(mine == _ACCOUNT, follows.c.state == state, _ALIVE, _not_blocked(other, _VIEWER), shown(other, _VIEWER))
        .where(sa.or_(_ACCOUNT == _VIEWER, membership_shown(other, _VIEWER)))
    )
    return Listing(statement, follows.c.id)


_FOLLOWERS = _of(follows.c.target_id, follows.c.follower_id, "accepted")
_FOLLOWING = _of(follows.c.follower_id, follows.c.target_id, "accepted")
_ENDORSED = Listing(
    sa.select(endorsements.c.id, endorsements.c.target_id)
    .join(table, table.c.id == endorsements.c.target_id)
    .where(endorsements.c.account_id == _ACCOUNT, _ALIVE, _not_blocked(endorsements.c.target_id, _VIEWER))
    .where(shown(endorsements.c.target_id, _VIEWER))
    .where(sa.or_(_ACCOUNT == _VIEWER, membership_shown(endorsements.c.target_id, _VIEWER))),
    endorsements.c.id,
)
# Groups of this server whose requests somebody answers, as a moderator.
_MODERATED = (
    sa.select(membership_rows.c.group_id)
    .join(table, table.c.id == membership_rows.c.group_id)
    .where(membership_rows.c.account_id == _ACCOUNT, membership_rows.c.role.in_(("moderator", "admin")), table.c.local)
)


def _asks(rows: Any) -> "sa.ColumnElement[bool]":
    return sa.and_(rows.c.state == "pending", sa.or_(rows.c.target_id == _ACCOUNT, rows.c.target_id.in_(_MODERATED)))


def _requests() -> Listing:
    older = follows.alias("older")
    is_repeated = sa.exists().where(
        older.c.follower_id == follows.c.follower_id, older.c.id < follows.c.id, _asks(older)
    )
    statement = (
        sa.select(follows.c.id, follows.c.follower_id)
        .join(table, table.c.id == follows.c.follower_id)
        .where(_asks(follows), ~is_repeated, _ALIVE, _not_blocked(follows.c.follower_id, _ACCOUNT))
    )
    return Listing(statement, follows.c.id)


_REQUESTS = _requests()
_OLDEST_REQUEST = (
    sa.select(follows.c.target_id)
    .where(_asks(follows), follows.c.follower_id == sa.bindparam("follower", type_=sa.BigInteger))
    .order_by(follows.c.id)
    .limit(1)
)


_READING = sa.select(groups.c.reading).where(groups.c.account_id == sa.bindparam("group"))


def may_see_followers(tx: Tx, viewer_id: int | None, account: Account) -> bool:
    """Members of a group are shown to members; people may hide whom they know."""
    if viewer_id == account.id:
        return True
    if account.is_group:
        reading = tx.conn.execute(_READING, {"group": account.id}).scalar()
        role = memberships.role_of(tx, account.id, viewer_id)
        return viewer_id is not None and policy.may_read_group(reading or "members", role)
    return not account.hide_collections


def followers(tx: Tx, viewer_id: int | None, account: Account, page: Page) -> list[tuple[int, int]]:
    """(id for pages, account id) of who follows an account, latest first; empty when the viewer may not see them."""
    return _read(tx, _FOLLOWERS, viewer_id, account, page)


def following(tx: Tx, viewer_id: int | None, account: Account, page: Page) -> list[tuple[int, int]]:
    """(id for pages, account id) of whom an account follows, latest first; empty when the viewer may not see them."""
    return _read(tx, _FOLLOWING, viewer_id, account, page)


def requests(tx: Tx, account_id: int, page: Page) -> list[tuple[int, int]]:
    """(id for pages, account id) of who asks to follow an account or to join a group that it moderates, latest first.

    Who asks for several is there once, with the oldest request.
    """
    return _REQUESTS.rows(tx, page, account=account_id)


def asked(tx: Tx, account_id: int, follower_id: int) -> int:
    """Whom the oldest request of somebody concerns that this account may answer: itself, or a group that it moderates.

    Itself also when nobody asks.
    """
    target: int | None = tx.conn.execute(_OLDEST_REQUEST, {"account": account_id, "follower": follower_id}).scalar()
    return account_id if target is None else target


def _read(tx: Tx, listing: Listing, viewer_id: int | None, account: Account, page: Page) -> list[tuple[int, int]]:
    if not may_see_followers(tx, viewer_id, account):
        return []
    return listing.rows(tx, page, account=account.id, viewer=viewer_id)


def endorsed(tx: Tx, viewer_id: int, account_id: int, page: Page) -> list[tuple[int, int]]:
    """(id for pages, account id) of whom an account shows on its profile, latest first, as far as the viewer may know
    of them; that somebody belongs to a group which only members read is for those members."""
    return _ENDORSED.rows(tx, page, account=account_id, viewer=viewer_id)


def endorse(tx: Tx, account_id: int, target_id: int) -> None:
    """Show on one's profile somebody whom one follows, for as long as one does; twice is once. Raises Unprocessable."""
    if not follows_of.is_following(tx, account_id, target_id):
        raise Unprocessable("Validation failed: You must be already following the person you want to endorse")
    insert_ignore(tx, endorsements, id=tx.new_id(), account_id=account_id, target_id=target_id, created_at=tx.ms)


def unendorse(tx: Tx, account_id: int, target_id: int) -> None:
    """Show them no longer. Nothing happens when they are not shown."""
    mine = sa.and_(endorsements.c.account_id == account_id, endorsements.c.target_id == target_id)
    tx.conn.execute(sa.delete(endorsements).where(mine))


def familiar(tx: Tx, viewer_id: int, ids: "list[int]") -> dict[int, list[int]]:
    """For each of these accounts that is not gone, those of its followers whom the viewer follows too, at most ten."""
    known = sa.select(follows.c.target_id).where(follows.c.follower_id == viewer_id, follows.c.state == "accepted")
    statement = (
        sa.select(follows.c.target_id, follows.c.follower_id)
        .join(table, table.c.id == follows.c.follower_id)
        .where(follows.c.target_id.in_(ids), follows.c.state == "accepted", follows.c.follower_id.in_(known), _ALIVE)
        .order_by(follows.c.id.desc())
        .limit(1000)
    )
    targets = {
        id_: account for id_, account in accounts.find_many(tx, ids).items()
        if is_shown(tx, account, viewer_id) and may_see_followers(tx, viewer_id, account)
    }  # fmt: skip
    found: dict[int, list[int]] = {id_: [] for id_ in ids if id_ in targets}
    for target_id, follower_id in tx.conn.execute(statement):
        if target_id in found and len(found[target_id]) < 10 and not targets[target_id].hide_collections:
            found[target_id].append(follower_id)
    return found


def directory(
    tx: Tx, viewer_id: int | None, limit: int, offset: int = 0, *, newest: bool = False, local: bool = False
) -> list[int]:
    """Accounts that want to be found: groups first, then by last post, or with `newest` by age."""
    statement = sa.select(table.c.id).where(_ALIVE, table.c.discoverable, shown(table.c.id, viewer_id))
    statement = statement.where(~limited(table.c.id, viewer_id))
    if viewer_id is not None:
        statement = statement.where(_not_blocked(table.c.id, viewer_id))
    if local:
        statement = statement.where(table.c.local)
    order = table.c.id if newest else sa.func.coalesce(table.c.last_status_at, 0)
    groups_first = sa.case((table.c.kind == "group", 0), else_=1)
    statement = statement.order_by(groups_first, order.desc(), table.c.id.desc())  # pages need an order without ties
    return list(tx.conn.execute(statement.limit(limit).offset(offset)).scalars())


def suggestions(tx: Tx, viewer_id: int, limit: int) -> list[int]:
    """Whom to follow: groups, then the most followed, without those that are followed, asked or put away already."""
    away = sa.select(dismissed_suggestions.c.target_id).where(dismissed_suggestions.c.account_id == viewer_id)
    followed = sa.select(follows.c.target_id).where(follows.c.follower_id == viewer_id)
    statement = (
        sa.select(table.c.id)
        .where(_ALIVE, table.c.discoverable, table.c.id != viewer_id, table.c.id.not_in(followed))
        .where(table.c.id.not_in(away))
        .where(shown(table.c.id, viewer_id), _not_blocked(table.c.id, viewer_id), ~limited(table.c.id, viewer_id))
        .order_by(sa.case((table.c.kind == "group", 0), else_=1), table.c.followers_count.desc(), table.c.id)
        .limit(limit)
    )
    return list(tx.conn.execute(statement).scalars())


def dismiss_suggestion(tx: Tx, account_id: int, target_id: int) -> None:
    """Suggest somebody to this person no more. Nothing happens when there is no such account."""
    if target_id != account_id and accounts.find(tx, target_id) is not None:
        insert_ignore(tx, dismissed_suggestions, account_id=account_id, target_id=target_id, created_at=tx.ms)


def set_note(tx: Tx, account_id: int, target_id: int, comment: str) -> None:
    """Keep a private note about somebody; an empty one says nothing. Raises Unprocessable."""
    comment = comment.strip()
    if len(comment) > MAX_NOTE:
        raise Unprocessable(f"Validation failed: Comment is too long (maximum is {MAX_NOTE} characters)")
    upsert(tx, account_notes, ("account_id", "target_id"), account_id=account_id, target_id=target_id, comment=comment)
