"""What another server may read here, as documents: actors, notes, activities and collections, judged for each asker.

Reads only. Whoever may not see something gets the same answer as for something that does not exist. Who asks was proven
by `signers`.
Sources: ActivityPub 3.2 and 5, FEP-4f05 (tombstones), FEP-7888 (threads), FEP-5711 (whose collection it is).
"""

from dataclasses import dataclass, replace
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.activitypub import followers, group_telling, ledger, ledger_keys, relay, render, telling
from fedcorp.activitypub.documents import origin
from fedcorp.activitypub.signers import Signer
from fedcorp.activitypub.vocabulary import CID, PUBLIC, ids_of
from fedcorp.errors import NotFound
from fedcorp.social import accounts, group_posts, groups, invitations, memberships, policy, quotes, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.statuses import Status
from fedcorp.social.visibility import is_shown
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import activities, deliveries, follows
from fedcorp.storage.tables import statuses as statuses_table

PAGE = 20
THREAD = 200
AFFILIATIONS = 500


@dataclass(frozen=True, slots=True)
class Served:
    """A document to answer with; `gone` when it says that there is nothing any more. `page` is for people."""

    document: dict[str, Any]
    gone: bool = False
    page: str | None = None


_FOLLOWS = (
    sa.select(follows.c.id)
    .where(
        follows.c.target_id == sa.bindparam("target"),
        follows.c.origin.in_(sa.bindparam("origins", expanding=True)),
        follows.c.state.in_(sa.bindparam("states", expanding=True)),
    )
    .limit(1)
)
_ACTIVITY = sa.select(
    activities.c.id, activities.c.type, activities.c.account_id, activities.c.status_id, activities.c.body
).where(activities.c.uri == sa.bindparam("uri"))
_WAS_SENT = sa.select(deliveries.c.seq).where(
    deliveries.c.activity_id == sa.bindparam("activity"), deliveries.c.domain == sa.bindparam("domain")
)
_SENT_BY = (
    sa.select(activities.c.status_id, activities.c.body)
    .where(activities.c.account_id == sa.bindparam("account"), activities.c.type.in_(("Create", "Announce")))
    .where(activities.c.status_id.is_not(None))
    .order_by(activities.c.id.desc())
    .limit(PAGE)
)
_PINNED = (
    sa.select(statuses_table.c.id)
    .where(statuses_table.c.account_id == sa.bindparam("account"), statuses_table.c.pinned_at.is_not(None))
    .order_by(statuses_table.c.pinned_at.desc())
)
_REPLIES = (
    sa.select(statuses_table.c.id)
    .where(statuses_table.c.in_reply_to_id == sa.bindparam("status"), statuses_table.c.deleted_at.is_(None))
    .order_by(statuses_table.c.id)
    .limit(THREAD)
)
_THREAD = (
    sa.select(statuses_table.c.id)
    .where(statuses_table.c.thread_id == sa.bindparam("thread"), statuses_table.c.deleted_at.is_(None))
    .where(statuses_table.c.reblog_of_id.is_(None))
    .order_by(statuses_table.c.id)
    .limit(THREAD)
)


# -- actors ----------------------------------------------------------------------------------------------------------


def instance_actor(tx: Tx) -> Served:
    """The actor that signs for the server. Everybody may read it: without its key nobody could check our signatures."""
    account = accounts.instance_actor(tx)
    return Served(render.actor(tx, account), page=account.url)


def instance_outbox(tx: Tx) -> Served:
    """The outbox of that actor, which says nothing."""
    return Served(render.collection(f"{tx.site.urls.instance_actor}/outbox", 0, []))


def actor(tx: Tx, uri: str, signer: Signer) -> Served:
    """A person or group of ours. Raises NotFound."""
    account = accounts.find_by_uri(tx, uri)
    if account is not None and account.local and account.deleted_at is not None:
        return Served(render.tombstone(uri, account.kind.capitalize(), account.deleted_at), gone=True)
    account = _known_actor(tx, uri, signer)
    return Served(render.actor(tx, account), page=account.url)


def key(tx: Tx, uri: str) -> Served:
    """The key of a person or listed group of ours and whose it is, for `Signers.reader_of_keys`: without it that peer
    could check nothing that they sign. Raises NotFound.
    """
    account = accounts.find_by_uri(tx, uri)
    group = groups.find(tx, account.id) if account is not None and account.is_group else None
    if account is None or not account.local or account.hidden or (group is not None and not group.listed):
        raise NotFound
    return Served(render.key(tx, account))


