"""Reads a collection of another server page by page, within bounds: pages, items, one origin, no page twice.

What the items mean, and whether any of them is true, is for the caller to judge.
Sources: ActivityStreams 2.0 (collections), federation by FEP-fe34 (a page of another origin is not part of it).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fedcorp.activitypub.client import Client
from fedcorp.activitypub.documents import same_origin
from fedcorp.activitypub.vocabulary import COLLECTION_TYPES, as_list, types_of, value_or_id
from fedcorp.errors import BadRequest, FedcorpError, TooManyRequests, Unavailable

PAGES, ITEMS = 10, 1000


@dataclass(frozen=True, slots=True)
class Items:
    """What was read, in its order; `whole` when nothing was left out."""

    found: list[Any]
    whole: bool


async def read(
    client: Client,
    uri: str,
    *,
    pages: int = PAGES,
    most: int = ITEMS,
    signer_id: int | None = None,
    take: Callable[[], None] = lambda: None,
    as_json: bool = False,
    as_said: bool = False,
) -> Items:
    """The items of the collection at `uri`. `take` is called before every request and may refuse it; `as_json` and
    `as_said` as in `Client.get`.

    Raises BadRequest for what is no collection, and as `Client.get` does; a later page that is not there, or is no
    document, ends the reading.
    """
    take()
    doc = await client.get(uri, signer_id=signer_id, loose=True, as_json=as_json, as_said=as_said)
    if not COLLECTION_TYPES & set(types_of(doc)):
        raise BadRequest("The document is not a collection")
    found = _items_of(doc)
    seen = {uri}
    following = None if found else doc.get("first")
    following = following or (doc.get("next") if found else None)
    fetched = 1
    while following is not None and len(found) < most:
        page = following if isinstance(following, dict) and _items_of(following) else None
        if page is None:
            address = value_or_id(following)
            if address is None or address in seen or not same_origin(address, uri) or fetched >= pages:
                return Items(found[:most], whole=False)
            seen.add(address)
            fetched += 1
            take()
            try:
                page = await client.get(address, signer_id=signer_id, loose=True, as_json=as_json)
            except (Unavailable, TooManyRequests):
                raise
            except FedcorpError:
                if not found:
                    raise
                return Items(found[:most], whole=False)
        found += _items_of(page)
        following = page.get("next")
    return Items(found[:most], whole=following is None and len(found) <= most)


def _items_of(doc: dict[str, Any]) -> list[Any]:
    return as_list(doc.get("orderedItems")) or as_list(doc.get("items"))
