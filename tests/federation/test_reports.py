"""Reports that go from one department to another, and those that come from other servers."""

import pytest
import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, reports, users
from tests.federation.world import Company, Outsider

pytestmark = pytest.mark.anyio


def promote(tx: Tx, account_id: int) -> None:
    tx.conn.execute(sa.update(users).where(users.c.account_id == account_id).values(role="moderator"))


def kept(tx: Tx) -> list[tuple[int, str, str]]:
    rows = tx.conn.execute(sa.select(reports.c.target_id, reports.c.comment, reports.c.status_ids))
    return [(row.target_id, row.comment, row.status_ids) for row in rows]


async def test_moderators_there_hear_of_it_from_the_server(company: Company) -> None:
    finance, sales = [await company.department(name) for name in ("finance", "sales")]
    await company.introduce(finance, sales)
    ann, sue, mo = await finance.person("ann"), await sales.person("sue"), await sales.person("mo")
    await sales.db.write(promote, mo.account.id)
    await ann.follow(sue.handle)
    await company.settle()
    post = await sue.publish("unkind words")
    await company.settle()
    (seen,) = await ann.home()
    made = await ann.post(
        "/api/v1/reports", account_id=seen["account"]["id"], status_ids=[seen["id"]], comment="look", forward=True
    )
    assert made["forwarded"] is True
    await company.settle()
    assert await sales.db.read(kept) == [(sue.account.id, "look", f"[{post['id']}]")]
    (told,) = await mo.get("/api/v1/notifications")
    assert told["type"] == "admin.report"
    assert told["account"]["acct"] == "finance.localhost@finance.localhost"
    assert told["report"]["status_ids"] == [post["id"]]
    assert await sue.notifications() == [("follow", ann.handle)]


async def test_a_report_from_elsewhere_names_what_its_server_may_have_of_whom_it_is_about(company: Company) -> None:
    """Else whoever reports could have moderators shown what was never meant for them, and ask what exists."""
    finance = await company.department("finance")
    ann, bob = await finance.person("ann"), await finance.person("bob")
    partner = Outsider(company, "partner.localhost")
    await finance.db.write(peers.add, partner.domain, "partner")
    eva = partner.actor("eva")
    seen = await ann.publish("for everybody", reach="public")
    inside = await ann.publish("for the company", reach="company")
    direct = await ann.publish("@bob between us", visibility="direct")
    other = await bob.publish("by somebody else", reach="public")
    things = [ann.account.uri, *(post["uri"] for post in (direct, inside, other, seen))]
    flag = partner.activity("Flag", eva, things, content="look", to=[ann.account.uri])
    await partner.deliver(finance, flag)
    await company.settle()
    assert await finance.db.read(kept) == [(ann.account.id, "look", f"[{seen['id']}]")]


async def test_reports_from_elsewhere_are_about_people_of_ours(company: Company) -> None:
    finance = await company.department("finance")
    ann, col = await finance.person("ann"), await finance.person("col")
    handle = await finance.group(ann, "robots", reach="public")
    partner = Outsider(company, "partner.localhost")
    await finance.db.write(peers.add, partner.domain, "partner")
    eva, dan = partner.actor("eva"), partner.actor("dan")
    await ann.find("dan@partner.localhost")

    def suspend(tx: Tx) -> str:
        tx.conn.execute(sa.update(accounts).where(accounts.c.id == col.account.id).values(suspended_at=tx.ms))
        return str(tx.conn.execute(sa.select(accounts.c.uri).where(accounts.c.username == "robots")).scalar_one())

    robots = await finance.db.write(suspend)
    assert await ann.find(handle)
    for uri in (dan, col.account.uri, robots, f"{finance.origin}/u/1", f"{partner.origin}/users/nobody"):
        await partner.deliver(finance, partner.activity("Flag", eva, uri, content="look", to=[]))
        await company.settle()
        assert await finance.db.read(kept) == [], uri
