"""HTTP signatures in both dialects: draft-cavage-12 as deployed, and RFC 9421. Signs, parses, checks, verifies.

Pure: no I/O, time is handed in. Who owns a key and whether its owner may do what is asked is decided elsewhere.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import http_sf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fedcorp.activitypub.vocabulary import ACTIVITY_JSON
from fedcorp.errors import Unauthorized
from fedcorp.keys import PrivateKey, PublicKey
from fedcorp.keys import sign as sign_bytes
from fedcorp.keys import verify as verify_bytes

Dialect = Literal["cavage", "9421-rsa", "9421-ed25519"]

SKEW = timedelta(hours=1)  # how far clocks may differ, either way
LIFETIME = timedelta(seconds=300)  # of what we sign
LONGEST = timedelta(hours=12)  # of what others sign
MAX_HEADER = 8192
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CAVAGE_PART = re.compile(r'\s*([a-zA-Z]+)\s*=\s*(?:"([^"]*)"|(\d+))\s*(?:,|\Z)')
_CAVAGE_HASHES: dict[str, tuple[str, ...]] = {
    "": ("sha256",), "rsa-sha256": ("sha256",), "hs2019": ("sha256", "sha512"), "rsa-sha512": ("sha512",),
    "ed25519": ("sha256",),
}  # fmt: skip
_RFC_ALGORITHMS = ("", "rsa-v1_5-sha256", "ed25519")
_COMPONENTS = frozenset({"@method", "@target-uri", "@authority", "@scheme", "@path", "@query", "@request-target"})
_BODILESS = frozenset({"GET", "HEAD"})
_CONTENT_TYPE = ACTIVITY_JSON


@dataclass(frozen=True, slots=True)
class ParsedSignature:
    """One signature of a request: what it covers and when it was made, not yet whether it holds.

    `covered` are lower-case names in order; `parameters` is the text of RFC 9421's @signature-params.
    """

    dialect: Literal["cavage", "9421"]
    key_id: str
    algorithm: str
    covered: tuple[str, ...]
    value: bytes
    created: datetime | None
    expires: datetime | None
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a server asks a signature to be (RFC 9421 section 5): kind of key, components, parameters to repeat."""

    dialect: Dialect
    components: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...] = ()


ACCEPT_SIGNATURE = 'sig1=("@method" "@target-uri" "content-digest");created;keyid'
"""What we ask for in a refusal."""
_ANSWERABLE = _COMPONENTS | {"host", "date", "content-digest", "content-type"}
_REPEATED = frozenset({"nonce", "tag"})


def asked(header: str | None) -> Asked | None:
    """What an Accept-Signature header asks for; None without one, or when it wants more than we sign.

    It can choose the key and add components; what we always cover stays covered.
    """
    if header is None:
        return None
    try:
        members = _dictionary(header)
    except Unauthorized:
        return None
    for member in members.values():
        if not isinstance(member, tuple) or not isinstance(member[0], list):
            continue
        names, parameters = member
        algorithm = parameters.get("alg", "rsa-v1_5-sha256")
        plain = all(isinstance(name, str) and not extra for name, extra in names)
        if plain and algorithm in _RFC_ALGORITHMS and {name for name, _ in names} <= _ANSWERABLE:
            repeated = tuple((name, str(parameters[name])) for name in sorted(_REPEATED & set(parameters)))
            if all(value.isascii() and value.isprintable() and not set(value) & {'"', "\\"} for _, value in repeated):
                return Asked(
                    "9421-ed25519" if algorithm == "ed25519" else "9421-rsa",
                    tuple(dict.fromkeys(str(name) for name, _ in names)),
                    repeated,
                )
    return None


def dialects(profile: str | None) -> tuple[Dialect, ...]:
    """The order in which to try dialects: what the peer is known to take, then what most take."""
    order: tuple[Dialect, ...] = ("cavage", "9421-rsa", "9421-ed25519")
    known = tuple(dialect for dialect in order if dialect == profile)
    return known + tuple(dialect for dialect in ("cavage", "9421-rsa") if dialect not in known)


