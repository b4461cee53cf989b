"""Numbers for who looks after the department: by day, by kind, who stays; exact, and of nobody alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.clock import from_ms
from fedcorp.social import follows, interactions, receiving, statuses
from fedcorp.social.receiving import RemoteStatus
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import users
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio
MEASURES, DIMENSIONS, RETENTION = (f"/api/v1/admin/{name}" for name in ("measures", "dimensions", "retention"))
DAY = 86_400


def day(office: Office, back: int = 0) -> str:
    """A day as people write it, so many before today."""
    return (from_ms(office.clock.ms()) - timedelta(days=back)).strftime("%Y-%m-%d")


async def noon(office: Office) -> None:
    """Today at noon, or the next day's: what a test does then is all on one day."""
    now = from_ms(office.clock.ms())
    at = datetime(now.year, now.month, now.day, 12, tzinfo=UTC)
    office.clock.pass_(seconds=((at if at > now else at + timedelta(days=1)) - now).total_seconds())


async def measured(who: Person, office: Office, *keys: str, **about: Any) -> dict[str, tuple[str, str, list[str]]]:
    """total, total before, and by day, of yesterday and today."""
    found = await who.post(MEASURES, keys=keys, start_at=day(office, 1), end_at=day(office), **about)
    return {
        item["key"]: (item["total"], item["previous_total"], [each["value"] for each in item["data"]]) for item in found
    }


async def test_measures_count_what_was_done_on_each_day(office: Office) -> None:
    await noon(office)
    mo, ann, ben = await office.staff("mo"), await office.person("ann"), await office.person("ben")
    await ann.publish("long ago #chess")
    office.clock.pass_(seconds=2 * DAY)  # the two days before the span
    first = await ann.publish("yesterday #chess", reach="public")
    await ben.do("favourite", first)
    office.clock.pass_(seconds=DAY)
    await ben.publish("@ann today #chess", in_reply_to_id=first["id"])
    await ann.publish("@ann to myself", in_reply_to_id=first["id"])
    await ben.do("reblog", first)
    await ben.publish("@ann psst #chess", visibility="direct")
    report = await ben.post("/api/v1/reports", account_id=ann.id)
    await mo.post(f"/api/v1/admin/reports/{report['id']}/resolve")
    chess = {"id": "chess"}
    assert await measured(
        mo, office, "active_users", "new_users", "interactions", "opened_reports", "resolved_reports", "tag_accounts",
        "tag_uses", "nonsense", "active_users", tag_accounts=chess, tag_uses={"id": "Chess"},
    ) == {
        "active_users": ("2", "1", ["2", "2"]),
        "new_users": ("0", "3", ["0", "0"]),
        "interactions": ("3", "0", ["1", "2"]),
        "opened_reports": ("1", "0", ["0", "1"]),
        "resolved_reports": ("1", "0", ["0", "1"]),
        "tag_accounts": ("2", "1", ["1", "1"]),
        "tag_uses": ("2", "1", ["1", "1"]),
    }  # fmt: skip


async def test_measures_of_another_server(office: Office, ann: Person) -> None:
    await noon(office)
    mo, sue = await office.staff("mo"), await office.colleague("sue")
    remote = RemoteStatus(
        uri=f"{sue.uri}/1", url=None, account=sue, visibility="public", reach="company", content="<p>#chess</p>",
        text="#chess", language="nl", tags=("chess",), created_at=office.clock.ms(),
    )  # fmt: skip
    status = await office.db.write(receiving.receive, remote)
    assert status is not None
    await office.db.write(follows.follow, sue, ann.account, uri=f"{sue.uri}/follow")
    await ann.follow(str(sue.id))
    await office.db.write(follows.accept, ann.account.id, sue.id)
    await ann.post("/api/v1/reports", account_id=str(sue.id))
    own = await office.db.read(statuses.get, int((await ann.publish("mine"))["id"]))
    await office.db.write(interactions.favourite, sue, own, uri=f"{sue.uri}/like")
    names = ("accounts", "reports", "statuses", "follows", "followers", "media_attachments")
    keys = [f"instance_{name}" for name in names]
    for domain, number in (("sales.localhost", "1"), ("hr.localhost", "0"), ("finance.localhost", "0")):
        found = await measured(mo, office, *keys, **{key: {"domain": domain} for key in keys})
        assert {key: total for key, (total, _, _) in found.items()} == {
            **dict.fromkeys(keys[:-1], number), "instance_media_attachments": "0",
        }  # fmt: skip
    tagged = await measured(mo, office, "tag_servers", "interactions", tag_servers={"id": "chess"})
    assert (tagged["tag_servers"][0], tagged["interactions"][0]) == ("1", "1")
    for key in ("instance_reports", "tag_uses"):
        await mo.refused(400, "POST", MEASURES, json={"keys": [key]})


