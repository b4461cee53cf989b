"""A group server that tells one department one history and another department another one is found out.

The guild lives on a server that a test drives by hand; cy of people, bo of operations and di of lab belong to it. Both
histories are signed with the key of the guild, and nobody but the departments can see that there are two.
"""

import asyncio
import json
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.activitypub import heads, ledger, ledger_copy, settling, signatures
from fedcorp.commands import doctor_store
from fedcorp.company import peers
from fedcorp.errors import Unprocessable
from fedcorp.social import accounts
from fedcorp.storage import tables
from fedcorp.storage.database import Tx
from tests.federation.chronicle import Chronicle
from tests.federation.world import ACTIVITY, Company, Department, Outsider, Person, pair

pytestmark = pytest.mark.anyio

NAME = "guild@sales.localhost"


class Scene:
    """cy of people, bo of operations, di of lab; `histories` are what the guild tells the department of each."""

    def __init__(self, company: Company) -> None:
        self.company = company

    async def begin(self) -> None:
        made = [await self.company.department(name) for name in ("people", "operations", "lab")]
        self.people, self.operations, self.lab = made
        self.sales = Outsider(self.company, "sales.localhost")
        for one in made:
            await one.db.write(peers.add, self.sales.domain, "department")
        await self.company.introduce(*made)
        self.cy, self.bo, self.di = [await one.person(name) for one, name in zip(made, ("cy", "bo", "di"), strict=True)]
        self.uri = f"{self.sales.origin}/users/guild"
        self.mal, self.eva = self.sales.actor("mal"), self.sales.actor("eva")
        self.sales.actor("guild", "Group", ledger=f"{self.uri}/ledger", preset="open", webfinger=NAME)
        self.histories = {one.domain: Chronicle(self.sales, self.uri) for one in made}

    async def join(self, person: Person) -> None:
        await person.follow(NAME)
        await self.company.settle()
        asked = [item for item in self.sales.received if item["type"] == "Follow"][-1]
        await self.sales.deliver(person.department, self.sales.activity("Accept", self.uri, asked))
        await self.company.settle()

    async def tell(self, *people: Person, **roles: str) -> None:
        """The guild tells the departments of these people, and nobody else, who has which role."""
        for name, role in roles.items():
            subject = {"cy": self.cy, "bo": self.bo, "di": self.di}.get(name)
            decided = Chronicle(self.sales, self.uri).member(
                subject.account.uri if subject is not None else getattr(self, name), role
            )
            for person in people:
                announced = self.histories[person.department.domain].write(decided)
                await self.sales.deliver(person.department, announced)
        await self.company.settle()

    async def group_id(self, department: Department) -> int:
        def find(tx: Tx) -> int:
            found = accounts.find_by_uri(tx, self.uri)
            assert found is not None
            return found.id

        return await department.db.read(find)

    async def head(self, department: Department) -> ledger.Head:
        return await department.db.read(ledger.head, await self.group_id(department))

    async def evidence(self, department: Department) -> ledger.Evidence | None:
        return await department.db.read(ledger.find_evidence, await self.group_id(department))

    async def role(self, department: Department, subject: str) -> str | None:
        statement = sa.select(tables.affiliations.c.role).where(
            tables.affiliations.c.group_id == await self.group_id(department),
            tables.affiliations.c.subject_uri == subject,
        )
        return await department.db.read(lambda tx: tx.conn.execute(statement).scalar())

    async def rounds(self, number: int = 1) -> None:
        """Let time pass until every department has asked somebody so often."""
        for _ in range(number):
            self.company.clock.shift_ms += 2 * heads.ROUND_MS
            await self.company.settle()


@pytest.fixture
async def scene(company: Company) -> Scene:
    made = Scene(company)
    await made.begin()
    return made


def noted_in_audit(tx: Tx) -> list[str]:
    """The groups of which the audit says that they showed two histories."""
    return list(tx.conn.execute(sa.select(tables.audit.c.subject).where(tables.audit.c.act == "ledger.fork")).scalars())


