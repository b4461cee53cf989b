"""Asks a translation service of the company, which speaks LibreTranslate's API. Off unless the configuration names one.

What it answers is somebody else's HTML; whoever shows it cleans it. Translations are kept in memory for a while, since
many people read the same post.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from fedcorp.activitypub.visitor import Visitor
from fedcorp.clock import Clock
from fedcorp.errors import FedcorpError, NotFound, Unavailable
from fedcorp.storage.database import Database

LANGUAGES_MS = 3_600_000
PAUSE_MS = 30_000  # after the service did not answer, so that nobody can make us ask again and again
KEPT = 500
KEPT_MS = 86_400_000
ANY = "und"

_Answer = tuple[list[str], str]


class Translator:
    """Asks for one instance."""

    def __init__(self, visitor: Visitor, db: Database, clock: Clock) -> None:
        self._visitor = visitor
        self._settings = db.site.config.translation
        self._clock = clock
        self._languages: tuple[int, dict[str, list[str]]] = (0, {})
        self._silent_until = 0
        self._kept: OrderedDict[tuple[tuple[str, ...], str | None, str], tuple[int, _Answer]] = OrderedDict()

    async def languages(self) -> dict[str, list[str]]:
        """Into what each language can be translated; ANY is one that is not known. Empty without a service."""
        if not self._settings.url:
            return {}
        until, found = self._languages
        if until <= self._clock.ms():
            found = _pairs(await self._ask("/languages"))
            self._languages = (self._clock.ms() + LANGUAGES_MS, found)
        return found

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> _Answer:
        """HTML in the other language, and the language it was in. Raises NotFound without a service, Unavailable."""
        if not self._settings.url:
            raise NotFound
        key = (tuple(texts), source, target)
        until, answer = self._kept.get(key, (0, ([], "")))
        if until <= self._clock.ms():
            answer = await self._translate(list(texts), source, target)
            self._kept[key] = (self._clock.ms() + KEPT_MS, answer)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return answer

    async def _translate(self, texts: list[str], source: str | None, target: str) -> _Answer:
        wanted = {"q": texts, "source": source or "auto", "target": target, "format": "html"}
        if self._settings.api_key:
            wanted["api_key"] = self._settings.api_key
        told = await self._ask("/translate", wanted)
        found = told.get("translatedText") if isinstance(told, dict) else None
        if not isinstance(found, list) or len(found) != len(texts) or not all(isinstance(text, str) for text in found):
            raise Unavailable("The translation service cannot be understood.", f"{type(found).__name__}")
        return found, source or _detected(told.get("detectedLanguage"))

    async def _ask(self, path: str, document: Any = None) -> Any:
        if self._silent_until > self._clock.ms():
            raise Unavailable("The translation service cannot be asked now.", "it did not answer a moment ago")
        try:
            return await self._visitor.ask_inside(self._settings.url.rstrip("/") + path, document)
        except FedcorpError as error:
            self._silent_until = self._clock.ms() + PAUSE_MS
            detail = f"{type(error).__name__}: {error.detail}"
            raise Unavailable("The translation service cannot be asked now.", detail) from error


def _detected(told: Any) -> str:
    first = told[0] if isinstance(told, list) and told else told
    language = first.get("language") if isinstance(first, dict) else None
    return language if isinstance(language, str) else ANY


def _pairs(told: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in told if isinstance(told, list) else ():
        code, targets = (item.get("code"), item.get("targets")) if isinstance(item, dict) else (None, None)
        if isinstance(code, str) and isinstance(targets, list):
            found[code] = sorted({target for target in targets if isinstance(target, str) and target != code})
    if found:
        found[ANY] = sorted({target for targets in found.values() for target in targets})
    return found
