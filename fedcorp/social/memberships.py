"""Who belongs to a group and in which role. A member follows the group; the follow is made and ended in `follows`,
and `effects` keeps the two in step."""

import sqlalchemy as sa

from fedcorp.errors import Forbidden, Unprocessable
from fedcorp.keys import KeyPair
from fedcorp.social import follows, groups, policy
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, memberships
from fedcorp.storage.upsert import insert_ignore, upsert

_ROLE = sa.select(memberships.c.role).where(
    memberships.c.group_id == sa.bindparam("group"), memberships.c.account_id == sa.bindparam("account")
)


def found(
    tx: Tx,
    owner: Account,
    name: str,
    pair: KeyPair,
    *,
    title: str,
    preset: str,
    reach: str | None = None,
    note: str = "",
) -> Account:
    """Make a group with `owner` as its first member and admin."""
    if not owner.local or owner.kind != "person":
        raise Unprocessable(f"{owner.acct} cannot own a group here; the owner is a person of this department.")
    group = groups.create(tx, name, pair, title=title, preset=preset, reach=reach, note=note)
    follows.follow(tx, owner, group)
    tx.finish()
    if not follows.is_following(tx, owner.id, group.id):
        follows.accept(tx, owner.id, group.id)
        tx.finish()
    set_role(tx, group.id, owner.id, "admin")
    return group


def role_of(tx: Tx, group_id: int, account_id: int) -> str | None:
    """outcast, member, moderator or admin; None for somebody who does not belong."""
    role: str | None = tx.conn.execute(_ROLE, {"group": group_id, "account": account_id}).scalar()
    return role


def add(tx: Tx, group_id: int, account_id: int) -> None:
    """Make somebody a member; a role that is already there stays."""
    insert_ignore(tx, memberships, group_id=group_id, account_id=account_id, role="member", created_at=tx.ms)


def remove(tx: Tx, group_id: int, account_id: int) -> None:
    """End a membership. An outcast stays one."""
    tx.conn.execute(
        sa.delete(memberships).where(
            memberships.c.group_id == group_id, memberships.c.account_id == account_id, memberships.c.role != "outcast"
        )
    )


def set_role(tx: Tx, group_id: int, account_id: int, role: str) -> None:
    """Give a role."""
    upsert(
        tx,
        memberships,
        ("group_id", "account_id"),
        group_id=group_id,
        account_id=account_id,
        role=role,
        created_at=tx.ms,
    )


def check_may_moderate(tx: Tx, group_id: int, account_id: int) -> None:
    """Raises Forbidden unless this account moderates the group."""
    if not policy.may_moderate(role_of(tx, group_id, account_id)):
        raise Forbidden("Only moderators of the group may do this.")


def moderators(tx: Tx, group_id: int) -> list[int]:
    """Account ids of moderators and admins, admins first."""
    statement = (
        sa.select(memberships.c.account_id)
        .where(memberships.c.group_id == group_id, memberships.c.role.in_(("moderator", "admin")))
        .order_by(memberships.c.role, memberships.c.account_id)
    )
    return list(tx.conn.execute(statement).scalars())


def joined(tx: Tx, account_id: int) -> list[int]:
    """Account ids of the groups that somebody belongs to, by name."""
    statement = (
        sa.select(memberships.c.group_id)
        .join(accounts, accounts.c.id == memberships.c.group_id)
        .where(memberships.c.account_id == account_id, memberships.c.role != "outcast", accounts.c.deleted_at.is_(None))
        .order_by(accounts.c.username_key, accounts.c.id)
    )
    return list(tx.conn.execute(statement).scalars())
