"""Members-only groups and servers that cannot keep them: refused with a reason, or served by the group's own notes."""

from typing import Any

import pytest

from fedcorp.company import peers
from tests.federation.world import PUBLIC, Company, Department, Outsider, Person, plain

pytestmark = pytest.mark.anyio
GROUPS = "/api/fedcorp/v1/groups"


class Scene:
    """ann's group in finance, which bo of operations belongs to; max lives on a partner's Mastodon."""

    def __init__(self, company: Company, ann: Person, bo: Person, partner: Outsider) -> None:
        self.company, self.ann, self.bo, self.partner = company, ann, bo, partner
        self.max = partner.actor("max")
        self.group: dict[str, Any] = {}

    @property
    def finance(self) -> Department:
        """Where the group lives."""
        return self.ann.department

    async def say(self, kind: str, thing: Any, **more: Any) -> None:
        """max does something."""
        document = self.partner.activity(kind, self.max, thing, **more)
        assert (await self.partner.deliver(self.finance, document)).status_code == 202
        await self.company.settle()

    def told(self, kind: str) -> list[dict[str, Any]]:
        """What the partner's server was sent of that kind, with its object embedded."""
        return [item for item in self.partner.received if item["type"] == kind and isinstance(item["object"], dict)]

    def letters(self) -> list[str]:
        """The direct messages that max got."""
        return [plain(item["object"]["content"]) for item in self.told("Create") if item["object"]["to"] == [self.max]]

    def notes(self) -> list[dict[str, Any]]:
        """What the group said in its own name to its followers there."""
        return [item["object"] for item in self.told("Create") if item["object"]["to"] != [self.max]]

    async def listed(self, person: Person) -> list[str]:
        """What somebody reads in the list of the group, newest first."""
        id_ = await person.find(f"club@{self.finance.domain}")
        return [plain(item["content"]) for item in await person.get(f"/api/v1/timelines/list/{id_}")]


@pytest.fixture
async def scene(company: Company) -> Scene:
    finance, operations = await company.department("finance"), await company.department("operations")
    await company.introduce(finance, operations)
    partner = Outsider(company, "partner.localhost")
    partner.runs = "mastodon"
    await finance.db.write(peers.add, partner.domain, "partner")
    made = Scene(company, await finance.person("ann"), await operations.person("bo"), partner)
    answer = await made.ann.post(GROUPS, name="club", title="The club", preset="private", reach="partners")
    made.group = answer
    await company.settle()
    await made.bo.follow("club@finance.localhost")
    await company.settle()
    (waiting,) = await made.ann.get(f"{GROUPS}/{answer['id']}/requests")
    await made.ann.post(f"{GROUPS}/{answer['id']}/requests/{waiting['account']['id']}/approve")
    await company.settle()
    return made


async def test_a_server_that_cannot_keep_a_group_is_refused_with_a_reason(scene: Scene) -> None:
    await scene.say("Follow", scene.group["uri"], to=[scene.group["uri"]])
    (refused,) = [item for item in scene.partner.received if item["type"] == "Reject"]
    assert refused["object"]["actor"] == scene.max
    (letter,) = scene.letters()
    assert "partner.localhost cannot keep it" in letter
    assert await scene.ann.get(f"{GROUPS}/{scene.group['id']}/requests") == []
    await scene.ann.publish("@club for members")
    await scene.company.settle()
    assert "for members" not in str(scene.partner.received)


async def allow(scene: Scene) -> None:
    """The group passes posts on, and max belongs to it."""
    await scene.ann.send("PATCH", f"{GROUPS}/{scene.group['id']}", outsiders="relay")
    await scene.say("Follow", scene.group["uri"], to=[scene.group["uri"]])
    (waiting,) = await scene.ann.get(f"{GROUPS}/{scene.group['id']}/requests")
    await scene.ann.post(f"{GROUPS}/{scene.group['id']}/requests/{waiting['account']['id']}/approve")
    await scene.company.settle()
    assert [item["type"] for item in scene.partner.received].count("Accept") == 1


