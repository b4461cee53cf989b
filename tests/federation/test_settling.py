"""A department loses a day: its database is put back to a backup, and its group goes on in another way than the others
remember. All of them find out, and the administrators of each department end the doubt.
"""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.activitypub import heads, ledger_copy, settling
from fedcorp.commands import doctor_store
from fedcorp.storage import tables
from fedcorp.storage.database import Tx
from tests.federation.test_groups import Scene, scene_of
from tests.federation.world import Company, Person

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Backup = dict[sa.Table, list[dict[str, Any]]]
OF_GROUPS = (
    tables.ledger, tables.ledger_heads, tables.ledger_keys, tables.memberships, tables.follows, tables.group_posts,
    tables.statuses, tables.inbox, tables.events, tables.activities, tables.deliveries,
)  # fmt: skip


def take_backup(tx: Tx) -> Backup:
    return {table: [dict(row._mapping) for row in tx.conn.execute(sa.select(table))] for table in OF_GROUPS}


def restore(tx: Tx, backup: Backup) -> None:
    for table, rows in backup.items():
        tx.conn.execute(sa.delete(table))
        for row in rows:
            tx.conn.execute(sa.insert(table), row)


async def give(scene: Scene, person: Person, role: str) -> None:
    """ann gives somebody a role."""
    group, id_ = await scene.group(scene.ann.department), await scene.ann.find(person.handle)
    answer = await scene.ann.send("PUT", f"/api/fedcorp/v1/groups/{group.id}/members/{id_}", role=role)
    assert answer.status_code == 200, answer.text
    await scene.company.settle()


async def settle(scene: Scene, person: Person) -> None:
    """`fedcorp group settle` in the department of somebody."""
    group = await scene.group(person.department)
    await person.department.db.write(settling.settle, group, "tester")
    await scene.company.settle()


async def rounds(scene: Scene, number: int) -> None:
    for _ in range(number):
        scene.company.clock.shift_ms += 2 * heads.ROUND_MS
        await scene.company.settle()


async def in_doubt(scene: Scene) -> list[bool]:
    """Whether the group is in doubt in the departments of ann, bo and cy; the doctor says the same."""
    found = []
    for person in (scene.ann, scene.bo, scene.cy):
        doubted = (await scene.head(person.department)).forked_at is not None
        assert bool(await person.department.db.read(doctor_store._examine_groups)) is doubted
        found.append(doubted)
    return found


async def test_a_department_that_was_put_back_to_a_backup_is_believed_again(company: Company) -> None:
    scene = await scene_of(company, "open")
    everybody = (scene.ann, scene.bo, scene.cy)
    for person in (scene.bo, scene.cy):
        await scene.join(person)
    finance = scene.ann.department
    backup = await finance.db.read(take_backup)
    await give(scene, scene.bo, "moderator")
    await scene.cy.publish(f"@{scene.handle} on the day that was lost")
    await company.settle()
    assert (await scene.head(scene.bo.department)).seq == 5
    await finance.db.write(restore, backup)

    await scene.ann.publish("@robots on the day after")
    await company.settle()
    for _ in range(20):  # whom each round meets is decided by chance
        if not all(await in_doubt(scene)):
            await rounds(scene, 1)
    assert await in_doubt(scene) == [True, True, True]
    assert await scene.role(scene.bo, scene.cy.department) == "moderator"
    for person in everybody:
        await settle(scene, person)
    assert await in_doubt(scene) == [False, False, False]
    assert {(await scene.head(person.department)).seq for person in everybody} == {4}
    for person in everybody:
        assert await scene.role(scene.bo, person.department) == "member"

    await give(scene, scene.cy, "moderator")
    await scene.bo.publish(f"@{scene.handle} as ever")
    await company.settle()
    await rounds(scene, 4)
    assert await in_doubt(scene) == [False, False, False]
    assert len({(await scene.head(person.department)).digest for person in everybody}) == 1
    for person in everybody:
        assert await scene.role(scene.cy, person.department) == "moderator"
        group = await scene.group(person.department)
        assert (await person.department.db.read(ledger_copy.examine, group)).wrong is None
        shown = " / ".join(await scene.listed(person))
        assert "on the day after" in shown
        assert "as ever" in shown
