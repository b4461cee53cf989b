"""Learns what software a peer runs, and with it how groups speak to that peer and whether it can keep their secrets.

Asks NodeInfo: when a peer is added and, as long as it has not said what it is, when it is reached or heard (it may have
been added before it ran), once a day at most, and when somebody there wants to join a group. A server that never says
what it is stays unknown. What its actors say that it implements decides in which dialect it is spoken to.
Sources: NodeInfo 2.1, FEP-f1d5, FEP-844e; what each server reads: docs/groups.md.
"""

import logging
from typing import Any

import sqlalchemy as sa

from fedcorp.activitypub.client import REMEMBER_MS, Client
from fedcorp.activitypub.vocabulary import as_list
from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.errors import FedcorpError, Unavailable
from fedcorp.storage import jobs
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import peers as peers_table
from fedcorp.storage.tables import readings
from fedcorp.storage.upsert import upsert

RFC9421 = "https://datatracker.ietf.org/doc/html/rfc9421"
RFC9421_ED25519 = f"{RFC9421}#name-eddsa-using-curve-edwards25"

ASK_AGAIN_MS = 86_400_000

log = logging.getLogger(__name__)

WRAPPING = frozenset(
    {
        "lemmy", "piefed", "mbin", "kbin", "nodebb", "discourse", "mitra", "hubzilla", "streams", "forte", "friendica",
        "peertube", "lotide",
    }
)  # fmt: skip
"""Servers that read whole activities inside an Announce (FEP-1b12)."""
BOOSTING = frozenset(
    {
        "mastodon", "glitchcafe", "hometown", "gotosocial", "pleroma", "akkoma", "misskey", "sharkey", "iceshrimp",
        "firefish", "pixelfed", "wordpress", "hollo", "snac", "threads", "takahe", "microblogpub", "ktistec",
        "bookwyrm", "writefreely", "ghost",
    }
)  # fmt: skip
"""Servers that read an Announce as a boost of the object whose id it names."""
REPEATING = frozenset({"takahe", "peertube", "nodebb", "bookwyrm", "gancio"})
"""Servers that give what somebody does again after taking it back the id that it had before, or to a block one that a
follow has had (BookWyrm)."""
DEAF = frozenset({"nodebb"})
"""Servers that refuse what they sent themselves when it comes back inside an Announce, and do nothing with it."""
VOTING = frozenset({"lemmy", "piefed", "mbin", "kbin"})
"""Servers where people vote up or down, and thumbs down is a Dislike: PieFed takes every EmojiReact for a vote up."""
UNBEARABLE = {
    "bookwyrm": frozenset({"EmojiReact", "Remove"}),
    "gancio": frozenset(
        {"EmojiReact", "Undo Announce", "Update Person", "Update Service", "Update Group", "Update Question"}
    ),
}
"""Activities on which servers fail, or to which they never answer, however often they come: by their type, which stands
for their Undo as well, or by their type and that of their object."""

INDISCREET = frozenset({"peertube", "gancio"})
"""Servers that do not look at `to` and `cc`: an answer for a few is a comment there that everybody reads. So they get
none."""

ONE_AT_A_TIME = frozenset({"peertube"})
"""Servers that read a Flag which is about one thing alone, a post or an account, and has a list in `to`."""

SILENT = frozenset({"gancio"})
"""Servers that give no answer at all to much that they do not keep: what is left without one is set aside at once, when
they take something else meanwhile."""


def reads_one(tx: Tx, domain: str) -> bool:
    """Whether this peer is one of ONE_AT_A_TIME, as far as is known."""
    peer = peers.find(tx, domain)
    return peer is not None and peer.software in ONE_AT_A_TIME


def repeats(tx: Tx, domain: str) -> bool:
    """Whether this peer is one of REPEATING, as far as is known."""
    peer = peers.find(tx, domain)
    return peer is not None and peer.software in REPEATING


def hears_itself(tx: Tx, domain: str) -> bool:
    """Whether this peer takes its own activities back inside an Announce, as far as is known."""
    peer = peers.find(tx, domain)
    return peer is None or peer.software not in DEAF


