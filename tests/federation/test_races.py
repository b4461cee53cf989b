"""One test for every race between activities: each order, and each repetition, gives the same state."""

import itertools
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.social import accounts, moderation
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import inbox
from tests.federation.world import PUBLIC, Company, Department, Outsider, Person, plain

pytestmark = pytest.mark.anyio


class Scene:
    """ann's department, and a server driven by hand where eva lives; they follow each other."""

    def __init__(self, department: Department, ann: Person, outsider: Outsider, eva: str) -> None:
        self.department = department
        self.ann = ann
        self.outsider = outsider
        self.eva = eva

    async def receive(self, *activities: dict[str, Any]) -> None:
        """Everything is accepted in this order and processed after each."""
        for activity in activities:
            response = await self.outsider.deliver(self.department, activity)
            assert response.status_code == 202, response.text
            await self.department.settle()

    async def texts(self) -> list[str]:
        return await self.ann.texts()

    async def outcomes(self) -> list[str]:
        def read(tx: Tx) -> list[str]:
            return [str(word) for word in tx.conn.execute(sa.select(inbox.c.outcome).order_by(inbox.c.seq)).scalars()]

        return await self.department.db.read(read)

    def create(self, text: str, **more: Any) -> dict[str, Any]:
        note = self.outsider.note(self.eva, text, **more)
        return self.outsider.activity("Create", self.eva, note, cc=note["cc"])


@pytest.fixture
async def scene(company: Company) -> Scene:
    department = await company.department("finance")
    outsider = Outsider(company, "sales.localhost")
    eva = outsider.actor("eva")
    await department.db.write(peers.add, outsider.domain, "department")
    ann = await department.person("ann")
    made = Scene(department, ann, outsider, eva)
    await ann.follow("eva@sales.localhost")
    await department.settle()
    follow = outsider.received[-1]
    accept = outsider.activity("Accept", eva, follow, to=[ann.account.uri])
    await made.receive(accept, outsider.activity("Follow", eva, ann.account.uri, to=[ann.account.uri]))
    return made


@pytest.mark.parametrize(("kind", "count"), [("Like", "favourites_count"), ("Announce", "reblogs_count")])
async def test_a_like_before_its_note(scene: Scene, kind: str, count: str) -> None:
    create = scene.create("later")
    note = scene.outsider.documents.pop(create["object"]["id"])  # it cannot be fetched: it comes in its own time
    reaction = scene.outsider.activity(kind, scene.eva, note["id"])
    await scene.receive(reaction)
    assert (await scene.outcomes())[-1] == "deferred"
    scene.outsider.documents[note["id"]] = note
    await scene.receive(create, reaction)
    assert (await scene.ann.find_status(note["id"]))[count] == 1


async def test_a_reply_before_its_parent(scene: Scene) -> None:
    parent = scene.create("the question")
    reply = scene.create("the answer", inReplyTo=parent["object"]["id"])
    await scene.receive(reply, parent)
    found = await scene.ann.find_status(parent["object"]["id"])
    thread = await scene.ann.get(f"/api/v1/statuses/{found['id']}/context")
    assert [plain(item["content"]) for item in thread["descendants"]] == ["the answer"]


async def test_an_update_before_its_create(scene: Scene) -> None:
    create = scene.create("first words")
    later = {**create["object"], "content": "<p>second words</p>", "updated": "2026-11-02T10:00:00Z"}
    await scene.receive(scene.outsider.activity("Update", scene.eva, later), create)
    assert plain((await scene.ann.find_status(later["id"]))["content"]) == "second words"


async def test_a_delete_before_its_create(scene: Scene) -> None:
    create = scene.create("never seen")
    uri = create["object"]["id"]
    del scene.outsider.documents[uri]
    await scene.receive(scene.outsider.activity("Delete", scene.eva, uri), create)
    assert await scene.texts() == []


