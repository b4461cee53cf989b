"""Private means private: every route of the product, asked by everybody about every kind of post.

`ROWS` has a row for every route of `fedcorp.web.routes`; a route without one fails. What may be answered is taken from
the table in `tests.federation.door_world`, which knows nothing of the product's own rules. A row yields a sentence for
every answer that says too much or too little.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from starlette.types import Message

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import activities, collection_items, collections
from fedcorp.storage.tables import statuses as statuses_table
from fedcorp.web.routes import ROUTES
from tests.federation.door_world import (
    COLLEAGUES,
    EVERYBODY,
    FOLLOWERS,
    GROUPS,
    KINDS,
    LATE,
    MEMBERS,
    MODERATED,
    MODERATORS,
    NOBODY,
    SECRET,
    STAFF,
    DoorWorld,
    belongs,
    knows,
    readable,
    reads,
    words,
)
from tests.federation.world import ACTIVITY, Department

pytestmark = [pytest.mark.anyio, pytest.mark.once]

VIEWERS = (*(name for names in STAFF.values() for name in names), NOBODY)
DELETED = {"delpub": EVERYBODY, "delpriv": MEMBERS}  # who may know that there was something
PUBLIC = {key for key, kind in KINDS.items() if kind.values.get("visibility") == "public" or (
    kind.group and kind.group not in ("priv", SECRET, "queue"))}  # fmt: skip

_FINANCE = "http://finance.localhost"
Complaints = AsyncIterator[str]
Row = Callable[[DoorWorld], Complaints]


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DoorWorld]:
    made = DoorWorld(tmp_path_factory.mktemp("doors"))
    await made.build()
    yield made
    await made.company.stop()


def too_much(who: str, what: str, answer: httpx.Response, allowed: set[str], echo: str = "") -> list[str]:
    """A sentence when an answer speaks of what `who` may not know. `echo` is what the question itself said."""
    told = words(answer.content.replace(echo.encode(), b"") if echo else answer.content) - allowed
    return [f"{who} learns of {sorted(told)} by {what} ({answer.status_code})"] if told else []


def same(answer: httpx.Response, missing: httpx.Response) -> bool:
    """Whether two answers cannot be told apart."""
    return (answer.status_code, answer.content) == (missing.status_code, missing.content)


# -- the API of clients ----------------------------------------------------------------------------------------------


def about_posts(path: str, *, shows: bool = True, only: Callable[[str, str], bool] | None = None) -> Row:
    """GET of one post by its id: for its readers an answer, for others the same as for a post that is not there.
    `shows`: the post itself stands in the answer. `only` (viewer, key) narrows whom it is for."""

    async def row(world: DoorWorld) -> Complaints:
        for viewer in VIEWERS:
            app, mine = world.app(viewer), readable(viewer)
            missing = await app.get(path.format(id=1))
            for key, id_ in world.ids[world.home_of(viewer)].items():
                answer = await app.get(path.format(id=id_))
                for complaint in too_much(viewer, f"{path} of {key}", answer, mine):
                    yield complaint
                if missing.status_code == 401:
                    assert answer.status_code == 401
                elif key in mine and (only is None or only(viewer, key)):
                    if answer.status_code != 200 or (shows and key not in words(answer.content)):
                        yield f"{viewer} is refused {path} of {key}: {answer.status_code}"
                elif not same(answer, missing):
                    yield f"{viewer} learns that there is {key} by {path}: {answer.status_code} {answer.text[:80]}"

    return row


def acts_on_posts(method: str, path: str, *, for_readers: bool = False, **body: Any) -> Row:
    """What can be done to a post: for whoever may not read it there is none. What is no POST is for its author, unless
    it is `for_readers`."""

    async def row(world: DoorWorld) -> Complaints:
        for viewer in VIEWERS:
            app, mine = world.app(viewer), readable(viewer)
            missing = await app.request(method, path.format(id=1), json=body)
            for key, id_ in world.ids[world.home_of(viewer)].items():
                foreign = method != "POST" and not for_readers and KINDS[key].author != viewer
                if key not in mine or foreign or viewer == NOBODY:
                    answer = await app.request(method, path.format(id=id_), json=body)
                    if not same(answer, missing):
                        yield f"{viewer} gets {answer.status_code} by {method} {path} of {key}: {answer.text[:80]}"

    return row


async def refreshes(world: DoorWorld) -> Complaints:
    """How far a thread has been read: for who may read the post; for others the same as of no post."""
    path = "/api/v1_alpha/async_refreshes/{id}"
    for viewer in VIEWERS:
        app, mine, here = world.app(viewer), readable(viewer), world.ids[world.home_of(viewer)]
        missing = await app.get(path.format(id=1))
        for key, id_ in here.items():
            await app.get(f"/api/v1/statuses/{id_}/context")  # so that there is something to tell
            answer = await app.get(path.format(id=id_))
            told = viewer != NOBODY and key in mine and answer.status_code == 200
            if not told and not same(answer, missing):
                yield f"{viewer} learns that there is {key} by {path}: {answer.status_code} {answer.text[:80]}"


def listing(path: str, *queries: dict[str, Any], wanted: Callable[[str], set[str]] | None = None) -> Row:
    """A list without a post in its address. `wanted` (viewer): the keys that must stand in the first one."""

    async def row(world: DoorWorld) -> Complaints:
        for viewer in VIEWERS:
            app, here = world.app(viewer), world.ids[world.home_of(viewer)]
            for number, query in enumerate(queries or ({"limit": 40},)):
                answer = await app.get(path, params=query)
                for complaint in too_much(viewer, f"{path} {query}", answer, readable(viewer)):
                    yield complaint
                if number == 0 and wanted is not None and answer.status_code != 401:
                    lacks = {key for key in wanted(viewer) if key in here} - words(answer.content)
                    if lacks:
                        yield f"{viewer} does not find {sorted(lacks)} in {path}"

    return row


def by_word(path: str, query: dict[str, str], wanted: Callable[[str, str], bool], *, echoes: bool = False) -> Row:
    """A question with a word or hashtag of every post: `wanted` (viewer, key) says whether it is found."""

    async def row(world: DoorWorld) -> Complaints:
        for viewer in VIEWERS:
            app, here = world.app(viewer), world.ids[world.home_of(viewer)]
            for key in KINDS:
                asked = {name: value.format(key=key, uri=world.posts[key].uri) for name, value in query.items()}
                answer = await app.get(path.format(key=key), params=asked)
                echo = f"qq{key}qq" if echoes else ""
                for complaint in too_much(viewer, f"{path} {asked}", answer, readable(viewer), echo):
                    yield complaint
                found = key in words(answer.content.replace(echo.encode(), b"") if echo else answer.content)
                if answer.status_code == 200 and found != (wanted(viewer, key) and key in here):
                    yield f"{viewer} {'finds' if found else 'does not find'} {key} by {path} {asked}"

    return row


def read_by(viewer: str, key: str) -> bool:
    return key in readable(viewer)


def public_to(viewer: str, key: str) -> bool:
    return key in PUBLIC and key in readable(viewer)


def signed_in(viewer: str, key: str) -> bool:
    return viewer != NOBODY and key in readable(viewer)


async def search_by_address(world: DoorWorld) -> Complaints:
    """Whatever was said where: who pastes an address finds what they may read, and nothing else."""
    for viewer in VIEWERS:
        for key, post in world.posts.items():
            answer = await world.app(viewer).get("/api/v2/search", params={"q": post.uri, "resolve": "true"})
            for complaint in too_much(viewer, f"the address of {key}", answer, readable(viewer)):
                yield complaint
            if (key in words(answer.content)) != signed_in(viewer, key):
                yield f"{viewer} {'does not find' if signed_in(viewer, key) else 'finds'} {key} by its address"
    await world.look_up()


async def search(world: DoorWorld) -> Complaints:
    rows = (
        search_by_address,
        by_word("/api/v2/search", {"q": "zz{key}zz", "type": "statuses"}, signed_in),
        by_word("/api/v2/search", {"q": "qq{key}qq", "type": "hashtags"}, public_to),
        listing("/api/v2/search", {"q": "zz"}, {"q": "qq"}, {"q": SECRET}, {"q": f"@{SECRET}@finance.localhost",
                "resolve": "true"}, {"q": f"http://finance.localhost/@{SECRET}", "resolve": "true"}),
    )  # fmt: skip
    for row in rows:
        async for complaint in row(world):
            yield complaint


async def tag_history(world: DoorWorld) -> Complaints:
    """A hashtag counts what the viewer may read."""
    for viewer in VIEWERS:
        here = world.ids[world.home_of(viewer)]
        for key in KINDS:
            answer = (await world.app(viewer).get(f"/api/v1/tags/qq{key}qq")).json()
            uses = sum(int(day["uses"]) for day in answer["history"])
            if uses != int(public_to(viewer, key) and key in here):
                yield f"{viewer} is told of {uses} uses of the hashtag of {key}"


async def statuses_of_accounts(world: DoorWorld) -> Complaints:
    """What people and groups wrote or passed on."""
    variants: tuple[dict[str, Any], ...] = (
        {"limit": 40}, {"exclude_replies": "true"}, {"exclude_reblogs": "true"}, {"only_media": "true"},
        {"pinned": "true"}, {"tagged": "qqinprivqq"},
    )  # fmt: skip
    for viewer in VIEWERS:
        app, home = world.app(viewer), world.home_of(viewer)
        for name, id_ in {**world.accounts[home], **world.groups[home]}.items():
            if not knows(viewer, name):
                missing = await app.get("/api/v1/accounts/1/statuses")
                if not same(await app.get(f"/api/v1/accounts/{id_}/statuses"), missing):
                    yield f"{viewer} learns that there is {name}"
                continue
            for query in variants:
                answer = await app.get(f"/api/v1/accounts/{id_}/statuses", params=query)
                for complaint in too_much(viewer, f"the posts of {name} {query}", answer, readable(viewer)):
                    yield complaint
                if query != variants[0]:
                    continue
                wrote = {
                    key for key in world.ids[home]
                    if name in (KINDS[key].author, KINDS[key].group)
                    and (KINDS[key].listed or KINDS[key].author == name) and key in readable(viewer)
                }  # fmt: skip
                if lacks := wrote - words(answer.content):
                    yield f"{viewer} misses {sorted(lacks)} among the posts of {name}"


def about_accounts(path: str, *, method: str = "GET") -> Row:
    """What is asked about people and groups: says nothing of posts, and of a secret group nothing at all."""

    async def row(world: DoorWorld) -> Complaints:
        for viewer in VIEWERS:
            app, home = world.app(viewer), world.home_of(viewer)
            missing = await app.request(method, path.format(id=1))
            for name, id_ in {**world.accounts[home], **world.groups[home]}.items():
                if knows(viewer, name) and method != "GET":
                    continue  # acts have tests of their own; here they must not help strangers
                answer = await app.request(method, path.format(id=id_))
                for complaint in too_much(viewer, f"{path} of {name}", answer, readable(viewer)):
                    yield complaint
                if not knows(viewer, name) and not same(answer, missing):
                    yield f"{viewer} learns that there is {name} by {path}: {answer.status_code}"

    return row


def following(path: str) -> Row:
    """Who belongs to a group that only members read is shown to its members, wherever lists of people are."""

    async def row(world: DoorWorld) -> Complaints:
        async for complaint in about_accounts(path)(world):
            yield complaint
        for viewer in VIEWERS[:-1]:
            home = world.home_of(viewer)
            for name in ("priv", "queue", SECRET):
                group = world.groups[home].get(name, "none")
                for member in ("fay", "bo"):
                    if member == viewer or member not in world.accounts[home]:
                        continue
                    shown = await world.app(viewer).get(path.format(id=world.accounts[home][member]))
                    members = await world.app(viewer).get(path.format(id=group))
                    told = group in ids_in(shown) or world.accounts[home][member] in ids_in(members)
                    if told and not belongs(viewer, name):
                        yield f"{viewer} learns by {path} that {member} belongs to {name}"

    return row


def ids_in(answer: httpx.Response) -> set[str]:
    """The ids of the accounts in a list."""
    return {item["id"] for item in answer.json()} if answer.status_code == 200 else set()


async def familiar(world: DoorWorld) -> Complaints:
    for viewer in VIEWERS[:-1]:
        home = world.home_of(viewer)
        for name, id_ in {**world.accounts[home], **world.groups[home]}.items():
            answer = await world.app(viewer).get("/api/v1/accounts/familiar_followers", params={"id[]": id_})
            if any(item["accounts"] for item in answer.json()) and name in GROUPS and not reads(viewer, name):
                yield f"{viewer} learns who belongs to {name}"
            if answer.json() and not knows(viewer, name):
                yield f"{viewer} learns that there is {name}"


def polls(method: str) -> Row:
    async def row(world: DoorWorld) -> Complaints:
        path = "/api/v1/polls/{id}" + ("/votes" if method == "POST" else "")
        for viewer in VIEWERS:
            app = world.app(viewer)
            missing = await app.request(method, path.format(id=1), json={"choices": [0]})
            for key, id_ in world.polls[world.home_of(viewer)].items():
                if method == "POST" and key in readable(viewer):
                    continue
                answer = await app.request(method, path.format(id=id_), json={"choices": [0]})
                if key in readable(viewer):
                    if key not in words(answer.content):
                        yield f"{viewer} is refused the poll of {key}"
                elif not same(answer, missing):
                    yield f"{viewer} learns of the poll of {key}: {answer.status_code}"

    return row


async def many_posts(world: DoorWorld) -> Complaints:
    for viewer in VIEWERS:
        ids = list(world.ids[world.home_of(viewer)].values())
        for first in range(0, len(ids), 20):
            some = ids[first : first + 20]
            answer = await world.app(viewer).get("/api/v1/statuses", params={"id[]": some})
            for complaint in too_much(viewer, "many ids at once", answer, readable(viewer)):
                yield complaint
            wanted = {key for key, id_ in world.ids[world.home_of(viewer)].items() if id_ in some} & readable(viewer)
            if lacks := wanted - words(answer.content):
                yield f"{viewer} does not get {sorted(lacks)}"


async def group_lists(world: DoorWorld) -> Complaints:
    """The virtual list of a group."""
    for viewer in VIEWERS[:-1]:
        for name, id_ in world.groups[world.home_of(viewer)].items():
            answer = await world.app(viewer).get(f"/api/v1/timelines/list/{id_}", params={"limit": 40})
            for complaint in too_much(viewer, f"the list of {name}", answer, readable(viewer)):
                yield complaint
            if (answer.status_code == 200) != belongs(viewer, name):
                yield f"{viewer} gets {answer.status_code} for the list of {name}"
            here = world.ids[world.home_of(viewer)]
            inside = {key for key, kind in KINDS.items() if kind.group == name and kind.listed and key in here}
            if belongs(viewer, name) and (lacks := (inside & readable(viewer)) - words(answer.content)):
                yield f"{viewer} misses {sorted(lacks)} in the list of {name}"


def of_lists(method: str, path: str) -> Row:
    """A virtual list of a group is there for its members alone."""

    async def row(world: DoorWorld) -> Complaints:
        for viewer in VIEWERS[:-1]:
            app = world.app(viewer)
            missing = await app.request(method, path.format(id=1))
            for name, id_ in world.groups[world.home_of(viewer)].items():
                if belongs(viewer, name) and method != "GET":
                    continue
                answer = await app.request(method, path.format(id=id_))
                if not belongs(viewer, name) and not same(answer, missing):
                    yield f"{viewer} gets {answer.status_code} by {method} {path} of {name}"

    return row


def of_uploads(method: str) -> Row:
    """An upload is its owner's."""

    async def row(world: DoorWorld) -> Complaints:
        for viewer in VIEWERS:
            app = world.app(viewer)
            missing = await app.request(method, "/api/v1/media/1")
            for key, id_ in world.files[world.home_of(viewer)].items():
                if KINDS[key].author != viewer:
                    answer = await app.request(method, f"/api/v1/media/{id_}")
                    if not same(answer, missing):
                        yield f"{viewer} gets {answer.status_code} by {method} of the picture of {key}"

    return row


