"""Run by a test in a process of its own: writes until the files may not grow, then looks at what was kept."""

import asyncio
import resource
import signal
import sys
from pathlib import Path

import sqlalchemy as sa

from fedcorp import config as configuration
from fedcorp.clock import Clock
from fedcorp.errors import Unavailable
from fedcorp.storage import schema
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import audit

LIMIT = 4 * 1024 * 1024


def note(tx: Tx, number: int) -> int:
    values = {"created_at": number, "actor": "a", "act": "b", "subject": "x" * 4000, "outcome": "ok"}
    tx.conn.execute(sa.insert(audit).values(values))
    return number


async def main(folder: Path) -> None:
    clock = Clock()
    config = configuration.parse({"domain": "full.localhost"}, folder=folder)
    db = Database(config, clock, lambda tx, event: None)
    schema.upgrade(db.engine, db.site.config, clock)
    db.start()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
    results = []
    for first in range(0, 4000, 50):
        works = (db.write(note, number) for number in range(first, first + 50))
        results += await asyncio.gather(*works, return_exceptions=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    accepted = {result for result in results if isinstance(result, int)}
    refused = [result for result in results if isinstance(result, BaseException)]
    assert accepted, "nothing was accepted"
    assert refused, "the disk never got full"
    assert all(isinstance(result, Unavailable) for result in refused), refused[0]
    kept = set(await db.read(lambda tx: tx.conn.execute(sa.select(audit.c.created_at)).scalars().all()))
    assert kept == accepted, (len(kept), len(accepted))
    assert await db.write(note, 9999) == 9999  # and it goes on when there is room again
    db.close()
    clock.close()


asyncio.run(main(Path(sys.argv[1])))
