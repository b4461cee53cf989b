"""Learns what software a peer runs, and with it how groups speak to that peer and whether it can keep their secrets.

Asks NodeInfo, once when a peer is added and again when somebody there first wants to join a group. A server that does
not say what it is stays unknown. Sources: NodeInfo 2.1, FEP-f1d5; what each server reads: docs/groups.md.
"""

import logging
from typing import Any

import sqlalchemy as sa

from fedcorp.activitypub.client import Client
from fedcorp.company import peers
from fedcorp.errors import FedcorpError, Unavailable
from fedcorp.storage import jobs
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import peers as peers_table

log = logging.getLogger(__name__)

WRAPPING = frozenset(
    {
        "lemmy", "piefed", "mbin", "kbin", "nodebb", "discourse", "mitra", "hubzilla", "streams", "forte", "friendica",
        "peertube", "lotide",
    }
)  # fmt: skip
"""Servers that read whole activities inside an Announce (FEP-1b12)."""
BOOSTING = frozenset(
    {
        "mastodon", "glitchcafe", "hometown", "gotosocial", "pleroma", "akkoma", "misskey", "sharkey", "iceshrimp",
        "firefish", "pixelfed", "wordpress", "hollo", "snac", "threads", "takahe", "microblogpub", "ktistec",
        "bookwyrm", "writefreely", "ghost",
    }
)  # fmt: skip
"""Servers that read an Announce as a boost of the object whose id it names."""


def dialect_of(software: str) -> str:
    """`fedcorp`, `wrap`, `boost`, or `both` for software that is not known here."""
    if software == "fedcorp":
        return "fedcorp"
    if software in WRAPPING:
        return "wrap"
    return "boost" if software in BOOSTING else "both"


class Discovery:
    """The job `learn_peer`: its payload names the domain."""

    def __init__(self, client: Client, db: Database) -> None:
        self._client = client
        self._db = db

    async def run(self, payload: dict[str, Any]) -> None:
        """Ask, and keep the answer. Raises Unavailable, so that it is tried again later."""
        domain = str(payload["domain"])
        try:
            software, version = await self._client.nodeinfo(f"{self._client.scheme_of(domain)}://{domain}")
        except Unavailable:
            raise
        except FedcorpError as error:
            log.info("%s does not say what it runs: %s", domain, type(error).__name__)
            return
        if software:
            await self._db.write(_keep, domain, software, version)


def _keep(tx: Tx, domain: str, software: str, version: str) -> None:
    known = peers.find(tx, domain)
    if known is None:
        return
    learned_before = known.dialect in (None, dialect_of(known.software or ""))
    dialect = dialect_of(software) if learned_before else known.dialect  # what an admin set stays
    values = {"software": software, "version": version, "dialect": dialect}
    tx.conn.execute(sa.update(peers_table).where(peers_table.c.domain == domain).values(**values))


def want(tx: Tx, domain: str) -> None:
    """Ask soon, unless the peer has said what it runs."""
    peer = peers.find(tx, domain)
    if peer is not None and peer.software is None:
        jobs.put(tx, "learn_peer", {"domain": domain}, unique_key=f"learn_peer:{domain}")
