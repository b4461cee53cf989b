"""Who a browser belongs to, and how it comes to: a name, a password, a session. Makes no page and grants nothing.

Passwords are checked here and nowhere else at the edge.
"""

from fedcorp.errors import TooManyRequests
from fedcorp.social import accounts, applications, passwords
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from fedcorp.web import browser
from fedcorp.web.call import Call
from fedcorp.web.params import Params
from fedcorp.web.rate import Buckets

WRONG = "The name or the password is wrong."


async def find_person(call: Call) -> Account | None:
    """Whoever is signed in with this browser."""
    token = browser.session(call)
    return await call.context.db.read(_find_session, token) if token else None


def _find_session(tx: Tx, token: str) -> Account | None:
    account_id = applications.find_session(tx, token)
    return accounts.find(tx, account_id) if account_id is not None else None


async def start_session(call: Call, given: Params) -> str | None:
    """The token of a new session for the `username` and `password` of a form; None when they are wrong.

    Raises TooManyRequests.
    """
    name, password = given.text("username") or "", given.text("password") or ""
    _slow_down(call, name)
    context = call.context
    found = await context.db.read(accounts.find_login, name)
    kept = found[1] if found else passwords.NOBODY
    right = await context.clock.offload(passwords.is_password, password, kept)
    if found is None or not right:
        return None
    return await context.db.write(applications.start_session, found[0].id)


def _slow_down(call: Call, name: str) -> None:
    """A limit for each name, beside the one for each address: guesses can come from many addresses."""
    limits = call.context.config.limits
    logins: Buckets = call.app.state.logins
    if limits.enabled:
        key = f"name {name.strip().lower()}"
        if logins.take(key, limits.logins).level < 0:
            wait = logins.seconds_until_free(key, limits.logins)
            raise TooManyRequests("Too many attempts to sign in; wait a little.", retry_after=wait)
