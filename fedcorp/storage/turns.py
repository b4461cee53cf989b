"""Who writes next, where several processes write into one SQLite file: first come, first served.

SQLite itself looks again after pauses that grow to a tenth of a second, and whoever has just written is usually the
first to ask again: of two processes that write much, one waited for half a second (docs/decisions/0022). Here everybody
stands in a line of one place: who has it looks often, and who has written must get it before writing again.

The line is only about order. What keeps writers apart is SQLite's own lock, which programs that know nothing of the
line respect as well. A process that ends leaves the line by ending; one that may not open its file does without it.
"""

import contextlib
import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from fedcorp.errors import Unavailable

TURN_SECONDS = 0.03  # after which work that can go on in a later unit ends this one, so that others may write
PAUSE_SECONDS = 0.0005
MOST_TRIES = 60_000  # half a minute and more, which is longer than anybody writes
CANNOT_STORE = "The server cannot store anything at the moment."

log = logging.getLogger(__name__)


class Turns:
    """The line before one SQLite file. `pause` sleeps for some seconds. One of it serves one thread."""

    def __init__(self, path: Path, pause: Callable[[float], object]) -> None:
        self._pause = pause
        self._place: int | None = None
        try:
            self._place = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            log.warning("writers take no turns, because %s cannot be opened: %s", path, error.strerror)

    def close(self) -> None:
        """Leave for good."""
        if self._place is not None:
            os.close(self._place)
            self._place = None

    def begin(self, conn: Connection) -> None:
        """BEGIN a transaction that writes, in turn. Raises Unavailable when others do not let go, DBAPIError when the
        database cannot be written for another reason."""
        with self._first_in_line():
            self._until(lambda: _has_begun(conn))

    @contextlib.contextmanager
    def _first_in_line(self) -> Iterator[None]:
        if (place := self._place) is None:
            yield
            return
        self._until(lambda: _is_first(place))
        try:
            yield
        finally:
            fcntl.flock(place, fcntl.LOCK_UN)

    def _until(self, is_done: Callable[[], bool]) -> None:
        for _ in range(MOST_TRIES):
            if is_done():
                return
            self._pause(PAUSE_SECONDS)
        raise Unavailable(CANNOT_STORE, "another process holds the database")


def _is_first(place: int) -> bool:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_begun(conn: Connection) -> bool:
    """Whether the lock was free. SQLite must not wait by itself (`busy_timeout`)."""
    try:
        conn.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        if _is_busy(error):
            return False
        raise
    return True


def _is_busy(error: OperationalError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY
