"""Statuses of other servers, already checked and translated: store, change and take away, each as often as it comes."""

from dataclasses import dataclass

import orjson
import sqlalchemy as sa

from fedcorp.social import custom_emojis, leaves, media, polls, quotes, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.custom_emojis import RemoteEmoji
from fedcorp.social.events import StatusEdited, StatusPublished
from fedcorp.social.media import RemoteMedia
from fedcorp.social.polls import RemotePoll
from fedcorp.social.statuses import Status
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import statuses as table
from fedcorp.storage.tables import tombstones
from fedcorp.storage.upsert import insert_ignore

_TOMBSTONE = sa.select(tombstones.c.uri).where(tombstones.c.uri == sa.bindparam("uri"))
_WAITING = sa.select(table.c.id, table.c.thread_id, table.c.deleted_at).where(
    table.c.in_reply_to_uri == sa.bindparam("uri"), table.c.in_reply_to_id.is_(None)
)
OLDEST_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """A note of another server: `content` is sanitised HTML, times are ms, `mentions` are (account id, silent).
    `strangers` are (URI, silent) of peers' people who are named as well and not known here."""

    uri: str
    url: str | None
    account: Account
    visibility: str
    reach: str
    content: str
    text: str
    created_at: int
    edited_at: int | None = None
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    in_reply_to_uri: str | None = None
    context_uri: str | None = None
    group_id: int | None = None
    mentions: tuple[tuple[int, bool], ...] = ()
    strangers: tuple[tuple[str, bool], ...] = ()
    tags: tuple[str, ...] = ()
    media: tuple[RemoteMedia, ...] = ()
    poll: RemotePoll | None = None
    quoted_uri: str | None = None
    stamp_uri: str | None = None  # the leave that it claims to have
    asks_for_leave: bool = True  # False: it quotes in a way that knows of no leave
    quote_policy: str = ""
    interaction_policy: str = ""  # of policy.interaction_policy
    emojis: tuple[RemoteEmoji, ...] = ()


def is_tombstoned(tx: Tx, uri: str) -> bool:
    """Whether this object was deleted, perhaps before it ever came."""
    return tx.conn.execute(_TOMBSTONE, {"uri": uri}).first() is not None


def is_gone(tx: Tx, uri: str) -> bool:
    """Whether a status was deleted, or went without a tombstone of its own: with its author, or as a boost."""
    if is_tombstoned(tx, uri):
        return True
    known = statuses.find_by_uri(tx, uri)
    return known is not None and known.deleted_at is not None


def receive(
    tx: Tx, remote: RemoteStatus, *, quiet: bool = False, depth: int = 0, is_new: bool = False
) -> Status | None:
    """Store a status; a known one stays as it is. None when it was deleted. `quiet`: no notifications; `depth`: how
    many quotes led to it; `is_new`: the caller has looked, and it is not here."""
    if is_tombstoned(tx, remote.uri):
        return None
    known = None if is_new else statuses.find_by_uri(tx, remote.uri)
    if known is not None:
        return known
    parent = statuses.find_by_uri(tx, remote.in_reply_to_uri) if remote.in_reply_to_uri else None
    quoted = _quoted(tx, remote)
    created_at = min(remote.created_at, tx.ms)
    id_ = statuses.id_at(tx, max(created_at, tx.ms - OLDEST_MS))
    status = statuses.insert(
        tx, id=id_, uri=remote.uri, url=remote.url, origin=remote.account.origin, local=False,
        account_id=remote.account.id, in_reply_to_id=parent.id if parent else None,
        in_reply_to_account_id=parent.account_id if parent else None, in_reply_to_uri=remote.in_reply_to_uri,
        thread_id=parent.thread_id if parent else id_, context_uri=remote.context_uri,
        group_id=remote.group_id if remote.group_id is not None else (parent.group_id if parent else None),
        visibility=remote.visibility, reach=remote.reach, content=remote.content, text=remote.text,
        spoiler_text=remote.spoiler_text, sensitive=remote.sensitive, language=remote.language, created_at=created_at,
        edited_at=remote.edited_at, quoted_id=quoted.id if quoted else None, quote_state=_quote_state(remote, quoted),
        quote_policy=remote.quote_policy,
    )  # fmt: skip
    if remote.quoted_uri is not None:
        quotes.receive(tx, status, remote.quoted_uri, remote.stamp_uri, depth)
    if remote.interaction_policy:
        leaves.keep_policy(tx, status.id, remote.interaction_policy)
    _parts(tx, status, remote)
    _adopt_children(tx, status)
    quotes.adopt(tx, status)
    tx.record(StatusPublished(id_, quiet=quiet))
    return status


def _quoted(tx: Tx, remote: RemoteStatus) -> Status | None:
    found = statuses.find_by_uri(tx, remote.quoted_uri) if remote.quoted_uri is not None else None
    return found if found is not None and found.reblog_of_id is None else None


def _quote_state(remote: RemoteStatus, quoted: Status | None) -> str | None:
    """Everybody may quote themselves; for the rest there must be leave."""
    if remote.quoted_uri is None:
        return None
    if quoted is not None and quoted.account_id == remote.account.id:
        return quotes.ACCEPTED
    return quotes.PENDING if remote.asks_for_leave else quotes.UNASKED


