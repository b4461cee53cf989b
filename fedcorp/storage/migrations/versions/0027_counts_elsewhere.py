"""How many followers, posts, favourites and boosts other servers tell of what is theirs, beyond what is known here."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

COLUMNS = {
    "accounts": ("statuses_elsewhere", "followers_elsewhere", "following_elsewhere"),
    "statuses": ("reblogs_elsewhere", "favourites_elsewhere"),
}


def upgrade() -> None:
    for table, names in COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
        op.add_column(table, sa.Column("counted_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for table, names in COLUMNS.items():
        for name in ("counted_at", *names):
            op.drop_column(table, name)
