"""Documents in our words, however they are written: as they are where that is right, by a JSON-LD processor where not.

The processor (`processor`) runs in a process of its own: started when a document needs it, ended when none did for a
minute, killed when a document takes it too long, bounded in memory, replaced when it died. This is the only module of
the server that starts a process. It waits for answers: within a coroutine, hand `normalize` to `Clock.offload`. A
document that was compacted when it came in is remembered for when it is acted upon, within a unit.
"""

import atexit
import hashlib
import logging
import os
import queue
import select
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import orjson

from fedcorp.activitypub.documents import DEFAULT_LIMITS, Activity, JsonLimits, parse_json, read_activity
from fedcorp.activitypub.jsonld import check_compactable, is_plain, tidied
from fedcorp.errors import BadRequest, Unavailable

START_SECONDS = 30.0  # until the processor has read its code, on a machine that has much else to do
ANSWER_SECONDS = 3.0  # for one document; an ordinary one takes three milliseconds
IDLE_SECONDS = 60.0  # without a question, after which the processor ends
TURN_SECONDS = 10.0  # until those before us have their answers
MOST_BYTES = 256 * 2**20  # of address space, of which code and libraries are a fifth
REMEMBERED, MOST_REMEMBERED_BYTES = 32, 65_536
TOO_COSTLY = "The document takes too long or too much memory to be read as JSON-LD"
_FOLDER = Path(__file__).parent

log = logging.getLogger(__name__)


class TooCostly(BadRequest):
    """The processor had to be ended, or ended itself, over this document."""


class _Gone(Exception):
    """The process ended without an answer."""


class _Silent(Exception):
    """The process gave no answer in time."""


class Processor:
    """Answers documents one after the other, in a process that is there as long as it is needed. For any thread."""

    def __init__(
        self,
        program: Path = _FOLDER / "processor.py",
        *,
        answer_seconds: float = ANSWER_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._command = [sys.executable, "-P", str(program), str(idle_seconds), str(most_bytes)]
        self._answer_seconds = answer_seconds
        self._turn: queue.SimpleQueue[subprocess.Popen[bytes] | None] = queue.SimpleQueue()  # whose turn it is has it
        self._turn.put(None)

    def ask(self, question: bytes) -> bytes:
        """The compacted document, as JSON. Raises BadRequest when there is none, TooCostly, and Unavailable when no
        process can be had."""
        try:
            process = self._turn.get(timeout=TURN_SECONDS)
        except queue.Empty:
            raise Unavailable("The server is busy, try again.", "the JSON-LD processor is busy") from None
        try:
            if process is not None:
                try:
                    return _verdict(self._ask(process, question))
                except _Gone:  # it was idle for long, most likely
                    _end(process)
                    process = None
            process = self._start()
            return _verdict(self._ask(process, question))
        except (_Gone, _Silent) as error:
            if process is not None:
                _end(process)
                process = None
            raise TooCostly(TOO_COSTLY, type(error).__name__.strip("_").lower()) from None
        finally:
            self._turn.put(process)

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "PYTHONPATH": str(_FOLDER.parents[1])}
        try:
            process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=environment, bufsize=0, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise Unavailable("The server cannot read the document now.", str(error)) from error
        try:
            self._read_answer(process, START_SECONDS)
        except (_Gone, _Silent):
            _end(process)
            raise Unavailable("The server cannot read the document now.", "no JSON-LD processor") from None
        return process

    def _ask(self, process: "subprocess.Popen[bytes]", question: bytes) -> bytes:
        assert process.stdin is not None
        left = memoryview(len(question).to_bytes(4, "big") + question)
        try:
            while left:
                left = left[process.stdin.write(left) or 0 :]
        except OSError:
            raise _Gone from None
        return self._read_answer(process, self._answer_seconds)

    def _read_answer(self, process: "subprocess.Popen[bytes]", seconds: float) -> bytes:
        length = int.from_bytes(_read(process, 4, seconds), "big")
        return _read(process, length, seconds)

    def close(self) -> None:
        """End the process, if there is one; another is started when it is needed."""
        process = self._turn.get()
        if process is not None:
            _end(process)
        self._turn.put(None)


def _read(process: "subprocess.Popen[bytes]", count: int, seconds: float) -> bytes:
    """So many bytes. Raises _Gone, and _Silent when nothing comes for so long."""
    assert process.stdout is not None
    poll = select.poll()  # unlike select.select it takes the numbers that files of a busy server have
    poll.register(process.stdout, select.POLLIN)
    found = b""
    while len(found) < count:
        if not poll.poll(seconds * 1000):
            raise _Silent
        piece = process.stdout.read(count - len(found))
        if not piece:
            raise _Gone
        found += piece
    return found


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()


def _verdict(answer: bytes) -> bytes:
    if answer[:1] == b"-":
        raise BadRequest("The document is not JSON-LD that can be read here", answer[1:].decode())
    return answer[1:]


_PROCESSOR = Processor()
atexit.register(_PROCESSOR.close)
_remembered: OrderedDict[bytes, bytes] = OrderedDict()


def compact(doc: dict[str, Any], processor: Processor = _PROCESSOR) -> dict[str, Any]:
    """`doc` in the words of `vocabulary`, whatever words its own context uses, without its proofs. Waits for
    milliseconds to seconds.

    Raises BadRequest for unknown remote contexts, for more values, contexts, time or memory than it is worth, for
    @graph, @included, @reverse, @nest and @index, and for what is not JSON-LD.
    """
    question = orjson.dumps(check_compactable(doc))
    key = hashlib.sha256(question).digest()
    answer = _remembered.get(key)
    if answer is None:
        answer = processor.ask(question)
        if len(answer) <= MOST_REMEMBERED_BYTES:
            _remembered[key] = answer
        while len(_remembered) > REMEMBERED:
            _remembered.popitem(last=False)
    return tidied(orjson.loads(answer))


def normalize(doc: dict[str, Any]) -> dict[str, Any]:
    """`doc` in the words of `vocabulary`: itself when it is plain, compacted JSON-LD (slow, see `compact`) when not.

    What is compacted has lost its proofs, and is worth what its transport is. Read the result through the accessors of
    `vocabulary`. Raises BadRequest as `compact` does, Unavailable.
    """
    return doc if is_plain(doc) else compact(doc)


def parse_activity(body: bytes, limits: JsonLimits = DEFAULT_LIMITS) -> Activity:
    """The activity in `body`; BadRequest when it is none. Slow when the document is not plain (see `normalize`)."""
    return read_activity(normalize(parse_json(body, limits)), body)
