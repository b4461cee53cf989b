"""Notifications: tells people here what others did, once for each cause, and lists it, one by one or in groups.

Never decides what is worth telling (`fedcorp.social.effects` does) and never sends: it leaves a row of `streams`, and
jobs for the apps that want to be told (`fedcorp.social.push`).
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from fedcorp.errors import NotFound
from fedcorp.social import notification_policy, push
from fedcorp.social.pages import Listing, Page
from fedcorp.social.visibility import blocked, domain_blocked, visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import (
    accounts,
    markers,
    mutes,
    notifications,
    statuses,
    streams,
    thread_mutes,
    users,
)

REPORT, WARNING = "admin.report", "moderation_warning"
ADDED, CHANGED = "added_to_collection", "collection_update"
KINDS = (
    "mention", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "quote", "quoted_update",
    REPORT, WARNING, ADDED, CHANGED,
)  # fmt: skip
GROUPED = frozenset({"favourite", "reblog", "follow"})
SAMPLE = 8  # accounts shown of a group
_HOUR_MS = 3_600_000
_RECENT = 2000  # rows that one page of groups is made from


@dataclass(slots=True)
class Notification:
    """One row of `notifications`; `seq` is its id."""

    seq: int
    account_id: int
    kind: str
    from_account_id: int
    status_id: int | None
    group_key: str
    created_at: int
    report_id: int | None = None
    warning_id: int | None = None
    collection_id: int | None = None


@dataclass(slots=True)
class Group:
    """Notifications of one group: `count` of all of them, `page_min` to `page_max` of those on this page."""

    group_key: str
    kind: str
    count: int
    most_recent: int
    page_min: int
    page_max: int
    latest_at: int
    sample_account_ids: list[int]
    status_id: int | None
    report_id: int | None = None
    warning_id: int | None = None
    collection_id: int | None = None


# -- telling ---------------------------------------------------------------------------------------------------------

_TO: Any = sa.bindparam("account", type_=sa.BigInteger)
_FROM = sa.bindparam("other", type_=sa.BigInteger)


def _stands_between(account: Any, other: Any) -> "sa.ColumnElement[bool]":
    """A block in either direction, of the other's domain too, or a mute that covers notifications."""
    muted = sa.exists().where(
        mutes.c.account_id == account,
        mutes.c.target_id == other,
        mutes.c.notifications,
        sa.or_(mutes.c.expires_at.is_(None), mutes.c.expires_at > sa.bindparam("now", type_=sa.BigInteger)),
    )
    return sa.or_(blocked(other, account), domain_blocked(other, account), muted)


_THREAD_MUTED = sa.exists().where(
    statuses.c.id == sa.bindparam("status", type_=sa.BigInteger),
    thread_mutes.c.thread_id == statuses.c.thread_id,
    thread_mutes.c.account_id == _TO,
)
_WANTED = sa.select(users.c.account_id).where(
    users.c.account_id == _TO, users.c.disabled_at.is_(None), ~_stands_between(_TO, _FROM), ~_THREAD_MUTED
)
_WORKING = sa.select(users.c.account_id).where(users.c.account_id == _TO, users.c.disabled_at.is_(None))
_STREAM = sa.insert(streams)
_SET_KEY = (
    sa.update(notifications)
    .where(notifications.c.seq == sa.bindparam("this", type_=sa.BigInteger))
    .values(group_key=sa.bindparam("key"))
)


