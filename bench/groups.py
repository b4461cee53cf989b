"""What is measured of groups: a large one over fifty departments, what it costs everything else, and many who join.
Also somebody whom as many people follow.

The group's department is real. The other departments are host names of the load process, which takes what is sent to
them and serves their people; their members are put in with the product's own verbs.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from functools import partial

import sqlalchemy as sa

from bench.department import PAIR, Department, remote
from bench.scenarios import PATIENCE, Bench, Row, api_rows, arriving_rows, measured
from fedcorp.activitypub import outbox
from fedcorp.social import accounts, follows, memberships
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import deliveries, events, ledger_heads
from fedcorp.storage.tables import memberships as members_table

HOSTS = 50
MEMBERS = 10_000
LOCAL_MEMBERS = 200  # of those
JOINING = 1000
POSTS = 20
AT_ONCE = 200  # members in one unit


# -- making groups ---------------------------------------------------------------------------------------------------


def _hosts(bench: Bench) -> list[str]:
    return [f"h{number}.localhost:{bench.load.port}" for number in range(HOSTS)]


def _meet(finance: Department, domains: list[str]) -> None:
    for domain in domains:
        finance.know(domain)


async def _found(db: Database, name: str, owner: str) -> tuple[int, str]:
    """A group that everybody may join; (its id, its URI)."""

    def make(tx: Tx) -> tuple[int, str]:
        admin = accounts.find_local(tx, owner)
        assert admin is not None
        group = memberships.found(tx, admin, name, PAIR, title=name.title(), preset="open")
        return group.id, group.uri

    return await db.write(make)


async def _fill(db: Database, group_id: int, domains: list[str], count: int) -> None:
    """Members of this department and, evenly, of the others; and everything is told that there is to tell."""

    def local(tx: Tx, number: int) -> Account:
        return accounts.create_local(tx, f"member{number}", PAIR)

    def elsewhere(tx: Tx, number: int) -> Account:
        return remote(tx, domains[number % len(domains)], f"member{number}")

    def make(tx: Tx, numbers: range) -> None:
        group = accounts.get(tx, group_id)
        for number in numbers:
            memberships.join(tx, (local if number < locals_ else elsewhere)(tx, number), group)

    locals_ = max(1, count * LOCAL_MEMBERS // MEMBERS)
    for start in range(0, count, AT_ONCE):
        await db.write(make, range(start, min(start + AT_ONCE, count)))
    while await db.write(outbox.expand, 2000):
        pass


async def _wait(db: Database, what: str, is_done: Callable[[Tx], bool]) -> None:
    give_up = time.perf_counter() + PATIENCE
    while not await db.read(is_done):
        if time.perf_counter() > give_up:
            raise RuntimeError(f"{what} in time")
        await asyncio.sleep(0.01)


def _is_delivered(tx: Tx) -> bool:
    waiting = sa.select(deliveries.c.seq).where(deliveries.c.state == "queued").limit(1)
    return (
        tx.conn.execute(waiting).first() is None and tx.conn.execute(sa.select(events.c.seq).limit(1)).first() is None
    )


# -- a large group ---------------------------------------------------------------------------------------------------


def large(bench: Bench) -> Iterator[Row]:
    """A group of 10,000: a post until all departments have it, its pages, and everything else in the same store."""
    with bench.department("finance") as finance:
        finance.hire("ann", "bo", "gia", "mo")
        domains = _hosts(bench)
        _meet(finance, domains)
        group_id, _ = finance.do(lambda db: _found(db, "everybody", "gia"))
        finance.do(partial(_join, group_id=group_id, name="mo"))
        count = bench.count(MEMBERS)
        began = time.perf_counter()
        finance.do(partial(_fill, group_id=group_id, domains=domains, count=count))
        yield Row("group_fill", count / (time.perf_counter() - began), note=f"{count} members by the verbs, all told")
        finance.start()
        finance.do(lambda db: _wait(db, "the members were not told", _is_delivered))
        yield _spread(bench, finance, "group_post", "mo", "@everybody ")
        yield from _pages(bench, finance, group_id)
        finance.do(lambda db: _wait(db, "the posts were not delivered", _is_delivered))
        yield from _beside(api_rows(bench, finance))
        finance.stop()
        yield from _beside(arriving_rows(bench, finance))


async def _join(db: Database, group_id: int, name: str) -> None:
    def make(tx: Tx) -> None:
        account = accounts.find_local(tx, name)
        assert account is not None
        memberships.join(tx, account, accounts.get(tx, group_id))

    await db.write(make)


def _spread(bench: Bench, finance: Department, name: str, author: str, named: str = "") -> Row:
    """From the answer to a post until all departments have it; the middle and the worst of some posts."""
    times = []
    cpu = finance.cpu()
    for number in range(POSTS):
        word = f"spread{number}x"
        bench.load.watch(word.encode())
        body = json.dumps({"status": f"{named}{word} " + "for everybody " * 20}).encode()
        request = finance.request(author, "POST", "/api/v1/statuses", body)
        arrived = bench.load.spread(finance.port, request, HOSTS, PATIENCE)
        if len(arrived) < HOSTS:
            return Row(name, note=f"only {len(arrived)} of {HOSTS} departments got a post")
        times.append(arrived[-1])
    times.sort()
    each = (finance.cpu() - cpu) / POSTS * 1e6
    return Row(name, None, each, times[len(times) // 2], times[-1], finance.memory(), f"until {HOSTS} have it")


def _pages(bench: Bench, finance: Department, group_id: int) -> Iterator[Row]:
    """What a member's app asks for."""
    paths = {
        "group_show": f"/api/fedcorp/v1/groups/{group_id}",
        "group_members_40": f"/api/fedcorp/v1/groups/{group_id}/members?limit=40",
        "group_timeline_20": f"/api/v1/timelines/list/{group_id}?limit=20",
        "group_home_20": "/api/v1/timelines/home?limit=20",
    }
    for name, path in paths.items():
        requests = [finance.request("mo", "GET", path)] * bench.count(3000)
        bench.load.run(finance.port, requests[:50], 8)
        yield measured(finance, name, lambda requests=requests: bench.load.run(finance.port, requests, 8))  # type: ignore[misc]


