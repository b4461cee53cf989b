"""Keys change while others know the old ones: nothing that waits is lost, and nothing old is believed for ever."""

import re
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.activitypub.processor import undefined_terms
from fedcorp.company import peers
from fedcorp.social import accounts
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import audit
from tests.federation.test_departments import friends
from tests.federation.world import Company, Outsider, Person, pair
from tests.wire.server import outcomes

pytestmark = pytest.mark.anyio
DAY_MS = 86_400_000


def key_of(request: httpx.Request) -> str:
    match = re.search(r'key[iI]d="([^"]+)"', request.headers.get("signature-input") or request.headers["signature"])
    assert match
    return match[1]


async def rotate(person: Person, *, stolen: bool = False) -> None:
    def work(tx: Tx) -> None:
        accounts.rotate_keys(tx, accounts.get(tx, person.account.id), pair(7), stolen=stolen)

    await person.department.db.write(work)


def posts(company: Company, host: str) -> list[httpx.Request]:
    return [one for one in company.network.requests if one.method == "POST" and one.url.host == host]


async def test_what_was_made_before_is_signed_with_the_old_key_and_then_the_new_one_is_known(company: Company) -> None:
    ann, bo = await friends(company)
    company.network.cut.add(bo.department.domain)
    await ann.publish("before")
    await company.settle()
    company.clock.shift_ms += 1000
    await rotate(ann)
    await ann.publish("after")
    await company.settle()
    company.network.cut.clear()
    company.network.requests.clear()
    await company.retry()
    assert (await bo.texts())[:2] == ["after", "before"]
    ids = [key_of(one) for one in posts(company, bo.department.domain)]
    old, new = ids[0], ids[-1]
    assert ids == [old, old, new], "the post, the word of the new keys, and the next post"
    assert old != new
    fetched = [one for one in company.network.requests if one.method == "GET" and one.url.host == "finance.localhost"]
    assert len(fetched) <= 1, "told while the last post was at the door, the new key was asked for once at most"


async def test_who_missed_the_word_asks(company: Company) -> None:
    """A server that never heard of the change finds the new key where the actor lists it."""
    ann, bo = await friends(company)
    await rotate(ann)
    await company.settle()

    def forget(tx: Tx) -> None:
        tx.conn.exec_driver_sql(f"DELETE FROM keys WHERE id LIKE '{ann.account.uri}#%'")

    await bo.department.db.write(forget)
    await ann.publish("hello")
    await company.settle()
    assert (await bo.texts())[0] == "hello"


async def test_the_old_keys_are_listed_for_eight_days(company: Company) -> None:
    ann, bo = await friends(company)
    reader = Outsider(company, "social.localhost")
    carl = reader.actor("carl")
    await ann.department.db.write(peers.add, reader.domain, "partner")

    async def document() -> dict[str, Any]:
        answer = await reader.read(ann.department, ann.account.uri, signer=carl)
        found: dict[str, Any] = answer.json()
        return found

    before = await document()
    await rotate(ann)
    after = await document()
    assert isinstance(after["publicKey"], dict), "strict readers want one"
    assert after["publicKey"]["id"] not in (before["publicKey"]["id"], None)
    assert undefined_terms(after) == []
    listed = {item["id"]: item for item in after["assertionMethod"]}
    old = {before["publicKey"]["id"], before["assertionMethod"][0]["id"]}
    assert old < set(listed)
    assert all(item["type"] == "Multikey" and "expires" in listed[id_] for id_ in old for item in [listed[id_]])
    assert (
        keys.public_pem(keys.load_public(listed[before["publicKey"]["id"]]["publicKeyMultibase"]))
        == (before["publicKey"]["publicKeyPem"])
    )
    company.clock.shift_ms += 8 * DAY_MS + 1
    assert len((await document())["assertionMethod"]) == 1
    assert bo.account.uri  # the other half of the pair of friends keeps quiet


async def test_what_waits_longer_than_old_keys_hold_is_signed_with_the_new_one(company: Company) -> None:
    ann, bo = await friends(company)
    company.network.cut.add(bo.department.domain)
    await ann.publish("while you were away")
    await company.settle()
    await rotate(ann)
    company.clock.shift_ms += 9 * DAY_MS
    company.network.cut.clear()
    await company.retry()
    assert (await bo.texts())[0] == "while you were away"


async def test_stolen_keys_count_no_more(company: Company) -> None:
    ann, bo = await friends(company)
    old = accounts.signing_keys
    stolen = await ann.department.db.read(lambda tx: old(tx, ann.account.id)["rsa"])
    await ann.publish("before")
    await rotate(ann, stolen=True)
    await company.settle()
    assert (await bo.texts())[0] == "before", "signed with the new key"
    thief = Outsider(company, "thief.localhost")
    thief.key_name = "#main-key"
    thief.pair = pair()
    assert stolen.id == ann.account.uri + "#main-key"
    note = thief.note(ann.account.uri, "I was hacked", id=f"{ann.account.uri}/forged")
    document = thief.activity("Create", ann.account.uri, note, id=f"{ann.account.uri}/forged/create")
    assert (await thief.deliver(bo.department, document)).status_code == 401


async def test_keys_of_elsewhere_that_are_revoked_or_over_do_not_count(company: Company) -> None:
    finance = await company.department("finance")
    server = Outsider(company, "social.localhost")
    await finance.db.write(peers.add, server.domain, "partner")
    carl = server.actor("carl")
    like = server.activity("View", carl, carl)
    for more, status in (
        ({"revoked": "2026-01-01T00:00:00Z"}, 401),
        ({"expires": "2026-01-01T00:00:00Z"}, 401),
        ({}, 202),
    ):
        server.actor("carl")
        server.documents[carl]["publicKey"] |= more
        assert (await server.deliver(finance, like)).status_code == status, more
        company.clock.shift_ms += 600_000
    server.documents[carl]["publicKey"] |= {"expires": "2999-01-01T00:00:00Z"}


async def test_all_keys_at_once_leave_a_trace(company: Company) -> None:
    finance = await company.department("finance")
    server = Outsider(company, "social.localhost")
    await finance.db.write(peers.add, server.domain, "partner")
    carl = server.actor("carl")
    await server.deliver(finance, server.activity("View", carl, carl))
    server.key_name, server.pair = "#other-key", pair(8)
    server.actor("carl", publicKey={"id": carl + "#other-key", "owner": carl, "publicKeyPem": pair(8).rsa_public},
                 assertionMethod=[])  # fmt: skip
    assert (await server.deliver(finance, server.activity("View", carl, carl))).status_code == 202
    await company.settle()
    assert [item[1] for item in await outcomes(finance)] == ["ignored", "ignored"]

    def noted(tx: Tx) -> list[str]:
        return list(tx.conn.execute(sa.select(audit.c.subject).where(audit.c.act == "keys.replaced")).scalars())

    assert await finance.db.read(noted) == [carl]
