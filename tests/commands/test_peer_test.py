"""`fedcorp peer test` against real sockets: each of the lower hops fails by its own name, with its cure."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fedcorp.commands.peers import HEADINGS
from tests.commands.conftest import Line


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A port at which every connection is given some bytes and closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def walked(line: Line, domain: str) -> dict[str, str]:
    assert line("peer", "add", domain, "--tier", "partner") == 0
    assert line("peer", "test", domain, "--json") == 2
    hops = json.loads(line.out)
    assert hops[-1]["state"] == "failed"
    assert hops[-1]["cure"]
    assert all(hop["state"] == "ok" for hop in hops[:-1])
    found: dict[str, str] = hops[-1]
    assert line("peer", "test", domain) == 2
    shown = " ".join(line.out.split())
    assert f"failed {found['name']}" in shown
    assert "cure:" in shown
    assert "not reached:" in shown
    return found


def test_a_name_that_has_no_address(line: Line) -> None:
    assert walked(line, "nowhere.invalid")["name"] == "name"


@pytest.mark.parametrize("domain", ["10.1.2.3", "192.168.0.1:8443", "169.254.169.254"])
def test_an_address_that_is_not_allowed(line: Line, domain: str) -> None:
    found = walked(line, domain)
    assert found["name"] == "address"
    assert "federation.networks" in found["cure"]


def test_nobody_listens(line: Line) -> None:
    found = walked(line, f"hr.localhost:{closed_port()}")
    assert found["name"] == "connection"
    assert "refused" in found["text"].lower() or "111" in found["text"]


def test_no_tls_where_there_should_be(line: Line) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as port:
        assert walked(line, f"127.0.0.1:{port}")["name"] == "tls"


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.9\r\n", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"])
def test_something_else_answers(line: Line, answer: bytes) -> None:
    with answering(answer) as port:
        assert walked(line, f"hr.localhost:{port}")["name"] == "http"


def test_who_is_no_peer(line: Line) -> None:
    assert line("peer", "test", "hr.example.com") == 2
    assert "peer add hr.example.com" in line.err


def test_peer_list_says_how_we_speak_and_for_how_long_something_waits(line: Line, sql: object) -> None:
    line("peer", "add", "hr.example.com")
    sql(  # type: ignore[operator]
        "UPDATE peers SET software = 'mastodon', version = '4.5.0', dialect = 'boost', signature_profile = '9421-rsa', "
        "next_seq = 4, cursor = 1, fail_count = 1, last_error = 'HTTP 503'"
    )
    for seq, at in ((1, 5), (2, 1_000_000_000), (3, 2_000_000_000_000)):
        sql(  # type: ignore[operator]
            "INSERT INTO deliveries (domain, seq, activity_id, inbox_uri, state, created_at) "
            f"VALUES ('hr.example.com', {seq}, 1, 'https://hr.example.com/inbox', 'queued', {at})"
        )
    assert line("peer", "list") == 0
    assert all(heading in line.out for heading in HEADINGS)
    assert all(word in line.out for word in ("mastodon 4.5.0", "boost", "9421-rsa", "HTTP 503"))
    assert line("peer", "list", "--json") == 0
    (found,) = json.loads(line.out)
    assert found["state"] == "failing"
    assert found["lag_ms"] > 10**12, "since 1970, nearly: the one behind the cursor counts"
    assert found["last_error"] == "HTTP 503"
