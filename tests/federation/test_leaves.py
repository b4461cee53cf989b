"""Posts of elsewhere that not everybody may answer, like and boost: what people here may do, and what waits for leave.

The other server speaks as GoToSocial does (0.20; `result` and the older Approval as in its documentation).
"""

from typing import Any

import pytest

from fedcorp.company import peers
from fedcorp.social import accounts, leaves, measures, moderation, statuses
from fedcorp.storage.database import Tx
from tests.federation.world import PUBLIC, Company, Department, Outsider, Person, plain
from tests.wire.server import outcomes

pytestmark = pytest.mark.anyio

ACTS = {"canReply": "reply", "canLike": "favourite", "canAnnounce": "reblog"}


class Office:
    """ann of finance, whom fay of finance and bo of operations follow; gus of a partner, whom ann and bo follow."""

    def __init__(self, company: Company, gts: Outsider, gus: str, departments: list[Department], people: list[Person]):
        self.company, self.gts, self.gus = company, gts, gus
        self.finance, self.operations = departments
        self.ann, self.fay, self.bo = people

    async def settle(self) -> None:
        await self.company.settle()

    async def send(self, activity: dict[str, Any], department: Department | None = None) -> None:
        response = await self.gts.deliver(department or self.finance, activity)
        assert response.status_code == 202, response.text
        await self.settle()

    async def post(self, policy: Any, text: str = "hm", **more: Any) -> dict[str, Any]:
        """gus publishes a note with this `interactionPolicy`."""
        note = self.gts.note(self.gus, text, **({} if policy is None else {"interactionPolicy": policy}), **more)
        for department in (self.finance, self.operations):
            await self.send(self.gts.activity("Create", self.gus, note, cc=note["cc"]), department)
        return note

    async def update(self, note: dict[str, Any], policy: Any, updated: str = "2026-11-02T10:00:00Z") -> None:
        changed = {**note, "interactionPolicy": policy, "updated": updated}
        self.gts.documents[note["id"]] = changed
        for department in (self.finance, self.operations):
            await self.send(self.gts.activity("Update", self.gus, changed), department)

    async def answer(self, note: dict[str, Any], text: str = "me too", **values: Any) -> Any:
        """ann answers, naming gus, so that the answer goes as far as he is."""
        seen = await self.ann.find_status(note["id"])
        made = await self.ann.publish(f"@gus@{self.gts.domain} {text}", in_reply_to_id=seen["id"], **values)
        await self.settle()
        return made

    def stamp(self, note: dict[str, Any], act: str, kind: str = "ReplyAuthorization", **more: Any) -> str:
        """gus's leave, at its address."""
        uri = f"{self.gus}/authorizations/{self.gts.new_id().rsplit('/', 1)[1]}"
        self.gts.documents[uri] = {
            "@context": ["https://gotosocial.org/ns", "https://www.w3.org/ns/activitystreams"],
            "id": uri, "type": kind, "attributedTo": self.gus,
            "interactingObject": act, "interactionTarget": note["id"], **more,
        }  # fmt: skip
        return uri

    def says(self, kind: str, act: Any, **more: Any) -> dict[str, Any]:
        return self.gts.activity(kind, more.pop("actor", self.gus), act, **more)

    async def sees(self, person: Person, uri: str) -> bool:
        """Whether somebody finds a post, by its address and at home."""
        found = await person.find_status(uri)
        at_home = any(item["uri"] == uri for item in await person.home())
        assert found is not None or not at_home
        return found is not None

    def got(self, kind: str, **values: Any) -> list[dict[str, Any]]:
        found = [item for item in self.gts.received if item["type"] == kind]
        return [item for item in found if all(item[name] == value for name, value in values.items())]

    async def last_outcome(self) -> str | None:
        return (await outcomes(self.finance))[-1][1]


