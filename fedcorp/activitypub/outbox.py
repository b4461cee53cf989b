"""Turns what happened into signed activities in the ordered logs of the peers that must hear of it.

Runs inside one unit: events are taken in order and leave the table in the transaction that writes their activities, so
a stopped process neither loses nor repeats any. No network here: `delivery` sends.
"""

import logging
from collections.abc import Callable
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.activitypub import audience, discovery, group_telling, render, telling
from fedcorp.activitypub.audience import Destination
from fedcorp.activitypub.vocabulary import PUBLIC
from fedcorp.errors import FedcorpError
from fedcorp.social import accounts, events, groups, leaves, polls, quotes, reports, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import Event
from fedcorp.social.reactions import Kind
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import audit
from fedcorp.storage.tables import events as events_table
from fedcorp.storage.turns import TURN_SECONDS

log = logging.getLogger(__name__)

BATCH = 50
_IN_LEDGERS = frozenset({"MemberChanged", "GroupChanged"})
UPDATE_REACH = "public"  # profiles are shown wherever their statuses may be

_DUE = sa.select(events_table).order_by(events_table.c.seq).limit(sa.bindparam("most")).with_for_update()
_DONE = sa.delete(events_table).where(events_table.c.seq == sa.bindparam("one"))


def expand(tx: Tx, most: int = BATCH) -> int:
    """Tell the oldest kept events to the logs of the peers; says how many were taken. Run it in a write unit."""
    rows = list(tx.conn.execute(_DUE, {"most": most + 1}))
    began, told = tx.clock.monotonic(), 0
    for seq, kind, payload, _ in rows[:most]:
        if told and tx.clock.monotonic() - began > TURN_SECONDS:
            break
        try:
            with tx.step():
                tell(tx, events.restore(kind, orjson.loads(payload)))
        except (FedcorpError, KeyError, ValueError) as error:
            log.exception("event %s (%s) could not be told to other servers", seq, kind)
            _park(tx, kind, error)
        tx.conn.execute(_DONE, {"one": seq})
        told += 1
    more = len(rows) > told
    if told and (not more or any(kind in _IN_LEDGERS for _, kind, _, _ in rows[:told])):
        group_telling.flush(tx, full=more)
    return told


def _park(tx: Tx, kind: str, error: Exception) -> None:
    """An event that cannot be told must not hold up those behind it; the audit trail keeps that it happened."""
    values = {"created_at": tx.ms, "actor": "outbox", "act": "event", "subject": kind, "outcome": "failed"}
    tx.conn.execute(sa.insert(audit).values(reason=type(error).__name__, **values))


def tell(tx: Tx, event: Event) -> None:
    """Write the activities and deliveries of one event."""
    teller = _TELLERS.get(type(event))
    if teller is not None:
        teller(tx, event)


# -- statuses --------------------------------------------------------------------------------------------------------


def _published(tx: Tx, event: events.StatusPublished) -> None:
    status = statuses.find(tx, event.status_id)
    if status is None or status.deleted_at is not None:
        return  # deleted before it was told: nobody needs to hear of it
    _create(tx, status)


def _create(tx: Tx, status: Status) -> None:
    """Told again under the same id when there is leave for what was shown to one person alone."""
    author = audience.author_of(tx, status)
    document = render.about_note(
        "Create", telling.create_uri(status), author, render.note(tx, status), status.created_at
    )
    again = "approvedBy" in document["object"]
    _post_about(tx, author, status, document, audience.of_words(tx, status), again=again)


def _post_about(
    tx: Tx,
    author: Account,
    status: Status,
    document: dict[str, Any],
    destinations: set[Destination],
    *,
    again: bool = False,
) -> bytes:
    proof = leaves.as_written(tx, status).visibility != "direct"
    return telling.post(
        tx, author, document, destinations, reach=status.reach, status_id=status.id, proof=proof, again=again
    )


def _edited(tx: Tx, event: events.StatusEdited) -> None:
    status = statuses.find(tx, event.status_id)
    if status is not None and status.deleted_at is None:
        _update_note(tx, status)


def _update_note(tx: Tx, status: Status) -> None:
    author = audience.author_of(tx, status)
    document = render.about_note("Update", telling.new_uri(tx), author, render.note(tx, status), tx.ms)
    body = _post_about(tx, author, status, document, audience.of_words(tx, status, touched=True))
    group_telling.pass_on(tx, status, document["id"], body)


