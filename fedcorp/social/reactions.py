"""Emoji with which people react to statuses: give, take back, count, and say who gave which.

Several of one person may stand below a status, beside a favourite. Who reacted counts among those who favourited, as
everywhere where reactions are not known; only thumbs down does not count there (`interactions` keeps that number). A
custom emoji belongs to a server: `domain` names it, and is empty for our own and for emoji that are text.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.social import custom_emojis, interactions, leaves, policy
from fedcorp.social.accounts import Account
from fedcorp.social.custom_emojis import HERE, CustomEmoji
from fedcorp.social.emoji import is_emoji, spell
from fedcorp.social.events import StatusReacted, StatusUnreacted
from fedcorp.social.interactions import AGAINST
from fedcorp.social.pages import Listing, Page
from fedcorp.social.statuses import Status
from fedcorp.social.visibility import blocked, domain_blocked
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, favourites
from fedcorp.storage.tables import status_reactions as table
from fedcorp.storage.tables import statuses as statuses_table
from fedcorp.storage.upsert import insert_ignore

MAX_OF_ONE = 8  # of one person below one status
MAX_KINDS = 50  # different ones below one status

_CODE = re.compile(r":?([A-Za-z0-9_]{2,60})(?:@([^@\s]{1,255}?))?:?")


class Kind(NamedTuple):
    """Which emoji: itself, or the code of a custom one and whose that is."""

    name: str
    domain: str = HERE

    @property
    def is_custom(self) -> bool:
        return custom_emojis.is_code(self.name)

    @property
    def shown(self) -> str:
        """As clients name it: `blobcat` is ours, `blobcat@example.com` another server's."""
        return f"{self.name}@{self.domain}" if self.domain else self.name

    @property
    def counts(self) -> bool:
        """Whether it counts as a favourite."""
        return not self.name.startswith(AGAINST)


AGAINST_IT = Kind(AGAINST)


class Tally(NamedTuple):
    """How many reacted to a status in one way, and whether the viewer did."""

    kind: Kind
    people: int
    me: bool


class Given(NamedTuple):
    """One reaction of one account; `id` is what pages are cut by."""

    id: int
    account_id: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Kept:
    """A reaction as it is stored."""

    id: int
    status_id: int
    kind: Kind
    uri: str


# -- which emoji -----------------------------------------------------------------------------------------------------


def read(text: str, domain: str) -> Kind | None:
    """The emoji that somebody at `domain` reacted with, `:code:` for one of that server; None for what is neither."""
    text = text.strip()
    if is_emoji(text):
        return Kind(spell(text))
    match = _CODE.fullmatch(text) if text.startswith(":") and text.endswith(":") else None
    return Kind(match[1], domain) if match else None


def named(text: str) -> Kind | None:
    """The emoji that a client names: itself, `code` or `code@domain`, with or without colons. None: it names none."""
    if is_emoji(text):
        return Kind(spell(text))
    match = _CODE.fullmatch(text)
    return Kind(match[1], (match[2] or HERE).lower()) if match else None


def pictures(tx: Tx, kinds: Collection[Kind]) -> dict[Kind, CustomEmoji]:
    """The custom ones among these emoji whose pictures are here."""
    custom = [kind for kind in kinds if kind.is_custom]
    found = custom_emojis.in_texts(tx, [(kind.domain, f":{kind.name}:") for kind in custom])
    return {Kind(item.shortcode, item.domain): item for items in found.values() for item in items}


# -- to give and to take back ----------------------------------------------------------------------------------------

_OF_STATUS = sa.bindparam("status", type_=sa.BigInteger)
_MINE = sa.and_(table.c.account_id == sa.bindparam("account"), table.c.status_id == _OF_STATUS)
_KEPT: Any = sa.select(table.c.id, table.c.status_id, table.c.name, table.c.domain, table.c.uri)
_ONE = _KEPT.where(_MINE, table.c.name == sa.bindparam("name"), table.c.domain == sa.bindparam("domain"))
_OF_ONE = _KEPT.where(_MINE).order_by(table.c.id)
_BY_URI = _KEPT.where(table.c.account_id == sa.bindparam("account"), table.c.uri == sa.bindparam("uri"))
_KINDS = sa.select(table.c.name, table.c.domain).where(table.c.status_id == _OF_STATUS).distinct()


_CHANGED = (
    sa.update(statuses_table)
    .where(statuses_table.c.id == sa.bindparam("of"))
    .values(
        reactions_count=statuses_table.c.reactions_count + sa.bindparam("by"),
        reactions_version=statuses_table.c.reactions_version + 1,
    )
)


def _kept(row: Any) -> _Kept:
    return _Kept(row.id, row.status_id, Kind(row.name, row.domain), row.uri)


def _find(tx: Tx, account_id: int, status_id: int, kind: Kind) -> _Kept | None:
    values = {"account": account_id, "status": status_id, "name": kind.name, "domain": kind.domain}
    row = tx.conn.execute(_ONE, values).first()
    return _kept(row) if row else None


