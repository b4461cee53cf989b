"""Attachments. A file goes as far as its status: narrower than public, its URL expires."""

from typing import Any

import orjson

from fedcorp.social.media import Media
from fedcorp.storage.database import Tx
from fedcorp.storage.signed import WINDOW_MS, expiring


def is_open(visibility: str, reach: str) -> bool:
    """Whether files of such a status are served to anybody who knows the key."""
    return reach == "public" and visibility in ("public", "unlisted")


def window(visibility: str, reach: str, ms: int) -> int:
    """The number of the window in which rendered URLs stay the same; 0 for those that do not expire."""
    return 0 if is_open(visibility, reach) else ms // WINDOW_MS


def attachment(tx: Tx, item: Media, *, open_to_all: bool = False) -> dict[str, Any]:
    """The MediaAttachment entity. While a remote file is not here, its own server's URL stands in."""

    def url(key: str | None) -> str | None:
        if key is None:
            return item.remote_url
        return here(key)

    def here(key: str) -> str:
        path = f"/media/{key}"
        return tx.site.urls.origin + (path if open_to_all else expiring(tx.site.secret, path, tx.ms))

    return {
        "id": str(item.id),
        "type": item.kind,
        "url": url(item.key),
        "preview_url": here(item.preview_key) if item.preview_key else _without_preview(item, url(item.key)),
        "remote_url": item.remote_url,
        "preview_remote_url": None,
        "text_url": None,
        "meta": orjson.loads(item.sizes),
        "description": item.description or None,
        "blurhash": item.blurhash,
    }


def _without_preview(item: Media, url: str | None) -> str | None:
    """A picture stands for itself; of a film or sound without one there is nothing to show."""
    return url if item.kind in ("image", "unknown") else None
