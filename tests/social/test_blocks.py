"""Blocks and mutes: what they end and how they are listed."""

from collections.abc import Callable

import pytest

from fedcorp.errors import Forbidden, Unprocessable
from fedcorp.social import blocks, follows, lists, notifications
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio


async def test_block_ends_everything_between_two(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    await department.do(follows.follow, ann, bob)
    await department.do(follows.follow, bob, ann)
    row = await department.do(lists.create, bob.id, title="Team")
    await department.do(lists.add, bob.id, row.id, [ann.id])
    await department.do(blocks.block, ann, bob)
    await department.do(blocks.block, ann, bob)
    (relation,) = await department.see(follows.relationships, bob.id, [ann.id])
    assert (relation.following, relation.followed_by, relation.blocked_by) == (False, False, True)
    assert await department.see(lists.members, bob.id, row.id, Page()) == []
    assert await department.see(notifications.listing, ann.id, Page()) == []
    assert await department.see(blocks.is_blocked, bob.id, ann.id)
    with pytest.raises(Forbidden):
        await department.do(follows.follow, bob, ann)
    assert [target for _, target in await department.see(blocks.blocked, ann.id, Page())] == [bob.id]
    await department.do(blocks.unblock, ann.id, bob.id)
    assert not await department.see(blocks.is_blocked, ann.id, bob.id)
    assert await department.do(follows.follow, bob, ann) == "accepted"


async def test_mute_can_be_changed_and_ends(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    await department.do(blocks.mute, ann, bob, duration=60)
    await department.do(blocks.mute, ann, bob, notifications=False, duration=120)
    ends_at = department.clock.now_ms + 120_000
    assert [row[1:] for row in await department.see(blocks.muted, ann.id, Page())] == [(bob.id, ends_at)]
    (relation,) = await department.see(follows.relationships, ann.id, [bob.id])
    assert (relation.muting, relation.muting_notifications) == (True, False)
    department.clock.pass_(seconds=121)
    assert await department.see(blocks.muted, ann.id, Page()) == []
    await department.do(blocks.mute, ann, bob)
    await department.do(blocks.unmute, ann.id, bob.id)
    assert await department.see(blocks.muted, ann.id, Page()) == []


@pytest.mark.parametrize("verb", [blocks.block, blocks.mute])
async def test_nobody_shuts_oneself_out(department: Department, verb: Callable[[Tx, Account, Account], None]) -> None:
    ann = await department.person("ann")
    with pytest.raises(Unprocessable):
        await department.do(verb, ann, ann)
