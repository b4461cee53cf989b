"""What the edge is given by `fedcorp.app`: one value, kept as `request.app.state.context`. It makes nothing."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection

from fedcorp.clock import Clock
from fedcorp.config import Config
from fedcorp.storage.database import Database
from fedcorp.storage.media import MediaFiles
from fedcorp.web.entities.cache import Rendered


class Resolver(Protocol):
    """Finds accounts and statuses of other servers by handle or URL, fetching them when they are not known here."""

    async def account(self, handle_or_url: str, *, viewer_id: int | None) -> int | None:
        """The id of the account, or None. May take seconds; raises only errors that are meant."""

    async def status(self, url: str, *, viewer_id: int | None) -> int | None:
        """The id of the status, or None. Visibility is still for the caller to check."""


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of one instance that handlers use."""

    config: Config
    db: Database
    clock: Clock
    files: MediaFiles
    resolve: Resolver
    rendered: Rendered


def of(connection: HTTPConnection) -> Context:
    """The context of the instance that was asked."""
    context: Context = connection.app.state.context
    return context