async def test_two_histories_are_found_out_by_both_departments(scene: Scene) -> None:
    cy, bo = scene.cy, scene.bo
    await scene.join(cy)
    await scene.join(bo)
    await scene.tell(cy, bo, mal="admin", cy="member", bo="member")
    await scene.rounds(3)
    assert await scene.evidence(scene.people) is None
    assert await scene.evidence(scene.operations) is None
    await scene.tell(cy, eva="member")
    await scene.tell(bo, eva="admin")
    assert await scene.role(scene.people, scene.eva) == "member"
    assert await scene.role(scene.operations, scene.eva) == "admin"
    await scene.rounds()
    shown = [scene.histories[one.domain].entries[3] for one in (scene.people, scene.operations)]
    for one, known, told, other in (
        (scene.people, shown[0], shown[1], scene.operations),
        (scene.operations, shown[1], shown[0], scene.people),
    ):
        evidence = await scene.evidence(one)
        assert evidence is not None, one.domain
        assert (evidence.known, evidence.told, evidence.told_by) == (known, told, other.domain)
        assert (await scene.head(one)).forked_at is not None
    for person in (cy, bo):
        page = await person.get(f"/api/fedcorp/v1/groups/{await person.find(NAME)}/ledger")
        assert page["forked_at"] is not None
        (found,) = await person.department.db.read(doctor_store._examine_groups)
        assert (found.name, "guild@sales.localhost" in found.text) == ("group-forked", True)
        assert await person.department.db.read(noted_in_audit) == [scene.uri]
    await scene.tell(cy, mal="moderator")
    await scene.tell(bo, mal="moderator")
    for one in (scene.people, scene.operations):  # nothing further is believed of members and roles
        assert await scene.role(one, scene.mal) == "admin"
        assert (await scene.head(one)).seq == 4
    for one in (scene.people, scene.operations):
        assert await scene.evidence(one) is not None


async def test_a_department_that_a_history_leaves_out_is_heard_all_the_same(scene: Scene) -> None:
    cy, bo = scene.cy, scene.bo
    await scene.join(cy)
    await scene.join(bo)
    await scene.tell(cy, mal="admin", cy="member")
    await scene.tell(bo, mal="admin", bo="member", cy="member")
    await scene.rounds()
    for one in (scene.people, scene.operations):
        assert await scene.evidence(one) is not None, one.domain


async def test_knowledge_of_a_second_history_spreads(scene: Scene) -> None:
    cy, bo, di = scene.cy, scene.bo, scene.di
    for person in (cy, bo, di):
        await scene.join(person)
    await scene.tell(cy, bo, di, mal="admin", cy="member", bo="member", di="member")
    scene.company.network.cut.add(scene.lab.domain)
    await scene.tell(cy, di, eva="member")
    await scene.tell(bo, eva="admin")
    for _ in range(40):
        if await scene.evidence(scene.people) is not None:
            break
        await scene.rounds()
    assert await scene.evidence(scene.lab) is None
    scene.company.network.cut = {scene.operations.domain}
    for _ in range(40):
        if await scene.evidence(scene.lab) is not None:
            break
        await scene.rounds()
    evidence = await scene.evidence(scene.lab)
    assert evidence is not None
    assert (evidence.told, evidence.told_by) == (
        scene.histories[scene.operations.domain].entries[4],
        "people.localhost",
    )


async def test_who_was_not_told_something_learns_that_there_is_more_and_asks_the_group(scene: Scene) -> None:
    cy, bo = scene.cy, scene.bo
    await scene.join(cy)
    await scene.join(bo)
    await scene.tell(cy, bo, mal="admin", cy="member", bo="member")
    await scene.tell(cy, eva="admin")
    scene.histories[scene.people.domain].publish(3)
    assert (await scene.head(scene.operations)).seq == 3
    await scene.rounds()
    assert await scene.role(scene.operations, scene.eva) == "admin"
    assert (await scene.head(scene.operations)).digest == (await scene.head(scene.people)).digest
    assert await scene.evidence(scene.operations) is None


