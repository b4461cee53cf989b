"""The other end of push notifications: a push service on loopback, over TLS, and devices that read what it takes.

Devices check and decrypt with code of their own, written from the receiver's side of the specifications.
"""

import asyncio
import json
import re
import ssl
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.live.authority import Authority
from tests.net.sink import Line, serve

CURVE = ec.SECP256R1()


def decoded(text: str) -> bytes:
    """base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class Taken:
    """One message as it arrived at the service: header names are lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Service:
    """What a push service took. `answers` are the statuses that it gives next; 201 when there are none. Paths that are
    `silent` are never answered. `news` is set when something came."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @property
    def domain(self) -> str:
        return f"push.localhost:{self.port}"

    @property
    def origin(self) -> str:
        return f"https://{self.domain}"

    async def talk(self, line: Line) -> None:
        while True:
            head, _, body = (await line.request()).partition(b"\r\n\r\n")
            first, *others = head.decode().split("\r\n")
            method, path, _ = first.split(" ")
            assert method == "POST"
            headers = {name.lower(): value for name, _, value in (other.partition(": ") for other in others)}
            self.taken.append(Taken(path, headers, body))
            self.news.set()
            if path in self.silent:
                await asyncio.Event().wait()
            status = self.answers.pop(0) if self.answers else 201
            await line.send(b"HTTP/1.1 %d Answer\r\nContent-Length: 0\r\n\r\n" % status)


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[Service]:
    """A push service with a certificate of its own; `context` trusts it."""
    authority = Authority(folder)
    certificate, key = authority.certify(folder, "push.localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    made = Service(context=authority.context())
    async with serve(made.talk, tls) as sink:
        made.port = sink.port
        yield made


# -- devices ---------------------------------------------------------------------------------------------------------


def _extract(salt: bytes, secret: bytes) -> bytes:
    mac = HMAC(salt, hashes.SHA256())
    mac.update(secret)
    return mac.finalize()


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


class Device:
    """An app on a device: its keys, its endpoint at a service, and what came there for it."""

    def __init__(
        self, at: Service, path: str = "/wake/me", private: str | None = None, auth: bytes = b"a" * 16
    ) -> None:
        self.service, self.path, self.auth = at, path, auth
        number = int.from_bytes(decoded(private), "big") if private else None
        self.key = ec.generate_private_key(CURVE) if number is None else ec.derive_private_key(number, CURVE)
        self.point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.endpoint = f"{at.origin}{path}"

    def subscription(self, **more: Any) -> dict[str, Any]:
        """What an app hands in."""
        return {
            "endpoint": self.endpoint, "keys": {"p256dh": encoded(self.point), "auth": encoded(self.auth)}, **more,
        }  # fmt: skip

    def received(self, server_key: str, contact: str = "http://finance.localhost") -> list[dict[str, Any]]:
        """What arrived, decrypted, oldest first; who sent it was proven with this key of the server."""
        mine = [message for message in self.service.taken if message.path == self.path]
        return [json.loads(self.open(message, decoded(server_key.rstrip("=")), contact)) for message in mine]

    def open(self, message: Taken, server: bytes, contact: str) -> bytes:
        headers = message.headers
        assert int(headers["ttl"]) > 0
        assert headers["content-type"] == "application/octet-stream"
        kind, _, proof = headers["authorization"].partition(" ")
        if headers["content-encoding"] == "aes128gcm":
            assert kind == "vapid"
            parts = dict(part.strip().split("=", 1) for part in proof.split(","))
            check_token(parts["t"], decoded(parts["k"]), self.service.origin, contact)
            assert decoded(parts["k"]) == server
            return self.decrypt(message.body)
        assert headers["content-encoding"] == "aesgcm"
        assert kind == "WebPush"
        keys = dict(part.split("=", 1) for part in headers["crypto-key"].split(";"))
        assert decoded(keys["p256ecdsa"]) == server
        check_token(proof, server, self.service.origin, contact)
        salt = re.fullmatch(r"salt=([\w-]{22})", headers["encryption"])
        assert salt is not None
        return self.decrypt_draft(message.body, decoded(keys["dh"]), decoded(salt[1]))

    def _shared(self, point: bytes) -> bytes:
        return self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point))

    def decrypt(self, body: bytes) -> bytes:
        """RFC 8291 section 3.4 and RFC 8188 section 2, for a single record."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        point, record = body[21 : 21 + length], body[21 + length :]
        assert len(body) <= 4096
        assert len(record) <= size
        secret = _expand(_extract(self.auth, self._shared(point)), b"WebPush: info\x00" + self.point + point, 32)
        pseudo = _extract(salt, secret)
        key = _expand(pseudo, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _expand(pseudo, b"Content-Encoding: nonce\x00", 12)
        padded = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\x00")
        assert padded[-1:] == b"\x02"
        return padded[:-1]

    def decrypt_draft(self, body: bytes, point: bytes, salt: bytes) -> bytes:
        """draft-ietf-webpush-encryption-04 section 4."""
        secret = _expand(_extract(self.auth, self._shared(point)), b"Content-Encoding: auth\x00", 32)
        pseudo = _extract(salt, secret)
        context = b"P-256\x00\x00\x41" + self.point + b"\x00\x41" + point
        key = _expand(pseudo, b"Content-Encoding: aesgcm\x00" + context, 16)
        nonce = _expand(pseudo, b"Content-Encoding: nonce\x00" + context, 12)
        padded = AESGCM(key).decrypt(nonce, body, None)
        return padded[2 + int.from_bytes(padded[:2], "big") :]


def check_token(token: str, server: bytes, audience: str, contact: str) -> dict[str, Any]:
    """RFC 8292 section 2: the claims, once the signature holds."""
    head, claims, signature = token.split(".")
    raw = decoded(signature)
    assert len(raw) == 64
    rs = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, server)
    public.verify(rs, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(decoded(head)) == {"typ": "JWT", "alg": "ES256"}
    found: dict[str, Any] = json.loads(decoded(claims))
    assert (found["aud"], found["sub"]) == (audience, contact)
    return found
