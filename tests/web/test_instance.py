"""The instance: what it says of itself, to whom it names its peers, and what it claims."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from fedcorp.web.entities.times import iso
from tests.web.instance import ORIGIN, Caller, MovableClock, Office, Person, picture, running

pytestmark = pytest.mark.anyio


async def test_what_is_claimed_is_what_holds(office: Office, ann: Person) -> None:
    """Clients refuse by these numbers before they ask, so each must be where the server refuses too."""
    claimed = (await office.anybody.get("/api/v2/instance"))["configuration"]
    statuses, polls, media = claimed["statuses"], claimed["polls"], claimed["media_attachments"]
    await ann.publish("x" * statuses["max_characters"])
    await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "x" * (statuses["max_characters"] + 1)})
    link = "https://example.com/" + "y" * 300
    fitting = statuses["max_characters"] - statuses["characters_reserved_per_url"] - 1
    await ann.publish(f"{'x' * fitting} {link}")
    await ann.refused(422, "POST", "/api/v1/statuses", json={"status": f"{'x' * (fitting + 1)} {link}"})

    async def asks(options: int, length: int, seconds: int) -> bool:
        poll = {"options": [f"{number}".rjust(length, "o") for number in range(options)], "expires_in": seconds}
        response = await ann.ask("POST", "/api/v1/statuses", json={"status": "?", "poll": poll})
        return response.status_code == 200

    most, longest = polls["max_options"], polls["max_characters_per_option"]
    assert await asks(most, longest, polls["min_expiration"])
    assert await asks(most, longest, polls["max_expiration"])
    assert not await asks(most + 1, longest, polls["min_expiration"])
    assert not await asks(most, longest + 1, polls["min_expiration"])
    assert not await asks(most, longest, polls["min_expiration"] - 1)
    assert not await asks(most, longest, polls["max_expiration"] + 1)
    files = [(await ann.upload())["id"] for _ in range(statuses["max_media_attachments"] + 1)]
    await ann.refused(422, "POST", "/api/v1/statuses", json={"media_ids": files})
    await ann.post("/api/v1/statuses", media_ids=files[:-1])
    await ann.upload(description="x" * media["description_limit"])
    long = {"description": "x" * (media["description_limit"] + 1)}
    await ann.refused(422, "POST", "/api/v2/media", files={"file": ("x", picture(), "image/png")}, data=long)
    for number in range(claimed["accounts"]["max_pinned_statuses"]):
        await ann.do("pin", await ann.publish(str(number)))
    beyond = await ann.publish("one more")
    await ann.refused(422, "POST", f"/api/v1/statuses/{beyond['id']}/pin")


async def test_the_numbers_are_counted(office: Office, ann: Person, ben: Person) -> None:
    await office.group(ann, "chess")
    await office.colleague("sue")
    await ann.publish("one")
    await ben.delete(f"/api/v1/statuses/{(await ben.publish('gone'))['id']}")
    old = await office.anybody.get("/api/v1/instance")
    assert old["stats"] == {"user_count": 2, "status_count": 1, "domain_count": 1}
    assert (await office.anybody.get("/api/v2/instance"))["usage"]["users"]["active_month"] == 2
    office.clock.pass_(seconds=40 * 86_400)
    assert (await office.anybody.get("/api/v2/instance"))["usage"]["users"]["active_month"] == 0
    assert (await ann.get("/api/v2/instance"))["domain"] == "finance.localhost"


async def test_a_closed_department_names_its_peers_to_its_people_only(office: Office, ann: Person) -> None:
    await office.colleague("sue")
    await office.colleague("pat", "supplier.example.com", "partner")
    assert await office.anybody.get("/api/v1/instance/peers") == []
    assert sorted(await ann.get("/api/v1/instance/peers")) == ["sales.localhost", "supplier.example.com"]
    assert (await office.anybody.get("/api/v2/instance"))["configuration"]["limited_federation"] is True


async def test_an_open_server_names_them_to_everybody(tmp_path: Path) -> None:
    clock = MovableClock()
    async with running(tmp_path, clock, federation={"mode": "open"}) as instance:
        office = Office(instance, clock)
        await office.colleague("sue")
        assert await office.anybody.get("/api/v1/instance/peers") == ["sales.localhost"]
        assert (await office.anybody.get("/api/v2/instance"))["configuration"]["limited_federation"] is False


async def test_the_weeks(office: Office, ann: Person, ben: Person) -> None:
    await ann.publish("one")
    await ann.publish("two")
    weeks = await ann.get("/api/v1/instance/activity")
    assert len(weeks) == 12
    assert (weeks[0]["statuses"], weeks[0]["logins"], weeks[0]["registrations"]) == ("2", "1", "2")
    assert {(week["statuses"], week["logins"], week["registrations"]) for week in weeks[1:]} == {("0", "0", "0")}
    starts = [int(week["week"]) for week in weeks]
    assert {first - second for first, second in pairwise(starts)} == {7 * 86_400}


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("finance.localhost", ORIGIN),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("localhost:8000", "http://localhost:8000"),
    ],
)
async def test_streams_are_named_as_the_client_reached_us(office: Office, host: str, base: str) -> None:
    response = await office.anybody.http.get("/api/v2/instance", headers={"Host": host})
    assert response.json()["configuration"]["urls"]["streaming"] == base.replace("http", "ws")
    assert response.json()["domain"] == "finance.localhost"


async def test_what_is_not_written_is_not_there(office: Office) -> None:
    for path in ("privacy_policy", "terms_of_service"):
        await office.anybody.refused(404, "GET", f"/api/v1/instance/{path}")
    assert await office.anybody.get("/api/v1/instance/translation_languages") == {}
    for path in ("rules", "domain_blocks"):
        assert await office.anybody.get(f"/api/v1/instance/{path}") == []
    assert (await office.anybody.get("/api/v1/instance/extended_description"))["content"] == ""


async def test_the_monitor_is_told_that_all_is_well(office: Office) -> None:
    assert await office.anybody.get("/health") == {"status": "OK"}


async def _terms_of_other_days(folder: Path, clock: MovableClock, anybody: Caller) -> None:
    """Earlier and later terms stand beside the file, with the day from which they hold in the name."""
    path = "/api/v1/instance/terms_of_service"
    now = clock.ms()
    days = [iso(now + days * 86_400_000)[:10] for days in (-30, -2, 5)]
    os.utime(folder / "terms.txt", ns=(now * 1_000_000 - 2 * 86_400_000_000_000,) * 2)
    (folder / f"terms.{days[0]}.txt").write_text("Work.", encoding="utf-8")
    (folder / f"terms.{days[2]}.txt").write_text("Rest.", encoding="utf-8")
    (folder / "terms.draft.txt").write_text("zzsecretzz", encoding="utf-8")
    found = [await anybody.get(f"{path}/{day}") for day in days]
    assert [(item["content"], item["effective_date"], item["effective"], item["succeeded_by"]) for item in found] == [
        ("<p>Work.</p>", days[0], True, days[1]), ("<p>Work hard.</p>", days[1], True, days[2]),
        ("<p>Rest.</p>", days[2], False, None),
    ]  # fmt: skip
    assert await anybody.get(path) == found[1]
    for none in ("draft", "2001-01-01", f"{days[0]}x", "%2e%2e%2fprivacy"):
        await anybody.refused(404, "GET", f"{path}/{none}")
    clock.pass_(seconds=6 * 86_400)
    assert (await anybody.get(path))["content"] == "<p>Rest.</p>"


async def test_rules_and_documents_come_from_the_configuration(tmp_path: Path, office: Office, ann: Person) -> None:
    assert await ann.get("/api/v1/instance/rules") == []
    for name in ("privacy_policy", "terms_of_service"):
        await office.anybody.refused(404, "GET", f"/api/v1/instance/{name}")
    clock, folder = MovableClock(), tmp_path / "with"
    folder.mkdir()
    (folder / "privacy.txt").write_text("We keep <little>.\n\nAsk us.", encoding="utf-8")
    (folder / "terms.txt").write_text("Work hard.", encoding="utf-8")
    told = {"rules": ["Be kind.", "No secrets."], "privacy_policy": "privacy.txt", "terms_of_service": "terms.txt"}
    async with running(folder, clock, **told) as instance:
        anybody = Office(instance, clock).anybody
        rules = await anybody.get("/api/v1/instance/rules")
        assert rules == [
            {"id": "1", "text": "Be kind.", "hint": ""},
            {"id": "2", "text": "No secrets.", "hint": ""},
        ]
        for version in ("v1", "v2"):
            assert (await anybody.get(f"/api/{version}/instance"))["rules"] == rules
        privacy = await anybody.get("/api/v1/instance/privacy_policy")
        assert privacy["content"] == "<p>We keep &lt;little&gt;.</p><p>Ask us.</p>"
        terms = await anybody.get("/api/v1/instance/terms_of_service")
        assert (terms["content"], terms["effective"]) == ("<p>Work hard.</p>", True)
        await _terms_of_other_days(folder, clock, anybody)
        (folder / "terms.txt").unlink()
        await anybody.refused(404, "GET", "/api/v1/instance/terms_of_service")
