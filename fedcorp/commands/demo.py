"""`fedcorp demo`: a company of three departments and a supplier on this machine, with people who have been at work.

Every department is a server of its own, started here and stopped with Ctrl-C. Only processes started here are ended.
"""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from fedcorp.clock import Clock
from fedcorp.commands import demo_check, demo_company
from fedcorp.commands.demo_company import PASSWORD, Company
from fedcorp.commands.demo_people import DEPARTMENTS, GROUPS
from fedcorp.commands.demo_plan import Size
from fedcorp.commands.demo_seed import Report
from fedcorp.commands.demo_servers import Server, check_free, start_all, stop_all
from fedcorp.commands.options import console
from fedcorp.errors import ConfigError

PORT = 8001
SHOWN = 2  # names of each department in the table


def demo(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where the company is kept; one that exists is started again.")
    ] = Path("fedcorp-demo"),
    check: Annotated[
        bool, typer.Option("--check", help="Make a small company in a temporary folder, try it out, remove it.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(help=f"The first of four neighbouring ports; {PORT} at first.", min=1024, max=65532)
    ] = None,
) -> None:
    """Start a company of several departments on this machine."""
    if check:
        raise typer.Exit(0 if demo_check.run() else 1)
    company = demo_company.find(folder)
    fresh = company is None
    first = _first_port(company, port)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(check_free(range(first, first + len(DEPARTMENTS))))
        company = company or demo_company.create(folder, first)
        asyncio.run(_serve(company, fresh=fresh))
    console.print("Stopped.")


def _first_port(company: Company | None, port: int | None) -> int:
    if company is None:
        return port or PORT
    if port not in (None, company.port):
        raise ConfigError(
            f"the demo in {company.folder} belongs to the ports from {company.port} on, since addresses are for good; "
            "leave out --port, or make another demo with --dir."
        )
    return company.port


async def _serve(company: Company, *, fresh: bool) -> None:
    clock = Clock()
    servers = demo_company.servers_of(company, clock)
    _stop_on_signals()
    try:
        began = clock.monotonic()
        with _progress() as report:
            if fresh:
                await demo_company.fill(company, servers, Size(), clock, report)
                demo_company.finish(company)
            else:
                report("Servers")
                await start_all(servers.values())
        _show(company, clock.monotonic() - began)
        await _until_one_ends(servers, clock)
    finally:
        await stop_all(servers.values())
        clock.close()


@contextlib.contextmanager
def _progress() -> Iterator[Report]:
    """Shows each step while it goes on: in a line that moves on a terminal, else in a line of its own."""
    if not console.is_terminal:
        yield lambda step: console.print(step, "...")
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Servers")
        yield lambda step: progress.update(task, description=step)


def _stop_on_signals() -> None:
    """A polite end (SIGTERM, a closed terminal) stops the servers as Ctrl-C does."""
    main = asyncio.current_task()
    assert main is not None
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(getattr(signal, name), main.cancel)


async def _until_one_ends(servers: dict[str, Server], clock: Clock) -> None:
    """Wait for Ctrl-C. Raises ConfigError when a server ends by itself."""
    names = list(servers)
    waits = [clock.spawn(servers[name].ended()) for name in names]
    done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    ended = names[waits.index(done.pop())]
    raise ConfigError(f"the server of {ended} ended by itself; see {servers[ended].config.folder / 'server.log'}.")


def _show(company: Company, seconds: float) -> None:
    table = Table("Address", "Handles, for example", "Password", box=None, pad_edge=False)
    for department in DEPARTMENTS:
        config = company.configs[department.key]
        for number, person in enumerate(department.people[:SHOWN]):
            address = "" if number else config.origin
            table.add_row(address, f"@{person.username}@{config.domain}", PASSWORD)
    console.print(table)
    groups = ", ".join(f"@{group.name}@{company.configs[group.home].domain}" for group in GROUPS[:SHOWN])
    first = company.configs[DEPARTMENTS[0].key]
    console.print(f"\nGroups to join: {groups} ... Everybody has the same password.")
    console.print("Log in with any Mastodon client; one that does not find names in .localhost takes 127.0.0.1:")
    console.print(f"  toot login -i http://127.0.0.1:{first.server.port}")
    console.print(f"Kept in {escape(str(company.folder))}; Ctrl-C stops all servers. Started in {seconds:.0f} s.")
    console.print("ready")
