"""Canonical JSON, digests and the text encodings of bytes that the wire needs. Pure: no I/O, no keys, no clock.

Sources: RFC 8785 (JCS), RFC 4648 section 5 (base64url), multibase base58btc, multihash code 0x12 (SHA-256).
"""

import base64
import binascii
import hashlib
import math
from typing import Any

import orjson

_MAX_EXACT = 2**53
_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_B58_VALUE = {char: value for value, char in enumerate(_B58)}
_B58_PAIRS = [high + low for high in _B58 for low in _B58]
_MAX_B58 = 4096
_SHA256_MULTIHASH = b"\x12\x20"


def jcs(value: object) -> bytes:
    """The canonical JSON bytes of `value` (RFC 8785).

    Takes what a JSON parser returns: dict with text keys, list, tuple, str, int, float, bool, None.
    Raises ValueError for anything else, for NaN and infinity, lone surrogates, and nesting too deep to follow.
    """
    try:
        if _sorts_by_bytes(value):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return "".join(_pieces(value)).encode()
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError(f"not canonical JSON: {error}") from error


def _sorts_by_bytes(value: object) -> bool:
    """Whether orjson's sorted output is canonical already: plain types, no floats or inexact integers, ASCII keys."""
    found: list[Any] = [value]
    for item in found:
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is dict:
            if not "".join(item).isascii():
                return False
            found.extend(item.values())
        elif kind is list:
            found.extend(item)
        elif kind is int:
            if not -_MAX_EXACT <= item <= _MAX_EXACT:
                return False
        else:
            return False
    return True


def _pieces(value: object) -> list[str]:
    if isinstance(value, str):
        return [_text(value)]
    if value is None or isinstance(value, bool):
        return [{None: "null", True: "true", False: "false"}[value]]
    if isinstance(value, int):
        return [str(value) if -_MAX_EXACT <= value <= _MAX_EXACT else _number(_as_float(value))]
    if isinstance(value, float):
        return [_number(value)]
    pieces: list[str] = []
    if isinstance(value, dict):
        for key in sorted(value, key=_utf16):
            pieces += [",", _text(key), ":", *_pieces(value[key])]
        return ["{", *pieces[1:], "}"]
    if isinstance(value, list | tuple):
        for item in value:
            pieces += [",", *_pieces(item)]
        return ["[", *pieces[1:], "]"]
    raise ValueError(f"not a JSON value: {type(value).__name__}")


def _utf16(key: object) -> bytes:
    """RFC 8785 section 3.2.3 sorts keys by UTF-16 code units, which differs from code points above U+FFFF."""
    if not isinstance(key, str):
        raise ValueError("a key of a JSON object is not text")
    return key.encode("utf-16-be")


def _text(value: str) -> str:
    return orjson.dumps(str(value)).decode()


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("an integer is beyond the range of a double") from error


def _number(value: float) -> str:
    """A double as ECMAScript writes it (RFC 8785 section 3.2.2.3): Python finds the same digits, the layout differs."""
    if not math.isfinite(value):
        raise ValueError("NaN and infinity are not JSON")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0)
    if whole == "0":
        point -= 1 + len(fraction) - len(digits)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"


def sha256(data: bytes) -> bytes:
    """The 32 bytes of SHA-256."""
    return hashlib.sha256(data).digest()


def b58encode(data: bytes) -> str:
    """Base58 (Bitcoin alphabet) of `data`, without a multibase prefix."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    pairs = []
    while number:
        number, pair = divmod(number, 3364)
        pairs.append(_B58_PAIRS[pair])
    return "1" * zeros + "".join(reversed(pairs)).lstrip("1")


def b58decode(text: str) -> bytes:
    """The bytes of a base58 (Bitcoin alphabet) text; ValueError for other characters or more than 4096 of them."""
    if len(text) > _MAX_B58:
        raise ValueError("base58 text is too long")
    number = 0
    for char in text:
        value = _B58_VALUE.get(char)
        if value is None:
            raise ValueError("not base58")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def multibase_sha256(data: bytes) -> str:
    """The SHA-256 of `data` as a multihash in base58btc: text that starts with `zQm`."""
    return "z" + b58encode(_SHA256_MULTIHASH + sha256(data))


def digest_of(value: object) -> str:
    """`multibase_sha256` of the canonical JSON of `value`; ValueError as in `jcs`."""
    return multibase_sha256(jcs(value))


def b64url_encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """The bytes of a base64url text with or without padding; ValueError when it is none."""
    try:
        plain = text.encode("ascii").rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64url") from error
