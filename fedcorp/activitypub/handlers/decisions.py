"""What was decided in groups of other makes (Lemmy, PieFed, Mbin): a moderator's activity, announced by the group.

Such groups keep no ledger. The group speaks for its own decisions, so nothing is asked of the moderator's server. Each
counts in that group alone: a post that was taken out of it stays its author's. What the group says of itself is read at
its own address, since such servers pass on word for word what a moderator elsewhere wrote. Whether an activity is a
decision at all is told here; everything else is for `groups`.

Sources: FEP-1b12; Lemmy's federation documents and source (removal, lock, featured posts, moderators, bans).
"""

from typing import Any

import sqlalchemy as sa

from fedcorp.activitypub.documents import Activity, origin
from fedcorp.activitypub.handlers.parties import IGNORED, PROCESSED, field_uri, find_status
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.resolve import store_actor
from fedcorp.activitypub.vocabulary import first_string, ids_of, parse_time, types_of
from fedcorp.clock import to_ms
from fedcorp.social import accounts, follows, group_posts, groups, interactions, memberships, statuses, wishes
from fedcorp.social.accounts import Account
from fedcorp.social.memberships import Affiliation
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import group_posts as group_posts_table
from fedcorp.storage.tables import statuses as statuses_table

MAX_REMOVED = 1000  # posts that go with a ban

_POSTS_OF = (
    sa.select(group_posts_table.c.status_id)
    .join(statuses_table, statuses_table.c.id == group_posts_table.c.status_id)
    .where(group_posts_table.c.group_id == sa.bindparam("group"), group_posts_table.c.state == "distributed")
    .where(statuses_table.c.account_id == sa.bindparam("author"), statuses_table.c.deleted_at.is_(None))
    .order_by(group_posts_table.c.status_id.desc())
    .limit(MAX_REMOVED)
)


def receive(tx: Tx, outer_id: str | None, group: Account, inner: Activity, intake: Intake) -> str | None:
    """Carry out a decision that the group announced under `outer_id`; None when the activity is none.

    Raises Missing for the actor of a group that has changed.
    """
    rules = groups.find(tx, group.id)
    if rules is None or rules.ledger_uri is not None:
        return None
    if inner.id is not None and tx.site.urls.owns(inner.id):
        wishes.settle(tx, inner.id, "done")  # what a moderator of ours asked for comes back announced
    undone = inner.type == "Undo" and isinstance(inner.object, dict)
    act = inner.object if undone else inner.doc
    reason = (first_string(inner.doc.get("summary")) or first_string(act.get("summary")) or "").strip()
    match next(iter(types_of(act)), ""):
        case "Delete":
            return _removed(tx, outer_id, group, inner, act, undone, reason, intake)
        case "Lock":
            return _locked(tx, group, find_status(tx, field_uri(act, "object"), intake), undone, reason)
        case "Block" if field_uri(act, "target") == group.uri:
            return _banned(tx, group, act, undone, reason)
        case ("Add" | "Remove") as kind if not undone:
            return _listed(tx, group, act, kind == "Add", intake)
        case "Update" if not undone and inner.object_id == group.uri:
            return _changed(tx, group, intake)
    return None


def is_here(tx: Tx, group: Account, status: Status | None) -> bool:
    """Whether a status stands in a thread of this group, or was written to it."""
    if status is None:
        return False
    return status.group_id == group.id or group_posts.find(tx, group.id, status.id) is not None


# -- posts -----------------------------------------------------------------------------------------------------------


def _removed(
    tx: Tx,
    outer_id: str | None,
    group: Account,
    inner: Activity,
    act: dict[str, Any],
    undone: bool,
    reason: str,
    intake: Intake,
) -> str | None:
    """A Delete by somebody else than the author takes the post out of the group; its Undo puts it back."""
    status = find_status(tx, field_uri(act, "object"), intake)
    if status is None:
        return IGNORED if undone or "summary" in act else None
    author = accounts.find(tx, status.account_id)
    if author is not None and author.uri == inner.actor:
        return IGNORED if undone else None
    if not is_here(tx, group, status):
        return IGNORED
    if not group_posts.judge(tx, group, status, "restored" if undone else "removed", reason=reason):
        return IGNORED
    if undone and outer_id is not None:
        uri = outer_id if statuses.find_by_uri(tx, outer_id) is None else f"{outer_id}#{status.id}"  # several in one
        interactions.reblog(tx, group, status, visibility=status.visibility, uri=uri, at=status.created_at)
    return PROCESSED


