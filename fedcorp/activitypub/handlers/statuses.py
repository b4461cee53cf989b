"""Create, Update and Delete of notes, votes on polls, and pins. Whoever wrote a note decides on it, nobody else."""

from dataclasses import replace
from typing import Any

from fedcorp.activitypub import translate
from fedcorp.activitypub.documents import Activity, owner, same_origin
from fedcorp.activitypub.handlers import actors, quotes
from fedcorp.activitypub.handlers.parties import (
    DUPLICATE,
    IGNORED,
    PROCESSED,
    embedded,
    find_status,
    has_local_follower,
    pass_on,
    revive_orphans,
    sender,
)
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.vocabulary import PUBLIC, first_string, ids_of, value_or_id
from fedcorp.errors import BadRequest, Forbidden, NotFound
from fedcorp.social import accounts, interactions, memberships, policy, polls, receiving, statuses, stewardship
from fedcorp.social.accounts import Account
from fedcorp.social.receiving import RemoteStatus
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx

LATE_MS = 86_400_000  # what is older arrives without ringing anybody's bell


def _check_own(activity: Activity, doc: dict[str, Any]) -> None:
    """FEP-fe34: the actor owns the object, and both live under one origin."""
    uri = doc.get("id")
    if not isinstance(uri, str) or not same_origin(uri, activity.actor):
        raise Forbidden("The object has another origin than the actor.")
    if (owner(doc) or translate.author_of(doc)) != activity.actor:
        raise Forbidden("The object belongs to somebody else.")


def _told(activity: Activity, intake: Intake) -> dict[str, Any] | None:
    """The object of a Create or Update; a note that the activity itself brings and that names nobody is the actor's.

    ActivityPub 6.2 has servers copy the actor into the object, but not every sender does.
    """
    doc = embedded(activity, intake)
    if doc is None or doc is not activity.object:
        return doc
    if translate.is_of_book(doc):
        return _in_our_words(doc, intake)
    return doc if "attributedTo" in doc or not translate.is_note(doc) else {**doc, "attributedTo": activity.actor}


def _in_our_words(doc: dict[str, Any], intake: Intake) -> dict[str, Any]:
    """BookWyrm tells of every change in the words of its own kind. What others can read, with the book's title, stands
    at the address, but there everybody asks for it, and is given what is public."""
    uri = value_or_id(doc)
    if uri is not None and PUBLIC in {*ids_of(doc.get("to")), *ids_of(doc.get("cc"))}:
        found = intake.documents.get(uri)
        if found is not None:
            return found
        intake.want(uri, "document")
    return translate.of_book(doc)


