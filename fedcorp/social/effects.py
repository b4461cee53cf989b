"""What follows from what happened: home rows, group announcements, notifications, streams, work for the outbox.

One of the three switchboards of the house. Runs inside the unit that recorded the event, so all of it commits or none.
"""

from collections.abc import Callable
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from fedcorp.social import (
    accounts,
    cards,
    collections,
    conversations,
    events,
    follows,
    group_effects,
    group_posts,
    groups,
    indexing,
    interactions,
    memberships,
    notifications,
    policy,
    polls,
    push,
    quotes,
    reactions,
    relay,
    statuses,
    stewardship,
)
from fedcorp.social.accounts import Account
from fedcorp.social.events import Event
from fedcorp.social.reactions import Kind
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import events as events_table
from fedcorp.storage.tables import favourites, followed_tags, group_lists, home, mentions, status_tags, streams
from fedcorp.storage.tables import follows as follows_table
from fedcorp.storage.tables import notifications as notifications_table
from fedcorp.storage.tables import statuses as statuses_table
from fedcorp.storage.upsert import insert_ignore

BACKFILL = 40  # statuses of a newly followed account that are put into the home timeline


def apply(tx: Tx, event: Event) -> None:
    """Write the effects of one event. It is kept before what follows from it, so that others hear of it first."""
    if event.federated and _is_ours_to_tell(tx, event):
        keep(tx, event)
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        handler(tx, event)


def keep(tx: Tx, event: Event) -> None:
    """Keep an event for the outbox. A tally that is already waiting to be told is not kept twice."""
    values = {"kind": event.kind, "payload": orjson.dumps(event.payload()).decode()}
    if isinstance(event, events.PollChanged) and tx.conn.execute(_WAITING, values).first():
        return
    tx.conn.execute(_KEEP, {**values, "created_at": tx.ms})
    tx.wake("events")


_KEEP = sa.insert(events_table)
_WAITING = sa.select(events_table.c.seq).where(
    events_table.c.kind == sa.bindparam("kind"), events_table.c.payload == sa.bindparam("payload")
)
_STREAM = sa.insert(streams)


def stream(tx: Tx, kind: str, *, status_id: int | None = None, account_id: int | None = None) -> None:
    """Tell those who listen, after COMMIT."""
    tx.conn.execute(
        _STREAM,
        {"kind": kind, "status_id": status_id, "account_id": account_id, "notification_seq": None, "created_at": tx.ms},
    )
    tx.wake("streams")


def _is_ours_to_tell(tx: Tx, event: Event) -> bool:
    """Whether the account that acted is local. Answers to a follow are the target's to tell."""
    match event:
        case events.FollowAccepted() | events.FollowRejected():
            acting = event.target_id
        case events.FollowRequested() | events.Unfollowed():
            acting = event.follower_id
        case events.StatusReblogged():
            return _status_is_local(tx, event.reblog_id)
        case (
            events.StatusPublished()
            | events.StatusEdited()
            | events.StatusDeleted()
            | events.PollChanged()
            | events.QuoteChanged()
            | events.QuotePolicyChanged()
        ):
            return _status_is_local(tx, event.status_id)
        case events.ActivityForGroup() | events.GroupWished():
            return True
        case (
            events.GroupPosted()
            | events.MemberChanged()
            | events.PostJudged()
            | events.GroupChanged()
            | events.Invited()
            | events.InvitationEnded()
        ):
            acting = event.group_id
        case _:
            acting = event.account_id  # type: ignore[attr-defined]
    return bool(tx.conn.execute(_IS_LOCAL, {"id": acting}).scalar())


_IS_LOCAL = sa.select(accounts_table.c.local).where(accounts_table.c.id == sa.bindparam("id"))


def _status_is_local(tx: Tx, status_id: int) -> bool:
    status = statuses.find(tx, status_id)
    return status is not None and status.local


# -- statuses --------------------------------------------------------------------------------------------------------

