"""Applications: clients register themselves. Codes and tokens are the work of `fedcorp.web.oauth`."""

from typing import Any

from starlette.responses import Response

from fedcorp.errors import Unauthorized
from fedcorp.social import applications
from fedcorp.social.applications import Application
from fedcorp.storage.database import Site, Tx
from fedcorp.web.auth import INVALID, Viewer
from fedcorp.web.call import Call, json
from fedcorp.webpush import server_key


def _entity(site: Site, row: Application) -> dict[str, Any]:
    """The Application entity. Apps keep it for good, so it has the key before there are push notifications."""
    return {
        "id": str(row.id),
        "name": row.name,
        "website": row.website,
        "scopes": row.scopes.split(),
        "redirect_uri": "\n".join(row.redirect_uris),
        "redirect_uris": list(row.redirect_uris),
        "vapid_key": server_key(site.vapid),
    }


async def create(call: Call) -> Response:
    """POST /api/v1/apps"""
    params = await call.params()
    uris = [uri for text in params.texts("redirect_uris") for uri in text.split()]
    row, secret = await call.write(
        _create, params.text("client_name") or "", uris, params.text("scopes") or "", params.text("website")
    )
    entity = _entity(call.context.db.site, row)
    return json(entity | {"client_id": row.client_id, "client_secret": secret, "client_secret_expires_at": 0})


def _create(tx: Tx, _: Viewer, name: str, uris: list[str], scopes: str, website: str | None) -> tuple[Application, str]:
    return applications.create_application(tx, name=name, redirect_uris=uris, scopes=scopes, website=website)


async def verify(call: Call) -> Response:
    """GET /api/v1/apps/verify_credentials"""
    return json(_entity(call.context.db.site, await call.read(_of_token)))


def _of_token(tx: Tx, viewer: Viewer) -> Application:
    found = applications.find_application_by_id(tx, viewer.application_id or 0)
    if found is None:
        raise Unauthorized(INVALID)
    return found
