"""Documents that no server should send, made by chance from those that servers do send: bent, cut, swapped, blown up.

A stream of them is the same for the same seed. Each carries a mark of its own, by which it can be found again wherever
a part of it was stored.
"""

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
AS = "https://www.w3.org/ns/activitystreams"
MARK = "zq{}qz"

NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**53, 2**53 + 1, 2**64, -(2**70), 1e308, "", " ", "0", "null", "\u0000",
    "\ud800", "🙂",
    "\u202eevil", "a" * 3000, "<script>alert(1)</script>", "' OR 1=1 --", "%00", "../../etc/passwd", "1", "#", "?",
    "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://", "https://", "http://[",
    "http://[::1]/x",
    "http://127.0.0.1/", "http://169.254.169.254/latest/", "http://user:pw@sales.localhost/x", "//sales.localhost/x",
    "http://sales.localhost:99999/x", "http://sales.localhost/\n", "http://SALES.localhost/users/a0", "ftp://x/y",
    "http://finance.localhost/u/1", "http://finance.localhost/actor", "acct:ann@finance.localhost", "_:b0",
    "as:Public",
    "Public", PUBLIC, AS, [], {}, [[]], [{}], [None], {"id": None}, {"id": 7}, {"id": []}, {"id": {"id": "x"}},
    {"type": "Link", "href": 7}, {"@id": "x"}, {"@value": "x"}, {"@list": []}, {"@set": ["x"]}, [["x"]], ["a"] * 300,
    {str(number): number for number in range(60)}, "2026-13-45T99:99:99Z", "0000-00-00T00:00:00Z",
    "+292278994-08-17T07:12:55Z",
    "2026-11-20T10:00:00+99:99", 1e-400, "NaN", ["Note", "Create"], ["Person", 7, None], "Tombstone", "Collection",
)  # fmt: skip
KEYS = (
    "id", "type", "actor", "object", "target", "to", "cc", "bto", "audience", "attributedTo", "content",
    "contentMap", "name",
    "summary", "published", "updated", "inReplyTo", "tag", "attachment", "url", "icon", "image", "inbox", "outbox",
    "followers", "endpoints", "publicKey", "assertionMethod", "proof", "signature", "oneOf", "anyOf", "endTime",
    "closed",
    "votersCount", "replies", "context", "conversation", "scope", "entry", "instrument", "result", "items",
    "first", "next",
    "orderedItems", "totalItems", "movedTo", "alsoKnownAs", "featured", "preferredUsername", "webfinger",
    "@context", "@id",
    "@type", "@graph", "@reverse", "@included", "@nest", "@language", "@base", "@vocab", "as:actor", f"{AS}#actor",
    "sensitive", "language", "focalPoint", "blurhash", "mediaType", "href", "relationship", "subject", "generator",
)  # fmt: skip
TYPES = (
    "Create", "Update", "Delete", "Follow", "Accept", "Reject", "Undo", "Like", "EmojiReact", "Announce", "Add",
    "Remove",
    "Block", "Flag", "Move", "Join", "Leave", "Invite", "Lock", "Resolve", "TentativeAccept", "View", "Dislike",
    "Offer", "PollVote",
    "Note", "Question", "Article", "Page", "Video", "Person", "Group", "Service", "Tombstone", "Relationship",
    "Collection",
    "OrderedCollection", "QuoteRequest", "Unheard", "Event", "Place",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    """The addresses that documents speak of: `actors` of the sender's server, the rest of ours.

    The actors change now and then: sooner or later chance has each of them delete itself.
    """

    origin: str
    actors: list[str]
    person: str
    group: str
    note: str
    poll: str


@dataclass(frozen=True, slots=True)
class Made:
    """One document as bytes, with its mark, who signs it, and the place it is posted to."""

    mark: str
    signer: str
    body: bytes


class Generator:
    """Documents for one world from one seed."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._dice = random.Random(seed)
        self._serial = 0

    def stream(self, count: int) -> Iterator[Made]:
        """The next `count` documents."""
        for _ in range(count):
            yield self.next()

    def next(self) -> Made:
        """The next document: mostly bent a little, sometimes beyond recognition."""
        dice = self._dice
        self._serial += 1
        mark = MARK.format(self._serial)
        signer = dice.choice(self._world.actors)
        document: Any = self._activity(signer, mark)
        for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 8))):
            document = self._bend(document)
        return Made(mark, signer, self._write(document))

    def document(self, uri: str) -> bytes:
        """Something to be found at an address: an actor, a note or a collection, bent."""
        dice = self._dice
        self._serial += 1
        kind = dice.choice((self._actor_document, self._note, self._collection))
        document: Any = {**kind(dice.choice(self._world.actors), MARK.format(self._serial)), "id": uri}
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            document = self._bend(document)
        return self._write(document)

    # -- what servers send ------------------------------------------------------------------------------------------

    def _new(self, mark: str) -> str:
        self._serial += 1
        return f"{self._world.origin}/x/{self._serial}-{mark}"

    def _activity(self, actor: str, mark: str) -> dict[str, Any]:
        dice, world = self._dice, self._world
        kind = dice.choice(TYPES[:25])
        made: dict[str, Any] = {
            "@context": dice.choice((AS, [AS], [AS, "https://w3id.org/security/v1"], [AS, {"x": "http://x.example/ns#"}])),
            "id": self._new(mark), "type": kind, "actor": actor, "to": [PUBLIC], "cc": [world.person],
            "published": _WHEN,
        }  # fmt: skip
        objects: dict[str, Callable[[], Any]] = {
            "Create": lambda: self._note(actor, mark),
            "Update": lambda: dice.choice((self._note, self._actor_document))(actor, mark),
            "Follow": lambda: dice.choice((world.person, world.group)),
            "Undo": lambda: {**self._activity(actor, mark), "type": dice.choice(TYPES)},
            "Announce": lambda: dice.choice((world.note, self._activity(actor, mark), [world.note, world.poll])),
            "Flag": lambda: [world.person, world.note],
            "Add": lambda: {"type": "Relationship", "subject": actor, "relationship": "member", "object": world.group},
            "Accept": lambda: {"type": "Follow", "id": f"{world.person}/x", "actor": world.person, "object": actor},
        }
        if kind == "Delete" and dice.random() < 0.9:
            objects["Delete"] = lambda: dice.choice(
                (self._new(mark), world.note, {"type": "Tombstone", "id": world.poll})
            )
        made["object"] = objects.get(kind, lambda: dice.choice((world.note, world.poll, world.person, actor)))()
        if kind == "PollVote":
            made |= {"object": dice.choice((world.poll, world.note)), "choice_text": dice.choice(("a", "b", "c"))}
        if kind in ("Add", "Remove", "Block", "Invite", "Move"):
            made["target"] = dice.choice((world.group, f"{actor}/featured", world.actors[0], world.person))
        return made

    def _note(self, actor: str, mark: str) -> dict[str, Any]:
        dice, world = self._dice, self._world
        note: dict[str, Any] = {
            "id": self._new(mark),
            "type": dice.choice(("Note", "Note", "Article", "Page", "Question", "Video", "Event")),
            "attributedTo": actor, "content": f"<p>hello {mark} <a href='http://x.example'>x</a></p>",
            "published": _WHEN,
            "to": [PUBLIC], "cc": [f"{actor}/followers", world.person], "name": "title", "summary": None,
            "inReplyTo": dice.choice((None, world.note, world.poll)), "sensitive": False, "contentMap": {"en": "hello"},
            "tag": [{"type": "Mention", "href": world.person, "name": "@ann"}, {"type": "Hashtag", "name": "#tag"},
                    {"type": "Mention", "href": f"{world.origin}/users/{mark}", "name": "@stranger"}],
            "likes": {"type": "Collection", "totalItems": 3}, "shares": {"type": "Collection", "totalItems": 1},
            "attachment": [{"type": "Document", "mediaType": "image/png", "url": f"{world.origin}/p.png", "name": "p",
                            "focalPoint": [0.1, -0.2], "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj", "width": 3}],
            "context": f"{world.origin}/t/1", "conversation": "tag:x", "url": f"{world.origin}/@a/1",
            "scope": "company",
        }  # fmt: skip
        if note["type"] == "Question":
            options = [
                {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": 1}} for name in "ab"
            ]
            note |= {dice.choice(("oneOf", "anyOf")): options, "endTime": "2027-01-01T00:00:00Z", "votersCount": 2}
        if note["type"] == "Event":
            place = {"type": "Place", "name": "hall", "address": {"type": "PostalAddress", "streetAddress": "One 1"}}
            online = {"type": "VirtualLocation", "url": "http://x.example/meet"}
            note |= {
                "startTime": "2027-01-01T09:00:00+01:00",
                "endTime": "2027-01-01T10:00:00+01:00",
                "timezone": "Europe/Brussels",
                "location": [place, online],
                "displayEndTime": True,
            }
        return note

    def _actor_document(self, actor: str, mark: str) -> dict[str, Any]:
        return {
            "@context": [AS, "https://w3id.org/security/v1"], "id": actor,
            "type": self._dice.choice(("Person", "Group")),
            "preferredUsername": "a0", "name": mark, "inbox": f"{actor}/inbox", "outbox": f"{actor}/outbox",
            "followers": f"{actor}/followers", "summary": "<p>x</p>", "icon": {"type": "Image", "url": f"{actor}.png"},
            "attachment": [{"type": "PropertyValue", "name": "a", "value": "b"}], "updated": _WHEN,
            "publicKey": {"id": f"{actor}#main-key", "owner": actor, "publicKeyPem": "-----BEGIN PUBLIC KEY-----"},
            "endpoints": {"sharedInbox": f"{self._world.origin}/inbox"}, "alsoKnownAs": [self._world.actors[0]],
        }  # fmt: skip

    def _collection(self, actor: str, mark: str) -> dict[str, Any]:
        return {"@context": AS, "type": "OrderedCollection", "totalItems": 1, "orderedItems": [self._note(actor, mark)]}

    # -- what is done to them ---------------------------------------------------------------------------------------

    def _bend(self, document: Any) -> Any:
        holders = list(_holders(document))
        if not holders:
            return copy.deepcopy(self._dice.choice(NASTY))
        holder = self._dice.choice(holders)
        if isinstance(holder, list):
            self._bend_list(holder)
        else:
            self._bend_object(holder)
        return document

    def _bend_list(self, holder: list[Any]) -> None:
        dice = self._dice
        match dice.randrange(4):
            case 0:
                holder.append(copy.deepcopy(dice.choice(NASTY)))
            case 1:
                holder.clear()
            case 2 if holder:
                holder[dice.randrange(len(holder))] = copy.deepcopy(dice.choice(NASTY))
            case _:
                holder.extend(copy.deepcopy(holder[:200]))

    def _bend_object(self, holder: dict[str, Any]) -> None:
        dice = self._dice
        name = dice.choice(list(holder)) if holder and dice.random() < 0.7 else dice.choice(KEYS)
        match dice.randrange(9):
            case 0:
                holder.pop(name, None)
            case 1:
                holder[name] = [holder.get(name)]
            case 2:
                holder[name] = {"id": holder.get(name)}
            case 3:
                holder[name] = self._deep(dice.choice((5, 20, 31, 32, 40)))
            case 4:
                holder["type"] = dice.choice(TYPES)
            case 5:
                holder[name] = dice.choice(
                    (self._world.person, self._world.note, self._world.group, *self._world.actors)
                )
            case _:
                holder[name] = copy.deepcopy(dice.choice(NASTY))

    def _deep(self, levels: int) -> Any:
        made: Any = "x"
        for _ in range(levels):
            made = [made] if self._dice.random() < 0.5 else {self._dice.choice(KEYS): made}
        return made

    def _write(self, document: Any) -> bytes:
        dice = self._dice
        text = json.dumps(document, ensure_ascii=dice.random() < 0.5, allow_nan=True)
        body = text.encode("utf-8", "surrogatepass")
        match dice.randrange(30):
            case 0:
                body = body[: dice.randrange(len(body) + 1)]
            case 1:
                at = dice.randrange(len(body) + 1)
                body = body[:at] + bytes([dice.randrange(256)]) + body[at:]
            case 2:
                body = body.replace(b'"type"', b'"type": "Note", "type"', 1)
            case 3:
                body = b"\xef\xbb\xbf" + body
            case 4:
                body = body.replace(b"1", b"1" * dice.choice((20, 400)), 1)
            case _:
                pass
        return body


_WHEN = "2026-11-20T10:00:00Z"


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for item in list(value.values() if isinstance(value, dict) else value):
            yield from _holders(item)
