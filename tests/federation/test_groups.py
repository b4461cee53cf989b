"""Groups over several departments: joining, posting, moderating, and a ledger that all members' servers share."""

import pytest
import sqlalchemy as sa

from fedcorp.activitypub import ledger
from fedcorp.social import accounts, memberships, stewardship
from fedcorp.social.accounts import Account
from fedcorp.storage import jobs, tables
from fedcorp.storage.database import Tx
from tests.federation.world import Company, Department, Person, plain

pytestmark = pytest.mark.anyio


class Scene:
    """ann (admin) in finance, where the group lives; bo in operations, cy in people."""

    def __init__(self, company: Company, ann: Person, bo: Person, cy: Person, name: str) -> None:
        self.company = company
        self.ann, self.bo, self.cy = ann, bo, cy
        self.name = name
        self.handle = f"{name}@{ann.department.domain}"

    async def group(self, department: Department) -> Account:
        """The group as a department knows it."""

        def find(tx: Tx) -> Account:
            found = accounts.find_by_handle(tx, self.name, self.ann.department.domain)
            assert found is not None
            return found

        return await department.db.read(find)

    async def join(self, *people: Person) -> None:
        for person in people:
            await person.follow(self.handle)
        await self.company.settle()

    async def approve(self, person: Person) -> None:
        """ann lets somebody in."""
        group = await self.group(self.ann.department)

        def do(tx: Tx) -> None:
            applicant = accounts.find_by_handle(tx, person.account.username, person.department.domain)
            assert applicant is not None
            stewardship.approve(tx, group, accounts.get(tx, self.ann.account.id), applicant)

        await self.ann.department.db.write(do)
        await self.company.settle()

    async def role(self, person: Person, department: Department) -> str | None:
        """The role of somebody, as a department knows it."""
        group = await self.group(department)
        return await department.db.read(memberships.role_by_uri, group, person.account.uri)

    async def listed(self, person: Person) -> list[str]:
        """The words in the virtual list of the group."""
        group = await self.group(person.department)
        return [plain(item["content"]) for item in await person.get(f"/api/v1/timelines/list/{group.id}")]

    async def head(self, department: Department) -> ledger.Head:
        return await department.db.read(ledger.head, (await self.group(department)).id)


async def scene_of(company: Company, preset: str) -> Scene:
    made = [await company.department(name) for name in ("finance", "operations", "people")]
    await company.introduce(*made)
    ann, bo, cy = [await one.person(name) for one, name in zip(made, ("ann", "bo", "cy"), strict=True)]
    await made[0].group(ann, "robots", preset)
    await company.settle()
    return Scene(company, ann, bo, cy, "robots")


async def test_a_private_group_is_read_by_its_members_everywhere_and_by_nobody_else(company: Company) -> None:
    scene = await scene_of(company, "private")
    await scene.join(scene.bo)
    assert await scene.role(scene.bo, scene.ann.department) is None
    assert any(kind == "mention" for kind, _ in await scene.ann.notifications())
    await scene.approve(scene.bo)
    assert await scene.role(scene.bo, scene.ann.department) == "member"
    assert await scene.role(scene.bo, scene.bo.department) == "member"
    await scene.ann.publish("@robots the secret plan")
    answer = await scene.bo.publish(f"@{scene.handle} my secret answer")
    assert answer["visibility"] == "private"
    await company.settle()
    for person in (scene.ann, scene.bo):
        assert sorted(await scene.listed(person)) == sorted(["@robots the secret plan", "@robots my secret answer"]), (
            person.handle
        )
        words = await person.texts()
        assert any("secret plan" in text for text in words)
        assert any("secret answer" in text for text in words)
    other = await scene.bo.department.person("nosy")
    for person in (other, scene.cy):
        assert await person.texts() == []
        assert (await person.http.get(f"/api/v1/statuses/{answer['id']}")).status_code == 404
        found = await person.get("/api/v2/search", q="secret", type="statuses")
        assert found["statuses"] == []
    assert await scene.cy.find_status(answer["uri"]) is None


