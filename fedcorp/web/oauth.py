"""Signing in and granting: the pages behind /oauth/authorize, and the token endpoints (RFC 6749, 7009, 7636).

Passwords are checked in `signing_in`. Registering an app is the client API's; what a token allows is
decided where it is used.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from starlette.responses import RedirectResponse, Response

from fedcorp.errors import BadRequest, Unauthorized, Unprocessable
from fedcorp.social import accounts, applications
from fedcorp.social.accounts import Account
from fedcorp.social.applications import OUT_OF_BAND, Application, Tokens
from fedcorp.storage.database import Tx
from fedcorp.web import browser, signing_in
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.pages.page import page
from fedcorp.web.params import Params
from fedcorp.web.problems import FOUND, OK, SEE_OTHER, UNPROCESSABLE
from fedcorp.web.route import Route

PERMISSIONS = {
    "read": "read everything you can read",
    "write": "post, follow and change things in your name",
    "follow": "follow, mute and block in your name",
    "push": "send you notifications",
    "profile": "read your name and picture",
}
KEPT = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthError(BadRequest):
    """A refusal with one of the words of RFC 6749 section 5.2."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class InvalidClient(Unauthorized):
    """The client is unknown, or its secret is wrong."""

    code = "invalid_client"

    def __init__(self) -> None:
        super().__init__("Client authentication failed due to unknown client or a wrong secret.")


@dataclass(frozen=True, slots=True)
class Request:
    """An authorization request whose client and redirect URI hold: answers may go there."""

    application: Application
    redirect_uri: str
    scopes: str
    state: str | None
    challenge: str | None
    given: dict[str, str]


# -- /oauth/authorize ------------------------------------------------------------------------------------------------


async def show_authorize(call: Call) -> Response:
    """GET /oauth/authorize: the sign-in page, or the consent page for a browser that is signed in."""
    given = call.query
    application = await _application(call, given)
    try:
        request = _checked(application, given)
    except OAuthError as error:
        return _refused(application, given, error)
    account = None if given.flag("force_login") else await signing_in.find_person(call)
    if account is None:
        return _sign_in_page(call, request)
    return _consent_page(call, request, account)


async def submit_authorize(call: Call) -> Response:
    """POST /oauth/authorize: a password, or the answer to the question for consent."""
    given = await call.params()
    browser.check_form(call, given.text("csrf"))
    application = await _application(call, given)
    try:
        request = _checked(application, given)
    except OAuthError as error:
        return _refused(application, given, error)
    match given.text("step"):
        case "sign-in":
            return await _sign_in(call, request, given)
        case "allow":
            return await _allow(call, request)
        case "deny":
            return _redirect(request.redirect_uri, error="access_denied", state=request.state)
        case "switch":
            return _sign_in_page(call, request)
    raise BadRequest("The form is incomplete; go back to the app and begin again.")


async def _application(call: Call, given: Params) -> Application:
    """The client. Until it is known, nothing may be redirected anywhere."""
    found = await call.context.db.read(applications.find_application, given.text("client_id") or "")
    if found is None:
        raise BadRequest("This app is not registered here (unknown client_id); begin again in the app.")
    if _redirect_uri(found, given) not in found.redirect_uris:
        raise BadRequest("The app asks to be called back at an address that it did not register (redirect_uri).")
    return found


def _redirect_uri(application: Application, given: Params) -> str:
    return given.text("redirect_uri") or application.redirect_uris[0]


