"""Lists that people make, and one virtual list for each group they belong to. What a list shows: `timelines`.

The id of a virtual list is that of the group's account. Its members cannot be changed; its name, whether the group
stays out of the home timeline, and whether the list is shown at all are the member's own choice. An account stands in
a list as long as it is followed.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import memberships
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, follows, group_lists, list_accounts, lists
from fedcorp.storage.tables import memberships as members_table
from fedcorp.storage.upsert import insert_ignore, upsert

PREFIX = "# "
"""Begins the titles of virtual lists, so that they stand together in an alphabetical order."""
REPLIES = ("list", "followed", "none")
MAX_TITLE, MAX_LISTS = 255, 50


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list; `group` says that it is the virtual list of a group."""

    id: int
    title: str
    replies_policy: str
    exclusive: bool
    group: bool = False


_OWN = sa.select(lists.c.id, lists.c.title, lists.c.replies_policy, lists.c.exclusive).where(
    lists.c.account_id == sa.bindparam("account")
)
_GROUPS = (
    sa.select(
        accounts.c.id,
        accounts.c.display_name,
        accounts.c.username,
        group_lists.c.alias,
        sa.func.coalesce(group_lists.c.exclusive, sa.false()),
    )
    .join(members_table, members_table.c.group_id == accounts.c.id)
    .outerjoin(
        group_lists,
        sa.and_(group_lists.c.group_id == accounts.c.id, group_lists.c.account_id == members_table.c.account_id),
    )
    .where(members_table.c.account_id == sa.bindparam("account"), members_table.c.role != "outcast")
    .where(accounts.c.kind == "group", accounts.c.deleted_at.is_(None), accounts.c.suspended_at.is_(None))
    .where(sa.or_(group_lists.c.hidden.is_(None), ~group_lists.c.hidden))
    .order_by(accounts.c.username_key, accounts.c.id)
)


def lists_of(tx: Tx, account_id: int) -> list[ListRow]:
    """Own lists by age, then the virtual ones by the name of the group."""
    own = [ListRow(*row) for row in tx.conn.execute(_OWN.order_by(lists.c.id), {"account": account_id})]
    return own + [_virtual(row) for row in tx.conn.execute(_GROUPS, {"account": account_id})]


def _virtual(row: Any) -> ListRow:
    id_, display_name, username, alias, exclusive = row
    return ListRow(id_, PREFIX + (alias or display_name or username), "list", bool(exclusive), group=True)


def get(tx: Tx, account_id: int, list_id: int) -> ListRow:
    """A list of this account, own or virtual. Raises NotFound."""
    row = tx.conn.execute(_OWN.where(lists.c.id == list_id), {"account": account_id}).first()
    if row is not None:
        return ListRow(*row)
    group = tx.conn.execute(_GROUPS.where(accounts.c.id == list_id), {"account": account_id}).first()
    if group is None:
        raise NotFound
    return _virtual(group)


def create(tx: Tx, account_id: int, *, title: str, replies_policy: str = "list", exclusive: bool = False) -> ListRow:
    """Make a list. Raises Unprocessable."""
    _check(title, replies_policy)
    mine = sa.select(sa.func.count()).where(lists.c.account_id == account_id)
    if tx.conn.execute(mine).scalar_one() >= MAX_LISTS:
        raise Unprocessable(f"Validation failed: You have reached the maximum number of lists ({MAX_LISTS})")
    made = ListRow(tx.new_id(), title.strip(), replies_policy, exclusive)
    tx.conn.execute(
        sa.insert(lists).values(
            id=made.id,
            account_id=account_id,
            title=made.title,
            replies_policy=replies_policy,
            exclusive=exclusive,
            created_at=tx.ms,
        )
    )
    return made


def _check(title: str, replies_policy: str) -> None:
    if not 0 < len(title.strip()) <= MAX_TITLE:
        raise Unprocessable(f"Validation failed: Title has 1 to {MAX_TITLE} characters")
    if replies_policy not in REPLIES:
        raise Unprocessable(f"Validation failed: Replies policy is one of {', '.join(REPLIES)}")


