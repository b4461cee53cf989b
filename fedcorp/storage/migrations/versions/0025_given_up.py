"""Copies of ledgers that were taken again after a group had shown two histories, and as far as that was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("ledger_heads", sa.Column("settled", Id, server_default="0", nullable=False))
    op.create_table(
        "ledger_given_up",
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("seq", Id, autoincrement=False, nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("given_up_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "digest", name=op.f("pk_ledger_given_up")),
    )


def downgrade() -> None:
    op.drop_table("ledger_given_up")
    op.drop_column("ledger_heads", "settled")