async def unread(world: DoorWorld, path: str, shown: str, count: Callable[[Any], int]) -> list[str]:
    found = []
    for viewer in VIEWERS[:-1]:
        app = world.app(viewer)
        told = (await app.get(path)).json()["count"]
        seen = count((await app.get(shown, params={"limit": 80})).json())
        if told != seen:
            found.append(f"{viewer} is told of {told} by {path} and shown {seen}")
    return found


async def unread_count(world: DoorWorld) -> Complaints:
    for complaint in await unread(world, "/api/v1/notifications/unread_count", "/api/v1/notifications", len):
        yield complaint


async def unread_groups(world: DoorWorld) -> Complaints:
    def count(answer: Any) -> int:
        return len(answer["notification_groups"])

    for complaint in await unread(world, "/api/v2/notifications/unread_count", "/api/v2/notifications", count):
        yield complaint


def each_notification(path: str, version: str = "v1", *, method: str = "GET") -> Row:
    """Notifications are one's own, whatever one knows of their numbers; and as far as one may read what they are of."""

    async def row(world: DoorWorld) -> Complaints:
        keys = {"v1": ("id",), "v2": ("group_key",)}[version]
        known: set[str] = set()
        for viewer in VIEWERS[:-1]:
            shown = (await world.app(viewer).get("/api/v1/notifications", params={"limit": 80})).json()
            known |= {item[keys[0]] for item in shown}
        for viewer in VIEWERS[:-1]:
            app = world.app(viewer)
            shown = (await app.get("/api/v1/notifications", params={"limit": 80})).json()
            mine = {item[keys[0]] for item in shown}
            for name in sorted(known - mine if method == "POST" else known):
                answer = await app.request(method, path.format(id=name))
                for complaint in too_much(viewer, f"{path} {name}", answer, readable(viewer)):
                    yield complaint

    return row


# -- the own API of groups -------------------------------------------------------------------------------------------


def about_groups(suffix: str, may: Callable[[str, str], bool], *, allowed: set[str] | None = None) -> Row:
    """GET of something of a group: `may` (viewer, group) says for whom. Others get 403, or 404 where the group does not
    show itself to them or shows this to members alone. `allowed`: keys that whoever may is shown beside their own."""

    async def row(world: DoorWorld) -> Complaints:
        for viewer in VIEWERS:
            app = world.app(viewer)
            missing = await app.get(f"/api/fedcorp/v1/groups/1{suffix}")
            for name in world.groups[world.home_of(viewer)]:
                answer = await app.get(world.group(viewer, name) + suffix)
                more = (allowed or set()) if may(viewer, name) and viewer != NOBODY else set()
                for complaint in too_much(viewer, f"{suffix} of {name}", answer, readable(viewer) | more):
                    yield complaint
                if viewer == NOBODY:
                    assert answer.status_code == 401
                elif may(viewer, name):
                    if answer.status_code != 200:
                        yield f"{viewer} is refused {suffix} of {name}: {answer.status_code} {answer.text[:80]}"
                elif not knows(viewer, name):
                    if not same(answer, missing):
                        yield f"{viewer} learns that there is {name} by {suffix}: {answer.status_code}"
                elif answer.status_code not in (403, 404):
                    yield f"{viewer} gets {answer.status_code} by {suffix} of {name}"

    return row


