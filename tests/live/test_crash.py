"""`kill -9` in the middle of federation: what was answered with success is on every side exactly once, in order.

Writers post as fast as they can in both departments while processes of one are killed at random moments and started
again. A post whose answer was cut off is sent again with its idempotency key, as apps do.
"""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.federation.world import plain
from tests.live.harness import Department, Person, eventually, introduce, running

KILLS = 4
MOST_POSTS = 300  # of one writer
SETTLE_SECONDS = 60.0


class Writer:
    """Posts numbered texts for one person, one after the other; `accepted` are the answers."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.accepted: list[Any] = []
        self.again = 0

    def run(self, enough: threading.Event) -> None:
        """Post until it is enough."""
        while not enough.is_set() and len(self.accepted) < MOST_POSTS:
            self.accepted.append(self._post(f"{self.person.name} {len(self.accepted):04}"))

    def _post(self, text: str) -> Any:
        while True:
            try:
                answer = self.person.http.post(
                    "/api/v1/statuses", json={"status": text}, headers={"Idempotency-Key": text}, timeout=10
                )
            except httpx.TransportError:
                self.again += 1
                time.sleep(0.02)
                continue
            assert answer.status_code == 200, (answer.status_code, answer.text)
            return answer.json()

    @property
    def texts(self) -> list[str]:
        """The words of what was accepted, oldest first."""
        return [plain(status["content"]) for status in self.accepted]


@pytest.mark.parametrize("split", [False, True], ids=["serve and its companion", "serve and work apart"])
def test_what_was_accepted_is_everywhere_exactly_once(tmp_path: Path, split: bool) -> None:
    finance, hr = Department(tmp_path, "finance"), Department(tmp_path, "hr", split=split)
    introduce(finance, hr)
    people = [finance.person("ada"), finance.person("abe"), hr.person("ben"), hr.person("bea")]
    with running(finance, hr):
        followed = {person: list(_follow_the_others(person, people)) for person in people}
        writers = [Writer(person) for person in people]
        _write_while_killing(writers, hr)

        again = sum(writer.again for writer in writers)
        print(f"{sum(len(writer.accepted) for writer in writers)} posts accepted, {again} sent again")
        assert again, "no request was ever cut off, so nothing was tried here"
        _wait_until_settled(finance, hr)
        for reader in people:
            _check_home(reader, writers)
            _check_profiles(reader, writers)
        for person, ids in followed.items():
            assert all(person.relationship(id_)["following"] for id_ in ids)
            me = person.get("/api/v1/accounts/verify_credentials")
            assert (me["followers_count"], me["following_count"]) == (3, 3)
        finance.stop()
        hr.stop()
        assert (finance.quick_check(), hr.quick_check()) == ("ok", "ok")


def _follow_the_others(person: Person, people: list[Person]) -> Iterator[str]:
    for other in people:
        if other is not person:
            yield person.follow(other.handle)


def _write_while_killing(writers: list[Writer], victim: Department) -> None:
    enough = threading.Event()
    with ThreadPoolExecutor(len(writers)) as pool:
        running_writers: list[Future[None]] = [pool.submit(writer.run, enough) for writer in writers]
        try:
            for number in range(KILLS):
                time.sleep(random.uniform(0.3, 1.5))
                if number == KILLS - 1 and len(victim.processes) == 1:
                    victim.companion().kill()
                else:
                    victim.kill_one(number % len(victim.processes))
                time.sleep(random.uniform(0, 0.3))
                victim.revive()
            time.sleep(0.5)
        finally:
            enough.set()
    for future in running_writers:
        future.result()


def _wait_until_settled(*departments: Department) -> None:
    """Until nothing waits for a peer anywhere and nobody is behind with its inbox."""

    def queued() -> list[str]:
        return [
            f"{one.name} has {queued} for {other.name}"
            for one in departments
            for other in departments
            if one is not other and (queued := one.peer(other.domain)["Queued"]) != "0"
        ]

    eventually(lambda: not queued(), SETTLE_SECONDS)


def _check_home(reader: Person, writers: list[Writer]) -> None:
    """Everything of everybody, once, with what each wrote in the order in which they wrote it."""
    expected = {text for writer in writers for text in writer.texts}
    home = eventually(lambda: _complete(reader.everything("/api/v1/timelines/home"), expected), SETTLE_SECONDS)
    ids = [int(status["id"]) for status in home]
    assert ids == sorted(set(ids), reverse=True)
    texts = [plain(status["content"]) for status in home]
    assert len(texts) == len(set(texts)) == len(expected), "nothing twice, and nothing that nobody wrote"
    for writer in writers:
        mine = [text for text in reversed(texts) if text.startswith(writer.person.name)]
        assert mine == writer.texts, f"{reader.name} does not read {writer.person.name} in order"


def _complete(found: list[Any], expected: set[str]) -> list[Any]:
    return found if expected <= {plain(status["content"]) for status in found} else []


def _check_profiles(reader: Person, writers: list[Writer]) -> None:
    """The author's own list of statuses agrees with what was accepted, on this side too."""
    for writer in writers:
        id_ = reader.find(writer.person.handle)
        found = reader.everything(f"/api/v1/accounts/{id_}/statuses")
        assert [status["uri"] for status in reversed(found)] == [status["uri"] for status in writer.accepted]
