"""Our own API of groups: finding, making, changing and ending them, joining and leaving, the link, the ledger; and, on
every route, who may do what."""

from typing import Any

import pytest

from fedcorp.social import policy
from fedcorp.web.api import openapi
from fedcorp.web.entities.times import iso
from fedcorp.web.routes import API_ROUTES
from tests.web.club import GROUPS, ROLES, Cast, hire_cast, walk
from tests.web.instance import ORIGIN, Office, Person, picture
from tests.web.test_bad_input import check, counts, filled, id_of

pytestmark = pytest.mark.anyio

OURS = [route for route in API_ROUTES if route.path.startswith(openapi.PREFIX) and "groups" in (route.scope or "")]
AT_A_GROUP = [route for route in OURS if route.path.startswith(f"{GROUPS}/{{id}}")]


@pytest.fixture
async def cast(office: Office) -> Cast:
    return await hire_cast(office)


# -- who may do what -------------------------------------------------------------------------------------------------

NOBODY, MODERATORS, ADMINS, ALL = (
    dict(zip(ROLES, statuses, strict=True))
    for statuses in ((404,) * 5, (403, 403, 403, 200, 200), (403, 403, 403, 403, 200), (200,) * 5)
)
MEMBERS = {**ALL, "outcast": 403, "outsider": 403}
MATRIX: dict[str, tuple[dict[str, int], dict[str, Any]]] = {
    "GET /groups": (ALL, {}),
    "GET /groups/{id}": (ALL, {}),
    "PATCH /groups/{id}": (ADMINS, {"purpose": "chess"}),
    "DELETE /groups/{id}": (ADMINS, {}),
    "POST /groups/{id}/join": ({**ALL, "outcast": 403, "outsider": 202}, {}),
    "POST /groups/{id}/leave": ({**ALL, "admin": 422}, {}),
    "POST /groups/{id}/decline": (NOBODY, {}),
    "POST /groups/{id}/link": (MODERATORS, {}),
    "DELETE /groups/{id}/link": (MODERATORS, {}),
    "GET /groups/{id}/ledger": (ALL, {}),
    "GET /groups/{id}/members": (ALL, {}),
    "PUT /groups/{id}/members/{other}": (ADMINS, {"role": "moderator"}),
    "DELETE /groups/{id}/members/{other}": (MODERATORS, {}),
    "DELETE /groups/{id}/members/{moderator}": ({**ADMINS, "moderator": 403}, {}),
    "GET /groups/{id}/requests": (MODERATORS, {}),
    "POST /groups/{id}/requests/{applicant}/approve": (MODERATORS, {}),
    "POST /groups/{id}/requests/{applicant}/reject": (MODERATORS, {}),
    "GET /groups/{id}/invites": (ALL, {}),
    "POST /groups/{id}/invites": (MEMBERS, {"acct": "guest"}),
    "DELETE /groups/{id}/invites/{invitee}": (MODERATORS, {}),
    "GET /groups/{id}/bans": (MODERATORS, {}),
    "POST /groups/{id}/bans": (MODERATORS, {"acct": "guest"}),
    "DELETE /groups/{id}/bans/{outcast}": (MODERATORS, {}),
    "GET /groups/{id}/held": (MODERATORS, {}),
    "GET /groups/{id}/reports": (MODERATORS, {}),
    "POST /groups/{id}/reports": (ALL, {"account_id": "{other}"}),
    "POST /groups/{id}/reports/{report}/resolve": (MODERATORS, {}),
    **{
        f"POST /groups/{{id}}/statuses/{{post}}/{verb}": (MODERATORS, {})
        for verb in ("remove", "restore", "lock", "unlock", "pin", "unpin")
    },
    "POST /groups/{id}/statuses/{held}/approve": (MODERATORS, {}),
    "POST /groups/{id}/statuses/{held}/reject": (MODERATORS, {}),
    "GET /statuses/{post}/groups": (ALL, {}),
}
"""What each role is answered in a group that one asks to join, that everybody reads, and whose posts wait."""


