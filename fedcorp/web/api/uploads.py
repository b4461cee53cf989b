"""Takes pictures that people send, computes beside the event loop, and puts the results into the media folder."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from fedcorp.errors import Unavailable, Unprocessable
from fedcorp.social import images
from fedcorp.social.images import SUFFIXES, ProcessedImage
from fedcorp.social.media import Focus
from fedcorp.social.studio import size_of
from fedcorp.web.context import Context
from fedcorp.web.params import Params, Upload

Work = Callable[[bytes], ProcessedImage]


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


class Shelf:
    """Files that one request puts into the media folder: `async with Shelf(context) as shelf`.

    When the block ends with an error they are taken out again, so that what is refused leaves nothing behind.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._keys: list[str] = []

    async def __aenter__(self) -> "Shelf":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, Exception):  # of what is cancelled nobody knows how far it came
            await self._context.clock.offload(self._clear)

    async def store(self, upload: Upload, work: Work) -> Stored:
        """Make a picture and its preview of what was sent, with `work` of `fedcorp.social.images`.

        Raises TooLarge, Unprocessable, and Unavailable when the disk does not take it.
        """
        picture = await self._context.clock.offload(work, upload.content)
        key = await self._put(picture.data, picture.mime)
        return Stored(key, await self._put(picture.preview, picture.preview_mime), picture)

    async def store_whole(self, upload: Upload, work: Work) -> tuple[str, str]:
        """(key, media type) of a picture that needs no preview. Raises as `store`."""
        picture = await self._context.clock.offload(work, upload.content)
        return await self._put(picture.data, picture.mime), picture.mime

    async def store_thumbnail(self, upload: Upload) -> Thumbnail:
        """Make a small picture of what was sent. Raises as `store`."""
        picture = await self._context.clock.offload(images.process, upload.content)
        key = await self._put(picture.preview, picture.preview_mime)
        return Thumbnail(key, size_of(picture.preview_width, picture.preview_height), picture.blurhash)

    async def _put(self, data: bytes, mime: str) -> str:
        key = self._context.clock.random_bytes(16).hex()
        self._keys.append(key)
        try:
            await self._context.clock.offload(lambda: self._context.files.put(data, suffix=SUFFIXES[mime], key=key))
        except OSError as error:
            raise Unavailable("The server cannot keep files now, try again later.", f"media folder: {error}") from error
        return key

    def _clear(self) -> None:
        for key in self._keys:
            self._context.files.delete(key)
