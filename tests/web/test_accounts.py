"""Accounts: one's own profile, those of others, follows and requests, blocks, mutes, notes, and finding people."""

from typing import Any

import httpx
import pytest

from fedcorp.social import accounts
from tests.web.instance import Office, Person, picture

pytestmark = pytest.mark.anyio

UPDATE = "/api/v1/accounts/update_credentials"
PROFILE = "/api/v1/profile"


# -- one's own -------------------------------------------------------------------------------------------------------


async def test_a_new_account_is_complete(ann: Person) -> None:
    me = await ann.get("/api/v1/accounts/verify_credentials")
    assert (me["id"], me["username"], me["acct"], me["locked"], me["bot"], me["group"]) == (
        ann.id, "ann", "ann", False, False, False,
    )  # fmt: skip
    assert (
        me["source"] | {"privacy": "public", "sensitive": False, "language": None, "reach": "company"} == (me["source"])
    )
    assert (me["role"]["name"], me["role"]["permissions"]) == ("", "0")
    for picture_of in ("avatar", "header"):
        drawn = await ann.http.get(me[picture_of])
        assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/png")


async def test_a_profile_is_changed_part_by_part(ann: Person, ben: Person) -> None:
    changed = await ann.patch(
        UPDATE, display_name="Ann A.", note="Counts <b>beans</b>\nsince 1999", locked=True, bot=True, discoverable=False
    )
    assert (changed["display_name"], changed["locked"], changed["bot"], changed["discoverable"]) == (
        "Ann A.", True, True, False,
    )  # fmt: skip
    assert changed["note"] == "<p>Counts &lt;b&gt;beans&lt;/b&gt;<br />since 1999</p>"
    assert changed["source"]["note"] == "Counts <b>beans</b>\nsince 1999"
    assert (await ann.patch(UPDATE, bot="false"))["locked"] is True
    seen = await ben.get(f"/api/v1/accounts/{ann.id}")
    assert (seen["display_name"], seen["locked"], seen["bot"]) == ("Ann A.", True, False)
    assert "source" not in seen


async def test_settings_for_new_posts(ann: Person) -> None:
    source = {"privacy": "unlisted", "sensitive": True, "language": "de", "reach": "department"}
    changed = await ann.patch(UPDATE, source=source)
    assert {name: changed["source"][name] for name in source} == source
    wanted = await ann.get("/api/v1/preferences")
    assert wanted["posting:default:visibility"] == "unlisted"
    assert (wanted["posting:default:sensitive"], wanted["posting:default:language"]) == (True, "de")
    made = await ann.publish("as usual")
    assert (made["visibility"], made["sensitive"], made["language"], made["reach"]) == (
        "unlisted", True, "de", "department",
    )  # fmt: skip
    plain = await ann.publish("not this one", visibility="public", sensitive=False, language="en")
    assert (plain["visibility"], plain["sensitive"], plain["language"]) == ("public", False, "en")


@pytest.mark.parametrize(
    "shape",
    [
        {"json": {"fields_attributes": [{"name": "Desk", "value": "4.12"}, {"name": "Web", "value": "https://a.b"}]}},
        {"json": {"fields_attributes": {"0": {"name": "Desk", "value": "4.12"}, "1": {"name": "Web", "value": "https://a.b"}}}},
        {"data": {
            "fields_attributes[0][name]": "Desk", "fields_attributes[0][value]": "4.12",
            "fields_attributes[1][name]": "Web", "fields_attributes[1][value]": "https://a.b",
            "fields_attributes[2][name]": "", "fields_attributes[2][value]": "",
        }},
        {"files": {
            "fields_attributes[0][name]": (None, "Desk"), "fields_attributes[0][value]": (None, "4.12"),
            "fields_attributes[1][name]": (None, "Web"), "fields_attributes[1][value]": (None, "https://a.b"),
        }},
    ],
    ids=["list", "indexed", "form", "multipart"],
)  # fmt: skip
async def test_fields_in_every_shape(ann: Person, shape: dict[str, Any]) -> None:
    changed = (await ann.ask("PATCH", UPDATE, **shape)).json()
    assert [(item["name"], item["value"]) for item in changed["source"]["fields"]] == [
        ("Desk", "4.12"), ("Web", "https://a.b"),
    ]  # fmt: skip
    assert 'href="https://a.b"' in changed["fields"][1]["value"]


