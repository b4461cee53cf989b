"""What many people here look at: posts, hashtags and pages. Counts people, never reactions, and never ranks people.

Only public posts count, as far as the viewer may see them, so whatever is shown was open to every employee anyway. A
thing is left out unless LEAST_PEOPLE had to do with it. Of one author at most one post is shown.

* A post: PEOPLE * 2 ** -(AGE in days), where PEOPLE favourited or boosted it and are neither its author nor groups;
  posts of the last STATUS_DAYS days.
* A hashtag, a page: the number of people who used it in public in the last DAYS days.

What has the same score stands in the order of ids or names, so that pages neither repeat nor skip anything.
"""

from typing import Any

import sqlalchemy as sa

from fedcorp import ids
from fedcorp.social.policy import WAITING
from fedcorp.social.tags import DAY_MS
from fedcorp.social.visibility import limited, visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, favourites, status_cards, status_tags, statuses

LEAST_PEOPLE = 2
DAYS = 7
STATUS_DAYS = 3
CANDIDATES = 400  # posts with most people, among which the scores decide

_BOOST = statuses.alias("boost")
_REACTING = accounts.alias("reacting")


def top_statuses(tx: Tx, viewer_id: int | None, limit: int, offset: int = 0) -> list[int]:
    """Ids of posts, highest score first."""
    first = ids.first_at(tx.ms - STATUS_DAYS * DAY_MS)
    reactions = sa.union(
        sa.select(favourites.c.status_id.label("status_id"), favourites.c.account_id.label("account_id")).where(
            favourites.c.status_id >= first
        ),
        sa.select(_BOOST.c.reblog_of_id, _BOOST.c.account_id).where(
            _BOOST.c.reblog_of_id >= first, _BOOST.c.deleted_at.is_(None), _BOOST.c.visibility != WAITING
        ),
    ).subquery("reactions")
    people = sa.func.count()
    statement = (
        sa.select(statuses.c.id, statuses.c.account_id, statuses.c.created_at, people)
        .select_from(reactions)
        .join(statuses, statuses.c.id == reactions.c.status_id)
        .join(_REACTING, sa.and_(_REACTING.c.id == reactions.c.account_id, _REACTING.c.kind != "group"))
        .where(reactions.c.account_id != statuses.c.account_id, _public(viewer_id))
        .group_by(statuses.c.id, statuses.c.account_id, statuses.c.created_at)
        .having(people >= LEAST_PEOPLE)
        .order_by(people.desc(), statuses.c.id.desc())
        .limit(CANDIDATES)
    )
    scored = sorted(
        (
            (score(count, tx.ms - created_at), id_, author)
            for id_, author, created_at, count in tx.conn.execute(statement)
        ),
        reverse=True,
    )
    best: dict[int, int] = {}
    for _, id_, author in scored:
        best.setdefault(author, id_)
    return list(best.values())[offset : offset + limit]


def score(people: int, age_ms: int) -> float:
    """Half as much with every day."""
    return float(people * 2.0 ** (-max(age_ms, 0) / DAY_MS))


def top_tags(tx: Tx, viewer_id: int | None, limit: int, offset: int = 0) -> list[str]:
    """Normalised names of hashtags."""
    rows = _top(tx, viewer_id, status_tags.c.name, status_tags.c.status_id, limit, offset)
    return list(tx.conn.execute(rows).scalars())


def top_cards(tx: Tx, viewer_id: int | None, limit: int, offset: int = 0) -> list[int]:
    """Ids of the cards of pages."""
    rows = _top(tx, viewer_id, status_cards.c.card_id, status_cards.c.status_id, limit, offset)
    return list(tx.conn.execute(rows).scalars())


def _top(tx: Tx, viewer_id: int | None, what: Any, status_id: Any, limit: int, offset: int) -> "sa.Select[Any]":
    people = sa.func.count(statuses.c.account_id.distinct())
    return (
        sa.select(what)
        .join(statuses, statuses.c.id == status_id)
        .where(statuses.c.created_at >= tx.ms - DAYS * DAY_MS, _public(viewer_id))
        .group_by(what)
        .having(people >= LEAST_PEOPLE)
        .order_by(people.desc(), what)
        .limit(limit)
        .offset(offset)
    )


def _public(viewer_id: int | None) -> "sa.ColumnElement[bool]":
    allowed = sa.and_(visible(statuses, viewer_id), ~limited(statuses.c.account_id, viewer_id))
    return sa.and_(statuses.c.visibility == "public", allowed)
