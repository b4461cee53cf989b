"""What moderators told one, and one's answer: Mastodon shows warnings as notifications, and has no more words."""

from typing import Any

from starlette.responses import Response

from fedcorp.social import accounts, warnings
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.web.api import shown
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities.warnings import account_warnings
from fedcorp.web.pagination import page_of
from fedcorp.web.route import Param

APPEALED = (Param("text", "What the moderators should know.", needed=True, most=warnings.MAX_APPEAL),)


async def listing(call: Call) -> Response:
    """GET /api/fedcorp/v1/warnings: what moderators told oneself, latest first."""
    page = page_of(call.query, default=40, most=80)
    ids, body = await call.read(_listing, page)
    return shown.page(call, ids, body, page.limit)


def _listing(tx: Tx, viewer: Viewer, page: Page) -> tuple[list[int], list[dict[str, Any]]]:
    rows = warnings.listing(tx, viewer.id, page)
    return [row.id for row in rows], account_warnings(tx, rows)


async def appeal(call: Call) -> Response:
    """POST /api/fedcorp/v1/warnings/{id}/appeal: answers a warning, once.

    The moderators get the answer as a report of its author about themselves. Lifting what was done grants it.
    """
    id_, params = call.id(), await call.params()
    return json(await call.write(_appeal, id_, params.text("text") or ""))


def _appeal(tx: Tx, viewer: Viewer, id_: int, text: str) -> dict[str, Any]:
    return account_warnings(tx, [warnings.appeal(tx, accounts.get(tx, viewer.id), id_, text)])[0]
