"""Home against the rule written out row by row: what the statement leaves out of its way must change nothing."""

import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from fedcorp.errors import FedcorpError
from fedcorp.social import accounts as accounts_of
from fedcorp.social import blocks, effects, follows, interactions, lists, policy, statuses, timelines
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Page
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import accounts, domain_blocks, home, list_accounts, mutes
from fedcorp.storage.tables import blocks as block_rows
from fedcorp.storage.tables import lists as list_rows
from tests.databases import examples, make_config
from tests.social.conftest import Department, StandingClock

PEOPLE, PLACES = 4, ("here", "sales.localhost", "lab.localhost")
_acts = st.lists(
    st.tuples(
        st.sampled_from(("mute", "mute for a second", "block", "blocked by", "keep domain away", "exclusive list",
                         "suspend", "boost", "delete", "follow", "unfollow")),
        st.integers(1, PEOPLE - 1),
        st.integers(0, 9),
    ),
    max_size=8,
)  # fmt: skip


def _act(tx: Tx, people: list[Account], posts: list[int], act: str, who: int, number: int) -> None:
    ann, other = people[0], people[who]
    values = {"id": tx.new_id(), "created_at": tx.ms, "account_id": ann.id}
    if act.startswith("mute"):
        blocks.mute(tx, ann, other, duration=1 if "second" in act else 0)
    elif act in ("block", "blocked by"):
        one, two = (ann, other) if act == "block" else (other, ann)
        tx.conn.execute(sa.insert(block_rows).values({**values, "account_id": one.id, "target_id": two.id}))
    elif act == "keep domain away":
        tx.conn.execute(sa.insert(domain_blocks).values(**values, domain=other.domain))
    elif act == "exclusive list":
        made = lists.create(tx, ann.id, title="l", exclusive=bool(number % 2))
        tx.conn.execute(sa.insert(list_accounts).values(list_id=made.id, account_id=other.id))
    elif act == "suspend":
        tx.conn.execute(sa.update(accounts).where(accounts.c.id == other.id).values(suspended_at=tx.ms))
    elif act in ("follow", "unfollow"):
        getattr(follows, act)(tx, *((ann, other) if act == "follow" else (ann.id, other.id)))
    elif posts:
        post = statuses.get(tx, posts[number % len(posts)])
        if act == "boost":
            interactions.reblog(tx, other, post)
        else:
            statuses.remove(tx, post, "")
    tx.finish()


def _move(tx: Tx, person: Account, domain: str) -> None:
    """As if they lived there; where an account lives matters to the domains that somebody keeps away alone."""
    tx.conn.execute(sa.update(accounts).where(accounts.c.id == person.id).values(domain=domain))


def _by_rule(tx: Tx, ann: Account) -> list[timelines.Entry]:
    """Home as the rule says it: row by row, in Python."""
    at_home = sa.select(home.c.entry_id, home.c.status_id).where(home.c.account_id == ann.id)
    muted = sa.select(mutes.c.target_id).where(
        mutes.c.account_id == ann.id, mutes.c.expires_at.is_(None) | (mutes.c.expires_at > tx.ms)
    )
    listed = sa.select(list_accounts.c.account_id).join(list_rows, list_rows.c.id == list_accounts.c.list_id)
    away = set(tx.conn.execute(muted).scalars())
    kept = set(tx.conn.execute(listed.where(list_rows.c.account_id == ann.id, list_rows.c.exclusive)).scalars())
    found = []
    for entry_id, status_id in tx.conn.execute(at_home.order_by(home.c.entry_id.desc())).all():
        entry, status = statuses.find(tx, entry_id), statuses.find(tx, status_id)
        rows = [row for row in (entry, status) if row is not None and row.deleted_at is None]
        seen = all(policy.may_see(policy.Viewer(ann.id), statuses.facts(tx, row, ann.id)) for row in rows)
        authors = {row.account_id for row in rows}
        if len(rows) == 2 and seen and not authors & away and rows[0].account_id not in kept:
            found.append(timelines.Entry(entry_id, status_id))
    return found


@settings(max_examples=examples(60))
@given(_acts)
def test_home_is_what_the_rule_says_row_by_row(acts: list[tuple[str, int, int]]) -> None:
    async def run(folder: Path) -> None:
        clock = StandingClock()
        db = Database(make_config(folder), clock, effects.apply)
        db.start()
        try:
            department = Department(db, clock)
            ann = await department.person("ann")
            others = [await department.person(f"p{number}") for number in range(1, PEOPLE)]
            people = [ann, *others]
            for number, person in enumerate(others):
                await department.do(follows.follow, ann, person)
                await department.do(_move, person, PLACES[number])
            people = [await department.see(accounts_of.get, person.id) for person in people]
            posts = [
                (await department.post(person, visibility=visibility)).id
                for person in people
                for visibility in ("public", "private")
            ]
            for act, who, number in [("boost", 1, 4), *acts]:
                with contextlib.suppress(FedcorpError, IntegrityError):
                    await department.do(_act, people, posts, act, who, number)
                for _ in range(2):  # before and after the statement is compiled
                    expected = await department.see(_by_rule, ann)
                    lines = await department.see(timelines.home, ann.id, Page(40))
                    assert timelines.entries(lines) == expected, act
                clock.pass_(seconds=2)
        finally:
            db.close()

    with TemporaryDirectory() as folder:
        anyio.run(run, Path(folder))
