"""Quotes: what a post quotes, who may quote it, and the papers of that."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "quotes",
        sa.Column("status_id", Id, autoincrement=False, nullable=False),
        sa.Column("quoted_uri", sa.Text(), nullable=False),
        sa.Column("request_uri", sa.Text(), nullable=True),
        sa.Column("stamp_uri", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("status_id", name=op.f("pk_quotes")),
    )
    for name in ("quoted_uri", "request_uri", "stamp_uri"):
        op.create_index(f"ix_quotes_{name}", "quotes", [name], unique=False)
    op.add_column("statuses", sa.Column("quoted_id", Id, autoincrement=False, nullable=True))
    op.add_column("statuses", sa.Column("quote_state", sa.Text(), nullable=True))
    op.add_column("statuses", sa.Column("quote_policy", sa.Text(), server_default="", nullable=False))
    op.add_column("statuses", sa.Column("quotes_count", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_statuses_quoted_id",
        "statuses",
        ["quoted_id", "id"],
        unique=False,
        sqlite_where=sa.text("quoted_id IS NOT NULL"),
        postgresql_where=sa.text("quoted_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_statuses_quoted_id",
        table_name="statuses",
        sqlite_where=sa.text("quoted_id IS NOT NULL"),
        postgresql_where=sa.text("quoted_id IS NOT NULL"),
    )
    for name in ("quotes_count", "quote_policy", "quote_state", "quoted_id"):
        op.drop_column("statuses", name)
    for name in ("stamp_uri", "request_uri", "quoted_uri"):
        op.drop_index(f"ix_quotes_{name}", table_name="quotes")
    op.drop_table("quotes")