def _deleted(tx: Tx, event: events.StatusDeleted) -> None:
    status = statuses.find(tx, event.status_id)
    if status is None:
        return
    author = audience.author_of(tx, status)
    to, cc = render.addressing(tx, status, author)
    thing = status.uri if author.is_group else render.gone(status.uri)  # of a group older departments read no more
    document = render.activity("Delete", telling.new_uri(tx), author, thing, at=tx.ms, to=to, cc=cc)
    body = _post_about(tx, author, status, document, audience.of_status(tx, status, touched=True))
    group_telling.pass_on(tx, status, document["id"], body)


def _reblogged(tx: Tx, event: events.StatusReblogged) -> None:
    wrapper = statuses.find(tx, event.reblog_id)
    original = statuses.find(tx, event.status_id)
    if wrapper is None or wrapper.deleted_at is not None or original is None:
        return
    account = audience.author_of(tx, wrapper)
    if account.is_group:
        return  # told by GroupPosted, in the dialect of each peer
    _announce(tx, account, wrapper, original)


def _announce(tx: Tx, account: Account, wrapper: Status, original: Status) -> None:
    document = telling.announce(tx, wrapper, original, account)
    telling.post(
        tx,
        account,
        document,
        audience.of_boost(tx, wrapper, original),
        reach=wrapper.reach,
        status_id=wrapper.id,
        again="approvedBy" in document,
    )


def _unreblogged(tx: Tx, event: events.StatusUnreblogged) -> None:
    wrapper, original = statuses.find(tx, event.reblog_id), statuses.find(tx, event.status_id)
    account = accounts.find(tx, event.account_id)
    if wrapper is None or original is None or account is None:
        return
    to, cc = render.addressing(tx, wrapper, account)
    inner = telling.announce(tx, wrapper, original, account)
    del inner["@context"]
    document = render.activity("Undo", telling.new_uri(tx), account, inner, at=tx.ms, to=to, cc=cc)
    destinations = audience.of_boost(tx, wrapper, original)
    telling.post(tx, account, document, destinations, reach=wrapper.reach, status_id=wrapper.id)


def _favourited(tx: Tx, event: events.StatusFavourited) -> None:
    _like(tx, event, undo=False)


def _unfavourited(tx: Tx, event: events.StatusUnfavourited) -> None:
    _like(tx, event, undo=True)


def _reacted(tx: Tx, event: events.StatusReacted) -> None:
    _like(tx, event, undo=False, kind=Kind(event.name, event.domain))


def _unreacted(tx: Tx, event: events.StatusUnreacted) -> None:
    _like(tx, event, undo=True, kind=Kind(event.name, event.domain))


_Liking = events.StatusFavourited | events.StatusUnfavourited | events.StatusReacted | events.StatusUnreacted


def _like(tx: Tx, event: _Liking, *, undo: bool, kind: Kind | None = None) -> None:
    """Told to the author, who publishes the count, and to the group that governs the thread, which passes it on."""
    status, account = statuses.find(tx, event.status_id), accounts.find(tx, event.account_id)
    if status is None or account is None:
        return
    author = audience.author_of(tx, status)
    group = accounts.find(tx, status.group_id) if status.group_id is not None else None
    told = [one for one in (author, group) if one is not None and not one.local]
    if not told and (group is None or not group.local):
        return
    more: dict[str, Any] = {"audience": group.uri} if group is not None else {}
    destinations = audience.people(tx, [one.id for one in told], status.reach)
    forms: list[tuple[str, str, dict[str, Any], set[Destination]]] = [("Like", event.uri, more, destinations)]
    if kind is not None:
        name, shown = render.reaction(tx, kind)
        voting = set() if kind.counts else audience.voting(tx, destinations)
        forms = [(name, event.uri, more | shown, destinations - voting)]
        if not kind.counts:  # there, votes are found again by who voted on what
            forms.append(("Dislike", telling.new_uri(tx), more, voting))
    for name, uri, terms, where in forms:
        document = render.activity(name, uri, account, status.uri, at=tx.ms, to=[author.uri], **terms)
        if undo:
            document = telling.undo(tx, account, document, author)
        if where or name != "Dislike":
            document = orjson.loads(telling.post(tx, account, document, where, reach=status.reach, status_id=status.id))
        group_telling.reacted(tx, status, account, document)


