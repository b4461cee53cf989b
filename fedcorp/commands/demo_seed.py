"""Carries out the plan of `fedcorp demo`: four weeks of a company's life, told by the verbs and carried by the servers.

Between the phases it waits until everything has arrived everywhere, so that replies answer what a department received.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fedcorp.clock import Clock
from fedcorp.commands.demo_content import ANSWERS, DIRECT
from fedcorp.commands.demo_office import Office
from fedcorp.commands.demo_people import GROUPS, Group
from fedcorp.commands.demo_plan import (
    DAY,
    MINUTE,
    Member,
    Opening,
    Plan,
    Thread,
    filled,
    later,
    office_moment,
    reply,
)
from fedcorp.commands.demo_servers import Server
from fedcorp.errors import ConfigError
from fedcorp.social import accounts, follows, interactions, polls, statuses
from fedcorp.social.polls import PollDraft
from fedcorp.social.publishing import Draft
from fedcorp.storage.database import Tx

SETTLE_SECONDS = 90.0
POLL_SECONDS = 29 * 86_400
MOST_REPLIES, VOTE_PERCENT, BOOKMARKS_EACH = 4, 35, 2
DIRECT_EVERY = 27  # one direct message for so many follows
SHARES = {"finance": 33, "operations": 31, "people": 28, "supplier": 8}

Report = Callable[[str], None]


@dataclass(slots=True)
class Post:
    """Something that was written. `parent` is None for an opening."""

    uri: str
    author: Member
    thread: Thread
    at: int
    group: Group | None
    parent: "Post | None" = None
    poll: bool = False
    replies: int = 0
    answer: str = ""  # what the author of the opening may say to it


Written = tuple[str, Draft, Post]
"""Who writes it, what, and as what it is remembered."""


@dataclass(slots=True)
class Seed:
    """A plan being carried out. `offices` by key."""

    plan: Plan
    offices: dict[str, Office]
    servers: dict[str, Server]
    clock: Clock
    report: Report
    posts: list[Post] = field(default_factory=list)

    async def run(self) -> None:
        """Everything, from the first follow to the last favourite. The servers are running."""
        self.report("People find each other")
        await self._each_office(self._resolve)
        self.report("Follows and group memberships")
        await self._each_office(self._follow)
        await self.settle()
        await self._each_office(self._approve)
        await self.settle()
        self.report("Four weeks of posts")
        await self._write(self._openings)
        await self._each_office(self._write_direct)
        await self.settle()
        self.report("Replies")
        await self._write(self._replies)
        await self.settle()
        self.report("Answers, favourites, boosts and votes")
        await self._write(self._answers)
        await self._each_office(self._react)
        await self.settle()

    async def _each_office(self, step: Callable[[Office], Awaitable[None]]) -> None:
        await asyncio.gather(*(step(office) for office in self.offices.values()))

    async def settle(self) -> None:
        """Wait until everything told has arrived everywhere. Raises ConfigError when nothing moves for too long."""
        least, quiet, give_up = -1, 0, 0.0
        while quiet < 2:  # a look takes a moment, in which something may pass from an office to one looked at before
            counts = {key: await office.waiting() for key, office in self.offices.items()}
            total = sum(counts.values())
            if total != least:
                least, give_up = total, self.clock.monotonic() + SETTLE_SECONDS
            if self.clock.monotonic() > give_up:
                raise ConfigError(f"the servers do not get on with their work; waiting: {counts}.")
            quiet = quiet + 1 if total == 0 else 0
            await self.clock.sleep(0.15)

    # -- who knows whom --------------------------------------------------------------------------------------------

    async def _resolve(self, office: Office) -> None:
        names = [target for name, target in self._follows_of(office)]
        names += [group.name for group in GROUPS if self._members_of(office, group)]
        await office.resolve(names, self.servers[office.key].base)

    def _follows_of(self, office: Office) -> list[tuple[str, str]]:
        return [(name, target) for name, target in self.plan.follows if self.plan.people[name].home == office.key]

    def _members_of(self, office: Office, group: Group) -> list[str]:
        return [name for name in self.plan.members[group.name] if self.plan.people[name].home == office.key]

    async def _follow(self, office: Office) -> None:
        pairs = self._follows_of(office)
        pairs += [(name, group.name) for group in GROUPS for name in self._members_of(office, group)]
        pairs = [(name, target) for name, target in pairs if not self._owns(name, target)]
        known = office.known
        await office.write_each(_follow, [(known[name], known[target]) for name, target in pairs])

    def _owns(self, name: str, target: str) -> bool:
        return any(group.name == target and group.owner == name for group in GROUPS)

    async def _approve(self, office: Office) -> None:
        """Owners let in everybody who asked to join their groups."""
        for group in GROUPS:
            if group.home == office.key and group.asks:
                asking = [name for name in self.plan.members[group.name] if name != group.owner]
                group_id = office.known[group.name]
                await office.write_each(_accept, [(name, office.domains[name], group_id) for name in asking])

    # -- what is written -------------------------------------------------------------------------------------------

    async def _write(self, plan: Callable[[Office], Awaitable[list[Written]]]) -> None:
        """Plan in every office, one after the other so that chance falls alike each time; then publish side by side."""
        offices = list(self.offices.values())
        planned = [await plan(office) for office in offices]
        results = await asyncio.gather(
            *(
                office.each(office.publish, [(author, draft) for author, draft, _ in items])
                for office, items in zip(offices, planned, strict=True)
            )
        )
        for items, made in zip(planned, results, strict=True):
            for (_, _, post), status in zip(items, made, strict=True):
                post.uri = status.uri
                self.posts.append(post)

    async def _openings(self, office: Office) -> list[Written]:
        found = []
        for item in self.plan.openings:
            if item.author.home != office.key:
                continue
            author = item.author.person.username
            upload = await office.upload(author, *item.picture) if item.picture else None
            post = Post("", item.author, item.thread, item.at, item.group, poll=item.poll is not None)
            found.append((author, self._draft(office, item, upload), post))
        return found

    def _draft(self, office: Office, opening: Opening, upload: int | None) -> Draft:
        group = opening.group.name if opening.group else ""
        tail = " ".join(part for part in (f"@{office.handle(group)}" if group else "", opening.tags) if part)
        poll = opening.poll
        return Draft(
            text=f"{opening.text}\n\n{tail}" if tail else opening.text,
            reach=opening.reach,
            spoiler_text=opening.warning,
            sensitive=bool(opening.warning),
            language="en",
            media_ids=(upload,) if upload is not None else (),
            poll=PollDraft(poll.options, POLL_SECONDS, multiple=poll.multiple) if poll else None,
            mentions={office.handle(group): office.known[group]} if group else {},
            published_at=opening.at,
        )

    async def _write_direct(self, office: Office) -> None:
        """A few messages between two people."""
        dice, calls = office.dice, []
        for name, target in self._follows_of(office)[::DIRECT_EVERY]:
            text = filled(dice.pick(DIRECT), dice.pick(self.plan.openings).thread.slots)
            draft = Draft(
                text=f"@{office.handle(target)} {text}", visibility="direct", language="en",
                mentions={office.handle(target): office.known[target]},
                published_at=max(office_moment(dice, self.plan.now), self.plan.now - 9 * DAY),
            )  # fmt: skip
            calls.append((name, draft))
        await office.each(office.publish, calls)

    async def _replies(self, office: Office) -> list[Written]:
        """People answer what their department has received, also from elsewhere."""
        wanted = self.plan.size.replies * SHARES[office.key] // 100
        here = await self._received(office, [post for post in self.posts if post.parent is None])
        found: list[tuple[str, Post]] = []
        for _ in range(wanted * 8):
            if len(found) >= wanted or not here:
                break
            parent = office.dice.pick(here)
            author = self._somebody(office, parent)
            if parent.replies < MOST_REPLIES and author:
                found.append((author, parent))
                parent.replies += 1
        return await self._written_replies(office, found, answer=False)

    async def _answers(self, office: Office) -> list[Written]:
        """Authors of openings answer the replies that they got."""
        mine = [post for post in self.posts if post.parent is not None and post.parent.author.home == office.key]
        wanted = self.plan.size.answers * SHARES[office.key] // 100
        here = office.dice.sample(await self._received(office, mine), wanted)
        found = [(post.parent.author.person.username, post) for post in here if post.parent is not None]
        return await self._written_replies(office, found, answer=True)

    async def _written_replies(self, office: Office, found: list[tuple[str, Post]], *, answer: bool) -> list[Written]:
        parents = await office.received([post.uri for _, post in found])
        written = []
        for author, post in found:
            text, expected = self._text(office, post, answer=answer)
            if not text:
                continue
            parent, name = parents[post.uri], post.author.person.username
            at = later(office.dice, post.at, self.plan.now)
            draft = Draft(
                text=f"@{office.handle(name)} {filled(text, post.thread.slots)}",
                reach=parent.reach,
                language="en",
                in_reply_to_id=parent.id,
                mentions={office.handle(name): parent.account_id},
                published_at=at,
            )
            member = self.plan.people[author]
            written.append((author, draft, Post("", member, post.thread, at, post.group, post, answer=expected)))
        return written

    def _text(self, office: Office, post: Post, *, answer: bool) -> tuple[str, str]:
        """(what to say to a post, what may come back), still with slots; nothing when everything was said."""
        if answer:
            return post.answer or office.dice.pick(ANSWERS), ""
        chosen = reply(office.dice, post.thread)
        return (chosen.text, chosen.answer) if chosen else ("", "")

    async def _received(self, office: Office, posts: list[Post]) -> list[Post]:
        """Those posts that this department has."""
        here = await office.received([post.uri for post in posts])
        return [post for post in posts if post.uri in here]

    def _somebody(self, office: Office, post: Post) -> str | None:
        """Somebody here whom a post concerns: a follower of its author, or a member of its group; never the author."""
        if post.group is not None:
            names = self._members_of(office, post.group)
        else:
            names = [name for name, target in self._follows_of(office) if target == post.author.person.username]
        names = [name for name in names if name != post.author.person.username]
        return office.dice.pick(names) if names else None

    # -- reactions -------------------------------------------------------------------------------------------------

    async def _react(self, office: Office) -> None:
        here = await office.received([post.uri for post in self.posts])
        posts = [post for post in self.posts if post.uri in here]
        if not posts:
            return
        share, size, dice, known = SHARES[office.key], self.plan.size, office.dice, office.known
        chosen = self._pairs(office, posts, size.favourites * share // 100)
        await office.write_each(_favourite, [(known[name], here[post.uri].id) for name, post in chosen])
        for_all = [post for post in posts if post.group is None or not post.group.members_only]
        openings = [post for post in for_all if post.parent is None and not post.poll]
        chosen = self._pairs(office, openings, size.reblogs * share // 100)
        moments = [later(dice, post.at, self.plan.now) for _, post in chosen]
        passed_on = [(known[name], here[post.uri].id, at) for (name, post), at in zip(chosen, moments, strict=True)]
        await office.write_each(_reblog, passed_on)
        people = [person.username for person in office.department.people]
        kept = [(known[name], here[post.uri].id) for name in people for post in dice.sample(openings, BOOKMARKS_EACH)]
        await office.write_each(interactions.bookmark, kept)
        votes = [
            (known[name], here[post.uri].id, dice.below(1000))
            for name in people
            for post in for_all
            if post.poll and post.author.person.username != name and dice.chance(VOTE_PERCENT)
        ]
        await office.write_each(_vote, votes)

    def _pairs(self, office: Office, posts: list[Post], wanted: int) -> list[tuple[str, Post]]:
        """Different (person, post) pairs of people whom the post concerns."""
        found: dict[tuple[str, str], Post] = {}
        for _ in range(wanted * 6):
            if len(found) >= wanted or not posts:
                break
            post = office.dice.pick(posts)
            name = self._somebody(office, post)
            if name:
                found[name, post.uri] = post
        return [(name, post) for (name, _), post in found.items()]


def _follow(tx: Tx, follower_id: int, target_id: int) -> None:
    follows.follow(tx, accounts.get(tx, follower_id), accounts.get(tx, target_id))


def _accept(tx: Tx, username: str, domain: str, group_id: int) -> None:
    follower = accounts.find_by_handle(tx, username, domain)
    if follower is None:
        raise ConfigError(f"@{username}@{domain} never asked to join.")
    follows.accept(tx, follower.id, group_id)


def _favourite(tx: Tx, account_id: int, status_id: int) -> None:
    interactions.favourite(tx, accounts.get(tx, account_id), statuses.get_original(tx, account_id, status_id))


def _reblog(tx: Tx, account_id: int, status_id: int, at: int) -> None:
    original = statuses.get_original(tx, account_id, status_id)
    interactions.reblog(tx, accounts.get(tx, account_id), original, at=max(at, original.created_at + MINUTE))


def _vote(tx: Tx, account_id: int, status_id: int, choice: int) -> None:
    poll_id = statuses.get(tx, status_id).poll_id
    if poll_id is not None:
        poll = polls.get(tx, poll_id, account_id)
        polls.vote(tx, accounts.get(tx, account_id), poll_id, [choice % len(poll.options)])