def notify(
    tx: Tx,
    *,
    account_id: int,
    kind: str,
    from_id: int,
    status_id: int | None = None,
    report_id: int | None = None,
    warning_id: int | None = None,
    collection_id: int | None = None,
    cause: str,
) -> None:
    """Tell an account, unless it is not a user here, acted itself, or does not want to hear of it. What its policy
    filters is kept back as a request.

    The same `cause` is told once. The end of a poll is told to its author as well, whom it comes from, and a warning
    comes from whom it is for: which moderator it was is not told. Of a report its moderators hear whomever they block
    or mute, and whoever blocks them.
    """
    if account_id == from_id and kind not in ("poll", WARNING):
        return
    facts = {"account": account_id, "other": from_id, "status": status_id, "now": tx.ms}
    wanted = tx.conn.execute(_WORKING, {"account": account_id}) if kind == REPORT else tx.conn.execute(_WANTED, facts)
    if wanted.first() is None:
        return
    verdict = notification_policy.judge(tx, account_id, kind, from_id, status_id)
    if verdict == "drop":
        return
    key = _group_key(kind, status_id, tx.ms)
    values = {"account_id": account_id, "kind": kind, "from_account_id": from_id, "status_id": status_id}
    values |= {"group_key": key or "", "created_at": tx.ms, "cause": cause, "report_id": report_id}
    values |= {"warning_id": warning_id, "collection_id": collection_id}
    values["filtered"] = verdict == "filter"
    seq = tx.conn.execute(_insert(tx.dialect), values).scalar()
    if seq is None:
        return
    if key is None:
        tx.conn.execute(_SET_KEY, {"this": seq, "key": f"ungrouped-{seq}"})
    if verdict == "filter":
        return
    told = {"kind": "notification", "status_id": status_id, "account_id": account_id}
    tx.conn.execute(_STREAM, told | {"notification_seq": seq, "created_at": tx.ms})
    tx.wake("streams")
    push.announce(tx, account_id, seq, kind, from_id)


def _group_key(kind: str, status_id: int | None, ms: int) -> str | None:
    """What happens to one status, or who follows, within one hour belongs together; None: stands alone."""
    if kind not in GROUPED:
        return None
    about = "" if status_id is None else f"{status_id}-"
    return f"{kind}-{about}{ms // _HOUR_MS}"


@cache
def _insert(dialect: str) -> Any:
    module: Any = sqlite if dialect == "sqlite" else postgresql
    return module.insert(notifications).on_conflict_do_nothing().returning(notifications.c.seq)


# -- one by one ------------------------------------------------------------------------------------------------------

_COLUMNS = [notifications.c[item.name] for item in fields(Notification)]
_ABOUT = statuses.alias("about")
_VISIBLE = sa.or_(  # of a post that its reader may not see any more, nothing is told
    notifications.c.status_id.is_(None),
    sa.exists().where(_ABOUT.c.id == notifications.c.status_id, visible(_ABOUT, _TO)),
)
_BY_SEQ: sa.Select[Any] = sa.select(*_COLUMNS).where(
    notifications.c.account_id == sa.bindparam("account"), notifications.c.seq == sa.bindparam("this"), _VISIBLE
)
_GONE = sa.exists().where(
    accounts.c.id == notifications.c.from_account_id,
    sa.or_(accounts.c.suspended_at.is_not(None), accounts.c.deleted_at.is_not(None)),
)


@cache
def _shown(some: bool, all_but: bool, of_one: bool, filtered: bool) -> "sa.Select[Any]":
    """Notifications of an account that are still to be shown, with these filters."""
    statement = sa.select(*_COLUMNS).where(
        notifications.c.account_id == _TO,
        _VISIBLE,
        ~_GONE,
        sa.or_(
            notifications.c.kind == REPORT,
            ~_stands_between(_TO, notifications.c.from_account_id),
        ),
    )
    if not filtered:
        statement = statement.where(~notifications.c.filtered)
    if some:
        statement = statement.where(notifications.c.kind.in_(sa.bindparam("types", expanding=True)))
    if all_but:
        statement = statement.where(notifications.c.kind.not_in(sa.bindparam("excluded", expanding=True)))
    if of_one:
        statement = statement.where(notifications.c.from_account_id == sa.bindparam("from_account"))
    return statement


@cache
def _listing(some: bool, all_but: bool, of_one: bool, filtered: bool) -> Listing:
    return Listing(_shown(some, all_but, of_one, filtered), notifications.c.seq)


def _read(
    tx: Tx,
    account_id: int,
    page: Page,
    types: tuple[str, ...],
    exclude_types: tuple[str, ...],
    from_account: int | None,
    include_filtered: bool = False,
) -> list[Notification]:
    listing_ = _listing(bool(types), bool(exclude_types), from_account is not None, include_filtered)
    values = {"types": types, "excluded": exclude_types, "from_account": from_account}
    return listing_.rows(tx, page, lambda row: Notification(*row), account=account_id, now=tx.ms, **values)


