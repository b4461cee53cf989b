"""Hashtags that people of this department show on their profile, with how often they used them.

What is counted is what everybody may read: public and unlisted posts, as far as the viewer may see them. Those of
other servers are not fetched.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import tags
from fedcorp.social.visibility import visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import featured_tags, status_tags, statuses
from fedcorp.storage.upsert import insert_ignore

MAX_FEATURED = 10
SUGGESTED = 10


@dataclass(frozen=True, slots=True)
class FeaturedTag:
    """A hashtag (normalised) on a profile; `last_at` (ms) is when its owner last used it, if ever."""

    id: int
    name: str
    uses: int
    last_at: int | None


_ACCOUNT: Any = sa.bindparam("account", type_=sa.BigInteger)
_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)
_OF_ACCOUNT = (
    sa.select(featured_tags.c.id, featured_tags.c.name)
    .where(featured_tags.c.account_id == _ACCOUNT)
    .order_by(featured_tags.c.id)
)


def _uses(signed_in: bool) -> "sa.Select[Any]":
    return (
        sa.select(status_tags.c.name, sa.func.count(), sa.func.max(statuses.c.created_at))
        .join(statuses, statuses.c.id == status_tags.c.status_id)
        .where(statuses.c.account_id == _ACCOUNT, statuses.c.visibility.in_(("public", "unlisted")))
        .where(visible(statuses, _VIEWER if signed_in else None))
        .group_by(status_tags.c.name)
    )


_NAMED = status_tags.c.name.in_(sa.bindparam("names", expanding=True))
_USES, _USES_BY_ANYBODY = _uses(True).where(_NAMED), _uses(False).where(_NAMED)
_SUGGESTED = (
    _uses(True)
    .where(~sa.exists().where(featured_tags.c.account_id == _ACCOUNT, featured_tags.c.name == status_tags.c.name))
    .order_by(sa.func.max(statuses.c.created_at).desc(), status_tags.c.name)
    .limit(SUGGESTED)
)


def of_account(tx: Tx, account_id: int, viewer_id: int | None) -> list[FeaturedTag]:
    """What an account features, in the order in which it began to, counted for this viewer (None: anybody)."""
    rows = [tuple(row) for row in tx.conn.execute(_OF_ACCOUNT, {"account": account_id})]
    if not rows:
        return []
    values = {"account": account_id, "viewer": viewer_id, "names": [name for _, name in rows]}
    statement = _USES_BY_ANYBODY if viewer_id is None else _USES
    used = {name: (count, last) for name, count, last in tx.conn.execute(statement, values)}
    return [FeaturedTag(id_, name, *used.get(name, (0, None))) for id_, name in rows]


def among(tx: Tx, account_id: int, names: list[str]) -> set[str]:
    """Those of these normalised names that the account features."""
    return {name for _, name in tx.conn.execute(_OF_ACCOUNT, {"account": account_id}) if name in names}


def suggested(tx: Tx, account_id: int) -> list[str]:
    """What the account used last in posts that everybody may read and does not feature, normalised."""
    return [row[0] for row in tx.conn.execute(_SUGGESTED, {"account": account_id, "viewer": account_id})]


def feature(tx: Tx, account_id: int, name: str) -> FeaturedTag:
    """Show a hashtag on one's profile; twice is once. Raises Unprocessable for what is none, or one too many."""
    wanted = tags.key(name)
    known = {item.name for item in of_account(tx, account_id, account_id)}
    if wanted not in known:
        if len(known) >= MAX_FEATURED:
            raise Unprocessable(f"Validation failed: at most {MAX_FEATURED} hashtags are featured")
        insert_ignore(tx, featured_tags, id=tx.new_id(), account_id=account_id, name=wanted, created_at=tx.ms)
    return next(item for item in of_account(tx, account_id, account_id) if item.name == wanted)


def unfeature(tx: Tx, account_id: int, name: str) -> None:
    """Show it no longer. Nothing happens when it is not shown. Raises Unprocessable."""
    mine = sa.and_(featured_tags.c.account_id == account_id, featured_tags.c.name == tags.key(name))
    tx.conn.execute(sa.delete(featured_tags).where(mine))


def remove(tx: Tx, account_id: int, id_: int) -> None:
    """The same by its id. Raises NotFound, also for one of somebody else."""
    mine = sa.and_(featured_tags.c.account_id == account_id, featured_tags.c.id == id_)
    if tx.conn.execute(sa.delete(featured_tags).where(mine)).rowcount == 0:
        raise NotFound
