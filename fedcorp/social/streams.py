"""What just happened, for those who listen: reads the `streams` table that `effects` fills, and says whom it concerns.

Never writes to a socket and never renders. Rows are read in the order of their sequence; on PostgreSQL a number can
become visible after a greater one, so `tail` also asks again for numbers that were missing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import sqlalchemy as sa

from fedcorp.errors import NotFound
from fedcorp.social import accounts as accounts_of
from fedcorp.social import memberships, policy, statuses, timelines
from fedcorp.social.pages import Page
from fedcorp.social.policy import MEMBERS, Viewer
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import (
    accounts,
    blocks,
    domain_blocks,
    follows,
    group_posts,
    home,
    list_accounts,
    media,
    mutes,
    status_tags,
    streams,
)
from fedcorp.storage.tables import memberships as memberships_table

BATCH = 200
KEEP_MS = 600_000
GAP_MS = 5_000
FRESH_MS = 3_600_000  # what is older was filled in from history: no news for the public streams

PUBLIC = ("public", "public:local", "public:remote", "public:media", "public:local:media", "public:remote:media")
OWN = ("user", "user:notification", "direct")
WITH_ARGUMENT = ("hashtag", "hashtag:local", "list")
NAMES = frozenset((*PUBLIC, *OWN, *WITH_ARGUMENT))


@dataclass(frozen=True, slots=True)
class Channel:
    """What somebody listens to. `argument` is the normalised hashtag or the id of the list."""

    account_id: int
    stream: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One row of `streams`: `kind` is update, status.update, delete, notification, filters_changed, closed,
    announcement, announcement.reaction or announcement.delete.

    `account_id`: whom a notification is for, whose filters changed, whose streams are closed; of what is deleted: the
    one home or, of a group, the one list that it is gone from (None: wherever it stood). `reaction`: the emoji whose
    number below an announcement changed.
    """

    seq: int
    kind: str
    status_id: int | None
    account_id: int | None
    notification_seq: int | None
    created_at: int
    announcement_id: int | None = None
    reaction: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader came: everything up to `after` but the numbers in `gaps` (number -> when it was missed, ms)."""

    after: int = 0
    gaps: dict[int, int] = field(default_factory=dict)


_COLUMNS = [streams.c[item.name] for item in fields(Change)]
_BEHIND = (
    sa.select(*_COLUMNS)
    .where(sa.or_(streams.c.seq > sa.bindparam("after"), streams.c.seq.in_(sa.bindparam("gaps", expanding=True))))
    .order_by(streams.c.seq)
)
_AFTER = _BEHIND.limit(BATCH)
_NUMBERS = _BEHIND.with_only_columns(streams.c.seq)
_LISTED = sa.select(list_accounts.c.list_id).where(
    list_accounts.c.list_id == sa.bindparam("list"), list_accounts.c.account_id == sa.bindparam("author")
)
_LATEST = sa.select(sa.func.coalesce(sa.func.max(streams.c.seq), 0))


def latest(tx: Tx) -> Position:
    """The position of a reader that wants only what comes from now on."""
    return Position(tx.conn.execute(_LATEST).scalar_one())


def tail(tx: Tx, position: Position) -> tuple[list[Change], Position]:
    """What came after a position (BATCH rows at most), and the position behind it."""
    gaps = _open_gaps(tx, position)
    found = [Change(*row) for row in tx.conn.execute(_AFTER, {"after": position.after, "gaps": list(gaps)})]
    return found, _behind(tx, position.after, gaps, [change.seq for change in found])


def skip(tx: Tx, position: Position) -> Position:
    """The position behind everything that came after one, for a reader to whom nothing of it matters."""
    gaps = _open_gaps(tx, position)
    numbers = tx.conn.execute(_NUMBERS, {"after": position.after, "gaps": list(gaps)}).scalars()
    return _behind(tx, position.after, gaps, numbers)


def reached(tx: Tx, position: Position) -> int:
    """Up to which number everything has happened by now, seen from a reader at a position."""
    behind = skip(tx, position)
    return min([behind.after, *(gap - 1 for gap in behind.gaps)])


def _open_gaps(tx: Tx, position: Position) -> dict[int, int]:
    return {seq: at for seq, at in position.gaps.items() if at > tx.ms - GAP_MS}


def _behind(tx: Tx, after: int, gaps: dict[int, int], numbers: Iterable[int]) -> Position:
    last = after
    for seq in numbers:
        if seq <= after:
            gaps.pop(seq, None)
            continue
        if seq - last < BATCH:
            gaps |= dict.fromkeys(range(last + 1, seq), tx.ms)
        last = seq
    return Position(last, gaps)


def mark(change: Change, before: Position, behind: Position) -> int:
    """How far a reader surely is who was told this change, of those between two positions: not beyond a number that is
    still missing. Who goes on from there may hear something twice, but misses nothing."""
    reached = max(change.seq, before.after)
    return min([reached, *(gap - 1 for gap in behind.gaps if gap <= reached)])


def prune(tx: Tx) -> int:
    """Forget what is older than KEEP_MS; the newest row stays, since SQLite would give its number out again."""
    newest = _LATEST.scalar_subquery()
    gone = sa.delete(streams).where(streams.c.created_at < tx.ms - KEEP_MS, streams.c.seq < newest)
    return tx.conn.execute(gone).rowcount


# -- whom it concerns ------------------------------------------------------------------------------------------------


def concerned(tx: Tx, change: Change, channels: Collection[Channel]) -> list[tuple[Channel, int | None]]:
    """The channels on which a change is news, each with the id of the status to show there or to take away."""
    match change.kind:
        case "notification":
            return [
                (channel, None)
                for channel in channels
                if channel.account_id == change.account_id and channel.stream in ("user", "user:notification")
            ]
        case "filters_changed":
            own = [item for item in channels if item.account_id == change.account_id and item.stream == "user"]
            return [(channel, None) for channel in own]
        case "announcement" | "announcement.reaction" | "announcement.delete":
            return [(channel, None) for channel in channels if channel.stream == "user"]
        case "update" | "status.update":
            return _of_status(tx, change, channels)
        case "delete":
            return [(channel, change.status_id) for channel in _of_deleted(tx, change, channels)]
    return []


def _of_status(tx: Tx, change: Change, channels: Collection[Channel]) -> list[tuple[Channel, int | None]]:
    status = statuses.find(tx, change.status_id or 0)
    if status is None or status.deleted_at is not None:
        return []
    found = [
        *_at_home(tx, change, channels),
        *_in_public(tx, status, channels),
        *_in_lists(tx, change, status, channels),
        *_in_messages(tx, change, status, channels),
    ]
    return [(channel, _shown(status, channel)) for channel in _allowed(tx, status, found)]


def _shown(status: Status, channel: Channel) -> int:
    """The list of a group shows the posts themselves, everything else the boost."""
    is_group_list = channel.stream == "list" and channel.argument == str(status.account_id)
    return status.reblog_of_id if is_group_list and status.reblog_of_id is not None else status.id


_VIEWERS: sa.BindParameter[Any] = sa.bindparam("viewers", expanding=True)
_HOMES = {  # of what is new, and of what has changed
    is_new: sa.select(home.c.account_id).where(column == sa.bindparam("status"), home.c.account_id.in_(_VIEWERS))
    for is_new, column in ((True, home.c.entry_id), (False, home.c.status_id))
}
_MEDIA = sa.select(media.c.id).where(media.c.status_id == sa.bindparam("status")).limit(1)
_TAGS = sa.select(status_tags.c.name).where(status_tags.c.status_id == sa.bindparam("status"))
_FOLLOWERS = sa.select(follows.c.follower_id).where(
    follows.c.target_id == sa.bindparam("author"), follows.c.state == "accepted", follows.c.follower_id.in_(_VIEWERS)
)


def _at_home(tx: Tx, change: Change, channels: Collection[Channel]) -> list[Channel]:
    listening = {channel.account_id for channel in channels if channel.stream == "user"}
    if not listening:
        return []
    values = {"status": change.status_id, "viewers": sorted(listening)}
    holding = tx.conn.execute(_HOMES[change.kind == "update"], values).scalars()
    return [Channel(account_id, "user") for account_id in holding]


def _in_public(tx: Tx, status: Status, channels: Collection[Channel]) -> list[Channel]:
    if status.visibility != "public" or status.reblog_of_id is not None or status.created_at < tx.ms - FRESH_MS:
        return []
    of_all = [channel for channel in channels if channel.stream in PUBLIC]
    if status.in_reply_to_uri is not None and status.in_reply_to_account_id != status.account_id:
        of_all = []  # as in the timelines: answers to others stand in their threads, and under their hashtags
    tagged = ("hashtag", "hashtag:local") if status.local else ("hashtag",)
    of_tags = [channel for channel in channels if channel.stream in tagged]
    found: list[Channel] = []
    if of_all:
        names = {"public", "public:local" if status.local else "public:remote"}
        if tx.conn.execute(_MEDIA, {"status": status.id}).first() is not None:
            names |= {name + ":media" for name in names}
        found += [channel for channel in of_all if channel.stream in names]
    if of_tags:
        tags = set(tx.conn.execute(_TAGS, {"status": status.id}).scalars())
        found += [channel for channel in of_tags if channel.argument in tags]
    return _unlimited(tx, status, found) if found else []


def _unlimited(tx: Tx, status: Status, channels: list[Channel]) -> list[Channel]:
    """What is left of these channels when the author is limited: of those who follow, and of the author."""
    author = accounts_of.find(tx, status.account_id)
    if author is None or author.silenced_at is None:
        return channels
    viewers = {channel.account_id for channel in channels}
    followers = tx.conn.execute(_FOLLOWERS, {"author": author.id, "viewers": sorted(viewers)}).scalars()
    spared = {author.id, *followers}
    return [channel for channel in channels if channel.account_id in spared]


def _in_lists(tx: Tx, change: Change, status: Status, channels: Collection[Channel]) -> list[Channel]:
    group_id = status.account_id if change.kind == "update" else status.group_id
    found = []
    for channel in channels:
        if channel.stream == "list" and channel.argument.isdigit():
            list_id = int(channel.argument)
            is_there = _is_member if list_id == group_id else _is_in_own
            if is_there(tx, status, channel, list_id):
                found.append(channel)
    return found


def _in_messages(tx: Tx, change: Change, status: Status, channels: Collection[Channel]) -> list[Channel]:
    """A new direct message, to those between whom it passes."""
    if status.visibility != "direct" or change.kind != "update":
        return []
    parties = {status.account_id, *statuses.mentioned_ids(tx, status.id)}
    return [channel for channel in channels if channel.stream == "direct" and channel.account_id in parties]


def _is_member(tx: Tx, _status: Status, channel: Channel, group_id: int) -> bool:
    """Whether somebody has the virtual list of this group: what it announces, and later changes of that."""
    role = memberships.role_of(tx, group_id, channel.account_id)
    return role is not None and role != "outcast"


def _is_in_own(tx: Tx, status: Status, channel: Channel, list_id: int) -> bool:
    if tx.conn.execute(_LISTED, {"list": list_id, "author": status.account_id}).first() is None:
        return False
    around = Page(limit=1, max_id=status.id + 1, since_id=status.id - 1)
    try:
        return bool(timelines.list_(tx, channel.account_id, list_id, around))
    except NotFound:
        return False


def _allowed(tx: Tx, status: Status, found: list[Channel]) -> list[Channel]:
    """Without those who may not see the status, and those who do not want to see its authors."""
    if not found:
        return []
    original = statuses.find(tx, status.reblog_of_id) if status.reblog_of_id is not None else status
    if original is None or original.deleted_at is not None:
        return []
    viewers = {channel.account_id for channel in found}
    viewers -= _unwilling(tx, viewers, {status.account_id, original.account_id})
    needed = [status.id, original.id]
    if any(each.visibility not in ("public", "unlisted") for each in (status, original)):
        viewers = {viewer for viewer in viewers if statuses.visible_ids(tx, viewer, needed) == set(needed)}
    return [channel for channel in found if channel.account_id in viewers]


_AUTHORS: sa.BindParameter[Any] = sa.bindparam("authors", expanding=True)
_UNWILLING = sa.union(
    sa.select(blocks.c.account_id).where(blocks.c.account_id.in_(_VIEWERS), blocks.c.target_id.in_(_AUTHORS)),
    sa.select(blocks.c.target_id).where(blocks.c.target_id.in_(_VIEWERS), blocks.c.account_id.in_(_AUTHORS)),
    sa.select(mutes.c.account_id).where(
        mutes.c.account_id.in_(_VIEWERS),
        mutes.c.target_id.in_(_AUTHORS),
        sa.or_(mutes.c.expires_at.is_(None), mutes.c.expires_at > sa.bindparam("now")),
    ),
    sa.select(domain_blocks.c.account_id)
    .join(accounts, accounts.c.domain == domain_blocks.c.domain)
    .where(domain_blocks.c.account_id.in_(_VIEWERS), accounts.c.id.in_(_AUTHORS)),
)


def _unwilling(tx: Tx, viewers: set[int], authors: set[int]) -> set[int]:
    """Viewers who mute one of the authors, and those between whom and an author stands a block, of a domain too."""
    values = {"viewers": sorted(viewers), "authors": sorted(authors), "now": tx.ms}
    return set(tx.conn.execute(_UNWILLING, values).scalars())


def _of_deleted(tx: Tx, change: Change, channels: Collection[Channel]) -> list[Channel]:
    """Everybody who could see what is gone, and nobody else."""
    if change.account_id is not None:
        return [channel for channel in channels if _had(tx, change, channel)]
    status = statuses.find(tx, change.status_id or 0)
    if status is None:
        return []
    seeing = {
        account_id
        for account_id in {channel.account_id for channel in channels}
        if policy.may_see(Viewer(account_id), replace(statuses.facts(tx, status, account_id), deleted=False))
    }
    return [channel for channel in channels if channel.account_id in seeing and channel.stream != "user:notification"]


_COULD_READ = (
    sa.select(memberships_table.c.role)
    .join(group_posts, group_posts.c.group_id == memberships_table.c.group_id)
    .where(group_posts.c.status_id == sa.bindparam("status"), group_posts.c.group_id == sa.bindparam("group"))
    .where(memberships_table.c.account_id == sa.bindparam("viewer"), memberships_table.c.role.in_(sorted(MEMBERS)))
    .where(sa.or_(memberships_table.c.reads_from.is_(None), memberships_table.c.reads_from <= group_posts.c.created_at))
)


def _had(tx: Tx, change: Change, channel: Channel) -> bool:
    """Whether this is the home that something is gone from, or the list of the group, of a member who could read it."""
    if channel.stream == "user":
        return channel.account_id == change.account_id
    values = {"status": change.status_id, "group": change.account_id, "viewer": channel.account_id}
    is_list = channel.stream == "list" and channel.argument == str(change.account_id)
    return is_list and tx.conn.execute(_COULD_READ, values).first() is not None