async def test_a_group_may_pass_on_what_is_written_in_its_own_name(scene: Scene) -> None:
    await allow(scene)
    posted = await scene.ann.publish("@club the plan #secret")
    await scene.company.settle()
    (note,) = scene.notes()
    assert (note["attributedTo"], note["to"], note["cc"]) == (
        scene.group["uri"],
        [scene.group["uri"] + "/followers"],
        [],
    )
    assert "ann (@ann@finance.localhost):" in plain(note["content"])
    assert "the plan" in plain(note["content"])
    assert PUBLIC not in str(scene.told("Create")[-1])
    assert not any(item["type"] == "Announce" for item in scene.partner.received)
    read = await scene.partner.read(scene.finance, note["id"], signer=scene.max)
    assert read.json()["content"] == note["content"]
    eve = scene.partner.actor("eve")
    for signer in (None, eve):
        assert (await scene.partner.read(scene.finance, note["id"], signer=signer)).status_code in (401, 404)
    await scene.ann.send("PUT", f"/api/v1/statuses/{posted['id']}", status="@club the better plan")
    await scene.company.settle()
    (changed,) = [item["object"] for item in scene.told("Update") if item["object"]["type"] == "Note"]
    assert changed["id"] == note["id"]
    assert "the better plan" in plain(changed["content"])
    await scene.bo.publish("@club@finance.localhost mine too")
    await scene.company.settle()
    assert "mine too" in plain(scene.notes()[-1]["content"])
    await scene.ann.send("DELETE", f"/api/v1/statuses/{posted['id']}")
    await scene.company.settle()
    assert [item["object"]["id"] for item in scene.told("Delete")] == [note["id"]]
    assert (await scene.partner.read(scene.finance, note["id"], signer=scene.max)).status_code == 404


async def test_what_such_a_member_answers_is_said_by_the_group(scene: Scene) -> None:
    await allow(scene)
    await scene.ann.publish("@club what do you think?")
    await scene.company.settle()
    (note,) = scene.notes()
    addressed = {"to": [scene.max + "/followers"], "cc": [scene.group["uri"]]}
    mention = {"type": "Mention", "href": scene.group["uri"], "name": "@club@finance.localhost"}
    answer = scene.partner.note(scene.max, "I like it", inReplyTo=note["id"], tag=[mention], **addressed)
    await scene.say("Create", answer, **addressed)
    for person in (scene.ann, scene.bo):
        assert (await scene.listed(person))[0] == "Max (@max@partner.localhost):I like it", person.handle
    shown = (await scene.ann.get(f"/api/v1/timelines/list/{scene.group['id']}"))[0]
    assert shown["account"]["username"] == "club"
    assert shown["in_reply_to_id"] is not None
    assert shown["visibility"] == "private"
    stranger = await scene.finance.person("stranger")
    assert (await stranger.http.get(f"/api/v1/statuses/{shown['id']}")).status_code == 404

    changed = {**answer, "content": "<p>I love it</p>", "updated": "2026-11-02T10:00:00Z"}
    await scene.say("Update", changed, **addressed)
    for person in (scene.ann, scene.bo):
        assert (await scene.listed(person))[0].endswith("I love it"), person.handle
    await scene.say("Delete", {"id": answer["id"], "type": "Tombstone"}, **addressed)
    for person in (scene.ann, scene.bo):
        assert await scene.listed(person) == ["@club what do you think?"], person.handle


async def test_who_is_no_member_is_not_passed_on(scene: Scene) -> None:
    await allow(scene)
    eve = scene.partner.actor("eve")
    addressed = {"to": [eve + "/followers"], "cc": [scene.group["uri"]]}
    note = scene.partner.note(eve, "let me in", **addressed)
    await scene.partner.deliver(scene.finance, scene.partner.activity("Create", eve, note, **addressed))
    await scene.company.settle()
    assert await scene.listed(scene.ann) == []


async def test_a_message_to_a_group_alone_reaches_its_moderators(scene: Scene) -> None:
    await scene.bo.publish("@club@finance.localhost may I ask something?", visibility="direct")
    await scene.company.settle()
    told = [item for item in await scene.ann.get("/api/v1/notifications") if item["type"] == "mention"]
    words = plain(told[0]["status"]["content"])
    assert told[0]["account"]["username"] == "club"
    assert "may I ask something?" in words
    assert "@bo@operations.localhost" in words
    assert await scene.listed(scene.ann) == []
