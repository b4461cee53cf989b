"""PieFed: its communities, which serve the ids of few activities, and its people in a group of ours."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.activitypub.vocabulary import format_time
from fedcorp.social.threads import LOOK_AFTER_MS
from fedcorp.storage.tables import jobs
from tests.federation.world import Company, Department, Person, plain
from tests.wire.server import Server, join, listed, outcomes, place

pytestmark = pytest.mark.anyio

COMMUNITY = "https://piefed.example/c/cycling"
POST = "https://piefed.example/c/cycling/p/11/tyres-for-snow"
COMMENT = "https://piefed.example/comment/21"
THREAD = "https://piefed.example/post/11/context"
LIN = "https://lemmy.example/u/lea"
END = "2099-01-01T00:00:00.000000+00:00"


class Scene:
    """ann of finance belongs to the community."""

    def __init__(self, piefed: Server, finance: Department, ann: Person, group_id: str) -> None:
        self.piefed, self.finance, self.ann, self.group_id = piefed, finance, ann, group_id

    async def announce(self, name: str, **words: str) -> None:
        await self.piefed.send(self.finance, name, **words)

    async def delete_again(self, mark: str, name: str = "announce_delete_page") -> None:
        """The Delete once more, under new ids, and after what could not be had is forgotten."""
        delete = self.piefed.read_file(name)
        inner = {**delete["object"], "id": delete["object"]["id"] + mark}
        self.piefed.company.clock.shift_ms += 60_000
        await self.piefed.deliver(self.finance, {**delete, "id": delete["id"] + mark, "object": inner})
        await self.piefed.company.settle()

    async def post(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.ann.find_status(POST)
        return found


async def scene_of(company: Company, **terms: Any) -> Scene:
    """`terms` of the community are other than usual."""
    finance = await company.department("finance")
    ann = await finance.person("ann")
    piefed = Server(company, "piefed", serves_activities=False)
    piefed.publish("person_pia", "person_per")
    piefed.serve(piefed.read_file("group") | terms)
    await piefed.meet(finance)
    return Scene(piefed, finance, ann, await join(piefed, "cycling@piefed.example", ann))


async def test_a_community_for_moderators_only_and_an_accept_with_nothing_in_to(company: Company) -> None:
    scene = await scene_of(company, postingRestrictedToMods=True)
    shown = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}")
    assert (shown["title"], shown["posting"], shown["role"]) == ("Cycling to work", "moderators", "member")
    answer = await scene.ann.send("POST", "/api/v1/statuses", status="@cycling@piefed.example hello")
    assert answer.status_code == 403


async def test_a_post_is_believed_for_its_own_address_when_the_activity_has_none(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_create_comment")
    post = await scene.post()
    words = plain(post["content"])
    assert words.startswith("Tyres for snow")
    assert words.endswith("Worth the money?\n")
    assert 'href="https://tyres.example/snow"' in post["content"]
    assert [item["remote_url"] for item in post["media_attachments"]] == [
        "https://piefed.example/static/media/posts/ty.webp"
    ]
    assert post["url"] == POST
    context = await scene.ann.get(f"/api/v1/statuses/{post['id']}/context")
    assert [plain(item["content"]).strip() for item in context["descendants"]] == ["Yes, both wheels."]
    assert len(await listed(scene.ann, scene.group_id)) == 2
    assert len(await scene.ann.texts()) == 1  # answers stand in the list of the group, and not at home


async def test_a_false_text_in_a_create_does_not_count(company: Company) -> None:
    scene = await scene_of(company)
    document = scene.piefed.read_file("announce_create_page")
    scene.piefed.serve(document)
    document["object"]["object"] = {**document["object"]["object"], "content": "<p>Forged.</p>"}
    await scene.piefed.deliver(scene.finance, document)
    await company.settle()
    assert "Worth the money?" in (await listed(scene.ann, scene.group_id))[0]


async def test_edits_are_read_again_and_deletes_hold_when_the_post_is_gone(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    update = scene.piefed.read_file("announce_update_page")
    scene.piefed.documents.pop(POST)
    scene.piefed.serve(update)
    await scene.piefed.deliver(scene.finance, update)
    await company.settle()
    post = await scene.post()
    assert "Worth every cent." in post["content"]
    await scene.announce("announce_delete_page")  # it is still there: somebody lied
    scene.piefed.hidden.add(POST)
    await scene.delete_again("b")  # it is not shown to us, which proves nothing
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 200
    scene.piefed.delete(POST)
    await scene.delete_again("c")
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 404


async def test_a_delete_holds_when_the_thread_lists_the_post_no_more(company: Company) -> None:
    """What its author deleted PieFed goes on to show at its address: a post with all its words."""
    scene = await scene_of(company)
    scene.piefed.publish("page", "comment")
    await scene.announce("announce_create_page")
    await scene.announce("announce_create_comment")
    post = await scene.post()
    thread = scene.piefed.read_file("thread")
    scene.piefed.documents[THREAD] = thread
    await scene.announce("announce_delete_comment")
    assert len(await listed(scene.ann, scene.group_id)) == 2  # it stands there still: somebody lied
    for known in (
        thread | {"totalItems": 3, "orderedItems": [POST]},  # not all of it
        thread | {"totalItems": 0, "orderedItems": []},
        thread | {"type": "Note", "totalItems": 1, "orderedItems": [POST]},
    ):
        scene.piefed.documents[THREAD] = known
        await scene.delete_again(f"b{len(known['orderedItems'])}{known['type']}", "announce_delete_comment")
        assert len(await listed(scene.ann, scene.group_id)) == 2
    scene.piefed.documents[THREAD] = thread | {"totalItems": 1, "orderedItems": [POST]}
    await scene.delete_again("c", "announce_delete_comment")
    assert len(await listed(scene.ann, scene.group_id)) == 1
    await scene.announce("announce_delete_page")
    assert len(await listed(scene.ann, scene.group_id)) == 1
    scene.piefed.documents.pop(THREAD)  # of a thread that was deleted there is none
    await scene.delete_again("d")
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 404


async def test_of_posts_of_other_servers_no_list_says_that_they_are_gone(company: Company) -> None:
    """Neither the community nor the thread is on the server of the author, who alone could tell."""
    scene = await scene_of(company)
    other = Server(company, "lemmy", "lemmy.example", serves_activities=False)
    other.publish("person_lea")
    await other.meet(scene.finance)
    page = scene.piefed.read_file("page") | {"id": "https://lemmy.example/post/1", "attributedTo": LIN}
    other.documents[page["id"]] = page | {"context": "https://lemmy.example/post/1/thread"}
    create = scene.piefed.read_file("announce_create_page")
    create["object"] |= {"id": "https://lemmy.example/activities/1", "actor": LIN, "object": page}
    await scene.piefed.deliver(scene.finance, create)
    await company.settle()
    assert len(await listed(scene.ann, scene.group_id)) == 1
    delete = scene.piefed.read_file("announce_delete_page")
    delete["object"] |= {"id": "https://lemmy.example/activities/2", "actor": LIN, "object": page["id"]}
    await scene.piefed.deliver(scene.finance, delete)
    await company.settle()
    assert len(await listed(scene.ann, scene.group_id)) == 1


async def test_the_proof_of_a_post_of_ours_holds_although_its_context_was_taken_off(company: Company) -> None:
    """PieFed passes on what another department wrote without the context that it was proved in."""
    scene = await scene_of(company)
    sales = await company.department("sales")
    cleo = await sales.person("cleo")
    await company.introduce(scene.finance, sales)
    await scene.piefed.meet(sales)
    group_id = await join(scene.piefed, "cycling@piefed.example", cleo)
    await scene.ann.publish("@cycling@piefed.example which pump? #pump")
    await company.settle()
    (create,) = scene.piefed.got("Create")
    announce = scene.piefed.read_file("announce_create_page")
    del create["@context"]
    altered = {**create, "object": {**create["object"], "content": "<p>Forged.</p>"}}
    await scene.piefed.deliver(sales, announce | {"id": announce["id"] + "b", "object": altered})
    await company.settle()
    assert await listed(cleo, group_id) == []
    assert [row[1] for row in await outcomes(sales)] == ["processed", "refused"]
    await scene.piefed.deliver(sales, announce | {"object": create})
    await company.settle()
    assert await listed(cleo, group_id) == ["@cycling which pump? #pump"]


OUTBOX = f"{COMMUNITY}/outbox"


def listing(*posts: str, **terms: Any) -> dict[str, Any]:
    """What the community has announced: whole activities, also of posts of ours, with the thread each has there."""
    pages = [{"type": "Page", "id": uri, "context": f"{THREAD}{number}"} for number, uri in enumerate(posts)]
    items = [{"type": "Announce", "actor": COMMUNITY, "object": {"type": "Create", "object": page}} for page in pages]
    return {"id": OUTBOX, "type": "OrderedCollection", "totalItems": len(items), "orderedItems": items, **terms}


async def test_whether_a_post_of_ours_stands_there_is_looked_up(company: Company) -> None:
    """Nobody tells the server of the author; colleagues of hers would not see it."""
    scene = await scene_of(company)
    ben = await scene.finance.person("ben")
    await join(scene.piefed, "cycling@piefed.example", ben)
    scene.piefed.documents[OUTBOX] = listing()
    post = await scene.ann.publish("@cycling@piefed.example which pump?")
    await company.settle()
    company.clock.shift_ms += 16_000
    await company.settle()
    assert (await place(scene.ann, post["id"]))["state"] == "pending"
    scene.piefed.documents[OUTBOX] = listing(POST, post["uri"])
    company.clock.shift_ms += 121_000
    await company.settle()
    assert (await place(scene.ann, post["id"]))["state"] == "distributed"
    assert await listed(ben, scene.group_id) == ["@cycling which pump?"]
    assert await ben.texts() == ["@cycling which pump?"]
    answer = await ben.publish("this one", in_reply_to_id=post["id"])
    await company.settle()
    thread = scene.piefed.read_file("thread") | {"id": f"{post['uri']}/context"}  # so it is named there
    scene.piefed.documents[f"{THREAD}1"] = thread | {"orderedItems": [post["uri"], answer["uri"]]}
    company.clock.shift_ms += 16_000
    await company.settle()
    assert (await place(ben, answer["id"]))["state"] == "distributed"


async def test_an_answer_of_ours_is_looked_up_in_its_thread(company: Company) -> None:
    scene = await scene_of(company)
    scene.piefed.publish("page")
    await scene.announce("announce_create_page")
    post = await scene.post()
    thread = scene.piefed.read_file("thread")
    states = []
    for found in ([], ["it"], None):
        answer = await scene.ann.publish("both wheels", in_reply_to_id=post["id"])
        await company.settle()
        scene.piefed.documents.pop(THREAD, None)
        if found is not None:
            scene.piefed.documents[THREAD] = thread | {"orderedItems": [POST, *(answer["uri"] for _ in found)]}
        company.clock.shift_ms += 16_000
        await company.settle()
        states.append((await place(scene.ann, answer["id"]))["state"])
    assert states == ["pending", "distributed", "pending"]
    for _ in LOOK_AFTER_MS:
        company.clock.shift_ms += max(LOOK_AFTER_MS)
        await company.settle()
    waiting = sa.select(sa.func.count()).where(jobs.c.kind == "look_in_group")
    assert await scene.finance.db.read(lambda tx: tx.conn.execute(waiting).scalar()) == 0  # it ends some time


async def test_what_a_moderator_of_ours_did_there_is_looked_up(company: Company) -> None:
    """PieFed does it, and announces nothing of it to the server of the moderator."""
    scene = await scene_of(company)
    scene.piefed.publish("page")
    await scene.announce("announce_create_page")
    post, path = await scene.post(), f"/api/fedcorp/v1/groups/{scene.group_id}"
    address = f"{COMMUNITY}/moderators"
    listing = {"id": address, "type": "OrderedCollection", "orderedItems": [scene.ann.account.uri]}
    scene.piefed.documents[address] = listing
    await scene.announce("announce_add_moderator", person=scene.ann.account.uri)
    page, thread = scene.piefed.documents[POST], scene.piefed.read_file("thread")
    whole, without = thread | {"totalItems": 1, "orderedItems": [POST]}, thread | {"orderedItems": [COMMENT]}

    async def wish(verdict: str, terms: dict[str, Any], there: dict[str, Any] | None) -> tuple[str, dict[str, Any]]:
        scene.piefed.documents[POST] = page | terms
        scene.piefed.documents.pop(THREAD, None)
        if there is not None:
            scene.piefed.documents[THREAD] = there
        answer = await scene.ann.send("POST", f"{path}/statuses/{post['id']}/{verdict}", reason="so")
        assert answer.status_code == 202, answer.text
        await company.settle()
        company.clock.shift_ms += 3_600_000  # what could not be had is asked for again
        await company.settle()
        return (await scene.ann.get(path))["pending"][0]["state"], await place(scene.ann, post["id"])

    for verdict, terms, name, value in (
        ("pin", {"stickied": True}, "pinned", True), ("unpin", {"stickied": False}, "pinned", False),
        ("lock", {"commentsEnabled": False}, "locked", True), ("unlock", {"commentsEnabled": True}, "locked", False),
    ):  # fmt: skip
        state, shown = await wish(verdict, terms, whole)
        assert (state, shown[name]) == ("done", value)
    assert (await wish("lock", {"commentsEnabled": True}, whole))[0] == "pending"  # it did not do it
    assert (await wish("remove", {}, whole))[0] == "pending"
    assert (await wish("remove", {}, without))[0] == "done"
    assert await listed(scene.ann, scene.group_id) == []
    assert (await wish("restore", {}, without))[0] == "pending"
    assert (await wish("restore", {}, whole))[0] == "done"
    assert len(await listed(scene.ann, scene.group_id)) == 1
    assert (await wish("remove", {}, None))[0] == "done"  # a thread that is gone


async def test_who_is_named_in_a_comment_is_told_although_its_address_says_nothing(company: Company) -> None:
    scene = await scene_of(company)
    ben = await scene.finance.person("ben")
    create = scene.piefed.read_file("announce_create_comment")
    note = create["object"]["object"]
    words = f"<p>Yes @{scene.ann.handle}, both</p>"
    tags = [{"type": "Mention", "href": one.account.uri, "name": f"@{one.handle}"} for one in (scene.ann, ben)]
    now = format_time(company.clock.now())
    create["object"]["object"] = note | {"content": words, "tag": tags, "published": now}
    scene.piefed.documents[COMMENT] = scene.piefed.read_file("comment") | {"content": words, "published": now}
    await scene.announce("announce_create_page")
    await scene.piefed.deliver(scene.finance, create)
    await company.settle()
    assert await scene.ann.notifications() == [("mention", "per@piefed.example")]
    assert await ben.notifications() == []  # the words do not name him


async def test_thumbs_down_is_a_vote(company: Company) -> None:
    """An EmojiReact counts there as a vote for it, whatever it shows."""
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    for name in ("🎉", "👎"):
        await scene.ann.post(f"/api/v1/statuses/{post['id']}/react/{name}")
    await company.settle()
    await scene.ann.post(f"/api/v1/statuses/{post['id']}/unreact/👎")
    await company.settle()
    assert scene.piefed.got("EmojiReact") == scene.piefed.got("Undo", "EmojiReact") == []
    assert [(item["object"], item.get("content")) for item in scene.piefed.got("Like")] == [(POST, "🎉")]
    (vote,), (undo,) = scene.piefed.got("Dislike"), scene.piefed.got("Undo", "Dislike")
    assert (vote["object"], vote["audience"], "content" in vote) == (POST, COMMUNITY, False)
    assert (undo["object"]["object"], undo["object"]["actor"]) == (POST, scene.ann.account.uri)


async def test_moderators_are_read_again_when_no_collection_is_named(company: Company) -> None:
    """So it is in communities that were made by way of the API."""
    scene = await scene_of(company)
    path = f"/api/fedcorp/v1/groups/{scene.group_id}"
    address, ann = f"{COMMUNITY}/moderators", scene.ann.account.uri
    for name, listing, role in (
        ("announce_add_moderator", [], "member"),  # nobody else's word counts
        ("announce_add_moderator", [ann], "moderator"),
        ("announce_remove_moderator", [ann], "moderator"),
        ("announce_remove_moderator", [], "member"),
    ):
        scene.piefed.documents[address] = {"id": address, "type": "OrderedCollection", "orderedItems": listing}
        await scene.announce(name, person=ann)
        assert (await scene.ann.get(path))["role"] == role
    await scene.announce("announce_create_page")
    await scene.announce("announce_add_moderator", person=POST)
    assert [row[1:] for row in await outcomes(scene.finance)][-1] == ("ignored", "")


async def test_a_report_names_one_thing(company: Company) -> None:
    """PieFed fails on a list."""
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_poll")
    post = await scene.post()
    polls = [item for item in await scene.ann.get(f"/api/v1/timelines/list/{scene.group_id}") if item["poll"]]
    path = f"/api/fedcorp/v1/groups/{scene.group_id}/reports"
    for ids in ([post["id"]], [post["id"], polls[0]["id"]], []):
        answer = await scene.ann.send("POST", path, account_id=post["account"]["id"], status_ids=ids, comment="rude")
        assert answer.status_code == 202
        await company.settle()
    one, several, person = scene.piefed.got("Flag")
    assert (one["object"], one["content"], one["to"]) == (POST, "rude", [COMMUNITY])
    assert (several["object"], several["content"]) == (POST, f"rude\n{polls[0]['uri']}")
    assert person["object"] == "https://piefed.example/u/pia"


async def test_a_report_of_theirs(company: Company) -> None:
    scene = await scene_of(company)
    post = await scene.ann.publish("@cycling@piefed.example buy this")
    await scene.piefed.send(scene.finance, "flag", post=post["uri"])
    assert [row[1] for row in await outcomes(scene.finance)][-1] == "processed"


async def test_messages_are_direct_and_edited_by_a_second_create(company: Company) -> None:
    scene = await scene_of(company)
    words = {"person": scene.ann.account.uri, "handle": f"@{scene.ann.handle}"}
    found: dict[str, Any] = {}
    for name, text in (("create_message", "Just for you"), ("edit_message", "Just for you two")):
        await scene.piefed.send(scene.finance, name, **words)
        (found,) = await scene.ann.get("/api/v1/notifications", **{"types[]": "mention"})
        assert (found["status"]["visibility"], plain(found["status"]["content"]).strip()) == ("direct", text)
    await scene.piefed.send(scene.finance, "delete_message", **words)
    assert (await scene.ann.http.get(f"/api/v1/statuses/{found['status']['id']}")).status_code == 404


async def test_a_delete_holds_where_a_tombstone_stands(company: Company) -> None:
    """Some servers answer with what is left of a post, and not with 410 (ActivityPub 6.4)."""
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    scene.piefed.documents[POST] = {"id": POST, "type": "Tombstone"}
    await scene.announce("announce_delete_page")
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 404


async def test_votes_alone_and_in_batches(company: Company) -> None:
    """FEP-1a11: a collection without an id inside an Announce."""
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_like", post=POST)
    await scene.announce("announce_batch", post=POST)
    post = await scene.post()
    assert (post["favourites_count"], post["reactions"]) == (2, [])  # per and pia, who first disliked it
    assert [row for row in await outcomes(scene.finance) if row[1] in ("failed", "refused")] == []


async def test_removal_sticky_and_ban(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    await scene.announce("announce_sticky")
    assert (await place(scene.ann, post["id"]))["pinned"] is True
    await scene.announce("announce_remove_page")
    assert await listed(scene.ann, scene.group_id) == []
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 200
    await scene.announce("announce_block", person=scene.ann.account.uri, until=END)
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] == "outcast"


async def test_a_ban_ends_by_itself(company: Company) -> None:
    """PieFed and Lemmy tell the end with the ban, and send nothing when it comes."""
    scene = await scene_of(company)
    end = "2026-01-01T00:00:00.000000+00:00"
    await scene.announce("announce_block", person=scene.ann.account.uri, until=end)  # over before it came
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] == "member"
    soon = company.clock.now().replace(microsecond=0).isoformat()
    company.clock.shift_ms -= 60_000
    block = scene.piefed.read_file("announce_block", person=scene.ann.account.uri, until=soon)
    block |= {"id": block["id"] + "b", "object": {**block["object"], "id": block["object"]["id"] + "b"}}
    await scene.piefed.deliver(scene.finance, block)
    await company.settle()
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] == "outcast"
    company.clock.shift_ms += 86_400_000
    await company.settle()
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] is None


async def test_a_poll_of_a_community_is_a_poll(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_poll")
    (item,) = await scene.ann.get(f"/api/v1/timelines/list/{scene.group_id}")
    assert [(option["title"], option["votes_count"]) for option in item["poll"]["options"]] == [
        ("Helmet", 3), ("Cap", 0),
    ]  # fmt: skip
    await scene.ann.post(f"/api/v1/polls/{item['poll']['id']}/votes", choices=[1])
    await company.settle()
    (vote,) = scene.piefed.got("Create")
    note = vote["object"]
    assert (note["type"], note["name"], note["inReplyTo"]) == ("Note", "Cap", item["uri"])
    assert not {"published", "content"} & set(note)  # with either it would be a comment there, for all to read
    await scene.announce("announce_poll_vote")  # what others chose is not told here; no boost of anything
    assert [row[1:] for row in await outcomes(scene.finance)][-1] == ("ignored", "")


async def joined(company: Company) -> tuple[Department, Person, Server]:
    """(department, ann, PieFed): pia of PieFed has asked to join ann's group."""
    finance = await company.department("finance")
    ann = await finance.person("ann")
    await finance.group(ann, "robots", reach="public")
    group_id = await ann.find("robots@finance.localhost")
    group = (await ann.get(f"/api/fedcorp/v1/groups/{group_id}"))["uri"]
    piefed = Server(company, "piefed", serves_activities=False, group=group)
    piefed.publish("person_pia")
    await piefed.meet(finance)
    await piefed.send(finance, "follow")
    return finance, ann, piefed


