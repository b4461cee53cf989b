"""fedcorp's own API of groups: who belongs, who asks to, who is invited, who is kept out, and who has which role.

Of a group elsewhere, members come from the copy of its ledger; what waits for its moderators is fetched from its server
with the key of the one who looks.
"""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from fedcorp.errors import BadRequest, NotFound
from fedcorp.social import accounts, group_acts, invitations, memberships, people, policy, stewardship
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.urls import split_handle
from fedcorp.web.api.groups import UNTIL, acting, enter, get_group, until
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import groups as entities
from fedcorp.web.pagination import links, page_of
from fedcorp.web.route import Param

# -- what the handlers read ------------------------------------------------------------------------------------------

REASON = (Param("reason", "Why; the person is told.", most=stewardship.MAX_REASON),)
_WHOM = (
    Param("acct", "The handle of the person, of any department."),
    Param("account_id", "The id of their account, in place of the handle.", "id"),
)
ROLE = (Param("role", "What they are from now on.", needed=True, choices=tuple(sorted(policy.MEMBERS))),)
BANNED = (*_WHOM, *REASON, *UNTIL)
INVITED = (*_WHOM, Param("message", "What the invited person reads, 1000 characters of it."), *UNTIL)

# -- members and the banned ------------------------------------------------------------------------------------------


async def listing(call: Call) -> Response:
    """GET /api/fedcorp/v1/groups/{id}/members: with their roles, for who may see them."""
    return await _people(call, outcasts=False)


async def list_bans(call: Call) -> Response:
    """GET /api/fedcorp/v1/groups/{id}/bans: for moderators."""
    return await _people(call, outcasts=True)


async def _people(call: Call, *, outcasts: bool) -> Response:
    page, id_ = page_of(call.query, default=40, most=80), call.id()
    group = await call.read(_look, id_, outcasts)
    if not group.local:
        await call.context.desk.meet(group)
    ids, body = await call.read(_list_people, group, page, outcasts)
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit))


def _look(tx: Tx, viewer: Viewer, id_: int, outcasts: bool) -> Account:
    group = get_group(tx, viewer, id_)
    if outcasts:
        memberships.check_may_moderate(tx, id_, viewer.id)
    elif not people.may_see_followers(tx, viewer.id, group):
        raise NotFound
    return group


def _list_people(tx: Tx, _viewer: Viewer, group: Account, page: Page, outcasts: bool) -> tuple[list[int], list[Any]]:
    rows = memberships.members(tx, group, page, outcasts=outcasts)
    shown = entities.bans(tx, group.id, rows) if outcasts else entities.members(tx, rows)
    return [id_ for id_, _ in rows], shown


_ActOn = Callable[[Tx, Account, Account, Account], Any]
"""What somebody does to somebody: (tx, the group, who acts, whom it is about)."""


async def _towards(call: Call, act: _ActOn) -> Response:
    """Do `act` to the account in the path."""
    account_id = call.id("account")
    return await acting(
        call, lambda tx, group, own: act(tx, group, own, group_acts.find_subject(tx, account_id)), _member(account_id)
    )


def _member(account_id: int) -> Callable[[Tx, Account, int], dict[str, Any]]:
    """How somebody stands to the group then: `role` is null for who does not belong."""

    def shown(tx: Tx, group: Account, _viewer_id: int) -> dict[str, Any]:
        return entities.member(tx, account_id, memberships.role_of(tx, group.id, account_id))

    return shown


async def set_role(call: Call) -> Response:
    """PUT /api/fedcorp/v1/groups/{id}/members/{account}: make somebody `role` member, moderator or admin."""
    await enter(call)
    role = (await call.params()).choice("role", sorted(policy.MEMBERS))
    if role is None:
        raise BadRequest("The parameter role is missing.")
    return await _towards(call, lambda tx, group, own, other: group_acts.give_role(tx, group, own, other, role))


async def remove(call: Call) -> Response:
    """DELETE /api/fedcorp/v1/groups/{id}/members/{account}: with a `reason`."""
    reason = (await call.params()).text("reason") or ""
    return await _towards(call, lambda tx, group, own, other: group_acts.remove(tx, group, own, other, reason))


