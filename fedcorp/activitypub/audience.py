"""Who gets an activity: the peers and their inboxes, by reach, tier and relation. Never widens what an author chose."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcorp.activitypub import discovery
from fedcorp.activitypub.documents import domain_of
from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.social import accounts, blocks, group_posts, leaves, policy, statuses
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import favourites, follows, status_reactions
from fedcorp.storage.tables import statuses as statuses_table


@dataclass(frozen=True, slots=True)
class Destination:
    """One inbox of one peer."""

    domain: str
    inbox_uri: str


def _inboxes(inbox: Any) -> "sa.Select[Any]":
    """(origin, inbox) of accounts elsewhere: few rows, however many people share an inbox."""
    elsewhere = sa.and_(~accounts_table.c.local, accounts_table.c.deleted_at.is_(None))
    return sa.select(accounts_table.c.origin, inbox).distinct().where(elsewhere)


_SHARED = sa.func.coalesce(sa.func.nullif(accounts_table.c.shared_inbox_uri, ""), accounts_table.c.inbox_uri)
_FOLLOWERS = (
    _inboxes(_SHARED)
    .join(follows, follows.c.follower_id == accounts_table.c.id)
    .where(follows.c.target_id == sa.bindparam("account"), follows.c.state == "accepted")
)
_AMONG = accounts_table.c.id.in_(sa.bindparam("ids", expanding=True))
_PEOPLE, _PEOPLE_ALONE = _inboxes(_SHARED).where(_AMONG), _inboxes(accounts_table.c.inbox_uri).where(_AMONG)


def followers(tx: Tx, account_id: int, reach: str) -> set[Destination]:
    """The peers where this account has followers, as far as the reach goes."""
    return _within(tx, tx.conn.execute(_FOLLOWERS, {"account": account_id}), reach)


def people(tx: Tx, ids: Iterable[int], reach: str, *, shared: bool = True) -> set[Destination]:
    """The inboxes of these accounts; with `shared=False` personal ones, as for a direct message."""
    wanted = list(ids)
    return (
        _within(tx, tx.conn.execute(_PEOPLE if shared else _PEOPLE_ALONE, {"ids": wanted}), reach) if wanted else set()
    )


def _within(tx: Tx, rows: Any, reach: str) -> set[Destination]:
    found = [Destination(origin.split("://", 1)[1], inbox) for origin, inbox in rows]
    tiers = peers.find_tiers(tx, {item.domain for item in found})
    return {item for item in found if (tier := tiers[item.domain]) is not None and policy.reaches(reach, tier)}


def of_status(tx: Tx, status: Status, *, touched: bool = False) -> set[Destination]:
    """Everybody who gets a status; with `touched` also those who reacted to it and may hold a copy.

    Who blocks the author is not told of new ones by being named; of the end of those that they may have, they are.
    """
    if status.visibility == policy.WAITING:
        return asked(tx, status)
    named = set(statuses.mentioned_ids(tx, status.id))
    if not touched:
        named -= blocks.blockers(tx, status.account_id, named)
    if status.visibility == "direct":
        return people(tx, named, status.reach, shared=False)
    if status.visibility == policy.GROUP:
        ids = [item.group_id for item in group_posts.of_statuses(tx, [status.id]).get(status.id, [])]
        return people(tx, ids, status.reach)  # the groups pass it on to their members
    if status.in_reply_to_account_id is not None:
        named.add(status.in_reply_to_account_id)
    if status.group_id is not None:
        named.add(status.group_id)
    if status.quoted_id is not None and (quoted_author := statuses.author_id(tx, status.quoted_id)) is not None:
        named.add(quoted_author)
    found = followers(tx, status.account_id, status.reach) | people(tx, named, status.reach)
    return found | _touched(tx, status) if touched else found


def of_words(tx: Tx, status: Status, *, touched: bool = False) -> set[Destination]:
    """Who gets what a status says, which are those of `of_status`, who hear of its end, too. What is for a few does not
    go to servers that show it to everybody."""
    destinations = of_status(tx, status, touched=touched)
    if status.visibility not in ("direct", "private"):
        return destinations
    return destinations - _running(tx, destinations, discovery.INDISCREET)


def of_boost(tx: Tx, wrapper: Status, original: Status) -> set[Destination]:
    """Everybody who gets a boost: followers of who boosts, and the author of what is boosted."""
    if wrapper.visibility == policy.WAITING:
        return asked(tx, wrapper)
    return followers(tx, wrapper.account_id, wrapper.reach) | people(tx, [original.account_id], wrapper.reach)


def asked(tx: Tx, status: Status) -> set[Destination]:
    """Who alone gets an answer or a boost that waits for leave: whose leave it is; nobody once that was refused."""
    known, asked_id = leaves.find(tx, status.id), statuses.asked_id(tx, status)
    if known is None or known.state != leaves.PENDING or asked_id is None:
        return set()
    return people(tx, [asked_id], status.reach, shared=False)


def _touched(tx: Tx, status: Status) -> set[Destination]:
    """The peers of everybody who reacted to a status, boosted, answered or quoted it."""
    return _within(tx, tx.conn.execute(_REACTED, {"status": status.id}), status.reach)


_STATUS: Any = sa.bindparam("status", type_=sa.BigInteger)
_REACTED = _inboxes(_SHARED).where(
    accounts_table.c.id.in_(
        sa.union(
            sa.select(favourites.c.account_id).where(favourites.c.status_id == _STATUS),
            sa.select(status_reactions.c.account_id).where(status_reactions.c.status_id == _STATUS),
            *(
                sa.select(statuses_table.c.account_id).where(column == _STATUS)
                for column in (
                    statuses_table.c.reblog_of_id,
                    statuses_table.c.in_reply_to_id,
                    statuses_table.c.quoted_id,
                )
            ),
        )
    )
)


def of_account(tx: Tx, account_id: int) -> set[Destination]:
    """Everybody who may know an account: followers, and those it follows. Profiles go as far as the company."""
    following = sa.select(follows.c.target_id).where(follows.c.follower_id == account_id)
    ids = list(tx.conn.execute(following).scalars())
    return followers(tx, account_id, "public") | people(tx, ids, "public")


_ALL_SHARED = (
    sa.select(accounts_table.c.origin, accounts_table.c.shared_inbox_uri)
    .distinct()
    .where(~accounts_table.c.local, accounts_table.c.shared_inbox_uri.is_not(None))
)


def departments(tx: Tx) -> set[Destination]:
    """Every department of which an account is known here: what all may have found, all must hear the end of."""
    found = _within(tx, tx.conn.execute(_ALL_SHARED), "company")
    tiers = peers.find_tiers(tx, {item.domain for item in found})
    return {item for item in found if tiers[item.domain] == "department"}


def dialects(tx: Tx, destinations: set[Destination]) -> dict[Destination, str]:
    """How a group speaks to each peer: `fedcorp`, `wrap`, `boost` or `both` (not known yet)."""
    found = peers.find_many(tx, {item.domain for item in destinations})
    return {item: _dialect(found.get(item.domain)) for item in destinations}


def _dialect(peer: Peer | None) -> str:
    if peer is not None and peer.dialect:
        return peer.dialect
    return "fedcorp" if peer is not None and peer.tier == "department" else "both"


def may_hold(tx: Tx, domain: str) -> bool:
    """Whether this peer keeps what only members of a group may read: it runs what we run, as far as is known."""
    return _dialect(peers.find(tx, domain)) == "fedcorp"


def holding(tx: Tx, destinations: set[Destination]) -> set[Destination]:
    """Those of the destinations that `may_hold` is true of; they keep copies of ledgers, too."""
    return {item for item, dialect in dialects(tx, destinations).items() if dialect == "fedcorp"}


def voting(tx: Tx, destinations: set[Destination]) -> set[Destination]:
    """Those of the destinations that know votes, and no reactions."""
    return _running(tx, destinations, discovery.VOTING)


def _running(tx: Tx, destinations: set[Destination], software: frozenset[str]) -> set[Destination]:
    found = peers.find_many(tx, {item.domain for item in destinations})
    return {item for item in destinations if item.domain in found and found[item.domain].software in software}


def without_echo(tx: Tx, destinations: set[Destination], actor_uri: str) -> set[Destination]:
    """Those of the destinations that take an activity of this actor inside an Announce of ours."""
    return {
        item for item in destinations if domain_of(actor_uri) != item.domain or discovery.hears_itself(tx, item.domain)
    }


def author_of(tx: Tx, status: Status) -> accounts.Account:
    """The account that wrote a status."""
    account = accounts.find(tx, status.account_id)
    assert account is not None
    return account
