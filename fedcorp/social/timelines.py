"""Timelines: which statuses somebody sees where, in pages. What an entry looks like is the edge's work.

A timeline comes as lines, read by one statement: of each entry the head of the status (see `views.head`), and when it
came by a boost, after it the head of the boost. `entries` says which statuses those are.

Everything is filtered by the one predicate of `fedcorp.social.visibility`, and what the viewer muted is left out
wherever they did not ask for it by name.
"""

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcorp.errors import NotFound
from fedcorp.social.pages import Listing, Page
from fedcorp.social.text import normalise_tag
from fedcorp.social.views import head, head_line
from fedcorp.social.visibility import blocked, domain_blocked, limited, muted, visible
from fedcorp.storage.database import Tx
from fedcorp.storage.lines import SEPARATOR
from fedcorp.storage.tables import (
    accounts,
    bookmarks,
    favourites,
    follows,
    group_lists,
    group_posts,
    list_accounts,
    lists,
    media,
    memberships,
    status_tags,
    statuses,
)
from fedcorp.storage.tables import (
    home as home_rows,
)


class Entry(NamedTuple):
    """`id` is what pages are cut by and, except for favourites and bookmarks, what is shown: a status or a boost of
    one; `status_id` is the original."""

    id: int
    status_id: int


_as_entry: Callable[[Any], Entry] = partial(tuple.__new__, Entry)  # like `Entry._make`, without its check of the length


class Listed(NamedTuple):
    """An account in a list whose pages are cut by `id`, which is no account id."""

    id: int
    account_id: int


_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)
_NOW = sa.bindparam("now", type_=sa.BigInteger)
_ENTRY = statuses.alias("entry")
_ORIGINAL = statuses.alias("original")
_SHOWS = sa.func.coalesce(_ENTRY.c.reblog_of_id, _ENTRY.c.id)
_AUTHOR, _BOOSTER = accounts.alias("author"), accounts.alias("booster")  # not the name that `visible` looks into
_SHOWN = head_line(_ORIGINAL, _AUTHOR)
_BOOST = (
    sa.select(head_line(_ENTRY, _BOOSTER))
    .where(_BOOSTER.c.id == _ENTRY.c.account_id)
    .correlate(_ENTRY)
    .scalar_subquery()
)
_LINES = sa.case((_ENTRY.c.reblog_of_id.is_(None), _SHOWN), else_=_SHOWN + sa.literal(SEPARATOR) + _BOOST)
_BY_AUTHOR = _AUTHOR.c.id == _ORIGINAL.c.account_id


def _has_media(status: Any) -> "sa.ColumnElement[bool]":
    return sa.exists().where(media.c.status_id == status.c.id)


def _no_reply_to_others(status: Any) -> "sa.ColumnElement[bool]":
    return sa.or_(status.c.in_reply_to_uri.is_(None), status.c.in_reply_to_account_id == status.c.account_id)


def _follows(author: Any) -> "sa.ColumnElement[bool]":
    return sa.exists().where(
        follows.c.follower_id == _VIEWER, follows.c.target_id == author, follows.c.state == "accepted"
    )


def _lines(tx: Tx, listing: Listing, page: Page, viewer_id: int | None, **values: Any) -> list[str]:
    return listing.lines(tx, page, viewer=viewer_id, now=tx.ms, **values)


def entries(lines: Iterable[str]) -> list[Entry]:
    """Which statuses the lines of a timeline show."""
    heads = [head(line.rpartition(SEPARATOR)[2]) for line in lines]
    return [Entry(item.id, item.reblog_of_id or item.id) for item in heads]


def _wanted_entry() -> "sa.ColumnElement[bool]":
    """Both the original and, where it comes by one, the boost are visible and not muted."""
    by_boost = sa.and_(visible(_ENTRY, _VIEWER), ~muted(_ENTRY.c.account_id, _VIEWER, _NOW))
    return sa.and_(
        visible(_ORIGINAL, _VIEWER),
        ~muted(_ORIGINAL.c.account_id, _VIEWER, _NOW),
        sa.or_(_ENTRY.c.reblog_of_id.is_(None), by_boost),
    )


