"""A department under measurement: its folder, its processes, its people, and what those cost.

Made through the product's own commands and verbs; ends only processes that it started.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

from fedcorp import config as configuration
from fedcorp import keys
from fedcorp.activitypub import signatures
from fedcorp.clock import Clock
from fedcorp.commands import setup
from fedcorp.commands.demo_servers import free_ports
from fedcorp.commands.opening import opened
from fedcorp.company import peers
from fedcorp.config import Config
from fedcorp.keys import load_private
from fedcorp.social import accounts, applications
from fedcorp.social.accounts import Account, RemoteAccount, RemoteKey
from fedcorp.storage.database import Database, Tx

T = TypeVar("T")
SCOPES = "read write follow push"
START_SECONDS = 40.0
PAIR = keys.generate()  # one pair for everybody: making keys is not what is measured


class Department:
    """One instance in a folder of its own."""

    def __init__(self, folder: Path, name: str, database: str = "", limits: str = "enabled = false\n") -> None:
        self.port = asyncio.run(_free_port())
        self.domain = f"{name}.localhost:{self.port}"
        self.folder = folder / name
        setup.create(self.folder, domain=self.domain, name=name, database=database)
        path = self.folder / "config.toml"
        path.write_text(path.read_text() + "\n[limits]\n" + limits)
        self.config: Config = configuration.load(path)
        self.tokens: dict[str, str] = {}
        self.processes: list[subprocess.Popen[bytes]] = []

    # -- set-up ----------------------------------------------------------------------------------------------------

    def do(self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Run `work(db)` on the database, beside a server that may be running."""

        async def main() -> T:
            async with opened(self.config, Clock()) as db:
                return await work(db)

        return asyncio.run(main())

    def hire(self, *names: str) -> None:
        """People with tokens."""

        async def work(db: Database) -> None:
            for name in names:
                self.tokens[name] = await db.write(_hire, name)

        self.do(work)

    def know(self, domain: str, tier: str = "department") -> None:
        """Add a peer."""

        async def work(db: Database) -> None:
            await db.write(peers.add, domain, tier)

        self.do(work)

    # -- processes -------------------------------------------------------------------------------------------------

    def start(self, *arguments: str) -> float:
        """Start `serve` (with these arguments); seconds until it answers."""
        began = time.perf_counter()
        self._spawn("serve", *arguments)
        while not self._answers():
            if self.processes[-1].poll() is not None or time.perf_counter() - began > START_SECONDS:
                raise RuntimeError(f"{self.domain} did not start, see {self.folder / 'log.txt'}")
            time.sleep(0.02)
        return time.perf_counter() - began

    def work(self) -> None:
        """Start `work`."""
        self._spawn("work")

    def _spawn(self, *arguments: str) -> None:
        with (self.folder / "log.txt").open("ab") as log:
            path = str(self.folder / "config.toml")
            command = [sys.executable, "-m", "fedcorp", *arguments, "-c", path]
            self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=1, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End its processes."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)
        self.processes = []

    def cpu(self) -> float:
        """CPU seconds of its processes so far."""
        return float(sum(sum(process.cpu_times()[:2]) for process in self._alive()))

    def memory(self) -> float:
        """MiB of its processes; what they share counts once."""
        return float(sum(process.memory_full_info().pss for process in self._alive()) / 2**20)

    def _alive(self) -> list[psutil.Process]:
        """Its processes, with those that they started."""
        started = [psutil.Process(item.pid) for item in self.processes]
        return [*started, *(child for process in started for child in process.children(recursive=True))]

    def request(self, name: str, method: str, path: str, body: bytes = b"") -> bytes:
        """A complete request of a person's app."""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Bearer {self.tokens[name]}",
            f"Content-Length: {len(body)}",
        ]
        if body:
            lines.append("Content-Type: application/json")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def signed(self, author: str, document: Mapping[str, object]) -> bytes:
        """A complete POST of an activity to the shared inbox, signed with the key of its author (`remote`)."""
        body = json.dumps(document).encode()
        headers = signatures.sign(
            "POST", f"http://{self.domain}/inbox", body, key_id=f"{author}#main-key",
            private=load_private(PAIR.rsa_private), dialect="cavage", now=datetime.now(UTC), headers=None,
        )  # fmt: skip
        lines = ["POST /inbox HTTP/1.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _free_port() -> int:
    return await free_ports(1, Clock())


def _hire(tx: Tx, name: str) -> str:
    account = accounts.create_local(tx, name, PAIR)
    accounts.create_user(tx, account.id, email=None, password_hash="")
    application = applications.command_line_application(tx)
    return applications.issue_token(tx, account_id=account.id, application_id=application.id, scopes=SCOPES)


def remote(tx: Tx, domain: str, name: str) -> Account:
    """Somebody of a server that exists only as load: known here with a key, so that nothing is fetched."""
    origin = f"http://{domain}"
    uri = f"{origin}/u/{name}"
    key = RemoteKey(f"{uri}#main-key", "rsa", PAIR.rsa_public)
    return accounts.upsert_remote(
        tx,
        RemoteAccount(
            uri=uri, url=f"{origin}/@{name}", origin=origin, kind="person", username=name, domain=domain,
            inbox_uri=f"{uri}/inbox", shared_inbox_uri=f"{origin}/inbox", followers_uri=f"{uri}/followers", keys=(key,),
        ),
    )  # fmt: skip
