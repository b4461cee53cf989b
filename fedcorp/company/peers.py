"""The servers that this department knows, and what each may get. Each side decides for itself.

An admin adds a peer with a tier. In closed mode nobody else exists: nothing is taken from an unknown host and no
request is sent to it. In open mode an unknown host has the tier `unknown` and gets only what is public.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import sqlalchemy as sa

from fedcorp.errors import ConfigError, Conflict, Forbidden, NotFound
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import audit, deliveries, peers
from fedcorp.storage.upsert import insert_ignore


@dataclass(slots=True)
class Peer:
    """One row of `peers`; times in milliseconds since the epoch."""

    domain: str
    tier: str
    origin: str | None
    shared_inbox: str | None
    software: str | None
    version: str | None
    dialect: str | None
    signature_profile: str | None
    learned_at: int | None
    added_at: int
    removed_at: int | None
    fail_count: int
    next_attempt_at: int | None
    last_success_at: int | None
    last_inbound_at: int | None
    last_error: str | None
    clock_skew_ms: int | None
    next_seq: int
    cursor: int
    lease_token: str | None
    lease_until_at: int | None

    @property
    def queued(self) -> int:
        """Entries of the ordered log that are not settled yet."""
        return self.next_seq - 1 - self.cursor


_COLUMNS = [peers.c[item.name] for item in fields(Peer)]
_BY_DOMAIN = sa.select(*_COLUMNS).where(peers.c.domain == sa.bindparam("domain"))
_BY_DOMAINS = sa.select(*_COLUMNS).where(peers.c.domain.in_(sa.bindparam("domains", expanding=True)))
_ALL = sa.select(*_COLUMNS).where(peers.c.removed_at.is_(None)).order_by(peers.c.domain)

_NEXT = (  # the log of a peer has no gaps: what waits longest stands behind the cursor
    sa.select(peers.c.domain, deliveries.c.created_at)
    .join(deliveries, sa.and_(deliveries.c.domain == peers.c.domain, deliveries.c.seq == peers.c.cursor + 1))
    .where(peers.c.removed_at.is_(None))
)


def find(tx: Tx, domain: str) -> Peer | None:
    """The peer of that domain, unless it was removed."""
    row = tx.conn.execute(_BY_DOMAIN, {"domain": domain}).first()
    peer = Peer(*row) if row else None
    return peer if peer and peer.removed_at is None else None


def find_tier(tx: Tx, domain: str) -> str | None:
    """`department`, `partner`, `unknown` (open mode), or None: this host may not federate with us."""
    row = tx.conn.execute(_BY_DOMAIN, {"domain": domain}).first()
    return _tier(tx, Peer(*row) if row else None)


def find_tiers(tx: Tx, domains: Iterable[str]) -> dict[str, str | None]:
    """`find_tier` of many domains."""
    wanted = sorted(set(domains))
    found = {row[0]: Peer(*row) for row in tx.conn.execute(_BY_DOMAINS, {"domains": wanted})} if wanted else {}
    return {domain: _tier(tx, found.get(domain)) for domain in wanted}


def _tier(tx: Tx, peer: Peer | None) -> str | None:
    if peer is None:
        return None if tx.site.config.closed else "unknown"
    return peer.tier if peer.removed_at is None else None


def find_many(tx: Tx, domains: Iterable[str]) -> dict[str, Peer]:
    """The peers of those domains that are known and were not removed."""
    wanted = sorted(set(domains))
    found = (Peer(*row) for row in tx.conn.execute(_BY_DOMAINS, {"domains": wanted})) if wanted else ()
    return {peer.domain: peer for peer in found if peer.removed_at is None}


def check_tier(tx: Tx, domain: str) -> str:
    """The tier of a host that may federate. Raises Forbidden for others."""
    tier = find_tier(tx, domain)
    if tier is None:
        raise Forbidden(f"{domain} is not a peer of this server.")
    return tier


def listing(tx: Tx) -> list[Peer]:
    """All peers, by domain."""
    return [Peer(*row) for row in tx.conn.execute(_ALL)]


def lags(tx: Tx) -> dict[str, int]:
    """For how long (ms) the oldest undelivered entry of each peer has waited; peers without any are left out."""
    return {domain: max(0, tx.ms - created_at) for domain, created_at in tx.conn.execute(_NEXT)}


def ensure(tx: Tx, domain: str) -> Peer:
    """The row of a peer that may federate; made on first contact in open mode. Raises Forbidden."""
    peer = find(tx, domain)
    if peer is None:
        insert_ignore(tx, peers, domain=domain, tier=check_tier(tx, domain), added_at=tx.ms)
        peer = find(tx, domain)
    assert peer is not None
    return peer


def add(tx: Tx, domain: str, tier: str) -> None:
    """Let a server in as `department` or `partner`, or change its tier. What waits in its log stays."""
    if tier not in ("department", "partner"):
        raise ConfigError(f"a peer's tier is department or partner, not {tier!r}.")
    if domain == tx.site.urls.domain:
        raise Conflict(f"{domain} is this server itself; a peer is another server.")
    insert_ignore(tx, peers, domain=domain, tier=tier, added_at=tx.ms)
    tx.conn.execute(
        sa.update(peers)
        .where(peers.c.domain == domain)
        .values(tier=tier, removed_at=None, fail_count=0, next_attempt_at=None, last_error=None)
    )
    _note(tx, "peer.add", domain, tier)
    jobs.put(tx, "learn_peer", {"domain": domain}, unique_key=f"learn_peer:{domain}")
    tx.wake("deliveries")


def remove(tx: Tx, domain: str) -> None:
    """Shut a server out: nothing more is taken from it or sent to it. Raises NotFound."""
    gone = sa.update(peers).where(peers.c.domain == domain, peers.c.removed_at.is_(None))
    if tx.conn.execute(gone.values(removed_at=tx.ms)).rowcount == 0:
        raise NotFound(f"{domain} is not a peer; see `fedcorp peer list`.")
    _note(tx, "peer.remove", domain, "")


def _note(tx: Tx, act: str, subject: str, reason: str) -> None:
    tx.conn.execute(
        sa.insert(audit).values(
            created_at=tx.ms, actor="command line", act=act, subject=subject, outcome="done", reason=reason
        )
    )
