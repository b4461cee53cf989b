"""The two doors: what was committed stays, what failed leaves nothing, ids never meet, effects belong to their unit."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from fedcorp.clock import Clock
from fedcorp.errors import ConfigError, Unavailable
from fedcorp.storage import migrations, schema
from fedcorp.storage.database import READERS, Database, Tx
from fedcorp.storage.tables import audit, meta, metadata
from fedcorp.storage.upsert import insert_ignore, upsert
from tests.databases import POSTGRESQL, downgrade, make_config

pytestmark = pytest.mark.anyio


def note(tx: Tx, subject: str) -> int:
    values = {"created_at": tx.ms, "actor": "a", "act": "b", "subject": subject, "outcome": "ok"}
    tx.conn.execute(sa.insert(audit).values(values))
    return tx.new_id()


def fail(tx: Tx, subject: str) -> None:
    note(tx, subject)
    raise ValueError(subject)


def subjects(tx: Tx) -> set[str]:
    return set(tx.conn.execute(sa.select(audit.c.subject)).scalars())


def echo(tx: Tx, event: Any) -> None:
    if event == "broken":
        raise ValueError("broken effect")
    note(tx, f"effect of {event}")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(make_config(tmp_path), Clock(), echo)
    database.start()
    yield database
    database.close()


async def test_a_group_keeps_what_holds_and_drops_what_failed(db: Database) -> None:
    works = [db.write(fail if number % 3 == 0 else note, str(number)) for number in range(60)]
    results = await asyncio.gather(*works, return_exceptions=True)
    assert all(isinstance(result, ValueError) == (number % 3 == 0) for number, result in enumerate(results))
    assert await db.read(subjects) == {str(number) for number in range(60) if number % 3}
    ids = [result for result in results if isinstance(result, int)]
    assert len(set(ids)) == len(ids)


async def test_effects_belong_to_their_unit(db: Database) -> None:
    def verb(tx: Tx, event: str) -> None:
        note(tx, f"verb {event}")
        tx.record(event)

    await db.write(verb, "x")
    with pytest.raises(ValueError, match="broken effect"):
        await db.write(verb, "broken")
    assert await db.read(subjects) == {"verb x", "effect of x"}


async def test_a_step_fails_alone_with_its_effects(db: Database) -> None:
    def unit(tx: Tx) -> None:
        for name in ("one", "broken", "two"):
            try:
                with tx.step():
                    note(tx, name)
                    tx.record(name)
            except ValueError:
                note(tx, "caught")

    await db.write(unit)
    assert await db.read(subjects) == {"one", "effect of one", "caught", "two", "effect of two"}


def step_in(tx: Tx, event: Any) -> None:
    """An effect with a step of its own, which records `after <event>` and fails for `broken`."""
    note(tx, f"effect of {event}")
    if isinstance(event, str) and not event.startswith("after"):
        try:
            with tx.step():
                tx.record(f"after {event}")
                if event == "broken":
                    raise ValueError(event)
        except ValueError:
            note(tx, "caught")


async def test_steps_within_effects_neither_overtake_nor_lose_what_was_recorded(tmp_path: Path) -> None:
    database = Database(make_config(tmp_path), Clock(), step_in)
    database.start()

    def unit(tx: Tx) -> None:
        for event in ("one", "broken", "two"):
            tx.record(event)
        with tx.step():
            tx.record("three")
        for _ in range(2000):  # as many bans end at once: no effect lies within another
            tx.record("many")

    def read(tx: Tx) -> list[str]:
        return list(tx.conn.execute(sa.select(audit.c.subject).order_by(audit.c.seq)).scalars())

    await database.write(unit)
    found = await database.read(read)
    database.close()
    assert found[:8] == [
        "effect of one", "effect of after one", "effect of broken", "caught", "effect of two", "effect of after two",
        "effect of three", "effect of after three",
    ]  # fmt: skip
    assert found.count("effect of many") == 2000


def counting(tx: Tx, asked: list[None]) -> int:
    asked.append(None)
    return int(tx.conn.execute(_COUNT).scalar_one())


_COUNT = sa.select(sa.func.count()).select_from(audit)
_TOUCH = sa.update(meta).where(meta.c.key == sa.bindparam("of")).values(value="-")
_ADD = sa.insert(audit)


async def test_a_unit_keeps_what_it_read_until_it_changes_that_table(db: Database) -> None:
    asked: list[None] = []

    def look(tx: Tx, known: int) -> None:
        count = tx.once("audit", "count", lambda: counting(tx, asked))
        assert count == tx.conn.execute(_COUNT).scalar_one()
        assert len(asked) == known

    def undone(tx: Tx) -> None:
        note(tx, "lost")
        look(tx, 5)
        raise ValueError("lost")

    def work(tx: Tx) -> None:
        look(tx, 1)
        look(tx, 1)
        tx.conn.execute(_TOUCH, {"of": "nothing"})  # another table
        look(tx, 1)
        for known in (2, 3, 4):  # as SQLAlchemy runs it at first, and as we do when it comes again
            tx.conn.execute(_ADD, {"created_at": 1, "actor": "a", "act": "b", "subject": "c", "outcome": "ok"})
            look(tx, known)
        with pytest.raises(ValueError, match="lost"), tx.step():
            undone(tx)
        look(tx, 6)  # what was undone as well

    await db.write(work)
    await db.write(look, 7)  # nothing goes from one unit to the next


async def test_reads_cannot_write_or_mint(db: Database) -> None:
    with pytest.raises(RuntimeError):
        await db.read(lambda tx: tx.new_id())
    if not POSTGRESQL:
        with pytest.raises(sa.exc.OperationalError):
            await db.read(lambda tx: tx.conn.execute(sa.delete(audit)))


def read_around(tx: Tx, loop: asyncio.AbstractEventLoop, db: Database) -> tuple[set[str], set[str]]:
    before = subjects(tx)
    asyncio.run_coroutine_threadsafe(db.write(note, "meanwhile"), loop).result()
    return before, subjects(tx)


async def test_what_is_committed_during_a_read_is_seen_by_the_next_one(db: Database) -> None:
    await db.write(note, "earlier")
    assert await db.read(read_around, asyncio.get_running_loop(), db) == ({"earlier"}, {"earlier"})
    assert await db.read(subjects) == {"earlier", "meanwhile"}


async def test_a_failed_read_leaves_its_connection_usable(db: Database) -> None:
    for _ in range(READERS + 1):
        with pytest.raises(DBAPIError):
            await db.read(lambda tx: tx.conn.exec_driver_sql("SELECT nothing FROM nowhere"))
    assert await db.read(subjects) == set()


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has no connections that could be lost")
async def test_connections_that_were_lost_while_nothing_was_done_cost_nothing(db: Database) -> None:
    async def work() -> None:
        await asyncio.gather(*(db.write(note, str(number)) for number in range(20)))
        await asyncio.gather(*(db.read(subjects) for _ in range(20)))

    await work()
    with db.engine.connect() as conn, conn.begin():
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        assert len(conn.execute(sa.text(f"{others} AND pid <> pg_backend_pid()")).all()) > 2
    await work()


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has no connections that could be lost")
async def test_a_connection_that_is_lost_in_the_middle_costs_one_answer(db: Database) -> None:
    def lose(tx: Tx) -> None:
        tx.conn.execute(sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid())))

    for door in (db.read, db.write):
        with pytest.raises(Unavailable, match="cannot reach its database"):
            await door(lose)
        assert await door(subjects) == set()


async def test_one_after_the_other_needs_one_connection(db: Database) -> None:
    for number in range(20):
        await db.write(note, str(number))
        await db.read(subjects)
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith(("reader-", "writer-"))]
    assert sorted(names) == ["reader-0", "writer-0"]


async def test_who_waits_is_woken_after_the_commit(db: Database) -> None:
    event = db.waker("inbox")
    await db.write(lambda tx: tx.wake("inbox"))
    assert event.is_set()


async def test_two_processes_never_mint_the_same_id(db: Database, tmp_path: Path) -> None:
    other = Database(db.site.config, Clock(), echo)
    other.start()
    try:
        made = await asyncio.gather(
            *(door.write(lambda tx: [tx.new_id() for _ in range(200)]) for door in (db, other) for _ in range(5))
        )
    finally:
        other.close()
    ids = [id_ for group in made for id_ in group]
    assert len(set(ids)) == len(ids)


async def test_counters_are_exact_under_parallel_writers(db: Database) -> None:
    counter = sa.select(meta.c.value).where(meta.c.key == "counter")
    await db.write(lambda tx: tx.conn.execute(sa.insert(meta).values(key="counter", value="0")))

    def count(tx: Tx) -> None:
        value = int(tx.conn.execute(counter).scalar_one())
        tx.conn.execute(sa.update(meta).where(meta.c.key == "counter").values(value=str(value + 1)))

    await asyncio.gather(*(db.write(count) for _ in range(32)))
    assert await db.read(lambda tx: tx.conn.execute(counter).scalar_one()) == "32"


@pytest.mark.parametrize("change", [sa.update(audit).values(reason="another"), sa.delete(audit)], ids=str)
async def test_the_audit_only_grows(db: Database, change: Any) -> None:
    await db.write(note, "kept")
    with pytest.raises(sa.exc.DBAPIError, match="only grows"):
        await db.write(lambda tx: tx.conn.execute(change))
    assert await db.read(subjects) == {"kept"}


async def test_a_long_unit_gets_its_turn_among_short_ones_that_clash_with_it(db: Database) -> None:
    def count_and_note(tx: Tx, subject: str, seconds: float) -> None:
        subjects(tx)  # what every other unit adds to, so that only one of two can win
        time.sleep(seconds)
        note(tx, subject)

    async def hurry() -> None:
        while not long.done():
            await db.write(count_and_note, "short", 0)

    long = asyncio.create_task(db.write(count_and_note, "long", 0.05))
    await asyncio.gather(long, hurry(), hurry())
    assert await db.read(subjects) >= {"long", "short"}


async def test_upserts(db: Database) -> None:
    def unit(tx: Tx) -> list[bool]:
        nodes = metadata.tables["leases"]
        made = [insert_ignore(tx, nodes, name="a", token=str(n), lease_until_at=n) for n in range(2)]
        upsert(tx, nodes, ("name",), name="a", token="new", lease_until_at=9)
        return [*made, tx.conn.execute(sa.select(nodes.c.token)).scalar_one() == "new"]

    assert await db.write(unit) == [True, False, True]


async def test_after_close_the_doors_are_shut(db: Database) -> None:
    db.close()
    with pytest.raises(Unavailable):
        await db.write(note, "late")


@pytest.mark.skipif(POSTGRESQL, reason="SQLite's own way to fail")
def test_a_full_disk_refuses_and_keeps_what_was_accepted(tmp_path: Path) -> None:
    script = Path(__file__).with_name("full_disk.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


async def test_a_newer_database_is_refused(db: Database) -> None:
    await db.write(lambda tx: tx.conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    assert schema.revision_state(db.engine) == "newer"
    with pytest.raises(ConfigError, match="newer version"):
        schema.upgrade(db.engine, db.site.config, Clock())


def test_migrations_follow_by_the_numbers_of_their_files() -> None:
    """A start compares those alone."""
    scripts = list(ScriptDirectory.from_config(migrations.config()).walk_revisions())
    assert [script.revision for script in scripts] == list(schema._revisions())
    assert len({script.revision for script in scripts}) == len(scripts) > 20


_START = """
import sys
from pathlib import Path
from fedcorp import config as configuration
from fedcorp.clock import Clock
from fedcorp.commands import serving
from fedcorp.storage import schema
from fedcorp.storage.database import Database

