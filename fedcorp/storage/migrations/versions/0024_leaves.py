"""Who elsewhere lets whom answer, like and boost, and answers and boosts of ours that wait for leave."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "interaction_policies",
        sa.Column("status_id", Id, autoincrement=False, nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("status_id", name=op.f("pk_interaction_policies")),
    )
    op.create_table(
        "leaves",
        sa.Column("status_id", Id, autoincrement=False, nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stamp_uri", sa.Text(), nullable=True),
        sa.Column("stamp_type", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("status_id", name=op.f("pk_leaves")),
    )


def downgrade() -> None:
    # What waits was never shown to anybody: it stays with its author, as a direct message does.
    op.execute("UPDATE statuses SET visibility = 'direct' WHERE visibility = 'waiting'")
    op.drop_table("leaves")
    op.drop_table("interaction_policies")
