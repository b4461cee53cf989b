"""Two departments as real processes, with real sockets between them."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fedcorp.config import REACHES
from tests.federation.world import plain
from tests.live.harness import Department, Person, company, eventually, introduce, running


@pytest.fixture(scope="module")
def departments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Department]]:
    """Finance with ada, HR with ben and bea; they know each other."""
    with company(tmp_path_factory.mktemp("two"), finance=("ada",), hr=("ben", "bea")) as made:
        yield made


@pytest.fixture
def ada(departments: dict[str, Department]) -> Person:
    """Somebody in Finance."""
    return departments["finance"].people[0]


@pytest.fixture
def ben(departments: dict[str, Department]) -> Person:
    """Somebody in HR, who follows ada."""
    return follower(departments, 0)


@pytest.fixture
def bea(departments: dict[str, Department]) -> Person:
    """Somebody else in HR, who follows ada too."""
    return follower(departments, 1)


def follower(departments: dict[str, Department], number: int) -> Person:
    """Somebody in HR, as a follower of ada."""
    person = departments["hr"].people[number]
    person.follow("ada@" + departments["finance"].domain)
    return person


def at_home(person: Person, text: str) -> Any:
    """The status with these words in somebody's home timeline, as soon as it is there."""
    return eventually(lambda: next((item for item in person.home() if plain(item["content"]) == text), None))


def in_list(person: Person, title: str) -> list[Any]:
    """The timeline of a group that somebody belongs to, newest first."""
    (found,) = [item for item in person.get("/api/v1/lists") if item["title"].endswith(title)]
    return list(person.get(f"/api/v1/timelines/list/{found['id']}"))


def is_told(person: Person, kind: str, handle: str) -> bool:
    """Whether somebody was notified of something that somebody else did."""
    found = person.get("/api/v1/notifications", **{"types[]": kind})
    return any(item["account"]["acct"] == handle for item in found)


def test_a_post_is_read_in_the_other_department(ada: Person, ben: Person) -> None:
    started = time.monotonic()
    ada.publish("The budget is done")
    eventually(lambda: "The budget is done" in ben.texts())
    print(f"the other department read it after {time.monotonic() - started:.3f} s")


def test_an_answer_comes_back_with_a_notification(ada: Person, ben: Person) -> None:
    posted = ada.publish("Any questions?")
    seen = ben.find_status(posted["uri"])
    ben.publish(f"@{ada.handle} yes, one", in_reply_to_id=seen["id"])
    ben.post(f"/api/v1/statuses/{seen['id']}/favourite")
    kinds = {"mention", "favourite"}
    eventually(lambda: kinds <= {item["type"] for item in ada.get("/api/v1/notifications")})
    context = ada.get(f"/api/v1/statuses/{posted['id']}/context")
    assert [reply["account"]["acct"] for reply in context["descendants"]] == [ben.handle]


def test_an_edit_and_a_deletion_arrive(ada: Person, ben: Person) -> None:
    posted = ada.publish("It is 10 o'clock")
    seen = ben.find_status(posted["uri"])
    assert ada.http.put(f"/api/v1/statuses/{posted['id']}", json={"status": "It is noon"}).is_success
    eventually(lambda: "It is noon" in ben.texts())
    assert ada.http.delete(f"/api/v1/statuses/{posted['id']}").is_success
    eventually(lambda: ben.http.get(f"/api/v1/statuses/{seen['id']}").status_code == 404)
    assert "It is noon" not in ben.texts()


def test_a_boost_is_counted_and_taken_back(ada: Person, ben: Person) -> None:
    posted = ada.publish("Please pass this on")
    seen = at_home(ben, "Please pass this on")
    ben.post(f"/api/v1/statuses/{seen['id']}/reblog")
    eventually(lambda: ada.get(f"/api/v1/statuses/{posted['id']}")["reblogs_count"] == 1)
    assert is_told(ada, "reblog", ben.handle)
    (who,) = ada.get(f"/api/v1/statuses/{posted['id']}/reblogged_by")
    assert who["acct"] == ben.handle
    ben.post(f"/api/v1/statuses/{seen['id']}/unreblog")
    eventually(lambda: ada.get(f"/api/v1/statuses/{posted['id']}")["reblogs_count"] == 0)


def test_votes_from_both_departments_are_one_result(ada: Person, ben: Person, bea: Person) -> None:
    options = ["Monday", "Tuesday", "never"]
    posted = ada.publish("When do we meet?", poll={"options": options, "expires_in": 3600, "multiple": True})
    poll = at_home(ben, "When do we meet?")["poll"]
    assert [option["title"] for option in poll["options"]] == options
    ben.post(f"/api/v1/polls/{poll['id']}/votes", choices=[0, 1])
    bea.post(f"/api/v1/polls/{at_home(bea, 'When do we meet?')['poll']['id']}/votes", choices=[1])

    def result(person: Person, id_: str) -> tuple[list[int], int]:
        found = person.get(f"/api/v1/polls/{id_}")  # what was told before a vote here may come after it
        return [option["votes_count"] for option in found["options"]], found["voters_count"]

    eventually(lambda: result(ada, posted["poll"]["id"]) == ([1, 2, 0], 2))
    eventually(lambda: result(ben, poll["id"]) == ([1, 2, 0], 2))


