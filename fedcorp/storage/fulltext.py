"""The index of words: one row of `status_words` for each document, found through FTS5 on SQLite and GIN on PostgreSQL.

Whoever writes hands in words that are ready to be compared: nothing is folded or stemmed here, so both databases find
the same. On SQLite triggers keep the index (`status_index`) in step with the table, in the same transaction.

Tokens consist of letters and digits of any script, and of nothing else; so none needs quoting, and no query can be more
than words.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import Id, status_words
from fedcorp.storage.upsert import upsert

GAP = "z"  # stands where no phrase may go on; never looked for
MOST_PLACES = 255  # of one token in one run: what PostgreSQL keeps, and therefore what counts
FEW = 500  # documents that PostgreSQL reads one by one before it asks its index
MERGED_PAGES = 500  # of SQLite's index in one unit: some milliseconds

status_index = sa.Table(  # SQLite's; not in `tables`, which both databases share
    "status_index",
    sa.MetaData(),
    sa.Column("rowid", Id),
    sa.Column("words", sa.Text),
    sa.Column("status_index", sa.Text),  # its name for commands
    sa.Column("rank", sa.Integer),  # their value
)

# -- what is looked for ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens that follow each other; at least one."""

    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Documents that every part finds, without those that one of `but` finds. At least one part."""

    parts: "tuple[Match, ...]"
    but: "tuple[Match, ...]" = ()


@dataclass(frozen=True, slots=True)
class Either:
    """Documents that one of the parts finds; at least one part."""

    parts: "tuple[Match, ...]"


Match = Run | All | Either


def query(dialect: str, match: Match) -> str:
    """The match in the words of a database, for `source`."""
    return _fts5(match) if dialect == "sqlite" else _tsquery(match)


def _fts5(match: Match) -> str:
    if isinstance(match, Run):
        return f'"{" ".join(match.tokens)}"'
    parts = [_fts5(part) for part in match.parts]
    if isinstance(match, Either):
        return f"({' OR '.join(parts)})"
    found = f"({' AND '.join(parts)})"
    return f"({found} NOT ({' OR '.join(_fts5(part) for part in match.but)}))" if match.but else found


def _tsquery(match: Match) -> str:
    if isinstance(match, Run):
        return "(" + " <-> ".join(f"'{token}'" for token in match.tokens) + ")"
    parts = [_tsquery(part) for part in match.parts]
    if isinstance(match, Either):
        return f"({' | '.join(parts)})"
    return f"({' & '.join(parts + [f'!{_tsquery(part)}' for part in match.but])})"


_QUERY: Any = sa.bindparam("match", type_=sa.Text)
_ABOVE: Any = sa.bindparam("above", type_=sa.BigInteger)
_BELOW: Any = sa.bindparam("below", type_=sa.BigInteger)


class Source(NamedTuple):
    """What a search selects from: documents between the parameters `above` and `below` that the query `match` finds."""

    rows: sa.FromClause
    id: "sa.ColumnElement[int]"
    condition: "sa.ColumnElement[bool]"


def source(dialect: str, *, few: bool) -> Source:
    """Where to look, in the order of ids. `few`: between the bounds stand only some (PostgreSQL alone cares)."""
    if dialect == "sqlite":  # walks the lists of its words in the order that is asked for, and stops
        id_ = status_index.c.rowid
        fits = sa.literal_column("status_index").op("MATCH", is_comparison=True)(_QUERY)
        return Source(status_index, id_, sa.and_(fits, id_ > _ABOVE, id_ < _BELOW))
    id_ = status_words.c.status_id
    between = sa.and_(id_ > _ABOVE, id_ < _BELOW)
    # PostgreSQL cannot know how often the words come and would read all documents for those that come nowhere. So it is
    # told: few documents are read (OFFSET keeps them apart from the condition), many are looked up in the index.
    if few:
        part = sa.select(id_, status_words.c.words).where(between).offset(0).subquery("part")
        return Source(part, part.c.status_id, _fits(part.c.words))
    hits = sa.select(id_).where(_fits(status_words.c.words), between).cte("hits")
    hits = hits.prefix_with("MATERIALIZED", dialect="postgresql")
    return Source(hits, hits.c.status_id, sa.true())


def _fits(column: "sa.ColumnElement[Any]") -> "sa.ColumnElement[bool]":
    return column.op("@@", is_comparison=True)(sa.cast(_QUERY, TSQUERY))


@cache
def _border(upward: bool) -> "sa.Select[Any]":
    id_ = status_words.c.status_id
    between = sa.select(id_).where(id_ > _ABOVE, id_ < _BELOW)
    return between.order_by(id_.asc() if upward else id_.desc()).offset(sa.bindparam("few", type_=sa.Integer)).limit(1)


def parts(tx: Tx, above: int, below: int, *, upward: bool) -> list[tuple[bool, int, int]]:
    """The ids between two bounds as parts (few, above, below) to look through one after the other."""
    if tx.dialect == "sqlite":
        return [(True, above, below)]
    border = tx.conn.execute(_border(upward), {"above": above, "below": below, "few": FEW}).scalar()
    if border is None:
        return [(True, above, below)]
    if upward:
        return [(True, above, border), (False, border - 1, below)]
    return [(True, border, below), (False, above, border + 1)]


# -- what can be found -----------------------------------------------------------------------------------------------


def write(tx: Tx, id_: int, marks: Sequence[str], runs: Sequence[Sequence[str]], version: int) -> None:
    """Let a document be found by its marks and, in order, by the words of each of its runs; instead of before."""
    words = (_text if tx.dialect == "sqlite" else _tsvector)(marks, runs)
    upsert(tx, status_words, ("status_id",), status_id=id_, words=words, version=version)


def _text(marks: Sequence[str], runs: Sequence[Sequence[str]]) -> str:
    parts = [" ".join(marks)]
    for run in runs:
        if len(run) <= MOST_PLACES:  # then no word can have more
            parts += (GAP, *run)
            continue
        places: dict[str, int] = defaultdict(int)
        kept = []
        for token in run:
            places[token] += 1
            kept.append(token if places[token] <= MOST_PLACES else GAP)
        parts += (GAP, *kept)
    return " ".join(parts)


def _tsvector(marks: Sequence[str], runs: Sequence[Sequence[str]]) -> str:
    places: dict[str, list[str]] = {mark: [] for mark in marks}
    for run in runs:
        for place, token in enumerate(run, 1):
            if token != GAP:
                places.setdefault(token, []).append(str(place))
    return " ".join(f"'{token}':{','.join(at[:MOST_PLACES])}" if at else f"'{token}'" for token, at in places.items())


_FORGET = sa.delete(status_words).where(status_words.c.status_id == sa.bindparam("id"))


def forget(tx: Tx, id_: int) -> None:
    """Let a document be found no more."""
    tx.conn.execute(_FORGET, {"id": id_})


def forget_among(tx: Tx, ids: "sa.Select[Any]") -> None:
    """Let all documents whose ids a statement gives be found no more."""
    tx.conn.execute(sa.delete(status_words).where(status_words.c.status_id.in_(ids)))


_MERGE = sa.insert(status_index)


def tidy(tx: Tx) -> None:
    """Put some of the parts together into which SQLite's index falls by writing; each of them costs every search."""
    if tx.dialect == "sqlite":
        tx.conn.execute(_MERGE, {"status_index": "merge", "rank": MERGED_PAGES})
