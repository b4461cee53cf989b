"""Signing in as real clients do it, and what must not work."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fedcorp.app import Instance
from fedcorp.social import applications
from fedcorp.social.applications import Application
from tests.web.instance import ORIGIN, PASSWORD, browser, hire, running

pytestmark = pytest.mark.anyio

CALLBACK = "myapp-auth://callback?x=1"
OOB = "urn:ietf:wg:oauth:2.0:oob"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[Instance]:
    async with running(tmp_path) as made:
        await hire(made, "ann")
        yield made


@pytest.fixture
async def http(instance: Instance) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(instance) as client:
        yield client


class App:
    """A registered client."""

    def __init__(self, application: Application, secret: str) -> None:
        self.id, self.secret = application.client_id, secret

    def asking(self, **more: str) -> dict[str, str]:
        return {"client_id": self.id, "redirect_uri": CALLBACK, "response_type": "code", "scope": "read write", **more}


@pytest.fixture
async def app(instance: Instance) -> App:
    made = await instance.db.write(
        applications.create_application,
        name="Café <b>",
        redirect_uris=[CALLBACK, OOB, "https://app.example.com/cb"],
        scopes="read write follow push",
        website="https://app.example.com",
    )
    return App(*made)


def form(page: str) -> dict[str, str]:
    """The hidden fields of the form on a page."""
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in fields}


async def sign_in(http: httpx.AsyncClient, asking: dict[str, str], password: str = PASSWORD) -> httpx.Response:
    """From the first page to the consent page (or back to the sign-in page)."""
    first = await http.get("/oauth/authorize", params=asking)
    assert first.status_code == 200
    assert 'autocomplete="current-password"' in first.text
    data = {**form(first.text), "username": "ann", "password": password}
    answer = await http.post("/oauth/authorize", data=data)
    return await http.get(answer.headers["location"]) if answer.status_code == 303 else answer


async def allow(http: httpx.AsyncClient, asking: dict[str, str]) -> httpx.Response:
    page = await sign_in(http, asking)
    return await http.post("/oauth/authorize", data={**form(page.text), "step": "allow"})


def answered(response: httpx.Response) -> dict[str, str]:
    """The parameters with which a client is called back."""
    query = parse_qs(urlsplit(response.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


def exchange(app: App, code: str, **more: str) -> dict[str, str]:
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return {**given, "client_id": app.id, "client_secret": app.secret, **more}


async def test_whole_way_with_proof_key(http: httpx.AsyncClient, app: App) -> None:
    asking = app.asking(state="a b&c", code_challenge=CHALLENGE, code_challenge_method="S256")
    response = await allow(http, asking)
    assert response.status_code == 302
    assert response.headers["location"].startswith("myapp-auth://callback?x=1&code=")
    back = answered(response)
    assert back["state"] == "a b&c"
    token = (await http.post("/oauth/token", data=exchange(app, back["code"], code_verifier=VERIFIER))).json()
    assert (token["token_type"], token["scope"]) == ("Bearer", "read write")
    assert isinstance(token["created_at"], int)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    user = (await http.get("/oauth/userinfo", headers=headers)).json()
    assert (user["preferred_username"], user["iss"]) == ("ann", ORIGIN + "/")
    assert user["sub"].startswith(ORIGIN + "/u/")


async def test_signed_in_browser_is_asked_for_consent_only(http: httpx.AsyncClient, app: App) -> None:
    await allow(http, app.asking())
    page = await http.get("/oauth/authorize/", params=app.asking())
    assert "@ann@finance.localhost" in page.text
    assert "Café &lt;b&gt;" in page.text
    assert "<b>" not in page.text
    again = await http.get("/oauth/authorize", params=app.asking(force_login="true"))
    assert 'type="password"' in again.text


async def test_somebody_else_may_sign_in(http: httpx.AsyncClient, app: App) -> None:
    page = await sign_in(http, app.asking())
    other = await http.post("/oauth/authorize", data={**form(page.text), "step": "switch"})
    assert 'type="password"' in other.text


async def test_out_of_band_shows_the_code(http: httpx.AsyncClient, app: App) -> None:
    response = await allow(http, app.asking(redirect_uri=OOB))
    code = re.search(r'<code class="code" id="code">([^<]+)</code>', response.text)
    assert code is not None
    token = await http.post("/oauth/token", data=exchange(app, code[1], redirect_uri=OOB))
    assert token.status_code == 200


@pytest.mark.parametrize("how", ["form", "json", "multipart", "basic"])
async def test_token_takes_every_kind_of_body(http: httpx.AsyncClient, app: App, how: str) -> None:
    code = answered(await allow(http, app.asking()))["code"]
    given = exchange(app, code)
    ways: dict[str, dict[str, Any]] = {
        "form": {"data": given},
        "json": {"json": given},
        "multipart": {"files": {name: (None, value) for name, value in given.items()}},
        "basic": {"data": {k: v for k, v in given.items() if not k.startswith("client")}, "auth": (app.id, app.secret)},
    }
    response = await http.post("/oauth/token", **ways[how])
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["access-control-allow-origin"] == "*"


async def test_wrong_password_keeps_the_name(http: httpx.AsyncClient, app: App) -> None:
    page = await sign_in(http, app.asking(state="s"), "wrong password")
    assert page.status_code == 422
    assert "The name or the password is wrong." in page.text
    assert 'value="ann"' in page.text
    assert form(page.text)["state"] == "s"


async def test_unknown_name_gets_the_same_answer(http: httpx.AsyncClient, app: App) -> None:
    first = await http.get("/oauth/authorize", params=app.asking())
    data = {**form(first.text), "username": "nobody", "password": PASSWORD}
    page = await http.post("/oauth/authorize", data=data)
    assert page.status_code == 422
    assert "The name or the password is wrong." in page.text


async def test_refusing_tells_the_client(http: httpx.AsyncClient, app: App) -> None:
    page = await sign_in(http, app.asking(state="s"))
    response = await http.post("/oauth/authorize", data={**form(page.text), "step": "deny"})
    assert answered(response) == {"x": "1", "error": "access_denied", "state": "s"}


@pytest.mark.parametrize(
    "wrong", [{"client_id": "unknown"}, {"redirect_uri": "https://evil.example.com/"}, {"redirect_uri": CALLBACK + "2"}]
)
async def test_never_redirects_for_an_unknown_client(http: httpx.AsyncClient, app: App, wrong: dict[str, str]) -> None:
    response = await http.get("/oauth/authorize", params=app.asking(**wrong))
    assert response.status_code == 400
    assert "location" not in response.headers
    assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "admin:write"}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
async def test_wrong_requests_are_told_to_the_client(
    http: httpx.AsyncClient, app: App, wrong: dict[str, str], word: str
) -> None:
    response = await http.get("/oauth/authorize", params=app.asking(state="s", **wrong))
    assert response.status_code == 302
    assert (answered(response)["error"], answered(response)["state"]) == (word, "s")


@pytest.mark.parametrize(
    "wrong",
    [{"code": "wrong"}, {"redirect_uri": "https://app.example.com/cb"}, {"code_verifier": "other" * 10}],
)
async def test_code_is_bound(http: httpx.AsyncClient, app: App, wrong: dict[str, str]) -> None:
    asking = app.asking(code_challenge=CHALLENGE, code_challenge_method="S256")
    code = answered(await allow(http, asking))["code"]
    response = await http.post("/oauth/token", data={**exchange(app, code, code_verifier=VERIFIER), **wrong})
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_grant"


async def test_code_works_once_and_its_replay_revokes(http: httpx.AsyncClient, app: App) -> None:
    code = answered(await allow(http, app.asking()))["code"]
    token = (await http.post("/oauth/token", data=exchange(app, code))).json()["access_token"]
    again = await http.post("/oauth/token", data=exchange(app, code))
    assert again.json()["error"] == "invalid_grant"
    user = await http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert user.status_code == 401


@pytest.mark.parametrize("wrong", [{"client_secret": "wrong"}, {"client_id": "wrong"}, {"client_secret": ""}])
async def test_client_must_prove_itself(http: httpx.AsyncClient, app: App, wrong: dict[str, str]) -> None:
    code = answered(await allow(http, app.asking()))["code"]
    response = await http.post("/oauth/token", data={**exchange(app, code), **wrong})
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"


async def test_application_gets_a_token_of_its_own(http: httpx.AsyncClient, app: App) -> None:
    given = {"grant_type": "client_credentials", "client_id": app.id, "client_secret": app.secret}
    token = (await http.post("/oauth/token", json=given)).json()
    assert token["scope"] == "read"
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert (await http.get("/oauth/userinfo", headers=headers)).status_code == 401
    wrong = (await http.post("/oauth/token", json={**given, "scope": "admin:read"})).json()
    assert wrong["error"] == "invalid_scope"
    wrong = (await http.post("/oauth/token", json={**given, "grant_type": "password"})).json()
    assert wrong["error"] == "unsupported_grant_type"


async def tokens(http: httpx.AsyncClient, app: App) -> dict[str, Any]:
    """The answer to a code."""
    code = answered(await allow(http, app.asking(force_login="true")))["code"]
    found: dict[str, Any] = (await http.post("/oauth/token", data=exchange(app, code))).json()
    return found


async def refreshed(http: httpx.AsyncClient, app: App, token: str, **more: str) -> httpx.Response:
    given = {"grant_type": "refresh_token", "refresh_token": token, "client_id": app.id, "client_secret": app.secret}
    return await http.post("/oauth/token", data={**given, **more})


async def holds(http: httpx.AsyncClient, token: str) -> bool:
    answer = await http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


async def test_refreshing_gives_the_next_tokens_and_ends_the_last(http: httpx.AsyncClient, app: App) -> None:
    first = await tokens(http, app)
    assert "expires_in" not in first  # it holds until it is changed
    answer = await refreshed(http, app, first["refresh_token"])
    second = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (second["token_type"], second["scope"]) == ("Bearer", "read write")
    assert {first["access_token"], first["refresh_token"]}.isdisjoint(second.values())
    assert not await holds(http, first["access_token"])
    assert await holds(http, second["access_token"])
    third = (await refreshed(http, app, second["refresh_token"])).json()
    assert await holds(http, third["access_token"])


async def test_a_refresh_token_that_comes_twice_ends_its_whole_grant(http: httpx.AsyncClient, app: App) -> None:
    other = await tokens(http, app)
    first = await tokens(http, app)
    second = (await refreshed(http, app, first["refresh_token"])).json()
    again = await refreshed(http, app, first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not await holds(http, second["access_token"])
    assert (await refreshed(http, app, second["refresh_token"])).json()["error"] == "invalid_grant"
    assert await holds(http, other["access_token"])


async def test_refreshing_may_ask_for_less_for_a_while(http: httpx.AsyncClient, app: App) -> None:
    first = await tokens(http, app)
    wider = await refreshed(http, app, first["refresh_token"], scope="read push")
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
    assert await holds(http, first["access_token"])
    fewer = (await refreshed(http, app, first["refresh_token"], scope="read:accounts")).json()
    assert fewer["scope"] == "read:accounts"
    assert (await refreshed(http, app, fewer["refresh_token"])).json()["scope"] == "read write"


async def test_refresh_tokens_are_their_clients_alone(http: httpx.AsyncClient, instance: Instance, app: App) -> None:
    first = await tokens(http, app)
    thief = App(
        *await instance.db.write(applications.create_application, name="Thief", redirect_uris=[CALLBACK], scopes="read")
    )
    for token in (first["refresh_token"], first["access_token"], "", "wrong"):
        answer = await refreshed(http, thief, token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), token
    assert (await refreshed(http, app, first["refresh_token"], client_secret="x")).status_code == 401
    assert (await refreshed(http, app, first["access_token"])).json()["error"] == "invalid_grant"
    assert await holds(http, first["access_token"])


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_revoking_one_token_ends_its_grant(http: httpx.AsyncClient, app: App, which: str) -> None:
    first = await tokens(http, app)
    given = {"client_id": app.id, "client_secret": app.secret, "token": first[which]}
    assert (await http.post("/oauth/revoke", data=given)).json() == {}
    assert not await holds(http, first["access_token"])
    assert (await refreshed(http, app, first["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_replayed_code_ends_what_was_refreshed_since(http: httpx.AsyncClient, app: App) -> None:
    code = answered(await allow(http, app.asking()))["code"]
    first = (await http.post("/oauth/token", data=exchange(app, code))).json()
    second = (await refreshed(http, app, first["refresh_token"])).json()
    assert (await http.post("/oauth/token", data=exchange(app, code))).status_code == 400
    assert not await holds(http, second["access_token"])
    assert (await refreshed(http, app, second["refresh_token"])).status_code == 400


async def test_an_application_has_nothing_to_refresh(http: httpx.AsyncClient, app: App) -> None:
    given = {"grant_type": "client_credentials", "client_id": app.id, "client_secret": app.secret}
    assert "refresh_token" not in (await http.post("/oauth/token", json=given)).json()


async def test_metadata_names_every_grant(http: httpx.AsyncClient, app: App) -> None:
    metadata = (await http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["token_endpoint"] == f"{ORIGIN}/oauth/token"
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    for grant in metadata["grant_types_supported"]:
        given = {"grant_type": grant, "client_id": app.id, "client_secret": app.secret}
        assert (await http.post("/oauth/token", data=given)).json().get("error") != "unsupported_grant_type"


async def test_revoked_token_is_dead(http: httpx.AsyncClient, app: App) -> None:
    code = answered(await allow(http, app.asking()))["code"]
    token = (await http.post("/oauth/token", data=exchange(app, code))).json()["access_token"]
    given = {"client_id": app.id, "client_secret": app.secret, "token": token}
    assert (await http.post("/oauth/revoke", data=given)).json() == {}
    assert (await http.post("/oauth/revoke", data=given)).status_code == 200
    user = await http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert user.status_code == 401


async def test_forms_of_strangers_are_refused(http: httpx.AsyncClient, instance: Instance, app: App) -> None:
    page = await sign_in(http, app.asking())
    good = {**form(page.text), "step": "allow"}
    assert (await http.post("/oauth/authorize", data={**good, "csrf": "wrong"})).status_code == 403
    evil = {"Origin": "https://evil.example.com"}
    assert (await http.post("/oauth/authorize", data=good, headers=evil)).status_code == 403
    async with browser(instance) as other:
        assert (await other.post("/oauth/authorize", data=good)).status_code == 403
    fine = {"Origin": ORIGIN}
    assert (await http.post("/oauth/authorize", data=good, headers=fine)).status_code == 302


async def test_consent_needs_a_session(http: httpx.AsyncClient, app: App) -> None:
    first = await http.get("/oauth/authorize", params=app.asking())
    page = await http.post("/oauth/authorize", data={**form(first.text), "step": "allow"})
    assert 'type="password"' in page.text


async def test_pages_are_guarded(http: httpx.AsyncClient, app: App) -> None:
    page = await http.get("/oauth/authorize", params=app.asking())
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action" not in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert "cross-origin-opener-policy" not in page.headers, "web apps wait in the window that opened this one"
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_signing_out_ends_the_session(http: httpx.AsyncClient, app: App) -> None:
    page = await sign_in(http, app.asking())
    response = await http.post("/sign-out", data=form(page.text))
    assert response.status_code == 303
    page = await http.get("/oauth/authorize", params=app.asking())
    assert 'type="password"' in page.text


async def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    async with running(tmp_path, limits={"logins": 3}) as instance, browser(instance) as http:
        await hire(instance, "ann")
        made = await instance.db.write(applications.create_application, name="x", redirect_uris=[CALLBACK])
        codes = []
        for _ in range(4):
            first = await http.get("/oauth/authorize", params=App(*made).asking(scope="read"))
            data = {**form(first.text), "username": "ann", "password": "guess guess"}
            codes.append((await http.post("/oauth/authorize", data=data)).status_code)
        assert codes == [422, 422, 422, 429]