def plain(path: str) -> str:
    """A row of the matrix as the table of routes has it."""
    for name in ("other", "moderator", "applicant", "invitee", "outcast"):
        path = path.replace(f"{{{name}}}", "{account}")
    path = path.replace("/statuses/{post}/groups", "/statuses/{id}/groups")
    return path.replace("{post}", "{status}").replace("{held}", "{status}").replace(" /", " /api/fedcorp/v1/")


def test_the_matrix_has_every_route() -> None:
    made = "POST /api/fedcorp/v1/groups"  # which no role in a group matters for
    assert {plain(row) for row in MATRIX} | {made} == {id_of(route) for route in OURS}


@pytest.mark.slow
@pytest.mark.parametrize("row", MATRIX)
async def test_each_role_may_what_it_may(office: Office, cast: Cast, row: str) -> None:
    people = {name: await office.person(name) for name in ("applicant", "invitee", "guest")}
    for role, wanted in MATRIX[row][0].items():
        club = await cast.club(f"{role}_club", "request", premoderated=True)
        admin, member = club.who("admin"), club.who("member")
        await people["applicant"].ask("POST", f"{club.path}/join")
        await admin.post(f"{club.path}/invites", acct="invitee")
        await member.post(f"{club.path}/reports", account_id=club.who("other").id)
        ids = {
            **{name: person.id for name, person in (people | cast.people).items()},
            "id": club.id,
            "post": (await club.publish(admin))["id"],
            "held": (await club.publish(member))["id"],
            "report": (await admin.get(f"{club.path}/reports"))[0]["id"],
        }
        method, path = row.split(" ")
        body = {key: value.format_map(ids) for key, value in MATRIX[row][1].items()}
        before = await counts(office)
        options: dict[str, Any] = {} if method == "GET" else {"json": body}
        answer = await club.who(role).ask(method, "/api/fedcorp/v1" + path.format_map(ids), **options)
        assert answer.status_code == wanted, (role, answer.text)
        if wanted >= 400:
            assert await counts(office) == before


@pytest.mark.parametrize("route", OURS, ids=id_of)
async def test_scopes_open_reading_or_writing(office: Office, ann: Person, route: Any) -> None:
    reads = route.method == "GET"
    for scopes in ("read:groups", "read", "write:groups", "write", "profile", "read:statuses write:statuses"):
        opens = scopes in (("read", "read:groups") if reads else ("write", "write:groups"))
        app = await office.app(ann, scopes)
        answer = await app.ask(route.method, filled(route, "1"))
        assert (answer.status_code != 403) == opens, (scopes, answer.text)


@pytest.mark.slow
@pytest.mark.parametrize("route", AT_A_GROUP, ids=id_of)
async def test_a_secret_group_is_not_there_for_who_does_not_belong(office: Office, cast: Cast, route: Any) -> None:
    club = await cast.club("cellar", "secret")
    post = await club.publish(club.who("admin"))
    values = {"id": club.id, "account": club.who("other").id, "status": post["id"], "report": "1"}
    body = {"acct": "other", "account_id": club.who("other").id, "role": "member", "purpose": "x"}
    before = await counts(office)
    options: dict[str, Any] = {} if route.method == "GET" else {"json": body}
    for role in ("outsider", "outcast"):
        answer = await club.who(role).ask(route.method, route.path.format_map(values), **options)
        check(answer, 404)
        assert answer.json() == (await club.who(role).ask("GET", f"{GROUPS}/1")).json()  # as if it had never been
        assert await counts(office) == before


