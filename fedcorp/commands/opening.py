"""Opens an instance for one command, beside a server that may be running: configuration, database, nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from fedcorp import config as configuration
from fedcorp.clock import Clock
from fedcorp.config import Config
from fedcorp.errors import ConfigError
from fedcorp.social import effects
from fedcorp.storage import schema
from fedcorp.storage.database import Database

T = TypeVar("T")


def check_exists(config: Config) -> None:
    """Raises ConfigError when the SQLite file is missing: opening would make an empty one in the wrong place."""
    path = Path(config.database_url.removeprefix("sqlite:///"))
    if config.database_url.startswith("sqlite:///") and not path.exists():
        raise ConfigError(f"there is no database {path}; make one with `fedcorp init`, or correct storage.database.")


@contextlib.asynccontextmanager
async def opened(config: Config, clock: Clock) -> AsyncIterator[Database]:
    """The open database of an instance, its tables at the newest revision. Raises ConfigError."""
    db = Database(config, clock, effects.apply)
    try:
        schema.upgrade(db.engine, config, clock)
        db.start()
        yield db
    finally:
        db.close()
        clock.close()


def run(path: Path, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run `work(db)` on the instance that the configuration file `path` describes."""
    config = configuration.load(path)
    check_exists(config)

    async def main() -> T:
        async with opened(config, Clock()) as db:
            return await work(db)

    return asyncio.run(main())