def actor_at_page(tx: Tx, name: str, signer: Signer) -> Served:
    """The person or group of ours whose page bears this name. Raises NotFound."""
    account = accounts.find_local(tx, name)
    if account is None:
        raise NotFound
    return actor(tx, account.uri, signer)


def _known_actor(tx: Tx, uri: str, signer: Signer) -> Account:
    account = accounts.find_by_uri(tx, uri)
    if account is None or not account.local or account.hidden or account.kind == "service":
        raise NotFound
    group = groups.find(tx, account.id) if account.is_group else None
    if group is not None and not group.listed and not _knows_secret(tx, account, signer):
        raise NotFound
    return account


def _person(tx: Tx, signer: Signer) -> Account | None:
    """The person who signed; None when a server signed, for whomever it has."""
    actor = accounts.find_by_uri(tx, signer.actor_uri)
    return actor if actor is not None and actor.kind == "person" else None


def _follows_from(tx: Tx, domain: str, account_id: int, *states: str) -> bool:
    """Whether somebody on that server follows this account, in one of these states."""
    origins = [f"https://{domain}", f"http://{domain}"]
    values = {"target": account_id, "origins": origins, "states": states}
    return tx.conn.execute(_FOLLOWS, values).first() is not None


def _knows_secret(tx: Tx, group: Account, signer: Signer) -> bool:
    """Whether the person who signed, or somebody of the server that did, belongs to the group, asked to, is invited."""
    person = _person(tx, signer)
    if person is not None:
        return is_shown(tx, group, person.id) or _is_member(tx, group, signer)
    return (
        _follows_from(tx, signer.domain, group.id, "accepted", "pending")
        or _is_member(tx, group, signer)
        or any(
            (invitee := accounts.find(tx, item.account_id)) is not None
            and invitee.origin.endswith(f"//{signer.domain}")
            for item in invitations.of_group(tx, group.id)
        )
    )


def _is_member(tx: Tx, group: Account, signer: Signer) -> bool:
    """Whether the person who signed belongs to the group; of a server that signed for itself, anybody of it."""
    if _person(tx, signer) is not None:
        return memberships.role_by_uri(tx, group, signer.actor_uri) in policy.MEMBERS
    return memberships.has_member_at(tx, group, origin(signer.actor_uri))


def page_of(tx: Tx, uri: str) -> str:
    """The page for people of an actor or note of ours that everybody may see. Raises NotFound."""
    account = accounts.find_by_uri(tx, uri)
    if account is not None and account.local and not account.hidden and not account.is_group:
        return account.url
    status = statuses.find_by_uri(tx, uri)
    if status is None or status.url is None or not policy.may_see(policy.ANONYMOUS, statuses.facts(tx, status, None)):
        raise NotFound
    return status.url


def find_inbox_owner(tx: Tx, uri: str) -> Account | None:
    """The local account whose inbox is addressed; deleted ones too. Raises NotFound."""
    account = accounts.find_by_uri(tx, uri)
    if account is None or not account.local:
        raise NotFound
    return account


# -- collections of an actor -----------------------------------------------------------------------------------------


def actor_collection(tx: Tx, uri: str, name: str, signer: Signer) -> Served:
    """`followers`, `following`, `outbox`, `featured`; of a group also `moderators`, `affiliations`. Raises NotFound."""
    account = _known_actor(tx, uri, signer)
    address = f"{uri}/{name}"
    if name == "outbox":
        return Served(_owned(_outbox(tx, account, signer, address), "outboxOf", uri))
    if name == "featured":
        ids = group_posts.pinned(tx, account.id) if account.is_group else _ids(tx, _PINNED, account=account.id)
        notes = [_whole(tx, status) for status in _visible(tx, ids, signer)]
        return Served(render.in_context(render.bare_collection(address, len(notes), notes)))
    if name == "moderators" and account.is_group:
        found = accounts.find_many(tx, memberships.moderators(tx, account.id))
        uris = [found[id_].uri for id_ in memberships.moderators(tx, account.id) if id_ in found]
        return Served(render.collection(address, len(uris), uris))
    if name == "affiliations" and account.is_group:
        return Served(_affiliations(tx, account, signer, address))
    counts = {"followers": account.followers_count, "following": account.following_count}
    if name not in counts:
        raise NotFound
    if name == "followers" and account.is_group:  # the form that Lemmy reads: a number, and nobody by name
        return Served(_owned(render.collection(address, counts[name], [], ordered=False), "followersOf", uri))
    return Served(_owned(render.collection(address, counts[name]), f"{name}Of", uri))


