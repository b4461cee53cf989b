"""Two departments as real processes, with real sockets between them."""

import time
from collections.abc import Iterator

import pytest

from tests.live.harness import Department, Person, company, eventually, introduce


@pytest.fixture(scope="module")
def departments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Department]]:
    """Finance with ada, HR with ben; they know each other."""
    with company(tmp_path_factory.mktemp("two"), finance=("ada",), hr=("ben",)) as made:
        yield made


@pytest.fixture
def ada(departments: dict[str, Department]) -> Person:
    """Somebody in Finance."""
    return departments["finance"].people[0]


@pytest.fixture
def ben(departments: dict[str, Department]) -> Person:
    """Somebody in HR, who follows ada."""
    person = departments["hr"].people[0]
    person.follow("ada@" + departments["finance"].domain)
    return person


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

        finance.command("peer", "remove", legal.domain)
        legal.command("peer", "remove", finance.domain)
        finance.command("peer", "add", legal.domain)
        texts = [f"news {number}" for number in range(3)]
        for text in texts:
            ada.publish(text)
        eventually(lambda: "failing" in finance.peer(legal.domain)["State"])
        assert not set(texts) & set(cleo.texts())

        legal.command("peer", "add", finance.domain)
        cleo.publish("we let you in")  # any signed contact wakes what waits
        eventually(lambda: set(texts) <= set(cleo.texts()), 60)
        assert [text for text in cleo.texts() if text in texts] == texts[::-1]
        eventually(lambda: "failing" not in finance.peer(legal.domain)["State"])
