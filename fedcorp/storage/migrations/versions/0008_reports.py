"""What moderators of a department are told."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("target_id", Id, autoincrement=False, nullable=False),
        sa.Column("status_ids", sa.Text(), server_default="[]", nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), server_default="[]", nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("forwarded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("assigned_id", Id, autoincrement=False, nullable=True),
        sa.Column("resolved_by_id", Id, autoincrement=False, nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("uri", name=op.f("uq_reports_uri")),
    )
    op.create_index("ix_reports_account_id", "reports", ["account_id"], unique=False)
    op.create_index("ix_reports_target_id", "reports", ["target_id"], unique=False)
    op.add_column("notifications", sa.Column("report_id", Id, autoincrement=False, nullable=True))


def downgrade() -> None:
    op.drop_column("notifications", "report_id")
    op.drop_index("ix_reports_target_id", table_name="reports")
    op.drop_index("ix_reports_account_id", table_name="reports")
    op.drop_table("reports")
