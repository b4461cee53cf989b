"""Who may act for whom: OAuth applications, codes and tokens (RFC 6749, 7009, 7636), and the sessions of browsers.

Tokens, codes and secrets are kept as SHA-256 digests only. Passwords are another room's; so is every HTTP answer.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache

import orjson
import sqlalchemy as sa

from fedcorp.errors import Unprocessable
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import (
    access_tokens,
    accounts,
    applications,
    authorization_codes,
    push_subscriptions,
    refresh_tokens,
    sessions,
    streams,
    users,
)
from fedcorp.storage.upsert import insert_ignore

CODE_MS = 10 * 60_000
SESSION_MS = 14 * 86_400_000
REPLAY_MS = 90 * 86_400_000
"""How long a refresh token that was used is remembered, so that its theft is noticed."""
MAX_REDIRECT_URIS, MAX_URI = 20, 2000
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
"""The redirect URI of clients that cannot be redirected to: people copy the code."""

_READ = (
    "accounts blocks bookmarks collections favourites filters follows groups lists mutes notifications search statuses"
)
_WRITE = (
    "accounts blocks bookmarks collections conversations favourites filters follows groups lists media mutes "
    "notifications reports statuses"
)
_ADMIN = "accounts reports domain_allows domain_blocks ip_blocks email_domain_blocks canonical_email_blocks"
SCOPES = frozenset(
    {"read", "write", "follow", "push", "profile", "admin:read", "admin:write"}
    | {f"read:{part}" for part in _READ.split()}
    | {f"write:{part}" for part in _WRITE.split()}
    | {f"admin:{way}:{part}" for way in ("read", "write") for part in _ADMIN.split()}
)
_COMMAND_LINE = "command-line"
_WEBSITE = re.compile(r"https?://[^\s/]+(/\S*)?", re.IGNORECASE)  # apps make a link of it, under every post
_EVERYTHING = "read write follow push profile admin:read admin:write"
_FOLLOW = frozenset(f"{way}:{part}" for way in ("read", "write") for part in ("follows", "blocks", "mutes"))


@dataclass(frozen=True, slots=True)
class Application:
    """A client program. `scopes` is the most that its tokens may have."""

    id: int
    name: str
    website: str | None
    redirect_uris: tuple[str, ...]
    scopes: str
    client_id: str
    secret_hash: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Token:
    """A token that holds. `account_id` and `role` are None when it speaks for the application alone."""

    id: int
    account_id: int | None
    application_id: int
    scopes: frozenset[str]
    role: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a grant gives: the token to act with, and the one that gets the next pair (none for an app itself)."""

    access: str
    refresh: str | None


def check_scopes(text: str, within: str | None = None) -> str:
    """The scopes in `text`, each once; `read` when there are none. Raises Unprocessable for one not in `within`."""
    asked = tuple(dict.fromkeys(text.split())) or ("read",)
    allowed = None if within is None else _parsed(within)
    if not SCOPES.issuperset(asked) or (allowed is not None and not all(allows(allowed, scope) for scope in asked)):
        raise Unprocessable("The requested scope is invalid, unknown, or malformed.")
    return " ".join(asked)


def allows(scopes: Iterable[str], *needed: str) -> bool:
    """Whether `scopes` give one of `needed`: a scope gives its parts, `follow` those that came of it."""
    held = frozenset(scopes)
    return any(
        need in held or need.rpartition(":")[0] in held or ("follow" in held and need in _FOLLOW) for need in needed
    )


