"""The server processes of `fedcorp demo`: starts one `fedcorp serve` for each department, waits for it, stops it.

Ends only processes that it started. Never looks into their databases.
"""

import asyncio
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import httpx

from fedcorp.clock import Clock
from fedcorp.commands.processes import program
from fedcorp.config import Config
from fedcorp.errors import ConfigError

START_SECONDS = 60.0
STOP_SECONDS = 12.0  # longer than a server takes for requests that are under way
PROBE_SECONDS = 1.0
_LOWEST, _SPAN = 20_000, 10_000  # below the ports that systems give to outgoing connections


class Server:
    """One department's process. It answers clients at `base`, which needs no name to be resolved."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config = config
        self.base = f"http://127.0.0.1:{config.server.port}"
        self._clock = clock
        self._log = config.folder / "server.log"
        self._process: Process | None = None

    async def start(self) -> None:
        """Start the process and wait until it answers. Raises ConfigError with its own last words when it does not."""
        path = str(self.config.folder / "config.toml")
        with _appending(self._log) as log:
            command, environment = program("serving", path, "", "", "worker")
            self._process = await asyncio.create_subprocess_exec(
                *command, env=environment, stdin=DEVNULL, stdout=log, stderr=log
            )
        give_up = self._clock.monotonic() + START_SECONDS
        async with httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False) as http:
            while not await _answers(http, f"{self.base}/api/v2/instance"):
                if self._process.returncode is not None or self._clock.monotonic() > give_up:
                    raise ConfigError(f"{self.config.name} did not start: {_last_line(self._log)}")
                await self._clock.sleep(0.1)

    async def ended(self) -> int:
        """Wait for the process to end by itself; its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask the process to stop and wait for it; one that does not listen is ended."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def start_all(servers: Iterable[Server]) -> None:
    """Start servers side by side. Raises what the first that failed raises."""
    results = await asyncio.gather(*(server.start() for server in servers), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def stop_all(servers: Iterable[Server]) -> None:
    """Stop servers side by side."""
    await asyncio.gather(*(server.stop() for server in servers))


async def check_free(ports: Iterable[int]) -> None:
    """Raises ConfigError when a program answers at one of these ports of this machine."""
    for port in ports:
        if not await _is_free(port):
            raise ConfigError(
                f"port {port} is taken by another program; stop it, or choose other ports with --port "
                "(for a demo that exists already: with another --dir as well)."
            )


async def free_ports(count: int, clock: Clock) -> int:
    """The first of `count` neighbouring ports at which nobody answers."""
    while True:
        first = _LOWEST + clock.random_bits(32) % _SPAN
        if all([await _is_free(first + number) for number in range(count)]):
            return first


async def _is_free(port: int) -> bool:
    async with httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False) as http:
        try:
            await http.get(f"http://127.0.0.1:{port}/")
        except httpx.ConnectError:
            return True
        except httpx.HTTPError:
            return False
    return False


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.HTTPError:
        return False


def _appending(path: Path) -> IO[bytes]:
    return path.open("ab")


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = lines[-1].removeprefix("fedcorp: ") if lines else "it said nothing."
    return f"{said} (see {path})"
