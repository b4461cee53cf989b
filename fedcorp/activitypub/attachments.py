"""Brings the files of remote posts here, so that people never load them from another server. Pictures only, for now.

What a peer sends is decoded and encoded again before it is kept. Other kinds of files are shown as links.
"""

import logging
from typing import Any

from fedcorp.activitypub.client import Client
from fedcorp.clock import Clock
from fedcorp.errors import FedcorpError, Unavailable
from fedcorp.social import images, media
from fedcorp.social.images import ProcessedImage
from fedcorp.social.media import Media
from fedcorp.storage.database import Database
from fedcorp.storage.media import MediaFiles

log = logging.getLogger(__name__)


class Attachments:
    """Fetches for one instance."""

    def __init__(self, client: Client, db: Database, clock: Clock, files: MediaFiles) -> None:
        self._client = client
        self._db = db
        self._clock = clock
        self._files = files

    async def fetch(self, payload: dict[str, Any]) -> None:
        """Run one `fetch_media` job. Raises Unavailable when it should be tried again."""
        item = await self._db.read(media.find, int(payload["media_id"]))
        if item is None or item.key is not None or item.remote_url is None or item.kind not in ("image", "gifv"):
            return
        try:
            content, mime = await self._client.media(item.remote_url, self._db.site.config.limits.media_bytes)
            picture = await self._clock.offload(_process, content, mime)
        except Unavailable:
            raise
        except FedcorpError as error:
            log.info("a picture cannot be had: %s", type(error).__name__)
            await self._db.write(media.failed, item.id)
            return
        await self._keep(item, picture)

    async def _keep(self, item: Media, picture: ProcessedImage) -> None:
        key, preview_key = (self._clock.random_bytes(16).hex() for _ in range(2))
        await self._clock.offload(self._store, picture, key, preview_key)
        sizes = {
            "original": _size(picture.width, picture.height),
            "small": _size(picture.preview_width, picture.preview_height),
        }
        await self._db.write(
            media.fetched, item.id, key=key, preview_key=preview_key, kind="image", mime=picture.mime,
            bytes=len(picture.data), sizes=sizes, blurhash=picture.blurhash,
        )  # fmt: skip

    def _store(self, picture: ProcessedImage, key: str, preview_key: str) -> None:
        self._files.put(picture.data, suffix=images.SUFFIXES[picture.mime], key=key)
        self._files.put(picture.preview, suffix=images.SUFFIXES[picture.preview_mime], key=preview_key)


def _process(content: bytes, mime: str) -> ProcessedImage:
    return images.process(content, mime=mime)


def _size(width: int, height: int) -> dict[str, Any]:
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": width / height}
