"""Checks the leave of quotes from elsewhere: fetches what is quoted and the stamp of its author, and compares.

The job `check_quote` begins when a post arrives that claims to have leave, or might quote its own author; and again
when an Update no longer names a stamp that was believed. It may run as often as one likes. What one server says of
another's consent counts for nothing: only the stamp does, read at its own address on the server of the quoted author.

Source: FEP-044f; FEP-fe34 for origins.
"""

from dataclasses import dataclass
from typing import Any

from fedcorp.activitypub.client import Client
from fedcorp.activitypub.documents import same_origin
from fedcorp.activitypub.resolve import Budget, Resolver
from fedcorp.activitypub.vocabulary import types_of, value_or_id
from fedcorp.errors import FedcorpError, Gone, NotFound, TooManyRequests, Unavailable
from fedcorp.social import accounts, quotes, statuses
from fedcorp.storage.database import Database, Tx


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known of a quote: URIs of the post, its author, what it quotes and (when that is here) whose that is."""

    uri: str
    author_uri: str
    quoted_uri: str
    quoted_author_uri: str | None
    quoted_is_ours: bool
    state: str
    stamp_uri: str | None


class Consent:
    """The job `check_quote`: its payload names the post that quotes, and the stamp that it claims."""

    def __init__(self, client: Client, db: Database, resolver: Resolver) -> None:
        self._client = client
        self._db = db
        self._resolver = resolver

    async def run(self, payload: dict[str, Any]) -> None:
        """Decide on one quote. Raises Unavailable, so that it is tried again later."""
        status_id = int(payload["status"])
        case = await self._case(status_id, int(payload.get("depth", 0)))
        if case is None or case.quoted_is_ours:  # of our own posts we know ourselves what was allowed
            return
        stamp_uri = payload.get("stamp") or case.stamp_uri
        if case.quoted_author_uri is None:
            await self._db.write(_deny, status_id, None)
        elif case.quoted_author_uri == case.author_uri:
            await self._db.write(quotes.accept, status_id, None)
        elif isinstance(stamp_uri, str) and await self._holds(case, stamp_uri):
            await self._db.write(quotes.accept, status_id, stamp_uri)
        else:
            await self._db.write(_deny, status_id, stamp_uri)

    async def _case(self, status_id: int, depth: int) -> _Case | None:
        """The case, after what is quoted was fetched, if it can be had."""
        case = await self._db.read(_find, status_id)
        if case is None or case.quoted_author_uri is not None:
            return case
        try:
            await self._resolver.status(case.quoted_uri, budget=Budget(depth=depth + 1))
        except (Unavailable, TooManyRequests):
            raise
        except FedcorpError:
            return case
        return await self._db.read(_find, status_id)

    async def _holds(self, case: _Case, uri: str) -> bool:
        """Whether the quoted author's own server says that this very post may quote that very post."""
        if not same_origin(uri, case.quoted_author_uri or ""):
            return False
        try:
            doc = await self._client.get(uri)
        except (Gone, NotFound):
            return False
        except (Unavailable, TooManyRequests):
            raise
        except FedcorpError:  # what we are refused now was not taken back for that
            return case.state == quotes.ACCEPTED and uri == case.stamp_uri
        return is_stamp(doc, case.quoted_author_uri, case.uri, case.quoted_uri) and doc.get("id") == uri


def is_stamp(doc: dict[str, Any], author_uri: str | None, quoting_uri: str, quoted_uri: str) -> bool:
    """Whether a document is the leave of this author for this post to quote that one."""
    return (
        quotes.STAMP in types_of(doc)
        and value_or_id(doc.get("attributedTo")) == author_uri
        and value_or_id(doc.get("interactingObject")) == quoting_uri
        and value_or_id(doc.get("interactionTarget")) == quoted_uri
    )


def _find(tx: Tx, status_id: int) -> _Case | None:
    status, paper = statuses.find(tx, status_id), quotes.find(tx, status_id)
    if status is None or paper is None or status.deleted_at is not None or status.quote_state is None:
        return None
    author = accounts.get(tx, status.account_id)
    quoted = statuses.find(tx, status.quoted_id) if status.quoted_id is not None else None
    quoted_author = accounts.find(tx, quoted.account_id) if quoted is not None else None
    return _Case(
        uri=status.uri,
        author_uri=author.uri,
        quoted_uri=paper.quoted_uri,
        quoted_author_uri=quoted_author.uri if quoted_author is not None else None,
        quoted_is_ours=tx.site.urls.owns(paper.quoted_uri),
        state=status.quote_state,
        stamp_uri=paper.stamp_uri,
    )


def _deny(tx: Tx, status_id: int, stamp_uri: str | None) -> None:
    """No leave was found under this address: what was believed for its sake is over, what waited is shown to nobody."""
    status, paper = statuses.find(tx, status_id), quotes.find(tx, status_id)
    if status is None or paper is None:
        return
    if status.quote_state == quotes.ACCEPTED:
        if paper.stamp_uri is not None and paper.stamp_uri == stamp_uri:
            quotes.reject(tx, status_id)
    elif status.quote_state == quotes.PENDING and not status.local:
        quotes.distrust(tx, status_id)