@lru_cache(maxsize=500)
def _parsed(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


# -- applications ----------------------------------------------------------------------------------------------------

_APPLICATION = sa.select(*(applications.c[item.name] for item in fields(Application)))
_BY_CLIENT_ID = _APPLICATION.where(applications.c.client_id == sa.bindparam("client_id"))
_BY_ID = _APPLICATION.where(applications.c.id == sa.bindparam("id"))


def create_application(
    tx: Tx, *, name: str, redirect_uris: Iterable[str], scopes: str = "", website: str | None = None
) -> tuple[Application, str]:
    """Register a client; returns it with its secret, which is not kept. Raises Unprocessable."""
    uris = tuple(dict.fromkeys(uri.strip() for uri in redirect_uris))
    name = name.strip()
    if not name or len(name) > 60:
        raise Unprocessable("Validation failed: Application name has 1 to 60 characters")
    if not 1 <= len(uris) <= MAX_REDIRECT_URIS or any(not _is_redirect_uri(uri) for uri in uris):
        raise Unprocessable("Validation failed: Redirect URI must be an absolute URI.")
    if website and not (len(website) <= MAX_URI and _WEBSITE.fullmatch(website)):
        raise Unprocessable("Validation failed: Website is not a valid URL")
    secret = tx.clock.token(32)
    application = Application(
        tx.new_id(), name, website or None, uris, check_scopes(scopes), tx.clock.token(32), _digest(secret).hex(), tx.ms
    )
    _insert(tx, application)
    return application, secret


def _insert(tx: Tx, application: Application) -> None:
    values = {item.name: getattr(application, item.name) for item in fields(Application)}
    insert_ignore(tx, applications, **values | {"redirect_uris": orjson.dumps(application.redirect_uris).decode()})


def _is_redirect_uri(uri: str) -> bool:
    """Any scheme of an app will do, but nothing that a browser would run."""
    scheme, colon, rest = uri.partition(":")
    plain = scheme.replace("+", "").replace("-", "").replace(".", "").isalnum() and uri.isascii() and " " not in uri
    return bool(colon and rest and plain and "#" not in uri and len(uri) <= MAX_URI) and scheme.lower() not in (
        "javascript",
        "vbscript",
        "data",
        "about",
        "mailto",
    )


def find_application(tx: Tx, client_id: str) -> Application | None:
    """The application with this client id."""
    return _read_application(tx, _BY_CLIENT_ID, client_id=client_id)


def find_application_by_id(tx: Tx, id_: int) -> Application | None:
    """The application with this id of ours, as statuses name it."""
    return _read_application(tx, _BY_ID, id=id_)


def _read_application(tx: Tx, statement: "sa.Select[tuple[object, ...]]", **values: object) -> Application | None:
    row = tx.conn.execute(statement, values).first()
    if row is None:
        return None
    id_, name, website, redirect_uris, *others = row
    return Application(id_, name, website, tuple(orjson.loads(redirect_uris)), *others)


def check_secret(application: Application, secret: str) -> bool:
    """Whether this is the client's secret; constant in time."""
    return hmac.compare_digest(_digest(secret).hex(), application.secret_hash)


def command_line_application(tx: Tx) -> Application:
    """The application that tokens made on the command line belong to; nobody knows a secret of it."""
    known = find_application(tx, _COMMAND_LINE)
    if known is None:
        known = Application(
            tx.new_id(), "fedcorp command line", None, (OUT_OF_BAND,), _EVERYTHING, _COMMAND_LINE, "", tx.ms
        )
        _insert(tx, known)
    return known


# -- grants: a code, and the tokens that came of it (RFC 6749 sections 4.1 and 6, RFC 7636) ---------------------------


def create_code(
    tx: Tx, *, application_id: int, account_id: int, redirect_uri: str, scopes: str, challenge: str | None = None
) -> str:
    """A code for a person who agreed, good for ten minutes and one use. `challenge` is that of PKCE's S256."""
    code = tx.clock.token(32)
    tx.conn.execute(
        sa.insert(authorization_codes).values(
            code_hash=_digest(code).hex(), application_id=application_id, account_id=account_id,
            redirect_uri=redirect_uri, scopes=scopes, challenge=challenge or None, expires_at=tx.ms + CODE_MS,
        )
    )  # fmt: skip
    return code


def exchange_code(
    tx: Tx, *, application: Application, code: str, redirect_uri: str, verifier: str | None = None
) -> Tokens | None:
    """The tokens for a code; None when the code is refused (`invalid_grant`).

    A code that comes twice revokes the tokens it gave (RFC 6749 section 4.1.2); that is why a refusal is not an error,
    which would undo the revocation.
    """
    code_hash = _digest(code).hex()
    mine = sa.and_(authorization_codes.c.code_hash == code_hash, authorization_codes.c.application_id == application.id)
    row = tx.conn.execute(sa.select(authorization_codes).where(mine)).first()
    if row is None:
        return None
    if row.used_at is not None:
        _revoke_grant(tx, code_hash)
        return None
    if row.expires_at <= tx.ms or row.redirect_uri != redirect_uri or not _is_verifier(row.challenge, verifier):
        return None
    tx.conn.execute(sa.update(authorization_codes).where(mine).values(used_at=tx.ms))
    return _grant(tx, row.account_id, application.id, row.scopes, row.scopes, code_hash)


def refresh(tx: Tx, *, application: Application, token: str, scopes: str = "") -> Tokens | None:
    """The next tokens for a refresh token; None when it is refused (`invalid_grant`). Raises Unprocessable.

    The tokens before it end. A refresh token that comes twice was stolen, from the client or by it, so all that came of
    its grant ends (RFC 9700 section 4.14.2). `scopes` may ask for less; the next refresh may ask for all of it again.
    """
    mine = sa.and_(refresh_tokens.c.token_hash == _digest(token), refresh_tokens.c.application_id == application.id)
    row = tx.conn.execute(_REFRESH.where(mine)).first()
    if row is None:
        return None
    if row.used_at is not None:
        _revoke_grant(tx, row.code_hash)
        return None
    fewer = check_scopes(scopes, within=row.scopes) if scopes else row.scopes
    tx.conn.execute(sa.update(refresh_tokens).where(mine).values(used_at=tx.ms))
    _revoke(tx, access_tokens.c.code_hash == row.code_hash)
    return _grant(tx, row.account_id, application.id, fewer, row.scopes, row.code_hash)


def _grant(tx: Tx, account_id: int, application_id: int, scopes: str, most: str, code_hash: str) -> Tokens:
    refresh_token = tx.clock.token(32)
    tx.conn.execute(
        sa.insert(refresh_tokens).values(
            token_hash=_digest(refresh_token), application_id=application_id, account_id=account_id, scopes=most,
            code_hash=code_hash, created_at=tx.ms,
        )
    )  # fmt: skip
    return Tokens(_issue(tx, account_id, application_id, scopes, code_hash), refresh_token)


def _revoke_grant(tx: Tx, code_hash: str) -> bool:
    """End all tokens that came of one code. Says whether one of them still held."""
    tx.conn.execute(sa.delete(refresh_tokens).where(refresh_tokens.c.code_hash == code_hash))
    return _revoke(tx, access_tokens.c.code_hash == code_hash)


def _is_verifier(challenge: str | None, verifier: str | None) -> bool:
    """A verifier without a challenge is refused too: somebody may have taken the challenge away (RFC 9700, 4.8.2)."""
    if challenge is None or not verifier:
        return challenge is None and not verifier
    derived = urlsafe_b64encode(_digest(verifier)).rstrip(b"=")
    return hmac.compare_digest(derived, challenge.rstrip("=").encode())


# -- tokens ----------------------------------------------------------------------------------------------------------

ALIVE = sa.and_(users.c.disabled_at.is_(None), accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None))
"""Of a user and their account: whose tokens hold."""
_TOKEN = (
    sa.select(
        access_tokens.c.id,
        access_tokens.c.account_id,
        access_tokens.c.application_id,
        access_tokens.c.scopes,
        users.c.role,
    )
    .outerjoin(users, users.c.account_id == access_tokens.c.account_id)
    .outerjoin(accounts, accounts.c.id == access_tokens.c.account_id)
    .where(access_tokens.c.token_hash == sa.bindparam("token_hash"), access_tokens.c.revoked_at.is_(None))
    .where(sa.or_(access_tokens.c.account_id.is_(None), sa.and_(users.c.account_id.is_not(None), ALIVE)))
)
_INSERT_TOKEN = sa.insert(access_tokens)
_REFRESH = (
    sa.select(refresh_tokens)
    .join(users, users.c.account_id == refresh_tokens.c.account_id)
    .join(accounts, accounts.c.id == refresh_tokens.c.account_id)
    .where(ALIVE)
)