async def test_votes_of_theirs_on_a_poll_of_ours(company: Company) -> None:
    finance, ann, piefed = await joined(company)
    asked = await ann.publish("@robots colour?", poll={"options": ["red", "blue"], "expires_in": 3600})
    await company.settle()
    await piefed.send(finance, "poll_vote_here", post=asked["uri"], choice="green")
    await piefed.send(finance, "poll_vote_here", post=asked["uri"], choice="blue")
    await piefed.send(finance, "poll_vote_here", post="https://finance.localhost/o/1", choice="blue")
    await piefed.send(finance, "poll_vote_here", post=(await ann.publish("@robots no poll"))["uri"], choice="blue")
    shown = await ann.get(f"/api/v1/statuses/{asked['id']}")
    assert [option["votes_count"] for option in shown["poll"]["options"]] == [0, 1]
    assert [row[1] for row in await outcomes(finance)][1:] == ["refused", "processed", "ignored", "ignored"]
    await ann.post(f"/api/v1/statuses/{asked['id']}/react/👎")  # members there hear of it as a vote
    await ann.post(f"/api/v1/statuses/{asked['id']}/react/🎉")
    await company.settle()
    assert piefed.got("Announce", "EmojiReact") == []
    assert [item["object"]["object"] for item in piefed.got("Announce", "Dislike")] == [asked["uri"]]
    assert [item["object"]["content"] for item in piefed.got("Announce", "Like")] == ["🎉"]


async def test_people_of_piefed_in_a_group_of_ours(company: Company) -> None:
    finance, ann, piefed = await joined(company)
    (accept,) = piefed.got("Accept", "Follow")
    assert accept["object"]["id"] == "https://piefed.example/activities/follow/Y31"
    await piefed.send(finance, "create_page_here")
    (text,) = await listed(ann, await ann.find("robots@finance.localhost"))
    assert text.startswith("Bike cellar")
    post = await ann.publish("@robots the key is here")
    await piefed.send(finance, "like_here", post=post["uri"])
    assert (await ann.get(f"/api/v1/statuses/{post['id']}"))["favourites_count"] == 1
    await piefed.send(finance, "dislike_here", post=post["uri"])
    seen = await ann.get(f"/api/v1/statuses/{post['id']}")
    assert (seen["favourites_count"], [item["name"] for item in seen["reactions"]]) == (0, ["👎"])
    assert [row for row in await outcomes(finance) if row[1] in ("failed", "refused")] == []
