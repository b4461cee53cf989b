"""Clients that never finish what they say, or never read what they asked for, cost nothing for long; those that do are
left alone.
"""

import io
import random
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPResponse

import pytest
from PIL import Image

from tests.live.harness import Department, running

pytestmark = pytest.mark.once

READ_SECONDS = 20.0


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    """A department that waits a second for headers, two for some of a body, three for a reader."""
    department = Department(tmp_path_factory.mktemp("impatient"), "impatient")
    department.configure(limits={"header_seconds": 1, "body_seconds": 1, "enabled": False})
    with running(department):
        yield department


def reach(department: Department) -> socket.socket:
    """A connection on which nothing was said yet."""
    return socket.create_connection(("127.0.0.1", department.port), READ_SECONDS)


def hear(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def answered(connection: socket.socket, department: Department) -> int:
    """The status of a whole request, whose answer was read to its end: it may come in several pieces."""
    connection.sendall(request(department))
    response = HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


def request(department: Department) -> bytes:
    """A whole request."""
    return f"GET /api/v2/instance HTTP/1.1\r\nHost: {department.domain}\r\n\r\n".encode()


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: impatient.localhost\r\nX-Slow: "])
def test_headers_that_do_not_come_end_the_connection(impatient: Department, said: bytes) -> None:
    with closing(reach(impatient)) as connection:
        connection.sendall(said)
        assert hear(connection).startswith(b"HTTP/1.1 408 ")


def test_headers_without_end_end_the_connection(impatient: Department) -> None:
    with closing(reach(impatient)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"a" * 70_000)
        assert hear(connection).startswith(b"HTTP/1.1 431 ")


def test_the_second_request_of_a_connection_is_waited_for_too(impatient: Department) -> None:
    with closing(reach(impatient)) as connection:
        assert answered(connection, impatient) == 200
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert b"HTTP/1.1 408 " in hear(connection)


def test_a_client_between_two_requests_is_left_alone(impatient: Department) -> None:
    with closing(reach(impatient)) as connection:
        assert answered(connection, impatient) == 200
        connection.settimeout(2)
        with pytest.raises(TimeoutError):  # it is neither answered nor closed
            connection.recv(1)
        assert answered(connection, impatient) == 200


# -- bodies ----------------------------------------------------------------------------------------------------------


def posting(department: Department, path: str, size: int) -> bytes:
    """The headers of a request whose body is still to come."""
    kind = "application/activity+json" if path == "/inbox" else "application/json"
    return (
        f"POST {path} HTTP/1.1\r\nHost: {department.domain}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("path", ["/api/v1/apps", "/oauth/token", "/api/v1/statuses", "/inbox"])
@pytest.mark.parametrize("drips", [False, True])
def test_a_body_that_does_not_come_ends_the_connection(impatient: Department, path: str, drips: bool) -> None:
    """To whom it does not matter, the answer is given before: who may not post, need not."""
    with closing(reach(impatient)) as connection:
        connection.sendall(posting(impatient, path, 1000) + b"{")
        for _ in range(5 if drips else 0):
            time.sleep(0.3)
            try:
                connection.sendall(b" ")
            except OSError:
                break
        said = hear(connection)
    assert re.match(rb"HTTP/1.1 (408|401|503) ", said)
    assert said.count(b"HTTP/1.1 ") == 1


def test_a_body_at_a_fair_pace_is_waited_for(impatient: Department) -> None:
    body = b'{"client_name": "slow", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "website": "' + b" " * 20_000 + b'"}'
    with closing(reach(impatient)) as connection:
        connection.sendall(posting(impatient, "/api/v1/apps", len(body)))
        for start in range(0, len(body), 2_000):
            time.sleep(0.4)
            connection.sendall(body[start : start + 2_000])
        response = HTTPResponse(connection)
        response.begin()
        assert response.status in (200, 422)
        response.read()


def test_many_slow_clients_keep_nobody_out(impatient: Department) -> None:
    with ExitStack() as all_of_them:
        slow = [all_of_them.enter_context(closing(reach(impatient))) for _ in range(400)]
        for number, connection in enumerate(slow):
            connection.sendall(
                posting(impatient, "/api/v1/apps", 1000) if number % 2 else b"GET / HTTP/1.1\r\nX-Slow: "
            )
        for _ in range(5):
            with closing(reach(impatient)) as connection:
                assert answered(connection, impatient) == 200
        assert all(hear(connection).startswith(b"HTTP/1.1 408 ") for connection in slow)


# -- readers ---------------------------------------------------------------------------------------------------------


def test_who_does_not_read_an_answer_is_let_go(impatient: Department) -> None:
    ann = impatient.person("ann")
    noise = Image.frombytes("RGB", (3800, 2100), random.Random(1).randbytes(3800 * 2100 * 3))
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=95)
    id_ = ann.attach(out.getvalue())
    url = ann.get(f"/api/v1/media/{id_}")["url"]
    path = url[url.index("/media/") :]
    asked = f"GET {path} HTTP/1.1\r\nHost: {impatient.domain}\r\n\r\n".encode()
    read = {}
    for pause in (0, 8):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(READ_SECONDS)
        connection.connect(("127.0.0.1", impatient.port))
        with closing(connection):
            connection.sendall(asked)
            time.sleep(pause)
            read[pause] = taken(connection)
    assert read[0] > 5_000_000
    assert read[8] < read[0]


def taken(connection: socket.socket) -> int:
    """How many bytes of the body of an answer can still be read."""
    response = HTTPResponse(connection)
    response.begin()
    assert response.status == 200
    count = 0
    try:
        while piece := response.read(65_536):
            count += len(piece)
    except OSError:
        pass
    return count