@pytest.fixture
async def office(company: Company) -> Office:
    finance, operations = await company.department("finance"), await company.department("operations")
    await company.introduce(finance, operations)
    gts = Outsider(company, "gts.localhost")
    gus = gts.actor("gus", endpoints={})
    ann, fay = await finance.person("ann"), await finance.person("fay")
    bo = await operations.person("bo")
    for department in (finance, operations):
        await department.db.write(peers.add, gts.domain, "partner")
    for follower, handle in ((fay, ann.handle), (bo, ann.handle)):
        await follower.follow(handle)
    for person in (ann, fay, bo):
        await person.follow(f"gus@{gts.domain}")
    await company.settle()
    made = Office(company, gts, gus, [finance, operations], [ann, fay, bo])
    for follow in made.got("Follow"):
        department = finance if "finance" in follow["actor"] else operations
        await made.send(gts.activity("Accept", gus, follow, to=[follow["actor"]]), department)
    return made


def only(*uris: str, manual: Any = ()) -> dict[str, Any]:
    return {"automaticApproval": list(uris), "manualApproval": list(manual)}


def asks_everybody(gus: str) -> dict[str, Any]:
    return {name: only(gus, manual=[PUBLIC]) for name in ACTS}


def written_in(tx: Tx) -> list[str]:
    """How many posts the moderators of a department are told of, by language."""
    days = measures.Span(tx.ms - measures.DAY_MS, tx.ms + measures.DAY_MS)
    return [part.value for part in measures.dimension(tx, "languages", days, 5)]


async def status(person: Person, uri: str) -> Any:
    found = await person.find_status(uri)
    assert found is not None, uri
    return found


# -- the three answers ------------------------------------------------------------------------------------------------


async def test_who_may_do_it_does_it_as_ever(office: Office) -> None:
    note = await office.post({name: {"automaticApproval": PUBLIC, "always": PUBLIC} for name in ACTS})
    made = await office.answer(note)
    assert made["visibility"] == "public"
    seen = await status(office.ann, note["id"])
    for act in ("favourite", "reblog"):
        await office.ann.post(f"/api/v1/statuses/{seen['id']}/{act}")
    await office.settle()
    assert await office.sees(office.fay, made["uri"])
    assert await office.sees(office.bo, made["uri"])
    assert note["id"] in [item["uri"] for item in await office.bo.home()]
    shown = await status(office.fay, note["id"])
    assert (shown["replies_count"], shown["reblogs_count"], shown["favourites_count"]) == (1, 1, 1)
    assert "approvedBy" not in office.got("Create")[0]["object"]


async def test_what_the_author_does_not_want_is_refused_with_a_sentence(office: Office) -> None:
    note = await office.post({name: {"automaticApproval": office.gus} for name in ACTS})
    seen = await status(office.ann, note["id"])
    answers = {
        "": {"status": "me too", "in_reply_to_id": seen["id"]},
        f"/{seen['id']}/favourite": {}, f"/{seen['id']}/reblog": {}, f"/{seen['id']}/react/❤": {},
    }  # fmt: skip
    for path, body in answers.items():
        refused = await office.ann.send("POST", f"/api/v1/statuses{path}", **body)
        assert refused.status_code == 422, path
        assert refused.json()["error"].startswith("The author of this post does not want"), path
    await office.settle()
    assert not {"Create", "Like", "Announce"} & {item["type"] for item in office.gts.received}
    shown = await status(office.ann, note["id"])
    assert (shown["favourited"], shown["reblogged"], shown["replies_count"]) == (False, False, 0)


