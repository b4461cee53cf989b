"""A statement gives the same whether SQLAlchemy runs it, the first time, or the driver, from the second time on."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fedcorp.clock import Clock
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import access_tokens, follows, statuses, streams
from fedcorp.storage.upsert import insert_ignore
from tests.databases import make_config

pytestmark = pytest.mark.anyio

TIMES = 4
_IDS: Any = sa.bindparam("ids", expanding=True)
_FOLLOW = sa.insert(follows)
_ALL = sa.select(follows).order_by(follows.c.id)
_SOME = sa.select(follows.c.id, follows.c.notify, sa.exists().where(follows.c.id == 3)).where(
    follows.c.id.in_(_IDS), follows.c.state.in_(("accepted", "pending")), follows.c.id.not_in(_IDS) | sa.true()
)
_EITHER = sa.union_all(
    sa.select(follows.c.id, follows.c.notify).where(follows.c.id == sa.bindparam("first")),
    sa.select(follows.c.id, follows.c.notify).where(follows.c.id == sa.bindparam("second")),
)
_RAISE = (
    sa.update(follows)
    .where(follows.c.id == sa.bindparam("one"))
    .values(created_at=follows.c.created_at + 1)
    .returning(follows.c.created_at, follows.c.notify)
)
_WORDY = sa.select(statuses.c.id).where(  # `visibility` stands in the condition of a partial index
    statuses.c.visibility == "public",
    statuses.c.reach.in_(("company", "it's % :visibility_1")),
    statuses.c.account_id == sa.bindparam("author"),
)
_STREAM = sa.insert(streams)
_TOKEN = sa.insert(access_tokens)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(make_config(tmp_path), Clock(), lambda tx, event: None)
    database.start()
    yield database
    database.close()


def fill(tx: Tx, first: int = 1, count: int = TIMES) -> None:
    for id_ in range(first, first + count):
        values = {"id": id_, "follower_id": id_, "target_id": 9, "state": "accepted", "uri": f"u{id_}", "created_at": 0}
        tx.conn.execute(_FOLLOW, {**values, "notify": id_ % 2 == 0})


async def test_rows_are_tuples_with_names_and_real_booleans(db: Database) -> None:
    await db.write(fill)
    seen = [await db.read(lambda tx: [tuple(row) for row in tx.conn.execute(_ALL)]) for _ in range(TIMES)]
    assert seen == [seen[0]] * TIMES
    assert [row[:7] for row in seen[0]] == [(n, n, 9, "accepted", f"u{n}", "", True) for n in range(1, TIMES + 1)]
    row = await db.read(lambda tx: tx.conn.execute(_ALL).first())
    assert (row.id, row.uri, row.reblogs, row.notify) == (1, "u1", True, False)
    assert type(row.notify) is bool


async def test_a_list_may_have_any_length(db: Database) -> None:
    await db.write(fill, 1, 60)

    def ask(tx: Tx, ids: Any) -> list[Any]:
        return sorted(tuple(row) for row in tx.conn.execute(_SOME, {"ids": ids}))

    for ids in ([2], [], [2], (1, 2, 3), {5, 6, 7, 8, 9}, list(range(1, 61)), [7, 7, 7], [], list(range(2000))):
        wanted = sorted({id_ for id_ in ids if 1 <= id_ <= 60})
        assert await db.read(ask, ids) == [(id_, id_ % 2 == 0, True) for id_ in wanted]


_TEXTS = ("", 'quote " and \\ slash', "line\nfeed\tand \x01 \x7f", "naïve ☃ \U0001f600 \u2028", "[1, null]", "x" * 5000)
_NARROW = (
    sa.select(streams.c.seq, streams.c.kind, streams.c.status_id, streams.c.created_at)
    .where(streams.c.created_at.in_(_IDS))
    .order_by(streams.c.seq.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)


async def test_gathered_rows_are_those_that_execute_gives(db: Database) -> None:
    def insert(tx: Tx) -> None:
        for at, kind in enumerate(_TEXTS):
            tx.conn.execute(_STREAM, {"kind": kind, "created_at": at, "status_id": 2**63 - 1 - at if at % 2 else None})

    def ask(tx: Tx, ids: list[int], most: int) -> tuple[list[Any], list[Any]]:
        given = {"ids": ids, "most": most}
        return tx.conn.gather(_NARROW, given, tuple), [tuple(row) for row in tx.conn.execute(_NARROW, given)]

    await db.write(insert)
    for ids, most in (([0], 1), ([9], 5), (list(range(6)), 6), (list(range(6)), 4), ([], 3), ([3, 1], 9)):
        gathered, executed = await db.read(ask, ids, most)
        assert gathered == executed
        assert [row[1] for row in gathered] == [_TEXTS[at] for at in reversed(range(6)) if at in ids][:most]


async def test_booleans_are_gathered_as_booleans(db: Database) -> None:
    await db.write(fill)
    for _ in range(TIMES):
        found = await db.read(lambda tx: tx.conn.gather(_ALL, {}, lambda row: row.notify))
        assert found == [False, True, False, True]
        assert all(type(value) is bool for value in found)


async def test_unions_and_returned_columns(db: Database) -> None:
    await db.write(fill)
    values = {"first": 1, "second": 2}
    for _ in range(TIMES):
        found = await db.read(lambda tx: tx.conn.execute(_EITHER, values).all())
        assert sorted(map(tuple, found)) == [(1, False), (2, True)]
    for number in range(1, TIMES):
        raised = await db.write(lambda tx: tx.conn.execute(_RAISE, {"one": 2}).one())
        assert tuple(raised) == (number, True)


def _insert_stream(tx: Tx, given: dict[str, Any]) -> None:
    tx.conn.execute(_STREAM, given)


async def test_the_columns_given_decide_what_is_inserted(db: Database) -> None:
    full = {"kind": "update", "status_id": 5, "account_id": None, "notification_seq": None, "created_at": 1}
    for given in (full, full, {"kind": "delete", "created_at": 2}, {"created_at": 3, "kind": "x"}, full):
        await db.write(_insert_stream, given)
    found = await db.read(lambda tx: tx.conn.execute(sa.select(streams).order_by(streams.c.seq)).all())
    assert [(row.kind, row.status_id, row.created_at) for row in found] == [
        ("update", 5, 1), ("update", 5, 1), ("delete", None, 2), ("x", None, 3), ("update", 5, 1),
    ]  # fmt: skip


async def test_bytes_and_counts_of_rows(db: Database) -> None:
    def insert(tx: Tx, id_: int) -> bool:
        values = {"id": id_, "token_hash": b"\x00\xff", "application_id": 1, "scopes": "read", "created_at": 1}
        return insert_ignore(tx, access_tokens, **values)

    assert [await db.write(insert, number) for number in range(TIMES)] == [True, False, False, False]
    hashes = sa.select(access_tokens.c.token_hash)
    for _ in range(TIMES):
        assert await db.read(lambda tx: tx.conn.execute(hashes).scalar_one()) == b"\x00\xff"
    gone = sa.delete(access_tokens).where(access_tokens.c.id == sa.bindparam("id"))
    counts = [await db.write(lambda tx: tx.conn.execute(gone, {"id": 0}).rowcount) for _ in range(TIMES)]
    assert counts == [1, 0, 0, 0]


async def test_errors_are_those_of_sqlalchemy_and_do_not_tell_values(db: Database) -> None:
    values = {"id": 1, "token_hash": b"a", "application_id": 1, "scopes": "very secret", "created_at": 1}
    await db.write(lambda tx: tx.conn.execute(_TOKEN, values))
    for _ in range(TIMES):
        with pytest.raises(IntegrityError, match="token_hash") as caught:
            await db.write(lambda tx: tx.conn.execute(_TOKEN, values))
        assert "very secret" not in str(caught.value)


async def test_a_missing_value_is_an_error_and_nothing_is_kept(db: Database) -> None:
    one = sa.select(follows.c.id).where(follows.c.id == sa.bindparam("id"))
    await db.write(fill)

    def unit(tx: Tx) -> None:
        fill(tx, 50, 1)
        tx.conn.execute(one, {"other": 1})

    for _ in range(TIMES):
        with pytest.raises(sa.exc.SQLAlchemyError):
            await db.write(unit)
    assert await db.read(lambda tx: tx.conn.execute(sa.select(sa.func.count()).select_from(follows)).scalar_one()) == 4


async def test_a_step_within_a_step_is_undone_alone(db: Database) -> None:
    def unit(tx: Tx) -> None:
        with tx.step():
            fill(tx, 1, 1)
            with contextlib.suppress(ValueError), tx.step():
                fill(tx, 2, 1)
                raise ValueError("inner")
            with tx.step():
                fill(tx, 3, 1)

    await db.write(unit)
    assert await db.read(lambda tx: tx.conn.execute(sa.select(follows.c.id)).scalars()) == [1, 3]


async def test_words_become_text_and_everything_else_stays_a_value(db: Database) -> None:
    await db.write(fill)
    odd = sa.select(follows.c.id).where(follows.c.uri == sa.literal("it's % :uri_1 %(uri_1)s"))
    word = sa.select(follows.c.id, sa.literal("word")).where(follows.c.state == "accepted", follows.c.uri == "u2")
    default = sa.select(follows.c.id).where(follows.c.state == sa.bindparam("state", "accepted"))
    for statement, expected in ((odd, []), (word, [(2, "word")])):
        for _ in range(TIMES):
            found = await db.read(lambda tx, statement=statement: tx.conn.execute(statement).all())  # type: ignore[misc]
            assert [tuple(row) for row in found] == expected
            given = await db.read(lambda tx: tx.conn.execute(default, {"state": "pending"}).all())
            assert not given
            assert await db.read(lambda tx: len(tx.conn.execute(default).all())) == TIMES


async def test_sqlite_does_not_plan_a_statement_anew_at_every_execution(db: Database) -> None:
    if not db.sqlite:
        pytest.skip("the planner of SQLite")
    looked: list[Any] = []

    def planned_later(tx: Tx) -> int:
        raw: Any = tx.conn._raw

        def look(*about: Any) -> int:  # asked whenever something is planned
            looked.append(about)
            return sqlite3.SQLITE_OK

        raw.set_authorizer(look)
        tx.conn.execute(_WORDY, {"author": 1})
        known = len(looked)
        for author in range(TIMES):
            tx.conn.execute(_WORDY, {"author": author})
        raw.set_authorizer(None)
        assert known > 0
        return len(looked) - known

    for _ in range(TIMES):
        await db.read(lambda tx: tx.conn.execute(_WORDY, {"author": 1}))
    assert await db.read(planned_later) == 0
