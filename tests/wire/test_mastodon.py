"""Mastodon: its people in a group of ours, and a group account that boosts."""

from typing import Any

import pytest

from tests.federation.world import PUBLIC, Company, Department, Person, plain
from tests.wire.server import Server, join, listed, outcomes, place

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
