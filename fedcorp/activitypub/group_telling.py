"""What groups tell other servers, and what our people want of groups elsewhere.

A local group writes an entry of its ledger for everything that it accepts and announces both together, in the order of
the ledger. Departments get all of it; servers of another make get posts and what becomes of them, in the form that they
understand. What members-only groups say goes to servers of members that can keep it; others are refused, or served by
`relay`.

Sources: FEP-1b12 (announced activities), FEP-1a11 (several in one Announce), FEP-5219 (relationships).
"""

import logging
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.activitypub import audience, group_words, ledger, relay, render, telling
from fedcorp.activitypub.audience import Destination
from fedcorp.activitypub.group_words import Act
from fedcorp.activitypub.vocabulary import PUBLIC
from fedcorp.social import accounts, events, group_posts, groups, invitations, memberships, policy, statuses, wishes
from fedcorp.social.accounts import Account
from fedcorp.social.groups import Group
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import ledger_heads

BATCH = 50  # entries in one Announce

log = logging.getLogger("fedcorp.activitypub")

_UNANNOUNCED = (
    sa.select(ledger_heads.c.group_id)
    .join(accounts_table, accounts_table.c.id == ledger_heads.c.group_id)
    .where(ledger_heads.c.announced < ledger_heads.c.seq, accounts_table.c.local)
)
_ANNOUNCED = (
    sa.update(ledger_heads)
    .where(ledger_heads.c.group_id == sa.bindparam("group"))
    .values(announced=sa.bindparam("upto"))
)


# -- announcing ------------------------------------------------------------------------------------------------------


def flush(tx: Tx, *, full: bool = False) -> None:
    """Announce what stands in ledgers of ours and was not announced yet, many entries at a time.

    With `full`, as long as more events wait, only what fills an announcement: whoever gets hundreds of new members at
    once would tell all departments of a few at a time.
    """
    for group_id in list(tx.conn.execute(_UNANNOUNCED).scalars()):
        group, rules = accounts.find(tx, group_id), groups.find(tx, group_id)
        if group is not None and rules is not None:
            _flush(tx, group, rules, full=full)


def _flush(tx: Tx, group: Account, rules: Group, *, full: bool = False) -> None:
    """Only what keeps its body can wait here: members, roles and rules."""
    while True:
        last = ledger.head(tx, group.id)
        rows = ledger.entries(tx, group.id, last.announced, BATCH)
        if not rows or (full and len(rows) < BATCH):
            return
        inner = [orjson.loads(body) for _, _, body, _ in rows if body is not None]
        signed = [orjson.loads(entry) for _, entry, _, _ in rows]
        departments = _departments(tx, group, rules)
        _announce(tx, group, rules, inner, signed, departments, reach=rules.reach)
        for doc, entry in zip(inner, signed, strict=True):
            _tell_home(tx, group, rules, doc, entry, departments)
        tx.conn.execute(_ANNOUNCED, {"group": group.id, "upto": rows[-1][0]})


def _tell_home(
    tx: Tx, group: Account, rules: Group, doc: dict[str, Any], entry: dict[str, Any], told: set[Destination]
) -> None:
    """The department of somebody who left or was banned hears of that, when nobody there belongs: just this entry."""
    relation = doc.get("object")
    uri = relation.get("subject") if isinstance(relation, dict) else None
    subject = accounts.find_by_uri(tx, uri) if isinstance(uri, str) else None
    if subject is None:
        return
    home = audience.people(tx, [subject.id], rules.reach) - told
    destinations = {item for item in home if audience.may_hold(tx, item.domain)}
    if destinations:
        _announce(tx, group, rules, [doc], [entry], destinations, reach=rules.reach)


def _announce(
    tx: Tx,
    group: Account,
    rules: Group,
    inner: list[dict[str, Any]],
    signed: list[dict[str, Any]],
    destinations: set[Destination],
    *,
    reach: str,
    status_id: int | None = None,
) -> None:
    followers = [group.followers_uri] if group.followers_uri else []
    to, cc = (followers, []) if rules.members_only else ([PUBLIC], followers)
    more: dict[str, Any] = {"audience": group.uri}
    if reach != "public":
        more["scope"] = reach
    if signed:
        more["entry"] = signed if len(signed) > 1 else signed[0]
    what = inner if len(inner) != 1 else inner[0]
    document = render.activity("Announce", telling.new_uri(tx), group, what, at=tx.ms, to=to, cc=cc, **more)
    telling.post(tx, group, document, destinations, reach=reach, status_id=status_id)


