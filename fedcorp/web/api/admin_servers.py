"""Which servers may federate, for administrators: Mastodon's allowed domains are our peers, its blocked ones barred.

In a closed department only peers exist, so barring a stranger changes nothing until the department opens. A tier that
lies between the two, heard but kept back, there is not: `silence` and `noop` are refused.
"""

from typing import Any

from starlette.responses import Response

from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.errors import Unprocessable
from fedcorp.social import accounts, servers
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.web.api import shown
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import admin
from fedcorp.web.pagination import page_of
from fedcorp.web.params import Params
from fedcorp.web.problems import UNPROCESSABLE

SEVERITIES = ("suspend", "silence", "noop")


def _page(call: Call) -> Page:
    return page_of(call.query, default=100, most=200)


# -- allowed ---------------------------------------------------------------------------------------------------------


async def list_allows(call: Call) -> Response:
    """GET /api/v1/admin/domain_allows"""
    page = _page(call)
    rows = await call.read(lambda tx, _: servers.let_in(tx, page))
    return shown.page(call, [row.id for row in rows], [admin.domain_allow(row) for row in rows], page.limit)


async def show_allow(call: Call) -> Response:
    """GET /api/v1/admin/domain_allows/{id}"""
    id_ = call.id()
    return json(admin.domain_allow(await call.read(lambda tx, _: peers.get_let_in(tx, id_))))


async def create_allow(call: Call) -> Response:
    """POST /api/v1/admin/domain_allows: `domain`, and `tier`, which is ours: partner when it is not said."""
    params = await call.params()
    return json(admin.domain_allow(await call.write(_admit, params)))


def _admit(tx: Tx, viewer: Viewer, params: Params) -> Peer:
    return servers.admit(tx, accounts.get(tx, viewer.id), _domain(params), params.choice("tier", peers.TIERS))


def _domain(params: Params) -> str:
    text = (params.text("domain") or "").strip()
    if not text:
        raise Unprocessable("Validation failed: Domain can't be blank")
    return text


async def delete_allow(call: Call) -> Response:
    """DELETE /api/v1/admin/domain_allows/{id}: the server is barred then, like any that an admin took away."""
    return json(await call.write(_remove, call.id()))


def _remove(tx: Tx, viewer: Viewer, id_: int) -> dict[str, Any]:
    peers.remove(tx, peers.get_let_in(tx, id_).domain, by=accounts.get(tx, viewer.id).uri)
    return {}


# -- blocked ---------------------------------------------------------------------------------------------------------


async def list_blocks(call: Call) -> Response:
    """GET /api/v1/admin/domain_blocks"""
    page = _page(call)
    rows = await call.read(lambda tx, _: servers.barred(tx, page))
    return shown.page(call, [row.id for row in rows], [admin.domain_block(row) for row in rows], page.limit)


async def show_block(call: Call) -> Response:
    """GET /api/v1/admin/domain_blocks/{id}"""
    id_ = call.id()
    return json(admin.domain_block(await call.read(lambda tx, _: peers.get_barred(tx, id_))))


async def create_block(call: Call) -> Response:
    """POST /api/v1/admin/domain_blocks: `domain`, `private_comment`, `public_comment`, `obfuscate`; `severity` is
    suspend."""
    made, known = await call.write(_bar, await call.params())
    entity = admin.domain_block(made)
    if known:
        error = f"You have already imposed stricter limits on {made.domain}."
        return json({"error": error, "existing_domain_block": entity}, UNPROCESSABLE)
    return json(entity)


def _bar(tx: Tx, viewer: Viewer, params: Params) -> tuple[Peer, bool]:
    """(the server, whether it was barred before)"""
    domain, comments = _domain(params), _comments(params)
    known = servers.find_barred(tx, domain)
    return (known, True) if known else (servers.bar(tx, accounts.get(tx, viewer.id), domain, comments), False)


def _comments(params: Params) -> dict[str, Any]:
    """What is said of a block, as far as it is given. Raises BadRequest, Unprocessable for what would be less."""
    severity = params.choice("severity", SEVERITIES)
    if severity not in (None, "suspend"):
        raise Unprocessable("A server is a peer or barred (suspend); limit single accounts instead.")
    found: dict[str, Any] = {
        name: (params.text(name) or "").strip() for name in ("private_comment", "public_comment") if name in params
    }
    obfuscate = params.boolean("obfuscate")
    return found if obfuscate is None else found | {"obfuscate": obfuscate}


async def update_block(call: Call) -> Response:
    """PUT /api/v1/admin/domain_blocks/{id}: the comments; what is not named stays."""
    id_, params = call.id(), await call.params()
    return json(admin.domain_block(await call.write(_comment, id_, params)))


def _comment(tx: Tx, viewer: Viewer, id_: int, params: Params) -> Peer:
    comments = _comments(params)
    servers.check_comments(comments)
    return peers.comment(tx, peers.get_barred(tx, id_), comments, by=accounts.get(tx, viewer.id).uri)


async def delete_block(call: Call) -> Response:
    """DELETE /api/v1/admin/domain_blocks/{id}: a stranger from now on, no peer."""
    return json(await call.write(_unbar, call.id()))


def _unbar(tx: Tx, viewer: Viewer, id_: int) -> dict[str, Any]:
    peers.unbar(tx, peers.get_barred(tx, id_), by=accounts.get(tx, viewer.id).uri)
    return {}
