"""Links in profiles that link back: whose pages are asked, and what they prove."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.federation.world import Company, Person

pytestmark = pytest.mark.anyio

WIKI = "http://wiki.localhost"


class Pages:
    """A server whose page says what a test wants."""

    def __init__(self, company: Company, name: str = "wiki.localhost") -> None:
        self.html = ""
        self.asked = 0
        company.network.servers[name] = Starlette(routes=[Route("/{path:path}", self._answer)])

    async def _answer(self, _: Request) -> Response:
        self.asked += 1
        return HTMLResponse(self.html)


async def ann_of(company: Company, **links: Any) -> Person:
    finance = await company.department("finance", links={"hosts": ["wiki.localhost"]} | links)
    return await finance.person("ann")


async def verified(person: Person, *values: str) -> list[bool]:
    """Which fields of a profile are verified after it was saved."""
    attributes = [{"name": f"n{number}", "value": value} for number, value in enumerate(values)]
    saved = await person.send("PATCH", "/api/v1/accounts/update_credentials", fields_attributes=attributes)
    assert saved.status_code == 200
    await person.department.settle()
    mine = await person.get("/api/v1/accounts/verify_credentials")
    shown = await person.get(f"/api/v1/accounts/{person.id}")
    assert [field["verified_at"] for field in mine["source"]["fields"]] == [
        field["verified_at"] for field in shown["fields"]
    ]
    return [field["verified_at"] is not None for field in shown["fields"]]


async def test_a_page_that_links_back_is_verified(company: Company) -> None:
    pages = Pages(company)
    ann = await ann_of(company)
    pages.html = '<a rel="me" href="http://finance.localhost/@ann">me</a>'
    assert await verified(ann, f"{WIKI}/ann", f"see {WIKI}/ann and {WIKI}/b", "text") == [True, False, False]
    pages.html = "<p>no more</p>"
    assert await verified(ann, f"{WIKI}/ann") == [False]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="http://finance.localhost/@ann">no me</a>',
        '<a rel="me" href="http://finance.localhost/@anna">another</a>',
        '<a rel="me" href="http://finance.localhost.evil.localhost/@ann">elsewhere</a>',
        'rel="me" http://finance.localhost/@ann',
    ],
)
async def test_other_pages_prove_nothing(company: Company, html: str) -> None:
    pages = Pages(company)
    ann = await ann_of(company)
    pages.html = html
    assert await verified(ann, f"{WIKI}/ann") == [False]
    assert pages.asked == 1


async def test_hosts_that_are_not_named_are_not_asked(company: Company) -> None:
    pages = Pages(company)
    ann = await ann_of(company, hosts=[])
    pages.html = '<a rel="me" href="http://finance.localhost/@ann">me</a>'
    assert await verified(ann, f"{WIKI}/ann") == [False]
    assert pages.asked == 0


async def test_a_page_that_is_away_changes_nothing(company: Company) -> None:
    pages = Pages(company)
    ann = await ann_of(company)
    pages.html = '<link rel="me" href="http://finance.localhost/@ann">'
    assert await verified(ann, f"{WIKI}/ann") == [True]
    company.network.cut.add("wiki.localhost")
    assert await verified(ann, f"{WIKI}/ann") == [True]
    assert await verified(ann, f"{WIKI}/another") == [False]
