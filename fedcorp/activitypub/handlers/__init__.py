"""Which function takes which activity: one of the three switchboards of the house.

Beside every `receive_` stands a `verify_` that decides whether the actor may; it always runs first. Both run inside one
unit, fetch nothing, and may be run again: what they need and is not here they raise as `Missing` (see `intake`).
An activity that is not listed here is ignored.
"""

from collections.abc import Callable

from fedcorp.activitypub.documents import Activity
from fedcorp.activitypub.handlers import actors, follow, groups, interactions, quotes, statuses, stewards
from fedcorp.activitypub.handlers.parties import IGNORED
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.vocabulary import ACTOR_TYPES
from fedcorp.storage.database import Tx

Verify = Callable[[Tx, Activity, Intake], None]
Receive = Callable[[Tx, Activity, Intake], str]

HANDLERS: dict[tuple[str, str], tuple[Verify, Receive]] = {
    ("Follow", "*"): (follow.verify_follow, follow.receive_follow),
    ("Join", "*"): (follow.verify_follow, follow.receive_follow),
    ("Leave", "*"): (follow.verify_follow, follow.receive_leave),
    ("Accept", "*"): (stewards.verify_answer, stewards.receive_accept),
    ("Reject", "*"): (stewards.verify_answer, stewards.receive_reject),
    ("QuoteRequest", "*"): (quotes.verify_request, quotes.receive_request),
    ("Accept", "QuoteRequest"): (quotes.verify_answer, quotes.receive_accept),
    ("Reject", "QuoteRequest"): (quotes.verify_answer, quotes.receive_reject),
    ("TentativeAccept", "*"): (stewards.verify_act, stewards.receive_tentative),
    ("Invite", "*"): (stewards.verify_invite, stewards.receive_invite),
    ("Undo", "Follow"): (follow.verify_undo_follow, follow.receive_undo_follow),
    ("Undo", "Join"): (follow.verify_undo_follow, follow.receive_undo_follow),
    ("Undo", "Accept"): (follow.verify_follow, follow.receive_undo_accept),
    ("Create", "*"): (statuses.verify_create, statuses.receive_create),
    ("Update", "*"): (statuses.verify_update, statuses.receive_update),
    ("Delete", "*"): (stewards.verify_delete, stewards.receive_delete),
    ("Add", "*"): (stewards.verify_add_or_remove, stewards.receive_add_or_remove),
    ("Remove", "*"): (stewards.verify_add_or_remove, stewards.receive_add_or_remove),
    ("Block", "*"): (stewards.verify_act, stewards.receive_block),
    ("Lock", "*"): (stewards.verify_act, stewards.receive_lock),
    ("Flag", "*"): (stewards.verify_act, stewards.receive_flag),
    ("Resolve", "*"): (stewards.verify_act, stewards.receive_resolve),
    ("Like", "*"): (interactions.verify_reaction, interactions.receive_like),
    ("EmojiReact", "*"): (interactions.verify_reaction, interactions.receive_like),
    ("Dislike", "*"): (interactions.verify_reaction, interactions.receive_like),
    ("PollVote", "*"): (interactions.verify_reaction, statuses.receive_poll_vote),
    ("Announce", "*"): (groups.verify_announce, groups.receive_announce),
    ("Undo", "Like"): (interactions.verify_undo, interactions.receive_undo_like),
    ("Undo", "EmojiReact"): (interactions.verify_undo, interactions.receive_undo_like),
    ("Undo", "Dislike"): (interactions.verify_undo, interactions.receive_undo_like),
    ("Undo", "Announce"): (interactions.verify_undo, interactions.receive_undo_announce),
    ("Undo", "Invite"): (stewards.verify_act, stewards.receive_undo_invite),
    ("Undo", "Block"): (interactions.verify_undo, stewards.receive_undo_block),
    ("Undo", "Lock"): (stewards.verify_act, stewards.receive_undo_lock),
    ("Undo", "Delete"): (stewards.verify_act, stewards.receive_undo_delete),
    **{("Update", kind): (actors.verify_own_actor, actors.receive_update_actor) for kind in sorted(ACTOR_TYPES)},
    **{("Delete", kind): (actors.verify_own_actor, actors.receive_delete_actor) for kind in sorted(ACTOR_TYPES)},
    ("Move", "*"): (actors.verify_own_actor, actors.receive_move),
    ("Update", "Group"): (stewards.verify_group_update, stewards.receive_group_update),
    ("Delete", "Group"): (stewards.verify_group_delete, stewards.receive_group_delete),
}


def handle(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Let the right handler act; returns the outcome word.

    Raises Missing (fetch, then call again), Deferred (try later), and errors that are meant when it is refused.
    """
    intake.sender = None  # what was fetched since the last try may have changed it
    found = HANDLERS.get((activity.type, activity.object_type or "*")) or HANDLERS.get((activity.type, "*"))
    if found is None and activity.type == "Undo":
        return _undo_by_id(tx, activity, intake)
    if found is None:
        return IGNORED
    verify, receive = found
    verify(tx, activity, intake)
    return receive(tx, activity, intake)


def _undo_by_id(tx: Tx, activity: Activity, intake: Intake) -> str:
    """An Undo that only names an id: what it undoes is found out by looking everywhere."""
    if activity.object_type is not None:
        return IGNORED
    outcome = IGNORED
    for name in ("Follow", "Like", "Announce", "Block"):
        verify, receive = HANDLERS[("Undo", name)]
        verify(tx, activity, intake)
        outcome = receive(tx, activity, intake)
        if outcome != IGNORED:
            break
    return outcome
