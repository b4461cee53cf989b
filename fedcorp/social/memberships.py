"""Who belongs to a group and in which role, and how somebody gets in and out of their own will.

A member follows the group; the follow is made and ended in `follows`, and `effects` keeps the two in step. What members
and moderators do to others: `stewardship`. Of groups elsewhere our own people stand in `memberships`, as everybody
does in `affiliations`, which is what the group's ledger tells.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.errors import Forbidden, NotFound, Unprocessable
from fedcorp.keys import KeyPair
from fedcorp.social import accounts, follows, groups, invitations, policy
from fedcorp.social.accounts import Account
from fedcorp.social.events import GroupChanged, InvitationEnded, MemberChanged
from fedcorp.social.groups import Group
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import affiliations, memberships
from fedcorp.storage.tables import follows as follows_table
from fedcorp.storage.tables import groups as groups_table
from fedcorp.storage.upsert import insert_ignore, upsert

LAST_ADMIN = "You are the only admin of this group; make somebody else an admin first."


@dataclass(slots=True)
class Membership:
    """One row of `memberships`. `reads_from`: nothing older is shown; `until_at`: when a ban ends (both ms)."""

    group_id: int
    account_id: int
    role: str
    created_at: int
    reads_from: int | None
    until_at: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Affiliation:
    """A role of an actor in a group elsewhere, as its ledger tells it; None: it does not belong any more."""

    subject_uri: str
    origin: str
    role: str | None
    since_at: int
    until_at: int | None = None
    reads_from: int | None = None


_COLUMNS = [memberships.c[item.name] for item in fields(Membership)]
_SELECT = sa.select(*_COLUMNS)
_ONE = _SELECT.where(
    memberships.c.group_id == sa.bindparam("group"), memberships.c.account_id == sa.bindparam("account")
)
_ROLE = sa.select(memberships.c.role).where(
    memberships.c.group_id == sa.bindparam("group"), memberships.c.account_id == sa.bindparam("account")
)
_ANY_MEMBER = (
    sa.select(memberships.c.account_id)
    .where(memberships.c.group_id == sa.bindparam("group"), memberships.c.role != "outcast")
    .limit(1)
)
_BY_RANK = sa.case((memberships.c.role == "admin", 0), (memberships.c.role == "moderator", 1), else_=2)
_AMONG = sa.and_(
    memberships.c.group_id == sa.bindparam("group"), memberships.c.role.in_(sa.bindparam("roles", expanding=True))
)
_HIGHEST = (
    sa.select(memberships.c.account_id, memberships.c.role)
    .where(_AMONG)
    .order_by(_BY_RANK, memberships.c.account_id)
    .limit(sa.bindparam("most"))
)
_COUNT_ROLES = sa.select(sa.func.count()).select_from(memberships).where(_AMONG)
_MODERATORS = (
    sa.select(memberships.c.account_id)
    .where(memberships.c.group_id == sa.bindparam("group"), memberships.c.role.in_(("moderator", "admin")))
    .order_by(_BY_RANK, memberships.c.created_at, memberships.c.account_id)
)
_OTHER = (
    sa.select(memberships.c.account_id)
    .where(memberships.c.group_id == sa.bindparam("group"), memberships.c.account_id != sa.bindparam("account"))
    .limit(1)
)
_OTHER_MEMBER = _OTHER.where(memberships.c.role != "outcast")
_OTHER_ADMIN = _OTHER.where(memberships.c.role == "admin")
_SUCCESSOR = (
    sa.select(memberships.c.account_id)
    .join(accounts_table, accounts_table.c.id == memberships.c.account_id)
    .where(memberships.c.group_id == sa.bindparam("group"), memberships.c.role.in_(sorted(policy.MEMBERS)))
    .where(memberships.c.account_id != sa.bindparam("leaving"))
    .where(accounts_table.c.deleted_at.is_(None), accounts_table.c.suspended_at.is_(None))
    .order_by(_BY_RANK, memberships.c.created_at, memberships.c.account_id)
    .limit(1)
)
_COPIED_ROLES = sa.select(affiliations.c.subject_uri, affiliations.c.role).where(
    affiliations.c.group_id == sa.bindparam("group")
)
_EXPIRED = _SELECT.where(memberships.c.role == "outcast", memberships.c.until_at <= sa.bindparam("now"))
_FORGET_EXPIRED = sa.delete(affiliations).where(
    affiliations.c.role == "outcast", affiliations.c.until_at <= sa.bindparam("now")
)


# -- founding, joining, leaving --------------------------------------------------------------------------------------


def found(
    tx: Tx,
    owner: Account,
    name: str,
    pair: KeyPair,
    *,
    title: str,
    preset: str,
    reach: str | None = None,
    note: str = "",
) -> Account:
    """Make a group with `owner` as its first member and admin. Raises Unprocessable, Conflict."""
    if not owner.local or owner.kind != "person":
        raise Unprocessable(f"{owner.acct} cannot own a group here; the owner is a person of this department.")
    group = groups.create(tx, name, pair, title=title, preset=preset, reach=reach, note=note)
    set_role(tx, group.id, owner.id, "admin", actor_id=owner.id)
    follows.follow(tx, owner, group, admit=True)
    tx.finish()
    return group


def join(
    tx: Tx,
    account: Account,
    target: Account,
    *,
    uri: str | None = None,
    message: str = "",
    link: str = "",
    **how: Any,
) -> str:
    """Ask to belong to a group; says how it stands: `accepted` or `pending`. `how` goes to `follows.follow`.

    A group elsewhere decides itself. `link` is what its moderators handed out. Raises Forbidden for who may not join,
    NotFound for a group that does not show itself to them.
    """
    group = groups.find(tx, target.id)
    if group is None or not target.local:
        return follows.follow(tx, account, target, uri=uri, message=message, link=link, **how)
    let_in = check_may_join(tx, account, group, link)
    state = follows.follow(
        tx, account, target, uri=uri, message=message, admit=let_in or group.joining == "open", **how
    )
    known = invitations.find_open(tx, target.id, account.id) if state == "accepted" else None
    if known is not None:
        invitations.close(tx, target.id, account.id, "accepted")
        tx.record(InvitationEnded(target.id, known.id, "accepted"))
    return state


def check_may_join(tx: Tx, account: Account, group: Group, link: str = "") -> bool:
    """Whether somebody may join a group of ours, and then whether nobody need be asked. Raises as `join`."""
    role = role_of(tx, group.account_id, account.id)
    let_in = role in policy.MEMBERS or (role != "outcast" and _is_let_in(tx, group, account, link))
    if not let_in:
        _check_may_ask(group, role)
    if role not in policy.MEMBERS and not is_within_reach(tx, group, account):
        raise Forbidden(
            f"What is written in this group goes no further than its reach ({group.reach}), which does not cover "
            f"{account.domain}. Join with an account of a department, or ask the group's admins to widen it."
        )
    return let_in


def _is_let_in(tx: Tx, group: Group, account: Account, link: str) -> bool:
    if group.archived_at is not None:
        return False
    if opens(group, link):
        return True
    return invitations.find_open(tx, group.account_id, account.id) is not None


def opens(group: Group, link: str) -> bool:
    """Whether this is the link (or the secret at its end) that lets people into the group without asking."""
    token = link.rpartition("/")[2]
    return bool(token and group.join_token) and hmac.compare_digest(token.encode(), str(group.join_token).encode())


def show_link(tx: Tx, account: Account, target: Account, link: str) -> bool:
    """Somebody shows the link of a local group before they join; says whether it opens.

    Then, for an hour, the group is no secret to them and lets them in, with any client that can follow.
    """
    group = groups.find(tx, target.id)
    if group is None or not opens(group, link):
        return False
    is_new = role_of(tx, target.id, account.id) is None and invitations.find_open(tx, target.id, account.id) is None
    if is_new and group.archived_at is None:
        uri, expires_at = tx.site.urls.activity(tx.new_id()), tx.ms + invitations.LINK_MS
        invitations.keep(tx, target.id, account.id, None, uri=uri, message="", expires_at=expires_at)
    return True


def _check_may_ask(group: Group, role: str | None) -> None:
    if not group.listed:
        raise NotFound
    if role == "outcast":
        raise Forbidden("The moderators have excluded you from this group.")
    if group.archived_at is not None:
        raise Forbidden("This group is archived; nobody joins it any more.")
    if group.joining == "invite":
        raise Forbidden("This group is joined by invitation; ask one of its moderators.")


def is_within_reach(tx: Tx, group: Group, account: Account) -> bool:
    """Whether the server of this account gets what is written in a group of ours. Whoever belonged without that would
    write for the others and read nothing of them."""
    tier = None if account.local else peers.find_tier(tx, account.origin.split("://", 1)[1])
    return tier is None or policy.reaches(group.reach, tier)


def beyond_reach(tx: Tx, group: Group) -> list[int]:
    """Account ids of the members of a group of ours whose servers do not get what is written in it."""
    rows = tx.conn.execute(_ELSEWHERE, {"group": group.account_id, "here": tx.site.urls.origin}).all()
    tiers = peers.find_tiers(tx, {origin.split("://", 1)[1] for _, origin in rows})
    out = {domain for domain, tier in tiers.items() if tier is not None and not policy.reaches(group.reach, tier)}
    return [account_id for account_id, origin in rows if origin.split("://", 1)[1] in out]


_ELSEWHERE = (
    sa.select(memberships.c.account_id, follows_table.c.origin)
    .join(follows_table, follows_table.c.follower_id == memberships.c.account_id)  # whoever joins follows
    .where(memberships.c.group_id == sa.bindparam("group"), memberships.c.role.in_(sorted(policy.MEMBERS)))
    .where(follows_table.c.target_id == sa.bindparam("group"), follows_table.c.origin != sa.bindparam("here"))
)


def leave(tx: Tx, account: Account, target: Account) -> None:
    """Give up a membership, a wish to join or an invitation. Nothing happens when there is none.

    Raises Unprocessable for the last admin while others are there: a group is never left without one.
    """
    if not target.local and _is_last_admin_elsewhere(tx, target, account):
        raise Unprocessable(LAST_ADMIN)
    if target.local:
        check_not_last_admin(tx, target.id, account.id)
        invitations.close(tx, target.id, account.id, "declined")
        remove(tx, target.id, account.id, actor_id=account.id)
    follows.unfollow(tx, account.id, target.id)


# -- roles -----------------------------------------------------------------------------------------------------------


def find(tx: Tx, group_id: int, account_id: int) -> Membership | None:
    """The membership of somebody, also of an outcast."""
    row = tx.conn.execute(_ONE, {"group": group_id, "account": account_id}).first()
    return Membership(*row) if row else None


def role_of(tx: Tx, group_id: int, account_id: int | None) -> str | None:
    """outcast, member, moderator or admin; None for somebody who does not belong."""
    if account_id is None:
        return None
    role: str | None = tx.conn.execute(_ROLE, {"group": group_id, "account": account_id}).scalar()
    return role


def highest(tx: Tx, group_id: int, roles: Collection[str], most: int) -> list[tuple[int, str]]:
    """(account id, role) of up to `most` who have one of these roles, the highest first."""
    values = {"group": group_id, "roles": sorted(roles), "most": most}
    return [(row[0], row[1]) for row in tx.conn.execute(_HIGHEST, values)]


def count_roles(tx: Tx, group_id: int, roles: Collection[str]) -> int:
    """How many have one of these roles."""
    found: int = tx.conn.execute(_COUNT_ROLES, {"group": group_id, "roles": sorted(roles)}).scalar_one()
    return found


def add(tx: Tx, group_id: int, account_id: int, *, actor_id: int | None = None) -> None:
    """Make somebody a member; a role that is already there stays. `actor_id`: who decided it; None: the rules."""
    group = groups.find(tx, group_id)
    from_now = tx.ms if group is not None and group.history == "joined" else None
    values = {"role": "member", "created_at": tx.ms, "reads_from": from_now}
    if insert_ignore(tx, memberships, group_id=group_id, account_id=account_id, **values):
        tx.record(MemberChanged(group_id, account_id, "member", None, actor_id))


def remove(
    tx: Tx,
    group_id: int,
    account_id: int,
    *,
    actor_id: int | None = None,
    reason: str = "",
    act_uri: str | None = None,
) -> None:
    """End a membership; the last one ends the group with it. An outcast stays one."""
    was = role_of(tx, group_id, account_id)
    if was is None or was == "outcast":
        return
    _delete(tx, group_id, account_id)
    tx.record(MemberChanged(group_id, account_id, None, was, actor_id, reason, act_uri=act_uri))
    _end_when_empty(tx, group_id)


def _end_when_empty(tx: Tx, group_id: int) -> None:
    """A group that nobody is left in ends: whoever joined it would find nobody who looks after it."""
    group, rules = accounts.find(tx, group_id), groups.find(tx, group_id)
    if group is None or rules is None or not group.local or group.hidden or rules.archived_at is not None:
        return
    if tx.conn.execute(_ANY_MEMBER, {"group": group_id}).first() is None:
        groups.set_archived(tx, group, archived=True)
        tx.record(GroupChanged(group_id))


def _delete(tx: Tx, group_id: int, account_id: int) -> None:
    mine = sa.and_(memberships.c.group_id == group_id, memberships.c.account_id == account_id)
    tx.conn.execute(sa.delete(memberships).where(mine))


def set_role(
    tx: Tx,
    group_id: int,
    account_id: int,
    role: str,
    *,
    actor_id: int | None = None,
    reason: str = "",
    until_at: int | None = None,
    act_uri: str | None = None,
) -> None:
    """Give a role; `until_at` (ms) is when an outcast is one no longer. `act_uri`: the activity that asked for it."""
    known = find(tx, group_id, account_id)
    same = known is not None and (known.role, known.until_at) == (role, until_at)
    if same and known is not None and (role != "outcast" or reason in ("", known.reason)):
        return
    upsert(
        tx, memberships, ("group_id", "account_id"), group_id=group_id, account_id=account_id, role=role,
        created_at=known.created_at if known else tx.ms, reason=reason, until_at=until_at,
    )  # fmt: skip
    was = known.role if known else None
    tx.record(MemberChanged(group_id, account_id, role, was, actor_id, reason, until_at, act_uri))


def lift(tx: Tx, group_id: int, account_id: int, *, actor_id: int | None = None, act_uri: str | None = None) -> None:
    """An outcast is one no longer, and may ask to join again."""
    if role_of(tx, group_id, account_id) == "outcast":
        _delete(tx, group_id, account_id)
        tx.record(MemberChanged(group_id, account_id, None, "outcast", actor_id, act_uri=act_uri))


def lift_expired(tx: Tx) -> int:
    """End the bans whose time is over; how many there were. Groups of other makes told that time with the ban."""
    tx.conn.execute(_FORGET_EXPIRED, {"now": tx.ms})
    expired = [Membership(*row) for row in tx.conn.execute(_EXPIRED, {"now": tx.ms})]
    for item in expired:
        lift(tx, item.group_id, item.account_id)
    return len(expired)


def check_may_moderate(tx: Tx, group_id: int, account_id: int) -> str:
    """The role of a moderator. Raises Forbidden for everybody else."""
    role = role_of(tx, group_id, account_id)
    if not policy.may_moderate(role):
        raise Forbidden("Only moderators of the group may do this.")
    assert role is not None
    return role


def is_last_admin(tx: Tx, group_id: int, account_id: int) -> bool:
    """Whether somebody is the only admin of a group that has other members."""
    if role_of(tx, group_id, account_id) != "admin":
        return False
    mine = {"group": group_id, "account": account_id}
    return bool(tx.conn.execute(_OTHER_MEMBER, mine).first()) and not tx.conn.execute(_OTHER_ADMIN, mine).first()


def check_not_last_admin(tx: Tx, group_id: int, account_id: int) -> None:
    """Raises Unprocessable for the only admin of a group that has other members."""
    if is_last_admin(tx, group_id, account_id):
        raise Unprocessable(LAST_ADMIN)


def _is_last_admin_elsewhere(tx: Tx, group: Account, account: Account) -> bool:
    """The same as far as the ledger of a group elsewhere is known here; without one, its server decides alone."""
    roles = {row[0]: row[1] for row in tx.conn.execute(_COPIED_ROLES, {"group": group.id})}
    own = roles.pop(account.uri, None)
    others = [role for role in roles.values() if role in policy.MEMBERS]
    return own == "admin" and bool(others) and "admin" not in others


def find_successor(tx: Tx, group_id: int, leaving_id: int) -> int | None:
    """Who follows an admin that is gone: the one with the highest role, of those the one who is there longest."""
    heir: int | None = tx.conn.execute(_SUCCESSOR, {"group": group_id, "leaving": leaving_id}).scalar()
    return heir


def moderators(tx: Tx, group_id: int) -> list[int]:
    """Account ids of moderators and admins, admins first."""
    return list(tx.conn.execute(_MODERATORS, {"group": group_id}).scalars())


def joined(tx: Tx, account_id: int) -> list[int]:
    """Account ids of the groups that somebody belongs to, by name."""
    statement = (
        sa.select(memberships.c.group_id)
        .join(accounts_table, accounts_table.c.id == memberships.c.group_id)
        .where(memberships.c.account_id == account_id, memberships.c.role != "outcast")
        .where(accounts_table.c.deleted_at.is_(None))
        .order_by(accounts_table.c.username_key, accounts_table.c.id)
    )
    return list(tx.conn.execute(statement).scalars())


# -- lists of people -------------------------------------------------------------------------------------------------

_GROUP = sa.bindparam("group", type_=sa.BigInteger)
_ALIVE = sa.and_(accounts_table.c.suspended_at.is_(None), accounts_table.c.deleted_at.is_(None))


def _listing(wanted: "sa.ColumnElement[bool]") -> Listing:
    statement = (
        sa.select(memberships.c.account_id, memberships.c.role)
        .join(accounts_table, accounts_table.c.id == memberships.c.account_id)
        .where(memberships.c.group_id == _GROUP, wanted, _ALIVE)
    )
    return Listing(statement, memberships.c.account_id)


def _copy(wanted: "sa.ColumnElement[bool]") -> Listing:
    statement = (
        sa.select(accounts_table.c.id, affiliations.c.role)
        .join(accounts_table, accounts_table.c.uri == affiliations.c.subject_uri)
        .where(affiliations.c.group_id == _GROUP, wanted, _ALIVE)
    )
    return Listing(statement, accounts_table.c.id)


_MEMBERS, _OUTCASTS = _listing(memberships.c.role != "outcast"), _listing(memberships.c.role == "outcast")
_COPIED_MEMBERS, _COPIED_OUTCASTS = _copy(affiliations.c.role != "outcast"), _copy(affiliations.c.role == "outcast")


def members(tx: Tx, group: Account, page: Page, *, outcasts: bool = False) -> list[tuple[int, str]]:
    """(account id, role) of who belongs, or was banned; of a group elsewhere those whose account is known here."""
    if group.local:
        listing = _OUTCASTS if outcasts else _MEMBERS
    else:
        listing = _COPIED_OUTCASTS if outcasts else _COPIED_MEMBERS
    return [(row[0], row[1]) for row in listing.rows(tx, page, group=group.id)]


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Somebody who waits to be let in; `id` is for pages, times are ms."""

    id: int
    account_id: int
    message: str
    created_at: int


