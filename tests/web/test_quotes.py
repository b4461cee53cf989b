"""Quotes within a department: who may quote what, what each viewer sees of it, and how the leave is taken back."""

import asyncio
from typing import Any

import pytest

from fedcorp.clock import from_ms
from tests.web.instance import Office, Person, picture

pytestmark = pytest.mark.anyio


async def quoting(person: Person, quoted: Any, words: str = "look at this", **values: Any) -> Any:
    """A post that quotes another."""
    return await person.publish(words, quoted_status_id=quoted["id"], **values)


async def seen(person: Person, quote: Any) -> tuple[str, str | None]:
    """(state, id of what is shown) of a quote, as somebody is told."""
    found = (await person.get(f"/api/v1/statuses/{quote['id']}"))["quote"]
    return found["state"], found["quoted_status"] and found["quoted_status"]["id"]


async def count(person: Person, quoted: Any) -> int:
    """How many quotes a post is said to have."""
    found: int = (await person.get(f"/api/v1/statuses/{quoted['id']}"))["quotes_count"]
    return found


async def approval(person: Person, status: Any) -> Any:
    """Who may quote, and whether this person may."""
    return (await person.get(f"/api/v1/statuses/{status['id']}"))["quote_approval"]


# -- quoting ---------------------------------------------------------------------------------------------------------


async def test_a_quote_shows_what_it_quotes_and_its_author_hears_of_it(ann: Person, ben: Person) -> None:
    word = await ann.publish("The budget is final")
    made = await quoting(ben, word)
    assert made["quote"]["state"] == "accepted"
    assert made["quote"]["quoted_status"]["content"] == word["content"]
    assert made["quote"]["quoted_status"]["quote"] is None
    assert await count(ann, word) == 1
    assert await ann.ids(f"/api/v1/statuses/{word['id']}/quotes") == [made["id"]]
    (told,) = await ann.get("/api/v1/notifications")
    assert (told["type"], told["account"]["acct"], told["status"]["id"]) == ("quote", "ben", made["id"])
    grouped = await ann.get("/api/v2/notifications")
    assert [item["type"] for item in grouped["notification_groups"]] == ["quote"]
    assert (await ben.get("/api/v1/timelines/home"))[0]["quote"]["quoted_status"]["id"] == word["id"]


async def test_quoting_oneself_rings_no_bell_and_a_boost_quotes_its_original(ann: Person, ben: Person) -> None:
    word = await ann.publish("word")
    made = await quoting(ann, word)
    assert await ann.notified() == []
    boost = await ben.do("reblog", word)
    assert (await quoting(ben, boost))["quote"]["quoted_status"]["id"] == word["id"]
    assert await seen(ben, made) == ("accepted", word["id"])


async def test_a_quote_of_a_quote_is_shown_by_its_id(ann: Person, ben: Person) -> None:
    first = await ann.publish("first")
    second = await quoting(ben, first)
    third = await quoting(ann, second)
    inner = third["quote"]["quoted_status"]["quote"]
    assert inner == {"state": "accepted", "quoted_status_id": first["id"]}
    boost = await ben.do("reblog", third)
    assert boost["quote"] is None
    assert boost["reblog"]["quote"]["quoted_status"]["id"] == second["id"]


async def test_the_words_carry_a_link_for_who_knows_no_quotes(ann: Person, ben: Person) -> None:
    word = await ann.publish("word")
    made = await quoting(ben, word)
    assert made["content"].startswith('<p class="quote-inline">RE: <a href="' + word["url"])
    linked = await quoting(ben, word, f"see {word['url']}")
    assert "quote-inline" not in linked["content"]
    edited = await ben.put(f"/api/v1/statuses/{made['id']}", status="look again")
    assert edited["content"].startswith('<p class="quote-inline">')
    assert edited["quote"]["quoted_status"]["id"] == word["id"]
    assert (await ben.get(f"/api/v1/statuses/{made['id']}/source"))["text"] == "look again"


