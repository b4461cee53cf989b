"""Streams: what happens, told to those who listen, over WebSocket and as server-sent events.

One task of the process tails the `streams` table and asks `fedcorp.social.streams` whom each row concerns; listeners
get bytes that were rendered for their own account. A listener that is too slow is let go. Handles no change itself.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import orjson
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from fedcorp.clock import Clock
from fedcorp.errors import BadRequest, FedcorpError, NotFound, report
from fedcorp.social import applications, conversations, lists, notifications, streams
from fedcorp.social.streams import Change, Channel, Position
from fedcorp.social.text import normalise_tag
from fedcorp.storage.database import Database, Tx
from fedcorp.web import auth
from fedcorp.web import context as contexts
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call
from fedcorp.web.entities import announcements as announcement_entities
from fedcorp.web.entities import conversations as conversation_entities
from fedcorp.web.entities import notifications as notification_entities
from fedcorp.web.entities import statuses as status_entities
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.params import MAX_ID
from fedcorp.web.problems import OK
from fedcorp.web.route import WEBSOCKET, Route

POLL_SECONDS = 0.2
REST_SECONDS = 0.01  # between two looks while much happens: each costs two ways between threads
HEARTBEAT_SECONDS = 25.0
QUEUE = 1000
REPLAYED = 600  # of what somebody missed; more of it is read from the timelines
MAX_CHANNELS = 100
POLICY_VIOLATION, GOING_AWAY = 1008, 1001
_READ = "read:statuses"
SCOPES = {"user:notification": "read:notifications", "list": f"read:lists {_READ}"}
"""What a token must hold for a stream, where it is not to read statuses."""
LISTENING = " ".join(sorted({_READ, *" ".join(SCOPES.values()).split()}))

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """One event for one channel; `payload` is JSON or plain text, as the event has it, and empty where it has none.
    `seq` is its number in the `streams` table; who has heard it has heard everything up to the number `mark`."""

    channel: Channel
    event: str
    payload: str
    seq: int
    mark: int


@dataclass(eq=False, slots=True)
class Listener:
    """One open connection and what it wants to hear. None in the queue ends it.

    `after` is the mark from which it wants to hear on; 0 means from now on. `channels` says up to which number
    everything had happened when each of them was asked for.
    """

    token: str
    viewer: Viewer
    channels: dict[Channel, int] = field(default_factory=dict)
    after: int = 0
    queue: "asyncio.Queue[News | None]" = field(default_factory=lambda: asyncio.Queue(QUEUE))

    def tell(self, news: News) -> None:
        """Queue an event; a full queue ends the connection, which a client answers by coming back."""
        try:
            self.queue.put_nowait(news)
        except asyncio.QueueFull:
            self.end()

    def end(self) -> None:
        """Let the connection close, whatever is still queued."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Streams:
    """All listeners of one process, and the task that tells them."""

    def __init__(self, db: Database, clock: Clock, rendered: Rendered) -> None:
        self._db = db
        self._clock = clock
        self._rendered = rendered
        self._listeners: set[Listener] = set()
        self._returning: set[Listener] = set()  # those of them that have not been told yet what they missed
        self._position: Position | None = None
        self._wanted = asyncio.Event()  # set when somebody listens
        self._placed = asyncio.Event()  # set once what comes from now on is told
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Start the task."""
        self._task = self._clock.spawn(self._loop(), name="streams")

    async def stop(self) -> None:
        """End every connection and the task."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def close(self) -> None:
        """End every connection, and those that still come."""
        self._closed = True
        self._placed.set()
        for listener in tuple(self._listeners):
            listener.end()

    async def add(self, listener: Listener, channel: Channel | None = None) -> None:
        """Take a listener in; on the channel it hears everything that happens after this returns, and what came since
        its mark."""
        await self._placed.wait()
        if channel is not None:
            await self.subscribe(listener, channel)
        if listener.after:
            self._returning.add(listener)
            self._db.waker("streams").set()
        self._listeners.add(listener)
        self._wanted.set()
        # What ended the token after it was looked at may have been told before the listener was here to be ended.
        if self._closed or await self._db.read(applications.find_token, listener.token) is None:
            listener.end()

    async def subscribe(self, listener: Listener, channel: Channel) -> None:
        """Let a listener hear one more channel, from now on or from its mark on."""
        assert self._position is not None  # `add` has waited for it
        reached = 0 if listener.after else await self._db.read(streams.reached, self._position)
        listener.channels.setdefault(channel, reached)

    def remove(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)
        self._returning.discard(listener)

    async def _loop(self) -> None:
        waker = self._db.waker("streams")
        while True:
            waker.clear()
            try:
                moved = await self.pump()
            except Exception as error:  # noqa: BLE001 - reported, and tried again
                report(log, error, "the streams could not be read")
                await self._clock.sleep(1)
                continue
            if not self._listeners:
                self._wanted.clear()
                await self._clock.wait(self._wanted, POLL_SECONDS)
            elif moved:
                await self._clock.sleep(REST_SECONDS)
            else:
                await self._clock.wait(waker, POLL_SECONDS)

    async def pump(self) -> int:
        """Tell everything that is new; 0 when nothing was. The first call only takes its place."""
        if self._position is None:
            self._position = await self._db.read(streams.latest)
            self._placed.set()
            return 0
        before = self._position
        if not self._listeners:
            behind = await self._db.read(streams.skip, before)
            if not self._listeners:  # who came meanwhile may want some of it
                self._position = behind
                return behind.after - before.after
        for listener in tuple(self._returning):
            await self._catch_up(listener, before)
        channels = self._channels()
        changes, news, behind = await self._db.read(_collect, before, channels, self._rendered)
        late = self._channels() - channels  # of those who came before this was read, but after it was asked for
        if changes and late:
            news += await self._db.read(_news, changes, before, behind, late, self._rendered)
            news.sort(key=lambda item: item.seq)
        self._position = behind
        by_channel: dict[Channel, list[News]] = defaultdict(list)
        for item in news:
            by_channel[item.channel].append(item)
        for listener in self._listeners - self._returning:
            for item in _in_order(news, by_channel, listener.channels):
                # What is older than the question; or another process may have told it before this one read it.
                if item.seq > max(listener.after, listener.channels[item.channel]):
                    listener.tell(item)
        closing = {change.account_id for change in changes if change.kind == "closed"}
        for listener in [each for each in self._listeners if each.viewer.account_id in closing]:
            if await self._db.read(applications.find_token, listener.token) is None:
                listener.end()
        return len(changes)

    def _channels(self) -> set[Channel]:
        return {channel for listener in self._listeners for channel in listener.channels}

    async def _catch_up(self, listener: Listener, end: Position) -> None:
        """Tell a listener that came back what it missed; from then on it hears what all hear."""
        missed: deque[News] = deque(maxlen=REPLAYED)
        if listener.after > end.after and listener.after > (await self._db.read(streams.latest)).after:
            listener.after = 0  # no number that was ever told
        position = Position(listener.after or end.after)
        while position.after < end.after:
            changes, news, position = await self._db.read(
                _collect, position, set(listener.channels), self._rendered, end=end
            )
            missed.extend(news)
            if not changes:
                break
        for item in missed:
            listener.tell(item)
        self._returning.discard(listener)


