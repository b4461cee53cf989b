"""What many statuses look like to one viewer, read in bulk: versions, counts, the viewer's marks, mentions, tags.

The hot path of every timeline: rows are plain tuples, and one page costs two statements however long it is. Decides
nothing about who may see what: callers hand in ids that they found visible.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.lines import Line, values_of
from fedcorp.storage.tables import (
    accounts,
    applications,
    bookmarks,
    favourites,
    filters,
    follows,
    mentions,
    status_tags,
    statuses,
    thread_mutes,
)


class Head(NamedTuple):
    """What changes about a status and its author without a new version, and the versions themselves. Counts are those
    that are shown: with what other servers told of what is theirs (`counts`)."""

    id: int
    version: int
    account_id: int
    account_version: int
    reblog_of_id: int | None
    thread_id: int
    poll_id: int | None
    visibility: str
    reach: str
    pinned_at: int | None
    quoted_id: int | None
    quote_state: str | None
    quote_policy: str
    replies_count: int
    reblogs_count: int
    favourites_count: int
    quotes_count: int
    reactions_count: int
    reactions_version: int
    account_statuses_count: int
    account_followers_count: int
    account_following_count: int
    account_last_status_at: int | None


class Marks(NamedTuple):
    """Ids of statuses (of threads: `muted`) that the viewer has marked."""

    favourited: set[int]
    reblogged: set[int]
    bookmarked: set[int]
    muted: set[int]
    filters: set[int]  # ids of the viewer's filters that hold now


class Mentioned(NamedTuple):
    """An account that a status names."""

    status_id: int
    id: int
    username: str
    domain: str
    local: bool
    url: str


NO_MARKS = Marks(set(), set(), set(), set(), set())
_IDS: Any = sa.bindparam("ids", expanding=True)
_VIEWER = sa.bindparam("viewer", type_=sa.BigInteger)
_NOW = sa.bindparam("now", type_=sa.BigInteger)


def head_line(status: Any, author: Any) -> Line:
    """The columns of a Head, of (aliases of) a status and its author, as SQL of a line that `head` reads."""
    return Line(
        status.c.id,
        status.c.version,
        status.c.account_id,
        author.c.version,
        status.c.reblog_of_id,
        status.c.thread_id,
        status.c.poll_id,
        status.c.visibility,
        status.c.reach,
        status.c.pinned_at,
        status.c.quoted_id,
        status.c.quote_state,
        status.c.quote_policy,
        status.c.replies_count,
        status.c.reblogs_count + status.c.reblogs_elsewhere,
        status.c.favourites_count + status.c.favourites_elsewhere,
        status.c.quotes_count,
        status.c.reactions_count,
        status.c.reactions_version,
        author.c.statuses_count + author.c.statuses_elsewhere,
        author.c.followers_count + author.c.followers_elsewhere,
        author.c.following_count + author.c.following_elsewhere,
        author.c.last_status_at,
    )


_HEADS = (
    sa.select(head_line(statuses, accounts))
    .join(accounts, accounts.c.id == statuses.c.account_id)
    .where(statuses.c.id.in_(_IDS), statuses.c.deleted_at.is_(None))
)
_MARKS = sa.union_all(
    sa.select(sa.literal_column("0", sa.Integer), favourites.c.status_id).where(
        favourites.c.account_id == _VIEWER, favourites.c.status_id.in_(_IDS), ~favourites.c.implied
    ),
    sa.select(sa.literal_column("1", sa.Integer), statuses.c.reblog_of_id).where(
        statuses.c.account_id == _VIEWER, statuses.c.reblog_of_id.in_(_IDS), statuses.c.deleted_at.is_(None)
    ),
    sa.select(sa.literal_column("2", sa.Integer), bookmarks.c.status_id).where(
        bookmarks.c.account_id == _VIEWER, bookmarks.c.status_id.in_(_IDS)
    ),
    sa.select(sa.literal_column("3", sa.Integer), thread_mutes.c.thread_id).where(thread_mutes.c.account_id == _VIEWER),
    sa.select(sa.literal_column("4", sa.Integer), filters.c.id).where(
        filters.c.account_id == _VIEWER, sa.or_(filters.c.expires_at.is_(None), filters.c.expires_at > _NOW)
    ),
)
_MENTIONS = (
    sa.select(
        mentions.c.status_id, accounts.c.id, accounts.c.username, accounts.c.domain, accounts.c.local, accounts.c.url
    )
    .join(accounts, accounts.c.id == mentions.c.account_id)
    .where(mentions.c.status_id.in_(_IDS), sa.not_(mentions.c.silent))
    .order_by(mentions.c.status_id, mentions.c.account_id)
)
_TAGS = (
    sa.select(status_tags.c.status_id, status_tags.c.name)
    .where(status_tags.c.status_id.in_(_IDS))
    .order_by(status_tags.c.status_id, status_tags.c.name)
)
_APPLICATIONS = sa.select(applications.c.id, applications.c.name, applications.c.website).where(
    applications.c.id.in_(_IDS)
)


def head_lines(tx: Tx, ids: Iterable[int]) -> list[str]:
    """The heads of these statuses, each as a value for `head`; deleted ones are left out. Most are known from an
    earlier page, and equal heads are equal lines: callers remember what they made of one."""
    wanted = list(ids)
    return tx.conn.lines(_HEADS, {"ids": wanted}) if wanted else []


def head(line: str) -> Head:
    """What stands in one of `head_lines`."""
    return Head._make(values_of(line))


def marks(tx: Tx, viewer_id: int, ids: Sequence[int]) -> Marks:
    """What the viewer did to these statuses, all threads that the viewer muted, and which filters hold now."""
    found: tuple[set[int], ...] = (set(), set(), set(), set(), set())
    if ids:
        for kind, id_ in tx.conn.gather(_MARKS, {"viewer": viewer_id, "ids": ids, "now": tx.ms}, tuple):
            found[kind].add(id_)
    return Marks(*found)


_OTHERS: Any = sa.bindparam("others", expanding=True)
_FOLLOWED = sa.select(follows.c.target_id).where(
    follows.c.follower_id == _VIEWER, follows.c.target_id.in_(_OTHERS), follows.c.state == "accepted"
)
_FOLLOWERS = sa.select(follows.c.follower_id).where(
    follows.c.target_id == _VIEWER, follows.c.follower_id.in_(_OTHERS), follows.c.state == "accepted"
)


def ties(tx: Tx, viewer_id: int, account_ids: Iterable[int]) -> tuple[set[int], set[int]]:
    """(whom of these accounts the viewer follows, who of them follows the viewer)"""
    values = {"viewer": viewer_id, "others": list(account_ids)}
    if not values["others"]:
        return set(), set()
    return set(tx.conn.execute(_FOLLOWED, values).scalars()), set(tx.conn.execute(_FOLLOWERS, values).scalars())


def mentions_of(tx: Tx, ids: Sequence[int]) -> dict[int, list[Mentioned]]:
    """Whom these statuses name; those that name nobody are left out."""
    return _by_status(map(Mentioned._make, tx.conn.execute(_MENTIONS, {"ids": ids}))) if ids else {}


def tags_of(tx: Tx, ids: Sequence[int]) -> dict[int, list[str]]:
    """Normalised hashtags by status."""
    rows = tx.conn.execute(_TAGS, {"ids": ids}) if ids else ()
    return {id_: [name for _, name in rows] for id_, rows in _by_status(rows).items()}


def applications_of(tx: Tx, ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """(name, website) of the clients that statuses were written with, by application id."""
    rows = tx.conn.execute(_APPLICATIONS, {"ids": ids}) if ids else ()
    return {id_: (name, website) for id_, name, website in rows}


def _by_status(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found
