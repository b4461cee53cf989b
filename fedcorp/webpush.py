"""The cryptography of Web Push: messages that only one app can read, and the server's proof of who sends them.

Pure: takes bytes and gives bytes; knows no HTTP, no database and no notification. Two encodings of a message are
made: `aes128gcm` (RFC 8291), and the earlier draft `aesgcm`, which most apps for Mastodon still ask for.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fedcorp.errors import BadRequest

PrivateKey = ec.EllipticCurvePrivateKey

SALT_BYTES = 16
MAX_MESSAGE = 3993
"""Bytes of plain text: what RFC 8291 section 4 leaves of the 4096 that every push service takes."""
TOKEN_SECONDS = 12 * 3600  # RFC 8292 section 2 allows a day; clocks differ

_CURVE = ec.SECP256R1()
_RECORD = 4096
_POINT_BYTES, _AUTH_BYTES = 65, 16


@dataclass(frozen=True, slots=True)
class Receiver:
    """The keys of a subscription: `point` is an uncompressed point on P-256 (65 bytes), `auth` a secret (16 bytes)."""

    point: bytes
    auth: bytes = field(repr=False)


def generate() -> PrivateKey:
    """A new P-256 key: the server's own (VAPID), or one for a single message."""
    return ec.generate_private_key(_CURVE)


def private_pem(key: PrivateKey) -> str:
    """The unencrypted PKCS8 PEM text of a private key."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@lru_cache(maxsize=64)
def load_private(pem: str) -> PrivateKey:
    """The server's own key as it was stored. Raises ValueError when the text is none."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, PrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("no P-256 key")
    return key


def public_point(key: PrivateKey) -> bytes:
    """The public part of a key as an uncompressed point, 65 bytes."""
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


@lru_cache(maxsize=64)
def server_key(pem: str) -> str:
    """The server's public key as apps are told it: base64url with its padding, as Mastodon writes it."""
    return urlsafe_b64encode(public_point(load_private(pem))).decode()


def read_receiver(p256dh: str, auth: str) -> Receiver:
    """The keys of a subscription from either alphabet of base64, with or without padding. Raises BadRequest."""
    receiver = Receiver(_decoded(p256dh), _decoded(auth))
    if len(receiver.auth) != _AUTH_BYTES:
        raise BadRequest("The parameter subscription[keys][auth] must be 16 bytes in base64.")
    if len(receiver.point) != _POINT_BYTES:
        raise BadRequest("The parameter subscription[keys][p256dh] must be a point on P-256 in base64.")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, receiver.point)
    except ValueError:
        raise BadRequest("The parameter subscription[keys][p256dh] must be a point on P-256 in base64.") from None
    return receiver


def _decoded(text: str) -> bytes:
    """The bytes of a text in base64; none for what is no base64."""
    plain = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    if not plain.isascii() or not plain.replace("-", "").replace("_", "").isalnum():
        return b""
    try:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error:
        return b""


def _plain_base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


# -- messages --------------------------------------------------------------------------------------------------------


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def _shared(receiver: Receiver, sender: PrivateKey) -> bytes:
    return sender.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, receiver.point))


def encrypt(message: bytes, receiver: Receiver, sender: PrivateKey, salt: bytes) -> bytes:
    """The body of a message in `aes128gcm`, header included (RFC 8291 section 3, RFC 8188 section 2): one record.

    `sender` is a key for this message alone, `salt` 16 random bytes. Raises ValueError beyond MAX_MESSAGE.
    """
    _check_size(message)
    point = public_point(sender)
    secret = _hkdf(receiver.auth, _shared(receiver, sender), b"WebPush: info\0" + receiver.point + point, 32)
    key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD.to_bytes(4, "big") + bytes([len(point)]) + point
    return head + AESGCM(key).encrypt(nonce, message + b"\x02", None)  # 2: the last record, without padding


def encrypt_draft(message: bytes, receiver: Receiver, sender: PrivateKey, salt: bytes) -> bytes:
    """The body of a message in `aesgcm` (draft-ietf-webpush-encryption-04, draft-ietf-httpbis-encryption-encoding-03).

    Salt and public key of `sender` do not stand in it: they travel in headers. Arguments as for `encrypt`.
    """
    _check_size(message)
    point = public_point(sender)
    secret = _hkdf(receiver.auth, _shared(receiver, sender), b"Content-Encoding: auth\0", 32)
    context = b"P-256\0" + b"".join(len(each).to_bytes(2, "big") + each for each in (receiver.point, point))
    key = _hkdf(salt, secret, b"Content-Encoding: aesgcm\0" + context, 16)
    nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0" + context, 12)
    return AESGCM(key).encrypt(nonce, b"\0\0" + message, None)  # the length of the padding comes first: none


def _check_size(message: bytes) -> None:
    if len(message) > MAX_MESSAGE:
        raise ValueError("too long for a push message")


# -- who sends it ----------------------------------------------------------------------------------------------------


def token(server: PrivateKey, endpoint: str, contact: str, now: int) -> str:
    """The token that a push service asks for (RFC 8292 section 2): a JWT signed with ES256.

    `contact` is a mailto: or https: URI of whoever runs this server, `now` in ms.
    """
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": now // 1000 + TOKEN_SECONDS, "sub": contact}
    head = _plain_base64url(orjson.dumps({"typ": "JWT", "alg": "ES256"}))
    signed = f"{head}.{_plain_base64url(orjson.dumps(claims))}"
    r, s = decode_dss_signature(server.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_plain_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def sealed(
    message: bytes, receiver: Receiver, server: PrivateKey, *, standard: bool, salt: bytes, proof: str
) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of a message in either encoding; `proof` is the token of `server`. Raises ValueError."""
    sender, own = generate(), _plain_base64url(public_point(server))
    if standard:
        body = encrypt(message, receiver, sender, salt)
        return body, {"Content-Encoding": "aes128gcm", "Authorization": f"vapid t={proof},k={own}"}
    body = encrypt_draft(message, receiver, sender, salt)
    return body, {
        "Content-Encoding": "aesgcm",
        "Encryption": f"salt={_plain_base64url(salt)}",
        "Crypto-Key": f"dh={_plain_base64url(public_point(sender))};p256ecdsa={own}",
        "Authorization": f"WebPush {proof}",
    }
