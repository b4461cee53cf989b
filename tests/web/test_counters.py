"""Counters under 32 parallel writers: afterwards each number is what the rows say, and what the API shows.

Sixteen people with two devices each do and undo everything that is counted, all on the same few posts and accounts, and
each device the same in the same moment as the other. The numbers are counted anew here, in words of their own.
"""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import (
    accounts,
    favourites,
    follows,
    memberships,
    poll_options,
    poll_votes,
    polls,
    status_reactions,
    statuses,
)
from tests.web.club import walk
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio

PEOPLE, DEVICES, ROUNDS = 16, 2, 2
GROUPS = "/api/fedcorp/v1/groups"
Act = tuple[str, str, dict[str, Any]]


async def test_counters_are_exact_under_parallel_writers(office: Office) -> None:
    people = [await office.person(f"p{number}") for number in range(PEOPLE)]
    group = await office.group(people[0], "chess")
    words = [await person.publish(f"word of {person.name}") for person in people[:3]]
    poll = await people[0].publish("which?", poll={"options": ["a", "b", "c"], "expires_in": 3600, "multiple": True})
    doomed = [await people[1].publish(f"soon gone {number}") for number in range(2)]
    for person in people:  # what shows a number while it changes must not keep it
        for word in words:
            await person.get(f"/api/v1/statuses/{word['id']}")
    stage = Stage(people, group, [word["id"] for word in words], [each["id"] for each in doomed], poll["poll"]["id"])
    writers = [device(stage, person) for person in people for _ in range(DEVICES)]
    await asyncio.gather(*writers)
    assert await office.db.read(counted) == await office.db.read(recounted)
    await shown_as_counted(stage, poll["id"])


class Stage:
    """What everybody fights over."""

    def __init__(self, people: list[Person], group: str, words: list[str], doomed: list[str], poll: str) -> None:
        self.people, self.group, self.words, self.doomed, self.poll = people, group, words, doomed, poll

    def acts(self, person: Person) -> Iterator[Act]:
        """What a device of this person does; both devices do the same."""
        dice = random.Random(person.name)
        everything: list[Act] = []
        for word in (*self.words, *self.doomed):
            path = f"/api/v1/statuses/{word}"
            for verb in ("favourite", "reblog"):
                everything += [("POST", f"{path}/{verb}", {}), ("POST", f"{path}/un{verb}", {})] * ROUNDS
            for emoji in ("☕", "👎"):
                everything += [("POST", f"{path}/react/{emoji}", {}), ("POST", f"{path}/unreact/{emoji}", {})] * ROUNDS
            everything += [("POST", "/api/v1/statuses", {"status": "reply", "in_reply_to_id": word})] * ROUNDS
            everything += [("POST", "/api/v1/statuses", {"status": "quote", "quoted_status_id": word})] * ROUNDS
        for other in self.people[:3]:
            path = f"/api/v1/accounts/{other.id}"
            everything += [("POST", f"{path}/{verb}", {}) for verb in ("follow", "unfollow", "remove_from_followers")]
            everything += [("POST", f"{path}/follow", {})] * ROUNDS
        everything += [("POST", f"{GROUPS}/{self.group}/{verb}", {}) for verb in ("join", "leave", "join")] * ROUNDS
        everything.append(("POST", f"/api/v1/polls/{self.poll}/votes", {"choices": dice.sample(range(3), 2)}))
        everything += [("DELETE", "last", {})] * ROUNDS * 4
        if person is self.people[1]:
            everything += [("DELETE", f"/api/v1/statuses/{word}", {}) for word in self.doomed]
        dice.shuffle(everything)
        return iter(everything)


async def device(stage: Stage, person: Person) -> None:
    """Do it all; a refusal (voted already, gone meanwhile) is an answer, a fault is not."""
    own: list[str] = []
    for method, path, body in stage.acts(person):
        if path == "last":
            if not own:
                continue
            path = f"/api/v1/statuses/{own.pop()}"
        response = await person.ask(method, path, **({"json": body} if method == "POST" else {}))
        assert response.status_code in (200, 404, 422), (method, path, response.status_code, response.text)
        if response.is_success and (path == "/api/v1/statuses" or path.endswith("/reblog")):
            own.append(response.json()["id"])


# -- the numbers -----------------------------------------------------------------------------------------------------


_REMEMBERED = ("replies", "reblogs", "favourites", "quotes", "reactions")


