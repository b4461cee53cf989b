"""Films and sounds: asks ffprobe what a file holds, and lets ffmpeg write it anew for browsers, without metadata.

The only room that starts these programs. Each runs with limits on processor time, memory and size of files, below a
deadline, without a network, and with the one reader that the first bytes of the file call for, so that no file can
make it open another. Never fetches, knows no rows, and downloads nothing: where ffmpeg is not installed, nothing but
pictures is taken.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson

from fedcorp.errors import Unprocessable
from fedcorp.social.images import MAX_PIXELS

TYPES = (
    "video/mp4", "video/webm", "video/quicktime", "video/ogg", "video/x-matroska",
    "audio/mpeg", "audio/mp3", "audio/ogg", "audio/webm", "audio/wav", "audio/wave", "audio/x-wav", "audio/flac",
    "audio/x-flac", "audio/aac", "audio/m4a", "audio/x-m4a", "audio/mp4", "audio/3gpp",
)  # fmt: skip
"""MIME types that are taken where ffmpeg is."""
SUFFIXES = {"video/mp4": ".mp4", "audio/mpeg": ".mp3", "audio/mp4": ".m4a"}
"""MIME types that `make` writes, with the file suffix of each."""
ABSENT = "This server takes pictures only, no video and no sound: ffmpeg is not installed on it."
GIF_LIKE_SECONDS = 60  # a film without sound up to this long is shown as a moving picture
LONGEST_SIDE = 1920  # of what is encoded anew
FASTEST = 60  # frames in a second of what is encoded anew
FASTEST_GIF = 50  # a frame stays for two hundredths of a second or longer: whoever asks for less is given ten

_PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_ATOMS = (b"moov", b"mdat", b"free", b"wide", b"skip", b"pnot")
_MEMORY_KIB = 4 * 1024 * 1024
_OUTPUT_BYTES = 1024 * 1024
_ERROR_BYTES = 4096
_PROBE_SECONDS = 20
# POSIX alone has these limits; elsewhere the deadline has to do.
_LIMITED = 'ulimit -t "$1"; ulimit -v "$2"; ulimit -f "$3"; shift 3; exec nice -n 10 "$@"'
_BARE = ("-map_metadata", "-1", "-map_metadata:s:v", "-1", "-map_metadata:s:a", "-1", "-map_chapters", "-1",
         "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-dn", "-sn")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the two programs lie."""

    ffmpeg: str
    ffprobe: str


@dataclass(frozen=True, slots=True)
class Rules:
    """How much may be asked of a film: bytes, pixels of a frame, frames in a second, seconds, and seconds of work."""

    bytes: int
    pixels: int
    frame_rate: int
    seconds: int
    work_seconds: int


@dataclass(frozen=True, slots=True)
class Holds:
    """What a file holds. `video` and `audio` are ffprobe's words on the streams to keep; seconds, None when untold."""

    demuxer: str
    seconds: float | None
    bit_rate: int | None
    video: dict[str, Any] | None
    audio: dict[str, Any] | None
    cover: dict[str, Any] | None

    @property
    def kind(self) -> str:
        """video, gifv (a short film without sound) or audio."""
        if self.video is None:
            return "audio"
        is_short = self.seconds is not None and self.seconds <= GIF_LIKE_SECONDS
        return "gifv" if self.audio is None and is_short else "video"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as it is shown, (0, 0) of sounds."""
        if self.video is None:
            return 0, 0
        width, height = int(self.video.get("width") or 0), int(self.video.get("height") or 0)
        return (height, width) if _turned(self.video) else (width, height)

    @property
    def frame_rate(self) -> Fraction:
        """Frames in a second, 0 when untold."""
        return _fraction(self.video.get("avg_frame_rate")) if self.video is not None else Fraction(0)


@dataclass(frozen=True, slots=True)
class Film:
    """A film or sound ready to be kept: its file, MIME type, kind, Mastodon's `meta`, and a frame or cover as PNG."""

    path: Path
    mime: str
    kind: str
    meta: dict[str, Any]
    frame: bytes | None