async def ban(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/bans: `account_id` or `acct`, a `reason`, until `expires_at` or for good."""
    await enter(call)
    params = await call.params()
    reason, until_at = params.text("reason") or "", until(call, params)
    account_id = await _named(call)
    return await acting(
        call,
        lambda tx, group, own: group_acts.ban(
            tx, group, own, group_acts.find_subject(tx, account_id), reason, until_at=until_at
        ),
        _member(account_id),
    )


async def unban(call: Call) -> Response:
    """DELETE /api/fedcorp/v1/groups/{id}/bans/{account}: the person may ask to join again."""
    return await _towards(call, group_acts.unban)


async def _named(call: Call) -> int:
    """The account that a request names by `account_id` or `acct`, found on its server when need be."""
    params = await call.params()
    if (account_id := params.id("account_id")) is not None:
        return account_id
    acct = params.required("acct")
    viewer = await call.viewer()
    found = await call.context.db.read(lambda tx: accounts.find_by_handle(tx, *split_handle(acct)))
    account_id = found.id if found is not None else None
    if account_id is None and split_handle(acct)[1] is not None:
        account_id = await call.context.resolve.account(acct, viewer_id=viewer.account_id)
    if account_id is None:
        raise NotFound(f"Nobody is known as {acct}.")
    return account_id


# -- who asks to join ------------------------------------------------------------------------------------------------


async def list_requests(call: Call) -> Response:
    """GET /api/fedcorp/v1/groups/{id}/requests: for moderators."""
    page, id_ = page_of(call.query, default=40, most=80), call.id()
    viewer, group = await call.viewer(), await call.read(_look, id_, True)
    if group.local:
        items = await call.read(lambda tx, _: memberships.requests(tx, group, page))
    else:
        items = await call.context.desk.requests(group, viewer.id)
    body = await call.read(lambda tx, _: entities.requests(tx, items))
    ids = [item.id for item in items]
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit) if group.local else None)


async def approve(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/requests/{account}/approve: lets in who asked."""
    return await _towards(call, group_acts.approve)


async def reject(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/requests/{account}/reject: with a `reason`."""
    reason = (await call.params()).text("reason") or ""
    return await _towards(call, lambda tx, group, own, other: group_acts.refuse(tx, group, own, other, reason))


# -- invitations -----------------------------------------------------------------------------------------------------


async def list_invites(call: Call) -> Response:
    """GET /api/fedcorp/v1/groups/{id}/invites: those that still hold; moderators see all, others their own."""
    viewer, id_ = await call.viewer(), call.id()
    group, moderates = await call.read(_look_at_invites, id_)
    if group.local or not moderates:
        items = await call.read(lambda tx, _: invitations.of_group(tx, group.id))
    else:
        items = await call.context.desk.invitations(group, viewer.id)
    mine = [item for item in items if moderates or viewer.id in (item.by_id, item.account_id)]
    return json(await call.read(lambda tx, _: entities.invites(tx, mine)))


def _look_at_invites(tx: Tx, viewer: Viewer, id_: int) -> tuple[Account, bool]:
    return get_group(tx, viewer, id_), policy.may_moderate(memberships.role_of(tx, id_, viewer.id))


async def invite(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/invites: `account_id` or `acct`, with a `message`, until `expires_at`."""
    await enter(call)
    params = await call.params()
    message, expires_at = params.text("message") or "", until(call, params)
    account_id = await _named(call)

    def act(tx: Tx, group: Account, own: Account) -> Any:
        invitee = group_acts.find_subject(tx, account_id)
        return group_acts.invite(tx, group, own, invitee, message=message, expires_at=expires_at)

    return await acting(call, act, _invitation(account_id))


def _invitation(account_id: int) -> Callable[[Tx, Account, int], dict[str, Any]]:
    """The invitation that holds; for somebody who had asked to join: that they are a member now."""

    def shown(tx: Tx, group: Account, viewer_id: int) -> dict[str, Any]:
        found = invitations.find_open(tx, group.id, account_id)
        return entities.invites(tx, [found])[0] if found is not None else _member(account_id)(tx, group, viewer_id)

    return shown


async def revoke(call: Call) -> Response:
    """DELETE /api/fedcorp/v1/groups/{id}/invites/{account}: takes an invitation back."""
    return await _towards(call, group_acts.revoke)
