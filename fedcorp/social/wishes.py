"""What our people want of groups elsewhere: sent as signed activities, pending until the group's own server decided.

Whether they may is for that server to say; what its ledger tells later ends a wish.
"""

from dataclasses import dataclass, fields
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.social import groups
from fedcorp.social.accounts import Account
from fedcorp.social.events import GroupWished
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import group_wishes

ACTS = (
    "approve", "refuse", "invite", "revoke", "decline", "remove", "ban", "unban", "role", "judge", "change", "archive",
    "delete", "report", "resolve",
)  # fmt: skip
MOST_PENDING = 200
LOOK_AFTER_MS = (15_000, 120_000, 1_800_000)


@dataclass(slots=True)
class Wish:
    """One row of `group_wishes`: `state` is pending, done or refused."""

    id: int
    uri: str
    group_id: int
    account_id: int
    act: str
    subject_uri: str
    state: str
    reason: str
    created_at: int


_COLUMNS = [group_wishes.c[item.name] for item in fields(Wish)]
_SELECT = sa.select(*_COLUMNS)
_PENDING = _SELECT.where(group_wishes.c.uri == sa.bindparam("uri"), group_wishes.c.state == "pending")
_COUNT_PENDING = sa.select(sa.func.count()).where(
    group_wishes.c.account_id == sa.bindparam("account"), group_wishes.c.state == "pending"
)


def ask(tx: Tx, group: Account, account: Account, act: str, *, subject_uri: str = "", **detail: Any) -> Wish:
    """Send a wish to the server of a group; `detail` is what the act needs besides. Raises Unprocessable."""
    assert act in ACTS
    if tx.conn.execute(_COUNT_PENDING, {"account": account.id}).scalar_one() >= MOST_PENDING:
        raise Unprocessable("Too many of your wishes wait for groups elsewhere; wait until some are decided.")
    id_ = tx.new_id()
    wish = Wish(id_, tx.site.urls.activity(id_), group.id, account.id, act, subject_uri, "pending", "", tx.ms)
    tx.conn.execute(sa.insert(group_wishes), {item.name: getattr(wish, item.name) for item in fields(Wish)})
    tx.record(GroupWished(group.id, id_, orjson.dumps(detail).decode()))
    if act == "judge":
        words = {"verdict": detail["verdict"], "reason": detail.get("reason") or ""}
        want_look(tx, group.id, {"wish": id_, "tries": 0, **words})
    return wish


def want_look(tx: Tx, group_id: int, payload: dict[str, Any]) -> None:
    """Have a post in a group of another make looked at, whether what was wished has come about, should the group say
    nothing: PieFed tells nothing to the server of a moderator."""
    rules, tries = groups.find(tx, group_id), payload["tries"]
    if rules is not None and rules.ledger_uri is None and tries < len(LOOK_AFTER_MS):
        run_at = tx.ms + LOOK_AFTER_MS[tries]
        jobs.put(tx, "look_at_wish", payload | {"tries": tries + 1}, run_at=run_at)


def find(tx: Tx, id_: int) -> Wish | None:
    """The wish with this id."""
    row = tx.conn.execute(_SELECT.where(group_wishes.c.id == id_)).first()
    return Wish(*row) if row else None


def of_account(tx: Tx, group_id: int, account_id: int, most: int = 40) -> list[Wish]:
    """What somebody wanted of a group, latest first."""
    mine = sa.and_(group_wishes.c.group_id == group_id, group_wishes.c.account_id == account_id)
    rows = tx.conn.execute(_SELECT.where(mine).order_by(group_wishes.c.id.desc()).limit(most))
    return [Wish(*row) for row in rows]


def is_pending(tx: Tx, uri: str, group_id: int) -> bool:
    """Whether a wish of this uri waits for this group."""
    mine = sa.and_(group_wishes.c.uri == uri, group_wishes.c.group_id == group_id, group_wishes.c.state == "pending")
    return tx.conn.execute(sa.select(group_wishes.c.id).where(mine)).first() is not None


def settle(tx: Tx, uri: str, state: str, reason: str = "") -> Wish | None:
    """The group has decided: `done` or `refused`. None when no wish of that uri is pending."""
    row = tx.conn.execute(_PENDING, {"uri": uri}).first()
    if row is None:
        return None
    tx.conn.execute(sa.update(group_wishes).where(group_wishes.c.uri == uri).values(state=state, reason=reason[:500]))
    return Wish(*row)
