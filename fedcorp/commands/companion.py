"""A second process beside the one that serves people: it does what is due, so that none of that holds them up.

It is forked before anything runs, which takes little time and memory, and neither outlives the other: each sees the end
of the other by the pipes between them. Through these they wake each other, too, since whoever waits for a commit waits
in one of the two; what gets lost is found a moment later by looking. Decision: docs/decisions/0022.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterable
from typing import NoReturn

from fedcorp.app import Instance
from fedcorp.clock import Clock
from fedcorp.commands.endings import FAILED, ended
from fedcorp.storage.database import Database

NICENESS = 10  # what is due waits for the processor rather than somebody who looks at a page
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.02
MOST_BYTES = 65_536
BEGIN = "begin\n"

log = logging.getLogger(__name__)


class Link:
    """One end of the pipes between the two: the names of what was committed, a line each."""

    def __init__(self, hears: int, tells: int) -> None:
        self._hears = hears
        self._tells = tells
        self._rest = b""
        self._is_open = True

    def wait(self) -> bool:
        """Wait, before there is an event loop, for the other one to say `BEGIN`; False when it ended instead."""
        return os.read(self._hears, len(BEGIN)) == BEGIN.encode()

    def begin(self) -> None:
        """Let the other one begin."""
        self._tell(BEGIN)

    def open(self, db: Database, lost: Callable[[], None]) -> None:
        """Wake each other from now on. `lost` is called, in the event loop, when the other process has ended."""
        for end in (self._hears, self._tells):
            os.set_blocking(end, False)
        asyncio.get_running_loop().add_reader(self._hears, self._hear, db, lost)
        db.tell_beyond(self._tell_all)

    def close(self) -> None:
        """Part from the other one, which sees that."""
        if self._is_open:
            self._is_open = False
            asyncio.get_running_loop().remove_reader(self._hears)
            os.close(self._hears)
            os.close(self._tells)

    def _tell_all(self, names: Iterable[str]) -> None:
        self._tell("".join(f"{name}\n" for name in names))

    def _tell(self, text: str) -> None:
        """What does not fit into the pipe, or is told to a process that has ended, is dropped."""
        if self._is_open:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(self._tells, text.encode())

    def _hear(self, db: Database, lost: Callable[[], None]) -> None:
        data = os.read(self._hears, MOST_BYTES)
        if not data:
            self.close()
            lost()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        db.wake(line.decode() for line in lines)


class Companion:
    """The second process, as the first one sees it."""

    def __init__(self, pid: int, link: Link) -> None:
        self._pid = pid
        self._link = link
        self._status: int | None = None
        self._heir: asyncio.Task[None] | None = None

    def begin(self, instance: Instance, is_stopping: Callable[[], bool]) -> None:
        """Let it work for an instance that has started. Should it end, the instance does its own work from then on,
        unless everything is stopping."""

        def lost() -> None:
            self._heir = instance.clock.spawn(self._take_over(instance, is_stopping), name="companion-heir")

        self._link.open(instance.db, lost)
        self._link.begin()

    async def stop(self, clock: Clock) -> None:
        """Let it finish what it is doing, and wait for its end."""
        if self._heir is not None:
            self._heir.cancel()
            await asyncio.gather(self._heir, return_exceptions=True)
        self._link.close()
        await self._wait(clock)

    async def _take_over(self, instance: Instance, is_stopping: Callable[[], bool]) -> None:
        status = await self._wait(instance.clock)
        if not is_stopping():
            how = f"by signal {-status}" if status < 0 else f"with {status}"
            log.error("the process that does what is due ended %s; this one does it from now on", how)
            instance.worker.start()

    async def _wait(self, clock: Clock) -> int:
        """Its exit code, or the signal that ended it as a negative number, when it has ended; in the end it must."""
        give_up = clock.monotonic() + STOP_SECONDS
        while (status := self._look()) is None:
            if clock.monotonic() > give_up:
                os.kill(self._pid, signal.SIGKILL)
            await clock.sleep(LOOK_SECONDS)
        return status

    def _look(self) -> int | None:
        if self._status is None:
            try:
                pid, status = os.waitpid(self._pid, os.WNOHANG)
            except ChildProcessError:  # whoever started us ignores the ends of processes, so nobody knows how it was
                pid, status = self._pid, 0
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status


def fork(work: Callable[[Link], object]) -> Companion:
    """Fork a process that runs `work` once it may begin. Before there are threads or an event loop."""
    (hears, told), (heard, tells) = os.pipe(), os.pipe()
    gc.collect()
    gc.freeze()  # what was imported stays shared between the two
    pid = os.fork()
    if pid == 0:
        os.close(told)
        os.close(heard)
        _live(work, Link(hears, tells))
    os.close(hears)
    os.close(tells)
    return Companion(pid, Link(heard, told))


def _live(work: Callable[[Link], object], link: Link) -> NoReturn:
    code = FAILED
    try:
        os.nice(NICENESS)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to both; the first one says when to stop
        code = ended(lambda: work(link)) if link.wait() else 0
    except BaseException:  # what nobody expected must not run on in a copy of the first process
        log.exception("the process that does what is due failed")
    finally:
        logging.shutdown()
        os._exit(code)
