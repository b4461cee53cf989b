"""What moderators of the department are shown: accounts with how they sign in, and reports with who told them.

The posts of a report are shown to its moderators whoever may see them otherwise: that is what naming them means.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from fedcorp.company.audit import Entry
from fedcorp.company.peers import Peer
from fedcorp.social import accounts, moderation
from fedcorp.social.accounts import Account
from fedcorp.social.moderation import Login
from fedcorp.social.reports import Report
from fedcorp.storage.database import Tx
from fedcorp.web.entities.accounts import ROLES, account
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.statuses import render
from fedcorp.web.entities.times import iso, iso_or_none


def people(tx: Tx, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Admin::Account entities by id, also of those that are suspended. No addresses of computers are kept here."""
    found = accounts.find_many(tx, set(ids))
    logins = moderation.logins(tx, found)
    return {id_: _person(tx, row, logins.get(id_)) for id_, row in found.items()}


def _person(tx: Tx, row: Account, login: Login | None) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "username": row.username,
        "domain": None if row.local else row.domain,
        "created_at": iso(row.created_at),
        "email": (login.email if login else None) or "",
        "ip": None,
        "ips": [],
        "locale": None,
        "invite_request": None,
        "role": ROLES[login.role] if login else None,
        "confirmed": login is not None,
        "approved": login is not None,
        "disabled": login is not None and login.disabled,
        "silenced": row.silenced_at is not None,
        "sensitized": row.sensitized_at is not None,
        "suspended": row.suspended_at is not None,
        "account": account(tx.site, row),
    }


def reports(tx: Tx, cache: Rendered, viewer_id: int, rows: Sequence[Report]) -> list[dict[str, Any]]:
    """Admin::Report entities, in this order."""
    named = {
        id_ for row in rows for id_ in (row.account_id, row.target_id, row.assigned_id, row.resolved_by_id)
        if id_ is not None
    }  # fmt: skip
    known = people(tx, named)
    return [_report(tx, cache, viewer_id, row, known) for row in rows]


def _report(tx: Tx, cache: Rendered, viewer_id: int, row: Report, known: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "action_taken": row.resolved_at is not None,
        "action_taken_at": iso_or_none(row.resolved_at),
        "category": row.category,
        "comment": row.comment,
        "forwarded": row.forwarded,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "account": known[row.account_id],
        "target_account": known[row.target_id],
        "assigned_account": known[row.assigned_id] if row.assigned_id is not None else None,
        "action_taken_by_account": known[row.resolved_by_id] if row.resolved_by_id is not None else None,
        "statuses": [orjson.Fragment(body) for body in render(tx, cache, viewer_id, row.posts)],
        "rules": [rule | {"hint": ""} for rule in row.cited],
    }


def audit_entry(entry: Entry) -> dict[str, Any]:
    """AuditEntry, which is ours."""
    return {
        "id": str(entry.seq),
        "created_at": iso(entry.created_at),
        "actor": entry.actor,
        "act": entry.act,
        "subject": entry.subject,
        "outcome": entry.outcome,
        "reason": entry.reason,
    }


# -- servers ---------------------------------------------------------------------------------------------------------


def domain_allow(peer: Peer) -> dict[str, Any]:
    """Admin::DomainAllow of a peer, with its `tier`, which is ours."""
    return {"id": str(peer.id), "domain": peer.domain, "created_at": iso(peer.added_at), "tier": peer.tier}


def domain_block(peer: Peer) -> dict[str, Any]:
    """Admin::DomainBlock of a server that is barred: nothing of it is taken, files and reports neither."""
    return {
        "id": str(peer.id),
        "domain": peer.domain,
        "digest": digest(peer.domain),
        "created_at": iso(peer.removed_at or peer.added_at),
        "severity": "suspend",
        "reject_media": True,
        "reject_reports": True,
        "private_comment": peer.private_comment or None,
        "public_comment": peer.public_comment or None,
        "obfuscate": peer.obfuscate,
    }


def public_domain_block(peer: Peer) -> dict[str, Any]:
    """DomainBlock, as everybody here may know it."""
    entity = {"domain": _obfuscated(peer.domain) if peer.obfuscate else peer.domain, "digest": digest(peer.domain)}
    return entity | {"severity": "suspend", "comment": peer.public_comment}


def digest(domain: str) -> str:
    """SHA-256 of a domain, by which somebody who knows it recognises it."""
    return hashlib.sha256(domain.encode()).hexdigest()


def _obfuscated(domain: str) -> str:
    """The first and last quarter of a domain; what lies between as stars, dots excepted."""
    kept = len(domain) // 4
    inner = domain[kept : len(domain) - kept]
    return domain[:kept] + "".join("." if letter == "." else "*" for letter in inner) + domain[len(domain) - kept :]
