"""PeerTube: films that are boosted by a channel, a Group; comments in Markdown; much that is not for us."""

from typing import Any

import pytest

from fedcorp.activitypub.vocabulary import format_time
from tests.federation.world import Company, pair, plain
from tests.web.instance import picture
from tests.wire.meeting import Meeting, speak
from tests.wire.server import Server, accept_last_follow, join, outcomes

pytestmark = pytest.mark.anyio

ORIGIN = "https://peertube.example"
NED, CHANNEL = f"{ORIGIN}/accounts/ned", f"{ORIGIN}/video-channels/workbench"
VIDEO = f"{ORIGIN}/videos/watch/9f3b1c2a-5d41-4e0b-8a77-1c2d3e4f5a6b"
PAGE = f"{ORIGIN}/w/kX7a9Qm"
TEXT = (
    "A stool from one boardpeertube.example/w/kX7a9QmOne board, **four** cuts &amp; a wedge."
    "The plan: plans.example/stool* saw* chisel"
)  # fmt: skip


async def met(company: Company, *handles: str, key_name: str = "#main-key") -> Meeting:
    """ann follows these: the person, the channel, or both."""
    finance = await company.department("finance")
    ann = await finance.person("ann")
    server = Server(company, "peertube", serves_activities=False, ann=ann.account.uri)
    server.publish("person_ned", "person_pia", "channel", "application", "video")
    server.key_name = key_name
    await server.meet(finance)
    for handle in handles:
        await ann.follow(f"{handle}@peertube.example")
        await company.settle()
        await accept_last_follow(server, finance, "accept_follow")
    return Meeting(server, finance, ann, NED, "ned@peertube.example")


def links(html: str) -> list[str]:
    return [part.split('"')[0] for part in html.split('href="')[1:]]


def check_film(post: Any) -> None:
    assert plain(post["content"]).replace("https://", "") == TEXT
    assert links(post["content"]) == [PAGE, "https://plans.example/stool"]
    assert (post["url"], post["account"]["acct"], post["language"]) == (PAGE, "ned@peertube.example", "en")
    assert (post["visibility"], post["sensitive"], post["spoiler_text"], post["edited_at"]) == (
        "public",
        False,
        "",
        None,
    )
    assert {tag["name"] for tag in post["tags"]} >= {"wood"}
    (preview,) = post["media_attachments"]
    assert (preview["type"], preview["remote_url"]) == ("image", f"{ORIGIN}/lazy-static/previews/p.jpg")


async def test_a_signature_names_the_actor_alone(company: Company) -> None:
    """So it is until 6.3. It holds with the key that this actor lists, and with no other's."""
    meeting = await met(company, "ned", key_name="")
    await meeting.send("create_video")
    assert len(await meeting.ann.get("/api/v1/timelines/home")) == 1
    meeting.server.pair = pair(7)
    refused = await meeting.server.deliver(meeting.finance, meeting.server.read_file("update_video"))
    assert refused.status_code == 401
    own = await meeting.server.deliver(
        meeting.finance, meeting.server.read_file("update_video"), signer=meeting.ann.account.uri
    )
    assert own.status_code in (401, 403)
    assert (await meeting.status(VIDEO))["edited_at"] is None


async def test_a_channel_is_a_group_where_only_its_owner_posts(company: Company) -> None:
    meeting = await met(company, "workbench")
    group_id = await meeting.ann.find("workbench@peertube.example")
    shown = await meeting.ann.get(f"/api/fedcorp/v1/groups/{group_id}")
    assert (shown["title"], shown["role"], shown["preset"]) == ("The workbench", "member", "announcement")
    account = await meeting.ann.get(f"/api/v1/accounts/{group_id}")
    assert (account["group"], plain(account["note"])) == (True, "Wood, and what becomes of it")


async def test_a_film_of_a_followed_channel_comes_as_its_boost(company: Company) -> None:
    meeting = await met(company, "workbench")
    await meeting.send("announce_channel")
    (boost,) = await meeting.ann.get("/api/v1/timelines/home")
    assert (boost["account"]["acct"], boost["account"]["group"]) == ("workbench@peertube.example", True)
    check_film(boost["reblog"])
    await meeting.send("create_video")
    assert len(await meeting.ann.get("/api/v1/timelines/home")) == 1
    await meeting.send("undo_announce_channel")
    assert await meeting.ann.get("/api/v1/timelines/home") == []
    assert await meeting.faults() == []


