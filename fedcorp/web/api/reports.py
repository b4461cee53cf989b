"""Reports to the moderators of the department."""

from typing import Any

from starlette.responses import Response

from fedcorp.errors import BadRequest
from fedcorp.social import accounts, reports
from fedcorp.social.visibility import get_shown
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities.reports import report


async def create(call: Call) -> Response:
    """POST /api/v1/reports"""
    params = await call.params()
    account_id = params.id("account_id")
    values = {
        "status_ids": params.ids("status_ids"), "comment": params.text("comment") or "",
        "category": params.choice("category", reports.CATEGORIES) or "other",
        "rule_ids": params.texts("rule_ids"), "forward": params.flag("forward"),
    }  # fmt: skip
    return json(await call.write(_create, account_id, values))


def _create(tx: Tx, viewer: Viewer, account_id: int | None, values: dict[str, Any]) -> dict[str, Any]:
    if account_id is None:
        raise BadRequest("The parameter account_id is missing.")
    reporter, target = accounts.get(tx, viewer.id), get_shown(tx, account_id, viewer.id)
    return report(tx, reports.make(tx, reporter, target, **values))
