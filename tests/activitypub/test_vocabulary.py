"""Accessors that bear with any shape, and the contexts of our own documents."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.activitypub import vocabulary
from fedcorp.activitypub.jsonld import is_plain
from fedcorp.activitypub.processor import undefined_terms
from fedcorp.activitypub.vocabulary import (
    PUBLIC,
    as_list,
    first_string,
    format_time,
    ids_of,
    is_public,
    parse_time,
    types_of,
    value_or_id,
)

pytestmark = pytest.mark.once

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "href", "x"]), inner),
    max_leaves=8,
)

ACTOR = {
    "id": "https://hr.corp.example/u/1", "type": "Person", "preferredUsername": "ann", "name": "Ann",
    "summary": "<p>x</p>",
    "webfinger": "ann@hr.corp.example", "url": "https://hr.corp.example/@ann",
    "inbox": "https://hr.corp.example/u/1/inbox",
    "outbox": "https://hr.corp.example/u/1/outbox", "followers": "https://hr.corp.example/u/1/followers",
    "following": "https://hr.corp.example/u/1/following", "featured": "https://hr.corp.example/u/1/featured",
    "endpoints": {"sharedInbox": "https://hr.corp.example/inbox"}, "manuallyApprovesFollowers": False,
    "discoverable": True, "indexable": False, "memorial": False, "suspended": False,
    "attributionDomains": ["news.example"],
    "published": "2026-01-05T00:00:00Z",
    "movedTo": "https://rnd.corp.example/u/9", "alsoKnownAs": ["https://old.corp.example/users/ann"],
    "icon": {"type": "Image", "mediaType": "image/png", "url": "https://hr.corp.example/av.png", "focalPoint": [0,
    0.5]},
    "attachment": [{"type": "PropertyValue", "name": "Team", "value": "Payroll"}],
    "tag": [{"type": "Hashtag", "name": "#hr", "href": "https://hr.corp.example/tags/hr"}, {"type": "Emoji",
    "name": ":x:"}],
    "publicKey": {"id": "https://hr.corp.example/u/1#main-key", "owner": "https://hr.corp.example/u/1",
    "publicKeyPem": "P"},
    "assertionMethod": [{"id": "https://hr.corp.example/u/1#ed25519-key", "type": "Multikey",
                         "controller": "https://hr.corp.example/u/1", "publicKeyMultibase": "z6Mk"}],
    "generator": {"type": "Application", "implements": [{"name": "RFC-9421", "href": "urn:x:y"}]},
    "scope": "company", "deliveries": "https://hr.corp.example/deliveries",
}  # fmt: skip
GROUP = {
    **{key: item for key, item in ACTOR.items() if key != "indexable"}, "type": "Group",
    "attributedTo": "https://hr.corp.example/g/1/moderators",
    "affiliations": "https://hr.corp.example/g/1/affiliations",
    "participants": "https://hr.corp.example/g/1/participants", "canFollow": "none", "canParticipate": "member",
    "postingRestrictedToMods": False, "ledger": "https://hr.corp.example/g/1/ledger",
}  # fmt: skip
NOTE = {
    "id": "https://hr.corp.example/a/1", "type": "Create", "actor": "https://hr.corp.example/u/1", "to": [PUBLIC],
    "cc": ["https://hr.corp.example/u/1/followers"], "audience": "https://hr.corp.example/g/1",
    "object": {
        "id": "https://hr.corp.example/o/1", "type": "Note", "attributedTo": "https://hr.corp.example/u/1",
        "content": "x", "contentMap": {"en": "x"}, "source": {"content": "x", "mediaType": "text/plain"},
        "summary": "cw", "sensitive": True, "inReplyTo": "https://hr.corp.example/o/0", "nonce": "n",
        "scope": "company",
        "tag": [{"type": "Hashtag", "name": "#hr"}, {"type": "Mention", "href": "https://hr.corp.example/u/2"},
                {"type": "Emoji", "id": "https://hr.corp.example/e/1", "icon": {"type": "Image"}}],
        "attachment": [{"type": "Document", "url": "https://hr.corp.example/m/1", "blurhash": "b", "focalPoint": [0,
        0]}],
        "context": "https://hr.corp.example/t/1", "conversation": "https://hr.corp.example/t/1", "votersCount": 3,
        "replies": "https://hr.corp.example/o/1/replies", "quote": "https://hr.corp.example/o/2",
        "quoteUrl": "https://hr.corp.example/o/2", "quoteUri": "https://hr.corp.example/o/2", "directMessage": False,
        "_misskey_quote": "https://hr.corp.example/o/2", "quoteAuthorization": "https://hr.corp.example/s/1",
        "interactionPolicy": {"canQuote": {"automaticApproval": [PUBLIC], "manualApproval": []}}, "locked": True,
        "proxyOf": "https://x.example/o/1",
    },
    "entry": {"type": "Entry", "seq": 1, "epoch": "e", "prevDigest": "", "objectActor": "https://hr.corp.example/u/1",
              "objectType": "Add", "digestMultibase": "z"},
    "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
              "verificationMethod": "https://hr.corp.example/u/1#ed25519-key", "created": "2026-01-01T00:00:00Z",
              "proofValue": "z1"},
}  # fmt: skip
COLLECTION = {
    "id": "https://hr.corp.example/o/1/replies", "type": "OrderedCollection", "totalItems": 2,
    "first": "https://hr.corp.example/x",
    "repliesOf": "https://hr.corp.example/o/1", "contextHistory": "https://hr.corp.example/h", "locked": True,
    "head": {"type": "Entry", "seq": 1}, "orderedItems": [{"type": "Delivery", "seq": 7, "body": {"type": "Like"}}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("context", "doc"),
    [
        (vocabulary.ACTOR_CONTEXT, ACTOR),
        (vocabulary.GROUP_CONTEXT, GROUP),
        (vocabulary.object_context(NOTE), NOTE),
        (vocabulary.COLLECTION_CONTEXT, COLLECTION),
        (vocabulary.ENTRY_CONTEXT, NOTE["entry"]),
    ],
    ids=["actor", "group", "note", "collection", "entry"],
)
def test_every_term_that_we_send_is_defined(context: list[Any], doc: dict[str, Any]) -> None:
    sent = {"@context": context, **doc}
    assert undefined_terms(sent) == []
    assert is_plain(sent)


def test_an_undefined_term_is_found() -> None:
    doc = {"@context": vocabulary.AS, "type": "Oops", "oops": 1, "object": {"type": "Note", "worse": 2}}
    assert undefined_terms(doc) == ["_:Oops", "_:oops", "_:worse"]


@given(anything)
def test_accessors_bear_with_anything(value: Any) -> None:
    doc = {"type": value}
    assert isinstance(as_list(value), list)
    assert isinstance(value_or_id(value), str | None)
    assert isinstance(first_string(value), str | None)
    assert all(isinstance(item, str) for item in (*ids_of(value), *types_of(doc), *types_of(value)))
    assert is_public(value) in (True, False)
    assert parse_time(value) is None


def test_shapes_of_a_reference() -> None:
    uri = "https://x.example/1"
    for value in (uri, {"id": uri}, [uri], [{"id": uri}], {"type": "Link", "href": uri}):
        assert value_or_id(value) == uri
    for nothing in (None, [], {}, "", 7, [uri, uri], {"href": uri}):
        assert value_or_id(nothing) is None


def test_public_has_one_spelling_when_read() -> None:
    assert ids_of(["as:Public", "Public", PUBLIC, None, {"id": "https://x.example/1"}]) == (
        PUBLIC,
        "https://x.example/1",
    )
    assert ids_of("as:Public") == (PUBLIC,)
    assert is_public("as:Public")
    assert not is_public("https://x.example/#Public")


def test_types_lose_the_prefix() -> None:
    assert types_of({"type": ["as:Note", f"{vocabulary.AS}#Page", 3]}) == ("Note", "Page")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01Z", 1),
        ("1970-01-01T02:00:00.5+02:00", 0.5),
        ("1970-01-01t00:00:01z", 1),
        ("1970-01-01T00:01", 60),
        ("1970-01-01T00:00:00.123456789Z", 0.123456),
    ],
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert parse_time(text) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "1970-01-01", "1970-W01-1T00:00", "1970-13-01T00:00", "0001-01-01T00:00+23:00", 5]
)
def test_other_times_are_none(text: Any) -> None:
    assert parse_time(text) is None


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_round_trip(at: datetime) -> None:
    assert parse_time(format_time(at)) == at.replace(microsecond=0)
    assert parse_time(format_time(at, ms=True)) == at.replace(microsecond=at.microsecond // 1000 * 1000)
