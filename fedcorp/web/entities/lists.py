"""Lists and hashtags."""

from typing import Any

from fedcorp.social import featured_tags, tags
from fedcorp.social.featured_tags import FeaturedTag
from fedcorp.social.lists import ListRow
from fedcorp.storage.database import Tx
from fedcorp.web.entities.times import day as date


def list_(row: ListRow) -> dict[str, Any]:
    """The List entity."""
    return {
        "id": str(row.id), "title": row.title, "replies_policy": row.replies_policy, "exclusive": row.exclusive,
    }  # fmt: skip


def hashtags(tx: Tx, viewer_id: int | None, names: list[str]) -> list[dict[str, Any]]:
    """Tag entities of normalised names with the use of the last days, in this order."""
    history = tags.history(tx, viewer_id, names)
    followed = tags.followed_among(tx, viewer_id, names) if viewer_id is not None else set()
    featured = featured_tags.among(tx, viewer_id, names) if viewer_id is not None else set()
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
            "featuring": name in featured,
        }
        for name in names
    ]


def featured_tag(tx: Tx, item: FeaturedTag) -> dict[str, Any]:
    """The FeaturedTag entity; the number is text, as in Mastodon."""
    return {
        "id": str(item.id),
        "name": item.name,
        "url": tx.site.urls.tag(item.name),
        "statuses_count": str(item.uses),
        "last_status_at": date(item.last_at),
    }
