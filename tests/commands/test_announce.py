"""The command line of announcements: made, listed with their state, taken back."""

import asyncio

from fedcorp.clock import Clock, from_ms
from fedcorp.commands.opening import opened
from fedcorp.social import announcements
from fedcorp.social.announcements import Announcement
from tests.commands.conftest import Change, Line


def made(line: Line) -> list[Announcement]:
    async def main() -> list[Announcement]:
        async with opened(line.config, Clock()) as db:
            return await db.read(announcements.listing)

    return asyncio.run(main())


def test_it_is_made_listed_and_taken_back(line: Line, sql: Change) -> None:
    assert line("announce", "--list") == 0
    assert "fedcorp announce TEXT" in line.out
    assert line("announce", "The [canteen] is closed", "--until", "2999-12-01") == 0
    (item,) = made(line)
    assert f"--withdraw {item.id}" in line.out
    assert line("announce", "--list") == 0
    (row,) = [each for each in line.out.splitlines() if str(item.id) in each]
    assert "The [canteen] is closed" in row
    assert "2999-12-01 23:59" in row
    assert "shown" in row
    sql("UPDATE announcements SET ends_at = 1")
    assert line("announce", "--list") == 0
    assert "over" in line.out
    assert line("announce", "--withdraw", str(item.id)) == 0
    assert made(line) == []
    assert line("announce", "--withdraw", str(item.id)) == 2


def test_times_are_taken_with_their_zone_and_days_whole(line: Line) -> None:
    assert line("announce", "party", "--starts", "2999-11-30T20:00+02:00", "--until", "2999-12-01T01:00") == 0
    assert line("announce", "fair", "--starts", "2999-11-30", "--until", "2999-12-01", "--all-day") == 0
    party, fair = made(line)
    assert [from_ms(at or 0).isoformat() for at in (party.starts_at, party.ends_at)] == [
        "2999-11-30T18:00:00+00:00", "2999-12-01T01:00:00+00:00",
    ]  # fmt: skip
    assert [from_ms(at or 0).isoformat() for at in (fair.starts_at, fair.ends_at)] == [
        "2999-11-30T00:00:00+00:00", "2999-12-01T23:59:59.999000+00:00",
    ]  # fmt: skip
    assert (party.all_day, fair.all_day) == (False, True)
