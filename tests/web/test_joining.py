"""The link that lets people into a group: its page in a browser, and the same link in the search of an app."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from fedcorp.social import applications
from tests.web.club import GROUPS, Cast, Club, elsewhere, hire_cast
from tests.web.instance import ORIGIN, PASSWORD, MovableClock, Office, Person, browser, running
from tests.web.test_bad_input import counts

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cast(office: Office) -> Cast:
    return await hire_cast(office)


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


async def link_of(club: Club) -> str:
    """A new link into the group."""
    return str((await club.who("admin").post(f"{club.path}/link"))["join_link"])


def hidden(page: httpx.Response) -> dict[str, str]:
    """What the form on a page carries along."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    return {name: unescape(value) for name, value in found}


# -- the page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["open", "private", "secret"])
async def test_a_signed_in_browser_joins_with_one_button(office: Office, cast: Cast, preset: str) -> None:
    rules = {"purpose": "To play <b>", "rules": ["Be kind & fair", "No blitz"], "title": "Chess <club>"}
    club = await cast.club("chess", preset, **rules)
    secret = await club.publish(club.who("member"), "an opening")
    link, outsider = await link_of(club), club.who("outsider")
    async with await signed_in(office, outsider) as client:
        page = await client.get(link)
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        for words in ("Chess &lt;club&gt;", "To play &lt;b&gt;", "Be kind &amp; fair", "No blitz", "@outsider1@"):
            assert words in page.text, words
        assert page.text.count("<button") == 1
        assert "an opening" not in page.text
        assert await club.role_of(outsider) is None if preset != "secret" else True  # looking joins nothing
        joined = await client.post(link, data={**hidden(page), "step": "join"})
        assert (joined.status_code, joined.headers["location"]) == (303, link.removeprefix(ORIGIN))
        after = await client.get(link)
        assert "You belong to this group" in after.text
        assert "<button" not in after.text
        again = await client.post(link, data={**hidden(page), "step": "join"})
        assert again.status_code == 303
    assert await club.role_of(outsider) == "member"
    assert (await outsider.ask("GET", f"/api/v1/statuses/{secret['id']}")).status_code == 200


async def test_one_who_waits_is_let_in_by_the_link(office: Office, cast: Cast) -> None:
    club = await cast.club("chess", "private")
    outsider, link = club.who("outsider"), await link_of(club)
    await outsider.ask("POST", f"{club.path}/join")
    async with await signed_in(office, outsider) as client:
        page = await client.get(link)
        await client.post(link, data={**hidden(page), "step": "join"})
    assert await club.role_of(outsider) == "member"
    assert await club.who("admin").get(f"{club.path}/requests") == []


async def test_one_who_is_not_signed_in_is_led_through_it_and_back(
    office: Office, cast: Cast, anybody: httpx.AsyncClient
) -> None:
    club = await cast.club("cellar", "secret", title="Cellar")
    link = await link_of(club)
    page = await anybody.get(link)
    assert page.status_code == 200
    assert "Cellar" in page.text
    assert link in page.text  # to paste into the search of another server
    form = {**hidden(page), "step": "sign-in", "username": "outsider1"}
    wrong = await anybody.post(link, data={**form, "password": "wrong"})
    assert (wrong.status_code, "is wrong" in wrong.text) == (422, True)
    assert 'value="outsider1"' in wrong.text
    right = await anybody.post(link, data={**form, **hidden(wrong), "password": PASSWORD})
    assert (right.status_code, right.headers["location"]) == (303, link.removeprefix(ORIGIN))
    back = await anybody.get(right.headers["location"])
    assert "Join as @outsider1@finance.localhost" in back.text
    joined = await anybody.post(link, data={**hidden(back), "step": "join"})
    assert joined.status_code == 303
    assert await club.role_of(club.who("outsider")) == "member"


async def test_forms_from_elsewhere_do_nothing(office: Office, cast: Cast) -> None:
    club = await cast.club("chess", "private")
    link, outsider = await link_of(club), club.who("outsider")
    async with await signed_in(office, outsider) as client:
        page = await client.get(link)
        good = {**hidden(page), "step": "join"}
        before = await counts(office)
        for data, headers in (
            ({"step": "join"}, {}),
            ({**good, "csrf": "x"}, {}),
            ({**good, "csrf": ""}, {}),
            (good, {"Origin": "http://evil.example"}),
        ):
            assert (await client.post(link, data=data, headers=headers)).status_code == 403
        assert (await client.post(link, data={**good, "step": "dance"})).status_code == 400
        assert await counts(office) == before
    async with await signed_in(office, club.who("other")) as another:  # whose browser the form was not made for
        assert (await another.post(link, data=good)).status_code == 403


async def test_guessing_passwords_is_slowed_down(tmp_path: Path) -> None:
    clock = MovableClock()
    async with running(tmp_path, clock, limits={"logins": 3}) as instance, browser(instance) as http:
        office = Office(instance, clock)
        owner = await office.person("owner")
        group = await office.group(owner, "chess")
        link = (await owner.post(f"{GROUPS}/{group}/link"))["join_link"]
        codes = []
        for number in range(4):
            data = {**hidden(await http.get(link)), "step": "sign-in", "username": f"p{number}", "password": "guess"}
            answer = await http.post(link, data=data, headers={"Authorization": f"Bearer {number}"})
            codes.append(answer.status_code)
        assert codes == [422, 422, 422, 429]


