"""`fedcorp peer test`: walks the way to a peer and back, and names the hop that does not hold.

Exit codes: 0 every hop holds, 1 something is odd, 2 a hop failed.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import httpx
import typer
from rich.markup import escape

from fedcorp import __version__
from fedcorp import config as configuration
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.probe import FAILED, HOPS, OK, WARNING, Hop, Probe
from fedcorp.clock import Clock
from fedcorp.commands.opening import run
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.config import Config
from fedcorp.net import Limits, Transport
from fedcorp.storage.database import Database

_MARKS = {OK: "[green]ok[/]", WARNING: "[bold yellow]odd[/]", FAILED: "[bold red]failed[/]"}
_CODES = {OK: 0, WARNING: 1, FAILED: 2}


def probe(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="A peer, like hr.example.com.")],
    config: ConfigPath = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the hops as JSON.")] = False,
) -> None:
    """Speak with a peer, signed, both ways, and name the hop that fails."""
    configuration.check_domain(domain)
    loaded = configuration.load(config)

    async def work(db: Database) -> list[Hop]:
        return await walk(db, loaded, domain)

    hops = run(config, work)
    if as_json:
        typer.echo(json.dumps([asdict(hop) for hop in hops], indent=2))
    else:
        show(hops)
    raise typer.Exit(exit_code(hops))


async def walk(
    db: Database, config: Config, domain: str, transport: Callable[[], httpx.AsyncBaseTransport] | None = None
) -> list[Hop]:
    """The hops to a peer. `transport` replaces the network. Raises NotFound for who is no peer."""
    clock = Clock()
    network = transport() if transport else outwards(config)
    try:
        agent = f"fedcorp/{__version__} (+{config.origin})"
        return await Probe(Client(network, db, clock, agent), db, clock).run(domain)
    finally:
        await network.aclose()
        clock.close()


def outwards(config: Config) -> Transport:
    """The way to other servers, as a serving process has it."""
    limits = config.limits
    return Transport(
        networks=config.networks,
        insecure_http=config.federation.insecure_http,
        limits=Limits(connect=limits.connect_seconds, total=limits.request_seconds, max_body=limits.body_bytes),
    )


def exit_code(hops: list[Hop]) -> int:
    """The worst that was found."""
    return max(_CODES[hop.state] for hop in hops)


def show(hops: list[Hop]) -> None:
    """One line for each hop, with the cure below what does not hold."""
    for hop in hops:
        console.print(f"{_MARKS[hop.state]} {hop.name}: {escape(hop.text)}")
        if hop.cure and hop.state != OK:
            console.print(f"  cure: {escape(hop.cure)}")
    missing = HOPS[len(hops) :] if hops[-1].state == FAILED else ()
    if missing:
        console.print(f"not reached: {', '.join(missing)}")
