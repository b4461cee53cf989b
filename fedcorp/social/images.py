"""Pictures: reads what people upload, and writes it anew, smaller and without anything that tells where it was taken.

Pure computing: bytes in, bytes out, often for half a second of CPU, so the caller runs it in a worker thread. The type
is found by looking at the bytes; names and declared types decide nothing. Never stores and never fetches.
"""

import colorsys
import hashlib
import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from blurhash_rs import blurhash_encode
from PIL import ExifTags, Image, ImageCms, ImageDraw, ImageFile, ImageOps

from fedcorp.errors import TooLarge, Unprocessable

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif")
"""MIME types that `process` reads."""
SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}
"""MIME types that `process` writes, with the file suffix of each."""
MAX_BYTES = 16 * 1024 * 1024
MAX_PIXELS = 40_000_000
# A JPEG is decoded at a fraction of its size. The others stand in memory whole, some of them several times, and a file
# of a few kilobytes may claim any size: so many pixels cost about 256 MiB, and two pictures are worked on at a time.
MAX_PIXELS_OF = {"PNG": 20_000_000, "GIF": 20_000_000, "AVIF": 20_000_000, "WEBP": 10_000_000}
"""How many pixels are taken of types that need more memory than a JPEG."""
SAFE_PIXELS = min(MAX_PIXELS, *MAX_PIXELS_OF.values())
"""How many pixels are taken of any type, and still more than are kept."""
MAX_SIDE = 16_383  # the largest side that WebP can hold
ORIGINAL_AREA = 3840 * 2160
PREVIEW_AREA = 640 * 360
EMOJI_AREA = 256 * 256
AVATAR_SIZE = (400, 400)
HEADER_SIZE = (1500, 500)
MAX_ANIMATION_PIXELS = 20_000_000  # all frames together, about two seconds of CPU
MAX_FRAMES = 1000  # half a millisecond each, however small
MAX_SCANS = 100  # of a progressive JPEG, which has about ten: each may cost as much as the whole picture in a few bytes

_FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "AVIF"]
_PNG_BYTES = 4 * 1024 * 1024  # an opaque PNG above this is a photograph in the wrong format
_ICC_BYTES = 1024 * 1024
_Picture = Image.Image

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
# Between its limit and twice that Pillow only warns; for us the limit is one.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

# What Pillow raises on files that were broken by chance or on purpose.
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, AttributeError, ArithmeticError, MemoryError,
    RuntimeError, AssertionError, struct.error, zlib.error, Warning, Image.DecompressionBombError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProcessedImage:
    """A picture and its preview, ready to be stored: encoded bytes, MIME types, sizes in pixels, and a BlurHash."""

    data: bytes
    mime: str
    width: int
    height: int
    preview: bytes
    preview_mime: str
    preview_width: int
    preview_height: int
    blurhash: str
    animated: bool = False


@contextmanager
def _refusing_broken(mime: str | None = None) -> Iterator[None]:
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except _BROKEN as error:
        detail = f"declared {mime!r}: {type(error).__name__}: {error}"
        raise Unprocessable("This picture cannot be read. Send a JPEG, PNG, GIF, WebP or AVIF file.", detail) from error


def _too_many_pixels(most: int = MAX_PIXELS) -> Unprocessable:
    return Unprocessable(f"This picture has too many pixels; at most {most // 1_000_000} million can be taken.")


def _opened(data: bytes) -> ImageFile.ImageFile:
    """The picture with its header read and vetted, its pixels not yet decoded."""
    if len(data) > MAX_BYTES:
        raise TooLarge(f"This picture is too large; at most {MAX_BYTES // 1024 // 1024} MB can be taken.")
    picture = Image.open(io.BytesIO(data), formats=_FORMATS)
    width, height = picture.size
    most = MAX_PIXELS_OF.get(picture.format or "", MAX_PIXELS)
    if width * height > most or max(width, height) > MAX_SIDE:
        raise _too_many_pixels(most)
    if _mime_of(picture) == "image/jpeg" and _has_too_many_scans(data):
        raise Unprocessable("This picture is built in too many steps.", f"more than {MAX_SCANS} scans")
    return picture


_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")  # inside pixels, none but these follow a byte of ones


def _has_too_many_scans(jpeg: bytes) -> bool:
    position, scans = 2, 0
    while scans <= MAX_SCANS:
        found = _MARKER.search(jpeg, position)
        if found is None or found[1] == b"\xd9":
            return False
        scans += found[1] == b"\xda"
        position = found.end() + int.from_bytes(jpeg[found.end() : found.end() + 2], "big")
    return True


def _size_within(size: tuple[int, int], area: int) -> tuple[int, int]:
    """`size` scaled down, never up, to cover at most `area` pixels in the same proportions."""
    width, height = size
    if width * height <= area:
        return size
    scale = (area / (width * height)) ** 0.5
    return max(1, int(width * scale)), max(1, int(height * scale))