def _checked(application: Application, given: Params) -> Request:
    """Everything else of the request. Raises OAuthError, which the client is told of."""
    if given.text("response_type") != "code":
        raise OAuthError("unsupported_response_type", "Only the response type `code` is supported.")
    challenge = given.text("code_challenge") or None
    if challenge and given.text("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "The code challenge method must be S256.")
    try:
        scopes = applications.check_scopes(given.text("scope") or "", within=application.scopes)
    except Unprocessable as error:
        raise OAuthError("invalid_scope", error.text) from None
    kept = {name: value for name in KEPT if (value := given.text(name)) is not None}
    return Request(application, _redirect_uri(application, given), scopes, given.text("state"), challenge, kept)


def _refused(application: Application, given: Params, error: OAuthError) -> Response:
    uri = _redirect_uri(application, given)
    if uri == OUT_OF_BAND:
        raise error
    return _redirect(uri, error=error.code, error_description=error.text, state=given.text("state"))


def _redirect(uri: str, **answer: str | None) -> Response:
    parts = urlsplit(uri)
    added = urlencode({name: value for name, value in answer.items() if value is not None})
    query = f"{parts.query}&{added}" if parts.query else added
    # Not `RedirectResponse`: the address goes out as it was registered, whatever its scheme.
    return Response(status_code=FOUND, headers={"Location": urlunsplit(parts._replace(query=query)), **NO_STORE})


def _sign_in_page(call: Call, request: Request, problem: str = "", username: str = "") -> Response:
    hidden = {**request.given, "csrf": browser.form_token(call)}
    answer = page(
        call.context.config, "sign_in", UNPROCESSABLE if problem else OK, target=request.application.name,
        action="/oauth/authorize", hidden=hidden, problem=problem, username=username, elsewhere="",
    )  # fmt: skip
    return _asking(call, answer)


def _consent_page(call: Call, request: Request, account: Account) -> Response:
    answer = page(
        call.context.config, "consent", application=request.application.name, website=request.application.website,
        handle=account.handle, permissions=_permissions(request.scopes), target=_target(request.redirect_uri),
        hidden={**request.given, "csrf": browser.form_token(call)},
    )  # fmt: skip
    return _asking(call, answer)


def _asking(call: Call, answer: Response) -> Response:
    """A page with a form, that the app's own page stays in touch with.

    Web apps open these pages in a small window and wait for it: with the policy of our other pages the browser would
    cut that tie, and they would take it for a window that was closed.
    """
    del answer.headers["Cross-Origin-Opener-Policy"]
    browser.keep_form(call, answer)
    return answer


def _permissions(scopes: str) -> list[str]:
    return [PERMISSIONS.get(scope, scope.replace(":", ": ")) for scope in scopes.split()]


def _target(uri: str) -> str:
    if uri == OUT_OF_BAND:
        return "a page with a code to copy"
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in ("http", "https") else f"the app behind {parts.scheme}:"


async def _sign_in(call: Call, request: Request, given: Params) -> Response:
    token = await signing_in.start_session(call, given)
    if token is None:
        return _sign_in_page(call, request, signing_in.WRONG, given.text("username") or "")
    # A fresh GET, so that reloading the next page does not send the password again.
    answer = RedirectResponse(f"/oauth/authorize?{urlencode(request.given)}", SEE_OTHER, NO_STORE)
    browser.keep_session(call, answer, token)
    return answer


async def _allow(call: Call, request: Request) -> Response:
    account = await signing_in.find_person(call)
    if account is None:
        return _sign_in_page(call, request)
    code = await call.context.db.write(
        applications.create_code, application_id=request.application.id, account_id=account.id,
        redirect_uri=request.redirect_uri, scopes=request.scopes, challenge=request.challenge,
    )  # fmt: skip
    if request.redirect_uri == OUT_OF_BAND:
        return page(call.context.config, "code", application=request.application.name, code=code)
    return _redirect(request.redirect_uri, code=code, state=request.state)


async def sign_out(call: Call) -> Response:
    """POST /sign-out: ends the session of this browser."""
    given = await call.params()
    browser.check_form(call, given.text("csrf"))
    token = browser.session(call)
    if token:
        await call.context.db.write(applications.end_session, token)
    answer = RedirectResponse("/", SEE_OTHER)
    browser.drop_session(call, answer)
    return answer


# -- tokens ----------------------------------------------------------------------------------------------------------


async def create_token(call: Call) -> Response:
    """POST /oauth/token: tokens for a code or for a refresh token, or a token for the application itself."""
    given = await call.params()
    application = await _authenticated(call, given)
    match given.text("grant_type"):
        case "authorization_code":
            tokens = await _exchange(call, application, given)
        case "refresh_token":
            tokens = await _refresh(call, application, given)
        case "client_credentials":
            token = await call.context.db.write(_for_application, application, given.text("scope") or "")
            tokens = Tokens(token, refresh=None)
        case _:
            text = "The grant type is authorization_code, refresh_token or client_credentials."
            raise OAuthError("unsupported_grant_type", text)
    return json(await call.context.db.read(_described, tokens, application), headers=NO_STORE)


async def _authenticated(call: Call, given: Params) -> Application:
    """The client, by the secret in the body or in HTTP Basic. Raises InvalidClient."""
    client_id, secret = _basic(call) or (given.text("client_id") or "", given.text("client_secret") or "")
    found = await call.context.db.read(applications.find_application, client_id)
    if found is None or not applications.check_secret(found, secret):
        raise InvalidClient
    return found


def _basic(call: Call) -> tuple[str, str] | None:
    kind, _, value = call.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client_id, _, secret = b64decode(value, validate=True).decode().partition(":")
    except (Base64Error, UnicodeDecodeError):
        raise InvalidClient from None
    return unquote(client_id), unquote(secret)


async def _exchange(call: Call, application: Application, given: Params) -> Tokens:
    tokens = await call.context.db.write(
        applications.exchange_code, application=application, code=given.text("code") or "",
        redirect_uri=given.text("redirect_uri") or "", verifier=given.text("code_verifier"),
    )  # fmt: skip
    if tokens is None:
        text = "The code is wrong, used or too old, or belongs to another client, redirect URI or code verifier."
        raise OAuthError("invalid_grant", text)
    return tokens


async def _refresh(call: Call, application: Application, given: Params) -> Tokens:
    try:
        tokens = await call.context.db.write(
            applications.refresh, application=application, token=given.text("refresh_token") or "",
            scopes=given.text("scope") or "",
        )  # fmt: skip
    except Unprocessable as error:
        raise OAuthError("invalid_scope", error.text) from None
    if tokens is None:
        raise OAuthError("invalid_grant", "The refresh token is wrong, used or revoked, or belongs to another client.")
    return tokens


def _for_application(tx: Tx, application: Application, scope: str) -> str:
    try:
        scopes = applications.check_scopes(scope, within=application.scopes)
    except Unprocessable as error:
        raise OAuthError("invalid_scope", error.text) from None
    return applications.issue_token(tx, account_id=None, application_id=application.id, scopes=scopes)


def _described(tx: Tx, tokens: Tokens, application: Application) -> dict[str, Any]:
    token = applications.find_token(tx, tokens.access)
    if token is None:
        raise OAuthError("invalid_grant", "The account of this code may not sign in any more.")
    ordered = [scope for scope in application.scopes.split() if scope in token.scopes]
    scopes = " ".join([*ordered, *sorted(token.scopes.difference(ordered))])
    answer = {"access_token": tokens.access, "token_type": "Bearer", "scope": scopes, "created_at": tx.ms // 1000}
    return answer if tokens.refresh is None else answer | {"refresh_token": tokens.refresh}


async def revoke_token(call: Call) -> Response:
    """POST /oauth/revoke: forget a token. Unknown ones are forgotten already (RFC 7009 section 2.2)."""
    given = await call.params()
    application = await _authenticated(call, given)
    await call.context.db.write(applications.revoke_token, given.text("token") or "", application_id=application.id)
    return json({})


async def show_user(call: Call) -> Response:
    """GET /oauth/userinfo: who the token speaks for (OpenID Connect Core section 5.3, as far as Mastodon has it)."""
    return json(await call.read(_user), headers=NO_STORE)


def _user(tx: Tx, viewer: Viewer) -> dict[str, Any]:
    account = accounts.get(tx, viewer.id)
    return {
        "iss": tx.site.urls.origin + "/",
        "sub": account.uri,
        "name": account.display_name or account.username,
        "preferred_username": account.username,
        "profile": account.url,
    }


ROUTES = (
    Route("GET", "/oauth/authorize", show_authorize),
    Route("POST", "/oauth/authorize", submit_authorize),
    Route("POST", "/oauth/token", create_token),
    Route("POST", "/oauth/revoke", revoke_token),
    Route("GET", "/oauth/userinfo", show_user, scope="profile read:accounts"),
    Route("POST", "/oauth/userinfo", show_user, scope="profile read:accounts"),
    Route("POST", "/sign-out", sign_out),
)
