"""The server of each follower beside the follow, so that those of one server are found without looking at all."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("follows", sa.Column("origin", sa.Text(), server_default="", nullable=False))
    op.execute(
        "UPDATE follows SET origin = "
        "COALESCE((SELECT accounts.origin FROM accounts WHERE accounts.id = follows.follower_id), '')"
    )
    op.create_index("ix_follows_origin", "follows", ["target_id", "origin", "state", "follower_id"])


def downgrade() -> None:
    op.drop_index("ix_follows_origin", "follows")
    op.drop_column("follows", "origin")
