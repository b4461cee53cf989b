"""`fedcorp peer test` over the network of a story: who does not know us, cannot reach us, or is no fedcorp at all."""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp.activitypub.probe import FAILED, HOPS, OK, WARNING, Hop, Probe
from fedcorp.company import peers
from fedcorp.errors import NotFound
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import inbox
from tests.federation.world import ACTIVITY, Company, Department, Outsider

pytestmark = pytest.mark.anyio


async def walk(department: Department, domain: str) -> list[Hop]:
    return await Probe(department.instance.client, department.db, department.instance.clock).run(domain)


def states(hops: list[Hop]) -> dict[str, str]:
    return {hop.name: hop.state for hop in hops}


async def test_two_departments_that_know_each_other(company: Company) -> None:
    finance, hr = await company.department("finance"), await company.department("hr")
    await company.introduce(finance, hr)
    hops = await walk(finance, hr.domain)
    assert [hop.name for hop in hops] == list(HOPS)
    assert {hop.state for hop in hops} == {OK}, hops
    said = {hop.name: hop.text for hop in hops}
    assert "draft-cavage" in said["read"] or "RFC 9421" in said["read"]
    assert "fedcorp" in said["nodeinfo"]
    asked = [str(request.url) for request in company.network.requests if request.headers["user-agent"].endswith(
        f"(+{hr.origin})")]  # fmt: skip
    assert f"{finance.origin}/o/0" in asked, "the other department knocked here with a signature of its own"
    await company.settle()

    def outcomes(tx: Tx) -> list[Any]:
        return list(tx.conn.execute(sa.select(inbox.c.outcome)).scalars())

    assert await hr.db.read(outcomes) == ["ignored"], "what was sent means nothing"


async def test_who_did_not_add_us(company: Company) -> None:
    finance, hr = await company.department("finance"), await company.department("hr")
    await finance.db.write(peers.add, hr.domain, "department")
    hops = await walk(finance, hr.domain)
    assert (hops[-1].name, hops[-1].state) == ("read", FAILED)
    assert "403" in hops[-1].text
    assert f"peer add {finance.domain}" in hops[-1].cure


async def test_who_is_no_peer_here(company: Company) -> None:
    finance = await company.department("finance")
    with pytest.raises(NotFound, match="peer add"):
        await walk(finance, "hr.localhost")
    assert company.network.requests == []


async def test_who_cannot_fetch_our_key(company: Company) -> None:
    """Our address leads nowhere from there: their first look at our key fails, and the hop says where to look."""
    finance, hr = await company.department("finance"), await company.department("hr")
    await company.introduce(finance, hr)
    company.network.servers.pop(finance.domain)
    hops = await walk(finance, hr.domain)
    assert (hops[-1].name, hops[-1].state) == ("read", FAILED)
    assert "503" in hops[-1].text
    assert f"{finance.origin}/actor" in hops[-1].cure


async def test_the_way_back_alone_is_cut(company: Company) -> None:
    """They know our key from before, so only their own request shows that the way back is gone."""
    finance, hr = await company.department("finance"), await company.department("hr")
    await company.introduce(finance, hr)
    await walk(finance, hr.domain)
    company.network.servers.pop(finance.domain)
    hops = await walk(finance, hr.domain)
    assert (hops[-1].name, hops[-1].state) == ("back", FAILED)
    assert "cannot be reached" in hops[-1].text
    assert f"peer test {finance.domain}" in hops[-1].cure


async def test_the_way_back_is_refused_by_us(company: Company) -> None:
    """We do not take their signature: their key says something else than it did."""
    finance, hr = await company.department("finance"), await company.department("hr")
    await company.introduce(finance, hr)
    await walk(finance, hr.domain)

    def spoil(tx: Tx) -> None:
        tx.conn.exec_driver_sql(f"UPDATE keys SET revoked_at = 1 WHERE id LIKE '{hr.origin}/actor%'")

    await finance.db.write(spoil)
    company.network.servers[hr.domain] = Without(company, hr, "/actor")
    hops = await walk(finance, hr.domain)
    assert (hops[-1].name, hops[-1].state) == ("actor", FAILED)


