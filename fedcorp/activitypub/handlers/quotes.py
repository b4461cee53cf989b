"""Requests to quote posts of ours and their answers to ours; stamps that are taken back (FEP-044f).

The author of what is quoted decides, by the policy of the post, and nobody else can speak for them. Whoever may not
read a post is not told whether it could be quoted.
"""

from typing import Any

from fedcorp.activitypub import translate
from fedcorp.activitypub.consent import is_stamp
from fedcorp.activitypub.documents import Activity, owner, same_origin
from fedcorp.activitypub.handlers.interactions import check_may_see
from fedcorp.activitypub.handlers.parties import (
    DUPLICATE,
    IGNORED,
    PROCESSED,
    field_uri,
    find_status,
    orphan,
    revive_orphans,
    sender,
)
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.vocabulary import as_list, value_or_id
from fedcorp.errors import BadRequest, Forbidden, NotFound
from fedcorp.social import group_posts, policy, quotes, receiving, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import ActivityForwarded, QuoteAnswered
from fedcorp.social.quotes import Paper
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx

REFUSED = "refused"


# -- what others ask of us -------------------------------------------------------------------------------------------


def verify_request(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Everybody may ask for a post of their own. Raises Forbidden when the instrument is somebody else's, or when they
    may not see what they want to quote."""
    actor = sender(tx, activity, intake)
    instrument = activity.doc.get("instrument")
    uri = value_or_id(instrument)
    if uri is None or not same_origin(uri, activity.actor):
        raise Forbidden("The post that quotes has another origin than the actor.")
    whole = _whole(instrument)
    if whole is not None and (owner(whole) or translate.author_of(whole)) != activity.actor:
        raise Forbidden("The post that quotes belongs to somebody else.")
    quoted = find_status(tx, activity.object_id, intake)
    if quoted is not None:
        check_may_see(tx, actor, quoted, intake)


def _whole(instrument: Any) -> dict[str, Any] | None:
    """The post that quotes, when it came along and not only its id."""
    if isinstance(instrument, list) and len(instrument) == 1:
        instrument = instrument[0]
    is_whole = isinstance(instrument, dict) and translate.is_note(instrument) and "attributedTo" in instrument
    return instrument if is_whole else None


def receive_request(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Somebody elsewhere wants to quote a post of ours: its policy answers. The same question gets the same answer."""
    actor = sender(tx, activity, intake)
    quoted = find_status(tx, activity.object_id, intake)
    if quoted is None or not quoted.local or quoted.reblog_of_id is not None or activity.id is None:
        return IGNORED
    uri = value_or_id(activity.doc.get("instrument"))
    assert uri is not None
    known = statuses.find_by_uri(tx, intake.stored.get(uri, uri))
    accepted = known is not None and known.quoted_id == quoted.id and known.quote_state == quotes.ACCEPTED
    if not accepted and quotes.standing(tx, quoted, actor.id) != "automatic":
        return _answer(tx, activity, quoted, actor, uri, None)
    whole = _whole(activity.doc.get("instrument"))
    if known is None and whole is not None:
        remote = translate.note(tx, whole, intake.tier)
        if remote.visibility == policy.GROUP:  # it counts as its group passes it on
            return orphan(tx, activity, uri, intake)
        known = receiving.receive(tx, remote)
        revive_orphans(tx, uri)
    elif known is None:
        intake.require(uri, "status")
    elif whole is not None and known.account_id == actor.id:  # it may have come without what it quotes
        known = receiving.receive_quote(tx, known, translate.note(tx, whole, intake.tier))
    if known is None or known.account_id != actor.id or not _fits(tx, quoted, known):
        return _answer(tx, activity, quoted, actor, uri, None)
    return _answer(tx, activity, quoted, actor, uri, quotes.grant(tx, quoted, known, activity.id))


def _fits(tx: Tx, quoted: Status, status: Status) -> bool:
    """Whether a post quotes this one, and goes no further than it."""
    paper = quotes.find(tx, status.id)
    if paper is None or paper.quoted_uri != quoted.uri or status.deleted_at is not None:
        return False
    if status.visibility != "direct" and policy.narrower(status.reach, quoted.reach) != status.reach:
        return False
    if quoted.visibility != policy.GROUP:
        return True
    found = group_posts.of_statuses(tx, [quoted.id]).get(quoted.id, [])
    shown = [item.group_id for item in found if item.state == "distributed"]
    return status.visibility == policy.GROUP and status.group_id in shown


def _answer(tx: Tx, activity: Activity, quoted: Status, actor: Account, quoting_uri: str, stamp_uri: str | None) -> str:
    assert activity.id is not None
    tx.record(QuoteAnswered(quoted.account_id, quoted.id, actor.id, activity.id, quoting_uri, stamp_uri or ""))
    return PROCESSED if stamp_uri is not None else REFUSED


# -- what others answer to us ----------------------------------------------------------------------------------------


def is_answer(tx: Tx, activity: Activity) -> bool:
    """Whether an Accept or Reject that names its object by the id alone speaks of a request of ours."""
    return activity.object_id is not None and quotes.find_by_request(tx, activity.object_id) is not None


def _asked(tx: Tx, activity: Activity) -> tuple[Paper, Status] | None:
    """The quote of ours that an answer speaks of: by the id of the request, else by what quotes what."""
    paper = quotes.find_by_request(tx, activity.object_id) if activity.object_id else None
    if paper is None:
        quoting = statuses.find_by_uri(tx, field_uri(activity.object, "instrument") or "")
        found = quotes.find(tx, quoting.id) if quoting is not None else None
        paper = found if found is not None and found.quoted_uri == field_uri(activity.object, "object") else None
    status = statuses.find(tx, paper.status_id) if paper is not None else None
    return (paper, status) if paper is not None and status is not None and status.local else None


def verify_answer(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Only who is quoted may answer. Raises Forbidden."""
    actor = sender(tx, activity, intake)
    found = _asked(tx, activity)
    quoted_id = found[1].quoted_id if found is not None else None
    if found is not None and (quoted_id is None or statuses.author_id(tx, quoted_id) != actor.id):
        raise Forbidden("Only the author of a post may say who quotes it.")


def receive_accept(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Our author may quote: `result` is the leave, under the origin of whoever gives it."""
    found = _asked(tx, activity)
    if found is None:
        raise NotFound("Nobody here waits for this answer.")
    paper, status = found
    result = activity.doc.get("result")
    uri = value_or_id(result)
    if uri is None or not same_origin(uri, activity.actor):
        raise BadRequest("The answer names no leave of its author")
    came_along = result if isinstance(result, dict) and "interactingObject" in result else None
    if came_along is not None and not is_stamp(came_along, activity.actor, status.uri, paper.quoted_uri):
        raise BadRequest("The leave is for something else")
    return PROCESSED if quotes.accept(tx, status.id, uri) else DUPLICATE


def receive_reject(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Our author may not quote, or no longer."""
    found = _asked(tx, activity)
    if found is None:
        raise NotFound("Nobody here waits for this answer.")
    return PROCESSED if quotes.reject(tx, found[1].id) else DUPLICATE


# -- stamps ----------------------------------------------------------------------------------------------------------


def is_stamp_deleted(tx: Tx, activity: Activity) -> bool:
    """Whether a Delete is about a leave to quote: by its own word, or one that we know."""
    if activity.object_id is None or statuses.find_by_uri(tx, activity.object_id) is not None:
        return False
    return activity.object_type == quotes.STAMP or bool(quotes.of_stamp(tx, activity.object_id))


def receive_stamp_deleted(tx: Tx, activity: Activity) -> str:
    """A leave is taken back. Those who have a post of ours that lived on it hear of it: by our Update, which the change
    brings about, and by the Delete itself where its author proves it."""
    assert activity.object_id is not None
    ended = quotes.forget_stamp(tx, activity.object_id, activity.actor)
    for status in ended:
        if status.local and activity.id is not None and as_list(activity.doc.get("proof")):
            tx.record(ActivityForwarded(status.account_id, activity.id, status.id))
    return PROCESSED if ended else IGNORED