async def test_films_that_a_channel_had_before_are_shown_to_who_comes(company: Company) -> None:
    """Its outbox has the boosts alone. Nobody is told, and the boost that comes late is known."""
    finance = await company.department("finance")
    ann = await finance.person("ann")
    server = Server(company, "peertube", serves_activities=False, ann=ann.account.uri)
    server.publish("person_ned", "channel", "application", "video", "outbox_channel", "outbox_channel_page")
    await server.meet(finance)
    meeting = Meeting(server, finance, ann, NED, "ned@peertube.example")
    group_id = await join(server, "workbench@peertube.example", ann)
    (boost,) = await ann.get("/api/v1/timelines/home")
    assert boost["account"]["acct"] == "workbench@peertube.example"
    check_film(boost["reblog"])
    assert boost["created_at"] == boost["reblog"]["created_at"]
    assert [item["id"] for item in await ann.get(f"/api/v1/timelines/list/{group_id}")] == [boost["reblog"]["id"]]
    assert await ann.notifications() == []
    await meeting.send("announce_channel")
    assert len(await ann.get("/api/v1/timelines/home")) == 1
    await meeting.send("undo_announce_channel")
    assert await ann.get("/api/v1/timelines/home") == []


async def test_a_film_of_a_followed_person_comes_by_itself(company: Company) -> None:
    meeting = await met(company, "ned")
    await meeting.send("create_video")
    (post,) = await meeting.ann.get("/api/v1/timelines/home")
    check_film(post)
    await meeting.send("update_video")
    post = await meeting.status(VIDEO)
    assert "A stool from two boards" in plain(post["content"])
    assert (post["sensitive"], post["spoiler_text"]) == (True, "saws without guards")
    assert post["edited_at"] is not None
    await meeting.send("delete_video")
    assert await meeting.ann.get("/api/v1/timelines/home") == []
    assert await meeting.faults() == []


async def test_comments_and_likes_are_answers_and_favourites(company: Company) -> None:
    meeting = await met(company, "ned")
    for name in ("create_video", "create_comment", "like"):
        await meeting.send(name)
    post = await meeting.status(VIDEO)
    assert (post["favourites_count"], post["replies_count"], post["reactions"]) == (1, 1, [])
    context = await meeting.ann.get(f"/api/v1/statuses/{post['id']}/context")
    (comment,) = context["descendants"]
    assert comment["content"] == "<p>Which *wood* is it?<br>Oak &lt; ash</p>"
    assert (comment["account"]["acct"], comment["edited_at"]) == ("pia@peertube.example", None)
    await meeting.send("delete_comment")  # by the owner of the film
    assert (await meeting.ann.get(f"/api/v1/statuses/{post['id']}/context"))["descendants"] == []
    assert await meeting.faults() == []


async def test_a_dislike_is_thumbs_down(company: Company) -> None:
    meeting = await met(company, "ned")
    for name in ("create_video", "dislike"):
        await meeting.send(name)
    post = await meeting.status(VIDEO)
    assert (post["favourites_count"], [item["name"] for item in post["reactions"]]) == (0, ["👎"])
    assert await meeting.faults() == []


async def test_we_answer_and_are_answered(company: Company) -> None:
    meeting = await met(company, "ned")
    await meeting.send("create_video")
    film = await meeting.status(VIDEO)
    mine = await meeting.publish("which wood?", in_reply_to_id=film["id"])
    (create,) = meeting.server.got("Create", "Note")
    assert (create["object"]["inReplyTo"], create["object"]["id"]) == (VIDEO, mine["uri"])
    await meeting.send("approve_reply", post=mine["uri"])
    await meeting.send("create_answer", post=mine["uri"])
    assert ("mention", "ned@peertube.example") in await meeting.ann.notifications()
    context = await meeting.ann.get(f"/api/v1/statuses/{film['id']}/context")
    assert [plain(item["content"]) for item in context["descendants"]] == ["which wood?", "ash, of course"]
    assert [row[:2] for row in await meeting.faults()] == [("ApproveReply", "ignored")]


