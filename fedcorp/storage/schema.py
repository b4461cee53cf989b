"""Makes and upgrades the tables with Alembic, and says whether a database fits this version.

Migrations only ever expand first and contract in a later version, so that old and new processes can share a database.
"""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from fedcorp import webpush
from fedcorp.clock import Clock
from fedcorp.config import Config
from fedcorp.errors import ConfigError
from fedcorp.storage import sealed
from fedcorp.storage.database import is_clash, of_instance
from fedcorp.storage.sealed import Keyring
from fedcorp.storage.tables import keys, meta

_REVISION_TABLE = "alembic_version"
_REVISION = sa.select(sa.column("version_num", sa.Text)).select_from(sa.table(_REVISION_TABLE))
SEALED_WITH = "sealed_with"  # in the table `meta`: the name of the key with which everything is sealed


def upgrade(engine: Engine, config: Config, clock: Clock) -> None:
    """Bring the tables to the newest revision; make the instance's secrets when there are none, and seal all that are
    not sealed with the first of its keys. Raises ConfigError.
    """
    state = revision_state(engine)
    if state == "newer":
        raise ConfigError(
            "the database was made by a newer version of fedcorp; upgrade fedcorp, or use its own database."
        )
    if state != "current":
        from fedcorp.storage import migrations  # noqa: PLC0415 - a fifth of a start, and most have nothing to upgrade

        migrations.upgrade(engine)
    while True:
        try:
            with engine.connect() as conn:
                _keep_secrets(conn, config, clock)
            return
        except DBAPIError as error:
            if not is_clash(error):  # with another process that starts
                raise


def _keep_secrets(conn: Connection, config: Config, clock: Clock) -> None:
    held = _held(conn)
    keyring = sealed.load(config, make=clock if SEALED_WITH not in held else None)
    if held.get(SEALED_WITH) == keyring.name and not keyring.has_older:
        return
    if conn.dialect.name == "sqlite":  # whose engine commits every statement otherwise
        conn.exec_driver_sql("BEGIN IMMEDIATE")
    held = _held(conn)
    new = {"secret": clock.random_bytes(32).hex(), "vapid": webpush.private_pem(webpush.generate())}
    for key in new:
        if not held.get(key, "").startswith(keyring.mark):
            text = _opened(keyring, held[key], of_instance(key)) if key in held else new[key]
            _put(conn, held, key, keyring.seal(text, of_instance(key), clock))
    others = keys.c.private.not_like(f"{keyring.mark}%")
    for row in conn.execute(sa.select(keys.c.id, keys.c.private).where(keys.c.private.is_not(None), others)).all():
        text = keyring.seal(_opened(keyring, row.private, row.id), row.id, clock)
        conn.execute(sa.update(keys).where(keys.c.id == row.id).values(private=text))
    _put(conn, held, SEALED_WITH, keyring.name)
    conn.commit()


def _held(conn: Connection) -> dict[str, str]:
    return {row.key: row.value for row in conn.execute(sa.select(meta))}


def _opened(keyring: Keyring, text: str, of: str) -> str:
    """A secret as older versions kept it, or as it was sealed with any of the keys."""
    return keyring.open(text, of) if sealed.is_sealed(text) else text


def _put(conn: Connection, held: dict[str, str], key: str, value: str) -> None:
    statement = sa.update(meta).where(meta.c.key == key) if key in held else sa.insert(meta).values(key=key)
    conn.execute(statement.values(value=value))


def revision_state(engine: Engine) -> str:
    """`empty`, `older`, `current` or `newer`. Raises ConfigError when the database cannot be read."""
    try:
        with engine.connect() as conn:
            found = conn.execute(_REVISION).scalar() if sa.inspect(conn).has_table(_REVISION_TABLE) else None
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
    """The newest first, by the names of the files."""
    files = (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*_*.py")
    return tuple(sorted((file.name.partition("_")[0] for file in files), reverse=True))
