"""Mastodon: its people in a group of ours, a group account that boosts, quotes, and blocks of one person by another."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.storage.tables import blocks
from tests.federation.world import PUBLIC, Company, Department, Person, plain
from tests.wire.server import Server, accept_last_follow, join, listed, outcomes, place

pytestmark = pytest.mark.anyio

TIM = "https://mastodon.example/users/tim"
NOTE = f"{TIM}/statuses/501"


class Scene:
    """ann of finance owns the group robots; tim of Mastodon follows it."""

    def __init__(self, mastodon: Server, finance: Department, ann: Person, group: str, group_id: str) -> None:
        self.mastodon, self.finance, self.ann = mastodon, finance, ann
        self.group, self.group_id = group, group_id

    async def send(self, name: str, **words: str) -> None:
        await self.mastodon.send(self.finance, name, **words)


async def scene_of(company: Company, preset: str = "open", *, follows: bool = True) -> Scene:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    await finance.group(ann, "robots", preset, reach="public")
    await company.settle()
    group_id = await ann.find("robots@finance.localhost")
    shown = await ann.get(f"/api/fedcorp/v1/groups/{group_id}")
    words = {"group": shown["uri"], "group_page": shown["url"], "author": ann.account.uri}
    mastodon = Server(company, "mastodon", serves_activities=False, **words)
    mastodon.publish("person_tim", "instance_actor")
    await mastodon.meet(finance)
    scene = Scene(mastodon, finance, ann, shown["uri"], group_id)
    if follows:
        await scene.send("follow", followed=scene.group)
    return scene


async def test_a_follow_without_addressee_is_a_membership_and_is_answered_whole(company: Company) -> None:
    scene = await scene_of(company)
    (accept,) = scene.mastodon.got("Accept", "Follow")
    assert accept["actor"] == accept["object"]["object"] == scene.group
    assert accept["object"]["id"] == "https://mastodon.example/0d5d0c3e-5f0a"
    rows = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}/members")
    assert {row["account"]["acct"]: row["role"] for row in rows}["tim@mastodon.example"] == "member"
    await scene.send("undo_follow", followed=scene.group)
    rows = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}/members")
    assert [row["account"]["acct"] for row in rows] == ["ann"]


async def test_a_note_that_mentions_the_group_is_posted_to_it_and_boosted_back(company: Company) -> None:
    scene = await scene_of(company)
    await scene.send("create_note")
    assert await listed(scene.ann, scene.group_id) == ["@robots does it climb stairs?"]
    boosts = [item for item in scene.mastodon.got("Announce") if item["object"] == NOTE]
    (boost,) = boosts
    assert (boost["actor"], boost["to"]) == (scene.group, [PUBLIC])
    assert set(boost["cc"]) == {scene.group + "/followers", TIM}
    assert boost["published"]
    assert [item for item in scene.mastodon.got("Announce") if not isinstance(item["object"], str)] == []
    await scene.send("update_note")
    assert await listed(scene.ann, scene.group_id) == ["@robots does it climb wet stairs?"]
    await scene.send("delete_note")
    assert await listed(scene.ann, scene.group_id) == []
    assert [row for row in await outcomes(scene.finance) if row[1] in ("failed", "refused")] == []


async def test_an_answer_that_names_only_the_author_belongs_to_the_groups_thread(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("@robots it climbs")
    await company.settle()
    await scene.send("create_reply", post=mine["uri"])
    context = await scene.ann.get(f"/api/v1/statuses/{mine['id']}/context")
    (answer,) = context["descendants"]
    assert plain(answer["content"]) == "Only the first step."
    assert (await place(scene.ann, answer["id"]))["state"] == "distributed"
    assert ("mention", "tim@mastodon.example") in await scene.ann.notifications()


async def test_likes_come_and_go_without_addressees(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("@robots it climbs")
    await company.settle()
    await scene.send("like", post=mine["uri"])
    assert (await scene.ann.get(f"/api/v1/statuses/{mine['id']}"))["favourites_count"] == 1
    await scene.send("undo_like", post=mine["uri"])
    assert (await scene.ann.get(f"/api/v1/statuses/{mine['id']}"))["favourites_count"] == 0


async def test_a_report_that_names_the_author_reaches_the_moderators_of_the_group(company: Company) -> None:
    """Mastodon sends it from its instance actor and addresses nobody but the reported account."""
    scene = await scene_of(company)
    mine = await scene.ann.publish("@robots it climbs")
    await company.settle()
    await scene.send("flag", post=mine["uri"])
    (report,) = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}/reports")
    assert (report["comment"], report["status_ids"]) == ("please have a look", [mine["id"]])


async def test_a_group_with_rules_refuses_who_does_not_belong(company: Company) -> None:
    scene = await scene_of(company, "announcement")
    await scene.send("create_note")
    assert await listed(scene.ann, scene.group_id) == []
    assert [item for item in scene.mastodon.got("Announce") if item["object"] == NOTE] == []


async def test_a_removed_post_is_unboosted_by_the_id_of_the_boost(company: Company) -> None:
    scene = await scene_of(company)
    await scene.send("create_note")
    post = await scene.ann.find_status(NOTE)
    url = f"/api/fedcorp/v1/groups/{scene.group_id}/statuses/{post['id']}/remove"
    assert (await scene.ann.send("POST", url, reason="twice")).status_code == 200
    await company.settle()
    (boost,) = [item for item in scene.mastodon.got("Announce") if item["object"] == NOTE]
    (undo,) = scene.mastodon.got("Undo", "Announce")
    assert (undo["actor"], undo["object"]["id"], undo["object"]["object"]) == (scene.group, boost["id"], NOTE)


async def test_a_changed_group_tells_its_followers_by_itself(company: Company) -> None:
    scene = await scene_of(company)
    answer = await scene.ann.send("PATCH", f"/api/fedcorp/v1/groups/{scene.group_id}", title="Robots and arms")
    assert answer.status_code == 200, answer.text
    await company.settle()
    (update,) = scene.mastodon.got("Update", "Group")
    assert (update["actor"], update["object"]["id"], update["object"]["name"]) == (
        scene.group, scene.group, "Robots and arms",
    )  # fmt: skip
    assert PUBLIC in update["to"]


async def test_a_group_that_only_boosts_is_a_group(company: Company) -> None:
    scene = await scene_of(company, follows=False)
    scene.mastodon.publish("group_walks", "note_walk")
    group_id = await join(scene.mastodon, "walks@mastodon.example", scene.ann)
    await scene.send("announce")
    assert await listed(scene.ann, group_id) == ["Round the lake at noon."]
    home: list[Any] = await scene.ann.get("/api/v1/timelines/home")
    assert home[0]["account"]["group"] is True
    assert home[0]["reblog"]["account"]["acct"] == "tim@mastodon.example"
    await scene.send("undo_announce")
    assert await listed(scene.ann, group_id) == []
    assert await scene.ann.texts() == []


# -- quotes (4.5) ----------------------------------------------------------------------------------------------------

QUOTE, QUOTABLE, STAMP = f"{TIM}/statuses/601", f"{TIM}/statuses/602", f"{TIM}/quote_authorizations/31"


async def seen(person: Person, uri: str) -> tuple[str, str | None]:
    """(state, uri of what is shown) of a quote."""
    found = (await person.find_status(uri))["quote"]
    return found["state"], found["quoted_status"] and found["quoted_status"]["uri"]


@pytest.mark.parametrize("request_name", ["quote_request", "quote_request_whole"])
async def test_their_quote_of_our_post_is_given_leave_and_loses_it(company: Company, request_name: str) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("it climbs", reach="public")
    await company.settle()
    await scene.send("create_quote", post=mine["uri"])
    assert await seen(scene.ann, QUOTE) == ("pending", None)
    await scene.send(request_name, post=mine["uri"])
    assert await seen(scene.ann, QUOTE) == ("accepted", mine["uri"])
    assert ("quote", "tim@mastodon.example") in await scene.ann.notifications()
    (accept,) = scene.mastodon.got("Accept", "QuoteRequest")
    inner = accept["object"]
    assert (inner["id"], inner["instrument"], inner["object"]) == (f"{TIM}#quote_requests/7a2f", QUOTE, mine["uri"])
    stamp = (await scene.mastodon.read(scene.finance, accept["result"], signer=TIM)).json()
    assert (stamp["type"], stamp["attributedTo"]) == ("QuoteAuthorization", scene.ann.account.uri)
    assert (stamp["interactingObject"], stamp["interactionTarget"]) == (QUOTE, mine["uri"])
    await scene.send("update_quote", post=mine["uri"], stamp=accept["result"])
    assert await seen(scene.ann, QUOTE) == ("accepted", mine["uri"])
    here = await scene.ann.find_status(QUOTE)
    assert here["content"].startswith('<p class="quote-inline">RE: ')
    await scene.ann.post(f"/api/v1/statuses/{mine['id']}/quotes/{here['id']}/revoke")
    await company.settle()
    (delete,) = scene.mastodon.got("Delete")
    assert (delete["actor"], delete["object"]) == (scene.ann.account.uri, accept["result"])


async def test_their_quote_is_refused_where_the_author_says_so(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish("it climbs", reach="public", quote_approval_policy="nobody")
    await company.settle()
    await scene.send("create_quote", post=mine["uri"])
    await scene.send("quote_request", post=mine["uri"])
    (reject,) = scene.mastodon.got("Reject", "QuoteRequest")
    assert reject["object"]["id"] == f"{TIM}#quote_requests/7a2f"
    assert (await seen(scene.ann, QUOTE))[1] is None


async def asked(company: Company) -> tuple[Scene, Any, dict[str, str]]:
    """ann has quoted a post of tim; (the scene, her post, the blanks of the answers)."""
    scene = await scene_of(company)
    scene.mastodon.publish("note_quotable")
    there = await scene.ann.find_status(QUOTABLE)
    assert there["quote_approval"] == {"automatic": ["public"], "manual": [], "current_user": "automatic"}
    made = await scene.ann.publish("worth a walk", quoted_status_id=there["id"], reach="public")
    assert made["quote"]["state"] == "pending"
    await company.settle()
    (request,) = scene.mastodon.got("QuoteRequest")
    assert (request["object"], request["instrument"]["id"]) == (QUOTABLE, made["uri"])
    return scene, made, {"request": request["id"], "quoting": made["uri"]}


@pytest.mark.parametrize("delete", ["delete_quote_authorization", "delete_quote_authorization_whole"])
async def test_our_quote_of_their_post_is_given_leave_and_loses_it(company: Company, delete: str) -> None:
    scene, made, words = await asked(company)
    await scene.send("accept_quote", **words)
    assert await seen(scene.ann, made["uri"]) == ("accepted", QUOTABLE)
    update = scene.mastodon.got("Update", "Note")[-1]
    assert update["object"]["quoteAuthorization"] == STAMP
    assert update["object"]["quote"] == update["object"]["_misskey_quote"] == update["object"]["quoteUri"] == QUOTABLE
    await scene.send(delete, **words)
    assert await seen(scene.ann, made["uri"]) == ("revoked", None)
    assert "quoteAuthorization" not in scene.mastodon.got("Update", "Note")[-1]["object"]


async def test_our_quote_is_refused_by_them(company: Company) -> None:
    scene, made, words = await asked(company)
    await scene.send("reject_quote", **words)
    assert await seen(scene.ann, made["uri"]) == ("rejected", None)


async def test_a_third_party_reads_their_stamp(company: Company) -> None:
    """Somebody of another server quotes tim; we believe the stamp of Mastodon, whose context does not define it."""
    scene = await scene_of(company)
    quoter = Server(company, "mastodon", "other.example")
    await quoter.meet(scene.finance)
    sue = quoter.actor("sue")
    scene.mastodon.publish("note_quotable")
    uri = quoter.new_id("notes")
    note = quoter.note(sue, "look", id=uri, quote=QUOTABLE, quoteAuthorization=STAMP, to=[PUBLIC], cc=[])
    scene.mastodon.publish("quote_authorization", quoting=uri)
    found = await scene.ann.find_status(note["id"])
    await company.settle()
    assert found["content"] == "<p>look</p>"
    assert await seen(scene.ann, uri) == ("accepted", QUOTABLE)


# -- blocks ----------------------------------------------------------------------------------------------------------


class Quarrel:
    """ann and tim follow each other; ann has his post, and an app open. `send` is what tim's server says."""

    def __init__(self, scene: Scene, theirs: str) -> None:
        self.scene, self.ann, self.theirs = scene, scene.ann, theirs
        self.tim = ""

    async def send(self, name: str, **words: str) -> None:
        blanks = {"number": "9", "blocked": self.ann.account.uri, **words}
        await self.scene.send(name, **blanks)

    async def relation(self) -> dict[str, bool]:
        (found,) = await self.ann.get("/api/v1/accounts/relationships", **{"id[]": self.tim})
        names = ("following", "followed_by", "requested", "blocking", "blocked_by")
        return {name: found[name] for name in names if found[name]}


