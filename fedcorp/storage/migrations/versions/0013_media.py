"""What was sent of films and sounds, until they are made of it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0008"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("media", sa.Column("source_key", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("media", "source_key")
