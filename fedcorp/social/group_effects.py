"""What follows from what happened in a group: who is told, and what changes with it. Called by `effects`.

Runs inside the unit that recorded the event. Notices are sent by the server that the group lives on, to people of every
department alike.
"""

from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.social import accounts, events, groups, invitations, memberships, notices, policy, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import group_reports, home
from fedcorp.storage.tables import statuses as statuses_table


def _local_group(tx: Tx, group_id: int) -> Account | None:
    group = accounts.find(tx, group_id)
    return group if group is not None and group.local and not group.hidden else None


def _name(group: Account) -> str:
    return f"{group.display_name or group.username} (@{group.handle})"


def _moderators(tx: Tx, group: Account, *but: int | None) -> list[int]:
    return [id_ for id_ in memberships.moderators(tx, group.id) if id_ not in but]


# -- members ---------------------------------------------------------------------------------------------------------


def asked_to_join(tx: Tx, group_id: int, applicant_id: int, message: str) -> None:
    """Somebody waits for a moderator's word: all moderators hear of it, wherever they live."""
    group, applicant = _local_group(tx, group_id), accounts.find(tx, applicant_id)
    if group is None or applicant is None:
        return
    words = f"{applicant.display_name or applicant.username} (@{applicant.handle}) asks to join {_name(group)}."
    notices.tell(tx, group, _moderators(tx, group), words, reason=message)


def member_changed(tx: Tx, event: events.MemberChanged) -> None:
    """Tell the person; whoever is out does not see the group at home any more."""
    if event.role not in ("member", "moderator", "admin"):
        theirs = sa.select(statuses_table.c.id).where(statuses_table.c.account_id == event.group_id)
        tx.conn.execute(sa.delete(home).where(home.c.account_id == event.account_id, home.c.entry_id.in_(theirs)))
    group = _local_group(tx, event.group_id)
    if group is None or event.account_id == event.actor_id:
        return
    words = _words_for_member(group, event)
    if words:
        notices.tell(tx, group, [event.account_id], words, reason=event.reason)


def _words_for_member(group: Account, event: events.MemberChanged) -> str:
    name = _name(group)
    match event.was, event.role:
        case None, "member":
            return f"Welcome to {name}." if event.actor_id is not None else ""
        case "outcast", None:
            return f"You may ask to join {name} again."
        case _, None:
            return f"You do not belong to {name} any more." if event.actor_id is not None else ""
        case _, "outcast":
            until = "" if event.until_at is None else " for a time"
            return f"You were excluded from {name}{until}."
        case _, "member":
            return f"You are a simple member of {name} again."
        case _, role:
            return f"You are now {'an admin' if role == 'admin' else 'a moderator'} of {name}."


def refused(tx: Tx, group_id: int, applicant_id: int, reason: str) -> None:
    """A wish to join was refused."""
    group = _local_group(tx, group_id)
    if group is not None:
        notices.tell(tx, group, [applicant_id], f"Your request to join {_name(group)} was not granted.", reason=reason)


def invited(tx: Tx, event: events.Invited) -> None:
    """An invitation is a message too: whoever follows the group then is let in, with any client."""
    group, found = _local_group(tx, event.group_id), invitations.find(tx, event.invitation_id)
    inviter = accounts.find(tx, found.by_id) if found is not None and found.by_id is not None else None
    if group is None or found is None or found.state != "open":  # who had asked to join is welcomed instead
        return
    by = f"{inviter.display_name or inviter.username} invites you" if inviter is not None else "You are invited"
    words = f"{by} into {_name(group)}. Follow @{group.handle} to join."
    notices.tell(tx, group, [found.account_id], words, reason=found.message)


def invitation_ended(tx: Tx, event: events.InvitationEnded) -> None:
    """Whoever invited hears the answer; whoever was invited, that the invitation was taken back."""
    group, found = _local_group(tx, event.group_id), invitations.find(tx, event.invitation_id)
    invitee = accounts.find(tx, found.account_id) if found is not None else None
    if group is None or found is None or invitee is None:
        return
    if event.state == "revoked":
        notices.tell(tx, group, [invitee.id], f"The invitation into {_name(group)} was taken back.")
    elif found.by_id is not None:
        words = f"@{invitee.handle} {event.state} the invitation into {_name(group)}."
        notices.tell(tx, group, [found.by_id], words)