async def test_a_profile_as_its_owner_edits_it(ann: Person, ben: Person) -> None:
    """What was typed, not what is shown; pictures that are drawn are none."""
    told = await ann.get(PROFILE)
    assert (told["id"], told["note"], told["avatar"], told["header"], told["avatar_description"]) == (
        ann.id, "", None, None, "",
    )  # fmt: skip
    changed = await ann.patch(
        PROFILE, display_name="Ann A.", note="Counts <b>beans</b>", locked=True, show_media=False,
        fields_attributes=[{"name": "site", "value": "https://ann.example"}], show_media_replies=False,
        show_featured=False, attribution_domains=["News.example ", "news.example", "blog.example"],
    )  # fmt: skip
    assert (changed["display_name"], changed["note"], changed["locked"]) == ("Ann A.", "Counts <b>beans</b>", True)
    assert changed["fields"] == [{"name": "site", "value": "https://ann.example", "verified_at": None}]
    assert changed["attribution_domains"] == ["news.example", "blog.example"]
    assert await ann.get(PROFILE) == changed
    seen = await ben.get(f"/api/v1/accounts/{ann.id}")
    assert (seen["show_media"], seen["show_media_replies"], seen["show_featured"]) == (False, False, False)
    assert seen["note"] == "<p>Counts &lt;b&gt;beans&lt;/b&gt;</p>"
    credentials = await ann.patch(UPDATE, show_media=True, attribution_domains=[])  # the rest stays as it was
    assert (credentials["show_media"], credentials["show_featured"]) == (True, False)
    assert credentials["source"]["attribution_domains"] == []
    await ann.post("/api/v1/featured_tags", name="chess")
    assert [tag["name"] for tag in (await ann.get(PROFILE))["featured_tags"]] == ["chess"]
    before = await ann.get(PROFILE)
    for wrong in (
        {"avatar_description": "x" * 1501}, {"attribution_domains": ["https://news.example"]},
        {"attribution_domains": [f"n{number}.example" for number in range(11)]},
    ):  # fmt: skip
        await ann.refused(422, "PATCH", PROFILE, json=wrong)
    assert await ann.get(PROFILE) == before


async def test_words_for_the_pictures_of_a_profile(ann: Person, ben: Person) -> None:
    files = {"avatar": ("me.png", picture("red"), "image/png"), "header": ("wide.png", picture("blue"), "image/png")}
    response = await ann.http.patch(PROFILE, files=files, data={"avatar_description": "a shark"})
    assert response.status_code == 200, response.text
    mine = await ann.get(PROFILE)
    assert (mine["avatar_description"], mine["header_description"]) == ("a shark", "")
    assert (await ann.http.get(mine["avatar"])).status_code == (await ann.http.get(mine["header"])).status_code == 200
    await ann.patch(PROFILE, header_description="the sea")
    await ben.follow(ann)
    shown = await ben.get(f"/api/v1/accounts/{ann.id}")
    assert (shown["avatar_description"], shown["header_description"]) == ("a shark", "the sea")
    await ann.http.patch(PROFILE, files={"avatar": ("me.png", picture("green"), "image/png")})  # another picture
    await ann.delete("/api/v1/profile/header")
    mine = await ann.get(PROFILE)
    assert (mine["avatar_description"], mine["header_description"], mine["header"]) == ("", "", None)


async def test_a_form_in_which_no_file_was_chosen_changes_no_picture(ann: Person) -> None:
    """Browsers send such fields of a form as files without a name and without bytes."""
    await ann.ask("PATCH", UPDATE, files={"avatar": ("me.png", picture("red"), "image/png")})
    before = await ann.get(PROFILE)
    part = (
        'content-disposition: form-data; name="{}"; filename=""\r\ncontent-type: application/octet-stream\r\n\r\n\r\n'
    )
    name = 'content-disposition: form-data; name="display_name"\r\n\r\nAnn A.\r\n'
    body = "".join(f"--x\r\n{each}" for each in (part.format("avatar"), part.format("header"), name)) + "--x--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = await ann.http.patch(UPDATE, content=body.encode(), headers=headers)
    assert response.status_code == 200, response.text
    assert await ann.get(PROFILE) == before | {"display_name": "Ann A."}


