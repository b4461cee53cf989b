"""Canonical JSON against RFC 8785, and the text encodings."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp import canonical
from fedcorp.canonical import b58decode, b58encode, b64url_decode, b64url_encode, digest_of, jcs, multibase_sha256

pytestmark = pytest.mark.once

text = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)


def test_numbers_are_written_as_ecmascript_does() -> None:
    assert jcs([333333333.33333329, 1e30, 4.5, 2e-3, 1e-27, -0.0]) == b"[333333333.3333333,1e+30,4.5,0.002,1e-27,0]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740993, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (0.000012345, "0.000012345"),
        (-1.5e-10, "-1.5e-10"),
        (123.0, "123"),
        (100.25, "100.25"),
        (2**70, "1.1805916207174113e+21"),
    ],
)
def test_layout_of_numbers(value: float, expected: str) -> None:
    assert jcs(value) == expected.encode()


def test_keys_are_sorted_by_utf16_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    assert list(json.loads(jcs(dict.fromkeys(keys, 0)))) == [
        "\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"
    ]  # fmt: skip


def test_only_what_must_be_escaped_is() -> None:
    assert jcs('\u20ac$\x0f\nA\'B"\\\\"/\x7f\u2028') == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f\u2028"'.encode()


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, "\ud800", {"\udfff": 1}, {1: 2}, [b""], object(), 10**400]
)
def test_what_is_not_json_is_refused(value: object) -> None:
    for wrapped in (value, [value], {"a": value}, [0.5, value]):
        with pytest.raises(ValueError, match=r"."):
            jcs(wrapped)


def test_endless_nesting_is_refused() -> None:
    loop: list[object] = [0.5]
    for _ in range(100_000):
        loop = [loop]
    with pytest.raises(ValueError, match="canonical"):
        jcs(loop)


@given(documents)
def test_canonical_bytes_parse_to_equal_values(value: object) -> None:
    assert json.loads(jcs(value), parse_int=float) == value


@given(st.dictionaries(text, documents))
def test_order_of_insertion_does_not_matter(value: dict[str, object]) -> None:
    assert jcs(dict(reversed(value.items()))) == jcs(value)
    assert list(json.loads(jcs(value))) == sorted(value, key=lambda key: key.encode("utf-16-be"))


@given(documents)
def test_the_short_way_gives_the_same_bytes(value: object) -> None:
    assert jcs(value) == "".join(canonical._pieces(value)).encode()


@given(st.binary(max_size=80))
def test_encodings_round_trip(data: bytes) -> None:
    assert b58decode(b58encode(data)) == data
    assert b64url_decode(b64url_encode(data)) == data
    assert b58decode(multibase_sha256(data)[1:])[:2] == b"\x12\x20"


def test_known_encodings() -> None:
    assert b58encode(b"\0\0Hello World!") == "112NEpo7TZRRrLZSi2U"
    assert b64url_encode(b"\xfb\xff") == "-_8"
    assert digest_of({"b": 1, "a": 2}) == multibase_sha256(b'{"a":2,"b":1}')


@pytest.mark.parametrize("bad", ["0", "O", "l", "I", " ", "\u00e9", "1" * 5000])
def test_base58_refuses_other_text(bad: str) -> None:
    with pytest.raises(ValueError, match="base58"):
        b58decode(bad)


@pytest.mark.parametrize("bad", ["a", "a!b=", "\u00e9"])
def test_base64url_refuses_other_text(bad: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        b64url_decode(bad)