def followers_at(tx: Tx, uri: str, signer: Signer) -> Served:
    """Who on the asker's own server follows this account (FEP-8fcf); of a group its server alone is told.

    Raises NotFound.
    """
    account = _known_actor(tx, uri, signer)
    if account.is_group and _person(tx, signer) is not None:
        raise NotFound
    uris = sorted(followers.at(tx, account.id, signer.domain))
    return Served(_owned(render.collection(f"{uri}/{followers.PLACE}", len(uris), uris), "followersOf", uri))


def _affiliations(tx: Tx, group: Account, signer: Signer, address: str) -> dict[str, Any]:
    """Who has which role, the highest first (FEP-5219): moderators for all who may know the group, members for the
    servers of members. The whole membership, however long, is told by the ledger.
    """
    wanted = policy.MEMBERS if _is_member(tx, group, signer) else ("moderator", "admin")
    shown = memberships.highest(tx, group.id, wanted, AFFILIATIONS)
    found = accounts.find_many(tx, [id_ for id_, _ in shown])
    items = [group_telling.affiliation(group, found[id_].uri, role) for id_, role in shown if id_ in found]
    return render.collection(address, memberships.count_roles(tx, group.id, wanted), items)


def _whole(tx: Tx, status: Status) -> Any:
    """The object of a status as its author wrote it; its id where that is not kept."""
    if status.local:
        return render.note(tx, status)
    create = telling.find_create(tx, status)
    thing = create.get("object") if create is not None else None
    if create is None or not isinstance(thing, dict):
        return status.uri
    return {"@context": create.get("@context"), **thing}


def _owned(collection: dict[str, Any], relation: str, uri: str) -> dict[str, Any]:
    return {**collection, relation: uri}


def _outbox(tx: Tx, account: Account, signer: Signer, address: str) -> dict[str, Any]:
    items = []
    for status_id, body in tx.conn.execute(_SENT_BY, {"account": account.id}):
        status = statuses.find(tx, status_id)
        if status is not None and status.deleted_at is None and may_see(tx, status, signer):
            items.append(_as_of_now(tx, account, status, orjson.loads(body)))
    return render.collection(address, account.statuses_count, items)


def _as_of_now(tx: Tx, account: Account, status: Status, told: dict[str, Any]) -> dict[str, Any]:
    """The Create of a post as that is now: edited, with the votes of its poll, with leave for its quote. What differs
    from what was told has no proof, which was made of the first words."""
    if told["type"] != "Create":
        return told
    note = render.note(tx, status)
    return told if note == told["object"] else render.about_note("Create", told["id"], account, note, status.created_at)


# -- ledgers ---------------------------------------------------------------------------------------------------------


def ledger_page(tx: Tx, uri: str, after: int, signer: Signer) -> Served:
    """The entries of a group of ours behind the number `after`, for servers of members (federation between
    departments). With each entry comes the activity it stands for, when that is kept and may be read. Raises NotFound.
    """
    group = _known_actor(tx, uri, signer)
    rules = groups.find(tx, group.id)
    if rules is None or signer.tier != "department" or not policy.reaches(rules.reach, signer.tier):
        raise NotFound
    if rules.members_only and not _is_member(tx, group, signer):
        raise NotFound
    items = [
        {"type": "Delivery", "entry": orjson.loads(entry)} | _body_of(tx, body, object_uri, signer)
        for _, entry, body, object_uri in ledger.entries(tx, group.id, after)
    ]
    address = f"{group.uri}/ledger?after={after}"
    page = render.collection(address, ledger.head(tx, group.id).seq, items)
    return Served(page | _first_key(tx, group) if after == 0 else page)


def _first_key(tx: Tx, group: Account) -> dict[str, Any]:
    """For who was not there when the chain began: the group may sign with another one now."""
    known = ledger_keys.of_group(tx, group)
    return {"firstKey": {"@context": CID, **ledger_keys.multikey(known[0])}} if known else {}


def _body_of(tx: Tx, body: bytes | None, uri: str, signer: Signer) -> dict[str, Any]:
    if body is None:
        found = telling.find_sent(tx, uri) or telling.find_received(tx, uri)
        status = _status_of(tx, found)
        if status is not None and may_see(tx, status, signer) and (status.deleted_at is None or _has_no_words(found)):
            body = found
    return {"body": orjson.loads(body)} if body is not None else {}


def _has_no_words(body: bytes | None) -> bool:
    return body is not None and orjson.loads(body).get("type") == "Delete"


