"""Words of statuses, by which they are found. What was written before is put in by a job, newest first."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TRIGGERS = {
    "insert": "INSERT INTO status_index (rowid, words) VALUES (new.status_id, new.words);",
    "delete": "INSERT INTO status_index (status_index, rowid, words) VALUES ('delete', old.status_id, old.words);",
}
TRIGGERS["update"] = TRIGGERS["delete"] + TRIGGERS["insert"]


def upgrade() -> None:
    op.create_table(
        "status_words",
        sa.Column("status_id", Id, autoincrement=False, nullable=False),
        sa.Column("words", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("status_id", name=op.f("pk_status_words")),
    )
    if op.get_context().dialect.name == "sqlite":
        # `ascii` takes tokens as they are; `columnsize=0` drops lengths, which only ranking needs.
        op.execute(
            "CREATE VIRTUAL TABLE status_index USING fts5(words, content='status_words', content_rowid='status_id', "
            "tokenize='ascii', columnsize=0)"
        )
        # Parts of the index are put together two at a time when there is time for it (`fulltext.tidy`).
        op.execute("INSERT INTO status_index (status_index, rank) VALUES ('usermerge', 2)")
        for event, statements in TRIGGERS.items():
            op.execute(f"CREATE TRIGGER status_words_{event} AFTER {event} ON status_words BEGIN {statements} END")
    else:
        # Without a list of what is not sorted in yet: every search would read all of it.
        op.create_index(
            "ix_status_words_words", "status_words", ["words"], postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        )  # fmt: skip
    op.execute(
        "INSERT INTO jobs (kind, payload, unique_key, run_at, attempts) "
        "SELECT 'index_statuses', '{}', 'index_statuses', 0, 0 WHERE EXISTS (SELECT 1 FROM statuses)"
    )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'index_statuses'")
    if op.get_context().dialect.name == "sqlite":
        for event in TRIGGERS:
            op.execute(f"DROP TRIGGER status_words_{event}")
        op.execute("DROP TABLE status_index")
    else:
        op.drop_index("ix_status_words_words", table_name="status_words")
    op.drop_table("status_words")