def is_news(dialect: str, profile: str | None) -> bool:
    """Whether a success tells something about a host: that it takes what is tried first anyway does not."""
    return dialect != profile and not (profile is None and dialect == dialects(None)[0])


# -- signing ---------------------------------------------------------------------------------------------------------


def sign(
    method: str,
    url: str,
    body: bytes | None,
    *,
    key_id: str,
    private: PrivateKey,
    dialect: Dialect,
    now: datetime,
    headers: Mapping[str, str] | None,
    wanted: Asked | None = None,
) -> dict[str, str]:
    """The headers to add to a request: Host, Date, digest, Content-Type and the signature over them.

    `headers` that are named Content-Type or Collection-Synchronization are covered too. `wanted` is what the server
    asked an RFC 9421 signature to be.
    """
    given = {name.lower(): value for name, value in (headers or {}).items()}
    if dialect == "cavage":
        return _sign_cavage(method.upper(), url, body, key_id, private, now, given)
    return _sign_rfc9421(method.upper(), url, body, key_id, private, now, given, wanted)


def _sign_cavage(
    method: str, url: str, body: bytes | None, key_id: str, private: PrivateKey, now: datetime, given: dict[str, str]
) -> dict[str, str]:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    added = {"Host": _authority(parts.scheme, parts.netloc), "Date": format_datetime(now.astimezone(UTC), usegmt=True)}
    if body is not None:
        added["Digest"] = "SHA-256=" + _b64(hashlib.sha256(body).digest())
        added["Content-Type"] = given.get("content-type", _CONTENT_TYPE)
        if "collection-synchronization" in given:
            added["Collection-Synchronization"] = given["collection-synchronization"]
    lines = [f"(request-target): {method.lower()} {target}"]
    lines += [f"{name.lower()}: {value}" for name, value in added.items()]
    value = _b64(sign_bytes(private, "\n".join(lines).encode()))
    covered = " ".join(["(request-target)", *(name.lower() for name in added)])
    algorithm = "hs2019" if _is_edwards(private) else "rsa-sha256"
    added["Signature"] = f'keyId="{key_id}",algorithm="{algorithm}",headers="{covered}",signature="{value}"'
    return added


def _sign_rfc9421(
    method: str,
    url: str,
    body: bytes | None,
    key_id: str,
    private: PrivateKey,
    now: datetime,
    given: dict[str, str],
    wanted: Asked | None,
) -> dict[str, str]:
    url = url.split("#", 1)[0]
    parts = urlsplit(url)
    added = {"Host": _authority(parts.scheme, parts.netloc), "Date": format_datetime(now.astimezone(UTC), usegmt=True)}
    names = ["@method", "@target-uri"]
    if body is not None:
        added["Content-Digest"] = f"sha-256=:{_b64(hashlib.sha256(body).digest())}:"
        added["Content-Type"] = given.get("content-type", _CONTENT_TYPE)
        if "collection-synchronization" in given:
            added["Collection-Synchronization"] = given["collection-synchronization"]
        names += [name.lower() for name in added if name not in ("Host", "Date")]
    values = {name.lower(): value for name, value in added.items()}
    path, mark, query = url.removeprefix(f"{parts.scheme}://{parts.netloc}").partition("?")
    values |= _derived(method, url, parts.scheme, parts.netloc, path or "/", mark, query)
    names += [name for name in (wanted.components if wanted else ()) if name not in names and name in values]
    lines = [f'"{name}": {values[name]}' for name in names]
    covered = [f'"{name}"' for name in names]
    algorithm = "ed25519" if _is_edwards(private) else "rsa-v1_5-sha256"
    created = int(now.timestamp())
    expires = created + int(LIFETIME.total_seconds())
    parameters = f'({" ".join(covered)});created={created};expires={expires};keyid="{key_id}";alg="{algorithm}"'
    parameters += "".join(f';{name}="{value}"' for name, value in (wanted.parameters if wanted else ()))
    lines.append(f'"@signature-params": {parameters}')
    added["Signature-Input"] = f"sig1={parameters}"
    added["Signature"] = f"sig1=:{_b64(sign_bytes(private, chr(10).join(lines).encode()))}:"
    return added


