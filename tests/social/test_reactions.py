"""Whatever people give and take back, in whatever order, the numbers are those of a plain model of it."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcorp.errors import Unprocessable
from fedcorp.social import accounts, effects, interactions, reactions, statuses
from fedcorp.social.reactions import Kind
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import favourites, notifications
from tests.databases import examples, make_config
from tests.social.conftest import Department, StandingClock

PEOPLE = 2
KINDS = [Kind(name) for name in ("☕", "👎", "👎🏽", "❤️", "😀", "😁", "😂", "🤣", "😃", "😄")] + [
    Kind("cat"),
    Kind("cat", "far.example"),
]


@dataclass
class Model:
    """Who gave what, and who favourited."""

    given: dict[int, list[Kind]] = field(default_factory=dict)
    favourited: set[int] = field(default_factory=set)

    def act(self, verb: str, who: int, kind: Kind) -> None:
        mine = self.given.setdefault(who, [])
        if verb == "react" and kind not in mine and len(mine) < reactions.MAX_OF_ONE:
            mine.append(kind)
        elif verb == "take back" and kind in mine:
            mine.remove(kind)
        elif verb == "favourite":
            self.favourited.add(who)
        elif verb == "unfavourite":
            self.favourited.discard(who)

    @property
    def below(self) -> dict[Kind, int]:
        everything = [kind for mine in self.given.values() for kind in mine]
        return {kind: everything.count(kind) for kind in everything}

    @property
    def counted(self) -> set[int]:
        """Who counts among those who favourited."""
        return self.favourited | {who for who, mine in self.given.items() if any("👎" not in one.name for one in mine)}


def act(tx: Tx, verb: str, account_id: int, status_id: int, kind: Kind) -> None:
    account, status = accounts.get(tx, account_id), statuses.get(tx, status_id)
    if verb == "react":
        reactions.react(tx, account, status, kind)
    elif verb == "take back":
        reactions.take_back(tx, account, status.id, kind)
    elif verb == "favourite":
        interactions.favourite(tx, account, status)
    else:
        interactions.unfavourite(tx, account, status.id)


def told(tx: Tx) -> set[int]:
    return set(tx.conn.execute(sa.select(notifications.c.from_account_id)).scalars())


def own(tx: Tx) -> set[int]:
    return set(tx.conn.execute(sa.select(favourites.c.account_id).where(~favourites.c.implied)).scalars())


steps = st.tuples(
    st.sampled_from(["react", "react", "take back", "favourite", "unfavourite"]),
    st.integers(0, PEOPLE - 1),
    st.sampled_from(KINDS),
)


@settings(max_examples=examples(30))
@given(st.lists(steps, min_size=15, max_size=50))
def test_the_numbers_are_those_of_the_model(steps: list[tuple[str, int, Kind]]) -> None:
    async def run(folder: Path) -> None:
        clock = StandingClock()
        db = Database(make_config(folder), clock, effects.apply)
        db.start()
        try:
            department = Department(db, clock)
            post = await department.post(await department.person("author"), "look")
            people = [(await department.person(f"p{number}")).id for number in range(PEOPLE)]
            model = Model()
            for verb, number, kind in steps:
                with contextlib.suppress(Unprocessable):
                    await department.do(act, verb, people[number], post.id, kind)
                model.act(verb, people[number], kind)
                below = (await department.see(reactions.of_statuses, [post.id], people[0])).get(post.id, [])
                assert {item.kind: item.people for item in below} == model.below
                assert {item.kind for item in below if item.me} == set(model.given.get(people[0], []))
                status = await department.see(statuses.get, post.id)
                assert status.favourites_count == len(model.counted)
                assert (await department.see(told), await department.see(own)) == (model.counted, model.favourited)
        finally:
            db.close()

    with TemporaryDirectory() as folder:
        anyio.run(run, Path(folder))
