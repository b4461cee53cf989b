"""The tools of the outbox: sign an activity, keep it under its id, and put it into the ordered logs of peers.

Runs inside the unit that takes the event. Decides nothing about what is told, nor to whom.
"""

from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.activitypub import render
from fedcorp.activitypub.audience import Destination
from fedcorp.activitypub.proofs import add_proof
from fedcorp.activitypub.vocabulary import ids_of
from fedcorp.clock import from_ms
from fedcorp.company import peers as company_peers
from fedcorp.keys import load_private
from fedcorp.social import accounts
from fedcorp.social.accounts import Account
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import activities, deliveries, inbox, peers

UNDER_WAY = 25  # entries of a log among which the one may be that a peer has just answered

_NEXT_SEQ = (
    sa.update(peers)
    .where(peers.c.domain == sa.bindparam("of"), peers.c.removed_at.is_(None))
    .values(next_seq=peers.c.next_seq + 1)
    .returning(peers.c.next_seq)
)
_DELIVERY = sa.insert(deliveries)
_ACTIVITY = sa.insert(activities)
_KNOWN = sa.select(activities.c.id).where(activities.c.uri == sa.bindparam("uri"))
_REPLACE = sa.update(activities).where(activities.c.uri == sa.bindparam("of")).values(body=sa.bindparam("with"))
_BODY = sa.select(activities.c.body).where(activities.c.uri == sa.bindparam("uri"))
_ABOUT = (  # a note, by its author: what was received of its Create and Updates
    sa.select(inbox.c.body)
    .where(inbox.c.object_uri == sa.bindparam("uri"), inbox.c.actor_uri == sa.bindparam("author"))
    .order_by(inbox.c.seq)
)
_UPDATED = (
    sa.select(activities.c.body)
    .where(activities.c.status_id == sa.bindparam("status"), activities.c.type == "Update")
    .where(activities.c.account_id == sa.bindparam("author"))
    .order_by(activities.c.id.desc())
    .limit(1)
)
_UNDER_WAY = (
    sa.select(deliveries.c.seq, activities.c.body)
    .join(activities, activities.c.id == deliveries.c.activity_id)
    .join(peers, peers.c.domain == deliveries.c.domain)
    .where(deliveries.c.domain == sa.bindparam("domain"), deliveries.c.seq > peers.c.cursor)
    .where(deliveries.c.state == sa.literal_column("'queued'"))
    .order_by(deliveries.c.seq)
    .limit(UNDER_WAY)
)
_REFUSE = (
    sa.update(deliveries)
    .where(deliveries.c.domain == sa.bindparam("of"), deliveries.c.seq == sa.bindparam("entry"))
    .values(state="rejected")
)
_RECEIVED = sa.select(inbox.c.body).where(inbox.c.activity_id == sa.bindparam("uri"))


def post(
    tx: Tx,
    account: Account,
    document: dict[str, Any],
    destinations: Iterable[Destination],
    *,
    reach: str,
    status_id: int | None = None,
    proof: bool = True,
    again: bool = False,
) -> bytes:
    """Sign a document, keep it under its id and put it into the log of every destination. Returns the bytes.

    Direct messages carry no proof (`proof=False`): who received one shall not be able to prove it to others. `again`:
    what was told under this id before, to one person alone while it waited for leave, gives way.
    """
    if proof:
        key = accounts.signing_keys(tx, account.id)["ed25519"]
        document = add_proof(document, key_id=key.id, private=load_private(key.private), created=from_ms(tx.ms))
    body = orjson.dumps(document)
    if again:
        tx.conn.execute(_REPLACE, {"of": document["id"], "with": body})
    keep(tx, account.id, document["id"], document["type"], body, destinations, reach=reach, status_id=status_id)
    return body


