"""Keys: text forms, Multikey vectors, signatures."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fedcorp import keys
from fedcorp.canonical import b58encode, sha256
from fedcorp.errors import BadRequest

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def pair() -> keys.KeyPair:
    return keys.generate()


def test_multikey_of_fep_521a() -> None:
    raw = bytes.fromhex("2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6")
    key = Ed25519PublicKey.from_public_bytes(raw)
    assert keys.multikey(key) == "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    assert keys.load_public("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK") == key


def test_multikey_of_a_known_seed() -> None:
    private = Ed25519PrivateKey.from_private_bytes(sha256(b"fedcorp test key 1"))
    assert keys.multikey(private.public_key()) == "z6Mkms6UfSe8VAKjDxMJJxD2uqoHcq2BSRJhC9xgCTwgW11M"


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_generated_keys_sign_and_verify(pair: keys.KeyPair, kind: str) -> None:
    private = keys.load_private(getattr(pair, f"{kind}_private"))
    public = keys.load_public(getattr(pair, f"{kind}_public"))
    signature = keys.sign(private, b"data")
    assert keys.verify(public, signature, b"data")
    assert not keys.verify(public, signature, b"other")
    assert not keys.verify(public, b"", b"data")


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_both_public_forms_name_the_same_key(pair: keys.KeyPair, kind: str) -> None:
    public = keys.load_public(getattr(pair, f"{kind}_public"))
    assert keys.load_public(keys.multikey(public)) == public
    assert keys.load_public(keys.public_pem(public)) == public


def test_sha512_is_only_accepted_on_request(pair: keys.KeyPair) -> None:
    private = keys.load_private(pair.rsa_private)
    assert isinstance(private, RSAPrivateKey)
    signature = private.sign(b"data", padding.PKCS1v15(), hashes.SHA512())
    assert not keys.verify(private.public_key(), signature, b"data")
    assert keys.verify(private.public_key(), signature, b"data", hashes=("sha256", "sha512"))


def test_weak_and_foreign_keys_are_refused() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    curve_pem = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    short = "z" + b58encode(b"\xed\x01" + bytes(31))
    weak_pem = keys.public_pem(weak)
    for text in (weak_pem, curve_pem, short, "z", "", "z0", "z6Mk\u00e9", "nonsense", "z" * 9000, "\ud800"):
        with pytest.raises(BadRequest):
            keys.load_public(text)


def test_a_stored_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        keys.load_private("nonsense")
