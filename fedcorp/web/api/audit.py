"""The audit for moderators: who did what to whom in this department. It is read and never changed."""

from typing import Any

from starlette.responses import Response

from fedcorp.company import audit
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.web.api import shown
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call
from fedcorp.web.entities.admin import audit_entry
from fedcorp.web.pagination import PAGE, page_of
from fedcorp.web.route import Param

LISTED = (
    *PAGE,
    Param("act", "Only acts that begin with this, like account. or report.resolve."),
    Param("actor", "Only what this one did: the address of an account, or `command line`."),
    Param("subject", "Only what was done to this: the address of an account, a domain, the number of a report."),
)


async def listing(call: Call) -> Response:
    """GET /api/fedcorp/v1/admin/audit: who did what to whom here, when and why, latest first."""
    params = call.query
    page = page_of(params, default=40, most=80)
    words = {name: params.text(name) or "" for name in ("act", "actor", "subject")}
    found = await call.read(_listing, page, words)
    return shown.page(call, [entry.seq for entry in found], [audit_entry(entry) for entry in found], page.limit)


def _listing(tx: Tx, _viewer: Viewer, page: Page, words: dict[str, Any]) -> list[audit.Entry]:
    above = page.since_id if page.min_id is None else page.min_id
    return audit.listing(tx, page.limit, below=page.max_id, above=above, upward=page.min_id is not None, **words)
