"""What was said before somebody listened: outboxes of whom people follow, and threads that they open."""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.social import statuses
from fedcorp.storage.tables import jobs
from tests.federation.test_departments import start
from tests.federation.world import PUBLIC, Company, Department, Outsider, Person, plain

pytestmark = pytest.mark.anyio
AS = "https://www.w3.org/ns/activitystreams"


def _reads_outbox(request: httpx.Request) -> bool:
    """Whether somebody asks for posts; the server itself asks how many there are."""
    signed = request.headers.get("signature-input", "") + request.headers.get("signature", "")
    return request.url.path.endswith("/outbox") and "/actor#" not in signed


async def test_who_follows_sees_what_was_said_before(company: Company) -> None:
    finance, operations = await start(company, "finance", "operations")
    ann, bo, other = await finance.person("ann"), await operations.person("bo"), await finance.person("other")
    for text, visibility in (("first", "public"), ("second", "private"), ("a secret", "direct"), ("third", "unlisted")):
        await ann.publish(text, visibility=visibility)
    await ann.publish(f"@{other.handle} a word", visibility="direct")
    await company.settle()
    await bo.follow(ann.handle)
    await company.settle()
    found = await bo.get(f"/api/v1/accounts/{await bo.find(ann.handle)}/statuses")
    assert [plain(item["content"]) for item in found] == ["third", "second", "first"]
    assert await bo.notifications() == []
    assert {"first", "second", "third"} <= set(await bo.texts())
    asked = [one for one in company.network.requests if _reads_outbox(one)]
    assert len(asked) == 1
    assert f"{bo.account.uri}#" in (asked[0].headers.get("signature-input", "") + asked[0].headers["signature"])

    col = await operations.person("col")
    await col.follow(ann.handle)
    await company.settle()
    asked = [one for one in company.network.requests if _reads_outbox(one)]
    assert len(asked) == 1, "within a day an outbox is read once"
    assert {"first", "second", "third"} <= set(await col.texts())


async def test_who_follows_sees_posts_as_they_were_edited(company: Company) -> None:
    finance, operations = await start(company, "finance", "operations")
    ann, bo = await finance.person("ann"), await operations.person("bo")
    posted = await ann.publish("frist")
    await company.settle()
    assert (await ann.send("PUT", f"/api/v1/statuses/{posted['id']}", status="first")).status_code == 200
    await company.settle()
    await bo.follow(ann.handle)
    await company.settle()
    (shown,) = await bo.get(f"/api/v1/accounts/{await bo.find(ann.handle)}/statuses")
    assert (plain(shown["content"]), shown["edited_at"] is not None) == ("first", True)


async def test_who_follows_sees_what_was_pinned_before(company: Company) -> None:
    finance, operations = await start(company, "finance", "operations")
    ann, bo = await finance.person("ann"), await operations.person("bo")
    for text in ("first pin", "second pin"):
        pinned = await ann.publish(text)
        await ann.post(f"/api/v1/statuses/{pinned['id']}/pin")
        for number in range(25):  # further back than the outbox is read
            await ann.publish(f"after {text} {number}")
        await company.settle()
    await bo.follow(ann.handle)
    await company.settle()
    pins = await bo.get(f"/api/v1/accounts/{await bo.find(ann.handle)}/statuses", pinned="true")
    assert {plain(item["content"]) for item in pins} == {"first pin", "second pin"}
    assert await bo.notifications() == []


async def test_what_was_told_later_about_a_post_is_read_with_it(company: Company) -> None:
    """The votes of a poll, and the leave for a quote, which nobody had when the post was sent."""
    made = [await company.department(name) for name in ("finance", "operations", "people")]
    await company.introduce(*made)
    ann, bo, cy = await made[0].person("ann"), await made[1].person("bo"), await made[2].person("cy")
    await ann.follow(bo.handle)
    theirs = await bo.publish("as I say")
    await company.settle()
    mine = await ann.publish("which?", poll={"options": ["a", "b"], "expires_in": 3600})
    await bo.post(f"/api/v1/polls/{(await bo.find_status(mine['uri']))['poll']['id']}/votes", choices=[1])
    quote = await ann.publish("as bo says", quoted_status_id=(await ann.find_status(theirs["uri"]))["id"])
    await company.settle()
    await cy.follow(ann.handle)
    await company.settle()
    poll = (await cy.find_status(mine["uri"]))["poll"]
    assert ([option["votes_count"] for option in poll["options"]], poll["voters_count"]) == ([0, 1], 1)
    assert (await cy.find_status(quote["uri"]))["quote"]["state"] == "accepted"


