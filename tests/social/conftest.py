"""A department for the tests of `fedcorp.social`: an open database, a clock that stands still, people and posts."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import pytest

from fedcorp import keys
from fedcorp.clock import Clock
from fedcorp.social import accounts, effects, memberships, publishing
from fedcorp.social.accounts import Account, RemoteAccount
from fedcorp.social.publishing import Draft
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Database, Tx
from tests.databases import make_config

P = ParamSpec("P")
T = TypeVar("T")


class StandingClock(Clock):
    """Time moves when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 1_780_000_000_000

    def ms(self) -> int:
        return self.now_ms

    def pass_(self, *, seconds: float = 0, ms: int = 0) -> None:
        self.now_ms += int(seconds * 1000) + ms


@cache
def one_pair() -> keys.KeyPair:
    """Keys cost time; these tests sign nothing, so all share one pair."""
    return keys.generate()


class Department:
    """The doors of one database, and short ways to fill it."""

    def __init__(self, db: Database, clock: StandingClock) -> None:
        self.db = db
        self.clock = clock

    async def do(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a verb, one millisecond after the last one."""
        self.clock.pass_(ms=1)
        return await self.db.write(work, *args, **kwargs)

    async def see(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a question."""
        return await self.db.read(work, *args, **kwargs)

    async def person(self, name: str, *, role: str = "user", **values: Any) -> Account:
        """Somebody of this department who can log in."""
        return await self.do(_person, name, role, values)

    async def stranger(self, name: str, domain: str = "sales.localhost", kind: str = "person") -> Account:
        """Somebody of another department."""
        origin = f"http://{domain}"
        uri = f"{origin}/u/{name}"
        remote = RemoteAccount(
            uri=uri, url=f"{origin}/@{name}", origin=origin, kind=kind, username=name, domain=domain,
            inbox_uri=uri + "/inbox",
        )  # fmt: skip
        return await self.do(accounts.upsert_remote, remote)

    async def group(self, owner: Account, name: str, preset: str = "open") -> Account:
        """A group with its first member."""
        return await self.do(memberships.found, owner, name, one_pair(), title=name.title(), preset=preset)

    async def post(self, author: Account, text: str = "hello", **values: Any) -> Status:
        """A status."""
        return await self.do(publishing.publish, author, Draft(text=text, **values))


def _person(tx: Tx, name: str, role: str, values: dict[str, Any]) -> Account:
    account = accounts.create_local(tx, name, one_pair(), **values)
    accounts.create_user(tx, account.id, email=f"{name}@example.com", password_hash="", role=role)
    return account


@pytest.fixture
def department(tmp_path: Path) -> Iterator[Department]:
    """A department without people."""
    clock = StandingClock()
    db = Database(make_config(tmp_path), clock, effects.apply)
    db.start()
    yield Department(db, clock)
    db.close()
