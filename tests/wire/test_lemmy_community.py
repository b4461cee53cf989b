"""A Lemmy community that people of ours belong to: what it announces, and what they send to it."""

from typing import Any

import pytest

from tests.federation.world import PUBLIC, Company, Department, Person, plain
from tests.wire.server import Server, accept_last_follow, join, listed, outcomes, place

pytestmark = pytest.mark.anyio

COMMUNITY = "https://lemmy.example/c/gardening"
LEA, MO = "https://lemmy.example/u/lea", "https://lemmy.example/u/mo"
POST = "https://lemmy.example/post/101"
HANDLE = "gardening@lemmy.example"


class Scene:
    """ann and ben of finance belong to the community."""

    def __init__(self, lemmy: Server, finance: Department, ann: Person, ben: Person, group_id: str) -> None:
        self.lemmy, self.finance, self.ann, self.ben, self.group_id = lemmy, finance, ann, ben, group_id

    async def announce(self, name: str, **words: str) -> None:
        await self.lemmy.send(self.finance, name, **words)

    async def shown(self) -> list[str]:
        """What the list of the community shows to ann."""
        return await listed(self.ann, self.group_id)

    async def post(self) -> dict[str, object]:
        """The post of lea, as ann sees it."""
        found: dict[str, object] = await self.ann.find_status(POST)
        return found

    async def role(self, person: Person) -> str | None:
        found = await person.get(f"/api/fedcorp/v1/groups/{self.group_id}")
        role: str | None = found["role"]
        return role


async def scene_of(company: Company) -> Scene:
    finance = await company.department("finance")
    ann, ben = await finance.person("ann"), await finance.person("ben")
    lemmy = Server(company, "lemmy")
    lemmy.publish("group", "person_lea", "person_mo", "moderators")
    await lemmy.meet(finance)
    return Scene(lemmy, finance, ann, ben, await join(lemmy, HANDLE, ann, ben))


async def test_what_was_posted_before_is_read_when_somebody_joins(company: Company) -> None:
    """The outbox of a community holds what it announced, whole; what it says of others is read where it stands."""
    finance = await company.department("finance")
    ann = await finance.person("ann")
    lemmy = Server(company, "lemmy")
    lemmy.publish("group", "person_lea", "announce_create_page")
    told = lemmy.read_file("announce_create_page")
    stranger = {**told, "id": f"{COMMUNITY}/told/2", "actor": "https://lemmy.example/c/others"}
    items = [told, stranger, {"type": "Announce", "actor": COMMUNITY, "object": 7}, "https://lemmy.example/x", 7]
    lemmy.documents[f"{COMMUNITY}/outbox"] = {
        "@context": "https://www.w3.org/ns/activitystreams", "id": f"{COMMUNITY}/outbox", "type": "OrderedCollection",
        "totalItems": len(items), "orderedItems": items,
    }  # fmt: skip
    await lemmy.meet(finance)
    group_id = await join(lemmy, HANDLE, ann)
    (shown,) = await listed(ann, group_id)
    assert shown.startswith("Moss on the roof")
    assert (await place(ann, (await ann.find_status(POST))["id"]))["state"] == "distributed"
    assert (await ann.find_status(POST))["language"] == "en"
    assert await ann.notifications() == []


