"""Media of posts as rows: what was uploaded here, what other servers attached, and which file belongs to it.

Never touches a file and never fetches: `fedcorp.storage.media` keeps files, jobs of the kind `fetch_media` bring them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import orjson
import sqlalchemy as sa

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import media, statuses

KINDS = ("image", "gifv", "video", "audio", "unknown")
MAX_DESCRIPTION = 1500
MAX_REMOTE = 16
MAX_REMOTE_DESCRIPTION = 10_000

Focus = tuple[float, float]
"""x and y of the point that matters in a picture, from -1 to 1, upward and to the right."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What its author says of a file; None leaves a part as it is."""

    description: str | None = None
    focus: Focus | None = None


@dataclass(slots=True)
class Media:
    """One row of `media`; `sizes` is JSON text of the shape of Mastodon's `meta`, times are ms."""

    id: int
    account_id: int
    status_id: int | None
    kind: str
    mime: str
    key: str | None
    preview_key: str | None
    remote_url: str | None
    description: str
    blurhash: str | None
    sizes: str
    position: int
    bytes: int
    created_at: int
    failed_at: int | None
    source_key: str | None

    @property
    def keys(self) -> list[str]:
        """Of all its files."""
        return [key for key in (self.key, self.preview_key, self.source_key) if key is not None]


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """A file that another server attached; width and height in pixels when it says so."""

    url: str
    kind: str
    mime: str
    description: str = ""
    blurhash: str | None = None
    width: int | None = None
    height: int | None = None
    focus: Focus | None = None


_SELECT = sa.select(*(media.c[item.name] for item in fields(Media)))
_BY_ID = _SELECT.where(media.c.id == sa.bindparam("id"))
_BY_KEY = _SELECT.where(sa.or_(media.c.key == sa.bindparam("key"), media.c.preview_key == sa.bindparam("key")))
_OF_STATUSES = _SELECT.where(media.c.status_id.in_(sa.bindparam("ids", expanding=True))).order_by(
    media.c.status_id, media.c.position, media.c.id
)


def find(tx: Tx, id_: int) -> Media | None:
    """The row with this id, whoever owns it."""
    row = tx.conn.execute(_BY_ID, {"id": id_}).first()
    return Media(*row) if row else None


def find_by_key(tx: Tx, key: str) -> Media | None:
    """The row whose file or preview has this key."""
    row = tx.conn.execute(_BY_KEY, {"key": key}).first()
    return Media(*row) if row else None


def get_own(tx: Tx, account_id: int, id_: int) -> Media:
    """A file of this account. Raises NotFound, also for files of others."""
    found = find(tx, id_)
    if found is None or found.account_id != account_id:
        raise NotFound
    return found


def of_statuses(tx: Tx, ids: list[int]) -> dict[int, list[Media]]:
    """The files of these statuses in their order; statuses without files are left out."""
    found: dict[int, list[Media]] = {}
    for row in tx.conn.execute(_OF_STATUSES, {"ids": ids}) if ids else ():
        found.setdefault(row[2], []).append(Media(*row))
    return found


# -- uploads of people here ------------------------------------------------------------------------------------------


def create(
    tx: Tx,
    *,
    account_id: int,
    kind: str,
    mime: str,
    key: str | None,
    preview_key: str | None,
    description: str = "",
    blurhash: str | None = None,
    sizes: dict[str, Any],
    bytes: int,
    focus: Focus | None = None,
    source_key: str | None = None,
    make_at: int | None = None,
) -> Media:
    """Keep an upload whose file is stored under `key`; `bytes` is its size. Raises Unprocessable.

    A film has no `key` yet but a `source_key`: what was sent. It is made at `make_at` (ms; now by default).
    """
    id_ = tx.new_id()
    tx.conn.execute(
        sa.insert(media).values(
            id=id_, account_id=account_id, kind=kind, mime=mime, key=key, preview_key=preview_key,
            description=_checked(description), blurhash=blurhash, sizes=_with_focus(sizes, focus), bytes=bytes,
            created_at=tx.ms, source_key=source_key,
        )
    )  # fmt: skip
    if source_key is not None:
        _ask_for_film(tx, id_, make_at)
    return get_own(tx, account_id, id_)


