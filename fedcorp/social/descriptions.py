"""Descriptions of pictures, films and sounds, which a department may ask for by `posts.descriptions`.

A client that is refused once shows the sentence and keeps the post; so a reminder works in every client there is.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from fedcorp.social import media
from fedcorp.social.media import Detail
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import media as table

CURES = {
    "remind": "Describe it for those who cannot see or hear it, or send the post once more to leave it so.",
    "require": "Describe it for those who cannot see or hear it.",
}


def ask(tx: Tx, account_id: int, ids: tuple[int, ...], details: Mapping[int, Detail]) -> str | None:
    """The sentence with which a post with these files is refused, None when it may go out.

    `details` are descriptions that come with the post. Nobody is reminded twice of one file.
    """
    mode = tx.site.config.posts.descriptions
    files = media.own_many(tx, account_id, list(ids)) if mode in CURES else []
    bare = [item.id for item in files if not _description(item, details).strip()]
    if mode == "remind" and bare:
        asked = sa.update(table).where(table.c.id.in_(bare), table.c.reminded_at.is_(None)).values(reminded_at=tx.ms)
        bare = bare if tx.conn.execute(asked).rowcount else []
    if not bare:
        return None
    which = "The file has no description." if len(files) == 1 else f"{len(bare)} of {len(files)} files have none."
    return f"{which} {CURES[mode]}"


def _description(item: media.Media, details: Mapping[int, Detail]) -> str:
    given = details.get(item.id, Detail()).description
    return item.description if given is None else given
