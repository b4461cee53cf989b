"""fedcorp's own API of groups: decisions on posts, what waits for one, reports, and what became of a post."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from fedcorp.errors import BadRequest, NotFound
from fedcorp.social import accounts, group_acts, group_posts, memberships, statuses, stewardship
from fedcorp.social.accounts import Account
from fedcorp.social.group_posts import GroupPost
from fedcorp.social.stewardship import Report
from fedcorp.social.visibility import is_shown
from fedcorp.storage.database import Tx
from fedcorp.web.api.groups import acting, enter, get_group, nothing
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import groups as entities
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.statuses import array, render
from fedcorp.web.route import Param

# -- what the handlers read ------------------------------------------------------------------------------------------

JUDGED = (Param("reason", "Why; the author is told.", most=stewardship.MAX_REASON),)
REPORTED = (
    Param("account_id", "Whom the report is about.", "id", needed=True),
    Param("status_ids", "Posts that show what is wrong.", "ids"),
    Param("comment", "What is wrong.", most=stewardship.MAX_REASON),
)

# -- decisions -------------------------------------------------------------------------------------------------------


def _judging(verdict: str, verb: str, words: str) -> Callable[[Call], Awaitable[Response]]:
    """A handler that decides so on the status in the path; a `reason` goes to its author."""

    async def handler(call: Call) -> Response:
        reason, status_id = (await call.params()).text("reason") or "", call.id("status")

        def act(tx: Tx, group: Account, own: Account) -> Any:
            memberships.check_may_moderate(tx, group.id, own.id)
            status = statuses.find(tx, status_id)
            if status is None or status.deleted_at is not None:
                raise NotFound
            if group_posts.find(tx, group.id, status_id) is None:
                raise NotFound("This post does not stand in the group.")
            return group_acts.judge(tx, group, own, status, verdict, reason)

        return await acting(call, act, _place(status_id))

    handler.__doc__ = f"POST /api/fedcorp/v1/groups/{{id}}/statuses/{{status}}/{verb}: {words}"
    return handler


def _place(status_id: int) -> Callable[[Tx, Account, int], dict[str, Any]]:
    """How the status stands in the group then; a lock stands at the beginning of its thread."""

    def shown(tx: Tx, group: Account, _viewer_id: int) -> dict[str, Any]:
        known = group_posts.find(tx, group.id, status_id)
        assert known is not None
        return entities.places(tx, [known])[0] | {"locked": group_posts.is_locked(tx, group.id, status_id)}

    return shown


remove = _judging("removed", "remove", "takes a post out of the group, everywhere.")
restore = _judging("restored", "restore", "puts a post that was taken out back in.")
lock = _judging("locked", "lock", "nobody answers in this thread any more.")
unlock = _judging("unlocked", "unlock", "people answer in this thread again.")
pin = _judging("pinned", "pin", "shows a post first on the group's profile.")
unpin = _judging("unpinned", "unpin", "shows a post among the others again.")
approve = _judging("accepted", "approve", "passes on a post that waited for a moderator.")
reject = _judging("rejected", "reject", "refuses a post that waited for a moderator.")


# -- what waits ------------------------------------------------------------------------------------------------------


async def held(call: Call) -> Response:
    """GET /api/fedcorp/v1/groups/{id}/held: posts that wait for a moderator, oldest first."""
    viewer, group = await call.viewer(), await call.read(_moderated, call.id())
    if group.local:
        ids = await call.read(lambda tx, _: group_posts.held(tx, group.id))
    else:
        ids = await call.context.desk.held(group, viewer.id)
    return json(await call.read(_held, call.context.rendered, ids))


def _moderated(tx: Tx, viewer: Viewer, id_: int) -> Account:
    group = get_group(tx, viewer, id_)
    memberships.check_may_moderate(tx, id_, viewer.id)
    return group


def _held(tx: Tx, viewer: Viewer, cache: Rendered, ids: list[int]) -> bytes:
    """Moderators see what waits, also when only members will ever read it."""
    found = statuses.find_many(tx, ids)
    return array(render(tx, cache, viewer.account_id, [id_ for id_ in ids if id_ in found]))


# -- reports ---------------------------------------------------------------------------------------------------------


async def report(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/reports: `account_id`, `status_ids` and a `comment`, for its moderators."""
    await enter(call)
    params = await call.params()
    account_id, status_ids = params.id("account_id"), params.ids("status_ids")
    if account_id is None:
        raise BadRequest("The parameter account_id is missing.")
    comment = params.text("comment") or ""

    def act(tx: Tx, group: Account, own: Account) -> Any:
        seen = statuses.visible_ids(tx, own.id, status_ids)
        subject = group_acts.find_subject(tx, account_id)
        return group_acts.report(
            tx, group, own, subject, status_ids=[id_ for id_ in status_ids if id_ in seen], comment=comment
        )

    return await acting(call, act, nothing)


async def list_reports(call: Call) -> Response:
    """GET /api/fedcorp/v1/groups/{id}/reports: what nobody has dealt with; never who told it."""
    viewer, group = await call.viewer(), await call.read(_moderated, call.id())
    if group.local:
        items: list[Report] = await call.read(lambda tx, _: stewardship.reports_in(tx, group))
    else:
        items = await call.context.desk.reports(group, viewer.id)
    return json(await call.read(lambda tx, _: entities.reports(tx, items)))


async def resolve_report(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/reports/{report}/resolve: somebody has dealt with it."""
    report_id = call.id("report")
    return await acting(call, lambda tx, group, own: group_acts.resolve(tx, group, own, report_id), nothing)


# -- for authors -----------------------------------------------------------------------------------------------------


async def places(call: Call) -> Response:
    """GET /api/fedcorp/v1/statuses/{id}/groups: what became of a post in the groups it was written to.

    Its author sees every state, others only where it was distributed.
    """
    return json(await call.read(_places, call.id()))


def _places(tx: Tx, viewer: Viewer, id_: int) -> list[dict[str, Any]]:
    status = statuses.get_visible(tx, viewer.id, id_)
    items = group_posts.of_statuses(tx, [id_]).get(id_, [])
    return entities.places(
        tx, [item for item in items if viewer.id == status.account_id or _stands_for(tx, viewer, item)]
    )


def _stands_for(tx: Tx, viewer: Viewer, item: GroupPost) -> bool:
    """Whether somebody other than the author may know that the post stands in this group."""
    group = accounts.find(tx, item.group_id)
    return item.state == "distributed" and group is not None and is_shown(tx, group, viewer.id)