async def test_pictures_of_a_profile(ann: Person, ben: Person) -> None:
    files = {"avatar": ("me.png", picture("red"), "image/png"), "header": ("wide.jpg", picture("blue"), "image/jpeg")}
    form = {"display_name": "Ann", "source[privacy]": "private"}
    changed = (await ann.ask("PATCH", UPDATE, files=files, data=form)).json()
    assert (changed["display_name"], changed["source"]["privacy"]) == ("Ann", "private")
    shown = await ben.get(f"/api/v1/accounts/{ann.id}")
    for name in ("avatar", "header"):
        served = await httpx.AsyncClient(transport=ann.http._transport).get(shown[name])
        assert (served.status_code, served.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    for name in ("avatar", "header"):
        after = await ann.delete(f"/api/v1/profile/{name}")
        assert f"/{name}s/{ann.id}.png" in after[name]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"json": {"display_name": "x" * 101}}, 422),
        ({"json": {"note": "x" * 1001}}, 422),
        ({"json": {"fields_attributes": [{"name": str(n), "value": "v"} for n in range(9)]}}, 422),
        ({"json": {"fields_attributes": [{"name": "x" * 501, "value": "v"}]}}, 422),
        ({"json": {"source": {"privacy": "nonsense"}}}, 422),
        ({"json": {"source": {"reach": "nonsense"}}}, 422),
        ({"json": {"locked": "perhaps"}}, 400),
        ({"json": {"source": "x"}}, 400),
        ({"json": {"avatar": "x"}}, 400),
        ({"files": {"avatar": ("a.png", b"no picture", "image/png")}}, 422),
    ],
)
async def test_a_profile_that_breaks_a_rule_stays(ann: Person, wrong: dict[str, Any], status: int) -> None:
    before = await ann.get("/api/v1/accounts/verify_credentials")
    await ann.refused(status, "PATCH", UPDATE, **wrong)
    assert await ann.get("/api/v1/accounts/verify_credentials") == before


async def test_names_have_one_line(ann: Person) -> None:
    changed = await ann.patch(
        UPDATE, display_name=" Ann\n\u202eA.\t", fields_attributes=[{"name": "De\nsk", "value": "4\n12"}]
    )
    assert changed["display_name"] == "Ann A."
    assert (changed["source"]["fields"][0]["name"], changed["source"]["fields"][0]["value"]) == ("De sk", "4 12")


# -- others ----------------------------------------------------------------------------------------------------------


async def test_finding_an_account(office: Office, ann: Person, ben: Person) -> None:
    sue = await office.colleague("sue")
    for acct in ("ben", "@BEN", "ben@finance.localhost", "@Ben@Finance.localhost"):
        assert (await ann.get("/api/v1/accounts/lookup", acct=acct))["id"] == ben.id
    assert (await ann.get("/api/v1/accounts/lookup", acct="sue@sales.localhost"))["id"] == str(sue.id)
    for acct in ("nobody", "ben@sales.localhost", "@"):
        await ann.refused(404, "GET", "/api/v1/accounts/lookup", params={"acct": acct})
    await ann.refused(400, "GET", "/api/v1/accounts/lookup")
    both = {"id[]": [ben.id, ann.id, "1"]}
    assert await ann.ids("/api/v1/accounts", **both) == [ben.id, ann.id]


