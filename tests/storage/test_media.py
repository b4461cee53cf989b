"""Media files: whole or absent, under our keys only."""

import os
from pathlib import Path

import pytest

from fedcorp.storage.media import MediaFiles

KEY = "a1b2c3d4e5f6g7h8"


@pytest.fixture
def files(tmp_path: Path) -> MediaFiles:
    return MediaFiles(tmp_path / "media")


def test_what_is_put_can_be_read(files: MediaFiles, tmp_path: Path) -> None:
    assert not files.exists(KEY)
    files.put(b"abc", suffix=".jpg", key=KEY)
    assert files.exists(KEY)
    assert files.read(KEY) == b"abc"
    assert files.size(KEY) == 3
    assert files.path(KEY) == tmp_path / "media" / "g7" / "h8" / f"{KEY}.jpg"
    with files.open(KEY) as file:
        assert file.read(2) == b"ab"


def test_one_key_is_one_file(files: MediaFiles) -> None:
    files.put(b"old", suffix=".jpg", key=KEY)
    files.put(b"new", suffix=".png", key=KEY)
    files.put(b"other", suffix="", key=KEY[1:] + "x" * 8)
    assert files.read(KEY) == b"new"
    assert [path.name for path in files.path(KEY).parent.iterdir()] == [f"{KEY}.png"]


def test_a_longer_key_is_another_file(files: MediaFiles) -> None:
    files.put(b"long", suffix=".jpg", key="0" * 20)
    assert not files.exists("0" * 16)


def test_delete(files: MediaFiles) -> None:
    files.put(b"abc", suffix="", key=KEY)
    assert files.delete(KEY)
    assert not files.delete(KEY)
    assert not files.exists(KEY)
    for act in (files.read, files.path, files.size, files.open):
        with pytest.raises(FileNotFoundError):
            act(KEY)


@pytest.mark.parametrize("key", ["", "short", "A" * 16, "../" * 8, "a" * 65, "a" * 15 + "/", "a" * 16 + "\n", "*" * 16])
def test_other_keys_are_refused(files: MediaFiles, key: str) -> None:
    with pytest.raises(ValueError):
        files.put(b"", suffix=".jpg", key=key)
    for act in (files.read, files.path, files.size, files.open, files.exists, files.delete):
        with pytest.raises(ValueError):
            act(key)


@pytest.mark.parametrize("suffix", ["jpg", ".JPG", "./x", ".a.b", ".", ".toolongsuffix", ".jpg\n"])
def test_other_suffixes_are_refused(files: MediaFiles, suffix: str) -> None:
    with pytest.raises(ValueError):
        files.put(b"", suffix=suffix, key=KEY)


def test_a_failed_put_leaves_nothing(files: MediaFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.put(b"old", suffix=".jpg", key=KEY)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError):
            files.put(b"new", suffix=".jpg", key=KEY)
    assert files.read(KEY) == b"old"
    assert len(list(files.path(KEY).parent.iterdir())) == 1


def test_a_file_from_the_workroom_is_moved(files: MediaFiles, tmp_path: Path) -> None:
    with files.workroom("7") as room:
        (room / "made.mp4").write_bytes(b"film")
        (room / "rest").write_bytes(b"x")
        files.adopt(room / "made.mp4", suffix=".mp4", key=KEY)
    assert files.read(KEY) == b"film"
    assert not room.exists()


def test_a_workroom_begins_empty(files: MediaFiles, tmp_path: Path) -> None:
    left = tmp_path / "media" / ".work" / "7" / "of a dead process"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    with files.workroom("7") as room:
        assert list(room.iterdir()) == []
    with pytest.raises(ValueError), files.workroom("../x"):
        pass


def shards(folder: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("media/??/??"))


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_stock_is_taken_of_everything_once_in_pieces(files: MediaFiles, tmp_path: Path, most: int) -> None:
    keys = {f"{number:016}" for number in range(0, 3000, 77)} | {KEY, KEY[1:] + "z"}
    for key in keys:
        files.put(b"x", suffix=".png", key=key)
    found: list[str] = []
    shard, rounds = "", 0
    while not rounds or shard:
        stock = files.take_stock(shard, most, since=0, before=2**50)
        assert stock.shard == "" or stock.shard > shard
        found += stock.keys
        shard, rounds = stock.shard, rounds + 1
    assert sorted(found) == sorted(keys)
    assert rounds > 1 or most == 100
    assert len(shards(tmp_path)) > 20


def test_stock_is_of_old_files_only_and_not_of_those_that_are_too_old(files: MediaFiles) -> None:
    for key, at in (("1" * 16, 5), ("2" * 16, 10), ("3" * 16, 19), ("4" * 16, 20)):
        files.put(b"x", suffix="", key=key)
        os.utime(files.path(key), (at, at))
    assert set(files.take_stock("", 100, since=10_000, before=20_000).keys) == {"2" * 16, "3" * 16}


def test_there_may_be_no_folder_yet(files: MediaFiles) -> None:
    assert files.take_stock("", 100, since=0, before=2**50).keys == ()
    assert files.take_stock("ab/cd", 100, since=0, before=2**50).shard == ""
