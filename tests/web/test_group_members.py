"""Our own API of groups: members and roles, requests, invitations, bans; what each person is told and may see then."""

from typing import Any

import pytest

from fedcorp.web.entities.times import iso
from tests.web.club import GROUPS, Cast, elsewhere, hire_cast, walk
from tests.web.instance import Office, Person
from tests.web.test_bad_input import counts

pytestmark = pytest.mark.anyio
DAY = 86_400


@pytest.fixture
async def cast(office: Office) -> Cast:
    return await hire_cast(office)


def people(items: list[Any]) -> list[str]:
    return [item["account"]["id"] for item in items]


async def told(person: Person) -> list[str]:
    """The words of every notice that somebody got, newest first, as plain text has them."""
    found = await person.get("/api/v1/notifications", **{"types[]": "mention"})
    return [item["status"]["content"] for item in found]


# -- members ---------------------------------------------------------------------------------------------------------


async def test_members_are_listed_with_their_roles(cast: Cast) -> None:
    club = await cast.club("chess")
    members = await club.who("outsider").get(f"{club.path}/members")
    roles = {item["account"]["id"]: item["role"] for item in members}
    assert roles == {
        club.who("admin").id: "admin",
        club.who("moderator").id: "moderator",
        club.who("member").id: "member",
        club.who("other").id: "member",
    }
    assert (await club.who("member").get(club.path))["members_count"] == 4


async def test_pages_of_every_list_leave_nobody_out_and_double_nobody(office: Office, ann: Person) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'chess')}"
    crowd = [await office.person(f"p{number}") for number in range(7)]
    for person in crowd:
        await person.post(f"{path}/join")
    for limit in (1, 2, 3, 8, 80):
        assert sorted(people(await walk(ann, f"{path}/members", limit))) == sorted([ann.id, *(p.id for p in crowd)])
    for person in crowd:
        await ann.post(f"{path}/bans", account_id=person.id)
    for limit in (1, 3, 7):
        assert sorted(people(await walk(ann, f"{path}/bans", limit))) == sorted(person.id for person in crowd)
    for person in crowd:
        await ann.delete(f"{path}/bans/{person.id}")
    await ann.patch(path, joining="approval")
    for person in crowd:
        assert (await person.ask("POST", f"{path}/join")).status_code == 202
    for limit in (1, 3, 7):
        assert people(await walk(ann, f"{path}/requests", limit)) == [person.id for person in crowd[::-1]]


@pytest.mark.parametrize("preset", ["private", "secret"])
async def test_members_of_a_closed_group_are_shown_to_members(cast: Cast, preset: str) -> None:
    club = await cast.club("chess", preset)
    for role in ("member", "moderator", "admin"):
        assert len(await club.who(role).get(f"{club.path}/members")) == 4
    for role in ("outsider", "outcast"):
        await club.who(role).refused(404, "GET", f"{club.path}/members")


async def test_roles_are_given_and_taken_by_admins(cast: Cast) -> None:
    club = await cast.club("chess")
    admin, member = club.who("admin"), club.who("member")
    at = f"{club.path}/members/{member.id}"
    for role in ("moderator", "moderator", "admin", "member", "member"):
        assert await admin.put(at, role=role) == {"account": (await admin.get(f"{club.path}/members", limit=80))[
            people(await admin.get(f"{club.path}/members", limit=80)).index(member.id)
        ]["account"], "role": role}  # fmt: skip
        assert await club.role_of(member) == role
    assert [words for words in await told(member) if "a moderator of" in words]
    assert [words for words in await told(member) if "an admin of" in words]
    for body in ({}, {"role": "outcast"}, {"role": "owner"}, {"role": ""}):
        await admin.refused(400, "PUT", at, json=body)
    for stranger in (club.who("outsider"), club.who("outcast")):
        sentence = await admin.refused(404, "PUT", f"{club.path}/members/{stranger.id}", json={"role": "admin"})
        assert "does not belong" in sentence
    await admin.refused(404, "PUT", f"{club.path}/members/1", json={"role": "admin"})
    assert await club.role_of(club.who("outcast")) == "outcast"


async def test_handing_over_takes_effect_at_once(cast: Cast) -> None:
    club = await cast.club("chess")
    admin, member = club.who("admin"), club.who("member")
    await admin.put(f"{club.path}/members/{member.id}", role="admin")
    await member.put(f"{club.path}/members/{admin.id}", role="member")
    await admin.refused(403, "PATCH", club.path, json={"title": "mine"})
    await admin.refused(403, "PUT", f"{club.path}/members/{admin.id}", json={"role": "admin"})
    await member.patch(club.path, title="ours")
    assert (await admin.get(club.path))["may"]["administer"] is False