async def quarrel_of(company: Company) -> Quarrel:
    scene = await scene_of(company, follows=False)
    scene.mastodon.publish("note_walk")
    made = Quarrel(scene, f"{TIM}/statuses/503")
    made.tim = await scene.ann.find("tim@mastodon.example")
    await scene.ann.post(f"/api/v1/accounts/{made.tim}/follow")
    await company.settle()
    await accept_last_follow(scene.mastodon, scene.finance, "accept_follow")
    await scene.send("follow", followed=scene.ann.account.uri)
    await scene.ann.find_status(made.theirs)
    await made.send("like", post=(await scene.ann.publish("mine", reach="public"))["uri"])
    assert await made.relation() == {"following": True, "followed_by": True}
    return made


async def test_a_block_ends_all_between_two_and_nobody_is_told(company: Company) -> None:
    quarrel = await quarrel_of(company)
    ann, mastodon = quarrel.ann, quarrel.scene.mastodon
    assert await ann.notifications() == [("favourite", "tim@mastodon.example"), ("follow", "tim@mastodon.example")]
    begun = len(mastodon.received)
    await quarrel.send("block")
    await quarrel.send("block")
    assert await quarrel.relation() == {"blocked_by": True}
    assert await ann.notifications() == []
    assert await ann.get("/api/v1/blocks") == []
    assert (await ann.find_status(quarrel.theirs)) is None
    assert (await ann.get(f"/api/v1/accounts/{ann.id}"))["followers_count"] == 0
    assert mastodon.received[begun:] == []  # it knows already
    response = await ann.send("POST", f"/api/v1/accounts/{quarrel.tim}/follow")
    assert response.status_code == 403
    assert await quarrel.relation() == {"blocked_by": True}
    await ann.publish("@tim@mastodon.example listen", reach="public")
    await ann.publish("@tim@mastodon.example listen", visibility="direct")
    await company.settle()
    assert mastodon.received[begun:] == []
    await quarrel.send("like", post=(await ann.publish("another", reach="public"))["uri"])
    await quarrel.send("follow", followed=ann.account.uri)
    assert await ann.notifications() == []
    assert await quarrel.relation() == {"blocked_by": True}


