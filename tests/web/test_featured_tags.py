"""Hashtags on profiles: kept, suggested, and counted by what everybody may read."""

import pytest

from fedcorp.social import featured_tags
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio
PATH = "/api/v1/featured_tags"


async def test_it_is_shown_to_all_with_what_everybody_may_read(office: Office, ann: Person, ben: Person) -> None:
    await ann.post(PATH, name="#Budget")
    await ann.publish("#budget", reach="public")
    await ann.publish("#Budget again", visibility="unlisted")
    seen = (await ann.get(PATH))[0]
    assert (seen["name"], seen["statuses_count"]) == ("budget", "2")
    assert seen["last_status_at"] is not None
    office.clock.pass_(seconds=3 * 86_400)
    await ann.publish("#budget for few", visibility="private")
    await ann.publish("@ben #budget", visibility="direct")
    await ben.publish("#budget of somebody else")
    await ben.follow(ann)
    await ben.towards(ann, "unblock")
    for who in (ann, ben):
        assert await who.get(f"/api/v1/accounts/{ann.id}/featured_tags") == [seen], who.name
    (open_,) = await office.anybody.get(f"/api/v1/accounts/{ann.id}/featured_tags")
    assert (open_["id"], open_["statuses_count"]) == (seen["id"], "1")
    assert await ann.get(PATH) == [seen]
    assert await ben.get(PATH) == await ann.get(f"/api/v1/accounts/{ben.id}/featured_tags") == []
    await ann.refused(404, "GET", "/api/v1/accounts/1/featured_tags")


async def test_posts_of_a_group_are_not_counted(office: Office, ann: Person, ben: Person) -> None:
    group = await office.group(ann, "club", "private")
    await ann.publish("@club #budget", visibility="public")
    assert group
    await ann.post(PATH, name="budget")
    (shown,) = await ben.get(f"/api/v1/accounts/{ann.id}/featured_tags")
    assert (shown["statuses_count"], shown["last_status_at"]) == ("0", None)


async def test_one_keeps_and_drops_them(ann: Person, ben: Person) -> None:
    first = await ann.post(PATH, name="one")
    assert await ann.post(PATH, name="#One") == first
    assert (await ann.post("/api/v1/tags/two/feature"))["featuring"] is True
    assert (await ann.get("/api/v1/tags/Two"))["featuring"] is True
    assert (await ben.get("/api/v1/tags/two"))["featuring"] is False
    assert [item["name"] for item in await ann.get(PATH)] == ["one", "two"]
    await ben.refused(404, "DELETE", f"{PATH}/{first['id']}")
    assert await ann.delete(f"{PATH}/{first['id']}") == {}
    await ann.refused(404, "DELETE", f"{PATH}/{first['id']}")
    for _ in range(2):
        assert (await ann.post("/api/v1/tags/two/unfeature"))["featuring"] is False
    assert await ann.get(PATH) == []


async def test_there_is_a_most(ann: Person) -> None:
    for number in range(featured_tags.MAX_FEATURED):
        await ann.post(PATH, name=f"tag{number}")
    assert "at most" in await ann.refused(422, "POST", PATH, json={"name": "more"})
    await ann.refused(422, "POST", "/api/v1/tags/more/feature")
    await ann.post(PATH, name="tag3")


async def test_what_is_no_tag_is_not_featured(ann: Person) -> None:
    for name in ("a b", "12345", "#", "x" * 300):
        await ann.refused(422, "POST", PATH, json={"name": name})
    await ann.refused(422, "POST", "/api/v1/tags/12345/feature")
    await ann.refused(422, "POST", PATH, json={})
    assert await ann.get(PATH) == []


async def test_the_last_used_are_suggested(office: Office, ann: Person, ben: Person) -> None:
    for text in ("#old", "#kept", "#new"):
        await ann.publish(text)
        office.clock.pass_(seconds=60)
    await ann.publish("#quiet", visibility="private")
    await ben.publish("#other")
    await ann.post(PATH, name="kept")
    found = await ann.get(f"{PATH}/suggestions")
    assert [(item["name"], item["featuring"]) for item in found] == [("new", False), ("old", False)]
