"""Notifications and markers: who is told, once, and how it is listed."""

import pytest
import sqlalchemy as sa

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import interactions, markers, notifications
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import blocks, mutes, streams
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio


async def tell(department: Department, to: Account, by: Account, kind: str = "follow", cause: str = "c") -> None:
    await department.do(notifications.notify, account_id=to.id, kind=kind, from_id=by.id, cause=cause)


async def told(department: Department, to: Account, page: Page = Page()) -> list[str]:  # noqa: B008 - frozen
    return [row.kind for row in await department.see(notifications.listing, to.id, page)]


async def test_one_cause_is_told_once_and_streamed(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    await tell(department, ann, bob)
    await tell(department, ann, bob)
    (row,) = await department.see(notifications.listing, ann.id, Page())
    assert await department.see(_streamed) == [row.seq]
    assert await department.see(notifications.find, ann.id, row.seq) == row
    assert await department.see(notifications.find, bob.id, row.seq) is None


def _streamed(tx: Tx) -> list[int | None]:
    return list(
        tx.conn.execute(sa.select(streams.c.notification_seq).where(streams.c.kind == "notification")).scalars()
    )


async def test_nobody_hears_of_oneself_but_of_ones_poll(department: Department) -> None:
    ann, far = await department.person("ann"), await department.stranger("far")
    await tell(department, ann, ann)
    await tell(department, far, ann)
    assert await told(department, ann) == []
    await tell(department, ann, ann, "poll")
    assert await told(department, ann) == ["poll"]


@pytest.mark.parametrize("blocker", [0, 1])
async def test_block_stands_between(department: Department, blocker: int) -> None:
    pair = [await department.person("ann"), await department.person("bob")]
    ann, bob = pair
    await tell(department, ann, bob, cause="before")
    values = {"id": 1, "account_id": pair[blocker].id, "target_id": pair[1 - blocker].id, "created_at": 0}
    await department.do(lambda tx: tx.conn.execute(sa.insert(blocks).values(values)))
    await tell(department, ann, bob, cause="after")
    assert await told(department, ann) == []


async def test_mute_covers_notifications_until_it_ends(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    values = {"id": 1, "account_id": ann.id, "target_id": bob.id, "notifications": True, "created_at": 0}
    values["expires_at"] = department.clock.now_ms + 60_000
    await department.do(lambda tx: tx.conn.execute(sa.insert(mutes).values(values)))
    await tell(department, ann, bob, cause="1")
    department.clock.pass_(seconds=61)
    await tell(department, ann, bob, cause="2")
    assert await told(department, ann) == ["follow"]


async def test_muted_thread_is_silent(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    post = await department.post(ann)
    await department.do(interactions.mute_thread, ann.id, post.thread_id)
    await department.do(interactions.favourite, bob, post)
    assert await told(department, ann) == []
    await department.do(interactions.unmute_thread, ann.id, post.thread_id)
    await department.do(interactions.reblog, bob, post)
    assert await told(department, ann) == ["reblog"]


async def test_filters_and_pages(department: Department) -> None:
    ann, bob, cem = [await department.person(name) for name in ("ann", "bob", "cem")]
    for number, (by, kind) in enumerate([(bob, "follow"), (cem, "mention"), (bob, "status"), (cem, "update")]):
        await tell(department, ann, by, kind, str(number))
    rows = await department.see(notifications.listing, ann.id, Page())
    assert [row.kind for row in rows] == ["update", "status", "mention", "follow"]
    assert await told(department, ann, Page(2, max_id=rows[0].seq)) == ["status", "mention"]
    assert await told(department, ann, Page(2, since_id=rows[3].seq)) == ["update", "status"]
    assert await told(department, ann, Page(2, min_id=rows[3].seq)) == ["status", "mention"]
    some = await department.see(notifications.listing, ann.id, Page(), types=("status", "update"), from_account=cem.id)
    assert [row.kind for row in some] == ["update"]
    rest = await department.see(notifications.listing, ann.id, Page(), exclude_types=("follow", "update"))
    assert [row.kind for row in rest] == ["status", "mention"]


async def test_groups(department: Department) -> None:
    ann, bob, cem = [await department.person(name) for name in ("ann", "bob", "cem")]
    post = await department.post(ann)
    for who in (bob, cem):
        await department.do(interactions.favourite, who, post)
    await tell(department, ann, bob, "mention", "m")
    single, pair = await department.see(notifications.grouped, ann.id, Page())
    assert (single.kind, single.count, single.group_key) == ("mention", 1, f"ungrouped-{single.most_recent}")
    assert (pair.kind, pair.count, pair.status_id) == ("favourite", 2, post.id)
    assert pair.sample_account_ids == [cem.id, bob.id]
    assert pair.page_min < pair.page_max == pair.most_recent < single.most_recent
    assert await department.see(notifications.get_group, ann.id, pair.group_key) == pair
    assert await department.see(notifications.group_accounts, ann.id, single.group_key) == [bob.id]
    (next_,) = await department.see(notifications.grouped, ann.id, Page(1, max_id=single.most_recent))
    assert next_.group_key == pair.group_key
    apart = await department.see(notifications.grouped, ann.id, Page(), grouped_types=())
    assert [group.count for group in apart] == [1, 1, 1]
    await department.do(notifications.dismiss_group, ann.id, pair.group_key)
    assert await told(department, ann) == ["mention"]
    with pytest.raises(NotFound):
        await department.see(notifications.get_group, ann.id, pair.group_key)


async def test_an_hour_later_is_another_group(department: Department) -> None:
    ann, bob, cem = [await department.person(name) for name in ("ann", "bob", "cem")]
    post = await department.post(ann)
    await department.do(interactions.favourite, bob, post)
    department.clock.pass_(seconds=3600)
    await department.do(interactions.favourite, cem, post)
    assert len(await department.see(notifications.grouped, ann.id, Page())) == 2


async def test_unread_and_dismissing(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    for number in range(3):
        await tell(department, ann, bob, cause=str(number))
    rows = await department.see(notifications.listing, ann.id, Page())
    assert await department.see(notifications.unread_count, ann.id) == 3
    assert await department.see(notifications.unread_count, ann.id, 2) == 2
    assert await department.see(notifications.unread_count, ann.id, grouped=True) == 1
    await department.do(markers.save, ann.id, {"notifications": str(rows[1].seq)})
    assert await department.see(notifications.unread_count, ann.id) == 1
    await department.do(notifications.dismiss, ann.id, rows[0].seq)
    with pytest.raises(NotFound):
        await department.do(notifications.dismiss, ann.id, rows[0].seq)
    await department.do(notifications.clear, ann.id)
    assert await told(department, ann) == []


async def test_markers(department: Department) -> None:
    ann = await department.person("ann")
    assert (await department.see(markers.get, ann.id, ["home"]))["home"].last_read_id == "0"
    await department.do(markers.save, ann.id, {"home": "7"})
    saved = await department.do(markers.save, ann.id, {"home": "9"})
    assert (saved["home"].last_read_id, saved["home"].version) == ("9", 2)
    for wrong in ({"sea": "1"}, {"home": "x"}):
        with pytest.raises(Unprocessable):
            await department.do(markers.save, ann.id, wrong)
