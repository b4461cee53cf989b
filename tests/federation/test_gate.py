"""The gate before the doors for servers: who is too fast is told to wait, and nobody else notices.

Through HTTP, between a department and servers that are driven by hand. Nothing here depends on how fast anything is:
the clock of the company is put forward where time must pass.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.activitypub import signatures
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.config import Limits
from fedcorp.errors import TooManyRequests
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import inbox
from fedcorp.storage.tables import peers as peers_table
from fedcorp.web import gate
from tests.federation.world import Company, Department, Outsider

pytestmark = pytest.mark.anyio


async def meet(
    company: Company, *names: str, limits: dict[str, Any] | None = None
) -> tuple[Department, list[tuple[Outsider, str]]]:
    """A department with these limits, and servers that it knows with somebody on each."""
    finance = await company.department("finance", limits={"enabled": True, "api_requests": 10_000, **(limits or {})})
    found = []
    for name in names:
        server = Outsider(company, f"{name}.localhost")
        await finance.db.write(peers.add, server.domain, "partner")
        actor = server.actor("eva")
        assert (
            await server.read(finance, f"{finance.origin}/u/1", signer=actor)
        ).status_code == 404  # the key is known
        found.append((server, actor))
    company.clock.shift_ms += 60_000
    return finance, found


async def send(department: Department, server: Outsider, actor: str) -> httpx.Response:
    """One more post of somebody."""
    return await server.deliver(department, server.activity("Create", actor, server.note(actor, "so much")))


def is_wait(response: httpx.Response, status: int = 429) -> bool:
    """Whether an answer tells a server to wait, in the form of every error."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert int(response.headers["retry-after"]) >= 1
    return set(response.json()) == {"error"}


def _rows(tx: Tx) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for domain, state in tx.conn.execute(sa.select(inbox.c.domain, inbox.c.state)):
        rows.setdefault(domain, []).append(state)
    return rows


