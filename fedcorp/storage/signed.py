"""URLs that expire: a path with an end and a proof that we chose both.

Pure: knows no files and no clock. Whoever holds such a URL may use it until it ends; it says nothing about who asks.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

WINDOW_MS = 6 * 3600 * 1000
"""Length of the windows in which equal paths get equal URLs."""

_QUERY = re.compile(r"exp=(?P<exp>[0-9]{1,16})&sig=(?P<sig>[A-Za-z0-9_-]{43})")


def _signature(secret: bytes, path: str, expires_at: int) -> str:
    if not secret:
        raise ValueError("signing needs a secret")
    message = f"fedcorp-media\n{expires_at}\n{path}".encode()
    return urlsafe_b64encode(hmac.new(secret, message, hashlib.sha256).digest()).rstrip(b"=").decode()


def sign(secret: bytes, path: str, expires_at: int) -> str:
    """The query string, without `?`, that opens `path` before `expires_at` (ms): HMAC-SHA256 (RFC 2104), base64url."""
    return f"exp={expires_at}&sig={_signature(secret, path, expires_at)}"


def check(secret: bytes, path: str, query: str, now: int) -> bool:
    """Whether `query` opens `path` at `now` (ms). Constant in time as to the signature; anything odd is False."""
    match = _QUERY.fullmatch(query)
    if match is None:
        return False
    expires_at = int(match["exp"])
    genuine = hmac.compare_digest(match["sig"], _signature(secret, path, expires_at))
    return genuine and now < expires_at and match["exp"] == str(expires_at)


def expiring(secret: bytes, path: str, now_ms: int, window_ms: int = WINDOW_MS) -> str:
    """`path` with `?exp=..&sig=..`, valid for one to two windows from `now_ms`.

    The end is rounded to a window, so that equal requests within one get equal URLs and clients can cache.
    """
    expires_at = (now_ms // window_ms + 2) * window_ms
    return f"{path}?{sign(secret, path, expires_at)}"
