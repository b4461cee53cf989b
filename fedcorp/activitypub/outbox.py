"""Turns what happened into signed activities in the ordered logs of the peers that must hear of it.

Runs inside one unit: events are taken in order and leave the table in the transaction that writes their activities, so
a stopped process neither loses nor repeats any. No network here: `delivery` sends.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.activitypub import audience, render
from fedcorp.activitypub.audience import Destination
from fedcorp.activitypub.proofs import add_proof
from fedcorp.activitypub.vocabulary import PUBLIC
from fedcorp.clock import from_ms
from fedcorp.company import peers as company_peers
from fedcorp.errors import FedcorpError
from fedcorp.keys import load_private
from fedcorp.social import accounts, events, polls, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import Event
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import activities, audit, deliveries, inbox, peers
from fedcorp.storage.tables import events as events_table

log = logging.getLogger(__name__)

BATCH = 50
UPDATE_REACH = "public"  # profiles are shown wherever their statuses may be

_DUE = sa.select(events_table).order_by(events_table.c.seq).limit(sa.bindparam("most")).with_for_update()
_DONE = sa.delete(events_table).where(events_table.c.seq == sa.bindparam("one"))
_NEXT_SEQ = (
    sa.update(peers)
    .where(peers.c.domain == sa.bindparam("of"))
    .values(next_seq=peers.c.next_seq + 1)
    .returning(peers.c.next_seq)
)
_DELIVERY = sa.insert(deliveries)
_ACTIVITY = sa.insert(activities)
_KNOWN = sa.select(activities.c.id).where(activities.c.uri == sa.bindparam("uri"))
_BODY = sa.select(activities.c.body).where(activities.c.uri == sa.bindparam("uri"))
_CREATED = sa.select(inbox.c.body).where(inbox.c.object_uri == sa.bindparam("uri")).limit(1)
_RECEIVED = sa.select(inbox.c.body).where(inbox.c.activity_id == sa.bindparam("uri"))


def expand(tx: Tx, most: int = BATCH) -> int:
    """Tell the oldest kept events to the logs of the peers; says how many were taken. Run it in a write unit."""
    rows = list(tx.conn.execute(_DUE, {"most": most}))
    for seq, kind, payload, _ in rows:
        try:
            with tx.step():
                tell(tx, events.restore(kind, orjson.loads(payload)))
        except (FedcorpError, KeyError, ValueError) as error:
            log.exception("event %s (%s) could not be told to other servers", seq, kind)
            _park(tx, kind, error)
        tx.conn.execute(_DONE, {"one": seq})
    return len(rows)


def _park(tx: Tx, kind: str, error: Exception) -> None:
    """An event that cannot be told must not hold up those behind it; the audit trail keeps that it happened."""
    values = {"created_at": tx.ms, "actor": "outbox", "act": "event", "subject": kind, "outcome": "failed"}
    tx.conn.execute(sa.insert(audit).values(reason=type(error).__name__, **values))


def tell(tx: Tx, event: Event) -> None:
    """Write the activities and deliveries of one event."""
    teller = _TELLERS.get(type(event))
    if teller is not None:
        teller(tx, event)


def post(
    tx: Tx,
    account: Account,
    document: dict[str, Any],
    destinations: Iterable[Destination],
    *,
    reach: str,
    status_id: int | None = None,
    proof: bool = True,
) -> bytes:
    """Sign a document, keep it under its id and put it into the log of every destination. Returns the bytes.

    Direct messages carry no proof (`proof=False`): who received one shall not be able to prove it to others.
    """
    if proof:
        key = accounts.signing_keys(tx, account.id)["ed25519"]
        assert key.private is not None
        document = add_proof(document, key_id=key.id, private=load_private(key.private), created=from_ms(tx.ms))
    body = orjson.dumps(document)
    _keep(tx, account.id, document["id"], document["type"], body, destinations, reach=reach, status_id=status_id)
    return body


def _keep(
    tx: Tx,
    account_id: int,
    uri: str,
    kind: str,
    body: bytes,
    destinations: Iterable[Destination],
    *,
    reach: str,
    status_id: int | None = None,
) -> None:
    known = tx.conn.execute(_KNOWN, {"uri": uri}).scalar()
    activity_id = known if known is not None else (tx.site.urls.find_activity_id(uri) or tx.new_id())
    if known is None:
        values = {"id": activity_id, "uri": uri, "type": kind, "account_id": account_id, "status_id": status_id}
        tx.conn.execute(_ACTIVITY, {**values, "reach": reach, "body": body, "created_at": tx.ms})
    for destination in sorted(set(destinations), key=lambda item: (item.domain, item.inbox_uri)):
        _enqueue(tx, destination, activity_id)


def _enqueue(tx: Tx, destination: Destination, activity_id: int) -> None:
    company_peers.ensure(tx, destination.domain)
    seq = tx.conn.execute(_NEXT_SEQ, {"of": destination.domain}).scalar_one() - 1
    values = {"domain": destination.domain, "seq": seq, "activity_id": activity_id, "state": "queued"}
    tx.conn.execute(_DELIVERY, {**values, "inbox_uri": destination.inbox_uri, "created_at": tx.ms})
    tx.wake("deliveries")


def _new_uri(tx: Tx) -> str:
    return tx.site.urls.activity(tx.new_id())


# -- statuses --------------------------------------------------------------------------------------------------------


def _published(tx: Tx, event: events.StatusPublished) -> None:
    status = statuses.find(tx, event.status_id)
    if status is None or status.deleted_at is not None:
        return  # deleted before it was told: nobody needs to hear of it
    author = audience.author_of(tx, status)
    document = render.about_note("Create", _create_uri(status), author, render.note(tx, status), status.created_at)
    _post_about(tx, author, status, document, audience.of_status(tx, status))


def _create_uri(status: Status) -> str:
    """The Create of a status has a uri that follows from it, so that it is told once and can be found again."""
    return status.uri.replace("/o/", "/a/", 1)


def _post_about(
    tx: Tx, author: Account, status: Status, document: dict[str, Any], destinations: set[Destination]
) -> bytes:
    proof = status.visibility != "direct"
    return post(tx, author, document, destinations, reach=status.reach, status_id=status.id, proof=proof)


def _edited(tx: Tx, event: events.StatusEdited) -> None:
    status = statuses.find(tx, event.status_id)
    if status is not None and status.deleted_at is None:
        _update_note(tx, status)


def _update_note(tx: Tx, status: Status) -> None:
    author = audience.author_of(tx, status)
    document = render.about_note("Update", _new_uri(tx), author, render.note(tx, status), tx.ms)
    body = _post_about(tx, author, status, document, audience.of_status(tx, status, touched=True))
    _pass_on_in_group(tx, status, document["id"], body)


def _deleted(tx: Tx, event: events.StatusDeleted) -> None:
    status = statuses.find(tx, event.status_id)
    if status is None:
        return
    author = audience.author_of(tx, status)
    to, cc = render.addressing(tx, status, author)
    document = render.activity("Delete", _new_uri(tx), author, status.uri, at=tx.ms, to=to, cc=cc)
    body = _post_about(tx, author, status, document, audience.of_status(tx, status, touched=True))
    _pass_on_in_group(tx, status, document["id"], body)


def _reblogged(tx: Tx, event: events.StatusReblogged) -> None:
    wrapper = statuses.find(tx, event.reblog_id)
    original = statuses.find(tx, event.status_id)
    if wrapper is None or wrapper.deleted_at is not None or original is None:
        return
    account = audience.author_of(tx, wrapper)
    if account.is_group:
        return  # told by GroupPosted, in the dialect of each peer
    destinations = audience.followers(tx, account.id, wrapper.reach)
    destinations |= audience.people(tx, [original.account_id], wrapper.reach)
    post(
        tx, account, _announce(tx, wrapper, original, account), destinations, reach=wrapper.reach, status_id=wrapper.id
    )


def _announce(tx: Tx, wrapper: Status, original: Status, account: Account) -> dict[str, Any]:
    to, cc = render.addressing(tx, wrapper, account)
    scope = {"scope": wrapper.reach} if wrapper.reach != "public" else {}
    return render.activity("Announce", wrapper.uri, account, original.uri, at=wrapper.created_at, to=to, cc=cc, **scope)


def _unreblogged(tx: Tx, event: events.StatusUnreblogged) -> None:
    wrapper, original = statuses.find(tx, event.reblog_id), statuses.find(tx, event.status_id)
    account = accounts.find(tx, event.account_id)
    if wrapper is None or original is None or account is None:
        return
    to, cc = render.addressing(tx, wrapper, account)
    inner = _announce(tx, wrapper, original, account)
    del inner["@context"]
    document = render.activity("Undo", _new_uri(tx), account, inner, at=tx.ms, to=to, cc=cc)
    destinations = audience.followers(tx, account.id, wrapper.reach)
    destinations |= audience.people(tx, [original.account_id], wrapper.reach)
    post(tx, account, document, destinations, reach=wrapper.reach, status_id=wrapper.id)


def _favourited(tx: Tx, event: events.StatusFavourited) -> None:
    _like(tx, event, undo=False)


def _unfavourited(tx: Tx, event: events.StatusUnfavourited) -> None:
    _like(tx, event, undo=True)


def _like(tx: Tx, event: "events.StatusFavourited | events.StatusUnfavourited", *, undo: bool) -> None:
    """Told to the author only, who publishes the count."""
    status, account = statuses.find(tx, event.status_id), accounts.find(tx, event.account_id)
    if status is None or account is None or status.local:
        return
    author = audience.author_of(tx, status)
    document = render.activity("Like", event.uri, account, status.uri, at=tx.ms, to=[author.uri])
    if undo:
        document = _undo(tx, account, document, author)
    destinations = audience.people(tx, [author.id], status.reach)
    post(tx, account, document, destinations, reach=status.reach, status_id=status.id)


def _undo(tx: Tx, account: Account, document: dict[str, Any], addressee: Account) -> dict[str, Any]:
    inner = {name: value for name, value in document.items() if name != "@context"}
    return render.activity("Undo", _new_uri(tx), account, inner, at=tx.ms, to=[addressee.uri])


def _voted(tx: Tx, event: events.PollVoted) -> None:
    question, account = statuses.find(tx, event.status_id), accounts.find(tx, event.account_id)
    if question is None or account is None or question.local:
        return
    author = audience.author_of(tx, question)
    options = polls.get(tx, event.poll_id, None).options
    destinations = audience.people(tx, [author.id], question.reach, shared=False)
    for position in event.positions:
        document = render.vote(_new_uri(tx), account, question, author, options[position].title, tx.ms)
        post(tx, account, document, destinations, reach=question.reach, proof=False)


def _poll_changed(tx: Tx, event: events.PollChanged) -> None:
    status = statuses.find(tx, event.status_id)
    if status is not None and status.local and status.deleted_at is None:
        _update_note(tx, status)


def _pinned(tx: Tx, event: events.StatusPinned) -> None:
    status, account = statuses.find(tx, event.status_id), accounts.find(tx, event.account_id)
    if status is None or account is None or not account.local:
        return
    kind = "Add" if event.pinned else "Remove"
    more = {"target": account.featured_uri}
    to, cc = [PUBLIC], [account.followers_uri or account.uri]
    document = render.activity(kind, _new_uri(tx), account, status.uri, at=tx.ms, to=to, cc=cc, **more)
    destinations = audience.followers(tx, account.id, status.reach)
    post(tx, account, document, destinations, reach=status.reach, status_id=status.id)


# -- follows ---------------------------------------------------------------------------------------------------------


def _pair(tx: Tx, event: Any) -> tuple[Account, Account]:
    found = accounts.find_many(tx, [event.follower_id, event.target_id])
    return found[event.follower_id], found[event.target_id]


def _follow(tx: Tx, uri: str, follower: Account, target: Account) -> dict[str, Any]:
    return render.activity("Follow", uri, follower, target.uri, at=tx.ms, to=[target.uri])


def _follow_requested(tx: Tx, event: events.FollowRequested) -> None:
    follower, target = _pair(tx, event)
    if not target.local:
        _between(tx, follower, target, _follow(tx, event.uri, follower, target))


def _unfollowed(tx: Tx, event: events.Unfollowed) -> None:
    follower, target = _pair(tx, event)
    if not target.local:
        _between(tx, follower, target, _undo(tx, follower, _follow(tx, event.uri, follower, target), target))


def _follow_accepted(tx: Tx, event: events.FollowAccepted) -> None:
    _answer_follow(tx, event, "Accept")


def _follow_rejected(tx: Tx, event: events.FollowRejected) -> None:
    _answer_follow(tx, event, "Reject")


def _answer_follow(tx: Tx, event: "events.FollowAccepted | events.FollowRejected", kind: str) -> None:
    """The Follow is embedded with the id its sender gave it: some servers match by that alone."""
    follower, target = _pair(tx, event)
    if follower.local:
        return
    inner = {"id": event.uri, "type": "Follow", "actor": follower.uri, "object": target.uri}
    document = render.activity(kind, _new_uri(tx), target, inner, at=tx.ms, to=[follower.uri])
    _between(tx, target, follower, document)


def _between(tx: Tx, sender: Account, receiver: Account, document: dict[str, Any]) -> None:
    destinations = audience.people(tx, [receiver.id], "public", shared=False)
    post(tx, sender, document, destinations, reach="public")


# -- accounts --------------------------------------------------------------------------------------------------------


def _account_updated(tx: Tx, event: events.AccountUpdated) -> None:
    account = accounts.find(tx, event.account_id)
    if account is None or account.hidden:
        return
    document = render.actor(tx, account)
    context = document.pop("@context")
    update = render.activity(
        "Update", _new_uri(tx), account, document, at=tx.ms, to=[PUBLIC], cc=[account.followers_uri or account.uri]
    )
    update["@context"] = context
    post(tx, account, update, audience.of_account(tx, account.id), reach=UPDATE_REACH)


def _account_deleted(tx: Tx, event: events.AccountDeleted) -> None:
    account = accounts.find(tx, event.account_id)
    if account is not None:
        document = render.activity("Delete", _new_uri(tx), account, account.uri, at=tx.ms, to=[PUBLIC])
        post(tx, account, document, audience.of_account(tx, account.id), reach=UPDATE_REACH)


# -- groups ----------------------------------------------------------------------------------------------------------


def _group_posted(tx: Tx, event: events.GroupPosted) -> None:
    """The group announces a status to its members: the whole Create to servers that know groups, else its id."""
    group, original = accounts.find(tx, event.group_id), statuses.find(tx, event.status_id)
    wrapper = statuses.find(tx, event.reblog_id)
    if group is None or original is None or wrapper is None or wrapper.deleted_at is not None:
        return
    everybody = audience.followers(tx, group.id, original.reach) | audience.people(
        tx, [original.account_id], original.reach
    )
    create = _find_activity(tx, _create_uri(original) if original.local else None, original)
    wrapping, boosting = _by_dialect(tx, everybody, knows_create=create is not None)
    if original.in_reply_to_uri is not None:  # replies reach Mastodon-like servers through their authors
        boosting = set()
    post(tx, group, _announce(tx, wrapper, original, group), boosting, reach=original.reach, status_id=original.id)
    if create is not None and wrapping:
        _wrap(tx, group, create, wrapping, original)


def _by_dialect(
    tx: Tx, destinations: set[Destination], *, knows_create: bool
) -> tuple[set[Destination], set[Destination]]:
    """(those that get the wrapped activity, those that get the id of the object)"""
    wrapping, boosting = set(), set()
    for destination in destinations:
        dialect = audience.dialect(tx, destination.domain) if knows_create else "boost"
        if dialect != "boost":
            wrapping.add(destination)
        if dialect in ("boost", "both"):
            boosting.add(destination)
    return wrapping, boosting


def _find_activity(tx: Tx, uri: str | None, original: Status) -> dict[str, Any] | None:
    """The Create of a status as its author sent it, from our own log or from what was received."""
    if uri is not None:
        body = tx.conn.execute(_BODY, {"uri": uri}).scalar()
        return orjson.loads(body) if body else None
    body = tx.conn.execute(_CREATED, {"uri": original.uri}).scalar()
    return orjson.loads(body) if body else None


def _wrap(tx: Tx, group: Account, inner: dict[str, Any], destinations: set[Destination], status: Status) -> None:
    """Announce{activity} (FEP-1b12); the inner activity stays exactly as its author signed it."""
    scope = {"scope": status.reach} if status.reach != "public" else {}
    cc = [group.followers_uri or group.uri]
    document = render.activity(
        "Announce", _new_uri(tx), group, inner, at=tx.ms, to=[PUBLIC], cc=cc, audience=group.uri, **scope
    )
    post(tx, group, document, destinations, reach=status.reach, status_id=status.id)


def _pass_on_in_group(tx: Tx, status: Status, uri: str, body: bytes) -> None:
    """What the author of a post in one of our groups changes about it goes to all members."""
    group = accounts.find(tx, status.group_id) if status.group_id is not None else None
    if group is None or not group.local or status.visibility not in ("public", "unlisted"):
        return
    destinations = audience.followers(tx, group.id, status.reach)
    wrapping, boosting = _by_dialect(tx, destinations, knows_create=True)
    if wrapping:
        _wrap(tx, group, orjson.loads(body), wrapping, status)
    _keep(tx, group.id, uri, "Update", body, boosting, reach=status.reach, status_id=status.id)


def _for_group(tx: Tx, event: events.ActivityForGroup) -> None:
    group = accounts.find(tx, event.group_id)
    body = tx.conn.execute(_RECEIVED, {"uri": event.activity_uri}).scalar()
    if group is None or body is None:
        return
    inner = orjson.loads(body)
    target = inner.get("object")
    status = statuses.find_by_uri(tx, target.get("id", "") if isinstance(target, dict) else str(target))
    if status is not None:
        _pass_on_in_group(tx, status, event.activity_uri, body)


def _forwarded(tx: Tx, event: events.ActivityForwarded) -> None:
    """Inbox forwarding: the bytes stay as they came; our own signature is only that of the messenger."""
    body = tx.conn.execute(_RECEIVED, {"uri": event.activity_uri}).scalar()
    if body is None:
        return
    document = orjson.loads(body)
    sender = accounts.find_by_uri(tx, str(document.get("actor")))
    home = sender.origin.split("://", 1)[1] if sender else ""
    scope = document.get("scope")
    reach = scope if scope in ("company", "partners") else "public"
    destinations = {item for item in audience.followers(tx, event.account_id, reach) if item.domain != home}
    _keep(tx, event.account_id, event.activity_uri, str(document.get("type")), body, destinations, reach=reach)


_TELLERS: dict[type[Event], Callable[[Tx, Any], None]] = {
    events.StatusPublished: _published,
    events.StatusEdited: _edited,
    events.StatusDeleted: _deleted,
    events.StatusReblogged: _reblogged,
    events.StatusUnreblogged: _unreblogged,
    events.StatusFavourited: _favourited,
    events.StatusUnfavourited: _unfavourited,
    events.StatusPinned: _pinned,
    events.PollVoted: _voted,
    events.PollChanged: _poll_changed,
    events.FollowRequested: _follow_requested,
    events.FollowAccepted: _follow_accepted,
    events.FollowRejected: _follow_rejected,
    events.Unfollowed: _unfollowed,
    events.AccountUpdated: _account_updated,
    events.AccountDeleted: _account_deleted,
    events.GroupPosted: _group_posted,
    events.ActivityForGroup: _for_group,
    events.ActivityForwarded: _forwarded,
}
