"""One whole instance for tests of the edge: real parts, no sockets; other servers cannot be reached.

`Person` talks to it as an app does, and holds every good answer against `tests.web.required_fields`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from PIL import Image
from starlette.datastructures import State

from fedcorp import keys
from fedcorp.app import Instance, create_app
from fedcorp.clock import Clock
from fedcorp.company import peers
from fedcorp.social import accounts, applications, memberships, passwords
from fedcorp.social.accounts import Account, RemoteAccount
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import users
from fedcorp.web.router import Router
from fedcorp.web.routes import ROUTES
from tests.databases import make_config
from tests.web import described, required_fields

PASSWORD = "correct horse"
ORIGIN = "http://finance.localhost"
EVERYTHING = "read write follow push"
_ROUTER = Router(ROUTES, State())


class MovableClock(Clock):
    """The real clock, which a test can put forward."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_ms = 0

    def ms(self) -> int:
        return super().ms() + self.ahead_ms

    def pass_(self, *, seconds: float) -> None:
        """Put the clock forward."""
        self.ahead_ms += int(seconds * 1000)


@cache
def pair() -> keys.KeyPair:
    return keys.generate()


@cache
def password_hash() -> str:
    return passwords.hash_password(PASSWORD)


def _unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no network here", request=request)


@asynccontextmanager
async def running(
    folder: Path, clock: Clock | None = None, network: httpx.AsyncBaseTransport | None = None, /, **tables: Any
) -> AsyncIterator[Instance]:
    """An instance that serves, without loops for work: `instance.worker.settle()` does what is due. Without `network`
    nobody can be reached."""
    tables.setdefault("limits", {"enabled": False})
    config = make_config(folder, **tables)
    made = create_app(config, clock=clock, transport=network or httpx.MockTransport(_unreachable), worker=False)
    async with made.lifespan():
        await made.db.write(accounts.create_instance_actor, pair())
        yield made


async def hire(instance: Instance, name: str, scopes: str = EVERYTHING) -> tuple[Account, str]:
    """Somebody with the PASSWORD, and a token of theirs."""
    return await instance.db.write(_hire, name, scopes)


def _hire(tx: Tx, name: str, scopes: str) -> tuple[Account, str]:
    account = accounts.create_local(tx, name, pair())
    accounts.create_user(tx, account.id, email=f"{name}@example.com", password_hash=password_hash())
    return account, _token(tx, account.id, scopes)


def _promote(tx: Tx, account_id: int, role: str) -> None:
    tx.conn.execute(sa.update(users).where(users.c.account_id == account_id).values(role=role))


def _token(tx: Tx, account_id: int | None, scopes: str) -> str:
    application = applications.command_line_application(tx)
    return applications.issue_token(tx, account_id=account_id, application_id=application.id, scopes=scopes)


def browser(instance: Instance) -> httpx.AsyncClient:
    """A browser: keeps cookies, does not follow redirects by itself."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=instance.app), base_url=ORIGIN, headers={"Accept": "text/html"}
    )


# -- people with an app ----------------------------------------------------------------------------------------------


def template(method: str, path: str) -> str:
    """The row of the table of routes that answers this request: "GET /api/v1/accounts/{id}"."""
    route, _ = _ROUTER.match(method, path.partition("?")[0])
    return f"{route.method} {route.path}"


class Caller:
    """Somebody with an app, with a token or without one."""

    def __init__(self, instance: Instance, token: str | None = None) -> None:
        self.instance = instance
        self.token = token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=instance.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request. Whatever comes back, good or bad, must be what a client can read."""
        response = await self.http.request(method, path, **options)
        assert response.headers["access-control-allow-origin"] == "*"
        if response.is_success:
            name = template(method, str(response.request.url.raw_path, "ascii"))
            required_fields.check(name, response.json())
            described.check(name, response)
        else:
            required_fields.check_entity("Error", response.json())
        return response

    async def _good(self, method: str, path: str, **options: Any) -> Any:
        response = await self.ask(method, path, **options)
        assert response.status_code == 200, (method, path, response.status_code, response.text)
        return response.json()

    async def get(self, path: str, **params: Any) -> Any:
        """The good answer to a GET; `params` in the query."""
        return await self._good("GET", path, params=params)

    async def ids(self, path: str, **params: Any) -> list[str]:
        """The ids of a list."""
        return [item["id"] for item in await self.get(path, **params)]

    async def post(self, path: str, **body: Any) -> Any:
        """The good answer to a POST of JSON."""
        return await self._good("POST", path, json=body)

    async def put(self, path: str, **body: Any) -> Any:
        """The good answer to a PUT of JSON."""
        return await self._good("PUT", path, json=body)

    async def delete(self, path: str, **body: Any) -> Any:
        """The good answer to a DELETE with JSON."""
        return await self._good("DELETE", path, json=body)

    async def patch(self, path: str, **body: Any) -> Any:
        """The good answer to a PATCH of JSON."""
        return await self._good("PATCH", path, json=body)

    async def refused(self, status: int, method: str, path: str, **options: Any) -> str:
        """The sentence of a request that must be refused with this status."""
        response = await self.ask(method, path, **options)
        assert response.status_code == status, (method, path, response.status_code, response.text)
        return str(response.json()["error"])