def _beside(rows: Iterator[Row]) -> Iterator[Row]:
    """Figures of other scenarios, measured in the store of the large group."""
    for row in rows:
        yield Row(f"{row.name}_beside", row.rate, row.cpu, row.p50, row.p99, row.memory, row.note)


# -- a large following -----------------------------------------------------------------------------------------------


def following(bench: Bench) -> Iterator[Row]:
    """A post of somebody with 10,000 followers, until all departments have it."""
    with bench.department("finance") as finance:
        finance.hire("ann")
        domains = _hosts(bench)
        _meet(finance, domains)
        finance.do(partial(_gather, domains=domains, count=bench.count(MEMBERS)))
        finance.start()
        finance.do(lambda db: _wait(db, "the followers were not told", _is_delivered))
        yield _spread(bench, finance, "following_post", "ann")


async def _gather(db: Database, domains: list[str], count: int) -> None:
    """Let people elsewhere follow ann; they are told."""

    def make(tx: Tx, numbers: range) -> None:
        author = accounts.find_local(tx, "ann")
        assert author is not None
        for number in numbers:
            domain = domains[number % len(domains)]
            follows.follow(tx, remote(tx, domain, f"r{number}"), author, uri=f"http://{domain}/f/{number}")

    for start in range(0, count, AT_ONCE):
        await db.write(make, range(start, min(start + AT_ONCE, count)))
    while await db.write(outbox.expand, 2000):
        pass


# -- many who join ---------------------------------------------------------------------------------------------------


def storm(bench: Bench) -> Iterator[Row]:
    """1,000 Follows of people of fifty departments at once: until all are members and told so, and the ledger has all.

    Once people are known here, key and all; once everybody must be fetched from their own server first.
    """
    with bench.department("finance") as finance:
        finance.hire("gia")
        domains = _hosts(bench)
        _meet(finance, domains)
        groups = {name: finance.do(partial(_found, name=name, owner="gia")) for name in ("known", "fetched")}
        finance.start()
        for name, (group_id, group_uri) in groups.items():
            people = [(domains[number % HOSTS], f"{name}{number}") for number in range(bench.count(JOINING))]
            if name == "known":
                finance.do(partial(_know, people=people))
            else:
                bench.load.publish({(domain, f"/u/{person}"): _actor(domain, person) for domain, person in people})
            yield _storm(
                bench, finance, f"join_{name}", group_id, [_follow(finance, group_uri, *item) for item in people]
            )


async def _know(db: Database, people: list[tuple[str, str]]) -> None:
    def make(tx: Tx) -> None:
        for domain, name in people:
            remote(tx, domain, name)

    await db.write(make)


def _actor(domain: str, name: str) -> bytes:
    uri = f"http://{domain}/u/{name}"
    document = {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": uri, "type": "Person", "preferredUsername": name, "webfinger": f"{name}@{domain}", "name": name,
        "inbox": f"{uri}/inbox", "outbox": f"{uri}/outbox", "followers": f"{uri}/followers", "url": uri,
        "endpoints": {"sharedInbox": f"http://{domain}/inbox"},
        "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": PAIR.rsa_public},
    }  # fmt: skip
    return json.dumps(document).encode()


def _follow(finance: Department, group_uri: str, domain: str, name: str) -> bytes:
    actor = f"http://{domain}/u/{name}"
    document: dict[str, object] = {
        "@context": "https://www.w3.org/ns/activitystreams", "id": f"http://{domain}/f/{name}", "type": "Follow",
        "actor": actor, "object": group_uri, "to": [group_uri],
    }  # fmt: skip
    return finance.signed(actor, document)


def _storm(bench: Bench, finance: Department, name: str, group_id: int, requests: list[bytes]) -> Row:
    bench.load.watch(b'"type":"Accept"')
    began, before = time.perf_counter(), finance.cpu()  # of the machine's one steady clock, as the load's moments are
    outcome = bench.load.run(finance.port, requests, 64)
    accepted, told = bench.load.wait_marked(len(requests), PATIENCE)
    finance.do(lambda db: _wait(db, "not everybody joined", partial(_has_all, group_id=group_id, count=len(requests))))
    seconds = time.perf_counter() - began
    cpu = (finance.cpu() - before) / len(requests) * 1e6
    note = f"all in {seconds:.1f} s, taken in after {outcome.seconds:.1f} s, accepted after {accepted - began:.1f} s"
    if set(outcome.statuses) != {202} or told < len(requests):
        note = f"answers {outcome.statuses}, {told} were told"
    finance.do(lambda db: _wait(db, "not everything was told", _is_delivered))
    return Row(name, len(requests) / seconds, cpu, None, None, finance.memory(), note)


def _has_all(tx: Tx, group_id: int, count: int) -> bool:
    """Whether so many joined, besides the founder, and the ledger has an entry for each."""
    mine = sa.select(sa.func.count()).where(members_table.c.group_id == group_id)
    entries = sa.select(ledger_heads.c.seq).where(ledger_heads.c.group_id == group_id)
    joined: int = tx.conn.execute(mine).scalar_one()
    return joined > count and (tx.conn.execute(entries).scalar() or 0) > count


SCENARIOS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "large_group": large,
    "large_following": following,
    "join_storm": storm,
}
