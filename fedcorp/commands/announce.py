"""`fedcorp announce`: tells everybody in this department something, lists what was told, and takes it back."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from fedcorp.clock import from_ms, to_ms
from fedcorp.commands.opening import run
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.errors import Unprocessable
from fedcorp.social import announcements
from fedcorp.social.announcements import Announcement
from fedcorp.storage.database import Database, Tx

HEADINGS = ("Id", "Made", "Starts", "Until", "State", "Text")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def announce(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What to tell everybody.")] = None,
    config: ConfigPath = DEFAULT,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Shown until then: like 2026-12-01 (and all of that day).")
    ] = None,
    starts: Annotated[
        str | None, typer.Option(metavar="TIME", help="When what is announced begins: like 2026-12-01T09:00+01:00.")
    ] = None,
    all_day: Annotated[bool, typer.Option("--all-day", help="Show the days alone, without hours.")] = False,
    show: Annotated[bool, typer.Option("--list", help="List what was announced, with its ids.")] = False,
    withdraw: Annotated[int | None, typer.Option(metavar="ID", help="Take an announcement back.")] = None,
) -> None:
    """Announce something to everybody in this department. Times without a zone are UTC."""
    if (text is not None) + show + (withdraw is not None) != 1:
        raise typer.BadParameter("say a TEXT to announce, or --list, or --withdraw ID.")
    if text is not None:
        _create(text, config, _time(starts), _time(until, end_of_day=True), all_day=all_day)
    elif withdraw is not None:
        _withdraw(withdraw, config)
    else:
        _list(config)


def _create(text: str, config: ConfigPath, starts_at: int | None, ends_at: int | None, *, all_day: bool) -> None:
    async def work(db: Database) -> Announcement:
        return await db.write(announcements.create, text, starts_at=starts_at, ends_at=ends_at, all_day=all_day)

    made = run(config, work)
    console.print(f"Announced. Take it back with `fedcorp announce --withdraw {made.id}`.")


def _withdraw(id_: int, config: ConfigPath) -> None:
    async def work(db: Database) -> None:
        await db.write(announcements.withdraw, id_)

    run(config, work)
    console.print("Withdrawn.")


def _list(config: ConfigPath) -> None:
    async def work(db: Database) -> tuple[list[Announcement], int]:
        return await db.read(_read)

    found, now = run(config, work)
    if not found:
        console.print("Nothing was announced; do it with `fedcorp announce TEXT`.")
        return
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for item in found:
        times = (_shown(item.created_at), _shown(item.starts_at), _shown(item.ends_at))
        state = "over" if item.ends_at is not None and item.ends_at <= now else "shown"
        table.add_row(str(item.id), *times, state, escape(" ".join(item.text.split())))
    table.columns[0].no_wrap = True
    console.print(table)


def _read(tx: Tx) -> tuple[list[Announcement], int]:
    return announcements.listing(tx), tx.ms


def _shown(ms: int | None) -> str:
    return "" if ms is None else from_ms(ms).strftime("%Y-%m-%d %H:%M")


def _time(words: str | None, *, end_of_day: bool = False) -> int | None:
    """Milliseconds of a time in ISO 8601; of a day alone its beginning, or its end. Raises Unprocessable."""
    if words is None:
        return None
    try:
        at = datetime.fromisoformat(words)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if end_of_day and _DATE.fullmatch(words):
            at += timedelta(days=1, milliseconds=-1)
    except (ValueError, OverflowError):
        raise Unprocessable(f"{words!r} is no time; write one like 2026-12-01T09:00+01:00.") from None
    return to_ms(at)
