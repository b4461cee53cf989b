"""Both dialects against fixed vectors, against an independent implementation, and against every way to cheat."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import http_message_signatures as oracle
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from fedcorp import keys
from fedcorp.activitypub import signatures
from fedcorp.errors import Unauthorized

pytestmark = pytest.mark.once

PAIR = keys.generate()
OTHER = keys.generate()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = "https://rnd.corp.example"
KEY_ID = "https://hr.corp.example/u/ann#main-key"
BODY = (
    b'{"@context":"https://www.w3.org/ns/activitystreams","id":"https://hr.corp.example/a/1","type":"Like",'
    b'"actor":"https://hr.corp.example/u/ann","object":"https://rnd.corp.example/o/7"}'
)
DIALECTS = ("cavage", "9421-rsa", "9421-ed25519")


def private_of(dialect: str, pair: keys.KeyPair = PAIR) -> keys.PrivateKey:
    return keys.load_private(pair.ed25519_private if dialect.endswith("ed25519") else pair.rsa_private)


def public_of(dialect: str, pair: keys.KeyPair = PAIR) -> keys.PublicKey:
    return keys.load_public(pair.ed25519_public if dialect.endswith("ed25519") else pair.rsa_public)


def signed(dialect: Any, *, method: str = "POST", target: str = "/inbox", body: bytes | None = BODY) -> dict[str, str]:
    headers = signatures.sign(
        method,
        ORIGIN + target,
        body,
        key_id=KEY_ID,
        private=private_of(dialect),
        dialect=dialect,
        now=NOW,
        headers=None,
    )
    return {name.lower(): value for name, value in headers.items()}


def holds(dialect: str, headers: dict[str, str], *, now: datetime = NOW, **changes: Any) -> bool:
    """The whole way that the inbox goes; Unauthorized and False both mean refused."""
    method, target = changes.get("method", "POST"), changes.get("target", "/inbox")
    try:
        parsed = signatures.parse(headers)
        signatures.check(parsed, method=method, headers=headers, body=changes.get("body", BODY), now=now)
    except Unauthorized:
        return False
    public = changes.get("public", public_of(dialect))
    origin = changes.get("origin", ORIGIN)
    return signatures.verify(parsed, public, method=method, target=target, origin=origin, headers=headers)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_we_sign_holds(dialect: str) -> None:
    assert holds(dialect, signed(dialect))
    assert holds(dialect, signed(dialect, method="GET", target="/u/1?page=2", body=None), method="GET",
                 target="/u/1?page=2", body=None)  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "changes",
    [
        {"body": BODY + b" "},
        {"target": "/other"},
        {"origin": "https://elsewhere.example"},
        {"method": "PUT"},
        {"now": NOW + timedelta(hours=2)},
        {"now": NOW - timedelta(hours=2)},
    ],
)
def test_what_was_changed_does_not_hold(dialect: str, changes: dict[str, Any]) -> None:
    assert not holds(dialect, signed(dialect), **changes)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_key_of_somebody_else_does_not_hold(dialect: str) -> None:
    assert not holds(dialect, signed(dialect), public=public_of(dialect, OTHER))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("missing", ["signature", "digest", "content-digest", "date", "host", "signature-input"])
def test_a_covered_header_cannot_be_left_out(dialect: str, missing: str) -> None:
    headers = signed(dialect)
    needed = missing in headers and not (dialect != "cavage" and missing in ("date", "host"))
    headers.pop(missing, None)
    assert holds(dialect, headers) is not needed


@pytest.mark.parametrize("name", ["(request-target)", "host", "digest"])
def test_cavage_must_cover(name: str) -> None:
    headers = signed("cavage")
    headers["signature"] = headers["signature"].replace(name + " ", "", 1)
    with pytest.raises(Unauthorized):
        signatures.check(signatures.parse(headers), method="POST", headers=headers, body=BODY, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        'keyId="a",keyId="b",headers="date",signature="AAAA"',
        'keyId="",headers="date",signature="AAAA"',
        'keyId="a",headers="",signature="AAAA"',
        'keyId="a",headers="date date",signature="AAAA"',
        'keyId="a",headers="date",signature="not base64!"',
        'keyId="a",algorithm="none",headers="date",signature="AAAA"',
        'keyId="a",headers="date",created=99999999999999999999,signature="AAAA"',
        "x" * 9000,
    ],
)
def test_cavage_headers_that_are_refused(text: str) -> None:
    with pytest.raises(Unauthorized):
        signatures.parse({"signature": text})


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("sig1=()", "sig1=:AAAA:"),
        ('sig1=("@method");keyid="a";created=1', "sig2=:AAAA:"),
        ('sig1=("@method");keyid="a";created=1, sig1=("@path");keyid="a";created=1', "sig1=:AAAA:"),
        ('sig1=("@method" "@method");keyid="a";created=1', "sig1=:AAAA:"),
        ('sig1=("@method";req);keyid="a";created=1', "sig1=:AAAA:"),
        ('sig1=("@method");keyid="a";created=1;alg="none"', "sig1=:AAAA:"),
        ('a=("@method");keyid="a";created=1, b=("@method");keyid="a";created=1', "a=:AAAA:, b=:AAAA:"),
        ("sig1", "sig1=:AAAA:"),
        ("\x00", "\x00"),
    ],
)
def test_rfc9421_headers_that_are_refused(given: str, value: str) -> None:
    with pytest.raises(Unauthorized):
        signatures.parse({"signature-input": given, "signature": value})


def test_algorithm_may_be_missing_or_hs2019() -> None:
    for label in ("", 'algorithm="hs2019",'):
        headers = signed("cavage")
        headers["signature"] = headers["signature"].replace('algorithm="rsa-sha256",', label)
        assert holds("cavage", headers)


def test_the_algorithm_cannot_choose_another_check_of_the_same_key() -> None:
    headers = signed("9421-rsa")
    headers["signature-input"] = headers["signature-input"].replace("rsa-v1_5-sha256", "ed25519")
    assert not holds("9421-rsa", headers)


def test_an_end_that_is_not_covered_gives_no_more_time() -> None:
    headers = signed("cavage")
    late = int((NOW + timedelta(hours=10)).timestamp())
    headers["signature"] += f",expires={late}"
    assert not holds("cavage", headers, now=NOW + timedelta(hours=5))


@pytest.mark.parametrize("time", ["@1767225600", "1.5", '"1767225600"', "?1", "99999999999999"])
def test_times_that_are_none(time: str) -> None:
    with pytest.raises(Unauthorized):
        signatures.parse({"signature-input": f'a=("@method");created={time};keyid="k"', "signature": "a=:AAAA:"})


def test_a_body_needs_a_digest_whatever_the_method() -> None:
    headers = signed("cavage", method="PUT", body=None)
    assert not holds("cavage", headers, method="PUT")


def test_vector_of_a_post() -> None:
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"fedcorp test key 1").digest())
    parameters = (
        '("@method" "@target-uri" "content-digest");created=1767225600;expires=1767229200;'
        'keyid="https://hr.corp.example/u/ann#ed25519-key";alg="ed25519"'
    )
    headers = {
        "content-digest": "sha-256=:yOxCplEaRD5UqoqQ1jp4sr39g/W4Hs8cstzvbL4wlRM=:",
        "signature-input": f"sig1={parameters}",
        "signature": "sig1=:S1YrpQ7tNw0YDmAiXwqedNPtpdFErJojWoL8nS9e7SHZhrCqZOgTVpNZpV6qQ85esMacjwf1LQualRVkso1OCA==:",
    }
    assert keys.multikey(private.public_key()) == "z6Mkms6UfSe8VAKjDxMJJxD2uqoHcq2BSRJhC9xgCTwgW11M"
    assert holds("9421-ed25519", headers, public=private.public_key())


def test_vector_b_2_6_of_rfc_9421() -> None:
    key = load_der_private_key(
        base64.b64decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF"), password=None
    )
    assert isinstance(key, Ed25519PrivateKey)
    headers = {
        "date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "content-type": "application/json",
        "content-length": "18",
        "signature-input": 'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"',
        "signature": "sig-b26="
        ":wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
    }
    parsed = signatures.parse(headers)
    origin = "https://example.com"
    assert signatures.verify(parsed, key.public_key(), method="POST", target="/foo", origin=origin, headers=headers)


def test_vector_of_a_cavage_text() -> None:
    headers = signed("cavage")
    assert headers["digest"] == "SHA-256=yOxCplEaRD5UqoqQ1jp4sr39g/W4Hs8cstzvbL4wlRM="
    text = "\n".join(
        ["(request-target): post /inbox", *(f"{name}: {headers[name]}" for name in ("host", "date", "digest"))]
    )
    text += f"\ncontent-type: {headers['content-type']}"
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "fafe099c37a4bd018fe21c778540bcbab8eefd3b7a5af1b9d086dbbb5fa9c3c3"
    )


class _Resolver(oracle.HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Any:
        return keys.load_public(PAIR.ed25519_public)

    def resolve_private_key(self, key_id: str) -> Any:
        return keys.load_private(PAIR.ed25519_private)


def test_an_independent_implementation_agrees() -> None:
    now = datetime.now(UTC)
    headers = signatures.sign(
        "POST", ORIGIN + "/inbox", BODY, key_id=KEY_ID, private=private_of("9421-ed25519"), dialect="9421-ed25519",
        now=now, headers=None,
    )  # fmt: skip
    request = requests.Request("POST", ORIGIN + "/inbox", data=BODY, headers=headers).prepare()
    verifier = oracle.HTTPMessageVerifier(signature_algorithm=oracle.algorithms.ED25519, key_resolver=_Resolver())
    (result,) = verifier.verify(request)
    assert '"content-digest"' in result.covered_components

    theirs = requests.Request("POST", ORIGIN + "/inbox", data=BODY, headers={}).prepare()
    theirs.headers["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:"
    signer = oracle.HTTPMessageSigner(signature_algorithm=oracle.algorithms.ED25519, key_resolver=_Resolver())
    signer.sign(theirs, key_id=KEY_ID, covered_component_ids=("@method", "@target-uri", "content-digest"), created=now,
                use_existing_digest=True)  # fmt: skip
    received = {name.lower(): str(value) for name, value in theirs.headers.items()}
    assert holds("9421-ed25519", received, now=now)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("", None),
        ("sig1=1", None),
        ('sig1=("@method" "@target-uri");created;keyid', ("9421-rsa", ("@method", "@target-uri"), ())),
        ('s=("@authority" "date");alg="ed25519"', ("9421-ed25519", ("@authority", "date"), ())),
        ('s=("@method");nonce="abc";tag="app"', ("9421-rsa", ("@method",), (("nonce", "abc"), ("tag", "app")))),
        ('s=("@method" "cookie")', None),  # more than we show
        ('s=("@method";req)', None),
        ('s=("@method");alg="hmac-sha256"', None),
        ('a=("cookie"), b=("@method")', ("9421-rsa", ("@method",), ())),  # the first that we can
        ('s=("@method");nonce="a\\"b"', None),
        ("x" * 9000, None),
    ],
)
def test_what_a_server_asks_for(header: str | None, wanted: Any) -> None:
    """RFC 9421 section 5: it may choose among what we sign, and nothing else."""
    found = signatures.asked(header)
    assert (found and (found.dialect, found.components, found.parameters)) == wanted


def test_what_is_asked_for_is_covered_beside_what_we_always_cover() -> None:
    wanted = signatures.asked('s=("@authority" "@path" "@query" "@scheme" "@request-target" "host" "date");nonce="n1"')
    assert wanted is not None
    made = signatures.sign(
        "POST", ORIGIN + "/inbox?a=b", BODY, key_id=KEY_ID, private=private_of("9421-rsa"), dialect="9421-rsa",
        now=NOW, headers=None, wanted=wanted,
    )  # fmt: skip
    received = {name.lower(): value for name, value in made.items()}
    parsed = signatures.parse(received)
    assert set(parsed.covered) == {"@method", "@target-uri", "content-digest", "content-type", *wanted.components}
    assert 'nonce="n1"' in parsed.parameters
    assert signatures.verify(
        parsed, keys.load_public(PAIR.rsa_public), method="POST", target="/inbox?a=b", origin=ORIGIN, headers=received
    )


def test_what_we_ask_for_is_what_we_sign() -> None:
    assert signatures.asked(signatures.ACCEPT_SIGNATURE) is not None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://www.example.com/path?param=value",
            {"@target-uri": "https://www.example.com/path?param=value", "@authority": "www.example.com",
             "@scheme": "https", "@request-target": "/path?param=value", "@path": "/path", "@query": "?param=value"},
        ),
        ("https://www.example.com/path?a=b&baz=bat%2Dman", {"@query": "?a=b&baz=bat%2Dman"}),
        ("https://www.example.com/path?queryString", {"@query": "?queryString"}),
        ("https://www.example.com/path", {"@query": "?"}),
        ("https://WWW.example.com:443/", {"@authority": "www.example.com", "@path": "/"}),
        ("https://www.example.com:8443/x", {"@authority": "www.example.com:8443"}),
    ],
)  # fmt: skip
def test_derived_components_of_rfc_9421(url: str, expected: dict[str, str]) -> None:
    """The examples of its sections 2.2.2 to 2.2.7: what is signed for another server reads as the RFC has it."""
    names = " ".join(f'"{name}"' for name in expected)
    wanted = signatures.asked(f"s=({names})")
    assert wanted is not None
    made = signatures.sign(
        "GET", url, None, key_id=KEY_ID, private=private_of("9421-ed25519"), dialect="9421-ed25519", now=NOW,
        headers=None, wanted=wanted,
    )  # fmt: skip
    received = {name.lower(): value for name, value in made.items()}
    parsed = signatures.parse(received)
    values = {"@method": "GET", "@target-uri": url, **expected}
    lines = [f'"{name}": {values[name]}' for name in parsed.covered] + [f'"@signature-params": {parsed.parameters}']
    assert keys.verify(keys.load_public(PAIR.ed25519_public), parsed.value, "\n".join(lines).encode())


class _RsaResolver(oracle.HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Any:
        return keys.load_public(PAIR.rsa_public)

    def resolve_private_key(self, key_id: str) -> Any:
        return keys.load_private(PAIR.rsa_private)


def test_an_independent_implementation_agrees_on_rsa_and_on_what_is_covered() -> None:
    """Also with the header by which followers are compared, and with components that a server asked for."""
    now = datetime.now(UTC)
    wanted = signatures.asked('s=("@authority" "@path" "date");nonce="n"')
    headers = signatures.sign(
        "POST", ORIGIN + "/inbox", BODY, key_id=KEY_ID, private=private_of("9421-rsa"), dialect="9421-rsa",
        now=now, headers={"Collection-Synchronization": 'collectionId="x", url="y", digest="z"'}, wanted=wanted,
    )  # fmt: skip
    request = requests.Request("POST", ORIGIN + "/inbox", data=BODY, headers=headers).prepare()
    verifier = oracle.HTTPMessageVerifier(
        signature_algorithm=oracle.algorithms.RSA_V1_5_SHA256, key_resolver=_RsaResolver()
    )
    (result,) = verifier.verify(request)
    covered = set(result.covered_components)
    assert {'"collection-synchronization"', '"@authority"', '"@path"', '"date"', '"content-digest"'} <= covered

    theirs = requests.Request("GET", ORIGIN + "/o/1?a=b").prepare()
    signer = oracle.HTTPMessageSigner(
        signature_algorithm=oracle.algorithms.RSA_V1_5_SHA256, key_resolver=_RsaResolver()
    )
    signer.sign(theirs, key_id=KEY_ID, covered_component_ids=("@method", "@target-uri", "@query"), created=now)
    received = {name.lower(): str(value) for name, value in theirs.headers.items()}
    parsed = signatures.parse(received)
    signatures.check(parsed, method="GET", headers=received, body=None, now=now)
    public = keys.load_public(PAIR.rsa_public)
    assert signatures.verify(parsed, public, method="GET", target="/o/1?a=b", origin=ORIGIN, headers=received)
    assert not signatures.verify(parsed, public, method="GET", target="/o/2?a=b", origin=ORIGIN, headers=received)
