"""The ledgers of groups as people look at them: rows to show, and whether the chain is whole. Who writes and checks
them: the wire, which owns their form.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import ledger, ledger_heads


@dataclass(frozen=True, slots=True)
class State:
    """How far a chain reaches here (`seq`), how far it is known to reach, and since when (ms) it is in doubt."""

    seq: int = 0
    known: int = 0
    forked_at: int | None = None


_GROUP = sa.bindparam("group", type_=sa.BigInteger)
_STATE = sa.select(ledger_heads.c.seq, ledger_heads.c.known, ledger_heads.c.forked_at).where(
    ledger_heads.c.group_id == _GROUP
)
_ENTRIES = Listing(sa.select(ledger.c.seq, ledger.c.entry).where(ledger.c.group_id == _GROUP), ledger.c.seq)


def state(tx: Tx, group_id: int) -> State:
    """Where the ledger of a group stands here."""
    row = tx.conn.execute(_STATE, {"group": group_id}).first()
    return State(*row) if row else State()


def entries(tx: Tx, group_id: int, page: Page) -> list[tuple[int, bytes]]:
    """(number, signed entry as JSON), latest first."""
    return [(row[0], bytes(row[1])) for row in _ENTRIES.rows(tx, page, group=group_id)]
