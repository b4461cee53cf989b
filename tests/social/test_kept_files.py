"""A file is kept while any row names it, in whichever column."""

import pytest
import sqlalchemy as sa

from fedcorp.social import kept_files
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, cards, custom_emojis, media, metadata
from tests.social.conftest import Department

NO_FILES = {
    "meta.key", "jobs.unique_key", "accounts.username_key", "scheduled_statuses.idempotency_key",
    "idempotency_keys.key", "notifications.group_key",
}  # fmt: skip
COLUMNS = [
    column
    for table in metadata.tables.values()
    for column in table.c
    if (column.name in ("avatar", "header") or column.name.endswith("key")) and str(column) not in NO_FILES
]


def test_the_columns_that_hold_keys_of_files() -> None:
    """A new one must be known to `kept_files`; one that ends in `key` and holds something else stands in NO_FILES."""
    assert {str(column) for column in COLUMNS} == {
        "accounts.avatar", "accounts.header", "media.key", "media.preview_key", "media.source_key",
        "custom_emojis.key", "custom_emojis.still_key", "cards.image_key",
    }  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize("column", COLUMNS, ids=str)
async def test_what_a_column_names_is_kept(department: Department, column: sa.Column[str]) -> None:
    here, nowhere = "a" * 32, "b" * 32
    ann = await department.person("ann")
    rows = {
        media: {"id": 1, "account_id": ann.id, "kind": "image", "mime": "image/png", "created_at": 1},
        custom_emojis: {"id": 1, "domain": "", "shortcode": "party", "mime": "image/png", "updated_at": 1},
        cards: {"id": 1, "url": "https://wiki.example/"},
    }
    work: sa.Update | sa.Insert
    if column.table is accounts:
        work = sa.update(accounts).where(accounts.c.id == ann.id).values({column: here})
    else:
        (table,) = (table for table in rows if table is column.table)
        work = sa.insert(table).values({**rows[table], column.name: here})
    await department.do(_run, work)
    assert await department.see(kept_files.named, [here, nowhere]) == {here}


def _run(tx: Tx, work: sa.Update | sa.Insert) -> None:
    tx.conn.execute(work)
