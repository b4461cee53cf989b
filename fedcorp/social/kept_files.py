"""Which files of the media folder are still needed: those whose key some row names. Never touches a file.

A column that begins to hold keys of files must be added here, or `fedcorp.activitypub.upkeep` clears those files away.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, cards, custom_emojis, media

_QUICKLY = (media.c.key, media.c.preview_key, cards.c.image_key, custom_emojis.c.key, custom_emojis.c.still_key)
_SLOWLY = ((accounts.c.avatar, accounts.c.header), (media.c.source_key,))  # no index: each reads through its table


def named(tx: Tx, keys: Iterable[str]) -> set[str]:
    """Those of these keys that a row names. Accounts are read through, so ask for many at once."""
    asked = set(keys)
    found: set[str] = set()
    for column in _QUICKLY:
        found |= _among(tx, (column,), sorted(asked - found))
    for columns in _SLOWLY:
        found |= _among(tx, columns, sorted(asked - found))
    return found & asked


def _among(tx: Tx, columns: Sequence[sa.Column[Any]], keys: list[str]) -> set[str]:
    if not keys:
        return set()
    rows = tx.conn.execute(sa.select(*columns).where(sa.or_(*(column.in_(keys) for column in columns))))
    return {value for row in rows for value in row if value}
