"""What every test shares: where its files are, the event loop's kind and how patient Hypothesis is."""

import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.databases import POSTGRESQL

# Databases flush and PostgreSQL makes 600 files for each; in memory that costs a tenth. Whoever sets TMPDIR decides.
_MEMORY, _MUCH = Path("/dev/shm"), 8 << 30
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _MUCH:
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None  # look again

# httpx asks for each request within the process whether another event loop runs, by a module that is seldom there.
# Looking for it in all folders costs as much as a small request; this says at once that it is not there.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

HERE = Path(__file__).parent
ONCE = ("net", "wire")  # folders for which one database is enough: what documents and connections are needs none

# A busy machine makes an example slow without making it wrong.
settings.register_profile("fedcorp", deadline=None)
settings.load_profile("fedcorp")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests for which one database is enough are left out with the other."""
    left_out = [item for item in items if POSTGRESQL and _is_for_once(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_for_once(item: pytest.Item) -> bool:
    return item.get_closest_marker("once") is not None or item.path.relative_to(HERE).parts[0] in ONCE


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Coroutine tests run on asyncio's own loop, whose behaviour is the same on every system."""
    return "asyncio", {"use_uvloop": False}
