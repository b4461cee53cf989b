"""Groups and people who lie: what nobody may do is refused with a reason in the log, and no table of groups changes.

Everything comes over HTTP, signed by whoever does it. robots is a group of finance with ann as admin; its moderator bo
and its member cy live in operations and people, and eva, a member, on a department that a test drives by hand.
"""

import hashlib
import logging
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.activitypub import ledger
from fedcorp.canonical import digest_of
from fedcorp.company import peers
from fedcorp.social import accounts as social_accounts
from fedcorp.storage import tables
from fedcorp.storage.database import Tx
from tests.federation.chronicle import Chronicle
from tests.federation.world import PUBLIC, Company, Department, Outsider, Person, pair
from tests.wire.server import outcomes

pytestmark = [pytest.mark.anyio, pytest.mark.once]

DAY_MS = 86_400_000
TABLES = (
    tables.groups, tables.memberships, tables.affiliations, tables.invitations, tables.group_posts,
    tables.group_reports, tables.ledger, tables.ledger_heads,
)  # fmt: skip


def digest_of_groups(tx: Tx) -> dict[str, str]:
    """A digest of every table of groups, and of who follows or asked to follow one. That a post was refused is no
    change of the group: its author is told why."""
    found = {}
    for table in TABLES:
        statement = sa.select(table)
        if table is tables.group_posts:
            statement = statement.where(table.c.state != "rejected")
        found[table.name] = _digest(tx, statement)
    follows, accounts = tables.follows, tables.accounts
    found["follows"] = _digest(
        tx,
        sa.select(follows.c.follower_id, follows.c.target_id, follows.c.state)
        .join(accounts, accounts.c.id == follows.c.target_id)
        .where(accounts.c.kind == "group"),
    )
    return found


def _digest(tx: Tx, statement: Any) -> str:
    rows = sorted(repr(tuple(row)) for row in tx.conn.execute(statement))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


class Hand(Outsider):
    """Signs for anybody of a department with the keys that the department has, and leaves the department running."""

    def __init__(self, company: Company, department: Department, number: int = 0) -> None:
        super().__init__(company, department.domain, number)
        self.pair = pair(number) if number else pair()
        company.network.servers[department.domain] = department.instance.app

    def new_id(self, kind: str = "a") -> str:
        self.serial += 1
        return f"{self.origin}/{kind}/forged-{self.serial}"


class Scene:
    """Who takes part. `group` is the uri of robots, `club` that of a group of sales whose admin is mal."""

    def __init__(self, company: Company, log: pytest.LogCaptureFixture) -> None:
        self.company = company
        self.log = log

    async def begin(self, preset: str = "open") -> None:
        made = [await self.company.department(name) for name in ("finance", "operations", "people")]
        self.finance, self.operations, self.people = made
        self.sales = Outsider(self.company, "sales.localhost")
        for one in made:
            await one.db.write(peers.add, self.sales.domain, "department")
        await self.company.introduce(*made)
        self.ann, self.bo, self.cy = [
            await one.person(name) for one, name in zip(made, ("ann", "bo", "cy"), strict=True)
        ]
        self.handle = await self.finance.group(self.ann, "robots", preset)
        self.group = await self.uri_of("robots")
        self.eva, self.mal = self.sales.actor("eva"), self.sales.actor("mal")
        self.office = self.sales.actor("office", "Application")
        self.club = self.sales.actor("club", "Group", featured=f"{self.sales.origin}/users/club/featured")
        for one in made:
            for actor in (self.eva, self.mal, self.office, self.club):  # everybody has met everybody
                await self.sales.read(one, self.group, signer=actor)
        await self.company.settle()
        for person in (self.bo, self.cy):
            await person.follow(self.handle)
        await self.sales.deliver(self.finance, self.sales.activity("Follow", self.eva, self.group))
        await self.company.settle()
        for account in await self.ann.get(f"{await self.path(self.ann)}/requests"):
            id_ = account.get("account", account)["id"]
            await self.ann.post(f"{await self.path(self.ann)}/requests/{id_}/approve")
        await self.company.settle()
        assert await self.role_of(self.eva) == "member"
        await self.give(self.bo.handle, "moderator")
        await self.cy.follow("club@sales.localhost")
        await self.company.settle()
        (asked,) = [item for item in self.sales.received if item["type"] == "Follow"]
        await self.sales.deliver(self.people, self.sales.activity("Accept", self.club, asked))
        self.post = await self.cy.publish(f"@{self.handle} hello robots")
        await self.company.settle()
        self.cy_hand, self.bo_hand = Hand(self.company, self.people), Hand(self.company, self.operations)

    async def uri_of(self, name: str) -> str:
        def find(tx: Tx) -> str:
            found = social_accounts.find_by_handle(tx, name, None)
            assert found is not None
            return found.uri

        return await self.finance.db.read(find)

    async def path(self, person: Person) -> str:
        return f"/api/fedcorp/v1/groups/{await person.find(self.handle)}"

    async def give(self, handle: str, role: str) -> None:
        """ann gives somebody a role."""
        path = f"{await self.path(self.ann)}/members/{await self.ann.find(handle)}"
        response = await self.ann.send("PUT", path, role=role)
        assert response.status_code == 200, response.text
        await self.company.settle()

    async def role_of(self, uri: str) -> str | None:
        def find(tx: Tx) -> str | None:
            joined = tables.memberships.join(tables.accounts, tables.accounts.c.id == tables.memberships.c.account_id)
            statement = sa.select(tables.memberships.c.role).select_from(joined)
            role: str | None = tx.conn.execute(statement.where(tables.accounts.c.uri == uri)).scalar()
            return role

        return await self.finance.db.read(find)

    async def digests(self) -> list[dict[str, str]]:
        return [await one.db.read(digest_of_groups) for one in self.company.departments]

    async def refused(
        self,
        sender: Outsider,
        document: dict[str, Any],
        reason: str,
        *,
        at: Department | None = None,
        status: int = 202,
        signer: str | None = None,
    ) -> None:
        """Deliver something that must not count: the answer, the reason in the log, and all tables as they were."""
        before = await self.digests()
        self.log.clear()
        with self.log.at_level(logging.INFO, logger="fedcorp"):
            response = await sender.deliver(at or self.finance, document, signer=signer)
            await self.company.settle()
        what = (document["type"], reason, response.text, self.log.text)
        assert response.status_code == status, what
        assert reason in self.log.text, what
        assert await self.digests() == before, what

    def relation(self, subject: str, role: str = "admin") -> dict[str, Any]:
        return {"type": "Relationship", "subject": subject, "object": self.group, "relationship": role}

    def add_role(self, sender: Outsider, actor: str, subject: str, role: str = "admin", **more: Any) -> dict[str, Any]:
        thing = self.relation(subject, role)
        return sender.activity("Add", actor, thing, target=f"{self.group}/affiliations", **more)

    def remove_role(self, sender: Outsider, actor: str, subject: str) -> dict[str, Any]:
        return sender.activity("Remove", actor, self.relation(subject, "member"), target=f"{self.group}/affiliations")


@pytest.fixture
async def scene(company: Company, caplog: pytest.LogCaptureFixture) -> Scene:
    made = Scene(company, caplog)
    await made.begin()
    return made


ONLY_ADMINS = "Only admins of the group give roles."
ONLY_MODERATORS = "Only moderators of the group may do this."


async def test_roles_are_given_by_admins_of_the_group_and_nobody_else(scene: Scene) -> None:
    sales, office = scene.sales, Hand(scene.company, scene.finance, 2)
    for sender, actor in (
        (sales, scene.eva), (sales, scene.mal), (sales, scene.office), (sales, scene.club),
        (scene.cy_hand, scene.cy.account.uri), (scene.bo_hand, scene.bo.account.uri),
    ):  # fmt: skip
        await scene.refused(sender, scene.add_role(sender, actor, actor), ONLY_ADMINS)
        await scene.refused(sender, scene.add_role(sender, actor, scene.cy.account.uri, "moderator"), ONLY_ADMINS)
        is_moderator = actor == scene.bo.account.uri
        reason = "Only admins of the group may do this to a moderator." if is_moderator else ONLY_MODERATORS
        await scene.refused(sender, scene.remove_role(sender, actor, scene.ann.account.uri), reason)
    own = scene.add_role(office, f"{scene.finance.origin}/actor", scene.eva)
    await scene.refused(office, own, "is not a peer of this server", status=403)


async def test_the_instance_actor_of_a_members_department_has_no_role_in_the_group(scene: Scene) -> None:
    office = Hand(scene.company, scene.operations, 2)
    actor = f"{scene.operations.origin}/actor"
    await scene.refused(office, scene.add_role(office, actor, scene.bo.account.uri), ONLY_ADMINS)
    ban = office.activity("Block", actor, scene.cy.account.uri, target=scene.group)
    await scene.refused(office, ban, ONLY_MODERATORS)


