"""Files for posts: upload, look, describe, drop. A picture is ready at once, a film or sound a while later."""

from typing import Any

from starlette.responses import Response

from fedcorp.errors import NotFound, TooLarge, Unavailable, Unprocessable
from fedcorp.social import films, images, media
from fedcorp.social.films import Holds
from fedcorp.social.media import Focus, Media
from fedcorp.social.studio import tools_for
from fedcorp.storage.database import Tx
from fedcorp.web.api.uploads import Shelf, Stored, Thumbnail, focus_of
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities.media import attachment
from fedcorp.web.params import Params, Upload
from fedcorp.web.problems import ACCEPTED, OK, PARTIAL

_FAILED = "This video or sound could not be processed. Try another file."
_OTHER_TYPES = "Validation failed: this is no picture, video or sound of a type that can be attached"


async def create(call: Call) -> Response:
    """POST /api/v2/media: a picture is ready when this answers, a film is made later (202)."""
    upload, params = await _upload(call)
    film = await _create_film(call, upload, params, later=True)
    return json(film, ACCEPTED) if film is not None else json(await _create_picture(call, upload, params))


async def create_v1(call: Call) -> Response:
    """POST /api/v1/media: everything is ready when this answers."""
    upload, params = await _upload(call)
    made = await _create_film(call, upload, params, later=False)
    if made is None:
        return json(await _create_picture(call, upload, params))
    await call.context.studio.make(int(made["id"]))
    return json(
        await call.read(lambda tx, viewer: attachment(tx, _made(media.get_own(tx, viewer.id, int(made["id"])))))
    )


async def _upload(call: Call) -> tuple[Upload, Params]:
    await call.viewer()  # before megabytes are read and computed for nobody
    params = await call.params()
    upload = params.upload("file")
    if upload is None or not upload.content:
        raise Unprocessable("Validation failed: File can't be blank")
    if upload.mime.startswith(("video/", "audio/")) and not films.demuxer_of(upload.content[:64]):
        raise Unprocessable(_OTHER_TYPES if tools_for(call.context.config) else films.ABSENT)
    return upload, params


async def _thumbnail(shelf: Shelf, params: Params) -> Thumbnail | None:
    """The picture that its author wants to stand for the file."""
    upload = params.upload("thumbnail")
    if upload is None or not upload.content:
        return None
    return await shelf.store_thumbnail(upload)


async def _create_picture(call: Call, upload: Upload, params: Params) -> dict[str, Any]:
    most = call.context.config.limits.media_bytes
    if len(upload.content) > most:
        raise TooLarge(f"This picture is too large; at most {most} bytes can be taken.")
    focus = focus_of(params)
    description = params.text("description") or ""
    async with Shelf(call.context) as shelf:
        stored = await shelf.store(upload, images.process)
        thumbnail = await _thumbnail(shelf, params)
        return await call.write(_create, stored, description, focus, thumbnail)


def _create(
    tx: Tx, viewer: Viewer, stored: Stored, description: str, focus: Focus | None, thumbnail: Thumbnail | None
) -> dict[str, Any]:
    picture = stored.picture
    row = media.create(
        tx,
        account_id=viewer.id,
        kind="image",
        mime=picture.mime,
        key=stored.key,
        preview_key=stored.preview_key,
        description=description,
        blurhash=picture.blurhash,
        sizes=stored.sizes,
        bytes=len(picture.data) + len(picture.preview),
        focus=focus,
    )
    return attachment(tx, _with_preview(tx, row, thumbnail))


def _with_preview(tx: Tx, row: Media, thumbnail: Thumbnail | None) -> Media:
    if thumbnail is None:
        return row
    return media.set_preview(tx, row.account_id, row.id, thumbnail.key, thumbnail.blurhash, thumbnail.size)


async def _create_film(call: Call, upload: Upload, params: Params, *, later: bool) -> dict[str, Any] | None:
    """None for a picture, also for one that moves but is more than a film may be."""
    if films.demuxer_of(upload.content[:64]):
        return await _begin_film(call, upload, params, later=later)
    if not await call.context.studio.moves(upload.content):
        return None
    try:
        return await _begin_film(call, upload, params, later=later)
    except Unprocessable:  # what is wrong with more than the film is told of the picture as well
        return None