def update(
    tx: Tx,
    account_id: int,
    list_id: int,
    *,
    title: str | None = None,
    replies_policy: str | None = None,
    exclusive: bool | None = None,
) -> ListRow:
    """Change a list; None leaves a part as it is. The title of a virtual list is the member's own name for the group.

    Raises NotFound, Unprocessable.
    """
    known = get(tx, account_id, list_id)
    new_title = known.title if title is None else title.strip()
    new_exclusive = known.exclusive if exclusive is None else exclusive
    _check(new_title, replies_policy or known.replies_policy)
    if known.group:
        if title is not None:
            _save(tx, account_id, list_id, alias=new_title.removeprefix(PREFIX).strip() or None)
        _save(tx, account_id, list_id, exclusive=new_exclusive)
    else:
        values = {"title": new_title, "replies_policy": replies_policy or known.replies_policy}
        tx.conn.execute(sa.update(lists).where(lists.c.id == list_id).values(exclusive=new_exclusive, **values))
    return get(tx, account_id, list_id)


def _save(tx: Tx, account_id: int, group_id: int, **values: Any) -> None:
    upsert(tx, group_lists, ("group_id", "account_id"), group_id=group_id, account_id=account_id, **values)


def delete(tx: Tx, account_id: int, list_id: int) -> None:
    """Remove an own list; hide a virtual one, without leaving the group. Raises NotFound."""
    if get(tx, account_id, list_id).group:
        _save(tx, account_id, list_id, hidden=True)
        return
    tx.conn.execute(sa.delete(list_accounts).where(list_accounts.c.list_id == list_id))
    tx.conn.execute(sa.delete(lists).where(lists.c.id == list_id))


def show(tx: Tx, account_id: int, group_id: int) -> None:
    """Show the virtual list of a group again. Raises NotFound for those who do not belong to it."""
    if memberships.role_of(tx, group_id, account_id) in (None, "outcast"):
        raise NotFound
    _save(tx, account_id, group_id, hidden=False)


# -- members ---------------------------------------------------------------------------------------------------------

_MEMBERS = Listing(
    sa.select(list_accounts.c.account_id)
    .join(accounts, accounts.c.id == list_accounts.c.account_id)
    .join(follows, follows.c.target_id == list_accounts.c.account_id)
    .where(list_accounts.c.list_id == sa.bindparam("list"), accounts.c.deleted_at.is_(None))
    .where(follows.c.follower_id == sa.bindparam("account"), follows.c.state == "accepted"),
    list_accounts.c.account_id,
)


def members(tx: Tx, account_id: int, list_id: int, page: Page) -> list[int]:
    """Account ids in a list, newest account first. In a virtual list stands the group. Raises NotFound."""
    if get(tx, account_id, list_id).group:
        return [list_id]
    return [row[0] for row in _MEMBERS.rows(tx, page, list=list_id, account=account_id)]


def add(tx: Tx, account_id: int, list_id: int, account_ids: list[int]) -> None:
    """Put accounts into an own list, only such as one follows. Raises NotFound, Unprocessable."""
    _check_own(tx, account_id, list_id)
    followed = sa.select(follows.c.target_id).where(
        follows.c.follower_id == account_id, follows.c.target_id.in_(account_ids), follows.c.state == "accepted"
    )
    known = set(tx.conn.execute(followed).scalars())
    if not known.issuperset(account_ids):
        raise NotFound("Record not found")
    for id_ in account_ids:
        if not insert_ignore(tx, list_accounts, list_id=list_id, account_id=id_):
            raise Unprocessable("Validation failed: Account has already been taken")


def remove(tx: Tx, account_id: int, list_id: int, account_ids: list[int]) -> None:
    """Take accounts out of an own list. Raises NotFound, Unprocessable."""
    _check_own(tx, account_id, list_id)
    gone = sa.and_(list_accounts.c.list_id == list_id, list_accounts.c.account_id.in_(account_ids))
    tx.conn.execute(sa.delete(list_accounts).where(gone))


def _check_own(tx: Tx, account_id: int, list_id: int) -> None:
    if get(tx, account_id, list_id).group:
        raise Unprocessable("This list shows a group, and only the group. Follow or unfollow the group to change it.")


def containing(tx: Tx, account_id: int, target_id: int) -> list[ListRow]:
    """The lists of an account that another account stands in; for a group also its virtual list."""
    inside = sa.select(list_accounts.c.list_id).where(list_accounts.c.account_id == target_id)
    rows = tx.conn.execute(_OWN.where(lists.c.id.in_(inside)).order_by(lists.c.id), {"account": account_id})
    group = tx.conn.execute(_GROUPS.where(accounts.c.id == target_id), {"account": account_id})
    return [ListRow(*row) for row in rows] + [_virtual(row) for row in group]
