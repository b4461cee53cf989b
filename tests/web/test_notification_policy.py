"""Whose notifications one wants: the policy, what it keeps back or drops, and the requests that become of it."""

from typing import Any

import pytest

from tests.web.instance import Office, Person
from tests.web.test_streaming import events

pytestmark = pytest.mark.anyio
ALL, POLICY = "/api/v1/notifications", "/api/v2/notifications/policy"
MONTH = 31 * 86_400


async def policy(person: Person, **words: str) -> dict[str, Any]:
    """Change the policy of somebody."""
    return dict(await person.patch(POLICY, **{f"for_{sort}": word for sort, word in words.items()}))


async def waiting(person: Person) -> list[tuple[str, str]]:
    """(who, how many notifications) of the requests."""
    return [(item["account"]["acct"], item["notifications_count"]) for item in await person.get(f"{ALL}/requests")]


async def test_the_policy_is_kept_and_older_apps_know_it(office: Office, ann: Person, ben: Person) -> None:
    changed = await policy(ann, not_following="drop", new_accounts="filter")
    assert changed == await ann.get(POLICY)
    assert {name: value for name, value in changed.items() if value in ("filter", "drop")} == {
        "for_not_following": "drop", "for_new_accounts": "filter", "for_limited_accounts": "filter",
    }  # fmt: skip
    old = await ann.get(f"{ALL}/policy")
    assert (old["filter_not_following"], old["filter_not_followers"], old["filter_new_accounts"]) == (True, False, True)
    await ann.put(POLICY, for_not_following="accept", for_limited_accounts="accept")
    assert (await ann.put(f"{ALL}/policy", filter_private_mentions=True))["filter_private_mentions"] is True
    assert (await ann.patch(f"{ALL}/policy", filter_new_accounts=False))["filter_new_accounts"] is False
    assert {name for name, value in (await ann.get(POLICY)).items() if value == "filter"} == {"for_private_mentions"}
    assert {name for name, value in (await ben.get(POLICY)).items() if value == "filter"} == {"for_limited_accounts"}
    await ann.refused(400, "PATCH", POLICY, json={"for_not_following": "maybe"})


async def test_what_strangers_cause_waits_until_it_is_accepted(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    await ann.follow(cid)
    made = await ann.publish("hello")
    await policy(ann, not_following="filter")
    async with events(office, ann, "user/notification") as stream:
        mention = await ben.publish("@ann hi")
        await ben.do("favourite", made)
        known = await cid.publish("@ann hi too")
        _, told = await stream.next()
        assert told["status"]["id"] == known["id"], "what is kept back makes no noise"
    assert await ann.notified() == [("mention", "cid")]
    assert (await ann.get("/api/v1/notifications/unread_count"))["count"] == 1
    groups = (await ann.get("/api/v2/notifications"))["notification_groups"]
    assert [group["status_id"] for group in groups] == [known["id"]]
    (request,) = await ann.get(f"{ALL}/requests")
    assert (request["account"]["id"], request["notifications_count"]) == (ben.id, "2")
    assert request["last_status"]["id"] == mention["id"]
    assert await ann.get(f"{ALL}/requests/{request['id']}") == request
    summary = {"pending_requests_count": 1, "pending_notifications_count": 2}
    assert (await ann.get(POLICY))["summary"] == summary
    kept_back = await ann.get(ALL, account_id=ben.id, include_filtered="true")
    assert {item["type"] for item in kept_back} == {"mention", "favourite"}
    await ben.refused(404, "POST", f"{ALL}/requests/{request['id']}/accept")
    assert await ann.post(f"{ALL}/requests/{request['id']}/accept") == {}
    assert await ann.get(f"{ALL}/requests/merged") == {"merged": True}
    assert sorted(await ann.notified()) == [("favourite", "ben"), ("mention", "ben"), ("mention", "cid")]
    assert await waiting(ann) == []
    await ben.publish("@ann once more")
    assert (await ann.notified())[0] == ("mention", "ben"), "who was accepted is not judged again"


async def test_requests_are_dismissed_and_taken_together(office: Office, ann: Person, ben: Person) -> None:
    cid, dan = await office.person("cid"), await office.person("dan")
    await policy(ann, not_following="filter")
    for person in (ben, cid, dan):
        await person.publish("@ann hi")
    assert {who for who, _ in await waiting(ann)} == {"ben", "cid", "dan"}
    first = await ann.ask("GET", f"{ALL}/requests", params={"limit": 2})
    rest = await ann.http.get(first.links["next"]["url"])
    assert len(first.json()) == 2
    assert len(rest.json()) == 1
    assert await ann.post(f"{ALL}/requests/{ben.id}/dismiss") == {}
    await ann.refused(404, "POST", f"{ALL}/requests/{ben.id}/dismiss")
    assert {who for who, _ in await waiting(ann)} == {"cid", "dan"}
    await ben.publish("@ann again")
    assert ("ben", "1") in await waiting(ann)
    assert await ann.post(f"{ALL}/requests/dismiss", id=[ben.id, cid.id, "1"]) == {}
    assert await waiting(ann) == [("dan", "1")]
    assert await ann.notified() == []
    assert await ann.post(f"{ALL}/requests/accept", id=[dan.id]) == {}
    assert await ann.notified() == [("mention", "dan")]


async def test_what_is_dropped_was_never_told(ann: Person, ben: Person) -> None:
    await policy(ann, not_following="filter", not_followers="drop")
    await ben.publish("@ann hi")
    assert (await ann.notified(), await waiting(ann)) == ([], [])
    await policy(ann, not_followers="accept", not_following="accept")
    assert await ann.notified() == []


async def test_each_sort_of_sender(office: Office, ann: Person, ben: Person) -> None:
    await policy(ann, new_accounts="filter")
    await ben.publish("@ann I am new")
    assert await waiting(ann) == [("ben", "1")]
    await ann.post(f"{ALL}/requests/{ben.id}/dismiss")
    office.clock.pass_(seconds=MONTH)
    await ben.publish("@ann I am not")
    assert await ann.notified() == [("mention", "ben")]
    await ann.post(f"{ALL}/clear")
    await policy(ann, not_followers="filter", new_accounts="accept")
    await ben.publish("@ann I do not follow")
    assert await waiting(ann) == [("ben", "1")]
    await ben.follow(ann)
    await ann.post(f"{ALL}/requests/{ben.id}/dismiss")
    await ben.publish("@ann I do")
    assert ("mention", "ben") in await ann.notified()


async def test_who_writes_directly_without_being_asked(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    await ann.follow(cid)
    await policy(ann, private_mentions="filter")
    await ben.publish("@ann psst", visibility="direct")
    await cid.publish("@ann psst", visibility="direct")
    await ben.publish("@ann hello")
    assert await ann.notified() == [("mention", "ben"), ("mention", "cid")]
    assert await waiting(ann) == [("ben", "1")]
    asked = await ann.publish("@ben what is it?", visibility="direct")
    answer = await ben.publish("@ann oh, nothing", visibility="direct", in_reply_to_id=asked["id"])
    assert (await ann.get(ALL))[0]["status"]["id"] == answer["id"]
