"""GoToSocial: keys under a path, signed reading only, single values for lists, and answers to interactions."""

from typing import Any

import httpx
import pytest

from tests.federation.world import Company, Department, Person, plain
from tests.wire.server import Server, listed, outcomes, place

pytestmark = pytest.mark.anyio

GUS = "https://gotosocial.example/users/gus"
NOTE = f"{GUS}/statuses/01J2"


class Scene:
    """ann of finance owns the group robots; gus of GoToSocial follows it."""

    def __init__(self, gts: Server, finance: Department, ann: Person, group: str, group_id: str) -> None:
        self.gts, self.finance, self.ann = gts, finance, ann
        self.group, self.group_id = group, group_id

    async def send(self, name: str, **words: str) -> dict[str, Any]:
        return await self.gts.send(self.finance, name, **words)


async def scene_of(company: Company) -> Scene:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    await finance.group(ann, "robots", reach="public")
    await company.settle()
    group_id = await ann.find("robots@finance.localhost")
    shown = await ann.get(f"/api/fedcorp/v1/groups/{group_id}")
    words = {"group": shown["uri"], "group_page": shown["url"], "author": ann.account.uri}
    gts = Server(company, "gotosocial", serves_activities=False, **words)
    gts.key_name, gts.secure = "/main-key", True
    gts.publish("person_gus", "main_key")
    await gts.meet(finance)
    scene = Scene(gts, finance, ann, shown["uri"], group_id)
    await scene.send("follow")
    return scene


async def test_a_key_under_a_path_and_signed_reading(company: Company) -> None:
    scene = await scene_of(company)
    (accept,) = scene.gts.got("Accept", "Follow")
    assert accept["object"]["id"] == f"{GUS}/follow/01J1"
    read = [item for item in company.network.requests if item.method == "GET" and item.url.host == scene.gts.domain]
    documents = [item for item in read if not item.url.path.startswith(("/.well-known/", "/nodeinfo"))]
    assert documents
    assert all("signature" in item.headers for item in documents)


async def test_our_group_and_its_posts_can_be_read_with_its_signature(company: Company) -> None:
    """It looks at actor, outbox, featured and followers, and fetches what a boost names."""
    scene = await scene_of(company)
    mine = await scene.ann.publish("@robots it hums")
    await company.settle()
    for uri in (
        scene.group,
        f"{scene.group}/outbox",
        f"{scene.group}/featured",
        f"{scene.group}/followers",
        mine["uri"],
    ):
        response: httpx.Response = await scene.gts.read(scene.finance, uri, signer=GUS)
        assert response.status_code == 200, uri
        assert response.json()["id"] == uri
        assert response.headers["content-type"].startswith("application/activity+json")
    assert [item for item in scene.gts.got("Announce") if not isinstance(item["object"], str)] == []
    assert (await scene.gts.read(scene.finance, mine["uri"])).status_code in (200, 401)
    (boost,) = [item for item in scene.gts.got("Announce") if item["object"] == mine["uri"]]
    assert boost["actor"] == scene.group


async def test_a_note_with_single_values_for_lists_is_posted_and_deleted(company: Company) -> None:
    scene = await scene_of(company)
    await scene.send("create_note")
    assert await listed(scene.ann, scene.group_id) == ["@robots mine hums at night"]
    await scene.send("delete_note")
    assert await listed(scene.ann, scene.group_id) == []


@pytest.mark.parametrize(("name", "result"), [("accept_reply", False), ("accept_reply_inline", True)])
async def test_an_answer_in_the_group_waits_for_the_author(company: Company, name: str, result: bool) -> None:
    """Accept of a reply by its id or as a whole; what follows then, and a request for a reply, changes nothing."""
    scene = await scene_of(company)
    await scene.send("create_note")
    post = await scene.ann.find_status(NOTE)
    answer = await scene.ann.publish("mine too", in_reply_to_id=post["id"])
    await company.settle()
    (create,) = [item for item in scene.gts.got("Create") if item["object"]["inReplyTo"] == NOTE]
    assert create["object"]["id"] == answer["uri"]
    assert (await place(scene.ann, answer["id"]))["state"] is None
    scene.gts.publish("reply_authorization", reply=answer["uri"])
    accept = await scene.send(name, reply=answer["uri"])
    again = [item for item in scene.gts.got("Create") if item["object"]["inReplyTo"] == NOTE][-1]
    leave = accept["result"] if result else accept["id"]
    assert (again["id"], again["object"]["approvedBy"]) == (create["id"], leave)
    assert ("replyAuthorization" in again["object"]) is result
    for later in ("accept_reply", "accept_reply_inline", "reject_reply"):
        if later != name:
            await scene.send(later, reply=answer["uri"])
    await scene.send("reply_request", post=answer["uri"])
    assert (await place(scene.ann, answer["id"]))["state"] == "distributed"
    assert plain((await scene.ann.get(f"/api/v1/statuses/{answer['id']}"))["content"]) == "mine too"
    rows = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}/members")
    assert {row["account"]["acct"] for row in rows} == {"ann", "gus@gotosocial.example"}
    kinds = {row[0]: row[1] for row in await outcomes(scene.finance)}
    assert (kinds["Accept"], kinds["Reject"], kinds["ReplyRequest"]) == ("ignored", "ignored", "ignored")
    assert scene.gts.got("Reject") == []


