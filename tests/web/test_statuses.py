"""Statuses: write, reach, mention, edit, delete, read in threads, and react."""

from typing import Any

import pytest

from fedcorp.social import receiving
from fedcorp.social.receiving import RemoteStatus
from tests.web.instance import Office, Person, picture

pytestmark = pytest.mark.anyio


# -- writing ---------------------------------------------------------------------------------------------------------


async def test_a_post_says_what_was_asked_for(ann: Person) -> None:
    made = await ann.publish("Tea & <b>cake</b> #Lunch", spoiler_text="food", sensitive=True, language="de")
    assert made["content"].startswith("<p>Tea &amp; &lt;b&gt;cake&lt;/b&gt; <a href=")
    assert (made["spoiler_text"], made["sensitive"], made["language"]) == ("food", True, "de")
    assert [tag["name"] for tag in made["tags"]] == ["lunch"]
    assert made["account"]["id"] == ann.id
    assert made["application"] == {"name": "fedcorp command line", "website": None}
    assert (made["favourited"], made["reblogged"], made["bookmarked"], made["muted"], made["pinned"]) == (False,) * 5
    assert await ann.get(f"/api/v1/statuses/{made['id']}") == made
    me = await ann.get("/api/v1/accounts/verify_credentials")
    assert (me["statuses_count"], me["last_status_at"]) == (1, made["created_at"][:10])


async def test_the_reach_is_the_departments_unless_the_author_says_otherwise(ann: Person) -> None:
    assert (await ann.publish("usual"))["reach"] == "company"
    for reach in ("department", "company", "partners", "public"):
        made = await ann.publish(reach, reach=reach)
        assert (made["reach"], made["local_only"]) == (reach, reach == "department")
    assert (await ann.publish("here", local_only=True))["reach"] == "department"
    await ann.patch("/api/v1/accounts/update_credentials", source={"reach": "partners"})
    assert (await ann.publish("own default"))["reach"] == "partners"


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"status": ""}, "can't be blank"),
        ({"status": " \n "}, "can't be blank"),
        ({}, "can't be blank"),
        ({"status": "x" * 5001}, "5000"),
        ({"status": "x" * 4990, "spoiler_text": "y" * 11}, "5000"),
        ({"status": "x", "visibility": "limited"}, "visibility is one of"),
        ({"status": "x", "reach": "world"}, "reach is one of"),
        ({"status": "x", "media_ids": ["1"]}, "does not exist"),
        ({"status": "x", "media_ids": ["1", "2", "3", "4", "5"]}, "at most 4 files"),
        ({"status": "x", "quote_approval_policy": "friends"}, "quote_approval_policy is one of"),
        ({"status": "x", "poll": {"options": ["a"], "expires_in": 300}}, "between 2 and 10 options"),
        ({"status": "x", "poll": {"options": [str(n) for n in range(11)], "expires_in": 300}}, "between 2 and 10"),
        ({"status": "x", "poll": {"options": ["a", "a"], "expires_in": 300}}, "different"),
        ({"status": "x", "poll": {"options": ["a", "b" * 101], "expires_in": 300}}, "100 characters"),
        ({"status": "x", "poll": {"options": ["a", "b"], "expires_in": 1}}, "300"),
        ({"status": "x", "poll": {"options": ["a", "b"]}}, "300"),
        ({"poll": {"options": ["a", "b"], "expires_in": 300}}, "can't be blank"),
        ({"status": "x", "media_ids": ["1"], "poll": {"options": ["a", "b"], "expires_in": 300}}, "either files or"),
    ],
)
async def test_what_breaks_a_rule_is_refused_with_the_rule(ann: Person, wrong: dict[str, Any], word: str) -> None:
    assert word in await ann.refused(422, "POST", "/api/v1/statuses", json=wrong)
    assert await ann.home() == []


async def test_links_count_23_characters(ann: Person) -> None:
    await ann.publish("x" * 4976 + " https://example.com/" + "y" * 500)


