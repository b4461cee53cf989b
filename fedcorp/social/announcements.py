"""What the administrator announces to everybody in this department, who has read it, and how they react.

Announcements never leave the department. They are made and withdrawn from the command line; every change is told to
all open clients, but that one's time is over is not: it is only no longer listed.
"""

from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import reactions as emoji
from fedcorp.social.reactions import Kind, Tally
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import announcement_dismissals, announcement_reactions, announcements, streams
from fedcorp.storage.upsert import insert_ignore

MAX_TEXT = 5000
MAX_EMOJI = 8  # different ones below one announcement, as in Mastodon


@dataclass(frozen=True, slots=True)
class Announcement:
    """One row of `announcements`; times are ms. `starts_at` and `ends_at` tell when what is announced takes place."""

    id: int
    text: str
    starts_at: int | None
    ends_at: int | None
    all_day: bool
    created_at: int


_ALL = sa.select(*(announcements.c[item.name] for item in fields(Announcement))).order_by(announcements.c.id)
_CURRENT = _ALL.where(sa.or_(announcements.c.ends_at.is_(None), announcements.c.ends_at > sa.bindparam("now")))
_DISMISSED = sa.select(announcement_dismissals.c.announcement_id).where(
    announcement_dismissals.c.account_id == sa.bindparam("viewer")
)
_REACTIONS: Any = (
    sa.select(
        announcement_reactions.c.announcement_id,
        announcement_reactions.c.name,
        sa.func.count(),
        sa.func.max(
            sa.case((announcement_reactions.c.account_id == sa.bindparam("viewer", type_=sa.BigInteger), 1), else_=0)
        ),
    )
    .where(announcement_reactions.c.announcement_id.in_(sa.bindparam("ids", expanding=True)))
    .group_by(announcement_reactions.c.announcement_id, announcement_reactions.c.name)
    .order_by(sa.func.min(announcement_reactions.c.created_at), announcement_reactions.c.name)
)


# -- the administrator's part ----------------------------------------------------------------------------------------


def create(
    tx: Tx, text: str, *, starts_at: int | None = None, ends_at: int | None = None, all_day: bool = False
) -> Announcement:
    """Announce to everybody at once, until `ends_at` if there is one (ms). Raises Unprocessable."""
    text = text.strip()
    if not 0 < len(text) <= MAX_TEXT:
        raise Unprocessable(f"an announcement has 1 to {MAX_TEXT} characters.")
    if ends_at is not None and ends_at <= tx.ms:
        raise Unprocessable("the end of an announcement lies ahead.")
    if starts_at is not None and ends_at is not None and starts_at > ends_at:
        raise Unprocessable("an announcement ends after it starts.")
    if all_day and starts_at is None and ends_at is None:
        raise Unprocessable("what lasts all day has a start or an end.")
    made = Announcement(tx.new_id(), text, starts_at, ends_at, all_day, tx.ms)
    tx.conn.execute(sa.insert(announcements).values({item.name: getattr(made, item.name) for item in fields(made)}))
    _tell(tx, "announcement", made.id)
    return made


def withdraw(tx: Tx, id_: int) -> None:
    """Take an announcement back, with what was said below it. Raises NotFound."""
    if tx.conn.execute(sa.delete(announcements).where(announcements.c.id == id_)).rowcount == 0:
        raise NotFound("there is no such announcement; see `fedcorp announce --list`.")
    for table in (announcement_dismissals, announcement_reactions):
        tx.conn.execute(sa.delete(table).where(table.c.announcement_id == id_))
    _tell(tx, "announcement.delete", id_)


def listing(tx: Tx) -> list[Announcement]:
    """All that were made and not withdrawn, oldest first, also those whose time is over."""
    return [Announcement(*row) for row in tx.conn.execute(_ALL)]


# -- everybody's part ------------------------------------------------------------------------------------------------


def current(tx: Tx) -> list[Announcement]:
    """Those whose time is not over, oldest first."""
    return [Announcement(*row) for row in tx.conn.execute(_CURRENT, {"now": tx.ms})]


def find(tx: Tx, id_: int) -> Announcement | None:
    """One of those whose time is not over."""
    row = tx.conn.execute(_CURRENT.where(announcements.c.id == id_), {"now": tx.ms}).first()
    return Announcement(*row) if row else None


def dismissed(tx: Tx, account_id: int) -> set[int]:
    """The ids of those that somebody has read."""
    return set(tx.conn.execute(_DISMISSED, {"viewer": account_id}).scalars())


def dismiss(tx: Tx, account_id: int, id_: int) -> None:
    """Somebody has read it. Raises NotFound."""
    _check_there(tx, id_)
    insert_ignore(tx, announcement_dismissals, announcement_id=id_, account_id=account_id)


def reactions(tx: Tx, ids: list[int], viewer_id: int | None) -> dict[int, list[Tally]]:
    """What is below each of these announcements, the first emoji first; without custom ones that were taken away."""
    found: dict[int, list[Tally]] = {id_: [] for id_ in ids}
    rows = tx.conn.execute(_REACTIONS, {"ids": ids, "viewer": viewer_id}).all() if ids else []
    custom = {kind for _, name, _, _ in rows if (kind := Kind(name)).is_custom}
    drawn = emoji.pictures(tx, custom) if custom else {}
    for id_, name, people, me in rows:
        kind = Kind(name)
        if kind in drawn or not kind.is_custom:
            found[id_].append(Tally(kind, people, bool(me)))
    return found


def react(tx: Tx, account_id: int, id_: int, name: str) -> None:
    """Put an emoji below an announcement, by itself or by the code of one of ours; twice is once. Raises NotFound,
    Unprocessable."""
    _check_there(tx, id_)
    kind = _named(name)
    if kind is None or (kind.is_custom and not emoji.pictures(tx, [kind])):
        raise Unprocessable("Validation failed: Name is not a recognized emoji")
    known = {item.kind for item in reactions(tx, [id_], None)[id_]}
    if kind not in known and len(known) >= MAX_EMOJI:
        raise Unprocessable("Validation failed: Limit of different reactions reached")
    values = {"announcement_id": id_, "account_id": account_id, "name": kind.name, "created_at": tx.ms}
    if insert_ignore(tx, announcement_reactions, **values):
        _tell(tx, "announcement.reaction", id_, kind.name)


def take_back(tx: Tx, account_id: int, id_: int, name: str) -> None:
    """Take one's emoji away, if it is there. Raises NotFound when there is no such announcement."""
    _check_there(tx, id_)
    kind, own = _named(name), announcement_reactions.c
    if kind is None:
        return
    mine = sa.and_(own.announcement_id == id_, own.account_id == account_id, own.name == kind.name)
    if tx.conn.execute(sa.delete(announcement_reactions).where(mine)).rowcount:
        _tell(tx, "announcement.reaction", id_, kind.name)


def _named(text: str) -> Kind | None:
    """What a client names: an emoji, or the code of one of ours."""
    kind = emoji.named(text)
    return kind if kind is not None and not kind.domain else None


def _check_there(tx: Tx, id_: int) -> None:
    if find(tx, id_) is None:
        raise NotFound


def _tell(tx: Tx, kind: str, id_: int, reaction: str | None = None) -> None:
    values = {"kind": kind, "announcement_id": id_, "reaction": reaction, "created_at": tx.ms}
    tx.conn.execute(sa.insert(streams).values(**values))
    tx.wake("streams")
