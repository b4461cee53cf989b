"""What is known of an activity while it is acted upon: who brought it, what was fetched for it, what could not be had.

Handlers run inside a unit of the database and never fetch. Where they need something that is not here they raise
`Missing`; whoever runs them fetches it outside the unit and runs them again with the same `Intake`.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fedcorp.social.accounts import Account

Kind = Literal["actor", "fresh actor", "status", "document", "collection", "key"]


class Missing(Exception):
    """Something must be fetched first: an actor (or what it says now), a status (with author and parents), a bare
    document, a collection or a key.
    """

    def __init__(self, uri: str, kind: Kind) -> None:
        super().__init__(f"{kind} {uri}")
        self.uri = uri
        self.kind: Kind = kind


class Deferred(Exception):
    """What is needed cannot be had now; the activity is tried again later."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} cannot be reached")
        self.uri = uri


@dataclass(slots=True)
class Intake:
    """One activity under way. `domain` is the peer that delivered it; `tier` that of the actor's own server.

    `documents` holds what was read at its own address, `collections` what was said at an address, whatever id it names,
    `stored` maps URIs that were fetched to those they were stored under, `unreachable` what could not be fetched now,
    `refused` what never will be, `gone` what of that is not there.
    """

    domain: str
    tier: str
    forwarded: bool = False
    announced_by: int | None = None  # the group that passes it on
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: dict[str, str] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    sender: Account | None = field(default=None, init=False)  # once `parties.sender` has found it, until the next try

    def want(self, uri: str, kind: Kind) -> None:
        """Ask once for something that is welcome but not needed. Raises Missing the first time."""
        if uri not in self.unreachable and uri not in self.refused:
            raise Missing(uri, kind)

    def require(self, uri: str, kind: Kind) -> None:
        """Ask for what is needed. Raises Missing, then Deferred while it is unreachable; returns when it is refused."""
        if uri in self.unreachable:
            raise Deferred(uri)
        self.want(uri, kind)

    def within(self, tier: str, announced_by: int) -> "Intake":
        """The same for an activity that stands inside this one, of an actor whose server has `tier`."""
        return replace(self, tier=tier, forwarded=True, announced_by=announced_by)