async def test_a_quote_has_neither_files_nor_a_poll(ann: Person, ben: Person) -> None:
    word = await ann.publish("word")
    file = await ben.upload(picture())
    both = {"status": "x", "quoted_status_id": word["id"]}
    poll = {"options": ["a", "b"], "expires_in": 300}
    for more in ({"media_ids": [file["id"]]}, {"poll": poll}):
        assert "neither" in await ben.refused(422, "POST", "/api/v1/statuses", json=both | more)
    made = await quoting(ben, word)
    changed = {"status": "x", "media_ids": [file["id"]]}
    assert "neither" in await ben.refused(422, "PUT", f"/api/v1/statuses/{made['id']}", json=changed)


async def test_a_quote_can_wait_for_its_time(office: Office, ann: Person, ben: Person) -> None:
    word = await ann.publish("word")
    at = from_ms(office.clock.ms() + 3_600_000).isoformat()
    kept = await quoting(ben, word, scheduled_at=at, quote_approval_policy="followers")
    assert kept["params"]["quoted_status_id"] == word["id"]
    assert kept["params"]["quote_approval_policy"] == "followers"
    office.clock.pass_(seconds=3700)
    await office.settle()
    (made,) = await ben.get("/api/v1/timelines/home")
    assert made["quote"]["quoted_status"]["id"] == word["id"]
    assert made["quote_approval"]["automatic"] == ["followers"]


# -- who may ---------------------------------------------------------------------------------------------------------


async def test_the_author_says_who_may_quote(ann: Person, ben: Person, office: Office) -> None:
    eve = await office.person("eve")
    await ben.follow(ann)
    word = None
    for policy, who in (("public", (ben, eve)), ("followers", (ben,)), ("nobody", ())):
        word = await ann.publish("word", quote_approval_policy=policy, reach="public")
        assert word["quote_approval"]["automatic"] == ([] if policy == "nobody" else [policy])
        for person in (ben, eve):
            answer = (await approval(person, word))["current_user"]
            assert answer == ("automatic" if person in who else "denied")
            if person in who:
                assert (await quoting(person, word))["quote"]["state"] == "accepted"
            else:
                body = {"status": "x", "quoted_status_id": word["id"]}
                assert "does not want" in await person.refused(422, "POST", "/api/v1/statuses", json=body)
        assert (await quoting(ann, word))["quote"]["state"] == "accepted"
    assert word is not None
    anonymous = await office.anybody.get(f"/api/v1/statuses/{word['id']}")
    assert anonymous["quote_approval"] == {"automatic": [], "manual": [], "current_user": "denied"}


async def test_a_choice_for_new_posts_is_kept(ann: Person) -> None:
    assert (await ann.get("/api/v1/preferences"))["posting:default:quote_policy"] == "public"
    assert (await ann.publish("one"))["quote_approval"]["automatic"] == ["public"]
    changed = await ann.patch("/api/v1/accounts/update_credentials", source={"quote_policy": "followers"})
    assert changed["source"]["quote_policy"] == "followers"
    assert (await ann.get("/api/v1/preferences"))["posting:default:quote_policy"] == "followers"
    assert (await ann.publish("two"))["quote_approval"]["automatic"] == ["followers"]
    wrong = {"source": {"quote_policy": "friends"}}
    await ann.refused(422, "PATCH", "/api/v1/accounts/update_credentials", json=wrong)


async def test_the_choice_can_be_changed_and_quotes_stay(ann: Person, ben: Person) -> None:
    word = await ann.publish("word")
    made = await quoting(ben, word)
    path = f"/api/v1/statuses/{word['id']}/interaction_policy"
    changed = await ann.put(path, quote_approval_policy="nobody")
    assert changed["quote_approval"]["automatic"] == []
    assert changed["edited_at"] is None
    assert await seen(ann, made) == ("accepted", word["id"])
    assert (await approval(ben, word))["current_user"] == "denied"
    edited = await ann.put(f"/api/v1/statuses/{word['id']}", status="words", quote_approval_policy="public")
    assert edited["quote_approval"]["automatic"] == ["public"]
    edited = await ann.put(f"/api/v1/statuses/{word['id']}", status="more words")
    assert edited["quote_approval"]["automatic"] == ["public"], "an edit that does not speak of it changes nothing"
    await ann.refused(422, "PUT", path, json={"quote_approval_policy": "friends"})
    await ann.refused(422, "PUT", path, json={})
    await ben.refused(404, "PUT", path, json={"quote_approval_policy": "public"})


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_not_everybody_reads_has_no_choice(ann: Person, ben: Person, visibility: str) -> None:
    await ben.follow(ann)
    word = await ann.publish("@ben word", visibility=visibility, quote_approval_policy="public")
    assert word["quote_approval"]["automatic"] == []
    assert (await approval(ben, word))["current_user"] == "denied"
    await ben.refused(422, "POST", "/api/v1/statuses", json={"status": "x", "quoted_status_id": word["id"]})
    changed = await ann.put(f"/api/v1/statuses/{word['id']}/interaction_policy", quote_approval_policy="public")
    assert changed["quote_approval"]["automatic"] == []


