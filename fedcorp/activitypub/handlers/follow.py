"""Follow, Accept, Reject, Undo of a follow; Join and Leave of groups, which are the same thing here; and the Block that
ends follows between two people.

A follow is matched by the id of its Follow, else by the pair of accounts, because peers send either; so is a block. A
block of somebody elsewhere is nobody's business but that of the two: it is answered and passed on to nobody.
"""

import logging

import orjson
import sqlalchemy as sa

from fedcorp.activitypub import audience, discovery, ledger, telling
from fedcorp.activitypub.documents import Activity
from fedcorp.activitypub.handlers.parties import (
    IGNORED,
    PROCESSED,
    field_uri,
    is_undone,
    note_undone,
    sender,
    undone_at,
)
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.vocabulary import first_string, ids_of, value_or_id
from fedcorp.errors import Forbidden, NotFound
from fedcorp.social import accounts, blocks, follows, groups, memberships, stewardship, text, threads
from fedcorp.social.accounts import Account
from fedcorp.social.events import FollowRejected
from fedcorp.social.follows import Follow
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import undone
from fedcorp.storage.upsert import insert_ignore

log = logging.getLogger("fedcorp.activitypub")


def verify_follow(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Everybody may ask for themselves. Raises Missing for an actor who is not here, Forbidden for a hidden one."""
    sender(tx, activity, intake)


def receive_follow(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Somebody wants to follow one of ours, or to join a group."""
    follower = sender(tx, activity, intake)
    target = accounts.find_by_uri(tx, activity.object_id) if activity.object_id else None
    if target is None or not target.local or activity.id is None:
        return IGNORED
    if is_undone(tx, activity.id):
        return IGNORED
    message = text.plain(text.sanitize(first_string(activity.doc.get("content")) or ""))
    try:
        if target.is_group:
            link = value_or_id(activity.doc.get("instrument")) or ""
            _check_can_keep(tx, target, follower, link, intake)
            memberships.join(tx, follower, target, uri=activity.id, message=message, link=link)
        else:
            follows.follow(tx, follower, target, uri=activity.id, message=message)
    except Forbidden as error:
        log.info("refused a follow of %s: %s", target.handle, error.text)
        tx.record(FollowRejected(follower.id, target.id, activity.id, reason=error.text))
        return "refused"
    except NotFound:
        return IGNORED
    return PROCESSED


def _check_can_keep(tx: Tx, group: Account, follower: Account, link: str, intake: Intake) -> None:
    """Raises Forbidden for somebody whose server would not keep what only members of the group may read; NotFound for
    whom the group does not even show itself, who are told no reason."""
    discovery.want(tx, intake.domain)
    rules = groups.find(tx, group.id)
    if rules is None or not rules.members_only or rules.outsiders == "relay":
        return
    memberships.check_may_join(tx, follower, rules, link)
    if not audience.may_hold(tx, intake.domain):
        raise Forbidden(
            f"Only members read what is written in this group, and the software of {intake.domain} cannot keep it to "
            "them. Join with an account of a department, or ask the group's moderators to let the group pass posts on."
        )


def verify_answer(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Only whom the follow is about may answer it. Raises Forbidden."""
    found = _asked(tx, activity)
    if found is not None and found.target_id != sender(tx, activity, intake).id:
        raise Forbidden("Only the followed account may answer a request.")


def receive_accept(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A request of one of ours was accepted."""
    found = _asked(tx, activity) or _asked_after_all(tx, activity, intake)
    if found is None:
        raise NotFound("Nobody here waits for this answer.")
    follows.accept(tx, found.follower_id, found.target_id)
    group = groups.find(tx, found.target_id)
    if group is not None and group.ledger_uri is not None:  # who belongs, and what was said before
        ledger.pull(tx, found.target_id)
    threads.want_outbox(tx, accounts.get(tx, found.target_id), found.follower_id)
    return PROCESSED


def receive_reject(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A request of one of ours was refused, or one of ours was removed as follower."""
    found = _asked(tx, activity)
    if found is None:
        raise NotFound("Nobody here waits for this answer.")
    if found.state == "pending" and activity.object_id != found.uri:
        insert_ignore(tx, undone, uri=found.uri, owner_uri=activity.actor, created_at=tx.ms)
    follows.reject(tx, found.follower_id, found.target_id)
    return PROCESSED


def _asked_after_all(tx: Tx, activity: Activity, intake: Intake) -> Follow | None:
    """The request that an Accept names, though a Reject ended it that did not name it.

    Misskey answers the Undo of a follow with a Reject under an id of its own. Whoever follows again at once has asked
    anew when it comes, and would be told that they do not follow while the other server says that they do.
    """
    uri = activity.object_id
    body = telling.find_sent(tx, uri) if uri is not None and _is_ended(tx, uri, activity.actor) else None
    if uri is None or body is None:
        return None
    sent, target = orjson.loads(body), sender(tx, activity, intake)
    if target.is_group or sent.get("type") != "Follow" or sent.get("object") != target.uri:
        return None
    follower = accounts.find_by_uri(tx, sent["actor"])
    if follower is None or follower.hidden or follows.find(tx, follower.id, target.id) is not None:
        return None
    tx.conn.execute(sa.delete(undone).where(undone.c.uri == uri))  # once: a Reject that names it is for good
    follows.renew(tx, follower, target, uri)
    return follows.find(tx, follower.id, target.id)


def _is_ended(tx: Tx, uri: str, by: str) -> bool:
    ended = sa.select(undone.c.uri).where(undone.c.uri == uri, undone.c.owner_uri == by)
    return tx.conn.execute(ended).first() is not None


def _asked(tx: Tx, activity: Activity) -> Follow | None:
    """The follow by a local account that an answer speaks of.

    An answer to another Follow of ours is old: whoever left and asks again is not let in by the word of then.
    """
    found = follows.find_by_uri(tx, activity.object_id) if activity.object_id else None
    is_old = activity.object_id is not None and tx.site.urls.owns(activity.object_id)
    if found is None and not is_old and isinstance(activity.object, dict):
        follower_uri, target_uri = field_uri(activity.object, "actor"), field_uri(activity.object, "object")
        found = _between(tx, follower_uri, target_uri or activity.actor)
    follower = accounts.find(tx, found.follower_id) if found is not None else None
    return found if follower is not None and follower.local else None


def _between(tx: Tx, follower_uri: str | None, target_uri: str | None) -> Follow | None:
    follower = accounts.find_by_uri(tx, follower_uri) if follower_uri else None
    target = accounts.find_by_uri(tx, target_uri) if target_uri else None
    return follows.find(tx, follower.id, target.id) if follower is not None and target is not None else None


def verify_undo_follow(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Only the follower may take a follow back. Raises Forbidden."""
    account = sender(tx, activity, intake)
    claimed = field_uri(activity.object, "actor")
    found = follows.find_by_uri(tx, activity.object_id) if activity.object_id else None
    if (claimed is not None and claimed != activity.actor) or (found is not None and found.follower_id != account.id):
        raise Forbidden("Only the follower may take a follow back.")


def receive_undo_follow(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Somebody no longer follows one of ours, or leaves a group."""
    account = sender(tx, activity, intake)
    found = follows.find_by_uri(tx, activity.object_id) if activity.object_id else None
    if found is None:
        found = _between(tx, account.uri, field_uri(activity.object, "object"))
    note_undone(tx, activity.object_id, activity.actor)
    if found is None:
        return IGNORED
    _leave(tx, account, found.target_id)
    return PROCESSED


def _leave(tx: Tx, account: Account, target_id: int) -> None:
    target = accounts.get(tx, target_id)
    if target.is_group:
        if memberships.is_last_admin(tx, target.id, account.id):  # it has happened: the group finds a successor
            stewardship.succeed(tx, target.id, account.id)
        memberships.leave(tx, account, target)
    else:
        follows.unfollow(tx, account.id, target.id)


def receive_undo_accept(tx: Tx, activity: Activity, intake: Intake) -> str:
    """An acceptance is taken back: one of ours is no follower any more."""
    inner = next(iter(ids_of(activity.object.get("object"))), None) if isinstance(activity.object, dict) else None
    found = follows.find_by_uri(tx, inner) if inner else None
    if found is None or found.target_id != sender(tx, activity, intake).id:
        return IGNORED
    follows.reject(tx, found.follower_id, found.target_id)
    return PROCESSED


def receive_leave(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A member leaves a group."""
    member: Account = sender(tx, activity, intake)
    group = accounts.find_by_uri(tx, activity.object_id) if activity.object_id else None
    if group is None or not group.local:
        return IGNORED
    _leave(tx, member, group.id)
    return PROCESSED


# -- blocks ----------------------------------------------------------------------------------------------------------


def receive_block(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Somebody keeps one of ours away: neither follows the other any more, nor can. What the other server has ended on
    its side is ended here without a word back (Mastodon sends such words; nobody needs them).

    One whose Undo came first ends the follows that there were by then.
    """
    account = sender(tx, activity, intake)
    target = _blockable(tx, account, activity.object_id)
    if target is None:
        return IGNORED
    ended_at = undone_at(tx, activity.id)
    if ended_at is not None:
        blocks.end_follows(tx, account.id, target.id, before=ended_at)
        return IGNORED
    blocks.block(tx, account, target, uri=activity.id)
    return PROCESSED


def receive_undo_block(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Somebody no longer keeps one of ours away; follows do not come back."""
    account = sender(tx, activity, intake)
    target_id = blocks.find_target(tx, account.id, activity.object_id) if activity.object_id else None
    if target_id is None:
        target = _blockable(tx, account, field_uri(activity.object, "object"))
        known = target is not None and account.id in blocks.blockers(tx, target.id, {account.id})
        target_id = target.id if target is not None and known else None
    note_undone(tx, activity.object_id, activity.actor)
    if target_id is None:
        return IGNORED
    blocks.unblock(tx, account.id, target_id)
    return PROCESSED


def _blockable(tx: Tx, account: Account, uri: str | None) -> Account | None:
    """The person of ours whom this account may block: groups neither block nor are blocked, they ban."""
    target = accounts.find_by_uri(tx, uri) if uri else None
    if target is None or not target.local or target.kind == "service" or target.is_group or account.is_group:
        return None
    return target
