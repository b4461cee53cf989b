"""The servers that this department knows, and what each may get. Each side decides for itself.

An admin adds a peer with a tier. In closed mode nobody else exists: nothing is taken from an unknown host and no
request is sent to it. In open mode an unknown host has the tier `unknown` and gets only what is public, unless it is
barred. A peer that is taken away is barred; one that is barred no longer is unknown, not a peer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from fedcorp.company import audit
from fedcorp.errors import ConfigError, Conflict, Forbidden, NotFound
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import deliveries, peers
from fedcorp.storage.upsert import insert_ignore


@dataclass(slots=True)
class Peer:
    """One row of `peers`; times in milliseconds since the epoch."""

    domain: str
    id: int
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
    private_comment: str
    public_comment: str
    obfuscate: bool
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


TIERS = ("department", "partner")
"""What an admin may make of a server."""
MAX_COMMENT = 2000
_COLUMNS = [peers.c[item.name] for item in fields(Peer)]
_SELECT = sa.select(*_COLUMNS)
_BY_DOMAIN = _SELECT.where(peers.c.domain == sa.bindparam("domain"))
_BY_DOMAINS = _SELECT.where(peers.c.domain.in_(sa.bindparam("domains", expanding=True)))
_BY_ID = _SELECT.where(peers.c.id == sa.bindparam("id"))
_ALL = _SELECT.where(peers.c.removed_at.is_(None)).order_by(peers.c.domain)


def _is_in(tx: Tx, peer: Peer) -> bool:
    """Whether this host may federate: it is not barred, and, in closed mode, somebody let it in."""
    return peer.removed_at is None and (peer.tier in TIERS or not tx.site.config.closed)


_NEXT = (  # the log of a peer has no gaps: what waits longest stands behind the cursor
    sa.select(peers.c.domain, deliveries.c.created_at)
    .join(deliveries, sa.and_(deliveries.c.domain == peers.c.domain, deliveries.c.seq == peers.c.cursor + 1))
    .where(peers.c.removed_at.is_(None))
)


def find(tx: Tx, domain: str) -> Peer | None:
    """The peer of that domain, unless it was removed."""
    row = tx.conn.execute(_BY_DOMAIN, {"domain": domain}).first()
    peer = Peer(*row) if row else None
    return peer if peer and _is_in(tx, peer) else None


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
    return peer.tier if _is_in(tx, peer) else None


def find_many(tx: Tx, domains: Iterable[str]) -> dict[str, Peer]:
    """The peers of those domains that are known and were not removed."""
    wanted = sorted(set(domains))
    found = (Peer(*row) for row in tx.conn.execute(_BY_DOMAINS, {"domains": wanted})) if wanted else ()
    return {peer.domain: peer for peer in found if _is_in(tx, peer)}


def check_tier(tx: Tx, domain: str) -> str:
    """The tier of a host that may federate. Raises Forbidden for others."""
    tier = find_tier(tx, domain)
    if tier is None:
        raise Forbidden(f"{domain} is not a peer of this server.")
    return tier


def listing(tx: Tx) -> list[Peer]:
    """All peers, by domain."""
    return [peer for row in tx.conn.execute(_ALL) if _is_in(tx, peer := Peer(*row))]


def lags(tx: Tx) -> dict[str, int]:
    """For how long (ms) the oldest undelivered entry of each peer has waited; peers without any are left out."""
    return {domain: max(0, tx.ms - created_at) for domain, created_at in tx.conn.execute(_NEXT)}


def ensure(tx: Tx, domain: str) -> Peer:
    """The row of a peer that may federate; made on first contact in open mode. Raises Forbidden."""
    peer = find(tx, domain)
    if peer is None:
        insert_ignore(tx, peers, domain=domain, id=tx.new_id(), tier=check_tier(tx, domain), added_at=tx.ms)
        peer = find(tx, domain)
    assert peer is not None
    return peer


def add(tx: Tx, domain: str, tier: str, *, by: str = audit.COMMAND_LINE) -> Peer:
    """Let a server in as `department` or `partner`, or change its tier. What waits in its log stays.

    `by` is who does it, for the audit. Raises ConfigError, Conflict.
    """
    if tier not in TIERS:
        raise ConfigError(f"a peer's tier is department or partner, not {tier!r}.")
    if domain == tx.site.urls.domain:
        raise Conflict(f"{domain} is this server itself; a peer is another server.")
    insert_ignore(tx, peers, domain=domain, id=tx.new_id(), tier=tier, added_at=tx.ms)
    _change(tx, domain, tier=tier, removed_at=None, fail_count=0, next_attempt_at=None, last_error=None, **_NO_COMMENTS)
    audit.note(tx, by, "peer.add", domain, tier)
    jobs.put(tx, "learn_peer", {"domain": domain}, unique_key=f"learn_peer:{domain}")
    tx.wake("deliveries")
    return _get(tx, domain)


def remove(tx: Tx, domain: str, *, by: str = audit.COMMAND_LINE) -> None:
    """Shut a server out: nothing more is taken from it or sent to it. Raises NotFound."""
    gone = sa.update(peers).where(peers.c.domain == domain, peers.c.removed_at.is_(None))
    if tx.conn.execute(gone.values(removed_at=tx.ms)).rowcount == 0:
        raise NotFound(f"{domain} is not a peer; see `fedcorp peer list`.")
    audit.note(tx, by, "peer.remove", domain)


# -- for administrators ----------------------------------------------------------------------------------------------

_NO_COMMENTS = {"private_comment": "", "public_comment": "", "obfuscate": False}


LET_IN: "sa.Select[Any]" = _SELECT.where(peers.c.removed_at.is_(None), peers.c.tier.in_(TIERS))
"""The peers that an admin let in."""
BARRED: "sa.Select[Any]" = _SELECT.where(peers.c.removed_at.is_not(None))
"""Servers that may not federate, whether they ever did or not."""


def get_let_in(tx: Tx, id_: int) -> Peer:
    """A peer that an admin let in. Raises NotFound."""
    peer = _by_id(tx, id_)
    if peer.removed_at is not None or peer.tier not in TIERS:
        raise NotFound
    return peer


def get_barred(tx: Tx, id_: int) -> Peer:
    """A server that is barred. Raises NotFound."""
    peer = _by_id(tx, id_)
    if peer.removed_at is None:
        raise NotFound
    return peer


def find_barred(tx: Tx, domain: str) -> Peer | None:
    """The server of this domain, when it is barred."""
    row = tx.conn.execute(_BY_DOMAIN, {"domain": domain}).first()
    peer = Peer(*row) if row else None
    return peer if peer and peer.removed_at is not None else None


def barred(tx: Tx) -> list[Peer]:
    """All servers that are barred, by domain."""
    return [Peer(*row) for row in tx.conn.execute(BARRED.order_by(peers.c.domain))]


def make(row: Any) -> Peer:
    """The peer of a row of LET_IN or BARRED."""
    return Peer(*row)


def bar(tx: Tx, domain: str, comments: dict[str, Any], *, by: str) -> Peer:
    """Keep a server out, whether it is known or not, until somebody lets it in or bars it no longer.

    `comments`: those of `private_comment`, `public_comment`, `obfuscate` that are given. Raises Conflict.
    """
    if domain == tx.site.urls.domain:
        raise Conflict(f"{domain} is this server itself.")
    insert_ignore(tx, peers, domain=domain, id=tx.new_id(), tier="unknown", added_at=tx.ms)
    _change(tx, domain, removed_at=tx.ms, **(_NO_COMMENTS | comments))
    audit.note(tx, by, "peer.bar", domain, str(comments.get("private_comment", "")))
    return _get(tx, domain)


def comment(tx: Tx, peer: Peer, comments: dict[str, Any], *, by: str) -> Peer:
    """Change what is said of a server that is barred; what is not given stays."""
    if comments:
        _change(tx, peer.domain, **comments)
        audit.note(tx, by, "peer.comment", peer.domain, str(comments.get("private_comment", "")))
    return _get(tx, peer.domain)


def unbar(tx: Tx, peer: Peer, *, by: str) -> None:
    """Bar a server no longer. It is a stranger then, no peer, until somebody lets it in again: what still waited for it
    is not sent any more."""
    _change(tx, peer.domain, tier="unknown", removed_at=None, cursor=peers.c.next_seq - 1, **_NO_COMMENTS)
    audit.note(tx, by, "peer.unbar", peer.domain)


def _change(tx: Tx, domain: str, **values: Any) -> None:
    tx.conn.execute(sa.update(peers).where(peers.c.domain == domain).values(**values))


def _get(tx: Tx, domain: str) -> Peer:
    return Peer(*tx.conn.execute(_BY_DOMAIN, {"domain": domain}).one())


def _by_id(tx: Tx, id_: int) -> Peer:
    row = tx.conn.execute(_BY_ID, {"id": id_}).first()
    if row is None:
        raise NotFound
    return Peer(*row)
