"""Invitations into groups: of anybody into ours, of our own people into those of others. Each ends at its time.

What an invitation opens is decided in `memberships.join`, who may invite in `stewardship`.
"""

from dataclasses import dataclass, fields

import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import invitations
from fedcorp.storage.upsert import insert_ignore

LIFETIME_MS = 14 * 86_400_000
LONGEST_MS = 90 * 86_400_000
LINK_MS = 3_600_000  # for who has found a group by its link, and will join it
MAX_MESSAGE = 1000


@dataclass(slots=True)
class Invitation:
    """One row of `invitations`; `state` is open, accepted, declined, revoked or expired, times are ms.

    Without `by_id` it was made by showing the link of the group.
    """

    id: int
    uri: str
    group_id: int
    account_id: int
    by_id: int | None
    message: str
    state: str
    expires_at: int
    created_at: int


_COLUMNS = [invitations.c[item.name] for item in fields(Invitation)]
_SELECT = sa.select(*_COLUMNS)
_OPEN = sa.and_(invitations.c.state == "open", invitations.c.expires_at > sa.bindparam("now"))
_FOR = _SELECT.where(
    invitations.c.group_id == sa.bindparam("group"), invitations.c.account_id == sa.bindparam("account"), _OPEN
).order_by(invitations.c.id.desc())
_OF_GROUP = _SELECT.where(invitations.c.group_id == sa.bindparam("group"), _OPEN).order_by(invitations.c.id.desc())
_OF_ACCOUNT = _SELECT.where(invitations.c.account_id == sa.bindparam("account"), _OPEN).order_by(
    invitations.c.id.desc()
)
_CLOSE = (
    sa.update(invitations)
    .where(invitations.c.group_id == sa.bindparam("group"), invitations.c.account_id == sa.bindparam("account"))
    .where(invitations.c.state == "open")
    .values(state=sa.bindparam("ending"))
)


def find(tx: Tx, id_: int) -> Invitation | None:
    """The invitation with this id."""
    row = tx.conn.execute(_SELECT.where(invitations.c.id == id_)).first()
    return Invitation(*row) if row else None


def find_by_uri(tx: Tx, uri: str) -> Invitation | None:
    """The invitation that this Invite made."""
    row = tx.conn.execute(_SELECT.where(invitations.c.uri == uri)).first()
    return Invitation(*row) if row else None


def find_open(tx: Tx, group_id: int, account_id: int) -> Invitation | None:
    """The invitation of this account into this group that still holds."""
    row = tx.conn.execute(_FOR, {"group": group_id, "account": account_id, "now": tx.ms}).first()
    return Invitation(*row) if row else None


def of_group(tx: Tx, group_id: int) -> list[Invitation]:
    """Those into a group that still hold, newest first."""
    return [Invitation(*row) for row in tx.conn.execute(_OF_GROUP, {"group": group_id, "now": tx.ms})]


def of_account(tx: Tx, account_id: int) -> list[Invitation]:
    """Those of an account that still hold, newest first."""
    return [Invitation(*row) for row in tx.conn.execute(_OF_ACCOUNT, {"account": account_id, "now": tx.ms})]


def keep(
    tx: Tx, group_id: int, account_id: int, by_id: int | None, *, uri: str, message: str, expires_at: int
) -> Invitation | None:
    """Write an invitation down, once for each uri; None when it is known already."""
    id_ = tx.new_id()
    values = {"id": id_, "uri": uri, "group_id": group_id, "account_id": account_id, "by_id": by_id}
    values |= {"message": message[:MAX_MESSAGE], "state": "open", "created_at": tx.ms}
    kept = insert_ignore(tx, invitations, **values, expires_at=min(expires_at, tx.ms + LONGEST_MS))
    return find(tx, id_) if kept else None


def close(tx: Tx, group_id: int, account_id: int, state: str) -> None:
    """End every open invitation of this account into this group."""
    tx.conn.execute(_CLOSE, {"group": group_id, "account": account_id, "ending": state})


def close_of_link(tx: Tx, group_id: int) -> None:
    """End those that the link of a group made: it was withdrawn."""
    made = sa.and_(invitations.c.group_id == group_id, invitations.c.by_id.is_(None), invitations.c.state == "open")
    tx.conn.execute(sa.update(invitations).where(made).values(state="revoked"))


def end_expired(tx: Tx) -> int:
    """End those whose time is over, so that a secret group does not show itself any longer; how many there were."""
    over = sa.and_(invitations.c.state == "open", invitations.c.expires_at <= tx.ms)
    return tx.conn.execute(sa.update(invitations).where(over).values(state="expired")).rowcount
