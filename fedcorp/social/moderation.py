"""What the moderators of a department may know of accounts beyond what everybody sees: how somebody signs in.

Who is a moderator is said by the role of the user, which the edge has from the token; `check` is asked by every route.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from fedcorp.errors import Forbidden
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import users

STAFF = ("moderator", "admin")


@dataclass(frozen=True, slots=True)
class Login:
    """How somebody of this department signs in."""

    account_id: int
    email: str | None
    role: str
    disabled: bool


def check(role: str | None) -> None:
    """Raises Forbidden for who is neither moderator nor admin of the department."""
    if role not in STAFF:
        raise Forbidden("This action is not allowed")


def logins(tx: Tx, ids: Iterable[int]) -> dict[int, Login]:
    """By account id; people elsewhere, groups and the server itself have none."""
    wanted = sorted(set(ids))
    columns = (users.c.account_id, users.c.email, users.c.role, users.c.disabled_at)
    rows = tx.conn.execute(sa.select(*columns).where(users.c.account_id.in_(wanted))) if wanted else ()
    return {id_: Login(id_, email, role, disabled_at is not None) for id_, email, role, disabled_at in rows}
