"""Quotes: posts that show another post, with the consent of who wrote that. Who may, what was answered, what who sees.

The state of a quote stands with the post that quotes; its papers (`Paper`) say what was asked and under which address
the leave stands. Whether somebody may read what is quoted is decided by visibility alone, for each viewer anew: leave
to quote opens nothing. Never asks another server: what is claimed from elsewhere is checked by
`fedcorp.activitypub.consent`.

Source: FEP-044f; the words of the states are those of Mastodon's API.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from fedcorp.errors import Forbidden, NotFound, Unprocessable
from fedcorp.social import accounts, policy, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import QuoteChanged, QuotePolicyChanged, QuoteRevoked
from fedcorp.social.pages import Listing, Page
from fedcorp.social.statuses import Status
from fedcorp.social.visibility import visible
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import blocks, follows, mentions, mutes, tombstones
from fedcorp.storage.tables import quotes as table
from fedcorp.storage.tables import statuses as statuses_table
from fedcorp.storage.upsert import insert_ignore

PENDING, ACCEPTED, REJECTED, REVOKED, UNAUTHORIZED = "pending", "accepted", "rejected", "revoked", "unauthorized"
UNASKED = "unasked"
STATES = (PENDING, ACCEPTED, REJECTED, REVOKED, UNAUTHORIZED, UNASKED)
"""`unauthorized` is a quote from elsewhere whose leave could not be found, `unasked` one of older make, whose author
asks nobody: until there is leave all the same it is a post with a link in it, and apps are told of no quote, since
they would hide that link."""
SHOWN = frozenset({ACCEPTED, "blocked_account", "blocked_domain", "muted_account"})
"""States, as a viewer is told, with which the quoted post is shown or handed over for who wants to see it anyway."""
STAMP = "QuoteAuthorization"
MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Paper:
    """One row of `quotes`: the addresses of the request and of the leave, as far as there are any."""

    status_id: int
    quoted_uri: str
    request_uri: str | None
    stamp_uri: str | None


_VIEWER: Any = sa.bindparam("viewer", type_=sa.BigInteger)
_OTHER: Any = sa.bindparam("other", type_=sa.BigInteger)
_PAPERS = sa.select(*(table.c[item.name] for item in fields(Paper)))
_OF = _PAPERS.where(table.c.status_id == sa.bindparam("status"))
_BY_STAMP = _PAPERS.where(table.c.stamp_uri == sa.bindparam("uri"))
_BY_REQUEST = _PAPERS.where(table.c.request_uri == sa.bindparam("uri"))
_ENDED_AT = sa.select(tombstones.c.deleted_at).where(tombstones.c.uri == sa.bindparam("uri"))
_FOLLOWS = sa.select(follows.c.id).where(
    follows.c.follower_id == _VIEWER, follows.c.target_id == _OTHER, follows.c.state == "accepted"
)
_QUOTES = Listing(
    sa.select(statuses_table.c.id).where(
        statuses_table.c.quoted_id == sa.bindparam("quoted", type_=sa.BigInteger),
        statuses_table.c.quote_state == ACCEPTED,
        visible(statuses_table, _VIEWER),
    ),
    statuses_table.c.id,
)


def find(tx: Tx, status_id: int) -> Paper | None:
    """The papers of a post that quotes another."""
    row = tx.conn.execute(_OF, {"status": status_id}).first()
    return Paper(*row) if row else None


def find_by_request(tx: Tx, uri: str) -> Paper | None:
    """The papers of the quote that was asked for under this address."""
    row = tx.conn.execute(_BY_REQUEST, {"uri": uri}).first()
    return Paper(*row) if row else None


def of_stamp(tx: Tx, uri: str) -> list[Paper]:
    """The papers that name this leave; that of others is a claim unless the quote is accepted."""
    return [Paper(*row) for row in tx.conn.execute(_BY_STAMP, {"uri": uri})]


def ended_at(tx: Tx, stamp_uri: str) -> int | None:
    """When a leave was taken back (ms)."""
    at: int | None = tx.conn.execute(_ENDED_AT, {"uri": stamp_uri}).scalar()
    return at


def listing(tx: Tx, viewer_id: int | None, status_id: int, page: Page) -> list[int]:
    """Ids of the posts that quote this one with its author's leave, latest first, as far as the viewer may see them."""
    found: list[int] = _QUOTES.rows(tx, page, itemgetter(0), viewer=viewer_id, quoted=status_id)
    return found


