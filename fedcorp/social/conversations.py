"""Conversations: threads of direct messages that somebody takes part in, latest first. Reads rows only."""

from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcorp.errors import NotFound
from fedcorp.social.pages import Listing, Page
from fedcorp.social.visibility import visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import mentions, statuses


class Conversation(NamedTuple):
    """A thread by its latest message; `participants` without the reader, unless nobody else takes part."""

    thread_id: int
    last_status_id: int
    participants: list[int]


_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)
_MINE = sa.or_(
    statuses.c.account_id == _VIEWER,
    statuses.c.id.in_(sa.select(mentions.c.status_id).where(mentions.c.account_id == _VIEWER)),
)
_DIRECT = sa.select(statuses.c.id).where(
    statuses.c.visibility == "direct", statuses.c.reblog_of_id.is_(None), _MINE, visible(statuses, _VIEWER)
)
_MESSAGES = Listing(_DIRECT, statuses.c.id)
_LATER = statuses.alias("later")
_NAMED = mentions.alias("named")  # by another name than the one that `visible` looks into
_LATEST = Listing(
    _DIRECT.add_columns(statuses.c.thread_id).where(
        ~sa.exists().where(
            _LATER.c.thread_id == statuses.c.thread_id,
            _LATER.c.id > statuses.c.id,
            _LATER.c.visibility == "direct",
            visible(_LATER, _VIEWER),
        )
    ),
    statuses.c.id,
)


def messages(tx: Tx, account_id: int, page: Page) -> list[int]:
    """Ids of direct messages from and to an account, newest first."""
    return [row[0] for row in _MESSAGES.rows(tx, page, viewer=account_id)]


def listing(tx: Tx, account_id: int, page: Page) -> list[Conversation]:
    """Conversations by their latest message, whose id is what pages are cut by."""
    rows = _LATEST.rows(tx, page, viewer=account_id)
    return [Conversation(thread_id, id_, _participants(tx, account_id, thread_id)) for id_, thread_id in rows]


def of_message(tx: Tx, account_id: int, status_id: int) -> Conversation:
    """The conversation that an account has by this message, as it stood when it came. Raises NotFound."""
    row = tx.conn.execute(_MESSAGE, {"viewer": account_id, "status": status_id}).first()
    if row is None:
        raise NotFound
    return Conversation(row.thread_id, row.id, _participants(tx, account_id, row.thread_id))


_MESSAGE = _DIRECT.add_columns(statuses.c.thread_id).where(statuses.c.id == sa.bindparam("status", type_=sa.BigInteger))


def _participants(tx: Tx, account_id: int, thread_id: int) -> list[int]:
    inside = sa.and_(statuses.c.thread_id == thread_id, statuses.c.visibility == "direct", visible(statuses, _VIEWER))
    writers = sa.select(statuses.c.account_id).where(inside)
    named = sa.select(_NAMED.c.account_id).join(statuses, statuses.c.id == _NAMED.c.status_id).where(inside)
    found = list(tx.conn.execute(sa.union(writers, named), {"viewer": account_id}).scalars())
    return [id_ for id_ in sorted(found) if id_ != account_id] or [account_id]
