"""Gancio: an agenda that speaks as one Application; events with a time and a place; what it never answers."""

import json

import httpx
import pytest

from fedcorp.social import accounts, moderation
from fedcorp.social.pages import Page
from fedcorp.storage.database import Tx
from tests.federation.world import Company, plain
from tests.wire.meeting import Meeting, meet
from tests.wire.server import Server

pytestmark = pytest.mark.anyio

ORIGIN = "https://gancio.example"
AGENDA = f"{ORIGIN}/federation/u/agenda"
EVENT, EARLY = f"{ORIGIN}/federation/m/3", f"{ORIGIN}/federation/m/1"
HANDLE = "agenda@gancio.example"


async def met(company: Company) -> Meeting:
    return await meet(company, "gancio", HANDLE, "agenda")


async def test_an_application_is_followed_and_found(company: Company) -> None:
    meeting = await met(company)
    ann = meeting.ann
    agenda = await ann.find(HANDLE)
    mine = (await ann.get("/api/v1/accounts/verify_credentials"))["id"]
    shown = await ann.get(f"/api/v1/accounts/{agenda}")
    assert (shown["display_name"], shown["bot"], shown["group"]) == ("River Agenda", True, False)
    for side in ("following", "followers"):
        assert [item["acct"] for item in await ann.get(f"/api/v1/accounts/{mine}/{side}")] == [HANDLE]
    bob = await meeting.finance.person("bob")
    found = await bob.get("/api/v2/search", q="River", type="accounts")
    assert [item["acct"] for item in found["accounts"]] == [HANDLE]
    assert await meeting.faults() == []


async def test_the_actor_of_a_server_that_hides_is_shown_to_its_followers_alone(company: Company) -> None:
    finance = await company.department("finance")
    ann, bob = await finance.person("ann"), await finance.person("bob")
    server = Server(company, "gancio")
    hidden = {name: value for name, value in server.read_file("agenda").items() if name != "discoverable"}
    server.serve(hidden)
    await server.meet(finance)
    agenda = await ann.find(HANDLE)
    await ann.post(f"/api/v1/accounts/{agenda}/follow")
    await company.settle()
    (follow,) = server.got("Follow")
    await server.send(finance, "accept_follow", follow=follow["id"], ann=follow["actor"])
    found = [await who.get("/api/v2/search", q="River", type="accounts") for who in (ann, bob)]
    assert [[item["acct"] for item in one["accounts"]] for one in found] == [[HANDLE], []]