def reads_keys_unsigned(tx: Tx, domain: str) -> bool:
    """Whether this is a peer that signs all that it asks for but keys (NodeBB). Decision: docs/decisions/0025."""
    peer = peers.find(tx, domain)
    return peer is not None and peers.find_tier(tx, domain) is not None and peer.software == "nodebb"


def shows_threads(tx: Tx, domain: str | None) -> bool:
    """Whether a boost by a group of this peer stands for the whole thread below what is boosted: so it is where groups
    pass on whole activities, and NodeBB takes it back when a topic was moved or deleted."""
    peer = peers.find(tx, domain) if domain is not None else None
    return peer is not None and peer.dialect == "wrap"


def dialect_of(software: str) -> str:
    """`fedcorp`, `wrap`, `boost`, or `both` for software that is not known here."""
    if software == "fedcorp":
        return "fedcorp"
    if software in WRAPPING:
        return "wrap"
    return "boost" if software in BOOSTING else "both"


class Discovery:
    """The job `learn_peer`: its payload names the domain."""

    def __init__(self, client: Client, db: Database) -> None:
        self._client = client
        self._db = db

    async def run(self, payload: dict[str, Any]) -> None:
        """Ask, and keep the answer. Raises Unavailable, so that it is tried again later."""
        domain = str(payload["domain"])
        try:
            software, version = await self._client.nodeinfo(f"{self._client.scheme_of(domain)}://{domain}")
        except Unavailable:
            raise
        except FedcorpError as error:
            log.info("%s does not say what it runs: %s", domain, type(error).__name__)
            return
        if software:
            await self._db.write(_keep, domain, software, version)


def _keep(tx: Tx, domain: str, software: str, version: str) -> None:
    known = peers.find(tx, domain)
    if known is None:
        return
    learned_before = known.dialect in (None, dialect_of(known.software or ""))
    dialect = dialect_of(software) if learned_before else known.dialect  # what an admin set stays
    values = {"software": software, "version": version, "dialect": dialect}
    tx.conn.execute(sa.update(peers_table).where(peers_table.c.domain == domain).values(**values))


_LEARN = (
    sa.update(peers_table)
    .where(peers_table.c.domain == sa.bindparam("name"), peers_table.c.removed_at.is_(None))
    .where(
        sa.or_(
            peers_table.c.signature_profile.is_(None),
            sa.and_(peers_table.c.signature_profile == "cavage", peers_table.c.learned_at < sa.bindparam("before")),
        )
    )
    .values(signature_profile=sa.bindparam("profile"), learned_at=sa.bindparam("now"))
)


def note_implements(tx: Tx, domain: str, doc: dict[str, Any]) -> None:
    """Keep that a peer takes RFC 9421, by the word of an actor (FEP-844e), unless experience says something already."""
    found = doc.get("generator")
    listed = as_list(found.get("implements") if isinstance(found, dict) else None) or as_list(doc.get("implements"))
    hrefs = {str(item.get("href") if isinstance(item, dict) else item) for item in listed[:50]}
    if RFC9421 not in hrefs and RFC9421_ED25519 not in hrefs:
        return
    profile = "9421-ed25519" if RFC9421_ED25519 in hrefs else "9421-rsa"
    values = {"name": domain, "profile": profile, "now": tx.ms, "before": tx.ms - REMEMBER_MS}
    tx.conn.execute(_LEARN, values)


def notice(tx: Tx, peer: Peer) -> None:
    """A peer was reached or has spoken: if nobody knows what it runs, it is asked, unless that was done of late."""
    if peer.software is not None or peer.tier not in peers.TIERS:
        return
    key = f"nodeinfo:{peer.domain}"
    asked_at = tx.conn.execute(_ASKED_AT, {"key": key}).scalar()
    if asked_at is None or asked_at <= tx.ms - ASK_AGAIN_MS:
        upsert(tx, readings, ("uri",), uri=key, read_at=tx.ms)
        want(tx, peer.domain)


_ASKED_AT = sa.select(readings.c.read_at).where(readings.c.uri == sa.bindparam("key"))


def want(tx: Tx, domain: str) -> None:
    """Ask soon, unless the peer has said what it runs."""
    peer = peers.find(tx, domain)
    if peer is not None and peer.software is None:
        jobs.put(tx, "learn_peer", {"domain": domain}, unique_key=f"learn_peer:{domain}")
