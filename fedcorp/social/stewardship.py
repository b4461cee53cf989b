"""What moderators and admins do in a local group: let in, keep out, give roles, judge posts, change the rules.

Every verb first asks the group's own record for the role of whoever acts, wherever that person lives; the domain of the
sender never counts. `act_uri` is the activity by which somebody elsewhere did it. For groups elsewhere our people can
only wish: `wishes`.
"""

from dataclasses import dataclass

import orjson
import sqlalchemy as sa

from fedcorp.errors import Forbidden, NotFound, Unprocessable
from fedcorp.social import accounts, follows, group_posts, groups, invitations, memberships, policy
from fedcorp.social.accounts import Account
from fedcorp.social.events import GroupChanged, InvitationEnded, Invited, Reported, ReportResolved
from fedcorp.social.group_posts import GroupPost
from fedcorp.social.invitations import Invitation
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import group_reports
from fedcorp.storage.upsert import insert_ignore

MAX_REASON = 5000
MAX_OPEN_INVITATIONS = 500


def _check_reason(reason: str) -> str:
    if len(reason) > MAX_REASON:
        raise Unprocessable(f"Validation failed: a reason has at most {MAX_REASON} characters")
    return reason.strip()


# -- who asks to join ------------------------------------------------------------------------------------------------


def approve(tx: Tx, group: Account, actor: Account, applicant: Account, *, act_uri: str | None = None) -> None:
    """Let somebody in who asked. Doing it twice changes nothing. Raises Forbidden, NotFound when nobody asked."""
    memberships.check_may_moderate(tx, group.id, actor.id)
    if memberships.role_of(tx, group.id, applicant.id) in policy.MEMBERS:
        return
    if follows.find(tx, applicant.id, group.id) is None:
        raise NotFound("This person has not asked to join.")
    if _rules(tx, group).archived_at is not None:
        raise Forbidden("This group is archived; nobody joins it any more.")
    memberships.add(tx, group.id, applicant.id, actor_id=actor.id)
    follows.accept(tx, applicant.id, group.id)


def refuse(tx: Tx, group: Account, actor: Account, applicant: Account, reason: str = "") -> None:
    """Refuse somebody who asked to join. Raises Forbidden, NotFound when nobody waits."""
    memberships.check_may_moderate(tx, group.id, actor.id)
    asked = follows.find(tx, applicant.id, group.id)
    if asked is None or asked.state != "pending":
        raise NotFound("This person has not asked to join.")
    follows.reject(tx, applicant.id, group.id, reason=_check_reason(reason))


# -- invitations -----------------------------------------------------------------------------------------------------


def invite(
    tx: Tx,
    group: Account,
    actor: Account,
    invitee: Account,
    *,
    message: str = "",
    expires_at: int | None = None,
    uri: str | None = None,
) -> Invitation:
    """Invite somebody, wherever they live; until `expires_at` (ms, two weeks when not given) they need no approval.

    Raises Forbidden, Unprocessable for members, outcasts, groups and times that have passed.
    """
    rules = _rules(tx, group)
    if not policy.may_invite(rules.inviting, memberships.role_of(tx, group.id, actor.id)):
        raise Forbidden("You may not invite people into this group.")
    if rules.archived_at is not None:
        raise Forbidden("This group is archived; nobody joins it any more.")
    role = memberships.role_of(tx, group.id, invitee.id)
    if role in policy.MEMBERS:
        raise Unprocessable(f"@{invitee.acct} belongs to the group already.")
    if role == "outcast":
        raise Unprocessable(f"@{invitee.acct} is banned from the group; lift the ban first.")
    if invitee.kind != "person":
        raise Unprocessable(f"@{invitee.acct} is not a person.")
    if not memberships.is_within_reach(tx, rules, invitee):
        raise Unprocessable(f"@{invitee.acct} is outside the reach of this group ({rules.reach}).")
    until = expires_at if expires_at is not None else tx.ms + invitations.LIFETIME_MS
    if until <= tx.ms:
        raise Unprocessable("Validation failed: the invitation would have ended already")
    if len(invitations.of_group(tx, group.id)) >= MAX_OPEN_INVITATIONS:
        raise Unprocessable(f"Validation failed: a group has at most {MAX_OPEN_INVITATIONS} open invitations")
    known = invitations.find_open(tx, group.id, invitee.id)
    if known is not None:
        return known
    asked = follows.find(tx, invitee.id, group.id)
    made = invitations.keep(
        tx, group.id, invitee.id, actor.id, uri=uri or tx.site.urls.activity(tx.new_id()), message=message,
        expires_at=until,
    )  # fmt: skip
    if made is None:
        raise Unprocessable("This invitation was used before.")
    tx.record(Invited(group.id, made.id))
    if asked is not None and asked.state == "pending":  # both sides want it
        memberships.add(tx, group.id, invitee.id, actor_id=actor.id)
        follows.accept(tx, invitee.id, group.id)
        invitations.close(tx, group.id, invitee.id, "accepted")
    return made


