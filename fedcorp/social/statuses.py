"""Statuses as rows: find them, decide who may see them, walk their threads, take them away.

Made by people here: `fedcorp.social.publishing`; taken from other servers: `receiving`; reacted to: `interactions`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from fedcorp import ids
from fedcorp.errors import NotFound
from fedcorp.social import accounts, policy
from fedcorp.social.accounts import Account
from fedcorp.social.events import StatusDeleted
from fedcorp.social.text import normalise_tag
from fedcorp.social.visibility import domain_blocked, limited, visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import (
    affiliations,
    blocks,
    follows,
    group_posts,
    groups,
    interaction_policies,
    memberships,
    mentions,
    status_cards,
    status_edits,
    status_tags,
    statuses,
    tombstones,
)
from fedcorp.storage.upsert import insert_ignore

ANCESTORS, DESCENDANTS = 40, 200
MAX_TAGS = 30


@dataclass(slots=True)
class Status:
    """One row of `statuses`; a reblog has `reblog_of_id` and no content of its own. Times are ms."""

    id: int
    uri: str
    url: str | None
    origin: str
    local: bool
    account_id: int
    reblog_of_id: int | None
    in_reply_to_id: int | None
    in_reply_to_account_id: int | None
    in_reply_to_uri: str | None
    thread_id: int
    context_uri: str | None
    group_id: int | None
    visibility: str
    reach: str
    content: str
    text: str
    spoiler_text: str
    sensitive: bool
    language: str | None
    poll_id: int | None
    application_id: int | None
    quoted_id: int | None
    quote_state: str | None
    quote_policy: str
    created_at: int
    edited_at: int | None
    deleted_at: int | None
    pinned_at: int | None
    version: int
    replies_count: int
    reblogs_count: int
    favourites_count: int
    quotes_count: int
    reblogs_elsewhere: int = 0
    favourites_elsewhere: int = 0
    counted_at: int | None = None


_COLUMNS = [statuses.c[item.name] for item in fields(Status)]
_SELECT = sa.select(*_COLUMNS)
_BY_ID = _SELECT.where(statuses.c.id == sa.bindparam("id"))
_AUTHOR_OF = sa.select(statuses.c.account_id).where(statuses.c.id == sa.bindparam("id"))
_BY_IDS = _SELECT.where(statuses.c.id.in_(sa.bindparam("ids", expanding=True)))
_BY_URI = _SELECT.where(statuses.c.uri == sa.bindparam("uri"))
_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)
_AUTHOR = sa.bindparam("author", type_=sa.BigInteger)
_AMONG = sa.select(statuses.c.id).where(statuses.c.id.in_(sa.bindparam("ids", expanding=True)))
_VISIBLE_AMONG = _AMONG.where(visible(statuses, _VIEWER))
_OPEN_AMONG = _AMONG.where(visible(statuses, None))
_FOLLOWING = sa.select(follows.c.id).where(
    follows.c.follower_id == _VIEWER, follows.c.target_id == _AUTHOR, follows.c.state == "accepted"
)
_NAMED = sa.select(mentions.c.status_id).where(
    mentions.c.status_id == sa.bindparam("status", type_=sa.BigInteger), mentions.c.account_id == _VIEWER
)
_BLOCKED = sa.union_all(
    sa.select(blocks.c.id).where(
        sa.or_(
            sa.and_(blocks.c.account_id == _VIEWER, blocks.c.target_id == _AUTHOR),
            sa.and_(blocks.c.account_id == _AUTHOR, blocks.c.target_id == _VIEWER),
        )
    ),
    sa.select(accounts_table.c.id).where(accounts_table.c.id == _AUTHOR, domain_blocked(accounts_table.c.id, _VIEWER)),
)
_TAKEN = sa.select(statuses.c.id).where(statuses.c.id == sa.bindparam("id"))
_TAGS = sa.select(status_tags.c.shown).where(status_tags.c.status_id == sa.bindparam("id"))
_MENTIONS = sa.select(mentions.c.account_id, mentions.c.silent).where(mentions.c.status_id == sa.bindparam("id"))


def find(tx: Tx, id_: int) -> Status | None:
    """The status with this id, also the empty shell of a deleted one."""
    return tx.once("statuses", id_, lambda: _find(tx, id_))


def _find(tx: Tx, id_: int) -> Status | None:
    row = tx.conn.execute(_BY_ID, {"id": id_}).first()
    return Status(*row) if row else None


def author_id(tx: Tx, id_: int) -> int | None:
    """The id of the account that wrote a status, also of a deleted one."""
    found: int | None = tx.conn.execute(_AUTHOR_OF, {"id": id_}).scalar()
    return found


def get(tx: Tx, id_: int) -> Status:
    """The status with this id that was not deleted, whoever asks. Raises NotFound."""
    status = find(tx, id_)
    if status is None or status.deleted_at is not None:
        raise NotFound
    return status


def find_many(tx: Tx, wanted: "set[int] | list[int]") -> dict[int, Status]:
    """Statuses by id; those that do not exist are left out."""
    if not wanted:
        return {}
    return {row[0]: Status(*row) for row in tx.conn.execute(_BY_IDS, {"ids": list(wanted)})}


def find_by_uri(tx: Tx, uri: str) -> Status | None:
    """The status or reblog with this ActivityStreams id."""
    row = tx.conn.execute(_BY_URI, {"uri": uri}).first()
    return Status(*row) if row else None


def facts(tx: Tx, status: Status, viewer_id: int | None) -> policy.Facts:
    """What `policy.may_see` must know of this status and viewer."""
    author = accounts.find(tx, status.account_id)
    base = {
        "author_id": status.account_id,
        "visibility": status.visibility,
        "reach": status.reach,
        "deleted": status.deleted_at is not None,
        "author_hidden": author is None or author.hidden,
    }
    if viewer_id is None or viewer_id == status.account_id:
        return policy.Facts(**base)  # type: ignore[arg-type]
    given = {"viewer": viewer_id, "author": status.account_id, "status": status.id}
    return policy.Facts(
        **base,  # type: ignore[arg-type]
        follows_author=tx.conn.execute(_FOLLOWING, given).first() is not None,
        mentioned=tx.conn.execute(_NAMED, given).first() is not None,
        blocked=tx.conn.execute(_BLOCKED, given).first() is not None,
        member=status.visibility == policy.GROUP and _is_member(tx, status, viewer_id),
        asked=status.visibility == policy.WAITING and viewer_id == asked_id(tx, status),
    )


def asked_id(tx: Tx, status: Status) -> int | None:
    """Whose leave an answer or a boost may need: the author of what it answers or shows."""
    if status.reblog_of_id is not None:
        return author_id(tx, status.reblog_of_id)
    return status.in_reply_to_account_id


_MEMBER = (
    sa.select(group_posts.c.group_id)
    .join(memberships, memberships.c.group_id == group_posts.c.group_id)
    .where(group_posts.c.status_id == sa.bindparam("status"), group_posts.c.state == "distributed")
    .where(memberships.c.account_id == sa.bindparam("viewer"), memberships.c.role.in_(sorted(policy.MEMBERS)))
    .where(sa.or_(memberships.c.reads_from.is_(None), memberships.c.reads_from <= group_posts.c.created_at))
    .limit(1)
)
_MEMBER_ELSEWHERE = (  # of people of other servers in groups of others only the copy of the ledger knows
    sa.select(group_posts.c.group_id)
    .join(groups, groups.c.account_id == group_posts.c.group_id)
    .join(affiliations, affiliations.c.group_id == group_posts.c.group_id)
    .join(accounts_table, accounts_table.c.uri == affiliations.c.subject_uri)
    .where(group_posts.c.status_id == sa.bindparam("status"), group_posts.c.state == "distributed")
    .where(accounts_table.c.id == sa.bindparam("viewer"), affiliations.c.role.in_(sorted(policy.MEMBERS)))
    .where(sa.or_(groups.c.history != "joined", affiliations.c.since_at <= group_posts.c.created_at))
    .limit(1)
)


def _is_member(tx: Tx, status: Status, viewer_id: int) -> bool:
    """Whether the viewer belongs to a group that passed this status on, since a time that lets them read it."""
    shown = status.reblog_of_id if status.reblog_of_id is not None else status.id
    values = {"status": shown, "viewer": viewer_id}
    return any(tx.conn.execute(known, values).first() is not None for known in (_MEMBER, _MEMBER_ELSEWHERE))


def get_visible(tx: Tx, viewer_id: int | None, id_: int) -> Status:
    """The status that this viewer may see; of a reblog also what it shows. Raises NotFound otherwise."""
    status = find(tx, id_)
    if status is None or not policy.may_see(policy.Viewer(viewer_id), facts(tx, status, viewer_id)):
        raise NotFound
    if status.reblog_of_id is not None:
        get_visible(tx, viewer_id, status.reblog_of_id)
    return status


def get_original(tx: Tx, viewer_id: int | None, id_: int) -> Status:
    """Like `get_visible`, but of a reblog what it shows: reactions belong to the original. Raises NotFound."""
    status = get_visible(tx, viewer_id, id_)
    return get_visible(tx, viewer_id, status.reblog_of_id) if status.reblog_of_id is not None else status


def get_own(tx: Tx, account_id: int, id_: int) -> Status:
    """A status of this author. Raises NotFound, also for what belongs to others."""
    status = get_visible(tx, account_id, id_)
    if status.account_id != account_id:
        raise NotFound
    return status


def visible_ids(tx: Tx, viewer_id: int | None, wanted: list[int]) -> set[int]:
    """Which of these ids the viewer may see."""
    if not wanted:
        return set()
    statement = _OPEN_AMONG if viewer_id is None else _VISIBLE_AMONG
    return set(tx.conn.gather(statement, {"viewer": viewer_id, "ids": wanted}, itemgetter(0)))


def context(tx: Tx, viewer_id: int | None, status: Status) -> tuple[list[int], list[int]]:
    """(ancestors from the root down, descendants in thread order) that the viewer may see."""
    ancestors: list[int] = []
    parent_id = status.in_reply_to_id
    while parent_id is not None and len(ancestors) < ANCESTORS and parent_id not in ancestors:
        ancestors.append(parent_id)
        parent = find(tx, parent_id)
        parent_id = parent.in_reply_to_id if parent else None
    descendants = _descendants(tx, status)
    allowed = _in_thread(tx, viewer_id, ancestors + descendants)
    return [id_ for id_ in reversed(ancestors) if id_ in allowed], [id_ for id_ in descendants if id_ in allowed]


def _in_thread(tx: Tx, viewer_id: int | None, wanted: list[int]) -> set[int]:
    """Those of these statuses that a thread shows the viewer: what they may see, but of limited authors."""
    allowed = visible_ids(tx, viewer_id, wanted)
    if not allowed:
        return set()
    statement = sa.select(statuses.c.id).where(statuses.c.id.in_(allowed), limited(statuses.c.account_id, viewer_id))
    return allowed - set(tx.conn.execute(statement).scalars())


def _descendants(tx: Tx, status: Status) -> list[int]:
    """Depth first, siblings by id, as Mastodon shows a thread."""
    rows = tx.conn.execute(
        sa.select(statuses.c.id, statuses.c.in_reply_to_id)
        .where(statuses.c.thread_id == status.thread_id, statuses.c.in_reply_to_id.is_not(None))
        .order_by(statuses.c.id)
        .limit(5000)
    )
    children: dict[int, list[int]] = {}
    for id_, parent_id in rows:
        children.setdefault(parent_id, []).append(id_)
    found: list[int] = []
    waiting, seen = list(reversed(children.get(status.id, []))), {status.id}
    while waiting and len(found) < DESCENDANTS:
        id_ = waiting.pop()
        if id_ not in seen:
            seen.add(id_)
            found.append(id_)
            waiting.extend(reversed(children.get(id_, [])))
    return found


def mentions_of(tx: Tx, status_id: int) -> Sequence[tuple[int, bool]]:
    """Accounts that a status is addressed to by name, each with whether it is not named in the text."""
    return tx.once("mentions", status_id, lambda: tx.conn.execute(_MENTIONS, {"id": status_id}).all())


def mentioned_ids(tx: Tx, status_id: int, *, silent: bool = True) -> list[int]:
    """Accounts that a status is addressed to by name; with `silent` also those not named in the text."""
    return [account_id for account_id, is_silent in mentions_of(tx, status_id) if silent or not is_silent]


def tags_of(tx: Tx, status_id: int) -> list[str]:
    """Hashtags as they were written."""
    return list(tx.conn.execute(_TAGS, {"id": status_id}).scalars())


# -- for those that make and change statuses -------------------------------------------------------------------------


_LAST_AT = sa.select(sa.func.max(statuses.c.id)).where(
    statuses.c.id >= sa.bindparam("first"), statuses.c.id < sa.bindparam("end")
)


def id_at(tx: Tx, ms: int) -> int:
    """A free id at a given time, for statuses whose time somebody else chose; those of one moment keep their order."""
    last = tx.conn.execute(_LAST_AT, {"first": ids.first_at(ms), "end": ids.first_at(ms + 1)}).scalar()
    if last is None:
        return ids.scattered(ms, tx.clock.random_bits(22))
    id_ = ids.behind(last, tx.clock.random_bits(12))
    while id_ is None:  # that moment is full at its end: one of the gaps
        id_ = ids.scattered(ms, tx.clock.random_bits(22))
        if tx.conn.execute(_TAKEN, {"id": id_}).first() is not None:
            id_ = None
    return id_


_INSERT = sa.insert(statuses).returning(*_COLUMNS)
_NO_TAGS = sa.delete(status_tags).where(status_tags.c.status_id == sa.bindparam("of"))
_NO_MENTIONS = sa.delete(mentions).where(mentions.c.status_id == sa.bindparam("of"))


def _recount(name: str) -> Any:
    raised = statuses.c[name] + sa.bindparam("by")
    return (
        sa.update(statuses)
        .where(statuses.c.id == sa.bindparam("of"))
        .values({name: sa.case((raised < 0, 0), else_=raised)})
    )


_RECOUNT = {name: _recount(name) for name in (
    "replies_count", "reblogs_count", "favourites_count", "quotes_count", "reactions_count",
)}  # fmt: skip


def insert(tx: Tx, **values: Any) -> Status:
    """Insert a row, link it into its thread and count it."""
    (row,) = tx.conn.execute(_INSERT, values).all()
    status = Status(*row)
    if policy.is_counted(status.visibility):
        accounts.count_statuses(tx, status.account_id, 1, status.created_at)
    if status.in_reply_to_id is not None and is_counted_reply(tx, status):
        change_count(tx, status.in_reply_to_id, "replies_count", 1)
    return status


_DISTRIBUTED = sa.select(group_posts.c.group_id).where(
    group_posts.c.status_id == sa.bindparam("id"), group_posts.c.state == "distributed"
)


def is_counted_reply(tx: Tx, status: Status) -> bool:
    """Whether those who see what a status answers may know of it: one that fewer people see is not counted there, nor
    is one that its group has not passed on."""
    parent = find(tx, status.in_reply_to_id) if status.in_reply_to_id is not None else None
    if parent is None or status.deleted_at is not None:
        return False
    if status.visibility == policy.GROUP:
        return (
            parent.visibility == policy.GROUP and tx.conn.execute(_DISTRIBUTED, {"id": status.id}).first() is not None
        )
    return status.visibility in ("public", "unlisted") or status.visibility == parent.visibility


def is_counted_quote(tx: Tx, status: Status) -> bool:
    """Whether those who see what a status quotes may know of it, as with answers; only quotes with consent count."""
    if status.quote_state != "accepted" or status.quoted_id is None or status.deleted_at is not None:
        return False
    if status.visibility in ("public", "unlisted"):
        return True
    quoted = find(tx, status.quoted_id) if status.visibility == "private" else None
    return quoted is not None and quoted.visibility == "private"


def change_count(tx: Tx, status_id: int, name: str, change: int) -> None:
    """Raise or lower one of the four counts of a status."""
    tx.conn.execute(_RECOUNT[name], {"of": status_id, "by": change})


def change_visibility(tx: Tx, status: Status, visibility: str) -> Status:
    """Show a status to others than until now, and keep the counts of its author, of what it answers and quotes."""
    changed = replace(status, visibility=visibility, version=status.version + 1)
    values = {"visibility": visibility, "version": changed.version}
    tx.conn.execute(sa.update(statuses).where(statuses.c.id == status.id).values(values))
    counted = policy.is_counted(visibility) - policy.is_counted(status.visibility)
    if counted:
        accounts.count_statuses(tx, status.account_id, counted, status.created_at if counted > 0 else None)
    answers = is_counted_reply(tx, changed) - is_counted_reply(tx, status)
    if answers and status.in_reply_to_id is not None:
        change_count(tx, status.in_reply_to_id, "replies_count", answers)
    quotes = is_counted_quote(tx, changed) - is_counted_quote(tx, status)
    if quotes and status.quoted_id is not None:
        change_count(tx, status.quoted_id, "quotes_count", quotes)
    return changed


def write_tags(tx: Tx, status_id: int, shown: list[str]) -> None:
    """Replace the hashtags of a status; of two that are one tag, the first is shown."""
    tx.conn.execute(_NO_TAGS, {"of": status_id})
    add_tags(tx, status_id, shown)


def add_tags(tx: Tx, status_id: int, shown: list[str]) -> None:
    """Write the hashtags of a new status."""
    for tag in shown[:MAX_TAGS]:
        if name := normalise_tag(tag):
            insert_ignore(tx, status_tags, name=name, status_id=status_id, shown=tag)


def tag_names(shown: Iterable[str]) -> set[str]:
    """What these hashtags are, however they are written, as far as they are kept."""
    return {name for tag in list(shown)[:MAX_TAGS] if (name := normalise_tag(tag))}


def write_mentions(tx: Tx, status_id: int, named: "list[tuple[int, bool]]") -> None:
    """Replace who is addressed: (account id, silent)."""
    tx.conn.execute(_NO_MENTIONS, {"of": status_id})
    add_mentions(tx, status_id, named)


def add_mentions(tx: Tx, status_id: int, named: "list[tuple[int, bool]]") -> None:
    """Write who is addressed by a new status."""
    for account_id, silent in named[:100]:
        insert_ignore(tx, mentions, status_id=status_id, account_id=account_id, silent=silent)


def name_more(tx: Tx, status_id: int, named: "list[tuple[int, bool]]") -> None:
    """Add to whom a status addresses: people who were not known here when it came."""
    if named:
        add_mentions(tx, status_id, named)
        tx.conn.execute(sa.update(statuses).where(statuses.c.id == status_id).values(version=statuses.c.version + 1))


def keep_edit(tx: Tx, status: Status, *, media: str, poll: str) -> None:
    """Put the present version aside before it is changed; `media` and `poll` are JSON."""
    tx.conn.execute(
        sa.insert(status_edits).values(
            id=tx.new_id(), status_id=status.id, content=status.content, text=status.text,
            spoiler_text=status.spoiler_text, sensitive=status.sensitive, media=media, poll=poll,
            created_at=status.edited_at or status.created_at,
        )
    )  # fmt: skip


def history(tx: Tx, status_id: int) -> list[Any]:
    """Earlier versions, oldest first: rows of `status_edits`."""
    statement = sa.select(status_edits).where(status_edits.c.status_id == status_id).order_by(status_edits.c.id)
    return list(tx.conn.execute(statement))


def delete(tx: Tx, account: Account, id_: int) -> Status:
    """The author takes a status away. Returns it as it was. Raises NotFound."""
    status = get_own(tx, account.id, id_)
    remove(tx, status, account.uri)
    return status


PARTS = (status_edits, status_tags, status_cards, interaction_policies)
"""Tables of what a status has of its own and nobody needs without it."""
_BOOSTS = sa.select(statuses.c.account_id, statuses.c.visibility).where(
    statuses.c.reblog_of_id == sa.bindparam("of"), statuses.c.deleted_at.is_(None)
)


def remove(tx: Tx, status: Status, owner_uri: str) -> None:
    """Empty a status and everything that repeats it; its uri stays known as deleted."""
    was_counted, was_counted_quote = is_counted_reply(tx, status), is_counted_quote(tx, status)
    for booster_id, visibility in tx.conn.execute(_BOOSTS, {"of": status.id}).all():
        if policy.is_counted(visibility):
            accounts.count_statuses(tx, booster_id, -1)
    tx.conn.execute(
        sa.update(statuses)
        .where(sa.or_(statuses.c.id == status.id, statuses.c.reblog_of_id == status.id))
        .where(statuses.c.deleted_at.is_(None))
        .values(deleted_at=tx.ms, content="", text="", spoiler_text="", version=statuses.c.version + 1)
    )
    for part in PARTS:
        tx.conn.execute(sa.delete(part).where(part.c.status_id == status.id))
    insert_ignore(tx, tombstones, uri=status.uri, owner_uri=owner_uri, former_type="Note", deleted_at=tx.ms)
    if policy.is_counted(status.visibility):
        accounts.count_statuses(tx, status.account_id, -1)
    if status.in_reply_to_id is not None and was_counted:
        change_count(tx, status.in_reply_to_id, "replies_count", -1)
    if status.quoted_id is not None and was_counted_quote:
        change_count(tx, status.quoted_id, "quotes_count", -1)
    tx.record(StatusDeleted(status.id))
