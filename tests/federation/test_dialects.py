"""In which dialect a server is spoken to: by experience, by what it says it implements, by what it asks for."""

from typing import Any

import httpx
import pytest

from fedcorp.activitypub import signatures
from fedcorp.company import peers
from fedcorp.company.peers import Peer
from tests.federation.test_departments import friends
from tests.federation.world import ACTIVITY, Company, Department, Outsider

pytestmark = pytest.mark.anyio
RFC = "https://datatracker.ietf.org/doc/html/rfc9421"


def dialect(request: httpx.Request) -> str:
    given = request.headers.get("signature-input")
    if given is None:
        return "cavage"
    return "9421-ed25519" if "ed25519" in given else "9421-rsa"


def sent(company: Company, host: str, method: str = "POST") -> list[str]:
    return [dialect(one) for one in company.network.requests if one.method == method and one.url.host == host]


async def _peer(department: Department, domain: str) -> Peer:
    found = await department.db.read(peers.find, domain)
    assert found is not None
    return found


async def test_departments_come_to_speak_rfc_9421_with_the_small_key(company: Company) -> None:
    """Their actors say that they implement it; before that is known they are spoken to as everybody is."""
    ann, bo = await friends(company)
    assert sent(company, bo.department.domain, "GET")[0] == "cavage"
    company.network.requests.clear()
    await ann.publish("hello")
    await company.settle()
    assert await bo.texts() == ["hello"]
    assert set(sent(company, bo.department.domain)) == {"9421-ed25519"}
    assert (await _peer(ann.department, bo.department.domain)).signature_profile == "9421-ed25519"


class Picky(Outsider):
    """A server that takes one dialect only, and says so in some way."""

    takes = "cavage"
    asks = ""
    refusal = 401

    async def respond(self, request: httpx.Request) -> httpx.Response:
        if "signature" in request.headers and dialect(request) != self.takes and ".well-known" not in str(request.url):
            headers = {"Accept-Signature": self.asks} if self.asks else {}
            self.company.network.requests[-1] = request
            return httpx.Response(self.refusal, headers=headers, request=request)
        return await super().respond(request)


async def _acquaintance(company: Company, **traits: Any) -> tuple[Department, Picky, Any]:
    finance = await company.department("finance")
    server = Picky(company, "social.localhost")
    for name, value in traits.items():
        setattr(server, name, value)
    await finance.db.write(peers.add, server.domain, "partner")
    ann = await finance.person("ann")
    return finance, server, ann


async def test_what_worked_after_a_refusal_is_remembered_for_a_week(company: Company) -> None:
    finance, server, ann = await _acquaintance(company, takes="9421-rsa")
    server.actor("carl")
    await ann.find("carl@social.localhost")
    assert (await _peer(finance, server.domain)).signature_profile == "9421-rsa"
    company.network.requests.clear()
    await ann.follow("carl@social.localhost")
    await company.settle()
    assert sent(company, server.domain) == ["9421-rsa"]


@pytest.mark.parametrize("refusal", [403, 404, 422, 500])
async def test_other_answers_are_no_reason_to_try_another_dialect(company: Company, refusal: int) -> None:
    _, server, ann = await _acquaintance(company, takes="9421-rsa", refusal=refusal)
    server.actor("carl")
    await ann.get("/api/v2/search", q="carl@social.localhost", resolve="true")
    asked = [one for one in company.network.requests if one.url.path == "/users/carl"]
    assert [dialect(one) for one in asked] == ["cavage"]


@pytest.mark.parametrize(
    ("listed", "profile"),
    [
        ([{"href": RFC}], "9421-rsa"),
        ([{"href": RFC}, {"href": f"{RFC}#name-eddsa-using-curve-edwards25"}], "9421-ed25519"),
        ([RFC], "9421-rsa"),
        ([{"href": "https://example.com/other"}], None),
        ("nonsense", None),
    ],
)
async def test_what_an_actor_says_that_its_server_implements(
    company: Company, listed: Any, profile: str | None
) -> None:
    """FEP-844e."""
    finance, server, ann = await _acquaintance(company)
    server.actor("carl", generator={"type": "Application", "implements": listed})
    await ann.find("carl@social.localhost")
    assert (await _peer(finance, server.domain)).signature_profile == profile


