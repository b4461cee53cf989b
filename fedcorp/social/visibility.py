"""What a viewer may know of, as SQL: one predicate for every list of statuses, one for every list of accounts.

`visible` is the SQL face of `fedcorp.social.policy.may_see`; a test holds the two together.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from fedcorp.errors import NotFound
from fedcorp.social import accounts as accounts_of
from fedcorp.social.accounts import Account
from fedcorp.social.policy import GROUP, MEMBERS, WAITING
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import (
    accounts,
    blocks,
    domain_blocks,
    follows,
    group_posts,
    groups,
    invitations,
    memberships,
    mentions,
    mutes,
)


def visible(status: FromClause, viewer_id: int | None) -> ColumnElement[bool]:
    """Rows of `status` (the table or an alias of it) that this local viewer, or an anonymous reader, may see."""
    columns = status.c
    hidden = sa.exists().where(
        accounts.c.id == columns.account_id,
        sa.or_(accounts.c.suspended_at.is_not(None), accounts.c.deleted_at.is_not(None)),
    )
    alive = sa.and_(columns.deleted_at.is_(None), ~hidden)
    open_to_all = columns.visibility.in_(("public", "unlisted"))
    if viewer_id is None:
        return sa.and_(alive, open_to_all, columns.reach == "public")
    follows_author = sa.exists().where(
        follows.c.follower_id == viewer_id, follows.c.target_id == columns.account_id, follows.c.state == "accepted"
    )
    mentioned = sa.exists().where(mentions.c.status_id == columns.id, mentions.c.account_id == viewer_id)
    # Written out rather than as a CASE: SQLite looks up every part of what it needs as a value.
    granted = sa.or_(
        open_to_all,
        sa.and_(columns.visibility == "private", follows_author),
        sa.and_(columns.visibility != GROUP, columns.visibility != WAITING, mentioned),
        sa.and_(columns.visibility == GROUP, _of_a_member(columns, viewer_id)),
    )
    away = sa.or_(blocked(columns.account_id, viewer_id), domain_blocked(columns.account_id, viewer_id))
    return sa.and_(alive, sa.or_(columns.account_id == viewer_id, sa.and_(granted, ~away)))


def _of_a_member(
    columns: "sa.ColumnCollection[str, sa.ColumnElement[object]]", viewer_id: int | None
) -> ColumnElement[bool]:
    """What a group that the viewer belongs to passed on, and not before the viewer may read it."""
    shown = sa.func.coalesce(columns.reblog_of_id, columns.id)
    return sa.exists().where(
        group_posts.c.status_id == shown,
        # Not a parameter: SQLite would compare it with the partial index of held posts, and for that prepare every
        # statement of which this is part anew at each execution.
        group_posts.c.state == sa.literal_column("'distributed'"),
        memberships.c.group_id == group_posts.c.group_id,
        memberships.c.account_id == viewer_id,
        memberships.c.role.in_(sorted(MEMBERS)),
        sa.or_(memberships.c.reads_from.is_(None), memberships.c.reads_from <= group_posts.c.created_at),
    )


# -- accounts --------------------------------------------------------------------------------------------------------


_AWAY = accounts.alias("away")

# The first EXISTS of each pair names nothing of the row at hand, so it is looked up once for a whole page. Most people
# block nobody, and then the second is never asked; this stands in every timeline.


def blocked(account_id: Any, viewer_id: Any) -> ColumnElement[bool]:
    """Whether one of this viewer and an account (a column of ids) blocks the other. Both may be bound parameters."""
    by_viewer, by_other = blocks.c.account_id == viewer_id, blocks.c.target_id == viewer_id
    return sa.or_(
        sa.and_(sa.exists().where(by_viewer), sa.exists().where(by_viewer, blocks.c.target_id == account_id)),
        sa.and_(sa.exists().where(by_other), sa.exists().where(by_other, blocks.c.account_id == account_id)),
    )


def domain_blocked(account_id: Any, viewer_id: Any) -> ColumnElement[bool]:
    """Whether this viewer keeps the whole domain of an account (a column of ids) away. Both may be bound parameters."""
    domain = sa.select(_AWAY.c.domain).where(_AWAY.c.id == account_id).correlate_except(_AWAY).scalar_subquery()
    by_viewer = domain_blocks.c.account_id == viewer_id
    return sa.and_(sa.exists().where(by_viewer), sa.exists().where(by_viewer, domain_blocks.c.domain == domain))


def muted(account_id: Any, viewer_id: Any, now: Any) -> ColumnElement[bool]:
    """Whether this viewer mutes an account (a column of ids) at this time (ms). All may be bound parameters."""
    by_viewer = mutes.c.account_id == viewer_id
    holds = sa.or_(mutes.c.expires_at.is_(None), mutes.c.expires_at > now)
    return sa.and_(sa.exists().where(by_viewer), sa.exists().where(by_viewer, mutes.c.target_id == account_id, holds))


_SILENCED = accounts.alias("silenced")
_LIMITED = sa.select(_SILENCED.c.id).where(_SILENCED.c.silenced_at.is_not(None))
_HELD = follows.alias("follows_of_limited")


def limited(account_id: Any, viewer_id: Any) -> ColumnElement[bool]:
    """Whether the moderators keep an account (a column of ids) from this viewer wherever nobody asked for it by name:
    in public timelines and under hashtags, in threads, in searches, among suggestions. Those who follow it, and it
    itself, are spared. Both may be bound parameters; a viewer of None is anybody."""
    silenced = account_id.in_(_LIMITED)  # few if any: they are read once for a whole page
    if viewer_id is None:
        return silenced  # type: ignore[no-any-return]
    followed = sa.exists().where(
        _HELD.c.follower_id == viewer_id, _HELD.c.target_id == account_id, _HELD.c.state == "accepted"
    )
    return sa.and_(silenced, account_id != viewer_id, ~followed)


# Names of their own: a list may be read from these very tables.
_GROUPS, _MEMBERSHIPS, _FOLLOWS = (table.alias(f"{table.name}_of_shown") for table in (groups, memberships, follows))


def shown(account_id: Any, viewer_id: Any) -> ColumnElement[bool]:
    """Whether an account (a column of ids) is no secret to this viewer: a secret group shows itself to those who belong
    to it, were invited, or asked to join. Both may be bound parameters; a viewer of None is anybody."""
    secret = sa.exists().where(_GROUPS.c.account_id == account_id, _GROUPS.c.preset == "secret")
    if viewer_id is None:
        return ~secret
    belongs = sa.exists().where(
        _MEMBERSHIPS.c.group_id == account_id, _MEMBERSHIPS.c.account_id == viewer_id, _MEMBERSHIPS.c.role != "outcast"
    )
    invited = sa.exists().where(
        invitations.c.group_id == account_id, invitations.c.account_id == viewer_id, invitations.c.state == "open"
    )
    asked = sa.exists().where(_FOLLOWS.c.follower_id == viewer_id, _FOLLOWS.c.target_id == account_id)
    return sa.or_(~secret, belongs, invited, asked)


def membership_shown(account_id: Any, viewer_id: Any) -> ColumnElement[bool]:
    """Whether this viewer may know who follows an account, as far as it is a group: one that only members read shows
    its members to them alone."""
    closed = sa.exists().where(_GROUPS.c.account_id == account_id, _GROUPS.c.reading == "members")
    belongs = sa.exists().where(
        _MEMBERSHIPS.c.group_id == account_id, _MEMBERSHIPS.c.account_id == viewer_id, _MEMBERSHIPS.c.role != "outcast"
    )
    return sa.or_(~closed, belongs)


_IS_SHOWN = sa.select(shown(sa.bindparam("account", type_=sa.BigInteger), sa.bindparam("viewer", type_=sa.BigInteger)))


def is_shown(tx: Tx, account: Account, viewer_id: int | None) -> bool:
    """`shown` for one account; also no account that is suspended or deleted."""
    if account.hidden:
        return False
    return not account.is_group or bool(
        tx.conn.execute(_IS_SHOWN, {"account": account.id, "viewer": viewer_id}).scalar()
    )


def get_shown(tx: Tx, id_: int, viewer_id: int | None) -> Account:
    """The account with this id, for this viewer. Raises NotFound, also for a secret that is none of theirs."""
    account = accounts_of.get(tx, id_)
    if not is_shown(tx, account, viewer_id):
        raise NotFound
    return account
