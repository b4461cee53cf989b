"""Push notifications from the request of an app to its device, through a push service on loopback: real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.errors import Unavailable
from fedcorp.net import Limits, Transport
from fedcorp.social import accounts, receiving
from fedcorp.social.push import ALERTS, JOB
from fedcorp.social.receiving import RemoteStatus
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import jobs, push_subscriptions
from fedcorp.web.entities.push_titles import REACTED, TITLES, title
from tests.net.sink import LOOPBACK
from tests.web.device import Device, Service, service
from tests.web.instance import Caller, MovableClock, Office, Person, running

pytestmark = pytest.mark.anyio

PATH = "/api/v1/push/subscription"
OFF = "This department sends no push notifications."
PATIENT = Limits(connect=100, total=100)  # a busy machine makes nothing wrong
EVERYTHING = dict.fromkeys(ALERTS, True)


class StillClock(MovableClock):
    """Stands still until the test puts it forward."""

    def __init__(self) -> None:
        super().__init__()
        self.start_ms = super().ms()

    def ms(self) -> int:
        return self.start_ms + self.ahead_ms


@dataclass
class Desk:
    """A department that sends push notifications, and the service that takes them."""

    office: Office
    service: Service

    async def told(self, device: Device) -> list[dict[str, Any]]:
        """Everything that a device was told so far, once all work is done."""
        await self.office.settle()
        key = (await self.office.anybody.get("/api/v2/instance"))["configuration"]["vapid"]["public_key"]
        return device.received(key)

    async def kinds(self, device: Device) -> list[str]:
        return [message["notification_type"] for message in await self.told(device)]


@asynccontextmanager
async def desk(folder: Path, at: Service, services: list[str] | None = None, **settings: Any) -> AsyncIterator[Desk]:
    clock = StillClock()
    network = Transport(**{"networks": LOOPBACK, "verify": at.context, "limits": PATIENT, **settings})
    push = {"services": [at.domain] if services is None else services}
    async with running(folder, clock, network, push=push) as instance:
        yield Desk(Office(instance, clock), at)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path) as made:
        yield made


@pytest.fixture
async def pushing(tmp_path: Path, at: Service) -> AsyncIterator[Desk]:
    async with desk(tmp_path, at) as made:
        yield made


@pytest.fixture
async def office(pushing: Desk) -> Office:
    return pushing.office


async def subscribed(who: Caller, device: Device, standard: bool = True, **data: Any) -> Any:
    """Subscribe a device of somebody to everything, or as `data` says."""
    return await who.post(PATH, subscription=device.subscription(standard=standard), data={"alerts": EVERYTHING} | data)


# -- what apps ask and read ------------------------------------------------------------------------------------------


async def test_a_subscription_is_made_looked_up_changed_and_ended(office: Office, ann: Person, at: Service) -> None:
    device = Device(at)
    assert await ann.refused(404, "GET", PATH) == "Record not found"
    await ann.refused(404, "PUT", PATH, json={"data": {"policy": "none"}})
    assert await ann.delete(PATH) == {}
    made = await subscribed(ann, device, standard=False, alerts={"mention": True}, policy="followed")
    assert (made["endpoint"], made["standard"], made["policy"]) == (device.endpoint, False, "followed")
    assert [kind for kind, wanted in made["alerts"].items() if wanted] == ["mention"]
    assert await ann.get(PATH) == made
    key = (await office.anybody.get("/api/v2/instance"))["configuration"]["vapid"]["public_key"]
    registered = await office.anybody.post("/api/v1/apps", client_name="x", redirect_uris="app://x")
    assert made["server_key"] == key == registered["vapid_key"]
    changed = await ann.put(PATH, data={"alerts": {"poll": "1"}})
    assert [kind for kind, wanted in changed["alerts"].items() if wanted] == ["poll"]
    assert changed["policy"] == "followed"
    assert (await ann.put(PATH, policy="follower"))["alerts"] == changed["alerts"]
    again = await subscribed(ann, Device(at, "/other"))
    assert (again["endpoint"], again["policy"]) == (f"{at.origin}/other", "all")
    assert again["id"] > made["id"], "an id is used once"
    assert await ann.get(PATH) == again
    assert await ann.delete(PATH) == {}
    await ann.refused(404, "GET", PATH)


async def test_apps_write_it_as_a_form_and_nest_what_is_for_moderators(ann: Person, at: Service) -> None:
    device = Device(at)
    keys = device.subscription()["keys"]
    form = {
        "subscription[endpoint]": device.endpoint, "subscription[keys][p256dh]": keys["p256dh"],
        "subscription[keys][auth]": keys["auth"], "subscription[standard]": "true", "data[policy]": "none",
        "data[alerts][follow]": "true", "data[alerts][admin.sign_up]": "true", "data[alerts][admin][report]": "1",
    }  # fmt: skip
    made = (await ann.ask("POST", PATH, data=form)).json()
    assert (made["standard"], made["policy"]) == (True, "none")
    assert {kind for kind, wanted in made["alerts"].items() if wanted} == {"follow", "admin.sign_up", "admin.report"}


async def test_each_token_has_one_of_its_own(office: Office, ann: Person, ben: Person, at: Service) -> None:
    await subscribed(ann, Device(at))
    other = await office.app(ann, "push")
    await other.refused(404, "GET", PATH)
    await subscribed(other, Device(at, "/tablet"))
    assert (await ann.get(PATH))["endpoint"].endswith("/wake/me")
    await other.delete(PATH)
    assert (await ann.get(PATH))["endpoint"].endswith("/wake/me")
    await ben.refused(404, "GET", PATH)
    reader = await office.app(ann, "read write follow")
    await reader.refused(403, "POST", PATH, json={})
    nobody = await office.app(None, "push")
    await nobody.refused(401, "GET", PATH)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.localhost:{port}/x", "https://push.localhost/x", "https://push.localhost:{other}/x",
        "https://other.localhost:{port}/x", "https://push.localhost.example.com:{port}/x",
        "https://localhost:{port}/x", "https://127.0.0.1:{port}/x", "https://[::1]:{port}/x",
        "https://example.com@push.localhost:{port}/x", "https://push.localhost:{port}@example.com/x",
        "https://example.com\\@push.localhost:{port}/x", "https://push.localhost:{port}\\.example.com/x",
        "https://push.localhost:{port}/a b", "https://push.localhost:{port}/\u00e9", "//push.localhost:{port}/x",
        "ftp://push.localhost:{port}/x", "https://push.localhost:x/", "https://[", "https:///x", "x", "https://example.com",
        "https://push.localhost:{port}/" + "x" * 2000,
    ],
)  # fmt: skip
async def test_nowhere_else_may_it_go(pushing: Desk, ann: Person, endpoint: str) -> None:
    at = pushing.service
    wanted = Device(at).subscription() | {"endpoint": endpoint.format(port=at.port, other=at.port + 1)}
    sentence = await ann.refused(422, "POST", PATH, json={"subscription": wanted})
    assert "https URL" in sentence or "does not send push notifications by way of" in sentence
    await ann.refused(404, "GET", PATH)


async def test_names_in_the_configuration_may_stand_for_all_below_them(tmp_path: Path, at: Service) -> None:
    async with desk(tmp_path, at, ["*.example.com", "push.example.org:443"]) as made:
        ann = await made.office.person("ann")
        for host in ("a.example.com", "b.a.Example.Com:443", "push.example.org"):
            wanted = Device(at).subscription() | {"endpoint": f"https://{host}/x#y"}
            kept = await ann.post(PATH, subscription=wanted)
            assert kept["endpoint"] == f"https://{host.lower().removesuffix(':443')}/x"
        for host in ("example.com", "badexample.com", "push.example.org:8443", "a.push.example.org"):
            wanted = Device(at).subscription() | {"endpoint": f"https://{host}/x"}
            sentence = await ann.refused(422, "POST", PATH, json={"subscription": wanted})
            assert sentence == f"This department does not send push notifications by way of {host}."


@pytest.mark.parametrize("missing", ["endpoint", "p256dh", "auth"])
async def test_what_is_missing_or_no_key_is_refused(ann: Person, at: Service, missing: str) -> None:
    for value in (None, "", "nothing"):
        wanted = Device(at).subscription()
        (wanted if missing == "endpoint" else wanted["keys"])[missing] = value
        answer = await ann.ask("POST", PATH, json={"subscription": wanted})
        assert answer.status_code in (400, 422)
    await ann.refused(400, "POST", PATH, json={})
    await ann.refused(400, "POST", PATH, json={"subscription": Device(at).subscription(), "data": {"policy": "mine"}})


async def test_a_department_that_names_no_service_has_none(tmp_path: Path, at: Service) -> None:
    async with desk(tmp_path, at, []) as made:
        ann, ben = await made.office.person("ann"), await made.office.person("ben")
        assert await ann.refused(422, "POST", PATH, json={"subscription": Device(at).subscription()}) == OFF
        assert await ann.refused(404, "GET", PATH) == "Record not found"
        await ann.refused(404, "PUT", PATH, json={"data": {"policy": "all"}})
        assert await ann.delete(PATH) == {}
        instance = await made.office.anybody.get("/api/v2/instance")
        assert instance["configuration"]["vapid"] == {"public_key": ""}
        await ben.publish("@ann hello")
        await made.office.settle()
        assert at.taken == []


# -- what arrives ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("standard", [False, True])
async def test_a_mention_arrives_as_apps_expect_it(pushing: Desk, ann: Person, ben: Person, standard: bool) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device, standard)
    await ben.patch("/api/v1/accounts/update_credentials", display_name="Ben\nBuilder")
    await ben.publish("@ann fish & chips <at> noon?\n\nYes!")
    (message,) = await pushing.told(device)
    (shown,) = await ann.get("/api/v1/notifications")
    assert message == {
        "access_token": ann.token,
        "preferred_locale": "en",
        "notification_id": int(shown["id"]),
        "notification_type": "mention",
        "icon": shown["account"]["avatar_static"],
        "title": "Ben Builder mentioned you",
        "body": "@ann fish & chips <at> noon? Yes!",
    }


async def test_every_kind_arrives(pushing: Desk, ann: Person, ben: Person) -> None:
    """The quoting ones and new people never happen here."""
    office, device = pushing.office, Device(pushing.service)
    mo = await office.staff("mo")
    await subscribed(ann, device)
    at_mo = Device(pushing.service, "/mo")
    await subscribed(mo, at_mo)
    posted = await ann.publish("hello")
    await ben.follow(ann)
    await ben.publish("@ann hi")
    await ben.do("favourite", posted)
    await ben.do("reblog", posted)
    await ann.follow(ben, notify=True)
    news = await ben.publish("news")
    await ann.do("favourite", news)
    await ben.put(f"/api/v1/statuses/{news['id']}", status="new news")
    await ann.patch("/api/v1/accounts/update_credentials", locked=True)
    await mo.follow(ann)
    poll = await ann.publish("?", poll={"options": ["a", "b"], "expires_in": 600})
    await ben.post(f"/api/v1/polls/{poll['poll']['id']}/votes", choices=[0])
    await ben.post("/api/v1/reports", account_id=ann.id, comment="not nice")
    office.clock.pass_(seconds=700)
    told = await pushing.told(device)
    titles = {message["notification_type"]: message["title"] for message in told}
    never = {"quote", "quoted_update", "admin.sign_up", "admin.report"}
    names = {kind: "mo" if kind == "follow_request" else "ann" if kind == "poll" else "ben" for kind in ALERTS}
    assert titles == {kind: title("en", kind, names[kind]) for kind in ALERTS if kind not in never}
    assert len(told) == len(titles)
    (report,) = [message for message in await pushing.told(at_mo) if message["notification_type"] == "admin.report"]
    assert (report["title"], report["body"]) == ("ben made a report", "not nice")


def test_every_language_has_a_title_for_every_kind() -> None:
    for language, titles in TITLES.items():
        assert set(titles) == {*ALERTS, REACTED}, language
        for kind, text in titles.items():
            assert text.count("{}") == (2 if kind == REACTED else 1), (language, kind)


async def test_everybody_is_told_in_their_own_language(pushing: Desk, ann: Person, ben: Person) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device)
    for language, wanted in (
        ("nl", "ben heeft je vermeld"),
        ("de", "ben hat dich erwähnt"),
        ("ja", "ben mentioned you"),
    ):
        await ann.patch("/api/v1/accounts/update_credentials", source={"language": language})
        await ben.publish("@ann hi")
        message = (await pushing.told(device))[-1]
        assert (message["preferred_locale"], message["title"]) == (language, wanted)
    assert title("de-CH", "follow", "Bo") == "Bo folgt dir"


async def test_what_stands_in_front_of_a_post_is_shown_instead_of_it(pushing: Desk, ann: Person, ben: Person) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device)
    await ann.post("/api/v2/filters", title="Later", context=["notifications"], filter_action="warn",
                   keywords_attributes=[{"keyword": "budget"}])  # fmt: skip
    await ann.post("/api/v2/filters", title="Never", context=["notifications"], filter_action="hide",
                   keywords_attributes=[{"keyword": "lottery"}])  # fmt: skip
    await ben.publish("@ann they all die", spoiler_text="The film")
    await ben.publish("@ann the budget")
    await ben.publish("@ann the lottery")
    await ben.publish("@ann " + "word " * 200)
    long, *others = sorted(message["body"] for message in await pushing.told(device))
    assert others == ["Later", "The film"]
    assert 130 < len(long) <= 140
    assert long.endswith("…")


async def test_the_longest_names_and_texts_fit(pushing: Desk, ann: Person, ben: Person) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device)
    await ben.patch("/api/v1/accounts/update_credentials", display_name="💥" * 100)
    await ben.publish("@ann " + "💥" * 1000)
    await ben.publish("@ann " + '"' * 1000)
    assert await pushing.kinds(device) == ["mention", "mention"]


async def test_only_what_is_wanted_arrives(pushing: Desk, ann: Person, ben: Person) -> None:
    office, device, other = pushing.office, Device(pushing.service), Device(pushing.service, "/tablet")
    await subscribed(ann, device, alerts={"favourite": True})
    await subscribed(await office.app(ann, "push"), other, alerts={"mention": True, "favourite": False})
    posted = await ann.publish("hello")
    await ben.do("favourite", posted)
    await ben.do("reblog", posted)
    await ben.publish("@ann hi")
    assert len(await office.db.read(_waiting)) == 2, "for what nobody wants there is no work"
    assert await pushing.kinds(device) == ["favourite"]
    assert await pushing.kinds(other) == ["mention"]
    await ann.put(PATH, data={"alerts": {"follow": True}})
    await ben.follow(ann)
    await ben.publish("@ann hi")
    assert await pushing.kinds(device) == ["favourite", "follow"]


@pytest.mark.parametrize(
    ("policy", "heard"),
    [("all", ["ben", "cid", "dan"]), ("followed", ["ben"]), ("follower", ["cid"]), ("none", [])],
)
async def test_the_policy_says_by_whom_it_may_be_caused(
    pushing: Desk, ann: Person, ben: Person, policy: str, heard: list[str]
) -> None:
    cid, dan = [await pushing.office.person(name) for name in ("cid", "dan")]
    await ann.follow(ben)
    await cid.follow(ann)
    device = Device(pushing.service)
    await subscribed(ann, device, alerts={"mention": True}, policy=policy)
    for person in (ben, cid, dan):
        await person.publish(f"@ann by {person.name}")
    bodies = sorted(message["body"] for message in await pushing.told(device))  # they are under way at the same time
    assert bodies == [f"@ann by {name}" for name in heard]


async def test_the_end_of_ones_own_poll_is_told_whatever_the_policy_of_people(pushing: Desk, ann: Person) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device, policy="followed")
    await ann.publish("?", poll={"options": ["a", "b"], "expires_in": 600})
    pushing.office.clock.pass_(seconds=700)
    assert await pushing.kinds(device) == ["poll"]


# -- what does not ---------------------------------------------------------------------------------------------------


async def test_what_the_stream_does_not_tell_is_not_pushed(pushing: Desk, ann: Person, ben: Person) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device)
    await ann.patch("/api/v2/notifications/policy", for_not_following="filter")
    await ben.publish("@ann kept back")
    assert await pushing.kinds(device) == []
    await ann.post(f"/api/v1/notifications/requests/{ben.id}/accept")
    assert await pushing.kinds(device) == [], "accepting makes no noise"
    await ben.publish("@ann let in")
    assert [message["body"] for message in await pushing.told(device)] == ["@ann let in"]
    await ann.towards(ben, "mute")
    await ben.publish("@ann muted")
    await ann.towards(ben, "unmute")
    await ann.towards(ben, "block")
    await ben.publish("@ann blocked")
    assert len(await pushing.told(device)) == 1


async def test_what_is_gone_before_it_is_sent_is_not_pushed(pushing: Desk, ann: Person, ben: Person) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device)
    deleted = await ben.publish("@ann deleted")
    await ben.delete(f"/api/v1/statuses/{deleted['id']}")
    await ben.publish("@ann dismissed")
    await ann.post("/api/v1/notifications/clear")
    await ben.publish("@ann then blocked")
    await ann.towards(ben, "block")
    cid = await pushing.office.person("cid")
    await cid.publish("@ann unwanted")
    await ann.put(PATH, data={"alerts": {"poll": True}})
    assert await pushing.told(device) == []
    await ann.put(PATH, data={"alerts": EVERYTHING})
    await cid.publish("@ann of yesterday")
    pushing.office.clock.pass_(seconds=86_400 + 60)
    assert await pushing.told(device) == []
    await cid.publish("@ann of today")
    assert [message["body"] for message in await pushing.told(device)] == ["@ann of today"]


async def test_posts_that_come_late_wake_nobody(pushing: Desk, ann: Person) -> None:
    device, office = Device(pushing.service), pushing.office
    await subscribed(ann, device)
    sue = await office.colleague("sue")
    for hours in (1, 23, 25, 400):
        remote = RemoteStatus(
            uri=f"{sue.uri}/{hours}", url=None, account=sue, visibility="public", reach="company",
            content=f"<p>{hours}&nbsp;&gt;</p>", text="", created_at=office.clock.ms() - hours * 3_600_000,
            mentions=((ann.account.id, False),),
        )  # fmt: skip
        await office.db.write(receiving.receive, remote)
    assert sorted(message["body"] for message in await pushing.told(device)) == ["1 >", "23 >"]
    assert len(await ann.notified()) == 4


async def _revoked(desk_: Desk, ann: Person) -> None:
    app = await desk_.office.anybody.post("/api/v1/apps", client_name="x", redirect_uris="app://x")
    client = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    await desk_.office.db.write(_move_tokens, app["client_id"])
    answer = await desk_.office.anybody.http.post("/oauth/revoke", data=client | {"token": ann.token})
    assert answer.status_code == 200


def _move_tokens(tx: Tx, client_id: str) -> None:
    """Tokens of tests come from the command line, which revokes none over HTTP."""
    tx.conn.execute(
        sa.text("UPDATE access_tokens SET application_id = (SELECT id FROM applications WHERE client_id = :client)"),
        {"client": client_id},
    )


async def _suspended(desk_: Desk, ann: Person) -> None:
    mo = await desk_.office.staff("mo")
    await mo.post(f"/api/v1/admin/accounts/{ann.id}/action", type="suspend")


async def _deleted(desk_: Desk, ann: Person) -> None:
    await desk_.office.db.write(accounts.delete, ann.account)


@pytest.mark.parametrize("end", [_revoked, _suspended, _deleted])
async def test_it_ends_with_its_token(pushing: Desk, ann: Person, ben: Person, end: Any) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device)
    await ben.publish("@ann waits")
    await end(pushing, ann)
    await ann.refused(401, "GET", PATH)
    await ben.publish("@ann too late")
    assert await pushing.told(device) == []
    assert await pushing.office.db.read(_kept) == []


def _waiting(tx: Tx) -> list[str | None]:
    """What became of the work that is still to be done."""
    return list(tx.conn.execute(sa.select(jobs.c.error).where(jobs.c.kind == JOB)).scalars())


def _kept(tx: Tx) -> list[int]:
    return list(tx.conn.execute(sa.select(push_subscriptions.c.seq)).scalars())


async def test_what_a_moderator_lifts_does_not_bring_it_back(pushing: Desk, ann: Person, ben: Person) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device)
    await _suspended(pushing, ann)
    boss = await pushing.office.staff("boss", "admin")
    await boss.post(f"/api/v1/admin/accounts/{ann.id}/unsuspend")
    await ann.refused(404, "GET", PATH)
    await ben.publish("@ann welcome back")
    assert await pushing.told(device) == []


# -- services that are ill -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 410])
async def test_a_service_says_that_a_subscription_is_gone(pushing: Desk, ann: Person, ben: Person, status: int) -> None:
    at = pushing.service
    at.answers = [status]
    await subscribed(ann, Device(at))
    await subscribed(await pushing.office.app(ann, "push"), Device(at, "/tablet"))
    await ben.publish("@ann hello")
    await pushing.office.settle()
    assert len(at.taken) == 2
    assert len(await pushing.office.db.read(_kept)) == 1
    pushing.office.clock.pass_(seconds=7200)
    await ben.publish("@ann hello again")
    await pushing.office.settle()
    assert len(at.taken) == 3


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_service_that_is_busy_is_asked_again_and_again_later(
    pushing: Desk, ann: Person, ben: Person, status: int
) -> None:
    at = pushing.service
    at.answers = [status] * 3
    device = Device(at)
    await subscribed(ann, device)
    await ben.publish("@ann hello")
    await pushing.office.settle()
    for tries, pause in enumerate((2, 4, 8), 1):
        pushing.office.clock.pass_(seconds=pause - 1)
        await pushing.office.settle()
        assert len(at.taken) == tries
        pushing.office.clock.pass_(seconds=1)
        await pushing.office.settle()
        assert len(at.taken) == tries + 1
    pushing.office.clock.pass_(seconds=64)
    told = await pushing.told(device)
    assert [message["body"] for message in told] == ["@ann hello"] * 4
    assert len({message.body for message in at.taken}) == 4, "encrypted anew each time"


async def test_a_service_that_cannot_be_reached_is_given_up_after_an_hour(
    pushing: Desk, ann: Person, ben: Person
) -> None:
    office = pushing.office
    at = Device(pushing.service)
    await subscribed(ann, at)
    pushing.service.answers = [503] * 100
    await ben.publish("@ann hello")
    for _ in range(14):
        await office.settle()
        office.clock.pass_(seconds=3600)
    assert len(pushing.service.taken) == 12
    assert await office.db.read(_waiting) == ["Unavailable: The push service is busy."]
    assert (await ann.get(PATH))["endpoint"] == at.endpoint, "the next one is tried all the same"


async def test_a_refusal_costs_the_message_and_no_more(pushing: Desk, ann: Person, ben: Person) -> None:
    at = pushing.service
    at.answers = [403, 302, 413]
    device = Device(at)
    await subscribed(ann, device)
    for word in ("one", "two", "three", "four"):
        await ben.publish(f"@ann {word}")
        await pushing.office.settle()
    pushing.office.clock.pass_(seconds=7200)
    assert [message["body"] for message in await pushing.told(device)] == [
        "@ann one", "@ann two", "@ann three", "@ann four",
    ]  # fmt: skip


async def test_a_name_that_leads_inside_is_not_followed(
    tmp_path: Path, at: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """The network decides once more, for a service that the configuration names and that leads to this machine."""
    async with desk(tmp_path, at, networks=()) as made:
        ann, ben = await made.office.person("ann"), await made.office.person("ben")
        await subscribed(ann, Device(at))
        await ben.publish("@ann hello")
        with caplog.at_level(logging.INFO):
            await made.office.settle()
        assert f"the push service {at.domain} may not be reached" in caplog.text
        made.office.clock.pass_(seconds=7200)
        await made.office.settle()
        assert at.taken == []
        assert await made.office.db.read(_waiting) == []


async def test_a_service_that_is_named_no_longer_gets_nothing(tmp_path: Path, at: Service) -> None:
    async with desk(tmp_path, at) as made:
        ann, ben = await made.office.person("ann"), await made.office.person("ben")
        await subscribed(ann, Device(at))
        await ben.publish("@ann waits")
        object.__setattr__(made.office.instance.config.push, "services", ("push.example.com",))
        await ben.publish("@ann hello")
        await ann.refused(404, "GET", PATH)
        await made.office.settle()
        assert at.taken == []


async def test_many_devices_are_all_told(pushing: Desk, ann: Person, ben: Person) -> None:
    """There are more than are taken up at once, and some are refused."""
    at = pushing.service
    devices = [Device(at, f"/{number}") for number in range(25)]
    for device in devices:
        await subscribed(await pushing.office.app(ann, "push"), device)
    at.answers = [500] * 5
    await ben.publish("@ann hello")
    await pushing.office.settle()
    assert len(at.taken) == 25
    assert sorted(message.path for message in at.taken) == sorted(device.path for device in devices)


async def test_a_service_that_does_not_answer_holds_up_nothing_else(pushing: Desk, ann: Person, ben: Person) -> None:
    at, office = pushing.service, pushing.office
    at.silent = {"/mute"}
    await subscribed(ann, Device(at, "/mute"))
    await subscribed(ben, Device(at, "/well"))
    office.instance.worker.start()
    await ben.publish("@ann hello")
    async with asyncio.timeout(60):
        await at.news.wait()
        at.news.clear()
        await ann.publish("@ben hello")
        await at.news.wait()
    await office.instance.worker.stop()
    assert [message.path for message in at.taken] == ["/mute", "/well"]
    at.silent.clear()
    office.clock.pass_(seconds=130)
    await office.settle()
    assert "/mute" in [message.path for message in at.taken[2:]], "what was under way is done again by the next process"


# -- secrets ---------------------------------------------------------------------------------------------------------


async def test_nothing_that_is_said_is_logged_and_no_address(
    pushing: Desk, ann: Person, ben: Person, caplog: pytest.LogCaptureFixture
) -> None:
    at = pushing.service
    at.answers = [500, 403, 429]
    device = Device(at, "/capability-7f3a")
    with caplog.at_level(logging.DEBUG):
        await subscribed(ann, device)
        for word in ("walrus", "carpenter", "oyster", "sand"):
            await ben.publish(f"@ann {word}")
            await pushing.office.settle()
    assert len(at.taken) >= 4
    keys = device.subscription()["keys"].values()
    for secret in ("capability-7f3a", "walrus", "carpenter", "oyster", ann.token or "", *keys):
        assert secret not in caplog.text


async def test_the_token_is_kept_sealed(pushing: Desk, ann: Person, ben: Person) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device)
    (row,) = await pushing.office.db.read(lambda tx: list(tx.conn.execute(sa.select(push_subscriptions))))
    assert not any((ann.token or "?") in str(value) for value in row)
    assert (ann.token or "?").encode() not in row.token
    # To another subscription it does not fit, and with another secret it does not open: nothing is sent.
    await pushing.office.db.write(lambda tx: tx.conn.execute(sa.update(push_subscriptions).values(token=row.auth * 4)))
    await ben.publish("@ann hello")
    assert await pushing.told(device) == []
    assert (await ann.get(PATH))["endpoint"] == device.endpoint


async def test_what_is_sent_shows_the_service_nothing(pushing: Desk, ann: Person, ben: Person) -> None:
    device = Device(pushing.service)
    await subscribed(ann, device)
    await ben.publish("@ann walrus")
    await pushing.office.settle()
    (message,) = pushing.service.taken
    sent = message.body + repr(message.headers).encode()
    for word in ("walrus", "mention", ann.token or "?"):  # shorter ones come up by chance
        assert word.encode() not in sent
    assert "cookie" not in message.headers


def test_the_errors_that_are_kept_say_no_more_than_their_sentence() -> None:
    """Jobs keep the text of an error; the detail, which names the service, is for the log."""
    assert str(Unavailable("The push service is busy.", "503 of push.example.com")) == "The push service is busy."