# -- who may ---------------------------------------------------------------------------------------------------------


def standing(tx: Tx, quoted: Status, account_id: int) -> str:
    """`automatic`, `manual`, `denied` or `unknown`: how an account that may read a post stands to quoting it."""
    rules = policy.quote_policy(quoted.quote_policy)
    asks = any("follow" in word for word in rules.automatic + rules.manual)
    return policy.may_quote(
        rules,
        visibility=quoted.visibility,
        own=account_id == quoted.account_id,
        follows=asks and _is_following(tx, account_id, quoted.account_id),
        followed=asks and _is_following(tx, quoted.account_id, account_id),
    )


def _is_following(tx: Tx, one: int, other: int) -> bool:
    return tx.conn.execute(_FOLLOWS, {"viewer": one, "other": other}).first() is not None


def get_quotable(tx: Tx, account: Account, id_: int) -> Status:
    """The post that somebody wants to quote. Raises NotFound when they may not read it, Unprocessable when its author
    does not want it quoted."""
    try:
        quoted = statuses.get_original(tx, account.id, id_)
    except NotFound:
        raise NotFound("The post you are trying to quote does not appear to exist.") from None
    if standing(tx, quoted, account.id) not in ("automatic", "manual"):
        raise Unprocessable("The author of this post does not want it to be quoted.")
    return quoted


def check_policy(chosen: str) -> None:
    """Raises Unprocessable for a word that is none of policy.QUOTERS."""
    if chosen not in policy.QUOTERS:
        raise Unprocessable(f"Validation failed: quote_approval_policy is one of {', '.join(policy.QUOTERS)}")


def set_policy(tx: Tx, status: Status, chosen: str) -> None:
    """Another choice (of policy.QUOTERS) for a post here; quotes that were accepted stay. Raises Unprocessable."""
    check_policy(chosen)
    kept = policy.own_quote_policy(chosen, status.visibility)
    if status.reblog_of_id is not None:
        raise Unprocessable("A boost has no policy of its own.")
    if kept != status.quote_policy:
        tx.conn.execute(sa.update(statuses_table).where(statuses_table.c.id == status.id).values(quote_policy=kept))
        tx.record(QuotePolicyChanged(status.id))


# -- what becomes of it ----------------------------------------------------------------------------------------------


def begin(
    tx: Tx, status: Status, quoted_uri: str, *, request_uri: str | None = None, stamp_uri: str | None = None
) -> None:
    """Write the papers of a new quote, whose state stands in its row, and count it."""
    insert_ignore(
        tx, table, status_id=status.id, quoted_uri=quoted_uri, request_uri=request_uri, stamp_uri=stamp_uri,
        created_at=tx.ms,
    )  # fmt: skip
    if status.quoted_id is not None and statuses.is_counted_quote(tx, status):
        statuses.change_count(tx, status.quoted_id, "quotes_count", 1)


def receive(tx: Tx, status: Status, quoted_uri: str, stamp_uri: str | None, depth: int = 0) -> None:
    """The papers of a quote from elsewhere, in whatever state, and a check of what it claims (`check_quote`).

    Of our own posts we know ourselves who may quote them: nothing is claimed of those. `depth`: how many quotes led
    here; who quotes quotes without end is not followed.
    """
    if tx.site.urls.owns(quoted_uri):
        begin(tx, status, quoted_uri)
        return
    begin(tx, status, quoted_uri, stamp_uri=stamp_uri)
    author = accounts.get(tx, status.account_id)
    may_be_own = quoted_uri.startswith(author.origin + "/")
    if status.quote_state != ACCEPTED and depth < MAX_DEPTH and (stamp_uri is not None or may_be_own):
        want_check(tx, status.id, stamp_uri, depth)


def want_check(tx: Tx, status_id: int, stamp_uri: str | None, depth: int = 0) -> None:
    """Have the claim looked into, that this is the leave for a quote."""
    payload = {"status": status_id, "stamp": stamp_uri, "depth": depth}
    jobs.put(tx, "check_quote", payload, unique_key=f"check_quote:{status_id}:{stamp_uri}")


