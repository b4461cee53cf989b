"""How a running process writes its log: one line per record on stderr. Nothing here decides what is logged."""

import logging

from fedcorp.config import LOG_LEVELS

QUIET = ("httpx", "httpcore", "uvicorn.error", "uvicorn.asgi", "websockets", "alembic")


def configure(level: str) -> None:
    """Send records of `level` and above to stderr; libraries only from warnings up, unless debugging."""
    assert level in LOG_LEVELS
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True)
    if level != "debug":
        for name in QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)
