"""How people here fare while other servers flood the inbox: in calm, flooded, and while a neighbour is flooded.

Readers ask at a pace, as people do, so that what they wait for is not their own number. Who floods has a machine of
their own in life, and here the lowest priority. The department that is flooded needs processors, too: the neighbour on
the same machine tells what that alone does to people.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import sqlalchemy as sa

from bench import scenarios
from bench.department import Department, remote
from bench.load import Load, Outcome
from bench.scenarios import PUBLIC, Bench, Row
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import inbox

LIMITS = "api_requests = 100000000\nposts = 100000000\npeer_requests = 10\n"
SERVERS = 8
READERS = 4
PACE = 200.0  # pages a second that people ask for
LANES = 64  # connections of the flood
BEGUN_SECONDS = 1.5  # before people are watched
HOME = "/api/v1/timelines/home?limit=40"


def _domain(number: int) -> str:
    return f"flood{number}.localhost:9"  # nobody listens there


async def _authors(db: Database) -> list[str]:
    return await db.write(lambda tx: [remote(tx, _domain(number), "a").uri for number in range(SERVERS)])


def _creates(department: Department, count: int, authors: list[str]) -> list[bytes]:
    requests = []
    for number in range(count):
        author = authors[number % len(authors)]
        origin = author.split("/u/", maxsplit=1)[0]
        note = {
            "id": f"{origin}/o/{number}", "type": "Note", "attributedTo": author, "content": "<p>so much</p>",
            "to": [PUBLIC], "cc": [], "published": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        document = {
            "@context": "https://www.w3.org/ns/activitystreams", "id": f"{origin}/a/{number}", "type": "Create",
            "actor": author, "to": [PUBLIC], "cc": [], "object": note,
        }  # fmt: skip
        requests.append(department.signed(author, document))
    return requests


@contextmanager
def _flooded(crowd: Load, department: Department, requests: list[bytes], seconds: float) -> Iterator[list[Outcome]]:
    """Inside, these are sent as fast as they are answered; afterwards the list says what became of them."""
    outcomes: list[Outcome] = []

    def send() -> None:
        outcomes.append(crowd.run(department.port, requests, LANES, seconds=seconds))

    sending = threading.Thread(target=send)
    sending.start()
    try:
        time.sleep(BEGUN_SECONDS)  # its connections are there, and what a burst may is used up
        yield outcomes
    finally:
        sending.join()


def flood(bench: Bench) -> Iterator[Row]:
    """Readers at home, calm and while eight servers send as fast as they are answered, many times what they may."""
    crowd = Load(niceness=19)
    try:
        with bench.department("finance", LIMITS) as finance, bench.department("sales", LIMITS) as sales:
            flooded = {}
            for department in (finance, sales):
                department.hire("ann")
                for number in range(SERVERS):
                    department.know(_domain(number))
                flooded[department] = _creates(department, bench.count(20_000), department.do(_authors))
                department.start()
            _fill(finance)
            reads = [finance.request("ann", "GET", HOME)] * bench.count(4000)

            def read() -> Outcome:
                return bench.load.run(finance.port, reads, READERS, PACE)

            seconds = len(reads) / PACE + 2 * BEGUN_SECONDS
            bench.load.run(finance.port, reads[:200], READERS)
            yield scenarios.measured(finance, "flood_calm", read)
            with _flooded(crowd, sales, flooded[sales], seconds):
                yield scenarios.measured(finance, "flood_neighbour", read)
            before = finance.memory()
            with _flooded(crowd, finance, flooded[finance], seconds) as outcomes:
                outcome = read()
            note = f"{finance.memory() - before:+.0f} MiB"
            yield Row("flood_home", outcome.rate, p50=outcome.p50, p99=outcome.p99, memory=finance.memory(), note=note)
            (sent,) = outcomes
            kept, accepted = finance.do(_kept), sent.statuses.get(202, 0)
            finance.do(lambda db: scenarios.until_waiting(db, 0))
            words = f"answers {sent.statuses}; accepted {accepted}, kept {kept}, acted upon {finance.do(_done)}"
            yield Row("flood_inbox", sent.rate, p50=sent.p50, p99=sent.p99, memory=finance.memory(), note=words)
    finally:
        crowd.close()


def _fill(finance: Department) -> None:
    headers = {"Authorization": f"Bearer {finance.tokens['ann']}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{finance.port}", headers=headers, trust_env=False) as http:
        for number in range(40):
            http.post("/api/v1/statuses", content=json.dumps({"status": f"mine {number}"}),
                      headers={"Content-Type": "application/json"}).raise_for_status()  # fmt: skip


async def _kept(db: Database) -> int:
    return await db.read(_count, sa.true())


async def _done(db: Database) -> int:
    return await db.read(_count, inbox.c.outcome == "processed")


def _count(tx: Tx, condition: sa.ColumnElement[bool]) -> int:
    found: int = tx.conn.execute(sa.select(sa.func.count()).select_from(inbox).where(condition)).scalar_one()
    return found


SCENARIOS = {"flood": flood}
