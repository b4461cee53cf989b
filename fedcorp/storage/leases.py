"""How long the right to work on something holds, and how it is kept while the work goes on.

Who holds what stands in the tables of those who ask for it; nothing is read or written here.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from fedcorp.clock import Clock

LEASE_MS = 10_000  # so long, at most, does a process that was killed hold others up


@contextlib.asynccontextmanager
async def kept(clock: Clock, renew: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Call `renew` well before LEASE_MS have passed, again and again, until the work inside is done."""
    task = clock.spawn(_renew(clock, renew), name="lease")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _renew(clock: Clock, renew: Callable[[], Awaitable[object]]) -> None:
    while True:
        await clock.sleep(LEASE_MS / 3000)
        await renew()
