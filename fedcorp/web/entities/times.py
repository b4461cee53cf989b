"""Times as clients read them: always with milliseconds, since one client takes anything else for now."""

from functools import lru_cache

from fedcorp.clock import from_ms

DAY_MS = 86_400_000


@lru_cache(maxsize=4096)
def iso(ms: int) -> str:
    """2026-11-24T18:05:00.000Z"""
    return from_ms(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(ms: int | None) -> str | None:
    """Like `iso`, with None for no time."""
    return None if ms is None else iso(ms)


def day(ms: int | None) -> str | None:
    """2026-11-24"""
    return None if ms is None else _day(ms // DAY_MS)


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return from_ms(number * DAY_MS).strftime("%Y-%m-%d")
