"""`fedcorp init`: writes the configuration, makes the tables, the keys and the instance actor. Never overwrites."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.markup import escape

from fedcorp import config as configuration
from fedcorp import keys
from fedcorp.clock import Clock
from fedcorp.commands.opening import opened
from fedcorp.commands.options import console
from fedcorp.config import Config
from fedcorp.errors import ConfigError
from fedcorp.social import accounts
from fedcorp.storage import tables
from fedcorp.storage.database import Database, Tx

LOOPBACK = ["127.0.0.0/8", "::1/128"]


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the new instance.")],
    domain: Annotated[str, typer.Option(metavar="HOST[:PORT]", help="Its name for good: the part after @ in handles.")],
    name: Annotated[str, typer.Option(help="The name people see, like Finance.")],
    url: Annotated[str, typer.Option(help="The address it is reached at, when that is not https://DOMAIN.")] = "",
    database: Annotated[str, typer.Option(help="postgresql://... instead of SQLite in the folder.")] = "",
) -> None:
    """Make a new instance: configuration, database, keys."""
    path = folder / "config.toml"
    config = create(folder, domain=domain, name=name, url=url, database=database)
    console.print(f"{escape(config.name)} is ready in {escape(str(folder))}; its address is {config.origin}.")
    console.print(f"Keep a copy of {escape(str(folder / config.storage.key))} apart from copies of the database.")
    console.print(f"Next: fedcorp account create NAME -c {escape(str(path))}")
    console.print(f"Then: fedcorp serve -c {escape(str(path))}")


def create(folder: Path, *, domain: str, name: str, url: str = "", database: str = "") -> Config:
    """Make an instance in `folder`. Raises ConfigError, also when there is one already."""
    path = folder / "config.toml"
    if path.exists():
        raise ConfigError(f"{path} exists already; choose another folder, or edit the file to change the instance.")
    values = _values(domain, name, url, database)
    config = configuration.parse(values, folder=folder, source="the command")
    _refuse_old_database(config)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(_make(config))
    path.write_text(_toml(values), encoding="utf-8")  # last: an instance with a configuration is complete
    return configuration.load(path)


def _refuse_old_database(config: Config) -> None:
    file = Path(config.database_url.removeprefix("sqlite:///"))
    if config.database_url.startswith("sqlite:///") and file.exists():
        raise ConfigError(
            f"{file} exists already but has no configuration beside it; move it away or restore config.toml."
        )


def _values(domain: str, name: str, url: str, database: str) -> dict[str, Any]:
    values: dict[str, Any] = {"domain": domain, "name": name}
    if url:
        values["url"] = url
    if configuration.is_loopback_name(domain):
        _, _, port = domain.rpartition(":")
        if port.isdigit():
            values["server"] = {"port": int(port)}
        values["federation"] = {"networks": LOOPBACK}
    if database:
        values["storage"] = {"database": database}
    return values


def _toml(values: dict[str, Any]) -> str:
    """TOML of text, numbers, lists and one level of tables. JSON's way to write text and lists is TOML's as well."""
    lines = ["# Every key, its default and what it does: config.example.toml of fedcorp.", ""]
    lines += [f"{key} = {_literal(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for table, inner in values.items():
        if isinstance(inner, dict):
            lines += ["", f"[{table}]", *(f"{key} = {_literal(value)}" for key, value in inner.items())]
    return "\n".join(lines) + "\n"


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


async def _make(config: Config) -> None:
    async with opened(config, Clock()) as db:
        await prepare(db)


async def prepare(db: Database) -> None:
    """Make the instance actor. Raises ConfigError when the database is another instance's."""
    if await db.read(_has_accounts):
        raise ConfigError("the database holds an instance already; give this one a database of its own.")
    await db.write(accounts.create_instance_actor, keys.generate())


def _has_accounts(tx: Tx) -> bool:
    return tx.conn.execute(sa.select(tables.accounts.c.id).limit(1)).first() is not None
