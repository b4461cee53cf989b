"""Search: people and groups, hashtags and posts, and what other servers are asked for."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcorp.clock import Clock
from fedcorp.social import receiving
from fedcorp.social.receiving import RemoteStatus
from fedcorp.storage import schema
from tests.databases import downgrade
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio

SEARCH = "/api/v2/search"


async def find(who: Any, q: str, **params: Any) -> dict[str, list[str]]:
    """What a search finds, by names and ids."""
    found = await who.get(SEARCH, q=q, **params)
    return {
        "accounts": [item["acct"] for item in found["accounts"]],
        "statuses": [item["id"] for item in found["statuses"]],
        "hashtags": [item["name"] for item in found["hashtags"]],
    }


async def received(office: Office, text: str, **values: Any) -> Any:
    """A post of another department."""
    sue = await office.colleague("sue")
    remote = RemoteStatus(
        uri=f"{sue.uri}/1", url=f"{sue.url}/1", account=sue, visibility="public", reach="company",
        content=f"<p>{text}</p>", text=text, created_at=office.clock.ms(), **values,
    )  # fmt: skip
    return await office.db.write(receiving.receive, remote)


async def test_one_word_finds_all_three(office: Office, ann: Person, ben: Person) -> None:
    budget = await office.person("budget_team")
    posted = await ben.publish("The Budget is ready #budget2027")
    found = await find(ann, "budget")
    assert found == {"accounts": ["budget_team"], "statuses": [posted["id"]], "hashtags": ["budget2027"]}
    for kind in found:
        only = await find(ann, "budget", type=kind)
        assert only == {name: found[name] if name == kind else [] for name in found}
    assert budget.id == (await ann.get(SEARCH, q="budget", type="accounts"))["accounts"][0]["id"]


async def test_people_are_found_by_name_and_handle(office: Office, ann: Person, ben: Person) -> None:
    await ben.patch("/api/v1/accounts/update_credentials", display_name="Benjamin Übelacker")
    await office.colleague("bente")
    for q in ("ben", "BEN", "@ben", "benjamin", "belacker", "@ben@finance.localhost"):
        assert "ben" in (await find(ann, q))["accounts"], q
    assert (await find(ann, "bente@sales"))["accounts"] == ["bente@sales.localhost"]
    assert (await find(ann, "%"))["accounts"] == []
    assert (await find(ann, "ben", following="true"))["accounts"] == []
    await ann.follow(ben)
    assert (await find(ann, "ben", following="true"))["accounts"] == ["ben"]
    assert [item["acct"] for item in await ann.get("/api/v1/accounts/search", q="ben")] == [
        "ben",
        "bente@sales.localhost",
    ]
    assert [item["acct"] for item in await ann.get("/api/v1/accounts/search", q="ben", limit=1, offset=1)] == [
        "bente@sales.localhost"
    ]


async def test_who_blocks_is_not_found(ann: Person, ben: Person) -> None:
    await ben.towards(ann, "block")
    assert (await find(ann, "ben"))["accounts"] == []


async def test_groups_are_found_first_and_secret_ones_by_members_only(office: Office, ann: Person, ben: Person) -> None:
    await office.person("chess_fan")
    await office.group(ann, "chess")
    await office.group(ann, "chess_secret", preset="secret")
    assert (await find(ben, "chess"))["accounts"] == ["chess", "chess_fan"]
    assert (await find(ann, "chess"))["accounts"] == ["chess", "chess_secret", "chess_fan"]


async def test_posts_are_found_by_all_words_by_those_who_may_see_them(office: Office, ann: Person, ben: Person) -> None:
    first = await ben.publish("Lunch at noon in the canteen")
    second = await ben.publish("no text here", spoiler_text="LUNCH")
    private = await ben.publish("private lunch", visibility="private")
    direct = await ben.publish("@ann lunch?", visibility="direct")
    distant = await received(office, "lunch in sales")
    found = [str(distant.id), direct["id"], second["id"], first["id"]]
    assert (await find(ann, "lunch"))["statuses"] == found
    assert (await find(ann, "CANTEEN noon"))["statuses"] == [first["id"]]
    assert (await find(ann, "lunch nowhere"))["statuses"] == []
    assert private["id"] in (await find(ben, "lunch"))["statuses"]
    assert (await find(ann, "lunch", account_id=ben.id))["statuses"] == found[1:]
    assert (await find(ann, "lunch", type="statuses", limit=1, offset=1))["statuses"] == found[1:2]
    assert (await find(ann, "lunch", limit=1, offset=1))["statuses"] == found[:1]  # offsets are for one kind
    assert (await find(ann, "lunch", max_id=second["id"]))["statuses"] == found[3:]
    assert (await find(ann, "lunch", min_id=second["id"]))["statuses"] == found[:2]
    await ben.delete(f"/api/v1/statuses/{first['id']}")
    assert first["id"] not in (await find(ann, "lunch"))["statuses"]


async def test_nobody_searches_the_text_of_posts(office: Office, ann: Person) -> None:
    await ann.publish("open #lunch", reach="public")
    await ann.publish("for the company #lunchtime")
    found = await find(office.anybody, "lunch")
    assert found == {"accounts": [], "statuses": [], "hashtags": ["lunch"]}


async def test_an_address_finds_what_it_names(office: Office, ann: Person) -> None:
    distant = await received(office, "from sales")
    own = await ann.publish("from here")
    for address in (distant.uri, own["uri"], own["url"]):
        found = (await find(ann, address, resolve="true"))["statuses"]
        assert found == [str(distant.id) if address == distant.uri else own["id"]], address
    assert (await find(ann, distant.uri))["statuses"] == [str(distant.id)]
    sue = "http://sales.localhost/u/sue"
    assert (await find(ann, sue, resolve="true"))["accounts"] == ["sue@sales.localhost"]


@pytest.mark.parametrize(
    "q",
    ["@nobody@sales.localhost", "http://sales.localhost/o/1", "@eve@evil.example.com", "https://evil.example.com/1"],
)
async def test_what_cannot_be_had_is_not_found(office: Office, ann: Person, q: str) -> None:
    await office.colleague("sue")
    assert await find(ann, q, resolve="true") == {"accounts": [], "statuses": [], "hashtags": []}


@pytest.mark.parametrize(
    ("params", "status"),
    [({}, 400), ({"q": " "}, 400), ({"q": "x", "type": "all"}, 400), ({"q": "x", "limit": "x"}, 400)],
)
async def test_what_is_wrong_is_said(ann: Person, params: dict[str, str], status: int) -> None:
    await ann.refused(status, "GET", SEARCH, params=params)


HOSTILE = (
    '"', '""', '"a', 'a"b"c"', "-", "--", "-a", "+", "*", "a*", "^a", "a^2", "(", ")", "()", "a AND", "OR", "NOT a",
    "NEAR(a b)", "a NEAR/2 b", "words:a", "{words}:a", "status_index:a", "rank:a", "a & | !b", "a <-> b", "a:*",
    "'a' | ''", "\\", "a\\", "%", "_", "from:", "from:@", "from:@@", "from:a@b@c", "in:", "in:@", "has:", "is:",
    "language:", "before:", "before:9999-99-99", "after:0000-00-00", "during:2026-02-31", "-from:me", "-in:library",
    "from:me from:me", "x" * 5000, "x " * 5000, '"x ' * 2000, "-x " * 400, "會議" * 900, "🎉", "\ud7ff\ue000\uffff",
    "\u202e", "select 1; drop table statuses", "\u00bd\ufb01\u0130",
)  # fmt: skip


@pytest.mark.parametrize("q", HOSTILE, ids=range(len(HOSTILE)))
async def test_any_text_is_a_query(ann: Person, q: str) -> None:
    await ann.publish("a x words 'a' select 會議")
    several: tuple[dict[str, Any], ...] = ({}, {"type": "statuses", "max_id": 1}, {"resolve": "true", "min_id": 1})
    for params in several:
        response = await ann.http.get(SEARCH, params={"q": q, **params})
        assert response.status_code == 200, (q[:20], response.text)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    q=st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1).filter(
        str.strip
    )
)
async def test_any_text_is_answered(ann: Person, q: str) -> None:
    for kind in ("statuses", "hashtags", "accounts"):
        response = await ann.http.get(SEARCH, params={"q": q, "type": kind})
        assert response.status_code == 200, response.text


async def test_what_no_text_can_hold_is_refused(ann: Person) -> None:
    await ann.refused(400, "GET", SEARCH, params={"q": "a\x00b"})


async def test_operators_and_pages_through_the_door(office: Office, ann: Person, ben: Person) -> None:
    """The sentences of docs/api.md."""
    await office.group(ann, "chess")
    first = await ben.publish("De vergadering over de begroting https://x.example/")
    reply = await ann.publish("Vergaderingen!", in_reply_to_id=first["id"], spoiler_text="meetings", language="nl")
    direct = await ben.publish("@ann vergadering", visibility="direct")
    everything = [direct["id"], reply["id"], first["id"]]
    wanted = {
        "vergaderingen": everything, "from:ben vergadering": [direct["id"], first["id"]], "from:me": [reply["id"]],
        "is:reply meeting": [reply["id"]], "has:link": [first["id"]], '"de begroting"': [first["id"]],
        '"begroting de"': [], "vergadering -begroting": everything[:2],
        "vergadering -has:link -from:me": everything[:1],
        "vergadering in:public": everything[1:], "vergadering in:library": everything[:2], "in:chess": [],
        "before:2026-01-01": [], "after:2026-01-01 vergadering": everything,
    }  # fmt: skip
    for q, found in wanted.items():
        assert (await find(ann, q, type="statuses"))["statuses"] == found, q
    assert (await find(ann, "vergadering", limit=1, min_id=first["id"]))["statuses"] == [reply["id"]]
    seen: list[str] = []
    while page := (await find(ann, "vergadering", limit=1, **({"max_id": seen[-1]} if seen else {})))["statuses"]:
        seen += page
    assert seen == everything


async def test_what_is_kept_from_somebody_cannot_be_searched(office: Office, ann: Person, ben: Person) -> None:
    await office.group(ann, "council", preset="secret")
    await ann.publish("@council reorganisation")
    await ann.publish("reorganisation", visibility="direct")
    for q in (
        "reorganisation",
        "from:ann",
        "in:council",
        "reorganisation in:council",
        "-nothing",
        "-in:public",
        "in:all -x",
    ):
        assert await find(ben, q) == {"accounts": [], "statuses": [], "hashtags": []}, q
    assert len((await find(ann, "reorganisation"))["statuses"]) == 2
    assert len((await find(ann, "in:council"))["statuses"]) == 1


async def test_what_was_written_before_the_index_is_found_after_an_upgrade(office: Office, ann: Person) -> None:
    posted = await ann.publish("De begroting")
    downgrade(office.db.engine, "0008")
    schema.upgrade(office.db.engine, office.db.site.config, Clock())
    assert (await find(ann, "begroting"))["statuses"] == []
    await office.settle()
    assert (await find(ann, "begroting"))["statuses"] == [posted["id"]]