@pytest.mark.parametrize("kind", ["Like", "Announce"])
async def test_an_undo_before_its_activity(scene: Scene, kind: str) -> None:
    mine = await scene.ann.publish("mine")
    activity = scene.outsider.activity(kind, scene.eva, mine["uri"])
    await scene.receive(scene.outsider.activity("Undo", scene.eva, activity), activity)
    status = await scene.ann.get(f"/api/v1/statuses/{mine['id']}")
    assert (status["favourites_count"], status["reblogs_count"]) == (0, 0)


async def test_an_undo_of_a_follow_before_the_follow(scene: Scene) -> None:
    fred = scene.outsider.actor("fred")
    follow = scene.outsider.activity("Follow", fred, scene.ann.account.uri)
    await scene.receive(scene.outsider.activity("Undo", fred, follow), follow)
    followers = await scene.ann.get(f"/api/v1/accounts/{scene.ann.id}/followers")
    assert [item["username"] for item in followers] == ["eva"]


@pytest.mark.parametrize("undo_first", [False, True])
async def test_an_undo_of_a_block_before_the_block(scene: Scene, undo_first: bool) -> None:
    block = scene.outsider.activity("Block", scene.eva, scene.ann.account.uri, to=[])
    undo = scene.outsider.activity("Undo", scene.eva, block, to=[])
    scene.outsider.company.clock.shift_ms += 1000
    order = (undo, block) if undo_first else (block, undo)
    await scene.receive(*order, *order)
    eva = await scene.ann.find("eva@sales.localhost")
    (relation,) = await scene.ann.get("/api/v1/accounts/relationships", **{"id[]": eva})
    assert (relation["blocked_by"], relation["following"], relation["followed_by"]) == (False, False, False)


async def test_an_accept_for_a_follow_that_was_never_sent(scene: Scene) -> None:
    other = await scene.department.person("other")
    forged = {"id": "http://finance.localhost/a/1", "type": "Follow", "actor": other.account.uri, "object": scene.eva}
    await scene.receive(scene.outsider.activity("Accept", scene.eva, forged))
    assert await other.get(f"/api/v1/accounts/{other.id}/following") == []


async def test_a_follow_again_with_a_new_id_is_accepted_again(scene: Scene) -> None:
    before = len(scene.outsider.received)
    again = scene.outsider.activity("Follow", scene.eva, scene.ann.account.uri)
    await scene.receive(again)
    (accept,) = [one for one in scene.outsider.received[before:] if one["type"] == "Accept"]
    assert accept["object"]["id"] == again["id"]
    assert len(await scene.ann.get(f"/api/v1/accounts/{scene.ann.id}/followers")) == 1


async def test_a_reject_after_the_accept_ends_the_follow(scene: Scene) -> None:
    follow = scene.outsider.received[0]
    assert follow["type"] == "Follow"
    await scene.receive(scene.outsider.activity("Reject", scene.eva, follow))
    assert await scene.ann.get(f"/api/v1/accounts/{scene.ann.id}/following") == []


async def follow_again(scene: Scene) -> tuple[Any, Any]:
    """ann leaves eva and asks again at once. (Her new Follow, the Reject by which Misskey answers the Undo)"""
    account_id = await scene.ann.find("eva@sales.localhost")
    for verb in ("unfollow", "follow"):
        await scene.ann.post(f"/api/v1/accounts/{account_id}/{verb}")
    await scene.department.settle()
    made_up = {"id": "http://sales.localhost/follows/1/2", "type": "Follow", "actor": scene.ann.account.uri}
    reject = scene.outsider.activity("Reject", scene.eva, {**made_up, "object": scene.eva})
    return scene.outsider.received[-1], reject


async def following(scene: Scene) -> int:
    return len(await scene.ann.get(f"/api/v1/accounts/{scene.ann.id}/following"))