async def test_searching_people(office: Office, ann: Person, ben: Person) -> None:
    ada = await office.person("ada_bennett")
    await office.colleague("benno")
    assert await ann.ids("/api/v1/accounts/search", q="ben") == [
        ben.id, (await ann.get("/api/v1/accounts/lookup", acct="benno@sales.localhost"))["id"], ada.id,
    ]  # fmt: skip
    await ann.follow(ada)
    assert (await ann.ids("/api/v1/accounts/search", q="BEN"))[0] == ada.id, "who is followed comes first"
    assert await ann.ids("/api/v1/accounts/search", q="ben", following="true") == [ada.id]
    assert len(await ann.ids("/api/v1/accounts/search", q="ben", limit=1)) == 1
    assert len(await ann.ids("/api/v1/accounts/search", q="ben", offset=2)) == 1
    assert await ann.ids("/api/v1/accounts/search", q="@benno@sales.localhost", resolve="true") != []
    assert await ann.ids("/api/v1/accounts/search", q="") == []
    await ben.towards(ann, "block")
    assert ben.id not in await ann.ids("/api/v1/accounts/search", q="ben")


async def test_what_an_account_wrote(ann: Person, ben: Person) -> None:
    first = await ben.publish("first")
    reply = await ann.publish("reply", in_reply_to_id=first["id"])
    shown = await ann.publish("shown #x", media_ids=[(await ann.upload())["id"]])
    boost = await ann.do("reblog", first)
    path = f"/api/v1/accounts/{ann.id}/statuses"
    assert await ben.ids(path) == [boost["id"], shown["id"], reply["id"]]
    assert await ben.ids(path, exclude_replies="true") == [boost["id"], shown["id"]]
    assert await ben.ids(path, exclude_reblogs="1") == [shown["id"], reply["id"]]
    assert await ben.ids(path, only_media="true") == [shown["id"]]
    assert await ben.ids(path, tagged="X") == [shown["id"]]
    assert await ben.ids(path, limit=1) == [boost["id"]]
    assert await ben.ids(path, pinned="true") == []


