"""Whatever order a group's messages come in, repeated or left out and fetched later, the copy ends as the original.

Hypothesis writes a piece of a group's life: people join, write, are promoted, banned and let in again, posts are
edited, removed, locked and pinned. What the group's server sends to two departments of members is held back meanwhile,
and then handed to each of them in an order of its own.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from fedcorp.activitypub import ledger
from fedcorp.social import accounts, groups
from fedcorp.social.accounts import Account
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import affiliations, group_posts, memberships
from fedcorp.storage.tables import follows as follows_table
from fedcorp.storage.tables import statuses as statuses_table
from tests.federation.world import Company, Department, Network, Person

pytestmark = pytest.mark.once

EXAMPLES = 20
PRESETS = ("open", "private", "request")


class Holding(Network):
    """A network that can keep what is sent to the inboxes of some servers."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, list[httpx.Request]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        domain = request.url.netloc.decode()
        if request.method == "POST" and request.url.path.endswith("/inbox") and domain in self.held:
            self.held[domain].append(request)
            return httpx.Response(202, request=request)
        return await super().handle_async_request(request)

    async def hand_over(self, request: httpx.Request) -> None:
        """Deliver what was kept: the same bytes under the same signature, perhaps once more."""
        again = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        response = await super().handle_async_request(again)
        assert response.status_code == 202, response.text


class Stage:
    """finance, where every group lives; operations, whose people take part live; people and lab, who hear later."""

    def __init__(self, folder: Path) -> None:
        self.company = Company(folder)
        self.network = Holding()
        self.company.network = self.network
        self.number = 0

    async def build(self) -> None:
        self.finance, self.operations, *self.late = [
            await self.company.department(name) for name in ("finance", "operations", "people", "lab")
        ]
        await self.company.introduce(*self.company.departments)
        self.ann, self.max = await self.finance.person("ann"), await self.finance.person("max")
        self.bo, self.eva = await self.operations.person("bo"), await self.operations.person("eva")
        self.cy, self.di = [await one.person(name) for one, name in zip(self.late, ("cy", "di"), strict=True)]
        self.everybody = (self.ann, self.max, self.bo, self.eva, self.cy, self.di)


class Story:
    """The life of one group, as its people live it through the API. What is refused to them is no matter here."""

    def __init__(self, stage: Stage, preset: str) -> None:
        stage.number += 1
        self.stage, self.preset, self.name = stage, preset, f"group{stage.number}"
        self.handle = f"{self.name}@{stage.finance.domain}"
        self.posts: list[tuple[Person, str, str]] = []  # author, id there, uri
        self.seen: dict[tuple[str, str], str] = {}

    async def begin(self, *, hold_joins: bool) -> None:
        """The group is founded and gets its first members. What people and lab hear is held back from then on, or
        (`hold_joins`) already from their joining."""
        stage = self.stage
        await stage.finance.group(stage.ann, self.name, self.preset)
        for person in stage.everybody:  # everybody has met everybody before, so that nothing is fetched for names
            await person.find(self.handle)
        if hold_joins:
            stage.network.held = {one.domain: [] for one in stage.late}
        for person in (stage.bo, stage.cy, stage.di):
            await self.join(person)
        await self.role(stage.bo, "moderator")
        if not hold_joins:
            stage.network.held = {one.domain: [] for one in stage.late}

    async def settle(self) -> None:
        await self.stage.company.settle()

    async def path(self, person: Person) -> str:
        return f"/api/fedcorp/v1/groups/{await person.find(self.handle)}"

    async def do(self, person: Person, method: str, path: str, **body: Any) -> Any:
        response = await person.send(method, f"{await self.path(person)}{path}", **body)
        await self.settle()
        return response.json() if response.status_code == 200 else None

    # -- members --------------------------------------------------------------------------------------------------

    async def join(self, person: Person) -> None:
        asked = await person.send("POST", f"/api/v1/accounts/{await person.find(self.handle)}/follow")
        assert asked.status_code in (200, 403), asked.text  # whoever is banned is told so at once
        await self.settle()
        await self.towards(person, "POST", "/requests/{}/approve")

    async def leave(self, person: Person) -> None:
        await self.do(person, "POST", "/leave")

    async def towards(self, person: Person, method: str, path: str, **body: Any) -> None:
        ann = self.stage.ann
        await self.do(ann, method, path.format(await ann.find(person.handle)), **body)

    async def role(self, person: Person, role: str) -> None:
        await self.towards(person, "PUT", "/members/{}", role=role)

    async def kick(self, person: Person) -> None:
        await self.towards(person, "DELETE", "/members/{}")

    async def ban(self, person: Person) -> None:
        await self.do(self.stage.ann, "POST", "/bans", acct=person.handle)

    async def unban(self, person: Person) -> None:
        await self.towards(person, "DELETE", "/bans/{}")

    async def rename(self, number: int) -> None:
        await self.do(self.stage.ann, "PATCH", "", title=f"Title {number}")

    # -- posts ----------------------------------------------------------------------------------------------------

    async def write(self, person: Person, number: int, *, answer: bool = False) -> None:
        more = {}
        if answer and self.posts:
            _, _, uri = self.posts[number % len(self.posts)]
            seen = await person.find_status(uri)
            if seen is None:
                return
            more = {"in_reply_to_id": seen["id"]}
        response = await person.send("POST", "/api/v1/statuses", status=f"@{self.handle} words {number}", **more)
        await self.settle()
        if response.status_code == 200:
            made = response.json()
            self.posts.append((person, made["id"], made["uri"]))

    async def edit(self, number: int) -> None:
        if self.posts:
            author, id_, _ = self.posts[number % len(self.posts)]
            self.stage.company.clock.shift_ms += 1000  # two versions of one moment cannot be told apart
            await author.send("PUT", f"/api/v1/statuses/{id_}", status=f"@{self.handle} changed {number}")
            await self.settle()

    async def erase(self, number: int) -> None:
        if self.posts:
            author, id_, _ = self.posts[number % len(self.posts)]
            await author.send("DELETE", f"/api/v1/statuses/{id_}")
            await self.settle()

    async def judge(self, person: Person, verdict: str, number: int) -> None:
        if not self.posts:
            return
        uri = self.posts[number % len(self.posts)][2]
        if (person.id, uri) not in self.seen:  # a moderator finds what was taken out where they took it out
            found = await person.find_status(uri)
            if found is None:
                return
            self.seen[person.id, uri] = found["id"]
        await self.do(person, "POST", f"/statuses/{self.seen[person.id, uri]}/{verdict}")


