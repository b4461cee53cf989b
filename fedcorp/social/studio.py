"""Makes films and sounds of what was sent, one at a time: takes it in, and later puts what `films` made into its row.

Decides nothing about who may see a file, and fetches nothing. Work that a dead process left is done again as a whole.
"""

import logging
from pathlib import Path
from typing import Any

from fedcorp.clock import Clock
from fedcorp.config import Config
from fedcorp.errors import FedcorpError, TooLarge, Unprocessable
from fedcorp.social import films, images, media
from fedcorp.social.films import Film, Holds, Rules, Tools
from fedcorp.social.images import ProcessedImage
from fedcorp.social.media import Media
from fedcorp.storage.database import Database
from fedcorp.storage.media import MediaFiles

log = logging.getLogger(__name__)


def rules_of(config: Config) -> Rules:
    """How much may be asked of a film here."""
    limits = config.limits
    return Rules(
        limits.video_bytes, limits.video_pixels, limits.video_frame_rate, limits.video_seconds,
        limits.video_work_seconds,
    )  # fmt: skip


def tools_for(config: Config) -> Tools | None:
    """The programs, where films and sounds are taken: ffmpeg is installed, and the configuration lets them in."""
    return films.find_tools() if config.limits.video_bytes > 0 else None


def size_of(width: int, height: int) -> dict[str, Any]:
    """One size in Mastodon's `meta`."""
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": width / height}


class Studio:
    """Makes films for one instance."""

    def __init__(self, db: Database, clock: Clock, files: MediaFiles) -> None:
        self._db = db
        self._clock = clock
        self._files = files

    @property
    def lease_seconds(self) -> int:
        """How long making one can take, with time to spare."""
        return 2 * self._db.site.config.limits.video_work_seconds + 60

    async def moves(self, content: bytes) -> bool:
        """Whether this is a picture that moves, of which a film can be made here, which is smaller and smoother."""
        limits = self._db.site.config.limits
        if tools_for(self._db.site.config) is None or len(content) > min(limits.media_bytes, limits.video_bytes):
            return False
        return await self._clock.offload(images.moves, content)

    async def take(self, content: bytes) -> tuple[str, Holds]:
        """Keep what was sent: its key, and what it holds. Raises Unprocessable, TooLarge, OSError of the disk."""
        config = self._db.site.config
        tools = tools_for(config)
        if tools is None:
            raise Unprocessable(films.ABSENT)
        if len(content) > config.limits.video_bytes:
            raise TooLarge(
                f"This file is too large; at most {config.limits.video_bytes // 1024 // 1024} MB can be taken."
            )
        key = self._clock.random_bytes(16).hex()
        await self._clock.offload(lambda: self._files.put(content, suffix=".raw", key=key))
        try:
            return key, await films.probe(tools, self._files.path(key), rules_of(config))
        except BaseException:
            self._files.delete(key)
            raise

    async def run(self, payload: dict[str, Any]) -> None:
        """Run one `make_film` job."""
        await self.make(int(payload["media_id"]))

    async def make(self, id_: int) -> None:
        """Make the film or sound of this row, if that is still to be done. What cannot be made has failed for good."""
        item = await self._db.read(media.find, id_)
        if item is None or item.source_key is None:
            return
        try:
            await self._make(item, item.source_key)
        except FedcorpError as error:
            log.info("a film cannot be made: %s %s", type(error).__name__, error.detail)
            await self._give_up(item, item.source_key)
        await self._clock.offload(self._files.delete, item.source_key)

    async def _give_up(self, item: Media, source_key: str) -> None:
        """A GIF of which no film can be made stays a picture; everything else has failed."""
        try:
            content = await self._clock.offload(lambda: self._files.path(source_key).read_bytes())
            picture = await self._clock.offload(images.process, content)
        except (FedcorpError, FileNotFoundError):
            await self._db.write(media.failed, item.id)
        else:
            await self.keep_picture(item.id, picture)

    async def keep_picture(self, id_: int, picture: ProcessedImage) -> None:
        """Put a picture and its preview into the media folder and into this row."""
        key, preview_key = (self._clock.random_bytes(16).hex() for _ in range(2))
        await self._clock.offload(self._store_picture, picture, key, preview_key)
        sizes = {
            "original": size_of(picture.width, picture.height),
            "small": size_of(picture.preview_width, picture.preview_height),
        }
        unused = await self._db.write(
            media.fetched, id_, key=key, preview_key=preview_key, kind="image", mime=picture.mime,
            bytes=len(picture.data), sizes=sizes, blurhash=picture.blurhash,
        )  # fmt: skip
        await self._clear(unused)

    async def _clear(self, keys: list[str]) -> None:
        for key in keys:
            await self._clock.offload(self._files.delete, key)

    def _store_picture(self, picture: ProcessedImage, key: str, preview_key: str) -> None:
        self._files.put(picture.data, suffix=images.SUFFIXES[picture.mime], key=key)
        self._files.put(picture.preview, suffix=images.SUFFIXES[picture.preview_mime], key=preview_key)

    async def _make(self, item: Media, source_key: str) -> None:
        config = self._db.site.config
        tools = tools_for(config)
        if tools is None:
            raise Unprocessable(films.ABSENT)
        try:
            source = self._files.path(source_key)
        except FileNotFoundError as error:
            raise Unprocessable("This video or sound is lost.", str(error)) from None
        with self._files.workroom(str(item.id)) as work:
            film = await films.make(tools, source, work, rules_of(config), frame=item.preview_key is None)
            await self._keep(item, film)

    async def _keep(self, item: Media, film: Film) -> None:
        key, preview_key = (self._clock.random_bytes(16).hex() for _ in range(2))
        preview = await self._clock.offload(_preview, film.frame)
        size = film.path.stat().st_size
        await self._clock.offload(self._store, film.path, films.SUFFIXES[film.mime], key)
        sizes = film.meta
        if preview is not None:
            suffix = images.SUFFIXES[preview.preview_mime]
            await self._clock.offload(lambda: self._files.put(preview.preview, suffix=suffix, key=preview_key))
            sizes |= {"small": size_of(preview.preview_width, preview.preview_height)}
        unused = await self._db.write(
            media.fetched, item.id, key=key, preview_key=preview_key if preview else None, kind=film.kind,
            mime=film.mime, bytes=size, sizes=sizes, blurhash=preview.blurhash if preview else None,
        )  # fmt: skip
        await self._clear(unused)

    def _store(self, path: Path, suffix: str, key: str) -> None:
        self._files.adopt(path, suffix=suffix, key=key)


def _preview(frame: bytes | None) -> ProcessedImage | None:
    """The picture of a film; one that cannot be made into one is done without."""
    try:
        return images.process(frame) if frame else None
    except FedcorpError:
        return None
