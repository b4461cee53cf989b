"""Streams: who is told what, over server-sent events and over WebSocket, at the level of ASGI."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa
from starlette.types import Message

from fedcorp.app import create_app
from fedcorp.social import accounts, announcements, applications, receiving
from fedcorp.social.receiving import RemoteStatus
from fedcorp.social.streams import BATCH, Channel
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import streams
from fedcorp.web import streaming
from fedcorp.web.auth import Viewer
from fedcorp.web.entities.cache import Rendered
from tests.web import required_fields
from tests.web.instance import Caller, Office, Person

pytestmark = pytest.mark.anyio

PATH = "/api/v1/streaming"
SECONDS = 5
Event = tuple[str, Any]


class Connection:
    """A connection that stays open; what the server says on it, message by message."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.outgoing: asyncio.Queue[Message] = asyncio.Queue()

    async def message(self) -> Message:
        """The next message of the server."""
        async with asyncio.timeout(SECONDS):
            return await self.outgoing.get()

    def is_silent(self) -> bool:
        """Whether nothing waits to be read."""
        return self.outgoing.empty()


@asynccontextmanager
async def connected(
    office: Office, kind: str, path: str, query: dict[str, str], *headers: tuple[str, str]
) -> AsyncIterator[Connection]:
    """A connection to the application, which must end well when the client leaves."""
    connection = Connection()
    scope = {
        "type": kind, "path": path, "raw_path": path.encode(), "query_string": urlencode(query).encode(),
        "scheme": "http" if kind == "http" else "ws", "method": "GET", "http_version": "1.1", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in (("host", "finance.localhost"), *headers)],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "subprotocols": [],
    }  # fmt: skip
    serving = office.instance.app(scope, connection.incoming.get, connection.outgoing.put)
    task = asyncio.ensure_future(serving)
    try:
        yield connection
    finally:
        await connection.incoming.put({"type": f"{kind}.disconnect", "code": 1000})
        async with asyncio.timeout(SECONDS):
            await task


class Events:
    """A listener to server-sent events."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rest = ""
        self.mark = ""

    async def next(self) -> Event:
        """(event, payload) of the next event; payloads of JSON are read."""
        while "\n\n" not in self.rest:
            message = await self.connection.message()
            assert message["type"] == "http.response.body"
            assert message["more_body"] is True, "the stream ended"
            self.rest += message["body"].decode()
        block, _, self.rest = self.rest.partition("\n\n")
        if block.startswith(":"):
            return await self.next()
        *marks, name, data = block.split("\n")
        self.mark = "".join(marks).removeprefix("id: ")
        return read(name.removeprefix("event: "), data.removeprefix("data: "))


def read(event: str, data: str) -> Event:
    """An event as a client takes it; whatever it carries has all that clients need."""
    if event in ("delete", "announcement.delete"):
        return event, data
    payload = json.loads(data)
    entity = {
        "notification": "Notification", "conversation": "Conversation", "announcement": "Announcement",
        "announcement.reaction": "Reaction",
    }.get(event, "Status")  # fmt: skip
    required_fields.check_entity(entity, payload)
    return event, payload


@asynccontextmanager
async def events(
    office: Office, who: Caller, path: str, after: str = "", accept: str = "text/event-stream", **query: str
) -> AsyncIterator[Events]:
    """Server-sent events of this path, from now on, or from what was heard last, for a browser if nobody says else."""
    headers = [("authorization", f"Bearer {who.token}"), ("accept", accept)]
    headers += [("last-event-id", after)] if after else []
    async with connected(office, "http", f"{PATH}/{path}", query, *headers) as connection:
        start = await connection.message()
        assert start["status"] == 200
        assert (b"content-type", b"text/event-stream") in start["headers"]
        assert (await connection.message())["body"] == b":)\n\n"
        yield Events(connection)


class Socket:
    """A WebSocket client."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def send(self, frame: Any) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.connection.incoming.put({"type": "websocket.receive", "text": text})

    async def subscribe(self, stream: str, **more: str) -> None:
        """Ask for a channel, and be sure that the question was heard."""
        await self.send({"type": "subscribe", "stream": stream, **more})
        await self.send("[]")
        assert "error" in await self.frame()

    async def frame(self) -> Any:
        message = await self.connection.message()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def next(self) -> tuple[list[str], Event]:
        """(channel, (event, payload)) of the next frame."""
        frame = await self.frame()
        return frame["stream"], read(frame["event"], frame["payload"])