async def test_a_community_is_a_group_whose_follow_waits_for_its_answer(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    lemmy = Server(company, "lemmy")
    lemmy.publish("group")
    await lemmy.meet(finance)
    group_id = await ann.find(HANDLE)
    account = await ann.get(f"/api/v1/accounts/{group_id}")
    assert (account["group"], account["locked"], account["display_name"]) == (True, False, "Gardening at work")
    shown = await ann.get(f"/api/fedcorp/v1/groups/{group_id}")
    assert (shown["preset"], shown["posting"], shown["reach"], shown["local"]) == ("open", "everyone", "public", False)
    assert (await ann.post(f"/api/v1/accounts/{group_id}/follow"))["requested"] is True
    await company.settle()
    (follow,) = lemmy.got("Follow")
    assert (follow["actor"], follow["object"], follow["to"]) == (ann.account.uri, COMMUNITY, [COMMUNITY])
    await accept_last_follow(lemmy, finance, "accept_follow")
    (relation,) = await ann.get("/api/v1/accounts/relationships", **{"id[]": group_id})
    assert (relation["following"], relation["requested"]) == (True, False)
    await ann.post(f"/api/v1/accounts/{group_id}/unfollow")
    await company.settle()
    (undo,) = lemmy.got("Undo", "Follow")
    assert undo["object"]["id"] == follow["id"]
    assert undo["object"]["object"] == COMMUNITY


async def test_a_reject_ends_the_request(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    lemmy = Server(company, "lemmy")
    lemmy.publish("group")
    await lemmy.meet(finance)
    group_id = await ann.find(HANDLE)
    await ann.post(f"/api/v1/accounts/{group_id}/follow")
    await company.settle()
    await accept_last_follow(lemmy, finance, "reject_follow")
    (relation,) = await ann.get("/api/v1/accounts/relationships", **{"id[]": group_id})
    assert (relation["following"], relation["requested"]) == (False, False)


async def test_a_page_is_shown_with_title_link_and_picture_once(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_page")  # what Lemmy sends for Mastodon's sake
    assert len(await scene.shown()) == 1
    home = await scene.ann.get("/api/v1/timelines/home")
    assert [item["account"]["acct"] for item in home] == [HANDLE]
    shown = home[0]["reblog"]
    assert shown["account"]["acct"] == "lea@lemmy.example"
    assert "<strong>" in shown["content"]
    assert "Moss on the roof" in plain(shown["content"])
    assert 'href="https://moss.example/roofs"' in shown["content"]
    assert "It keeps the" in shown["content"]
    assert [item["type"] for item in shown["media_attachments"]] == ["image"]
    assert shown["media_attachments"][0]["remote_url"] == "https://lemmy.example/pictrs/image/4f7a.jpg"
    assert shown["reblogs_count"] == 0
    assert [tag["name"] for tag in shown["tags"]] == ["gardening"]


async def test_a_picture_post_has_its_picture_once_and_with_its_description(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_image")
    (item,) = await scene.ann.get(f"/api/v1/timelines/list/{scene.group_id}")
    (picture,) = item["media_attachments"]
    assert (picture["description"], picture["remote_url"]) == (
        "A small fern in a cup", "https://lemmy.example/pictrs/image/51aa.png",
    )  # fmt: skip


async def test_a_comment_hangs_in_its_thread_and_an_edit_changes_the_post(company: Company) -> None:
    scene = await scene_of(company)
    scene.lemmy.serve(scene.lemmy.read_file("announce_create_page"))
    await scene.announce("announce_create_comment")  # the post was there before ann belonged: it is fetched
    post = await scene.post()
    answer = await scene.ann.publish("and at night?", in_reply_to_id=post["id"])
    await company.settle()
    assert scene.lemmy.got("Create")[-1]["audience"] == COMMUNITY
    await scene.ann.http.delete(f"/api/v1/statuses/{answer['id']}")
    await scene.announce("announce_create_page")
    context = await scene.ann.get(f"/api/v1/statuses/{post['id']}/context")
    assert [plain(item["content"]).strip() for item in context["descendants"]] == ["Ours is dry by noon."]
    await scene.announce("announce_update_page")
    post = await scene.post()
    assert "after a year" in str(post["content"])
    assert "days" in str(post["content"])
    assert post["edited_at"] is not None


async def test_the_authors_delete_deletes(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    await scene.announce("announce_delete_page")
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 404
    assert await scene.shown() == []


async def test_a_removal_takes_the_post_out_of_the_group_and_its_undo_puts_it_back(company: Company) -> None:
    """Lemmy tells removal from deletion by the `summary`; here author and moderator share a server."""
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    await scene.announce("announce_remove_page")
    assert await scene.shown() == []
    assert await scene.ann.texts() == []
    assert (await place(scene.ann, str(post["id"])))["state"] is None
    assert (await scene.ann.http.get(f"/api/v1/statuses/{post['id']}")).status_code == 200
    await scene.announce("announce_undo_remove_page")
    assert (await place(scene.ann, str(post["id"])))["state"] == "distributed"
    assert len(await scene.shown()) == 1
    assert len(await scene.ann.texts()) == 1


def votes(post: Any) -> tuple[int, dict[str, int]]:
    return post["favourites_count"], {item["name"]: item["count"] for item in post["reactions"]}


async def test_likes_count_dislikes_take_their_place_and_nothing_fails(company: Company) -> None:
    """Who changes their vote there sends the new one alone."""
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_like", post=POST)
    assert votes(await scene.post()) == (1, {})
    await scene.announce("announce_dislike", post=POST)
    assert votes(await scene.post()) == (0, {"👎": 1})
    await scene.announce("announce_undo_like", post=POST)
    assert votes(await scene.post()) == (0, {"👎": 1})
    assert "https://lemmy.example/activities/dislike/10" not in scene.lemmy.fetched
    assert [row for row in await outcomes(scene.finance) if row[1] in ("failed", "refused")] == []


async def test_a_lock_ends_the_thread_for_our_people(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    await scene.announce("announce_lock")
    answer = await scene.ann.send("POST", "/api/v1/statuses", status="me too", in_reply_to_id=post["id"])
    assert answer.status_code == 403
    assert "locked" in answer.json()["error"]
    await scene.announce("announce_undo_lock")
    await scene.ann.publish("me too", in_reply_to_id=post["id"])


async def test_pins_come_and_go(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    await scene.announce("announce_add_featured", post=POST)
    assert (await place(scene.ann, str(post["id"])))["pinned"] is True
    await scene.announce("announce_remove_featured", post=POST)
    assert (await place(scene.ann, str(post["id"])))["pinned"] is False


async def test_a_moderator_of_ours_is_made_acts_and_is_one_no_longer(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    await scene.announce("announce_add_moderator", person=scene.ann.account.uri)
    assert (await scene.role(scene.ann), await scene.role(scene.ben)) == ("moderator", "member")
    post = await scene.post()
    url = f"/api/fedcorp/v1/groups/{scene.group_id}/statuses/{post['id']}/remove"
    assert (await scene.ann.send("POST", url, reason="old news")).status_code in (200, 202)
    await company.settle()
    (removal,) = scene.lemmy.got("Delete")
    # Lemmy: Public must be in `to`, `cc` must be there, and a removal has a summary
    assert (removal["to"], removal["cc"], removal["object"]) == ([PUBLIC], [COMMUNITY], POST)
    assert (removal["summary"], removal["actor"]) == ("old news", scene.ann.account.uri)
    echo = scene.lemmy.read_file("announce_echo", activity="")
    response = await scene.lemmy.deliver(scene.finance, {**echo, "object": removal})
    assert response.status_code == 202
    await company.settle()
    assert await scene.shown() == []
    (wish,) = (await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}"))["pending"]
    assert wish["state"] == "done"
    await scene.announce("announce_remove_moderator", person=scene.ann.account.uri)
    assert await scene.role(scene.ann) == "member"
    assert (await scene.ann.send("POST", url)).status_code == 403


async def test_a_ban_ends_the_membership_until_its_end(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish(f"@{HANDLE} cheap pots")
    await company.settle()
    end = "2099-01-01T00:00:00Z"
    await scene.announce("announce_block", person=scene.ann.account.uri, until=end)
    assert await scene.role(scene.ann) == "outcast"
    (relation,) = await scene.ann.get("/api/v1/accounts/relationships", **{"id[]": scene.group_id})
    assert relation["following"] is False
    answer = await scene.ann.send("POST", "/api/v1/statuses", status=f"@{HANDLE} more pots")
    assert answer.status_code == 403
    assert await scene.role(scene.ben) == "member"
    assert (await place(scene.ann, mine["id"]))["state"] == "pending"  # it was never passed on
    await scene.announce("announce_undo_block", person=scene.ann.account.uri, until=end)
    assert await scene.role(scene.ann) is None
    await scene.ann.publish(f"@{HANDLE} no pots")


async def test_changed_rules_are_read_at_the_communitys_own_address(company: Company) -> None:
    """Lemmy passes a moderator's Update on word for word, so what stands in it may be anything."""
    scene = await scene_of(company)
    group = scene.lemmy.documents[COMMUNITY]
    changed = {
        **group,
        "name": "Gardening, indoors",
        "postingRestrictedToMods": True,
        "updated": "2026-11-05T08:00:01Z",
    }
    scene.lemmy.documents[COMMUNITY] = changed
    await scene.announce("announce_update_group")
    shown = await scene.ann.get(f"/api/fedcorp/v1/groups/{scene.group_id}")
    assert (shown["title"], shown["posting"]) == ("Gardening, indoors", "moderators")
    answer = await scene.ann.send("POST", "/api/v1/statuses", status=f"@{HANDLE} hello")
    assert answer.status_code == 403


async def test_what_others_are_said_to_have_done_is_not_believed(company: Company) -> None:
    scene = await scene_of(company)
    other = Server(company, "lemmy", "other.example")
    other.actor("kim")
    await other.meet(scene.finance)
    await scene.announce("announce_forged")
    assert await scene.shown() == []
    found = await scene.ann.get("/api/v2/search", q="https://other.example/notes/22", type="statuses")
    assert found["statuses"] == []
    assert "https://other.example/activities/22" in other.fetched


async def test_a_post_of_ours_is_what_lemmy_can_read_and_comes_back_as_distributed(company: Company) -> None:
    scene = await scene_of(company)
    mine = await scene.ann.publish(f"@{HANDLE} Which moss survives?\n\nWe have shade.")
    await company.settle()
    create = scene.lemmy.got("Create")[-1]
    note = create["object"]
    for document in (create, note):
        assert COMMUNITY in document["to"]
        assert PUBLIC in document["to"]
        assert isinstance(document["cc"], list)
        assert document["audience"] == COMMUNITY
    assert note["type"] == "Note"
    assert note["inReplyTo"] is None
    assert note["attributedTo"] == create["actor"] == scene.ann.account.uri
    assert plain(note["content"]).startswith("@gardening Which moss survives?")
    assert (await place(scene.ann, mine["id"]))["state"] == "pending"
    echo = {**scene.lemmy.read_file("announce_echo", activity=""), "object": create}
    await scene.lemmy.deliver(scene.finance, echo)
    await company.settle()
    assert (await place(scene.ann, mine["id"]))["state"] == "distributed"
    assert len([text for text in await scene.ben.texts() if "Which moss" in text]) == 1
    await scene.announce("announce_removed_local", post=mine["uri"])
    assert (await place(scene.ann, mine["id"]))["reason"] == "twice the same"


async def test_an_answer_of_ours_goes_to_the_community_and_so_do_likes_edits_and_deletes(company: Company) -> None:
    """The author of what is answered may live anywhere; only the community passes things on."""
    scene = await scene_of(company)
    other = Server(company, "lemmy", "other.example")
    await other.meet(scene.finance)
    await scene.announce("announce_create_page")
    post = await scene.post()
    answer = await scene.ann.publish("ours is green in March", in_reply_to_id=post["id"])
    await company.settle()
    create = scene.lemmy.got("Create")[-1]
    assert create["object"]["inReplyTo"] == POST
    assert create["object"]["audience"] == create["audience"] == COMMUNITY
    assert COMMUNITY in create["object"]["to"]
    assert PUBLIC in create["object"]["to"]
    await scene.ann.send("PUT", f"/api/v1/statuses/{answer['id']}", status="ours is green in April")
    await scene.ann.post(f"/api/v1/statuses/{post['id']}/favourite")
    await company.settle()
    (like,) = scene.lemmy.got("Like")
    assert (like["object"], like["audience"]) == (POST, COMMUNITY)
    assert COMMUNITY in scene.lemmy.got("Update")[-1]["to"]
    await scene.ann.http.delete(f"/api/v1/statuses/{answer['id']}")
    await company.settle()
    delete = scene.lemmy.got("Delete")[-1]
    assert PUBLIC in delete["to"]
    assert "summary" not in delete


async def test_a_report_of_ours_has_one_addressee(company: Company) -> None:
    scene = await scene_of(company)
    await scene.announce("announce_create_page")
    post = await scene.post()
    account = dict(post)["account"]
    assert isinstance(account, dict)
    url = f"/api/fedcorp/v1/groups/{scene.group_id}/reports"
    answer = await scene.ann.send(
        "POST", url, account_id=account["id"], status_ids=[post["id"]], comment="not about plants"
    )
    assert answer.status_code in (200, 202), answer.text
    await company.settle()
    (flag,) = scene.lemmy.got("Flag")
    assert flag["to"] == [COMMUNITY]
    assert POST in flag["object"]
    assert flag["content"] == "not about plants"