async def test_an_accept_after_a_reject_that_named_another_follow(scene: Scene) -> None:
    follow, reject = await follow_again(scene)
    await scene.receive(reject)
    assert await following(scene) == 0
    forged = scene.outsider.activity("Accept", scene.outsider.actor("eve"), follow)
    await scene.receive(forged)
    assert await following(scene) == 0, "another's word counts for nothing"
    await scene.receive(scene.outsider.activity("Accept", scene.eva, follow))
    assert await following(scene) == 1
    await scene.receive(scene.outsider.activity("Reject", scene.eva, follow))
    await scene.receive(scene.outsider.activity("Accept", scene.eva, follow))
    assert await following(scene) == 0, "a Reject that names the Follow is for good"


async def test_an_accept_of_a_follow_that_was_taken_back(scene: Scene) -> None:
    follow, _ = await follow_again(scene)
    account_id = await scene.ann.find("eva@sales.localhost")
    await scene.ann.post(f"/api/v1/accounts/{account_id}/unfollow")
    await scene.receive(scene.outsider.activity("Accept", scene.eva, follow))
    assert await following(scene) == 0


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
async def test_of_concurrent_updates_the_greater_wins(scene: Scene, order: tuple[int, ...]) -> None:
    create = scene.create("version 0")
    await scene.receive(create)
    for number in order:
        later = {**create["object"], "content": f"<p>version {number}</p>", "updated": f"2026-11-02T10:00:0{number}Z"}
        await scene.receive(scene.outsider.activity("Update", scene.eva, later))
    assert plain((await scene.ann.find_status(create["object"]["id"]))["content"]) == "version 3"


