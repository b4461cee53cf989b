"""snac: notes that name no followers, mentions in tags alone, votes that are a line break, nothing taken back."""

import pytest

from tests.federation.world import Company, plain
from tests.wire.meeting import Meeting, meet, speak
from tests.wire.server import Server

pytestmark = pytest.mark.anyio

SAM = "https://snac.example/sam"
POSTS = f"{SAM}/p/1795773160.00000"


async def met(company: Company) -> Meeting:
    return await meet(company, "snac", "sam@snac.example", "person_sam")


async def test_a_person_who_says_to_be_a_bot(company: Company) -> None:
    meeting = await met(company)
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert (shown["display_name"], shown["bot"], plain(shown["note"]).strip()) == ("Sam", False, "keeps bees")
    await meeting.send("update_person")
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert (shown["display_name"], shown["bot"]) == ("Sam & bees", True)
    assert await meeting.faults() == []


async def test_what_we_send_can_be_read(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    await speak(meeting, f"{POSTS}1")


async def test_a_note_is_shown_changed_and_deleted(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    post = await meeting.status(f"{POSTS}1")
    assert plain(post["content"]).strip() == "a new hive #Bees"
    assert (post["visibility"], post["spoiler_text"], post["sensitive"]) == ("public", "stings", True)
    assert [item["name"] for item in post["tags"]] == ["bees"]
    assert [item["description"] for item in post["media_attachments"]] == ["a hive"]
    await meeting.send("update_note")
    post = await meeting.status(f"{POSTS}1")
    assert plain(post["content"]).strip() == "two new hives"
    assert (post["spoiler_text"], post["media_attachments"]) == ("", [])
    assert post["edited_at"] is not None
    await meeting.send("delete_note")
    assert await meeting.ann.texts() == []
    assert await meeting.faults() == []


async def test_whom_its_notes_are_for(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("create_direct", "create_reply"):
        await meeting.send(name, post=mine["uri"])
    answer = await meeting.status(f"{POSTS}3")
    assert (answer["visibility"], answer["in_reply_to_id"]) == ("public", mine["id"])
    assert [item["acct"] for item in answer["mentions"]] == ["ann"]
    (last,) = await meeting.ann.get("/api/v1/conversations")
    assert plain(last["last_status"]["content"]).strip() == "for you, @ann@finance.localhost"
    kinds = [item["type"] for item in await meeting.ann.get("/api/v1/notifications")]
    assert sorted(kinds) == ["follow", "mention", "mention"]
    assert await meeting.faults() == []


async def test_a_line_break_with_a_name_is_a_vote(company: Company) -> None:
    meeting = await met(company)
    asked = await meeting.publish("Tea?", poll={"options": ["yes", "no"], "expires_in": 600})
    await meeting.send("create_vote", post=asked["uri"], option="no")
    seen = await meeting.ann.get(f"/api/v1/statuses/{asked['id']}")
    assert [item["votes_count"] for item in seen["poll"]["options"]] == [0, 1]
    assert seen["replies_count"] == 0
    assert [item["type"] for item in await meeting.ann.get("/api/v1/notifications")] == ["follow"]
    assert await meeting.faults() == []


async def test_a_poll_is_voted_in_and_ends(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_poll")
    poll = (await meeting.status(f"{POSTS}4"))["poll"]
    assert [(item["title"], item["votes_count"]) for item in poll["options"]] == [("lime", 0), ("clover", 0)]
    await meeting.ann.post(f"/api/v1/polls/{poll['id']}/votes", choices=[1])
    await company.settle()
    (vote,) = meeting.server.got("Create", "Note")
    assert (vote["object"]["name"], vote["object"]["to"]) == ("clover", [SAM])
    for name in ("update_poll", "close_poll"):
        await meeting.send(name)
    poll = (await meeting.status(f"{POSTS}4"))["poll"]
    assert [item["votes_count"] for item in poll["options"]] == [0, 1]
    assert (poll["voters_count"], poll["own_votes"], poll["expired"]) == (1, [1], True)
    assert await meeting.faults() == []


async def test_likes_and_boosts_stay(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("like", "announce") * 2:  # it never undoes them, so it may say them again
        await meeting.send(name, post=mine["uri"])
    shown = await meeting.status(mine["uri"])
    assert (shown["favourites_count"], shown["reblogs_count"]) == (1, 1)
    assert await meeting.faults() == []


async def test_who_follows_again_is_accepted_again(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("undo_follow")
    assert (await meeting.relation())["followed_by"] is False
    await meeting.send("follow")
    assert (await meeting.relation())["followed_by"] is True
    assert len(meeting.server.got("Accept")) == 2
    assert await meeting.faults() == []


async def test_what_was_said_before_stands_whole_in_the_outbox(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    server = Server(company, "snac", serves_activities=False)
    server.publish("person_sam", "outbox")
    await server.meet(finance)
    await ann.post(f"/api/v1/accounts/{await ann.find('sam@snac.example')}/follow")
    await company.settle()
    (follow,) = server.got("Follow")
    await server.send(finance, "accept_follow", follow=follow["id"], ann=follow["actor"])
    assert [words.strip() for words in await ann.texts()] == ["said before"]
