"""Numbers of posts and accounts of other servers: told by them, with what people here do on top, and for show alone."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.activitypub.processor import undefined_terms
from fedcorp.company import peers
from fedcorp.social import accounts, statuses
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import jobs
from tests.federation.test_departments import start
from tests.federation.world import Company, Department, Outsider, Person, plain

pytestmark = pytest.mark.anyio
AS = "https://www.w3.org/ns/activitystreams"
HOUR_MS = 3_600_000
COLLECTIONS = ("/followers", "/following", "/outbox")


def of_post(status: dict[str, Any]) -> tuple[int, int]:
    return status["favourites_count"], status["reblogs_count"]


def of_account(account: dict[str, Any]) -> tuple[int, int, int]:
    return account["followers_count"], account["following_count"], account["statuses_count"]


def size(count: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Collection", "totalItems": count, **more}


async def staff(department: Department, *names: str) -> list[Person]:
    return [await department.person(name) for name in names]


async def look(person: Person, id_: str) -> tuple[int, int, int]:
    return of_account(await person.get(f"/api/v1/accounts/{id_}"))


async def test_a_post_found_by_search_shows_what_its_department_knows(company: Company) -> None:
    finance, operations, sales = await start(company, "finance", "operations", "sales")
    ann, *colleagues = await staff(finance, "ann", "col", "dan", "eva")
    bo, fay = await staff(operations, "bo", "fay")
    (gus,) = await staff(sales, "gus")
    posted = await ann.publish("the budget")
    for one in colleagues:
        await one.post(f"/api/v1/statuses/{posted['id']}/favourite")
    await colleagues[0].post(f"/api/v1/statuses/{posted['id']}/reblog")
    seen = await gus.find_status(posted["uri"])
    await gus.post(f"/api/v1/statuses/{seen['id']}/favourite")
    await company.settle()

    seen = await bo.find_status(posted["uri"])
    assert of_post(seen) == (4, 1)
    path = f"/api/v1/statuses/{seen['id']}"
    for name, there in (("favourite", (5, 1)), ("reblog", (5, 2))):
        await bo.post(f"{path}/{name}")
        assert of_post(await bo.get(path)) == of_post(await fay.get(path)) == there, "at once"
    await company.settle()
    assert of_post(await ann.get(f"/api/v1/statuses/{posted['id']}")) == (5, 2)
    (boost,) = await bo.get(f"/api/v1/accounts/{bo.id}/statuses")
    assert of_post(boost["reblog"]) == (5, 2)
    await fay.post(f"{path}/favourite")
    await bo.post(f"{path}/unfavourite")
    assert of_post(await bo.post(f"{path}/unreblog")) == (5, 1)
    await fay.post(f"{path}/unfavourite")
    await company.settle()
    assert of_post(await bo.get(path)) == of_post(await ann.get(f"/api/v1/statuses/{posted['id']}")) == (4, 1)


async def test_opening_a_thread_brings_the_numbers_of_now(company: Company) -> None:
    finance, operations = await start(company, "finance", "operations")
    ann, col, dan = await staff(finance, "ann", "col", "dan")
    (bo,) = await staff(operations, "bo")
    posted = await ann.publish("the budget")
    seen = await bo.find_status(posted["uri"])
    await bo.post(f"/api/v1/statuses/{seen['id']}/favourite")
    answer = await col.publish("too small", in_reply_to_id=posted["id"])
    for one in (col, dan):
        await one.post(f"/api/v1/statuses/{posted['id']}/favourite")
    await dan.post(f"/api/v1/statuses/{answer['id']}/favourite")
    await company.settle()
    path = f"/api/v1/statuses/{seen['id']}"
    before = await bo.get(path)
    assert of_post(before) == (1, 0)
    await bo.get(f"{path}/context")
    await company.settle()
    after = await bo.get(path)
    assert of_post(after) == (3, 0)
    assert {**after, "favourites_count": 0} == {**before, "favourites_count": 0, "replies_count": 1}
    (shown,) = (await bo.get(f"{path}/context"))["descendants"]
    assert (plain(shown["content"]), of_post(shown)) == ("too small", (1, 0))
    assert len(await bo.get(f"{path}/history")) == 1


async def test_a_post_that_a_boost_brings_counts_that_boost_once(company: Company) -> None:
    finance, sales, operations = await start(company, "finance", "sales", "operations")  # they hear in this order
    (col,), (bo,), (gus, hal) = (
        await staff(finance, "col"), await staff(operations, "bo"), await staff(sales, "gus", "hal")
    )  # fmt: skip
    await bo.follow(col.handle)
    posted = await gus.publish("sold!")
    await hal.post(f"/api/v1/statuses/{posted['id']}/reblog")
    await company.settle()
    await col.post(f"/api/v1/statuses/{(await col.find_status(posted['uri']))['id']}/reblog")
    await company.settle()
    (shown,) = await bo.home()
    here = await gus.get(f"/api/v1/statuses/{posted['id']}")
    assert of_post(shown) == of_post(here) == of_post(await col.find_status(posted["uri"])) == (0, 2)


async def test_notes_that_are_served_hold_the_numbers_and_those_that_are_delivered_do_not(company: Company) -> None:
    finance, operations = await start(company, "finance", "operations")
    reader = Outsider(company, "reader.localhost")
    rita = reader.actor("rita")
    await finance.db.write(peers.add, reader.domain, "partner")
    ann, bo = await finance.person("ann"), await operations.person("bo")
    assert (await reader.deliver(finance, reader.activity("Follow", rita, ann.account.uri))).status_code == 202
    await company.settle()
    posted = await ann.publish("for all", reach="public")
    seen = await bo.find_status(posted["uri"])
    await bo.post(f"/api/v1/statuses/{seen['id']}/favourite")
    await company.settle()
    served = json.loads((await reader.read(finance, posted["uri"], signer=rita)).content)
    assert served["likes"] == {"id": f"{posted['uri']}/likes", "type": "Collection", "totalItems": 1}
    assert served["shares"] == {"id": f"{posted['uri']}/shares", "type": "Collection", "totalItems": 0}
    assert undefined_terms(served) == []
    alone = json.loads((await reader.read(finance, served["likes"]["id"], signer=rita)).content)
    assert alone["totalItems"] == 1
    delivered = next(item["object"] for item in reader.received if item["type"] == "Create")
    assert (delivered["likes"], delivered["shares"]) == (f"{posted['uri']}/likes", f"{posted['uri']}/shares")


# -- accounts --------------------------------------------------------------------------------------------------------


async def test_an_account_found_by_search_shows_what_its_department_knows(company: Company) -> None:
    finance, operations, sales = await start(company, "finance", "operations", "sales")
    ann, *colleagues = await staff(finance, "ann", "col", "dan", "eva")
    bo, fay = await staff(operations, "bo", "fay")
    (gus,) = await staff(sales, "gus")
    for one in colleagues:
        await one.follow("ann")
    await ann.follow("col")
    await gus.follow(ann.handle)
    for number in range(5):
        await ann.publish(f"post {number}")
    await company.settle()

    id_ = await bo.find(ann.handle)
    await company.settle()
    assert await look(bo, id_) == (4, 1, 5)
    assert of_account(await bo.get("/api/v1/accounts/lookup", acct=ann.handle)) == (4, 1, 5)
    assert (await bo.get(f"/api/v1/accounts/{id_}"))["hide_collections"] is False, (
        "departments show no lists to anybody"
    )

    await bo.follow(ann.handle)
    await company.settle()
    assert await look(fay, id_) == (5, 1, 5), "the history that bo brought here was counted before"
    latest = (await bo.get(f"/api/v1/accounts/{id_}/statuses"))[0]
    assert (len(await bo.get(f"/api/v1/accounts/{id_}/statuses")), of_account(latest["account"])) == (5, (5, 1, 5))
    company.clock.shift_ms += 60_000
    posted = await ann.publish("news")
    await company.settle()
    assert await look(fay, id_) == (5, 1, 6)
    await ann.send("DELETE", f"/api/v1/statuses/{posted['id']}")
    await bo.post(f"/api/v1/accounts/{id_}/unfollow")
    assert (await look(fay, id_))[0] == 4, "at once"
    await company.settle()
    assert await look(fay, id_) == await look(ann, ann.id) == (4, 1, 5)

    await ann.follow("dan")
    await eventually_look(company, bo, id_)
    assert await look(bo, id_) == (4, 2, 5)
    assert await look(gus, await gus.find(ann.handle)) == (4, 1, 5), "nobody there has looked since"


async def eventually_look(company: Company, person: Person, id_: str) -> None:
    """Somebody looks at an account an hour later."""
    company.clock.shift_ms += HOUR_MS
    await look(person, id_)
    await company.settle()


async def test_a_group_of_a_department_has_the_followers_that_its_server_counts(company: Company) -> None:
    finance, operations = await start(company, "finance", "operations")
    ann, *colleagues = await staff(finance, "ann", "col", "dan")
    bo, fay = await staff(operations, "bo", "fay")
    handle = await finance.group(ann, "guild")
    for one in (*colleagues, bo):
        await one.follow(handle)
    await company.settle()
    there = (await ann.get("/api/v1/accounts/lookup", acct="guild"))["followers_count"]
    id_ = await bo.find(handle)
    await company.settle()
    assert (await look(bo, id_))[0] == there == 4
    await fay.follow(handle)
    await company.settle()
    there = (await ann.get("/api/v1/accounts/lookup", acct="guild"))["followers_count"]
    assert (await look(bo, id_))[0] == there == 5
    group = await bo.get(f"/api/fedcorp/v1/groups/{id_}")
    assert (group["members_count"], group["account"]["followers_count"]) == (5, 5)


# -- servers of other make -------------------------------------------------------------------------------------------


class Scene:
    """carl of another make, with collections that tell numbers; ann and ben of finance look at him."""

    def __init__(self, company: Company, finance: Department, people: list[Person]) -> None:
        self.company, self.finance = company, finance
        self.ann, self.ben = people
        self.one, self.two = Outsider(company, "one.localhost"), Outsider(company, "two.localhost", number=4)
        self.carl = self.one.actor("carl")
        self.tell(300, 20, 700)

    def tell(self, followers: Any, following: Any, posts: Any, **more: Any) -> None:
        for path, count in zip(COLLECTIONS, (followers, following, posts), strict=True):
            uri = self.carl + path
            self.one.documents[uri] = {"@context": AS, **size(count, id=uri, first=f"{uri}?page=1"), **more}

    def asked(self) -> list[str]:
        """Which collections anybody was asked for since."""
        found = [*self.one.fetched, *self.two.fetched]
        self.one.fetched.clear()
        self.two.fetched.clear()
        return [uri for uri in found if uri.endswith(COLLECTIONS)]

    async def find(self) -> str:
        id_ = await self.ann.find("carl@one.localhost")
        await self.company.settle()
        return id_

    async def note(self, **more: Any) -> tuple[dict[str, Any], str]:
        """A note that was found by its address: (document, path of the status)."""
        note = self.one.note(self.carl, "words", **more)
        seen = await self.ann.find_status(note["id"])
        return note, f"/api/v1/statuses/{seen['id']}"

    async def told(self, path: str) -> tuple[int, int]:
        return of_post(await self.ann.get(path))

    async def update(self, note: dict[str, Any], *, by: Outsider | None = None, actor: str = "", **more: Any) -> None:
        server = by or self.one
        await server.deliver(self.finance, server.activity("Update", actor or self.carl, {**note, **more}))
        await self.company.settle()


@pytest.fixture
async def scene(company: Company) -> Scene:
    finance = await company.department("finance")
    made = Scene(company, finance, await staff(finance, "ann", "ben"))
    for server in (made.one, made.two):
        await finance.db.write(peers.add, server.domain, "partner")
    return made


async def test_an_update_brings_numbers_and_is_no_edit(scene: Scene) -> None:
    note, path = await scene.note(likes=size(40), shares=size(7))
    assert await scene.told(path) == (40, 7)
    await scene.ann.post(f"{path}/favourite")
    before = await scene.ann.get(path)
    assert of_post(before) == (41, 7)
    version = await scene.finance.db.read(lambda tx: _status(tx, note["id"]).version)
    await scene.update(note, likes=size(51), shares=size(6))
    after = await scene.ann.get(path)
    assert of_post(after) == (51, 6), "with that of ann"
    assert {**after, "favourites_count": 41, "reblogs_count": 7} == before
    assert len(await scene.ann.get(f"{path}/history")) == 1
    assert await scene.finance.db.read(lambda tx: _status(tx, note["id"]).version) == version
    await scene.ann.post(f"{path}/unfavourite")
    assert await scene.told(path) == (50, 6)

    await scene.update(
        note, content="<p>other words</p>", updated="2026-11-01T12:00:00Z", likes=size(60), shares=size(6)
    )
    edited = await scene.ann.get(path)
    assert (of_post(edited), plain(edited["content"])) == ((60, 6), "other words")
    await scene.update(note, content="<p>older words</p>", updated="2026-11-01T11:00:00Z", likes=size(55))
    assert await scene.told(path) == (60, 6), "an older edit has older numbers"


def _status(tx: Tx, uri: str) -> statuses.Status:
    found = statuses.find_by_uri(tx, uri)
    assert found is not None
    return found


async def test_a_note_without_numbers_leaves_them(scene: Scene) -> None:
    note, path = await scene.note(likes=size(40), shares=size(7))
    addresses = {"likes": f"{note['id']}/likes", "shares": f"{note['id']}/shares"}
    silent: list[dict[str, Any]] = [{}, addresses, {"likes": [], "shares": None}]
    for words in silent:
        await scene.update({name: note[name] for name in note if name not in ("likes", "shares")}, **words)
        assert await scene.told(path) == (40, 7)
    await scene.update(note, likes=size(0), shares={"type": "Collection"})
    assert await scene.told(path) == (0, 7)


@pytest.mark.parametrize("count", [-1, 2**31, "9", "", True, False, None, 3.0, 1e30, [3]])
async def test_what_is_no_number_is_none(scene: Scene, count: Any) -> None:
    note, path = await scene.note(likes=size(count), shares=size(count))
    assert await scene.told(path) == (0, 0)
    await scene.update(note, likes=size(40), shares=size(2**31 - 1))
    assert await scene.told(path) == (40, 2**31 - 1)
    await scene.update(note, likes=size(count), shares=size(count))
    assert await scene.told(path) == (40, 2**31 - 1)
    id_ = await scene.find()
    assert await look(scene.ann, id_) == (300, 20, 700)
    scene.tell(count, count, count)
    await eventually_look(scene.company, scene.ann, id_)
    assert await look(scene.ann, id_) == (300, 20, 700)


async def test_the_greatest_number_may_be_favourited(scene: Scene) -> None:
    """The sum does not fit into a column."""
    _, path = await scene.note(likes=size(2**31 - 1), shares=size(0))
    assert of_post(await scene.ann.post(f"{path}/favourite")) == (2**31, 0)
    assert of_post((await scene.ann.get("/api/v1/favourites"))[0]) == (2**31, 0)


async def test_a_boost_that_brings_a_post_counts_once(scene: Scene) -> None:
    """The post is fetched because of it, so its server has counted it."""
    dora, erin, fred = (scene.two.actor(name) for name in ("dora", "erin", "fred"))
    for name in ("dora", "erin", "fred"):
        await scene.ann.follow(f"{name}@two.localhost")
    await scene.company.settle()
    for follow in [item for item in scene.two.received if item["type"] == "Follow"]:
        await scene.two.deliver(scene.finance, scene.two.activity("Accept", follow["object"], follow))
    note = scene.one.note(scene.carl, "words", likes=size(5), shares=size(2))
    boosts = []
    for name, minutes in ((dora, -2), (erin, -1), (fred, 1)):
        at = scene.company.clock.now() + timedelta(minutes=minutes)
        boosts.append(scene.two.activity("Announce", name, note["id"], published=at.isoformat()))
    await scene.two.deliver(scene.finance, boosts[0])
    await scene.company.settle()
    (shown,) = await scene.ann.home()
    path = f"/api/v1/statuses/{shown['id']}"
    assert of_post(shown) == (5, 2)
    await scene.two.deliver(scene.finance, boosts[1])
    await scene.company.settle()
    assert await scene.told(path) == (5, 2)
    scene.company.clock.shift_ms += 120_000
    await scene.two.deliver(scene.finance, boosts[2])
    await scene.company.settle()
    assert await scene.told(path) == (5, 3), "it was not there when the post was fetched"
    await scene.two.deliver(scene.finance, scene.two.activity("Undo", dora, boosts[0]))
    await scene.company.settle()
    assert await scene.told(path) == (5, 2)
    await scene.update(note, shares=size(1))
    assert await scene.told(path) == (5, 2), "erin and fred"


async def test_less_than_is_known_here_shows_what_is_known_here(scene: Scene) -> None:
    note, path = await scene.note(likes=size(5), shares=size(5))
    for one in (scene.ann, scene.ben):
        await one.post(f"{path}/favourite")
    await scene.update(note, likes=size(1), shares=size(0))
    assert await scene.told(path) == (2, 0)
    await scene.ann.post(f"{path}/unfavourite")
    assert await scene.told(path) == (1, 0)


async def test_nobody_tells_numbers_of_what_is_not_theirs(scene: Scene) -> None:
    note, path = await scene.note(likes=size(40), shares=size(7))
    eve = scene.two.actor("eve")
    evil: dict[str, Any] = {"likes": size(9000), "shares": size(9000)}
    mine = await scene.ann.publish("mine")
    theirs = scene.one.actor("erin")
    await scene.update(note, by=scene.two, actor=eve, **evil)
    await scene.update({**note, "attributedTo": eve}, by=scene.two, actor=eve, **evil)
    await scene.update(note, actor=theirs, **evil)
    await scene.update({**note, "attributedTo": theirs}, actor=theirs, **evil)
    await scene.update(
        {**note, "id": mine["uri"], "attributedTo": scene.ann.account.uri}, by=scene.two, actor=eve, **evil
    )
    assert await scene.told(path) == (40, 7)
    assert of_post(await scene.ann.get(f"/api/v1/statuses/{mine['id']}")) == (0, 0)
    await scene.update(note, likes=size(9000, id=f"{scene.two.origin}/likes"), shares=size(9000, id=7))
    assert await scene.told(path) == (40, 7), "a collection of somebody else"

    answer = scene.two.note(eve, "an answer", inReplyTo=note["id"])
    scene.one.documents[note["id"]] |= {
        "likes": size(41),
        "replies": {"type": "Collection", "items": [{**answer, **evil}]},
    }
    await scene.ann.get(f"{path}/context")
    await scene.company.settle()
    assert await scene.told(path) == (41, 7)
    (shown,) = (await scene.ann.get(f"{path}/context"))["descendants"]
    assert of_post(shown) == (0, 0), "read at its own address"

    featured = f"{scene.carl}/outbox"
    scene.one.documents[featured] = {"@context": AS, "id": featured, "type": "OrderedCollection", "orderedItems": [
        scene.one.activity("Create", scene.carl, {**answer, **evil}), {**note, "likes": size(42)},
    ]}  # fmt: skip
    await scene.ann.follow("carl@one.localhost")
    await scene.company.settle()
    follow = next(item for item in scene.one.received if item["type"] == "Follow")
    await scene.one.deliver(scene.finance, scene.one.activity("Accept", scene.carl, follow))
    await scene.company.settle()
    assert await scene.told(path) == (42, 7), "an outbox speaks for its owner"
    assert of_post(await scene.ann.find_status(answer["id"])) == (0, 0)


async def test_numbers_move_no_trend(scene: Scene) -> None:
    now = scene.company.clock.now().isoformat()
    loud, _ = await scene.note(likes=size(1_000_000), shares=size(1_000_000), published=now)
    quiet = await scene.ann.publish("quiet")
    other = await scene.finance.person("other")
    for one in (scene.ben, other):
        await one.post(f"/api/v1/statuses/{quiet['id']}/favourite")
    await scene.ben.post(f"/api/v1/statuses/{(await scene.ben.find_status(loud['id']))['id']}/favourite")
    assert [item["id"] for item in await scene.ann.get("/api/v1/trends/statuses")] == [quiet["id"]]
    scene.tell(1_000_000, 1, 1)
    id_ = await scene.find()
    assert (await look(scene.ben, id_))[0] == 1_000_000
    await scene.finance.person("caroline")
    await scene.ben.follow("caroline")
    found = [item["acct"] for item in await other.get("/api/v1/accounts/search", q="car")]
    assert found == ["caroline", "carl@one.localhost"]


async def test_a_deleted_post_takes_no_numbers(scene: Scene) -> None:
    note, path = await scene.note(likes=size(4))
    await scene.one.deliver(scene.finance, scene.one.activity("Delete", scene.carl, note["id"]))
    await scene.company.settle()
    await scene.update(note, likes=size(9))
    assert (await scene.ann.http.get(path)).status_code == 404
    assert await scene.finance.db.read(lambda tx: _status(tx, note["id"]).favourites_elsewhere) == 4


# -- when accounts are asked -----------------------------------------------------------------------------------------


async def test_an_account_is_asked_once_an_hour_when_somebody_looks(scene: Scene) -> None:
    id_ = await scene.find()
    everything = [scene.carl + path for path in ("/outbox", "/followers", "/following")]
    assert scene.asked() == everything
    assert await look(scene.ann, id_) == (300, 20, 700)
    scene.tell(301, 21, 701)
    looks: list[tuple[str, dict[str, str]]] = [
        (f"/api/v1/accounts/{id_}", {}),
        ("/api/v1/accounts/lookup", {"acct": "carl@one.localhost"}),
        ("/api/v1/accounts/search", {"q": "carl@one.localhost", "resolve": "true"}),
        ("/api/v2/search", {"q": "carl@one.localhost", "resolve": "true"}),
        ("/api/v2/search", {"q": scene.carl, "resolve": "true"}),
    ]
    for path, query in looks:
        await scene.ben.get(path, **query)
        writes = scene.finance.db.writes
        await scene.ann.get(path, **query)
        assert scene.finance.db.writes == writes, "a look that asks nobody writes nothing"
        await scene.company.settle()
        assert scene.asked() == []
    assert await look(scene.ann, id_) == (300, 20, 700)
    for number, (path, query) in enumerate(looks, 1):
        scene.company.clock.shift_ms += HOUR_MS
        scene.tell(300 + number, 20, 700)
        await scene.ann.get(path, **query)
        await scene.ben.get(path, **query)
        await scene.company.settle()
        assert (path, scene.asked()) == (path, everything)
        assert await look(scene.ben, id_) == (300 + number, 20, 700)
    scene.company.clock.shift_ms += HOUR_MS
    await scene.ann.post(f"/api/v1/accounts/{id_}/follow")
    await scene.company.settle()
    assert scene.asked() == [], "the answer is not here yet"
    scene.company.clock.shift_ms += 15_000
    await scene.company.settle()
    assert scene.asked() == everything, "who follows looks"


async def test_only_people_who_signed_in_have_anybody_asked(scene: Scene) -> None:
    id_ = await scene.find()
    scene.asked()
    scene.company.clock.shift_ms += 2 * HOUR_MS
    for path in (f"/api/v1/accounts/{id_}", "/api/v1/accounts/lookup?acct=carl@one.localhost"):
        assert (await scene.ann.http.get(path, headers={"Authorization": ""})).status_code == 200
    for path in (f"/api/v1/accounts/{id_}/statuses", f"/api/v1/accounts/{id_}/identity_proofs", "/api/v1/directory"):
        await scene.ann.get(path)
    note = scene.one.note(scene.carl, "@ann hello", tag=[{"type": "Mention", "href": scene.ann.account.uri}])
    for activity in (
        scene.one.activity("Create", scene.carl, note),
        scene.one.activity("Follow", scene.carl, scene.ann.account.uri),
        scene.one.activity("Update", scene.carl, scene.one.documents[scene.carl]),
    ):
        assert (await scene.one.deliver(scene.finance, activity)).status_code == 202
        await scene.company.settle()
    assert ("follow", "carl@one.localhost") in await scene.ann.notifications()
    assert scene.asked() == []


async def test_collections_of_another_origin_are_not_asked(scene: Scene) -> None:
    dora = f"{scene.two.origin}/users/dora"
    moved = {"followers": f"{dora}/followers", "following": f"{dora}/following"}
    for uri in moved.values():
        scene.two.documents[uri] = {"@context": AS, **size(9000, id=uri)}
    scene.one.actor("carl", **moved)
    outbox = f"{scene.carl}/outbox"
    scene.one.documents[outbox] = {"@context": AS, **size(9000, id=f"{dora}/outbox")}
    id_ = await scene.find()
    assert not {*moved.values()} & {*scene.asked()}
    assert await look(scene.ann, id_) == (0, 0, 0)

    def point(tx: Tx) -> None:
        """As if an earlier release had kept it."""
        values = {f"{name}_uri": uri for name, uri in moved.items()}
        tx.conn.execute(sa.update(accounts_table).where(accounts_table.c.uri == scene.carl).values(**values))

    await scene.finance.db.write(point)
    await eventually_look(scene.company, scene.ann, id_)
    assert not {*moved.values()} & {*scene.asked()}
    assert await look(scene.ann, id_) == (0, 0, 0)


async def test_what_cannot_be_read_leaves_its_number(scene: Scene) -> None:
    id_ = await scene.find()
    scene.tell(310, 30, 710)
    scene.one.broken.add(f"{scene.carl}/followers")
    del scene.one.documents[f"{scene.carl}/following"]
    await eventually_look(scene.company, scene.ann, id_)
    assert await look(scene.ann, id_) == (300, 20, 710)
    scene.one.documents[f"{scene.carl}/outbox"]["type"] = "Note"
    scene.asked()
    await scene.company.retry()
    assert scene.asked() == [], "nobody looked again"
    await eventually_look(scene.company, scene.ann, id_)
    assert await look(scene.ann, id_) == (300, 20, 710)
    await scene.finance.db.write(peers.remove, scene.one.domain)
    scene.one.broken.clear()
    scene.asked()
    await eventually_look(scene.company, scene.ann, id_)
    assert (scene.asked(), await look(scene.ann, id_)) == ([], (300, 20, 710)), "a peer no more"


async def test_who_is_suspended_or_gone_is_not_asked(scene: Scene) -> None:
    id_ = await scene.find()
    scene.asked()
    scene.tell(1, 1, 1)
    for name in ("suspended_at", "deleted_at"):
        scene.company.clock.shift_ms += 2 * HOUR_MS
        await look(scene.ann, id_)  # the work waits
        await scene.finance.db.write(_set, scene.carl, name, 1)
        await scene.company.settle()
        assert scene.asked() == []
        assert (await scene.ann.http.get(f"/api/v1/accounts/{id_}")).status_code in (404, 410)
        assert await scene.ann.get("/api/v1/accounts/search", q="carl@one.localhost", resolve="true") == []
        await scene.company.settle()
        assert [uri for uri in scene.asked() if uri.endswith(COLLECTIONS)] == []
        assert await scene.finance.db.read(_followers_elsewhere, scene.carl) == 300
        await scene.finance.db.write(_set, scene.carl, name, None)
    waiting = sa.select(jobs.c.kind).where(jobs.c.kind == "read_counts")
    assert await scene.finance.db.read(lambda tx: tx.conn.execute(waiting).all()) == []


def _followers_elsewhere(tx: Tx, uri: str) -> Any:
    column = accounts_table.c.followers_elsewhere
    return tx.conn.execute(sa.select(column).where(accounts_table.c.uri == uri)).scalar()


def _set(tx: Tx, uri: str, name: str, value: int | None) -> None:
    tx.conn.execute(sa.update(accounts_table).where(accounts_table.c.uri == uri).values({name: value}))


async def test_who_hides_whom_they_know_elsewhere_hides_it_here(scene: Scene) -> None:
    id_ = await scene.find()
    assert (await scene.ann.get(f"/api/v1/accounts/{id_}"))["hide_collections"] is False
    for more, hidden in (({"first": None}, True), ({"items": [scene.carl], "first": None}, False)):
        scene.tell(300, 20, 700, **more)
        await eventually_look(scene.company, scene.ann, id_)
        shown = await scene.ann.get(f"/api/v1/accounts/{id_}")
        assert (shown["hide_collections"], of_account(shown)) == (hidden, (300, 20, 700))


async def test_people_here_are_never_asked_about(scene: Scene) -> None:
    await look(scene.ann, scene.ben.id)
    await scene.ann.find("ben")
    await scene.company.settle()
    row = await scene.finance.db.read(accounts.get, scene.ben.account.id)
    assert (row.counted_at, row.followers_elsewhere) == (None, 0)


# -- what is kept and pushed -----------------------------------------------------------------------------------------


async def test_what_is_kept_of_pages_shows_the_numbers_of_now(scene: Scene) -> None:
    scene.one.documents[f"{scene.carl}/outbox"]["orderedItems"] = []
    await scene.ann.follow("carl@one.localhost")
    await scene.company.settle()
    follow = next(item for item in scene.one.received if item["type"] == "Follow")
    await scene.one.deliver(scene.finance, scene.one.activity("Accept", scene.carl, follow))
    note = scene.one.note(scene.carl, "words", likes=size(40), shares=size(7))
    await scene.one.deliver(scene.finance, scene.one.activity("Create", scene.carl, note))
    await scene.company.settle()
    id_ = await scene.find()
    for count in (40, 41, 40, 3):
        await scene.update(note, likes=size(count))
        for _ in range(2):
            for path in ("/api/v1/timelines/home", "/api/v1/timelines/public"):
                (shown,) = await scene.ann.get(path)
                assert (shown["favourites_count"], shown["account"]["followers_count"]) == (count, 301)
    scene.tell(5, 20, 700)
    await eventually_look(scene.company, scene.ann, id_)
    (shown,) = await scene.ann.get("/api/v1/timelines/home")
    assert shown["account"]["followers_count"] == 5


@asynccontextmanager
async def listening(person: Person) -> AsyncIterator[list[tuple[str, Any]]]:
    """What is pushed to somebody, until the end."""
    said: asyncio.Queue[Any] = asyncio.Queue()
    heard: asyncio.Queue[Any] = asyncio.Queue()
    path = "/api/v1/streaming/user"
    scope = {
        "type": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "http",
        "method": "GET", "http_version": "1.1", "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": [(b"host", person.department.domain.encode()),
                    (b"authorization", f"Bearer {person.token}".encode())],
    }  # fmt: skip
    task = asyncio.ensure_future(person.department.instance.app(scope, said.get, heard.put))
    assert (await heard.get())["status"] == 200
    pushed: list[tuple[str, Any]] = []
    yield pushed
    body = b""
    async with asyncio.timeout(20):
        while b"the end" not in body:
            body += (await heard.get()).get("body", b"")
    pushed += [
        (name.decode(), json.loads(payload)) for name, payload in re.findall(rb"event: (.+)\ndata: (.+)\n\n", body)
    ]
    await said.put({"type": "http.disconnect"})
    await task


async def test_streams_tell_the_numbers_of_now_and_nothing_of_a_new_number(tmp_path: Path) -> None:
    company = Company(tmp_path, streams=True)
    try:
        finance = await company.department("finance")
        scene = Scene(company, finance, await staff(finance, "ann", "ben"))
        await finance.db.write(peers.add, scene.one.domain, "partner")
        await scene.ann.follow("ben")
        note, path = await scene.note(likes=size(40), shares=size(7))
        async with listening(scene.ann) as pushed:
            await scene.update(note, likes=size(50))
            await scene.ben.post(f"{path}/favourite")
            await scene.ben.post(f"{path}/reblog")
            await scene.update(note, likes=size(52))
            await company.settle()
            await scene.ann.publish("the end")
        assert [name for name, _ in pushed] == ["update", "update"]
        assert of_post(pushed[0][1]["reblog"])[1] == 8
        assert pushed[0][1]["reblog"]["favourites_count"] in (51, 52)
    finally:
        await company.stop()