@pytest.mark.parametrize("role", ["outsider", "outcast"])
async def test_a_secret_group_stands_in_no_list(office: Office, cast: Cast, role: str) -> None:
    club = await cast.club("cellar", "secret", title="Cellar", topics=["wine"])
    post = await club.publish(club.who("member"), "in the #cellar")
    person, member = club.who(role), club.who("member")
    lists: list[tuple[str, dict[str, Any]]] = [
        (GROUPS, {}),
        (GROUPS, {"q": "cellar"}),
        (GROUPS, {"q": "wine"}),
        ("/api/v1/directory", {}),
        ("/api/v1/suggestions", {}),
        ("/api/v1/accounts/search", {"q": "cellar"}),
        ("/api/v1/accounts", {"id[]": club.id}),
        (f"/api/v1/accounts/{member.id}/following", {}),
    ]
    for path, params in lists:
        assert club.id not in await person.ids(path, **params), path
    assert club.id in await member.ids(GROUPS, q="wine cell")
    for q in ("cellar", "@cellar", "@cellar@finance.localhost", f"{ORIGIN}/@cellar", f"{ORIGIN}/g/{club.id}"):
        found = await person.get("/api/v2/search", q=q, resolve="true")
        assert not found["accounts"], q
        assert post["id"] not in [status["id"] for status in found["statuses"]], q
    assert not (await person.get("/api/v2/search", q="in the"))["statuses"]
    assert post["id"] not in await person.ids("/api/v1/timelines/tag/cellar")
    for path in (
        "/api/v1/accounts/lookup?acct=cellar", f"/api/v1/accounts/{club.id}", f"/api/v1/accounts/{club.id}/followers",
        f"/api/v1/accounts/{club.id}/statuses", f"/api/v1/statuses/{post['id']}",
        f"/api/fedcorp/v1/statuses/{post['id']}/groups",
    ):  # fmt: skip
        await person.refused(404, "GET", path)
    await person.refused(404, "POST", f"/api/v1/accounts/{club.id}/follow")
    for path in ("/.well-known/webfinger?resource=acct:cellar@finance.localhost", "/@cellar", f"/@cellar/{post['id']}"):
        assert (await person.http.get(path)).status_code == 404, path


# -- finding ---------------------------------------------------------------------------------------------------------


async def test_the_list_finds_by_every_word_and_by_belonging(office: Office, ann: Person, ben: Person) -> None:
    chess, choir = await office.group(ann, "chess"), await office.group(ben, "choir")
    await ann.patch(f"{GROUPS}/{chess}", purpose="Openings at noon", topics=["board games", "50% luck"])
    assert await ann.ids(GROUPS) == [choir, chess]
    assert await ann.ids(GROUPS, joined="true") == [chess]
    assert await ann.ids(GROUPS, joined="false") == [choir]
    for q in ("ch", "CHESS", "noon open", "games", "chess board", "50%"):
        assert chess in await ann.ids(GROUPS, q=q), q
    for q in ("chess choir", "_____", "%%", "[", "nothing"):
        assert await ann.ids(GROUPS, q=q) == [], q


async def test_pages_of_groups_leave_nothing_out_and_double_nothing(office: Office, ann: Person) -> None:
    made = [await office.group(ann, f"club{number}") for number in range(7)]
    for limit in (1, 2, 3, 7, 40):
        assert [item["id"] for item in await walk(ann, GROUPS, limit, q="club")] == made[::-1]


# -- making and changing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", policy.PRESETS)
async def test_every_preset_begins_with_its_rules(ann: Person, preset: str) -> None:
    made = await ann.post(GROUPS, name="chess", title="Chess <b>", preset=preset, description="We *play*")
    rules = policy.RULES[preset]
    assert made["preset"] == preset
    for name in ("joining", "reading", "posting", "inviting", "history", "premoderated"):
        assert made[name] == getattr(rules, name), name
    assert (made["role"], made["members_count"], made["title"], made["local"]) == ("admin", 1, "Chess <b>", True)
    assert made["may"] == dict.fromkeys(("read", "post", "invite", "moderate", "administer"), True)
    assert made["account"]["locked"] == (rules.joining != "open")
    assert made["account"]["group"] is True
    assert made["acct"] == "chess"
    assert "We" in made["description"]
    assert made["join_link"] is None
    assert await ann.get(f"{GROUPS}/{made['id']}") == made


