"""Fetches what our copy of a group's ledger lacks: after joining, and when something was missed.

Works like the inbox: a unit acts and says what it misses, what is missing is fetched between units. What was taken
stays, so a ledger of any length costs each page once, and a stop in the middle costs nothing.
"""

from dataclasses import dataclass, replace
from typing import Any

from fedcorp.activitypub import ledger
from fedcorp.activitypub.documents import domain_of
from fedcorp.activitypub.handlers import groups as handlers
from fedcorp.activitypub.handlers.parties import has_local_follower
from fedcorp.activitypub.intake import Deferred, Intake, Missing
from fedcorp.activitypub.resolve import Budget, Resolver
from fedcorp.company import peers
from fedcorp.errors import Unavailable
from fedcorp.social import accounts
from fedcorp.storage.database import Database, Tx

MOST_FETCHES = 400  # in one run; then it is the turn of other jobs


class LedgerPull:
    """The job `pull_ledger`: its payload names the group."""

    def __init__(self, db: Database, resolver: Resolver) -> None:
        self._db = db
        self._resolver = resolver

    async def run(self, payload: dict[str, Any]) -> None:
        """Take everything that the group's server has. Raises Unavailable, so that it is tried again later."""
        group_id = int(payload["group"])
        page = await self._db.write(_begin, group_id)
        for _ in range(MOST_FETCHES):
            if page is None:
                return
            page = await self._db.write(_step, page)
            if page is not None and page.missing is not None:
                await self._resolver.fetch(page.missing, page.intake, Budget())
        await self._db.write(ledger.pull, group_id)


@dataclass(frozen=True, slots=True)
class _Page:
    """The page of a ledger behind the number `after`, and what was fetched to act upon it."""

    group_id: int
    after: int
    intake: Intake
    missing: Missing | None = None


def _begin(tx: Tx, group_id: int) -> _Page | None:
    """The first page that our copy lacks; None where nobody here needs it."""
    group = accounts.find(tx, group_id)
    if group is None or group.local or group.hidden or not has_local_follower(tx, group.id):
        return None  # also when all of ours have left meanwhile: nobody misses what its server does not answer
    domain = domain_of(group.uri)
    return _Page(group_id, ledger.head(tx, group_id).seq, Intake(domain, peers.check_tier(tx, domain)))


def _step(tx: Tx, page: _Page) -> _Page | None:
    """Act on a page as far as that is possible; the same with what is missing now, the next one, or None at the end."""
    group = accounts.get(tx, page.group_id)
    try:
        grew = handlers.take_page(tx, group, page.after, page.intake)
    except Missing as missing:
        return replace(page, missing=missing)
    except Deferred as deferred:
        raise Unavailable("The server of the group cannot be reached.", str(deferred)) from deferred
    return _begin(tx, page.group_id) if grew else None