def _is_edwards(private: PrivateKey) -> bool:
    return isinstance(private.public_key(), Ed25519PublicKey)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _authority(scheme: str, netloc: str) -> str:
    """Host as it is sent and signed: lower case, without the default port."""
    host = netloc.rsplit("@", 1)[-1].lower()
    default = f":{_DEFAULT_PORTS.get(scheme, 0)}"
    return host.removesuffix(default)


# -- parsing ---------------------------------------------------------------------------------------------------------


def parse(headers: Mapping[str, str]) -> ParsedSignature:
    """The one signature of a request: RFC 9421 when there is a Signature-Input, else draft-cavage.

    `headers` have lower-case names. Raises Unauthorized when there is none or it cannot be read.
    """
    text = headers.get("signature")
    if not text or len(text) > MAX_HEADER:
        raise Unauthorized("The request is not signed.")
    given = headers.get("signature-input")
    return _parse_cavage(text) if given is None else _parse_rfc9421(given, text)


def _parse_cavage(text: str) -> ParsedSignature:
    values: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _CAVAGE_PART.match(text, position)
        if match is None or match[1] in values:
            raise Unauthorized("The signature header cannot be read.")
        values[match[1]] = match[2] if match[2] is not None else match[3]
        position = match.end()
    covered = tuple(values.get("headers", "date").lower().split())
    algorithm = values.get("algorithm", "").lower()
    if not values.get("keyId") or not values.get("signature") or not covered:
        raise Unauthorized("The signature header is incomplete.")
    if len(set(covered)) != len(covered) or algorithm not in _CAVAGE_HASHES:
        raise Unauthorized("The signature header has repeated headers or an unknown algorithm.")
    return ParsedSignature(
        "cavage", values["keyId"], algorithm, covered, _decoded(values["signature"]),
        _timestamp(values.get("created")), _timestamp(values.get("expires")),
    )  # fmt: skip


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unauthorized("The signature is not base64.") from None


def _timestamp(value: Any) -> datetime | None:
    """Seconds since the epoch: digits of draft-cavage or an Integer of RFC 9421, nothing that merely looks like one."""
    if value is None:
        return None
    try:
        if type(value) is not int and not (type(value) is str and value.isascii() and value.isdigit()):
            raise ValueError("not seconds")
        return datetime.fromtimestamp(int(value), UTC)
    except (ValueError, OverflowError, OSError):
        raise Unauthorized("The signature has a time that is none.") from None


def _parse_rfc9421(given: str, text: str) -> ParsedSignature:
    inputs, values = _dictionary(given), _dictionary(text)
    labels = [label for label in inputs if label in values]
    if len(labels) != 1:
        raise Unauthorized("The request must carry exactly one signature.")
    member, value = inputs[labels[0]], values[labels[0]]
    if not isinstance(member, tuple) or not isinstance(member[0], list) or not isinstance(value[0], bytes):
        raise Unauthorized("The signature headers cannot be read.")
    names, parameters = member
    if any(not isinstance(name, str) or extra for name, extra in names):
        raise Unauthorized("The signature covers components with parameters, which are not taken here.")
    covered = tuple(name for name, _ in names)
    key_id, algorithm = parameters.get("keyid"), parameters.get("alg", "")
    if len(set(covered)) != len(covered) or not isinstance(key_id, str) or algorithm not in _RFC_ALGORITHMS:
        raise Unauthorized("The signature names no key, repeats components or has an unknown algorithm.")
    times = [parameters.get(name) for name in ("created", "expires")]
    if any(isinstance(time, str) for time in times):
        raise Unauthorized("The signature has a time that is none.")
    return ParsedSignature(
        "9421", key_id, algorithm, covered, value[0], _timestamp(times[0]), _timestamp(times[1]),
        _parameters(given, labels[0], inputs),
    )  # fmt: skip


