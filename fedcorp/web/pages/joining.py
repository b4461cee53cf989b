"""The page behind the link that lets people into a group: it shows the group and joins. It decides nothing.

A link that is wrong, withdrawn or of a group that is gone shows the page of what does not exist. Whoever holds a right
one may read the group's name, purpose and rules, and nothing that was posted.
"""

from dataclasses import dataclass

import orjson
from starlette.responses import RedirectResponse, Response

from fedcorp.errors import BadRequest
from fedcorp.social import accounts, groups, memberships, policy
from fedcorp.social.accounts import Account
from fedcorp.social.groups import Group
from fedcorp.storage.database import Tx
from fedcorp.web import browser, signing_in
from fedcorp.web.call import Call
from fedcorp.web.pages.page import page
from fedcorp.web.pages.views import hint
from fedcorp.web.params import Params
from fedcorp.web.problems import OK, SEE_OTHER, UNPROCESSABLE
from fedcorp.web.route import Route

NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A group and its rules, whose link somebody holds."""

    account: Account
    rules: Group

    @property
    def title(self) -> str:
        """What people call it."""
        return self.account.display_name or self.account.username


async def show(call: Call) -> Response:
    """GET /@NAME/join/TOKEN: the group, with a button to join for a browser that is signed in."""
    opened = await call.context.db.read(_opened, call.path_params["name"], call.path_params["token"])
    if opened is None:
        return hint(call)
    person = await signing_in.find_person(call)
    return _sign_in_page(call, opened) if person is None else await _join_page(call, opened, person)


async def submit(call: Call) -> Response:
    """POST /@NAME/join/TOKEN: a password, or the wish to join."""
    given = await call.params()
    browser.check_form(call, given.text("csrf"))
    opened = await call.context.db.read(_opened, call.path_params["name"], call.path_params["token"])
    if opened is None:
        return hint(call)
    match given.text("step"):
        case "sign-in":
            return await _sign_in(call, opened, given)
        case "join":
            return await _join(call, opened)
    raise BadRequest("The form is incomplete; open the link again.")


def _opened(tx: Tx, name: str, token: str) -> Opened | None:
    account = accounts.find_local(tx, name)
    rules = groups.find(tx, account.id) if account is not None and account.is_group and not account.hidden else None
    return Opened(account, rules) if account and rules and memberships.opens(rules, token) else None


def _path(call: Call) -> str:
    return f"/@{call.path_params['name']}/join/{call.path_params['token']}"


def _sign_in_page(call: Call, opened: Opened, problem: str = "", username: str = "") -> Response:
    answer = page(
        call.context.config, "sign_in", UNPROCESSABLE if problem else OK, target=opened.title, action=_path(call),
        hidden={"csrf": browser.form_token(call)}, problem=problem, username=username,
        elsewhere=call.context.config.origin + _path(call),
    )  # fmt: skip
    browser.keep_form(call, answer)
    return answer


async def _sign_in(call: Call, opened: Opened, given: Params) -> Response:
    token = await signing_in.start_session(call, given)
    if token is None:
        return _sign_in_page(call, opened, signing_in.WRONG, given.text("username") or "")
    answer = _again(call)
    browser.keep_session(call, answer, token)
    return answer


def _again(call: Call) -> Response:
    """A fresh GET, so that reloading the next page sends nothing again."""
    return RedirectResponse(_path(call), SEE_OTHER, NO_STORE)


async def _join_page(call: Call, opened: Opened, person: Account) -> Response:
    role = await call.context.db.read(memberships.role_of, opened.account.id, person.id)
    answer = page(
        call.context.config, "join", group=opened.account, title=opened.title, purpose=opened.rules.purpose,
        rules=orjson.loads(opened.rules.rules), belongs=role in policy.MEMBERS, person=person, action=_path(call),
        csrf=browser.form_token(call),
    )  # fmt: skip
    browser.keep_form(call, answer)
    return answer


async def _join(call: Call, opened: Opened) -> Response:
    person = await signing_in.find_person(call)
    if person is None:
        return _sign_in_page(call, opened)
    await call.context.db.write(_enter, opened.account.id, person.id, call.path_params["token"])
    return _again(call)


def _enter(tx: Tx, group_id: int, person_id: int, token: str) -> None:
    memberships.join(tx, accounts.get(tx, person_id), accounts.get(tx, group_id), link=token)


ROUTES = (
    Route("GET", "/@{name}/join/{token}", show),
    Route("POST", "/@{name}/join/{token}", submit),
)
