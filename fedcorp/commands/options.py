"""The option that nearly every command takes, and the console that they print to."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

ConfigPath = Annotated[
    Path, typer.Option("--config", "-c", metavar="CONFIG", envvar="FEDCORP_CONFIG", help="The configuration file.")
]
DEFAULT = Path("config.toml")
WIDE = 240  # columns of a table that goes to a file or a program, where nothing may be cut off

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