def renew(tx: Tx, status: Status, quoted_uri: str, stamp_uri: str | None) -> None:
    """What the author elsewhere says of a quote now. What is quoted never changes; a stamp that is not named any more
    is looked at again, since only who gave it can take it back."""
    paper = find(tx, status.id)
    if paper is None or paper.quoted_uri != quoted_uri or tx.site.urls.owns(quoted_uri):
        return
    if status.quote_state != ACCEPTED and stamp_uri is not None:
        tx.conn.execute(sa.update(table).where(table.c.status_id == status.id).values(stamp_uri=stamp_uri))
        want_check(tx, status.id, stamp_uri)
    elif status.quote_state == ACCEPTED and paper.stamp_uri is not None and stamp_uri != paper.stamp_uri:
        want_check(tx, status.id, stamp_uri or paper.stamp_uri)


_WAITING = (
    sa.select(table.c.status_id, statuses_table.c.account_id, table.c.stamp_uri)
    .join(statuses_table, statuses_table.c.id == table.c.status_id)
    .where(table.c.quoted_uri == sa.bindparam("uri"), statuses_table.c.quoted_id.is_(None))
)


def adopt(tx: Tx, quoted: Status) -> None:
    """Quotes that came before what they quote: tie them to it, and have what they claim looked into."""
    for status_id, account_id, stamp_uri in tx.conn.execute(_WAITING, {"uri": quoted.uri}).all():
        tx.conn.execute(sa.update(statuses_table).where(statuses_table.c.id == status_id).values(quoted_id=quoted.id))
        if account_id == quoted.account_id:
            accept(tx, status_id, None)
        elif stamp_uri is not None:
            want_check(tx, status_id, stamp_uri)


def grant(tx: Tx, quoted: Status, status: Status, request_uri: str) -> str | None:
    """Give somebody elsewhere the leave to quote a post here; the address of it. None when it was taken back before.

    Who is quoted in a post for followers can read that from now on.
    """
    paper = find(tx, status.id)
    if paper is None or status.quote_state == REVOKED:
        return None
    if status.quoted_id is None:
        tx.conn.execute(sa.update(statuses_table).where(statuses_table.c.id == status.id).values(quoted_id=quoted.id))
    known = status.quote_state == ACCEPTED and paper.stamp_uri is not None
    stamp_uri = paper.stamp_uri if known else tx.site.urls.stamp(tx.new_id())
    tx.conn.execute(sa.update(table).where(table.c.status_id == status.id).values(request_uri=request_uri))
    if status.visibility == "private":
        insert_ignore(tx, mentions, status_id=status.id, account_id=quoted.account_id, silent=True)
    accept(tx, status.id, stamp_uri)
    return stamp_uri


def accept(tx: Tx, status_id: int, stamp_uri: str | None) -> bool:
    """The author of what is quoted agrees (`stamp_uri`: where that stands). Says whether this changed anything.

    A leave that was taken back already, though we hear of it only now, is taken back.
    """
    if stamp_uri is not None:
        if ended_at(tx, stamp_uri) is not None:
            return _move(tx, status_id, REVOKED)
        tx.conn.execute(sa.update(table).where(table.c.status_id == status_id).values(stamp_uri=stamp_uri))
    return _move(tx, status_id, ACCEPTED)


def reject(tx: Tx, status_id: int) -> bool:
    """The author of what is quoted does not agree, or no longer. Says whether this changed anything."""
    status = statuses.find(tx, status_id)
    was_accepted = status is not None and status.quote_state in (ACCEPTED, REVOKED)
    return _move(tx, status_id, REVOKED if was_accepted else REJECTED)


def distrust(tx: Tx, status_id: int) -> bool:
    """No leave could be found for a quote from elsewhere."""
    return _move(tx, status_id, UNAUTHORIZED)


def forget_stamp(tx: Tx, uri: str, owner_uri: str) -> list[Status]:
    """A leave is taken back by its author: remembered, also when what it was for never came. The quotes it ended.

    The caller has made sure that leave and owner share an origin; of a leave that is known to be somebody else's there,
    nothing is remembered.
    """
    found = [status for paper in of_stamp(tx, uri) if (status := statuses.find(tx, paper.status_id)) is not None]
    own = [status for status in found if _quoted_author_uri(tx, status) == owner_uri]
    if any(status.quote_state == ACCEPTED for status in found if status not in own):
        return []
    insert_ignore(tx, tombstones, uri=uri, owner_uri=owner_uri, former_type=STAMP, deleted_at=tx.ms)
    return [status for status in own if _move(tx, status.id, REVOKED)]


