"""What makes real clients fail, numbered: transport first, then what a server claims of itself, then entities.

`tests.web.required_fields` holds every good answer against what strictly typed clients need.
"""

import re
from typing import Any

import orjson
import pytest
from starlette.types import Message

from fedcorp.web.streaming import Streams
from tests.web.instance import ORIGIN, Caller, Office, Person

pytestmark = pytest.mark.anyio

CORS = {"Origin": "https://app.example.com"}
WITH_DOCUMENT = ("/.well-known/nodeinfo", "/nodeinfo/2.0", "/.well-known/host-meta", "/api/v2/instance")


# -- 1: cross-origin headers -----------------------------------------------------------------------------------------


async def test_01_every_answer_lets_web_clients_in(office: Office, ann: Person) -> None:
    for path in (*WITH_DOCUMENT, "/api/v1/no/such/path", "/api/v1/accounts/verify_credentials", "/oauth/authorize"):
        response = await office.anybody.http.get(path, headers=CORS)
        assert response.headers["access-control-allow-origin"] == "*", path
        exposed = response.headers["access-control-expose-headers"].lower()
        assert {"link", "x-request-id", "mastodon-async-refresh"} <= set(re.split(r",\s*", exposed))


async def test_01_preflight_allows_what_clients_send(office: Office) -> None:
    asking = {**CORS, "Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    response = await office.anybody.http.options("/api/v1/statuses/1", headers=asking)
    assert response.is_success
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(
        response.headers["access-control-allow-methods"].replace(" ", "").split(",")
    )
    allowed = response.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key"))


async def test_01_media_are_open_to_web_clients(office: Office, ann: Person) -> None:
    url = (await ann.upload())["url"].removeprefix(ORIGIN)
    response = await office.anybody.http.get(url, headers=CORS)
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, "*")


# -- 2, 3: how parameters and methods are written ----------------------------------------------------------------------


@pytest.mark.parametrize("way", ["json", "form", "multipart", "query"])
async def test_02_parameters_come_in_every_form(ann: Person, way: str) -> None:
    values: dict[str, Any] = {"status": f"by {way}", "visibility": "unlisted", "sensitive": "true"}
    options: dict[str, Any] = {
        "json": {"json": {**values, "sensitive": True}},
        "form": {"data": values},
        "multipart": {"data": values, "files": {"nothing": ("", b"")}},
        "query": {"params": values},
    }[way]
    posted = (await ann.ask("POST", "/api/v1/statuses", **options)).json()
    assert (posted["visibility"], posted["sensitive"]) == ("unlisted", True)
    assert f"by {way}" in posted["content"]


async def test_02_lists_are_written_as_rails_does(ann: Person, ben: Person) -> None:
    first, second = await ann.upload(), await ann.upload()
    data = {"status": "two", "media_ids[]": [first["id"], second["id"]]}
    posted = (await ann.ask("POST", "/api/v1/statuses", data=data)).json()
    assert [item["id"] for item in posted["media_attachments"]] == [first["id"], second["id"]]
    poll = {"status": "?", "poll[options][]": ["a", "b"], "poll[expires_in]": "600", "poll[multiple]": "1"}
    asked = (await ann.ask("POST", "/api/v1/statuses", data=poll)).json()
    assert [option["title"] for option in asked["poll"]["options"]] == ["a", "b"]
    assert asked["poll"]["multiple"] is True
    fields = {"fields_attributes[0][name]": "Team", "fields_attributes[0][value]": "Payroll"}
    changed = (await ann.ask("PATCH", "/api/v1/accounts/update_credentials", data=fields)).json()
    assert changed["source"]["fields"][0]["name"] == "Team"
    found = await ann.get("/api/v1/accounts/relationships", **{"id[]": [ann.id, ben.id]})
    assert [item["id"] for item in found] == [ann.id, ben.id]


async def test_02_a_delete_may_have_a_body_of_json(ann: Person, ben: Person) -> None:
    await ann.follow(ben)
    made = await ann.post("/api/v1/lists", title="near")
    await ann.post(f"/api/v1/lists/{made['id']}/accounts", account_ids=[ben.id])
    await ann.delete(f"/api/v1/lists/{made['id']}/accounts", account_ids=[ben.id])
    assert await ann.get(f"/api/v1/lists/{made['id']}/accounts") == []


