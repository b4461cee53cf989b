"""Cards: what the pages say that posts link to, as rows. Fetches nothing: `fedcorp.activitypub.previews` does.

One page has one card, however many posts link to it. Off unless the configuration turns `links.previews` on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from fedcorp.social import accounts, presentation
from fedcorp.social.accounts import Account
from fedcorp.social.images import ProcessedImage
from fedcorp.social.page_heads import PageHead, first_link
from fedcorp.social.policy import WAITING
from fedcorp.social.statuses import Status
from fedcorp.social.tags import DAY_MS, Day
from fedcorp.social.visibility import visible
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import cards, status_cards, statuses
from fedcorp.storage.upsert import insert_ignore

FRESH_MS = 14 * DAY_MS
FAILED_MS = 3_600_000


@dataclass(slots=True)
class Card:
    """One row of `cards`; a page that could not be had has `failed_at`. Times are ms."""

    id: int
    url: str
    title: str
    description: str
    author: str
    provider: str
    language: str | None
    image_key: str | None
    width: int
    height: int
    blurhash: str | None
    published_at: int | None
    fetched_at: int | None
    failed_at: int | None
    creator_id: int | None
    found_on: str

    def is_fresh(self, now: int) -> bool:
        """Whether the page need not be asked again; `now` in ms."""
        return max((self.fetched_at or 0) + FRESH_MS, (self.failed_at or 0) + FAILED_MS) > now


@dataclass(frozen=True, slots=True)
class Credit:
    """The account, if any, that a page names as its author, and the host that said so (lower-case, without port)."""

    creator_id: int | None
    found_on: str


_SELECT = sa.select(*(cards.c[item.name] for item in fields(Card)))
_OF_STATUSES = _SELECT.add_columns(status_cards.c.status_id).where(
    status_cards.c.card_id == cards.c.id, status_cards.c.status_id.in_(sa.bindparam("ids", expanding=True))
)


_CREATORS = sa.select(status_cards.c.status_id, cards.c.url, cards.c.found_on, cards.c.creator_id).where(
    status_cards.c.card_id == cards.c.id, status_cards.c.status_id.in_(sa.bindparam("ids", expanding=True)),
    cards.c.creator_id.is_not(None),
)  # fmt: skip


def ask(tx: Tx, status: Status) -> None:
    """Ask for the card of a post that is new or was edited. Nobody looks into direct messages, nor into what waits."""
    if not tx.site.config.links.previews or status.visibility in ("direct", WAITING):
        return
    url = first_link(status.content)
    if url is None or tx.site.urls.owns(url):
        detach(tx, status.id)
    else:
        jobs.put(tx, "fetch_card", {"status_id": status.id}, unique_key=f"fetch_card:{status.id}")


def find(tx: Tx, url: str) -> Card | None:
    """The card of a page, also one that could not be had."""
    row = tx.conn.execute(_SELECT.where(cards.c.url == url)).first()
    return Card(*row) if row else None


def find_by_image(tx: Tx, key: str) -> tuple[Card, bool] | None:
    """The card with this picture, and whether a post that is open to everybody shows it."""
    row = tx.conn.execute(_SELECT.where(cards.c.image_key == key)).first()
    if row is None:
        return None
    card = Card(*row)
    of_card = sa.and_(status_cards.c.card_id == card.id, statuses.c.id == status_cards.c.status_id)
    is_open = tx.conn.execute(sa.select(statuses.c.id).where(of_card, visible(statuses, None)).limit(1)).first()
    return card, is_open is not None


def of_statuses(tx: Tx, ids: list[int]) -> dict[int, Card]:
    """The cards of these posts; posts without one are left out."""
    if not ids or not tx.site.config.links.previews:
        return {}
    return {row[-1]: Card(*row[:-1]) for row in tx.conn.execute(_OF_STATUSES, {"ids": ids})}


def creators(tx: Tx, items: Iterable[Card]) -> dict[int, Account | None]:
    """Whom these cards show as author of their pages, by card: who is named there, and lets that host do so. None
    where that one does not (now); cards of pages that name nobody are left out."""
    return _agreed(tx, [(item.id, item.url, item.found_on, item.creator_id) for item in items if item.creator_id])


def creators_of(tx: Tx, status_ids: list[int]) -> dict[int, Account | None]:
    """The same by post."""
    if not status_ids or not tx.site.config.links.previews:
        return {}
    return _agreed(tx, [(row[0], row[1], row[2], row[3]) for row in tx.conn.execute(_CREATORS, {"ids": status_ids})])


def _agreed(tx: Tx, named: list[tuple[int, str, str, int]]) -> dict[int, Account | None]:
    found = accounts.find_many(tx, {id_ for *_, id_ in named}) if named else {}
    return {of: _if_agreed(found.get(id_), url, found_on) for of, url, found_on, id_ in named}


def _if_agreed(account: Account | None, url: str, found_on: str) -> Account | None:
    """The account if it names both hosts: the redirect of a trusted one leads anywhere, and anybody's leads there."""
    if account is None or account.hidden:
        return None
    hosts = ((urlsplit(url).hostname or "").lower(), found_on)
    return account if all(presentation.credits(account.presentation, host) for host in hosts) else None