def _accept(
    tx: Tx, group: Account, rules: Group, inner: dict[str, Any], destinations: set[Destination], status: Status
) -> None:
    """Write the entry of what was done to a post, and announce both. What waits in the ledger goes first.

    A server that keeps a copy of the ledger and is not among the destinations gets the entry, which has no words.
    """
    _flush(tx, group, rules)
    signed = ledger.append(tx, group, inner, keep=inner["actor"] == group.uri)
    _announce(tx, group, rules, [inner], [signed], destinations, reach=status.reach, status_id=status.id)
    others = _departments(tx, group, rules) - destinations
    if others:
        _announce(tx, group, rules, [signed], [], others, reach=status.reach)
    tx.conn.execute(_ANNOUNCED, {"group": group.id, "upto": signed["seq"]})


def _departments(tx: Tx, group: Account, rules: Group) -> set[Destination]:
    """Servers that keep copies of the ledger."""
    return audience.holding(tx, audience.followers(tx, group.id, rules.reach))


def _everybody(tx: Tx, group: Account, rules: Group, status: Status) -> set[Destination]:
    """The servers of members, and that of the author."""
    found = audience.followers(tx, group.id, status.reach) | audience.people(tx, [status.account_id], status.reach)
    return audience.holding(tx, found) if rules.members_only else found


def _reads(tx: Tx, group: Account, destination: Destination, at: int) -> bool:
    """Whether somebody of a server belongs to the group since a time that lets them read what was passed on at `at`."""
    origins = (f"https://{destination.domain}", f"http://{destination.domain}")
    return any(memberships.has_reader(tx, group, at, origin=origin) for origin in origins)


def _by_dialect(
    tx: Tx, destinations: set[Destination], *, knows_activity: bool
) -> tuple[set[Destination], set[Destination]]:
    """(those that get the wrapped activity, those that get the id of the object)"""
    wrapping, boosting = set(), set()
    dialects = audience.dialects(tx, destinations) if knows_activity else {}
    for destination in destinations:
        dialect = dialects.get(destination, "boost")
        if dialect != "boost":
            wrapping.add(destination)
        if dialect in ("boost", "both"):
            boosting.add(destination)
    return wrapping, boosting


def _find(tx: Tx, group_id: int) -> tuple[Account, Group] | None:
    group, rules = accounts.find(tx, group_id), groups.find(tx, group_id)
    return (group, rules) if group is not None and rules is not None and group.local else None


# -- posts -----------------------------------------------------------------------------------------------------------


def posted(tx: Tx, event: events.GroupPosted) -> None:
    """The group announces a status: the whole Create to servers that know groups, else its id."""
    found, original = _find(tx, event.group_id), statuses.find(tx, event.status_id)
    wrapper = statuses.find(tx, event.reblog_id)
    if found is None or original is None or wrapper is None or wrapper.deleted_at is not None:
        return
    group, rules = found
    create = telling.find_create(tx, original)
    wrapping, boosting = _by_dialect(tx, _everybody(tx, group, rules, original), knows_activity=create is not None)
    if original.in_reply_to_uri is not None or rules.members_only:
        boosting = set()  # answers reach such servers through their authors
    document = telling.announce(tx, wrapper, original, group)
    telling.post(tx, group, document, boosting, reach=original.reach, status_id=original.id)
    if create is not None:
        wrapping = audience.without_echo(tx, wrapping, create["actor"])
        _accept(tx, group, rules, create, wrapping, original)
        changed = telling.find_update(tx, original)  # while it waited, or was taken out
        if changed is not None:
            _accept(tx, group, rules, changed, wrapping, original)
    relay.said(tx, group, rules, original)


