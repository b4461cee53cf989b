"""Timelines: what comes home, what is public, hashtags, direct messages, markers, and the law of pages."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases import examples
from tests.web.instance import Caller, MovableClock, Office, Person, running

pytestmark = pytest.mark.anyio


# -- home ------------------------------------------------------------------------------------------------------------


async def test_home_is_what_one_follows(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    await ann.follow(ben)
    own = await ann.publish("own")
    theirs = await ben.publish("theirs", visibility="private")
    strange = await cid.publish("strange")
    answer = await ben.publish("@cid indeed", in_reply_to_id=strange["id"])
    assert await ann.home() == [theirs["id"], own["id"]], "no stranger, and no answer to one"
    direct = await ben.publish("@ann psst", visibility="direct")
    assert await ann.home() == [direct["id"], theirs["id"], own["id"]]
    boost = await ben.do("reblog", strange)
    assert (await ann.get("/api/v1/timelines/home"))[0]["id"] == boost["id"]
    await ann.follow(cid)
    assert answer["id"] not in await ann.home(), "what came before was not for this home"
    more = await ben.publish("@cid more", in_reply_to_id=strange["id"])
    assert (await ann.home())[0] == more["id"]


async def test_a_post_comes_home_once(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    await ann.follow(ben)
    await ann.follow(cid)
    made = await ben.publish("word")
    await cid.do("reblog", made)
    assert await ann.ids("/api/v1/timelines/home") == [made["id"]]


async def test_followed_hashtags_come_home(ann: Person, ben: Person) -> None:
    await ann.post("/api/v1/tags/Café/follow")
    one = await ben.publish("#cafe")
    two = await ben.publish("#CAFÉ")
    await ben.publish("#Café", visibility="unlisted")
    assert await ann.home() == [two["id"], one["id"]]


# -- public ----------------------------------------------------------------------------------------------------------


async def test_the_public_timeline(office: Office, ann: Person, ben: Person) -> None:
    made = await ann.publish("all see this")
    await ann.publish("less", visibility="unlisted")
    await ann.publish("followers", visibility="private")
    await ben.publish("@ann answer", in_reply_to_id=made["id"])
    await ben.do("reblog", made)
    thread = await ann.publish("and another thing", in_reply_to_id=made["id"])
    shown = await ben.publish("look", media_ids=[(await ben.upload())["id"]])
    assert await ann.ids("/api/v1/timelines/public") == [shown["id"], thread["id"], made["id"]]
    assert await ann.ids("/api/v1/timelines/public", only_media="true") == [shown["id"]]
    assert await ann.ids("/api/v1/timelines/public", remote="true") == []
    assert await ann.ids("/api/v1/timelines/public", local="true", limit=1) == [shown["id"]]
    assert await office.anybody.ids("/api/v1/timelines/public") == []


async def test_hashtag_timelines(office: Office, ann: Person, ben: Person) -> None:
    tea = await ann.publish("#Tea")
    both = await ben.publish("#tea and #Cake", media_ids=[(await ben.upload())["id"]])
    cake = await ann.publish("#cake", reach="public")
    await ben.publish("#tea", visibility="unlisted")
    path = "/api/v1/timelines/tag/"
    assert await ann.ids(path + "TEA") == [both["id"], tea["id"]]
    assert await ann.ids(path + "%23tea") == [both["id"], tea["id"]]
    assert await ann.ids(path + "tea", **{"any[]": "cake"}) == [cake["id"], both["id"], tea["id"]]
    assert await ann.ids(path + "tea", **{"all[]": ["cake"]}) == [both["id"]]
    assert await ann.ids(path + "tea", **{"none[]": ["Cake"]}) == [tea["id"]]
    assert await ann.ids(path + "tea", only_media="true") == [both["id"]]
    assert await ann.ids(path + "nothing") == []
    assert await office.anybody.ids(path + "cake") == [cake["id"]]
    await ann.towards(ben, "mute")
    assert await ann.ids(path + "tea") == [tea["id"]]


# -- direct messages -------------------------------------------------------------------------------------------------


async def test_direct_messages_and_conversations(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    first = await ann.publish("@ben psst", visibility="direct")
    answer = await ben.publish("@ann what?", visibility="direct", in_reply_to_id=first["id"])
    other = await cid.publish("@ann hello", visibility="direct")
    await ben.publish("@ann open")
    assert await ann.ids("/api/v1/timelines/direct") == [other["id"], answer["id"], first["id"]]
    assert await cid.ids("/api/v1/timelines/direct") == [other["id"]]
    found = await ann.get("/api/v1/conversations")
    assert [(item["last_status"]["id"], [one["id"] for one in item["accounts"]]) for item in found] == [
        (other["id"], [cid.id]), (answer["id"], [ben.id]),
    ]  # fmt: skip
    assert found[1]["id"] != found[0]["id"]
    await ann.delete(f"/api/v1/statuses/{first['id']}")
    assert [item["last_status"]["id"] for item in await ben.get("/api/v1/conversations")] == [answer["id"]]


# -- markers ---------------------------------------------------------------------------------------------------------


async def test_markers(ann: Person, ben: Person) -> None:
    both = {"timeline[]": ["home", "notifications", "nonsense"]}
    fresh = await ann.get("/api/v1/markers", **both)
    assert {name: (item["last_read_id"], item["version"]) for name, item in fresh.items()} == {
        "home": ("0", 0), "notifications": ("0", 0),
    }  # fmt: skip
    saved = await ann.post("/api/v1/markers", home={"last_read_id": "123"})
    assert (saved["home"]["last_read_id"], saved["home"]["version"], list(saved)) == ("123", 1, ["home"])
    form = {"home[last_read_id]": "456", "notifications[last_read_id]": "7"}
    again = (await ann.ask("POST", "/api/v1/markers", data=form)).json()
    assert (again["home"]["version"], again["notifications"]["version"]) == (2, 1)
    assert await ann.get("/api/v1/markers", **both) == again
    assert (await ben.get("/api/v1/markers", **both))["home"]["last_read_id"] == "0"
    assert await ann.get("/api/v1/markers") == {}
    wrong: dict[str, Any]
    for wrong in ({"home": {"last_read_id": "x"}}, {"home": {}}, {"home": "1"}):
        await ann.refused(400, "POST", "/api/v1/markers", json=wrong)


# -- pages -----------------------------------------------------------------------------------------------------------


def neighbours(response: httpx.Response) -> dict[str, str]:
    """`next` and `prev` of a Link header."""
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', response.headers.get("link", ""))
    return {relation: url for url, relation in found}


async def page(caller: Caller, url: str) -> tuple[list[str], dict[str, str]]:
    """The ids on a page, and the links to the pages beside it."""
    response = await caller.ask("GET", url)
    found = response.json()
    assert response.status_code == 200, (url, found)
    if isinstance(found, dict):
        found = [{"id": str(group["most_recent_notification_id"])} for group in found["notification_groups"]]
    links = neighbours(response)
    assert all(link.startswith("http://finance.localhost/api/") for link in links.values()), "absolute, our own name"
    return [item["id"] for item in found], links


async def _fill(office: Office) -> tuple[Person, dict[str, str]]:
    """A department with enough of everything for several pages; where its lists are, as one person sees them."""
    ann = await office.person("ann")
    people = [await office.person(f"p{number}") for number in range(7)]
    mine = await ann.publish("#mine of ann")
    for number, one in enumerate(people):
        await one.follow(ann)
        await ann.follow(one)
        made = await one.publish(f"#mine {number}")
        await one.publish("@ann psst", visibility="direct")
        await one.do("favourite", mine)
        await one.do("reblog", mine)
        await ann.do("favourite", made)
        await ann.do("bookmark", made)
        await people[0].publish(f"note {number}")
        await people[0].towards(one if number else ann, "mute")
        await ann.post(f"/api/v1/tags/tag{number}/follow")
        await ann.towards(await office.person(f"bore{number}"), "block")
    await ann.patch("/api/v1/accounts/update_credentials", locked=True)
    for number in range(7):
        await (await office.person(f"asks{number}")).follow(ann)
    own = await ann.post("/api/v1/lists", title="Seven")
    await ann.post(f"/api/v1/lists/{own['id']}/accounts", account_ids=[one.id for one in people])
    return ann, {
        "home": "/api/v1/timelines/home?",
        "public": "/api/v1/timelines/public?",
        "tag": "/api/v1/timelines/tag/mine?any[]=other&",
        "list": f"/api/v1/timelines/list/{own['id']}?",
        "list members": f"/api/v1/lists/{own['id']}/accounts?",
        "direct": "/api/v1/timelines/direct?",
        "conversations": "/api/v1/conversations?",
        "account": f"/api/v1/accounts/{people[0].id}/statuses?exclude_replies=true&",
        "favourites": "/api/v1/favourites?",
        "bookmarks": "/api/v1/bookmarks?",
        "notifications": "/api/v1/notifications?",
        "some notifications": "/api/v1/notifications?types[]=favourite&types[]=reblog&",
        "grouped notifications": "/api/v2/notifications?grouped_types[]=none&",
        "followers": f"/api/v1/accounts/{ann.id}/followers?",
        "following": f"/api/v1/accounts/{ann.id}/following?",
        "follow requests": "/api/v1/follow_requests?",
        "favourited by": f"/api/v1/statuses/{mine['id']}/favourited_by?",
        "reblogged by": f"/api/v1/statuses/{mine['id']}/reblogged_by?",
        "blocks": "/api/v1/blocks?",
        "followed tags": "/api/v1/followed_tags?",
    }


class Shelf:
    """A filled department: the lists in it, and what stands in each when it is read in one go.

    Hypothesis runs its examples outside of any event loop, so this brings a loop along.
    """

    def __init__(self, runner: asyncio.Runner, reader: Person, places: dict[str, str]) -> None:
        self._runner = runner
        self._reader = reader
        self.places = places
        self.whole = {name: self.page(place + "limit=80")[0] for name, place in places.items()}

    def page(self, url: str) -> tuple[list[str], dict[str, str]]:
        """The ids on a page, and the links beside it."""
        return self._runner.run(page(self._reader, url))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    clock, stack = MovableClock(), AsyncExitStack()
    with asyncio.Runner() as runner:
        instance = runner.run(stack.enter_async_context(running(tmp_path, clock)))
        try:
            yield Shelf(runner, *runner.run(_fill(Office(instance, clock))))
        finally:
            runner.run(stack.aclose())


# Clients compute the next page from the id of the last item in these.
ORDER_IS_ORDER_OF_IDS = (
    "home", "public", "tag", "list", "direct", "account", "notifications", "some notifications",
    "grouped notifications",
)  # fmt: skip


def test_the_order_of_a_list_is_the_order_of_ids(shelf: Shelf) -> None:
    for name in ORDER_IS_ORDER_OF_IDS:
        ids = shelf.whole[name]
        assert ids == sorted(ids, key=int, reverse=True), name
        cut, _ = shelf.page(f"{shelf.places[name]}limit=80&max_id={ids[2]}")
        assert cut == ids[3:], f"{name}: the page below the third"
    assert all(len(set(ids)) == len(ids) >= 7 for ids in shelf.whole.values())


TURNS = st.lists(st.tuples(st.sampled_from(("next", "prev")), st.integers(1, 9)), max_size=10)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(80))
@given(data=st.data(), limit=st.integers(1, 9), turns=TURNS)
def test_pages_have_no_gaps_and_no_doubles(
    shelf: Shelf, data: st.DataObject, limit: int, turns: list[tuple[str, int]]
) -> None:
    """However somebody turns pages, of whatever length, each shows the next rows of the whole in that direction."""
    name = data.draw(st.sampled_from(sorted(shelf.places)))
    whole = shelf.whole[name]
    start, end = 0, min(limit, len(whole))
    shown, links = shelf.page(f"{shelf.places[name]}limit={limit}")
    assert shown == whole[start:end]
    for turn, limit in turns:
        low, high = (end, min(end + limit, len(whole))) if turn == "next" else (max(0, start - limit), start)
        if turn not in links:
            assert turn == "next", f"{name}: there may always come something newer"
            assert low >= len(whole), f"{name}: the pages end too early"
            continue
        there, beyond = shelf.page(re.sub(r"limit=\d+", f"limit={limit}", links[turn]))
        assert there == whole[low:high], (name, turn)
        if there:
            (start, end), links = (low, high), beyond


@pytest.mark.parametrize("limit", ["0", "-1", "1000000", "007", ""])
async def test_a_limit_out_of_range_is_the_nearest_in_range(ann: Person, limit: str) -> None:
    made = [(await ann.publish(str(number)))["id"] for number in range(3)]
    shown = await ann.ids("/api/v1/timelines/home", limit=limit)
    assert shown == (made[:1:-1] if limit in ("0", "-1") else made[::-1])
    await ann.refused(400, "GET", "/api/v1/timelines/home", params={"limit": "many"})
