"""Asks web pages, not documents: of hosts that the configuration names, and of peers. Nobody else is ever asked, but
services of the company at addresses that the configuration gives.

Requests are unsigned, carry no cookie, say nothing of who wanted it, and go through the one door outwards, which vets
addresses. Redirects are followed by hand, each to a host that may be asked as well.
"""

from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import orjson

from fedcorp.activitypub.client import Client
from fedcorp.company import peers
from fedcorp.config import Config
from fedcorp.errors import BadRequest, Forbidden, NotFound, Unavailable
from fedcorp.social.page_heads import is_web
from fedcorp.storage.database import Database, Tx

REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def is_named(config: Config, host: str) -> bool:
    """Whether `links.hosts` names this host (without port), itself or as one of `*.example.com`."""
    return any(
        host.endswith(name.removeprefix("*")) if name.startswith("*.") else host == name for name in config.links.hosts
    )


def check_host(tx: Tx, url: str) -> None:
    """Raises Forbidden for an address that this server does not ask, its own too."""
    parts = urlsplit(url)
    if not is_web(url) or tx.site.urls.owns(url):
        raise Forbidden("This address is not asked.", url)
    if is_named(tx.site.config, (parts.hostname or "").lower()):
        return
    peer = peers.find(tx, parts.netloc.lower())
    if peer is None or peer.tier == "unknown":
        raise Forbidden("This host is not asked.", url)


class Visitor:
    """Asks for one instance."""

    def __init__(self, client: Client, db: Database) -> None:
        self._client = client
        self._db = db

    async def get(self, url: str, accept: str, max_bytes: int) -> tuple[bytes, str, str]:
        """(content, content type, where it was found). Raises Forbidden, NotFound, BadRequest, Unavailable."""
        url = urldefrag(url).url
        for _ in range(REDIRECTS + 1):
            await self._db.read(check_host, url)
            response = await self._client.send("GET", url, None, {"Accept": accept}, {"max_body": max_bytes})
            location = response.headers.get("location")
            if response.status_code not in _REDIRECTS or not location:
                _check(response, url)
                return response.content, response.headers.get("content-type", ""), url
            url = urldefrag(urljoin(url, location)).url
        raise BadRequest("Too many redirects", url)

    async def ask_inside(self, url: str, document: Any = None) -> Any:
        """The JSON that a service of the company answers to a GET, or to a POST of `document`.

        Goes to the configured networks or nowhere. Raises Forbidden, NotFound, BadRequest, Unavailable.
        """
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        body = None if document is None else orjson.dumps(document)
        response = await self._client.send("GET" if body is None else "POST", url, body, headers, {"inside": True})
        _check(response, url)
        try:
            return orjson.loads(response.content)
        except ValueError as error:
            raise BadRequest("The answer is no JSON", url) from error


def _check(response: httpx.Response, url: str) -> None:
    if response.is_success:
        return
    if response.status_code in (408, 425, 429) or response.status_code >= 500:
        raise Unavailable("The other server is busy.", f"{response.status_code} {url}")
    raise NotFound(detail=f"{response.status_code} {url}")