def moderates(viewer: str, group: str) -> bool:
    return viewer in MODERATORS[group]


def may_invite(viewer: str, group: str) -> bool:
    return moderates(viewer, group) or (group in ("open", "ask") and belongs(viewer, group))


async def held(world: DoorWorld) -> Complaints:
    async for complaint in about_groups("/held", moderates, allowed=set(MODERATED))(world):
        yield complaint
    answer = await world.app("mo").get(world.group("mo", "queue") + "/held")
    if words(answer.content) != set(MODERATED):
        yield f"mo is shown {sorted(words(answer.content))}"


async def invites(world: DoorWorld) -> Complaints:
    """Moderators see all invitations, others their own."""
    async for complaint in about_groups("/invites", knows)(world):
        yield complaint
    for viewer in VIEWERS[:-1]:
        for name in world.groups[world.home_of(viewer)]:
            answer = await world.app(viewer).get(world.group(viewer, name) + "/invites")
            shown = {item["account"]["username"] for item in answer.json()} if answer.status_code == 200 else set()
            if not moderates(viewer, name) and shown - {viewer}:
                yield f"{viewer} learns of the invitations of {sorted(shown)} into {name}"


def acts_in_groups(
    method: str, suffix: str, *, known: bool = True, may: Callable[[str, str], bool] | None = None, **body: Any
) -> Row:
    """What is done in a group: whoever may not is refused, and is told no more than that.

    Without `known`, everybody who knows the group may; then only the secret one is tried. Members are tried where only
    moderators may.
    """

    async def row(world: DoorWorld) -> Complaints:
        for viewer in VIEWERS:
            app, home = world.app(viewer), world.home_of(viewer)
            missing = await app.request(method, "/api/fedcorp/v1/groups/1" + _filled(world, home, suffix), json=body)
            for name in world.groups[home]:
                if knows(viewer, name) and (not known or (may or moderates)(viewer, name)):
                    continue
                answer = await app.request(method, world.group(viewer, name) + _filled(world, home, suffix), json=body)
                for complaint in too_much(viewer, f"{method} {suffix} of {name}", answer, readable(viewer)):
                    yield complaint
                if viewer == NOBODY:
                    assert answer.status_code == 401
                elif not knows(viewer, name):
                    if not same(answer, missing):
                        yield f"{viewer} learns that there is {name} by {method} {suffix}: {answer.status_code}"
                elif answer.status_code not in (400, 403, 404):
                    yield f"{viewer} may {method} {suffix} of {name}: {answer.status_code} {answer.text[:80]}"

    return row


def _filled(world: DoorWorld, home: str, suffix: str) -> str:
    post = world.ids[home].get("inpriv", "1")
    return suffix.format(account=world.accounts[home].get("fay", "1"), status=post, report="1")


async def places(world: DoorWorld) -> Complaints:
    """What became of a post in groups: its author sees all, its readers where it was passed on."""
    async for complaint in about_posts("/api/fedcorp/v1/statuses/{id}/groups", shows=False)(world):
        yield complaint


# -- pages for people ------------------------------------------------------------------------------------------------


async def page_of_post(world: DoorWorld) -> Complaints:
    for viewer in (*STAFF["finance"], NOBODY):
        async with await world.browser(viewer) as browser:
            missing = await browser.get("/@ann/1")
            for key, post in world.posts.items():
                if post.home != "finance":
                    continue
                answer = await browser.get(f"/@{KINDS[key].author}/{world.ids['finance'][key]}")
                for complaint in too_much(viewer, f"the page of {key}", answer, readable(viewer)):
                    yield complaint
                if key in readable(viewer):
                    if key not in words(answer.content):
                        yield f"{viewer} is refused the page of {key}"
                elif not same(answer, missing):
                    yield f"{viewer} learns by its page that there is {key}: {answer.status_code}"
    for home in HOMES:
        mine = {key: post for key, post in world.posts.items() if post.home == home}
        pages = {f"/@{KINDS[key].author}/{_number(post.uri)}": post.uri for key, post in mine.items()}
        async for complaint in documents_at(world, home, pages):
            yield complaint


async def documents_at(world: DoorWorld, home: str, pages: dict[str, str]) -> Complaints:
    """Who signs gets at these pages what stands at the ids, and no more."""
    department = world.departments[home]
    for name, signer in world.signers(home).items():
        for page, uri in pages.items():
            answer = await signer.get(department, department.origin + page)
            if not same(answer, await signer.get(department, uri)):
                yield f"{name} gets something else at {page} than at {uri}: {answer.status_code}"


async def frame_of_post(world: DoorWorld) -> Complaints:
    """The page that other sites frame, and the answer that leads there: the same for everybody, signed in or not."""
    for viewer in (*STAFF["finance"], NOBODY):
        app = world.app(viewer)
        missing = await app.get("/@ann/1/embed"), await app.get("/api/oembed", params={"url": f"{_FINANCE}/@ann/1"})
        for key, post in world.posts.items():
            if post.home != "finance":
                continue
            path = f"/@{KINDS[key].author}/{world.ids['finance'][key]}"
            answers = (
                await app.get(f"{path}/embed"), await app.get("/api/oembed", params={"url": f"{_FINANCE}{path}"}),
            )  # fmt: skip
            for answer, gone in zip(answers, missing, strict=True):
                for complaint in too_much(viewer, f"the frame of {key}", answer, readable(NOBODY)):
                    yield complaint
                if key in readable(NOBODY) and answer.status_code != 200:
                    yield f"{viewer} is refused the frame of {key}"
                if key not in readable(NOBODY) and not same(answer, gone):
                    yield f"{viewer} learns by its frame that there is {key}"


async def page_of_account(world: DoorWorld) -> Complaints:
    for viewer in (*STAFF["finance"], NOBODY):
        async with await world.browser(viewer) as browser:
            missing = await browser.get("/@nobody-of-this-name")
            for name in (*STAFF["finance"], *GROUPS):
                answer = await browser.get(f"/@{name}")
                allowed = readable(viewer) | ({"secret"} if knows(viewer, name) and name == SECRET else set())
                for complaint in too_much(viewer, f"the page of {name}", answer, allowed):
                    yield complaint
                if not knows(viewer, name) and not same(answer, missing):
                    yield f"{viewer} learns by its page that there is {name}"
    for home in HOMES:
        pages = {f"/@{name}": world.people[name].account.uri for name in STAFF[home]}
        if home == "finance":
            pages |= {f"/@{name}": f"{_FINANCE}/g/{id_}" for name, id_ in world.groups["finance"].items()}
        async for complaint in documents_at(world, home, pages):
            yield complaint


async def page_of_link(world: DoorWorld) -> Complaints:
    """Whoever has not got the link of a group learns nothing by its address."""
    for viewer in (*STAFF["finance"], NOBODY):
        async with await world.browser(viewer) as browser:
            for method in ("GET", "POST"):
                missing = await browser.request(method, "/@nobody-of-this-name/join/guess")
                for name in GROUPS:
                    if not same(await browser.request(method, f"/@{name}/join/guess"), missing):
                        yield f"{viewer} learns by a wrong link that there is {name}"


async def page_of_tag(world: DoorWorld) -> Complaints:
    for viewer in (*STAFF["finance"], NOBODY):
        async with await world.browser(viewer) as browser:
            for key in KINDS:
                answer = await browser.get(f"/tags/qq{key}qq")
                found = key in words(answer.content.replace(f"qq{key}qq".encode(), b""))
                if found != public_to(viewer, key):
                    yield f"{viewer} {'finds' if found else 'does not find'} {key} on the page of its hashtag"


# -- collections -----------------------------------------------------------------------------------------------------

SHELVES = {"company": ("company", True), "public": ("public", True), "unlisted": ("public", False)}


async def shelves(world: DoorWorld) -> dict[str, str]:
    """Collections of fay with everybody and every group in them, also those that nobody may add: by name their ids."""
    owner = int(world.accounts["finance"]["fay"])
    inside = [int(id_) for id_ in (*world.accounts["finance"].values(), *world.groups["finance"].values())]
    return await world.finance.db.write(_shelves, owner, inside)


def _shelves(tx: Tx, owner: int, inside: list[int]) -> dict[str, str]:
    rows = tx.conn.execute(sa.select(collections.c.name, collections.c.id).where(collections.c.name.in_(SHELVES)))
    found = {row[0]: str(row[1]) for row in rows}
    for name, (reach, discoverable) in SHELVES.items() if not found else ():
        id_ = tx.new_id()
        found[name] = str(id_)
        values = {"id": id_, "name": name, "reach": reach, "discoverable": discoverable, "account_id": owner}
        tx.conn.execute(sa.insert(collections).values(**values, created_at=tx.ms, updated_at=tx.ms))
        for account_id in inside:
            item = {"id": tx.new_id(), "collection_id": id_, "account_id": account_id, "state": "accepted"}
            tx.conn.execute(sa.insert(collection_items).values(**item, created_at=tx.ms))
    return found


def _stands(tx: Tx, collection_id: str, account_id: str) -> str:
    of = (collection_items.c.collection_id == int(collection_id), collection_items.c.account_id == int(account_id))
    return str(tx.conn.execute(sa.select(collection_items.c.id).where(*of)).scalar_one())


