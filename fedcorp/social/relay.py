"""Members whose own servers cannot keep a group's posts to its members: what they write is said by the group itself.

Such a member answers with a post for their followers that names the group. Nobody else's server could read that post
again, so the group says it to all members in its own name, with the name of who wrote it, and follows its edits and its
deletion. Only groups whose rules say so do this (`outsiders`: relay). The way out to those members: the wire.
"""

import sqlalchemy as sa

from fedcorp.social import accounts, group_posts, groups, memberships, policy, publishing, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.publishing import Draft
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import relays
from fedcorp.storage.upsert import insert_ignore

_COPIES = sa.select(relays.c.group_id, relays.c.copy_id).where(relays.c.status_id == sa.bindparam("status"))


def is_relayed(tx: Tx, group: Account, status: Status, author: Account) -> bool:
    """Whether a followers-only post of somebody elsewhere is one for the members of this local group."""
    rules = groups.find(tx, group.id)
    if rules is None or author.local or status.visibility != "private":
        return False
    is_member = memberships.role_of(tx, group.id, author.id) in policy.MEMBERS
    return is_member and rules.members_only and rules.outsiders == "relay"


def pass_on(tx: Tx, group_id: int, status_id: int) -> None:
    """The group says what a member elsewhere wrote; once for each post."""
    group, status = accounts.find(tx, group_id), statuses.find(tx, status_id)
    if group is None or status is None or any(row[0] == group_id for row in _copies(tx, status_id)):
        return
    copy = publishing.publish(tx, group, _draft(tx, status))
    insert_ignore(tx, relays, group_id=group_id, status_id=status_id, copy_id=copy.id)


def edited(tx: Tx, status: Status) -> None:
    """The author changed it: so does the group."""
    for group_id, copy_id in _copies(tx, status.id):
        publishing.edit(tx, accounts.get(tx, group_id), copy_id, _draft(tx, status))


def deleted(tx: Tx, status_id: int) -> None:
    """The author deleted it: so does the group."""
    for group_id, copy_id in _copies(tx, status_id):
        copy = statuses.find(tx, copy_id)
        if copy is not None and copy.deleted_at is None:
            statuses.delete(tx, accounts.get(tx, group_id), copy_id)


def _copies(tx: Tx, status_id: int) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in tx.conn.execute(_COPIES, {"status": status_id})]


def _draft(tx: Tx, status: Status) -> Draft:
    author = accounts.get(tx, status.account_id)
    name = author.display_name or author.username
    return Draft(
        text=_cut(f"{name} (@{author.handle}):\n\n{status.text}", tx.site.config.limits.status_characters),
        spoiler_text=status.spoiler_text, sensitive=status.sensitive, language=status.language,
        in_reply_to_id=group_posts.answered_id(tx, status), to_members=True,
    )  # fmt: skip


def _cut(words: str, most: int) -> str:
    """A text that came from elsewhere may be longer than ours."""
    return words if len(words) <= most else words[: most - 1] + "\u2026"
