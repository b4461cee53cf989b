"""Cards of links: whose pages are asked, what becomes of what they say, and how far their pictures go."""

from typing import Any

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from fedcorp.social import applications
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import cards, status_cards, users
from tests.federation.world import Company, Department, Person
from tests.web.instance import picture

pytestmark = pytest.mark.anyio

WIKI = "http://wiki.localhost"
PAGE = """<!doctype html><html lang="nl-NL"><head><meta charset="utf-8"><title>Not this</title>
<meta property="og:title" content="Holiday &lt;script&gt;rules&lt;/script&gt;">
<meta property="og:site_name" content="Wiki">
<meta name="description" content="How many  days?"><meta property="og:image" content="/picture.png">
<meta name="author" content="Mia">
<meta property="article:published_time" content="2026-01-02T03:04:05Z"></head></html>"""


class Web:
    """A server of pages that are no ActivityPub; remembers what it was asked."""

    def __init__(self, company: Company, *names: str) -> None:
        self.asked: list[str] = []
        self.page = PAGE
        app = Starlette(routes=[Route("/{path:path}", self._answer)])
        for name in names:
            company.network.servers[name] = app

    async def _answer(self, request: Request) -> Response:
        self.asked.append(f"{request.url.hostname}{request.url.path}")
        assert "signature" not in request.headers
        assert "cookie" not in request.headers
        match request.url.path:
            case "/picture.png":
                return Response(picture("red", (120, 60)), media_type="image/png")
            case "/away":
                return RedirectResponse("http://elsewhere.localhost/page")
            case "/gone":
                return HTMLResponse("no", 404)
            case "/file":
                return Response(b"<title>x</title>", media_type="application/octet-stream")
        return HTMLResponse(self.page)


async def office(company: Company, **links: Any) -> tuple[Department, Person]:
    """A department that asks for pages, and ann in it."""
    made = await company.department("finance", links={"previews": True, "hosts": ["wiki.localhost"]} | links)
    return made, await made.person("ann")


async def card_of(person: Person, text: str, **values: Any) -> Any:
    """The card of a new post when everything is done."""
    status = await person.publish(text, **values)
    await person.department.settle()
    return (await person.get(f"/api/v1/statuses/{status['id']}"))["card"]