# -- posts -----------------------------------------------------------------------------------------------------------

_WORDS = {
    "held": "Your post to {group} waits for a moderator.",
    "accepted": "Your post to {group} was accepted.",
    "rejected": "Your post to {group} was not accepted.",
    "removed": "Your post was taken out of {group}.",
    "restored": "Your post is back in {group}.",
    "locked": "Nobody answers to your post in {group} any more; it was locked.",
    "unlocked": "Your post in {group} takes answers again.",
}


def post_judged(tx: Tx, event: events.PostJudged) -> None:
    """The author hears of it; of what waits, the moderators too."""
    group, status = _local_group(tx, event.group_id), statuses.find(tx, event.status_id)
    if group is None or status is None:
        return
    if event.verdict in ("locked", "unlocked"):  # is about the thread, whichever of its posts was named
        status = statuses.find(tx, status.thread_id) or status
    words = _WORDS.get(event.verdict)
    if words is not None and status.account_id != event.actor_id:
        notices.tell(tx, group, [status.account_id], words.format(group=_name(group)), reason=event.reason)
    if event.verdict == "held":
        moderators = _moderators(tx, group, status.account_id)
        notices.tell(tx, group, moderators, f"A post in {_name(group)} waits for a moderator.")


def written_to_moderators(tx: Tx, group: Account, status: Status, author: Account) -> None:
    """Somebody wrote to the group alone: a message to all its moderators, in which department they may be."""
    words = f"{author.display_name or author.username} (@{author.handle}) writes to the moderators of {_name(group)}."
    notices.tell(tx, group, _moderators(tx, group, author.id), words, reason=status.text)


def reported(tx: Tx, event: events.Reported) -> None:
    """All moderators hear of a report, but not who made it."""
    group = _local_group(tx, event.group_id)
    row: Any = tx.conn.execute(sa.select(group_reports).where(group_reports.c.id == event.report_id)).first()
    if group is None or row is None:
        return
    subject = accounts.find(tx, row.account_id)
    about = f"@{subject.handle}" if subject is not None else "somebody"
    posts = len(orjson.loads(row.status_ids))
    words = f"A report in {_name(group)} about {about}" + (f", with {posts} posts." if posts else ".")
    notices.tell(tx, group, _moderators(tx, group, row.account_id), words, reason=row.comment)


def report_resolved(tx: Tx, event: events.ReportResolved) -> None:
    """Whoever made the report hears that somebody dealt with it."""
    group = _local_group(tx, event.group_id)
    by_id = tx.conn.execute(sa.select(group_reports.c.by_id).where(group_reports.c.id == event.report_id)).scalar()
    if group is not None and by_id is not None and by_id != event.actor_id:
        notices.tell(tx, group, [by_id], f"Your report in {_name(group)} was dealt with.")


# -- groups and people that end --------------------------------------------------------------------------------------


_CHANGES = {
    "rules": "The rules of {group} changed.",
    "archived": "{group} is archived: it stays readable, and nobody posts there any more.",
    "opened": "{group} is open again.",
}


def group_changed(tx: Tx, event: events.GroupChanged) -> None:
    """The other moderators hear of it. Not all members: there may be thousands, and whoever posts is told then."""
    group, rules = _local_group(tx, event.group_id), groups.find(tx, event.group_id)
    if group is not None and rules is not None:
        what = "archived" if rules.archived_at == tx.ms else event.what
        notices.tell(tx, group, _moderators(tx, group, event.actor_id), _CHANGES[what].format(group=_name(group)))


def wish_refused(tx: Tx, group: Account, actor_id: int, reason: str) -> None:
    """A member elsewhere, whose server could not know better, hears that the group did not do what they wanted."""
    if memberships.role_of(tx, group.id, actor_id) in policy.MEMBERS:
        notices.tell(tx, group, [actor_id], f"What you wanted of {_name(group)} was not done.", reason=reason)
