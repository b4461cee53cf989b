"""A group gets new keys: its ledger goes on, who comes later can check all of it, and the old key opens nothing."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.activitypub import heads, ledger, ledger_copy, ledger_keys, settling
from fedcorp.activitypub.processor import undefined_terms
from fedcorp.activitypub.proofs import add_proof
from fedcorp.company import peers
from fedcorp.keys import load_private
from fedcorp.social import accounts
from fedcorp.storage import tables
from fedcorp.storage.database import Tx
from tests.federation.chronicle import Chronicle
from tests.federation.test_groups import Scene, scene_of
from tests.federation.world import Company, Department, Outsider, Person, pair
from tests.wire.server import outcomes

pytestmark = [pytest.mark.anyio, pytest.mark.once]

DAY_MS = 86_400_000


async def rotate(scene: Scene, number: int = 7, *, stolen: bool = False) -> None:
    group = await scene.group(scene.ann.department)

    def work(tx: Tx) -> None:
        accounts.rotate_keys(tx, group, pair(number), stolen=stolen)

    await scene.ann.department.db.write(work)


async def examined(scene: Scene, person: Person) -> ledger_copy.Outcome:
    """What `fedcorp group verify` finds in the department of somebody."""
    group = await scene.group(person.department)
    return await person.department.db.read(ledger_copy.examine, group)


async def keys_at(scene: Scene, person: Person) -> list[tuple[int, str, bool]]:
    group = await scene.group(person.department)
    found = await person.department.db.read(ledger_keys.of_group, group)
    return [(key.since, key.text, key.stolen) for key in found]


@pytest.mark.parametrize("stolen", [False, True], ids=["in time", "stolen"])
async def test_the_ledger_goes_on_with_new_keys_everywhere(company: Company, stolen: bool) -> None:
    scene = await scene_of(company, "open")
    await scene.join(scene.bo)
    await scene.ann.publish("@robots before")
    await company.settle()
    before = (await scene.head(scene.ann.department)).seq
    await rotate(scene, stolen=stolen)
    await scene.ann.publish("@robots after")
    await company.settle()
    await scene.join(scene.cy)
    await scene.cy.publish(f"@{scene.handle} from one who came later")
    await company.settle()
    held = [await scene.head(person.department) for person in (scene.ann, scene.bo, scene.cy)]
    assert len({(head.seq, head.digest) for head in held}) == 1
    wanted = [(1, pair(1).ed25519_public, stolen), (before + 1, pair(7).ed25519_public, False)]
    for person in (scene.ann, scene.bo, scene.cy):
        assert await keys_at(scene, person) == wanted, person.handle
        assert (await examined(scene, person)).wrong is None
    assert len(await scene.listed(scene.bo)) == 3
    company.clock.shift_ms += 2 * heads.ROUND_MS
    await company.settle()
    for person in (scene.bo, scene.cy):
        assert (await scene.head(person.department)).forked_at is None


async def test_who_comes_after_two_changes_can_check_all_of_it(company: Company) -> None:
    scene = await scene_of(company, "open")
    await scene.join(scene.bo)
    for number in (7, 8):
        await rotate(scene, number)
        await company.settle()
        company.clock.shift_ms += 9 * DAY_MS  # the keys before are listed no more
    await scene.join(scene.cy)
    assert [text for _, text, _ in await keys_at(scene, scene.cy)] == [
        pair(number).ed25519_public for number in (1, 7, 8)
    ]
    assert await scene.head(scene.cy.department) == await _same_age(scene, scene.cy)
    assert (await examined(scene, scene.cy)).wrong is None


async def _same_age(scene: Scene, person: Person) -> ledger.Head:
    ours, first = await scene.head(person.department), await scene.head(scene.ann.department)
    return ledger.Head(first.epoch, first.seq, first.digest, ours.announced, ours.known, None)


async def test_who_was_away_meanwhile_follows(company: Company) -> None:
    scene = await scene_of(company, "open")
    await scene.join(scene.bo)
    company.network.cut.add(scene.bo.department.domain)
    await scene.ann.publish("@robots while you were away")
    await rotate(scene)
    await company.settle()
    company.clock.shift_ms += 9 * DAY_MS
    await rotate(scene, 8)
    await scene.join(scene.cy)
    company.network.cut.clear()
    await company.retry()
    assert len(await keys_at(scene, scene.bo)) == 3
    assert (await scene.head(scene.bo.department)).digest == (await scene.head(scene.ann.department)).digest
    assert (await examined(scene, scene.bo)).wrong is None


async def test_what_leaves_loses_no_term(company: Company) -> None:
    scene = await scene_of(company, "open")
    await scene.join(scene.bo)
    await rotate(scene, stolen=True)
    await company.settle()
    client = scene.bo.department.instance.client
    page = await client.get((await scene.group(scene.ann.department)).uri + "/ledger?after=0")
    assert page["firstKey"]["publicKeyMultibase"] == pair(1).ed25519_public
    assert undefined_terms(page) == []
    changes = [item["body"] for item in page["orderedItems"] if item["entry"]["objectType"] == "Update"]
    assert [item["object"]["publicKeyMultibase"] for item in changes] == [pair(7).ed25519_public]
    assert changes[0]["origin"]["revoked"]
    for body in changes:
        assert undefined_terms(body) == []


# -- who lies --------------------------------------------------------------------------------------------------------


class Guild:
    """A group of a server that a test drives by hand; cy of people belongs to it."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.sales = Outsider(company, "sales.localhost")
        self.uri = f"{self.sales.origin}/users/guild"
        self.told = Chronicle(self.sales, self.uri)

    async def begin(self) -> None:
        self.people = await self.company.department("people")
        await self.people.db.write(peers.add, self.sales.domain, "department")
        self.cy = await self.people.person("cy")
        self.show(3)
        await self.cy.follow("guild@sales.localhost")
        await self.company.settle()
        asked = [item for item in self.sales.received if item["type"] == "Follow"][-1]
        await self.sales.deliver(self.people, self.sales.activity("Accept", self.uri, asked))
        await self.hear(self.told.write(self.told.member(self.cy.account.uri)))

    def show(self, number: int) -> None:
        """Publish the actor with the ledger key of a pair; requests are signed as before."""
        key = {
            "id": key_id(self.uri, number), "type": "Multikey", "controller": self.uri,
            "publicKeyMultibase": pair(number).ed25519_public,
        }  # fmt: skip
        self.sales.actor(
            "guild", "Group", ledger=f"{self.uri}/ledger", preset="open", webfinger="guild@sales.localhost",
            assertionMethod=[key],
        )  # fmt: skip

    async def hear(self, document: dict[str, Any]) -> None:
        await self.sales.deliver(self.people, document)
        await self.company.settle()

    async def learn(self) -> None:
        """Let the department see what the actor says now."""
        await self.people.instance.resolver.actor(self.uri, fresh=True)

    def change(
        self, old: int, new: int, *, signer: int | None = None, stolen: bool = False, controller: str | None = None
    ) -> dict[str, Any]:
        """The word of the group that another key follows."""
        thing = {
            "id": key_id(self.uri, new), "type": "Multikey", "controller": controller or self.uri,
            "publicKeyMultibase": pair(new).ed25519_public,
        }  # fmt: skip
        was = {"id": key_id(self.uri, old), "type": "Multikey"} | (
            {"revoked": "2026-11-01T10:00:00Z"} if stolen else {}
        )
        said = self.sales.activity("Update", self.uri, thing, origin=was, to=[self.uri + "/followers"])
        private = load_private(pair(old if signer is None else signer).ed25519_private)
        return add_proof(said, key_id=key_id(self.uri, old), private=private, created=self.company.clock.now())

    def enter(self, inner: dict[str, Any], number: int, **wrong: Any) -> dict[str, Any]:
        """The next entry, signed with the key of a pair."""
        return self.told.entry(inner, key=number, key_id=key_id(self.uri, number), **wrong)

    async def write(self, inner: dict[str, Any], number: int) -> None:
        """Write an entry and tell of it."""
        entry = self.enter(inner, number)
        self.told.entries.append(entry)
        self.told.inner.append(inner)
        await self.hear(self.told.announce(inner, entry))

    async def head(self) -> ledger.Head:
        def read(tx: Tx) -> ledger.Head:
            found = accounts.find_by_uri(tx, self.uri)
            assert found is not None
            return ledger.head(tx, found.id)

        return await self.people.db.read(read)

    async def role(self, subject: str) -> str | None:
        statement = sa.select(tables.affiliations.c.role).where(tables.affiliations.c.subject_uri == subject)
        return await self.people.db.read(lambda tx: tx.conn.execute(statement).scalar())