async def test_03_put_and_patch_stand_in_for_each_other(ann: Person) -> None:
    changed = await ann.put("/api/v1/accounts/update_credentials", display_name="Ann")
    assert changed["display_name"] == "Ann"
    posted = await ann.publish("one")
    assert "two" in (await ann.patch(f"/api/v1/statuses/{posted['id']}", status="two"))["content"]


async def test_03_the_policy_is_there_in_both_versions(ann: Person) -> None:
    assert set(await ann.get("/api/v2/notifications/policy")) >= {
        "for_not_following",
        "for_private_mentions",
        "summary",
    }
    assert set(await ann.get("/api/v1/notifications/policy")) >= {"filter_not_following", "summary"}


# -- 4: streaming ----------------------------------------------------------------------------------------------------


class Socket:
    """A WebSocket client at the level of ASGI, which hears only what the server sends."""

    def __init__(self, office: Office, *, token: str, protocol: bool = True, query: str = "") -> None:
        self._office = office
        offered = [(b"sec-websocket-protocol", token.encode())] if protocol else []
        self.scope = {
            "type": "websocket", "path": "/api/v1/streaming", "raw_path": b"/api/v1/streaming", "scheme": "ws",
            "query_string": query.encode(), "headers": [(b"host", b"finance.localhost"), *offered], "subprotocols": [],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "", "http_version": "1.1",
        }  # fmt: skip
        self.sent: list[Message] = []

    async def hear(self, *frames: dict[str, Any]) -> list[Message]:
        """Connect, send these frames, and leave."""
        incoming: list[Message] = [{"type": "websocket.connect"}]
        incoming += [{"type": "websocket.receive", "text": orjson.dumps(frame).decode()} for frame in frames]
        incoming.append({"type": "websocket.disconnect", "code": 1000})

        async def receive() -> Message:
            return incoming.pop(0)

        async def send(message: Message) -> None:
            self.sent.append(message)

        await self._office.instance.app(self.scope, receive, send)
        return self.sent


async def test_04_the_token_comes_back_as_subprotocol(office: Office, ann: Person) -> None:
    assert ann.token is not None
    (accepted, *_) = await Socket(office, token=ann.token).hear({"type": "subscribe", "stream": "user"})
    assert accepted["type"] == "websocket.accept"
    assert accepted["subprotocol"] == ann.token


async def test_04_the_token_may_stand_in_the_query(office: Office, ann: Person) -> None:
    socket = Socket(office, token="", protocol=False, query=f"stream=user&access_token={ann.token}")
    (accepted, *_) = await socket.hear()
    assert (accepted["type"], accepted["subprotocol"]) == ("websocket.accept", None)


async def test_04_a_wrong_token_closes_before_anything_is_said(office: Office) -> None:
    (closed,) = await Socket(office, token="nobody").hear()
    assert closed["type"] in ("websocket.close", "websocket.http.response.start")


async def test_04_one_connection_takes_many_streams(office: Office, ann: Person) -> None:
    made = await ann.post("/api/v1/lists", title="near")
    assert ann.token is not None
    frames: list[dict[str, Any]] = [
        {"type": "subscribe", "stream": "user"},
        {"type": "subscribe", "stream": "user:notification"},
        {"type": "subscribe", "stream": "list", "list": made["id"]},
        {"type": "subscribe", "stream": "hashtag", "tag": "x"},
        {"type": "unsubscribe", "stream": "user"},
    ]
    sent = await Socket(office, token=ann.token).hear(*frames)
    assert [message["type"] for message in sent] == ["websocket.accept"], sent


async def test_04_streams_are_named_without_path(office: Office) -> None:
    answer = await office.anybody.get("/api/v2/instance")
    assert answer["configuration"]["urls"]["streaming"] == "ws://finance.localhost"
    assert isinstance(office.instance.streams, Streams)


# -- 5, 6: ids, pages and times --------------------------------------------------------------------------------------


async def test_05_pages_are_linked_and_in_the_order_of_ids(ann: Person) -> None:
    for number in range(5):
        await ann.publish(str(number))
    response = await ann.ask("GET", "/api/v1/timelines/home", params={"limit": 2})
    ids = [item["id"] for item in response.json()]
    assert ids == sorted(ids, key=int, reverse=True)
    assert len({len(id_) for id_ in ids}) == 1, "clients compare ids as texts of one length"
    links = response.links
    assert links["next"]["url"] == f"{ORIGIN}/api/v1/timelines/home?limit=2&max_id={ids[-1]}"
    assert links["prev"]["url"] == f"{ORIGIN}/api/v1/timelines/home?limit=2&min_id={ids[0]}"


