"""Domains that somebody keeps away from themselves. Whom the instance hears at all is its administrator's to say."""

from typing import Any

from starlette.responses import Response

from fedcorp.social import accounts, blocks
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.web.api import shown
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.pagination import page_of


async def listing(call: Call) -> Response:
    """GET /api/v1/domain_blocks"""
    page = page_of(call.query, default=100, most=200)
    ids, body = await call.read(_listing, page)
    return shown.page(call, ids, body, page.limit)


def _listing(tx: Tx, viewer: Viewer, page: Page) -> tuple[list[int], list[str]]:
    rows = blocks.blocked_domains(tx, viewer.id, page)
    return [id_ for id_, _ in rows], [domain for _, domain in rows]


async def create(call: Call) -> Response:
    """POST /api/v1/domain_blocks"""
    params = await call.params()
    return json(await call.write(_create, params.text("domain") or ""))


def _create(tx: Tx, viewer: Viewer, domain: str) -> dict[str, Any]:
    blocks.block_domain(tx, accounts.get(tx, viewer.id), domain)
    return {}


async def delete(call: Call) -> Response:
    """DELETE /api/v1/domain_blocks"""
    params = await call.params()
    return json(await call.write(_delete, params.text("domain") or ""))


def _delete(tx: Tx, viewer: Viewer, domain: str) -> dict[str, Any]:
    blocks.unblock_domain(tx, viewer.id, domain)
    return {}