async def test_a_favourite_and_a_boost_that_the_author_refuses_end(company: Company) -> None:
    """Nobody but the author may refuse them, and what the group passed on stays."""
    scene = await scene_of(company)
    await scene.send("create_note")
    post = await scene.ann.find_status(NOTE)
    await scene.ann.post(f"/api/v1/statuses/{post['id']}/favourite")
    await scene.ann.post(f"/api/v1/statuses/{post['id']}/reblog")
    await company.settle()
    like = next(item for item in scene.gts.got("Like") if item["actor"] == scene.ann.account.uri)
    boost = next(item for item in scene.gts.got("Announce") if item["actor"] == scene.ann.account.uri)
    passed_on = next(item for item in scene.gts.got("Announce") if item["actor"] == scene.group)
    await scene.send("accept_announce", boost=boost["id"])

    async def counts() -> tuple[int, int, bool, bool]:
        shown = await scene.ann.get(f"/api/v1/statuses/{post['id']}")
        return shown["favourites_count"], shown["reblogs_count"], shown["favourited"], shown["reblogged"]

    stranger = scene.gts.actor("hal")
    for refused in (like, boost):
        answer = {**scene.gts.activity("Reject", stranger, refused["id"]), "target": NOTE}
        await scene.gts.deliver(scene.finance, answer)
    await scene.send("reject_announce", refused=passed_on["id"])
    await company.settle()
    assert await counts() == (1, 1, True, True)
    await scene.ann.post(f"/api/v1/statuses/{post['id']}/unreblog")
    await scene.ann.post(f"/api/v1/statuses/{post['id']}/reblog")
    await company.settle()
    await scene.send("reject_announce", refused=boost["id"])
    assert await counts() == (1, 0, True, True), "that one was taken back already; a new one waits"
    boost = [item for item in scene.gts.got("Announce") if item["actor"] == scene.ann.account.uri][-1]
    await scene.send("accept_announce", boost=boost["id"])
    await scene.send("reject_like", refused=like["id"])
    assert await counts() == (0, 1, False, True)
    await scene.send("reject_announce", refused=boost["id"])
    assert await counts() == (0, 0, False, False)
    assert await listed(scene.ann, scene.group_id) == ["@robots mine hums at night"]


async def test_leave_that_is_for_another_department_says_nothing_here(company: Company) -> None:
    """Accept and Reject of an answer go to all followers of the author, also to those whose people wrote none."""
    scene = await scene_of(company)
    await scene.send("create_note")
    sales = await company.department("sales")
    bo = await sales.person("bo")
    await scene.gts.meet(sales)
    mine = await bo.publish("mine", reach="partners")
    for name in ("accept_reply", "accept_announce", "reject_reply"):
        await scene.gts.send(sales, name, reply="https://finance.localhost/o/1", boost="https://finance.localhost/a/1")
    assert {row[1] for row in await outcomes(sales)} == {"ignored"}
    shown = await bo.get(f"/api/v1/statuses/{mine['id']}")
    assert (shown["visibility"], plain(shown["content"])) == ("public", "mine")


async def test_favourites_and_boosts_of_its_people(company: Company) -> None:
    """They name who is told as one value, and their Undo stands at the root of the server."""
    scene = await scene_of(company)
    mine = await scene.ann.publish("look", reach="public")
    for name, counts in (("like", (1, 0)), ("announce", (1, 1)), ("undo_like", (0, 1)), ("undo_announce", (0, 0))):
        await scene.send(name, post=mine["uri"])
        shown = await scene.ann.get(f"/api/v1/statuses/{mine['id']}")
        assert (shown["favourites_count"], shown["reblogs_count"]) == counts, name


async def test_an_undone_follow_leaves(company: Company) -> None:
    scene = await scene_of(company)
    await scene.send("undo_follow")
    rows = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}/members")
    assert [row["account"]["acct"] for row in rows] == ["ann"]