async def metric(department: Department, name: str) -> float:
    """One line of /metrics."""
    transport = httpx.ASGITransport(app=department.instance.app, client=("127.0.0.1", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        (line,) = [line for line in (await http.get("/metrics")).text.splitlines() if line.startswith(name + " ")]
    return float(line.rsplit(" ", 1)[1])


async def test_one_that_floods_is_told_to_wait_and_another_is_heard(company: Company) -> None:
    finance, ((loud, eva), (calm, sam)) = await meet(company, "loud", "calm", limits={"peer_requests": 1})
    answers = [await send(finance, loud, eva) for _ in range(30)]
    refused = [answer for answer in answers if answer.status_code != 202]
    accepted = len(answers) - len(refused)
    assert 10 <= accepted < 30
    assert all(is_wait(answer) for answer in refused)
    assert (await send(finance, calm, sam)).status_code == 202
    assert await finance.db.read(_rows) == {loud.domain: ["new"] * accepted, calm.domain: ["new"]}
    assert await metric(finance, 'fedcorp_gate_refused_total{reason="rate"}') == len(refused)

    await finance.settle()
    assert await finance.db.read(_rows) == {loud.domain: ["done"] * accepted, calm.domain: ["done"]}
    company.clock.shift_ms += 1000 * max(int(answer.headers["retry-after"]) for answer in refused)
    assert (await send(finance, loud, eva)).status_code == 202


async def test_documents_are_asked_for_through_the_gate(company: Company) -> None:
    finance, ((loud, eva), (calm, sam)) = await meet(company, "loud", "calm", limits={"peer_requests": 1})
    url = f"{finance.origin}/u/1"
    answers = [await loud.read(finance, url, signer=eva) for _ in range(30)]
    assert is_wait(answers[-1])
    assert (await calm.read(finance, url, signer=sam)).status_code == 404
    assert (await loud.read(finance, f"{finance.origin}/actor")).status_code == 200


async def test_what_waits_of_a_server_is_bounded(company: Company) -> None:
    finance, ((loud, eva), (calm, sam)) = await meet(company, "loud", "calm", limits={"peer_backlog": 3})
    answers = [await send(finance, loud, eva) for _ in range(6)]
    assert [answer.status_code for answer in answers[:3]] == [202] * 3
    assert all(is_wait(answer) for answer in answers[3:])
    assert (await send(finance, calm, sam)).status_code == 202
    assert len((await finance.db.read(_rows))[loud.domain]) == 3
    await finance.settle()
    company.clock.shift_ms += 30_000
    assert (await send(finance, loud, eva)).status_code == 202


@pytest.mark.parametrize("limits", [{"signed_at_once": 4}, {"signed_bytes": 80_100}])
async def test_half_of_what_is_under_way_is_for_one_server(company: Company, limits: dict[str, int]) -> None:
    finance, ((loud, eva), (calm, sam)) = await meet(company, "loud", "calm", limits=limits)
    release = asyncio.Event()
    slow = [asyncio.create_task(_drip(finance, loud, eva, release)) for _ in range(2)]
    while await metric(finance, "fedcorp_gate_requests") < 2:
        await asyncio.sleep(0)
    assert is_wait(await send(finance, loud, eva))
    assert (await send(finance, calm, sam)).status_code == 202
    more = [asyncio.create_task(_drip(finance, calm, sam, release)) for _ in range(2)]
    while await metric(finance, "fedcorp_gate_requests") < 4:
        await asyncio.sleep(0)
    third = Outsider(company, "third.localhost")
    await finance.db.write(peers.add, third.domain, "partner")
    assert is_wait(await send(finance, third, third.actor("kim")), 503)
    release.set()
    assert {answer.status_code for answer in await asyncio.gather(*slow, *more)} == {202}
    assert set(await finance.db.read(_rows)) == {loud.domain, calm.domain}
    assert await metric(finance, "fedcorp_gate_requests") == 0


async def _drip(department: Department, server: Outsider, actor: str, release: asyncio.Event) -> httpx.Response:
    """Send a post whose body comes to an end when it is let go."""
    body = json.dumps(server.activity("Create", actor, server.note(actor, "slow"))).encode().ljust(20_000)
    url = department.origin + "/inbox"
    headers = signatures.sign(
        "POST", url, body, key_id=actor + server.key_name, private=keys.load_private(server.pair.rsa_private),
        dialect="cavage", now=server.company.clock.now(), headers=None,
    )  # fmt: skip

    async def pieces() -> Any:
        yield body[:100]
        await release.wait()
        yield body[100:]

    headers["Content-Length"] = str(len(body))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=department.instance.app)) as client:
        return await client.post(url, content=pieces(), headers=headers)


async def test_a_stranger_is_refused_before_its_body_is_read(company: Company) -> None:
    finance, ((loud, eva),) = await meet(company, "loud", limits={"peer_requests": 1})
    stranger = Outsider(company, "stranger.localhost")
    actor = stranger.actor("kim")
    for _ in range(30):  # they are never told to wait, and take nothing away from others
        answer = await asyncio.wait_for(_drip(finance, stranger, actor, asyncio.Event()), 20)
        assert answer.status_code == 403
    assert stranger.fetched == []
    assert (await send(finance, loud, eva)).status_code == 202


async def test_nobody_uses_up_the_share_of_another(company: Company) -> None:
    """A key id is only a claim; what is not proven counts for the address that it comes from."""
    finance, ((calm, sam),) = await meet(company, "calm", limits={"peer_requests": 1})

    async def forge() -> httpx.Response:
        transport = httpx.ASGITransport(app=finance.instance.app, client=("192.0.2.7", 5))
        headers = signatures.sign(
            "POST", finance.origin + "/inbox", b"{}", key_id=sam + "#main-key",
            private=keys.load_private(keys.generate().rsa_private), dialect="cavage", now=company.clock.now(),
            headers=None,
        )  # fmt: skip
        async with httpx.AsyncClient(transport=transport) as http:
            return await http.post(finance.origin + "/inbox", content=b"{}", headers=headers)

    answers = [(await forge()).status_code for _ in range(30)]
    assert 429 in answers
    assert 202 not in answers
    assert (await send(finance, calm, sam)).status_code == 202


