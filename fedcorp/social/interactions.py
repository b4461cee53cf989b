"""What people do with statuses of others: boost, favourite, bookmark; and pin or mute. Every verb may be repeated.

Who reacts with an emoji (`reactions`) counts among those who favourited, by a row that is `implied`, once and for as
long as one of the reactions stands; such a row is no favourite that its person could take back.
"""

from contextlib import suppress

import sqlalchemy as sa

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import accounts, counts, leaves, policy, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import (
    StatusFavourited,
    StatusPinned,
    StatusReblogged,
    StatusUnfavourited,
    StatusUnreblogged,
)
from fedcorp.social.statuses import Status
from fedcorp.social.visibility import visible
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import bookmarks, favourites, status_reactions, thread_mutes, undone
from fedcorp.storage.tables import statuses as table
from fedcorp.storage.upsert import insert_ignore

MAX_PINS = 5
AGAINST = "\U0001f44e"
"""Thumbs down, of any colour: the one reaction that counts as no favourite."""


_REBLOG = sa.select(table.c.id).where(
    table.c.reblog_of_id == sa.bindparam("status"),
    table.c.account_id == sa.bindparam("account"),
    table.c.deleted_at.is_(None),
)


def find_reblog(tx: Tx, account_id: int, status_id: int) -> Status | None:
    """The boost of a status by this account."""
    found = tx.conn.execute(_REBLOG, {"status": status_id, "account": account_id}).scalar()
    return statuses.find(tx, found) if found is not None else None


def reblog(
    tx: Tx,
    account: Account,
    original: Status,
    *,
    visibility: str = "public",
    uri: str | None = None,
    at: int | None = None,
    quiet: bool = False,
) -> Status:
    """Boost a status that the caller has found visible. `uri` and `at` (ms) are those of an Announce from elsewhere;
    `quiet`: it is history of a group, of which nobody is told.

    Returns the wrapper. Raises Unprocessable when the original may not be passed on.
    """
    known = find_reblog(tx, account.id, original.id)
    if known is not None:
        return known
    if not account.is_group and not policy.may_reblog(
        visibility=original.visibility, own=original.account_id == account.id
    ):
        raise Unprocessable("This post cannot be boosted: its author limited who may see it.")
    is_ours = account.local and not account.is_group
    waits = is_ours and leaves.must_wait(tx, original, account, policy.ANNOUNCE)
    if waits:
        leaves.check_can_be_asked(tx, original, original.reach)
    written = policy.stricter(visibility, original.visibility)
    id_ = tx.new_id() if at is None else statuses.id_at(tx, max(min(at, tx.ms), tx.ms - 30 * 86_400_000))
    wrapper = statuses.insert(
        tx, id=id_, uri=uri or tx.site.urls.activity(id_), url=original.url, origin=account.origin, local=account.local,
        account_id=account.id, reblog_of_id=original.id, thread_id=id_,
        group_id=account.id if account.is_group else original.group_id,
        visibility=policy.WAITING if waits else written, reach=original.reach,
        created_at=tx.ms if at is None else at,
    )  # fmt: skip
    if waits:
        leaves.ask(tx, wrapper, written)
        return wrapper
    if not account.is_group:  # a group that passes on what its members write is not a person who recommends it
        statuses.change_count(tx, original.id, "reblogs_count", 1)
        if not account.local and at is not None:
            counts.know_reblog(tx, original, at)
    tx.record(StatusReblogged(id_, original.id, quiet))
    return wrapper


def release(tx: Tx, wrapper: Status, stamp_uri: str, stamp_type: str) -> bool:
    """The author of what somebody here boosts gives leave, which stands at `stamp_uri`. Says whether it waited."""
    shown = leaves.grant(tx, wrapper, stamp_uri, stamp_type)
    if shown is None or shown.reblog_of_id is None:
        return False
    statuses.change_count(tx, shown.reblog_of_id, "reblogs_count", 1)
    tx.record(StatusReblogged(shown.id, shown.reblog_of_id))
    return True


