"""Time, randomness, tasks and sleep: the only module that names their standard-library sources.

Everything else takes a `Clock` as a parameter, so tests and simulations can run whole instances under their own time.
Times are aware UTC datetimes in Python and integer milliseconds since the Unix epoch (`ms`) in the database.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Milliseconds since the Unix epoch of an aware datetime (rounded down)."""
    return (at - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """The aware UTC datetime of milliseconds since the Unix epoch."""
    return _EPOCH + timedelta(milliseconds=ms)


class Clock:
    """The real clock, random source and task spawner. Tests subclass it."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def ms(self) -> int:
        """Wall-clock milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def now(self) -> datetime:
        """The aware UTC time, to the millisecond."""
        return from_ms(self.ms())

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        return time.monotonic()

    def token(self, size: int = 32) -> str:
        """A secret of `size` random bytes as URL-safe text."""
        return secrets.token_urlsafe(size)

    def random_bytes(self, size: int) -> bytes:
        """`size` unpredictable bytes."""
        return secrets.token_bytes(size)

    def random(self) -> float:
        """A number in [0, 1), for jitter; not for secrets."""
        return random.random()  # noqa: S311 - jitter, not a secret

    def random_bits(self, bits: int) -> int:
        """An unpredictable integer of `bits` bits."""
        return secrets.randbits(bits)

    async def sleep(self, seconds: float) -> None:
        """Wait; other tasks run meanwhile."""
        await asyncio.sleep(seconds)

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str | None = None) -> "asyncio.Task[T]":
        """Start a task beside the caller; whoever spawns it must keep the task and await or cancel it."""
        return asyncio.create_task(work, name=name)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until `event` is set or `seconds` passed; say whether it was set."""
        try:
            async with asyncio.timeout(seconds):
                return await event.wait()
        except TimeoutError:
            return False

    def offload(self, work: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Run CPU-heavy `work` that releases the interpreter lock (password hashes, images, RSA) in a thread."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="offload")
        return asyncio.get_running_loop().run_in_executor(self._pool, work, *args)

    def close(self) -> None:
        """Stop the threads of `offload`."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
