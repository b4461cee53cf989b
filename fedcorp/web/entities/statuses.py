"""Statuses as JSON bytes, fast: what a version fixes is rendered once and cached, the rest is laid over for a viewer.

The cached part is the beginning of the entity, up to the counts of its author, which stand last in the author for this
reason. Its key names the versions it was made from, so it is right in every process and never invalidated. The parts
are joined by hand; nothing that a person wrote is ever put into JSON except by orjson.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import orjson

from fedcorp.social import accounts, cards, custom_emojis, filters, media, policy, polls, statuses, views
from fedcorp.social.accounts import Account
from fedcorp.social.cards import Card
from fedcorp.social.custom_emojis import CustomEmoji
from fedcorp.social.media import Media
from fedcorp.social.statuses import Status
from fedcorp.social.views import Head, Marks, Mentioned
from fedcorp.storage.database import Tx
from fedcorp.web.entities.accounts import without_counts
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.cards import card
from fedcorp.web.entities.emojis import domain_of, emoji, in_words
from fedcorp.web.entities.filters import filter_result
from fedcorp.web.entities.media import attachment, is_open, window
from fedcorp.web.entities.polls import poll
from fedcorp.web.entities.times import day, iso, iso_or_none

_COUNTS = b',"statuses_count":%d,"followers_count":%d,"following_count":%d,"last_status_at":%b},'
_REACTIONS = b'"replies_count":%d,"reblogs_count":%d,"favourites_count":%d,"poll":'
_FLAGS = b',"favourited":%b,"reblogged":%b,"bookmarked":%b,"muted":%b,"filtered":'
_TRUTH = (b"false", b"true")
_MARKS = {  # by (favourited, reblogged, bookmarked, muted)
    flags: _FLAGS % tuple(_TRUTH[flag] for flag in flags) for flags in product((False, True), repeat=4)
}
KEPT_COUNTS = 4096  # of authors and of reactions: most are the same all over a page


@dataclass(frozen=True, slots=True)
class _Overlay:
    """What is laid over the cached part of every status of one page."""

    viewer_id: int | None
    heads: dict[int, Head]
    marks: Marks
    polls: dict[int, bytes]
    filtered: dict[int, bytes]


def render(
    tx: Tx,
    cache: Rendered,
    viewer_id: int | None,
    ids: Sequence[int],
    shown: Iterable[int] = (),
    context: str | None = None,
) -> list[bytes]:
    """Status entities in the order of `ids`, which the caller found visible; deleted ones are left out.

    `shown`: the ids of what boosts among `ids` show, when the caller knows them; this saves a query. `context` says
    where they will be seen, one of `filters.CONTEXTS`: what the viewer's filters hide there is left out.
    """
    return list(render_map(tx, cache, viewer_id, ids, shown, context).values())


def render_map(
    tx: Tx,
    cache: Rendered,
    viewer_id: int | None,
    ids: Sequence[int],
    shown: Iterable[int] = (),
    context: str | None = None,
) -> dict[int, bytes]:
    """Like `render`, by id."""
    heads = views.heads(tx, {*ids, *shown})
    missing = {head.reblog_of_id for head in heads.values() if head.reblog_of_id is not None} - heads.keys()
    if missing:
        heads |= views.heads(tx, missing)
    originals = [head.id for head in heads.values() if head.reblog_of_id is None]
    marks = views.NO_MARKS if viewer_id is None else views.marks(tx, viewer_id, originals)
    matches = filters.matches(tx, viewer_id, originals) if viewer_id is not None and marks.filters else {}
    filtered = {id_: orjson.dumps([filter_result(item) for item in found]) for id_, found in matches.items()}
    hidden = {id_ for id_, found in matches.items() if any(item.filter.hides_in(context) for item in found)}
    overlay = _Overlay(viewer_id, heads, marks, _polls(tx, viewer_id, heads), filtered)
    prefixes = _prefixes(tx, cache, heads)
    return {
        id_: _joined(id_, overlay, prefixes)
        for id_ in ids
        if id_ in prefixes and not (hidden and (heads[id_].reblog_of_id or id_) in hidden)
    }


def render_one(tx: Tx, cache: Rendered, viewer_id: int | None, id_: int) -> bytes:
    """One Status entity. Raises NotFound when it was deleted."""
    statuses.get(tx, id_)
    return render(tx, cache, viewer_id, [id_])[0]


def array(items: Iterable[bytes]) -> bytes:
    """A JSON array of entities that are bytes already."""
    return b"[" + b",".join(items) + b"]"


# -- what is laid over -----------------------------------------------------------------------------------------------


def _joined(id_: int, overlay: _Overlay, prefixes: dict[int, bytes]) -> bytes:
    head = overlay.heads[id_]
    if head.reblog_of_id is None:
        return prefixes[id_] + _tail(head, overlay, b"null")
    original = overlay.heads[head.reblog_of_id]
    inner = prefixes[original.id] + _tail(original, overlay, b"null")
    return prefixes[id_] + _tail(head, overlay, inner)


def _tail(head: Head, overlay: _Overlay, reblog: bytes) -> bytes:
    (
        id_, _, account_id, _, reblog_of_id, thread_id, poll_id, _, _, pinned_at, replies, reblogs, favourites,
        account_statuses, followers, following, last_status_at,
    ) = head  # fmt: skip
    tail = _counts(account_statuses, followers, following, day(last_status_at))
    tail += _reactions(replies, reblogs, favourites)
    tail += (b"null" if poll_id is None else overlay.polls.get(poll_id, b"null")) + b',"reblog":' + reblog
    if overlay.viewer_id is None:
        return tail + b"}"
    target = id_
    if reblog_of_id is not None:  # a boost shows the marks of what it boosts
        target, thread_id = reblog_of_id, overlay.heads[reblog_of_id].thread_id
    favourited, reblogged, bookmarked, muted, _ = overlay.marks
    tail += _MARKS[target in favourited, target in reblogged, target in bookmarked, thread_id in muted]
    tail += overlay.filtered.get(target, b"[]")
    if account_id == overlay.viewer_id and reblog_of_id is None:
        tail += b',"pinned":' + _TRUTH[pinned_at is not None]
    return tail + b"}"


@lru_cache(maxsize=KEPT_COUNTS)
def _counts(statuses_: int, followers: int, following: int, last_day: str | None) -> bytes:
    return _COUNTS % (statuses_, followers, following, b'"%b"' % last_day.encode() if last_day else b"null")


@lru_cache(maxsize=KEPT_COUNTS)
def _reactions(replies: int, reblogs: int, favourites: int) -> bytes:
    return _REACTIONS % (replies, reblogs, favourites)


def _polls(tx: Tx, viewer_id: int | None, heads: dict[int, Head]) -> dict[int, bytes]:
    authors = {head.poll_id: head.account_id for head in heads.values() if head.poll_id is not None}
    if not authors:
        return {}
    found = polls.load(tx, list(authors), viewer_id)
    titles = {id_: " ".join(option.title for option in row.options) for id_, row in found.items()}
    writers = accounts.find_many(tx, {authors[id_] for id_, words in titles.items() if ":" in words})
    emojis = {
        id_: in_words(tx, writers[authors[id_]], words) for id_, words in titles.items() if authors[id_] in writers
    }
    return {
        id_: orjson.dumps(poll(row, tx.ms, viewer_id, authors[id_], emojis.get(id_, ()))) for id_, row in found.items()
    }


# -- what is cached --------------------------------------------------------------------------------------------------


def _key(head: Head, heads: dict[int, Head], ms: int) -> tuple[int, ...]:
    shows = heads.get(head.reblog_of_id) if head.reblog_of_id is not None else None
    return (
        head.id, head.version, head.account_version, -1 if shows is None else shows.version,
        window(head.visibility, head.reach, ms),
    )  # fmt: skip


def _prefixes(tx: Tx, cache: Rendered, heads: dict[int, Head]) -> dict[int, bytes]:
    """The cached beginnings by id. A boost of something that is gone is left out."""
    found: dict[int, bytes] = {}
    missing: dict[int, tuple[int, ...]] = {}
    for id_, head in heads.items():
        if head.reblog_of_id is not None and head.reblog_of_id not in heads:
            continue
        key = _key(head, heads, tx.ms)
        prefix = cache.get(key)
        if prefix is None:
            missing[id_] = key
        else:
            found[id_] = prefix
    for id_, prefix in _make(tx, heads, missing).items():
        cache.put(missing[id_], prefix)
        found[id_] = prefix
    return found


@dataclass(frozen=True, slots=True)
class _Parts:
    """Everything that the beginnings of some statuses are made of."""

    statuses: dict[int, Status]
    accounts: dict[int, Account]
    mentions: dict[int, list[Mentioned]]
    tags: dict[int, list[str]]
    media: dict[int, list[Media]]
    applications: dict[int, tuple[str, str | None]]
    cards: dict[int, Card]
    emojis: dict[tuple[str, str], list[CustomEmoji]]


def _make(tx: Tx, heads: dict[int, Head], wanted: Iterable[int]) -> dict[int, bytes]:
    ids = list(wanted)
    if not ids:
        return {}
    shown = {shown for id_ in ids if (shown := heads[id_].reblog_of_id) is not None}
    rows = statuses.find_many(tx, {*ids, *shown})
    authors = accounts.find_many(tx, {row.account_id for row in rows.values()})
    application_ids = {row.application_id for row in rows.values() if row.application_id is not None}
    parts = _Parts(
        rows,
        authors,
        views.mentions_of(tx, ids),
        views.tags_of(tx, ids),
        media.of_statuses(tx, ids),
        views.applications_of(tx, list(application_ids)),
        cards.of_statuses(tx, ids),
        custom_emojis.in_texts(tx, [_words(row, authors[row.account_id]) for row in rows.values()]),
    )
    return {id_: _prefix(tx, rows[id_], parts) for id_ in ids if id_ in rows}


def _words(row: Status, author: Account) -> tuple[str, str]:
    """(domain of the emoji, texts) of a status."""
    return domain_of(author), f"{row.content} {row.spoiler_text}"


def _prefix(tx: Tx, row: Status, parts: _Parts) -> bytes:
    source = row if row.reblog_of_id is None else parts.statuses[row.reblog_of_id]
    words = _words(source, parts.accounts[source.account_id])
    entity: dict[str, Any] = {
        "id": str(row.id),
        "created_at": iso(row.created_at),
        "edited_at": iso_or_none(row.edited_at),
        "in_reply_to_id": _text_or_none(row.in_reply_to_id),
        "in_reply_to_account_id": _text_or_none(row.in_reply_to_account_id),
        "sensitive": source.sensitive,
        "spoiler_text": source.spoiler_text,
        "visibility": policy.shown_visibility(row.visibility),
        "language": source.language,
        "uri": row.uri,
        "url": row.url,
        "content": source.content,
        "media_attachments": _attachments(tx, row, parts),
        "mentions": [mention(item) for item in parts.mentions.get(row.id, ())],
        "tags": [{"name": name, "url": tx.site.urls.tag(name)} for name in parts.tags.get(row.id, ())],
        "emojis": [emoji(tx.site, item) for item in parts.emojis.get(words, ())],
        "card": _card(tx, row, parts),
        "reach": row.reach,
        "local_only": row.reach == "department",
    }
    if row.application_id in parts.applications:
        name, website = parts.applications[row.application_id]
        entity["application"] = {"name": name, "website": website}
    entity["account"] = without_counts(tx.site, parts.accounts[row.account_id])
    return orjson.dumps(entity)[:-2]


def _attachments(tx: Tx, row: Status, parts: _Parts) -> list[dict[str, Any]]:
    open_to_all = is_open(row.visibility, row.reach)
    return [attachment(tx, item, open_to_all=open_to_all) for item in parts.media.get(row.id, ())]


def _card(tx: Tx, row: Status, parts: _Parts) -> dict[str, Any] | None:
    item = parts.cards.get(row.id)
    return card(tx, item, open_to_all=is_open(row.visibility, row.reach)) if item is not None else None


def mention(item: Mentioned) -> dict[str, str]:
    """The Status::Mention entity."""
    acct = item.username if item.local else f"{item.username}@{item.domain}"
    return {"id": str(item.id), "username": item.username, "acct": acct, "url": item.url}


def _text_or_none(id_: int | None) -> str | None:
    return None if id_ is None else str(id_)


# -- other entities about one status ---------------------------------------------------------------------------------


def source(row: Status) -> dict[str, Any]:
    """The StatusSource entity: what the author typed."""
    return {"id": str(row.id), "text": row.text, "spoiler_text": row.spoiler_text}


def edits(tx: Tx, row: Status) -> list[dict[str, Any]]:
    """StatusEdit entities, oldest first, the present version last."""
    author = accounts.get(tx, row.account_id)
    shown = without_counts(tx.site, author) | {
        "statuses_count": author.statuses_count, "followers_count": author.followers_count,
        "following_count": author.following_count, "last_status_at": day(author.last_status_at),
    }  # fmt: skip
    now = [attachment(tx, item, open_to_all=is_open(row.visibility, row.reach))
           for item in media.of_statuses(tx, [row.id]).get(row.id, [])]  # fmt: skip
    kept = {item["id"]: item for item in now}
    versions = [
        _edit(old.content, old.spoiler_text, old.sensitive, old.created_at, shown)
        | {"emojis": in_words(tx, author, old.content, old.spoiler_text)}
        | {"media_attachments": [kept[str(id_)] for id_ in orjson.loads(old.media) if str(id_) in kept]}
        | _edit_poll(orjson.loads(old.poll))
        for old in statuses.history(tx, row.id)
    ]
    present = polls.load(tx, [row.poll_id], None).get(row.poll_id) if row.poll_id is not None else None
    latest = _edit(row.content, row.spoiler_text, row.sensitive, row.edited_at or row.created_at, shown)
    latest |= {"emojis": in_words(tx, author, row.content, row.spoiler_text), "media_attachments": now}
    latest |= _edit_poll([option.title for option in present.options] if present else [])
    return [*versions, latest]


def _edit(content: str, spoiler_text: str, sensitive: bool, at: int, account: dict[str, Any]) -> dict[str, Any]:
    return {
        "content": content, "spoiler_text": spoiler_text, "sensitive": sensitive, "created_at": iso(at),
        "account": account,
    }  # fmt: skip


def _edit_poll(titles: list[str]) -> dict[str, Any]:
    return {"poll": {"options": [{"title": title} for title in titles]}} if titles else {}
