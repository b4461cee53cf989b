"""Conversations: unread until they are read, off the list until there is something new, and nobody else's business."""

from typing import Any

import pytest

from fedcorp.social import receiving
from fedcorp.social.receiving import RemoteStatus
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio
PATH = "/api/v1/conversations"


async def only(person: Person) -> dict[str, Any]:
    (found,) = await person.get(PATH)
    return dict(found)


async def test_a_conversation_is_unread_until_it_is_read_and_again_with_a_new_message(ann: Person, ben: Person) -> None:
    first = await ann.publish("@ben psst", visibility="direct")
    assert (await only(ann))["unread"] is False, "one knows what one wrote"
    found = await only(ben)
    assert found["unread"] is True
    read = await ben.post(f"{PATH}/{found['id']}/read")
    assert read == found | {"unread": False}
    assert await only(ben) == read
    await ann.publish("@ben and?", visibility="direct", in_reply_to_id=first["id"])
    assert (await only(ben))["unread"] is True
    await ben.publish("@ann what?", visibility="direct", in_reply_to_id=first["id"])
    assert (await only(ben))["unread"] is False
    assert (await only(ann))["unread"] is True


async def test_what_was_read_can_be_unread(ann: Person, ben: Person) -> None:
    await ann.publish("@ben psst", visibility="direct")
    for person in (ann, ben):
        found = await only(person)
        await person.post(f"{PATH}/{found['id']}/read")
        assert (await person.post(f"{PATH}/{found['id']}/unread"))["unread"] is True
        assert (await only(person))["unread"] is True


async def test_that_the_latest_message_is_deleted_brings_no_news(ann: Person, ben: Person) -> None:
    first = await ann.publish("@ben psst", visibility="direct")
    latest = await ann.publish("@ben oops", visibility="direct", in_reply_to_id=first["id"])
    await ben.post(f"{PATH}/{(await only(ben))['id']}/read")
    await ann.delete(f"/api/v1/statuses/{latest['id']}")
    left = await only(ben)
    assert (left["last_status"]["id"], left["unread"]) == (first["id"], False)


async def test_a_removed_conversation_comes_back_with_a_new_message(ann: Person, ben: Person) -> None:
    first = await ann.publish("@ben psst", visibility="direct")
    other = await ann.publish("@ben something else", visibility="direct")
    removed = (await ben.get(PATH))[1]
    assert await ben.delete(f"{PATH}/{removed['id']}") == {}
    assert [item["last_status"]["id"] for item in await ben.get(PATH)] == [other["id"]]
    assert len(await ann.get(PATH)) == 2, "the other keeps it"
    assert (await ben.get(f"/api/v1/statuses/{first['id']}"))["id"] == first["id"], "the message stays"
    for method, way in (("POST", "/read"), ("POST", "/unread"), ("DELETE", "")):
        assert (await ben.ask(method, f"{PATH}/{removed['id']}{way}")).status_code == 404
    again = await ann.publish("@ben psst!", visibility="direct", in_reply_to_id=first["id"])
    back = (await ben.get(PATH))[0]
    assert (back["id"], back["last_status"]["id"], back["unread"]) == (removed["id"], again["id"], True)


async def test_a_message_that_comes_late_is_news_though_it_is_not_the_latest(office: Office, ann: Person) -> None:
    ada = await office.colleague("ada")
    written_at = office.clock.ms()
    office.clock.pass_(seconds=60)
    first = await ann.publish("@ada@sales.localhost psst", visibility="direct")
    await ann.delete(f"{PATH}/{(await only(ann))['id']}")
    late = RemoteStatus(
        uri=f"{ada.origin}/o/1", url=None, account=ada, visibility="direct", reach="company", content="<p>what?</p>",
        text="what?", created_at=written_at, in_reply_to_uri=first["uri"], mentions=((int(ann.id), False),),
    )  # fmt: skip
    await office.db.write(receiving.receive, late)
    assert (await only(ann))["unread"] is True


async def test_conversations_of_others_are_not_found(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    await ann.publish("@ben psst", visibility="direct")
    open_ = await ann.publish("hello all")
    before = await only(ben)
    for id_ in (before["id"], open_["id"]):
        for method, way in (("POST", "/read"), ("POST", "/unread"), ("DELETE", "")):
            assert (await eve.ask(method, f"{PATH}/{id_}{way}")).status_code == 404
    assert await only(ben) == before


async def test_the_scope_of_conversations_is_enough(office: Office, ann: Person, ben: Person) -> None:
    await ann.publish("@ben psst", visibility="direct")
    app = await office.app(ben, "write:conversations")
    assert (await app.post(f"{PATH}/{(await only(ben))['id']}/read"))["unread"] is False