async def test_what_only_moderators_do_is_refused_to_everybody_else(scene: Scene) -> None:
    note, sales = scene.post["uri"], scene.sales
    to = {"to": [scene.group], "audience": scene.group}
    featured = f"{scene.group}/featured"
    for sender, actor in ((sales, scene.eva), (sales, scene.mal), (scene.cy_hand, scene.cy.account.uri)):
        lock = {"type": "Lock", "actor": actor, "object": note}
        acts = [
            sender.activity("Lock", actor, note, **to),
            sender.activity("Undo", actor, lock, **to),
            sender.activity("Add", actor, note, target=featured, **to),
            sender.activity("Remove", actor, note, target=featured, **to),
            sender.activity("Block", actor, scene.bo.account.uri, target=scene.group, **to),
            sender.activity("Undo", actor, {"type": "Block", "object": scene.eva, "target": scene.group}, **to),
            sender.activity("Undo", actor, {"type": "Delete", "actor": actor, "object": note}, **to),
            sender.activity("Accept", actor, {"type": "Note", "id": note}, **to),
            sender.activity("Reject", actor, {"type": "Note", "id": note}, **to),
            sender.activity("Accept", actor, {"type": "Follow", "actor": scene.mal, "object": scene.group}, **to),
            sender.activity("Resolve", actor, f"{scene.group}/reports/1", **to),
        ]
        for act in acts:
            await scene.refused(sender, act, ONLY_MODERATORS)
        update = sender.activity("Update", actor, {"type": "Group", "id": scene.group, "settings": {"title": "Mine"}})
        await scene.refused(sender, update, "Only admins of the group may do this.")
        end = sender.activity("Delete", actor, {"type": "Group", "id": scene.group})
        await scene.refused(sender, end, "Only admins of the group may do this.")
    for actor in (scene.eva, scene.mal):
        await scene.refused(sales, sales.activity("Delete", actor, note, **to), ONLY_MODERATORS)
    end = sales.activity("Delete", scene.eva, scene.group)
    await scene.refused(sales, end, "Only the author may delete this.")


async def test_a_moderator_whose_role_was_taken_away_decides_nothing_also_not_with_what_was_signed_before(
    scene: Scene,
) -> None:
    hand, actor, note = scene.bo_hand, scene.bo.account.uri, scene.post["uri"]
    to = {"to": [scene.group], "audience": scene.group}
    before = [
        hand.activity("Lock", actor, note, **to),
        hand.activity("Block", actor, scene.eva, target=scene.group, **to),
        hand.activity("Delete", actor, note, **to),
    ]
    proved = [hand.prove(act) for act in before]
    await scene.give(scene.bo.handle, "member")
    for act in proved[:2]:
        await scene.refused(hand, act, ONLY_MODERATORS)
    await scene.refused(hand, proved[2], ONLY_MODERATORS)
    again = hand.prove(hand.activity("Block", actor, scene.eva, target=scene.group, **to))
    await scene.refused(scene.sales, again, ONLY_MODERATORS, signer=scene.mal)


async def test_a_moderators_act_counts_so_the_refusals_are_no_accident(scene: Scene) -> None:
    hand, actor = scene.bo_hand, scene.bo.account.uri
    ban = hand.prove(hand.activity("Block", actor, scene.eva, target=scene.group))
    await scene.sales.deliver(scene.finance, ban, signer=scene.mal)  # whoever brings it: the proof is the moderator's
    await scene.company.settle()
    assert await scene.role_of(scene.eva) == "outcast"


async def test_what_a_moderator_does_is_about_the_group_that_it_is_done_for(scene: Scene) -> None:
    """bo moderates robots: not what does not stand there, nor reports that are not those of robots."""
    hand, bo = scene.bo_hand, scene.bo.account.uri
    other = await scene.cy.publish("not in robots", reach="public")
    to = {"to": [PUBLIC], "cc": [scene.group], "audience": scene.group}
    assert await scene.ann.find_status(other["uri"])
    remove = hand.activity("Delete", bo, other["uri"], summary="not nice", **to)
    await scene.refused(hand, remove, "Only the author may delete this.")
    assert (await scene.ann.find_status(other["uri"]))["content"] == "<p>not in robots</p>"
    for thing in (
        f"{scene.club}/reports/1",
        f"{scene.group}/reports/x",
        f"{scene.group}/reports/\u00b2",
        f"{scene.group}/reports/{'9' * 30}",
    ):
        await hand.deliver(scene.finance, hand.activity("Resolve", bo, thing, **to))
        await scene.company.settle()
        assert (await outcomes(scene.finance))[-1][:2] == ("Resolve", "ignored"), thing
    for kind, thing in (("Accept", "Note"), ("Reject", "Note")):
        answer = hand.activity(kind, bo, {"type": thing, "id": other["uri"]}, **to)
        await scene.refused(hand, answer, "This post does not stand in the group.")


async def test_a_group_elsewhere_speaks_for_itself(scene: Scene) -> None:
    """mal is its admin, says his own server; a group that is not here is changed and deleted by its own word."""
    sales, people = scene.sales, scene.people
    reason = "Only an actor itself may change or delete its profile."
    fake = {"type": "Group", "id": scene.club, "preferredUsername": "club", "name": "Mine"}
    for kind in ("Update", "Delete"):
        for actor in (scene.mal, scene.office):
            await scene.refused(sales, sales.activity(kind, actor, fake), reason, at=people)
    club = await scene.cy.get(f"/api/v1/accounts/{await scene.cy.find('club@sales.localhost')}")
    assert (club["display_name"], club["group"]) == ("Club", True)
    assert await scene.cy.find("mal@sales.localhost"), "nor is mal taken for it"


async def test_moderators_of_other_make_are_made_by_admins_alone(scene: Scene) -> None:
    """An Add to the collection at the group's address, whose object is the person (FEP-1b12)."""
    hand, bo, cy = scene.bo_hand, scene.bo.account.uri, scene.cy.account.uri
    target = f"{scene.group}/moderators"
    for kind, person in (("Add", cy), ("Remove", bo), ("Add", bo)):
        for sender, actor in ((scene.sales, scene.eva), (hand, bo)):
            await scene.refused(sender, sender.activity(kind, actor, person, target=target), ONLY_ADMINS)
    await scene.give(scene.bo.handle, "admin")
    for kind, role in (("Add", "moderator"), ("Remove", "member")):
        await hand.deliver(scene.finance, hand.activity(kind, bo, cy, target=target))
        await scene.company.settle()
        assert await scene.role_of(cy) == role


async def test_a_moderator_takes_a_post_out_of_the_group_and_from_nobody_else(scene: Scene) -> None:
    """Without a summary, as some servers write it; one of the moderators is a neighbour of the author."""
    await scene.sales.deliver(scene.finance, scene.sales.activity("Follow", scene.mal, scene.group))
    await scene.company.settle()
    await scene.give("mal@sales.localhost", "moderator")
    sales, to = scene.sales, {"to": [PUBLIC], "cc": [scene.group]}
    note = sales.note(scene.eva, "a post of eva", **to)
    await sales.deliver(scene.finance, sales.activity("Create", scene.eva, note, **to))
    await scene.company.settle()
    here = await scene.ann.find_status(note["id"])
    path = await scene.path(scene.ann)
    for sender, actor, uri in (
        (scene.bo_hand, scene.bo.account.uri, scene.post["uri"]),
        (sales, scene.mal, scene.post["uri"]), (sales, scene.mal, note["id"]),
    ):  # fmt: skip
        id_ = (await scene.ann.find_status(uri))["id"]
        await scene.ann.send("POST", f"{path}/statuses/{id_}/restore")
        assert await standing(scene, id_) == "distributed"
        await sender.deliver(scene.finance, sender.activity("Delete", actor, uri))
        await scene.company.settle()
        assert await standing(scene, id_) == "removed", actor
    assert (await scene.ann.find_status(note["id"]))["content"] == here["content"] == "<p>a post of eva</p>"
    assert (await scene.cy.find_status(scene.post["uri"]))["content"] != ""
    await sales.deliver(scene.finance, sales.activity("Delete", scene.eva, note["id"]))
    await scene.company.settle()
    sales.documents.pop(note["id"])
    assert await scene.ann.find_status(note["id"]) is None
    own = sales.note(scene.mal, "a post of a moderator", **to)
    await sales.deliver(scene.finance, sales.activity("Create", scene.mal, own, **to))
    await scene.company.settle()
    await sales.deliver(scene.finance, sales.activity("Delete", scene.mal, own["id"], audience=scene.group, **to))
    await scene.company.settle()
    is_gone = sa.select(tables.statuses.c.deleted_at).where(tables.statuses.c.uri == own["id"])
    assert await scene.finance.db.read(lambda tx: tx.conn.execute(is_gone).scalar()), "the author's own is no removal"


async def standing(scene: Scene, status_id: str) -> str | None:
    """How a post stands in robots, at its own server."""

    def find(tx: Tx) -> str | None:
        statement = sa.select(tables.group_posts.c.state).where(tables.group_posts.c.status_id == int(status_id))
        state: str | None = tx.conn.execute(statement).scalar()
        return state

    return await scene.finance.db.read(find)