async def test_who_cannot_read_a_post_cannot_quote_it(ann: Person, ben: Person) -> None:
    word = await ann.publish("word", visibility="private")
    gone = await ann.publish("gone")
    await ann.delete(f"/api/v1/statuses/{gone['id']}")
    for id_ in (word["id"], gone["id"], "1"):
        body = {"status": "x", "quoted_status_id": id_}
        assert "does not appear to exist" in await ben.refused(404, "POST", "/api/v1/statuses", json=body)
    open_to_all = await ann.publish("word")
    await ann.towards(ben, "block")
    await ben.refused(404, "POST", "/api/v1/statuses", json={"status": "x", "quoted_status_id": open_to_all["id"]})


# -- no further than it goes -----------------------------------------------------------------------------------------


async def test_an_own_post_for_followers_is_quoted_for_followers(ann: Person, ben: Person, office: Office) -> None:
    eve = await office.person("eve")
    await ben.follow(ann)
    word = await ann.publish("for followers", visibility="private")
    made = await quoting(ann, word, visibility="public")
    assert made["visibility"] == "private"
    assert await seen(ben, made) == ("accepted", word["id"])
    named = await quoting(ann, word, "@eve look", visibility="direct")
    assert named["visibility"] == "direct"
    assert await seen(eve, named) == ("unauthorized", None)
    direct = await ann.publish("@ben word", visibility="direct")
    await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "x", "quoted_status_id": direct["id"]})


@pytest.mark.parametrize(("reach", "asked", "made"), [("department", "public", "department"),
                                                      ("company", "public", "company"),
                                                      ("public", "company", "company")])  # fmt: skip
async def test_a_quote_takes_the_narrower_reach(
    ann: Person, ben: Person, office: Office, reach: str, asked: str, made: str
) -> None:
    word = await ann.publish("word", reach=reach)
    quote = await quoting(ben, word, reach=asked)
    assert quote["reach"] == made
    nobody = await office.anybody.ask("GET", f"/api/v1/statuses/{quote['id']}")
    assert nobody.status_code == 404


async def test_a_quote_names_nobody_beyond_the_reach(ann: Person, ben: Person, office: Office) -> None:
    await office.colleague("sam", "supplier.localhost", "partner")
    word = await ann.publish("word", reach="company")
    for more in ({}, {"visibility": "direct"}):
        body = {"status": "@ann @sam@supplier.localhost x", "quoted_status_id": word["id"], **more}
        await ben.refused(422, "POST", "/api/v1/statuses", json=body)


async def test_what_members_alone_read_is_quoted_in_that_group_alone(ann: Person, ben: Person, office: Office) -> None:
    groups = [await office.group(ann, name, "private") for name in ("chess", "books")]
    eve = await office.person("eve")
    for group in groups:
        await ben.follow(group)
        await ann.post(f"/api/fedcorp/v1/groups/{group}/requests/{ben.id}/approve")
    word = await ann.publish("@chess the plan")
    assert word["quote_approval"]["automatic"] == ["public"]
    for body in ({"status": "x"}, {"status": "x", "visibility": "private"}, {"status": "@books x"},
                 {"status": "@ann x", "visibility": "direct"}):  # fmt: skip
        told = await ben.refused(422, "POST", "/api/v1/statuses", json=body | {"quoted_status_id": word["id"]})
        assert "in that group alone" in told
    made = await quoting(ben, word, "@chess so be it")
    assert await seen(ann, made) == ("accepted", word["id"])
    assert ("quote", "ben") in await ann.notified()
    await eve.refused(404, "GET", f"/api/v1/statuses/{made['id']}")
    private = await ann.publish("for followers", visibility="private")
    body = {"status": "@chess x", "quoted_status_id": private["id"]}
    assert "for them alone" in await ann.refused(422, "POST", "/api/v1/statuses", json=body)
    narrow = await ben.publish("here", reach="department")
    body = {"status": "@chess x", "quoted_status_id": narrow["id"]}
    assert "go further" in await ann.refused(422, "POST", "/api/v1/statuses", json=body)