@asynccontextmanager
async def socket(office: Office, who: Caller, **query: str) -> AsyncIterator[Socket]:
    """A WebSocket, with the token as its subprotocol."""
    header = ("sec-websocket-protocol", str(who.token))
    async with connected(office, "websocket", PATH, query, header) as connection:
        await connection.incoming.put({"type": "websocket.connect"})
        accepted = await connection.message()
        assert (accepted["type"], accepted["subprotocol"]) == ("websocket.accept", who.token)
        yield Socket(connection)


async def told(events: Events, author: Person, status: Any) -> None:
    """The next news must be this status. (What came before it and should not, would be found here.)"""
    kind, shown = await events.next()
    assert (kind, shown["id"], shown["account"]["id"]) == ("update", status["id"], author.id)


# -- what is told where ----------------------------------------------------------------------------------------------


async def test_ones_own_stream_is_home_and_notifications(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    await ann.follow(ben)
    async with events(office, ann, "user") as stream:
        await eve.publish("not for ann")
        posted = await ben.publish("for all")
        await told(stream, ben, posted)
        changed = await ben.put(f"/api/v1/statuses/{posted['id']}", status="for each")
        kind, shown = await stream.next()
        assert (kind, shown["content"]) == ("status.update", changed["content"])
        mine = await ann.publish("own")
        await told(stream, ann, mine)
        await ben.do("favourite", mine)
        kind, shown = await stream.next()
        assert (kind, shown["type"], shown["account"]["id"]) == ("notification", "favourite", ben.id)
        boost = await ben.do("reblog", await eve.publish("passed on"))
        await told(stream, ben, boost)
        await ben.delete(f"/api/v1/statuses/{posted['id']}")
        assert await stream.next() == ("delete", posted["id"])


async def test_a_quote_and_its_end_are_told(office: Office, ann: Person, ben: Person) -> None:
    await ann.follow(ben)
    word = await ann.publish("word")
    async with events(office, ann, "user") as stream:
        made = await ben.publish("look", quoted_status_id=word["id"])
        heard = [await stream.next(), await stream.next()]
        assert [event for event, _ in heard] == ["update", "notification"]
        assert heard[0][1]["quote"]["quoted_status"]["id"] == word["id"]
        assert (heard[1][1]["type"], heard[1][1]["status"]["id"]) == ("quote", made["id"])
        await ann.post(f"/api/v1/statuses/{word['id']}/quotes/{made['id']}/revoke")
        event, payload = await stream.next()
        assert (event, payload["id"], payload["quote"]["state"]) == ("status.update", made["id"], "revoked")
        other = await ben.publish("other")
        quote = await ben.publish("see", quoted_status_id=other["id"])
        await told(stream, ben, other)
        await told(stream, ben, quote)
        await ben.delete(f"/api/v1/statuses/{other['id']}")
        heard = [await stream.next() for _ in range(2)]
        assert [event for event, _ in heard] == ["delete", "status.update"]
        assert (heard[1][1]["id"], heard[1][1]["quote"]["state"]) == (quote["id"], "deleted")


async def test_notifications_alone(office: Office, ann: Person, ben: Person) -> None:
    await ann.follow(ben)
    listener = await office.app(ann, "read:notifications")
    async with events(office, listener, "user/notification") as stream:
        await ben.publish("no notification")
        mention = await ben.publish("@ann look")
        kind, shown = await stream.next()
        assert (kind, shown["type"], shown["status"]["id"]) == ("notification", "mention", mention["id"])


async def test_the_public_streams(office: Office, ann: Person, ben: Person) -> None:
    async with (
        events(office, ann, "public") as everything,
        events(office, ann, "public/local") as here,
        events(office, ann, "public/remote") as elsewhere,
        events(office, ann, "public/local", only_media="true") as pictures,
    ):
        for visibility in ("unlisted", "private", "direct"):
            await ben.publish("not public", visibility=visibility)
        posted = await ben.publish("public")
        await ann.publish("an answer stays in its thread", in_reply_to_id=posted["id"])
        picture = await ben.publish("a picture", media_ids=[(await ben.upload())["id"]])
        distant = await received(office, "from sales")
        for stream in (everything, here):
            await told(stream, ben, posted)
            await told(stream, ben, picture)
        await told(pictures, ben, picture)
        assert (await everything.next())[1]["id"] == str(distant)
        assert (await elsewhere.next())[1]["id"] == str(distant)


async def received(office: Office, text: str) -> int:
    """A post of another department; its id here."""
    sue = await office.colleague("sue")
    remote = RemoteStatus(
        uri=f"{sue.uri}/1", url=None, account=sue, visibility="public", reach="company", content=f"<p>{text}</p>",
        text=text, created_at=office.clock.ms(),
    )  # fmt: skip
    status = await office.db.write(receiving.receive, remote)
    assert status is not None
    return status.id


async def test_a_hashtag_is_heard_however_it_is_written(office: Office, ann: Person, ben: Person) -> None:
    async with (
        events(office, ann, "hashtag", tag="Launch") as stream,
        events(office, ann, "hashtag/local", tag="launch") as here,
    ):
        await ben.publish("#launches")
        await ben.publish("#launch", visibility="unlisted")
        posted = await ben.publish("#LAUNCH")
        await told(stream, ben, posted)
        await told(here, ben, posted)


async def test_a_list_tells_of_its_people(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    await ann.follow(ben)
    await ann.follow(eve)
    near = (await ann.post("/api/v1/lists", title="near"))["id"]
    await ann.post(f"/api/v1/lists/{near}/accounts", account_ids=[ben.id])
    async with events(office, ann, "list", list=near) as stream:
        await eve.publish("not in the list")
        await told(stream, ben, await ben.publish("in the list"))


async def test_the_list_of_a_group_tells_of_its_posts(office: Office, ann: Person, ben: Person) -> None:
    group = await office.group(ann, "chess")
    await ben.follow(group)
    async with events(office, ben, "list", list=group) as stream:
        await ann.publish("not for the group")
        await told(stream, ann, await ann.publish("@chess e4"))


async def test_direct_messages_come_as_conversations(office: Office, ann: Person, ben: Person) -> None:
    eve = await office.person("eve")
    async with events(office, ann, "direct") as stream, events(office, eve, "direct") as other:
        await ben.publish("@ann not direct")
        message = await ben.publish("@ann for you", visibility="direct")
        kind, shown = await stream.next()
        assert (kind, shown["last_status"]["id"]) == ("conversation", message["id"])
        assert [account["id"] for account in shown["accounts"]] == [ben.id]
        assert shown["id"] == (await ann.get("/api/v1/conversations"))[0]["id"]
        assert shown["unread"] is True
        await ann.post(f"/api/v1/conversations/{shown['id']}/read")
        answer = await ann.publish("@ben thanks", visibility="direct", in_reply_to_id=message["id"])
        own = (await stream.next())[1]
        assert (own["last_status"]["id"], own["unread"]) == (answer["id"], False)
        again = await ben.publish("@ann welcome", visibility="direct", in_reply_to_id=answer["id"])
        new = (await stream.next())[1]
        assert (new["last_status"]["id"], new["unread"]) == (again["id"], True)
        assert other.connection.is_silent()


@pytest.mark.parametrize("how", ["block", "mute"])
async def test_those_kept_away_are_not_heard(office: Office, ann: Person, ben: Person, how: str) -> None:
    eve = await office.person("eve")
    await ann.towards(ben, how)
    async with events(office, ann, "public") as stream:
        await ben.publish("kept away")
        await eve.do("reblog", await ben.publish("through somebody else"))
        await told(stream, eve, await eve.publish("heard"))


# -- over a WebSocket ------------------------------------------------------------------------------------------------


async def test_one_socket_hears_many_channels(office: Office, ann: Person, ben: Person) -> None:
    await ann.follow(ben)
    async with socket(office, ann) as connection:
        await connection.subscribe("hashtag", tag="x")
        await connection.subscribe("user")
        await connection.subscribe("public")
        posted = await ben.publish("#x")
        heard = [await connection.next() for _ in range(3)]
        assert sorted(channel for channel, _ in heard) == [["hashtag", "x"], ["public"], ["user"]]
        assert {shown["id"] for _, (_, shown) in heard} == {posted["id"]}
        await connection.send({"type": "unsubscribe", "stream": "public"})
        await connection.send({"type": "unsubscribe", "stream": "hashtag", "tag": "x"})
        await connection.subscribe("user")
        await ben.publish("#x again")
        assert (await connection.next())[0] == ["user"]
        await ben.delete(f"/api/v1/statuses/{posted['id']}")
        assert await connection.next() == (["user"], ("delete", posted["id"]))


async def test_changed_filters_are_told_without_a_payload(office: Office, ann: Person) -> None:
    """As Mastodon says it: browsers pass over server-sent events without data, and clients fail at an empty payload."""
    async with (
        socket(office, ann, stream="user") as connection,
        connected(office, "http", f"{PATH}/user", {}, ("authorization", f"Bearer {ann.token}")) as events,
    ):
        await events.message()  # the start
        await events.message()  # the first comment
        await ann.post("/api/v2/filters", title="food", context=["home"])
        assert await connection.frame() == {"stream": ["user"], "event": "filters_changed"}
        block = (await events.message())["body"].decode()
        assert block == "event: filters_changed\ndata: undefined\n\n"


async def test_the_channel_may_stand_in_the_address(office: Office, ann: Person, ben: Person) -> None:
    async with socket(office, ann, stream="user:notification") as connection:
        await ben.follow(ann)
        channel, (kind, shown) = await connection.next()
        assert (channel, kind, shown["type"]) == (["user:notification"], "notification", "follow")


@pytest.mark.parametrize(
    "frame",
    [
        "{", "[]", '"x"', "null", "{}", '{"type":"subscribe"}', '{"type":"shout","stream":"user"}',
        '{"type":"subscribe","stream":"everything"}', '{"type":"subscribe","stream":"hashtag"}',
        '{"type":"subscribe","stream":"list","list":"1"}', '{"type":"subscribe","stream":"list","list":"x"}',
        '{"type":"subscribe","stream":"list","list":"9999999999999999999"}', '{"type":"subscribe","stream":["user"]}',
        '{"type":"subscribe","stream":{}}', '{"type":[],"stream":"user"}', '{"type":"subscribe","stream":"\\u0000"}',
    ],
)  # fmt: skip
async def test_a_wrong_frame_is_answered_and_the_socket_stays(
    office: Office, ann: Person, ben: Person, frame: str
) -> None:
    await ann.follow(ben)
    async with socket(office, ann, stream="user") as connection:
        await connection.send(frame)
        assert set(await connection.frame()) == {"error"}
        await ben.publish("still there?")
        assert (await connection.next())[0] == ["user"]


async def test_a_frame_of_nothing_or_of_bytes_is_passed_over(office: Office, ann: Person) -> None:
    async with socket(office, ann) as connection:
        await connection.send(" ")
        await connection.connection.incoming.put({"type": "websocket.receive", "bytes": b"\xff"})
        await connection.subscribe("user")


async def test_one_connection_has_its_limit(office: Office, ann: Person) -> None:
    async with socket(office, ann) as connection:
        for number in range(streaming.MAX_CHANNELS + 1):
            await connection.send({"type": "subscribe", "stream": "hashtag", "tag": f"t{number}"})
        assert "at most 100" in (await connection.frame())["error"]


async def test_a_list_of_somebody_else_is_not_heard(office: Office, ann: Person, ben: Person) -> None:
    near = (await ben.post("/api/v1/lists", title="near"))["id"]
    async with socket(office, ann) as connection:
        await connection.send({"type": "subscribe", "stream": "list", "list": near})
        assert (await connection.frame())["error"] == "Record not found"
    await ann.refused(404, "GET", f"{PATH}/list?list={near}")


# -- who may listen, and how it ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "path", "status"),
    [
        ("read:statuses", "user/notification", 403),
        ("read:notifications", "user", 403),
        ("read:notifications", "public", 403),
        ("read:accounts", "user", 403),
        ("write follow push", "user", 403),
        ("read", "everything", 404),
        ("read", "hashtag", 400),
        ("read", "list", 400),
        ("read", "list?list=1", 404),
        ("read", "list?list=9999999999999999999", 404),
    ],
)
async def test_the_scope_decides(office: Office, ann: Person, scopes: str, path: str, status: int) -> None:
    listener = await office.app(ann, scopes)
    await listener.refused(status, "GET", f"{PATH}/{path}")


async def test_nobody_and_apps_alone_hear_nothing(office: Office) -> None:
    for caller in (office.anybody, Caller(office.instance, "wrong"), await office.app(None, "read")):
        await caller.refused(401, "GET", f"{PATH}/public")


async def test_the_token_may_stand_in_the_address(office: Office, ann: Person) -> None:
    query = {"access_token": str(ann.token)}
    async with connected(office, "http", f"{PATH}/user", query) as connection:
        assert (await connection.message())["status"] == 200


async def test_a_revoked_token_ends_its_streams_and_no_others(office: Office, ann: Person) -> None:
    other = await office.app(ann, "read")
    async with events(office, other, "user") as ended, events(office, ann, "user") as going:
        await office.db.write(applications.revoke_token, str(other.token))
        assert (await ended.connection.message()) == {"type": "http.response.body", "body": b"", "more_body": False}
        await told(going, ann, await ann.publish("still heard"))


async def test_who_is_suspended_hears_no_more(office: Office, ann: Person, ben: Person) -> None:
    mo = await office.staff("mo")
    async with events(office, ben, "user") as ended, events(office, ann, "user") as going:
        await mo.post(f"/api/v1/admin/accounts/{ben.id}/action", type="suspend")
        assert (await ended.connection.message()) == {"type": "http.response.body", "body": b"", "more_body": False}
        await told(going, ann, await ann.publish("still heard"))


@asynccontextmanager
async def second_process(office: Office) -> AsyncIterator[Office]:
    """Another server on the same database, which is told nothing but what stands there."""
    config = office.instance.config
    made = create_app(config, clock=office.clock, transport=httpx.MockTransport(_nobody), worker=False)
    async with made.lifespan():
        yield Office(made, office.clock)


def _nobody(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no network here", request=request)


HOW = ("revoke", "suspend", "disable", "delete")


async def end(office: Office, mo: Person, person: Person, how: str) -> None:
    """Take away what somebody listens with."""
    if how == "revoke":
        await office.db.write(applications.revoke_token, str(person.token))
    elif how == "delete":
        await office.db.write(accounts.delete, person.account)
    else:
        await mo.post(f"/api/v1/admin/accounts/{person.id}/action", type=how)


async def ended(connection: Connection) -> Message:
    """The last message of a connection; a warning to its person may come before."""
    while (message := await connection.message()).get("more_body") or message["type"] == "websocket.send":
        pass
    return message


@pytest.mark.parametrize("how", HOW)
async def test_streams_end_in_every_process_and_others_go_on(
    office: Office, ann: Person, ben: Person, how: str
) -> None:
    assert streaming.POLL_SECONDS < 0.5, "how late another process looks"
    mo = await office.staff("mo")
    async with (
        second_process(office) as there,
        events(there, ben, "user") as told_there, socket(there, ben, stream="user") as heard_there,
        events(office, ben, "user") as told_here, socket(office, ben, stream="user") as heard_here,
        events(there, ann, "user") as going,
    ):  # fmt: skip
        await end(office, mo, ben, how)
        for stream in (told_here, told_there):
            assert (await ended(stream.connection))["type"] == "http.response.body"
        for listener in (heard_here, heard_there):
            message = await ended(listener.connection)
            assert (message["type"], message["code"]) == ("websocket.close", streaming.GOING_AWAY)
        await told(going, ann, await ann.publish("still heard"))


async def test_a_token_that_ends_while_its_stream_opens_hears_nothing(office: Office, ann: Person) -> None:
    listener = streaming.Listener("no such token", Viewer())
    await office.instance.streams.add(listener)
    async with asyncio.timeout(SECONDS):
        assert await listener.queue.get() is None


class SlowReader:
    """The database of a task whose next reading is held up until `go`."""

    def __init__(self, office: Office) -> None:
        self._db = office.db
        self.waker = office.db.waker
        self.go: asyncio.Event | None = None

    async def read(self, *words: Any, **named: Any) -> Any:
        go, self.go = self.go, None
        if go is not None:
            await go.wait()
        return await self._db.read(*words, **named)


@pytest.mark.parametrize("is_first", [True, False])
async def test_who_comes_while_the_news_are_read_hears_what_is_newer(
    office: Office, ann: Person, ben: Person, is_first: bool
) -> None:
    """The task has asked for what is new, for nobody or for others, but no thread has read it yet."""
    database: Any = SlowReader(office)
    hub = streaming.Streams(database, office.clock, Rendered())
    await hub.pump()

    async def listening(person: Person) -> streaming.Listener:
        made = streaming.Listener(str(person.token), Viewer(person.account.id))
        await hub.add(made, Channel(person.account.id, "user"))
        return made

    others = [] if is_first else [await listening(ben)]
    go = database.go = asyncio.Event()
    pumping = asyncio.ensure_future(hub.pump())
    await asyncio.sleep(0)
    assert database.go is None
    await office.db.write(announcements.create, "before")
    late = await listening(ann)
    await office.db.write(announcements.create, "after")
    go.set()
    while await pumping:
        pumping = asyncio.ensure_future(hub.pump())
    for listener, heard in [
        (late, ["<p>after</p>"]),
        *((other, ["<p>before</p>", "<p>after</p>"]) for other in others),
    ]:
        news = [listener.queue.get_nowait() for _ in range(listener.queue.qsize())]
        assert [json.loads(item.payload)["content"] for item in news if item is not None] == heard


def _much(tx: Tx, status_id: int) -> None:
    row = {"kind": "update", "status_id": status_id, "created_at": tx.ms}
    tx.conn.execute(sa.insert(streams), [row] * (BATCH + 50))


async def test_who_comes_first_hears_nothing_of_the_much_that_nobody_heard(office: Office, ann: Person) -> None:
    hub = streaming.Streams(office.db, office.clock, Rendered())
    await hub.pump()
    await office.db.write(_much, int((await ann.publish("before"))["id"]))
    listener = streaming.Listener(str(ann.token), Viewer(ann.account.id))
    await hub.add(listener, Channel(ann.account.id, "user"))
    await ann.publish("after")
    while await hub.pump():
        pass
    news = [listener.queue.get_nowait() for _ in range(listener.queue.qsize())]
    assert [json.loads(item.payload)["content"] for item in news if item is not None] == ["<p>after</p>"]


# -- coming back -----------------------------------------------------------------------------------------------------


async def test_who_comes_back_hears_what_came_meanwhile_in_any_process(
    office: Office, ann: Person, ben: Person
) -> None:
    await ann.follow(ben)
    async with second_process(office) as there:
        async with events(office, ann, "user") as stream:
            await told(stream, ben, await ben.publish("heard"))
        missed = [await ben.publish(f"missed {number}") for number in range(3)]
        await ben.delete(f"/api/v1/statuses/{missed[1]['id']}")
        last = ""
        for place in (office, there):
            async with events(place, ann, "user", after=stream.mark) as again:
                await told(again, ben, missed[0])
                await told(again, ben, missed[2])
                assert await again.next() == ("delete", missed[1]["id"])
                last = again.mark
        newest = await ben.publish("newest")
        async with events(there, ann, "user", after=last) as elsewhere:
            await told(elsewhere, ben, newest)
            await told(elsewhere, ben, await ben.publish("live"))


async def test_only_who_can_come_back_is_told_where_it_was(office: Office, ann: Person) -> None:
    """Libraries that read an event as two lines, as Mastodon writes it, pass over one of three."""
    async with events(office, ann, "user", accept="*/*") as plain, events(office, ann, "user") as browser:
        status = await ann.publish("where are we")
        await told(plain, ann, status)
        await told(browser, ann, status)
        assert plain.mark == ""
        assert browser.mark.isdigit()
    missed = await ann.publish("meanwhile")
    async with events(office, ann, "user", accept="*/*", after=browser.mark) as again:
        await told(again, ann, missed)
        assert again.mark.isdigit()


async def test_nobody_comes_back_to_what_others_hear(office: Office, ann: Person, ben: Person) -> None:
    async with events(office, ann, "user") as stream:
        await told(stream, ann, await ann.publish("own"))
    await ann.publish("@ben psst", visibility="direct")
    eve = await office.person("eve")
    async with events(office, eve, "user", after=stream.mark) as other:
        await told(other, eve, await eve.publish("first of all"))


@pytest.mark.parametrize("mark", ["x", "-1", "9" * 30, "999999999999999999", "0"])
async def test_a_mark_that_says_nothing_is_passed_over(office: Office, ann: Person, mark: str) -> None:
    async with events(office, ann, "user", after=mark) as stream:
        await told(stream, ann, await ann.publish("from now on"))


async def test_who_missed_more_than_is_told_again_hears_the_newest(
    office: Office, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "REPLAYED", 2)
    async with events(office, ann, "user") as stream:
        await told(stream, ann, await ann.publish("heard"))
    async with events(office, ann, "user") as other:
        missed = [await ann.publish(str(number)) for number in range(4)]
        for status in missed:  # what everybody else has heard by now is what was missed
            await told(other, ann, status)
    async with events(office, ann, "user", after=stream.mark) as again:
        await told(again, ann, missed[2])
        await told(again, ann, missed[3])


async def test_a_server_that_stops_ends_every_stream(office: Office, ann: Person) -> None:
    async with events(office, ann, "user") as stream, socket(office, ann) as connection:
        await office.instance.streams.stop()
        assert (await stream.connection.message())["more_body"] is False
        assert (await connection.connection.message())["type"] == "websocket.close"


async def test_the_monitor_needs_no_token(office: Office) -> None:
    response = await office.anybody.http.get(f"{PATH}/health")
    assert (response.status_code, response.text) == (200, "OK")


async def test_announcements_are_told_to_all_and_say_nothing_of_anybody(
    office: Office, ann: Person, ben: Person
) -> None:
    path, wave = "/api/v1/announcements", "\U0001f44b"
    async with events(office, ann, "user") as hers, events(office, ben, "user") as his:
        made = await office.db.write(announcements.create, "We move")
        for stream in (hers, his):
            event, shown = await stream.next()
            assert (event, shown["id"], shown["content"]) == ("announcement", str(made.id), "<p>We move</p>")
            assert "read" not in shown
        await ann.put(f"{path}/{made.id}/reactions/{wave}")
        await ann.put(f"{path}/{made.id}/reactions/{wave}")
        await ann.delete(f"{path}/{made.id}/reactions/{wave}")
        await office.db.write(announcements.withdraw, made.id)
        for stream in (hers, his):
            counts = []
            for _ in range(2):
                event, told_ = await stream.next()
                assert (event, told_["name"], told_["announcement_id"]) == (
                    "announcement.reaction", wave, str(made.id),
                )  # fmt: skip
                counts.append(told_["count"])
            assert counts[-1] == 0
            assert await stream.next() == ("announcement.delete", str(made.id))
