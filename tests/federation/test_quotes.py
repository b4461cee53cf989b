"""Quotes between departments and with servers of other make: asked for, given, checked by everybody, taken back."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.social import statuses
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import activities
from tests.federation.world import ACTIVITY, PUBLIC, Company, Department, Outsider, Person, pair

pytestmark = pytest.mark.anyio


class Office:
    """ann in finance, bo in operations, cy in people; everybody follows everybody."""

    def __init__(self, company: Company, departments: list[Department], people: list[Person]) -> None:
        self.company = company
        self.finance, self.operations, self.people_department = departments
        self.ann, self.bo, self.cy = people

    async def settle(self) -> None:
        await self.company.settle()

    async def copy(self, person: Person, status: Any) -> Any:
        """What somebody sees of a post that was written anywhere."""
        return await person.find_status(status["uri"])

    async def quote(self, person: Person, status: Any, words: str = "look at this", **values: Any) -> Any:
        """Somebody quotes a post that was written anywhere."""
        here = await self.copy(person, status)
        return await person.publish(words, quoted_status_id=here["id"], **values)

    async def seen(self, person: Person, status: Any) -> tuple[str, str | None]:
        """(state, uri of what is shown) of a quote, as somebody is told."""
        found = (await self.copy(person, status))["quote"]
        return found["state"], found["quoted_status"] and found["quoted_status"]["uri"]


@pytest.fixture
async def office(company: Company) -> Office:
    made = [await company.department(name) for name in ("finance", "operations", "people")]
    await company.introduce(*made)
    people = [await one.person(name) for one, name in zip(made, ("ann", "bo", "cy"), strict=True)]
    for one in people:
        for other in people:
            if one is not other:
                await one.follow(other.handle)
    await company.settle()
    return Office(company, made, people)


async def sent(department: Department, kind: str) -> list[dict[str, Any]]:
    """The activities of a type that a department made."""

    def rows(tx: Tx) -> list[Any]:
        found = sa.select(activities.c.body).where(activities.c.type == kind).order_by(activities.c.id)
        return [orjson.loads(body) for body in tx.conn.execute(found).scalars()]

    return await department.db.read(rows)


# -- between departments ---------------------------------------------------------------------------------------------


async def test_a_quote_is_asked_for_given_and_shown_everywhere(office: Office) -> None:
    word = await office.ann.publish("The budget is final")
    await office.settle()
    made = await office.quote(office.bo, word)
    assert (made["quote"]["state"], made["quote"]["quoted_status"]) == ("pending", None)
    await office.settle()
    for person in (office.ann, office.bo, office.cy):
        assert await office.seen(person, made) == ("accepted", word["uri"]), person.handle
    assert (await office.ann.get(f"/api/v1/statuses/{word['id']}"))["quotes_count"] == 1
    (told,) = [item for item in await office.ann.get("/api/v1/notifications") if item["type"] == "quote"]
    assert told["status"]["uri"] == made["uri"]
    assert told["account"]["acct"] == office.bo.handle
    listed = await office.cy.get(f"/api/v1/statuses/{(await office.copy(office.cy, word))['id']}/quotes")
    assert [item["uri"] for item in listed] == [made["uri"]]


async def test_the_documents_say_who_may_quote_what_is_quoted_and_with_whose_leave(office: Office) -> None:
    word = await office.ann.publish("word", quote_approval_policy="followers")
    await office.settle()
    made = await office.quote(office.bo, word)
    await office.settle()
    note = next(item["object"] for item in await sent(office.finance, "Create") if item["object"]["id"] == word["uri"])
    followers = {"canQuote": {"automaticApproval": [office.ann.account.followers_uri]}}
    assert note["interactionPolicy"] == followers
    (request,) = await sent(office.operations, "QuoteRequest")
    assert (request["object"], request["instrument"]["id"]) == (word["uri"], made["uri"])
    assert request["instrument"]["quote"] == word["uri"]
    assert not {"quoteAuthorization", "quoteUrl", "quoteUri", "_misskey_quote"} & set(request["instrument"])
    (accept,) = [item for item in await sent(office.finance, "Accept") if item["object"]["type"] == "QuoteRequest"]
    assert accept["object"]["id"] == request["id"]
    (update,) = await sent(office.operations, "Update")
    assert update["object"]["quoteAuthorization"] == accept["result"]
    assert update["object"]["quoteUrl"] == update["object"]["_misskey_quote"] == word["uri"]
    assert update["object"]["content"].startswith('<p class="quote-inline">RE: <a href="' + word["url"])


async def test_a_refused_quote_is_shown_to_nobody(office: Office) -> None:
    word = await office.ann.publish("word")
    await office.settle()
    made = await office.quote(office.bo, word)
    await office.ann.send("PUT", f"/api/v1/statuses/{word['id']}/interaction_policy", quote_approval_policy="nobody")
    await office.settle()
    assert await office.seen(office.bo, made) == ("rejected", None)
    assert (await office.seen(office.cy, made))[1] is None
    assert (await office.ann.get(f"/api/v1/statuses/{word['id']}"))["quotes_count"] == 0
    assert "quote" not in [kind for kind, _ in await office.ann.notifications()]
    here = await office.copy(office.bo, word)
    assert here["quote_approval"] == {"automatic": [], "manual": [], "current_user": "denied"}
    answer = await office.bo.send("POST", "/api/v1/statuses", status="again", quoted_status_id=here["id"])
    assert answer.status_code == 422


async def test_the_leave_is_taken_back_everywhere(office: Office) -> None:
    word = await office.ann.publish("word")
    await office.settle()
    made = await office.quote(office.bo, word)
    await office.settle()
    here = await office.copy(office.ann, made)
    revoked = await office.ann.post(f"/api/v1/statuses/{word['id']}/quotes/{here['id']}/revoke")
    assert revoked["quote"] == {"state": "revoked", "quoted_status": None}
    await office.settle()
    for person in (office.ann, office.bo, office.cy):
        assert await office.seen(person, made) == ("revoked", None), person.handle
        assert (await office.copy(person, word))["quotes_count"] == 0
    (delete,) = await sent(office.finance, "Delete")
    update = (await sent(office.operations, "Update"))[-1]
    assert not {"quoteAuthorization", "quoteUrl", "quoteUri", "_misskey_quote"} & set(update["object"])
    assert update["object"]["quote"] == word["uri"]
    assert delete["object"].startswith("http://finance.localhost/q/")


async def test_who_follows_only_the_quoter_hears_of_the_end_by_the_quoters_server(office: Office) -> None:
    cy, ann, bo = office.cy, office.ann, office.bo
    await cy.post(f"/api/v1/accounts/{await cy.find(ann.handle)}/unfollow")
    await ann.post(f"/api/v1/accounts/{await ann.find(cy.handle)}/unfollow")
    await office.settle()
    word = await ann.publish("word")
    await office.settle()
    made = await office.quote(bo, word)
    await office.settle()
    assert await office.seen(cy, made) == ("accepted", word["uri"]), "what is quoted was fetched"
    here = await office.copy(ann, made)
    await ann.post(f"/api/v1/statuses/{word['id']}/quotes/{here['id']}/revoke")
    await office.settle()
    assert await office.seen(cy, made) == ("revoked", None)


async def test_a_quote_of_a_neighbour_can_be_checked_by_others(office: Office) -> None:
    ada = await office.finance.person("ada")
    await office.bo.follow(ada.handle)
    await office.settle()
    word = await office.ann.publish("word")
    await office.settle()
    made = await office.quote(ada, word)
    assert made["quote"]["state"] == "accepted"
    await office.settle()
    assert await office.seen(office.bo, made) == ("accepted", word["uri"])
    here = await office.copy(office.ann, made)
    await office.ann.post(f"/api/v1/statuses/{word['id']}/quotes/{here['id']}/revoke")
    await office.settle()
    assert await office.seen(office.bo, made) == ("revoked", None)


async def test_an_own_post_is_quoted_without_asking(office: Office) -> None:
    word = await office.ann.publish("word")
    made = await office.quote(office.ann, word)
    await office.settle()
    assert await office.seen(office.bo, made) == ("accepted", word["uri"])
    assert await sent(office.finance, "QuoteRequest") == []
    private = await office.ann.publish("for followers", visibility="private")
    also = await office.quote(office.ann, private)
    await office.settle()
    assert await office.seen(office.bo, also) == ("accepted", private["uri"])


async def test_edits_and_deletions_of_what_is_quoted_arrive(office: Office) -> None:
    word = await office.ann.publish("word")
    await office.settle()
    made = await office.quote(office.bo, word)
    await office.settle()
    await office.ann.send("PUT", f"/api/v1/statuses/{word['id']}", status="other words")
    await office.settle()
    assert ("quoted_update", office.ann.handle) in await office.bo.notifications()
    assert "other words" in (await office.copy(office.cy, made))["quote"]["quoted_status"]["content"]
    await office.ann.send("DELETE", f"/api/v1/statuses/{word['id']}")
    await office.settle()
    for person in (office.bo, office.cy):
        found = (await office.copy(person, made))["quote"]
        assert found == {"state": "deleted", "quoted_status": None}


async def test_a_deleted_quote_is_counted_no_more(office: Office) -> None:
    """Also where nobody follows whoever quotes: the server of the quoted author hears of it all the same."""
    await office.ann.post(f"/api/v1/accounts/{await office.ann.find(office.bo.handle)}/unfollow")
    await office.settle()
    word = await office.ann.publish("word")
    await office.settle()
    made = await office.quote(office.bo, word)
    await office.settle()
    await office.bo.send("DELETE", f"/api/v1/statuses/{made['id']}")
    await office.settle()
    for person in (office.ann, office.bo, office.cy):
        assert (await office.copy(person, word))["quotes_count"] == 0
    assert "quote" not in [kind for kind, _ in await office.ann.notifications()]


async def test_a_choice_that_changes_is_told(office: Office) -> None:
    word = await office.ann.publish("word", quote_approval_policy="nobody")
    await office.settle()
    assert (await office.copy(office.bo, word))["quote_approval"]["current_user"] == "denied"
    for policy in ("followers", "public"):
        path = f"/api/v1/statuses/{word['id']}/interaction_policy"
        await office.ann.send("PUT", path, quote_approval_policy=policy)
        await office.settle()
        found = await office.copy(office.bo, word)
        assert found["quote_approval"] == {"automatic": [policy], "manual": [], "current_user": "automatic"}
        assert found["edited_at"] is None


async def test_what_was_down_is_asked_later(office: Office) -> None:
    word = await office.ann.publish("word")
    await office.settle()
    office.company.network.cut.add(office.finance.domain)
    made = await office.quote(office.bo, word)
    await office.settle()
    assert await office.seen(office.bo, made) == ("pending", None)
    office.company.network.cut.clear()
    await office.company.retry()
    await office.company.retry()
    for person in (office.ann, office.bo, office.cy):
        assert await office.seen(person, made) == ("accepted", word["uri"]), person.handle


# -- no further than it goes -----------------------------------------------------------------------------------------


async def test_what_stays_in_a_department_asks_nobody_outside(office: Office) -> None:
    word = await office.ann.publish("word")
    await office.settle()
    here = await office.copy(office.bo, word)
    body = {"status": "x", "quoted_status_id": here["id"], "local_only": True}
    answer = await office.bo.send("POST", "/api/v1/statuses", **body)
    assert answer.status_code == 422
    assert "asked for leave" in answer.text


async def test_a_quote_in_a_group_of_members_is_given_leave_and_seen_by_members_alone(office: Office) -> None:
    handle = await office.finance.group(office.ann, "chess", "private")
    group_id = await office.ann.find(handle)
    dan = await office.operations.person("dan")
    await office.bo.follow(handle)
    await office.settle()
    bo_here = await office.ann.find(office.bo.handle)
    await office.ann.post(f"/api/fedcorp/v1/groups/{group_id}/requests/{bo_here}/approve")
    await office.settle()
    word = await office.ann.publish(f"@{handle} the plan")
    await office.settle()
    here = await office.copy(office.bo, word)
    assert here["quote_approval"]["current_user"] == "automatic"
    outside = await office.bo.send("POST", "/api/v1/statuses", status="x", quoted_status_id=here["id"])
    assert outside.status_code == 422
    made = await office.quote(office.bo, word, f"@{handle} so be it")
    await office.settle()
    for person in (office.ann, office.bo):
        assert await office.seen(person, made) == ("accepted", word["uri"]), person.handle
    assert await dan.find_status(made["uri"]) is None
    assert await office.cy.find_status(made["uri"]) is None
    assert ("quote", office.bo.handle) in await office.ann.notifications()


async def test_a_quote_in_a_group_of_a_third_department_has_leave_there_too(office: Office) -> None:
    """bo asks ann directly, whose server learns of the post by the group of cy's department."""
    handle = await office.people_department.group(office.cy, "chess", "private")
    group_id = await office.cy.find(handle)
    for person in (office.ann, office.bo):
        await person.follow(handle)
        await office.settle()
        there = await office.cy.find(person.handle)
        await office.cy.post(f"/api/fedcorp/v1/groups/{group_id}/requests/{there}/approve")
        await office.settle()
    word = await office.ann.publish(f"@{handle} the plan")
    await office.settle()
    made = await office.quote(office.bo, word, f"@{handle} so be it")
    await office.operations.settle()
    await office.finance.settle()  # which has heard of the request, and not yet of the post
    await office.settle()
    for person in (office.ann, office.bo, office.cy):
        assert await office.seen(person, made) == ("accepted", word["uri"]), person.handle
    assert ("quote", office.bo.handle) in await office.ann.notifications()


