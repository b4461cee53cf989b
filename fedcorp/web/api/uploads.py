"""Takes pictures that people send, computes beside the event loop, and puts the results into the media folder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fedcorp.errors import Unavailable, Unprocessable
from fedcorp.social import images
from fedcorp.social.images import SUFFIXES, ProcessedImage
from fedcorp.social.media import Focus
from fedcorp.social.studio import size_of
from fedcorp.web.context import Context
from fedcorp.web.params import Params, Upload


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture in the media folder, under its key and that of its preview."""

    key: str
    preview_key: str
    picture: ProcessedImage

    @property
    def sizes(self) -> dict[str, Any]:
        """Mastodon's `meta`."""
        picture = self.picture
        return {
            "original": size_of(picture.width, picture.height),
            "small": size_of(picture.preview_width, picture.preview_height),
        }


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture in the media folder that stands for something else; `size` as in Mastodon's `meta`."""

    key: str
    size: dict[str, Any]
    blurhash: str


def focus_of(params: Params) -> Focus | None:
    """The parameter `focus`, which is written "x,y". Raises BadRequest, Unprocessable."""
    text = params.text("focus")
    if not text:
        return None
    x, comma, y = text.partition(",")
    point = Params({"focus": x.strip()}).number("focus"), Params({"focus": y.strip()}).number("focus")
    if not comma or point[0] is None or point[1] is None:
        raise Unprocessable("Validation failed: a focus is two numbers with a comma between")
    return point[0], point[1]


async def store(context: Context, upload: Upload, work: Callable[[bytes], ProcessedImage]) -> Stored:
    """Make a picture of what was sent, with `work` of `fedcorp.social.images`.

    Raises TooLarge, Unprocessable, and Unavailable when the disk does not take it.
    """
    key, preview_key = (context.clock.random_bytes(16).hex() for _ in range(2))
    return await context.clock.offload(_store, context, upload.content, work, key, preview_key)


async def store_thumbnail(context: Context, upload: Upload) -> Thumbnail:
    """Make a small picture of what was sent. Raises as `store`."""
    key = context.clock.random_bytes(16).hex()
    return await context.clock.offload(_store_thumbnail, context, upload.content, key)


def _store_thumbnail(context: Context, content: bytes, key: str) -> Thumbnail:
    picture = images.process(content)
    try:
        context.files.put(picture.preview, suffix=SUFFIXES[picture.preview_mime], key=key)
    except OSError as error:
        raise Unavailable("The server cannot keep files now, try again later.", f"media folder: {error}") from error
    return Thumbnail(key, size_of(picture.preview_width, picture.preview_height), picture.blurhash)


def _store(
    context: Context, content: bytes, work: Callable[[bytes], ProcessedImage], key: str, preview_key: str
) -> Stored:
    picture = work(content)
    try:
        context.files.put(picture.data, suffix=SUFFIXES[picture.mime], key=key)
        context.files.put(picture.preview, suffix=SUFFIXES[picture.preview_mime], key=preview_key)
    except OSError as error:
        context.files.delete(key)
        raise Unavailable("The server cannot keep files now, try again later.", f"media folder: {error}") from error
    return Stored(key, preview_key, picture)
