"""Pictures: what comes out is small, upright and silent about its origin; what is broken is refused in one way."""

import io
import random
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import ExifTags, Image, ImageCms, ImageDraw, PngImagePlugin

from fedcorp.errors import FedcorpError, TooLarge, Unprocessable
from fedcorp.social.images import (
    IMAGE_TYPES,
    MAX_BYTES,
    ORIGINAL_AREA,
    PREVIEW_AREA,
    SUFFIXES,
    ProcessedImage,
    avatar,
    default_header,
    header,
    identicon,
    process,
)

pytestmark = pytest.mark.once

FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "AVIF"]


def scene(width: int = 320, height: int = 200, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right, a yellow corner at the top left."""
    picture = Image.new(mode, (width, height), "blue")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width // 2, height), fill="red")
    draw.rectangle((0, 0, width // 5, height // 5), fill="yellow")
    return picture


def encoded(picture: Image.Image, format_: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format_, **options)
    return out.getvalue()


def animated(frames: int = 4, size: tuple[int, int] = (60, 40)) -> bytes:
    pictures = [Image.new("RGB", size, (60 * n % 256, 20, 200)) for n in range(frames)]
    return encoded(
        pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=80, loop=0, comment=b"secret"
    )


def reopened(result: ProcessedImage) -> Image.Image:
    """The picture that was written, after checking that the record about it tells the truth."""
    for data, mime, size in (
        (result.data, result.mime, (result.width, result.height)),
        (result.preview, result.preview_mime, (result.preview_width, result.preview_height)),
    ):
        picture = Image.open(io.BytesIO(data))
        picture.load()
        assert mime in SUFFIXES
        assert f"image/{(picture.format or '').lower()}" == mime
        assert picture.size == size
    assert result.preview_width * result.preview_height <= PREVIEW_AREA
    assert 20 <= len(result.blurhash) <= 40
    return Image.open(io.BytesIO(result.data))


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 60 for a, b in zip(pixel[:3], colour, strict=True))


@pytest.mark.parametrize(
    ("format_", "mime"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/png"),
        ("WEBP", "image/webp"),
        ("AVIF", "image/jpeg"),
    ],
)
def test_every_type_is_read(format_: str, mime: str) -> None:
    assert f"image/{format_.lower()}" in IMAGE_TYPES
    result = process(encoded(scene(), format_), mime="text/html")
    picture = reopened(result)
    assert (result.mime, picture.size, result.animated) == (mime, (320, 200), False)
    assert near(picture.convert("RGB").getpixel((10, 10)), (255, 255, 0))
    assert near(picture.convert("RGB").getpixel((300, 150)), (0, 0, 255))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode: str) -> None:
    picture = Image.new(mode, (90, 60), 30_000 if mode == "I;16" else 0)
    result = reopened(process(encoded(picture, "PNG"))).convert("RGB")
    middle = result.getpixel((45, 30))
    assert middle == ((117, 117, 117) if mode == "I;16" else (0, 0, 0))


def test_print_colours_are_read() -> None:
    picture = reopened(process(encoded(Image.new("CMYK", (90, 60), (0, 255, 255, 0)), "JPEG")))
    assert picture.mode == "RGB"
    assert near(picture.getpixel((5, 5)), (255, 0, 0))


def test_transparency_survives() -> None:
    seen_through = Image.new("RGBA", (900, 900), (255, 0, 0, 0))
    for format_ in ("PNG", "WEBP", "AVIF", "GIF"):
        result = process(encoded(seen_through, format_))
        pixel = reopened(result).convert("RGBA").getpixel((5, 5))
        assert isinstance(pixel, tuple)
        assert pixel[3] == 0
        assert result.preview_mime == "image/png"


def exif_of_a_phone(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Model] = "SecretPhone"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    return exif


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_nothing_tells_where_and_with_what_it_was_taken(format_: str) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "SecretNote")
    options: dict[str, object] = {"exif": exif_of_a_phone(), "icc_profile": srgb(), "xmp": b"<x>SecretXmp</x>"}
    if format_ == "PNG":
        options = {"exif": exif_of_a_phone(), "icc_profile": srgb(), "pnginfo": notes}
    if format_ == "JPEG":
        options["comment"] = "SecretComment"
    data = encoded(scene(1200, 900), format_, **options)
    assert b"Secret" in data
    result = process(data)
    assert not reopened(result).getexif()
    for written in (result.data, result.preview):
        assert b"Secret" not in written
        assert b"Exif" not in written
        assert not set(Image.open(io.BytesIO(written)).info) & {"exif", "icc_profile", "xmp", "comment", "Comment"}


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_an_animation_loses_its_comment_too() -> None:
    assert b"secret" in animated()
    assert b"secret" not in process(animated()).data


# Where the yellow corner must lie after turning, in parts of width and height.
CORNERS = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}


@pytest.mark.parametrize("orientation", CORNERS)
@pytest.mark.parametrize("size", [(320, 200), (1600, 1000)])
def test_orientation_is_applied(orientation: int, size: tuple[int, int]) -> None:
    result = process(encoded(scene(*size), "JPEG", exif=exif_of_a_phone(orientation)))
    picture = reopened(result)
    assert picture.size == (size if orientation < 5 else size[::-1])
    for shown in (picture, Image.open(io.BytesIO(result.preview))):
        x, y = (
            round((side - 1) * (0.05 + 0.9 * at)) for side, at in zip(shown.size, CORNERS[orientation], strict=True)
        )
        assert near(shown.getpixel((x, y)), (255, 255, 0))


def test_large_pictures_shrink_and_keep_their_proportions() -> None:
    result = process(encoded(Image.new("RGB", (6000, 4000), "green"), "JPEG"))
    reopened(result)
    assert ORIGINAL_AREA * 0.98 < result.width * result.height <= ORIGINAL_AREA
    assert result.width / result.height == pytest.approx(1.5, abs=0.01)
    assert result.preview_width / result.preview_height == pytest.approx(1.5, abs=0.02)


def test_small_pictures_stay_and_serve_as_their_preview() -> None:
    result = process(encoded(Image.new("RGB", (1, 1), "green"), "PNG"))
    assert (result.width, result.height) == (1, 1)
    assert result.preview == result.data


def test_very_long_pictures() -> None:
    result = process(encoded(Image.new("RGB", (16_000, 1), "green"), "PNG"))
    assert reopened(result).size == (16_000, 1)


def test_a_photograph_in_png_becomes_jpeg() -> None:
    noise = Image.effect_noise((1800, 1800), 80).convert("RGB")
    assert process(encoded(noise, "PNG", compress_level=1)).mime == "image/jpeg"


def test_a_short_animation_keeps_moving() -> None:
    result = process(animated())
    picture = reopened(result)
    assert isinstance(picture, Image.Image)
    assert (result.mime, result.animated, getattr(picture, "n_frames", 1)) == ("image/gif", True, 4)
    assert picture.info["duration"] == 80
    assert picture.info["loop"] == 0


def test_a_long_animation_becomes_its_first_frame() -> None:
    result = process(animated(frames=30, size=(1000, 700)))
    reopened(result)
    assert (result.mime, result.animated) == ("image/png", False)


def test_moving_webp_and_png_become_their_first_frame() -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    for format_ in ("WEBP", "PNG"):
        result = process(encoded(frames[0], format_, save_all=True, append_images=frames[1:], duration=50))
        picture = reopened(result)
        assert getattr(picture, "n_frames", 1) == 1
        assert near(picture.convert("RGB").getpixel((5, 5)), (255, 0, 0))


@pytest.mark.parametrize(("crop", "size"), [(avatar, (400, 400)), (header, (1500, 500))])
def test_crops(crop: Callable[[bytes], ProcessedImage], size: tuple[int, int]) -> None:
    for data in (encoded(scene(1600, 900), "JPEG"), encoded(scene(30, 80), "PNG"), animated()):
        result = crop(data)
        assert reopened(result).size == size
        assert not result.animated


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(7000, 7000), (12_000, 12_000), (60_000, 60_000), (30_000, 2), (2**31 - 1, 1)])
def test_bombs_are_refused_by_their_header(size: tuple[int, int]) -> None:
    with pytest.raises(Unprocessable, match="pixels"):
        process(png_that_claims(*size))


def test_a_frame_beyond_its_screen_is_no_way_around_the_limit() -> None:
    data = bytearray(animated(frames=2))
    second = data.rindex(b"\x2c")
    struct.pack_into("<HHHH", data, second + 1, 0, 0, 65_000, 65_000)
    try:
        result = process(bytes(data))
    except FedcorpError:
        return
    assert result.width * result.height <= ORIGINAL_AREA


def test_too_many_bytes() -> None:
    with pytest.raises(TooLarge):
        process(bytes(MAX_BYTES + 1))


def test_other_types_are_refused_whatever_they_are_called() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for data in (b"", svg, b"%PDF-1.7", b"GIF89a", encoded(scene(), "TIFF"), encoded(scene(), "BMP")):
        with pytest.raises(Unprocessable) as caught:
            process(data, mime="image/png")
        assert "image/png" in caught.value.detail


def broken_files() -> list[bytes]:
    """For each type: cut at three places, bytes changed in the head, in the body, and a foreign tail in the middle."""
    noise = random.Random(7)
    files: list[bytes] = []
    for format_ in FORMATS:
        good = encoded(scene(), format_, **({"exif": exif_of_a_phone(6)} if format_ != "GIF" else {}))
        files += [good[: len(good) * part // 10] for part in (1, 5, 9)]
        for first, last in ((8, 60), (60, len(good)), (len(good) // 2, len(good))):
            changed = bytearray(good)
            for _ in range(12):
                changed[noise.randrange(min(first, len(good) - 1), min(last, len(good)))] = noise.randrange(256)
            files.append(bytes(changed))
        files.append(good[: len(good) // 2] + bytes(noise.randrange(256) for _ in range(500)))
    return files


@pytest.mark.parametrize("number", range(35))
def test_broken_files_are_refused_or_repaired(number: int) -> None:
    data = broken_files()[number]
    for act in (process, avatar):
        try:
            result = act(data)
        except FedcorpError:
            continue
        reopened(result)


def test_truncated_files_are_refused() -> None:
    for format_ in ("JPEG", "PNG", "WEBP", "AVIF"):
        data = encoded(scene(), format_)
        with pytest.raises(Unprocessable):
            process(data[: len(data) * 6 // 10])


def test_a_broken_colour_profile_does_no_harm() -> None:
    result = process(encoded(scene(), "JPEG", icc_profile=b"not a profile" * 20))
    assert near(reopened(result).getpixel((10, 10)), (255, 255, 0))


def test_default_pictures_are_the_same_for_one_seed_and_differ_between_seeds() -> None:
    for draw, size in ((identicon, (400, 400)), (default_header, (1500, 500))):
        picture = Image.open(io.BytesIO(draw("ann")))
        assert (picture.format, picture.size) == ("PNG", size)
        assert draw("ann") == draw("ann")
        assert len({draw(f"person {n}") for n in range(20)}) == 20
        assert len(draw("ann")) < 20_000


def test_identicons_are_mirrored() -> None:
    picture = Image.open(io.BytesIO(identicon("ann"))).convert("RGB")
    assert picture.tobytes() == picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).tobytes()
    assert len(picture.getcolors() or []) >= 2
