"""Who wrote the pages that posts link to, as the pages say."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("cards", sa.Column("creator_id", Id, nullable=True))
    op.add_column("cards", sa.Column("found_on", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("cards", "found_on")
    op.drop_column("cards", "creator_id")