def pass_on(tx: Tx, status: Status, uri: str, body: bytes) -> None:
    """What the author of a post in one of our groups changes about it goes to all members."""
    found = _find(tx, status.group_id) if status.group_id is not None else None
    if found is None or status.visibility not in ("public", "unlisted", policy.GROUP):
        return
    group, rules = found
    inner = orjson.loads(body)
    known = group_posts.find(tx, group.id, status.id)
    told = ("distributed", "removed") if inner["type"] == "Delete" else ("distributed",)
    if known is None or known.state not in told:
        return  # what members were not given, or not any more, they do not hear of
    wrapping, boosting = _by_dialect(tx, _everybody(tx, group, rules, status), knows_activity=True)
    wrapping = audience.without_echo(tx, wrapping, inner["actor"])
    if rules.members_only and rules.history == "joined":
        wrapping = {item for item in wrapping if _reads(tx, group, item, known.created_at)}
    _accept(tx, group, rules, inner, wrapping, status)
    if not rules.members_only:
        telling.keep(tx, group.id, uri, str(inner["type"]), body, boosting, reach=status.reach, status_id=status.id)
    if inner["type"] == "Update":
        relay.said(tx, group, rules, status, changed=True)
    elif inner["type"] == "Delete":
        relay.taken_back(tx, group, rules, status)


def reacted(tx: Tx, status: Status, actor: Account, inner: dict[str, Any]) -> None:
    """A like of a post in one of our groups, or its Undo, goes on to servers that are known to count for themselves
    (Lemmy and its kin), and to the author's, whom such servers do not tell. It has no entry in the ledger. Thumbs down
    goes where people vote as a Dislike, and as nothing else.
    """
    found = _find(tx, status.group_id) if status.group_id is not None else None
    if found is None or found[1].members_only or status.visibility not in ("public", "unlisted"):
        return
    group, rules = found
    home = actor.origin.split("://", 1)[1]
    members = audience.followers(tx, group.id, status.reach)
    destinations = {item for item, dialect in audience.dialects(tx, members).items() if dialect == "wrap"}
    if not actor.local and not audience.may_hold(tx, home):
        destinations |= audience.people(tx, [status.account_id], status.reach)
    destinations = {item for item in destinations if item.domain != home}
    undone = inner["object"] if inner["type"] == "Undo" and isinstance(inner["object"], dict) else inner
    if undone.get("type") == "EmojiReact":
        destinations -= audience.voting(tx, destinations)
    elif undone.get("type") == "Dislike" and actor.local:
        destinations &= audience.voting(tx, destinations)  # the others have it as a reaction
    if destinations:
        _announce(tx, group, rules, [inner], [], destinations, reach=status.reach, status_id=status.id)


def passed_on(tx: Tx, event: events.ActivityForGroup) -> None:
    """What a member elsewhere did to a post of the group."""
    body = telling.find_received(tx, event.activity_uri)
    if body is None:
        return
    inner = orjson.loads(body)
    target = inner.get("object")
    if inner.get("type") == "Undo" and isinstance(target, dict):
        target = target.get("object")
    status = statuses.find_by_uri(tx, target.get("id", "") if isinstance(target, dict) else str(target))
    if status is None:
        return
    actor = accounts.find_by_uri(tx, str(inner.get("actor")))
    if inner.get("type") not in ("Like", "EmojiReact", "Dislike", "Undo"):
        pass_on(tx, status, event.activity_uri, body)
    elif actor is not None:
        reacted(tx, status, actor, inner)


def judged(tx: Tx, event: events.PostJudged) -> None:
    """What moderators did to a post. Everybody with a copy hears of it; that it waits or was refused, its author."""
    found, status = _find(tx, event.group_id), statuses.find(tx, event.status_id)
    if found is None or status is None:
        return
    group, rules = found
    if event.verdict == "rejected":
        log.info("the group %s did not take a post: %s", group.handle, event.reason)
    if event.verdict in ("held", "rejected"):
        _tell_author(tx, group, status, event)
        return
    inner = _judgement(tx, group, status, event)
    if inner is None:
        return
    wrapping, _ = _by_dialect(tx, _everybody(tx, group, rules, status), knows_activity=True)
    keeping = audience.holding(tx, wrapping)
    _accept(tx, group, rules, inner, keeping, status)
    if rules.members_only:
        if event.verdict == "removed":
            relay.taken_back(tx, group, rules, status)
        return
    thing = {**inner["object"], "summary": event.reason} if event.verdict == "restored" else inner["object"]
    more = {name: inner[name] for name in ("target",) if name in inner}
    more |= {"summary": event.reason} if event.reason or event.verdict == "removed" else {}
    act = Act(inner["type"], thing, more, event.actor_id, event.act_uri)
    group_words.announce(tx, group, act, wrapping - keeping, reach=status.reach, status_id=status.id)


