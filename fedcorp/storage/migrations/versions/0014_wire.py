"""When accounts moved, and when threads and outboxes elsewhere were last read."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("moved_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "readings",
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_readings")),
    )


def downgrade() -> None:
    op.drop_table("readings")
    op.drop_column("accounts", "moved_at")
