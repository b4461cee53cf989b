"""`fedcorp doctor`: looks at an instance as its administrator would, names what is wrong and says what to do about it.

Changes nothing. Every finding has a name for scripts; the exit code is 0 (well, notes at most), 1 (warnings) or
2 (faults).
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import httpx
import typer
from rich.markup import escape

from fedcorp import config as configuration
from fedcorp.clock import Clock
from fedcorp.commands import doctor_net, doctor_store
from fedcorp.commands.findings import FAULT, NOTE, WARNING, Finding
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.config import Config
from fedcorp.social import effects
from fedcorp.storage.database import Database


def doctor(
    config: ConfigPath = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
) -> None:
    """Name what is wrong with an instance, and the cure."""
    found = examine(configuration.load(config), Clock())
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        _print(found)
    raise typer.Exit(max((finding.level for finding in found), default=0))


def examine(
    config: Config, clock: Clock, transport: Callable[[], httpx.AsyncBaseTransport] | None = None
) -> list[Finding]:
    """Everything that is wrong, worst first. `transport` replaces the network."""
    found = [*doctor_store.examine_disk(config), *doctor_store.examine_database(config)]
    found += [*doctor_store.examine_certificate(config, clock), *doctor_store.examine_programs(config)]
    found += doctor_store.examine_key_file(config)
    if not any(finding.stops for finding in found):
        found += asyncio.run(_examine_running(config, clock, transport))
    return sorted(found, key=lambda finding: -finding.level)


async def _examine_running(
    config: Config, clock: Clock, transport: Callable[[], httpx.AsyncBaseTransport] | None
) -> list[Finding]:
    db = Database(config, clock, effects.apply)
    try:
        if found := doctor_store.examine_secrets(db):
            return found
        found = await db.read(doctor_store.examine_rows)
        return found + await doctor_net.examine(db, clock, transport)
    finally:
        db.close()
        clock.close()


_SHOWN = {FAULT: ("bold red", "fault"), WARNING: ("bold yellow", "warning"), NOTE: ("bold", "note")}


def _print(found: list[Finding]) -> None:
    for finding in found:
        style, word = _SHOWN[finding.level]
        console.print(f"[{style}]{word}[/] {finding.name}: {escape(finding.text)}")
        console.print(f"  cure: {escape(finding.cure)}")
    if all(finding.level == NOTE for finding in found):
        console.print("Everything that was looked at is well: disk, database, keys, address, peers, clocks.")
