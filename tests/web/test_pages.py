"""The pages for people without an app: what everybody may read, what a signed-in browser sees, and nothing else."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from fedcorp.social import applications
from tests.web.instance import ORIGIN, MovableClock, Office, Person, browser, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def anybody(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(office.instance) as client:
        yield client


async def signed_in(office: Office, person: Person) -> httpx.AsyncClient:
    """The browser of somebody who signed in."""
    client = browser(office.instance)
    token = await office.db.write(applications.start_session, person.account.id)
    client.cookies.set("fedcorp_session_finance_localhost", token)
    return client


def links(page: str) -> list[str]:
    return [unescape(href) for href in re.findall(r'href="([^"]*)"', page)]


async def test_the_first_page_says_how_to_begin(anybody: httpx.AsyncClient) -> None:
    page = await anybody.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "finance.localhost" in page.text
    style = await anybody.get("/pages.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "/pages.css" in links(page.text)
    assert "/avatars/0.png" in links(page.text)  # else browsers ask for /favicon.ico, which is not there
    assert (await anybody.get("/avatars/0.png")).headers["content-type"] == "image/png"


async def test_no_page_can_be_framed_or_run_anything(anybody: httpx.AsyncClient, ann: Person) -> None:
    await ann.publish("open", reach="public")
    for path in ("/", "/@ann", "/@nobody", "/tags/x"):
        page = await anybody.get(path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in page.text
        assert page.headers["x-content-type-options"] == "nosniff"


async def test_a_profile_shows_what_everybody_may_read(anybody: httpx.AsyncClient, ann: Person) -> None:
    await ann.patch("/api/v1/accounts/update_credentials", display_name="Ann <b>", note="Payroll & more")
    shown = await ann.publish("for everybody", reach="public", spoiler_text="news <1>")
    hidden = [
        await ann.publish("for the company"),
        await ann.publish("for followers", reach="public", visibility="private"),
        await ann.publish("for nobody", visibility="direct"),
    ]
    page = (await anybody.get("/@ann")).text
    assert "Ann &lt;b&gt;" in page
    assert "<b>" not in page
    assert "Payroll &amp; more" in page
    assert "news &lt;1&gt;" in page
    assert shown["url"] in links(page)
    assert not any(status["url"] in links(page) for status in hidden)
    post = await anybody.get(shown["url"])
    assert "for everybody" in post.text
    for status in hidden:
        answer = await anybody.get(status["url"])
        assert answer.status_code == 404
        assert not any(text in answer.text for text in ("for the company", "for followers", "for nobody"))


async def test_nothing_open_and_nobody_at_all_look_the_same(anybody: httpx.AsyncClient, ann: Person) -> None:
    own = await ann.publish("for the company #plans")
    nobody = await anybody.get("/@nobody")
    assert nobody.status_code == 404
    for path in ("/@ann", own["url"], "/@ann/1", "/@nobody/1", "/tags/plans", "/tags/nothing"):
        answer = await anybody.get(path)
        assert (answer.status_code, answer.text) == (404, nobody.text), path


async def test_a_signed_in_browser_sees_what_its_person_may(office: Office, ann: Person, ben: Person) -> None:
    company = await ann.publish("for the company #plans")
    private = await ann.publish("for followers", visibility="private")
    async with await signed_in(office, ben) as client:
        assert company["url"] in links((await client.get("/@ann")).text)
        assert (await client.get(company["url"])).status_code == 200
        assert company["url"] in links((await client.get("/tags/Plans")).text)
        assert (await client.get(private["url"])).status_code == 404
        await ben.follow(ann)
        assert (await client.get(private["url"])).status_code == 200
        await ann.delete(f"/api/v1/statuses/{company['id']}")
        assert (await client.get(company["url"])).status_code == 404
        assert (await client.get("/tags/nothing")).status_code == 200


async def test_a_group_shows_what_it_passed_on_under_its_authors(
    office: Office, anybody: httpx.AsyncClient, ann: Person, ben: Person
) -> None:
    group = await office.group(ann, "chess", reach="public")
    await ben.follow(group)
    posted = await ben.publish("@chess e4")
    page = (await anybody.get("/@chess")).text
    assert "@ben@finance.localhost" in page
    assert posted["url"] in links(page)
    assert (await anybody.get(posted["url"])).status_code == 200


async def test_hashtags_lead_somewhere(anybody: httpx.AsyncClient, ann: Person) -> None:
    posted = await ann.publish("An #Opening", reach="public")
    (tag,) = [link for link in links(posted["content"]) if "/tags/" in link]
    assert tag == posted["tags"][0]["url"]
    page = await anybody.get(tag)
    assert page.status_code == 200
    assert posted["url"] in links(page.text)
    assert f"{ORIGIN}/@ann" in links(page.text)


@pytest.mark.parametrize("accept", ["application/activity+json", 'application/ld+json; profile="x"'])
async def test_programs_are_sent_to_the_document(anybody: httpx.AsyncClient, ann: Person, accept: str) -> None:
    posted = await ann.publish("open", reach="public")
    for path, target in (("/@ann", "/u/"), (posted["url"], "/o/")):
        answer = await anybody.get(path, headers={"Accept": accept})
        assert answer.status_code == 302
        assert answer.headers["location"].startswith(ORIGIN + target)
        assert "Accept" in answer.headers["vary"]


async def test_an_open_server_shows_profiles_without_posts(tmp_path: Path) -> None:
    clock = MovableClock()
    async with running(tmp_path, clock, federation={"mode": "open"}) as instance, browser(instance) as client:
        await Office(instance, clock).person("ann")
        assert (await client.get("/@ann")).status_code == 200
        assert (await client.get("/@nobody")).status_code == 404


async def test_what_is_not_there_is_told_in_html_to_people(anybody: httpx.AsyncClient) -> None:
    answer = await anybody.get("/no/such/page")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