async def test_the_end_of_a_block_gives_back_what_was_forbidden(company: Company) -> None:
    quarrel = await quarrel_of(company)
    await quarrel.send("block")
    await quarrel.send("undo_block")
    assert await quarrel.relation() == {}
    assert (await quarrel.ann.find_status(quarrel.theirs)) is not None
    await quarrel.ann.post(f"/api/v1/accounts/{quarrel.tim}/follow")
    assert await quarrel.relation() == {"requested": True}


async def test_what_they_may_have_of_whom_they_block_is_still_taken_back(company: Company) -> None:
    quarrel = await quarrel_of(company)
    named = await quarrel.ann.publish("@tim@mastodon.example look", reach="public")
    await company.settle()
    await quarrel.send("block")
    begun = len(quarrel.scene.mastodon.received)
    assert (await quarrel.ann.send("DELETE", f"/api/v1/statuses/{named['id']}")).status_code == 200
    await company.settle()
    assert [item["type"] for item in quarrel.scene.mastodon.received[begun:]] == ["Delete"]


async def test_an_undo_before_its_block_ends_the_follows_that_there_were(company: Company) -> None:
    quarrel = await quarrel_of(company)
    company.clock.shift_ms += 1000
    await quarrel.send("undo_block")
    assert (await outcomes(quarrel.scene.finance))[-1][:2] == ("Undo", "ignored")
    await quarrel.send("block")
    assert await quarrel.relation() == {}


