"""The loops of the worker while something fails: who waits how long, and that all goes on afterwards."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcorp import worker
from fedcorp.clock import Clock
from fedcorp.errors import Unavailable
from fedcorp.social import effects
from fedcorp.storage.database import Database
from fedcorp.worker import Pass, Worker
from tests.databases import make_config

pytestmark = [pytest.mark.anyio, pytest.mark.once]


class Hasty(Clock):
    """A clock whose pauses take no time, and are remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        await asyncio.sleep(0)
        return event.is_set()


class Failing:
    """Work that fails so often, and then succeeds."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left, self.error = times, error
        self.done = asyncio.Event()

    async def run(self) -> int:
        if self.left:
            self.left -= 1
            raise self.error
        self.done.set()
        return 0


@pytest.fixture
async def clock() -> AsyncIterator[Hasty]:
    made = Hasty()
    yield made
    made.close()


async def run(clock: Hasty, folder: Path, work: Failing, *, overlap: bool) -> list[float]:
    """Let the loop of this work run until it succeeds; the pauses that it made."""
    db = Database(make_config(folder, "finance.localhost"), clock, effects.apply)
    loops = Worker(db, clock, [Pass("work", work.run, "work", overlap=overlap)])
    loops.start()
    await work.done.wait()
    made = clock.pauses[:]
    await loops.stop()
    return made


@pytest.mark.parametrize("overlap", [False, True], ids=["one at a time", "side by side"])
async def test_a_database_that_is_back_is_found_within_seconds(clock: Hasty, tmp_path: Path, overlap: bool) -> None:
    pauses = await run(clock, tmp_path, Failing(200, Unavailable("away")), overlap=overlap)
    assert len(pauses) >= 190
    assert pauses[0] < 1
    assert max(pauses) == worker.LONGEST_AWAY_SECONDS


async def test_another_failure_slows_down_what_fails_alone(clock: Hasty, tmp_path: Path) -> None:
    pauses = await run(clock, tmp_path, Failing(3, ValueError("odd")), overlap=True)
    assert pauses == [worker.LONGEST_PAUSE_SECONDS] * 3
    clock.pauses.clear()
    pauses = await run(clock, tmp_path, Failing(20, ValueError("odd")), overlap=False)
    assert pauses[:3] == [0.4, 0.8, 1.6]
    assert pauses[-1] == worker.LONGEST_PAUSE_SECONDS