class Without:
    """A department behind a proxy that swallows one path."""

    def __init__(self, company: Company, department: Department, path: str, status: int = 404) -> None:
        self.app = department.instance.app
        self.path, self.status = path, status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == self.path:
            await send({"type": "http.response.start", "status": self.status, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send)


@pytest.mark.parametrize(
    ("path", "status", "hop", "state"),
    [
        ("/.well-known/nodeinfo", 502, "http", FAILED),
        ("/.well-known/nodeinfo", 404, "nodeinfo", WARNING),
        ("/.well-known/webfinger", 404, "webfinger", WARNING),
        ("/.well-known/webfinger", 500, "webfinger", WARNING),
        ("/actor", 404, "actor", FAILED),
        ("/actor", 401, "actor", FAILED),
        ("/o/0", 401, "read", FAILED),
        ("/o/0", 429, "read", FAILED),
        ("/inbox", 403, "write", FAILED),
        ("/inbox", 500, "write", FAILED),
        ("/inbox", 422, "write", WARNING),
        ("/ap/echo", 404, "back", OK),
        ("/ap/echo", 418, "back", FAILED),
    ],
)
async def test_a_proxy_that_swallows_one_address(
    company: Company, path: str, status: int, hop: str, state: str
) -> None:
    finance, hr = await company.department("finance"), await company.department("hr")
    await company.introduce(finance, hr)
    await walk(hr, finance.domain)  # so that each has heard of the other
    company.network.servers[hr.domain] = Without(company, hr, path, status)
    hops = await walk(finance, hr.domain)
    assert states(hops)[hop] == state, hops
    assert all(one.cure for one in hops if one.state != OK)
    if state == FAILED:
        assert hops[-1].name == hop


async def test_a_clock_that_is_wrong(company: Company) -> None:
    finance, hr = await company.department("finance"), await company.department("hr")
    await company.introduce(finance, hr)

    async def late(scope: Any, receive: Any, send: Any) -> None:
        async def dated(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"date", b"Thu, 01 Jan 2026 00:00:00 GMT")]
            await send(message)

        await hr.instance.app(scope, receive, dated)

    company.network.servers[hr.domain] = late
    hops = await walk(finance, hr.domain)
    assert (hops[-1].name, hops[-1].state) == ("clock", FAILED)
    assert "NTP" in hops[-1].cure


async def test_a_server_of_another_make(company: Company) -> None:
    """No way to ask it to knock: it counts when it last did."""
    finance = await company.department("finance")
    elsewhere = Outsider(company, "social.localhost")
    elsewhere.runs = "mastodon"
    await finance.db.write(peers.add, elsewhere.domain, "partner")
    server = f"{elsewhere.origin}/actor"
    elsewhere.documents[server] = elsewhere.documents[elsewhere.actor("server", "Application")] | {"id": server}
    elsewhere.documents[server]["inbox"] = f"{elsewhere.origin}/actor/inbox"
    found = states(await walk(finance, elsewhere.domain))
    assert found["write"] == OK
    assert found["back"] == WARNING
    assert elsewhere.received[-1]["type"] == "View"
    bo = elsewhere.actor("bo")
    await elsewhere.deliver(finance, elsewhere.activity("View", bo, bo))
    assert states(await walk(finance, elsewhere.domain))["back"] == OK


async def test_nobody_can_have_us_knock_elsewhere(company: Company) -> None:
    """The echo goes to whoever signed; an unsigned request and a stranger get none, and cause no request."""
    finance = await company.department("finance")
    known, stranger = Outsider(company, "known.localhost"), Outsider(company, "stranger.localhost")
    await finance.db.write(peers.add, known.domain, "partner")
    bo, eve = known.actor("bo"), stranger.actor("eve")
    url = f"{finance.origin}/ap/echo"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=finance.instance.app)) as http:
        response = await http.post(url, json={"url": "http://other.localhost/"}, headers={"Content-Type": ACTIVITY})
    assert response.status_code == 401
    refused = await stranger.deliver(finance, {"actor": eve, "url": known.origin}, path="/ap/echo")
    assert refused.status_code == 403
    assert company.network.requests == []
    answer = await known.deliver(finance, {"actor": bo, "url": stranger.origin}, path="/ap/echo")
    assert answer.json()["reached"] is True
    assert {request.url.netloc.decode() for request in company.network.requests} == {known.domain}


async def test_a_server_without_an_actor_of_its_own(company: Company) -> None:
    """GoToSocial's cannot be found under a name with a port: somebody there who is known here stands for it. And its
    NodeInfo is JSON, which it gives to nobody who asks for ActivityStreams."""
    finance = await company.department("finance")
    ann = await finance.person("ann")
    elsewhere = Outsider(company, "social.localhost")
    elsewhere.runs = "gotosocial"
    elsewhere.is_strict = True
    await finance.db.write(peers.add, elsewhere.domain, "partner")
    hops = await walk(finance, elsewhere.domain)
    assert states(hops)["nodeinfo"] == OK
    assert (hops[-1].name, hops[-1].state) == ("actor", FAILED)
    assert "look up somebody there" in hops[-1].cure
    gus = elsewhere.actor("gus")
    await ann.find(f"gus@{elsewhere.domain}")
    hops = await walk(finance, elsewhere.domain)
    found = states(hops)
    assert (found["webfinger"], found["actor"], found["read"], found["write"]) == (OK, OK, OK, OK), hops
    assert gus in next(hop.text for hop in hops if hop.name == "actor")