def _shrunk(picture: _Picture, area: int) -> _Picture:
    size = _size_within(picture.size, area)
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _has_alpha(picture: _Picture) -> bool:
    """Whether any pixel lets the background through; an alpha channel that is full everywhere does not count."""
    if not picture.has_transparency_data:
        return False
    lowest = picture.convert("RGBA").getchannel("A").getextrema()[0]
    return isinstance(lowest, int | float) and lowest < 255


def _orientation(picture: _Picture) -> int:
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except _BROKEN:
        return 1  # the pixels may be fine although the notes about them are not
    return value if isinstance(value, int) else 1


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _to_srgb(picture: _Picture, profile: object) -> _Picture:
    """Colours as screens expect them, since the profile that explains them is removed with all other metadata."""
    if not isinstance(profile, bytes) or len(profile) > _ICC_BYTES or picture.mode not in ("RGB", "RGBA"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, *_BROKEN):
        return picture
    return converted or picture


def _decoded(picture: ImageFile.ImageFile, area: int) -> _Picture:
    """First frame, upright, RGB or RGBA in sRGB, at most about `area` pixels, free of metadata."""
    # JPEG alone can be decoded at half, quarter or eighth size; this saves most of the time.
    picture.draft(None, _size_within(picture.size, area))
    turn = _TURNS.get(_orientation(picture))
    profile = picture.info.get("icc_profile")
    picture.load()
    sixteen_bit = picture.mode.startswith("I") or picture.mode == "F"
    source = picture.point(lambda value: value / 256).convert("L") if sixteen_bit else picture
    mode = "RGBA" if source.has_transparency_data else "RGB"
    whole = source if source.mode == mode else source.convert(mode)  # which would be a copy of all pixels
    pixels = _shrunk(whole, area)
    pixels = _to_srgb(pixels, profile)
    if turn is not None:
        pixels = pixels.transpose(turn)
    pixels.info = {}
    return pixels


def _encoded(picture: _Picture, mime: str) -> bytes:
    """The bytes of `picture`, which has no metadata any more, as `mime` (one of SUFFIXES, but not GIF)."""
    out = io.BytesIO()
    if mime == "image/jpeg":
        picture.save(out, "JPEG", quality=87)
    elif mime == "image/webp":
        picture.save(out, "WEBP", quality=85, method=2)
    else:
        picture.save(out, "PNG", compress_level=5)
    return out.getvalue()


def _written(picture: _Picture, wanted: str) -> tuple[bytes, str]:
    """Bytes and MIME type for `picture`: as `wanted` if that suits, else JPEG, or PNG when it is see-through."""
    alpha = _has_alpha(picture)
    mime = wanted
    if mime not in SUFFIXES or mime == "image/gif" or (mime == "image/jpeg" and alpha):
        mime = "image/png" if alpha or wanted == "image/gif" else "image/jpeg"
    data = _encoded(picture if alpha else picture.convert("RGB"), mime)
    if mime == "image/png" and not alpha and len(data) > _PNG_BYTES:
        mime = "image/jpeg"
        data = _encoded(picture, mime)
    return data, mime


def _blurhash(picture: _Picture) -> str:
    small = picture.resize((64, 64), Image.Resampling.BOX).convert("RGBA")
    white = Image.new("RGBA", small.size, "white")
    return blurhash_encode(Image.alpha_composite(white, small).convert("RGB"), 4, 3)


def _finished(picture: _Picture, wanted: str) -> ProcessedImage:
    data, mime = _written(picture, wanted)
    small = _shrunk(picture, PREVIEW_AREA)
    if small is picture:
        preview, preview_mime = data, mime
    else:
        preview, preview_mime = _written(small, "image/jpeg")
    return ProcessedImage(data, mime, *picture.size, preview, preview_mime, *small.size, _blurhash(small))


def _mime_of(picture: ImageFile.ImageFile) -> str:
    # A phone's JPEG that carries a second picture is called MPO; its first picture is an ordinary JPEG.
    return "image/jpeg" if picture.format == "MPO" else f"image/{(picture.format or '').lower()}"


def _frames(picture: ImageFile.ImageFile) -> tuple[list[_Picture], list[int]] | None:
    """All frames of an animation with the milliseconds that each stays, or None if it is still or costs too much."""
    area = picture.width * picture.height
    frames: list[_Picture] = []
    durations: list[int] = []
    try:
        while len(frames) < MAX_FRAMES and (len(frames) + 1) * area <= MAX_ANIMATION_PIXELS:
            picture.seek(len(frames))
            if picture.width * picture.height > area:
                return None
            frame = picture.convert("RGBA")
            frame.info = {}
            frames.append(frame)
            durations.append(max(20, int(picture.info.get("duration", 100))))
    except EOFError:
        return (frames, durations) if len(frames) > 1 else None
    return None


