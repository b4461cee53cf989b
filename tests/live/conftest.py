"""What live tests share: one running department with two people, for whoever does no harm to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.harness import Department, Person, company

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here starts processes."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


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
