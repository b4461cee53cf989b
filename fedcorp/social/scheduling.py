"""Posts that wait for their time: kept as their authors handed them in, published by the worker when they are due.

A post is judged by the rules when it is handed in, and again when it is due. What cannot be published then stays, with
the reason, until its author gives it another time or takes it back.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.errors import FedcorpError, NotFound, Unprocessable
from fedcorp.social import accounts, media, publishing
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Listing, Page
from fedcorp.social.polls import PollDraft
from fedcorp.social.publishing import Draft
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import scheduled_statuses as table

LEAST_AHEAD_MS = 5 * 60_000
MOST = 300  # of one account
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A post that waits; `scheduled_at` is ms. `error` says why it could not be published when it was due."""

    id: int
    account_id: int
    scheduled_at: int
    draft: Draft
    error: str


_SELECT = sa.select(table.c.id, table.c.account_id, table.c.scheduled_at, table.c.draft, table.c.error)
_ACCOUNT = sa.bindparam("account", type_=sa.BigInteger)
_OWN = Listing(_SELECT.where(table.c.account_id == _ACCOUNT), table.c.id)
_COUNT = sa.select(sa.func.count()).where(table.c.account_id == _ACCOUNT)
_REPEATED = _SELECT.where(table.c.account_id == _ACCOUNT, table.c.idempotency_key == sa.bindparam("key"))
_DUE = (
    _SELECT.join(accounts_table, accounts_table.c.id == table.c.account_id)
    .where(table.c.scheduled_at <= sa.bindparam("now"), table.c.error == "")
    .where(accounts_table.c.suspended_at.is_(None), accounts_table.c.deleted_at.is_(None))
    .order_by(table.c.scheduled_at, table.c.id)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True, of=table)
)


def _row(row: Any) -> Scheduled:
    id_, account_id, scheduled_at, draft, error = row
    return Scheduled(id_, account_id, scheduled_at, _read(orjson.loads(draft)), error)


def _write(draft: Draft) -> str:
    values = {name: value for name, value in asdict(draft).items() if name not in ("idempotency_key", "media_details")}
    return orjson.dumps(values).decode()


def _read(values: Mapping[str, Any]) -> Draft:
    poll = values["poll"]
    made = PollDraft(**{**poll, "options": tuple(poll["options"])}) if poll else None
    return Draft(**{**values, "media_ids": tuple(values["media_ids"]), "poll": made})


def create(tx: Tx, account: Account, draft: Draft, at: int) -> Scheduled:
    """Keep a post until `at` (ms). The same idempotency key gives the same one again.

    Raises Unprocessable for a time that is too near and for what breaks a rule, NotFound, Forbidden like publishing.
    """
    if draft.idempotency_key:
        known = tx.conn.execute(_REPEATED, {"account": account.id, "key": draft.idempotency_key}).first()
        if known is not None:
            return _row(known)
    _check_time(tx, at)
    publishing.check(tx, account, draft)
    if tx.conn.execute(_COUNT, {"account": account.id}).scalar_one() >= MOST:
        raise Unprocessable(f"Validation failed: at most {MOST} posts can wait")
    id_ = tx.new_id()
    media.reserve(tx, account.id, list(draft.media_ids), id_)
    tx.conn.execute(
        sa.insert(table).values(
            id=id_, account_id=account.id, scheduled_at=at, draft=_write(draft), error="",
            idempotency_key=draft.idempotency_key, created_at=tx.ms,
        )
    )  # fmt: skip
    return get(tx, account.id, id_)


def _check_time(tx: Tx, at: int) -> None:
    if at < tx.ms + LEAST_AHEAD_MS:
        raise Unprocessable("Validation failed: Scheduled at The scheduled date must be at least 5 minutes ahead")


def get(tx: Tx, account_id: int, id_: int) -> Scheduled:
    """One post of somebody that waits. Raises NotFound."""
    row = tx.conn.execute(_SELECT.where(table.c.id == id_, table.c.account_id == account_id)).first()
    if row is None:
        raise NotFound
    return _row(row)


def listing(tx: Tx, account_id: int, page: Page) -> list[Scheduled]:
    """What waits of somebody, latest handed in first."""
    found: list[Scheduled] = _OWN.rows(tx, page, _row, account=account_id)
    return found


def reschedule(tx: Tx, account_id: int, id_: int, at: int) -> Scheduled:
    """Another time (ms). Raises NotFound, Unprocessable."""
    get(tx, account_id, id_)
    _check_time(tx, at)
    tx.conn.execute(sa.update(table).where(table.c.id == id_).values(scheduled_at=at, error=""))
    return get(tx, account_id, id_)


def delete(tx: Tx, account_id: int, id_: int) -> None:
    """Take a post back. Raises NotFound."""
    get(tx, account_id, id_)
    _forget(tx, id_)


def _forget(tx: Tx, id_: int) -> None:
    media.release(tx, id_)
    tx.conn.execute(sa.delete(table).where(table.c.id == id_))


def publish_due(tx: Tx) -> int:
    """Publish what is due; how many were dealt with."""
    due = [_row(row) for row in tx.conn.execute(_DUE, {"now": tx.ms})]
    for item in due:
        try:
            with tx.step():
                _forget(tx, item.id)
                publishing.publish(tx, accounts.get(tx, item.account_id), _still(tx, item.draft))
        except FedcorpError as error:
            tx.conn.execute(sa.update(table).where(table.c.id == item.id).values(error=error.text))
    return len(due)


def _still(tx: Tx, draft: Draft) -> Draft:
    """Without whom it named and who is gone by now."""
    found = accounts.find_many(tx, set(draft.mentions.values()))
    here = {handle: id_ for handle, id_ in draft.mentions.items() if id_ in found and not found[id_].hidden}
    return replace(draft, mentions=here)
