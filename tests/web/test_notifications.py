"""Notifications: what people are told of, one by one and in groups, what they put away, and what stays silent."""

from typing import Any

import pytest

from tests.web.instance import ORIGIN, Office, Person

pytestmark = pytest.mark.anyio

ALL = "/api/v1/notifications"
GROUPS = "/api/v2/notifications"


async def liked(author: Person, *people: Person) -> Any:
    """A post that these people marked."""
    posted = await author.publish("like it")
    for person in people:
        await person.do("favourite", posted)
    return posted


# -- what is told ----------------------------------------------------------------------------------------------------


async def test_everybody_is_told_what_concerns_them(office: Office, ann: Person, ben: Person) -> None:
    posted = await ann.publish("hello")
    await ben.follow(ann)
    await ben.do("favourite", posted)
    await ben.do("reblog", posted)
    await ben.publish("@ann hello", in_reply_to_id=posted["id"])
    assert await ann.notified() == [(kind, "ben") for kind in ("mention", "reblog", "favourite", "follow")]
    await ann.towards(ben, "follow", notify=True)
    news = await ben.publish("news")
    assert (await ann.get(ALL, limit=1))[0]["status"]["id"] == news["id"]
    await ann.do("reblog", news)
    await ben.put(f"/api/v1/statuses/{news['id']}", status="better news")
    assert (await ann.notified())[:2] == [("update", "ben"), ("status", "ben")]
    assert await ben.notified() == [("reblog", "ann"), ("follow", "ann")]


async def test_a_request_to_follow_is_told_as_such(ann: Person, ben: Person) -> None:
    await ann.patch("/api/v1/accounts/update_credentials", locked=True)
    await ben.follow(ann)
    assert await ann.notified() == [("follow_request", "ben")]
    await ann.post(f"/api/v1/follow_requests/{ben.id}/authorize")
    assert ("follow", "ann") not in await ben.notified()


async def test_the_same_is_told_once(ann: Person, ben: Person) -> None:
    posted = await liked(ann, ben)
    await ben.do("unfavourite", posted)
    await ben.do("favourite", posted)
    assert await ann.notified() == [("favourite", "ben")]


async def test_nobody_is_told_of_themselves(ann: Person) -> None:
    posted = await ann.publish("@ann to me")
    await ann.do("favourite", posted)
    await ann.do("reblog", posted)
    assert await ann.notified() == []


@pytest.mark.parametrize("how", ["block", "mute"])
async def test_those_kept_away_tell_nothing(ann: Person, ben: Person, how: str) -> None:
    posted = await liked(ann, ben)
    await ann.towards(ben, how)
    assert await ann.get(ALL) == []
    if how == "mute":
        await ben.do("reblog", posted)
        await ann.towards(ben, "unmute")
        assert [kind for kind, _ in await ann.notified()] == ["favourite"], "what came meanwhile was not told"


async def test_a_mute_may_leave_notifications(ann: Person, ben: Person) -> None:
    await ann.towards(ben, "mute", notifications=False)
    await liked(ann, ben)
    assert await ann.notified() == [("favourite", "ben")]


async def test_a_muted_thread_is_silent(ann: Person, ben: Person) -> None:
    posted = await ann.publish("a long thread")
    await ann.do("mute", posted)
    reply = await ben.publish("@ann still there?", in_reply_to_id=posted["id"])
    assert await ann.notified() == []
    await ann.do("unmute", posted)
    await ben.publish("@ann now?", in_reply_to_id=reply["id"])
    assert await ann.notified() == [("mention", "ben")]


async def test_a_deleted_post_takes_its_notifications_along(ann: Person, ben: Person) -> None:
    posted = await ben.publish("@ann look")
    assert await ann.notified() == [("mention", "ben")]
    await ben.delete(f"/api/v1/statuses/{posted['id']}")
    assert await ann.notified() == []
    assert (await ann.get(GROUPS))["notification_groups"] == []