async def test_an_answer_waits_for_leave_and_is_published_then(office: Office) -> None:
    note = await office.post(asks_everybody(office.gus))
    told = len(office.company.network.requests)
    made = await office.answer(note, "me too #hm", spoiler_text="about hm", language="nl")
    assert made["visibility"] == "direct"  # what is so far: for gus and ann
    (create,) = office.got("Create")
    assert create["object"]["to"] == [PUBLIC]  # the addresses are those that it will have
    assert "approvedBy" not in create["object"]
    posted = [item for item in office.company.network.requests[told:] if item.method == "POST"]
    assert [str(item.url) for item in posted] == [f"{office.gus}/inbox"]
    assert await office.sees(office.ann, made["uri"])
    for person in (office.fay, office.bo):
        assert not await office.sees(person, made["uri"])
    assert (await status(office.fay, note["id"]))["replies_count"] == 0
    before = (await office.ann.get("/api/v1/accounts/verify_credentials"))["statuses_count"]
    assert await office.finance.db.read(written_in) == []

    stamp = office.stamp(note, made["uri"])
    await office.send(office.says("Accept", made["uri"], result=stamp, target=note["id"]))
    assert await office.last_outcome() == "processed"
    for person in (office.ann, office.fay, office.bo):
        shown = await status(person, made["uri"])
        assert shown["visibility"] == "public"
        assert plain(shown["content"]).endswith("me too #hm")
        assert shown["uri"] in [item["uri"] for item in await person.home()]
    assert (await status(office.fay, note["id"]))["replies_count"] == 1
    assert (await office.ann.get("/api/v1/accounts/verify_credentials"))["statuses_count"] == before + 1
    assert await office.finance.db.read(written_in) == ["1"]
    again = office.got("Create")[-1]
    assert again["id"] == create["id"]
    assert again["object"]["replyAuthorization"] == again["object"]["approvedBy"] == stamp
    read = await office.gts.read(office.finance, made["uri"], signer=office.gus)
    assert read.json()["replyAuthorization"] == stamp
    await office.send(office.says("Accept", made["uri"], result=stamp))
    assert len(office.got("Create")) == 2


async def test_a_boost_waits_for_leave_and_is_told_then(office: Office) -> None:
    note = await office.post(asks_everybody(office.gus))
    seen = await status(office.ann, note["id"])
    made = await office.ann.post(f"/api/v1/statuses/{seen['id']}/reblog")
    await office.settle()
    assert (made["visibility"], made["reblog"]["reblogged"], made["reblog"]["reblogs_count"]) == ("direct", True, 0)
    (announce,) = office.got("Announce")

    async def boosters(person: Person) -> list[str]:
        id_ = (await status(person, note["id"]))["id"]
        return [item["acct"] for item in await person.get(f"/api/v1/statuses/{id_}/reblogged_by")]

    assert (await boosters(office.fay), await boosters(office.bo)) == ([], [])
    stamp = office.stamp(note, announce["id"], "AnnounceAuthorization")
    await office.send(office.says("Accept", {"id": announce["id"], "type": "Announce"}, result=stamp))
    assert (await boosters(office.fay), await boosters(office.bo)) == (["ann"], [office.ann.handle])
    assert (await status(office.ann, note["id"]))["reblogs_count"] == 1
    again = office.got("Announce")[-1]
    assert (again["id"], again["announceAuthorization"], again["approvedBy"]) == (announce["id"], stamp, stamp)


async def test_a_boost_that_waits_is_refused_or_taken_back(office: Office) -> None:
    note = await office.post(asks_everybody(office.gus))
    seen = await status(office.ann, note["id"])
    announce: dict[str, Any] = {}
    for refused in (True, False):
        await office.ann.post(f"/api/v1/statuses/{seen['id']}/reblog")
        await office.settle()
        announce = office.got("Announce")[-1]
        if refused:
            await office.send(office.says("Reject", announce["id"], target=note["id"]))
        else:
            await office.ann.post(f"/api/v1/statuses/{seen['id']}/unreblog")
            await office.settle()
        shown = await status(office.ann, note["id"])
        assert (shown["reblogged"], shown["reblogs_count"]) == (False, 0)
        await office.send(office.says("Accept", announce["id"]))
        assert (await status(office.ann, note["id"]))["reblogs_count"] == 0
    await office.ann.post(f"/api/v1/statuses/{seen['id']}/reblog")
    await office.settle()
    await office.send(office.says("Reject", announce["id"]))
    assert (await status(office.ann, note["id"]))["reblogged"]
    operations = [item for item in office.company.network.requests if item.method == "POST"]
    assert not any(b'"Announce"' in item.content for item in operations if item.url.host == office.operations.domain)


