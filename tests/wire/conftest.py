"""The company that other servers talk to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.federation.world import Company

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What documents mean here is the same whatever keeps it."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.once)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    """A company without departments; everything that a test starts is stopped after it."""
    made = Company(tmp_path)
    yield made
    await made.stop()