def _kept_in_list(author: Any) -> "sa.ColumnElement[bool]":
    """Whether an exclusive list, own or of a group, keeps this author out of the home timeline."""
    exclusive = sa.and_(lists.c.account_id == _VIEWER, lists.c.exclusive)
    own = sa.and_(
        sa.exists().where(exclusive),  # looked up once for a whole page
        sa.exists().where(exclusive, list_accounts.c.list_id == lists.c.id, list_accounts.c.account_id == author),
    )
    of_group = sa.exists().where(
        group_lists.c.group_id == author, group_lists.c.account_id == _VIEWER, group_lists.c.exclusive
    )
    return sa.or_(own, of_group)


# -- home ------------------------------------------------------------------------------------------------------------

_HOME = Listing(
    sa.select(_LINES)
    .select_from(home_rows)
    .join(_ORIGINAL, _ORIGINAL.c.id == home_rows.c.status_id)
    .join(_AUTHOR, _BY_AUTHOR)
    .join(_ENTRY, _ENTRY.c.id == home_rows.c.entry_id)
    .where(home_rows.c.account_id == _VIEWER, _wanted_entry(), ~_kept_in_list(_ENTRY.c.account_id)),
    home_rows.c.entry_id,
)


def home(tx: Tx, account_id: int, page: Page) -> list[str]:
    """What reached the home timeline, without what was deleted, blocked or muted since."""
    return _lines(tx, _HOME, page, account_id)


# -- public and hashtags ---------------------------------------------------------------------------------------------


@cache
def _open_statuses(signed_in: bool, local: bool, remote: bool, only_media: bool) -> "sa.Select[Any]":
    """Public statuses that are no boosts. The words stand in the SQL itself, so that the partial index fits."""
    written = sa.select(head_line(statuses, _AUTHOR)).join(_AUTHOR, _AUTHOR.c.id == statuses.c.account_id)
    statement = written.where(
        statuses.c.visibility == sa.literal_column("'public'"),
        statuses.c.reblog_of_id.is_(None),
        visible(statuses, _VIEWER if signed_in else None),
        ~limited(statuses.c.account_id, _VIEWER if signed_in else None),
    )
    if signed_in:
        statement = statement.where(~muted(statuses.c.account_id, _VIEWER, _NOW))
    if local:
        statement = statement.where(statuses.c.local)
    if remote:
        statement = statement.where(~statuses.c.local)
    return statement.where(_has_media(statuses)) if only_media else statement


@cache
def _public(signed_in: bool, local: bool, remote: bool, only_media: bool) -> Listing:
    statement = _open_statuses(signed_in, local, remote, only_media)
    return Listing(statement.where(_no_reply_to_others(statuses)), statuses.c.id)


def public(
    tx: Tx, viewer_id: int | None, page: Page, *, local: bool = False, remote: bool = False, only_media: bool = False
) -> list[str]:
    """Public statuses of everybody; `local` those of this department, `remote` those of others."""
    return _lines(tx, _public(viewer_id is not None, local, remote, only_media), page, viewer_id)


def _tagged(names: str) -> "sa.Select[Any]":
    return sa.select(status_tags.c.status_id).where(status_tags.c.name.in_(sa.bindparam(names, expanding=True)))


@cache
def _tag(signed_in: bool, local: bool, remote: bool, only_media: bool, all_: bool, none: bool) -> Listing:
    statement = _open_statuses(signed_in, local, remote, only_media).where(statuses.c.id.in_(_tagged("any")))
    if all_:
        having = sa.select(sa.func.count()).where(
            status_tags.c.status_id == statuses.c.id, status_tags.c.name.in_(sa.bindparam("all", expanding=True))
        )
        statement = statement.where(having.scalar_subquery() == sa.bindparam("all_count", type_=sa.Integer))
    if none:
        statement = statement.where(statuses.c.id.not_in(_tagged("none")))
    return Listing(statement, statuses.c.id)


def tag(
    tx: Tx,
    viewer_id: int | None,
    page: Page,
    name: str,
    *,
    any_: tuple[str, ...] = (),
    all_: tuple[str, ...] = (),
    none: tuple[str, ...] = (),
    local: bool = False,
    remote: bool = False,
    only_media: bool = False,
) -> list[str]:
    """Public statuses with the hashtag `name` or one of `any_`, with each of `all_` and none of `none`."""
    wanted = sorted({_key(each) for each in all_})
    listing = _tag(viewer_id is not None, local, remote, only_media, bool(wanted), bool(none))
    values = {"any": [_key(each) for each in (name, *any_)], "all": wanted, "all_count": len(wanted)}
    return _lines(tx, listing, page, viewer_id, none=[_key(each) for each in none], **values)


