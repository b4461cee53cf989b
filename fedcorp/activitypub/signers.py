"""Who signed a request: parses, checks and verifies its HTTP signature against the key that its owner publishes.

The peer policy comes first: for a host that may not federate nothing is looked up and nothing is fetched. What the
signer may do with the request is decided by whoever asked.

Sources: draft-cavage-12 as deployed, RFC 9421, FEP-fe34.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from fedcorp.activitypub import discovery, signatures
from fedcorp.activitypub.documents import domain_of
from fedcorp.activitypub.resolve import Resolver
from fedcorp.activitypub.signatures import ParsedSignature
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.errors import BadRequest, FedcorpError, Unauthorized, Unavailable
from fedcorp.keys import load_public
from fedcorp.social import accounts
from fedcorp.social.accounts import Key
from fedcorp.storage.database import Database, Tx

FETCH_RETRY_SECONDS = 5
REST_SECONDS = 0.002  # shorter rests are not worth a timer
ATTENTION_SECONDS = 0.2  # after a request of a person, who may send another
_READS_KEYS_UNSIGNED = re.compile(r"NodeBB/\S+ \((https?://[^\s()]+)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came: `target` is the raw path with query, `headers` have lower-case names, GET has no body."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A host that may federate asks, as the signature says: not yet checked. `key` is None when it is not known."""

    parsed: ParsedSignature
    domain: str
    tier: str
    key: Key | None


@dataclass(frozen=True, slots=True)
class Signer:
    """The actor whose key signed a request, and what its server is to us. `signed_at` is by the signer's clock."""

    actor_uri: str
    domain: str
    tier: str
    signed_at: datetime


class Signers:
    """Finds out who signed."""

    def __init__(self, db: Database, resolver: Resolver, clock: Clock) -> None:
        self._db = db
        self._resolver = resolver
        self._clock = clock
        self._lock = asyncio.Lock()
        self._worked = 0.0  # seconds of turns since the last rest
        self._attends_until = 0.0
        self._fetches = db.site.config.limits.key_fetches
        self._fetching: Counter[str] = Counter()

    def attend(self) -> None:
        """Somebody's app asks for something: for a moment, other servers do not get all of the time."""
        self._attends_until = self._clock.monotonic() + ATTENTION_SECONDS

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Inside, one request of another server uses the processor, and waits for nothing.

        Everybody else is served between two turns, and while people are there, rests see to it that all turns together
        take half of the time.
        """
        async with self._lock:
            began = self._clock.monotonic()
            if began >= self._attends_until:
                self._worked = 0.0
            rest = self._worked if self._worked >= REST_SECONDS else 0.0
            await self._clock.sleep(rest)
            self._worked -= rest
            began = self._clock.monotonic()
            try:
                yield
            finally:
                self._worked += self._clock.monotonic() - began

    @staticmethod
    def claimed(request: SignedRequest) -> tuple[ParsedSignature, str]:
        """(signature, domain) as a request says; nothing is looked up. Raises Unauthorized when it cannot be read."""
        parsed = signatures.parse(request.headers)
        try:
            return parsed, domain_of(parsed.key_id)
        except BadRequest as error:
            raise Unauthorized("The key id of the signature is not a URL.", parsed.key_id) from error

    async def reader_of_keys(self, headers: Mapping[str, str]) -> str | None:
        """The domain that asks unsigned, as it says, where it is a peer that reads keys in no other way (NodeBB).
        A word without proof, so it must open nothing but a key; others learn nothing by it.
        """
        said = _READS_KEYS_UNSIGNED.match(headers.get("user-agent", ""))
        if said is None or "signature" in headers:
            return None
        try:
            domain = domain_of(said[1])
        except BadRequest:
            return None
        return domain if await self._db.read(discovery.reads_keys_unsigned, domain) else None

    async def admit(self, parsed: ParsedSignature, domain: str) -> Admitted:
        """Let a host in that may federate; nothing is fetched. Raises Forbidden for one that is no peer."""
        tier, key = await self._db.glance(_admit, domain, parsed.key_id)
        return Admitted(parsed, domain, tier, key)

    async def verify(self, request: SignedRequest, parsed: ParsedSignature, key: Key | None) -> tuple[Key, datetime]:
        """(key, time of signing) when the signature holds; an unknown key is fetched, a stale one once more.

        Raises Unauthorized, Unavailable when the key cannot be fetched now, Gone when its owner was deleted.
        """
        async with self.turn():
            signed_at = signatures.check(
                parsed, method=request.method, headers=request.headers, body=request.body, now=self._clock.now()
            )
            if key is not None and self._holds(request, parsed, key):
                return key, signed_at
        async with self._fetching_for(domain_of(parsed.key_id)):
            if key is None:
                found = await self._resolver.key(parsed.key_id)
            elif self._resolver.may_refetch(key.account_uri):
                found = await self._refetched(parsed.key_id)
            else:
                raise Unauthorized("The signature does not hold.")
        if not self._holds(request, parsed, found):
            raise Unauthorized("The signature does not hold.")
        return found, signed_at

    async def _refetched(self, key_id: str) -> Key:
        try:
            return await self._resolver.key(key_id, fresh=True)
        except FedcorpError as error:
            raise Unauthorized("The signature does not hold.", f"refetching the key: {error.text}") from error

    @asynccontextmanager
    async def _fetching_for(self, domain: str) -> AsyncIterator[None]:
        """Inside, a key is asked for: a bounded number at once, so that a host that is slow holds up its own requests.

        Raises Unavailable.
        """
        if self._fetching.total() >= self._fetches or self._fetching[domain] >= max(1, self._fetches // 2):
            raise Unavailable("Too many keys are being fetched; send it again.", retry_after=FETCH_RETRY_SECONDS)
        self._fetching[domain] += 1
        try:
            yield
        finally:
            self._fetching[domain] -= 1
            if not self._fetching[domain]:
                del self._fetching[domain]

    def _holds(self, request: SignedRequest, parsed: ParsedSignature, key: Key) -> bool:
        return signatures.verify(
            parsed, load_public(key.public), method=request.method, target=request.target,
            origin=self._db.site.urls.origin, headers=request.headers,
        )  # fmt: skip

    async def identify(self, request: SignedRequest, admitted: Admitted) -> Signer:
        """Who asks for a document. Raises as `verify`."""
        found, signed_at = await self.verify(request, admitted.parsed, admitted.key)
        return Signer(found.account_uri, admitted.domain, admitted.tier, signed_at)


def _admit(tx: Tx, domain: str, key_id: str) -> tuple[str, Key | None]:
    tier = peers.check_tier(tx, domain)
    key = accounts.find_request_key(tx, key_id)
    return tier, key
