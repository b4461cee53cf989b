"""The locked doors, tried from outside through HTTP: what is not proved is refused, and nothing of it is stored."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.activitypub import signatures
from fedcorp.company import peers
from fedcorp.storage.tables import accounts, inbox
from tests.federation.world import Company, Department, Outsider

pytestmark = pytest.mark.anyio

Alter = Callable[[httpx.Request], httpx.Request]


def without(name: str) -> Alter:
    def alter(request: httpx.Request) -> httpx.Request:
        del request.headers[name]
        return request

    return alter


def replaced(name: str, old: str, new: str) -> Alter:
    def alter(request: httpx.Request) -> httpx.Request:
        request.headers[name] = request.headers[name].replace(old, new)
        return request

    return alter


def body(change: bytes) -> Alter:
    def alter(request: httpx.Request) -> httpx.Request:
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        return httpx.Request("POST", request.url, content=request.content + change, headers=headers)

    return alter


LOCKED: list[tuple[str, Alter, int]] = [
    ("unsigned", without("signature"), 401),
    ("no digest", without("digest"), 401),
    ("no date", without("date"), 401),
    ("altered body", body(b" "), 401),
    ("another digest", replaced("digest", "SHA-256=", "SHA-256=AA"), 401),
    ("digest not covered", replaced("signature", " digest", ""), 401),
    ("target not covered", replaced("signature", "(request-target) ", ""), 401),
    ("another date", replaced("date", "GMT", "+0000"), 401),
    ("unknown key", replaced("signature", "#main-key", "#other-key"), 401),
    ("unknown algorithm", replaced("signature", "rsa-sha256", "rsa-md5"), 401),
    ("content type of nothing we read", replaced("content-type", "application/activity+json", "text/plain"), 415),
]


@pytest.fixture
async def department(company: Company) -> Department:
    made = await company.department("finance")
    await made.db.write(peers.add, "sales.localhost", "department")
    return made


@pytest.fixture
def outsider(company: Company) -> Outsider:
    return Outsider(company, "sales.localhost")


async def stored(department: Department) -> int:
    return await department.db.read(
        lambda tx: tx.conn.execute(sa.select(sa.func.count()).select_from(inbox)).scalar_one()
    )


@pytest.mark.parametrize(("name", "alter", "status"), LOCKED, ids=[row[0] for row in LOCKED])
async def test_locked(department: Department, outsider: Outsider, name: str, alter: Alter, status: int) -> None:
    eva = outsider.actor("eva")
    activity = outsider.activity("Create", eva, outsider.note(eva, "hello"))
    response = await outsider.deliver(department, activity, alter=alter)
    assert response.status_code == status, (name, response.text)
    assert set(response.json()) >= {"error"}
    assert await stored(department) == 0


@pytest.mark.parametrize("dialect", ["cavage", "9421-rsa"])
async def test_the_right_key_opens(department: Department, outsider: Outsider, dialect: str) -> None:
    eva = outsider.actor("eva")
    activity = outsider.activity("Create", eva, outsider.note(eva, "hello"))
    response = await outsider.deliver(department, activity, dialect=dialect)
    assert response.status_code == 202
    assert await stored(department) == 1


async def test_old_and_future(company: Company, department: Department, outsider: Outsider) -> None:
    eva = outsider.actor("eva")
    for hours in (-2, 2):
        shifted = Outsider(company, "sales.localhost")
        shifted.documents, shifted.pair = outsider.documents, outsider.pair
        shifted.company = _Shifted(company, hours)  # type: ignore[assignment]
        response = await shifted.deliver(department, outsider.activity("Like", eva, "http://finance.localhost/o/1"))
        assert response.status_code == 401
    assert await stored(department) == 0


class _Shifted:
    """A company whose clock is wrong by some hours."""

    def __init__(self, company: Company, hours: int) -> None:
        self.clock = _ShiftedClock(company.clock, hours)


class _ShiftedClock:
    def __init__(self, clock: Any, hours: int) -> None:
        self._clock, self._hours = clock, hours

    def now(self) -> Any:
        return self._clock.now() + timedelta(hours=self._hours)


async def test_another_actor_than_the_signer(department: Department, outsider: Outsider) -> None:
    eva, fred = outsider.actor("eva"), outsider.actor("fred")
    outsider.documents[fred]["publicKey"]["publicKeyPem"] = outsider.pair.rsa_public
    activity = outsider.activity("Create", eva, outsider.note(eva, "not mine"))
    response = await outsider.deliver(department, activity, signer=fred)
    assert response.status_code == 401
    assert await stored(department) == 0


async def test_an_actor_of_another_server(company: Company, department: Department, outsider: Outsider) -> None:
    other = Outsider(company, "supplier.localhost")
    await department.db.write(peers.add, other.domain, "partner")
    eva, victim = outsider.actor("eva"), other.actor("victim")
    activity = outsider.activity("Create", victim, other.note(victim, "forged"))
    response = await outsider.deliver(department, activity, signer=eva)
    assert response.status_code in (400, 401)
    assert await stored(department) == 0


async def test_an_unknown_host_is_refused_without_any_request(company: Company, department: Department) -> None:
    stranger = Outsider(company, "elsewhere.localhost")
    eve = stranger.actor("eve")
    response = await stranger.deliver(department, stranger.activity("Follow", eve, department.origin + "/actor"))
    assert response.status_code == 403
    assert stranger.fetched == []
    assert company.network.requests == []
    assert await stored(department) == 0


async def test_a_removed_peer_is_an_unknown_host(department: Department, outsider: Outsider) -> None:
    eva = outsider.actor("eva")
    await department.db.write(peers.remove, outsider.domain)
    response = await outsider.deliver(department, outsider.activity("Follow", eva, department.origin + "/actor"))
    assert response.status_code == 403


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"type": "Create"}',
        b'{"type": "Create", "actor": 7}',
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"type": "Create", "actor": "javascript:alert(1)"}',
        b"[" * 50 + b"]" * 50,
        b"\xff\xfe",
    ],
)
async def test_malformed_is_400_and_never_500(department: Department, outsider: Outsider, content: bytes) -> None:
    eva = outsider.actor("eva")

    def alter(request: httpx.Request) -> httpx.Request:
        headers = signatures.sign(
            "POST", str(request.url), content, key_id=eva + "#main-key",
            private=keys.load_private(outsider.pair.rsa_private), dialect="cavage",
            now=outsider.company.clock.now(), headers=None,
        )  # fmt: skip
        return httpx.Request("POST", request.url, content=content, headers=headers)

    response = await outsider.deliver(department, {"actor": eva}, alter=alter)
    assert response.status_code in (400, 401), response.text
    assert "error" in response.json()
    assert await stored(department) == 0


async def test_oversized_is_413(department: Department, outsider: Outsider) -> None:
    eva = outsider.actor("eva")
    activity = outsider.activity("Create", eva, outsider.note(eva, "x" * 1_100_000))
    response = await outsider.deliver(department, activity)
    assert response.status_code == 413
    assert await stored(department) == 0


async def test_documents_are_for_signed_peers_only(
    company: Company, department: Department, outsider: Outsider
) -> None:
    eva = outsider.actor("eva")
    ann = await department.person("ann")
    post = await ann.publish("for the company")
    partner = Outsider(company, "supplier.localhost", number=4)
    sam = partner.actor("sam")
    await department.db.write(peers.add, partner.domain, "partner")
    for url in (ann.account.uri, post["uri"], ann.account.uri + "/outbox", ann.account.uri + "/followers"):
        assert (await outsider.read(department, url)).status_code == 401, url
    server = await outsider.read(department, department.origin + "/actor")
    assert (await outsider.read(department, server.json()["outbox"])).json()["totalItems"] == 0
    assert (await outsider.read(department, post["uri"], signer=eva)).status_code == 200
    hidden = await partner.read(department, post["uri"], signer=sam)
    missing = await partner.read(department, department.origin + "/o/1", signer=sam)
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json() == missing.json()


async def test_answers_stand_inside_a_post_for_those_who_may_see_them(
    company: Company, department: Department, outsider: Outsider
) -> None:
    eva = outsider.actor("eva")
    partner = Outsider(company, "supplier.localhost", number=4)
    sam = partner.actor("sam")
    await department.db.write(peers.add, partner.domain, "partner")
    ann = await department.person("ann")
    post = await ann.publish("who comes?", reach="partners")
    wide = await ann.publish("me", in_reply_to_id=post["id"], reach="partners")
    inner = await ann.publish("not said to partners", in_reply_to_id=post["id"], reach="company")
    for asker, signer, seen in ((outsider, eva, [wide["uri"], inner["uri"]]), (partner, sam, [wide["uri"]])):
        replies = (await asker.read(department, post["uri"], signer=signer)).json()["replies"]
        whole = (await asker.read(department, replies["id"], signer=signer)).json()
        page = (await asker.read(department, replies["first"]["id"], signer=signer)).json()
        assert replies["first"]["orderedItems"] == whole["orderedItems"] == page["orderedItems"] == seen
        assert replies["totalItems"] == whole["totalItems"] == len(seen)
        assert (page["type"], page["partOf"], page["id"]) == (
            "OrderedCollectionPage", replies["id"], replies["first"]["id"],
        )  # fmt: skip


async def test_a_deleted_post_is_a_tombstone(department: Department, outsider: Outsider) -> None:
    eva = outsider.actor("eva")
    ann = await department.person("ann")
    post = await ann.publish("gone soon")
    await ann.send("DELETE", f"/api/v1/statuses/{post['id']}")
    response = await outsider.read(department, post["uri"], signer=eva)
    assert response.status_code == 410
    assert json.loads(response.content)["type"] == "Tombstone"


async def test_nothing_is_learned_of_somebody_whose_key_does_not_hold(
    department: Department, outsider: Outsider
) -> None:
    eva = outsider.actor("eva", publicKey={"id": "http://elsewhere.localhost/key", "owner": "x", "publicKeyPem": "y"})
    response = await outsider.deliver(department, outsider.activity("Like", eva, department.origin + "/o/1"))
    assert response.status_code == 401
    known = await department.db.read(
        lambda tx: tx.conn.execute(sa.select(accounts.c.id).where(~accounts.c.local)).scalars().all()
    )
    assert len(known) <= 1
