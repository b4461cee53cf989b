"""The lines that say when and where an Event is, as far as its document lets them."""

from typing import Any

import pytest

from fedcorp.activitypub import happenings

MORNING, NOON = "2026-07-30T08:00:00Z", "2026-07-30T10:00:00Z"


def said(**words: Any) -> list[str]:
    return happenings.lines({"type": "Event", **words})


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ({"startTime": MORNING}, "2026-07-30 08:00 (UTC)"),
        ({"startTime": "2026-07-30T08:00:00"}, "2026-07-30 08:00 (UTC)"),
        ({"startTime": "2026-07-30t08:00:00.123-03:30", "endTime": ""}, "2026-07-30 08:00 (-03:30)"),
        ({"startTime": MORNING, "endTime": NOON}, "2026-07-30 08:00-10:00 (UTC)"),
        ({"startTime": MORNING, "endTime": NOON, "displayEndTime": False}, "2026-07-30 08:00 (UTC)"),
        ({"startTime": NOON, "endTime": MORNING}, "2026-07-30 10:00 (UTC)"),
        ({"startTime": MORNING, "timezone": "Europe/Rome"}, "2026-07-30 10:00 (+02:00)"),
        ({"startTime": MORNING, "timezone": "Nowhere/Here"}, "2026-07-30 08:00 (UTC)"),
        ({"startTime": MORNING, "timezone": "../../etc/passwd"}, "2026-07-30 08:00 (UTC)"),
        ({"startTime": "9999-12-31T23:59:59Z", "timezone": "Asia/Tokyo"}, "9999-12-31 23:59 (UTC)"),
        ({"startTime": "0001-01-01T00:00:00Z", "timezone": "America/New_York"}, "0001-01-01 00:00 (UTC)"),
        (
            {"startTime": "2026-07-30T23:00:00Z", "endTime": "2026-07-31T01:00:00Z"},
            "2026-07-30 23:00 - 2026-07-31 01:00 (UTC)",
        ),
    ],
)
def test_when(words: dict[str, Any], line: str) -> None:
    assert said(**words) == [line]


@pytest.mark.parametrize("begin", [None, "soon", 7, [], {}])
def test_no_time_no_line(begin: Any) -> None:
    assert said(startTime=begin, endTime=NOON) == []


def test_where() -> None:
    address = {"type": "PostalAddress", "streetAddress": "3 Quay", "addressLocality": "Bern", "addressCountry": None}
    assert said(location={"type": "Place", "name": "Boat House", "address": "3 Quay"}) == ["Boat House, 3 Quay"]
    assert said(location={"type": "Place", "name": "Boat House", "address": address}) == ["Boat House, 3 Quay, Bern"]
    assert said(location={"type": "Place", "name": "Bern", "address": "Bern"}) == ["Bern"]
    long = said(location={"name": "Boat\n\u202eHouse", "address": "3\tQuay" + "y" * 400})[0]
    assert (long[:18], len(long), long[-1]) == ("Boat House, 3 Quay", 300, "…")
    assert said(location=[{"name": "A"}, {"name": " "}, "https://x.example", {"name": "B"}]) == ["A", "B"]
    assert said(location=[{"name": str(number)} for number in range(9)]) == ["0", "1", "2", "3", "4"]


def test_a_note_has_neither() -> None:
    place = {"type": "VirtualLocation", "url": "https://meet.example", "name": "Hall"}
    note = {"type": "Note", "startTime": MORNING, "location": place}
    assert (happenings.lines(note), happenings.links(note)) == ([], [])
    assert happenings.links({**note, "type": "Event"}) == ["https://meet.example"]
