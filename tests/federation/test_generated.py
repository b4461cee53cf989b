"""Ten thousand documents made by chance at every door that reads ActivityPub, and at every address that we read.

Nothing breaks, nothing that was refused is stored, nothing goes on growing. `make fuzz` runs many more, from another
seed each time; a failure names the seed.
"""

import asyncio
import gc
import os
import re
from typing import Any

import httpx
import psutil
import pytest
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.activitypub import signatures
from fedcorp.activitypub.probe import ECHO
from fedcorp.company import peers
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import inbox, metadata
from tests.federation.generated import Generator, Made, World
from tests.federation.world import ACTIVITY, Company, Department, Outsider

COUNT = int(os.environ.get("FEDCORP_FUZZ", "10000"))
SEED = int(os.environ.get("FEDCORP_FUZZ_SEED", "20261126"))
AT_ONCE = 50
SETTLED_AFTER = 1000
ACTORS = 6
ANEW_AFTER = 250
GROWTH = 64 * 2**20
SERVED = 500  # documents that we read ourselves

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.once,
]
_MARK = re.compile(r"zq\d+qz")


class Served(Outsider):
    """A server whose documents may be any bytes."""

    def __init__(self, company: Company, domain: str) -> None:
        super().__init__(company, domain)
        self.bytes: dict[str, bytes] = {}

    async def respond(self, request: httpx.Request) -> httpx.Response:
        found = self.bytes.get(str(request.url))
        if found is None:
            return await super().respond(request)
        await asyncio.sleep(0)
        return httpx.Response(200, content=found, headers={"Content-Type": ACTIVITY}, request=request)


class Doors:
    """Posts to one department, straight through its application."""

    def __init__(self, department: Department, server: Outsider, places: tuple[str, ...]) -> None:
        self.department, self.server, self.places = department, server, places
        self.private = keys.load_private(server.pair.ed25519_private)
        self.refused: set[str] = set()
        self.taken: set[str] = set()
        self.answers: dict[int, int] = {}

    async def post(self, made: Made, number: int) -> None:
        path = self.places[number % len(self.places)]
        url = self.department.origin + path
        headers = signatures.sign(
            "POST", url, made.body, key_id=made.signer + "#ed25519-key", private=self.private, dialect="9421-ed25519",
            now=self.server.company.clock.now(), headers=None,
        )  # fmt: skip
        status, answered = await self._call(path, headers, made.body)
        self.answers[status] = self.answers.get(status, 0) + 1
        # A machine too busy to start the JSON-LD processor in time says when to come again; nothing else may be 5xx.
        assert status < 500 or (status == 503 and b"retry-after" in answered), (SEED, status, path, made.body)
        (self.refused if status >= 400 else self.taken).add(made.mark)

    async def _call(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, set[bytes]]:
        sent_with = {**headers, "Content-Length": str(len(body))}  # without it, the gate takes it for the largest
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "client": ("127.0.0.1", 1),
            "server": (self.department.domain, 80), "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent_with.items()],
        }  # fmt: skip
        sent = iter([{"type": "http.request", "body": body, "more_body": False}])
        started: list[tuple[int, set[bytes]]] = []

        async def receive() -> Any:
            return next(sent)

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                started.append((message["status"], {name.lower() for name, _ in message["headers"]}))

        await self.department.instance.app(scope, receive, send)
        return started[0]


async def _world(company: Company) -> tuple[Department, Served, World]:
    limits = {"enabled": False, "key_fetches": 10 * AT_ONCE}  # all come from one server, with actors of all kinds
    finance = await company.department("finance", limits=limits)
    server = Served(company, "sales.localhost")
    await finance.db.write(peers.add, server.domain, "department")
    actors = [server.actor(f"a{number}") for number in range(ACTORS)]
    ann = await finance.person("ann")
    note = await ann.publish("a note")
    poll = await ann.publish("a poll", poll={"options": ["a", "b"], "expires_in": 3600})
    handle = await finance.group(ann, "chess")
    group = await ann.get("/api/v1/accounts/lookup", acct=handle)
    for actor in actors[:3]:
        follow = server.activity("Follow", actor, ann.account.uri, to=[ann.account.uri])
        assert (await server.deliver(finance, follow)).status_code == 202
    await ann.follow("a0@sales.localhost")
    await company.settle()
    return finance, server, World(server.origin, actors, ann.account.uri, group["uri"], note["uri"], poll["uri"])


