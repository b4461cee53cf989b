"""What people here do in groups: at once in ours, as a signed wish in those of other departments.

Each verb returns None when it is done, or the `Wish` that waits until the group's own server decided. What is plainly
not theirs to do is refused here already, by the role that the group's ledger gave them.
"""

from dataclasses import asdict

from fedcorp.errors import Forbidden, NotFound, Unprocessable
from fedcorp.social import accounts, groups, invitations, memberships, policy, statuses, stewardship, wishes
from fedcorp.social.accounts import Account
from fedcorp.social.groups import Settings
from fedcorp.social.invitations import Invitation
from fedcorp.social.statuses import Status
from fedcorp.social.wishes import Wish
from fedcorp.storage.database import Tx


def _may_moderate(tx: Tx, group: Account, actor: Account) -> None:
    memberships.check_may_moderate(tx, group.id, actor.id)


def _may_rule(tx: Tx, group: Account, actor: Account) -> None:
    if not policy.may_give_role(memberships.role_of(tx, group.id, actor.id)):
        raise Forbidden("Only admins of the group may do this.")


# -- who gets in -----------------------------------------------------------------------------------------------------


def approve(tx: Tx, group: Account, actor: Account, applicant: Account) -> Wish | None:
    """Let somebody in who asked. Raises Forbidden, NotFound."""
    if group.local:
        stewardship.approve(tx, group, actor, applicant)
        return None
    _may_moderate(tx, group, actor)
    return wishes.ask(tx, group, actor, "approve", subject_uri=applicant.uri)


def refuse(tx: Tx, group: Account, actor: Account, applicant: Account, reason: str = "") -> Wish | None:
    """Refuse somebody who asked to join. Raises Forbidden, NotFound."""
    if group.local:
        stewardship.refuse(tx, group, actor, applicant, reason)
        return None
    _may_moderate(tx, group, actor)
    return wishes.ask(tx, group, actor, "refuse", subject_uri=applicant.uri, reason=reason)


def invite(
    tx: Tx, group: Account, actor: Account, invitee: Account, *, message: str = "", expires_at: int | None = None
) -> Wish | None:
    """Invite somebody from anywhere; `expires_at` is ms. Raises Forbidden, Unprocessable."""
    if group.local:
        stewardship.invite(tx, group, actor, invitee, message=message, expires_at=expires_at)
        return None
    rules = groups.find(tx, group.id)
    if rules is None or not policy.may_invite(rules.inviting, memberships.role_of(tx, group.id, actor.id)):
        raise Forbidden("You may not invite people into this group.")
    return wishes.ask(
        tx, group, actor, "invite", subject_uri=invitee.uri, message=message, expires_at=expires_at
    )  # fmt: skip


def revoke(tx: Tx, group: Account, actor: Account, invitee: Account) -> Wish | None:
    """Take an invitation back. Raises Forbidden, NotFound."""
    if group.local:
        known = invitations.find_open(tx, group.id, invitee.id)
        if known is None:
            raise NotFound("There is no such invitation.")
        stewardship.revoke_invitation(tx, group, actor, known)
        return None
    rules = groups.find(tx, group.id)  # whoever may invite may have invited them
    if rules is None or not policy.may_invite(rules.inviting, memberships.role_of(tx, group.id, actor.id)):
        raise Forbidden("Only moderators of the group may do this.")
    return wishes.ask(tx, group, actor, "revoke", subject_uri=invitee.uri)


def decline(tx: Tx, group: Account, invitee: Account) -> Wish | None:
    """Say no to an invitation. Raises NotFound when there is none."""
    if group.local:
        stewardship.decline(tx, group, invitee)
        return None
    known: Invitation | None = invitations.find_open(tx, group.id, invitee.id)
    if known is None:
        raise NotFound("There is no invitation that you could decline.")
    invitations.close(tx, group.id, invitee.id, "declined")
    return wishes.ask(tx, group, invitee, "decline", subject_uri=known.uri)


# -- members ---------------------------------------------------------------------------------------------------------


def remove(tx: Tx, group: Account, actor: Account, member: Account, reason: str = "") -> Wish | None:
    """End somebody's membership. Raises Forbidden, NotFound, Unprocessable."""
    if group.local:
        stewardship.remove(tx, group, actor, member, reason)
        return None
    _may_moderate(tx, group, actor)
    return wishes.ask(tx, group, actor, "remove", subject_uri=member.uri, reason=reason)


