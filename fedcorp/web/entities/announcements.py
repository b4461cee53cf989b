"""Announcements of the department."""

from typing import Any

from fedcorp.social import announcements
from fedcorp.social.announcements import Announcement, Reaction
from fedcorp.social.text import find_tags, render
from fedcorp.storage.database import Tx
from fedcorp.web.entities.times import iso, iso_or_none


def announcement(tx: Tx, item: Announcement, found: list[Reaction], read: bool | None) -> dict[str, Any]:
    """The Announcement entity. Without `read` it is the one for everybody, and says nothing of the viewer."""
    personal = {} if read is None else {"read": read}
    return {
        "id": str(item.id),
        "content": render(item.text, mentions={}, tag_url=tx.site.urls.tag),
        "starts_at": iso_or_none(item.starts_at),
        "ends_at": iso_or_none(item.ends_at),
        "all_day": item.all_day,
        "published_at": iso(item.created_at),
        "updated_at": iso(item.created_at),
        **personal,
        "mentions": [],
        "statuses": [],
        "tags": [{"name": tag.name, "url": tx.site.urls.tag(tag.name)} for tag in find_tags(item.text)],
        "emojis": [],
        "reactions": [
            {"name": each.name, "count": each.count} | ({} if read is None else {"me": each.me}) for each in found
        ],
    }


def for_everybody(tx: Tx, id_: int) -> dict[str, Any] | None:
    """One Announcement entity as streams tell it; None when it is there no more."""
    item = announcements.find(tx, id_)
    return announcement(tx, item, announcements.reactions(tx, [id_], None)[id_], None) if item else None


def reaction(tx: Tx, id_: int, name: str) -> dict[str, Any]:
    """How often an emoji stands below an announcement now, as streams tell it."""
    counts = {item.name: item.count for item in announcements.reactions(tx, [id_], None)[id_]}
    return {"name": name, "count": counts.get(name, 0), "announcement_id": str(id_)}