async def test_in_a_group_that_was_shut_nobody_does_anything_more(scene: Scene) -> None:
    """Those who look after the department have suspended robots; bo is still its moderator, and cy a member."""

    def suspend(tx: Tx) -> None:
        mine = tables.accounts.c.uri == scene.group
        tx.conn.execute(sa.update(tables.accounts).where(mine).values(suspended_at=tx.ms))

    await scene.finance.db.write(suspend)
    hand, bo, note = scene.bo_hand, scene.bo.account.uri, scene.post["uri"]
    to = {"to": [scene.group], "audience": scene.group}
    before = await scene.digests()
    for act in (
        hand.activity("Block", bo, scene.eva, target=scene.group, **to),
        hand.activity("Lock", bo, note, **to),
        hand.activity("Add", bo, note, target=f"{scene.group}/featured", **to),
        hand.activity("Invite", bo, scene.group, target=scene.mal, **to),
        hand.activity("Flag", bo, [scene.eva, note], **to),
    ):
        await hand.deliver(scene.finance, act)
        await scene.company.settle()
        assert await scene.digests() == before, act["type"]
    assert await scene.role_of(scene.eva) == "member"


async def test_a_report_of_a_post_in_a_group_elsewhere_is_for_the_authors_department(scene: Scene) -> None:
    """robots is no group of people, so nobody there keeps reports for its moderators."""
    flag = scene.sales.activity("Flag", scene.eva, [scene.cy.account.uri, scene.post["uri"]], to=[], content="look")
    before = await scene.digests()
    await scene.sales.deliver(scene.people, flag)
    await scene.company.settle()
    assert await scene.digests() == before

    def reported(tx: Tx) -> list[int]:
        return list(tx.conn.execute(sa.select(tables.reports.c.target_id)).scalars())

    assert await scene.people.db.read(reported) == [scene.cy.account.id]


# -- joining ---------------------------------------------------------------------------------------------------------


async def test_nobody_joins_for_somebody_else(scene: Scene) -> None:
    sales, dan = scene.sales, scene.sales.actor("dan")
    follow = sales.activity("Follow", dan, scene.group)
    await scene.refused(sales, follow, "carries no proof", status=401, signer=scene.mal)
    borrowed = sales.prove({**sales.activity("Follow", scene.mal, scene.group)}) | {"actor": dan}
    await scene.refused(sales, borrowed, "The proof of the activity does not hold.", status=401, signer=scene.mal)
    other = sales.prove({**follow, "id": sales.new_id()})
    other["proof"]["verificationMethod"] = scene.mal + "#ed25519-key"
    await scene.refused(sales, other, "The proof of the activity does not hold.", status=401, signer=scene.mal)
    foreign = sales.activity("Follow", scene.cy.account.uri, scene.group, id=f"{scene.people.origin}/a/7")
    await scene.refused(sales, foreign, "carries no proof", status=401, signer=scene.mal)
    inner = {"id": sales.new_id(), "type": "Follow", "actor": dan, "object": scene.group}
    announced = sales.activity("Announce", scene.club, inner, audience=scene.group)
    await scene.refused(sales, announced, "no Follow of somebody else", at=scene.people)
    leave = sales.activity("Undo", scene.mal, {"type": "Follow", "actor": scene.eva, "object": scene.group})
    await scene.refused(sales, leave, "Only the follower may take a follow back.")


async def test_an_old_join_is_not_sent_once_more(scene: Scene) -> None:
    sales = scene.sales
    follow = sales.prove(sales.activity("Follow", scene.eva, scene.group))
    await sales.deliver(scene.finance, follow)
    undo = sales.activity("Undo", scene.eva, {k: v for k, v in follow.items() if k not in ("proof", "@context")})
    await sales.deliver(scene.finance, undo)
    await scene.company.settle()
    assert await scene.role_of(scene.eva) is None
    scene.company.clock.shift_ms += 60 * DAY_MS
    await scene.finance.db.write(_forget_what_came)
    await scene.refused(sales, follow, "too old to be passed on", status=401, signer=scene.mal)


def _forget_what_came(tx: Tx) -> None:
    """What upkeep clears away after weeks."""
    tx.conn.execute(sa.delete(tables.inbox))
    tx.conn.execute(sa.delete(tables.undone))


async def test_members_leave_for_themselves_and_a_group_finds_another_admin(scene: Scene) -> None:
    """By a Leave, as by the Undo of their Follow; the last admin lives elsewhere and is not asked to stay."""
    sales, bo = scene.sales, scene.bo.account.uri
    before = await scene.digests()
    for thing in (scene.club, f"{scene.finance.origin}/u/1"):
        await sales.deliver(scene.finance, sales.activity("Leave", scene.eva, thing))
    await sales.deliver(scene.finance, sales.activity("Leave", scene.mal, scene.group))
    await scene.company.settle()
    assert await scene.digests() == before
    await sales.deliver(scene.finance, sales.activity("Leave", scene.eva, scene.group))
    await scene.company.settle()
    assert await scene.role_of(scene.eva) is None
    await scene.give(scene.bo.handle, "admin")
    await scene.ann.post(f"/api/v1/accounts/{await scene.ann.find(scene.handle)}/unfollow")
    await scene.company.settle()
    assert await scene.role_of(scene.ann.account.uri) is None
    await scene.bo_hand.deliver(scene.finance, scene.bo_hand.activity("Leave", bo, scene.group))
    await scene.company.settle()
    assert (await scene.role_of(bo), await scene.role_of(scene.cy.account.uri)) == (None, "admin")


# -- answers ---------------------------------------------------------------------------------------------------------


async def asked_by_cy(scene: Scene, target: str) -> dict[str, Any]:
    """The Follow by which cy asks to join a group of sales, which nobody answers."""
    await scene.cy.follow(f"{target.rpartition('/')[2]}@sales.localhost")
    await scene.company.settle()
    found: dict[str, Any] = [item for item in scene.sales.received if item["type"] == "Follow"][-1]
    assert found["object"] == target
    return found


async def test_only_the_group_itself_answers_who_asks_to_join(scene: Scene) -> None:
    sales = scene.sales
    asked = await asked_by_cy(scene, sales.actor("board", "Group"))
    reason = "Only the followed account may answer a request."
    for kind in ("Accept", "Reject"):
        for actor in (scene.mal, scene.club, scene.office):
            for thing in (asked["id"], asked, {name: asked[name] for name in ("type", "actor", "object")}):
                await scene.refused(sales, sales.activity(kind, actor, thing), reason, at=scene.people)
    hand = Hand(scene.company, scene.operations, 2)
    foreign = hand.activity("Accept", f"{scene.operations.origin}/actor", asked["id"])
    await scene.refused(hand, foreign, reason, at=scene.people)
    board = sales.activity("Accept", asked["object"], asked["id"])
    proved = sales.prove({**board, "actor": scene.mal}) | {"actor": asked["object"]}
    await scene.refused(sales, proved, "The proof", at=scene.people, status=401, signer=scene.mal)


async def test_an_accept_counts_for_the_follow_that_it_answers_and_not_for_a_later_one(scene: Scene) -> None:
    sales = scene.sales
    board = sales.actor("board", "Group")
    asked = await asked_by_cy(scene, board)
    accept = sales.prove(sales.activity("Accept", board, asked))
    await sales.deliver(scene.people, accept)
    await scene.company.settle()
    await scene.cy.post(f"/api/v1/accounts/{await scene.cy.find('board@sales.localhost')}/unfollow")
    await scene.company.settle()
    again = sales.activity("Accept", board, asked)
    await scene.refused(sales, again, "Nobody here waits for this answer.", at=scene.people)
    later = await asked_by_cy(scene, board)
    assert later["id"] != asked["id"]
    for thing in (asked, asked["id"]):
        repeated = sales.activity("Accept", board, thing)
        await scene.refused(sales, repeated, "Nobody here waits for this answer.", at=scene.people)
    before = await scene.digests()
    await sales.deliver(scene.people, accept)  # the very same: taken once
    await scene.company.settle()
    assert await scene.digests() == before
    await scene.people.db.write(_forget_what_came)
    await scene.refused(sales, {**accept}, "Nobody here waits for this answer.", at=scene.people)
    scene.company.clock.shift_ms += 60 * DAY_MS
    await scene.refused(sales, accept, "too old to be passed on", at=scene.people, status=401, signer=scene.mal)


async def test_an_accept_of_somebody_elses_follow(scene: Scene) -> None:
    """eva accepts, for robots, what cy asked of the board; and the club accepts what cy asked of the board."""
    sales = scene.sales
    asked = await asked_by_cy(scene, sales.actor("board", "Group"))
    mixed = {**asked, "object": scene.club}
    reason = "Only the followed account may answer a request."
    await scene.refused(sales, sales.activity("Accept", scene.club, mixed), reason, at=scene.people)
    to_us = {"type": "Follow", "actor": scene.mal, "object": scene.group}
    await scene.refused(sales, sales.activity("Accept", scene.eva, to_us), ONLY_MODERATORS)


