"""Statuses that fit a query and that the viewer may see, newest first.

The index of words (`indexing`) says which fit, from the newest down; `visibility` decides on each of them, as
everywhere, and what the viewer may not see is not even counted. Knows no accounts and hashtags: `search` does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcorp import ids
from fedcorp.social import accounts, indexing, queries, words
from fedcorp.social.policy import GROUP
from fedcorp.social.queries import Operator, Period, Words
from fedcorp.social.visibility import limited, visible
from fedcorp.storage import fulltext
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import bookmarks, favourites, group_posts, mentions, poll_votes, statuses
from fedcorp.urls import split_handle

MOST_OFFSET = 10_000
_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)


class _Bounds(NamedTuple):
    """Which ids are looked at (both exclusive), with what mark."""

    above: int
    below: int
    mark: str | None = None


@dataclass(slots=True)
class _Asked:
    """A query with its names looked up. `wanted` and `unwanted` are marks; `filters` are what only the tables know."""

    said: list[Words] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    since: int | None = None  # created at, ms
    until: int | None = None  # exclusive
    outside: list[Period] = field(default_factory=list)
    filters: list[tuple[str, bool, int | None]] = field(default_factory=list)  # library or group, negated, group id

    def bound(self, since: int | None = None, until: int | None = None) -> None:
        """Only what was written then."""
        if since is not None:
            self.since = max(since, self.since) if self.since is not None else since
        if until is not None:
            self.until = min(until, self.until) if self.until is not None else until

    def mark(self, mark: str, negated: bool) -> None:
        (self.unwanted if negated else self.wanted).append(mark)


class _Impossible(Exception):
    """No status can be meant."""


def is_short(q: str) -> bool:
    """Whether no lists of the index have to be compared, which SQLite does in one step however long they are."""
    terms = queries.parse(q)
    first = terms[0] if len(terms) == 1 else None
    return not terms or (isinstance(first, Words) and len(first.words) == 1 and not first.negated)


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
    """Statuses for which every term of `q` holds and that the viewer may see, newest first (docs/api.md: Search).

    Words are sought in text, warning, options of polls and descriptions of media. `min_id` asks for those just above
    it, as in `pages`. Nothing is found from MOST_OFFSET on.
    """
    terms = queries.parse(q)
    if not terms or offset >= MOST_OFFSET:
        return []
    try:
        asked = _looked_up(tx, viewer_id, terms)
    except _Impossible:
        return []
    if account_id is not None:
        asked.wanted.append(indexing.by(account_id))
    upward = min_id is not None
    found: list[int] = []
    for bounds in _ranges(asked, max_id, min_id, upward):
        if len(found) < limit + offset:
            found += _found(tx, viewer_id, asked, bounds, upward, limit + offset - len(found))
    page = found[offset : offset + limit]
    return page[::-1] if upward else page


def _ranges(asked: _Asked, max_id: int | None, min_id: int | None, upward: bool) -> list[_Bounds]:
    """A status never stands before its time, and few stand long after it: those are looked for by their mark."""
    above = max(min_id if min_id is not None else -1, ids.first_at(asked.since) - 1 if asked.since is not None else -1)
    below = max_id if max_id is not None else ids.MAX_ID
    if asked.until is None:
        return [_Bounds(above, below)]
    border = ids.first_at(asked.until + indexing.LATE_MS + 1)
    if border >= below:
        return [_Bounds(above, below)]
    ranges = [_Bounds(max(above, border - 1), below, indexing.LATE), _Bounds(above, border)]
    return ranges[::-1] if upward else ranges


def _found(tx: Tx, viewer_id: int, asked: _Asked, bounds: _Bounds, upward: bool, most: int) -> list[int]:
    values: dict[str, Any] = {f"of_{number}": value for number, (_, _, value) in enumerate(asked.filters)}
    for number, item in enumerate(asked.outside):
        values |= {f"start_{number}": item.start, f"end_{number}": item.end}
    values |= {
        "match": fulltext.query(tx.dialect, _match(asked, viewer_id, bounds.mark)), "viewer": viewer_id,
        "since": asked.since, "until": asked.until,
    }  # fmt: skip
    kinds = tuple((name, negated) for name, negated, _ in asked.filters)
    shape = (asked.since is not None, asked.until is not None, len(asked.outside), kinds)
    found: list[int] = []
    for few, above, below in fulltext.parts(tx, bounds.above, bounds.below, upward=upward):
        if len(found) < most:
            statement = _statuses(tx.dialect, few, upward, *shape)
            given = values | {"above": above, "below": below, "most": most - len(found)}
            found += tx.conn.gather(statement, given, itemgetter(0))
    return found


# -- names, looked up ------------------------------------------------------------------------------------------------


def _looked_up(tx: Tx, viewer_id: int, terms: "list[Words | Operator]") -> _Asked:
    asked = _Asked()
    for term in terms:
        if isinstance(term, Words):
            asked.said.append(term)
        else:
            try:
                _OPERATORS[term.name](tx, viewer_id, term, asked)
            except _Impossible:
                if not term.negated:
                    raise
    if asked.since is not None and asked.until is not None and asked.since >= asked.until:
        raise _Impossible
    return asked


def _account(tx: Tx, value: str) -> int:
    account = accounts.find_by_handle(tx, *split_handle(value))
    if account is None:
        raise _Impossible
    return account.id


def _from(tx: Tx, viewer_id: int, term: Operator, asked: _Asked) -> None:
    asked.mark(indexing.by(viewer_id if term.value in ("me", "@me") else _account(tx, term.value)), term.negated)


def _in(tx: Tx, _viewer_id: int, term: Operator, asked: _Asked) -> None:
    if term.value == "all":
        if term.negated:
            asked.wanted.append(_NOTHING)
    elif term.value == "public":
        asked.mark(indexing.seen_as("public"), term.negated)
    elif term.value == "library":
        asked.filters.append(("library", term.negated, None))
    else:
        asked.filters.append(("group", term.negated, _account(tx, term.value)))


def _has(_tx: Tx, _viewer_id: int, term: Operator, asked: _Asked) -> None:
    name = queries.PROPERTIES.get(term.value) or queries.PROPERTIES.get(term.value.removesuffix("s"))
    if name is None:
        raise _Impossible
    asked.mark(indexing.having(name), term.negated)


def _language(_tx: Tx, _viewer_id: int, term: Operator, asked: _Asked) -> None:
    mark = indexing.in_language(term.value)
    if mark is None:
        raise _Impossible
    asked.mark(mark, term.negated)


def _time(_tx: Tx, _viewer_id: int, term: Operator, asked: _Asked) -> None:
    found = queries.period(term.value)
    if found is None:
        raise _Impossible
    match term.name, term.negated:
        case ("before", False):
            asked.bound(until=found.start)
        case ("before", True):
            asked.bound(since=found.start)
        case ("after", False):
            asked.bound(since=found.end)
        case ("after", True):
            asked.bound(until=found.end)
        case (_, False):
            asked.bound(since=found.start, until=found.end)
        case _:
            asked.outside.append(found)


_OPERATORS: dict[str, Callable[[Tx, int, Operator, _Asked], None]] = {
    "from": _from, "in": _in, "has": _has, "is": _has, "language": _language, "before": _time, "after": _time,
    "during": _time,
}  # fmt: skip
_NOTHING = indexing.seen_as("nowhere")


# -- what the index and the tables are asked -------------------------------------------------------------------------


def _match(asked: _Asked, viewer_id: int, mark: str | None) -> fulltext.Match:
    """What the index is asked. Direct messages stand there under words of their own, which are only followed where the
    viewer wrote or got them: so those of others cost no time that would tell of them."""
    mine = _any(indexing.by(viewer_id), indexing.to(viewer_id))
    elsewhere = _all(asked, indexing.OPEN, mark, *map(indexing.seen_as, ("public", "unlisted", "private", GROUP)))
    direct = _all(asked, indexing.DIRECT, mark, indexing.seen_as("direct"))
    return fulltext.Either((elsewhere, fulltext.All((direct, mine))))


def _all(asked: _Asked, languages: tuple[str, str], mark: str | None, *seen_as: str) -> fulltext.Match:
    said = [(_said(term.words, languages), term.negated) for term in asked.said]
    wanted = [match for match, negated in said if not negated] or [_any(*seen_as)]
    wanted += [fulltext.Run((each,)) for each in (*asked.wanted, mark) if each is not None]
    unwanted = [match for match, negated in said if negated] + [fulltext.Run((each,)) for each in asked.unwanted]
    return fulltext.All(tuple(wanted), tuple(unwanted))


def _any(*marks: str) -> fulltext.Match:
    return fulltext.Either(tuple(fulltext.Run((mark,)) for mark in marks))


def _said(said: tuple[str, ...], languages: tuple[str, str]) -> fulltext.Match:
    stems = [words.stem(word) for word in said]
    dutch, english = languages
    return fulltext.Either(
        (
            fulltext.Run(tuple(dutch + stem.dutch for stem in stems)),
            fulltext.Run(tuple(english + stem.english for stem in stems)),
        )
    )


def _number(name: str) -> Any:
    return sa.bindparam(name, type_=sa.BigInteger)


def _library() -> "sa.ColumnElement[bool]":
    """What somebody wrote, got, or did something with."""
    boost = statuses.alias("boost")
    mine = [
        sa.exists().where(table.c.status_id == statuses.c.id, table.c.account_id == _VIEWER)
        for table in (mentions, favourites, bookmarks)
    ]
    boosted = sa.exists().where(
        boost.c.reblog_of_id == statuses.c.id, boost.c.account_id == _VIEWER, boost.c.deleted_at.is_(None)
    )
    voted = sa.exists().where(poll_votes.c.poll_id == statuses.c.poll_id, poll_votes.c.account_id == _VIEWER)
    return sa.or_(statuses.c.account_id == _VIEWER, *mine, boosted, voted)


def _of_group(number: int) -> "sa.ColumnElement[bool]":
    return sa.exists().where(
        group_posts.c.group_id == _number(f"of_{number}"), group_posts.c.status_id == statuses.c.id,
        group_posts.c.state == sa.literal_column("'distributed'"),  # as in `visibility`
    )  # fmt: skip


@cache
def _statuses(
    dialect: str, few: bool, upward: bool, since: bool, until: bool, outside: int, filters: tuple[tuple[str, bool], ...]
) -> "sa.Select[Any]":
    """Built once for each shape: building it costs more than the search itself."""
    source = fulltext.source(dialect, few=few)
    rows = source.rows.join(statuses, statuses.c.id == source.id)
    statement = sa.select(statuses.c.id).select_from(rows).where(source.condition)
    if since:
        statement = statement.where(statuses.c.created_at >= _number("since"))
    if until:
        statement = statement.where(statuses.c.created_at < _number("until"))
    for number in range(outside):
        created = statuses.c.created_at
        statement = statement.where(sa.or_(created < _number(f"start_{number}"), created >= _number(f"end_{number}")))
    for number, (name, negated) in enumerate(filters):
        condition = _library() if name == "library" else _of_group(number)
        statement = statement.where(~condition if negated else condition)
    order = source.id.asc() if upward else source.id.desc()
    permitted = (visible(statuses, _VIEWER), ~limited(statuses.c.account_id, _VIEWER))
    return statement.where(*permitted).order_by(order).limit(_number("most"))
