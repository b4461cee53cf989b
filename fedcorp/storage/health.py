"""Looks at a database from outside the two doors: can it be written, and does it fit this version? For the doctor."""

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError


def find_lock(url: str, seconds: float) -> str | None:
    """What keeps a writer out for longer than `seconds`, in the database's words; None when writing works."""
    arguments = {"timeout": seconds} if url.startswith("sqlite") else {"connect_timeout": max(1, int(seconds))}
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", connect_args=arguments)
    try:
        with engine.connect() as conn:
            _try_to_write(conn, seconds)
    except DBAPIError as error:
        return str(error.orig).strip().partition("\n")[0] or type(error).__name__
    finally:
        engine.dispose()
    return None


def _try_to_write(conn: sa.Connection, seconds: float) -> None:
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        conn.exec_driver_sql("BEGIN")
        conn.exec_driver_sql(f"SET LOCAL lock_timeout = {int(seconds * 1000)}")
        conn.exec_driver_sql("LOCK TABLE meta IN ROW EXCLUSIVE MODE")
    conn.exec_driver_sql("ROLLBACK")


def find_damage(engine: Engine) -> str | None:
    """What SQLite's own quick check complains about first; None when nothing, and on PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return None
    with engine.connect() as conn:
        words = conn.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    return None if words == "ok" else str(words)