# -- invitations -----------------------------------------------------------------------------------------------------


async def invitation_for(scene: Scene, person: str, expires_in: int = 3600) -> None:
    response = await scene.ann.send(
        "POST", f"{await scene.path(scene.ann)}/invites", acct=person, expires_in=expires_in
    )
    assert response.status_code == 200, response.text
    await scene.company.settle()


@pytest.fixture
async def closed(company: Company, caplog: pytest.LogCaptureFixture) -> Scene:
    """The same in a group that is joined by invitation only: whoever belongs was let in before."""
    made = Scene(company, caplog)
    await made.begin()
    path = await made.path(made.ann)
    response = await made.ann.send("PATCH", path, joining="invite", inviting="moderators")
    assert response.status_code == 200, response.text
    await company.settle()
    return made


BY_INVITATION = "This group is joined by invitation"


def invited(tx: Tx) -> list[int]:
    return list(tx.conn.execute(sa.select(tables.invitations.c.account_id)).scalars())


async def test_invitations_come_from_who_may_invite_and_from_the_group_itself(closed: Scene) -> None:
    sales = closed.sales
    for sender, actor in ((sales, closed.eva), (sales, closed.mal), (closed.cy_hand, closed.cy.account.uri)):
        invite = sender.activity("Invite", actor, closed.group, target=closed.mal, to=[closed.group])
        await closed.refused(sender, invite, "You may not invite people into this group.")
        undo = sender.activity("Undo", actor, {"type": "Invite", "object": closed.group, "target": closed.mal})
        before = await closed.digests()
        await sender.deliver(closed.finance, undo)
        assert await closed.digests() == before
    false = sales.activity("Invite", closed.mal, closed.group, target=closed.cy.account.uri)
    await closed.refused(sales, false, "Only the group itself tells of its invitations.", at=closed.people)
    for actor in (closed.mal, closed.club):
        false = sales.activity("Invite", actor, sales.actor("board", "Group"), target=closed.cy.account.uri)
        await closed.refused(sales, false, "Only the group itself tells of its invitations.", at=closed.people)
    await sales.deliver(closed.people, sales.activity("Invite", closed.mal, closed.mal, target=closed.cy.account.uri))
    await closed.company.settle()
    assert await closed.people.db.read(invited) == [], "nobody belongs to a person"
    assert await closed.cy.find("eva@sales.localhost")
    for target in (closed.eva, f"{closed.people.origin}/u/1"):  # neither is one of people's
        await sales.deliver(closed.people, sales.activity("Invite", closed.club, closed.club, target=target))
        await closed.company.settle()
        assert await closed.people.db.read(invited) == [], target
    late = sales.activity(
        "Invite", closed.club, closed.club, target=closed.cy.account.uri, endTime="2026-11-01T10:00:00Z"
    )
    await closed.refused(sales, late, "The invitation has ended.", at=closed.people)


async def test_an_invitation_opens_the_door_once_to_one_person_until_its_end(closed: Scene) -> None:
    sales, dan = closed.sales, closed.sales.actor("dan")
    await sales.read(closed.finance, closed.group, signer=dan)
    await closed.refused(sales, sales.activity("Follow", dan, closed.group), BY_INVITATION)
    await invitation_for(closed, "dan@sales.localhost")
    (invite,) = [item for item in sales.received if item["type"] == "Invite"]
    for more in ({}, {"instrument": invite["id"]}, {"object": closed.group, "instrument": {"id": invite["id"]}}):
        other = sales.activity("Follow", closed.mal, closed.group) | more
        await closed.refused(sales, other, BY_INVITATION)
    decline = sales.activity("Reject", closed.mal, {"type": "Invite", "id": invite["id"], "object": closed.group})
    before = await closed.digests()
    await sales.deliver(closed.finance, decline)
    await closed.company.settle()
    assert await closed.digests() == before
    follow = sales.activity("Follow", dan, closed.group)
    await sales.deliver(closed.finance, follow)
    await closed.company.settle()
    assert await closed.role_of(dan) == "member"
    await sales.deliver(closed.finance, sales.activity("Undo", dan, follow))
    await closed.company.settle()
    assert await closed.role_of(dan) is None
    await closed.refused(sales, sales.activity("Follow", dan, closed.group), BY_INVITATION)
    await invitation_for(closed, "dan@sales.localhost", expires_in=60)
    closed.company.clock.shift_ms += 61_000
    await closed.company.settle()
    await closed.refused(sales, sales.activity("Follow", dan, closed.group), BY_INVITATION)


# -- posts -----------------------------------------------------------------------------------------------------------


async def test_who_is_banned_does_not_post_through_another_server(scene: Scene) -> None:
    sales = scene.sales
    response = await scene.ann.send("POST", f"{await scene.path(scene.ann)}/bans", acct="eva@sales.localhost")
    assert response.status_code == 200, response.text
    await scene.company.settle()
    to = {"to": [PUBLIC], "cc": [scene.group]}
    create = sales.activity("Create", scene.eva, sales.note(scene.eva, "still here", **to), **to)
    await scene.refused(sales, create, "did not take a post: Only members post here.")
    note = sales.note(scene.eva, "still here too", **to)
    proved = sales.prove(sales.activity("Create", scene.eva, note, **to))
    carrier = Hand(scene.company, scene.operations)
    reason = "did not take a post: Only members post here."
    await scene.refused(carrier, proved, reason, signer=scene.bo.account.uri)


async def test_what_a_group_passed_on_stays_though_its_author_refuses_the_boost(scene: Scene) -> None:
    """An author who wants a post out of a group deletes it, or asks the moderators."""
    sales, to = scene.sales, {"to": [PUBLIC], "cc": [scene.group]}
    note = sales.note(scene.eva, "a post of eva", **to)
    await sales.deliver(scene.finance, sales.activity("Create", scene.eva, note, **to))
    await scene.company.settle()

    def boosts(tx: Tx) -> list[str]:
        mine = tables.statuses.c.reblog_of_id.is_not(None), tables.statuses.c.deleted_at.is_(None)
        return list(tx.conn.execute(sa.select(tables.statuses.c.uri).where(*mine)).scalars())

    before = await scene.finance.db.read(boosts)
    assert len(before) == 2
    for uri in before:
        await sales.deliver(scene.finance, sales.activity("Reject", scene.eva, uri))
        await scene.company.settle()
    assert await scene.finance.db.read(boosts) == before


async def test_a_locked_thread_takes_no_answer_whoever_brings_it(scene: Scene) -> None:
    sales = scene.sales
    path, id_ = await scene.path(scene.ann), (await scene.ann.find_status(scene.post["uri"]))["id"]
    response = await scene.ann.send("POST", f"{path}/statuses/{id_}/lock")
    assert response.status_code == 200, response.text
    await scene.company.settle()
    to = {"to": [PUBLIC], "cc": [scene.group]}
    note = sales.note(scene.eva, "one more word", inReplyTo=scene.post["uri"], **to)
    create = sales.prove(sales.activity("Create", scene.eva, note, **to))
    await scene.refused(
        Hand(scene.company, scene.operations), create, "did not take a post: This thread is locked.",
        signer=scene.bo.account.uri,
    )  # fmt: skip


async def test_a_group_cannot_put_words_into_somebodys_mouth(scene: Scene) -> None:
    """The club announces, to cy who follows it, what bo and others are said to have written."""
    sales, people, bo = scene.sales, scene.people, scene.bo.account.uri
    to = {"to": [PUBLIC], "cc": [bo + "/followers"]}

    def announced(inner: dict[str, Any], **more: Any) -> dict[str, Any]:
        return sales.activity("Announce", scene.club, inner, audience=scene.club, **more)

    def note(uri: str, author: str = bo) -> dict[str, Any]:
        return {"id": uri, "type": "Note", "attributedTo": author, "content": "never said", **to}

    def create(uri: str, actor: str, thing: dict[str, Any]) -> dict[str, Any]:
        return {"id": uri, "type": "Create", "actor": actor, "object": thing, **to}

    origin = scene.operations.origin
    never = create(f"{origin}/a/77", bo, note(f"{origin}/o/77"))
    await scene.refused(sales, announced(never), "nothing shows that its actor did this", at=people)
    proved = sales.prove(sales.activity("Create", scene.eva, sales.note(scene.eva, "true")))
    altered = {**proved, "object": {**proved["object"], "content": "altered"}}
    await scene.refused(sales, announced(altered), "The proof of the announced activity does not hold.", at=people)
    odd = {**note(sales.new_id(), scene.eva), "as:summary": "says more as JSON-LD than as the JSON that is proven"}
    unclear = sales.prove(create(sales.new_id(), scene.eva, odd))
    await scene.refused(sales, announced(unclear), "The proof of the announced activity does not hold.", at=people)
    lent = sales.prove(create(f"{origin}/a/80", bo, note(f"{origin}/o/80")), scene.eva)
    await scene.refused(sales, announced(lent), "The proof of the announced activity does not hold.", at=people)
    unknown = sales.prove(create(f"{origin}/a/81", bo, note(f"{origin}/o/81")))
    unknown["proof"]["verificationMethod"] = f"{origin}/u/none#ed25519-key"
    await scene.refused(sales, announced(unknown), "nothing shows that its actor did this", at=people)
    other = sales.prove({**create(f"{origin}/a/78", scene.eva, note(f"{origin}/o/78")), "id": sales.new_id()})
    await scene.refused(sales, announced(other), "The object has another origin than the actor.", at=people)
    wrong = create(f"{origin}/a/79", scene.eva, note(sales.new_id(), scene.eva))
    await scene.refused(sales, announced(wrong), "have different origins", at=people)
    stolen = create(sales.new_id(), scene.eva, note(sales.new_id(), scene.mal))
    await scene.refused(sales, announced(stolen), "The object belongs to somebody else.", at=people)