async def test_a_group_can_be_made_with_every_setting(office: Office, ann: Person, ben: Person) -> None:
    end = "2099-01-01T00:00:00.000Z"
    settings: dict[str, Any] = {
        "reach": "department", "joining": "invite", "reading": "members", "posting": "moderators",
        "inviting": "members", "history": "joined", "outsiders": "relay", "premoderated": True, "purpose": "to play",
        "rules": ["be kind", "no blitz"], "topics": ["chess"], "ends_at": end,
    }  # fmt: skip
    made = await ann.post(GROUPS, name="chess", title="Chess", preset="request", **settings)
    assert {name: made[name] for name in settings} == settings
    seen = await ben.get(f"{GROUPS}/{made['id']}")
    assert seen["may"] == dict.fromkeys(("read", "post", "invite", "moderate", "administer"), False)
    assert (seen["role"], seen["join_link"]) == (None, None)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {}),
        (400, {"name": "chess"}),
        (400, {"name": "chess", "title": " "}),
        (400, {"name": "chess", "title": "x", "preset": "closed"}),
        (400, {"name": "chess", "title": "x", "joining": "never"}),
        (400, {"name": "chess", "title": "x", "reach": "galaxy"}),
        (400, {"name": "chess", "title": "x", "avatar": "a"}),
        (409, {"name": "Ann", "title": "x"}),
        (422, {"name": "a b", "title": "x"}),
        (422, {"name": "chess", "title": "x", "purpose": "x" * 301}),
        (422, {"name": "chess", "title": "x", "rules": ["x"] * 21}),
        (422, {"name": "chess", "title": "x", "topics": ["x" * 101]}),
        (422, {"name": "chess", "title": "x", "ends_at": "2001-01-01"}),
    ],
)
async def test_what_cannot_be_is_not_made(office: Office, ann: Person, status: int, body: dict[str, Any]) -> None:
    before = await counts(office)
    await ann.refused(status, "POST", GROUPS, json=body)
    assert await counts(office) == before


async def test_changes_keep_what_they_do_not_name(office: Office, ann: Person) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'chess')}"
    before = await ann.get(path)
    changes: dict[str, Any] = {
        "title": "Chess club", "purpose": "to play", "rules": ["one", "two"], "topics": ["a", "b"],
        "joining": "approval", "reading": "members", "posting": "members", "inviting": "moderators",
        "history": "joined", "outsiders": "relay", "premoderated": True, "reach": "partners",
    }  # fmt: skip
    for name, value in changes.items():
        after = await ann.patch(path, **{name: value})
        changed = {key for key in after if after[key] != before[key]}
        assert changed - {"account"} == {name}
        assert after[name] == value
        before = after
    assert (await ann.patch(path, rules=[], topics=[]))["rules"] == []
    assert "Nothing to change" in await ann.refused(400, "PATCH", path, json={})


async def test_pictures_are_taken_and_made_anew(office: Office, ann: Person, ben: Person) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'chess')}"
    drawn = (await ann.get(path))["account"]
    files = {name: ("x.png", picture(), "image/png") for name in ("avatar", "header")}
    changed = (await ann.ask("PATCH", path, files=files)).json()["account"]
    for name in ("avatar", "header"):
        assert changed[name] != drawn[name]
        shown = await office.anybody.http.get(changed[name].removeprefix(ORIGIN))
        assert shown.status_code == 200
        assert shown.headers["content-type"].startswith("image/")
    for person, status, content in ((ann, 422, b"no picture"), (ben, 403, picture())):
        await person.refused(status, "PATCH", path, files={"avatar": ("x.png", content, "image/png")})
    assert (await ann.get(path))["account"] == changed


async def test_a_made_group_may_have_pictures_at_once(ann: Person) -> None:
    answer = await ann.ask(
        "POST", GROUPS, data={"name": "chess", "title": "Chess"}, files={"avatar": ("x.png", picture(), "image/png")}
    )
    assert answer.status_code == 200
    assert "/media/" in answer.json()["account"]["avatar"]


# -- joining ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "status"), [("open", 200), ("announcement", 200), ("request", 202), ("private", 202), ("secret", 404)]
)
async def test_joining_follows_the_preset(office: Office, ann: Person, ben: Person, preset: str, status: int) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'chess', preset)}"
    for _ in range(2):  # the second time changes nothing
        answer = await ben.ask("POST", f"{path}/join")
        assert answer.status_code == status
        if status != 404:
            assert answer.json()["role"] == ("member" if status == 200 else None)
            assert answer.json()["requested"] == (status == 202)
    assert (await ann.get(path))["members_count"] == (2 if status == 200 else 1)


async def test_what_is_joined_by_invitation_says_so(office: Office, ann: Person, ben: Person) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'chess')}"
    await ann.patch(path, joining="invite")
    assert "invitation" in await ben.refused(403, "POST", f"{path}/join")


