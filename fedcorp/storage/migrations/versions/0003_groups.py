"""Groups that cross departments: rules, invitations, what became of posts, and the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "affiliations",
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("subject_uri", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("group_id", "subject_uri", name=op.f("pk_affiliations")),
    )
    op.create_index("ix_affiliations_origin", "affiliations", ["group_id", "origin"], unique=False)
    op.create_table(
        "group_posts",
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("status_id", Id, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("locked_at", sa.BigInteger(), nullable=True),
        sa.Column("pinned_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "status_id", name=op.f("pk_group_posts")),
    )
    op.create_index(
        "ix_group_posts_held",
        "group_posts",
        ["group_id", "status_id"],
        unique=False,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index("ix_group_posts_status_id", "group_posts", ["status_id"], unique=False)
    op.create_table(
        "group_reports",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("by_id", Id, autoincrement=False, nullable=True),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("status_ids", sa.Text(), server_default="[]", nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_reports")),
        sa.UniqueConstraint("uri", name=op.f("uq_group_reports_uri")),
    )
    op.create_index("ix_group_reports_group_id", "group_reports", ["group_id", "id"], unique=False)
    op.create_table(
        "group_wishes",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject_uri", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_wishes")),
        sa.UniqueConstraint("uri", name=op.f("uq_group_wishes_uri")),
    )
    op.create_index("ix_group_wishes_group_id", "group_wishes", ["group_id", "account_id"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("by_id", Id, autoincrement=False, nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("uri", name=op.f("uq_invitations_uri")),
    )
    op.create_index("ix_invitations_account_id", "invitations", ["account_id", "id"], unique=False)
    op.create_index("ix_invitations_group_id", "invitations", ["group_id", "id"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("seq", Id, autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object_uri", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "seq", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_object_uri", "ledger", ["object_uri"], unique=False)
    op.create_table(
        "ledger_heads",
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", Id, autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("announced", Id, autoincrement=False, nullable=False),
        sa.Column("known", Id, autoincrement=False, nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("forked_at", sa.BigInteger(), nullable=True),
        sa.Column("fork", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_ledger_heads")),
    )
    op.create_table(
        "relays",
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("status_id", Id, autoincrement=False, nullable=False),
        sa.Column("copy_id", Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("group_id", "status_id", name=op.f("pk_relays")),
    )
    op.create_index("ix_relays_status_id", "relays", ["status_id"], unique=False)
    op.add_column("groups", sa.Column("joining", sa.Text(), server_default="open", nullable=False))
    op.add_column("groups", sa.Column("reading", sa.Text(), server_default="everyone", nullable=False))
    op.add_column("groups", sa.Column("posting", sa.Text(), server_default="everyone", nullable=False))
    op.add_column("groups", sa.Column("inviting", sa.Text(), server_default="moderators", nullable=False))
    op.add_column("groups", sa.Column("history", sa.Text(), server_default="all", nullable=False))
    op.add_column("groups", sa.Column("outsiders", sa.Text(), server_default="refuse", nullable=False))
    op.add_column("groups", sa.Column("premoderated", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("groups", sa.Column("purpose", sa.Text(), server_default="", nullable=False))
    op.add_column("groups", sa.Column("rules", sa.Text(), server_default="[]", nullable=False))
    op.add_column("groups", sa.Column("topics", sa.Text(), server_default="[]", nullable=False))
    op.add_column("groups", sa.Column("join_token", sa.Text(), nullable=True))
    op.add_column("groups", sa.Column("ends_at", sa.BigInteger(), nullable=True))
    op.add_column("groups", sa.Column("ledger_uri", sa.Text(), nullable=True))
    op.add_column("memberships", sa.Column("reads_from", sa.BigInteger(), nullable=True))
    op.add_column("memberships", sa.Column("until_at", sa.BigInteger(), nullable=True))
    op.add_column("memberships", sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_memberships_role", "memberships", ["group_id", "role"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_memberships_role", table_name="memberships")
    op.drop_column("memberships", "reason")
    op.drop_column("memberships", "until_at")
    op.drop_column("memberships", "reads_from")
    op.drop_column("groups", "ledger_uri")
    op.drop_column("groups", "ends_at")
    op.drop_column("groups", "join_token")
    op.drop_column("groups", "topics")
    op.drop_column("groups", "rules")
    op.drop_column("groups", "purpose")
    op.drop_column("groups", "premoderated")
    op.drop_column("groups", "outsiders")
    op.drop_column("groups", "history")
    op.drop_column("groups", "inviting")
    op.drop_column("groups", "posting")
    op.drop_column("groups", "reading")
    op.drop_column("groups", "joining")
    op.drop_index("ix_relays_status_id", table_name="relays")
    op.drop_table("relays")
    op.drop_table("ledger_heads")
    op.drop_index("ix_ledger_object_uri", table_name="ledger")
    op.drop_table("ledger")
    op.drop_index("ix_invitations_group_id", table_name="invitations")
    op.drop_index("ix_invitations_account_id", table_name="invitations")
    op.drop_table("invitations")
    op.drop_index("ix_group_wishes_group_id", table_name="group_wishes")
    op.drop_table("group_wishes")
    op.drop_index("ix_group_reports_group_id", table_name="group_reports")
    op.drop_table("group_reports")
    op.drop_index("ix_group_posts_status_id", table_name="group_posts")
    op.drop_index(
        "ix_group_posts_held",
        table_name="group_posts",
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.drop_table("group_posts")
    op.drop_index("ix_affiliations_origin", table_name="affiliations")
    op.drop_table("affiliations")