async def test_whoever_is_removed_is_out_and_may_come_back(cast: Cast) -> None:
    club = await cast.club("chess", "private")
    moderator, member = club.who("moderator"), club.who("member")
    post = await club.publish(club.who("admin"))
    assert post["id"] in await member.home()
    at = f"{club.path}/members/{member.id}"
    assert (await moderator.delete(at, reason="off topic"))["role"] is None
    assert "does not belong" in await moderator.refused(404, "DELETE", at)
    assert post["id"] not in await member.home()
    await member.refused(404, "GET", f"/api/v1/statuses/{post['id']}")
    assert (await member.relationship(club.id))["following"] is False
    assert any("off topic" in words for words in await told(member))
    assert (await member.ask("POST", f"{club.path}/join")).status_code == 202


async def test_moderators_do_not_remove_or_ban_each_other(cast: Cast) -> None:
    club = await cast.club("chess")
    moderator, other = club.who("moderator"), club.who("other")
    await club.who("admin").put(f"{club.path}/members/{other.id}", role="moderator")
    for subject in (other, club.who("admin")):
        await moderator.refused(403, "DELETE", f"{club.path}/members/{subject.id}")
        await moderator.refused(403, "POST", f"{club.path}/bans", json={"account_id": subject.id})
    assert await club.role_of(other) == "moderator"
    await club.who("admin").post(f"{club.path}/bans", account_id=other.id)
    assert await club.role_of(other) == "outcast"


async def test_a_reason_too_long_is_refused_and_nothing_done(office: Office, cast: Cast) -> None:
    club = await cast.club("chess")
    before = await counts(office)
    for method, path in (("DELETE", f"members/{club.who('member').id}"), ("POST", "bans")):
        body = {"reason": "x" * 5001, "account_id": club.who("member").id}
        await club.who("admin").refused(422, method, f"{club.path}/{path}", json=body)
    assert await counts(office) == before
    assert await club.role_of(club.who("member")) == "member"


# -- requests --------------------------------------------------------------------------------------------------------


async def test_a_request_with_a_message_is_approved_once(cast: Cast) -> None:
    club = await cast.club("chess", "private")
    moderator, outsider = club.who("moderator"), club.who("outsider")
    answer = await outsider.ask("POST", f"{club.path}/join", json={"message": "I play <b>daily</b>"})
    assert (answer.status_code, answer.json()["requested"]) == (202, True)
    (request,) = await moderator.get(f"{club.path}/requests")
    assert (request["account"]["id"], request["message"]) == (outsider.id, "I play <b>daily</b>")
    assert any("daily" in words for words in await told(moderator))
    at = f"{club.path}/requests/{outsider.id}"
    for _ in range(2):
        assert (await moderator.post(f"{at}/approve"))["role"] == "member"
    assert await moderator.get(f"{club.path}/requests") == []
    assert any("Welcome" in words for words in await told(outsider))
    assert (await outsider.get(club.path))["may"]["read"] is True
    assert "not asked" in await moderator.refused(404, "POST", f"{at}/reject")
    assert await club.role_of(outsider) == "member"


async def test_a_request_is_rejected_with_a_reason(cast: Cast) -> None:
    club = await cast.club("chess", "request")
    moderator, outsider = club.who("moderator"), club.who("outsider")
    at = f"{club.path}/requests/{outsider.id}"
    for verb in ("approve", "reject"):
        assert "not asked" in await moderator.refused(404, "POST", f"{at}/{verb}")
    await outsider.ask("POST", f"{club.path}/join")
    assert (await moderator.post(f"{at}/reject", reason="we are full"))["role"] is None
    assert "not asked" in await moderator.refused(404, "POST", f"{at}/reject")
    assert "not asked" in await moderator.refused(404, "POST", f"{at}/approve")
    assert (await outsider.get(club.path))["requested"] is False
    assert any("we are full" in words for words in await told(outsider))
    assert (await outsider.ask("POST", f"{club.path}/join")).status_code == 202


async def test_an_old_client_asks_and_answers_the_same_requests(cast: Cast) -> None:
    club = await cast.club("chess", "request")
    moderator, outsider = club.who("moderator"), club.who("outsider")
    await outsider.follow(club.id)
    assert people(await moderator.get(f"{club.path}/requests")) == [outsider.id]
    await moderator.post(f"/api/v1/follow_requests/{outsider.id}/authorize")
    assert await club.role_of(outsider) == "member"


