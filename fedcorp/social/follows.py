"""The follow between two accounts, from the request to its end. Joining a group is following it."""

from dataclasses import dataclass, fields
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.errors import Forbidden, NotFound, Unprocessable
from fedcorp.social.accounts import Account
from fedcorp.social.events import FollowAccepted, FollowRejected, FollowRequested, Unfollowed
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import (
    account_notes,
    accounts,
    blocks,
    domain_blocks,
    endorsements,
    follows,
    groups,
    mutes,
    undone,
)

MAX_MESSAGE = 1000


@dataclass(slots=True)
class Follow:
    """One row of `follows`; `uri` is the id of the Follow activity as its sender wrote it."""

    id: int
    follower_id: int
    target_id: int
    state: str
    uri: str
    message: str
    reblogs: bool
    notify: bool
    languages: str
    created_at: int


@dataclass(slots=True)
class Relationship:
    """How a viewer and another account stand to each other, as Mastodon's API tells it."""

    id: int
    following: bool = False
    showing_reblogs: bool = False
    notifying: bool = False
    languages: list[str] | None = None
    followed_by: bool = False
    requested: bool = False
    requested_by: bool = False
    blocking: bool = False
    blocked_by: bool = False
    muting: bool = False
    muting_notifications: bool = False
    domain_blocking: bool = False
    note: str = ""
    endorsed: bool = False


_COLUMNS = [follows.c[item.name] for item in fields(Follow)]
_SELECT = sa.select(*_COLUMNS)
_PAIR = _SELECT.where(follows.c.follower_id == sa.bindparam("follower"), follows.c.target_id == sa.bindparam("target"))
_BY_URI = _SELECT.where(follows.c.uri == sa.bindparam("uri"))
_UNDONE = sa.select(undone.c.uri).where(undone.c.uri == sa.bindparam("uri"))
_INSERT = sa.insert(follows)
_ACCEPT = sa.update(follows).where(follows.c.id == sa.bindparam("one")).values(state="accepted")
_DELETE = sa.delete(follows).where(follows.c.id == sa.bindparam("one"))
_UNENDORSE = sa.delete(endorsements).where(
    endorsements.c.account_id == sa.bindparam("follower"), endorsements.c.target_id == sa.bindparam("target")
)
_ONE, _OTHER = (sa.bindparam(name, type_=sa.BigInteger) for name in ("follower", "target"))
_BLOCKED = sa.union_all(
    sa.select(blocks.c.id).where(
        sa.or_(
            sa.and_(blocks.c.account_id == _OTHER, blocks.c.target_id == _ONE),
            sa.and_(blocks.c.account_id == _ONE, blocks.c.target_id == _OTHER),
        )
    ),
    sa.select(domain_blocks.c.id)
    .join(accounts, accounts.c.domain == domain_blocks.c.domain)
    .where(
        sa.or_(
            sa.and_(domain_blocks.c.account_id == _OTHER, accounts.c.id == _ONE),
            sa.and_(domain_blocks.c.account_id == _ONE, accounts.c.id == _OTHER),
        )
    ),
)
_SECRET = sa.select(groups.c.account_id).where(
    groups.c.account_id == sa.bindparam("group"), groups.c.preset == "secret"
)
_COUNTS = [
    sa.update(accounts).where(accounts.c.id == sa.bindparam(side)).values({column: column + sa.bindparam("change")})
    for side, column in (("target", accounts.c.followers_count), ("follower", accounts.c.following_count))
]


def find(tx: Tx, follower_id: int, target_id: int) -> Follow | None:
    """The follow or request of this pair."""
    row = tx.conn.execute(_PAIR, {"follower": follower_id, "target": target_id}).first()
    return Follow(*row) if row else None


def find_by_uri(tx: Tx, uri: str) -> Follow | None:
    """The follow that this Follow activity began."""
    row = tx.conn.execute(_BY_URI, {"uri": uri}).first()
    return Follow(*row) if row else None


def is_following(tx: Tx, follower_id: int, target_id: int) -> bool:
    """Whether the follow was accepted."""
    known = find(tx, follower_id, target_id)
    return known is not None and known.state == "accepted"


