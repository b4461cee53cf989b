"""The program `toot` against a running department, as somebody at a terminal would use it."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.federation.world import plain
from tests.live.browser import code_from
from tests.live.harness import Department, Person, program

pytestmark = pytest.mark.once

SECONDS = 60


class Terminal:
    """A terminal of somebody: `toot` with its own home folder."""

    def __init__(self, home: Path, department: Department, name: str) -> None:
        self.name = name
        self._department = department
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "TOOT_"))}
        self._environment = kept | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "BROWSER": "true"}

    def login(self) -> None:
        """`toot login`: the code goes through a browser."""
        with subprocess.Popen(
            [program("toot"), "login", "-i", self._department.base], env=self._environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            said = ""
            while (found := re.search(r"https?://\S+/oauth/authorize/?\?\S+", said)) is None:
                line = process.stdout.readline()
                assert line, said
                said += line
            rest, _ = process.communicate(f"n\n{code_from(found[0], self.name)}\n", SECONDS)
        assert process.returncode == 0, said + rest
        assert "Successfully logged in" in rest

    def __call__(self, *words: str) -> str:
        """What a command says; it must succeed."""
        done = subprocess.run(
            [program("toot"), *words], env=self._environment, capture_output=True, text=True, timeout=SECONDS,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def json(self, *words: str) -> Any:
        """The answer of a command as JSON."""
        return json.loads(self(*words, "--json"))


@pytest.fixture(scope="module")
def terminal(office: Department, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """ada at her terminal, logged in."""
    made = Terminal(tmp_path_factory.mktemp("toot"), office, "ada")
    made.login()
    return made


@pytest.fixture
def words(ada: Person) -> Callable[[str], str]:
    """The plain words of a status."""
    return lambda id_: plain(ada.get(f"/api/v1/statuses/{id_}")["content"])


def test_who_am_i(terminal: Terminal) -> None:
    assert "@ada" in terminal("whoami")
    assert "@ben" in terminal("whois", "ben")
    assert "Finance" in terminal("instance")


def test_posting_with_everything(terminal: Terminal, tmp_path: Path, words: Callable[[str], str]) -> None:
    file = tmp_path / "square.png"
    Image.new("RGB", (40, 40), "orange").save(file)
    posted = terminal.json("post", "from the terminal #tty", "-m", str(file), "-d", "an orange square", "-p", "colours")
    assert words(posted["id"]) == "from the terminal #tty"
    assert posted["media_attachments"][0]["description"] == "an orange square"
    assert posted["spoiler_text"] == "colours"
    reply = terminal.json("post", "an answer", "-r", posted["id"])
    assert reply["in_reply_to_id"] == posted["id"]
    assert "an answer" in terminal("thread", posted["id"])
    assert "from the terminal" in terminal("timelines", "tag", "tty", "--no-pager", "--no-clear")
    terminal("delete", reply["id"])
    assert "an answer" not in terminal("thread", posted["id"])


def test_reactions_reach_the_other_side(terminal: Terminal, ben: Person) -> None:
    posted = ben.publish("react to this")
    for act in ("favourite", "reblog", "bookmark"):
        terminal(act, posted["id"])
    seen = ben.get(f"/api/v1/statuses/{posted['id']}")
    assert (seen["favourites_count"], seen["reblogs_count"]) == (1, 1)
    assert "react to this" in terminal("bookmarks", "--once")
    assert "ada" in terminal("reblogged-by", posted["id"])
    for act in ("unfavourite", "unreblog", "unbookmark"):
        terminal(act, posted["id"])
    seen = ben.get(f"/api/v1/statuses/{posted['id']}")
    assert (seen["favourites_count"], seen["reblogs_count"]) == (0, 0)
    ben.publish("@ada did you see?")
    assert "did you see?" in terminal("notifications")


def test_people_are_followed_muted_and_blocked(terminal: Terminal, ada: Person, cleo: Person) -> None:
    id_ = ada.find("cleo")
    terminal("follow", "cleo")
    assert ada.relationship(id_)["following"]
    cleo.publish("for my followers")
    assert "for my followers" in terminal("timelines", "home", "--no-pager", "--no-clear")
    assert "@cleo" in terminal("following", "ada")
    terminal("mute", "cleo")
    assert ada.relationship(id_)["muting"]
    terminal("unmute", "cleo")
    terminal("unfollow", "cleo")
    terminal("block", "cleo")
    assert ada.relationship(id_)["blocking"]
    terminal("unblock", "cleo")
    assert "@cleo" in terminal("search", "cleo")


def test_polls_and_lists(terminal: Terminal, ada: Person, ben: Person) -> None:
    asked = ben.publish("coffee?", poll={"options": ["yes", "no"], "expires_in": 3600})
    terminal("polls", "vote", asked["poll"]["id"], "0")
    assert ben.get(f"/api/v1/polls/{asked['poll']['id']}")["votes_count"] == 1
    terminal("follow", "ben")
    terminal("lists", "create", "neighbours")
    terminal("lists", "add", "neighbours", "ben")
    assert "ben" in terminal("lists", "accounts", "neighbours")
    ben.publish("hello neighbour")
    assert "hello neighbour" in terminal("timelines", "list", "neighbours", "--no-pager", "--no-clear")
    terminal("lists", "delete", "neighbours")
    terminal("unfollow", "ben")


def test_a_group_is_joined_written_to_read_and_left(office: Department, terminal: Terminal, ada: Person) -> None:
    office.command("group", "create", "walkers", "--title", "Walkers", "--owner", "cleo")
    terminal("follow", "walkers")
    terminal("post", "@walkers who comes along at noon?")
    (title,) = [item["title"] for item in ada.get("/api/v1/lists") if item["title"].endswith("Walkers")]
    assert "who comes along" in terminal("timelines", "list", title, "--no-pager", "--no-clear")
    terminal("unfollow", "walkers")
    assert not [item for item in ada.get("/api/v1/lists") if item["title"].endswith("Walkers")]
