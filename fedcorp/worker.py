"""Does what is due: one loop for each kind of work, woken by a commit of this process or every 200 ms.

Knows nothing of the work itself: `fedcorp.app` hands in passes. A pass that fails is logged and tried again after a
pause that grows; it never ends its loop. Nothing is kept here that a killed process could lose.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fedcorp.clock import Clock
from fedcorp.storage.database import Database

POLL_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
MAX_ROUNDS = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """One kind of work. `run` does what is due now and returns how much moved; 0 means nothing is left.

    `waker` names the event of the database that announces new work. `every` is the longest wait in seconds.
    """

    name: str
    run: Callable[[], Awaitable[int]]
    waker: str
    every: float = POLL_SECONDS


class Worker:
    """The loops of one process, or their work on demand."""

    def __init__(self, db: Database, clock: Clock, passes: list[Pass]) -> None:
        self._db = db
        self._clock = clock
        self._passes = passes
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the loops."""
        self._tasks = [self._clock.spawn(self._loop(item), name=f"worker-{item.name}") for item in self._passes]

    async def stop(self) -> None:
        """Stop the loops; what they were doing is done again by the next process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def settle(self) -> int:
        """For tests: run everything that is due until nothing moves; how much moved. Errors are raised."""
        total = 0
        for _ in range(MAX_ROUNDS):
            moved = [await item.run() for item in self._passes]
            if not any(moved):
                return total
            total += sum(moved)
        raise RuntimeError("work makes work without end")

    async def _loop(self, item: Pass) -> None:
        waker = self._db.waker(item.waker)
        failures = 0
        while True:
            waker.clear()
            try:
                moved = await item.run()
                failures = 0
            except Exception:
                failures += 1
                log.exception("the pass %r failed %d times in a row", item.name, failures)
                await self._clock.sleep(min(POLL_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS))
                continue
            if not moved:
                await self._clock.wait(waker, item.every)