def listing(
    tx: Tx,
    account_id: int,
    page: Page,
    *,
    types: tuple[str, ...] = (),
    exclude_types: tuple[str, ...] = (),
    from_account: int | None = None,
    include_filtered: bool = False,
) -> list[Notification]:
    """Notifications, newest first; the ids of the page are sequence numbers. With `include_filtered` also those that
    are kept back as requests."""
    return _read(tx, account_id, page, types, exclude_types, from_account, include_filtered)


def find(tx: Tx, account_id: int, seq: int) -> Notification | None:
    """A notification of this account."""
    row = tx.conn.execute(_BY_SEQ, {"account": account_id, "this": seq}).first()
    return Notification(*row) if row else None


def dismiss(tx: Tx, account_id: int, seq: int) -> None:
    """Remove one. Raises NotFound."""
    mine = sa.and_(notifications.c.account_id == account_id, notifications.c.seq == seq)
    if tx.conn.execute(sa.delete(notifications).where(mine)).rowcount == 0:
        raise NotFound


def clear(tx: Tx, account_id: int) -> None:
    """Remove all."""
    tx.conn.execute(sa.delete(notifications).where(notifications.c.account_id == account_id))


def unread_count(
    tx: Tx,
    account_id: int,
    limit: int = 100,
    *,
    types: tuple[str, ...] = (),
    exclude_types: tuple[str, ...] = (),
    grouped: bool = False,
) -> int:
    """How many came after the marker of `notifications`, at most `limit`; with `grouped` each group counts once."""
    read = tx.conn.execute(_LAST_READ, {"account": account_id}).scalar() or "0"
    page = Page(_RECENT if grouped else limit, since_id=int(read) if read.isdecimal() else 0)
    rows = _read(tx, account_id, page, types, exclude_types, None)
    return min(limit, len({row.group_key for row in rows}) if grouped else len(rows))


_LAST_READ = sa.select(markers.c.last_read_id).where(
    markers.c.account_id == sa.bindparam("account"), markers.c.timeline == "notifications"
)

# -- in groups -------------------------------------------------------------------------------------------------------


def grouped(
    tx: Tx,
    account_id: int,
    page: Page,
    *,
    types: tuple[str, ...] = (),
    exclude_types: tuple[str, ...] = (),
    from_account: int | None = None,
    grouped_types: tuple[str, ...] = tuple(GROUPED),
    include_filtered: bool = False,
) -> list[Group]:
    """Groups by their newest member, newest first; `limit` counts groups. The next page starts below `most_recent`
    of the last one, so a group that reaches across comes on both pages, with the same key.

    Kinds that are not in `grouped_types` stand alone, each under a key `ungrouped-SEQ`.
    """
    wide = Page(_RECENT, page.max_id, page.since_id, page.min_id)
    rows = _read(tx, account_id, wide, types, exclude_types, from_account, include_filtered)
    found: dict[str, list[Notification]] = {}
    for row in rows:
        key = row.group_key if row.kind in grouped_types else f"ungrouped-{row.seq}"
        found.setdefault(key, []).append(row)
    keys = list(found)
    kept = keys[-page.limit :] if page.min_id is not None else keys[: page.limit]
    counts = _counts(tx, account_id, [key for key in kept if not key.startswith("ungrouped-")])
    return [_group(key, found[key], counts.get(key, 1)) for key in kept]


def _group(key: str, rows: list[Notification], count: int) -> Group:
    first = rows[0]
    sample = list(dict.fromkeys(row.from_account_id for row in rows))[:SAMPLE]
    return Group(
        key, first.kind, count, first.seq, rows[-1].seq, first.seq, first.created_at, sample, first.status_id,
        first.report_id, first.warning_id, first.collection_id,
    )  # fmt: skip