def _key(name: str) -> str:
    return normalise_tag(name)


# -- lists -----------------------------------------------------------------------------------------------------------

_LIST = sa.bindparam("list", type_=sa.BigInteger)
_MEMBERS = sa.select(list_accounts.c.account_id).where(list_accounts.c.list_id == _LIST)
_IS_ANSWER_TO_MEMBER = _ENTRY.c.in_reply_to_account_id.in_(_MEMBERS)
_REPLIES = {  # besides answers to oneself and to the viewer
    "list": _IS_ANSWER_TO_MEMBER,
    "followed": _follows(_ENTRY.c.in_reply_to_account_id),
    "none": sa.false(),
}


@cache
def _own_list(replies_policy: str) -> Listing:
    shown = sa.or_(_no_reply_to_others(_ENTRY), _ENTRY.c.in_reply_to_account_id == _VIEWER, _REPLIES[replies_policy])
    statement = (
        sa.select(_LINES)
        .select_from(_ENTRY)
        .join(_ORIGINAL, _ORIGINAL.c.id == _SHOWS)
        .join(_AUTHOR, _BY_AUTHOR)
        .where(_ENTRY.c.account_id.in_(_MEMBERS), _follows(_ENTRY.c.account_id))
        .where(_ENTRY.c.visibility != "direct", shown, _wanted_entry())
    )
    return Listing(statement, _ENTRY.c.id)


_GROUP_LIST = Listing(
    sa.select(_SHOWN)
    .select_from(_ENTRY)
    .join(_ORIGINAL, _ORIGINAL.c.id == _ENTRY.c.reblog_of_id)
    .join(_AUTHOR, _BY_AUTHOR)
    .where(_ENTRY.c.account_id == _LIST, _ENTRY.c.reblog_of_id.is_not(None), _ENTRY.c.deleted_at.is_(None))
    .where(visible(_ORIGINAL, _VIEWER), ~muted(_ORIGINAL.c.account_id, _VIEWER, _NOW)),
    _ENTRY.c.reblog_of_id,
)
_OWN = sa.select(lists.c.replies_policy).where(lists.c.id == _LIST, lists.c.account_id == _VIEWER)
_MEMBER = sa.select(memberships.c.role).where(
    memberships.c.group_id == _LIST, memberships.c.account_id == _VIEWER, memberships.c.role != "outcast"
)


def list_(tx: Tx, viewer_id: int, list_id: int, page: Page) -> list[str]:
    """A list of one's own, or the virtual list of a group one belongs to. Raises NotFound for others.

    The list of a group shows the posts themselves, in their own order: clients cut pages by the ids that they see.
    """
    mine = {"list": list_id, "viewer": viewer_id}
    replies_policy = tx.conn.execute(_OWN, mine).scalar()
    if replies_policy is not None:
        return _lines(tx, _own_list(replies_policy), page, viewer_id, list=list_id)
    if tx.conn.execute(_MEMBER, mine).first() is None:
        raise NotFound
    return _lines(tx, _GROUP_LIST, page, viewer_id, list=list_id)


# -- of one account --------------------------------------------------------------------------------------------------

_ACCOUNT = sa.bindparam("account", type_=sa.BigInteger)


_PINNED_BY_GROUP = sa.exists().where(  # which stands with the post, not with the boost that passed it on
    group_posts.c.group_id == _ENTRY.c.account_id,
    group_posts.c.status_id == _ENTRY.c.reblog_of_id,
    group_posts.c.pinned_at.is_not(None),
    group_posts.c.state == "distributed",
)


