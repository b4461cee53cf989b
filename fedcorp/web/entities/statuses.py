"""Statuses as JSON bytes, fast: what a version fixes is rendered once and cached, the rest is laid over for a viewer.

The cached part is the beginning of the entity, up to the counts of its author, which stand last in the author for this
reason. Its key names the versions it was made from, so it is right in every process and never invalidated. What most
people see of a status, without any mark of theirs, is kept as a whole beside its head, which holds all that it depends
on. The parts are joined by hand; nothing that a person wrote is ever put into JSON except by orjson.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import orjson

from fedcorp.social import (
    accounts,
    cards,
    custom_emojis,
    filters,
    media,
    policy,
    polls,
    quotes,
    reactions,
    statuses,
    views,
)
from fedcorp.social.accounts import Account
from fedcorp.social.cards import Card
from fedcorp.social.custom_emojis import CustomEmoji
from fedcorp.social.filters import Match
from fedcorp.social.media import Media
from fedcorp.social.statuses import Status
from fedcorp.social.views import Head, Marks, Mentioned
from fedcorp.storage.database import Tx
from fedcorp.storage.lines import SEPARATOR
from fedcorp.web.entities import reactions as entities
from fedcorp.web.entities.accounts import without_counts
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.cards import card
from fedcorp.web.entities.emojis import domain_of, emoji, in_words
from fedcorp.web.entities.filters import filter_result
from fedcorp.web.entities.media import attachment, is_open, window
from fedcorp.web.entities.polls import poll
from fedcorp.web.entities.times import day, iso, iso_or_none

_COUNTS = b',"statuses_count":%d,"followers_count":%d,"following_count":%d,"last_status_at":%b},'
_REACTIONS = b'"replies_count":%d,"reblogs_count":%d,"favourites_count":%d,"quotes_count":%d,"poll":'
_APPROVAL = b',"quote_approval":%b'
_NO_EMOJI = b',"reactions":[]'
_EMOJI = b',"reactions":%b,"emoji_reactions":%b'  # glitch-soc's name for them, and that of Akkoma and Fedibird
_FLAGS = b',"favourited":%b,"reblogged":%b,"bookmarked":%b,"muted":%b,"filtered":'
_TRUTH = (b"false", b"true")
_MARKS = {  # by (favourited, reblogged, bookmarked, muted)
    flags: _FLAGS % tuple(_TRUTH[flag] for flag in flags) for flags in product((False, True), repeat=4)
}
KEPT_COUNTS = 4096  # of authors and of reactions: most are the same all over a page


@dataclass(frozen=True, slots=True)
class _Quoted:
    """What the statuses of one page quote: heads of it, and how that, and what it quotes in turn, stands before the
    viewer. `reveal`: whatever became of a quote, what it quotes is handed over to who may read it."""

    heads: dict[int, Head]
    seen: dict[int, str]
    reveal: bool


@dataclass(frozen=True, slots=True)
class _Overlay:
    """What is laid over the cached part of every status of one page."""

    viewer_id: int | None
    heads: dict[int, Head]
    marks: Marks
    polls: dict[int, bytes]
    reactions: dict[int, bytes]
    fleeting: set[int]  # statuses whose reactions not everybody sees alike
    filtered: dict[int, bytes]
    following: set[int]  # authors; as far as policies of quotes ask for it
    followed_by: set[int]
    quoted: _Quoted
    creators: dict[int, Account | None]  # whom cards show, or may come to show, by status


class _Kept:
    """A status as it was read: its head, and the entity once it was rendered without marks, for the author of what it
    shows (`own`) and for anybody else (`whole`): (what it boosts, the window of its links, JSON). Threads share it, so
    each is set in one piece."""

    __slots__ = ("account_id", "boosted", "head", "id", "own", "quotes", "reactions", "thread_id", "whole")

    def __init__(self, head: Head) -> None:
        self.head = head
        self.id = head.id
        self.account_id = head.account_id
        self.thread_id = head.thread_id
        self.boosted = head.reblog_of_id
        self.quotes = _is_quote(head)
        self.reactions = _has_reactions(head)
        self.own: tuple[_Kept | None, int, bytes] | None = None
        self.whole: tuple[_Kept | None, int, bytes] | None = None


def render(
    tx: Tx,
    cache: Rendered,
    viewer_id: int | None,
    ids: Sequence[int],
    context: str | None = None,
    *,
    reveal: bool = False,
) -> list[bytes]:
    """Status entities in the order of `ids`, which the caller found visible; deleted ones are left out.

    `context` says where they will be seen, one of `filters.CONTEXTS`: what the viewer's filters hide there is left out.
    `reveal`: what a post quotes stands in it whatever its author said to that, so that it can be written anew.
    """
    return list(render_map(tx, cache, viewer_id, ids, context, reveal=reveal).values())


def render_map(
    tx: Tx,
    cache: Rendered,
    viewer_id: int | None,
    ids: Sequence[int],
    context: str | None = None,
    *,
    reveal: bool = False,
) -> dict[int, bytes]:
    """Like `render`, by id."""
    kept = _kept(tx, cache, set(ids))
    missing = {item.boosted for item in kept.values() if item.boosted is not None} - kept.keys()
    if missing:
        kept |= _kept(tx, cache, missing)
    return _rendered(tx, cache, viewer_id, ids, kept, context, reveal=reveal)


def render_lines(
    tx: Tx, cache: Rendered, viewer_id: int | None, lines: Iterable[str], context: str
) -> tuple[list[int], list[bytes]]:
    """(ids of all entries, their Status entities) of the lines of a timeline; see `render`."""
    ids: list[int] = []
    kept: dict[int, _Kept] = {}
    for line in lines:
        item = cache.get(line)
        if item is None:  # not known yet, or what is shown and the boost that shows it
            *before, last = line.split(SEPARATOR)
            kept |= {it.id: it for it in (cache.get(part) or _keep(cache, part) for part in before)}
            item = cache.get(last) or _keep(cache, last)
        kept[item.id] = item
        ids.append(item.id)
    return ids, list(_rendered(tx, cache, viewer_id, ids, kept, context, reveal=False).values())


def _rendered(
    tx: Tx, cache: Rendered, viewer_id: int | None, ids: Sequence[int], kept: "dict[int, _Kept]",
    context: str | None, *, reveal: bool,
) -> dict[int, bytes]:  # fmt: skip
    quoted = _quoted(tx, cache, viewer_id, [item.head for item in kept.values() if item.quotes], reveal=reveal)
    originals = [id_ for id_, item in kept.items() if item.boosted is None]
    originals += quoted.heads.keys() - kept.keys()
    marks = views.NO_MARKS if viewer_id is None else views.marks(tx, viewer_id, originals)
    matches = filters.matches(tx, viewer_id, originals) if viewer_id is not None and marks.filters else {}
    hidden = {id_ for id_, found in matches.items() if any(item.filter.hides_in(context) for item in found)}
    touched = marks.favourited | marks.reblogged | marks.bookmarked | matches.keys()
    if viewer_id is not None and (below := [id_ for id_, item in kept.items() if item.reactions]):
        touched |= reactions.reacted(tx, below, viewer_id)
    window_now = window("", "", tx.ms)
    rendered: dict[int, bytes] = {}
    rest: list[_Kept] = []
    for id_ in ids:
        item = kept.get(id_)
        original = item if item is None or item.boosted is None else kept.get(item.boosted)
        if item is None or original is None or original.id in hidden:  # deleted, or a boost of what is gone
            continue
        whole = item.own if original.account_id == viewer_id else item.whole
        if (
            whole is not None
            and whole[0] is (None if original is item else original)
            and whole[1] == window_now
            and original.id not in touched
            and original.thread_id not in marks.muted
            and viewer_id is not None
        ):
            rendered[id_] = whole[2]
        else:
            rendered[id_] = b""  # keeps the place
            rest.append(item)
    if rest:
        _render_rest(tx, cache, viewer_id, rest, kept, marks, matches, quoted, rendered)
    return rendered


def _kept(tx: Tx, cache: Rendered, ids: Iterable[int]) -> "dict[int, _Kept]":
    """What is known of these statuses, by id; deleted ones are left out."""
    found = (cache.get(line) or _keep(cache, line) for line in views.head_lines(tx, ids))
    return {item.id: item for item in found}


def _keep(cache: Rendered, line: str) -> "_Kept":
    item = _Kept(views.head(line))
    cache.put(line, item)
    return item


def _render_rest(
    tx: Tx, cache: Rendered, viewer_id: int | None, rest: "list[_Kept]", kept: "dict[int, _Kept]", marks: Marks,
    matches: dict[int, list[Match]], quoted: _Quoted, rendered: dict[int, bytes],
) -> None:  # fmt: skip
    """Put those into `rendered` of which no whole is kept, or whose viewer sees something of their own in them."""
    heads = {item.id: item.head for item in rest}
    heads |= {item.boosted: kept[item.boosted].head for item in rest if item.boosted is not None}
    heads |= quoted.heads
    filtered = {id_: orjson.dumps([filter_result(item) for item in found]) for id_, found in matches.items()}
    ties = _ties(tx, viewer_id, heads)
    below = _reactions_below(tx, viewer_id, heads)
    creators = cards.creators_of(tx, list(heads))
    overlay = _Overlay(viewer_id, heads, marks, _polls(tx, viewer_id, heads), *below, filtered, *ties, quoted, creators)
    prefixes = _prefixes(tx, cache, heads, creators)
    window_now = window("", "", tx.ms)
    for item in rest:
        original = item if item.boosted is None else kept[item.boosted]
        if item.id not in prefixes or original.id not in prefixes:
            del rendered[item.id]
            continue
        body = rendered[item.id] = _joined(item.id, overlay, prefixes)
        if viewer_id is not None and not _is_special(item, original, overlay):
            whole = (None if original is item else original, window_now, body)
            if original.account_id == viewer_id:
                item.own = whole
            else:
                item.whole = whole


def _is_special(item: "_Kept", original: "_Kept", overlay: _Overlay) -> bool:
    """Whether its viewer sees a mark, a vote, a reaction or a tie of their own in it, or somebody else a later state of
    a poll, of pictures below it, of what it quotes, or of whom its card shows."""
    favourited, reblogged, bookmarked, muted, _ = overlay.marks
    id_ = original.id
    return (
        id_ in favourited or id_ in reblogged or id_ in bookmarked or id_ in overlay.filtered
        or original.thread_id in muted
        or original.head.poll_id is not None or original.quotes or id_ in overlay.fleeting
        or id_ in overlay.creators
        or "follow" in original.head.quote_policy
    )  # fmt: skip


def render_one(tx: Tx, cache: Rendered, viewer_id: int | None, id_: int, *, reveal: bool = False) -> bytes:
    """One Status entity. Raises NotFound when it was deleted."""
    statuses.get(tx, id_)
    return render(tx, cache, viewer_id, [id_], reveal=reveal)[0]


def array(items: Iterable[bytes]) -> bytes:
    """A JSON array of entities that are bytes already."""
    return b"[" + b",".join(items) + b"]"


# -- what is laid over -----------------------------------------------------------------------------------------------


def _joined(id_: int, overlay: _Overlay, prefixes: dict[int, bytes]) -> bytes:
    head = overlay.heads[id_]
    if head.reblog_of_id is None:
        return _whole(head, overlay, prefixes)
    inner = _whole(overlay.heads[head.reblog_of_id], overlay, prefixes)
    return prefixes[id_] + _tail(head, overlay, inner, b"null")


def _whole(head: Head, overlay: _Overlay, prefixes: dict[int, bytes]) -> bytes:
    quote = _quote(head, overlay, prefixes) if _is_quote(head) else b"null"
    return prefixes[head.id] + _tail(head, overlay, b"null", quote)


def _tail(head: Head, overlay: _Overlay, reblog: bytes, quote: bytes) -> bytes:
    (
        id_, _, account_id, _, reblog_of_id, thread_id, poll_id, _, _, pinned_at, _, _, _, replies, reblogs, favourites,
        quoted, below, _, account_statuses, followers, following, last_status_at,
    ) = head  # fmt: skip
    tail = _counts(account_statuses, followers, following, day(last_status_at))
    tail += _reactions(replies, reblogs, favourites, quoted)
    tail += (b"null" if poll_id is None else overlay.polls.get(poll_id, b"null")) + b',"reblog":' + reblog
    tail += b',"quote":' + quote
    target = id_
    if reblog_of_id is not None:  # a boost shows the marks of what it boosts
        target, thread_id = reblog_of_id, overlay.heads[reblog_of_id].thread_id
    tail += _approval_of(overlay.heads[target], overlay)
    tail += overlay.reactions.get(id_, _NO_EMOJI) if below else _NO_EMOJI  # a boost has none of its own
    if overlay.viewer_id is None:
        return tail + b"}"
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
def _reactions(replies: int, reblogs: int, favourites: int, quoted: int) -> bytes:
    return _REACTIONS % (replies, reblogs, favourites, quoted)


# -- quotes ----------------------------------------------------------------------------------------------------------


def _quoted(tx: Tx, cache: Rendered, viewer_id: int | None, quoting: list[Head], *, reveal: bool) -> _Quoted:
    first = {id_ for head in quoting if (id_ := _leads_to(head, reveal=reveal)) is not None}
    heads = {id_: item.head for id_, item in _kept(tx, cache, first).items()} if first else {}
    second = {id_ for head in heads.values() if (id_ := _leads_to(head)) is not None}
    return _Quoted(heads, quotes.seen(tx, viewer_id, first | second) if first else {}, reveal)


def _is_quote(head: Head) -> bool:
    """Whether apps are told that a post quotes."""
    return head.quote_state not in (None, quotes.UNASKED)


def _leads_to(head: Head, *, reveal: bool = False) -> int | None:
    """The id of what a post shows as a quote, as far as its author agreed."""
    return head.quoted_id if _is_quote(head) and (reveal or head.quote_state == quotes.ACCEPTED) else None


def _quote(head: Head, overlay: _Overlay, prefixes: dict[int, bytes]) -> bytes:
    """The Quote entity; what it holds quotes by id alone (ShallowQuote)."""
    state, shown = _stands(head, overlay, reveal=overlay.quoted.reveal)
    if shown is None or shown not in prefixes:
        return b'{"state":"%b","quoted_status":null}' % state.encode()
    quoted = overlay.heads[shown]
    inner = prefixes[shown] + _tail(quoted, overlay, b"null", _shallow(quoted, overlay))
    return b'{"state":"%b","quoted_status":%b}' % (state.encode(), inner)


def _shallow(head: Head, overlay: _Overlay) -> bytes:
    if not _is_quote(head):
        return b"null"
    state, shown = _stands(head, overlay)
    return b'{"state":"%b","quoted_status_id":%b}' % (state.encode(), b"null" if shown is None else b'"%d"' % shown)


def _stands(head: Head, overlay: _Overlay, *, reveal: bool = False) -> tuple[str, int | None]:
    """(state as the viewer is told, id of what may be shown or None)"""
    seen = quotes.UNAUTHORIZED
    if head.quoted_id is not None:
        seen = overlay.quoted.seen.get(head.quoted_id, seen)
    if head.quote_state == quotes.ACCEPTED:
        return seen, head.quoted_id if seen in quotes.SHOWN else None
    return head.quote_state or "", head.quoted_id if reveal and seen in quotes.SHOWN else None


def _ties(tx: Tx, viewer_id: int | None, heads: dict[int, Head]) -> tuple[set[int], set[int]]:
    """Whom the viewer follows and who follows the viewer, of those authors whose policies ask for it."""
    asking = {head.account_id for head in heads.values() if "follow" in head.quote_policy}
    return views.ties(tx, viewer_id, asking) if asking and viewer_id is not None else (set(), set())


def _approval_of(head: Head, overlay: _Overlay) -> bytes:
    author_id, viewer_id = head.account_id, overlay.viewer_id
    ties = (author_id == viewer_id, author_id in overlay.following, author_id in overlay.followed_by)
    return _approval(head.quote_policy, head.visibility, viewer_id is None, *ties)


@lru_cache(maxsize=KEPT_COUNTS)
def _approval(kept: str, visibility: str, anonymous: bool, own: bool, follows: bool, followed: bool) -> bytes:
    """The QuoteApproval entity of a policy."""
    rules = policy.quote_policy(kept)
    answer = policy.may_quote(rules, visibility=visibility, own=own, follows=follows, followed=followed)
    if anonymous:
        answer = "denied"
    return _APPROVAL % orjson.dumps({"automatic": rules.automatic, "manual": rules.manual, "current_user": answer})


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


def _has_reactions(head: Head) -> bool:
    return head.reactions_count > 0 and head.reblog_of_id is None


def _reactions_below(
    tx: Tx, viewer_id: int | None, heads: dict[int, Head]
) -> tuple[dict[int, bytes], set[int]]:  # fmt: skip
    """What stands below these statuses, as JSON, and below which of them not everybody sees the same."""
    below = [head.id for head in heads.values() if _has_reactions(head)]
    if not below:
        return {}, set()
    found = entities.of_statuses(tx, below, viewer_id)
    told = {id_: orjson.dumps(items) for id_, (items, _) in found.items()}
    fleeting = {id_ for id_, (_, is_for_all) in found.items() if not is_for_all}
    return {id_: _EMOJI % (items, items) for id_, items in told.items()}, fleeting


# -- what is cached --------------------------------------------------------------------------------------------------


def _key(head: Head, heads: dict[int, Head], creator: Account | None, ms: int) -> tuple[Any, ...]:
    shows = heads.get(head.reblog_of_id) if head.reblog_of_id is not None else None
    return (
        head.id, head.version, head.account_version,
        -1 if shows is None else shows.version, -1 if shows is None else shows.account_version,
        window(head.visibility, head.reach, ms),
        None if creator is None else (
            creator.id, creator.version, creator.statuses_count, creator.followers_count, creator.following_count,
            day(creator.last_status_at),
        ),
    )  # fmt: skip


def _prefixes(tx: Tx, cache: Rendered, heads: dict[int, Head], creators: dict[int, Account | None]) -> dict[int, bytes]:
    """The cached beginnings by id. A boost of something that is gone is left out."""
    found: dict[int, bytes] = {}
    missing: dict[int, tuple[Any, ...]] = {}
    for id_, head in heads.items():
        if head.reblog_of_id is not None and head.reblog_of_id not in heads:
            continue
        key = _key(head, heads, creators.get(id_), tx.ms)
        prefix = cache.get(key)
        if prefix is None:
            missing[id_] = key
        else:
            found[id_] = prefix
    for id_, prefix in _make(tx, heads, missing, creators).items():
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
    creators: dict[int, Account | None]


def _make(
    tx: Tx, heads: dict[int, Head], wanted: Iterable[int], creators: dict[int, Account | None]
) -> dict[int, bytes]:
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
        creators,
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
        "sensitive": source.sensitive or parts.accounts[source.account_id].sensitized_at is not None,
        "spoiler_text": source.spoiler_text,
        "visibility": policy.shown_visibility(row.visibility),
        "language": source.language,
        "uri": row.uri,
        "url": row.url or row.uri,  # many apps want one
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
    if item is None:
        return None
    return card(tx, item, parts.creators.get(row.id), open_to_all=is_open(row.visibility, row.reach))


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
