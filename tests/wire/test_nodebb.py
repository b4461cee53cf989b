"""NodeBB: topics in categories, votes under one id, keys that it reads unsigned, requests that it does not answer."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa

from fedcorp.activitypub import telling
from fedcorp.activitypub.processor import undefined_terms
from fedcorp.company import peers
from fedcorp.social import memberships
from fedcorp.storage.tables import peers as peers_table
from tests.federation.world import ACTIVITY, Company, Department, Person, pair, plain
from tests.wire.meeting import readable
from tests.wire.server import Server, accept_last_follow, listed, outcomes, place

pytestmark = pytest.mark.anyio

HOST = "https://nodebb.example"
NORA, OTTO, GARDEN = f"{HOST}/uid/7", f"{HOST}/uid/8", f"{HOST}/category/4"
TOPIC, REPLY = f"{HOST}/post/31", f"{HOST}/post/32"
AGENT = "NodeBB/4.x (https://nodebb.example)"
ACTORS = ("person_nora", "person_otto", "person_root", "application", "group", "group_kitchen")


class NodeBB(Server):
    """The id of an activity is that of a post with a fragment, so the post answers there. `unread` are types of
    activities that are answered with 424, `silent` those that are not answered at all; `meanwhile` happens before we
    give up."""

    def __init__(self, company: Company, **words: str) -> None:
        super().__init__(company, "nodebb", serves_activities=False, **words)
        self.key_name = "#key"
        self.unread: set[str] = set()
        self.silent: set[str] = set()
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def respond(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return await super().respond(
                httpx.Request("GET", str(request.url).partition("#")[0], headers=request.headers)
            )
        kind = json.loads(request.content)["type"]
        answer = await super().respond(request)
        if kind in self.silent:
            if self.meanwhile is not None:
                await self.meanwhile()
            raise httpx.ReadTimeout("no answer", request=request)
        return httpx.Response(424, request=request) if kind in self.unread else answer


class Scene:
    """ann and nora follow each other, ann follows the category, nora has joined ann's group."""

    def __init__(self, server: NodeBB, finance: Department, ann: Person, category: str, group: dict[str, Any]) -> None:
        self.server, self.finance, self.ann, self.category, self.group = server, finance, ann, category, group

    async def send(self, *names: str, **words: str) -> None:
        for name in names:
            self.server.company.clock.shift_ms += 1_000
            await self.server.send(self.finance, name, **words)

    async def topic(self) -> dict[str, Any]:
        """nora begins a topic: it comes from her, and twice from the category."""
        await self.send("create_topic", "announce_topic", "announce_create_topic")
        found: dict[str, Any] = await self.ann.find_status(TOPIC)
        return found

    async def publish(self, text: str, **values: Any) -> dict[str, Any]:
        made: dict[str, Any] = await self.ann.publish(text, reach="public", **values)
        await self.server.company.settle()
        return made

    async def counts(self, status: dict[str, Any]) -> tuple[int, list[str]]:
        seen = await self.ann.get(f"/api/v1/statuses/{status['id']}")
        return seen["favourites_count"], [item["name"] for item in seen["reactions"]]

    async def faults(self) -> list[Any]:
        return [row for row in await outcomes(self.finance) if row[1] not in ("processed", "duplicate", "ignored")]


async def scene_of(company: Company) -> Scene:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    await finance.group(ann, "robots", reach="public")
    await company.settle()
    group = await ann.get(f"/api/fedcorp/v1/groups/{await ann.find('robots@finance.localhost')}")
    words = {"ann": ann.account.uri, "ann_page": ann.account.url or "", "group": group["uri"]}
    server = NodeBB(company, **words)
    server.publish(*ACTORS)
    await server.meet(finance)
    await company.settle()
    scene = Scene(server, finance, ann, await ann.find("garden@nodebb.example"), group)
    await scene.send("follow", "follow_group")
    await ann.follow("nora@nodebb.example")
    await company.settle()
    await accept_last_follow(server, finance, "accept_follow")
    await ann.post(f"/api/v1/accounts/{scene.category}/follow")
    await company.settle()
    await accept_last_follow(server, finance, "accept_follow_category")
    return scene


