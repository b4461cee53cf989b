"""The servers of others as administrators of the department see and change them from their apps.

What a tier gives, and what barring means, is said in `fedcorp.company.peers`; here are pages, and domains as people
write them.
"""

from typing import Any

from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.errors import Unprocessable
from fedcorp.social.accounts import Account
from fedcorp.social.blocks import check_domain
from fedcorp.social.pages import Listing, Page
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import peers as table

DEFAULT_TIER = "partner"
"""Of a server that is let in without a word on its tier: what gives the least."""
_LET_IN, _BARRED = (Listing(statement, table.c.id) for statement in (peers.LET_IN, peers.BARRED))


def let_in(tx: Tx, page: Page) -> list[Peer]:
    """The peers that somebody let in, latest first."""
    return _LET_IN.rows(tx, page, peers.make)


def barred(tx: Tx, page: Page) -> list[Peer]:
    """The servers that are barred, latest first."""
    return _BARRED.rows(tx, page, peers.make)


def admit(tx: Tx, admin: Account, text: str, tier: str | None) -> Peer:
    """Let a server in, whether it was barred before or not. A peer stays as it is unless a `tier` is said.

    Raises Unprocessable.
    """
    domain = _domain_of_another(tx, text)
    known = peers.find(tx, domain)
    if known is not None and known.tier in peers.TIERS and tier in (None, known.tier):
        return known
    return peers.add(tx, domain, tier or DEFAULT_TIER, by=admin.uri)


def bar(tx: Tx, admin: Account, text: str, comments: dict[str, Any]) -> Peer:
    """Bar a server, whether it is known or not. Raises Unprocessable."""
    domain = _domain_of_another(tx, text)
    check_comments(comments)
    return peers.bar(tx, domain, comments, by=admin.uri)


def find_barred(tx: Tx, text: str) -> Peer | None:
    """The server of this domain, when it is barred. Raises Unprocessable."""
    return peers.find_barred(tx, check_domain(text))


def check_comments(comments: dict[str, Any]) -> None:
    """Raises Unprocessable for a comment that is too long."""
    for name in ("private_comment", "public_comment"):
        if len(comments.get(name, "")) > peers.MAX_COMMENT:
            label = name.replace("_", " ").capitalize()
            raise Unprocessable(f"Validation failed: {label} is too long (maximum is {peers.MAX_COMMENT} characters)")


def _domain_of_another(tx: Tx, text: str) -> str:
    domain = check_domain(text)
    if domain == tx.site.urls.domain:
        raise Unprocessable("This is the domain of this department itself.")
    return domain
