"""What the readers of Lemmy and Mastodon insist on, as checks of a document that leaves.

The table in README.md says where each is written in their source.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tests.federation.world import PUBLIC

Document = dict[str, Any]
Faults = Iterator[str]


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and bool(urlsplit(value).scheme and urlsplit(value).netloc)


def _urls(document: Document, *names: str) -> Faults:
    """These are one URL each."""
    for name in names:
        if not _is_url(document.get(name)):
            yield f"{name} is {document.get(name)!r} and not one URL"


def _gone(document: Document) -> Faults:
    """What a Delete names: one URL, or a Tombstone with one."""
    thing = document["object"]
    yield from _urls(thing if isinstance(thing, dict) and thing.get("type") == "Tombstone" else {"id": thing}, "id")


def _lists(document: Document, *names: str) -> Faults:
    """These are there and hold URLs alone."""
    for name in names:
        found = document.get(name)
        if not isinstance(found, list) or not all(_is_url(item) for item in found):
            yield f"{name} is {found!r} and not a list of URLs"


def _public(document: Document, *names: str) -> Faults:
    if not any(PUBLIC in (document.get(name) or []) for name in names):
        yield f"not addressed to everybody in {' or '.join(names)}"


def _time(document: Document, name: str) -> Faults:
    value = document.get(name)
    if value is not None and datetime.fromisoformat(value).tzinfo is None:
        yield f"{name} has no zone"


# -- Lemmy -----------------------------------------------------------------------------------------------------------


def lemmy(document: Document, group: str) -> Faults:
    """What Lemmy would trip over in an activity that it gets from our group or from people who write to its own."""
    kind = document["type"]
    yield from _urls(document, "id", "actor")
    if kind == "Announce":
        yield from _lists(document, "to", "cc")
        inner = document.get("object")
        if not isinstance(inner, dict):
            yield "what is announced is no activity"
            return
        yield from (f"{inner['type']}: {fault}" for fault in lemmy(inner, group))
        if inner.get("actor") == group and inner["type"] in _PERSONS:
            yield f"{inner['type']} is the act of a group: only persons do that there"
        return
    yield from _LEMMY[kind](document, group)


def _lemmy_create(document: Document, group: str) -> Faults:
    yield from _lists(document, "to", "cc")
    yield from _public(document, "to", "cc")
    yield from _lemmy_note(document["object"], group)


def _lemmy_note(note: Document, group: str) -> Faults:
    if note.get("type") not in ("Note", "Page", "Article", "Video", "Event"):
        yield f"no post is a {note.get('type')}"
    yield from _urls(note, "id", "attributedTo")
    yield from _lists(note, "to", "cc")
    if note.get("inReplyTo") is not None:
        yield from _urls(note, "inReplyTo")
        if not isinstance(note.get("content"), str):
            yield "a comment without content"
    elif not (note.get("name") or note.get("content")):
        yield "neither title nor content"
    elif group not in note.get("to", []) + note.get("cc", []):
        yield "a post that does not name its community"
    if note.get("audience") not in (None, group):
        yield "the audience is another community"
    if not isinstance(note.get("tag"), list):
        yield "tag is no list"
    for item in note.get("attachment", []):
        if item["type"] not in ("Image", "Document", "Link") or not _is_url(item.get("url") or item.get("href")):
            yield "an attachment that cannot be read"
    yield from _time(note, "published")
    yield from _time(note, "updated")


def _lemmy_vote(document: Document, _group: str) -> Faults:
    yield from _urls(document, "object")


def _lemmy_delete(document: Document, _group: str) -> Faults:
    yield from _gone(document)
    yield from _lists(document, "to", "cc")
    yield from _public(document, "to")


def _lemmy_moderation(document: Document, _group: str) -> Faults:
    yield from _urls(document, "object")
    yield from _lists(document, "to", "cc")
    yield from _public(document, "to", "cc")
    if document["type"] in ("Add", "Remove", "Block"):
        yield from _urls(document, "target")
    yield from _time(document, "endTime")


def _lemmy_undo(document: Document, group: str) -> Faults:
    inner = document["object"]
    if not isinstance(inner, dict):
        yield "what is undone does not stand inside"
        return
    yield from lemmy(inner, group)
    if inner["type"] in _PERSONS:
        yield from _lists(document, "to", "cc")
        yield from _public(document, "to")


def _lemmy_follow(document: Document, _group: str) -> Faults:
    yield from _urls(document, "object")
    if document.get("to") not in (None, [document.get("object")]):
        yield "a Follow goes to whom it follows"


def _lemmy_answer(document: Document, group: str) -> Faults:
    if isinstance(document["object"], dict):
        yield from lemmy(document["object"], group)
    else:
        yield from _urls(document, "object")


def _lemmy_flag(document: Document, _group: str) -> Faults:
    if len(document.get("to", [])) != 1:
        yield "a report goes to one community"
    if not (document.get("summary") or document.get("content")):
        yield "a report without a reason"


_PERSONS = frozenset({"Add", "Block", "Delete", "Lock", "Remove"})
_LEMMY: dict[str, Callable[[Document, str], Faults]] = {
    "Create": _lemmy_create,
    "Update": _lemmy_create,
    "Like": _lemmy_vote,
    "Delete": _lemmy_delete,
    "Undo": _lemmy_undo,
    "Follow": _lemmy_follow,
    "Accept": _lemmy_answer,
    "Reject": _lemmy_answer,
    "Flag": _lemmy_flag,
    **dict.fromkeys(("Add", "Block", "Lock", "Remove"), _lemmy_moderation),
}


def lemmy_group(actor: Document) -> Faults:
    """What Lemmy would trip over in the actor of a group."""
    yield from _urls(actor, "id", "inbox", "outbox", "followers", "featured", "attributedTo")
    for name in ("preferredUsername", "name", "summary"):
        if not isinstance(actor.get(name), str):
            yield f"{name} is no text"
    for name in ("manuallyApprovesFollowers", "postingRestrictedToMods", "discoverable"):
        if not isinstance(actor.get(name), bool):
            yield f"{name} is neither true nor false"
    yield from _keyed(actor)
    yield from _time(actor, "published")


def lemmy_collection(name: str, document: Document) -> Faults:
    """What Lemmy would trip over in a collection of a group."""
    kind, member = ("Collection", "items") if name == "followers" else ("OrderedCollection", "orderedItems")
    if document.get("type") != kind or not isinstance(document.get(member), list):
        yield f"{name} is a {document.get('type')} without {member}"
        return
    if name != "moderators" and type(document.get("totalItems")) is not int:
        yield f"{name} does not say how many"
    for item in document[member]:
        if name == "featured" and not isinstance(item, dict):
            yield "a pinned post is not there as a whole"
        if name == "moderators" and not _is_url(item):
            yield "a moderator is not named by URL"
    if name == "followers" and document[member]:
        yield "followers are named"


# -- Mastodon --------------------------------------------------------------------------------------------------------


def mastodon(document: Document, _group: str) -> Faults:
    """What Mastodon would trip over in an activity that it gets."""
    yield from _urls(document, "id", "actor")
    thing = document.get("object")
    match document["type"]:
        case "Announce":
            if not isinstance(thing, str):
                yield "a boost names a post by its id"
            yield from _public(document, "to", "cc")
            if document.get("published") is None:
                yield "a boost without a time stands at the moment it comes"
        case "Create" | "Update" if isinstance(thing, dict) and "attributedTo" in thing and thing.get("type") == "Note":
            if urlsplit(thing["id"]).netloc != urlsplit(document["actor"]).netloc:
                yield "the note lives elsewhere than its author"
            if thing["attributedTo"] != document["actor"]:
                yield "the note is somebody else's"
            yield from _lists(thing, "to", "cc")
            yield from _time(thing, "published")
        case "Undo":
            if not isinstance(thing, dict) or not _is_url(thing.get("id")) or "object" not in thing:
                yield "what is undone is not named by its id"
        case "Accept" | "Reject":
            if not isinstance(thing, dict) or thing.get("type") != "Follow" or not _is_url(thing.get("object")):
                yield "the Follow does not stand inside"
        case "Delete":
            yield from _gone(document)


def mastodon_actor(actor: Document) -> Faults:
    """What Mastodon would trip over in any actor of ours."""
    yield from _urls(actor, "id", "inbox", "outbox", "followers", "url")
    if urlsplit(str(actor.get("url"))).netloc != urlsplit(str(actor.get("id"))).netloc:
        yield "the page lives elsewhere than the actor"
    yield from _keyed(actor)


def _keyed(actor: Document) -> Faults:
    key = actor.get("publicKey")
    if not isinstance(key, dict) or key.get("owner") != actor["id"] or "BEGIN PUBLIC KEY" not in key["publicKeyPem"]:
        yield "the key is not one that can be read"
    if not _is_url((actor.get("endpoints") or {}).get("sharedInbox")):
        yield "no shared inbox"
