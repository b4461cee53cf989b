"""Trends: what many people looked at, and never who."""

import pytest

from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio

STATUSES = "/api/v1/trends/statuses"


async def test_posts_that_people_liked(office: Office, ann: Person, ben: Person) -> None:
    cat, dan = await office.person("cat"), await office.person("dan")
    loved = await ann.publish("loved")
    liked = await ben.publish("liked", reach="public")
    own = await cat.publish("liked by one, and by its author")
    for person, status in ((ben, loved), (cat, loved), (dan, loved), (ann, liked), (cat, own), (dan, own)):
        await person.do("favourite", status)
    await dan.do("reblog", liked)
    for person in (ann, ben, cat):
        assert await person.ids(STATUSES) == [loved["id"], liked["id"]]
    assert await ann.ids(STATUSES, limit=1, offset=1) == [liked["id"]]
    assert await office.anybody.ids(STATUSES) == [liked["id"]], "what the company alone may read"
    await dan.do("unreblog", liked)
    assert await ann.ids(STATUSES) == [loved["id"]]


async def test_moderators_are_shown_the_same(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    loved, liked = await ann.publish("loved"), await ben.publish("liked")
    cat, dan = await office.person("cat"), await office.person("dan")
    for person, status in ((cat, loved), (dan, loved), (ben, loved), (cat, liked), (dan, liked)):
        await person.do("favourite", status)
    found = await mo.get("/api/v1/admin/trends/statuses")
    assert [(item["id"], item["requires_review"]) for item in found] == [(loved["id"], False), (liked["id"], False)]
    assert await mo.ids("/api/v1/admin/trends/statuses", limit=1, offset=1) == [liked["id"]]
    assert await mo.get("/api/v1/admin/trends/links") == [], "nobody asks for pages here"
    for what in ("statuses", "links"):
        await ann.refused(403, "GET", f"/api/v1/admin/trends/{what}")


async def test_one_person_who_does_both_is_one(office: Office, ann: Person, ben: Person) -> None:
    status = await ann.publish("x")
    await ben.do("favourite", status)
    await ben.do("reblog", status)
    assert await ann.ids(STATUSES) == []


async def test_the_new_comes_before_the_old(office: Office, ann: Person, ben: Person) -> None:
    cat, dan, eve = [await office.person(name) for name in ("cat", "dan", "eve")]
    old = await ann.publish("old")
    for person in (ben, cat, dan, eve):
        await person.do("favourite", old)
    office.clock.pass_(seconds=1.5 * 86_400)
    new = await ben.publish("new")
    for person in (cat, dan):
        await person.do("favourite", new)
    assert await ann.ids(STATUSES) == [new["id"], old["id"]], "2 beats 4 * 2 ** -1.5"
    office.clock.pass_(seconds=2 * 86_400)
    assert await ann.ids(STATUSES) == [new["id"]]


async def test_an_author_stands_there_once(office: Office, ann: Person, ben: Person) -> None:
    cat = await office.person("cat")
    first, second = await ann.publish("1"), await ann.publish("2")
    for status in (first, second):
        await ben.do("favourite", status)
        await cat.do("favourite", status)
    assert len(await ben.ids(STATUSES)) == 1


@pytest.mark.parametrize("how", [{"visibility": "unlisted"}, {"visibility": "private"}, {"visibility": "direct"}])
async def test_what_is_not_public_is_no_trend(office: Office, ann: Person, ben: Person, how: dict[str, str]) -> None:
    cat = await office.person("cat")
    for person in (ben, cat):
        await person.follow(ann)
    status = await ann.publish("@ben @cat x", **how)
    for person in (ben, cat):
        await person.do("favourite", status)
    assert await ben.ids(STATUSES) == []


async def test_whom_one_blocks_is_not_there(office: Office, ann: Person, ben: Person) -> None:
    cat, dan = await office.person("cat"), await office.person("dan")
    status = await ann.publish("x")
    await ben.do("favourite", status)
    await cat.do("favourite", status)
    assert await dan.ids(STATUSES) == [status["id"]]
    await dan.towards(ann, "block")
    assert await dan.ids(STATUSES) == []
