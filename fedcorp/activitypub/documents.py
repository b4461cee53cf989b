"""Documents from other servers: parse within limits, bring into one shape, say who owns them.

Pure: no network, no database, no keys. Every failure of a document is a BadRequest.
Sources: ActivityStreams 2.0, FEP-fe34 (origins and owners), RFC 8259.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import idna
import orjson

from fedcorp.activitypub.vocabulary import (
    ACTIVITY_TYPES,
    ACTOR_TYPES,
    KEY_TYPES,
    as_list,
    first_string,
    ids_of,
    types_of,
    value_or_id,
)
from fedcorp.activitypub.vocabulary import format_time as format_time
from fedcorp.activitypub.vocabulary import parse_time as parse_time
from fedcorp.errors import BadRequest

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NUMBER = re.compile(rb"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONG_NUMBER = re.compile(rb"[0-9]{16}")
_MAX_EXACT = 2**53
_MAX_URI, _MAX_PORT = 2048, 65_535
# The usual case in one step; whatever does not fit goes the slow way.
_PLAIN_ORIGIN = re.compile(
    r"(https?)://((?:[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z][a-z0-9]{0,62})(:[1-9][0-9]{0,4})?(?=[/?#]|\Z)"
)
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\<>\"{}|^`]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_DEFAULT_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """What a JSON document may cost: bytes, levels of nesting, values, bytes of one text."""

    size: int = 1024 * 1024
    depth: int = 32
    nodes: int = 10_000
    string: int = 256 * 1024


DEFAULT_LIMITS = JsonLimits()


def parse_json(body: bytes, limits: JsonLimits = DEFAULT_LIMITS) -> dict[str, Any]:
    """The JSON object in `body`; BadRequest when it is none or goes beyond the limits.

    Stricter than RFC 8259 where parsers disagree: duplicate keys, NUL, lone surrogates, NaN, numbers beyond a double
    and integers beyond 2^53 are refused.
    """
    if len(body) > limits.size:
        raise BadRequest(f"The document is larger than {limits.size} bytes")
    names = _check_structure(body, limits)
    try:
        doc = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The body is not JSON", str(error)) from error
    if not isinstance(doc, dict):
        raise BadRequest("The body is not a JSON object")
    if _count_names(doc) != names:
        raise BadRequest("The document repeats a key")
    if len(body) > limits.string or b"\\u0000" in body:
        _check_texts(doc, limits)
    return doc


def _check_structure(body: bytes, limits: JsonLimits) -> int:
    """Check nesting, number of values and size of integers before parsing; return the number of keys.

    Looks at the bytes outside texts only. Exact for JSON; for anything else any answer will do: parsing refuses it.
    """
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body
    outside = b"".join(plain.split(b'"')[::2])
    brackets = outside.translate(None, _NOT_BRACKETS)
    if outside.count(b",") + len(brackets) // 2 > limits.nodes:
        raise BadRequest(f"The document holds more than {limits.nodes} values")
    if len(brackets) // 2 > limits.depth and _depth(brackets) > limits.depth:
        raise BadRequest(f"The document is nested more than {limits.depth} levels deep")
    if _LONG_NUMBER.search(outside):
        _check_integers(outside)
    return outside.count(b":")


def _depth(brackets: bytes) -> int:
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _check_integers(outside: bytes) -> None:
    for match in _NUMBER.finditer(outside):
        digits = match[0]
        if match[1] is None and match[2] is None and (len(digits) > 17 or abs(int(digits)) > _MAX_EXACT):
            raise BadRequest("The document holds an integer that not every reader can represent")


def _count_names(doc: dict[str, Any]) -> int:
    count = 0
    found: list[Any] = [doc]
    for item in found:
        if type(item) is dict:
            count += len(item)
            found += [child for child in item.values() if type(child) is dict or type(child) is list]
        else:
            found += [child for child in item if type(child) is dict or type(child) is list]
    return count


def _check_texts(doc: dict[str, Any], limits: JsonLimits) -> None:
    for text in _texts(doc):
        if "\0" in text:
            raise BadRequest("The document holds a NUL character")
        if len(text) > limits.string // 4 and len(text.encode()) > limits.string:
            raise BadRequest(f"The document holds a text of more than {limits.string} bytes")


def _texts(doc: dict[str, Any]) -> Iterator[str]:
    found: list[Any] = [doc]
    for item in found:
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            found += item
        elif isinstance(item, dict):
            yield from item
            found += item.values()


@lru_cache(maxsize=16384)
def origin(uri: str) -> str:
    """`scheme://host[:port]` of an http(s) URL: lower case, IDNA, no default port; BadRequest when it is no such URL.

    Refuses user names, odd characters and everything else that two URL parsers could read differently.
    """
    if len(uri) > _MAX_URI or not uri.isprintable() or _UNSAFE.search(uri):
        raise BadRequest("Not a valid http(s) URL")
    match = _PLAIN_ORIGIN.match(uri)
    if match and (not match[3] or _DEFAULT_PORT[match[1]] != int(match[3][1:]) <= _MAX_PORT):
        return match[0]
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise BadRequest("Not a valid http(s) URL", str(error)) from error
    authority = uri.partition(":")[2].startswith("//")
    if parts.scheme not in _DEFAULT_PORT or not authority or "@" in parts.netloc or not parts.hostname or port == 0:
        raise BadRequest("Not a valid http(s) URL")
    host = _host(parts.hostname, "[" in parts.netloc)
    suffix = "" if port is None or port == _DEFAULT_PORT[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


def _host(name: str, bracketed: bool) -> str:
    try:
        if bracketed:
            return f"[{ipaddress.IPv6Address(name).compressed}]"
        host = name if name.isascii() else idna.encode(name, uts46=True).decode()
    except ValueError as error:
        raise BadRequest("Not a valid host name", str(error)) from error
    host = host.lower().removesuffix(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise BadRequest("Not a valid host name")
    return host


def domain_of(uri: str) -> str:
    """`host[:port]` of an http(s) URL; BadRequest as in `origin`."""
    return origin(uri).partition("://")[2]


def same_origin(first: str, second: str) -> bool:
    """Whether both are http(s) URLs of one origin (FEP-fe34). False, not an error, when one of them is no URL."""
    try:
        return origin(first) == origin(second)
    except BadRequest:
        return False


def owner(doc: Any) -> str | None:
    """The one URI that owns a document (FEP-fe34), or None when there is no owner or more than one.

    An actor owns itself; an activity belongs to its `actor`, a key to its `controller` or `owner`, everything else to
    whom it is attributed.
    """
    if not isinstance(doc, dict):
        return None
    kinds = frozenset(types_of(doc))
    if kinds & ACTOR_TYPES or ("inbox" in doc and "outbox" in doc):
        return value_or_id(doc.get("id"))
    if kinds & KEY_TYPES or "publicKeyPem" in doc:
        return value_or_id(doc.get("controller") or doc.get("owner"))
    return value_or_id(doc.get("actor" if kinds & ACTIVITY_TYPES or "actor" in doc else "attributedTo"))


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity as received. Only its shape has been checked, nobody's right to send it.

    `id` has the origin of `actor`. `object` is as sent: a URI, an embedded document, a list or None; `object_id` and
    `object_type` speak of it when it is one thing. `to`, `cc` and `audience` are URIs with Public in its full spelling.
    `doc` is the normalised document, `raw` the bytes that came.
    """

    id: str | None
    type: str
    actor: str
    object: Any
    object_id: str | None
    object_type: str | None
    target: str | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    audience: tuple[str, ...]
    published: str | None
    doc: dict[str, Any]
    raw: bytes


