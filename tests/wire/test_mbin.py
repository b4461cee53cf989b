"""Mbin: its magazines, and its people in a group of ours."""

from typing import Any

import pytest

from tests.federation.world import Company, Department, Person, plain
from tests.wire.server import Server, accept_last_follow, join, listed, outcomes, place

pytestmark = pytest.mark.anyio

MAGAZINE = "https://mbin.example/m/baking"
PAGE, NOTE = f"{MAGAZINE}/t/5", f"{MAGAZINE}/p/6"
END = "2099-01-01T00:00:00+00:00"


class Scene:
    """ann of finance belongs to the magazine."""

    def __init__(self, mbin: Server, finance: Department, ann: Person, group_id: str) -> None:
        self.mbin, self.finance, self.ann, self.group_id = mbin, finance, ann, group_id

    async def announce(self, name: str, **words: str) -> None:
        await self.mbin.send(self.finance, name, **words)

    async def status(self, uri: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.ann.find_status(uri)
        return found


async def scene_of(company: Company) -> Scene:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    mbin = Server(company, "mbin")
    mbin.publish("group", "person_mia", "person_max")
    await mbin.meet(finance)
    return Scene(mbin, finance, ann, await join(mbin, "baking@mbin.example", ann))


async def test_an_accept_whose_id_has_a_fragment_and_a_reject(company: Company) -> None:
    scene = await scene_of(company)
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] == "member"
    ben = await scene.finance.person("ben")
    await ben.post(f"/api/v1/accounts/{scene.group_id}/follow")
    await company.settle()
    await accept_last_follow(scene.mbin, scene.finance, "reject_follow")
    (relation,) = await ben.get("/api/v1/accounts/relationships", **{"id[]": scene.group_id})
    assert (relation["following"], relation["requested"]) == (False, False)


async def test_a_link_without_text_and_a_short_post(company: Company) -> None:
    """A link post has null for its text, its title again in `summary`, and an address for its `source`."""
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_create_note")
    page, note = await scene.status(PAGE), await scene.status(NOTE)
    assert plain(page["content"]).startswith("Rye in three days")
    assert 'href="https://rye.example/start"' in page["content"]
    assert page["spoiler_text"] == ""
    (picture,) = page["media_attachments"]
    assert (picture["description"], picture["blurhash"]) == ("A loaf", "LKO2?U%2Tw=w]~RBVZRi};RPxuwH")
    assert "Oven is free after four." in plain(note["content"])
    assert [tag["name"] for tag in note["tags"]] == ["baking"]
    assert len(await listed(scene.ann, scene.group_id)) == 2


async def test_the_boost_of_a_magazine_shows_a_post_once(company: Company) -> None:
    scene = await scene_of(company)
    scene.mbin.serve(scene.mbin.read_file("announce_create_page"))
    await scene.announce("boost")  # of what is not here yet: it is fetched
    await scene.announce("announce_create_page")
    assert len(await listed(scene.ann, scene.group_id)) == 1
    assert len(await scene.ann.texts()) == 1


async def test_deletes_name_a_tombstone_and_moderators_give_a_reason(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_create_note")
    page, note = await scene.status(PAGE), await scene.status(NOTE)
    await scene.announce("announce_remove_note")
    assert len(await listed(scene.ann, scene.group_id)) == 1
    assert (await scene.ann.http.get(f"/api/v1/statuses/{note['id']}")).status_code == 200
    await scene.announce("announce_delete_page")
    assert (await scene.ann.http.get(f"/api/v1/statuses/{page['id']}")).status_code == 404


async def test_pins_stand_under_another_name_and_locks_name_no_audience(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_create_note")
    page, note = await scene.status(PAGE), await scene.status(NOTE)
    await scene.announce("announce_add_pinned")
    assert (await place(scene.ann, page["id"]))["pinned"] is True
    await scene.announce("announce_lock")
    answer = await scene.ann.send("POST", "/api/v1/statuses", status="taken", in_reply_to_id=note["id"])
    assert answer.status_code == 403


async def test_likes_moderators_and_bans(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_like", post=PAGE)
    assert (await scene.status(PAGE))["favourites_count"] == 1
    await scene.announce("announce_undo_like", post=PAGE)
    assert (await scene.status(PAGE))["favourites_count"] == 0
    await scene.announce("announce_add_moderator", person=scene.ann.account.uri)
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] == "moderator"
    ben = await scene.finance.person("ben")
    await scene.announce("announce_block", person=ben.account.uri, until=END)  # says `expires`, not `endTime`
    (ban,) = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}/bans")
    assert (ban["account"]["acct"], ban["until"][:10]) == ("ben", "2099-01-01")
    assert [row for row in await outcomes(scene.finance) if row[1] in ("failed", "refused")] == []


async def test_people_of_mbin_in_a_group_of_ours(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    await finance.group(ann, "robots", reach="public")
    group_id = await ann.find("robots@finance.localhost")
    group = (await ann.get(f"/api/fedcorp/v1/groups/{group_id}"))["uri"]
    mbin = Server(company, "mbin", group=group)
    mbin.publish("person_mia")
    await mbin.meet(finance)
    await mbin.send(finance, "follow")
    assert [item["object"]["id"] for item in mbin.got("Accept")] == ["https://mbin.example/f/object/fol-31"]
    await mbin.send(finance, "create_page_here")
    (text,) = await listed(ann, group_id)
    assert text.startswith("Cake on Monday")
    assert "In the kitchen, at ten." in text
    assert any(item["object"]["type"] == "Create" for item in mbin.got("Announce") if isinstance(item["object"], dict))
    post = await ann.publish("@robots sell your car")
    await mbin.send(finance, "flag_here", post=post["uri"])
    (report,) = await ann.get(f"/api/fedcorp/v1/groups/{group_id}/reports")
    assert (report["comment"], report["status_ids"]) == ("not about robots", [post["id"]])
    await mbin.send(finance, "undo_follow")
    rows = await ann.get(f"/api/fedcorp/v1/groups/{group_id}/members")
    assert [row["account"]["acct"] for row in rows] == ["ann"]
