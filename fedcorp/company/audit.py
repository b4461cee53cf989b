"""The audit: who did what to whom here, when and why. It only grows; the database refuses to change or remove a row.

Written in the transaction of the act itself. Decides nothing, and holds nothing that people wrote to each other: a
`reason` is what whoever acted gives as theirs.
"""

from dataclasses import dataclass, fields

import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import audit

COMMAND_LINE = "command line"
"""Who acted, when it was the administrator of the machine."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of `audit`: `actor` and `subject` are addresses, domains or numbers, `act` is like `account.suspend`."""

    seq: int
    created_at: int
    actor: str
    act: str
    subject: str
    outcome: str
    reason: str


_SELECT = sa.select(*(audit.c[item.name] for item in fields(Entry)))


def note(tx: Tx, actor: str, act: str, subject: str, reason: str = "", *, outcome: str = "done") -> None:
    """Write down an act, in the transaction that does it."""
    values = {"created_at": tx.ms, "actor": actor, "act": act, "subject": subject}
    tx.conn.execute(sa.insert(audit).values(**values, outcome=outcome, reason=reason))


def listing(
    tx: Tx,
    limit: int,
    *,
    below: int | None = None,
    above: int | None = None,
    upward: bool = False,
    actor: str = "",
    act: str = "",
    subject: str = "",
) -> list[Entry]:
    """Entries, latest first: those whose `seq` is `below` and `above` these, by this actor, of acts that begin with
    `act`, about this subject. With `upward` those nearest to `above`."""
    statement = _SELECT
    if below is not None:
        statement = statement.where(audit.c.seq < below)
    if above is not None:
        statement = statement.where(audit.c.seq > above)
    if actor:
        statement = statement.where(audit.c.actor == actor)
    if act:
        statement = statement.where(audit.c.act.startswith(act, autoescape=True))
    if subject:
        statement = statement.where(audit.c.subject == subject)
    order = audit.c.seq.asc() if upward else audit.c.seq.desc()
    found = [Entry(*row) for row in tx.conn.execute(statement.order_by(order).limit(limit))]
    return found[::-1] if upward else found
