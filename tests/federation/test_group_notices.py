"""Who is told of what happens in a group: the table in docs/groups.md, followed row by row.

Every step of the table happens once, over four departments; what everybody was told of it must be what the table says.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from fedcorp.clock import from_ms
from fedcorp.social import accounts
from tests.federation.stage import API, Post, Stage, stage_of
from tests.federation.world import Company, Person
from tests.test_docs import tables

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DOCUMENT = Path(__file__).parents[2] / "docs" / "groups.md"
DAY_MS = 86_400_000

People = dict[str, list[Person]]
Step = Callable[[Stage], AsyncIterator[People]]
STEPS: dict[str, Step] = {}


def step(name: str) -> Callable[[Step], Step]:
    """A step of the table: prepares, yields who is meant by the words of the table, does it, and perhaps yields
    again before it tidies up."""

    def keep(function: Step) -> Step:
        STEPS[name] = function
        return function

    return keep


def rows() -> dict[str, set[tuple[str, str, str]]]:
    """(who, type, from whom) for each step of the table; an empty set when nobody is told."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("## Who is told of what\n")[2]
    (table,) = tables(section)
    found: dict[str, set[tuple[str, str, str]]] = {}
    for name, who, kind, source in table:
        found.setdefault(name, set())
        if who != "nobody":
            found[name].add((who, kind.strip("`"), source))
    return found


Told = set[tuple[str, str, str]]
"""(to whom, type, from whom) as user names."""


async def told(s: Stage) -> dict[tuple[str, str], tuple[str, str]]:
    """All notifications there are: (type, from whom) by (to whom, id)."""
    found = {}
    for name, person in s.people.items():
        for item in await person.get("/api/v1/notifications", limit=80):
            sender = item["account"]
            if sender["group"]:
                assert item["status"]["visibility"] == "direct", "a message to one person"
                assert len(item["status"]["mentions"]) == 1
            found[(name, item["id"])] = (item["type"], sender["username"])
    return found


async def follow(s: Stage, name: str) -> tuple[Told, Told]:
    """Do a step: what the table wants for it, and what was told."""
    play = STEPS[name](s)
    meant = await anext(play)
    unknown = {who for who, _, _ in rows()[name]} - set(meant)
    assert not unknown, f"{name}: the test does not say who {unknown} are"
    await s.settle()
    before = await told(s)
    again = await anext(play, None)
    await s.settle()
    after = await told(s)
    if again is not None:
        await anext(play, None)
        await s.settle()
    sources = {"the group": "robots", "the author": "", "who did it": ""}
    sources |= {who: s.name_of(people[0]) for who, people in meant.items() if who in sources and people}
    wanted = {
        (s.name_of(person), kind, sources[source])
        for who, kind, source in rows()[name] for person in meant[who]
    }  # fmt: skip
    return wanted, {(key[0], *value) for key, value in after.items() if key not in before}


async def test_everybody_is_told_what_the_table_says_and_nobody_else(company: Company) -> None:
    assert set(STEPS) == set(rows()), "every step of the table is played, and no other"
    s = await stage_of(company, "request")
    await company.settle()
    for person in (s.bo, s.abe, s.ben, s.cy):
        await s.follow(person, waits=True)
        await s.approve(s.ann, person)
    await s.give(s.ann, s.bo, "moderator")
    await s.give(s.ann, s.abe, "moderator")
    wrong = {}
    for name in rows():
        wanted, found = await follow(s, name)
        if wanted != found:
            wrong[name] = {"not told": wanted - found, "told too much": found - wanted}
    assert wrong == {}


# -- members ---------------------------------------------------------------------------------------------------------


@step("somebody asks to join")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the moderators": [s.ann, s.bo, s.abe]}
    await s.join(s.di, waits=True, message="please")


@step("a request is taken back")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {}
    await s.di.post(f"/api/v1/accounts/{await s.id_for(s.di)}/unfollow")


@step("somebody joins without asking")
async def _(s: Stage) -> AsyncIterator[People]:
    link = (await s.do(s.ann, "POST", "/link"))["join_link"]
    yield {}
    await s.join(s.di, link=link)
    yield {}
    await s.leave(s.di)


@step("somebody is let in")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.follow(s.di, waits=True)
    yield {"the person": [s.di]}
    await s.approve(s.bo, s.di)
    yield {}
    await s.leave(s.di)


@step("somebody is refused")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.follow(s.di, waits=True)
    yield {"the person": [s.di]}
    await s.reject(s.bo, s.di, "Not now")