async def test_a_post_shows_what_the_page_says_that_it_links_to(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    finance, ann = await office(company)
    card = await card_of(ann, f"look @ann #wiki {WIKI}/rules#days", reach="company")
    assert (card["url"], card["title"], card["type"]) == (f"{WIKI}/rules", "Holiday <script>rules</script>", "link")
    assert (card["description"], card["provider_name"], card["author_name"]) == ("How many days?", "Wiki", "Mia")
    assert (card["language"], card["html"], card["published_at"]) == ("nl", "", "2026-01-02T03:04:05.000Z")
    assert (card["width"], card["height"], len(card["blurhash"])) == (120, 60, 28)
    path = card["image"].removeprefix(finance.origin)
    assert (await ann.http.get(path)).headers["content-type"].startswith("image/")
    assert (await ann.http.get(path.partition("?")[0])).status_code == 404, "a narrow post has a narrow picture"
    again = await card_of(ann, f"{WIKI}/rules", reach="public", visibility="public")
    assert again["title"] == card["title"]
    assert "?" not in again["image"]
    assert (await ann.http.get(again["image"].removeprefix(finance.origin))).status_code == 200
    assert web.asked == ["wiki.localhost/rules", "wiki.localhost/picture.png"], "asked once for all"


async def test_hosts_that_are_not_named_are_never_asked(company: Company) -> None:
    web = Web(company, "wiki.localhost", "elsewhere.localhost", "finance.localhost.evil.localhost")
    _, ann = await office(company)
    for url in (
        "http://elsewhere.localhost/x", f"{WIKI}/away", "http://finance.localhost/health", "http://127.0.0.1/x",
        "http://ann@elsewhere.localhost/x", "http://finance.localhost.evil.localhost/",
    ):  # fmt: skip
        assert await card_of(ann, f"see {url}") is None, url
    assert web.asked == ["wiki.localhost/away"]


async def test_a_star_stands_for_hosts_below_a_name(company: Company) -> None:
    web = Web(company, "docs.corp.localhost", "corp.localhost", "evilcorp.localhost")
    _, ann = await office(company, hosts=["*.corp.localhost"])
    assert await card_of(ann, "http://docs.corp.localhost/x") is not None
    assert await card_of(ann, "http://corp.localhost/x") is None
    assert await card_of(ann, "http://evilcorp.localhost/x") is None
    assert {item.partition("/")[0] for item in web.asked} == {"docs.corp.localhost"}


async def test_nobody_is_asked_unless_the_department_wants_it(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    _, ann = await office(company, previews=False)
    assert await card_of(ann, f"{WIKI}/rules") is None
    assert web.asked == []


async def test_direct_messages_are_not_looked_into(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    finance, ann = await office(company)
    await finance.person("ben")
    assert await card_of(ann, f"@ben {WIKI}/rules", visibility="direct") is None
    assert web.asked == []


async def test_what_is_no_page_has_no_card(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    _, ann = await office(company)
    for path in ("gone", "file"):
        assert await card_of(ann, f"{WIKI}/{path}") is None
    web.page = "<p>nothing about itself</p>"
    assert await card_of(ann, f"{WIKI}/bare") is None
    asked = len(web.asked)
    assert await card_of(ann, f"again {WIKI}/bare") is None
    assert len(web.asked) == asked, "not asked again at once"


async def test_an_edit_changes_the_card(company: Company) -> None:
    Web(company, "wiki.localhost")
    finance, ann = await office(company)
    status = await ann.publish(f"{WIKI}/one")
    await finance.settle()
    path = f"/api/v1/statuses/{status['id']}"
    for text, url in ((f"{WIKI}/two", f"{WIKI}/two"), ("no link", None)):
        await ann.send("PUT", path, status=text)
        await finance.settle()
        card = (await ann.get(path))["card"]
        assert (card and card["url"]) == url


async def test_a_post_of_another_department_has_a_card_here(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    finance, ann = await office(company)
    sales = await company.department("sales")
    await company.introduce(finance, sales)
    bo = await sales.person("bo")
    await ann.follow(bo.handle)
    await company.settle()
    await bo.publish(f"look {WIKI}/rules")
    await company.settle()
    (seen,) = await ann.home()
    assert seen["card"]["title"].startswith("Holiday")
    assert web.asked.count("wiki.localhost/rules") == 1, "sales did not ask"


async def test_a_link_to_a_department_shows_what_everybody_may_read(company: Company) -> None:
    finance, ann = await office(company, hosts=[])
    sales = await company.department("sales")
    await company.introduce(finance, sales)
    bo = await sales.person("bo")
    open_post = await bo.publish("the sale begins", reach="public")
    narrow = await bo.publish("zzsecretzz", reach="company")
    card = await card_of(ann, open_post["url"])
    assert (card["title"], card["description"]) == ("bo", "the sale begins")
    assert await card_of(ann, narrow["url"]) is None


def _moderate(tx: Tx, account_id: int) -> str:
    tx.conn.execute(sa.update(users).where(users.c.account_id == account_id).values(role="moderator"))
    application = applications.command_line_application(tx)
    return applications.issue_token(tx, account_id=account_id, application_id=application.id, scopes="admin:read")


async def test_pages_that_people_share_are_trends(company: Company) -> None:
    Web(company, "wiki.localhost")
    finance, ann = await office(company)
    ben = await finance.person("ben")
    for person, name in ((ann, "one"), (ann, "two"), (ben, "one")):
        await card_of(person, f"{WIKI}/{name}")
    await card_of(ben, f"{WIKI}/two", visibility="private")
    (link,) = await ann.get("/api/v1/trends/links")
    assert (link["url"], link["history"][0]["accounts"], len(link["history"])) == (f"{WIKI}/one", "2", 7)
    assert (await ann.http.get(link["image"].removeprefix(finance.origin))).status_code == 200
    anonymous = await ann.http.get("/api/v1/trends/links", headers={"Authorization": ""})
    mo = await finance.person("mo")
    token = {"Authorization": f"Bearer {await finance.db.write(_moderate, mo.account.id)}"}
    moderated = (await mo.http.get("/api/v1/admin/trends/links", headers=token)).json()
    assert [(item["url"], item["requires_review"]) for item in moderated] == [(link["url"], False)]
    assert anonymous.json() == []


# -- cards that nobody needs -----------------------------------------------------------------------------------------


async def rows(department: Department) -> list[tuple[int, int]]:
    """How many cards there are, and how many posts have one."""
    counts = sa.select(
        sa.select(sa.func.count()).select_from(cards).scalar_subquery(),
        sa.select(sa.func.count()).select_from(status_cards).scalar_subquery(),
    )
    return [(row[0], row[1]) for row in await department.db.read(lambda tx: tx.conn.execute(counts).all())]


async def test_a_card_goes_with_the_last_post_that_shows_it(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    finance, ann = await office(company)
    posts = [await ann.publish(f"{WIKI}/{name}") for name in ("one", "one", "two", "gone")]
    await finance.settle()
    files = finance.instance.config.media_folder
    assert await rows(finance) == [(3, 3)]
    assert len(list(files.rglob("*.*"))) == 2
    for post in (posts[0], posts[2]):
        await ann.http.delete(f"/api/v1/statuses/{post['id']}")
    assert await rows(finance) == [(3, 1)], "no post, no card of it"
    company.clock.shift_ms += 13 * 86_400_000
    await finance.settle()
    assert await rows(finance) == [(2, 1)], "a page that cannot be had is forgotten, one that was read is still fresh"
    company.clock.shift_ms += 2 * 86_400_000
    await finance.settle()
    assert await rows(finance) == [(1, 1)]
    (kept,) = files.rglob("*.*")
    shown = (await ann.get(f"/api/v1/statuses/{posts[1]['id']}"))["card"]
    assert kept.stem in shown["image"]
    assert (await ann.http.get(shown["image"].removeprefix(finance.origin))).status_code == 200
    again = await card_of(ann, f"{WIKI}/two")
    assert again["title"] == shown["title"]
    assert web.asked.count("wiki.localhost/two") == 2, "asked anew, as it would have been anyway"
