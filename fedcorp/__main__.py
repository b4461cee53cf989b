"""The command line. Reads arguments, hands over to `fedcorp.commands`, and says in one line what went wrong.

Exit codes: 0 done, 1 the doctor has warnings or a ledger does not hold, 2 an error whose line names the cure,
130 interrupted.
"""

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from fedcorp.commands import processes
from fedcorp.commands.endings import INTERRUPTED, complain, ended


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command; the exit code. Prints at most one line about an error that is meant."""
    command = typer.main.get_command(_app_of(arguments))
    try:
        return ended(lambda: command.main(arguments or ["--help"], prog_name="fedcorp", standalone_mode=False))
    except TyperException as error:
        return complain(_sentence(error.format_message()) + " See --help.")
    except typer.Abort:
        return INTERRUPTED


def _app_of(arguments: list[str]) -> typer.Typer:
    if arguments[:1] in (["serve"], ["work"]):
        return processes.app
    from fedcorp.commands import line  # noqa: PLC0415 - a server need not wait for the packages of all other commands

    return line.app


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith((".", "?", "!")) else line + "."


if __name__ == "__main__":
    main()
