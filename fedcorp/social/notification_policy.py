"""Whose notifications somebody wants: a policy of their own that accepts, filters or drops what strangers cause.

Judges one notification before it is made (`fedcorp.social.notifications` makes and lists them). What is filtered is
kept back as a request until its reader accepts or dismisses whom it comes from.
"""

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, follows, mentions, statuses
from fedcorp.storage.tables import notification_permissions as permissions
from fedcorp.storage.tables import notification_policies as policies
from fedcorp.storage.upsert import insert_ignore, upsert

WORDS = ("accept", "filter", "drop")
FILTERABLE = frozenset({"mention", "reblog", "quote", "follow", "follow_request", "favourite", "added_to_collection"})
"""What strangers can cause. The bell, polls and edits come of what the reader asked for."""
NEW_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class Policy:
    """One of WORDS for each sort of sender: whom one does not follow, who does not follow, whose account is younger
    than NEW_MS, who writes directly without having been written to, and whom moderators limited and one does not
    follow."""

    not_following: str = "accept"
    not_followers: str = "accept"
    new_accounts: str = "accept"
    private_mentions: str = "accept"
    limited_accounts: str = "filter"


SORTS = ("not_following", "not_followers", "new_accounts", "private_mentions", "limited_accounts")
OLD_SORTS = SORTS[:-1]
"""What older clients know."""
_TO: Any = sa.bindparam("account", type_=sa.BigInteger)
_FROM: Any = sa.bindparam("other", type_=sa.BigInteger)
_STATUS: Any = sa.bindparam("status", type_=sa.BigInteger)
_POLICY = sa.select(*(policies.c[name] for name in SORTS)).where(policies.c.account_id == _TO)
_PERMITTED = sa.exists().where(permissions.c.account_id == _TO, permissions.c.from_account_id == _FROM)


def _follows(one: Any, other: Any) -> "sa.ColumnElement[bool]":
    return sa.exists().where(follows.c.follower_id == one, follows.c.target_id == other, follows.c.state == "accepted")


_OWN = statuses.alias("own")
_WRITTEN_TO = sa.exists().where(  # the reader wrote to them in this thread before
    _OWN.c.thread_id == statuses.c.thread_id,
    _OWN.c.account_id == _TO,
    _OWN.c.id < statuses.c.id,
    _OWN.c.deleted_at.is_(None),
    mentions.c.status_id == _OWN.c.id,
    mentions.c.account_id == _FROM,
)
_UNASKED = sa.exists().where(statuses.c.id == _STATUS, statuses.c.visibility == "direct", ~_WRITTEN_TO)
_SENDER = sa.select(
    _PERMITTED,
    ~_follows(_TO, _FROM),
    ~_follows(_FROM, _TO),
    accounts.c.created_at > sa.bindparam("young", type_=sa.BigInteger),
    _UNASKED,
    accounts.c.silenced_at.is_not(None),
).where(accounts.c.id == _FROM)
_IS_LIMITED = sa.select(accounts.c.id).where(accounts.c.id == _FROM, accounts.c.silenced_at.is_not(None))


def get(tx: Tx, account_id: int) -> Policy:
    """The policy of an account; one that was never set accepts everything but what limited accounts cause."""
    row = tx.conn.execute(_POLICY, {"account": account_id}).first()
    return Policy(*row) if row else Policy()


def save(tx: Tx, account_id: int, changed: dict[str, str]) -> None:
    """Change a policy by SORTS to WORDS; what is not named stays. What was kept back or not before stays so."""
    values = asdict(get(tx, account_id)) | changed
    upsert(tx, policies, ("account_id",), account_id=account_id, **values)


def permit(tx: Tx, account_id: int, from_id: int) -> None:
    """Accept whatever comes from this account from now on."""
    insert_ignore(tx, permissions, account_id=account_id, from_account_id=from_id, created_at=tx.ms)


def judge(tx: Tx, account_id: int, kind: str, from_id: int, status_id: int | None) -> str:
    """`accept`, `filter` or `drop`: the strictest word of the sorts that this sender is of."""
    if kind not in FILTERABLE:
        return "accept"
    policy = get(tx, account_id)
    if policy == Policy() and tx.conn.execute(_IS_LIMITED, {"other": from_id}).first() is None:
        return "accept"
    facts = {"account": account_id, "other": from_id, "status": status_id, "young": tx.ms - NEW_MS}
    row = tx.conn.execute(_SENDER, facts).first()
    if row is None or row[0]:
        return "accept"
    _, stranger, no_follower, young, unasked, limited = row
    words = {
        policy.not_following if stranger else "accept",
        policy.not_followers if no_follower else "accept",
        policy.new_accounts if young else "accept",
        policy.private_mentions if unasked and stranger and kind == "mention" else "accept",
        policy.limited_accounts if limited and stranger else "accept",
    }
    return max(words, key=WORDS.index)