# -- invitations -----------------------------------------------------------------------------------------------------


async def test_an_invitation_shows_itself_and_lets_in(office: Office, cast: Cast) -> None:
    club = await cast.club("cellar", "secret")
    admin, outsider = club.who("admin"), club.who("outsider")
    end = iso(office.clock.ms() + 3 * DAY * 1000)
    made = await admin.post(f"{club.path}/invites", acct="@outsider1", message="come <in>", expires_at=end)
    assert (made["account"]["id"], made["by"]["id"]) == (outsider.id, admin.id)
    assert (made["message"], made["expires_at"]) == ("come <in>", end)
    assert await admin.post(f"{club.path}/invites", acct="outsider1", message="again") == made
    assert await admin.get(f"{club.path}/invites") == [made]
    seen = await outsider.get(club.path)
    assert (seen["invited"], seen["role"], seen["may"]["read"]) == (True, None, False)
    assert await outsider.get(f"{club.path}/invites") == [made]
    assert any("come &lt;in&gt;" in words for words in await told(outsider))
    for _ in range(2):
        assert (await outsider.post(f"{club.path}/join"))["role"] == "member"
    assert await admin.get(f"{club.path}/invites") == []
    assert (await outsider.get(club.path))["invited"] is False
    assert "belongs" in await admin.refused(422, "POST", f"{club.path}/invites", json={"acct": "outsider1"})


async def test_an_invitation_ends_at_its_time(office: Office, cast: Cast) -> None:
    club = await cast.club("cellar", "secret")
    admin, outsider = club.who("admin"), club.who("outsider")
    await admin.post(f"{club.path}/invites", acct="outsider1", expires_in=60)
    assert (await outsider.get(club.path))["invited"] is True
    office.clock.pass_(seconds=61)
    assert await admin.get(f"{club.path}/invites") == []
    await outsider.refused(404, "POST", f"{club.path}/join")
    await office.settle()
    await outsider.refused(404, "GET", club.path)
    assert club.id not in await outsider.ids(GROUPS)


async def test_an_invitation_lasts_two_weeks_and_at_most_ninety_days(office: Office, cast: Cast) -> None:
    club = await cast.club("chess", "private")
    admin = club.who("admin")
    default = await admin.post(f"{club.path}/invites", acct="outsider1")
    assert default["expires_at"][:10] == iso(office.clock.ms() + 14 * DAY * 1000)[:10]
    await admin.delete(f"{club.path}/invites/{club.who('outsider').id}")
    long = await admin.post(f"{club.path}/invites", acct="outsider1", expires_in=365 * DAY)
    assert long["expires_at"][:10] == iso(office.clock.ms() + 90 * DAY * 1000)[:10]


async def test_declining_and_taking_back(cast: Cast) -> None:
    club = await cast.club("chess", "private", inviting="members")
    member, outsider, moderator = club.who("member"), club.who("outsider"), club.who("moderator")
    at = f"{club.path}/invites/{outsider.id}"
    await member.post(f"{club.path}/invites", acct="outsider1")
    assert people(await member.get(f"{club.path}/invites")) == [outsider.id]
    assert await club.who("other").get(f"{club.path}/invites") == []  # whose it is not
    assert (await outsider.post(f"{club.path}/decline"))["invited"] is False
    assert "no invitation" in await outsider.refused(404, "POST", f"{club.path}/decline")
    assert any("declined" in words for words in await told(member))
    for who in (member, moderator):  # who made it, and who moderates
        await member.post(f"{club.path}/invites", acct="outsider1")
        await club.who("other").refused(403, "DELETE", at)
        assert (await who.delete(at))["role"] is None
        assert "no such invitation" in await who.refused(404, "DELETE", at)
    assert (await outsider.ask("POST", f"{club.path}/join")).status_code == 202


async def test_inviting_who_asks_lets_in(cast: Cast) -> None:
    club = await cast.club("chess", "private")
    admin, outsider = club.who("admin"), club.who("outsider")
    await outsider.ask("POST", f"{club.path}/join")
    made = await admin.post(f"{club.path}/invites", account_id=outsider.id)
    assert (made["account"]["id"], made["role"]) == (outsider.id, "member")
    assert await admin.get(f"{club.path}/requests") == []
    assert await admin.get(f"{club.path}/invites") == []


