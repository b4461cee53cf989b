"""What people type into search, taken apart: words, phrases, operators, and what they do not want. Looks nothing up.

Any text is a query: what makes no sense as an operator is words, and what holds no word asks for nothing.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from fedcorp.clock import to_ms
from fedcorp.social import words

MOST_CHARACTERS, MOST_TERMS, MOST_WORDS = 1000, 32, 64
"""What goes beyond is not looked at."""

OPERATORS = ("from", "in", "has", "is", "before", "after", "during", "language")
PROPERTIES = {
    "media": "media", "attachment": "media", "image": "image", "video": "video", "audio": "audio", "poll": "poll",
    "link": "link", "embed": "link", "reply": "reply", "sensitive": "sensitive",
}  # fmt: skip
_CLAUSE = re.compile(r'(?P<sign>[+-]?)(?:(?P<name>[A-Za-z]+):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_QUOTES = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb", '"""""')
_PERIOD = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Words:
    """Folded words that follow each other."""

    words: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """One of OPERATORS with its value, lower case and not empty."""

    name: str
    value: str
    negated: bool = False


class Period(NamedTuple):
    """A year, month or day in UTC, in ms; `end` is the first moment after it."""

    start: int
    end: int


def parse(text: str) -> list[Words | Operator]:
    """The terms of a query; all of them must hold. Empty when it asks for nothing."""
    found: list[Words | Operator] = []
    left = MOST_WORDS
    for clause in _CLAUSE.finditer(text[:MOST_CHARACTERS].translate(_QUOTES)):
        name, value = (clause["name"] or "").lower(), clause["phrase"] or clause["word"] or ""
        negated = clause["sign"] == "-"
        if name in OPERATORS and value.strip():
            found.append(Operator(name, value.strip().lower(), negated))
        elif folded := words.split(f"{name} {value}", left):
            left -= len(folded)
            found.append(Words(tuple(folded), negated))
        if len(found) == MOST_TERMS:
            break
    return found


def period(value: str) -> Period | None:
    """The time that `2026`, `2026-11` or `2026-11-26` means; None for what is none."""
    match = _PERIOD.fullmatch(value)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        start = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
        return Period(to_ms(start), _after(start, month is not None, day is not None))
    except (ValueError, OverflowError):
        return None


def _after(start: datetime, has_month: bool, has_day: bool) -> int:
    if has_day:
        return to_ms(start) + 86_400_000
    months = start.year * 12 + start.month - 1 + (1 if has_month else 12)
    return to_ms(start.replace(year=months // 12, month=months % 12 + 1))
