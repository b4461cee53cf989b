"""`fedcorp work`: a process that only does what is due, beside any number of `fedcorp serve --no-worker`."""

import asyncio
import logging
import signal

from fedcorp import config as configuration
from fedcorp.app import create_app
from fedcorp.commands import logs
from fedcorp.commands.opening import check_exists
from fedcorp.commands.options import DEFAULT, ConfigPath
from fedcorp.config import Config

try:
    import uvloop
except ImportError:  # on systems that it does not exist for
    FACTORY = None
else:
    FACTORY = uvloop.new_event_loop

log = logging.getLogger(__name__)


def work(config: ConfigPath = DEFAULT) -> None:
    """Do what is due (inbox, deliveries, jobs) without serving."""
    loaded = configuration.load(config)
    check_exists(loaded)
    logs.configure(loaded.log_level)
    with asyncio.Runner(loop_factory=FACTORY) as runner:
        runner.run(_work(loaded))


async def _work(config: Config) -> None:
    instance = create_app(config, serve=False)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    try:
        await instance.start()
        await instance.check_made()
        log.info("working for %s", config.domain)
        await stopping.wait()
    finally:
        await instance.stop()
