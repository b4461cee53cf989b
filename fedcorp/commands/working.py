"""The program behind `fedcorp work`: only does what is due, beside any number of `fedcorp serve --no-worker`.

The companion of `fedcorp serve` runs the same, with a link to it.
"""

from fedcorp.commands import slim  # noqa: F401 - before anything that it is about

# isort: split

import asyncio
import logging
import signal
import sys
from pathlib import Path

from fedcorp import config as configuration
from fedcorp.app import create_app
from fedcorp.commands import logs
from fedcorp.commands.companion import Link
from fedcorp.commands.endings import ended
from fedcorp.commands.opening import check_exists
from fedcorp.config import Config

try:
    import uvloop
except ImportError:  # on systems that it does not exist for
    FACTORY = None
else:
    FACTORY = uvloop.new_event_loop

log = logging.getLogger(__name__)


def main(config: str) -> None:
    """Do what is due (inbox, deliveries, jobs) until it is interrupted. Raises ConfigError."""
    loaded = configuration.load(Path(config))
    check_exists(loaded)
    logs.configure(loaded.log_level)
    work(loaded)


def work(config: Config, link: Link | None = None) -> None:
    """The same for a configuration that was read; with a link, until the process at its other end has ended."""
    with asyncio.Runner(loop_factory=FACTORY) as runner:
        runner.run(_work(config, link))


async def _work(config: Config, link: Link | None) -> None:
    instance = create_app(config, serve=False)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT) if link is None else (signal.SIGTERM,):
        loop.add_signal_handler(name, stopping.set)
    if link is not None:
        link.open(instance.db, stopping.set)
    try:
        await instance.start()
        await instance.check_made()
        log.info("working for %s", config.domain)
        await stopping.wait()
    finally:
        await instance.stop()


if __name__ == "__main__":
    sys.exit(ended(lambda: main(*sys.argv[1:])))
