"""Ids: unique, in order of time, and never minted without a lease."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp import ids
from fedcorp.errors import Unavailable

pytestmark = pytest.mark.once


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=50))
def test_ids_only_grow_whatever_the_clock_does(moves: list[int]) -> None:
    now = [ids.EPOCH_MS + 1_000_000]
    source = ids.IdSource(7, lambda: now[0])
    made = []
    for move in moves:
        now[0] += move
        made += [source.new(), source.new()]
    assert made == sorted(set(made))
    assert all(id_ <= ids.MAX_ID for id_ in made)


def test_more_than_a_millisecond_holds() -> None:
    source = ids.IdSource(1, lambda: ids.EPOCH_MS + 5)
    made = [source.new() for _ in range(10_000)]
    assert len(set(made)) == 10_000
    assert ids.time_of(made[0]) == ids.EPOCH_MS + 5


def test_nodes_do_not_meet() -> None:
    first, second = (ids.IdSource(node, lambda: ids.EPOCH_MS + 5) for node in (0, ids.NODES - 1))
    assert {first.new() for _ in range(4000)}.isdisjoint({second.new() for _ in range(4000)})
    with pytest.raises(ValueError, match="outside"):
        ids.IdSource(ids.NODES, lambda: 0)


def test_an_ended_lease_mints_nothing() -> None:
    source = ids.IdSource(0, lambda: ids.EPOCH_MS + 100, valid_until=ids.EPOCH_MS + 100)
    with pytest.raises(Unavailable):
        source.new()


@given(st.integers(ids.EPOCH_MS, ids.EPOCH_MS + 2**41 - 1), st.integers(0, 2**30))
def test_scattered_ids_keep_their_time(ms: int, bits: int) -> None:
    assert ids.time_of(ids.scattered(ms, bits)) == ms
    assert ids.first_at(ms) <= ids.scattered(ms, bits) < ids.first_at(ms + 1)
