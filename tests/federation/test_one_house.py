"""The same people do the same things in one department, and each in a department of their own: they see the same.

What has to differ stands in `LEFT_OUT` and `_words`; everything else that differs is a fault of the wire.
"""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fedcorp.social.streams import Channel
from fedcorp.web.auth import Viewer
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.streaming import Listener, News, Streams
from tests.federation.world import Company, Person, plain
from tests.web.instance import picture

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NAMES = ("ann", "bo", "cy", "dan")
DEPARTMENTS = ("finance", "operations", "people", "legal")
POLL_SECONDS = 300
LATER_MS = 2 * 3_600_000

LEFT_OUT = frozenset(
    {
        "id", "uri", "url", "created_at", "edited_at", "expires_at", "last_status_at", "in_reply_to_id",
        "in_reply_to_account_id", "quoted_status_id", "account_id",  # each server has its own
        "avatar", "avatar_static", "header", "header_static", "preview_url", "remote_url",  # files have addresses
        "local", "application", "source", "role", "roles",  # told of people of the house alone
        "pinned",  # told of one's own posts alone
        "display_name",  # who has none is sent with the user name, as from Mastodon
        "reactions", "emoji_reactions",  # told to the author alone
    }
)  # fmt: skip


class Life:
    """What four people do. Posts have names; `settle` lets everything arrive."""

    def __init__(self, company: Company, people: dict[str, Person]) -> None:
        self.company, self.people = company, people
        self.posts: dict[str, str] = {}
        self.hubs: dict[str, Streams] = {}
        self.listeners: dict[str, Listener] = {}
        self.heard: dict[str, list[tuple[str, str]]] = {name: [] for name in people}

    async def listen(self) -> None:
        """Everybody's app opens its stream."""
        for name, person in self.people.items():
            department = person.department
            hub = self.hubs.setdefault(department.domain, Streams(department.db, self.company.clock, Rendered()))
            await hub.pump()
            self.listeners[name] = Listener(person.token, Viewer(person.account.id))
            await hub.add(self.listeners[name], Channel(person.account.id, "user"))

    async def hear(self) -> None:
        """Take down what the streams have told since."""
        for hub in self.hubs.values():
            while await hub.pump():
                pass
        for name, listener in self.listeners.items():
            while not listener.queue.empty():
                news = listener.queue.get_nowait()
                assert news is not None, f"the stream of {name} has ended"
                self.heard[name].append((news.event, _told(news)))

    def at(self, name: str) -> str:
        """How one mentions somebody."""
        return f"@{self.people[name].handle}"

    async def publish(self, name: str, post: str, words: str, *, answers: str = "", **more: Any) -> None:
        """Somebody writes `post`; in the words, names with an @ are those of people."""
        for other in NAMES:
            words = re.sub(rf"@{other}\b", self.at(other), words)
        if answers:
            more["in_reply_to_id"] = await self.id_of(name, answers)
        self.posts[post] = (await self.people[name].publish(words, **more))["uri"]
        await self.company.settle()

    async def id_of(self, name: str, post: str) -> str:
        """The id of a post for somebody."""
        found = await self.people[name].find_status(self.posts[post])
        assert found is not None, f"{name} does not see {post}"
        return str(found["id"])

    async def do(self, name: str, verb: str, post: str) -> None:
        """Favourite, boost, pin and the like."""
        await self.people[name].post(f"/api/v1/statuses/{await self.id_of(name, post)}/{verb}")
        await self.company.settle()

    async def change(self, name: str, post: str, **values: Any) -> None:
        """Edit a post, or delete it where nothing is given."""
        path = f"/api/v1/statuses/{await self.id_of(name, post)}"
        await self.people[name].send("PUT" if values else "DELETE", path, **values)
        await self.company.settle()

    async def to(self, name: str, verb: str, other: str, **values: Any) -> None:
        """Follow, unfollow, mute; let in or refuse who asked to follow."""
        person = self.people[name]
        found = await person.find(self.people[other].handle)
        place = "follow_requests" if verb in ("authorize", "reject") else "accounts"
        await person.post(f"/api/v1/{place}/{found}/{verb}", **values)
        await self.company.settle()

    async def vote(self, name: str, post: str, *choices: int) -> None:
        """Vote on a poll."""
        poll = (await self.people[name].find_status(self.posts[post]))["poll"]
        await self.people[name].post(f"/api/v1/polls/{poll['id']}/votes", choices=list(choices))
        await self.company.settle()


