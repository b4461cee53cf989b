"""Writers of several processes take turns on one SQLite file."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import sleep

import pytest
import sqlalchemy as sa

from fedcorp.errors import Unavailable
from fedcorp.storage import turns
from fedcorp.storage.turns import Turns

pytestmark = pytest.mark.once

WRITES = 20
OVERTAKEN = 2  # turns of the other one that may pass: one under way, and one that came first in the line


class Writer:
    """One that writes into the file, on a connection that does not wait by itself."""

    def __init__(self, file: Path) -> None:
        engine = sa.create_engine(
            f"sqlite:///{file}", isolation_level="AUTOCOMMIT", connect_args={"timeout": 0, "check_same_thread": False}
        )
        self._conn = engine.connect()
        self._conn.exec_driver_sql("PRAGMA journal_mode = WAL")
        self._conn.exec_driver_sql("CREATE TABLE IF NOT EXISTS things (n INTEGER)")
        self.turns = Turns(Path(f"{file}-turn"), sleep)
        self.written = 0

    def begin(self) -> None:
        """Wait for the turn."""
        self.turns.begin(self._conn)

    def commit(self) -> None:
        """Write a row and let others go on."""
        self._conn.exec_driver_sql("INSERT INTO things VALUES (1)")
        self._conn.exec_driver_sql("COMMIT")
        self.written += 1

    def close(self) -> None:
        """Leave."""
        self.turns.close()
        self._conn.close()
        self._conn.engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where they write."""
    return tmp_path / "things.db"


@pytest.fixture
def writer(file: Path) -> Iterator[Writer]:
    """One of those who write."""
    with closing(Writer(file)) as made:
        yield made


def test_who_writes_without_end_lets_others_write(file: Path, writer: Writer) -> None:
    enough, other = threading.Event(), Writer(file)

    def write_without_end() -> None:
        while not enough.is_set():
            other.begin()
            sleep(0.002)
            other.commit()

    thread = threading.Thread(target=write_without_end)
    thread.start()
    overtaken = []
    try:
        for _ in range(WRITES):
            sleep(0.01)  # the other one is at it
            before = other.written
            writer.begin()
            overtaken.append(other.written - before)
            writer.commit()
    finally:
        enough.set()
        thread.join()
        other.close()
    assert other.written > WRITES, "the other one hardly wrote, so nothing was tried here"
    assert max(overtaken) <= OVERTAKEN


def test_others_who_know_no_turns_are_waited_for(file: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_TRIES", 5)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            writer.begin()
        other.execute("ROLLBACK")
    writer.begin()
    writer.commit()


def test_without_a_line_writers_still_do_not_meet(file: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_TRIES", 5)
    Path(f"{file}-turn").unlink()
    Path(f"{file}-turn").mkdir()  # which cannot be opened for writing
    with closing(Writer(file)) as other:
        other.begin()
        with pytest.raises(Unavailable):
            writer.begin()
        other.commit()
        writer.begin()
        writer.commit()


def test_what_is_wrong_is_no_reason_to_wait(writer: Writer) -> None:
    writer.begin()
    with pytest.raises(sa.exc.OperationalError):  # a transaction within a transaction
        writer.begin()
    writer.commit()
