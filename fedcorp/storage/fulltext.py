"""The index of words: one row of `status_words` for each document, found through FTS5 on SQLite and GIN on PostgreSQL.

Whoever writes hands in words that are ready to be compared: nothing is folded or stemmed here, so both databases find
the same. On SQLite triggers keep the index (`status_index`) in step with the table, in the same transaction.

Tokens consist of letters and digits of any script, and of nothing else; so none needs quoting, and no query can be more
than words.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import Id, status_words
from fedcorp.storage.upsert import upsert

GAP = "z"  # stands where no phrase may go on; never looked for
MOST_PLACES = 255  # of one token in one run: what PostgreSQL keeps, and therefore what counts
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
    """The match in the words of a database, for `matches`."""
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


def source(dialect: str) -> "tuple[sa.Table, sa.Column[Any], sa.ColumnElement[bool]]":
    """(table, its column of document ids, condition) of a search; the parameter `match` is a `query`."""
    if dialect == "sqlite":
        return (
            status_index,
            status_index.c.rowid,
            sa.literal_column("status_index").op("MATCH", is_comparison=True)(_QUERY),
        )
    return (
        status_words,
        status_words.c.status_id,
        status_words.c.words.op("@@", is_comparison=True)(sa.cast(_QUERY, sa.dialects.postgresql.TSQUERY)),
    )


# -- what can be found -----------------------------------------------------------------------------------------------


def write(tx: Tx, id_: int, marks: Sequence[str], runs: Sequence[Sequence[str]], version: int) -> None:
    """Let a document be found by its marks and, in order, by the words of each of its runs; instead of before."""
    words = (_text if tx.dialect == "sqlite" else _tsvector)(marks, runs)
    upsert(tx, status_words, ("status_id",), status_id=id_, words=words, version=version)


def _text(marks: Sequence[str], runs: Sequence[Sequence[str]]) -> str:
    parts = [" ".join(marks)]
    for run in runs:
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
