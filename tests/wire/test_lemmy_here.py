"""People of Lemmy in a group of ours: joining, posting, answering, voting, moderating; and what Lemmy gets from it."""

from typing import Any

import pytest

from tests.federation.world import PUBLIC, Company, Department, Person, plain
from tests.wire.server import Server, listed, outcomes, place

pytestmark = pytest.mark.anyio

LEA, MO = "https://lemmy.example/u/lea", "https://lemmy.example/u/mo"
POST = "https://lemmy.example/post/301"


class Scene:
    """ann of finance owns the group robots; ben, her colleague, and lea and mo of Lemmy belong to it."""

    def __init__(self, lemmy: Server, finance: Department, ann: Person, ben: Person, group: Any) -> None:
        self.lemmy, self.finance, self.ann, self.ben = lemmy, finance, ann, ben
        self.group_id, self.group = group

    async def send(self, name: str, **words: str) -> None:
        await self.lemmy.send(self.finance, name, **words)

    async def shown(self) -> list[str]:
        return await listed(self.ben, self.group_id)

    def announced(self, kind: str) -> list[dict[str, Any]]:
        return self.lemmy.got("Announce", kind)


async def scene_of(company: Company, *, reach: str = "public", says_what_it_runs: bool = True) -> Scene:
    finance = await company.department("finance")
    ann, ben = await finance.person("ann"), await finance.person("ben")
    await finance.group(ann, "robots", reach=reach)
    await company.settle()
    lemmy = Server(company, "lemmy")
    if not says_what_it_runs:
        lemmy.documents.clear()
    await lemmy.meet(finance)
    await ben.follow("robots@finance.localhost")
    group_id = await ann.find("robots@finance.localhost")
    group = str((await ann.get(f"/api/fedcorp/v1/groups/{group_id}"))["uri"])
    lemmy.words |= {"group": group, "author": ann.account.uri}
    lemmy.publish("person_lea", "person_mo")
    scene = Scene(lemmy, finance, ann, ben, (group_id, group))
    await scene.send("follow")
    await scene.send("follow_mo")
    return scene


async def members(person: Person, group_id: str) -> dict[str, str]:
    rows = await person.get(f"/api/fedcorp/v1/groups/{group_id}/members")
    return {row["account"]["acct"]: row["role"] for row in rows}


async def test_a_follow_is_accepted_with_the_follow_inside_and_an_undo_leaves(company: Company) -> None:
    scene = await scene_of(company)
    accepts = scene.lemmy.got("Accept", "Follow")
    assert [item["object"]["id"] for item in accepts] == [
        "https://lemmy.example/activities/follow/31", "https://lemmy.example/activities/follow/46",
    ]  # fmt: skip
    accept = accepts[0]
    assert accept["actor"] == accept["object"]["object"] == scene.group
    assert accept["object"]["actor"] == LEA
    assert accept["object"]["type"] == "Follow"
    assert accept["to"] == [LEA]
    assert (await members(scene.ann, scene.group_id))["lea@lemmy.example"] == "member"
    await scene.send("undo_follow")
    assert "lea@lemmy.example" not in await members(scene.ann, scene.group_id)


async def test_posts_of_a_group_for_the_company_stay_there(company: Company) -> None:
    scene = await scene_of(company, reach="company")
    await scene.ann.publish("@robots for us")
    await company.settle()
    assert scene.lemmy.got("Announce") == []


async def test_a_page_is_a_post_of_the_group_and_goes_back_whole(company: Company) -> None:
    scene = await scene_of(company)
    sent = await scene.lemmy.send(scene.finance, "create_page_here")
    (text,) = await scene.shown()
    assert text.startswith("Who waters on Fridays?")
    assert "The plan ends on Thursday." in text
    assert (await scene.ben.home())[0]["account"]["acct"] == "lea@lemmy.example"
    (announce,) = scene.announced("Create")
    assert announce["object"] == sent  # every field, as it came
    assert (announce["actor"], announce["to"]) == (scene.group, [PUBLIC])
    assert announce["cc"] == [scene.group + "/followers"]


async def test_edit_and_delete_by_the_author_reach_everybody(company: Company) -> None:
    scene = await scene_of(company)
    await scene.send("create_page_here")
    await scene.send("update_page_here")
    assert (await scene.shown())[0].startswith("Who waters on Fridays and Mondays?")
    assert [item["object"]["id"] for item in scene.announced("Update")] == [
        "https://lemmy.example/activities/update/34"
    ]
    await scene.send("delete_page_here")
    assert await scene.shown() == []
    assert [item["object"]["object"] for item in scene.announced("Delete")] == [POST]