async def test_05_a_boost_has_an_id_of_its_own(ann: Person, ben: Person) -> None:
    posted = await ben.publish("worth it")
    boosted = await ann.do("reblog", posted)
    assert boosted["reblog"]["id"] == posted["id"]
    assert int(boosted["id"]) > int(posted["id"])


async def test_06_times_have_milliseconds_and_days_are_days(ann: Person) -> None:
    posted = await ann.publish("now")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", posted["created_at"])
    shown = await ann.get(f"/api/v1/accounts/{ann.id}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", shown["last_status_at"])


# -- 7: what went wrong ----------------------------------------------------------------------------------------------


async def test_07_what_is_not_offered_is_404_in_json(office: Office, ann: Person) -> None:
    assert await ann.refused(404, "GET", "/api/v1/push/subscription") == "Record not found"
    for path in ("/api/v1/no/such/thing", "/api/v2/filters/1", "/api/v1/statuses/1"):
        response = await ann.http.get(path, headers={"Accept": "text/html"})
        assert response.status_code == 404
        assert response.headers["content-type"].startswith("application/json"), path


async def test_07_errors_have_the_words_of_oauth_where_clients_expect_them(office: Office) -> None:
    response = await office.anybody.http.post("/oauth/token", data={"grant_type": "authorization_code", "code": "x"})
    assert response.status_code in (400, 401)
    assert set(response.json()) == {"error", "error_description"}


# -- 8, 9: media, slashes and case -----------------------------------------------------------------------------------


async def test_08_an_uploaded_picture_is_asked_for_again(ann: Person) -> None:
    uploaded = await ann.upload(description="a square")
    again = await ann.get(f"/api/v1/media/{uploaded['id']}")
    assert again["url"] is not None
    assert again["description"] == "a square"
    assert set(again["meta"]["original"]) >= {"width", "height", "size", "aspect"}


async def test_09_a_trailing_slash_changes_nothing(office: Office, ann: Person) -> None:
    assert (await ann.http.get("/api/v1/accounts/verify_credentials/")).status_code == 200
    asked = await office.anybody.http.get("/oauth/authorize/", headers={"Accept": "text/html"})
    assert (
        asked.status_code
        == (await office.anybody.http.get("/oauth/authorize", headers={"Accept": "text/html"})).status_code
    )


async def test_09_names_and_tags_are_found_in_any_case(ann: Person) -> None:
    posted = await ann.publish("#CamelCase")
    assert (await ann.get("/api/v1/accounts/lookup", acct="ANN"))["id"] == ann.id
    assert await ann.ids("/api/v1/timelines/tag/camelcase") == [posted["id"]]
    assert await ann.ids("/api/v1/timelines/tag/CAMELCASE") == [posted["id"]]


# -- what a server claims decides what clients call ------------------------------------------------------------------


async def test_10_the_version_is_one_that_clients_can_read(office: Office) -> None:
    answer = await office.anybody.get("/api/v2/instance")
    assert re.match(r"4\.3\.0 \(compatible; fedcorp \d", answer["version"])
    assert answer["api_versions"] == {"mastodon": 7}
    assert (await office.anybody.get("/api/v1/instance"))["version"] == answer["version"]


async def test_11_nodeinfo_stands_at_the_fixed_place_and_tells_of_its_kin(office: Office) -> None:
    found = (await office.anybody.http.get("/nodeinfo/2.0")).json()
    assert found["software"]["name"] == "fedcorp"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", found["software"]["version"])
    assert found["metadata"]["upstream"]["name"] == "mastodon"
    index = (await office.anybody.http.get("/.well-known/nodeinfo")).json()
    assert [link["href"] for link in index["links"]][:2] == [f"{ORIGIN}/nodeinfo/2.0", f"{ORIGIN}/nodeinfo/2.1"]


async def test_12_the_older_instance_has_a_bare_domain(office: Office) -> None:
    assert (await office.anybody.get("/api/v1/instance"))["uri"] == "finance.localhost"


# -- entities --------------------------------------------------------------------------------------------------------


