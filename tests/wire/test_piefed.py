"""PieFed: its communities, which serve the ids of few activities, and its people in a group of ours."""

from typing import Any

import pytest

from tests.federation.world import Company, Department, Person, plain
from tests.wire.server import Server, join, listed, outcomes, place

pytestmark = pytest.mark.anyio

COMMUNITY = "https://piefed.example/c/cycling"
POST = "https://piefed.example/post/11"
END = "2099-01-01T00:00:00.000000+00:00"


class Scene:
    """ann of finance belongs to the community."""

    def __init__(self, piefed: Server, finance: Department, ann: Person, group_id: str) -> None:
        self.piefed, self.finance, self.ann, self.group_id = piefed, finance, ann, group_id

    async def announce(self, name: str, **words: str) -> None:
        await self.piefed.send(self.finance, name, **words)

    async def delete_again(self, mark: str) -> None:
        """The Delete once more, under new ids, and after what could not be had is forgotten."""
        delete = self.piefed.read_file("announce_delete_page")
        inner = {**delete["object"], "id": delete["object"]["id"] + mark}
        self.piefed.company.clock.shift_ms += 60_000
        await self.piefed.deliver(self.finance, {**delete, "id": delete["id"] + mark, "object": inner})
        await self.piefed.company.settle()

    async def post(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.ann.find_status(POST)
        return found


async def scene_of(company: Company) -> Scene:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    piefed = Server(company, "piefed", serves_activities=False)
    piefed.publish("group", "person_pia", "person_per")
    await piefed.meet(finance)
    return Scene(piefed, finance, ann, await join(piefed, "cycling@piefed.example", ann))


async def test_a_community_for_moderators_only_and_an_accept_with_nothing_in_to(company: Company) -> None:
    scene = await scene_of(company)
    shown = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}")
    assert (shown["title"], shown["posting"], shown["role"]) == ("Cycling to work", "moderators", "member")
    answer = await scene.ann.send("POST", "/api/v1/statuses", status="@cycling@piefed.example hello")
    assert answer.status_code == 403


async def test_a_post_is_believed_for_its_own_address_when_the_activity_has_none(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_create_comment")
    post = await scene.post()
    words = plain(post["content"])
    assert words.startswith("Tyres for snow")
    assert words.endswith("Worth the money?")
    assert 'href="https://tyres.example/snow"' in post["content"]
    assert [item["remote_url"] for item in post["media_attachments"]] == [
        "https://piefed.example/static/media/posts/ty.webp"
    ]
    assert post["url"] == "https://piefed.example/c/cycling/p/11/tyres-for-snow"
    context = await scene.ann.get(f"/api/v1/statuses/{post['id']}/context")
    assert [plain(item["content"]) for item in context["descendants"]] == ["Yes, both wheels."]
    assert len(await listed(scene.ann, scene.group_id)) == 2
    assert len(await scene.ann.texts()) == 1  # answers stand in the list of the group, and not at home


async def test_a_false_text_in_a_create_does_not_count(company: Company) -> None:
    scene = await scene_of(company)
    document = scene.piefed.read_file("announce_create_page")
    scene.piefed.serve(document)
    document["object"]["object"] = {**document["object"]["object"], "content": "<p>Forged.</p>"}
    await scene.piefed.deliver(scene.finance, document)
    await company.settle()
    assert "Worth the money?" in (await listed(scene.ann, scene.group_id))[0]


async def test_edits_are_read_again_and_deletes_hold_when_the_post_is_gone(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    update = scene.piefed.read_file("announce_update_page")
    scene.piefed.documents.pop(POST)
    scene.piefed.serve(update)
    await scene.piefed.deliver(scene.finance, update)
    await company.settle()
    post = await scene.post()
    assert "Worth every cent." in post["content"]
    await scene.announce("announce_delete_page")  # it is still there: somebody lied
    scene.piefed.hidden.add(POST)
    await scene.delete_again("b")  # it is not shown to us, which proves nothing
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 200
    scene.piefed.delete(POST)
    await scene.delete_again("c")
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 404


async def test_a_delete_holds_where_a_tombstone_stands(company: Company) -> None:
    """Some servers answer with what is left of a post, and not with 410 (ActivityPub 6.4)."""
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    scene.piefed.documents[POST] = {"id": POST, "type": "Tombstone"}
    await scene.announce("announce_delete_page")
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 404


async def test_votes_alone_and_in_batches(company: Company) -> None:
    """FEP-1a11: a collection without an id inside an Announce."""
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_like", post=POST)
    await scene.announce("announce_batch", post=POST)
    post = await scene.post()
    assert (post["favourites_count"], post["reactions"]) == (2, [])  # per and pia, who first disliked it
    assert [row for row in await outcomes(scene.finance) if row[1] in ("failed", "refused")] == []


async def test_removal_sticky_and_ban(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    await scene.announce("announce_sticky")
    assert (await place(scene.ann, post["id"]))["pinned"] is True
    await scene.announce("announce_remove_page")
    assert await listed(scene.ann, scene.group_id) == []
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 200
    await scene.announce("announce_block", person=scene.ann.account.uri, until=END)
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] == "outcast"


async def test_a_ban_ends_by_itself(company: Company) -> None:
    """PieFed and Lemmy tell the end with the ban, and send nothing when it comes."""
    scene = await scene_of(company)
    end = "2026-01-01T00:00:00.000000+00:00"
    await scene.announce("announce_block", person=scene.ann.account.uri, until=end)  # over before it came
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] == "member"
    soon = company.clock.now().replace(microsecond=0).isoformat()
    company.clock.shift_ms -= 60_000
    block = scene.piefed.read_file("announce_block", person=scene.ann.account.uri, until=soon)
    block |= {"id": block["id"] + "b", "object": {**block["object"], "id": block["object"]["id"] + "b"}}
    await scene.piefed.deliver(scene.finance, block)
    await company.settle()
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] == "outcast"
    company.clock.shift_ms += 86_400_000
    await company.settle()
    assert (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["role"] is None


async def test_a_poll_of_a_community_is_a_poll(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_poll")
    (item,) = await scene.ann.get(f"/api/v1/timelines/list/{scene.group_id}")
    assert [(option["title"], option["votes_count"]) for option in item["poll"]["options"]] == [
        ("Helmet", 3), ("Cap", 0),
    ]  # fmt: skip


async def test_people_of_piefed_in_a_group_of_ours(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    await finance.group(ann, "robots", reach="public")
    group_id = await ann.find("robots@finance.localhost")
    group = (await ann.get(f"/api/fedcorp/v1/groups/{group_id}"))["uri"]
    piefed = Server(company, "piefed", serves_activities=False, group=group)
    piefed.publish("person_pia")
    await piefed.meet(finance)
    await piefed.send(finance, "follow")
    (accept,) = piefed.got("Accept", "Follow")
    assert accept["object"]["id"] == "https://piefed.example/activities/follow/Y31"
    await piefed.send(finance, "create_page_here")
    (text,) = await listed(ann, group_id)
    assert text.startswith("Bike cellar")
    post = await ann.publish("@robots the key is here")
    await piefed.send(finance, "like_here", post=post["uri"])
    assert (await ann.get(f"/api/v1/statuses/{post['id']}"))["favourites_count"] == 1
    await piefed.send(finance, "dislike_here", post=post["uri"])
    seen = await ann.get(f"/api/v1/statuses/{post['id']}")
    assert (seen["favourites_count"], [item["name"] for item in seen["reactions"]]) == (0, ["👎"])
    assert [row for row in await outcomes(finance) if row[1] in ("failed", "refused")] == []
