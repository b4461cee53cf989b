"""Reports that go from one department to another."""

import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import reports, users
from tests.federation.world import Company

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
