"""How the wire stands, in numbers for monitoring: what waits, for whom, since when, and what went wrong.

Reads only. Names peers, never people, addresses of things or words.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.storage.database import Tx
from fedcorp.storage.jobs import MAX_ATTEMPTS
from fedcorp.storage.tables import events, inbox, jobs

_INBOX = sa.select(sa.func.count(), sa.func.min(inbox.c.received_at)).where(inbox.c.state == "new")
_DEFERRED = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.state == "deferred")
_OUTCOMES = sa.select(inbox.c.outcome, sa.func.count()).where(inbox.c.state == "done").group_by(inbox.c.outcome)
_EVENTS = sa.select(sa.func.count()).select_from(events)
_JOBS = sa.select(
    sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((jobs.c.attempts >= MAX_ATTEMPTS, 1), else_=0)), 0)
)


@dataclass(frozen=True, slots=True)
class Wire:
    """`lags` and `inbox_oldest_ms` in milliseconds; `outcomes` of activities of the last two weeks, by word."""

    peers: list[Peer]
    lags: dict[str, int]
    inbox_waiting: int
    inbox_deferred: int
    inbox_oldest_ms: int
    outcomes: dict[str, int]
    events_waiting: int
    jobs_waiting: int
    jobs_given_up: int
    now_ms: int


def read(tx: Tx) -> Wire:
    """The numbers of this moment."""
    waiting, oldest = tx.conn.execute(_INBOX).one()
    every, given_up = tx.conn.execute(_JOBS).one()
    return Wire(
        peers=peers.listing(tx),
        lags=peers.lags(tx),
        inbox_waiting=waiting,
        inbox_deferred=tx.conn.execute(_DEFERRED).scalar_one(),
        inbox_oldest_ms=max(0, tx.ms - oldest) if oldest is not None else 0,
        outcomes={str(word or "none"): count for word, count in tx.conn.execute(_OUTCOMES)},
        events_waiting=tx.conn.execute(_EVENTS).scalar_one(),
        jobs_waiting=every - given_up,
        jobs_given_up=int(given_up),
        now_ms=tx.ms,
    )
