"""The ledger of a group whose server a test drives by hand."""

from typing import Any

from fedcorp.activitypub import ledger
from fedcorp.activitypub.proofs import add_proof
from fedcorp.activitypub.vocabulary import ENTRY_CONTEXT
from fedcorp.canonical import digest_of
from fedcorp.keys import load_private
from tests.federation.world import Outsider, pair


class Chronicle:
    """A ledger that a test writes for a group of its server, right or wrong as it pleases."""

    def __init__(self, server: Outsider, group: str, epoch: str = "1") -> None:
        self.server, self.group, self.epoch = server, group, epoch
        self.entries: list[dict[str, Any]] = []
        self.inner: list[dict[str, Any]] = []

    def member(self, subject: str, role: str = "member", kind: str = "Add") -> dict[str, Any]:
        """The decision that somebody has a role, by the group."""
        relation = {
            "type": "Relationship", "attributedTo": self.group, "subject": subject, "object": self.group,
            "relationship": role, "startTime": "2026-11-01T10:00:00Z",
        }  # fmt: skip
        target = f"{self.group}/affiliations"
        return self.server.activity(kind, self.group, relation, target=target, to=[self.group + "/followers"])

    def entry(
        self, inner: dict[str, Any], *, key: int | None = None, key_id: str | None = None, **wrong: Any
    ) -> dict[str, Any]:
        """The next entry, for an activity; `wrong` replaces what it says, `key` is another pair to sign with."""
        last = ledger.read(self.entries[-1]) if self.entries else None
        seq = len(self.entries) + 1
        document = {
            "@context": ENTRY_CONTEXT, "id": f"{self.group}/ledger/{seq}", "type": "Entry",
            "attributedTo": self.group, "epoch": self.epoch, "seq": seq, "prevDigest": last.digest if last else "",
            "published": "2026-11-01T10:00:00.000Z", "object": inner["id"], "objectType": inner["type"],
            "objectActor": inner["actor"], "digestMultibase": digest_of(inner),
        } | wrong  # fmt: skip
        keys = self.server.pair if key is None else pair(key)
        return add_proof(
            document, key_id=key_id or self.group + "#ed25519-key", private=load_private(keys.ed25519_private),
            created=self.server.company.clock.now(),
        )  # fmt: skip

    def write(self, inner: dict[str, Any]) -> dict[str, Any]:
        """The Announce of the next entry, which is right."""
        self.entries.append(self.entry(inner))
        self.inner.append(inner)
        return self.announce(inner, self.entries[-1])

    def announce(self, inner: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
        return self.server.activity("Announce", self.group, inner, entry=entry, audience=self.group)

    def publish(self, after: int, most: int = ledger.PAGE) -> None:
        """Serve what stands behind the number `after`, or the first `most` of it."""
        address = f"{self.group}/ledger?after={after}"
        told = slice(after, after + most)
        items = [
            {"type": "Delivery", "entry": entry, "body": inner}
            for entry, inner in zip(self.entries[told], self.inner[told], strict=True)
        ]
        self.server.documents[address] = {
            "@context": "https://www.w3.org/ns/activitystreams", "id": address, "type": "OrderedCollection",
            "totalItems": len(self.entries), "orderedItems": items,
        }  # fmt: skip