async def test_what_people_of_other_servers_are_said_to_have_felt_is_not_believed(scene: Scene) -> None:
    """The club says that bo reacts to its post; nothing at bo's own server says so."""
    sales, people, bo = scene.sales, scene.people, scene.bo.account.uri
    note = sales.note(scene.eva, "a post of the club")
    create = sales.activity("Create", scene.eva, note)
    await sales.deliver(people, sales.activity("Announce", scene.club, create, audience=scene.club))
    await scene.company.settle()
    assert (await scene.cy.find_status(note["id"]))["reblogs_count"] == 0
    for number, kind in enumerate(("Like", "EmojiReact", "Dislike")):
        felt = {
            "id": f"{scene.operations.origin}/a/9{number}", "type": kind, "actor": bo, "object": note["id"],
            "content": "\U0001f44d",
        }  # fmt: skip
        undo = {"id": f"{felt['id']}9", "type": "Undo", "actor": bo, "object": felt}
        unnamed = {name: value for name, value in felt.items() if name != "id"}
        for inner in (felt, undo, unnamed):
            announced = sales.activity("Announce", scene.club, inner, audience=scene.club)
            await scene.refused(sales, announced, "nothing shows that its actor did this", at=people)
    seen = await scene.cy.find_status(note["id"])
    assert (seen["favourites_count"], seen["reactions"]) == (0, [])


async def test_a_ban_takes_posts_along_where_the_group_says_so(scene: Scene) -> None:
    sales, people = scene.sales, scene.people
    note = sales.note(scene.eva, "a post of the club")
    create = sales.activity("Create", scene.eva, note)
    await sales.deliver(people, sales.activity("Announce", scene.club, create, audience=scene.club))
    await scene.company.settle()

    def states(tx: Tx) -> list[str]:
        joined = tables.group_posts.join(tables.accounts, tables.accounts.c.id == tables.group_posts.c.group_id)
        statement = sa.select(tables.group_posts.c.state).select_from(joined)
        return list(tx.conn.execute(statement.where(tables.accounts.c.uri == scene.club)).scalars())

    for more, state in (({}, "distributed"), ({"removeData": False}, "distributed"), ({"removeData": True}, "removed")):
        ban = sales.activity("Block", scene.mal, scene.eva, target=scene.club, **more)
        await sales.deliver(people, sales.activity("Announce", scene.club, ban, audience=scene.club))
        await scene.company.settle()
        assert await people.db.read(states) == [state], more


async def test_a_post_that_is_liked_or_changed_in_a_group_does_not_become_a_post_of_it(scene: Scene) -> None:
    """The club passes on what eva, whose server it shares, and cy did to posts that were not written to it."""
    sales, people, cy = scene.sales, scene.people, scene.cy.account.uri
    mine = await scene.cy.publish("not for the club", reach="public")
    note = sales.note(scene.eva, "nor is this")
    await sales.deliver(people, sales.activity("Create", scene.eva, note))
    await scene.company.settle()
    changed = {**note, "content": "<p>nor is this now</p>", "updated": "2026-11-02T10:00:00Z"}
    for inner in (
        sales.activity("Like", scene.eva, mine["uri"]), sales.activity("Update", scene.eva, changed),
        sales.activity("Like", cy, mine["uri"], id=f"{scene.people.origin}/a/61"),
        sales.activity("Update", cy, mine["uri"], id=f"{scene.people.origin}/a/62"),
    ):  # fmt: skip
        before = await scene.digests()
        await sales.deliver(people, sales.activity("Announce", scene.club, inner, audience=scene.club))
        await scene.company.settle()
        assert await scene.digests() == before, inner
    assert (await scene.cy.get(f"/api/v1/statuses/{mine['id']}"))["favourites_count"] == 1, "eva's counts"
    assert (await scene.cy.find_status(note["id"]))["content"] == "<p>nor is this now</p>"


async def test_what_a_group_took_back_before_it_came_is_not_done(scene: Scene) -> None:
    sales, people = scene.sales, scene.people
    note = sales.note(scene.eva, "announced in haste")
    create = sales.activity("Create", scene.eva, note)
    announced = sales.activity("Announce", scene.club, create, audience=scene.club)
    before = await scene.digests()
    for act in (sales.activity("Undo", scene.club, {"id": announced["id"], "type": "Announce"}), announced):
        await sales.deliver(people, act)
        await scene.company.settle()
        assert await scene.digests() == before
    again = sales.activity("Announce", scene.club, create, audience=scene.club)
    await sales.deliver(people, again)
    await scene.company.settle()
    assert await scene.digests() != before


async def test_what_a_group_says_of_its_post_is_what_it_says(scene: Scene) -> None:
    """A pin is an Add to the collection of pins, and nothing else is."""
    sales, people, featured = scene.sales, scene.people, f"{scene.club}/featured"
    note = sales.note(scene.eva, "a post of the club")
    create = sales.activity("Create", scene.eva, note)
    await sales.deliver(people, sales.activity("Announce", scene.club, create, audience=scene.club))
    await scene.company.settle()

    def marks(tx: Tx) -> tuple[bool, bool, str]:
        joined = tables.group_posts.join(tables.accounts, tables.accounts.c.id == tables.group_posts.c.group_id)
        row = tx.conn.execute(
            sa.select(tables.group_posts).select_from(joined).where(tables.accounts.c.uri == scene.club)
        ).one()
        return row.pinned_at is not None, row.locked_at is not None, row.state

    steps: list[tuple[str, dict[str, Any], tuple[bool, bool, str]]] = [
        ("Add", {"target": f"{scene.club}/liked"}, (False, False, "distributed")),
        ("Like", {"target": featured}, (False, False, "distributed")),
        ("Add", {"target": featured}, (True, False, "distributed")),
        ("Remove", {"target": f"{scene.club}/liked"}, (True, False, "distributed")),
        ("Lock", {"target": featured}, (True, True, "distributed")),
        ("Flag", {"object": {"type": "Lock", "object": note["id"]}}, (True, True, "distributed")),
        ("Undo", {"object": {"type": "Lock", "object": note["id"]}}, (True, False, "distributed")),
        ("Remove", {"target": featured}, (False, False, "distributed")),
        ("Delete", {}, (False, False, "removed")),
    ]
    for kind, more, wanted in steps:
        told = sales.activity(kind, scene.club, note["id"]) | more
        await sales.deliver(people, sales.activity("Announce", scene.club, told, audience=scene.club))
        await scene.company.settle()
        assert await people.db.read(marks) == wanted, (kind, more)


async def test_what_stands_at_an_address_is_not_taken_for_something_else(scene: Scene) -> None:
    """bo did something under this id; the club says that it was something else."""
    sales, people, bo = scene.sales, scene.people, scene.bo.account.uri
    post = await scene.bo.publish("still mine", reach="public")
    await scene.company.settle()
    assert (await scene.cy.find_status(post["uri"]))["content"] == "<p>still mine</p>"
    done = post["uri"].replace("/o/", "/a/")
    for kind in ("Delete", "Update"):
        inner = {"id": done, "type": kind, "actor": bo, "object": post["uri"]}
        announced = sales.activity("Announce", scene.club, inner, audience=scene.club)
        await scene.refused(sales, announced, "nothing shows that its actor did this", at=people)
    asked = [str(request.url) for request in scene.company.network.requests]
    assert done in asked
    assert (await scene.cy.find_status(post["uri"]))["content"] == "<p>still mine</p>"


async def test_a_group_brings_no_words_from_a_server_that_is_let_in_no_more(scene: Scene) -> None:
    """Its people can still prove what they wrote; their keys are known from before."""
    sales, people = scene.sales, scene.people
    lab = Outsider(scene.company, "lab.localhost", 4)
    await people.db.write(peers.add, lab.domain, "partner")
    zed = lab.actor("zed")
    first = lab.prove(lab.activity("Create", zed, lab.note(zed, "while it was let in")))
    await sales.deliver(people, sales.activity("Announce", scene.club, first, audience=scene.club))
    await scene.company.settle()
    assert "while it was let in" in await scene.cy.texts()
    await people.db.write(peers.remove, lab.domain)
    later = lab.prove(lab.activity("Create", zed, lab.note(zed, "and afterwards")))
    announced = sales.activity("Announce", scene.club, later, audience=scene.club)
    await scene.refused(sales, announced, "its server may not speak to us", at=people)
    assert "and afterwards" not in await scene.cy.texts()