def _texts(tx: Tx) -> set[str]:
    """The marks of documents of which something is stored anywhere."""
    found: set[str] = set()
    for table in metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, sa.Text | sa.LargeBinary):
                for value in tx.conn.execute(sa.select(column)).scalars():
                    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
                    found.update(_MARK.findall(text))
    return found


def _failures(tx: Tx) -> list[Any]:
    return list(tx.conn.execute(sa.select(inbox.c.reason, inbox.c.body).where(inbox.c.outcome == "failed")))


def _outcomes(tx: Tx) -> dict[str, int]:
    counted = sa.select(inbox.c.outcome, sa.func.count()).group_by(inbox.c.outcome)
    return {str(word): count for word, count in tx.conn.execute(counted)}


async def test_nothing_that_comes_breaks_anything(company: Company) -> None:
    finance, server, world = await _world(company)
    path = f"/u/{world.person.rsplit('/', 1)[1]}/inbox"
    group = f"/g/{world.group.rsplit('/', 1)[1]}/inbox"
    doors = Doors(finance, server, ("/inbox", "/inbox", path, group, "/inbox", "/ap/heads", "/inbox", "/inbox", ECHO))
    generator = Generator(world, SEED)
    process = psutil.Process()
    calm = 0
    for begin in range(0, COUNT, SETTLED_AFTER):
        for first in range(begin, min(begin + SETTLED_AFTER, COUNT), AT_ONCE):
            if first % ANEW_AFTER == 0 and first:
                world.actors[:] = [server.actor(f"a{first}n{number}") for number in range(ACTORS)]
            await asyncio.gather(*(doors.post(made, first + n) for n, made in enumerate(generator.stream(AT_ONCE))))
        await finance.settle()
        company.network.requests.clear()
        server.received.clear()
        server.fetched.clear()
        if not calm:  # what is loaded and cached once does not count
            gc.collect()
            calm = process.memory_info().rss
    gc.collect()
    growth = process.memory_info().rss - calm
    assert growth < GROWTH, (SEED, growth)
    assert await finance.db.read(_failures) == [], SEED
    stored = await finance.db.read(_texts)
    assert stored & doors.taken, "much of it was taken"
    assert not stored & doors.refused, (SEED, sorted(stored & doors.refused)[:5])
    assert doors.answers.keys() >= {202, 400}, doors.answers
    turned_away = doors.answers.get(429, 0) + doors.answers.get(503, 0)
    assert turned_away <= COUNT // 100, doors.answers  # the others were looked at
    kinds = await finance.db.read(_outcomes)
    assert kinds["processed"] > COUNT // 50, (kinds, doors.answers)


async def test_nothing_that_is_read_breaks_anything(company: Company) -> None:
    """The same at addresses that somebody pastes into the search, and that are fetched then."""
    finance, server, world = await _world(company)
    generator = Generator(world, SEED + 1)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=finance.instance.app), base_url=finance.origin
    ) as http:
        ann = await finance.person("col")
        http.headers["Authorization"] = f"Bearer {ann.token}"
        for number in range(max(SERVED, COUNT // 20)):
            uri = f"{server.origin}/found/{number}"
            server.bytes[uri] = generator.document(uri)
            response = await http.get("/api/v2/search", params={"q": uri, "resolve": "true"})
            assert response.status_code == 200, (SEED, server.bytes[uri], response.text)
            server.bytes.clear()
    await finance.settle()
    assert await finance.db.read(_failures) == []
