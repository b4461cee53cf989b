"""Lists: one's own, whom they hold, what they keep out of the home timeline, and the list that every group is."""

import pytest

from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio

LISTS = "/api/v1/lists"


async def make(owner: Person, *people: Person, **values: object) -> str:
    """A list with these people in it, whom its owner follows; its id."""
    made = await owner.post(LISTS, **{"title": "Near", **values})
    for person in people:
        await owner.follow(person)
    if people:
        await owner.post(f"{LISTS}/{made['id']}/accounts", account_ids=[person.id for person in people])
    return str(made["id"])


# -- the lists themselves --------------------------------------------------------------------------------------------


async def test_a_list_is_made_changed_and_removed(ann: Person) -> None:
    made = await ann.post(LISTS, title=" Team ")
    assert (made["title"], made["replies_policy"], made["exclusive"]) == ("Team", "list", False)
    changed = await ann.put(f"{LISTS}/{made['id']}", title="Board", replies_policy="none", exclusive=True)
    assert changed == {"id": made["id"], "title": "Board", "replies_policy": "none", "exclusive": True}
    assert await ann.put(f"{LISTS}/{made['id']}", replies_policy="followed") == {
        **changed,
        "replies_policy": "followed",
    }
    assert await ann.get(LISTS) == [await ann.get(f"{LISTS}/{made['id']}")]
    await ann.delete(f"{LISTS}/{made['id']}")
    assert await ann.get(LISTS) == []
    await ann.refused(404, "GET", f"{LISTS}/{made['id']}")
    await ann.refused(404, "GET", f"/api/v1/timelines/list/{made['id']}")


@pytest.mark.parametrize("wrong", [{}, {"title": ""}, {"title": "  "}, {"title": "x" * 256}])
async def test_a_list_needs_a_title(ann: Person, wrong: dict[str, str]) -> None:
    assert "Title" in await ann.refused(422, "POST", LISTS, json=wrong)
    made = await make(ann)
    if wrong:
        await ann.refused(422, "PUT", f"{LISTS}/{made}", json=wrong)
    assert [item["title"] for item in await ann.get(LISTS)] == ["Near"]


async def test_nobody_has_more_than_fifty(ann: Person, ben: Person) -> None:
    for number in range(50):
        await ann.post(LISTS, title=str(number))
    assert "50" in await ann.refused(422, "POST", LISTS, json={"title": "one more"})
    await ben.post(LISTS, title="mine")


# -- who stands in them ----------------------------------------------------------------------------------------------


