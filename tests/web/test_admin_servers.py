"""Which servers may federate, said by administrators in their apps: allowed domains are peers, blocked ones barred."""

from pathlib import Path

import httpx
import pytest

from fedcorp.company import audit, peers
from fedcorp.storage.database import Tx
from tests.web.instance import Caller, MovableClock, Office, running

pytestmark = pytest.mark.anyio
ALLOWS, BLOCKS, PUBLIC = "/api/v1/admin/domain_allows", "/api/v1/admin/domain_blocks", "/api/v1/instance/domain_blocks"
SALES = "sales.localhost"


async def tier(office: Office, domain: str = SALES) -> str | None:
    return await office.db.read(peers.find_tier, domain)


def audited(tx: Tx) -> list[tuple[str, str, str, str]]:
    found = audit.listing(tx, 100, act="peer.")
    return [(entry.actor, entry.act, entry.subject, entry.reason) for entry in reversed(found)]


async def test_an_allowed_domain_is_a_peer_and_one_that_is_taken_away_is_barred(office: Office) -> None:
    ada = await office.staff("ada", "admin")
    assert await tier(office) is None
    made = await ada.post(ALLOWS, domain=" Sales.LOCALHOST. ")
    assert (made["domain"], made["tier"], await tier(office)) == (SALES, "partner", "partner")
    assert await ada.post(ALLOWS, domain=SALES) == made
    assert (await ada.post(ALLOWS, domain=SALES, tier="department"))["id"] == made["id"]
    assert await tier(office) == "department"
    assert (await ada.post(ALLOWS, domain=SALES))["tier"] == "department"  # nothing is taken away by the way
    other = await ada.post(ALLOWS, domain="hr.localhost:8001")
    assert await ada.ids(ALLOWS) == [other["id"], made["id"]]
    assert await ada.ids(ALLOWS, limit=1, max_id=other["id"]) == [made["id"]]
    assert (await ada.get(f"{ALLOWS}/{made['id']}"))["tier"] == "department"
    assert await ada.delete(f"{ALLOWS}/{made['id']}") == {}
    assert await tier(office) is None
    await ada.refused(404, "GET", f"{ALLOWS}/{made['id']}")
    await ada.refused(404, "DELETE", f"{ALLOWS}/{made['id']}")
    assert [item["domain"] for item in await ada.get(BLOCKS)] == [SALES]
    assert (await ada.post(ALLOWS, domain=SALES))["id"] == made["id"]
    assert (await ada.get(BLOCKS), await tier(office)) == ([], "partner")
    who = ada.account.uri
    assert await office.db.read(audited) == [
        (who, "peer.add", SALES, "partner"),
        (who, "peer.add", SALES, "department"),
        (who, "peer.add", "hr.localhost:8001", "partner"),
        (who, "peer.remove", SALES, ""),
        (who, "peer.add", SALES, "partner"),
    ]


async def test_a_blocked_domain_is_barred_until_it_is_a_stranger_again(office: Office) -> None:
    ada = await office.staff("ada", "admin")
    await ada.post(ALLOWS, domain=SALES, tier="department")
    said = {"private_comment": "they spam", "public_comment": "unwanted", "obfuscate": True}
    made = await ada.post(BLOCKS, domain=SALES, severity="suspend", **said)
    assert {name: made[name] for name in said} == said
    assert (await tier(office), await ada.get(ALLOWS)) == (None, [])
    again = await ada.ask("POST", BLOCKS, json={"domain": SALES})
    assert (again.status_code, again.json()["existing_domain_block"]) == (422, made)
    shown = (await ada.get(PUBLIC))[0]
    assert (shown["domain"], shown["comment"]) == ("sal**.******ost", "unwanted")
    assert shown["digest"] == made["digest"]
    changed = await ada.put(f"{BLOCKS}/{made['id']}", obfuscate=False)
    assert (changed["private_comment"], changed["obfuscate"]) == ("they spam", False)
    assert (await ada.get(PUBLIC))[0]["domain"] == SALES
    assert await office.anybody.get(PUBLIC) == []  # who the peers are is not told either
    assert await ada.delete(f"{BLOCKS}/{made['id']}") == {}
    assert (await ada.get(BLOCKS), await ada.get(ALLOWS), await tier(office)) == ([], [], None)
    acts = [(act, reason) for _, act, _, reason in await office.db.read(audited)]
    assert acts == [("peer.add", "department"), ("peer.bar", "they spam"), ("peer.comment", ""), ("peer.unbar", "")]


async def test_in_an_open_department_only_a_bar_keeps_a_stranger_out(tmp_path: Path) -> None:
    async with running(tmp_path, federation={"mode": "open"}) as instance:
        office = Office(instance, MovableClock())
        ada = await office.staff("ada", "admin")
        assert await tier(office) == "unknown"
        made = await ada.post(BLOCKS, domain=SALES)
        assert await tier(office) is None
        assert [item["domain"] for item in await office.anybody.get(PUBLIC)] == [SALES]
        await ada.delete(f"{BLOCKS}/{made['id']}")
        assert (await tier(office), await ada.get(ALLOWS)) == ("unknown", [])


async def test_who_was_a_stranger_in_open_mode_is_none_of_a_closed_department(tmp_path: Path) -> None:
    async with running(tmp_path) as instance:
        office = Office(instance, MovableClock())
        ada = await office.staff("ada", "admin")
        made = await ada.post(BLOCKS, domain=SALES)
        await ada.delete(f"{BLOCKS}/{made['id']}")  # leaves a row with the tier unknown, as open mode does
        assert await tier(office) is None
        assert await office.db.read(peers.listing) == []
        assert await office.db.read(peers.find_tiers, [SALES]) == {SALES: None}


async def test_what_is_no_domain_or_less_than_a_bar_is_refused(office: Office) -> None:
    ada = await office.staff("ada", "admin")
    for path in (ALLOWS, BLOCKS):
        assert await ada.refused(422, "POST", path) == "Validation failed: Domain can't be blank"
        for domain in ("not a domain", "finance.localhost", "https://x.example"):
            await ada.refused(422, "POST", path, json={"domain": domain})
    await ada.refused(400, "POST", ALLOWS, json={"domain": SALES, "tier": "unknown"})
    for severity in ("silence", "noop"):
        await ada.refused(422, "POST", BLOCKS, json={"domain": SALES, "severity": severity})
    await ada.refused(422, "POST", BLOCKS, json={"domain": SALES, "public_comment": "x" * 2001})
    assert (await ada.get(ALLOWS), await ada.get(BLOCKS)) == ([], [])


async def test_moderators_do_not_say_who_may_federate(office: Office) -> None:
    mo: Caller = await office.staff("mo")
    for method, path in (("GET", ALLOWS), ("POST", ALLOWS), ("GET", BLOCKS), ("POST", BLOCKS)):
        answer: httpx.Response = await mo.ask(method, path)
        assert (answer.status_code, answer.json()["error"]) == (403, "This action is not allowed")
