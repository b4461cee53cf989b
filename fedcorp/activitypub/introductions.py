"""Gets to know the people whom a post of another server names and whom nobody here had met.

Otherwise whoever answers everybody in an app would leave them out without seeing it: apps take whom to answer from the
list of those who are named. The job `meet` begins when such a post comes or changes. The post does not wait for it,
and is shown with everybody in it from then on.
"""

import logging
from collections import Counter
from typing import Any

from fedcorp.activitypub.resolve import Resolver
from fedcorp.clock import Clock
from fedcorp.errors import FedcorpError, Unavailable
from fedcorp.social import accounts, statuses
from fedcorp.storage.database import Database, Tx

MOST_ASKED, WINDOW_MS = 400, 300_000
"""People whom the posts of one server make us look up within this time, however many posts it sends."""

log = logging.getLogger("fedcorp.activitypub")


class Introductions:
    """The job `meet`: its payload names the post, the edit of it that it is about, and whom it names that way."""

    def __init__(self, resolver: Resolver, db: Database, clock: Clock) -> None:
        self._resolver = resolver
        self._db = db
        self._clock = clock
        self._asked: Counter[str] = Counter()
        self._since = 0

    async def run(self, payload: dict[str, Any]) -> None:
        """Fetch them, each from their own server. Raises Unavailable for those who are away, so that they are asked
        again later."""
        met: list[tuple[int, bool]] = []
        away: Unavailable | None = None
        sender = await self._db.read(_sender, int(payload["status"]))
        for uri, silent in payload["people"]:
            if sender is None:  # the post is gone
                return
            if not self._may_ask_for(sender):
                log.warning("%s names so many people that no more of them are looked up for a while", sender)
                break
            try:
                met.append(((await self._resolver.actor(uri)).id, silent))
            except Unavailable as error:
                away = error
            except FedcorpError as error:
                log.info("somebody whom a post names is not known: %s", error.text)
        await self._db.write(_name, int(payload["status"]), payload["edited_at"], met)
        if away is not None:
            raise away

    def _may_ask_for(self, sender: str) -> bool:
        now = self._clock.ms()
        if now - self._since >= WINDOW_MS:
            self._asked.clear()
            self._since = now
        self._asked[sender] += 1
        return self._asked[sender] <= MOST_ASKED


def _sender(tx: Tx, status_id: int) -> str | None:
    """The origin of a post that is still here."""
    status = statuses.find(tx, status_id)
    return status.origin if status is not None and status.deleted_at is None else None


def _name(tx: Tx, status_id: int, edited_at: int | None, met: list[tuple[int, bool]]) -> None:
    """Write down whom a post names; after another edit that would be somebody whom it names no longer."""
    status = statuses.find(tx, status_id)
    if status is None or status.deleted_at is not None or status.edited_at != edited_at:
        return
    known = accounts.find_many(tx, {id_ for id_, _ in met})
    statuses.name_more(tx, status.id, [(id_, silent) for id_, silent in met if id_ in known and not known[id_].hidden])
