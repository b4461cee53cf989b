"""`fedcorp demo --check`: a small company, the life of a post told over HTTP as clients would, and everything removed.

Each step says how long it took to arrive where it should. Looks at servers from outside; only the approval of a member,
which Mastodon's API does not have for groups, is given by the verb.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.markup import escape

from fedcorp.clock import Clock
from fedcorp.commands import demo_company
from fedcorp.commands.demo_company import Company
from fedcorp.commands.demo_office import Office, issue_token
from fedcorp.commands.demo_people import DEPARTMENTS
from fedcorp.commands.demo_plan import Plan, Size
from fedcorp.commands.demo_servers import free_ports, stop_all
from fedcorp.commands.options import console
from fedcorp.errors import FedcorpError
from fedcorp.social import accounts

SMALL = Size(people=4, roots=24, replies=16, answers=8, favourites=24, reblogs=4, pictures=2, polls=2)
PATIENCE_SECONDS = 30.0
GROUP, OWNER = "year_end_close", "willem"

Json = Any


class Failed(Exception):
    """A step did not do what it should."""


@dataclass(slots=True)
class Client:
    """Somebody at a client: asks the server of their department in their name."""

    name: str
    home: str
    handle: str
    http: httpx.AsyncClient

    async def get(self, path: str, **params: Any) -> Json:
        return self._json(await self.http.get(path, params=params))

    async def post(self, path: str, **form: Any) -> Json:
        return self._json(await self.http.post(path, data=form))

    def _json(self, answer: httpx.Response) -> Json:
        if not answer.is_success:
            path = answer.request.url.path
            raise Failed(f"{self.handle}: {answer.request.method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json()

    async def find(self, handle: str) -> str:
        """The id that this department has for somebody."""
        found = await self.get("/api/v2/search", q=f"@{handle}", resolve="true", type="accounts")
        if not found["accounts"]:
            raise Failed(f"{self.handle} does not find @{handle}")
        return str(found["accounts"][0]["id"])

    async def find_at_home(self, text: str) -> Json | None:
        """The post with this text in the home timeline, also when a group passed it on."""
        for entry in await self.get("/api/v1/timelines/home", limit=40):
            status = entry.get("reblog") or entry
            if text in status["content"]:
                return status
        return None

    async def has(self, status_id: str) -> bool:
        """Whether this department still shows the post."""
        return (await self.http.get(f"/api/v1/statuses/{status_id}")).is_success

    async def is_told(self, kind: str, text: str = "", handle: str = "") -> bool:
        """Whether there is a notification of this kind, about a post with this text or from somebody."""
        for told in await self.get("/api/v1/notifications", **{"types[]": kind, "limit": 40}):
            content = (told.get("status") or {}).get("content", "")
            if text in content and told["account"]["acct"].startswith(handle):
                return True
        return False


@dataclass(slots=True)
class Story:
    """The steps in order; what they learn of ids is kept for the next."""

    people: dict[str, Client]
    clock: Clock
    held: bool = True
    ids: dict[str, str] = field(default_factory=dict)  # of the first post, by the name of who asks

    async def tell(self) -> bool:
        """Run all steps; whether every one held."""
        for title, step in (
            ("follow somebody of another department", self._follow),
            ("a post arrives in two other departments", self._post),
            ("a reply notifies its author", self._reply),
            ("a favourite is counted at home", self._favourite),
            ("joining a group waits for its owner", self._join),
            ("a group post reaches a third department", self._group_post),
            ("an edit arrives everywhere", self._edit),
            ("a deleted post is gone everywhere", self._delete),
            ("a partner sees what is for partners, not what is for the company", self._partner),
        ):
            await self._step(title, step)
        return self.held

    async def _step(self, title: str, step: Callable[[], Awaitable[None]]) -> None:
        began = self.clock.monotonic()
        try:
            await step()
            word, reason = "ok", ""
        except (Failed, httpx.HTTPError, KeyError) as error:
            word, reason, self.held = "failed", f" ({type(error).__name__}: {error})", False
        console.print(f"{word:<7}{self.clock.monotonic() - began:6.2f} s  {title}{escape(reason)}")

    async def _until(self, what: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        give_up = self.clock.monotonic() + PATIENCE_SECONDS
        while not (found := await ask()):
            if self.clock.monotonic() > give_up:
                raise Failed(f"{what}: not within {PATIENCE_SECONDS:.0f} s")
            await self.clock.sleep(0.05)
        return found

    async def _follow(self) -> None:
        author = self.people["author"]
        for role in ("reader", "third", "partner"):
            await self._follow_one(self.people[role], author.handle)

    async def _follow_one(self, client: Client, handle: str) -> None:
        id_ = await client.find(handle)
        await client.post(f"/api/v1/accounts/{id_}/follow")
        await self._until(f"{client.handle} follows {handle}", lambda: _is(client, id_, "following"))

    async def _post(self) -> None:
        author = self.people["author"]
        made = await author.post("/api/v1/statuses", status="Month close: day one is done, thank you.")
        self.ids["author"] = made["id"]
        for role in ("reader", "third"):
            client = self.people[role]
            found = await self._until(f"home of {client.handle}", partial(client.find_at_home, "day one is done"))
            self.ids[role] = found["id"]

    async def _reply(self) -> None:
        author, reader = self.people["author"], self.people["reader"]
        text = f"@{author.handle} Two accruals follow this afternoon."
        await reader.post("/api/v1/statuses", status=text, in_reply_to_id=self.ids["reader"])
        await self._until("notification", lambda: author.is_told("mention", "Two accruals"))

    async def _favourite(self) -> None:
        await self.people["reader"].post(f"/api/v1/statuses/{self.ids['reader']}/favourite")

        async def counted() -> bool:
            status = await self.people["author"].get(f"/api/v1/statuses/{self.ids['author']}")
            return bool(status["favourites_count"] == 1)

        await self._until("count", counted)

    async def _join(self) -> None:
        owner, third = self.people["owner"], self.people["third"]
        id_ = await third.find(f"{GROUP}@{owner.handle.partition('@')[2]}")
        asked = await third.post(f"/api/v1/accounts/{id_}/follow")
        if asked["following"]:
            raise Failed("the group let somebody in without being asked")
        await self._until("the owner is told", lambda: owner.is_told("mention", third.handle, handle=GROUP))
        await owner.post(f"/api/v1/follow_requests/{await owner.find(third.handle)}/authorize")
        await self._until("membership", lambda: _is(third, id_, "following"))

    async def _group_post(self) -> None:
        member, third, owner = self.people["member"], self.people["third"], self.people["owner"]
        group = f"@{GROUP}@{owner.handle.partition('@')[2]}"
        await member.post("/api/v1/statuses", status=f"Stock counts of hall C are in. {group}")
        await self._until("home of the third department", lambda: third.find_at_home("Stock counts of hall C"))

    async def _edit(self) -> None:
        author = self.people["author"]
        answer = await author.http.put(
            f"/api/v1/statuses/{self.ids['author']}", json={"status": "Month close: day one and two are done."}
        )
        if not answer.is_success:
            raise Failed(f"editing answered {answer.status_code}: {answer.text}")
        for role in ("reader", "third"):
            client = self.people[role]
            await self._until(f"copy of {client.handle}", partial(client.find_at_home, "day one and two are done"))

    async def _delete(self) -> None:
        author = self.people["author"]
        answer = await author.http.delete(f"/api/v1/statuses/{self.ids['author']}")
        if not answer.is_success:
            raise Failed(f"deleting answered {answer.status_code}: {answer.text}")
        for role in ("author", "reader", "third"):
            client, id_ = self.people[role], self.ids[role]
            await self._until(f"gone at {client.handle}", partial(_gone, client, id_))

    async def _partner(self) -> None:
        author, partner = self.people["author"], self.people["partner"]
        own = await author.post("/api/v1/statuses", status="Prices of next year, for the company only.")
        await author.post("/api/v1/statuses", status="Dock 2 is free again from Monday.", reach="partners")
        await self._until("home of the partner", lambda: partner.find_at_home("Dock 2 is free"))
        if await partner.find_at_home("for the company only"):
            raise Failed("the partner was sent a post for the company")
        answer = await partner.http.get("/api/v2/search", params={"q": own["uri"], "resolve": "true"})
        if answer.is_success and answer.json()["statuses"]:
            raise Failed("the partner could fetch a post for the company")


async def _is(client: Client, account_id: str, relation: str) -> bool:
    found = await client.get("/api/v1/accounts/relationships", **{"id[]": account_id})
    return bool(found and found[0][relation])


async def _gone(client: Client, status_id: str) -> bool:
    return not await client.has(status_id)


def run() -> bool:
    """Make, check and remove a small company; whether every step held."""
    folder = Path(tempfile.mkdtemp(prefix="fedcorp-check-"))
    try:
        port = asyncio.run(free_ports(len(DEPARTMENTS), Clock()))
        company = demo_company.create(folder, port)
        return asyncio.run(_check(company))
    except FedcorpError as error:
        console.print(f"failed  {escape(error.text)}")
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _check(company: Company) -> bool:
    clock = Clock()
    servers = demo_company.servers_of(company, clock)
    began = clock.monotonic()
    try:
        plan = await demo_company.fill(company, servers, SMALL, clock, lambda step: None)
        console.print(f"ok     {clock.monotonic() - began:6.2f} s  four servers with people and four weeks of posts")
        async with demo_company.offices_of(company, plan) as offices, contextlib.AsyncExitStack() as stack:
            people = {}
            for role, name in _cast(plan).items():
                office = offices[plan.people[name].home]
                people[role] = await _client(office, name, servers[office.key].base)
                stack.push_async_callback(people[role].http.aclose)

            held = await Story(people, clock).tell()
    finally:
        await stop_all(servers.values())
        clock.close()
    console.print(f"{'all held' if held else 'not all held'} after {clock.monotonic() - began:.0f} s")
    return held


def _cast(plan: Plan) -> dict[str, str]:
    """Who plays whom: role -> username. Nobody of them follows the author or is in the group before, but its member."""
    members = plan.members[GROUP]
    author = next(name for name in plan.people if plan.people[name].home == "finance" and name != OWNER)
    cast = {"author": author, "owner": OWNER}
    for role, home in (("reader", "operations"), ("third", "people"), ("partner", "supplier")):
        there = [name for name, member in plan.people.items() if member.home == home]
        new = [name for name in there if name not in members and (name, author) not in plan.follows]
        cast[role] = (new or there)[0]
    cast["member"] = next(name for name in members if plan.people[name].home == "operations")
    return cast


async def _client(office: Office, name: str, base: str) -> Client:
    account = await office.db.read(accounts.find_local, name)
    assert account is not None
    token = await office.db.write(issue_token, account.id)
    headers = {"Authorization": f"Bearer {token}"}
    http = httpx.AsyncClient(base_url=base, headers=headers, timeout=20, trust_env=False)
    return Client(name, office.key, account.handle, http)
