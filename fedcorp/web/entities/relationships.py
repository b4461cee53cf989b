"""Relationships between the viewer and others."""

from typing import Any

from fedcorp.social import follows
from fedcorp.social.follows import Relationship
from fedcorp.storage.database import Tx


def relationship(row: Relationship) -> dict[str, Any]:
    """The Relationship entity."""
    return {
        "id": str(row.id),
        "following": row.following,
        "showing_reblogs": row.showing_reblogs,
        "notifying": row.notifying,
        "languages": row.languages,
        "followed_by": row.followed_by,
        "blocking": row.blocking,
        "blocked_by": row.blocked_by,
        "muting": row.muting,
        "muting_notifications": row.muting_notifications,
        "requested": row.requested,
        "requested_by": row.requested_by,
        "domain_blocking": row.domain_blocking,
        "endorsed": row.endorsed,
        "note": row.note,
    }


def between(tx: Tx, viewer_id: int, ids: list[int]) -> list[dict[str, Any]]:
    """One entity for each id, in this order."""
    return [relationship(row) for row in follows.relationships(tx, viewer_id, ids)]
