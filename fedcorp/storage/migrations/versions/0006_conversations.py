"""Conversations that somebody has read or removed, and domains that somebody keeps away."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "conversation_marks",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("thread_id", Id, autoincrement=False, nullable=False),
        sa.Column("status_id", Id, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "thread_id", name=op.f("pk_conversation_marks")),
    )
    op.create_table(
        "domain_blocks",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domain_blocks")),
        sa.UniqueConstraint("account_id", "domain", name=op.f("uq_domain_blocks_account_id_domain")),
    )


def downgrade() -> None:
    op.drop_table("domain_blocks")
    op.drop_table("conversation_marks")