def follow(
    tx: Tx,
    follower: Account,
    target: Account,
    *,
    uri: str | None = None,
    message: str = "",
    reblogs: bool = True,
    notify: bool = False,
    languages: tuple[str, ...] = (),
    admit: bool | None = None,
    link: str = "",
) -> str:
    """Follow, or change how. `uri` is the Follow of another server. Returns the state: `accepted` or `pending`.

    A remote target stays pending until its server accepts. A repeated Follow is answered again, under its newest uri.
    `admit` decides for a local target; without it, whether its account is locked, or the follower limited, does.
    Raises Forbidden when the target refuses this follower, Unprocessable for oneself.
    """
    _check_may_follow(tx, follower, target)
    if uri is not None and tx.conn.execute(_UNDONE, {"uri": uri}).first():
        return "undone"  # its Undo came first
    known = find(tx, follower.id, target.id)
    if known is None and target.moved_to_id is not None:
        raise Forbidden("This account has moved; follow the new one.")
    options = {"reblogs": reblogs, "notify": notify, "languages": orjson.dumps(languages).decode()}
    is_open = not target.locked and follower.silenced_at is None  # whom moderators limited asks everybody first
    let_in = target.local and (is_open if admit is None else admit)
    if known is not None:
        return _again(tx, known, target, uri, options, let_in=let_in)
    state = "accepted" if let_in else "pending"
    own_uri = uri or tx.site.urls.activity(tx.new_id())
    _insert(tx, follower, target, own_uri, state=state, message=message[:MAX_MESSAGE], **options)
    if state == "accepted":
        _count(tx, follower.id, target.id, 1)
    tx.record(FollowRequested(follower.id, target.id, own_uri, state, message[:MAX_MESSAGE], link))
    if state == "accepted":
        tx.record(FollowAccepted(follower.id, target.id, own_uri))
    return state


def _insert(tx: Tx, follower: Account, target: Account, uri: str, **values: object) -> None:
    values |= {"id": tx.new_id(), "follower_id": follower.id, "target_id": target.id, "uri": uri}
    tx.conn.execute(_INSERT, values | {"origin": follower.origin, "created_at": tx.ms})


def renew(tx: Tx, follower: Account, target: Account, uri: str) -> None:
    """A request of one of ours that was taken for refused is there again, as it was sent: nobody is told anew."""
    defaults = {"message": "", "reblogs": True, "notify": False, "languages": "[]"}
    _insert(tx, follower, target, uri, state="pending", **defaults)


def _again(tx: Tx, known: Follow, target: Account, uri: str | None, options: dict[str, object], *, let_in: bool) -> str:
    changed = options if uri is None else {"uri": uri}
    tx.conn.execute(sa.update(follows).where(follows.c.id == known.id).values(**changed))
    if known.state == "pending" and let_in:
        accept(tx, known.follower_id, known.target_id)
        return "accepted"
    if uri is not None and known.state == "accepted" and target.local:
        tx.record(FollowAccepted(known.follower_id, known.target_id, uri))
    return known.state


def _check_may_follow(tx: Tx, follower: Account, target: Account) -> None:
    if follower.id == target.id:
        raise Unprocessable("You cannot follow yourself.")
    if target.hidden or target.kind == "service":
        raise NotFound
    if tx.conn.execute(_BLOCKED, {"follower": follower.id, "target": target.id}).first():
        raise Forbidden("This account cannot be followed by you.")


def accept(tx: Tx, follower_id: int, target_id: int) -> None:
    """The target agrees. Accepting twice changes nothing. Raises NotFound when nobody asked."""
    known = find(tx, follower_id, target_id)
    if known is None:
        raise NotFound
    if known.state == "accepted":
        return
    tx.conn.execute(_ACCEPT, {"one": known.id})
    _count(tx, follower_id, target_id, 1)
    tx.record(FollowAccepted(follower_id, target_id, known.uri))


def reject(tx: Tx, follower_id: int, target_id: int, *, reason: str = "") -> None:
    """The target refuses a request or removes a follower, and may say why. Raises NotFound when there is none."""
    known = find(tx, follower_id, target_id)
    if known is None:
        raise NotFound
    _end(tx, known)
    tx.record(FollowRejected(follower_id, target_id, known.uri, known.state, reason))


def unfollow(tx: Tx, follower_id: int, target_id: int) -> None:
    """The follower leaves or takes a request back. Nothing happens when there is no follow."""
    known = find(tx, follower_id, target_id)
    if known is not None:
        _end(tx, known)
        tx.record(Unfollowed(follower_id, target_id, known.uri, known.state))


def _end(tx: Tx, known: Follow) -> None:
    tx.conn.execute(_DELETE, {"one": known.id})
    tx.conn.execute(_UNENDORSE, {"follower": known.follower_id, "target": known.target_id})
    if known.state == "accepted":
        _count(tx, known.follower_id, known.target_id, -1)


def _count(tx: Tx, follower_id: int, target_id: int, change: int) -> None:
    for statement, side, id_ in zip(_COUNTS, ("target", "follower"), (target_id, follower_id), strict=True):
        if side == "target" or is_counted(tx, target_id):
            tx.conn.execute(statement, {side: id_, "change": change})


