"""Statuses found by words and operators: the same as reading everything that the viewer may see, on both databases."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fedcorp import ids
from fedcorp.clock import from_ms, to_ms
from fedcorp.social import (
    accounts,
    effects,
    finding,
    indexing,
    interactions,
    media,
    memberships,
    policy,
    polls,
    publishing,
    queries,
    receiving,
    statuses,
    words,
)
from fedcorp.social.accounts import Account
from fedcorp.social.polls import PollDraft, RemotePoll
from fedcorp.social.publishing import Draft
from fedcorp.social.receiving import RemoteStatus
from fedcorp.social.statuses import Status
from fedcorp.storage import fulltext, jobs
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import favourites, poll_options, status_words
from fedcorp.storage.tables import media as media_table
from fedcorp.storage.tables import statuses as table
from tests.databases import examples, make_config
from tests.social.conftest import Department, StandingClock

pytestmark = pytest.mark.anyio

DAY = 86_400_000
WORDS = ("plan", "plannen", "planning", "budget", "budgets", "Café", "cafe", "de", "meeting", "meet", "#budget", "会議")
PEOPLE = ("ann", "ben", "cas")


@pytest.fixture(scope="module", autouse=True)
def two_are_few() -> Iterator[None]:
    """PostgreSQL reads some documents one by one and finds the others by its index: both ways are looked at."""
    usual, fulltext.FEW = fulltext.FEW, 2
    yield
    fulltext.FEW = usual


# -- one by one ------------------------------------------------------------------------------------------------------


async def found(department: Department, viewer: Account, q: str, limit: int = 40, **values: Any) -> list[int]:
    return await department.see(finding.status_ids, viewer.id, q, limit, **values)


async def file(department: Department, owner: Account, description: str, kind: str = "image") -> int:
    made = await department.do(
        media.create, account_id=owner.id, kind=kind, mime="image/png", key=description[:3] * 6, preview_key=None,
        description=description, sizes={}, bytes=9,
    )  # fmt: skip
    return made.id


async def test_everything_that_a_post_says_is_found(department: Department) -> None:
    ann, ben = await department.person("ann"), await department.person("ben")
    picture = await file(department, ben, "Drie katten")
    posts = [
        await department.post(ben, "De vergaderingen"),
        await department.post(ben, "x", spoiler_text="Facturen inside"),
        await department.post(ben, "Which?", poll=PollDraft(("Appeltaart", "Cheese cakes"), 600)),
        await department.post(ben, "look", media_ids=(picture,)),
    ]
    for post, q in zip(posts, ("vergadering", "factuur", "CHEESE cake", "kat"), strict=True):
        assert await found(department, ann, q) == [post.id], q
    assert await found(department, ann, '"taart cheese"') == []  # no phrase goes from one option to the next
    assert await found(department, ann, '"look drie"') == []


async def test_the_index_follows_edits_and_deletions(department: Department) -> None:
    ann = await department.person("ann")
    post = await department.post(ann, "before")
    await department.do(publishing.edit, ann, post.id, Draft(text="after", language="nl", sensitive=True))
    assert await found(department, ann, "before") == []
    assert await found(department, ann, "after language:nl is:sensitive") == [post.id]
    await department.do(statuses.delete, ann, post.id)
    assert await found(department, ann, "after") == await rows(department) == []


async def test_what_fails_leaves_nothing_behind(department: Department) -> None:
    ann = await department.person("ann")
    await department.post(ann, "kept")

    def fail(tx: Tx) -> None:
        publishing.publish(tx, ann, Draft(text="lost"))
        tx.finish()
        raise ValueError

    with pytest.raises(ValueError):
        await department.do(fail)
    assert await found(department, ann, "lost") == []
    assert len(await found(department, ann, "kept")) == len(await rows(department)) == 1


async def test_who_is_gone_is_not_found(department: Department) -> None:
    ann, ben = await department.person("ann"), await department.person("ben")
    await department.post(ben, "budget")
    await department.do(accounts.delete, ben)
    assert await found(department, ann, "budget") == await rows(department) == []


async def rows(department: Department) -> list[int]:
    return await department.see(lambda tx: list(tx.conn.execute(sa.select(status_words.c.status_id)).scalars()))


async def received(department: Department, author: Account, text: str, **values: Any) -> Status:
    remote = RemoteStatus(
        uri=f"{author.uri}/{values.get('created_at', 1)}/{len(text)}", url=None, account=author, visibility="public",
        reach="company", content=f"<p>{text}</p>", text=text,
        **{"created_at": department.clock.ms(), **values},
    )  # fmt: skip
    status = await department.do(receiving.receive, remote)
    assert status is not None
    return status


async def test_a_poll_of_elsewhere_gets_other_options(department: Department) -> None:
    ann, far = await department.person("ann"), await department.stranger("far")
    post = await received(department, far, "which", poll=RemotePoll((("tea", 0), ("milk", 0)), False))
    status = await department.see(statuses.get, post.id)
    assert status.poll_id is not None
    await department.do(polls.replace_tally, status.poll_id, RemotePoll((("beer", 1), ("milk", 2)), False))
    assert await found(department, ann, "tea") == []
    assert await found(department, ann, "beer has:poll") == [post.id]


async def test_direct_messages_are_found_by_those_who_have_them(department: Department) -> None:
    ann, ben, cas = [await department.person(name) for name in PEOPLE]
    post = await department.post(ben, "@ann the merger", visibility="direct", mentions={"ann": ann.id})
    for q in ("merger", "from:ben", '"the merger" -nothing', "merger from:@ben", "-nothing"):
        assert await found(department, ann, q) == await found(department, ben, q) == [post.id], q
        assert await found(department, cas, q) == [], q
    assert await found(department, ann, "-merger") == []


async def test_operators(department: Department) -> None:
    ann, ben = await department.person("ann"), await department.person("ben")
    far = await department.stranger("ben")
    group = await department.group(ann, "plans", "private")
    first = await department.post(ann, "budget https://x.example/ #tag", language="en-GB")
    second = await department.post(ben, "budget @ann", language="nl", in_reply_to_id=first.id, visibility="unlisted",
                                   mentions={"ann": ann.id})  # fmt: skip
    third = await received(department, far, "budget", language="nl")
    fourth = await department.post(ann, "budget @plans", mentions={"plans": group.id}, sensitive=True)
    everything = [fourth.id, third.id, second.id, first.id]
    wanted = {
        "from:me": [fourth, first], "from:ann": [fourth, first], "from:@ann": [fourth, first], "from:ben": [second],
        "from:ben@sales.localhost": [third], "-from:ben": [fourth, third, first], "from:nobody": [],
        "-from:nobody": [fourth, third, second, first], "from:ann from:ben": [],
        "has:link": [first], "has:links": [first],
        "-has:link": [fourth, third, second], "has:nonsense": [], "is:reply": [second], "is:sensitive": [fourth],
        "language:nl": [third, second], "language:en": [first], "language:NL-be": [third, second], "language:?": [],
        "in:public": [third, first], "-in:public": [fourth, second], "in:all": [fourth, third, second, first],
        "-in:all": [], "in:library": [fourth, second, first], "-in:library": [third], "in:plans": [fourth],
        "-in:@plans": [third, second, first], "in:nowhere": [],
    }  # fmt: skip
    for q, posts in wanted.items():
        assert await found(department, ann, f"budget {q}") == [post.id for post in posts], q
        assert await found(department, ann, q) == [post.id for post in posts], q
    assert await found(department, ben, "budget") == everything[1:]
    assert await found(department, ben, "in:plans") == []
    await department.do(interactions.favourite, ann, third)
    assert await found(department, ann, "in:library") == everything


async def test_times_are_those_of_the_posts_also_when_they_came_late(department: Department) -> None:
    ann, far = await department.person("ann"), await department.stranger("far")
    now = department.clock.ms()
    old = await received(department, far, "word", created_at=now - 400 * DAY)  # stands among those of last month
    week = await received(department, far, "word", created_at=now - 7 * DAY)
    new = await department.post(ann, "word")
    assert old.id < week.id < new.id
    days = [from_ms(now - days * DAY).date().isoformat() for days in (0, 7, 20, 400)]
    wanted = {
        f"before:{days[2]}": [old], f"after:{days[2]}": [new, week], f"before:{days[0]}": [week, old],
        f"during:{days[1]}": [week], f"-during:{days[1]}": [new, old], f"during:{days[3]}": [old],
        f"-before:{days[1]}": [new, week], f"-after:{days[1]}": [week, old], "before:yesterday": [],
        f"after:{days[3]} before:{days[1]}": [], f"before:{days[3]}": [], f"during:{days[3][:4]}": [old],
    }  # fmt: skip
    for q, posts in wanted.items():
        ids_ = [post.id for post in posts]
        assert await found(department, ann, f"word {q}") == ids_, q
        assert await found(department, ann, f"word {q}", 1) == ids_[:1], q
        assert await found(department, ann, f"word {q}", 1, offset=1) == ids_[1:2], q
        assert await found(department, ann, f"word {q}", 1, min_id=0) == ids_[-1:], q


async def test_pages(department: Department) -> None:
    ann = await department.person("ann")
    made = [(await department.post(ann, "word")).id for _ in range(7)][::-1]
    assert await found(department, ann, "word", 3) == made[:3]
    assert await found(department, ann, "word", 3, max_id=made[2]) == made[3:6]
    assert await found(department, ann, "word", 3, offset=6) == made[6:]
    assert await found(department, ann, "word", 2, min_id=made[6]) == made[4:6]  # those just above it
    assert await found(department, ann, "word", 9, min_id=made[5], max_id=made[1]) == made[2:5]
    assert await found(department, ann, "word", 3, offset=finding.MOST_OFFSET) == []
    assert await found(department, ann, "word", 3, offset=ids.MAX_ID) == []
    assert await found(department, ann, "word", 3, max_id=ids.MAX_ID, min_id=ids.MAX_ID) == []


async def test_long_texts(department: Department) -> None:
    ann, far = await department.person("ann"), await department.stranger("far")
    text = "again " * 300 + "last " + "x" * 3000 + " " + " ".join(f"w{number}" for number in range(words.MOST)) + " end"
    post = await received(department, far, text)
    for q in ("last", '"again again"', "x" * words.LONGEST, "w9000"):
        assert await found(department, ann, q) == [post.id], q
    for q in ("end", '"again last"'):  # beyond what counts, in the whole and of one word
        assert await found(department, ann, q) == [], q


async def test_what_was_written_before_is_put_in_by_the_job(department: Department) -> None:
    ann = await department.person("ann")
    made = [(await department.post(ann, f"word {number}")).id for number in range(5)][::-1]
    gone = await department.post(ann, "word")
    await department.do(interactions.reblog, ann, await department.see(statuses.get, made[0]))
    await department.do(statuses.delete, ann, gone.id)
    await department.do(lambda tx: tx.conn.execute(sa.delete(status_words).where(status_words.c.status_id != made[2])))
    await department.do(lambda tx: tx.conn.execute(sa.update(status_words).values(version=0)))
    assert await found(department, ann, "word") == [made[2]]
    assert await department.do(indexing.catch_up, made[0] + 1) == (None, 5)
    assert await found(department, ann, "word") == sorted(await rows(department), reverse=True) == made
    assert await department.do(indexing.catch_up, ids.MAX_ID) == (None, 0)


async def test_the_job_goes_on_where_it_was_and_looks_again(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await department.person("ann")
    made = [(await department.post(ann, "word")).id for _ in range(5)][::-1]
    await department.do(lambda tx: tx.conn.execute(sa.delete(status_words)))
    monkeypatch.setattr(indexing, "_BATCH", indexing._BATCH.limit(2))
    monkeypatch.setattr(indexing, "ROWS", 2)
    await department.do(jobs.put, indexing.JOB, {})
    seen = []
    while await work(department):
        seen.append(len(await rows(department)))
    assert seen == [2, 4, 5]
    assert await found(department, ann, "word") == made
    department.clock.pass_(ms=indexing.AGAIN_MS)
    again = 0
    while await work(department):
        again += 1
    assert again == 3  # nothing was missing, so it does not come again
    department.clock.pass_(ms=10 * indexing.AGAIN_MS)
    assert not await work(department)


async def work(department: Department) -> bool:
    """A turn of the worker; whether there was any."""
    waiting = await department.do(jobs.claim, (indexing.JOB,))
    for job in waiting:
        await department.do(indexing.continue_, job.payload)
    await department.do(jobs.finish, waiting)
    return bool(waiting)


async def test_tidying_changes_nothing(department: Department) -> None:
    ann = await department.person("ann")
    made = [(await department.post(ann, "word")).id for _ in range(30)][::-1]
    for _ in range(3):
        await department.do(fulltext.tidy)
    assert await found(department, ann, "word") == made


# -- against reading everything --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Post:
    """What somebody writes; `to` are numbers of people that it names."""

    author: int
    text: str
    spoiler: str
    visibility: str
    to: frozenset[int]
    language: str | None
    poll: bool
    picture: str
    fate: str  # kept | edited | deleted
    marked_by: frozenset[int]
    days: int


texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
people = st.frozensets(st.integers(0, len(PEOPLE) - 1), max_size=2)
posts = st.builds(
    Post,
    author=st.integers(0, len(PEOPLE) - 1),
    text=texts,
    spoiler=st.one_of(st.just(""), texts),
    visibility=st.sampled_from((*policy.VISIBILITIES, "group")),
    to=people,
    language=st.sampled_from(("nl", "en", "nl-BE")),
    poll=st.booleans(),
    picture=st.one_of(st.just(""), texts),
    fate=st.sampled_from(("kept", "kept", "kept", "edited", "deleted")),
    marked_by=people,
    days=st.integers(0, 60),
)
BASE = StandingClock().now_ms
days = st.integers(0, 62).map(lambda day: from_ms(BASE - day * DAY).date().isoformat())
operators = st.one_of(
    st.sampled_from(("from:me", "from:ann", "from:ben", "from:far@sales.localhost", "from:nobody", "in:public",
                     "in:all", "in:library", "in:plans", "has:media", "has:image", "has:poll", "has:link", "has:x",
                     "is:sensitive", "language:nl", "language:en", "language:de")),
    st.builds("{}:{}".format, st.sampled_from(("before", "after", "during")), days),
)  # fmt: skip
terms = st.one_of(st.sampled_from(WORDS), st.sampled_from(WORDS), texts.map('"{}"'.format), operators)
questions = st.one_of(
    st.lists(st.builds("{}{}".format, st.sampled_from(("", "", "-")), terms), min_size=1, max_size=3).map(" ".join),
    st.text(max_size=30).filter(lambda q: "\x00" not in q),
    st.text(alphabet=st.sampled_from("plan budget\"'-:*()^&|!\\"), max_size=30),
)


class World:
    """A department with a members-only group of ann's, in which everything was written; read without any index."""

    def __init__(self, department: Department) -> None:
        self.department = department
        self.people: list[Account] = []
        self.made: list[int] = []

    async def write(self, written: Iterable[Post]) -> None:
        department = self.department
        self.people = [await department.person(name) for name in PEOPLE]
        self.group = await department.group(self.people[0], "plans", "private")
        await department.do(memberships.add, self.group.id, self.people[1].id)
        for post in written:
            await self._write(post)

    async def _write(self, post: Post) -> None:
        department, author = self.department, self.people[post.author]
        in_group = post.visibility == "group" and post.author != 2
        addressed = post.to - {post.author} - ({2} if in_group else set())  # the third is no member
        named = {PEOPLE[number]: self.people[number].id for number in addressed}
        if in_group:
            named["plans"] = self.group.id
        pictures = (await file(department, author, post.picture),) if post.picture and not post.poll else ()
        poll = PollDraft(("plan", "budget meet"), 600) if post.poll else None
        text = " ".join([post.text, *(f"@{name}" for name in named)])
        status = await department.post(
            author, text, spoiler_text=post.spoiler, language=post.language, poll=poll, media_ids=pictures,
            visibility="public" if post.visibility == "group" else post.visibility, mentions=named,
            sensitive=bool(post.spoiler), published_at=None if in_group else department.clock.ms() - post.days * DAY,
        )  # fmt: skip
        self.made.append(status.id)
        for number in post.marked_by:
            if post.visibility == "public":
                await department.do(interactions.favourite, self.people[number], status)
        if post.fate == "edited":
            draft = Draft(text="de planning https://x.example/", media_ids=pictures, poll=poll, mentions=named)
            await department.do(publishing.edit, author, status.id, draft)
        elif post.fate == "deleted":
            await department.do(statuses.delete, author, status.id)

    def read(self, tx: Tx, viewer: Account, q: str) -> list[int]:
        """What must be found, newest first."""
        asked = queries.parse(q)
        found = []
        for id_ in sorted(self.made, reverse=True) if asked else []:
            status = statuses.find(tx, id_)
            assert status is not None
            seen = policy.may_see(policy.Viewer(viewer.id), statuses.facts(tx, status, viewer.id))
            if seen and all(self._holds(tx, term, status, viewer) != term.negated for term in asked):
                found.append(id_)
        return found

    def _holds(self, tx: Tx, term: "queries.Words | queries.Operator", status: Status, viewer: Account) -> bool:
        if isinstance(term, queries.Words):
            return any(_says(text, term.words) for text in self._texts(tx, status))
        match term.name:
            case "from":
                names = {account.acct: account.id for account in (*self.people, self.group)} | {"me": viewer.id}
                return names.get(term.value.removeprefix("@")) == status.account_id
            case "in":
                return self._is_in(tx, term.value, status, viewer)
            case "has" | "is":
                return term.value in self._properties(tx, status)
            case "language":
                return (status.language or "").split("-")[0] == term.value
            case name:
                return _is_time(name, term.value, status.created_at)

    def _texts(self, tx: Tx, status: Status) -> list[str]:
        told = [item.description for item in media.of_statuses(tx, [status.id]).get(status.id, [])]
        titles = sa.select(poll_options.c.title).where(poll_options.c.poll_id == status.poll_id)
        return [status.text, status.spoiler_text, *told, *tx.conn.execute(titles).scalars()]

    def _is_in(self, tx: Tx, place: str, status: Status, viewer: Account) -> bool:
        match place:
            case "all":
                return True
            case "public":
                return status.visibility == "public"
            case "plans":
                return status.visibility == policy.GROUP
            case "library":
                marked = favourites.c
                mine = sa.select(marked.id).where(marked.status_id == status.id, marked.account_id == viewer.id)
                return (
                    status.account_id == viewer.id
                    or viewer.id in statuses.mentioned_ids(tx, status.id)
                    or tx.conn.execute(mine).first() is not None
                )
        return False

    def _properties(self, tx: Tx, status: Status) -> set[str]:
        files = sa.select(media_table.c.id).where(media_table.c.status_id == status.id)
        has_files = tx.conn.execute(files).first() is not None
        names = {"media", "image"} if has_files else set()
        names |= {"sensitive"} if status.sensitive else set()
        names |= {"link"} if "https://" in status.text else set()
        return names | ({"poll"} if status.poll_id is not None else set())


