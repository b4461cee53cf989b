"""Reports: what may be named, whom they are told to, and what they tell of whoever made them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import activities, deliveries, users
from tests.web.instance import MovableClock, Office, Person, running

pytestmark = pytest.mark.anyio
PATH = "/api/v1/reports"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A department with two rules."""
    clock = MovableClock()
    async with running(tmp_path, clock, rules=["Be kind.", "No secrets."]) as instance:
        yield Office(instance, clock)


def promote(tx: Tx, person: Person, role: str) -> None:
    tx.conn.execute(sa.update(users).where(users.c.account_id == person.account.id).values(role=role))


async def staff(office: Office, name: str, role: str = "moderator") -> Person:
    """Somebody who looks after the department."""
    person = await office.person(name, "read write follow push admin:read admin:write")
    await office.db.write(promote, person, role)
    return person


def flags(tx: Tx) -> list[tuple[str, dict[str, Any]]]:
    """(domain, Flag) of what goes to other servers."""
    statement = sa.select(deliveries.c.domain, activities.c.body).join(
        activities, activities.c.id == deliveries.c.activity_id
    )
    return [
        (row.domain, orjson.loads(row.body)) for row in tx.conn.execute(statement.where(activities.c.type == "Flag"))
    ]


async def test_a_report_is_kept_and_told_to_moderators(office: Office, ann: Person, ben: Person) -> None:
    mo, ada = await staff(office, "mo"), await staff(office, "ada", "admin")
    post = await ben.publish("buy this")
    made = await ann.post(PATH, account_id=ben.id, status_ids=[post["id"]], comment=" look ", category="spam")
    assert (made["category"], made["comment"], made["status_ids"]) == ("spam", "look", [post["id"]])
    assert (made["rule_ids"], made["forwarded"], made["action_taken"]) == ([], False, False)
    assert made["target_account"]["id"] == ben.id
    for person in (mo, ada):
        (told,) = await person.get("/api/v1/notifications")
        assert (told["type"], told["account"]["acct"], told["report"]["id"]) == ("admin.report", "ann", made["id"])
        (group,) = (await person.get("/api/v2/notifications"))["notification_groups"]
        assert group["report"]["id"] == made["id"]
    for person in (ann, ben):
        assert await person.notified() == []


async def test_whom_a_report_is_about_hears_nothing_and_a_block_hides_none(office: Office, ann: Person) -> None:
    mo, ada = await staff(office, "mo"), await staff(office, "ada", "admin")
    await ann.towards(ada, "block")
    await ann.post(PATH, account_id=mo.id)
    assert await mo.notified() == []
    assert await ada.notified() == [("admin.report", "ann")]


async def test_rules_are_named_by_number(office: Office, ann: Person, ben: Person) -> None:
    made = await ann.post(PATH, account_id=ben.id, rule_ids=["2"], category="spam")
    assert (made["category"], made["rule_ids"]) == ("violation", ["2"])
    for values in ({"rule_ids": ["3"]}, {"category": "violation"}, {"rule_ids": ["x"]}):
        await ann.refused(422, "POST", PATH, json={"account_id": ben.id, **values})


async def test_only_posts_that_the_reporter_sees_and_the_target_wrote(office: Office, ann: Person, ben: Person) -> None:
    hidden, own = await ben.publish("secret", visibility="private"), await ann.publish("mine")
    for id_ in (hidden["id"], own["id"], "1"):
        await ann.refused(404, "POST", PATH, json={"account_id": ben.id, "status_ids": [id_]})
    await ann.follow(ben)
    await ann.post(PATH, account_id=ben.id, status_ids=[hidden["id"]])
    await ann.refused(404, "POST", PATH, json={"account_id": "1"})
    await ann.refused(400, "POST", PATH, json={})
    await ann.refused(422, "POST", PATH, json={"account_id": ann.id})
    await ann.refused(422, "POST", PATH, json={"account_id": ben.id, "comment": "x" * 1001})


async def test_it_goes_on_without_the_name_of_the_reporter(office: Office, ann: Person, ben: Person) -> None:
    sue = await office.colleague("sue")
    kept = await ann.post(PATH, account_id=str(sue.id), comment="rude")
    at_home = await ann.post(PATH, account_id=ben.id, comment="rude", forward=True)
    assert (kept["forwarded"], at_home["forwarded"]) == (False, False)
    made = await ann.post(PATH, account_id=str(sue.id), comment="rude", forward=True)
    assert made["forwarded"] is True
    await office.settle()
    ((domain, flag),) = await office.db.read(flags)
    assert (domain, flag["object"], flag["content"]) == ("sales.localhost", [sue.uri], "rude")
    assert flag["actor"] == "http://finance.localhost/actor"
    words = orjson.dumps(flag).decode()
    assert ann.account.uri not in words
    assert "/@ann" not in words
    assert "proof" not in flag
