"""Conversations that somebody has read or removed, domains kept away, and who may notify whom."""

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
    op.create_table(
        "notification_policies",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("not_following", sa.Text(), nullable=False),
        sa.Column("not_followers", sa.Text(), nullable=False),
        sa.Column("new_accounts", sa.Text(), nullable=False),
        sa.Column("private_mentions", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_notification_policies")),
    )
    op.create_table(
        "notification_permissions",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("from_account_id", Id, autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "from_account_id", name=op.f("pk_notification_permissions")),
    )
    op.add_column("notifications", sa.Column("filtered", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("notifications", "filtered")
    op.drop_table("notification_permissions")
    op.drop_table("notification_policies")
    op.drop_table("domain_blocks")
    op.drop_table("conversation_marks")
