"""The command line. Reads arguments, hands over to `fedcorp.commands`, and says in one line what went wrong.

Exit codes: 0 done, 1 the doctor has warnings or a ledger does not hold, 2 an error whose line names the cure,
130 interrupted.
"""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from fedcorp import __version__
from fedcorp.commands import announce, audit, demo, doctor, emoji, groups, moving, peers, people, processes, setup
from fedcorp.commands.endings import INTERRUPTED, complain, ended

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command; the exit code. Prints at most one line about an error that is meant."""
    command = typer.main.get_command(app)
    try:
        return ended(lambda: command.main(arguments or ["--help"], prog_name="fedcorp", standalone_mode=False))
    except TyperException as error:
        return complain(_sentence(error.format_message()) + " See --help.")
    except typer.Abort:
        return INTERRUPTED


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith((".", "?", "!")) else line + "."


if __name__ == "__main__":
    main()
