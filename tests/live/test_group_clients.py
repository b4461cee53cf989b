"""Unchanged clients in a group of another department: they know nothing of groups, and need not."""

from collections.abc import Iterator
from typing import Any

import pytest
from mastodon import Mastodon

from tests.federation.world import plain
from tests.live.harness import Department, Person, company, eventually
from tests.live.test_mastodon_py import client
from tests.live.test_toot import Terminal

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def departments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Department]]:
    """Finance with ada, who has groups; HR with ben and bea."""
    with company(tmp_path_factory.mktemp("groups"), finance=("ada",), hr=("ben", "bea")) as made:
        yield made


@pytest.fixture
def ada(departments: dict[str, Department]) -> Person:
    """Whose groups it are."""
    return departments["finance"].people[0]


def words(items: list[Any]) -> list[str]:
    """The words of statuses, newest first."""
    return [plain(item["content"]) for item in items]


def virtual_list(api: Mastodon, title: str) -> Any:
    """The list that stands for a group, or None."""
    return next((item for item in api.lists() if item.title.endswith(title)), None)


def test_mastodon_py_finds_joins_writes_reads_and_leaves(departments: dict[str, Department], ada: Person) -> None:
    handle = departments["finance"].group("sailors", "request", owner=ada)
    api = client(departments["hr"].people[0])
    (group,) = api.search_v2(f"@{handle}", resolve=True, result_type="accounts").accounts
    assert group.group
    assert group.acct == handle
    assert api.account_follow(group).requested
    (asking,) = eventually(lambda: ada.get("/api/v1/follow_requests"))
    ada.post(f"/api/v1/follow_requests/{asking['id']}/authorize")
    eventually(lambda: api.account_relationships(group)[0].following)
    assert "mention" in eventually(lambda: [item.type for item in api.notifications()]), "the group welcomes them"

    virtual = eventually(lambda: virtual_list(api, "Sailors"))
    posted = api.status_post(f"@{handle} who sails on Sunday?")
    eventually(lambda: posted.id in [item.id for item in api.timeline_list(virtual)])
    opened = ada.find_status(posted.uri)
    ada.publish(f"@{api.me().acct}@{departments['hr'].domain} I do", in_reply_to_id=opened["id"])
    eventually(lambda: len(api.timeline_list(virtual)) == 2)
    assert words(api.status_context(posted).descendants)[0].endswith("I do")
    assert posted.id in [(item.reblog or item).id for item in api.timeline_home()]

    assert not api.account_unfollow(group).following
    assert virtual_list(api, "Sailors") is None

    def members() -> list[str]:
        found = ada.get(f"/api/fedcorp/v1/groups/{ada.find('sailors')}/members")
        return [item["account"]["username"] for item in found]

    eventually(lambda: members() == ["ada"])


def test_toot_finds_joins_writes_reads_and_leaves(
    departments: dict[str, Department], ada: Person, tmp_path_factory: pytest.TempPathFactory
) -> None:
    handle = departments["finance"].group("climbers", owner=ada)
    bea = departments["hr"].people[1]
    terminal = Terminal(tmp_path_factory.mktemp("toot"), departments["hr"], "bea")
    terminal.login()
    assert handle in terminal("search", f"@{handle}", "--resolve")
    terminal("follow", handle)
    eventually(lambda: bea.relationship(bea.find(handle))["following"])
    terminal("post", f"@{handle} the rope is new")
    (title,) = eventually(
        lambda: [item["title"] for item in bea.get("/api/v1/lists") if item["title"].endswith("Climbers")]
    )

    def reading() -> str:
        return terminal("timelines", "list", title, "--no-pager", "--no-clear")

    eventually(lambda: "the rope is new" in reading())
    ada.publish("@climbers and so are the shoes")
    eventually(lambda: "so are the shoes" in reading())
    assert "so are the shoes" in terminal("timelines", "home", "--no-pager", "--no-clear")
    terminal("unfollow", handle)
    assert not [item for item in bea.get("/api/v1/lists") if item["title"].endswith("Climbers")]