def _in_shelf(world: DoorWorld, viewer: str) -> set[str]:
    """The ids that this reader must find in a collection that shows everything."""
    known = {**world.accounts["finance"], **world.groups["finance"]}
    return {id_ for name, id_ in known.items() if knows(viewer, name)}


async def one_collection(world: DoorWorld) -> Complaints:
    """Whom it shows depends on the reader; without a token only what is public in both senses is there."""
    for viewer in (*STAFF["finance"], NOBODY):
        app = world.app(viewer)
        missing = await app.get("/api/v1/collections/1")
        for name, id_ in (await shelves(world)).items():
            answer = await app.get(f"/api/v1/collections/{id_}")
            for complaint in too_much(viewer, f"the collection {name}", answer, readable(viewer)):
                yield complaint
            if viewer == NOBODY and name != "public":
                if not same(answer, missing):
                    yield f"{viewer} learns that there is the collection {name}"
            elif {item["account_id"] for item in answer.json()["collection"]["items"]} != _in_shelf(world, viewer):
                yield f"{viewer} is shown too much or too little in the collection {name}"


async def collections_of_accounts(world: DoorWorld) -> Complaints:
    async for complaint in about_accounts("/api/v1/accounts/{id}/collections")(world):
        yield complaint
    await shelves(world)
    for viewer in (*STAFF["finance"], NOBODY):
        answer = await world.app(viewer).get(f"/api/v1/accounts/{world.accounts['finance']['fay']}/collections")
        for complaint in too_much(viewer, "the collections of fay", answer, readable(viewer)):
            yield complaint
        shown = {item["name"] for item in answer.json()["collections"]}
        if shown != (set(SHELVES) if viewer == "fay" else {"public"} if viewer == NOBODY else {"public", "company"}):
            yield f"{viewer} is shown {sorted(shown)} on the profile of fay"


async def in_collections(world: DoorWorld) -> Complaints:
    """Where somebody stands is for themselves, and for the moderators of a group."""
    await shelves(world)
    async for complaint in about_accounts("/api/v1/accounts/{id}/in_collections")(world):
        yield complaint
    for viewer in STAFF["finance"]:
        for name, id_ in {**world.accounts["finance"], **world.groups["finance"]}.items():
            answer = await world.app(viewer).get(f"/api/v1/accounts/{id_}/in_collections")
            may = viewer == name or (name in GROUPS and viewer in MODERATORS[name])
            if (answer.status_code == 200) != may:
                yield f"{viewer} asks where {name} stands and gets {answer.status_code}"


async def collecting_secrets(world: DoorWorld) -> Complaints:
    """A secret group is not added, and refused with the words for what does not exist."""
    secret = world.groups["finance"][SECRET]
    for viewer in STAFF["finance"]:
        app = world.app(viewer)
        made = (await app.post("/api/v1/collections", json={"name": "mine"})).json()["collection"]
        for path, body in (
            ("/api/v1/collections", lambda id_: {"name": "x", "account_ids": [id_]}),
            (f"/api/v1/collections/{made['id']}/items", lambda id_: {"account_id": id_}),
        ):
            missing = await app.post(path, json=body("1"))
            if missing.status_code != 422 or not same(await app.post(path, json=body(secret)), missing):
                yield f"{viewer} learns by {path} that there is a secret group"
        await app.delete(f"/api/v1/collections/{made['id']}")


def acts_on_collections(method: str, suffix: str = "", **body: Any) -> Row:
    """Done to the collection of somebody else: never, and what is in it that one may not know of is not there."""

    async def row(world: DoorWorld) -> Complaints:
        known = await shelves(world)
        item = await world.finance.db.read(_stands, known["company"], world.groups["finance"][SECRET])
        for viewer in (*STAFF["finance"], NOBODY):
            if viewer == "fay" or (suffix.endswith("revoke") and viewer in MODERATORS[SECRET]):
                continue
            app, path = world.app(viewer), f"/api/v1/collections/{known['company']}"
            answer = await app.request(method, path + suffix.format(item=item), json=body)
            missing = await app.request(method, path + suffix.format(item="1"), json=body)
            if answer.status_code not in (401, 403, 404):
                yield f"{viewer} may {method} {suffix} of the collection of somebody else: {answer.status_code}"
            if not knows(viewer, SECRET) and not same(answer, missing):
                yield f"{viewer} learns by {method} {suffix} of a secret group"

    return row


async def page_of_collection(world: DoorWorld) -> Complaints:
    for viewer in (*STAFF["finance"], NOBODY):
        async with await world.browser(viewer) as browser:
            missing = await browser.get("/collections/1")
            for name, id_ in (await shelves(world)).items():
                answer = await browser.get(f"/collections/{id_}")
                for complaint in too_much(viewer, f"the page of the collection {name}", answer, readable(viewer)):
                    yield complaint
                if viewer == NOBODY and name != "public" and not same(answer, missing):
                    yield f"{viewer} learns by its page that there is the collection {name}"
                if (viewer != NOBODY or name == "public") and answer.status_code != 200:
                    yield f"{viewer} is refused the page of the collection {name}"


# -- files -----------------------------------------------------------------------------------------------------------


async def media_files(world: DoorWorld) -> Complaints:
    """The file of a post for members and its preview open by the URL that a member was given, and by no other."""
    for viewer in ("fay", "bo"):
        department = world.departments[world.home_of(viewer)]
        shown = await world.people[viewer].get(f"/api/v1/statuses/{world.ids[world.home_of(viewer)]['picpriv']}")
        nobody = httpx.AsyncClient(transport=httpx.ASGITransport(app=department.instance.app))
        for name in ("url", "preview_url"):
            url = shown["media_attachments"][0][name]
            if (await nobody.get(url)).status_code != 200:
                yield f"{viewer} cannot open the {name}"
            parts = urlsplit(url)
            sig, exp = parse_qs(parts.query)["sig"][0], parse_qs(parts.query)["exp"][0]
            bare = url.partition("?")[0]
            other = shown["media_attachments"][0]["preview_url" if name == "url" else "url"].partition("?")[0]
            altered = [
                bare, f"{bare}?exp={exp}", f"{bare}?exp={int(exp) + 1}&sig={sig}", f"{bare}?exp={exp}&sig={sig[::-1]}",
                f"{other}?exp={exp}&sig={sig}" if other != bare else bare, f"{bare}?exp={exp}&sig={sig}&x=1",
            ]  # fmt: skip
            for wrong in altered:
                if (await nobody.get(wrong)).status_code != 404:
                    yield f"the {name} opens by {wrong}"
            before = world.company.clock.shift_ms
            world.company.clock.shift_ms += 13 * 3_600_000
            expired = await nobody.get(url)
            world.company.clock.shift_ms = before
            if expired.status_code != 404:
                yield f"the {name} opens after its end"
        await nobody.aclose()


# -- other servers ---------------------------------------------------------------------------------------------------

HOMES = ("finance", "operations")


def documents(path: str) -> Row:
    """A document that belongs to a post, for every key of elsewhere; {id} is the number of the post."""

    async def row(world: DoorWorld) -> Complaints:
        for home in HOMES:
            department = world.departments[home]
            posts = {key: post for key, post in world.posts.items() if post.home == home}
            for name, signer in world.signers(home).items():
                allowed = world.allowed(name, home)
                missing = await signer.get(department, department.origin + path.format(id=1))
                for key, post in posts.items():
                    answer = await signer.get(department, department.origin + path.format(id=_number(post.uri)))
                    told = words(answer.content) | {
                        other for other, item in world.posts.items()
                        if other != key and f'"{item.uri}"'.encode() in answer.content
                    }  # fmt: skip
                    if told - allowed:
                        yield f"{name} learns of {sorted(told - allowed)} by {path} of {key} at {home}"
                    if key in DELETED:
                        may = name[1:] in (*STAFF, "supplier") or name in DELETED[key]
                        if key == "delpriv" and name in ("@legal", "@supplier"):
                            may = False
                        fine = answer.status_code == 410 if may else same(answer, missing)
                        if path.count("/") > 2 or path.startswith("/t/"):
                            fine = same(answer, missing)
                        if not fine and not same(answer, missing):
                            yield f"{name} gets {answer.status_code} by {path} of {key}"
                    elif key in allowed and not (path.startswith("/t/") and KINDS[key].answers):
                        if answer.status_code != 200:
                            yield f"{name} is refused {path} of {key} at {home}: {answer.status_code}"
                    elif not same(answer, missing) and key not in allowed:
                        yield f"{name} learns by {path} that there is {key} at {home}: {answer.status_code}"
            async for complaint in _unsigned(department, path, posts):
                yield complaint

    return row


def _number(uri: str) -> str:
    return uri.rsplit("/", 1)[1]