def read_activity(doc: dict[str, Any], raw: bytes) -> Activity:
    """The activity in a normalised document; BadRequest when type or actor is missing or an id is not acceptable."""
    kinds = types_of(doc)
    actor = _uri_of(doc.get("actor"), "actor")
    uri = _uri_of(doc.get("id"), "id")
    if not kinds:
        raise BadRequest("The activity has no type")
    if actor is None:
        raise BadRequest("The activity has no actor")
    thing = doc.get("object")
    if isinstance(thing, list) and len(thing) == 1:
        thing = thing[0]
    if uri is not None and origin(uri) != origin(actor):
        if not _is_answer_under_it(kinds, uri, thing):
            raise BadRequest("The id and the actor of the activity have different origins")
        uri = None  # not theirs to give, so it has none
    return Activity(
        id=uri,
        type=next((kind for kind in kinds if kind in ACTIVITY_TYPES), kinds[0]),
        actor=actor,
        object=thing,
        object_id=None if isinstance(thing, list) else _uri_of(thing, "object"),
        object_type=next(iter(types_of(thing)), None),
        target=_uri_of(doc.get("target"), "target"),
        to=ids_of(doc.get("to")),
        cc=ids_of(doc.get("cc")),
        audience=ids_of(doc.get("audience")),
        published=first_string(doc.get("published")),
        doc=doc,
        raw=raw,
    )


def _is_answer_under_it(kinds: tuple[str, ...], uri: str, thing: Any) -> bool:
    """Whether an answer has for its id that of the question with a fragment, as Takahe's Accept of a Follow has."""
    base, fragment, _ = uri.partition("#")
    return bool(fragment) and bool({"Accept", "Reject"} & set(kinds)) and value_or_id(thing) == base


def _uri_of(value: Any, name: str) -> str | None:
    """The one http(s) URI that a property names, None when it names nothing; BadRequest for anything in between."""
    uri = value_or_id(value)
    if uri is None:
        if isinstance(value, dict) and "id" not in value:
            return None
        if isinstance(value, dict) and value["id"] is None:
            return None
        if as_list(value):
            raise BadRequest(f"The {name} of the activity is not one URI")
        return None
    origin(uri)
    return uri
