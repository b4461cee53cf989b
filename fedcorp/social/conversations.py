"""Conversations: threads of direct messages that somebody takes part in, latest first, and which of them were read.

A thread is unread when its latest message is by somebody else. What its reader says of it (read, unread, removed)
holds until a later message comes. Writes no rows but these marks.
"""

from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcorp.errors import NotFound
from fedcorp.social.pages import Listing, Page
from fedcorp.social.visibility import visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import conversation_marks, mentions, statuses
from fedcorp.storage.upsert import upsert


class Conversation(NamedTuple):
    """A thread by its latest message; `participants` without the reader, unless nobody else takes part."""

    thread_id: int
    last_status_id: int
    participants: list[int]
    unread: bool


_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)
_MINE = sa.or_(
    statuses.c.account_id == _VIEWER,
    statuses.c.id.in_(sa.select(mentions.c.status_id).where(mentions.c.account_id == _VIEWER)),
)
_DIRECT = sa.select(statuses.c.id).where(
    statuses.c.visibility == "direct", statuses.c.reblog_of_id.is_(None), _MINE, visible(statuses, _VIEWER)
)
_MESSAGES = Listing(_DIRECT, statuses.c.id)
_SPOKEN_OF = conversation_marks.c.status_id >= statuses.c.id  # null, so not true, where nothing was ever said
_UNREAD = sa.case((_SPOKEN_OF, conversation_marks.c.state == "unread"), else_=statuses.c.account_id != _VIEWER)
_MARKED = (
    _DIRECT.add_columns(statuses.c.thread_id, _UNREAD.label("unread"))
    .select_from(statuses)
    .outerjoin(
        conversation_marks,
        sa.and_(conversation_marks.c.thread_id == statuses.c.thread_id, conversation_marks.c.account_id == _VIEWER),
    )
)
_LATER = statuses.alias("later")
_NAMED = mentions.alias("named")  # by another name than the one that `visible` looks into
_LATEST = _MARKED.where(
    ~sa.exists().where(
        _LATER.c.thread_id == statuses.c.thread_id,
        _LATER.c.id > statuses.c.id,
        _LATER.c.visibility == "direct",
        visible(_LATER, _VIEWER),
    ),
    sa.or_(conversation_marks.c.state.is_(None), conversation_marks.c.state != "removed", ~_SPOKEN_OF),
)
_LISTED = Listing(_LATEST, statuses.c.id)
_ONE = _LATEST.where(statuses.c.thread_id == sa.bindparam("thread", type_=sa.BigInteger))
_MESSAGE = _MARKED.where(statuses.c.id == sa.bindparam("status", type_=sa.BigInteger))


def messages(tx: Tx, account_id: int, page: Page) -> list[int]:
    """Ids of direct messages from and to an account, newest first."""
    return [row[0] for row in _MESSAGES.rows(tx, page, viewer=account_id)]


def listing(tx: Tx, account_id: int, page: Page) -> list[Conversation]:
    """Conversations by their latest message, whose id is what pages are cut by."""
    return [_conversation(tx, account_id, row) for row in _LISTED.rows(tx, page, viewer=account_id)]


def of_message(tx: Tx, account_id: int, status_id: int) -> Conversation:
    """The conversation that an account has by this message, as it stood when it came. Raises NotFound."""
    row = tx.conn.execute(_MESSAGE, {"viewer": account_id, "status": status_id}).first()
    if row is None:
        raise NotFound
    return _conversation(tx, account_id, row)


def mark(tx: Tx, account_id: int, thread_id: int, state: str) -> Conversation:
    """Say of a conversation that it is `read` or `unread`, or that it be `removed` from one's list, until the next
    message comes. Returns how it stands then. Raises NotFound when the account has none by this thread."""
    row = tx.conn.execute(_ONE, {"viewer": account_id, "thread": thread_id}).first()
    if row is None:
        raise NotFound
    upsert(
        tx, conversation_marks, ("account_id", "thread_id"),
        account_id=account_id, thread_id=thread_id, status_id=row.id, state=state,
    )  # fmt: skip
    return _conversation(tx, account_id, row)._replace(unread=state == "unread")


_LATE = (
    sa.update(conversation_marks)
    .where(
        conversation_marks.c.thread_id == sa.bindparam("thread", type_=sa.BigInteger),
        conversation_marks.c.status_id > sa.bindparam("late", type_=sa.BigInteger),
        conversation_marks.c.account_id.in_(
            sa.select(mentions.c.account_id).where(mentions.c.status_id == sa.bindparam("late", type_=sa.BigInteger))
        ),
    )
    .values(state="unread")
)


def arrived(tx: Tx, thread_id: int, status_id: int) -> None:
    """A direct message came: whom it names has news, also when it was written before the one that they have read, and
    only its server was late."""
    tx.conn.execute(_LATE, {"thread": thread_id, "late": status_id})


def _conversation(tx: Tx, account_id: int, row: Any) -> Conversation:
    id_, thread_id, unread = row
    return Conversation(thread_id, id_, _participants(tx, account_id, thread_id), bool(unread))


def _participants(tx: Tx, account_id: int, thread_id: int) -> list[int]:
    inside = sa.and_(statuses.c.thread_id == thread_id, statuses.c.visibility == "direct", visible(statuses, _VIEWER))
    writers = sa.select(statuses.c.account_id).where(inside)
    named = sa.select(_NAMED.c.account_id).join(statuses, statuses.c.id == _NAMED.c.status_id).where(inside)
    found = list(tx.conn.execute(sa.union(writers, named), {"viewer": account_id}).scalars())
    return [id_ for id_ in sorted(found) if id_ != account_id] or [account_id]
