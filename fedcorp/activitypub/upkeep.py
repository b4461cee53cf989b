"""Clears away what nobody needs any more: old rows of queues and logs, ended sessions, files that nothing shows.

Never removes what people wrote, nor anything that is still to be done or told.

A file goes only after the commit of what gave it up. Whatever a process that died left behind, and every picture that
somebody replaced, is found by the sweep: it goes through the media folder from end to end, a piece in each round, and
removes files older than a day that no row names. How far it came stands in the table `meta`. Several processes may
sweep at once; they do the same work twice and no harm.
"""

import sqlalchemy as sa

from fedcorp.clock import Clock
from fedcorp.social import accounts, applications, cards, kept_files, media, streams, threads
from fedcorp.storage import fulltext, jobs
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.media import MediaFiles
from fedcorp.storage.tables import deliveries, idempotency_keys, inbox, keys, leases, meta, orphans, peers, undone
from fedcorp.storage.upsert import upsert

DAY_MS = 86_400_000
LOG_DAYS = 14  # far beyond the hour in which a signed request could be sent again
UNDONE_DAYS = 30
ROWS = 2000  # in one unit, so that nobody waits long behind it
FILES = 1000  # looked at in one round of a sweep
REST_MS = 3_600_000  # between two sweeps

_SWEEP = "sweep"
_TURN = sa.select(meta.c.value).where(meta.c.key == _SWEEP)


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
        """A round of the sweep, unless it rests. Rows go at its beginning, so that it finds what they named."""
        due_at, shard = await self._db.read(_turn)
        if due_at > self._clock.ms():
            return
        if not shard:
            await self._clear_media()
            await self._clear_cards()
        await self._db.write(_set_turn, await self._sweep(shard))

    async def _clear_media(self) -> None:
        before = self._clock.ms() - DAY_MS
        while found := await self._db.read(media.abandoned, before):
            gone = await self._db.write(media.withdraw, before, [item.id for item in found])
            await self._remove([key for item in gone for key in item.keys])
            await self._db.write(media.forget, [item.id for item in gone])

    async def _clear_cards(self) -> None:
        while found := await self._db.read(cards.unused):
            await self._remove(await self._db.write(cards.forget, found))

    async def _sweep(self, shard: str) -> str:
        """Removes what no row names in the next shards; the last of them, or "" at the end.

        What is older than the department itself was not written by it: such files show that this is not its folder, or
        not its database, and stay.
        """
        since, before = await self._db.read(_beginning), self._clock.ms() - DAY_MS
        stock = await self._clock.offload(lambda: self._files.take_stock(shard, FILES, since=since, before=before))
        if stock.keys:
            named = await self._db.read(kept_files.named, stock.keys)
            await self._remove([key for key in stock.keys if key not in named])
        return stock.shard

    async def _remove(self, files: list[str]) -> None:
        for key in files:
            await self._clock.offload(self._files.delete, key)


def _beginning(tx: Tx) -> int:
    """Since when there is this department (ms)."""
    made = accounts.find_by_uri(tx, tx.site.urls.instance_actor)
    return tx.ms if made is None else made.created_at


def _turn(tx: Tx) -> tuple[int, str]:
    """When the sweep goes on (ms), and after which shard."""
    at, _, shard = str(tx.conn.execute(_TURN).scalar() or "0").partition(" ")
    return int(at), shard


def _set_turn(tx: Tx, shard: str) -> None:
    at = 0 if shard else tx.ms + REST_MS
    upsert(tx, meta, ("key",), key=_SWEEP, value=f"{at} {shard}")


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
