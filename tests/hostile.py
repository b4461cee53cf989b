"""Files that nobody sends by mistake: pictures that claim, unfold, repeat, loop, lie about what they are, carry more.

Each is made here, small, and the same every time. `CORPUS` maps a name to what makes it; `TAKEN` are those that hold a
picture which may be shown, once it was written anew; nothing of the others is kept.
"""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw

SCRIPT = b"<html><script>alert('steal')</script></html>"
MIB = 1024 * 1024
STATUS = Path("/proc/self/status")


@contextmanager
def bounded(most: int = 256 * MIB) -> Iterator[None]:
    """The process never holds so many bytes more than at the beginning."""
    if not STATUS.exists():
        yield  # nothing else says how much it was at its highest
        return
    Path("/proc/self/clear_refs").write_text("5")
    begin = _resident("VmRSS")
    yield
    assert _resident("VmHWM") - begin <= most


def _resident(name: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


@cache
def scene(kind: str) -> bytes:
    """A harmless picture of this type."""
    picture = Image.new("RGB", (120, 80), "navy")
    ImageDraw.Draw(picture).ellipse((20, 10, 100, 70), fill="gold")
    return encoded(picture, kind)


@cache
def zeros(mebibytes: int) -> bytes:
    """So many MiB of zeros, deflated: a thousandth of that."""
    deflater = zlib.compressobj(9)
    return b"".join(deflater.compress(bytes(MIB)) for _ in range(mebibytes)) + deflater.flush()


# -- PNG -------------------------------------------------------------------------------------------------------------

SIGNATURE, END = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x00IEND\xaeB`\x82"


def chunk(kind: bytes, body: bytes, *, length: int | None = None) -> bytes:
    """One chunk of a PNG; `length`, when it lies."""
    size = struct.pack(">I", len(body) if length is None else length)
    return size + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def head(width: int, height: int, depth: int = 8, colours: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))


def flat(width: int, height: int, depth: int = 8, colours: int = 2, samples: int = 3, more: bytes = b"") -> bytes:
    """A whole PNG of one colour, deflated a thousandfold."""
    row = bytes(1 + (width * depth * samples + 7) // 8)
    deflater = zlib.compressobj(9)
    pixels = b"".join(deflater.compress(row) for _ in range(height)) + deflater.flush()
    return SIGNATURE + head(width, height, depth, colours) + more + chunk(b"IDAT", pixels) + END


def claimed(width: int, height: int) -> bytes:
    return SIGNATURE + head(width, height) + chunk(b"IDAT", zlib.compress(bytes(100_000))) + END


def with_chunk(*chunks: bytes) -> bytes:
    """The harmless PNG with more behind its header."""
    return scene("PNG")[:33] + b"".join(chunks) + scene("PNG")[33:]


def apng(frames: int, said: int | None = None) -> bytes:
    parts = [SIGNATURE, head(1, 1), chunk(b"acTL", struct.pack(">II", frames if said is None else said, 0))]
    dot, sequence = zlib.compress(bytes(4)), 0
    for number in range(frames):
        parts.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, 1, 1, 0, 0, 1, 100, 0, 0)))
        sequence += 1
        if number == 0:
            parts.append(chunk(b"IDAT", dot))
        else:
            parts.append(chunk(b"fdAT", struct.pack(">I", sequence) + dot))
            sequence += 1
    return b"".join(parts) + END


# -- GIF -------------------------------------------------------------------------------------------------------------


def gif(screen: tuple[int, int], frames: int, place: tuple[int, int, int, int] = (0, 0, 1, 1)) -> bytes:
    """A GIF whose frames each hold one pixel, whatever sizes they claim."""
    start = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    pace = b"\x21\xf9\x04\x00\x02\x00\x00\x00"
    frame = pace + b"\x2c" + struct.pack("<HHHHB", *place, 0) + b"\x02\x02\x44\x01\x00"
    return start + frame * frames + b"\x3b"


# -- JPEG ------------------------------------------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def with_segments(*segments: bytes) -> bytes:
    """The harmless JPEG with more behind its first marker."""
    return scene("JPEG")[:2] + b"".join(segments) + scene("JPEG")[2:]


def jpeg_of(width: int, height: int) -> bytes:
    """The harmless JPEG with another size in its frame header."""
    data = bytearray(scene("JPEG"))
    place = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, place + 5, height, width)
    return bytes(data)


def many_scans(scans: int, side: int = 5000) -> bytes:
    """A progressive JPEG that says of each of its blocks, again and again, that nothing is to be added: a few bytes
    each time, which cost as much work as the picture is large."""
    frame = segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\x00")
    table = segment(0xDB, b"\x00" + bytes([1] * 64))
    # Two codes of one bit in each table: a difference of zero; and a run of blocks without anything.
    dc = segment(0xC4, b"\x00" + bytes([1]) + bytes(15) + b"\x00")
    ac = segment(0xC4, b"\x10" + bytes([1]) + bytes(15) + b"\xe0")
    blocks = ((side + 7) // 8) ** 2
    first = segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + bytes((blocks + 7) // 8)
    runs = -(-blocks // 32_767)
    bits = ("0" + "1" * 14) * runs
    packed = int(bits + "1" * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8, "big").replace(b"\xff", b"\xff\x00")
    later = segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + packed
    return b"\xff\xd8" + table + frame + dc + ac + first + later * scans + b"\xff\xd9"


def exif(body: bytes) -> bytes:
    return segment(0xE1, b"Exif\x00\x00" + body)


def ifd(*entries: tuple[int, int, int, int], after: int = 0) -> bytes:
    """A TIFF header and a directory of (tag, type, count, value), and where the next directory lies."""
    rows = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    return b"MM\x00\x2a" + struct.pack(">IH", 8, len(entries)) + rows + struct.pack(">I", after)


def icc_parts(parts: int) -> bytes:
    """A colour profile in so many segments of 64 KiB."""
    return with_segments(
        *(segment(0xE2, b"ICC_PROFILE\x00" + bytes((n % 255 + 1, parts % 256)) + bytes(65_000)) for n in range(parts))
    )


def broken_profile() -> bytes:
    """A profile with a header, and a table that claims 2^31 tags."""
    header_ = struct.pack(">I", 200) + bytes(32) + b"acsp" + bytes(88)
    return segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + header_ + struct.pack(">I", 2**31 - 1) + b"\xff" * 68)


# -- WebP and AVIF ---------------------------------------------------------------------------------------------------


def webp_canvas(width: int, height: int, frames: int = 0) -> bytes:
    """A WebP with a canvas of any size and so many frames of one pixel."""
    dot = encoded(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes((2, 0, 0, 0))
    canvas += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    parts = canvas + b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    frame = bytes(12) + (20).to_bytes(3, "little") + b"\x00" + dot
    parts += (b"ANMF" + struct.pack("<I", len(frame)) + frame) * max(1, frames)
    return b"RIFF" + struct.pack("<I", len(parts) + 4) + b"WEBP" + parts


def webp_that_lies() -> bytes:
    data = bytearray(scene("WEBP"))
    struct.pack_into("<I", data, 4, 2**31)
    return bytes(data)


def avif_of(width: int, height: int) -> bytes:
    data = bytearray(scene("AVIF"))
    place = data.index(b"ispe")
    struct.pack_into(">II", data, place + 8, width, height)
    return bytes(data)


# -- other things under the name of a picture ------------------------------------------------------------------------


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("x.html", SCRIPT)
    return out.getvalue()


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
SVG = (
    b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "ha">' + LAUGHS + b'<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><text>&l9;&x;</text></svg>'
)
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file closefile\n%%EOF"


def bmp() -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 200, 0, 0, 54, 40, 65_535, 65_535, 1, 24, *[0] * 6)


def tiff(width: int, height: int) -> bytes:
    """A TIFF of one strip that unfolds to 64 MiB, and claims any size."""
    strip = zeros(64)
    head_ = ifd(
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8 << 16), (259, 3, 1, 8 << 16), (262, 3, 1, 1 << 16),
        (273, 4, 1, 200), (277, 3, 1, 1 << 16), (278, 4, 1, height), (279, 4, 1, len(strip)),
    )  # fmt: skip
    return head_.ljust(200, b"\x00") + strip


# -- the corpus ------------------------------------------------------------------------------------------------------

CORPUS: dict[str, Callable[[], bytes]] = {
    "png-50000x50000": lambda: claimed(50_000, 50_000),
    "png-one-line-of-two-thousand-million": lambda: claimed(2**31 - 1, 1),
    "png-one-line-beyond-the-side": lambda: flat(20_000, 1),
    "png-whole-beyond-the-pixels": lambda: flat(4_600, 4_600, 1, 0, 1),
    "png-without-width": lambda: claimed(0, 9),
    "png-of-negative-size": lambda: claimed(2**32 - 9, 9),
    "png-truncated": lambda: scene("PNG")[:-60],
    "png-header-only": lambda: SIGNATURE + head(9, 9),
    "png-chunk-of-2-gib": lambda: SIGNATURE + head(9, 9) + chunk(b"IDAT", b"x" * 99, length=2**31 - 1),
    "png-text-that-unfolds": lambda: with_chunk(chunk(b"zTXt", b"Comment\x00\x00" + zeros(200))),
    "png-profile-that-unfolds": lambda: with_chunk(chunk(b"iCCP", b"x\x00\x00" + zeros(200))),
    "png-many-texts": lambda: with_chunk(*[chunk(b"zTXt", b"C\x00\x00" + zlib.compress(bytes(MIB - 9), 9))] * 90),
    "png-pixels-that-unfold": lambda: SIGNATURE + head(9, 9) + chunk(b"IDAT", zeros(400)) + END,
    "png-of-100000-chunks": lambda: with_chunk(chunk(b"tEXt", b"a\x00b") * 100_000),
    "apng-of-2000-frames": lambda: apng(2000),
    "apng-that-claims-endless-frames": lambda: apng(2, 2**31 - 1),
    "gif-65535x65535": lambda: gif((65_535, 65_535), 1),
    "gif-of-100000-frames": lambda: gif((1, 1), 100_000),
    "gif-of-100000-large-frames": lambda: gif((2800, 2800), 100_000, (0, 0, 2800, 2800)),
    "gif-frame-beyond-its-screen": lambda: gif((9, 9), 3, (0, 0, 65_535, 65_535)),
    "gif-without-size": lambda: gif((0, 0), 2, (0, 0, 0, 0)),
    "gif-truncated": lambda: scene("GIF")[:30],
    "gif-that-is-a-script": lambda: b"GIF89a/*" + b"\x00" * 30 + b"*/=1;" + SCRIPT,
    "jpeg-65500x65500": lambda: jpeg_of(65_500, 65_500),
    "jpeg-without-height": lambda: jpeg_of(120, 0),
    "jpeg-truncated": lambda: scene("JPEG")[:-400],
    "jpeg-of-3000-scans": lambda: many_scans(3000),
    "jpeg-notes-in-circles": lambda: with_segments(exif(ifd((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), after=8))),
    "jpeg-notes-of-4-gib": lambda: with_segments(exif(ifd((0x010E, 2, 2**32 - 1, 8), (0x0112, 12, 2**31, 8)))),
    "jpeg-notes-65000-entries": lambda: with_segments(exif(ifd(*[(0x010E, 2, 65_000, 8)] * 5000))),
    "jpeg-profile-of-12-mib": lambda: icc_parts(190),
    "jpeg-profile-of-endless-tags": lambda: with_segments(broken_profile()),
    "jpeg-with-a-page-inside": lambda: with_segments(segment(0xFE, SCRIPT)),
    "webp-16384x16384": lambda: webp_canvas(16_384, 16_384),
    "webp-beyond-the-pixels": lambda: webp_canvas(3_300, 3_300),
    "webp-of-20000-frames": lambda: webp_canvas(9, 9, 20_000),
    "webp-truncated": lambda: scene("WEBP")[:-40],
    "webp-longer-than-it-is": webp_that_lies,
    "avif-60000x60000": lambda: avif_of(60_000, 60_000),
    "avif-truncated": lambda: scene("AVIF")[:-60],
    "png-with-a-page-behind-it": lambda: scene("PNG") + SCRIPT,
    "png-with-an-archive-behind-it": lambda: scene("PNG") + archive(),
    "page": lambda: SCRIPT,
    "svg-with-entities": lambda: SVG,
    "svg-in-gzip": lambda: gzip.compress(SVG, mtime=0),
    "tiff-that-unfolds": lambda: tiff(8192, 8192),
    "eps-that-runs": lambda: EPS,
    "bmp-65535x65535": bmp,
    "icon": lambda: encoded(Image.new("RGBA", (16, 16)), "ICO"),
    "archive": archive,
    "one-byte": lambda: b"\x89",
}  # fmt: skip
TAKEN = {
    "apng-of-2000-frames", "apng-that-claims-endless-frames", "png-of-100000-chunks", "png-pixels-that-unfold",
    "gif-of-100000-frames", "png-chunk-of-2-gib", "jpeg-notes-in-circles", "jpeg-notes-of-4-gib",
    "jpeg-notes-65000-entries", "jpeg-profile-of-12-mib", "jpeg-profile-of-endless-tags", "jpeg-with-a-page-inside",
    "webp-of-20000-frames", "png-with-a-page-behind-it", "png-with-an-archive-behind-it",
}  # fmt: skip
