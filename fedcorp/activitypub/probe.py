"""Walks the way to a peer and back, hop by hop, and names the hop that fails with its cause and its cure.

Each hop is a real exchange over the one way outwards: the name, its addresses, the connection, TLS, HTTP; what the peer
says of itself; whether it takes our signature when we read and when we write; and, between departments, whether its own
signed request reaches us. Nothing is stored but what every exchange teaches; the activity that is sent means nothing.

The other half is `echo`: whoever may federate can ask this server to knock at theirs, and at nobody else's.
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from fedcorp.activitypub import render, telling
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.compaction import normalize
from fedcorp.activitypub.documents import domain_of, origin, parse_json, same_origin
from fedcorp.activitypub.signers import Signer
from fedcorp.activitypub.vocabulary import JRD_JSON, as_list, value_or_id
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.errors import BadRequest, FedcorpError, NotFound
from fedcorp.net import stage_of
from fedcorp.social import accounts
from fedcorp.storage.database import Database, Tx

ECHO = "/ap/echo"
NOTHING = "/o/0"  # an address of nothing: who knows us says 404, who does not refuses us before looking
OK, WARNING, FAILED = "ok", "warning", "failed"
HOPS = (
    "peer", "name", "address", "connection", "tls", "http", "clock", "nodeinfo", "webfinger", "actor", "read", "write",
    "back",
)  # fmt: skip
SKEW_SECONDS, SKEW_STOPS_SECONDS = 60, 3600
_SOFTWARE = "http://nodeinfo.diaspora.software/ns/schema/"
_SERVER_ACTOR = "https://www.w3.org/ns/activitystreams#Application"
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE, _BROKEN = 400, 401, 403, 404, 410, 500
_ODD = frozenset({400, 406, 415, 422})


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the way: its name in HOPS, `ok`, `warning` or `failed`, what was seen, and what to do about it."""

    name: str
    state: str
    text: str
    cure: str = ""


@dataclass(slots=True)
class _Way:
    """What is learned on the way."""

    peer: Peer
    base: str
    actor_uri: str = ""
    inbox: str = ""
    software: str = ""


class _Stop(Exception):
    """The way ends here."""

    def __init__(self, name: str, text: str, cure: str) -> None:
        super().__init__(text)
        self.hop = Hop(name, FAILED, text, cure)


