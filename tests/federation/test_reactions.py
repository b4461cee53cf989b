"""Reactions between departments and with others: seen on both sides, taken back, in any order, and as we write them."""

import itertools
from typing import Any

import pytest

from fedcorp.activitypub.processor import undefined_terms
from tests.federation.test_departments import friends
from tests.federation.test_emojis import add
from tests.federation.test_races import Scene
from tests.federation.test_races import scene as scene
from tests.federation.world import Company, Person

pytestmark = pytest.mark.anyio
COFFEE, DOWN = "☕", "👎"


async def seen(who: Person, id_: str) -> tuple[dict[str, int], int]:
    """(what stands below a post and how often, how many favourites it has)"""
    status = await who.get(f"/api/v1/statuses/{id_}")
    return {item["name"]: item["count"] for item in status["reactions"]}, status["favourites_count"]


async def test_a_reaction_is_seen_on_both_sides_and_taken_back(company: Company) -> None:
    ann, bo = await friends(company)
    mine = await ann.publish("Coffee is ready")
    await company.settle()
    (there,) = await bo.home()
    path = f"/api/v1/statuses/{there['id']}"
    for name in (COFFEE, DOWN, "🍪"):
        await bo.post(f"{path}/react/{name}")
    await company.settle()
    for who, id_ in ((ann, mine["id"]), (bo, there["id"])):
        assert await seen(who, id_) == ({COFFEE: 1, DOWN: 1, "🍪": 1}, 1)
    assert ("favourite", bo.handle) in await ann.notifications()
    given = await ann.get(f"/api/v1/statuses/{mine['id']}/reactions", emoji=COFFEE)
    assert [item["account"]["acct"] for item in given] == [bo.handle]
    await bo.post(f"{path}/unreact/{COFFEE}")
    await company.settle()
    assert await seen(ann, mine["id"]) == ({DOWN: 1, "🍪": 1}, 1)
    await bo.post(f"{path}/unreact/🍪")
    await company.settle()
    for who, id_ in ((ann, mine["id"]), (bo, there["id"])):
        assert await seen(who, id_) == ({DOWN: 1}, 0)
    assert ("favourite", bo.handle) not in await ann.notifications()


async def test_a_favourite_and_reactions_are_kept_apart_on_both_sides(company: Company) -> None:
    ann, bo = await friends(company)
    mine = await ann.publish("Coffee is ready")
    await company.settle()
    (there,) = await bo.home()
    path = f"/api/v1/statuses/{there['id']}"
    for step, shown in (
        ("favourite", ({}, 1)), (f"react/{COFFEE}", ({COFFEE: 1}, 1)), ("unfavourite", ({COFFEE: 1}, 1)),
        ("favourite", ({COFFEE: 1}, 1)), (f"unreact/{COFFEE}", ({}, 1)), ("unfavourite", ({}, 0)),
        (f"react/{DOWN}", ({DOWN: 1}, 0)), ("favourite", ({DOWN: 1}, 1)), (f"unreact/{DOWN}", ({}, 1)),
    ):  # fmt: skip
        await bo.post(f"{path}/{step}")
        await company.settle()
        assert (await seen(ann, mine["id"]), await seen(bo, there["id"])) == (shown, shown), step


async def test_custom_emoji_are_shown_from_ones_own_house_and_may_be_joined(company: Company) -> None:
    ann, bo = await friends(company)
    await add(bo.department, "party", "red")
    mine = await ann.publish("Coffee is ready")
    await company.settle()
    (there,) = await bo.home()
    await bo.post(f"/api/v1/statuses/{there['id']}/react/party")
    await company.settle()
    (item,) = (await ann.get(f"/api/v1/statuses/{mine['id']}"))["reactions"]
    assert (item["name"], item["count"], item["me"]) == ("party@operations.localhost", 1, False)
    assert item["url"].startswith(ann.department.origin)
    assert (await ann.http.get(item["url"].removeprefix(ann.department.origin))).status_code == 200
    other = await ann.publish("nothing below")
    answer = await ann.send("POST", f"/api/v1/statuses/{other['id']}/react/party@operations.localhost")
    assert answer.status_code == 422, "of other servers only what stands there already"
    joined = await ann.post(f"/api/v1/statuses/{mine['id']}/react/party@operations.localhost")
    assert [(each["name"], each["count"]) for each in joined["reactions"]] == [("party@operations.localhost", 2)]


