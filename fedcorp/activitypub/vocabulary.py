"""The words of ActivityStreams: namespaces, types, contexts of our documents, and readers that bear with any shape.

Constants and pure accessors. Never judges who may do what, never raises for odd input, never touches the network.
Sources: ActivityStreams 2.0, FEP-8b32, FEP-521a, FEP-844e, FEP-2c59, FEP-044f, FEP-5219, FEP-5711, FEP-171b.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

AS: Final = "https://www.w3.org/ns/activitystreams"
PUBLIC: Final = f"{AS}#Public"
PUBLIC_ALIASES: Final = frozenset({PUBLIC, "as:Public", "Public"})
SECURITY: Final = "https://w3id.org/security/v1"
DATA_INTEGRITY: Final = "https://w3id.org/security/data-integrity/v2"
CID: Final = "https://www.w3.org/ns/cid/v1"
LEMMY: Final = "https://join-lemmy.org/context.json"
FEDCORP: Final = "urn:fedcorp:ns:"

ACTIVITY_JSON: Final = "application/activity+json"
LD_JSON: Final = f'application/ld+json; profile="{AS}"'
JRD_JSON: Final = "application/jrd+json"

# How far a status or group reaches, from narrow to wide; the values of the term `scope`.
SCOPES: Final = ("department", "company", "partners", "public")

ACTOR_TYPES: Final = frozenset({"Application", "Group", "Organization", "Person", "Service"})
NOTE_TYPES: Final = frozenset({"Note", "Article", "Page", "Question", "Event", "Video", "Audio", "Image", "Document"})
COLLECTION_TYPES: Final = frozenset({"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"})
KEY_TYPES: Final = frozenset({"Key", "CryptographicKey", "Multikey"})
ACTIVITY_TYPES: Final = frozenset({
    "Accept", "Add", "Announce", "AnnounceRequest", "Arrive", "Block", "Create", "Delete", "Dislike", "EmojiReact",
    "Flag",
    "Follow", "Ignore", "Invite", "Join", "Leave", "Like", "LikeRequest", "Listen", "Lock", "Move", "Offer",
    "QuoteRequest",
    "Read", "Reject", "Remove", "ReplyRequest", "Resolve", "TentativeAccept", "TentativeReject", "Travel", "Undo",
    "Update",
    "View", "Warn",
})  # fmt: skip

_LINK: Final = {"@type": "@id"}
_XSD_STRING: Final = "http://www.w3.org/2001/XMLSchema#string"
_PREFIXES: Final = {"toot": "http://joinmastodon.org/ns#", "schema": "http://schema.org#", "fc": FEDCORP}

# Used by every kind of actor. The terms of cid/v1 are protected, so none of them may be repeated here.
_ACTOR_TERMS: Final[dict[str, Any]] = {
    **_PREFIXES,
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "sensitive": "as:sensitive",
    "Hashtag": "as:Hashtag",
    "Emoji": "toot:Emoji",
    "movedTo": {"@id": "as:movedTo", **_LINK},
    "featured": {"@id": "toot:featured", **_LINK},
    "discoverable": "toot:discoverable",
    "indexable": "toot:indexable",
    "memorial": "toot:memorial",
    "suspended": "toot:suspended",
    "attributionDomains": "toot:attributionDomains",  # hosts; as `@id`, as Mastodon has it, they get lost
    "focalPoint": {"@id": "toot:focalPoint", "@container": "@list"},
    "blurhash": "toot:blurhash",
    "PropertyValue": "schema:PropertyValue",
    "value": "schema:value",
    "implements": {"@id": "https://w3id.org/fep/844e/implements", **_LINK, "@container": "@list"},
    "webfinger": {"@id": "https://purl.archive.org/socialweb/webfinger#webfinger", "@type": _XSD_STRING},
    "scope": "fc:scope",
    "deliveries": {"@id": "fc:deliveries", **_LINK},
}

_GROUP_TERMS: Final[dict[str, Any]] = {
    "ledger": {"@id": "fc:ledger", **_LINK},
    "standbyInbox": {"@id": "fc:standbyInbox", **_LINK},
    "affiliations": {"@id": "https://w3id.org/fep/5219#affiliations", **_LINK},
    "participants": {"@id": "https://w3id.org/fep/5219#participants", **_LINK},
    "canFollow": "https://w3id.org/fep/5219#canFollow",
    "canParticipate": "https://w3id.org/fep/5219#canParticipate",
    **{
        name: f"fc:{name}"
        for name in (
            "preset",
            "joining",
            "reading",
            "inviting",
            "history",
            "outsiders",
            "premoderated",
            "purpose",
            "rules",
            "topics",
            "archived",
        )
    },
}

_ENTRY_TERMS: Final[dict[str, Any]] = {
    "seq": "fc:seq",
    "epoch": "fc:epoch",
    "prevDigest": "fc:prevDigest",
    "Entry": "fc:Entry",
    "objectActor": {"@id": "fc:objectActor", **_LINK},
    "objectType": "fc:objectType",
    "digestMultibase": "https://www.w3.org/ns/credentials/v2#digestMultibase",
}

_GTS: Final = {
    name: {"@id": f"gts:{name}", **_LINK}
    for name in (
        "interactionPolicy", "canLike", "canReply", "canAnnounce", "canQuote", "automaticApproval", "manualApproval",
        "approvedBy", "replyAuthorization", "announceAuthorization", "interactingObject", "interactionTarget",
    )
}  # fmt: skip

_OBJECT_TERMS: Final[dict[str, Any]] = {
    **_PREFIXES,
    "sensitive": "as:sensitive",
    "Hashtag": "as:Hashtag",
    "Emoji": "toot:Emoji",
    "blurhash": "toot:blurhash",
    "focalPoint": {"@id": "toot:focalPoint", "@container": "@list"},
    "votersCount": "toot:votersCount",
    "ostatus": "http://ostatus.org#",
    "conversation": "ostatus:conversation",
    "gts": "https://gotosocial.org/ns#",
    **_GTS,
    "quote": {"@id": "https://w3id.org/fep/044f#quote", **_LINK},
    "quoteAuthorization": {"@id": "https://w3id.org/fep/044f#quoteAuthorization", **_LINK},
    "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
    "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
    "quoteUrl": "as:quoteUrl",
    "quoteUri": "http://fedibird.com/ns#quoteUri",
    "_misskey_quote": "https://misskey-hub.net/ns#_misskey_quote",
    "litepub": "http://litepub.social/ns#",
    "directMessage": "litepub:directMessage",
    "EmojiReact": "litepub:EmojiReact",
    "lemmy": "https://join-lemmy.org/ns#",
    "Lock": "lemmy:Lock",
    "Resolve": "lemmy:Resolve",
    "Warn": "lemmy:Warn",
    "scope": "fc:scope",
    "nonce": "fc:nonce",
    "locked": "fc:locked",
    "proxyOf": {"@id": "fc:proxyOf", **_LINK},
    "entry": {"@id": "fc:entry", **_LINK},
    "body": {"@id": "fc:body", **_LINK},
    **_ENTRY_TERMS,
}

_COLLECTION_TERMS: Final[dict[str, Any]] = {
    "fc": FEDCORP,
    "locked": "fc:locked",
    "heads": {"@id": "fc:heads", **_LINK},
    "head": {"@id": "fc:head", **_LINK},
    "Delivery": "fc:Delivery",
    "body": {"@id": "fc:body", **_LINK},
    "entry": {"@id": "fc:entry", **_LINK},
    "firstKey": {"@id": "fc:firstKey", **_LINK},
    **_ENTRY_TERMS,
    "contextHistory": {"@id": "https://w3id.org/fep/171b/contextHistory", **_LINK},
    "collectionOf": "https://w3id.org/fep/171b/collectionOf",
    **{
        f"{name}Of": {"@id": f"https://w3id.org/fep/5711#{name}Of", **_LINK}
        for name in ("replies", "likes", "shares", "inbox", "outbox", "followers", "following", "liked")
    },
}

ACTOR_CONTEXT: Final[list[Any]] = [AS, SECURITY, CID, _ACTOR_TERMS]
GROUP_CONTEXT: Final[list[Any]] = [AS, SECURITY, CID, LEMMY, {**_ACTOR_TERMS, **_GROUP_TERMS}]
COLLECTION_CONTEXT: Final[list[Any]] = [AS, _COLLECTION_TERMS]
# The bytes of this list are part of every ledger digest: it must never change.
ENTRY_CONTEXT: Final[list[Any]] = [AS, DATA_INTEGRITY, {"fc": FEDCORP, **_ENTRY_TERMS}]

# All the terms that we define inline, for whoever needs to know which names are taken.
OUR_TERMS: Final[dict[str, Any]] = {**_ACTOR_TERMS, **_GROUP_TERMS, **_COLLECTION_TERMS, **_OBJECT_TERMS}

# The words that stand for others in the definitions above, with what must then be defined as well.
_PREFIX_OF: Final = {"toot": _PREFIXES["toot"], "fc": FEDCORP, **{
    name: _OBJECT_TERMS[name] for name in ("ostatus", "gts", "litepub", "lemmy")
}}  # fmt: skip

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def object_context(document: Any) -> list[Any]:
    """The context of an object, an activity or a page of them: of our own terms those alone that occur in it.

    All of them take 3 kB, which every activity would carry twice, since its proof repeats the context.
    """
    used: set[str] = set()
    _collect_terms(document, used)
    return [AS, DATA_INTEGRITY, *_inline_terms(frozenset(used))]


def _collect_terms(value: Any, used: set[str]) -> None:
    """Add names of ours in `value`; a document inside that brings a context of its own speaks for itself."""
    waiting = [value]
    for item in waiting:  # grows meanwhile
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            used |= _OBJECT_TERMS.keys() & item.keys()
            used |= _OBJECT_TERMS.keys() & types_of(item)
            waiting += [
                inner for inner in item.values()
                if isinstance(inner, list) or (isinstance(inner, dict) and "@context" not in inner)
            ]  # fmt: skip


@lru_cache(maxsize=256)
def _inline_terms(used: frozenset[str]) -> tuple[dict[str, Any], ...]:
    terms: dict[str, Any] = {}
    for name in sorted(used):
        definition = _OBJECT_TERMS[name]
        iri = definition["@id"] if isinstance(definition, dict) else definition
        prefix = iri.partition(":")[0]
        if prefix in _PREFIX_OF:
            terms[prefix] = _PREFIX_OF[prefix]
        terms[name] = definition
    return (terms,) if terms else ()


def as_list(value: Any) -> list[Any]:
    """`value` as a list: None is empty, a list stays as it is, anything else is its only member."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def value_or_id(value: Any) -> str | None:
    """The URI that `value` names: itself when it is text, the `id` (or `href` of a Link) of an object, else None.

    A list counts when it has exactly one member.
    """
    if type(value) is str:
        return value or None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("id") or (value.get("href") if "Link" in types_of(value) else None)
    return value if isinstance(value, str) and value else None


