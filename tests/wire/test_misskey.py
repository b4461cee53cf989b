"""Misskey: reactions as likes with content, quotes in its own words, MFM beside HTML, activities without addressees."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import reports
from tests.federation.world import Company, plain
from tests.wire.meeting import Meeting, meet, speak

pytestmark = pytest.mark.anyio

MIA, NOTES = "https://misskey.example/users/9mia", "https://misskey.example/notes/"


async def met(company: Company) -> Meeting:
    return await meet(company, "misskey", "mia@misskey.example", "person_mia", "instance_actor", "person_mio")


async def test_a_person_with_keys_and_words_of_its_own(company: Company) -> None:
    meeting = await met(company)
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert (shown["display_name"], plain(shown["note"])) == ("Mia :blobcat:", "gardens, mostly")
    assert (shown["url"], shown["fields"][0]["name"]) == ("https://misskey.example/@mia", "Web")
    await meeting.send("update_person")
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert shown["display_name"] == "Mia of the garden"
    assert await meeting.faults() == []


async def test_what_we_send_can_be_read(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    await speak(meeting, f"{NOTES}a1")


async def test_its_notes_are_shown_as_html_with_warning_emoji_and_file(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    post = await meeting.status(f"{NOTES}a1")
    assert plain(post["content"]).replace("\u200b", "") == "it blooms :blobcat: 花(hana) #flowers"
    assert (post["spoiler_text"], post["sensitive"], post["visibility"]) == ("garden", True, "public")
    assert [item["name"].lower() for item in post["tags"]] == ["flowers"]
    assert [item["description"] for item in post["media_attachments"]] == ["a rose"]
    await meeting.send("create_reply_to_own")
    assert (await meeting.status(f"{NOTES}a3"))["in_reply_to_id"] == post["id"]
    await meeting.send("create_empty_warning")
    folded = await meeting.status(f"{NOTES}a9")
    assert (plain(folded["content"]), folded["sensitive"]) == ("behind a fold", True)
    await meeting.send("add_pin", note=f"{NOTES}a1")
    pinned = await meeting.ann.get(f"/api/v1/accounts/{post['account']['id']}/statuses", pinned="true")
    assert [item["id"] for item in pinned] == [post["id"]]
    await meeting.send("remove_pin", note=f"{NOTES}a1")
    assert await meeting.ann.get(f"/api/v1/accounts/{post['account']['id']}/statuses", pinned="true") == []
    await meeting.send("delete_note", note=f"{NOTES}a1")
    assert await meeting.ann.texts() == ["behind a fold", "still"]
    assert await meeting.faults() == []


async def test_how_far_its_notes_go(company: Company) -> None:
    meeting = await met(company)
    for name in ("create_home", "create_specified"):
        await meeting.send(name)
    assert (await meeting.status(f"{NOTES}a7"))["visibility"] == "unlisted"
    (last,) = await meeting.ann.get("/api/v1/conversations")
    assert last["last_status"]["visibility"] == "direct"
    assert "for you alone" in plain(last["last_status"]["content"])


@pytest.mark.parametrize(("kind", "shown"), [("react", "👍"), ("react_custom", "blobcat@misskey.example")])
async def test_a_reaction_shows_its_emoji_counts_as_a_favourite_and_can_be_undone(
    company: Company, kind: str, shown: str
) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send(kind, post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (1, {shown: 1})
    assert ("favourite", meeting.name) in await meeting.ann.notifications()
    await meeting.send(f"undo_{kind}", post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (0, {})
    assert ("favourite", meeting.name) not in await meeting.ann.notifications()
    assert await meeting.faults() == []


@pytest.mark.parametrize("order", [("undo_react", "react_custom"), ("react_custom", "undo_react")])
async def test_a_changed_reaction_is_still_one(company: Company, order: tuple[str, str]) -> None:
    """It undoes the old one and sends the new one; its queue does not keep them in order."""
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("react", *order):
        await meeting.send(name, post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (1, {"blobcat@misskey.example": 1})
    await meeting.send("undo_react_custom", post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (0, {})


async def test_an_answer_a_quote_a_boost_and_a_vote(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    poll = {"options": ["roses", "tulips"], "expires_in": 3600}
    asked = await meeting.publish("which?", poll=poll)
    await meeting.send("create_reply", post=mine["uri"])
    assert (await meeting.status(f"{NOTES}a2"))["in_reply_to_id"] == mine["id"]
    await meeting.send("create_quote", post=mine["uri"])
    quote = await meeting.status(f"{NOTES}a4")
    assert (quote["quote"], mine["uri"] in quote["content"]) == (None, True), "asks nobody: the link stands"
    assert plain(quote["content"]).startswith("so true")
    await meeting.send("announce", post=mine["uri"])
    assert (await meeting.status(mine["uri"]))["reblogs_count"] == 1
    await meeting.send("undo_announce", post=mine["uri"])
    assert (await meeting.status(mine["uri"]))["reblogs_count"] == 0
    await meeting.send("vote", post=asked["uri"], choice="tulips")
    options = (await meeting.status(asked["uri"]))["poll"]["options"]
    assert [item["votes_count"] for item in options] == [0, 1]
    assert ("mention", meeting.name) in await meeting.ann.notifications()
    assert await meeting.faults() == []


async def test_a_poll_with_several_choices_and_no_end(company: Company) -> None:
    """How many people voted is never told: here each may have chosen twice."""
    meeting = await met(company)
    await meeting.send("create_poll_several")
    poll = (await meeting.status(f"{NOTES}b5"))["poll"]
    assert (poll["multiple"], poll["expires_at"], poll["votes_count"], poll["voters_count"]) == (True, None, 0, 0)
    await meeting.send("update_poll")
    poll = (await meeting.status(f"{NOTES}b5"))["poll"]
    assert [item["votes_count"] for item in poll["options"]] == [2, 1, 2]
    assert (poll["votes_count"], poll["voters_count"]) == (5, None)
    assert await meeting.faults() == []


async def test_a_poll_of_theirs_is_voted_in(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_poll")
    poll = (await meeting.status(f"{NOTES}a5"))["poll"]
    assert [(item["title"], item["votes_count"]) for item in poll["options"]] == [("roses", 2), ("tulips", 1)]
    assert (poll["votes_count"], poll["voters_count"]) == (3, 3), "how many voted is not told, but each has one vote"
    await meeting.ann.post(f"/api/v1/polls/{poll['id']}/votes", choices=[1])
    await company.settle()
    (vote,) = meeting.server.got("Create", "Note")
    inner = vote["object"]
    assert (inner["name"], inner["inReplyTo"], inner["attributedTo"]) == ("tulips", f"{NOTES}a5", vote["actor"])
    assert inner["to"] == [MIA]


def kept(tx: Tx) -> list[Any]:
    return list(tx.conn.execute(sa.select(reports.c.target_id, reports.c.comment, reports.c.status_ids)))


async def test_a_report_by_its_system_actor_without_addressee(company: Company) -> None:
    """The post stands in its words alone, by the address of its page."""
    meeting = await met(company)
    mine = await meeting.publish("look")
    hidden = await meeting.publish("for followers", visibility="private")
    ben = await meeting.finance.person("ben")
    others = [await ben.publish("another's", reach="public"), await meeting.ann.publish("within the company")]
    links = " ".join(post["url"] for post in (mine, *others))
    await meeting.send("flag", post=f"{links} {hidden['uri']}")
    ((target, comment, posts),) = await meeting.finance.db.read(kept)
    assert (target, comment.splitlines()[-1]) == (meeting.ann.account.id, "unkind")
    assert json.loads(posts) == [int(mine["id"]), int(hidden["id"])], "what is hers, and mia's server may have"


async def test_a_follow_is_undone_and_refused(company: Company) -> None:
    meeting = await met(company)
    (follow,) = meeting.server.got("Follow")
    await meeting.send("undo_follow")
    await meeting.send("reject_follow", follow=follow["id"])
    account_id = await meeting.ann.find(meeting.name)
    (relation,) = await meeting.ann.get("/api/v1/accounts/relationships", **{"id[]": account_id})
    assert (relation["followed_by"], relation["following"], relation["requested"]) == (False, False, False)


async def test_the_answer_to_an_unfollow_does_not_end_the_next_follow(company: Company) -> None:
    """It answers the Undo of a follow with a Reject, under an id of its own."""
    meeting = await met(company)
    account_id = await meeting.ann.find(meeting.name)
    for verb in ("unfollow", "follow"):
        await meeting.ann.post(f"/api/v1/accounts/{account_id}/{verb}")
    await company.settle()
    await meeting.send("reject_unnamed")
    await meeting.send("accept_follow", follow=meeting.server.got("Follow")[-1]["id"])
    assert (await meeting.relation())["following"] is True
    await meeting.send("reject_unnamed")
    assert (await meeting.relation())["following"] is False, "so it removes a follower, too"


async def test_what_was_said_and_pinned_before(company: Company) -> None:
    """The outbox holds whole Creates and Announces, and ends with an empty page; `featured` holds whole notes."""
    before = ("outbox", "outbox_page", "outbox_end", "featured")
    meeting = await meet(company, "misskey", "mia@misskey.example", "person_mia", *before)
    await company.settle()
    account_id = await meeting.ann.find(meeting.name)
    posts = await meeting.ann.get(f"/api/v1/accounts/{account_id}/statuses", exclude_reblogs="true")
    assert [plain(post["content"]) for post in posts] == ["to one that is gone by now", "from before"]
    assert posts[0]["in_reply_to_id"] is None, "it does not name what is gone"
    pinned = await meeting.ann.get(f"/api/v1/accounts/{account_id}/statuses", pinned="true")
    assert [post["uri"] for post in pinned] == [f"{NOTES}c1"]


async def test_a_renote_for_home(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send("announce_home", post=mine["uri"])
    posts = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}/statuses")
    assert [(post["visibility"], post["reblog"]["id"]) for post in posts] == [("unlisted", mine["id"])]


async def test_a_block_comes_and_goes_without_addressees(company: Company) -> None:
    meeting = await met(company)
    for name, blocked in (("block", True), ("undo_block", False)):
        await meeting.send(name)
        assert (await meeting.relation())["blocked_by"] is blocked
    assert await meeting.faults() == []


async def test_a_move_takes_followers_along(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("move")
    follow = meeting.server.got("Follow")[-1]
    assert (follow["actor"], follow["object"]) == (meeting.ann.account.uri, "https://misskey.example/users/9mio")
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert shown["moved"]["acct"] == "mio@misskey.example"


async def test_a_deleted_account_is_gone(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    await meeting.send("delete_person")
    assert await meeting.ann.texts() == []


async def test_who_was_suspended_there_stays_gone_here(company: Company) -> None:
    """It tells of a suspension as of an end, and takes that back later; here an end is for good."""
    meeting = await met(company)
    for name in ("delete_person", "undo_delete_person"):
        await meeting.send(name)
    found = await meeting.ann.get("/api/v2/search", q=f"@{meeting.name}", type="accounts", resolve="true")
    assert found["accounts"] == []


async def test_hashtags_of_our_profiles_have_tags(company: Company) -> None:
    """It reads what somebody says of themselves as text, and knows a hashtag from a link by the tags alone."""
    meeting = await met(company)
    response = await meeting.ann.send(
        "PATCH", "/api/v1/accounts/update_credentials", note="counts #budget and #Café, the #budget first"
    )
    assert response.status_code == 200
    await company.settle()
    person = meeting.server.got("Update", "Person")[-1]["object"]
    origin = "http://finance.localhost"
    assert [tag for tag in person["tag"] if tag["type"] == "Hashtag"] == [
        {"type": "Hashtag", "href": f"{origin}/tags/budget", "name": "#budget"},
        {"type": "Hashtag", "href": f"{origin}/tags/cafe", "name": "#Café"},
    ]
