"""Expiring URLs: they open one path until they end, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.storage.signed import check, expiring, sign

pytestmark = pytest.mark.once

SECRET = b"s" * 32
WINDOW = 1000
TIMES = st.integers(0, 10**13)


def opens(url: str, now: int, *, secret: bytes = SECRET) -> bool:
    path, _, query = url.partition("?")
    return check(secret, path, query, now)


@given(TIMES, st.text())
def test_valid_for_one_to_two_windows(now: int, path: str) -> None:
    path = "/media/" + path.replace("?", "")
    url = expiring(SECRET, path, now, WINDOW)
    assert opens(url, now)
    assert opens(url, now + WINDOW)
    assert not opens(url, now + 2 * WINDOW)


@given(TIMES, TIMES)
def test_equal_within_a_window_and_different_across(one: int, other: int) -> None:
    same = expiring(SECRET, "/m/a", one, WINDOW) == expiring(SECRET, "/m/a", other, WINDOW)
    assert same == (one // WINDOW == other // WINDOW)


def test_one_proof_opens_one_path_with_one_secret_and_one_end() -> None:
    query = sign(SECRET, "/m/a", 5000)
    assert check(SECRET, "/m/a", query, 4999)
    assert not check(SECRET, "/m/a", query, 5000)
    assert not check(SECRET, "/m/b", query, 0)
    assert not check(b"t" * 32, "/m/a", query, 0)
    assert not check(SECRET, "/m/a", query.replace("exp=5000", "exp=9000"), 0)


ODD = ["{}x", "{}&a=b", "x{}", "{}=", "{}\n", "", "exp=1", "exp=-1&sig=a", "exp=\uff10&sig=" + "a" * 43]


@pytest.mark.parametrize("change", ODD)
def test_odd_queries_do_not_open(change: str) -> None:
    assert not check(SECRET, "/m/a", change.format(sign(SECRET, "/m/a", 5000)), 0)


def test_a_number_written_otherwise_does_not_open() -> None:
    assert not check(SECRET, "/m/a", sign(SECRET, "/m/a", 5000).replace("exp=5000", "exp=05000"), 0)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(ValueError):
        sign(b"", "/m/a", 5000)
