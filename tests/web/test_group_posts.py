"""Our own API of groups: posting, decisions on posts, what waits, reports, and what authors and readers see of it."""

import pytest

from fedcorp.social.group_posts import MAX_PINS
from tests.web.club import Cast, hire_cast
from tests.web.instance import Office
from tests.web.test_bad_input import counts
from tests.web.test_group_members import told

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cast(office: Office) -> Cast:
    return await hire_cast(office)


# -- who posts, who reads --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("posting", "good"),
    [
        ("everyone", ("outsider", "member", "moderator", "admin")),
        ("members", ("member", "moderator", "admin")),
        ("moderators", ("moderator", "admin")),
    ],
)
async def test_who_posts_is_a_rule(cast: Cast, posting: str, good: tuple[str, ...]) -> None:
    club = await cast.club("chess", posting=posting)
    for role in ("outcast", "outsider", "member", "moderator", "admin"):
        person = club.who(role)
        assert (await person.get(club.path))["may"]["post"] == (role in good)
        answer = await person.ask("POST", "/api/v1/statuses", json={"status": f"@chess from {role}"})
        assert answer.status_code == (200 if role in good else 403), role
        if role in good:
            assert (await club.place(person, answer.json()))["state"] == "distributed"


@pytest.mark.parametrize("reading", ["everyone", "members"])
async def test_who_reads_is_a_rule(cast: Cast, reading: str) -> None:
    club = await cast.club("chess", reading=reading)
    post = await club.publish(club.who("member"), "to #read")
    for role in ("outcast", "outsider", "other", "moderator", "admin"):
        person, reads = club.who(role), reading == "everyone" or role not in ("outcast", "outsider")
        assert (await person.get(club.path))["may"]["read"] == reads
        assert (post["id"] in await club.listed(person)) == reads
        assert (post["id"] in await person.ids("/api/v1/timelines/tag/read")) == (reading == "everyone")
        for path in (f"/api/v1/statuses/{post['id']}", f"/api/fedcorp/v1/statuses/{post['id']}/groups"):
            assert (await person.ask("GET", path)).status_code == (200 if reads else 404)


# -- what waits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["open", "private", "secret"])
async def test_what_waits_is_passed_on_when_it_is_approved(cast: Cast, preset: str) -> None:
    club = await cast.club("chess", preset, premoderated=True)
    member, moderator, other = club.who("member"), club.who("moderator"), club.who("other")
    first, second = await club.publish(member, "first"), await club.publish(member, "second")
    assert (await club.place(member, first))["state"] == "held"
    assert await moderator.ids(f"{club.path}/held") == [first["id"], second["id"]]
    assert any("waits for a moderator" in words for words in await told(member))
    assert any("waits for a moderator" in words for words in await told(moderator))
    assert first["id"] not in await club.listed(other)
    assert first["id"] not in await other.home()
    for _ in range(2):
        assert (await club.judge(moderator, first, "approve"))["state"] == "distributed"
    assert await moderator.ids(f"{club.path}/held") == [second["id"]]
    assert first["id"] in await club.listed(other)
    assert first["id"] in await other.home()
    assert (await club.place(other, first))["state"] == "distributed"
    assert any("was accepted" in words for words in await told(member))
    assert "remove it instead" in await club.no_judge(422, moderator, first, "reject")


async def test_what_is_rejected_tells_its_author_why(cast: Cast) -> None:
    club = await cast.club("chess", "private", premoderated=True)
    member, moderator, other = club.who("member"), club.who("moderator"), club.who("other")
    post = await club.publish(member)
    for reason in ("an advertisement", "another reason"):
        place = await club.judge(moderator, post, "reject", reason=reason)
        assert (place["state"], place["reason"]) == ("rejected", "an advertisement")
    assert (await club.place(member, post))["reason"] == "an advertisement"
    assert any("an advertisement" in words for words in await told(member))
    assert await moderator.get(f"{club.path}/held") == []
    await other.refused(404, "GET", f"/api/fedcorp/v1/statuses/{post['id']}/groups")
    assert "does not wait" in await club.no_judge(422, moderator, post, "approve")


async def test_posts_of_moderators_never_wait(cast: Cast) -> None:
    club = await cast.club("chess", premoderated=True)
    for role in ("moderator", "admin"):
        post = await club.publish(club.who(role))
        assert (await club.place(club.who(role), post))["state"] == "distributed"


async def test_in_an_open_group_only_the_author_is_told_what_waits(cast: Cast) -> None:
    club = await cast.club("chess", premoderated=True)
    post = await club.publish(club.who("member"))
    assert await club.who("other").get(f"/api/fedcorp/v1/statuses/{post['id']}/groups") == []