async def test_roles_are_served_as_far_as_the_asker_may_know_them(company: Company) -> None:
    scene = await scene_of(company, "request")
    await scene.join(scene.bo)
    await scene.approve(scene.bo)
    group = await scene.group(scene.ann.department)
    expected = {scene.bo: ["admin", "member"], scene.cy: ["admin"]}
    for person, roles in expected.items():
        client = person.department.instance.client
        document = await client.get(f"{group.uri}/affiliations")
        assert [item["relationship"] for item in document["orderedItems"]] == roles, person.handle
        assert document["orderedItems"][0]["subject"] == scene.ann.account.uri


async def test_the_ledger_is_the_same_at_every_member(company: Company) -> None:
    scene = await scene_of(company, "open")
    await scene.join(scene.bo)
    await scene.ann.publish("@robots one")
    await company.settle()
    await scene.join(scene.cy)
    await scene.cy.publish(f"@{scene.handle} two")
    await company.settle()
    heads = [await scene.head(person.department) for person in (scene.ann, scene.bo, scene.cy)]
    assert heads[0].seq >= 5
    assert len({(head.seq, head.digest) for head in heads}) == 1
    for person in (scene.ann, scene.bo, scene.cy):
        for member in (scene.ann, scene.bo, scene.cy):
            wanted = "admin" if member is scene.ann else "member"
            assert await scene.role(member, person.department) == wanted
    assert sorted(await scene.listed(scene.cy)) == ["@robots one", "@robots two"]


async def test_a_ledger_is_fetched_no_more_when_all_have_left(company: Company) -> None:
    """A fetch that failed waits for another try; nobody here belongs by then, and the group's server is away."""
    s = await scene_of(company, "open")
    await s.join(s.bo)
    operations = s.bo.department
    group = await s.group(operations)
    company.network.cut.add(s.ann.department.domain)
    await operations.db.write(jobs.put, "pull_ledger", {"group": group.id})
    await operations.settle()
    waiting = sa.select(tables.jobs.c.attempts).where(tables.jobs.c.kind == "pull_ledger")
    assert await operations.db.read(lambda tx: tx.conn.execute(waiting).scalars().all()) == [1]
    await s.bo.post(f"/api/v1/accounts/{group.id}/unfollow")
    await company.retry()
    assert await operations.db.read(lambda tx: tx.conn.execute(waiting).scalars().all()) == []


async def test_what_was_changed_while_it_waited_arrives_as_it_is(company: Company) -> None:
    scene = await scene_of(company, "private")
    for person in (scene.bo, scene.cy):
        await scene.join(person)
        await scene.approve(person)
    group = await scene.group(scene.ann.department)
    place = f"/api/fedcorp/v1/groups/{group.id}"
    assert (await scene.ann.send("PATCH", place, premoderated=True)).status_code == 200
    await company.settle()
    posted = await scene.bo.publish(f"@{scene.handle} first words")
    await company.settle()
    edited = {"status": f"@{scene.handle} better words"}
    assert (await scene.bo.send("PUT", f"/api/v1/statuses/{posted['id']}", **edited)).status_code == 200
    await company.settle()
    (waiting,) = await scene.ann.get(f"{place}/held")
    await scene.ann.post(f"{place}/statuses/{waiting['id']}/approve")
    await company.settle()
    for person in (scene.ann, scene.bo, scene.cy):
        assert await scene.listed(person) == ["@robots better words"], person.handle
    await scene.ann.post(f"{place}/statuses/{waiting['id']}/remove")
    await company.settle()
    assert await scene.listed(scene.cy) == []
    edited = {"status": f"@{scene.handle} best words"}
    assert (await scene.bo.send("PUT", f"/api/v1/statuses/{posted['id']}", **edited)).status_code == 200
    await company.settle()
    await scene.ann.post(f"{place}/statuses/{waiting['id']}/restore")
    await company.settle()
    for person in (scene.ann, scene.bo, scene.cy):
        assert await scene.listed(person) == ["@robots best words"], person.handle
