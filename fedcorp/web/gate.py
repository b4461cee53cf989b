"""The gate in front of the doors for other servers: who is too fast waits outside, so that nobody else has to.

Counts requests of each server, what of it waits to be acted upon, and how many requests and bytes are under way. What
it turns away was not read and not kept, and is told when to come again. It knows no signature: the server is the one
that the request names, so what counts before that is proven is counted for each address apart, and nobody can use up
the share of another. Each process counts for itself.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fedcorp.clock import Clock
from fedcorp.config import Limits
from fedcorp.errors import TooManyRequests, Unavailable
from fedcorp.web.rate import Buckets

WINDOW_SECONDS = 10  # over which the requests of a second are counted, so that a burst may pass
BACKLOG_MS = 1_000  # how long a count of what waits is good
BACKLOG_RETRY_SECONDS = 30
SOON_SECONDS = 2
PACE_SECONDS = 0.02  # between two refusals, which people here feel when there are hundreds in a second
LONGEST_PACE_SECONDS = 2.0  # most senders ask for something else on that connection only when they were answered
MOST_PACED = 640  # refusals that wait to be told; others are told at once, since waiting takes memory
REMEMBERED = 1_000  # servers of which the count of what waits is known

REASONS = ("rate", "backlog", "share", "busy", "slow")


@dataclass(slots=True)
class _Held:
    """Requests and bytes of one server that are under way."""

    requests: int = 0
    size: int = 0


@dataclass(slots=True)
class _Waiting:
    """What of one server waits: as counted at `at` (ms), and taken in since."""

    count: int
    at: int


class Gate:
    """The gate of one process. `refused` counts what was turned away, by reason."""

    def __init__(self, limits: Limits, clock: Clock, count_backlog: Callable[[str, int], Awaitable[int]]) -> None:
        self._limits = limits
        self._clock = clock
        self._count_backlog = count_backlog
        self._buckets = Buckets(clock, WINDOW_SECONDS)
        self._burst = limits.peer_requests * WINDOW_SECONDS
        self._backlogs: dict[str, _Waiting] = {}
        self._all = _Held()
        self._each: dict[str, _Held] = {}
        self._next_refusal = 0.0
        self._paced = 0
        self.refused: Counter[str] = Counter(dict.fromkeys(REASONS, 0))

    @property
    def held(self) -> int:
        """Requests under way."""
        return self._all.requests

    async def check(self, domain: str, address: str) -> None:
        """Turn away a server that is too fast before anything is looked up for it. Raises TooManyRequests."""
        if not self._limits.enabled:
            return
        for key in (_claimed(domain, address), _proven(domain)):
            if self._buckets.level(key, self._burst) < 1:
                await self._too_fast(key)

    @asynccontextmanager
    async def passing(self, domain: str, address: str, size: int, *, stores: bool) -> AsyncIterator[None]:
        """Inside, a request of a peer with a body of `size` bytes is served; one that `stores` adds to what waits.

        Raises TooManyRequests for a server that has its share, Unavailable when all is taken.
        """
        key = _claimed(domain, address)
        if self._limits.enabled:
            if self._buckets.take(key, self._burst).level < 0:
                await self._too_fast(key)
            if stores and await self._backlog(domain) >= self._limits.peer_backlog:
                await self._refuse("backlog")
        mine = self._each.get(key) or _Held()
        if mine.requests and not _has_room(
            mine, self._limits.signed_at_once // 2, size, self._limits.signed_bytes // 2
        ):
            await self._refuse("share")
        if self._all.requests and not _has_room(
            self._all, self._limits.signed_at_once, size, self._limits.signed_bytes
        ):
            await self._refuse("busy")
        mine = self._each.setdefault(key, mine)
        for held in (mine, self._all):
            held.requests += 1
            held.size += size
        try:
            yield
        finally:
            for held in (mine, self._all):
                held.requests -= 1
                held.size -= size
            if not mine.requests and self._each.get(key) is mine:
                del self._each[key]

    @asynccontextmanager
    async def arriving(self) -> AsyncIterator[None]:
        """Inside, the body of a request must arrive in time. Raises Unavailable."""
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                yield
        except TimeoutError:
            self.refused["slow"] += 1
            raise Unavailable(
                "The request came too slowly; send it again.", retry_after=BACKLOG_RETRY_SECONDS
            ) from None

    def proven(self, domain: str, *, stored: bool = False) -> None:
        """A request really came from this server; with `stored`, it may have added to what waits."""
        if not self._limits.enabled:
            return
        self._buckets.take(_proven(domain), self._burst)
        if stored and domain in self._backlogs:
            self._backlogs[domain].count += 1

    async def _backlog(self, domain: str) -> int:
        now = self._clock.ms()
        known = self._backlogs.get(domain)
        if known is None or not 0 <= now - known.at < BACKLOG_MS:
            if len(self._backlogs) >= REMEMBERED:
                self._backlogs.clear()
            known = _Waiting(known.count if known is not None else 0, now)
            self._backlogs[domain] = known  # others go by the old count meanwhile
            known.count = await self._count_backlog(domain, self._limits.peer_backlog)
        return known.count

    async def _too_fast(self, key: str) -> None:
        await self._refuse("rate", self._buckets.seconds_until_free(key, self._burst))

    async def _refuse(self, reason: str, seconds: int = SOON_SECONDS) -> None:
        """Raise what the sender should see, after a while: refusals, too, take time that people here wait for."""
        self.refused[reason] += 1
        await self._pace()
        if reason == "busy":
            raise Unavailable("This server is busy; send it again.", retry_after=seconds)
        if reason == "backlog":
            text = "Too much of this server waits here to be acted upon; send it again."
            raise TooManyRequests(text, retry_after=BACKLOG_RETRY_SECONDS)
        raise TooManyRequests("Too many requests of this server; send it again.", retry_after=seconds)

    async def _pace(self) -> None:
        now = self._clock.monotonic()
        self._next_refusal = min(max(now, self._next_refusal + PACE_SECONDS), now + LONGEST_PACE_SECONDS)
        if self._next_refusal <= now or self._paced >= MOST_PACED:
            return
        self._paced += 1
        try:
            await self._clock.sleep(self._next_refusal - now)
        finally:
            self._paced -= 1


def _claimed(domain: str, address: str) -> str:
    return f"claimed {domain} {address}"


def _proven(domain: str) -> str:
    return f"proven {domain}"


def _has_room(held: _Held, requests: int, size: int, most: int) -> bool:
    return held.requests < requests and held.size + size <= most