def _voted(tx: Tx, event: events.PollVoted) -> None:
    question, account = statuses.find(tx, event.status_id), accounts.find(tx, event.account_id)
    if question is None or account is None or question.local:
        return
    author = audience.author_of(tx, question)
    options = polls.get(tx, event.poll_id, None).options
    destinations = audience.people(tx, [author.id], question.reach, shared=False)
    for position in event.positions:
        document = render.vote(telling.new_uri(tx), account, question, author, options[position].title, tx.ms)
        telling.post(tx, account, document, destinations, reach=question.reach, proof=False)


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
    document = render.activity(kind, telling.new_uri(tx), account, status.uri, at=tx.ms, to=to, cc=cc, **more)
    destinations = audience.followers(tx, account.id, status.reach)
    telling.post(tx, account, document, destinations, reach=status.reach, status_id=status.id)


# -- leave of authors elsewhere --------------------------------------------------------------------------------------


def _leave_asked(tx: Tx, event: events.LeaveAsked) -> None:
    """An answer or boost goes to whose leave it needs, and says already to whom it would go."""
    status = statuses.find(tx, event.status_id)
    if status is None or status.deleted_at is not None:
        return
    if status.reblog_of_id is None:
        _create(tx, status)
    elif (original := statuses.find(tx, status.reblog_of_id)) is not None:
        _announce(tx, audience.author_of(tx, status), status, original)


def _leave_withdrawn(tx: Tx, event: events.LeaveWithdrawn) -> None:
    """Who has an answer that its author here alone shall see hears that it is gone; by its author's own Delete nobody
    would any more."""
    status = statuses.find(tx, event.status_id)
    if status is None:
        return
    author, written = audience.author_of(tx, status), leaves.as_written(tx, status)
    to, cc = render.addressing(tx, written, author)
    document = render.activity("Delete", telling.new_uri(tx), author, render.gone(status.uri), at=tx.ms, to=to, cc=cc)
    _post_about(tx, author, written, document, audience.of_status(tx, written, touched=True))


# -- quotes ----------------------------------------------------------------------------------------------------------


def _quote_requested(tx: Tx, event: events.QuoteRequested) -> None:
    """The author of what is quoted is asked, with the post itself, since they may not be able to fetch it yet."""
    status, paper = statuses.find(tx, event.status_id), quotes.find(tx, event.status_id)
    quoted = statuses.find(tx, status.quoted_id) if status is not None and status.quoted_id is not None else None
    if status is None or paper is None or quoted is None or status.deleted_at is not None or paper.request_uri is None:
        return
    author, asked = audience.author_of(tx, status), audience.author_of(tx, quoted)
    document = render.activity(
        "QuoteRequest", paper.request_uri, author, quoted.uri, at=status.created_at, to=[asked.uri],
        instrument=render.note(tx, status),
    )  # fmt: skip
    _post_about(tx, author, status, document, audience.people(tx, [asked.id], status.reach, shared=False))


def _quote_answered(tx: Tx, event: events.QuoteAnswered) -> None:
    author, requester = accounts.find(tx, event.account_id), accounts.find(tx, event.requester_id)
    quoted = statuses.find(tx, event.quoted_id)
    if author is None or requester is None or quoted is None:
        return
    inner = {
        "id": event.request_uri, "type": "QuoteRequest", "actor": requester.uri, "object": quoted.uri,
        "instrument": event.quoting_uri,
    }  # fmt: skip
    kind = "Accept" if event.stamp_uri else "Reject"
    more: dict[str, Any] = {"result": event.stamp_uri} if event.stamp_uri else {}
    document = render.activity(kind, telling.new_uri(tx), author, inner, at=tx.ms, to=[requester.uri], **more)
    _between(tx, author, requester, document)


def _quote_changed(tx: Tx, event: events.QuoteChanged) -> None:
    """Who has a post of ours hears that it may show what it quotes, or may no longer."""
    status = statuses.find(tx, event.status_id)
    if status is not None and status.deleted_at is None and event.state in (quotes.ACCEPTED, quotes.REVOKED):
        _update_note(tx, status)


