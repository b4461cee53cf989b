"""The cookies of our own pages: who is signed in, and the proof that a form was ours. The client API ignores them.

On https both cookies carry the prefix `__Host-`, so that no other name under the same domain can plant them. Their
names hold our domain, because cookies of 127.0.0.1 are shared between ports.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

from starlette.responses import Response

from fedcorp.errors import Forbidden
from fedcorp.social.applications import SESSION_MS
from fedcorp.web.call import Call

FORM_SECONDS = 3600
STALE = "This form is too old or came from elsewhere; go back to the app and begin again."


def session(call: Call) -> str | None:
    """The session token of this browser."""
    return call.cookies.get(_name(call, "session"))


def keep_session(call: Call, answer: Response, token: str) -> None:
    """Give the browser a session."""
    _set(call, answer, "session", token, SESSION_MS // 1000)


def drop_session(call: Call, answer: Response) -> None:
    """Take the session from the browser."""
    _set(call, answer, "session", "", 0)


def form_token(call: Call) -> str:
    """What a form must carry: a proof over a random value that only this browser holds."""
    return _proof(call, _seed(call))


def keep_form(call: Call, answer: Response) -> None:
    """Give the browser the value that `form_token` stands on."""
    _set(call, answer, "form", _seed(call), FORM_SECONDS)


def check_form(call: Call, token: str | None) -> None:
    """Raises Forbidden unless a form of ours, in this browser, was sent from our own origin."""
    seed = call.cookies.get(_name(call, "form"), "")
    origin = call.headers.get("origin")
    if not seed or not token or not hmac.compare_digest(token.encode(), _proof(call, seed).encode()):
        raise Forbidden(STALE, "the form token is wrong")
    if origin not in (None, "null", call.base):
        raise Forbidden(STALE, "the form came from another origin")


def _seed(call: Call) -> str:
    """The value that the browser has, or a new one: the same all through one request."""
    seed: str = call.scope.setdefault(
        "form_seed", call.cookies.get(_name(call, "form")) or call.context.clock.token(18)
    )
    return seed


def _proof(call: Call, seed: str) -> str:
    message = f"fedcorp-form\n{seed}\n{session(call) or ''}".encode()
    digest = hmac.new(call.context.db.site.secret, message, hashlib.sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _name(call: Call, kind: str) -> str:
    place = re.sub(r"[^a-z0-9]", "_", call.context.config.domain)
    return f"{'__Host-' if _is_secure(call) else ''}fedcorp_{kind}_{place}"


def _is_secure(call: Call) -> bool:
    return call.base.startswith("https:")


def _set(call: Call, answer: Response, kind: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        _name(call, kind), value, max_age=seconds, path="/", secure=_is_secure(call), httponly=True, samesite="lax"
    )
