"""Accounts in the administrators' API: who is listed, what each act does, who may do it to whom, and what is told."""

from contextlib import AsyncExitStack

import pytest
import sqlalchemy as sa

from fedcorp.storage.database import Tx
from fedcorp.storage.tables import audit
from tests.web.instance import PASSWORD, Caller, Office, Person, browser
from tests.web.test_joining import hidden, signed_in
from tests.web.test_streaming import events

pytestmark = pytest.mark.anyio
PATH = "/api/v1/admin/accounts"
WARNINGS, AUDIT = "/api/fedcorp/v1/warnings", "/api/fedcorp/v1/admin/audit"
LIST = "/api/v2/admin/accounts"


def audited(tx: Tx) -> list[tuple[str, str, str, str]]:
    rows = tx.conn.execute(sa.select(audit).where(audit.c.act.startswith("account.")).order_by(audit.c.seq))
    return [(row.actor, row.act, row.subject, row.reason) for row in rows]


async def test_accounts_are_found_in_every_way(office: Office, ann: Person, ben: Person) -> None:
    mo, sue = await office.staff("mo"), str((await office.colleague("sue")).id)
    await ann.patch("/api/v1/accounts/update_credentials", display_name="Ann of Finance")
    assert set(await mo.ids(LIST)) == {ann.id, ben.id, mo.id, sue}
    for asked, wanted in (
        ({"origin": "remote"}, [sue]),
        ({"permissions": "staff"}, [mo.id]),
        ({"username": "AN"}, [ann.id]),
        ({"username": "a%"}, []),
        ({"display_name": "of fin"}, [ann.id]),
        ({"by_domain": "sales.localhost"}, [sue]),
        ({"email": "Ben@example.com"}, [ben.id]),
        ({"status": "suspended"}, []),
        ({"status": "silenced"}, []),
        ({"limit": 1, "max_id": ben.id}, [ann.id]),
    ):
        assert await mo.ids(LIST, **asked) == wanted, asked
    assert await mo.ids(PATH, remote="true") == [sue]
    assert await mo.ids(PATH, staff="true") == [mo.id]
    one = await mo.get(f"{PATH}/{ann.id}")
    assert (one["email"], one["suspended"], one["domain"]) == ("ann@example.com", False, None)
    await mo.refused(404, "GET", f"{PATH}/1")