def _quote_revoked(tx: Tx, event: events.QuoteRevoked) -> None:
    """The leave is gone: told to the author of the quote, to who may have it from us, and to who has what is quoted."""
    status, author = statuses.find(tx, event.status_id), accounts.find(tx, event.account_id)
    quoted = statuses.find(tx, status.quoted_id) if status is not None and status.quoted_id is not None else None
    if status is None or author is None or quoted is None:
        return
    destinations = audience.people(tx, [status.account_id], quoted.reach)
    destinations |= audience.of_status(tx, quoted, touched=True)
    if status.local:
        destinations |= audience.of_status(tx, status, touched=True)
    to, cc = render.addressing(tx, quoted, author)
    more: dict[str, Any] = {"scope": quoted.reach} if quoted.reach != "public" else {}
    document = render.activity("Delete", telling.new_uri(tx), author, event.stamp_uri, at=tx.ms, to=to, cc=cc, **more)
    _post_about(tx, author, quoted, document, destinations)


def _quote_policy_changed(tx: Tx, event: events.QuotePolicyChanged) -> None:
    status = statuses.find(tx, event.status_id)
    if status is not None and status.deleted_at is None:
        _update_note(tx, status)


# -- follows ---------------------------------------------------------------------------------------------------------


def _pair(tx: Tx, event: Any) -> tuple[Account, Account]:
    found = accounts.find_many(tx, [event.follower_id, event.target_id])
    return found[event.follower_id], found[event.target_id]


def _follow(tx: Tx, uri: str, follower: Account, target: Account, **more: Any) -> dict[str, Any]:
    return render.activity("Follow", uri, follower, target.uri, at=tx.ms, to=[target.uri], **more)


def _follow_requested(tx: Tx, event: events.FollowRequested) -> None:
    follower, target = _pair(tx, event)
    if not target.local:
        said = {"content": event.message, "instrument": event.link}
        more = {name: value for name, value in said.items() if value}
        _between(tx, follower, target, _follow(tx, event.uri, follower, target, **more))


def _unfollowed(tx: Tx, event: events.Unfollowed) -> None:
    follower, target = _pair(tx, event)
    if not target.local:
        _between(tx, follower, target, telling.undo(tx, follower, _follow(tx, event.uri, follower, target), target))


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
    document = render.activity(kind, telling.new_uri(tx), target, inner, at=tx.ms, to=[follower.uri])
    _between(tx, target, follower, document)


def _between(tx: Tx, sender: Account, receiver: Account, document: dict[str, Any]) -> None:
    destinations = audience.people(tx, [receiver.id], "public", shared=False)
    telling.post(tx, sender, document, destinations, reach="public")


# -- accounts --------------------------------------------------------------------------------------------------------


def _account_updated(tx: Tx, event: events.AccountUpdated) -> None:
    account = accounts.find(tx, event.account_id)
    if account is None or account.hidden:
        return
    to, cc = [PUBLIC], [account.followers_uri or account.uri]
    # The actor keeps its context: the terms of cid/v1 are protected, and a proof that repeated them would not expand.
    update = render.activity("Update", telling.new_uri(tx), account, render.actor(tx, account), at=tx.ms, to=to, cc=cc)
    telling.post(tx, account, update, audience.of_account(tx, account.id), reach=UPDATE_REACH)
    if accounts.end_rotation(tx, account.id):  # the old keys sign this as their last word
        telling.date_before(tx, update["id"])
    if account.is_group:
        group_telling.key_changed(tx, account)


def _account_deleted(tx: Tx, event: events.AccountDeleted) -> None:
    account = accounts.find(tx, event.account_id)
    if account is not None:
        document = render.activity("Delete", telling.new_uri(tx), account, account.uri, at=tx.ms, to=[PUBLIC])
        destinations = audience.of_account(tx, account.id)
        if account.is_group and (rules := groups.find(tx, account.id)) is not None and rules.listed:
            destinations |= audience.departments(tx)  # it stands in the lists of groups there
        telling.post(tx, account, document, destinations, reach=UPDATE_REACH)


