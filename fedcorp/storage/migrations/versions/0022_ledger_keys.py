"""The keys that sign the ledger of a group, each from one entry on: until now there was one for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_HEADS = sa.table("ledger_heads", sa.column("group_id"), sa.column("seq"))
_KEYS = sa.table(
    "keys", sa.column("id"), sa.column("account_id"), sa.column("kind"), sa.column("public"),
    sa.column("expires_at"), sa.column("revoked_at"),
)  # fmt: skip
_CURRENT = _KEYS.alias("current")
_LEDGER_KEYS = sa.table("ledger_keys", *(sa.column(name) for name in ("group_id", "seq", "key_id", "public")))


def upgrade() -> None:
    op.create_table(
        "ledger_keys",
        sa.Column("group_id", Id, autoincrement=False, nullable=False),
        sa.Column("seq", Id, autoincrement=False, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("stolen", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "seq", name=op.f("pk_ledger_keys")),
    )
    current = sa.and_(_CURRENT.c.kind == "ed25519", _CURRENT.c.expires_at.is_(None), _CURRENT.c.revoked_at.is_(None))
    whose = _CURRENT.c.account_id == _HEADS.c.group_id
    which = sa.select(sa.func.max(_CURRENT.c.id)).where(whose, current).correlate(_HEADS).scalar_subquery()
    first = sa.select(_HEADS.c.group_id, sa.literal(1), _KEYS.c.id, _KEYS.c.public)
    first = first.select_from(_HEADS.join(_KEYS, _KEYS.c.id == which))
    op.execute(sa.insert(_LEDGER_KEYS).from_select(list(_LEDGER_KEYS.c.keys()), first.where(_HEADS.c.seq > 0)))


def downgrade() -> None:
    op.drop_table("ledger_keys")