async def test_dimensions_say_what_there_is_most_of(office: Office, ann: Person, ben: Person) -> None:
    mo, sue = await office.staff("mo"), await office.colleague("sue")
    for person, language in ((ann, "nl"), (ben, "nl"), (ben, "en")):
        await person.publish("hello #chess", language=language)
    await ann.publish("psst", language="fr", visibility="direct")
    remote = RemoteStatus(
        uri=f"{sue.uri}/1", url=None, account=sue, visibility="public", reach="company", content="<p>x</p>", text="x",
        language="de", created_at=office.clock.ms(),
    )  # fmt: skip
    await office.db.write(receiving.receive, remote)
    keys = ["languages", "sources", "servers", "tag_servers", "tag_languages", "instance_languages"]
    about = {"tag_servers": {"id": "chess"}, "tag_languages": {"id": "chess"}}
    sales = {"instance_languages": {"domain": "sales.localhost"}}
    asked = [*keys, "instance_accounts", "space_usage", "software_versions"]
    found = await mo.post(DIMENSIONS, keys=asked, **about, **sales, instance_accounts={"domain": "sales.localhost"})
    parts = {item["key"]: [(part["key"], part["value"]) for part in item["data"]] for item in found}
    assert {key: parts[key] for key in keys} == {
        "languages": [("nl", "2"), ("en", "1")],
        "sources": [("fedcorp command line", "3")],
        "servers": [("sales.localhost", "1")],
        "tag_servers": [("finance.localhost", "3")],
        "tag_languages": [("nl", "2"), ("en", "1")],
        "instance_languages": [("de", "1")],
    }
    assert "instance_accounts" not in parts  # people are not ranked
    assert {key for key, _ in parts["software_versions"]} >= {"fedcorp", "python"}
    sizes = dict(parts["space_usage"])
    assert int(sizes.pop("media")) == 0
    assert int(next(iter(sizes.values()))) > 10_000
    few = await mo.post(DIMENSIONS, keys=["languages"], limit=1)
    assert [part["key"] for part in few[0]["data"]] == ["nl"]
    none = await mo.post(DIMENSIONS, keys=["languages"], start_at="2001-01-01", end_at="2001-02-01")
    assert none == [{"key": "languages", "data": []}]


def _joined(tx: Tx, at: dict[int, int]) -> None:
    for account_id, ms in at.items():
        tx.conn.execute(sa.update(users).where(users.c.account_id == account_id).values(created_at=ms))


async def test_retention_counts_who_came_and_stayed(office: Office, ann: Person, ben: Person) -> None:
    await noon(office)
    mo, now = await office.staff("mo"), office.clock.ms()
    ago = {ann.account.id: now - 2 * DAY * 1000, ben.account.id: now - 2 * DAY * 1000, mo.account.id: now - 400 * DAY}
    await office.db.write(_joined, ago)
    await ann.publish("still here")  # today
    found = await mo.post(RETENTION, start_at=day(office, 2), end_at=day(office), frequency="day")
    shape = [[(each["value"], each["rate"]) for each in cohort["data"]] for cohort in found]
    assert shape == [[("2", 1.0), ("1", 0.5), ("1", 0.5)], [("0", 0.0), ("0", 0.0)], [("1", 1.0)]]
    assert [cohort["period"][:10] for cohort in found] == [day(office, back) for back in (2, 1, 0)]
    months = await mo.post(RETENTION, start_at="2001-11-30", end_at="2002-01-01", frequency="month")
    assert [cohort["period"][:10] for cohort in months] == ["2001-11-01", "2001-12-01", "2002-01-01"]
    assert [len(cohort["data"]) for cohort in months] == [3, 2, 1]
    assert await mo.post(RETENTION, start_at="2001-01-01") == []
    for start, end in (("2001-01-01", "2026-01-01"), ("2026-01-02", "2026-01-01")):
        for path in (RETENTION, MEASURES):
            body = {"start_at": start, "end_at": end, "frequency": "day", "keys": ["new_users"]}
            await mo.refused(422, "POST", path, json=body)


async def test_hashtags_that_are_much_used(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    await ann.publish("hello #chess")
    assert await mo.get("/api/v1/admin/trends/tags") == [], "of one person nothing is said"
    await ben.publish("me too #chess")
    (tag,) = await mo.get("/api/v1/admin/trends/tags")
    assert (tag["name"], tag["history"][0]["uses"], tag["requires_review"]) == ("chess", "2", False)
    await ann.refused(403, "GET", "/api/v1/admin/trends/tags")
