"""Lists and hashtags."""

from typing import Any

from fedcorp.social import tags
from fedcorp.social.lists import ListRow
from fedcorp.storage.database import Tx


def list_(row: ListRow) -> dict[str, Any]:
    """The List entity."""
    return {
        "id": str(row.id), "title": row.title, "replies_policy": row.replies_policy, "exclusive": row.exclusive,
    }  # fmt: skip


def hashtags(tx: Tx, viewer_id: int | None, names: list[str]) -> list[dict[str, Any]]:
    """Tag entities of normalised names with the use of the last days, in this order."""
    history = tags.history(tx, viewer_id, names)
    followed = tags.followed_among(tx, viewer_id, names) if viewer_id is not None else set()
    return [
        {
            "id": name,
            "name": name,
            "url": tx.site.urls.tag(name),
            "history": [
                {"day": str(day.at // 1000), "uses": str(day.uses), "accounts": str(day.accounts)}
                for day in history[name]
            ],
            "following": name in followed,
            "featuring": False,
        }
        for name in names
    ]
