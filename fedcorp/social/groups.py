"""Groups as such: the account of kind `group` and its rules. Who belongs to one: `fedcorp.social.memberships`.

Who may change the rules is decided in `stewardship`; here they are only kept.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.keys import KeyPair
from fedcorp.social import accounts, policy
from fedcorp.social.accounts import Account, RemoteGroup
from fedcorp.social.pages import Listing, Page
from fedcorp.social.policy import GroupRules
from fedcorp.social.visibility import shown
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import groups, memberships
from fedcorp.storage.upsert import upsert

MAX_PURPOSE, MAX_RULES, MAX_RULE, MAX_TOPICS, MAX_TOPIC = 300, 20, 300, 10, 100
MAX_WORDS = 8
_JSON_MARKS = frozenset('[]",\\')  # stand between topics, and are no words of theirs


@dataclass(slots=True)
class Group:
    """The rules of a group; `account_id` is the account that people follow and mention. Times are ms.

    `rules` and `topics` are JSON lists of text. `join_token` opens the group to whoever holds the link.
    """

    account_id: int
    preset: str
    reach: str
    created_at: int
    archived_at: int | None
    joining: str
    reading: str
    posting: str
    inviting: str
    history: str
    outsiders: str
    premoderated: bool
    purpose: str
    rules: str
    topics: str
    join_token: str | None
    ends_at: int | None
    ledger_uri: str | None

    @property
    def members_only(self) -> bool:
        """Only members read what is posted."""
        return self.reading == "members"

    @property
    def listed(self) -> bool:
        """Whoever does not belong may know that it exists."""
        return self.preset != "secret"


@dataclass(frozen=True, slots=True)
class Settings:
    """A change of the rules: what is None stays."""

    title: str | None = None
    description: str | None = None
    avatar: str | None = None
    header: str | None = None
    purpose: str | None = None
    rules: tuple[str, ...] | None = None
    topics: tuple[str, ...] | None = None
    reach: str | None = None
    joining: str | None = None
    reading: str | None = None
    posting: str | None = None
    inviting: str | None = None
    history: str | None = None
    outsiders: str | None = None
    premoderated: bool | None = None
    ends_at: int | None = None  # 0: no end


_COLUMNS = [groups.c[item.name] for item in fields(Group)]
_BY_ID = sa.select(*_COLUMNS).where(groups.c.account_id == sa.bindparam("id"))
_ENDED = (
    sa.select(groups.c.account_id)
    .join(accounts_table, accounts_table.c.id == groups.c.account_id)
    .where(groups.c.ends_at <= sa.bindparam("now"), groups.c.archived_at.is_(None), accounts_table.c.local)
    .where(accounts_table.c.deleted_at.is_(None))
)
_CHOICES = {
    "reach": policy.REACHES,
    "joining": policy.JOINING,
    "reading": policy.READING,
    "posting": policy.POSTING,
    "inviting": policy.INVITING,
    "history": policy.HISTORY,
    "outsiders": policy.OUTSIDERS,
}
_PLAIN = (*_CHOICES, "premoderated", "purpose")


def find(tx: Tx, account_id: int) -> Group | None:
    """The rules of the group that has this account."""
    row = tx.conn.execute(_BY_ID, {"id": account_id}).first()
    return Group(*row) if row else None


def find_ids(tx: Tx, viewer_id: int, q: str, page: Page, *, joined: bool | None = None) -> list[int]:
    """Account ids of groups that this person may know of, latest first: with `q` in name, title, purpose or topics, and
    those they belong to (`joined`), or do not (False)."""
    statement = (
        sa.select(accounts_table.c.id)
        .join(groups, groups.c.account_id == accounts_table.c.id)
        .where(accounts_table.c.suspended_at.is_(None), accounts_table.c.deleted_at.is_(None))
        .where(shown(accounts_table.c.id, viewer_id))
    )
    for word in q.lower().split()[:MAX_WORDS]:
        columns = [accounts_table.c.username_key, accounts_table.c.display_name, groups.c.purpose]
        if not _JSON_MARKS.intersection(word):
            columns.append(groups.c.topics)
        statement = statement.where(sa.or_(*(column.icontains(word, autoescape=True) for column in columns)))
    if joined is not None:
        mine = sa.exists().where(
            memberships.c.group_id == accounts_table.c.id, memberships.c.account_id == viewer_id,
            memberships.c.role != "outcast",
        )  # fmt: skip
        statement = statement.where(mine if joined else ~mine)
    return [row[0] for row in Listing(statement, accounts_table.c.id).rows(tx, page)]


def create(
    tx: Tx, name: str, pair: KeyPair, *, title: str, preset: str, reach: str | None = None, note: str = ""
) -> Account:
    """Make a group of this department, still without members. Raises Unprocessable, Conflict."""
    if preset not in policy.PRESETS:
        raise Unprocessable(f"a preset is one of {', '.join(policy.PRESETS)}, not {preset!r}.")
    if reach is not None and reach not in policy.REACHES:
        raise Unprocessable(f"a reach is one of {', '.join(policy.REACHES)}, not {reach!r}.")
    rules = policy.RULES[preset]
    account = accounts.create_local(
        tx, name, pair, kind="group", display_name=title, note=note, locked=policy.needs_approval(rules.joining)
    )
    _save(tx, account.id, preset, reach or tx.site.config.default_reach, rules)
    return account


def _save(tx: Tx, account_id: int, preset: str, reach: str, begin: GroupRules, **more: Any) -> None:
    values = {name: value for name, value in asdict(begin).items() if name != "listed"} | more
    upsert(tx, groups, ("account_id",), account_id=account_id, preset=preset, reach=reach, created_at=tx.ms, **values)


def save_remote(tx: Tx, account_id: int, told: RemoteGroup) -> None:
    """Keep what a group of another server says of its rules."""
    known = find(tx, account_id)
    rules = GroupRules(**{item.name: getattr(told, item.name) for item in fields(GroupRules)})
    _save(
        tx, account_id, told.preset, told.reach, rules, outsiders=told.outsiders, purpose=told.purpose,
        rules=_json(told.rules), topics=_json(told.topics), ledger_uri=told.ledger_uri, ends_at=told.ends_at,
        archived_at=(known.archived_at if known and known.archived_at else tx.ms) if told.archived else None,
    )  # fmt: skip


def _json(lines: tuple[str, ...]) -> str:
    return orjson.dumps(lines).decode()


def change(tx: Tx, account: Account, settings: Settings) -> None:
    """Change the rules and the profile of a local group; its account counts as changed. Raises Unprocessable."""
    group = find(tx, account.id)
    assert group is not None
    values = _checked(tx, settings)
    if values:
        tx.conn.execute(sa.update(groups).where(groups.c.account_id == account.id).values(**values))
    locked = policy.needs_approval(values["joining"]) if "joining" in values else None
    profile = accounts.Profile(
        display_name=settings.title, note=settings.description, avatar=settings.avatar, header=settings.header,
        locked=locked,
    )  # fmt: skip
    accounts.update_profile(tx, account, profile, touched=bool(values))


def check(tx: Tx, settings: Settings) -> None:
    """Raises Unprocessable for rules that cannot be."""
    _checked(tx, settings)


def _checked(tx: Tx, settings: Settings) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(settings, name) for name in _PLAIN if getattr(settings, name) is not None}
    for name, choices in _CHOICES.items():
        if name in values and values[name] not in choices:
            raise Unprocessable(f"Validation failed: {name} is one of {', '.join(choices)}")
    if len(values.get("purpose", "")) > MAX_PURPOSE:
        raise Unprocessable(f"Validation failed: the purpose has at most {MAX_PURPOSE} characters")
    for name, most, longest in (("rules", MAX_RULES, MAX_RULE), ("topics", MAX_TOPICS, MAX_TOPIC)):
        lines = getattr(settings, name)
        if lines is None:
            continue
        if len(lines) > most or any(not 0 < len(line) <= longest for line in lines):
            raise Unprocessable(f"Validation failed: at most {most} {name} of 1 to {longest} characters")
        values[name] = _json(lines)
    if settings.ends_at is not None:
        if settings.ends_at and settings.ends_at <= tx.ms:
            raise Unprocessable("Validation failed: the end lies in the past; archive the group instead")
        values["ends_at"] = settings.ends_at or None
    return values


def set_archived(tx: Tx, account: Account, *, archived: bool) -> None:
    """End a group, or open it again: it stays readable for whoever could read it, and nobody posts."""
    values = {"archived_at": tx.ms if archived else None} | ({} if archived else {"ends_at": None})
    tx.conn.execute(sa.update(groups).where(groups.c.account_id == account.id).values(**values))
    accounts.update_profile(tx, account, accounts.Profile(), touched=True)


def set_join_token(tx: Tx, account_id: int, token: str | None) -> None:
    """The secret of the link that lets people in; None withdraws it."""
    tx.conn.execute(sa.update(groups).where(groups.c.account_id == account_id).values(join_token=token))


def ended(tx: Tx) -> list[int]:
    """Local groups whose last day has passed and that are not archived yet."""
    return list(tx.conn.execute(_ENDED, {"now": tx.ms}).scalars())
