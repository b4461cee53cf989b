"""Reactions to posts: in the routes of glitch-soc and of Pleroma, shown, counted, listed, told and taken back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.social import accounts, custom_emojis, reactions, statuses
from fedcorp.social.emoji import is_emoji, spell
from fedcorp.social.reactions import MAX_KINDS, MAX_OF_ONE, Kind
from fedcorp.storage.database import Tx
from tests.web.instance import Office, Person
from tests.web.test_custom_emojis import add

pytestmark = pytest.mark.anyio
COFFEE, HEART, DOWN = "☕", "❤️", "👎"


def below(status: Any) -> list[tuple[str, int, bool]]:
    return [(item["name"], item["count"], item["me"]) for item in status["reactions"]]


def path_of(status: Any) -> str:
    return f"/api/v1/statuses/{status['id']}"


async def see(who: Person, status: Any) -> Any:
    return await who.get(path_of(status))


async def test_emoji_stand_below_a_post_and_count_as_favourites(ann: Person, ben: Person, office: Office) -> None:
    cat = await office.person("cat")
    mine = await ann.publish("look", reach="public")
    assert (mine["reactions"], "emoji_reactions" in mine) == ([], False)
    seen = await ben.do(f"react/{COFFEE}", mine)
    assert (below(seen), seen["favourites_count"], seen["favourited"]) == ([(COFFEE, 1, True)], 1, False)
    for who, name in ((ben, COFFEE), (ben, HEART), (cat, COFFEE)):
        await who.do(f"react/{name}", mine)
    seen = await see(ann, mine)
    assert below(seen) == [(COFFEE, 2, False), (HEART, 1, False)]
    assert (seen["emoji_reactions"], seen["favourites_count"]) == (seen["reactions"], 2)
    assert sorted(await ann.ids(f"{path_of(mine)}/favourited_by")) == sorted([ben.id, cat.id])
    anybody = await office.anybody.get(path_of(mine))
    assert anybody["reactions"] == [{"name": COFFEE, "count": 2}, {"name": HEART, "count": 1}]
    boost = await cat.do("reblog", mine)
    assert below(boost["reblog"]) == [(COFFEE, 2, True), (HEART, 1, False)]
    (first, *_) = await ben.get("/api/v1/timelines/public")
    assert below(first) == [(COFFEE, 2, True), (HEART, 1, True)]


async def test_they_are_taken_back_one_by_one(ann: Person, ben: Person) -> None:
    mine = await ann.publish("look")
    for name in (COFFEE, HEART):
        await ben.do(f"react/{name}", mine)
    for _ in range(2):
        seen = await ben.do(f"unreact/{COFFEE}", mine)
        assert (below(seen), seen["favourites_count"]) == ([(HEART, 1, True)], 1)
    await ben.do("unreact/nonsense", mine)
    assert await ann.notified() == [("favourite", "ben")]
    seen = await ben.do(f"unreact/{HEART}", mine)
    assert (seen["reactions"], seen["favourites_count"], await ann.notified()) == ([], 0, [])


async def test_a_favourite_is_something_else_and_counted_once(ann: Person, ben: Person) -> None:
    mine = await ann.publish("look")
    await ben.do(f"react/{COFFEE}", mine)
    assert await ben.ids("/api/v1/favourites") == []
    assert (await ben.do("unfavourite", mine))["favourites_count"] == 1
    seen = await ben.do("favourite", mine)
    assert (seen["favourited"], seen["favourites_count"]) == (True, 1)
    assert await ben.ids("/api/v1/favourites") == [mine["id"]]
    seen = await ben.do("unfavourite", mine)
    assert (seen["favourited"], seen["favourites_count"], below(seen)) == (False, 1, [(COFFEE, 1, True)])
    await ben.do("favourite", mine)
    seen = await ben.do(f"unreact/{COFFEE}", mine)
    assert (seen["favourited"], seen["favourites_count"], seen["reactions"]) == (True, 1, [])
    assert await ann.notified() == [("favourite", "ben")]


async def test_another_emoji_in_place_of_one_is_shown_at_once(ann: Person, ben: Person, office: Office) -> None:
    """The numbers stay the same, so they do not tell whether what was rendered still holds."""
    cat = await office.person("cat")
    mine = await ann.publish("look")
    await ben.do(f"react/{COFFEE}", mine)
    assert below(await see(cat, mine)) == [(COFFEE, 1, False)]
    await ben.do(f"unreact/{COFFEE}", mine)
    await ben.do(f"react/{HEART}", mine)
    assert below(await see(cat, mine)) == [(HEART, 1, False)]


async def test_thumbs_down_is_no_favourite(ann: Person, ben: Person) -> None:
    mine = await ann.publish("look")
    seen = await ben.do(f"react/{DOWN}", mine)
    assert (below(seen), seen["favourites_count"]) == ([(DOWN, 1, True)], 0)
    seen = await ben.do(f"react/{DOWN}\U0001f3fd", mine)
    assert (len(seen["reactions"]), seen["favourites_count"], await ann.notified()) == (2, 0, [])
    await ben.do(f"react/{COFFEE}", mine)
    assert (await ben.do(f"unreact/{COFFEE}", mine))["favourites_count"] == 0


async def test_in_the_routes_of_pleroma(ann: Person, ben: Person, office: Office) -> None:
    mine = await ann.publish("look", reach="public")
    pleroma = f"/api/v1/pleroma/statuses/{mine['id']}/reactions"
    await ann.put(f"{pleroma}/{COFFEE}")
    seen = await ben.put(f"{pleroma}/{COFFEE}")
    await ben.put(f"{pleroma}/{HEART}")
    assert below(seen) == [(COFFEE, 2, True)]
    told = await ann.get(pleroma)
    assert [(item["name"], item["count"], item["me"]) for item in told] == [(COFFEE, 2, True), (HEART, 1, False)]
    assert [[who["username"] for who in item["accounts"]] for item in told] == [["ben", "ann"], ["ben"]]
    assert [item["name"] for item in await ann.get(f"{pleroma}/{HEART}")] == [HEART]
    assert await office.anybody.get(f"{pleroma}/{DOWN}") == []
    await ann.refused(404, "GET", f"{pleroma}/no emoji")
    assert below(await ben.delete(f"{pleroma}/{HEART}")) == [(COFFEE, 2, True)]


async def test_who_reacted_how(ann: Person, ben: Person, office: Office) -> None:
    cat = await office.person("cat")
    mine = await ann.publish("look")
    for who, name in ((ben, COFFEE), (ben, HEART), (cat, HEART)):
        await who.do(f"react/{name}", mine)
    listed = await ann.get(f"{path_of(mine)}/reactions")
    assert [(item["account"]["username"], item["name"]) for item in listed] == [
        ("cat", HEART), ("ben", HEART), ("ben", COFFEE),
    ]  # fmt: skip
    assert [item["name"] for item in await ann.get(f"{path_of(mine)}/reactions", emoji=COFFEE)] == [COFFEE]
    assert await ann.get(f"{path_of(mine)}/reactions", emoji="no emoji") == []
    await ann.towards(ben, "block")
    assert [item["account"]["username"] for item in await ann.get(f"{path_of(mine)}/reactions")] == ["cat"]


async def test_custom_emoji_of_this_department(ann: Person, ben: Person, office: Office) -> None:
    await add(office, "party")
    mine = await ann.publish("look")
    seen = await ben.do("react/party", mine)
    (item,) = seen["reactions"]
    (known,) = await ann.get("/api/v1/custom_emojis")
    assert item == {
        "name": "party", "url": known["url"], "static_url": known["static_url"], "count": 1, "me": True,
    }  # fmt: skip
    (told,) = await ann.get("/api/v1/notifications")
    assert (told["emoji"], told["emoji_url"]) == (":party:", known["url"])
    assert (await ben.put(f"/api/v1/pleroma/statuses/{mine['id']}/reactions/:party:"))["reactions"] == [item]
    await office.db.write(custom_emojis.remove, "party")
    assert (await see(ben, mine))["reactions"] == [{"name": "party", "count": 1, "me": True}]
    assert (await ben.do("unreact/party", mine))["reactions"] == []
    assert "emoji" in await ben.refused(422, "POST", f"{path_of(mine)}/react/party")


@pytest.mark.parametrize("name", ["x", "unknown", "party@elsewhere.example", "☕☕", "☕x", "%20", "a" * 300, ":a:b:"])
async def test_what_is_no_emoji_is_refused(ann: Person, name: str) -> None:
    mine = await ann.publish("look")
    await ann.refused(422, "POST", f"{path_of(mine)}/react/{name}")
    assert (await see(ann, mine))["reactions"] == []


async def test_there_are_bounds(ann: Person, ben: Person, office: Office) -> None:
    mine = await ann.publish("look")
    names = [chr(0x1F600 + number) for number in range(MAX_KINDS + 1)]
    for name in names[:MAX_OF_ONE]:
        await ben.do(f"react/{name}", mine)
    await ben.do(f"react/{names[0]}", mine)
    await ben.refused(422, "POST", f"{path_of(mine)}/react/{names[MAX_OF_ONE]}")
    await ben.do(f"unreact/{names[0]}", mine)
    await ben.do(f"react/{names[MAX_OF_ONE]}", mine)
    for number, name in enumerate(names[:MAX_KINDS]):
        other = await office.colleague(f"c{number}")
        await office.db.write(_react, other.id, int(mine["id"]), name)
    await ann.refused(422, "POST", f"{path_of(mine)}/react/{names[MAX_KINDS]}")
    await ann.do(f"react/{names[0]}", mine)
    instance = await office.anybody.get("/api/v2/instance")
    assert instance["configuration"]["reactions"] == {"max_reactions": MAX_OF_ONE}


def _react(tx: Tx, account_id: int, status_id: int, name: str) -> None:
    reactions.react(tx, accounts.get(tx, account_id), statuses.get(tx, status_id), Kind(name))


async def test_the_author_is_told_as_of_a_favourite_with_the_emoji_beside(ann: Person, ben: Person) -> None:
    mine = await ann.publish("look")
    await ben.do(f"react/{HEART}", mine)
    (told,) = await ann.get("/api/v1/notifications")
    assert (told["type"], told["emoji"], told["emoji_url"], told["status"]["id"]) == (
        "favourite",
        HEART,
        None,
        mine["id"],
    )
    (group,) = (await ann.get("/api/v2/notifications"))["notification_groups"]
    assert group["type"] == "favourite"
    await ben.do("favourite", mine)
    await ben.do(f"unreact/{HEART}", mine)
    (told,) = await ann.get("/api/v1/notifications")
    assert (told["type"], "emoji" in told) == ("favourite", False)


async def test_what_is_hidden_cannot_be_reacted_to(ann: Person, ben: Person) -> None:
    secret = await ann.publish("for me", visibility="direct")
    shown = await ann.publish("for all")
    await ann.towards(ben, "block")
    for status in (secret, shown):
        for method, path in (
            ("POST", f"{path_of(status)}/react/{COFFEE}"), ("POST", f"{path_of(status)}/unreact/{COFFEE}"),
            ("GET", f"{path_of(status)}/reactions"),
            ("PUT", f"/api/v1/pleroma/statuses/{status['id']}/reactions/{COFFEE}"),
            ("GET", f"/api/v1/pleroma/statuses/{status['id']}/reactions"),
        ):  # fmt: skip
            await ben.refused(404, method, path)
        assert ((await see(ann, status))["reactions"], await ann.notified()) == ([], [])


async def test_they_go_with_the_post_and_with_the_account(ann: Person, ben: Person, office: Office) -> None:
    mine, other = await ann.publish("look"), await ann.publish("again")
    eva = await office.colleague("eva")
    for status in (mine, other):
        await office.db.write(_react, eva.id, int(status["id"]), COFFEE)
        await ben.do(f"react/{HEART}", status)
    await ann.delete(path_of(mine))
    assert await office.db.read(reactions.of_statuses, [int(mine["id"])], None) == {}
    await office.db.write(_gone, eva.id)
    seen = await see(ann, other)
    assert (below(seen), seen["favourites_count"]) == ([(HEART, 1, False)], 1)


def _gone(tx: Tx, account_id: int) -> None:
    accounts.delete(tx, accounts.get(tx, account_id))


# -- how emoji are spelled -------------------------------------------------------------------------------------------

SPELLED = ("☕", "⭐", "👍", "👍🏽", "❤️", "✌🏻", "☺️", "5️⃣", "🇩🇪", "🏳️‍🌈", "❤️‍🔥", "👁️‍🗨️", "🖋️", "👩🏽‍❤️‍👨🏿", "🕵️‍♀️")


@pytest.mark.parametrize("name", SPELLED)
async def test_however_it_is_spelled_it_is_one_emoji(name: str) -> None:
    assert spell(name) == spell(name.replace("\ufe0f", "")) == name
    assert reactions.read(name.replace("\ufe0f", ""), "x.example") == Kind(name)


@given(st.text(st.characters() | st.sampled_from("❤☕👍🏽\ufe0f\u200d5\u20e3🇩🇪🏳🌈"), max_size=6))
def test_spelling_is_settled_at_once(text: str) -> None:
    if is_emoji(text):
        assert is_emoji(spell(text))
        assert spell(spell(text)) == spell(text)
    kind = reactions.named(text)
    assert kind is None or reactions.named(kind.shown) == kind
