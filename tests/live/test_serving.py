"""How `serve` behaves as a process: its own TLS, the names it answers to, streams, how it starts and how it ends."""

import asyncio
import json
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
import sqlalchemy as sa
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from fedcorp import config as configuration
from tests.databases import POSTGRESQL, away
from tests.federation.world import plain
from tests.live.authority import Authority
from tests.live.harness import Department, Person, company, eventually, free_port, running

HEAR_SECONDS = 20.0
END_SECONDS = 5.0  # a server that is asked to end does not wait for the 8 s that slow requests are given
SERVICE_RESTART = 1012  # tells a client to come back
MEBIBYTE = 2**20
MOST_MEMORY = 120 * MEBIBYTE  # of a department alone: what libraries share between processes is there once


@pytest.fixture(scope="module")
def departments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Department]]:
    """Finance with ada and HR with ben, both on https with certificates of the company's own authority."""
    folder = tmp_path_factory.mktemp("serving")
    with company(folder, authority=Authority(folder), finance=("ada",), hr=("ben",)) as made:
        made["hr"].people[0].follow(made["finance"].people[0].handle)
        yield made


@pytest.fixture
def finance(departments: dict[str, Department]) -> Department:
    """The department of ada."""
    return departments["finance"]


@pytest.fixture
def ada(departments: dict[str, Department]) -> Person:
    """Somebody whom ben follows."""
    return departments["finance"].people[0]


@pytest.fixture
def ben(departments: dict[str, Department]) -> Person:
    """Somebody who follows ada from another department."""
    return departments["hr"].people[0]


@pytest.fixture
def lonely(tmp_path: Path) -> Department:
    """A department that does not run."""
    return Department(tmp_path, "lonely")


# -- TLS and names ---------------------------------------------------------------------------------------------------


@pytest.mark.once
def test_departments_meet_over_https(ada: Person, ben: Person) -> None:
    posted = ada.publish("behind a lock")
    assert posted["uri"].startswith(f"https://{ada.department.domain}/")
    eventually(lambda: "behind a lock" in ben.texts())
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(ada.department.base, trust_env=False)


@pytest.mark.once
def test_trust_comes_from_the_file_that_is_named(finance: Department) -> None:
    def found(**environment: str) -> set[str]:
        done = finance.attempt("doctor", "--json", **environment)
        return {item["name"] for item in json.loads(done.stdout)} - {"disk-nearly-full", "ffmpeg-missing"}

    assert found() == set()
    assert found(SSL_CERT_FILE="") == {"wrong-url", "peer-unreachable"}


@pytest.mark.once
@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("finance.localhost:{port}", "/api/v2/instance", 200),
        ("FINANCE.localhost:{port}", "/api/v2/instance", 200),
        ("127.0.0.1:{port}", "/api/v2/instance", 200),
        ("localhost:{port}", "/api/v2/instance", 200),
        ("finance.localhost", "/api/v2/instance", 421),
        ("localhost:1", "/api/v2/instance", 421),
        ("evil.example", "/api/v2/instance", 421),
        ("evil.example:{port}", "/api/v2/instance", 421),
        ("finance.localhost:{port}", "/actor", 200),
        ("127.0.0.1:{port}", "/actor", 421),
        ("localhost:{port}", "/inbox", 421),
    ],
)
def test_a_server_answers_under_its_own_names_only(finance: Department, host: str, path: str, status: int) -> None:
    with finance.client() as http:
        answer = http.get(path, headers={"Host": host.format(port=finance.port)})
    assert answer.status_code == status, answer.text
    assert status == 200 or "error" in answer.json()


@pytest.mark.once
def test_a_stranger_s_page_cannot_open_a_stream(ada: Person) -> None:
    with pytest.raises(InvalidStatus, match="403"), websocket(ada, f"?access_token={ada.token}", host="evil.example"):
        pass


# -- streams ---------------------------------------------------------------------------------------------------------


class Stream:
    """A stream that is open. The library's own blocking client loses answers over TLS: two threads share its socket."""

    def __init__(self, runner: asyncio.Runner, connection: ClientConnection) -> None:
        self._runner = runner
        self._connection = connection
        self.subprotocol = connection.subprotocol

    def send(self, text: str) -> None:
        """Send a frame."""
        self._runner.run(self._connection.send(text))

    def recv(self) -> str:
        """The next frame; TimeoutError when none comes within HEAR_SECONDS."""
        return str(self._runner.run(asyncio.wait_for(self._connection.recv(), HEAR_SECONDS)))


@contextmanager
def websocket(
    person: Person, query: str = "", *, host: str = "127.0.0.1", tokens: tuple[str, ...] = ()
) -> Iterator[Stream]:
    """A stream of somebody, as a program opens it; `tokens` go as subprotocols, as those of a browser do."""
    department = person.department
    scheme, trust = ("wss", department.authority.context()) if department.authority else ("ws", None)

    async def opened() -> ClientConnection:
        return await connect(
            f"{scheme}://{host}:{department.port}/api/v1/streaming{query}",
            sock=socket.create_connection(("127.0.0.1", department.port), HEAR_SECONDS),
            ssl=trust,
            server_hostname="127.0.0.1" if trust else None,
            subprotocols=[Subprotocol(token) for token in tokens] or None,
            proxy=None,
        )

    with asyncio.Runner() as runner:
        connection = runner.run(opened())
        try:
            yield Stream(runner, connection)
        finally:
            runner.run(connection.close())


