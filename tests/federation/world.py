"""A company in one process: departments with real databases, a network between them, and a hand-driven other server.

Only the network is replaced, at the httpx transport. Whoever is `cut` cannot be reached.
"""

import asyncio
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from fedcorp import keys
from fedcorp.activitypub import signatures
from fedcorp.activitypub.proofs import add_proof
from fedcorp.app import Instance, create_app
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.config import Config
from fedcorp.social import accounts, applications, effects, memberships
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Database, Tx
from tests.databases import make_config

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1", "https://www.w3.org/ns/cid/v1"]
ACTIVITY = "application/activity+json"
NETWORKS = ["127.0.0.0/8"]


@cache
def pair(number: int = 0) -> keys.KeyPair:
    """Making keys costs time; departments share a few pairs, each actor has its own key ids."""
    return keys.generate()


class Network(httpx.AsyncBaseTransport):
    """Hands requests to the server of that name; remembers them."""

    def __init__(self) -> None:
        self.servers: dict[str, Any] = {}
        self.cut: set[str] = set()
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        domain = request.url.netloc.decode()
        self.requests.append(request)
        server = self.servers.get(domain)
        if server is None or domain in self.cut:
            raise httpx.ConnectError(f"{domain} cannot be reached", request=request)
        if isinstance(server, Outsider):
            return await server.respond(request)
        response = await httpx.ASGITransport(app=server).handle_async_request(request)
        await response.aread()
        response.request = request
        return response


class Line(httpx.AsyncBaseTransport):
    """The way of one server into the network: whoever is cut reaches nobody either."""

    def __init__(self, network: Network, domain: str) -> None:
        self.network = network
        self.domain = domain

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.domain in self.network.cut:
            raise httpx.ConnectError(f"{self.domain} is cut off", request=request)
        return await self.network.handle_async_request(request)


