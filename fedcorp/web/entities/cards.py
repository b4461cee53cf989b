"""PreviewCard and Trends::Link: what a page says that a post links to."""

from typing import Any

from fedcorp.social.accounts import Account
from fedcorp.social.cards import Card
from fedcorp.social.tags import Day
from fedcorp.storage.database import Tx
from fedcorp.storage.signed import expiring
from fedcorp.web.entities.accounts import account
from fedcorp.web.entities.times import iso


def card(tx: Tx, item: Card, creator: Account | None, *, open_to_all: bool) -> dict[str, Any]:
    """The PreviewCard entity; nothing in it is markup. `creator`: see `cards.creators`."""
    path = f"/media/{item.image_key}"
    image = tx.site.urls.origin + (path if open_to_all else expiring(tx.site.secret, path, tx.ms))
    return {
        "url": item.url,
        "title": item.title,
        "description": item.description,
        "language": item.language,
        "type": "link",
        "author_name": item.author,
        "author_url": "",
        "authors": _authors(tx, item, creator),
        "provider_name": item.provider,
        "provider_url": "",
        "html": "",
        "width": item.width,
        "height": item.height,
        "image": image if item.image_key is not None else None,
        "image_description": "",
        "embed_url": "",
        "blurhash": item.blurhash,
        "published_at": iso(item.published_at) if item.published_at is not None else None,
    }


def _authors(tx: Tx, item: Card, creator: Account | None) -> list[dict[str, Any]]:
    """The PreviewCardAuthor entities: one, or none when neither words nor an account name the author."""
    name = item.author or (creator.display_name or creator.username if creator else "")
    return [{"name": name, "url": "", "account": account(tx.site, creator) if creator else None}] if name else []


def trend(tx: Tx, item: Card, creator: Account | None, days: list[Day]) -> dict[str, Any]:
    """The Trends::Link entity."""
    history = [{"day": str(day.at // 1000), "uses": str(day.uses), "accounts": str(day.accounts)} for day in days]
    return card(tx, item, creator, open_to_all=False) | {"id": str(item.id), "history": history}
