"""Reads how many posts, followers and followed an account of another server has, by the word of that server.

Of each collection only its beginning is read, and only where the collection has the origin of the account. What cannot
be read, or gives no number, leaves what is known; nothing is tried again before somebody looks at the account anew.
Source: ActivityPub 5 (collections of actors).
"""

import logging
from typing import Any

from fedcorp.activitypub import translate
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.documents import domain_of, same_origin
from fedcorp.activitypub.vocabulary import COLLECTION_TYPES, types_of
from fedcorp.company import peers
from fedcorp.errors import FedcorpError
from fedcorp.social import accounts, counts
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Database, Tx

log = logging.getLogger("fedcorp.activitypub")


class Counting:
    """The job `read_counts`: three requests at most."""

    def __init__(self, client: Client, db: Database) -> None:
        self._client = client
        self._db = db

    async def run(self, payload: dict[str, Any]) -> None:
        """Read the numbers of an account, and keep them."""
        account, begun_at = await self._db.read(lambda tx: (accounts.find(tx, int(payload["account"])), tx.ms))
        if account is None or account.local or account.hidden:
            return
        found = {
            "statuses": await self._read(account, account.outbox_uri),
            "followers": await self._read(account, account.followers_uri),
            "following": await self._read(account, account.following_uri),
        }
        await self._db.write(_keep, account.id, found, begun_at)

    async def _read(self, account: Account, uri: str | None) -> dict[str, Any]:
        """A collection of an account; empty when there is none or it cannot be read."""
        if uri is None or not same_origin(uri, account.uri):
            return {}
        try:
            doc = await self._client.get(uri, loose=True, as_json=True)
        except FedcorpError as error:
            log.info("a collection could not be counted: %s", error.text)
            return {}
        is_theirs = doc.get("id") is None or same_origin(str(doc["id"]), account.uri)
        return doc if is_theirs and COLLECTION_TYPES & set(types_of(doc)) else {}


def _keep(tx: Tx, account_id: int, found: dict[str, dict[str, Any]], begun_at: int) -> None:
    account = accounts.find(tx, account_id)
    if account is None or account.hidden:
        return
    told = {name: translate.total_of(doc) for name, doc in found.items()}
    counts.keep_of_account(tx, account, begun_at, **told)
    peer = peers.find(tx, domain_of(account.uri))
    # What runs here shows nobody, only how many: that says nothing of what the person wants.
    is_ours = peer is not None and (peer.tier == "department" or peer.software == "fedcorp")
    if told["followers"] and not account.is_group and not is_ours:
        counts.hide_collections(tx, account, hidden=not _shows_items(found["followers"]))


def _shows_items(collection: dict[str, Any]) -> bool:
    return any(collection.get(name) for name in ("first", "items", "orderedItems"))