async def test_the_same_key_makes_one_post(ann: Person, ben: Person) -> None:
    key = {"Idempotency-Key": "one"}
    first = await ann.ask("POST", "/api/v1/statuses", json={"status": "once"}, headers=key)
    again = await ann.ask("POST", "/api/v1/statuses", json={"status": "once"}, headers=key)
    assert first.json() == again.json()
    other = await ben.ask("POST", "/api/v1/statuses", json={"status": "once"}, headers=key)
    assert other.json()["id"] != first.json()["id"]
    assert await ann.home() == [first.json()["id"]]
    long = {"Idempotency-Key": "k" * 5000}
    assert "Idempotency-Key" in await ann.refused(400, "POST", "/api/v1/statuses", json={"status": "x"}, headers=long)


@pytest.mark.parametrize(
    ("given", "kept"), [("de", "de"), ("pt_BR", "pt-BR"), ("zh-Hant-TW", "zh-Hant-TW"), ("nonsense" * 9, None)]
)
async def test_languages(ann: Person, given: str, kept: str | None) -> None:
    assert (await ann.publish("x", language=given))["language"] == kept


# -- whom it names ---------------------------------------------------------------------------------------------------


async def test_a_mention_names_and_tells(ann: Person, ben: Person) -> None:
    made = await ann.publish("hello @BEN and @nobody")
    assert [(item["id"], item["acct"]) for item in made["mentions"]] == [(ben.id, "ben")]
    assert "@nobody" in made["content"]
    assert await ben.notified() == [("mention", "ann")]


async def test_a_mention_never_widens_the_reach(office: Office, ann: Person) -> None:
    await office.colleague("sue", "sales.localhost", "department")
    await office.colleague("pat", "supplier.example.com", "partner")
    near = await ann.publish("for @sue@sales.localhost")
    assert (near["reach"], near["mentions"][0]["acct"]) == ("company", "sue@sales.localhost")
    said = await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "for @pat@supplier.example.com"})
    assert "pat@supplier.example.com is outside the reach of this post (company)" in said
    assert "'partners'" in said
    assert "direct message" in said
    said = await ann.refused(
        422, "POST", "/api/v1/statuses", json={"status": "for @sue@sales.localhost", "local_only": True}
    )
    assert "'company'" in said
    assert (await ann.publish("for @pat@supplier.example.com", reach="partners"))["reach"] == "partners"
    direct = await ann.publish("psst @pat@supplier.example.com", visibility="direct")
    assert (direct["reach"], direct["visibility"]) == ("partners", "direct")
    assert len(await ann.home()) == 3


async def test_an_answer_goes_as_far_as_those_whom_it_names_of_what_it_answers(
    office: Office, ann: Person, ben: Person
) -> None:
    await office.colleague("pat", "supplier.example.com", "partner")
    await office.colleague("kim", "supplier.example.com", "partner")
    asked = await ann.publish("what do you say @pat@supplier.example.com?", reach="partners")
    named = "@ann @pat@supplier.example.com I agree"
    answer = await ben.publish(named, in_reply_to_id=asked["id"])
    assert answer["reach"] == "partners"
    among_us = await ben.publish("@ann only for you", in_reply_to_id=asked["id"])
    assert among_us["reach"] == "company"
    answers = {"in_reply_to_id": asked["id"]}
    said = await ben.refused(422, "POST", "/api/v1/statuses", json={"status": named, "reach": "company", **answers})
    assert "pat@supplier.example.com is outside the reach" in said, "who says how far is taken at the word"
    words = "@ann what about @kim@supplier.example.com?"
    said = await ben.refused(422, "POST", "/api/v1/statuses", json={"status": words, **answers})
    assert "kim@supplier.example.com is outside the reach" in said, "who was not there before"
    said = await ben.refused(422, "POST", "/api/v1/statuses", json={"status": named, "in_reply_to_id": among_us["id"]})
    assert "outside the reach" in said, "that answer was for the company"