async def test_who_is_quoted_for_followers_can_read_that(office: Office) -> None:
    await office.ann.post(f"/api/v1/accounts/{await office.ann.find(office.bo.handle)}/unfollow")
    await office.settle()
    word = await office.ann.publish("word")
    await office.settle()
    made = await office.quote(office.bo, word, visibility="private")
    await office.settle()
    assert await office.seen(office.ann, made) == ("accepted", word["uri"])
    assert ("quote", office.bo.handle) in await office.ann.notifications()
    dan = await office.finance.person("dan")
    assert await dan.find_status(made["uri"]) is None
    assert (await office.ann.get(f"/api/v1/statuses/{word['id']}"))["quotes_count"] == 0


async def test_a_stamp_is_read_by_who_may_read_what_is_quoted(office: Office) -> None:
    supplier = Outsider(office.company, "supplier.localhost")
    sam = supplier.actor("sam")
    await office.finance.db.write(peers.add, supplier.domain, "partner")
    word = await office.ann.publish("word", reach="company")
    open_word = await office.ann.publish("open", reach="partners")
    await office.settle()
    for quoted in (word, open_word):
        await office.quote(office.bo, quoted)
    await office.settle()
    accepts = [item for item in await sent(office.finance, "Accept") if item["object"]["type"] == "QuoteRequest"]
    narrow, wide = (item["result"] for item in accepts)
    missing = await supplier.read(office.finance, "http://finance.localhost/q/1", signer=sam)
    refused = await supplier.read(office.finance, narrow, signer=sam)
    assert (refused.status_code, refused.content) == (missing.status_code, missing.content) == (404, refused.content)
    assert (await supplier.read(office.finance, wide)).status_code == 401
    found = await supplier.read(office.finance, wide, signer=sam)
    assert found.headers["content-type"].startswith(ACTIVITY)
    stamp = found.json()
    assert (stamp["id"], stamp["type"], stamp["attributedTo"]) == (wide, "QuoteAuthorization", office.ann.account.uri)
    assert stamp["interactionTarget"] == open_word["uri"]
    quoting = (await office.ann.get(f"/api/v1/statuses/{open_word['id']}/quotes"))[0]
    assert stamp["interactingObject"] == quoting["uri"]
    await office.ann.post(f"/api/v1/statuses/{open_word['id']}/quotes/{quoting['id']}/revoke")
    gone = await supplier.read(office.finance, wide, signer=sam)
    assert (gone.status_code, gone.json()["type"], gone.json()["formerType"]) == (
        410,
        "Tombstone",
        "QuoteAuthorization",
    )