def hear(stream: Stream, words: str) -> dict[str, object]:
    """The frame that brings a status with these words."""
    while True:
        frame: dict[str, object] = json.loads(stream.recv())
        payload = json.loads(str(frame.get("payload", "{}")))
        if isinstance(payload, dict) and plain(payload.get("content", "")) == words:
            return frame


def obey(connection: Stream, **frame: str) -> None:
    """Send a frame, and know that it was obeyed: the answer to a wrong one behind it is awaited."""
    connection.send(json.dumps(frame))
    connection.send(json.dumps({"type": "subscribe", "stream": "nonsense"}))
    while "error" not in json.loads(connection.recv()):
        pass


def test_a_browser_s_websocket_gets_a_post_of_another_department(ada: Person, ben: Person) -> None:
    with websocket(ben, tokens=(ben.token,)) as stream:
        assert stream.subprotocol == ben.token, "a browser closes a socket that does not name the subprotocol again"
        obey(stream, type="subscribe", stream="user")
        obey(stream, type="subscribe", stream="hashtag", tag="streamed")
        ada.publish("two ways to you #streamed")
        frames = [hear(stream, "two ways to you #streamed") for _ in range(2)]
        assert sorted(str(frame["stream"]) for frame in frames) == ["['hashtag', 'streamed']", "['user']"]
        assert {frame["event"] for frame in frames} == {"update"}
        obey(stream, type="unsubscribe", stream="hashtag", tag="streamed")
        ada.publish("one way to you #streamed")
        ada.publish("and the end")
        heard = [hear(stream, "one way to you #streamed"), hear(stream, "and the end")]
        assert [frame["stream"] for frame in heard] == [["user"], ["user"]]


def test_server_sent_events_bring_a_post_of_another_department(ada: Person, ben: Person) -> None:
    with ben.http.stream("GET", "/api/v1/streaming/user", timeout=HEAR_SECONDS) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        lines = answer.iter_lines()
        assert next(lines).startswith(":"), "the stream is open"
        ada.publish("line by line")
        event = next(line for line in lines if line.startswith("event:"))
        data = next(lines)
    assert event == "event: update"
    assert plain(json.loads(data.removeprefix("data: "))["content"]) == "line by line"


@pytest.mark.once
def test_streams_are_closed_to_those_without_a_token(finance: Department, ada: Person) -> None:
    with finance.client() as http:
        assert http.get("/api/v1/streaming/user").status_code == 401
    with pytest.raises(InvalidStatus, match="403"), websocket(ada, "?access_token=nonsense&stream=user"):
        pass


# -- ending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_with_streams_open(tmp_path: Path, number: signal.Signals) -> None:
    department = Department(tmp_path, "leaving")
    person = department.person("ann")
    with running(department), websocket(person, f"?stream=user&access_token={person.token}") as stream:
        with person.http.stream("GET", "/api/v1/streaming/public") as events, closing(idle(department)):
            (process,) = department.processes
            started = time.monotonic()
            process.send_signal(number)
            assert process.wait(END_SECONDS) == 0, department.log()
            print(f"ended after {time.monotonic() - started:.3f} s")
            assert events.read().endswith(b"\n\n"), "the stream ends between events, not within one"
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == SERVICE_RESTART
        assert department.log().rstrip().endswith("stopped")
        assert department.quick_check() == "ok"


def idle(department: Department) -> socket.socket:
    """A connection of a client that keeps it open and asks for nothing."""
    opened = socket.create_connection(("127.0.0.1", department.port), 10)
    opened.sendall(f"GET /api/v2/instance HTTP/1.1\r\nHost: {department.domain}\r\n\r\n".encode())
    assert opened.recv(100).startswith(b"HTTP/1.1 200")
    return opened


@pytest.mark.once
def test_nobody_waits_for_a_client_that_does_not_say_goodbye(tmp_path: Path) -> None:
    """TLS has both sides say that they are done; telephones that are out of reach do not."""
    department = Department(tmp_path, "mute", authority=Authority(tmp_path))
    assert department.authority is not None
    department.start()
    try:
        context, request = department.authority.context(), f"GET /health HTTP/1.1\r\nHost: {department.domain}\r\n\r\n"
        with (
            socket.create_connection(("127.0.0.1", department.port)) as raw,
            context.wrap_socket(raw, server_hostname="mute.localhost") as client,
        ):
            client.sendall(request.encode())
            assert client.recv(12) == b"HTTP/1.1 200"
            department.processes[0].terminate()
            assert department.processes[0].wait(END_SECONDS) == 0
        assert "ERROR" not in department.log()
    finally:
        department.close()