class Scene:
    """carl and dora on servers of other make; ann of finance follows carl."""

    def __init__(self, company: Company, finance: Department, ann: Person) -> None:
        self.company, self.finance, self.ann = company, finance, ann
        self.one, self.two = Outsider(company, "one.localhost"), Outsider(company, "two.localhost", number=4)
        self.stranger = Outsider(company, "stranger.localhost", number=5)
        self.carl, self.dora = self.one.actor("carl"), self.two.actor("dora")
        self.eve = self.stranger.actor("eve")

    async def follow(self) -> None:
        await self.ann.follow("carl@one.localhost")
        await self.company.settle()
        follow = next(item for item in self.one.received if item["type"] == "Follow")
        await self.one.deliver(self.finance, self.one.activity("Accept", self.carl, follow))
        await self.company.settle()

    def serve(self, uri: str, items: list[Any], **more: Any) -> str:
        self.one.documents[uri] = {
            "@context": AS,
            "id": uri,
            "type": "OrderedCollection",
            "orderedItems": items,
            **more,
        }
        return uri

    def create(self, note: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {**self.one.activity("Create", self.carl, note), **more}

    async def texts(self) -> list[str]:
        found = await self.ann.get(f"/api/v1/accounts/{await self.ann.find('carl@one.localhost')}/statuses", limit=40)
        return [plain(item["content"]) for item in found]


@pytest.fixture
async def scene(company: Company) -> Scene:
    finance = await company.department("finance")
    made = Scene(company, finance, await finance.person("ann"))
    for server in (made.one, made.two):
        await finance.db.write(peers.add, server.domain, "partner")
    return made


async def test_an_outbox_in_pages_of_activities_ids_and_posts(scene: Scene) -> None:
    """Mastodon embeds Creates in pages, GoToSocial names ids, others put the posts themselves."""
    outbox = f"{scene.carl}/outbox"
    mine = [
        scene.one.note(scene.carl, f"post {number}", published=f"2026-11-0{number}T10:00:00Z") for number in range(1, 5)
    ]
    boost = scene.one.activity("Announce", scene.carl, scene.two.note(scene.dora, "boosted")["id"])
    scene.serve(outbox, [], first=f"{outbox}?page=1")
    scene.serve(
        f"{outbox}?page=1", [scene.create(mine[3]), boost, scene.create(mine[2]["id"])], next=f"{outbox}?page=2"
    )
    scene.serve(f"{outbox}?page=2", [mine[1], mine[0]["id"]])
    await scene.follow()
    assert await scene.texts() == ["post 4", "post 3", "post 2", "post 1"]
    assert await scene.ann.notifications() == []


async def test_a_page_that_is_not_there_ends_an_outbox(scene: Scene) -> None:
    outbox = f"{scene.carl}/outbox"
    post = scene.one.note(scene.carl, "on the first page")
    scene.serve(outbox, [], first=f"{outbox}?page=1")
    scene.serve(f"{outbox}?page=1", [scene.create(post)], next=f"{outbox}?page=2")
    await scene.follow()
    assert await scene.texts() == ["on the first page"]


async def test_an_outbox_that_keeps_updates_beside_the_first_words(scene: Scene) -> None:
    first, other = scene.one.note(scene.carl, "frist"), scene.one.note(scene.carl, "other")
    edited = {**first, "content": "<p>first</p>", "updated": "2026-11-01T11:00:00Z"}
    update = scene.one.activity("Update", scene.carl, edited)
    scene.serve(f"{scene.carl}/outbox", [update, scene.create(other), scene.create(first)])
    await scene.follow()
    assert sorted(await scene.texts()) == ["first", "other"]
    assert await scene.ann.notifications() == []


async def test_who_stops_following_has_the_outbox_read_no_more(scene: Scene) -> None:
    """It could not be read at first; the job that waits for another try finds that nobody wants it."""
    asked: list[str] = []
    respond = scene.one.respond

    async def fail(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/outbox"):
            asked.extend([str(request.url)] if _reads_outbox(request) else [])
            return httpx.Response(503, request=request)
        return await respond(request)

    scene.one.respond = fail  # type: ignore[method-assign]
    await scene.follow()
    assert len(asked) == 1
    await scene.company.retry()
    assert len(asked) == 2, "it is tried again while somebody follows"
    await scene.ann.post(f"/api/v1/accounts/{await scene.ann.find('carl@one.localhost')}/unfollow")
    for _ in range(3):
        await scene.company.retry()
    assert len(asked) == 2
    waiting = sa.select(jobs.c.kind).where(jobs.c.kind == "read_outbox")
    assert await scene.finance.db.read(lambda tx: tx.conn.execute(waiting).all()) == []


async def test_an_outbox_speaks_for_its_owner_alone(scene: Scene) -> None:
    erin = scene.one.actor("erin")
    forged = {**scene.two.note(scene.dora, "forged"), "content": "<p>forged</p>"}
    scene.two.documents.pop(forged["id"])
    theirs = scene.one.note(erin, "by a neighbour")
    scene.serve(
        f"{scene.carl}/outbox",
        [
            scene.create(theirs),
            scene.create(scene.one.note(scene.carl, "wrapped by somebody else"), actor=erin),
            scene.create(forged),
            forged,
            forged["id"],
            7,
            None,
            {"type": "Create"},
            scene.create(scene.one.note(scene.carl, "mine")),
        ],
    )
    await scene.follow()
    assert await scene.texts() == ["mine"]
    assert await scene.finance.db.read(lambda tx: statuses.find_by_uri(tx, theirs["id"])) is None
    assert all("forged" not in text for text in await scene.ann.texts())
    assert [url for url in scene.two.fetched if "nodeinfo" not in url] == []


async def test_an_outbox_costs_little(scene: Scene) -> None:
    outbox = f"{scene.carl}/outbox"
    scene.serve(outbox, [], first=f"{outbox}?page=0")
    for page in range(20):
        notes = [scene.one.note(scene.carl, f"{page} {number}") for number in range(5)]
        scene.serve(f"{outbox}?page={page}", [note["id"] for note in notes], next=f"{outbox}?page={page + 1}")
    await scene.follow()
    assert len([url for url in scene.one.fetched if "/outbox" in url]) <= 3 + 1, "and once for the number"
    assert len(scene.one.fetched) <= 30
    assert len(await scene.texts()) <= 20


async def _thread(scene: Scene) -> tuple[Any, dict[str, Any]]:
    """ann has the first post of a thread; its server lists the answers in its context."""
    await scene.follow()
    root = scene.one.note(scene.carl, "the beginning", context=f"{scene.one.origin}/t/1")
    await scene.one.deliver(scene.finance, scene.create(root))
    await scene.company.settle()
    return await scene.ann.find_status(root["id"]), root


async def _descendants(scene: Scene, status: Any) -> list[str]:
    found = await scene.ann.get(f"/api/v1/statuses/{status['id']}/context")
    return sorted(plain(item["content"]) for item in found["descendants"])


async def test_opening_a_thread_brings_the_answers_that_others_know(scene: Scene) -> None:
    status, root = await _thread(scene)
    answer = scene.two.note(scene.dora, "an answer", inReplyTo=root["id"])
    below = scene.one.note(scene.carl, "and one to that", inReplyTo=answer["id"])
    answer["replies"] = {"type": "Collection", "first": {"type": "CollectionPage", "items": [below["id"]]}}
    lost = scene.stranger.note(scene.eve, "of a stranger", inReplyTo=root["id"])
    scene.serve(root["context"], [root["id"], answer["id"], lost["id"], 7, scene.ann.account.uri])
    assert await _descendants(scene, status) == []
    await scene.company.settle()
    assert await _descendants(scene, status) == ["an answer", "and one to that"]
    assert scene.stranger.fetched == []
    assert await scene.ann.notifications() == []

    later = scene.two.note(scene.dora, "later", inReplyTo=root["id"])
    scene.serve(root["context"], [later["id"]])
    await _descendants(scene, status)
    await scene.company.settle()
    assert "later" not in await _descendants(scene, status), "asked again after a quarter of an hour only"
    scene.company.clock.shift_ms += 16 * 60_000
    await _descendants(scene, status)
    await scene.company.settle()
    assert "later" in await _descendants(scene, status)


async def test_apps_are_told_that_a_thread_is_being_read(scene: Scene) -> None:
    status, root = await _thread(scene)
    path, refresh = f"/api/v1/statuses/{status['id']}/context", f"/api/v1_alpha/async_refreshes/{status['id']}"
    answers = [scene.two.note(scene.dora, f"a{number}", inReplyTo=root["id"]) for number in range(3)]
    scene.serve(root["context"], [root["id"], *(answer["id"] for answer in answers)])
    assert (await scene.ann.http.get(refresh)).status_code == 404, "nobody has opened it"
    opened = await scene.ann.http.get(path)
    assert opened.headers["Mastodon-Async-Refresh"] == f'id="{status["id"]}", retry=3, result_count=0'
    told = {"id": status["id"], "status": "running", "result_count": 0}
    assert await scene.ann.get(refresh) == {"async_refresh": told}
    again = await scene.ann.http.get(path)
    assert again.headers["Mastodon-Async-Refresh"].endswith("result_count=0"), "it still waits"
    nobody = await scene.ann.http.get(path, headers={"Authorization": ""})
    assert "Mastodon-Async-Refresh" not in nobody.headers, "the work is asked for by people"
    await scene.company.settle()
    assert await scene.ann.get(refresh) == {"async_refresh": {**told, "status": "finished", "result_count": 3}}
    assert "Mastodon-Async-Refresh" not in (await scene.ann.http.get(path)).headers
    answer = await scene.ann.find_status(answers[0]["id"])
    below = await scene.ann.get(f"/api/v1_alpha/async_refreshes/{answer['id']}")
    assert below["async_refresh"]["status"] == "finished", "each post of a thread tells of the whole"
    scene.company.clock.shift_ms += 16 * 60_000
    await scene.ann.http.get(path)
    assert await scene.ann.get(refresh) == {"async_refresh": told}, "a new reading begins to count anew"
    scene.company.clock.shift_ms += 6 * 60_000
    assert (await scene.ann.get(refresh))["async_refresh"]["status"] == "finished", "nobody waits for ever"
    mine = await scene.ann.publish("mine")
    assert (await scene.ann.http.get(f"/api/v1_alpha/async_refreshes/{mine['id']}")).status_code == 404


async def test_a_thread_without_context_is_read_by_its_replies(scene: Scene) -> None:
    await scene.follow()
    root = scene.one.note(scene.carl, "the beginning")
    first = scene.one.note(scene.carl, "first", inReplyTo=root["id"])
    second = scene.two.note(scene.dora, "second", inReplyTo=first["id"])
    root["replies"] = scene.serve(f"{root['id']}/replies", [first["id"]])
    first["replies"] = scene.serve(f"{first['id']}/replies", [second["id"]])
    await scene.one.deliver(scene.finance, scene.create(root))
    await scene.company.settle()
    status = await scene.ann.find_status(root["id"])
    await _descendants(scene, status)
    await scene.company.settle()
    assert await _descendants(scene, status) == ["first", "second"]


async def test_a_thread_has_a_budget_and_ends(scene: Scene) -> None:
    status, root = await _thread(scene)
    ids = []
    for number in range(120):
        note = scene.one.note(scene.carl, f"n{number}", inReplyTo=root["id"])
        note["replies"] = scene.serve(f"{note['id']}/replies", [root["id"], note["id"]])
        ids.append(note["id"])
    scene.serve(root["context"], ids)
    scene.one.fetched.clear()
    await _descendants(scene, status)
    await scene.company.settle()
    assert len(scene.one.fetched) <= 50
    assert len(await _descendants(scene, status)) >= 20


async def test_threads_of_ours_and_narrow_ones_cost_no_request(scene: Scene) -> None:
    await scene.follow()
    mine = await scene.ann.publish("mine")
    narrow = scene.one.note(scene.carl, "narrow", to=[scene.carl + "/followers"], cc=[])
    await scene.one.deliver(scene.finance, scene.create(narrow))
    await scene.company.settle()
    status = next(item for item in await scene.ann.home() if plain(item["content"]) == "narrow")
    scene.one.fetched.clear()
    for one in (mine, status):
        await _descendants(scene, one)
        await scene.company.settle()
    assert scene.one.fetched == []
    assert PUBLIC not in narrow["to"]


async def test_pins_are_the_account_s_own_posts(company: Company) -> None:
    """GoToSocial lists ids and never tells of pins; what somebody else wrote is no pin of theirs."""
    finance = await company.department("finance")
    scene = Scene(company, finance, await finance.person("ann"))
    for server in (scene.one, scene.two):
        await finance.db.write(peers.add, server.domain, "partner")
    mine, foreign = scene.one.note(scene.carl, "carl's pin"), scene.two.note(scene.dora, "dora's")
    other = scene.one.note(scene.one.actor("cora"), "cora's")
    scene.one.documents[scene.carl]["featured"] = f"{scene.carl}/featured"
    scene.serve(f"{scene.carl}/outbox", [])
    scene.serve(f"{scene.carl}/featured", [mine["id"], foreign["id"], other["id"]])
    await scene.follow()
    carl = await scene.ann.find("carl@one.localhost")
    pins = await scene.ann.get(f"/api/v1/accounts/{carl}/statuses", pinned="true")
    assert [plain(item["content"]) for item in pins] == ["carl's pin"]
    assert foreign["id"] not in scene.two.fetched


async def test_pins_are_read_again_when_there_is_news_of_their_account(scene: Scene) -> None:
    """Once in some hours; what is listed no more is unpinned, what was told meanwhile is newer than the list."""
    notes = {name: scene.one.note(scene.carl, name) for name in ("one", "two", "three")}
    featured = f"{scene.carl}/featured"
    carl = scene.one.documents[scene.carl]
    carl["featured"] = featured
    scene.serve(f"{scene.carl}/outbox", [])

    async def pinned() -> list[str]:
        found = await scene.ann.get(
            f"/api/v1/accounts/{await scene.ann.find('carl@one.localhost')}/statuses", pinned="true"
        )
        return sorted(plain(item["content"]) for item in found)

    async def update(*names: str) -> None:
        scene.serve(featured, [notes[name]["id"] for name in names])
        await scene.one.deliver(scene.finance, scene.one.activity("Update", scene.carl, carl))
        await scene.company.settle()

    await scene.ann.find("carl@one.localhost")
    await update("one")
    assert featured not in scene.one.fetched, "nobody here follows carl"
    await scene.follow()
    assert await pinned() == ["one"]
    scene.one.fetched.clear()
    for _ in range(3):
        await update("two", "three")
    assert (featured in scene.one.fetched, await pinned()) == (False, ["one"]), "that was read a moment ago"
    scene.company.clock.shift_ms += 7 * 3_600_000
    await scene.company.settle()
    assert await pinned() == ["three", "two"]
    assert scene.one.fetched.count(featured) == 1, "three Updates, one reading"
    scene.company.clock.shift_ms += 7 * 3_600_000
    scene.one.fetched.clear()
    await scene.company.settle()
    assert featured not in scene.one.fetched, "no news, no reading"
    del scene.one.documents[featured]
    await scene.one.deliver(scene.finance, scene.one.activity("Update", scene.carl, carl))
    await scene.company.settle()
    assert (scene.one.fetched.count(featured), await pinned()) == (1, ["three", "two"]), "it could not be read"
    scene.company.clock.shift_ms += 25 * 3_600_000
    scene.serve(featured, [])
    await scene.ann.find("carl@one.localhost")
    await scene.company.settle()
    assert await pinned() == [], "the profile was fetched anew"


async def test_pins_for_followers_stay_when_the_pins_are_read_again(company: Company) -> None:
    """The key of a follower asks."""
    finance, sales = await company.department("finance"), await company.department("sales")
    await company.introduce(finance, sales)
    ann, bo = await finance.person("ann"), await sales.person("bo")
    await ann.follow(bo.handle)
    await company.settle()
    texts = ("for followers", "for all")
    posts = [await bo.publish(text, visibility=kind) for text, kind in zip(texts, ("private", "public"), strict=True)]
    for post in posts:
        await bo.post(f"/api/v1/statuses/{post['id']}/pin")
    await company.settle()
    for hours in (0, 7):
        company.clock.shift_ms += hours * 3_600_000
        await bo.send("PATCH", "/api/v1/accounts/update_credentials", display_name=f"Bo {hours}")
        await company.settle()
        pins = await ann.get(f"/api/v1/accounts/{await ann.find(bo.handle)}/statuses", pinned="true")
        assert {plain(item["content"]) for item in pins} == set(texts)


async def test_who_opens_a_thread_sees_its_first_post_as_it_is_now(company: Company) -> None:
    """Nobody of people follows ann, whose server therefore tells theirs nothing."""
    finance, operations, people = await start(company, "finance", "operations", "people")
    ann, bo, cy = await finance.person("ann"), await operations.person("bo"), await people.person("cy")
    mine = await ann.publish("which?", poll={"options": ["a", "b"], "expires_in": 3600})
    assert await cy.find_status(mine["uri"]) is not None
    poll = (await bo.find_status(mine["uri"]))["poll"]
    await bo.post(f"/api/v1/polls/{poll['id']}/votes", choices=[1])
    await company.settle()
    await ann.send("PUT", f"/api/v1/statuses/{mine['id']}", status="which one?", poll={
        "options": ["a", "b"], "expires_in": 3600})  # fmt: skip
    await company.settle()
    for _ in range(2):
        seen = await cy.find_status(mine["uri"])
        await cy.get(f"/api/v1/statuses/{seen['id']}/context")
        await company.settle()
    seen = await cy.find_status(mine["uri"])
    assert (plain(seen["content"]), seen["edited_at"] is not None) == ("which one?", True)
    assert [option["votes_count"] for option in seen["poll"]["options"]] == [0, 1]
    assert await cy.notifications() == []