def find_tools() -> Tools | None:
    """ffmpeg and ffprobe, where both are on the path."""
    ffmpeg, ffprobe = shutil.which("ffmpeg"), shutil.which("ffprobe")
    return Tools(ffmpeg, ffprobe) if ffmpeg and ffprobe else None


def demuxer_of(head: bytes) -> str | None:
    """ffmpeg's name of the reader for a file that begins so; None for what is no film and no sound that we take.

    A GIF is a picture, although one that moves can be made into a film (`probe` and `make` read it).
    """
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _PICTURE_BRANDS else "mov"
    if head[4:8] in _ATOMS:
        return "mov"
    for start, name in ((b"\x1a\x45\xdf\xa3", "matroska"), (b"OggS", "ogg"), (b"fLaC", "flac"), (b"ID3", "mp3")):
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF":
        return "wav" if head[8:12] == b"WAVE" else None
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"
    return None


# -- what a file holds -----------------------------------------------------------------------------------------------


async def probe(tools: Tools, path: Path, rules: Rules) -> Holds:
    """What the file at `path` holds. Raises Unprocessable for what is broken or more than `rules` allow."""
    with path.open("rb") as file:
        head = file.read(64)
    demuxer = "gif" if head.startswith(b"GIF8") else demuxer_of(head)
    if demuxer is None:
        raise _unreadable("no known first bytes")
    told = await _run(
        (tools.ffprobe, "-v", "error", *_reading(demuxer, 4 * rules.pixels), "-show_format", "-show_streams",
         "-of", "json", f"file:{path}"),
        seconds=_PROBE_SECONDS, bytes_=0,
    )  # fmt: skip
    holds = _holds(demuxer, orjson.loads(told or b"{}"))
    _check(holds, rules)
    return holds


def _reading(demuxer: str, pixels: int) -> tuple[str, ...]:
    """Options that bind how the input is read, and how large a frame may be that is decoded at all."""
    return ("-protocol_whitelist", "file", "-max_pixels", str(pixels), "-f", demuxer)


def _holds(demuxer: str, told: dict[str, Any]) -> Holds:
    streams = [stream for stream in told.get("streams", ()) if isinstance(stream, dict)]
    films = [stream for stream in streams if stream.get("codec_type") == "video"]
    sounds = [stream for stream in streams if stream.get("codec_type") == "audio" and stream.get("codec_name")]
    moving = [stream for stream in films if not _is_cover(stream) and stream.get("codec_name")]
    covers = [stream for stream in films if _is_cover(stream) and stream.get("width")]
    about = told.get("format", {})
    return Holds(
        demuxer,
        _number(about.get("duration")),
        int(_number(about.get("bit_rate")) or 0) or None,
        moving[0] if moving else None,
        sounds[0] if sounds else None,
        covers[0] if covers else None,
    )


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _check(holds: Holds, rules: Rules) -> None:
    if holds.video is None and holds.audio is None:
        raise _unreadable("no stream")
    if holds.seconds is not None and holds.seconds > rules.seconds:
        raise Unprocessable(f"Validation failed: a video or sound lasts at most {rules.seconds} seconds")
    if holds.video is None:
        return
    if holds.demuxer == "gif" and _is_endless(holds):
        raise Unprocessable(f"A moving picture lasts at most {GIF_LIKE_SECONDS} seconds.")
    width, height = holds.size
    if width <= 0 or height <= 0:
        raise _unreadable("no size")
    if width * height > rules.pixels:
        raise Unprocessable(f"Validation failed: a video has at most {rules.pixels} pixels in a frame")
    if holds.frame_rate > rules.frame_rate:
        raise Unprocessable(f"Validation failed: a video has at most {rules.frame_rate} frames in a second")


def _is_endless(gif: Holds) -> bool:
    assert gif.video is not None
    frames = _number(gif.video.get("nb_frames")) or 0
    return gif.kind != "gifv" or frames > GIF_LIKE_SECONDS * FASTEST