async def test_an_edit_cannot_name_somebody_outside_the_reach(office: Office, ann: Person) -> None:
    await office.colleague("pat", "supplier.example.com", "partner")
    made = await ann.publish("plain")
    said = await ann.refused(
        422, "PUT", f"/api/v1/statuses/{made['id']}", json={"status": "for @pat@supplier.example.com"}
    )
    assert "outside the reach" in said
    assert (await ann.get(f"/api/v1/statuses/{made['id']}/source"))["text"] == "plain"


async def test_a_reply_takes_the_narrower_reach(ann: Person, ben: Person) -> None:
    first = await ann.publish("here only", local_only=True)
    reply = await ben.publish("@ann yes", in_reply_to_id=first["id"], reach="public")
    assert (reply["reach"], reply["in_reply_to_id"], reply["in_reply_to_account_id"]) == (
        "department", first["id"], ann.id,
    )  # fmt: skip
    assert (await ann.get(f"/api/v1/statuses/{first['id']}"))["replies_count"] == 1


async def test_a_reply_to_what_one_cannot_see(ann: Person, ben: Person) -> None:
    hidden = await ann.publish("note to self", visibility="direct")
    for parent in (hidden["id"], "1"):
        said = await ben.refused(404, "POST", "/api/v1/statuses", json={"status": "x", "in_reply_to_id": parent})
        assert said == "The post you are trying to reply to does not appear to exist."


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private", "direct"])
async def test_who_may_see_what(office: Office, ann: Person, ben: Person, visibility: str) -> None:
    fan = await office.person("fan")
    await fan.follow(ann)
    made = await ann.publish("@ben look", visibility=visibility)
    path = f"/api/v1/statuses/{made['id']}"
    assert (await ben.get(path))["visibility"] == visibility, "who is named sees it"
    other = await office.person("other")
    if visibility in ("public", "unlisted"):
        await other.get(path)
    else:
        await other.refused(404, "GET", path)
    await office.anybody.refused(404, "GET", path)
    assert (made["id"] in await fan.home()) == (visibility != "direct")
    assert (made["id"] in await other.ids("/api/v1/timelines/public")) == (visibility == "public")
    if visibility == "direct":
        await fan.refused(404, "GET", path)


async def test_only_what_is_public_in_both_senses_is_open_to_everybody(office: Office, ann: Person) -> None:
    made = await ann.publish("for the world", reach="public")
    seen = await office.anybody.get(f"/api/v1/statuses/{made['id']}")
    assert "favourited" not in seen
    assert await office.anybody.ids("/api/v1/timelines/public") == [made["id"]]
    hidden = await ann.publish("for the company")
    await office.anybody.refused(404, "GET", f"/api/v1/statuses/{hidden['id']}")


# -- changing --------------------------------------------------------------------------------------------------------


async def test_an_edit_keeps_what_was(ann: Person, ben: Person) -> None:
    made = await ann.publish("first #one", spoiler_text="warning")
    await ben.do("favourite", made)
    changed = await ann.put(f"/api/v1/statuses/{made['id']}", status="second @ben #two", sensitive=True)
    assert (changed["id"], changed["created_at"], changed["spoiler_text"]) == (
        made["id"], made["created_at"], "warning",
    )  # fmt: skip
    assert changed["edited_at"] > made["created_at"]
    assert ([tag["name"] for tag in changed["tags"]], changed["mentions"][0]["acct"]) == (["two"], "ben")
    assert changed["favourites_count"] == 1
    source = await ann.get(f"/api/v1/statuses/{made['id']}/source")
    assert source == {"id": made["id"], "text": "second @ben #two", "spoiler_text": "warning"}
    versions = await ben.get(f"/api/v1/statuses/{made['id']}/history")
    assert ["first" in version["content"] for version in versions] == [True, False]
    assert [version["created_at"] for version in versions] == [made["created_at"], changed["edited_at"]]
    assert [version["sensitive"] for version in versions] == [True, True]
    assert ("update", "ann") in await ben.notified()
    assert await ann.ids("/api/v1/timelines/tag/one") == []
    assert await ann.ids("/api/v1/timelines/tag/two") == [made["id"]]


