"""The laws of pages, for every route that is read in pages: each entry once, in order, also while new ones come.

Which routes those are is read from the table of routes; one that has no place here fails. How single timelines are cut
when somebody turns back and forth is in `test_timelines`.
"""

import asyncio
import dis
import itertools
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import FunctionType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcorp.web.pagination import page_of
from fedcorp.web.route import Route
from fedcorp.web.routes import API_ROUTES
from tests.databases import examples
from tests.web.instance import Caller, MovableClock, Office, Person, running, template

GROUPS = "/api/fedcorp/v1/groups"
FILLED = 7
ENOUGH = 500  # pages
MOST = 40  # of what stands on one page of a timeline
_BOUNDS = {"max_id", "min_id", "since_id"}


# -- where pages are -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A list as somebody reads it, and how one more entry comes into it, above all others."""

    reader: Caller
    path: str
    add: Callable[[], Awaitable[Any]]


class Building:
    """A department in which every paged list has a place, mostly with owners of its own."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.numbers = itertools.count()
        self.places: list[Place] = []

    async def somebody(self) -> Person:
        return await self.office.person(f"p{next(self.numbers)}")

    def has(self, reader: Caller, path: str, add: Callable[[], Awaitable[Any]]) -> None:
        self.places.append(Place(reader, path, add))


async def _build(office: Office) -> list[Place]:
    building = Building(office)
    reader = await office.staff("ada", "admin")
    for part in (_of_people, _of_posts, _of_timelines, _of_messages, _of_notifications, _of_groups, _of_staff):
        await part(building, reader)
    for place in building.places:
        for _ in range(FILLED):
            await place.add()
    return building.places


async def _of_people(building: Building, reader: Person) -> None:
    somebody = building.somebody
    star, fan, listing, guarded = [await somebody() for _ in range(4)]

    async def endorse(owner: Person) -> None:
        other = await somebody()
        await owner.follow(other)
        await owner.towards(other, "endorse")

    async def ask() -> None:
        await (await somebody()).follow(guarded)

    async def follow_star() -> None:
        await (await somebody()).follow(star)

    async def follow() -> None:
        await fan.follow(await somebody())

    async def away(verb: str) -> None:
        await reader.towards(await somebody(), verb)

    async def away_domain() -> None:
        await reader.post("/api/v1/domain_blocks", domain=f"d{next(building.numbers)}.example")

    kept = (await listing.post("/api/v1/lists", title="Many"))["id"]

    async def enlist() -> None:
        other = await somebody()
        await listing.follow(other)
        await listing.post(f"/api/v1/lists/{kept}/accounts", account_ids=[other.id])

    async def follow_tag() -> None:
        await reader.post(f"/api/v1/tags/tag{next(building.numbers)}/follow")

    await guarded.patch("/api/v1/accounts/update_credentials", locked=True)
    building.has(reader, f"/api/v1/accounts/{star.id}/followers", follow_star)
    building.has(reader, f"/api/v1/accounts/{fan.id}/following", follow)
    building.has(reader, f"/api/v1/accounts/{listing.id}/endorsements", lambda: endorse(listing))
    building.has(fan, "/api/v1/endorsements", lambda: endorse(fan))
    building.has(guarded, "/api/v1/follow_requests", ask)
    building.has(reader, "/api/v1/blocks", lambda: away("block"))
    building.has(reader, "/api/v1/mutes", lambda: away("mute"))
    building.has(reader, "/api/v1/domain_blocks", away_domain)
    building.has(listing, f"/api/v1/lists/{kept}/accounts", enlist)
    building.has(reader, "/api/v1/followed_tags", follow_tag)


async def _of_posts(building: Building, reader: Person) -> None:
    author = await building.somebody()
    word = await author.publish("a word")
    path = f"/api/v1/statuses/{word['id']}"

    async def do(verb: str) -> None:
        await (await building.somebody()).do(verb, word)

    async def keep(verb: str) -> None:
        await reader.do(verb, await author.publish("to keep"))

    async def wait() -> None:
        later = "2100-01-01T00:00:00Z"
        await reader.publish("later", scheduled_at=later)

    building.has(reader, f"{path}/quotes", lambda: author.publish("see", quoted_status_id=word["id"]))
    building.has(reader, f"{path}/favourited_by", lambda: do("favourite"))
    building.has(reader, f"{path}/reblogged_by", lambda: do("reblog"))
    building.has(reader, f"{path}/reactions", lambda: do("react/\U0001f389"))
    building.has(reader, "/api/v1/favourites", lambda: keep("favourite"))
    building.has(reader, "/api/v1/bookmarks", lambda: keep("bookmark"))
    building.has(reader, "/api/v1/scheduled_statuses", wait)


async def _of_timelines(building: Building, _reader: Person) -> None:
    reader, author = await building.somebody(), await building.somebody()
    await reader.follow(author)
    kept = (await reader.post("/api/v1/lists", title="One"))["id"]
    await reader.post(f"/api/v1/lists/{kept}/accounts", account_ids=[author.id])

    def write() -> Awaitable[Any]:
        return author.publish(f"#Plan and #sort{next(building.numbers)}")

    building.has(reader, "/api/v1/timelines/home", write)
    building.has(reader, "/api/v1/timelines/public?local=true", write)
    building.has(reader, "/api/v1/timelines/tag/plan?any[]=one&any[]=two&none[]=three", write)
    building.has(reader, f"/api/v1/timelines/list/{kept}", write)
    building.has(reader, f"/api/v1/accounts/{author.id}/statuses?exclude_replies=true&tagged=plan", write)


async def _of_messages(building: Building, _reader: Person) -> None:
    reader = await building.somebody()

    async def tell() -> None:
        await (await building.somebody()).publish(f"@{reader.name} psst", visibility="direct")

    building.has(reader, "/api/v1/conversations", tell)
    building.has(reader, "/api/v1/timelines/direct", tell)


async def _of_notifications(building: Building, _reader: Person) -> None:
    reader, friend = await building.somebody(), await building.somebody()
    word = await reader.publish("mine")
    await reader.follow(friend)
    await reader.patch("/api/v2/notifications/policy", for_not_following="filter")

    async def be_named() -> None:
        await friend.publish(f"@{reader.name} hello", in_reply_to_id=word["id"])

    async def be_named_by_a_stranger() -> None:
        await (await building.somebody()).publish(f"@{reader.name} hello")

    building.has(reader, "/api/v1/notifications?types[]=mention&types[]=follow", be_named)
    building.has(reader, "/api/v2/notifications?grouped_types[]=none&exclude_types[]=poll", be_named)
    building.has(reader, "/api/v1/notifications/requests", be_named_by_a_stranger)


async def _of_groups(building: Building, _reader: Person) -> None:
    office, owner = building.office, await building.somebody()
    clubs = [f"{GROUPS}/{await office.group(owner, name)}" for name in ("chess", "choir", "guarded", "strict")]
    await owner.patch(clubs[2], joining="approval")

    async def found() -> None:
        await office.group(owner, f"club{next(building.numbers)}")

    async def join(club: str) -> None:
        assert (await (await building.somebody()).ask("POST", f"{club}/join")).is_success

    async def enter() -> None:
        await join(clubs[1])
        await office.settle()

    async def ban() -> None:
        await owner.post(f"{clubs[3]}/bans", account_id=(await building.somebody()).id)

    building.has(owner, f"{GROUPS}?q=club&joined=true", found)
    building.has(owner, f"{clubs[0]}/members", lambda: join(clubs[0]))
    building.has(owner, f"{clubs[1]}/ledger", enter)
    building.has(owner, f"{clubs[2]}/requests", lambda: join(clubs[2]))
    building.has(owner, f"{clubs[3]}/bans", ban)


async def _of_staff(building: Building, reader: Person) -> None:
    blamed = await building.somebody()

    async def report() -> None:
        await (await building.somebody()).post("/api/v1/reports", account_id=blamed.id)

    async def warn() -> None:
        await reader.post(f"/api/v1/admin/accounts/{blamed.id}/action", type="none", text="hm")

    async def peer(kind: str) -> None:
        await reader.post(f"/api/v1/admin/domain_{kind}", domain=f"d{next(building.numbers)}.localhost")

    building.has(reader, f"/api/v1/admin/reports?target_account_id={blamed.id}", report)
    building.has(reader, "/api/v1/admin/accounts?local=true", building.somebody)
    building.has(reader, "/api/v2/admin/accounts?origin=local", building.somebody)
    building.has(reader, "/api/v1/admin/domain_allows", lambda: peer("allows"))
    building.has(reader, "/api/v1/admin/domain_blocks", lambda: peer("blocks"))
    building.has(reader, "/api/fedcorp/v1/admin/audit?act=account.", warn)
    building.has(blamed, "/api/fedcorp/v1/warnings", warn)


def paged(route: Route) -> bool:
    """Whether the handler of a route, or what it calls in its own module, cuts pages."""
    waiting: list[Any] = [route.handler]
    seen: set[Any] = set()
    while waiting:
        function = waiting.pop()
        if function is page_of:
            return True
        if isinstance(function, FunctionType) and function not in seen:
            seen.add(function)
            if function.__module__ == route.handler.__module__:
                waiting += [function.__globals__.get(name) for name in _globals(function)]
    return False


def _globals(function: FunctionType) -> Iterator[str]:
    return (step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL")


# -- the laws --------------------------------------------------------------------------------------------------------


class Shelf:
    """A filled department. Hypothesis runs its examples outside of any event loop, so this brings a loop along."""

    def __init__(self, runner: asyncio.Runner, places: list[Place]) -> None:
        self._runner = runner
        self.places = {template("GET", place.path): place for place in places}

    def page(self, place: Place, url: str) -> tuple[list[str], dict[str, str]]:
        """What stands on a page, and the links to those beside it."""
        response = self._runner.run(place.reader.ask("GET", url))
        assert response.status_code == 200, (url, response.text)
        links = {name: link for link, name in re.findall(r'<([^>]+)>; rel="(\w+)"', response.headers.get("link", ""))}
        return [_name(item) for item in _items(response.json())], links

    def part(self, path: str, key: str, **more: object) -> list[str]:
        """What stands below a key of an answer that has no links."""
        place = self.places["GET /api/v1/timelines/home"]
        joint = "&" if "?" in path else "?"
        url = path + joint + "&".join(f"{name}={value}" for name, value in more.items())
        response = self._runner.run(place.reader.ask("GET", url))
        assert response.status_code == 200, (url, response.text)
        return [_name(item) for item in (response.json()[key] if key else response.json())]

    def add(self, place: Place) -> None:
        """One more entry."""
        self._runner.run(_awaited(place.add()))

    def first(self, place: Place, **more: object) -> str:
        """The address of a page that no link led to."""
        joint = "&" if "?" in place.path else "?"
        return place.path + joint + "&".join(f"{name}={value}" for name, value in more.items())

    def whole(self, place: Place) -> list[str]:
        """Everything, in one page."""
        return self.page(place, self.first(place, limit=80))[0]

    def walk(self, place: Place, url: str, relation: str) -> Iterator[tuple[list[str], dict[str, str]]]:
        """The pages from this one on, until nothing more comes."""
        wanted: str | None = url
        for _ in range(ENOUGH):
            if wanted is None:
                return
            found, links = self.page(place, wanted)
            if not found:
                return
            for link in links.values():
                assert _query(link) == _query(url), "a link keeps what was asked for"
            yield found, links
            wanted = links.get(relation)
        raise AssertionError("the pages have no end")


async def _awaited(doing: Awaitable[Any]) -> None:
    await doing


def _query(url: str) -> list[tuple[str, str]]:
    return [pair for pair in parse_qsl(urlsplit(url).query, keep_blank_values=True) if pair[0] not in _BOUNDS]


def _items(body: Any) -> list[Any]:
    if isinstance(body, dict):
        return list(body["entries" if "entries" in body else "notification_groups"])
    return list(body)


def _name(item: Any) -> str:
    """What tells an entry of a list from the others."""
    if isinstance(item, str):
        return item
    for name in ("id", "seq", "most_recent_notification_id", "name"):
        if name in item:
            return str(item[name])
    return str(item["account"]["id"])


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    clock, stack = MovableClock(), AsyncExitStack()
    with asyncio.Runner() as runner:
        instance = runner.run(stack.enter_async_context(running(tmp_path_factory.mktemp("shelf"), clock)))
        try:
            yield Shelf(runner, runner.run(_build(Office(instance, clock))))
        finally:
            runner.run(stack.aclose())


ROUTES = [f"GET {route.path}" for route in API_ROUTES if route.method == "GET" and paged(route)]


def test_every_paged_route_has_a_place(shelf: Shelf) -> None:
    assert set(ROUTES) == set(shelf.places)
    assert len(ROUTES) > 30


@pytest.mark.parametrize("route", ROUTES)
def test_links_lead_through_everything_once_and_in_order(shelf: Shelf, route: str) -> None:
    place = shelf.places[route]
    whole = shelf.whole(place)
    assert len(set(whole)) == len(whole) >= FILLED
    for limit in (1, 3):
        down = [found for found, _ in shelf.walk(place, shelf.first(place, limit=limit), "next")]
        assert joined(down)[: len(whole)] == whole
        assert len(whole) >= MOST or joined(down) == whole
        up = [found for found, _ in shelf.walk(place, shelf.first(place, limit=limit, min_id=0), "prev")]
        assert joined(up[::-1]) == joined(down)
        assert {len(found) for found in (*down[:-1], *up[:-1])} == {limit}


def joined(pages: list[list[str]]) -> list[str]:
    """The entries of pages that stand below each other."""
    return [item for page in pages for item in page]


ARRIVALS = st.lists(st.integers(0, 2), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(120), deadline=None)
@given(route=st.sampled_from(ROUTES), limit=st.integers(1, 9), arrivals=ARRIVALS)
def test_who_reads_on_while_new_entries_come_misses_none_and_sees_none_twice(
    shelf: Shelf, route: str, limit: int, arrivals: list[int]
) -> None:
    """Down from the newest: what was there at the beginning. Then up from where that began: what came meanwhile."""
    place = shelf.places[route]
    before = shelf.whole(place)
    coming = iter(arrivals)
    seen: list[str] = []
    back = ""
    for found, links in shelf.walk(place, shelf.first(place, limit=limit), "next"):
        seen += found
        back = back or links["prev"]
        for _ in range(next(coming, 0)):
            shelf.add(place)
        if len(seen) >= len(before):
            break
    assert seen[: len(before)] == before
    up = [found for found, _ in shelf.walk(place, back, "prev")]
    now = shelf.whole(place)
    assert joined(up[::-1]) == now[: now.index(before[0])]


# -- lists that are read by offset ----------------------------------------------------------------------------------


BY_OFFSET = {
    "/api/v1/accounts/search?q=p": "",
    "/api/v2/search?q=p&type=accounts": "accounts",
    "/api/v2/search?q=sort&type=hashtags": "hashtags",
    "/api/v2/search?q=plan&type=statuses": "statuses",
    "/api/v1/directory?order=new&local=true": "",
    "/api/v1/directory?order=active&local=true": "",
}


@pytest.mark.parametrize("path", BY_OFFSET)
def test_offsets_lead_through_everything_once_and_in_order(shelf: Shelf, path: str) -> None:
    whole = shelf.part(path, BY_OFFSET[path], limit=40)
    assert len(set(whole)) == len(whole) >= FILLED
    for limit in (1, 3):
        pages = [shelf.part(path, BY_OFFSET[path], limit=limit, offset=at) for at in range(0, len(whole), limit)]
        assert joined(pages)[: len(whole)] == whole


def test_bounds_lead_through_what_was_found(shelf: Shelf) -> None:
    path = "/api/v2/search?q=plan&type=statuses"
    whole = shelf.part(path, "statuses", limit=40)
    for at, id_ in enumerate(whole[:-2]):  # below those there may be more than stands on one page
        assert shelf.part(path, "statuses", limit=2, max_id=id_) == whole[at + 1 : at + 3]
        assert shelf.part(path, "statuses", limit=2, min_id=id_) == whole[max(0, at - 2) : at]
