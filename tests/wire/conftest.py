"""The company that other servers talk to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.federation.world import Company


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    """A company without departments; everything that a test starts is stopped after it."""
    made = Company(tmp_path)
    yield made
    await made.stop()