async def test_a_block_that_comes_late_leaves_a_new_follow_alone(company: Company) -> None:
    quarrel = await quarrel_of(company)
    await quarrel.send("undo_follow", followed=quarrel.ann.account.uri)
    await quarrel.send("undo_block")
    company.clock.shift_ms += 1000
    again = quarrel.scene.mastodon.read_file("follow", followed=quarrel.ann.account.uri)
    await quarrel.scene.mastodon.deliver(quarrel.scene.finance, again | {"id": f"{TIM}#follows/78"})
    await company.settle()
    assert await quarrel.relation() == {"following": True, "followed_by": True}
    await quarrel.send("block")
    assert await quarrel.relation() == {"followed_by": True}


async def test_a_second_block_counts_and_only_its_sender_ends_it(company: Company) -> None:
    quarrel = await quarrel_of(company)
    for name, number in (("block", "1"), ("undo_block", "1"), ("block", "2"), ("block", "3")):
        await quarrel.send(name, number=number)
    assert await quarrel.relation() == {"blocked_by": True}
    mastodon = quarrel.scene.mastodon
    tom = json.loads(json.dumps(mastodon.read_file("person_tim")).replace("users/tim", "users/tom"))
    mastodon.serve(tom | {"preferredUsername": "tom"})
    undo = mastodon.read_file("undo_block", number="3", blocked=quarrel.ann.account.uri)
    known = (
        (undo["object"], "refused"),
        (undo["object"]["id"], "ignored"),
        (undo["object"] | {"actor": tom["id"]}, "ignored"),
    )
    for inner, outcome in known:
        forged = undo | {"id": f"{tom['id']}#{mastodon.new_id()}", "actor": tom["id"], "object": inner}
        await mastodon.deliver(quarrel.scene.finance, forged)
        await company.settle()
        assert (await outcomes(quarrel.scene.finance))[-1][1] == outcome
        assert await quarrel.relation() == {"blocked_by": True}
    await quarrel.send("undo_block", number="3")
    assert await quarrel.relation() == {}


