"""What is kept of rendered statuses never shows: after every act, each viewer is shown what is rendered afresh."""

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcorp.errors import FedcorpError
from fedcorp.social import (
    accounts,
    custom_emojis,
    effects,
    filters,
    follows,
    interactions,
    polls,
    publishing,
    reactions,
    statuses,
)
from fedcorp.social.filters import Change, KeywordChange
from fedcorp.social.polls import PollDraft
from fedcorp.social.publishing import Draft
from fedcorp.social.reactions import AGAINST_IT, Kind
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.signed import WINDOW_MS
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import media
from fedcorp.storage.tables import statuses as table
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.statuses import render
from tests.databases import examples, make_config
from tests.social.conftest import Department, StandingClock

PEOPLE = 3  # two see a post alike, beside its author
Act = Callable[[Tx, accounts.Account, statuses.Status], Any]

ACTS: dict[str, Act] = {
    "favourite": interactions.favourite,
    "unfavourite": lambda tx, who, post: interactions.unfavourite(tx, who, post.id),
    "react": lambda tx, who, post: reactions.react(tx, who, post, Kind("☕")),
    "unreact": lambda tx, who, post: reactions.take_back(tx, who, post.id, Kind("☕")),
    "change": lambda tx, who, post: _change(tx, who, post),
    "react with a picture": lambda tx, who, post: reactions.react(tx, who, post, Kind("cat")),
    "draw": lambda tx, who, post: custom_emojis.add(
        tx, "cat", key=f"c{tx.ms}", still_key=f"s{tx.ms}", mime="image/png"
    ),
    "against": lambda tx, who, post: reactions.react(tx, who, post, AGAINST_IT),
    "bookmark": lambda tx, who, post: interactions.bookmark(tx, who.id, post.id),
    "unbookmark": lambda tx, who, post: interactions.unbookmark(tx, who.id, post.id),
    "reblog": interactions.reblog,
    "unreblog": lambda tx, who, post: interactions.unreblog(tx, who, post.id),
    "mute": lambda tx, who, post: interactions.mute_thread(tx, who.id, post.thread_id),
    "unmute": lambda tx, who, post: interactions.unmute_thread(tx, who.id, post.thread_id),
    "pin": interactions.pin,
    "unpin": interactions.unpin,
    "edit": lambda tx, who, post: publishing.edit(tx, who, post.id, Draft(text=f"edited {tx.ms} word")),
    "delete": lambda tx, who, post: statuses.delete(tx, who, post.id),
    "answer": lambda tx, who, post: publishing.publish(tx, who, Draft(text="answer", in_reply_to_id=post.id)),
    "vote": lambda tx, who, post: polls.vote(tx, who, post.poll_id or 0, [0]),
    "follow": lambda tx, who, post: follows.follow(tx, who, accounts.get(tx, post.account_id)),
    "rename": lambda tx, who, post: accounts.update_profile(tx, who, accounts.Profile(display_name=f"N {tx.ms}")),
    "tell": lambda tx, who, post: _tell(tx, who, post),
    "filter": lambda tx, who, post: filters.create(
        tx, who.id, Change("f", ("home",), "warn" if post.id % 2 else "hide"), [KeywordChange("word")]
    ),
}


def _tell(tx: Tx, who: accounts.Account, post: statuses.Status) -> None:
    """As if all this were of another server, which tells other numbers now."""
    told = {"favourites_elsewhere": who.id % 3, "reblogs_elsewhere": tx.ms % 3}
    tx.conn.execute(sa.update(table).where(table.c.id == post.id).values(**told))
    tx.conn.execute(
        sa.update(accounts_table).where(accounts_table.c.id == who.id).values(followers_elsewhere=tx.ms % 5)
    )


def _change(tx: Tx, who: accounts.Account, post: statuses.Status) -> None:
    """Another emoji in place of one: no number changes."""
    if reactions.take_back(tx, who, post.id, Kind("☕")):
        reactions.react(tx, who, post, Kind("🍰"))


REACTING = ("react", "change", "unreact", "against", "react with a picture", "draw", "reblog", "favourite")
Step = tuple[str, int, int, bool]


def steps(names: Iterable[str], posts: int, most: int) -> "st.SearchStrategy[list[Step]]":
    """Acts of people with posts, after some of which time passes."""
    one = st.tuples(st.sampled_from(sorted(names)), st.integers(0, PEOPLE - 1), st.integers(0, posts), st.booleans())
    return st.lists(one, min_size=1, max_size=most)


def _act(tx: Tx, name: str, who_id: int, number: int) -> None:
    posts = tx.conn.execute(sa.select(table.c.id).where(table.c.deleted_at.is_(None)).order_by(table.c.id)).scalars()
    found = posts.all()
    if found:
        post = statuses.get(tx, found[number % len(found)])
        original = post if post.reblog_of_id is None else statuses.get(tx, post.reblog_of_id)  # as in the API
        ACTS[name](tx, accounts.get(tx, who_id), original)


def _attach(tx: Tx, post: statuses.Status) -> None:
    """A picture, whose address expires unless its post is open to all."""
    values = {"account_id": post.account_id, "status_id": post.id, "kind": "image", "mime": "image/png", "key": "a.png"}
    tx.conn.execute(sa.insert(media).values(id=tx.new_id(), created_at=tx.ms, **values))


def _seen(tx: Tx, cache: Rendered, viewer: int | None, context: str) -> list[bytes]:
    ids = tx.conn.execute(sa.select(table.c.id)).scalars().all()
    visible = statuses.visible_ids(tx, viewer, ids)
    return render(tx, cache, viewer, [id_ for id_ in ids if id_ in visible], context=context)


@settings(max_examples=examples(30))
@given(steps(ACTS, 7, 12))
def test_what_is_kept_is_what_would_be_rendered(acts: list[Step]) -> None:
    compare(acts)


@settings(max_examples=examples(20))
@given(steps(REACTING, 1, 16))
def test_what_is_kept_of_reactions_is_what_would_be_rendered(acts: list[Step]) -> None:
    compare(acts)


def compare(acts: list[Step]) -> None:
    """Do all this; after each, what every viewer sees is what is rendered afresh."""

    async def run(folder: Path) -> None:
        clock = StandingClock()
        db = Database(make_config(folder), clock, effects.apply)
        db.start()
        try:
            department = Department(db, clock)
            people = [await department.person(f"p{number}") for number in range(PEOPLE)]
            for number, person in enumerate(people):
                post = await department.post(person, f"word {number}", reach="public" if number else "company")
                await department.do(_attach, post)
            await department.post(people[0], "poll", poll=PollDraft(("one", "two"), 300))
            kept = Rendered()
            for name, who, number, later in acts:
                with contextlib.suppress(FedcorpError):
                    await department.do(_act, name, people[who].id, number)
                if later:
                    clock.pass_(ms=WINDOW_MS // 2)
                for viewer in (None, *(person.id for person in people)):
                    for context in ("home", "thread"):
                        seen = await db.read(_seen, kept, viewer, context)
                        assert seen == await db.read(_seen, Rendered(), viewer, context), (name, viewer, context)
        finally:
            db.close()

    with TemporaryDirectory() as folder:
        anyio.run(run, Path(folder))