# -- removing and restoring ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["open", "private"])
async def test_what_is_removed_is_gone_and_can_come_back(cast: Cast, preset: str) -> None:
    club = await cast.club("chess", preset)
    member, moderator, other = club.who("member"), club.who("moderator"), club.who("other")
    post = await club.publish(member)
    assert "was not taken out" not in str(await club.judge(moderator, post, "restore"))  # it stands there already
    for _ in range(2):
        assert (await club.judge(moderator, post, "remove", reason="off topic"))["state"] == "removed"
    place = await club.place(member, post)
    assert (place["state"], place["reason"]) == ("removed", "off topic")
    assert any("off topic" in words for words in await told(member))
    assert post["id"] not in await club.listed(other)
    assert post["id"] not in await other.home()
    assert (await other.ask("GET", f"/api/v1/statuses/{post['id']}")).is_success == (preset == "open")
    assert "does not wait" in await club.no_judge(422, moderator, post, "approve")
    for _ in range(2):
        assert (await club.judge(moderator, post, "restore"))["state"] == "distributed"
    assert await club.listed(other) == [post["id"]]
    assert (await club.place(other, post))["reason"] == ""


async def test_what_waits_is_not_restored(cast: Cast) -> None:
    club = await cast.club("chess", premoderated=True)
    post = await club.publish(club.who("member"))
    assert "not taken out" in await club.no_judge(422, club.who("moderator"), post, "restore")
    assert (await club.place(club.who("member"), post))["state"] == "held"


async def test_verdicts_need_a_post_of_this_group(office: Office, cast: Cast) -> None:
    club, choir = await cast.club("chess"), await cast.club("choir")
    admin = club.who("admin")
    elsewhere, nowhere = await choir.publish(admin), await admin.publish("to nobody")
    gone = await club.publish(admin)
    await admin.delete(f"/api/v1/statuses/{gone['id']}")
    before = await counts(office)
    for verb in ("remove", "restore", "lock", "unlock", "pin", "unpin", "approve", "reject"):
        for status in (elsewhere, nowhere, gone, {"id": "1"}):
            await club.no_judge(404, admin, status, verb)
    assert await counts(office) == before
    assert (await choir.place(admin, elsewhere))["state"] == "distributed"


# -- locks -----------------------------------------------------------------------------------------------------------


async def test_a_locked_thread_takes_no_answers(cast: Cast) -> None:
    club = await cast.club("chess")
    member, moderator, other = club.who("member"), club.who("moderator"), club.who("other")
    root = await club.publish(member)
    answer = await other.publish("an answer", in_reply_to_id=root["id"])
    for _ in range(2):
        assert (await club.judge(moderator, root, "lock", reason="enough"))["locked"] is True
    assert any("enough" in words for words in await told(member))
    for parent in (root, answer):
        for person in (member, other, moderator):
            body = {"status": "one more", "in_reply_to_id": parent["id"]}
            assert "locked" in await person.refused(403, "POST", "/api/v1/statuses", json=body)
    assert (await club.place(member, root))["locked"] is True
    await club.publish(other, "a thread of its own")
    for _ in range(2):
        assert (await club.judge(moderator, root, "unlock"))["locked"] is False
    await other.publish("at last", in_reply_to_id=answer["id"])


async def test_a_lock_on_an_answer_locks_its_thread(cast: Cast) -> None:
    club = await cast.club("chess")
    member, moderator = club.who("member"), club.who("moderator")
    root = await club.publish(member)
    answer = await member.publish("an answer", in_reply_to_id=root["id"])
    assert (await club.judge(moderator, answer, "lock"))["locked"] is True
    await member.refused(403, "POST", "/api/v1/statuses", json={"status": "x", "in_reply_to_id": root["id"]})
    assert (await club.judge(moderator, answer, "unlock"))["locked"] is False
    await member.publish("x", in_reply_to_id=root["id"])


# -- pins ------------------------------------------------------------------------------------------------------------


async def test_pinned_posts_stand_on_the_profile(cast: Cast) -> None:
    club = await cast.club("chess")
    moderator, outsider = club.who("moderator"), club.who("outsider")
    first, second = await club.publish(club.who("member"), "first"), await club.publish(moderator, "second")
    assert await club.listed(outsider, pinned="true") == []
    for _ in range(2):
        assert (await club.judge(moderator, first, "pin"))["pinned"] is True
    await club.judge(moderator, second, "pin")
    assert sorted(await club.listed(outsider, pinned="true")) == [first["id"], second["id"]]
    for _ in range(2):
        assert (await club.judge(moderator, first, "unpin"))["pinned"] is False
    assert await club.listed(outsider, pinned="true") == [second["id"]]
    await club.judge(moderator, second, "remove")
    assert await club.listed(outsider, pinned="true") == []


