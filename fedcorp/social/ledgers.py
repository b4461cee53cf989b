"""The ledgers of groups as people look at them: rows to show, and whether the chain is whole. Who writes and checks
them: the wire, which owns their form.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcorp.social import accounts, groups, memberships
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import groups as groups_table
from fedcorp.storage.tables import ledger, ledger_heads
from fedcorp.storage.tables import memberships as memberships_table


@dataclass(frozen=True, slots=True)
class State:
    """How far a chain reaches here (`seq`), how far it is known to reach, and since when (ms) it is in doubt."""

    seq: int = 0
    known: int = 0
    forked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A group whose ledger stands here, as its own or as a copy."""

    account: Account
    preset: str
    members: int
    state: State


_GROUP = sa.bindparam("group", type_=sa.BigInteger)
_STATE = sa.select(ledger_heads.c.seq, ledger_heads.c.known, ledger_heads.c.forked_at).where(
    ledger_heads.c.group_id == _GROUP
)
_HAS_COPY = sa.exists().where(ledger_heads.c.group_id == accounts_table.c.id)
_HAS_MEMBER = sa.exists().where(memberships_table.c.group_id == accounts_table.c.id)
_KEPT = (
    sa.select(accounts_table.c.id)
    .join(groups_table, groups_table.c.account_id == accounts_table.c.id)
    .where(accounts_table.c.deleted_at.is_(None), sa.or_(accounts_table.c.local, _HAS_COPY, _HAS_MEMBER))
    .order_by(accounts_table.c.local.desc(), accounts_table.c.username_key, accounts_table.c.domain)
)
_ENTRIES = Listing(sa.select(ledger.c.seq, ledger.c.entry).where(ledger.c.group_id == _GROUP), ledger.c.seq)


def state(tx: Tx, group_id: int) -> State:
    """Where the ledger of a group stands here."""
    row = tx.conn.execute(_STATE, {"group": group_id}).first()
    return State(*row) if row else State()


def kept(tx: Tx) -> list[Kept]:
    """All groups of this department, then those of others that people here belong to or that are copied here."""
    found = []
    for id_ in list(tx.conn.execute(_KEPT, {}).scalars()):
        account, rules = accounts.find(tx, id_), groups.find(tx, id_)
        if account is not None and rules is not None:
            found.append(Kept(account, rules.preset, memberships.count(tx, account), state(tx, id_)))
    return found


def entries(tx: Tx, group_id: int, page: Page) -> list[tuple[int, bytes]]:
    """(number, signed entry as JSON), latest first."""
    return [(row[0], bytes(row[1])) for row in _ENTRIES.rows(tx, page, group=group_id)]
