"""What the edge is given by `fedcorp.app`: one value, kept as `request.app.state.context`. It makes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection

from fedcorp.clock import Clock
from fedcorp.config import Config
from fedcorp.social.accounts import Account
from fedcorp.social.invitations import Invitation
from fedcorp.social.memberships import JoinRequest
from fedcorp.social.stewardship import Report
from fedcorp.social.studio import Studio
from fedcorp.storage.database import Database
from fedcorp.storage.media import MediaFiles
from fedcorp.web.entities.cache import Rendered


class Resolver(Protocol):
    """Finds accounts and statuses of other servers by handle or URL, fetching them when they are not known here."""

    async def account(self, handle_or_url: str, *, viewer_id: int | None) -> int | None:
        """The id of the account, or None. May take seconds; raises only errors that are meant."""

    async def status(self, url: str, *, viewer_id: int | None) -> int | None:
        """The id of the status, or None. Visibility is still for the caller to check."""


class Desk(Protocol):
    """Asks the server of a group elsewhere what waits there for a moderator who lives here.

    Every method raises NotFound when that server does not take them for one, Unavailable when it cannot be asked.
    """

    async def requests(self, group: Account, viewer_id: int) -> list[JoinRequest]:
        """Who waits to be let in."""

    async def invitations(self, group: Account, viewer_id: int) -> list[Invitation]:
        """Invitations that still hold."""

    async def held(self, group: Account, viewer_id: int) -> list[int]:
        """Ids of posts that wait for a moderator."""

    async def reports(self, group: Account, viewer_id: int) -> list[Report]:
        """Reports that nobody has dealt with."""

    async def meet(self, group: Account) -> None:
        """Learn who some of its members are that nobody here has met."""


class Translator(Protocol):
    """Asks the company's translation service, where there is one."""

    async def languages(self) -> dict[str, list[str]]:
        """Into what each language can be translated; `und` is any. Empty where nothing is translated.

        Raises Unavailable when the service cannot be asked.
        """

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> tuple[list[str], str]:
        """HTML in the other language, in this order, and the language it was in. Raises NotFound, Unavailable."""


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of one instance that handlers use."""

    config: Config
    db: Database
    clock: Clock
    files: MediaFiles
    resolve: Resolver
    desk: Desk
    rendered: Rendered
    studio: Studio
    translator: Translator


def of(connection: HTTPConnection) -> Context:
    """The context of the instance that was asked."""
    context: Context = connection.app.state.context
    return context
