"""Notifications, one by one (v1) and in groups (v2)."""

from collections.abc import Sequence
from typing import Any

import orjson

from fedcorp.social import collections, reports, statuses, warnings
from fedcorp.social.notification_policy import OLD_SORTS, SORTS, Policy
from fedcorp.social.notifications import Group, Notification, Request
from fedcorp.storage.database import Tx
from fedcorp.web.entities import accounts, reactions
from fedcorp.web.entities import collections as collection_entities
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.reports import report
from fedcorp.web.entities.statuses import render_map
from fedcorp.web.entities.times import iso
from fedcorp.web.entities.warnings import account_warnings


def many(tx: Tx, cache: Rendered, viewer_id: int, rows: Sequence[Notification]) -> list[dict[str, Any]]:
    """Notification entities; those whose status or account is out of sight by now are left out."""
    shown = _statuses(tx, cache, viewer_id, [row.status_id for row in rows])
    people = accounts.many(tx, {row.from_account_id for row in rows})
    emoji = reactions.told(tx, _favourited(rows))
    rendered = {entity["id"]: orjson.Fragment(orjson.dumps(entity)) for entity in people}  # each comes many times
    told = _reports(tx, [row.report_id for row in rows])
    warned = _warnings(tx, [row.warning_id for row in rows])
    collected = _collections(tx, viewer_id, [row.collection_id for row in rows])
    found = []
    for row in rows:
        account = rendered.get(str(row.from_account_id))
        if account is None or (row.status_id is not None and row.status_id not in shown):
            continue
        entity: dict[str, Any] = {
            "id": str(row.seq),
            "type": row.kind,
            "created_at": iso(row.created_at),
            "group_key": row.group_key,
            "account": account,
        }
        if row.status_id is not None:
            entity["status"] = shown[row.status_id]
        if row.kind == "favourite":
            entity |= emoji.get((row.from_account_id, row.status_id or 0), {})
        if row.report_id in told:
            entity["report"] = told[row.report_id]
        if row.warning_id in warned:
            entity["moderation_warning"] = warned[row.warning_id]
        if row.collection_id in collected:
            entity["collection"] = collected[row.collection_id]
        found.append(entity)
    return found


def _favourited(rows: Sequence[Notification]) -> list[tuple[int, int]]:
    """(account id, status id) of those that may tell of a reaction."""
    return [(row.from_account_id, row.status_id) for row in rows if row.kind == "favourite" and row.status_id]


def _reports(tx: Tx, ids: "Sequence[int | None]") -> "dict[int | None, dict[str, Any]]":
    found = reports.find_many(tx, {id_ for id_ in ids if id_ is not None})
    return {id_: report(tx, row) for id_, row in found.items()}


def _warnings(tx: Tx, ids: "Sequence[int | None]") -> "dict[int | None, dict[str, Any]]":
    found = warnings.find_many(tx, {id_ for id_ in ids if id_ is not None})
    return {row.id: entity for row, entity in zip(found, account_warnings(tx, found), strict=True)}


def _collections(tx: Tx, viewer_id: int, ids: "Sequence[int | None]") -> "dict[int | None, dict[str, Any]]":
    found = collections.find_many(tx, viewer_id, [id_ for id_ in dict.fromkeys(ids) if id_ is not None])
    entities = collection_entities.many(tx, viewer_id, list(found.values()))
    return dict(zip(found, entities, strict=True))


def _statuses(tx: Tx, cache: Rendered, viewer_id: int, ids: "Sequence[int | None]") -> "dict[int, orjson.Fragment]":
    wanted = list(dict.fromkeys(id_ for id_ in ids if id_ is not None))
    visible = statuses.visible_ids(tx, viewer_id, wanted)
    allowed = [id_ for id_ in wanted if id_ in visible]
    found = render_map(tx, cache, viewer_id, allowed, context="notifications")
    return {id_: orjson.Fragment(body) for id_, body in found.items()}


def grouped(tx: Tx, cache: Rendered, viewer_id: int, groups: Sequence[Group]) -> dict[str, Any]:
    """GroupedNotificationsResults: groups, and every account and status that they name once."""
    shown = _statuses(tx, cache, viewer_id, [group.status_id for group in groups])
    people = accounts.many(tx, dict.fromkeys(id_ for group in groups for id_ in group.sample_account_ids))
    known = {entity["id"] for entity in people}
    told = _reports(tx, [group.report_id for group in groups])
    warned = _warnings(tx, [group.warning_id for group in groups])
    collected = _collections(tx, viewer_id, [group.collection_id for group in groups])
    return {
        "accounts": people,
        "statuses": list(shown.values()),
        "notification_groups": [
            _group(group, known)
            | ({"report": told[group.report_id]} if group.report_id in told else {})
            | ({"moderation_warning": warned[group.warning_id]} if group.warning_id in warned else {})
            | ({"collection": collected[group.collection_id]} if group.collection_id in collected else {})
            for group in groups
            if group.status_id is None or group.status_id in shown
            if any(str(id_) in known for id_ in group.sample_account_ids)
        ],
    }


def _group(group: Group, known: set[str]) -> dict[str, Any]:
    entity: dict[str, Any] = {
        "group_key": group.group_key,
        "notifications_count": group.count,
        "type": group.kind,
        "most_recent_notification_id": group.most_recent,
        "page_min_id": str(group.page_min),
        "page_max_id": str(group.page_max),
        "latest_page_notification_at": iso(group.latest_at),
        # A client looks every one of these up in `accounts` without a guard.
        "sample_account_ids": [str(id_) for id_ in group.sample_account_ids if str(id_) in known],
    }
    if group.status_id is not None:
        entity["status_id"] = str(group.status_id)
    return entity


def policy(row: Policy, waiting: Sequence[Request]) -> dict[str, Any]:
    """NotificationPolicy with the requests that wait."""
    words: dict[str, Any] = {f"for_{sort}": getattr(row, sort) for sort in SORTS}
    return words | {"summary": _summary(waiting)}


def policy_v1(row: Policy, waiting: Sequence[Request]) -> dict[str, Any]:
    """The older shape of the same, which knows no more than yes and no."""
    return {f"filter_{sort}": getattr(row, sort) != "accept" for sort in OLD_SORTS} | {"summary": _summary(waiting)}


def _summary(waiting: Sequence[Request]) -> dict[str, int]:
    total = sum(request.count for request in waiting)
    return {"pending_requests_count": len(waiting), "pending_notifications_count": total}


def requests(tx: Tx, cache: Rendered, viewer_id: int, rows: Sequence[Request]) -> list[dict[str, Any]]:
    """NotificationRequest entities."""
    shown = _statuses(tx, cache, viewer_id, [row.last_status_id for row in rows])
    people = {entity["id"]: entity for entity in accounts.many(tx, [row.from_account_id for row in rows])}
    return [
        {
            "id": str(row.from_account_id),
            "created_at": iso(row.created_at),
            "updated_at": iso(row.updated_at),
            "notifications_count": str(row.count),
            "account": people[str(row.from_account_id)],
            "last_status": shown.get(row.last_status_id or 0),
        }
        for row in rows
        if str(row.from_account_id) in people
    ]
