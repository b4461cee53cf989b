"""The actor of the server is called by its host, without a port: some take a name with a colon for a link."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ACCOUNTS = sa.table(
    "accounts", sa.column("id"), sa.column("kind"), sa.column("local", sa.Boolean), sa.column("username"),
    sa.column("username_key"), sa.column("domain"),
)  # fmt: skip


def upgrade() -> None:
    _rename(r":\d+\Z")


def downgrade() -> None:
    _rename(r"\Z")


def _rename(without: str) -> None:
    own = sa.and_(_ACCOUNTS.c.kind == "service", _ACCOUNTS.c.local)
    for id_, domain in op.get_bind().execute(sa.select(_ACCOUNTS.c.id, _ACCOUNTS.c.domain).where(own)).all():
        name = re.sub(without, "", domain)
        same = sa.and_(_ACCOUNTS.c.username_key == name.lower(), _ACCOUNTS.c.domain == domain)
        if (
            op.get_bind().execute(sa.select(_ACCOUNTS.c.id).where(same)).first() is None
        ):  # or somebody has a host's name
            op.execute(
                sa.update(_ACCOUNTS).where(_ACCOUNTS.c.id == id_).values(username=name, username_key=name.lower())
            )