@pytest.mark.parametrize("what", ["a server", "a stranger", "a group", "by a group"])
async def test_other_blocks_are_no_personal_ones(company: Company, what: str) -> None:
    """Lemmy's admins ban from a whole server in this form; and nobody here keeps count of blocks among others."""
    quarrel = await quarrel_of(company)
    mastodon = quarrel.scene.mastodon
    mastodon.publish("group_walks")
    block = mastodon.read_file("block", number="9", blocked=quarrel.ann.account.uri)
    walks = "https://mastodon.example/users/walks"
    block |= {
        "a server": {"target": "https://mastodon.example/"},
        "a stranger": {"object": "https://elsewhere.example/users/sue"},
        "a group": {"object": quarrel.scene.group},
        "by a group": {"actor": walks, "id": f"{walks}#blocks/1"},
    }[what]
    await mastodon.deliver(quarrel.scene.finance, block)
    await company.settle()
    assert (await outcomes(quarrel.scene.finance))[-1][:2] == ("Block", "ignored")
    assert await quarrel.relation() == {"following": True, "followed_by": True}
    assert await quarrel.scene.finance.db.read(lambda tx: tx.conn.execute(sa.select(blocks.c.id)).all()) == []


async def test_who_blocks_may_go_and_the_block_with_them(company: Company) -> None:
    quarrel = await quarrel_of(company)
    await quarrel.send("block")
    mastodon = quarrel.scene.mastodon
    gone = {"id": f"{TIM}#delete", "type": "Delete", "actor": TIM, "object": TIM, "to": [PUBLIC]}
    await mastodon.deliver(quarrel.scene.finance, gone)
    await company.settle()
    assert (await quarrel.ann.http.get(f"/api/v1/accounts/{quarrel.tim}")).status_code in (404, 410)
    assert await quarrel.ann.texts() == ["mine"]
