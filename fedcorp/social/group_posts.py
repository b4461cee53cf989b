"""Statuses in groups: taken, held, refused, removed, locked, pinned. The group's server decides; others keep copies.

Who may decide: `fedcorp.social.stewardship`. What a member sees follows from the state: of a post in a group that only
members read, everybody but the author sees what was distributed, and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import sqlalchemy as sa

from fedcorp.errors import Forbidden
from fedcorp.social import accounts, groups, interactions, memberships, policy, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import GroupPosted, GroupRelays, PostJudged
from fedcorp.social.groups import Group
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import group_posts
from fedcorp.storage.tables import statuses as statuses_table
from fedcorp.storage.upsert import insert_ignore

STATES = ("pending", "held", "distributed", "rejected", "removed")
MOST_GROUPS = 3  # one post goes to at most so many groups
MAX_PINS = 5


@dataclass(slots=True)
class GroupPost:
    """One row of `group_posts`: what became of a status in a group. Times are ms."""

    group_id: int
    status_id: int
    state: str
    reason: str
    locked_at: int | None
    pinned_at: int | None
    created_at: int


_COLUMNS = [group_posts.c[item.name] for item in fields(GroupPost)]
_SELECT = sa.select(*_COLUMNS)
_ONE = _SELECT.where(group_posts.c.group_id == sa.bindparam("group"), group_posts.c.status_id == sa.bindparam("status"))
_OF_STATUSES = _SELECT.where(group_posts.c.status_id.in_(sa.bindparam("ids", expanding=True)))
_HELD = (
    sa.select(group_posts.c.status_id)
    .where(group_posts.c.group_id == sa.bindparam("group"), group_posts.c.state == sa.literal_column("'held'"))
    .order_by(group_posts.c.status_id)
)
_PINNED = (
    sa.select(group_posts.c.status_id)
    .where(group_posts.c.group_id == sa.bindparam("group"), group_posts.c.pinned_at.is_not(None))
    .where(group_posts.c.state == "distributed")
    .order_by(group_posts.c.pinned_at.desc())
)
_ROOT = sa.select(statuses_table.c.thread_id).where(statuses_table.c.id == sa.bindparam("status"))


def find(tx: Tx, group_id: int, status_id: int) -> GroupPost | None:
    """What became of a status in a group."""
    row = tx.conn.execute(_ONE, {"group": group_id, "status": status_id}).first()
    return GroupPost(*row) if row else None


def of_statuses(tx: Tx, ids: list[int]) -> dict[int, list[GroupPost]]:
    """What became of these statuses, in every group they were written to."""
    found: dict[int, list[GroupPost]] = {}
    for row in tx.conn.execute(_OF_STATUSES, {"ids": ids}) if ids else ():
        found.setdefault(row.status_id, []).append(GroupPost(*row))
    return found


def held(tx: Tx, group_id: int) -> list[int]:
    """Ids of the statuses that wait for a moderator, oldest first."""
    return list(tx.conn.execute(_HELD, {"group": group_id}).scalars())


def pinned(tx: Tx, group_id: int) -> list[int]:
    """Ids of the statuses that the group shows first, latest pin first."""
    return list(tx.conn.execute(_PINNED, {"group": group_id}).scalars())


def is_written_to(tx: Tx, group_id: int, status: Status) -> bool:
    """Whether a group may show a status as its own: one for members only was addressed to it, others to everybody."""
    if status.visibility != policy.GROUP or group_id == status.group_id:
        return True
    return group_id in statuses.mentioned_ids(tx, status.id) or find(tx, group_id, status.id) is not None


def is_locked(tx: Tx, group_id: int, status_id: int) -> bool:
    """Whether the thread of this status takes no more answers in the group."""
    root = tx.conn.execute(_ROOT, {"status": status_id}).scalar()
    found = find(tx, group_id, root) if root is not None else None
    return found is not None and found.locked_at is not None


def note_state(tx: Tx, group_id: int, status_id: int, state: str, reason: str = "", *, at: int | None = None) -> None:
    """Write down how a status stands in a group, since `at` (ms; None: now). A pending one is only ever new.

    Members read along from the moment they joined, so what waited counts from when it was passed on, and what was
    passed on and taken out from when it was first.
    """
    status = statuses.find(tx, status_id)
    was_counted = status is not None and statuses.is_counted_reply(tx, status)
    _write_state(tx, group_id, status_id, state, reason, tx.ms if at is None else at)
    if status is not None and status.in_reply_to_id is not None:
        change = statuses.is_counted_reply(tx, status) - was_counted
        if change:
            statuses.change_count(tx, status.in_reply_to_id, "replies_count", change)


def _write_state(tx: Tx, group_id: int, status_id: int, state: str, reason: str, since: int) -> None:
    values = {"group_id": group_id, "status_id": status_id, "state": state, "reason": reason, "created_at": since}
    if insert_ignore(tx, group_posts, **values) or state == "pending":
        return
    mine = sa.and_(group_posts.c.group_id == group_id, group_posts.c.status_id == status_id)
    waited = group_posts.c.state.in_(("pending", "held"))
    created_at = sa.case((waited, since), else_=group_posts.c.created_at)
    changed = {"state": state, "reason": reason, "created_at": created_at}
    tx.conn.execute(sa.update(group_posts).where(mine).values(**changed))


def note_taken(tx: Tx, account: Account, status: Status) -> None:
    """A group elsewhere shows a post of ours among its own, and has not told us that it took it."""
    known = find(tx, account.id, status.id)
    if known is None or known.state != "pending" or status.deleted_at is not None:
        return
    note_state(tx, account.id, status.id, "distributed", at=status.created_at)
    own_thread(tx, account, status)
    uri = f"{account.uri}#announce-{status.id}"
    interactions.reblog(tx, account, status, visibility=status.visibility, uri=uri, at=status.created_at)


# -- at the group's own server ---------------------------------------------------------------------------------------


def submit(tx: Tx, account: Account, status: Status, author: Account) -> None:
    """A status was written to a local group: take it, keep it for a moderator, or refuse it with a reason."""
    group = groups.find(tx, account.id)
    if group is None or find(tx, account.id, status.id) is not None:
        return
    role = memberships.role_of(tx, account.id, author.id)
    reason = _reason_against(tx, group, role, status)
    if reason:
        note_state(tx, account.id, status.id, "rejected", reason)
        tx.record(PostJudged(account.id, status.id, "rejected", reason=reason))
    elif group.premoderated and not policy.may_moderate(role):
        note_state(tx, account.id, status.id, "held")
        tx.record(PostJudged(account.id, status.id, "held"))
    else:
        distribute(tx, account, status)


def _reason_against(tx: Tx, group: Group, role: str | None, status: Status) -> str:
    if group.archived_at is not None:
        return "This group is archived."
    if not policy.may_post_in_group(group.posting, role):
        return "Only moderators post here." if group.posting == "moderators" else "Only members post here."
    answered = answered_id(tx, status)
    if answered is not None and is_locked(tx, group.account_id, answered):
        return "This thread is locked."
    return ""


def answered_id(tx: Tx, status: Status) -> int | None:
    """The status that another one answers, also by the address under which the group had said it to others."""
    if status.in_reply_to_id is not None or status.in_reply_to_uri is None:
        return status.in_reply_to_id
    return tx.site.urls.find_relayed_id(status.in_reply_to_uri)


def check_may_post(tx: Tx, account: Account, group: Group, parent: Status | None, author: Account) -> None:
    """Raises Forbidden, with what to do, when a person here may not write to this group, wherever it lives."""
    role = memberships.role_of(tx, account.id, author.id)
    if group.archived_at is not None:
        raise Forbidden(f"@{account.acct} is archived: it can be read, but nobody posts there any more.")
    answers = parent is not None and parent.group_id == account.id
    may_answer = answers and role != "outcast" and _lets_everybody_answer(account, group)
    if not policy.may_post_in_group(group.posting, role) and not may_answer:
        if group.posting == "moderators":
            raise Forbidden(f"Only moderators may post in @{account.acct}.")
        raise Forbidden(f"Only members may post in @{account.acct}; follow the group to join it.")
    if parent is not None and answers and is_locked(tx, account.id, parent.id):
        raise Forbidden("This thread is locked; nobody answers in it any more.")


def _lets_everybody_answer(account: Account, group: Group) -> bool:
    """Where other software says that only moderators post (FEP-1b12), it means what begins a thread: a blog of
    WordPress and a channel of PeerTube are such groups, and everybody comments there. With a ledger it means all posts.
    """
    return not account.local and group.ledger_uri is None and group.posting == "moderators"


def distribute(tx: Tx, account: Account, status: Status) -> None:
    """The group passes a status on to its members; one that only its author's followers may read, in its own words."""
    note_state(tx, account.id, status.id, "distributed")
    if status.visibility == "private":
        tx.record(GroupRelays(account.id, status.id))
        return
    if status.group_id is None:
        tx.conn.execute(sa.update(statuses_table).where(statuses_table.c.id == status.id).values(group_id=account.id))
    wrapper = interactions.reblog(tx, account, status, visibility=status.visibility, at=status.created_at)
    tx.record(GroupPosted(account.id, status.id, wrapper.id))


