"""The JSON-LD processor beside the server gives what pyld gives, and whatever becomes of it, the next is answered."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from fedcorp.activitypub import processor as direct
from fedcorp.activitypub.compaction import Processor, TooCostly, compact
from fedcorp.activitypub.jsonld import _BUNDLED, check_compactable, known_context, tidied
from fedcorp.activitypub.vocabulary import AS
from fedcorp.errors import BadRequest, Unavailable
from tests.activitypub.test_jsonld import PEERS

pytestmark = pytest.mark.once

PREFIXED = {"@context": [AS, {"x": f"{AS}#"}], "type": "x:Like", "x:actor": "https://a.example/u", "x:object": AS}
ODD: dict[str, dict[str, Any]] = {
    **PEERS,
    "prefixed": PREFIXED,
    "no context": {"type": "Like", "actor": "https://a.example/u"},
    "numbers": {**PREFIXED, "x:latitude": 0.0, "x:height": 2**53, "x:width": -1.5e-7, "x:sensitive": True},
    "every letter": {**PREFIXED, "x:content": "\x7fé\u2028\U0001f600<b>"},
    "nothing": {},
}
# The processor, which does to itself what a document may do to it.
PROGRAM = """
import os, sys
from fedcorp.activitypub import processor
usual = processor.compact
def compact(doc):
    if doc["type"] == "Loop":
        while True:
            pass
    if doc["type"] == "Bomb":
        doc = {"type": "Like", "mediaType": str(len("x" * 400_000_000))}
    if doc["type"] == "Crash":
        os._exit(1)
    return usual(doc)
processor.compact = compact
processor.main(float(sys.argv[1]), int(sys.argv[2]))
"""


@pytest.fixture
def asked() -> Iterator[Processor]:
    made = Processor()
    yield made
    made.close()


def answer(processor: Processor, doc: dict[str, Any]) -> Any:
    return orjson.loads(processor.ask(orjson.dumps(doc)))


def running(processor: Processor) -> "subprocess.Popen[bytes] | None":
    process = processor._turn.get()
    processor._turn.put(process)
    return process


def test_the_answer_is_what_pyld_gives_here(asked: Processor) -> None:
    for name, doc in ODD.items():
        checked = check_compactable(doc)
        assert answer(asked, checked) == direct.compact(checked), name
        assert compact(doc, asked) == tidied(direct.compact(checked)), name
        assert compact(doc, asked) == compact(doc, asked), name
    assert compact(PREFIXED, asked)["actor"] == "https://a.example/u"


@pytest.mark.parametrize("context", ["https://evil.example/context", "http://127.0.0.1:9/", "file:///etc/passwd"])
def test_a_context_that_is_not_known_is_refused_and_not_fetched(asked: Processor, context: str) -> None:
    doc = {**PREFIXED, "@context": [AS, context, {"x": f"{AS}#"}]}
    with pytest.raises(BadRequest) as here:
        direct.compact(doc)
    with pytest.raises(BadRequest) as there:
        asked.ask(orjson.dumps(doc))
    assert (there.value.text, there.value.detail) == (here.value.text, here.value.detail)
    assert there.value.detail == "unknown-context"
    assert not isinstance(there.value, TooCostly)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Loop", "Bomb", "Crash"])
def test_whatever_a_document_does_it_is_refused_and_the_next_is_answered(tmp_path: Path, kind: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    made = Processor(tmp_path / "program.py", answer_seconds=2)
    try:
        for _ in range(2):
            before = answer(made, PREFIXED)
            first = running(made)
            with pytest.raises(TooCostly):
                made.ask(orjson.dumps({"type": kind}))
            assert first is not None
            assert first.poll() is not None, "it was ended"
            assert answer(made, PREFIXED) == before
    finally:
        made.close()


def test_a_word_that_no_context_defines_means_what_it_means_here() -> None:
    line = {"type": "PropertyValue", "name": "plays", "value": "chess"}
    answer = direct.compact({**PREFIXED, "type": "Person", "attachment": line})
    assert answer["attachment"] == line  # not `_:PropertyValue` with a `_:value`


def test_who_ended_meanwhile_is_replaced(asked: Processor) -> None:
    before = answer(asked, PREFIXED)
    process = running(asked)
    assert process is not None
    process.kill()
    process.wait()
    assert answer(asked, PREFIXED) == before
    assert running(asked) is not process


def test_nobody_asks_so_it_ends() -> None:
    made = Processor(idle_seconds=0.05)
    try:
        before = answer(made, PREFIXED)
        process = running(made)
        assert process is not None
        assert process.wait(60) == 0
        assert answer(made, PREFIXED) == before
    finally:
        made.close()


def test_it_ends_with_the_server() -> None:
    code = (
        "from fedcorp.activitypub import compaction; import os;"
        f"compaction.compact({PREFIXED!r}); print(compaction._PROCESSOR._turn.get().pid, flush=True); os._exit(9)"
    )
    made = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False, cwd=Path.cwd())
    pid = int(made.stdout)
    give_up = time.monotonic() + 60
    while Path(f"/proc/{pid}/cmdline").exists() and b"processor" in Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < give_up, "it outlives the server"
        time.sleep(0.05)


def test_without_a_processor_nothing_is_refused_for_good(tmp_path: Path) -> None:
    made = Processor(tmp_path / "is not there.py")
    with pytest.raises(Unavailable):
        made.ask(b"{}")
    made.close()


def test_contexts_of_pyld_are_all_known() -> None:
    from pyld.documentloader.frozen import BUNDLED_CONTEXTS  # noqa: PLC0415 - for this comparison only

    assert set(_BUNDLED) == set(BUNDLED_CONTEXTS)
    for url, path in BUNDLED_CONTEXTS.items():
        assert known_context(url) == orjson.loads(path.read_bytes())
