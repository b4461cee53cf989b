"""What can be found of a status, and by which marks: puts it into the index when it is published, edited or deleted.

Takes part in the unit that changes the status, so that search never knows more or less than the tables. Decides nothing
about who may find it: `search` asks `visibility`. What was written before the index was made is put in by `catch_up`.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from typing import Any

import sqlalchemy as sa

from fedcorp import ids
from fedcorp.clock import from_ms
from fedcorp.social import words
from fedcorp.social.policy import WAITING
from fedcorp.social.statuses import Status, find_many
from fedcorp.storage import fulltext, jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import media, mentions, poll_options, status_words, statuses

VERSION = 1
"""Of the words and marks below. Whoever raises it adds a migration that asks for the job again."""
JOB = "index_statuses"
LATE_MS = 60_000
"""A status whose place in lists is so much later than its time gets a mark of its own: dates alone do not find it."""
ROWS = 300  # looked at in one unit, so that nobody waits long behind it
LOGGED = 20_000
KEPT_WORDS = 50_000
AGAIN_MS = 600_000

log = logging.getLogger(__name__)

OPEN, DIRECT = ("n", "e"), ("x", "y")
"""First letters of Dutch and English stems, of direct messages others: what is said there costs nobody else a step."""
_LINK = re.compile(r"<a\s(?![^>]*\b(?:mention|hashtag)\b)[^>]*\bhref=", re.IGNORECASE)
_STATUS: Any = sa.bindparam("status", type_=sa.BigInteger)
_PARTS = sa.union_all(
    sa.select(sa.literal_column("'mention'"), mentions.c.account_id, sa.literal_column("''")).where(
        mentions.c.status_id == _STATUS
    ),
    sa.select(media.c.kind, media.c.id, media.c.description).where(media.c.status_id == _STATUS),
)
_OPTIONS = (
    sa.select(poll_options.c.title)
    .where(poll_options.c.poll_id == sa.bindparam("poll", type_=sa.BigInteger))
    .order_by(poll_options.c.position)
)


# -- marks: tokens that no word can be --------------------------------------------------------------------------------


def by(account_id: int) -> str:
    """What this account wrote."""
    return f"a{account_id}"


def to(account_id: int) -> str:
    """What names this account or is addressed to it."""
    return f"m{account_id}"


def seen_as(visibility: str) -> str:
    """What has this visibility."""
    return f"v{visibility}"


def having(name: str) -> str:
    """What has a property: media, image, video, audio, poll, link, reply, sensitive."""
    return f"p{name}"


def in_language(tag: str | None) -> str | None:
    """What is marked as written in a language, whatever the region; None for what cannot be one."""
    main = re.split("[-_]", (tag or "").strip().lower(), maxsplit=1)[0]
    return f"l{main}" if main.isascii() and main.isalnum() and len(main) <= 8 else None


LATE = having("late")


# -- writing ----------------------------------------------------------------------------------------------------------


def write(tx: Tx, status: Status) -> None:
    """Let a status be found by what it says now."""
    rows = tx.conn.execute(_PARTS, {"status": status.id}).all()
    named = [account_id for kind, account_id, _ in rows if kind == "mention"]
    files = sorted((id_, kind, description) for kind, id_, description in rows if kind != "mention")
    options = tx.conn.execute(_OPTIONS, {"poll": status.poll_id}).scalars() if status.poll_id is not None else []
    marks = [by(status.account_id), seen_as(_seen(status)), *map(to, sorted(named))]
    marks += map(having, _properties(status, {kind for _, kind, _ in files}))
    if (language := in_language(status.language)) is not None:
        marks.append(language)
    texts = [status.text, status.spoiler_text, *options, *(description for _, _, description in files)]
    fulltext.write(tx, status.id, marks, _runs(status, texts), VERSION)


def _seen(status: Status) -> str:
    """What waits for leave stands where nobody looks but who wrote it."""
    return "direct" if status.visibility == WAITING else status.visibility


def _properties(status: Status, kinds: set[str]) -> Iterable[str]:
    if kinds:
        yield "media"
    # A moving picture of elsewhere is kept here as one that stands still.
    yield from sorted({"image" if kind == "gifv" else kind for kind in kinds} & {"image", "video", "audio"})
    if status.poll_id is not None:
        yield "poll"
    if _LINK.search(status.content):
        yield "link"
    if status.in_reply_to_uri is not None:
        yield "reply"
    if status.sensitive:
        yield "sensitive"
    if ids.time_of(status.id) > status.created_at + LATE_MS:
        yield "late"


def _runs(status: Status, texts: list[str]) -> list[tuple[str, ...]]:
    """The words in Dutch and in English; nothing is a phrase across the end of a text."""
    tokens = partial(_tokens, DIRECT if _seen(status) == "direct" else OPEN)
    pairs: list[tuple[str, str]] = []
    for text in texts:
        found = words.split(text, max(words.MOST - len(pairs), 0)) if text else []
        if found and pairs:
            pairs.append((fulltext.GAP, fulltext.GAP))
        pairs.extend(map(tokens, found))
    return list(zip(*pairs, strict=True))


@lru_cache(maxsize=KEPT_WORDS)
def _tokens(letters: tuple[str, str], word: str) -> tuple[str, str]:
    dutch, english = words.stem(word)
    return letters[0] + dutch, letters[1] + english


def forget(tx: Tx, status_id: int) -> None:
    """Let a status be found no more."""
    fulltext.forget(tx, status_id)


def forget_all(tx: Tx, account_id: int) -> None:
    """Let nothing be found any more of what an account wrote."""
    fulltext.forget_among(tx, sa.select(statuses.c.id).where(statuses.c.account_id == account_id))


# -- what was written before ------------------------------------------------------------------------------------------

_BATCH = (
    sa.select(statuses.c.id, status_words.c.version, statuses.c.reblog_of_id, statuses.c.deleted_at)
    .outerjoin(status_words, status_words.c.status_id == statuses.c.id)
    .where(statuses.c.id < sa.bindparam("below", type_=sa.BigInteger))
    .order_by(statuses.c.id.desc())
    .limit(ROWS)
)


def continue_(tx: Tx, payload: Mapping[str, int]) -> None:
    """The job, a piece at a time: put in what is missing among older statuses, and ask for the next piece.

    `payload` is empty at the beginning. What an older version of the program writes beside a newer one that has already
    passed there is missed, so the end asks for one more round, later.
    """
    below, done = payload.get("below", ids.MAX_ID), payload.get("done", 0)
    following, count = catch_up(tx, below)
    done += count
    if following is not None:
        jobs.put(tx, JOB, {"below": following, "done": done})
    elif done:
        log.info("search: the words of %d older posts were put in", done)
        jobs.put(tx, JOB, {}, run_at=tx.ms + AGAIN_MS, unique_key=JOB)
    if (done - count) // LOGGED != done // LOGGED:
        log.info(
            "search: the words of %d older posts were put in so far, down to %s", done, from_ms(ids.time_of(below))
        )


def catch_up(tx: Tx, below: int) -> tuple[int | None, int]:
    """Put in what is missing, or was put in by an earlier version, among the next statuses older than `below`.

    Returns (where to go on, or None at the end; how many were put in). May be run again at any time.
    """
    rows = tx.conn.execute(_BATCH, {"below": below}).all()
    missing = [id_ for id_, version, of, deleted_at in rows if of is None and deleted_at is None and version != VERSION]
    for _, status in sorted(find_many(tx, missing).items()):
        write(tx, status)
    return (rows[-1][0] if len(rows) == ROWS else None), len(missing)