class Person:
    """Somebody with a token: talks to their department over HTTP, as an app would."""

    def __init__(self, department: "Department", account: Account, token: str) -> None:
        self.department = department
        self.account = account
        self.id = str(account.id)
        self.handle = account.handle
        self.token = token
        headers = {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(app=department.instance.app)
        self.http = httpx.AsyncClient(transport=transport, base_url=department.origin, headers=headers)

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON answer to a GET that succeeds."""
        response = await self.http.get(path, params=params)
        assert response.status_code == 200, (path, response.status_code, response.text)
        return response.json()

    async def send(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Any request with a JSON body."""
        return await self.http.request(method, path, json=body)

    async def post(self, path: str, **body: Any) -> Any:
        """The JSON answer to a POST that succeeds."""
        response = await self.send("POST", path, **body)
        assert response.status_code == 200, (path, response.status_code, response.text)
        return response.json()

    async def publish(self, text: str, **values: Any) -> Any:
        """A new status."""
        return await self.post("/api/v1/statuses", status=text, **values)

    async def find(self, handle: str) -> str:
        """The id, here, of an account anywhere."""
        found = await self.get("/api/v2/search", q=handle, type="accounts", resolve="true")
        assert found["accounts"], f"{handle} was not found"
        return str(found["accounts"][0]["id"])

    async def find_status(self, uri: str) -> Any:
        """The status with this uri, as this person sees it here."""
        found = await self.get("/api/v2/search", q=uri, type="statuses", resolve="true")
        return found["statuses"][0] if found["statuses"] else None

    async def follow(self, handle: str) -> Any:
        """Follow somebody (or join a group) by handle."""
        return await self.post(f"/api/v1/accounts/{await self.find(handle)}/follow")

    async def home(self) -> list[Any]:
        """What the home timeline shows, newest first; boosts as what they show."""
        return [item["reblog"] or item for item in await self.get("/api/v1/timelines/home", limit=40)]

    async def texts(self) -> list[str]:
        """The plain words of the home timeline."""
        return [plain(item["content"]) for item in await self.home()]

    async def notifications(self) -> list[tuple[str, str]]:
        """(kind, who) of all notifications, newest first."""
        found = await self.get("/api/v1/notifications", limit=40)
        return [(item["type"], item["account"]["acct"]) for item in found]


def plain(html: str) -> str:
    """The words of a status without markup."""
    text, inside = [], False
    for character in html:
        inside = (inside or character == "<") and character != ">"
        if not inside and character != ">":
            text.append(character)
    return "".join(text)


class Department:
    """One running instance of fedcorp."""

    def __init__(self, instance: Instance, domain: str) -> None:
        self.instance = instance
        self.domain = domain
        self.origin = f"http://{domain}"
        self.db = instance.db

    async def person(self, name: str, **values: Any) -> Person:
        """Somebody who works here."""
        account, token = await self.db.write(_hire, name, values)
        return Person(self, account, token)

    async def group(self, owner: Person, name: str, preset: str = "open", reach: str | None = None) -> str:
        """A group of this department; returns its handle."""
        made = await self.db.write(
            memberships.found, owner.account, name, pair(1), title=name.title(), preset=preset, reach=reach
        )
        return made.handle

    async def settle(self) -> None:
        """Do everything that is due here."""
        await self.instance.worker.settle()


def _hire(tx: Tx, name: str, values: dict[str, Any]) -> tuple[Account, str]:
    account = accounts.create_local(tx, name, pair(), **values)
    accounts.create_user(tx, account.id, email=f"{name}@example.com", password_hash="", role="user")
    application = applications.command_line_application(tx)
    token = applications.issue_token(
        tx, account_id=account.id, application_id=application.id, scopes="read write follow push"
    )
    return account, token


async def _set_up(config: Config, clock: Clock) -> None:
    """What `fedcorp init` does beside the tables: the instance actor."""
    db = Database(config, clock, effects.apply)
    db.start()
    await db.write(accounts.create_instance_actor, pair(2))
    db.close()


class Ahead(Clock):
    """A clock that a story puts forward."""

    shift_ms = 0

    def ms(self) -> int:
        return super().ms() + self.shift_ms


class Company:
    """Departments, partners and strangers, and the network between them. Without `streams`, nobody may listen."""

    def __init__(self, folder: Path, *, streams: bool = False) -> None:
        self.folder = folder
        self.streams = streams
        self.clock = Ahead()
        self.network = Network()
        self.departments: list[Department] = []

    async def department(self, name: str, **tables: Any) -> Department:
        """Start an instance; it knows nobody yet."""
        domain = f"{name}.localhost"
        tables.setdefault("federation", {}).setdefault("networks", NETWORKS)
        tables.setdefault("limits", {"enabled": False})
        config = make_config(self.folder, domain, **tables)
        await _set_up(config, self.clock)
        line = Line(self.network, domain)
        instance = create_app(config, clock=self.clock, transport=line, worker=False, serve=self.streams)
        await instance.start()
        made = Department(instance, domain)
        self.network.servers[domain] = instance.app
        self.departments.append(made)
        return made

    async def introduce(self, *departments: Department, tier: str = "department") -> None:
        """Everybody adds everybody."""
        for one in departments:
            for other in departments:
                if one is not other:
                    await one.db.write(peers.add, other.domain, tier)

    async def settle(self) -> None:
        """Let everything arrive everywhere."""
        for _ in range(100):
            moved = [await one.instance.worker.settle() for one in self.departments]
            if not any(moved):
                return
        raise AssertionError("the company never comes to rest")

    async def retry(self) -> None:
        """End every pause between tries, and let everything arrive a few seconds later: failed requests are remembered
        that long.
        """
        self.clock.shift_ms += 5_000
        for one in self.departments:
            await one.db.write(_end_pauses)
        await self.settle()

    async def stop(self) -> None:
        """Stop all instances."""
        for one in self.departments:
            await one.instance.stop()


def _end_pauses(tx: Tx) -> None:
    tx.conn.exec_driver_sql("UPDATE peers SET next_attempt_at = NULL")
    tx.conn.exec_driver_sql("UPDATE jobs SET run_at = 0 WHERE attempts > 0")
    tx.conn.exec_driver_sql("UPDATE inbox SET next_attempt_at = NULL WHERE state <> 'done'")


class Outsider:
    """A server of other make, driven by hand: it serves the documents it is given and keeps what it receives."""

    def __init__(self, company: Company, domain: str, number: int = 3) -> None:
        self.company = company
        self.domain = domain
        self.origin = f"http://{domain}"
        self.pair = pair(number)
        self.documents: dict[str, Any] = {}
        self.received: list[dict[str, Any]] = []
        self.fetched: list[str] = []
        self.broken: set[str] = set()  # addresses that are answered with 503
        self.answer = 202
        self.answer_headers: dict[str, str] = {}
        self.runs = ""  # what its NodeInfo says; it has none without
        self.is_strict = False  # whether it refuses to name itself, and gives JSON only to who asks for it
        self.key_name = "#main-key"
        self.serial = 0
        company.network.servers[domain] = self

    def actor(self, name: str, kind: str = "Person", **more: Any) -> str:
        """Publish an actor; returns its uri."""
        uri = f"{self.origin}/users/{name}"
        self.documents[uri] = {
            "@context": CONTEXT,
            "id": uri,
            "type": kind,
            "preferredUsername": name,
            "name": name.title(),
            "inbox": uri + "/inbox",
            "outbox": uri + "/outbox",
            "followers": uri + "/followers",
            "following": uri + "/following",
            "url": f"{self.origin}/@{name}",
            "endpoints": {"sharedInbox": self.origin + "/inbox"},
            "publicKey": {"id": uri + "#main-key", "owner": uri, "publicKeyPem": self.pair.rsa_public},
            "assertionMethod": [
                {
                    "id": uri + "#ed25519-key",
                    "type": "Multikey",
                    "controller": uri,
                    "publicKeyMultibase": self.pair.ed25519_public,
                }
            ],
            **more,
        }
        return uri

    def new_id(self, kind: str = "a") -> str:
        """A fresh id of this server."""
        self.serial += 1
        return f"{self.origin}/{kind}/{self.serial}"

    def note(self, author: str, text: str, **more: Any) -> dict[str, Any]:
        """A public note, published at its id."""
        uri = more.pop("id", None) or self.new_id("notes")
        document = {
            "@context": CONTEXT[0],
            "id": uri,
            "type": "Note",
            "attributedTo": author,
            "content": f"<p>{text}</p>",
            "published": "2026-11-01T10:00:00Z",
            "to": [PUBLIC],
            "cc": [author + "/followers"],
            **more,
        }
        self.documents[uri] = document
        return document

    def activity(self, kind: str, actor: str, obj: Any, **more: Any) -> dict[str, Any]:
        """An activity with an id."""
        return {
            "@context": CONTEXT[0],
            "id": more.pop("id", None) or self.new_id(),
            "type": kind,
            "actor": actor,
            "object": obj,
            "to": [PUBLIC],
            "cc": [],
            **more,
        }

    def prove(self, document: dict[str, Any], signer: str | None = None) -> dict[str, Any]:
        """The document with an object proof by its actor, or by `signer`."""
        private = keys.load_private(self.pair.ed25519_private)
        key_id = (signer or document["actor"]) + "#ed25519-key"
        context = [CONTEXT[0], "https://w3id.org/security/data-integrity/v2"]
        return add_proof(
            {**document, "@context": context}, key_id=key_id, private=private, created=self.company.clock.now()
        )

    async def deliver(
        self,
        department: Department,
        document: dict[str, Any],
        *,
        path: str = "/inbox",
        signer: str | None = None,
        alter: Callable[[httpx.Request], httpx.Request] | None = None,
        dialect: Any = "cavage",
        more: dict[str, str] | None = None,
    ) -> httpx.Response:
        """POST an activity, signed by its actor (or `signer`); `alter` tampers with the signed request, `more` are
        headers that are signed as well."""
        body = json.dumps(document).encode()
        url = department.origin + path
        headers = signatures.sign(
            "POST", url, body, key_id=(signer or str(document.get("actor"))) + self.key_name,
            private=keys.load_private(self.pair.rsa_private), dialect=dialect, now=self.company.clock.now(),
            headers=more,
        )  # fmt: skip
        request = httpx.Request("POST", url, content=body, headers=headers)
        if alter is not None:
            request = alter(request)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=department.instance.app)) as client:
            return await client.send(request)

    async def read(self, department: Department, url: str, *, signer: str | None = None) -> httpx.Response:
        """GET a document, signed by `signer`; unsigned without one."""
        headers = {"Accept": ACTIVITY}
        if signer is not None:
            headers |= signatures.sign(
                "GET", url, None, key_id=signer + self.key_name, private=keys.load_private(self.pair.rsa_private),
                dialect="cavage", now=self.company.clock.now(), headers=None,
            )  # fmt: skip
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=department.instance.app)) as client:
            return await client.get(url, headers=headers)

    async def respond(self, request: httpx.Request) -> httpx.Response:
        """What this server answers to others."""
        await asyncio.sleep(0)
        if request.method == "POST":
            self.received.append(json.loads(request.content))
            return httpx.Response(self.answer, headers=self.answer_headers, request=request)
        url = str(request.url)
        self.fetched.append(url)
        if request.url.path == "/.well-known/webfinger":
            return self._webfinger(request)
        if self.runs and "nodeinfo" in request.url.path:
            return self._nodeinfo(request)
        document = self.documents.get(url)
        if url in self.broken or document is None:
            return httpx.Response(503 if url in self.broken else 404, request=request)
        return httpx.Response(200, json=document, headers={"Content-Type": ACTIVITY}, request=request)

    def _nodeinfo(self, request: httpx.Request) -> httpx.Response:
        if self.is_strict and "application/json" not in request.headers["accept"]:
            return httpx.Response(406, request=request)
        schema = "http://nodeinfo.diaspora.software/ns/schema/2.0"
        index = {"links": [{"rel": schema, "href": f"{self.origin}/nodeinfo/2.0"}]}
        document = {"version": "2.0", "software": {"name": self.runs, "version": "1.0"}}
        found = index if request.url.path.startswith("/.well-known") else document
        return httpx.Response(200, json=found, request=request)

    def _webfinger(self, request: httpx.Request) -> httpx.Response:
        resource = request.url.params["resource"].removeprefix("acct:")
        name = resource.rsplit("@", 1)[0]
        if self.is_strict and name == self.domain:
            return httpx.Response(400, request=request)
        uri = f"{self.origin}/users/{name}"
        if uri not in self.documents:
            return httpx.Response(404, request=request)
        links = [{"rel": "self", "type": ACTIVITY, "href": uri}]
        jrd = {"subject": f"acct:{name}@{self.domain}", "links": links}
        return httpx.Response(200, json=jrd, headers={"Content-Type": "application/jrd+json"}, request=request)