async def test_what_is_for_a_few_does_not_go_where_everybody_reads_it(company: Company) -> None:
    """PeerTube shows an answer for followers, or to one person, as a comment below the film."""
    meeting = await met(company, "ned")
    await meeting.send("create_video")
    film = await meeting.status(VIDEO)
    for visibility in ("private", "direct"):
        made = await meeting.publish(
            "@ned@peertube.example between us", in_reply_to_id=film["id"], visibility=visibility
        )
        await meeting.ann.send("PUT", f"/api/v1/statuses/{made['id']}", status="@ned@peertube.example still between us")
        await company.settle()
    assert meeting.server.got("Create") == []
    assert meeting.server.got("Update", "Note") == []
    await meeting.publish("to all", in_reply_to_id=film["id"], visibility="unlisted")
    assert len(meeting.server.got("Create", "Note")) == 1


async def test_a_film_that_is_told_of_again_rings_no_bell(company: Company) -> None:
    """There is an Update with a later time whenever anybody likes it: whoever answered would hear of each."""
    meeting = await met(company, "ned")
    await meeting.send("create_video")
    film = await meeting.status(VIDEO)
    await meeting.ann.post(f"/api/v1/statuses/{film['id']}/favourite")
    told = meeting.server.read_file("update_video")
    same = {**meeting.server.read_file("video"), "updated": told["object"]["updated"]}
    await meeting.server.deliver(meeting.finance, {**told, "id": f"{VIDEO}/updates/liked", "object": same})
    await company.settle()
    assert await meeting.ann.notifications() == []
    assert len(await meeting.ann.get(f"/api/v1/statuses/{film['id']}/history")) == 1
    changes: list[dict[str, Any]] = [{"name": "Another stool"}, {"tag": []}, {"icon": []}, {"sensitive": True}]
    for number, words in enumerate(changes):
        company.clock.shift_ms += 60_000
        same |= {"updated": format_time(company.clock.now()), **words}
        again = {**told, "id": f"{VIDEO}/updates/{number}", "object": same}
        assert (await meeting.server.deliver(meeting.finance, again)).status_code == 202
        await company.settle()
    assert len(await meeting.ann.get(f"/api/v1/statuses/{film['id']}/history")) == 5
    assert await meeting.faults() == []


async def test_a_picture_says_what_it_is(company: Company) -> None:
    """By its media type, since its address ends with no suffix: without both it is not shown there."""
    meeting = await met(company, "ned")
    ann, uri = meeting.ann, meeting.ann.account.uri
    for kind in ("PNG", "JPEG"):
        files = {"avatar": ("me", picture("red", kind=kind))}
        assert (await ann.http.patch("/api/v1/profile", files=files)).status_code == 200
        document = (await meeting.server.read(meeting.finance, uri, signer=NED)).json()
        assert document["icon"]["mediaType"] == f"image/{kind.lower()}"
    await ann.send("DELETE", "/api/v1/profile/avatar")
    assert "icon" not in (await meeting.server.read(meeting.finance, uri, signer=NED)).json()


async def test_a_report_is_about_one_thing_alone(company: Company) -> None:
    """With a list as `object`, or one URL in `to`, a Flag is dropped there."""
    meeting = await met(company, "ned")
    await meeting.send("create_video")
    ned, film = await meeting.ann.find("ned@peertube.example"), (await meeting.status(VIDEO))["id"]
    for ids in ([film], []):
        await meeting.ann.post("/api/v1/reports", account_id=ned, status_ids=ids, comment="not nice", forward=True)
        await company.settle()
    flags = meeting.server.got("Flag")
    assert [(flag["object"], flag["to"]) for flag in flags] == [(VIDEO, [NED]), (NED, [NED])]


async def test_what_we_send_can_be_read(company: Company) -> None:
    meeting = await met(company, "ned")
    await meeting.send("create_video")
    await speak(meeting, VIDEO)


@pytest.mark.parametrize("name", ["view", "create_cache_file", "create_watch", "announce_server"])
async def test_what_is_not_for_people_is_ignored(company: Company, name: str) -> None:
    """Views, viewers, copies of files, the boosts by which servers tell each other of films."""
    meeting = await met(company, "ned")
    await meeting.send("create_video")
    before = await meeting.ann.get("/api/v1/timelines/home")
    await meeting.send(name)
    assert (await outcomes(meeting.finance))[-1][1] in ("ignored", "refused")
    assert await meeting.ann.get("/api/v1/timelines/home") == before
