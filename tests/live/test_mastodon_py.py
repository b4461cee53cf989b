"""The library Mastodon.py against a running department, as a script of an employee would use it."""

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from mastodon import Mastodon, StreamListener
from mastodon.errors import MastodonNotFoundError
from PIL import Image

from tests.live.browser import code_from
from tests.live.harness import Department, Person, eventually

SCOPES = ["read", "write", "follow", "push"]


def client(person: Person) -> Mastodon:
    """The library, logged in with a token."""
    return Mastodon(access_token=person.token, api_base_url=person.department.base, ratelimit_method="throw")


@pytest.fixture
def mine(ada: Person) -> Mastodon:
    """The library for ada."""
    return client(ada)


@pytest.fixture
def theirs(ben: Person) -> Mastodon:
    """The library for ben."""
    return client(ben)


def picture() -> io.BytesIO:
    """A small PNG."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, "PNG")
    file.seek(0)
    return file


def test_an_app_is_registered_and_logs_in_by_code(office: Department, ada: Person) -> None:
    app_id, secret = Mastodon.create_app("script", scopes=SCOPES, api_base_url=office.base)
    api = Mastodon(client_id=app_id, client_secret=secret, api_base_url=office.base)
    url = api.auth_request_url(scopes=SCOPES, allow_http=True)
    token = api.log_in(code=code_from(url, "ada"), scopes=SCOPES, allow_http=True)
    assert api.me().acct == "ada"
    assert api.app_verify_credentials().name == "script"
    again = Mastodon(access_token=token, api_base_url=office.base)
    assert again.account_verify_credentials().id == api.me().id


def test_posts_are_written_changed_and_deleted(mine: Mastodon) -> None:
    uploaded = mine.media_post(picture(), mime_type="image/png", description="a teal square", synchronous=True)
    posted = mine.status_post("first words #report", media_ids=[uploaded], spoiler_text="numbers", language="en")
    assert posted.media_attachments[0].description == "a teal square"
    assert posted.spoiler_text == "numbers"
    changed = mine.status_update(posted.id, "second words", spoiler_text="numbers")
    assert "second words" in changed.content
    assert [plain.content for plain in mine.status_history(posted.id)] == [posted.content, changed.content]
    assert mine.status_source(posted.id).text == "second words"
    gone = mine.status_delete(posted.id)
    assert gone.text == "second words"
    with pytest.raises(MastodonNotFoundError):
        mine.status(posted.id)


def test_people_react(mine: Mastodon, theirs: Mastodon) -> None:
    posted = mine.status_post("what do you think?")
    theirs.status_favourite(posted)
    theirs.status_reblog(posted)
    theirs.status_bookmark(posted)
    theirs.status_reply(posted, "not bad")
    seen = mine.status(posted)
    assert (seen.favourites_count, seen.reblogs_count, seen.replies_count) == (1, 1, 1)
    assert [account.acct for account in mine.status_favourited_by(posted)] == ["ben"]
    assert [account.acct for account in mine.status_reblogged_by(posted)] == ["ben"]
    assert len(mine.status_context(posted).descendants) == 1
    assert posted.id in [item.id for item in theirs.bookmarks()]
    assert posted.id in [item.id for item in theirs.favourites()]
    kinds = {item.type for item in mine.notifications()}
    assert {"favourite", "reblog", "mention"} <= kinds
    grouped = mine.grouped_notifications()
    assert {"favourite", "reblog", "mention"} <= {group.type for group in grouped.notification_groups}
    theirs.status_unfavourite(posted)
    theirs.status_unreblog(posted)
    theirs.status_unbookmark(posted)
    assert mine.status(posted).favourites_count == 0
    mine.status_mute(posted)
    mine.status_pin(posted)
    assert mine.account_statuses(mine.me(), pinned=True)[0].id == posted.id
    mine.status_unpin(posted)


def test_polls(mine: Mastodon, theirs: Mastodon) -> None:
    posted = mine.status_post("tea?", poll=mine.make_poll(["yes", "no"], expires_in=3600))
    assert posted.poll is not None
    theirs.poll_vote(posted.poll, 0)
    assert [option.votes_count for option in mine.poll(posted.poll).options] == [1, 0]


def test_timelines_are_walked_page_by_page(mine: Mastodon) -> None:
    written = [mine.status_post(f"page {number}").id for number in range(7)]
    first = mine.timeline_home(limit=3)
    assert [item.id for item in first] == written[:3:-1]
    second = mine.fetch_next(first)
    assert second is not None
    assert [item.id for item in second] == written[3:0:-1]
    back = mine.fetch_previous(second)
    assert back is not None
    assert [item.id for item in back] == [item.id for item in first]
    everything = mine.fetch_remaining(mine.timeline_home(limit=3))
    assert everything is not None
    ids = [item.id for item in everything]
    assert set(written) <= set(ids)
    assert len(ids) == len(set(ids))
    assert mine.timeline_local(limit=1)[0].id == written[-1]
    assert mine.timeline_public(limit=1)[0].id == written[-1]


def test_follows_lists_and_searches(mine: Mastodon, theirs: Mastodon) -> None:
    me, them = mine.me(), theirs.me()
    assert mine.account_follow(them).following
    assert [account.id for account in mine.account_following(me)] == [them.id]
    made = mine.list_create("close colleagues")
    mine.list_accounts_add(made, [them])
    assert [account.id for account in mine.list_accounts(made)] == [them.id]
    posted = theirs.status_post("for the list #close")
    assert posted.id in [item.id for item in mine.timeline_list(made)]
    assert posted.id in [item.id for item in mine.timeline_hashtag("close")]
    mine.list_delete(made)
    found = mine.search_v2("ben")
    assert them.id in [account.id for account in found.accounts]
    assert mine.account_relationships(them)[0].following
    assert mine.account_search("ben")[0].id == them.id
    mine.account_unfollow(them)
    theirs.account_update_credentials(locked=True)
    assert mine.account_follow(them).requested
    assert [account.id for account in theirs.follow_requests()] == [me.id]
    theirs.follow_request_authorize(me)
    assert mine.account_relationships(them)[0].following
    theirs.account_update_credentials(locked=False)
    mine.account_mute(them)
    mine.account_unmute(them)
    mine.account_block(them)
    assert [account.id for account in mine.blocks()] == [them.id]
    mine.account_unblock(them)


def test_what_apps_ask_for_at_the_start(mine: Mastodon, theirs: Mastodon) -> None:
    assert mine.instance_v2().domain.startswith("finance.localhost")
    assert mine.instance_v1().uri.startswith("finance.localhost")
    assert mine.instance_nodeinfo().software.name == "fedcorp"
    assert mine.filters_v2() == mine.custom_emojis() == mine.announcements() == []
    assert mine.preferences()["posting:default:visibility"] == "public"
    latest = mine.status_post("read so far")
    mine.markers_set("home", latest)
    assert mine.markers_get("home")["home"].last_read_id == latest.id
    with pytest.raises(MastodonNotFoundError):
        mine.push_subscription()
    theirs.status_post("@ada psst", visibility="direct")
    assert mine.conversations()[0].accounts[0].acct == "ben"


def test_a_group_is_joined_read_written_to_and_left(office: Department, mine: Mastodon, theirs: Mastodon) -> None:
    office.command("group", "create", "gardeners", "--title", "Gardeners", "--owner", "cleo")
    group = mine.account_lookup("gardeners")
    assert group.group
    assert mine.account_follow(group).following
    posted = mine.status_post("@gardeners the roses are out")
    virtual = next(item for item in mine.lists() if item.title.endswith("Gardeners"))
    assert posted.id in [item.id for item in mine.timeline_list(virtual)]
    theirs.account_follow(group)
    theirs.status_reply(posted, "lovely")
    assert len(mine.timeline_list(virtual)) == 2
    mine.account_unfollow(group)
    assert virtual.id not in [item.id for item in mine.lists()]


class Heard(StreamListener):
    """Keeps what a stream tells."""

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self.notifications: list[Any] = []
        self.deleted: list[Any] = []
        self.edited: list[Any] = []

    def on_update(self, status: Any) -> None:
        self.updates.append(status.id)

    def on_notification(self, notification: Any) -> None:
        self.notifications.append(notification.type)

    def on_delete(self, status_id: Any) -> None:
        self.deleted.append(str(status_id))

    def on_status_update(self, status: Any) -> None:
        self.edited.append(status.id)


@pytest.fixture
def heard(mine: Mastodon) -> Iterator[Heard]:
    """What ada's own stream tells, from now on."""
    listener = Heard()
    before = threading.active_count()
    handle = mine.stream_user(listener, run_async=True, timeout=30)
    eventually(handle.is_receiving)
    yield listener
    closing = threading.Thread(
        target=handle.close
    )  # which waits until something comes, a heartbeat after 25 s at least
    closing.start()
    mine.status_post("that was all")
    closing.join()
    eventually(lambda: threading.active_count() <= before)


def test_a_stream_tells_what_happens(heard: Heard, mine: Mastodon, theirs: Mastodon) -> None:
    def probe() -> bool:  # the connection counts from the moment that the server has it in its list
        mine.status_delete(mine.status_post("is anybody there?"))
        return bool(heard.deleted)

    eventually(probe)
    posted = mine.status_post("live")
    eventually(lambda: posted.id in heard.updates)
    theirs.status_favourite(posted)
    eventually(lambda: "favourite" in heard.notifications)
    mine.status_update(posted, "live, and edited")
    eventually(lambda: posted.id in heard.edited)
    mine.status_delete(posted)
    eventually(lambda: str(posted.id) in heard.deleted)
