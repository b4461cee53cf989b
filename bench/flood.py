"""How people here fare while other servers flood the inbox: calm, then flooded, from connections of their own."""

import json
import threading
from collections.abc import Iterator
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
LANES = 64  # connections of the flood
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


def flood(bench: Bench) -> Iterator[Row]:
    """Readers at home, calm and while eight servers send as fast as they are answered, many times what they may."""
    crowd = Load()
    try:
        with bench.department("finance", LIMITS) as finance:
            finance.hire("ann")
            for number in range(SERVERS):
                finance.know(_domain(number))
            requests = _creates(finance, bench.count(20_000), finance.do(_authors))
            finance.start()
            _fill(finance)
            reads = [finance.request("ann", "GET", HOME)] * bench.count(4000)
            bench.load.run(finance.port, reads[:200], READERS)
            yield scenarios.measured(finance, "flood_calm", lambda: bench.load.run(finance.port, reads, READERS))
            before = finance.memory()
            found: list[Outcome] = []
            sending = threading.Thread(target=lambda: found.append(crowd.run(finance.port, requests, LANES)))
            sending.start()
            during: list[Outcome] = []
            while sending.is_alive():
                during.append(bench.load.run(finance.port, reads[:500], READERS))
            sending.join()
            rows = sorted(during, key=lambda outcome: outcome.p99)
            middle = rows[len(rows) // 2]
            yield Row(
                "flood_home", middle.rate, p50=middle.p50, p99=middle.p99, memory=finance.memory(),
                note=f"middle of {len(rows)} runs; worst p99 {rows[-1].p99:.2f}; "
                f"{finance.memory() - before:+.0f} MiB",
            )  # fmt: skip
            (sent,) = found
            kept = finance.do(_kept)
            accepted = sent.statuses.get(202, 0)
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