def unreblog(tx: Tx, account: Account, status_id: int) -> None:
    """Take a boost back. Nothing happens when there is none."""
    known = find_reblog(tx, account.id, status_id)
    if known is None:
        return
    tx.conn.execute(sa.update(table).where(table.c.id == known.id).values(deleted_at=tx.ms, version=known.version + 1))
    if policy.is_counted(known.visibility):
        accounts.count_statuses(tx, account.id, -1)
    if not account.is_group and known.visibility != policy.WAITING:
        statuses.change_count(tx, status_id, "reblogs_count", -1)
    tx.record(StatusUnreblogged(known.id, status_id, account.id))


def favourite(tx: Tx, account: Account, status: Status, *, uri: str | None = None, beside: bool = False) -> None:
    """Favourite a visible status; `uri` is that of a Like from elsewhere, which takes the place of an earlier one.

    One `beside` others (a reaction of which nobody can say what it shows) takes no place: it counts only when there is
    no other. Raises Unprocessable when the author does not want it of somebody here.
    """
    if account.local and not status.local and not is_counted(tx, account.id, status.id):
        leaves.must_wait(tx, status, account, policy.LIKE)  # nobody else hears of it, so it need not wait
    if uri is not None and is_undone(tx, uri):
        return
    own_uri = uri or tx.site.urls.activity(tx.new_id())
    if _count(tx, account.id, status.id, own_uri, implied=False):
        tx.record(StatusFavourited(account.id, status.id, own_uri))
        return
    mine = _between(account.id, status.id)
    known = sa.update(favourites).where(mine, favourites.c.implied)
    if tx.conn.execute(known.values(implied=False, uri=own_uri)).rowcount:
        tx.record(StatusFavourited(account.id, status.id, own_uri))
    elif uri is not None and not beside:
        tx.conn.execute(sa.update(favourites).where(mine).values(uri=uri))


def _between(account_id: int, status_id: int) -> "sa.ColumnElement[bool]":
    return sa.and_(favourites.c.account_id == account_id, favourites.c.status_id == status_id)


def _count(tx: Tx, account_id: int, status_id: int, uri: str, *, implied: bool) -> bool:
    """Count somebody among those who favourited; False when they are among them already."""
    values = {"id": tx.new_id(), "account_id": account_id, "status_id": status_id, "uri": uri, "implied": implied}
    counted = insert_ignore(tx, favourites, created_at=tx.ms, **values)
    if counted:
        statuses.change_count(tx, status_id, "favourites_count", 1)
    return counted


def imply(tx: Tx, account_id: int, status_id: int) -> None:
    """Somebody reacted, which counts as much as a favourite."""
    _count(tx, account_id, status_id, "", implied=True)


def imply_no_more(tx: Tx, account_id: int, status_id: int) -> None:
    """None of their reactions that count stands any more; a favourite does."""
    gone = sa.delete(favourites).where(_between(account_id, status_id), favourites.c.implied)
    if tx.conn.execute(gone).rowcount:
        statuses.change_count(tx, status_id, "favourites_count", -1)


def is_counted(tx: Tx, account_id: int, status_id: int) -> bool:
    """Whether somebody favourited a status, or reacted to it as well as if they had."""
    return tx.conn.execute(sa.select(favourites.c.id).where(_between(account_id, status_id))).first() is not None


def is_undone(tx: Tx, uri: str) -> bool:
    """Whether the Undo of this activity came before the activity itself."""
    return tx.conn.execute(sa.select(undone.c.uri).where(undone.c.uri == uri)).first() is not None


def unfavourite(tx: Tx, account: Account, status_id: int) -> None:
    """Take a favourite back. Nothing happens when there is none."""
    mine = _between(account.id, status_id)
    uri = tx.conn.execute(sa.select(favourites.c.uri).where(mine, ~favourites.c.implied)).scalar()
    if uri is None:
        return
    if tx.conn.execute(_IMPLYING, {"account": account.id, "status": status_id}).first() is not None:
        tx.conn.execute(sa.update(favourites).where(mine).values(implied=True, uri=""))
    else:
        tx.conn.execute(sa.delete(favourites).where(mine))
        statuses.change_count(tx, status_id, "favourites_count", -1)
    tx.record(StatusUnfavourited(account.id, status_id, uri))