def _quoted_author_uri(tx: Tx, status: Status) -> str | None:
    quoted = statuses.find(tx, status.quoted_id) if status.quoted_id is not None else None
    author = accounts.find(tx, quoted.account_id) if quoted is not None else None
    return author.uri if author is not None else None


def revoke(tx: Tx, account: Account, quoted_id: int, quoting_id: int) -> Status:
    """The author takes back the leave to quote a post. Returns the post that quoted it. Raises NotFound for a quote
    that is none, Forbidden for the post of somebody else."""
    quoted = statuses.get_original(tx, account.id, quoted_id)
    if quoted.account_id != account.id:
        raise Forbidden("This action is not allowed")
    status = statuses.get_original(tx, account.id, quoting_id)
    if status.quoted_id != quoted.id or status.quote_state not in (ACCEPTED, REVOKED):
        raise NotFound
    paper = find(tx, status.id)
    if _move(tx, status.id, REVOKED) and paper is not None and paper.stamp_uri is not None:
        insert_ignore(tx, tombstones, uri=paper.stamp_uri, owner_uri=account.uri, former_type=STAMP, deleted_at=tx.ms)
        tx.record(QuoteRevoked(account.id, status.id, paper.stamp_uri))
    return statuses.get(tx, status.id)


def _move(tx: Tx, status_id: int, state: str) -> bool:
    """Bring a quote into a state and keep the count; says whether it was in another. A deleted one stays."""
    status = statuses.find(tx, status_id)
    if status is None or status.deleted_at is not None or status.quote_state in (None, state):
        return False
    tx.conn.execute(sa.update(statuses_table).where(statuses_table.c.id == status_id).values(quote_state=state))
    change = statuses.is_counted_quote(tx, replace(status, quote_state=state)) - statuses.is_counted_quote(tx, status)
    if change and status.quoted_id is not None:
        statuses.change_count(tx, status.quoted_id, "quotes_count", change)
    tx.record(QuoteChanged(status_id, state))
    return True


# -- what a viewer is told -------------------------------------------------------------------------------------------

_MUTED_AMONG = sa.select(statuses_table.c.id).where(
    statuses_table.c.id.in_(sa.bindparam("ids", expanding=True)),
    sa.exists().where(
        mutes.c.account_id == _VIEWER,
        mutes.c.target_id == statuses_table.c.account_id,
        sa.or_(mutes.c.expires_at.is_(None), mutes.c.expires_at > sa.bindparam("now", type_=sa.BigInteger)),
    ),
)
_BLOCKS = sa.select(blocks.c.id).where(blocks.c.account_id == _VIEWER, blocks.c.target_id == _OTHER)


def seen(tx: Tx, viewer_id: int | None, quoted: Iterable[int]) -> dict[int, str]:
    """How each of these posts, quoted with leave, stands before a viewer: `accepted` where they may read it, else
    `deleted`, `unauthorized`, or whom of the authors they keep away themselves (the other words of SHOWN)."""
    wanted = list(quoted)
    allowed = statuses.visible_ids(tx, viewer_id, wanted)
    found = {id_: ACCEPTED if id_ in allowed else _why_not(tx, viewer_id, id_) for id_ in wanted}
    if viewer_id is not None and allowed:
        values = {"viewer": viewer_id, "ids": list(allowed), "now": tx.ms}
        found |= dict.fromkeys(tx.conn.execute(_MUTED_AMONG, values).scalars(), "muted_account")
    return found


def _why_not(tx: Tx, viewer_id: int | None, id_: int) -> str:
    status = statuses.find(tx, id_)
    if status is None or status.deleted_at is not None:
        return UNAUTHORIZED if status is None else "deleted"
    facts = statuses.facts(tx, status, viewer_id)
    own = {"viewer": viewer_id, "other": status.account_id}
    theirs = {"viewer": status.account_id, "other": viewer_id}
    if not facts.blocked or tx.conn.execute(_BLOCKS, theirs).first() is not None:
        return UNAUTHORIZED
    if not policy.may_see(policy.Viewer(viewer_id), replace(facts, blocked=False)):
        return UNAUTHORIZED
    return "blocked_account" if tx.conn.execute(_BLOCKS, own).first() is not None else "blocked_domain"
