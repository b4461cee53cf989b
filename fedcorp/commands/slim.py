"""Imported first by a program that runs for long: keeps packages out of its memory that are of no use to it there.

httpx loads a command line of its own where these are installed, which takes eight MiB for as long as the program runs.
"""

import sys

UNWANTED = ("pygments", "rich")

for name in UNWANTED:  # None: importing it fails, as if it were not there; what is loaded already stays
    sys.modules.setdefault(name, None)  # type: ignore[arg-type]
