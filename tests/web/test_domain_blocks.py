"""Domains that somebody keeps away: whoever lives there is gone from every list, for this person alone."""

from typing import Any

import pytest

from fedcorp.social import accounts, follows, interactions, receiving, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.receiving import RemoteStatus
from fedcorp.social.statuses import Status
from tests.web.instance import Office, Person
from tests.web.test_streaming import events

pytestmark = pytest.mark.anyio
PATH = "/api/v1/domain_blocks"
AWAY = "sales.localhost"


async def write(office: Office, author: Account, text: str, **values: Any) -> Status:
    """A post of another department comes in."""
    remote = RemoteStatus(
        uri=f"{author.uri}/{text.replace(' ', '-')}", url=None, account=author, visibility="public", reach="company",
        content=f"<p>{text}</p>", text=text, created_at=office.clock.ms(), **values,
    )  # fmt: skip
    made = await office.db.write(receiving.receive, remote)
    assert made is not None
    return made


async def follow(office: Office, follower: Account, person: Person) -> None:
    """Somebody of another department follows one of ours."""
    await office.db.write(follows.follow, follower, person.account, uri=f"{follower.uri}/follow/{person.id}")


async def test_domains_are_listed_and_taken_back(office: Office, ann: Person, ben: Person) -> None:
    for domain in ("nobody.example", " Sales.LOCALHOST. ", "bücher.example", "nobody.example", "dev.localhost:8001"):
        assert await ann.post(PATH, domain=domain) == {}
    wanted = ["dev.localhost:8001", "xn--bcher-kva.example", AWAY, "nobody.example"]
    assert await ann.get(PATH) == wanted
    assert await ben.get(PATH) == []
    first = await ann.ask("GET", PATH, params={"limit": 3})
    assert first.json() == wanted[:3]
    rest = await ann.http.get(first.links["next"]["url"])
    assert rest.json() == wanted[3:]
    assert await ann.delete(PATH, domain="SALES.localhost") == {}
    assert await ann.delete(PATH, domain="never.example") == {}
    assert await ann.get(PATH) == [wanted[0], wanted[1], wanted[3]]
    for bad in ("", " ", "two words", "a/b", "-", "x" * 300, "https://a.example", office.instance.config.domain):
        await ann.refused(422, "POST", PATH, json={"domain": bad})
    await ann.refused(422, "POST", PATH)
    await ann.refused(422, "DELETE", PATH, json={"domain": "two words"})


async def test_who_lives_there_is_seen_nowhere(office: Office, ann: Person, ben: Person) -> None:
    ada, kim = await office.colleague("ada"), await office.colleague("kim", "dev.localhost")
    for person in (ann, ben):
        await person.post("/api/v1/tags/tea/follow")
    root = await ann.publish("who wants tea")
    parent = {"in_reply_to_uri": root["uri"]}
    theirs = await write(office, ada, "tea for ada", tags=("tea",), mentions=((int(ann.id), False),), **parent)
    others = await write(office, kim, "tea for kim", tags=("tea",), mentions=((int(ann.id), False),), **parent)
    await office.db.write(interactions.favourite, ada, await office.db.read(statuses.get, int(root["id"])))
    lists = ("/api/v1/timelines/tag/tea", "/api/v1/timelines/home", f"/api/v1/accounts/{ada.id}/statuses")

    async def seen(who: Person) -> dict[str, bool]:
        found = {path: str(theirs.id) in await who.ids(path) for path in lists}
        context = await who.get(f"/api/v1/statuses/{root['id']}/context")
        found["context"] = str(theirs.id) in [item["id"] for item in context["descendants"]]
        search = await who.get("/api/v2/search", q="tea")
        found["posts found"] = str(theirs.id) in [item["id"] for item in search["statuses"]]
        found["people found"] = "ada@sales.localhost" in [
            item["acct"] for item in (await who.get("/api/v2/search", q="ada"))["accounts"]
        ]
        found["favourited"] = str(ada.id) in await who.ids(f"/api/v1/statuses/{root['id']}/favourited_by")
        found["itself"] = (await who.ask("GET", f"/api/v1/statuses/{theirs.id}")).status_code == 200
        return found

    assert set((await seen(ann)).values()) == {True}, await seen(ann)
    assert {("mention", "ada@sales.localhost"), ("favourite", "ada@sales.localhost")} <= set(await ann.notified())
    await ann.post(PATH, domain=AWAY)
    assert set((await seen(ann)).values()) == {False}, await seen(ann)
    assert {who for _, who in await ann.notified()} == {"kim@dev.localhost"}
    assert set((await seen(ben)).values()) == {True}, "it is for this person alone"
    assert str(others.id) in await ann.ids(lists[0])
    await write(office, ada, "more tea", tags=("tea",), mentions=((int(ann.id), False),))
    second = await ann.publish("and who wants cake")
    for other in (ada, kim):
        await office.db.write(interactions.favourite, other, await office.db.read(statuses.get, int(second["id"])))
    assert ("favourite", "kim@dev.localhost") in await ann.notified()
    assert {who for _, who in await ann.notified()} == {"kim@dev.localhost"}
    assert [(await ann.relationship(str(one.id)))["domain_blocking"] for one in (ada, kim)] == [True, False]
    await ann.delete(PATH, domain=AWAY)
    assert set((await seen(ann)).values()) == {True}
    assert (await ann.relationship(str(ada.id)))["domain_blocking"] is False


async def test_follows_end_both_ways_and_none_begin(office: Office, ann: Person, ben: Person) -> None:
    ada, kim = await office.colleague("ada"), await office.colleague("kim", "dev.localhost")
    for other in (ada, kim):
        for person in (ann, ben):
            await person.follow(str(other.id))
            await office.db.write(follows.accept, int(person.id), other.id)
            await follow(office, other, person)
    list_ = await ann.post("/api/v1/lists", title="all")
    await ann.post(f"/api/v1/lists/{list_['id']}/accounts", account_ids=[str(ada.id), str(kim.id)])
    await ann.post(PATH, domain=AWAY)
    stands = [
        (item["following"], item["followed_by"])
        for item in [await ann.relationship(str(ada.id)), await ann.relationship(str(kim.id))]
    ]
    assert stands == [(False, False), (True, True)]
    mine = await office.db.read(accounts.get, int(ann.id))
    assert (mine.followers_count, mine.following_count) == (1, 1)
    assert await ann.ids(f"/api/v1/lists/{list_['id']}/accounts") == [str(kim.id)]
    assert (await ben.relationship(str(ada.id)))["following"] is True
    await ann.refused(403, "POST", f"/api/v1/accounts/{ada.id}/follow")
    eve = await office.colleague("eve")  # who was not known when the domain was blocked
    with pytest.raises(Exception, match="cannot be followed"):
        await follow(office, eve, ann)
    await ann.delete(PATH, domain=AWAY)
    await follow(office, eve, ann)
    assert (await ann.relationship(str(eve.id)))["followed_by"] is True


async def test_streams_leave_them_out(office: Office, ann: Person, ben: Person) -> None:
    ada, kim = await office.colleague("ada"), await office.colleague("kim", "dev.localhost")
    await ann.post(PATH, domain=AWAY)
    async with events(office, ann, "public") as stream, events(office, ben, "public") as other:
        theirs = await write(office, ada, "not for ann")
        others = await write(office, kim, "for all")
        assert (await stream.next())[1]["id"] == str(others.id)
        assert (await other.next())[1]["id"] == str(theirs.id)