def keep(
    tx: Tx, url: str, head: PageHead, picture: ProcessedImage | None, image_key: str | None, credit: Credit
) -> str | None:
    """Keep what a page says of itself; the picture is stored under `image_key`. The key that is used no longer."""
    before = find(tx, url)
    _write(
        tx, url, title=head.title, description=head.description, author=head.author, provider=head.provider,
        language=head.language, published_at=head.published_at, image_key=image_key if picture else None,
        width=picture.preview_width if picture else 0, height=picture.preview_height if picture else 0,
        blurhash=picture.blurhash if picture else None, fetched_at=tx.ms, failed_at=None,
        creator_id=credit.creator_id, found_on=credit.found_on,
    )  # fmt: skip
    if before is not None:  # posts that show it are rendered anew: the picture that it had is gone
        _touch(tx, sa.select(status_cards.c.status_id).where(status_cards.c.card_id == before.id))
    return before.image_key if before is not None else None


def failed(tx: Tx, url: str) -> None:
    """The page cannot be had, or says nothing; it is not asked again for an hour. What it said before stays."""
    _write(tx, url, failed_at=tx.ms)


def _write(tx: Tx, url: str, **values: Any) -> None:
    insert_ignore(tx, cards, id=tx.new_id(), url=url)
    tx.conn.execute(sa.update(cards).where(cards.c.url == url).values(**values))


def attach(tx: Tx, status_id: int, url: str) -> None:
    """Let a post show the card of this page, if it still links there first and the page said something."""
    status = tx.conn.execute(sa.select(statuses.c.content).where(statuses.c.id == status_id)).first()
    if status is None or first_link(status[0]) != url:
        return
    card = find(tx, url)
    known = tx.conn.execute(sa.select(status_cards.c.card_id).where(status_cards.c.status_id == status_id)).scalar()
    if card is None or card.fetched_at is None:
        detach(tx, status_id)
    elif known != card.id:
        detach(tx, status_id)
        insert_ignore(tx, status_cards, status_id=status_id, card_id=card.id)
        _touch(tx, [status_id])


def detach(tx: Tx, status_id: int) -> None:
    """Let a post show no card any more."""
    if tx.conn.execute(sa.delete(status_cards).where(status_cards.c.status_id == status_id)).rowcount:
        _touch(tx, [status_id])


def _touch(tx: Tx, status_ids: "list[int] | sa.Select[tuple[int]]") -> None:
    tx.conn.execute(sa.update(statuses).where(statuses.c.id.in_(status_ids)).values(version=statuses.c.version + 1))


# -- cleaning up -----------------------------------------------------------------------------------------------------


def unused(tx: Tx, limit: int = 200) -> list[int]:
    """Ids of cards that no post shows, and whose pages would be asked anew before one did."""
    statement = sa.select(cards.c.id).where(_is_unused(tx)).order_by(cards.c.id).limit(limit)
    return list(tx.conn.execute(statement).scalars())


def _is_unused(tx: Tx) -> sa.ColumnElement[bool]:
    shown = sa.exists().where(
        status_cards.c.card_id == cards.c.id, statuses.c.id == status_cards.c.status_id, statuses.c.deleted_at.is_(None)
    )
    stale = sa.and_(
        sa.func.coalesce(cards.c.fetched_at, 0) < tx.ms - FRESH_MS,
        sa.func.coalesce(cards.c.failed_at, 0) < tx.ms - FAILED_MS,
    )
    return sa.and_(stale, ~shown)


def forget(tx: Tx, ids: list[int]) -> list[str]:
    """Remove those of these cards that are still unused; the keys of their pictures."""
    rows = tx.conn.execute(sa.select(cards.c.id, cards.c.image_key).where(cards.c.id.in_(ids), _is_unused(tx))).all()
    gone = [id_ for id_, _ in rows]
    tx.conn.execute(sa.delete(status_cards).where(status_cards.c.card_id.in_(gone)))
    tx.conn.execute(sa.delete(cards).where(cards.c.id.in_(gone)))
    return [key for _, key in rows if key is not None]


# -- how much they are shared ----------------------------------------------------------------------------------------


def by_ids(tx: Tx, ids: list[int]) -> dict[int, Card]:
    """Cards by id."""
    rows = tx.conn.execute(_SELECT.where(cards.c.id.in_(ids))) if ids else ()
    return {row[0]: Card(*row) for row in rows}


def history(tx: Tx, viewer_id: int | None, ids: list[int], days: int = 7) -> dict[int, list[Day]]:
    """For each of these cards the last `days` days, today first, by public posts that the viewer may see."""
    today = tx.ms - tx.ms % DAY_MS
    starts = [today - number * DAY_MS for number in range(days)]
    day = statuses.c.created_at - statuses.c.created_at % DAY_MS
    statement = (
        sa.select(status_cards.c.card_id, day, sa.func.count(), sa.func.count(statuses.c.account_id.distinct()))
        .join(statuses, statuses.c.id == status_cards.c.status_id)
        .where(status_cards.c.card_id.in_(ids), statuses.c.created_at >= starts[-1])
        .where(statuses.c.visibility == "public", visible(statuses, viewer_id))
        .group_by(status_cards.c.card_id, day)
    )
    used = {(id_, at): Day(at, uses, people) for id_, at, uses, people in tx.conn.execute(statement)} if ids else {}
    return {id_: [used.get((id_, at), Day(at, 0, 0)) for at in starts] for id_ in ids}