def _locked(tx: Tx, group: Account, status: Status | None, undone: bool, reason: str) -> str:
    """A thread is locked at its first post; that the answers to one answer are closed is not kept here."""
    if status is None or status.in_reply_to_uri is not None or not is_here(tx, group, status):
        return IGNORED
    changed = group_posts.judge(tx, group, status, "unlocked" if undone else "locked", reason=reason)
    return PROCESSED if changed else IGNORED


def _listed(tx: Tx, group: Account, act: dict[str, Any], adds: bool, intake: Intake) -> str | None:
    """A pin, or a moderator: `moderators` is what Lemmy, PieFed and Mbin call the collection at the group's address."""
    target, uri = field_uri(act, "target"), field_uri(act, "object")
    if uri is None:
        return None
    if target is None:
        return _moderates(tx, group, uri, intake)
    if target == group.featured_uri:
        status = find_status(tx, uri, intake)
        if status is None or not is_here(tx, group, status):
            return IGNORED
        changed = group_posts.judge(tx, group, status, "pinned" if adds else "unpinned")
        return PROCESSED if changed else IGNORED
    if target == f"{group.uri}/moderators":
        role = "moderator" if adds else _rest(tx, group, uri)
        memberships.copy(tx, group, Affiliation(uri, origin(uri), role, tx.ms))
        return PROCESSED
    return None


# -- people ----------------------------------------------------------------------------------------------------------


def _moderates(tx: Tx, group: Account, uri: str, intake: Intake) -> str | None:
    """PieFed names no collection, where a community was made by way of its API: then that of the moderators is read
    again. None when it is not about a person."""
    if accounts.find_by_uri(tx, uri) is None:
        return None
    address = f"{group.uri}/moderators"
    found = intake.collections.get(address)
    if found is None:
        intake.require(address, "collection")
        return IGNORED
    listed = uri in ids_of(found.get("orderedItems"))
    memberships.copy(tx, group, Affiliation(uri, origin(uri), "moderator" if listed else _rest(tx, group, uri), tx.ms))
    return PROCESSED


def _rest(tx: Tx, group: Account, uri: str) -> str | None:
    """What somebody is who moderates no more: of our own people, whoever follows the group is a member."""
    person = accounts.find_by_uri(tx, uri)
    known = follows.find(tx, person.id, group.id) if person is not None and person.local else None
    return "member" if known is not None and known.state == "accepted" else None


def _banned(tx: Tx, group: Account, act: dict[str, Any], undone: bool, reason: str) -> str:
    """A ban ends the membership, perhaps for a time, and takes the posts along where the moderator said so."""
    uri = field_uri(act, "object")
    if uri is None:
        return IGNORED
    if undone:
        memberships.copy(tx, group, Affiliation(uri, origin(uri), None, tx.ms))
        return PROCESSED
    until = parse_time(act.get("endTime") or act.get("expires"))  # Mbin says `expires`, PieFed both
    until_at = to_ms(until) if until is not None else None
    if until_at is not None and until_at <= tx.ms:
        return IGNORED
    memberships.copy(tx, group, Affiliation(uri, origin(uri), "outcast", tx.ms, until_at))
    subject = accounts.find_by_uri(tx, uri)
    if subject is not None and subject.local and follows.find(tx, subject.id, group.id) is not None:
        follows.reject(tx, subject.id, group.id, reason=reason)
    if subject is not None and act.get("removeData") is True:
        _remove_posts(tx, group, subject, reason)
    return PROCESSED


def _remove_posts(tx: Tx, group: Account, author: Account, reason: str) -> None:
    ids = list(tx.conn.execute(_POSTS_OF, {"group": group.id, "author": author.id}).scalars())
    for status in statuses.find_many(tx, ids).values():
        group_posts.judge(tx, group, status, "removed", reason=reason)


# -- the group itself ------------------------------------------------------------------------------------------------


def _changed(tx: Tx, group: Account, intake: Intake) -> str:
    doc = intake.documents.get(group.uri)
    if doc is None:
        intake.require(group.uri, "document")
        return IGNORED
    store_actor(tx, doc, group.username, group.domain or "")
    return PROCESSED
