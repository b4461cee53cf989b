"""The administrators' API: reports and accounts, for people who hold both the scope and the role moderator or admin."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from fedcorp.social import accounts, moderation, reports, warnings
from fedcorp.social.accounts import Account
from fedcorp.social.moderation import Wanted
from fedcorp.social.pages import Page
from fedcorp.social.reports import Report
from fedcorp.storage.database import Tx
from fedcorp.web.api import shown
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import admin
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.pagination import page_of
from fedcorp.web.params import Params


def _moderator(tx: Tx, viewer: Viewer) -> Account:
    """Who asks; that they look after the department is said by the `role` of the route."""
    return accounts.get(tx, viewer.id)


# -- reports ---------------------------------------------------------------------------------------------------------


async def list_reports(call: Call) -> Response:
    """GET /api/v1/admin/reports: those that wait, or with `resolved` those that were dealt with."""
    params = call.query
    page = page_of(params, default=100, most=200)
    which = {
        "resolved": params.flag("resolved"), "by": params.id("account_id"), "about": params.id("target_account_id"),
    }  # fmt: skip
    ids, body = await call.read(_list_reports, call.context.rendered, page, which)
    return shown.page(call, ids, body, page.limit)


def _list_reports(
    tx: Tx, viewer: Viewer, cache: Rendered, page: Page, which: dict[str, Any]
) -> tuple[list[int], list[dict[str, Any]]]:
    moderator = _moderator(tx, viewer)
    rows = reports.listing(tx, moderator.id, page, **which)
    return [row.id for row in rows], admin.reports(tx, cache, moderator.id, rows)


async def show_report(call: Call) -> Response:
    """GET /api/v1/admin/reports/{id}"""
    return await _shown(call, call.id())


async def _shown(call: Call, id_: int) -> Response:
    return json(await call.read(_show_report, call.context.rendered, id_))


def _show_report(tx: Tx, viewer: Viewer, cache: Rendered, id_: int) -> dict[str, Any]:
    moderator = _moderator(tx, viewer)
    return admin.reports(tx, cache, moderator.id, [reports.get(tx, moderator.id, id_)])[0]


async def change_report(call: Call) -> Response:
    """PUT /api/v1/admin/reports/{id}: `category`, `rule_ids`"""
    id_, params = call.id(), await call.params()
    category = params.choice("category", reports.CATEGORIES)
    rule_ids = params.texts("rule_ids") if "rule_ids" in params else None
    return await _act(call, id_, lambda tx, who: reports.change(tx, who, id_, category=category, rule_ids=rule_ids))


async def _act(call: Call, id_: int, work: Callable[[Tx, Account], Report]) -> Response:
    """Do it, and answer the report as it was kept: read apart from the change, like every status."""
    await call.write(lambda tx, viewer: work(tx, _moderator(tx, viewer)))
    return await _shown(call, id_)


async def assign_report(call: Call) -> Response:
    """POST /api/v1/admin/reports/{id}/assign_to_self"""
    id_ = call.id()
    return await _act(call, id_, lambda tx, who: reports.assign(tx, who, id_))


async def unassign_report(call: Call) -> Response:
    """POST /api/v1/admin/reports/{id}/unassign"""
    id_ = call.id()
    return await _act(call, id_, lambda tx, who: reports.unassign(tx, who, id_))


async def resolve_report(call: Call) -> Response:
    """POST /api/v1/admin/reports/{id}/resolve"""
    id_ = call.id()
    return await _act(call, id_, lambda tx, who: reports.resolve(tx, who, id_))


async def reopen_report(call: Call) -> Response:
    """POST /api/v1/admin/reports/{id}/reopen"""
    id_ = call.id()
    return await _act(call, id_, lambda tx, who: reports.reopen(tx, who, id_))


# -- accounts --------------------------------------------------------------------------------------------------------


def _words(params: Params) -> dict[str, str]:
    named = {"username": "username", "display_name": "display_name", "domain": "by_domain", "email": "email"}
    return {field: (params.text(name) or "").strip() for field, name in named.items()}


async def list_accounts(call: Call) -> Response:
    """GET /api/v2/admin/accounts"""
    params = call.query
    origin = params.choice("origin", ("local", "remote"))
    wanted = Wanted(
        local=None if origin is None else origin == "local",
        state=params.choice("status", moderation.STATES),
        staff=params.choice("permissions", ("staff",)) is not None,
        **_words(params),
    )
    return await _accounts(call, wanted)


async def list_accounts_v1(call: Call) -> Response:
    """GET /api/v1/admin/accounts: the same with a flag for each answer."""
    params = call.query
    local, remote = params.flag("local"), params.flag("remote")
    state = next((state for state in moderation.STATES if params.flag(state)), None)
    wanted = Wanted(local=None if local == remote else local, state=state, staff=params.flag("staff"), **_words(params))
    return await _accounts(call, wanted)


async def _accounts(call: Call, wanted: Wanted) -> Response:
    page = page_of(call.query, default=100, most=200)
    ids, body = await call.read(_list_accounts, page, wanted)
    return shown.page(call, ids, body, page.limit)


def _list_accounts(tx: Tx, _viewer: Viewer, page: Page, wanted: Wanted) -> tuple[list[int], list[dict[str, Any]]]:
    ids = moderation.listing(tx, page, wanted)
    found = admin.people(tx, ids)
    return ids, [found[id_] for id_ in ids]


async def show_account(call: Call) -> Response:
    """GET /api/v1/admin/accounts/{id}"""
    return json(await call.read(_show_account, call.id()))


def _show_account(tx: Tx, _viewer: Viewer, id_: int) -> dict[str, Any]:
    return admin.people(tx, [moderation.find(tx, id_).id])[id_]


async def act_on_account(call: Call) -> Response:
    """POST /api/v1/admin/accounts/{id}/action: `type`, `text` for the person and the audit, `report_id`."""
    id_, params = call.id(), await call.params()
    await call.write(_act_on_account, id_, params)
    return json({})


def _act_on_account(tx: Tx, viewer: Viewer, id_: int, params: Params) -> None:
    kind, text, report_id = params.text("type") or "", params.text("text") or "", params.id("report_id")
    warnings.act(tx, _moderator(tx, viewer), moderation.find(tx, id_), kind, text, report_id)


async def unsuspend_account(call: Call) -> Response:
    """POST /api/v1/admin/accounts/{id}/unsuspend"""
    return await _lift(call, "suspend")


async def unsilence_account(call: Call) -> Response:
    """POST /api/v1/admin/accounts/{id}/unsilence"""
    return await _lift(call, "silence")


async def unsensitive_account(call: Call) -> Response:
    """POST /api/v1/admin/accounts/{id}/unsensitive"""
    return await _lift(call, "sensitive")


async def enable_account(call: Call) -> Response:
    """POST /api/v1/admin/accounts/{id}/enable"""
    return await _lift(call, "disable")


async def _lift(call: Call, action: str) -> Response:
    id_ = call.id()
    await call.params()  # says no to a broken body, like every change
    return json(await call.write(_lift_from_account, id_, action))


def _lift_from_account(tx: Tx, viewer: Viewer, id_: int, action: str) -> dict[str, Any]:
    warnings.lift(tx, _moderator(tx, viewer), moderation.find(tx, id_), action)
    return admin.people(tx, [id_])[id_]