def ids_of(value: Any) -> tuple[str, ...]:
    """The URIs of all members of `value`, each once, in order; every spelling of Public becomes the full one."""
    if value is None:
        return ()
    found = map(value_or_id, as_list(value))
    return tuple(dict.fromkeys(PUBLIC if uri in PUBLIC_ALIASES else uri for uri in found if uri))


def first_string(value: Any) -> str | None:
    """The first text in `value`: itself, the first member of a list, or the first value of a language map."""
    if isinstance(value, str):
        return value
    members = value.values() if isinstance(value, dict) else as_list(value)
    return next((item for item in members if isinstance(item, str)), None)


def types_of(doc: Any) -> tuple[str, ...]:
    """The types of a document, without the prefix of ActivityStreams; empty when it has none."""
    kinds = doc.get("type") if isinstance(doc, dict) else None
    if isinstance(kinds, str):
        if ":" not in kinds:
            return (kinds,)
        kinds = [kinds]
    if not isinstance(kinds, list):
        return ()
    return tuple(kind.removeprefix(f"{AS}#").removeprefix("as:") for kind in kinds if isinstance(kind, str))


def is_public(uri: Any) -> bool:
    """Whether `uri` is the public collection, in any of its three spellings."""
    return isinstance(uri, str) and uri in PUBLIC_ALIASES


def parse_time(text: Any) -> datetime | None:
    """The aware UTC time of an xsd:dateTime of any offset (none means UTC) and fraction; None if it is no such text."""
    if not isinstance(text, str) or len(text) > 64 or not _TIME.match(text):
        return None
    try:
        time = datetime.fromisoformat(text.upper())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_time(at: datetime, ms: bool = False) -> str:
    """An aware time as UTC text that ends in `Z`, to the second or, with `ms`, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds" if ms else "seconds").removesuffix("+00:00") + "Z"
