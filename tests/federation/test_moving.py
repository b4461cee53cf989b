"""Accounts move between departments and from and to servers of other make; nobody is moved by somebody else's word."""

from typing import Any

import pytest

from fedcorp.activitypub.processor import undefined_terms
from fedcorp.company import peers
from fedcorp.social import accounts, moving
from fedcorp.storage.database import Tx
from tests.federation.test_departments import start
from tests.federation.world import Company, Department, Outsider, Person
from tests.wire.server import outcomes

pytestmark = pytest.mark.anyio
WEEK_MS = 7 * 86_400_000


async def _alias(person: Person, *uris: str) -> None:
    await person.department.db.write(lambda tx: moving.set_aliases(tx, accounts.get(tx, person.account.id), uris))


async def _move(person: Person, uri: str) -> None:
    def work(tx: Tx) -> None:
        target = accounts.find_by_uri(tx, uri)
        assert target is not None
        moving.move(tx, accounts.get(tx, person.account.id), target)

    await person.department.db.write(work)


async def _following(person: Person) -> list[str]:
    found = await person.get(f"/api/v1/accounts/{person.id}/following")
    return sorted(item["acct"] for item in found)


async def test_followers_everywhere_follow_along(company: Company) -> None:
    finance, operations, hr = await start(company, "finance", "operations", "hr")
    old, new = await finance.person("ann"), await hr.person("ann")
    col, bo = await finance.person("col"), await operations.person("bo")
    for one in (col, bo):
        await one.follow(old.handle)
    await company.settle()
    in_list = (await bo.post("/api/v1/lists", title="people"))["id"]
    await bo.post(f"/api/v1/lists/{in_list}/accounts", account_ids=[await bo.find(old.handle)])

    await _alias(new, old.account.uri)
    await company.settle()
    await old.find(new.handle)
    await _move(old, new.account.uri)
    await company.settle()

    assert await _following(col) == [new.handle]
    assert await _following(bo) == [new.handle]
    assert [item["acct"] for item in await bo.get(f"/api/v1/lists/{in_list}/accounts")] == [new.handle]
    for one in (col, bo):
        shown = await one.get(f"/api/v1/accounts/{await one.find(old.handle)}")
        assert shown["moved"]["acct"] == new.handle, one.handle
        looked_up = await one.get("/api/v1/accounts/lookup", acct=old.handle)
        assert looked_up["moved"]["id"] == await one.find(new.handle)
    assert (await old.get("/api/v1/accounts/verify_credentials"))["moved"]["acct"] == new.handle
    assert (await new.get("/api/v1/accounts/verify_credentials")).get("moved") is None

    await new.publish("from my new place")
    await company.settle()
    assert "from my new place" in await bo.texts()
    refused = await bo.send("POST", f"/api/v1/accounts/{await bo.find(old.handle)}/follow")
    assert refused.status_code == 403


async def test_both_documents_say_it(company: Company) -> None:
    finance, hr = await start(company, "finance", "hr")
    old, new = await finance.person("ann"), await hr.person("ann")
    reader = Outsider(company, "social.localhost")
    bo = reader.actor("bo")
    for one in (finance, hr):
        await one.db.write(peers.add, reader.domain, "partner")
    await reader.deliver(finance, reader.activity("Follow", bo, old.account.uri, to=[old.account.uri]))
    await company.settle()
    await _alias(new, old.account.uri)
    await old.find(new.handle)
    await _move(old, new.account.uri)
    await company.settle()
    assert (await reader.read(finance, old.account.uri, signer=bo)).json()["movedTo"] == new.account.uri
    assert (await reader.read(hr, new.account.uri, signer=bo)).json()["alsoKnownAs"] == [old.account.uri]
    kinds = [(item["type"], item.get("target")) for item in reader.received]
    assert kinds[-2:] == [("Update", None), ("Move", new.account.uri)]
    move = reader.received[-1]
    assert move["actor"] == move["object"] == old.account.uri
    assert move["to"] == [old.account.uri + "/followers"]
    assert [word for item in reader.received[-2:] for word in undefined_terms(item)] == []


async def test_a_locked_new_account_is_asked(company: Company) -> None:
    finance, hr = await start(company, "finance", "hr")
    old, new, bo = await finance.person("ann"), await hr.person("ann", locked=True), await finance.person("bo")
    await bo.follow(old.handle)
    await _alias(new, old.account.uri)
    await old.find(new.handle)
    await _move(old, new.account.uri)
    await company.settle()
    relationship = (await bo.get("/api/v1/accounts/relationships", id=await bo.find(new.handle)))[0]
    assert (relationship["following"], relationship["requested"]) == (False, True)
    assert [item["acct"] for item in await new.get("/api/v1/follow_requests")] == [bo.handle]


