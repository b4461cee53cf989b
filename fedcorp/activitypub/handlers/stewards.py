"""What moderators and members elsewhere do in groups of ours, and what groups elsewhere answer to our people.

Authority is that of the group's own record, asked by `social.stewardship`; the domain of the sender never counts. Every
act of a moderator is answered with Accept or Reject, so that the moderator's own server can show what became of it.
"""

import logging
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from fedcorp.activitypub import group_telling, serving, telling
from fedcorp.activitypub.documents import Activity
from fedcorp.activitypub.handlers import actors, follow, interactions, leaves, quotes, statuses
from fedcorp.activitypub.handlers.parties import IGNORED, PROCESSED, field_uri, find_status, sender
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.signers import Signer
from fedcorp.activitypub.vocabulary import as_list, first_string, ids_of, parse_time, types_of, value_or_id
from fedcorp.clock import from_ms, to_ms
from fedcorp.errors import BadRequest, FedcorpError, Forbidden, NotFound
from fedcorp.social import accounts, group_effects, group_posts, groups, invitations, reports, stewardship, text, wishes
from fedcorp.social import statuses as social_statuses
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import audit

log = logging.getLogger("fedcorp.activitypub")
REFUSED = "refused"
MAX_DIGITS = 18


def _local_group(tx: Tx, uri: str | None) -> Account | None:
    account = accounts.find_by_uri(tx, uri) if uri else None
    return account if account is not None and account.local and account.is_group and not account.hidden else None


def _addressed_group(tx: Tx, activity: Activity) -> Account | None:
    """The group of ours that an act speaks of: by `audience`, else by whom it is addressed to."""
    found = (_local_group(tx, uri) for uri in (*activity.audience, *activity.to, *activity.cc))
    return next((group for group in found if group is not None), None)


def _reason(activity: Activity) -> str:
    return first_string(activity.doc.get("summary")) or ""


def _until(activity: Activity) -> int | None:
    time = parse_time(activity.doc.get("endTime") or activity.doc.get("expires"))  # Mbin says `expires`
    return to_ms(time) if time is not None else None


def _subject(tx: Tx, uri: str | None, intake: Intake) -> Account:
    found = accounts.find_by_uri(tx, uri) if uri else None
    if found is None and uri is not None and not tx.site.urls.owns(uri):
        intake.require(uri, "actor")
    if found is None:
        raise NotFound("There is no such person.")
    return found


def _act(tx: Tx, activity: Activity, group: Account, actor: Account, work: Callable[[], object]) -> str:
    """Do it if the group's own record allows it, answer the moderator, and write down what was refused."""
    try:
        with tx.step():
            work()
    except FedcorpError as error:
        log.info("refused %s in the group %s: %s", activity.type, group.handle, error.text)
        values = {"created_at": tx.ms, "actor": actor.uri, "act": f"group.{activity.type}", "subject": group.uri}
        tx.conn.execute(sa.insert(audit).values(**values, outcome=REFUSED, reason=error.text))
        group_effects.wish_refused(tx, group, actor.id, error.text)
        if activity.id is not None:
            group_telling.answer(tx, group, actor, activity.id, refused=error.text)
        return REFUSED
    if activity.id is not None:
        group_telling.answer(tx, group, actor, activity.id, refused=None)
    return PROCESSED


# -- Accept, Reject, TentativeAccept ---------------------------------------------------------------------------------


