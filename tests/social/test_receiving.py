"""Statuses of other servers: as often as they come, in whatever order."""

import itertools

import pytest

from fedcorp.social import receiving, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.receiving import RemoteStatus
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio


def note(account: Account, name: str, *, parent: str | None = None, edited_at: int | None = None, text: str = "hi",
         at: int = 1_779_999_000_000) -> RemoteStatus:  # fmt: skip
    return RemoteStatus(
        uri=f"{account.origin}/o/{name}", url=None, account=account, visibility="public", reach="company",
        content=f"<p>{text}</p>", text=text, created_at=at, edited_at=edited_at,
        in_reply_to_uri=f"{account.origin}/o/{parent}" if parent else None,
    )  # fmt: skip


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_thread_is_the_same_in_any_order(department: Department, order: tuple[int, ...]) -> None:
    ada = await department.stranger("ada")
    thread = [note(ada, "1"), note(ada, "2", parent="1"), note(ada, "3", parent="2")]
    for number in (*order, *order):
        await department.do(receiving.receive, thread[number])
    found = [await department.see(statuses.find_by_uri, one.uri) for one in thread]
    assert len({status.thread_id for status in found if status}) == 1
    assert [status.replies_count for status in found if status] == [1, 1, 0]
    root = found[0]
    assert root is not None
    assert await department.see(statuses.context, None, root) == ([], [])  # company: not for anonymous readers
    (_, below) = await department.see(statuses.context, ada.id, root)
    assert below == [status.id for status in found[1:] if status]


async def test_the_greater_update_wins(department: Department) -> None:
    ada = await department.stranger("ada")
    await department.do(receiving.receive, note(ada, "1"))
    for edited_at, text in ((3000, "third"), (2000, "second"), (3000, "again")):
        await department.do(receiving.receive_edit, note(ada, "1", edited_at=edited_at, text=text))
    status = await department.see(statuses.find_by_uri, f"{ada.origin}/o/1")
    assert status is not None
    assert status.text == "third"


async def test_a_delete_may_come_first(department: Department) -> None:
    ada = await department.stranger("ada")
    assert not await department.do(receiving.receive_delete, f"{ada.origin}/o/1", ada.uri)
    assert await department.do(receiving.receive, note(ada, "1")) is None
    assert await department.do(receiving.receive_edit, note(ada, "1", edited_at=5)) is None


async def test_nobody_edits_for_somebody_else(department: Department) -> None:
    ada, eve = await department.stranger("ada"), await department.stranger("eve")
    await department.do(receiving.receive, note(ada, "1"))
    forged = note(eve, "1", edited_at=9000, text="forged")
    assert await department.do(receiving.receive_edit, forged) is None


async def test_the_id_follows_the_time_it_was_written(department: Department) -> None:
    ada = await department.stranger("ada")
    late = await department.do(receiving.receive, note(ada, "late", at=1_779_999_900_000))
    early = await department.do(receiving.receive, note(ada, "early", at=1_779_999_000_000))
    future = await department.do(receiving.receive, note(ada, "future", at=1_999_999_000_000))
    assert late is not None
    assert early is not None
    assert future is not None
    assert early.id < late.id < future.id
    assert future.created_at <= department.clock.ms()