def issue_token(tx: Tx, *, account_id: int | None, application_id: int, scopes: str) -> str:
    """A new token; without an account it speaks for the application itself (RFC 6749 section 4.4)."""
    return _issue(tx, account_id, application_id, scopes, None)


def _issue(tx: Tx, account_id: int | None, application_id: int, scopes: str, code_hash: str | None) -> str:
    token = tx.clock.token(32)
    values = {"id": tx.new_id(), "token_hash": _digest(token), "account_id": account_id, "scopes": scopes}
    values |= {"application_id": application_id, "code_hash": code_hash, "created_at": tx.ms}
    tx.conn.execute(_INSERT_TOKEN, values)
    return token


def find_token(tx: Tx, token: str) -> Token | None:
    """The token, unless it was revoked or its account is disabled, suspended or deleted."""
    row = tx.conn.execute(_TOKEN, {"token_hash": _digest(token)}).first()
    if row is None:
        return None
    id_, account_id, application_id, scopes, role = row
    return Token(id_, account_id, application_id, _parsed(scopes), role)


def revoke_token(tx: Tx, token: str, *, application_id: int | None = None) -> bool:
    """Revoke a token of either kind, with `application_id` only one of that client (RFC 7009).

    The other tokens of its grant end with it. Says whether there was one.
    """
    token_hash = _digest(token)
    code_hash = tx.conn.execute(
        sa.select(refresh_tokens.c.code_hash).where(_of(refresh_tokens, token_hash, application_id))
    ).scalar()
    if code_hash is None:
        mine = _of(access_tokens, token_hash, application_id)
        code_hash = tx.conn.execute(sa.select(access_tokens.c.code_hash).where(mine)).scalar()
        if code_hash is None:  # of the command line or of an app itself
            return _revoke(tx, mine)
    return _revoke_grant(tx, code_hash)