def _turned(video: dict[str, Any]) -> bool:
    turns = [side.get("rotation") for side in video.get("side_data_list", ()) if isinstance(side, dict)]
    return any(isinstance(turn, int) and turn % 180 == 90 for turn in turns)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _fraction(value: Any) -> Fraction:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _unreadable(detail: str) -> Unprocessable:
    return Unprocessable("This video or sound cannot be read. Send MP4, WebM, MOV, MP3, Ogg, WAV, FLAC or M4A.", detail)


# -- written anew ----------------------------------------------------------------------------------------------------


async def make(tools: Tools, path: Path, work: Path, rules: Rules, *, frame: bool) -> Film:
    """The file at `path` as browsers play it: H.264 and AAC in MP4, MP3, or AAC in M4A, all without metadata.

    Streams that are of this kind already are taken over as they are. `work` is an empty folder for the results; with
    `frame` a picture of the film, or the cover of the sound, is taken too. Raises Unprocessable, also when the
    deadline passes.
    """
    try:
        async with asyncio.timeout(rules.work_seconds):
            return await _make(tools, path, work, rules, frame=frame)
    except TimeoutError:
        raise Unprocessable("This video or sound takes too long to process.", f"{rules.work_seconds} s") from None


async def _make(tools: Tools, path: Path, work: Path, rules: Rules, *, frame: bool) -> Film:
    source = await probe(tools, path, rules)
    mime = _target(source)
    made = work / f"made{SUFFIXES[mime]}"
    ground = _ON_WHITE if source.demuxer == "gif" else ()
    reading = ("-v", "error", "-nostdin", "-y", *ground, *_reading(source.demuxer, rules.pixels), "-i", f"file:{path}")
    writing = (*_encoding(source, mime), *_BARE, "-t", str(rules.seconds), "-threads", "2")
    await _run((tools.ffmpeg, *reading, *writing, f"file:{made}"), seconds=rules.work_seconds, bytes_=4 * rules.bytes)
    result = await probe(tools, made, rules)
    picture = await _frame(tools, made if source.video else path, result if source.video else source, work, rules)
    return Film(made, mime, result.kind, _meta(result), picture if frame else None)


def _target(source: Holds) -> str:
    if source.video is not None:
        return "video/mp4"
    assert source.audio is not None
    return "audio/mp4" if source.audio["codec_name"] == "aac" else "audio/mpeg"


def _encoding(source: Holds, mime: str) -> tuple[str, ...]:
    sound: tuple[str, ...] = ()
    if source.audio is not None:
        kept = source.audio["codec_name"] == {"audio/mpeg": "mp3"}.get(mime, "aac")
        lossy = ("libmp3lame", "-q:a", "2") if mime == "audio/mpeg" else ("aac", "-b:a", "160k")
        sound = ("-map", f"0:{source.audio['index']}", "-c:a", *(("copy",) if kept else (*lossy, "-ac", "2")))
    if source.video is None:
        return (*sound, "-vn", *(("-f", "mp3", "-id3v2_version", "0") if mime == "audio/mpeg" else _MP4))
    return ("-map", f"0:{source.video['index']}", *_picture_encoding(source), *sound, *_MP4)


_MP4 = ("-f", "mp4", "-movflags", "+faststart")
# A GIF may let the page shine through, H.264 cannot. The decoder paints it, since a filter that lays pictures over each
# other would forget how long the last one stays.
_ON_WHITE = ("-trans_color", "0xFFFFFFFF")


def _picture_encoding(source: Holds) -> tuple[str, ...]:
    video = source.video
    assert video is not None
    if video["codec_name"] == "h264" and video.get("pix_fmt") == "yuv420p" and source.frame_rate <= FASTEST:
        return ("-c:v", "copy")
    fitted = f"scale='min({LONGEST_SIDE},iw)':'min({LONGEST_SIDE},ih)':force_original_aspect_ratio=decrease"
    pace = f",{_steady(source)}" if source.demuxer == "gif" else ""
    return ("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-maxrate", "4M", "-bufsize", "8M",
            "-vf", f"{fitted}:force_divisible_by=2,format=yuv420p{pace}", "-fpsmax", str(FASTEST))  # fmt: skip


