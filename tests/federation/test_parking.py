"""An activity that a server keeps failing on is set aside; a server that fails on everything is waited for."""

import json
from typing import Any

import httpx
import pytest

from fedcorp.activitypub.delivery import PARK_AFTER
from fedcorp.company import peers
from tests.federation.world import Company, Department, Outsider, Person, plain

pytestmark = pytest.mark.anyio


class Choosy(Outsider):
    """Answers these types of activities with the number that stands beside them."""

    def __init__(self, company: Company, domain: str) -> None:
        super().__init__(company, domain)
        self.fails: dict[str, int] = {}

    async def respond(self, request: httpx.Request) -> httpx.Response:
        answer = await super().respond(request)
        kind = json.loads(request.content)["type"] if request.method == "POST" else ""
        status = self.fails.get(kind, self.fails.get("*", 202)) if request.method == "POST" else answer.status_code
        return answer if status == answer.status_code else httpx.Response(status, request=request)

    def got(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.received if item["type"] == kind]


class Scene:
    """eva follows ann, and ann has liked a post of hers, on which the server fails with 500."""

    def __init__(self, choosy: Choosy, finance: Department, ann: Person) -> None:
        self.choosy, self.finance, self.ann = choosy, finance, ann

    async def retry(self, times: int) -> None:
        for _ in range(times):
            self.choosy.company.clock.shift_ms += 3_600_000
            await self.choosy.company.retry()

    def said(self) -> list[str]:
        return [plain(item["object"]["content"]) for item in self.choosy.got("Create")]


@pytest.fixture
async def scene(company: Company) -> Scene:
    finance = await company.department("finance")
    choosy = Choosy(company, "partner.localhost")
    await finance.db.write(peers.add, choosy.domain, "partner")
    ann = await finance.person("ann")
    eva = choosy.actor("eva")
    await choosy.deliver(finance, choosy.activity("Follow", eva, ann.account.uri))
    note = choosy.note(eva, "look")
    await company.settle()
    found = await ann.find_status(note["id"])
    choosy.fails = {"Like": 500}
    await ann.post(f"/api/v1/statuses/{found['id']}/favourite")
    await company.settle()
    return Scene(choosy, finance, ann)


@pytest.mark.parametrize("status", [500, 409, 301])
async def test_what_comes_after_it_is_delivered_when_its_tries_are_over(scene: Scene, status: int) -> None:
    scene.choosy.fails = {"Like": status}
    for text in ("one", "two"):
        await scene.ann.publish(text, reach="partners")
    await scene.retry(PARK_AFTER - 2)
    assert (len(scene.choosy.got("Like")), scene.said()) == (PARK_AFTER - 1, [])
    await scene.retry(1)
    assert (len(scene.choosy.got("Like")), scene.said()) == (PARK_AFTER, ["one", "two"])
    await scene.retry(2)
    assert len(scene.choosy.got("Like")) == PARK_AFTER


async def test_it_is_tried_on_while_nothing_comes_after_it(scene: Scene) -> None:
    await scene.retry(PARK_AFTER + 3)
    assert len(scene.choosy.got("Like")) == PARK_AFTER + 4
    scene.choosy.fails = {}
    await scene.retry(2)
    assert len(scene.choosy.got("Like")) == PARK_AFTER + 5


async def test_of_a_server_that_fails_on_everything_nothing_is_set_aside(scene: Scene) -> None:
    scene.choosy.fails = {"*": 502}
    await scene.ann.publish("one", reach="partners")
    await scene.retry(PARK_AFTER + 3)
    scene.choosy.fails = {}
    likes, said = len(scene.choosy.got("Like")), len(scene.said())
    await scene.retry(1)
    assert (len(scene.choosy.got("Like")), len(scene.said())) == (likes + 1, said + 1)


async def test_two_that_fail_one_after_the_other(scene: Scene) -> None:
    scene.choosy.fails = {"Like": 500, "Update": 500}
    first = await scene.ann.publish("one", reach="partners")
    await scene.retry(PARK_AFTER)
    assert scene.said() == ["one"]
    await scene.ann.send("PUT", f"/api/v1/statuses/{first['id']}", status="one more")
    await scene.ann.publish("two", reach="partners")
    await scene.retry(PARK_AFTER + 1)
    assert scene.said() == ["one", "two"]
    assert (len(scene.choosy.got("Like")), len(scene.choosy.got("Update"))) == (PARK_AFTER, PARK_AFTER)


async def test_two_that_fail_side_by_side(scene: Scene) -> None:
    """What shows that the server is well may stand a little further on; it comes again in its turn."""
    scene.choosy.fails = {"Like": 500, "Update": 500}
    first = await scene.ann.publish("one", reach="partners")
    await scene.retry(PARK_AFTER)
    scene.choosy.fails |= {"Delete": 500}
    await scene.ann.send("PUT", f"/api/v1/statuses/{first['id']}", status="one more")
    await scene.choosy.company.settle()
    await scene.ann.send("DELETE", f"/api/v1/statuses/{first['id']}")
    await scene.ann.publish("two", reach="partners")
    await scene.retry(2 * PARK_AFTER + 2)
    assert set(scene.said()) == {"one", "two"}
    assert scene.said()[-1] == "two"
    assert len(scene.choosy.got("Update")) == PARK_AFTER
    assert len(scene.choosy.got("Delete")) <= 2 * PARK_AFTER
