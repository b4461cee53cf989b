"""Insert-or-ignore and insert-or-update, written once for both databases."""

from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from fedcorp.storage.database import Tx


def insert_ignore(tx: Tx, table: Table, **values: Any) -> bool:
    """Insert a row unless a unique key already holds; say whether it was inserted."""
    return tx.conn.execute(_ignoring(tx.dialect, table), values).rowcount > 0


def upsert(tx: Tx, table: Table, key: tuple[str, ...], /, **values: Any) -> None:
    """Insert a row, or update all other given columns of the row with the same `key`."""
    changed = tuple(name for name in values if name not in key)
    tx.conn.execute(_updating(tx.dialect, table, key, changed), values)


def _insert(dialect: str, table: Table) -> Any:
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


@cache
def _ignoring(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


@cache
def _updating(dialect: str, table: Table, key: tuple[str, ...], changed: tuple[str, ...]) -> Any:
    statement = _insert(dialect, table)
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={name: statement.excluded[name] for name in changed}
    )