async def test_what_members_read_is_quoted_in_their_group_alone(office: Office) -> None:
    """ann's server is asked for leave by bo, for posts to another group, to all, and to this group and all."""
    handles = [await office.finance.group(office.ann, name, "private") for name in ("chess", "poker")]
    for handle in handles:
        await office.bo.follow(handle)
        await office.settle()
        bo_here = await office.ann.find(office.bo.handle)
        await office.ann.post(f"/api/fedcorp/v1/groups/{await office.ann.find(handle)}/requests/{bo_here}/approve")
        await office.settle()
    word = await office.ann.publish(f"@{handles[0]} the plan")
    await office.settle()
    elsewhere = await office.bo.publish(f"@{handles[1]} so be it")
    aloud = await office.bo.publish("so be it", reach="public")
    inside = await office.bo.publish(f"@{handles[0]} so be it")
    await office.settle()
    hand = Outsider(office.company, office.operations.domain, 0)
    hand.pair = pair()
    office.company.network.servers[office.operations.domain] = office.operations.instance.app
    made = {one["object"]["id"]: one["object"] for one in await sent(office.operations, "Create")}
    mixed = {**made[inside["uri"]], "id": f"{office.operations.origin}/o/mixed", "to": [PUBLIC], "scope": "company"}
    asked = [(made[elsewhere["uri"]], 0), (made[aloud["uri"]], 0), (mixed, 0), (made[inside["uri"]], 1)]
    for number, (document, count) in enumerate(asked):
        request = hand.activity(
            "QuoteRequest", office.bo.account.uri, word["uri"], id=f"{office.operations.origin}/a/asked-{number}",
            instrument={**document, "quote": word["uri"]},
        )  # fmt: skip
        await hand.deliver(office.finance, request)
        await office.settle()
        found = await office.ann.get(f"/api/v1/statuses/{word['id']}/quotes")
        assert len(found) == count, document


