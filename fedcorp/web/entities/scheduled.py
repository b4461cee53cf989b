"""Posts that wait for their time."""

from typing import Any

from fedcorp.social import media
from fedcorp.social.scheduling import Scheduled
from fedcorp.storage.database import Tx
from fedcorp.web.entities.media import attachment
from fedcorp.web.entities.times import iso


def scheduled(tx: Tx, item: Scheduled) -> dict[str, Any]:
    """The ScheduledStatus entity; `error`, which is ours, says why it could not be published when it was due."""
    draft = item.draft
    poll = draft.poll
    own = media.own_many(tx, item.account_id, list(draft.media_ids))
    return {
        "id": str(item.id),
        "scheduled_at": iso(item.scheduled_at),
        "params": {
            "text": draft.text,
            "media_ids": [str(id_) for id_ in draft.media_ids] or None,
            "sensitive": draft.sensitive,
            "spoiler_text": draft.spoiler_text or None,
            "visibility": draft.visibility,
            "reach": draft.reach,
            "language": draft.language,
            "scheduled_at": None,
            "poll": None
            if poll is None
            else {
                "options": list(poll.options),
                "expires_in": poll.expires_in,
                "multiple": poll.multiple,
                "hide_totals": poll.hide_totals,
            },
            "idempotency": None,
            "with_rate_limit": False,
            "in_reply_to_id": str(draft.in_reply_to_id) if draft.in_reply_to_id is not None else None,
            "quoted_status_id": str(draft.quoted_id) if draft.quoted_id is not None else None,
            "quote_approval_policy": draft.quote_policy,
            "application_id": None,  # a number by the documentation, and ours are too large for JavaScript's
        },
        "media_attachments": [attachment(tx, file) for file in own],
        "error": item.error or None,
    }
