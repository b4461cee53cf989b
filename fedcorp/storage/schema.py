"""Makes and upgrades the tables with Alembic, and says whether a database fits this version.

Migrations only ever expand first and contract in a later version, so that old and new processes can share a database.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from fedcorp import webpush
from fedcorp.clock import Clock
from fedcorp.errors import ConfigError
from fedcorp.storage.tables import meta


def upgrade(engine: Engine, clock: Clock) -> None:
    """Bring the tables to the newest revision; make the instance's secrets when there are none. Raises ConfigError."""
    state = revision_state(engine)
    if state == "newer":
        raise ConfigError(
            "the database was made by a newer version of fedcorp; upgrade fedcorp, or use its own database."
        )
    if state != "current":
        with engine.connect() as conn:
            config = _alembic()
            config.attributes["connection"] = conn
            command.upgrade(config, "head")
            conn.commit()
    with engine.connect() as conn:
        _make(conn, "secret", lambda: clock.random_bytes(32).hex())
        _make(conn, "vapid", lambda: webpush.private_pem(webpush.generate()))
        conn.commit()


def _make(conn: Connection, key: str, value: Callable[[], str]) -> None:
    """Keep a secret of the instance under `key`, unless it has one; another process may do the same meanwhile."""
    if conn.execute(sa.select(meta.c.value).where(meta.c.key == key)).scalar() is None:
        module: Any = sqlite if conn.dialect.name == "sqlite" else postgresql
        conn.execute(module.insert(meta).values(key=key, value=value()).on_conflict_do_nothing())


def revision_state(engine: Engine) -> str:
    """`empty`, `older`, `current` or `newer`. Raises ConfigError when the database cannot be read."""
    try:
        with engine.connect() as conn:
            found = MigrationContext.configure(conn).get_current_revision()
    except DBAPIError as error:
        lines = str(error.orig).strip().splitlines() or [type(error).__name__]
        url = engine.url.render_as_string(hide_password=True)
        reason = lines[0].rstrip(".")
        raise ConfigError(
            f"the database {url} cannot be opened: {reason}; check storage.database, that the database "
            "server runs, and who owns the file."
        ) from None
    if found is None:
        return "empty"
    known = _revisions()
    if found == known[0]:
        return "current"
    return "older" if found in known else "newer"


@cache
def _revisions() -> tuple[str, ...]:
    """The newest first. Alembic compiles the files of all migrations for this, every time."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions())


def _alembic() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
