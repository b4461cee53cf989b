"""Brings the files of remote posts here, so that people never load them from another server.

What a peer sends is decoded and encoded again before it is kept: pictures at once, films and sounds by a job of their
own, where ffmpeg is. Other kinds of files are shown as links.
"""

import contextlib
import logging
from typing import Any

from fedcorp.activitypub.client import Client
from fedcorp.clock import Clock
from fedcorp.errors import FedcorpError, Unavailable, Unprocessable
from fedcorp.social import custom_emojis, images, media
from fedcorp.social.custom_emojis import MAX_BYTES
from fedcorp.social.images import ProcessedImage
from fedcorp.social.media import Media
from fedcorp.social.studio import Studio, tools_for
from fedcorp.storage.database import Database
from fedcorp.storage.media import MediaFiles

log = logging.getLogger(__name__)


class Attachments:
    """Fetches for one instance."""

    def __init__(self, client: Client, db: Database, clock: Clock, files: MediaFiles, studio: Studio) -> None:
        self._client = client
        self._db = db
        self._clock = clock
        self._files = files
        self._studio = studio

    async def fetch(self, payload: dict[str, Any]) -> None:
        """Run one `fetch_media` job. Raises Unavailable when it should be tried again."""
        item = await self._db.read(media.find, int(payload["media_id"]))
        if item is None or item.key is not None or item.remote_url is None or item.kind == "unknown":
            return
        try:
            await self._fetch(item, item.remote_url)
        except Unavailable:
            raise
        except FedcorpError as error:
            log.info("a file cannot be had: %s", type(error).__name__)
            await self._db.write(media.failed, item.id)

    async def fetch_emoji(self, payload: dict[str, Any]) -> None:
        """Run one `fetch_emoji` job. Raises Unavailable when it should be tried again."""
        item = await self._db.read(custom_emojis.find, int(payload["emoji_id"]))
        if item is None or item.remote_url is None:
            return
        try:
            content, _ = await self._client.media(item.remote_url, MAX_BYTES)
            picture = await self._clock.offload(images.emoji, content)
        except Unavailable:
            raise
        except FedcorpError as error:
            log.info("an emoji cannot be had: %s", type(error).__name__)
            return
        key, still_key = (self._clock.random_bytes(16).hex() for _ in range(2))
        await self._clock.offload(self._store, picture, key, still_key)
        unused = await self._db.write(
            custom_emojis.fetched, item.id, item.remote_url, key=key, still_key=still_key, mime=picture.mime
        )
        for old in unused:
            await self._clock.offload(self._files.delete, old)

    async def _fetch(self, item: Media, url: str) -> None:
        limits = self._db.site.config.limits
        if item.kind in ("video", "audio"):
            if tools_for(self._db.site.config) is None:
                raise Unprocessable("Films are not taken here.")
            content, _ = await self._client.media(url, limits.video_bytes)
            key, _ = await self._studio.take(content)
            await self._db.write(media.arrived, item.id, key)
            return
        content, mime = await self._client.media(url, limits.media_bytes)
        if await self._studio.moves(content):
            with contextlib.suppress(Unprocessable):  # more than a film may be: the picture is kept
                key, _ = await self._studio.take(content)
                await self._db.write(media.arrived, item.id, key)
                return
        await self._studio.keep_picture(item.id, await self._clock.offload(_process, content, mime))

    def _store(self, picture: ProcessedImage, key: str, preview_key: str) -> None:
        self._files.put(picture.data, suffix=images.SUFFIXES[picture.mime], key=key)
        self._files.put(picture.preview, suffix=images.SUFFIXES[picture.preview_mime], key=preview_key)


def _process(content: bytes, mime: str) -> ProcessedImage:
    return images.process(content, mime=mime)