async def test_leaving_twice_and_a_request_taken_back(office: Office, ann: Person, ben: Person) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'chess')}"
    await ben.post(f"{path}/join")
    for _ in range(2):
        assert (await ben.post(f"{path}/leave"))["role"] is None
    await ann.patch(path, joining="approval")
    await ben.ask("POST", f"{path}/join", json={"message": "please"})
    assert len(await ann.get(f"{path}/requests")) == 1
    assert (await ben.post(f"{path}/leave"))["requested"] is False
    assert await ann.get(f"{path}/requests") == []


async def test_a_group_is_never_left_without_an_admin(cast: Cast) -> None:
    club = await cast.club("chess")
    admin, moderator = club.who("admin"), club.who("moderator")
    for method, path, body in (
        ("POST", "/leave", {}),
        ("DELETE", f"/members/{admin.id}", {}),
        ("PUT", f"/members/{admin.id}", {"role": "member"}),
        ("PUT", f"/members/{admin.id}", {"role": "moderator"}),
    ):
        assert "only admin" in await admin.refused(422, method, club.path + path, json=body)
    assert "yourself" in await admin.refused(422, "POST", f"{club.path}/bans", json={"account_id": admin.id})
    assert await club.role_of(admin) == "admin"
    assert (await admin.put(f"{club.path}/members/{moderator.id}", role="admin"))["role"] == "admin"
    assert (await admin.post(f"{club.path}/leave"))["role"] is None
    assert await club.role_of(moderator) == "admin"
    await moderator.refused(422, "POST", f"{club.path}/leave")


async def test_the_last_one_out_ends_the_group(office: Office, ann: Person, ben: Person) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'chess')}"
    assert (await ann.post(f"{path}/leave"))["archived_at"] is not None
    assert "archived" in await ben.refused(403, "POST", f"{path}/join")


# -- the link --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", policy.PRESETS)
async def test_the_link_lets_in_whoever_holds_it(office: Office, ann: Person, ben: Person, preset: str) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'chess', preset)}"
    link = (await ann.post(f"{path}/link"))["join_link"]
    assert link.startswith(f"{ORIGIN}/@chess/join/")
    for _ in range(2):
        assert (await ben.post(f"{path}/join", link=link))["role"] == "member"
    cy = await office.person("cy")
    assert (await cy.post(f"{path}/join", link=link.rpartition("/")[2]))["role"] == "member"
    assert (await ben.get(path))["join_link"] is None  # for moderators


async def test_a_link_that_does_not_hold_opens_nothing(office: Office, ann: Person, ben: Person) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'cellar', 'secret')}"
    first = (await ann.post(f"{path}/link"))["join_link"]
    second = (await ann.post(f"{path}/link"))["join_link"]
    assert first != second
    for link in (first, "", "/", first[:-1], "x", second + "x", second.upper()):
        await ben.refused(404, "POST", f"{path}/join", json={"link": link})
    for _ in range(2):
        assert (await ann.delete(f"{path}/link"))["join_link"] is None
    await ben.refused(404, "POST", f"{path}/join", json={"link": second})
    await ben.refused(404, "POST", f"{path}/join", json={"link": ""})


async def test_the_link_opens_nothing_for_outcasts_nor_when_the_group_ended(cast: Cast) -> None:
    club = await cast.club("chess", "private")
    admin, outcast = club.who("admin"), club.who("outcast")
    link = (await admin.post(f"{club.path}/link"))["join_link"]
    assert "excluded" in await outcast.refused(403, "POST", f"{club.path}/join", json={"link": link})
    assert await club.role_of(outcast) == "outcast"
    assert (await outcast.relationship(club.id))["following"] is False
    await admin.patch(club.path, archived=True)
    assert "archived" in await club.who("outsider").refused(403, "POST", f"{club.path}/join", json={"link": link})


# -- ending ----------------------------------------------------------------------------------------------------------


