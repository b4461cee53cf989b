"""CustomEmoji: what clients show in place of `:party:`."""

from typing import Any

import orjson

from fedcorp.social import custom_emojis
from fedcorp.social.accounts import Account
from fedcorp.social.custom_emojis import CustomEmoji
from fedcorp.storage.database import Site, Tx


def emoji(site: Site, item: CustomEmoji) -> dict[str, Any]:
    """The CustomEmoji entity of one whose picture is here."""
    return _entity(site, item.shortcode, item.key, item.still_key, item.category)


def domain_of(author: Account) -> str:
    """Of whose emoji the texts of an account speak."""
    return custom_emojis.HERE if author.local else author.domain


def in_words(tx: Tx, author: Account, *texts: str) -> list[dict[str, Any]]:
    """CustomEmoji entities in what an account wrote."""
    return [emoji(tx.site, item) for item in custom_emojis.in_text(tx, domain_of(author), " ".join(texts))]


def of_account(site: Site, account: Account) -> list[dict[str, Any]]:
    """CustomEmoji entities in the texts of an account."""
    if account.emojis == "[]":
        return []
    return [
        _entity(site, item["shortcode"], item["key"], item["still_key"], item["category"])
        for item in orjson.loads(account.emojis)
    ]


def _entity(site: Site, code: str, key: str | None, still_key: str | None, category: str) -> dict[str, Any]:
    return {
        "shortcode": code,
        "url": site.urls.media(key or ""),
        "static_url": site.urls.media(still_key or key or ""),
        "visible_in_picker": True,
        "category": category or None,
    }