_IMPLYING = sa.select(status_reactions.c.id).where(
    status_reactions.c.account_id == sa.bindparam("account"), status_reactions.c.status_id == sa.bindparam("status"),
    ~status_reactions.c.name.startswith(AGAINST),
).limit(1)  # fmt: skip


def bookmark(tx: Tx, account_id: int, status_id: int) -> None:
    """Keep a status for oneself."""
    insert_ignore(tx, bookmarks, id=tx.new_id(), account_id=account_id, status_id=status_id, created_at=tx.ms)


def unbookmark(tx: Tx, account_id: int, status_id: int) -> None:
    """Drop a bookmark."""
    tx.conn.execute(
        sa.delete(bookmarks).where(bookmarks.c.account_id == account_id, bookmarks.c.status_id == status_id)
    )


def pin(tx: Tx, account: Account, status: Status) -> None:
    """Show an own status first on the profile. Raises Unprocessable for others' statuses, boosts and too many pins."""
    if status.account_id != account.id:
        raise Unprocessable("Validation failed: Someone else's post cannot be pinned")
    if status.reblog_of_id is not None or status.visibility in ("direct", policy.WAITING):
        raise Unprocessable("Validation failed: a boost, a direct message or what waits for leave cannot be pinned")
    if status.pinned_at is not None:
        return
    pinned = sa.select(sa.func.count()).where(table.c.account_id == account.id, table.c.pinned_at.is_not(None))
    if tx.conn.execute(pinned).scalar_one() >= MAX_PINS:
        raise Unprocessable("Validation failed: You have already pinned the maximum number of posts")
    tx.conn.execute(sa.update(table).where(table.c.id == status.id).values(pinned_at=tx.ms))
    tx.record(StatusPinned(account.id, status.id, pinned=True))


def unpin(tx: Tx, account: Account, status: Status) -> None:
    """Stop showing an own status first."""
    if status.account_id != account.id:
        raise NotFound
    if status.pinned_at is not None:
        tx.conn.execute(sa.update(table).where(table.c.id == status.id).values(pinned_at=None))
        tx.record(StatusPinned(account.id, status.id, pinned=False))


def pins(tx: Tx, account_id: int, viewer_id: int) -> dict[int, int]:
    """When (ms) an account pinned its posts, by id, as far as a local viewer may see them."""
    statement = sa.select(table.c.id, table.c.pinned_at).where(
        table.c.account_id == account_id, table.c.pinned_at.is_not(None), visible(table, viewer_id)
    )
    return {row[0]: row[1] for row in tx.conn.execute(statement)}


def keep_pins(tx: Tx, account: Account, listed: list[Status], before: dict[int, int], *, whole: bool) -> None:
    """Pin what the server of an account lists, the first last, and unpin what it lists no more when it listed all.

    `before`: what was pinned when it was asked; what has changed since then is newer than the list, and stays.
    """
    kept = {status.id for status in listed}
    for id_ in before.keys() - kept if whole else ():
        status = statuses.find(tx, id_)
        if status is not None and status.pinned_at == before[id_]:
            unpin(tx, account, status)
    for status in reversed(listed):
        if status.pinned_at is None and status.id not in before:
            with suppress(Unprocessable):
                pin(tx, account, status)


def mute_thread(tx: Tx, account_id: int, thread_id: int) -> None:
    """No more notifications from this thread."""
    insert_ignore(tx, thread_mutes, account_id=account_id, thread_id=thread_id, created_at=tx.ms)


def unmute_thread(tx: Tx, account_id: int, thread_id: int) -> None:
    """Notifications from this thread again."""
    tx.conn.execute(
        sa.delete(thread_mutes).where(thread_mutes.c.account_id == account_id, thread_mutes.c.thread_id == thread_id)
    )
