"""Reports as whoever made them sees them, and as a notification tells them."""

from typing import Any

from fedcorp.social import accounts
from fedcorp.social.reports import Report
from fedcorp.storage.database import Tx
from fedcorp.web.entities.accounts import account
from fedcorp.web.entities.times import iso, iso_or_none


def report(tx: Tx, row: Report) -> dict[str, Any]:
    """The Report entity; the account is shown as it is now, also when it was suspended."""
    target = accounts.find(tx, row.target_id)
    assert target is not None  # rows of accounts stay
    return {
        "id": str(row.id),
        "action_taken": row.resolved_at is not None,
        "action_taken_at": iso_or_none(row.resolved_at),
        "category": row.category,
        "comment": row.comment,
        "forwarded": row.forwarded,
        "created_at": iso(row.created_at),
        "status_ids": [str(id_) for id_ in row.posts],
        "rule_ids": [rule["id"] for rule in row.cited],
        "target_account": account(tx.site, target),
    }
