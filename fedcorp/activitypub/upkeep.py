"""Clears away what nobody needs any more: old rows of queues and logs, ended sessions, files that no post shows.

Never removes what people wrote, nor anything that is still to be done or told.
"""

import sqlalchemy as sa

from fedcorp.clock import Clock
from fedcorp.social import applications, media, streams, threads
from fedcorp.storage import fulltext, jobs
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.media import MediaFiles
from fedcorp.storage.tables import deliveries, idempotency_keys, inbox, keys, leases, orphans, peers, undone

DAY_MS = 86_400_000
LOG_DAYS = 14  # far beyond the hour in which a signed request could be sent again
UNDONE_DAYS = 30
ROWS = 2000  # in one unit, so that nobody waits long behind it


class Upkeep:
    """Clears away for one instance."""

    def __init__(self, db: Database, clock: Clock, files: MediaFiles) -> None:
        self._db = db
        self._clock = clock
        self._files = files

    async def run(self) -> int:
        """One round. Returns 0: nobody has to wait for it."""
        await self._db.write(_clear)
        await self._db.write(fulltext.tidy)
        await self._clear_files()
        return 0

    async def _clear_files(self) -> None:
        """The files go before their rows, so that none is ever forgotten on the disk."""
        found = await self._db.read(media.abandoned, self._clock.ms() - DAY_MS)
        for item in found:
            for key in item.keys:
                await self._clock.offload(self._files.delete, key)
        if found:
            await self._db.write(media.forget, [item.id for item in found])


def _clear(tx: Tx) -> None:
    streams.prune(tx)
    applications.prune(tx)
    old = tx.ms - LOG_DAYS * DAY_MS
    jobs.prune(tx, old)
    done = sa.select(inbox.c.seq).where(inbox.c.state == "done", inbox.c.received_at < old).limit(ROWS)
    tx.conn.execute(sa.delete(inbox).where(inbox.c.seq.in_(done)))
    tx.conn.execute(sa.delete(orphans).where(orphans.c.expires_at < tx.ms))
    tx.conn.execute(sa.delete(undone).where(undone.c.created_at < tx.ms - UNDONE_DAYS * DAY_MS))
    tx.conn.execute(sa.delete(idempotency_keys).where(idempotency_keys.c.created_at < tx.ms - DAY_MS))
    tx.conn.execute(sa.delete(keys).where(keys.c.expires_at < tx.ms))
    threads.prune(tx)
    tx.conn.execute(sa.delete(leases).where(leases.c.lease_until_at < tx.ms - DAY_MS))
    _clear_logs(tx, old)


def _clear_logs(tx: Tx, old: int) -> None:
    """Settled entries of the logs of peers; those behind the cursor only."""
    settled = sa.select(peers.c.cursor).where(peers.c.domain == deliveries.c.domain).scalar_subquery()
    tx.conn.execute(sa.delete(deliveries).where(deliveries.c.created_at < old, deliveries.c.seq <= settled))