async def test_a_person_is_no_group_and_passes_nothing_on(scene: Scene) -> None:
    """cy follows mal, who announces what a neighbour is said to have written, and entries of a ledger of his own."""
    sales, people = scene.sales, scene.people
    await scene.cy.follow("mal@sales.localhost")
    await scene.company.settle()
    await sales.deliver(people, sales.activity("Accept", scene.mal, sales.received[-1]))
    await scene.company.settle()
    words = {"type": "Note", "attributedTo": scene.eva, "content": "never said", "to": [PUBLIC]}
    create = sales.activity("Create", scene.eva, {"id": sales.new_id("notes"), **words})
    own = Chronicle(sales, scene.mal)
    entry = own.entry(own.member(scene.eva, "admin"))
    for thing in (create, [create, create], entry):
        before = await scene.digests()
        await sales.deliver(people, sales.activity("Announce", scene.mal, thing))
        await scene.company.settle()
        assert await scene.digests() == before
    assert await scene.cy.find_status(create["object"]["id"]) is None


async def test_a_group_that_nobody_here_belongs_to_tells_nothing(scene: Scene) -> None:
    """The board has no members in people: neither what it announces nor its ledger is kept there."""
    sales, people = scene.sales, scene.people
    board = sales.actor("board", "Group", ledger=f"{sales.origin}/users/board/ledger", preset="open")
    await scene.cy.find("board@sales.localhost")
    chronicle = Chronicle(sales, board)
    words = {"type": "Note", "attributedTo": scene.eva, "content": "unwanted", "to": [PUBLIC]}
    create = sales.activity("Create", scene.eva, {"id": sales.new_id("notes"), **words})
    told = chronicle.member(scene.eva, "admin")
    for thing, more in (
        (create, {}), (create, {"entry": chronicle.entry(create)}),
        (told, {}), (told, {"entry": chronicle.entry(told)}), (chronicle.entry(told), {}),
        (chronicle.member(scene.cy.account.uri, "admin"), {}),  # one of ours, but nothing signed
    ):  # fmt: skip
        before = await scene.digests()
        await sales.deliver(people, sales.activity("Announce", board, thing, **more))
        await scene.company.settle()
        assert await scene.digests() == before, thing
    assert await scene.cy.find_status(create["object"]["id"]) is None


async def test_a_group_shows_nothing_as_its_own_that_was_written_to_some(scene: Scene) -> None:
    """eva writes to cy alone, and to her followers alone; the club passes it on as if it were for all its members."""
    sales, people = scene.sales, scene.people
    for to in ([scene.cy.account.uri], [scene.eva + "/followers"]):
        tag = [{"type": "Mention", "href": scene.cy.account.uri, "name": "@cy"}]
        note = sales.note(scene.eva, "between us", to=to, cc=[], tag=tag)
        create = sales.activity("Create", scene.eva, note, to=to)
        before = await scene.digests()
        await sales.deliver(people, sales.activity("Announce", scene.club, create, audience=scene.club))
        await scene.company.settle()
        assert await scene.digests() == before, to


async def test_a_group_decides_on_its_own_posts_and_members_only(scene: Scene) -> None:
    """The club announces decisions as if it were robots, and on posts that stand in robots."""
    sales, people, note = scene.sales, scene.people, scene.post["uri"]
    by_robots = [
        scene.add_role(sales, scene.group, scene.mal, id=f"{scene.finance.origin}/a/91"),
        sales.activity("Delete", scene.group, note, id=f"{scene.finance.origin}/a/92"),
        sales.activity("Lock", scene.group, note, id=f"{scene.finance.origin}/a/93"),
    ]
    for inner, reason in zip(by_robots, ("no Add of", "nothing that stands", "nothing that stands"), strict=True):
        await scene.refused(sales, sales.activity("Announce", scene.club, inner), reason, at=people)
    featured = f"{scene.club}/featured"
    on_robots = [
        sales.activity("Delete", scene.club, note),
        sales.activity("Lock", scene.club, note),
        sales.activity("Add", scene.club, note, target=featured),
    ]
    for inner in on_robots:
        reason = "the post does not stand in this group"
        await scene.refused(sales, sales.activity("Announce", scene.club, inner), reason, at=people)
    own = {"type": "Relationship", "subject": scene.mal, "object": scene.club, "relationship": "admin"}
    for wrong in ({"object": scene.group}, {"relationship": "owner"}, {"subject": [scene.mal, scene.eva]}):
        add = sales.activity("Add", scene.club, own | wrong, target=f"{scene.club}/affiliations")
        reason = "The Relationship is not one of this group."
        await scene.refused(sales, sales.activity("Announce", scene.club, add), reason, at=people)
    profile = {**sales.documents[scene.mal], "name": "Taken"}
    member = own | {"subject": scene.cy.account.uri, "relationship": "member"}
    no_decisions = [
        sales.activity("Update", scene.club, profile),
        *(
            sales.activity(kind, scene.club, member, target=f"{scene.club}/affiliations")
            for kind in ("Create", "Offer")
        ),
        sales.activity("Add", scene.club, own | {"type": "Note"}, target=f"{scene.club}/affiliations"),
    ]
    for inner in no_decisions:
        before = await scene.digests()
        await sales.deliver(people, sales.activity("Announce", scene.club, inner))
        await scene.company.settle()
        assert await scene.digests() == before, inner
    club = await scene.cy.get(f"/api/v1/accounts/{await scene.cy.find('club@sales.localhost')}")
    assert club["display_name"] == "Club"
    for person in (scene.mal, scene.eva):  # in the words of other makes
        made = {"type": "Add", "actor": person, "object": scene.cy.account.uri, "target": f"{scene.club}/moderators"}
        acts = [
            (sales.activity("Block", person, scene.cy.account.uri, target=scene.group), "no Block of"),
            (sales.activity("Add", person, scene.cy.account.uri, target=f"{scene.club}/friends"), "no Add of"),
            (sales.activity("Add", person, note, target=featured), "nothing that stands"),
            (sales.activity("Lock", person, note), "nothing that stands"),
            (sales.activity("Undo", person, made), "no Undo of"),
            (sales.activity("Update", person, {"type": "Group", "id": scene.group, "name": "Ours"}), "actor"),
        ]
        for inner, reason in acts:
            await scene.refused(sales, sales.activity("Announce", scene.club, inner), reason, at=people)