def _ask_for_film(tx: Tx, id_: int, at: int | None = None) -> None:
    jobs.put(tx, "make_film", {"media_id": id_}, run_at=at, unique_key=f"make_film:{id_}")


def set_preview(tx: Tx, account_id: int, id_: int, preview_key: str, blurhash: str, small: dict[str, Any]) -> Media:
    """Let a picture of its author's choice stand for an own file; `small` says its size. Raises NotFound."""
    known = get_own(tx, account_id, id_)
    sizes = orjson.dumps({**orjson.loads(known.sizes), "small": small}).decode()
    values = {"preview_key": preview_key, "blurhash": blurhash, "sizes": sizes}
    tx.conn.execute(sa.update(media).where(media.c.id == id_).values(**values))
    return get_own(tx, account_id, id_)


def update(tx: Tx, account_id: int, id_: int, *, description: str | None, focus: Focus | None) -> Media:
    """Change an own file; None leaves a part as it is. Raises NotFound, Unprocessable."""
    known = get_own(tx, account_id, id_)
    values: dict[str, Any] = {}
    if description is not None:
        values["description"] = _checked(description)
    if focus is not None:
        values["sizes"] = _with_focus(orjson.loads(known.sizes), focus)
    if values:
        tx.conn.execute(sa.update(media).where(media.c.id == id_).values(**values))
    return get_own(tx, account_id, id_)


def _checked(description: str) -> str:
    description = description.strip()  # one of blanks says nothing, and clients would show it
    if len(description) > MAX_DESCRIPTION:
        raise Unprocessable(f"Validation failed: a description has at most {MAX_DESCRIPTION} characters")
    return description


def _with_focus(sizes: dict[str, Any], focus: Focus | None) -> str:
    if focus is None:
        return orjson.dumps(sizes).decode()
    x, y = focus
    if not (-1 <= x <= 1 and -1 <= y <= 1):
        raise Unprocessable("Validation failed: both parts of a focus lie between -1 and 1")
    return orjson.dumps({**sizes, "focus": {"x": x, "y": y}}).decode()


def attach(tx: Tx, account_id: int, status_id: int, ids: list[int]) -> None:
    """Give own uploads to a new status, in this order. Raises Unprocessable for others' files, used ones, too many."""
    _place(tx, account_id, status_id, ids, kept=set())


def own_many(tx: Tx, account_id: int, ids: list[int]) -> list[Media]:
    """Uploads of an account, in the order of `ids`; what is not there is left out."""
    if not ids:
        return []
    rows = tx.conn.execute(_SELECT.where(media.c.account_id == account_id, media.c.id.in_(ids)))
    found = {item.id: item for item in (Media(*row) for row in rows)}
    return [found[id_] for id_ in ids if id_ in found]


def reserve(tx: Tx, account_id: int, ids: list[int], scheduled_id: int) -> None:
    """Keep own uploads for a post that waits. Raises Unprocessable like `attach`."""
    _check_made(tx, account_id, ids)
    for id_ in dict.fromkeys(ids):
        free = sa.and_(
            media.c.id == id_, media.c.account_id == account_id, media.c.status_id.is_(None),
            media.c.scheduled_id.is_(None),
        )  # fmt: skip
        if not tx.conn.execute(sa.update(media).where(free).values(scheduled_id=scheduled_id)).rowcount:
            raise Unprocessable("Validation failed: a file does not exist or is used already")


def release(tx: Tx, scheduled_id: int) -> None:
    """The post waits no longer: its files may be used, or are cleared away."""
    mine = media.c.scheduled_id == scheduled_id
    tx.conn.execute(sa.update(media).where(mine).values(scheduled_id=None, created_at=tx.ms))


def replace(tx: Tx, account_id: int, status_id: int, ids: list[int]) -> None:
    """Let an edited status have exactly these files; those that it loses become abandoned. Raises Unprocessable."""
    kept = {item.id for item in of_statuses(tx, [status_id]).get(status_id, [])}
    _place(tx, account_id, status_id, ids, kept=kept)
    gone = sorted(kept.difference(ids))
    if gone:
        tx.conn.execute(sa.update(media).where(media.c.id.in_(gone)).values(status_id=None))


