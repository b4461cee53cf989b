"""Posts that wait for their time: kept, moved, taken back, and published when they are due."""

from typing import Any

import pytest

from fedcorp.clock import from_ms
from tests.web.instance import Office, Person

pytestmark = pytest.mark.anyio
PATH = "/api/v1/scheduled_statuses"


def later(office: Office, minutes: int = 60) -> str:
    """A time ahead, as a client writes it."""
    return from_ms(office.clock.ms() + minutes * 60_000).isoformat()


async def pass_(office: Office, minutes: int) -> None:
    """Time goes by, and the worker does what is due."""
    office.clock.pass_(seconds=minutes * 60)
    await office.instance.worker.settle()


async def test_a_post_waits_and_is_published_when_it_is_due(office: Office, ann: Person, ben: Person) -> None:
    await ben.follow(ann)
    picture = await ann.upload(description="a chart")
    made = await ann.publish(
        "@ben in an hour #plan", scheduled_at=later(office), spoiler_text="news", visibility="unlisted", language="nl",
        media_ids=[picture["id"]], sensitive=True,
    )  # fmt: skip
    assert made["params"]["text"] == "@ben in an hour #plan"
    assert made["params"]["visibility"] == "unlisted"
    assert [item["id"] for item in made["media_attachments"]] == [picture["id"]]
    assert await ann.get(PATH) == [made]
    assert await ann.get(f"{PATH}/{made['id']}") == made
    await pass_(office, 50)
    assert await ben.home() == []
    await pass_(office, 11)
    assert await ann.get(PATH) == []
    (id_,) = await ben.home()
    status = await ben.get(f"/api/v1/statuses/{id_}")
    assert (status["spoiler_text"], status["visibility"], status["language"]) == ("news", "unlisted", "nl")
    assert [item["id"] for item in status["media_attachments"]] == [picture["id"]]
    assert ("mention", "ann") in await ben.notified()
    await pass_(office, 60)
    assert await ben.home() == [id_], "once"


async def test_a_poll_runs_from_when_it_is_published(office: Office, ann: Person) -> None:
    await ann.publish("?", scheduled_at=later(office), poll={"options": ["a", "b"], "expires_in": 3600})
    await pass_(office, 61)
    (id_,) = await ann.home()
    poll = (await ann.get(f"/api/v1/statuses/{id_}"))["poll"]
    assert poll["expired"] is False
    await pass_(office, 59)
    assert (await ann.get(f"/api/v1/polls/{poll['id']}"))["expired"] is False


async def test_it_is_moved_and_taken_back(office: Office, ann: Person, ben: Person) -> None:
    picture = await ann.upload()
    made = await ann.publish("later", scheduled_at=later(office), media_ids=[picture["id"]])
    await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "x", "media_ids": [picture["id"]]})
    moved = await ann.put(f"{PATH}/{made['id']}", scheduled_at=later(office, 120))
    assert moved["scheduled_at"] > made["scheduled_at"]
    for method in ("GET", "PUT", "DELETE"):
        await ben.refused(404, method, f"{PATH}/{made['id']}", json={"scheduled_at": later(office)})
    await ann.refused(400, "PUT", f"{PATH}/{made['id']}", json={})
    await pass_(office, 61)
    assert await ann.home() == []
    await ann.delete(f"{PATH}/{made['id']}")
    assert await ann.get(PATH) == []
    await ann.publish("now", media_ids=[picture["id"]])
    await pass_(office, 61)
    assert len(await ann.home()) == 1


async def test_files_of_what_waits_are_kept(office: Office, ann: Person) -> None:
    picture = await ann.upload()
    await ann.publish("later", scheduled_at=later(office, 3 * 24 * 60), media_ids=[picture["id"]])
    await pass_(office, 2 * 24 * 60)
    await pass_(office, 25 * 60)
    (id_,) = await ann.home()
    assert len((await ann.get(f"/api/v1/statuses/{id_}"))["media_attachments"]) == 1


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"scheduled_at": "2020-01-01T00:00:00Z"}, 422),
        ({"scheduled_at": "soon"}, 400),
        ({"status": ""}, 422),
        ({"visibility": "loud"}, 422),
        ({"in_reply_to_id": "1"}, 404),
        ({"poll": {"options": ["a"], "expires_in": 600}}, 422),
        ({"media_ids": ["1"]}, 422),
        ({"status": "x" * 100_000}, 422),
    ],
)
async def test_what_could_not_be_published_is_refused_at_once(
    office: Office, ann: Person, values: dict[str, Any], status: int
) -> None:
    body = {"status": "x", "scheduled_at": later(office), **values}
    await ann.refused(status, "POST", "/api/v1/statuses", json=body)
    assert await ann.get(PATH) == []


async def test_less_than_five_minutes_are_too_near(office: Office, ann: Person) -> None:
    await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "x", "scheduled_at": later(office, 4)})
    await ann.publish("x", scheduled_at=later(office, 6))


async def test_what_cannot_be_published_any_more_stays_with_the_reason(
    office: Office, ann: Person, ben: Person
) -> None:
    root = await ben.publish("?")
    made = await ann.publish("an answer", in_reply_to_id=root["id"], scheduled_at=later(office))
    await ben.delete(f"/api/v1/statuses/{root['id']}")
    await pass_(office, 61)
    assert await ann.home() == []
    (kept,) = await ann.get(PATH)
    assert (kept["id"], kept["params"]["text"]) == (made["id"], "an answer")
    assert "does not appear to exist" in kept["error"]
    await ann.delete(f"{PATH}/{made['id']}")


async def test_the_same_request_twice_waits_once(office: Office, ann: Person) -> None:
    body, key = {"status": "x", "scheduled_at": later(office)}, {"Idempotency-Key": "k"}
    first = await ann.ask("POST", "/api/v1/statuses", json=body, headers=key)
    again = await ann.ask("POST", "/api/v1/statuses", json=body, headers=key)
    assert first.json() == again.json()
    assert len(await ann.get(PATH)) == 1


async def test_it_has_pages(office: Office, ann: Person) -> None:
    ids = [(await ann.publish(f"{number}", scheduled_at=later(office, 60 + number)))["id"] for number in range(5)]
    first = await ann.ids(PATH, limit=2)
    assert first == [ids[4], ids[3]]
    assert await ann.ids(PATH, limit=2, max_id=first[-1]) == [ids[2], ids[1]]