async def _unsigned(department: Department, path: str, posts: dict[str, Any]) -> Complaints:
    """Without a signature: nothing for programs; browsers are sent to the page of what everybody may read."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=department.instance.app)) as client:
        for key, post in posts.items():
            url = department.origin + path.format(id=_number(post.uri))
            program = await client.get(url, headers={"Accept": ACTIVITY})
            browser = await client.get(url, headers={"Accept": "text/html"})
            if program.status_code != 401:
                yield f"{path} of {key} answers {program.status_code} without a signature"
            wanted = 303 if NOBODY in KINDS[key].readers else 404
            if browser.status_code not in (wanted, 401):
                yield f"a browser gets {browser.status_code} by {path} of {key}"


async def all_activities(world: DoorWorld) -> Complaints:
    """Every activity that was ever kept, beside those of posts: it speaks of nothing that the asker may not read."""
    async for complaint in documents("/a/{id}")(world):
        yield complaint
    for home in HOMES:
        department = world.departments[home]
        uris = await department.db.read(_activities)
        for name, signer in world.signers(home).items():
            for uri in uris:
                answer = await signer.get(department, uri)
                allowed = world.allowed(name, home)
                if told := words(answer.content) - allowed:
                    yield f"{name} learns of {sorted(told)} by the activity {uri}: {answer.text[:300]}"


def _activities(tx: Tx) -> list[str]:
    found = tx.conn.execute(sa.select(activities.c.uri)).scalars()
    return [uri for uri in found if uri.startswith(tx.site.urls.origin)]


def of_actors(path: str) -> Row:
    """A document of a person or a group, for every key of elsewhere."""

    async def row(world: DoorWorld) -> Complaints:
        for home in HOMES:
            department = world.departments[home]
            if path.startswith("/g/"):
                ids = dict(world.groups["finance"]) if home == "finance" else {}
            else:
                ids = {name: _number(world.people[name].account.uri) for name in STAFF[home]}
            for name, signer in world.signers(home).items():
                allowed = world.allowed(name, home)
                missing = await signer.get(department, department.origin + path.format(id=1))
                for actor, id_ in ids.items():
                    answer = await signer.get(department, department.origin + path.format(id=id_))
                    told = words(answer.content) | {
                        key for key, item in world.posts.items() if f'"{item.uri}"'.encode() in answer.content
                    }  # fmt: skip
                    if path.endswith("/ledger"):  # whose numbers and ids members know; never the words
                        told = words(answer.content)
                    if told - allowed - {"secret"}:
                        yield f"{name} learns of {sorted(told - allowed)} by {path} of {actor}"
                    may = _may_fetch(path, name, actor)
                    if may and answer.status_code != 200:
                        yield f"{name} is refused {path} of {actor}: {answer.status_code}"
                    if not may and not same(answer, missing):
                        yield f"{name} gets {answer.status_code} by {path} of {actor}"
                async with httpx.AsyncClient(transport=httpx.ASGITransport(app=department.instance.app)) as client:
                    url = department.origin + path.format(id=next(iter(ids.values()), "1"))
                    if (await client.get(url, headers={"Accept": ACTIVITY})).status_code != 401:
                        yield f"{path} answers without a signature"

    return row


def _may_fetch(path: str, signer: str, actor: str) -> bool:
    """Who is answered at all: of a secret group its members and servers where they are; of a ledger that only members
    read those as well; of what waits for moderators the moderator's own key."""
    people = {signer}
    if signer.startswith("@"):
        people = set(STAFF.get(signer[1:], ("sam",)))
    name = path.rsplit("/", 1)[1]
    if name == "followers_synchronization" and path.startswith("/g/") and not signer.startswith("@"):
        return False  # which of their colleagues belong to a group is told to servers alone
    if name in ("requests", "invitations", "held", "reports"):
        return signer == "bo" and actor == "news"
    if name == "ledger":
        colleagues = bool(people & COLLEAGUES)
        return colleagues and any(reads(person, actor) for person in people)
    return any(knows(person, actor) for person in people)


async def webfinger(world: DoorWorld) -> Complaints:
    """The name of a secret group leads nowhere."""
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.finance.instance.app), base_url=world.finance.origin
    )
    missing = await client.get("/.well-known/webfinger", params={"resource": "acct:none@finance.localhost"})
    for name in GROUPS:
        names = (f"acct:{name}@finance.localhost", world.group_uris[name], f"{world.finance.origin}/@{name}")
        for resource in names:
            answer = await client.get("/.well-known/webfinger", params={"resource": resource})
            if name == SECRET and not same(answer, missing):
                yield f"{resource} is found: {answer.status_code}"
            if name != SECRET and answer.status_code != 200:
                yield f"{resource} is not found"
    await client.aclose()


# -- the table -------------------------------------------------------------------------------------------------------

_STAFF = "for moderators and admins of the department alone: tests/web/test_reports.py and test_moderation.py"
_OPEN = "says the same to everybody, and nothing of posts or groups"
_OWN = "about the asker's own account, apps or settings alone"
_INBOX = "takes and tells nothing: tests/federation/test_locked_doors.py"
_KEPT_BACK = "of what the list of requests shows to the asker, which is walked: tests/web/test_notification_policy.py"
_PUSHES = "about the asker's own app; what it is told then: tests/web/test_push.py"
_THREADS = "of conversations that the list shows to the asker, which is walked: tests/web/test_conversations.py"

_ROUTES = {f"{route.method} {route.path}" for route in ROUTES}
EXEMPT: dict[str, str] = {
    "POST /api/v1/statuses/{id}/translate": "only with a service: tests/federation/test_translations.py",
    "POST /api/v1/apps": _OWN,
    "GET /api/v1/apps/verify_credentials": _OWN,
    "PATCH /api/v1/accounts/update_credentials": _OWN,
    "GET /api/v1/profile": _OWN,
    "PATCH /api/v1/profile": _OWN,
    "DELETE /api/v1/profile/avatar": _OWN,
    "DELETE /api/v1/profile/header": _OWN,
    "POST /api/v1/statuses": "what may be answered and mentioned: test_words_that_reach_into_what_is_hidden",
    "POST /api/v2/media": _OWN,
    "POST /api/v1/media": _OWN,
    **{route: _STAFF for route in _ROUTES if "/admin/" in route},
    "GET /api/fedcorp/v1/warnings": _OWN,
    "GET /disputes/strikes/{id}": _OWN,
    "POST /disputes/strikes/{id}": _OWN,
    "POST /api/fedcorp/v1/warnings/{id}/appeal": _OWN,
    "POST /api/v1/markers": _OWN,
    "POST /api/v1/lists": _OWN,
    "POST /api/fedcorp/v1/groups": _OWN,
    "POST /api/v1/notifications/clear": _OWN,
    "POST /api/v1/push/subscription": _PUSHES,
    "PUT /api/v1/push/subscription": _PUSHES,
    "DELETE /api/v1/push/subscription": _PUSHES,
    "POST /api/v1/notifications/requests/{id}/accept": _KEPT_BACK,
    "POST /api/v1/notifications/requests/{id}/dismiss": _KEPT_BACK,
    "GET /api/v1/notifications/requests/{id}": _KEPT_BACK,
    "POST /api/v1/notifications/requests/accept": _KEPT_BACK,
    "POST /api/v1/notifications/requests/dismiss": _KEPT_BACK,
    **{
        f"{method} /api/{version}/notifications/policy": _OWN for method in ("PATCH", "PUT") for version in ("v1", "v2")
    },
    **{f"{method} /api/v1/scheduled_statuses/{{id}}": _OWN for method in ("GET", "PUT", "DELETE")},
    "POST /api/v1/domain_blocks": _OWN,
    "DELETE /api/v1/domain_blocks": _OWN,
    "POST /api/v1/conversations/{id}/read": _THREADS,
    "POST /api/v1/conversations/{id}/unread": _THREADS,
    "DELETE /api/v1/conversations/{id}": _THREADS,
    **{
        f"{method} /api/{path}": _OWN
        for path in (
            "v1/filters",
            "v1/filters/{id}",
            "v2/filters",
            "v2/filters/{id}",
            "v2/filters/keywords/{id}",
            "v2/filters/statuses/{id}",
            "v2/filters/{id}/keywords",
            "v2/filters/{id}/statuses",
        )
        for method in ("GET", "POST", "PUT", "DELETE")
        if f"{method} /api/{path}" in _ROUTES and (method, path) not in (("GET", "v1/filters"), ("GET", "v2/filters"))
    },
    "POST /api/v1/tags/{name}/follow": _OWN,
    "POST /api/v1/tags/{name}/unfollow": _OWN,
    "POST /api/v1/tags/{name}/feature": _OWN,
    "POST /api/v1/tags/{name}/unfeature": _OWN,
    "POST /api/v1/featured_tags": _OWN,
    "DELETE /api/v1/featured_tags/{id}": _OWN,
    "GET /api/v1/instance/terms_of_service/{date}": _OPEN,
    "POST /api/v1/announcements/{id}/dismiss": _OPEN,
    "PUT /api/v1/announcements/{id}/reactions/{name}": _OPEN,
    "DELETE /api/v1/announcements/{id}/reactions/{name}": _OPEN,
    "POST /api/v1/follow_requests/{id}/authorize": "about who asks the asker",
    "POST /api/v1/follow_requests/{id}/reject": "about who asks the asker",
    "GET /oauth/authorize": _OWN,
    "POST /oauth/authorize": _OWN,
    "POST /oauth/token": _OWN,
    "POST /oauth/revoke": _OWN,
    "GET /oauth/userinfo": _OWN,
    "POST /oauth/userinfo": _OWN,
    "POST /sign-out": _OWN,
    "GET /avatars/{name}": "drawn from an id that nobody can guess; says only that it is one",
    "GET /headers/{name}": "drawn from an id that nobody can guess; says only that it is one",
    "GET /q/{id}": "the leave to quote a post, for those who may read that post: test_quotes",
    "GET /g/{id}/relay/{status}": "for members whose servers cannot keep a group: test_group_relay",
    "GET /api/fedcorp/v1/openapi.json": "the same for everybody: it describes the API",
    "POST /ap/echo": "says whether the asker can be reached, and nothing else: tests/federation/test_peer_test.py",
    "GET /metrics": "numbers about peers, for this machine and moderators: tests/web/test_metrics.py",
    "POST /ap/heads": "departments compare signed entries: test_two_faces",
    "POST /inbox": _INBOX,
    "POST /u/{id}/inbox": _INBOX,
    "POST /g/{id}/inbox": _INBOX,
}
"""Routes that are not walked, and why that is right."""

