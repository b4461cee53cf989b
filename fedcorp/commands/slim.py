"""Imported first by a program that runs for long: keeps packages out of its memory that are of no use to it there.

httpx loads a command line of its own where these are installed, which takes eight MiB for as long as the program runs.
"""

import sys

UNWANTED = ("pygments", "rich")

sys.modules.update(dict.fromkeys(UNWANTED))  # type: ignore[arg-type]  # None: importing it fails, as if it were not there
