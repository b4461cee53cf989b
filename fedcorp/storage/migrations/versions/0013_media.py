"""Films and sounds before they are made, cards of web pages, and custom emoji."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("media", sa.Column("source_key", sa.Text(), nullable=True))
    op.create_table(
        "cards",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("author", sa.Text(), server_default="", nullable=False),
        sa.Column("provider", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("image_key", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), server_default="0", nullable=False),
        sa.Column("height", sa.Integer(), server_default="0", nullable=False),
        sa.Column("blurhash", sa.Text(), nullable=True),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sa.UniqueConstraint("url", name=op.f("uq_cards_url")),
    )
    op.create_index("ix_cards_image_key", "cards", ["image_key"], unique=False)
    op.create_table(
        "status_cards",
        sa.Column("status_id", Id, autoincrement=False, nullable=False),
        sa.Column("card_id", Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("status_id", name=op.f("pk_status_cards")),
    )
    op.create_index("ix_status_cards_card_id", "status_cards", ["card_id"], unique=False)
    op.create_table(
        "custom_emojis",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("shortcode", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("still_key", sa.Text(), nullable=True),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.Column("remote_url", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_emojis")),
        sa.UniqueConstraint("domain", "shortcode", name=op.f("uq_custom_emojis_domain_shortcode")),
    )
    op.add_column("accounts", sa.Column("emojis", sa.Text(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("accounts", "emojis")
    op.drop_table("custom_emojis")
    op.drop_index("ix_status_cards_card_id", table_name="status_cards")
    op.drop_table("status_cards")
    op.drop_index("ix_cards_image_key", table_name="cards")
    op.drop_table("cards")
    op.drop_column("media", "source_key")
