"""BookWyrm: reviews and quotations of books, ids that serve twice, and changes in the words of its own kind."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import reports
from tests.federation.world import Company, plain
from tests.wire.meeting import Meeting, meet, speak
from tests.wire.server import Server

pytestmark = pytest.mark.anyio

BEA = "https://bookwyrm.example/user/bea"
REVIEW, COMMENT, PRIVATE, QUOTATION = (
    f"{BEA}/{path}" for path in ("review/4", "comment/5", "comment/9", "quotation/10")
)


async def met(company: Company) -> Meeting:
    return await meet(company, "bookwyrm", "bea@bookwyrm.example", "person_bea")


async def texts(meeting: Meeting) -> list[str]:
    """What ann reads at home, oldest first."""
    return [words.strip() for words in reversed(await meeting.ann.texts())]


async def test_a_person_and_what_changes_about_them(company: Company) -> None:
    """Their key has an id with a slash more than they have, where their document stands as well."""
    meeting = await met(company)
    assert f"{BEA}/" in meeting.server.fetched
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert (shown["display_name"], shown["url"], plain(shown["note"])) == ("Bea", BEA, "reads in trains")
    await meeting.send("update_person")
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert shown["display_name"] == "Bea of the Trains"
    assert await meeting.faults() == []


async def test_what_we_send_can_be_read(company: Company) -> None:
    """Where a Delete names an id it looks for an account alone, so a post that is gone is a Tombstone."""
    meeting = await met(company)
    await meeting.send("create_review")
    got = await speak(meeting, REVIEW, "EmojiReact")
    assert [item["object"]["type"] for item in got if item["type"] == "Delete"] == ["Tombstone"]
    begun = len(meeting.server.received)
    letter = await meeting.ann.publish(f"@{meeting.name} psst", visibility="direct")
    await company.settle()
    assert (await meeting.ann.send("DELETE", f"/api/v1/statuses/{letter['id']}")).status_code == 200
    await company.settle()
    create, delete = meeting.server.received[begun:]
    assert (create["object"]["to"], create["object"]["cc"]) == ([BEA], [])  # with anybody in `cc` it would be open
    assert delete["object"] == {"id": letter["uri"], "type": "Tombstone", "formerType": "Note"}


async def test_it_is_spared_what_it_fails_on(company: Company) -> None:
    """It answers 500 to an Undo of what it does not know, and to what leaves `featured`: that holds up all the rest."""
    meeting = await met(company)
    await meeting.send("create_review")
    review = await meeting.status(REVIEW)
    mine = await meeting.publish("look")
    begun = len(meeting.server.received)
    for path in (f"{review['id']}/react/👎", f"{review['id']}/unreact/👎", f"{mine['id']}/pin", f"{mine['id']}/unpin"):
        await meeting.ann.post(f"/api/v1/statuses/{path}")
        await company.settle()
    await meeting.publish("see")
    assert [item["type"] for item in meeting.server.received[begun:]] == ["Add", "Create"]


async def test_what_it_says_of_books(company: Company) -> None:
    meeting = await met(company)
    for name in ("create_review", "create_comment", "create_quotation", "create_rating", "create_generated"):
        await meeting.send(name)
    assert await texts(meeting) == [
        'Review of "The Long Way" (4.5 stars): Rails &lt;3Slow, and worth it',
        "Half of it is done(comment on The Long Way)",
        '"a whistle far off" — The Long Way, p. 12How true',
        "rated The Long Way: 3 stars",
        "Bea wants to read The Long Way",
    ]
    comment = await meeting.status(COMMENT)
    assert (comment["spoiler_text"], comment["sensitive"], comment["visibility"]) == ("the bridge", True, "public")
    assert (await meeting.status(f"{BEA}/quotation/6"))["visibility"] == "unlisted"
    assert await meeting.faults() == []


async def test_what_it_says_to_some(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("create_private", "create_direct", "create_reply"):
        await meeting.send(name, post=mine["uri"])
    seen = [await meeting.status(f"{BEA}/{path}") for path in ("comment/9", "status/11", "status/12")]
    assert [item["visibility"] for item in seen] == ["private", "direct", "public"]
    assert seen[2]["in_reply_to_id"] == mine["id"]
    assert [[who["acct"] for who in item["mentions"]] for item in seen] == [[], ["ann"], ["ann"]]
    assert await meeting.faults() == []


async def test_a_change_is_read_where_it_stands(company: Company) -> None:
    """An Update comes as a Review or Comment, without the title of the book; at the address is what others can read."""
    meeting = await met(company)
    for name, uri in (("review", REVIEW), ("comment", COMMENT)):
        await meeting.send(f"create_{name}")
        meeting.server.documents[uri] = meeting.server.read_file(name)
        await meeting.send(f"update_{name}")
        assert meeting.server.fetched[-1] == uri
        assert (await meeting.status(uri))["edited_at"] is not None
    assert await texts(meeting) == [
        'Review of "The Long Way" (4.5 stars): Rails &lt;3Slow, and worth every page',
        "Three quarters(comment on The Long Way)",
    ]
    assert (await meeting.status(COMMENT))["spoiler_text"] == "the bridge"
    assert await meeting.faults() == []


async def test_a_change_that_cannot_be_read_there_is_taken_as_it_came(company: Company) -> None:
    """What is for followers is shown to nobody who asks, and what is public may be away at that moment."""
    meeting = await met(company)
    for name in ("create_private", "create_private_quotation", "create_review"):
        await meeting.send(name)
    begun = len(meeting.server.fetched)
    meeting.server.hidden |= {PRIVATE, QUOTATION, REVIEW}
    for name in ("update_private", "update_private_quotation", "update_review"):
        await meeting.send(name)
    assert {PRIVATE, QUOTATION} & set(meeting.server.fetched[begun:]) == set()
    assert await texts(meeting) == [
        "still for those who follow me", "tickets, pleaseHa ha", "Rails &lt;3Slow, and worth every page",
    ]  # fmt: skip
    assert [(await meeting.status(uri))["visibility"] for uri in (PRIVATE, QUOTATION)] == ["private", "private"]
    assert await meeting.faults() == []


async def test_nobody_changes_what_others_wrote(company: Company) -> None:
    """Whatever stands at the address: only its author changes it."""
    meeting = await met(company)
    await meeting.send("create_review")
    thief = {**meeting.server.read_file("person_bea"), "id": f"{BEA}x", "preferredUsername": "beax"}
    thief["publicKey"] = {**thief["publicKey"], "id": f"{BEA}x/#main-key", "owner": f"{BEA}x"}
    meeting.server.serve(thief)
    meeting.server.documents[REVIEW] = {**meeting.server.read_file("review"), "content": "<p>stolen</p>"}
    update = meeting.server.read_file("update_review")
    told: list[dict[str, Any]] = [
        {**update, "actor": f"{BEA}x"},
        {**update, "actor": f"{BEA}x", "object": {**update["object"], "attributedTo": f"{BEA}x"}},
    ]
    for number, activity in enumerate(told):
        await meeting.server.deliver(meeting.finance, {**activity, "id": f"{BEA}x#update/{number}"})
        await company.settle()
    assert (await texts(meeting))[0].endswith("Slow, and worth it")
    assert [row[1] for row in await meeting.faults()] == ["refused", "refused"]


async def test_a_deletion_has_the_id_of_the_create(company: Company) -> None:
    meeting = await met(company)
    for name in ("comment", "direct"):
        create = await meeting.send(f"create_{name}")
        delete = await meeting.send(f"delete_{name}")
        assert delete["id"] == create["id"]
        assert await texts(meeting) == []
        await meeting.send(f"create_{name}")  # comes late once more
        assert await texts(meeting) == []
    assert await meeting.faults() == []


async def test_favourites_and_boosts(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name, counts in (("like", (1, 0)), ("announce", (1, 1)), ("undo_like", (0, 1)), ("undo_announce", (0, 0))):
        await meeting.send(name, post=mine["uri"])
        shown = await meeting.status(mine["uri"])
        assert (shown["favourites_count"], shown["reblogs_count"]) == counts, name
    assert await meeting.faults() == []


async def test_a_block_has_the_id_of_a_follow(company: Company) -> None:
    """Both are numbered alike, and so are their ends."""
    meeting = await met(company)
    await meeting.send("undo_follow")
    relation = await meeting.relation()
    assert (relation["followed_by"], relation["blocked_by"], relation["following"]) == (False, False, True)
    await meeting.send("block")
    relation = await meeting.relation()
    assert (relation["blocked_by"], relation["following"]) == (True, False)
    await meeting.send("undo_block")
    assert (await meeting.relation())["blocked_by"] is False
    await meeting.send("follow")
    assert (await meeting.relation())["followed_by"] is True
    assert await meeting.faults() == []


async def test_a_report_and_the_end_of_an_account(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_comment")
    await meeting.send("flag")

    def told(tx: Tx) -> list[Any]:
        return list(tx.conn.execute(sa.select(reports.c.target_id, reports.c.comment)))

    assert await meeting.finance.db.read(told) == [(meeting.ann.account.id, "rude")]
    await meeting.send("delete_person")
    assert await texts(meeting) == []
    assert (await meeting.ann.get("/api/v2/search", q=meeting.name, type="accounts"))["accounts"] == []
    assert await meeting.faults() == []


async def test_a_report_of_ours_is_about_whom_it_is_addressed_to(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_comment")
    told = {"status_ids": [(await meeting.status(COMMENT))["id"]], "comment": "not nice", "forward": True}
    await meeting.ann.post("/api/v1/reports", account_id=await meeting.ann.find(meeting.name), **told)
    await company.settle()
    (flag,) = meeting.server.got("Flag")
    assert (flag["to"], flag["object"], flag["content"]) == (BEA, [BEA, COMMENT], "not nice")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/html"])
async def test_what_was_said_before_stands_in_an_outbox_that_is_mere_json(company: Company, kind: str) -> None:
    """An outbox, which its owner names, may call itself JSON; a post, which anybody names, may not."""
    finance = await company.department("finance")
    ann = await finance.person("ann")
    server = Server(company, "bookwyrm", serves_activities=False)
    server.key_name = "/#main-key"
    server.publish("person_bea", "outbox", "outbox_page", "review")
    server.types = dict.fromkeys((f"{BEA}/outbox", f"{BEA}/outbox?page=1", REVIEW), kind)
    await server.meet(finance)
    await ann.post(f"/api/v1/accounts/{await ann.find('bea@bookwyrm.example')}/follow")
    await company.settle()
    (follow,) = server.got("Follow")
    await server.send(finance, "accept_follow", follow=follow["id"], ann=follow["actor"])
    before = ['Review of "The Long Way" (2 stars): HmAn early one', "On page one(comment on The Long Way)"]
    assert sorted(await ann.texts(), reverse=True) == (before if "json" in kind else [])
    assert await ann.find_status(REVIEW) is None