def verify_create(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Raises Forbidden unless the actor wrote the object, by its own word and by ours, Missing when only its id was
    sent."""
    account = sender(tx, activity, intake)
    doc = _told(activity, intake)
    if doc is not None:
        _check_own(activity, doc)
        _check_known(tx, account, doc)


def receive_create(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A new note, or a vote on one of our polls."""
    doc = _told(activity, intake)
    if doc is None or not translate.is_note(doc):
        return IGNORED
    if translate.is_vote(doc):
        return _receive_vote(tx, doc, sender(tx, activity, intake))
    known = statuses.find_by_uri(tx, str(doc["id"]))
    if known is not None:  # WordPress says a post that was withdrawn to be worked on by a Create again
        is_later = (translate.updated_at(doc) or 0) > (known.edited_at or known.created_at)
        return receive_update(tx, activity, intake) if is_later else DUPLICATE
    _want_parent(tx, doc, intake)
    remote = translate.note(tx, doc, intake.tier, intake.sender)
    if not _concerns_us(tx, remote, intake) or _slips_past_group(tx, remote, intake):
        return IGNORED
    status = receiving.receive(tx, remote, quiet=remote.created_at < tx.ms - LATE_MS, is_new=True)
    if status is None:  # deleted before it came
        return IGNORED
    pass_on(tx, activity, status)
    revive_orphans(tx, status.uri)
    return PROCESSED


def _want_parent(tx: Tx, doc: dict[str, Any], intake: Intake) -> None:
    parent_uri = value_or_id(doc.get("inReplyTo"))
    if parent_uri is None or tx.site.urls.owns(parent_uri) or intake.tier == "unknown":
        return
    if statuses.find_by_uri(tx, parent_uri) is None:
        intake.want(parent_uri, "status")


def _concerns_us(tx: Tx, remote: RemoteStatus, intake: Intake) -> bool:
    """Departments may tell us anything; others only what somebody here follows, is named in, or has a part in."""
    if intake.tier == "department" or intake.forwarded or remote.group_id is not None:
        return True
    named = accounts.find_many(tx, {id_ for id_, _ in remote.mentions})
    if any(account.local for account in named.values()) or has_local_follower(tx, remote.account.id):
        return True
    if remote.quoted_uri is not None and tx.site.urls.owns(remote.quoted_uri):
        return True
    return remote.in_reply_to_uri is not None and statuses.find_by_uri(tx, remote.in_reply_to_uri) is not None


def _slips_past_group(tx: Tx, remote: RemoteStatus, intake: Intake) -> bool:
    """A post for the members of a group elsewhere counts only as that group passes it on."""
    if remote.visibility != policy.GROUP or remote.group_id is None:
        return remote.visibility == policy.GROUP
    group = accounts.get(tx, remote.group_id)
    return not group.local and intake.announced_by != group.id


def _receive_vote(tx: Tx, doc: dict[str, Any], voter: Account) -> str:
    """One option of one of our polls, chosen by somebody who may see it (FEP-9967)."""
    return _vote(tx, voter, value_or_id(doc.get("inReplyTo")), doc["name"], str(doc.get("id")))


def receive_poll_vote(tx: Tx, activity: Activity, intake: Intake) -> str:
    """The same in the words of PieFed: an activity about the poll, with the option beside it."""
    voter = sender(tx, activity, intake)
    title = first_string(activity.doc.get("choice_text"))
    if title is None or activity.id is None:
        return IGNORED
    return _vote(tx, voter, activity.object_id, title, activity.id)


def _vote(tx: Tx, voter: Account, question_uri: str | None, title: str, uri: str) -> str:
    question = statuses.find_by_uri(tx, question_uri or "")
    if question is None or not question.local or question.poll_id is None:
        return IGNORED
    if not policy.may_see(policy.Viewer(voter.id), statuses.facts(tx, question, voter.id)):
        raise NotFound
    titles = [option.title for option in polls.get(tx, question.poll_id, None).options]
    if title not in titles:
        raise BadRequest("The poll has no such option")
    polls.vote(tx, voter, question.poll_id, [titles.index(title)], uri=uri)
    return PROCESSED


def verify_update(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Raises Forbidden unless the actor wrote the note, by its own word and by ours."""
    account = sender(tx, activity, intake)
    doc = _told(activity, intake)
    if doc is None:
        return
    if translate.is_actor(doc):
        actors.verify_own_actor(tx, activity, intake)
        return
    _check_own(activity, doc)
    _check_known(tx, account, doc)


def _check_known(tx: Tx, account: Account, doc: dict[str, Any]) -> None:
    known = statuses.find_by_uri(tx, str(doc["id"]))
    if known is not None and known.account_id != account.id:
        raise Forbidden("The note belongs to somebody else.")


def receive_update(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A changed note or a new tally; the greater `updated` wins, an unknown note is stored when it concerns us."""
    doc = _told(activity, intake)
    if doc is not None and translate.is_actor(doc):
        return actors.receive_update_actor(tx, activity, intake)
    if doc is None or not translate.is_note(doc):
        return IGNORED
    remote = translate.note(tx, doc, intake.tier)
    known = statuses.find_by_uri(tx, remote.uri)
    if known is None and (not _concerns_us(tx, remote, intake) or _slips_past_group(tx, remote, intake)):
        return IGNORED
    if known is not None and remote.edited_at is None and known.content != remote.content:
        remote = replace(remote, edited_at=translate.updated_at(doc))  # changed in the second of its first words
    status = receiving.receive_edit(tx, remote)
    if status is None:
        return IGNORED
    pass_on(tx, activity, status)
    if known is None:
        revive_orphans(tx, status.uri)
    return PROCESSED


def verify_delete(tx: Tx, activity: Activity, intake: Intake) -> None:
    """The author may delete, the moderators of a local group may take a post out of it, and a server may delete what
    lies under its own origin (FEP-fe34, FEP-baf5). Raises Forbidden.
    """
    uri = activity.object_id
    if uri is None or same_origin(uri, activity.actor):
        return
    status = statuses.find_by_uri(tx, uri)
    moderator = accounts.find_by_uri(tx, activity.actor)
    group = accounts.find(tx, status.group_id) if status is not None and status.group_id is not None else None
    if moderator is None or group is None or not group.local:
        raise Forbidden("Only the author may delete this.")
    memberships.check_may_moderate(tx, group.id, moderator.id)


def receive_delete(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A note, a boost or an account is gone; of a note that never came, the fact is kept."""
    uri = activity.object_id
    if uri is None:
        return IGNORED
    if uri == activity.actor:
        return actors.receive_delete_actor(tx, activity, intake)
    status = statuses.find_by_uri(tx, uri)
    if quotes.is_stamp_deleted(tx, activity):
        return quotes.receive_stamp_deleted(tx, activity)
    if status is None:
        receiving.receive_delete(tx, uri, activity.actor)
        return IGNORED
    if status.local or not same_origin(uri, activity.actor) or _is_by_moderator(tx, status, activity):
        return _take_out_of_group(tx, status, activity)
    if status.reblog_of_id is not None:
        booster = accounts.find(tx, status.account_id)
        if booster is not None:
            interactions.unreblog(tx, booster, status.reblog_of_id)
        return PROCESSED
    if not receiving.receive_delete(tx, uri, activity.actor):
        return DUPLICATE
    pass_on(tx, activity, status)
    return PROCESSED


def _is_by_moderator(tx: Tx, status: Status, activity: Activity) -> bool:
    """Whether a neighbour of the author moderates the group: then the post is out of the group, and not gone."""
    group = accounts.find(tx, status.group_id) if status.group_id is not None else None
    actor = accounts.find_by_uri(tx, activity.actor)
    if group is None or actor is None or not group.local or actor.id == status.account_id:
        return False
    return policy.may_moderate(memberships.role_of(tx, group.id, actor.id))


def _take_out_of_group(tx: Tx, status: Status, activity: Activity) -> str:
    """A moderator's Delete: the group no longer shows the post; the post itself is its author's."""
    group = accounts.find(tx, status.group_id) if status.group_id is not None else None
    moderator = accounts.find_by_uri(tx, activity.actor)
    if group is None or moderator is None or not group.local:
        return IGNORED
    reason = first_string(activity.doc.get("summary")) or ""
    stewardship.judge(tx, group, moderator, status, "removed", reason, act_uri=activity.id)
    return PROCESSED


def verify_pin(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Only the owner of a featured collection may change it. Raises Forbidden."""
    account = sender(tx, activity, intake)
    if activity.target is None or activity.target != account.featured_uri:
        raise Forbidden("The collection belongs to somebody else.")


def receive_pin(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Add to or Remove from the featured collection: a pinned status."""
    account = sender(tx, activity, intake)
    status = find_status(tx, activity.object_id, intake)
    if status is None or status.account_id != account.id:
        return IGNORED
    if activity.type == "Add":
        interactions.pin(tx, account, status)
    else:
        interactions.unpin(tx, account, status)
    return PROCESSED
