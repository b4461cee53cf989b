"""The JSON-LD processor: pyld, and the loop of the process that it runs in. Nothing else of fedcorp imports this.

pyld costs milliseconds and 30 MiB, and what it is given was written by strangers, so `compaction` runs this file beside
the server: it answers one question after the other and ends when nobody asked for a while, or the server is gone. Its
memory is bounded by the system. It never fetches: contexts are those that `jsonld` knows.

A question is four bytes of length and a document as JSON; an answer the same, with a first byte that says whether it
is a document (+) or why there is none (-). The first answer comes unasked: ready.
"""

import json
import os
import select
import sys
from collections.abc import Iterator
from typing import Any

from pyld import jsonld

from fedcorp.activitypub.jsonld import OURS, known_context
from fedcorp.errors import BadRequest

if sys.platform != "win32":
    import resource

NOT_READABLE = "The document is not JSON-LD that can be read here"
_FAILURES = (jsonld.JsonLdError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)


def _load(url: str, _options: Any) -> dict[str, Any]:
    document = known_context(url)
    if document is None:
        raise jsonld.JsonLdError("unknown context", "jsonld.LoadDocumentError", {"url": url}, "loading document failed")
    return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document}


def compact(doc: dict[str, Any]) -> Any:
    """`doc` compacted to our contexts, as pyld gives it. Raises BadRequest for unknown remote contexts and for what is
    not JSON-LD.

    A word that no context of the document defines means what it means to us, as in plain reading: Takahe writes the
    fields of profiles in words that its context leaves out.
    """
    options = {"documentLoader": _load, "compactArrays": True, "expandContext": OURS}
    try:
        return jsonld.compact(doc, {"@context": OURS}, options)
    except _FAILURES as error:
        raise BadRequest(NOT_READABLE, _reason(error)) from error


def _reason(error: Exception) -> str:
    """Why pyld gave up; its errors nest, and the first cause is the one that tells."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return "unknown-context" if "loading" in str(getattr(cause, "code", "")) else str(cause)[:500]


def undefined_terms(doc: dict[str, Any]) -> list[str]:
    """The keys and types of `doc` that its contexts leave undefined, sorted; BadRequest when it does not expand."""
    try:
        expanded = jsonld.expand(doc, {"documentLoader": _load})
    except _FAILURES as error:
        raise BadRequest(NOT_READABLE, _reason(error)) from error
    return sorted(set(_blank_words(expanded)))


def _blank_words(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _blank_words(item)
    elif isinstance(value, dict):
        kinds = value.get("@type", [])
        yield from (kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind.startswith("_:"))
        for key, item in value.items():
            if key.startswith("_:"):
                yield key
            yield from _blank_words(item)


# -- the process -----------------------------------------------------------------------------------------------------


def _read(count: int, idle_seconds: float) -> bytes:
    """So many bytes of a question; fewer when the server is gone or asks nothing for so long."""
    found = b""
    while len(found) < count:
        if not select.select([0], [], [], idle_seconds)[0]:
            break
        piece = os.read(0, count - len(found))
        if not piece:
            break
        found += piece
    return found


def _answer(kind: bytes, payload: bytes) -> None:
    answer = len(payload + kind).to_bytes(4, "big") + kind + payload
    while answer:
        answer = answer[os.write(1, answer) :]


def main(idle_seconds: float, most_bytes: int) -> None:
    """Answer until nobody asks any more."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    _answer(b"+", b"")
    while len(head := _read(4, idle_seconds)) == 4:
        try:
            _answer(b"+", json.dumps(compact(json.loads(_read(int.from_bytes(head, "big"), idle_seconds)))).encode())
        except BadRequest as error:
            _answer(b"-", error.detail.encode())


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
