"""FEP-8b32 proofs: the published vector, and everything that must break one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fedcorp import keys
from fedcorp.activitypub.proofs import add_proof, proof_of, verify_proof
from fedcorp.canonical import b58decode

pytestmark = pytest.mark.once

PAIR = keys.generate()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY_ID = "https://hr.corp.example/u/ann#ed25519-key"
DOCUMENT: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"],
    "id": "https://server.example/activities/1",
    "type": "Create",
    "actor": "https://server.example/users/alice",
    "object": {
        "id": "https://server.example/objects/1",
        "type": "Note",
        "attributedTo": "https://server.example/users/alice",
        "content": "Hello world",
        "location": {"type": "Place", "longitude": -71.184902, "latitude": 25.273962},
    },
}


def proved(document: dict[str, Any] = DOCUMENT) -> dict[str, Any]:
    return add_proof(document, key_id=KEY_ID, private=keys.load_private(PAIR.ed25519_private), created=NOW)


def holds(document: dict[str, Any], public: str = PAIR.ed25519_public, now: datetime = NOW) -> bool:
    proof = proof_of(document)
    return proof is not None and verify_proof(document, proof, keys.load_public(public), now)


def test_the_published_vector() -> None:
    secret = b58decode("3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq")
    assert secret[:2] == b"\x80\x26"
    private = Ed25519PrivateKey.from_private_bytes(secret[2:])
    document = add_proof(
        DOCUMENT,
        key_id="https://server.example/users/alice#ed25519-key",
        private=private,
        created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
    )
    assert document["proof"]["proofValue"] == (
        "z42ffGu6AUKPCFcFPiabmUvnGLPJzC7e4DGWC52NUasSSH37UMa9c58tdgVszUcZfytxa4fQ5TYHaJENCxUDe9SdL"
    )
    assert holds(document, keys.multikey(private.public_key()))


def test_a_later_linked_data_signature_does_not_matter() -> None:
    assert holds({**proved(), "signature": {"type": "RsaSignature2017"}})


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "https://server.example/users/mallory"},
        {"to": ["https://www.w3.org/ns/activitystreams#Public"]},
        {"object": {**DOCUMENT["object"], "content": "Goodbye"}},
        {"@context": "https://www.w3.org/ns/activitystreams"},
        {"id": "\ud800"},
    ],
)
def test_a_changed_document_does_not_hold(change: dict[str, Any]) -> None:
    assert not holds({**proved(), **change})


@pytest.mark.parametrize(
    "change",
    [
        {"created": "2026-01-02T00:00:00Z"},
        {"proofPurpose": "authentication"},
        {"cryptosuite": "eddsa-rdfc-2022"},
        {"type": "Other"},
        {"proofValue": "z"},
        {"proofValue": "not multibase"},
        {"proofValue": 7},
        {"expires": "never"},
        {"@context": ["https://evil.example"]},
    ],
)
def test_a_changed_proof_does_not_hold(change: dict[str, Any]) -> None:
    document = proved()
    assert not holds({**document, "proof": {**document["proof"], **change}})


def test_an_expired_proof_does_not_hold() -> None:
    document = proved()
    proof = proof_of(document)
    assert proof is not None
    late = {**document, "proof": {**document["proof"], "expires": "2025-12-31T00:00:00Z"}}
    assert not holds(late, now=NOW + timedelta(days=1))


def test_another_key_does_not_hold() -> None:
    assert not holds(proved(), keys.generate().ed25519_public)


@given(st.dictionaries(st.text(max_size=20), st.recursive(st.none() | st.integers() | st.text(), st.lists)))
def test_any_document_keeps_its_proof(extra: dict[str, Any]) -> None:
    extra = {name: value for name, value in extra.items() if name not in ("proof", "signature", "@context")}
    try:
        document = proved({**DOCUMENT, **extra})
    except ValueError:
        return  # not a document that JCS can write (a lone surrogate, a number beyond doubles)
    assert holds(document)
