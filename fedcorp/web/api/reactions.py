"""Reactions to statuses, in the routes of glitch-soc and in those of Pleroma; and who reacted how."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from fedcorp.errors import NotFound
from fedcorp.social import accounts, reactions, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Page
from fedcorp.social.reactions import Given, Kind
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.web.api import shown
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import reactions as entities
from fedcorp.web.pagination import page_of

MOST = 320  # reactions of which Pleroma's list, which has no pages, names the accounts

_Verb = Callable[[Tx, Account, Status, str], object]


async def react(call: Call) -> Response:
    """POST /api/v1/statuses/{id}/react/{name}, PUT /api/v1/pleroma/statuses/{id}/reactions/{name}"""
    return await _do(call, _react)


async def take_back(call: Call) -> Response:
    """POST /api/v1/statuses/{id}/unreact/{name}, DELETE /api/v1/pleroma/statuses/{id}/reactions/{name}"""
    return await _do(call, _take_back)


async def _do(call: Call, verb: _Verb) -> Response:
    return await shown.status(call, await call.write(_done, call.id(), call.path_params["name"], verb))


def _done(tx: Tx, viewer: Viewer, id_: int, name: str, verb: _Verb) -> int:
    status = statuses.get_original(tx, viewer.id, id_)
    verb(tx, accounts.get(tx, viewer.id), status, name)
    return status.id


def _react(tx: Tx, account: Account, status: Status, name: str) -> None:
    reactions.react(tx, account, status, reactions.choose(tx, status, name))


def _take_back(tx: Tx, account: Account, status: Status, name: str) -> None:
    kind = reactions.named(name)
    if kind is not None:
        reactions.take_back(tx, account, status.id, kind)


async def listing(call: Call) -> Response:
    """GET /api/v1/statuses/{id}/reactions: one by one, latest first; with `emoji` those of one emoji"""
    page = page_of(call.query, default=40, most=80)
    ids, body = await call.read(_listing, call.id(), call.query.text("emoji"), page)
    return shown.page(call, ids, body, page.limit)


def _listing(
    tx: Tx, viewer: Viewer, id_: int, name: str | None, page: Page
) -> tuple[list[int], list[dict[str, Any]]]:  # fmt: skip
    status = statuses.get_original(tx, viewer.account_id, id_)
    rows = _given(tx, viewer, status, page, name)
    return [row.id for row in rows], entities.who(tx, rows)


def _given(tx: Tx, viewer: Viewer, status: Status, page: Page, name: str | None) -> list[Given]:
    kind = reactions.named(name) if name else None
    if name and kind is None:
        return []
    return reactions.listing(tx, viewer.account_id, status.id, page, kind)


async def by_emoji(call: Call) -> Response:
    """GET /api/v1/pleroma/statuses/{id}/reactions"""
    return json(await call.read(_by_emoji, call.id(), None))


async def of_emoji(call: Call) -> Response:
    """GET /api/v1/pleroma/statuses/{id}/reactions/{name}"""
    kind = reactions.named(call.path_params["name"])
    if kind is None:
        raise NotFound
    return json(await call.read(_by_emoji, call.id(), kind))


def _by_emoji(tx: Tx, viewer: Viewer, id_: int, kind: Kind | None) -> list[dict[str, Any]]:
    status = statuses.get_original(tx, viewer.account_id, id_)
    found = reactions.of_statuses(tx, [status.id], viewer.account_id).get(status.id, [])
    given = reactions.listing(tx, viewer.account_id, status.id, Page(MOST), kind)
    return entities.by_emoji(tx, [item for item in found if kind in (None, item.kind)], given)