_WAITING = Listing(
    sa.select(follows_table.c.id, follows_table.c.follower_id, follows_table.c.message, follows_table.c.created_at)
    .join(accounts_table, accounts_table.c.id == follows_table.c.follower_id)
    .where(follows_table.c.target_id == _GROUP, follows_table.c.state == "pending", _ALIVE),
    follows_table.c.id,
)
_COUNT = sa.select(sa.func.count()).where(memberships.c.group_id == _GROUP, memberships.c.role != "outcast")
_COPIED_COUNT = sa.select(sa.func.count()).where(affiliations.c.group_id == _GROUP, affiliations.c.role != "outcast")
_UNKNOWN = (
    sa.select(affiliations.c.subject_uri)
    .where(affiliations.c.group_id == _GROUP)
    .where(~sa.exists().where(accounts_table.c.uri == affiliations.c.subject_uri))
    .order_by(affiliations.c.since_at)
    .limit(sa.bindparam("most"))
)


def requests(tx: Tx, group: Account, page: Page) -> list[JoinRequest]:
    """Who waits to be let into a local group, latest first."""
    return [JoinRequest(*row) for row in _WAITING.rows(tx, page, group=group.id)]


def count(tx: Tx, group: Account) -> int:
    """How many belong to a group, as far as it is known here."""
    found: int = tx.conn.execute(_COUNT if group.local else _COPIED_COUNT, {"group": group.id}).scalar_one()
    return found if group.local or found else group.followers_count