def _judgement(tx: Tx, group: Account, status: Status, event: events.PostJudged) -> dict[str, Any] | None:
    more = _because(tx, event.actor_id, event.act_uri, event.reason) | {"audience": group.uri}
    to = [group.followers_uri or group.uri]
    uri = telling.new_uri(tx)
    thing = status.uri
    root = statuses.find(tx, status.thread_id)
    match event.verdict:
        case "removed":
            return render.activity("Delete", uri, group, thing, at=tx.ms, to=to, **more)
        case "restored":
            inner = {"type": "Delete", "actor": group.uri, "object": thing}
            return render.activity("Undo", uri, group, inner, at=tx.ms, to=to, **more)
        case "locked":
            thread = root.uri if root is not None else thing
            return render.activity("Lock", uri, group, thread, at=tx.ms, to=to, **more)
        case "unlocked":
            inner = {"type": "Lock", "actor": group.uri, "object": root.uri if root is not None else thing}
            return render.activity("Undo", uri, group, inner, at=tx.ms, to=to, **more)
        case "pinned" | "unpinned":
            kind = "Add" if event.verdict == "pinned" else "Remove"
            more["target"] = group.featured_uri
            return render.activity(kind, uri, group, thing, at=tx.ms, to=to, **more)
    return None


def _because(tx: Tx, actor_id: int | None, act_uri: str | None, reason: str) -> dict[str, Any]:
    """Who of the moderators decided it, by which activity of theirs, and why."""
    actor = accounts.find(tx, actor_id) if actor_id is not None else None
    more: dict[str, Any] = {"summary": reason} if reason else {}
    if actor is not None:
        more["instrument"] = {"type": "Activity", "actor": actor.uri} | ({"id": act_uri} if act_uri else {})
    return more


def _tell_author(tx: Tx, group: Account, status: Status, event: events.PostJudged) -> None:
    author, create = accounts.find(tx, status.account_id), telling.find_create(tx, status)
    if author is None or author.local or create is None:
        return
    kind = "TentativeAccept" if event.verdict == "held" else "Reject"
    more: dict[str, Any] = {"summary": event.reason} if event.reason else {}
    document = render.activity(kind, telling.new_uri(tx), group, create["id"], at=tx.ms, to=[author.uri], **more)
    destinations = audience.people(tx, [author.id], status.reach, shared=False)
    telling.post(tx, group, document, destinations, reach=status.reach)


# -- members and rules -----------------------------------------------------------------------------------------------


def member_changed(tx: Tx, event: events.MemberChanged) -> None:
    """A role began or ended: an entry of the ledger, announced with others (`flush`)."""
    found, subject = _find(tx, event.group_id), accounts.find(tx, event.account_id)
    if found is None or subject is None:
        return
    group, rules = found
    kind = "Remove" if event.role is None else "Add"
    more = _because(tx, event.actor_id, event.act_uri, event.reason) | {"target": group.uri + "/affiliations"}
    relation = affiliation(group, subject.uri, event.role or event.was or "member", at=tx.ms, until_at=event.until_at)
    inner = render.activity(
        kind, telling.new_uri(tx), group, relation, at=tx.ms, to=[group.followers_uri or ""], **more
    )
    ledger.append(tx, group, inner, keep=True, announced=False)
    act = group_words.of_member(group, subject, event)
    if act is not None and not rules.members_only:
        group_words.announce(tx, group, act, _others(tx, group, rules, subject), reach=rules.reach)


def _others(tx: Tx, group: Account, rules: Group, *subjects: Account) -> set[Destination]:
    """Servers of another make where members are, and those of whom it is about, that take whole activities."""
    found = audience.followers(tx, group.id, rules.reach) | audience.people(
        tx, [one.id for one in subjects], rules.reach
    )
    return {item for item, dialect in audience.dialects(tx, found).items() if dialect in ("wrap", "both")}


def affiliation(
    group: Account, subject_uri: str, role: str, *, at: int | None = None, until_at: int | None = None
) -> dict[str, Any]:
    """The Relationship of somebody to a group (FEP-5219). `at` and `until_at` are ms."""
    document: dict[str, Any] = {
        "type": "Relationship", "attributedTo": group.uri, "subject": subject_uri, "object": group.uri,
        "relationship": role,
    }  # fmt: skip
    if at is not None:
        document["startTime"] = render.time(at)
    if until_at is not None:
        document["endTime"] = render.time(until_at)
    return document