# -- decisions, at the group's own server and at those of members ----------------------------------------------------


def judge(
    tx: Tx,
    account: Account,
    status: Status,
    verdict: str,
    *,
    actor_id: int | None = None,
    reason: str = "",
    act_uri: str | None = None,
) -> bool:
    """Carry out what a group decided on a status; says whether anything changed. Every verdict may be repeated.

    `accepted` and `restored` distribute it (at the group's own server), `rejected` and `removed` take it out,
    `locked`, `unlocked`, `pinned` and `unpinned` speak for themselves.
    """
    changed = _VERDICTS[verdict](tx, account, status, reason)
    if changed:
        tx.record(PostJudged(account.id, status.id, verdict, actor_id, reason, act_uri))
    return changed


_Verdict = Callable[[Tx, Account, Status, str], bool]


def _take_out(state: str, tx: Tx, account: Account, status: Status, reason: str) -> bool:
    known = find(tx, account.id, status.id)
    if known is not None and known.state == state:
        return False
    note_state(tx, account.id, status.id, state, reason)
    interactions.unreblog(tx, account, status.id)
    return True


def _reject(tx: Tx, account: Account, status: Status, reason: str) -> bool:
    return _take_out("rejected", tx, account, status, reason)


def _remove(tx: Tx, account: Account, status: Status, reason: str) -> bool:
    return _take_out("removed", tx, account, status, reason)


