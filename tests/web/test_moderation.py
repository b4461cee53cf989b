"""Accounts in the administrators' API: who is listed, what suspending does, and who may do it to whom."""

import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import audit
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio
PATH = "/api/v1/admin/accounts"
LIST = "/api/v2/admin/accounts"


def audited(tx: Tx) -> list[tuple[str, str, str, str]]:
    rows = tx.conn.execute(sa.select(audit).where(audit.c.act.startswith("account.")).order_by(audit.c.seq))
    return [(row.actor, row.act, row.subject, row.reason) for row in rows]


async def test_accounts_are_found_in_every_way(office: Office, ann: Person, ben: Person) -> None:
    mo, sue = await office.staff("mo"), str((await office.colleague("sue")).id)
    await ann.patch("/api/v1/accounts/update_credentials", display_name="Ann of Finance")
    assert set(await mo.ids(LIST)) == {ann.id, ben.id, mo.id, sue}
    for asked, wanted in (
        ({"origin": "remote"}, [sue]),
        ({"permissions": "staff"}, [mo.id]),
        ({"username": "AN"}, [ann.id]),
        ({"username": "a%"}, []),
        ({"display_name": "of fin"}, [ann.id]),
        ({"by_domain": "sales.localhost"}, [sue]),
        ({"email": "Ben@example.com"}, [ben.id]),
        ({"status": "suspended"}, []),
        ({"status": "silenced"}, []),
        ({"limit": 1, "max_id": ben.id}, [ann.id]),
    ):
        assert await mo.ids(LIST, **asked) == wanted, asked
    assert await mo.ids(PATH, remote="true") == [sue]
    assert await mo.ids(PATH, staff="true") == [mo.id]
    one = await mo.get(f"{PATH}/{ann.id}")
    assert (one["email"], one["suspended"], one["domain"]) == ("ann@example.com", False, None)
    await mo.refused(404, "GET", f"{PATH}/1")


async def test_whoever_is_suspended_is_gone_until_shown_again(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    post = await ben.publish("hello")
    report = await ann.post("/api/v1/reports", account_id=ben.id)
    await mo.post(f"{PATH}/{ben.id}/action", type="suspend", text="spam")
    await mo.post(f"{PATH}/{ben.id}/action", type="suspend", text="again")
    assert await mo.ids(LIST, status="suspended") == [ben.id]
    await ann.refused(404, "GET", f"/api/v1/statuses/{post['id']}")
    await ann.refused(404, "GET", f"/api/v1/accounts/{ben.id}")
    await ben.refused(401, "GET", "/api/v1/timelines/home")
    dealt = await mo.get(f"/api/v1/admin/reports/{report['id']}")
    assert (dealt["action_taken"], dealt["target_account"]["suspended"]) == (True, True)
    assert (await mo.post(f"{PATH}/{ben.id}/unsuspend"))["suspended"] is False
    await ann.get(f"/api/v1/statuses/{post['id']}")
    await ben.get("/api/v1/timelines/home")
    acts = [("account.suspend", "spam"), ("account.unsuspend", "")]
    assert await office.db.read(audited) == [(mo.account.uri, act, ben.account.uri, why) for act, why in acts]


async def test_who_may_do_it_to_whom(office: Office, ann: Person, ben: Person) -> None:
    mo, ada, eve = await office.staff("mo"), await office.staff("ada", "admin"), await office.staff("eve")
    scoped = await office.app(ben, "admin:read admin:write")
    for caller in (scoped, await office.app(mo, "read write admin:read"), ann):
        for verb in ("action", "unsuspend"):
            await caller.refused(403, "POST", f"{PATH}/{ann.id}/{verb}", json={"type": "suspend"})
    for path in (LIST, PATH, f"{PATH}/{ann.id}", f"{PATH}/1"):
        await scoped.refused(403, "GET", path)
    for person in (ada, eve):
        await mo.refused(403, "POST", f"{PATH}/{person.id}/action", json={"type": "suspend"})
    await mo.refused(422, "POST", f"{PATH}/{mo.id}/action", json={"type": "suspend"})
    group = await office.group(ann, "chess")
    await mo.refused(422, "POST", f"{PATH}/{group}/action", json={"type": "suspend"})
    for kind in ("silence", "disable", ""):
        await mo.refused(422, "POST", f"{PATH}/{ann.id}/action", json={"type": kind})
    assert await office.db.read(audited) == []
    await ada.post(f"{PATH}/{mo.id}/action", type="suspend")
    await mo.refused(401, "GET", LIST)