def unknown(tx: Tx, group: Account, most: int) -> list[str]:
    """URIs of actors who belong to a group elsewhere, and of whom nothing more is known here."""
    return list(tx.conn.execute(_UNKNOWN, {"group": group.id, "most": most}).scalars())


# -- copies of groups elsewhere --------------------------------------------------------------------------------------


def copied(tx: Tx, group_id: int) -> set[str]:
    """URIs of all who have a role in a group elsewhere by our copy of its ledger, who are banned from it included."""
    return {row[0] for row in tx.conn.execute(_COPIED_ROLES, {"group": group_id})}


def copy(tx: Tx, group: Account, told: Affiliation, *, chained: bool = True) -> None:
    """Keep what the ledger of a group elsewhere says of somebody's role.

    Not `chained`: our copy ends before this, so it says nothing of the group, only of one of ours.
    """
    mine = sa.and_(affiliations.c.group_id == group.id, affiliations.c.subject_uri == told.subject_uri)
    stays = told.role in policy.MEMBERS and (
        tx.conn.execute(sa.select(affiliations.c.role).where(mine)).scalar() in policy.MEMBERS
    )
    if not chained:
        stays = False
    elif told.role is None:
        tx.conn.execute(sa.delete(affiliations).where(mine))
    elif stays:
        tx.conn.execute(sa.update(affiliations).where(mine).values(role=told.role, until_at=told.until_at))
    else:
        upsert(
            tx, affiliations, ("group_id", "subject_uri"), group_id=group.id, subject_uri=told.subject_uri,
            origin=told.origin, role=told.role, since_at=told.since_at, until_at=told.until_at,
        )  # fmt: skip
    subject = accounts.find_by_uri(tx, told.subject_uri)
    if subject is not None and subject.local and (chained or not _is_overtaken(tx, group, subject, told)):
        _copy_own(tx, group, subject, told, stays=stays)