async def test_a_picture_for_which_there_is_no_room_is_refused_in_words(office: Office, ann: Person) -> None:
    folder = office.instance.config.folder / office.instance.config.storage.media
    folder.write_text("no folder can be made here")
    refused = await ann.ask("POST", "/api/v2/media", files={"file": ("picture", picture(), "image/png")})
    assert (refused.status_code, refused.json()["error"]) == (503, "The server cannot keep files now, try again later.")
    folder.unlink()
    assert (await ann.upload())["type"] == "image"


async def test_an_edit_changes_pictures_and_their_words(ann: Person) -> None:
    one, two = await ann.upload(description="one"), await ann.upload(description="two")
    made = await ann.publish("look", media_ids=[one["id"], two["id"]])
    changed = await ann.put(
        f"/api/v1/statuses/{made['id']}",
        status="look",
        media_ids=[two["id"]],
        media_attributes=[{"id": two["id"], "description": "the second", "focus": "0.5,-0.5"}],
    )
    (kept,) = changed["media_attachments"]
    assert (kept["id"], kept["description"]) == (two["id"], "the second")
    assert kept["meta"]["focus"] == {"x": 0.5, "y": -0.5}
    assert len((await ann.get(f"/api/v1/statuses/{made['id']}/history"))[0]["media_attachments"]) == 1
    same = await ann.put(f"/api/v1/statuses/{made['id']}", status="look again")
    assert [item["id"] for item in same["media_attachments"]] == [two["id"]], "what is left out stays"
    none = await ann.put(f"/api/v1/statuses/{made['id']}", status="no picture", media_ids=[])
    assert none["media_attachments"] == []


async def test_an_edit_begins_a_changed_poll_anew(ann: Person, ben: Person) -> None:
    poll = {"options": ["tea", "coffee"], "expires_in": 3600}
    made = await ann.publish("what?", poll=poll)
    await ben.post(f"/api/v1/polls/{made['poll']['id']}/votes", choices=[0])
    same = await ann.put(f"/api/v1/statuses/{made['id']}", status="what then?", poll=poll)
    assert same["poll"]["votes_count"] == 1
    other = await ann.put(f"/api/v1/statuses/{made['id']}", status="what?", poll=poll | {"options": ["milk", "tea"]})
    assert ([option["title"] for option in other["poll"]["options"]], other["poll"]["votes_count"]) == (
        ["milk", "tea"], 0,
    )  # fmt: skip
    versions = await ann.get(f"/api/v1/statuses/{made['id']}/history")
    assert versions[0]["poll"] == {"options": [{"title": "tea"}, {"title": "coffee"}]}
    said = await ann.refused(
        422, "PUT", f"/api/v1/statuses/{made['id']}", json={"media_ids": [(await ann.upload())["id"]]}
    )
    assert "either files or a poll" in said


async def test_what_breaks_a_rule_changes_nothing(ann: Person) -> None:
    made = await ann.publish("good")
    path = f"/api/v1/statuses/{made['id']}"
    for wrong in ({"status": ""}, {"status": "x" * 5001}, {"status": "x", "media_ids": ["1"]}):
        await ann.refused(422, "PUT", path, json=wrong)
    assert await ann.get(path) == made
    assert len(await ann.get(path + "/history")) == 1


async def test_a_deleted_post_leaves_its_text_for_another_try(ann: Person, ben: Person) -> None:
    await ben.follow(ann)
    shown = await ann.upload()
    made = await ann.publish("typo #oops @ben", media_ids=[shown["id"]])
    boost = await ben.do("reblog", made)
    gone = await ann.delete(f"/api/v1/statuses/{made['id']}")
    assert (gone["text"], gone["media_attachments"][0]["id"]) == ("typo #oops @ben", shown["id"])
    for id_ in (made["id"], boost["id"]):
        await ben.refused(404, "GET", f"/api/v1/statuses/{id_}")
    assert (await ben.home(), await ann.home(), await ben.notified()) == ([], [], [])
    assert await ben.ids("/api/v1/timelines/tag/oops") == []
    assert (await ann.get("/api/v1/accounts/verify_credentials"))["statuses_count"] == 0
    again = await ann.publish("no typo", media_ids=[shown["id"]])
    assert again["media_attachments"][0]["id"] == shown["id"]