async def test_a_member_may_quote_an_open_post_in_the_group(ann: Person, ben: Person, office: Office) -> None:
    await office.group(ann, "chess", "private")
    word = await ben.publish("open to all", reach="public")
    made = await quoting(ann, word, "@chess see")
    assert made["quote"]["state"] == "accepted"
    assert await count(ben, word) == 0, "nobody outside hears of what is said inside"
    assert await ben.ids(f"/api/v1/statuses/{word['id']}/quotes") == []
    assert await ben.notified() == []
    assert await ann.ids(f"/api/v1/statuses/{word['id']}/quotes") == [made["id"]]


async def test_a_direct_message_quotes_only_whom_it_is_written_to(ann: Person, ben: Person, office: Office) -> None:
    await office.person("eve")
    word = await ann.publish("word")
    body = {"status": "@eve x", "visibility": "direct", "quoted_status_id": word["id"]}
    assert "written to them" in await ben.refused(422, "POST", "/api/v1/statuses", json=body)
    made = await quoting(ben, word, "@ann x", visibility="direct")
    assert await seen(ann, made) == ("accepted", word["id"])
    assert await count(ann, word) == 0


async def test_who_is_quoted_for_followers_can_read_that(ann: Person, ben: Person, office: Office) -> None:
    eve = await office.person("eve")
    word = await ann.publish("word")
    made = await quoting(ben, word, visibility="private")
    assert ("quote", "ben") in await ann.notified()
    assert await seen(ann, made) == ("accepted", word["id"])
    assert await count(ann, word) == 0
    await eve.refused(404, "GET", f"/api/v1/statuses/{made['id']}")
    await ben.put(f"/api/v1/statuses/{made['id']}", status="changed")
    assert await seen(ann, made) == ("accepted", word["id"])


# -- what each viewer sees -------------------------------------------------------------------------------------------


async def test_each_viewer_sees_what_they_may(ann: Person, ben: Person, office: Office) -> None:
    eve, fay = await office.person("eve"), await office.person("fay")
    word = await ann.publish("word")
    made = await quoting(ben, word)
    await eve.towards(ann, "block")
    await fay.towards(ann, "mute")
    assert await seen(eve, made) == ("blocked_account", word["id"])
    assert await seen(fay, made) == ("muted_account", word["id"])
    await fay.towards(ann, "unmute")
    assert await seen(fay, made) == ("accepted", word["id"])
    await ann.towards(fay, "block")
    assert await seen(fay, made) == ("unauthorized", None)
    await fay.towards(ann, "block")
    assert await seen(fay, made) == ("unauthorized", None), "whoever is blocked is not told more for blocking back"
    assert await seen(ben, made) == ("accepted", word["id"])
    await ann.delete(f"/api/v1/statuses/{word['id']}")
    assert await seen(ben, made) == ("deleted", None)
    assert await seen(eve, made) == ("deleted", None)


async def test_filters_hold_for_what_is_quoted(ann: Person, ben: Person) -> None:
    word = await ann.publish("the spoiler")
    made = await quoting(ben, word)
    await ben.post("/api/v2/filters", title="no", context=["home"], filter_action="hide",
                   keywords_attributes=[{"keyword": "spoiler"}])  # fmt: skip
    (shown,) = await ben.get("/api/v1/timelines/home")
    assert shown["id"] == made["id"]
    assert shown["filtered"] == []
    assert shown["quote"]["quoted_status"]["filtered"][0]["keyword_matches"] == ["spoiler"]


