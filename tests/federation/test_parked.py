"""An activity that a peer keeps failing on stops what comes after it for a while, and not for good.

Seen with BookWyrm, which answers 500 when a reaction is taken back that it does not know.
"""

import json
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp.activitypub import delivery
from fedcorp.company import peers
from fedcorp.net import NoResponse
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import deliveries
from tests.federation.world import Company, Department, Outsider, Person

pytestmark = pytest.mark.anyio


CLOSES = 1  # instead of an answer


class Ailing(Outsider):
    """A server that answers 500, or another number, to activities of some types, and with `down` to everything."""

    cannot: frozenset[str] = frozenset({"Like", "Undo"})
    answers = 500
    down = 0

    async def respond(self, request: httpx.Request) -> httpx.Response:
        fails = self.down or (self.answers if json.loads(request.content or b"{}").get("type") in self.cannot else 0)
        if request.method == "POST" and fails:
            self.tried += 1
            if fails == CLOSES:
                raise NoResponse("it closed the connection", request=request)
            return httpx.Response(fails, request=request)
        return await super().respond(request)

    tried = 0


class Scene:
    """ann of finance, whom eva of another server follows."""

    def __init__(self, company: Company, finance: Department, ann: Person, server: Ailing, note: str) -> None:
        self.company, self.finance, self.ann, self.server, self.note = company, finance, ann, server, note

    async def say(self, text: str) -> None:
        await self.ann.publish(text, reach="public")

    async def like(self, verb: str = "favourite") -> None:
        seen = await self.ann.find_status(self.note)
        await self.ann.post(f"/api/v1/statuses/{seen['id']}/{verb}")

    def told(self) -> list[str]:
        creates = [item["object"]["content"] for item in self.server.received if item["type"] == "Create"]
        return [text.removeprefix("<p>").removesuffix("</p>") for text in creates]

    async def tries(self, number: int) -> None:
        """So many tries, the first of which is due."""
        await self.company.settle()
        for _ in range(number - 1):
            await self.company.retry()

    async def states(self) -> list[tuple[str, str | None]]:
        def read(tx: Tx) -> list[Any]:
            of = sa.select(deliveries.c.state, deliveries.c.error).where(deliveries.c.domain == self.server.domain)
            return list(tx.conn.execute(of.order_by(deliveries.c.seq)))

        return [(row.state, row.error) for row in await self.finance.db.read(read)][-self.queued :]

    queued = 0


async def scene_of(company: Company, tier: str) -> Scene:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    server = Ailing(company, "ailing.localhost")
    eva = server.actor("eva")
    await finance.db.write(peers.add, server.domain, tier)
    await server.deliver(finance, server.activity("Follow", eva, ann.account.uri))
    note = server.note(eva, "hm", cc=[ann.account.uri])
    await server.deliver(finance, server.activity("Create", eva, note, cc=note["cc"]))
    await company.settle()
    return Scene(company, finance, ann, server, note["id"])


@pytest.mark.parametrize("answer", [500, 409, 301, CLOSES])
@pytest.mark.parametrize(
    ("tier", "tries"), [("partner", delivery.PARK_AFTER_PARTNER), ("department", delivery.PARK_AFTER)]
)
async def test_what_comes_after_it_goes_on_once_that_is_taken(
    company: Company, tier: str, tries: int, answer: int
) -> None:
    scene = await scene_of(company, tier)
    scene.server.answers = answer
    await scene.like()
    for text in ("one", "two"):
        await scene.say(text)
    await scene.tries(tries - 1)
    assert scene.told() == []
    await scene.company.retry()
    assert scene.told() == ["one", "two"]
    scene.queued = 3
    why = f"HTTP {answer}" if answer != CLOSES else "Unavailable: The other server cannot be reached."
    assert await scene.states() == [("rejected", f"{why}, {tries} times"), ("sent", None), ("sent", None)]
    await scene.say("three")
    await company.settle()
    assert scene.told() == ["one", "two", "three"]


