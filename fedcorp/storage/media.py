"""Files of pictures and other media in a local folder, under keys that we mint.

Knows nothing of posts, of who may see what, or of what is inside a file; never takes a name from outside. Synchronous:
the caller chooses the thread. Raises OSError when the disk does.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_KEY = re.compile(r"[a-z0-9]{16,64}")
_SUFFIX = re.compile(r"(?:\.[a-z0-9]{1,8})?")
_NAME = re.compile(r"[a-z0-9]{1,64}")
_FOLDER = re.compile(r"[a-z0-9]{2}")
_PART, _WORK = ".part-", ".work"


@dataclass(frozen=True, slots=True)
class Stock:
    """A part of what lies in the folder: keys of old files, and the last shard that was looked into; "" is the end."""

    keys: tuple[str, ...]
    shard: str


class MediaFiles:
    """A folder of files. A file lies at `ab/cd/<key><suffix>`, where `abcd` ends the key, since keys may begin alike.

    A key names one file for ever: what changes gets a new key, so that readers may cache.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes, *, suffix: str, key: str) -> None:
        """Stores `data` durably under `key`; it is there as a whole or not at all. `suffix` is like `.jpg`, or empty.

        Replaces what was there under this key. Raises ValueError for a key or suffix that is not of the form.
        """
        if not _SUFFIX.fullmatch(suffix):
            raise ValueError(f"not a media suffix: {suffix!r}")
        shard = self._shard(key)
        self._make_folder(shard)
        older = self._find(key)
        target = shard / (key + suffix)
        handle, temporary = tempfile.mkstemp(prefix=_PART, dir=shard)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        if older is not None and older != target:
            older.unlink(missing_ok=True)
        _sync_folder(shard)

    def adopt(self, path: Path, *, suffix: str, key: str) -> None:
        """Like `put` for a file that lies in a `workroom`, which is moved and not copied."""
        if not _SUFFIX.fullmatch(suffix):
            raise ValueError(f"not a media suffix: {suffix!r}")
        shard = self._shard(key)
        self._make_folder(shard)
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        path.replace(shard / (key + suffix))
        _sync_folder(shard)

    @contextmanager
    def workroom(self, name: str) -> Iterator[Path]:
        """An empty folder on the same disk, which goes with all it holds; what a dead process left there goes first.

        No two at a time may have one `name`, of a-z and 0-9.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name of a workroom: {name!r}")
        room = self._folder / _WORK / name
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(parents=True)
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def path(self, key: str) -> Path:
        """Where the file of `key` lies. Raises FileNotFoundError if there is none, ValueError for a bad key."""
        found = self._find(key)
        if found is None:
            raise FileNotFoundError(f"no media file {key}")
        return found

    def open(self, key: str) -> BinaryIO:
        """The file of `key`, open for reading. Raises as `path` does."""
        return self.path(key).open("rb")

    def read(self, key: str) -> bytes:
        """The bytes of `key`. Raises as `path` does."""
        return self.path(key).read_bytes()

    def size(self, key: str) -> int:
        """Bytes in the file of `key`. Raises as `path` does."""
        return self.path(key).stat().st_size

    def exists(self, key: str) -> bool:
        """Whether there is a file for `key`. Raises ValueError for a bad key."""
        return self._find(key) is not None

    def delete(self, key: str) -> bool:
        """Removes the file of `key`; False if there was none. Raises ValueError for a bad key."""
        found = self._find(key)
        if found is None:
            return False
        found.unlink(missing_ok=True)
        return True

    def take_stock(self, shard: str, most: int, *, since: int, before: int) -> Stock:
        """Look through the shards that come after `shard` ("" for all) until at least `most` files were seen.

        Gives the keys of files that were written from `since` on and before `before` (ms). What processes that died
        left half-written before `before` goes at once.
        """
        keys: list[str] = []
        seen, last = 0, ""
        for last, folder in self._shards(shard):
            for path, at in _entries(folder):
                seen += 1
                if at >= before:
                    continue
                if path.name.startswith(_PART):
                    path.unlink(missing_ok=True)
                elif at >= since and _KEY.fullmatch(path.stem) and _SUFFIX.fullmatch(path.suffix):
                    keys.append(path.stem)
            if seen >= most:
                return Stock(tuple(keys), last)
        self._clear_rooms(before)
        return Stock(tuple(keys), "")

    def _shards(self, after: str) -> Iterator[tuple[str, Path]]:
        for first in _folders(self._folder):
            for second in _folders(self._folder / first) if first >= after[:2] else ():
                if f"{first}/{second}" > after:
                    yield f"{first}/{second}", self._folder / first / second

    def _clear_rooms(self, before: int) -> None:
        """Workrooms of processes that died, for work that nobody did again."""
        for path, at in _entries(self._folder / _WORK):
            if at < before:
                shutil.rmtree(path, ignore_errors=True)

    def _shard(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("a media key has 16 to 64 of a-z and 0-9")
        return self._folder / key[-4:-2] / key[-2:]

    def _find(self, key: str) -> Path | None:
        # The key has no character that means something in a pattern.
        shard = self._shard(key)
        return next((path for path in (*shard.glob(key), *shard.glob(f"{key}.*"))), None)

    def _make_folder(self, shard: Path) -> None:
        if shard.is_dir():
            return
        shard.mkdir(parents=True, exist_ok=True)
        # A new folder is durable only when the folder that names it is.
        for parent in (shard.parent, self._folder, self._folder.parent):
            _sync_folder(parent)


def _folders(folder: Path) -> list[str]:
    """The names of its parts, in order."""
    try:
        return sorted(path.name for path in folder.iterdir() if _FOLDER.fullmatch(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _entries(folder: Path) -> Iterator[tuple[Path, int]]:
    """What lies in a folder, and when it was last written (ms); others may take it away meanwhile."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in list(folder.iterdir()):
            with suppress(FileNotFoundError):
                yield path, path.stat().st_mtime_ns // 1_000_000


def _sync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable, where the system can do that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