# -- servers driven by hand ------------------------------------------------------------------------------------------


class Stage:
    """ann's department; eva, whom she follows, and sue of another server, both driven by hand."""

    def __init__(self, company: Company, finance: Department, ann: Person, sales: Outsider, legal: Outsider) -> None:
        self.company, self.finance, self.ann = company, finance, ann
        self.sales, self.legal = sales, legal
        self.eva, self.sue = sales.actor("eva"), legal.actor("sue")

    async def receive(self, server: Outsider, *activities: dict[str, Any]) -> None:
        for activity in activities:
            response = await server.deliver(self.finance, activity)
            assert response.status_code == 202, response.text
            await self.company.settle()

    def quoting(self, quoted: str, **more: Any) -> dict[str, Any]:
        """eva's Create of a post that quotes."""
        note = self.sales.note(self.eva, "look", quote=quoted, **more)
        return self.sales.activity("Create", self.eva, note, cc=note["cc"])

    def stamp(self, server: Outsider, author: str, quoting: str, quoted: str, **more: Any) -> str:
        """A stamp, published at its id."""
        uri = str(more.pop("id", None) or server.new_id("stamps"))
        document = {
            "@context": "https://www.w3.org/ns/activitystreams", "id": uri, "type": "QuoteAuthorization",
            "attributedTo": author, "interactingObject": quoting, "interactionTarget": quoted, **more,
        }  # fmt: skip
        server.documents[uri] = document
        return uri

    async def seen(self, uri: str) -> tuple[str, str | None] | None:
        found = await self.ann.find_status(uri)
        if found is None or found["quote"] is None:
            return None
        shown = found["quote"]["quoted_status"]
        return found["quote"]["state"], shown and shown["uri"]