def changed(tx: Tx, event: events.GroupChanged) -> None:
    """The rules changed: an entry with the whole group as it is now."""
    found = _find(tx, event.group_id)
    if found is None or found[0].hidden:
        return
    group, _ = found
    more = _because(tx, event.actor_id, event.act_uri, "")
    to = [group.followers_uri or ""]
    inner = render.activity("Update", telling.new_uri(tx), group, render.actor(tx, group), at=tx.ms, to=to, **more)
    ledger.append(tx, group, inner, keep=True, announced=False)


def key_changed(tx: Tx, group: Account) -> None:
    """The group may have new keys: where it has, an entry says so, and those behind it are signed with them."""
    ledger.change_key(tx, group, telling.new_uri(tx))


# -- single people ---------------------------------------------------------------------------------------------------


def invited(tx: Tx, event: events.Invited) -> None:
    """An invitation goes to the server of whom it is for."""
    _invitation(tx, event.group_id, event.invitation_id, undo=False)


def invitation_ended(tx: Tx, event: events.InvitationEnded) -> None:
    """One that was revoked is taken back."""
    if event.state == "revoked":
        _invitation(tx, event.group_id, event.invitation_id, undo=True)


def _invitation(tx: Tx, group_id: int, invitation_id: int, *, undo: bool) -> None:
    found, item = _find(tx, group_id), invitations.find(tx, invitation_id)
    invitee = accounts.find(tx, item.account_id) if item is not None else None
    if found is None or item is None or invitee is None or invitee.local:
        return
    group, rules = found
    more: dict[str, Any] = {"target": invitee.uri, "endTime": render.time(item.expires_at)}
    if item.message:
        more["content"] = item.message
    document = render.activity("Invite", item.uri, group, group.uri, at=tx.ms, to=[invitee.uri], **more)
    if undo:
        document = telling.undo(tx, group, document, invitee)
    destinations = audience.people(tx, [invitee.id], "public", shared=False)
    if rules.members_only:
        destinations = audience.holding(tx, destinations)
    telling.post(tx, group, document, destinations, reach="public")


# -- wishes ----------------------------------------------------------------------------------------------------------


def wished(tx: Tx, event: events.GroupWished) -> None:
    """What one of our people wants of a group elsewhere, as an activity of theirs to the group."""
    wish, group = wishes.find(tx, event.wish_id), accounts.find(tx, event.group_id)
    actor = accounts.find(tx, wish.account_id) if wish is not None else None
    rules = groups.find(tx, event.group_id)
    if wish is None or group is None or actor is None or rules is None:
        return
    detail = orjson.loads(event.detail)
    kind, thing, more = _WISHES[wish.act](group, actor, wish.subject_uri, detail)
    if detail.get("reason"):
        more["summary"] = detail["reason"]
    to, cc = [group.uri], []
    if rules.ledger_uri is None and wish.act == "report":
        thing, more = _one_report(thing, more)
    if rules.ledger_uri is None and wish.act in ("judge", "ban", "unban", "role"):
        to, cc = [PUBLIC], [group.uri]
        if wish.act == "role":  # moderators are persons in a collection there
            kind, thing = "Add" if policy.may_moderate(detail["role"]) else "Remove", wish.subject_uri
            more["target"] = f"{group.uri}/moderators"
        act = group_words.worded(Act(kind, thing, more), group, wish.uri)
        kind, thing, more = act.kind, act.thing, act.more
    document = render.activity(kind, wish.uri, actor, thing, at=tx.ms, to=to, cc=cc, audience=group.uri, **more)
    telling.post(tx, actor, document, audience.people(tx, [group.id], "public", shared=False), reach="public")


_Wanted = tuple[str, Any, dict[str, Any]]


def _follow(group: Account, subject: str) -> dict[str, Any]:
    return {"type": "Follow", "actor": subject, "object": group.uri}


def _approve(group: Account, _actor: Account, subject: str, _detail: dict[str, Any]) -> _Wanted:
    return "Accept", _follow(group, subject), {}


def _refuse(group: Account, _actor: Account, subject: str, _detail: dict[str, Any]) -> _Wanted:
    return "Reject", _follow(group, subject), {}


def _invite(group: Account, _actor: Account, subject: str, detail: dict[str, Any]) -> _Wanted:
    more: dict[str, Any] = {"target": subject}
    if detail.get("expires_at"):
        more["endTime"] = render.time(detail["expires_at"])
    if detail.get("message"):
        more["content"] = detail["message"]
    return "Invite", group.uri, more