_PLAIN = (
    "/api/v1/accounts/verify_credentials", "/api/v1/preferences", "/api/v1/follow_requests", "/api/v1/blocks",
    "/api/v1/mutes", "/api/v1/directory", "/api/v1/suggestions", "/api/v2/suggestions", "/api/v1/endorsements",
    "/api/v1/featured_tags", "/api/v1/featured_tags/suggestions",
    "/api/v1/domain_blocks", "/api/v1/scheduled_statuses", "/api/v1/timelines/direct",
    "/api/v1/favourites", "/api/v1/bookmarks", "/api/v1/conversations", "/api/v1/markers", "/api/v1/lists",
    "/api/fedcorp/v1/groups", "/api/v1/notifications", "/api/v1/notifications/policy",
    "/api/v1/notifications/requests", "/api/v1/notifications/requests/merged", "/api/v2/notifications",
    "/api/v2/notifications/policy", "/api/v1/push/subscription", "/api/v1/filters", "/api/v2/filters",
    "/api/v1/followed_tags", "/api/v1/trends", "/api/v1/trends/tags", "/api/v1/trends/statuses",
    "/api/v1/trends/links", "/api/v1/instance", "/api/v2/instance", "/api/v1/instance/peers",
    "/api/v1/instance/activity", "/api/v1/instance/rules", "/api/v1/instance/domain_blocks",
    "/api/v1/instance/extended_description", "/api/v1/instance/privacy_policy", "/api/v1/instance/terms_of_service",
    "/api/v1/instance/translation_languages", "/api/v1/custom_emojis", "/api/v1/announcements", "/health",
    "/.well-known/host-meta", "/.well-known/nodeinfo", "/nodeinfo/2.0", "/nodeinfo/2.1",
    "/.well-known/oauth-authorization-server", "/", "/pages.css", "/actor", "/actor/outbox", "/api/v1/streaming/health",
)  # fmt: skip
_PLEROMA = "/api/v1/pleroma/statuses/{id}"
_COFFEE = f"{_PLEROMA}/reactions/%E2%98%95"
_VERBS = ("favourite", "unfavourite", "reblog", "unreblog", "bookmark", "unbookmark", "pin", "unpin", "mute", "unmute")
_ACCOUNT_VERBS = (
    "follow",
    "unfollow",
    "remove_from_followers",
    "block",
    "unblock",
    "mute",
    "unmute",
    "note",
    "endorse",
    "unendorse",
    "pin",
    "unpin",
)
_GROUP = "/api/fedcorp/v1/groups/{id}"
_JUDGING = ("remove", "restore", "lock", "unlock", "pin", "unpin", "approve", "reject")


def _home_of(viewer: str) -> set[str]:
    """What must have come home, beside whatever may: one's own, and posts in groups that start a thread."""
    mine = {key for key, kind in KINDS.items() if kind.listed and kind.author == viewer}
    inside = {key for key, kind in KINDS.items() if kind.group and kind.listed and not kind.answers}
    return mine | {key for key in inside if belongs(viewer, KINDS[key].group) and key in readable(viewer)}


def _open_to(viewer: str) -> set[str]:
    return {key for key in PUBLIC if key in readable(viewer) and not KINDS[key].answers}


ROWS: dict[str, Row] = {
    **{f"GET {path}": listing(path) for path in _PLAIN},
    "GET /api/v1/accounts": listing("/api/v1/accounts", {"id[]": "1"}),
    "GET /api/v1/accounts/lookup": listing(
        "/api/v1/accounts/lookup", {"acct": SECRET}, {"acct": f"{SECRET}@finance.localhost"}
    ),
    "GET /api/v1/accounts/search": listing(
        "/api/v1/accounts/search", {"q": "zz"}, {"q": f"@{SECRET}@finance.localhost", "resolve": "true"}
    ),
    "GET /api/v1/accounts/relationships": about_accounts("/api/v1/accounts/relationships?id[]={id}"),
    "GET /api/v1/accounts/familiar_followers": familiar,
    "GET /api/v1/accounts/{id}": about_accounts("/api/v1/accounts/{id}"),
    "GET /api/v1/accounts/{id}/statuses": statuses_of_accounts,
    "GET /api/v1/accounts/{id}/followers": following("/api/v1/accounts/{id}/followers"),
    "GET /api/v1/accounts/{id}/endorsements": following("/api/v1/accounts/{id}/endorsements"),
    "GET /api/v1/accounts/{id}/following": following("/api/v1/accounts/{id}/following"),
    **{
        f"GET /api/v1/accounts/{{id}}/{name}": about_accounts(f"/api/v1/accounts/{{id}}/{name}")
        for name in ("lists", "featured_tags", "identity_proofs")
    },
    **{
        f"POST /api/v1/accounts/{{id}}/{verb}": about_accounts(f"/api/v1/accounts/{{id}}/{verb}", method="POST")
        for verb in _ACCOUNT_VERBS
    },
    "GET /api/v1/accounts/{id}/collections": collections_of_accounts,
    "GET /api/v1/accounts/{id}/in_collections": in_collections,
    "POST /api/v1/collections": collecting_secrets,
    "GET /api/v1/collections/{id}": one_collection,
    "PATCH /api/v1/collections/{id}": acts_on_collections("PATCH", name="mine"),
    "DELETE /api/v1/collections/{id}": acts_on_collections("DELETE"),
    "POST /api/v1/collections/{id}/items": acts_on_collections("POST", "/items", account_id="1"),
    "DELETE /api/v1/collections/{id}/items/{item}": acts_on_collections("DELETE", "/items/{item}"),
    "POST /api/v1/collections/{id}/items/{item}/revoke": acts_on_collections("POST", "/items/{item}/revoke"),
    "GET /collections/{id}": page_of_collection,
    "DELETE /api/v1/suggestions/{id}": about_accounts("/api/v1/suggestions/{id}", method="DELETE"),
    "POST /api/v1/reports": about_accounts("/api/v1/reports?account_id={id}", method="POST"),
    "GET /api/v1/statuses": many_posts,
    "GET /api/v1/statuses/{id}": about_posts("/api/v1/statuses/{id}"),
    "GET /api/v1_alpha/async_refreshes/{id}": refreshes,
    "GET /api/v1/statuses/{id}/context": about_posts("/api/v1/statuses/{id}/context", shows=False),
    "GET /api/v1/statuses/{id}/source": about_posts(
        "/api/v1/statuses/{id}/source", only=lambda viewer, key: KINDS[key].author == viewer
    ),
    "GET /api/v1/statuses/{id}/history": about_posts("/api/v1/statuses/{id}/history"),
    **{
        f"GET /api/v1/statuses/{{id}}/{name}": about_posts(f"/api/v1/statuses/{{id}}/{name}", shows=False)
        for name in ("quotes", "favourited_by", "reblogged_by", "reactions")
    },
    "GET /api/v1/pleroma/statuses/{id}/reactions": about_posts(f"{_PLEROMA}/reactions", shows=False),
    "GET /api/v1/pleroma/statuses/{id}/reactions/{name}": about_posts(_COFFEE, shows=False),
    "PUT /api/v1/pleroma/statuses/{id}/reactions/{name}": acts_on_posts("PUT", _COFFEE, for_readers=True),
    "DELETE /api/v1/pleroma/statuses/{id}/reactions/{name}": acts_on_posts("DELETE", _COFFEE, for_readers=True),
    **{
        f"POST /api/v1/statuses/{{id}}/{verb}/{{name}}": acts_on_posts(
            "POST", f"/api/v1/statuses/{{id}}/{verb}/%E2%98%95"
        )
        for verb in ("react", "unreact")
    },
    "POST /api/v1/statuses/{id}/quotes/{quoting}/revoke": acts_on_posts(
        "POST", "/api/v1/statuses/{id}/quotes/1/revoke"
    ),
    "PUT /api/v1/statuses/{id}/interaction_policy": acts_on_posts(
        "PUT", "/api/v1/statuses/{id}/interaction_policy", quote_approval_policy="nobody"
    ),
    "PUT /api/v1/statuses/{id}": acts_on_posts("PUT", "/api/v1/statuses/{id}", status="changed"),
    "DELETE /api/v1/statuses/{id}": acts_on_posts("DELETE", "/api/v1/statuses/{id}"),
    **{
        f"POST /api/v1/statuses/{{id}}/{verb}": acts_on_posts("POST", f"/api/v1/statuses/{{id}}/{verb}")
        for verb in _VERBS
    },
    **{f"{method} /api/v1/media/{{id}}": of_uploads(method) for method in ("GET", "PUT", "DELETE")},
    "GET /api/v1/polls/{id}": polls("GET"),
    "POST /api/v1/polls/{id}/votes": polls("POST"),
    "GET /api/v1/timelines/home": listing("/api/v1/timelines/home", {"limit": 40}, wanted=_home_of),
    "GET /api/v1/timelines/public": listing(
        "/api/v1/timelines/public", {"limit": 40}, {"local": "true"}, {"remote": "true"}, {"only_media": "true"},
        wanted=_open_to,
    ),
    "GET /api/v1/timelines/tag/{hashtag}": by_word("/api/v1/timelines/tag/qq{key}qq", {}, public_to),
    "GET /api/v1/timelines/list/{id}": group_lists,
    "GET /api/v1/lists/{id}": of_lists("GET", "/api/v1/lists/{id}"),
    "PUT /api/v1/lists/{id}": of_lists("PUT", "/api/v1/lists/{id}"),
    "DELETE /api/v1/lists/{id}": of_lists("DELETE", "/api/v1/lists/{id}"),
    **{
        f"{method} /api/v1/lists/{{id}}/accounts": of_lists(method, "/api/v1/lists/{id}/accounts")
        for method in ("GET", "POST", "DELETE")
    },
    f"GET {_GROUP}": about_groups("", knows),
    f"PATCH {_GROUP}": acts_in_groups("PATCH", "", purpose="mine"),
    f"DELETE {_GROUP}": acts_in_groups("DELETE", ""),
    **{
        f"POST {_GROUP}/{verb}": acts_in_groups("POST", f"/{verb}", known=False)
        for verb in ("join", "leave", "decline")
    },
    f"POST {_GROUP}/link": acts_in_groups("POST", "/link"),
    f"DELETE {_GROUP}/link": acts_in_groups("DELETE", "/link"),
    f"GET {_GROUP}/ledger": about_groups("/ledger", reads),
    f"GET {_GROUP}/members": about_groups("/members", reads),
    f"PUT {_GROUP}/members/{{account}}": acts_in_groups("PUT", "/members/{account}", role="admin"),
    f"DELETE {_GROUP}/members/{{account}}": acts_in_groups("DELETE", "/members/{account}"),
    f"GET {_GROUP}/requests": about_groups("/requests", moderates),
    f"POST {_GROUP}/requests/{{account}}/approve": acts_in_groups("POST", "/requests/{account}/approve"),
    f"POST {_GROUP}/requests/{{account}}/reject": acts_in_groups("POST", "/requests/{account}/reject"),
    f"GET {_GROUP}/invites": invites,
    f"POST {_GROUP}/invites": acts_in_groups("POST", "/invites", known=False, acct="fay"),
    f"DELETE {_GROUP}/invites/{{account}}": acts_in_groups("DELETE", "/invites/{account}", may=may_invite),
    f"GET {_GROUP}/bans": about_groups("/bans", moderates),
    f"POST {_GROUP}/bans": acts_in_groups("POST", "/bans", account_id="1"),
    f"DELETE {_GROUP}/bans/{{account}}": acts_in_groups("DELETE", "/bans/{account}"),
    f"GET {_GROUP}/held": held,
    f"GET {_GROUP}/reports": about_groups("/reports", moderates),
    f"POST {_GROUP}/reports": acts_in_groups("POST", "/reports", known=False, account_id="1"),
    f"POST {_GROUP}/reports/{{report}}/resolve": acts_in_groups("POST", "/reports/{report}/resolve"),
    **{
        f"POST {_GROUP}/statuses/{{status}}/{verb}": acts_in_groups("POST", f"/statuses/{{status}}/{verb}")
        for verb in _JUDGING
    },
    "GET /api/fedcorp/v1/statuses/{id}/groups": places,
    "GET /api/v1/notifications/unread_count": unread_count,
    "GET /api/v2/notifications/unread_count": unread_groups,
    "GET /api/v1/notifications/{id}": each_notification("/api/v1/notifications/{id}"),
    "POST /api/v1/notifications/{id}/dismiss": each_notification("/api/v1/notifications/{id}/dismiss", method="POST"),
    "GET /api/v2/notifications/{group_key}": each_notification("/api/v2/notifications/{id}", "v2"),
    "GET /api/v2/notifications/{group_key}/accounts": each_notification("/api/v2/notifications/{id}/accounts", "v2"),
    "POST /api/v2/notifications/{group_key}/dismiss": each_notification(
        "/api/v2/notifications/{id}/dismiss", "v2", method="POST"
    ),
    "GET /api/v2/search": search,
    "GET /api/v1/tags/{name}": tag_history,
    "GET /media/{key}": media_files,
    "GET /.well-known/webfinger": webfinger,
    "GET /@{name}": page_of_account,
    "GET /@{name}/join/{token}": page_of_link,
    "POST /@{name}/join/{token}": page_of_link,
    "GET /@{name}/{id}": page_of_post,
    "GET /@{name}/{id}/embed": frame_of_post,
    "GET /api/oembed": frame_of_post,
    "GET /tags/{name}": page_of_tag,
    **{
        f"GET {path}": of_actors(path)
        for path in (
            "/u/{id}", "/g/{id}",
            *(f"/{kind}/{{id}}/{name}" for kind in "ug" for name in (
                "followers", "followers_synchronization", "following", "outbox", "featured")),
            *(
                f"/g/{{id}}/{name}"
                for name in ("ledger", "requests", "invitations", "held", "reports", "moderators", "affiliations")
            ),
        )
    },
    **{f"GET {path}": documents(path) for path in (
        "/o/{id}", "/o/{id}/replies", "/o/{id}/likes", "/o/{id}/shares", "/t/{id}")},
    "GET /a/{id}": all_activities,
}  # fmt: skip
# What these push: test_what_is_pushed, which opens every one of them for everybody.
STREAMS = {f"{route.method} {route.path}" for route in ROUTES if route.path.startswith("/api/v1/streaming")} - set(ROWS)


