"""When and where an Event of another server takes place, in a few lines of text: calendars there are none here.

Never fetches and never fails: what cannot be read is left out. The hours are those of the place, as its server says
them, with their distance from UTC, so that they mean the same to everybody who reads them.

Sources: ActivityStreams 2.0 (Event, Place), FEP-8a8e (several places, VirtualLocation, `timezone`, `displayEndTime`),
schema.org (PostalAddress).
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fedcorp.activitypub.vocabulary import as_list, first_string, parse_time, types_of
from fedcorp.social import text

MAX_PLACES, MAX_LINE = 5, 300
_ADDRESS = ("streetAddress", "postalCode", "addressLocality", "addressRegion", "addressCountry")


def lines(doc: dict[str, Any]) -> list[str]:
    """The time, then each place: plain text. Nothing for what is no Event."""
    if "Event" not in types_of(doc):
        return []
    found = [_when(doc), *(_where(item) for item in as_list(doc.get("location"))[:MAX_PLACES])]
    return [line for line in found if line]


def links(doc: dict[str, Any]) -> list[Any]:
    """Where an Event is met online."""
    places = as_list(doc.get("location"))[:MAX_PLACES] if "Event" in types_of(doc) else []
    return [item.get("url") for item in places if "VirtualLocation" in types_of(item)]


def _when(doc: dict[str, Any]) -> str:
    begin, end = _time(doc, "startTime"), _time(doc, "endTime")
    if begin is None:
        return ""
    shown, offset = _minutes(begin), begin.isoformat(timespec="minutes")[16:]
    if end is not None and end > begin and doc.get("displayEndTime") is not False:
        shown += f"-{_minutes(end)[11:]}" if end.date() == begin.date() else f" - {_minutes(end)}"
    return f"{shown} ({offset if begin.utcoffset() else 'UTC'})"


def _minutes(time: datetime) -> str:
    return time.isoformat(" ", "minutes")[:16]


def _time(doc: dict[str, Any], name: str) -> datetime | None:
    """A time by the clocks of its place: with the offset that it is written with, or in the `timezone` named."""
    said = first_string(doc.get(name))
    if said is None or parse_time(said) is None:
        return None
    time = datetime.fromisoformat(said.upper())
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    try:
        zone = doc.get("timezone")
        return time.astimezone(ZoneInfo(zone)) if isinstance(zone, str) and zone else time
    except (ValueError, KeyError, OSError, OverflowError):  # no such zone, also by a name that is a path
        return time


def _where(place: Any) -> str:
    if not isinstance(place, dict):
        return ""
    address = place.get("address")
    parts = [address.get(name) for name in _ADDRESS] if isinstance(address, dict) else [address]
    named = [text.one_line(first_string(part) or "", MAX_LINE) for part in (place.get("name"), *parts)]
    return text.one_line(", ".join(dict.fromkeys(part for part in named if part)), MAX_LINE)
