"""`fedcorp peer`: which servers this department talks to, what they may get, and how well that goes."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from fedcorp import config as configuration
from fedcorp.commands.opening import run
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.storage.database import Database, Tx

peer = typer.Typer(help="Servers of other departments and of partners.")
Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="Like hr.example.com or hr.localhost:8001.")]

SKEW_WORTH_A_WORD_MS = 60_000
HEADINGS = ("Domain", "Tier", "State", "Queued", "Last success", "Last heard", "Clock", "Last error")


@peer.command("add")
def add(
    domain: Domain,
    config: ConfigPath = DEFAULT,
    tier: Annotated[str, typer.Option(help="department: gets what is for the company; partner: less.")] = "department",
) -> None:
    """Let a server in, or change what it may get."""
    configuration.check_domain(domain)

    async def work(db: Database) -> None:
        await db.write(peers.add, domain, tier)

    run(config, work)
    console.print(f"{domain} is a {tier} now. Its administrator has to add this server as well.")


@peer.command("remove")
def remove(domain: Domain, config: ConfigPath = DEFAULT) -> None:
    """Shut a server out: nothing is taken from it or sent to it any more."""

    async def work(db: Database) -> None:
        await db.write(peers.remove, domain)

    run(config, work)
    console.print(f"{domain} is no peer any more.")


@peer.command("list")
def list_(config: ConfigPath = DEFAULT) -> None:
    """Show every peer: what waits for it, when it was last heard, what went wrong."""

    async def work(db: Database) -> tuple[list[Peer], int]:
        return await db.read(_read)

    found, now = run(config, work)
    if not found:
        console.print("There are no peers; let one in with `fedcorp peer add DOMAIN`.")
        return
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for item in found:
        table.add_row(*_row(item, now))
    table.columns[0].no_wrap = True
    console.print(table)


def _read(tx: Tx) -> tuple[list[Peer], int]:
    return peers.listing(tx), tx.ms


def _row(item: Peer, now: int) -> list[str]:
    return [
        item.domain,
        item.tier,
        state(item, now),
        str(item.queued),
        ago(item.last_success_at, now),
        ago(item.last_inbound_at, now),
        skew(item.clock_skew_ms),
        item.last_error or "",
    ]


def state(item: Peer, now: int) -> str:
    """new, ok, behind (something waits), or failing with the time of the next attempt."""
    if item.fail_count:
        wait = max(0, (item.next_attempt_at or now) - now)
        return f"failing ({item.fail_count}x, next in {_words(wait)})"
    if item.queued:
        return "behind"
    return "ok" if item.last_success_at or item.last_inbound_at else "new"


def ago(at: int | None, now: int) -> str:
    """A time in words, counted back from now."""
    return "never" if at is None else f"{_words(max(0, now - at))} ago"


def skew(ms: int | None) -> str:
    """How far a peer's clock is from ours, in words."""
    if ms is None:
        return "?"
    if abs(ms) < SKEW_WORTH_A_WORD_MS:
        return "right"
    return f"{_words(abs(ms))} {'fast' if ms > 0 else 'slow'}"


def _words(ms: int) -> str:
    seconds = int(timedelta(milliseconds=ms).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
