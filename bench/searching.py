"""Search among many posts: the same questions in departments of different sizes, since they should cost the same."""

import itertools
import random
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from bench.department import Department
from bench.scenarios import Bench, Row, measured
from fedcorp import ids
from fedcorp.social import accounts, indexing
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import mentions, statuses

SIZES = (1_000, 100_000)
PEOPLE = 20
WORDS = 30_000  # of which few come often and most seldom, as in any language
FIRST_MS = 1_770_000_000_000
QUESTIONS = {
    "common": "q=budget",
    "rare": "q=incoterms",
    "two_words": "q=budget%20planning",
    "phrase": "q=%22quarterly%20budget%22",
    "none": "q=unheardof",
    "of_one": "q=budget%20from%3Ap5",
    "operators": "q=budget%20has%3Alink%20-is%3Areply%20language%3Anl",
    "before": "q=budget%20before%3A2026-02-03",
}


def search(bench: Bench) -> Iterator[Row]:
    """1,000 and, times the scale, 100,000 posts of 20 people, three of ten direct: 20 posts for each question."""
    for size in (SIZES[0], bench.count(SIZES[1])):
        with bench.department("finance") as finance:
            finance.hire("ann", *(f"p{number}" for number in range(PEOPLE)))
            finance.do(lambda db, size=size: fill(db, size))  # type: ignore[misc]
            began = time.perf_counter()
            finance.do(put_in)
            seconds = time.perf_counter() - began
            yield Row(f"index_{size}", size / seconds, seconds / size * 1e6, note="one thread; put in afterwards")
            finance.start()
            yield from questions(bench, finance, size)
            finance.stop()


def questions(bench: Bench, finance: Department, size: int) -> Iterator[Row]:
    """A row for each question, asked over HTTP by ann."""
    for name, q in QUESTIONS.items():
        request = finance.request("ann", "GET", f"/api/v2/search?type=statuses&{q}")
        bench.load.run(finance.port, [request] * 50, 8)
        requests = [request] * bench.count(3000 if bench.scale <= 1 else 300)
        yield measured(finance, f"search_{size}_{name}", lambda r=requests: bench.load.run(finance.port, r, 8))  # type: ignore[misc]


def _texts() -> Iterator[str]:
    chance = random.Random(1)
    known = [f"w{number}" for number in range(WORDS)]
    weights = list(itertools.accumulate(1 / (number + 3) for number in range(WORDS)))
    for number in itertools.count():
        words = chance.choices(known, cum_weights=weights, k=25)
        if number % 20 == 5:
            words[3:5] = ["quarterly", "budgets"]
        if number % 7 == 0:
            words.append("planning")
        if number == 405:
            words.append("incoterms")
        yield " ".join(words)


async def fill(db: Database, size: int) -> None:
    """Posts as rows, which is quicker than publishing them."""
    texts = _texts()
    for start in range(0, size, 2000):
        await db.write(_write, start, list(itertools.islice(texts, min(2000, size - start))))


def _write(tx: Tx, start: int, texts: list[str]) -> None:
    people = [accounts.find_local(tx, f"p{number}") for number in range(PEOPLE)]
    rows: list[dict[str, Any]] = []
    named = []
    for number, text in enumerate(texts, start):
        author = people[number % PEOPLE]
        assert author is not None
        at = FIRST_MS + number * 1000
        id_ = ids.first_at(at) | 1
        direct = number % 10 < 3
        link = '<a href="https://x.example/">x</a>' if number % 3 == 0 else ""
        rows.append(
            {
                "id": id_, "uri": tx.site.urls.object(id_), "url": tx.site.urls.status_page(author.username, id_),
                "origin": author.origin, "local": True, "account_id": author.id, "thread_id": id_, "reach": "company",
                "visibility": "direct" if direct else "public", "content": f"<p>{text}{link}</p>", "text": text,
                "language": "nl" if number // 20 % 2 else "en", "created_at": at,
            }
        )  # fmt: skip
        if direct:
            other = people[(number + 1) % PEOPLE]
            assert other is not None
            named.append({"status_id": id_, "account_id": other.id})
    tx.conn.execute(sa.insert(statuses), rows)
    if named:
        tx.conn.execute(sa.insert(mentions), named)


async def put_in(db: Database) -> None:
    """What the job does."""
    below: int | None = ids.MAX_ID
    while below is not None:
        below, _ = await db.write(indexing.catch_up, below)


SCENARIOS = {"search": search}
