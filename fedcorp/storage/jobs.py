"""Jobs: small pieces of work for later, kept in a table, so that a stopped process loses none of them.

A job is claimed under a lease; when its process dies the lease ends and somebody else runs it, so every job must bear
to run twice. Knows no kinds of jobs: `fedcorp.worker` does.
"""

from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import jobs
from fedcorp.storage.upsert import insert_ignore

BATCH = 20
LEASE_MS = 120_000
FIRST_PAUSE_MS = 2_000
LONGEST_PAUSE_MS = 3_600_000
MAX_ATTEMPTS = 12

_DUE = (
    sa.select(jobs.c.seq)
    .where(
        jobs.c.run_at <= sa.bindparam("now"),
        jobs.c.kind.in_(sa.bindparam("kinds", expanding=True)),
        jobs.c.attempts < MAX_ATTEMPTS,
        sa.or_(jobs.c.lease_until_at.is_(None), jobs.c.lease_until_at < sa.bindparam("now")),
    )
    .order_by(jobs.c.run_at, jobs.c.seq)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    sa.update(jobs)
    .where(jobs.c.seq.in_(_DUE))
    # The key is given up, so that what changes from now on can ask for another run.
    .values(lease_token=sa.bindparam("token"), lease_until_at=sa.bindparam("until"), unique_key=None)
    .returning(jobs.c.seq, jobs.c.kind, jobs.c.payload, jobs.c.attempts)
)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `token` proves the claim; `attempts` counts failed runs so far."""

    seq: int
    kind: str
    payload: dict[str, Any]
    attempts: int
    token: str


def put(
    tx: Tx, kind: str, payload: dict[str, Any], *, run_at: int | None = None, unique_key: str | None = None
) -> None:
    """Ask for a run at `run_at` (ms; now by default). A key that is already waiting is not put again."""
    insert_ignore(
        tx,
        jobs,
        kind=kind,
        payload=orjson.dumps(payload).decode(),
        unique_key=unique_key,
        run_at=tx.ms if run_at is None else run_at,
    )
    tx.wake("jobs")


def claim(tx: Tx, kinds: tuple[str, ...], limit: int = BATCH, lease_ms: int = LEASE_MS) -> list[Job]:
    """Take up to `limit` due jobs of these kinds for `lease_ms`, oldest first."""
    token = tx.clock.token(12)
    values = {"now": tx.ms, "kinds": list(kinds), "most": limit, "token": token, "until": tx.ms + lease_ms}
    rows = sorted(tx.conn.execute(_CLAIM, values))
    return [Job(seq, kind, orjson.loads(payload), attempts, token) for seq, kind, payload, attempts in rows]


_FINISH = sa.delete(jobs).where(jobs.c.seq == sa.bindparam("job"), jobs.c.lease_token == sa.bindparam("token"))


def finish(tx: Tx, done: list[Job]) -> None:
    """Remove jobs that ran."""
    for job in done:
        tx.conn.execute(_FINISH, {"job": job.seq, "token": job.token})


def fail(tx: Tx, job: Job, error: str) -> None:
    """Put a job back: 2 s, 4 s, 8 s ... up to an hour later; after MAX_ATTEMPTS it stays for an admin to see."""
    pause = min(FIRST_PAUSE_MS << job.attempts, LONGEST_PAUSE_MS)
    tx.conn.execute(
        sa.update(jobs)
        .where(jobs.c.seq == job.seq, jobs.c.lease_token == job.token)
        .values(attempts=job.attempts + 1, error=error, run_at=tx.ms + pause, lease_token=None, lease_until_at=None)
    )


def prune(tx: Tx, before: int) -> int:
    """Remove given-up jobs that were last due before `before` (ms); how many."""
    gone = sa.delete(jobs).where(jobs.c.attempts >= MAX_ATTEMPTS, jobs.c.run_at < before)
    return tx.conn.execute(gone).rowcount
