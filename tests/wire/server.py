"""A server of other make, played from files: its documents stand in a folder of this one, with blanks for what is ours.

A file holds one document as that software writes it, under an example domain. `$group`, `$member` and the like are
filled in when it is read, `$key` with the public key of the server, `$serial` with a number of its own, `$now` and
`$later` with the time. The folder's README says where each fact comes from.
"""

import json
from datetime import timedelta
from pathlib import Path
from string import Template
from typing import Any

import httpx
import sqlalchemy as sa

from fedcorp.activitypub.vocabulary import ACTIVITY_TYPES, PUBLIC, format_time
from fedcorp.company import peers
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import inbox
from tests.federation.world import ACTIVITY, Company, Department, Outsider, Person, plain

FOLDER = Path(__file__).parent


class Server(Outsider):
    """One server. `serves_activities`: whether the ids of its activities can be read, as Lemmy's and Mbin's can."""

    def __init__(
        self, company: Company, software: str, domain: str = "", *, serves_activities: bool = True, **words: str
    ) -> None:
        super().__init__(company, domain or f"{software}.example")
        self.origin = f"https://{self.domain}"
        self.software = software
        self.words = {"key": json.dumps(self.pair.rsa_public)[1:-1], "public": PUBLIC, **words}
        self.serves_activities = serves_activities
        self.gone: set[str] = set()
        self.hidden: set[str] = set()  # what it shows to nobody
        self.secure = False  # unsigned reading is refused
        self.types: dict[str, str] = {}  # what it says of some documents, in place of that they are ActivityStreams
        schema = "http://nodeinfo.diaspora.software/ns/schema/2.1"
        self.documents |= {
            f"{self.origin}/.well-known/nodeinfo": {"links": [{"rel": schema, "href": f"{self.origin}/nodeinfo/2.1"}]},
            f"{self.origin}/nodeinfo/2.1": {"version": "2.1", "software": {"name": software, "version": "1"}},
        }

    async def meet(self, *departments: Department) -> None:
        """These departments take it as a partner."""
        for one in departments:
            await one.db.write(peers.add, self.domain, "partner")

    def read_file(self, name: str, **words: str) -> dict[str, Any]:
        """The document of a file, with its blanks filled."""
        text = (FOLDER / self.software / f"{name}.json").read_text()
        self.serial += 1
        now = self.company.clock.now()
        times = {"now": format_time(now), "later": format_time(now + timedelta(seconds=1))}
        blanks = {**self.words, **times, "serial": str(self.serial), **words}
        found: dict[str, Any] = json.loads(Template(text).substitute(blanks))
        return found

    def publish(self, *names: str, **words: str) -> None:
        """Serve documents at their ids."""
        for name in names:
            self.serve(self.read_file(name, **words))

    def serve(self, document: Any) -> None:
        """Serve a document, and what stands inside it under an id of this server."""
        if not isinstance(document, dict):
            return
        self.serve(document.get("object"))
        uri = str(document.get("id", ""))
        if not uri.startswith(self.origin) or document.get("type") == "Tombstone" or len(document) < 4:
            return
        if self.serves_activities or document.get("type") not in ACTIVITY_TYPES:
            context = document.get("@context") or "https://www.w3.org/ns/activitystreams"
            self.documents.setdefault(uri, {"@context": context, **document})
            key = document.get("publicKey")
            if isinstance(key, dict) and str(key.get("id")).startswith(
                f"{uri}/#"
            ):  # the same actor, at another address
                self.documents.setdefault(f"{uri}/", self.documents[uri])

    def delete(self, uri: str) -> None:
        """Serve nothing there any more."""
        self.documents.pop(uri, None)
        self.gone.add(uri)

    async def send(self, department: Department, name: str, **words: str) -> dict[str, Any]:
        """Deliver the activity of a file, signed by its actor, and let it be acted upon everywhere."""
        document = self.read_file(name, **words)
        self.serve(document)
        response = await self.deliver(department, document)
        assert response.status_code == 202, (name, response.status_code, response.text)
        await self.company.settle()
        return document

    def got(self, kind: str, inner: str | None = None) -> list[dict[str, Any]]:
        """What was received of this type, and with an object of that type."""
        found = [item for item in self.received if item["type"] == kind]
        if inner is None:
            return found
        return [item for item in found if isinstance(item["object"], dict) and item["object"].get("type") == inner]

    async def respond(self, request: httpx.Request) -> httpx.Response:
        """As other servers answer; with 401 to unsigned reading when it is `secure`, 410 for what is gone."""
        url = str(request.url)
        if request.method == "GET" and url in self.gone:
            return httpx.Response(410, request=request)
        if request.method == "GET" and url in self.hidden:
            return httpx.Response(403, request=request)
        open_to_all = request.url.path.startswith(("/.well-known/", "/nodeinfo")) or url.endswith("/main-key")
        if request.method == "GET" and self.secure and not open_to_all and "signature" not in request.headers:
            return httpx.Response(401, request=request)
        response = await super().respond(request)
        if url in self.types:
            response.headers["Content-Type"] = self.types[url]
        return response

    def _webfinger(self, request: httpx.Request) -> httpx.Response:
        name = request.url.params["resource"].removeprefix("acct:").rsplit("@", 1)[0]
        for uri, document in self.documents.items():
            if document.get("preferredUsername") == name:
                links = [{"rel": "self", "type": ACTIVITY, "href": uri}]
                jrd = {"subject": f"acct:{name}@{self.domain}", "links": links}
                return httpx.Response(200, json=jrd, headers={"Content-Type": "application/jrd+json"}, request=request)
        return httpx.Response(404, request=request)


async def accept_last_follow(server: Server, department: Department, name: str) -> None:
    """The server answers the last Follow that it got, in its own words."""
    follow = server.got("Follow")[-1]
    await server.send(department, name, follow=follow["id"], follower=follow["actor"], followed=follow["object"])


async def join(server: Server, handle: str, *people: Person) -> str:
    """These people follow a group of the server, which accepts them; the id of the group, there."""
    group_id = ""
    for person in people:
        group_id = await person.find(handle)
        await person.post(f"/api/v1/accounts/{group_id}/follow")
        await server.company.settle()
        await accept_last_follow(server, person.department, "accept_follow")
    return group_id


async def listed(person: Person, group_id: str) -> list[str]:
    """The words that the list of a group shows to somebody, latest first."""
    return [plain(item["content"]).strip() for item in await person.get(f"/api/v1/timelines/list/{group_id}")]


async def place(person: Person, status_id: str) -> dict[str, Any]:
    """How a post stands in its group: its author sees every state, others only where it is passed on."""
    found = await person.get(f"/api/fedcorp/v1/statuses/{status_id}/groups")
    shown: dict[str, Any] = found[0] if found else {"state": None}
    return shown


async def outcomes(department: Department) -> list[tuple[str, str | None, str | None]]:
    """(type of activity, outcome, reason) of everything that arrived, oldest first."""

    def rows(tx: Tx) -> list[Any]:
        return list(tx.conn.execute(sa.select(inbox.c.body, inbox.c.outcome, inbox.c.reason).order_by(inbox.c.seq)))

    return [(json.loads(row[0])["type"], row[1], row[2]) for row in await department.db.read(rows)]
