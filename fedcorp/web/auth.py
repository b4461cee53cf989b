"""Who asks: the bearer token of a request, what it allows, and the sentences for those it does not let in.

Passwords and the granting of tokens are the work of `fedcorp.web.oauth`.
"""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from fedcorp.errors import Forbidden, Unauthorized
from fedcorp.social import applications, moderation
from fedcorp.storage.database import Tx

INVALID = "The access token is invalid"
OUT_OF_SCOPE = "This action is outside the authorized scopes"
NEEDS_PERSON = "This method requires an authenticated user"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person with a token, an application without a person, or (all None) somebody unknown."""

    account_id: int | None = None
    application_id: int | None = None
    scopes: frozenset[str] = frozenset()
    token_id: int | None = None
    role: str | None = None

    @property
    def id(self) -> int:
        """The account of the person. Raises Unauthorized when there is none."""
        if self.account_id is None:
            raise Unauthorized(NEEDS_PERSON)
        return self.account_id


NOBODY = Viewer()


def bearer(connection: HTTPConnection) -> str | None:
    """The token in the header, else in the query."""
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    return connection.query_params.get("access_token")


def find_viewer(tx: Tx, token: str | None) -> Viewer:
    """Whom a token speaks for; NOBODY without one. Raises Unauthorized for a wrong one."""
    if token is None:
        return NOBODY
    found = applications.find_token(tx, token)
    if found is None:
        raise Unauthorized(INVALID)
    return Viewer(found.account_id, found.application_id, found.scopes, found.id, found.role)


def check(viewer: Viewer, *, scope: str | None, anonymous: bool = False, app: bool = False, role: str = "") -> None:
    """Raises Unauthorized or Forbidden unless the viewer may use a route of this `scope`."""
    if viewer.token_id is None:
        if scope is not None and not anonymous:
            raise Unauthorized(INVALID)
        return
    if scope and not applications.allows(viewer.scopes, *scope.split()):
        raise Forbidden(OUT_OF_SCOPE)
    if scope is not None and viewer.account_id is None and not (app or anonymous):
        raise Unauthorized(NEEDS_PERSON)
    if role:
        moderation.check(viewer.role, least=role)
