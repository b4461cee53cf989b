"""A department that joins a group with a long past, or missed much of it, takes the ledger page after page.

The guild lives on a server that a test drives by hand, whose pages are as small as the test wants; cy of people joins.
"""

from collections import Counter
from typing import Any

import pytest

from fedcorp.activitypub import ledger
from fedcorp.company import peers
from fedcorp.social import accounts, memberships
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from tests.federation.chronicle import Chronicle
from tests.federation.world import PUBLIC, Company, Outsider

pytestmark = pytest.mark.anyio

NAME = "guild@sales.localhost"


class Scene:
    """cy of people, and the guild of sales with its ledger."""

    def __init__(self, company: Company) -> None:
        self.company = company

    async def begin(self) -> None:
        self.people = await self.company.department("people")
        self.sales = Outsider(self.company, "sales.localhost")
        await self.people.db.write(peers.add, self.sales.domain, "department")
        self.cy = await self.people.person("cy")
        self.uri = f"{self.sales.origin}/users/guild"
        self.sales.actor("guild", "Group", ledger=f"{self.uri}/ledger", preset="open", webfinger=NAME)
        self.told = Chronicle(self.sales, self.uri)

    def members(self, count: int) -> None:
        """That many more entries of the past: somebody joined."""
        for _ in range(count):
            self.told.write(self.told.member(f"{self.sales.origin}/users/m{len(self.told.entries)}"))

    def post(self, author: str) -> dict[str, Any]:
        """One more entry, for a post; its Announce."""
        number = len(self.told.entries)
        note = {
            "id": f"{self.sales.origin}/notes/{number}", "type": "Note", "attributedTo": author,
            "content": f"<p>{number}</p>", "to": [PUBLIC, self.uri], "audience": self.uri,
            "published": "2026-11-01T10:00:00Z",
        }  # fmt: skip
        create = self.sales.activity("Create", author, note, to=note["to"], audience=self.uri)
        return self.told.write(create)

    def publish(self, most: int) -> None:
        """Serve all entries in pages of `most`, and the empty one behind them."""
        for after in (*range(0, len(self.told.entries), most), len(self.told.entries)):
            self.told.publish(after, most)

    async def join(self) -> None:
        await self.cy.follow(NAME)
        await self.company.settle()
        asked = [item for item in self.sales.received if item["type"] == "Follow"][-1]
        await self.sales.deliver(self.people, self.sales.activity("Accept", self.uri, asked))
        await self.company.settle()

    async def head(self) -> ledger.Head:
        return await self.people.db.read(lambda tx: ledger.head(tx, self._guild(tx).id))

    async def role(self, uri: str) -> str | None:
        return await self.people.db.read(lambda tx: memberships.role_by_uri(tx, self._guild(tx), uri))

    def _guild(self, tx: Tx) -> Account:
        found = accounts.find_by_uri(tx, self.uri)
        assert found is not None
        return found

    def asked(self) -> Counter[str]:
        """How often each page of the ledger was asked for."""
        return Counter(str(item.url) for item in self.company.network.requests if "/ledger?" in str(item.url))


@pytest.fixture
async def scene(company: Company) -> Scene:
    made = Scene(company)
    await made.begin()
    return made


async def test_a_ledger_of_more_pages_than_one_job_fetches_is_taken_whole(scene: Scene) -> None:
    scene.members(450)
    scene.publish(1)
    await scene.join()
    assert (await scene.head()).seq == 450
    assert max(scene.asked().values()) == 1


async def test_what_was_taken_stays_while_the_groups_server_is_away(scene: Scene) -> None:
    scene.members(30)
    scene.publish(10)
    scene.sales.broken.add(f"{scene.uri}/ledger?after=20")
    await scene.join()
    assert (await scene.head()).seq == 20
    scene.sales.broken.clear()
    await scene.company.retry()
    assert (await scene.head()).seq == 30
    assert scene.asked()[f"{scene.uri}/ledger?after=0"] == 1


async def test_a_page_with_many_unknown_authors_is_asked_for_once(scene: Scene) -> None:
    for number in range(20):
        scene.post(scene.sales.actor(f"author{number}"))
    scene.publish(20)
    await scene.join()
    assert (await scene.head()).seq == 20
    assert max(scene.asked().values()) == 1
    assert len(await scene.cy.get(f"/api/v1/timelines/list/{await scene.cy.find(NAME)}", limit=40)) == 20


async def test_who_missed_more_than_a_page_takes_it_in_order_while_posts_go_on(scene: Scene) -> None:
    """What is written now is shown now; who belongs waits until everything before it is there."""
    scene.members(1)
    scene.publish(ledger.PAGE)
    await scene.join()
    scene.members(2 * ledger.PAGE)
    author, eva = scene.sales.actor("author"), scene.sales.actor("eva")
    post, role = scene.post(author), scene.told.write(scene.told.member(eva, "moderator"))
    pages = [f"{scene.uri}/ledger?after={after}" for after in (1, 101, 201, 203)]
    for after in (1, 101, 201, 203):
        scene.told.publish(after)
    scene.sales.broken.add(pages[1])
    for announced in (post, role):
        await scene.sales.deliver(scene.people, announced)
    await scene.company.settle()
    assert len(await scene.cy.get(f"/api/v1/timelines/list/{await scene.cy.find(NAME)}")) == 1
    assert (await scene.head()).seq == 1 + ledger.PAGE
    assert await scene.role(eva) is None
    scene.sales.broken.clear()
    await scene.company.retry()
    assert (await scene.head()).seq == 203
    assert await scene.role(eva) == "moderator"
    assert [scene.asked()[page] for page in pages] == [2, 2, 1, 1]
