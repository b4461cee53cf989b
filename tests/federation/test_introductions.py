"""People whom a post names and whom nobody here had met: they are looked up, so that who answers everybody does."""

from typing import Any

import pytest

from fedcorp.activitypub.translate import MAX_STRANGERS
from fedcorp.company import peers
from tests.federation.world import Company, Department, Outsider, Person

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("visibility", ["direct", "public", "private"])
async def test_who_answers_everybody_reaches_people_whom_their_department_had_not_met(
    company: Company, visibility: str
) -> None:
    finance, operations, legal = [await company.department(name) for name in ("finance", "operations", "legal")]
    await company.introduce(finance, operations, legal)
    ann, bo, cy = await finance.person("ann"), await operations.person("bo"), await legal.person("cy")
    await ann.publish(f"@{bo.handle} @{cy.handle} shall we meet?", visibility=visibility)
    await company.settle()
    seen = (await bo.get("/api/v1/notifications", types=["mention"]))[0]["status"]
    assert {item["acct"] for item in seen["mentions"]} == {"bo", cy.handle}
    named = [seen["account"]["acct"], *(item["acct"] for item in seen["mentions"] if item["acct"] != "bo")]
    await bo.publish(" ".join(f"@{acct}" for acct in named), visibility=visibility, in_reply_to_id=seen["id"])
    await company.settle()
    for other in (ann, cy):
        assert (await other.notifications())[0] == ("mention", bo.handle)
    if visibility == "direct":
        (talk,) = await bo.get("/api/v1/conversations")
        assert {item["acct"] for item in talk["accounts"]} == {ann.handle, cy.handle}


class Scene:
    """max writes to bo from a server of another make; who else is named lives on `other`, a peer, or on `strange`."""

    def __init__(self, company: Company, operations: Department, bo: Person) -> None:
        self.company, self.operations, self.bo = company, operations, bo
        self.server = Outsider(company, "plain.localhost")
        self.other = Outsider(company, "other.localhost", number=4)
        self.strange = Outsider(company, "strange.localhost", number=5)
        self.max = self.server.actor("max")

    def words(self, *uris: str, **more: Any) -> dict[str, Any]:
        """A note to bo that names these, too."""
        tags = [{"type": "Mention", "href": uri, "name": "@x"} for uri in (self.bo.account.uri, *uris)]
        return self.server.note(self.max, "all of you", tag=tags, cc=[self.bo.account.uri, *uris], **more)

    async def send(self, note: dict[str, Any], kind: str = "Create") -> None:
        """Deliver it, and let everything happen that follows."""
        await self.server.deliver(self.operations, self.server.activity(kind, self.max, note))
        await self.company.settle()

    async def named(self, note: dict[str, Any]) -> set[str]:
        """Whom bo sees named by it."""
        seen = await self.bo.find_status(note["id"])
        return {item["acct"] for item in seen["mentions"]} - {"bo"}


@pytest.fixture
async def scene(company: Company) -> Scene:
    operations = await company.department("operations")
    bo = await operations.person("bo")
    for domain in ("plain.localhost", "other.localhost"):
        await operations.db.write(peers.add, domain, "partner")
    return Scene(company, operations, bo)


async def test_only_peers_are_asked_who_somebody_is(scene: Scene) -> None:
    ida, eve = scene.other.actor("ida"), scene.strange.actor("eve")
    note = scene.words(
        ida, eve, "http://other.localhost/users/nobody", "http://[", "acct:ida@other.localhost", "x" * 3000
    )
    await scene.send(note)
    assert await scene.named(note) == {"ida@other.localhost"}
    assert scene.strange.fetched == []
    assert ida in scene.other.fetched


async def test_one_post_makes_us_look_up_a_few_people_alone(scene: Scene) -> None:
    people = [scene.other.actor(f"p{number}") for number in range(MAX_STRANGERS + 5)]
    note = scene.words(*people)
    await scene.send(note)
    assert len(await scene.named(note)) == MAX_STRANGERS
    assert len(set(scene.other.fetched) & set(people)) == MAX_STRANGERS


async def test_a_post_does_not_wait_for_a_server_that_is_away(scene: Scene) -> None:
    ida, joe = scene.other.actor("ida"), scene.server.actor("joe")
    scene.company.network.cut.add("other.localhost")
    note = scene.words(ida, joe)
    await scene.send(note)
    assert await scene.named(note) == {"joe@plain.localhost"}
    scene.company.network.cut.clear()
    await scene.company.retry()
    assert await scene.named(note) == {"joe@plain.localhost", "ida@other.localhost"}


async def test_of_two_edits_the_last_says_who_is_named(scene: Scene) -> None:
    ida, joe = scene.other.actor("ida"), scene.other.actor("joe")
    note = scene.words(ida)
    scene.company.network.cut.add("other.localhost")
    await scene.send(note)
    edit = scene.words(joe, id=note["id"], updated="2026-11-02T10:00:00Z")
    await scene.send(edit, "Update")
    assert await scene.named(note) == set()
    scene.company.network.cut.clear()
    await scene.company.retry()
    assert await scene.named(note) == {"joe@other.localhost"}


async def test_who_gets_a_message_without_being_named_is_known_too(scene: Scene) -> None:
    """Misskey names people in `to` alone."""
    ida = scene.other.actor("ida")
    note = scene.server.note(scene.max, "between us", to=[scene.bo.account.uri, ida], cc=[])
    await scene.send(note)
    (talk,) = await scene.bo.get("/api/v1/conversations")
    assert {item["acct"] for item in talk["accounts"]} == {"max@plain.localhost", "ida@other.localhost"}


async def test_nobody_is_asked_for_who_is_only_addressed_by_a_public_post(scene: Scene) -> None:
    ida = scene.other.actor("ida")
    note = scene.server.note(scene.max, "to all", cc=[scene.bo.account.uri, ida])
    await scene.send(note)
    assert ida not in scene.other.fetched
