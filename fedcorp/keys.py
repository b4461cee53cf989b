"""Signing keys: make, store as text, load, sign and verify. Pure: knows no HTTP, no documents, no database.

RSA-2048 (RSASSA-PKCS1-v1_5) is what all ActivityPub servers understand; Ed25519 is for object proofs and RFC 9421.
Text forms: PKCS8 PEM for private keys, SPKI PEM or Multikey (FEP-521a) for public ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from fedcorp.canonical import b58decode, b58encode
from fedcorp.errors import BadRequest

PrivateKey = RSAPrivateKey | Ed25519PrivateKey
PublicKey = RSAPublicKey | Ed25519PublicKey

_ED25519_PREFIX = b"\xed\x01"
_RSA_PREFIX = b"\x85\x24"
_HASHES = {"sha256": hashes.SHA256(), "sha512": hashes.SHA512()}
_PKCS1 = padding.PKCS1v15()
_MAX_TEXT = 8192
# Bounds of what one verification may cost: the time grows with the modulus and with the public exponent.
_RSA_BITS = range(2048, 8193)
_MAX_EXPONENT = 2**32


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The keys of one actor as text: private ones PKCS8 PEM, `rsa_public` SPKI PEM, `ed25519_public` Multikey."""

    rsa_private: str
    rsa_public: str
    ed25519_private: str
    ed25519_public: str


def generate() -> KeyPair:
    """A new RSA-2048 and a new Ed25519 key (about 30 ms of CPU)."""
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ed25519_key = Ed25519PrivateKey.generate()
    return KeyPair(
        rsa_private=private_pem(rsa_key),
        rsa_public=public_pem(rsa_key.public_key()),
        ed25519_private=private_pem(ed25519_key),
        ed25519_public=multikey(ed25519_key.public_key()),
    )


def private_pem(key: PrivateKey) -> str:
    """The unencrypted PKCS8 PEM text of a private key."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_pem(key: PublicKey) -> str:
    """The SPKI PEM text of a public key."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@lru_cache(maxsize=512)
def load_private(pem: str) -> PrivateKey:
    """One of our own stored private keys; ValueError when the text is none.

    Skips the primality checks (30 ms per RSA key), so it must never see a key that somebody else sent.
    """
    key = serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ValueError("neither an RSA nor an Ed25519 key")
    return key


@lru_cache(maxsize=4096)
def load_public(text: str) -> PublicKey:
    """A public key from SPKI PEM or Multikey (`z...`); BadRequest when it is neither, or of a size we do not verify."""
    if len(text) > _MAX_TEXT:
        raise BadRequest("The public key is too long")
    try:
        key = _from_multikey(text) if text.startswith("z") else serialization.load_pem_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadRequest("The public key cannot be read", str(error)) from error
    if isinstance(key, Ed25519PublicKey):
        return key
    if not isinstance(key, RSAPublicKey):
        raise BadRequest("The public key is neither RSA nor Ed25519")
    if key.key_size not in _RSA_BITS or key.public_numbers().e > _MAX_EXPONENT:
        raise BadRequest("The RSA key has a size that is not accepted")
    return key


def _from_multikey(text: str) -> object:
    data = b58decode(text[1:])
    if data[:2] == _ED25519_PREFIX:
        return Ed25519PublicKey.from_public_bytes(data[2:])
    if data[:2] == _RSA_PREFIX:
        return serialization.load_der_public_key(data[2:])
    raise ValueError("unknown multicodec prefix")


def multikey(public: PublicKey) -> str:
    """`publicKeyMultibase` of a public key (FEP-521a): Ed25519 raw bytes or the PKCS#1 DER of an RSA key."""
    if isinstance(public, Ed25519PublicKey):
        return "z" + b58encode(_ED25519_PREFIX + public.public_bytes_raw())
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return "z" + b58encode(_RSA_PREFIX + der)


def sign(private: PrivateKey, data: bytes) -> bytes:
    """The signature of `data`: RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519, as the key says."""
    if isinstance(private, Ed25519PrivateKey):
        return private.sign(data)
    return private.sign(data, _PKCS1, _HASHES["sha256"])


def verify(public: PublicKey, signature: bytes, data: bytes, *, hashes: Sequence[str] = ("sha256",)) -> bool:
    """Whether `signature` over `data` was made with this key. For RSA any of `hashes` (`sha256`, `sha512`) may fit."""
    if isinstance(public, Ed25519PublicKey):
        try:
            public.verify(signature, data)
        except InvalidSignature:
            return False
        return True
    return any(_fits_rsa(public, signature, data, name) for name in hashes)


def _fits_rsa(public: RSAPublicKey, signature: bytes, data: bytes, name: str) -> bool:
    try:
        public.verify(signature, data, _PKCS1, _HASHES[name])
    except InvalidSignature:
        return False
    return True