async def acquaintance(life: Life) -> None:
    """Everybody follows everybody, but dan does not follow cy; bo wants to hear of all that ann writes."""
    for name in NAMES:
        for other in NAMES:
            if name != other and (name, other) != ("dan", "cy"):
                await life.to(name, "follow", other)
    await life.to("bo", "follow", "ann", notify=True)


async def requests(life: Life) -> None:
    """Who asks to follow somebody is refused, asks again, and is let in."""
    await life.people["cy"].http.patch("/api/v1/accounts/update_credentials", data={"locked": "true"})
    await life.company.settle()
    for answer in ("reject", "authorize"):
        await life.to("dan", "follow", "cy")
        await life.to("cy", answer, "dan")


async def a_talk(life: Life) -> None:
    """A thread with favourites and boosts, of which the first post is edited."""
    await life.publish("ann", "first", "one @bo and @cy #tag https://example.com/x?a=b&c=d")
    await life.publish("bo", "second", "@ann @cy two", answers="first")
    await life.publish("cy", "third", "@bo @ann three", answers="second")
    await life.publish("dan", "fourth", "@cy four", answers="third")
    for name in ("bo", "cy", "dan"):
        await life.do(name, "favourite", "first")
        await life.do(name, "reblog", "first")
    await life.change("ann", "first", status="one, edited, #other", spoiler_text="careful")
    await life.do("dan", "reblog", "second")
    await life.do("dan", "unreblog", "second")
    await life.do("cy", "pin", "third")


async def polls(life: Life) -> None:
    """A poll that ends, and one that goes on and hides what it knows."""
    poll = {"options": ["a", "b", "c"], "expires_in": POLL_SECONDS, "multiple": True}
    await life.publish("ann", "poll", "which?", poll=poll)
    await life.vote("bo", "poll", 0)
    await life.vote("cy", "poll", 0, 1)
    life.company.clock.shift_ms += (POLL_SECONDS + 1) * 1000
    await life.company.settle()
    await life.publish("bo", "hidden", "guess!", poll=poll | {"expires_in": 86_400, "hide_totals": True})
    await life.vote("ann", "hidden", 2)


async def in_private(life: Life) -> None:
    """Messages among three, and posts for followers."""
    await life.publish("ann", "message", "@bo @dan secret", visibility="direct")
    await life.publish("bo", "reply", "@ann @dan secret, too", answers="message", visibility="direct")
    await life.publish("ann", "private", "for followers", visibility="private")
    await life.publish("cy", "heard", "@ann I heard", answers="private", visibility="private")


async def quotes(life: Life) -> None:
    """A quote of a quote of what is edited then."""
    await life.publish("ann", "unlisted", "not on the list", visibility="unlisted")
    await life.publish("bo", "quote", "as ann says", quoted_status_id=await life.id_of("bo", "unlisted"))
    await life.publish("cy", "quote of it", "as bo says", quoted_status_id=await life.id_of("cy", "quote"))
    await life.change("ann", "unlisted", status="still not on it")


async def pictures(life: Life) -> None:
    """Two pictures with words; and what is deleted."""
    cy = life.people["cy"].http
    ids = []
    for number in range(2):
        file = (f"{number}.png", picture(size=(60 + number, 40)), "image/png")
        words = {"description": f"picture {number} <b>", "focus": "0.5,-0.3"}
        ids.append((await cy.post("/api/v2/media", files={"file": file}, data=words)).json()["id"])
    await life.publish("cy", "pictures", "look", media_ids=ids, sensitive=True, language="de")
    await life.do("ann", "bookmark", "pictures")
    await life.publish("cy", "gone", "to be deleted @ann")
    await life.do("bo", "favourite", "gone")
    await life.change("cy", "gone")


async def reactions(life: Life) -> None:
    """Emoji, put and taken away; a boost of somebody whom not all who see it follow."""
    await life.publish("cy", "cake", "there is cake")
    await life.do("cy", "unpin", "third")
    await life.do("ann", "react/🎂", "cake")
    await life.do("bo", "react/🎂", "cake")
    await life.do("bo", "unreact/🎂", "cake")
    await life.do("bo", "react/👀", "cake")
    await life.do("ann", "reblog", "cake")
    await life.do("cy", "pin", "cake")
    await life.publish("bo", "before lunch", "lunch?", poll={"options": ["yes", "no"], "expires_in": 86_400})
    await life.vote("cy", "before lunch", 0)
    again = {"options": ["yes", "no", "later"], "expires_in": 86_400}
    await life.change("bo", "before lunch", status="lunch soon?", poll=again)
    await life.vote("ann", "before lunch", 2)


