"""What a members-only group says to members whose servers cannot keep its posts: notes of its own, to its followers.

Such a server shows announced posts to everybody, or to nobody. If the group's rules allow it (`outsiders`: relay), it
says each post again as a followers-only note that names the author; edits and deletions follow. Answers come back as
posts of those members (`fedcorp.social.relay`). The addresses follow from the posts, so that nothing need be kept.
"""

from html import escape
from typing import Any

from fedcorp.activitypub import audience, render, telling
from fedcorp.activitypub.audience import Destination
from fedcorp.social import accounts, polls
from fedcorp.social.accounts import Account
from fedcorp.social.groups import Group
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx


def _destinations(tx: Tx, group: Account, rules: Group, status: Status) -> set[Destination]:
    if not rules.members_only or rules.outsiders != "relay":
        return set()
    found = audience.followers(tx, group.id, status.reach)
    return found - audience.holding(tx, found)


def note(tx: Tx, group: Account, status: Status) -> dict[str, Any]:
    """The note of the group that stands for a status of one of its members. Files of other servers stay there."""
    author = accounts.get(tx, status.account_id)
    answered = status.in_reply_to_id
    document = {
        "id": tx.site.urls.relayed(group.uri, status.id),
        "type": "Note",
        "attributedTo": group.uri,
        "content": status.content if author.id == group.id else _content(tx, status, author),
        "summary": status.spoiler_text or None,
        "sensitive": status.sensitive or author.sensitized_at is not None or bool(status.spoiler_text),
        "published": render.time(status.created_at),
        "inReplyTo": tx.site.urls.relayed(group.uri, answered) if answered is not None else None,
        "to": [group.followers_uri],
        "cc": [],
        "tag": render.hashtags(tx, status),
        "attachment": render.attachments(tx, status) if status.local else [],
        "proxyOf": status.uri,
    }
    if status.edited_at is not None:
        document["updated"] = render.time(status.edited_at)
    return document


def _content(tx: Tx, status: Status, author: Account) -> str:
    """The words under the name of who wrote them; of a poll the choices, which only members make."""
    name = escape(f"{author.display_name or author.username} (@{author.handle}):")
    options = polls.get(tx, status.poll_id, None).options if status.poll_id is not None else ()
    listed = "".join(f"<li>{escape(option.title)}</li>" for option in options)
    return f"<p><strong>{name}</strong></p>{status.content}" + (f"<ul>{listed}</ul>" if listed else "")


def said(tx: Tx, group: Account, rules: Group, status: Status, *, changed: bool = False) -> None:
    """Tell a post, or what became of it, to those servers."""
    destinations = _destinations(tx, group, rules, status)
    if destinations:
        kind, thing = ("Update" if changed else "Create"), note(tx, group, status)
        document = render.activity(kind, telling.new_uri(tx), group, thing, at=tx.ms, to=thing["to"])
        telling.post(tx, group, document, destinations, reach=status.reach, status_id=status.id)


def taken_back(tx: Tx, group: Account, rules: Group, status: Status) -> None:
    """Tell those servers that a post is gone."""
    destinations = _destinations(tx, group, rules, status)
    if destinations:
        thing = render.gone(tx.site.urls.relayed(group.uri, status.id))
        document = render.activity("Delete", telling.new_uri(tx), group, thing, at=tx.ms, to=[group.uri + "/followers"])
        telling.post(tx, group, document, destinations, reach=status.reach)
