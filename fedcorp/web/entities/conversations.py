"""Conversations: threads of direct messages."""

from collections.abc import Sequence
from typing import Any

import orjson

from fedcorp.social.conversations import Conversation
from fedcorp.storage.database import Tx
from fedcorp.web.entities import accounts
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.statuses import render_map


def many(tx: Tx, cache: Rendered, viewer_id: int, rows: Sequence[Conversation]) -> list[dict[str, Any]]:
    """Conversation entities; none for a message that is not to be shown."""
    rendered = render_map(tx, cache, viewer_id, [row.last_status_id for row in rows])
    return [
        {
            "id": str(row.thread_id),
            "unread": row.unread,
            "accounts": accounts.many(tx, row.participants),
            "last_status": orjson.Fragment(rendered[row.last_status_id]),
        }
        for row in rows
        if row.last_status_id in rendered
    ]