def revoke_invitation(tx: Tx, group: Account, actor: Account, invitation: Invitation) -> None:
    """Take an invitation back. Raises Forbidden for who neither moderates nor made it, NotFound for another group's."""
    if invitation.group_id != group.id:
        raise NotFound
    if invitation.by_id != actor.id:
        memberships.check_may_moderate(tx, group.id, actor.id)
    if invitation.state == "open":
        invitations.close(tx, group.id, invitation.account_id, "revoked")
        tx.record(InvitationEnded(group.id, invitation.id, "revoked"))


def decline(tx: Tx, group: Account, invitee: Account) -> None:
    """Say no to an invitation. Raises NotFound when there is none."""
    known = invitations.find_open(tx, group.id, invitee.id)
    if known is None:
        raise NotFound("There is no invitation that you could decline.")
    invitations.close(tx, group.id, invitee.id, "declined")
    tx.record(InvitationEnded(group.id, known.id, "declined"))


# -- members ---------------------------------------------------------------------------------------------------------


def remove(
    tx: Tx, group: Account, actor: Account, member: Account, reason: str = "", *, act_uri: str | None = None
) -> None:
    """End somebody's membership; they may ask again. Raises Forbidden, NotFound."""
    role = memberships.role_of(tx, group.id, member.id)
    _check_may_act_on(tx, group, actor, role)
    if role not in policy.MEMBERS:
        raise NotFound("This person does not belong to the group.")
    memberships.check_not_last_admin(tx, group.id, member.id)
    memberships.remove(tx, group.id, member.id, actor_id=actor.id, reason=_check_reason(reason), act_uri=act_uri)
    _end_follow(tx, group, member)


def ban(
    tx: Tx,
    group: Account,
    actor: Account,
    subject: Account,
    reason: str = "",
    *,
    until_at: int | None = None,
    act_uri: str | None = None,
) -> None:
    """Keep somebody out, until `until_at` (ms) or for good, whether they belong or not. Raises Forbidden."""
    _check_may_act_on(tx, group, actor, memberships.role_of(tx, group.id, subject.id))
    if subject.id == actor.id:
        raise Unprocessable("You cannot ban yourself.")
    if until_at is not None and until_at <= tx.ms:
        raise Unprocessable("Validation failed: the ban would have ended already")
    invitations.close(tx, group.id, subject.id, "revoked")
    memberships.set_role(
        tx, group.id, subject.id, "outcast", actor_id=actor.id, reason=_check_reason(reason), until_at=until_at,
        act_uri=act_uri,
    )  # fmt: skip
    _end_follow(tx, group, subject)


def unban(tx: Tx, group: Account, actor: Account, subject: Account, *, act_uri: str | None = None) -> None:
    """Lift a ban. Raises Forbidden, NotFound."""
    memberships.check_may_moderate(tx, group.id, actor.id)
    if memberships.role_of(tx, group.id, subject.id) != "outcast":
        raise NotFound("This person is not banned.")
    memberships.lift(tx, group.id, subject.id, actor_id=actor.id, act_uri=act_uri)