def ban(
    tx: Tx, group: Account, actor: Account, subject: Account, reason: str = "", *, until_at: int | None = None
) -> Wish | None:
    """Keep somebody out, until `until_at` (ms) or for good. Raises Forbidden, Unprocessable."""
    if group.local:
        stewardship.ban(tx, group, actor, subject, reason, until_at=until_at)
        return None
    _may_moderate(tx, group, actor)
    return wishes.ask(tx, group, actor, "ban", subject_uri=subject.uri, reason=reason, until_at=until_at)


def unban(tx: Tx, group: Account, actor: Account, subject: Account) -> Wish | None:
    """Lift a ban. Raises Forbidden, NotFound."""
    if group.local:
        stewardship.unban(tx, group, actor, subject)
        return None
    _may_moderate(tx, group, actor)
    return wishes.ask(tx, group, actor, "unban", subject_uri=subject.uri)


def give_role(tx: Tx, group: Account, actor: Account, member: Account, role: str) -> Wish | None:
    """Make a member admin, moderator or simple member. Raises Forbidden, NotFound, Unprocessable."""
    if role not in policy.MEMBERS:
        raise Unprocessable("Validation failed: role is one of member, moderator, admin")
    if group.local:
        stewardship.give_role(tx, group, actor, member, role)
        return None
    _may_rule(tx, group, actor)
    return wishes.ask(tx, group, actor, "role", subject_uri=member.uri, role=role)


# -- the group itself ------------------------------------------------------------------------------------------------


def change(tx: Tx, group: Account, actor: Account, settings: Settings) -> Wish | None:
    """Change rules and profile. Raises Forbidden, Unprocessable."""
    if group.local:
        stewardship.change(tx, group, actor, settings)
        return None
    _may_rule(tx, group, actor)
    groups.check(tx, settings)
    wanted = {name: value for name, value in asdict(settings).items() if value is not None}
    return wishes.ask(tx, group, actor, "change", settings=wanted)


def archive(tx: Tx, group: Account, actor: Account, *, archived: bool) -> Wish | None:
    """End a group, or open it again. Raises Forbidden."""
    if group.local:
        stewardship.archive(tx, group, actor, archived=archived)
        return None
    _may_rule(tx, group, actor)
    return wishes.ask(tx, group, actor, "archive", archived=archived)


def delete(tx: Tx, group: Account, actor: Account) -> Wish | None:
    """Delete a group for good. Raises Forbidden."""
    if group.local:
        stewardship.delete(tx, group, actor)
        return None
    _may_rule(tx, group, actor)
    return wishes.ask(tx, group, actor, "delete")


# -- posts -----------------------------------------------------------------------------------------------------------


def judge(tx: Tx, group: Account, actor: Account, status: Status, verdict: str, reason: str = "") -> Wish | None:
    """Decide on a status; verdicts as in `group_posts.judge`. Raises Forbidden, NotFound, Unprocessable."""
    if group.local:
        stewardship.judge(tx, group, actor, status, verdict, reason)
        return None
    _may_moderate(tx, group, actor)
    return wishes.ask(tx, group, actor, "judge", subject_uri=status.uri, verdict=verdict, reason=reason)


def report(
    tx: Tx, group: Account, reporter: Account, subject: Account, *, status_ids: list[int], comment: str = ""
) -> Wish | None:
    """Tell the group's moderators that something is wrong. Raises Unprocessable."""
    if group.local:
        stewardship.report(tx, group, subject, by=reporter, status_ids=status_ids, comment=comment)
        return None
    uris = [status.uri for status in statuses.find_many(tx, status_ids).values()]
    return wishes.ask(tx, group, reporter, "report", subject_uri=subject.uri, status_uris=uris, comment=comment)


def resolve(tx: Tx, group: Account, actor: Account, report_id: int) -> Wish | None:
    """Say that a report was dealt with. Raises Forbidden, NotFound."""
    if group.local:
        stewardship.resolve_report(tx, group, actor, report_id)
        return None
    _may_moderate(tx, group, actor)
    return wishes.ask(tx, group, actor, "resolve", subject_uri=f"{group.uri}/reports/{report_id}")


def find_subject(tx: Tx, account_id: int) -> Account:
    """Whom an act is about; also somebody who left or was suspended. Raises NotFound."""
    found = accounts.find(tx, account_id)
    if found is None or found.is_server:
        raise NotFound
    return found