async def test_media_can_go_with_the_post(ann: Person) -> None:
    shown = await ann.upload()
    made = await ann.publish("look", media_ids=[shown["id"]])
    await ann.ask("DELETE", f"/api/v1/statuses/{made['id']}", params={"delete_media": "true"})
    await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "x", "media_ids": [shown["id"]]})


@pytest.mark.parametrize(("method", "tail"), [("PUT", ""), ("DELETE", ""), ("GET", "/source")])
async def test_posts_of_others_are_not_ones_own(ann: Person, ben: Person, method: str, tail: str) -> None:
    made = await ann.publish("mine")
    await ben.refused(404, method, f"/api/v1/statuses/{made['id']}{tail}", json={"status": "yours"})
    assert (await ann.get(f"/api/v1/statuses/{made['id']}"))["content"] == "<p>mine</p>"


# -- threads ---------------------------------------------------------------------------------------------------------


async def test_a_thread_is_shown_around_a_post(office: Office, ann: Person, ben: Person) -> None:
    root = await ann.publish("root")
    left = await ben.publish("left", in_reply_to_id=root["id"])
    right = await ann.publish("right", in_reply_to_id=root["id"])
    below = await ann.publish("below left", in_reply_to_id=left["id"])
    secret = await ann.publish("@ben psst", in_reply_to_id=left["id"], visibility="direct")
    around = await ben.get(f"/api/v1/statuses/{left['id']}/context")
    assert [item["id"] for item in around["ancestors"]] == [root["id"]]
    assert [item["id"] for item in around["descendants"]] == [below["id"], secret["id"]]
    whole = await (await office.person("other")).get(f"/api/v1/statuses/{root['id']}/context")
    assert [item["id"] for item in whole["descendants"]] == [left["id"], below["id"], right["id"]]
    assert await office.anybody.refused(404, "GET", f"/api/v1/statuses/{root['id']}/context")


async def test_several_at_once_leave_out_what_cannot_be_seen(ann: Person, ben: Person) -> None:
    one, two = await ann.publish("one"), await ann.publish("two", visibility="direct")
    three = await ann.publish("three")
    assert await ben.ids("/api/v1/statuses", **{"id[]": [three["id"], two["id"], one["id"], "5"]}) == [
        three["id"], one["id"],
    ]  # fmt: skip


# -- reacting --------------------------------------------------------------------------------------------------------


async def test_favourites(ann: Person, ben: Person) -> None:
    made = await ann.publish("nice")
    liked = await ben.do("favourite", made)
    assert (liked["favourited"], liked["favourites_count"]) == (True, 1)
    assert (await ben.do("favourite", made))["favourites_count"] == 1
    assert await ann.ids(f"/api/v1/statuses/{made['id']}/favourited_by") == [ben.id]
    assert await ben.ids("/api/v1/favourites") == [made["id"]]
    assert await ann.notified() == [("favourite", "ben")]
    assert (await ann.get(f"/api/v1/statuses/{made['id']}"))["favourited"] is False
    after = await ben.do("unfavourite", made)
    assert (after["favourited"], after["favourites_count"]) == (False, 0)
    assert await ben.do("unfavourite", made) == after
    assert (await ben.ids("/api/v1/favourites"), await ann.notified()) == ([], [])