async def test_13_texts_are_empty_and_never_null(ann: Person) -> None:
    posted = await ann.publish("plain")
    assert posted["spoiler_text"] == ""
    assert [posted[name] for name in ("media_attachments", "mentions", "tags", "emojis")] == [[], [], [], []]


async def test_14_a_members_only_post_has_a_visibility_that_clients_know(office: Office, ann: Person) -> None:
    for visibility in ("public", "unlisted", "private", "direct"):
        assert (await ann.publish("x", visibility=visibility))["visibility"] == visibility


async def test_15_pictures_of_people_are_always_there(office: Office, ann: Person) -> None:
    shown = await ann.get("/api/v1/accounts/verify_credentials")
    for name in ("avatar", "avatar_static", "header", "header_static"):
        path = shown[name].removeprefix(ORIGIN)
        assert (await office.anybody.http.get(path)).headers["content-type"].startswith("image/"), name


async def test_16_a_marker_that_was_never_set_is_still_answered(ann: Person) -> None:
    found = await ann.get("/api/v1/markers", **{"timeline[]": "notifications"})
    assert found["notifications"]["last_read_id"] == "0"
    assert found["notifications"]["version"] == 0


async def test_17_groups_of_notifications_name_only_accounts_that_are_sent_along(ann: Person, ben: Person) -> None:
    posted = await ann.publish("like it")
    await ben.do("favourite", posted)
    page = await ann.get("/api/v2/notifications")
    known = {account["id"] for account in page["accounts"]}
    for group in page["notification_groups"]:
        assert set(group["sample_account_ids"]) <= known
        assert type(group["most_recent_notification_id"]) is int
        assert group["most_recent_notification_id"] < 2**53


async def test_18_a_follow_tells_of_no_status(ann: Person, ben: Person) -> None:
    await ben.follow(ann)
    (told,) = await ann.get("/api/v1/notifications")
    assert told["type"] == "follow"
    assert "status" not in told


async def test_19_a_poll_has_all_that_android_wants(ann: Person, ben: Person) -> None:
    asked = await ann.publish("?", poll={"options": ["a", "b"], "expires_in": 600})
    seen = await ben.get(f"/api/v1/polls/{asked['poll']['id']}")
    assert (seen["own_votes"], seen["voted"], seen["emojis"], seen["expired"]) == ([], False, [], False)
    assert "expires_at" in seen


async def test_20_a_group_is_an_account_that_is_no_bot(office: Office, ann: Person) -> None:
    shown = await ann.get(f"/api/v1/accounts/{await office.group(ann, 'club')}")
    assert (shown["group"], shown["bot"], shown["locked"]) == (True, False, False)


async def test_21_home_shows_a_post_once_however_it_came(office: Office, ann: Person, ben: Person) -> None:
    group = await office.group(ann, "club")
    await ben.follow(group)
    await ben.follow(ann)
    posted = await ann.publish("@club hello")
    assert (await ben.home()).count(posted["id"]) == 1
    assert not [kind for kind, _ in await ann.notified() if kind == "reblog"]


async def test_22_a_joined_group_shows_as_a_list_of_the_posts_themselves(
    office: Office, ann: Person, ben: Person
) -> None:
    group = await office.group(ann, "club")
    await ben.follow(group)
    posted = await ann.publish("@club hello")
    (virtual,) = await ben.get("/api/v1/lists")
    assert virtual["title"] == "# Club"
    (shown,) = await ben.get(f"/api/v1/timelines/list/{virtual['id']}")
    assert (shown["id"], shown["reblog"]) == (posted["id"], None)
    await ben.refused(422, "POST", f"/api/v1/lists/{virtual['id']}/accounts", json={"account_ids": [ann.id]})
    await ben.delete(f"/api/v1/lists/{virtual['id']}")
    assert await ben.get("/api/v1/lists") == []
    assert (await ben.relationship(group))["following"] is True


async def test_23_nothing_is_html_that_a_client_asks_for_as_an_app(office: Office) -> None:
    caller: Caller = office.anybody
    for path in ("/api/v1/timelines/public", "/api/v2/search?q=x", "/api/v1/custom_emojis", "/api/v1/trends/tags"):
        response = await caller.http.get(path)
        assert response.headers["content-type"].startswith("application/json"), path


async def test_24_what_is_no_picture_is_refused_in_words(ann: Person) -> None:
    response = await ann.ask("POST", "/api/v2/media", files={"file": ("x.png", b"no picture", "image/png")})
    assert response.status_code == 422
