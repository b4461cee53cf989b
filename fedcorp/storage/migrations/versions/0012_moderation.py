"""What moderators do: limits on accounts, warnings and answers to them, barred servers, an audit that only grows."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ONLY_GROWS = "the audit only grows"


def upgrade() -> None:
    op.create_table(
        "warnings",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("by_id", Id, autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.Column("appeal", sa.Text(), server_default="", nullable=False),
        sa.Column("appeal_report_id", Id, autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warnings")),
    )
    op.create_index("ix_warnings_account_id", "warnings", ["account_id"], unique=False)
    op.add_column("notifications", sa.Column("warning_id", Id, autoincrement=False, nullable=True))
    op.add_column(
        "notification_policies", sa.Column("limited_accounts", sa.Text(), server_default="filter", nullable=False)
    )
    op.add_column("accounts", sa.Column("silenced_at", sa.BigInteger(), nullable=True))
    op.add_column("accounts", sa.Column("sensitized_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_accounts_silenced_at",
        "accounts",
        ["silenced_at"],
        unique=False,
        sqlite_where=sa.text("silenced_at IS NOT NULL"),
        postgresql_where=sa.text("silenced_at IS NOT NULL"),
    )
    _upgrade_peers()
    _let_the_audit_only_grow()


def _upgrade_peers() -> None:
    op.add_column("peers", sa.Column("id", Id, server_default="0", nullable=False))
    op.add_column("peers", sa.Column("private_comment", sa.Text(), server_default="", nullable=False))
    op.add_column("peers", sa.Column("public_comment", sa.Text(), server_default="", nullable=False))
    op.add_column("peers", sa.Column("obfuscate", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE peers SET id = (SELECT count(*) FROM peers older WHERE older.domain <= peers.domain)")
    op.create_index("ix_peers_id", "peers", ["id"], unique=True)


def _let_the_audit_only_grow() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{_ONLY_GROWS}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_ONLY_GROWS}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_only_grows()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_no_update")
        op.execute("DROP TRIGGER audit_no_delete")
    else:
        op.execute("DROP TRIGGER audit_no_change ON audit")
        op.execute("DROP FUNCTION audit_only_grows()")
    op.drop_index("ix_peers_id", table_name="peers")
    for name in ("obfuscate", "public_comment", "private_comment", "id"):
        op.drop_column("peers", name)
    op.drop_index("ix_accounts_silenced_at", table_name="accounts")
    op.drop_column("accounts", "sensitized_at")
    op.drop_column("accounts", "silenced_at")
    op.drop_column("notification_policies", "limited_accounts")
    op.drop_column("notifications", "warning_id")
    op.drop_index("ix_warnings_account_id", table_name="warnings")
    op.drop_table("warnings")
