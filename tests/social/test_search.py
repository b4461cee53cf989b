"""Search and hashtags: what is found, in which order, and what stays hidden."""

import pytest

from fedcorp.errors import Unprocessable
from fedcorp.social import blocks, finding, follows, search, tags, trends
from fedcorp.social.pages import Page
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio


async def test_accounts_in_order(department: Department) -> None:
    ann = await department.person("ann")
    anna, joanne = await department.person("anna"), await department.person("joanne")
    shown = await department.person("bob", display_name="Mary-ANN")
    far = await department.stranger("annika")
    group = await department.group(ann, "plann")
    await department.do(follows.follow, ann, joanne)

    async def found(q: str, **values: bool) -> list[int]:
        return await department.see(search.account_ids, ann.id, q, 20, **values)

    ids = await found("ann")
    assert ids[:3] == [group.id, joanne.id, ann.id]
    assert set(ids[3:5]) == {anna.id, far.id}
    assert ids[5:] == [shown.id]
    assert await found("ann", following=True) == [group.id, joanne.id]
    assert await found("@annika@sales") == [far.id]
    assert await found("%") == await found("") == await found("localhost") == []
    await department.do(blocks.block, joanne, ann)
    assert joanne.id not in await found("ann")


async def test_secret_group_is_found_by_members_only(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    group = await department.group(ann, "works_council", "secret")
    assert await department.see(search.account_ids, ann.id, "council", 5) == [group.id]
    assert await department.see(search.account_ids, bob.id, "council", 5) == []
    assert await department.see(search.account_ids, None, "council", 5) == []


async def test_statuses(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    first = await department.post(bob, "The quarterly REPORT is here")
    second = await department.post(bob, "quarterly", spoiler_text="report inside")
    await department.post(bob, "my own quarterly report", visibility="private")

    async def found(q: str, **values: int) -> list[int]:
        return await department.see(finding.status_ids, ann.id, q, 20, **values)

    assert await found("report quarterly") == [second.id, first.id]
    assert await found("report", max_id=second.id) == [first.id]
    assert await found("report", min_id=first.id) == [second.id]
    assert await found("report", account_id=ann.id) == await found("100%") == await found(" ") == []


async def test_hashtags(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    await department.post(bob, "#Lunch #lunchtime #Café")
    await department.post(bob, "#lunchtime")
    await department.post(bob, "#lunch_secret", visibility="private")
    assert await department.see(search.hashtags, ann.id, "#LUNCH", 9) == ["lunch", "lunchtime"]
    assert await department.see(search.hashtags, ann.id, "lunchT", 9) == ["lunchtime"]
    assert await department.see(search.hashtags, ann.id, "_", 9) == []
    assert await department.see(search.hashtags, None, "lunch", 9) == []


async def test_history(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    await department.post(bob, "#Lunch")
    await department.post(bob, "#lunch")
    department.clock.pass_(seconds=86_400)
    await department.post(ann, "#lunch")
    found = await department.see(tags.history, ann.id, ["lunch", "dinner"])
    assert [(day.uses, day.accounts) for day in found["lunch"][:3]] == [(1, 1), (2, 1), (0, 0)]
    assert len(found["dinner"]) == 7
    assert (await department.see(tags.history, None, ["lunch"]))["lunch"][0].uses == 0
    assert await department.see(trends.top_tags, ann.id, 5) == ["lunch"]


async def test_following_hashtags(department: Department) -> None:
    ann = await department.person("ann")
    for name in ("Lunch", "#lunch", "news"):
        await department.do(tags.follow, ann.id, name)
    assert [name for _, name in await department.see(tags.followed, ann.id, Page())] == ["news", "lunch"]
    assert await department.see(tags.followed_among, ann.id, ["lunch", "other"]) == {"lunch"}
    await department.do(tags.unfollow, ann.id, "LUNCH")
    assert await department.see(tags.followed_among, ann.id, ["lunch"]) == set()
    for wrong in ("", "a b", "123"):
        with pytest.raises(Unprocessable):
            await department.do(tags.follow, ann.id, wrong)