def counted(tx: Tx) -> dict[tuple[str, Any], int]:
    """What the counters say; of what is gone nobody is told any."""
    found: dict[tuple[str, Any], int] = {}
    for row in tx.conn.execute(sa.select(statuses).where(statuses.c.deleted_at.is_(None))):
        found |= {(name, row.id): getattr(row, f"{name}_count") for name in _REMEMBERED}
    for row in tx.conn.execute(sa.select(accounts)):
        found |= {(name, row.id): getattr(row, f"{name}_count") for name in ("statuses", "followers", "following")}
    for row in tx.conn.execute(sa.select(poll_options)):
        found["votes", (row.poll_id, row.position)] = row.votes_count
    for row in tx.conn.execute(sa.select(polls)):
        found["voters", row.id] = row.voters_count
    return {what: number for what, number in found.items() if number}


def recounted(tx: Tx) -> dict[tuple[str, Any], int]:
    """What the rows say. All here is public, so that every answer and quote counts."""
    alive = {row.id: row for row in tx.conn.execute(sa.select(statuses).where(statuses.c.deleted_at.is_(None)))}
    accepted = list(tx.conn.execute(sa.select(follows).where(follows.c.state == "accepted")))
    votes = list(tx.conn.execute(sa.select(poll_votes)))
    given = list(tx.conn.execute(sa.select(status_reactions)))
    implied = tx.conn.execute(sa.select(favourites).where(favourites.c.implied))
    implying = {(row.account_id, row.status_id) for row in given if row.name != "👎"}
    assert {pair for row in implied if (pair := (row.account_id, row.status_id))[1] in alive} <= implying
    liked = {(row.account_id, row.status_id) for row in tx.conn.execute(sa.select(favourites))}
    assert implying <= liked, "who reacted counts among those who favourited"
    things = [
        *(("replies", row.in_reply_to_id) for row in alive.values()),
        *(("reblogs", row.reblog_of_id) for row in alive.values()),
        *(("quotes", row.quoted_id) for row in alive.values() if row.quote_state == "accepted"),
        *(("favourites", row.status_id) for row in tx.conn.execute(sa.select(favourites))),
        *(("reactions", row.status_id) for row in given),
    ]
    things = [(name, id_) for name, id_ in things if id_ in alive]
    things += [("statuses", row.account_id) for row in alive.values()]
    things += [("followers", row.target_id) for row in accepted] + [("following", row.follower_id) for row in accepted]
    things += [("votes", (row.poll_id, row.position)) for row in votes]
    things += [("voters", poll_id) for poll_id, _ in {(row.poll_id, row.account_id) for row in votes}]
    members = set(tx.conn.execute(sa.select(memberships.c.group_id, memberships.c.account_id)))
    following = {(row.target_id, row.follower_id) for row in accepted}
    groups = {group_id for group_id, _ in members}
    assert members == {pair for pair in following if pair[0] in groups}, "members are those who follow"
    found: dict[tuple[str, Any], int] = {}
    for thing in things:
        found[thing] = found.get(thing, 0) + 1
    return found


async def shown_as_counted(stage: Stage, poll_status: str) -> None:
    """Every number that clients are shown is as long as the list that they are shown."""
    reader = stage.people[-1]
    for word in stage.words:
        path = f"/api/v1/statuses/{word}"
        shown = await reader.get(path)
        below = (await reader.get(f"{path}/context"))["descendants"]
        assert shown["replies_count"] == sum(each["in_reply_to_id"] == word for each in below)
        assert shown["favourites_count"] == len(await reader.ids(f"{path}/favourited_by", limit=80))
        given = await walk(reader, f"{path}/reactions", 40)
        assert sum(each["count"] for each in shown["reactions"]) == len(given)
        assert shown["reblogs_count"] == len(await reader.ids(f"{path}/reblogged_by", limit=80))
        assert shown["quotes_count"] == len(await walk(reader, f"{path}/quotes", 40))
    for person in stage.people:
        shown = await reader.get(f"/api/v1/accounts/{person.id}")
        assert shown["followers_count"] == len(await person.ids(f"/api/v1/accounts/{person.id}/followers", limit=80))
        assert shown["following_count"] == len(await person.ids(f"/api/v1/accounts/{person.id}/following", limit=80))
    group = await stage.people[0].get(f"{GROUPS}/{stage.group}")
    members = await stage.people[0].get(f"{GROUPS}/{stage.group}/members", limit=80)
    assert group["members_count"] == len(members)
    assert (await reader.get(f"/api/v1/accounts/{stage.group}"))["followers_count"] == len(members)
    poll = (await reader.get(f"/api/v1/statuses/{poll_status}"))["poll"]
    voters = PEOPLE - 1  # its author may not
    assert poll["voters_count"] == voters
    assert poll["votes_count"] == sum(option["votes_count"] for option in poll["options"]) == 2 * voters