_FOLLOWER = sa.alias(follows_table)
_REPLIED = sa.alias(follows_table)
_AUTHOR: Any = sa.bindparam("author")
_ENTRY: Any = sa.bindparam("entry")
_STATUS: Any = sa.bindparam("status")


def _home_rows(condition: "sa.ColumnElement[bool]") -> Any:
    """Local accepted followers of the author that `condition` lets through, as rows of `home`. Those elsewhere are not
    even looked at: there may be thousands."""
    return (
        sa.select(_FOLLOWER.c.follower_id, sa.cast(_ENTRY, sa.BigInteger), sa.cast(_STATUS, sa.BigInteger))
        .where(_FOLLOWER.c.target_id == _AUTHOR, _FOLLOWER.c.origin == sa.bindparam("here"))
        .where(_FOLLOWER.c.state == "accepted", condition)
    )


_ALL = _home_rows(sa.true())
_WANTING_REBLOGS = _home_rows(
    sa.and_(
        sa.or_(_FOLLOWER.c.reblogs, _FOLLOWER.c.follower_id == sa.bindparam("group")),
        _FOLLOWER.c.follower_id.not_in(
            sa.select(group_lists.c.account_id).where(group_lists.c.group_id == _AUTHOR, group_lists.c.exclusive)
        ),
    )
)
_KNOWING_BOTH = _home_rows(  # a reply goes to those who also follow whom it answers, or are answered
    sa.or_(
        _FOLLOWER.c.follower_id == sa.bindparam("answered"),
        sa.exists().where(
            _REPLIED.c.follower_id == _FOLLOWER.c.follower_id,
            _REPLIED.c.target_id == sa.bindparam("answered"),
            _REPLIED.c.state == "accepted",
        ),
    )
)
_ADDRESSED = _home_rows(
    sa.exists().where(mentions.c.status_id == _STATUS, mentions.c.account_id == _FOLLOWER.c.follower_id)
)
_TAG_FOLLOWERS = (
    sa.select(followed_tags.c.account_id, sa.cast(_ENTRY, sa.BigInteger), sa.cast(_STATUS, sa.BigInteger))
    .join(status_tags, status_tags.c.name == followed_tags.c.name)
    .where(status_tags.c.status_id == _STATUS)
    .distinct()
)


def _fan_out(tx: Tx, rows: Any, **values: int) -> None:
    tx.conn.execute(_insert_rows(tx.dialect, rows), {**values, "here": tx.site.urls.origin})


_STATEMENTS: dict[tuple[str, int], Any] = {}


def _insert_rows(dialect: str, rows: Any) -> Any:
    """INSERT ... SELECT that leaves out what is already there; built once for each statement and database."""
    key = (dialect, id(rows))
    if key not in _STATEMENTS:
        module: Any = sqlite if dialect == "sqlite" else postgresql
        _STATEMENTS[key] = (
            module.insert(home).from_select(["account_id", "entry_id", "status_id"], rows).on_conflict_do_nothing()
        )
    return _STATEMENTS[key]


def _published(tx: Tx, event: events.StatusPublished) -> None:
    status = statuses.get(tx, event.status_id)
    author = accounts.find(tx, status.account_id)
    assert author is not None
    mentions = statuses.mentions_of(tx, status.id)
    _to_homes(tx, status, author)
    _to_groups(tx, status, author, {account_id for account_id, _ in mentions})
    if status.visibility == "direct":
        conversations.arrived(tx, status.thread_id, status.id)
    indexing.write(tx, status)
    cards.ask(tx, status)
    stream(tx, "update", status_id=status.id)
    if not event.quiet:
        named = [id_ for id_, silent in mentions if not silent or id_ == status.in_reply_to_account_id]
        _notify_of_status(tx, status, author, named)
        _notify_of_quote(tx, status)


def _leave_asked(tx: Tx, event: events.LeaveAsked) -> None:
    """What waits is nobody's but its author's."""
    status = statuses.get(tx, event.status_id)
    if status.reblog_of_id is None:
        insert_ignore(tx, home, account_id=status.account_id, entry_id=status.id, status_id=status.id)
        indexing.write(tx, status)
        stream(tx, "update", status_id=status.id)


