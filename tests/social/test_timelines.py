"""Timelines: what each of them shows to whom, and that lists agree with the rule for single statuses."""

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.errors import NotFound
from fedcorp.social import blocks, follows, interactions, lists, media, statuses, tags, timelines
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.statements import QuickConnection, Statements
from fedcorp.storage.tables import favourites
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio
FIRST = Page()


def shown(lines: Sequence[str]) -> list[int]:
    return [entry.status_id for entry in timelines.entries(lines)]


async def world(department: Department) -> tuple[Account, Account, Account]:
    """Ann follows Bob; nobody follows Cem."""
    ann, bob, cem = [await department.person(name) for name in ("ann", "bob", "cem")]
    await department.do(follows.follow, ann, bob)
    return ann, bob, cem


async def test_home_leaves_out_what_was_taken_away(department: Department) -> None:
    ann, bob, cem = await world(department)
    kept, gone = await department.post(bob), await department.post(bob)
    other = await department.post(cem)
    boost = await department.do(interactions.reblog, bob, other)
    assert timelines.entries(await department.see(timelines.home, ann.id, FIRST)) == [
        (boost.id, other.id), (gone.id, gone.id), (kept.id, kept.id)
    ]  # fmt: skip
    await department.do(statuses.delete, bob, gone.id)
    await department.do(blocks.block, ann, cem)
    assert shown(await department.see(timelines.home, ann.id, FIRST)) == [kept.id]
    await department.do(blocks.mute, ann, bob, duration=60)
    assert await department.see(timelines.home, ann.id, FIRST) == []
    department.clock.pass_(seconds=61)
    assert shown(await department.see(timelines.home, ann.id, FIRST)) == [kept.id]


async def test_home_pages(department: Department) -> None:
    ann, bob, _ = await world(department)
    ids = [(await department.post(bob)).id for _ in range(5)]
    assert shown(await department.see(timelines.home, ann.id, Page(2))) == [ids[4], ids[3]]
    assert shown(await department.see(timelines.home, ann.id, Page(2, max_id=ids[3]))) == [ids[2], ids[1]]
    assert shown(await department.see(timelines.home, ann.id, Page(2, since_id=ids[0]))) == [ids[4], ids[3]]
    assert shown(await department.see(timelines.home, ann.id, Page(2, min_id=ids[0]))) == [ids[2], ids[1]]
    assert shown(await department.see(timelines.home, ann.id, Page(9, max_id=ids[4], min_id=ids[1]))) == [
        ids[3],
        ids[2],
    ]


async def test_public(department: Department) -> None:
    ann, bob, cem = await world(department)
    first = await department.post(bob, reach="public")
    inside = await department.post(cem)
    await department.post(bob, "hidden", visibility="unlisted")
    await department.post(ann, "reply", in_reply_to_id=first.id)
    assert shown(await department.see(timelines.public, None, FIRST)) == [first.id]
    assert shown(await department.see(timelines.public, ann.id, FIRST)) == [inside.id, first.id]
    assert shown(await department.see(timelines.public, ann.id, FIRST, local=True)) == [inside.id, first.id]
    assert await department.see(timelines.public, ann.id, FIRST, remote=True) == []
    assert await department.see(timelines.public, ann.id, FIRST, only_media=True) == []
    await department.do(blocks.mute, ann, cem)
    assert shown(await department.see(timelines.public, ann.id, FIRST)) == [first.id]


async def test_tags(department: Department) -> None:
    ann, bob, _ = await world(department)
    both = await department.post(bob, "#Red and #blue")
    red = await department.post(bob, "#red")
    await department.post(bob, "#red", visibility="private")
    tag = timelines.tag
    assert shown(await department.see(tag, ann.id, FIRST, "RED")) == [red.id, both.id]
    assert shown(await department.see(tag, ann.id, FIRST, "blue", any_=("red",))) == [red.id, both.id]
    assert shown(await department.see(tag, ann.id, FIRST, "red", all_=("Blue",))) == [both.id]
    assert shown(await department.see(tag, ann.id, FIRST, "red", none=("blue",))) == [red.id]
    assert await department.see(tag, None, FIRST, "red") == []


async def test_account_statuses(department: Department) -> None:
    ann, bob, cem = await world(department)
    plain = await department.post(bob, "#one")
    secret = await department.post(bob, visibility="private")
    foreign = await department.post(cem)
    reply = await department.post(bob, in_reply_to_id=foreign.id)
    boost = await department.do(interactions.reblog, bob, foreign)
    await department.do(interactions.pin, bob, plain)

    async def of_bob(viewer: int | None, **values: Any) -> list[int]:
        lines = await department.see(timelines.account_statuses, viewer, bob.id, FIRST, **values)
        return [entry.id for entry in timelines.entries(lines)]

    assert await of_bob(ann.id) == [boost.id, reply.id, secret.id, plain.id]
    assert await of_bob(cem.id) == [boost.id, reply.id, plain.id]
    assert await of_bob(None) == []
    assert await of_bob(cem.id, exclude_replies=True, exclude_reblogs=True) == [plain.id]
    assert await of_bob(cem.id, pinned=True) == await of_bob(cem.id, tagged="ONE") == [plain.id]
    await department.do(blocks.block, bob, cem)
    assert await of_bob(cem.id) == []


