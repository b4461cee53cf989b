"""Polls: options, votes and tallies. Votes on local polls count here; a remote poll's own server tells its tally."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import indexing, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.events import PollChanged, PollVoted
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import poll_options, poll_votes, polls
from fedcorp.storage.upsert import insert_ignore

MIN_SECONDS, MAX_SECONDS = 300, 2_629_746
MAX_REMOTE_OPTIONS = 20


@dataclass(frozen=True, slots=True)
class PollDraft:
    """A poll as its author hands it in; `expires_in` in seconds."""

    options: tuple[str, ...]
    expires_in: int | None
    multiple: bool = False
    hide_totals: bool = False


@dataclass(frozen=True, slots=True)
class RemotePoll:
    """A poll of another server: options are (title, votes), which are 0 where its author hides them; times in ms."""

    options: tuple[tuple[str, int], ...]
    multiple: bool
    expires_at: int | None = None
    closed_at: int | None = None
    voters_count: int = 0
    hide_totals: bool = False


@dataclass(slots=True)
class Option:
    title: str
    votes_count: int


@dataclass(slots=True)
class Poll:
    """A poll with its tally and what the viewer chose."""

    id: int
    status_id: int
    multiple: bool
    hide_totals: bool
    expires_at: int | None
    closed_at: int | None
    voters_count: int
    options: list[Option]
    own_votes: list[int]

    def is_over(self, ms: int) -> bool:
        """Whether nobody can vote any more."""
        return self.closed_at is not None or (self.expires_at is not None and self.expires_at <= ms)

    def hides_totals(self, ms: int) -> bool:
        """Whether nobody is told yet how many votes each option has."""
        return self.hide_totals and not self.is_over(ms)


_IDS: Any = sa.bindparam("ids", expanding=True)
_BY_IDS = sa.select(
    polls.c.id, polls.c.status_id, polls.c.multiple, polls.c.hide_totals, polls.c.expires_at, polls.c.closed_at,
    polls.c.voters_count,
).where(polls.c.id.in_(_IDS))  # fmt: skip
_OPTIONS = sa.select(poll_options).where(poll_options.c.poll_id.in_(_IDS)).order_by(poll_options.c.position)
_VOTES = (
    sa.select(poll_votes.c.poll_id, poll_votes.c.position)
    .where(poll_votes.c.poll_id.in_(_IDS), poll_votes.c.account_id == sa.bindparam("viewer"))
    .order_by(poll_votes.c.position)
)


def create(tx: Tx, status_id: int, draft: PollDraft, *, created_at: int) -> int:
    """Make the poll of a local status; returns its id. Raises Unprocessable on a rule that is broken."""
    check(tx, draft)
    expires_at = created_at + draft.expires_in * 1000 if draft.expires_in is not None else None
    poll_id = tx.new_id()
    tx.conn.execute(
        sa.insert(polls).values(
            id=poll_id,
            status_id=status_id,
            multiple=draft.multiple,
            hide_totals=draft.hide_totals,
            expires_at=expires_at,
        )
    )
    _write_options(tx, poll_id, [(title.strip(), 0) for title in draft.options])
    return poll_id


def check(tx: Tx, draft: PollDraft) -> None:
    """Raises Unprocessable for a poll that breaks a rule."""
    limits = tx.site.config.limits
    titles = [title.strip() for title in draft.options]
    if not 2 <= len(titles) <= limits.poll_options:
        raise Unprocessable(f"Validation failed: a poll has between 2 and {limits.poll_options} options")
    if any(not title or len(title) > limits.poll_option_characters for title in titles):
        raise Unprocessable(f"Validation failed: an option has 1 to {limits.poll_option_characters} characters")
    if len(set(titles)) != len(titles):
        raise Unprocessable("Validation failed: every option of a poll must be different")
    if draft.expires_in is None or not MIN_SECONDS <= draft.expires_in <= MAX_SECONDS:
        raise Unprocessable(f"Validation failed: a poll is open for {MIN_SECONDS} to {MAX_SECONDS} seconds")


def _write_options(tx: Tx, poll_id: int, options: list[tuple[str, int]]) -> None:
    for position, (title, votes) in enumerate(options):
        tx.conn.execute(
            sa.insert(poll_options).values(poll_id=poll_id, position=position, title=title, votes_count=votes)
        )


def replace(tx: Tx, status: Status, draft: PollDraft) -> int:
    """The poll of an edited status: a changed one begins anew, an equal one keeps its votes. Returns its id."""
    known = load(tx, [status.poll_id], None)[status.poll_id] if status.poll_id is not None else None
    same = known is not None and [option.title for option in known.options] == [t.strip() for t in draft.options]
    if known is not None and same and known.multiple == draft.multiple:
        return known.id
    if known is not None:
        _delete(tx, known.id)
    return create(tx, status.id, draft, created_at=tx.ms)


def _delete(tx: Tx, poll_id: int) -> None:
    tx.conn.execute(sa.delete(poll_votes).where(poll_votes.c.poll_id == poll_id))
    tx.conn.execute(sa.delete(poll_options).where(poll_options.c.poll_id == poll_id))
    tx.conn.execute(sa.delete(polls).where(polls.c.id == poll_id))


def store_remote(tx: Tx, status_id: int, remote: RemotePoll) -> int:
    """Store the poll of a remote status; returns its id."""
    poll_id = tx.new_id()
    tx.conn.execute(
        sa.insert(polls).values(
            id=poll_id, status_id=status_id, multiple=remote.multiple, expires_at=remote.expires_at,
            closed_at=remote.closed_at, voters_count=remote.voters_count, hide_totals=remote.hide_totals,
        )
    )  # fmt: skip
    _write_options(tx, poll_id, list(remote.options[:MAX_REMOTE_OPTIONS]))
    return poll_id


def replace_tally(tx: Tx, poll_id: int, remote: RemotePoll, *, edited: bool = False) -> None:
    """Take over the tally that the poll's own server tells; other options than before begin the poll anew.

    Tallies carry no time, and come by more than one way (from the author, and from groups): one that must be older than
    what is known is left alone, unless the post was `edited` since.
    """
    known = load(tx, [poll_id], None)[poll_id]
    if not edited and _is_older(known, remote):
        return
    tx.conn.execute(
        sa.update(polls).where(polls.c.id == poll_id).values(
            closed_at=remote.closed_at, expires_at=remote.expires_at, voters_count=remote.voters_count,
            hide_totals=remote.hide_totals,
        )
    )  # fmt: skip
    options = list(remote.options[:MAX_REMOTE_OPTIONS])
    if [option.title for option in known.options] != [title for title, _ in options]:
        tx.conn.execute(sa.delete(poll_votes).where(poll_votes.c.poll_id == poll_id))
        tx.conn.execute(sa.delete(poll_options).where(poll_options.c.poll_id == poll_id))
        _write_options(tx, poll_id, options)
        if (status := statuses.find(tx, known.status_id)) is not None and status.deleted_at is None:
            indexing.write(tx, status)
    elif not remote.hide_totals:
        for position, (_, votes) in enumerate(options):
            _set_votes(tx, poll_id, position, votes)
    tx.record(PollChanged(poll_id, known.status_id, closed=remote.closed_at is not None))


def _is_older(known: Poll, remote: RemotePoll) -> bool:
    """Whether a tally of the same poll was made before the known one: polls end once, and votes are not taken back."""
    counts = [(votes, option.votes_count) for (_, votes), option in zip(remote.options, known.options, strict=False)]
    if [option.title for option in known.options] != [title for title, _ in remote.options[:MAX_REMOTE_OPTIONS]]:
        return False
    if remote.closed_at is not None:
        return False
    if remote.hide_totals:
        return known.closed_at is not None or remote.voters_count < known.voters_count
    return known.closed_at is not None or (
        all(new <= old for new, old in counts) and any(new < old for new, old in counts)
    )


def _set_votes(tx: Tx, poll_id: int, position: int, votes: "int | sa.ColumnElement[int]") -> None:
    mine = sa.and_(poll_options.c.poll_id == poll_id, poll_options.c.position == position)
    tx.conn.execute(sa.update(poll_options).where(mine).values(votes_count=votes))


def load(tx: Tx, poll_ids: list[int], viewer_id: int | None) -> dict[int, Poll]:
    """Polls by id, with the viewer's own votes."""
    if not poll_ids:
        return {}
    found = {row[0]: Poll(*(*row, [], [])) for row in tx.conn.execute(_BY_IDS, {"ids": poll_ids})}
    for row in tx.conn.execute(_OPTIONS, {"ids": poll_ids}):
        found[row.poll_id].options.append(Option(row.title, row.votes_count))
    if viewer_id is not None:
        for poll_id, position in tx.conn.execute(_VOTES, {"ids": poll_ids, "viewer": viewer_id}):
            found[poll_id].own_votes.append(position)
    return found