async def test_a_round_costs_the_same_however_many_groups_there_are(scene: Scene) -> None:
    cy, bo = scene.cy, scene.bo
    for number in range(heads.IN_A_ROUND + 3):
        scene.uri = f"{scene.sales.origin}/users/guild{number}"
        name = f"guild{number}@sales.localhost"
        scene.sales.actor(f"guild{number}", "Group", ledger=f"{scene.uri}/ledger", preset="open", webfinger=name)
        told = Chronicle(scene.sales, scene.uri)
        for person in (cy, bo):
            await person.follow(name)
            await scene.company.settle()
            asked = [item for item in scene.sales.received if item["type"] == "Follow"][-1]
            await scene.sales.deliver(person.department, scene.sales.activity("Accept", scene.uri, asked))
        for subject in (cy.account.uri, bo.account.uri):
            announced = told.write(told.member(subject))
            for person in (cy, bo):
                await scene.sales.deliver(person.department, announced)
        await scene.company.settle()
    scene.company.network.requests.clear()
    await scene.rounds()
    asked_of = [str(request.url) for request in scene.company.network.requests if request.method == "POST"]
    for one in (scene.people, scene.operations):
        assert asked_of.count(one.origin + heads.PLACE) == heads.IN_A_ROUND


# -- who is shown what -----------------------------------------------------------------------------------------------


async def show(
    company: Company, asker: Outsider, actor: str | None, department: Department, documents: list[Any]
) -> httpx.Response:
    """POST entries to a department, signed by `actor`."""
    items = [{"type": "Delivery", "entry": document} for document in documents]
    body = json.dumps({"type": "OrderedCollection", "id": asker.origin + heads.PLACE, "orderedItems": items}).encode()
    url = department.origin + heads.PLACE
    signed = {"Accept": ACTIVITY, "Content-Type": ACTIVITY}
    if actor is not None:
        signed |= signatures.sign(
            "POST", url, body, key_id=actor + "#main-key", private=keys.load_private(asker.pair.rsa_private),
            dialect="cavage", now=company.clock.now(), headers=None,
        )  # fmt: skip
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=department.instance.app)) as client:
        response = await client.post(url, content=body, headers=signed)
    await asyncio.sleep(0)
    return response


async def test_our_copy_is_shown_to_departments_of_members_only(scene: Scene) -> None:
    company, cy = scene.company, scene.cy
    await scene.join(cy)
    market = Outsider(company, "market.localhost", 5)
    partner = Outsider(company, "supplier.localhost", 6)
    for one, tier in ((market, "department"), (partner, "partner")):
        await scene.people.db.write(peers.add, one.domain, tier)
    office, agent = market.actor("office", "Application"), partner.actor("agent", "Application")
    told = scene.histories[scene.people.domain]
    await scene.tell(cy, mal="admin", cy="member")
    first, last = told.entries
    assert (await show(company, market, None, scene.people, [first])).status_code == 401
    assert (await show(company, partner, agent, scene.people, [first])).status_code == 404
    unknown = Chronicle(market, market.actor("nobody", "Group")).entry(told.inner[0])
    for documents in ([], [first], [last], [unknown]):
        answer = await show(company, market, office, scene.people, documents)
        assert answer.status_code == 200
        assert (answer.json()["totalItems"], answer.json()["orderedItems"]) == (0, []), answer.text
    for documents, status in (([{"type": "Note"}], 400), ([{**last, "seq": 9}], 403)):
        answer = await show(company, market, office, scene.people, documents)
        assert answer.status_code == status, answer.text
    forged = told.entry(told.inner[0], key=7, seq=1, prevDigest="")
    assert (await show(company, market, office, scene.people, [forged])).status_code == 403
    assert await scene.evidence(scene.people) is None
    member = Chronicle(scene.sales, scene.uri).member(market.actor("max"))
    await scene.sales.deliver(scene.people, told.write(member))
    await company.settle()
    for entry, wanted in ((first, first), (told.entries[2], told.entries[2]), (told.entry(member), told.entries[2])):
        answer = await show(company, market, office, scene.people, [entry])
        assert answer.json()["orderedItems"] == [{"type": "Delivery", "entry": wanted}], answer.text


