"""Slows down who asks too often: token buckets in memory, one for each person, address and kind of request.

Each process counts for itself. The limits stand in the configuration and can be switched off there. A bucket belongs to
a token when there is one; tokens that turn out wrong are charged to the address that sent them.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fedcorp.clock import Clock, from_ms
from fedcorp.config import Config
from fedcorp.errors import TooManyRequests
from fedcorp.web.problems import UNAUTHORIZED

BUCKETS = 20_000
_UNLIMITED = (
    "/inbox",
    "/u/",
    "/g/",
    "/o/",
    "/a/",
    "/actor",
    "/.well-known/",
    "/nodeinfo",
    "/media/",
    "/avatars/",
    "/headers/",
)
_JOIN = re.compile(r"/@[^/]+/join/")  # the page behind the link of a group signs people in too
_LOGIN = ("/oauth/authorize", "/oauth/token", "/login", "/sign-in")


@dataclass(slots=True)
class Bucket:
    """`level` requests are left, as of `at` (ms)."""

    level: float
    at: int


class Buckets:
    """Bounded: of the two generations the older is dropped when the younger is full."""

    def __init__(self, clock: Clock, window_seconds: int) -> None:
        self._clock = clock
        self._window = window_seconds * 1000
        self._young: dict[str, Bucket] = {}
        self._old: dict[str, Bucket] = {}

    def take(self, key: str, limit: int, amount: int = 1) -> Bucket:
        """Take from the bucket of `key`; its level below zero says that the limit is passed (nothing is taken then)."""
        now = self._clock.ms()
        bucket = self._young.get(key) or self._old.get(key) or Bucket(limit, now)
        bucket.level = min(limit, bucket.level + max(0, now - bucket.at) * limit / self._window)
        bucket.at = now
        if len(self._young) >= BUCKETS:
            self._old, self._young = self._young, {}
        self._young[key] = bucket
        if bucket.level < amount:
            return Bucket(-1, now)
        bucket.level -= amount
        return bucket

    def level(self, key: str, limit: int) -> float:
        """What the bucket of `key` holds now; nothing is taken, and one that was never used is full."""
        bucket = self._young.get(key) or self._old.get(key)
        if bucket is None:
            return limit
        return min(limit, bucket.level + max(0, self._clock.ms() - bucket.at) * limit / self._window)

    def seconds_until_free(self, key: str, limit: int) -> int:
        """When the next request of this bucket will pass."""
        bucket = self._young.get(key)
        missing = 1 - bucket.level if bucket else 0
        return max(1, int(missing * self._window / limit / 1000) + 1)


class Rate:
    """Pure ASGI: raises TooManyRequests, and tells on every answer what is left."""

    def __init__(self, app: ASGIApp, config: Config, clock: Clock) -> None:
        self._app = app
        self._limits = config.limits
        self._clock = clock
        self._wrong_limit = config.limits.logins * 5
        self._buckets = Buckets(clock, config.limits.window_seconds)
        self._proxies = networks(config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._limits.enabled or scope["path"].startswith(_UNLIMITED):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        address = client_address(connection, self._proxies)
        kind, limit = self._kind(scope)
        token = next((value for name, value in scope["headers"] if name == b"authorization" and value), None)
        token = token or (connection.query_params.get("access_token") if scope["query_string"] else None)
        key = f"{kind} {hash(token)}" if token and kind != "login" else f"{kind} {address}"
        if self._buckets.take(f"wrong {address}", self._wrong_limit, 0).level < 1:
            raise TooManyRequests("Too many wrong tokens; slow down.", retry_after=self._limits.window_seconds)
        level = self._check(key, limit)
        reset = (self._clock.ms() + int((limit - level) * self._limits.window_seconds * 1000 / limit)) // 1000

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-ratelimit-limit", b"%d" % limit),
                    (b"x-ratelimit-remaining", b"%d" % level),
                    (b"x-ratelimit-reset", _time(reset)),
                ]
                if token and message["status"] == UNAUTHORIZED:
                    self._buckets.take(f"wrong {address}", self._wrong_limit)
            await send(message)

        await self._app(scope, receive, marked)

    def _kind(self, scope: Scope) -> tuple[str, int]:
        path = scope["path"].rstrip("/")
        if scope["method"] == "POST" and (path.startswith(_LOGIN) or _JOIN.match(path)):
            return "login", self._limits.logins
        if scope["method"] == "POST" and path in ("/api/v1/statuses", "/api/v1/media", "/api/v2/media"):
            return "post", self._limits.posts
        return "api", self._limits.api_requests

    def _check(self, key: str, limit: int) -> float:
        bucket = self._buckets.take(key, limit)
        if bucket.level < 0:
            wait = self._buckets.seconds_until_free(key, limit)
            raise TooManyRequests("Too many requests; slow down.", f"bucket {key.split()[0]}", retry_after=wait)
        return bucket.level


@lru_cache(maxsize=1000)
def _time(second: int) -> bytes:
    return from_ms(second * 1000).isoformat(timespec="seconds").encode()[:19] + b".000Z"


Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


@lru_cache(maxsize=32)
def _parsed(texts: tuple[str, ...]) -> Networks:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def networks(config: Config) -> Networks:
    """Where proxies stand whose word on addresses counts."""
    return _parsed(config.server.trusted_proxies)


def client_address(connection: HTTPConnection, proxies: Networks) -> str:
    """The address that asks. X-Forwarded-For counts only as far as trusted proxies wrote it: from right to left."""
    address = connection.client.host if connection.client else "unknown"
    if not proxies:
        return address
    hops = [hop.strip() for hop in connection.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    while hops and _is_in(address, proxies):
        address = hops.pop()
    return address


def _is_in(address: str, networks: Networks) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