def _account_moved(tx: Tx, event: events.AccountMoved) -> None:
    found = accounts.find_many(tx, [event.account_id, event.target_id])
    account, target = found.get(event.account_id), found.get(event.target_id)
    if account is None or target is None or account.hidden:
        return
    to = [account.followers_uri or account.uri]
    document = render.activity("Move", telling.new_uri(tx), account, account.uri, at=tx.ms, to=to, target=target.uri)
    telling.post(tx, account, document, audience.of_account(tx, account.id), reach=UPDATE_REACH)


# -- reports ---------------------------------------------------------------------------------------------------------


def _report_forwarded(tx: Tx, event: events.ReportForwarded) -> None:
    """The server itself says it, and says nothing of who told it. Without a proof, like a direct message."""
    report = reports.find(tx, event.report_id)
    target = accounts.find(tx, report.target_id) if report is not None else None
    if report is None or target is None:
        return
    posts = statuses.find_many(tx, report.posts)
    about = [posts[id_].uri for id_ in report.posts if id_ in posts]
    one_by_one = discovery.reads_one(tx, target.domain)
    flags: list[Any] = about or [target.uri] if one_by_one else [[target.uri, *about]]
    server = accounts.instance_actor(tx)
    for number, things in enumerate(flags):
        uri = telling.new_uri(tx) if number else report.uri
        document = render.activity(
            "Flag", uri, server, things, at=report.created_at, to=[target.uri], content=report.comment
        )
        if not one_by_one:
            document["to"] = target.uri  # where BookWyrm reads whom it is about, and only as one URL
        telling.post(tx, server, document, audience.people(tx, [target.id], "public"), reach="public", proof=False)


# -- passing on -----------------------------------------------------------------------------------------------------


def _forwarded(tx: Tx, event: events.ActivityForwarded) -> None:
    """Inbox forwarding: the bytes stay as they came; our own signature is only that of the messenger."""
    body = telling.find_received(tx, event.activity_uri)
    if body is None:
        return
    document = orjson.loads(body)
    sender = accounts.find_by_uri(tx, str(document.get("actor")))
    home = sender.origin.split("://", 1)[1] if sender else ""
    scope = document.get("scope")
    reach = scope if scope in ("company", "partners") else "public"
    status = statuses.find(tx, event.status_id) if event.status_id is not None else None
    if status is not None:
        reach = status.reach
    told = audience.followers(tx, event.account_id, reach)
    if status is not None:
        told = audience.of_status(tx, status, touched=True)
    destinations = {item for item in told if item.domain != home}
    telling.keep(tx, event.account_id, event.activity_uri, str(document.get("type")), body, destinations, reach=reach)


_TELLERS: dict[type[Event], Callable[[Tx, Any], None]] = {
    events.StatusPublished: _published,
    events.StatusEdited: _edited,
    events.StatusDeleted: _deleted,
    events.StatusReblogged: _reblogged,
    events.StatusUnreblogged: _unreblogged,
    events.StatusFavourited: _favourited,
    events.StatusUnfavourited: _unfavourited,
    events.StatusReacted: _reacted,
    events.StatusUnreacted: _unreacted,
    events.StatusPinned: _pinned,
    events.LeaveAsked: _leave_asked,
    events.LeaveWithdrawn: _leave_withdrawn,
    events.QuoteRequested: _quote_requested,
    events.QuoteAnswered: _quote_answered,
    events.QuoteChanged: _quote_changed,
    events.QuoteRevoked: _quote_revoked,
    events.QuotePolicyChanged: _quote_policy_changed,
    events.PollVoted: _voted,
    events.PollChanged: _poll_changed,
    events.FollowRequested: _follow_requested,
    events.FollowAccepted: _follow_accepted,
    events.FollowRejected: _follow_rejected,
    events.Unfollowed: _unfollowed,
    events.AccountUpdated: _account_updated,
    events.AccountDeleted: _account_deleted,
    events.AccountMoved: _account_moved,
    events.GroupPosted: group_telling.posted,
    events.ActivityForGroup: group_telling.passed_on,
    events.MemberChanged: group_telling.member_changed,
    events.PostJudged: group_telling.judged,
    events.GroupChanged: group_telling.changed,
    events.Invited: group_telling.invited,
    events.InvitationEnded: group_telling.invitation_ended,
    events.GroupWished: group_telling.wished,
    events.ReportForwarded: _report_forwarded,
    events.ActivityForwarded: _forwarded,
}
