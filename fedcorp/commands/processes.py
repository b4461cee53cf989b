"""`fedcorp serve` and `fedcorp work`: what was asked for goes on in a program of its own, in place of this one.

The packages that read a command line take a fifth of the memory of a whole server, and it needs none of them.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fedcorp.commands.options import DEFAULT, ConfigPath

_ROOT = Path(__file__).parents[2]
app = typer.Typer(name="fedcorp", add_completion=False, pretty_exceptions_enable=False)  # these two commands alone
ARENAS = "MALLOC_ARENA_MAX"  # of glibc; by default every thread gets one, and what it once took stays in it


@app.command()
def serve(
    config: ConfigPath = DEFAULT,
    host: Annotated[str | None, typer.Option(help="Listen here instead of server.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen here instead of server.port.", min=0, max=65535)] = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Leave what is due to `fedcorp work`.")] = False,
) -> None:
    """Serve the instance until it is interrupted."""
    _become("serving", str(config), host or "", "" if port is None else str(port), "" if no_worker else "worker")


@app.command()
def work(config: ConfigPath = DEFAULT) -> None:
    """Do what is due (inbox, deliveries, jobs) without serving."""
    _become("working", str(config))


def program(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command and the environment that run a module of this room by itself: "serving" or "working"."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {ARENAS: "2", **os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
    return [sys.executable, "-P", "-m", f"fedcorp.commands.{module}", *arguments], environment


def _become(module: str, *arguments: str) -> NoReturn:
    """Run a program in place of this one; the number of the process stays."""
    command, environment = program(module, *arguments)
    os.execve(command[0], command, environment)
