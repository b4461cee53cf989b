"""Moderation in the words of Lemmy and its kin: the activity of a person, addressed to everybody, inside an Announce.

They read neither ledgers nor what a group says as itself. Used both for what groups of ours decide and for what our
moderators want of such groups. Who must hear of it is decided in `group_telling`.

Sources: FEP-1b12; the structures that Lemmy reads (crates/apub/activities/src/protocol in its source).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from fedcorp.activitypub import render, telling
from fedcorp.activitypub.audience import Destination
from fedcorp.activitypub.vocabulary import PUBLIC, ids_of
from fedcorp.social import accounts, events, memberships, policy
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx

_KINDS = frozenset({"Add", "Block", "Delete", "Lock", "Remove", "Undo", "Update"})


@dataclass(frozen=True, slots=True)
class Act:
    """What a moderator did: type, object and further terms of the activity; by which activity of theirs, if any."""

    kind: str
    thing: Any
    more: dict[str, Any]
    actor_id: int | None = None
    act_uri: str | None = None


def worded(act: Act, group: Account, uri: str) -> Act:
    """The same with what such servers insist on: a removal has a `summary`, and what is undone stands inside whole."""
    if act.kind == "Delete" and isinstance(act.thing, str):
        return Act(act.kind, act.thing, {"summary": "", **act.more}, act.actor_id, act.act_uri)
    if act.kind != "Undo":
        return act
    undone = {"id": f"{uri}/undone", **act.thing, "to": [PUBLIC], "cc": [group.uri], "audience": group.uri}
    if act.thing.get("type") == "Delete":
        undone.setdefault("summary", "")
    return Act(act.kind, undone, act.more, act.actor_id, act.act_uri)


def of_member(group: Account, subject: Account, event: events.MemberChanged) -> Act | None:
    """A ban, its end, or a moderator more or less; other changes are not told to such servers."""
    more: dict[str, Any] = {"summary": event.reason} if event.reason else {}
    if "outcast" in (event.role, event.was):
        more["target"] = group.uri
        if event.role != "outcast":
            block = {"type": "Block", "object": subject.uri, "target": group.uri}
            return Act("Undo", block, {}, event.actor_id, event.act_uri)
        if event.until_at is not None:
            more["endTime"] = render.time(event.until_at)
        return Act("Block", subject.uri, more, event.actor_id, event.act_uri)
    rules_now, ruled = policy.may_moderate(event.role), policy.may_moderate(event.was)
    if rules_now == ruled:
        return None
    more["target"] = f"{group.uri}/moderators"
    return Act("Add" if rules_now else "Remove", subject.uri, more, event.actor_id, event.act_uri)


def announce(
    tx: Tx, group: Account, act: Act, destinations: Iterable[Destination], *, reach: str, status_id: int | None = None
) -> None:
    """The group announces it as the moderator's; without any moderator of ours nothing is said in their name."""
    wanted = set(destinations)
    inner = _original(tx, act) or _written(tx, group, act, reach, status_id) if wanted else None
    if inner is None:
        return
    more = {"audience": group.uri} | ({"scope": reach} if reach != "public" else {})
    cc = [group.followers_uri] if group.followers_uri else []
    document = render.activity("Announce", telling.new_uri(tx), group, inner, at=tx.ms, to=[PUBLIC], cc=cc, **more)
    telling.post(tx, group, document, wanted, reach=reach, status_id=status_id)


def _original(tx: Tx, act: Act) -> dict[str, Any] | None:
    """The moderator's own activity, where it came from a server that speaks to everybody."""
    body = telling.find_received(tx, act.act_uri) if act.act_uri else None
    found: dict[str, Any] | None = orjson.loads(body) if body else None
    return found if found is not None and found.get("type") in _KINDS and PUBLIC in ids_of(found.get("to")) else None


def _written(tx: Tx, group: Account, act: Act, reach: str, status_id: int | None) -> dict[str, Any] | None:
    actor = _speaker(tx, group, act.actor_id)
    if actor is None:
        return None
    uri = telling.new_uri(tx)
    act = worded(act, group, uri)
    thing = {**act.thing, "actor": actor.uri} if act.kind == "Undo" else act.thing
    document = render.activity(
        act.kind, uri, actor, thing, at=tx.ms, to=[PUBLIC], cc=[group.uri], audience=group.uri, **act.more
    )
    body: dict[str, Any] = orjson.loads(telling.post(tx, actor, document, (), reach=reach, status_id=status_id))
    return body


def _speaker(tx: Tx, group: Account, actor_id: int | None) -> Account | None:
    """Who decided, if that is a person here; else the first moderator who is, since we write for nobody elsewhere."""
    for id_ in (actor_id, *memberships.moderators(tx, group.id)):
        account = accounts.find(tx, id_) if id_ is not None else None
        if account is not None and account.local and account.kind == "person" and not account.hidden:
            return account
    return None
