"""Own lists and the virtual lists of groups."""

from typing import Any

import pytest

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import follows, lists
from fedcorp.social.pages import Page
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio


async def test_own_list(department: Department) -> None:
    ann, bob, cem = [await department.person(name) for name in ("ann", "bob", "cem")]
    row = await department.do(lists.create, ann.id, title=" Team ", replies_policy="none", exclusive=True)
    assert row == lists.ListRow(row.id, "Team", "none", True)
    assert await department.do(lists.update, ann.id, row.id, title="Crew") == lists.ListRow(
        row.id, "Crew", "none", True
    )
    with pytest.raises(NotFound):
        await department.do(lists.add, ann.id, row.id, [cem.id])
    await department.do(follows.follow, ann, bob)
    await department.do(lists.add, ann.id, row.id, [bob.id])
    with pytest.raises(Unprocessable):
        await department.do(lists.add, ann.id, row.id, [bob.id])
    assert await department.see(lists.members, ann.id, row.id, Page()) == [bob.id]
    assert [each.id for each in await department.see(lists.containing, ann.id, bob.id)] == [row.id]
    for stranger_to_it in (bob.id, cem.id):
        with pytest.raises(NotFound):
            await department.do(lists.delete, stranger_to_it, row.id)
    await department.do(lists.remove, ann.id, row.id, [bob.id])
    assert await department.see(lists.members, ann.id, row.id, Page()) == []
    await department.do(lists.delete, ann.id, row.id)
    assert await department.see(lists.lists_of, ann.id) == []


async def test_member_that_is_no_longer_followed_leaves(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    await department.do(follows.follow, ann, bob)
    row = await department.do(lists.create, ann.id, title="Team")
    await department.do(lists.add, ann.id, row.id, [bob.id])
    await department.do(follows.unfollow, ann.id, bob.id)
    assert await department.see(lists.members, ann.id, row.id, Page()) == []


@pytest.mark.parametrize("wrong", [{"title": " "}, {"title": "x" * 256}, {"title": "x", "replies_policy": "some"}])
async def test_rules(department: Department, wrong: dict[str, Any]) -> None:
    ann = await department.person("ann")
    with pytest.raises(Unprocessable):
        await department.do(lists.create, ann.id, **wrong)


async def test_group_has_a_list(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    group = await department.group(ann, "rnd")
    (row,) = await department.see(lists.lists_of, ann.id)
    assert row == lists.ListRow(group.id, "# Rnd", "list", False, group=True)
    assert await department.see(lists.lists_of, bob.id) == []
    assert await department.see(lists.members, ann.id, group.id, Page()) == [group.id]
    assert await department.see(lists.containing, ann.id, group.id) == [row]
    with pytest.raises(NotFound):
        await department.see(lists.get, bob.id, group.id)
    for verb in (lists.add, lists.remove):
        with pytest.raises(Unprocessable, match="only the group"):
            await department.do(verb, ann.id, group.id, [bob.id])


async def test_list_of_a_group_is_renamed_and_hidden_for_one(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    group = await department.group(ann, "rnd")
    await department.do(follows.follow, bob, group)
    changed = await department.do(lists.update, ann.id, group.id, title="# Lab", exclusive=True)
    assert (changed.title, changed.exclusive) == ("# Lab", True)
    assert (await department.see(lists.get, bob.id, group.id)).title == "# Rnd"
    assert (await department.do(lists.update, ann.id, group.id, exclusive=False)).title == "# Lab"
    await department.do(lists.delete, ann.id, group.id)
    assert await department.see(lists.lists_of, ann.id) == []
    assert len(await department.see(lists.lists_of, bob.id)) == 1
    await department.do(lists.show, ann.id, group.id)
    assert len(await department.see(lists.lists_of, ann.id)) == 1
    with pytest.raises(NotFound):
        await department.do(lists.show, (await department.person("cem")).id, group.id)