@pytest.fixture
async def stage(company: Company) -> Stage:
    finance = await company.department("finance")
    sales, legal = Outsider(company, "sales.localhost"), Outsider(company, "legal.localhost", 4)
    for server in (sales, legal):
        await finance.db.write(peers.add, server.domain, "department")
    ann = await finance.person("ann")
    made = Stage(company, finance, ann, sales, legal)
    await ann.follow("eva@sales.localhost")
    await company.settle()
    await made.receive(sales, sales.activity("Accept", made.eva, sales.received[-1], to=[ann.account.uri]))
    return made


async def test_a_foreign_quote_is_shown_when_the_stamp_of_the_quoted_author_says_so(stage: Stage) -> None:
    quoted = stage.legal.note(stage.sue, "the rules")["id"]
    uri = stage.sales.new_id("notes")
    stamp = stage.stamp(stage.legal, stage.sue, uri, quoted)
    await stage.receive(stage.sales, stage.quoting(quoted, id=uri, quoteAuthorization=stamp))
    assert await stage.seen(uri) == ("accepted", quoted)


@pytest.mark.parametrize("wrong", ["none", "host", "type", "author", "quoting", "quoted", "absent", "redirected"])
async def test_a_stamp_that_says_something_else_is_no_leave(stage: Stage, wrong: str) -> None:
    """Each of the links of federation by FEP-044f is checked, and the origin (FEP-fe34)."""
    quoted = stage.legal.note(stage.sue, "the rules")["id"]
    other = stage.legal.note(stage.sue, "other rules")["id"]
    uri = stage.sales.new_id("notes")
    fred = stage.legal.actor("fred")
    match wrong:
        case "none":
            claim: dict[str, Any] = {}
        case "host":  # eva's own server says that sue agreed
            claim = {"quoteAuthorization": stage.stamp(stage.sales, stage.sue, uri, quoted)}
        case "type":
            claim = {"quoteAuthorization": stage.stamp(stage.legal, stage.sue, uri, quoted, type="LikeAuthorization")}
        case "author":
            claim = {"quoteAuthorization": stage.stamp(stage.legal, fred, uri, quoted)}
        case "quoting":
            claim = {"quoteAuthorization": stage.stamp(stage.legal, stage.sue, uri + "1", quoted)}
        case "quoted":
            claim = {"quoteAuthorization": stage.stamp(stage.legal, stage.sue, uri, other)}
        case "absent":
            claim = {"quoteAuthorization": "http://legal.localhost/stamps/none"}
        case _:  # the whole stamp stands in the note: it counts only where it is read
            stamp = stage.stamp(stage.legal, stage.sue, uri, quoted)
            claim = {"quoteAuthorization": stage.legal.documents.pop(stamp)}
    await stage.receive(stage.sales, stage.quoting(quoted, id=uri, **claim))
    found = await stage.seen(uri)
    assert found is not None
    assert found[0] in ("pending", "unauthorized")
    assert found[1] is None