def test_every_route_has_a_row() -> None:
    """A new route must say who learns what by it."""
    every = {f"{route.method} {route.path}" for route in ROUTES}
    assert every - set(ROWS) - set(EXEMPT) - STREAMS == set(), "routes without a row"
    assert (set(ROWS) | set(EXEMPT)) - every == set(), "rows without a route"
    assert not set(ROWS) & set(EXEMPT)


@pytest.mark.parametrize("route", ROWS)
async def test_a_door(world: DoorWorld, route: str) -> None:
    complaints = [complaint async for complaint in ROWS[route](world)]
    assert not complaints, f"{len(complaints)} at {route}:\n" + "\n".join(complaints[:60])


# -- counts ----------------------------------------------------------------------------------------------------------

COUNTED = {key for key in KINDS if key in PUBLIC or KINDS[key].values.get("visibility") in ("unlisted", "private")}
BOOSTS = {"ann": 2, "col": 1}


async def test_counts_say_nothing_of_what_only_some_may_know(world: DoorWorld) -> None:
    """Direct messages and what only members read count nowhere; nor do those who follow a secret group betray it."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.finance.instance.app), base_url=world.finance.origin
    ) as nobody:
        for name in ("ann", "fay", "col", "mo"):
            account = (await nobody.get("/api/v1/accounts/lookup", params={"acct": name})).json()
            wrote = {key for key in COUNTED if KINDS[key].author == name and key != "delpub"}
            assert account["statuses_count"] == len(wrote) + BOOSTS.get(name, 0), name
        for name in ("priv", "queue"):
            account = (await nobody.get("/api/v1/accounts/lookup", params={"acct": name})).json()
            assert (account["statuses_count"], account["last_status_at"]) == (0, None), name
        fay = (await nobody.get("/api/v1/accounts/lookup", params={"acct": "fay"})).json()
        assert fay["following_count"] == len(GROUPS) - 1 + 1  # ann, and every group but the secret one
        asked = (await nobody.get(f"/api/v1/statuses/{world.ids['finance']['pubpub']}")).json()
        assert asked["replies_count"] == 2  # of four, of which two are public
    member = await world.people["fay"].get(f"/api/v1/statuses/{world.ids['finance']['inpriv']}")
    assert member["replies_count"] == 1
    outbox = await world.signers("finance")["@legal"].get(world.finance, f"{world.people['ann'].account.uri}/outbox")
    wrote = {key for key in COUNTED if KINDS[key].author == "ann" and key != "delpub"}
    assert outbox.json()["totalItems"] == len(wrote) + BOOSTS["ann"]


# -- what reaches into what is hidden --------------------------------------------------------------------------------


async def test_words_that_reach_into_what_is_hidden(world: DoorWorld) -> None:
    """An answer to what one may not read, a file of somebody else, a name that hides: all as if there were none."""
    for viewer in ("col", "nat", "lee", "out", "ivy", "lou"):
        app, home = world.app(viewer), world.home_of(viewer)
        missing = await app.post("/api/v1/statuses", json={"status": "x", "in_reply_to_id": "1"})
        for key, id_ in world.ids[home].items():
            if key not in readable(viewer):
                answer = await app.post("/api/v1/statuses", json={"status": "x", "in_reply_to_id": id_})
                assert same(answer, missing), (viewer, key, answer.text)
        file = await app.post("/api/v1/statuses", json={"status": "x", "media_ids": ["1"]})
        for id_ in world.files[home].values():
            stolen = await app.post("/api/v1/statuses", json={"status": "x", "media_ids": [id_]})
            assert same(stolen, file), (viewer, stolen.text)
        if not knows(viewer, SECRET):
            posted = (await app.post("/api/v1/statuses", json={"status": f"to @{SECRET}@finance.localhost"})).json()
            assert (posted["mentions"], posted["visibility"]) == ([], "public"), viewer
            assert "href" not in posted["content"]


async def test_no_server_has_a_copy_of_what_none_of_its_people_may_read(world: DoorWorld) -> None:
    """Whatever anybody asked of it. The server of the groups has what was written to them."""
    copies = await world.look_up()
    for place, names in STAFF.items():
        for key in copies[place]:
            ever = MEMBERS if key in ("removed", "removedhere") else DELETED.get(key, KINDS[key].readers)
            of_group = KINDS[key].group and place == "finance"
            assert ever & set(names) or of_group or world.posts[key].home == place, f"{place} has a copy of {key}"


# -- streams ---------------------------------------------------------------------------------------------------------

PUSHED: dict[str, tuple[str, frozenset[str], str, dict[str, Any]]] = {
    "pushpublic": ("ann", COLLEAGUES, "", {"visibility": "public", "reach": "company"}),
    "pushhere": ("ann", frozenset(STAFF["finance"]), "", {"visibility": "public", "reach": "department"}),
    "pushfollowers": ("ann", FOLLOWERS, "", {"visibility": "private", "reach": "company"}),
    "pushdirect": ("ann", frozenset({"ann", "bo", "fay"}), "", {"visibility": "direct"}),
    "pushpriv": ("ann", MEMBERS | LATE, "priv", {}),
    "pushbo": ("bo", MEMBERS | LATE, "priv", {}),
    "pushsecret": ("ann", MEMBERS, SECRET, {}),
    "pushtaken": ("fay", MEMBERS | LATE, "priv", {}),
    "pushheld": ("fay", frozenset({"fay"}), "queue", {}),
    "pushheldbo": ("bo", frozenset({"bo"}), "queue", {}),
    "pushwaits": ("col", frozenset({"col"}), "", {"visibility": "public"}),  # for sam's leave
}
HERALDS = ("ann", "nat", "cy", "zoe")
NAMED = ("user", "user:notification", "public", "public:local", "public:remote", "direct")


class Ear:
    """Everything that is pushed to somebody, over one WebSocket for all streams or as events of one of them."""

    def __init__(self, viewer: str) -> None:
        self.viewer = viewer
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self.news: list[tuple[str, bytes]] = []

    async def frame(self) -> dict[str, Any]:
        async with asyncio.timeout(20):
            message = await self.heard.get()
        frame: dict[str, Any] = json.loads(message.get("text") or "{}")
        if "event" in frame:
            self.news.append((frame["event"], frame["payload"].encode()))
        return frame

    async def until(self, word: str) -> None:
        """Hear on until this was said."""
        while not any(word in words(payload) for _, payload in self.news):
            await self.frame()

    async def subscribe(self, frames: list[dict[str, str]]) -> None:
        """Ask for streams; what is refused stays closed."""
        for frame in frames:
            await self.said.put({"type": "websocket.receive", "text": json.dumps({"type": "subscribe", **frame})})
        await self.said.put({"type": "websocket.receive", "text": "[]"})
        while "JSON" not in (await self.frame()).get("error", ""):
            pass

    def events(self) -> None:
        """Read what came as server-sent events."""
        body = b""
        while not self.heard.empty():
            body += self.heard.get_nowait().get("body", b"")
        for name, payload in re.findall(rb"event: (.+)\ndata: (.+)\n\n", body):
            self.news.append((name.decode(), payload))


@asynccontextmanager
async def ear(world: DoorWorld, viewer: str, path: str = "", **query: str) -> AsyncIterator[Ear]:
    """A connection of this viewer; with `path` server-sent events of that stream."""
    department, made = world.departments[world.home_of(viewer)], Ear(viewer)
    full = f"/api/v1/streaming/{path}".rstrip("/")
    kind = "http" if path else "websocket"
    scope = {
        "type": kind, "path": full, "raw_path": full.encode(), "query_string": urlencode(query).encode(),
        "scheme": "http" if path else "ws", "method": "GET", "http_version": "1.1", "root_path": "",
        "headers": [(b"host", department.domain.encode()),
                    (b"authorization", f"Bearer {world.people[viewer].token}".encode())],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "subprotocols": [],
    }  # fmt: skip
    task = asyncio.ensure_future(department.instance.app(scope, made.said.get, made.heard.put))
    if not path:
        await made.said.put({"type": "websocket.connect"})
    first = await made.heard.get()
    assert first["type"] in ("websocket.accept", "http.response.start")
    try:
        yield made
    finally:
        await made.said.put({"type": f"{kind}.disconnect", "code": 1000})
        await task


def _push_ids(tx: Tx) -> list[Any]:
    columns = (statuses_table.c.id, statuses_table.c.uri, statuses_table.c.reblog_of_id)
    return list(tx.conn.execute(sa.select(*columns)))


async def _push(world: DoorWorld) -> dict[str, dict[str, str]]:
    """Publish everything of PUSHED, edit it, take it away. Returns department -> id (also of boosts) -> key."""
    made: dict[str, tuple[str, str]] = {}
    to = {key: f"@{group}@finance.localhost" if group else "" for key, (_, _, group, _) in PUSHED.items()}
    to["pushdirect"] = f"@{world.people['bo'].handle} @fay"
    to["pushwaits"] = "@sam@supplier.localhost @fay"
    for key, (author, _, _, values) in PUSHED.items():
        values = values | ({"in_reply_to_id": world.sams} if key == "pushwaits" else {})
        status = await world.people[author].publish(f"{to[key]} zz{key}zz #qqpushqq", **values)
        made[key] = (status["uri"], status["id"])
    await world.company.settle()
    for key, (author, *_) in PUSHED.items():
        path = f"/api/v1/statuses/{made[key][1]}"
        edited = await world.people[author].send("PUT", path, status=f"{to[key]} now zz{key}zz")
        assert edited.status_code == 200, edited.text
    await world.company.settle()
    by_uri = {uri: key for key, (uri, _) in made.items()}
    known: dict[str, dict[str, str]] = {}
    for place, department in world.departments.items():
        rows = await department.db.read(_push_ids)
        known[place] = {str(id_): by_uri[uri] for id_, uri, _ in rows if uri in by_uri}
        known[place] |= {str(id_): known[place][str(of)] for id_, _, of in rows if str(of) in known[place]}
    taken = next(id_ for id_, key in known["finance"].items() if key == "pushtaken")
    await world.people["ann"].post(f"{world.group('ann', 'priv')}/statuses/{taken}/remove", reason="no")
    for key, (author, *_) in PUSHED.items():
        if key != "pushtaken":
            gone = await world.people[author].send("DELETE", f"/api/v1/statuses/{made[key][1]}")
            assert gone.status_code == 200, gone.text
    await world.company.settle()
    for herald in HERALDS:
        await world.people[herald].publish("zzheraldzz", reach="department")
    return known


async def test_what_is_pushed(world: DoorWorld) -> None:
    """What is posted, edited, deleted and taken out of a group is pushed to those who may read it; that it is gone, to
    those who got it; nothing to anybody else."""
    people = VIEWERS[:-1]
    start = "/api/v1/streaming/"
    paths = [route.path.removeprefix(start) for route in ROUTES if route.path.startswith(start)]
    paths.remove("health")
    async with AsyncExitStack() as stack:
        sockets = {viewer: await stack.enter_async_context(ear(world, viewer)) for viewer in people}
        for viewer, socket in sockets.items():
            lists = [{"stream": "list", "list": id_} for id_ in world.groups[world.home_of(viewer)].values()]
            tags = [{"stream": name, "tag": "qqpushqq"} for name in ("hashtag", "hashtag:local")]
            await socket.subscribe([{"stream": name} for name in NAMED] + tags + lists)
        readers = []
        for viewer in people:
            for path in paths:
                groups = world.groups[world.home_of(viewer)]
                mine = [id_ for name, id_ in groups.items() if belongs(viewer, name)]
                if path != "list":
                    readers.append(await stack.enter_async_context(ear(world, viewer, path, tag="qqpushqq")))
                for id_ in mine if path == "list" else ():
                    readers.append(await stack.enter_async_context(ear(world, viewer, path, list=id_)))
        known = await _push(world)
        for socket in sockets.values():
            await socket.until("herald")
        for _ in range(50):  # what was queued with the last words is on its way
            await asyncio.sleep(0)
    for reader in readers:
        reader.events()
    for place, names in STAFF.items():
        for key in set(known[place].values()):
            _, allowed, group, _ = PUSHED[key]
            assert allowed & set(names) or (group and place == "finance"), f"{place} has a copy of {key}"
    complaints = [
        complaint for listener in (*sockets.values(), *readers) for complaint in _overheard(world, listener, known)
    ]
    for viewer, socket in sockets.items():
        complaints += _missed(viewer, socket, known[world.home_of(viewer)])
    assert not complaints, f"{len(complaints)}:\n" + "\n".join(complaints[:60])


def _overheard(world: DoorWorld, listener: Ear, known: dict[str, dict[str, str]]) -> list[str]:
    viewer, ids = listener.viewer, known[world.home_of(listener.viewer)]
    allowed = readable(viewer) | {key for key, (_, readers, *_) in PUSHED.items() if viewer in readers}
    found = []
    for event, payload in listener.news:
        told = words(payload) if event != "delete" else {ids.get(payload.decode(), f"an unknown {payload.decode()}")}
        if told - allowed - {"push", "herald"}:
            found.append(f"{viewer} hears of {sorted(told - allowed)} by {event}")
    return found


def _missed(viewer: str, socket: Ear, ids: dict[str, str]) -> list[str]:
    """Whoever was shown something hears that it is gone, and that it was changed."""
    shown = {key for event, payload in socket.news if event == "update" for key in words(payload) if key in PUSHED}
    changed = {key for event, payload in socket.news if event == "status.update" for key in words(payload)}
    gone = {ids.get(payload.decode()) for event, payload in socket.news if event == "delete"}
    due = {
        key for key, (author, readers, group, _) in PUSHED.items()
        if viewer in readers and (viewer == author or (group and belongs(viewer, group)))
    }  # fmt: skip
    wrong = []
    news = {"shown": due - shown, "told the change of": shown - changed, "told the end of": shown - gone}
    for what, keys in news.items():
        if keys - ({"pushtaken"} if viewer == "fay" else set()):  # its author keeps what was taken out of the group
            wrong.append(f"{viewer} is not {what} {sorted(keys)}")
    return wrong
