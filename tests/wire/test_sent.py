"""What leaves for Lemmy and Mastodon in the life of a group: every document has what their readers insist on, and every
word in it is defined. The table in README.md says where they insist.
"""

from typing import Any

import pytest

from fedcorp.activitypub.processor import undefined_terms
from tests.federation.world import Company, Department, Person
from tests.wire import required
from tests.wire.server import Server, join

pytestmark = pytest.mark.anyio

LEA, MO, TIM = "https://lemmy.example/u/lea", "https://lemmy.example/u/mo", "https://mastodon.example/users/tim"
FOR_LEMMY = ("Accept", "Reject", "Announce")  # what it reads from a group
COLLECTIONS = ("followers", "outbox", "featured", "moderators")


def faults_of(server: Server, check: Any, group: str) -> list[str]:
    found = []
    for document in server.received:
        shown = f"{document['type']} of {document['actor']}: "
        found += [shown + fault for fault in check(document, group)]
        found += [f"{shown}{word} is not defined" for word in undefined_terms(_ours(document))]
    return found


def _ours(document: dict[str, Any]) -> dict[str, Any]:
    """The document with what others wrote, and must answer for, named by its id."""
    inner = document.get("object")
    theirs = isinstance(inner, dict) and ".example/" in str(inner.get("actor"))
    return {**document, "object": inner["id"]} if isinstance(inner, dict) and theirs else document


async def scene_of(company: Company) -> tuple[Department, Person, Person, Server, Server, str, str]:
    """The group robots of finance, which lea and mo of Lemmy and tim of Mastodon follow."""
    finance = await company.department("finance")
    ann, ben = await finance.person("ann"), await finance.person("ben")
    await finance.group(ann, "robots", reach="public")
    await ben.follow("robots@finance.localhost")
    await company.settle()
    group_id = await ann.find("robots@finance.localhost")
    shown = await ann.get(f"/api/fedcorp/v1/groups/{group_id}")
    words = {"group": shown["uri"], "group_page": shown["url"], "author": ann.account.uri}
    lemmy = Server(company, "lemmy", **words)
    mastodon = Server(company, "mastodon", serves_activities=False, **words)
    lemmy.publish("person_lea", "person_mo")
    mastodon.publish("person_tim")
    for server in (lemmy, mastodon):
        await server.meet(finance)
    await lemmy.send(finance, "follow")
    await lemmy.send(finance, "follow_mo")
    await mastodon.send(finance, "follow", followed=shown["uri"])
    return finance, ann, ben, lemmy, mastodon, shown["uri"], group_id


async def live(company: Company, finance: Department, ann: Person, ben: Person, servers: Any, group_id: str) -> None:
    """Everything that can happen in a group happens once."""
    lemmy, mastodon = servers
    base = f"/api/fedcorp/v1/groups/{group_id}"
    first = await ben.publish("@robots the arm is here\n\nIt can lift a cat.", spoiler_text="cats")
    await company.settle()
    await ann.publish("and a dog?", in_reply_to_id=first["id"])
    for verb in ("favourite", "react/☕", "unreact/☕"):
        await ann.post(f"/api/v1/statuses/{first['id']}/{verb}")
    await ben.send("PUT", f"/api/v1/statuses/{first['id']}", status="@robots the arm is here, and works")
    await lemmy.send(finance, "create_page_here")
    await lemmy.send(finance, "update_page_here")
    await mastodon.send(finance, "create_note")
    await mastodon.send(finance, "like", post=first["uri"])
    await ann.post(f"/api/v1/statuses/{first['id']}/unfavourite")
    page = await ann.find_status("https://lemmy.example/post/301")
    for verb in ("lock", "unlock", "pin", "unpin", "remove", "restore"):
        answer = await ann.send("POST", f"{base}/statuses/{page['id']}/{verb}", reason="trying")
        assert answer.status_code == 200, (verb, answer.text)
        await company.settle()
    mo, lea = await ann.find("mo@lemmy.example"), await ann.find("lea@lemmy.example")
    for role in ("moderator", "member"):
        assert (await ann.send("PUT", f"{base}/members/{mo}", role=role)).status_code == 200
    assert (await ann.send("POST", f"{base}/bans", account_id=lea, reason="no", expires_in=3600)).status_code == 200
    assert (await ann.http.delete(f"{base}/bans/{lea}")).status_code == 200
    assert (await ann.send("PATCH", base, title="Robots, all of them")).status_code == 200
    await company.settle()
    await ben.http.delete(f"/api/v1/statuses/{first['id']}")
    await company.settle()