def words_of(status: dict[str, Any], author: Person) -> dict[str, str]:
    """The blanks of what NodeBB says about a post of somebody here."""
    uri = status["uri"]
    return {"post": uri, "quoted": quote(uri, safe=""), "author": author.account.uri}


# -- keys ------------------------------------------------------------------------------------------------------------


async def read_key(finance: Department, uri: str, agent: str) -> httpx.Response:
    headers = {"Accept": ACTIVITY, "User-Agent": agent}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=finance.instance.app)) as client:
        return await client.get(uri, headers=headers)


async def test_it_reads_keys_without_a_signature_and_nothing_else(company: Company) -> None:
    scene = await scene_of(company)
    for uri, kind in ((scene.ann.account.uri, "Person"), (scene.group["uri"], "Group")):
        answer = await read_key(scene.finance, uri, AGENT)
        document = answer.json()
        assert (answer.status_code, document["id"], document["type"]) == (200, uri, kind)
        assert document.keys() == {"@context", "id", "type", "publicKey"}
        assert document["publicKey"]["owner"] == uri
        assert undefined_terms(document) == []
        assert "User-Agent" in answer.headers["vary"]
    mine = await scene.publish("not for everybody")
    assert (await read_key(scene.finance, mine["uri"], AGENT)).status_code == 401


@pytest.mark.parametrize(
    "agent",
    [
        AGENT.replace("nodebb.example", "stranger.example"),
        AGENT.replace("nodebb.example", "mastodon.example"),
        AGENT.replace("nodebb.example", ""),
        AGENT.replace("NodeBB", "Forum"),
        f"Mozilla/5.0 {AGENT}",
        "",
    ],
)
async def test_only_a_peer_of_that_software_does(company: Company, agent: str) -> None:
    """All others get one answer, so that nobody can ask who is a peer here."""
    scene = await scene_of(company)
    await scene.finance.db.write(peers.add, "mastodon.example", "partner")
    answer = await read_key(scene.finance, scene.ann.account.uri, agent)
    plain = await read_key(scene.finance, scene.ann.account.uri, "curl/8")
    assert answer.status_code == 401
    assert (answer.content, answer.headers["www-authenticate"]) == (plain.content, plain.headers["www-authenticate"])


async def test_who_signs_reads_the_whole_document(company: Company) -> None:
    scene = await scene_of(company)
    answer = await scene.server.read(scene.finance, scene.ann.account.uri, signer=NORA)
    assert answer.json()["preferredUsername"] == "ann"


async def test_a_group_that_is_not_listed_has_no_key_for_it(company: Company) -> None:
    scene = await scene_of(company)
    secret = await scene.finance.db.write(
        memberships.found, scene.ann.account, "heist", pair(1), title="Heist", preset="secret", reach="public"
    )
    assert (await read_key(scene.finance, secret.uri, AGENT)).status_code == 404
    assert (await read_key(scene.finance, f"{scene.ann.account.uri}0", AGENT)).status_code == 404


async def test_pages_say_in_a_header_where_their_documents_are(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.publish("look")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=scene.finance.instance.app)) as client:
        for page, uri in ((mine["url"], mine["uri"]), (scene.ann.account.url, scene.ann.account.uri)):
            answer = await client.head(str(page))
            assert answer.headers["link"] == f'<{uri}>; rel="alternate"; type="application/activity+json"'
        assert "link" not in (await client.head(f"{scene.finance.origin}/@nobody")).headers


# -- its categories --------------------------------------------------------------------------------------------------