async def test_whoever_is_suspended_is_gone_until_shown_again(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    post = await ben.publish("hello")
    report = await ann.post("/api/v1/reports", account_id=ben.id)
    await mo.post(f"{PATH}/{ben.id}/action", type="suspend", text="spam")
    await mo.post(f"{PATH}/{ben.id}/action", type="suspend", text="again")
    assert await mo.ids(LIST, status="suspended") == [ben.id]
    await ann.refused(404, "GET", f"/api/v1/statuses/{post['id']}")
    await ann.refused(404, "GET", f"/api/v1/accounts/{ben.id}")
    await ben.refused(401, "GET", "/api/v1/timelines/home")
    dealt = await mo.get(f"/api/v1/admin/reports/{report['id']}")
    assert (dealt["action_taken"], dealt["target_account"]["suspended"]) == (True, True)
    assert (await mo.post(f"{PATH}/{ben.id}/unsuspend"))["suspended"] is False
    await ann.get(f"/api/v1/statuses/{post['id']}")
    await ben.get("/api/v1/timelines/home")
    acts = [("account.suspend", "spam"), ("account.unsuspend", "")]
    assert await office.db.read(audited) == [(mo.account.uri, act, ben.account.uri, why) for act, why in acts]


async def test_who_may_do_it_to_whom(office: Office, ann: Person, ben: Person) -> None:
    mo, ada, eve = await office.staff("mo"), await office.staff("ada", "admin"), await office.staff("eve")
    scoped = await office.app(ben, "admin:read admin:write")
    for caller in (scoped, await office.app(mo, "read write admin:read"), ann):
        for verb in ("action", "unsuspend", "unsilence", "unsensitive", "enable"):
            await caller.refused(403, "POST", f"{PATH}/{ann.id}/{verb}", json={"type": "suspend"})
    for path in (LIST, PATH, f"{PATH}/{ann.id}", f"{PATH}/1"):
        await scoped.refused(403, "GET", path)
    for person in (ada, eve):
        await mo.refused(403, "POST", f"{PATH}/{person.id}/action", json={"type": "suspend"})
    await mo.refused(422, "POST", f"{PATH}/{mo.id}/action", json={"type": "suspend"})
    group = await office.group(ann, "chess")
    await mo.refused(422, "POST", f"{PATH}/{group}/action", json={"type": "suspend"})
    for kind in ("delete", ""):
        await mo.refused(422, "POST", f"{PATH}/{ann.id}/action", json={"type": kind})
    sue = str((await office.colleague("sue")).id)
    await mo.refused(422, "POST", f"{PATH}/{sue}/action", json={"type": "disable"})
    await mo.refused(404, "POST", f"{PATH}/{ann.id}/action", json={"type": "none", "report_id": "1"})
    assert await office.db.read(audited) == []
    await ada.post(f"{PATH}/{mo.id}/action", type="suspend")
    await mo.refused(401, "GET", LIST)


# -- limited ---------------------------------------------------------------------------------------------------------


async def test_who_is_limited_is_shown_only_to_followers_and_by_name(office: Office, ann: Person, ben: Person) -> None:
    mo, fay = await office.staff("mo"), await office.person("fay")
    await ben.patch("/api/v1/accounts/update_credentials", discoverable=True)
    await fay.follow(ben)
    asked = await ann.publish("who knows #chess?", reach="public")
    post = await ben.publish("a word on #chess", reach="public")
    reply = await ben.publish("@ann I do", in_reply_to_id=asked["id"], reach="public")
    await ann.post("/api/v1/tags/chess/follow")
    await mo.post(f"{PATH}/{ben.id}/action", type="silence", text="too loud")
    assert await mo.ids(LIST, status="silenced") == [ben.id]

    async def places(who: Caller) -> set[str]:
        """Where this reader comes upon him or his posts."""
        found = {
            "public": post["id"] in await who.ids("/api/v1/timelines/public"),
            "hashtag": post["id"] in await who.ids("/api/v1/timelines/tag/chess"),
            "thread": reply["id"] in str(await who.get(f"/api/v1/statuses/{asked['id']}/context")),
            "use": (await who.get("/api/v1/tags/chess"))["history"][0]["uses"] != "1",
        }
        if who.token is not None:
            found |= {
                "searched posts": post["id"] in str(await who.get("/api/v2/search", q="word", type="statuses")),
                "searched": ben.id in await who.ids("/api/v1/accounts/search", q="be"),
                "directory": ben.id in await who.ids("/api/v1/directory"),
            }
        return {place for place, is_there in found.items() if is_there}

    everywhere = {"public", "hashtag", "thread", "use", "searched posts", "searched", "directory"}
    assert await places(office.anybody) == set()
    assert await places(ann) == set()
    assert await places(ben) == everywhere
    assert await places(fay) == everywhere
    for reader in (ann, office.anybody):  # who asks by name is told, and told that he is limited
        assert (await reader.get(f"/api/v1/accounts/{ben.id}"))["limited"] is True
        assert post["id"] in await reader.ids(f"/api/v1/accounts/{ben.id}/statuses")
        await reader.get(f"/api/v1/statuses/{post['id']}")
    assert await ann.ids("/api/v1/accounts/search", q="ben") == [ben.id]
    later = await ben.publish("more on #chess")
    assert (later["id"] in await ann.home(), later["id"] in await fay.home()) == (False, True)
    assert (await mo.post(f"{PATH}/{ben.id}/unsilence"))["silenced"] is False
    assert await places(ann) == everywhere
    assert "limited" not in await ann.get(f"/api/v1/accounts/{ben.id}")


async def test_what_who_is_limited_causes_waits_as_a_request(office: Office, ann: Person, ben: Person) -> None:
    mo, fay = await office.staff("mo"), await office.person("fay")
    await fay.follow(ben)
    await mo.post(f"{PATH}/{ben.id}/action", type="silence")
    await ben.publish("@ann @fay hello")
    assert (await ann.notified(), await fay.notified()) == ([], [("mention", "ben")])
    assert await ann.ids("/api/v1/notifications/requests") == [ben.id]
    assert (await ben.follow(ann))["requested"] is True  # and asks whom he wants to follow
    assert (await ann.get("/api/v2/notifications/policy"))["for_limited_accounts"] == "filter"
    await ann.patch("/api/v2/notifications/policy", for_limited_accounts="drop")
    await ben.publish("@ann are you there?")
    assert (await ann.get("/api/v2/notifications/policy"))["summary"]["pending_notifications_count"] == 2
    await ann.patch("/api/v2/notifications/policy", for_limited_accounts="accept")
    await ben.publish("@ann hello?")
    assert await ann.notified() == [("mention", "ben")]


async def test_streams_for_all_leave_out_who_is_limited(office: Office, ann: Person, ben: Person) -> None:
    mo, fay = await office.staff("mo"), await office.person("fay")
    await fay.follow(ben)
    await mo.post(f"{PATH}/{ben.id}/action", type="silence")
    async with AsyncExitStack() as stack:
        ears = [
            await stack.enter_async_context(events(office, who, name, tag="chess"))
            for who in (ann, fay)
            for name in ("public", "hashtag")
        ]
        await ben.publish("quiet #chess")
        await mo.publish("loud #chess")
        first = [(await ear.next())[1]["content"] for ear in ears]
    assert ["quiet" in text for text in first] == [False, False, True, True]


async def test_a_group_elsewhere_or_a_colleague_can_be_limited(office: Office, ann: Person) -> None:
    mo, sue = await office.staff("mo"), str((await office.colleague("sue")).id)
    await mo.post(f"{PATH}/{sue}/action", type="silence", text="spam")
    assert (await ann.get(f"/api/v1/accounts/{sue}"))["limited"] is True
    assert await ann.ids("/api/v1/accounts/search", q="su") == []


# -- sensitive, disabled ---------------------------------------------------------------------------------------------


async def test_all_posts_of_who_is_marked_sensitive_count_as_such(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    post = await ben.publish("hello")
    boost = await ann.do("reblog", post)
    await mo.post(f"{PATH}/{ben.id}/action", type="sensitive")
    shown = await ann.get(f"/api/v1/statuses/{boost['id']}")
    assert (shown["sensitive"], shown["reblog"]["sensitive"]) == (True, True)
    assert (await ben.publish("more"))["sensitive"] is True
    assert (await mo.post(f"{PATH}/{ben.id}/unsensitive"))["sensitized"] is False
    shown = await ann.get(f"/api/v1/statuses/{boost['id']}")
    assert (shown["sensitive"], shown["reblog"]["sensitive"]) == (False, False)


async def test_who_is_disabled_cannot_sign_in_and_is_shown_all_the_same(
    office: Office, ann: Person, ben: Person
) -> None:
    mo, post = await office.staff("mo"), await ben.publish("hello")
    async with events(office, ben, "user") as ear:
        await mo.post(f"{PATH}/{ben.id}/action", type="disable", text="left")
        event, told = await ear.next()
        assert (event, told["moderation_warning"]["text"]) == ("notification", "left")
        assert (await ear.connection.message())["more_body"] is False
    await ben.refused(401, "GET", "/api/v1/timelines/home")
    await ann.get(f"/api/v1/statuses/{post['id']}")
    assert await mo.ids(LIST, status="disabled") == [ben.id]
    assert (await mo.post(f"{PATH}/{ben.id}/enable"))["disabled"] is False
    await ben.get("/api/v1/timelines/home")
    acts = [("account.disable", "left"), ("account.enable", "")]
    assert await office.db.read(audited) == [(mo.account.uri, act, ben.account.uri, why) for act, why in acts]


# -- warnings and answers --------------------------------------------------------------------------------------------


async def test_a_warning_is_told_and_answered(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    report = await ann.post("/api/v1/reports", account_id=ben.id)
    await mo.post(f"{PATH}/{ben.id}/action", type="none", text="please be kind", report_id=report["id"])
    await mo.post(f"{PATH}/{ben.id}/action", type="silence", text="again")
    told = await ben.get("/api/v1/notifications")
    assert [(one["type"], one["account"]["acct"]) for one in told] == [("moderation_warning", "ben")] * 2
    kinds = [(one["moderation_warning"]["action"], one["moderation_warning"]["text"]) for one in told]
    assert kinds == [("silence", "again"), ("none", "please be kind")]
    grouped = (await ben.get("/api/v2/notifications"))["notification_groups"]
    assert [group["moderation_warning"]["action"] for group in grouped] == ["silence", "none"]
    assert "mo" not in {one["account"]["acct"] for one in told}  # which moderator it was is not told
    assert (await mo.get(f"/api/v1/admin/reports/{report['id']}"))["action_taken"] is True

    silence, none = await ben.get(WARNINGS)
    assert (silence["action"], silence["appeal"]) == ("silence", None)
    answered = await ben.post(f"{WARNINGS}/{silence['id']}/appeal", text="It was a joke.")
    assert answered["appeal"] == {"text": "It was a joke.", "state": "pending"}
    assert await mo.notified() == [("admin.report", "ben"), ("admin.report", "ann")]
    waiting = (await mo.get("/api/v1/admin/reports"))[0]
    assert waiting["comment"] == "Answer to a warning (silence): It was a joke."
    assert waiting["account"]["id"] == waiting["target_account"]["id"] == ben.id
    await mo.post(f"{PATH}/{ben.id}/unsilence")
    assert (await ben.get(WARNINGS))[0]["appeal"]["state"] == "approved"
    assert await mo.ids("/api/v1/admin/reports") == []

    await ben.post(f"{WARNINGS}/{none['id']}/appeal", text="I am kind.")
    await mo.post(f"/api/v1/admin/reports/{(await mo.ids('/api/v1/admin/reports'))[0]}/resolve")
    assert [one["appeal"]["state"] for one in await ben.get(WARNINGS)] == ["approved", "rejected"]
    acts = [("account.warn", "please be kind"), ("account.silence", "again"), ("account.unsilence", "")]
    assert await office.db.read(audited) == [(mo.account.uri, act, ben.account.uri, why) for act, why in acts]


async def test_what_cannot_be_answered(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    await mo.post(f"{PATH}/{ben.id}/action", type="sensitive")
    await mo.post(f"{PATH}/{ben.id}/action", type="sensitive")  # twice is once
    (warning,) = await ben.get(WARNINGS)
    path = f"{WARNINGS}/{warning['id']}/appeal"
    await ann.refused(404, "POST", path, json={"text": "not mine"})
    for text in ("", " ", "x" * 901):
        await ben.refused(422, "POST", path, json={"text": text})
    await ben.post(path, text="why?")
    await ben.refused(422, "POST", path, json={"text": "why?"})
    await mo.post(f"{PATH}/{ben.id}/unsensitive")
    await mo.post(f"{PATH}/{ben.id}/action", type="sensitive")
    await mo.post(f"{PATH}/{ben.id}/unsensitive")
    lifted = (await ben.get(WARNINGS))[0]
    await ben.refused(422, "POST", f"{WARNINGS}/{lifted['id']}/appeal", json={"text": "thanks"})
    assert await ann.get(WARNINGS) == []


async def test_the_page_of_a_warning_is_for_whom_it_is_for(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    await mo.post(f"{PATH}/{ben.id}/action", type="silence", text="too <loud>")
    (warning,) = await ben.get(WARNINGS)
    path = f"/disputes/strikes/{warning['id']}"
    async with browser(office.instance) as client:
        page = await client.get(path)
        assert "Sign in" in page.text
        assert "loud" not in page.text
        login = {**hidden(page), "username": "ben", "password": PASSWORD}
        assert (await client.post(path, data={**login, "password": "no"})).status_code == 422
        assert (await client.post(path, data=login)).headers["location"] == path
        page = await client.get(path)
        assert "too &lt;loud&gt;" in page.text
        assert (await client.post(path, data={"step": "answer", "text": "forged"})).status_code == 403
        form = {**hidden(page), "step": "answer"}
        assert (await client.post(path, data={**form, "text": " "})).status_code == 422
        assert (await client.post(path, data={**form, "text": "Why <me>?"})).status_code == 303
        page = await client.get(path)
        assert "Why &lt;me&gt;?" in page.text
        assert "not dealt with" in page.text
        assert "<button" not in page.text
        await mo.post(f"{PATH}/{ben.id}/unsilence")
        assert "taken it back" in (await client.get(path)).text
        assert (await client.get("/disputes/strikes/1")).status_code == 404
    async with await signed_in(office, ann) as client:
        page = await client.get(path)
        assert page.status_code == 404
        assert "loud" not in page.text
    assert await mo.notified() == [("admin.report", "ben")]


# -- the audit -------------------------------------------------------------------------------------------------------


async def test_moderators_read_the_audit_in_pages(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    report = await ann.post("/api/v1/reports", account_id=ben.id)
    await mo.post(f"/api/v1/admin/reports/{report['id']}/assign_to_self")
    for kind in ("sensitive", "silence"):
        await mo.post(f"{PATH}/{ben.id}/action", type=kind, text="because")
    whole = await mo.get(AUDIT)
    assert [entry["act"] for entry in whole] == [
        "account.silence", "report.resolve", "account.sensitive", "report.assign",
    ]  # fmt: skip
    assert {entry["actor"] for entry in whole} == {mo.account.uri}
    assert (whole[0]["subject"], whole[0]["reason"]) == (ben.account.uri, "because")
    ids = [entry["id"] for entry in whole]
    for asked, wanted in (
        ({"limit": 2}, ids[:2]),
        ({"limit": 2, "max_id": ids[1]}, ids[2:]),
        ({"limit": 2, "min_id": ids[3]}, ids[1:3]),
        ({"limit": 2, "since_id": ids[3]}, ids[:2]),
        ({"act": "report."}, [ids[1], ids[3]]),
        ({"subject": ben.account.uri}, [ids[0], ids[2]]),
        ({"actor": "command line"}, []),
        ({"act": "%"}, []),
    ):
        assert await mo.ids(AUDIT, **asked) == wanted, asked
    page = await mo.ask("GET", AUDIT, params={"limit": 2})
    assert f"max_id={ids[1]}" in page.headers["link"]
    await ann.refused(403, "GET", AUDIT)