async def test_everything_that_leaves_can_be_read_by_whom_it_is_for(company: Company) -> None:
    finance, ann, ben, lemmy, mastodon, group, group_id = await scene_of(company)
    await live(company, finance, ann, ben, (lemmy, mastodon), group_id)
    told = {item["object"]["type"] for item in lemmy.got("Announce")}
    assert told == {"Create", "Update", "Delete", "Like", "Undo", "Add", "Remove", "Lock", "Block"}
    assert {item["type"] for item in mastodon.received} >= {"Accept", "Announce", "Undo", "Update", "Delete"}
    # Lemmy gets the group's own Update, its Undo of a boost and its notes to single people too, and leaves them alone
    lemmy.received = [item for item in lemmy.received if (item["actor"] == group) <= (item["type"] in FOR_LEMMY)]
    assert faults_of(lemmy, required.lemmy, group) == []
    assert faults_of(mastodon, required.mastodon, group) == []


async def test_the_group_and_its_collections_can_be_read(company: Company) -> None:
    finance, ann, ben, lemmy, mastodon, group, group_id = await scene_of(company)
    mine = await ben.publish("@robots the arm is here")
    await lemmy.send(finance, "create_page_here")
    page = await ann.find_status("https://lemmy.example/post/301")
    for id_ in (mine["id"], page["id"]):
        url = f"/api/fedcorp/v1/groups/{group_id}/statuses/{id_}/pin"
        assert (await ann.send("POST", url)).status_code == 200
    await company.settle()
    actor = (await lemmy.read(finance, group, signer=LEA)).json()
    faults = [*required.lemmy_group(actor), *required.mastodon_actor(actor), *undefined_terms(actor)]
    for name in COLLECTIONS:
        document = (await lemmy.read(finance, f"{group}/{name}", signer=LEA)).json()
        faults += [*required.lemmy_collection(name, document), *undefined_terms(document)]
        if name == "featured":
            assert {item["id"] for item in document["orderedItems"]} == {mine["uri"], page["uri"]}
    person = (await mastodon.read(finance, ann.account.uri, signer=TIM)).json()
    faults += [*required.mastodon_actor(person), *undefined_terms(person)]
    assert faults == []


async def test_what_we_write_to_a_community_of_lemmy_can_be_read(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    lemmy = Server(company, "lemmy")
    lemmy.publish("group", "person_lea", "person_mo")
    await lemmy.meet(finance)
    group_id = await join(lemmy, "gardening@lemmy.example", ann)
    await lemmy.send(finance, "announce_create_page")
    post = await ann.find_status("https://lemmy.example/post/101")
    await ann.publish("@gardening@lemmy.example which pots?")
    answer = await ann.publish("green ones", in_reply_to_id=post["id"])
    await ann.post(f"/api/v1/statuses/{post['id']}/favourite")
    await ann.send("PUT", f"/api/v1/statuses/{answer['id']}", status="blue ones")
    await company.settle()
    base = f"/api/fedcorp/v1/groups/{group_id}"
    report = {"account_id": post["account"]["id"], "status_ids": [post["id"]], "comment": "spam"}
    assert (await ann.send("POST", f"{base}/reports", **report)).status_code in (200, 202)
    await lemmy.send(finance, "announce_add_moderator", person=ann.account.uri)
    for verb in ("lock", "unlock", "pin", "unpin", "remove"):
        assert (await ann.send("POST", f"{base}/statuses/{post['id']}/{verb}")).status_code in (200, 202)
    await company.settle()
    assert [item["summary"] for item in lemmy.got("Delete")] == [""]  # without one it would be the author's deletion
    lea = post["account"]["id"]
    assert (await ann.send("POST", f"{base}/bans", account_id=lea, reason="no")).status_code in (200, 202)
    await ann.post(f"/api/v1/statuses/{post['id']}/unfavourite")
    await ann.http.delete(f"/api/v1/statuses/{answer['id']}")
    await ann.post(f"/api/v1/accounts/{group_id}/unfollow")
    await company.settle()
    kinds = {item["type"] for item in lemmy.received}
    assert kinds == {"Follow", "Create", "Update", "Like", "Flag", "Lock", "Undo", "Add", "Remove", "Delete", "Block"}
    assert faults_of(lemmy, required.lemmy, "https://lemmy.example/c/gardening") == []
