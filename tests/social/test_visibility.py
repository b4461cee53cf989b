"""`policy.may_see` and its SQL face agree in random worlds; reach and tiers are ordered as the company means them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcorp.social import effects, policy, statuses
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import accounts, blocks, domain_blocks, follows, mentions
from fedcorp.storage.tables import statuses as table
from tests.databases import examples, make_config
from tests.social.conftest import Department, StandingClock

PEOPLE = 3
posts = st.lists(
    st.tuples(
        st.integers(0, PEOPLE - 1),
        st.sampled_from((*policy.VISIBILITIES, policy.WAITING)),
        st.sampled_from(policy.REACHES),
        st.booleans(),
        st.sets(st.integers(0, PEOPLE - 1)),
    ),
    min_size=1,
    max_size=6,
)
pairs = st.sets(
    st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1)).filter(lambda pair: pair[0] != pair[1])
)


def _fill(
    tx: Tx, ids: list[int], made: list[int], world: list[tuple[int, str, str, bool, set[int]]],
    followed: dict[tuple[int, int], str], blocked: set[tuple[int, int]], kept_away: set[tuple[int, int]],
    hidden: set[int],
) -> None:  # fmt: skip
    for number, (author, visibility, reach, deleted, named) in enumerate(world):
        tx.conn.execute(
            table.update().where(table.c.id == made[number]).values(
                account_id=ids[author], visibility=visibility, reach=reach, deleted_at=tx.ms if deleted else None
            )
        )  # fmt: skip
        for person in named:
            tx.conn.execute(mentions.insert().values(status_id=made[number], account_id=ids[person]))
    for (first, second), state in followed.items():
        values = {"id": tx.new_id(), "follower_id": ids[first], "target_id": ids[second], "state": state}
        tx.conn.execute(follows.insert().values(**values, uri=f"x:{first}:{second}", created_at=0))
    for first, second in blocked:
        values = {"id": tx.new_id(), "account_id": ids[first], "target_id": ids[second]}
        tx.conn.execute(blocks.insert().values(**values, created_at=0))
    for first, second in kept_away:
        there = f"p{second}.example"
        tx.conn.execute(accounts.update().where(accounts.c.id == ids[second]).values(domain=there))
        values = {"id": tx.new_id(), "account_id": ids[first], "domain": there}
        tx.conn.execute(domain_blocks.insert().values(**values, created_at=0))
    for person in hidden:
        tx.conn.execute(accounts.update().where(accounts.c.id == ids[person]).values(suspended_at=1))


def _both(tx: Tx, viewer: int | None, made: list[int]) -> tuple[set[int], set[int]]:
    by_rule = set()
    for id_ in made:
        status = statuses.find(tx, id_)
        assert status is not None
        if policy.may_see(policy.Viewer(viewer), statuses.facts(tx, status, viewer)):
            by_rule.add(id_)
    return by_rule, statuses.visible_ids(tx, viewer, made)


@settings(max_examples=examples(40))
@given(posts, st.dictionaries(pairs.map(lambda s: next(iter(s), (0, 1))), st.sampled_from(("accepted", "pending"))),
       pairs, pairs, st.sets(st.integers(0, PEOPLE - 1), max_size=1))  # fmt: skip
def test_the_rule_and_the_predicate_agree(
    world: list[tuple[int, str, str, bool, set[int]]],
    followed: dict[tuple[int, int], str],
    blocked: set[tuple[int, int]],
    kept_away: set[tuple[int, int]],
    hidden: set[int],
) -> None:
    async def run(folder: Path) -> None:
        db = Database(make_config(folder), StandingClock(), effects.apply)
        db.start()
        try:
            department = Department(db, StandingClock())
            people = [await department.person(f"p{number}") for number in range(PEOPLE)]
            ids = [person.id for person in people]
            made = [(await department.post(people[0])).id for _ in world]
            await db.write(_fill, ids, made, world, followed, blocked, kept_away, hidden)
            for viewer in (None, *ids):
                by_rule, by_query = await db.read(_both, viewer, made)
                assert by_rule == by_query, viewer
        finally:
            db.close()

    with TemporaryDirectory() as folder:
        anyio.run(run, Path(folder))


def test_reach_and_tiers() -> None:
    table = {reach: [tier for tier in policy.TIERS if policy.reaches(reach, tier)] for reach in policy.REACHES}
    assert table == {
        "department": [],
        "company": ["department"],
        "partners": ["department", "partner"],
        "public": ["department", "partner", "unknown"],
    }
    assert policy.reach_for({"department", "partner"}) == "partners"
    assert policy.reach_for(set()) == "department"
