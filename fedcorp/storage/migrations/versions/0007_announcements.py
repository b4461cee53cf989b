"""What the department announces; what people show on their profiles."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("all_day", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )
    op.create_table(
        "announcement_dismissals",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("announcement_id", Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "announcement_id", name=op.f("pk_announcement_dismissals")),
    )
    op.create_table(
        "announcement_reactions",
        sa.Column("announcement_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("announcement_id", "account_id", "name", name=op.f("pk_announcement_reactions")),
    )
    op.create_table(
        "featured_tags",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_featured_tags")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_featured_tags_account_id_name")),
    )
    op.create_table(
        "endorsements",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("target_id", Id, autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endorsements")),
        sa.UniqueConstraint("account_id", "target_id", name=op.f("uq_endorsements_account_id_target_id")),
    )
    op.add_column("streams", sa.Column("announcement_id", Id, autoincrement=False, nullable=True))
    op.add_column("streams", sa.Column("reaction", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("streams", "reaction")
    op.drop_column("streams", "announcement_id")
    op.drop_table("endorsements")
    op.drop_table("featured_tags")
    op.drop_table("announcement_reactions")
    op.drop_table("announcement_dismissals")
    op.drop_table("announcements")