def _status_of(tx: Tx, body: bytes | None) -> Status | None:
    thing = orjson.loads(body).get("object") if body is not None else None
    uri = thing.get("id") if isinstance(thing, dict) else thing
    return statuses.find_by_uri(tx, uri) if isinstance(uri, str) else None


def relayed(tx: Tx, uri: str, status_id: int, signer: Signer) -> Served:
    """What a members-only group of ours says to members whose servers cannot keep its posts. Raises NotFound."""
    group = _known_actor(tx, uri, signer)
    rules, status = groups.find(tx, group.id), statuses.find(tx, status_id)
    known = group_posts.find(tx, group.id, status_id)
    if rules is None or rules.outsiders != "relay" or status is None or status.deleted_at is not None:
        raise NotFound
    if known is None or known.state != "distributed" or not _is_member(tx, group, signer):
        raise NotFound
    if not policy.reaches(status.reach, signer.tier):
        raise NotFound
    return Served(render.in_context(relay.note(tx, group, status)))


# -- notes -----------------------------------------------------------------------------------------------------------


def may_see(tx: Tx, status: Status, signer: Signer) -> bool:
    """Whether the person who signed may see this status, or the server that did may have it, for the people it has.

    Says nothing of whether it was deleted: who could see it may know that it is gone.
    """
    member = status.visibility == policy.GROUP and _reads_group(tx, status, signer)
    person = _person(tx, signer)
    if person is not None:
        facts = replace(statuses.facts(tx, status, person.id), deleted=False, member=member)
        within = status.visibility in ("direct", policy.WAITING) or policy.reaches(status.reach, signer.tier)
        return within and policy.may_see(policy.Viewer(person.id), facts)
    waits = status.visibility == policy.WAITING
    ids = [statuses.asked_id(tx, status)] if waits else statuses.mentioned_ids(tx, status.id)
    named = accounts.find_many(tx, [id_ for id_ in ids if id_ is not None]).values()
    recipients = {account.origin.split("://", 1)[1] for account in named if not account.local}
    return policy.may_peer_see(
        signer.tier,
        visibility=status.visibility,
        reach=status.reach,
        has_follower=status.visibility == "private" and _follows_from(tx, signer.domain, status.account_id, "accepted"),
        has_recipient=signer.domain in recipients,
        has_member=member,
    )


def _reads_group(tx: Tx, status: Status, signer: Signer) -> bool:
    """Whether a group that the post was written to lets the signer read it: members what it passed on since they may
    read along, moderators what waits; and the group's own server everything, since it has to judge."""
    shown = status.reblog_of_id if status.reblog_of_id is not None else status.id
    found = group_posts.of_statuses(tx, [shown]).get(shown, [])
    known = accounts.find_many(tx, [item.group_id for item in found])
    is_person = _person(tx, signer) is not None
    for item in found:
        group = known[item.group_id]
        if not is_person and group.origin.endswith(f"//{signer.domain}"):
            return True
        who = {"actor_uri": signer.actor_uri} if is_person else {"origin": origin(signer.actor_uri)}
        waits = item.state in ("pending", "held")
        if (waits or item.state == "distributed") and memberships.has_reader(
            tx, group, item.created_at, moderating=waits, **who
        ):
            return True
    return False


def _visible(tx: Tx, ids: list[int], signer: Signer) -> list[Status]:
    found = statuses.find_many(tx, ids)
    return [found[id_] for id_ in ids if id_ in found and may_see(tx, found[id_], signer)]


def _ids(tx: Tx, statement: Any, **values: int) -> list[int]:
    return list(tx.conn.execute(statement, values).scalars())


def _note(tx: Tx, uri: str, signer: Signer) -> Status:
    status = statuses.find_by_uri(tx, uri)
    if status is None or not status.local or not may_see(tx, status, signer):
        raise NotFound
    author = accounts.find(tx, status.account_id)
    if author is None or author.suspended_at is not None:
        raise NotFound
    return status


def note(tx: Tx, uri: str, signer: Signer) -> Served:
    """A note of ours, or the tombstone of one. Raises NotFound."""
    status = _note(tx, uri, signer)
    if status.deleted_at is not None:
        return Served(render.tombstone(uri, "Note", status.deleted_at), gone=True)
    # With its answers inside, as Mastodon gives them: GoToSocial looks for them nowhere else. The numbers of likes and
    # boosts stand inside as well: Mastodon (4.4) reads them nowhere else.
    document, answers = render.note(tx, status), _replies(tx, status, signer)
    address = f"{uri}/replies"
    document["replies"] = render.bare_collection(address, len(answers)) | {
        "first": render.collection_page(address, answers)
    }
    for name, count in _counts(status).items():
        document[name] = render.bare_collection(f"{uri}/{name}", count, ordered=False)
    return Served(render.in_context(document), page=status.url)