Act = tuple[str, int, int]
VERDICTS = ("remove", "restore", "lock", "unlock", "pin", "unpin")
ACTS = (
    "write", "write", "answer", "edit", "erase", "join", "leave", "kick", "ban", "unban", "role", "rename", "judge",
    "judge", "judge",
)  # fmt: skip


async def perform(story: Story, act: Act) -> None:
    """One step of the story; the numbers choose who, and what it is about."""
    kind, who, number = act
    stage = story.stage
    writers, members = (stage.ann, stage.bo, stage.cy), (stage.eva, stage.max, stage.bo, stage.di)
    person = members[who % len(members)]
    steps: dict[str, Callable[[], Awaitable[None]]] = {
        "write": lambda: story.write(writers[who % 3], number),
        "answer": lambda: story.write(writers[who % 3], number, answer=True),
        "edit": lambda: story.edit(number),
        "erase": lambda: story.erase(number),
        "join": lambda: story.join(person),
        "leave": lambda: story.leave(person),
        "kick": lambda: story.kick(person),
        "ban": lambda: story.ban(person),
        "unban": lambda: story.unban(person),
        "role": lambda: story.role(person, ("member", "moderator", "admin")[number % 3]),
        "rename": lambda: story.rename(number),
        "judge": lambda: story.judge((stage.ann, stage.bo)[who % 2], VERDICTS[number % 6], number // 6),
    }
    await steps[kind]()


# -- the end of a story ----------------------------------------------------------------------------------------------


def _group(tx: Tx, handle: str) -> Account:
    name, _, domain = handle.partition("@")
    found = accounts.find_by_handle(tx, name, domain)
    assert found is not None
    return found


def check_same(found: dict[str, Any], wanted: dict[str, Any], whose: str) -> None:
    """The same end. A post that was taken out need not be there, nor in its last words: who had not heard of it before
    cannot have it now, and what its author changes since is nobody's business.
    """
    posts = [{uri: each for uri, each in end["posts"].items() if each[0] != "removed"} for end in (found, wanted)]
    taken_out = [{uri for uri, each in end["posts"].items() if each[0] == "removed"} for end in (found, wanted)]
    assert {**found, "posts": posts[0]} == {**wanted, "posts": posts[1]}, whose
    assert taken_out[0] <= taken_out[1], whose


def final_state(tx: Tx, handle: str) -> dict[str, Any]:
    """What a department knows of a group at the end. Of a post that its author erased only that it is not there."""
    group = _group(tx, handle)
    last = ledger.head(tx, group.id)
    if group.local:
        roles = (
            sa.select(accounts_table.c.uri, memberships.c.role)
            .join(memberships, memberships.c.account_id == accounts_table.c.id)
            .where(memberships.c.group_id == group.id)
        )
    else:
        roles = sa.select(affiliations.c.subject_uri, affiliations.c.role).where(affiliations.c.group_id == group.id)
    posts = (
        sa.select(
            statuses_table.c.uri,
            group_posts.c.state,
            group_posts.c.locked_at.is_not(None),
            group_posts.c.pinned_at.is_not(None),
            statuses_table.c.text,
        )
        .join(group_posts, group_posts.c.status_id == statuses_table.c.id)
        .where(group_posts.c.group_id == group.id, statuses_table.c.deleted_at.is_(None))
        .where(group_posts.c.state.in_(("distributed", "removed")))
    )
    originals = sa.alias(statuses_table)
    shown = (
        sa.select(originals.c.uri)
        .join(statuses_table, statuses_table.c.reblog_of_id == originals.c.id)
        .where(statuses_table.c.account_id == group.id, statuses_table.c.deleted_at.is_(None))
        .where(originals.c.deleted_at.is_(None))
    )
    rules = groups.find(tx, group.id)
    assert rules is not None
    return {
        "head": (last.epoch, last.seq, last.digest, last.forked_at),
        "roles": {row[0]: row[1] for row in tx.conn.execute(roles)},
        "posts": {row[0]: (*row[1:4], _words(row[4])) for row in tx.conn.execute(posts)},
        "shown": sorted(tx.conn.execute(shown).scalars()),
        "rules": (group.display_name, rules.joining, rules.posting),
    }


def _words(text: str) -> str:
    """What was written; whom it was written to is spelled differently at home."""
    return " ".join(word for word in text.split() if not word.startswith("@"))


def own_role(tx: Tx, handle: str, uri: str) -> tuple[str | None, str | None]:
    """(role, state of the follow) of somebody, by the tables that decide what they may do here."""
    group, person = _group(tx, handle), accounts.find_by_uri(tx, uri)
    assert person is not None
    role = sa.select(memberships.c.role).where(
        memberships.c.group_id == group.id, memberships.c.account_id == person.id
    )
    state = sa.select(follows_table.c.state).where(
        follows_table.c.target_id == group.id, follows_table.c.follower_id == person.id
    )
    return tx.conn.execute(role).scalar(), tx.conn.execute(state).scalar()


def _ask_for_the_rest(tx: Tx, handle: str) -> None:
    jobs.put(tx, "pull_ledger", {"group": _group(tx, handle).id})


# -- telling it in another order -------------------------------------------------------------------------------------


def is_announced(request: httpx.Request) -> bool:
    """Whether a message could be fetched later as well: what stands in the ledger."""
    document = orjson.loads(request.content)
    return document["type"] == "Announce" and "entry" in document


async def retell(stage: Stage, department: Department, messages: list[httpx.Request], chance: random.Random) -> None:
    """Hand the messages over in any order, some twice, some or all of those in the ledger not at all, processed one by
    one or many at a time, with the server of the group out of reach for a while or not.
    """
    lost, swaps = chance.choice((0.0, 0.0, 0.2, 1.0)), chance.choice((0, 2, 200))
    told = [message for message in messages if not is_announced(message) or chance.random() >= lost]
    told += [message for message in told if chance.random() < 0.2]
    told.sort(key=messages.index)
    for _ in range(swaps if len(told) > 1 else 0):
        one, other = chance.randrange(len(told)), chance.randrange(len(told))
        told[one], told[other] = told[other], told[one]
    alone = chance.choice((0.0, 0.0, 0.1, 1.0))  # with each message the server of the group may be reached again
    if alone < 1.0:
        stage.network.cut.add(stage.finance.domain)
    patience = chance.choice((0.0, 0.5, 1.0))
    for message in told:
        await stage.network.hand_over(message)
        if chance.random() < patience:
            await department.settle()
        if chance.random() < alone:
            stage.network.cut.clear()
    await department.settle()
    stage.network.cut.clear()


async def live(stage: Stage, preset: str, acts: list[Act], chance: random.Random) -> None:
    """One story, told to two departments in two orders; both end as finance does."""
    story = Story(stage, preset)
    await story.begin(hold_joins=chance.random() < 0.3)
    for act in acts:
        await perform(story, act)
    held, stage.network.held = stage.network.held, {}
    for department in stage.late:
        await retell(stage, department, held[department.domain], chance)
    await stage.company.settle()
    for _ in range(3):
        await stage.company.retry()
    for department in stage.late:
        await department.db.write(_ask_for_the_rest, story.handle)
    await stage.company.settle()
    wanted = await stage.finance.db.read(final_state, story.handle)
    assert wanted["head"][1] > 0
    for department, person in zip(stage.late, (stage.cy, stage.di), strict=True):
        role, state = await stage.finance.db.read(own_role, story.handle, person.account.uri)
        own, own_state = await department.db.read(own_role, story.handle, person.account.uri)
        assert own_state == state, (department.domain, role, state, own, own_state)
        if state != "accepted":  # the group is none of their business any more
            assert own in (None, "outcast"), (department.domain, role, state, own)
            continue
        assert own == role, department.domain
        check_same(await department.db.read(final_state, story.handle), wanted, department.domain)


_SHUT_OUT: list[Act] = [  # the ban is heard before the joining, by a server that nobody belongs to any more
    ("answer", 4, 6), ("judge", 1, 21), ("rename", 1, 5), ("answer", 8, 23), ("ban", 3, 4), ("ban", 6, 34),
    ("judge", 11, 2), ("rename", 7, 31), ("erase", 10, 32), ("unban", 6, 23), ("kick", 2, 0),
]  # fmt: skip
_ACT = st.tuples(st.sampled_from(ACTS), st.integers(0, 11), st.integers(0, 35))


@pytest.mark.slow
def test_any_order_gives_the_state_of_the_groups_own_server(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        stage = Stage(tmp_path)
        runner.run(stage.build())

        # Stories are short already, and each attempt to shorten one costs a second.
        @settings(
            max_examples=EXAMPLES,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @example("private", _SHUT_OUT, 1295)
        @given(st.sampled_from(PRESETS), st.lists(_ACT, min_size=2, max_size=12), st.integers(0, 10**6))
        def tell(preset: str, acts: list[Act], seed: int) -> None:
            runner.run(live(stage, preset, acts, random.Random(seed)))

        try:
            tell()
        finally:
            runner.run(stage.company.stop())


# -- stories that chance seldom writes ---------------------------------------------------------------------------------


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path)
    await made.build()
    yield made
    await made.company.stop()


FATES = ("edit", "erase", "remove", "restore", "lock", "unlock", "pin", "unpin")


async def meet_fate(story: Story, fate: str, number: int) -> None:
    """What happens to a post; to take something back it must have happened."""
    if fate in ("edit", "erase"):
        await (story.edit(number) if fate == "edit" else story.erase(number))
        return
    before = {"restore": "remove", "unlock": "lock", "unpin": "pin"}.get(fate)
    for verdict in filter(None, (before, fate)):
        await story.judge(story.stage.ann, verdict, number)


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("preset", ["open", "private"])
@pytest.mark.parametrize("heard", ["everything", "the posts", "nothing"])
async def test_what_was_not_heard_is_fetched(stage: Stage, preset: str, heard: str) -> None:
    """Posts of every department, each with another fate: heard as it happens, or only the posts, or nothing at all."""
    story = Story(stage, preset)
    await story.begin(hold_joins=False)
    for number in range(2 * len(FATES)):
        await story.write((stage.ann, stage.bo, stage.cy)[number % 3], number)
    posts = {one.domain: len(stage.network.held[one.domain]) for one in stage.late}
    for number, fate in enumerate(FATES * 2):
        await meet_fate(story, fate, number)
    held, stage.network.held = stage.network.held, {}
    for department in stage.late:
        messages = held[department.domain]
        told = {"everything": len(messages), "the posts": posts[department.domain], "nothing": 0}[heard]
        for number, message in enumerate(messages):
            if number < told or not is_announced(message):
                await stage.network.hand_over(message)
                await department.settle()
        await department.db.write(_ask_for_the_rest, story.handle)
    await stage.company.settle()
    wanted = await stage.finance.db.read(final_state, story.handle)
    states = [state for state, *_ in wanted["posts"].values()]
    assert (states.count("distributed"), states.count("removed")) == (2 * len(FATES) - 4, 2)
    for department in stage.late:
        check_same(await department.db.read(final_state, story.handle), wanted, department.domain)