def key_id(uri: str, number: int) -> str:
    return f"{uri}#ed25519-key" + ("" if number == 3 else f"-{number}")


@pytest.fixture
async def guild(company: Company) -> Guild:
    made = Guild(company)
    await made.begin()
    assert (await made.head()).seq == 1
    return made


async def last_outcome(department: Department) -> str | None:
    return (await outcomes(department))[-1][1]


async def test_a_change_that_the_old_key_signed_and_the_group_publishes_counts(guild: Guild) -> None:
    eva = guild.sales.actor("eva")
    guild.show(7)
    await guild.learn()
    await guild.write(guild.change(3, 7), 7)
    await guild.write(guild.told.member(eva), 7)
    assert (await guild.head()).seq == 3
    assert await guild.role(eva) == "member"


WRONG: dict[str, dict[str, Any]] = {
    "signed by no key of the group": {"old": 3, "signer": 9},
    "signed by the new key alone": {"old": 3, "signer": 7},
    "of another key than the last": {"old": 8, "signer": 8},
    "to a key of somebody else": {"old": 3, "signer": 3, "controller": "http://sales.localhost/users/eva"},
}


@pytest.mark.parametrize("how", WRONG.values(), ids=list(WRONG))
async def test_a_change_that_the_last_key_did_not_sign_for_the_group_is_none(guild: Guild, how: dict[str, Any]) -> None:
    guild.show(7)
    await guild.learn()
    await guild.write(guild.change(new=7, **how), 7)
    assert (await guild.head()).seq == 1
    assert await last_outcome(guild.people) == "refused"


