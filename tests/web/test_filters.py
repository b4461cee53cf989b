"""Filters: kept, matched on the server in every place, and told to open clients."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import streams
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio
V1, V2 = "/api/v1/filters", "/api/v2/filters"
EVERYWHERE = ["home", "notifications", "public", "thread", "account"]


async def make(person: Person, *words: str, action: str = "warn", context: list[str] | None = None, **more: Any) -> Any:
    """A filter of these keywords."""
    keywords = [{"keyword": each, "whole_word": True} for each in words]
    values = {"title": "Enough", "filter_action": action, "context": context or EVERYWHERE, **more}
    return await person.post(V2, keywords_attributes=keywords, **values)


async def test_a_filter_is_made_shown_changed_and_taken_away(ann: Person, ben: Person) -> None:
    made = await make(ann, "budget", "q3", context=["public", "home"])
    assert (made["title"], made["filter_action"], made["context"]) == ("Enough", "warn", ["home", "public"])
    assert [item["keyword"] for item in made["keywords"]] == ["budget", "q3"]
    assert (made["expires_at"], made["statuses"]) == (None, [])
    assert await ann.get(V2) == [made]
    assert await ann.get(f"{V2}/{made['id']}") == made
    first, second = made["keywords"]
    changes = [
        {"id": first["id"], "_destroy": True},
        {"id": second["id"], "keyword": "q4"},
        {"keyword": "new", "whole_word": False},
    ]
    changed = await ann.put(f"{V2}/{made['id']}", title="More", filter_action="hide", keywords_attributes=changes)
    assert (changed["title"], changed["filter_action"], changed["context"]) == ("More", "hide", ["home", "public"])
    assert [(item["keyword"], item["whole_word"]) for item in changed["keywords"]] == [("q4", True), ("new", False)]
    for method in ("GET", "PUT", "DELETE"):
        await ben.refused(404, method, f"{V2}/{made['id']}")
    assert await ben.get(V2) == []
    assert await ann.delete(f"{V2}/{made['id']}") == {}
    assert await ann.get(V2) == []
    await ann.refused(404, "DELETE", f"{V2}/{made['id']}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "x" * 300},
        {"context": []},
        {"context": ["nowhere"]},
        {"filter_action": "shout"},
        {"keywords_attributes": [{"keyword": " "}]},
        {"keywords_attributes": [{"keyword": "x" * 600}]},
    ],
)
async def test_what_is_no_filter_is_refused_and_nothing_is_kept(ann: Person, wrong: dict[str, Any]) -> None:
    values = {"title": "x", "context": ["home"], "keywords_attributes": [{"keyword": "y"}], **wrong}
    await ann.refused(422, "POST", V2, json=values)
    assert await ann.get(V2) == []


async def test_keywords_of_others_are_not_found(ann: Person, ben: Person) -> None:
    theirs = (await make(ben, "x"))["keywords"][0]["id"]
    own = await make(ann, "y")
    for change in ({"id": theirs, "keyword": "mine"}, {"id": theirs, "_destroy": True}):
        await ann.refused(404, "PUT", f"{V2}/{own['id']}", json={"keywords_attributes": [change]})
    for method in ("GET", "PUT", "DELETE"):
        await ann.refused(404, method, f"{V2}/keywords/{theirs}", json={"keyword": "z"})
    assert (await ben.get(V2))[0]["keywords"][0]["keyword"] == "x"


async def test_keywords_and_posts_are_changed_one_by_one(ann: Person, ben: Person) -> None:
    made = await make(ann, "one")
    added = await ann.post(f"{V2}/{made['id']}/keywords", keyword="two", whole_word=False)
    assert await ann.get(f"{V2}/keywords/{added['id']}") == added
    assert (await ann.put(f"{V2}/keywords/{added['id']}", keyword="three"))["whole_word"] is False
    assert [item["keyword"] for item in await ann.get(f"{V2}/{made['id']}/keywords")] == ["one", "three"]
    await ann.delete(f"{V2}/keywords/{added['id']}")
    assert [item["keyword"] for item in await ann.get(f"{V2}/{made['id']}/keywords")] == ["one"]

    status = await ben.publish("harmless")
    named = await ann.post(f"{V2}/{made['id']}/statuses", status_id=status["id"])
    assert await ann.post(f"{V2}/{made['id']}/statuses", status_id=status["id"]) == named
    assert await ann.get(f"{V2}/{made['id']}/statuses") == [named]
    assert await ann.get(f"{V2}/statuses/{named['id']}") == named
    (result,) = (await ann.get(f"/api/v1/statuses/{status['id']}"))["filtered"]
    assert (result["keyword_matches"], result["status_matches"]) == (None, [status["id"]])
    hidden = await ben.publish("not for ann", visibility="direct")
    await ann.refused(404, "POST", f"{V2}/{made['id']}/statuses", json={"status_id": hidden["id"]})
    await ann.refused(422, "POST", f"{V2}/{made['id']}/statuses", json={})
    await ann.delete(f"{V2}/statuses/{named['id']}")
    assert (await ann.get(f"/api/v1/statuses/{status['id']}"))["filtered"] == []


@pytest.mark.parametrize(
    ("keyword", "whole", "text", "hit"),
    [
        ("cat", True, "a Cat sat", True),
        ("cat", True, "concatenate", False),
        ("cat", False, "concatenate", True),
        ("#budget", True, "our #budget", True),
        ("#budget", True, "our #budgets", False),
        ("c++", True, "I write c++.", True),
        ("a.c", False, "abc", False),
        ("größe", True, "Die GRÖSSE zählt, die GRÖßE auch", True),
        ("two words", True, "so two words it is", True),
    ],
)
async def test_keywords_match_words_and_are_no_patterns(
    ann: Person, ben: Person, keyword: str, whole: bool, text: str, hit: bool
) -> None:
    await ann.post(V2, title="x", context=["home"], keywords_attributes=[{"keyword": keyword, "whole_word": whole}])
    status = await ben.publish(text)
    filtered = (await ann.get(f"/api/v1/statuses/{status['id']}"))["filtered"]
    assert [item["keyword_matches"] for item in filtered] == ([[keyword]] if hit else [])


async def test_warnings_polls_pictures_and_boosts_are_read_too_and_own_posts_never(
    office: Office, ann: Person, ben: Person
) -> None:
    await make(ann, "secret")
    cid = await office.person("cid")
    await ann.follow(cid)
    picture = await ben.upload(description="a secret picture")
    found = [
        await ben.publish("x", spoiler_text="the secret"),
        await ben.publish("?", poll={"options": ["secret", "b"], "expires_in": 600}),
        await ben.publish("look", media_ids=[picture["id"]]),
    ]
    for status in found:
        assert len((await ann.get(f"/api/v1/statuses/{status['id']}"))["filtered"]) == 1
        await cid.do("reblog", status)
    wrapped = [item for item in await ann.get("/api/v1/timelines/home") if item["reblog"]]
    assert [len(item["filtered"]) for item in wrapped] == [1, 1, 1]
    assert [len(item["reblog"]["filtered"]) for item in wrapped] == [1, 1, 1]
    own = await ann.publish("my secret")
    assert own["filtered"] == []
    assert (await ben.get(f"/api/v1/statuses/{found[0]['id']}"))["filtered"] == []


async def test_what_is_to_be_hidden_is_left_out_where_the_filter_says(ann: Person, ben: Person) -> None:
    await ann.follow(ben)
    root = await ann.publish("what is new?")
    posted = await ben.publish("@ann a spoiler", in_reply_to_id=root["id"])
    start = await ben.publish("a spoiler for all")
    own_list = await ann.post("/api/v1/lists", title="mine")
    await ann.post(f"/api/v1/lists/{own_list['id']}/accounts", account_ids=[ben.id])

    async def seen() -> dict[str, bool]:
        thread = await ann.get(f"/api/v1/statuses/{root['id']}/context")
        return {
            "home": start["id"] in await ann.ids("/api/v1/timelines/home"),
            "list": start["id"] in await ann.ids(f"/api/v1/timelines/list/{own_list['id']}"),
            "public": start["id"] in await ann.ids("/api/v1/timelines/public"),
            "account": start["id"] in await ann.ids(f"/api/v1/accounts/{ben.id}/statuses"),
            "thread": posted["id"] in [item["id"] for item in thread["descendants"]],
            "notifications": ("mention", "ben") in await ann.notified(),
        }

    assert all((await seen()).values())
    made = await make(ann, "spoiler", action="hide", context=["home"])
    assert await seen() == {
        "home": False, "list": False, "public": True, "account": True, "thread": True, "notifications": True
    }  # fmt: skip
    for context in EVERYWHERE[1:]:
        await ann.put(f"{V2}/{made['id']}", context=[context])
        assert [name for name, there in (await seen()).items() if not there] == [context]
    shown = await ann.get(f"/api/v1/statuses/{start['id']}")
    assert shown["filtered"][0]["filter"]["filter_action"] == "hide", "who opens it sees it, and why it was hidden"
    assert "keywords" not in shown["filtered"][0]["filter"]


async def test_a_filter_ends_at_its_time(office: Office, ann: Person, ben: Person) -> None:
    made = await make(ann, "word", expires_in=60)
    status = await ben.publish("a word")
    assert len((await ann.get(f"/api/v1/statuses/{status['id']}"))["filtered"]) == 1
    office.clock.pass_(seconds=61)
    assert (await ann.get(f"/api/v1/statuses/{status['id']}"))["filtered"] == []
    assert (await ann.put(f"{V2}/{made['id']}", expires_in=""))["expires_at"] is None
    assert len((await ann.get(f"/api/v1/statuses/{status['id']}"))["filtered"]) == 1


async def test_old_clients_have_a_filter_for_each_phrase(ann: Person) -> None:
    made = await ann.post(V1, phrase="noise", context=["home", "public"], irreversible=True, whole_word=True)
    assert (made["phrase"], made["context"], made["irreversible"], made["whole_word"]) == (
        "noise", ["home", "public"], True, True
    )  # fmt: skip
    assert await ann.get(V1) == [made]
    assert await ann.get(f"{V1}/{made['id']}") == made
    (modern,) = await ann.get(V2)
    assert (modern["title"], modern["filter_action"], modern["keywords"][0]["id"]) == ("noise", "hide", made["id"])
    changed = await ann.put(f"{V1}/{made['id']}", phrase="sound", context=["thread"], irreversible=False)
    assert (changed["phrase"], changed["context"], changed["irreversible"]) == ("sound", ["thread"], False)
    await ann.post(f"{V2}/{modern['id']}/keywords", keyword="more")
    await ann.refused(422, "PUT", f"{V1}/{made['id']}", json={"phrase": "sound", "context": ["home"]})
    await ann.delete(f"{V1}/{made['id']}")
    (left,) = await ann.get(V1)
    assert left["phrase"] == "more"
    await ann.delete(f"{V1}/{left['id']}")
    assert await ann.get(V2) == []
    await ann.refused(422, "POST", V1, json={"phrase": "", "context": ["home"]})


async def test_open_clients_hear_of_changed_filters(office: Office, ann: Person, ben: Person) -> None:
    made = await make(ann, "x")
    await ann.put(f"{V2}/{made['id']}", title="y")
    kinds = await office.db.read(_told)
    assert kinds.count(("filters_changed", ann.account.id)) >= 2
    assert ("filters_changed", ben.account.id) not in kinds


def _told(tx: Tx) -> list[tuple[str, int]]:
    """(kind, account) of everything that was put into the streams."""
    return [tuple(row) for row in tx.conn.execute(sa.select(streams.c.kind, streams.c.account_id))]