def _steady(gif: Holds) -> str:
    """A filter that shows each frame as long as the GIF does. Without it the last is gone at once, and many a GIF
    rests there before it begins anew. What ffprobe tells as its rate is a guess, good if all frames stay equally long.
    """
    assert gif.video is not None
    told, frames = _fraction(gif.video.get("r_frame_rate")), _number(gif.video.get("nb_frames")) or 0
    is_even = 0 < told <= FASTEST_GIF and abs(told * Fraction(gif.seconds or 0) - Fraction(frames)) <= 1
    rate = told if is_even else Fraction(FASTEST_GIF)
    return f"fps={rate.numerator}/{rate.denominator}"


async def _frame(tools: Tools, path: Path, holds: Holds, work: Path, rules: Rules) -> bytes | None:
    """A PNG of the picture that stands for a film or sound; None when there is none to be had."""
    stream = holds.video or holds.cover
    if stream is None:
        return None
    target = work / "frame.png"
    reading = (
        "-v",
        "error",
        "-nostdin",
        "-y",
        *_reading(holds.demuxer, max(rules.pixels, MAX_PIXELS)),
        "-i",
        f"file:{path}",
    )
    writing = ("-map", f"0:{stream['index']}", "-frames:v", "1", "-f", "image2", "-c:v", "png", f"file:{target}")
    with contextlib.suppress(Unprocessable):  # a film without a preview is better than none
        await _run((tools.ffmpeg, *reading, *writing), seconds=_PROBE_SECONDS, bytes_=4 * MAX_PIXELS)
    return target.read_bytes() if target.is_file() else None


def _meta(film: Holds) -> dict[str, Any]:
    """Mastodon's `meta`, without `small`."""
    seconds = film.seconds or 0.0
    original: dict[str, Any] = {"duration": seconds, "bitrate": film.bit_rate or 0}
    meta: dict[str, Any] = {"length": _length(seconds), "duration": seconds}
    if film.video is not None:
        width, height = film.size
        rate = film.frame_rate
        original |= {"width": width, "height": height, "frame_rate": f"{rate.numerator}/{rate.denominator}"}
        meta |= {
            "fps": round(rate), "size": f"{width}x{height}", "width": width, "height": height,
            "aspect": width / height,
        }  # fmt: skip
    if film.audio is not None:
        meta |= {
            "audio_encode": str(film.audio["codec_name"]),
            "audio_bitrate": f"{film.audio.get('sample_rate', 0)} Hz",
            "audio_channels": str(film.audio.get("channel_layout") or f"{film.audio.get('channels', 0)} channels"),
        }
    return meta | {"original": original}


def _length(seconds: float) -> str:
    """0:01:28.65"""
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 100:02}.{rest % 100:02}"


# -- the programs ----------------------------------------------------------------------------------------------------


async def _run(command: tuple[str, ...], *, seconds: int, bytes_: int) -> bytes:
    """Run a program to its end, and never beyond `seconds`; what it wrote out. It may write files of `bytes_`.

    Raises Unprocessable when it fails, says too much or is late. Ends it with all its children when we are cancelled.
    """
    if os.name == "posix":
        limits = (str(seconds * 2), str(_MEMORY_KIB), str(bytes_ // 512 + 1))
        command = ("/bin/sh", "-c", _LIMITED, "sh", *limits, *command)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            out, error, code = await asyncio.gather(
                _read(process.stdout, _OUTPUT_BYTES), _read(process.stderr, _ERROR_BYTES), process.wait()
            )
    except TimeoutError:
        raise Unprocessable("This video or sound takes too long to process.", f"{seconds} s") from None
    finally:
        await _end(process)
    if code != 0 or len(out) > _OUTPUT_BYTES:
        raise _unreadable(f"exit {code}: {error[:300]!r}")
    return out


async def _read(stream: asyncio.StreamReader | None, most: int) -> bytes:
    """What comes out, of which no more than a byte beyond `most` is kept."""
    assert stream is not None
    kept = b""
    while chunk := await stream.read(65_536):
        kept += chunk[: most + 1 - len(kept)]
    return kept


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    await process.wait()
