"""Answers of authors elsewhere to answers and boosts of ours that wait for their leave.

Only the author of what is answered or boosted gives leave. What an Accept names as its `result` is read at its own
address, under the author's origin, and must speak of this very act on that very post. An Accept that names nothing is
the leave itself: so GoToSocial answers what was sent without being asked for first.

Source: GoToSocial, docs/federation/interaction_policy.md and internal/federation/dereferencing/status_permitted.go.
"""

from typing import Any

from fedcorp.activitypub.documents import Activity, same_origin
from fedcorp.activitypub.handlers.parties import DUPLICATE, PROCESSED, field_uri, sender
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.vocabulary import types_of, value_or_id
from fedcorp.errors import BadRequest, Forbidden, NotFound
from fedcorp.social import accounts, interactions, leaves, publishing, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.leaves import Leave
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx

_REQUESTS = frozenset({"ReplyRequest", "AnnounceRequest"})
_STAMPS = {  # type -> the words for what was done, and on what
    "Authorization": ("interactingObject", "interactionTarget"),
    "Approval": ("object", "target"),  # until GoToSocial 0.19
}


def _asked(tx: Tx, activity: Activity) -> tuple[Status, Leave] | None:
    """The answer or boost of ours that an answer speaks of, with what is known of its leave: by its id, that of its
    Create, or as the instrument of a request for it."""
    uri = field_uri(activity.object, "instrument") if activity.object_type in _REQUESTS else activity.object_id
    if uri is None or not tx.site.urls.owns(uri):
        return None
    status = statuses.find_by_uri(tx, uri)
    if status is None and (id_ := tx.site.urls.find_activity_id(uri)) is not None:
        status = statuses.find(tx, id_)
    known = leaves.find(tx, status.id) if status is not None and status.local else None
    return (status, known) if status is not None and known is not None else None


def is_answer(tx: Tx, activity: Activity) -> bool:
    """Whether an Accept or Reject speaks of something of ours that waits, or waited until it was refused. What was
    published is judged by others too: by the groups that it went to."""
    found = _asked(tx, activity)
    return found is not None and found[1].state in (leaves.PENDING, leaves.REFUSED)


def _owner(tx: Tx, status: Status) -> str | None:
    """The author of what one of ours answers or boosts."""
    asked_id = statuses.asked_id(tx, status)
    author = accounts.find(tx, asked_id) if asked_id is not None else None
    return author.uri if author is not None else None


def verify_answer(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Only who was asked may answer. Raises Forbidden."""
    sender(tx, activity, intake)
    found = _asked(tx, activity)
    if found is not None and _owner(tx, found[0]) != activity.actor:
        raise Forbidden("Only the author of a post may say who answers or boosts it.")


def receive_accept(tx: Tx, activity: Activity, intake: Intake) -> str:
    """What waited is published. Raises BadRequest when the leave does not hold."""
    status, target = _both(tx, activity)
    stamp = activity.doc.get("result")
    if stamp is None:
        uri, kind = activity.id, ""
        said = value_or_id(activity.doc.get("target"))
        if uri is None or not same_origin(uri, activity.actor) or (said is not None and said != target.uri):
            raise BadRequest("The answer is no leave for this")
    else:
        uri = value_or_id(stamp)
        if uri is None or not same_origin(uri, activity.actor):
            raise BadRequest("The answer names no leave of its author")
        kind = _check(_read(uri, intake), uri, activity.actor, status, target)
    release = publishing.release if status.reblog_of_id is None else interactions.release
    return PROCESSED if release(tx, status, uri, kind) else DUPLICATE


def _both(tx: Tx, activity: Activity) -> tuple[Status, Status]:
    """What waits, and what it answers or boosts. Raises NotFound."""
    found = _asked(tx, activity)
    target_id = found[0].reblog_of_id or found[0].in_reply_to_id if found is not None else None
    target = statuses.find(tx, target_id) if target_id is not None else None
    if found is None or target is None:
        raise NotFound("Nobody here waits for this answer.")
    return found[0], target


def _read(uri: str, intake: Intake) -> dict[str, Any]:
    """The leave at its own address. Raises Missing, Deferred while it cannot be had, BadRequest when it never will."""
    found = intake.documents.get(uri)
    if found is None:
        intake.require(uri, "document")
        raise BadRequest("The leave cannot be read")
    return found


def _check(doc: dict[str, Any], uri: str, owner_uri: str, status: Status, target: Status) -> str:
    """The type of the leave, when it is one of this author, for this act on this post. Raises BadRequest."""
    act = "Reply" if status.reblog_of_id is None else "Announce"
    for kind, (interacting, interacted) in _STAMPS.items():
        if f"{act}{kind}" not in types_of(doc):
            continue
        on = value_or_id(doc.get(interacted))
        holds = (
            doc.get("id") == uri
            and value_or_id(doc.get("attributedTo")) == owner_uri
            and value_or_id(doc.get(interacting)) == status.uri
            and (on == target.uri or (on is None and kind == "Approval"))
        )
        if holds:
            return f"{act}{kind}"
    raise BadRequest("The leave is for something else")


def receive_reject(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Leave is refused: an answer stays with its author alone, a boost ends."""
    status, _ = _both(tx, activity)
    if status.reblog_of_id is None:
        return PROCESSED if leaves.refuse(tx, status) else DUPLICATE
    if status.deleted_at is not None:  # there may be another boost by now
        return DUPLICATE
    interactions.unreblog(tx, accounts.get(tx, status.account_id), status.reblog_of_id)
    return PROCESSED


def receive_refusal(tx: Tx, activity: Activity, author: Account) -> bool:
    """The author of a post refuses an answer of ours that was published; False when it speaks of none.

    What a group passes on is the group's affair, and stays.
    """
    uri = activity.object_id
    status = statuses.find_by_uri(tx, uri) if uri is not None and tx.site.urls.owns(uri) else None
    if status is None or not status.local or status.reblog_of_id is not None or status.group_id is not None:
        return False
    if status.in_reply_to_account_id != author.id or status.account_id == author.id:
        return False
    leaves.refuse(tx, status)
    return True