def _of(table: sa.Table, token_hash: bytes, application_id: int | None) -> sa.ColumnElement[bool]:
    condition = table.c.token_hash == token_hash
    return condition if application_id is None else sa.and_(condition, table.c.application_id == application_id)


def revoke_all(tx: Tx, account_id: int) -> None:
    """Sign an account out everywhere: tokens, codes, sessions and open streams."""
    _revoke(tx, access_tokens.c.account_id == account_id)
    for table in (refresh_tokens, authorization_codes):
        tx.conn.execute(sa.delete(table).where(table.c.account_id == account_id))
    end_sessions(tx, account_id)
    _close_streams(tx, account_id)


def _revoke(tx: Tx, condition: sa.ColumnElement[bool]) -> bool:
    statement = sa.update(access_tokens).where(condition, access_tokens.c.revoked_at.is_(None)).values(revoked_at=tx.ms)
    ended = list(tx.conn.execute(statement.returning(access_tokens.c.id, access_tokens.c.account_id)))
    for account_id in {owner for _, owner in ended if owner is not None}:
        _close_streams(tx, account_id)
    if ended:
        theirs = push_subscriptions.c.token_id.in_([id_ for id_, _ in ended])
        tx.conn.execute(sa.delete(push_subscriptions).where(theirs))
    return bool(ended)


def _close_streams(tx: Tx, account_id: int) -> None:
    """All streams of the account end; those whose token still holds come back."""
    tx.conn.execute(sa.insert(streams).values(kind="closed", account_id=account_id, created_at=tx.ms))
    tx.wake("streams")


# -- browser sessions ------------------------------------------------------------------------------------------------

_SESSION = (
    sa.select(sessions.c.account_id)
    .join(users, users.c.account_id == sessions.c.account_id)
    .join(accounts, accounts.c.id == sessions.c.account_id)
    .where(sessions.c.token_hash == sa.bindparam("token_hash"), sessions.c.expires_at > sa.bindparam("now"), ALIVE)
)


def start_session(tx: Tx, account_id: int) -> str:
    """Sign a browser in for two weeks; returns what its cookie holds."""
    token = tx.clock.token(32)
    tx.conn.execute(
        sa.insert(sessions).values(
            token_hash=_digest(token), account_id=account_id, created_at=tx.ms, expires_at=tx.ms + SESSION_MS
        )
    )
    return token


def find_session(tx: Tx, token: str) -> int | None:
    """The account that this browser is signed in as."""
    found: int | None = tx.conn.execute(_SESSION, {"token_hash": _digest(token), "now": tx.ms}).scalar()
    return found


def end_session(tx: Tx, token: str) -> None:
    """Sign a browser out."""
    tx.conn.execute(sa.delete(sessions).where(sessions.c.token_hash == _digest(token)))


def end_sessions(tx: Tx, account_id: int) -> None:
    """Sign an account out of all browsers; apps keep their tokens."""
    tx.conn.execute(sa.delete(sessions).where(sessions.c.account_id == account_id))


def prune(tx: Tx) -> None:
    """Remove sessions, codes and tokens that ended. Used ones stay a while, so that a replay is still known for one."""
    tx.conn.execute(sa.delete(sessions).where(sessions.c.expires_at <= tx.ms))
    tx.conn.execute(sa.delete(authorization_codes).where(authorization_codes.c.expires_at < tx.ms - 86_400_000))
    tx.conn.execute(sa.delete(refresh_tokens).where(refresh_tokens.c.used_at < tx.ms - REPLAY_MS))
    tx.conn.execute(sa.delete(access_tokens).where(access_tokens.c.revoked_at < tx.ms - REPLAY_MS))