async def test_a_second_history_counts_as_proof_from_whoever_shows_it(scene: Scene) -> None:
    company, cy = scene.company, scene.cy
    await scene.join(cy)
    await scene.tell(cy, mal="admin", cy="member")
    market = Outsider(company, "market.localhost", 5)
    await scene.people.db.write(peers.add, market.domain, "department")
    office = market.actor("office", "Application")
    told = scene.histories[scene.people.domain]
    second = told.entry(told.inner[1], seq=2, prevDigest=ledger.read(told.entries[0]).digest, epoch="2")  # type: ignore[union-attr]
    answer = await show(company, market, office, scene.people, [second])
    assert [item["entry"] for item in answer.json()["orderedItems"]] == [told.entries[1], second, told.entries[1]]
    evidence = await scene.evidence(scene.people)
    assert evidence is not None
    assert evidence.told_by == "market.localhost"
    assert pair(5) is market.pair


# -- somebody has looked ---------------------------------------------------------------------------------------------


async def in_doubt(scene: Scene) -> None:
    """people and operations were told the same three entries, then each another role of eva; both have found out."""
    cy, bo = scene.cy, scene.bo
    await scene.join(cy)
    await scene.join(bo)
    await scene.tell(cy, bo, mal="admin", cy="member", bo="member")
    await scene.tell(cy, eva="member")
    await scene.tell(bo, eva="admin")
    await scene.tell(bo, mal="moderator")
    await scene.rounds()
    for one in (scene.people, scene.operations):
        assert (await scene.head(one)).forked_at is not None


def serve(scene: Scene, history: Chronicle, pages: int = ledger.PAGE) -> None:
    """What the guild shows to whoever asks for its ledger now, wherever they ask from."""
    for after in range(len(history.entries) + 1):
        history.publish(after, pages)


async def settle(scene: Scene, department: Department) -> None:
    id_ = await scene.group_id(department)
    await department.db.write(lambda tx: settling.settle(tx, accounts.get(tx, id_), "tester"))
    await scene.company.settle()


async def given_up(scene: Scene, department: Department) -> list[dict[str, Any]]:
    statement = sa.select(tables.ledger_given_up.c.entry).order_by(tables.ledger_given_up.c.seq)
    return await department.db.read(lambda tx: [json.loads(row[0]) for row in tx.conn.execute(statement)])


async def examined(scene: Scene, department: Department) -> ledger_copy.Outcome:
    return await department.db.read(lambda tx: ledger_copy.examine(tx, ledger_copy.find_group(tx, NAME)))


@pytest.mark.parametrize("pages", [ledger.PAGE, 1])
async def test_a_copy_is_taken_again_when_somebody_has_decided_to_believe_the_group(scene: Scene, pages: int) -> None:
    await in_doubt(scene)
    told, lost = scene.histories[scene.operations.domain], scene.histories[scene.people.domain]
    serve(scene, told, pages)
    await settle(scene, scene.people)
    head = await scene.head(scene.people)
    assert (head.seq, head.forked_at) == (5, None)
    assert await scene.evidence(scene.people) is None
    assert await scene.role(scene.people, scene.eva) == "admin"
    assert await scene.role(scene.people, scene.mal) == "moderator"
    assert lost.entries[3] in await given_up(scene, scene.people)
    assert (await examined(scene, scene.people)).wrong is None
    assert await scene.people.db.read(doctor_store._examine_groups) == []
    await scene.rounds(3)  # the other department is in doubt still, and shows why
    assert (await scene.head(scene.people)).forked_at is None
    await settle(scene, scene.operations)
    assert await given_up(scene, scene.operations) == [lost.entries[3]], "that was shown to it"
    await scene.tell(scene.bo, mal="member")
    serve(scene, told)
    await scene.sales.deliver(scene.people, told.announce(told.inner[-1], told.entries[-1]))
    await scene.company.settle()
    await scene.rounds(3)
    for one in (scene.people, scene.operations):
        assert await scene.role(one, scene.mal) == "member"
        assert (await examined(scene, one)).wrong is None
        assert (await scene.head(one)).seq == 6


