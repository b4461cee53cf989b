"""Posts that wait for their time."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "scheduled_statuses",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("scheduled_at", sa.BigInteger(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_statuses")),
    )
    op.create_index("ix_scheduled_statuses_account_id", "scheduled_statuses", ["account_id"], unique=False)
    op.create_index("ix_scheduled_statuses_scheduled_at", "scheduled_statuses", ["scheduled_at"], unique=False)
    op.add_column("media", sa.Column("scheduled_id", Id, autoincrement=False, nullable=True))


def downgrade() -> None:
    op.drop_column("media", "scheduled_id")
    op.drop_index("ix_scheduled_statuses_scheduled_at", table_name="scheduled_statuses")
    op.drop_index("ix_scheduled_statuses_account_id", table_name="scheduled_statuses")
    op.drop_table("scheduled_statuses")