async def test_a_new_key_without_a_change_signs_nothing(guild: Guild) -> None:
    eva = guild.sales.actor("eva")
    guild.show(7)
    await guild.learn()
    await guild.write(guild.told.member(eva), 7)
    assert (await guild.head()).seq == 1
    assert await guild.role(eva) is None


async def test_a_thief_of_the_key_cannot_change_to_one_that_the_group_does_not_publish(guild: Guild) -> None:
    await guild.write(guild.change(3, 9), 9)
    assert (await guild.head()).seq == 1
    assert await last_outcome(guild.people) == "refused"


async def test_the_change_is_signed_with_the_new_key(guild: Guild) -> None:
    """With the old one, nothing shows that the new one stands behind what came before."""
    eva = guild.sales.actor("eva")
    guild.show(7)
    await guild.learn()
    await guild.write(guild.change(3, 7), 3)
    await guild.write(guild.told.member(eva), 7)
    assert await guild.role(eva) is None


@pytest.mark.parametrize("stolen", [True, False])
async def test_after_a_change_the_old_key_signs_nothing_more(guild: Guild, stolen: bool) -> None:
    eva = guild.sales.actor("eva")
    guild.show(7)
    await guild.learn()
    await guild.write(guild.change(3, 7, stolen=stolen), 7)
    inner = guild.told.member(eva, "admin")
    await guild.hear(guild.told.announce(inner, guild.enter(inner, 3)))
    assert await guild.role(eva) is None
    assert await last_outcome(guild.people) == "refused"