async def _begin_film(call: Call, upload: Upload, params: Params, *, later: bool) -> dict[str, Any]:
    focus = focus_of(params)
    description = params.text("description") or ""
    async with Shelf(call.context) as shelf:
        thumbnail = await _thumbnail(shelf, params)
        return await _take_film(call, upload, description, focus, thumbnail, later=later)


async def _take_film(
    call: Call, upload: Upload, description: str, focus: Focus | None, thumbnail: Thumbnail | None, *, later: bool
) -> dict[str, Any]:
    studio = call.context.studio
    try:
        source_key, holds = await studio.take(upload.content)
    except OSError as error:
        raise Unavailable("The server cannot keep files now, try again later.", f"media folder: {error}") from error
    # Whoever makes it at once leaves a job behind all the same, for the case that this process ends meanwhile.
    wait_ms = 0 if later else studio.lease_seconds * 1000
    try:
        return await call.write(_create_row, source_key, holds, upload, description, focus, thumbnail, wait_ms)
    except BaseException:
        await call.context.clock.offload(call.context.files.delete, source_key)
        raise


def _create_row(
    tx: Tx, viewer: Viewer, source_key: str, holds: Holds, upload: Upload, description: str, focus: Focus | None,
    thumbnail: Thumbnail | None, wait_ms: int,
) -> dict[str, Any]:  # fmt: skip
    row = media.create(
        tx, account_id=viewer.id, kind=holds.kind, mime=upload.mime, key=None, preview_key=None,
        description=description, sizes={}, bytes=len(upload.content), focus=focus, source_key=source_key,
        make_at=tx.ms + wait_ms,
    )  # fmt: skip
    return attachment(tx, _with_preview(tx, row, thumbnail))


async def show(call: Call) -> Response:
    """GET /api/v1/media/{id}: 206 while it is being made."""
    entity, status = await call.read(_show, call.id())
    return json(entity, status)


def _show(tx: Tx, viewer: Viewer, id_: int) -> tuple[dict[str, Any], int]:
    row = _made(_loose(tx, viewer, id_))
    return attachment(tx, row), OK if row.key is not None else PARTIAL


def _made(row: Media) -> Media:
    """Raises Unprocessable when nothing could be made of what was sent."""
    if row.failed_at is not None:
        raise Unprocessable(_FAILED)
    return row


async def update(call: Call) -> Response:
    """PUT /api/v1/media/{id}"""
    params = await call.params()
    focus = focus_of(params)
    await call.read(_loose, call.id())
    async with Shelf(call.context) as shelf:
        thumbnail = await _thumbnail(shelf, params)
        entity, unused = await call.write(_update, call.id(), params.text("description"), focus, thumbnail)
    if unused is not None:
        await call.context.clock.offload(call.context.files.delete, unused)
    return json(entity)


def _update(
    tx: Tx, viewer: Viewer, id_: int, description: str | None, focus: Focus | None, thumbnail: Thumbnail | None
) -> tuple[dict[str, Any], str | None]:
    before = _loose(tx, viewer, id_)
    row = _with_preview(tx, media.update(tx, viewer.id, id_, description=description, focus=focus), thumbnail)
    unused = before.preview_key if row.preview_key != before.preview_key else None
    return attachment(tx, row), unused


async def delete(call: Call) -> Response:
    """DELETE /api/v1/media/{id}"""
    row = await call.write(_delete, call.id())
    for key in row.keys:
        await call.context.clock.offload(call.context.files.delete, key)
    return json({})


def _delete(tx: Tx, viewer: Viewer, id_: int) -> Media:
    row = _loose(tx, viewer, id_)
    media.forget(tx, [id_])
    return row


def _loose(tx: Tx, viewer: Viewer, id_: int) -> Media:
    """An own file that no post has yet: what is posted is changed by editing the post. Raises NotFound."""
    row = media.get_own(tx, viewer.id, id_)
    if row.status_id is not None:
        raise NotFound
    return row