_, database, key = sys.argv
config = configuration.parse({"domain": "a.localhost", "storage": {"database": database, "key": key}}, folder=Path())
db = Database(config, Clock(), lambda tx, event: None)
schema.upgrade(db.engine, config, Clock())
db.close()
print(sorted({"alembic", "mako"} & set(sys.modules)))
"""


def test_a_start_that_has_nothing_to_upgrade_loads_no_alembic(tmp_path: Path) -> None:
    def loaded() -> str:
        words = [sys.executable, "-c", _START, storage.database, storage.key]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    config = make_config(tmp_path)
    storage, engine = config.storage, Database(config, Clock(), echo).engine
    assert loaded() == "[]"
    downgrade(engine, "0022")
    assert loaded() == "['alembic', 'mako']"
    engine.dispose()


def test_an_older_database_is_upgraded(db: Database) -> None:
    downgrade(db.engine, "0001")
    assert schema.revision_state(db.engine) == "older"
    schema.upgrade(db.engine, db.site.config, Clock())
    assert schema.revision_state(db.engine) == "current"
    test_the_migrations_make_exactly_the_tables(db)


def test_the_migrations_make_exactly_the_tables(db: Database) -> None:
    found = sa.inspect(db.engine)
    names = {name for name in found.get_table_names() if not name.startswith("status_index")}  # SQLite's own, of words
    assert names == set(metadata.tables) | {"alembic_version"}
    for name, table in metadata.tables.items():
        assert {column["name"] for column in found.get_columns(name)} == set(table.c.keys()), name
        made = {index["name"] for index in found.get_indexes(name) if not index.get("duplicates_constraint")}
        wanted = {index.name for index in table.indexes if not (db.sqlite and index.kwargs.get("postgresql_using"))}
        assert wanted == made, name


# -- glances ---------------------------------------------------------------------------------------------------------


def thread_of(tx: Tx) -> tuple[int, set[str]]:
    return threading.get_ident(), subjects(tx)


def count_long(tx: Tx) -> tuple[int, int]:
    """Steps that no page of a list takes; (thread, result)."""
    numbers = sa.select(sa.literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n < 200_000))
    found: int = tx.conn.execute(sa.select(sa.func.count()).select_from(numbers)).scalar_one()
    return threading.get_ident(), found


async def test_a_glance_sees_what_was_committed_here_and_by_another_process(db: Database, tmp_path: Path) -> None:
    other = Database(db.site.config, Clock(), echo)
    other.start()
    try:
        assert (await db.glance(thread_of))[1] == set()
        await db.write(note, "own")
        assert (await db.glance(thread_of))[1] == {"own"}
        await other.write(note, "of another")
        assert (await db.glance(thread_of))[1] == {"own", "of another"}
        with pytest.raises(ValueError, match="wrong"):
            await db.glance(fail_reading, "wrong")
        await db.write(note, "after an error")
        assert "after an error" in (await db.glance(thread_of))[1]
    finally:
        other.close()


def fail_reading(tx: Tx, subject: str) -> None:
    subjects(tx)
    raise ValueError(subject)


async def test_short_glances_stay_on_the_loop_and_long_ones_leave_it(db: Database) -> None:
    """On PostgreSQL all of them wait in a thread, since an answer has to come over a connection."""
    here = threading.get_ident()
    for _ in range(20):  # bounds are those of one unit, not of all that came before
        assert ((await db.glance(thread_of))[0] == here) is db.sqlite
    thread, count = await db.glance(count_long)
    assert thread != here
    assert count == 200_000
    assert ((await db.glance(thread_of))[0] == here) is db.sqlite