class Person(Caller):
    """Somebody who works here, with short words for what tests do most."""

    def __init__(self, instance: Instance, account: Account, token: str) -> None:
        super().__init__(instance, token)
        self.account = account
        self.id = str(account.id)
        self.name = account.username

    async def publish(self, text: str, **values: Any) -> Any:
        """A new status."""
        return await self.post("/api/v1/statuses", status=text, **values)

    async def follow(self, other: "Person | str", **how: Any) -> Any:
        """Follow somebody, or join a group."""
        return await self.post(f"/api/v1/accounts/{other if isinstance(other, str) else other.id}/follow", **how)

    async def do(self, verb: str, status: Any, **body: Any) -> Any:
        """favourite, reblog, bookmark, pin, mute ... a status."""
        return await self.post(f"/api/v1/statuses/{status['id']}/{verb}", **body)

    async def towards(self, other: "Person | str", verb: str, **body: Any) -> Any:
        """follow, block, mute ... an account."""
        return await self.post(f"/api/v1/accounts/{other if isinstance(other, str) else other.id}/{verb}", **body)

    async def relationship(self, other: "Person | str") -> Any:
        """How this person stands to another account."""
        id_ = other if isinstance(other, str) else other.id
        return (await self.get("/api/v1/accounts/relationships", **{"id[]": id_}))[0]

    async def home(self) -> list[str]:
        """The ids of what the home timeline shows; of boosts, what they show."""
        return [(item["reblog"] or item)["id"] for item in await self.get("/api/v1/timelines/home", limit=40)]

    async def notified(self) -> list[tuple[str, str]]:
        """(kind, from whom) of all notifications, newest first."""
        found = await self.get("/api/v1/notifications", limit=80)
        return [(item["type"], item["account"]["acct"]) for item in found]

    async def upload(self, content: bytes | None = None, mime: str = "image/png", **data: Any) -> Any:
        """Attach a picture."""
        file = ("picture", picture() if content is None else content, mime)
        return await self._good("POST", "/api/v2/media", files={"file": file}, data=data)


class Office:
    """The department under test and the people in it."""

    def __init__(self, instance: Instance, clock: MovableClock) -> None:
        self.instance = instance
        self.clock = clock
        self.db = instance.db
        self.anybody = Caller(instance)

    async def person(self, name: str, scopes: str = EVERYTHING) -> Person:
        """Somebody new, with a token for these scopes."""
        return Person(self.instance, *await hire(self.instance, name, scopes))

    async def staff(self, name: str, role: str = "moderator") -> Person:
        """Somebody who looks after the department, with a token that may."""
        person = await self.person(name, f"{EVERYTHING} admin:read admin:write")
        await self.db.write(_promote, person.account.id, role)
        return person

    async def app(self, person: Person | None, scopes: str) -> Caller:
        """Another app of this person; without a person, an app that speaks for itself."""
        account_id = person.account.id if person else None
        return Caller(self.instance, await self.db.write(_token, account_id, scopes))

    async def group(self, owner: Person, name: str, preset: str = "open", reach: str | None = None) -> str:
        """A group of this department; its id."""
        made = await self.db.write(
            memberships.found, owner.account, name, pair(), title=name.title(), preset=preset, reach=reach
        )
        return str(made.id)

    async def colleague(self, name: str, domain: str = "sales.localhost", tier: str = "department") -> Account:
        """Somebody of another server, which is a peer of this tier."""
        await self.db.write(peers.add, domain, tier)
        origin = f"http://{domain}"
        remote = RemoteAccount(
            uri=f"{origin}/u/{name}", url=f"{origin}/@{name}", origin=origin, kind="person", username=name,
            domain=domain, inbox_uri=f"{origin}/u/{name}/inbox",
        )  # fmt: skip
        return await self.db.write(accounts.upsert_remote, remote)

    async def settle(self) -> None:
        """Do all work that is due."""
        await self.instance.worker.settle()


@cache
def picture(colour: str = "teal", size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """A small picture in one colour."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()