async def test_quotes_of_older_make_are_shown_with_leave_alone(stage: Stage) -> None:
    """Without it apps hear of no quote, and go on showing the link that stands in the text."""
    quoted = stage.legal.note(stage.sue, "the rules")["id"]
    tag = {"type": "Link", "href": quoted, "name": "RE: ", "rel": "https://misskey-hub.net/ns#_misskey_quote",
           "mediaType": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'}  # fmt: skip
    for old in ({"quoteUrl": quoted}, {"quoteUri": quoted}, {"_misskey_quote": quoted}, {"tag": [tag]}):
        note = stage.sales.note(stage.eva, "look", **old)
        await stage.receive(stage.sales, stage.sales.activity("Create", stage.eva, note))
        assert await stage.seen(note["id"]) is None, old
        stamp = stage.stamp(stage.legal, stage.sue, note["id"], quoted)
        update = stage.sales.activity("Update", stage.eva, {**note, "quoteAuthorization": stamp})
        await stage.receive(stage.sales, update)
        assert await stage.seen(note["id"]) == ("accepted", quoted), old
    own = stage.sales.note(stage.eva, "mine")["id"]
    note = stage.sales.note(stage.eva, "look", _misskey_quote=own)
    await stage.receive(stage.sales, stage.sales.activity("Create", stage.eva, note))
    assert await stage.seen(note["id"]) == ("accepted", own), "everybody may quote themselves"


async def test_a_quote_of_ours_needs_our_leave(stage: Stage) -> None:
    word = await stage.ann.publish("word", reach="public")
    uri = stage.sales.new_id("notes")
    forged = stage.stamp(stage.sales, stage.ann.account.uri, uri, word["uri"])
    create = stage.quoting(word["uri"], id=uri, quoteAuthorization=forged)
    await stage.receive(stage.sales, create)
    assert await stage.seen(uri) == ("pending", None)
    assert await stage.ann.notifications() == []
    request = stage.sales.activity("QuoteRequest", stage.eva, word["uri"], instrument=uri, to=[stage.ann.account.uri])
    await stage.receive(stage.sales, request)
    assert await stage.seen(uri) == ("accepted", word["uri"])
    assert await stage.ann.notifications() == [("quote", "eva@sales.localhost")]
    (accept,) = [item for item in stage.sales.received if item["type"] == "Accept"]
    assert accept["object"]["id"] == request["id"]
    assert accept["to"] == [stage.eva]
    found = (await stage.sales.read(stage.finance, accept["result"], signer=stage.eva)).json()
    assert (found["attributedTo"], found["interactingObject"], found["interactionTarget"]) == (
        stage.ann.account.uri, uri, word["uri"],
    )  # fmt: skip


async def test_a_request_brings_the_post_along(stage: Stage) -> None:
    word = await stage.ann.publish("word", reach="public")
    note = stage.sales.note(stage.eva, "look", quote=word["uri"])
    del stage.sales.documents[note["id"]]
    await stage.receive(stage.sales, stage.sales.activity("QuoteRequest", stage.eva, word["uri"], instrument=note))
    assert await stage.seen(note["id"]) == ("accepted", word["uri"])
    assert len(await stage.ann.get(f"/api/v1/statuses/{word['id']}/quotes")) == 1


async def test_a_request_says_what_a_known_post_quotes(stage: Stage) -> None:
    word = await stage.ann.publish("word", reach="public")
    note = stage.sales.note(stage.eva, "look")
    await stage.receive(stage.sales, stage.sales.activity("Create", stage.eva, note))
    request = stage.sales.activity("QuoteRequest", stage.eva, word["uri"], instrument={**note, "quote": word["uri"]})
    await stage.receive(stage.sales, request)
    assert await stage.seen(note["id"]) == ("accepted", word["uri"])
    other = await stage.ann.publish("other", reach="public")
    await stage.receive(
        stage.sales,
        stage.sales.activity("QuoteRequest", stage.eva, other["uri"], instrument={**note, "quote": other["uri"]}),
    )
    assert await stage.seen(note["id"]) == ("accepted", word["uri"]), "what is quoted stays the same"
    assert [item["object"]["object"] for item in stage.sales.received if item["type"] == "Reject"] == [other["uri"]]


async def test_an_update_says_what_a_known_post_quotes(stage: Stage) -> None:
    """A server may keep to itself what a post quotes until there is leave; the leave is checked all the same."""
    quoted = stage.legal.note(stage.sue, "the rules")["id"]
    for stamped, state, shown in ((True, "accepted", quoted), (False, "pending", None)):
        note = stage.sales.note(stage.eva, "look")
        await stage.receive(stage.sales, stage.sales.activity("Create", stage.eva, note))
        assert await stage.seen(note["id"]) is None
        note["quote"] = quoted
        if stamped:
            note["quoteAuthorization"] = stage.stamp(stage.legal, stage.sue, note["id"], quoted)
        await stage.receive(stage.sales, stage.sales.activity("Update", stage.eva, note))
        assert await stage.seen(note["id"]) == (state, shown)


@pytest.mark.parametrize("what", ["policy", "other post", "no quote", "wider", "gone"])
async def test_a_request_that_does_not_hold_is_refused(stage: Stage, what: str) -> None:
    policy = "nobody" if what == "policy" else "public"
    word = await stage.ann.publish("word", quote_approval_policy=policy, reach="company")
    other = await stage.ann.publish("other")
    quoted = {"other post": other["uri"], "no quote": None}.get(what, word["uri"])
    scope = "public" if what == "wider" else "company"
    note = stage.sales.note(stage.eva, "look", quote=quoted, scope=scope)
    if what == "gone":
        del stage.sales.documents[note["id"]]
    instrument = note["id"] if what == "gone" else note
    request = stage.sales.activity("QuoteRequest", stage.eva, word["uri"], instrument=instrument)
    await stage.receive(stage.sales, request)
    (reject,) = [item for item in stage.sales.received if item["type"] == "Reject"]
    assert (reject["object"]["id"], reject["object"]["instrument"]) == (request["id"], note["id"])
    assert "result" not in reject
    assert [item for item in stage.sales.received if item["type"] == "Accept"] == []
    assert await stage.ann.get(f"/api/v1/statuses/{word['id']}/quotes") == []


async def test_who_may_not_read_a_post_is_not_told_of_it(stage: Stage) -> None:
    hidden = await stage.ann.publish("hidden", visibility="private")
    for uri in (hidden["uri"], "http://finance.localhost/o/1"):
        note = stage.sales.note(stage.eva, "look", quote=uri)
        await stage.receive(stage.sales, stage.sales.activity("QuoteRequest", stage.eva, uri, instrument=note))
    assert [item for item in stage.sales.received if item["type"] in ("Accept", "Reject")] == []


async def test_nobody_asks_for_the_post_of_somebody_else(stage: Stage) -> None:
    word = await stage.ann.publish("word", reach="public")
    fred = stage.sales.actor("fred")
    for author, server in ((fred, stage.sales), (stage.sue, stage.legal)):
        note = server.note(author, "look", quote=word["uri"])
        for instrument in (note, note["id"]):
            request = stage.sales.activity("QuoteRequest", stage.eva, word["uri"], instrument=instrument)
            await stage.receive(stage.sales, request)
            found = await stage.seen(note["id"])
            assert found is None or found[1] is None
    foreign = stage.legal.note(stage.eva, "as if it were mine", quote=word["uri"])
    await stage.receive(stage.sales, stage.sales.activity("QuoteRequest", stage.eva, word["uri"], instrument=foreign))
    assert await stage.finance.db.read(statuses.find_by_uri, foreign["id"]) is None
    assert [item for item in stage.sales.received if item["type"] == "Accept"] == []


async def test_a_request_does_not_bring_the_words_of_a_neighbour(stage: Stage) -> None:
    """eva and fred share a server; what eva says that fred wrote is not kept as his."""
    word = await stage.ann.publish("word", reach="public")
    fred = stage.sales.actor("fred")
    note = stage.sales.note(fred, "I resign", quote=word["uri"])
    del stage.sales.documents[note["id"]]
    await stage.receive(stage.sales, stage.sales.activity("QuoteRequest", stage.eva, word["uri"], instrument=note))
    assert await stage.finance.db.read(statuses.find_by_uri, note["id"]) is None


@pytest.mark.parametrize("wrong", ["interactingObject", "interactionTarget", "attributedTo"])
async def test_a_leave_for_something_else_that_comes_along_is_none(stage: Stage, wrong: str) -> None:
    quoted = stage.legal.note(stage.sue, "the rules", interactionPolicy={"canQuote": {"manualApproval": [PUBLIC]}})
    here = await stage.ann.find_status(quoted["id"])
    mine = await stage.ann.publish("look", quoted_status_id=here["id"])
    await stage.company.settle()
    (request,) = [item for item in stage.legal.received if item["type"] == "QuoteRequest"]
    right = stage.legal.documents[stage.stamp(stage.legal, stage.sue, mine["uri"], quoted["id"])]
    false = right | {wrong: f"{stage.legal.origin}/else"}
    await stage.receive(stage.legal, stage.legal.activity("Accept", stage.sue, request["id"], result=false))
    assert await stage.seen(mine["uri"]) == ("pending", None)
    await stage.receive(stage.legal, stage.legal.activity("Accept", stage.sue, request["id"], result=right))
    assert await stage.seen(mine["uri"]) == ("accepted", quoted["id"])


async def test_an_answer_without_the_id_of_the_request_names_what_is_quoted(stage: Stage) -> None:
    policy = {"canQuote": {"manualApproval": [PUBLIC]}}
    quoted, other = (stage.legal.note(stage.sue, text, interactionPolicy=policy) for text in ("the rules", "the tea"))
    here = await stage.ann.find_status(quoted["id"])
    mine = await stage.ann.publish("look", quoted_status_id=here["id"])
    await stage.company.settle()
    stamp = stage.stamp(stage.legal, stage.sue, mine["uri"], quoted["id"])
    for uri, state in ((other["id"], "pending"), (quoted["id"], "accepted")):
        inner = {"type": "QuoteRequest", "actor": stage.ann.account.uri, "object": uri, "instrument": mine["uri"]}
        await stage.receive(stage.legal, stage.legal.activity("Accept", stage.sue, inner, result=stamp))
        seen = await stage.seen(mine["uri"])
        assert seen is not None
        assert seen[0] == state


async def test_only_the_quoted_author_answers_and_takes_back(stage: Stage) -> None:
    quoted = stage.legal.note(stage.sue, "the rules", interactionPolicy={"canQuote": {"automaticApproval": [PUBLIC]}})
    here = await stage.ann.find_status(quoted["id"])
    mine = await stage.ann.publish("look", quoted_status_id=here["id"])
    await stage.company.settle()
    (request,) = [item for item in stage.legal.received if item["type"] == "QuoteRequest"]
    inner = {name: request[name] for name in ("id", "type", "actor", "object")}
    stamp = stage.stamp(stage.legal, stage.sue, mine["uri"], quoted["id"])
    foreign = stage.stamp(stage.sales, stage.sue, mine["uri"], quoted["id"])
    await stage.receive(stage.sales, stage.sales.activity("Accept", stage.eva, inner, result=foreign))
    fred = stage.legal.actor("fred")
    await stage.receive(stage.legal, stage.legal.activity("Accept", fred, inner, result=stamp))
    for thing in (inner, request["id"]):
        for server, who in ((stage.sales, stage.eva), (stage.legal, fred)):
            own = stage.stamp(server, who, mine["uri"], quoted["id"])
            await stage.receive(server, server.activity("Accept", who, thing, result=own))
            await stage.receive(server, server.activity("Reject", who, thing))
    await stage.receive(stage.legal, stage.legal.activity("Accept", stage.sue, inner, result=foreign))
    await stage.receive(stage.legal, stage.legal.activity("Accept", stage.sue, inner))
    assert await stage.seen(mine["uri"]) == ("pending", None)
    await stage.receive(stage.legal, stage.legal.activity("Accept", stage.sue, request["id"], result=stamp))
    assert await stage.seen(mine["uri"]) == ("accepted", quoted["id"])
    await stage.receive(stage.sales, stage.sales.activity("Delete", stage.eva, stamp))
    await stage.receive(stage.legal, stage.legal.activity("Delete", fred, stamp))
    assert await stage.seen(mine["uri"]) == ("accepted", quoted["id"])
    update = [item for item in stage.sales.received if item["type"] == "Update"]
    assert update == [], "eva does not follow ann"
    again = stage.legal.activity("Accept", stage.sue, request["id"], result=stamp)
    await stage.receive(stage.legal, again)
    assert await stage.seen(mine["uri"]) == ("accepted", quoted["id"]), "nor later"
    await stage.receive(
        stage.legal, stage.legal.activity("Delete", stage.sue, {"id": stamp, "type": "QuoteAuthorization"})
    )
    assert await stage.seen(mine["uri"]) == ("revoked", None)


async def test_a_rejection_by_its_id_ends_the_waiting(stage: Stage) -> None:
    quoted = stage.legal.note(stage.sue, "the rules", interactionPolicy={"canQuote": {"manualApproval": [PUBLIC]}})
    here = await stage.ann.find_status(quoted["id"])
    assert here["quote_approval"] == {"automatic": [], "manual": ["public"], "current_user": "manual"}
    mine = await stage.ann.publish("look", quoted_status_id=here["id"])
    await stage.company.settle()
    (request,) = [item for item in stage.legal.received if item["type"] == "QuoteRequest"]
    await stage.receive(stage.legal, stage.legal.activity("Reject", stage.sue, request["id"]))
    assert await stage.seen(mine["uri"]) == ("rejected", None)


async def test_policies_of_other_make_are_read(stage: Stage) -> None:
    followers, following = stage.sue + "/followers", stage.sue + "/following"
    for given, wanted in (
        ({}, ([], [], "denied")),
        ({"canQuote": {"automaticApproval": PUBLIC}}, (["public"], [], "automatic")),
        ({"canQuote": {"always": [stage.sue], "approvalRequired": [PUBLIC]}}, ([], ["public"], "manual")),
        ({"canQuote": {"automaticApproval": [stage.sue]}}, ([], [], "denied")),
        ({"canQuote": {"automaticApproval": [followers, following]}}, (["followers", "following"], [], "denied")),
        ({"canQuote": {"automaticApproval": [f"{stage.sue}/team"]}}, (["unsupported_policy"], [], "unknown")),
        ({"canQuote": "everybody"}, ([], [], "denied")),
    ):  # fmt: skip
        note = stage.legal.note(stage.sue, "the rules", interactionPolicy=given)
        found = (await stage.ann.find_status(note["id"]))["quote_approval"]
        assert (found["automatic"], found["manual"], found["current_user"]) == wanted, given


async def test_a_delete_with_a_proof_goes_on_to_those_who_have_the_quote(stage: Stage) -> None:
    follow = stage.sales.activity("Follow", stage.eva, stage.ann.account.uri, to=[stage.ann.account.uri])
    await stage.receive(stage.sales, follow)
    quoted = stage.legal.note(stage.sue, "the rules", interactionPolicy={"canQuote": {"automaticApproval": [PUBLIC]}})
    here = await stage.ann.find_status(quoted["id"])
    mine = await stage.ann.publish("look", quoted_status_id=here["id"])
    await stage.company.settle()
    (request,) = [item for item in stage.legal.received if item["type"] == "QuoteRequest"]
    stamp = stage.stamp(stage.legal, stage.sue, mine["uri"], quoted["id"])
    await stage.receive(stage.legal, stage.legal.activity("Accept", stage.sue, request, result=stamp))
    assert stage.sales.received[-1]["object"]["quoteAuthorization"] == stamp
    delete = stage.legal.prove(stage.legal.activity("Delete", stage.sue, stamp))
    await stage.receive(stage.legal, delete)
    assert delete["id"] in [item["id"] for item in stage.sales.received]
    last = [item for item in stage.sales.received if item["type"] == "Update"][-1]
    assert "quoteAuthorization" not in last["object"]


async def test_who_quotes_without_end_is_not_followed(stage: Stage) -> None:
    """Each note quotes the next one, of the same author, which anybody may."""
    uris = [f"{stage.sales.origin}/notes/chain-{number}" for number in range(20)]
    for uri, quoted in pairwise(uris):
        stage.sales.note(stage.eva, "look", id=uri, quote=quoted)
    first = stage.sales.documents[uris[0]]
    await stage.receive(stage.sales, stage.sales.activity("Create", stage.eva, first))
    assert await stage.seen(uris[0]) == ("accepted", uris[1])
    fetched = {str(one.url) for one in stage.company.network.requests} & set(uris)
    assert fetched <= set(uris[1:5])