def _place(tx: Tx, account_id: int, status_id: int, ids: list[int], *, kept: set[int]) -> None:
    wanted = list(dict.fromkeys(ids))
    most = tx.site.config.limits.media_attachments
    if len(wanted) > most:
        raise Unprocessable(f"Validation failed: a post has at most {most} files")
    _check_made(tx, account_id, wanted)
    free = sa.and_(media.c.status_id.is_(None), media.c.scheduled_id.is_(None))
    mine = sa.and_(media.c.account_id == account_id, sa.or_(free, media.c.id.in_(kept)))
    for position, id_ in enumerate(wanted):
        placed = sa.update(media).where(media.c.id == id_, mine).values(status_id=status_id, position=position)
        if tx.conn.execute(placed).rowcount == 0:
            raise Unprocessable("Validation failed: a file does not exist or belongs to another post; upload it again.")


def _check_made(tx: Tx, account_id: int, ids: list[int]) -> None:
    if any(item.key is None for item in own_many(tx, account_id, ids)):
        raise Unprocessable("Cannot attach files that have not finished processing. Try again in a moment!")


# -- files of other servers ------------------------------------------------------------------------------------------


def store_remote(tx: Tx, account_id: int, status_id: int, items: list[RemoteMedia]) -> None:
    """Keep what a remote status has attached, and ask for its files to be fetched."""
    for position, item in enumerate(items[:MAX_REMOTE]):
        _store(tx, account_id, status_id, item, position)


def says_the_same(tx: Tx, status_id: int, items: Iterable[RemoteMedia]) -> bool:
    """Whether a remote status has just these files, described alike and with the same focus, as far as one is told."""
    known, told = of_statuses(tx, [status_id]).get(status_id, []), list(items)[:MAX_REMOTE]
    return [(item.remote_url, item.description) for item in known] == [
        (item.url, item.description[:MAX_REMOTE_DESCRIPTION]) for item in told
    ] and all(_refocused(old.sizes, new) is None for old, new in zip(known, told, strict=True))


def _refocused(sizes: str, item: RemoteMedia) -> str | None:
    """`sizes` with the focus that is told now; None when nothing is told or nothing changes."""
    if item.focus is None:
        return None
    known = orjson.loads(sizes)
    changed = _with_focus(known, (_unit(item.focus[0]), _unit(item.focus[1])))
    return changed if orjson.loads(changed) != known else None


def _store(tx: Tx, account_id: int, status_id: int, item: RemoteMedia, position: int) -> None:
    sizes: dict[str, Any] = {}
    if item.width and item.height:
        sizes["original"] = {
            "width": item.width,
            "height": item.height,
            "size": f"{item.width}x{item.height}",
            "aspect": item.width / item.height,
        }
    focus = None if item.focus is None else (_unit(item.focus[0]), _unit(item.focus[1]))
    id_ = tx.new_id()
    tx.conn.execute(
        sa.insert(media).values(
            id=id_, account_id=account_id, status_id=status_id, kind=item.kind if item.kind in KINDS else "unknown",
            mime=item.mime, remote_url=item.url, description=item.description[:MAX_REMOTE_DESCRIPTION],
            blurhash=item.blurhash, sizes=_with_focus(sizes, focus), position=position, created_at=tx.ms,
        )
    )  # fmt: skip
    jobs.put(tx, "fetch_media", {"media_id": id_}, unique_key=f"fetch_media:{id_}")


def _unit(value: float) -> float:
    return max(-1.0, min(1.0, value))


def replace_remote(tx: Tx, account_id: int, status_id: int, items: list[RemoteMedia]) -> None:
    """Take over what an edited remote status has attached; a file that stays is not fetched again."""
    known = {item.remote_url: item for item in of_statuses(tx, [status_id]).get(status_id, [])}
    for position, item in enumerate(items[:MAX_REMOTE]):
        same = known.pop(item.url, None)
        if same is None:
            _store(tx, account_id, status_id, item, position)
        else:
            values: dict[str, Any] = {
                "position": position, "description": item.description[:MAX_REMOTE_DESCRIPTION]
            }  # fmt: skip
            if (sizes := _refocused(same.sizes, item)) is not None:
                values["sizes"] = sizes
            tx.conn.execute(sa.update(media).where(media.c.id == same.id).values(**values))
    if known:
        gone = [item.id for item in known.values()]
        tx.conn.execute(sa.update(media).where(media.c.id.in_(gone)).values(status_id=None))


