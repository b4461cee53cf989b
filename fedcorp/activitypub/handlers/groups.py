"""What groups of other servers pass on: whole activities inside an Announce (FEP-1b12), with entries of their ledgers.

The group vouches for its own decisions: who belongs, which post it took, what it took out again; groups of other makes
tell them in the words of the moderator who decided (`decisions`). What somebody else is said to have done is believed
for that person's proof, because it comes from the same department as the group, or because it, or the object that it
speaks of, was read again at its own address. Where a ledger is kept, decisions count in its order and only once; what
is missing is fetched before. Posts of members that arrive at a group of ours come as plain Create; the group takes or
leaves them in `social.effects`.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fedcorp.activitypub import ledger, ledger_keys, translate
from fedcorp.activitypub.compaction import normalize
from fedcorp.activitypub.documents import Activity, domain_of, origin, parse_json, read_activity, same_origin
from fedcorp.activitypub.handlers import actors, decisions, interactions, statuses
from fedcorp.activitypub.handlers.parties import (
    IGNORED,
    PROCESSED,
    find_status,
    has_local_follower,
    is_undone,
    sender,
)
from fedcorp.activitypub.intake import Deferred, Intake
from fedcorp.activitypub.jsonld import is_plain
from fedcorp.activitypub.ledger import Entry, Fork
from fedcorp.activitypub.proofs import in_its_context, proof_of, verify_proof
from fedcorp.activitypub.vocabulary import (
    ACTIVITY_TYPES,
    COLLECTION_TYPES,
    NOTE_TYPES,
    as_list,
    first_string,
    ids_of,
    parse_time,
    types_of,
    value_or_id,
)
from fedcorp.clock import to_ms
from fedcorp.company import peers
from fedcorp.errors import BadRequest, FedcorpError, Forbidden
from fedcorp.keys import load_public
from fedcorp.social import accounts, group_posts, groups, memberships, policy, wishes
from fedcorp.social.accounts import Account
from fedcorp.social.memberships import Affiliation
from fedcorp.storage.database import Tx

MAX_BATCH = 50  # announced activities in one Announce (FEP-1a11)
log = logging.getLogger("fedcorp.activitypub")

_Step = Callable[[Tx, Activity, Intake], Any]
_INNER: dict[str, tuple[_Step, _Step]] = {
    "Create": (statuses.verify_create, statuses.receive_create),
    "Update": (statuses.verify_update, statuses.receive_update),
    "Delete": (statuses.verify_delete, statuses.receive_delete),
    "Like": (interactions.verify_reaction, interactions.receive_like),
    "EmojiReact": (interactions.verify_reaction, interactions.receive_like),
    "Dislike": (interactions.verify_reaction, interactions.receive_like),
}
_INNER_UNDO: dict[str, tuple[_Step, _Step]] = {
    "Like": (interactions.verify_undo, interactions.receive_undo_like),
    "EmojiReact": (interactions.verify_undo, interactions.receive_undo_like),
    "Dislike": (interactions.verify_undo, interactions.receive_undo_like),
}


def verify_announce(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Anybody may announce. Raises Forbidden when the actor is hidden, or may not see what it names."""
    if _holds_activities(activity.object) or activity.object_type == "Entry":
        sender(tx, activity, intake)
    else:
        interactions.verify_reaction(tx, activity, intake)