# -- a database that is away -----------------------------------------------------------------------------------------


@pytest.mark.skipif(not POSTGRESQL, reason="an SQLite database is a file")
def test_a_department_goes_on_when_its_database_is_back(lonely: Department) -> None:
    with running(lonely):
        ann = lonely.person("ann")
        ann.publish("before")
        with away(configuration.load(lonely.config).storage.database):
            for _ in range(2):
                for answer in (
                    ann.http.get("/api/v1/timelines/home"),
                    ann.http.post("/api/v1/statuses", json={"status": "lost"}),
                    ann.http.get("/actor", headers={"Host": lonely.domain}),
                ):
                    assert answer.status_code == 503, answer.text
                    assert answer.json() == {"error": "The server cannot reach its database at the moment."}
                    assert int(answer.headers["retry-after"]) > 0
            eventually(lambda: "cannot reach its database" in lonely.log())
        ann.publish("after")
        assert ann.texts() == ["after", "before"]
        lonely.stop()


# -- refusing to start -----------------------------------------------------------------------------------------------


def refusal(department: Department, *words: str) -> str:
    """The one line that a process says which refuses to start."""
    done = department.attempt(*words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert re.fullmatch(r"fedcorp: [^\n]+[.?]\n", done.stderr), done.stderr
    return done.stderr


@pytest.mark.once
def test_a_taken_port_is_named_and_the_running_server_left_alone(tmp_path: Path) -> None:
    department = Department(tmp_path, "first")
    with running(department):
        line = refusal(department, "serve")
        assert f"port {department.port}: another program listens there" in line
        assert "--port" in line
        with department.client() as http:
            assert http.get("/api/v2/instance").is_success


def make_database_newer(department: Department) -> None:
    """As if a later version of fedcorp had been here."""
    engine = sa.create_engine(configuration.load(department.config).database_url)
    with engine.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()


def write_a_key_wrong(department: Department) -> None:
    """A slip of the pen in the configuration."""
    department.configure(nmae="Lonely")


def name_another_file(department: Department) -> None:
    """A configuration that does not exist."""
    department.config = department.folder / "elsewhere.toml"


def lose_the_database(department: Department) -> None:
    """A database file that does not exist."""
    department.configure(storage={"database": f"sqlite:///{department.folder}/none.db"})


def stop_the_database_server(department: Department) -> None:
    """A database server that nobody started."""
    department.configure(storage={"database": f"postgresql://nobody@127.0.0.1:{free_port()}/none"})


def change_the_domain(department: Department) -> None:
    """Another name than the instance was made with."""
    department.configure(domain="other.localhost", url="")


def lose_the_certificate(department: Department) -> None:
    """A certificate that does not exist."""
    department.configure(server={"tls_cert": "gone.pem", "tls_key": "gone.pem"})


def spoil_the_certificate(department: Department) -> None:
    """A certificate that is none."""
    (department.folder / "bad.pem").write_text("no certificate")
    department.configure(server={"tls_cert": "bad.pem", "tls_key": "bad.pem"})


Spoil = Callable[[Department], None]


@pytest.mark.parametrize(
    ("spoil", "command", "cause", "cure"),
    [
        (make_database_newer, "serve", "newer version", "upgrade fedcorp"),
        (make_database_newer, "work", "newer version", "upgrade fedcorp"),
        *(
            pytest.param(*row, marks=pytest.mark.once)
            for row in (
                (write_a_key_wrong, "serve", "unknown key `nmae`", "did you mean `name`"),
                (name_another_file, "serve", "does not exist", "fedcorp init"),
                (lose_the_database, "serve", "there is no database", "storage.database"),
                (lose_the_database, "work", "there is no database", "storage.database"),
                (stop_the_database_server, "serve", "cannot be opened", "storage.database"),
                (change_the_domain, "serve", "no instance at http://other.localhost", "correct domain"),
                (change_the_domain, "work", "no instance at http://other.localhost", "correct domain"),
                (lose_the_certificate, "serve", "no certificate or key file", "server.tls_cert"),
                (spoil_the_certificate, "serve", "cannot be used", "check both files"),
            )
        ),
    ],
)
def test_what_cannot_be_served_is_one_clear_line(
    lonely: Department, spoil: Spoil, command: str, cause: str, cure: str
) -> None:
    spoil(lonely)
    line = refusal(lonely, command)
    assert cause in line
    assert cure in line


# -- size ------------------------------------------------------------------------------------------------------------


def test_memory_stays_small(ada: Person) -> None:
    for number in range(50):
        ada.publish(f"a thing to remember {number}")
        ada.home()
    (process,) = map(psutil.Process, (process.pid for process in ada.department.processes))
    memories = [one.memory_full_info() for one in (process, *process.children())]
    for memory in memories:
        print(f"{memory.rss / MEBIBYTE:.0f} MiB resident, {memory.uss / MEBIBYTE:.0f} MiB of them shared with nobody")
    assert sum(memory.uss for memory in memories) < MOST_MEMORY
