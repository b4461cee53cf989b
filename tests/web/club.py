"""A group with one person in each role, as tests of our own API of groups need it."""

import re
from dataclasses import dataclass, field
from typing import Any

from fedcorp.social import accounts, groups, memberships
from fedcorp.social.accounts import Account, RemoteAccount, RemoteGroup
from fedcorp.social.memberships import Affiliation
from fedcorp.storage.database import Tx
from tests.web.instance import Caller, Office, Person

GROUPS = "/api/fedcorp/v1/groups"
ROLES = ("outcast", "outsider", "member", "moderator", "admin")


@dataclass
class Cast:
    """One person for each role, and `other`, who is a simple member too."""

    office: Office
    people: dict[str, Person] = field(default_factory=dict)

    async def club(self, name: str, preset: str = "open", **settings: Any) -> "Club":
        """A new group with everybody in their roles; `settings` as in PATCH."""
        admin = self.people["admin"]
        club = Club(await self.office.group(admin, name, preset), name, self)
        if settings:
            await admin.patch(club.path, **settings)
        for role in ("member", "other", "moderator"):
            await club.let_in(self.people[role])
        await admin.put(f"{club.path}/members/{self.people['moderator'].id}", role="moderator")
        await admin.post(f"{club.path}/bans", account_id=self.people["outcast"].id, reason="spam")
        return club


@dataclass(frozen=True)
class Club:
    """A group of this department."""

    id: str
    name: str
    cast: Cast

    @property
    def path(self) -> str:
        return f"{GROUPS}/{self.id}"

    def who(self, role: str) -> Person:
        return self.cast.people[role]

    async def let_in(self, person: Person) -> None:
        """Invited by the admin, and joined."""
        await self.cast.people["admin"].post(f"{self.path}/invites", account_id=person.id)
        assert (await person.post(f"{self.path}/join"))["role"] == "member"

    async def publish(self, person: Person, words: str = "hello", **values: Any) -> Any:
        """A post to the group."""
        return await person.publish(f"@{self.name} {words}", **values)

    async def place(self, person: Person, status: Any) -> dict[str, Any]:
        """How a status stands in this group, as this person is told."""
        (found,) = await person.get(f"/api/fedcorp/v1/statuses/{status['id']}/groups")
        assert found["account"]["id"] == self.id
        return dict(found)

    async def judge(self, person: Person, status: Any, verb: str, **body: Any) -> Any:
        """remove, lock, pin ... a status."""
        return await person.post(f"{self.path}/statuses/{status['id']}/{verb}", **body)

    async def no_judge(self, code: int, person: Person, status: Any, verb: str) -> str:
        """The sentence of a verdict that must be refused."""
        return await person.refused(code, "POST", f"{self.path}/statuses/{status['id']}/{verb}")

    async def listed(self, person: Person, **params: Any) -> list[str]:
        """The ids of what the group passed on, as its profile shows it."""
        found = await person.get(f"/api/v1/accounts/{self.id}/statuses", **params)
        return [item["reblog"]["id"] for item in found if item["reblog"]]  # the others are notices to the person

    async def role_of(self, person: Person) -> str | None:
        """What somebody is in the group, as they are told themselves."""
        role: str | None = (await person.get(self.path))["role"]
        return role


async def hire_cast(office: Office) -> Cast:
    """Everybody; the names begin with the roles."""
    return Cast(office, {role: await office.person(f"{role}1") for role in (*ROLES, "other")})


async def elsewhere(office: Office, *admins: Person) -> str:
    """A group of another department, which cannot be reached, as it is known here; its id."""
    await office.colleague("bo")
    return str((await office.db.write(_elsewhere, admins)).id)


def _elsewhere(tx: Tx, admins: tuple[Person, ...]) -> Account:
    origin = "http://sales.localhost"
    told = RemoteGroup("request", "company", "approval", "everyone", "members")
    group = accounts.upsert_remote(
        tx,
        RemoteAccount(
            uri=f"{origin}/g/1", url=f"{origin}/@choir", origin=origin, kind="group", username="choir",
            domain="sales.localhost", inbox_uri=f"{origin}/g/1/inbox", group=told,
        ),
    )  # fmt: skip
    groups.save_remote(tx, group.id, told)
    for person in admins:
        role = Affiliation(person.account.uri, person.account.origin, "admin", since_at=tx.ms)
        memberships.copy(tx, group, role)
    return group


_NEXT, _PREV = (re.compile(rf'<([^>]*)>; rel="{relation}"') for relation in ("next", "prev"))


async def walk(caller: Caller, path: str, limit: int, **params: Any) -> list[Any]:
    """All pages of a list by its Link headers, from the newest to the oldest; and, on the way, back again.

    Ledgers are lists of their entries. Every page but the last is full.
    """
    response = await caller.ask("GET", path, params={"limit": limit, **params})
    pages = [_items(response.json())]
    back = None
    while found := _NEXT.search(response.headers.get("link", "")):
        response = await caller.ask("GET", found[1])
        items = _items(response.json())
        if not items:
            break
        assert len(pages[-1]) == limit
        pages.append(items)
        back = _PREV.search(response.headers["link"]) or back
    if back is not None:
        before = await caller.ask("GET", back[1])
        assert _items(before.json()) == pages[-2], "the way back leads elsewhere"
    return [item for page in pages for item in page]


def _items(body: Any) -> list[Any]:
    return list(body["entries"] if isinstance(body, dict) else body)
