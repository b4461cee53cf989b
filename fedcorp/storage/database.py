"""The two doors to the database, `read` and `write`, and what lies behind them on SQLite and on PostgreSQL.

A unit is a synchronous function `f(tx, ...)`. It touches only the database, may be rerun, and never commits: returning
commits, raising rolls back. The awaiting caller resumes after COMMIT. On SQLite one writer thread groups units into one
transaction, each in a savepoint of its own; on PostgreSQL a few threads run one serialisable transaction per unit.
This is the only module with database threads.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from fedcorp.clock import Clock
from fedcorp.config import Config
from fedcorp.errors import Unavailable
from fedcorp.ids import NODES, IdSource
from fedcorp.storage import sealed
from fedcorp.storage.glances import Glances
from fedcorp.storage.sealed import NO_KEYS, Keyring
from fedcorp.storage.statements import ALL, QuickConnection, statements_of
from fedcorp.storage.tables import meta, nodes
from fedcorp.storage.turns import CANNOT_STORE, Turns
from fedcorp.urls import Urls

P = ParamSpec("P")
T = TypeVar("T")

GROUP = 200  # units in one SQLite transaction
MOST_KEPT = 200  # answers that one unit keeps
READERS = 3
POSTGRES_WRITERS = 4
RETRIES = 30
PATIENCE = 3  # times that a unit may clash before it is run while no other unit is under way
GATE = 1_717_920_867  # the advisory lock of a database that every unit shares, and that such a unit holds alone
NODE_LEASE_MS = 300_000
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"  # of PostgreSQL; never clashes, holds nobody up
NO_DATABASE = "The server cannot reach its database at the moment."
# Serialization failure, deadlock, and a unique key that somebody else took meanwhile: run again, the unit finds it.
_CLASHES = {"40001", "40P01", "23505"}


@dataclass(frozen=True, slots=True)
class Site:
    """What every unit knows of the instance. `secret` signs media URLs, `vapid` (PKCS8 PEM) tells push services who
    sends, `keyring` seals what the database keeps secret; all three are empty until the tables exist."""

    config: Config
    urls: Urls
    secret: bytes = field(default=b"", repr=False)
    vapid: str = field(default="", repr=False)
    keyring: Keyring = field(default=NO_KEYS, repr=False)


def of_instance(key: str) -> str:
    """What a secret in the table `meta` is sealed as."""
    return f"the instance ({key})"


class Tx:
    """One unit of work: connection, time, ids, the site, and what happened in it."""

    __slots__ = (
        "_effects", "_finishing", "_ids", "_once", "_pending", "alone", "clock", "conn", "dialect", "ms", "site",
        "wakes",
    )  # fmt: skip

    def __init__(
        self,
        conn: QuickConnection,
        clock: Clock,
        site: Site,
        ids: IdSource | None,
        effects: "Effects | None",
        *,
        alone: bool = True,
    ) -> None:
        self.conn = conn
        self.alone = alone  # whether no other unit writes meanwhile; if one does, this unit may be run again
        self.clock = clock
        self.site = site
        self.dialect = conn.dialect.name
        self.ms = clock.ms()
        self.wakes: set[str] = set()
        self._ids = ids
        self._effects = effects
        self._pending: list[object] = []
        self._finishing = False
        self._once: dict[tuple[str, object], tuple[tuple[int, int], Any]] = {}

    def seal(self, text: str, of: str) -> str:
        """`text` as the database keeps it, the secret of `of`."""
        return self.site.keyring.seal(text, of, self.clock)

    def unseal(self, text: str, of: str) -> str:
        """What was sealed as the secret of `of`. Raises ConfigError when it was not, or with another key."""
        return self.site.keyring.open(text, of)

    def new_id(self) -> int:
        """A fresh time-ordered id. Only in writes."""
        if self._ids is None:
            raise RuntimeError("ids are minted in writes only")
        return self._ids.new()

    def record(self, event: object) -> None:
        """Say what happened; its effects are written before this unit (or `step`) ends."""
        self._pending.append(event)

    def once(self, table: str, key: object, read: Callable[[], T]) -> T:
        """What `read` gives, read again only after this unit changed `table`, the only one that it may look at.

        What somebody else commits meanwhile is not seen, as in a snapshot. Nobody may change what this returns.
        """
        changes = self.conn.changes
        version = (changes[table], changes[ALL])
        kept = self._once.get((table, key))
        if kept is not None and kept[0] == version:
            return cast(T, kept[1])
        if len(self._once) >= MOST_KEPT:
            self._once.clear()
        found = read()
        self._once[table, key] = (version, found)
        return found

    def wake(self, name: str) -> None:
        """After COMMIT, wake whoever waits for `name`, in this process or in its companion."""
        self.wakes.add(name)

    def finish(self) -> None:
        """Apply the effects of everything recorded so far, including what the effects record."""
        outer, self._finishing = self._finishing, True
        try:
            while self._pending:
                if self._effects is None:
                    raise RuntimeError("events are recorded in writes only")
                self._effects(self, self._pending.pop(0))
        finally:
            self._finishing = outer

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """A part of the unit that succeeds or is undone alone, its effects included. On error the error goes on.

        What was recorded before is no part of it: it has had its effects, or (within effects) has them afterwards.
        """
        if not self._finishing:
            self.finish()
        before, self._pending = self._pending, []
        self.conn.exec_driver_sql("SAVEPOINT step")  # one within another hides it until it ends
        try:
            yield
            self.finish()
        except BaseException:
            self.conn.exec_driver_sql("ROLLBACK TO SAVEPOINT step")
            self.conn.exec_driver_sql("RELEASE SAVEPOINT step")
            raise
        finally:
            self._pending = before
        self.conn.exec_driver_sql("RELEASE SAVEPOINT step")


Effects = Callable[[Tx, Any], None]


@dataclass(slots=True)
class _Unit:
    work: Callable[[Tx], Any]
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    wakes: set[str] = field(default_factory=set)
    result: Any = None
    error: BaseException | None = None
    begun: bool = False


class _Line:
    """Units that wait, and the threads that take them: another one is started when all are at work, up to `most`, so
    that who does little keeps one connection."""

    def __init__(self, name: str, most: int, work: Callable[["_Line"], None]) -> None:
        self._name = name
        self._most = most
        self._work = work
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._free = threading.Semaphore(0)  # one for each thread that has nothing to do, or is about to
        self._threads: list[threading.Thread] = []

    def put(self, unit: _Unit) -> None:
        """Hand a unit in. Only from the event loop."""
        is_awaited = self._free.acquire(blocking=False)
        self._units.put(unit)
        if not is_awaited and len(self._threads) < self._most:
            name = f"{self._name}-{len(self._threads)}"
            self._threads.append(threading.Thread(target=self._work, args=(self,), name=name, daemon=True))
            self._free.release()  # which it takes back with its first unit
            self._threads[-1].start()

    def take(self) -> _Unit | None:
        """The next unit, for a thread that is `done` or new; None when it is to end."""
        try:
            unit = self._units.get_nowait()
        except queue.Empty:
            return self._units.get()
        self._free.acquire(blocking=False)
        return unit

    def done(self) -> None:
        """A thread has nothing to do. Said before its answers are given, so that whoever hears one finds it free."""
        self._free.release()

    def take_more(self) -> _Unit | None:
        """Another unit if one waits; raises queue.Empty if none does."""
        return self._units.get_nowait()

    def close(self) -> None:
        """Let the threads finish what was handed in, and end."""
        for _ in self._threads:
            self._units.put(None)
        for thread in self._threads:
            thread.join(timeout=30)


class _GroupLost(Exception):
    """SQLite ended the transaction by itself (disk full, for one): nothing of the group was kept."""


class Database:
    """The database of one instance. `effects` is called for every recorded event inside the unit that recorded it."""

    def __init__(self, config: Config, clock: Clock, effects: Effects) -> None:
        self._clock = clock
        self._effects = effects
        self.site = Site(config, Urls(config.origin))
        url = config.database_url
        self.sqlite = url.startswith("sqlite")
        self.url = url
        self._statements = statements_of("sqlite" if self.sqlite else "postgresql")
        self._wakers: dict[str, asyncio.Event] = {}
        self._tell_beyond: Callable[[set[str]], None] = lambda names: None
        writers, write = (1, self._write_sqlite) if self.sqlite else (POSTGRES_WRITERS, self._write_postgres)
        self._units = _Line("writer", writers, write)
        self._reads = _Line("reader", READERS, self._read_loop)
        self._write_engine = _sqlite_engine(url) if self.sqlite else _postgres_engine(url, "SERIALIZABLE")
        self._read_engine = _sqlite_engine(url, read_only=True) if self.sqlite else _postgres_engine(url, "AUTOCOMMIT")
        self._pause = threading.Event()
        self._glances: Glances | None = None
        self._open = False
        self._closed = False
        self.writes = 0  # that were asked for in this process

    @property
    def engine(self) -> Engine:
        """The engine of the writer, for migrations and checks; not for units."""
        return self._write_engine

    def start(self) -> None:
        """Open the doors. The tables must exist (`fedcorp.storage.schema`)."""
        keyring = sealed.load(self.site.config)
        with self._write_engine.connect() as conn:
            held = {row.key: row.value for row in conn.execute(sa.select(meta))}
            conn.rollback()
        secret, vapid = (keyring.open(held[key], of_instance(key)) for key in ("secret", "vapid"))
        self.site = replace(self.site, secret=bytes.fromhex(secret), vapid=vapid, keyring=keyring)
        if self.sqlite:
            self._glances = Glances(self._read_engine, self._statements)
        self._open = True

    def close(self) -> None:
        """Finish what was handed in, release the id nodes and stop the threads."""
        if self._closed:
            return
        self._closed = True
        self._reads.close()
        self._units.close()
        if self._glances is not None:
            self._glances.close()
        self._write_engine.dispose()
        self._read_engine.dispose()

    # -- the doors --------------------------------------------------------------------------------------------------

    async def write(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, ...)` and commit; resume after COMMIT. Raises what `work` raises, with nothing kept."""
        self.writes += 1
        return await self._hand_in(self._units, lambda tx: work(tx, *args, **kwargs))

    async def read(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, ...)` on a read-only connection, within one snapshot."""
        return await self._hand_in(self._reads, lambda tx: work(tx, *args, **kwargs))

    async def glance(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `read`, for what is usually short: on SQLite it is done at once, here, and moved to a thread when it is
        long after all (docs/decisions/0014)."""
        if self._glances is not None:
            self._check_open()
            try:
                return self._glances.run(
                    lambda conn: work(Tx(conn, self._clock, self.site, None, None), *args, **kwargs)
                )
            except DBAPIError:  # too long, or locked; what is really wrong is wrong there as well
                pass
        return await self.read(work, *args, **kwargs)

    def _check_open(self) -> None:
        if self._closed or not self._open:
            raise Unavailable("The server is stopping.", "database is not open")

    async def _hand_in(self, line: _Line, work: Callable[[Tx], T]) -> T:
        self._check_open()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        line.put(_Unit(work, future, loop))
        return await future

    def waker(self, name: str) -> asyncio.Event:
        """The event that is set when a committed unit woke `name`: of this process, or of one that tells (`wake`)."""
        return self._wakers.setdefault(name, asyncio.Event())

    def wake(self, names: Iterable[str]) -> None:
        """Wake whoever waits here, because another process has committed something. In the event loop only."""
        for name in names:
            if name in self._wakers:
                self._wakers[name].set()

    def tell_beyond(self, tell: Callable[[set[str]], None]) -> None:
        """After a commit, hand the names for which nobody waits in this process to `tell`, in the event loop."""
        self._tell_beyond = tell

    def _resolve(self, units: list[_Unit]) -> None:
        """Hand results to the waiting tasks: one call into the event loop for the whole group."""
        if not units:
            return
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            units[0].loop.call_soon_threadsafe(self._resolve_in_loop, units)

    def _resolve_in_loop(self, units: list[_Unit]) -> None:
        names: set[str] = set()
        for unit in units:
            names |= unit.wakes
            if unit.future.done():  # the caller was cancelled
                continue
            if unit.error is not None:
                unit.future.set_exception(unit.error)
            else:
                unit.future.set_result(unit.result)
        self.wake(names)
        if others := names - self._wakers.keys():
            self._tell_beyond(others)

    # -- reading ----------------------------------------------------------------------------------------------------

    def _read_loop(self, line: _Line) -> None:
        conn: Connection | None = None
        while (unit := line.take()) is not None:
            held, conn = conn, self._read_on(conn, unit)
            if conn is None and held is not None:  # the database has closed it since the last unit
                conn = self._read_on(None, unit)
            line.done()
            self._resolve([unit])
        if conn is not None:
            conn.close()

    def _read_on(self, conn: Connection | None, unit: _Unit) -> Connection | None:
        """Read on a connection, or on a new one; the connection, unless it was lost."""
        unit.error = None
        try:
            conn = conn or _connect(self._read_engine)
            unit.result = self._read_one(QuickConnection(conn, self._statements), unit)
        except BaseException as error:  # noqa: BLE001 - handed to the caller of `read`
            unit.error = error
        return _kept(conn, unit)

    def _read_one(self, conn: QuickConnection, unit: _Unit) -> Any:
        conn.exec_driver_sql("BEGIN" if self.sqlite else SNAPSHOT)
        try:
            return unit.work(Tx(conn, self._clock, self.site, None, None))
        finally:
            if not conn.invalidated:
                conn.exec_driver_sql("COMMIT")

    # -- writing on SQLite ------------------------------------------------------------------------------------------

    def _write_sqlite(self, line: _Line) -> None:
        conn = self._write_engine.connect()
        conn.exec_driver_sql("PRAGMA busy_timeout = 0")  # whoever writes waits for a turn instead
        turns = Turns(Path(f"{self._write_engine.url.database}-turn"), self._pause.wait)
        node = _Node(self._clock)
        running = True
        while running:
            batch, running = _next_group(line)
            if batch:
                self._drain(conn, turns, node, batch)
                line.done()
                self._resolve(batch)
        if node.is_claimed():  # who wrote nothing must not wait for whoever holds the file
            with contextlib.suppress(DBAPIError, Unavailable):  # a lease that is not given back ends by itself
                turns.begin(conn)
                node.release(conn)
                conn.exec_driver_sql("COMMIT")
        conn.close()
        turns.close()

    def _drain(self, conn: Connection, turns: Turns, node: "_Node", batch: list[_Unit]) -> None:
        """Run a group of units in one transaction; when the group is lost, run them one by one."""
        try:
            self._run_group(conn, turns, node, batch)
        except Unavailable as error:  # before any of them ran
            for unit in batch:
                _fail(unit, error)
        except (_GroupLost, DBAPIError) as error:
            if len(batch) == 1:
                _fail(batch[0], error)
                return
            for unit in batch:
                self._drain(conn, turns, node, [unit])

    def _run_group(self, conn: Connection, turns: Turns, node: "_Node", batch: list[_Unit]) -> None:
        raw: Any = conn.connection.dbapi_connection
        quick = QuickConnection(conn, self._statements)
        turns.begin(conn)
        try:
            ids = node.ids(conn)
            for unit in batch:
                raw.execute("SAVEPOINT unit")
                self._run_unit(Tx(quick, self._clock, self.site, ids, self._effects), unit)
                if not raw.in_transaction:
                    raise _GroupLost
                if unit.error is not None:
                    raw.execute("ROLLBACK TO unit")
                raw.execute("RELEASE unit")
            conn.exec_driver_sql("COMMIT")
        except BaseException:
            node.forget()
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            raise

    @staticmethod
    def _run_unit(tx: Tx, unit: _Unit) -> None:
        unit.result = unit.error = None
        unit.begun = True
        try:
            unit.result = unit.work(tx)
            tx.finish()
        except BaseException as error:  # noqa: BLE001 - handed to the caller of `write`
            unit.error = error
        unit.wakes = tx.wakes if unit.error is None else set()

    # -- writing on PostgreSQL --------------------------------------------------------------------------------------

    def _write_postgres(self, line: _Line) -> None:
        conn: Connection | None = None
        node = _Node(self._clock)
        while (unit := line.take()) is not None:
            held, conn = conn, self._write_on(conn, node, unit)
            if conn is None and held is not None and not unit.begun:  # one that has begun may have been committed
                conn = self._write_on(None, node, unit)
            line.done()
            self._resolve([unit])
        if conn is not None:
            with contextlib.suppress(DBAPIError), conn.begin():
                node.release(conn)
            conn.close()

    def _write_on(self, conn: Connection | None, node: "_Node", unit: _Unit) -> Connection | None:
        """Write on a connection, or on a new one; the connection, unless it was lost."""
        try:
            conn = conn or _connect(self._write_engine)
            self._run_serialisable(conn, node, unit)
        except Unavailable as error:
            unit.error = error
        return _kept(conn, unit)

    def _run_serialisable(self, conn: Connection, node: "_Node", unit: _Unit) -> None:
        """Run one unit, again when the database says that it clashed with another.

        Short units would make a long one lose for ever; one that lost a few times is run alone.
        """
        for attempt in range(RETRIES):
            try:
                ids = self._leased_ids(conn, node)
                alone = attempt >= PATIENCE
                with _transaction(conn, alone=alone):
                    quick = QuickConnection(conn, self._statements)
                    self._run_unit(Tx(quick, self._clock, self.site, ids, self._effects, alone=alone), unit)
                    if unit.error is not None:
                        raise unit.error
                return
            except BaseException as error:  # noqa: BLE001 - handed to the caller of `write`
                unit.error = error
                if _is_lost(conn) or not is_clash(error):
                    return
            self._pause.wait(self._clock.random() * 0.002 * (attempt + 1))  # spread out those that clash

    def _leased_ids(self, conn: Connection, node: "_Node") -> IdSource:
        """The ids of this thread; the lease commits by itself, so that no failing unit takes it back."""
        if node.is_leased():
            return node.ids(conn)
        with conn.begin():
            return node.ids(conn)


def _connect(engine: Engine) -> Connection:
    """A new connection. Raises Unavailable."""
    try:
        return engine.connect()
    except DBAPIError as error:
        raise Unavailable(NO_DATABASE, _reason(error)) from error


def _is_lost(conn: Connection) -> bool:
    """Whether the database has closed a connection. SQLAlchemy does not see it where statements run on the driver's
    cursor."""
    return conn.invalidated or bool(getattr(conn.connection.dbapi_connection, "closed", False))


def _kept(conn: Connection | None, unit: _Unit) -> Connection | None:
    """The connection after a unit; None when it was lost, which is nobody's fault and which the caller hears."""
    if conn is None or not _is_lost(conn):
        return conn
    if unit.error is not None:
        unit.error = Unavailable(NO_DATABASE, _reason(unit.error))
    conn.invalidate()
    conn.close()
    return None


def _next_group(line: _Line) -> tuple[list[_Unit], bool]:
    """Wait for a unit, then take whatever else is waiting; False when the line was closed."""
    batch: list[_Unit] = []
    unit = line.take()
    while unit is not None:
        batch.append(unit)
        if len(batch) >= GROUP:
            return batch, True
        try:
            unit = line.take_more()
        except queue.Empty:
            return batch, True
    return batch, False


@contextlib.contextmanager
def _transaction(conn: Connection, *, alone: bool) -> Iterator[None]:
    """A transaction of PostgreSQL beside others, or `alone`: after those under way and before all that come."""
    if not alone:
        with conn.begin():
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({GATE})")
            yield
        return
    with conn.begin():  # one of its own: what the unit sees must not be older than its turn
        conn.exec_driver_sql(f"SELECT pg_advisory_lock({GATE})")
    try:
        with conn.begin():
            yield
    finally:
        if not conn.invalidated:
            with conn.begin():
                conn.exec_driver_sql(f"SELECT pg_advisory_unlock({GATE})")


class _Node:
    """The id node that a writer thread has leased; claimed and renewed inside the transactions of that thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._token = clock.token(12)
        self._ids: IdSource | None = None

    def ids(self, conn: Connection) -> IdSource:
        """The id source, with a lease that holds for this transaction."""
        if self._ids is None or not self.is_leased():
            now = self._clock.ms()
            self._ids = self._renew(conn, now) or self._claim(conn, now)
        return self._ids

    def is_claimed(self) -> bool:
        """Whether there is anything to release."""
        return self._ids is not None

    def is_leased(self) -> bool:
        """Whether `ids` needs no statement: the lease holds for a while yet."""
        ids = self._ids
        if ids is None or ids.valid_until is None:
            return False
        return ids.valid_until - self._clock.ms() >= NODE_LEASE_MS // 2

    def forget(self) -> None:
        """The transaction that claimed or renewed may be gone: look again next time, but never reuse a counter."""
        if self._ids is not None:
            self._ids.valid_until = None

    def _renew(self, conn: Connection, now: int) -> IdSource | None:
        if self._ids is None:
            return None
        mine = sa.update(nodes).where(nodes.c.node == self._ids.node, nodes.c.token == self._token)
        if conn.execute(mine.values(lease_until_at=now + NODE_LEASE_MS)).rowcount == 0:
            return None
        self._ids.valid_until = now + NODE_LEASE_MS
        return self._ids

    def _claim(self, conn: Connection, now: int) -> IdSource:
        taken = {row.node: row.lease_until_at for row in conn.execute(sa.select(nodes))}
        free = next((number for number in range(NODES) if taken.get(number, -1) < now - 1000), None)
        if free is None:
            raise Unavailable("The server is busy, try again.", "all id nodes are leased")
        conn.execute(sa.delete(nodes).where(nodes.c.node == free))
        conn.execute(sa.insert(nodes).values(node=free, token=self._token, lease_until_at=now + NODE_LEASE_MS))
        return IdSource(free, self._clock.ms, valid_until=now + NODE_LEASE_MS)

    def release(self, conn: Connection) -> None:
        """Give the node back; it may be leased again a second later."""
        if self._ids is not None:
            mine = sa.update(nodes).where(nodes.c.node == self._ids.node, nodes.c.token == self._token)
            conn.execute(mine.values(lease_until_at=self._clock.ms()))


def _fail(unit: _Unit, error: BaseException) -> None:
    detail = _reason(error) if isinstance(error, DBAPIError) else "the transaction was rolled back by the database"
    lost = error if isinstance(error, Unavailable) else Unavailable(CANNOT_STORE, detail)
    unit.result, unit.wakes, unit.error = None, set(), unit.error or lost


def is_clash(error: BaseException) -> bool:
    """Whether PostgreSQL says that another transaction was in the way; a unit that is run again sees what it did.

    A unique key that is taken counts as one, because the two cannot be told apart; `Tx.alone` can.
    """
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CLASHES


def _reason(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    return str(original).strip().splitlines()[0] if str(original).strip() else type(original).__name__


def _sqlite_engine(url: str, *, read_only: bool = False) -> Engine:
    # Seconds to wait for a writer in another process; statements that each connection keeps prepared.
    arguments = {"timeout": 30, "check_same_thread": False, "cached_statements": 512}
    engine = sa.create_engine(
        url, isolation_level="AUTOCOMMIT", connect_args=arguments, paramstyle="named", hide_parameters=True
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # KiB. What a writer changes in one transaction needs room; a page of a timeline takes a tenth of a reader's.
        connection.execute(f"PRAGMA cache_size = {-2000 if read_only else -4000}")
        connection.execute("PRAGMA temp_store = MEMORY")
        if read_only:
            connection.execute("PRAGMA query_only = ON")

    return engine


def _postgres_engine(url: str, isolation: str) -> Engine:
    engine = sa.create_engine(
        url,
        isolation_level=isolation,
        pool_size=8,
        pool_reset_on_return=None,
        pool_pre_ping=False,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("SET jit = off")  # compiling a statement takes longer than any of ours
        connection.commit()

    return engine
