"""Reports: what may be named, whom they are told to, and what they tell of whoever made them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import activities, audit, deliveries
from tests.web.instance import MovableClock, Office, Person, running

pytestmark = pytest.mark.anyio
PATH = "/api/v1/reports"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A department with two rules."""
    clock = MovableClock()
    async with running(tmp_path, clock, rules=["Be kind.", "No secrets."]) as instance:
        yield Office(instance, clock)


def flags(tx: Tx) -> list[tuple[str, dict[str, Any]]]:
    """(domain, Flag) of what goes to other servers."""
    statement = sa.select(deliveries.c.domain, activities.c.body).join(
        activities, activities.c.id == deliveries.c.activity_id
    )
    return [
        (row.domain, orjson.loads(row.body)) for row in tx.conn.execute(statement.where(activities.c.type == "Flag"))
    ]


async def test_a_report_is_kept_and_told_to_moderators(office: Office, ann: Person, ben: Person) -> None:
    mo, ada = await office.staff("mo"), await office.staff("ada", "admin")
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
    mo, ada = await office.staff("mo"), await office.staff("ada", "admin")
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


# -- working off -----------------------------------------------------------------------------------------------------

ADMIN = "/api/v1/admin/reports"
ACTS = ("assign_to_self", "unassign", "resolve", "reopen")


def audited(tx: Tx) -> list[tuple[str, str, str]]:
    rows = tx.conn.execute(sa.select(audit.c.actor, audit.c.act, audit.c.subject).order_by(audit.c.seq))
    return [(row.actor, row.act, row.subject) for row in rows if row.act.startswith("report.")]


async def test_moderators_work_reports_off_and_every_act_is_kept(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    await ann.follow(ben)
    post = await ben.publish("psst", visibility="private")
    made = await ann.post(PATH, account_id=ben.id, status_ids=[post["id"]], rule_ids=["1"])
    (waiting,) = await mo.get(ADMIN)
    assert (waiting["account"]["username"], waiting["target_account"]["email"]) == ("ann", "ben@example.com")
    assert [item["id"] for item in waiting["statuses"]] == [post["id"]]
    assert waiting["rules"] == [{"id": "1", "text": "Be kind.", "hint": ""}]
    path = f"{ADMIN}/{made['id']}"
    assert await mo.get(path) == waiting
    assert (await mo.post(f"{path}/assign_to_self"))["assigned_account"]["username"] == "mo"
    assert (await mo.post(f"{path}/unassign"))["assigned_account"] is None
    done = await mo.post(f"{path}/resolve")
    assert (done["action_taken"], done["action_taken_by_account"]["username"]) == (True, "mo")
    assert await mo.get(ADMIN) == []
    assert await mo.ids(ADMIN, resolved="true") == [made["id"]]
    assert (await mo.post(f"{path}/reopen"))["action_taken"] is False
    changed = await mo.put(path, category="spam")
    assert (changed["category"], changed["rules"]) == ("spam", [])
    changed = await mo.put(path, category="violation", rule_ids=["2"])
    assert [rule["text"] for rule in changed["rules"]] == ["No secrets."]
    await mo.refused(422, "PUT", path, json={"rule_ids": ["9"]})
    acts = ["assign", "unassign", "resolve", "reopen", "change", "change"]
    assert await office.db.read(audited) == [(mo.account.uri, f"report.{act}", made["id"]) for act in acts]


async def test_reports_are_found_by_who_and_about_whom_in_pages(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    ids = [(await ann.post(PATH, account_id=ben.id))["id"] for _ in range(3)]
    back = (await ben.post(PATH, account_id=ann.id))["id"]
    assert await mo.ids(ADMIN) == [back, *reversed(ids)]
    assert await mo.ids(ADMIN, account_id=ann.id) == ids[::-1]
    assert await mo.ids(ADMIN, target_account_id=ann.id) == [back]
    assert await mo.ids(ADMIN, limit=2, max_id=back) == [ids[2], ids[1]]
    assert await mo.ids(ADMIN, limit=1, min_id=ids[0]) == [ids[1]]


async def test_scope_and_role_must_both_be_there(office: Office, ann: Person, ben: Person) -> None:
    mo, made = await office.staff("mo"), await ann.post(PATH, account_id=ben.id)
    path = f"{ADMIN}/{made['id']}"
    scoped = await office.app(ben, "read write admin:read admin:write")
    callers = (scoped, await office.app(mo, "read write"), ann)
    for caller in callers:
        for asked in (ADMIN, path, f"{ADMIN}/1"):
            await caller.refused(403, "GET", asked)
        for act in ACTS:
            await caller.refused(403, "POST", f"{path}/{act}")
        await caller.refused(403, "PUT", path, json={"category": "spam"})
    reading = await office.app(mo, "admin:read:reports")
    assert await reading.ids(ADMIN) == [made["id"]]
    await reading.refused(403, "POST", f"{path}/resolve")
    assert await office.db.read(audited) == []


async def test_a_report_about_oneself_is_not_found(office: Office, ann: Person) -> None:
    mo, ada = await office.staff("mo"), await office.staff("ada", "admin")
    made = await ann.post(PATH, account_id=mo.id)
    assert (await mo.get(ADMIN), await ada.ids(ADMIN)) == ([], [made["id"]])
    await mo.refused(404, "GET", f"{ADMIN}/{made['id']}")
    for act in ACTS:
        await mo.refused(404, "POST", f"{ADMIN}/{made['id']}/{act}")