async def test_the_list_of_quotes_is_cut_in_pages_and_shows_what_the_viewer_may_see(
    ann: Person, ben: Person, office: Office
) -> None:
    word = await ann.publish("word")
    made = [await quoting(ben, word, f"number {number}") for number in range(5)]
    hidden = await quoting(ben, word, "for followers", visibility="private")
    eve = await office.person("eve")
    path = f"/api/v1/statuses/{word['id']}/quotes"
    newest_first = [item["id"] for item in reversed(made)]
    assert await eve.ids(path) == newest_first
    assert await ben.ids(path) == [hidden["id"], *newest_first]
    page = await eve.ask("GET", path, params={"limit": 2})
    assert [item["id"] for item in page.json()] == newest_first[:2]
    assert f"max_id={newest_first[1]}" in page.headers["link"]
    assert await eve.ids(path, limit=2, max_id=newest_first[1]) == newest_first[2:4]
    await office.anybody.refused(401, "GET", path)


# -- taken back ------------------------------------------------------------------------------------------------------


async def test_the_leave_is_taken_back(ann: Person, ben: Person, office: Office) -> None:
    eve = await office.person("eve")
    word, other = await ann.publish("word"), await ann.publish("other")
    made = await quoting(ben, word)
    path = f"/api/v1/statuses/{word['id']}/quotes/{made['id']}/revoke"
    assert await ben.refused(403, "POST", path) == "This action is not allowed"
    await ann.refused(404, "POST", f"/api/v1/statuses/{other['id']}/quotes/{made['id']}/revoke")
    await ann.refused(404, "POST", f"/api/v1/statuses/{word['id']}/quotes/{other['id']}/revoke")
    for _ in range(2):
        answer = await ann.post(path)
        assert answer["id"] == made["id"]
        assert answer["quote"] == {"state": "revoked", "quoted_status": None}
        assert await count(eve, word) == 0
    assert await eve.ids(f"/api/v1/statuses/{word['id']}/quotes") == []
    assert await ann.notified() == []
    assert await seen(ben, made) == ("revoked", None)
    gone = await ben.delete(f"/api/v1/statuses/{made['id']}")
    assert gone["quote"]["state"] == "revoked"
    assert gone["quote"]["quoted_status"]["id"] == word["id"]
    assert await count(eve, word) == 0


async def test_a_quote_that_is_deleted_is_not_counted(ann: Person, ben: Person) -> None:
    word = await ann.publish("word")
    made = await quoting(ben, word)
    await quoting(ann, word)
    assert await count(ann, word) == 2
    await ben.delete(f"/api/v1/statuses/{made['id']}")
    assert await count(ann, word) == 1
    assert await ann.notified() == []


async def test_the_count_is_exact_whoever_comes_at_once(ann: Person, ben: Person) -> None:
    word = await ann.publish("word")
    made = await asyncio.gather(*(quoting(ben, word, f"number {number}") for number in range(16)))
    assert await count(ann, word) == 16
    await asyncio.gather(
        *(ann.post(f"/api/v1/statuses/{word['id']}/quotes/{one['id']}/revoke") for one in made[:6]),
        *(ann.http.post(f"/api/v1/statuses/{word['id']}/quotes/{one['id']}/revoke") for one in made[:8]),
        *(ben.delete(f"/api/v1/statuses/{one['id']}") for one in made[6:12]),
    )
    assert await count(ann, word) == 4
    assert len(await ann.ids(f"/api/v1/statuses/{word['id']}/quotes")) == 4


async def test_who_quotes_hears_when_that_is_edited(ann: Person, ben: Person) -> None:
    word = await ann.publish("word")
    made = await quoting(ben, word)
    await ann.put(f"/api/v1/statuses/{word['id']}", status="other words")
    (told,) = await ben.get("/api/v1/notifications")
    assert (told["type"], told["account"]["acct"], told["status"]["id"]) == ("quoted_update", "ann", made["id"])
    assert "other words" in told["status"]["quote"]["quoted_status"]["content"]