def _says(text: str, wanted: tuple[str, ...]) -> bool:
    said, sought = [words.stem(word) for word in words.split(text)], [words.stem(word) for word in wanted]
    for start in range(len(said) - len(sought) + 1):
        part = said[start : start + len(sought)]
        if [stem.dutch for stem in part] == [stem.dutch for stem in sought]:
            return True
        if [stem.english for stem in part] == [stem.english for stem in sought]:
            return True
    return False


def _is_time(name: str, value: str, created_at: int) -> bool:
    try:
        start = to_ms(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC))
    except ValueError:
        return False
    if name == "before":
        return created_at < start
    return created_at >= start + DAY if name == "after" else start <= created_at < start + DAY


@pytest.mark.slow
@settings(
    max_examples=examples(40), deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
@given(st.lists(posts, max_size=12), st.lists(questions, min_size=8, max_size=25))
def test_search_finds_what_reading_everything_finds(written: list[Post], asked: list[str]) -> None:
    async def run(folder: Path) -> None:
        clock = StandingClock()
        db = Database(make_config(folder), clock, effects.apply)
        db.start()
        try:
            department = Department(db, clock)
            world = World(department)
            await world.write(written)
            for q in asked:
                for viewer in world.people:
                    wanted = await department.see(world.read, viewer, q)
                    assert await found(department, viewer, q) == wanted, (q, viewer.username)
                    middle = wanted[len(wanted) // 2] if wanted else 0
                    assert await found(department, viewer, q, 2, max_id=middle) == [i for i in wanted if i < middle][:2]
                    above = [id_ for id_ in wanted if id_ > middle]
                    assert await found(department, viewer, q, 2, min_id=middle) == above[-2:]
                    assert await found(department, viewer, q, 2, offset=1) == wanted[1:3]
        finally:
            db.close()

    with TemporaryDirectory() as folder:
        anyio.run(run, Path(folder))


async def test_the_tables_have_words_for_every_post(department: Department) -> None:
    """What search knows and what the tables hold are the same set."""
    ann = await department.person("ann")
    for number in range(3):
        await department.post(ann, f"post {number}")
    alive = sa.select(table.c.id).where(table.c.deleted_at.is_(None), table.c.reblog_of_id.is_(None))
    assert sorted(await rows(department)) == sorted(
        await department.see(lambda tx: list(tx.conn.execute(alive).scalars()))
    )