def find_by_uri(tx: Tx, account_id: int, uri: str) -> tuple[int, Kind] | None:
    """(id of the status, emoji) of the reaction that this account told under `uri`."""
    row = tx.conn.execute(_BY_URI, {"account": account_id, "uri": uri}).first()
    return (row.status_id, Kind(row.name, row.domain)) if row else None


class Told(NamedTuple):
    """Whose reaction it is, to what, and how."""

    account_id: int
    status_id: int
    kind: Kind


def find_told(tx: Tx, uri: str) -> Told | None:
    """The reaction that was told under `uri`, of whoever it is."""
    row = tx.conn.execute(_TOLD, {"uri": uri}).first()
    return Told(row.account_id, row.status_id, Kind(row.name, row.domain)) if row else None


_TOLD = sa.select(table.c.account_id, table.c.status_id, table.c.name, table.c.domain).where(
    table.c.uri == sa.bindparam("uri")
)


def choose(tx: Tx, status: Status, text: str) -> Kind:
    """The emoji that one of our people reacts with: any that is text, any of ours, and of other servers those that
    stand below the status already. Raises Unprocessable."""
    kind = named(text)
    known = kind is not None and (
        not kind.is_custom or (kind in pictures(tx, [kind]) and (kind.domain == HERE or kind in _kinds(tx, status.id)))
    )
    if kind is None or not known:
        raise Unprocessable("Validation failed: Name is not a recognized emoji")
    return kind


def _kinds(tx: Tx, status_id: int) -> set[Kind]:
    return {Kind(*row) for row in tx.conn.execute(_KINDS, {"status": status_id})}


def react(
    tx: Tx, account: Account, status: Status, kind: Kind, *, uri: str | None = None, vote: bool = False
) -> None:  # fmt: skip
    """React to a status that the caller has found visible; twice is once. `uri` is that of an activity from elsewhere,
    which takes the place of an earlier one for the same emoji; `vote` says that a later Like takes its place. Raises
    Unprocessable when there are too many, and when the author does not want any of somebody here."""
    if uri is not None and interactions.is_undone(tx, uri):
        return
    known = _find(tx, account.id, status.id, kind)
    if known is not None:
        if uri is not None and uri != known.uri:
            tx.conn.execute(sa.update(table).where(table.c.id == known.id).values(uri=uri))
        return
    if account.local:
        leaves.must_wait(tx, status, account, policy.LIKE)
    _check_room(tx, account.id, status.id, kind)
    own_uri = uri or tx.site.urls.activity(tx.new_id())
    values = {"account_id": account.id, "status_id": status.id, "name": kind.name, "domain": kind.domain, "vote": vote}
    if insert_ignore(tx, table, id=tx.new_id(), uri=own_uri, created_at=tx.ms, **values):
        tx.conn.execute(_CHANGED, {"of": status.id, "by": 1})
        if kind.counts:
            interactions.imply(tx, account.id, status.id)
        tx.record(StatusReacted(account.id, status.id, own_uri, kind.name, kind.domain))


def _check_room(tx: Tx, account_id: int, status_id: int, kind: Kind) -> None:
    mine = tx.conn.execute(_OF_ONE, {"account": account_id, "status": status_id}).all()
    kinds = _kinds(tx, status_id)
    if len(mine) >= MAX_OF_ONE or (kind not in kinds and len(kinds) >= MAX_KINDS):
        raise Unprocessable("Validation failed: Limit of different reactions reached")


def take_back(tx: Tx, account: Account, status_id: int, kind: Kind) -> bool:
    """Take a reaction back; False when there is none."""
    known = _find(tx, account.id, status_id, kind)
    if known is None:
        return False
    tx.conn.execute(sa.delete(table).where(table.c.id == known.id))
    tx.conn.execute(_CHANGED, {"of": status_id, "by": -1})
    rest = tx.conn.execute(_OF_ONE, {"account": account.id, "status": status_id})
    if not any(_kept(row).kind.counts for row in rest):
        interactions.imply_no_more(tx, account.id, status_id)
    tx.record(StatusUnreacted(account.id, status_id, known.uri, kind.name, kind.domain))
    return True


def take_back_vote(tx: Tx, account: Account, status_id: int) -> None:
    """Somebody votes for a status: their vote against it, if there is one, is taken back."""
    against = tx.conn.execute(_VOTE, {"account": account.id, "status": status_id}).first()
    if against is not None:
        take_back(tx, account, status_id, AGAINST_IT)


_VOTE = sa.select(table.c.id).where(_MINE, table.c.vote)


def forget_status(tx: Tx, status_id: int) -> None:
    """A status is gone, and what stood below it."""
    if tx.conn.execute(sa.delete(table).where(table.c.status_id == status_id)).rowcount:
        tx.conn.execute(sa.update(statuses_table).where(statuses_table.c.id == status_id).values(reactions_count=0))


