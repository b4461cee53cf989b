"""Polls: ask, vote, see the tally, and the end."""

from typing import Any

import pytest

from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio


async def ask(author: Person, **values: Any) -> Any:
    """A poll; the status that asks it."""
    visibility = values.pop("visibility", "public")
    poll = {"options": ["tea", "coffee", "water"], "expires_in": 600, **values}
    return await author.publish("What?", visibility=visibility, poll=poll)


async def vote(person: Person, asked: Any, *choices: int) -> Any:
    return await person.post(f"/api/v1/polls/{asked['poll']['id']}/votes", choices=list(choices))


def tally(poll: Any) -> list[int | None]:
    return [option["votes_count"] for option in poll["options"]]


async def test_a_vote_counts_once(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    asked = await ask(ann)
    poll = await vote(ben, asked, 1)
    assert (poll["voted"], poll["own_votes"], tally(poll)) == (True, [1], [0, 1, 0])
    path = f"/api/v1/polls/{asked['poll']['id']}/votes"
    assert "already voted" in await ben.refused(422, "POST", path, json={"choices": [1]})
    await vote(eve, asked, 1)
    poll = await ann.get(f"/api/v1/polls/{asked['poll']['id']}")
    assert (poll["votes_count"], poll["voters_count"], tally(poll)) == (2, 2, [0, 2, 0])
    assert (poll["voted"], poll["own_votes"]) == (True, []), "an author is not asked"
    assert (await ben.get(f"/api/v1/statuses/{asked['id']}"))["poll"]["own_votes"] == [1]


async def test_several_choices_where_they_are_allowed(ann: Person, ben: Person) -> None:
    one = await ask(ann)
    path = f"/api/v1/polls/{one['poll']['id']}/votes"
    assert "Only one" in await ben.refused(422, "POST", path, json={"choices": [0, 1]})
    many = await ask(ann, multiple=True)
    poll = await vote(ben, many, 2, 0, 0)
    assert (poll["own_votes"], poll["votes_count"], poll["voters_count"]) == ([0, 2], 2, 1)
    again = f"/api/v1/polls/{many['poll']['id']}/votes"
    assert "already" in await ben.refused(422, "POST", again, json={"choices": [1]})


@pytest.mark.parametrize("choices", [[3], [], ["9999"], [0, 3]])
async def test_a_choice_must_be_there(ann: Person, ben: Person, choices: list[Any]) -> None:
    asked = await ask(ann, multiple=True)
    await ben.refused(422, "POST", f"/api/v1/polls/{asked['poll']['id']}/votes", json={"choices": choices})
    assert tally((await ann.get(f"/api/v1/statuses/{asked['id']}"))["poll"]) == [0, 0, 0]


@pytest.mark.parametrize("choices", [["tea"], [-1], ["1.5"], [{}]])
async def test_a_choice_is_a_number(ann: Person, ben: Person, choices: list[Any]) -> None:
    asked = await ask(ann)
    await ben.refused(400, "POST", f"/api/v1/polls/{asked['poll']['id']}/votes", json={"choices": choices})


async def test_hidden_totals_appear_at_the_end(office: Office, ann: Person, ben: Person) -> None:
    asked = await ask(ann, hide_totals=True)
    assert tally(await vote(ben, asked, 0)) == [None, None, None]
    office.clock.pass_(seconds=700)
    poll = await ben.get(f"/api/v1/polls/{asked['poll']['id']}")
    assert (poll["expired"], tally(poll)) == (True, [1, 0, 0])


async def test_after_the_end_nobody_votes(office: Office, ann: Person, ben: Person) -> None:
    asked = await ask(ann)
    assert asked["poll"]["expired"] is False
    office.clock.pass_(seconds=601)
    path = f"/api/v1/polls/{asked['poll']['id']}"
    assert (await ben.get(path))["expired"] is True
    assert "ended" in await ben.refused(422, "POST", f"{path}/votes", json={"choices": [0]})


async def test_a_poll_goes_as_far_as_its_post(office: Office, ann: Person, ben: Person) -> None:
    private = await ask(ann, visibility="private")
    path = f"/api/v1/polls/{private['poll']['id']}"
    await ben.refused(404, "GET", path)
    await ben.refused(404, "POST", f"{path}/votes", json={"choices": [0]})
    await office.anybody.refused(404, "GET", path)
    await ben.follow(ann)
    assert (await vote(ben, private, 2))["own_votes"] == [2]
    opened = await ann.publish("?", reach="public", poll={"options": ["a", "b"], "expires_in": 600})
    seen = await office.anybody.get(f"/api/v1/polls/{opened['poll']['id']}")
    assert (seen["voted"], seen["own_votes"]) == (False, [])
    await office.anybody.refused(401, "POST", f"/api/v1/polls/{opened['poll']['id']}/votes", json={"choices": [0]})


async def test_a_changed_poll_begins_anew_and_an_equal_one_goes_on(ann: Person, ben: Person) -> None:
    asked = await ask(ann)
    await vote(ben, asked, 0)
    path = f"/api/v1/statuses/{asked['id']}"
    same = {"options": ["tea", "coffee", "water"], "expires_in": 600}
    assert tally((await ann.put(path, status="What now?", poll=same))["poll"]) == [1, 0, 0]
    other = await ann.put(path, status="What now?", poll={**same, "options": ["tea", "milk"]})
    assert tally(other["poll"]) == [0, 0]
    assert await vote(ben, other, 1)
    await ann.refused(404, "GET", f"/api/v1/polls/{asked['poll']['id']}")


async def test_a_deleted_post_takes_its_poll_along(ann: Person, ben: Person) -> None:
    asked = await ask(ann)
    await ann.delete(f"/api/v1/statuses/{asked['id']}")
    await ben.refused(404, "GET", f"/api/v1/polls/{asked['poll']['id']}")
    await ben.refused(404, "POST", f"/api/v1/polls/{asked['poll']['id']}/votes", json={"choices": [0]})


async def test_nobody_votes_on_their_own_poll(ann: Person) -> None:
    made = await ann.publish("tea?", poll={"options": ["yes", "no"], "expires_in": 600})
    refusal = await ann.refused(422, "POST", f"/api/v1/polls/{made['poll']['id']}/votes", json={"choices": [0]})
    assert "your own poll" in str(refusal)
    assert (await ann.get(f"/api/v1/polls/{made['poll']['id']}"))["voters_count"] == 0
