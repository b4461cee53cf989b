"""`python -m bench`: measures real processes over loopback sockets and prints a table. It never passes or fails."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench import flood, groups, scenarios, searching, streaming
from bench.load import Load
from bench.scenarios import Bench, Row

SCENARIOS = scenarios.SCENARIOS | groups.SCENARIOS | searching.SCENARIOS | flood.SCENARIOS | streaming.SCENARIOS

console = Console(highlight=False)


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Some of {', '.join(SCENARIOS)}; all of them when none.")
    ] = None,
    scale: Annotated[float, typer.Option(help="How much to send; 1 is usual.", min=0.01, max=100)] = 1.0,
    database: Annotated[str, typer.Option(help="postgresql://... instead of SQLite. It must be empty.")] = "",
    output: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file, too.")] = None,
) -> None:
    """Measure how fast fedcorp is on this machine."""
    unknown = set(names or ()) - set(SCENARIOS)
    if unknown:
        raise typer.BadParameter(f"there is no scenario {', '.join(sorted(unknown))}; choose of {', '.join(SCENARIOS)}")
    load = Load()
    rows: list[Row] = []
    try:
        for name in names or SCENARIOS:
            console.print(f"{name} ...")
            rows += SCENARIOS[name](Bench(load, scale, database))
    finally:
        load.close()
    console.print(_table(rows))
    if output is not None:
        output.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


def _table(rows: list[Row]) -> Table:
    table = Table("scenario", "per s", "CPU µs each", "p50 ms", "p99 ms", "MiB", "note", box=None, pad_edge=False)
    for row in rows:
        figures = (row.rate, row.cpu, row.p50, row.p99, row.memory)
        digits = (0, 0, 2, 2, 0)
        shown = ["" if value is None else f"{value:,.{places}f}" for value, places in zip(figures, digits, strict=True)]
        table.add_row(row.name, *shown, row.note)
    return table


if __name__ == "__main__":
    typer.run(main)
