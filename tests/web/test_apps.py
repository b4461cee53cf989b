"""Apps register themselves, and learn which app a token belongs to."""

from typing import Any

import pytest

from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio

APPS = "/api/v1/apps"
APP = {"client_name": "Phone", "redirect_uris": "phone-auth://callback", "scopes": "read write", "website": None}


async def test_an_app_registers_itself(office: Office) -> None:
    made = await office.anybody.post(APPS, **{**APP, "website": "https://phone.example.com/about"})
    assert (made["name"], made["website"]) == ("Phone", "https://phone.example.com/about")
    assert (made["scopes"], made["redirect_uris"]) == (["read", "write"], ["phone-auth://callback"])
    assert (made["redirect_uri"], made["client_secret_expires_at"]) == ("phone-auth://callback", 0)
    again = await office.anybody.post(APPS, **APP)
    assert again["client_id"] != made["client_id"]
    assert again["client_secret"] != made["client_secret"]


@pytest.mark.parametrize(
    "uri",
    [
        "urn:ietf:wg:oauth:2.0:oob",
        "mastodon://joinmastodon.org/oauth",
        "icecubesapp://",
        "oauth2redirect://com.keylesspalace.tusky/",
        "org.joinmastodon.android-auth://callback",
        "https://elk.example.com/api/finance.localhost/oauth/https%3A%2F%2Felk.example.com",
        "http://127.0.0.1:5000/",
    ],
)
@pytest.mark.parametrize("way", ["json", "data"])
async def test_every_scheme_of_an_app_is_taken(office: Office, uri: str, way: str) -> None:
    values: dict[str, Any] = {"client_name": "x", "redirect_uris": uri}
    response = await office.anybody.ask("POST", APPS, **{way: values})
    assert response.json()["redirect_uris"] == [uri]
    assert response.json()["scopes"] == ["read"]


async def test_several_places_to_come_back_to(office: Office) -> None:
    for given in ("a://x\nb://y", ["a://x", "b://y"]):
        made = await office.anybody.post(APPS, client_name="x", redirect_uris=given)
        assert (made["redirect_uris"], made["redirect_uri"]) == (["a://x", "b://y"], "a://x\nb://y")


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_name": ""},
        {"client_name": "x" * 61},
        {"redirect_uris": ""},
        {"redirect_uris": "no-scheme"},
        {"redirect_uris": "javascript:alert(1)"},
        {"redirect_uris": "https://x.example.com/#part"},
        {"redirect_uris": "https://x.example.com/" + "x" * 2000},
        {"redirect_uris": [f"a://{number}" for number in range(21)]},
        {"scopes": "read everything"},
        {"website": "javascript:alert(1)"},
        {"website": "phone"},
        {"website": "https://" + "x" * 2000},
    ],
)
async def test_what_is_wrong_is_said(office: Office, wrong: dict[str, Any]) -> None:
    await office.anybody.refused(422, "POST", APPS, json={**APP, **wrong})


async def test_a_token_tells_its_app(office: Office, ann: Person) -> None:
    shown = await ann.get(f"{APPS}/verify_credentials")
    assert shown["name"] == "fedcorp command line"
    assert not {"client_id", "client_secret"} & set(shown)
    itself = await office.app(None, "read")
    assert (await itself.get(f"{APPS}/verify_credentials"))["id"] == shown["id"]
    await office.anybody.refused(401, "GET", f"{APPS}/verify_credentials")


async def test_an_app_alone_is_nobody(office: Office, ann: Person) -> None:
    itself = await office.app(None, "read write")
    await itself.refused(401, "GET", "/api/v1/timelines/home")
    await itself.refused(401, "POST", "/api/v1/statuses", json={"status": "x"})
    posted = await ann.publish("for the company")
    assert posted["id"] not in await itself.ids("/api/v1/timelines/public")