def verify_answer(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Whoever was asked may answer, and moderators for their group. Raises Forbidden."""
    sender(tx, activity, intake)
    if quotes.is_answer(tx, activity):
        quotes.verify_answer(tx, activity, intake)
    elif leaves.is_answer(tx, activity):
        leaves.verify_answer(tx, activity, intake)
    elif _moderated(tx, activity) is None:
        follow.verify_answer(tx, activity, intake)


def _moderated(tx: Tx, activity: Activity) -> Account | None:
    """The group of ours for which somebody answers a request to join."""
    if activity.object_type in ("Follow", "Join"):
        return _local_group(tx, field_uri(activity.object, "object"))
    if activity.object_type == "Note":
        return _addressed_group(tx, activity)
    return None


def receive_accept(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A request was granted: ours, or one to join a group of ours, or a post that waited there."""
    if quotes.is_answer(tx, activity):
        return quotes.receive_accept(tx, activity, intake)
    if leaves.is_answer(tx, activity):
        return leaves.receive_accept(tx, activity, intake)
    actor, group = sender(tx, activity, intake), _moderated(tx, activity)
    if group is None:
        return PROCESSED if _settle(tx, activity, actor, "done") else follow.receive_accept(tx, activity, intake)
    if activity.object_type == "Note":
        return _judge(tx, activity, group, actor, activity.object_id, "accepted", intake)
    subject = _subject(tx, field_uri(activity.object, "actor"), intake)
    return _act(tx, activity, group, actor, lambda: stewardship.approve(tx, group, actor, subject, act_uri=activity.id))


def receive_reject(tx: Tx, activity: Activity, intake: Intake) -> str:
    """What we asked for was refused (to follow, quote, answer, boost, moderate, post), or what we did (an answer, a
    favourite, a boost), or a request to join a group of ours; or the other server takes no activity of ours."""
    if _ends_delivery(tx, activity, intake):
        return PROCESSED
    if quotes.is_answer(tx, activity):
        return quotes.receive_reject(tx, activity, intake)
    if leaves.is_answer(tx, activity):
        return leaves.receive_reject(tx, activity, intake)
    actor, group = sender(tx, activity, intake), _moderated(tx, activity)
    if group is not None:
        if activity.object_type == "Note":
            return _judge(tx, activity, group, actor, activity.object_id, "rejected", intake)
        subject = _subject(tx, field_uri(activity.object, "actor"), intake)
        return _act(
            tx, activity, group, actor, lambda: stewardship.refuse(tx, group, actor, subject, _reason(activity))
        )
    if activity.object_type == "Invite":
        return _declined(tx, activity, actor)
    if _settle(tx, activity, actor, REFUSED) or _note_post(tx, activity, actor, "rejected"):
        return PROCESSED
    if interactions.receive_refusal(tx, activity, actor) or leaves.receive_refusal(tx, activity, actor):
        return PROCESSED
    return follow.receive_reject(tx, activity, intake)


def _ends_delivery(tx: Tx, activity: Activity, intake: Intake) -> bool:
    """NodeBB rejects what it cannot act upon by naming its type and its object, but no id and no actor."""
    thing = activity.object
    if activity.object_id is not None or not isinstance(thing, dict) or "actor" in thing:
        return False
    kind, about = activity.object_type, field_uri(thing, "object")
    return kind is not None and about is not None and telling.refuse(tx, intake.domain, kind, about)


def receive_tentative(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A group keeps a post of ours for its moderators."""
    return PROCESSED if _note_post(tx, activity, sender(tx, activity, intake), "held") else IGNORED


def _settle(tx: Tx, activity: Activity, actor: Account, state: str) -> bool:
    """The group has decided on a wish of one of ours. Nobody else can: the wish names its group."""
    if activity.object_id is None or not actor.is_group or not wishes.is_pending(tx, activity.object_id, actor.id):
        return False
    return wishes.settle(tx, activity.object_id, state, _reason(activity)) is not None


def _note_post(tx: Tx, activity: Activity, group: Account, state: str) -> bool:
    status = _own_post(tx, activity.object_id)
    known = group_posts.find(tx, group.id, status.id) if status is not None else None
    if status is None or known is None or known.state not in ("pending", "held"):
        return False
    group_posts.note_state(tx, group.id, status.id, state, _reason(activity))
    return True


def _own_post(tx: Tx, uri: str | None) -> social_statuses.Status | None:
    """The status of ours that a Create (or its own id) names."""
    id_ = tx.site.urls.find_activity_id(uri) or tx.site.urls.find_object_id(uri) if uri else None
    found = social_statuses.find(tx, id_) if id_ is not None else None
    return found if found is not None and found.local else None


def _declined(tx: Tx, activity: Activity, invitee: Account) -> str:
    found = invitations.find_by_uri(tx, activity.object_id) if activity.object_id else None
    group = accounts.find(tx, found.group_id) if found is not None else None
    if found is None or group is None or not group.local or found.account_id != invitee.id:
        return IGNORED
    return _act(tx, activity, group, invitee, lambda: stewardship.decline(tx, group, invitee))


# -- Invite ----------------------------------------------------------------------------------------------------------


def verify_invite(tx: Tx, activity: Activity, intake: Intake) -> None:
    """A group invites for itself, its members for it. Raises Forbidden for anybody else's invitation."""
    actor = sender(tx, activity, intake)
    if _local_group(tx, activity.object_id) is None and activity.object_id != actor.uri:
        raise Forbidden("Only the group itself tells of its invitations.")


def receive_invite(tx: Tx, activity: Activity, intake: Intake) -> str:
    """One of ours is invited into a group elsewhere, or a member elsewhere invites into one of ours."""
    actor, group = sender(tx, activity, intake), _local_group(tx, activity.object_id)
    message = first_string(activity.doc.get("content")) or ""
    if group is not None:
        invitee = _subject(tx, activity.target, intake)
        return _act(
            tx, activity, group, actor,
            lambda: stewardship.invite(tx, group, actor, invitee, message=message, expires_at=_until(activity)),
        )  # fmt: skip
    invitee_here = accounts.find_by_uri(tx, activity.target) if activity.target else None
    if invitee_here is None or not invitee_here.local or activity.id is None or not actor.is_group:
        return IGNORED
    expires_at = _until(activity) or tx.ms + invitations.LIFETIME_MS
    if expires_at <= tx.ms:
        raise Forbidden("The invitation has ended.")
    invitations.keep(tx, actor.id, invitee_here.id, None, uri=activity.id, message=message, expires_at=expires_at)
    return PROCESSED


def receive_undo_invite(tx: Tx, activity: Activity, intake: Intake) -> str:
    """An invitation is taken back, by the group or by a moderator elsewhere."""
    actor = sender(tx, activity, intake)
    group = _local_group(tx, field_uri(activity.object, "object"))
    target = field_uri(activity.object, "target")
    invitee = accounts.find_by_uri(tx, target) if target else None
    if invitee is None:
        return IGNORED
    if group is None:
        invitations.close(tx, actor.id, invitee.id, "revoked")
        return PROCESSED
    found = invitations.find_open(tx, group.id, invitee.id)
    if found is None:
        return IGNORED
    return _act(tx, activity, group, actor, lambda: stewardship.revoke_invitation(tx, group, actor, found))


# -- members ---------------------------------------------------------------------------------------------------------


def verify_act(tx: Tx, activity: Activity, intake: Intake) -> None:
    """The sender is known and not hidden; whether it may is asked of the group's record (`stewardship`)."""
    sender(tx, activity, intake)


def receive_block(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A moderator bans somebody from a group of ours; without any target, somebody keeps one of ours away."""
    actor, group = sender(tx, activity, intake), _local_group(tx, activity.target)
    if group is None:
        return IGNORED if as_list(activity.doc.get("target")) else follow.receive_block(tx, activity, intake)
    subject, until = _subject(tx, activity.object_id, intake), _until(activity)
    return _act(
        tx, activity, group, actor,
        lambda: stewardship.ban(tx, group, actor, subject, _reason(activity), until_at=until, act_uri=activity.id),
    )  # fmt: skip


def receive_undo_block(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A moderator lifts a ban; without any target, somebody keeps one of ours away no longer."""
    actor, group = sender(tx, activity, intake), _local_group(tx, field_uri(activity.object, "target"))
    if group is None:
        is_personal = not isinstance(activity.object, dict) or not as_list(activity.object.get("target"))
        return follow.receive_undo_block(tx, activity, intake) if is_personal else IGNORED
    subject = _subject(tx, field_uri(activity.object, "object"), intake)
    return _act(tx, activity, group, actor, lambda: stewardship.unban(tx, group, actor, subject, act_uri=activity.id))


def verify_add_or_remove(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Roles and pins of a group are its moderators' business, other collections their owner's. Raises Forbidden."""
    if _group_of_target(tx, activity) is None:
        statuses.verify_pin(tx, activity, intake)
    else:
        sender(tx, activity, intake)


def _group_of_target(tx: Tx, activity: Activity) -> Account | None:
    if activity.target is None or not tx.site.urls.owns(activity.target):
        return None
    return _local_group(tx, activity.target.rpartition("/")[0])


def receive_add_or_remove(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A role begins or ends in a group of ours, a post is pinned there; else a pin on a profile."""
    actor, group = sender(tx, activity, intake), _group_of_target(tx, activity)
    if group is None:
        return statuses.receive_pin(tx, activity, intake)
    adds = activity.type == "Add"
    if activity.target == group.featured_uri:
        return _judge(tx, activity, group, actor, activity.object_id, "pinned" if adds else "unpinned", intake)
    if activity.target == f"{group.uri}/moderators":  # FEP-1b12: the object is the person
        subject, role = _subject(tx, activity.object_id, intake), "moderator" if adds else "member"
        adds = True
    elif isinstance(activity.object, dict) and "Relationship" in types_of(activity.object):
        subject = _subject(tx, value_or_id(activity.object.get("subject")), intake)
        role = str(activity.object.get("relationship"))
    else:
        return IGNORED
    if adds:
        return _act(
            tx, activity, group, actor,
            lambda: stewardship.give_role(tx, group, actor, subject, role, act_uri=activity.id),
        )  # fmt: skip
    return _act(
        tx, activity, group, actor,
        lambda: stewardship.remove(tx, group, actor, subject, _reason(activity), act_uri=activity.id),
    )  # fmt: skip


# -- posts and rules -------------------------------------------------------------------------------------------------


def _judge(
    tx: Tx, activity: Activity, group: Account, actor: Account, uri: str | None, verdict: str, intake: Intake
) -> str:
    status = find_status(tx, uri, intake)
    if status is None:
        return IGNORED
    return _act(
        tx, activity, group, actor,
        lambda: stewardship.judge(tx, group, actor, status, verdict, _reason(activity), act_uri=activity.id),
    )  # fmt: skip


def verify_delete(tx: Tx, activity: Activity, intake: Intake) -> None:
    """A moderator takes a post out of a group of ours; else somebody deletes what is theirs. Raises Forbidden."""
    if _bereft_group(tx, activity) is None:
        statuses.verify_delete(tx, activity, intake)
    else:
        sender(tx, activity, intake)


def _bereft_group(tx: Tx, activity: Activity) -> Account | None:
    """The group of ours that a Delete takes a post out of: it is the audience, and there is a summary.

    So do Lemmy's moderators, and ours. What an author deletes, perhaps of a group that the same person moderates, has
    no summary.
    """
    groups_named = [group for uri in activity.audience if (group := _local_group(tx, uri)) is not None]
    status = social_statuses.find_by_uri(tx, activity.object_id) if activity.object_id else None
    if status is None or "summary" not in activity.doc:
        return None
    return next((group for group in groups_named if group_posts.find(tx, group.id, status.id) is not None), None)


def receive_delete(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A post is taken out of a group of ours; else something is gone."""
    group = _bereft_group(tx, activity)
    if group is None:
        return statuses.receive_delete(tx, activity, intake)
    return _judge(tx, activity, group, sender(tx, activity, intake), activity.object_id, "removed", intake)


def receive_lock(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A moderator ends a thread in a group of ours."""
    actor, group = sender(tx, activity, intake), _addressed_group(tx, activity)
    if group is None:
        return IGNORED
    return _judge(tx, activity, group, actor, activity.object_id, "locked", intake)


def receive_undo_lock(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A moderator opens a thread again."""
    return _taken_back(tx, activity, "unlocked", intake)


def receive_undo_delete(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A moderator puts a post back into a group of ours."""
    return _taken_back(tx, activity, "restored", intake)


def _taken_back(tx: Tx, activity: Activity, verdict: str, intake: Intake) -> str:
    actor, group = sender(tx, activity, intake), _addressed_group(tx, activity)
    if group is None:
        return IGNORED
    return _judge(tx, activity, group, actor, field_uri(activity.object, "object"), verdict, intake)


def verify_group_update(tx: Tx, activity: Activity, intake: Intake) -> None:
    """A group of ours is changed by its admins, any other by itself. Raises Forbidden."""
    if _local_group(tx, activity.object_id) is None:
        actors.verify_own_actor(tx, activity, intake)
    else:
        sender(tx, activity, intake)


def receive_group_update(tx: Tx, activity: Activity, intake: Intake) -> str:
    """The rules of a group of ours change by the word of an admin elsewhere; else a changed profile."""
    group = _local_group(tx, activity.object_id)
    if group is None:
        return actors.receive_update_actor(tx, activity, intake)
    actor = sender(tx, activity, intake)
    return _act(tx, activity, group, actor, lambda: _change(tx, activity, group, actor))


_TEXTS = (
    "title",
    "description",
    "purpose",
    "reach",
    "joining",
    "reading",
    "posting",
    "inviting",
    "history",
    "outsiders",
)


def _change(tx: Tx, activity: Activity, group: Account, actor: Account) -> None:
    thing = activity.object
    if isinstance(thing.get("archived"), bool):
        stewardship.archive(tx, group, actor, archived=thing["archived"], act_uri=activity.id)
        return
    wanted = thing.get("settings")
    if not isinstance(wanted, dict):
        raise BadRequest("The Update does not say what to change.")
    values: dict[str, Any] = {name: wanted[name] for name in _TEXTS if isinstance(wanted.get(name), str)}
    for name in ("rules", "topics"):
        if isinstance(wanted.get(name), list):
            values[name] = tuple(str(line) for line in wanted[name])
    if isinstance(wanted.get("premoderated"), bool):
        values["premoderated"] = wanted["premoderated"]
    if type(wanted.get("ends_at")) is int:
        values["ends_at"] = wanted["ends_at"]
    stewardship.change(tx, group, actor, groups.Settings(**values), act_uri=activity.id)


def verify_group_delete(tx: Tx, activity: Activity, intake: Intake) -> None:
    """A group of ours is deleted by its admins, any other by itself. Raises Forbidden."""
    verify_group_update(tx, activity, intake)


def receive_group_delete(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A group of ours ends by the word of an admin elsewhere; else an account is gone."""
    group = _local_group(tx, activity.object_id)
    if group is None:
        return actors.receive_delete_actor(tx, activity, intake)
    actor = sender(tx, activity, intake)
    return _act(tx, activity, group, actor, lambda: stewardship.delete(tx, group, actor))


def receive_resolve(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A moderator has dealt with a report in a group of ours."""
    actor, group = sender(tx, activity, intake), _addressed_group(tx, activity)
    place, _, number = (activity.object_id or "").rpartition("/")
    is_number = number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS
    if group is None or place != f"{group.uri}/reports" or not is_number:
        return IGNORED
    return _act(tx, activity, group, actor, lambda: stewardship.resolve_report(tx, group, actor, int(number)))


def _group_of_posts(tx: Tx, posts: list[social_statuses.Status]) -> Account | None:
    """The group of ours where the first of these posts stands: Mastodon addresses a report to the author alone."""
    group = accounts.find(tx, posts[0].group_id) if posts and posts[0].group_id is not None else None
    return group if group is not None and group.local and not group.hidden else None


def _reported_here(
    tx: Tx,
    activity: Activity,
    reporter: Account,
    subject: Account,
    posts: list[social_statuses.Status],
    comment: str,
    intake: Intake,
) -> str:
    """Keep a report about one of ours. Of the posts those count that the sender's server may have."""
    if not subject.local or subject.is_group or subject.hidden:
        return IGNORED
    signer = Signer(reporter.uri, intake.domain, intake.tier, from_ms(tx.ms))
    posts = list({one.id: one for one in (*posts, *_linked(tx, comment))}.values())
    seen = [one.id for one in posts if one.account_id == subject.id and serving.may_see(tx, one, signer)]
    reports.receive(tx, reporter, subject, status_ids=seen, comment=comment, uri=activity.id)
    return PROCESSED


def _linked(tx: Tx, comment: str) -> list[social_statuses.Status]:
    """Posts of ours that a report links in its words, by id or page: Misskey names the account alone beside them."""
    found = []
    for link in text.find_urls(comment[: reports.MAX_COMMENT]):
        page = tx.site.urls.find_page(link.url)
        id_ = page[1] if page is not None else tx.site.urls.find_object_id(link.url)
        found.append(social_statuses.find(tx, id_) if id_ is not None else None)
    return [status for status in found if status is not None]


def receive_flag(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Somebody reports something in a group of ours to its moderators, or one of ours to those of the department."""
    reporter = sender(tx, activity, intake)
    uris = ids_of(activity.object if isinstance(activity.object, list) else as_list(activity.object))
    posts = [status for uri in uris if (status := social_statuses.find_by_uri(tx, uri)) is not None]
    group = _addressed_group(tx, activity) or _group_of_posts(tx, posts)
    named = [account for uri in uris if (account := accounts.find_by_uri(tx, uri)) is not None]
    subject = named[0] if named else accounts.find(tx, posts[0].account_id) if posts else None
    if subject is None:
        return IGNORED
    comment = first_string(activity.doc.get("content")) or _reason(activity)
    if group is None:
        return _reported_here(tx, activity, reporter, subject, posts, comment, intake)
    stewardship.report(
        tx, group, subject, by=reporter, status_ids=[status.id for status in posts], comment=comment, uri=activity.id
    )
    if activity.id is not None and telling.find_received(tx, activity.id) is not None and not reporter.is_group:
        group_telling.answer(tx, group, reporter, activity.id, refused=None)
    return PROCESSED