def _counts(tx: Tx, account_id: int, keys: list[str]) -> dict[str, int]:
    if not keys:
        return {}
    statement = (
        sa.select(notifications.c.group_key, sa.func.count())
        .where(notifications.c.account_id == _TO, notifications.c.group_key.in_(keys), _VISIBLE)
        .where(~notifications.c.filtered)
        .group_by(notifications.c.group_key)
    )
    return {key: count for key, count in tx.conn.execute(statement, {"account": account_id})}  # noqa: C416 - rows are no pairs to mypy


def _members(tx: Tx, account_id: int, group_key: str) -> list[Notification]:
    """Of one group, newest first; `ungrouped-SEQ` names any single notification. Raises NotFound."""
    alone = group_key.removeprefix("ungrouped-")
    if alone != group_key:
        single = find(tx, account_id, int(alone)) if alone.isdecimal() and len(alone) < 19 else None
        rows = [single] if single else []
    else:
        statement = (
            sa.select(*_COLUMNS)
            .where(notifications.c.account_id == _TO, notifications.c.group_key == group_key, _VISIBLE)
            .where(~notifications.c.filtered)
        )
        found = tx.conn.execute(statement.order_by(notifications.c.seq.desc()), {"account": account_id})
        rows = [Notification(*row) for row in found]
    if not rows:
        raise NotFound
    return rows


def get_group(tx: Tx, account_id: int, group_key: str) -> Group:
    """One group. Raises NotFound."""
    rows = _members(tx, account_id, group_key)
    return _group(group_key, rows, len(rows))


def group_accounts(tx: Tx, account_id: int, group_key: str) -> list[int]:
    """Everybody in a group, newest first. Raises NotFound."""
    return list(dict.fromkeys(row.from_account_id for row in _members(tx, account_id, group_key)))


def dismiss_group(tx: Tx, account_id: int, group_key: str) -> None:
    """Remove all of a group. Raises NotFound."""
    seqs = [row.seq for row in _members(tx, account_id, group_key)]
    tx.conn.execute(sa.delete(notifications).where(notifications.c.seq.in_(seqs)))


# -- kept back -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Request:
    """What is kept back of one account: by its id, times in ms, `count` notifications, and the newest post of them."""

    from_account_id: int
    created_at: int
    updated_at: int
    count: int
    last_status_id: int | None


_SENDER: Any = notifications.c.from_account_id
_KEPT_BACK = (
    _shown(some=False, all_but=False, of_one=False, filtered=True)
    .with_only_columns(
        _SENDER,
        sa.func.min(notifications.c.created_at),
        sa.func.max(notifications.c.created_at),
        sa.func.count(),
        sa.func.max(notifications.c.status_id),
    )
    .where(notifications.c.filtered)
    .group_by(_SENDER)
)
_REQUESTS = Listing(_KEPT_BACK, _SENDER)
_REQUEST = _KEPT_BACK.where(_SENDER == _FROM)


def requests(tx: Tx, account_id: int, page: Page) -> list[Request]:
    """Whose notifications are kept back; pages are cut by the ids of these accounts."""
    return _REQUESTS.rows(tx, page, lambda row: Request(*row), account=account_id, now=tx.ms)


def get_request(tx: Tx, account_id: int, from_id: int) -> Request:
    """What is kept back of one account. Raises NotFound."""
    row = tx.conn.execute(_REQUEST, {"account": account_id, "other": from_id, "now": tx.ms}).first()
    if row is None:
        raise NotFound
    return Request(*row)


def accept_request(tx: Tx, account_id: int, from_id: int) -> None:
    """Put what was kept back of an account among the others, and accept what comes from it later. Raises NotFound."""
    get_request(tx, account_id, from_id)
    notification_policy.permit(tx, account_id, from_id)
    tx.conn.execute(sa.update(notifications).where(_kept_back(account_id, from_id)).values(filtered=False))


def dismiss_request(tx: Tx, account_id: int, from_id: int) -> None:
    """Remove what was kept back of an account; what comes from it later is judged anew. Raises NotFound."""
    get_request(tx, account_id, from_id)
    tx.conn.execute(sa.delete(notifications).where(_kept_back(account_id, from_id)))


def _kept_back(account_id: int, from_id: int) -> "sa.ColumnElement[bool]":
    return sa.and_(notifications.c.account_id == account_id, from_id == _SENDER, notifications.c.filtered)
