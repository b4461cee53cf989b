"""Whom people show on their profile: only those whom they follow, and never more than the reader may know."""

import pytest

from tests.web.instance import ORIGIN, Office, Person

pytestmark = pytest.mark.anyio
OWN = "/api/v1/endorsements"


def of(person: Person) -> str:
    return f"/api/v1/accounts/{person.id}/endorsements"


@pytest.mark.parametrize(("verb", "undo"), [("endorse", "unendorse"), ("pin", "unpin")])
async def test_it_is_shown_and_taken_back(ann: Person, ben: Person, verb: str, undo: str) -> None:
    assert "following" in await ann.refused(422, "POST", f"/api/v1/accounts/{ben.id}/{verb}")
    await ann.follow(ben)
    for _ in range(2):
        assert (await ann.towards(ben, verb))["endorsed"] is True
    assert (await ann.relationship(ben))["endorsed"] is True
    assert (await ben.relationship(ann))["endorsed"] is False
    assert await ann.ids(OWN) == await ann.ids(of(ann)) == await ben.ids(of(ann)) == [ben.id]
    assert await ben.ids(OWN) == await ann.ids(of(ben)) == []
    for _ in range(2):
        assert (await ann.towards(ben, undo))["endorsed"] is False
    assert await ben.ids(of(ann)) == []


@pytest.mark.parametrize("who_ends", ["ann unfollows", "ben removes", "ben blocks"])
async def test_it_ends_with_the_follow(ann: Person, ben: Person, who_ends: str) -> None:
    await ann.follow(ben)
    await ann.towards(ben, "endorse")
    match who_ends:
        case "ann unfollows":
            await ann.towards(ben, "unfollow")
        case "ben removes":
            await ben.towards(ann, "remove_from_followers")
        case _:
            await ben.towards(ann, "block")
            await ben.towards(ann, "unblock")
    await ann.follow(ben)
    assert await ann.ids(OWN) == []
    assert (await ann.relationship(ben))["endorsed"] is False


async def test_who_asked_to_follow_does_not_yet(ann: Person, ben: Person) -> None:
    await ben.patch("/api/v1/accounts/update_credentials", locked=True)
    await ann.follow(ben)
    await ann.refused(422, "POST", f"/api/v1/accounts/{ben.id}/endorse")
    await ann.refused(422, "POST", f"/api/v1/accounts/{ann.id}/endorse")


async def test_groups_of_members_are_shown_to_members(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    open_ = await office.group(ben, "chess")
    private, secret = await office.group(ann, "club", "private"), await office.group(ann, "plot", "secret")
    await ann.follow(open_)
    for group in (open_, private, secret):
        assert (await ann.towards(group, "endorse"))["endorsed"] is True
    await ann.post(f"/api/fedcorp/v1/groups/{private}/invites", acct="cid")
    await cid.follow(private)
    assert await ann.ids(OWN) == [secret, private, open_]
    assert await ben.ids(of(ann)) == [open_]
    assert await cid.ids(of(ann)) == [private, open_]
    await office.anybody.refused(401, "GET", of(ann))


async def test_who_blocks_is_not_shown_to_whom(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    await ann.follow(ben)
    await ann.towards(ben, "endorse")
    await ben.towards(cid, "block")
    assert await cid.ids(of(ann)) == []


async def test_it_has_pages(office: Office, ann: Person) -> None:
    others = [await office.person(name) for name in ("one", "two", "three")]
    for other in others:
        await ann.follow(other)
        await ann.towards(other, "endorse")
    response = await ann.ask("GET", OWN, params={"limit": 2})
    assert [item["username"] for item in response.json()] == ["three", "two"]
    rest = await ann.ask("GET", response.links["next"]["url"].removeprefix(ORIGIN))
    assert [item["username"] for item in rest.json()] == ["one"]