async def test_alone_it_is_tried_on_and_does_not_stop_what_comes_later(company: Company) -> None:
    scene = await scene_of(company, "partner")
    await scene.like()
    await scene.tries(delivery.PARK_AFTER_PARTNER + 3)
    assert scene.server.tried == delivery.PARK_AFTER_PARTNER + 3
    await scene.say("one")
    await scene.company.retry()
    assert scene.told() == ["one"]


async def test_several_are_set_aside_each_in_its_turn(company: Company) -> None:
    """What was tried to see if the peer is well comes once more, which says nothing new."""
    scene = await scene_of(company, "partner")
    await scene.like()
    await scene.like("unfavourite")
    await scene.say("one")
    await scene.tries(delivery.PARK_AFTER_PARTNER)
    scene.queued = 3
    assert [state for state, _ in await scene.states()] == ["rejected", "queued", "queued"]
    assert scene.told() == ["one"]
    for _ in range(delivery.PARK_AFTER_PARTNER):
        await scene.company.retry()
    assert [state for state, _ in await scene.states()] == ["rejected", "rejected", "sent"]
    assert set(scene.told()) == {"one"}


async def test_many_that_stand_together_are_set_aside_as_well(company: Company) -> None:
    """With each further try more of what follows is looked at."""
    scene = await scene_of(company, "partner")
    for _ in range(3):
        await scene.like()
        await scene.like("unfavourite")
    await scene.say("one")
    await scene.tries(delivery.PARK_AFTER_PARTNER)
    assert scene.told() == []
    await scene.company.retry()
    assert scene.told() == ["one"]
    for _ in range(6 * delivery.PARK_AFTER_PARTNER):
        await scene.company.retry()
    scene.queued = 7
    assert [state for state, _ in await scene.states()] == ["rejected"] * 6 + ["sent"]


@pytest.mark.parametrize("answer", [500, 502, 503])
async def test_nothing_is_set_aside_while_the_peer_takes_nothing(company: Company, answer: int) -> None:
    scene = await scene_of(company, "partner")
    scene.server.down, scene.server.cannot = answer, frozenset()
    texts = [str(number) for number in range(delivery.BATCH + 5)]
    for text in texts:
        await scene.say(text)
    await scene.tries(delivery.PARK_AFTER_PARTNER + 3)
    most = delivery.PARK_AFTER_PARTNER - 1 + sum(1 + delivery.LOOK_AHEAD * number for number in (1, 2, 3, 4))
    assert scene.server.tried == most  # not the whole log each time
    scene.server.down = 0
    await scene.company.retry()
    assert scene.told() == texts
    scene.queued = len(texts)
    assert {state for state, _ in await scene.states()} == {"sent"}


@pytest.mark.parametrize("answer", [404, 429, 403])
@pytest.mark.parametrize("tier", ["partner", "department"])
async def test_nothing_is_set_aside_because_of_what_is_refused(company: Company, tier: str, answer: int) -> None:
    """Who says no to something may still be unwell; only what is taken tells. Who asks for a pause is left alone."""
    scene = await scene_of(company, tier)
    await scene.like()
    for text in ("one", "two"):
        await scene.say(text)
    await scene.tries(1)
    tried = []

    async def respond(request: httpx.Request) -> httpx.Response:
        tried.append(json.loads(request.content or b"{}").get("type"))
        return httpx.Response(500 if tried[-1] == "Like" else answer, request=request)

    scene.server.respond = respond  # type: ignore[method-assign]
    for _ in range(delivery.PARK_AFTER + 2):
        await scene.company.retry()
    scene.queued = 3
    assert [state for state, _ in await scene.states()] == ["queued"] * 3
    waits = answer == 429 or (answer, tier) == (403, "department")
    assert tried.count("Create") == (tried.count("Like") - delivery_tries(tier) + 2) * (1 if waits else 2)


def delivery_tries(tier: str) -> int:
    """How often one activity is tried before others are."""
    return delivery.PARK_AFTER if tier == "department" else delivery.PARK_AFTER_PARTNER
