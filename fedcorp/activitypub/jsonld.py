"""JSON-LD: which documents may be read as plain JSON, and what surrounds the compaction of those that may not: bounds
before it, plain words after it. Compaction itself is the work of `processor`, in a process of its own.

Contexts come from files in `contexts/` and from those bundled with pyld; nothing is ever fetched. A document with a
context that we do not know is read as if that context were empty, as long as nothing in it can change a word that we
act on; otherwise it is refused.

Sources: JSON-LD 1.1 API; Mastodon GHSA-53m7-2wrh-q839 and GHSA-chgx-jx3p-rf73 for the keywords that are never accepted.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from fedcorp.activitypub.vocabulary import AS, CID, DATA_INTEGRITY, LEMMY, OUR_TERMS, PUBLIC, SECURITY, as_list
from fedcorp.errors import BadRequest

_FOLDER = Path(__file__).parent / "contexts"
# The files of pyld are found without importing it: it brings requests and lxml, and is needed in `processor` alone.
_BUNDLED: dict[str, str] = {
    "https://www.w3.org/ns/activitystreams": "activitystreams",
    "https://www.w3.org/ns/did/v1": "did-v1",
    "https://www.w3.org/2018/credentials/v1": "credentials-v1",
    "https://www.w3.org/ns/credentials/v2": "credentials-v2",
    "https://w3id.org/security/v1": "security-v1",
    "https://w3id.org/security/v2": "security-v2",
    "https://w3id.org/security/suites/ed25519-2020/v1": "security-ed25519-2020-v1",
    "https://w3id.org/security/suites/jws-2020/v1": "security-jws-2020-v1",
}
_FILES: dict[str, tuple[str, ...]] = {
    "cid": (CID,),
    "data-integrity": (DATA_INTEGRITY, "https://w3id.org/security/data-integrity/v1"),
    "multikey": ("https://w3id.org/security/multikey/v1",),
    "identity": ("https://w3id.org/identity/v1",),
    "webfinger": ("https://purl.archive.org/socialweb/webfinger",),
    "socialweb": tuple(
        f"https://purl.archive.org/socialweb/{name}" for name in ("pending", "pending/1", "thread", "blocked")
    ),
    "miscellany": ("https://purl.archive.org/miscellany", "https://swicg.github.io/miscellany"),
    "gotosocial": ("https://gotosocial.org/ns",),
    "mastodon": ("http://joinmastodon.org/ns",),
    "lemmy": (LEMMY,),
    "litepub": ("https://litepub.social/litepub/context.jsonld", "https://litepub.social/context.jsonld"),
    "schema": ("http://schema.org", "http://schema.org/", "https://schema.org", "https://schema.org/"),
    "fep": tuple(f"https://w3id.org/fep/{name}" for name in ("5219", "5711", "7aa9", "171b", "ef61", "844e", "1580")),
    "fedcorp": ("urn:fedcorp:ns", "urn:fedcorp:ns:"),
    "empty": (
        "https://w3id.org/valueflows/ont/vf#",
        "https://funkwhale.audio/ns",
        "https://joinpeertube.org/ns",
        "https://misskey-hub.net/ns",
    ),
}
_AS_SPELLINGS = (AS, f"{AS}#", f"{AS}.jsonld", AS.replace("https:", "http:"), AS.replace("https:", "http:") + "#")
# Pleroma and Akkoma serve the same context from every host.
_LITEPUB_PATH = re.compile(r"https?://[^/?#]+/schemas/litepub-[0-9.]+\.jsonld")
_FORBIDDEN = frozenset({"@graph", "@included", "@reverse", "@nest", "@index"})
_MAX_CACHED_CONTEXT = 8192
# Bounds of work that a sender can choose: pairs of key and context in the plain test, and what compaction may be given.
_MAX_PAIRS = 10_000
_MAX_COMPACTED = 2000
_MAX_CONTEXTS = 32


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _bundled_folder() -> Path:
    found = find_spec("pyld")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "documentloader" / "frozen" / "bundled"


_KNOWN: dict[str, dict[str, Any]] = {url: _read(_bundled_folder() / f"{name}.jsonld") for url, name in _BUNDLED.items()}
_KNOWN |= dict.fromkeys(_AS_SPELLINGS, _KNOWN[AS])
for _name, _urls in _FILES.items():
    _KNOWN |= dict.fromkeys(_urls, _read(_FOLDER / f"{_name}.json"))
_LITEPUB = _KNOWN["https://litepub.social/litepub/context.jsonld"]


def _terms(context: Any) -> Iterator[tuple[str, Any]]:
    """All terms of a local context, those of scoped contexts included; links to other contexts are left out."""
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, dict):
            for term, definition in part.items():
                if not term.startswith("@"):
                    yield term, definition
                if isinstance(definition, dict):
                    yield from _terms(definition.get("@context"))


def _iri(definition: Any, prefixes: Mapping[str, str]) -> str:
    """The IRI that a term definition names, with a known prefix written out; empty when it names none."""
    iri = definition.get("@id") if isinstance(definition, dict) else definition
    if not isinstance(iri, str):
        return ""
    prefix, colon, rest = iri.partition(":")
    if colon and not rest.startswith("//") and prefix in prefixes:
        return prefixes[prefix] + rest
    return iri


def _is_prefix(definition: Any) -> bool:
    return isinstance(definition, str) and definition[-1:] in ("#", "/", ":") and ":" in definition


_SPOKEN = [_KNOWN[url]["@context"] for url in (AS, SECURITY, *(url for urls in _FILES.values() for url in urls))]
_SPOKEN.append(OUR_TERMS)
_BASE_PREFIXES = {term: iri for context in _SPOKEN for term, iri in _terms(context) if _is_prefix(iri)}
# The meaning of every word that we may act on. An inline context may repeat it, not change it.
_RESERVED: dict[str, frozenset[str]] = {}
for _context in _SPOKEN:
    for _term, _definition in _terms(_context):
        if not _is_prefix(_definition):
            _RESERVED[_term] = _RESERVED.get(_term, frozenset()) | {_iri(_definition, _BASE_PREFIXES)}
# Spellings in use elsewhere that mean the same: Misskey's name of a key type, and the two homes of schema.org.
_RESERVED["Key"] = frozenset({"https://w3id.org/security#Key"})
for _term in ("PropertyValue", "value"):
    _RESERVED[_term] |= {f"http://schema.org/{_term}", f"https://schema.org/{_term}"}
_RESERVED_IRIS: dict[str, frozenset[str]] = {}
for _term, _iris in _RESERVED.items():
    for _one in _iris:
        _RESERVED_IRIS[_one] = _RESERVED_IRIS.get(_one, frozenset()) | {_term}


def is_plain(doc: dict[str, Any]) -> bool:
    """Whether reading `doc` as plain JSON gives what a JSON-LD processor would read, for every word that we act on."""
    if not _is_type(doc.get("type")):
        return False
    contexts: list[Any] = []
    colons: list[str] = []
    found: list[Any] = [doc]
    for item in found:
        if type(item) is list:
            found += [child for child in item if type(child) is dict or type(child) is list]
            continue
        names = "\n".join(item)
        if "@" not in names and ":" not in names:
            found += [child for child in item.values() if type(child) is dict or type(child) is list]
            continue
        for key, child in item.items():
            if key == "@context":
                contexts.append(child)
                continue
            if key.startswith("@"):
                return False
            if ":" in key:
                colons.append(key)
            if type(child) is dict or type(child) is list:
                found.append(child)
    verdicts = [_judge(context) for context in contexts]
    own = [verdict for verdict in verdicts if verdict]
    if None in verdicts or len(own) * len(colons) > _MAX_PAIRS:
        return False
    return not any(_is_reserved(key, own) for key in colons)


def _is_type(kind: Any) -> bool:
    return (
        kind is None
        or isinstance(kind, str)
        or (isinstance(kind, list) and all(isinstance(item, str) for item in kind))
    )


def _is_reserved(key: str, prefixes: list[Mapping[str, str]]) -> bool:
    """Whether a key with a colon stands for a word that we know under a shorter name."""
    return any(_iri(key, known) in _RESERVED_IRIS for known in (_BASE_PREFIXES, *prefixes))


def _judge(context: Any) -> Mapping[str, str] | None:
    """The prefixes that a local context defines, or None when it could change the meaning of a reserved word."""
    if isinstance(context, str):
        return {}
    key = orjson.dumps(context)
    return _judge_bytes(key) if len(key) <= _MAX_CACHED_CONTEXT else _judge_parts(context)


@lru_cache(maxsize=1024)
def _judge_bytes(context: bytes) -> Mapping[str, str] | None:
    """Peers send the same few inline contexts for ever, so the verdict is remembered."""
    return _judge_parts(orjson.loads(context))


def _judge_parts(context: Any) -> Mapping[str, str] | None:
    parts = context if isinstance(context, list) else [context]
    if not all(isinstance(part, str | dict) for part in parts):
        return None
    terms = [item for part in parts if isinstance(part, dict) for item in part.items()]
    own = {term: iri for term, iri in terms if _is_prefix(iri)}
    prefixes = _BASE_PREFIXES | own
    return own if all(_is_harmless(term, definition, prefixes) for term, definition in terms) else None


def _is_harmless(term: str, definition: Any, prefixes: Mapping[str, str]) -> bool:
    if term.startswith("@"):
        return term == "@version" or (term == "@language" and isinstance(definition, str | None))
    if term in ("id", "type"):
        return bool(definition == f"@{term}")
    if isinstance(definition, dict):
        if not definition.keys() <= {"@id", "@type", "@container", "@protected"} or not _is_simple(term, definition):
            return False
    elif _is_prefix(definition):
        return term not in _RESERVED
    iri = _iri(definition, prefixes)
    if ":" not in iri or iri.startswith("@"):
        return False
    if term in _RESERVED:
        return iri in _RESERVED[term]
    return iri not in _RESERVED_IRIS


def _is_simple(term: str, definition: dict[str, Any]) -> bool:
    """No container or type that turns the value of a term into something that it does not look like."""
    kind, container = definition.get("@type"), definition.get("@container")
    containers = ("@language", None) if term.endswith("Map") else ("@set", "@list", None)
    return (kind is None or (isinstance(kind, str) and kind != "@json")) and container in containers


def known_context(url: str) -> dict[str, Any] | None:
    """The document of a context that we know."""
    return _LITEPUB if _LITEPUB_PATH.fullmatch(url) else _KNOWN.get(url)


# What compaction speaks: ActivityStreams and security, then every extension term that we read, unprotected.
_EXTENSIONS: dict[str, Any] = {
    name: iri for name, iri in _BASE_PREFIXES.items() if name in ("toot", "schema", "fc", "gts", "ostatus", "litepub")
}
_EXTENSIONS |= {"lemmy": "https://join-lemmy.org/ns#", **OUR_TERMS}
_EXTENSIONS |= {
    term: definition
    for url in ("https://gotosocial.org/ns", "http://joinmastodon.org/ns")
    for term, definition in _terms(_KNOWN[url]["@context"])
}
_EXTENSIONS |= {
    term: {"@id": next(iter(_RESERVED[term])), "@type": "@id"}
    for term in ("assertionMethod", "controller", "verificationMethod", "moderators")
}
_EXTENSIONS |= {
    "Multikey": "https://w3id.org/security#Multikey",
    "publicKeyMultibase": {
        "@id": "https://w3id.org/security#publicKeyMultibase",
        "@type": "https://w3id.org/security#multibase",
    },
    "postingRestrictedToMods": "lemmy:postingRestrictedToMods",
    "distinguished": "lemmy:distinguished",
    "stickied": "lemmy:stickied",
}
OURS: list[Any] = [AS, SECURITY, _EXTENSIONS]


def check_compactable(doc: dict[str, Any]) -> dict[str, Any]:
    """`doc` as a processor may be given it: without its proofs, which cover the JSON as sent, so that nobody may take
    them for proofs of another reading. Raises BadRequest for more values or contexts than it is worth to work on, and
    for @graph, @included, @reverse, @nest and @index."""
    _check_cost(doc)
    checked: dict[str, Any] = _without_proofs(doc)
    return checked


def tidied(compacted: Any) -> dict[str, Any]:
    """Compacted JSON-LD in the words of `vocabulary`. Raises BadRequest for what is no object, and as above."""
    found = _tidy(compacted)
    if not isinstance(found, dict):
        raise BadRequest("The document is not a JSON-LD object")
    return {"@context": AS, **found}


def _check_cost(doc: dict[str, Any]) -> None:
    contexts = 0
    found: list[Any] = [doc]
    for item in found:
        if isinstance(item, dict):
            contexts += len(as_list(item.get("@context")))
            found += item.values()
        elif isinstance(item, list):
            found += item
        if len(found) > _MAX_COMPACTED or contexts > _MAX_CONTEXTS:
            raise BadRequest("The document is too large to be read as JSON-LD")


def _without_proofs(value: Any) -> Any:
    if isinstance(value, dict):
        if not _FORBIDDEN.isdisjoint(value):
            raise BadRequest("The document uses a JSON-LD keyword that is not accepted")
        return {
            key: item if key == "@context" else _without_proofs(item) for key, item in value.items() if key != "proof"
        }
    return [_without_proofs(item) for item in value] if isinstance(value, list) else value


def _tidy(value: Any) -> Any:
    """Compacted JSON-LD as the plain JSON that a peer with the usual context would have sent."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return PUBLIC if value == "as:Public" else value
    if not _FORBIDDEN.isdisjoint(value):
        raise BadRequest("The document uses a JSON-LD keyword that is not accepted")
    if "@value" in value:
        return _tidy(value["@value"])
    if "@list" in value:
        return _tidy(value["@list"])
    # Undefined terms come out of pyld as `_:term`; ActivityStreams terms with an odd datatype keep their prefix.
    kept = {key: _tidy(item) for key, item in value.items() if not key.startswith(("_:", "@"))}
    prefixed = [key for key in kept if key.startswith("as:")]
    return {key: item for key, item in kept.items() if key not in prefixed} | {
        key.removeprefix("as:"): kept[key] for key in prefixed if key.removeprefix("as:") not in kept
    }
