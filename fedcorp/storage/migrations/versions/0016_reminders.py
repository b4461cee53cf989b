"""When the author of a file was asked for a description."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("media", sa.Column("reminded_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("media", "reminded_at")