def give_role(
    tx: Tx, group: Account, actor: Account, member: Account, role: str, *, act_uri: str | None = None
) -> None:
    """Make a member admin, moderator or simple member; a group keeps at least one admin.

    Raises Forbidden, NotFound for who does not belong, Unprocessable.
    """
    if role not in policy.MEMBERS:
        raise Unprocessable("Validation failed: role is one of member, moderator, admin")
    if not policy.may_give_role(memberships.role_of(tx, group.id, actor.id)):
        raise Forbidden("Only admins of the group give roles.")
    was = memberships.role_of(tx, group.id, member.id)
    if was not in policy.MEMBERS:
        raise NotFound("This person does not belong to the group.")
    if role != "admin":
        memberships.check_not_last_admin(tx, group.id, member.id)
    memberships.set_role(tx, group.id, member.id, role, actor_id=actor.id, act_uri=act_uri)


def _check_may_act_on(tx: Tx, group: Account, actor: Account, subject_role: str | None) -> None:
    role = memberships.role_of(tx, group.id, actor.id)
    if not policy.may_moderate(role):
        raise Forbidden("Only moderators of the group may do this.")
    if not policy.may_act_on(role, subject_role):
        raise Forbidden("Only admins of the group may do this to a moderator.")


def _end_follow(tx: Tx, group: Account, account: Account) -> None:
    if follows.find(tx, account.id, group.id) is not None:
        follows.reject(tx, account.id, group.id)


def succeed(tx: Tx, group_id: int, leaving_id: int) -> None:
    """Somebody is gone for good: a group that would be left without admin gets the next in rank; an empty one ends."""
    memberships.remove(tx, group_id, leaving_id)
    if memberships.count_roles(tx, group_id, ("admin",)):
        return
    heir = memberships.find_successor(tx, group_id, leaving_id)
    if heir is not None:
        memberships.set_role(tx, group_id, heir, "admin", reason="The last admin is gone.")
        return
    group, rules = accounts.find(tx, group_id), groups.find(tx, group_id)
    if group is not None and not group.hidden and rules is not None and rules.archived_at is None:
        groups.set_archived(tx, group, archived=True)
        tx.record(GroupChanged(group_id, what="archived"))


# -- rules -----------------------------------------------------------------------------------------------------------


def change(tx: Tx, group: Account, actor: Account, settings: groups.Settings, *, act_uri: str | None = None) -> None:
    """Change the rules and the profile of the group. Who belongs from beyond a new reach belongs no more: they would
    write for the others and read nothing of them. Raises Forbidden, Unprocessable."""
    _check_admin(tx, group, actor)
    groups.change(tx, group, settings)
    beyond = memberships.beyond_reach(tx, _rules(tx, group)) if settings.reach is not None else []
    if actor.id in beyond:
        raise Unprocessable("This reach ends before your own server: you would not belong to the group any more.")
    for member in accounts.find_many(tx, beyond).values():
        memberships.remove(tx, group.id, member.id, actor_id=actor.id, reason=_BEYOND)
        _end_follow(tx, group, member)
    tx.record(GroupChanged(group.id, actor.id, act_uri))


_BEYOND = "The posts of this group no longer go as far as your server."


def archive(tx: Tx, group: Account, actor: Account, *, archived: bool = True, act_uri: str | None = None) -> None:
    """End the group, or open it again: members go on reading, nobody posts. Raises Forbidden."""
    _check_admin(tx, group, actor)
    if (_rules(tx, group).archived_at is not None) != archived:
        groups.set_archived(tx, group, archived=archived)
        tx.record(GroupChanged(group.id, actor.id, act_uri, "archived" if archived else "opened"))


def archive_ended(tx: Tx) -> int:
    """Archive the groups whose last day has passed; how many there were."""
    ids = groups.ended(tx)
    for id_ in ids:
        groups.set_archived(tx, accounts.get(tx, id_), archived=True)
        tx.record(GroupChanged(id_, what="archived"))
    return len(ids)


def delete(tx: Tx, group: Account, actor: Account) -> None:
    """Delete the group for good, with everything that it passed on. Raises Forbidden."""
    _check_admin(tx, group, actor)
    accounts.delete(tx, group)


def renew_link(tx: Tx, group: Account, actor: Account, *, wanted: bool = True) -> str | None:
    """A new secret for the link that lets people in without asking; the old one ends. Raises Forbidden."""
    memberships.check_may_moderate(tx, group.id, actor.id)
    token = tx.clock.token(18) if wanted else None
    groups.set_join_token(tx, group.id, token)
    invitations.close_of_link(tx, group.id)
    return token


