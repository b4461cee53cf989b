"""Does what is due: one loop for each kind of work, woken by a commit (here or in the process beside) or every 200 ms.

Knows nothing of the work itself: `fedcorp.app` hands in passes. A pass that fails is logged and tried again after a
pause that grows; it never ends its loop. While the database is away all of them look for it every few seconds, so that
work goes on soon after it is back. Nothing is kept here that a killed process could lose.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from fedcorp.clock import Clock
from fedcorp.errors import FedcorpError, Unavailable, report
from fedcorp.storage import jobs
from fedcorp.storage.database import Database
from fedcorp.storage.jobs import Job

POLL_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
LONGEST_AWAY_SECONDS = 5.0  # between two looks for a database that is away
MOST_OVERLAPPING = 32
MAX_ROUNDS = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """One kind of work. `run` does what is due now and returns how much moved; 0 means nothing is left.

    `waker` names the event of the database that announces new work. `every` is the longest wait in seconds. A pass that
    may `overlap` is started again while earlier runs still wait for somebody slow; it must leave alone what those hold.
    """

    name: str
    run: Callable[[], Awaitable[int]]
    waker: str
    every: float = POLL_SECONDS
    overlap: bool = False


class Worker:
    """The loops of one process, or their work on demand."""

    def __init__(self, db: Database, clock: Clock, passes: list[Pass]) -> None:
        self._db = db
        self._clock = clock
        self._passes = passes
        self._tasks: list[asyncio.Task[None]] = []
        self._rested = (-1, 0)  # `Database.writes` and the time (ms) when nothing moved any more
        self._away: dict[str, int] = {}  # runs in a row of a pass that may overlap that found no database
        self._looked: dict[str, int] = {}  # when (ms) `settle` last ran a pass that is seldom due

    def start(self) -> None:
        """Start the loops."""
        for item in self._passes:
            loop = self._overlapping(item) if item.overlap else self._loop(item)
            self._tasks.append(self._clock.spawn(loop, name=f"worker-{item.name}"))

    async def stop(self) -> None:
        """Stop the loops; what they were doing is done again by the next process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def settle(self) -> int:
        """For tests: run everything that is due until nothing moves; how much moved. Errors are raised.

        Where nobody wrote since nothing moved, a moment ago, nothing is due: stories ask every department often. Of
        passes that look more seldom, those are due that are woken, and those whose time has come.
        """
        writes, at = self._rested
        if writes == self._db.writes and 0 <= self._clock.ms() - at < POLL_SECONDS * 1000:
            return 0
        total = idle = 0  # passes in a row that moved nothing
        for item in islice(cycle(self._passes), MAX_ROUNDS * len(self._passes)):
            moved = await item.run() if self._is_due(item) else 0
            total, idle = total + moved, 0 if moved else idle + 1
            if idle >= len(self._passes):
                self._rested = (self._db.writes, self._clock.ms())
                return total
        raise RuntimeError("work makes work without end")

    def _is_due(self, item: Pass) -> bool:
        if item.every <= POLL_SECONDS:
            return True
        waker, now = self._db.waker(item.waker), self._clock.ms()
        looked = self._looked.get(item.name)
        if looked is not None and 0 <= now - looked < item.every * 1000 and not waker.is_set():
            return False
        waker.clear()
        self._looked[item.name] = now
        return True

    async def _overlapping(self, item: Pass) -> None:
        waker = self._db.waker(item.waker)
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                waker.clear()
                if len(running) < MOST_OVERLAPPING:
                    task = self._clock.spawn(self._once(item), name=f"worker-{item.name}")
                    running.add(task)
                    task.add_done_callback(running.discard)
                if self._away.get(item.name):
                    await self._clock.sleep(_pause(self._away[item.name], away=True))
                else:
                    await self._clock.wait(waker, item.every)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _once(self, item: Pass) -> None:
        try:
            await item.run()
            self._away[item.name] = 0
        except Unavailable as error:
            self._away[item.name] = self._away.get(item.name, 0) + 1
            report(log, error, "the pass %r failed", item.name)
        except Exception as error:  # noqa: BLE001 - reported, and tried again
            report(log, error, "the pass %r failed", item.name)
            await self._clock.sleep(LONGEST_PAUSE_SECONDS)  # holds one of the places, so failures slow down

    async def _loop(self, item: Pass) -> None:
        waker = self._db.waker(item.waker)
        failures = 0
        while True:
            waker.clear()
            try:
                moved = await item.run()
                failures = 0
            except Exception as error:  # noqa: BLE001 - reported, and tried again
                failures += 1
                report(log, error, "the pass %r failed %d times in a row", item.name, failures)
                await self._clock.sleep(_pause(failures, away=isinstance(error, Unavailable)))
                continue
            if not moved:
                await self._clock.wait(waker, item.every)


def _pause(failures: int, *, away: bool) -> float:
    """How long (s) to wait after so many failures in a row."""
    grown: float = POLL_SECONDS * 2 ** min(failures, 10)
    return min(grown, LONGEST_AWAY_SECONDS if away else LONGEST_PAUSE_SECONDS)


class Jobs:
    """The pass that runs jobs: each kind by its function, `at_once` side by side. A full batch wakes the pass again."""

    def __init__(
        self,
        db: Database,
        handlers: Mapping[str, Callable[[dict[str, Any]], Awaitable[None]]],
        waker: str = "jobs",
        *,
        at_once: int = jobs.BATCH,
        lease_ms: int = jobs.LEASE_MS,
    ) -> None:
        self._db = db
        self._handlers = handlers
        self._waker = waker
        self._at_once = at_once
        self._lease_ms = lease_ms

    async def run(self) -> int:
        """Run the jobs that are due; how many there were."""
        claimed = await self._db.write(jobs.claim, tuple(self._handlers), self._at_once, self._lease_ms)
        if len(claimed) == self._at_once:
            self._db.waker(self._waker).set()
        done = await asyncio.gather(*(self._run_one(job) for job in claimed))
        finished = [job for job, is_done in zip(claimed, done, strict=True) if is_done]
        if finished:
            await self._db.write(jobs.finish, finished)
        return len(claimed)

    async def _run_one(self, job: Job) -> bool:
        try:
            await self._handlers[job.kind](job.payload)
        except Exception as error:
            if not isinstance(error, FedcorpError):
                log.exception("job %s of the kind %r failed", job.seq, job.kind)
            await self._db.write(jobs.fail, job, f"{type(error).__name__}: {error}"[:300])
            return False
        return True