async def test_a_list_holds_whom_one_follows(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    near = await make(ann, ben)
    assert await ann.ids(f"{LISTS}/{near}/accounts") == [ben.id]
    await ann.refused(404, "POST", f"{LISTS}/{near}/accounts", json={"account_ids": [eve.id]})
    await ann.follow(eve)
    twice = await ann.refused(422, "POST", f"{LISTS}/{near}/accounts", json={"account_ids": [eve.id, ben.id]})
    assert "already" in twice
    assert await ann.ids(f"{LISTS}/{near}/accounts") == [ben.id], "all or none"
    await ann.post(f"{LISTS}/{near}/accounts", account_ids=[eve.id])
    assert await ann.ids(f"{LISTS}/{near}/accounts", limit=0) == [eve.id, ben.id]
    assert await ann.ids(f"/api/v1/accounts/{eve.id}/lists") == [near]
    assert await ann.ids(f"/api/v1/accounts/{ann.id}/lists") == []
    await ann.delete(f"{LISTS}/{near}/accounts", account_ids=[ben.id])
    assert await ann.ids(f"{LISTS}/{near}/accounts") == [eve.id]


async def test_who_is_no_longer_followed_stands_in_no_list(ann: Person, ben: Person) -> None:
    near = await make(ann, ben)
    await ben.publish("seen")
    await ann.towards(ben, "unfollow")
    assert await ann.ids(f"{LISTS}/{near}/accounts") == []
    assert await ann.ids(f"/api/v1/timelines/list/{near}") == []


async def test_a_request_that_waits_is_no_follow(ann: Person, ben: Person) -> None:
    await ben.patch("/api/v1/accounts/update_credentials", locked=True)
    near = await make(ann)
    assert (await ann.follow(ben))["requested"] is True
    await ann.refused(404, "POST", f"{LISTS}/{near}/accounts", json={"account_ids": [ben.id]})


# -- what they show --------------------------------------------------------------------------------------------------


async def test_a_list_shows_what_its_people_write(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    near = await make(ann, ben)
    await ann.follow(eve)
    shown = await ben.publish("for all")
    direct = await ben.publish("@ann for you", visibility="direct")
    elsewhere = await eve.publish("not in the list")
    assert await ann.ids(f"/api/v1/timelines/list/{near}") == [shown["id"]]
    assert elsewhere["id"] in await ann.home()
    assert direct["id"] not in await ann.ids(f"/api/v1/timelines/list/{near}")


@pytest.mark.parametrize(
    ("policy", "seen"), [("none", set()), ("list", {"to a member"}), ("followed", {"to a member", "to a followed"})]
)
async def test_the_policy_says_which_replies(
    office: Office, ann: Person, ben: Person, policy: str, seen: set[str]
) -> None:
    member, followed, stranger = await office.person("may"), await office.person("fay"), await office.person("sid")
    near = await make(ann, ben, member, replies_policy=policy)
    await ann.follow(followed)
    replies = {}
    for name, person in (("to a member", member), ("to a followed", followed), ("to a stranger", stranger)):
        asked = await person.publish("what?")
        reply = await ben.publish("that", in_reply_to_id=asked["id"])
        replies[reply["id"]] = name
    itself = await ben.publish("on its own")
    more = await ben.publish("continued", in_reply_to_id=itself["id"])
    found = await ann.ids(f"/api/v1/timelines/list/{near}")
    assert {replies[id_] for id_ in found if id_ in replies} == seen
    assert itself["id"] in found
    assert more["id"] in found, "a thread of one's own is no reply to somebody"


async def test_an_exclusive_list_keeps_its_people_out_of_home(office: Office, ann: Person, ben: Person) -> None:
    near = await make(ann, ben, exclusive=True)
    posted = await ben.publish("only in the list")
    assert posted["id"] not in await ann.home()
    assert await ann.ids(f"/api/v1/timelines/list/{near}") == [posted["id"]]
    await ann.put(f"{LISTS}/{near}", exclusive=False)
    after = await ben.publish("at home again")
    assert after["id"] in await ann.home()


# -- groups ----------------------------------------------------------------------------------------------------------


async def test_every_group_is_a_list_of_its_members(office: Office, ann: Person, ben: Person) -> None:
    group = await office.group(ann, "chess")
    assert await ben.get(LISTS) == []
    await ben.follow(group)
    own = await make(ben)
    first, second = await ben.get(LISTS)
    assert (first["id"], second) == (
        own,
        {"id": group, "title": "# Chess", "replies_policy": "list", "exclusive": False},
    )
    assert await ben.ids(f"{LISTS}/{group}/accounts") == [group]
    assert await ben.ids(f"/api/v1/accounts/{group}/lists") == [group]
    posted = await ann.publish("@chess e4")
    reply = await ben.publish("@ann e5", in_reply_to_id=posted["id"])
    assert await ben.ids(f"/api/v1/timelines/list/{group}") == [reply["id"], posted["id"]]
    await ben.towards(group, "unfollow")
    assert await ben.ids(LISTS) == [own]
    await ben.refused(404, "GET", f"/api/v1/timelines/list/{group}")


async def test_a_member_names_the_list_of_a_group(office: Office, ann: Person, ben: Person) -> None:
    group = await office.group(ann, "chess")
    await ben.follow(group)
    assert (await ben.put(f"{LISTS}/{group}", title="# Board games"))["title"] == "# Board games"
    assert (await ann.get(f"{LISTS}/{group}"))["title"] == "# Chess", "the name is this member's own"
    assert (await ben.get(f"/api/v1/accounts/{group}"))["display_name"] == "Chess"
    assert "group" in await ben.refused(422, "DELETE", f"{LISTS}/{group}/accounts", json={"account_ids": [group]})


async def test_an_exclusive_group_stays_out_of_home(office: Office, ann: Person, ben: Person) -> None:
    group = await office.group(ann, "chess")
    await ben.follow(group)
    await ben.put(f"{LISTS}/{group}", exclusive=True)
    posted = await ann.publish("@chess e4")
    assert posted["id"] not in await ben.home()
    assert await ben.ids(f"/api/v1/timelines/list/{group}") == [posted["id"]]