def forget_account(tx: Tx, account_id: int) -> None:
    """An account is gone, and with it what it gave, however much that was."""
    for statement in _FORGETTING:
        tx.conn.execute(statement, {"gone": account_id})


_GONE = sa.bindparam("gone", type_=sa.BigInteger)
_GAVE = sa.select(table.c.status_id).where(table.c.account_id == _GONE)
_GIVEN = sa.select(sa.func.count()).where(table.c.account_id == _GONE, table.c.status_id == statuses_table.c.id)
_IMPLIED = sa.and_(favourites.c.account_id == _GONE, favourites.c.implied)
_FORGETTING = (
    sa.update(statuses_table)
    .where(statuses_table.c.id.in_(_GAVE))
    .values(
        reactions_count=statuses_table.c.reactions_count - _GIVEN.scalar_subquery(),
        reactions_version=statuses_table.c.reactions_version + 1,
    ),
    sa.update(statuses_table)
    .where(statuses_table.c.id.in_(sa.select(favourites.c.status_id).where(_IMPLIED)))
    .values(favourites_count=statuses_table.c.favourites_count - 1),
    sa.delete(favourites).where(_IMPLIED),
    sa.delete(table).where(table.c.account_id == _GONE),
)


# -- to show ---------------------------------------------------------------------------------------------------------

_VIEWER = sa.bindparam("viewer", type_=sa.BigInteger)
_TALLIES = (
    sa.select(
        table.c.status_id,
        table.c.name,
        table.c.domain,
        sa.func.count(),
        sa.func.max(sa.case((table.c.account_id == _VIEWER, 1), else_=0)),
    )
    .where(table.c.status_id.in_(sa.bindparam("ids", expanding=True)))
    .group_by(table.c.status_id, table.c.name, table.c.domain)
    .order_by(table.c.status_id, sa.func.min(table.c.id))
)


def of_statuses(tx: Tx, ids: Sequence[int], viewer_id: int | None) -> dict[int, list[Tally]]:
    """What stands below these statuses, the first emoji first; those without any are left out."""
    found: dict[int, list[Tally]] = {}
    for id_, name, domain, count, me in tx.conn.execute(_TALLIES, {"ids": ids, "viewer": viewer_id}) if ids else ():
        found.setdefault(id_, []).append(Tally(Kind(name, domain), count, bool(me)))
    return found


_REACTED = sa.select(table.c.status_id).where(
    table.c.account_id == _VIEWER, table.c.status_id.in_(sa.bindparam("ids", expanding=True))
)


def reacted(tx: Tx, ids: Sequence[int], viewer_id: int) -> set[int]:
    """To which of these statuses the viewer reacted."""
    return set(tx.conn.execute(_REACTED, {"ids": ids, "viewer": viewer_id}).scalars()) if ids else set()


_SHOWN = (
    sa.select(table.c.id, table.c.account_id, table.c.name, table.c.domain)
    .join(accounts, accounts.c.id == table.c.account_id)
    .where(
        table.c.status_id == _OF_STATUS,
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
        ~blocked(accounts.c.id, _VIEWER),
        ~domain_blocked(accounts.c.id, _VIEWER),
    )
)
_ALL = Listing(_SHOWN, table.c.id)
_ALL_OF_KIND = Listing(
    _SHOWN.where(table.c.name == sa.bindparam("name"), table.c.domain == sa.bindparam("domain")), table.c.id
)


def listing(tx: Tx, viewer_id: int | None, status_id: int, page: Page, kind: Kind | None = None) -> list[Given]:
    """Who reacted how to a status that the caller has found visible, latest first; with `kind` only those who did so
    with this emoji."""
    rows = _ALL if kind is None else _ALL_OF_KIND
    values = {} if kind is None else {"name": kind.name, "domain": kind.domain}
    return rows.rows(tx, page, _given, viewer=viewer_id, status=status_id, **values)


def _given(row: Any) -> Given:
    id_, account_id, name, domain = row
    return Given(id_, account_id, Kind(name, domain))


_LAST = (
    sa.select(table.c.status_id, table.c.account_id, table.c.name, table.c.domain)
    .where(table.c.status_id.in_(sa.bindparam("ids", expanding=True)))
    .where(table.c.account_id.in_(sa.bindparam("accounts", expanding=True)))
    .order_by(table.c.id)
)


def last_of(tx: Tx, pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], Kind]:
    """For each (account id, status id) the last emoji of that account below that status that counts as a favourite."""
    if not pairs:
        return {}
    values = {"accounts": sorted({pair[0] for pair in pairs}), "ids": sorted({pair[1] for pair in pairs})}
    rows = tx.conn.execute(_LAST, values)
    found = [((row.account_id, row.status_id), Kind(row.name, row.domain)) for row in rows]
    return {pair: kind for pair, kind in found if kind.counts}