def _parameters(given: str, label: str, inputs: dict[str, Any]) -> str:
    """The text after `label=` as it was sent (RFC 9421 2.3); with several members, written anew."""
    sent = given.strip()
    if len(inputs) == 1 and sent.startswith(f"{label}="):
        return sent[len(label) + 1 :]
    text: str = http_sf.ser([inputs[label]])
    return text


def _dictionary(text: str) -> dict[str, Any]:
    def refuse(_key: str, _context: str) -> None:
        raise ValueError("repeated")

    try:
        if len(text) > MAX_HEADER:
            raise ValueError("too long")
        parsed = http_sf.parse(text.encode("ascii"), tltype="dictionary", on_duplicate_key=refuse)
    except (ValueError, http_sf.StructuredFieldError):
        raise Unauthorized("The signature headers cannot be read.") from None
    return parsed if isinstance(parsed, dict) else {}


# -- checking --------------------------------------------------------------------------------------------------------


def check(
    parsed: ParsedSignature, *, method: str, headers: Mapping[str, str], body: bytes | None, now: datetime
) -> datetime:
    """Whether the signature covers what it must, now, and the digest fits the body; returns when it was made.

    Raises Unauthorized with a sentence that says what is missing.
    """
    if parsed.dialect == "cavage":
        _check_cavage_coverage(parsed, method)
    else:
        _check_rfc9421_coverage(parsed, method)
    if method.upper() == "POST" or body:
        _check_digest(parsed, headers, body or b"")
    created = _made_at(parsed, headers)
    proved = parsed.dialect == "9421" or "(expires)" in parsed.covered
    _check_window(created, parsed.expires if proved else None, now)
    return created


def _check_cavage_coverage(parsed: ParsedSignature, method: str) -> None:
    needed = {"(request-target)", "host"} | (set() if method.upper() in _BODILESS else {"digest"})
    missing = sorted(needed - set(parsed.covered))
    if missing:
        raise Unauthorized(f"The signature must cover {', '.join(missing)}.")
    pseudo = {"(created)": parsed.created, "(expires)": parsed.expires}
    for name, value in pseudo.items():
        if name in parsed.covered and (value is None or parsed.algorithm.startswith("rsa")):
            raise Unauthorized(f"The signature covers {name} without a value or with an algorithm that has none.")
    if "date" not in parsed.covered and "(created)" not in parsed.covered:
        raise Unauthorized("The signature must cover date or (created).")


def _check_rfc9421_coverage(parsed: ParsedSignature, method: str) -> None:
    covered = set(parsed.covered)
    unknown = sorted(name for name in covered if name.startswith("@") and name not in _COMPONENTS)
    if unknown:
        raise Unauthorized(f"The signature covers {', '.join(unknown)}, which is not taken here.")
    names_target = "@target-uri" in covered or {"@authority", "@path", "@query"} <= covered
    if "@method" not in covered or not names_target:
        raise Unauthorized("The signature must cover @method and @target-uri.")
    if method.upper() not in _BODILESS and "content-digest" not in covered:
        raise Unauthorized("The signature must cover content-digest.")
    if parsed.created is None:
        raise Unauthorized("The signature must say when it was created.")


def _check_digest(parsed: ParsedSignature, headers: Mapping[str, str], body: bytes) -> None:
    name = "digest" if parsed.dialect == "cavage" else "content-digest"
    text = headers.get(name, "")
    claimed = _cavage_digest(text) if parsed.dialect == "cavage" else _content_digest(text)
    if claimed is None:
        raise Unauthorized(f"The request has no {name} header with SHA-256.")
    if not hmac.compare_digest(claimed, hashlib.sha256(body).digest()):
        raise Unauthorized("The digest does not fit the body.")


