"""An instance in a folder, made as an administrator makes it, and the command line to use it with."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcorp import config as configuration
from fedcorp.__main__ import run
from fedcorp.config import Config
from tests.databases import downgrade

DOMAIN = "finance.localhost:8931"


class Line:
    """Runs commands on one instance; keeps what they print."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.path = folder / "config.toml"
        self._capsys = capsys
        self.out = self.err = ""

    @property
    def config(self) -> Config:
        return configuration.load(self.path)

    def __call__(self, *words: str) -> int:
        """Run a command on this instance; the exit code."""
        return self.plain(*words, "-c", str(self.path))

    def go_back_to(self, revision: str) -> None:
        """Give the instance the tables of an older version."""
        engine = sa.create_engine(self.config.database_url)
        downgrade(engine, revision)
        engine.dispose()

    def plain(self, *words: str) -> int:
        """Run a command just as it is written."""
        code = run(list(words))
        self.out, self.err = self._capsys.readouterr()
        return code


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance that is copied for every test: keys and tables cost half a second."""
    folder = tmp_path_factory.mktemp("made") / "finance"
    assert run(["init", str(folder), "--domain", DOMAIN, "--name", "Finance"]) == 0
    return folder


@pytest.fixture
def line(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Line:
    """The command line of a fresh instance."""
    shutil.copytree(made, tmp_path / "finance")
    return Line(tmp_path / "finance", capsys)


Change = Callable[[str], None]


@pytest.fixture
def sql(line: Line) -> Change:
    """Changes the database behind everybody's back."""

    def change(statement: str) -> None:
        with sqlite3.connect(line.folder / "fedcorp.db") as connection:
            connection.execute(statement)
        connection.close()

    return change