async def test_the_end_of_a_poll_is_told_to_all_who_took_part(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    asked = await ann.publish("?", poll={"options": ["a", "b"], "expires_in": 300})
    await ben.post(f"/api/v1/polls/{asked['poll']['id']}/votes", choices=[0])
    office.clock.pass_(seconds=400)
    await office.settle()
    assert ("poll", "ann") in await ben.notified()
    assert ("poll", "ann") in await ann.notified()
    assert await eve.notified() == []


# -- reading one by one ----------------------------------------------------------------------------------------------


async def test_kinds_and_people_can_be_chosen(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    await liked(ann, ben, eve)
    await eve.follow(ann)

    async def kinds(**params: Any) -> list[tuple[str, str]]:
        return [(item["type"], item["account"]["acct"]) for item in await ann.get(ALL, **params)]

    everything = [("follow", "eve"), ("favourite", "eve"), ("favourite", "ben")]
    assert await kinds() == everything
    assert await kinds(**{"types[]": "follow"}) == everything[:1]
    assert await kinds(**{"types[]": ["follow", "favourite"]}) == everything
    assert await kinds(**{"exclude_types[]": ["follow"]}) == everything[1:]
    assert await kinds(**{"types[]": ["follow", "favourite"], "exclude_types[]": "follow"}) == everything[1:]
    assert await kinds(**{"types[]": "admin.sign_up"}) == []
    assert await kinds(account_id=ben.id) == everything[2:]


async def test_one_is_read_and_put_away(ann: Person, ben: Person) -> None:
    await liked(ann, ben)
    await ben.follow(ann)
    newer, older = await ann.get(ALL)
    assert await ann.get(f"{ALL}/{older['id']}") == older
    await ben.refused(404, "POST", f"{ALL}/{older['id']}/dismiss")
    await ann.post(f"{ALL}/{older['id']}/dismiss")
    await ann.refused(404, "GET", f"{ALL}/{older['id']}")
    await ann.refused(404, "POST", f"{ALL}/{older['id']}/dismiss")
    assert await ann.get(ALL) == [newer]
    await ann.post(f"{ALL}/clear")
    assert await ann.get(ALL) == []


async def test_the_marker_says_what_is_unread(ann: Person, ben: Person) -> None:
    for _ in range(3):
        await liked(ann, ben)
    await ben.follow(ann)
    assert await ann.get(f"{ALL}/unread_count") == {"count": 4}
    assert await ann.get(f"{ALL}/unread_count", limit=2) == {"count": 2}
    assert await ann.get(f"{ALL}/unread_count", **{"types[]": "follow"}) == {"count": 1}
    ids = await ann.ids(ALL)
    await ann.post("/api/v1/markers", notifications={"last_read_id": ids[1]})
    assert await ann.get(f"{ALL}/unread_count") == {"count": 1}
    await ann.post("/api/v1/markers", notifications={"last_read_id": ids[0]})
    assert await ann.get(f"{ALL}/unread_count") == {"count": 0}
    assert await ann.get(f"{GROUPS}/unread_count") == {"count": 0}


# -- in groups -------------------------------------------------------------------------------------------------------


async def test_marks_of_one_post_are_one_group(office: Office, ann: Person, ben: Person) -> None:
    people = [ben, *[await office.person(f"p{number}") for number in range(9)]]
    posted = await liked(ann, *people)
    mention = await ben.publish("@ann well done")
    page = await ann.get(GROUPS)
    first, second = page["notification_groups"]
    assert (first["type"], first["notifications_count"], first["status_id"]) == ("mention", 1, mention["id"])
    assert first["group_key"].startswith("ungrouped-")
    assert (second["type"], second["notifications_count"], second["status_id"]) == ("favourite", 10, posted["id"])
    assert second["sample_account_ids"] == [person.id for person in people[:1:-1]]
    assert int(second["page_min_id"]) < int(second["page_max_id"]) == second["most_recent_notification_id"]
    assert {status["id"] for status in page["statuses"]} == {mention["id"], posted["id"]}
    assert await ann.get(f"{GROUPS}/unread_count") == {"count": 2}
    accounts = await ann.ids(f"{GROUPS}/{second['group_key']}/accounts")
    assert accounts == [person.id for person in reversed(people)]
    alone = await ann.get(f"{GROUPS}/{second['group_key']}")
    assert alone["notification_groups"][0]["notifications_count"] == 10


async def test_marks_of_another_hour_and_post_are_another_group(office: Office, ann: Person, ben: Person) -> None:
    eve, may = await office.person("eve"), await office.person("may")
    posted = await liked(ann, ben)
    await liked(ann, ben)
    office.clock.pass_(seconds=3600)
    await eve.do("favourite", posted)
    await may.do("reblog", posted)
    groups = (await ann.get(GROUPS))["notification_groups"]
    assert [group["type"] for group in groups] == ["reblog", "favourite", "favourite", "favourite"]
    assert len({group["group_key"] for group in groups}) == 4


async def test_an_app_may_choose_what_is_grouped(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    await liked(ann, ben, eve)
    await ben.follow(ann)
    await eve.follow(ann)
    assert len((await ann.get(GROUPS))["notification_groups"]) == 2
    some = (await ann.get(GROUPS, **{"grouped_types[]": "follow"}))["notification_groups"]
    assert [(group["type"], group["notifications_count"]) for group in some] == [
        ("follow", 2),
        ("favourite", 1),
        ("favourite", 1),
    ]
    single = await ann.get(f"{GROUPS}/{some[1]['group_key']}")
    assert single["notification_groups"][0]["sample_account_ids"] == [eve.id]


async def test_a_group_is_put_away_as_a_whole(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    await liked(ann, ben, eve)
    await ben.follow(ann)
    follow, marks = (await ann.get(GROUPS))["notification_groups"]
    for verb, path in (("GET", ""), ("GET", "/accounts"), ("POST", "/dismiss")):
        await ben.refused(404, verb, f"{GROUPS}/{marks['group_key']}{path}")
        await ann.refused(404, verb, f"{GROUPS}/favourite-1-1{path}")
    await ann.post(f"{GROUPS}/{marks['group_key']}/dismiss")
    await ann.refused(404, "GET", f"{GROUPS}/{marks['group_key']}")
    assert [group["group_key"] for group in (await ann.get(GROUPS))["notification_groups"]] == [follow["group_key"]]
    assert await ann.notified() == [("follow", "ben")]


async def test_groups_have_pages(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    posts = [await liked(ann, ben, eve) for _ in range(5)]
    seen: list[str] = []
    path: str | None = f"{GROUPS}?limit=2"
    while path is not None:
        response = await ann.ask("GET", path)
        page = [group["status_id"] for group in response.json()["notification_groups"]]
        assert len(page) <= 2
        seen += page
        path = response.links["next"]["url"].removeprefix(ORIGIN) if "next" in response.links else None
    # What is left of a group that a page cut in two comes again, under the same key.
    assert list(dict.fromkeys(seen)) == [posted["id"] for posted in reversed(posts)]


# -- without a policy ------------------------------------------------------------------------------------------------


async def test_nothing_is_filtered_until_somebody_asks_for_it(ann: Person) -> None:
    policy = await ann.get(f"{GROUPS}/policy")
    assert policy.pop("for_limited_accounts") == "filter"  # of whom moderators limited
    assert {value for name, value in policy.items() if name.startswith("for_")} == {"accept"}
    assert not any(value for name, value in (await ann.get(f"{ALL}/policy")).items() if name.startswith("filter_"))
    assert await ann.get(f"{ALL}/requests") == []
    assert await ann.get(f"{ALL}/requests/merged") == {"merged": True}
    for verb, path in (("GET", "1"), ("POST", "1/accept"), ("POST", "1/dismiss")):
        await ann.refused(404, verb, f"{ALL}/requests/{path}")
