"""What is measured, one function for each scenario. Each makes departments of its own and gives rows of figures."""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import sqlalchemy as sa

from bench import ledgers
from bench.department import Department, remote
from bench.load import Load, Outcome
from fedcorp import __main__ as commands
from fedcorp.activitypub import ledger_copy, ledger_file
from fedcorp.clock import Clock
from fedcorp.social import accounts, follows
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import inbox

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Empty figures are None."""

    name: str
    rate: float | None = None  # a second
    cpu: float | None = None  # microseconds of the department's processes for each
    p50: float | None = None  # ms
    p99: float | None = None
    memory: float | None = None  # MiB
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What scenarios share: the load process, how much to send (1 is usual), the database."""

    load: Load
    scale: float
    database: str

    def count(self, usual: int) -> int:
        """How many of something."""
        return max(20, int(usual * self.scale))

    @contextmanager
    def department(self, name: str, limits: str = "enabled = false\n") -> Iterator[Department]:
        """A department in a temporary folder, with these lines of `[limits]`."""
        with tempfile.TemporaryDirectory(prefix="fedcorp-bench-") as folder:
            made = Department(Path(folder), name, self.database, limits)
            try:
                yield made
            finally:
                made.stop()


def measured(department: Department, name: str, run: Callable[[], Outcome], expected: int = 200) -> Row:
    """A row of a run of requests."""
    before = department.cpu()
    outcome = run()
    cpu = (department.cpu() - before) / outcome.count * 1e6
    odd = {status: count for status, count in outcome.statuses.items() if status != expected}
    note = f"unexpected answers: {odd}" if odd else ""
    return Row(name, outcome.rate, cpu, outcome.p50, outcome.p99, department.memory(), note)


# -- the client API --------------------------------------------------------------------------------------------------

_READS = {
    "home_40": "/api/v1/timelines/home?limit=40",
    "public_40": "/api/v1/timelines/public?limit=40",
    "notifications_30": "/api/v1/notifications?limit=30",
    "verify_credentials": "/api/v1/accounts/verify_credentials",
    "search": "/api/v2/search?q=budget&type=statuses",
}


def api(bench: Bench) -> Iterator[Row]:
    """Reading and writing as apps do it, eight connections."""
    with bench.department("finance") as finance:
        finance.hire("ann", "bo")
        finance.start()
        yield from api_rows(bench, finance)


def api_rows(bench: Bench, finance: Department) -> Iterator[Row]:
    """The same in a department that runs, where ann and bo were hired."""
    first = _follow_each_other(finance)
    posts = [
        finance.request("bo", "POST", "/api/v1/statuses", json.dumps({"status": f"budget {n} #numbers"}).encode())
        for n in range(bench.count(2000))
    ]
    yield measured(finance, "post_status", lambda: bench.load.run(finance.port, posts, 8))
    likes = [finance.request("bo", "POST", f"/api/v1/statuses/{id_}/favourite") for id_ in first[: bench.count(40)]]
    bench.load.run(finance.port, likes, 4)
    for name, path in _READS.items():
        requests = [finance.request("ann", "GET", path)] * bench.count(6000)
        bench.load.run(finance.port, requests[:50], 8)
        yield measured(finance, name, lambda requests=requests: bench.load.run(finance.port, requests, 8))  # type: ignore[misc]


def _follow_each_other(finance: Department) -> list[str]:
    """ann follows bo, and writes a little herself; the ids of that."""
    headers = {"Authorization": f"Bearer {finance.tokens['ann']}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{finance.port}", headers=headers, trust_env=False) as http:
        bo = http.get("/api/v1/accounts/lookup", params={"acct": "bo"}).json()["id"]
        http.post(f"/api/v1/accounts/{bo}/follow").raise_for_status()
        return [str(http.post("/api/v1/statuses", json={"status": f"mine {n}"}).json()["id"]) for n in range(40)]


# -- the wire inwards ------------------------------------------------------------------------------------------------

SENDER = "sales.localhost:9"  # nobody listens there


