"""Groups as fedcorp's own API shows them. Mastodon has none; names and forms follow its other entities."""

from collections.abc import Sequence
from typing import Any

import orjson

from fedcorp.social import accounts as social_accounts
from fedcorp.social import follows, groups, invitations, memberships, policy, wishes
from fedcorp.social.accounts import Account
from fedcorp.social.group_posts import GroupPost
from fedcorp.social.groups import Group
from fedcorp.social.invitations import Invitation
from fedcorp.social.memberships import JoinRequest
from fedcorp.social.stewardship import Report
from fedcorp.social.wishes import Wish
from fedcorp.storage.database import Tx
from fedcorp.web.entities import accounts
from fedcorp.web.entities.times import iso, iso_or_none


def group(tx: Tx, account: Account, viewer_id: int) -> dict[str, Any]:
    """The Group entity: what it is, its rules, and how the viewer stands to it."""
    rules = groups.find(tx, account.id)
    assert rules is not None
    role = memberships.role_of(tx, account.id, viewer_id)
    invitation = invitations.find_open(tx, account.id, viewer_id)
    asked = follows.find(tx, viewer_id, account.id)
    return {
        "id": str(account.id),
        "uri": account.uri,
        "url": account.url,
        "name": account.username,
        "acct": account.acct,
        "department": account.domain or tx.site.urls.domain,
        "local": account.local,
        "title": account.display_name or account.username,
        "description": account.note,
        "account": accounts.account(tx.site, account),
        **_rules(rules),
        "created_at": iso(account.created_at),
        "members_count": memberships.count(tx, account),
        "role": role,
        "requested": asked is not None and asked.state == "pending",
        "invited": invitation is not None,
        "may": _may(rules, role),
        "join_link": _link(tx, account, rules, role),
        "pending": [wish(tx, item) for item in wishes.of_account(tx, account.id, viewer_id)],
    }


def _rules(rules: Group) -> dict[str, Any]:
    return {
        "preset": rules.preset,
        "reach": rules.reach,
        "joining": rules.joining,
        "reading": rules.reading,
        "posting": rules.posting,
        "inviting": rules.inviting,
        "history": rules.history,
        "outsiders": rules.outsiders,
        "premoderated": rules.premoderated,
        "purpose": rules.purpose,
        "rules": orjson.loads(rules.rules),
        "topics": orjson.loads(rules.topics),
        "ends_at": iso_or_none(rules.ends_at),
        "archived_at": iso_or_none(rules.archived_at),
    }


def _may(rules: Group, role: str | None) -> dict[str, bool]:
    """What the viewer may do, so that a page need not know the rules of the rules."""
    archived = rules.archived_at is not None
    return {
        "read": policy.may_read_group(rules.reading, role),
        "post": policy.may_post_in_group(rules.posting, role, archived=archived),
        "invite": not archived and policy.may_invite(rules.inviting, role),
        "moderate": policy.may_moderate(role),
        "administer": policy.may_give_role(role),
    }


def _link(tx: Tx, account: Account, rules: Group, role: str | None) -> str | None:
    if not account.local or not rules.join_token or not policy.may_moderate(role):
        return None
    return tx.site.urls.join_link(account.username, rules.join_token)


def many(tx: Tx, ids: list[int], viewer_id: int) -> list[dict[str, Any]]:
    """Group entities in this order."""
    found = social_accounts.find_many(tx, ids)
    return [group(tx, found[id_], viewer_id) for id_ in ids if id_ in found]


def member(tx: Tx, account_id: int, role: str | None) -> dict[str, Any]:
    """One account and its role, which is None for who does not belong."""
    return {"account": accounts.many(tx, [account_id])[0], "role": role}


def members(tx: Tx, rows: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    """Members with their roles, in this order."""
    shown = {int(entity["id"]): entity for entity in accounts.many(tx, [row[0] for row in rows])}
    return [{"account": shown[id_], "role": role} for id_, role in rows if id_ in shown]


def bans(tx: Tx, group_id: int, rows: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    """Who is kept out, until when and why, in this order; of a group elsewhere the reason stays there."""
    found = {id_: memberships.find(tx, group_id, id_) for id_, _ in rows}
    return [
        {
            "account": item["account"],
            "reason": known.reason if (known := found[int(item["account"]["id"])]) is not None else "",
            "until": iso_or_none(known.until_at) if known is not None else None,
        }
        for item in members(tx, rows)
    ]


def requests(tx: Tx, items: Sequence[JoinRequest]) -> list[dict[str, Any]]:
    """Who asks to join, and why."""
    shown = {int(entity["id"]): entity for entity in accounts.many(tx, [item.account_id for item in items])}
    return [
        {"account": shown[item.account_id], "message": item.message, "created_at": iso(item.created_at)}
        for item in items
        if item.account_id in shown
    ]


def invites(tx: Tx, items: Sequence[Invitation]) -> list[dict[str, Any]]:
    """Invitations that still hold."""
    ids = {id_ for item in items for id_ in (item.account_id, item.by_id or 0)}
    shown = {int(entity["id"]): entity for entity in accounts.many(tx, ids)}
    return [
        {
            "account": shown[item.account_id],
            "by": shown.get(item.by_id or 0),
            "message": item.message,
            "created_at": iso(item.created_at),
            "expires_at": iso(item.expires_at),
        }
        for item in items
        if item.account_id in shown
    ]


def reports(tx: Tx, items: Sequence[Report]) -> list[dict[str, Any]]:
    """Reports that nobody has dealt with; never who made them."""
    shown = {int(entity["id"]): entity for entity in accounts.many(tx, [item.account_id for item in items])}
    return [
        {
            "id": str(item.id),
            "account": shown.get(item.account_id),
            "status_ids": [str(id_) for id_ in item.status_ids],
            "comment": item.comment,
            "created_at": iso(item.created_at),
        }
        for item in items
    ]


def wish(tx: Tx, item: Wish) -> dict[str, Any]:
    """What the viewer wanted of a group elsewhere: `state` is pending, done or refused, and why."""
    subject = social_accounts.find_by_uri(tx, item.subject_uri) if item.subject_uri else None
    return {
        "id": str(item.id),
        "act": item.act,
        "account_id": str(subject.id) if subject is not None else None,
        "state": item.state,
        "reason": item.reason,
        "created_at": iso(item.created_at),
    }


def places(tx: Tx, items: Sequence[GroupPost]) -> list[dict[str, Any]]:
    """What became of a status in the groups that it was written to."""
    shown = {int(entity["id"]): entity for entity in accounts.many(tx, [item.group_id for item in items])}
    return [
        {
            "account": shown[item.group_id],
            "state": item.state,
            "reason": item.reason,
            "locked": item.locked_at is not None,
            "pinned": item.pinned_at is not None,
        }
        for item in items
        if item.group_id in shown
    ]
