"""Where other programs find things here: WebFinger, host-meta, NodeInfo, and the metadata of the OAuth server.

All of it is open to everybody and says nothing that a page for people would not. Sources: RFC 7033, RFC 6415, NodeInfo
2.0 and 2.1, RFC 8414, FEP-d556 and FEP-2677 (the actor of the server).
"""

import re
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson
from starlette.responses import Response

from fedcorp import __version__
from fedcorp.errors import BadRequest, Gone, NotFound
from fedcorp.social import accounts, applications, groups, statistics
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from fedcorp.urls import Urls, split_handle
from fedcorp.web.call import Call, json
from fedcorp.web.problems import OK
from fedcorp.web.route import Route

JRD = "application/jrd+json"
ACTIVITY = "application/activity+json"
_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")  # begins like one: a name without `acct:` is none
_CACHED = {"Cache-Control": "public, max-age=600"}


def _urls(call: Call) -> Urls:
    return Urls(call.context.config.origin)


# -- WebFinger -------------------------------------------------------------------------------------------------------


async def get_webfinger(call: Call) -> Response:
    """Whom a handle or address means (RFC 7033). `rel`, as often as one likes, asks for some of the links alone."""
    resource = call.query.text("resource") or ""
    if not _URI.match(resource) or len(resource) > 2048 or len(call.query_params.getlist("resource")) > 1:
        raise BadRequest("WebFinger needs one `resource` such as acct:name@host.")
    account = await call.context.db.read(_find, resource)
    document = _descriptor(account, _urls(call))
    if wanted := call.query_params.getlist("rel"):
        document["links"] = [link for link in document["links"] if link["rel"] in wanted]
    return Response(orjson.dumps(document), OK, _CACHED, JRD)


def _find(tx: Tx, resource: str) -> Account:
    """The account of a resource. Raises NotFound for what is not ours, Gone for what was deleted."""
    account = _named(tx, resource)
    if account is None or not account.local or account.suspended_at is not None:
        raise NotFound
    group = groups.find(tx, account.id) if account.is_group else None
    if group is not None and not group.listed:
        raise NotFound
    if account.deleted_at is not None:
        raise Gone("This account was deleted.")
    return account


def _named(tx: Tx, resource: str) -> Account | None:
    urls = tx.site.urls
    if resource.startswith(("https://", "http://")):
        if resource.rstrip("/") == urls.origin:
            return accounts.instance_actor(tx)
        page = urls.find_page(resource)
        return accounts.find_local(tx, page[0]) if page else accounts.find_by_uri(tx, resource)
    if not resource.startswith("acct:"):
        raise NotFound
    username, domain = split_handle(resource)
    if not username or domain is None:
        raise BadRequest("A handle looks like acct:name@host.")
    if domain != urls.domain:
        return None
    if username.lower() == domain:  # as one asks a server for itself; with a port that is not its name
        return accounts.instance_actor(tx)
    return accounts.find_by_handle(tx, username, domain)


def _descriptor(account: Account, urls: Urls) -> dict[str, Any]:
    """What there is to say about an account. Of the type of actors, people and groups have one link alone: some who ask
    go by the type and not by `rel`.
    """
    links = [
        {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": account.url},
        {"rel": "self", "type": ACTIVITY, "href": account.uri},
    ]
    if account.uri == urls.instance_actor:  # as one asks a server for itself (FEP-d556)
        links.append({"rel": "https://www.w3.org/ns/activitystreams#Service", "type": ACTIVITY, "href": account.uri})
    return {"subject": f"acct:{account.handle}", "aliases": [account.url, account.uri], "links": links}


async def get_host_meta(call: Call) -> Response:
    """Where WebFinger is, for those who ask the old way (RFC 6415)."""
    template = quoteattr(f"{_urls(call).origin}/.well-known/webfinger?resource={{uri}}")
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" type="{JRD}" template={template}/>\n</XRD>\n'
    )
    return Response(document, OK, _CACHED, "application/xrd+xml")


# -- NodeInfo --------------------------------------------------------------------------------------------------------


async def get_nodeinfo_index(call: Call) -> Response:
    """Which versions of NodeInfo there are, and the actor of the server."""
    actor = _urls(call).instance_actor
    links = [{"rel": _SCHEMA + version, "href": f"{call.base}/nodeinfo/{version}"} for version in ("2.0", "2.1")]
    links.append({"rel": "https://www.w3.org/ns/activitystreams#Application", "href": actor})
    return json({"links": links}, headers=_CACHED)


async def get_nodeinfo(call: Call) -> Response:
    """What runs here and how many use it."""
    version = call.scope["path"].rstrip("/").rsplit("/", 1)[1]
    numbers = await call.context.db.read(statistics.count)
    software = {"name": "fedcorp", "version": __version__}
    document = {
        "version": version,
        "software": software,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {
            "users": {
                "total": numbers.users,
                "activeMonth": numbers.active_month,
                "activeHalfyear": numbers.active_half_year,
            },
            "localPosts": numbers.statuses,
        },
        "metadata": {
            "nodeName": call.context.config.name,
            "nodeDescription": call.context.config.description,
            # Some clients choose how to speak by the software's name, and look here for those they do not know.
            "upstream": {"name": "mastodon", "version": "4.3.0"},
        },
    }
    kind = f'application/json; profile="{_SCHEMA}{version}#"'
    return Response(orjson.dumps(document), OK, _CACHED | {"Content-Type": kind})


# -- OAuth -----------------------------------------------------------------------------------------------------------


async def get_oauth_metadata(call: Call) -> Response:
    """Where and how tokens are given (RFC 8414)."""
    base = call.base
    return json(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/oauth/authorize",
            "token_endpoint": f"{base}/oauth/token",
            "revocation_endpoint": f"{base}/oauth/revoke",
            "userinfo_endpoint": f"{base}/oauth/userinfo",
            "app_registration_endpoint": f"{base}/api/v1/apps",
            "scopes_supported": sorted(applications.SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


ROUTES = (
    Route("GET", "/.well-known/webfinger", get_webfinger),
    Route("GET", "/.well-known/host-meta", get_host_meta),
    Route("GET", "/.well-known/nodeinfo", get_nodeinfo_index),
    Route("GET", "/nodeinfo/2.0", get_nodeinfo),
    Route("GET", "/nodeinfo/2.1", get_nodeinfo),
    Route("GET", "/.well-known/oauth-authorization-server", get_oauth_metadata),
)
