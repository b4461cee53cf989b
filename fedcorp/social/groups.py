"""Groups as such: the account of kind `group` and its rules. Who belongs to one: `fedcorp.social.memberships`."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.keys import KeyPair
from fedcorp.social import accounts, policy
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import groups
from fedcorp.storage.upsert import upsert


@dataclass(slots=True)
class Group:
    """The rules of a group; `account_id` is the account that people follow and mention."""

    account_id: int
    preset: str
    reach: str
    created_at: int
    archived_at: int | None


_BY_ID = sa.select(groups).where(groups.c.account_id == sa.bindparam("id"))


def find(tx: Tx, account_id: int) -> Group | None:
    """The rules of the group that has this account."""
    row = tx.conn.execute(_BY_ID, {"id": account_id}).first()
    return Group(*row) if row else None


def create(
    tx: Tx, name: str, pair: KeyPair, *, title: str, preset: str, reach: str | None = None, note: str = ""
) -> Account:
    """Make a group of this department, still without members. Raises Unprocessable, Conflict."""
    if preset not in policy.PRESETS:
        raise Unprocessable(f"a preset is one of {', '.join(policy.PRESETS)}, not {preset!r}.")
    if reach is not None and reach not in policy.REACHES:
        raise Unprocessable(f"a reach is one of {', '.join(policy.REACHES)}, not {reach!r}.")
    account = accounts.create_local(
        tx, name, pair, kind="group", display_name=title, note=note, locked=policy.needs_approval(preset)
    )
    save(tx, account.id, preset=preset, reach=reach or tx.site.config.default_reach)
    return account


def save(tx: Tx, account_id: int, *, preset: str, reach: str) -> None:
    """Keep the rules of a group, ours or as another server tells them."""
    upsert(tx, groups, ("account_id",), account_id=account_id, preset=preset, reach=reach, created_at=tx.ms)
