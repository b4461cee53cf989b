"""How other sites show a post of ours: what is open to everybody, and nothing else."""

from typing import Any

import pytest

from tests.web.instance import ORIGIN, Office, Person

pytestmark = pytest.mark.anyio


async def oembed(office: Office, url: str, **params: Any) -> Any:
    return await office.anybody.get("/api/oembed", url=url, **params)


async def test_an_open_post_can_be_shown_elsewhere(office: Office, ann: Person) -> None:
    status = await ann.publish("hello <b>world</b>", reach="public")
    assert (await oembed(office, status["uri"]))["title"] == "New status by ann"
    found = await oembed(office, status["url"], maxwidth=500, maxheight=300)
    assert (found["type"], found["version"], found["width"], found["height"]) == ("rich", "1.0", 500, 300)
    assert (found["author_url"], found["cache_age"]) == (f"{ORIGIN}/@ann", 86_400)
    source = found["html"].partition('src="')[2].partition('"')[0]
    frame = await office.anybody.http.get(source.removeprefix(ORIGIN))
    assert frame.status_code == 200
    assert "hello &lt;b&gt;world" in frame.text
    assert "frame-ancestors *" in frame.headers["content-security-policy"]
    assert "x-frame-options" not in frame.headers
    shown = await office.anybody.http.get(status["url"].removeprefix(ORIGIN))
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    assert "application/json+oembed" in shown.text
    assert (await oembed(office, status["url"]))["width"] == 400


@pytest.mark.parametrize(
    "how",
    [{"reach": "company"}, {"reach": "department"}, {"reach": "public", "visibility": "private"}],
)
async def test_any_other_post_cannot(office: Office, ann: Person, how: dict[str, str]) -> None:
    status = await ann.publish("x", **how)
    await office.anybody.refused(404, "GET", "/api/oembed", params={"url": status["url"]})
    await ann.refused(404, "GET", "/api/oembed", params={"url": status["url"]})
    assert (await office.anybody.http.get(f"/@ann/{status['id']}/embed")).status_code == 404


async def test_only_posts_of_ours_and_by_their_name(office: Office, ann: Person, ben: Person) -> None:
    status = await ann.publish("x", reach="public")
    for url in (
        f"{ORIGIN}/@ben/{status['id']}",
        f"{ORIGIN}/@ann",
        f"{ORIGIN}/@ann/1",
        "https://else.example/@ann/1",
        "x",
    ):
        await office.anybody.refused(404, "GET", "/api/oembed", params={"url": url})
    await office.anybody.refused(400, "GET", "/api/oembed")
    assert (await office.anybody.http.get(f"/@ben/{status['id']}/embed")).status_code == 404
