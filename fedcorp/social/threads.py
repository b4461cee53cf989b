"""When threads, outboxes and pins of other servers are read from end to end: asked for by who opens or follows, and by
news of whom people here follow, not often; and when groups elsewhere are looked at for a post of ours.

Only asks; the wire fetches. Threads in groups with a ledger are not asked for: the group's own server tells all.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcorp.social import follows, groups, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.statuses import Status
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import readings
from fedcorp.storage.upsert import upsert

THREAD_AGAIN_MS = 15 * 60_000
OUTBOX_AGAIN_MS = 86_400_000
PINS_AGAIN_MS = 6 * 3_600_000
LOOK_AFTER_MS = (15_000, 120_000, 1_800_000, 21_600_000)
READS_AT_MOST_MS = 5 * 60_000  # after that nobody is told to wait, whatever became of the work
_READING = sa.select(readings.c.read_at, readings.c.done_at, readings.c.found).where(
    readings.c.uri == sa.bindparam("uri")
)
_READ_AT = sa.select(readings.c.read_at).where(readings.c.uri == sa.bindparam("uri"))


def _is_due(tx: Tx, uri: str, again_ms: int) -> bool:
    return _due_at(tx, uri, again_ms) <= tx.ms


def _due_at(tx: Tx, uri: str, again_ms: int) -> int:
    read_at = tx.conn.execute(_READ_AT, {"uri": uri}).scalar()
    return tx.ms if read_at is None else int(read_at) + again_ms


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the thread of a post has been read: whether that goes on, and how many posts were not here before."""

    running: bool
    found: int


def reading_of(tx: Tx, status: Status) -> Reading | None:
    """The last reading of the thread of a status; None when there was none of late."""
    root = statuses.find(tx, status.thread_id)
    row = tx.conn.execute(_READING, {"uri": root.uri}).first() if root is not None else None
    if row is None:
        return None
    return Reading(row.done_at is None and row.read_at > tx.ms - READS_AT_MOST_MS, row.found)


def count_found(tx: Tx, root_uri: str) -> None:
    """One more post of a thread is here that was not."""
    tx.conn.execute(sa.update(readings).where(readings.c.uri == root_uri).values(found=readings.c.found + 1))


def finish(tx: Tx, root_uri: str) -> None:
    """A thread was read to its end, or as far as it could be."""
    tx.conn.execute(sa.update(readings).where(readings.c.uri == root_uri).values(done_at=tx.ms))


def find_due(tx: Tx, status: Status) -> int | None:
    """The first post of the thread of a status, when others may know more of it and were not asked lately."""
    root = statuses.find(tx, status.thread_id)
    if root is None or root.local or root.deleted_at is not None or root.visibility not in ("public", "unlisted"):
        return None
    group = groups.find(tx, root.group_id) if root.group_id is not None else None
    if group is not None and group.ledger_uri is not None:
        return None
    return root.id if _is_due(tx, root.uri, THREAD_AGAIN_MS) else None


def want(tx: Tx, root_id: int) -> None:
    """Have a thread read soon."""
    root = statuses.find(tx, root_id)
    if root is not None and _is_due(tx, root.uri, THREAD_AGAIN_MS):
        upsert(tx, readings, ("uri",), uri=root.uri, read_at=tx.ms, done_at=None, found=0)
        jobs.put(tx, "read_thread", {"status": root_id}, unique_key=f"read_thread:{root_id}")


def want_outbox(tx: Tx, account: Account, follower_id: int) -> None:
    """Have the latest posts of an account read, or what a group without a ledger passed on lately, as `follower_id` may
    see them, since somebody here follows it now."""
    uri = account.outbox_uri
    if account.local or uri is None or not _is_due(tx, uri, OUTBOX_AGAIN_MS):
        return
    group = groups.find(tx, account.id) if account.is_group else None
    if group is not None and group.ledger_uri is not None:
        return
    upsert(tx, readings, ("uri",), uri=uri, read_at=tx.ms)
    payload = {"account": account.id, "follower": follower_id}
    jobs.put(tx, "read_outbox", payload, unique_key=f"read_outbox:{account.id}")


def want_pins(tx: Tx, account: Account) -> None:
    """There is news of an account: if somebody here follows it, have what it pinned read, at once or, if that was done
    of late, once some hours are over."""
    uri = account.featured_uri
    if account.local or account.is_group or uri is None or follows.find_local_follower(tx, account.id) is None:
        return
    run_at = max(_due_at(tx, uri, PINS_AGAIN_MS), tx.ms)
    jobs.put(tx, "read_pins", {"account": account.id}, run_at=run_at, unique_key=f"read_pins:{account.id}")


def want_place(tx: Tx, group: Account, status: Status, tries: int = 0) -> None:
    """Have a group of another make looked at for a post of ours, should it have said nothing by then: PieFed tells
    everybody but the server of the author that it took it."""
    rules = groups.find(tx, group.id)
    is_public = status.visibility in ("public", "unlisted")
    if group.local or not is_public or rules is None or rules.ledger_uri is not None or tries >= len(LOOK_AFTER_MS):
        return
    payload = {"group": group.id, "status": status.id, "tries": tries + 1}
    jobs.put(tx, "look_in_group", payload, run_at=tx.ms + LOOK_AFTER_MS[tries])


def begin_pins(tx: Tx, uri: str) -> None:
    """What an account pinned is being read now, at this address."""
    upsert(tx, readings, ("uri",), uri=uri, read_at=tx.ms)


def prune(tx: Tx) -> None:
    """Forget when what was read, once it may be read again."""
    tx.conn.execute(sa.delete(readings).where(readings.c.read_at < tx.ms - OUTBOX_AGAIN_MS))
