"""A group of one department and the people of four who use it over HTTP, as clients and pages do.

The stage keeps what the group should be now: `roles` and `posts`. Every step changes that, lets everything arrive, and
compares each department with it (`agree`): who belongs, what is read and by whom, what became of every post, and
ledgers that end alike and verify. While a server is cut off, steps are only taken; `mend` brings it back and compares.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from fedcorp.activitypub import ledger, ledger_copy
from fedcorp.social import accounts, statuses
from fedcorp.storage.database import Tx
from tests.federation.world import Company, Department, Person, plain

API = "/api/fedcorp/v1/groups"
DEPARTMENTS = ("finance", "operations", "people", "legal")
CAST = {"ann": 0, "abe": 0, "bo": 1, "ben": 1, "cy": 2, "cleo": 2, "di": 3, "dan": 3}
"""Who works where; the group lives in finance, the first."""
BELONG = ("member", "moderator", "admin")
NAME = "robots"
TOLD = (
    "uri", "url", "name", "title", "description", "created_at", "members_count",
    "preset", "reach", "joining", "reading", "posting", "inviting", "history", "outsiders", "premoderated",
    "purpose", "rules", "topics", "ends_at",
)  # fmt: skip
MOST_ASKED = 40  # statuses that are shown for one request


@dataclass
class Post:
    """A post to the group, and what should have become of it."""

    author: Any  # a Person; None for somebody on a server of another make
    uri: str
    text: str
    id: str
    root: "Post | None" = None
    state: str = "distributed"
    reason: str = ""
    locked: bool = False
    pinned: bool = False
    unread_by: set[str] = field(default_factory=set)

    @property
    def words(self) -> str:
        """The words without the name of the group, which each department writes its own way."""
        return bare(f"@{NAME} {self.text}")


def bare(text: str) -> str:
    """Words without the mentions in front."""
    words = text.split()
    while words and words[0].startswith("@"):
        words.pop(0)
    return " ".join(words)


class Stage:
    """Four departments, their people, and the group `robots` of finance, which ann founded."""

    def __init__(self, company: Company, departments: list[Department], people: dict[str, Person]) -> None:
        self.company = company
        self.departments = departments
        self.people = people
        self.home = departments[0]
        self.handle = f"{NAME}@{self.home.domain}"
        self.roles: dict[str, str] = {"ann": "admin"}
        self.posts: list[Post] = []
        self.members_only = False
        self.secret = False
        self.announces = False
        self.joining_waits = False
        self.gone = False
        self.parted = False
        self.waiting: list[tuple[Person, str, str]] = []

    def __getattr__(self, name: str) -> Person:
        try:
            return self.__dict__["people"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None

    def name_of(self, person: Person) -> str:
        """The key of somebody in `roles`."""
        return person.account.username

    # -- where things stand ------------------------------------------------------------------------------------------

    async def id_at(self, department: Department) -> int | None:
        """The id of the group's account at a department; None where it is not known."""
        found = await department.db.read(accounts.find_by_handle, NAME, self.home.domain)
        return found.id if found is not None else None

    async def id_for(self, person: Person) -> int:
        """The id of the group for somebody."""
        found = await self.id_at(person.department)
        assert found is not None, f"{person.handle} does not know the group"
        return found

    async def view(self, person: Person) -> Any:
        """The group as somebody sees it."""
        return await person.get(f"{API}/{await self.id_for(person)}")

    async def status_id(self, department: Department, post: Post) -> int | None:
        """The id of a post at a department."""
        found = await department.db.read(statuses.find_by_uri, post.uri)
        return found.id if found is not None and found.deleted_at is None else None

    async def listed(self, person: Person) -> list[str]:
        """The words in somebody's virtual list of the group."""
        items = await person.get(f"/api/v1/timelines/list/{await self.id_for(person)}", limit=40)
        return sorted(bare(plain(item["content"])) for item in items)

    async def finds(self, person: Person) -> bool:
        """Whether the search of a client shows the group to somebody who types its whole name."""
        found = await person.get("/api/v2/search", q=self.handle, type="accounts", resolve="true")
        return any(item["acct"].partition("@")[0] == NAME for item in found["accounts"])

    # -- doing things ------------------------------------------------------------------------------------------------

    async def send(self, person: Person, method: str, path: str = "", **body: Any) -> httpx.Response:
        """A request of somebody to the group, whatever the answer."""
        return await person.send(method, f"{API}/{await self.id_for(person)}{path}", **body)

    async def do(self, person: Person, method: str, path: str = "", *, refused: str = "", **body: Any) -> Any:
        """What somebody does to the group. Of a group elsewhere it is pending, then done, or `refused` with these
        words."""
        response = await self.send(person, method, path, **body)
        if person.department is self.home:
            assert response.status_code == 200, (path, response.status_code, response.text)
            await self.settle()
            return response.json()
        assert response.status_code == 202, (path, response.status_code, response.text)
        wish = response.json()
        assert wish["state"] == "pending"
        shown = await self.send(person, "GET")  # whoever declined knows of a secret group no longer
        assert shown.status_code == 404 or shown.json()["pending"][0] == wish
        if self.parted:
            self.waiting.append((person, wish["id"], refused))
        else:
            await self.settle()
            await self.decided(person, wish["id"], refused)
        return wish

    async def decided(self, person: Person, wish_id: str, refused: str = "") -> None:
        """What became of a wish."""
        response = await self.send(person, "GET")
        if response.status_code == 404:  # they may know of the group no longer, or it is gone
            return
        found = {item["id"]: item for item in response.json()["pending"]}[wish_id]
        assert found["state"] == ("refused" if refused else "done"), found
        assert refused in found["reason"], found

    async def barred(self, person: Person, method: str, path: str = "", *, status: int = 403, **body: Any) -> None:
        """Somebody's own server tells them at once that this is not theirs to do."""
        response = await self.send(person, method, path, **body)
        assert response.status_code == status, (path, response.status_code, response.text)
        await self.agree()

    async def settle(self) -> None:
        """Let everything arrive that can."""
        await self.company.settle()

    @asynccontextmanager
    async def without(self, department: Department) -> AsyncIterator[None]:
        """A department is cut off meanwhile; afterwards all is caught up with and compared."""
        self.company.network.cut.add(department.domain)
        self.parted = True
        yield
        await self.settle()
        self.company.network.cut.discard(department.domain)
        self.parted = False
        await self.company.retry()
        for person, wish_id, refused in self.waiting:
            await self.decided(person, wish_id, refused)
        self.waiting.clear()
        await self.agree()

    # -- steps: members ----------------------------------------------------------------------------------------------

    async def join(self, person: Person, *, waits: bool = False, message: str = "", link: str = "") -> None:
        """Somebody joins by the groups API."""
        await person.find(self.handle)
        response = await self.send(person, "POST", "/join", message=message, link=link)
        at_once = person.department is self.home and not waits
        assert response.status_code == (200 if at_once else 202), response.text
        await self.joined(person, waits=waits)

    async def follow(self, person: Person, *, waits: bool = False) -> None:
        """Somebody joins as every client can: by following."""
        relationship = await person.follow(self.handle)
        assert relationship["following"] or relationship["requested"]
        await self.joined(person, waits=waits)

    async def joined(self, person: Person, *, waits: bool = False) -> None:
        """They belong now, or wait."""
        if not waits:
            self.roles[self.name_of(person)] = "member"
        await self.settle()
        if not self.parted:
            assert (await self.view(person))["requested"] is waits
        await self.agree()

    async def approve(self, moderator: Person, applicant: Person) -> None:
        """A moderator lets in somebody who asked."""
        asking = await moderator.get(f"{API}/{await self.id_for(moderator)}/requests")
        assert applicant.account.username in [item["account"]["username"] for item in asking]
        await self.do(moderator, "POST", f"/requests/{await moderator.find(applicant.handle)}/approve")
        self.roles[self.name_of(applicant)] = "member"
        await self.agree()

    async def reject(self, moderator: Person, applicant: Person, reason: str) -> None:
        """A moderator refuses somebody who asked."""
        await self.do(moderator, "POST", f"/requests/{await moderator.find(applicant.handle)}/reject", reason=reason)
        await self.agree()

    async def invite(self, member: Person, invitee: Person, message: str = "", **how: Any) -> None:
        """Somebody is invited."""
        await self.do(member, "POST", "/invites", acct=invitee.handle, message=message, **how)
        if not self.parted:
            assert (await self.view(invitee))["invited"]
        await self.agree()

    async def leave(self, person: Person) -> None:
        """Somebody leaves as every client can: by unfollowing."""
        await person.post(f"/api/v1/accounts/{await self.id_for(person)}/unfollow")
        del self.roles[self.name_of(person)]
        await self.settle()
        await self.agree()

    async def give(self, admin: Person, member: Person, role: str) -> None:
        """A member gets a role."""
        await self.do(admin, "PUT", f"/members/{await admin.find(member.handle)}", role=role)
        self.roles[self.name_of(member)] = role
        await self.agree()

    async def remove(self, moderator: Person, member: Person, reason: str = "") -> None:
        """A membership ends."""
        await self.do(moderator, "DELETE", f"/members/{await moderator.find(member.handle)}", reason=reason)
        del self.roles[self.name_of(member)]
        await self.agree()

    async def ban(self, moderator: Person, subject: Person, reason: str = "", **how: Any) -> None:
        """Somebody is kept out."""
        await self.do(moderator, "POST", "/bans", acct=subject.handle, reason=reason, **how)
        self.roles[self.name_of(subject)] = "outcast"
        await self.agree()

    async def unban(self, moderator: Person, subject: Person) -> None:
        """A ban is lifted."""
        await self.do(moderator, "DELETE", f"/bans/{await moderator.find(subject.handle)}")
        del self.roles[self.name_of(subject)]
        await self.agree()

    # -- steps: posts ------------------------------------------------------------------------------------------------

    def mention(self, person: Person) -> str:
        """How somebody writes to the group."""
        return f"@{NAME}" if person.department is self.home else f"@{self.handle}"

    async def post(
        self, author: Person, words: str, *, state: str = "distributed", reason: str = "", **more: Any
    ) -> Post:
        """Somebody writes to the group."""
        made = await author.publish(f"{self.mention(author)} {words}", **more)
        post = Post(author, made["uri"], words, made["id"], state=state, reason=reason)
        self.posts.append(post)
        if author.department is not self.home:
            assert await self.place(author, post) == ("pending", "", False, False)
        await self.settle()
        await self.agree()
        return post

    async def reply(self, author: Person, to: Post, words: str, *, state: str = "distributed") -> Post:
        """Somebody answers in the group, without naming it."""
        parent = await self.status_id(author.department, to)
        made = await author.publish(words, in_reply_to_id=str(parent))
        post = Post(author, made["uri"], words, made["id"], root=to.root or to, state=state)
        self.posts.append(post)
        await self.settle()
        await self.agree()
        return post

    async def edit(self, post: Post, words: str) -> None:
        """The author changes a post."""
        text = f"{self.mention(post.author)} {words}"
        response = await post.author.send("PUT", f"/api/v1/statuses/{post.id}", status=text)
        assert response.status_code == 200, response.text
        post.text = words
        await self.settle()
        await self.agree()

    async def unpublish(self, post: Post) -> None:
        """The author deletes a post."""
        response = await post.author.send("DELETE", f"/api/v1/statuses/{post.id}")
        assert response.status_code == 200, response.text
        self.posts.remove(post)
        await self.settle()
        for department in self.departments:
            assert self.parted or await self.status_id(department, post) is None
        await self.agree()

    async def judge(self, moderator: Person, post: Post, verdict: str, reason: str = "") -> None:
        """A moderator decides on a post: remove, restore, lock, unlock, pin, unpin, approve, reject."""
        here = await self.status_id(moderator.department, post)
        await self.do(moderator, "POST", f"/statuses/{here}/{verdict}", **({"reason": reason} if reason else {}))
        self.judged(post, verdict, reason)
        await self.agree()

    def judged(self, post: Post, verdict: str, reason: str = "") -> None:
        """What a verdict should have done."""
        match verdict:
            case "remove" | "reject":
                post.state, post.reason = ("removed" if verdict == "remove" else "rejected"), reason
            case "restore" | "approve":
                post.state, post.reason = "distributed", ""
            case "lock" | "unlock":
                (post.root or post).locked = verdict == "lock"
            case _:
                post.pinned = verdict == "pin"

    async def held(self, moderator: Person) -> list[str]:
        """The words of what waits for a moderator."""
        items = await moderator.get(f"{API}/{await self.id_for(moderator)}/held")
        return [bare(plain(item["content"])) for item in items]

    async def place(self, viewer: Person, post: Post) -> tuple[str, str, bool, bool]:
        """(state, reason, locked, pinned) of a post in the group, as somebody is told; state "" for nothing."""
        here = await self.status_id(viewer.department, post)
        response = await viewer.http.get(f"/api/fedcorp/v1/statuses/{here}/groups")
        found = response.json() if response.status_code == 200 else []
        for item in found:
            return item["state"], item["reason"], item["locked"], item["pinned"]
        return "", "", False, False

    # -- what all must agree on --------------------------------------------------------------------------------------

    def members_at(self, department: Department) -> list[Person]:
        """Who of a department belongs."""
        return [
            person for name, person in self.people.items()
            if person.department is department and self.roles.get(name) in BELONG
        ]  # fmt: skip

    def reads(self, person: Person, post: Post) -> bool:
        """Whether the group shows somebody a post."""
        name = self.name_of(person)
        if self.roles.get(name) not in BELONG or post.state != "distributed":
            return False
        return person is post.author or name not in post.unread_by

    async def agree(self) -> None:
        """Compare every department with what should be."""
        if self.parted:
            return
        if self.gone:
            await self._all_gone()
            return
        entries = await self._entries(self.home)
        told = [
            await self._told(members[0]) for department in self.departments if (members := self.members_at(department))
        ]
        assert all(item == told[0] for item in told), told
        for department in self.departments:
            members = self.members_at(department)
            if members:
                assert await self._roles(members[0]) == self._roles_wanted(), department.domain
                assert await self._entries(department) == entries, department.domain
                await self._verify(department)
            for person in self.people.values():
                if person.department is department:
                    await self._agree_on_posts(person)

    def _roles_wanted(self) -> dict[str, str]:
        return {name: role for name, role in self.roles.items() if role in BELONG}

    async def _told(self, viewer: Person) -> dict[str, Any]:
        """What a department tells its people of the group, whoever asks."""
        view = await self.view(viewer)
        return {name: view[name] for name in TOLD} | {"archived": view["archived_at"] is not None}

    async def _roles(self, viewer: Person) -> dict[str, str]:
        items = await viewer.get(f"{API}/{await self.id_for(viewer)}/members", limit=80)
        return {item["account"]["username"]: item["role"] for item in items}

    async def _entries(self, department: Department) -> list[bytes]:
        id_ = await self.id_at(department)
        assert id_ is not None
        rows = await department.db.read(ledger.entries, id_, 0, 10_000)
        return [row[1] for row in rows]

    async def _verify(self, department: Department) -> None:
        id_ = await self.id_at(department)
        assert id_ is not None
        outcome = await department.db.read(_verify_copy, id_)
        assert outcome.wrong is None, (department.domain, outcome)
        assert outcome.count > 0

    async def _agree_on_posts(self, person: Person) -> None:
        name = self.name_of(person)
        if self.roles.get(name) in BELONG:
            assert await self.listed(person) == sorted(item.words for item in self.posts if self.reads(person, item)), (
                person.handle
            )
        ids = {post.uri: await self.status_id(person.department, post) for post in self.posts}
        here = [id_ for id_ in ids.values() if id_ is not None]
        assert len(here) <= MOST_ASKED, "ask for the posts in several pieces"
        shown = {int(item["id"]) for item in await person.get("/api/v1/statuses", **{"id[]": here})} if here else set()
        for post in self.posts:
            await self._agree_on_post(person, post, ids[post.uri] in shown)

    async def _agree_on_post(self, person: Person, post: Post, shown: bool) -> None:
        if person is post.author:
            assert shown, (person.handle, post.text)
            root = post.root or post
            wanted = (post.state, post.reason, post.locked, post.pinned)
            assert await self.place(person, post) == wanted, (person.handle, root.text)
        elif self.members_only:
            assert shown == self.reads(person, post), (person.handle, post.text)
        elif self.reads(person, post):
            assert shown, (person.handle, post.text)
        if person is not post.author and self.reads(person, post):
            assert await self.place(person, post) == (post.state, post.reason, post.locked, post.pinned), (
                person.handle, post.text,
            )  # fmt: skip

    async def _all_gone(self) -> None:
        for person in self.people.values():
            here = await self.id_at(person.department)
            if here is not None:
                assert (await self.send(person, "GET")).status_code in (404, 410), person.handle
            assert not [item for item in await person.get("/api/v1/lists") if item["title"].startswith("# ")]
            listing = await person.get(API)
            assert listing == []


def _verify_copy(tx: Tx, group_id: int) -> ledger_copy.Outcome:
    return ledger_copy.examine(tx, accounts.get(tx, group_id))


async def stage_of(company: Company, preset: str, **settings: Any) -> Stage:
    """Open four departments, and let ann found the group."""
    made = [await company.department(name) for name in DEPARTMENTS]
    await company.introduce(*made)
    people = {name: await made[number].person(name) for name, number in CAST.items()}
    stage = Stage(company, made, people)
    stage.secret, stage.announces = preset == "secret", preset == "announcement"
    stage.joining_waits = preset in ("request", "private")
    stage.members_only = preset in ("private", "secret") or settings.get("reading") == "members"
    answer = await stage.ann.post(API, name=NAME, title="Robots", preset=preset, **settings)
    assert answer["role"] == "admin"
    await company.settle()
    return stage