async def test_a_members_only_post_stays_with_the_group_it_was_written_for(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    """cy belongs to robots, which only members read, and to the club, whose server knows the address of cy's post."""
    scene = Scene(company, caplog)
    await scene.begin("private")
    assert scene.post["visibility"] == "private"
    sales, people, note = scene.sales, scene.people, scene.post["uri"]
    outside = sales.actor("outside")
    assert (await sales.read(people, note, signer=outside)).status_code == 404
    echo = {
        "id": note.replace("/o/", "/a/"), "type": "Create", "actor": scene.cy.account.uri,
        "object": {"id": note, "type": "Note", "attributedTo": scene.cy.account.uri},
    }  # fmt: skip
    reason = "the post was written for the members of another group"
    await scene.refused(sales, sales.activity("Announce", scene.club, echo), reason, at=people)
    for kind, more in (("Lock", {}), ("Delete", {}), ("Add", {"target": f"{scene.club}/featured"})):
        inner = sales.activity(kind, scene.club, note, **more)
        reason = "the post does not stand in this group"
        await scene.refused(sales, sales.activity("Announce", scene.club, inner), reason, at=people)
    assert (await sales.read(people, note, signer=outside)).status_code == 404


async def test_an_answer_to_a_post_counts_while_it_waits(scene: Scene) -> None:
    """The club has passed cy's post on, and says afterwards that it never took it, or keeps it back."""
    sales, people = scene.sales, scene.people
    post = await scene.cy.publish("@club@sales.localhost hello club", reach="public")
    await scene.company.settle()
    (create,) = [item for item in sales.received if item["type"] == "Create"]
    await sales.deliver(people, sales.activity("Announce", scene.club, create, audience=scene.club))
    await scene.company.settle()
    (place,) = await scene.cy.get(f"/api/fedcorp/v1/statuses/{post['id']}/groups")
    assert place["state"] == "distributed"
    before = await scene.digests()
    for kind in ("Reject", "TentativeAccept"):
        for thing in (create["id"], post["uri"]):
            await sales.deliver(people, sales.activity(kind, scene.club, thing))
            await scene.company.settle()
            assert await scene.digests() == before, kind


async def test_what_is_for_the_members_of_a_group_elsewhere_comes_from_that_group(scene: Scene) -> None:
    """eva sends it straight to people, who cannot tell whether the group took it; and says later what it says now."""
    sales, people = scene.sales, scene.people
    den = sales.actor("den", "Group", preset="private", webfinger="den@sales.localhost")
    asked = await asked_by_cy(scene, den)
    await sales.deliver(people, sales.activity("Accept", den, asked))
    await scene.company.settle()
    to = {"to": [den, den + "/followers"], "cc": [], "audience": den}
    note = sales.note(scene.eva, "a secret of the den", **to)
    sales.documents.pop(note["id"])
    create = sales.activity("Create", scene.eva, note, **to)
    update = sales.activity("Update", scene.eva, {**note, "updated": "2026-11-02T10:00:00Z"}, **to)
    for act in (create, update):
        await sales.deliver(people, act)
        await scene.company.settle()
        assert (await outcomes(people))[-1][:2] == (act["type"], "ignored")
        assert await scene.cy.find_status(note["id"]) is None
    word = await scene.cy.publish("word", reach="public")
    whole = {**note, "quote": word["uri"]}
    await sales.deliver(people, sales.activity("QuoteRequest", scene.eva, word["uri"], instrument=whole, **to))
    await scene.company.settle()
    assert (await outcomes(people))[-1][:2] == ("QuoteRequest", "deferred")
    assert await scene.cy.find_status(note["id"]) is None
    await sales.deliver(people, sales.activity("Announce", den, create, audience=den))
    await scene.company.settle()
    found = await scene.cy.find_status(note["id"])
    assert (found["content"], found["visibility"]) == ("<p>a secret of the den</p>", "private")


async def test_a_wish_is_answered_by_the_group_that_it_was_sent_to(scene: Scene) -> None:
    """bo bans eva, and finance cannot be reached; others say that it was done, or refused."""
    scene.company.network.cut.add(scene.finance.domain)
    response = await scene.bo.send("POST", f"{await scene.path(scene.bo)}/bans", acct="eva@sales.localhost")
    assert response.status_code in (200, 202), response.text
    await scene.company.settle()

    def wishes(tx: Tx) -> list[tuple[str, str]]:
        return [
            tuple(row) for row in tx.conn.execute(sa.select(tables.group_wishes.c.uri, tables.group_wishes.c.state))
        ]

    ((uri, state),) = await scene.operations.db.read(wishes)
    assert state == "pending"
    for actor in (scene.club, scene.mal):
        for kind in ("Accept", "Reject"):
            await scene.sales.deliver(scene.operations, scene.sales.activity(kind, actor, uri))
            await scene.company.settle()
            assert await scene.operations.db.read(wishes) == [(uri, "pending")]
    scene.company.network.cut.clear()
    await scene.company.retry()
    assert await scene.operations.db.read(wishes) == [(uri, "done")]
    assert await scene.role_of(scene.eva) == "outcast"


# -- what only some may read -----------------------------------------------------------------------------------------


async def test_desks_are_open_to_moderators_and_ledgers_of_closed_groups_to_members(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(company, caplog)
    await scene.begin("private")
    sales = scene.sales
    cy = Hand(company, scene.people)
    for name in ("requests", "held", "invitations", "reports"):
        url = f"{scene.group}/{name}"
        for sender, actor in (
            (sales, scene.eva), (sales, scene.mal), (sales, scene.office), (cy, scene.cy.account.uri),
            (Hand(company, scene.operations, 2), f"{scene.operations.origin}/actor"),
        ):  # fmt: skip
            response = await sender.read(scene.finance, url, signer=actor)
            assert response.status_code == 404, (name, actor, response.text)
        assert (await sales.read(scene.finance, url)).status_code == 401
        assert (await scene.bo_hand.read(scene.finance, url, signer=scene.bo.account.uri)).status_code == 200
    for url in (f"{scene.group}/ledger?after=0", scene.post["uri"]):
        owner = scene.finance if url.startswith(scene.finance.origin) else scene.people
        assert (await sales.read(owner, url, signer=scene.mal)).status_code == 404, url
        assert (await sales.read(owner, url)).status_code == 401
        assert (await sales.read(owner, url, signer=scene.eva)).status_code == 200, url
    stranger = Outsider(company, "lab.localhost", 4)
    await scene.finance.db.write(peers.add, stranger.domain, "department")
    lab = stranger.actor("office", "Application")
    for url in (f"{scene.group}/ledger?after=0", f"{scene.group}/outbox"):
        response = await stranger.read(scene.finance, url, signer=lab)
        assert response.status_code == 404 or response.json()["orderedItems"] == [], url


async def test_what_a_group_elsewhere_says_of_reports_is_shown_as_far_as_it_makes_sense(scene: Scene) -> None:
    """cy moderates the guild, whose server names its reports as it likes."""
    guild, sales = await guild_of(scene), scene.sales
    await sales.deliver(scene.people, guild.write(guild.member(scene.cy.account.uri, "moderator")))
    await scene.company.settle()
    numbers = ("\u00b2", "9" * 30, "9" * 5000, "x", "", "7")
    url = f"{guild.group}/reports"
    sales.documents[url] = {
        "@context": "https://www.w3.org/ns/activitystreams", "id": url, "type": "OrderedCollection",
        "orderedItems": [
            {"type": "Flag", "id": f"{url}/{number}", "object": [scene.eva], "content": "look"} for number in numbers
        ],
    }  # fmt: skip
    path = f"/api/fedcorp/v1/groups/{await scene.cy.find('guild@sales.localhost')}"
    assert [one["id"] for one in await scene.cy.get(f"{path}/reports")] == ["7"]


# -- ledgers ---------------------------------------------------------------------------------------------------------


async def guild_of(scene: Scene) -> Chronicle:
    """A group of sales with a ledger that cy belongs to; its first entries say that mal is admin and cy member."""
    uri = f"{scene.sales.origin}/users/guild"
    scene.sales.actor("guild", "Group", ledger=f"{uri}/ledger", preset="open", webfinger="guild@sales.localhost")
    asked = await asked_by_cy(scene, uri)
    guild = Chronicle(scene.sales, uri)
    await scene.sales.deliver(scene.people, scene.sales.activity("Accept", uri, asked))
    for subject, role in ((scene.mal, "admin"), (scene.cy.account.uri, "member")):
        await scene.sales.deliver(scene.people, guild.write(guild.member(subject, role)))
    await scene.company.settle()
    assert await copied_role(scene.people, scene.mal) == "admin"
    return guild


async def copied_role(department: Department, subject: str, group: str = "guild") -> str | None:
    """What a department believes of somebody's role in a group of sales."""
    copies, accounts = tables.affiliations, tables.accounts
    statement = (
        sa.select(copies.c.role)
        .join(accounts, accounts.c.id == copies.c.group_id)
        .where(copies.c.subject_uri == subject, accounts.c.username == group)
    )
    return await department.db.read(lambda tx: tx.conn.execute(statement).scalar())


async def test_entries_that_the_group_did_not_sign_count_for_nothing(scene: Scene) -> None:
    guild, sales, people = await guild_of(scene), scene.sales, scene.people
    inner = guild.member(scene.eva, "admin")
    right = guild.entry(inner)
    unsigned = "The entry is not signed by the group."
    other = "The entry speaks of another activity."
    elsewhere = Chronicle(sales, scene.club)
    changed = {name: value for name, value in right.items() if name != "proof"}
    cases = [
        (changed, unsigned),
        (guild.entry(inner, key=9), unsigned),
        ({**right, "seq": 4}, unsigned),
        ({**right, "prevDigest": ""}, unsigned),
        ({**right, "epoch": "2"}, unsigned),
        ({**right, "attributedTo": scene.club}, unsigned),
        (guild.entry(inner, attributedTo=scene.club), unsigned),
        ({**elsewhere.entry(inner), "seq": 3}, unsigned),
        (guild.entry(inner, digestMultibase=digest_of({**inner, "id": "x"})), other),
    ]
    for entry, reason in cases:
        await scene.refused(sales, guild.announce(inner, entry), reason, at=people)
    altered = {**inner, "object": {**inner["object"], "relationship": "moderator"}}
    await scene.refused(sales, guild.announce(altered, right), other, at=people)
    for entry in ({**right, "seq": "3"}, {**right, "type": "Note"}, {**right, "seq": -1}):
        told_without = "who belongs is told with its entry, or not at all"
        await scene.refused(sales, guild.announce(inner, entry), told_without, at=people)
    await scene.refused(
        sales, sales.activity("Announce", scene.club, inner, entry=right), unsigned, at=people
    )  # fmt: skip
    assert await copied_role(people, scene.eva) is None
    await sales.deliver(people, guild.announce(inner, right))
    await scene.company.settle()
    assert await copied_role(people, scene.eva) == "admin"


@pytest.mark.parametrize("wrong", [{"prevDigest": "zQmOther"}, {"epoch": "2"}, {"seq": 2}, {"seq": 1}])
async def test_signed_entries_that_cannot_follow_put_the_group_in_doubt(scene: Scene, wrong: dict[str, Any]) -> None:
    """The group itself signed what breaks its chain: nothing of it is believed, the evidence is kept."""
    guild, sales, people = await guild_of(scene), scene.sales, scene.people
    inner = guild.member(scene.eva, "admin")
    before = await people.db.read(digest_of_groups)
    entry = guild.entry(inner, **wrong)
    with scene.log.at_level(logging.ERROR, logger="fedcorp"):
        await sales.deliver(people, guild.announce(inner, entry))
        await scene.company.settle()
    assert "shows two histories" in scene.log.text
    after = await people.db.read(digest_of_groups)
    assert {name for name in after if after[name] != before[name]} == {"ledger_heads"}
    assert await copied_role(people, scene.eva) is None
    row = await people.db.read(
        lambda tx: tx.conn.execute(sa.select(tables.ledger_heads).where(tables.ledger_heads.c.fork != "")).one()
    )
    evidence = await people.db.read(ledger.find_evidence, row.group_id)
    assert evidence is not None
    assert evidence.told == entry
    assert evidence.known == guild.entries[min(entry["seq"], 2) - 1]
    assert row.forked_at is not None
    later = guild.write(guild.member(scene.eva, "admin"))  # what comes then and is right is not believed either
    await sales.deliver(people, later)
    await scene.company.settle()
    assert await copied_role(people, scene.eva) is None
    cure = await scene.cy.get(f"/api/fedcorp/v1/groups/{await scene.cy.find('guild@sales.localhost')}/ledger")
    assert cure["forked_at"] is not None


async def test_an_entry_far_ahead_gives_nobody_a_role_before_those_between_are_there(scene: Scene) -> None:
    guild, sales, people = await guild_of(scene), scene.sales, scene.people
    skipped = guild.member(scene.eva, "admin")
    guild.entries.append(guild.entry(skipped))
    guild.inner.append(skipped)
    await sales.deliver(people, guild.write(guild.member(scene.bo.account.uri, "admin")))
    await scene.company.settle()
    assert await copied_role(people, scene.bo.account.uri) is None
    guild.publish(2)
    scene.company.clock.shift_ms += 60_000  # that the page was missing is remembered for a while
    await sales.deliver(people, guild.write(guild.member(scene.mal, "member")))
    await scene.company.settle()
    assert await copied_role(people, scene.eva) == "admin"
    assert await copied_role(people, scene.bo.account.uri) == "admin"
    assert await copied_role(people, scene.mal) == "member"


async def test_an_entry_alone_counts_when_the_group_signed_it(scene: Scene) -> None:
    """Without what it stands for, which nobody here may read: it is the next of the chain, or one that is known."""
    guild, sales, people = await guild_of(scene), scene.sales, scene.people
    inner = guild.member(scene.eva, "admin")
    unsigned = "The entry is not signed by the group."
    for entry in (
        guild.entry(inner, key=9), {**guild.entry(inner), "object": scene.club},
        {**guild.entries[1], "published": "2026-11-02T10:00:00.000Z"},  # would be a second history
    ):  # fmt: skip
        bare = sales.activity("Announce", guild.group, entry, audience=guild.group)
        await scene.refused(sales, bare, unsigned, at=people)
    for entry in ({**guild.entry(inner), "seq": "3"}, {**guild.entry(inner), "object": None}):
        before = await scene.digests()
        await sales.deliver(people, sales.activity("Announce", guild.group, entry, audience=guild.group))
        await scene.company.settle()
        assert await scene.digests() == before
    guild.inner.append(inner)
    guild.entries.append(guild.entry(inner))
    await sales.deliver(people, sales.activity("Announce", guild.group, guild.entries[2], audience=guild.group))
    await scene.company.settle()
    await sales.deliver(people, guild.write(guild.member(scene.mal, "member")))
    await scene.company.settle()
    assert await copied_role(people, scene.mal) == "member", "the chain goes on behind it"


async def test_the_end_of_a_membership_is_told_by_an_entry_that_the_group_signed(scene: Scene) -> None:
    """cy has left and nobody else of people belongs: of the guild only that counts which it signed, about this."""
    guild, sales, people, cy = await guild_of(scene), scene.sales, scene.people, scene.cy.account.uri
    await scene.cy.post(f"/api/v1/accounts/{await scene.cy.find('guild@sales.localhost')}/unfollow")
    await scene.company.settle()
    ban = guild.member(cy, "outcast")
    ban["object"]["startTime"] = "2026-11-02T10:00:00Z"
    cases = [
        (guild.entry(ban, key=9), "The entry is not signed by the group."),
        (guild.entry(ban, seq=9, key=9), "The entry is not signed by the group."),
        (guild.entry(ban, digestMultibase=digest_of({**ban, "id": "x"})), "The entry speaks of another activity."),
    ]
    for entry, reason in cases:
        await scene.refused(sales, guild.announce(ban, entry), reason, at=people)
    for inner, more in ((ban, {}), (guild.member(scene.eva, "outcast"), {"entry": guild.entry(ban)})):
        before = await scene.digests()
        await sales.deliver(people, sales.activity("Announce", guild.group, inner, audience=guild.group, **more))
        await scene.company.settle()
        assert await scene.digests() == before
    await sales.deliver(people, guild.announce(ban, guild.entry(ban, seq=9)))  # whatever came between
    await scene.company.settle()
    shown = await scene.cy.get(f"/api/fedcorp/v1/groups/{await scene.cy.find('guild@sales.localhost')}")
    assert shown["role"] == "outcast"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"entry": None}, "The page of the ledger holds something else."),
        ("an entry", "The page of the ledger holds something else."),
        ("a second history", "The entry is not signed by the group."),
        ("signed by somebody else", "The entry is not signed by the group."),
    ],
)
async def test_a_page_of_a_ledger_holds_what_the_group_signed(scene: Scene, wrong: Any, reason: str) -> None:
    guild, sales, people = await guild_of(scene), scene.sales, scene.people
    missed = guild.member(scene.eva, "admin")
    forged = {
        "a second history": {**guild.entries[1], "published": "2026-11-02T10:00:00.000Z"},
        "signed by somebody else": guild.entry(missed, key=9),
    }
    guild.inner.append(missed)
    guild.entries.append(guild.entry(missed))
    later = guild.write(guild.member(scene.bo.account.uri, "admin"))
    guild.publish(2)
    page = sales.documents[f"{guild.group}/ledger?after=2"]
    if isinstance(wrong, str) and wrong in forged:
        wrong = {"entry": forged[wrong]}
    page["orderedItems"].insert(0, wrong)
    scene.company.clock.shift_ms += 60_000  # that there was no page is remembered for a while
    await scene.refused(sales, later, reason, at=people)
    assert await copied_role(people, scene.eva) is None