def _leave_withdrawn(tx: Tx, event: events.LeaveWithdrawn) -> None:
    """It goes from where others have it; its author keeps it."""
    status = statuses.get(tx, event.status_id)
    elsewhere = sa.and_(home.c.status_id == status.id, home.c.account_id != status.account_id)
    for holder_id in tx.conn.execute(sa.select(home.c.account_id).where(elsewhere)).scalars().all():
        stream(tx, "delete", status_id=status.id, account_id=holder_id)
    tx.conn.execute(sa.delete(home).where(elsewhere))
    tx.conn.execute(sa.delete(notifications_table).where(notifications_table.c.status_id == status.id))
    indexing.write(tx, status)
    stream(tx, "status.update", status_id=status.id)


def _to_homes(tx: Tx, status: Status, author: Account) -> None:
    values = {"author": author.id, "entry": status.id, "status": status.id}
    if author.local:
        insert_ignore(tx, home, account_id=author.id, entry_id=status.id, status_id=status.id)
    if status.visibility == policy.GROUP:
        return  # members get it when the group passes it on
    if status.visibility == "direct":
        _fan_out(tx, _ADDRESSED, **values)
    elif status.in_reply_to_uri is None or status.in_reply_to_account_id == author.id:
        _fan_out(tx, _ALL, **values)
    else:
        _fan_out(tx, _KNOWING_BOTH, answered=status.in_reply_to_account_id or 0, **values)
    if status.visibility == "public" and author.silenced_at is None and statuses.tags_of(tx, status.id):
        _fan_out(tx, _TAG_FOLLOWERS, entry=status.id, status=status.id)


def _to_groups(tx: Tx, status: Status, author: Account, mentioned: set[int]) -> None:
    """Local groups that the status is addressed to, or whose thread it continues, take it or leave it.

    What somebody writes to a group alone is for its moderators.
    """
    if author.is_group:
        if status.visibility == policy.GROUP and status.group_id == author.id:  # its own word to its members
            group_posts.distribute(tx, author, status)
        return
    addressed = mentioned | ({status.group_id} - {None})
    for account in accounts.find_many(tx, addressed).values():  # type: ignore[arg-type]
        if not account.is_group or not account.local or account.hidden:
            continue
        if status.visibility == "direct":
            group_effects.written_to_moderators(tx, account, status, author)
        elif status.visibility != "private" or relay.is_relayed(tx, account, status, author):
            group_posts.submit(tx, account, status, author)


def _notify_of_status(tx: Tx, status: Status, author: Account, named: list[int]) -> None:
    """`named` are also those who are answered and addressed without a tag, as a post of WordPress answers."""
    for account_id in named:
        cause = f"mention:{status.id}"
        notifications.notify(
            tx, account_id=account_id, kind="mention", from_id=author.id, status_id=status.id, cause=cause
        )
    if status.visibility not in ("direct", policy.GROUP):
        _ring(tx, author.id, author.id, status)


_WANTING_BELL = sa.select(follows_table.c.follower_id).where(
    follows_table.c.target_id == sa.bindparam("target"), follows_table.c.origin == sa.bindparam("here"),
    follows_table.c.state == "accepted", follows_table.c.notify,
)  # fmt: skip


def _ring(tx: Tx, followed_id: int, author_id: int, status: Status) -> None:
    """Those who switched the bell on for an account (or a group) hear of a new status that starts a thread."""
    if status.in_reply_to_id is not None or status.in_reply_to_uri is not None:
        return
    values = {"target": followed_id, "here": tx.site.urls.origin}
    for account_id in list(tx.conn.execute(_WANTING_BELL, values).scalars()):
        cause = f"status:{status.id}"
        notifications.notify(
            tx, account_id=account_id, kind="status", from_id=author_id, status_id=status.id, cause=cause
        )


