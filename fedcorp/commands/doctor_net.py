"""The doctor's look at the network: does our address lead to this very instance, and how are the peers?"""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_network

import httpx
import orjson

from fedcorp.activitypub import signatures
from fedcorp.clock import Clock
from fedcorp.commands.findings import FAULT, WARNING, Finding
from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.config import Config
from fedcorp.errors import NotFound
from fedcorp.keys import load_private
from fedcorp.net import AddressRefused, Limits, Transport
from fedcorp.social import accounts
from fedcorp.social.accounts import Key
from fedcorp.storage.database import Database, Tx

ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
SKEW_SECONDS, SKEW_STOPS_SECONDS = 60, 3600
REFUSALS = (401, 403)
ACTIVITY = {"accept": "application/activity+json"}

Network = Callable[[], httpx.AsyncBaseTransport]


async def examine(db: Database, clock: Clock, network: Network | None) -> list[Finding]:
    """Everything that is wrong between this instance and others."""
    keys, known = await db.read(_read)
    if not keys:
        return []  # named elsewhere; nothing can be compared or signed
    config = db.site.config
    own = await _examine_address(config, keys["rsa"], network)
    async with httpx.AsyncClient(transport=network() if network else _outwards(config)) as http:
        others = await asyncio.gather(*(_examine_peer(http, config, peer, keys, clock) for peer in known))
    return [*own, *(finding for findings in others for finding in findings)]


def _read(tx: Tx) -> tuple[dict[str, Key], list[Peer]]:
    try:
        keys = accounts.signing_keys(tx, accounts.instance_actor(tx).id)
    except NotFound:
        keys = {}
    return (keys if {"rsa", "ed25519"} <= set(keys) else {}), peers.listing(tx)


def _outwards(config: Config) -> httpx.AsyncBaseTransport:
    return Transport(networks=config.networks, insecure_http=config.federation.insecure_http)


def _inwards(*, verify: ssl.SSLContext | None = None) -> httpx.AsyncBaseTransport:
    """To ourselves, wherever we live; the rules for other servers do not apply."""
    return Transport(networks=ANYWHERE, insecure_http=True, verify=verify, limits=Limits(connect=5, total=10))


# -- ourselves -------------------------------------------------------------------------------------------------------


async def _examine_address(config: Config, key: Key, network: Network | None) -> list[Finding]:
    place = f"{config.server.host} port {config.server.port}"
    async with httpx.AsyncClient(transport=network() if network else _inwards(verify=_lenient(config))) as http:
        listening = await _answer(http, f"{_local(config)}/actor", config)
    if isinstance(listening, httpx.Response) and not _is_ours(listening, key):
        cure = "stop that program, or choose another server.port."
        return [Finding("port-taken", FAULT, f"another program than this instance listens on {place}", cure)]
    async with httpx.AsyncClient(transport=network() if network else _inwards()) as http:
        public = await _answer(http, f"{config.origin}/actor", config)
    if isinstance(public, httpx.Response) and _is_ours(public, key):
        return []
    if not isinstance(listening, httpx.Response) and not isinstance(public, httpx.Response):
        text = f"nothing listens on {place}, and {config.origin} does not answer ({public})"
        return [Finding("not-running", WARNING, text, "start it with `fedcorp serve`.")]
    return [_wrong_url(config, public)]


def _wrong_url(config: Config, public: "httpx.Response | str") -> Finding:
    seen = f"HTTP {public.status_code}, not this instance" if isinstance(public, httpx.Response) else public
    cure = (
        "let the name lead here (DNS, port, certificate, a proxy that keeps the Host header), "
        "or correct domain and url in the configuration."
    )
    return Finding("wrong-url", FAULT, f"{config.origin} does not answer as this instance: {seen}", cure)


def _lenient(config: Config) -> ssl.SSLContext | None:
    """On the listening address the certificate cannot fit the name; who answers is proven by the key instead."""
    if not config.server.tls_cert:
        return None
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _local(config: Config) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(config.server.host, config.server.host)
    scheme = "https" if config.server.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{config.server.port}"


async def _answer(http: httpx.AsyncClient, url: str, config: Config) -> "httpx.Response | str":
    """What answers there to our own name; in words when nothing does."""
    host = httpx.URL(config.origin).netloc.decode()
    try:
        return await http.get(url, headers={**ACTIVITY, "host": host})
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__


def _is_ours(response: httpx.Response, key: Key) -> bool:
    try:
        document = orjson.loads(response.content)
        return bool(document["publicKey"]["publicKeyPem"].strip() == key.public.strip())
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


# -- others ----------------------------------------------------------------------------------------------------------


async def _examine_peer(
    http: httpx.AsyncClient, config: Config, peer: Peer, keys: dict[str, Key], clock: Clock
) -> list[Finding]:
    scheme = "http" if config.origin.startswith("http://") else "https"
    # Something that does not exist: a server that knows us says so, one that does not refuses us before it looks.
    url = f"{peer.origin or f'{scheme}://{peer.domain}'}/o/0"
    private = load_private(keys["rsa"].private)
    signed = signatures.sign(
        "GET", url, b"", key_id=keys["rsa"].id, private=private, dialect="cavage", now=clock.now(), headers=ACTIVITY
    )
    try:
        response = await http.get(url, headers=signed)
    except AddressRefused as error:
        cure = "add the network it lives in to federation.networks, if it is meant to live there."
        return [Finding("peer-unreachable", FAULT, f"{peer.domain} may not be reached: {error}", cure)]
    except httpx.HTTPError as error:
        cure = (
            f"check that {peer.domain} runs, that its name resolves here, and the firewall; what waits for it is kept."
        )
        return [Finding("peer-unreachable", FAULT, f"{peer.domain} does not answer: {error}", cure)]
    return [*_refusal(peer, response), *_skew(peer, response, clock.now())]


def _refusal(peer: Peer, response: httpx.Response) -> list[Finding]:
    told = (peer.last_error or "").removeprefix("HTTP ")
    if response.status_code not in REFUSALS and told not in map(str, REFUSALS):
        return []
    text = f"{peer.domain} refuses us (HTTP {response.status_code if response.status_code in REFUSALS else told})"
    cure = "ask its administrator to add this server with `fedcorp peer add`, and to run `fedcorp doctor`."
    return [Finding("peer-refuses-us", FAULT, text, cure)]


def _skew(peer: Peer, response: httpx.Response, now: datetime) -> list[Finding]:
    try:
        seconds = (parsedate_to_datetime(response.headers.get("date", "")) - now).total_seconds()
    except (TypeError, ValueError):
        seconds = (peer.clock_skew_ms or 0) / 1000
    if abs(seconds) < SKEW_SECONDS:
        return []
    text = f"the clock of {peer.domain} is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours"
    cure = "let both machines set their clocks (NTP); signatures are refused when they are an hour apart."
    return [Finding("clock-skew", FAULT if abs(seconds) >= SKEW_STOPS_SECONDS else WARNING, text, cure)]
