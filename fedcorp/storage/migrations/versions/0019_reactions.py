"""Emoji with which people react to posts; a favourite may be there because of them alone."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "status_reactions",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("status_id", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), server_default="", nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("vote", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_reactions")),
        sa.UniqueConstraint(
            "account_id", "status_id", "name", "domain",
            name=op.f("uq_status_reactions_account_id_status_id_name_domain"),
        ),
    )  # fmt: skip
    op.create_index(
        "ix_status_reactions_status_id", "status_reactions", ["status_id", "name", "domain", "account_id", "id"],
        unique=False,
    )  # fmt: skip
    op.create_index("ix_status_reactions_uri", "status_reactions", ["uri"], unique=False)
    op.add_column("statuses", sa.Column("reactions_count", sa.Integer(), server_default="0", nullable=False))
    op.add_column("statuses", sa.Column("reactions_version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("favourites", sa.Column("implied", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("favourites", "implied")
    op.drop_column("statuses", "reactions_version")
    op.drop_column("statuses", "reactions_count")
    op.drop_index("ix_status_reactions_uri", table_name="status_reactions")
    op.drop_index("ix_status_reactions_status_id", table_name="status_reactions")
    op.drop_table("status_reactions")
