"""Checks links in profiles: a page that links back with `rel=me` is of the same person.

Only for people here, and only pages that this server may ask at all. A page that cannot be had proves nothing, either
way. Source: the microformat rel=me, as Mastodon reads it.
"""

import logging
from typing import Any

import orjson

from fedcorp.activitypub.visitor import Visitor
from fedcorp.clock import Clock
from fedcorp.errors import FedcorpError
from fedcorp.social import accounts, page_heads
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Database

PAGE_BYTES = 1024 * 1024
_ACCEPT = "text/html, application/xhtml+xml"

log = logging.getLogger(__name__)


class Verifier:
    """Checks for one instance."""

    def __init__(self, visitor: Visitor, db: Database, clock: Clock) -> None:
        self._visitor = visitor
        self._db = db
        self._clock = clock

    async def run(self, payload: dict[str, Any]) -> None:
        """Run one `verify_links` job."""
        account = await self._db.read(accounts.find, int(payload["account_id"]))
        if account is None or account.hidden or not account.local:
            return
        results = {}
        for field in orjson.loads(account.fields):
            url = page_heads.only_link(field["value"])
            found = await self._links_back(url, account) if url is not None else None
            if found is not None:
                results[field["value"]] = found
        await self._db.write(accounts.set_verified, account.id, results)

    async def _links_back(self, url: str, account: Account) -> bool | None:
        """None when the page cannot be had."""
        try:
            content, kind, found_at = await self._visitor.get(url, _ACCEPT, PAGE_BYTES)
        except FedcorpError as error:
            log.info("a page cannot be had: %s", type(error).__name__)
            return None
        head = await self._clock.offload(page_heads.read, content, kind, found_at)
        return any(page_heads.names(head, mine) for mine in (account.url, account.uri))