def get(tx: Tx, poll_id: int, viewer_id: int | None) -> Poll:
    """One poll. Raises NotFound."""
    poll = load(tx, [poll_id], viewer_id).get(poll_id)
    if poll is None:
        raise NotFound
    return poll


def vote(tx: Tx, account: Account, poll_id: int, positions: list[int], *, uri: str | None = None) -> None:
    """Vote. The caller has made sure that the account may see the status.

    `uri` is that of a vote from elsewhere: such votes come one by one, and a repeated one counts once.
    Raises Unprocessable when the poll is over or one's own, an option does not exist or the account has voted before.
    """
    poll = get(tx, poll_id, account.id)
    if statuses.get(tx, poll.status_id).account_id == account.id:
        raise Unprocessable("Validation failed: You cannot vote on your own poll")
    if poll.is_over(tx.ms):
        raise Unprocessable("Validation failed: The poll has already ended")
    chosen = sorted(set(positions))
    if not chosen or any(not 0 <= position < len(poll.options) for position in chosen):
        raise Unprocessable("Validation failed: The chosen option does not exist")
    if not poll.multiple and len(chosen) > 1:
        raise Unprocessable("Validation failed: Only one option can be chosen in this poll")
    if poll.own_votes and (uri is None or not poll.multiple or chosen[0] in poll.own_votes):
        raise Unprocessable("Validation failed: You have already voted on this poll")
    for position in chosen:
        insert_ignore(
            tx, poll_votes, poll_id=poll_id, account_id=account.id, position=position, uri=uri, created_at=tx.ms
        )
        _set_votes(tx, poll_id, position, poll_options.c.votes_count + 1)
    if not poll.own_votes:
        tx.conn.execute(sa.update(polls).where(polls.c.id == poll_id).values(voters_count=polls.c.voters_count + 1))
    tx.record(PollVoted(poll_id, poll.status_id, account.id, tuple(chosen)))
    tx.record(PollChanged(poll_id, poll.status_id, closed=False))


def participants(tx: Tx, poll_id: int) -> set[int]:
    """Everybody who voted, as far as this server knows."""
    return set(tx.conn.execute(sa.select(poll_votes.c.account_id).where(poll_votes.c.poll_id == poll_id)).scalars())


def close_due(tx: Tx) -> int:
    """Close polls whose time is over; says how many."""
    due = (
        sa.select(polls.c.id, polls.c.status_id)
        .where(polls.c.expires_at <= tx.ms, polls.c.closed_at.is_(None))
        .limit(100)
    )
    rows = list(tx.conn.execute(due))
    for poll_id, status_id in rows:
        tx.conn.execute(sa.update(polls).where(polls.c.id == poll_id).values(closed_at=tx.ms))
        tx.record(PollChanged(poll_id, status_id, closed=True))
    return len(rows)
