"""One whole instance for tests of the edge: real parts, no sockets; other servers cannot be reached."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from fedcorp import keys
from fedcorp.app import Instance, create_app
from fedcorp.social import accounts, applications, passwords
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from tests.databases import make_config

PASSWORD = "correct horse"
ORIGIN = "http://finance.localhost"


@cache
def pair() -> keys.KeyPair:
    return keys.generate()


@cache
def password_hash() -> str:
    return passwords.hash_password(PASSWORD)


def _unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no network here", request=request)


@asynccontextmanager
async def running(folder: Path, **tables: Any) -> AsyncIterator[Instance]:
    """An instance that serves, without loops: `instance.worker.settle()` and `instance.streams.pump()` move it."""
    tables.setdefault("limits", {"enabled": False})
    config = make_config(folder, **tables)
    made = create_app(config, transport=httpx.MockTransport(_unreachable), worker=False)
    async with made.lifespan():
        await made.db.write(accounts.create_instance_actor, pair())
        yield made


async def hire(instance: Instance, name: str) -> tuple[Account, str]:
    """Somebody with the PASSWORD, and a token of theirs."""
    return await instance.db.write(_hire, name)


def _hire(tx: Tx, name: str) -> tuple[Account, str]:
    account = accounts.create_local(tx, name, pair())
    accounts.create_user(tx, account.id, email=f"{name}@example.com", password_hash=password_hash())
    application = applications.command_line_application(tx)
    held = "read write follow push"
    return account, applications.issue_token(tx, account_id=account.id, application_id=application.id, scopes=held)


def browser(instance: Instance) -> httpx.AsyncClient:
    """A browser: keeps cookies, does not follow redirects by itself."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=instance.app), base_url=ORIGIN, headers={"Accept": "text/html"}
    )
