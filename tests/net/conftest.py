"""Everything about the network is tried on both event loops."""

from typing import Any

import pytest


@pytest.fixture(scope="session", params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """The standard loop and uvloop."""
    return "asyncio", {"use_uvloop": request.param}
