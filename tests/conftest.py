"""What every test shares: the event loop's kind and how patient Hypothesis is."""

from typing import Any

import pytest
from hypothesis import settings

# A busy machine makes an example slow without making it wrong.
settings.register_profile("fedcorp", deadline=None)
settings.load_profile("fedcorp")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Coroutine tests run on asyncio's own loop, whose behaviour is the same on every system."""
    return "asyncio", {"use_uvloop": False}