async def test_a_favourite_goes_to_the_author_whether_or_not_they_want_to_be_asked(office: Office) -> None:
    note = await office.post(asks_everybody(office.gus))
    seen = await status(office.ann, note["id"])
    await office.ann.post(f"/api/v1/statuses/{seen['id']}/favourite")
    await office.settle()
    (like,) = office.got("Like")
    await office.send(office.says("Accept", like["id"], result=office.stamp(note, like["id"], "LikeAuthorization")))
    assert (await status(office.ann, note["id"]))["favourited"]
    await office.send(office.says("Reject", like["id"]))
    assert not (await status(office.ann, note["id"]))["favourited"]


# -- who may, by the shapes of policies -------------------------------------------------------------------------------


async def standing(office: Office, note: dict[str, Any], person: Person | None = None) -> str:
    """What becomes of an answer: `denied`, `manual` or `automatic`."""
    person = person or office.ann
    seen = await status(person, note["id"])
    values = {"status": f"@gus@{office.gts.domain} so", "in_reply_to_id": seen["id"]}
    response = await person.send("POST", "/api/v1/statuses", **values)
    if response.status_code == 422:
        return "denied"
    return "manual" if response.json()["visibility"] == "direct" else "automatic"


async def test_old_words_single_values_and_what_is_left_out(office: Office) -> None:
    rules: dict[str, list[Any]] = {
        "automatic": [
            None, {}, {"canReply": None}, {"canReply": {}}, {"canReply": "junk"}, {"canLike": only(office.gus)},
            {"canReply": {"always": [PUBLIC]}}, {"canReply": {"always": "as:Public", "approvalRequired": PUBLIC}},
            {"canReply": {"automaticApproval": office.ann.account.uri}},
            {"canReply": {"automaticApproval": [{"id": office.ann.account.uri}, "https://x.example/y"]}},
            {"canReply": only(PUBLIC, manual=["https://x.example/y"])},
        ],
        "manual": [
            {"canReply": {"always": [office.gus], "approvalRequired": PUBLIC}},
            {"canReply": only(PUBLIC, manual=[office.ann.account.uri])},
            {"canReply": only(office.gus + "/followers")},  # which her server cannot prove to others
            {"canReply": only(office.gus, manual=[office.gus + "/followers"])},
            {"canReply": {"automaticApproval": [], "approvalRequired": "Public"}},
        ],
        "denied": [
            {"canReply": {"always": office.gus}}, {"canReply": {"automaticApproval": []}},
            {"canReply": only(manual=[office.gus + "/following"])}, {"canReply": only("https://x.example/y")},
            {"canReply": only(office.bo.account.uri)}, {"canReply": {"automaticApproval": None, "always": office.gus}},
        ],
    }  # fmt: skip
    for answer, policies in rules.items():
        for policy in policies:
            note = office.gts.note(office.gus, "hm", **({} if policy is None else {"interactionPolicy": policy}))
            await office.send(office.gts.activity("Create", office.gus, note))
            assert await standing(office, note) == answer, policy


async def test_who_is_mentioned_or_answered_may_always_answer(office: Office) -> None:
    nobody = {"canReply": only(office.gus)}
    named = [{"type": "Mention", "href": office.ann.account.uri, "name": "@ann"}]
    note = await office.post(nobody, tag=named, cc=[office.gus + "/followers", office.ann.account.uri])
    assert await standing(office, note) == "automatic"
    assert await standing(office, note, office.fay) == "denied"
    word = await office.ann.publish("a word", reach="partners")
    await office.settle()
    answer = await office.post(nobody, "an answer", inReplyTo=word["uri"])
    assert await standing(office, answer) == "automatic"
    assert await standing(office, answer, office.fay) == "denied"