async def test_a_comment_is_an_answer_in_the_thread(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("@robots who can water?")
    await company.settle()
    await scene.send("create_comment_here", post=mine["uri"])
    context = await scene.ann.get(f"/api/v1/statuses/{mine['id']}/context")
    assert [plain(item["content"]).strip() for item in context["descendants"]] == ["I can, if somebody lends me a can."]
    assert any(item["object"]["object"]["type"] == "Note" for item in scene.announced("Create"))


async def test_votes_count_once_and_a_dislike_takes_the_place_of_a_like(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("@robots who can water?")
    await company.settle()
    await scene.send("like_here", post=mine["uri"])
    assert (await scene.ann.get(f"/api/v1/statuses/{mine['id']}"))["favourites_count"] == 1
    assert ("favourite", "lea@lemmy.example") in await scene.ann.notifications()
    await scene.send("dislike_here", post=mine["uri"])
    seen = await scene.ann.get(f"/api/v1/statuses/{mine['id']}")
    assert (seen["favourites_count"], [item["name"] for item in seen["reactions"]]) == (0, ["👎"])
    assert ("favourite", "lea@lemmy.example") not in await scene.ann.notifications()
    await scene.send("undo_like_here", post=mine["uri"])
    await scene.send("undo_dislike_here", post=mine["uri"])
    seen = await scene.ann.get(f"/api/v1/statuses/{mine['id']}")
    assert (seen["favourites_count"], seen["reactions"]) == (0, [])
    assert [row for row in await outcomes(scene.finance) if row[1] in ("failed", "refused")] == []


async def test_the_author_elsewhere_hears_of_votes_that_only_the_group_was_told(company: Company) -> None:
    """Lemmy sends a vote to the community alone, so the community owes it to the author's server."""
    scene = await scene_of(company)
    people = await company.department("people")
    await company.introduce(scene.finance, people)
    await scene.lemmy.meet(people)
    cy = await people.person("cy")
    await cy.follow("robots@finance.localhost")
    await company.settle()
    theirs = await cy.publish("@robots@finance.localhost I am new here")
    await company.settle()
    await scene.send("like_here", post=theirs["uri"])
    assert (await cy.get(f"/api/v1/statuses/{theirs['id']}"))["favourites_count"] == 1
    assert ("favourite", "lea@lemmy.example") in await cy.notifications()
    await scene.send("undo_like_here", post=theirs["uri"])
    assert (await cy.get(f"/api/v1/statuses/{theirs['id']}"))["favourites_count"] == 0


async def test_a_report_reaches_the_moderators(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ben.publish("@robots cheap batteries")
    await company.settle()
    await scene.send("flag_here", post=mine["uri"])
    (report,) = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}/reports")
    assert (report["comment"], report["status_ids"]) == ("this is an advertisement", [mine["id"]])
    assert report["account"]["acct"] == "ben"


async def test_who_moderates_nothing_changes_nothing(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("@robots who can water?")
    await scene.send("create_page_here")
    for name in ("remove_here", "lock_here", "add_featured_here"):
        await scene.send(name, post=mine["uri"])
    await scene.send("block_here", person=LEA, until="2099-01-01T00:00:00Z")
    await scene.send("add_moderator_here", person=LEA)
    await scene.send("add_moderator_here", person=MO)
    stands = await place(scene.ann, mine["id"])
    assert (stands["state"], stands["locked"], stands["pinned"]) == ("distributed", False, False)
    roles = await members(scene.ann, scene.group_id)
    assert (roles["lea@lemmy.example"], roles["mo@lemmy.example"]) == ("member", "member")


async def test_a_moderator_on_lemmy_moderates(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("@robots who can water?")
    await scene.send("create_page_here")
    url = f"/api/fedcorp/v1/groups/{scene.group_id}/members/{await scene.ann.find('mo@lemmy.example')}"
    assert (await scene.ann.send("PUT", url, role="moderator")).status_code == 200
    await scene.send("lock_here", post=mine["uri"])
    await scene.send("add_featured_here", post=mine["uri"])
    stands = await place(scene.ann, mine["id"])
    assert (stands["locked"], stands["pinned"]) == (True, True)
    lea_post = await scene.ben.find_status(POST)
    await scene.send("remove_here", post=POST)  # mo and lea share a server: a removal all the same
    assert (await scene.ben.http.get(f"/api/v1/statuses/{lea_post['id']}")).status_code == 200
    assert all("waters" not in text for text in await scene.shown())
    await scene.send("block_here", person=LEA, until="2099-01-01T00:00:00Z")
    (ban,) = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}/bans")
    assert (ban["account"]["acct"], ban["reason"], ban["until"][:10]) == ("lea@lemmy.example", "spam", "2099-01-01")


async def test_what_a_moderator_here_decides_is_told_in_words_that_lemmy_reads(company: Company) -> None:
    """Lemmy takes moderation from persons alone, addressed to everybody; what groups say themselves it cannot parse."""
    scene = await scene_of(company)
    await scene.send("create_page_here")
    post = await scene.ann.find_status(POST)
    base = f"/api/fedcorp/v1/groups/{scene.group_id}/statuses/{post['id']}"
    for verb in ("lock", "unlock", "pin", "unpin", "remove"):
        assert (await scene.ann.send("POST", f"{base}/{verb}", reason="tidying")).status_code == 200, verb
        await company.settle()
    mods = [item["object"] for item in scene.lemmy.got("Announce") if isinstance(item["object"], dict)]
    mods = [item for item in mods if item["type"] in ("Lock", "Undo", "Add", "Remove", "Delete")]
    assert [item["type"] for item in mods] == ["Lock", "Undo", "Add", "Remove", "Delete"]
    for item in mods:
        assert item["actor"] == scene.ann.account.uri
        assert (item["to"], item["cc"], item["audience"]) == ([PUBLIC], [scene.group], scene.group)
        assert item["id"]
    lock, undo, add, remove, delete = mods
    assert lock["object"] == add["object"] == remove["object"] == delete["object"] == POST
    assert add["target"] == remove["target"] == scene.group + "/featured"
    assert delete["summary"] == "tidying"
    inner = undo["object"]
    assert (inner["type"], inner["object"], inner["actor"]) == ("Lock", POST, scene.ann.account.uri)
    assert inner["id"]
    assert (inner["to"], inner["cc"]) == ([PUBLIC], [scene.group])
    assert all("entry" not in item or item["object"]["type"] == "Create" for item in scene.lemmy.got("Announce"))


async def test_bans_and_moderators_are_told_in_words_that_lemmy_reads(company: Company) -> None:
    scene = await scene_of(company)
    base = f"/api/fedcorp/v1/groups/{scene.group_id}"
    lea, mo = await scene.ann.find("lea@lemmy.example"), await scene.ann.find("mo@lemmy.example")
    for role in ("moderator", "member"):
        assert (await scene.ann.send("PUT", f"{base}/members/{mo}", role=role)).status_code == 200
    answer = await scene.ann.send(
        "POST", f"{base}/bans", account_id=lea, reason="spam", expires_at="2099-01-01T00:00:00Z"
    )
    assert answer.status_code == 200, answer.text
    assert (await scene.ann.http.delete(f"{base}/bans/{lea}")).status_code == 200
    await company.settle()
    acts = [item["object"] for item in scene.lemmy.got("Announce")]
    assert [item["type"] for item in acts] == ["Add", "Remove", "Block", "Undo"]
    add, remove, block, undo = acts
    assert add["object"] == remove["object"] == MO
    assert add["target"] == remove["target"] == scene.group + "/moderators"
    for item in (block, undo["object"]):
        assert (item["type"], item["object"], item["target"]) == ("Block", LEA, scene.group)
        assert (item["actor"], item["to"], item["cc"]) == (scene.ann.account.uri, [PUBLIC], [scene.group])
    assert (block["summary"], block["endTime"]) == ("spam", "2099-01-01T00:00:00.000Z")
    assert scene.lemmy.got("Reject", "Follow")[-1]["object"]["actor"] == LEA


async def test_a_server_that_does_not_say_what_it_runs_gets_both_forms(company: Company) -> None:
    scene = await scene_of(company, says_what_it_runs=False)
    mine = await scene.ann.publish("@robots who can water?")
    await company.settle()
    assert [item["object"]["object"]["id"] for item in scene.announced("Create")] == [mine["uri"]]
    assert [item for item in scene.lemmy.got("Announce") if item["object"] == mine["uri"]]


async def test_somebody_elses_create_is_never_passed_on_as_the_authors(company: Company) -> None:
    scene = await scene_of(company)
    other = Server(company, "lemmy", "other.example")
    await other.meet(scene.finance)
    document = scene.lemmy.read_file("create_page_here")
    claim = {**document, "actor": other.actor("kim"), "id": "https://other.example/activities/create/1"}
    await other.deliver(scene.finance, claim)
    await company.settle()
    assert await scene.shown() == []
    sent = await scene.lemmy.send(scene.finance, "create_page_here")
    assert [item["object"] for item in scene.announced("Create")] == [sent]


async def test_a_known_lemmy_gets_votes_and_no_plain_announce(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("@robots who can water?")
    await scene.ben.post(f"/api/v1/statuses/{mine['id']}/favourite")
    await company.settle()
    assert [item["object"]["object"] for item in scene.announced("Like")] == [mine["uri"]]
    assert [item for item in scene.lemmy.got("Announce") if isinstance(item["object"], str)] == []
    await scene.ben.post(f"/api/v1/statuses/{mine['id']}/unfavourite")
    await company.settle()
    (undo,) = scene.announced("Undo")
    assert undo["object"]["object"]["type"] == "Like"