async def test_who_may_not_see_a_post_cannot_react_to_it(company: Company) -> None:
    ann, bo = await friends(company)
    cy = await bo.department.person("cy")
    mine = await ann.publish("for friends", visibility="private")
    await company.settle()
    (there,) = await bo.home()
    answer = await cy.send("POST", f"/api/v1/statuses/{there['id']}/react/{COFFEE}")
    assert answer.status_code == 404
    await bo.post(f"/api/v1/statuses/{there['id']}/react/{COFFEE}")
    await company.settle()
    assert await seen(ann, mine["id"]) == ({COFFEE: 1}, 1)


# -- with servers of other make --------------------------------------------------------------------------------------


async def test_a_stranger_cannot_react_to_what_they_may_not_see(scene: Scene) -> None:
    mine = await scene.ann.publish("for myself", visibility="direct")
    for kind, more in (("EmojiReact", {"content": COFFEE}), ("Like", {"content": COFFEE}), ("Dislike", {})):
        await scene.receive(scene.outsider.activity(kind, scene.eva, mine["uri"], **more))
        assert (await scene.outcomes())[-1] == "refused"
    assert await seen(scene.ann, mine["id"]) == ({}, 0)


async def test_nobody_takes_back_what_another_gave(scene: Scene) -> None:
    mine = await scene.ann.publish("mine")
    react = scene.outsider.activity("EmojiReact", scene.eva, mine["uri"], content=COFFEE)
    await scene.receive(react)
    eve = scene.outsider.actor("eve")
    forged = react | {"actor": eve}
    for thing in (react["id"], react, forged, {**forged, "id": None}):
        await scene.receive(scene.outsider.activity("Undo", eve, thing))
    assert await seen(scene.ann, mine["id"]) == ({COFFEE: 1}, 1)


@pytest.mark.parametrize(
    ("kind", "more", "shown"),
    [
        ("Like", {"content": "\u2764"}, ({"❤️": 1}, 1)),
        ("Like", {"_misskey_reaction": COFFEE}, ({COFFEE: 1}, 1)),
        ("Like", {"contentMap": {"en": COFFEE}}, ({COFFEE: 1}, 1)),
        ("Like", {"content": "I like it"}, ({}, 1)),
        ("Like", {"content": ":party:"}, ({"party@sales.localhost": 1}, 1)),
        ("Like", {"content": ":party@far.example:"}, ({"party@sales.localhost": 1}, 1)),
        ("Like", {"content": DOWN}, ({DOWN: 1}, 0)),
        ("EmojiReact", {"content": "nothing to see"}, ({}, 1)),
        ("EmojiReact", {}, ({}, 1)),
        ("Dislike", {}, ({DOWN: 1}, 0)),
        ("Dislike", {"content": COFFEE}, ({DOWN: 1}, 0)),
    ],
)
async def test_what_others_say_is_read(scene: Scene, kind: str, more: dict[str, Any], shown: Any) -> None:
    mine = await scene.ann.publish("mine")
    activity = scene.outsider.activity(kind, scene.eva, mine["uri"], **more)
    await scene.receive(activity)
    assert await seen(scene.ann, mine["id"]) == shown
    await scene.receive(activity, scene.outsider.activity("Undo", scene.eva, activity))
    assert await seen(scene.ann, mine["id"]) == ({}, 0)


async def test_only_votes_take_each_others_place(scene: Scene) -> None:
    """Who changes a vote in Lemmy sends the new one alone; elsewhere a like and thumbs down may stand together."""
    told = {
        "up": {"kind": "Like"}, "down": {"kind": "Dislike"}, "thumb": {"kind": "EmojiReact", "content": DOWN},
    }  # fmt: skip
    for order, shown in (
        ("up down", ({DOWN: 1}, 0)), ("down up", ({}, 1)), ("up down up", ({}, 1)), ("down up down", ({DOWN: 1}, 0)),
        ("thumb up", ({DOWN: 1}, 1)), ("up thumb", ({DOWN: 1}, 1)),
    ):  # fmt: skip
        mine = await scene.ann.publish("mine")
        for word in order.split():
            values: dict[str, Any] = dict(told[word])
            await scene.receive(scene.outsider.activity(values.pop("kind"), scene.eva, mine["uri"], **values))
        assert await seen(scene.ann, mine["id"]) == shown, order