async def test_bookmarks_are_nobody_elses_business(ann: Person, ben: Person) -> None:
    one, two = await ann.publish("one"), await ann.publish("two")
    await ben.do("bookmark", two)
    assert (await ben.do("bookmark", one))["bookmarked"] is True
    await ben.do("bookmark", one)
    assert await ben.ids("/api/v1/bookmarks") == [one["id"], two["id"]], "latest mark first"
    assert (await ann.ids("/api/v1/bookmarks"), await ann.notified()) == ([], [])
    assert (await ben.do("unbookmark", one))["bookmarked"] is False
    assert await ben.ids("/api/v1/bookmarks") == [two["id"]]


async def test_boosts(office: Office, ann: Person, ben: Person) -> None:
    fan = await office.person("fan")
    await fan.follow(ben)
    made = await ann.publish("spread the word")
    boost = await ben.do("reblog", made)
    assert (boost["reblog"]["id"], boost["account"]["id"], boost["reblogged"]) == (made["id"], ben.id, True)
    assert boost["id"] > made["id"]
    assert (boost["reblog"]["reblogs_count"], boost["reblog"]["reblogged"]) == (1, True)
    assert (await ben.do("reblog", made))["id"] == boost["id"]
    assert (await ben.do("reblog", boost))["id"] == boost["id"], "a boost of a boost is one of the original"
    assert await ann.ids(f"/api/v1/statuses/{made['id']}/reblogged_by") == [ben.id]
    assert await fan.ids("/api/v1/timelines/home") == [boost["id"]]
    assert await ann.notified() == [("reblog", "ben")]
    after = await ben.do("unreblog", made)
    assert (after["id"], after["reblogged"], after["reblogs_count"]) == (made["id"], False, 0)
    assert (await fan.home(), await ann.notified()) == ([], [])
    await ben.refused(404, "GET", f"/api/v1/statuses/{boost['id']}")


async def test_a_boost_can_be_for_followers_only(office: Office, ann: Person, ben: Person) -> None:
    fan, other = await office.person("fan"), await office.person("other")
    await fan.follow(ben)
    boost = await ben.do("reblog", await ann.publish("word"), visibility="private")
    assert boost["visibility"] == "private"
    assert await fan.ids("/api/v1/timelines/home") == [boost["id"]]
    await other.refused(404, "GET", f"/api/v1/statuses/{boost['id']}")
    assert "visibility" in await ben.refused(
        400, "POST", f"/api/v1/statuses/{boost['id']}/reblog", json={"visibility": "direct"}
    )


async def test_what_is_not_for_everybody_cannot_be_passed_on(ann: Person, ben: Person) -> None:
    await ben.follow(ann)
    private = await ann.publish("for followers", visibility="private")
    await ben.refused(422, "POST", f"/api/v1/statuses/{private['id']}/reblog")
    assert (await ann.do("reblog", private))["visibility"] == "private", "the author may"
    direct = await ann.publish("@ben psst", visibility="direct")
    for person in (ann, ben):
        await person.refused(422, "POST", f"/api/v1/statuses/{direct['id']}/reblog")


async def test_a_boost_is_taken_back_by_deleting_it(ann: Person, ben: Person) -> None:
    made = await ann.publish("word")
    boost = await ben.do("reblog", made)
    await ben.delete(f"/api/v1/statuses/{boost['id']}")
    assert (await ben.get(f"/api/v1/statuses/{made['id']}"))["reblogs_count"] == 0


async def test_reactions_to_a_boost_go_to_what_it_shows(ann: Person, ben: Person) -> None:
    made = await ann.publish("word")
    boost = await ben.do("reblog", made)
    for verb, mark in (("favourite", "favourited"), ("bookmark", "bookmarked"), ("mute", "muted")):
        changed = await ann.do(verb, boost)
        assert (changed["id"], changed[mark]) == (made["id"], True)
        shown = await ann.get(f"/api/v1/statuses/{boost['id']}")
        assert shown[mark] is shown["reblog"][mark] is True