@cache
def _of_account(signed_in: bool, replies: bool, reblogs: bool, only_media: bool, pinned: bool, tagged: bool) -> Listing:
    viewer = _VIEWER if signed_in else None
    statement = (
        sa.select(_LINES)
        .select_from(_ENTRY)
        .join(_ORIGINAL, _ORIGINAL.c.id == _SHOWS)
        .join(_AUTHOR, _BY_AUTHOR)
        .where(_ENTRY.c.account_id == _ACCOUNT, visible(_ENTRY, viewer), visible(_ORIGINAL, viewer))
    )
    if not replies:
        statement = statement.where(_no_reply_to_others(_ENTRY))
    if not reblogs:
        statement = statement.where(_ENTRY.c.reblog_of_id.is_(None))
    if only_media:
        statement = statement.where(_has_media(_ENTRY))
    if pinned:
        statement = statement.where(sa.or_(_ENTRY.c.pinned_at.is_not(None), _PINNED_BY_GROUP))
    if tagged:
        statement = statement.where(_ENTRY.c.id.in_(_tagged("any")))
    return Listing(statement, _ENTRY.c.id)


def account_statuses(
    tx: Tx,
    viewer_id: int | None,
    account_id: int,
    page: Page,
    *,
    exclude_replies: bool = False,
    exclude_reblogs: bool = False,
    only_media: bool = False,
    pinned: bool = False,
    tagged: str | None = None,
) -> list[str]:
    """What an account wrote and boosted. Answers to oneself are no replies."""
    listing = _of_account(
        viewer_id is not None, not exclude_replies, not exclude_reblogs, only_media, pinned, tagged is not None
    )
    return _lines(tx, listing, page, viewer_id, account=account_id, any=[_key(tagged or "")])


def _marked(table: sa.Table, *conditions: "sa.ColumnElement[bool]") -> Listing:
    return Listing(
        sa.select(table.c.id, table.c.status_id)
        .join(statuses, statuses.c.id == table.c.status_id)
        .where(table.c.account_id == _VIEWER, visible(statuses, _VIEWER), *conditions),
        table.c.id,
    )


_FAVOURITES, _BOOKMARKS = _marked(favourites, ~favourites.c.implied), _marked(bookmarks)


def _marks(tx: Tx, listing: Listing, page: Page, account_id: int) -> list[Entry]:
    return listing.rows(tx, page, _as_entry, viewer=account_id, now=tx.ms)


def own_favourites(tx: Tx, account_id: int, page: Page) -> list[Entry]:
    """What somebody favourited, latest first; `Entry.id` is that of the favourite."""
    return _marks(tx, _FAVOURITES, page, account_id)


def own_bookmarks(tx: Tx, account_id: int, page: Page) -> list[Entry]:
    """What somebody bookmarked, latest first; `Entry.id` is that of the bookmark."""
    return _marks(tx, _BOOKMARKS, page, account_id)


# -- who reacted -----------------------------------------------------------------------------------------------------

_STATUS = sa.bindparam("status", type_=sa.BigInteger)
_BY = accounts.alias("by")  # by another name than the one that `visible` looks into
_SHOWN_ACCOUNT = sa.and_(
    _BY.c.suspended_at.is_(None),
    _BY.c.deleted_at.is_(None),
    ~blocked(_BY.c.id, _VIEWER),
    ~domain_blocked(_BY.c.id, _VIEWER),
)
_FAVOURITED_BY = Listing(
    sa.select(favourites.c.id, favourites.c.account_id)
    .join(_BY, _BY.c.id == favourites.c.account_id)
    .where(favourites.c.status_id == _STATUS, _SHOWN_ACCOUNT),
    favourites.c.id,
)


@cache
def _reblogged_by(signed_in: bool) -> Listing:
    return Listing(
        sa.select(statuses.c.id, statuses.c.account_id)
        .join(_BY, _BY.c.id == statuses.c.account_id)
        .where(statuses.c.reblog_of_id == _STATUS, _BY.c.kind != "group")
        .where(visible(statuses, _VIEWER if signed_in else None), _SHOWN_ACCOUNT),
        statuses.c.id,
    )


def favourited_by(tx: Tx, viewer_id: int | None, status_id: int, page: Page) -> list[Listed]:
    """Who favourited a status that the caller has found visible, or reacted to it as well as if they had, latest
    first."""
    return _FAVOURITED_BY.rows(tx, page, Listed._make, viewer=viewer_id, status=status_id)


def reblogged_by(tx: Tx, viewer_id: int | None, status_id: int, page: Page) -> list[Listed]:
    """Who boosted a status that the caller has found visible, latest first, as far as the boosts are visible too;
    groups only pass on and are left out."""
    return _reblogged_by(viewer_id is not None).rows(tx, page, Listed._make, viewer=viewer_id, status=status_id)
