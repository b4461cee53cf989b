"""Reports about people: kept for the moderators of this department, who are notified, and worked off by them.

Whom a report is about is neither told of it nor shown it, also when they moderate. Reports in groups are the business
of the groups' own moderators (`fedcorp.social.stewardship`). Nothing is sent from here: a report that goes on to
another server leaves an event, and the outbox tells it without the name of whoever made it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.company import audit, peers
from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import notifications, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import ReportForwarded
from fedcorp.social.moderation import STAFF
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import reports as table
from fedcorp.storage.tables import users
from fedcorp.storage.upsert import insert_ignore

CATEGORIES = ("spam", "legal", "violation", "other")
MAX_COMMENT, MAX_STATUSES = 1000, 100


@dataclass(frozen=True, slots=True)
class Report:
    """One row of `reports`: `status_ids` and `rules` JSON text, times in ms."""

    id: int
    uri: str
    account_id: int
    target_id: int
    status_ids: str
    category: str
    rules: str
    comment: str
    forwarded: bool
    assigned_id: int | None
    resolved_by_id: int | None
    resolved_at: int | None
    created_at: int
    updated_at: int

    @property
    def posts(self) -> list[int]:
        """Ids of the posts that it names."""
        found: list[int] = orjson.loads(self.status_ids)
        return found

    @property
    def cited(self) -> list[dict[str, str]]:
        """Id and text of the rules that it names, as they were then."""
        found: list[dict[str, str]] = orjson.loads(self.rules)
        return found


_SELECT = sa.select(*(table.c[item.name] for item in fields(Report)))
_STAFF = sa.select(users.c.account_id).where(users.c.role.in_(STAFF), users.c.disabled_at.is_(None))
_VIEWER = sa.bindparam("viewer", type_=sa.BigInteger)


# -- telling ---------------------------------------------------------------------------------------------------------


def make(
    tx: Tx,
    reporter: Account,
    target: Account,
    *,
    status_ids: Iterable[int] = (),
    comment: str = "",
    category: str = "other",
    rule_ids: Iterable[str] = (),
    forward: bool = False,
) -> Report:
    """Tell the moderators, and with `forward` the server of the target when that may federate.

    Raises NotFound for posts that the reporter may not see or that are not the target's, Unprocessable.
    """
    wanted = list(dict.fromkeys(status_ids))
    if target.id == reporter.id:
        raise Unprocessable("Validation failed: Target account must not be your own")
    if len(wanted) > MAX_STATUSES:
        raise Unprocessable(f"Validation failed: a report names at most {MAX_STATUSES} posts")
    for id_ in wanted:
        status = statuses.get_visible(tx, reporter.id, id_)
        if target.id not in (status.account_id, status.group_id):
            raise NotFound
    rules = _rules(tx, rule_ids)
    category = "violation" if rules else category
    if category == "violation" and not rules:
        raise Unprocessable("Validation failed: Rule ids does not reference valid rules")
    goes_on = forward and not target.local and peers.find_tier(tx, target.domain) is not None
    id_ = tx.new_id()
    made = _keep(
        tx, reporter, target, id_, uri=tx.site.urls.activity(id_), status_ids=wanted, comment=_comment(comment),
        category=category, rules=rules, forwarded=goes_on,
    )  # fmt: skip
    assert made is not None
    if goes_on:
        tx.record(ReportForwarded(reporter.id, id_))
    return made


def receive(tx: Tx, by: Account, target: Account, *, status_ids: list[int], comment: str, uri: str | None) -> None:
    """Keep what another server reports about one of ours. A `uri` counts once; what is too long is cut."""
    id_ = tx.new_id()
    _keep(
        tx, by, target, id_, uri=uri or tx.site.urls.activity(id_), status_ids=status_ids[:MAX_STATUSES],
        comment=comment.strip()[:MAX_COMMENT], category="other", rules=[], forwarded=False,
    )  # fmt: skip


def answer(tx: Tx, account: Account, comment: str) -> int:
    """Tell the moderators what somebody says to a warning: a report about oneself. Returns its id."""
    id_ = tx.new_id()
    _keep(
        tx, account, account, id_, uri=tx.site.urls.activity(id_), status_ids=[], comment=_comment(comment),
        category="other", rules=[], forwarded=False,
    )  # fmt: skip
    return id_


def _keep(tx: Tx, by: Account, target: Account, id_: int, **values: Any) -> Report | None:
    values |= {name: orjson.dumps(values[name]).decode() for name in ("status_ids", "rules")}
    values |= {"id": id_, "account_id": by.id, "target_id": target.id, "created_at": tx.ms, "updated_at": tx.ms}
    if not insert_ignore(tx, table, **values):
        return None
    for account_id in tx.conn.execute(_STAFF).scalars():
        if account_id != target.id:
            notifications.notify(
                tx, account_id=account_id, kind=notifications.REPORT, from_id=by.id, report_id=id_,
                cause=f"report:{id_}",
            )  # fmt: skip
    return find(tx, id_)


def _comment(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_COMMENT:
        raise Unprocessable(f"Validation failed: Comment is too long (maximum is {MAX_COMMENT} characters)")
    return text


def _rules(tx: Tx, ids: Iterable[str]) -> list[dict[str, str]]:
    known = {str(number): text for number, text in enumerate(tx.site.config.rules, 1)}
    wanted = list(dict.fromkeys(ids))
    if not known.keys() >= set(wanted):
        raise Unprocessable("Validation failed: Rule ids does not reference valid rules")
    return [{"id": id_, "text": known[id_]} for id_ in wanted]


# -- reading ---------------------------------------------------------------------------------------------------------


def find(tx: Tx, id_: int) -> Report | None:
    """The report with this id."""
    row = tx.conn.execute(_SELECT.where(table.c.id == id_)).first()
    return Report(*row) if row else None


def find_many(tx: Tx, ids: Iterable[int]) -> dict[int, Report]:
    """Reports by id."""
    wanted = list(ids)
    rows = tx.conn.execute(_SELECT.where(table.c.id.in_(wanted))) if wanted else ()
    return {row.id: Report(*row) for row in rows}


def get(tx: Tx, moderator_id: int, id_: int) -> Report:
    """A report, for this moderator. Raises NotFound, also for one that is about the moderator."""
    found = find(tx, id_)
    if found is None or found.target_id == moderator_id:
        raise NotFound
    return found


@cache
def _listing(resolved: bool, by: bool, about: bool) -> Listing:
    statement = _SELECT.where(table.c.target_id != _VIEWER)
    statement = statement.where(table.c.resolved_at.is_not(None) if resolved else table.c.resolved_at.is_(None))
    if by:
        statement = statement.where(table.c.account_id == sa.bindparam("by", type_=sa.BigInteger))
    if about:
        statement = statement.where(table.c.target_id == sa.bindparam("about", type_=sa.BigInteger))
    return Listing(statement, table.c.id)


def listing(
    tx: Tx, moderator_id: int, page: Page, *, resolved: bool = False, by: int | None = None, about: int | None = None
) -> list[Report]:
    """Reports that wait, or that were dealt with, latest first; made `by` somebody, `about` somebody."""
    listing_ = _listing(resolved, by is not None, about is not None)
    return listing_.rows(tx, page, lambda row: Report(*row), viewer=moderator_id, by=by, about=about)


# -- working off -----------------------------------------------------------------------------------------------------


def change(
    tx: Tx, moderator: Account, id_: int, *, category: str | None = None, rule_ids: "list[str] | None" = None
) -> Report:
    """Another category, or other rules. Raises NotFound, Unprocessable."""
    known = get(tx, moderator.id, id_)
    rules = known.cited if rule_ids is None else _rules(tx, rule_ids)
    category = category or known.category
    if category == "violation" and not rules:
        raise Unprocessable("Validation failed: Rule ids does not reference valid rules")
    kept = rules if category == "violation" else []
    return _write(tx, moderator, id_, "change", category=category, rules=orjson.dumps(kept).decode())


def assign(tx: Tx, moderator: Account, id_: int) -> Report:
    """Take a report upon oneself. Raises NotFound."""
    return _write(tx, moderator, id_, "assign", assigned_id=moderator.id)


def unassign(tx: Tx, moderator: Account, id_: int) -> Report:
    """Leave a report to whoever takes it. Raises NotFound."""
    return _write(tx, moderator, id_, "unassign", assigned_id=None)


def resolve(tx: Tx, moderator: Account, id_: int) -> Report:
    """Say that a report was dealt with; once is enough. Raises NotFound."""
    known = get(tx, moderator.id, id_)
    if known.resolved_at is not None:
        return known
    return _write(tx, moderator, id_, "resolve", resolved_at=tx.ms, resolved_by_id=moderator.id)


def resolve_about(tx: Tx, moderator: Account, target_id: int) -> None:
    """Something was done about somebody: all reports about them that wait are dealt with."""
    waiting = sa.select(table.c.id).where(table.c.target_id == target_id, table.c.resolved_at.is_(None))
    for id_ in list(tx.conn.execute(waiting).scalars()):
        resolve(tx, moderator, id_)


def reopen(tx: Tx, moderator: Account, id_: int) -> Report:
    """Say that a report waits again. Raises NotFound."""
    return _write(tx, moderator, id_, "reopen", resolved_at=None, resolved_by_id=None)


def _write(tx: Tx, moderator: Account, id_: int, act: str, **values: Any) -> Report:
    get(tx, moderator.id, id_)
    tx.conn.execute(sa.update(table).where(table.c.id == id_).values(updated_at=tx.ms, **values))
    audit.note(tx, moderator.uri, f"report.{act}", str(id_))
    return get(tx, moderator.id, id_)