@step("somebody is invited")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the person": [s.di]}
    await s.invite(s.cy, s.di, "come in")


@step("an invitation is accepted")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"who invited": [s.cy]}
    await s.follow(s.di)
    yield {}
    await s.leave(s.di)


@step("somebody who had asked is invited")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.follow(s.dan, waits=True)
    yield {"the person": [s.dan]}
    await s.do(s.cy, "POST", "/invites", acct=s.dan.handle)
    s.roles["dan"] = "member"
    yield {}
    await s.leave(s.dan)


@step("an invitation is declined")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.invite(s.cy, s.dan)
    yield {"who invited": [s.cy]}
    await s.do(s.dan, "POST", "/decline")


@step("an invitation is revoked")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.invite(s.cy, s.dan)
    yield {"the person": [s.dan]}
    await s.do(s.bo, "DELETE", f"/invites/{await s.bo.find(s.dan.handle)}")


async def let_in(s: Stage, person: Person) -> None:
    await s.follow(person, waits=True)
    await s.approve(s.ann, person)


@step("a member leaves")
async def _(s: Stage) -> AsyncIterator[People]:
    await let_in(s, s.di)
    yield {}
    await s.leave(s.di)


@step("a member is removed")
async def _(s: Stage) -> AsyncIterator[People]:
    await let_in(s, s.di)
    yield {"the person": [s.di]}
    await s.remove(s.bo, s.di, "Gone elsewhere")


@step("somebody is banned")
async def _(s: Stage) -> AsyncIterator[People]:
    await let_in(s, s.di)
    yield {"the person": [s.di]}
    await s.ban(s.bo, s.di, "Rude")


@step("a ban is lifted")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the person": [s.di]}
    await s.unban(s.bo, s.di)


@step("a ban ends by itself")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.ban(s.bo, s.di, expires_in=60)
    yield {"the person": [s.di]}
    s.company.clock.shift_ms += DAY_MS
    del s.roles["di"]


@step("a role is given")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the person": [s.ben]}
    await s.give(s.ann, s.ben, "moderator")


@step("a role is taken")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the person": [s.ben]}
    await s.give(s.ann, s.ben, "member")


@step("the group is handed over")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the new admin": [s.bo]}
    await s.give(s.ann, s.bo, "admin")
    await s.give(s.ann, s.ann, "member")
    yield {}
    await s.give(s.bo, s.ann, "admin")
    await s.give(s.ann, s.bo, "moderator")


@step("the last admin's account ends")
async def _(s: Stage) -> AsyncIterator[People]:
    gus = await s.home.person("gus")
    s.people["gus"] = gus
    await let_in(s, gus)
    await s.give(s.ann, gus, "admin")
    await s.give(gus, s.ann, "moderator")
    yield {"the new admin": [s.ann]}
    del s.people["gus"], s.roles["gus"]
    await s.home.db.write(lambda tx: accounts.delete(tx, accounts.get(tx, gus.account.id)))
    s.roles["ann"] = "admin"


# -- posts -----------------------------------------------------------------------------------------------------------


@step("somebody posts")
async def _(s: Stage) -> AsyncIterator[People]:
    group = await s.id_for(s.ben)
    await s.ben.post(f"/api/v1/accounts/{group}/follow", notify=True)
    yield {"members with the bell on": [s.ben], "the author": [s.cy]}
    await s.post(s.cy, "hear, hear")
    yield {}
    await s.ben.post(f"/api/v1/accounts/{group}/follow", notify=False)


@step("a post names somebody")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"who is named": [s.abe], "the author": [s.cy]}
    await s.post(s.cy, f"@{s.abe.handle} look")


def latest(s: Stage) -> Post:
    return s.posts[-1]


async def here(s: Stage, person: Person) -> str:
    """The id of the latest post for somebody."""
    return str(await s.status_id(person.department, latest(s)))


@step("somebody answers")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the author": [s.cy], "who did it": [s.ben]}
    post = latest(s)
    await s.reply(s.ben, post, f"@{s.cy.handle} indeed")
    s.posts.insert(0, s.posts.pop())  # the latest is still what was answered


@step("somebody likes a post")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the author": [s.cy], "who did it": [s.ben]}
    await s.ben.post(f"/api/v1/statuses/{await here(s, s.ben)}/favourite")


@step("somebody boosts a post")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the author": [s.cy], "who did it": [s.abe]}
    await s.abe.post(f"/api/v1/statuses/{await here(s, s.abe)}/reblog")