def _notify_of_quote(tx: Tx, status: Status) -> None:
    """Who is quoted with their leave hears of it, here."""
    author_id = statuses.author_id(tx, status.quoted_id) if status.quoted_id is not None else None
    if author_id is not None and status.quote_state == quotes.ACCEPTED:
        notifications.notify(
            tx, account_id=author_id, kind="quote", from_id=status.account_id, status_id=status.id,
            cause=f"quote:{status.id}",
        )  # fmt: skip


def _quote_changed(tx: Tx, event: events.QuoteChanged) -> None:
    status = statuses.get(tx, event.status_id)
    stream(tx, "status.update", status_id=status.id)
    if event.state == quotes.ACCEPTED:
        _notify_of_quote(tx, status)
    elif status.quoted_id is not None:
        _forget(tx, statuses.author_id(tx, status.quoted_id), f"quote:{status.id}")


def _quote_policy_changed(tx: Tx, event: events.QuotePolicyChanged) -> None:
    stream(tx, "status.update", status_id=event.status_id)


_QUOTING = sa.select(statuses_table.c.id, statuses_table.c.account_id).where(
    statuses_table.c.quoted_id == _STATUS, statuses_table.c.quote_state == quotes.ACCEPTED,
    statuses_table.c.deleted_at.is_(None),
)  # fmt: skip


def _notify_quoters(tx: Tx, status: Status) -> None:
    """Who quotes a post hears when it is edited; shown is their own post."""
    for quoting_id, account_id in tx.conn.execute(_QUOTING, {"status": status.id}).all():
        notifications.notify(
            tx, account_id=account_id, kind="quoted_update", from_id=status.account_id, status_id=quoting_id,
            cause=f"quoted_update:{quoting_id}:{status.edited_at}",
        )  # fmt: skip


_INTERESTED = sa.select(accounts_table.c.id).where(  # of whom some thousands may live elsewhere
    accounts_table.c.local,
    accounts_table.c.id.in_(
        sa.union(
            sa.select(statuses_table.c.account_id).where(
                statuses_table.c.reblog_of_id == _STATUS, statuses_table.c.deleted_at.is_(None)
            ),
            sa.select(favourites.c.account_id).where(favourites.c.status_id == _STATUS),
        )
    ),
)


def _edited(tx: Tx, event: events.StatusEdited) -> None:
    status = statuses.get(tx, event.status_id)
    indexing.write(tx, status)
    cards.ask(tx, status)
    stream(tx, "status.update", status_id=status.id)
    relay.edited(tx, status)
    for account_id in list(tx.conn.execute(_INTERESTED, {"status": status.id}).scalars()):
        cause = f"update:{status.id}:{status.edited_at}"
        notifications.notify(
            tx, account_id=account_id, kind="update", from_id=status.account_id, status_id=status.id, cause=cause
        )
    _notify_quoters(tx, status)


def _deleted(tx: Tx, event: events.StatusDeleted) -> None:
    tx.conn.execute(sa.delete(home).where(home.c.status_id == event.status_id))
    tx.conn.execute(sa.delete(notifications_table).where(notifications_table.c.status_id == event.status_id))
    indexing.forget(tx, event.status_id)
    reactions.forget_status(tx, event.status_id)
    stream(tx, "delete", status_id=event.status_id)
    for quoting_id, _ in tx.conn.execute(_QUOTING, {"status": event.status_id}).all():
        stream(tx, "status.update", status_id=quoting_id)
    relay.deleted(tx, event.status_id)


def _relays(tx: Tx, event: events.GroupRelays) -> None:
    relay.pass_on(tx, event.group_id, event.status_id)


def _reblogged(tx: Tx, event: events.StatusReblogged) -> None:
    wrapper, original = statuses.get(tx, event.reblog_id), statuses.get(tx, event.status_id)
    account = accounts.find(tx, wrapper.account_id)
    assert account is not None
    if account.is_group:
        _reblogged_by_group(tx, account, wrapper, original, quiet=event.quiet)
        return
    if account.local:
        insert_ignore(tx, home, account_id=account.id, entry_id=wrapper.id, status_id=original.id)
    _fan_out(tx, _WANTING_REBLOGS, author=account.id, entry=wrapper.id, status=original.id, group=0)
    stream(tx, "update", status_id=wrapper.id)
    notifications.notify(
        tx, account_id=original.account_id, kind="reblog", from_id=account.id, status_id=original.id,
        cause=f"reblog:{account.id}:{original.id}",
    )  # fmt: skip