async def test_an_update_brings_another_policy(office: Office) -> None:
    note = await office.post({"canReply": only(office.gus)})
    assert await standing(office, note) == "denied"
    await office.update(note, {"canReply": only(office.gus, manual=[PUBLIC])})
    assert await standing(office, note) == "manual"
    await office.update(note, {"canReply": only(PUBLIC)}, "2026-11-02T11:00:00Z")
    assert await standing(office, note) == "automatic"
    await office.update(note, {"canReply": only(office.gus)}, "2026-11-02T12:00:00Z")
    assert await standing(office, note) == "denied"
    await office.update(note, None, "2026-11-02T13:00:00Z")
    assert await standing(office, note) == "automatic"


async def test_an_answer_that_never_comes_to_who_must_agree_is_refused(office: Office) -> None:
    note = await office.post(asks_everybody(office.gus))
    seen = await status(office.ann, note["id"])
    refused = await office.ann.send("POST", "/api/v1/statuses", status="so", in_reply_to_id=seen["id"], reach="company")
    assert refused.status_code == 422
    assert "outside the reach of this post (company)" in refused.json()["error"]


async def test_a_direct_message_goes_to_nobody_whom_it_does_not_name(office: Office) -> None:
    """Not even to who would have to be asked whether it may answer their post."""
    note = await office.post(asks_everybody(office.gus))
    seen = await status(office.ann, note["id"])
    office.gts.actor("hal")
    for name in ("fay", f"hal@{office.gts.domain}"):
        values = {"status": f"@{name} look", "in_reply_to_id": seen["id"], "visibility": "direct"}
        refused = await office.ann.send("POST", "/api/v1/statuses", **values)
        assert refused.status_code == 422
        assert "would read this" in refused.json()["error"]
    await office.settle()
    assert office.got("Create") == []


# -- answers of the author ------------------------------------------------------------------------------------------


async def waiting(office: Office, text: str = "me too", **values: Any) -> tuple[dict[str, Any], Any]:
    note = await office.post(asks_everybody(office.gus))
    return note, await office.answer(note, text, **values)


async def is_published(office: Office, made: Any) -> bool:
    seen = {await office.sees(person, made["uri"]) for person in (office.fay, office.bo)}
    shown = await status(office.ann, made["uri"])
    assert seen == {shown["visibility"] != "direct"}
    return bool(shown["visibility"] != "direct")


async def test_only_the_author_gives_leave(office: Office) -> None:
    note, made = await waiting(office)
    hal = office.gts.actor("hal")
    other = Outsider(office.company, "other.localhost", 4)
    eve = other.actor("eve")
    await office.finance.db.write(peers.add, other.domain, "partner")
    stamp = office.stamp(note, made["uri"])
    await office.send(office.says("Accept", made["uri"], actor=hal, result=stamp))
    assert await office.last_outcome() == "refused"
    results: list[dict[str, Any]] = [{"result": stamp}, {}]
    for result in results:
        await other.deliver(office.finance, other.activity("Accept", eve, made["uri"], **result))
        await office.settle()
        assert await office.last_outcome() == "refused"
    await office.send(office.says("Reject", made["uri"], actor=hal))
    assert await office.last_outcome() == "refused"
    assert not await is_published(office, made)
    await office.send(office.says("Accept", made["uri"], result=stamp))
    assert await is_published(office, made)