async def test_its_people_and_categories(company: Company) -> None:
    scene = await scene_of(company)
    nora = await scene.ann.get(f"/api/v1/accounts/{await scene.ann.find('nora@nodebb.example')}")
    assert (nora["uri"], nora["url"]) == (NORA, f"{HOST}/user/nora")
    assert [(item["name"], item["value"]) for item in nora["fields"]] == [("Plot", "14")]
    (relation,) = await scene.ann.get("/api/v1/accounts/relationships", **{"id[]": nora["id"]})
    assert (relation["following"], relation["followed_by"]) == (True, True)
    garden = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.category}")
    assert (garden["title"], garden["posting"], garden["role"]) == ("Garden", "everyone", "member")
    assert await scene.faults() == []


async def test_a_topic_that_comes_three_times_is_shown_once(company: Company) -> None:
    scene = await scene_of(company)
    post = await scene.topic()
    assert plain(post["content"]).startswith("Beans this yearThe beans are up.")
    assert (post["spoiler_text"], post["sensitive"], post["url"]) == ("", False, TOPIC)
    assert [item["name"] for item in post["tags"]] == ["beans"]
    assert [item["description"] for item in post["media_attachments"]] == ["a row of beans"]
    assert len(await listed(scene.ann, scene.category)) == 1
    assert len(await scene.ann.texts()) == 1
    await scene.send("update_topic", "announce_update_topic")
    assert await listed(scene.ann, scene.category) == ["Beans this cold yearThe beans are late."]
    assert await scene.faults() == []


async def test_answers_on_both_sides(company: Company) -> None:
    scene = await scene_of(company)
    post = await scene.topic()
    await scene.send("create_reply", "announce_create_reply")
    mine = await scene.publish("@nora@nodebb.example with compost", in_reply_to_id=post["id"])
    assert (await place(scene.ann, mine["id"]))["state"] == "pending"
    create = scene.server.got("Create", "Note")[-1]
    assert (create["object"]["inReplyTo"], create["object"]["audience"]) == (TOPIC, GARDEN)
    assert [*readable(create, NORA), *undefined_terms(create)] == []
    words = words_of(mine, scene.ann)
    await scene.send("announce_ours", activity=create["id"], **words)
    assert (await place(scene.ann, mine["id"]))["state"] == "distributed"
    await scene.send("create_reply_to_ours", **words)
    context = await scene.ann.get(f"/api/v1/statuses/{post['id']}/context")
    assert [(plain(item["content"]).strip(), item["in_reply_to_id"]) for item in context["descendants"]] == [
        ("Mine are not.", post["id"]),
        ("@nora with compost", post["id"]),
        ("@ann@finance.localhost with compost?", mine["id"]),
    ]  # fmt: skip
    kinds = [item["type"] for item in await scene.ann.get("/api/v1/notifications")]
    assert "mention" in kinds
    assert await scene.faults() == []