@step("a post is edited")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"who liked or boosted it": [s.ben, s.abe], "the author": [s.cy]}
    text = f"@{s.handle} now hear this"
    assert (await s.cy.send("PUT", f"/api/v1/statuses/{latest(s).id}", status=text)).is_success
    latest(s).text = "now hear this"


@step("a poll ends")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.post(s.cy, "tea?", poll={"options": ["yes", "no"], "expires_in": 3600})
    asked = (await s.ben.get(f"/api/v1/statuses/{await here(s, s.ben)}"))["poll"]
    await s.ben.post(f"/api/v1/polls/{asked['id']}/votes", choices=[0])
    yield {"the author": [s.cy], "who voted": [s.ben]}
    s.company.clock.shift_ms += DAY_MS


@step("a post is held")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.do(s.ann, "PATCH", premoderated=True)
    yield {"the author": [s.cy], "the moderators": [s.ann, s.bo, s.abe]}
    await s.post(s.cy, "may I?", state="held")


@step("a held post is accepted")
async def _(s: Stage) -> AsyncIterator[People]:
    assert await s.held(s.bo) == ["may I?"]
    yield {"the author": [s.cy]}
    await s.judge(s.bo, latest(s), "approve")


@step("a held post is rejected")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.post(s.cy, "and this?", state="held")
    assert await s.held(s.bo) == ["and this?"]
    yield {"the author": [s.cy]}
    await s.judge(s.bo, latest(s), "reject", "Elsewhere")
    yield {}
    await s.do(s.ann, "PATCH", premoderated=False)


@step("a post is removed")
async def _(s: Stage) -> AsyncIterator[People]:
    await s.post(s.cy, "off topic")
    yield {"the author": [s.cy]}
    await s.judge(s.bo, latest(s), "remove", "Off topic")


@step("a post is restored")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the author": [s.cy]}
    await s.judge(s.bo, latest(s), "restore")


@step("a thread is locked")
async def _(s: Stage) -> AsyncIterator[People]:
    answer = await s.reply(s.ben, latest(s), "no, it is not")
    yield {"the author": [s.cy]}
    await s.judge(s.bo, answer, "lock", "Enough of this")


@step("a thread is unlocked")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the author": [s.cy]}
    await s.judge(s.bo, latest(s), "unlock")


@step("a post is pinned")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {}
    await s.judge(s.bo, latest(s), "pin")


@step("a post is unpinned")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {}
    await s.judge(s.bo, latest(s), "unpin")


@step("somebody writes to the group alone")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the moderators": [s.ann, s.bo, s.abe]}
    await s.cy.publish(f"@{s.handle} who may post here?", visibility="direct")


@step("something is reported")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the moderators": [s.ann, s.bo, s.abe]}
    await s.do(s.cy, "POST", "/reports", account_id=await s.cy.find(s.ben.handle), status_ids=[], comment="rude")


@step("a report is resolved")
async def _(s: Stage) -> AsyncIterator[People]:
    (item,) = await s.bo.get(f"{API}/{await s.id_for(s.bo)}/reports")
    yield {"who reported": [s.cy]}
    await s.do(s.bo, "POST", f"/reports/{item['id']}/resolve")


# -- the group itself ------------------------------------------------------------------------------------------------


@step("the rules are changed")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the moderators": [s.bo, s.abe]}
    await s.do(s.ann, "PATCH", purpose="To talk")


@step("the group is archived")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the moderators": [s.bo, s.abe]}
    await s.do(s.ann, "PATCH", archived=True)


@step("the group is opened again")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"the moderators": [s.bo, s.abe]}
    await s.do(s.ann, "PATCH", archived=False)


@step("the group ends on its day")
async def _(s: Stage) -> AsyncIterator[People]:
    ends = s.company.clock.ms() + DAY_MS
    await s.do(s.ann, "PATCH", ends_at=_iso(ends))
    yield {"the moderators": [s.ann, s.bo, s.abe]}
    s.company.clock.shift_ms += 2 * DAY_MS
    yield {}
    await s.do(s.ann, "PATCH", archived=False)


def _iso(ms: int) -> Any:
    return from_ms(ms).isoformat().replace("+00:00", "Z")


@step("a wish is refused")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {"who wished": [s.bo]}
    abe = await s.bo.find(s.abe.handle)
    await s.do(s.bo, "DELETE", f"/members/{abe}", refused="Only admins of the group may do this to a moderator.")


@step("the group is deleted")
async def _(s: Stage) -> AsyncIterator[People]:
    yield {}
    s.gone = True
    await s.do(s.ann, "DELETE")
