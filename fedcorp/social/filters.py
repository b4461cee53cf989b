"""Filters: what somebody does not want to see, by words or by post, where, and until when.

A filter says what becomes of a status that it matches: `warn` and `blur` are the client's work, `hide` leaves it out of
the places that the filter names. Nobody's own posts are ever filtered. Every change is told to the person's open
clients.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import (
    filter_keywords,
    filter_statuses,
    filters,
    media,
    poll_options,
    statuses,
    streams,
)
from fedcorp.storage.upsert import insert_ignore

CONTEXTS = ("home", "notifications", "public", "thread", "account")
ACTIONS = ("warn", "hide", "blur")
MAX_TITLE, MAX_KEYWORD = 256, 512
MAX_FILTERS, MAX_KEYWORDS, MAX_STATUSES = 100, 500, 1000  # of one account


@dataclass(frozen=True, slots=True)
class Keyword:
    """Words of a filter; `whole_word` keeps them from matching inside longer ones."""

    id: int
    filter_id: int
    keyword: str
    whole_word: bool


@dataclass(frozen=True, slots=True)
class FilteredStatus:
    """A status that a filter names."""

    id: int
    filter_id: int
    status_id: int


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter with all that it matches; `expires_at` is ms."""

    id: int
    title: str
    contexts: tuple[str, ...]
    action: str
    expires_at: int | None
    keywords: tuple[Keyword, ...] = ()
    statuses: tuple[FilteredStatus, ...] = ()

    def hides_in(self, context: str | None) -> bool:
        """Whether what it matches is left out there."""
        return self.action == "hide" and context in self.contexts