def test_a_picture_of_the_company_is_shown_by_each_department_itself(ada: Person, ben: Person) -> None:
    file = io.BytesIO()
    Image.new("RGB", (320, 200), "purple").save(file, "PNG")
    posted = ada.publish("A chart", media_ids=[ada.attach(file.getvalue(), "a purple chart")])
    assert posted["reach"] == "company"

    def shown() -> Any:
        (picture,) = at_home(ben, "A chart")["media_attachments"]
        return picture if picture["type"] == "image" and picture["url"].startswith(ben.department.origin) else None

    picture = eventually(shown)
    assert (picture["description"], bool(picture["blurhash"])) == ("a purple chart", True)
    for url in (picture["url"], picture["preview_url"]):
        path = url.removeprefix(ben.department.origin)
        with ben.department.client() as browser:  # without a token: a picture in a page has none
            answer = browser.get(path)
            assert answer.status_code == 200
            assert Image.open(io.BytesIO(answer.content)).size == (320, 200)
            assert browser.get(path.partition("?")[0]).status_code == 404, "the address alone opens nothing"


def test_a_content_warning_stays_in_front(ada: Person, ben: Person) -> None:
    ada.publish("The butler", spoiler_text="Who did it", sensitive=True)
    seen = at_home(ben, "The butler")
    assert (seen["spoiler_text"], seen["sensitive"]) == ("Who did it", True)


def test_a_direct_message_reaches_only_who_is_named(ada: Person, ben: Person, bea: Person) -> None:
    ada.publish(f"@{ben.handle} between us", visibility="direct")
    ada.publish("for everybody")
    at_home(bea, "for everybody")  # sent later over the same way, so what was sent before has arrived
    (conversation,) = eventually(lambda: ben.get("/api/v1/conversations"))
    assert plain(conversation["last_status"]["content"]).endswith("between us")
    assert [account["acct"] for account in conversation["accounts"]] == [ada.handle]
    assert bea.get("/api/v1/conversations") == []
    assert not [text for text in bea.texts() if "between us" in text]
    uri = conversation["last_status"]["uri"]
    assert bea.get("/api/v2/search", q=uri, type="statuses", resolve="true")["statuses"] == []


def test_a_group_lets_somebody_in_and_passes_posts_on(ada: Person, ben: Person, bea: Person) -> None:
    group = ada.department.group("makers", "request", owner=ada)
    id_ = ben.find(group)
    assert ben.post(f"/api/v1/accounts/{id_}/follow")["requested"]
    eventually(lambda: is_told(ada, "mention", "makers"))
    (asking,) = ada.get("/api/v1/follow_requests")
    assert asking["acct"] == ben.handle
    assert not ben.relationship(id_)["following"]
    ada.post(f"/api/v1/follow_requests/{asking['id']}/authorize")
    eventually(lambda: ben.relationship(id_)["following"])
    assert ada.get("/api/v1/follow_requests") == []

    ada.publish(f"@{group} Who has a saw?")
    (opened,) = eventually(lambda: in_list(ben, "Makers"))
    assert len([item for item in ben.home() if item["id"] == opened["id"]]) == 1, (
        "once, though ada and the group sent it"
    )
    ben.publish(f"@{ada.handle} @{group} I have two", in_reply_to_id=opened["id"])
    eventually(lambda: len(in_list(ada, "Makers")) == 2)
    assert [item["account"]["acct"] for item in in_list(ada, "Makers")] == [ben.handle, "ada"]
    assert is_told(ada, "mention", ben.handle)

    bea.post(f"/api/v1/accounts/{bea.find(group)}/follow")
    (asking,) = eventually(lambda: ada.get("/api/v1/follow_requests"))
    ada.post(f"/api/v1/follow_requests/{asking['id']}/reject")
    eventually(lambda: not bea.relationship(bea.find(group))["requested"])
    assert not bea.relationship(bea.find(group))["following"]


def test_a_partner_gets_what_is_for_partners(
    departments: dict[str, Department], ada: Person, ben: Person, tmp_path: Path
) -> None:
    supplier = Department(tmp_path, "supplier")
    sam = supplier.person("sam")
    introduce(departments["finance"], supplier, tier="partner")
    with running(supplier):
        sam.follow(ada.handle)
        own = [ada.publish(f"as far as {reach}", reach=reach) for reach in REACHES]
        for text in ("as far as partners", "as far as public"):
            at_home(sam, text)
        at_home(ben, "as far as company")
        assert [text for text in sam.texts() if text.startswith("as far as")] == [
            "as far as public",
            "as far as partners",
        ]
        assert "as far as department" not in ben.texts()
        for status in own[:2]:
            found = sam.get("/api/v2/search", q=status["uri"], type="statuses", resolve="true")
            assert found["statuses"] == [], "what was not sent cannot be fetched either"


def test_a_peer_is_added_while_both_run_one_side_at_a_time(
    departments: dict[str, Department], tmp_path_factory: pytest.TempPathFactory
) -> None:
    finance = departments["finance"]
    ada = finance.people[0]
    with company(tmp_path_factory.mktemp("third"), legal=("cleo",)) as made:
        legal = made["legal"]
        cleo = legal.people[0]
        assert not cleo.get("/api/v2/search", q=f"@{ada.handle}", resolve="true")["accounts"]
        introduce(legal, finance)
        cleo.follow(ada.handle)
        assert "ok back" in finance.command("peer", "test", legal.domain)

        finance.command("peer", "remove", legal.domain)
        legal.command("peer", "remove", finance.domain)
        finance.command("peer", "add", legal.domain)
        texts = [f"news {number}" for number in range(3)]
        for text in texts:
            ada.publish(text)
        eventually(lambda: "failing" in finance.peer(legal.domain)["State"])
        assert not set(texts) & set(cleo.texts())
        assert f"peer add {finance.domain}" in finance.command("peer", "test", legal.domain, codes=(2,))

        legal.command("peer", "add", finance.domain)
        cleo.publish("we let you in")  # any signed contact wakes what waits
        eventually(lambda: set(texts) <= set(cleo.texts()), 60)
        assert [text for text in cleo.texts() if text in texts] == texts[::-1]
        eventually(lambda: "failing" not in finance.peer(legal.domain)["State"])