async def test_who_cannot_be_invited(office: Office, cast: Cast) -> None:
    club = await cast.club("chess", "private")
    admin = club.who("admin")
    other_group = await office.group(admin, "choir")
    before = await counts(office)
    for status, body in (
        (422, {"account_id": club.who("outcast").id}),
        (422, {"account_id": club.who("member").id}),
        (422, {"account_id": other_group}),
        (422, {"acct": "outsider1", "expires_at": "2001-01-01"}),
        (404, {"acct": "nobody"}),
        (404, {"acct": "nobody@elsewhere.localhost"}),
        (404, {"account_id": "1"}),
        (400, {}),
        (400, {"account_id": "x"}),
        (400, {"acct": "outsider1", "expires_at": "soon"}),
    ):
        await admin.refused(status, "POST", f"{club.path}/invites", json=body)
    assert await counts(office) == before


@pytest.mark.parametrize("inviting", ["members", "moderators"])
async def test_who_invites_is_a_rule(cast: Cast, inviting: str) -> None:
    club = await cast.club("chess", inviting=inviting)
    member = club.who("member")
    may = (await member.get(club.path))["may"]["invite"]
    answer = await member.ask("POST", f"{club.path}/invites", json={"acct": "outsider1"})
    assert (may, answer.status_code) == (inviting == "members", 200 if inviting == "members" else 403)


# -- bans ------------------------------------------------------------------------------------------------------------


async def test_a_ban_keeps_out_until_it_is_lifted(office: Office, cast: Cast) -> None:
    club = await cast.club("chess", "private")
    moderator, member = club.who("moderator"), club.who("member")
    post = await club.publish(club.who("admin"))
    for _ in range(2):
        banned = await moderator.post(f"{club.path}/bans", account_id=member.id, reason="spam & more")
        assert banned["role"] == "outcast"
    assert member.id not in people(await moderator.get(f"{club.path}/members"))
    row = next(item for item in await moderator.get(f"{club.path}/bans") if item["account"]["id"] == member.id)
    assert (row["reason"], row["until"]) == ("spam & more", None)
    assert any("spam &amp; more" in words for words in await told(member))
    await member.refused(404, "GET", f"/api/v1/statuses/{post['id']}")
    assert "excluded" in await member.refused(403, "POST", f"{club.path}/join")
    await member.refused(403, "POST", f"/api/v1/accounts/{club.id}/follow")
    await member.refused(403, "POST", "/api/v1/statuses", json={"status": "@chess hello"})
    assert (await moderator.delete(f"{club.path}/bans/{member.id}"))["role"] is None
    assert "not banned" in await moderator.refused(404, "DELETE", f"{club.path}/bans/{member.id}")
    assert await club.role_of(member) is None
    assert (await member.ask("POST", f"{club.path}/join")).status_code == 202


async def test_a_ban_again_gives_another_reason(cast: Cast) -> None:
    club = await cast.club("chess")
    admin, outcast = club.who("admin"), club.who("outcast")
    for reason in ("insults", ""):
        await admin.post(f"{club.path}/bans", account_id=outcast.id, reason=reason)
        assert [item["reason"] for item in await admin.get(f"{club.path}/bans")] == ["insults"]


async def test_nobody_is_let_into_an_archived_group(cast: Cast) -> None:
    club = await cast.club("chess", "request")
    admin, outsider = club.who("admin"), club.who("outsider")
    assert (await outsider.ask("POST", f"{club.path}/join")).status_code == 202
    await admin.patch(club.path, archived=True)
    path = f"{club.path}/requests/{outsider.id}/approve"
    assert "archived" in await admin.refused(403, "POST", path)
    await admin.patch(club.path, archived=False)
    assert (await admin.post(path))["role"] == "member"


async def test_a_ban_with_an_end_ends(office: Office, cast: Cast) -> None:
    club = await cast.club("chess")
    admin, member = club.who("admin"), club.who("member")
    end = iso(office.clock.ms() + DAY * 1000)
    assert (await admin.post(f"{club.path}/bans", acct="member1", expires_at=end))["role"] == "outcast"
    row = next(item for item in await admin.get(f"{club.path}/bans") if item["account"]["id"] == member.id)
    assert row["until"] == end
    await office.settle()
    await member.refused(403, "POST", f"{club.path}/join")
    office.clock.pass_(seconds=DAY)
    await office.settle()
    assert member.id not in people(await admin.get(f"{club.path}/bans"))
    assert club.who("outcast").id in people(await admin.get(f"{club.path}/bans"))  # for good
    assert (await member.post(f"{club.path}/join"))["role"] == "member"