def _cavage_digest(text: str) -> bytes | None:
    values = [part.strip().split("=", 1) for part in text.split(",")]
    found = [value[1] for value in values if len(value) == 2 and value[0].lower() == "sha-256"]
    return _decoded(found[0]) if len(found) == 1 else None


def _content_digest(text: str) -> bytes | None:
    value = _dictionary(text).get("sha-256")
    return value[0] if isinstance(value, tuple) and isinstance(value[0], bytes) else None


def _made_at(parsed: ParsedSignature, headers: Mapping[str, str]) -> datetime:
    if parsed.created is not None and (parsed.dialect == "9421" or "(created)" in parsed.covered):
        return parsed.created
    try:
        made = parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        raise Unauthorized("The request has no Date that can be read.") from None
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made


def _check_window(created: datetime, expires: datetime | None, now: datetime) -> None:
    if created > now + SKEW:
        raise Unauthorized("The signature was made in the future.")
    end = min(expires or created, created + LONGEST)
    if end + SKEW < now:
        raise Unauthorized("The signature is too old.")


# -- verifying -------------------------------------------------------------------------------------------------------


def verify(
    parsed: ParsedSignature, public: PublicKey, *, method: str, target: str, origin: str, headers: Mapping[str, str]
) -> bool:
    """Whether the signature holds under this key. `target` is the raw path with query, `origin` ours as configured."""
    edwards = isinstance(public, Ed25519PublicKey)
    if parsed.dialect == "9421":
        if parsed.algorithm and (parsed.algorithm == "ed25519") != edwards:
            return False
        base = _base(parsed, method, target, origin, headers)
        return base is not None and verify_bytes(public, parsed.value, base)
    if edwards != (parsed.algorithm == "ed25519") and parsed.algorithm not in ("", "hs2019"):
        return False
    hashes = _CAVAGE_HASHES[parsed.algorithm]
    targets = [target, target.split("?", 1)[0]] if "?" in target else [target]  # old servers leave the query out
    for candidate in targets:
        text = _cavage_text(parsed, method, candidate, origin, headers)
        if text is not None and verify_bytes(public, parsed.value, text, hashes=hashes):
            return True
    return False


def _cavage_text(
    parsed: ParsedSignature, method: str, target: str, origin: str, headers: Mapping[str, str]
) -> bytes | None:
    scheme, _, netloc = origin.partition("://")
    lines = []
    for name in parsed.covered:
        value: str | None
        if name == "(request-target)":
            value = f"{method.lower()} {target}"
        elif name in ("(created)", "(expires)"):
            moment = parsed.created if name == "(created)" else parsed.expires
            value = str(int(moment.timestamp())) if moment else None
        elif name == "host":
            value = headers.get("host")
            if value is None or _authority(scheme, value) != _authority(scheme, netloc):
                return None  # signed for another server
        else:
            value = headers.get(name)
        if value is None:
            return None
        lines.append(f"{name}: {value.strip()}")
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _derived(method: str, uri: str, scheme: str, netloc: str, path: str, mark: str, query: str) -> dict[str, str]:
    """The components that are no headers (RFC 9421 2.2)."""
    return {
        "@method": method,
        "@target-uri": uri,
        "@authority": _authority(scheme, netloc),
        "@scheme": scheme,
        "@path": path,
        "@query": "?" + query,
        "@request-target": path + mark + query,
    }


def _base(parsed: ParsedSignature, method: str, target: str, origin: str, headers: Mapping[str, str]) -> bytes | None:
    """The signature base (RFC 9421 2.5), built from our own origin and never from what a proxy says."""
    scheme, _, netloc = origin.partition("://")
    path, mark, query = target.partition("?")
    derived = _derived(method.upper(), origin + target, scheme, netloc, path, mark, query)
    lines = []
    for name in parsed.covered:
        value = derived.get(name) if name.startswith("@") else headers.get(name)
        if value is None:
            return None
        lines.append(f'"{name}": {value.strip()}')
    lines.append(f'"@signature-params": {parsed.parameters}')
    return "\n".join(lines).encode("utf-8", "surrogateescape")