@pytest.mark.parametrize("stolen", [True, False], ids=["stolen", "replaced"])
async def test_a_second_past_counts_against_the_group_unless_its_key_was_stolen(guild: Guild, stolen: bool) -> None:
    """Who has a stolen key could otherwise let every department doubt the group for ever."""
    eva = guild.sales.actor("eva")
    guild.show(7)
    await guild.learn()
    await guild.write(guild.change(3, 7, stolen=stolen), 7)
    inner = guild.told.member(eva, "admin")
    another = guild.enter(inner, 3, seq=1, prevDigest="", id=f"{guild.uri}/ledger/1")
    await guild.hear(guild.told.announce(inner, another))
    assert ((await guild.head()).forked_at is None) is stolen
    assert await guild.role(eva) is None


# -- a doubt is ended ------------------------------------------------------------------------------------------------


async def settle(guild: Guild, *truth: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """The guild shows these entries and activities from its second on, and somebody decides to believe it."""
    assert (await guild.head()).forked_at is not None
    guild.told.entries[1:], guild.told.inner[1:] = [entry for entry, _ in truth], [inner for _, inner in truth]
    for after in range(len(guild.told.entries) + 1):
        guild.told.publish(after)

    def decide(tx: Tx) -> None:
        found = accounts.find_by_uri(tx, guild.uri)
        assert found is not None
        settling.settle(tx, found, "tester")

    guild.company.clock.shift_ms += 60_000  # that there was no page before is remembered for a while
    await guild.people.db.write(decide)
    await guild.company.settle()
    left = sa.select(tables.jobs.c.error).where(tables.jobs.c.kind == settling.JOB)
    assert await guild.people.db.read(lambda tx: tx.conn.execute(left).scalars().all()) == []
    assert (await guild.head()).forked_at is None


async def keys_of(guild: Guild) -> list[tuple[int, str, bool]]:
    def read(tx: Tx) -> list[tuple[int, str, bool]]:
        found = accounts.find_by_uri(tx, guild.uri)
        assert found is not None
        return [(key.since, key.id, key.stolen) for key in ledger_keys.of_group(tx, found)]

    return await guild.people.db.read(read)


async def test_a_group_whose_key_was_stolen_is_believed_again_with_its_new_one(guild: Guild) -> None:
    """A thief was quicker than the group; the copy begins to differ where the thief wrote."""
    eva, mal = guild.sales.actor("eva"), guild.sales.actor("mal")
    right = guild.told.member(mal)
    entry = guild.enter(right, 3)
    await guild.write(guild.told.member(eva, "admin"), 3)
    theirs = guild.told.announce(guild.told.inner[1], guild.told.entries[1])
    assert await guild.role(eva) == "admin"
    await guild.hear(guild.told.announce(right, entry))
    guild.told.entries[1], guild.told.inner[1] = entry, right
    changed = guild.change(3, 7, stolen=True)
    guild.show(7)
    await settle(guild, (entry, right), (guild.enter(changed, 7), changed))
    assert await keys_of(guild) == [(1, key_id(guild.uri, 3), True), (3, key_id(guild.uri, 7), False)]
    assert await guild.role(eva) is None
    assert await guild.role(mal) == "member"
    await guild.hear(theirs)
    assert await last_outcome(guild.people) == "refused"
    assert ((await guild.head()).seq, (await guild.head()).forked_at) == (3, None)


async def test_keys_of_a_history_that_is_given_up_are_given_up_with_it(guild: Guild) -> None:
    mal = guild.sales.actor("mal")
    right = guild.told.member(mal)
    entry = guild.enter(right, 3)
    guild.show(7)
    await guild.learn()
    await guild.write(guild.change(3, 7, stolen=True), 7)
    assert len(await keys_of(guild)) == 2
    await guild.hear(guild.told.announce(right, guild.enter(right, 7, seq=2, id=f"{guild.uri}/ledger/2")))
    guild.show(3)
    await settle(guild, (entry, right))
    assert await keys_of(guild) == [(1, key_id(guild.uri, 3), False)]
    assert await guild.role(mal) == "member"