async def test_a_leave_must_be_the_authors_for_this_answer_to_this_post(office: Office) -> None:
    note, made = await waiting(office)
    hal, else_ = office.gts.actor("hal"), f"{office.gus}/statuses/2"
    wrong: list[dict[str, Any]] = [
        {"attributedTo": hal}, {"attributedTo": None}, {"interactingObject": else_}, {"interactionTarget": else_},
        {"interactionTarget": None}, {"type": "LikeAuthorization"}, {"type": "QuoteAuthorization"},
        {"type": "ReplyApproval"}, {"id": f"{office.gus}/authorizations/other"},
    ]  # fmt: skip
    for words in wrong:
        stamp = office.stamp(note, made["uri"], **{"kind": words.pop("type", "ReplyAuthorization"), **words})
        await office.send(office.says("Accept", made["uri"], result=stamp))
        assert not await is_published(office, made), words
    elsewhere = office.stamp(note, made["uri"]).replace("gts.localhost", "other.localhost")
    other = Outsider(office.company, "other.localhost", 4)
    await office.finance.db.write(peers.add, other.domain, "partner")
    right = office.gts.documents[office.stamp(note, made["uri"])]
    other.documents[elsewhere] = {**right, "id": elsewhere}  # can be read, and says all that it should
    results: list[Any] = [elsewhere, f"{office.gus}/authorizations/none", 7, {"type": "ReplyAuthorization"}, []]
    for result in results:
        await office.send(office.says("Accept", made["uri"], result=result))
        assert not await is_published(office, made), result
    await office.send(office.says("Accept", made["uri"], target=else_))
    assert not await is_published(office, made)


@pytest.mark.parametrize("form", ["id", "embedded", "create", "request", "accept", "approval", "bare approval"])
async def test_the_forms_of_leave(office: Office, form: str) -> None:
    note, made = await waiting(office)
    act: Any = made["uri"]
    result: dict[str, Any] = {"result": office.stamp(note, act)}
    older = {"kind": "ReplyApproval", "interactingObject": None, "interactionTarget": None, "object": act}
    match form:
        case "embedded":
            act = {"type": "Note", "id": act}
        case "create":
            act = office.got("Create")[-1]["id"]
        case "request":
            act = {"type": "ReplyRequest", "id": office.gts.new_id(), "instrument": act, "object": note["id"]}
        case "accept":
            result = {"target": {"type": "Note", "id": note["id"]}}  # as GoToSocial 0.20 answers what nobody asked for
        case "approval":
            result = {"result": office.stamp(note, act, **older, target=note["id"])}
        case "bare approval":
            result = {"result": office.stamp(note, act, **older)}
    accept = office.says("Accept", act, **result)
    await office.send(accept)
    assert await is_published(office, made)
    told = office.got("Create")[-1]["object"]
    assert told["approvedBy"] == result.get("result", accept["id"])
    assert ("replyAuthorization" in told) == (form not in ("accept", "approval", "bare approval"))


async def test_a_refused_answer_stays_with_its_author(office: Office) -> None:
    note, made = await waiting(office)
    await office.send(office.says("Reject", made["uri"], target=note["id"]))
    assert await office.last_outcome() == "processed"
    assert not await is_published(office, made)
    await office.ann.send("PUT", f"/api/v1/statuses/{made['id']}", status="or so")
    await office.settle()
    assert (await office.gts.read(office.finance, made["uri"], signer=office.gus)).status_code in (200, 404)
    assert office.got("Update") == office.got("Delete") == []


async def test_an_answer_that_was_published_and_is_refused_goes_from_everywhere_but_its_author(office: Office) -> None:
    note = await office.post(None)
    made = await office.answer(note)
    assert await is_published(office, made)
    await office.send(office.says("Reject", made["uri"], actor=office.gts.actor("hal")))
    assert await is_published(office, made)
    await office.send(office.says("Reject", made["uri"], target=note["id"]))
    assert not await is_published(office, made)
    assert [item["object"]["id"] for item in office.got("Delete")] == [made["uri"]]
    assert (await status(office.fay, note["id"]))["replies_count"] == 0
    assert made["uri"] not in [item["uri"] for item in await office.fay.home()]
    assert made["uri"] in [item["uri"] for item in await office.ann.get(f"/api/v1/accounts/{office.ann.id}/statuses")]


async def test_an_answer_that_is_refused_and_deleted_at_once_goes_from_everywhere(office: Office) -> None:
    made = await office.answer(await office.post(None))

    await office.finance.db.write(lambda tx: leaves.refuse(tx, statuses.get(tx, int(made["id"]))))
    await office.ann.send("DELETE", f"/api/v1/statuses/{made['id']}")
    await office.settle()
    assert [item["object"]["id"] for item in office.got("Delete")] == [made["uri"]]
    for person in (office.fay, office.bo):
        assert not await office.sees(person, made["uri"])


