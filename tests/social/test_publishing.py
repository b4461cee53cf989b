"""What people write: who may read it, how far it goes, whose group it belongs to, and what follows from it."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.errors import Forbidden, NotFound, Unprocessable
from fedcorp.social import accounts, follows, interactions, memberships, publishing, statuses, stewardship
from fedcorp.social.polls import PollDraft
from fedcorp.social.publishing import Draft
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import events, home, notifications, tombstones
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio


def home_of(tx: Tx, account_id: int) -> list[tuple[int, int]]:
    rows = tx.conn.execute(sa.select(home.c.entry_id, home.c.status_id).where(home.c.account_id == account_id))
    return sorted((row.entry_id, row.status_id) for row in rows)


def kinds_for(tx: Tx, account_id: int) -> list[str]:
    statement = sa.select(notifications.c.kind).where(notifications.c.account_id == account_id)
    return sorted(tx.conn.execute(statement).scalars())


def waiting(tx: Tx) -> list[str]:
    return list(tx.conn.execute(sa.select(events.c.kind).order_by(events.c.seq)).scalars())


async def test_a_follower_sees_it_at_home_and_the_outbox_hears_of_it(department: Department) -> None:
    ann, bo = await department.person("ann"), await department.person("bo")
    await department.do(follows.follow, bo, ann)
    status = await department.post(ann, "the #Budget is in @bo", mentions={"bo": bo.id})
    assert await department.see(home_of, bo.id) == [(status.id, status.id)]
    assert await department.see(kinds_for, bo.id) == ["mention"]
    assert (await department.see(waiting))[-1] == "StatusPublished"
    assert status.reach == "company"
    assert await department.see(statuses.tags_of, status.id) == ["Budget"]


async def test_the_same_key_publishes_once_under_parallel_writers(department: Department) -> None:
    ann = await department.person("ann")
    draft = Draft(text="once", idempotency_key="k")
    made = await asyncio.gather(*(department.do(publishing.publish, ann, draft) for _ in range(8)))
    assert len({status.id for status in made}) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"text": "  "},
        {"text": "x" * 5001},
        {"visibility": "everyone"},
        {"reach": "universe"},
        {"media_ids": (1,)},
        {"poll": PollDraft(("one",), 3600)},
        {"poll": PollDraft(("one", "one"), 3600)},
        {"poll": PollDraft(("one", "two"), 1)},
        {"published_at": 1_990_000_000_000},
    ],
)
async def test_what_breaks_a_rule_is_refused_and_nothing_is_kept(
    department: Department, values: dict[str, Any]
) -> None:
    ann = await department.person("ann")
    before = await department.see(waiting)
    with pytest.raises((Unprocessable, NotFound)):
        await department.post(ann, **{"text": "hello", **values})
    assert await department.see(waiting) == before


async def test_replies_keep_the_thread_and_the_narrower_reach(department: Department) -> None:
    ann, bo = await department.person("ann"), await department.person("bo")
    root = await department.post(ann, reach="department")
    reply = await department.post(bo, in_reply_to_id=root.id, reach="public")
    assert reply.reach == "department"
    assert (reply.thread_id, reply.in_reply_to_account_id) == (root.id, ann.id)
    assert await department.see(statuses.context, ann.id, root) == ([], [reply.id])
    assert await department.see(statuses.context, ann.id, reply) == ([root.id], [])
    assert (await department.see(statuses.get, root.id)).replies_count == 1


async def test_a_mention_never_widens_the_reach(department: Department) -> None:
    ann = await department.person("ann")
    await department.do(peers.add, "supplier.localhost", "partner")
    sam = await department.stranger("sam", "supplier.localhost")
    named: dict[str, Any] = {"text": "hello @sam@supplier.localhost", "mentions": {"sam@supplier.localhost": sam.id}}
    with pytest.raises(Unprocessable, match="partners"):
        await department.post(ann, **named)
    assert (await department.post(ann, **named, reach="partners")).reach == "partners"
    assert (await department.post(ann, **named, visibility="direct")).reach == "partners"


async def test_somebody_of_an_unknown_server_cannot_be_named(department: Department) -> None:
    ann, eve = await department.person("ann"), await department.stranger("eve", "elsewhere.localhost")
    with pytest.raises(Unprocessable, match="not a peer"):
        await department.post(ann, "hi @eve", mentions={"eve@elsewhere.localhost": eve.id}, visibility="direct")


async def test_private_and_direct_stay_with_those_who_may(department: Department) -> None:
    ann, bo, cy = [await department.person(name) for name in ("ann", "bo", "cy")]
    await department.do(follows.follow, bo, ann)
    private = await department.post(ann, visibility="private")
    direct = await department.post(ann, "psst @cy", visibility="direct", mentions={"cy": cy.id})
    assert await department.see(statuses.visible_ids, bo.id, [private.id, direct.id]) == {private.id}
    assert await department.see(statuses.visible_ids, cy.id, [private.id, direct.id]) == {direct.id}
    assert await department.see(statuses.visible_ids, None, [private.id, direct.id]) == set()
    assert await department.see(home_of, bo.id) == [(private.id, private.id)]
    with pytest.raises(NotFound):
        await department.see(statuses.get_visible, cy.id, private.id)


async def test_a_group_passes_posts_of_members_on_once(department: Department) -> None:
    ann, bo, cy = [await department.person(name) for name in ("ann", "bo", "cy")]
    group = await department.group(ann, "robots")
    for person in (bo, cy):
        await department.do(follows.follow, person, group)
    await department.do(follows.follow, cy, bo)
    status = await department.post(bo, "hello @robots", mentions={"robots": group.id})
    assert status.group_id == group.id
    (entry,) = await department.see(home_of, ann.id)
    assert entry[1] == status.id
    assert entry[0] != status.id  # through the group
    assert await department.see(home_of, cy.id) == [(status.id, status.id)]  # follows the author: the original, once
    assert (await department.see(statuses.get, status.id)).reblogs_count == 0
    reply = await department.post(cy, "and more", in_reply_to_id=status.id)
    assert reply.group_id == group.id
    assert "reblog" not in await department.see(kinds_for, bo.id)


async def test_joining_a_request_group_needs_a_moderator(department: Department) -> None:
    ann, bo = await department.person("ann"), await department.person("bo")
    group = await department.group(ann, "purchasing", "request")
    named: dict[str, Any] = {"text": "hello @purchasing", "mentions": {"purchasing": group.id}}
    assert await department.do(follows.follow, bo, group) == "pending"
    assert await department.see(kinds_for, ann.id) == ["mention"]  # the group writes to its moderators
    with pytest.raises(Forbidden):
        await department.post(bo, **named)
    await department.do(stewardship.approve, group, ann, bo)
    assert await department.see(memberships.role_of, group.id, bo.id) == "member"
    assert await department.see(kinds_for, bo.id) == ["mention"]  # welcome
    await department.post(bo, **named)
    assert len(await department.see(home_of, ann.id)) == 2  # the request that the group wrote of, and the post
    await department.do(follows.unfollow, bo.id, group.id)
    assert await department.see(memberships.role_of, group.id, bo.id) is None


async def test_edit_keeps_the_earlier_version(department: Department) -> None:
    ann, bo = await department.person("ann"), await department.person("bo")
    status = await department.post(ann, "frist")
    await department.do(interactions.favourite, bo, status)
    edited = await department.do(publishing.edit, ann, status.id, Draft(text="first"))
    assert (edited.text, edited.version) == ("first", status.version + 1)
    assert [row.text for row in await department.see(statuses.history, status.id)] == ["frist"]
    assert await department.see(kinds_for, bo.id) == ["update"]
    with pytest.raises(NotFound):
        await department.do(publishing.edit, bo, status.id, Draft(text="mine"))


async def test_delete_leaves_only_a_tombstone(department: Department) -> None:
    ann, bo = await department.person("ann"), await department.person("bo")
    await department.do(follows.follow, bo, ann)
    status = await department.post(ann, "oops @bo", mentions={"bo": bo.id})
    await department.do(interactions.reblog, bo, status)
    await department.do(statuses.delete, ann, status.id)
    assert await department.see(home_of, bo.id) == []
    assert "mention" not in await department.see(kinds_for, bo.id)
    gone = await department.see(statuses.find, status.id)
    assert gone is not None
    assert (gone.content, gone.text) == ("", "")
    assert (await department.see(lambda tx: tx.conn.execute(sa.select(tombstones.c.uri)).scalars().all())) == [
        status.uri
    ]
    with pytest.raises(NotFound):
        await department.see(statuses.get_visible, ann.id, status.id)


async def test_reactions_can_be_repeated_and_taken_back(department: Department) -> None:
    ann, bo = await department.person("ann"), await department.person("bo")
    status = await department.post(ann)
    for _ in range(2):
        await department.do(interactions.favourite, bo, status)
        await department.do(interactions.reblog, bo, status)
    counted = await department.see(statuses.get, status.id)
    assert (counted.favourites_count, counted.reblogs_count) == (1, 1)
    assert await department.see(kinds_for, ann.id) == ["favourite", "reblog"]
    for _ in range(2):
        await department.do(interactions.unfavourite, bo, status.id)
        await department.do(interactions.unreblog, bo, status.id)
    counted = await department.see(statuses.get, status.id)
    assert (counted.favourites_count, counted.reblogs_count) == (0, 0)
    assert await department.see(kinds_for, ann.id) == []


async def test_what_is_limited_cannot_be_boosted(department: Department) -> None:
    ann, bo = await department.person("ann"), await department.person("bo")
    status = await department.post(ann, visibility="private")
    with pytest.raises(Unprocessable):
        await department.do(interactions.reblog, bo, status)


async def test_history_may_be_published_in_the_past(department: Department) -> None:
    ann = await department.person("ann")
    past = department.clock.ms() - 86_400_000
    old = await department.post(ann, published_at=past)
    new = await department.post(ann)
    assert old.created_at == past
    assert old.id < new.id


async def test_earlier_versions_go_with_their_account(department: Department) -> None:
    ann, ben = await department.person("ann"), await department.person("ben")
    posts = [await department.post(author, "frist #tag") for author in (ann, ben)]
    for author, post in zip((ann, ben), posts, strict=True):
        await department.do(publishing.edit, author, post.id, Draft(text="first #tag"))
    await department.do(accounts.delete, ann)
    assert [len(await department.see(statuses.history, post.id)) for post in posts] == [0, 1]
    assert [len(await department.see(statuses.tags_of, post.id)) for post in posts] == [0, 1]
