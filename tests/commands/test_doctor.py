"""The doctor names each fault by its right name, and nothing when all is well."""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import httpx
import pytest

from fedcorp.clock import Clock
from fedcorp.commands import doctor_store
from fedcorp.commands.doctor import examine
from fedcorp.commands.findings import FAULT, NOTE, WARNING, Finding
from tests.commands.conftest import DOMAIN, Line

Answer = Callable[[httpx.Request], httpx.Response]
PEER = "hr.example.com"


def public_key(line: Line) -> str:
    connection = sqlite3.connect(line.folder / "fedcorp.db")
    found = connection.execute("SELECT public FROM keys WHERE kind = 'rsa'").fetchone()[0]
    connection.close()
    return str(found)


def actor(pem: str) -> httpx.Response:
    return httpx.Response(200, json={"publicKey": {"publicKeyPem": pem}})


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no connection", request=request)


def network(line: Line, **places: Answer) -> Answer:
    """A network in which everything is well but for `places`: local, public, peer."""
    pem = public_key(line)

    def answer(request: httpx.Request) -> httpx.Response:
        place = "peer" if request.url.host == PEER else "local" if request.url.host == "127.0.0.1" else "public"
        if place in places:
            return places[place](request)
        return httpx.Response(404) if place == "peer" else actor(pem)

    return answer


def names(line: Line, answer: Answer | None = None, clock: Clock | None = None) -> dict[str, Finding]:
    handler = answer or network(line)
    found = examine(line.config, clock or Clock(), lambda: httpx.MockTransport(handler))
    return {finding.name: finding for finding in found if finding.name != "ffmpeg-missing"}  # of the machine


def test_all_is_well(line: Line) -> None:
    line("peer", "add", PEER)
    assert names(line) == {}


def test_nothing_runs(line: Line) -> None:
    found = names(line, network(line, local=refuse, public=refuse))
    assert [(name, item.level) for name, item in found.items()] == [("not-running", WARNING)]


def test_port_is_taken(line: Line) -> None:
    found = names(line, network(line, local=lambda _: httpx.Response(200, text="hello")))
    assert list(found) == ["port-taken"]


@pytest.mark.parametrize(
    "answer",
    [refuse, lambda _: actor("another key"), lambda _: httpx.Response(421), lambda _: httpx.Response(200, json=[1])],
)
def test_url_is_wrong(line: Line, answer: Answer) -> None:
    found = names(line, network(line, public=answer))
    assert list(found) == ["wrong-url"]
    assert DOMAIN in found["wrong-url"].text


def test_key_is_missing(line: Line, sql: Any) -> None:
    sql("UPDATE keys SET private = NULL WHERE kind = 'ed25519'")
    assert list(names(line)) == ["key-missing"]


def test_the_key_of_the_secrets_is_gone_or_another(line: Line) -> None:
    file = line.folder / "secret.key"
    kept = file.read_text()
    file.unlink()
    found = names(line)
    assert list(found) == ["secrets-sealed"]
    assert "does not exist" in found["secrets-sealed"].text
    file.write_text("0" * 64)
    file.chmod(0o600)
    assert list(names(line)) == ["secrets-sealed"]
    assert line("peer", "list") == 2
    assert "does not hold; bring back" in line.err.replace("\n", " ")
    file.write_text(kept)
    assert names(line) == {}


def test_others_may_read_the_key_of_the_secrets(line: Line) -> None:
    (line.folder / "secret.key").chmod(0o640)
    assert [(name, item.level) for name, item in names(line).items()] == [("sealing-key-readable", WARNING)]


def test_key_of_a_person_is_missing(line: Line, sql: Any) -> None:
    line("account", "create", "ann", "--password", "long enough")
    sql("DELETE FROM keys WHERE account_id IN (SELECT id FROM accounts WHERE username = 'ann')")
    assert "1 accounts" in names(line)["key-missing"].text


def test_domain_was_changed(line: Line) -> None:
    line.path.write_text(line.path.read_text().replace("finance", "money"))
    assert list(names(line)) == ["key-missing"]