async def test_pins(ann: Person, ben: Person) -> None:
    first, second = await ann.publish("first"), await ann.publish("second")
    assert (await ann.do("pin", first))["pinned"] is True
    assert await ben.ids(f"/api/v1/accounts/{ann.id}/statuses", pinned="true") == [first["id"]]
    assert "pinned" not in await ben.get(f"/api/v1/statuses/{first['id']}")
    assert "Someone else's post" in await ben.refused(422, "POST", f"/api/v1/statuses/{second['id']}/pin")
    for number in range(4):
        await ann.do("pin", await ann.publish(str(number)))
    await ann.refused(422, "POST", f"/api/v1/statuses/{second['id']}/pin")
    assert (await ann.do("unpin", first))["pinned"] is False
    await ann.do("pin", second)
    assert len(await ben.ids(f"/api/v1/accounts/{ann.id}/statuses", pinned="true")) == 5


async def test_a_muted_thread_is_quiet(ann: Person, ben: Person) -> None:
    root = await ann.publish("root")
    reply = await ben.publish("@ann one", in_reply_to_id=root["id"])
    assert (await ann.do("mute", reply))["muted"] is True
    assert (await ann.get(f"/api/v1/statuses/{root['id']}"))["muted"] is True, "the whole thread"
    await ben.publish("@ann two", in_reply_to_id=reply["id"])
    await ben.do("favourite", root)
    assert await ann.notified() == [("mention", "ben")]
    assert (await ann.do("unmute", root))["muted"] is False
    await ben.publish("@ann three", in_reply_to_id=root["id"])
    assert len(await ann.notified()) == 2


@pytest.mark.parametrize("verb", ["favourite", "reblog", "bookmark", "mute", "pin", "unpin"])
async def test_nobody_reacts_to_what_they_cannot_see(ann: Person, ben: Person, verb: str) -> None:
    made = await ann.publish("secret", visibility="direct")
    await ben.refused(404, "POST", f"/api/v1/statuses/{made['id']}/{verb}")


async def test_posts_of_other_departments_look_the_same(office: Office, ann: Person) -> None:
    sue = await office.colleague("sue")
    uri = "http://sales.localhost/o/1"
    remote = RemoteStatus(
        uri=uri, url="http://sales.localhost/@sue/1", account=sue, visibility="public", reach="company",
        content="<p>from sales</p>", text="from sales", created_at=office.clock.ms(), tags=("Sales",),
        mentions=((ann.account.id, False),),
    )  # fmt: skip
    status = await office.db.write(receiving.receive, remote)
    assert status is not None
    shown = await ann.get(f"/api/v1/statuses/{status.id}")
    assert (shown["uri"], shown["account"]["acct"], shown["tags"][0]["name"]) == (uri, "sue@sales.localhost", "sales")
    assert await ann.ids("/api/v1/timelines/public", remote="true") == [shown["id"]]
    assert await ann.ids("/api/v1/timelines/public", local="true") == []
    assert await ann.notified() == [("mention", "sue@sales.localhost")]
    await ann.do("favourite", shown)
    await ann.publish("@sue@sales.localhost thanks", in_reply_to_id=shown["id"])
    assert (await ann.get(f"/api/v1/statuses/{status.id}"))["replies_count"] == 1


async def test_what_has_a_warning_in_front_is_sensitive(ann: Person) -> None:
    """As in Mastodon; other servers are told the same."""
    made = await ann.publish("the end", spoiler_text="the film", sensitive=False)
    assert made["sensitive"] is True
    path = f"/api/v1/statuses/{made['id']}"
    assert (await ann.put(path, status="the very end"))["sensitive"] is True
    assert (await ann.put(path, status="no film", spoiler_text=""))["sensitive"] is False
    assert (await ann.put(path, status="the film", spoiler_text="again"))["sensitive"] is True
    versions = await ann.get(f"{path}/history")
    assert [version["sensitive"] for version in versions] == [True, True, False, True]
    plain = await ann.publish("a picture", sensitive=True)
    path = f"/api/v1/statuses/{plain['id']}"
    assert (await ann.put(path, status="still one", spoiler_text=""))["sensitive"] is True