class Probe:
    """Tests the way to a peer, for one instance."""

    def __init__(self, client: Client, db: Database, clock: Clock) -> None:
        self._client = client
        self._db = db
        self._clock = clock

    async def run(self, domain: str) -> list[Hop]:
        """The hops that were walked, in order; the last one is the one that failed, if one did.

        Raises NotFound for a domain that is no peer.
        """
        peer = await self._db.read(peers.find, domain)
        if peer is None:
            raise NotFound(f"{domain} is not a peer; let it in with `fedcorp peer add {domain}`.")
        way = _Way(peer, peer.origin or f"{self._client.scheme_of(domain)}://{domain}")
        hops = [Hop("peer", OK, f"a {peer.tier} here since it was added")]
        try:
            await self._walk(way, hops)
        except _Stop as stop:
            hops.append(stop.hop)
        return hops

    async def _walk(self, way: _Way, hops: list[Hop]) -> None:
        answer = await self._reach(way, hops)
        hops.append(_clock_hop(way, answer, self._clock.now()))
        if hops[-1].state == FAILED:
            raise _Stop(hops[-1].name, hops.pop().text, _CLOCK_CURE)
        index = _json(answer) or {}
        hops.append(await self._software(way, index))
        hops.append(await self._server_actor(way, index))
        for step in (self._actor, self._read, self._write, self._back):
            hops.append(await step(way))

    # -- the way there ----------------------------------------------------------------------------------------------

    async def _reach(self, way: _Way, hops: list[Hop]) -> httpx.Response:
        """One plain exchange; where it fails says which hop does not hold."""
        url = f"{way.base}/.well-known/nodeinfo"
        answer = failure = None
        try:
            answer = await self._client.send("GET", url, None, {"Accept": "application/json"})
        except FedcorpError as error:
            failure = _failed_hop(way, error)
        for name, text in _LOWER.items():
            if name == "tls" and not way.base.startswith("https://"):
                text = "none: plain http, between names of this machine or by federation.insecure_http"
            if failure is not None and failure.hop.name == name:
                raise failure
            hops.append(Hop(name, OK, text))
        if answer is None:
            assert failure is not None
            raise failure
        if answer.status_code >= _BROKEN:
            text = f"{way.base} answers HTTP {answer.status_code}"
            raise _Stop("http", text, "see its log, and the proxy in front of it.")
        hops.append(Hop("http", OK, f"{way.base} answers (HTTP {answer.status_code})"))
        return answer

    async def _software(self, way: _Way, index: dict[str, Any]) -> Hop:
        for link in as_list(index.get("links")):
            href = link.get("href") if isinstance(link, dict) else None
            if isinstance(href, str) and str(link.get("rel", "")).startswith(_SOFTWARE) and same_origin(href, way.base):
                try:
                    answer = await self._client.send("GET", href, None, {"Accept": "application/json"})
                except FedcorpError as error:
                    raise _failed_hop(way, error, "nodeinfo") from error
                found = (_json(answer) or {}).get("software")
                if isinstance(found, dict) and found.get("name"):
                    way.software = str(found["name"])[:100].lower()
                    return Hop("nodeinfo", OK, f"runs {way.software} {str(found.get('version', ''))[:50]}".strip())
        cure = "groups speak to it in two forms until it says what it runs; nothing else depends on it."
        return Hop("nodeinfo", WARNING, "does not say what it runs", cure)

    async def _server_actor(self, way: _Way, index: dict[str, Any]) -> Hop:
        """Where the actor of the server is: by NodeInfo (FEP-2677), by WebFinger (FEP-d556), else at /actor.

        Servers of another make may have none, or none that can be found: somebody there who is known here will do.
        """
        for link in as_list(index.get("links")):
            if isinstance(link, dict) and link.get("rel") == _SERVER_ACTOR:
                way.actor_uri = _own(way, link.get("href"))
        subject = quote(f"acct:{way.peer.domain}@{way.peer.domain}", safe="")
        url = f"{way.base}/.well-known/webfinger?resource={subject}"
        try:
            answer = await self._client.send("GET", url, None, {"Accept": JRD_JSON})
        except FedcorpError as error:
            raise _failed_hop(way, error, "webfinger") from error
        found = _json(answer) or {}
        for link in as_list(found.get("links")):
            if isinstance(link, dict) and link.get("rel") == "self":
                way.actor_uri = way.actor_uri or _own(way, link.get("href"))
        known = bool(way.actor_uri)
        if not known and way.software not in ("", "fedcorp"):
            somebody = await self._db.read(accounts.find_any_of, way.peer.domain)
            way.actor_uri = _own(way, somebody.uri) if somebody is not None else ""
        way.actor_uri = way.actor_uri or f"{way.base}/actor"
        if answer.is_success:
            return Hop("webfinger", OK, f"answers for the server itself, {found.get('subject', 'without a subject')}")
        # GoToSocial says 400 of a name that holds a port.
        unknown_there = answer.status_code in (_NOT_FOUND, _GONE, _BAD_REQUEST)
        if unknown_there and way.software != "fedcorp" and (known or way.software):
            return Hop("webfinger", OK, f"answers (HTTP {answer.status_code}: knows no handle of the server itself)")
        cure = "nobody there can be found by handle; let /.well-known/webfinger lead to that server."
        return Hop("webfinger", WARNING, f"answers HTTP {answer.status_code}", cure)

    # -- what it takes from us ---------------------------------------------------------------------------------------

    async def _actor(self, way: _Way) -> Hop:
        answer = await self._ask("actor", way, way.actor_uri)
        self._check_taken("actor", way, answer)
        if not answer.is_success:
            text = f"{way.actor_uri} answers HTTP {answer.status_code}"
            cure = "its administrator has to look: without this document nobody can check its keys."
            if way.software not in ("", "fedcorp"):
                cure = "it may have no actor of its own: look up somebody there by handle, then test again."
            raise _Stop("actor", text, cure)
        try:
            doc = await self._clock.offload(normalize, parse_json(answer.content))
        except BadRequest as error:
            text = f"{way.actor_uri} is no ActivityStreams document: {error.text}"
            raise _Stop("actor", text, "see whether a proxy answers in its place.") from error
        endpoints = doc.get("endpoints")
        shared = endpoints.get("sharedInbox") if isinstance(endpoints, dict) else None
        way.inbox = _own(way, shared) or _own(way, value_or_id(doc.get("inbox")))
        keys = [name for name in ("publicKey", "assertionMethod") if as_list(doc.get(name))]
        if not way.inbox or not keys or doc.get("id") != way.actor_uri:
            missing = "inbox" if not way.inbox else "key" if not keys else f"id (it says {str(doc.get('id'))[:200]})"
            text = f"{way.actor_uri} has no usable {missing}"
            raise _Stop("actor", text, "compare its domain and url with the name that it is known by here.")
        return Hop("actor", OK, f"{way.actor_uri} shows its key and inbox")

    async def _read(self, way: _Way) -> Hop:
        """A signed GET of nothing: the answer "not found" is given only to those whose signature held."""
        url = way.base + NOTHING if way.software == "fedcorp" else way.actor_uri
        answer = await self._ask("read", way, url)
        self._check_taken("read", way, answer)
        if not answer.is_success and answer.status_code not in (_NOT_FOUND, _GONE):
            text = f"answers HTTP {answer.status_code} to a signed request{_words(answer)}"
            raise _Stop("read", text, "see its log for the reason.")
        return Hop("read", OK, f"takes our signature ({dialect_of(answer.request)})")

    async def _write(self, way: _Way) -> Hop:
        """A signed POST of an activity that means nothing (View), from the server itself."""
        document = await self._db.write(_view, way.actor_uri)
        answer = await self._ask("write", way, way.inbox, document)
        self._check_taken("write", way, answer)
        if answer.is_success:
            return Hop("write", OK, f"{way.inbox} takes what we send ({dialect_of(answer.request)})")
        if answer.status_code in _ODD:
            text = f"{way.inbox} answers HTTP {answer.status_code}{_words(answer)}"
            return Hop("write", WARNING, text, "the signature was not refused; it may not know this type of activity.")
        text = f"{way.inbox} answers HTTP {answer.status_code}{_words(answer)}"
        raise _Stop("write", text, "see its log for the reason; what waits for it is kept.")

    def _check_taken(self, name: str, way: _Way, answer: httpx.Response) -> None:
        """Raises for the answers of who does not know us, or cannot check us."""
        domain, own = way.peer.domain, self._db.site.urls.origin
        if answer.status_code == _FORBIDDEN:
            text = f"{domain} refuses us (HTTP 403){_words(answer)}"
            cure = f"its administrator has to let us in: `fedcorp peer add {self._db.site.urls.domain}` there."
            raise _Stop(name, text, cure)
        if answer.status_code == _UNAUTHORIZED:
            text = f"{domain} does not take our signature (HTTP 401){_words(answer)}"
            cure = (
                f"from there {own}/actor must answer with our key: check the name, the firewall and the certificate "
                "from that machine, our address with `fedcorp doctor`, and both clocks."
            )
            raise _Stop(name, text, cure)
        if answer.status_code >= _BROKEN:
            text = f"{domain} cannot check our signature now (HTTP {answer.status_code}){_words(answer)}"
            cure = f"from there {own}/actor must be reachable: check the name, the firewall and the certificate there."
            raise _Stop(name, text, cure)

    # -- the way back ------------------------------------------------------------------------------------------------

    async def _back(self, way: _Way) -> Hop:
        """A department is asked to knock here; of others it counts when they last did."""
        if way.software != "fedcorp":
            return self._heard(way)
        answer = await self._ask("back", way, way.base + ECHO, {"type": "Echo"})
        if answer.status_code in (_NOT_FOUND, 405):
            return self._heard(way)
        found = _json(answer) or {}
        if not answer.is_success:
            text = f"cannot be asked to knock here (HTTP {answer.status_code}){_words(answer)}"
            raise _Stop("back", text, "see its log for the reason.")
        if found.get("reached") is True:
            return Hop("back", OK, "its own signed request reaches us, and its signature holds here")
        text = f"its request does not get through: {str(found.get('reason', ''))[:300] or 'it does not say why'}"
        cure = (
            f"from {way.peer.domain} the address {self._db.site.urls.origin} must lead here: run "
            f"`fedcorp peer test {self._db.site.urls.domain}` there."
        )
        raise _Stop("back", text, cure)

    def _heard(self, way: _Way) -> Hop:
        at = way.peer.last_inbound_at
        if at is not None:
            minutes = max(0, self._clock.ms() - at) // 60_000
            return Hop("back", OK, f"its signed requests reached us, the last one {minutes} min ago")
        cure = "have somebody there follow somebody here; this server cannot ask for it."
        return Hop("back", WARNING, "nothing signed by it ever came", cure)

    async def _ask(self, name: str, way: _Way, url: str, document: dict[str, Any] | None = None) -> httpx.Response:
        try:
            return await self._client.ask(url, document)
        except FedcorpError as error:
            raise _failed_hop(way, error, name) from error