def fetched(
    tx: Tx,
    id_: int,
    *,
    key: str,
    preview_key: str | None,
    kind: str,
    mime: str,
    bytes: int,
    sizes: dict[str, Any],
    blurhash: str | None = None,
) -> list[str]:
    """The file of an attachment is here now. What is left are the keys that it does not use: of both files if it has
    gone meanwhile, and of the preview if the author chose another.

    A focus that was told before stays.
    """
    known, sent = find(tx, id_), [name for name in (key, preview_key) if name is not None]
    if known is None:
        return sent
    told = orjson.loads(known.sizes)
    chosen = {"small": told["small"]} if known.preview_key is not None and "small" in told else {}
    merged = {**told, **sizes, **chosen}
    values = {"key": key, "kind": kind, "mime": mime, "bytes": bytes, "failed_at": None, "source_key": None}
    values |= {"sizes": orjson.dumps(merged).decode(), "preview_key": known.preview_key or preview_key}
    values["blurhash"] = known.blurhash if chosen else blurhash or known.blurhash
    tx.conn.execute(sa.update(media).where(media.c.id == id_).values(**values))
    _touch(tx, known.status_id)
    return [name for name in sent if name not in (values["key"], values["preview_key"])]


def arrived(tx: Tx, id_: int, source_key: str) -> None:
    """What another server attached is here; a film or sound is to be made of it."""
    tx.conn.execute(sa.update(media).where(media.c.id == id_).values(source_key=source_key))
    _ask_for_film(tx, id_)


def failed(tx: Tx, id_: int) -> None:
    """The file of an attachment cannot be had; what was sent of it is kept no longer."""
    known = find(tx, id_)
    if known is not None:
        tx.conn.execute(sa.update(media).where(media.c.id == id_).values(failed_at=tx.ms, source_key=None))
        _touch(tx, known.status_id)


def _touch(tx: Tx, status_id: int | None) -> None:
    """A status shows its files, so what was rendered of it before is out of date."""
    if status_id is not None:
        tx.conn.execute(sa.update(statuses).where(statuses.c.id == status_id).values(version=statuses.c.version + 1))


# -- cleaning up -----------------------------------------------------------------------------------------------------

_WITHDRAWN = 0
"""In place of the id of a status: the files are being removed. Nothing can use them any more, and without a status to
make them public, whoever asks for them needs an address that was signed."""


def abandoned(tx: Tx, before: int, limit: int = 200) -> list[Media]:
    """Files made before `before` (ms) that no status shows: unused, taken out by an edit, or of a deleted status."""
    statement = _SELECT.where(_is_abandoned(before)).order_by(media.c.id).limit(limit)
    return [Media(*row) for row in tx.conn.execute(statement)]


def _is_abandoned(before: int) -> sa.ColumnElement[bool]:
    deleted = sa.exists().where(statuses.c.id == media.c.status_id, statuses.c.deleted_at < before)
    unused = sa.and_(media.c.status_id.is_(None), media.c.scheduled_id.is_(None))
    return sa.or_(
        media.c.status_id == _WITHDRAWN, sa.and_(media.c.created_at < before, sa.or_(unused, deleted)),
    )  # fmt: skip


def withdraw(tx: Tx, before: int, ids: list[int]) -> list[Media]:
    """Those of these rows that are still abandoned, in a state in which nobody uses them again.

    Their files may be removed once this is committed, and then the rows: whoever dies in between begins anew.
    """
    mine = sa.and_(media.c.id.in_(ids), _is_abandoned(before))
    tx.conn.execute(sa.update(media).where(mine).values(status_id=_WITHDRAWN, scheduled_id=None))
    rows = tx.conn.execute(_SELECT.where(media.c.id.in_(ids), media.c.status_id == _WITHDRAWN))
    return [Media(*row) for row in rows]


def forget(tx: Tx, ids: list[int]) -> None:
    """Remove rows whose files were removed."""
    if ids:
        tx.conn.execute(sa.delete(media).where(media.c.id.in_(ids)))
