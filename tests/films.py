"""Films, sounds and pictures that move, for tests, made by the real ffmpeg, and the mark of tests that need it."""

import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from io import BytesIO
from itertools import cycle, groupby
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fedcorp.social.films import find_tools

_needs = pytest.mark.skipif(find_tools() is None, reason="ffmpeg is not installed; Debian: apt install ffmpeg")


def needs_ffmpeg(test: Callable[..., Any]) -> Callable[..., Any]:
    """The mark of a test that makes films, which takes its time."""
    marked: Callable[..., Any] = _needs(pytest.mark.slow(test))
    return marked


_LIGHT = "testsrc=size={size}:rate={rate}"
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=100")
_SECRETS = ("-metadata", "title=zzsecretzz", "-metadata", "location=+52.5200+013.4050/")


@cache
def film(
    name: str = "x.mp4", *options: str, seconds: float = 1, size: str = "160x120", rate: int = 10, sound: bool = True
) -> bytes:
    """A film of this name's kind; `options` of ffmpeg choose the codecs."""
    light = ("-f", "lavfi", "-i", _LIGHT.format(size=size, rate=rate))
    codecs = options or ("-c:v", "libx264", "-pix_fmt", "yuv420p", *(("-c:a", "aac") if sound else ()))
    return _made(name, *light, *(_SOUND if sound else ()), "-t", str(seconds), *codecs)


@cache
def sound(name: str = "x.mp3", *options: str, seconds: float = 1) -> bytes:
    """A tone in a file of this name's kind."""
    return _made(name, "-t", str(seconds), *_SOUND, *options)


def _made(name: str, *options: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        subprocess.run(["ffmpeg", "-v", "error", *options, *_SECRETS, path], check=True, timeout=120)
        return path.read_bytes()


def told(content: bytes) -> str:
    """Everything that ffprobe says about these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)]
        found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        return found.stdout


@cache
def moving_picture(milliseconds: tuple[int, ...] = (100, 100, 100)) -> bytes:
    """A GIF that is red, green, blue and so on, on its left, each for its time; one can see through its right half."""
    frames = [Image.new("RGBA", (20, 20)) for _ in milliseconds]
    for frame, colour in zip(frames, cycle(("red", "green", "blue")), strict=False):
        frame.paste(colour, (0, 0, 10, 20))
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=list(milliseconds), disposal=2)
    return out.getvalue()


def times_of(content: bytes) -> list[int]:
    """For how many milliseconds a film on the left is red, green, blue and so on, to a fiftieth of a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-vf", "fps=50,crop=iw/2:ih:0:0,scale=1:1",
                   "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]  # fmt: skip
        raw = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    strongest = (max(range(3), key=raw[start : start + 3].__getitem__) for start in range(0, len(raw), 3))
    return [20 * len(list(same)) for _, same in groupby(strongest)]
