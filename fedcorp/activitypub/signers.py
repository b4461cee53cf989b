"""Who signed a request: parses, checks and verifies its HTTP signature against the key that its owner publishes.

The peer policy comes first: for a host that may not federate nothing is looked up and nothing is fetched. What the
signer may do with the request is decided by whoever asked.

Sources: draft-cavage-12 as deployed, RFC 9421, FEP-fe34.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fedcorp.activitypub import signatures
from fedcorp.activitypub.documents import domain_of
from fedcorp.activitypub.resolve import Resolver
from fedcorp.activitypub.signatures import ParsedSignature
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.errors import BadRequest, FedcorpError, Unauthorized
from fedcorp.keys import load_public
from fedcorp.social import accounts
from fedcorp.social.accounts import Key
from fedcorp.storage.database import Database, Tx


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came: `target` is the raw path with query, `headers` have lower-case names, GET has no body."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


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

    async def admit(self, request: SignedRequest) -> tuple[ParsedSignature, str, str, Key | None]:
        """(signature, domain, tier, key if known) of a request from a host that may federate.

        Raises Unauthorized without a readable signature, Forbidden for a host that is no peer. Nothing is fetched.
        """
        parsed = signatures.parse(request.headers)
        try:
            domain = domain_of(parsed.key_id)
        except BadRequest as error:
            raise Unauthorized("The key id of the signature is not a URL.", parsed.key_id) from error
        tier, key = await self._db.read(_admit, domain, parsed.key_id)
        return parsed, domain, tier, key

    async def verify(self, request: SignedRequest, parsed: ParsedSignature, key: Key | None) -> tuple[Key, datetime]:
        """(key, time of signing) when the signature holds; an unknown key is fetched, a stale one once more.

        Raises Unauthorized, Unavailable when the key cannot be fetched now, Gone when its owner was deleted.
        """
        signed_at = signatures.check(
            parsed, method=request.method, headers=request.headers, body=request.body, now=self._clock.now()
        )
        cached = key is not None
        found = key or await self._resolver.key(parsed.key_id)
        if not self._holds(request, parsed, found):
            if not cached or not self._resolver.may_refetch(found.account_uri):
                raise Unauthorized("The signature does not hold.")
            found = await self._refetched(parsed.key_id)
            if not self._holds(request, parsed, found):
                raise Unauthorized("The signature does not hold.")
        return found, signed_at

    async def _refetched(self, key_id: str) -> Key:
        try:
            return await self._resolver.key(key_id, fresh=True)
        except FedcorpError as error:
            raise Unauthorized("The signature does not hold.", f"refetching the key: {error.text}") from error

    def _holds(self, request: SignedRequest, parsed: ParsedSignature, key: Key) -> bool:
        return signatures.verify(
            parsed, load_public(key.public), method=request.method, target=request.target,
            origin=self._db.site.urls.origin, headers=request.headers,
        )  # fmt: skip

    async def identify(self, request: SignedRequest) -> Signer:
        """Who asks for a document. Raises as `admit` and `verify`."""
        parsed, domain, tier, key = await self.admit(request)
        found, signed_at = await self.verify(request, parsed, key)
        return Signer(found.account_uri, domain, tier, signed_at)


def _admit(tx: Tx, domain: str, key_id: str) -> tuple[str, Key | None]:
    tier = peers.check_tier(tx, domain)
    key = accounts.find_key(tx, key_id)
    return tier, key
