"""Accounts that people recommend to others."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("sensitive", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("discoverable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=True),
        sa.Column("reach", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
    )
    op.create_index("ix_collections_account_id", "collections", ["account_id"], unique=False)
    op.create_table(
        "collection_items",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("collection_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_items")),
        sa.UniqueConstraint("collection_id", "account_id", name=op.f("uq_collection_items_collection_id_account_id")),
    )
    op.create_index("ix_collection_items_account_id", "collection_items", ["account_id"], unique=False)
    op.add_column("notifications", sa.Column("collection_id", Id, autoincrement=False, nullable=True))


def downgrade() -> None:
    op.drop_column("notifications", "collection_id")
    op.drop_index("ix_collection_items_account_id", table_name="collection_items")
    op.drop_table("collection_items")
    op.drop_index("ix_collections_account_id", table_name="collections")
    op.drop_table("collections")
