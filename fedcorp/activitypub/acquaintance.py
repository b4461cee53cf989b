"""What software a peer runs, by its own NodeInfo, and so how groups of ours speak to it.

Asked once, when somebody there first follows a group; until it is known such a peer gets both forms. What an admin set
stays. Departments of the company are not asked: their tier says it all.

Sources: NodeInfo 2.1; FEP-1b12 for who reads whole activities inside an Announce.
"""

import logging
from typing import Any, Final

import sqlalchemy as sa

from fedcorp.activitypub.client import Client
from fedcorp.company import peers
from fedcorp.errors import FedcorpError, Unavailable
from fedcorp.storage import jobs
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import peers as peers_table

log = logging.getLogger(__name__)

WRAPPING: Final = frozenset({
    "discourse", "forte", "friendica", "hubzilla", "lemmy", "mbin", "mitra", "nodebb", "peertube", "piefed", "streams",
})  # fmt: skip
BOOSTING: Final = frozenset({
    "akkoma", "firefish", "gotosocial", "hollo", "hometown", "iceshrimp", "mastodon", "misskey", "pixelfed", "pleroma",
    "sharkey", "snac", "takahe", "threads", "wordpress",
})  # fmt: skip


def want(tx: Tx, domain: str) -> None:
    """Ask a peer what it runs, unless that is known."""
    peer = peers.ensure(tx, domain)
    if peer.tier != "department" and peer.software is None:
        jobs.put(tx, "learn_software", {"domain": domain}, unique_key=f"software:{domain}")


class Acquaintance:
    """The job `learn_software`: its payload names the domain."""

    def __init__(self, client: Client, db: Database) -> None:
        self._client = client
        self._db = db

    async def run(self, payload: dict[str, Any]) -> None:
        """Ask and write down the answer. Raises Unavailable, so that it is tried again later."""
        domain = str(payload["domain"])
        try:
            software, version = await self._client.nodeinfo(f"{self._client.scheme_of(domain)}://{domain}")
        except Unavailable:
            raise
        except FedcorpError as error:
            log.info("%s does not say what it runs: %s", domain, type(error).__name__)
            software, version = "", ""
        await self._db.write(_note, domain, software, version)


def _note(tx: Tx, domain: str, software: str, version: str) -> None:
    known = peers.find(tx, domain)
    if known is None:
        return
    learned = "wrap" if software in WRAPPING else "boost" if software in BOOSTING else None
    tx.conn.execute(
        sa.update(peers_table)
        .where(peers_table.c.domain == domain)
        .values(software=software, version=version, dialect=known.dialect or learned)
    )