def _accept(tx: Tx, account: Account, status: Status, _reason: str) -> bool:
    known = find(tx, account.id, status.id)
    if known is not None and known.state == "distributed":
        return False
    if account.local:
        distribute(tx, account, status)
    else:
        note_state(tx, account.id, status.id, "distributed")
    return True


def _mark(name: str, value: bool) -> _Verdict:
    def mark(tx: Tx, account: Account, status: Status, _reason: str) -> bool:
        status_id = status.thread_id if name == "locked_at" else status.id
        if find(tx, account.id, status_id) is None:  # a lock or pin opens nothing that the group did not pass on
            note_state(tx, account.id, status_id, "pending")
        mine = sa.and_(group_posts.c.group_id == account.id, group_posts.c.status_id == status_id)
        column = group_posts.c[name]
        wanted = column.is_(None) if value else column.is_not(None)
        return bool(
            tx.conn.execute(
                sa.update(group_posts).where(mine, wanted).values({name: tx.ms if value else None})
            ).rowcount
        )

    return mark


_VERDICTS: dict[str, _Verdict] = {
    "accepted": _accept,
    "restored": _accept,
    "rejected": _reject,
    "removed": _remove,
    "locked": _mark("locked_at", True),
    "unlocked": _mark("locked_at", False),
    "pinned": _mark("pinned_at", True),
    "unpinned": _mark("pinned_at", False),
}


_OWN = (
    sa.update(statuses_table)
    .where(
        statuses_table.c.thread_id == sa.bindparam("thread"),
        statuses_table.c.group_id.is_(None),
        statuses_table.c.reblog_of_id.is_(None),
        statuses_table.c.visibility.in_(("public", "unlisted")),
    )
    .values(group_id=sa.bindparam("group"))
)


def own_thread(tx: Tx, account: Account, status: Status) -> None:
    """The group passes a status on: it governs the thread from now on, unless another group does already.

    Answers then go to the group as well, which is the only one who passes them on.
    """
    tx.conn.execute(_OWN, {"thread": status.thread_id, "group": account.id})


_STANDING = (
    sa.select(group_posts.c.status_id)
    .join(statuses_table, statuses_table.c.id == group_posts.c.status_id)
    .where(group_posts.c.group_id == sa.bindparam("group"), group_posts.c.state == "distributed")
    .where(statuses_table.c.thread_id == sa.bindparam("thread"))
    .order_by(group_posts.c.status_id)
)
_DISOWN = (
    sa.update(statuses_table)
    .where(statuses_table.c.thread_id == sa.bindparam("thread"), statuses_table.c.group_id == sa.bindparam("group"))
    .where(statuses_table.c.visibility.in_(("public", "unlisted")))
    .values(group_id=None)
)


def let_go(tx: Tx, account: Account, root: Status) -> None:
    """A group elsewhere no longer shows a thread, whose answers leave it as well. Another one that shows it governs it
    from now on.
    """
    standing = list(tx.conn.execute(_STANDING, {"group": account.id, "thread": root.thread_id}).scalars())
    for status_id in standing:
        note_state(tx, account.id, status_id, "removed")
        interactions.unreblog(tx, account, status_id)
    tx.conn.execute(_DISOWN, {"thread": root.thread_id, "group": account.id})
    for other in groups_of(tx, root):
        own_thread(tx, other, root)


def groups_of(tx: Tx, status: Status) -> list[Account]:
    """The groups that a status stands in, where it was distributed."""
    ids = [item.group_id for item in of_statuses(tx, [status.id]).get(status.id, []) if item.state == "distributed"]
    return list(accounts.find_many(tx, ids).values())


def count(tx: Tx, group_id: int) -> int:
    """How many statuses a group has distributed."""
    statement = sa.select(sa.func.count()).where(
        group_posts.c.group_id == group_id, group_posts.c.state == "distributed"
    )
    found: int = tx.conn.execute(statement).scalar_one()
    return found
