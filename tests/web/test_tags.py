"""Hashtags: look at one, follow it, and see which are used."""

import pytest

from tests.web.instance import ORIGIN, Office, Person

pytestmark = pytest.mark.anyio


async def test_a_tag_tells_how_it_was_used(office: Office, ann: Person, ben: Person) -> None:
    await ann.publish("#Budget and #budget")
    await ann.publish("#budget again")
    await ben.publish("my #BUDGET", visibility="unlisted")
    await ben.publish("my #budget")
    shown = await ann.get("/api/v1/tags/Budget")
    assert (shown["name"], shown["url"], shown["following"]) == (
        "budget",
        f"{ORIGIN}/tags/budget",
        False,
    )
    today, *before = shown["history"]
    assert (today["uses"], today["accounts"]) == ("3", "2")
    assert len(before) == 6
    assert all((day["uses"], day["accounts"]) == ("0", "0") for day in before)
    assert int(today["day"]) % 86_400 == 0
    office.clock.pass_(seconds=86_400)
    assert [day["uses"] for day in (await ann.get("/api/v1/tags/budget"))["history"]][:2] == ["0", "3"]


async def test_a_tag_that_nobody_used_is_a_tag(ann: Person) -> None:
    assert (await ann.get("/api/v1/tags/unused"))["history"][0]["uses"] == "0"
    await ann.refused(404, "GET", "/api/v1/tags/%20")


async def test_followed_tags_come_home(ann: Person, ben: Person) -> None:
    before = await ben.publish("#launch is near")
    assert (await ann.post("/api/v1/tags/Launch/follow"))["following"] is True
    assert (await ann.post("/api/v1/tags/launch/follow"))["following"] is True
    here = await ben.publish("#LAUNCH is now")
    hidden = await ben.publish("#launch for me", visibility="private")
    home = await ann.home()
    assert here["id"] in home
    assert before["id"] not in home
    assert hidden["id"] not in home
    assert [tag["name"] for tag in await ann.get("/api/v1/followed_tags")] == ["launch"]
    assert (await ann.post("/api/v1/tags/launch/unfollow"))["following"] is False
    assert (await ben.publish("#launch is over"))["id"] not in await ann.home()
    assert await ann.get("/api/v1/followed_tags") == []


@pytest.mark.parametrize("name", ["a%20b", "12345", "%23", "x" * 300])
async def test_what_is_no_tag_is_not_followed(ann: Person, name: str) -> None:
    assert "is no hashtag" in await ann.refused(422, "POST", f"/api/v1/tags/{name}/follow")
    assert await ann.get("/api/v1/followed_tags") == []


async def test_followed_tags_have_pages(ann: Person) -> None:
    for name in ("one", "two", "three"):
        await ann.post(f"/api/v1/tags/{name}/follow")
    response = await ann.ask("GET", "/api/v1/followed_tags", params={"limit": 2})
    assert [tag["name"] for tag in response.json()] == ["three", "two"]
    rest = await ann.ask("GET", response.links["next"]["url"].removeprefix(ORIGIN))
    assert [tag["name"] for tag in rest.json()] == ["one"]


async def test_most_used_counts_people_and_what_one_may_see(office: Office, ann: Person, ben: Person) -> None:
    for _ in range(3):
        await ann.publish("#alone")
    await ann.publish("#shared #open", reach="public")
    await ben.publish("#shared")
    await ben.publish("#open #another", reach="public")
    cat = await office.person("cat")
    await cat.publish("#shared #another #secret")
    await ben.publish("#secret", visibility="private")
    for path in ("/api/v1/trends/tags", "/api/v1/trends"):
        assert [tag["name"] for tag in await ann.get(path)] == ["shared", "another", "open"]
    assert [tag["name"] for tag in await ann.get("/api/v1/trends/tags", limit=1, offset=1)] == ["another"]
    assert [tag["name"] for tag in await office.anybody.get("/api/v1/trends/tags")] == ["open"]
    office.clock.pass_(seconds=8 * 86_400)
    assert await ann.get("/api/v1/trends/tags") == []
