"""Departments that federate with each other, and a stranger who knocks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.activitypub.wire import Network, Stranger, Wire


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
async def finance(tmp_path: Path, network: Network) -> AsyncIterator[Wire]:
    """A closed department."""
    wire = Wire(tmp_path, "finance", network)
    await wire.start()
    yield wire
    wire.db.close()
    wire.clock.close()


@pytest.fixture
async def operations(tmp_path: Path, network: Network, finance: Wire) -> AsyncIterator[Wire]:
    """Another one; the two know each other."""
    wire = Wire(tmp_path, "operations", network)
    await wire.start()
    await finance.trust(wire)
    await wire.trust(finance)
    yield wire
    wire.db.close()
    wire.clock.close()


@pytest.fixture
async def stranger(network: Network, finance: Wire) -> Stranger:
    """A server of other make that finance lets in as a partner."""
    made = Stranger(network)
    await finance.trust(made, tier="partner")
    return made