async def test_counting_can_be_switched_off(company: Company) -> None:
    limits = {"enabled": False, "peer_requests": 1, "peer_backlog": 3}
    finance, ((loud, eva),) = await meet(company, "loud", limits=limits)
    assert {(await send(finance, loud, eva)).status_code for _ in range(30)} == {202}


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_we_wait_when_we_are_told_to(company: Company, form: str) -> None:
    """Nothing is sent before the time is over, not even when the other side speaks to us meanwhile."""
    finance, ((sales, eva),) = await meet(company, "sales")
    ann = await finance.person("ann")
    answer = await sales.deliver(finance, sales.activity("Follow", eva, ann.account.uri))
    assert answer.status_code == 202
    await finance.settle()
    sent = len(sales.received)
    sales.answer = 429
    later = company.clock.now().timestamp() + 120
    date = format_datetime(datetime.fromtimestamp(later, UTC), usegmt=True)
    sales.answer_headers = {"Retry-After": "120" if form == "seconds" else date}
    await ann.post("/api/v1/statuses", status="hello", visibility="public", reach="public")
    await finance.settle()
    tries = len(sales.received)
    assert tries == sent + 1
    sales.answer = 202
    company.clock.shift_ms += 100_000
    assert (await send(finance, sales, eva)).status_code == 202
    await finance.settle()
    assert len(sales.received) == tries
    assert await finance.db.read(_failures) == [0]
    company.clock.shift_ms += 60_000
    await finance.settle()
    assert len(sales.received) == tries + 1


def _failures(tx: Tx) -> list[int]:
    return list(tx.conn.execute(sa.select(peers_table.c.fail_count)).scalars())


async def test_a_body_that_stops_coming_is_not_waited_for(company: Company) -> None:
    finance, [(loud, eva)] = await meet(company, "loud", limits={"body_seconds": 1})

    def stop(request: httpx.Request) -> httpx.Request:
        async def half() -> AsyncIterator[bytes]:
            yield request.content[:10]
            await asyncio.Event().wait()

        return httpx.Request("POST", request.url, content=half(), headers=request.headers)

    document = loud.activity("Create", eva, loud.note(eva, "so slow"))
    answer = await asyncio.wait_for(loud.deliver(finance, document, alter=stop), 20)
    assert is_wait(answer, 503)
    assert await metric(finance, 'fedcorp_gate_refused_total{reason="slow"}') == 1
    assert (await loud.deliver(finance, document)).status_code == 202, "it can come again"


class Held(Clock):
    """A clock at which nobody wakes up until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await self.go.wait()


async def test_refusals_wait_their_turn_but_not_without_end_of_them() -> None:
    """What waits to be refused takes memory, so beyond a number it is refused at once."""
    clock = Held()

    async def nothing_waits(_domain: str, _most: int) -> int:
        return 0

    made = gate.Gate(Limits(peer_requests=1), clock, nothing_waits)
    for _ in range(gate.WINDOW_SECONDS):
        made.proven("flood.localhost")
    refused = [
        asyncio.ensure_future(made.check("flood.localhost", "127.0.0.1")) for _ in range(gate.MOST_PACED + 4)
    ]  # fmt: skip
    done, waiting = await asyncio.wait(refused, timeout=1)
    assert (len(done), len(waiting)) == (4, gate.MOST_PACED)
    clock.go.set()
    answers = await asyncio.gather(*refused, return_exceptions=True)
    assert {type(answer) for answer in answers} == {TooManyRequests}
    clock.close()
