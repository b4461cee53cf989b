"""What live tests share: one running department with two people, for whoever does no harm to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import POSTGRESQL
from tests.live.harness import Department, Person, company

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """What only these tests know."""
    config.addinivalue_line("markers", "once: says nothing about the database, so SQLite alone is enough")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything here starts processes. Tests for which one database is enough are left out with the other."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.slow)
    left_out = [item for item in ours if POSTGRESQL and item.get_closest_marker("once")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    """Finance with ada, ben and cleo."""
    with company(tmp_path_factory.mktemp("office"), finance=("ada", "ben", "cleo")) as departments:
        yield departments["finance"]


@pytest.fixture
def ada(office: Department) -> Person:
    """A person of the office."""
    return office.people[0]


@pytest.fixture
def ben(office: Department) -> Person:
    """Another person of the office."""
    return office.people[1]


@pytest.fixture
def cleo(office: Department) -> Person:
    """A third person of the office."""
    return office.people[2]
