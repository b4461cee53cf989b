"""Hashtags: who follows which, and how much they are used by public statuses."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.social import text
from fedcorp.social.pages import Listing, Page
from fedcorp.social.visibility import limited, visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import followed_tags, status_tags, statuses
from fedcorp.storage.upsert import insert_ignore

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Day:
    """How often a hashtag was used on one UTC day, and by how many accounts; `at` (ms) is when the day begins."""

    at: int
    uses: int
    accounts: int


_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)
_FOLLOWED = Listing(
    sa.select(followed_tags.c.id, followed_tags.c.name).where(followed_tags.c.account_id == sa.bindparam("account")),
    followed_tags.c.id,
)


def key(name: str) -> str:
    """The form under which a hashtag is kept; one that is no hashtag raises Unprocessable."""
    found = text.find_tags("#" + name.lstrip("#"))
    if not found or len(found[0].name) != len(name.lstrip("#")):
        raise Unprocessable(f"Validation failed: {name!r} is no hashtag")
    return text.normalise_tag(found[0].name)


def follow(tx: Tx, account_id: int, name: str) -> None:
    """Let public statuses with this hashtag come home. Raises Unprocessable."""
    insert_ignore(tx, followed_tags, id=tx.new_id(), account_id=account_id, name=key(name), created_at=tx.ms)


def unfollow(tx: Tx, account_id: int, name: str) -> None:
    """No longer; what came home stays there. Raises Unprocessable."""
    mine = sa.and_(followed_tags.c.account_id == account_id, followed_tags.c.name == key(name))
    tx.conn.execute(sa.delete(followed_tags).where(mine))


def followed(tx: Tx, account_id: int, page: Page) -> list[tuple[int, str]]:
    """(id for pages, name) of the hashtags that an account follows, latest first."""
    return _FOLLOWED.rows(tx, page, account=account_id)


def followed_among(tx: Tx, account_id: int, names: "list[str]") -> set[str]:
    """Those of these normalised names that the account follows."""
    statement = sa.select(followed_tags.c.name).where(
        followed_tags.c.account_id == account_id, followed_tags.c.name.in_(names)
    )
    return set(tx.conn.execute(statement).scalars()) if names else set()


def _uses(signed_in: bool) -> "sa.Select[Any]":
    day = statuses.c.created_at - statuses.c.created_at % DAY_MS
    return (
        sa.select(status_tags.c.name, day, sa.func.count(), sa.func.count(statuses.c.account_id.distinct()))
        .join(statuses, statuses.c.id == status_tags.c.status_id)
        .where(status_tags.c.name.in_(sa.bindparam("names", expanding=True)))
        .where(statuses.c.created_at >= sa.bindparam("since", type_=sa.BigInteger))
        .where(statuses.c.visibility == "public", visible(statuses, _VIEWER if signed_in else None))
        .where(~limited(statuses.c.account_id, _VIEWER if signed_in else None))
        .group_by(status_tags.c.name, day)
    )


_USES, _USES_BY_ANYBODY = _uses(True), _uses(False)


def history(tx: Tx, viewer_id: int | None, names: "list[str]", days: int = 7) -> dict[str, list[Day]]:
    """For each of these normalised names the last `days` days, today first, as far as the viewer may see."""
    today = tx.ms - tx.ms % DAY_MS
    starts = [today - number * DAY_MS for number in range(days)]
    used: dict[tuple[str, int], Day] = {}
    statement = _USES_BY_ANYBODY if viewer_id is None else _USES
    values = {"names": names, "since": starts[-1], "viewer": viewer_id}
    for name, at, uses, people in tx.conn.execute(statement, values) if names else ():
        used[name, at] = Day(at, uses, people)
    return {name: [used.get((name, at), Day(at, 0, 0)) for at in starts] for name in names}
