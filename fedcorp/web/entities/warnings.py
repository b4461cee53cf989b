"""What moderators told somebody, as Mastodon's API has it: AccountWarning with Appeal."""

from collections.abc import Sequence
from typing import Any

from fedcorp.social import accounts, warnings
from fedcorp.social.warnings import Warning_
from fedcorp.storage.database import Tx
from fedcorp.web.entities.accounts import account
from fedcorp.web.entities.times import iso


def account_warnings(tx: Tx, rows: Sequence[Warning_]) -> list[dict[str, Any]]:
    """AccountWarning entities in this order. Which moderator it was stands in the audit and is not told."""
    targets = accounts.find_many(tx, {row.account_id for row in rows})
    states = warnings.appeal_states(tx, rows)
    return [
        {
            "id": str(row.id),
            "action": row.action,
            "text": row.text,
            "status_ids": None,
            "target_account": account(tx.site, targets[row.account_id]),
            "appeal": {"text": row.appeal, "state": states[row.id]} if row.id in states else None,
            "created_at": iso(row.created_at),
        }
        for row in rows
    ]
