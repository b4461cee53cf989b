"""The department that tests of the edge talk to, and two people in it who do not know each other yet."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.instance import MovableClock, Office, Person, running


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    clock = MovableClock()
    async with running(tmp_path, clock) as instance:
        yield Office(instance, clock)


@pytest.fixture
async def ann(office: Office) -> Person:
    return await office.person("ann")


@pytest.fixture
async def ben(office: Office) -> Person:
    return await office.person("ben")
