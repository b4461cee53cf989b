"""Takahe: documents that JSON-LD compacted (`Public`, single values, whole names of terms), an Accept under our id."""

import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import inbox, peers
from tests.federation.world import Company, plain
from tests.wire.meeting import Meeting, meet, speak
from tests.wire.server import Server

pytestmark = pytest.mark.anyio

TARA = "https://takahe.example/@tara@takahe.example/"
POSTS = f"{TARA}posts/"


async def met(company: Company) -> Meeting:
    return await meet(company, "takahe", "tara@takahe.example", "person_tara", "system_actor")


async def test_a_person_in_full_names(company: Company) -> None:
    meeting = await met(company)
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert (shown["display_name"], shown["url"], shown["discoverable"]) == (
        "Tara", "https://takahe.example/@tara/", True,
    )  # fmt: skip
    assert [(item["name"], item["value"]) for item in shown["fields"]] == [("Club", "harriers")]
    await meeting.send("update_person")
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert shown["display_name"] == "Tara R."
    assert await meeting.faults() == []


async def test_what_we_send_can_be_read(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    await speak(meeting, f"{POSTS}1/")


async def test_a_note_is_shown_changed_and_deleted_whole(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    post = await meeting.status(f"{POSTS}1/")
    assert plain(post["content"]) == "ten miles #running :shoe:"
    assert (post["visibility"], post["spoiler_text"], post["sensitive"]) == ("public", "sweat", True)
    assert [item["name"].lower() for item in post["tags"]] == ["running"]
    (hill,) = post["media_attachments"]
    assert (hill["description"], hill["meta"]["focus"]) == ("a hill", {"x": 0.5, "y": -0.25})
    await meeting.send("update_note")
    assert plain((await meeting.status(f"{POSTS}1/"))["content"]) == "eleven miles"
    await meeting.send("delete_note")
    assert await meeting.ann.texts() == []
    assert await meeting.faults() == []


async def test_how_far_its_notes_go(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("create_unlisted", "create_reply", "create_mentioned"):
        await meeting.send(name, post=mine["uri"])
    assert (await meeting.status(f"{POSTS}2/"))["visibility"] == "unlisted"
    answer = await meeting.status(f"{POSTS}3/")
    assert (answer["visibility"], answer["in_reply_to_id"]) == ("public", mine["id"])
    (last,) = await meeting.ann.get("/api/v1/conversations")
    assert "for you alone" in plain(last["last_status"]["content"])
    assert await meeting.faults() == []


async def test_a_poll_is_voted_in(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_poll")
    poll = (await meeting.status(f"{POSTS}5/"))["poll"]
    assert [(item["title"], item["votes_count"]) for item in poll["options"]] == [("five", 0), ("ten", 1)]
    assert poll["voters_count"] == 1
    await meeting.ann.post(f"/api/v1/polls/{poll['id']}/votes", choices=[0])
    await company.settle()
    (vote,) = meeting.server.got("Create", "Note")
    assert (vote["object"]["name"], vote["object"]["to"]) == ("five", [TARA])


async def test_likes_and_boosts_come_and_go(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("like", "announce"):
        await meeting.send(name, post=mine["uri"])
    shown = await meeting.status(mine["uri"])
    assert (shown["favourites_count"], shown["reblogs_count"]) == (1, 1)
    for name in ("undo_like", "undo_announce"):
        await meeting.send(name, post=mine["uri"])
    shown = await meeting.status(mine["uri"])
    assert (shown["favourites_count"], shown["reblogs_count"]) == (0, 0)
    assert await meeting.faults() == []


async def test_what_is_done_again_under_its_old_id_counts(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    counts = ("favourites_count", "reblogs_count")
    for names, wanted in ((("like", "announce"), 1), (("undo_like", "undo_announce"), 0)) * 3:
        for name in names:
            await meeting.send(name, post=mine["uri"])
        shown = await meeting.status(mine["uri"])
        assert [shown[name] for name in counts] == [wanted, wanted]
    assert await meeting.faults() == []


@pytest.mark.parametrize(("software", "wanted"), [("takahe", 1), ("mastodon", 0)])
async def test_a_boost_comes_again_under_its_old_id_only_where_that_is_the_custom(
    company: Company, software: str, wanted: int
) -> None:
    """Also when its first coming was long ago and is forgotten, so that nobody can bring back what was taken back."""
    meeting = await met(company)
    mine = await meeting.publish("look")

    def grow_old(tx: Tx) -> None:
        tx.conn.execute(sa.delete(inbox))
        tx.conn.execute(sa.update(peers).values(software=software))

    for name in ("announce", "undo_announce"):
        await meeting.send(name, post=mine["uri"])
    await meeting.finance.db.write(grow_old)
    await meeting.send("announce", post=mine["uri"])
    assert (await meeting.status(mine["uri"]))["reblogs_count"] == wanted


async def test_who_follows_again_under_the_old_id_is_heard(company: Company) -> None:
    meeting = await met(company)
    for name, wanted in (("undo_follow", False), ("follow", True)) * 2:
        await meeting.send(name)
        assert (await meeting.relation())["followed_by"] is wanted
    assert len(meeting.server.got("Accept")) == 3


async def test_a_repetition_changes_nothing(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    for name in ("like", "like", "announce", "announce", "follow"):
        await meeting.send(name, post=mine["uri"])
    shown = await meeting.status(mine["uri"])
    assert (shown["favourites_count"], shown["reblogs_count"]) == (1, 1)
    assert len(await meeting.ann.get(f"/api/v1/accounts/{meeting.ann.id}/followers")) == 1
    kinds = [item["type"] for item in await meeting.ann.get("/api/v1/notifications")]
    assert sorted(kinds) == ["favourite", "follow", "reblog"]


async def test_a_pin_comes_and_goes_without_an_id(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    account_id = await meeting.ann.find(meeting.name)
    for name, wanted in (("add_pin", [f"{POSTS}1/"]), ("remove_pin", [])) * 2:
        company.clock.shift_ms += 1000  # each is signed at a moment of its own
        await meeting.send(name)
        pinned = await meeting.ann.get(f"/api/v1/accounts/{account_id}/statuses", pinned="true")
        assert [item["uri"] for item in pinned] == wanted
    assert await meeting.faults() == []


async def test_what_was_said_before_is_read_in_an_outbox_without_an_id(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    server = Server(company, "takahe", serves_activities=False)
    server.publish("person_tara", "system_actor")
    server.documents[f"{TARA}outbox/"] = server.read_file("outbox")
    await server.meet(finance)
    await ann.post(f"/api/v1/accounts/{await ann.find('tara@takahe.example')}/follow")
    await company.settle()
    (follow,) = server.got("Follow")
    await server.send(finance, "accept_follow", follow=follow["id"], ann=follow["actor"])
    assert await ann.texts() == ["said before"]


async def test_a_follow_is_undone_and_a_person_deleted(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    await meeting.send("undo_follow")
    (relation,) = await meeting.ann.get(
        "/api/v1/accounts/relationships", **{"id[]": await meeting.ann.find(meeting.name)}
    )
    assert (relation["followed_by"], relation["following"]) == (False, True)
    await meeting.send("delete_person")
    assert await meeting.ann.texts() == []


async def test_only_an_answer_may_lie_under_the_id_of_what_it_answers(company: Company) -> None:
    meeting = await met(company)
    (follow,) = meeting.server.got("Follow")
    answer = meeting.server.read_file("accept_follow", follow=follow["id"])
    for changed in (
        {"id": f"{meeting.ann.account.uri}#accept"},
        {"id": follow["id"]},
        {"type": "Like"},
        {"object": meeting.ann.account.uri},
    ):
        response = await meeting.server.deliver(meeting.finance, {**answer, **changed})
        assert response.status_code == 400, changed