def _reblogged_by_group(tx: Tx, account: Account, wrapper: Status, original: Status, *, quiet: bool) -> None:
    """Members see what starts a thread at home; replies stand in the list of the group. Nobody is told of a boost."""
    if original.group_id is None:
        tx.conn.execute(sa.update(statuses_table).where(statuses_table.c.id == original.id).values(group_id=account.id))
    if original.in_reply_to_id is None and original.in_reply_to_uri is None:
        _fan_out(tx, _WANTING_REBLOGS, author=account.id, entry=wrapper.id, status=original.id, group=account.id)
    if not quiet:
        stream(tx, "update", status_id=wrapper.id)
        _ring(tx, account.id, original.account_id, original)


def _unreblogged(tx: Tx, event: events.StatusUnreblogged) -> None:
    account = accounts.find(tx, event.account_id)
    if account is not None and account.is_group:  # who could read it followed from the group, which has let go of it
        holders = sa.select(home.c.account_id).where(home.c.entry_id == event.reblog_id)
        for holder_id in tx.conn.execute(holders).scalars().all():
            stream(tx, "delete", status_id=event.reblog_id, account_id=holder_id)
        stream(tx, "delete", status_id=event.status_id, account_id=account.id)
    else:
        stream(tx, "delete", status_id=event.reblog_id)
    tx.conn.execute(sa.delete(home).where(home.c.entry_id == event.reblog_id))
    _forget(tx, statuses.author_id(tx, event.status_id), f"reblog:{event.account_id}:{event.status_id}")


def _favourited(tx: Tx, event: "events.StatusFavourited | events.StatusReacted") -> None:
    """A favourite and every reaction that counts as one are told as one: many apps know no other."""
    if isinstance(event, events.StatusReacted) and not Kind(event.name, event.domain).counts:
        return
    author_id = statuses.get(tx, event.status_id).account_id
    notifications.notify(
        tx, account_id=author_id, kind="favourite", from_id=event.account_id, status_id=event.status_id,
        cause=f"favourite:{event.account_id}:{event.status_id}",
    )  # fmt: skip


def _unfavourited(tx: Tx, event: "events.StatusUnfavourited | events.StatusUnreacted") -> None:
    if not interactions.is_counted(tx, event.account_id, event.status_id):
        _forget(tx, statuses.author_id(tx, event.status_id), f"favourite:{event.account_id}:{event.status_id}")


_FORGET = sa.delete(notifications_table).where(
    notifications_table.c.account_id == sa.bindparam("whose"), notifications_table.c.cause == sa.bindparam("cause")
)


def _forget(tx: Tx, account_id: int | None, cause: str) -> None:
    """What somebody was told of is no longer so."""
    tx.conn.execute(_FORGET, {"whose": account_id, "cause": cause})


def _poll_changed(tx: Tx, event: events.PollChanged) -> None:
    tx.conn.execute(
        sa.update(statuses_table)
        .where(statuses_table.c.id == event.status_id)
        .values(version=statuses_table.c.version + 1)
    )
    stream(tx, "status.update", status_id=event.status_id)
    if event.closed:
        author_id = statuses.get(tx, event.status_id).account_id
        for account_id in {author_id, *polls.participants(tx, event.poll_id)}:
            notifications.notify(
                tx,
                account_id=account_id,
                kind="poll",
                from_id=author_id,
                status_id=event.status_id,
                cause=f"poll:{event.poll_id}",
            )


_FollowEvent = events.FollowRequested | events.FollowAccepted | events.FollowRejected | events.Unfollowed

# -- follows and memberships -----------------------------------------------------------------------------------------