def _is_overtaken(tx: Tx, group: Account, subject: Account, told: Affiliation) -> bool:
    """Whether a word that came out of order makes somebody a member who has left, or was shut out, since.

    A server that nobody belongs to any more cannot read the ledger to the end, so nothing would put it right.
    """
    if told.role not in policy.MEMBERS:
        return False
    known = find(tx, group.id, subject.id)
    shut_out_later = known is not None and known.role == "outcast" and known.created_at > told.since_at
    return shut_out_later or follows.find(tx, subject.id, group.id) is None


def _copy_own(tx: Tx, group: Account, subject: Account, told: Affiliation, *, stays: bool) -> None:
    """`stays`: a member gets another role, and reads what they read before."""
    was = role_of(tx, group.id, subject.id)
    if told.role is None:
        _delete(tx, group.id, subject.id)
    elif stays and was is not None:
        mine = sa.and_(memberships.c.group_id == group.id, memberships.c.account_id == subject.id)
        tx.conn.execute(sa.update(memberships).where(mine).values(role=told.role, until_at=told.until_at))
    else:
        upsert(
            tx, memberships, ("group_id", "account_id"), group_id=group.id, account_id=subject.id, role=told.role,
            created_at=told.since_at, until_at=told.until_at, reads_from=told.reads_from,
        )  # fmt: skip
        invitations.close(tx, group.id, subject.id, "accepted" if told.role in policy.MEMBERS else "revoked")
    if was != told.role:
        tx.record(MemberChanged(group.id, subject.id, told.role, was))