def _in_order(news: list[News], by_channel: dict[Channel, list[News]], channels: Collection[Channel]) -> Iterable[News]:
    """The news of these channels; for the usual single channel without looking at all others."""
    if len(channels) == 1:
        return by_channel.get(next(iter(channels)), [])
    return [item for item in news if item.channel in channels]


def _collect(
    tx: Tx, position: Position, channels: set[Channel], rendered: Rendered, *, end: Position | None = None
) -> tuple[list[Change], list[News], Position]:
    changes, behind = streams.tail(tx, position)
    if end is not None:
        changes = [change for change in changes if change.seq <= end.after]
    return changes, _news(tx, changes, position, end or behind, channels, rendered), behind


def _news(
    tx: Tx, changes: list[Change], before: Position, behind: Position, channels: set[Channel], rendered: Rendered
) -> list[News]:
    """What changes, of those between two positions, are to these channels."""
    news: list[News] = []
    for change in changes if channels else ():
        mark = streams.mark(change, before, behind)
        seen: dict[tuple[str, int, int | None, str | None], str | None] = {}
        for channel, status_id in streams.concerned(tx, change, channels):
            whose = 0 if change.announcement_id is not None else channel.account_id  # these say the same to everybody
            key = (_event(change, channel), whose, status_id, _context(channel))
            if key not in seen:
                seen[key] = _payload(tx, change, *key, rendered)
            payload = seen[key]
            if payload is not None:
                news.append(News(channel, key[0], payload, change.seq, mark))
    return news


def _event(change: Change, channel: Channel) -> str:
    return "conversation" if channel.stream == "direct" and change.kind == "update" else change.kind


def _context(channel: Channel) -> str | None:
    """Which filters hide what is told there."""
    if channel.stream in ("user", "list"):
        return "home"
    return "public" if channel.stream.startswith(("public", "hashtag")) else None