async def test_roles_of_our_own_people_become_what_the_group_says_now(scene: Scene) -> None:
    """What both histories say stays, with the time from which somebody may read."""
    cy, bo = scene.cy, scene.bo
    await scene.join(cy)
    await scene.join(bo)
    await scene.tell(cy, bo, mal="admin", cy="member", bo="member", di="member")
    await scene.tell(cy, cy="admin", eva="moderator", di="outcast")
    await scene.tell(bo, bo="moderator")
    await scene.rounds()

    async def ours() -> tuple[str | None, int]:
        table = tables.memberships
        mine = sa.select(table.c.role, table.c.created_at).where(table.c.account_id == cy.account.id)
        return tuple(await scene.people.db.read(lambda tx: tx.conn.execute(mine).one()))

    role, since = await ours()
    assert role == "admin"
    serve(scene, scene.histories[scene.operations.domain])
    await settle(scene, scene.people)
    assert await ours() == ("member", since)
    wanted = {scene.mal: "admin", cy.account.uri: "member", bo.account.uri: "moderator", scene.di.account.uri: "member"}
    for uri, role in (wanted | {scene.eva: None}).items():
        assert await scene.role(scene.people, uri) == role, uri


async def test_what_was_given_up_is_refused_when_it_comes_again(scene: Scene) -> None:
    await in_doubt(scene)
    serve(scene, scene.histories[scene.operations.domain])
    await settle(scene, scene.people)
    lost = scene.histories[scene.people.domain]
    await scene.sales.deliver(scene.people, lost.announce(lost.inner[3], lost.entries[3]))
    await scene.company.settle()
    assert await scene.role(scene.people, scene.eva) == "admin"
    assert (await scene.head(scene.people)).forked_at is None


async def test_another_history_that_is_new_is_a_reason_to_doubt_again(scene: Scene) -> None:
    await in_doubt(scene)
    told = scene.histories[scene.operations.domain]
    serve(scene, told)
    await settle(scene, scene.people)
    await settle(scene, scene.operations)
    scene.histories[scene.people.domain] = again = Chronicle(scene.sales, scene.uri)
    again.entries, again.inner = told.entries[:], told.inner[:]
    await scene.tell(scene.cy, eva="moderator")
    await scene.tell(scene.bo, eva="member")
    await scene.rounds()
    for one in (scene.people, scene.operations):
        assert (await scene.head(one)).forked_at is not None


async def test_a_group_stays_in_doubt_until_its_server_tells_something_that_holds(scene: Scene) -> None:
    await in_doubt(scene)
    told = scene.histories[scene.operations.domain]
    serve(scene, told)
    page = scene.sales.documents[f"{scene.uri}/ledger?after=3"]
    right = page["orderedItems"][1]["entry"]
    page["orderedItems"][1]["entry"] = {**right, "object": "https://sales.localhost/a/other"}
    scene.company.network.cut.add(scene.sales.domain)
    await settle(scene, scene.people)
    assert (await scene.head(scene.people)).forked_at is not None
    scene.company.network.cut.clear()
    await scene.company.retry()
    assert (await scene.head(scene.people)).forked_at is not None
    error = sa.select(tables.jobs.c.error).where(tables.jobs.c.kind == settling.JOB)
    kept = await scene.people.db.read(lambda tx: tx.conn.execute(error).scalar_one())
    assert "entry 5: it was changed, or the group's key did not sign it" in kept
    assert await scene.role(scene.people, scene.eva) == "member"
    assert await given_up(scene, scene.people) == []
    page["orderedItems"][1]["entry"] = right
    await scene.company.retry()
    assert (await scene.head(scene.people)).forked_at is None
    assert await scene.role(scene.people, scene.eva) == "admin"


async def test_only_a_group_in_doubt_can_be_settled(scene: Scene) -> None:
    await scene.join(scene.cy)
    await scene.tell(scene.cy, mal="admin", cy="member")
    with pytest.raises(Unprocessable, match="is not in doubt: no two histories of it were seen here"):
        await settle(scene, scene.people)