async def test_a_session_that_ended_meanwhile_is_asked_to_sign_in(office: Office, cast: Cast) -> None:
    club = await cast.club("chess", "private")
    link = await link_of(club)
    async with browser(office.instance) as client:
        page = await client.get(link)
        answer = await client.post(link, data={**hidden(page), "step": "join"})
    assert answer.status_code == 200
    assert 'type="password"' in answer.text


async def test_a_link_that_is_wrong_looks_like_nothing(office: Office, cast: Cast, anybody: httpx.AsyncClient) -> None:
    club, other = await cast.club("cellar", "secret"), await cast.club("chess")
    old, right = await link_of(club), await link_of(club)
    foreign = (await link_of(other)).rpartition("/")[2]
    gone = await cast.club("gone")
    dead = await link_of(gone)
    await gone.who("admin").delete(gone.path)
    nothing = await anybody.get("/@nobody")
    wrong = [old, dead, right + "x", right[:-1], f"{ORIGIN}/@cellar/join/x", f"{ORIGIN}/@cellar/join/{foreign}"]
    wrong += [f"{ORIGIN}/@{name}/join/{right.rpartition('/')[2]}" for name in ("chess", "member1", "nobody")]
    async with await signed_in(office, club.who("outsider")) as client:
        form = hidden(await client.get(right))
        for address in wrong:
            for answer in (
                await anybody.get(address),
                await client.get(address),
                await client.post(address, data={**form, "step": "join"}),
            ):
                assert (answer.status_code, answer.text) == (404, nothing.text), address
    await club.who("admin").delete(f"{club.path}/link")
    assert (await anybody.get(right)).text == nothing.text


async def test_outcasts_and_the_late_are_told_why(office: Office, cast: Cast) -> None:
    club = await cast.club("chess")
    link = await link_of(club)
    async with await signed_in(office, club.who("outcast")) as client:
        page = await client.get(link)
        answer = await client.post(link, data={**hidden(page), "step": "join"})
        assert (answer.status_code, "excluded" in answer.text) == (403, True)
    await club.who("admin").patch(club.path, archived=True)
    async with await signed_in(office, club.who("outsider")) as client:
        page = await client.get(link)
        answer = await client.post(link, data={**hidden(page), "step": "join"})
        assert (answer.status_code, "archived" in answer.text) == (403, True)
    assert await club.role_of(club.who("outcast")) == "outcast"
    assert await club.role_of(club.who("outsider")) is None


# -- search ----------------------------------------------------------------------------------------------------------


async def find(person: Person, link: str, **params: str) -> list[str]:
    found = await person.get("/api/v2/search", q=link, resolve="true", **params)
    assert found["statuses"] == []
    return [account["id"] for account in found["accounts"]]


@pytest.mark.parametrize("preset", ["open", "private", "secret"])
async def test_the_link_in_search_finds_the_group_and_following_joins(cast: Cast, preset: str) -> None:
    club = await cast.club("chess", preset)
    link, outsider = await link_of(club), club.who("outsider")
    assert await find(outsider, link) == [club.id]
    assert await find(outsider, f"  {link} ") == [club.id]
    assert (await outsider.get(f"/api/v1/accounts/{club.id}"))["group"] is True
    assert (await outsider.follow(club.id))["following"] is True
    assert await club.role_of(outsider) == "member"
    assert await find(outsider, link) == [club.id]
    assert await club.who("admin").get(f"{club.path}/invites") == []


async def test_what_the_link_in_search_opens_ends_with_the_link_and_within_an_hour(office: Office, cast: Cast) -> None:
    club = await cast.club("cellar", "secret")
    link, outsider, admin = await link_of(club), club.who("outsider"), club.who("admin")
    await find(outsider, link)
    (shown,) = await admin.get(f"{club.path}/invites")
    assert (shown["account"]["id"], shown["by"]) == (outsider.id, None)
    await admin.delete(f"{club.path}/link")
    await outsider.refused(404, "POST", f"/api/v1/accounts/{club.id}/follow")
    assert await find(outsider, link) == []
    link = await link_of(club)
    assert await find(outsider, link) == [club.id]
    office.clock.pass_(seconds=3601)
    await office.settle()
    await outsider.refused(404, "POST", f"/api/v1/accounts/{club.id}/follow")


async def test_links_that_open_nothing_find_nothing(office: Office, cast: Cast) -> None:
    club = await cast.club("cellar", "secret")
    link, outsider = await link_of(club), club.who("outsider")
    before = await counts(office)
    for wrong in (link + "x", link[:-1], f"{ORIGIN}/@nobody/join/x", f"{ORIGIN}/@member1/join/x"):
        assert await find(outsider, wrong) == []
    assert await find(club.who("outcast"), link) == []
    unresolved = await outsider.get("/api/v2/search", q=link)
    nobody = await office.anybody.get("/api/v2/search", q=link, resolve="true")
    assert unresolved["accounts"] == nobody["accounts"] == []
    assert await counts(office) == before


async def test_the_link_of_another_department_finds_the_group_by_its_name(office: Office, ann: Person) -> None:
    group_id, origin = await elsewhere(office), "http://sales.localhost"
    assert await find(ann, f"{origin}/@choir/join/abc") == [group_id]
    assert await find(ann, f"{origin}/@nobody/join/abc") == []
    answer = await ann.ask("POST", f"{GROUPS}/{group_id}/join", json={"link": f"{origin}/@choir/join/abc"})
    assert (answer.status_code, answer.json()["requested"]) == (202, True)
