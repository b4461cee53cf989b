"""A department reduced to its wire, and a network of them in one process: real databases and signatures, no client API.

Everything else of the stories (people with apps, other software) lives in `tests/federation`.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from starlette.datastructures import State

from fedcorp import keys
from fedcorp.activitypub import outbox, signatures
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.delivery import Delivery
from fedcorp.activitypub.desk import Desk
from fedcorp.activitypub.inbox import Inbox
from fedcorp.activitypub.resolve import Finder, Resolver
from fedcorp.activitypub.signers import Signers
from fedcorp.activitypub.translator import Translator
from fedcorp.activitypub.visitor import Visitor
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.social import accounts, effects
from fedcorp.social.accounts import Account
from fedcorp.social.studio import Studio
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.media import MediaFiles
from fedcorp.web import activitypub, wellknown
from fedcorp.web.context import Context
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.gate import Gate
from fedcorp.web.problems import Problems
from fedcorp.web.router import Router
from tests.databases import make_config

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
CONTEXT = "https://www.w3.org/ns/activitystreams"
DOCUMENT = {"Content-Type": "application/activity+json"}


@cache
def pair(number: int = 0) -> keys.KeyPair:
    """Keys are slow to make, so a few pairs serve everybody."""
    return keys.generate()


class Ahead(Clock):
    """A clock that a test puts forward."""

    shift_ms = 0

    def ms(self) -> int:
        return super().ms() + self.shift_ms


class Network(httpx.AsyncBaseTransport):
    """Hands every request to the server of that name; `cut` ones cannot be reached, `pages` are served by hand."""

    def __init__(self) -> None:
        self.servers: dict[str, Any] = {}
        self.pages: dict[str, Any] = {}
        self.cut: set[str] = set()
        self.requests: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        domain = request.url.netloc.decode()
        self.requests.append(f"{request.method} {request.url}")
        if domain in self.cut:
            raise httpx.ConnectError("cut", request=request)
        if str(request.url) in self.pages:
            return httpx.Response(200, json=self.pages[str(request.url)], headers=DOCUMENT, request=request)
        if domain not in self.servers:
            return httpx.Response(404, request=request)
        return await httpx.ASGITransport(app=self.servers[domain]).handle_async_request(request)


class Wire:
    """One department: its database and its half of every conversation between servers."""

    def __init__(self, folder: Path, name: str, network: Network, **tables: Any) -> None:
        self.domain = f"{name}.localhost"
        self.clock = Ahead()
        config = make_config(folder, self.domain, **tables)
        self.db = Database(config, self.clock, effects.apply)
        self.origin = config.origin
        self.client = Client(network, self.db, self.clock)
        self.resolver = Resolver(self.client, self.db, self.clock)
        self.signers = Signers(self.db, self.resolver, self.clock)
        self.inbox = Inbox(self.db, self.resolver, self.signers, self.clock)
        self.delivery = Delivery(self.db, self.clock, self.client)
        files, rendered = MediaFiles(config.media_folder), Rendered()
        self.desk = Desk(self.client, self.resolver, self.db)
        translator = Translator(Visitor(self.client, self.db), self.db, self.clock)
        studio = Studio(self.db, self.clock, files)
        context = Context(
            config, self.db, self.clock, files, Finder(self.resolver), self.desk, rendered, studio, translator
        )
        gate = Gate(config.limits, self.clock, self.inbox.backlog)
        state = State({"context": context, "inbox": self.inbox, "signers": self.signers, "gate": gate})
        self.app = Problems(Router([*activitypub.ROUTES, *wellknown.ROUTES], state))
        network.servers[self.domain] = self.app

    async def start(self) -> None:
        """Open the database and make the instance actor."""
        self.db.start()
        await self.db.write(accounts.create_instance_actor, pair(1))

    async def person(self, name: str, **values: Any) -> Account:
        """Somebody of this department."""
        return await self.db.write(_hire, name, values)

    async def settle(self) -> int:
        """Do what is due here."""
        return await self.inbox.process() + await self.db.write(outbox.expand) + await self.delivery.run_due()

    async def trust(self, *others: Any, tier: str = "department") -> None:
        """Add peers."""
        for other in others:
            await self.db.write(peers.add, other.domain, tier)


def _hire(tx: Tx, name: str, values: dict[str, Any]) -> Account:
    account = accounts.create_local(tx, name, pair(), **values)
    accounts.create_user(tx, account.id, email=None, password_hash="")
    return account


async def settle(*wires: Wire) -> None:
    """Let everything arrive everywhere."""
    for _ in range(50):
        if not sum([await wire.settle() for wire in wires]):
            return
    raise AssertionError("work makes work without end")


class Stranger:
    """A server driven by hand: one actor with keys, and the requests it signs."""

    def __init__(self, network: Network, name: str = "lemon") -> None:
        self.network = network
        self.domain = f"{name}.localhost"
        self.origin = f"http://{self.domain}"
        self.serial = 0
        self.bo = self.actor("bo")

    def actor(self, name: str, kind: str = "Person", **more: Any) -> str:
        """Publish an actor; returns its uri."""
        uri = f"{self.origin}/users/{name}"
        self.network.pages[uri] = {
            "@context": [CONTEXT, "https://w3id.org/security/v1"],
            "id": uri, "type": kind, "preferredUsername": name, "webfinger": f"{name}@{self.domain}",
            "inbox": f"{uri}/inbox", "outbox": f"{uri}/outbox", "followers": f"{uri}/followers",
            "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": pair(2).rsa_public},
            "assertionMethod": [{"id": f"{uri}#ed25519-key", "type": "Multikey", "controller": uri,
                                 "publicKeyMultibase": pair(2).ed25519_public}],
            **more,
        }  # fmt: skip
        return uri

    def new(self, kind: str) -> str:
        """A fresh id."""
        self.serial += 1
        return f"{self.origin}/{kind}/{self.serial}"

    def note(self, text: str, **more: Any) -> dict[str, Any]:
        """A public note of bo."""
        return {
            "@context": CONTEXT, "id": self.new("notes"), "type": "Note", "attributedTo": self.bo, "to": [PUBLIC],
            "cc": [f"{self.bo}/followers"], "content": f"<p>{text}</p>", "published": "2026-11-20T10:00:00Z", **more,
        }  # fmt: skip

    def activity(self, kind: str, thing: Any, **more: Any) -> dict[str, Any]:
        """Something bo did."""
        return {
            "@context": CONTEXT, "id": self.new("acts"), "type": kind, "actor": self.bo, "object": thing,
            "to": [PUBLIC], "cc": [], **more,
        }  # fmt: skip

    def request(self, wire: Wire, document: Any, *, path: str = "/inbox", **how: Any) -> httpx.Request:
        """A signed POST."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        url = wire.origin + path
        headers = signatures.sign(
            "POST", url, body, key_id=how.get("key_id") or f"{self.bo}#main-key",
            private=keys.load_private(pair(how.get("pair", 2)).rsa_private), dialect=how.get("dialect", "cavage"),
            now=how.get("now") or wire.clock.now(), headers=None,
        )  # fmt: skip
        return httpx.Request("POST", url, content=body, headers=headers)

    async def deliver(self, wire: Wire, document: Any, **how: Any) -> int:
        """POST, let it be acted upon, and return the status of the answer."""
        status = await send(wire, self.request(wire, document, **how))
        await wire.inbox.process()
        return status

    async def read(self, wire: Wire, url: str) -> httpx.Response:
        """A signed GET."""
        headers = signatures.sign(
            "GET", url, None, key_id=f"{self.bo}#main-key", private=keys.load_private(pair(2).rsa_private),
            dialect="cavage", now=wire.clock.now(), headers=None,
        )  # fmt: skip
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=wire.app)) as client:
            return await client.get(url, headers=headers)


async def send(wire: Wire, request: httpx.Request) -> int:
    """The status of the answer to a ready request."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=wire.app)) as client:
        return (await client.send(request)).status_code
