"""The page of a warning, where apps for Mastodon lead from its notification: it shows the warning and takes the answer.

Only for the person it is for, who signs in here; to everybody else it does not exist. What an answer means is said in
`fedcorp.social.warnings`.
"""

from starlette.responses import RedirectResponse, Response

from fedcorp.errors import BadRequest, NotFound, Unprocessable
from fedcorp.social import warnings
from fedcorp.social.accounts import Account
from fedcorp.social.warnings import Warning_
from fedcorp.storage.database import Tx
from fedcorp.web import browser, signing_in
from fedcorp.web.call import Call
from fedcorp.web.pages.page import page
from fedcorp.web.pages.views import hint
from fedcorp.web.params import Params
from fedcorp.web.problems import OK, SEE_OTHER, UNPROCESSABLE
from fedcorp.web.route import Route

NO_STORE = {"Cache-Control": "no-store"}
ACTS = {
    "none": "The moderators of your department have a word with you.",
    "sensitive": "The moderators of your department have marked everything that you post as sensitive.",
    "silence": "The moderators of your department have limited your account: only those who follow you or ask for you "
    "by name see what you post.",
    "disable": "The moderators of your department have kept you from signing in.",
    "suspend": "The moderators of your department have suspended your account.",
}
STATES = {
    "pending": "The moderators have your answer and have not dealt with it yet.",
    "approved": "The moderators have taken it back.",
    "rejected": "The moderators have read your answer and stay with what they did.",
}


async def show(call: Call) -> Response:
    """GET /disputes/strikes/ID: the warning, for a browser that is signed in."""
    person = await signing_in.find_person(call)
    return _sign_in_page(call) if person is None else await _warning_page(call, person)


async def submit(call: Call) -> Response:
    """POST /disputes/strikes/ID: a password, or the answer."""
    given = await call.params()
    browser.check_form(call, given.text("csrf"))
    match given.text("step"):
        case "sign-in":
            return await _sign_in(call, given)
        case "answer":
            return await _answer(call, given)
    raise BadRequest("The form is incomplete; open the link again.")


def _path(call: Call) -> str:
    return f"/disputes/strikes/{call.id()}"


def _sign_in_page(call: Call, problem: str = "", username: str = "") -> Response:
    answer = page(
        call.context.config, "sign_in", UNPROCESSABLE if problem else OK, target="a word of the moderators",
        action=_path(call), hidden={"csrf": browser.form_token(call)}, problem=problem, username=username,
        elsewhere="",
    )  # fmt: skip
    browser.keep_form(call, answer)
    return answer


async def _sign_in(call: Call, given: Params) -> Response:
    token = await signing_in.start_session(call, given)
    if token is None:
        return _sign_in_page(call, signing_in.WRONG, given.text("username") or "")
    answer = _again(call)
    browser.keep_session(call, answer, token)
    return answer


def _again(call: Call) -> Response:
    """A fresh GET, so that reloading the next page sends nothing again."""
    return RedirectResponse(_path(call), SEE_OTHER, NO_STORE)


async def _warning_page(call: Call, person: Account, problem: str = "", text: str = "") -> Response:
    try:
        found, state = await call.context.db.read(_find, person.id, call.id())
    except NotFound:
        return hint(call)
    answer = page(
        call.context.config, "dispute", UNPROCESSABLE if problem else OK, warning=found, act=ACTS[found.action],
        state=STATES.get(state), is_open=state == "" and found.lifted_at is None, lifted=found.lifted_at is not None,
        person=person, action=_path(call), csrf=browser.form_token(call), problem=problem, text=text,
        most=warnings.MAX_APPEAL,
    )  # fmt: skip
    browser.keep_form(call, answer)
    return answer


def _find(tx: Tx, account_id: int, id_: int) -> tuple[Warning_, str]:
    """The warning, and how its answer stands ("" without one). Raises NotFound."""
    found = warnings.get(tx, account_id, id_)
    return found, warnings.appeal_states(tx, [found]).get(found.id, "")


async def _answer(call: Call, given: Params) -> Response:
    person = await signing_in.find_person(call)
    if person is None:
        return _sign_in_page(call)
    text = given.text("text") or ""
    try:
        await call.context.db.write(warnings.appeal, person, call.id(), text)
    except NotFound:
        return hint(call)
    except Unprocessable as error:
        return await _warning_page(call, person, error.text, text)
    return _again(call)


ROUTES = (
    Route("GET", "/disputes/strikes/{id}", show),
    Route("POST", "/disputes/strikes/{id}", submit),
)