def _revoke(group: Account, _actor: Account, subject: str, _detail: dict[str, Any]) -> _Wanted:
    return "Undo", {"type": "Invite", "object": group.uri, "target": subject}, {}


def _decline(group: Account, _actor: Account, subject: str, _detail: dict[str, Any]) -> _Wanted:
    return "Reject", {"type": "Invite", "id": subject, "object": group.uri}, {}


def _remove(group: Account, _actor: Account, subject: str, _detail: dict[str, Any]) -> _Wanted:
    return "Remove", affiliation(group, subject, "member"), {"target": group.uri + "/affiliations"}


def _ban(group: Account, _actor: Account, subject: str, detail: dict[str, Any]) -> _Wanted:
    more: dict[str, Any] = {"target": group.uri}
    if detail.get("until_at"):
        more["endTime"] = render.time(detail["until_at"])
    return "Block", subject, more


def _unban(group: Account, actor: Account, subject: str, _detail: dict[str, Any]) -> _Wanted:
    return "Undo", {"type": "Block", "actor": actor.uri, "object": subject, "target": group.uri}, {}


def _role(group: Account, _actor: Account, subject: str, detail: dict[str, Any]) -> _Wanted:
    return "Add", affiliation(group, subject, detail["role"]), {"target": group.uri + "/affiliations"}


def _judge(group: Account, actor: Account, subject: str, detail: dict[str, Any]) -> _Wanted:
    featured = {"target": group.featured_uri}
    match detail["verdict"]:
        case "removed":  # the summary, also an empty one, tells it from the Delete of an author
            return "Delete", subject, {"summary": ""}
        case "restored":
            return "Undo", {"type": "Delete", "actor": actor.uri, "object": subject}, {}
        case "locked":
            return "Lock", subject, {}
        case "unlocked":
            return "Undo", {"type": "Lock", "actor": actor.uri, "object": subject}, {}
        case "pinned":
            return "Add", subject, featured
        case "unpinned":
            return "Remove", subject, featured
        case "accepted":
            return "Accept", {"type": "Note", "id": subject}, {}
        case _:
            return "Reject", {"type": "Note", "id": subject}, {}


def _change(group: Account, _actor: Account, _subject: str, detail: dict[str, Any]) -> _Wanted:
    return "Update", {"type": "Group", "id": group.uri, "settings": detail["settings"]}, {}


def _archive(group: Account, _actor: Account, _subject: str, detail: dict[str, Any]) -> _Wanted:
    return "Update", {"type": "Group", "id": group.uri, "archived": bool(detail["archived"])}, {}


def _delete(group: Account, _actor: Account, _subject: str, _detail: dict[str, Any]) -> _Wanted:
    return "Delete", {"type": "Group", "id": group.uri}, {}


def _report(group: Account, _actor: Account, subject: str, detail: dict[str, Any]) -> _Wanted:
    return "Flag", [subject, *detail.get("status_uris", [])], {"content": detail.get("comment", "")}


def _one_report(things: list[str], more: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A report about one thing, the post or else the person: servers of other makes read one address there, and PieFed
    fails on a list. Further posts are named in the words."""
    first, *rest = things[1:] or things
    return first, {**more, "content": "\n".join([more["content"], *rest]).strip()}


def _resolve(_group: Account, _actor: Account, subject: str, _detail: dict[str, Any]) -> _Wanted:
    return "Resolve", subject, {}


_WISHES = {
    "approve": _approve,
    "refuse": _refuse,
    "invite": _invite,
    "revoke": _revoke,
    "decline": _decline,
    "remove": _remove,
    "ban": _ban,
    "unban": _unban,
    "role": _role,
    "judge": _judge,
    "change": _change,
    "archive": _archive,
    "delete": _delete,
    "report": _report,
    "resolve": _resolve,
}


def answer(tx: Tx, group: Account, actor: Account, act_uri: str, *, refused: str | None) -> None:
    """Tell a moderator elsewhere what became of their activity: done, or `refused` with a reason."""
    kind = "Accept" if refused is None else "Reject"
    more: dict[str, Any] = {} if refused is None else {"summary": refused}
    document = render.activity(kind, telling.new_uri(tx), group, act_uri, at=tx.ms, to=[actor.uri], **more)
    destinations = audience.people(tx, [actor.id], "public", shared=False)
    telling.post(tx, group, document, destinations, reach="public")