async def leave_to_quote(life: Life) -> None:
    """Quotes that nobody may make, and one that is taken back."""
    await life.publish("ann", "mine alone", "do not quote me", quote_approval_policy="nobody")
    answer = await life.people["bo"].send(
        "POST", "/api/v1/statuses", status="I do", quoted_status_id=await life.id_of("bo", "mine alone")
    )
    assert answer.status_code == 422
    await life.publish("ann", "for followers to quote", "quote me", quote_approval_policy="followers")
    await life.publish("cy", "taken back", "see", quoted_status_id=await life.id_of("cy", "for followers to quote"))
    quoted, quoting = await life.id_of("ann", "for followers to quote"), await life.id_of("ann", "taken back")
    await life.people["ann"].post(f"/api/v1/statuses/{quoted}/quotes/{quoting}/revoke")
    await life.company.settle()


async def parting(life: Life) -> None:
    """Somebody no longer wants a follower."""
    await life.publish("cy", "to all", "for my followers", visibility="private")
    await life.to("cy", "remove_from_followers", "bo")
    await life.publish("cy", "without bo", "for those who are left", visibility="private")


async def changes(life: Life) -> None:
    """A new profile, which asks who wants to follow; follows that end, and are asked for; somebody is muted."""
    profile = {"display_name": "Ann <b>", "note": "I am #ann https://example.com", "locked": "true", "bot": "true"}
    files = {"avatar": ("a.png", picture(), "image/png")}
    await life.people["ann"].http.patch("/api/v1/accounts/update_credentials", files=files, data=profile)
    await life.company.settle()
    await life.to("ann", "unfollow", "dan")
    await life.to("dan", "unfollow", "ann")
    await life.to("dan", "follow", "ann")
    await life.to("bo", "mute", "cy", notifications=True)
    await life.publish("cy", "to the deaf", "@bo do you hear?")
    await life.publish("ann", "last", "the last one")
    await life.do("cy", "favourite", "last")
    await life.do("cy", "unfavourite", "last")


CHAPTERS: tuple[Callable[[Life], Awaitable[None]], ...] = (
    acquaintance, requests, a_talk, polls, in_private, quotes, pictures, reactions, leave_to_quote, parting, changes,
)  # fmt: skip


WITHOUT_DAN = frozenset({polls, in_private, quotes, pictures, reactions, leave_to_quote, parting})
"""Chapters in which dan only hears."""


# -- what they see ---------------------------------------------------------------------------------------------------


def _words(text: str) -> str:
    """A text without what names a department, and without the marks that the words of others get."""
    text = re.sub(r' (target|rel)="[^"]*"', "", text).replace("<br />", "<br>")
    text = re.sub(r'<span class="(invisible|ellipsis)">([^<]*)</span>', r"\2", text)  # where an address is cut
    text = re.sub(r"[a-z]+\.localhost", "HOST", text)
    return re.sub(r"(HOST/@\w+)/\d+", r"\1/ID", text.replace("@HOST", ""))


def _told(news: News) -> str:
    """What an event says, in a few words."""
    thing = json.loads(news.payload) if news.event != "delete" else {}
    if "type" in thing:
        return f"{thing['type']} of {thing['account']['username']}"
    return brief(thing) if "content" in thing else ""


def bare(thing: Any) -> Any:
    """What an app is told, without what each server has its own of."""
    if isinstance(thing, dict):
        # Messages go no further than they must, so those within a department have its reach.
        left_out = LEFT_OUT | {"reach", "local_only"} if thing.get("visibility") == "direct" else LEFT_OUT
        return {name: bare(value) for name, value in thing.items() if name not in left_out}
    if isinstance(thing, list):
        return [bare(item) for item in thing]
    if thing == "unauthorized":  # as who hears of a quote when its leave was taken back already
        return "revoked"
    return _words(thing) if isinstance(thing, str) else thing


def brief(status: Any) -> str:
    """The words of a status, or of what it boosts."""
    return f"boost: {brief(status['reblog'])}" if status["reblog"] else plain(_words(status["content"]))


TABS = {
    "posts": {"exclude_replies": "true"}, "answers": {}, "pictures": {"only_media": "true"}, "pins": {"pinned": "true"},
}  # fmt: skip


