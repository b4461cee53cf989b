"""microblog.pub: a person whose id is the bare origin, answers that mention nobody, signatures beside the HTTP ones."""

import pytest

from tests.federation.world import Company, plain
from tests.wire.meeting import Meeting, meet, speak

pytestmark = pytest.mark.anyio

MIA = "https://microblogpub.example"


async def met(company: Company) -> Meeting:
    return await meet(company, "microblogpub", "mia@microblogpub.example", "person_mia")


async def test_a_person_who_is_the_whole_server(company: Company) -> None:
    meeting = await met(company)
    account_id = await meeting.ann.find(meeting.name)
    shown = await meeting.ann.get(f"/api/v1/accounts/{account_id}")
    assert (shown["uri"], shown["url"], shown["display_name"]) == (MIA, f"{MIA}/", "Mia")
    assert [item["name"] for item in shown["fields"]] == ["Web"]
    found = await meeting.ann.get("/api/v2/search", q=MIA, type="accounts", resolve="true")
    assert [item["id"] for item in found["accounts"]] == [account_id]
    assert await meeting.faults() == []


async def test_what_we_send_can_be_read(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    await speak(meeting, f"{MIA}/o/n1")


async def test_its_posts_are_shown_and_deleted(company: Company) -> None:
    meeting = await met(company)
    for name in ("create_note", "create_article"):
        await meeting.send(name)
    post = await meeting.status(f"{MIA}/o/n1")
    assert plain(post["content"]).strip() == "fresh rye #Rye"
    assert (post["visibility"], post["spoiler_text"], post["sensitive"]) == ("public", "crumbs", True)
    assert [item["name"] for item in post["tags"]] == ["rye"]
    assert [item["description"] for item in post["media_attachments"]] == ["a loaf"]
    titled = plain((await meeting.status(f"{MIA}/o/n2"))["content"])
    assert ("A title" in titled, "long words" in titled) == (True, True)
    await meeting.send("delete_note")
    assert len(await meeting.ann.texts()) == 1
    assert await meeting.faults() == []


async def test_an_answer_rings_nobody_who_is_not_named(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("create_reply", "create_direct"):
        await meeting.send(name, post=mine["uri"], thread="https://finance.localhost/t/1")
    answer = await meeting.status(f"{MIA}/o/n4")
    assert (answer["visibility"], answer["in_reply_to_id"], answer["mentions"]) == ("public", mine["id"], [])
    assert (await meeting.status(mine["uri"]))["replies_count"] == 1
    (last,) = await meeting.ann.get("/api/v1/conversations")
    assert plain(last["last_status"]["content"]).startswith("for you")
    kinds = [item["type"] for item in await meeting.ann.get("/api/v1/notifications")]
    assert sorted(kinds) == ["follow", "mention"]
    assert await meeting.faults() == []


async def test_polls_there_and_here(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_poll")
    poll = (await meeting.status(f"{MIA}/o/n5"))["poll"]
    await meeting.ann.post(f"/api/v1/polls/{poll['id']}/votes", choices=[1])
    await company.settle()
    (vote,) = meeting.server.got("Create", "Note")
    assert (vote["object"]["name"], vote["object"]["to"]) == ("oat", [MIA])
    await meeting.send("update_poll")
    poll = (await meeting.status(f"{MIA}/o/n5"))["poll"]
    assert ([item["votes_count"] for item in poll["options"]], poll["voters_count"]) == ([0, 1], 1)
    asked = await meeting.publish("Tea?", poll={"options": ["yes", "no"], "expires_in": 600})
    await meeting.send("create_vote", post=asked["uri"], option="no", thread="https://finance.localhost/t/1")
    seen = await meeting.ann.get(f"/api/v1/statuses/{asked['id']}")
    assert [item["votes_count"] for item in seen["poll"]["options"]] == [0, 1]
    assert await meeting.faults() == []


async def test_likes_and_boosts_come_and_go(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for names, wanted in ((("like", "announce"), (1, 1)), (("undo_like", "undo_announce"), (0, 0))):
        for name in names:
            await meeting.send(name, post=mine["uri"])
        shown = await meeting.status(mine["uri"])
        assert (shown["favourites_count"], shown["reblogs_count"]) == wanted
    assert await meeting.faults() == []


async def test_follows_end_by_an_undo_and_by_a_block(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("undo_follow")
    relation = await meeting.relation()
    assert (relation["followed_by"], relation["following"]) == (False, True)
    await meeting.send("block")
    relation = await meeting.relation()
    assert (relation["following"], relation["blocked_by"]) == (False, True)
    await meeting.send("undo_block")
    relation = await meeting.relation()
    assert (relation["following"], relation["blocked_by"]) == (False, False)
    assert await meeting.faults() == []


async def test_a_follow_is_refused_by_its_id(company: Company) -> None:
    meeting = await met(company)
    (follow,) = meeting.server.got("Follow")
    await meeting.send("reject_follow", follow=follow["id"])
    assert (await meeting.relation())["following"] is False
    assert await meeting.faults() == []