def _follow_requested(tx: Tx, event: events.FollowRequested) -> None:
    if event.state != "pending":
        return
    if groups.find(tx, event.target_id) is not None:
        asked = follows.find(tx, event.follower_id, event.target_id)
        group_effects.asked_to_join(tx, event.target_id, event.follower_id, asked.message if asked else "")
        return
    notifications.notify(
        tx, account_id=event.target_id, kind="follow_request", from_id=event.follower_id, cause=_request_cause(event)
    )


def _follow_accepted(tx: Tx, event: events.FollowAccepted) -> None:
    target = accounts.find(tx, event.target_id)
    follower = accounts.find(tx, event.follower_id)
    assert target is not None
    assert follower is not None
    _forget(tx, event.target_id, _request_cause(event))
    if target.is_group:
        memberships.add(tx, target.id, follower.id)
    else:
        notifications.notify(
            tx, account_id=target.id, kind="follow", from_id=follower.id, cause=f"follow:{follower.id}"
        )
    if follower.local:
        _backfill(tx, follower.id, target.id)


def _request_cause(event: _FollowEvent) -> str:
    return f"follow_request:{event.follower_id}:{event.target_id}"


def _backfill(tx: Tx, follower_id: int, target_id: int) -> None:
    """Put what the account wrote lately into the home timeline of its new follower."""
    latest = (
        sa.select(statuses_table.c.id, sa.func.coalesce(statuses_table.c.reblog_of_id, statuses_table.c.id))
        .where(statuses_table.c.account_id == target_id, statuses_table.c.deleted_at.is_(None))
        .where(statuses_table.c.visibility.not_in(("direct", policy.WAITING)))
        .where(statuses_table.c.in_reply_to_uri.is_(None))
        .order_by(statuses_table.c.id.desc())
        .limit(BACKFILL)
    )
    for entry_id, status_id in list(tx.conn.execute(latest)):
        insert_ignore(tx, home, account_id=follower_id, entry_id=entry_id, status_id=status_id)


def _follow_ended(tx: Tx, event: "events.FollowRejected | events.Unfollowed") -> None:
    memberships.remove(tx, event.target_id, event.follower_id, actor_id=event.follower_id)
    is_group = groups.find(tx, event.target_id) is not None  # a person who refuses writes nothing
    if is_group and isinstance(event, events.FollowRejected) and event.was == "pending":
        group_effects.refused(tx, event.target_id, event.follower_id, event.reason)
    _forget(tx, event.target_id, _request_cause(event))
    theirs = sa.select(statuses_table.c.id).where(statuses_table.c.account_id == event.target_id)
    tx.conn.execute(sa.delete(home).where(home.c.account_id == event.follower_id, home.c.entry_id.in_(theirs)))


# -- accounts --------------------------------------------------------------------------------------------------------


def _account_deleted(tx: Tx, event: events.AccountDeleted) -> None:
    """Everything that others see of the account goes at once."""
    id_ = event.account_id
    theirs = sa.select(statuses_table.c.id).where(statuses_table.c.account_id == id_)
    tx.conn.execute(sa.delete(home).where(sa.or_(home.c.account_id == id_, home.c.entry_id.in_(theirs))))
    tx.conn.execute(sa.delete(notifications_table).where(notifications_table.c.from_account_id == id_))
    for row in list(tx.conn.execute(sa.select(follows_table).where(follows_table.c.follower_id == id_))):
        _uncount(tx, row.target_id, "followers_count", row.state)
    for group_id in memberships.joined(tx, id_):
        stewardship.succeed(tx, group_id, id_)
    counted = follows.is_counted(tx, id_)
    for row in list(tx.conn.execute(sa.select(follows_table).where(follows_table.c.target_id == id_))):
        _uncount(tx, row.follower_id, "following_count", row.state if counted else "")
    for part in statuses.PARTS:
        tx.conn.execute(sa.delete(part).where(part.c.status_id.in_(theirs)))
    tx.conn.execute(
        sa.update(statuses_table)
        .where(statuses_table.c.account_id == id_, statuses_table.c.deleted_at.is_(None))
        .values(deleted_at=tx.ms, content="", text="", spoiler_text="")
    )
    collections.forget_account(tx, id_)
    indexing.forget_all(tx, id_)
    reactions.forget_account(tx, id_)
    push.forget_account(tx, id_)
    stream(tx, "closed", account_id=id_)


