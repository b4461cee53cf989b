"""Groups while a server is away: what people do waits, is shown as pending, and ends as it would have; whoever comes
back catches up, with what moderators decided meanwhile.
"""

from typing import Any

import pytest

from tests.federation.stage import API, Stage, stage_of
from tests.federation.world import Company, Person

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.once]

GROUPS: dict[str, tuple[str, dict[str, Any]]] = {
    "open": ("open", {}),
    "request": ("request", {}),
    "private": ("private", {}),
    "announcement": ("announcement", {}),
    "announcement that only members read": ("announcement", {"reading": "members"}),
    "secret": ("secret", {}),
}
every_group = pytest.mark.parametrize("kind", GROUPS)


async def let_in(s: Stage, person: Person, *, preset: str) -> None:
    """Somebody joins, as the preset wants it."""
    if preset == "secret":
        await s.invite(s.ann, person)
        await s.follow(person)
    elif preset in ("request", "private"):
        await s.follow(person, waits=True)
        await s.approve(s.ann, person)
    else:
        await s.follow(person)


async def busy(company: Company, kind: str) -> Stage:
    """A group with members in three departments: bo moderates from operations, cy (people) may post."""
    preset, settings = GROUPS[kind]
    s = await stage_of(company, preset, **settings)
    for person in (s.bo, s.ben, s.cy, s.cleo):
        await let_in(s, person, preset=preset)
    await s.give(s.ann, s.bo, "moderator")
    if preset == "announcement":
        await s.give(s.ann, s.cy, "moderator")
    return s


async def pending(s: Stage, person: Person) -> list[str]:
    """What somebody still waits for."""
    return [item["act"] for item in (await s.view(person))["pending"] if item["state"] == "pending"]


@every_group
async def test_what_people_do_while_the_groups_server_is_away_waits_and_then_happens(
    company: Company, kind: str
) -> None:
    s = await busy(company, kind)
    first = await s.post(s.cy, "before")
    other = await s.post(s.ann, "by ann, before")
    if not s.secret:
        assert await s.finds(s.di)
    async with s.without(s.home):
        late = await s.post(s.cy, "while nobody hears me")
        assert await s.place(s.cy, late) == ("pending", "", False, False)
        own = await s.reply(s.cy, late, "nor now")
        assert await s.place(s.cy, own) == ("pending", "", False, False)
        await s.judge(s.bo, first, "pin")
        await s.judge(s.bo, other, "remove", "Out of date")
        await s.remove(s.bo, s.cleo, "Went to another team")
        assert await pending(s, s.bo) == ["remove", "judge", "judge"]
        assert (await s.place(s.bo, first))[3] is False, "nothing has happened yet"
        await s.leave(s.ben)
        if not s.secret:
            await s.join(s.di, waits=s.joining_waits, message="is anybody there?")
            assert (await s.view(s.di))["requested"]
        meanwhile = await s.post(s.ann, "from within")
        assert "from within" in await s.listed(s.ann)
    assert await pending(s, s.bo) == []
    assert await s.place(s.cy, late) == ("distributed", "", False, False)
    if s.joining_waits and not s.secret:
        await s.approve(s.bo, s.di)
    for post in (late, own, meanwhile):
        assert post.words in await s.listed(s.bo)
    if not s.secret:
        assert "while nobody hears me" in await s.listed(s.di), "old posts come with joining"


@every_group
async def test_a_department_that_was_away_catches_up_with_what_moderators_decided(company: Company, kind: str) -> None:
    s = await busy(company, kind)
    mine = await s.post(s.cy, "mine")
    thread = await s.post(s.ann, "a thread")
    seen = str(await s.status_id(s.cy.department, thread))
    async with s.without(s.cy.department):
        await s.judge(s.bo, mine, "remove", "Not here")
        await s.judge(s.bo, thread, "lock")
        await s.judge(s.ann, thread, "pin")
        await s.ban(s.bo, s.cleo, "Rude")
        await s.do(s.ann, "PATCH", title="Renamed", purpose="Something else")
        news = await s.post(s.ann, "news")
        await s.post(s.bo, "more news")
        assert await s.place(s.cy, mine) == ("distributed", "", False, False), "nobody could tell them"
        assert (await s.view(s.cy))["title"] == "Robots"
        await s.post(s.cy, "I am alone")
        late = await s.cy.publish("too late", in_reply_to_id=seen)
    assert (await s.view(s.cy))["title"] == "Renamed"
    assert await s.place(s.cy, mine) == ("removed", "Not here", False, False)
    assert await s.place(s.cy, thread) == ("distributed", "", True, True)
    assert news.words in await s.listed(s.cy)
    (place,) = await s.cy.get(f"/api/fedcorp/v1/statuses/{late['id']}/groups")
    assert (place["state"], place["reason"]) == ("rejected", "This thread is locked.")
    assert (await s.send(s.cleo, "GET")).status_code == (404 if s.secret else 200)
    assert s.reads(s.cleo, news) is False


async def test_who_is_banned_while_their_department_is_away_is_out_when_it_returns(company: Company) -> None:
    s = await busy(company, "private")
    await s.remove(s.ann, s.cleo)
    await s.post(s.ann, "before")
    async with s.without(s.cy.department):
        await s.ban(s.bo, s.cy, "Rude")
        await s.post(s.ann, "without cy")
        late = await s.post(s.cy, "can you hear me?", state="rejected", reason="Only members post here.")
        assert await s.place(s.cy, late) == ("pending", "", False, False)
    assert (await s.view(s.cy))["role"] == "outcast"
    assert ("mention", s.handle) in await s.cy.notifications()


async def test_a_moderator_who_is_none_any_more_is_refused_when_their_department_returns(company: Company) -> None:
    s = await busy(company, "open")
    post = await s.post(s.cy, "stays")
    async with s.without(s.bo.department):
        here = await s.status_id(s.bo.department, post)
        await s.give(s.ann, s.bo, "member")
        refused = "Only moderators of the group may do this."
        await s.do(s.bo, "POST", f"/statuses/{here}/remove", refused=refused)
        await s.do(s.bo, "POST", "/bans", acct=s.cy.handle, refused=refused)
        assert await pending(s, s.bo) == ["ban", "judge"]
    assert await s.bo.get(f"{API}/{await s.id_for(s.bo)}/members")
    assert await pending(s, s.bo) == []
