"""Search over what is known here: accounts, hashtags, statuses. Resolving a handle or URL of elsewhere is not.

Matching is by substring, without an index of words: a department is small enough, and nothing can go out of step.
"""

from functools import cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from fedcorp.social.text import normalise_tag
from fedcorp.social.visibility import domain_blocked, limited, shown, visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, blocks, follows, memberships, status_tags, statuses
from fedcorp.urls import split_handle

MAX_WORDS = 8
_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)


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
        .where(accounts.c.kind != "service", shown(accounts.c.id, viewer_id), ~_blocked_by(viewer_id))
        .where(~domain_blocked(accounts.c.id, viewer_id))
        .where(sa.or_(~_blocking(viewer_id), accounts.c.username_key == key))  # to be found for unblocking
        .where(sa.or_(~limited(accounts.c.id, viewer_id), accounts.c.username_key == key))
        .order_by(rank, accounts.c.followers_count.desc(), accounts.c.username_key, accounts.c.id)
        .limit(limit)
        .offset(offset)
    )
    return list(tx.conn.execute(statement.where(followed) if following else statement).scalars())


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


def status_ids(
    tx: Tx,
    viewer_id: int,
    q: str,
    limit: int,
    offset: int = 0,
    *,
    account_id: int | None = None,
    max_id: int | None = None,
    min_id: int | None = None,
) -> list[int]:
    """Statuses that have every word of `q` in text or warning and that the viewer may see, newest first."""
    words = q.split()[:MAX_WORDS]
    if not words:
        return []
    statement = _statuses(len(words), account_id is not None, max_id is not None, min_id is not None)
    given: dict[str, Any] = {f"word_{number}": _escaped(word) for number, word in enumerate(words)}
    given |= {"viewer": viewer_id, "author": account_id, "below": max_id, "above": min_id}
    return tx.conn.gather(statement, given | {"most": limit, "after": offset}, itemgetter(0))


@cache
def _statuses(words: int, of_one: bool, below: bool, above: bool) -> "sa.Select[Any]":
    """Built once for each shape: building it costs more than the search itself."""
    statement = sa.select(statuses.c.id).where(
        statuses.c.reblog_of_id.is_(None), visible(statuses, _VIEWER), ~limited(statuses.c.account_id, _VIEWER)
    )
    for number in range(words):
        word = sa.bindparam(f"word_{number}", type_=sa.String)
        found = [column.icontains(word, escape="/") for column in (statuses.c.text, statuses.c.spoiler_text)]
        statement = statement.where(sa.or_(*found))
    if of_one:
        statement = statement.where(statuses.c.account_id == sa.bindparam("author", type_=sa.BigInteger))
    if below:
        statement = statement.where(statuses.c.id < sa.bindparam("below", type_=sa.BigInteger))
    if above:
        statement = statement.where(statuses.c.id > sa.bindparam("above", type_=sa.BigInteger))
    most, after = (sa.bindparam(name, type_=sa.BigInteger) for name in ("most", "after"))
    return statement.order_by(statuses.c.id.desc()).limit(most).offset(after)


def _escaped(word: str) -> str:
    """The word for LIKE, in which % and _ mean themselves."""
    return word.replace("/", "//").replace("%", "/%").replace("_", "/_")