async def test_who_knows_whom(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    await ann.follow(ben)
    await cid.follow(ben)
    await ann.follow(cid)
    assert await ben.ids(f"/api/v1/accounts/{ben.id}/followers") == [cid.id, ann.id]
    assert await ben.ids(f"/api/v1/accounts/{ann.id}/following") == [cid.id, ben.id]
    shown = await cid.get(f"/api/v1/accounts/{ben.id}")
    assert (shown["followers_count"], shown["following_count"]) == (2, 0)
    familiar = await ann.get("/api/v1/accounts/familiar_followers", **{"id[]": [ben.id, cid.id, "1"]})
    assert [(item["id"], [one["id"] for one in item["accounts"]]) for item in familiar] == [
        (ben.id, [cid.id]), (cid.id, []),
    ]  # fmt: skip
    await ben.patch(UPDATE, hide_collections=True)
    assert await ann.ids(f"/api/v1/accounts/{ben.id}/followers") == []
    assert await ben.ids(f"/api/v1/accounts/{ben.id}/followers") == [cid.id, ann.id]
    assert await ann.get(f"/api/v1/accounts/{ben.id}/identity_proofs") == []


async def test_people_who_left_are_gone(office: Office, ann: Person, ben: Person) -> None:
    made = await ben.publish("bye")
    await ann.follow(ben)
    await office.db.write(lambda tx: accounts.delete(tx, accounts.get(tx, ben.account.id)))
    await ann.refused(404, "GET", f"/api/v1/accounts/{ben.id}")
    await ann.refused(404, "GET", "/api/v1/accounts/lookup", params={"acct": "ben"})
    await ann.refused(404, "GET", f"/api/v1/statuses/{made['id']}")
    await ann.refused(404, "POST", f"/api/v1/accounts/{ben.id}/follow")
    assert await ann.ids("/api/v1/accounts", **{"id[]": ben.id}) == []
    assert await ann.home() == []
    assert (await ann.get("/api/v1/accounts/verify_credentials"))["following_count"] == 0
    await ben.refused(401, "GET", "/api/v1/accounts/verify_credentials")


# -- follows ---------------------------------------------------------------------------------------------------------


async def test_following(ann: Person, ben: Person) -> None:
    before = await ben.publish("before")
    stands = await ann.follow(ben)
    assert (stands["following"], stands["requested"], stands["showing_reblogs"], stands["notifying"]) == (
        True, False, True, False,
    )  # fmt: skip
    assert (await ben.relationship(ann))["followed_by"] is True
    assert await ben.notified() == [("follow", "ann")]
    after = await ben.publish("after")
    assert await ann.home() == [after["id"], before["id"]], "what was written lately comes along"
    assert (await ann.towards(ben, "unfollow"))["following"] is False
    assert await ann.home() == []
    assert (await ann.towards(ben, "unfollow"))["following"] is False
    assert (await ben.get(f"/api/v1/accounts/{ben.id}"))["followers_count"] == 0
    await ann.refused(422, "POST", f"/api/v1/accounts/{ann.id}/follow")


async def test_how_one_follows(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    stands = await ann.follow(ben, reblogs=False, notify=True, languages=["de", "en"])
    assert (stands["showing_reblogs"], stands["notifying"], stands["languages"]) == (False, True, ["de", "en"])
    boosted = await cid.publish("by cid")
    await ben.do("reblog", boosted)
    assert boosted["id"] not in await ann.home()
    made = await ben.publish("ring")
    assert await ann.notified() == [("status", "ben")]
    await ben.publish("no ring", in_reply_to_id=made["id"])
    again = await ann.follow(ben, notify=False)
    assert (again["showing_reblogs"], again["notifying"], again["following"]) == (False, False, True), "the rest stays"
    await ben.publish("quiet")
    assert len(await ann.notified()) == 1
    assert (await ann.follow(ben, reblogs=True))["showing_reblogs"] is True
    later = await cid.publish("by cid again")
    await ben.do("reblog", later)
    assert later["id"] in await ann.home()


async def test_a_locked_account_is_asked(ann: Person, ben: Person, office: Office) -> None:
    cid = await office.person("cid")
    await ben.patch(UPDATE, locked=True)
    private = await ben.publish("for followers", visibility="private")
    for person in (ann, cid):
        stands = await person.follow(ben)
        assert (stands["following"], stands["requested"]) == (False, True)
    assert (await ben.relationship(ann))["requested_by"] is True
    assert await ben.notified() == [("follow_request", "cid"), ("follow_request", "ann")]
    assert await ben.ids("/api/v1/follow_requests") == [cid.id, ann.id]
    assert (await ben.get("/api/v1/accounts/verify_credentials"))["source"]["follow_requests_count"] == 2
    await ann.refused(404, "GET", f"/api/v1/statuses/{private['id']}")

    accepted = await ben.post(f"/api/v1/follow_requests/{ann.id}/authorize")
    assert accepted["followed_by"] is True
    assert await ann.home() == [private["id"]]
    rejected = await ben.post(f"/api/v1/follow_requests/{cid.id}/reject")
    assert (rejected["followed_by"], (await cid.relationship(ben))["requested"]) == (False, False)
    assert await ben.ids("/api/v1/follow_requests") == []
    assert await ben.notified() == [("follow", "ann")]
    assert await cid.notified() == [], "a person who refuses writes to nobody, as a group does"
    await ben.refused(404, "POST", f"/api/v1/follow_requests/{cid.id}/authorize")
    await ben.refused(404, "POST", f"/api/v1/follow_requests/{cid.id}/reject")
    await ben.refused(404, "POST", f"/api/v1/follow_requests/{ann.id}/reject")
    assert (await ann.relationship(ben))["following"] is True, "rejecting is for requests"


async def test_moderators_answer_for_their_group(ann: Person, ben: Person, office: Office) -> None:
    cid = await office.person("cid")
    group = await office.group(ann, "club", "request")
    await office.group(ben, "other", "request")
    await ann.patch(UPDATE, locked=True)
    for asking in (ben, cid):
        await asking.post(f"/api/v1/accounts/{group}/follow")
    await cid.follow(ann)
    assert await ann.ids("/api/v1/follow_requests") == [cid.id, ben.id], "each once"
    assert await ann.ids("/api/v1/follow_requests", limit=1, max_id=2**62) == [cid.id]
    assert await ben.ids("/api/v1/follow_requests") == [], "nobody answers for other groups"
    await ben.refused(404, "POST", f"/api/v1/follow_requests/{cid.id}/authorize")

    await ann.post(f"/api/v1/follow_requests/{cid.id}/authorize")
    assert ((await cid.relationship(group))["following"], (await cid.relationship(ann))["requested"]) == (True, True)
    await ann.post(f"/api/v1/follow_requests/{cid.id}/reject")
    assert ((await cid.relationship(group))["following"], (await cid.relationship(ann))["requested"]) == (True, False)
    await ann.post(f"/api/v1/follow_requests/{ben.id}/reject")
    stands = await ben.relationship(group)
    assert (stands["following"], stands["requested"]) == (False, False)
    assert await ann.ids("/api/v1/follow_requests") == []
    assert await ann.notified() == [("mention", "club")] * 2, "the group told its moderator of each"


async def test_a_follower_is_removed(ann: Person, ben: Person) -> None:
    await ann.follow(ben)
    assert (await ben.towards(ann, "remove_from_followers"))["followed_by"] is False
    assert (await ann.relationship(ben))["following"] is False
    await ben.towards(ann, "remove_from_followers")


async def test_a_request_is_taken_back(ann: Person, ben: Person) -> None:
    await ben.patch(UPDATE, locked=True)
    await ann.follow(ben)
    assert (await ann.towards(ben, "unfollow"))["requested"] is False
    assert (await ben.ids("/api/v1/follow_requests"), await ben.notified()) == ([], [])


# -- kept away -------------------------------------------------------------------------------------------------------


async def test_a_block_parts_two_people(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    for one, other in ((ann, ben), (ben, ann), (cid, ben), (cid, ann)):
        await one.follow(other)
    await ben.do("favourite", await ann.publish("to all"))
    stands = await ann.towards(ben, "block")
    assert (stands["blocking"], stands["following"], stands["followed_by"]) == (True, False, False)
    assert (await ben.relationship(ann))["blocked_by"] is True
    assert await ann.ids("/api/v1/blocks") == [ben.id]
    assert await ann.notified() == [("follow", "cid")], "what ben did is gone from sight"
    by_ann, by_ben = await ann.publish("by ann"), await ben.publish("by ben @ann")
    await ben.refused(404, "GET", f"/api/v1/statuses/{by_ann['id']}")
    await ann.refused(404, "GET", f"/api/v1/statuses/{by_ben['id']}")
    await ben.refused(403, "POST", f"/api/v1/accounts/{ann.id}/follow")
    assert by_ann["id"] not in await ben.ids("/api/v1/timelines/public")
    assert by_ben["id"] not in await ann.ids("/api/v1/timelines/public")
    assert await ann.notified() == [("follow", "cid")]
    await cid.do("reblog", by_ben)
    assert by_ben["id"] not in [item["id"] for item in await ann.get("/api/v1/timelines/home")]
    assert (await ann.towards(ben, "unblock"))["blocking"] is False
    await ben.get(f"/api/v1/statuses/{by_ann['id']}")
    await ann.refused(422, "POST", f"/api/v1/accounts/{ann.id}/block")


async def test_a_mute_hides_without_telling(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    await ann.follow(ben)
    await ann.follow(cid)
    before = await ben.publish("before @ann")
    stands = await ann.towards(ben, "mute")
    assert (stands["muting"], stands["muting_notifications"], stands["following"]) == (True, True, True)
    after = await ben.publish("after @ann")
    boosted = await cid.do("reblog", after)
    assert (await ann.home(), await ann.notified()) == ([], [])
    assert await ann.ids("/api/v1/timelines/public") == []
    await ann.get(f"/api/v1/statuses/{after['id']}")
    assert [item["id"] for item in await ann.get(f"/api/v1/accounts/{ben.id}/statuses")] == [after["id"], before["id"]]
    (muted,) = await ann.get("/api/v1/mutes")
    assert (muted["id"], muted["mute_expires_at"]) == (ben.id, None)
    assert (await ann.towards(ben, "unmute"))["muting"] is False
    assert await ann.home() == [after["id"], before["id"]]
    assert boosted["reblog"]["id"] == after["id"]


async def test_a_mute_may_leave_notifications(ann: Person, ben: Person) -> None:
    stands = await ann.towards(ben, "mute", notifications=False)
    assert (stands["muting"], stands["muting_notifications"]) == (True, False)
    await ben.publish("@ann hello")
    assert await ann.notified() == [("mention", "ben")]


async def test_a_mute_ends_by_itself(office: Office, ann: Person, ben: Person) -> None:
    await ann.follow(ben)
    made = await ben.publish("later")
    await ann.towards(ben, "mute", duration=600)
    assert (await ann.home(), (await ann.get("/api/v1/mutes"))[0]["mute_expires_at"] is not None) == ([], True)
    office.clock.pass_(seconds=601)
    assert (await ann.home(), await ann.get("/api/v1/mutes")) == ([made["id"]], [])
    assert (await ann.relationship(ben))["muting"] is False


async def test_a_note_about_somebody(ann: Person, ben: Person) -> None:
    assert (await ann.towards(ben, "note", comment=" owes me lunch "))["note"] == "owes me lunch"
    assert (await ben.relationship(ann))["note"] == ""
    assert (await ann.towards(ben, "note"))["note"] == ""
    await ann.refused(422, "POST", f"/api/v1/accounts/{ben.id}/note", json={"comment": "x" * 2001})


async def test_relationships_leave_out_whom_nobody_knows(ann: Person, ben: Person) -> None:
    found = await ann.get("/api/v1/accounts/relationships", **{"id[]": ["1", ben.id, ann.id]})
    assert [item["id"] for item in found] == [ben.id, ann.id]
    assert await ann.get("/api/v1/accounts/relationships") == []
    one = await ann.get("/api/v1/accounts/relationships", id=ben.id)
    assert [item["id"] for item in one] == [ben.id]


# -- discovery -------------------------------------------------------------------------------------------------------


async def test_the_directory(office: Office, ann: Person, ben: Person) -> None:
    group = await office.group(ann, "club")
    secret = await office.group(ben, "conspiracy", "secret")
    await ben.publish("active")
    assert await ann.ids("/api/v1/directory") == [group, ben.id, ann.id]
    assert await ben.ids("/api/v1/directory") == [secret, group, ben.id, ann.id]
    assert await ann.ids("/api/v1/directory", order="new", local="true") == [group, ben.id, ann.id]
    assert await ann.ids("/api/v1/directory", limit=1, offset=1) == [ben.id]
    await ben.patch(UPDATE, discoverable=False)
    assert await ann.ids("/api/v1/directory") == [group, ann.id]
    await ann.refused(400, "GET", "/api/v1/directory", params={"order": "oldest"})


async def test_suggestions_begin_with_groups(office: Office, ann: Person, ben: Person) -> None:
    group = await office.group(ben, "club")
    cid = await office.person("cid")
    await cid.follow(ben)
    found = await ann.get("/api/v2/suggestions")
    assert [(item["account"]["id"], item["sources"]) for item in found] == [
        (group, ["featured"]), (ben.id, ["most_followed"]), (cid.id, ["most_followed"]),
    ]  # fmt: skip
    assert await ann.ids("/api/v1/suggestions", limit=2) == [group, ben.id]
    await ann.follow(ben)
    assert ben.id not in await ann.ids("/api/v1/suggestions")


async def test_suggestions_that_were_put_away_do_not_come_back(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    secret = await office.group(ben, "conspiracy", "secret")
    assert await ann.ids("/api/v1/suggestions") == [ben.id, cid.id]
    for id_ in (ben.id, ben.id, ann.id, secret, "1"):  # twice is once; of what is hidden or is not, nothing is said
        assert await ann.delete(f"/api/v1/suggestions/{id_}") == {}
    assert await ann.ids("/api/v1/suggestions") == [cid.id]
    assert [item["account"]["id"] for item in await ann.get("/api/v2/suggestions")] == [cid.id]
    assert ben.id in await cid.ids("/api/v1/suggestions")
    await ann.refused(404, "DELETE", "/api/v1/suggestions/nobody")


async def test_what_nobody_can_have_is_empty(ann: Person) -> None:
    assert await ann.get("/api/v1/domain_blocks") == []
