"""Numbers for administrators: Admin::Measure, Admin::Dimension and Admin::Cohort. Values are text, as in Mastodon."""

from typing import Any

from fedcorp.social.measures import BYTES, Cohort, Measure, Part
from fedcorp.web.entities.times import iso


def measure(item: Measure) -> dict[str, Any]:
    """Admin::Measure"""
    entity = {
        "key": item.key,
        "unit": item.unit,
        "total": str(item.total),
        "previous_total": str(item.previous_total),
        "data": [{"date": iso(at), "value": str(value)} for at, value in item.days],
    }
    return entity | ({"human_value": _size(item.total)} if item.unit == BYTES else {})


def dimension(key: str, parts: list[Part]) -> dict[str, Any]:
    """Admin::Dimension"""
    return {"key": key, "data": [_part(part) for part in parts]}


def _part(part: Part) -> dict[str, Any]:
    entity = {"key": part.key, "human_key": part.name, "value": part.value}
    return entity | ({"unit": part.unit, "human_value": _size(int(part.value))} if part.unit == BYTES else {})


def cohort(item: Cohort, frequency: str) -> dict[str, Any]:
    """Admin::Cohort"""
    data = [{"date": iso(at), "rate": rate, "value": str(count)} for at, count, rate in item.buckets]
    return {"period": iso(item.start), "frequency": frequency, "data": data}


def _size(count: int) -> str:
    """A number of bytes for people: 1.5 MiB."""
    size, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
