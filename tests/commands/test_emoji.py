"""The command line of emoji: added, listed, replaced, removed, and their files with them."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.commands.conftest import Line


def files(line: Line) -> list[Path]:
    return [path for path in line.config.media_folder.rglob("*") if path.is_file()]


def picture(folder: Path, colour: str = "red", kind: str = "PNG", size: tuple[int, int] = (32, 32)) -> str:
    path = folder / f"{colour}.{kind.lower()}"
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    path.write_bytes(out.getvalue())
    return str(path)


def test_an_emoji_comes_and_goes(line: Line, tmp_path: Path) -> None:
    assert line("emoji", "list") == 0
    assert "fedcorp emoji add" in line.out
    assert line("emoji", "add", ":party:", picture(tmp_path), "--category", "Fun") == 0
    assert line("emoji", "list") == 0
    (row,) = [each for each in line.out.splitlines() if "party" in each]
    assert "Fun" in row
    assert "image/png" in row
    before = files(line)
    assert line("emoji", "add", "party", picture(tmp_path, "blue", "GIF")) == 0
    assert len(files(line)) == len(before)
    assert not set(files(line)) & set(before)
    assert line("emoji", "remove", "party") == 0
    assert files(line) == []
    assert line("emoji", "remove", "party") == 2


def test_what_is_no_emoji_is_refused_and_leaves_nothing(line: Line, tmp_path: Path) -> None:
    assert line("emoji", "add", "no code", picture(tmp_path)) == 2
    text = tmp_path / "x.png"
    text.write_bytes(b"no picture")
    assert line("emoji", "add", "party", str(text)) == 2
    text.write_bytes(b"x" * 600_000)
    assert line("emoji", "add", "party", str(text)) == 2
    assert "KiB" in line.err
    assert files(line) == []