_COPIED_ROLE = sa.select(affiliations.c.role).where(
    affiliations.c.group_id == sa.bindparam("group"), affiliations.c.subject_uri == sa.bindparam("subject")
)
_COPIED_AT = (
    sa.select(affiliations.c.role)
    .where(affiliations.c.group_id == sa.bindparam("group"), affiliations.c.role != "outcast")
    .where(affiliations.c.origin == sa.bindparam("origin"))
    .limit(1)
)
_ORIGINS = (
    sa.select(affiliations.c.origin)
    .where(affiliations.c.group_id == sa.bindparam("group"), affiliations.c.role != "outcast")
    .distinct()
    .order_by(affiliations.c.origin)
)
_HERE_AT = (
    sa.select(memberships.c.role)
    .join(follows_table, follows_table.c.follower_id == memberships.c.account_id)  # whoever joins follows
    .where(memberships.c.group_id == _GROUP, memberships.c.role != "outcast")
    .where(follows_table.c.target_id == _GROUP, follows_table.c.origin == sa.bindparam("origin"))
    .limit(1)
)


def role_by_uri(tx: Tx, group: Account, subject_uri: str) -> str | None:
    """The role of an actor anywhere, in a group anywhere, as far as it is known here."""
    if group.local:
        subject = accounts.find_by_uri(tx, subject_uri)
        return role_of(tx, group.id, subject.id) if subject is not None else None
    role: str | None = tx.conn.execute(_COPIED_ROLE, {"group": group.id, "subject": subject_uri}).scalar()
    return role


