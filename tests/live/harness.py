"""Departments as real processes: everything goes through the command line, a socket and the client API.

Ends only what it started. Names are like finance.localhost:23456; clients reach them at 127.0.0.1, which needs no name
to be resolved.
"""

import contextlib
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.databases import POSTGRESQL, make_config
from tests.federation.world import plain

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse 7"
SCOPES = "read write follow push profile"
START_SECONDS = 40.0
STOP_SECONDS = 15.0


def eventually(check: Callable[[], T], seconds: float = 20.0) -> T:
    """The first true answer of `check`, which is asked again and again."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"still {found!r} after {seconds} s"
        time.sleep(0.05)
    return found


def free_port() -> int:
    """A port at which nobody listens, below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Person:
    """Somebody with a token, as an app sees them."""

    def __init__(self, department: "Department", name: str, token: str) -> None:
        self.department = department
        self.name = name
        self.token = token
        self.handle = f"{name}@{department.domain}"
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=department.base, headers=headers, timeout=30, trust_env=False)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that succeeds."""
        return _json(self.http.get(path, params=params))

    def post(self, path: str, **body: Any) -> Any:
        """The JSON of a POST that succeeds."""
        return _json(self.http.post(path, json=body))

    def publish(self, text: str, **values: Any) -> Any:
        """A new status."""
        return self.post("/api/v1/statuses", status=text, **values)

    def find(self, handle: str) -> str:
        """The id, here, of an account anywhere."""
        found = self.get("/api/v2/search", q=f"@{handle}", type="accounts", resolve="true")
        assert found["accounts"], f"{handle} was not found"
        return str(found["accounts"][0]["id"])

    def follow(self, handle: str) -> Any:
        """Follow somebody by handle, and wait until that is accepted."""
        id_ = self.find(handle)
        self.post(f"/api/v1/accounts/{id_}/follow")
        return eventually(lambda: self.relationship(id_)["following"])

    def relationship(self, id_: str) -> Any:
        """How this person stands to another account."""
        return self.get("/api/v1/accounts/relationships", **{"id[]": id_})[0]

    def texts(self) -> list[str]:
        """The words of the home timeline, newest first."""
        return [plain((item["reblog"] or item)["content"]) for item in self.get("/api/v1/timelines/home", limit=40)]

    def everything(self, path: str, **params: Any) -> list[Any]:
        """All pages of a list, as its Link headers lead."""
        found: list[Any] = []
        response = self.http.get(path, params={"limit": 40, **params})
        while True:
            found += _json(response)
            following = response.links.get("next")
            if following is None:
                return found
            response = self.http.get(following["url"].replace(f"http://{self.department.domain}", ""))

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def _json(response: httpx.Response) -> Any:
    request = response.request
    assert response.status_code == 200, (request.method, str(request.url), response.status_code, response.text)
    return response.json()


class Department:
    """One instance: its folder, its address and its processes. `split` gives the worker a process of its own."""

    def __init__(self, folder: Path, name: str, *, split: bool = False) -> None:
        self.port = free_port()
        self.name = name
        self.folder = folder / name
        self.domain = f"{name}.localhost:{self.port}"
        self.base = f"http://127.0.0.1:{self.port}"
        self.config = self.folder / "config.toml"
        self.people: list[Person] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self._split = split
        self._killed = False
        folder.mkdir(parents=True, exist_ok=True)
        database = ["--database", make_config(folder, self.domain).storage.database] if POSTGRESQL else []
        _fedcorp("init", str(self.folder), "--domain", self.domain, "--name", name.title(), *database)
        with self.config.open("a") as file:
            file.write("\n[limits]\nenabled = false\n")

    def command(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """What a command of this instance prints. `codes` are the exit codes that are meant."""
        return _fedcorp(*arguments, "-c", str(self.config), codes=codes)

    def person(self, name: str) -> Person:
        """Somebody new, who can sign in with PASSWORD."""
        self.command("account", "create", name, "--password", PASSWORD, "--email", f"{name}@example.com")
        made = Person(self, name, self.command("token", "create", name, "--scopes", SCOPES).strip())
        self.people.append(made)
        return made

    # -- processes -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.processes = [self._spawn("serve", "--no-worker"), self._spawn("work")] if self._split else []
        self.processes = self.processes or [self._spawn("serve")]
        eventually(self._is_up, START_SECONDS)

    def _spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "fedcorp", *arguments, "-c", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=_environment(),
            )  # fmt: skip

    def _is_up(self) -> bool:
        ended = [process.returncode for process in self.processes if process.poll() is not None]
        assert not ended, f"{self.name} ended with {ended}: {self.log()[-2000:]}"
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.base}/api/v2/instance", timeout=2, trust_env=False).is_success
        return False

    def kill(self) -> None:
        """`kill -9` all its processes."""
        self._killed = True
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()

    def stop(self) -> None:
        """Ask its processes to stop; each must do so in time and without complaint."""
        for process in self.processes:
            process.terminate()
        codes = [process.wait(STOP_SECONDS) for process in self.processes]
        self.processes = []
        assert not any(codes), (self.name, codes, self.log()[-2000:])

    def close(self) -> None:
        """End everything. Fails when a process wrote that something went wrong which nobody meant."""
        for person in self.people:
            person.close()
        try:
            if any(process.poll() is None for process in self.processes):
                self.stop()
        finally:
            for process in self.processes:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        log = self.log()
        assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:5000]

    def log(self) -> str:
        """Everything that its processes wrote."""
        path = self.folder / "log.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def quick_check(self) -> str:
        """What SQLite says about the file; "ok" for PostgreSQL, which has no such question."""
        file = self.folder / "fedcorp.db"
        if not file.exists():
            return "ok"
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return str(connection.execute("PRAGMA quick_check").fetchone()[0])


def introduce(*departments: Department, tier: str = "department") -> None:
    """Everybody adds everybody."""
    for one in departments:
        for other in departments:
            if one is not other:
                one.command("peer", "add", other.domain, "--tier", tier)


@contextlib.contextmanager
def company(folder: Path, **people: tuple[str, ...]) -> Iterator[dict[str, Department]]:
    """Departments by name with these people, known to each other and running; closed afterwards."""
    with ThreadPoolExecutor(2) as pool:
        made = dict(zip(people, pool.map(lambda name: _found(folder, name, people[name]), people), strict=True))
        try:
            introduce(*made.values())
            list(pool.map(Department.start, made.values()))
            yield made
        finally:
            with contextlib.ExitStack() as stack:
                for department in made.values():
                    stack.callback(department.close)


def _found(folder: Path, name: str, people: tuple[str, ...]) -> Department:
    department = Department(folder, name)
    for person in people:
        department.person(person)
    return department


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FEDCORP_")}
    return kept | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


def _fedcorp(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fedcorp", *arguments],
        capture_output=True, text=True, cwd=ROOT, env=_environment(), timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in codes, (arguments, done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def program(name: str) -> str:
    """The path of a program that was installed beside this Python."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed"
    return found
