"""Markers: how far somebody has read a timeline, so that all of their clients know."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import markers
from fedcorp.storage.upsert import upsert

TIMELINES = ("home", "notifications")


@dataclass(frozen=True, slots=True)
class Marker:
    """The newest id that was read; `version` counts the changes, `updated_at` is in ms."""

    last_read_id: str
    version: int
    updated_at: int


def get(tx: Tx, account_id: int, timelines: "tuple[str, ...] | list[str]") -> dict[str, Marker]:
    """A marker for each known timeline that was asked for; one that was never set reads "0" in version 0.

    Some clients take the marker they asked for without looking whether it is there.
    """
    found = {name: Marker("0", 0, tx.ms) for name in timelines if name in TIMELINES}
    statement = sa.select(markers).where(markers.c.account_id == account_id, markers.c.timeline.in_(found))
    for row in tx.conn.execute(statement) if found else ():
        found[row.timeline] = Marker(row.last_read_id, row.version, row.updated_at)
    return found


def save(tx: Tx, account_id: int, last_read: Mapping[str, str]) -> dict[str, Marker]:
    """Set markers, timeline to id; the last word counts. Raises Unprocessable on an unknown timeline or no id."""
    for name, id_ in last_read.items():
        if name not in TIMELINES or not (id_.isascii() and id_.isdecimal() and len(id_) <= 19):
            raise Unprocessable("Validation failed: a marker is the id of an entry of `home` or `notifications`")
    known = get(tx, account_id, list(last_read))
    for name, id_ in last_read.items():
        upsert(
            tx, markers, ("account_id", "timeline"), account_id=account_id, timeline=name, last_read_id=id_,
            version=known[name].version + 1, updated_at=tx.ms,
        )  # fmt: skip
    return get(tx, account_id, list(last_read))
