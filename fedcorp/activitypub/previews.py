"""Fetches the pages that posts link to, for their cards. Off unless the configuration turns it on.

A page is asked once for all posts that link to it. What it says becomes plain text, its picture is written anew. The
account that it names as its author is looked up then, once, as far as its server may be asked.
"""

import logging
from typing import Any
from urllib.parse import urlsplit

from fedcorp.activitypub.resolve import Budget, Resolver
from fedcorp.activitypub.visitor import Visitor
from fedcorp.clock import Clock
from fedcorp.errors import FedcorpError, NotFound
from fedcorp.social import cards, images, page_heads, statuses
from fedcorp.social.cards import Credit
from fedcorp.social.images import ProcessedImage
from fedcorp.social.page_heads import PageHead
from fedcorp.storage.database import Database
from fedcorp.storage.media import MediaFiles

PAGE_BYTES = 1024 * 1024
FETCHES = 2  # to know the account of a handle: WebFinger, and the actor
_ACCEPT = "text/html, application/xhtml+xml"

log = logging.getLogger(__name__)


class Previews:
    """Fetches for one instance."""

    def __init__(self, visitor: Visitor, resolver: Resolver, db: Database, clock: Clock, files: MediaFiles) -> None:
        self._visitor = visitor
        self._resolver = resolver
        self._db = db
        self._clock = clock
        self._files = files

    async def run(self, payload: dict[str, Any]) -> None:
        """Run one `fetch_card` job."""
        id_ = int(payload["status_id"])
        status = await self._db.read(statuses.find, id_)
        url = page_heads.first_link(status.content) if status is not None and status.deleted_at is None else None
        if url is None or not self._db.site.config.links.previews:
            return
        known = await self._db.read(cards.find, url)
        if known is None or not known.is_fresh(self._clock.ms()):
            await self._fetch(url)
        await self._db.write(cards.attach, id_, url)

    async def _fetch(self, url: str) -> None:
        try:
            content, kind, found_at = await self._visitor.get(url, _ACCEPT, PAGE_BYTES)
            if "html" not in kind.lower():
                raise NotFound(detail=f"no page: {kind}")
            head = await self._clock.offload(page_heads.read, content, kind, found_at)
            if not head.title:
                raise NotFound(detail="a page without a title")
        except FedcorpError as error:
            log.info("a page cannot be had: %s", type(error).__name__)
            await self._db.write(cards.failed, url)
            return
        picture = await self._picture(head)
        key = self._clock.random_bytes(16).hex()
        if picture is not None:
            suffix = images.SUFFIXES[picture.preview_mime]
            await self._clock.offload(lambda: self._files.put(picture.preview, suffix=suffix, key=key))
        credit = Credit(await self._creator(head), (urlsplit(found_at).hostname or "").lower())
        unused = await self._db.write(cards.keep, url, head, picture, key, credit)
        if unused is not None:
            await self._clock.offload(self._files.delete, unused)

    async def _creator(self, head: PageHead) -> int | None:
        """The account that a page names as its author. Whether that one agrees is asked whenever the card is shown."""
        if not head.creator:
            return None
        try:
            return (await self._resolver.account(head.creator, budget=Budget(FETCHES))).id
        except FedcorpError:
            return None

    async def _picture(self, head: PageHead) -> ProcessedImage | None:
        """The picture of a page; without one that can be had the card has none."""
        if head.image is None:
            return None
        try:
            content, _, _ = await self._visitor.get(head.image, "image/*", self._db.site.config.limits.media_bytes)
            return await self._clock.offload(images.process, content)
        except FedcorpError:
            return None
