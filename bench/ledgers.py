"""A group with a long history: an entry for every change of a role, written as the group's own server writes them."""

from bench.department import PAIR, remote
from fedcorp.activitypub import group_telling
from fedcorp.social import accounts, memberships
from fedcorp.social.accounts import Account
from fedcorp.social.events import MemberChanged
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import memberships as memberships_table
from fedcorp.storage.upsert import upsert

NAME, FAR = "history", "sales.localhost:9"
MEMBERS = 500
AT_ONCE = 500  # entries in one transaction


async def write(db: Database, count: int) -> Account:
    """Make a group of `ann` with a ledger of `count` entries: members become moderators and simple members again."""
    group = await db.write(_found)
    for first in range(0, count, AT_ONCE):
        await db.write(_append, group, range(first, min(first + AT_ONCE, count)))
    return group


def _found(tx: Tx) -> Account:
    owner = accounts.find_local(tx, "ann")
    assert owner is not None
    return memberships.found(tx, owner, NAME, PAIR, title="History", preset="open")


def _append(tx: Tx, group: Account, numbers: range) -> None:
    """Rows and entries without the messages to each member. The founder's own entry waits for a worker."""
    members = {number % MEMBERS: remote(tx, FAR, f"m{number % MEMBERS}") for number in numbers}
    for number in numbers:
        member, role = members[number % MEMBERS], "moderator" if number // MEMBERS % 2 else "member"
        key = {"group_id": group.id, "account_id": member.id}
        upsert(tx, memberships_table, tuple(key), **key, role=role, created_at=tx.ms)
        group_telling.member_changed(tx, MemberChanged(group.id, member.id, role, None))
