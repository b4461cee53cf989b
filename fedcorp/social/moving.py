"""Moving from one account to another, here or elsewhere: other names of an account, the move, and who follows along.

A move holds only when the new account says that the old one is it, too. Posts do not move. Followers of this department
are carried over a few at a time; those of other servers follow by their own servers' doing. The wire is the outbox's.
"""

from collections.abc import Iterable

import orjson
import sqlalchemy as sa

from fedcorp.errors import FedcorpError, Unprocessable
from fedcorp.social import accounts, follows
from fedcorp.social.accounts import Account
from fedcorp.social.events import AccountMoved, AccountUpdated
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import follows as follows_table
from fedcorp.storage.tables import list_accounts, lists
from fedcorp.storage.upsert import insert_ignore

COOLDOWN_MS = 7 * 86_400_000  # between two moves of one account
MAX_ALIASES = 10
CARRIED = 50  # followers in one unit

_FOLLOWERS = (
    sa.select(follows_table.c.follower_id)
    .join(accounts_table, accounts_table.c.id == follows_table.c.follower_id)
    .where(follows_table.c.target_id == sa.bindparam("old"), accounts_table.c.local)
    .where(follows_table.c.follower_id > sa.bindparam("after"))
    .order_by(follows_table.c.follower_id)
    .limit(CARRIED)
)
_LISTS = (
    sa.select(list_accounts.c.list_id)
    .join(lists, lists.c.id == list_accounts.c.list_id)
    .where(list_accounts.c.account_id == sa.bindparam("old"), lists.c.account_id == sa.bindparam("follower"))
)


def aliases(account: Account) -> tuple[str, ...]:
    """The uris that this account says are it as well."""
    found = orjson.loads(account.also_known_as)
    return tuple(uri for uri in found if isinstance(uri, str)) if isinstance(found, list) else ()


def set_aliases(tx: Tx, account: Account, uris: Iterable[str]) -> Account:
    """Say which other accounts one has, so that they can be moved here. Raises Unprocessable."""
    wanted = tuple(dict.fromkeys(uris))
    if account.kind != "person" or not account.local:
        raise Unprocessable(f"{account.acct} is not a person of this department.")
    if account.uri in wanted:
        raise Unprocessable("An account is no other name of itself.")
    if len(wanted) > MAX_ALIASES:
        raise Unprocessable(f"An account has at most {MAX_ALIASES} other names.")
    _change(tx, account, also_known_as=orjson.dumps(wanted).decode())
    return accounts.get(tx, account.id)


def _change(tx: Tx, account: Account, **values: object) -> None:
    """Change a local account so that other servers see that it is newer, and tell them."""
    tx.conn.execute(
        sa.update(accounts_table)
        .where(accounts_table.c.id == account.id)
        .values(updated_at=max(tx.ms, account.updated_at + 1), version=accounts_table.c.version + 1, **values)
    )
    tx.record(AccountUpdated(account.id))


def move(tx: Tx, account: Account, target: Account) -> None:
    """Move a local account: its followers are asked to follow `target`, which must name it as an alias.

    Raises Unprocessable when that does not hold, or after a move less than seven days ago.
    """
    if account.kind != "person" or not account.local:
        raise Unprocessable(f"{account.acct} is not a person of this department.")
    _check_target(account, target)
    if account.moved_at is not None and account.moved_at > tx.ms - COOLDOWN_MS:
        raise Unprocessable("This account moved less than seven days ago.")
    _change(tx, account, moved_to_id=target.id, moved_at=tx.ms)
    tx.record(AccountMoved(account.id, target.id))
    _carry_soon(tx, account.id, target.id, 0)


def stay(tx: Tx, account: Account) -> None:
    """End the redirection that a move left behind; who followed along stays there."""
    _change(tx, account, moved_to_id=None)


def _check_target(account: Account, target: Account) -> None:
    if target.id == account.id:
        raise Unprocessable("An account cannot move to itself.")
    if target.hidden or target.kind != "person":
        raise Unprocessable(f"{target.acct} cannot be moved to.")
    if target.moved_to_id is not None:
        raise Unprocessable(f"{target.acct} has moved itself.")
    if account.uri not in aliases(target):
        raise Unprocessable(f"{target.acct} does not say that it is {account.handle}, too; set the alias there first.")


def receive(tx: Tx, account: Account, target: Account) -> bool:
    """An account of another server has moved. False when nothing is done: it moved lately, or the target did.

    Raises Unprocessable when the target does not confirm it.
    """
    if account.moved_at is not None and account.moved_at > tx.ms - COOLDOWN_MS:
        return False
    if target.moved_to_id is not None:
        return False
    _check_target(account, target)
    note(tx, account, target, at=tx.ms)
    _carry_soon(tx, account.id, target.id, 0)
    return True


def note(tx: Tx, account: Account, target: Account | None, *, at: int | None = None) -> None:
    """Keep where an account elsewhere says it has moved to; None: nowhere (any more)."""
    values: dict[str, object] = {"moved_to_id": target.id if target is not None else None}
    if at is not None:
        values["moved_at"] = at
    changed = sa.update(accounts_table).where(accounts_table.c.id == account.id)
    tx.conn.execute(changed.values(version=accounts_table.c.version + 1, **values))


# -- followers of this department ------------------------------------------------------------------------------------


def _carry_soon(tx: Tx, old_id: int, new_id: int, after: int) -> None:
    jobs.put(tx, "carry_followers", {"old": old_id, "new": new_id, "after": after})


def carry(tx: Tx, old_id: int, new_id: int, after: int) -> None:
    """Let the next followers of this department follow the new account instead; asks for another run when more wait."""
    old, new = accounts.find(tx, old_id), accounts.find(tx, new_id)
    if old is None or new is None or new.hidden or old.moved_to_id != new.id:
        return
    found = list(tx.conn.execute(_FOLLOWERS, {"old": old.id, "after": after}).scalars())
    known = accounts.find_many(tx, found)
    for id_ in found:
        if id_ in known and not known[id_].hidden:
            _carry_one(tx, known[id_], old, new)
    if len(found) == CARRIED:
        _carry_soon(tx, old_id, new_id, found[-1])


def _carry_one(tx: Tx, follower: Account, old: Account, new: Account) -> None:
    """The follow goes over with its options, and into the same lists. Who may not follow there stays where they are."""
    was = follows.find(tx, follower.id, old.id)
    if was is None:
        return
    in_lists = list(tx.conn.execute(_LISTS, {"old": old.id, "follower": follower.id}).scalars())
    try:
        if follower.id != new.id and follows.find(tx, follower.id, new.id) is None:
            languages = tuple(orjson.loads(was.languages))
            follows.follow(tx, follower, new, reblogs=was.reblogs, notify=was.notify, languages=languages)
    except FedcorpError:
        return
    follows.unfollow(tx, follower.id, old.id)
    for list_id in in_lists:
        insert_ignore(tx, list_accounts, list_id=list_id, account_id=new.id)
