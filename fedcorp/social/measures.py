"""Numbers for who looks after the department: how much is done by day, by what kind, and how many new people stay.

Counts of everybody together, never of one person and never a ranking of people. Nobody's signing in is written down, so
who is active is told by what they did: posted, boosted or favourited. Direct messages count as activity only, and so
does what waits for the leave of an author elsewhere.
"""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from fedcorp import __version__
from fedcorp.clock import from_ms, to_ms
from fedcorp.errors import BadRequest, Unprocessable
from fedcorp.social.policy import WAITING
from fedcorp.social.text import normalise_tag
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, applications, favourites, follows, media, reports, status_tags, users
from fedcorp.storage.tables import statuses as posts

DAY_MS = 86_400_000
MAX_DAYS, MAX_COHORTS = 366, 100
BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Span:
    """Whole UTC days, from the beginning of the first (ms) to before `end` (ms)."""

    start: int
    end: int

    def before(self) -> "Span":
        """As many days just before."""
        return Span(self.start - (self.end - self.start), self.start)

    def days(self) -> list[int]:
        """When each day begins, in ms."""
        return list(range(self.start, self.end, DAY_MS))


@dataclass(frozen=True, slots=True)
class Measure:
    """A number by day, of the whole span, and of the span before; `unit` is BYTES or nothing."""

    key: str
    unit: str | None
    total: int
    previous_total: int
    days: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Part:
    """One of several kinds and how much there is of it."""

    key: str
    name: str
    value: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who came in one day or month: when it begins (ms), and for this and each later one (when it begins, how
    many of them were active then or later, their share of all)."""

    start: int
    buckets: list[tuple[int, int, float]]


def span(start: int, end: int) -> Span:
    """The days from that of `start` to that of `end` (ms). Raises Unprocessable for more than MAX_DAYS, or none."""
    found = Span(start - start % DAY_MS, end - end % DAY_MS + DAY_MS)
    if not 0 < found.end - found.start <= MAX_DAYS * DAY_MS:
        raise Unprocessable(f"Ask for 1 to {MAX_DAYS} days.")
    return found


# -- measures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Source:
    """Rows of (`at` in ms, `what`): how many of them there are, with `distinct` how many different ones, or their sum
    with `added`."""

    rows: Any
    distinct: bool = False
    added: bool = False


_OURS = sa.select(users.c.account_id)
_ORIGINAL = posts.alias("original")
_ALIVE = sa.and_(posts.c.deleted_at.is_(None), posts.c.visibility.not_in(("direct", WAITING)))


def _rows(at: Any, what: Any = None) -> Any:
    return sa.select(at.label("at"), (sa.literal(1) if what is None else what).label("what"))


def _active(_: str) -> _Source:
    wrote = _rows(posts.c.created_at, posts.c.account_id).where(posts.c.account_id.in_(_OURS))
    liked = _rows(favourites.c.created_at, favourites.c.account_id).where(favourites.c.account_id.in_(_OURS))
    return _Source(sa.union_all(wrote, liked), distinct=True)


def _interactions(_: str) -> _Source:
    """What anybody did with posts of this department: favourites, boosts but those of groups, answers of others."""
    people = sa.select(accounts.c.id).where(accounts.c.kind != "group")
    liked = _rows(favourites.c.created_at).join(posts, posts.c.id == favourites.c.status_id).where(posts.c.local)
    passed_on = (
        _rows(posts.c.created_at)
        .join(_ORIGINAL, _ORIGINAL.c.id == posts.c.reblog_of_id)
        .where(_ALIVE, _ORIGINAL.c.local, posts.c.account_id.in_(people))
    )
    answers = (
        _rows(posts.c.created_at)
        .join(_ORIGINAL, _ORIGINAL.c.id == posts.c.in_reply_to_id)
        .where(_ALIVE, _ORIGINAL.c.local, _ORIGINAL.c.account_id != posts.c.account_id)
    )
    return _Source(sa.union_all(liked, passed_on, answers))


def _tagged(name: str, what: Any = None) -> Any:
    return (
        _rows(posts.c.created_at, what)
        .join(status_tags, status_tags.c.status_id == posts.c.id)
        .join(accounts, accounts.c.id == posts.c.account_id)
        .where(status_tags.c.name == normalise_tag(name), posts.c.visibility == "public", posts.c.deleted_at.is_(None))
    )


def _of(domain: str) -> Any:
    return sa.select(accounts.c.id).where(accounts.c.domain == domain.strip().lower(), ~accounts.c.local)


_SOURCES: dict[str, Callable[[str], _Source]] = {
    "active_users": _active,
    "new_users": lambda _: _Source(_rows(users.c.created_at)),
    "interactions": _interactions,
    "opened_reports": lambda _: _Source(_rows(reports.c.created_at)),
    "resolved_reports": lambda _: _Source(_rows(reports.c.resolved_at).where(reports.c.resolved_at.is_not(None))),
    "tag_accounts": lambda name: _Source(_tagged(name, posts.c.account_id), distinct=True),
    "tag_uses": lambda name: _Source(_tagged(name)),
    "tag_servers": lambda name: _Source(_tagged(name, accounts.c.domain).where(~accounts.c.local), distinct=True),
    "instance_accounts": lambda domain: _Source(_rows(accounts.c.created_at).where(accounts.c.id.in_(_of(domain)))),
    "instance_media_attachments": lambda domain: _Source(
        _rows(media.c.created_at, media.c.bytes).where(media.c.account_id.in_(_of(domain))), added=True
    ),
    "instance_reports": lambda domain: _Source(_rows(reports.c.created_at).where(reports.c.target_id.in_(_of(domain)))),
    "instance_statuses": lambda domain: _Source(
        _rows(posts.c.created_at).where(_ALIVE, posts.c.reblog_of_id.is_(None), posts.c.account_id.in_(_of(domain)))
    ),
    "instance_follows": lambda domain: _Source(
        _rows(follows.c.created_at).where(
            follows.c.state == "accepted", follows.c.target_id.in_(_of(domain)), follows.c.follower_id.in_(_OURS)
        )
    ),
    "instance_followers": lambda domain: _Source(
        _rows(follows.c.created_at).where(
            follows.c.state == "accepted", follows.c.follower_id.in_(_of(domain)), follows.c.target_id.in_(_OURS)
        )
    ),
}
ABOUT_TAGS = frozenset({"tag_accounts", "tag_uses", "tag_servers", "tag_languages"})
ABOUT_SERVERS = frozenset(
    {key for key in _SOURCES if key.startswith("instance_")} | {"instance_languages"},
)
KEYS = tuple(_SOURCES)


def measure(tx: Tx, key: str, days: Span, about: str = "") -> Measure:
    """One of KEYS in these days; `about` is the hashtag of ABOUT_TAGS or the domain of ABOUT_SERVERS.

    Raises BadRequest when that is missing.
    """
    source = _SOURCES[key](_needed(key, about))
    rows = source.rows.subquery()
    amount: Any = sa.func.count(rows.c.what.distinct()) if source.distinct else sa.func.count()
    if source.added:
        amount = sa.func.coalesce(sa.func.sum(rows.c.what), 0)

    def total(within: Span) -> int:
        inside = sa.and_(rows.c.at >= within.start, rows.c.at < within.end)
        return int(tx.conn.execute(sa.select(amount).select_from(rows).where(inside)).scalar_one())

    # Written out, not a parameter: PostgreSQL must see the same expression in both places.
    day = (rows.c.at - rows.c.at % sa.literal_column(str(DAY_MS))).label("day")
    by_day = sa.select(day, amount).select_from(rows).where(rows.c.at >= days.start, rows.c.at < days.end)
    found = {int(at): int(value) for at, value in tx.conn.execute(by_day.group_by(day))}
    shown = [(at, found.get(at, 0)) for at in days.days()]
    return Measure(key, BYTES if source.added else None, total(days), total(days.before()), shown)


def _needed(key: str, about: str) -> str:
    if not about.strip() and (key in ABOUT_TAGS or key in ABOUT_SERVERS):
        raise BadRequest(f"The parameter {key}[{'id' if key in ABOUT_TAGS else 'domain'}] is missing.")
    return about


# -- dimensions ------------------------------------------------------------------------------------------------------


def _parts(tx: Tx, name: Any, days: Span, limit: int, narrowed: Any) -> list[Part]:
    """Posts of some kind by `name`, most first."""
    statement = (
        narrowed(
            sa.select(name, sa.func.count()).select_from(posts).join(accounts, accounts.c.id == posts.c.account_id)
        )
        .where(_ALIVE, posts.c.reblog_of_id.is_(None), name.is_not(None))
        .where(posts.c.created_at >= days.start, posts.c.created_at < days.end)
        .group_by(name)
        .order_by(sa.func.count().desc(), name)
        .limit(limit)
    )
    return [Part(key, key, str(count)) for key, count in tx.conn.execute(statement)]


def _with_tag(statement: Any, name: str) -> Any:
    joined = statement.join(status_tags, status_tags.c.status_id == posts.c.id)
    return joined.where(status_tags.c.name == normalise_tag(name), posts.c.visibility == "public")


_DIMENSIONS: dict[str, tuple[Any, Callable[[Any, str], Any]]] = {
    "languages": (posts.c.language, lambda statement, _: statement.where(posts.c.local)),
    "sources": (
        applications.c.name,
        lambda statement, _: statement.join(applications, applications.c.id == posts.c.application_id),
    ),
    "servers": (accounts.c.domain, lambda statement, _: statement.where(~posts.c.local)),
    "tag_servers": (accounts.c.domain, _with_tag),
    "tag_languages": (posts.c.language, _with_tag),
    "instance_languages": (
        posts.c.language, lambda statement, domain: statement.where(posts.c.account_id.in_(_of(domain))),
    ),
}  # fmt: skip
DIMENSIONS = ("languages", "sources", "servers", "space_usage", "software_versions", *list(_DIMENSIONS)[3:])
"""`instance_accounts`, a list of the most followed people, is none of them."""


def dimension(tx: Tx, key: str, days: Span, limit: int, about: str = "") -> list[Part]:
    """One of DIMENSIONS in these days, most first, at most `limit`. Raises BadRequest when `about` is missing."""
    if key == "space_usage":
        return _space(tx)
    if key == "software_versions":
        return _versions(tx)
    name, narrow = _DIMENSIONS[key]
    about = _needed(key, about)
    return _parts(tx, name, days, limit, lambda statement: narrow(statement, about))


def _space(tx: Tx) -> list[Part]:
    if tx.dialect == "sqlite":
        size = sa.text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
    else:
        size = sa.text("SELECT pg_database_size(current_database())")
    files = sa.select(sa.func.coalesce(sa.func.sum(media.c.bytes), 0)).where(media.c.key.is_not(None))
    return [
        Part(tx.dialect, _DATABASES[tx.dialect], str(int(tx.conn.execute(size).scalar_one())), BYTES),
        Part("media", "Media", str(int(tx.conn.execute(files).scalar_one())), BYTES),
    ]


_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def _versions(tx: Tx) -> list[Part]:
    asked = "SELECT sqlite_version()" if tx.dialect == "sqlite" else "SHOW server_version"
    return [
        Part("fedcorp", "fedcorp", __version__),
        Part("python", "Python", platform.python_version()),
        Part(tx.dialect, _DATABASES[tx.dialect], str(tx.conn.execute(sa.text(asked)).scalar_one())),
    ]


# -- who stays -------------------------------------------------------------------------------------------------------

_LAST_POST = sa.select(sa.func.max(posts.c.created_at)).where(posts.c.account_id == users.c.account_id)
_LAST_FAVOURITE = sa.select(sa.func.max(favourites.c.created_at)).where(favourites.c.account_id == users.c.account_id)
_NEW = sa.select(users.c.created_at, _LAST_POST.scalar_subquery(), _LAST_FAVOURITE.scalar_subquery()).where(
    users.c.created_at >= sa.bindparam("start", type_=sa.BigInteger),
    users.c.created_at < sa.bindparam("end", type_=sa.BigInteger),
)


def retention(tx: Tx, start: int, end: int, *, monthly: bool) -> list[Cohort]:
    """For each day or month from `start` to `end` (ms), who came then and was still active in each later one.

    Raises Unprocessable for more than MAX_COHORTS, or none.
    """
    starts = _months(start, end) if monthly else _days(start, end)
    if not 2 <= len(starts) <= MAX_COHORTS + 1:
        raise Unprocessable(f"Ask for 1 to {MAX_COHORTS} days or months.")
    came: dict[int, list[int]] = {at: [] for at in starts[:-1]}
    for joined, *others in tx.conn.execute(_NEW, {"start": starts[0], "end": starts[-1]}):
        came[max(at for at in came if at <= joined)].append(max(at for at in (joined, *others) if at is not None))
    return [Cohort(at, _buckets(starts[number:-1], came[at])) for number, at in enumerate(starts[:-1])]


def _buckets(starts: list[int], last: list[int]) -> list[tuple[int, int, float]]:
    counts = [(at, sum(1 for active in last if active >= at)) for at in starts]
    return [(at, count, count / len(last) if last else 0.0) for at, count in counts]


def _days(start: int, end: int) -> list[int]:
    """When each day begins, and the one after the last."""
    first, last = start - start % DAY_MS, end - end % DAY_MS
    return list(range(first, min(last, first + MAX_COHORTS * DAY_MS) + 2 * DAY_MS, DAY_MS)) if last >= first else []


def _months(start: int, end: int) -> list[int]:
    """When each month begins, and the one after the last."""
    number, last = (at.year * 12 + at.month - 1 for at in (from_ms(start), from_ms(end)))
    if last < number:
        return []
    wanted = range(number, min(last, number + MAX_COHORTS) + 2)
    return [to_ms(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)) for month in wanted if month // 12 < 10_000]
