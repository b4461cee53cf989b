"""Requests to other servers: signed, asked of the peer policy first, and believed only as far as their origin goes.

Every request is preceded by `company.peers`: a host that may not federate gets none. Redirects are followed by hand,
at most three, each vetted and signed anew. Nothing here decides what a document means, and nothing is stored but the
dialect of signatures that a peer understood.

Sources: FEP-fe34 (fetching), ActivityPub section 3.2, RFC 7033 (WebFinger), NodeInfo 2.1, RFC 9421 and draft-cavage-12.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urldefrag, urljoin

import httpx
import orjson
import sqlalchemy as sa

from fedcorp.activitypub import signatures
from fedcorp.activitypub.compaction import normalize
from fedcorp.activitypub.documents import domain_of, origin, parse_json, same_origin
from fedcorp.activitypub.jsonld import is_plain
from fedcorp.activitypub.vocabulary import ACTIVITY_JSON, JRD_JSON, LD_JSON, as_list
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.config import is_loopback_name
from fedcorp.errors import BadRequest, FedcorpError, Forbidden, Gone, NotFound, Unauthorized, Unavailable
from fedcorp.keys import load_private
from fedcorp.net import AddressRefused
from fedcorp.social import accounts
from fedcorp.social.accounts import Key
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import peers as peers_table
from fedcorp.urls import split_handle

REDIRECTS = 3
REMEMBER_MS = 7 * 86_400_000  # how long it counts that a host refused RFC 9421; what it takes is used while it does
_NEGATIVE_MS: dict[type[FedcorpError], int] = {
    Gone: 600_000,
    NotFound: 30_000,
    Unauthorized: 60_000,
    Unavailable: 3_000,
}
_NEGATIVE_SIZE = 4096
_ACCEPT = f"{ACTIVITY_JSON}, {LD_JSON}"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OTHER_DIALECT = frozenset({400, 401})


@dataclass(frozen=True, slots=True)
class Door:
    """What is known of a host before it is asked: its tier, the dialect it understood, and the keys we sign with."""

    tier: str
    profile: str | None
    keys: Mapping[str, Key]


@dataclass(frozen=True, slots=True)
class Finger:
    """The answer of WebFinger: the handle that the server calls its own, and the actor behind it."""

    username: str
    domain: str
    actor_uri: str


def admit(tx: Tx, domain: str, signer_id: int | None = None) -> Door:
    """What a request to `domain` needs; `signer_id` is a local account, else the instance actor. Raises Forbidden."""
    tier = peers.check_tier(tx, domain)
    peer = peers.find(tx, domain)
    fresh = peer is not None and peer.learned_at is not None and peer.learned_at > tx.ms - REMEMBER_MS
    profile = peer.signature_profile if peer is not None and (fresh or peer.signature_profile != "cavage") else None
    signer = signer_id if signer_id is not None else accounts.instance_actor(tx).id
    return Door(tier, profile, accounts.signing_keys(tx, signer))


def learn(tx: Tx, domain: str, dialect: str) -> None:
    """Keep which dialect of signatures a peer understood."""
    tx.conn.execute(
        sa.update(peers_table).where(peers_table.c.domain == domain).values(signature_profile=dialect, learned_at=tx.ms)
    )


class Client:
    """Fetches documents, media and discovery data from peers. One client serves one instance."""

    def __init__(self, network: httpx.AsyncBaseTransport, db: Database, clock: Clock, agent: str = "fedcorp") -> None:
        self._network = network
        self._agent = agent
        self._db = db
        self._clock = clock
        self._failed: OrderedDict[str, tuple[int, FedcorpError]] = OrderedDict()

    # -- documents --------------------------------------------------------------------------------------------------

    async def get(
        self,
        uri: str,
        *,
        signer_id: int | None = None,
        loose: bool = False,
        as_json: bool = False,
        as_said: bool = False,
    ) -> dict[str, Any]:
        """The normalised document that stands at `uri`, proven to be the one that its `id` names.

        With `loose` the id need only share the origin of the address it was found at, or be missing (as that of an
        outbox of Takahe): such a document may point elsewhere but proves nothing. With `as_json` it may say no more
        of itself than that it is JSON (as an outbox of BookWyrm does), as any file may: only for an address that its
        owner names for this. With `as_said` the id counts for nothing: it is the word of the server that was asked, as
        of which posts stand in a thread there (PieFed names that list after a post of elsewhere). Raises Forbidden
        (peer policy, address or the peer's own refusal), NotFound, Gone, Unavailable (try later), BadRequest (no
        document).
        """
        self._check_foreign(uri)
        if signer_id is None:  # what one person is refused, another may read
            self._recall(uri)
        try:
            doc, found_at = await self._document(uri, signer_id, as_json)
            found = doc.get("id")
            if as_said and same_origin(found_at, uri):
                return doc
            if loose and (found is None or (isinstance(found, str) and same_origin(found, found_at))):
                return doc
            if found != found_at:
                doc = await self._at_its_id(found, signer_id)
        except FedcorpError as error:
            if signer_id is None:
                self._remember(uri, error)
            raise
        return doc

    async def _at_its_id(self, uri: Any, signer_id: int | None) -> dict[str, Any]:
        if not isinstance(uri, str):
            raise BadRequest("The document has no id")
        self._check_foreign(uri)
        doc, found_at = await self._document(uri, signer_id)
        if doc.get("id") != uri or found_at != uri:
            raise BadRequest("The document is not the one that its id names")
        return doc

    async def _document(self, uri: str, signer_id: int | None, as_json: bool = False) -> tuple[dict[str, Any], str]:
        response, found_at = await self._follow(uri, _ACCEPT, signer_id, {})
        declared = response.headers.get("content-type", "")
        if not (as_json and declared.partition(";")[0].strip().lower() == "application/json"):
            _check_document_type(declared)
        return await self._read(response), found_at

    async def media(self, url: str, max_bytes: int) -> tuple[bytes, str]:
        """(bytes, declared MIME type) of a file, fetched with our signature. Raises as `get`."""
        response, _ = await self._follow(url, "*/*", None, {"max_body": max_bytes})
        return response.content, response.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def _follow(
        self, uri: str, accept: str, signer_id: int | None, extensions: dict[str, Any]
    ) -> tuple[httpx.Response, str]:
        """The first response that is no redirect, and the address it came from. Raises unless it is a success."""
        url = urldefrag(uri).url
        for _ in range(REDIRECTS + 1):
            response = await self._knock(url, accept, signer_id, extensions)
            location = response.headers.get("location")
            if response.status_code not in _REDIRECTS or not location:
                _check_success(response.status_code, url)
                return response, url
            url = urldefrag(urljoin(url, location)).url
            self._check_foreign(url)
        raise BadRequest("Too many redirects", url)

    async def exchange(self, url: str, document: dict[str, Any]) -> dict[str, Any]:
        """POST a document, signed for this server, and read the one that is answered; it proves nothing by itself.

        Follows no redirects. Raises as `get`.
        """
        self._check_foreign(url)
        response = await self._knock(url, _ACCEPT, None, {}, orjson.dumps(document))
        _check_success(response.status_code, url)
        _check_document_type(response.headers.get("content-type", ""))
        return await self._read(response)

    async def _read(self, response: httpx.Response) -> dict[str, Any]:
        doc = parse_json(response.content)
        return doc if is_plain(doc) else await self._clock.offload(normalize, doc)

    async def ask(self, url: str, document: dict[str, Any] | None = None) -> httpx.Response:
        """What `url` answers to a GET, or to a POST of a document, signed for this server; not judged, no redirects.

        Raises Unavailable, Forbidden by peer policy or for an address, BadRequest.
        """
        self._check_foreign(url)
        return await self._knock(url, _ACCEPT, None, {}, None if document is None else orjson.dumps(document))

    async def _knock(
        self, url: str, accept: str, signer_id: int | None, extensions: dict[str, Any], body: bytes | None = None
    ) -> httpx.Response:
        """One GET, or POST of a body, in the dialect the host understood before; in the other ones only after 400 or
        401.
        """
        method = "GET" if body is None else "POST"
        domain = domain_of(url)
        door = await self._db.read(admit, domain, signer_id)
        response: httpx.Response | None = None
        wanted: signatures.Asked | None = None
        left = list(signatures.dialects(door.profile))
        while left:
            dialect = left.pop(0)
            key = door.keys["ed25519" if dialect.endswith("ed25519") else "rsa"]
            headers = signatures.sign(
                method, url, body, key_id=key.id, private=load_private(key.private), dialect=dialect,
                now=self._clock.now(), headers=None, wanted=wanted,
            )  # fmt: skip
            response = await self.send(method, url, body, {**headers, "Accept": accept}, extensions)
            if response.status_code not in _OTHER_DIALECT:
                if response.is_success and signatures.is_news(dialect, door.profile):
                    await self._db.write(learn, domain, dialect)
                break
            if wanted is None and (wanted := signatures.asked(response.headers.get("accept-signature"))) is not None:
                left = [wanted.dialect, *(one for one in left if one != wanted.dialect)]
        assert response is not None
        return response

    async def send(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        extensions: dict[str, Any] | None = None,
    ) -> httpx.Response:
        """One exchange with ready headers, no policy asked. Raises Unavailable, Forbidden for an address."""
        try:
            # Straight to the transport: an AsyncClient costs thrice as much, for cookies and redirects that we refuse.
            request = httpx.Request(
                method, url, content=body, headers={"User-Agent": self._agent, **headers}, extensions=extensions or {}
            )
            response = await self._network.handle_async_request(request)
            response.request = request
            await response.aread()
            return response
        except AddressRefused as error:
            raise Forbidden("The address of that server is not allowed.", str(error)) from error
        except httpx.HTTPError as error:
            raise Unavailable("The other server cannot be reached.", f"{type(error).__name__}: {error}") from error
        except httpx.InvalidURL as error:
            raise BadRequest("Not a valid http(s) URL", str(error)) from error

    async def post(self, inbox: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Deliver `body` with headers that were signed for it. Raises as `send`."""
        return await self.send("POST", inbox, body, headers)

    # -- discovery --------------------------------------------------------------------------------------------------

    async def webfinger(self, handle: str) -> Finger:
        """Whom `user@domain` means, by the word of that domain alone. Raises NotFound, Forbidden, Unavailable."""
        username, domain = split_handle(handle)
        if not username or not domain or domain == self._db.site.urls.domain:
            raise NotFound(f"{handle} is not a handle of another server.")
        base = f"{self.scheme_of(domain)}://{domain}"
        origin(base)
        resource = quote(f"acct:{username}@{domain}", safe="")
        doc = await self._json(f"{base}/.well-known/webfinger?resource={resource}", f"{JRD_JSON}, application/json")
        subject = doc.get("subject")
        named = split_handle(subject) if isinstance(subject, str) else (username, domain)
        for link in as_list(doc.get("links")):
            if isinstance(link, dict) and link.get("rel") == "self" and _is_document_type(str(link.get("type", ""))):
                href = link.get("href")
                if isinstance(href, str):
                    origin(href)
                    return Finger(named[0], named[1] or domain, href)
        raise NotFound(f"{handle} is not an account there.")

    async def nodeinfo(self, base: str) -> tuple[str, str]:
        """(software name, version) of the server at an origin; empty texts when it does not say."""
        index = await self._json(f"{base}/.well-known/nodeinfo", "application/json")
        for link in as_list(index.get("links")):
            href = link.get("href") if isinstance(link, dict) else None
            rel = str(link.get("rel", "")) if isinstance(link, dict) else ""
            if isinstance(href, str) and "nodeinfo.diaspora.software/ns/schema/" in rel and same_origin(href, base):
                software = (await self._json(href, "application/json")).get("software")
                if isinstance(software, dict):
                    return str(software.get("name", ""))[:100].lower(), str(software.get("version", ""))[:100]
        return "", ""

    async def _json(self, url: str, accept: str) -> dict[str, Any]:
        response, _ = await self._follow(url, accept, None, {"max_body": 65_536})
        return parse_json(response.content)

    def scheme_of(self, domain: str) -> str:
        """http only where our own address is plain http and the other name is of the same kind; https otherwise."""
        site = self._db.site
        plain = is_loopback_name(domain) or site.config.federation.insecure_http
        return "http" if site.urls.origin.startswith("http://") and plain else "https"

    # -- what is refused before a request ----------------------------------------------------------------------------

    def _check_foreign(self, uri: str) -> None:
        if origin(uri) == self._db.site.urls.origin:
            raise NotFound(detail="this server does not fetch from itself")

    def _recall(self, uri: str) -> None:
        known = self._failed.get(uri)
        if known is not None and known[0] > self._clock.ms():
            raise type(known[1])(known[1].text, "answered from memory")

    def _remember(self, uri: str, error: FedcorpError) -> None:
        """Without this, whoever names dead addresses could make us ask for them again and again (CVE-2026-34148)."""
        lifetime = _NEGATIVE_MS.get(type(error), 30_000)
        self._failed[uri] = (self._clock.ms() + lifetime, error)
        self._failed.move_to_end(uri)
        while len(self._failed) > _NEGATIVE_SIZE:
            self._failed.popitem(last=False)


def _check_success(status: int, url: str) -> None:
    if 200 <= status < 300:
        return
    if status == 410:
        raise Gone("This was deleted.", url)
    if status in (401, 403):
        raise Forbidden("The other server does not show this to us.", f"{status} {url}")
    if status in (408, 425, 429) or status >= 500:
        raise Unavailable("The other server is busy.", f"{status} {url}")
    raise NotFound(detail=f"{status} {url}")


def _check_document_type(value: str) -> None:
    if not _is_document_type(value):
        raise BadRequest("The answer is not an ActivityStreams document", value)


def _is_document_type(value: str) -> bool:
    """application/activity+json, or application/ld+json with the profile of ActivityStreams (ActivityPub 3.2)."""
    kind, _, parameters = value.partition(";")
    kind = kind.strip().lower()
    return kind == ACTIVITY_JSON or (kind == "application/ld+json" and "www.w3.org/ns/activitystreams" in parameters)