async def test_pins_of_a_closed_group_are_for_members(cast: Cast) -> None:
    club = await cast.club("chess", "private")
    post = await club.publish(club.who("member"))
    await club.judge(club.who("admin"), post, "pin")
    assert await club.listed(club.who("other"), pinned="true") == [post["id"]]
    for role in ("outsider", "outcast"):
        assert await club.listed(club.who(role), pinned="true") == []


async def test_a_group_pins_only_so_many(cast: Cast) -> None:
    club = await cast.club("chess")
    admin = club.who("admin")
    posts = [await club.publish(admin, str(number)) for number in range(MAX_PINS + 1)]
    for post in posts[:-1]:
        await club.judge(admin, post, "pin")
    assert str(MAX_PINS) in await club.no_judge(422, admin, posts[-1], "pin")
    assert (await club.judge(admin, posts[0], "pin"))["pinned"] is True  # it is already
    await club.judge(admin, posts[0], "unpin")
    await club.judge(admin, posts[-1], "pin")


async def test_what_nobody_sees_is_not_pinned(cast: Cast) -> None:
    club = await cast.club("chess", premoderated=True)
    post = await club.publish(club.who("member"))
    assert "passed on" in await club.no_judge(422, club.who("moderator"), post, "pin")
    assert (await club.place(club.who("member"), post))["pinned"] is False


# -- reports ---------------------------------------------------------------------------------------------------------


async def test_a_report_reaches_moderators_and_names_nobody(cast: Cast) -> None:
    club = await cast.club("chess", "private")
    member, moderator, other = club.who("member"), club.who("moderator"), club.who("other")
    post, elsewhere = await club.publish(other), await other.publish("secret", visibility="direct")
    body = {"account_id": other.id, "status_ids": [post["id"], elsewhere["id"], "1"], "comment": "rude <words>"}
    assert await member.post(f"{club.path}/reports", **body) == {}
    (report,) = await moderator.get(f"{club.path}/reports")
    assert (report["account"]["id"], report["comment"]) == (other.id, "rude <words>")
    assert report["status_ids"] == [post["id"]]  # what the reporter sees
    assert member.id not in str(report)
    assert any("rude" in words for words in await told(moderator))
    assert not any("rude" in words for words in await told(other))
    for _ in range(2):
        assert await moderator.post(f"{club.path}/reports/{report['id']}/resolve") == {}
    assert await moderator.get(f"{club.path}/reports") == []


async def test_reports_that_cannot_be(office: Office, cast: Cast) -> None:
    club, choir = await cast.club("chess"), await cast.club("choir")
    admin, member = club.who("admin"), club.who("member")
    await member.post(f"{choir.path}/reports", account_id=admin.id)
    (elsewhere,) = await admin.get(f"{choir.path}/reports")
    before = await counts(office)
    for status, body in (
        (400, {}),
        (400, {"account_id": "x"}),
        (404, {"account_id": "1"}),
        (422, {"account_id": admin.id, "comment": "x" * 5001}),
    ):
        await member.refused(status, "POST", f"{club.path}/reports", json=body)
    for number in ("1", elsewhere["id"]):
        await admin.refused(404, "POST", f"{club.path}/reports/{number}/resolve")
    assert await counts(office) == before
    assert len(await admin.get(f"{choir.path}/reports")) == 1


# -- what became of a post -------------------------------------------------------------------------------------------


async def test_a_post_in_two_groups_stands_in_both(cast: Cast) -> None:
    chess, choir = await cast.club("chess"), await cast.club("choir", premoderated=True)
    member = chess.who("member")
    post = await member.publish("@chess @choir hello")
    places = await member.get(f"/api/fedcorp/v1/statuses/{post['id']}/groups")
    assert {item["account"]["id"]: item["state"] for item in places} == {chess.id: "distributed", choir.id: "held"}
    seen = await chess.who("outsider").get(f"/api/fedcorp/v1/statuses/{post['id']}/groups")
    assert [item["account"]["id"] for item in seen] == [chess.id]


async def test_a_secret_group_that_everybody_reads_is_named_to_nobody_else(cast: Cast) -> None:
    club = await cast.club("cellar", "secret", reading="everyone")
    post = await club.publish(club.who("member"))
    assert (await club.place(club.who("other"), post))["state"] == "distributed"
    found = await club.who("outsider").ask("GET", f"/api/fedcorp/v1/statuses/{post['id']}/groups")
    assert found.json() == [] or found.status_code == 404


async def test_a_post_to_no_group_stands_nowhere(cast: Cast) -> None:
    post = await cast.people["member"].publish("to nobody")
    assert await cast.people["outsider"].get(f"/api/fedcorp/v1/statuses/{post['id']}/groups") == []
