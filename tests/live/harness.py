"""Departments as real processes with real sockets between them, and people who use them as an app would.

What serves and works runs in processes of its own, started through the command line. Commands that come and go
(`account create`, `peer add`) run here, beside those processes: an interpreter for each of them would cost two seconds.
Names are like finance.localhost:23456; clients reach them at 127.0.0.1, which needs no name to be resolved.
Ends only what it started.
"""

import contextlib
import io
import json
import os
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from fedcorp.__main__ import run
from tests.databases import POSTGRESQL, make_config
from tests.federation.world import plain
from tests.live.authority import Authority

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
        self.http = department.client({"Authorization": f"Bearer {token}"})

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that succeeds."""
        return _json(self.http.get(path, params=params))

    def post(self, path: str, **body: Any) -> Any:
        """The JSON of a POST that succeeds."""
        return _json(self.http.post(path, json=body))

    def put(self, path: str, **body: Any) -> Any:
        """The JSON of a PUT that succeeds."""
        return _json(self.http.put(path, json=body))

    def delete(self, path: str) -> Any:
        """The JSON of a DELETE that succeeds."""
        return _json(self.http.delete(path))

    @property
    def id(self) -> str:
        """Their own id, here."""
        return str(self.get("/api/v1/accounts/verify_credentials")["id"])

    def publish(self, text: str, **values: Any) -> Any:
        """A new status."""
        return self.post("/api/v1/statuses", status=text, **values)

    def attach(self, picture: bytes, description: str = "") -> str:
        """Upload a picture; its id."""
        sent = self.http.post(
            "/api/v2/media", files={"file": ("picture.png", picture)}, data={"description": description}
        )
        return str(_json(sent)["id"])

    def find(self, handle: str) -> str:
        """The id, here, of an account anywhere."""
        found = self.get("/api/v2/search", q=f"@{handle}", type="accounts", resolve="true")
        assert found["accounts"], f"{handle} was not found"
        return str(found["accounts"][0]["id"])

    def find_status(self, uri: str) -> Any:
        """The status with this uri as this person's server shows it, as soon as it has it."""

        def look() -> Any:
            found = self.get("/api/v2/search", q=uri, type="statuses", resolve="true")["statuses"]
            return found[0] if found else None

        return eventually(look)

    def follow(self, handle: str) -> str:
        """Follow somebody by handle, and wait until that is accepted; their id here."""
        id_ = self.find(handle)
        self.post(f"/api/v1/accounts/{id_}/follow")
        eventually(lambda: self.relationship(id_)["following"])
        return id_

    def relationship(self, id_: str) -> Any:
        """How this person stands to another account."""
        return self.get("/api/v1/accounts/relationships", **{"id[]": id_})[0]

    def home(self) -> list[Any]:
        """The home timeline, newest first; boosts as what they show."""
        return [item["reblog"] or item for item in self.get("/api/v1/timelines/home", limit=40)]

    def texts(self) -> list[str]:
        """The words of the home timeline, newest first."""
        return [plain(item["content"]) for item in self.home()]

    def everything(self, path: str, **params: Any) -> list[Any]:
        """All pages of a list, as its Link headers lead."""
        found: list[Any] = []
        response = self.http.get(path, params={"limit": 40, **params})
        while True:
            found += _json(response)
            following = response.links.get("next")
            if following is None:
                return found
            response = self.http.get(following["url"].replace(self.department.origin, ""))

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def _json(response: httpx.Response) -> Any:
    request = response.request
    assert response.status_code == 200, (request.method, str(request.url), response.status_code, response.text)
    return response.json()