def receive_announce(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A boost, or what happened in a group that somebody here belongs to or wrote to."""
    if activity.object_type == "Entry":
        return _receive_bare(tx, activity, intake)
    if not _holds_activities(activity.object):
        return interactions.receive_announce(tx, activity, intake)
    group = sender(tx, activity, intake)
    if not group.is_group or is_undone(tx, activity.id):
        return IGNORED
    raw = parse_json(activity.raw)
    docs = [doc for doc in _listed(raw.get("object"))[:MAX_BATCH] if isinstance(doc, dict)]
    belongs, signed = has_local_follower(tx, group.id), _entries(raw)
    outcome = IGNORED
    for doc in docs:
        entry = signed.get(str(doc.get("id")))
        if belongs:
            what = _receive_one(tx, activity, group, doc, entry, intake)
        elif entry is not None and _decides_on_ours(tx, doc):
            what = _receive_last(tx, group, doc, entry, intake)
        elif tx.site.urls.owns(str(doc.get("actor"))):  # our author hears what became of it
            what = _receive_one(tx, activity, group, doc, None, intake)
        else:
            what = IGNORED
        outcome = PROCESSED if what == PROCESSED else outcome
    return outcome


def _listed(thing: Any) -> list[Any]:
    """What an Announce holds: one thing, several, or a collection of them without an id (FEP-1a11)."""
    if isinstance(thing, dict) and "id" not in thing and COLLECTION_TYPES & set(types_of(thing)):
        return as_list(thing.get("orderedItems") or thing.get("items"))
    return as_list(thing)


def _holds_activities(thing: Any) -> bool:
    listed = _listed(thing)
    return bool(listed) and all(ACTIVITY_TYPES & set(types_of(item)) for item in listed)


def _entries(raw: dict[str, Any]) -> dict[str, Entry]:
    found = (ledger.read(item) for item in as_list(raw.get("entry"))[:MAX_BATCH])
    return {entry.object_uri: entry for entry in found if entry is not None}


# -- the ledger ------------------------------------------------------------------------------------------------------


def _receive_one(
    tx: Tx, outer: Activity, group: Account, doc: dict[str, Any], entry: Entry | None, intake: Intake
) -> str:
    if entry is None:
        keeps = groups.find(tx, group.id)
        if keeps is not None and keeps.ledger_uri is not None and _decides_on_members(doc):
            return _leave(group, "who belongs is told with its entry, or not at all")
        return _receive_inner(tx, outer, group, doc, intake)
    ledger.check(tx, group, entry)
    if not ledger.fits(entry, doc):
        raise Forbidden("The entry speaks of another activity.")
    _catch_up(tx, group, intake, entry.seq - 1)
    return _take(tx, outer, group, entry, doc, intake)


def _receive_bare(tx: Tx, activity: Activity, intake: Intake) -> str:
    """An entry alone: what it stands for concerns a post that nobody here may read."""
    group = sender(tx, activity, intake)
    entry = ledger.read(parse_json(activity.raw).get("object"))
    if entry is None or not group.is_group or not has_local_follower(tx, group.id):
        return IGNORED
    ledger.check(tx, group, entry)
    _catch_up(tx, group, intake, entry.seq - 1)
    before = ledger.head(tx, group.id).seq
    _take(tx, None, group, entry, None, intake)
    return PROCESSED if ledger.head(tx, group.id).seq > before else IGNORED


def _receive_last(tx: Tx, group: Account, doc: dict[str, Any], entry: Entry, intake: Intake) -> str:
    """One of ours left or was banned, and nobody here belongs now: it counts, wherever our copy of the ledger ends."""
    ledger.check(tx, group, entry)
    if not ledger.fits(entry, doc):
        raise Forbidden("The entry speaks of another activity.")
    last = ledger.head(tx, group.id).seq
    if entry.seq <= last + 1:
        return _take(tx, None, group, entry, doc, intake)
    return _copy_member(tx, group, doc, chained=False)


def _take(
    tx: Tx, outer: Activity | None, group: Account, entry: Entry, doc: dict[str, Any] | None, intake: Intake
) -> str:
    """Put an entry into our copy, and act on what it stands for the first time it comes."""
    keep = doc if doc is not None and doc.get("actor") == group.uri and entry.kind in ledger.KEPT else None
    try:
        how = ledger.take(tx, group, entry, keep)
    except Fork:
        ledger.mark_forked(tx, group, entry, domain_of(group.uri))
        return IGNORED
    if how == "gap":
        return IGNORED if doc is None or _decides_on_members(doc) else _receive_inner(tx, outer, group, doc, intake)
    if how == "known" or doc is None:
        return IGNORED
    return _receive_inner(tx, outer, group, doc, intake)


def _catch_up(tx: Tx, group: Account, intake: Intake, upto: int) -> None:
    """Take what our copy lacks before an entry that came. More than a page of it is taken later and by itself: this
    activity would begin at the first page again with each author who is not known here.

    Raises Missing for the next page, Deferred while the group's server cannot be reached.
    """
    while (last := ledger.head(tx, group.id)).seq < upto:
        if upto - last.seq > ledger.PAGE:
            ledger.pull(tx, group.id)
            return
        if not take_page(tx, group, last.seq, intake):
            return


def take_page(tx: Tx, group: Account, after: int, intake: Intake) -> bool:
    """Take the page of a group's ledger behind the number `after` into our copy, in order; says whether it grew.

    What our copy has of it already is passed over, so that this may be called again when something was missing: what
    came before that in the page may stay. Raises Missing for the page, and for what is needed to act upon an entry;
    Deferred while the group's server cannot be reached.
    """
    rules, last = groups.find(tx, group.id), ledger.head(tx, group.id)
    if rules is None or rules.ledger_uri is None or last.forked_at is not None:
        return False
    uri = f"{rules.ledger_uri}?after={after}"
    page = intake.documents.get(uri)
    if page is None:
        intake.require(uri, "document")
        return False
    for item in as_list(page.get("orderedItems"))[: ledger.PAGE]:
        entry = ledger.read(item.get("entry")) if isinstance(item, dict) else None
        if entry is None:
            raise BadRequest("The page of the ledger holds something else.")
        if not ledger.holds(tx, group.id, entry):
            with tx.step():
                _learn_first_key(tx, group, page)
                _take_quietly(tx, group, entry, item.get("body"), intake)
            if ledger.head(tx, group.id).forked_at is not None:
                return False
    return ledger.head(tx, group.id).seq > after


def _learn_first_key(tx: Tx, group: Account, page: dict[str, Any]) -> None:
    """With what the chain begins, where the group's own server says so: it may publish another key by now."""
    if page.get("firstKey") is None or ledger_keys.of_group(tx, group):
        return
    first = ledger_keys.read_multikey(group, page["firstKey"], tx.clock.now())
    if first is not None:
        ledger_keys.add(tx, group.id, first)


def _take_quietly(tx: Tx, group: Account, entry: Entry, body: Any, intake: Intake) -> None:
    """A post in the past that cannot be had, or is odd, must not stop the chain. Raises Forbidden for an entry that the
    group did not sign."""
    doc = body if isinstance(body, dict) and ledger.fits(entry, body) else None
    if not ledger.changes_key(tx, group, entry, doc):  # to one that may have been replaced again since
        ledger.check(tx, group, entry)
    try:
        with tx.step():
            _take(tx, None, group, entry, doc, intake)
    except (FedcorpError, Deferred):
        ledger.take(tx, group, entry, None)


# -- what the group itself says --------------------------------------------------------------------------------------


def _decides_on_members(doc: dict[str, Any]) -> bool:
    thing = doc.get("object")
    return doc.get("type") in ("Add", "Remove") and isinstance(thing, dict) and "Relationship" in types_of(thing)


def _decides_on_ours(tx: Tx, doc: dict[str, Any]) -> bool:
    return _decides_on_members(doc) and tx.site.urls.owns(str(doc["object"].get("subject")))


def _receive_fact(tx: Tx, group: Account, doc: dict[str, Any], intake: Intake) -> str:
    """What the group decided: members and roles, its rules, and what became of posts."""
    _settle_wish(tx, doc)
    thing = doc.get("object")
    if _decides_on_members(doc):
        return _copy_member(tx, group, doc)
    if doc.get("type") == "Update" and isinstance(thing, dict) and thing.get("id") == group.uri:
        return actors.receive_update_actor(tx, read_activity(normalize(doc), b""), intake)
    if doc.get("type") == "Update" and isinstance(thing, dict) and "Multikey" in types_of(thing):
        return PROCESSED  # `ledger.take` has followed it
    verdict, uri = _verdict(doc, group)
    status = find_status(tx, uri, intake)
    if verdict is None or status is None:
        return IGNORED
    if group_posts.find(tx, group.id, status.id) is None:
        return _leave(group, "the post does not stand in this group")
    reason = first_string(doc.get("summary")) or ""
    changed = group_posts.judge(tx, group, status, verdict, reason=reason)
    return PROCESSED if changed else IGNORED


def _says_itself(doc: dict[str, Any]) -> bool:
    """A post of the group in its own name: it said it for a member whose server cannot keep the group's posts."""
    thing = doc.get("object")
    return (
        doc.get("type") in ("Create", "Update") and isinstance(thing, dict) and bool(NOTE_TYPES & set(types_of(thing)))
    )


def _settle_wish(tx: Tx, doc: dict[str, Any]) -> None:
    because = doc.get("instrument")
    if isinstance(because, dict) and isinstance(because.get("id"), str):
        wishes.settle(tx, because["id"], "done")


_SIMPLE = {"Delete": "removed", "Lock": "locked"}
_TAKEN_BACK = {"Delete": "restored", "Lock": "unlocked"}


def _verdict(doc: dict[str, Any], group: Account) -> tuple[str | None, str | None]:
    kind, thing = str(doc.get("type")), doc.get("object")
    if kind in ("Add", "Remove") and doc.get("target") == group.featured_uri and isinstance(thing, str):
        return ("pinned" if kind == "Add" else "unpinned"), thing
    if kind == "Undo" and isinstance(thing, dict):
        inner = thing.get("object")
        return _TAKEN_BACK.get(str(thing.get("type"))), inner if isinstance(inner, str) else None
    return _SIMPLE.get(kind), thing if isinstance(thing, str) else None


def _copy_member(tx: Tx, group: Account, doc: dict[str, Any], *, chained: bool = True) -> str:
    memberships.copy(tx, group, _affiliation(tx, group, doc), chained=chained)
    return PROCESSED


def _affiliation(tx: Tx, group: Account, doc: dict[str, Any]) -> Affiliation:
    """The role that a group gives or takes. Raises BadRequest for what is none of this group."""
    relation = doc["object"]
    subject, role = relation.get("subject"), relation.get("relationship")
    if relation.get("object") != group.uri or not isinstance(subject, str) or role not in policy.ROLES:
        raise BadRequest("The Relationship is not one of this group.")
    since, until = parse_time(relation.get("startTime")), parse_time(relation.get("endTime"))
    rules = groups.find(tx, group.id)
    since_ms = to_ms(since) if since is not None else tx.ms
    return Affiliation(
        subject, origin(subject), role if doc["type"] == "Add" else None, since_ms,
        to_ms(until) if until is not None else None,
        since_ms if rules is not None and rules.history == "joined" else None,
    )  # fmt: skip


def retell_roles(tx: Tx, group: Account, decided: Iterable[Any]) -> None:
    """Make members and roles of our copy what a group has decided, in this order, and nothing else: who has a role now
    without any of these decisions loses it. `decided` may hold other activities, which change nothing."""
    last: dict[str, Affiliation] = {}
    for doc in decided:
        if isinstance(doc, dict) and doc.get("actor") == group.uri and _decides_on_members(doc):
            with suppress(BadRequest):  # what is odd in the past stops nothing, as when it came
                told = _affiliation(tx, group, doc)
                last[told.subject_uri] = told
    for subject in memberships.copied(tx, group.id) - last.keys():
        memberships.copy(tx, group, Affiliation(subject, origin(subject), None, tx.ms))
    for told in last.values():
        memberships.copy(tx, group, told)


def _leave(group: Account, why: str) -> str:
    """Leave an announced activity alone, and say so: what the others of its Announce do stands."""
    log.info("ignored an activity that the group %s announced: %s", group.handle, why)
    return IGNORED


# -- what others did, passed on by the group -------------------------------------------------------------------------


def _receive_inner(tx: Tx, outer: Activity | None, group: Account, doc: dict[str, Any], intake: Intake) -> str:
    if doc.get("actor") == group.uri and not _says_itself(doc):
        return _receive_fact(tx, group, doc, intake)
    doc = in_its_context(doc)
    inner = read_activity(normalize(doc), b"")
    decided = decisions.receive(tx, outer.id if outer is not None else None, group, inner, intake)
    if decided is not None:
        return decided if decided != IGNORED else _leave(group, "it decides on nothing that stands there")
    if tx.site.urls.owns(inner.actor):
        return _receive_echo(tx, outer, group, inner, intake)
    tier = peers.find_tier(tx, domain_of(inner.actor))
    if tier is None:
        return _leave(group, "its server may not speak to us, whoever passes it on")
    steps = _INNER_UNDO.get(str(inner.object_type)) if inner.type == "Undo" else _INNER.get(inner.type)
    if steps is None:  # a view, say: not worth a request
        return _leave(group, f"a group only passes on what people write, no {inner.type} of somebody else")
    trusted = _trusted(tx, group, inner, doc, intake)
    if trusted is None:
        return _leave(group, "nothing shows that its actor did this")
    verify, receive = steps
    within = intake.within(tier, group.id)
    verify(tx, trusted, within)
    outcome: str = receive(tx, trusted, within)
    if trusted.type == "Create":
        _show(tx, outer, group, trusted, intake)
        return PROCESSED
    return outcome


def _receive_echo(tx: Tx, outer: Activity | None, group: Account, inner: Activity, intake: Intake) -> str:
    """What one of us wrote comes back: the group has taken it."""
    if inner.type == "Create":
        _show(tx, outer, group, inner, intake)
        return PROCESSED
    return IGNORED


def _show(tx: Tx, outer: Activity | None, group: Account, create: Activity, intake: Intake) -> None:
    status = find_status(tx, create.object_id, intake)
    if status is None or status.visibility not in ("public", "unlisted", policy.GROUP):
        return
    if not group_posts.is_written_to(tx, group.id, status):
        _leave(group, "the post was written for the members of another group")
        return
    told = parse_time(outer.published) if outer is not None else None
    at = ledger.find_time(tx, group.id, create.id) or (status.created_at if told is None else to_ms(told))
    group_posts.note_state(tx, group.id, status.id, "distributed", at=min(at, tx.ms))
    group_posts.own_thread(tx, group, status)
    interactions.boost(tx, outer, group, status)


def _trusted(tx: Tx, group: Account, inner: Activity, doc: dict[str, Any], intake: Intake) -> Activity | None:
    """The inner activity when it may be believed, perhaps as read again at its own address; None when it may not.

    Raises Missing for the key or the document that decides, Forbidden for a proof that does not hold.
    """
    proof = proof_of(doc)
    if proof is not None:
        return inner if _proof_holds(tx, inner, doc, intake) else None
    if same_origin(inner.actor, group.uri) and intake.tier == "department":
        return inner
    if "Dislike" in (inner.type, inner.object_type):  # not worth a request
        return inner if same_origin(inner.actor, group.uri) else None
    if inner.id is None:
        return None
    found = intake.documents.get(inner.id)
    if found is None:
        intake.require(inner.id, "document")
        return _by_object(tx, group, inner, intake)
    try:
        again = read_activity(found, b"")
        if (again.id, again.type, again.actor) == (inner.id, inner.type, inner.actor):
            return again
    except BadRequest:
        pass
    return _by_object(tx, group, inner, intake) if "#" in inner.id else None  # there stands its post (WordPress)


def _by_object(tx: Tx, group: Account, inner: Activity, intake: Intake) -> Activity | None:
    """An activity whose own address answers nothing (PieFed keeps few): what its object says of itself decides.

    Of reactions there is nothing else to read; those of people at the group's own server stand under its signature.
    """
    uri = inner.object_id
    if inner.type in ("Like", "EmojiReact", "Undo"):
        return inner if same_origin(inner.actor, group.uri) else None
    if uri is None or not same_origin(uri, inner.actor):
        return None
    if inner.type == "Delete" and not decisions.is_here(tx, group, find_status(tx, uri, intake)):
        return None  # of what it never passed on, a group cannot say that it is gone: perhaps it is only not for us
    found = intake.documents.get(uri)
    if found is None:
        intake.require(uri, "document")
        return inner if inner.type == "Delete" and uri in intake.gone else None
    if inner.type == "Delete":
        is_gone = "Tombstone" in types_of(found) or _has_left(found, uri, group, intake)
        return inner if is_gone else None
    if translate.author_of(found) != inner.actor:
        return None
    told = inner.object if same_origin(inner.actor, group.uri) else None
    return replace(inner, object=_with_mentions(found, told))


def _with_mentions(found: dict[str, Any], told: Any) -> dict[str, Any]:
    """What PieFed shows of a comment at its address names nobody in tags: those of the activity, where the words bear
    them out."""
    if not isinstance(told, dict) or as_list(found.get("tag")):
        return found
    words = first_string(found.get("content")) or ""
    tags = [item for item in as_list(told.get("tag"))[:MAX_BATCH] if "Mention" in types_of(item)]
    return {**found, "tag": [item for item in tags if _names(words, item.get("name"))]}


def _names(words: str, name: Any) -> bool:
    return isinstance(name, str) and len(name) > 1 and name.lower() in words.lower()


def _has_left(found: dict[str, Any], uri: str, group: Account, intake: Intake) -> bool:
    """Whether what is still shown at its address stands in its thread no more, as PieFed shows what was deleted. Only
    the server of the group itself is taken at its word, and only for a thread that it lists whole."""
    context = value_or_id(found.get("context"))
    if context is None or not same_origin(context, group.uri) or not same_origin(uri, group.uri):
        return False
    thread = intake.collections.get(context)
    if thread is None:
        intake.require(context, "collection")
        return context in intake.gone
    listed = ids_of(thread.get("orderedItems"))
    return (
        bool(COLLECTION_TYPES & set(types_of(thread)))
        and thread.get("totalItems") == len(listed) > 0
        and (uri not in listed)
    )


def _proof_holds(tx: Tx, inner: Activity, doc: dict[str, Any], intake: Intake) -> bool:
    proof = proof_of(doc)
    assert proof is not None
    key = accounts.find_key(tx, proof.key_id)
    if key is None:
        intake.require(proof.key_id, "key")
        return False
    proven = is_plain(doc) and verify_proof(doc, proof, load_public(key.public), tx.clock.now())
    if key.account_uri != inner.actor or not proven:
        raise Forbidden("The proof of the announced activity does not hold.")
    return True