def has_member_at(tx: Tx, group: Account, origin: str) -> bool:
    """Whether somebody of a server (`https://host`) belongs to a group."""
    if group.local:
        return tx.conn.execute(_HERE_AT, {"group": group.id, "origin": origin}).first() is not None
    return tx.conn.execute(_COPIED_AT, {"group": group.id, "origin": origin}).first() is not None


@cache
def _readers(local: bool, of_server: bool) -> "sa.Select[Any]":
    """Members that may read what a group passed on at a time: one actor, or those of a server."""
    at, roles = sa.bindparam("at", type_=sa.BigInteger), sa.bindparam("roles", type_=sa.Text, expanding=True)
    if local:
        who = accounts_table.c.origin if of_server else accounts_table.c.uri
        return (
            sa.select(memberships.c.role)
            .join(accounts_table, accounts_table.c.id == memberships.c.account_id)
            .where(memberships.c.group_id == _GROUP, who == sa.bindparam("who"), memberships.c.role.in_(roles))
            .where(sa.or_(memberships.c.reads_from.is_(None), memberships.c.reads_from <= at))
            .limit(1)
        )
    who = affiliations.c.origin if of_server else affiliations.c.subject_uri
    whole = sa.exists().where(groups_table.c.account_id == _GROUP, groups_table.c.history == "all")
    return (
        sa.select(affiliations.c.role)
        .where(affiliations.c.group_id == _GROUP, who == sa.bindparam("who"), affiliations.c.role.in_(roles))
        .where(sa.or_(whole, affiliations.c.since_at <= at))
        .limit(1)
    )


def has_reader(
    tx: Tx, group: Account, at: int, *, actor_uri: str | None = None, origin: str = "", moderating: bool = False
) -> bool:
    """Whether an actor, or else anybody of a server (`https://host`), may read what a group passed on at a time (ms).

    With `moderating`: whether they are a moderator of it.
    """
    roles = ("moderator", "admin") if moderating else sorted(policy.MEMBERS)
    values = {"group": group.id, "at": at, "roles": roles, "who": origin if actor_uri is None else actor_uri}
    return tx.conn.execute(_readers(group.local, actor_uri is None), values).first() is not None


def origins(tx: Tx, group: Account) -> list[str]:
    """The servers (`https://host`) that have members in a group elsewhere, as far as it is known here."""
    return list(tx.conn.execute(_ORIGINS, {"group": group.id}).scalars())
