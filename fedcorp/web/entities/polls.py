"""Polls as the viewer sees them."""

from collections.abc import Sequence
from typing import Any

from fedcorp.social.polls import Poll
from fedcorp.web.entities.times import iso_or_none


def poll(
    row: Poll, ms: int, viewer_id: int | None, author_id: int | None = None, emojis: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """The Poll entity at time `ms`. Counts that the author hides appear when the poll is over."""
    over, hidden = row.is_over(ms), row.hides_totals(ms)
    entity: dict[str, Any] = {
        "id": str(row.id),
        "expires_at": iso_or_none(row.expires_at or row.closed_at),
        "expired": over,
        "multiple": row.multiple,
        # Of a poll elsewhere that hides its votes, no more is known than how many people have voted.
        "votes_count": max(sum(option.votes_count for option in row.options), row.voters_count if hidden else 0),
        "voters_count": _voters(row),
        "options": [
            {"title": option.title, "votes_count": None if hidden else option.votes_count} for option in row.options
        ],
        "emojis": list(emojis),
        "voted": False,
        "own_votes": [],
    }
    if viewer_id is not None:
        entity |= {"voted": bool(row.own_votes) or viewer_id == author_id, "own_votes": row.own_votes}
    return entity


def _voters(row: Poll) -> int | None:
    """How many people voted. Some servers (Misskey) tell only how often each option was chosen: who chooses
    one is one vote then, and of a poll with several choices nobody knows it."""
    votes = [option.votes_count for option in row.options]
    if not row.multiple:
        return max(row.voters_count, sum(votes))
    return row.voters_count if row.voters_count >= max(votes, default=0) else None
