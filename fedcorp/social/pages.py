"""Pages of a list, cut the way Mastodon's API cuts them. Knows no list by itself.

`max_id` and `since_id` bound a page that is read from the newest row down; `min_id` asks for the rows just above it,
and they too come newest first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from fedcorp.storage.database import Tx


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: at most `limit` rows, all bounds exclusive."""

    limit: int = 20
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None


class Listing:
    """A SELECT that is read in pages of one id column. Keep it at module level: each shape of page is built once.

    The names `page_limit`, `page_max` and `page_min` belong to it; all other values are given with each reading.
    """

    def __init__(self, statement: "sa.Select[Any]", column: "sa.ColumnElement[int]") -> None:
        self._statement = statement
        self._column = column
        self._built = lru_cache(maxsize=8)(self._build)

    def rows(self, tx: Tx, page: Page, make: Callable[[Any], Any] = tuple, **values: Any) -> list[Any]:
        """What `make` makes of the values of each row of a page, newest first."""
        rows = tx.conn.gather(self._for(page), values | _bounds(page), make)
        return rows if page.min_id is None else rows[::-1]

    def lines(self, tx: Tx, page: Page, **values: Any) -> list[str]:
        """The rows of a page, newest first, of a SELECT of one column of `fedcorp.storage.lines`."""
        rows = tx.conn.lines(self._for(page), values | _bounds(page))
        return rows if page.min_id is None else rows[::-1]

    def _for(self, page: Page) -> "sa.Select[Any]":
        is_bound_below = page.since_id is not None or page.min_id is not None
        return self._built(page.min_id is not None, page.max_id is not None, is_bound_below)

    def _build(self, upward: bool, above: bool, below: bool) -> "sa.Select[Any]":
        statement = self._statement
        if above:
            statement = statement.where(self._column < sa.bindparam("page_max", type_=sa.BigInteger))
        if below:
            statement = statement.where(self._column > sa.bindparam("page_min", type_=sa.BigInteger))
        order = self._column.asc() if upward else self._column.desc()
        return statement.order_by(order).limit(sa.bindparam("page_limit", type_=sa.Integer))


def _bounds(page: Page) -> dict[str, Any]:
    low = page.since_id if page.min_id is None else page.min_id
    return {"page_limit": page.limit, "page_max": page.max_id, "page_min": low}