class Department:
    """One instance: its folder, its address and its processes.

    `split` runs `serve --no-worker` and `work`; with an `authority` it serves https; `tables` go into its file.
    """

    def __init__(
        self, folder: Path, name: str, *, split: bool = False, authority: Authority | None = None, **tables: Any
    ) -> None:
        self.port = free_port()
        self.name = name
        self.folder = folder / name
        self.domain = f"{name}.localhost:{self.port}"
        scheme = "https" if authority else "http"
        self.origin = f"{scheme}://{self.domain}"
        self.base = f"{scheme}://127.0.0.1:{self.port}"
        self.config = self.folder / "config.toml"
        self.people: list[Person] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self._parts = (("serve", "--no-worker"), ("work",)) if split else (("serve",),)
        self.authority = authority
        folder.mkdir(parents=True, exist_ok=True)
        database: list[str] = []
        if POSTGRESQL:
            fresh = make_config(folder, self.domain).storage
            self.folder.mkdir()
            shutil.copy(fresh.key, self.folder)
            database = ["--database", fresh.database]
        words = ["init", str(self.folder), "--domain", self.domain, "--name", name.title(), "--url", self.origin]
        command(*words, *database)
        self.configure(limits={"enabled": False}, **tables)
        if authority:
            certificate, key = authority.certify(self.folder, self.domain.partition(":")[0])
            self.configure(server={"tls_cert": str(certificate), "tls_key": str(key)})

    def configure(self, **tables: Any) -> None:
        """Change keys and tables of the configuration file."""
        values = tomllib.loads(self.config.read_text())
        for name, value in tables.items():
            values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
        plain_keys = [f"{key} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)]
        for name, table in values.items():
            if isinstance(table, dict):
                plain_keys += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        self.config.write_text("\n".join(plain_keys) + "\n")

    def command(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """What a command of this instance prints. `codes` are the exit codes that are meant."""
        return command(*arguments, "-c", str(self.config), codes=codes)

    def person(self, name: str) -> Person:
        """Somebody new, who can sign in with PASSWORD."""
        self.command("account", "create", name, "--password", PASSWORD, "--email", f"{name}@example.com")
        made = Person(self, name, self.command("token", "create", name, "--scopes", SCOPES).strip())
        self.people.append(made)
        return made

    def group(self, name: str, preset: str = "open", *, owner: Person) -> str:
        """A new group; its handle."""
        self.command("group", "create", name, "--title", name.title(), "--preset", preset, "--owner", owner.name)
        return f"{name}@{self.domain}"

    def peer(self, domain: str) -> dict[str, str]:
        """What `peer list` says about one peer, by heading."""
        head, *rows = [re.split(r" {2,}", line.rstrip()) for line in self.command("peer", "list").splitlines()]
        return next(dict(zip(head, row, strict=False)) for row in rows if row[0] == domain)

    def client(self, headers: dict[str, str] | None = None) -> httpx.Client:
        """Something to send requests with."""
        verify = self.authority.context() if self.authority else False
        return httpx.Client(base_url=self.base, headers=headers, timeout=30, trust_env=False, verify=verify)

    # -- processes -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.launch()
        self.wait_until_up()

    def launch(self) -> None:
        """Start its processes."""
        self.processes = [self.spawn(*words) for words in self._parts]

    def revive(self) -> None:
        """Start those of its processes again that have ended, and wait until it answers."""
        for number, words in enumerate(self._parts):
            if self.processes[number].poll() is not None:
                self.processes[number] = self.spawn(*words)
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait until it answers."""
        with self.client() as http:
            eventually(lambda: self._is_up(http), START_SECONDS)

    def _is_up(self, http: httpx.Client) -> bool:
        ended = [process.returncode for process in self.processes if process.poll() is not None]
        assert not ended, f"{self.name} ended with {ended}: {self.log()[-2000:]}"
        with contextlib.suppress(httpx.TransportError):
            return http.get("/api/v2/instance").is_success
        return False

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        """One process of this instance, which writes into its log."""
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "fedcorp", *arguments, "-c", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=self.environment(),
            )  # fmt: skip

    def attempt(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command of this instance in a process of its own, which must end by itself; `variables` on top of ours."""
        return subprocess.run(
            [sys.executable, "-m", "fedcorp", *arguments, "-c", str(self.config)], cwd=ROOT, check=False,
            capture_output=True, text=True, timeout=START_SECONDS, env=self.environment() | variables,
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Variables of its processes: ours, without settings of fedcorp."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FEDCORP_")}
        trust = {"SSL_CERT_FILE": str(self.authority.file)} if self.authority else {}
        return kept | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"} | trust

    def kill(self) -> None:
        """`kill -9` all that was started; a companion ends by itself soon after."""
        for number in range(len(self.processes)):
            self.kill_one(number)

    def kill_one(self, number: int) -> None:
        """`kill -9` one of its processes."""
        self.processes[number].kill()
        self.processes[number].wait()

    def companion(self) -> psutil.Process:
        """The process beside the one that serves."""
        (found,) = psutil.Process(self.processes[0].pid).children()
        return found

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
        assert "Traceback" not in log, log[max(0, log.index("Traceback") - 500) :][:5000]

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
def running(*departments: Department) -> Iterator[None]:
    """Departments that run inside and are closed afterwards."""
    try:
        for department in departments:
            department.launch()
        for department in departments:
            department.wait_until_up()
        yield
    finally:
        with contextlib.ExitStack() as stack:
            for department in departments:
                stack.callback(department.close)


@contextlib.contextmanager
def company(
    folder: Path, *, authority: Authority | None = None, **people: tuple[str, ...]
) -> Iterator[dict[str, Department]]:
    """Departments by name with these people, known to each other and running; closed afterwards."""
    made = {name: Department(folder, name, authority=authority) for name in people}
    for name, department in made.items():
        for person in people[name]:
            department.person(person)
    introduce(*made.values())
    with running(*made.values()):
        yield made


def command(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    """What a command prints. `codes` are the exit codes that are meant."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([*arguments])
    assert code in codes, (arguments, code, out.getvalue(), err.getvalue())
    return out.getvalue()


def program(name: str) -> str:
    """The path of a program that was installed beside this Python."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed"
    return found