async def test_an_archived_group_is_read_and_nothing_more(cast: Cast) -> None:
    club = await cast.club("chess", "private")
    admin, member, outsider = club.who("admin"), club.who("member"), club.who("outsider")
    post = await club.publish(member)
    for _ in range(2):
        ended = await admin.patch(club.path, archived=True)
        assert ended["archived_at"] is not None
    assert (await member.get(club.path))["may"] == {
        "read": True, "post": False, "invite": False, "moderate": False, "administer": False,
    }  # fmt: skip
    assert post["id"] in await club.listed(member)
    assert "archived" in await member.refused(403, "POST", "/api/v1/statuses", json={"status": "@chess more"})
    assert "archived" in await outsider.refused(403, "POST", f"{club.path}/join")
    assert "archived" in await admin.refused(403, "POST", f"{club.path}/invites", json={"account_id": outsider.id})
    assert (await admin.patch(club.path, archived=False))["archived_at"] is None
    await club.publish(member)


async def test_a_group_ends_at_its_end(office: Office, cast: Cast) -> None:
    club = await cast.club("chess")
    admin = club.who("admin")
    await admin.refused(422, "PATCH", club.path, json={"ends_at": "2001-01-01"})
    end = iso(office.clock.ms() + 86_400_000)
    assert (await admin.patch(club.path, ends_at=end))["ends_at"] == end
    assert (await admin.patch(club.path, ends_at=""))["ends_at"] is None
    await admin.patch(club.path, ends_at=end)
    await office.settle()
    assert (await admin.get(club.path))["archived_at"] is None
    office.clock.pass_(seconds=86_400)
    await office.settle()
    assert (await admin.get(club.path))["archived_at"] is not None
    opened = await admin.patch(club.path, archived=False)
    assert (opened["archived_at"], opened["ends_at"]) == (None, None)


async def test_a_deleted_group_is_gone_with_what_it_passed_on(office: Office, cast: Cast) -> None:
    club = await cast.club("chess", reach="public")
    admin, member = club.who("admin"), club.who("member")
    post = await club.publish(member)
    assert post["id"] in await admin.home()
    assert await admin.delete(club.path) == {}
    await admin.refused(404, "DELETE", club.path)
    for person in (admin, member):
        await person.refused(404, "GET", club.path)
        assert club.id not in await person.ids(GROUPS)
        assert club.id not in await person.ids("/api/v1/lists")
        assert club.id not in [item["account"]["id"] for item in await person.get("/api/v1/timelines/home")]
    await member.refused(404, "GET", f"/api/v1/accounts/{club.id}")
    assert await member.get(f"/api/fedcorp/v1/statuses/{post['id']}/groups") == []
    assert "taken" in await admin.refused(409, "POST", GROUPS, json={"name": "chess", "title": "again"})


# -- the ledger ------------------------------------------------------------------------------------------------------


async def test_the_ledger_tells_every_step_to_who_may_see_the_members(office: Office, cast: Cast) -> None:
    club = await cast.club("chess", "private")
    member = club.who("member")
    for status in ("one", "two"):
        await club.publish(member, status)
    await office.settle()
    whole = await member.get(f"{club.path}/ledger", limit=80)
    assert whole["entries_count"] == len(whole["entries"]) > 5
    assert whole["forked_at"] is None
    numbers = [entry["seq"] for entry in whole["entries"]]
    assert numbers == list(range(len(numbers), 0, -1))
    for limit in (1, 2, 5, 80):
        assert await walk(member, f"{club.path}/ledger", limit) == whole["entries"]
    for role in ("outsider", "outcast"):
        await club.who(role).refused(404, "GET", f"{club.path}/ledger")


# -- what stands on the edge of every route ---------------------------------------------------------------------------


@pytest.mark.parametrize("route", AT_A_GROUP, ids=id_of)
async def test_a_person_is_no_group(ann: Person, ben: Person, route: Any) -> None:
    values = {"id": ben.id, "account": ann.id, "status": "1", "report": "1"}
    body = {"acct": "ben", "account_id": ben.id, "role": "member", "purpose": "x"}
    options: dict[str, Any] = {} if route.method == "GET" else {"json": body}
    await ann.refused(404, route.method, route.path.format_map(values), **options)


async def test_reach_is_that_of_the_posts(office: Office, ann: Person) -> None:
    for reach in policy.REACHES:
        made = await office.group(ann, f"{reach}_club", reach=reach)
        assert (await ann.get(f"{GROUPS}/{made}"))["reach"] == reach
        assert (await ann.publish(f"@{reach}_club x"))["reach"] == reach
