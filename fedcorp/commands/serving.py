"""The program behind `fedcorp serve`: the only place that listens. Joins the app with uvicorn; never decides what a
request gets. Its arguments: configuration, host and port (empty: as configured), whether to do what is due as well. It
has a companion for that, a process of its own, unless the configuration says otherwise.
"""

from fedcorp.commands import slim  # noqa: F401 - before anything that it is about

# isort: split

import asyncio
import errno
import logging
import signal
import ssl
import sys
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from fedcorp import config as configuration
from fedcorp.app import Instance, create_app
from fedcorp.commands import companion, logs, working
from fedcorp.commands.companion import Companion
from fedcorp.commands.connections import guarded
from fedcorp.commands.endings import ended
from fedcorp.commands.opening import check_exists
from fedcorp.config import Config
from fedcorp.errors import ConfigError

GRACE_SECONDS = 8  # for requests that are under way when a signal comes
MAX_FRAME_BYTES = 65_536
SWITCH_SECONDS = 0.0005  # threads that compute let the one that serves people go on after this long; 5 ms is usual

log = logging.getLogger(__name__)


def main(config: str, host: str = "", port: str = "", worker: str = "") -> None:
    """Serve the instance until it is interrupted. Raises ConfigError."""
    loaded = configuration.load(Path(config))
    check_exists(loaded)
    logs.configure(loaded.log_level)
    beside = companion.fork(partial(working.work, loaded)) if worker and loaded.server.companion else None
    instance = create_app(loaded, worker=bool(worker) and beside is None)
    listening = settings(instance, host or loaded.server.host, int(port) if port else loaded.server.port)
    sys.setswitchinterval(SWITCH_SECONDS)
    # uvicorn raises the signal that ended it once more; by then everything is closed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with asyncio.Runner(loop_factory=listening.get_loop_factory()) as runner:
        runner.run(run(Server(listening, instance), beside))


def settings(instance: Instance, host: str, port: int) -> uvicorn.Config:
    """How uvicorn listens for an instance. Raises ConfigError when the certificate cannot be used."""
    server = instance.config.server
    connection, socket = guarded(instance.config.limits)
    certificate, key = (_file(instance.config, path) for path in (server.tls_cert, server.tls_key))
    return uvicorn.Config(
        instance.app,
        host=host,
        port=port,
        interface="asgi3",
        http=connection,
        ws=socket,
        ws_per_message_deflate=False,  # frames are small; the compressor costs 90 kB for every open stream
        ws_max_size=MAX_FRAME_BYTES,
        lifespan="off",  # started and stopped here, so that what goes wrong is one sentence
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(server.trusted_proxies),
        forwarded_allow_ips=list(server.trusted_proxies),
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,
    )


def _file(config: Config, name: str) -> Path | None:
    if not name:
        return None
    path = config.folder / name
    if not path.is_file():
        raise ConfigError(f"there is no certificate or key file {path}; correct server.tls_cert and server.tls_key.")
    return path


class Server(uvicorn.Server):
    """uvicorn that ends open streams before it waits for its connections."""

    def __init__(self, config: uvicorn.Config, instance: Instance) -> None:
        super().__init__(config)
        self.instance = instance

    async def shutdown(self, sockets: Any = None) -> None:
        """Stop listening, end the streams, then wait for what is under way."""
        self.instance.close_streams()
        await super().shutdown(sockets)


async def run(server: Server, beside: Companion | None = None) -> None:
    """Serve until a signal comes. Raises ConfigError when the address or the certificate cannot be used."""
    config, instance = server.config, server.instance
    try:
        config.load()
    except ssl.SSLError as error:
        raise ConfigError(f"the certificate and the key cannot be used ({error.reason}); check both files.") from None
    await _check_free(str(config.host), config.port)
    try:
        await instance.start()
        await instance.check_made()
        if beside is not None:
            beside.begin(instance, lambda: server.should_exit)
        log.info("%s is at %s", instance.config.name, instance.config.origin)
        log.info("listening on %s://%s:%d", "https" if config.is_ssl else "http", config.host, config.port)
        await server.serve()
    except SystemExit as leaving:  # how uvicorn says that somebody took the address since we looked
        if not isinstance(leaving.__context__, OSError):
            raise
        raise _refused(str(config.host), config.port, leaving.__context__) from None
    finally:
        if beside is not None:
            await beside.stop(instance.clock)
        await instance.stop()
    log.info("stopped")


async def _check_free(host: str, port: int) -> None:
    """Look before anything is started: the database of a running instance must not be touched for nothing."""
    try:
        probe = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    except OSError as error:
        raise _refused(host, port, error) from None
    probe.close()
    await probe.wait_closed()


def _refused(host: str, port: int, error: OSError) -> ConfigError:
    reason = {
        errno.EADDRINUSE: "another program listens there",
        errno.EACCES: "the system allows ports below 1024 to its administrator only",
        errno.EADDRNOTAVAIL: "this machine has no such address",
    }.get(error.errno or 0, str(error))
    return ConfigError(
        f"cannot listen on {host} port {port}: {reason}; stop that program, or choose another place with --host and "
        "--port or in [server]."
    )


if __name__ == "__main__":
    sys.exit(ended(lambda: main(*sys.argv[1:])))
