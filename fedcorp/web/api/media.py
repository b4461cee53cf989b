"""Pictures for posts: upload, look, describe, drop."""

from typing import Any

from starlette.responses import Response

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import images, media
from fedcorp.social.media import Focus, Media
from fedcorp.storage.database import Tx
from fedcorp.web.api.uploads import Stored, focus_of, store
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities.media import attachment

_OUR_TYPES = "Validation failed: only pictures can be attached (JPEG, PNG, GIF, WebP, AVIF)"


async def create(call: Call) -> Response:
    """POST /api/v2/media and /api/v1/media: the picture is ready when this answers."""
    await call.viewer()  # before megabytes are read and computed for nobody
    params = await call.params()
    upload = params.upload("file")
    if upload is None or not upload.content:
        raise Unprocessable("Validation failed: File can't be blank")
    if upload.mime.startswith(("video/", "audio/")):
        raise Unprocessable(_OUR_TYPES)
    stored = await store(call.context, upload, images.process)
    return json(await call.write(_create, stored, params.text("description") or "", focus_of(params)))


def _create(tx: Tx, viewer: Viewer, stored: Stored, description: str, focus: Focus | None) -> dict[str, Any]:
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
    return attachment(tx, row)


async def show(call: Call) -> Response:
    """GET /api/v1/media/{id}"""
    return json(await call.read(lambda tx, viewer: attachment(tx, _loose(tx, viewer, call.id()))))


async def update(call: Call) -> Response:
    """PUT /api/v1/media/{id}"""
    params = await call.params()
    return json(await call.write(_update, call.id(), params.text("description"), focus_of(params)))


def _update(tx: Tx, viewer: Viewer, id_: int, description: str | None, focus: Focus | None) -> dict[str, Any]:
    _loose(tx, viewer, id_)
    return attachment(tx, media.update(tx, viewer.id, id_, description=description, focus=focus))


async def delete(call: Call) -> Response:
    """DELETE /api/v1/media/{id}"""
    row = await call.write(_delete, call.id())
    for key in filter(None, (row.key, row.preview_key)):
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