class Scene:
    """carl on a server of other make, whom bo of finance follows."""

    def __init__(self, company: Company, finance: Department, bo: Person) -> None:
        self.company, self.finance, self.bo = company, finance, bo
        self.server = Outsider(company, "social.localhost")
        self.carl = self.server.actor("carl")
        self.newer = self.server.actor("newer", alsoKnownAs=[self.carl])

    async def move(self, target: str | None, **more: Any) -> str | None:
        """The outcome of a Move of carl."""
        actor = more.pop("actor", self.carl)
        document = self.server.activity("Move", actor, more.pop("object", self.carl), target=target, **more)
        await self.server.deliver(self.finance, document)
        await self.company.settle()
        return (await outcomes(self.finance))[-1][1]

    async def follows(self) -> list[str]:
        return await _following(self.bo)


async def _scene(company: Company) -> Scene:
    finance = await company.department("finance")
    bo = await finance.person("bo")
    scene = Scene(company, finance, bo)
    await finance.db.write(peers.add, scene.server.domain, "partner")
    await bo.follow(f"carl@{scene.server.domain}")
    await company.settle()
    await scene.server.deliver(finance, scene.server.activity("Accept", scene.carl, scene.server.received[-1]))
    await company.settle()
    assert await scene.follows() == ["carl@social.localhost"]
    return scene


async def test_an_account_elsewhere_moves_to_another_one(company: Company) -> None:
    scene = await _scene(company)
    assert await scene.move(scene.newer) == "processed"
    asked = [(item["type"], item.get("object")) for item in scene.server.received[-2:]]
    assert asked[0] == ("Follow", scene.newer)
    assert asked[1][0] == "Undo"
    shown = await scene.bo.get(f"/api/v1/accounts/{await scene.bo.find('carl@social.localhost')}")
    assert shown["moved"]["acct"] == "newer@social.localhost"


async def test_an_account_elsewhere_moves_here(company: Company) -> None:
    scene = await _scene(company)
    ann = await scene.finance.person("ann")
    assert await scene.move(ann.account.uri) == "refused", "ann does not say that she is carl"
    assert await scene.follows() == ["carl@social.localhost"]
    await _alias(ann, scene.carl)
    assert await scene.move(ann.account.uri) == "processed"
    assert await scene.follows() == ["ann"]


@pytest.mark.parametrize("case", ["no alias", "no target", "itself", "gone", "another object", "not a peer"])
async def test_moves_that_do_not_count(company: Company, case: str) -> None:
    scene = await _scene(company)
    eve = scene.server.actor("eve")
    foreign = Outsider(company, "stranger.localhost").actor("carl", alsoKnownAs=[scene.carl])
    match case:
        case "no alias":
            await scene.move(eve)
        case "no target":
            await scene.move(None)
        case "itself":
            await scene.move(scene.carl)
        case "gone":
            await scene.move(f"{scene.server.origin}/users/nobody")
        case "another object":  # eve says that carl moved to her
            scene.server.actor("eve", alsoKnownAs=[scene.carl])
            await scene.move(eve, actor=eve)
        case "not a peer":
            await scene.move(foreign)
    assert await scene.follows() == ["carl@social.localhost"]
    assert all(request.url.host != "stranger.localhost" for request in company.network.requests)


async def test_what_the_new_account_says_now_counts(company: Company) -> None:
    """The alias stood there when the account was first read, and was taken away since."""
    scene = await _scene(company)
    await scene.bo.find("newer@social.localhost")
    scene.server.actor("newer", alsoKnownAs=[])
    assert await scene.move(scene.newer) == "refused"
    assert await scene.follows() == ["carl@social.localhost"]


async def test_a_week_passes_between_two_moves_and_chains_are_not_followed(company: Company) -> None:
    scene = await _scene(company)
    assert await scene.move(scene.newer) == "processed"
    third = scene.server.actor("third", alsoKnownAs=[scene.carl, scene.newer])
    assert await scene.move(third) == "ignored"
    company.clock.shift_ms += WEEK_MS + 1
    assert await scene.move(third) == "processed"
    fourth = scene.server.actor("fourth", alsoKnownAs=[scene.newer])
    assert await scene.move(fourth, actor=scene.newer, object=scene.newer) == "processed"
    scene.server.actor("newer", alsoKnownAs=[scene.carl], movedTo=fourth)
    company.clock.shift_ms += WEEK_MS + 1
    assert await scene.move(scene.newer) == "ignored", "newer has moved itself"


async def test_a_profile_that_says_where_it_went(company: Company) -> None:
    """movedTo alone moves nobody; it is shown when the other account confirms it."""
    scene = await _scene(company)
    await scene.bo.find("newer@social.localhost")
    eve = scene.server.actor("eve")
    await scene.bo.find("eve@social.localhost")
    id_ = await scene.bo.find("carl@social.localhost")
    for target, shown in ((eve, None), (scene.newer, "newer@social.localhost"), (None, None)):
        scene.server.actor("carl", movedTo=target)
        document = {**scene.server.documents[scene.carl], "updated": f"2026-11-2{scene.server.serial % 10}T10:00:00Z"}
        await scene.server.deliver(scene.finance, scene.server.activity("Update", scene.carl, document))
        await company.settle()
        found = (await scene.bo.get(f"/api/v1/accounts/{id_}")).get("moved")
        assert (found["acct"] if found else None) == shown
        assert await scene.follows() == ["carl@social.localhost"]
