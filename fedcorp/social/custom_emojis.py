"""Emoji of this department and of other servers, as rows: `:party:` in a text means that of its author's server.

Never touches a file and never fetches: jobs of the kind `fetch_emoji` bring those of other servers. Posts are looked
through when they are rendered; accounts keep theirs, since accounts are rendered without a look at the database.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp import ids
from fedcorp.errors import NotFound, Unprocessable
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, custom_emojis, poll_options, statuses
from fedcorp.storage.upsert import insert_ignore

HERE = ""
"""The domain of our own emoji."""
MAX_IN_TEXT = 50
MAX_BYTES = 512 * 1024
FIRST_SEEN_MS = 2 * 86_400_000

_CODE = re.compile(r"[A-Za-z0-9_]{2,60}")
_IN_TEXT = re.compile(r"(?<![A-Za-z0-9:]):([A-Za-z0-9_]{2,60}):(?![A-Za-z0-9:])")


@dataclass(slots=True)
class CustomEmoji:
    """One row of `custom_emojis`; `key` and `still_key` name files once they are here. Times are ms."""

    id: int
    domain: str
    shortcode: str
    key: str | None
    still_key: str | None
    mime: str
    category: str
    remote_url: str | None
    updated_at: int

    @property
    def keys(self) -> set[str]:
        """Of all its files."""
        return {key for key in (self.key, self.still_key) if key is not None}


@dataclass(frozen=True, slots=True)
class RemoteEmoji:
    """What another server says of an emoji of its own; `updated_at` in ms, 0 when it does not say."""

    shortcode: str
    url: str
    updated_at: int = 0


_SELECT = sa.select(*(custom_emojis.c[item.name] for item in fields(CustomEmoji)))
_AMONG = _SELECT.where(
    custom_emojis.c.domain.in_(sa.bindparam("domains", expanding=True)),
    custom_emojis.c.shortcode.in_(sa.bindparam("codes", expanding=True)),
    custom_emojis.c.key.is_not(None),
)


def is_code(text: str) -> bool:
    """Whether this can stand between two colons."""
    return _CODE.fullmatch(text) is not None


def codes_in(text: str) -> list[str]:
    """The codes in a text or in HTML, each once, in order, at most MAX_IN_TEXT."""
    return list(dict.fromkeys(_IN_TEXT.findall(text)))[:MAX_IN_TEXT] if ":" in text else []


def listing(tx: Tx) -> list[CustomEmoji]:
    """All of our own, by category and code."""
    mine = _SELECT.where(custom_emojis.c.domain == HERE)
    return [
        CustomEmoji(*row) for row in tx.conn.execute(mine.order_by(custom_emojis.c.category, custom_emojis.c.shortcode))
    ]


def find(tx: Tx, id_: int) -> CustomEmoji | None:
    """The emoji with this id."""
    row = tx.conn.execute(_SELECT.where(custom_emojis.c.id == id_)).first()
    return CustomEmoji(*row) if row else None


def _find(tx: Tx, domain: str, code: str) -> CustomEmoji | None:
    one = sa.and_(custom_emojis.c.domain == domain, custom_emojis.c.shortcode == code)
    row = tx.conn.execute(_SELECT.where(one)).first()
    return CustomEmoji(*row) if row else None


def in_texts(tx: Tx, texts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[CustomEmoji]]:
    """For each (domain, text) the emoji in it whose pictures are here; those without any are left out."""
    wanted = {(domain, text): codes for domain, text in texts if (codes := codes_in(text))}
    if not wanted:
        return {}
    values = {
        "domains": sorted({domain for domain, _ in wanted}),
        "codes": sorted({c for cs in wanted.values() for c in cs}),
    }
    known = {(row[1], row[2]): CustomEmoji(*row) for row in tx.conn.execute(_AMONG, values)}
    return {
        key: found
        for key, codes in wanted.items()
        if (found := [known[key[0], code] for code in codes if (key[0], code) in known])
    }


def in_text(tx: Tx, domain: str, text: str) -> list[CustomEmoji]:
    """The emoji of this server in a text."""
    return in_texts(tx, [(domain, text)]).get((domain, text), [])


# -- our own ---------------------------------------------------------------------------------------------------------


def add(tx: Tx, code: str, *, key: str, still_key: str, mime: str, category: str = "") -> set[str]:
    """Give this department an emoji, or another picture for a code; the keys of files that are used no longer.

    Raises Unprocessable for what is no code.
    """
    if not is_code(code):
        raise Unprocessable(f"{code!r} is no code of an emoji; use 2 to 60 of a-z, 0-9 and _.")
    before = _find(tx, HERE, code)
    insert_ignore(tx, custom_emojis, id=tx.new_id(), domain=HERE, shortcode=code, mime=mime, updated_at=tx.ms)
    _write(tx, HERE, code, key=key, still_key=still_key, mime=mime, category=category[:100], updated_at=tx.ms)
    touch(tx, HERE, code)
    return before.keys - {key, still_key} if before else set()


def remove(tx: Tx, code: str) -> set[str]:
    """Take an emoji of ours away; the keys of its files. Raises NotFound."""
    known = _find(tx, HERE, code)
    if known is None:
        raise NotFound(f"There is no emoji :{code}: here; see `fedcorp emoji list`.")
    tx.conn.execute(sa.delete(custom_emojis).where(custom_emojis.c.id == known.id))
    touch(tx, HERE, code)
    return known.keys


# -- those of other servers ------------------------------------------------------------------------------------------


def store_remote(tx: Tx, domain: str, items: Iterable[RemoteEmoji]) -> None:
    """Keep what another server says of its emoji, and ask for pictures that are new."""
    for item in items:
        known = _find(tx, domain, item.shortcode)
        if known is not None and known.remote_url == item.url and known.updated_at >= item.updated_at:
            continue
        if known is None:
            insert_ignore(
                tx, custom_emojis, id=tx.new_id(), domain=domain, shortcode=item.shortcode, mime="", updated_at=0
            )
        _write(tx, domain, item.shortcode, remote_url=item.url, updated_at=item.updated_at)
        kept = known or _find(tx, domain, item.shortcode)
        assert kept is not None
        jobs.put(tx, "fetch_emoji", {"emoji_id": kept.id}, unique_key=f"fetch_emoji:{kept.id}")


def fetched(tx: Tx, id_: int, url: str, *, key: str, still_key: str, mime: str) -> set[str]:
    """The picture at `url` is here; the keys of files that are used no longer, its own when it came too late."""
    known = find(tx, id_)
    if known is None or known.remote_url != url:
        return {key, still_key}
    _write(tx, known.domain, known.shortcode, key=key, still_key=still_key, mime=mime)
    # A picture that comes for the first time concerns the posts that came with it, and whatever came since.
    first = ids.first_at(ids.time_of(known.id) - FIRST_SEEN_MS) if known.key is None else 0
    touch(tx, known.domain, known.shortcode, first)
    return known.keys - {key, still_key}


def _write(tx: Tx, domain: str, code: str, **values: Any) -> None:
    one = sa.and_(custom_emojis.c.domain == domain, custom_emojis.c.shortcode == code)
    tx.conn.execute(sa.update(custom_emojis).where(one).values(**values))


# -- where they are shown --------------------------------------------------------------------------------------------


def of_profile(tx: Tx, domain: str, *texts: str) -> str:
    """What an account keeps of the emoji in its texts, as JSON."""
    return orjson.dumps([_kept(item) for item in in_text(tx, domain, " ".join(texts))]).decode()


def _kept(item: CustomEmoji) -> dict[str, Any]:
    return {"shortcode": item.shortcode, "key": item.key, "still_key": item.still_key, "category": item.category}


def touch(tx: Tx, domain: str, code: str, first: int = 0) -> None:
    """Everything that shows this code is out of date. Reads through the posts of a server from the id `first` on, so
    it is for what happens rarely."""
    like = f"%:{code}:%"
    theirs = (
        sa.and_(accounts.c.local, accounts.c.deleted_at.is_(None)) if domain == HERE else accounts.c.domain == domain
    )
    shows = sa.or_(*(accounts.c[name].like(like) for name in ("display_name", "note", "fields")))
    columns = (accounts.c.id, accounts.c.display_name, accounts.c.note, accounts.c.fields)
    for id_, *texts in tx.conn.execute(sa.select(*columns).where(theirs, shows)).all():
        values = {"emojis": of_profile(tx, domain, *texts), "version": accounts.c.version + 1}
        tx.conn.execute(sa.update(accounts).where(accounts.c.id == id_).values(**values))
    polled = sa.exists().where(poll_options.c.poll_id == statuses.c.poll_id, poll_options.c.title.like(like))
    said = sa.or_(statuses.c.content.like(like), statuses.c.spoiler_text.like(like), polled)
    by_them = statuses.c.account_id.in_(sa.select(accounts.c.id).where(theirs))
    tx.conn.execute(
        sa.update(statuses).where(statuses.c.id >= first, by_them, said).values(version=statuses.c.version + 1)
    )
