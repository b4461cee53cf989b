"""Leave to answer, like and boost posts of elsewhere: what their authors allow, and what of ours waits for them.

An answer or a boost that needs leave has the visibility `waiting` until its author's answer comes; here stands how it
was written (`Leave`). Who sees it is decided where visibility is, and to whom it is sent in
`fedcorp.activitypub.audience`. Never asks another server: an Accept and what it names are checked by
`fedcorp.activitypub.handlers.leaves`.

Source: GoToSocial, docs/federation/interaction_policy.md.
"""

from dataclasses import dataclass, fields, replace

import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.errors import Unprocessable
from fedcorp.social import accounts, follows, policy, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import LeaveAsked, LeaveWithdrawn
from fedcorp.social.policy import WAITING
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import interaction_policies
from fedcorp.storage.tables import leaves as table
from fedcorp.storage.upsert import upsert

PENDING, GRANTED, REFUSED, WITHDRAWN = "pending", "granted", "refused", "withdrawn"
"""`refused` was never told to anybody else, so its author elsewhere may still change their mind; of what is `withdrawn`
others were told that it is gone, which is for good."""

_REFUSALS = {
    policy.REPLY: "The author of this post does not want an answer from you.",
    policy.LIKE: "The author of this post does not want it to be a favourite of yours.",
    policy.ANNOUNCE: "The author of this post does not want you to boost it.",
}


@dataclass(frozen=True, slots=True)
class Leave:
    """One row of `leaves`: the visibility that somebody wrote a post with, and what became of it."""

    status_id: int
    visibility: str
    state: str
    stamp_uri: str | None
    stamp_type: str


_OF = sa.select(*(table.c[item.name] for item in fields(Leave))).where(table.c.status_id == sa.bindparam("status"))
_FORGET = sa.delete(interaction_policies).where(interaction_policies.c.status_id == sa.bindparam("status"))
_POLICY = sa.select(interaction_policies.c.kept).where(interaction_policies.c.status_id == sa.bindparam("status"))


def find(tx: Tx, status_id: int) -> Leave | None:
    """What is known of the leave for an answer or a boost of ours; None when it needed none."""
    row = tx.conn.execute(_OF, {"status": status_id}).first()
    return Leave(*row) if row else None


def as_written(tx: Tx, status: Status) -> Status:
    """A status with the visibility that its author chose, also while it waits: that is how it is addressed."""
    known = find(tx, status.id) if status.visibility == WAITING else None
    return status if known is None else replace(status, visibility=known.visibility)


# -- what authors elsewhere allow --------------------------------------------------------------------------------------


def keep_policy(tx: Tx, status_id: int, kept: str) -> None:
    """Write down whom the author of a post lets do what (`policy.interaction_policy`)."""
    if kept:
        upsert(tx, interaction_policies, ("status_id",), status_id=status_id, kept=kept)
    else:
        tx.conn.execute(_FORGET, {"status": status_id})


def standing(tx: Tx, status: Status, account: Account, act: str) -> str:
    """`automatic`, `manual` or `denied`: how an account here that may see a post stands to answering, liking or
    boosting it (`act`, of policy.ACTS)."""
    kept = None if status.local else tx.conn.execute(_POLICY, {"status": status.id}).scalar()
    if not kept:
        return "automatic"
    named = status.in_reply_to_account_id == account.id
    return policy.may_interact(
        kept,
        act,
        account_id=account.id,
        own=status.account_id == account.id,
        named=named or account.id in statuses.mentioned_ids(tx, status.id, silent=False),
        follows=follows.is_following(tx, account.id, status.account_id),
        followed=follows.is_following(tx, status.account_id, account.id),
    )


def must_wait(tx: Tx, status: Status, account: Account, act: str) -> bool:
    """Whether somebody who answers, likes or boosts a post needs its author's leave first. Raises Unprocessable when
    the author does not want it."""
    answer = standing(tx, status, account, act)
    if answer == "denied":
        raise Unprocessable(_REFUSALS[act])
    return answer == "manual"


def check_can_be_asked(tx: Tx, status: Status, reach: str) -> None:
    """Raises Unprocessable when something of this reach never comes to the author who must give leave."""
    author = accounts.get(tx, status.account_id)
    tier = peers.find_tier(tx, author.origin.split("://", 1)[1])
    if tier is None:
        raise Unprocessable(f"@{author.acct} has to be asked for leave, and cannot be reached.")
    if not policy.reaches(reach, tier):
        raise Unprocessable(
            f"@{author.acct} has to be asked for leave, and is outside the reach of this post ({reach}). "
            f"Choose the reach {policy.reach_for({tier})!r} to include them."
        )


# -- what waits --------------------------------------------------------------------------------------------------------


def ask(tx: Tx, status: Status, visibility: str) -> None:
    """An answer or boost that was written with this visibility, and inserted with WAITING, goes to whom it asks."""
    values = {"visibility": visibility, "state": PENDING, "stamp_uri": None, "stamp_type": "", "created_at": tx.ms}
    upsert(tx, table, ("status_id",), status_id=status.id, **values)
    tx.record(LeaveAsked(status.account_id, status.id))


def grant(tx: Tx, status: Status, stamp_uri: str, stamp_type: str) -> Status | None:
    """Leave has come, and stands under this address: the status, shown as it was written. None when it does not wait,
    which includes that others were told that it is gone, or may not be shown."""
    known, author = find(tx, status.id), accounts.get(tx, status.account_id)
    if known is None or known.state not in (PENDING, REFUSED) or status.deleted_at is not None or author.hidden:
        return None
    values = {"state": GRANTED, "stamp_uri": stamp_uri, "stamp_type": stamp_type}
    tx.conn.execute(sa.update(table).where(table.c.status_id == status.id).values(**values))
    return statuses.change_visibility(tx, status, known.visibility)


def refuse(tx: Tx, status: Status) -> bool:
    """The author of what an answer of ours answers does not want it. One that waits stays with its author; of one that
    others have they hear that it is gone, and here its author alone keeps it. Says whether this changed anything."""
    known = find(tx, status.id)
    if status.deleted_at is not None or (known is not None and known.state in (REFUSED, WITHDRAWN)):
        return False
    if known is not None and known.state == PENDING:
        tx.conn.execute(sa.update(table).where(table.c.status_id == status.id).values(state=REFUSED))
        return True
    values = {"visibility": status.visibility, "state": WITHDRAWN, "stamp_uri": None, "stamp_type": ""}
    upsert(tx, table, ("status_id",), status_id=status.id, created_at=tx.ms, **values)
    statuses.change_visibility(tx, status, WAITING)
    tx.record(LeaveWithdrawn(status.account_id, status.id))
    return True