def keep(
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
    """Keep the bytes of an activity under its id and put it into the log of every destination."""
    known = tx.conn.execute(_KNOWN, {"uri": uri}).scalar()
    activity_id = known if known is not None else (tx.site.urls.find_activity_id(uri) or tx.new_id())
    if known is None:
        values = {"id": activity_id, "uri": uri, "type": kind, "account_id": account_id, "status_id": status_id}
        tx.conn.execute(_ACTIVITY, {**values, "reach": reach, "body": body, "created_at": tx.ms})
    for destination in sorted(set(destinations), key=lambda item: (item.domain, item.inbox_uri)):
        _enqueue(tx, destination, activity_id)


def refuse(tx: Tx, domain: str, kind: str, about: str) -> bool:
    """A peer says that it does not take what is under way to it: an activity of this type about this. NodeBB says so,
    and leaves the request itself without an answer. False when there is no such thing.
    """
    for seq, body in tx.conn.execute(_UNDER_WAY, {"domain": domain}).all():
        document = orjson.loads(body)
        if document["type"] == kind and about in ids_of(document.get("object")):
            tx.conn.execute(_REFUSE, {"of": domain, "entry": seq})
            return True
    return False


def date_before(tx: Tx, uri: str) -> None:
    """Let an activity count as made just before this unit: with keys that this unit replaced."""
    tx.conn.execute(sa.update(activities).where(activities.c.uri == uri).values(created_at=tx.ms - 1))


def _enqueue(tx: Tx, destination: Destination, activity_id: int) -> None:
    following = tx.conn.execute(_NEXT_SEQ, {"of": destination.domain}).scalar()
    if following is None:  # never heard of, or may not federate
        company_peers.ensure(tx, destination.domain)
        following = tx.conn.execute(_NEXT_SEQ, {"of": destination.domain}).scalar_one()
    values = {"domain": destination.domain, "seq": following - 1, "activity_id": activity_id, "state": "queued"}
    tx.conn.execute(_DELIVERY, {**values, "inbox_uri": destination.inbox_uri, "created_at": tx.ms})
    tx.wake("deliveries")


def new_uri(tx: Tx) -> str:
    """A fresh id for an activity."""
    return tx.site.urls.activity(tx.new_id())


def create_uri(status: Status) -> str:
    """The Create of a status has a uri that follows from it, so that it is told once and can be found again."""
    return status.uri.replace("/o/", "/a/", 1)


def announce(tx: Tx, wrapper: Status, original: Status, account: Account) -> dict[str, Any]:
    """The Announce of a boost: `wrapper` is the boost, `original` what it shows."""
    to, cc = render.addressing(tx, wrapper, account)
    more: dict[str, Any] = {"scope": wrapper.reach} if wrapper.reach != "public" else {}
    if not original.local and not account.is_group:
        more |= render.leave(tx, wrapper)
    return render.activity("Announce", wrapper.uri, account, original.uri, at=wrapper.created_at, to=to, cc=cc, **more)


def undo(tx: Tx, account: Account, document: dict[str, Any], addressee: Account) -> dict[str, Any]:
    """The Undo of an activity of this account."""
    inner = {name: value for name, value in document.items() if name != "@context"}
    return render.activity("Undo", new_uri(tx), account, inner, at=tx.ms, to=[addressee.uri])


def find_received(tx: Tx, uri: str) -> bytes | None:
    """The bytes of an activity as it came."""
    body: bytes | None = tx.conn.execute(_RECEIVED, {"uri": uri}).scalar()
    return body


def find_sent(tx: Tx, uri: str) -> bytes | None:
    """The bytes of an activity of ours."""
    body: bytes | None = tx.conn.execute(_BODY, {"uri": uri}).scalar()
    return body


def find_create(tx: Tx, status: Status) -> dict[str, Any] | None:
    """The Create of a status as its author sent it, from our own log or from what was received."""
    if not status.local:
        return next(iter(_received_about(tx, status, "Create")), None)
    body = find_sent(tx, create_uri(status))
    return orjson.loads(body) if body else None


def find_update(tx: Tx, status: Status) -> dict[str, Any] | None:
    """The last Update of a status as its author sent it."""
    if not status.local:
        return next(reversed(_received_about(tx, status, "Update")), None)
    body = tx.conn.execute(_UPDATED, {"status": status.id, "author": status.account_id}).scalar()
    return orjson.loads(body) if body else None


def _received_about(tx: Tx, status: Status, kind: str) -> list[dict[str, Any]]:
    """What its author said of it; somebody else may have claimed to have written it."""
    author = accounts.find(tx, status.account_id)
    values = {"uri": status.uri, "author": author.uri if author else ""}
    found = [orjson.loads(body) for body in tx.conn.execute(_ABOUT, values).scalars()]
    return [document for document in found if document.get("type") == kind]