def _parts(tx: Tx, status: Status, remote: RemoteStatus) -> None:
    statuses.add_mentions(tx, status.id, list(remote.mentions))
    _ask_who_they_are(tx, status.id, remote)
    statuses.add_tags(tx, status.id, list(remote.tags))
    custom_emojis.store_remote(tx, remote.account.domain, remote.emojis)
    if remote.media:
        media.store_remote(tx, status.account_id, status.id, list(remote.media))
    if remote.poll is not None:
        poll_id = polls.store_remote(tx, status.id, remote.poll)
        tx.conn.execute(sa.update(table).where(table.c.id == status.id).values(poll_id=poll_id))


def _ask_who_they_are(tx: Tx, status_id: int, remote: RemoteStatus) -> None:
    if remote.strangers:
        payload = {"status": status_id, "edited_at": remote.edited_at, "people": remote.strangers}
        jobs.put(tx, "meet", payload)


def _adopt_children(tx: Tx, status: Status) -> None:
    """Replies that came before their parent: hang them in, with everything below them."""
    for child_id, thread_id, deleted_at in tx.conn.execute(_WAITING, {"uri": status.uri}).all():
        tx.conn.execute(
            sa.update(table)
            .where(table.c.id == child_id)
            .values(in_reply_to_id=status.id, in_reply_to_account_id=status.account_id)
        )
        tx.conn.execute(sa.update(table).where(table.c.thread_id == thread_id).values(thread_id=status.thread_id))
        child = statuses.find(tx, child_id) if deleted_at is None else None
        if child is not None and statuses.is_counted_reply(tx, child):
            statuses.change_count(tx, status.id, "replies_count", 1)


def receive_edit(tx: Tx, remote: RemoteStatus) -> Status | None:
    """Apply an Update; the greater `edited_at` wins, an unknown status is stored. None when it was deleted."""
    known = statuses.find_by_uri(tx, remote.uri)
    if known is None:
        return receive(tx, remote, quiet=True)
    if known.deleted_at is not None or known.account_id != remote.account.id:
        return None
    edited = remote.edited_at is not None and remote.edited_at > (known.edited_at or 0)
    if remote.poll is not None and known.poll_id is not None:
        polls.replace_tally(tx, known.poll_id, remote.poll, edited=edited)
    known = receive_quote(tx, known, remote)
    if remote.quote_policy != known.quote_policy:
        tx.conn.execute(sa.update(table).where(table.c.id == known.id).values(quote_policy=remote.quote_policy))
    leaves.keep_policy(tx, known.id, remote.interaction_policy)
    if not edited:
        return known
    kept = [item.id for item in media.of_statuses(tx, [known.id]).get(known.id, [])]
    statuses.keep_edit(tx, known, media=orjson.dumps(kept).decode(), poll="[]")
    tx.conn.execute(
        sa.update(table).where(table.c.id == known.id).values(
            content=remote.content, text=remote.text, spoiler_text=remote.spoiler_text, sensitive=remote.sensitive,
            language=remote.language, edited_at=remote.edited_at, version=known.version + 1,
        )
    )  # fmt: skip
    statuses.write_mentions(tx, known.id, list(remote.mentions))
    _ask_who_they_are(tx, known.id, remote)
    statuses.write_tags(tx, known.id, list(remote.tags))
    custom_emojis.store_remote(tx, remote.account.domain, remote.emojis)
    media.replace_remote(tx, known.account_id, known.id, list(remote.media))
    tx.record(StatusEdited(known.id))
    return statuses.find(tx, known.id)


def receive_quote(tx: Tx, known: Status, remote: RemoteStatus) -> Status:
    """What the author says now of what a post quotes. A post may be sent without its quote until there is leave, as
    Hollo does; from then on what it quotes never changes. The caller has made sure that both have one author."""
    if remote.quoted_uri is None or known.deleted_at is not None:
        return known
    if known.quote_state is not None:
        quotes.renew(tx, known, remote.quoted_uri, remote.stamp_uri)
        return known
    quoted = _quoted(tx, remote)
    values = {"quoted_id": quoted.id if quoted else None, "quote_state": _quote_state(remote, quoted)}
    tx.conn.execute(sa.update(table).where(table.c.id == known.id).values(**values))
    status = statuses.get(tx, known.id)
    quotes.receive(tx, status, remote.quoted_uri, remote.stamp_uri)
    return status


def receive_delete(tx: Tx, uri: str, owner_uri: str) -> bool:
    """Take a status away and remember it as deleted, also when it is not here yet. Says whether it was here.

    The caller has made sure that `owner_uri` may delete `uri`.
    """
    known = statuses.find_by_uri(tx, uri)
    insert_ignore(tx, tombstones, uri=uri, owner_uri=owner_uri, former_type="Note", deleted_at=tx.ms)
    if known is None or known.deleted_at is not None:
        return False
    statuses.remove(tx, known, owner_uri)
    return True
