"""Fetches what our copy of a group's ledger lacks: after joining, and when something was missed.

Works like the inbox: a unit acts and says what it misses, what is missing is fetched between units.
"""

from typing import Any

from fedcorp.activitypub.documents import domain_of
from fedcorp.activitypub.handlers import groups as handlers
from fedcorp.activitypub.handlers.parties import has_local_follower
from fedcorp.activitypub.intake import Deferred, Intake, Missing
from fedcorp.activitypub.resolve import Budget, Resolver
from fedcorp.company import peers
from fedcorp.errors import Unavailable
from fedcorp.social import accounts
from fedcorp.storage.database import Database, Tx

MOST_FETCHES = 400


class LedgerPull:
    """The job `pull_ledger`: its payload names the group."""

    def __init__(self, db: Database, resolver: Resolver) -> None:
        self._db = db
        self._resolver = resolver

    async def run(self, payload: dict[str, Any]) -> None:
        """Take everything that the group's server has. Raises Unavailable, so that it is tried again later."""
        group_id = int(payload["group"])
        intake: Intake | None = None
        for _ in range(MOST_FETCHES):
            found = await self._db.write(_step, group_id, intake)
            if found is None:
                return
            missing, intake = found
            await self._resolver.fetch(missing, intake, Budget())
        raise Unavailable("The ledger is longer than one job may fetch.")


def _step(tx: Tx, group_id: int, intake: Intake | None) -> tuple[Missing, Intake] | None:
    """Act on what was fetched; what is missing next, or None at the end."""
    group = accounts.find(tx, group_id)
    if group is None or group.local or group.hidden or not has_local_follower(tx, group.id):
        return None  # also when all of ours have left meanwhile: nobody misses what its server does not answer
    if intake is None:
        domain = domain_of(group.uri)
        intake = Intake(domain, peers.check_tier(tx, domain))
    try:
        with tx.step():
            handlers.catch_up(tx, group, intake)
    except Missing as missing:
        return missing, intake
    except Deferred as deferred:
        raise Unavailable("The server of the group cannot be reached.", str(deferred)) from deferred
    return None
