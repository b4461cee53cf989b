"""Discovery: whom a handle means, what runs here, and where tokens are given."""

import re
from xml.etree import ElementTree

import pytest

from tests.web.instance import ORIGIN, Office, Person

pytestmark = pytest.mark.anyio

WEBFINGER = "/.well-known/webfinger"


async def descriptor(office: Office, resource: str) -> dict[str, object]:
    """The answer of WebFinger, which must be good."""
    response = await office.anybody.http.get(WEBFINGER, params={"resource": resource})
    assert response.status_code == 200, (resource, response.text)
    assert response.headers["content-type"].startswith("application/jrd+json")
    assert response.headers["access-control-allow-origin"] == "*"
    found: dict[str, object] = response.json()
    return found


async def test_every_name_of_somebody_means_them(office: Office, ann: Person) -> None:
    uri = ann.account.uri
    for resource in ("acct:ann@finance.localhost", "acct:ANN@FINANCE.localhost", f"{ORIGIN}/@ann", uri):
        found = await descriptor(office, resource)
        assert found["subject"] == "acct:ann@finance.localhost"
        assert found["aliases"] == [f"{ORIGIN}/@ann", uri]
        links = {link["rel"]: link for link in found["links"]}  # type: ignore[attr-defined]
        assert links["self"] == {"rel": "self", "type": "application/activity+json", "href": uri}
        assert links["http://webfinger.net/rel/profile-page"]["href"] == f"{ORIGIN}/@ann"
        assert len(links) == 2, "who goes by the type of a link must not take the server for ann"


async def test_groups_and_the_server_itself_are_found(office: Office, ann: Person) -> None:
    await office.group(ann, "chess")
    assert (await descriptor(office, "acct:chess@finance.localhost"))["subject"] == "acct:chess@finance.localhost"
    server = await descriptor(office, ORIGIN)
    assert f"{ORIGIN}/actor" in server["aliases"]  # type: ignore[operator]
    rels = {link["rel"]: link["href"] for link in server["links"]}  # type: ignore[attr-defined]
    assert rels["https://www.w3.org/ns/activitystreams#Service"] == rels["self"] == f"{ORIGIN}/actor"
    for resource in (
        f"{ORIGIN}/",
        "acct:finance.localhost@finance.localhost",
        "acct:FINANCE.localhost@finance.localhost",
    ):
        assert await descriptor(office, resource) == server


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("acct:nobody@finance.localhost", 404),
        ("acct:ann@sales.localhost", 404),
        ("acct:sue@sales.localhost", 404),
        ("acct:chess@finance.localhost", 404),
        ("mailto:ann@example.com", 404),
        (f"{ORIGIN}/@nobody", 404),
        ("https://elsewhere.example.com/@ann", 404),
        ("", 400),
        ("ann", 400),
        ("ann@finance.localhost", 400),
        ("ann@finance.localhost:8000", 400),
        ("=acct:ann@finance.localhost", 400),
        ("foo://finance.localhost", 404),
        ("acct:ann", 400),
        ("acct:@", 400),
        ("acct:" + "x" * 3000, 400),
        ("acct:a\x00b@finance.localhost", 400),
    ],
)
async def test_nobody_else_is(office: Office, ann: Person, resource: str, status: int) -> None:
    await office.colleague("sue")
    await office.group(ann, "chess", preset="secret")
    await office.anybody.refused(status, "GET", WEBFINGER, params={"resource": resource})


async def test_one_may_ask_for_some_of_the_links(office: Office, ann: Person) -> None:
    """RFC 7033, section 4.3."""
    me, every = "acct:ann@finance.localhost", {link["rel"] for link in await links(office)}
    page = "http://webfinger.net/rel/profile-page"
    assert {"self", page} == every
    for asked, wanted in (
        (["self"], {"self"}),
        (["self", page], {"self", page}),
        (["self", "none"], {"self"}),
        (["no"], set()),
    ):
        assert {link["rel"] for link in await links(office, rel=asked)} == wanted
    await office.anybody.refused(400, "GET", WEBFINGER, params={"resource": [me, me]})


async def links(office: Office, **params: list[str]) -> list[dict[str, str]]:
    """The links of ann."""
    response = await office.anybody.http.get(WEBFINGER, params={"resource": "acct:ann@finance.localhost", **params})
    found: list[dict[str, str]] = response.json()["links"]
    return found


async def test_the_old_way_leads_to_webfinger(office: Office) -> None:
    response = await office.anybody.http.get("/.well-known/host-meta")
    assert response.headers["content-type"].startswith("application/xrd+xml")
    (link,) = ElementTree.fromstring(response.text)
    assert link.attrib["template"] == f"{ORIGIN}/.well-known/webfinger?resource={{uri}}"


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_what_runs_here_and_how_many_use_it(office: Office, ann: Person, version: str) -> None:
    await ann.publish("one")
    response = await office.anybody.http.get(f"/nodeinfo/{version}")
    assert f"nodeinfo.diaspora.software/ns/schema/{version}#" in response.headers["content-type"]
    found = response.json()
    assert (found["version"], found["protocols"], found["openRegistrations"]) == (version, ["activitypub"], False)
    assert found["usage"] == {"users": {"total": 1, "activeMonth": 1, "activeHalfyear": 1}, "localPosts": 1}
    assert re.fullmatch(r"[a-z0-9-]+", found["software"]["name"])


@pytest.mark.parametrize(("host", "base"), [("127.0.0.1:8000", "http://127.0.0.1:8000"), ("finance.localhost", ORIGIN)])
async def test_clients_are_led_on_under_the_name_they_used(office: Office, host: str, base: str) -> None:
    asked = {"Host": host}
    index = (await office.anybody.http.get("/.well-known/nodeinfo", headers=asked)).json()
    assert [link["href"] for link in index["links"]] == [
        f"{base}/nodeinfo/2.0", f"{base}/nodeinfo/2.1", f"{ORIGIN}/actor"
    ]  # fmt: skip
    metadata = (await office.anybody.http.get("/.well-known/oauth-authorization-server", headers=asked)).json()
    assert metadata["issuer"] == base
    places = {name: url for name, url in metadata.items() if name.endswith("_endpoint")}
    assert len(places) == 5
    for name, url in places.items():
        method = "GET" if name.startswith(("authorization", "userinfo")) else "POST"
        answer = await office.anybody.http.request(method, url.removeprefix(base))
        assert answer.status_code in (400, 401, 422), (name, url)  # there, and not content with nothing
