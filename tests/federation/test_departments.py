"""Two and three departments: what one writes the others read, as if it were one house."""

import logging

import pytest

from fedcorp.activitypub import render
from fedcorp.social import accounts, statuses
from tests.federation.world import Company, Department, Person
from tests.web.instance import picture

pytestmark = pytest.mark.anyio


async def start(company: Company, *names: str) -> list[Department]:
    made = [await company.department(name) for name in names]
    await company.introduce(*made)
    return made


async def friends(company: Company) -> tuple[Person, Person]:
    """ann in finance and bo in operations, who follow each other."""
    finance, operations = await start(company, "finance", "operations")
    ann, bo = await finance.person("ann"), await operations.person("bo")
    await ann.follow(bo.handle)
    await bo.follow(ann.handle)
    await company.settle()
    return ann, bo


async def test_a_post_reaches_a_follower_in_another_department(company: Company) -> None:
    ann, bo = await friends(company)
    await ann.publish("The budget is final #budget")
    await company.settle()
    (status,) = await bo.home()
    assert "The budget is final" in status["content"]
    assert status["account"]["acct"] == ann.handle
    assert status["tags"][0]["name"] == "budget"
    assert ("follow", ann.handle) in await bo.notifications()


async def test_a_conversation_is_the_same_on_both_sides(company: Company) -> None:
    ann, bo = await friends(company)
    question = await ann.publish("Who has the keys?")
    await company.settle()
    (seen,) = await bo.home()
    await bo.publish(f"@{ann.handle} I do", in_reply_to_id=seen["id"])
    await company.settle()
    assert ("mention", bo.handle) in await ann.notifications()
    thread = await ann.get(f"/api/v1/statuses/{question['id']}/context")
    (reply,) = thread["descendants"]
    await ann.publish(f"@{bo.handle} thanks", in_reply_to_id=reply["id"])
    await company.settle()
    theirs = await bo.get(f"/api/v1/statuses/{seen['id']}/context")
    assert len(theirs["descendants"]) == 2
    assert (await ann.get(f"/api/v1/statuses/{question['id']}"))["replies_count"] == 1


async def test_favourites_and_boosts_are_told_and_taken_back(company: Company) -> None:
    ann, bo = await friends(company)
    mine = await ann.publish("Coffee is ready")
    await company.settle()
    (seen,) = await bo.home()
    await bo.post(f"/api/v1/statuses/{seen['id']}/favourite")
    await bo.post(f"/api/v1/statuses/{seen['id']}/reblog")
    await company.settle()
    counted = await ann.get(f"/api/v1/statuses/{mine['id']}")
    assert (counted["favourites_count"], counted["reblogs_count"]) == (1, 1)
    assert {"favourite", "reblog"} <= {kind for kind, _ in await ann.notifications()}
    await bo.post(f"/api/v1/statuses/{seen['id']}/unfavourite")
    await bo.post(f"/api/v1/statuses/{seen['id']}/unreblog")
    await company.settle()
    counted = await ann.get(f"/api/v1/statuses/{mine['id']}")
    assert (counted["favourites_count"], counted["reblogs_count"]) == (0, 0)


async def test_edit_and_delete_reach_every_copy(company: Company) -> None:
    ann, bo = await friends(company)
    mine = await ann.publish("Frist")
    await company.settle()
    await ann.send("PUT", f"/api/v1/statuses/{mine['id']}", status="First")
    await company.settle()
    (seen,) = await bo.home()
    assert "First" in seen["content"]
    assert seen["edited_at"] is not None
    await ann.send("DELETE", f"/api/v1/statuses/{mine['id']}")
    await company.settle()
    assert await bo.home() == []
    assert (await bo.http.get(f"/api/v1/statuses/{seen['id']}")).status_code == 404


@pytest.mark.parametrize("words", ["if x<y then z", "a &lt; b", "careful <b>&"])
async def test_a_content_warning_says_the_same_in_every_department(company: Company, words: str) -> None:
    ann, bo = await friends(company)
    await ann.publish("see above", spoiler_text=words)
    await company.settle()
    assert [status["spoiler_text"] for status in await bo.home()] == [words]


async def test_a_locked_account_answers_requests(company: Company) -> None:
    finance, operations = await start(company, "finance", "operations")
    ann, bo = await finance.person("ann", locked=True), await operations.person("bo")
    relation = await bo.follow(ann.handle)
    assert relation["requested"]
    assert not relation["following"]
    await company.settle()
    (asking,) = await ann.get("/api/v1/follow_requests")
    await ann.post(f"/api/v1/follow_requests/{asking['id']}/authorize")
    await company.settle()
    (relation,) = await bo.get("/api/v1/accounts/relationships", **{"id[]": await bo.find(ann.handle)})
    assert relation["following"]
    await bo.post(f"/api/v1/accounts/{await bo.find(ann.handle)}/unfollow")
    await company.settle()
    assert await ann.get(f"/api/v1/accounts/{ann.id}/followers") == []


async def test_reach_decides_who_gets_it(company: Company) -> None:
    finance, operations, supplier = [await company.department(name) for name in ("finance", "operations", "supplier")]
    await company.introduce(finance, operations)
    for one in (finance, operations):
        await company.introduce(one, supplier, tier="partner")
    ann, bo, sam = await finance.person("ann"), await operations.person("bo"), await supplier.person("sam")
    await bo.follow(ann.handle)
    await sam.follow(ann.handle)
    await company.settle()
    for reach in ("department", "company", "partners", "public"):
        await ann.publish(f"as far as {reach}", reach=reach)
    await ann.publish("kept here", local_only=True)
    await company.settle()
    assert sorted(await bo.texts()) == ["as far as company", "as far as partners", "as far as public"]
    assert sorted(await sam.texts()) == ["as far as partners", "as far as public"]