async def test_more_than_there_is_room_for_is_left_alone(scene: Scene) -> None:
    mine = await scene.ann.publish("mine")
    for number in range(10):
        name = chr(0x1F600 + number)
        await scene.receive(scene.outsider.activity("EmojiReact", scene.eva, mine["uri"], content=name))
    assert (await scene.outcomes())[-1] == "ignored"
    below, favourites = await seen(scene.ann, mine["id"])
    assert (len(below), favourites) == (8, 1)


async def test_every_order_of_giving_and_taking_back_ends_alike(scene: Scene) -> None:
    """Three things and the Undo of two, in all orders: what was not taken back is what stands there."""
    for order in itertools.permutations(range(5)):
        if order[0] > order[1]:  # half of them will do: the Undo of the like comes anywhere
            continue
        mine = await scene.ann.publish("mine")
        cup = scene.outsider.activity("Like", scene.eva, mine["uri"], content=COFFEE)
        cake = scene.outsider.activity("EmojiReact", scene.eva, mine["uri"], content="🍰")
        like = scene.outsider.activity("Like", scene.eva, mine["uri"])
        undone = [scene.outsider.activity("Undo", scene.eva, thing) for thing in (cup["id"], like)]
        everything = [cup, cake, like, *undone]
        for number in order:
            await scene.outsider.deliver(scene.department, everything[number])
        await scene.department.settle()
        assert await seen(scene.ann, mine["id"]) == ({"🍰": 1}, 1), order


async def test_what_we_write(scene: Scene) -> None:
    """A Like with content, so that it is at least a favourite everywhere; thumbs down must not become one."""
    await add(scene.department, "party", "red")
    note = scene.create("react to me")
    await scene.receive(note)
    theirs = await scene.ann.find_status(note["object"]["id"])
    begun = len(scene.outsider.received)
    for name in (COFFEE, "party", DOWN):
        for verb in ("react", "unreact"):
            await scene.ann.post(f"/api/v1/statuses/{theirs['id']}/{verb}/{name}")
            await scene.department.settle()
    told = scene.outsider.received[begun:]
    assert [word for item in told for word in undefined_terms(item)] == []
    for given, undo in zip(told[::2], told[1::2], strict=True):
        assert (given["actor"], given["object"], given["to"]) == (scene.ann.account.uri, theirs["uri"], [scene.eva])
        assert undo["type"] == "Undo"
        for name in ("id", "type", "actor", "object", "content"):
            assert undo["object"][name] == given[name]
    cup, party, down = told[::2]
    assert [(item["type"], item["content"]) for item in (cup, party, down)] == [
        ("Like", COFFEE), ("Like", ":party:"), ("EmojiReact", DOWN),
    ]  # fmt: skip
    (tag,) = party["tag"]
    assert (tag["type"], tag["name"]) == ("Emoji", ":party:")
    assert tag["icon"]["url"].startswith(scene.department.origin)


async def test_a_reaction_that_the_author_refuses_ends(scene: Scene) -> None:
    """By the id of what told it, or with that as a whole; nobody but the author of the post may refuse it."""
    note = scene.create("no cookies, please")
    await scene.receive(note)
    theirs = await scene.ann.find_status(note["object"]["id"])
    begun = len(scene.outsider.received)
    for name in (COFFEE, "🍪", DOWN):
        await scene.ann.post(f"/api/v1/statuses/{theirs['id']}/react/{name}")
    await scene.department.settle()
    cup, cookie, down = scene.outsider.received[begun:]
    mal = scene.outsider.actor("mal")
    await scene.receive(scene.outsider.activity("Reject", mal, cup["id"], to=[scene.ann.account.uri]))
    assert await seen(scene.ann, theirs["id"]) == ({COFFEE: 1, "🍪": 1, DOWN: 1}, 1)
    await scene.receive(scene.outsider.activity("Reject", scene.eva, cup["id"], to=[scene.ann.account.uri]))
    assert await seen(scene.ann, theirs["id"]) == ({"🍪": 1, DOWN: 1}, 1)
    for refused in (cookie, down):
        await scene.receive(scene.outsider.activity("Reject", scene.eva, refused, to=[scene.ann.account.uri]))
    assert await seen(scene.ann, theirs["id"]) == ({}, 0)
    assert (await scene.outcomes())[-4:] == ["ignored", "processed", "processed", "processed"]