def note_at_page(tx: Tx, name: str, id_: int, signer: Signer) -> Served:
    """The note of ours whose page this is, or its tombstone. Raises NotFound."""
    status, account = statuses.find(tx, id_), accounts.find_local(tx, name)
    if status is None or account is None or status.account_id != account.id:
        raise NotFound
    return note(tx, status.uri, signer)


def _replies(tx: Tx, status: Status, signer: Signer) -> list[str]:
    return [reply.uri for reply in _visible(tx, _ids(tx, _REPLIES, status=status.id), signer)]


def note_collection(tx: Tx, uri: str, name: str, paged: bool, signer: Signer) -> Served:
    """`replies` with what the asker may see, or its page, `likes` and `shares` as numbers. Raises NotFound."""
    status = _note(tx, uri, signer)
    if status.deleted_at is not None:
        raise NotFound
    address = f"{uri}/{name}"
    if name == "replies":
        uris = _replies(tx, status, signer)
        if paged:
            return Served(render.in_context(render.collection_page(address, uris)))
        return Served(_owned(render.collection(address, len(uris), uris), "repliesOf", uri))
    return Served(_owned(render.collection(address, _counts(status)[name], ordered=False), f"{name}Of", uri))


def _counts(status: Status) -> dict[str, int]:
    return {"likes": status.favourites_count, "shares": status.reblogs_count}


def stamp(tx: Tx, uri: str, signer: Signer) -> Served:
    """The leave to quote a post of ours (FEP-044f), for those who may see that post. Raises NotFound."""
    for paper in quotes.of_stamp(tx, uri):  # somebody may claim it for something else
        status = statuses.find(tx, paper.status_id)
        quoted = statuses.find(tx, status.quoted_id) if status is not None and status.quoted_id is not None else None
        if status is None or quoted is None or not quoted.local or not may_see(tx, quoted, signer):
            continue
        ended_at = quotes.ended_at(tx, uri) or quoted.deleted_at or status.deleted_at
        if ended_at is not None:
            return Served(render.tombstone(uri, quotes.STAMP, ended_at), gone=True)
        if status.quote_state == quotes.ACCEPTED:
            return Served(render.stamp(uri, accounts.get(tx, quoted.account_id), status.uri, quoted))
    raise NotFound


def thread(tx: Tx, thread_id: int, signer: Signer) -> Served:
    """The posts of a thread that began here, oldest first, as far as the asker may see them. Raises NotFound."""
    root = statuses.find(tx, thread_id)
    if root is None or not root.local or root.deleted_at is not None or not may_see(tx, root, signer):
        raise NotFound
    uris = [status.uri for status in _visible(tx, _ids(tx, _THREAD, thread=thread_id), signer)]
    owner = accounts.find(tx, root.account_id)
    document = render.collection(tx.site.urls.thread(thread_id), len(uris), uris)
    return Served(document | ({"attributedTo": owner.uri} if owner is not None else {}))


# -- activities ------------------------------------------------------------------------------------------------------


def activity(tx: Tx, uri: str, signer: Signer) -> Served:
    """An activity as it was sent: for those who may see its status, else for those it was sent to. Raises NotFound.

    What was sent to a server for some of its people is shown to the server, and to those people.
    """
    row = tx.conn.execute(_ACTIVITY, {"uri": uri}).first()
    if row is None:
        raise NotFound
    status = statuses.find(tx, row.status_id) if row.status_id is not None else None
    if status is None:
        was_sent = tx.conn.execute(_WAS_SENT, {"activity": row.id, "domain": signer.domain}).first() is not None
        if not was_sent or not _is_addressed(tx, orjson.loads(row.body), signer):
            raise NotFound
    elif not may_see(tx, status, signer):
        raise NotFound
    elif status.deleted_at is not None and row.type != "Delete":
        return Served(render.tombstone(uri, row.type, status.deleted_at), gone=True)
    return Served(orjson.loads(row.body))


def _is_addressed(tx: Tx, document: dict[str, Any], signer: Signer) -> bool:
    """Whether an activity was meant for whoever signed: a server, a person named in it, a member of its group."""
    if _person(tx, signer) is None:
        return True
    addressed = {*ids_of(document.get("to")), *ids_of(document.get("cc"))}
    if signer.actor_uri in addressed or PUBLIC in addressed:
        return True
    group = accounts.find_by_uri(tx, str(document.get("audience")))
    return group is not None and _is_member(tx, group, signer)