@pytest.mark.parametrize("settled", [True, False])
async def test_updates_under_one_id_all_count(scene: Scene, settled: bool) -> None:
    create = scene.create("version 0")
    await scene.receive(create)
    for number in (1, 2):
        later = {**create["object"], "content": f"<p>version {number}</p>", "updated": f"2026-11-02T10:00:0{number}Z"}
        update = scene.outsider.activity("Update", scene.eva, later, id=create["object"]["id"] + "#Update")
        assert (await scene.outsider.deliver(scene.department, update)).status_code == 202
        if settled:
            await scene.department.settle()
    await scene.department.settle()
    assert plain((await scene.ann.find_status(create["object"]["id"]))["content"]) == "version 2"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_tallies_of_a_poll_in_any_order(scene: Scene, order: tuple[int, ...]) -> None:
    """The author tells them, and each group that has the poll: they overtake each other."""
    ending = "2999-01-01T00:00:00Z"

    def poll(*votes: int, **more: Any) -> dict[str, Any]:
        options = [
            {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": count}}
            for name, count in zip(("red", "blue"), votes, strict=True)
        ]
        return {"type": "Question", "oneOf": options, "endTime": ending, "votersCount": sum(votes), **more}

    create = scene.create("which?", **poll(0, 0))
    note = create["object"]
    ended = {"closed": "2026-11-01T12:00:00Z", "endTime": "2026-11-01T12:00:00Z"}
    tallies = [poll(1, 0), poll(1, 2), poll(1, 1, **ended)]  # somebody's account, and vote, went before the end
    await scene.receive(create)
    for number in order:
        told = {**note, **tallies[number]}
        await scene.receive(scene.outsider.activity("Update", scene.eva, told))

    async def shown() -> tuple[list[int], bool]:
        found = (await scene.ann.find_status(note["id"]))["poll"]
        return [option["votes_count"] for option in found["options"]], found["expired"]

    assert await shown() == ([1, 1], True)
    anew = {**note, **poll(0, 0), "updated": "2026-11-02T10:00:00Z"}
    await scene.receive(scene.outsider.activity("Update", scene.eva, anew))
    assert await shown() == ([0, 0], False)


@pytest.mark.parametrize("settled", [True, False])
async def test_a_delete_under_the_id_of_its_create_counts(scene: Scene, settled: bool) -> None:
    create = scene.create("never mind")
    gone = {"id": create["object"]["id"], "type": "Tombstone"}
    delete = scene.outsider.activity("Delete", scene.eva, gone, id=create["id"])
    for activity in (create, delete):
        assert (await scene.outsider.deliver(scene.department, activity)).status_code == 202
        if settled:
            await scene.department.settle()
    await scene.receive(create)  # once more, and late
    assert await scene.texts() == []
    assert await scene.ann.find_status(gone["id"]) is None


async def test_nothing_else_is_deleted_by_the_id_of_a_create(scene: Scene) -> None:
    kept, create = scene.create("kept"), scene.create("said")
    await scene.receive(kept, create)
    mallory = scene.outsider.actor("mallory")
    for actor, uri in ((scene.eva, kept["object"]["id"]), (mallory, create["object"]["id"])):
        gone = {"id": uri, "type": "Tombstone"}
        await scene.receive(scene.outsider.activity("Delete", actor, gone, id=create["id"]))
    assert sorted(await scene.texts()) == ["kept", "said"]


async def test_an_update_in_the_second_of_its_create_counts(scene: Scene) -> None:
    create = scene.create("first words")
    at = create["object"]["published"]
    await scene.receive(create)
    later = {**create["object"], "content": "<p>second words</p>", "updated": at}
    await scene.receive(scene.outsider.activity("Update", scene.eva, later))
    shown = await scene.ann.find_status(later["id"])
    assert plain(shown["content"]) == "second words"
    assert shown["edited_at"] is not None


async def test_nobody_else_changes_an_update_by_its_id(scene: Scene) -> None:
    create = scene.create("version 0")
    await scene.receive(create)
    fred = scene.outsider.actor("fred")
    later = {**create["object"], "content": "<p>version 1</p>", "updated": "2026-11-02T10:00:01Z"}
    update = scene.outsider.activity("Update", scene.eva, later)
    await scene.receive(update)
    forged = {
        **update,
        "actor": fred,
        "object": {**later, "content": "<p>forged</p>", "updated": "2026-11-02T10:00:09Z"},
    }
    before = await scene.outcomes()
    await scene.receive(forged)
    assert plain((await scene.ann.find_status(later["id"]))["content"]) == "version 1"
    assert await scene.outcomes() == before, "what came first is kept: a group passes on its bytes"


async def test_the_same_activity_twice_counts_once(scene: Scene) -> None:
    create = scene.create("once")
    mine = await scene.ann.publish("mine")
    like = scene.outsider.activity("Like", scene.eva, mine["uri"])
    await scene.receive(create, create, like, like)
    assert sorted(await scene.texts()) == ["mine", "once"]
    assert (await scene.ann.get(f"/api/v1/statuses/{mine['id']}"))["favourites_count"] == 1


async def test_a_boost_of_what_cannot_be_fetched_yet_is_tried_again(scene: Scene) -> None:
    fred = scene.outsider.actor("fred")
    note = scene.outsider.note(fred, "worth reading")
    scene.outsider.company.network.cut.add(scene.outsider.domain)
    await scene.receive(scene.outsider.activity("Announce", scene.eva, note["id"]))
    assert await scene.texts() == []
    assert (await scene.outcomes())[-1] == "deferred"
    scene.outsider.company.network.cut.clear()
    await scene.outsider.company.retry()
    assert await scene.texts() == ["worth reading"]


async def test_our_own_activity_that_comes_back_changes_nothing(scene: Scene) -> None:
    await scene.ann.publish("round trip")
    await scene.department.settle()
    own = next(one for one in scene.outsider.received if one["type"] == "Create")
    before = await scene.outcomes()
    response = await scene.outsider.deliver(scene.department, own, signer=scene.eva)
    assert response.status_code == 202
    forged = {**own, "object": {**own["object"], "content": "<p>other words</p>"}}
    assert (await scene.outsider.deliver(scene.department, forged, signer=scene.eva)).status_code == 401
    await scene.department.settle()
    assert await scene.texts() == ["round trip"]
    assert await scene.outcomes() == before


async def test_a_post_and_its_edit_and_delete_in_any_order(scene: Scene) -> None:
    create = scene.create("short life")
    uri = create["object"]["id"]
    later = {**create["object"], "content": "<p>edited</p>", "updated": "2026-11-02T10:00:00Z"}
    life = [
        create,
        scene.outsider.activity("Update", scene.eva, later),
        scene.outsider.activity("Delete", scene.eva, uri),
    ]
    del scene.outsider.documents[uri]
    for order in itertools.permutations(life):
        await scene.receive(*order)
    assert await scene.texts() == []


# -- quotes ----------------------------------------------------------------------------------------------------------


class Quoting:
    """eva quotes a note of fred, who lives on her server; fred can give her leave."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.server = scene, scene.outsider
        self.fred = self.server.actor("fred")
        self.quoted = self.server.note(self.fred, "worth quoting")
        self.uri = self.server.new_id("notes")
        self.stamp = self.server.new_id("stamps")
        self.server.documents[self.stamp] = {
            "@context": "https://www.w3.org/ns/activitystreams", "id": self.stamp, "type": "QuoteAuthorization",
            "attributedTo": self.fred, "interactingObject": self.uri, "interactionTarget": self.quoted["id"],
        }  # fmt: skip
        self.create = scene.create("look", id=self.uri, quote=self.quoted["id"])
        with_leave = {**self.create["object"], "quoteAuthorization": self.stamp}
        self.update = self.server.activity("Update", scene.eva, with_leave)
        self.end = self.server.activity("Delete", self.fred, self.stamp)

    async def seen(self) -> tuple[str, bool]:
        """(state, whether the quoted note is shown)"""
        quote = (await self.scene.ann.find_status(self.uri))["quote"]
        return quote["state"], quote["quoted_status"] is not None


class Asking:
    """ann quotes a note of fred, whose server was asked for leave."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.server = scene, scene.outsider
        self.fred = self.server.actor("fred")
        policy = {"canQuote": {"automaticApproval": ["https://www.w3.org/ns/activitystreams#Public"]}}
        self.quoted = self.server.note(self.fred, "worth quoting", interactionPolicy=policy)
        self.stamp = self.server.new_id("stamps")
        self.mine = ""

    async def begin(self) -> None:
        found = await self.scene.ann.find_status(self.quoted["id"])
        self.mine = (await self.scene.ann.publish("look", quoted_status_id=found["id"]))["id"]
        await self.scene.department.settle()
        (request,) = [one for one in self.server.received if one["type"] == "QuoteRequest"]
        self.accept = self.server.activity("Accept", self.fred, request["id"], result=self.stamp)
        self.reject = self.server.activity("Reject", self.fred, request["id"])
        self.end = self.server.activity("Delete", self.fred, self.stamp)

    async def state(self) -> str:
        found = await self.scene.ann.get(f"/api/v1/statuses/{self.mine}")
        return str(found["quote"]["state"])


async def test_a_leave_before_the_post_it_is_for(scene: Scene) -> None:
    quoting = Quoting(scene)
    await scene.receive(quoting.update, quoting.create)
    assert await quoting.seen() == ("accepted", True)


async def test_a_quote_before_what_it_quotes(scene: Scene) -> None:
    quoting = Quoting(scene)
    note = quoting.server.documents.pop(quoting.quoted["id"])
    await scene.receive(quoting.create, quoting.update)
    assert (await quoting.seen())[1] is False
    quoting.server.documents[note["id"]] = note
    await scene.ann.follow("fred@sales.localhost")
    await scene.department.settle()
    accept = quoting.server.activity("Accept", quoting.fred, quoting.server.received[-1])
    await scene.receive(accept, quoting.server.activity("Create", quoting.fred, note))
    assert await quoting.seen() == ("accepted", True)


async def test_a_leave_that_cannot_be_read_yet_is_read_later(scene: Scene) -> None:
    quoting = Quoting(scene)
    quoting.server.company.network.cut.add(quoting.server.domain)
    await scene.receive(quoting.create, quoting.update)
    assert await quoting.seen() == ("pending", False)
    quoting.server.company.network.cut.clear()
    await quoting.server.company.retry()
    assert await quoting.seen() == ("accepted", True)


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 2))))
async def test_a_leave_that_ends_has_ended_in_any_order(scene: Scene, order: tuple[int, ...]) -> None:
    quoting = Quoting(scene)  # whose stamp can be read all the time: a copy of it says nothing against its end
    life = (quoting.create, quoting.update, quoting.end)
    await scene.receive(*(life[number] for number in order))
    await scene.receive(*(life[number] for number in order))
    assert (await quoting.seen())[1] is False