async def test_own_list_and_its_replies(department: Department) -> None:
    ann, bob, cem = await world(department)
    row = await department.do(lists.create, ann.id, title="Team")
    await department.do(lists.add, ann.id, row.id, [bob.id])
    plain = await department.post(bob)
    foreign = await department.post(cem)
    answer = await department.post(bob, in_reply_to_id=foreign.id)
    to_ann = await department.post(bob, in_reply_to_id=(await department.post(ann)).id)

    async def seen(policy: str) -> list[int]:
        await department.do(lists.update, ann.id, row.id, replies_policy=policy)
        return shown(await department.see(timelines.list_, ann.id, row.id, FIRST))

    assert await seen("list") == await seen("followed") == await seen("none") == [to_ann.id, plain.id]
    await department.do(follows.follow, ann, cem)
    assert await seen("followed") == [to_ann.id, answer.id, plain.id]
    await department.do(lists.add, ann.id, row.id, [cem.id])
    assert await seen("list") == [to_ann.id, answer.id, foreign.id, plain.id]
    with pytest.raises(NotFound):
        await department.see(timelines.list_, cem.id, row.id, FIRST)


async def test_exclusive_list_keeps_its_people_out_of_home(department: Department) -> None:
    ann, bob, _ = await world(department)
    post = await department.post(bob)
    row = await department.do(lists.create, ann.id, title="Team", exclusive=True)
    await department.do(lists.add, ann.id, row.id, [bob.id])
    assert await department.see(timelines.home, ann.id, FIRST) == []
    await department.do(lists.update, ann.id, row.id, exclusive=False)
    assert shown(await department.see(timelines.home, ann.id, FIRST)) == [post.id]


async def test_group_list_shows_originals_to_members(department: Department) -> None:
    ann, bob, cem = await world(department)
    group = await department.group(ann, "rnd")
    await department.do(follows.follow, bob, group)
    posts = [await department.post(bob, "@rnd", mentions={"rnd": group.id}) for _ in range(3)]
    ids = [post.id for post in reversed(posts)]
    lines = await department.see(timelines.list_, ann.id, group.id, FIRST)
    assert [entry.id for entry in timelines.entries(lines)] == shown(lines) == ids
    assert shown(await department.see(timelines.list_, ann.id, group.id, Page(1, max_id=ids[0]))) == [ids[1]]
    assert shown(await department.see(timelines.list_, ann.id, group.id, Page(1, min_id=ids[2]))) == [ids[1]]
    with pytest.raises(NotFound):
        await department.see(timelines.list_, cem.id, group.id, FIRST)


async def test_reactions(department: Department) -> None:
    ann, bob, cem = await world(department)
    post = await department.post(bob)
    for person in (ann, cem):
        await department.do(interactions.favourite, person, post)
        await department.do(interactions.reblog, person, post)
    await department.do(interactions.bookmark, ann.id, post.id)
    for question in (timelines.favourited_by, timelines.reblogged_by):
        assert [r.account_id for r in await department.see(question, bob.id, post.id, FIRST)] == [cem.id, ann.id]
    await department.do(blocks.block, bob, cem)
    for question in (timelines.favourited_by, timelines.reblogged_by):
        assert [r.account_id for r in await department.see(question, bob.id, post.id, FIRST)] == [ann.id]
    for kept in (timelines.own_favourites, timelines.own_bookmarks):
        assert [entry.status_id for entry in await department.see(kept, ann.id, FIRST)] == [post.id]
    assert await department.see(timelines.own_favourites, cem.id, FIRST) == []


async def test_only_media(department: Department) -> None:
    ann, bob, _ = await world(department)
    file = await department.do(
        media.create, account_id=bob.id, kind="image", mime="image/png", key="a" * 16, preview_key=None, sizes={},
        bytes=1,
    )  # fmt: skip
    await department.post(bob)
    post = await department.post(bob, media_ids=(file.id,))
    assert shown(await department.see(timelines.public, ann.id, FIRST, only_media=True)) == [post.id]


async def test_followed_tag_comes_home(department: Department) -> None:
    ann, _, cem = await world(department)
    await department.do(tags.follow, ann.id, "#News")
    post = await department.post(cem, "#news of today")
    assert shown(await department.see(timelines.home, ann.id, FIRST)) == [post.id]


@given(
    rows=st.sets(st.integers(1, 30)),
    page=st.builds(Page, st.integers(1, 5), *[st.none() | st.integers(0, 31)] * 3),
)
def test_page_is_a_slice(rows: set[int], page: Page) -> None:
    engine = sa.create_engine("sqlite://", paramstyle="named")
    with engine.connect() as conn:
        favourites.create(conn)
        for id_ in rows:
            conn.execute(sa.insert(favourites).values(id=id_, account_id=id_, status_id=id_, uri="", created_at=0))
        listing = Listing(sa.select(favourites.c.id), favourites.c.id)

        class Reader:
            def __init__(self) -> None:
                self.conn = QuickConnection(conn, Statements())

        reader: Any = Reader()
        times = [[row[0] for row in listing.rows(reader, page)] for _ in range(3)]  # the third is gathered as JSON
    engine.dispose()
    upward = page.min_id is not None
    low = page.min_id if upward else page.since_id
    within = sorted(n for n in rows if (page.max_id is None or n < page.max_id) and (low is None or n > low))
    expected = within[: page.limit] if upward else within[::-1][: page.limit]
    assert times == [expected[::-1] if upward else expected] * 3
