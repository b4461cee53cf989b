"""Words as search compares them: without case, accents and endings. Pure; the same for what is written and for what is
looked for, on both databases (docs/decisions/0016).

Two words are the same when they share the Dutch or the English stem. Nobody has to say in which language a post is:
what people write in one is often marked as another, and a post may hold both.
"""

import re
import string
import unicodedata
from itertools import islice
from typing import NamedTuple

import Stemmer

MOST = 10_000
"""Words of one text that count; positions in PostgreSQL's index end at 16,383."""
LONGEST = 64
"""Code points of a word that count."""

_LETTERS = str.maketrans("ðđħıĸłŋøŧ", "ddhiklnot")  # which no normal form takes apart
_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # scripts without spaces: every sign is a word, runs are phrases
_WORD = re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}]+(?:['\u2019][^\W_{_SINGLE}]+)*")
_APOSTROPHES = str.maketrans("", "", "'\u2019")
_ASCII = (string.ascii_letters + string.digits).encode()
_GAPS = bytes(code if code in _ASCII else ord(" ") for code in range(256))


class Stem(NamedTuple):
    """A word without its ending, as each of the two languages would have it."""

    dutch: str
    english: str


def split(text: str, most: int = MOST) -> list[str]:
    """The first `most` words of a text, folded: lower case, no accents, no possessive 's. Never an empty one."""
    folded = _folded(text)
    if folded.isascii() and "'" not in folded:  # the same words in a fifth of the time
        found = folded.encode().translate(_GAPS).decode().split(None, most)[:most]
    else:
        found = [match[0] for match in islice(_WORD.finditer(folded), most)]
    return [word if len(word) <= LONGEST and word.isalnum() else _trimmed(word) for word in found]


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(char for char in parts if not unicodedata.combining(char)).translate(_LETTERS)


def _trimmed(word: str) -> str:
    if "'" in word or "\u2019" in word:
        word = word.removesuffix("'s").removesuffix("\u2019s").translate(_APOSTROPHES)
    return word[:LONGEST]


def stem(word: str) -> Stem:
    """The stems of a folded word."""
    # Made each time, which takes a microsecond: a stemmer is for one thread alone.
    dutch, english = (Stemmer.Stemmer(language, 0).stemWord(word) for language in ("dutch", "english"))
    return Stem(dutch or word, english or word)