async def test_the_actor_of_a_department_is_nobody_to_people(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    for query in ("finance.localhost", "finance.localhost@finance.localhost"):
        assert (await ann.get("/api/v2/search", q=query, type="accounts"))["accounts"] == []


async def test_moderators_see_an_agenda_and_can_suspend_it(company: Company) -> None:
    meeting = await met(company)
    db, ann = meeting.finance.db, meeting.ann.account

    def suspend(tx: Tx) -> list[str]:
        seen = [accounts.get(tx, id_) for id_ in moderation.listing(tx, Page(10), moderation.Wanted(local=False))]
        moderation.act(tx, accounts.get(tx, ann.id), moderation.find(tx, seen[0].id), "suspend", "")
        return [account.handle for account in seen]

    assert await db.write(suspend) == [HANDLE]
    await meeting.send("create_event")
    assert await meeting.ann.find_status(EVENT) is None


async def test_an_event_says_when_and_where(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_event")
    event = await meeting.status(EVENT)
    assert plain(event["content"]) == (
        "Regatta #12026-12-05 10:30-12:30 (+01:00)Boat House, 3 Quayhttps://meet.example/regatta"
        "Oars &amp; wind, see https://boats.example/xone"
    )
    assert (event["spoiler_text"], event["sensitive"], event["visibility"]) == ("", False, "public")
    assert {tag["name"] for tag in event["tags"]} >= {"boats", "theriver"}
    (picture,) = event["media_attachments"]
    assert (picture["type"], picture["description"]) == ("image", "Two boats")
    await meeting.send("update_event")
    event = await meeting.status(EVENT)
    assert plain(event["content"]) == (
        "Regatta, moved2026-12-05 11:30 - 2026-12-06 14:30 (+01:00)Old Mill, Mill Lane 2"
        "https://meet.example/regattaNow up the hill"
    )
    assert event["edited_at"] is not None
    await meeting.send("delete_event")
    assert await meeting.ann.get("/api/v1/timelines/home") == []
    assert await meeting.faults() == []


async def test_what_was_there_before_is_read(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    server = Server(company, "gancio", serves_activities=False)
    server.publish("agenda", "outbox", "outbox_page")
    await server.meet(finance)
    await ann.post(f"/api/v1/accounts/{await ann.find(HANDLE)}/follow")
    await company.settle()
    (follow,) = server.got("Follow")
    await server.send(finance, "accept_follow", follow=follow["id"], ann=follow["actor"])
    early = await ann.find_status(EARLY)
    assert plain(early["content"]) == "Before all2026-12-01 10:28 (+01:00)Boat House, 3 QuayAn early one"


async def test_it_follows_again_under_the_same_ids(company: Company) -> None:
    meeting = await met(company)
    for name, follows in (("undo_follow", False), ("follow", True), ("undo_follow", False), ("follow", True)):
        await meeting.send(name)
        assert (await meeting.relation())["followed_by"] is follows
    assert await meeting.faults() == []


async def test_an_answer_that_is_gone_is_called_what_it_was(company: Company) -> None:
    """Without that it looks for an account of this id, and fails."""
    meeting = await met(company)
    await meeting.send("create_event")
    answer = await meeting.publish("I come", in_reply_to_id=(await meeting.status(EVENT))["id"])
    await meeting.ann.send("DELETE", f"/api/v1/statuses/{answer['id']}")
    await company.settle()
    (create,), (delete,) = meeting.server.got("Create", "Note"), meeting.server.got("Delete")
    assert (create["object"]["inReplyTo"], AGENDA in create["object"]["cc"]) == (EVENT, True)
    assert delete["object"] == {"id": answer["uri"], "type": "Tombstone", "formerType": "Note"}


async def test_it_is_spared_what_it_never_answers(company: Company) -> None:
    """It has no words for the end of a boost or for a changed profile: each would hold up all that comes after."""
    meeting = await met(company)
    await meeting.send("create_event")
    event = (await meeting.status(EVENT))["id"]
    begun = len(meeting.server.received)
    for verb in ("favourite", "unfavourite", "reblog", "unreblog", "react/👎", "unreact/👎"):
        await meeting.ann.post(f"/api/v1/statuses/{event}/{verb}")
        await company.settle()
    await meeting.ann.send("PATCH", "/api/v1/accounts/update_credentials", display_name="Ann of the River")
    await meeting.publish("see")
    got = meeting.server.received[begun:]
    assert [item["type"] for item in got] == ["Like", "Undo", "Announce", "Create"]
    assert got[1]["object"]["type"] == "Like"


async def test_an_answer_that_it_does_not_keep_holds_up_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a site is set up at first, an answer to an event is left without any answer."""
    meeting = await met(company)
    await meeting.send("create_event")
    event = (await meeting.status(EVENT))["id"]
    respond = meeting.server.respond

    async def silent(request: httpx.Request) -> httpx.Response:
        answer = await respond(request)
        told = json.loads(request.content) if request.method == "POST" else {}
        if told.get("type") == "Create" and told["object"]["inReplyTo"] == EVENT:
            raise httpx.ReadTimeout("no answer", request=request)
        return answer

    monkeypatch.setattr(meeting.server, "respond", silent)
    begun = len(meeting.server.received)
    await meeting.publish("I come", in_reply_to_id=event)
    await meeting.ann.post(f"/api/v1/statuses/{event}/favourite")
    await company.retry()
    assert [item["type"] for item in meeting.server.received[begun:]] == ["Create", "Create", "Like"]
    await meeting.publish("and this")
    assert [item["type"] for item in meeting.server.received[begun + 3 :]] == ["Create"]