# -- what waits meanwhile ---------------------------------------------------------------------------------------------


async def test_what_waits_is_shown_at_no_door(office: Office) -> None:
    """To whom it names, in threads, profiles and searches, by signature and without."""
    text = f"@fay @{office.bo.handle} see #hm"
    note, made = await waiting(office, text)
    for person in (office.fay, office.bo):
        assert not await office.sees(person, made["uri"])
        assert [kind for kind, who in await person.notifications() if "ann" in who and kind == "mention"] == []
    parent = await status(office.fay, note["id"])
    thread = await office.fay.get(f"/api/v1/statuses/{parent['id']}/context")
    assert thread["descendants"] == []
    assert (await office.fay.send("GET", f"/api/v1/statuses/{made['id']}")).status_code == 404
    assert (await office.fay.send("POST", f"/api/v1/statuses/{made['id']}/favourite")).status_code == 404
    for path in (f"/api/v1/accounts/{office.ann.id}/statuses", "/api/v1/timelines/public", "/api/v1/timelines/tag/hm"):
        assert made["id"] not in [item["id"] for item in await office.fay.get(path)], path
    found = await office.fay.get("/api/v2/search", q="see", type="statuses")
    assert found["statuses"] == []
    found = await office.ann.get("/api/v2/search", q="see", type="statuses")
    assert [item["id"] for item in found["statuses"]] == [made["id"]]
    mine = await office.ann.get(f"/api/v1/statuses/{parent['id']}/context")
    assert [item["id"] for item in mine["descendants"]] == [made["id"]]
    other = Outsider(office.company, "other.localhost", 4)
    eve, hal = other.actor("eve"), office.gts.actor("hal")
    await office.finance.db.write(peers.add, other.domain, "partner")
    create = office.got("Create")[-1]
    for uri in (made["uri"], create["id"]):
        assert (await other.read(office.finance, uri, signer=eve)).status_code == 404
        assert (await office.gts.read(office.finance, uri, signer=hal)).status_code == 404
        assert (await office.gts.read(office.finance, uri)).status_code in (401, 404)
        assert (await office.gts.read(office.finance, uri, signer=office.gus)).status_code == 200
    outbox = (await other.read(office.finance, f"{office.ann.account.uri}/outbox", signer=eve)).json()
    assert made["uri"] not in str(outbox)
    assert made["url"]
    page = await office.fay.http.get(made["url"], headers={"Authorization": ""})
    assert page.status_code == 404

    await office.send(office.says("Accept", made["uri"]))
    assert ("mention", "ann") in await office.fay.notifications()
    found = await office.fay.get("/api/v2/search", q="see", type="statuses")
    assert [item["id"] for item in found["statuses"]] == [made["id"]]
    assert ("mention", office.ann.handle) in await office.bo.notifications()
    assert [item["id"] for item in await office.fay.get("/api/v1/timelines/tag/hm")] == [made["id"]]


async def test_an_answer_for_followers_or_in_private_is_published_as_such(office: Office) -> None:
    for visibility, seen in (("private", True), ("unlisted", True), ("direct", False)):
        _, made = await waiting(office, visibility=visibility)
        assert not await office.sees(office.fay, made["uri"])
        await office.send(office.says("Accept", made["uri"]))
        assert (await status(office.ann, made["uri"]))["visibility"] == visibility
        assert await office.sees(office.fay, made["uri"]) is seen, visibility


