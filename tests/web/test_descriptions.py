"""What a department asks of pictures that nobody described, as an app that knows nothing of it meets it."""

from pathlib import Path

import pytest

from tests.web.instance import MovableClock, Office, Person, running

pytestmark = pytest.mark.anyio


async def refused(person: Person, *ids: str) -> str | None:
    """The sentence that the app shows; None when the post went out."""
    response = await person.ask("POST", "/api/v1/statuses", json={"status": "look", "media_ids": list(ids)})
    assert response.status_code in (200, 422)
    return None if response.is_success else response.json()["error"]


async def test_nobody_is_asked_by_default(office: Office, ann: Person) -> None:
    assert await refused(ann, (await ann.upload())["id"]) is None


async def test_a_reminder_comes_once_for_each_file(tmp_path: Path) -> None:
    async with running(tmp_path, posts={"descriptions": "remind"}) as instance:
        ann = await Office(instance, MovableClock()).person("ann")
        one, two = (await ann.upload())["id"], (await ann.upload(description="a bridge"))["id"]
        told = await refused(ann, one, two)
        assert told is not None
        assert "1 of 2 files" in told
        assert "once more" in told
        assert await ann.get(f"/api/v1/accounts/{ann.id}/statuses") == []
        three = (await ann.upload())["id"]
        assert await refused(ann, one, three), "the second was never asked about"
        assert await refused(ann, one, three) is None
        four = (await ann.upload())["id"]
        assert await refused(ann, four)
        assert (await ann.ask("PUT", f"/api/v1/media/{four}", json={"description": "a boat"})).is_success
        assert await refused(ann, four) is None


async def test_a_department_can_insist(tmp_path: Path) -> None:
    async with running(tmp_path, posts={"descriptions": "require"}) as instance:
        ann = await Office(instance, MovableClock()).person("ann")
        one = (await ann.upload(description="  "))["id"]
        for _ in range(2):
            told = await refused(ann, one)
            assert told is not None
            assert "once more" not in told
        waits = {"status": "later", "media_ids": [one], "scheduled_at": "2100-01-01T00:00:00Z"}
        assert (await ann.ask("POST", "/api/v1/statuses", json=waits)).status_code == 422
        await ann.ask("PUT", f"/api/v1/media/{one}", json={"description": "a boat"})
        assert await refused(ann, one) is None
        (status,) = await ann.get(f"/api/v1/accounts/{ann.id}/statuses")
        path = f"/api/v1/statuses/{status['id']}"
        change = {"status": "look!", "media_ids": [one], "media_attributes": [{"id": one, "description": ""}]}
        assert (await ann.ask("PUT", path, json=change)).status_code == 422
        change["media_attributes"] = [{"id": one, "description": "a big boat"}]
        assert (await ann.ask("PUT", path, json=change)).is_success


async def test_files_of_others_are_not_spoken_of(tmp_path: Path) -> None:
    async with running(tmp_path, posts={"descriptions": "remind"}) as instance:
        office = Office(instance, MovableClock())
        ann, ben = await office.person("ann"), await office.person("ben")
        bens = (await ben.upload())["id"]
        told = await refused(ann, bens)
        assert told is not None
        assert "does not exist" in told
        assert await refused(ben, bens), "ann did not use up the reminder"
