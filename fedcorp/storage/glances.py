"""Short reads on the thread that asks, for SQLite: without handing anything to another thread and back.

Readers of a write-ahead log wait for nobody, so a page that is found by an index is read sooner than a thread wakes up.
The bounds see to it that a read which turns out long does not hold the thread: past them, or where the database is
locked, it ends with the driver's error, and the caller runs it again elsewhere.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.engine import Engine

from fedcorp.storage.statements import QuickConnection, Statements

T = TypeVar("T")
TICK = 20_000  # steps of SQLite's machine between two looks: less than a millisecond
TICKS = 8  # that one unit may take; a page of a timeline takes a third of one


class Glances:
    """A read-only connection with bounds. For one thread at a time, the one that runs the event loop."""

    def __init__(self, engine: Engine, statements: Statements) -> None:
        self._conn = engine.connect()
        self._quick = QuickConnection(self._conn, statements)
        self._left = TICKS
        raw: Any = self._conn.connection
        raw.execute("PRAGMA busy_timeout = 0")
        raw.execute("PRAGMA cache_size = -4000")  # KiB: nearly everything that is read is read here
        raw.set_progress_handler(self._tick, TICK)

    def run(self, work: Callable[[QuickConnection], T]) -> T:
        """Run `work` within one snapshot. Raises what it raises; DBAPIError when it was too long or had to wait."""
        self._left = TICKS
        self._quick.exec_driver_sql("BEGIN")
        try:
            return work(self._quick)
        finally:
            self._left = TICKS
            self._quick.exec_driver_sql("COMMIT")

    def _tick(self) -> bool:
        """Whether SQLite shall give up the statement it is at."""
        self._left -= 1
        return self._left < 0

    def close(self) -> None:
        """Close the connection."""
        self._conn.close()
