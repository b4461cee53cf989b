"""`fedcorp peer`: which servers this department talks to, what they may get, and how well that goes."""

import json
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from fedcorp import config as configuration
from fedcorp.commands import probing
from fedcorp.commands.opening import run
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.storage.database import Database, Tx

peer = typer.Typer(help="Servers of other departments and of partners.")
Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="Like hr.example.com or hr.localhost:8001.")]

SKEW_WORTH_A_WORD_MS = 60_000
HEADINGS = (
    "Domain", "Tier", "State", "Queued", "Lag", "Software", "Signatures", "Groups", "Last success", "Last heard",
    "Clock", "Last error",
)  # fmt: skip


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


peer.command("test")(probing.probe)


@peer.command("list")
def list_(
    config: ConfigPath = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the peers as JSON.")] = False,
) -> None:
    """Show every peer: what waits for it and for how long, how we speak with it, what went wrong."""

    async def work(db: Database) -> tuple[list[Peer], dict[str, int], int]:
        return await db.read(_read)

    found, lags, now = run(config, work)
    if as_json:
        typer.echo(json.dumps([_described(item, lags.get(item.domain, 0), now) for item in found], indent=2))
        return
    if not found:
        console.print("There are no peers; let one in with `fedcorp peer add DOMAIN`.")
        return
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for item in found:
        table.add_row(*_row(item, lags.get(item.domain), now))
    table.columns[0].no_wrap = True
    console.print(table)


def _read(tx: Tx) -> tuple[list[Peer], dict[str, int], int]:
    return peers.listing(tx), peers.lags(tx), tx.ms


def _described(item: Peer, lag: int, now: int) -> dict[str, Any]:
    """A peer for programs; times in milliseconds since 1970, the lag in milliseconds."""
    names = (
        "domain", "tier", "queued", "software", "version", "dialect", "signature_profile", "last_success_at",
        "last_inbound_at", "last_error", "clock_skew_ms", "fail_count", "next_attempt_at",
    )  # fmt: skip
    return {"state": state(item, now).partition(" ")[0], "lag_ms": lag, **{name: getattr(item, name) for name in names}}


def _row(item: Peer, lag: int | None, now: int) -> list[str]:
    return [
        item.domain,
        item.tier,
        state(item, now),
        str(item.queued),
        "-" if lag is None else _words(lag),
        f"{item.software} {item.version or ''}".strip() if item.software else "?",
        item.signature_profile or "cavage",
        item.dialect or "?",
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
