"""Under which id another server told of a block."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("blocks", sa.Column("uri", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("blocks", "uri")
