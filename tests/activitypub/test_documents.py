"""Parsing within limits, origins, owners, activities."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.activitypub.compaction import parse_activity
from fedcorp.activitypub.documents import (
    JsonLimits,
    domain_of,
    origin,
    owner,
    parse_json,
    same_origin,
)
from fedcorp.activitypub.vocabulary import AS, ENTRY_CONTEXT, PUBLIC
from fedcorp.canonical import digest_of
from fedcorp.errors import BadRequest

pytestmark = pytest.mark.once

LIKE = {
    "@context": AS,
    "id": "https://hr.corp.example/a/1",
    "type": "Like",
    "actor": "https://hr.corp.example/u/ann",
    "object": "https://rnd.corp.example/o/7",
}
pieces = st.sampled_from(
    [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"1", b"null", b'"a"', b"e9", b"-", b"\\u", b" "]
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary() | st.lists(pieces).map(b"".join))
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    try:
        assert isinstance(parse_json(body), dict)
        parse_activity(body)
    except BadRequest:
        pass


@given(st.dictionaries(texts, values), st.booleans())
def test_json_is_parsed_to_what_it_says(doc: dict[str, Any], escaped: bool) -> None:
    assert parse_json(json.dumps(doc, ensure_ascii=escaped).encode()) == doc


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'"x"', b"null", b"{", b'{"a":1}x', b'\xef\xbb\xbf{"a":1}', b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xff"}',
        b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"b":[{"a":1,"a":1}]}', b'{"a":NaN}', b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":9007199254740993}', b'{"a":[-9007199254740993]}', b'{"a":' + b"9" * 5000 + b"}", b'{"a":"\\ud800"}',
        b'{"\\udc00":1}', b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":"x\x00"}', b'{"a":01}', b"{'a':1}",
        b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", b'{"a":' + b"[" * 100_000,
        b'{"a":[' + b"1," * 10_000 + b"1]}", b'{"a":[' + b"{}," * 6000 + b"{}]}", b'{"a":"' + b"x" * 262_145 + b'"}',
        b'{"a":"' + b"x" * 1_048_576 + b'"}',
    ],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_bodies_that_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_json(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"\\\\u0000"}', b'{"a":"\\"a\\":1"}', b'{"a":"{[{[\\\\"}', b'{"a":9007199254740992}',
        b'{"a":0.12345678901234567}',
        b'{"a":1e300}', b'{"a":' + b"[" * 31 + b"]" * 31 + b"}", b'{"a":"' + b"[" * 500 + b'"}',
        b'{"a":"' + b"x" * 262_144 + b'"}',
    ],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_bodies_that_are_taken(body: bytes) -> None:
    assert parse_json(body) == json.loads(body)


def test_limits_can_be_narrowed() -> None:
    for limits in (JsonLimits(size=5), JsonLimits(depth=1), JsonLimits(nodes=1), JsonLimits(string=5)):
        with pytest.raises(BadRequest):
            parse_json(b'{"a": ["123456", 1, 2]}', limits)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://hr.corp.example/u/ann#main-key", "https://hr.corp.example"),
        ("HTTPS://HR.Corp.Example", "https://hr.corp.example"),
        ("https://hr.corp.example:443/", "https://hr.corp.example"),
        ("http://hr.corp.example:443/", "http://hr.corp.example:443"),
        ("http://hr.localhost:8001?x", "http://hr.localhost:8001"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example"),
        ("https://\uff45xample.com/", "https://example.com"),
        ("https://example.com./x", "https://example.com"),
        ("https://127.0.0.1/x", "https://127.0.0.1"),
        ("https://[::1]:8080/x", "https://[::1]:8080"),
        ("https://HOST.example/?author=1", "https://host.example"),
    ],
)
def test_origins(uri: str, expected: str) -> None:
    assert origin(uri) == expected
    assert domain_of(uri) == expected.partition("://")[2]


@pytest.mark.parametrize(
    "uri",
    [
        "", "1", "acct:ann@hr.example", "ftp://x.example/", "https:x.example", "https:/x.example", "https:///x",
        "//x.example/",
        "https://u@x.example/", "https://good.example:x@evil.example/", "https://good.example\\@evil.example/",
        "https://x.example:0/", "https://x.example:99999/", "https://x.example:a/", "https://x .example/",
        "https://x.example/a b",
        "https://x.example/\n", "\thttps://x.example/", "https://-x.example/", "https://x..example/",
        "https://.x.example/",
        "https://%65vil.example/", "https://[::1/", "https://[v1.x]/", "https://" + "a" * 64 + ".example/",
        "javascript:alert(1)",
        "https://x.example/" + "a" * 3000, "https://\u2024x/", "https://xn--\u00fc/",
    ],
)  # fmt: skip
def test_what_is_no_url_has_no_origin(uri: str) -> None:
    with pytest.raises(BadRequest):
        origin(uri)
    assert not same_origin(uri, uri)


@given(st.text() | st.text(alphabet="htps:/@.[]\\?#%a1-\u00fc\uff0e", min_size=4).map("https://".__add__))
def test_an_origin_is_its_own_origin(uri: str) -> None:
    try:
        found = origin(uri)
    except BadRequest:
        return
    assert origin(found) == found
    assert same_origin(uri, f"{found}/other")


def test_owners() -> None:
    uri = "https://x.example/u"
    assert owner({"type": "Person", "id": uri, "attributedTo": "https://y.example/"}) == uri
    assert owner({"type": "Robot", "id": uri, "inbox": "i", "outbox": "o"}) == uri
    assert owner({"type": "Like", "actor": {"id": uri}, "attributedTo": "https://y.example/"}) == uri
    assert owner({"type": "Multikey", "controller": uri}) == uri
    assert owner({"id": "k", "publicKeyPem": "p", "owner": uri}) == uri
    assert owner({"type": "Note", "attributedTo": [uri]}) == uri
    assert owner({"type": "Note", "attributedTo": [uri, "https://y.example/"]}) is None
    nobodies: list[Any] = [{"type": "Note"}, {}, None, uri, []]
    for nobody in nobodies:
        assert owner(nobody) is None


def test_an_activity_is_read() -> None:
    doc = {
        **LIKE,
        "to": "as:Public",
        "cc": [PUBLIC, {"id": "https://x.example/u"}],
        "published": "2026-01-01T00:00:00Z",
    }
    body = json.dumps(doc).encode()
    activity = parse_activity(body)
    assert (activity.id, activity.type, activity.actor) == (LIKE["id"], "Like", LIKE["actor"])
    assert (activity.object_id, activity.object_type, activity.target) == (LIKE["object"], None, None)
    assert (activity.to, activity.cc, activity.audience) == ((PUBLIC,), (PUBLIC, "https://x.example/u"), ())
    assert (activity.doc, activity.raw) == (doc, body)


def test_embedded_and_listed_objects_are_read() -> None:
    note = {"type": "Note", "id": "https://hr.corp.example/o/1"}
    for thing in (note, [note]):
        activity = parse_activity(json.dumps({**LIKE, "type": ["Create", "X"], "object": thing}).encode())
        assert (activity.object, activity.object_id, activity.object_type) == (note, note["id"], "Note")
    many = parse_activity(json.dumps({**LIKE, "type": "Flag", "object": ["https://a.example/1", note]}).encode())
    assert (many.object_id, many.object_type, len(many.object)) == (None, None, 2)
    follow = {"type": "Follow", "actor": "https://a.example/u", "object": LIKE["actor"]}
    assert parse_activity(json.dumps({**LIKE, "type": "Accept", "object": follow}).encode()).object_id is None


@pytest.mark.parametrize("missing", ["id", "object"])
def test_what_may_be_missing(missing: str) -> None:
    for doc in ({**LIKE, missing: None}, {key: item for key, item in LIKE.items() if key != missing}):
        activity = parse_activity(json.dumps(doc).encode())
        assert None in (activity.id, activity.object_id)


@pytest.mark.parametrize(
    "change",
    [
        {"type": None}, {"type": []}, {"actor": None}, {"actor": []}, {"actor": "1"}, {"actor": {}}, {"actor": 7},
        {"actor": ["https://hr.corp.example/u/ann", "https://hr.corp.example/u/bo"]},
        {"actor": "acct:ann@hr.corp.example"},
        {"id": "https://evil.example/a/1"}, {"id": "http://hr.corp.example/a/1"},
        {"id": "https://hr.corp.example:8443/a/1"},
        {"id": "urn:x"}, {"id": ""}, {"id": 7}, {"id": ["https://hr.corp.example/1", "https://hr.corp.example/2"]},
        {"object": {"type": "Note", "id": "1"}}, {"object": "1"}, {"object": 7}, {"object": {"id": 7}}, {"target": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_activities_that_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        parse_activity(json.dumps({**LIKE, **change}).encode())


def test_digests_of_the_ledger() -> None:
    """The vector of the ledger format: the bytes of inner activity and entry are what every member instance hashes."""
    like = {key: LIKE[key] for key in ("@context", "id", "type", "actor", "object")}
    group = "https://rnd.corp.example/g/robotics"
    entry = {
        "@context": ENTRY_CONTEXT, "id": f"{group}/ledger/1", "type": "Entry", "attributedTo": group, "epoch": "01J0EP",
        "seq": 1, "prevDigest": "", "published": "2026-01-01T00:00:00Z", "object": LIKE["id"], "objectType": "Like",
        "objectActor": LIKE["actor"], "digestMultibase": digest_of(like),
    }  # fmt: skip
    assert digest_of(like) == "zQmPkE7ZfEyRKHcefAoV66KPHKS7FDUh3xUGgL21t6KrZjv"
    assert digest_of(entry) == "zQmYk5ewtgEVSuuUbGeJMNRuLPe2tSvwquSnooJyGKQimaH"