def _payload(
    tx: Tx,
    change: Change,
    event: str,
    account_id: int,
    status_id: int | None,
    context: str | None,
    rendered: Rendered,
) -> str | None:
    if event == "delete":
        return str(status_id)
    if event == "filters_changed":
        return ""
    if event.startswith("announcement"):
        return _announced(tx, change)
    if event == "conversation":
        row = conversations.of_message(tx, account_id, status_id or 0)
        conversation = conversation_entities.many(tx, rendered, account_id, [row])
        return orjson.dumps(conversation[0]).decode() if conversation else None
    if event == "notification":
        found = notifications.find(tx, account_id, change.notification_seq or 0)
        entities = notification_entities.many(tx, rendered, account_id, [found]) if found else []
        return orjson.dumps(entities[0]).decode() if entities else None
    shown = status_entities.render(tx, rendered, account_id, [status_id] if status_id else [], context=context)
    return shown[0].decode() if shown else None


def _announced(tx: Tx, change: Change) -> str | None:
    id_ = change.announcement_id or 0
    if change.kind == "announcement.delete":
        return str(id_)
    if change.kind == "announcement.reaction":
        return orjson.dumps(announcement_entities.reaction(tx, id_, change.reaction or "")).decode()
    entity = announcement_entities.for_everybody(tx, id_)
    return None if entity is None else orjson.dumps(entity).decode()


# -- what one asks for -----------------------------------------------------------------------------------------------


def _viewer(tx: Tx, token: str | None, scope: str) -> Viewer:
    """Who listens: a person whose token holds one of these scopes. Raises Unauthorized, Forbidden."""
    viewer = auth.find_viewer(tx, token)
    auth.check(viewer, scope=scope)
    return viewer


def _channel(tx: Tx, viewer: Viewer, stream: str, tag: str, list_id: str) -> Channel:
    """The channel that a client names. Raises BadRequest, Forbidden, NotFound (a list of somebody else)."""
    if stream not in streams.NAMES:
        raise BadRequest("Unknown stream type")
    if stream in streams.WITH_ARGUMENT and not (list_id if stream == "list" else tag):
        raise BadRequest(f"The stream {stream} needs its tag or list.")
    auth.check(viewer, scope=SCOPES.get(stream, _READ))
    if stream == "list":
        if not (list_id.isascii() and list_id.isdigit() and len(list_id) < 20 and int(list_id) <= MAX_ID):
            raise NotFound
        lists.get(tx, viewer.id, int(list_id))
        return Channel(viewer.id, stream, str(int(list_id)))
    if stream.startswith("hashtag"):
        return Channel(viewer.id, stream, normalise_tag(tag))
    return Channel(viewer.id, stream)


def _open(tx: Tx, token: str | None, scope: str, wanted: tuple[str, str, str] | None) -> tuple[Viewer, Channel | None]:
    viewer = _viewer(tx, token, scope)
    return viewer, _channel(tx, viewer, *wanted) if wanted else None


def _wanted(query: QueryParams) -> tuple[str, str, str] | None:
    """(stream, tag, list) of a query, with Mastodon's switch for pictures only."""
    stream = query.get("stream", "")
    if not stream:
        return None
    return _with_media(stream, query.get("only_media", "")), query.get("tag", ""), query.get("list", "")


def _with_media(stream: str, only_media: str) -> str:
    is_wanted = only_media.lower() in ("1", "true") and stream.startswith("public") and not stream.endswith(":media")
    return f"{stream}:media" if is_wanted else stream


def _names(channel: Channel) -> list[str]:
    """How Mastodon names a channel in a frame."""
    return [channel.stream, channel.argument] if channel.argument else [channel.stream]


# -- WebSocket -------------------------------------------------------------------------------------------------------


async def listen(socket: WebSocket) -> None:
    """WS /api/v1/streaming: channels are named in the query or asked for by frames.

    Browsers can only hand over the token as a subprotocol, and close a socket that does not name it in its answer.
    """
    offered = socket.headers.get("sec-websocket-protocol", "").partition(",")[0].strip() or None
    token = auth.bearer(socket) or offered
    parts, hub = contexts.of(socket), _hub(socket)
    try:
        viewer, channel = await parts.db.read(_open, token, LISTENING, _wanted(socket.query_params))
    except FedcorpError:
        await socket.close(POLICY_VIOLATION)
        return
    listener = Listener(token or "", viewer)
    try:
        await hub.add(listener, channel)
        await socket.accept(subprotocol=offered)
        sending = parts.clock.spawn(_send_frames(socket, listener), name="stream-out")
        hearing = parts.clock.spawn(_hear(socket, listener, hub, parts.db), name="stream-in")
        await _until_one_ends(sending, hearing)
    finally:
        hub.remove(listener)