def _animation(data: bytes) -> ProcessedImage | None:
    """A GIF that moves, written anew; None if it is still, or too long or too large to be worth it."""
    picture = _opened(data)
    loops = picture.info.get("loop", 0)
    found = _frames(picture) if picture.width * picture.height <= ORIGINAL_AREA // 4 else None
    if found is None:
        return None
    frames, durations = found
    out = io.BytesIO()
    frames[0].save(
        out, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=loops, disposal=2, optimize=False
    )
    small = _shrunk(frames[0], PREVIEW_AREA)
    preview, preview_mime = _written(small, "image/gif")
    return ProcessedImage(
        out.getvalue(),
        "image/gif",
        *frames[0].size,
        preview,
        preview_mime,
        *small.size,
        _blurhash(small),
        animated=True,
    )


def moves(data: bytes) -> bool:
    """Whether this is a GIF of more than one frame, as far as it can be read; reads no further than the second."""
    if not data.startswith(b"GIF8"):
        return False
    try:
        _opened(data).seek(1)
    except (TooLarge, Unprocessable, *_BROKEN):
        return False
    return True


def process(data: bytes, *, mime: str | None = None) -> ProcessedImage:
    """An uploaded picture as it is stored and shown: upright, at most 3840x2160 pixels in area, without metadata.

    JPEG, PNG and WebP stay what they are, a short animated GIF too; other GIFs and AVIF become PNG or JPEG. `mime` is
    what the sender declares, and serves the log only. Raises TooLarge (bytes) and Unprocessable (pixels, broken file).
    """
    with _refusing_broken(mime):
        picture = _opened(data)
        kind = _mime_of(picture)
        if kind == "image/gif" and (moving := _animation(data)) is not None:
            return moving
        return _finished(_decoded(picture, ORIGINAL_AREA), kind)


def _cropped(data: bytes, size: tuple[int, int]) -> ProcessedImage:
    with _refusing_broken():
        picture = _opened(data)
        kind = _mime_of(picture)
        pixels = _decoded(picture, ORIGINAL_AREA)
        return _finished(ImageOps.fit(pixels, size, Image.Resampling.LANCZOS), kind)


def avatar(data: bytes) -> ProcessedImage:
    """A picture of somebody, cropped to 400x400, still. Raises TooLarge and Unprocessable."""
    return _cropped(data, AVATAR_SIZE)


def header(data: bytes) -> ProcessedImage:
    """The wide picture of a profile, cropped to 1500x500, still. Raises TooLarge and Unprocessable."""
    return _cropped(data, HEADER_SIZE)


def emoji(data: bytes) -> ProcessedImage:
    """A picture that stands in a line of text, at most EMOJI_AREA pixels; its preview does not move.

    Raises TooLarge and Unprocessable.
    """
    with _refusing_broken():
        picture = _opened(data)
        kind = _mime_of(picture)
        is_small = picture.width * picture.height <= EMOJI_AREA
        if kind == "image/gif" and is_small and (moving := _animation(data)) is not None:
            return moving
        return _finished(_decoded(picture, EMOJI_AREA), kind)


def _colour(hue: float, lightness: float, saturation: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hls_to_rgb(hue % 1.0, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _png(picture: _Picture) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def identicon(seed: str) -> bytes:
    """A PNG of 400x400 for whoever has no picture: mirrored tiles in two tones of one colour, the same for one seed."""
    noise = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    hue = noise[0] / 256
    tones = [_colour(hue, 0.92, 0.45), _colour(hue, 0.45, 0.5), _colour(hue + 0.08, 0.62, 0.55)]
    picture = Image.new("RGB", AVATAR_SIZE, tones[0])
    draw = ImageDraw.Draw(picture)
    tile, margin = 64, 40
    for row in range(5):
        for column in range(3):
            # Two tiles in four stay empty, one in four takes each tone.
            tone = tones[max(0, noise[1 + row * 3 + column] % 4 - 1)]
            for x in {column, 4 - column}:
                left, top = margin + x * tile, margin + row * tile
                draw.rectangle((left, top, left + tile - 1, top + tile - 1), fill=tone)
    return _png(picture.quantize(4))


def default_header(seed: str) -> bytes:
    """A PNG of 1500x500 behind a profile without one: slanting bands in the colour of the seed's identicon."""
    noise = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    hue = noise[0] / 256
    width, height = HEADER_SIZE
    picture = Image.new("RGB", HEADER_SIZE, _colour(hue, 0.8, 0.35))
    draw = ImageDraw.Draw(picture)
    left = -height
    for value in noise[1:]:
        band = 60 + value
        edges = [(left, height), (left + height, 0), (left + height + band, 0), (left + band, height)]
        draw.polygon(edges, fill=_colour(hue + (value % 5 - 2) * 0.015, 0.72 + value / 256 * 0.16, 0.35))
        left += band
        if left > width:
            break
    return _png(picture.quantize(32))