async def test_what_stands_beside_an_entry_in_a_page_is_what_the_entry_speaks_of(scene: Scene) -> None:
    """The chain is right, so it is taken; another decision than the one that was signed is not carried out."""
    guild, sales, people = await guild_of(scene), scene.sales, scene.people
    missed = guild.member(scene.eva, "member")
    guild.inner.append({**missed, "object": {**missed["object"], "relationship": "admin"}})
    guild.entries.append(guild.entry(missed))
    later = guild.write(guild.member(scene.bo.account.uri, "moderator"))
    guild.publish(2)
    scene.company.clock.shift_ms += 60_000
    await sales.deliver(people, later)
    await scene.company.settle()
    assert await copied_role(people, scene.eva) is None
    assert await copied_role(people, scene.bo.account.uri) == "moderator"


async def test_a_page_that_begins_a_chain_names_its_key_once(scene: Scene) -> None:
    """Whoever serves another first key later cannot have the chain signed anew."""
    guild, sales, people = await guild_of(scene), scene.sales, scene.people

    def keys(tx: Tx) -> list[str]:
        statement = sa.select(tables.ledger_keys.c.public).where(tables.ledger_keys.c.key_id.like(f"{guild.group}%"))
        return list(tx.conn.execute(statement).scalars())

    def forget(tx: Tx) -> None:
        for table in (tables.ledger, tables.ledger_heads):
            tx.conn.execute(sa.delete(table))

    assert await people.db.read(keys) == [sales.pair.ed25519_public]
    await people.db.write(forget)
    guild.publish(0)
    other = {"id": f"{guild.group}#other", "type": "Multikey", "controller": guild.group}
    page = sales.documents[f"{guild.group}/ledger?after=0"]
    page["firstKey"] = other | {"publicKeyMultibase": pair(9).ed25519_public}
    scene.company.clock.shift_ms += 60_000
    later = guild.write(guild.member(scene.bo.account.uri, "moderator"))
    await sales.deliver(people, later)
    await scene.company.settle()
    assert await people.db.read(keys) == [sales.pair.ed25519_public]
    assert await copied_role(people, scene.bo.account.uri) == "moderator"