async def _until_one_ends(*tasks: "asyncio.Task[None]") -> None:
    """Wait until one of the tasks ends, then end the others. Raises a fault of ours; that a client left is none."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect | OSError):
            raise outcome


def _hub(connection: "WebSocket | Call") -> Streams:
    hub: Streams = connection.app.state.streams
    return hub


async def _send_frames(socket: WebSocket, listener: Listener) -> None:
    while (news := await listener.queue.get()) is not None:
        frame = {"stream": _names(news.channel), "event": news.event}
        if news.payload:  # an empty one would be no JSON, at which clients end their stream
            frame["payload"] = news.payload
        await socket.send_text(orjson.dumps(frame).decode())
    with suppress(RuntimeError):  # the client may leave in the same moment
        await socket.close(GOING_AWAY)


async def _hear(socket: WebSocket, listener: Listener, hub: Streams, db: Database) -> None:
    """Take frames that subscribe and unsubscribe until the client leaves. Heartbeats are the protocol's own pings."""
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        text = message.get("text") or ""
        try:
            await _obey(text, listener, hub, db)
        except FedcorpError as error:
            await socket.send_text(orjson.dumps({"error": error.text}).decode())


async def _obey(text: str, listener: Listener, hub: Streams, db: Database) -> None:
    if not text.strip():
        return
    try:
        frame = orjson.loads(text)
        kind, stream = frame["type"], _with_media(str(frame["stream"]), str(frame.get("only_media", "")))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise BadRequest("A frame is JSON with type and stream.") from None
    if kind not in ("subscribe", "unsubscribe"):
        raise BadRequest("The type of a frame is subscribe or unsubscribe.")
    wanted = (stream, str(frame.get("tag") or ""), str(frame.get("list") or ""))
    channel = await db.read(_channel, listener.viewer, *wanted)
    if kind == "unsubscribe":
        listener.channels.pop(channel, None)
    elif len(listener.channels) < MAX_CHANNELS:
        await hub.subscribe(listener, channel)
    else:
        raise BadRequest(f"One connection listens to at most {MAX_CHANNELS} streams.")


# -- server-sent events ----------------------------------------------------------------------------------------------


class EventStream:
    """An answer that goes on until the client leaves: pure ASGI, one `send` for each event."""

    def __init__(self, listener: Listener, channel: Channel, hub: Streams, clock: Clock, *, numbered: bool) -> None:
        self._listener = listener
        self._channel = channel
        self._hub = hub
        self._clock = clock
        self._numbered = numbered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._hub.add(self._listener, self._channel)
            sending = self._clock.spawn(self._send(send), name="events-out")
            leaving = self._clock.spawn(_gone(receive), name="events-gone")
            await _until_one_ends(sending, leaving)
        finally:
            self._hub.remove(self._listener)

    async def _send(self, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"private, no-store"),
            (b"x-accel-buffering", b"no"),  # a proxy must not hold events back
        ]
        await send({"type": "http.response.start", "status": OK, "headers": headers})
        await _chunk(send, b":)\n\n")
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    news = await self._listener.queue.get()
            except TimeoutError:
                await _chunk(send, b":thump\n\n")
                continue
            if news is None:
                break
            # Browsers pass over an event without data; the word is Mastodon's.
            data = news.payload or "undefined"
            mark = f"id: {news.mark}\n" if self._numbered else ""
            await _chunk(send, f"{mark}event: {news.event}\ndata: {data}\n\n".encode())
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _chunk(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def stream_events(call: Call) -> EventStream:
    """GET /api/v1/streaming/...: one channel, named by the path, on from the header Last-Event-ID when it is sent.

    Events have an `id` for those who can come back with it: they name `text/event-stream` in `Accept`, as a browser's
    EventSource must, or send Last-Event-ID. Mastodon's events are two lines, and libraries pass over one of three.
    """
    path = call.scope["path"].removeprefix("/api/v1/streaming/").strip("/").replace("/", ":")
    query = call.query_params
    wanted = (_with_media(path, query.get("only_media", "")), query.get("tag", ""), query.get("list", ""))
    token = auth.bearer(call)
    viewer, channel = await call.context.db.read(_open, token, call.route.scope or "", wanted)
    assert channel is not None
    heard = call.headers.get("last-event-id")
    listener = Listener(token or "", viewer, after=_mark(heard or ""))
    numbered = heard is not None or "text/event-stream" in call.headers.get("accept", "").lower()
    return EventStream(listener, channel, _hub(call), call.context.clock, numbered=numbered)


def _mark(text: str) -> int:
    """The mark that a client heard last; what is none counts as not said, like 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


async def show_health(_call: Call) -> "Plain":
    """GET /api/v1/streaming/health"""
    return Plain(b"OK")


class Plain:
    """A short text as an answer."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": OK, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": self._body})


_PATHS = (
    "user",
    "user/notification",
    "public",
    "public/local",
    "public/remote",
    "hashtag",
    "hashtag/local",
    "list",
    "direct",
)
ROUTES = (
    Route(WEBSOCKET, "/api/v1/streaming", listen, LISTENING),
    Route("GET", "/api/v1/streaming/health", show_health),
    *(
        Route("GET", f"/api/v1/streaming/{path}", stream_events, SCOPES.get(path.replace("/", ":"), _READ))
        for path in _PATHS
    ),
)