def test_database_is_locked(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_store, "LOCK_SECONDS", 0.1)
    connection = sqlite3.connect(line.folder / "fedcorp.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        started = time.monotonic()
        assert "locked" in names(line)["database-locked"].text
        assert time.monotonic() - started < 15, "whoever only looks must not wait for the lock, half a minute, to leave"
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "database-newer"),
        ("DROP TABLE alembic_version", "database-empty"),
    ],
)
def test_database_is_of_another_version(line: Line, sql: Any, statement: str, name: str) -> None:
    sql(statement)
    found = names(line)
    assert list(found) == [name]
    assert found[name].level == FAULT


def test_database_is_missing(line: Line) -> None:
    (line.folder / "fedcorp.db").unlink()
    assert list(names(line, lambda _: httpx.Response(404))) == ["database-missing"]


def test_database_is_damaged(line: Line) -> None:
    pem = public_key(line)
    (line.folder / "fedcorp.db").write_bytes(b"this is no database at all" * 400)
    (line.folder / "fedcorp.db-wal").unlink(missing_ok=True)
    assert list(names(line, lambda _: actor(pem))) == ["database-unreachable"]


def test_peer_is_unreachable(line: Line) -> None:
    line("peer", "add", PEER)
    assert list(names(line, network(line, peer=refuse))) == ["peer-unreachable"]


@pytest.mark.parametrize("status", [401, 403])
def test_peer_refuses_us(line: Line, status: int) -> None:
    line("peer", "add", PEER)
    found = names(line, network(line, peer=lambda _: httpx.Response(status)))
    assert list(found) == ["peer-refuses-us"]
    assert "fedcorp peer add" in found["peer-refuses-us"].cure


def test_peer_is_asked_with_our_signature(line: Line) -> None:
    line("peer", "add", PEER)
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(404)

    names(line, network(line, peer=answer))
    assert f'keyId="http://{DOMAIN}/actor#' in seen[0].headers["signature"]


@pytest.mark.parametrize(("date", "level"), [("2 minutes", WARNING), ("a day", FAULT)])
def test_clock_of_a_peer_is_wrong(line: Line, date: str, level: int) -> None:
    line("peer", "add", PEER)

    class Late(Clock):
        def ms(self) -> int:
            return 1_780_000_000_000 + (120_000 if date == "2 minutes" else 86_400_000)

    late = {"date": "Thu, 28 May 2026 20:26:40 GMT"}
    found = names(line, network(line, peer=lambda _: httpx.Response(404, headers=late)), Late())
    assert found["clock-skew"].level == level
    assert "behind" in found["clock-skew"].text


def test_disk_is_nearly_full(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 << 30, 98 << 30, 2 << 30))
    assert names(line)["disk-nearly-full"].level == WARNING


@pytest.mark.parametrize("there", [(), ("ffmpeg",), ("ffmpeg", "ffprobe")])
def test_programs_that_are_missing_are_noted(
    line: Line, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...]
) -> None:
    (line.folder / "bin").mkdir()
    for name in there:
        (line.folder / "bin" / name).touch(0o755)
    monkeypatch.setenv("PATH", str(line.folder / "bin"))
    found = doctor_store.examine_programs(line.config)
    assert [(finding.name, finding.level) for finding in found] == (
        [("ffmpeg-missing", NOTE)] if len(there) < 2 else []
    )
    limits = replace(line.config.limits, video_bytes=0)
    assert doctor_store.examine_programs(replace(line.config, limits=limits)) == []


def test_nobody_works(line: Line, sql: Any) -> None:
    sql("INSERT INTO events (kind, payload, created_at) VALUES ('StatusPublished', '{}', 1)")
    assert list(names(line)) == ["worker-behind"]


def test_jobs_were_given_up(line: Line, sql: Any) -> None:
    sql("INSERT INTO jobs (kind, payload, run_at, attempts) VALUES ('fetch_media', '{}', 1, 12)")
    assert list(names(line)) == ["jobs-given-up"]


def test_certificate_cannot_be_read(line: Line) -> None:
    files = '[server]\ntls_cert = "no.pem"\ntls_key = "no.pem"\n'
    line.path.write_text(line.path.read_text().replace("[server]\n", files))
    found = examine(line.config, Clock(), lambda: httpx.MockTransport(lambda _: httpx.Response(404)))
    assert "certificate-unreadable" in {finding.name for finding in found}


def test_the_command_tells_it_all(line: Line) -> None:
    assert line("doctor") == 1
    assert "not-running" in line.out
    assert "cure: start it" in line.out
    assert line("doctor", "--json") == 1
    assert json.loads(line.out)[0]["name"] == "not-running"