async def test_an_edit_and_a_deletion_of_what_waits_go_to_the_author_alone(office: Office) -> None:
    note, made = await waiting(office)
    told = len(office.company.network.requests)
    changed = await office.ann.send("PUT", f"/api/v1/statuses/{made['id']}", status="or not")
    assert changed.json()["visibility"] == "direct"
    await office.settle()
    assert office.got("Update")[-1]["object"]["to"] == [PUBLIC]
    gone = await office.answer(note, "never mind")
    await office.ann.send("DELETE", f"/api/v1/statuses/{gone['id']}")
    await office.settle()
    assert [item["object"]["id"] for item in office.got("Delete")] == [gone["uri"]]
    posted = [item for item in office.company.network.requests[told:] if item.method == "POST"]
    assert {str(item.url) for item in posted} == {f"{office.gus}/inbox"}
    for answered in (made, gone):
        await office.send(office.says("Accept", answered["uri"]))
    assert plain((await status(office.bo, made["uri"]))["content"]) == "or not"
    assert await office.bo.find_status(gone["uri"]) is None


async def test_nothing_is_hung_on_what_waits(office: Office) -> None:
    _, made = await waiting(office)
    acts: list[tuple[str, dict[str, str]]] = [
        ("", {"status": "and", "in_reply_to_id": made["id"]}),
        ("", {"status": "and", "quoted_status_id": made["id"]}),
        (f"/{made['id']}/reblog", {}),
        (f"/{made['id']}/pin", {}),
    ]
    for path, body in acts:
        refused = await office.ann.send("POST", f"/api/v1/statuses{path}", **body)
        assert refused.status_code == 422, (path, body)


async def test_a_quote_in_an_answer_is_asked_for_once_the_answer_has_leave(office: Office) -> None:
    word = await office.bo.publish("a word", reach="public")
    await office.settle()
    seen = await status(office.ann, word["uri"])
    _, made = await waiting(office, quoted_status_id=seen["id"])
    assert (await status(office.bo, word["uri"]))["quotes_count"] == 0
    await office.send(office.says("Accept", made["uri"]))
    assert (await status(office.fay, made["uri"]))["quote"]["state"] == "accepted"
    assert (await status(office.bo, word["uri"]))["quotes_count"] == 1


async def test_a_group_gets_an_answer_once_it_has_leave(office: Office) -> None:
    await office.finance.group(office.ann, "robots", reach="public")
    await office.fay.follow("robots@finance.localhost")
    await office.settle()
    group_id = await office.fay.find("robots@finance.localhost")
    _, made = await waiting(office, "@robots look")
    assert await office.fay.get(f"/api/v1/timelines/list/{group_id}") == []
    assert await office.ann.get(f"/api/fedcorp/v1/statuses/{made['id']}/groups") == []
    await office.send(office.says("Accept", made["uri"]))
    assert [item["uri"] for item in await office.fay.get(f"/api/v1/timelines/list/{group_id}")] == [made["uri"]]


async def test_nothing_is_published_of_who_is_suspended_by_then(office: Office) -> None:
    _, made = await waiting(office)

    def suspend(tx: Tx) -> None:
        ann = accounts.get(tx, office.ann.account.id)
        moderation.act(tx, accounts.get(tx, office.fay.account.id), ann, "suspend", "")

    await office.finance.db.write(suspend)
    await office.settle()
    await office.send(office.says("Accept", made["uri"]))
    assert len(office.got("Create")) == 1
    assert await office.bo.find_status(made["uri"]) is None


async def test_in_a_group_of_members_nobody_else_gives_leave(office: Office) -> None:
    await office.finance.group(office.ann, "robots", "private")
    await office.bo.follow("robots@finance.localhost")
    await office.settle()
    group = f"/api/fedcorp/v1/groups/{await office.ann.find('robots@finance.localhost')}"
    await office.ann.post(f"{group}/requests/{await office.ann.find(office.bo.handle)}/approve")
    await office.settle()
    word = await office.bo.publish("@robots@finance.localhost look")
    await office.settle()
    seen = await status(office.ann, word["uri"])
    await office.finance.db.write(leaves.keep_policy, int(seen["id"]), "reply=|public")
    made = await office.ann.publish("I see", in_reply_to_id=seen["id"])
    await office.settle()
    assert made["visibility"] == "private"
    assert await office.sees(office.bo, made["uri"])
