"""A company where everything was posted, and a table of who may read what: the world of `test_doors`.

The table is written down here by hand, person by person. It asks the product nothing, so that the product can be held
against it. Every post carries a word that stands nowhere else (`zzKEYzz`), as do its hashtag (`qqKEYqq`), the name of
the secret group and what posts said before they were edited.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.activitypub import signatures
from fedcorp.company import peers
from fedcorp.social import applications
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, media, statuses
from tests.federation.world import ACTIVITY, PUBLIC, Company, Department, Outsider, Person, pair
from tests.web.instance import picture

FINANCE = ("ann", "mo", "fay", "lou", "out", "lee", "ivy", "col")
STAFF = {
    "finance": FINANCE,  # where the groups live
    "operations": ("bo", "nat"),  # bo belongs to all groups, nat to none
    "people": ("cy",),  # joined later, the first of this department
    "legal": ("zoe",),  # nobody of this department belongs to anything
}
COLLEAGUES = frozenset(name for names in STAFF.values() for name in names)
PARTNERS = frozenset({"sam"})
NOBODY = "nobody"
EVERYBODY = COLLEAGUES | PARTNERS | {NOBODY}
FOLLOWERS = frozenset({"ann", "fay", "bo"})
MEMBERS = frozenset({"ann", "mo", "fay", "bo"})  # since the beginning; mo moderates, ann owns
LATE = frozenset({"lou", "cy"})  # members of `priv` that may read what came after they joined
FORMER = frozenset({"lee", "out"})  # read along until one left and the other was banned
INVITED = frozenset({"ivy"})
SECRET = "zzsecretzz"
SAMS = "a note of sam"
KNOW_SECRET = MEMBERS | FORMER | INVITED  # have heard its name

GROUPS = {  # name -> (preset, reach)
    "open": ("open", "public"),
    "ask": ("request", "company"),
    "priv": ("private", "company"),
    SECRET: ("secret", "company"),
    "news": ("announcement", "partners"),
    "queue": ("private", "company"),  # its moderators see every post first
}


@dataclass(frozen=True)
class Kind:
    """One post as it is planned: who writes it, who may read it, and what the request says."""

    author: str
    readers: frozenset[str]
    group: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    listed: bool = True  # stands where its readers look: not taken out, held or deleted
    answers: str = ""
    naming: tuple[str, ...] = ()


def _kind(author: str, readers: Iterable[str], **values: Any) -> Kind:
    own = {name: values.pop(name) for name in ("group", "listed", "answers", "naming") if name in values}
    return Kind(author, frozenset(readers) | ({author} if readers else set()), values=values, **own)


KINDS: dict[str, Kind] = {
    # by visibility and reach
    "pubpub": _kind("ann", EVERYBODY, visibility="public", reach="public"),
    "pubpartners": _kind("ann", COLLEAGUES | PARTNERS, visibility="public", reach="partners"),
    "pubcompany": _kind("ann", COLLEAGUES, visibility="public", reach="company"),
    "pubdepartment": _kind("ann", FINANCE, visibility="public", reach="department"),
    "unlpub": _kind("ann", EVERYBODY, visibility="unlisted", reach="public"),
    "unlcompany": _kind("ann", COLLEAGUES, visibility="unlisted", reach="company"),
    "folpartners": _kind("ann", FOLLOWERS | PARTNERS, visibility="private", reach="partners"),
    "folcompany": _kind("ann", FOLLOWERS, visibility="private", reach="company"),
    "foldepartment": _kind("ann", {"ann", "fay"}, visibility="private", reach="department"),
    "direct": _kind("ann", {"bo", "fay"}, visibility="direct", naming=("bo", "fay")),
    "directpartner": _kind("ann", {"sam"}, visibility="direct", naming=("sam",)),
    "pubreply": _kind("col", EVERYBODY, visibility="public", reach="public", answers="pubpub"),
    "directreply": _kind("fay", {"ann"}, visibility="direct", answers="pubpub", naming=("ann",)),
    "folreply": _kind("ann", FOLLOWERS, visibility="private", reach="company", answers="pubpub"),
    "waits": _kind("col", {"sam"}, answers=SAMS, naming=("sam",)),  # for sam's leave
    "delpub": _kind("ann", (), visibility="public", reach="public", listed=False),
    # in groups
    "inopen": _kind("ann", EVERYBODY, group="open"),
    "inask": _kind("ann", COLLEAGUES, group="ask"),
    "innews": _kind("ann", COLLEAGUES | PARTNERS, group="news"),
    "inpriv": _kind("ann", MEMBERS, group="priv"),
    "insecret": _kind("ann", MEMBERS, group=SECRET),
    "bopriv": _kind("bo", MEMBERS, group="priv"),
    "bosecret": _kind("bo", MEMBERS, group=SECRET),
    "privreply": _kind("fay", MEMBERS, group="priv", answers="inpriv"),
    "bopoll": _kind("bo", MEMBERS, group="priv", poll={"options": ["zzbopollzz", "no"], "expires_in": 600}),
    "pollpriv": _kind("ann", MEMBERS, group="priv", poll={"options": ["zzpollprivzz", "no"], "expires_in": 600}),
    "picpriv": _kind("ann", MEMBERS, group="priv"),
    "edpriv": _kind("ann", MEMBERS, group="priv"),
    "delpriv": _kind("ann", (), group="priv", listed=False),
    "removed": _kind("bo", (), group="priv", listed=False),
    "removedhere": _kind("fay", (), group="priv", listed=False),
    "held": _kind("fay", (), group="queue", listed=False),
    "heldbo": _kind("bo", (), group="queue", listed=False),
    "rejected": _kind("fay", (), group="queue", listed=False),
    "rejectedbo": _kind("bo", (), group="queue", listed=False),
    # after lou and cy joined, lee left and out was banned
    "laterpriv": _kind("ann", MEMBERS | LATE, group="priv"),
    "laterbo": _kind("bo", MEMBERS | LATE, group="priv"),
}
for _key, _author in (("removed", "bo"), ("removedhere", "fay"), ("held", "fay"), ("heldbo", "bo"),
                      ("rejected", "fay"), ("rejectedbo", "bo")):  # fmt: skip
    KINDS[_key] = Kind(_author, frozenset({_author}), group=KINDS[_key].group, listed=False)

LATER = ("laterpriv", "laterbo")
MODERATORS = {name: {"ann", "mo", "bo"} if name == "news" else {"ann", "mo"} for name in GROUPS}
MODERATED = {"held": {"ann", "mo"}, "heldbo": {"ann", "mo"}}  # shown to them where they decide, nowhere else
EDITED = "edpriv"  # said zzedprivoldzz before
# A word of its own: a signature may hold the same letters, but goes on. In JSON a line may begin with it.
_WORD = re.compile(rb"(?:(?<![A-Za-z0-9])|(?<=\\n))(?:zz|qq)([a-z]+?)(?:zz|qq)(?![A-Za-z0-9])")


def words(body: bytes) -> set[str]:
    """The keys of everything that a body speaks of; what an edited post said before counts as the post."""
    return {key.decode().removesuffix("old") for key in _WORD.findall(body)}


def readable(viewer: str) -> set[str]:
    """Keys that may stand in an answer to this person: posts they may read, and names that they have heard."""
    found = {key for key, kind in KINDS.items() if viewer in kind.readers}
    return found | ({"secret"} if viewer in KNOW_SECRET else set())


def knows(viewer: str, group: str) -> bool:
    """Whether a group shows itself: a secret one to its members and whom it invited. Who left or was banned knows it
    no longer from the server."""
    return group != SECRET or viewer in MEMBERS | INVITED


def belongs(viewer: str, group: str) -> bool:
    """Whether somebody is a member now."""
    return viewer in MEMBERS or (group == "priv" and viewer in LATE)


def reads(viewer: str, group: str) -> bool:
    """Whether somebody may see who belongs to a group and what it decided."""
    return knows(viewer, group) and (group in ("open", "ask", "news") or belongs(viewer, group))


def readable_at(place: str) -> set[str]:
    """Keys that may be told to the server of a department, or of the partner, for the people it has."""
    people = PARTNERS if place == "supplier" else frozenset(STAFF[place])
    return set[str]().union(*(readable(name) for name in people))


class Post(NamedTuple):
    """A post as it came to be; `home` is the department of its author."""

    key: str
    uri: str
    home: str


class Signer(NamedTuple):
    """Who asks for documents: a key of a server, or of one of its people."""

    name: str
    key_id: str
    private: str

    async def get(self, department: Department, url: str) -> httpx.Response:
        """A signed GET."""
        headers = {"Accept": ACTIVITY} | signatures.sign(
            "GET", url, None, key_id=self.key_id, private=keys.load_private(self.private), dialect="cavage",
            now=department.instance.clock.now(), headers=None,
        )  # fmt: skip
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=department.instance.app)) as client:
            return await client.get(url, headers=headers)


class DoorWorld:
    """Four departments, a partner, twelve people, six groups, and every kind of post."""

    def __init__(self, folder: Path) -> None:
        self.company = Company(folder, streams=True)
        self.departments: dict[str, Department] = {}
        self.people: dict[str, Person] = {}
        self.posts: dict[str, Post] = {}
        self.ids: dict[str, dict[str, str]] = {}  # department -> key -> id of its copy
        self.polls: dict[str, dict[str, str]] = {}
        self.files: dict[str, dict[str, str]] = {}  # department -> key -> id of the attached file
        self.groups: dict[str, dict[str, str]] = {}  # department -> name -> account id
        self.accounts: dict[str, dict[str, str]] = {}  # department -> person -> account id
        self.group_uris: dict[str, str] = {}
        self.sam = ""
        self.sams = ""  # the id of what sam wrote, in finance

    @property
    def finance(self) -> Department:
        return self.departments["finance"]

    def home_of(self, viewer: str) -> str:
        """The department that somebody works in; nobody looks at finance."""
        return next((place for place, names in STAFF.items() if viewer in names), "finance")

    # -- building ----------------------------------------------------------------------------------------------------

    async def build(self) -> None:
        """Let everything happen."""
        await self._found()
        await self._enter_groups()
        for key in KINDS:
            if key not in LATER:
                await self._publish(key)
        await self.company.settle()
        await self._mark()
        await self._leave_and_join()
        for key in LATER:
            await self._publish(key)
        await self.company.settle()
        await self._change()
        await self.look_up()

    async def _found(self) -> None:
        company = self.company
        for place in STAFF:
            self.departments[place] = await company.department(place)
        await company.introduce(*self.departments.values())
        for place, names in STAFF.items():
            for name in names:
                self.people[name] = await self.departments[place].person(name)
        self.supplier = Outsider(company, "supplier.localhost")
        self.sam = self.supplier.actor("sam")
        self.supplier.actor("server", kind="Application")
        for department in self.departments.values():
            await department.db.write(peers.add, self.supplier.domain, "partner")
        ann = self.people["ann"]
        follow = self.supplier.activity("Follow", self.sam, ann.account.uri, to=[ann.account.uri])
        assert (await self.supplier.deliver(self.finance, follow)).status_code == 202
        await self.people["fay"].follow("ann")
        await self.people["bo"].follow(ann.handle)
        await company.settle()

    async def _enter_groups(self) -> None:
        ann = self.people["ann"]
        for name, (preset, reach) in GROUPS.items():
            await self.finance.group(ann, name, preset, reach=reach)
        await self.find_accounts()
        for name, changes in (("priv", {"history": "joined"}), ("queue", {"premoderated": True})):
            answer = await ann.send("PATCH", self.group("ann", name), **changes)
            assert answer.status_code == 200, answer.text
        for name in GROUPS:
            await self.enter(name, "mo", "fay", "bo", "lee", "out")
            await self.invite(name, *INVITED)
            promoted = await ann.send("PUT", f"{self.group('ann', name)}/members/{self.accounts['finance']['mo']}",
                                      role="moderator")  # fmt: skip
            assert promoted.status_code == 200, promoted.text
        known = self.accounts["finance"]["bo"]
        await ann.send("PUT", f"{self.group('ann', 'news')}/members/{known}", role="moderator")  # one of elsewhere
        await self.company.settle()

    def group(self, viewer: str, name: str) -> str:
        """The path of a group in the own API, as this person's department knows it."""
        return f"/api/fedcorp/v1/groups/{self.groups[self.home_of(viewer)].get(name, '1')}"

    async def invite(self, name: str, *people: str) -> None:
        for person in people:
            await self.people["ann"].post(f"{self.group('ann', name)}/invites", acct=self.people[person].handle)
        await self.company.settle()
        await self.find_accounts()

    async def enter(self, name: str, *people: str) -> None:
        """Invite people, who accept."""
        await self.invite(name, *people)
        for person in people:
            answer = await self.people[person].send("POST", f"{self.group(person, name)}/join")
            assert answer.status_code in (200, 202), answer.text
        await self.company.settle()

    async def _publish(self, key: str) -> None:
        kind, author = KINDS[key], self.people[KINDS[key].author]
        home = self.home_of(kind.author)
        named = [f"@{self._handle(name)}" for name in kind.naming]
        if kind.group:
            named.append(f"@{kind.group}@finance.localhost")
        values = dict(kind.values)
        if kind.answers == SAMS:
            values["in_reply_to_id"] = await self._hear_sam(author)
        elif kind.answers:
            values["in_reply_to_id"] = (await self.look_up())[home][kind.answers]
        if key == "picpriv":
            file = ("zzpicprivzz.png", picture(), "image/png")
            upload = await author.http.post("/api/v2/media", files={"file": file}, data={"description": "zzpicprivzz"})
            values["media_ids"] = [upload.json()["id"]]
        old = "old" if key == EDITED else ""
        made = await author.publish(f"{' '.join(named)} zz{key}{old}zz #qq{key}qq", **values)
        self.posts[key] = Post(key, made["uri"], home)

    async def _hear_sam(self, viewer: Person) -> str:
        """sam answers ann, and wants to be asked who answers that."""
        asks = {"automaticApproval": self.sam, "manualApproval": PUBLIC}
        policy = {"canReply": asks, "canLike": asks, "canAnnounce": asks}
        note = self.supplier.note(
            self.sam,
            "hm",
            inReplyTo=self.posts["pubpub"].uri,
            interactionPolicy=policy,
            published="2026-11-01T10:00:00Z",
        )
        create = self.supplier.activity("Create", self.sam, note)
        assert (await self.supplier.deliver(self.finance, create)).status_code == 202
        await self.company.settle()
        found = await viewer.find_status(note["id"])
        self.sams = str(found["id"])
        return self.sams

    def _handle(self, name: str) -> str:
        return "sam@supplier.localhost" if name == "sam" else self.people[name].handle

    async def _mark(self) -> None:
        """What those who will leave did before: they cannot take it with them."""
        ids = (await self.look_up())["finance"]
        for name in FORMER:
            for key in ("inpriv", "insecret", "edpriv", "picpriv", "pollpriv", "removed", "delpriv"):
                for verb in ("favourite", "bookmark", "react/☕"):
                    await self.people[name].post(f"/api/v1/statuses/{ids[key]}/{verb}")
            await self.people[name].post(f"/api/v1/polls/{self.polls['finance']['pollpriv']}/votes", choices=[0])
        await self.people["col"].post(f"/api/v1/statuses/{ids['pubcompany']}/reblog")
        await self.people["ann"].post(f"/api/v1/statuses/{ids['folcompany']}/reblog", visibility="private")
        await self.people["ann"].post(f"/api/v1/statuses/{ids['pubpub']}/reblog", visibility="private")
        for key in ("folcompany", "inpriv", "pubcompany"):
            await self.people["ann"].post(f"/api/v1/statuses/{ids[key]}/pin")
        await self.company.settle()

    async def _leave_and_join(self) -> None:
        ann, known = self.people["ann"], self.accounts["finance"]
        self.company.clock.shift_ms += 2_000
        for name in GROUPS:
            await self.people["lee"].post(f"{self.group('lee', name)}/leave")
            banned = await ann.send("POST", f"{self.group('ann', name)}/bans", account_id=known["out"])
            assert banned.status_code == 200, banned.text
        await self.enter("priv", *LATE)
        self.company.clock.shift_ms += 2_000

    async def _change(self) -> None:
        """Edit, delete, take out, refuse; and let the polls end."""
        ids, ann = (await self.look_up())["finance"], self.people["ann"]
        answer = await ann.send("PUT", f"/api/v1/statuses/{ids[EDITED]}", status=f"zz{EDITED}zz #qq{EDITED}qq")
        assert answer.status_code == 200, answer.text
        for key in ("delpub", "delpriv"):
            assert (await ann.send("DELETE", f"/api/v1/statuses/{ids[key]}")).status_code == 200
        judged = {"removed": ("priv", "remove"), "removedhere": ("priv", "remove"), "rejected": ("queue", "reject"),
                  "rejectedbo": ("queue", "reject")}  # fmt: skip
        for key, (group, verb) in judged.items():
            await ann.post(f"{self.group('ann', group)}/statuses/{ids[key]}/{verb}", reason="no")
        self.company.clock.shift_ms += 700_000
        await self.company.settle()

    async def find_accounts(self) -> None:
        """Read which ids people and groups have where."""
        for place, department in self.departments.items():
            known = await department.db.read(_accounts)
            self.groups[place] = {name: id_ for name, id_ in known if name in GROUPS}
            self.accounts[place] = {name: id_ for name, id_ in known if name not in GROUPS}
            if place == "finance":
                origin = department.origin
                self.group_uris = {name: f"{origin}/g/{id_}" for name, id_ in self.groups[place].items()}

    async def look_up(self) -> dict[str, dict[str, str]]:
        """Read which copies of posts, polls and files there are where."""
        await self.find_accounts()
        uris = {post.uri: key for key, post in self.posts.items()}
        for place, department in self.departments.items():
            rows = await department.db.read(_statuses)
            self.ids[place] = {uris[uri]: str(id_) for id_, uri, _ in rows if uri in uris}
            self.polls[place] = {uris[uri]: str(poll) for _, uri, poll in rows if uri in uris and poll is not None}
            by_id = {id_: key for key, id_ in self.ids[place].items()}
            files = await department.db.read(_files)
            self.files[place] = {by_id[str(of)]: str(id_) for id_, of in files if str(of) in by_id}
        return self.ids

    # -- asking ------------------------------------------------------------------------------------------------------

    def signers(self, home: str) -> dict[str, Signer]:
        """Keys of servers and people of elsewhere, as a department sees them: name -> signer. Servers are `@place`."""
        found: dict[str, Signer] = {}
        for place, department in self.departments.items():
            if place == home:
                continue
            found[f"@{place}"] = Signer(place, f"{department.origin}/actor#main-key", pair(2).rsa_private)
            for name in STAFF[place]:
                uri = self.people[name].account.uri
                found[name] = Signer(name, f"{uri}#main-key", pair().rsa_private)
        server = f"{self.supplier.origin}/users/server#main-key"
        found["@supplier"] = Signer("supplier", server, self.supplier.pair.rsa_private)
        found["sam"] = Signer("sam", f"{self.sam}#main-key", self.supplier.pair.rsa_private)
        return found

    def allowed(self, signer: str, home: str) -> set[str]:
        """Keys that this signer may be told by the department `home`."""
        if not signer.startswith("@"):
            return readable(signer) | {key for key, people in MODERATED.items() if signer in people}
        place = signer[1:]
        groups = {key for key, kind in KINDS.items() if kind.group} if place == "finance" else set()
        return readable_at(place) | groups  # the server of a group has to judge what is written to it

    async def browser(self, viewer: str) -> httpx.AsyncClient:
        """A browser, signed in unless the viewer is nobody."""
        department = self.departments[self.home_of(viewer)]
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=department.instance.app), base_url=department.origin,
            headers={"Accept": "text/html"},
        )  # fmt: skip
        if viewer != NOBODY:
            session = await department.db.write(applications.start_session, self.people[viewer].account.id)
            client.cookies.set(f"fedcorp_session_{department.domain.replace('.', '_')}", session)
        return client

    def app(self, viewer: str) -> httpx.AsyncClient:
        """An app with the viewer's token, or without one."""
        if viewer != NOBODY:
            return self.people[viewer].http
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.finance.instance.app), base_url=self.finance.origin
        )


def _accounts(tx: Tx) -> list[tuple[str, str]]:
    rows = tx.conn.execute(sa.select(accounts.c.username, accounts.c.id).where(accounts.c.kind != "service"))
    return [(row[0], str(row[1])) for row in rows]


def _statuses(tx: Tx) -> list[Any]:
    return list(tx.conn.execute(sa.select(statuses.c.id, statuses.c.uri, statuses.c.poll_id)))


def _files(tx: Tx) -> list[Any]:
    return list(tx.conn.execute(sa.select(media.c.id, media.c.status_id)))
