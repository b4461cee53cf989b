"""Who and what an activity speaks of: the sender, the object, and the raw bytes when they must be passed on.

Looks up, never decides what an activity does.
"""

from typing import Any

import sqlalchemy as sa

from fedcorp.activitypub.documents import Activity, same_origin
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.vocabulary import as_list, ids_of
from fedcorp.errors import Forbidden
from fedcorp.social import accounts, follows, policy, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import ActivityForGroup, ActivityForwarded
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import inbox, orphans, undone
from fedcorp.storage.upsert import insert_ignore

ORPHAN_MS = 7 * 86_400_000
MAX_ORPHANS = 1000  # of one actor

PROCESSED, DUPLICATE, IGNORED = "processed", "duplicate", "ignored"

_ORPHANS_OF = sa.select(orphans.c.activity_id).where(orphans.c.waits_for == sa.bindparam("uri"))
_ORPHANS_BY = sa.select(sa.func.count()).select_from(orphans).where(orphans.c.actor_uri == sa.bindparam("actor"))
_UNDONE = sa.select(undone.c.created_at).where(undone.c.uri == sa.bindparam("uri"))


def sender(tx: Tx, activity: Activity, intake: Intake) -> Account:
    """The account of the actor. Raises Missing when it is not here, Forbidden when it is hidden or one of ours."""
    if intake.sender is not None and intake.sender.uri == activity.actor:
        return intake.sender
    account = accounts.find_by_uri(tx, activity.actor)
    if account is None:
        intake.require(activity.actor, "actor")
        raise Forbidden("The actor cannot be found.")
    if account.hidden or account.local:
        raise Forbidden("This actor may not act here.")
    intake.sender = account
    return account


def embedded(activity: Activity, intake: Intake) -> dict[str, Any] | None:
    """The object as a document: as sent, or read at its own id when only that was sent. None when it is gone."""
    thing = activity.object
    if isinstance(thing, dict) and (set(thing) - {"id", "type", "@context"}):
        return thing
    if activity.object_id is None:
        return None
    found = intake.documents.get(activity.object_id)
    if found is None:
        intake.require(activity.object_id, "document")
    return found


def field_uri(thing: Any, name: str) -> str | None:
    """The one URI that a property of an embedded object names."""
    return next(iter(ids_of(thing.get(name))), None) if isinstance(thing, dict) else None


def find_status(tx: Tx, uri: str | None, intake: Intake) -> Status | None:
    """The status that an activity speaks of, if it is here and was not deleted."""
    status = statuses.find_by_uri(tx, intake.stored.get(uri, uri)) if uri else None
    return status if status is not None and status.deleted_at is None else None


def has_local_follower(tx: Tx, account_id: int) -> bool:
    """Whether somebody here follows this account."""
    return follows.find_local_follower(tx, account_id) is not None


# -- activities that came in the wrong order -------------------------------------------------------------------------


def is_undone(tx: Tx, uri: str | None) -> bool:
    """Whether the Undo of this activity came first."""
    return undone_at(tx, uri) is not None


def undone_at(tx: Tx, uri: str | None) -> int | None:
    """When (ms) the Undo of this activity came; None when it did not."""
    return tx.conn.execute(_UNDONE, {"uri": uri}).scalar() if uri is not None else None


def note_undone(tx: Tx, uri: str | None, actor: str) -> None:
    """Remember an Undo whose activity is not here; nobody can do so for activities of another origin."""
    if uri is not None and same_origin(uri, actor):
        insert_ignore(tx, undone, uri=uri, owner_uri=actor, created_at=tx.ms)


def orphan(tx: Tx, activity: Activity, waits_for: str, intake: Intake) -> str:
    """Put an activity aside until the object that it speaks of arrives. Returns the outcome."""
    if activity.id is None or tx.conn.execute(_ORPHANS_BY, {"actor": activity.actor}).scalar_one() >= MAX_ORPHANS:
        return IGNORED
    insert_ignore(
        tx, orphans, activity_id=activity.id, waits_for=waits_for, domain=intake.domain, actor_uri=activity.actor,
        body=activity.raw, expires_at=tx.ms + ORPHAN_MS,
    )  # fmt: skip
    return "deferred"


def revive_orphans(tx: Tx, uri: str) -> None:
    """The object has arrived: what waited for it is taken up again."""
    waiting = list(tx.conn.execute(_ORPHANS_OF, {"uri": uri}).scalars())
    if not waiting:
        return
    tx.conn.execute(sa.delete(orphans).where(orphans.c.waits_for == uri))
    again = sa.update(inbox).where(inbox.c.activity_id.in_(waiting))
    tx.conn.execute(again.values(state="new", outcome=None, next_attempt_at=None))
    tx.wake("inbox")


# -- passing on ------------------------------------------------------------------------------------------------------


def pass_on(tx: Tx, activity: Activity, status: Status) -> None:
    """Have others hear what an author elsewhere did to a post in a local group, or answered to one of ours.

    The outbox takes the bytes from the inbox. New posts in a group are announced by the group's own event. An answer
    goes on only with a proof (ActivityPub 7.1.2): nobody could believe the rest.
    """
    if activity.id is None or status.visibility not in ("public", "unlisted", policy.GROUP):
        return
    if status.group_id is not None:
        group = accounts.find(tx, status.group_id)
        if group is not None and group.local and activity.type != "Create":
            tx.record(ActivityForGroup(group.id, activity.id))
    elif as_list(activity.doc.get("proof")) and status.in_reply_to_account_id is not None:
        answered = accounts.find(tx, status.in_reply_to_account_id)
        if answered is not None and answered.local:
            tx.record(ActivityForwarded(answered.id, activity.id))