async def test_experience_counts_more_than_what_is_said(company: Company) -> None:
    finance, server, ann = await _acquaintance(company)
    server.actor("carl", generator={"implements": [{"href": RFC}]})
    await ann.find("carl@social.localhost")
    server.received.clear()
    await ann.follow("carl@social.localhost")  # its 9421 does not work after all
    await company.settle()
    assert [item["type"] for item in server.received] == ["Follow"]
    assert (await _peer(finance, server.domain)).signature_profile == "cavage"
    server.actor("dora", generator={"implements": [{"href": RFC}]})
    await ann.find("dora@social.localhost")
    assert (await _peer(finance, server.domain)).signature_profile == "cavage"
    company.clock.shift_ms += 8 * 86_400_000
    server.takes = "9421-rsa"
    server.actor("emil", generator={"implements": [{"href": RFC}]})
    await ann.find("emil@social.localhost")
    assert (await _peer(finance, server.domain)).signature_profile == "9421-rsa", "after a week it counts again"


async def test_what_works_is_used_as_long_as_it_does(company: Company) -> None:
    finance, server, ann = await _acquaintance(company, takes="9421-rsa")
    server.actor("carl")
    await ann.find("carl@social.localhost")
    company.clock.shift_ms += 30 * 86_400_000
    company.network.requests.clear()
    server.actor("dora")
    await ann.find("dora@social.localhost")
    knocks = [one for one in company.network.requests if one.url.path == "/users/dora"]
    assert [dialect(one) for one in knocks] == ["9421-rsa"]
    assert (await _peer(finance, server.domain)).signature_profile == "9421-rsa"


async def test_a_server_asks_for_the_signature_that_it_wants(company: Company) -> None:
    """RFC 9421 section 5: the second knock is what it asked for, with its nonce; the Ed25519 key is tried at once."""
    asks = 'sig=("@method" "@authority" "date");alg="ed25519";nonce="n42"'
    finance, server, ann = await _acquaintance(company, takes="9421-ed25519", asks=asks)
    server.actor("carl")
    await ann.find("carl@social.localhost")
    knocks = [one for one in company.network.requests if one.url.path == "/users/carl"]
    assert [dialect(one) for one in knocks][:2] == ["cavage", "9421-ed25519"]
    given = knocks[1].headers["signature-input"]
    assert '"@authority"' in given
    assert '"date"' in given
    assert 'nonce="n42"' in given
    company.network.requests.clear()

    def forget(tx: Any) -> None:
        tx.conn.exec_driver_sql("UPDATE peers SET signature_profile = NULL")

    await finance.db.write(forget)
    await ann.follow("carl@social.localhost")
    await company.settle()
    assert sent(company, server.domain) == ["cavage", "9421-ed25519"]


async def test_our_refusals_say_what_a_signature_must_be(company: Company) -> None:
    finance = await company.department("finance")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=finance.instance.app)) as http:
        for response in (
            await http.get(f"{finance.origin}/u/1", headers={"Accept": ACTIVITY}),
            await http.post(f"{finance.origin}/inbox", json={}, headers={"Content-Type": ACTIVITY}),
        ):
            assert response.status_code == 401
            assert signatures.asked(response.headers["accept-signature"]) is not None
            assert response.headers["www-authenticate"].startswith("Signature")


def _asked(server: Outsider) -> int:
    return sum("nodeinfo" in url for url in server.fetched)


@pytest.mark.parametrize("way", ["heard", "reached"])
async def test_a_peer_that_was_added_before_it_ran_is_asked_what_it_runs_when_it_does(
    company: Company, way: str
) -> None:
    finance, server, ann = await _acquaintance(company)
    company.network.cut.add(server.domain)
    carl, server.runs = server.actor("carl"), "gotosocial"
    for _ in range(14):
        company.clock.shift_ms += 3_600_000
        await company.retry()
    company.network.cut.clear()
    await company.retry()
    assert (await _peer(finance, server.domain)).software is None, "nobody tries any more"
    if way == "heard":
        note = server.note(carl, "up again", to=[ann.account.uri])
        await server.deliver(finance, server.activity("Create", carl, note, to=[ann.account.uri]))
    else:
        await ann.follow("carl@social.localhost")
    await company.settle()
    assert (await _peer(finance, server.domain)).software == "gotosocial"


async def test_a_server_that_does_not_say_what_it_runs_is_asked_once_a_day_at_most(company: Company) -> None:
    finance, server, ann = await _acquaintance(company)
    carl = server.actor("carl")
    await ann.follow("carl@social.localhost")
    counts = []
    for day in range(3):
        for _ in range(3):
            note = server.note(carl, f"day {day}", to=[ann.account.uri])
            await server.deliver(finance, server.activity("Create", carl, note, to=[ann.account.uri]))
            company.clock.shift_ms += 3_600_000
            await company.retry()
        counts.append(_asked(server))
        company.clock.shift_ms += 22 * 3_600_000
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]
