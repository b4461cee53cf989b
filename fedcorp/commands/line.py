"""The whole command line: which words belong to which command."""

from typing import Annotated

import typer

from fedcorp import __version__
from fedcorp.commands import announce, audit, demo, doctor, emoji, groups, moving, peers, people, processes, setup

app = typer.Typer(
    name="fedcorp",
    help="A federated social network for inside a company: every department runs its own server.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("init")(setup.init)
app.command("serve")(processes.serve)
app.command("work")(processes.work)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("announce")(announce.announce)
app.command("audit")(audit.audit)
people.account.command("alias")(moving.alias)
people.account.command("move")(moving.move)
app.add_typer(people.account, name="account")
app.add_typer(people.token, name="token")
app.add_typer(groups.group, name="group")
app.add_typer(emoji.emoji, name="emoji")
app.add_typer(peers.peer, name="peer")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fedcorp {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass
