"""Numbers that other servers tell of their own posts and accounts: favourites and boosts, followers, followed, posts.

Kept is what nobody here knows: what was told less what this department knew by itself at that moment. Shown is the sum
with what is known here now, so that what people here do shows at once. These numbers are only shown: a server may tell
any, so nothing is ranked, found or decided by them. Changing them is no edit.

Accounts are asked about when people here look at them, not often; the wire asks (`activitypub.counting`).
"""

from typing import Any

import sqlalchemy as sa

from fedcorp.social.accounts import Account
from fedcorp.social.statuses import Status
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import statuses as statuses_table

JOB = "read_counts"
AGAIN_MS = 3_600_000
ANSWERED_MS = 10_000


def keep_of_status(tx: Tx, status: Status, favourites: int | None, reblogs: int | None) -> None:
    """Keep how many favourites and boosts the server of a status tells; None leaves what is kept."""
    told = {"favourites": favourites, "reblogs": reblogs}
    if not status.local and status.deleted_at is None:
        _keep(tx, statuses_table, status, told, at=tx.ms)


def keep_of_account(
    tx: Tx, account: Account, begun_at: int, *, statuses: int | None, followers: int | None, following: int | None
) -> None:
    """Keep how many statuses, followers and followed accounts the server of an account tells, which was asked from
    `begun_at` (ms) on; None as above."""
    told = {"statuses": statuses, "followers": followers, "following": following}
    if not account.local and not account.hidden:
        # What was written before is among those told of, also when it comes later (`accounts.count_statuses`).
        _keep(tx, accounts_table, account, told, at=begun_at)


def _keep(tx: Tx, table: sa.Table, known: Status | Account, told: dict[str, int | None], *, at: int) -> None:
    values: dict[str, Any] = {}
    for name, count in told.items():
        kept, here = f"{name}_elsewhere", f"{name}_count"
        if count is not None and max(count - getattr(known, here), 0) != getattr(known, kept):
            # By what the row says then: somebody may be favouriting at the same time.
            values[kept] = sa.case((table.c[here] < count, count - table.c[here]), else_=0)
    if values:  # what was told once more was so at the earlier time already
        tx.conn.execute(sa.update(table).where(table.c.id == known.id).values(counted_at=at, **values))


def know_reblog(tx: Tx, status: Status, at: int) -> None:
    """Somebody elsewhere boosted a status at this time (ms), which its server has told of already if it was asked
    later: often it was, because of that boost."""
    if status.reblogs_elsewhere and status.counted_at is not None and at <= status.counted_at:
        tx.conn.execute(_KNOW_REBLOG, {"of": status.id})


_KNOW_REBLOG = (
    sa.update(statuses_table)
    .where(statuses_table.c.id == sa.bindparam("of"), statuses_table.c.reblogs_elsewhere > 0)
    .values(reblogs_elsewhere=statuses_table.c.reblogs_elsewhere - 1)
)


def is_due(tx: Tx, account: Account) -> bool:
    """Whether the server of an account may be asked again for its numbers."""
    again_at = tx.ms if account.counted_at is None else account.counted_at + AGAIN_MS
    return not account.local and not account.hidden and again_at <= tx.ms


def want(tx: Tx, account: Account, *, wait_ms: int = 0) -> None:
    """Somebody here looks at an account: have its numbers read soon, if that was not done of late. Who follows it waits
    a moment (`ANSWERED_MS`): until the answer is here nobody knows whether they are among those told of."""
    if is_due(tx, account) and tx.conn.execute(_TAKE_TURN, {"of": account.id, "now": tx.ms}).rowcount:
        jobs.put(tx, JOB, {"account": account.id}, run_at=tx.ms + wait_ms, unique_key=f"{JOB}:{account.id}")


_NOW = sa.bindparam("now", type_=sa.BigInteger)
_TAKE_TURN = (  # `account` may have been read a while ago
    sa.update(accounts_table)
    .where(accounts_table.c.id == sa.bindparam("of"))
    .where(sa.or_(accounts_table.c.counted_at.is_(None), accounts_table.c.counted_at <= _NOW - AGAIN_MS))
    .values(counted_at=_NOW)
)


def hide_collections(tx: Tx, account: Account, *, hidden: bool) -> None:
    """Keep whether an account elsewhere hides who follows it and whom it follows."""
    if not account.local and account.hide_collections != hidden:
        values = {"hide_collections": hidden, "version": accounts_table.c.version + 1}
        tx.conn.execute(sa.update(accounts_table).where(accounts_table.c.id == account.id).values(**values))
