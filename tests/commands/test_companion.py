"""How the two processes of `serve` wake each other: both ends within one process, over real pipes."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fedcorp.clock import Clock
from fedcorp.commands.companion import Link
from fedcorp.storage.database import Database, Tx
from tests.databases import make_config

pytestmark = pytest.mark.anyio

SECONDS = 20.0


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """The database, as each of two processes has it open."""
    config = make_config(tmp_path)
    opened = [Database(config, Clock(), lambda tx, event: None) for _ in range(2)]
    for one in opened:
        one.start()
    yield opened[0], opened[1]
    for one in opened:
        one.close()


def wake(tx: Tx, *names: str) -> None:
    for name in names:
        tx.wake(name)


def linked(first: Database, second: Database, lost: Callable[[], None]) -> tuple[Link, Link]:
    """Both ends of a link that is open; `lost` is told when the first one ends."""
    (hears, told), (heard, tells) = os.pipe(), os.pipe()
    ends = Link(hears, tells), Link(heard, told)
    ends[0].open(first, lambda: None)
    ends[1].open(second, lost)
    return ends


async def test_a_commit_wakes_whoever_waits_in_the_other_process(two: tuple[Database, Database]) -> None:
    here, there = two
    ended = asyncio.Event()
    ends = linked(here, there, ended.set)
    both, other = (here.waker("jobs"), there.waker("jobs")), there.waker("inbox")
    await here.write(wake, "jobs", "inbox", "nobody")
    async with asyncio.timeout(SECONDS):
        await other.wait()
    assert [waker.is_set() for waker in both] == [True, False], "what is waited for here concerns nobody there"

    ends[0].close()
    async with asyncio.timeout(SECONDS):
        await ended.wait()
    other.clear()
    await here.write(wake, "inbox")  # nobody hears it, and that is no error
    await there.write(wake, "nobody")
    assert not other.is_set()


async def test_a_full_pipe_holds_nobody_up(two: tuple[Database, Database]) -> None:
    here, there = two
    ends = linked(here, there, lambda: None)
    waker = there.waker("inbox")
    ends[0].begin()  # the same words in the pipe are no name that anybody waits for
    for _ in range(20_000):  # more than a pipe holds, by half
        ends[0]._tell_all(["inbox"])
    async with asyncio.timeout(SECONDS):
        await waker.wait()
    await here.write(lambda tx: None)
    for end in ends:
        end.close()