async def test_an_end_of_leave_before_the_answer(scene: Scene) -> None:
    asking = Asking(scene)
    await asking.begin()
    await scene.receive(asking.end)
    assert await asking.state() == "pending"
    await scene.receive(asking.accept)
    assert await asking.state() == "revoked"


async def test_answers_to_a_quote_again_and_otherwise(scene: Scene) -> None:
    asking = Asking(scene)
    await asking.begin()
    await scene.receive(asking.reject)
    assert await asking.state() == "rejected"
    await scene.receive(asking.accept, asking.accept)
    assert await asking.state() == "accepted"
    quoted = await scene.ann.find_status(asking.quoted["id"])
    assert quoted["quotes_count"] == 1
    again = {**asking.reject, "id": asking.server.new_id()}
    await scene.receive(again)
    assert await asking.state() == "revoked"
    assert (await scene.ann.find_status(asking.quoted["id"]))["quotes_count"] == 0


class Waiting:
    """ann's answer to a post of eva, who wants to be asked."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.server = scene, scene.outsider
        asks = {"automaticApproval": scene.eva, "manualApproval": PUBLIC}
        self.create = scene.create("hm", interactionPolicy={"canReply": asks})

    async def begin(self) -> None:
        await self.scene.receive(self.create)
        post = await self.scene.ann.find_status(self.create["object"]["id"])
        self.answer = await self.scene.ann.publish("me too", in_reply_to_id=post["id"])
        await self.scene.department.settle()
        self.stamp = {
            "id": f"{self.scene.eva}/authorizations/1", "type": "ReplyAuthorization", "attributedTo": self.scene.eva,
            "interactingObject": self.answer["uri"], "interactionTarget": self.create["object"]["id"],
        }  # fmt: skip
        self.server.documents[self.stamp["id"]] = {"@context": "https://gotosocial.org/ns", **self.stamp}

    def says(self, kind: str) -> dict[str, Any]:
        more = {"result": self.stamp["id"]} if kind == "Accept" else {}
        return self.server.activity(kind, self.scene.eva, self.answer["uri"], **more)

    async def is_published(self) -> bool:
        shown = await self.scene.ann.get(f"/api/v1/statuses/{self.answer['id']}")
        return bool(shown["visibility"] == "public")

    def told(self) -> list[str]:
        return [item["type"] for item in self.server.received if item["type"] in ("Create", "Delete")]

    async def replies(self) -> int:
        return int((await self.scene.ann.find_status(self.create["object"]["id"]))["replies_count"])


async def test_answers_to_what_waits_for_leave_again_and_otherwise(scene: Scene) -> None:
    waiting = Waiting(scene)
    await waiting.begin()
    await scene.receive(waiting.says("Reject"), waiting.says("Reject"))
    assert (await waiting.is_published(), await waiting.replies(), waiting.told()) == (False, 0, ["Create"])
    accept = waiting.says("Accept")
    await scene.receive(accept, accept, waiting.says("Accept"))
    assert (await waiting.is_published(), await waiting.replies(), waiting.told()) == (True, 1, ["Create", "Create"])


async def test_a_refusal_of_a_published_answer_is_for_good(scene: Scene) -> None:
    waiting = Waiting(scene)
    await waiting.begin()
    await scene.receive(waiting.says("Accept"), waiting.says("Reject"), waiting.says("Reject"), waiting.says("Accept"))
    assert (await waiting.is_published(), await waiting.replies()) == (False, 0)
    assert waiting.told() == ["Create", "Create", "Delete"]


async def test_a_leave_for_an_answer_that_cannot_be_read_yet(scene: Scene) -> None:
    waiting = Waiting(scene)
    await waiting.begin()
    waiting.server.company.network.cut.add(waiting.server.domain)
    await scene.receive(waiting.says("Accept"))
    assert not await waiting.is_published()
    waiting.server.company.network.cut.clear()
    await waiting.server.company.retry()
    assert await waiting.is_published()


async def test_an_accept_before_our_delivery_has_ended(scene: Scene) -> None:
    waiting = Waiting(scene)
    scene.outsider.answer = 503
    await waiting.begin()
    await scene.receive(waiting.says("Accept"))
    assert await waiting.is_published()
    scene.outsider.answer = 202
    scene.outsider.received.clear()
    await waiting.server.company.retry()
    told = [item["object"] for item in scene.outsider.received if item["type"] == "Create"]
    assert {item["replyAuthorization"] for item in told} == {waiting.stamp["id"]}


async def test_leave_for_an_answer_that_is_gone_by_then(scene: Scene) -> None:
    waiting = Waiting(scene)
    await waiting.begin()
    await scene.ann.send("DELETE", f"/api/v1/statuses/{waiting.answer['id']}")
    await scene.receive(waiting.says("Accept"))
    assert (await waiting.replies(), waiting.told()) == (0, ["Create", "Delete"])


async def test_another_policy_while_an_answer_waits(scene: Scene) -> None:
    waiting = Waiting(scene)
    await waiting.begin()
    for number, policy in enumerate((None, {"canReply": {"automaticApproval": scene.eva}})):
        note = {**waiting.create["object"], "interactionPolicy": policy, "updated": f"2026-11-02T10:0{number}:00Z"}
        await scene.receive(waiting.server.activity("Update", scene.eva, note))
        assert not await waiting.is_published()
    await scene.receive(waiting.says("Accept"))
    assert await waiting.is_published()


async def test_a_request_to_quote_before_its_post_and_twice(scene: Scene) -> None:
    mine = await scene.ann.publish("mine", reach="public")
    create = scene.create("look", quote=mine["uri"])
    del scene.outsider.documents[create["object"]["id"]]
    request = scene.outsider.activity("QuoteRequest", scene.eva, mine["uri"], instrument=create["object"])
    again = {**request, "id": scene.outsider.new_id()}
    await scene.receive(request, create, again, request)
    found = await scene.ann.find_status(create["object"]["id"])
    assert found["quote"]["state"] == "accepted"
    assert (await scene.ann.get(f"/api/v1/statuses/{mine['id']}"))["quotes_count"] == 1
    accepts = [one for one in scene.outsider.received if one["type"] == "Accept" and "result" in one]
    assert [one["object"]["id"] for one in accepts] == [request["id"], again["id"]]
    assert len({one["result"] for one in accepts}) == 1
    (told,) = [kind for kind, _ in await scene.ann.notifications() if kind == "quote"]
    assert told == "quote"


async def test_whoever_is_suspended_while_something_is_fetched_says_nothing_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = scene.outsider.note(scene.outsider.actor("bob"), "what do you think?")
    usual = scene.outsider.respond

    def suspend(tx: Tx) -> None:
        eva = accounts.find_by_uri(tx, scene.eva)
        assert eva is not None
        moderation.act(tx, accounts.get(tx, scene.ann.account.id), eva, "suspend", "")

    async def respond(request: httpx.Request) -> httpx.Response:
        if str(request.url) == parent["id"]:
            await scene.department.db.write(suspend)
        return await usual(request)

    monkeypatch.setattr(scene.outsider, "respond", respond)
    await scene.receive(scene.create("too late", inReplyTo=parent["id"]))
    assert parent["id"] in scene.outsider.fetched
    assert (await scene.outcomes())[-1] == "refused"
    assert "too late" not in await scene.texts()
