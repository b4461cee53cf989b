"""Search over accounts and hashtags that are known here. Resolving a handle or URL of elsewhere is not.

Both match by parts of their names. Statuses are found through the index of their words: `finding`.
"""

import sqlalchemy as sa

from fedcorp.social.text import normalise_tag
from fedcorp.social.visibility import domain_blocked, limited, shown, visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, blocks, follows, memberships, status_tags, statuses
from fedcorp.urls import split_handle


def account_ids(
    tx: Tx, viewer_id: int | None, q: str, limit: int, offset: int = 0, *, following: bool = False
) -> list[int]:
    """Accounts whose name, shown name or handle has `q` in it: groups one belongs to first, then those one follows,
    then whole names, beginnings and the rest. Secret groups are found by those who belong to them only, limited
    accounts by their whole name."""
    username, domain = split_handle(q)
    matched = _matched(username, domain)
    if matched is None:
        return []
    member = sa.exists().where(
        memberships.c.group_id == accounts.c.id,
        memberships.c.account_id == viewer_id,
        memberships.c.role != "outcast",
    )
    followed = sa.exists().where(
        follows.c.follower_id == viewer_id, follows.c.target_id == accounts.c.id, follows.c.state == "accepted"
    )
    key = username.lower()
    rank = sa.case(
        (member, 0), (followed, 1), (accounts.c.username_key == key, 2),
        (accounts.c.username_key.startswith(key, autoescape=True), 3), else_=4,
    )  # fmt: skip
    statement = (
        sa.select(accounts.c.id)
        .where(matched, accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None))
        .where(sa.or_(~_ONLY_SIGNS, followed), shown(accounts.c.id, viewer_id), ~_blocked_by(viewer_id))
        .where(~domain_blocked(accounts.c.id, viewer_id))
        .where(sa.or_(~_blocking(viewer_id), accounts.c.username_key == key))  # to be found for unblocking
        .where(sa.or_(~limited(accounts.c.id, viewer_id), accounts.c.username_key == key))
        .order_by(rank, accounts.c.followers_count.desc(), accounts.c.username_key, accounts.c.id)
        .limit(limit)
        .offset(offset)
    )
    return list(tx.conn.execute(statement.where(followed) if following else statement).scalars())


# The actors of servers are of no interest to people, save those that want to be found: agendas, say (Gancio).
_ONLY_SIGNS = sa.and_(accounts.c.kind == "service", sa.or_(accounts.c.local, ~accounts.c.discoverable))


def _matched(username: str, domain: str | None) -> "sa.ColumnElement[bool] | None":
    if domain is not None:
        place = accounts.c.domain.startswith(domain, autoescape=True)
        return sa.and_(accounts.c.username_key.startswith(username.lower(), autoescape=True), place)
    if not username:
        return None
    named = accounts.c.username_key.contains(username.lower(), autoescape=True)
    return sa.or_(named, accounts.c.display_name.icontains(username, autoescape=True))


def _blocking(viewer_id: int | None) -> "sa.ColumnElement[bool]":
    return sa.exists().where(blocks.c.account_id == viewer_id, blocks.c.target_id == accounts.c.id)


def _blocked_by(viewer_id: int | None) -> "sa.ColumnElement[bool]":
    return sa.exists().where(blocks.c.account_id == accounts.c.id, blocks.c.target_id == viewer_id)


def hashtags(tx: Tx, viewer_id: int | None, q: str, limit: int, offset: int = 0) -> list[str]:
    """Hashtags that begin with `q`, the one itself first, then the most used; only what visible statuses use."""
    name = normalise_tag(q.strip())
    if not name:
        return []
    uses = sa.func.count()
    statement = (
        sa.select(status_tags.c.name)
        .join(statuses, statuses.c.id == status_tags.c.status_id)
        .where(status_tags.c.name.startswith(name, autoescape=True), visible(statuses, viewer_id))
        .where(statuses.c.visibility == "public", ~limited(statuses.c.account_id, viewer_id))
        .group_by(status_tags.c.name)
        .order_by(sa.case((status_tags.c.name == name, 0), else_=1), uses.desc(), status_tags.c.name)
        .limit(limit)
        .offset(offset)
    )
    return list(tx.conn.execute(statement).scalars())