async def seen(life: Life, person: Person) -> dict[str, Any]:
    """Everything that somebody can look at."""
    found: dict[str, Any] = {
        path: bare(await person.get(f"/api/v1/{path}", limit=40))
        for path in ("timelines/home", "conversations", "bookmarks", "favourites", "timelines/tag/other")
    }
    # Tallies and leaves to quote come a moment later from elsewhere: the post is told once more, with the same words.
    heard = set(life.heard[person.account.username])
    found["stream"] = sorted(item for item in heard if item[0] != "status.update" or ("update", item[1]) not in heard)
    found["notifications"] = sorted(
        (item["type"], item["account"]["username"], brief(item["status"]) if item.get("status") else "")
        for item in await person.get("/api/v1/notifications", limit=80)
    )
    for other in life.people.values():
        path = f"/api/v1/accounts/{await person.find(other.handle)}"
        name = other.account.username
        found[name] = bare(await person.get(path))
        for words, values in TABS.items():
            found[f"{name}, {words}"] = [
                brief(item) for item in await person.get(f"{path}/statuses", limit=40, **values)
            ]
        found[f"{name} to me"] = bare(
            await person.get("/api/v1/accounts/relationships", **{"id[]": path.rpartition("/")[2]})
        )
    for post, uri in life.posts.items():
        status = await person.find_status(uri) if await _is_told(person, uri) else None
        found[post] = bare(status)
        if status is not None and status["account"]["acct"] == person.account.username:
            found[f"{post}, reactions"] = sorted((item["name"], item["count"]) for item in status["reactions"])
        if status is not None:
            path = f"/api/v1/statuses/{status['id']}"
            around = await person.get(f"{path}/context")
            found[f"{post}, around it"] = {side: sorted(map(brief, items)) for side, items in around.items()}
            found[f"{post}, before"] = [_words(item["content"]) for item in await person.get(f"{path}/history")]
    return found


async def _is_told(person: Person, uri: str) -> bool:
    """Whether a search by address finds it."""
    return bool((await person.get("/api/v2/search", q=uri, type="statuses", resolve="true"))["statuses"])


async def live(folder: Path, homes: dict[str, str], *, away: str = "") -> dict[str, dict[str, Any]]:
    """Live through all chapters, everybody in the department of `homes`; what each of them sees then. The department
    `away` cannot be reached, and reaches nobody, while its people do nothing."""
    folder.mkdir()
    company = Company(folder)
    try:
        made = {name: await company.department(name) for name in sorted(set(homes.values()))}
        await company.introduce(*made.values())
        life = Life(company, {name: await made[homes[name]].person(name) for name in NAMES})
        await life.listen()
        for chapter in CHAPTERS:
            if away and (chapter in WITHOUT_DAN) != bool(company.network.cut):
                company.network.cut ^= {f"{away}.localhost"}
                await company.retry()
                await life.hear()
            await chapter(life)
            await life.hear()
        company.clock.shift_ms += LATER_MS  # numbers and threads are read again then
        for person in life.people.values():
            await seen(life, person)  # what they look up for it may come a moment later
        await company.settle()
        return {name: await seen(life, person) for name, person in life.people.items()}
    finally:
        await company.stop()


def differences(one: Any, other: Any, place: str) -> list[str]:
    """Where two answers differ, a line each."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line for name in one.keys() | other.keys()
            for line in differences(one.get(name), other.get(name), f"{place}.{name}")
        ]  # fmt: skip
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for number, (a, b) in pairs for line in differences(a, b, f"{place}[{number}]")]
    if isinstance(one, list) and isinstance(other, list):
        one, other = [item for item in one if item not in other], [item for item in other if item not in one]
    return [] if one == other else [f"{place}: {str(one)[:200]} | {str(other)[:200]}"]


@pytest.mark.parametrize("away", ["", DEPARTMENTS[-1]])
async def test_people_see_the_same_in_one_house_and_in_four(tmp_path: Path, away: str) -> None:
    """Also when a department was away for most of the time."""
    together = await live(tmp_path / "one", dict.fromkeys(NAMES, DEPARTMENTS[0]))
    apart = await live(tmp_path / "four", dict(zip(NAMES, DEPARTMENTS, strict=True)), away=away)
    assert together["bo"]["first"]["spoiler_text"] == "careful"
    assert len(together["ann"]["timelines/home"]) > len(CHAPTERS), "else it would show nothing"
    assert sorted(differences(together, apart, "")) == []