async def test_a_direct_message_reaches_only_who_is_named(company: Company) -> None:
    ann, bo = await friends(company)
    cy = await bo.department.person("cy")
    await cy.follow(ann.handle)
    await company.settle()
    await ann.publish(f"@{bo.handle} between us", visibility="direct")
    await company.settle()
    assert ("mention", ann.handle) in await bo.notifications()
    assert await cy.home() == []


@pytest.mark.parametrize("away", [False, True])
async def test_who_gets_a_direct_message_is_shown_who_else_does(company: Company, away: bool) -> None:
    """bo has never heard of dan in the same department as ann, nor of cy elsewhere, who may be away just now."""
    ann, bo = await friends(company)
    people = await company.department("people")
    await company.introduce(people, ann.department, bo.department)
    cy, dan = await people.person("cy"), await ann.department.person("dan")
    await ann.find(cy.handle)
    if away:
        company.network.cut.add(people.domain)
    await ann.publish(f"@{bo.handle} @{dan.handle} @{cy.handle} for three", visibility="direct")
    await company.settle()
    (talk,) = await bo.get("/api/v1/conversations")
    named = {item["acct"] for item in talk["last_status"]["mentions"]}
    assert named == {"bo", dan.handle} | (set() if away else {cy.handle})
    assert {item["acct"] for item in talk["accounts"]} == named - {"bo"} | {ann.handle}


async def test_a_department_that_was_away_catches_up_in_order(company: Company) -> None:
    ann, bo = await friends(company)
    company.network.cut.add(bo.department.domain)
    for number in range(5):
        await ann.publish(f"while you were away {number}")
    await company.settle()
    assert await bo.home() == []
    company.network.cut.clear()
    await company.retry()
    assert await bo.texts() == [f"while you were away {number}" for number in reversed(range(5))]


async def test_an_account_that_is_deleted_is_gone_everywhere(company: Company) -> None:
    ann, bo = await friends(company)
    await ann.publish("I was here")
    await company.settle()

    await ann.department.db.write(accounts.delete, ann.account)
    await company.settle()
    assert await bo.home() == []
    found = await bo.get("/api/v1/accounts/search", q=ann.handle)
    assert found == []


async def test_words_for_pictures_of_a_profile_are_read_in_other_departments(company: Company) -> None:
    ann, bo = await friends(company)
    files = {"avatar": ("me.png", picture("red"), "image/png"), "header": ("sea.png", picture("blue"), "image/png")}
    words = {"avatar_description": "a shark", "header_description": "the sea"}
    assert (await ann.http.patch("/api/v1/profile", files=files, data=words)).status_code == 200
    await company.settle()
    seen = await bo.get(f"/api/v1/accounts/{await bo.find(ann.handle)}")
    assert {name: seen[name] for name in words} == words
    await ann.send("DELETE", "/api/v1/profile/header")
    await company.settle()
    seen = await bo.get(f"/api/v1/accounts/{await bo.find(ann.handle)}")
    assert (seen["avatar_description"], seen["header_description"]) == ("a shark", "")


async def test_of_what_people_look_for_the_log_names_peers_alone(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    """An address of a post is no handle that failed; who was looked for is nobody's business."""
    caplog.set_level(logging.DEBUG, "fedcorp")
    ann, bo = await friends(company)
    post = await bo.publish("read me", reach="public")
    said = []
    for q in (post["url"], "zzwho@operations.localhost", "zzwho@nowhere.localhost", "zzwho@finance.localhost"):
        caplog.clear()
        await ann.get("/api/v2/search", q=q, resolve="true")
        said.append([(item.levelname, item.getMessage()) for item in caplog.records if "resolved" in item.getMessage()])
        assert "zzwho" not in caplog.text
        assert "nowhere" not in caplog.text
    assert said == [
        [],
        [("INFO", "a handle at operations.localhost was not resolved: NotFound")],
        [("DEBUG", "a handle was not resolved: Forbidden")],
        [("DEBUG", "a handle was not resolved: NotFound")],
    ]


async def test_what_a_poll_hides_is_hidden_in_every_department_until_it_is_over(company: Company) -> None:
    ann, bo = await friends(company)
    cleo = await bo.department.person("cleo")
    hidden = {"options": ["tea", "milk"], "expires_in": 600, "hide_totals": True}
    mine = await ann.publish("What do we drink?", poll=hidden)
    await company.settle()

    async def votes(person: Person) -> tuple[list[int | None], int]:
        poll = (await person.find_status(mine["uri"]))["poll"]
        return [option["votes_count"] for option in poll["options"]], poll["voters_count"]

    for person in (bo, cleo):
        seen = await person.find_status(mine["uri"])
        await person.post(f"/api/v1/polls/{seen['poll']['id']}/votes", choices=[0])
        await company.settle()
        assert await votes(person) == ([None, None], 1 if person is bo else 2)
    assert (await votes(ann))[1] == 2
    status = await ann.department.db.read(statuses.get, int(mine["id"]))
    asked = await ann.department.db.read(render.note, status)
    assert [option["replies"] for option in asked["oneOf"]] == [{"type": "Collection"}] * 2

    company.clock.shift_ms += 600_000
    await company.settle()
    for person in (ann, bo, cleo):
        assert await votes(person) == ([2, 0], 2)
