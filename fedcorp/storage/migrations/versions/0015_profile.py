"""How profiles are shown, suggestions that were put away, and how far a thread of elsewhere has been read."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("presentation", sa.Text(), server_default="{}", nullable=False))
    op.create_table(
        "dismissed_suggestions",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("target_id", Id, autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "target_id", name=op.f("pk_dismissed_suggestions")),
    )
    op.add_column("readings", sa.Column("done_at", sa.BigInteger(), nullable=True))
    op.add_column("readings", sa.Column("found", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("readings", "found")
    op.drop_column("readings", "done_at")
    op.drop_table("dismissed_suggestions")
    op.drop_column("accounts", "presentation")