def _note(number: int, author: str) -> dict[str, object]:
    words = f"<p>Message {number}: " + "the quick brown fox jumps over the lazy dog. " * 12 + "</p>"
    return {
        "id": f"http://{SENDER}/o/{number}", "type": "Note", "attributedTo": author, "content": words, "to": [PUBLIC],
        "cc": [f"{author}/followers"], "published": datetime.now(UTC).isoformat(), "sensitive": False, "summary": None,
        "inReplyTo": None, "tag": [], "attachment": [], "url": f"http://{SENDER}/@a/{number}",
    }  # fmt: skip


def _creates(department: Department, count: int, authors: list[str]) -> list[bytes]:
    requests = []
    for number in range(count):
        author = authors[number % len(authors)]
        document = {
            "@context": "https://www.w3.org/ns/activitystreams", "id": f"http://{SENDER}/a/{number}", "type": "Create",
            "actor": author, "to": [PUBLIC], "cc": [f"{author}/followers"], "object": _note(number, author),
        }  # fmt: skip
        requests.append(department.signed(author, document))
    return requests


async def _followed_authors(db: Database) -> list[str]:
    def make(tx: Tx) -> list[str]:
        reader = accounts.find_local(tx, "ann")
        assert reader is not None
        uris = []
        for number in range(10):
            author = remote(tx, SENDER, f"a{number}")
            follows.follow(tx, reader, author)
            follows.accept(tx, reader.id, author.id)
            uris.append(author.uri)
        return uris

    return await db.write(make)


async def _unprocessed(db: Database) -> int:
    def read(tx: Tx) -> int:
        waiting = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.state != "done")
        found: int = tx.conn.execute(waiting).scalar_one()
        return found

    return await db.read(read)


def arriving(bench: Bench) -> Iterator[Row]:
    """Signed Creates of followed people: taken in durably, then acted upon by a process of its own."""
    with bench.department("finance") as finance:
        finance.hire("ann")
        yield from arriving_rows(bench, finance)


def arriving_rows(bench: Bench, finance: Department) -> Iterator[Row]:
    """The same in a department that does not run, where ann was hired."""
    finance.know(SENDER)
    authors = finance.do(_followed_authors)
    requests = _creates(finance, bench.count(6000), authors)
    finance.start("--no-worker")
    bench.load.run(finance.port, requests[:20], 4)
    yield measured(finance, "inbox_accept", lambda: bench.load.run(finance.port, requests[20:], 64), expected=202)
    finance.stop()
    waiting = finance.do(_unprocessed)
    finance.work()
    at_work, seconds, cpu = finance.do(lambda db: _watched(finance, db, waiting))
    yield Row("inbox_process", at_work / seconds, cpu / at_work * 1e6, memory=finance.memory())


async def _watched(finance: Department, db: Database, waiting: int) -> tuple[int, float, float]:
    """(How many activities it acts upon, in how many seconds, with how many of its processors) once it has begun."""
    at_work = await until_waiting(db, waiting - 1)
    began, before = time.perf_counter(), finance.cpu()
    await until_waiting(db, 0)
    return at_work, time.perf_counter() - began, finance.cpu() - before


async def until_waiting(db: Database, most: int) -> int:
    """Wait until at most so many activities wait; how many do."""
    give_up = time.perf_counter() + PATIENCE
    while (left := await _unprocessed(db)) > most:
        if time.perf_counter() > give_up:
            raise RuntimeError("the inbox was not processed in time")
        await asyncio.sleep(0.05)
    return left


# -- the wire outwards -----------------------------------------------------------------------------------------------


