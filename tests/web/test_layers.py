"""The layers around the router: answers to errors, cross-origin headers, names of hosts, limits."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fedcorp import config as configuration
from fedcorp import errors
from fedcorp.config import Config
from fedcorp.errors import FedcorpError
from fedcorp.web import problems
from fedcorp.web.cors import Cors
from fedcorp.web.hosts import Hosts
from fedcorp.web.problems import Problems
from fedcorp.web.rate import Rate
from tests.social.conftest import StandingClock

Ask = Callable[..., Awaitable[httpx.Response]]


def make_config(**tables: Any) -> Config:
    return configuration.parse({"domain": "hr.localhost:8000", **tables}, folder=Path())


def asker(app: ASGIApp, base: str = "http://hr.localhost:8000", client: str = "127.0.0.1") -> Ask:
    async def ask(method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url=base) as http:
            return await http.request(method, path, **options)

    return ask


def raising(error: Exception) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return app


async def fine(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(b"{}", media_type="application/json")(scope, receive, send)


def subclasses(kind: type[FedcorpError]) -> list[type[FedcorpError]]:
    return [found for inner in kind.__subclasses__() for found in (inner, *subclasses(inner))]


def test_every_error_has_a_status() -> None:
    missing = [kind for kind in subclasses(FedcorpError) if not issubclass(kind, tuple(problems.STATUSES))]
    assert missing == [errors.ConfigError]


@pytest.mark.anyio
async def test_meant_errors_keep_their_text_and_hide_their_detail(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer = await asker(Problems(raising(errors.NotFound(detail="row 7"))))("GET", "/api/v1/x")
    assert (answer.status_code, answer.json()) == (404, {"error": "Record not found"})
    assert "row 7" in caplog.text


@pytest.mark.anyio
async def test_other_errors_say_nothing_and_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    answer = await asker(Cors(Problems(raising(KeyError("secret"))), StandingClock()))("GET", "/api/v1/x")
    assert (answer.status_code, answer.json()) == (500, {"error": problems.BROKEN_TEXT})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Request-Id"] in caplog.text


@pytest.mark.anyio
async def test_people_get_a_page() -> None:
    ask = asker(Problems(raising(errors.Gone("<b>gone</b>"))))
    page = await ask("GET", "/@ann", headers={"Accept": "text/html,*/*"})
    assert (page.status_code, "&lt;b&gt;" in page.text) == (410, True)
    assert (await ask("GET", "/api/v1/x", headers={"Accept": "text/html"})).headers[
        "content-type"
    ] == "application/json"


@pytest.mark.anyio
async def test_retry_after() -> None:
    answer = await asker(Problems(raising(errors.Unavailable("Later.", retry_after=7))))("GET", "/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


@pytest.mark.anyio
async def test_options_is_answered_everywhere() -> None:
    answer = await asker(Cors(raising(KeyError("never asked")), StandingClock()))("OPTIONS", "/anything")
    assert answer.status_code == problems.NO_CONTENT
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
    assert "Link" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("hr.localhost:8000", "/api/v1/x", 200),
        ("hr.localhost:8000", "/u/1", 200),
        ("HR.localhost:8000", "/u/1", 200),
        ("127.0.0.1:8000", "/api/v1/x", 200),
        ("localhost:8000", "/media/x", 200),
        ("[::1]:8000", "/api/v1/x", 200),
        ("127.0.0.1:8000", "/u/1", 421),
        ("127.0.0.1:8000", "/inbox", 421),
        ("127.0.0.1:8000", "/.well-known/webfinger", 421),
        ("localhost:9999", "/api/v1/x", 421),
        ("evil.example", "/api/v1/x", 421),
        ("evil.example:8000", "/", 421),
        ("hr.localhost", "/", 421),
        ("", "/", 421),
    ],
)
async def test_hosts(host: str, path: str, status: int) -> None:
    app = Problems(Hosts(fine, make_config()))
    assert (await asker(app)("GET", path, headers={"Host": host})).status_code == status


@pytest.mark.anyio
@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 200), ("[::1]:80", 200), ("[::1]", 200), ("evil", 421)])
async def test_the_usual_port_goes_without_saying(host: str, status: int) -> None:
    app = Problems(Hosts(fine, make_config(server={"port": 80})))
    assert (await asker(app)("GET", "/api/v1/x", headers={"Host": host})).status_code == status


@pytest.mark.anyio
@pytest.mark.parametrize("hosts", [("hr.localhost:8000", "evil.example"), ("hr.localhost:8000",) * 2])
async def test_two_hosts_are_none(hosts: tuple[str, str]) -> None:
    app = Problems(Hosts(fine, make_config()))
    assert (await asker(app)("GET", "/", headers=[("Host", host) for host in hosts])).status_code == 421


@pytest.fixture
async def clock() -> AsyncIterator[StandingClock]:
    clock = StandingClock()
    yield clock
    clock.close()


def limited(clock: StandingClock, **limits: Any) -> Problems:
    tables = {"limits": {"api_requests": 2, "logins": 1, "posts": 1, "window_seconds": 10, **limits}}
    return Problems(Rate(fine, make_config(**tables, server={"trusted_proxies": ["10.0.0.0/8"]}), clock))


@pytest.mark.anyio
async def test_limits(clock: StandingClock) -> None:
    ask = asker(limited(clock))
    answers = [await ask("GET", "/api/v1/x") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[1].headers["X-RateLimit-Remaining"] == "0"
    assert int(answers[2].headers["Retry-After"]) <= 10
    other = await ask("GET", "/api/v1/x", headers={"Authorization": "Bearer mine"})
    assert other.status_code == problems.OK
    clock.pass_(seconds=6)
    assert (await ask("GET", "/api/v1/x")).status_code == problems.OK


@pytest.mark.anyio
async def test_kinds_of_requests_are_counted_apart(clock: StandingClock) -> None:
    ask = asker(limited(clock))
    for method, path in (("POST", "/api/v1/statuses"), ("POST", "/oauth/token"), ("GET", "/api/v1/statuses")):
        assert (await ask(method, path)).status_code == problems.OK
    assert (await ask("POST", "/api/v1/statuses/")).status_code == problems.TOO_MANY_REQUESTS
    assert (await ask("POST", "/inbox")).status_code == problems.OK


@pytest.mark.anyio
async def test_limits_can_be_switched_off(clock: StandingClock) -> None:
    ask = asker(limited(clock, enabled=False))
    assert [(await ask("GET", "/api/v1/x")).status_code for _ in range(5)] == [200] * 5


@pytest.mark.anyio
async def test_only_trusted_proxies_name_the_address(clock: StandingClock) -> None:
    app = limited(clock)
    untrusted, trusted = asker(app, client="192.0.2.1"), asker(app, client="10.0.0.1")
    lied = None
    for number in range(3):
        lied = await untrusted("GET", "/api/v1/x", headers={"X-Forwarded-For": f"192.0.2.{number + 10}"})
        told = await trusted("GET", "/api/v1/x", headers={"X-Forwarded-For": f"1.2.3.4, 192.0.2.{number + 20}"})
        assert told.status_code == problems.OK
    assert lied is not None
    assert lied.status_code == problems.TOO_MANY_REQUESTS


@pytest.mark.anyio
async def test_wrong_tokens_are_charged_to_the_address(clock: StandingClock) -> None:
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(b"{}", problems.UNAUTHORIZED)(scope, receive, send)

    ask = asker(Problems(Rate(refusing, make_config(limits={"logins": 1, "window_seconds": 10}), clock)))
    statuses = [(await ask("GET", "/", headers={"Authorization": f"Bearer {n}"})).status_code for n in range(7)]
    assert statuses == [problems.UNAUTHORIZED] * 5 + [problems.TOO_MANY_REQUESTS] * 2
