"""What groups of other servers pass on: whole activities inside an Announce (FEP-1b12).

The group vouches for nothing but its own choice: the activity inside is believed for its own proof, because it comes
from the same department as the group, or because it was read again at its own address. Posts of members that arrive at
a group of ours come as plain Create; the group takes or leaves them in `social.effects`.
"""

from collections.abc import Callable
from typing import Any

from fedcorp.activitypub.documents import Activity, domain_of, normalize, parse_json, read_activity, same_origin
from fedcorp.activitypub.handlers import interactions, statuses
from fedcorp.activitypub.handlers.parties import (
    IGNORED,
    PROCESSED,
    find_status,
    has_local_follower,
    is_undone,
    sender,
)
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.proofs import proof_of, verify_proof
from fedcorp.activitypub.vocabulary import ACTIVITY_TYPES, as_list, types_of
from fedcorp.company import peers
from fedcorp.errors import BadRequest, Forbidden
from fedcorp.keys import load_public
from fedcorp.social import accounts
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx

MAX_BATCH = 50  # announced activities in one Announce (FEP-1a11)

_Step = Callable[[Tx, Activity, Intake], Any]
_INNER: dict[str, tuple[_Step, _Step]] = {
    "Create": (statuses.verify_create, statuses.receive_create),
    "Update": (statuses.verify_update, statuses.receive_update),
    "Delete": (statuses.verify_delete, statuses.receive_delete),
    "Like": (interactions.verify_reaction, interactions.receive_like),
}


def verify_announce(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Anybody may announce. Raises Forbidden when the actor is hidden, or may not see what it names."""
    if _holds_activities(activity.object):
        sender(tx, activity, intake)
    else:
        interactions.verify_reaction(tx, activity, intake)


def receive_announce(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A boost, or what happened in a group that somebody here belongs to."""
    if not _holds_activities(activity.object):
        return interactions.receive_announce(tx, activity, intake)
    group = sender(tx, activity, intake)
    if not group.is_group or not has_local_follower(tx, group.id) or is_undone(tx, activity.id):
        return IGNORED
    outcome = IGNORED
    for doc in as_list(parse_json(activity.raw).get("object"))[:MAX_BATCH]:
        if isinstance(doc, dict) and _receive_inner(tx, activity, group, doc, intake) == PROCESSED:
            outcome = PROCESSED
    return outcome


def _holds_activities(thing: Any) -> bool:
    listed = as_list(thing)
    return bool(listed) and all(ACTIVITY_TYPES & set(types_of(item)) for item in listed)


def _receive_inner(tx: Tx, outer: Activity, group: Account, doc: dict[str, Any], intake: Intake) -> str:
    inner = read_activity(normalize(doc), b"")
    if tx.site.urls.owns(inner.actor):
        return _receive_echo(tx, outer, group, inner, intake)
    tier = peers.find_tier(tx, domain_of(inner.actor))
    if tier is None:
        return IGNORED  # from a server that may not speak to us, whoever passes it on
    trusted = _trusted(tx, group, inner, doc, intake)
    steps = _INNER.get(inner.type)
    if trusted is None or steps is None:
        return IGNORED
    verify, receive = steps
    within = intake.within(tier)
    verify(tx, trusted, within)
    outcome: str = receive(tx, trusted, within)
    if trusted.type == "Create":
        _show(tx, outer, group, trusted.object_id, intake)
        return PROCESSED
    return outcome


def _receive_echo(tx: Tx, outer: Activity, group: Account, inner: Activity, intake: Intake) -> str:
    """What one of us wrote comes back: the group has taken it."""
    if inner.type == "Create":
        _show(tx, outer, group, inner.object_id, intake)
        return PROCESSED
    return IGNORED


def _show(tx: Tx, outer: Activity, group: Account, uri: str | None, intake: Intake) -> None:
    status = find_status(tx, uri, intake)
    if status is not None and status.visibility in ("public", "unlisted"):
        interactions.boost(tx, outer, group, status)


def _trusted(tx: Tx, group: Account, inner: Activity, doc: dict[str, Any], intake: Intake) -> Activity | None:
    """The inner activity when it may be believed, perhaps as read again at its own address; None when it may not.

    Raises Missing for the key or the document that decides, Forbidden for a proof that does not hold.
    """
    proof = proof_of(doc)
    if proof is not None:
        return inner if _proof_holds(tx, inner, doc, intake) else None
    if same_origin(inner.actor, group.uri) and intake.tier == "department":
        return inner
    if inner.id is None:
        return None
    found = intake.documents.get(inner.id)
    if found is None:
        intake.require(inner.id, "document")
        return None
    try:
        again = read_activity(found, b"")
    except BadRequest:
        return None
    same = (again.id, again.type, again.actor) == (inner.id, inner.type, inner.actor)
    return again if same else None


def _proof_holds(tx: Tx, inner: Activity, doc: dict[str, Any], intake: Intake) -> bool:
    proof = proof_of(doc)
    assert proof is not None
    key = accounts.find_key(tx, proof.key_id)
    if key is None:
        intake.require(proof.key_id, "key")
        return False
    if key.account_uri != inner.actor or not verify_proof(doc, proof, load_public(key.public), tx.clock.now()):
        raise Forbidden("The proof of the announced activity does not hold.")
    return True
