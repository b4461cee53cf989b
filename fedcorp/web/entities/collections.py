"""Collections of accounts: Collection, CollectionItem, CollectionWithAccounts."""

from collections.abc import Sequence
from typing import Any

from fedcorp.social import collections
from fedcorp.social.collections import Collection, Item
from fedcorp.storage.database import Tx
from fedcorp.web.entities import accounts
from fedcorp.web.entities.times import iso


def item(row: Item) -> dict[str, Any]:
    """The CollectionItem entity."""
    return {
        "id": str(row.id), "account_id": str(row.account_id), "state": row.state, "created_at": iso(row.created_at),
    }  # fmt: skip


def many(tx: Tx, viewer_id: int | None, rows: Sequence[Collection]) -> list[dict[str, Any]]:
    """Collection entities in this order, each with the items that the viewer sees: those count, and no others."""
    items = collections.items_of(tx, viewer_id, [row.id for row in rows])
    return [_collection(tx, row, items[row.id]) for row in rows]


def with_accounts(tx: Tx, viewer_id: int | None, row: Collection) -> dict[str, Any]:
    """The CollectionWithAccounts entity: its owner first, then whom it shows."""
    items = collections.items_of(tx, viewer_id, [row.id])[row.id]
    people = dict.fromkeys([row.account_id, *(shown.account_id for shown in items)])
    return {"accounts": accounts.many(tx, people), "collection": _collection(tx, row, items)}


def _collection(tx: Tx, row: Collection, items: Sequence[Item]) -> dict[str, Any]:
    address = tx.site.urls.collection(row.id)  # of its page; no document for other servers lies there
    return {
        "id": str(row.id),
        "account_id": str(row.account_id),
        "uri": address,
        "url": address,
        "name": row.name,
        "description": _harmless(row.description),
        "language": row.language,
        "local": True,
        "sensitive": row.sensitive,
        "discoverable": row.discoverable,
        "reach": row.reach,
        "tag": None if row.tag is None else {"name": row.tag, "url": tx.site.urls.tag(row.tag)},
        "item_count": len(items),
        "items": [item(shown) for shown in items],
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
    }


def _harmless(text: str) -> str:
    """Typed as plain text, documented as HTML, and sent back as it is when it is edited: without the signs that begin
    and end a tag it is the same in all three, however often it goes round."""
    return text.replace("<", "&lt;").replace(">", "&gt;")
