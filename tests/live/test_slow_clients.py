"""Clients that never finish their headers cost nothing for long; those that do are left alone."""

import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPResponse

import pytest

from tests.live.harness import Department, running

pytestmark = pytest.mark.once

READ_SECONDS = 20.0


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    """A department that waits a second for headers."""
    department = Department(tmp_path_factory.mktemp("impatient"), "impatient")
    department.configure(limits={"header_seconds": 1})
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
