"""Akkoma, and Pleroma, whose shapes it keeps: EmojiReact, Undo by id, a context of each host, history in an Update."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import reports
from tests.federation.world import Company, plain
from tests.wire.meeting import Meeting, meet, speak

pytestmark = pytest.mark.anyio

ADA, OBJECTS = "https://akkoma.example/users/ada", "https://akkoma.example/objects/0000"


async def met(company: Company) -> Meeting:
    return await meet(company, "akkoma", "ada@akkoma.example", "person_ada", "service")


async def test_a_person_and_its_changes(company: Company) -> None:
    meeting = await met(company)
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert (shown["display_name"], shown["discoverable"], shown["locked"]) == ("Ada", True, False)
    assert [(item["name"], item["value"]) for item in shown["fields"]] == [("Tea", "green")]
    await meeting.send("update_person")
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert shown["display_name"] == "Ada L."
    assert await meeting.faults() == []


async def test_what_we_send_can_be_read(company: Company) -> None:
    """Its validators want `to` and `cc` as lists, and the actor of the note to be that of the activity."""
    meeting = await met(company)
    await meeting.send("create_note")
    for item in await speak(meeting, f"{OBJECTS}n1"):
        assert all(isinstance(item.get(name, []), list) for name in ("to", "cc")), item["type"]
    poll = await meeting.publish(f"@{meeting.name} which?", poll={"options": ["green", "black"], "expires_in": 3600})
    question = meeting.server.got("Create", "Question")[-1]["object"]
    assert question["id"] == poll["uri"]
    assert [(item["type"], item["name"], item["replies"]["totalItems"]) for item in question["oneOf"]] == [
        ("Note", "green", 0), ("Note", "black", 0),
    ]  # fmt: skip


async def test_a_note_is_shown_changed_pinned_and_deleted(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    uri = f"{OBJECTS}n1"
    post = await meeting.status(uri)
    assert plain(post["content"]) == "the kettle sings :fox: #tea"
    assert (post["language"], post["sensitive"], post["spoiler_text"]) == ("en", False, "")
    assert [item["description"] for item in post["media_attachments"]] == ["a kettle"]
    assert [item["name"].lower() for item in post["tags"]] == ["tea"]
    await meeting.send("update_note")
    post = await meeting.status(uri)
    assert (plain(post["content"]), post["edited_at"] is not None) == ("the kettle sang", True)
    of_ada = f"/api/v1/accounts/{post['account']['id']}/statuses"
    await meeting.send("add_pin", note=uri)
    assert [item["id"] for item in await meeting.ann.get(of_ada, pinned="true")] == [post["id"]]
    await meeting.send("remove_pin", note=uri)
    assert await meeting.ann.get(of_ada, pinned="true") == []
    await meeting.send("delete_note", note=uri)
    assert await meeting.ann.texts() == []
    assert await meeting.faults() == []


@pytest.mark.parametrize(
    ("kind", "shown"), [("like", {}), ("react", {"☕": 1}), ("react_custom", {"fox@akkoma.example": 1})]
)
async def test_a_reaction_counts_as_a_favourite_and_is_undone_by_its_id_alone(
    company: Company, kind: str, shown: dict[str, int]
) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send(kind, post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (1, shown)
    assert ("favourite", meeting.name) in await meeting.ann.notifications()
    await meeting.send(f"undo_{kind}", post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (0, {})
    assert await meeting.faults() == []


async def test_an_undone_reaction_leaves_the_like_of_the_same_person(company: Company) -> None:
    """Somebody there may like a post and react to it as well; Pleroma shows the reaction whole in its Undo."""
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("like", "react"):
        await meeting.send(name, post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (1, {"☕": 1})
    await meeting.send("undo_react_whole", post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (1, {})
    await meeting.send("undo_like", post=mine["uri"])
    assert await meeting.count(mine) == 0


async def test_an_undone_like_leaves_the_reaction_of_the_same_person(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("react", "like", "undo_like"):
        await meeting.send(name, post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (1, {"☕": 1})
    assert ("favourite", meeting.name) in await meeting.ann.notifications()
    await meeting.send("undo_react", post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (0, {})


async def test_an_undone_reaction_that_comes_late_is_not_kept(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("undo_react_whole", "react"):
        await meeting.send(name, post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (0, {})


async def test_an_answer_a_quote_a_boost_and_a_vote(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    asked = await meeting.publish("which?", poll={"options": ["green", "black"], "expires_in": 3600})
    await meeting.send("create_reply", post=mine["uri"])
    assert (await meeting.status(f"{OBJECTS}n2"))["in_reply_to_id"] == mine["id"]
    await meeting.send("create_quote", post=mine["uri"])
    quote = await meeting.status(f"{OBJECTS}n3")
    assert (quote["quote"], mine["uri"] in quote["content"]) == (None, True), "asks nobody: the link stands"
    await meeting.send("announce", post=mine["uri"])
    assert (await meeting.status(mine["uri"]))["reblogs_count"] == 1
    await meeting.send("undo_announce", post=mine["uri"])
    assert (await meeting.status(mine["uri"]))["reblogs_count"] == 0
    await meeting.send("vote", post=asked["uri"], choice="black")
    options = (await meeting.status(asked["uri"]))["poll"]["options"]
    assert [item["votes_count"] for item in options] == [0, 1]
    assert await meeting.faults() == []


async def test_a_poll_that_says_when_it_will_be_closed(company: Company) -> None:
    """`closed` holds the time to come: it is open until then."""
    meeting = await met(company)
    await meeting.send("create_poll")
    poll = (await meeting.status(f"{OBJECTS}n4"))["poll"]
    assert [(item["title"], item["votes_count"]) for item in poll["options"]] == [("green", 0), ("black", 3)]
    assert (poll["expired"], poll["expires_at"]) == (False, "2027-01-01T00:00:00.000Z")
    await meeting.ann.post(f"/api/v1/polls/{poll['id']}/votes", choices=[0])
    await company.settle()
    (vote,) = meeting.server.got("Create", "Note")
    assert (vote["object"]["name"], vote["object"]["inReplyTo"]) == ("green", f"{OBJECTS}n4")


def kept(tx: Tx) -> list[Any]:
    return list(tx.conn.execute(sa.select(reports.c.target_id, reports.c.comment, reports.c.status_ids)))


async def test_a_report_names_account_and_posts(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send("flag", post=mine["uri"])
    rows = [tuple(row) for row in await meeting.finance.db.read(kept)]
    assert rows == [(meeting.ann.account.id, "unkind", f"[{mine['id']}]")]


async def test_a_follow_is_undone_and_refused(company: Company) -> None:
    meeting = await met(company)
    (follow,) = meeting.server.got("Follow")
    await meeting.send("undo_follow")
    await meeting.send("reject_follow", follow=follow["id"])
    account_id = await meeting.ann.find(meeting.name)
    (relation,) = await meeting.ann.get("/api/v1/accounts/relationships", **{"id[]": account_id})
    assert (relation["followed_by"], relation["following"], relation["requested"]) == (False, False, False)
    assert await meeting.faults() == []


async def test_a_block_is_undone_by_its_id(company: Company) -> None:
    meeting = await met(company)
    first = meeting.server.read_file("block")
    await meeting.server.deliver(meeting.finance, first | {"id": first["id"] + "0"})
    await meeting.send("block")  # again, under another id: the latest counts
    assert (await meeting.relation())["blocked_by"] is True
    await meeting.send("undo_block")
    relation = await meeting.relation()
    assert (relation["blocked_by"], relation["following"], relation["followed_by"]) == (False, False, False)
    assert await meeting.faults() == []
