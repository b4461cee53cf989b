"""Cards of links: whose pages are asked, what becomes of what they say, and how far their pictures go."""

from typing import Any

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from fedcorp.company import peers
from fedcorp.social import applications
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import cards, status_cards, users
from tests.federation.world import Company, Department, Outsider, Person
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
            case "/blog":
                return RedirectResponse("http://blog.localhost/rules")
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


# -- whose page it is ------------------------------------------------------------------------------------------------

CREDENTIALS = "/api/v1/accounts/update_credentials"


def by(handle: str) -> str:
    """The page, which says whose account wrote it."""
    return PAGE.replace("</head>", f'<meta name="fediverse:creator" content="{handle}"></head>')


async def lets(person: Person, *domains: str, **values: Any) -> None:
    """Somebody says which sites may name them."""
    done = await person.send("PATCH", CREDENTIALS, attribution_domains=list(domains), **values)
    assert done.status_code == 200, done.text


async def author_of(person: Person, status: dict[str, Any]) -> Any:
    """The account that the card of a status shows as its author; the words for it are always the same."""
    card = (await person.get(f"/api/v1/statuses/{status['id']}"))["card"]
    (author,) = card["authors"]
    assert (author["name"], author["url"], card["author_name"], card["author_url"]) == ("Mia", "", "Mia", "")
    return author["account"]


@pytest.mark.parametrize("handle", ["@mia@finance.localhost", "Mia@finance.localhost", " @mia@finance.localhost "])
async def test_a_card_shows_the_account_that_the_page_names_and_that_lets_it(company: Company, handle: str) -> None:
    web = Web(company, "wiki.localhost")
    web.page = by(handle)
    finance, ann = await office(company)
    mia = await finance.person("mia")
    status = await ann.publish(f"{WIKI}/rules")
    await finance.settle()
    assert await author_of(ann, status) is None, "anybody could name mia"
    for domains, is_shown in (
        (["wiki.localhost"], True), (["iki.localhost"], False), (["deep.wiki.localhost"], False), ([], False)
    ):  # fmt: skip
        await lets(mia, *domains)
        shown = await author_of(ann, status)
        assert (shown is not None) == is_shown, domains
    await lets(mia, "news.example", "wiki.localhost", display_name="Mia M.")
    shown = await author_of(ann, status)
    assert (shown["id"], shown["acct"], shown["display_name"]) == (mia.id, "mia", "Mia M.")
    assert shown == await ann.get(f"/api/v1/accounts/{mia.id}")
    await mia.publish(f"{WIKI}/rules")
    await finance.settle()
    assert (await author_of(ann, status))["statuses_count"] == 1
    (link,) = await ann.get("/api/v1/trends/links")
    assert link["authors"][0]["account"]["id"] == mia.id
    (seen,) = [item for item in await ann.home() if item["id"] == status["id"]]
    assert seen["card"]["authors"][0]["account"]["id"] == mia.id


async def test_a_site_of_which_the_parent_is_named_may_name_its_author(company: Company) -> None:
    web = Web(company, "docs.corp.localhost")
    web.page = by("@mia@finance.localhost")
    finance, ann = await office(company, hosts=["*.corp.localhost"])
    await lets(await finance.person("mia"), "corp.localhost")
    status = await ann.publish("http://docs.corp.localhost/x")
    await finance.settle()
    assert (await author_of(ann, status))["acct"] == "mia"
    web.page = web.page.replace('name="author"', 'name="else"')
    card = await card_of(ann, "http://docs.corp.localhost/y")
    (author,) = card["authors"]
    assert (author["name"], author["account"]["acct"], card["author_name"]) == ("mia", "mia", "")


async def test_an_author_of_another_department_is_shown_as_long_as_that_one_wants(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    web.page = by("@bo@sales.localhost")
    finance, ann = await office(company)
    sales = await company.department("sales")
    await company.introduce(finance, sales)
    bo = await sales.person("bo")
    await lets(bo, "wiki.localhost")
    status = await ann.publish(f"{WIKI}/rules")
    await company.settle()
    assert (await author_of(ann, status))["acct"] == "bo@sales.localhost", "nobody had heard of bo here"
    await ann.follow(bo.handle)
    await company.settle()
    for domains, is_shown in (([], False), (["wiki.localhost"], True)):
        await lets(bo, *domains)
        await company.settle()
        assert ((await author_of(ann, status)) is not None) == is_shown, "an Update says so"


async def test_domains_of_actors_of_other_makes_are_read(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    web.page = by("@otto@partner.localhost")
    finance, ann = await office(company)
    partner = Outsider(company, "partner.localhost")
    otto = partner.actor("otto", attributionDomains=["WIKI.localhost", "localhost", 7, {"id": "wiki.localhost"}])
    await finance.db.write(peers.add, partner.domain, "partner")
    status = await ann.publish(f"{WIKI}/rules")
    await finance.settle()
    assert (await author_of(ann, status))["acct"] == "otto@partner.localhost"
    document = partner.documents[otto]
    document["attributionDomains"] = ["localhost"]
    await partner.deliver(finance, partner.activity("Update", otto, document, cc=[ann.account.uri]))
    await finance.settle()
    assert await author_of(ann, status) is None, "a whole top level is nobody's site"


async def test_servers_that_are_no_peers_are_not_asked_for_authors(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    stranger = Outsider(company, "stranger.localhost")
    stranger.actor("eve", attributionDomains=["wiki.localhost"])
    finance, ann = await office(company)
    await lets(ann, "wiki.localhost")
    for number, handle in enumerate(("@eve@stranger.localhost", "@ann", "ann", f"{ann.account.url}", "@@", "a@b@c@d")):
        web.page = by(handle)
        status = await ann.publish(f"{WIKI}/{number}")
        await finance.settle()
        assert await author_of(ann, status) is None, handle
    assert stranger.fetched == []


async def test_whoever_a_page_leads_to_and_from_must_be_named(company: Company) -> None:
    web = Web(company, "wiki.localhost", "blog.localhost")
    web.page = by("@mia@finance.localhost")
    finance, ann = await office(company, hosts=["wiki.localhost", "blog.localhost"])
    mia = await finance.person("mia")
    status = await ann.publish(f"{WIKI}/blog")
    await finance.settle()
    for domains, is_shown in (
        (["wiki.localhost"], False), (["blog.localhost"], False), (["wiki.localhost", "blog.localhost"], True)
    ):  # fmt: skip
        await lets(mia, *domains)
        assert ((await author_of(ann, status)) is not None) == is_shown, domains


async def test_what_a_page_says_later_is_seen_in_posts_that_show_it_already(company: Company) -> None:
    web = Web(company, "wiki.localhost")
    finance, ann = await office(company)
    await lets(ann, "wiki.localhost")
    status = await ann.publish(f"{WIKI}/rules")
    await finance.settle()
    assert await author_of(ann, status) is None
    company.clock.shift_ms += 15 * 86_400_000
    web.page = by("@ann@finance.localhost").replace("Holiday", "Vacation")
    again = await card_of(ann, f"again {WIKI}/rules")
    before = (await ann.get(f"/api/v1/statuses/{status['id']}"))["card"]
    assert before == again
    assert (again["title"], again["authors"][0]["account"]["acct"]) == ("Vacation <script>rules</script>", "ann")
    assert (await ann.http.get(before["image"].removeprefix(finance.origin))).status_code == 200


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