def _delivering(bench: Bench, hosts: int, usual: int) -> Row:
    with bench.department("finance") as finance:
        finance.hire("ann")
        domains = [f"h{number}.localhost:{bench.load.port}" for number in range(hosts)]
        for domain in domains:
            finance.know(domain)

        async def gather_followers(db: Database) -> None:
            def make(tx: Tx) -> None:
                author = accounts.find_local(tx, "ann")
                assert author is not None
                for domain in domains:
                    follows.follow(tx, remote(tx, domain, "reader"), author, uri=f"http://{domain}/a/follow")

            await db.write(make)

        finance.do(gather_followers)
        finance.start("--no-worker")
        bench.load.reset()
        posts = bench.count(usual) // hosts
        body = json.dumps({"status": "for everybody " * 20}).encode()
        requests = [finance.request("ann", "POST", "/api/v1/statuses", body)] * posts
        bench.load.run(finance.port, requests, 8)
        finance.stop()
        expected = (posts + 1) * hosts  # with the Accept of each follow
        finance.work()
        began, first = bench.load.wait(1, PATIENCE)  # it has started
        before = finance.cpu()
        ended, total = bench.load.wait(expected, PATIENCE)
        cpu = (finance.cpu() - before) / max(total - first, 1) * 1e6
        note = "" if total >= expected else f"only {total} of {expected} arrived"
        return Row(f"deliver_{hosts}", (total - first) / (ended - began), cpu, memory=finance.memory(), note=note)


def delivering(bench: Bench) -> Iterator[Row]:
    """Posts of one person to followers elsewhere, signed with RSA; turning the events into activities is part of it."""
    for hosts in (1, 20):
        yield _delivering(bench, hosts, 4000)


def between(bench: Bench) -> Iterator[Row]:
    """From the answer to a post until a follower in another department sees it at home."""
    with bench.department("finance") as finance, bench.department("people") as people:
        finance.hire("ann")
        people.hire("bo")
        finance.know(people.domain)
        people.know(finance.domain)
        started = [finance.start(), people.start()]
        yield Row("start", p50=min(started) * 1000, p99=max(started) * 1000, memory=finance.memory())
        times = sorted(_see(finance, people, bench.count(40)))
        yield Row("post_to_other_home", p50=times[len(times) // 2], p99=times[-1], memory=people.memory())


def _see(finance: Department, people: Department, count: int) -> list[float]:
    def client(department: Department, name: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {department.tokens[name]}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{department.port}", headers=headers, trust_env=False)

    times = []
    with client(finance, "ann") as ann, client(people, "bo") as bo:
        found = bo.get("/api/v2/search", params={"q": f"@ann@{finance.domain}", "resolve": "true"}).json()["accounts"]
        bo.post(f"/api/v1/accounts/{found[0]['id']}/follow").raise_for_status()
        time.sleep(1)
        for number in range(count):
            posted = ann.post("/api/v1/statuses", json={"status": f"seen {number}"}).json()
            began = time.perf_counter()
            while bo.get("/api/v1/timelines/home?limit=1").json()[:1] == [] or (
                bo.get("/api/v1/timelines/home?limit=1").json()[0]["uri"] != posted["uri"]
            ):
                if time.perf_counter() - began > PATIENCE:
                    raise RuntimeError("a post did not arrive")
            times.append((time.perf_counter() - began) * 1000)
    return times


# -- ledgers ---------------------------------------------------------------------------------------------------------


def ledger(bench: Bench) -> Iterator[Row]:
    """Verifying the ledger of a group offline, on one core: our copy with its roles, then the exported file."""
    with bench.department("finance") as finance:
        finance.hire("ann")
        count = bench.count(20_000)
        group = finance.do(lambda db: ledgers.write(db, count))
        path = finance.folder / "ledger.jsonl"
        config = ["-c", str(finance.folder / "config.toml")]
        commands.run(["group", "export", ledgers.NAME, "--output", str(path), *config])
        yield _verified("ledger_copy", lambda: finance.do(lambda db: db.read(ledger_copy.examine, group)))
        with path.open("rb") as stream:
            yield _verified("ledger_file", lambda: ledger_file.verify(stream, Clock())[1])


def _verified(name: str, verify: Callable[[], ledger_copy.Outcome]) -> Row:
    """The rate is for a second of one core: nothing here waits, and other programs on the machine do not count."""
    began = time.process_time()
    found = verify()
    cpu = time.process_time() - began
    return Row(name, found.count / cpu, cpu / found.count * 1e6, note=found.wrong or "target 5,000 a second")


SCENARIOS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "api": api,
    "arriving": arriving,
    "delivering": delivering,
    "between": between,
    "ledger": ledger,
}
