"""How large this department is: numbers for the instance page, nodeinfo and weekly activity. Counts, no names."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, peers, statuses, users

MONTH_MS, HALF_YEAR_MS, WEEK_MS = 30 * 86_400_000, 180 * 86_400_000, 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Statistics:
    """Local users, those of them who posted of late, local posts, and known other servers."""

    users: int
    active_month: int
    active_half_year: int
    statuses: int
    domains: int


_USERS = (
    sa.select(sa.func.count())
    .select_from(users)
    .join(accounts, accounts.c.id == users.c.account_id)
    .where(users.c.disabled_at.is_(None), accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None))
)
_ACTIVE = _USERS.where(
    sa.or_(accounts.c.last_status_at >= sa.bindparam("since"), users.c.last_active_at >= sa.bindparam("since"))
)
_STATUSES = sa.select(sa.func.coalesce(sa.func.sum(accounts.c.statuses_count), 0)).where(
    accounts.c.local, accounts.c.kind == "person"
)
_DOMAINS = sa.select(sa.func.count()).select_from(peers).where(peers.c.removed_at.is_(None))


def count(tx: Tx) -> Statistics:
    """The numbers of now."""
    return Statistics(
        tx.conn.execute(_USERS).scalar_one(),
        tx.conn.execute(_ACTIVE, {"since": tx.ms - MONTH_MS}).scalar_one(),
        tx.conn.execute(_ACTIVE, {"since": tx.ms - HALF_YEAR_MS}).scalar_one(),
        int(tx.conn.execute(_STATUSES).scalar_one()),
        tx.conn.execute(_DOMAINS).scalar_one(),
    )


def weeks(tx: Tx, number: int = 12) -> list[tuple[int, int, int, int]]:
    """(start in ms, local posts, local authors, new users) of the last weeks, this one first."""
    found = []
    for back in range(number):
        start = tx.ms - tx.ms % WEEK_MS - back * WEEK_MS
        inside = sa.and_(statuses.c.created_at >= start, statuses.c.created_at < start + WEEK_MS)
        posts, authors = tx.conn.execute(
            sa.select(sa.func.count(), sa.func.count(statuses.c.account_id.distinct())).where(statuses.c.local, inside)
        ).one()
        joined = sa.select(sa.func.count()).where(users.c.created_at >= start, users.c.created_at < start + WEEK_MS)
        found.append((start, posts, authors, tx.conn.execute(joined).scalar_one()))
    return found