def _check_admin(tx: Tx, group: Account, actor: Account) -> None:
    if not policy.may_give_role(memberships.role_of(tx, group.id, actor.id)):
        raise Forbidden("Only admins of the group may do this.")


def _rules(tx: Tx, group: Account) -> groups.Group:
    found = groups.find(tx, group.id)
    if found is None:
        raise NotFound
    return found


# -- posts -----------------------------------------------------------------------------------------------------------


def judge(
    tx: Tx,
    group: Account,
    actor: Account,
    status: Status,
    verdict: str,
    reason: str = "",
    *,
    act_uri: str | None = None,
) -> bool:
    """Decide on a status in the group; verdicts as in `group_posts.judge`. Says whether anything changed.

    Raises Forbidden, NotFound for a status that was not written to the group, Unprocessable.
    """
    memberships.check_may_moderate(tx, group.id, actor.id)
    known = group_posts.find(tx, group.id, status.id)
    if known is None:
        raise NotFound("This post does not stand in the group.")
    if verdict in ("accepted", "rejected") and known.state not in ("held", verdict, "distributed"):
        raise Unprocessable("This post does not wait for a decision.")
    if verdict == "rejected" and known.state == "distributed":
        raise Unprocessable("This post was passed on already; remove it instead.")
    if verdict == "restored" and known.state not in ("removed", "distributed"):
        raise Unprocessable("This post was not taken out of the group.")
    if verdict == "pinned":
        _check_may_pin(tx, group, known)
    return group_posts.judge(
        tx, group, status, verdict, actor_id=actor.id, reason=_check_reason(reason), act_uri=act_uri
    )


def _check_may_pin(tx: Tx, group: Account, known: GroupPost) -> None:
    if known.state != "distributed":
        raise Unprocessable("Only a post that the group passed on can be pinned.")
    pinned = group_posts.pinned(tx, group.id)
    if known.status_id not in pinned and len(pinned) >= group_posts.MAX_PINS:
        raise Unprocessable(f"Validation failed: a group pins at most {group_posts.MAX_PINS} posts")


# -- reports ---------------------------------------------------------------------------------------------------------


def report(
    tx: Tx,
    group: Account,
    subject: Account,
    *,
    by: Account | None,
    status_ids: list[int],
    comment: str = "",
    uri: str | None = None,
) -> int:
    """Tell the moderators of a local group that something is wrong; the id of the report. A `uri` counts once."""
    id_ = tx.new_id()
    kept = insert_ignore(
        tx, group_reports, id=id_, uri=uri or tx.site.urls.activity(id_), group_id=group.id,
        by_id=by.id if by else None, account_id=subject.id, status_ids=orjson.dumps(status_ids).decode(),
        comment=_check_reason(comment), created_at=tx.ms,
    )  # fmt: skip
    if kept:
        tx.record(Reported(group.id, id_))
    return id_


@dataclass(frozen=True, slots=True)
class Report:
    """Something that somebody told the moderators; never who. `created_at` is ms."""

    id: int
    account_id: int
    status_ids: list[int]
    comment: str
    created_at: int


def reports_in(tx: Tx, group: Account) -> list[Report]:
    """What nobody has dealt with, oldest first."""
    statement = sa.select(group_reports).where(
        group_reports.c.group_id == group.id, group_reports.c.resolved_at.is_(None)
    )
    return [
        Report(row.id, row.account_id, orjson.loads(row.status_ids), row.comment, row.created_at)
        for row in tx.conn.execute(statement.order_by(group_reports.c.id))
    ]


def resolve_report(tx: Tx, group: Account, actor: Account, report_id: int) -> None:
    """Say that a report was dealt with. Raises Forbidden, NotFound."""
    memberships.check_may_moderate(tx, group.id, actor.id)
    mine = sa.and_(group_reports.c.group_id == group.id, group_reports.c.id == report_id)
    if tx.conn.execute(sa.select(group_reports.c.id).where(mine)).first() is None:
        raise NotFound
    waiting = sa.update(group_reports).where(mine, group_reports.c.resolved_at.is_(None))
    if tx.conn.execute(waiting.values(resolved_at=tx.ms)).rowcount:
        tx.record(ReportResolved(group.id, report_id, actor.id))
