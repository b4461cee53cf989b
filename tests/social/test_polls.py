"""Polls: the rules of voting, whose tally counts, and how a poll ends."""

import pytest
import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.social import notifications, polls, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Page
from fedcorp.social.polls import Poll, PollDraft, RemotePoll
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import events
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio


async def ask(department: Department, author: Account, *, multiple: bool = False) -> int:
    draft = PollDraft(("tea", "coffee", "water"), 600, multiple)
    post = await department.post(author, "What?", poll=draft)
    assert post.poll_id
    return post.poll_id


async def look(department: Department, poll_id: int, viewer: Account) -> Poll:
    return await department.see(polls.get, poll_id, viewer.id)


async def test_vote_counts_once(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    poll_id = await ask(department, ann)
    await department.do(polls.vote, bob, poll_id, [1])
    for again in ([1], [0]):
        with pytest.raises(Unprocessable, match="already voted"):
            await department.do(polls.vote, bob, poll_id, again)
    poll = await look(department, poll_id, bob)
    assert ([option.votes_count for option in poll.options], poll.voters_count, poll.own_votes) == ([0, 1, 0], 1, [1])
    assert (await look(department, poll_id, ann)).own_votes == []


@pytest.mark.parametrize("wrong", [[], [3], [-1], [0, 1]])
async def test_wrong_choice(department: Department, wrong: list[int]) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    poll_id = await ask(department, ann)
    with pytest.raises(Unprocessable, match=r"chosen|one option"):
        await department.do(polls.vote, bob, poll_id, wrong)


async def test_votes_from_elsewhere_come_one_by_one(department: Department) -> None:
    ann, far = await department.person("ann"), await department.stranger("far")
    poll_id = await ask(department, ann, multiple=True)
    await department.do(polls.vote, far, poll_id, [0], uri="http://far/1")
    await department.do(polls.vote, far, poll_id, [2], uri="http://far/2")
    with pytest.raises(Unprocessable):
        await department.do(polls.vote, far, poll_id, [2], uri="http://far/2")
    poll = await look(department, poll_id, ann)
    assert ([option.votes_count for option in poll.options], poll.voters_count) == ([1, 0, 1], 1)


async def test_poll_closes_and_tells(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    poll_id = await ask(department, ann)
    await department.do(polls.vote, bob, poll_id, [0])
    assert await department.do(polls.close_due) == 0
    department.clock.pass_(seconds=600)
    with pytest.raises(Unprocessable, match="ended"):
        await department.do(polls.vote, bob, poll_id, [0])
    assert await department.do(polls.close_due) == 1
    assert await department.do(polls.close_due) == 0
    for person in (ann, bob):
        told = await department.see(notifications.listing, person.id, Page(), types=("poll",))
        assert [row.from_account_id for row in told] == [ann.id]
    assert await department.see(_kept) == ["PollChanged", "PollVoted", "StatusPublished"]


def _kept(tx: Tx) -> list[str]:
    return sorted(set(tx.conn.execute(sa.select(events.c.kind)).scalars()))


async def test_remote_tally_is_taken_over(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    post = await department.post(ann)
    remote = RemotePoll((("tea", 3), ("water", 4)), multiple=False, voters_count=7)
    poll_id = await department.do(polls.store_remote, post.id, remote)
    await department.do(polls.vote, bob, poll_id, [0])
    assert [option.votes_count for option in (await look(department, poll_id, bob)).options] == [4, 4]
    told = RemotePoll((("tea", 9), ("water", 4)), multiple=False, voters_count=13, closed_at=1)
    await department.do(polls.replace_tally, poll_id, told)
    poll = await look(department, poll_id, bob)
    assert ([option.votes_count for option in poll.options], poll.voters_count, poll.own_votes) == ([9, 4], 13, [0])
    assert poll.is_over(department.clock.now_ms)
    assert (await department.see(statuses.get, post.id)).version > post.version


@pytest.mark.parametrize(
    "draft",
    [
        PollDraft(("one",), 600),
        PollDraft(("a", "a"), 600),
        PollDraft(("a", " "), 600),
        PollDraft(("a", "b"), 1),
        PollDraft(("a", "b"), None),
        PollDraft(("a", "b" * 101), 600),
    ],
)
async def test_rules(department: Department, draft: PollDraft) -> None:
    ann = await department.person("ann")
    with pytest.raises(Unprocessable):
        await department.post(ann, poll=draft)


async def test_of_a_remote_poll_that_hides_its_totals_only_the_number_of_voters_is_taken(
    department: Department,
) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    post = await department.post(ann)
    options = (("tea", 0), ("water", 0))
    poll_id = await department.do(polls.store_remote, post.id, RemotePoll(options, multiple=False, hide_totals=True))
    await department.do(polls.vote, bob, poll_id, [0])
    for voters in (3, 2):  # the second one is late
        await department.do(polls.replace_tally, poll_id, RemotePoll(options, False, None, None, voters, True))
        poll = await look(department, poll_id, bob)
        assert (poll.voters_count, poll.options[0].votes_count, poll.own_votes) == (3, 1, [0])
        assert poll.hides_totals(department.clock.now_ms)
    told = RemotePoll((("tea", 2), ("water", 1)), multiple=False, voters_count=3, closed_at=1)
    await department.do(polls.replace_tally, poll_id, told)
    poll = await look(department, poll_id, bob)
    assert [option.votes_count for option in poll.options] == [2, 1]
    assert not poll.hides_totals(department.clock.now_ms)
    await department.do(polls.replace_tally, poll_id, RemotePoll(options, False, None, None, 9, True))
    assert (await look(department, poll_id, bob)).voters_count == 3
