"""A department is down: what is meant for it waits, is seen to wait, and arrives in order."""

import json
from pathlib import Path

from tests.live.harness import company, eventually

POSTS = 30


def test_what_waits_for_a_department_that_is_down_arrives_in_order(tmp_path: Path) -> None:
    with company(tmp_path, finance=("ada",), hr=("ben",)) as departments:
        finance, hr = departments["finance"], departments["hr"]
        (ada,), (ben,) = finance.people, hr.people
        ben.follow(ada.handle)
        ada.publish("before")
        eventually(lambda: "before" in ben.texts())

        hr.stop()
        texts = [f"while you were away {number:02}" for number in range(POSTS)]
        for text in texts:
            ada.publish(text)
        eventually(lambda: int(finance.peer(hr.domain)["Queued"]) >= POSTS)
        eventually(lambda: "failing" in finance.peer(hr.domain)["State"])
        findings = json.loads(finance.command("doctor", "--json", codes=(1, 2)))
        assert any(item["name"] == "peer-unreachable" and hr.domain in item["text"] for item in findings), findings
        assert ada.texts()[0] == texts[-1], "the department that is up goes on as usual"

        hr.start()
        eventually(lambda: texts[-1] in ben.texts(), 60)
        assert ben.texts() == [*texts[::-1], "before"]
        eventually(lambda: finance.peer(hr.domain)["Queued"] == "0")
        findings = json.loads(finance.command("doctor", "--json", codes=(0, 1)))
        assert not [item for item in findings if "peer" in item["name"]]