async def test_a_vote_has_one_id_however_often_it_is_given(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.publish("look")
    words = words_of(mine, scene.ann)
    for _ in range(2):
        await scene.send("like", **words)
        assert await scene.counts(mine) == (1, [])
        await scene.send("undo_like", **words)
        assert await scene.counts(mine) == (0, [])
    for _ in range(2):
        await scene.send("dislike", **words)
        assert await scene.counts(mine) == (0, ["👎"])
        await scene.send("undo_dislike", **words)
        assert await scene.counts(mine) == (0, [])


async def test_a_vote_for_a_post_over_there_is_told_by_the_category_alone(company: Company) -> None:
    scene = await scene_of(company)
    post = await scene.topic()
    await scene.send("announce_like", post=TOPIC, quoted=quote(TOPIC, safe=""), author=NORA)
    assert await scene.counts(post) == (1, [])


async def test_what_its_author_deletes_is_gone(company: Company) -> None:
    scene = await scene_of(company)
    await scene.topic()
    await scene.send("create_reply", "announce_create_reply", "delete_reply")
    assert len(await listed(scene.ann, scene.category)) == 1
    await scene.send("delete_topic")
    assert await listed(scene.ann, scene.category) == []
    assert await scene.ann.texts() == []


async def test_what_a_moderator_deletes_is_gone_where_a_tombstone_stands(company: Company) -> None:
    """The moderator's key signs the Delete of the author, which is refused; the category tells of it as well."""
    scene = await scene_of(company)
    await scene.topic()
    await scene.send("create_reply", "announce_create_reply")
    delete = scene.server.read_file("delete_reply")
    answer = await scene.server.deliver(scene.finance, delete, signer=f"{HOST}/uid/1")
    assert answer.status_code == 401
    scene.server.documents[REPLY] = scene.server.read_file("tombstone")
    company.clock.shift_ms += 60_000
    await scene.send("announce_delete_reply")
    assert len(await listed(scene.ann, scene.category)) == 1


async def test_a_topic_leaves_its_category_with_all_answers(company: Company) -> None:
    """Deleted by a moderator: told by an Undo of the boost, which names the post by a number."""
    scene = await scene_of(company)
    post = await scene.topic()
    await scene.send("create_reply", "announce_create_reply")
    assert len(await listed(scene.ann, scene.category)) == 2
    await scene.send("undo_announce_topic", "remove_topic")
    assert await listed(scene.ann, scene.category) == []
    assert len(await scene.ann.texts()) == 1  # she follows nora as well
    context = await scene.ann.get(f"/api/v1/statuses/{post['id']}/context")
    assert [plain(item["content"]).strip() for item in context["descendants"]] == ["Mine are not."]
    await scene.send("announce_create_reply")
    assert len(await listed(scene.ann, scene.category)) == 1  # its new word counts


async def test_another_boost_that_is_taken_back_takes_nothing_along(company: Company) -> None:
    """Whoever is no category boosts one post alone."""
    scene = await scene_of(company)
    mine = await scene.publish("look")
    words = words_of(mine, scene.ann)
    for _ in range(2):
        await scene.send("announce_share", **words)
        assert (await scene.ann.get(f"/api/v1/statuses/{mine['id']}"))["reblogs_count"] == 1
        await scene.send("undo_share", **words)
        assert (await scene.ann.get(f"/api/v1/statuses/{mine['id']}"))["reblogs_count"] == 0


async def test_an_answer_leaves_alone(company: Company) -> None:
    scene = await scene_of(company)
    await scene.topic()
    await scene.send("create_reply", "announce_create_reply")
    boost = {"type": "Announce", "actor": GARDEN, "object": REPLY}
    undo = {"id": f"{REPLY}#activity/undo:announce/cid/4", "type": "Undo", "actor": GARDEN, "object": boost}
    await scene.server.deliver(scene.finance, undo)
    await company.settle()
    assert [text[:5] for text in await listed(scene.ann, scene.category)] == ["Beans"]


async def test_where_groups_boost_single_posts_the_answers_stay(company: Company) -> None:
    scene = await scene_of(company)
    await scene.topic()
    await scene.send("create_reply", "announce_create_reply")
    await scene.finance.db.write(lambda tx: tx.conn.execute(sa.update(peers_table).values(dialect="boost")))
    await scene.send("undo_announce_topic")
    assert await listed(scene.ann, scene.category) == ["Mine are not."]


@pytest.mark.parametrize("undo_first", [False, True])
async def test_a_topic_moves_to_another_category(company: Company, undo_first: bool) -> None:
    scene = await scene_of(company)
    kitchen = await scene.ann.find("kitchen@nodebb.example")
    await scene.ann.post(f"/api/v1/accounts/{kitchen}/follow")
    await company.settle()
    await accept_last_follow(scene.server, scene.finance, "accept_follow_category")
    post = await scene.topic()
    await scene.send("create_reply", "announce_create_reply")
    steps = ["announce_moved_topic", "undo_announce_topic"]
    await scene.send(*(reversed(steps) if undo_first else steps), "move_topic")
    assert await listed(scene.ann, scene.category) == []
    assert len(await listed(scene.ann, kitchen)) == 1
    await scene.publish("in the kitchen then", in_reply_to_id=post["id"])
    assert scene.server.got("Create", "Note")[-1]["object"]["audience"] == f"{HOST}/category/5"


async def test_a_topic_is_read_page_by_page(company: Company) -> None:
    """The collection without a page is the second to tell of the first post; all of it is read when it is opened."""
    scene = await scene_of(company)
    post = await scene.topic()
    for name in ("create_reply", "post_34", "post_35"):
        document = scene.server.read_file(name)
        scene.server.serve(document.get("object") if name == "create_reply" else document)
    scene.server.publish("topic", "topic_page_2")
    await scene.ann.get(f"/api/v1/statuses/{post['id']}/context")
    await company.settle()
    context = await scene.ann.get(f"/api/v1/statuses/{post['id']}/context")
    assert [plain(item["content"]).strip() for item in context["descendants"]] == [
        "Mine are not.",
        "water them",
        "I do",
    ]


@pytest.mark.parametrize("name", ["topic", "topic_short"])
async def test_the_address_of_a_topic_leads_to_its_first_post(company: Company, name: str) -> None:
    """The page is read where its id is; of a long topic its first page alone has the first post."""
    scene = await scene_of(company)
    scene.server.serve(scene.server.read_file("create_topic")["object"])
    scene.server.serve(scene.server.read_file("create_reply")["object"])
    document = scene.server.read_file(name)
    scene.server.publish("topic_page_1")
    page = f"{document['id']}/beans-this-year"
    scene.server.documents |= {page: document, document["id"]: document}
    assert (await scene.ann.find_status(page))["uri"] == TOPIC
    scene.server.documents[page] = {**document, "id": page, "orderedItems": [], "first": None}
    assert await scene.ann.find_status(page) is None


async def test_a_chat(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("@nora@nodebb.example between us", visibility="direct", reach="public")
    await company.settle()
    words = {"post": mine["uri"]}
    await scene.send("create_message", **words)
    (talk,) = await scene.ann.get("/api/v1/conversations")
    assert (plain(talk["last_status"]["content"]).strip(), talk["last_status"]["visibility"]) == (
        "thank you ann",
        "direct",
    )
    assert talk["last_status"]["in_reply_to_id"] == mine["id"]
    await scene.send("update_message", **words)
    (talk,) = await scene.ann.get("/api/v1/conversations")
    assert plain(talk["last_status"]["content"]).strip() == "thank you very much"
    await scene.send("delete_message")
    (talk,) = await scene.ann.get("/api/v1/conversations")
    assert talk["last_status"]["id"] == mine["id"]
    assert await scene.faults() == []


async def test_a_report(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.publish("rude")
    await scene.send("flag", **words_of(mine, scene.ann))
    assert (await outcomes(scene.finance))[-1][:2] == ("Flag", "processed")


# -- a group of ours -------------------------------------------------------------------------------------------------


async def test_its_people_in_a_group_of_ours_are_not_told_of_themselves(company: Company) -> None:
    """What it sent comes back to it inside no Announce: it would refuse that (424)."""
    scene = await scene_of(company)
    group_id = await scene.ann.find("robots@finance.localhost")
    await scene.send("create_topic_here")
    assert (await listed(scene.ann, group_id))[0].startswith("A robot that weeds")
    mine = await scene.publish("@robots whose is it?")
    await scene.send("create_reply_here", **words_of(mine, scene.ann))
    await scene.send("update_topic_here")
    shown = await listed(scene.ann, group_id)
    assert [text.split("?")[0] for text in shown] == [
        "It is mine.",
        "@robots whose is it",
        "A robot that weedsAre there two",
    ]
    told = [item["object"] for item in scene.server.got("Announce")]
    assert [(item["type"], item["actor"]) for item in told] == [("Create", scene.ann.account.uri)]
    assert await scene.faults() == []


async def test_a_category_may_follow_a_group_of_ours(company: Company) -> None:
    scene = await scene_of(company)
    await scene.send("follow_group_as_category")
    group_id = await scene.ann.find("robots@finance.localhost")
    rows = await scene.ann.get(f"/api/fedcorp/v1/groups/{group_id}/members")
    assert {row["account"]["acct"] for row in rows} == {"ann", "nora@nodebb.example", "garden@nodebb.example"}


# -- answers that it gives, and does not give ------------------------------------------------------------------------


async def test_what_it_cannot_fetch_holds_nothing_up_for_long(company: Company) -> None:
    scene = await scene_of(company)
    scene.server.unread = {"Announce"}
    await scene.publish("@robots whose is it?")
    await scene.publish("and now for something else")
    assert len(scene.server.got("Announce")) == 1
    await company.retry()
    assert len(scene.server.got("Announce")) == 2
    assert plain(scene.server.got("Create", "Note")[-1]["object"]["content"]) == "and now for something else"


async def test_a_reject_takes_the_place_of_an_answer(company: Company) -> None:
    """What it cannot act upon it leaves without an answer, and says so by a Reject with neither id nor actor inside."""
    scene = await scene_of(company)
    post = await scene.topic()
    ben = await scene.finance.person("ben")
    scene.server.silent = {"Like"}
    for person in (scene.ann, ben):
        await person.post(f"/api/v1/statuses/{post['id']}/favourite")
        await company.settle()
        like = scene.server.got("Like")[-1]
        assert like["actor"] == person.account.uri
        await scene.publish(f"after {person.account.username}")
        said = len(scene.server.got("Create"))
        await scene.send("reject_like", actor=like["actor"])  # under the same id both times
        await company.retry()
        assert len(scene.server.got("Create")) == said + 1
        company.clock.shift_ms += 2_000
    assert len(scene.server.got("Like")) == 2  # neither was tried again


async def test_a_reject_comes_while_we_wait_for_the_answer(company: Company) -> None:
    scene = await scene_of(company)
    post = await scene.topic()
    scene.server.silent = {"Like"}
    scene.server.meanwhile = lambda: scene.finance.db.write(telling.refuse, "nodebb.example", "Like", TOPIC)
    await scene.ann.post(f"/api/v1/statuses/{post['id']}/favourite")
    await scene.publish("after")
    assert (len(scene.server.got("Like")), len(scene.server.got("Create"))) == (1, 1)


async def test_a_follow_that_waits_is_refused_by_who_was_asked(company: Company) -> None:
    """A Reject that says whose Follow it is answers that, and is no word about the delivery alone."""
    scene = await scene_of(company)
    scene.server.silent = {"Follow"}
    await scene.ann.follow("otto@nodebb.example")
    await company.settle()
    follow = {"type": "Follow", "actor": scene.ann.account.uri, "object": OTTO}
    reject = {"id": f"{OTTO}#activity/reject/1", "type": "Reject", "actor": OTTO, "object": follow}
    assert (await scene.server.deliver(scene.finance, reject)).status_code == 202
    await company.settle()
    otto = await scene.ann.find("otto@nodebb.example")
    (relation,) = await scene.ann.get("/api/v1/accounts/relationships", **{"id[]": otto})
    assert (relation["following"], relation["requested"]) == (False, False)


async def test_a_reject_of_something_else_ends_no_delivery(company: Company) -> None:
    scene = await scene_of(company)
    post = await scene.topic()
    scene.server.silent = {"Like"}
    await scene.ann.post(f"/api/v1/statuses/{post['id']}/favourite")
    await company.settle()
    await scene.send("reject_delete", quoted="x", activity="https://finance.localhost/a/1", post=post["uri"])
    await scene.publish("after")
    tried = len(scene.server.got("Like"))
    await company.retry()
    assert len(scene.server.got("Like")) == tried + 1
    assert scene.server.got("Create") == []
    scene.server.silent = set()
    await company.retry()
    assert len(scene.server.got("Create")) == 1
