"""Announcements of the department."""

from typing import Any

from fedcorp.social import announcements, custom_emojis
from fedcorp.social.announcements import Announcement
from fedcorp.social.reactions import Kind, Tally
from fedcorp.social.text import find_tags, render
from fedcorp.storage.database import Tx
from fedcorp.web.entities import emojis, reactions
from fedcorp.web.entities.times import iso, iso_or_none


def announcement(tx: Tx, item: Announcement, found: list[Tally], read: bool | None) -> dict[str, Any]:
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
        "emojis": [emojis.emoji(tx.site, one) for one in custom_emojis.in_text(tx, custom_emojis.HERE, item.text)],
        "reactions": reactions.tallies(tx, found, personal=read is not None),
    }


def for_everybody(tx: Tx, id_: int) -> dict[str, Any] | None:
    """One Announcement entity as streams tell it; None when it is there no more."""
    item = announcements.find(tx, id_)
    return announcement(tx, item, announcements.reactions(tx, [id_], None)[id_], None) if item else None


def reaction(tx: Tx, id_: int, name: str) -> dict[str, Any]:
    """How often an emoji stands below an announcement now, as streams tell it."""
    kind = Kind(name)
    counts = {item.kind: item.people for item in announcements.reactions(tx, [id_], None)[id_]}
    (entity,) = reactions.tallies(tx, [Tally(kind, counts.get(kind, 0), False)], personal=False)
    return {**entity, "announcement_id": str(id_)}