_LOWER = {
    "name": "has an address",
    "address": "lies where we may connect to",
    "connection": "takes connections",
    "tls": "its certificate holds for this name",
}
_CLOCK_CURE = "let both machines set their clocks (NTP); signatures are refused when they are an hour apart."


def _own(way: _Way, uri: Any) -> str:
    """`uri` when it lies on the server that is tested."""
    return uri if isinstance(uri, str) and same_origin(uri, way.base) else ""


def _failed_hop(way: _Way, error: FedcorpError, name: str = "http") -> _Stop:
    """Which of the lower hops an exchange failed at; `name` when it got further than those."""
    stage, why = stage_of(error.__cause__)
    text = why if stage == "address" else f"{way.peer.domain}: {why or error.text}"
    return _Stop(name if stage == "http" else stage, text, _CURES[stage])


_CURES = {
    "name": "correct the name, or the DNS of this machine.",
    "address": "add the network it lives in to federation.networks, if it is meant to live there; elsewhere only "
    "port 443 is allowed.",
    "connection": "see that it runs and listens there, and the firewalls between; what waits for it is kept.",
    "tls": "renew its certificate, or name the company's authority in SSL_CERT_FILE here; it may speak plain http.",
    "http": "see its log, and the proxy in front of it.",
}


def _clock_hop(way: _Way, answer: httpx.Response, now: datetime) -> Hop:
    try:
        seconds = (parsedate_to_datetime(answer.headers.get("date", "")) - now).total_seconds()
    except (TypeError, ValueError):
        return Hop("clock", OK, "not told")
    if abs(seconds) < SKEW_SECONDS:
        return Hop("clock", OK, "right to the minute")
    state = FAILED if abs(seconds) >= SKEW_STOPS_SECONDS else WARNING
    return Hop("clock", state, f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours", _CLOCK_CURE)


def _json(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        return parse_json(answer.content) if answer.is_success else None
    except BadRequest:
        return None


def _words(answer: httpx.Response) -> str:
    """What the other server says of its refusal, cut short, on one line."""
    try:
        found = orjson.loads(answer.content[:65_536])
    except orjson.JSONDecodeError:
        return ""
    said = found.get("error") or found.get("detail") or found.get("title") if isinstance(found, dict) else None
    line = (
        " ".join("".join(char if char.isprintable() else " " for char in said).split()) if isinstance(said, str) else ""
    )
    return f": {line[:200]!r}" if line else ""


def dialect_of(request: httpx.Request) -> str:
    """In which dialect a request was signed, in words."""
    given = request.headers.get("signature-input")
    if given is None:
        return "draft-cavage"
    return "RFC 9421, Ed25519" if 'alg="ed25519"' in given else "RFC 9421, RSA"


def _view(tx: Tx, target: str) -> dict[str, Any]:
    server = accounts.instance_actor(tx)
    return render.activity("View", telling.new_uri(tx), server, target, at=tx.ms, to=[target])


# -- the other half --------------------------------------------------------------------------------------------------


async def echo(client: Client, signer: Signer) -> dict[str, Any]:
    """Knock at the server of whoever signed, and say whether it took that. At nobody else's: nothing is named here."""
    base = origin(signer.actor_uri)
    document: dict[str, Any] = {"type": "Echo", "domain": domain_of(base), "reached": False, "reason": ""}
    try:
        answer = await client.ask(base + NOTHING)
    except FedcorpError as error:
        cause = error.__cause__
        return document | {"reason": f"{error.text} {cause or ''}".strip()[:300]}
    if answer.is_success or answer.status_code in (_NOT_FOUND, _GONE):
        return document | {"reached": True}
    return document | {"reason": f"HTTP {answer.status_code}{_words(answer)}"}
