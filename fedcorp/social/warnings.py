"""What moderators do to accounts, with a word to the person, who may answer it.

The act itself is done in `fedcorp.social.moderation`. Here it becomes a warning that the person is notified of, without
the name of the moderator, and reports are dealt with. The answer to a warning is a report that its author makes about
themselves: it waits among the others, is assigned and resolved like them, and lifting what was done grants it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import moderation, notifications, reports
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import warnings as table

MAX_APPEAL = 900


@dataclass(frozen=True, slots=True)
class Warning_:
    """One row of `warnings`: times in ms, `action` one of `moderation.ACTIONS`."""

    id: int
    account_id: int
    by_id: int
    action: str
    text: str
    created_at: int
    lifted_at: int | None
    appeal: str
    appeal_report_id: int | None


_SELECT = sa.select(*(table.c[item.name] for item in fields(Warning_)))
_OWN = Listing(_SELECT.where(table.c.account_id == sa.bindparam("account", type_=sa.BigInteger)), table.c.id)


# -- acting ----------------------------------------------------------------------------------------------------------


def act(tx: Tx, moderator: Account, target: Account, action: str, text: str = "", report_id: int | None = None) -> None:
    """Do one of `moderation.ACTIONS` to an account, and tell it when it is a person of this department.

    Reports about it are dealt with; with `none` only the one that is named. Raises Forbidden, NotFound (the report),
    Unprocessable.
    """
    if report_id is not None and reports.get(tx, moderator.id, report_id).target_id != target.id:
        raise NotFound
    text = moderation.check_act(tx, moderator, target, action, text)
    if action == "none" or not moderation.holds(tx, target, action):
        _tell(tx, moderator, target, action, text)  # before they can be told nothing any more
        moderation.act(tx, moderator, target, action, text)
    if action != "none":
        reports.resolve_about(tx, moderator, target.id)
    elif report_id is not None:
        reports.resolve(tx, moderator, report_id)


def _tell(tx: Tx, moderator: Account, target: Account, action: str, text: str) -> None:
    if not target.local or target.is_group:
        return
    id_ = tx.new_id()
    values = {"id": id_, "account_id": target.id, "by_id": moderator.id, "action": action, "text": text}
    tx.conn.execute(sa.insert(table).values(created_at=tx.ms, **values))
    notifications.notify(
        tx, account_id=target.id, kind=notifications.WARNING, from_id=target.id, warning_id=id_, cause=f"warning:{id_}"
    )


def lift(tx: Tx, moderator: Account, target: Account, action: str) -> None:
    """Take back what was done; answers to it are granted and dealt with. Raises Forbidden, Unprocessable."""
    moderation.lift(tx, moderator, target, action)
    held = sa.and_(table.c.account_id == target.id, table.c.action == action, table.c.lifted_at.is_(None))
    answered = tx.conn.execute(sa.select(table.c.appeal_report_id).where(held)).scalars()
    for report_id in [id_ for id_ in answered if id_ is not None]:
        reports.resolve(tx, moderator, report_id)
    tx.conn.execute(sa.update(table).where(held).values(lifted_at=tx.ms))


# -- for whom they are -----------------------------------------------------------------------------------------------


def find_many(tx: Tx, ids: Iterable[int]) -> list[Warning_]:
    """The warnings with these ids."""
    wanted = sorted(set(ids))
    return [Warning_(*row) for row in tx.conn.execute(_SELECT.where(table.c.id.in_(wanted)))] if wanted else []


def get(tx: Tx, account_id: int, id_: int) -> Warning_:
    """A warning of one's own. Raises NotFound."""
    row = tx.conn.execute(_SELECT.where(table.c.id == id_, table.c.account_id == account_id)).first()
    if row is None:
        raise NotFound
    return Warning_(*row)


def listing(tx: Tx, account_id: int, page: Page) -> list[Warning_]:
    """One's own warnings, latest first."""
    return _OWN.rows(tx, page, lambda row: Warning_(*row), account=account_id)


def appeal(tx: Tx, account: Account, id_: int, text: str) -> Warning_:
    """Answer a warning, once: the moderators get it as a report. Raises NotFound, Unprocessable."""
    known, text = get(tx, account.id, id_), text.strip()
    if not text:
        raise Unprocessable("Validation failed: Text can't be blank")
    if len(text) > MAX_APPEAL:
        raise Unprocessable(f"Validation failed: Text is too long (maximum is {MAX_APPEAL} characters)")
    if known.appeal_report_id is not None:
        raise Unprocessable("You have answered this warning already.")
    if known.lifted_at is not None:
        raise Unprocessable("This was taken back already.")
    report_id = reports.answer(tx, account, f"Answer to a warning ({known.action}): {text}")
    changed = sa.update(table).where(table.c.id == id_)
    tx.conn.execute(changed.values(appeal=text, appeal_report_id=report_id))
    return get(tx, account.id, id_)


def appeal_states(tx: Tx, rows: Sequence[Warning_]) -> dict[int, str]:
    """How answers to these warnings stand, by id: `approved` once what was done was lifted, else `rejected` once the
    moderators have dealt with the answer, else `pending`. Warnings without an answer are left out."""
    told = reports.find_many(tx, [row.appeal_report_id for row in rows if row.appeal_report_id is not None])
    states = {}
    for row in rows:
        if row.appeal_report_id is not None:
            is_done = row.appeal_report_id in told and told[row.appeal_report_id].resolved_at is not None
            states[row.id] = "approved" if row.lifted_at is not None else "rejected" if is_done else "pending"
    return states