def _account_closed(tx: Tx, event: events.AccountSuspended | events.AccountDisabled) -> None:
    """Its streams and subscriptions end; everything else asks for `suspended_at` or `disabled_at` when it reads."""
    push.forget_account(tx, event.account_id)
    stream(tx, "closed", account_id=event.account_id)


def _uncount(tx: Tx, account_id: int, name: str, state: str) -> None:
    if state == "accepted":
        column = accounts_table.c[name]
        tx.conn.execute(sa.update(accounts_table).where(accounts_table.c.id == account_id).values({name: column - 1}))


# -- collections -----------------------------------------------------------------------------------------------------


def _added_to_collection(tx: Tx, event: events.AddedToCollection) -> None:
    """Whom a collection shows hears of it, and may leave."""
    notifications.notify(
        tx, account_id=event.target_id, kind=notifications.ADDED, from_id=event.account_id,
        collection_id=event.collection_id, cause=f"{notifications.ADDED}:{event.item_id}",
    )  # fmt: skip


def _collection_updated(tx: Tx, event: events.CollectionUpdated) -> None:
    """Under another name one may want to be shown no longer. Only the latest change is told."""
    for item in collections.shown_locals(tx, event.collection_id):
        _forget_collection(tx, item.account_id, event.collection_id, notifications.CHANGED)
        notifications.notify(
            tx, account_id=item.account_id, kind=notifications.CHANGED, from_id=event.account_id,
            collection_id=event.collection_id, cause=f"{notifications.CHANGED}:{item.id}:{tx.ms}",
        )  # fmt: skip


def _removed_from_collection(tx: Tx, event: events.RemovedFromCollection) -> None:
    _forget_collection(tx, event.target_id, event.collection_id, notifications.ADDED, notifications.CHANGED)


def _forget_collection(tx: Tx, account_id: int, collection_id: int, *kinds: str) -> None:
    told = notifications_table.c
    about = sa.and_(told.account_id == account_id, told.collection_id == collection_id, told.kind.in_(kinds))
    tx.conn.execute(sa.delete(notifications_table).where(about))


_HANDLERS: dict[type[Event], Callable[[Tx, Any], None]] = {
    events.StatusPublished: _published,
    events.StatusEdited: _edited,
    events.StatusDeleted: _deleted,
    events.LeaveAsked: _leave_asked,
    events.LeaveWithdrawn: _leave_withdrawn,
    events.GroupRelays: _relays,
    events.StatusReblogged: _reblogged,
    events.StatusUnreblogged: _unreblogged,
    events.StatusFavourited: _favourited,
    events.StatusUnfavourited: _unfavourited,
    events.StatusReacted: _favourited,
    events.StatusUnreacted: _unfavourited,
    events.QuoteChanged: _quote_changed,
    events.QuotePolicyChanged: _quote_policy_changed,
    events.PollChanged: _poll_changed,
    events.FollowRequested: _follow_requested,
    events.FollowAccepted: _follow_accepted,
    events.FollowRejected: _follow_ended,
    events.Unfollowed: _follow_ended,
    events.AccountDeleted: _account_deleted,
    events.AccountSuspended: _account_closed,
    events.AccountDisabled: _account_closed,
    events.MemberChanged: group_effects.member_changed,
    events.PostJudged: group_effects.post_judged,
    events.GroupChanged: group_effects.group_changed,
    events.Invited: group_effects.invited,
    events.InvitationEnded: group_effects.invitation_ended,
    events.Reported: group_effects.reported,
    events.ReportResolved: group_effects.report_resolved,
    events.AddedToCollection: _added_to_collection,
    events.RemovedFromCollection: _removed_from_collection,
    events.CollectionUpdated: _collection_updated,
}
