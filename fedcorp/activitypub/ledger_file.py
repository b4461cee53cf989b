"""The ledger of a group as one file that anybody can verify without a server: JSON, a line for each entry.

Writes what our copy holds, as it is, and verifies such files. The form is described in docs/ledger.md, after which
others write verifiers; a change of it needs a new VERSION.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from fedcorp.activitypub import ledger, ledger_copy
from fedcorp.activitypub.ledger import Chain, Flaw
from fedcorp.activitypub.ledger_copy import Outcome
from fedcorp.activitypub.ledger_keys import GroupKey, multikey
from fedcorp.activitypub.vocabulary import format_time
from fedcorp.clock import Clock
from fedcorp.errors import BadRequest, Unprocessable
from fedcorp.keys import load_public
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx

FORMAT, VERSION = "fedcorp-ledger", 1


@dataclass(frozen=True, slots=True)
class Title:
    """What the first line says: whose ledger it is, its first key as the exporter knows it, where the chain ended."""

    group_uri: str
    key_id: str
    key: str
    entries: int
    head: str


# -- writing ---------------------------------------------------------------------------------------------------------


def first_line(tx: Tx, group: Account) -> tuple[bytes, int]:
    """The first line of the file, and how many entries follow. Raises NotFound for a group that keeps no ledger."""
    key, head = ledger_copy.key_of(tx, group), ledger.head(tx, group.id)
    said = {
        "format": FORMAT, "version": VERSION, "group": group.uri, "handle": group.handle,
        "key": multikey(key),
        "exported": format_time(tx.clock.now()), "exporter": tx.site.urls.origin,
        "entries": head.seq, "head": head.digest,
    }  # fmt: skip
    return orjson.dumps(said) + b"\n", head.seq


def lines(tx: Tx, group: Account, after: int, upto: int) -> tuple[bytes, int]:
    """Lines of the entries behind the number `after`, not beyond `upto`, and the number of the last of them.

    There is nothing and 0 when there are no more. Raises Unprocessable for an entry that is no JSON.
    """
    found, last = [], 0
    for row in ledger_copy.page(tx, group.id, after, upto):
        document, body = ledger_copy.load(row.entry), ledger_copy.load(row.body) if row.body is not None else None
        if document is None or (row.body is not None and body is None):
            cure = f"`fedcorp group verify {group.acct}` says more"
            raise Unprocessable(f"entry {row.seq} of our copy is no JSON; {cure}.")
        found.append(orjson.dumps({"entry": document} if body is None else {"entry": document, "body": body}) + b"\n")
        last = row.seq
    return b"".join(found), last


# -- verifying -------------------------------------------------------------------------------------------------------


def verify(found: Iterable[bytes], clock: Clock, trusted: str | None = None) -> tuple[Title, Outcome]:
    """Look at a file, line by line. `trusted` is the key (Multikey) that must have signed: the first one or a later one
    that has signed an entry, and with it all that stands before. Without it, the first is that of the file.

    Raises BadRequest for what is no such file.
    """
    remaining = iter(found)
    title = _title(next(remaining, b""))
    chain = Chain(GroupKey(title.group_uri, title.key_id, title.key, clock.now()))
    flaw = _flaw(remaining, chain) or _end_flaw(title, chain)
    if trusted is not None and trusted not in (key.text for key in chain.keys):
        wrong = f"entry 1: the file names the key {title.key}, and none that you trust has signed"
        return title, Outcome(0, "", wrong)
    return title, Outcome(chain.count, chain.digest, f"entry {flaw.seq}: {flaw.text}" if flaw is not None else None)


def check_key(text: str) -> str:
    """Raises BadRequest unless the text is an Ed25519 key as Multikey (`z6Mk...`), which is what signs ledgers."""
    if not text.startswith("z6Mk"):
        raise BadRequest(f"{text} is no Ed25519 key; give its publicKeyMultibase, which begins with z6Mk.")
    load_public(text)
    return text


def _title(line: bytes) -> Title:
    said = _object(line)
    if said is None or said.get("format") != FORMAT:
        raise BadRequest("this is no exported ledger; `fedcorp group export` makes one.")
    if said.get("version") != VERSION:
        raise BadRequest(
            f"the file is of version {said.get('version')}, this program knows {VERSION}; use a newer one."
        )
    key = said.get("key")
    key = key if isinstance(key, dict) else {}
    texts = said.get("group"), key.get("id"), key.get("publicKeyMultibase"), said.get("head")
    entries = said.get("entries")
    if not all(isinstance(text, str) for text in texts) or type(entries) is not int:
        raise BadRequest("the first line of the file lacks group, key, entries or head; export it again.")
    group_uri, key_id, multibase, head = (str(text) for text in texts)
    return Title(group_uri, key_id, check_key(multibase), entries, head)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _flaw(found: Iterator[bytes], chain: Chain) -> Flaw | None:
    for line in found:
        item = _object(line)
        if item is None:
            if not line.strip() and not any(rest.strip() for rest in found):
                return None  # blank lines at the end
            return Flaw(chain.count + 1, "its line is no JSON object")
        flaw = chain.add(item.get("entry"), item.get("body"))
        if flaw is not None:
            return flaw
    return None


def _end_flaw(title: Title, chain: Chain) -> Flaw | None:
    if chain.count < title.entries:
        text = f"it is missing with all that follow; the file was made of {title.entries} entries"
        return Flaw(chain.count + 1, text)
    if chain.count > title.entries:
        return Flaw(title.entries + 1, f"the file was made of {title.entries} entries, and this is one more")
    if chain.digest != title.head:
        return Flaw(chain.count, "the first line of the file names another head")
    return None