@dataclass(frozen=True, slots=True)
class Change:
    """What to change of a filter; None stays. `expires_at` is ms, 0 for never."""

    title: str | None = None
    contexts: tuple[str, ...] | None = None
    action: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class KeywordChange:
    """A keyword to add (no `id`), change, or take out."""

    keyword: str | None = None
    whole_word: bool | None = None
    id: int | None = None
    remove: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Why a status is filtered."""

    filter: Filter
    keywords: tuple[str, ...]
    status_ids: tuple[int, ...]


_ACCOUNT = sa.bindparam("account", type_=sa.BigInteger)
_OWN = (
    sa.select(filters.c.id, filters.c.title, filters.c.contexts, filters.c.action, filters.c.expires_at)
    .where(filters.c.account_id == _ACCOUNT)
    .order_by(filters.c.id)
)
_KEYWORDS = (
    sa.select(
        filter_keywords.c.id, filter_keywords.c.filter_id, filter_keywords.c.keyword, filter_keywords.c.whole_word
    )
    .join(filters, filters.c.id == filter_keywords.c.filter_id)
    .where(filters.c.account_id == _ACCOUNT)
    .order_by(filter_keywords.c.id)
)
_STATUSES = (
    sa.select(filter_statuses.c.id, filter_statuses.c.filter_id, filter_statuses.c.status_id)
    .join(filters, filters.c.id == filter_statuses.c.filter_id)
    .where(filters.c.account_id == _ACCOUNT)
    .order_by(filter_statuses.c.id)
)
_IDS: Any = sa.bindparam("ids", expanding=True)
_WORDS = sa.union_all(
    sa.select(statuses.c.id, statuses.c.spoiler_text + "\n" + statuses.c.text).where(
        statuses.c.id.in_(_IDS), statuses.c.account_id != _ACCOUNT
    ),
    sa.select(statuses.c.id, poll_options.c.title)
    .join(poll_options, poll_options.c.poll_id == statuses.c.poll_id)
    .where(statuses.c.id.in_(_IDS), statuses.c.account_id != _ACCOUNT),
    sa.select(statuses.c.id, media.c.description)
    .join(media, media.c.status_id == statuses.c.id)
    .where(statuses.c.id.in_(_IDS), statuses.c.account_id != _ACCOUNT),
)


# -- reading ---------------------------------------------------------------------------------------------------------


def of_account(tx: Tx, account_id: int) -> list[Filter]:
    """All filters of somebody, oldest first, also those whose time is over."""
    of = {"account": account_id}
    keywords = [Keyword(row[0], row[1], row[2], bool(row[3])) for row in tx.conn.execute(_KEYWORDS, of)]
    named = [FilteredStatus(*row) for row in tx.conn.execute(_STATUSES, of)]
    return [
        Filter(
            id_, title, tuple(contexts.split()), action, expires_at,
            tuple(item for item in keywords if item.filter_id == id_),
            tuple(item for item in named if item.filter_id == id_),
        )
        for id_, title, contexts, action, expires_at in tx.conn.execute(_OWN, of)
    ]  # fmt: skip


def get(tx: Tx, account_id: int, id_: int) -> Filter:
    """One filter of somebody. Raises NotFound."""
    return next((item for item in of_account(tx, account_id) if item.id == id_), None) or _not_there()


def get_keyword(tx: Tx, account_id: int, id_: int) -> tuple[Filter, Keyword]:
    """One keyword of somebody, and its filter. Raises NotFound."""
    found = ((item, keyword) for item in of_account(tx, account_id) for keyword in item.keywords if keyword.id == id_)
    return next(found, None) or _not_there()


def get_status(tx: Tx, account_id: int, id_: int) -> tuple[Filter, FilteredStatus]:
    """One status that a filter of somebody names, and the filter. Raises NotFound."""
    found = ((item, named) for item in of_account(tx, account_id) for named in item.statuses if named.id == id_)
    return next(found, None) or _not_there()


def _not_there() -> Any:
    raise NotFound


# -- changing --------------------------------------------------------------------------------------------------------


def create(tx: Tx, account_id: int, change: Change, keywords: Sequence[KeywordChange] = ()) -> Filter:
    """A new filter. Raises Unprocessable for what is missing or too much, NotFound for keywords with an id."""
    if not (change.title or "").strip():
        raise Unprocessable("Validation failed: Title can't be blank")
    if not change.contexts:
        raise Unprocessable("Validation failed: Context can't be blank")
    if len(of_account(tx, account_id)) >= MAX_FILTERS:
        raise Unprocessable(f"Validation failed: at most {MAX_FILTERS} filters")
    id_ = tx.new_id()
    values = _checked(change)
    values.setdefault("action", "warn")
    tx.conn.execute(sa.insert(filters).values(id=id_, account_id=account_id, created_at=tx.ms, **values))
    _change_keywords(tx, account_id, get(tx, account_id, id_), keywords)
    return get(tx, account_id, id_)


def update(tx: Tx, account_id: int, id_: int, change: Change, keywords: Sequence[KeywordChange] = ()) -> Filter:
    """Change a filter and its keywords. Raises NotFound, Unprocessable."""
    known = get(tx, account_id, id_)
    values = _checked(change)
    if values:
        tx.conn.execute(sa.update(filters).where(filters.c.id == id_).values(**values))
    _change_keywords(tx, account_id, known, keywords)
    return get(tx, account_id, id_)


def delete(tx: Tx, account_id: int, id_: int) -> None:
    """Take a filter away. Raises NotFound."""
    get(tx, account_id, id_)
    for table in (filter_keywords, filter_statuses):
        tx.conn.execute(sa.delete(table).where(table.c.filter_id == id_))
    tx.conn.execute(sa.delete(filters).where(filters.c.id == id_))
    _tell(tx, account_id)


def _checked(change: Change) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if change.title is not None:
        title = change.title.strip()
        if not 0 < len(title) <= MAX_TITLE:
            raise Unprocessable(f"Validation failed: Title has 1 to {MAX_TITLE} characters")
        values["title"] = title
    if change.contexts is not None:
        if not change.contexts or not set(change.contexts) <= set(CONTEXTS):
            raise Unprocessable(f"Validation failed: Context is one or more of {', '.join(CONTEXTS)}")
        values["contexts"] = " ".join(name for name in CONTEXTS if name in change.contexts)
    if change.action is not None:
        if change.action not in ACTIONS:
            raise Unprocessable(f"Validation failed: the action of a filter is one of {', '.join(ACTIONS)}")
        values["action"] = change.action
    if change.expires_at is not None:
        values["expires_at"] = change.expires_at or None
    return values


def add_keyword(tx: Tx, account_id: int, filter_id: int, keyword: str, *, whole_word: bool) -> Keyword:
    """One more keyword. Raises NotFound, Unprocessable."""
    known = get(tx, account_id, filter_id)
    before = {item.id for item in known.keywords}
    _change_keywords(tx, account_id, known, [KeywordChange(keyword, whole_word)])
    return next(item for item in get(tx, account_id, filter_id).keywords if item.id not in before)


def change_keyword(tx: Tx, account_id: int, id_: int, change: KeywordChange) -> Keyword:
    """Other words. Raises NotFound, Unprocessable."""
    known, _ = get_keyword(tx, account_id, id_)
    _change_keywords(tx, account_id, known, [KeywordChange(change.keyword, change.whole_word, id_)])
    return get_keyword(tx, account_id, id_)[1]


def delete_keyword(tx: Tx, account_id: int, id_: int) -> None:
    """One keyword less. Raises NotFound."""
    known, _ = get_keyword(tx, account_id, id_)
    _change_keywords(tx, account_id, known, [KeywordChange(id=id_, remove=True)])


def _change_keywords(tx: Tx, account_id: int, known: Filter, changes: Sequence[KeywordChange]) -> None:
    own = {item.id: item for item in known.keywords}
    for item in changes:
        if item.id is not None and item.id not in own:
            raise NotFound
        if item.remove:
            tx.conn.execute(sa.delete(filter_keywords).where(filter_keywords.c.id == item.id))
        elif item.id is not None:
            words = own[item.id].keyword if item.keyword is None else _words(item.keyword)
            whole = own[item.id].whole_word if item.whole_word is None else item.whole_word
            mine = filter_keywords.c.id == item.id
            tx.conn.execute(sa.update(filter_keywords).where(mine).values(keyword=words, whole_word=whole))
        else:
            values = {"id": tx.new_id(), "filter_id": known.id, "keyword": _words(item.keyword or "")}
            whole = item.whole_word is not False
            tx.conn.execute(sa.insert(filter_keywords).values(**values, whole_word=whole))
    if sum(len(each.keywords) for each in of_account(tx, account_id)) > MAX_KEYWORDS:
        raise Unprocessable(f"Validation failed: at most {MAX_KEYWORDS} keywords in all filters")
    _tell(tx, account_id)


def _words(keyword: str) -> str:
    keyword = keyword.strip()
    if not 0 < len(keyword) <= MAX_KEYWORD:
        raise Unprocessable(f"Validation failed: Keyword has 1 to {MAX_KEYWORD} characters")
    return keyword


def add_status(tx: Tx, account_id: int, filter_id: int, status_id: int) -> FilteredStatus:
    """Filter one status, which the caller found visible. Raises NotFound, Unprocessable."""
    known = get(tx, account_id, filter_id)
    if len(known.statuses) >= MAX_STATUSES:
        raise Unprocessable(f"Validation failed: at most {MAX_STATUSES} posts in a filter")
    insert_ignore(tx, filter_statuses, id=tx.new_id(), filter_id=filter_id, status_id=status_id)
    _tell(tx, account_id)
    return next(item for item in get(tx, account_id, filter_id).statuses if item.status_id == status_id)


def delete_status(tx: Tx, account_id: int, id_: int) -> None:
    """Filter one status no longer. Raises NotFound."""
    get_status(tx, account_id, id_)
    tx.conn.execute(sa.delete(filter_statuses).where(filter_statuses.c.id == id_))
    _tell(tx, account_id)


def _tell(tx: Tx, account_id: int) -> None:
    tx.conn.execute(sa.insert(streams).values(kind="filters_changed", account_id=account_id, created_at=tx.ms))
    tx.wake("streams")


# -- matching --------------------------------------------------------------------------------------------------------


def matches(tx: Tx, account_id: int, ids: Iterable[int]) -> dict[int, list[Match]]:
    """By which filters of this account that hold now each of these statuses (no boosts) is matched, if by any."""
    active = [item for item in of_account(tx, account_id) if item.expires_at is None or item.expires_at > tx.ms]
    wanted = list(ids)
    if not active or not wanted:
        return {}
    words: dict[int, list[str]] = {}
    for id_, text in tx.conn.execute(_WORDS, {"ids": wanted, "account": account_id}):
        words.setdefault(id_, []).append(text or "")
    found: dict[int, list[Match]] = {}
    for id_, parts in words.items():
        text = "\n".join(parts)
        for item in active:
            hits = tuple(keyword.keyword for keyword in item.keywords if _pattern(keyword).search(text))
            named = tuple(named.status_id for named in item.statuses if named.status_id == id_)
            if hits or named:
                found.setdefault(id_, []).append(Match(item, hits, named))
    return found


@lru_cache(maxsize=4096)
def _pattern(keyword: Keyword) -> re.Pattern[str]:
    """A keyword is text, never a pattern. Where it begins or ends with a letter or digit a word must, too."""
    words, escaped = keyword.keyword, re.escape(keyword.keyword)
    if keyword.whole_word:
        before = r"(?<!\w)" if re.match(r"\w", words) else ""
        after = r"(?!\w)" if re.search(r"\w\Z", words) else ""
        escaped = before + escaped + after
    return re.compile(escaped, re.IGNORECASE)
