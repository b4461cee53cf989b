"""Time-ordered ids: 63 bits, written as decimal text in the API and in URLs.

    41 bits  milliseconds since 2026-01-01T00:00:00Z
    10 bits  node, leased in the database so that two processes never share one
    12 bits  counter within the millisecond

Id order is creation order, never commit order: logs have their own sequences.
"""

from collections.abc import Callable

from fedcorp.errors import Unavailable

EPOCH_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
NODES = 1 << 10
_COUNTERS = 1 << 12
_SUFFIX_BITS = 22
MAX_ID = (1 << 63) - 1


def time_of(id_: int) -> int:
    """Milliseconds since the Unix epoch at which `id_` was made."""
    return (id_ >> _SUFFIX_BITS) + EPOCH_MS


def first_at(ms: int) -> int:
    """The smallest id of that millisecond: a bound for ranges over time."""
    return max(0, ms - EPOCH_MS) << _SUFFIX_BITS


def scattered(ms: int, bits: int) -> int:
    """An id at `ms` with 22 given random bits: for remote objects, whose server chose the time. May collide; retry."""
    return first_at(ms) | (bits & ((1 << _SUFFIX_BITS) - 1))


def behind(last: int, bits: int) -> int | None:
    """An id in the millisecond of `last` but after it, for what arrived later; None when that millisecond is full.

    The step leaps over the counter of one node, so that it cannot land on the next id of whoever made `last`.
    """
    following = last + _COUNTERS + (bits & (_COUNTERS - 1))
    return following if following >> _SUFFIX_BITS == last >> _SUFFIX_BITS else None


class IdSource:
    """Mints ids for one leased node, for one thread. Never goes back, and stops when its lease has ended."""

    def __init__(self, node: int, clock_ms: Callable[[], int], *, valid_until: int | None = None) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"node {node} is outside 0..{NODES - 1}")
        self.node = node
        self.valid_until = valid_until
        self._clock_ms = clock_ms
        self._ms = EPOCH_MS
        self._counter = -1

    def new(self) -> int:
        """The next id at the present time. Raises Unavailable when the node lease has ended."""
        now = self._clock_ms()
        if self.valid_until is not None and now >= self.valid_until:
            raise Unavailable("The server is busy, try again.", f"the lease of id node {self.node} ended")
        if now > self._ms:
            self._ms, self._counter = now, -1
        self._counter += 1
        if self._counter >= _COUNTERS:
            self._ms, self._counter = self._ms + 1, 0
        return first_at(self._ms) | self.node << 12 | self._counter