def is_counted(tx: Tx, target_id: int) -> bool:
    """Whether whom one follows counts on one's profile: secret groups do not, since the number would betray them."""
    return tx.conn.execute(_SECRET, {"group": target_id}).first() is None


def find_local_follower(tx: Tx, target_id: int) -> int | None:
    """Somebody here who follows this account; the one who has done so longest."""
    found: int | None = tx.conn.execute(_LOCAL_FOLLOWER, {"target": target_id}).scalar()
    return found


_LOCAL_FOLLOWER = (
    sa.select(follows.c.follower_id)
    .join(accounts, accounts.c.id == follows.c.follower_id)
    .where(follows.c.target_id == sa.bindparam("target"), follows.c.state == "accepted", accounts.c.local)
    .order_by(follows.c.id)
    .limit(1)
)


def followed_among(tx: Tx, follower_id: int, ids: "sa.Select[tuple[int]]") -> list[int]:
    """Whom of these accounts (a query of ids) an account follows or has asked."""
    mine = sa.and_(follows.c.follower_id == follower_id, follows.c.target_id.in_(ids))
    return list(tx.conn.execute(sa.select(follows.c.target_id).where(mine)).scalars())


def followers_among(tx: Tx, target_id: int, ids: "sa.Select[tuple[int]]") -> list[int]:
    """Who of these accounts (a query of ids) follows an account or has asked it."""
    its = sa.and_(follows.c.target_id == target_id, follows.c.follower_id.in_(ids))
    return list(tx.conn.execute(sa.select(follows.c.follower_id).where(its)).scalars())


_VIEWER: sa.BindParameter[Any] = sa.bindparam("viewer")
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)


def _targets(table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """What a viewer says of others: whom it concerns, and these columns."""
    return sa.select(table.c.target_id, *columns).where(table.c.account_id == _VIEWER, table.c.target_id.in_(_IDS))


_FOLLOWED_BY_VIEWER = _SELECT.where(follows.c.follower_id == _VIEWER, follows.c.target_id.in_(_IDS))
_FOLLOWING_VIEWER = _SELECT.where(follows.c.target_id == _VIEWER, follows.c.follower_id.in_(_IDS))
_BLOCKED_BY_VIEWER, _ENDORSED_BY_VIEWER = _targets(blocks), _targets(endorsements)
_BLOCKING_VIEWER = sa.select(blocks.c.account_id).where(blocks.c.target_id == _VIEWER, blocks.c.account_id.in_(_IDS))
_MUTED_BY_VIEWER = _targets(mutes, mutes.c.notifications, mutes.c.expires_at)
_AWAY_FROM_VIEWER = sa.select(accounts.c.id).where(
    accounts.c.id.in_(_IDS),
    accounts.c.domain.in_(sa.select(domain_blocks.c.domain).where(domain_blocks.c.account_id == _VIEWER)),
)
_NOTED_BY_VIEWER = _targets(account_notes, account_notes.c.comment)


def relationships(tx: Tx, viewer_id: int, ids: list[int]) -> list[Relationship]:
    """One Relationship for each of `ids`, in that order."""
    found = {id_: Relationship(id_) for id_ in ids}
    if not found:
        return []
    values = {"viewer": viewer_id, "ids": ids}
    for row in tx.conn.execute(_FOLLOWED_BY_VIEWER, values):
        _fill_following(found[row.target_id], row)
    for row in tx.conn.execute(_FOLLOWING_VIEWER, values):
        found[row.follower_id].followed_by = row.state == "accepted"
        found[row.follower_id].requested_by = row.state == "pending"
    for id_ in tx.conn.execute(_BLOCKED_BY_VIEWER, values).scalars():
        found[id_].blocking = True
    for id_ in tx.conn.execute(_ENDORSED_BY_VIEWER, values).scalars():
        found[id_].endorsed = True
    for id_ in tx.conn.execute(_BLOCKING_VIEWER, values).scalars():
        found[id_].blocked_by = True
    for row in tx.conn.execute(_MUTED_BY_VIEWER, values):
        if row.expires_at is None or row.expires_at > tx.ms:
            found[row.target_id].muting = True
            found[row.target_id].muting_notifications = row.notifications
    for id_ in tx.conn.execute(_AWAY_FROM_VIEWER, values).scalars():
        found[id_].domain_blocking = True
    for row in tx.conn.execute(_NOTED_BY_VIEWER, values):
        found[row.target_id].note = row.comment
    return [found[id_] for id_ in ids]


def _fill_following(relationship: Relationship, row: Any) -> None:
    known = Follow(*row)
    relationship.following = known.state == "accepted"
    relationship.requested = known.state == "pending"
    relationship.showing_reblogs = known.reblogs
    relationship.notifying = known.notify
    relationship.languages = orjson.loads(known.languages) or None
