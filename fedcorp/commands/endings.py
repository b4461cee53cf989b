"""How a program ends: with its exit code, and with one line about what went wrong where that is known."""

import sys
from collections.abc import Callable

from fedcorp.errors import FedcorpError

FAILED, INTERRUPTED = 2, 130


def complain(text: str) -> int:
    """Say on stderr what went wrong; the exit code."""
    print(f"fedcorp: {text}", file=sys.stderr)
    return FAILED


def ended(run: Callable[[], object]) -> int:
    """Run something to its end; the exit code. Prints at most one line about an error that is meant."""
    try:
        code = run()
    except FedcorpError as error:
        return complain(error.text)
    except OSError as error:
        return complain(f"{error.filename or 'the system'}: {error.strerror or error}.")
    except KeyboardInterrupt:
        return INTERRUPTED
    return code if isinstance(code, int) else 0
