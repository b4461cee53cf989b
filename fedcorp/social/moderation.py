"""What the moderators of a department may know of accounts and do to them: how somebody signs in, and what limits them.

Who is a moderator is said by the role of the user, which the edge has from the token; `check` is asked by every route
that declares a role.
Whoever is suspended is shown nowhere here, cannot sign in, and is not heard when they live elsewhere. Who is silenced
is shown to those who follow or ask by name (`fedcorp.social.visibility.limited`); all posts of who is marked sensitive
count as such; who is disabled cannot sign in. Other servers are not told: each department decides for itself. What the
person hears of it is said in `fedcorp.social.warnings`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from fedcorp.company import audit
from fedcorp.errors import Forbidden, NotFound, Unprocessable
from fedcorp.social import accounts
from fedcorp.social.accounts import Account
from fedcorp.social.events import AccountDisabled, AccountSuspended
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as table
from fedcorp.storage.tables import users

STAFF = ("moderator", "admin")
STATES = ("active", "pending", "disabled", "silenced", "suspended")
MAX_REASON = 2000
ACTIONS = ("none", "sensitive", "disable", "silence", "suspend")
LIFTED = {"sensitive": "unsensitive", "disable": "enable", "silence": "unsilence", "suspend": "unsuspend"}
_COLUMNS = {"sensitive": table.c.sensitized_at, "silence": table.c.silenced_at, "suspend": table.c.suspended_at}


@dataclass(frozen=True, slots=True)
class Login:
    """How somebody of this department signs in."""

    account_id: int
    email: str | None
    role: str
    disabled: bool


def check(role: str | None, *, least: str = "moderator") -> None:
    """Raises Forbidden for who is neither moderator nor admin of the department; with `least` admin, for moderators
    too."""
    if role not in STAFF[STAFF.index(least) :]:
        raise Forbidden("This action is not allowed")


def logins(tx: Tx, ids: Iterable[int]) -> dict[int, Login]:
    """By account id; people elsewhere, groups and the server itself have none."""
    wanted = sorted(set(ids))
    columns = (users.c.account_id, users.c.email, users.c.role, users.c.disabled_at)
    rows = tx.conn.execute(sa.select(*columns).where(users.c.account_id.in_(wanted))) if wanted else ()
    return {id_: Login(id_, email, role, disabled_at is not None) for id_, email, role, disabled_at in rows}


# -- accounts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which accounts a list shows; None and "" leave a question out. `state` is one of STATES."""

    local: bool | None = None
    state: str | None = None
    staff: bool = False
    username: str = ""
    display_name: str = ""
    domain: str = ""
    email: str = ""


def find(tx: Tx, id_: int) -> Account:
    """A person or group, also one that is suspended. Raises NotFound."""
    found = accounts.find(tx, id_)
    if found is None or found.deleted_at is not None or found.is_server:
        raise NotFound
    return found


def listing(tx: Tx, page: Page, wanted: Wanted) -> list[int]:
    """Ids of accounts, latest first. Nobody is ever pending here."""
    if wanted.state == "pending":
        return []
    statement = (
        sa.select(table.c.id)
        .join(users, users.c.account_id == table.c.id, isouter=True)
        .where(table.c.deleted_at.is_(None), accounts.NOT_THIS_SERVER)
    )
    if wanted.local is not None:
        statement = statement.where(table.c.local if wanted.local else ~table.c.local)
    if wanted.state == "suspended":
        statement = statement.where(table.c.suspended_at.is_not(None))
    elif wanted.state == "silenced":
        statement = statement.where(table.c.silenced_at.is_not(None))
    elif wanted.state == "disabled":
        statement = statement.where(users.c.disabled_at.is_not(None))
    elif wanted.state == "active":
        statement = statement.where(table.c.suspended_at.is_(None), users.c.disabled_at.is_(None))
    if wanted.staff:
        statement = statement.where(users.c.role.in_(STAFF))
    if wanted.username:
        statement = statement.where(table.c.username_key.startswith(wanted.username.lower(), autoescape=True))
    if wanted.display_name:
        shown = sa.func.lower(table.c.display_name)
        statement = statement.where(shown.contains(wanted.display_name.lower(), autoescape=True))
    if wanted.domain:
        statement = statement.where(table.c.domain == wanted.domain.lower())
    if wanted.email:
        statement = statement.where(sa.func.lower(users.c.email) == wanted.email.lower())
    return [id_ for (id_,) in Listing(statement, table.c.id).rows(tx, page)]


def check_act(tx: Tx, moderator: Account, target: Account, action: str, reason: str) -> str:
    """The reason as it is kept. Raises Forbidden, Unprocessable for what this moderator may not do to this account."""
    if action not in ACTIONS:
        raise Unprocessable(f"The actions that there are here: {', '.join(ACTIONS)}.")
    _check_may_act_on(tx, moderator, target)
    if target.local and target.is_group:
        raise Unprocessable("A group of this department is looked after by its own admins; ask them to archive it.")
    if action == "disable" and not logins(tx, [target.id]):
        raise Unprocessable("Only people of this department sign in here.")
    reason = reason.strip()
    if len(reason) > MAX_REASON:
        raise Unprocessable(f"Validation failed: Text is too long (maximum is {MAX_REASON} characters)")
    return reason


def holds(tx: Tx, target: Account, action: str) -> bool:
    """Whether this was done to an account already, and not taken back."""
    if action == "disable":
        return any(login.disabled for login in logins(tx, [target.id]).values())
    return action in _COLUMNS and getattr(target, _COLUMNS[action].name) is not None


def act(tx: Tx, moderator: Account, target: Account, action: str, reason: str) -> None:
    """Do one of ACTIONS that `check_act` allowed, and that does not hold yet. `none` is a word in the audit alone."""
    if action == "disable":
        _set_login(tx, target, tx.ms)
        tx.record(AccountDisabled(target.id))
    elif action != "none":
        _set(tx, target, action, tx.ms)
    if action == "suspend":
        tx.record(AccountSuspended(target.id))
    audit.note(tx, moderator.uri, f"account.{'warn' if action == 'none' else action}", target.uri, reason)


def lift(tx: Tx, moderator: Account, target: Account, action: str) -> None:
    """Take one of ACTIONS back; what does not hold stays as it is. Raises Forbidden, Unprocessable."""
    _check_may_act_on(tx, moderator, target)
    if not holds(tx, target, action):
        return
    if action == "disable":
        _set_login(tx, target, None)
    else:
        _set(tx, target, action, None)
    audit.note(tx, moderator.uri, f"account.{LIFTED[action]}", target.uri)


def _check_may_act_on(tx: Tx, moderator: Account, target: Account) -> None:
    """Moderators act on people, admins on moderators too, nobody on themselves."""
    if target.id == moderator.id:
        raise Unprocessable("You cannot do this to yourself.")
    if accounts.role_of(tx, moderator.id) != "admin" and accounts.role_of(tx, target.id) in STAFF:
        raise Forbidden("This action is not allowed")


def _set(tx: Tx, target: Account, action: str, at: int | None) -> None:
    changed = sa.update(table).where(table.c.id == target.id)
    tx.conn.execute(changed.values({_COLUMNS[action]: at, table.c.version: table.c.version + 1}))


def _set_login(tx: Tx, target: Account, at: int | None) -> None:
    tx.conn.execute(sa.update(users).where(users.c.account_id == target.id).values(disabled_at=at))
