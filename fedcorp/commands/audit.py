"""`fedcorp audit`: who did what to whom in this department, when and why."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from fedcorp.clock import from_ms
from fedcorp.commands.opening import run
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.company.audit import Entry, listing
from fedcorp.storage.database import Database

HEADINGS = ("Number", "When", "Who", "Act", "Whom or what", "Outcome", "Why")


def audit(
    config: ConfigPath = DEFAULT,
    last: Annotated[int, typer.Option(metavar="NUMBER", min=1, help="How many entries, the latest at the end.")] = 50,
    act: Annotated[str, typer.Option(metavar="ACT", help="Only acts that begin so: account., report., peer.")] = "",
    actor: Annotated[str, typer.Option(metavar="WHO", help="Only what this one did: an address of an account.")] = "",
    subject: Annotated[
        str, typer.Option(metavar="WHOM", help="Only what was done to this: an address, a domain, a number.")
    ] = "",
) -> None:
    """Show what moderators and administrators did. Times are UTC. Nothing of it can be changed or removed."""

    async def work(db: Database) -> list[Entry]:
        return await db.read(listing, last, act=act, actor=actor, subject=subject)

    found = run(config, work)
    if not found:
        console.print("Nothing of this kind was done.")
        return
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for item in reversed(found):
        words = (item.actor, item.act, item.subject, item.outcome, " ".join(item.reason.split()))
        when = from_ms(item.created_at).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(str(item.seq), when, *(escape(word) for word in words))
    table.columns[0].no_wrap = True
    console.print(table)