async def test_a_ban_of_who_waits_or_is_invited_ends_both(cast: Cast) -> None:
    club = await cast.club("chess", "private")
    admin, outsider, other = club.who("admin"), club.who("outsider"), club.who("other")
    await other.post(f"{club.path}/leave")
    await admin.post(f"{club.path}/invites", account_id=other.id)
    await outsider.ask("POST", f"{club.path}/join")
    for person in (outsider, other):
        await admin.post(f"{club.path}/bans", account_id=person.id)
        await person.refused(403, "POST", f"{club.path}/join")
    assert await admin.get(f"{club.path}/requests") == []
    assert await admin.get(f"{club.path}/invites") == []


async def test_what_no_ban_is(office: Office, cast: Cast) -> None:
    club = await cast.club("chess")
    admin = club.who("admin")
    before = await counts(office)
    for status, body in (
        (422, {"account_id": admin.id}),
        (422, {"account_id": club.who("member").id, "expires_at": "2001-01-01"}),
        (404, {"acct": "nobody"}),
        (404, {"account_id": "1"}),
        (400, {}),
    ):
        await admin.refused(status, "POST", f"{club.path}/bans", json=body)
    assert await counts(office) == before


# -- what a new member reads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("history", ["all", "joined"])
async def test_history_is_shown_from_the_beginning_or_from_joining_on(office: Office, cast: Cast, history: str) -> None:
    club = await cast.club("chess", "private", history=history)
    outsider = club.who("outsider")
    old = await club.publish(club.who("member"), "old")
    office.clock.pass_(seconds=5)
    await club.let_in(outsider)
    office.clock.pass_(seconds=5)
    new = await club.publish(club.who("member"), "new")
    wanted = [new["id"], old["id"]] if history == "all" else [new["id"]]
    assert await club.listed(outsider) == wanted
    assert (await outsider.ask("GET", f"/api/v1/statuses/{old['id']}")).is_success == (history == "all")
    assert await club.listed(club.who("admin")) == [new["id"], old["id"]]


# -- groups of other departments -------------------------------------------------------------------------------------


async def test_wishes_wait_for_the_groups_own_department(office: Office, ann: Person, ben: Person) -> None:
    path = f"{GROUPS}/{await elsewhere(office, ann)}"
    bo = (await ann.get("/api/v1/accounts/lookup", acct="bo@sales.localhost"))["id"]
    wanted = []
    for method, rest, body, act in (
        ("PATCH", "", {"title": "Choir"}, "change"),
        ("PATCH", "", {"archived": True}, "archive"),
        ("POST", "/invites", {"acct": "ben"}, "invite"),
        ("DELETE", f"/invites/{ben.id}", {}, "revoke"),
        ("PUT", f"/members/{bo}", {"role": "moderator"}, "role"),
        ("DELETE", f"/members/{bo}", {"reason": "x"}, "remove"),
        ("POST", f"/requests/{bo}/approve", {}, "approve"),
        ("POST", f"/requests/{bo}/reject", {}, "refuse"),
        ("POST", "/bans", {"account_id": bo}, "ban"),
        ("DELETE", f"/bans/{bo}", {}, "unban"),
        ("POST", "/reports", {"account_id": bo}, "report"),
        ("POST", "/reports/1/resolve", {}, "resolve"),
        ("DELETE", "", {}, "delete"),
    ):
        answer = await ann.ask(method, path + rest, json=body)
        assert (answer.status_code, answer.json()["act"], answer.json()["state"]) == (202, act, "pending"), answer.text
        wanted.append(answer.json())
        if act not in ("revoke", "report"):
            await ben.refused(403, method, path + rest, json=body)
    assert (await ann.get(path))["pending"] == wanted[::-1]
    assert (await ben.get(path))["pending"] == []
    assert (await ben.get(path))["role"] is None


async def test_pictures_and_links_of_a_group_elsewhere_are_made_there(office: Office, ann: Person) -> None:
    path = f"{GROUPS}/{await elsewhere(office, ann)}"
    await ann.refused(400, "POST", f"{path}/link")
    files = {"avatar": ("x.png", b"x", "image/png")}
    assert "own server" in await ann.refused(400, "PATCH", path, files=files)
    assert (await ann.get(path))["pending"] == []
