"""Reads a post out of the parameters of a request, and finds whom it names before anything is written."""

import asyncio
import re

from fedcorp.errors import BadRequest, FedcorpError
from fedcorp.social import accounts
from fedcorp.social.media import Detail
from fedcorp.social.polls import PollDraft
from fedcorp.social.publishing import Draft
from fedcorp.social.statuses import Status
from fedcorp.social.text import Mention, find_mentions
from fedcorp.social.visibility import is_shown
from fedcorp.storage.database import Tx
from fedcorp.web.api.uploads import focus_of
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call
from fedcorp.web.params import Params

RESOLVE_SECONDS = 5
MAX_RESOLVED = 20
MAX_KEY = 200
MAX_LANGUAGES = 50
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")


def read(params: Params, viewer: Viewer, idempotency_key: str | None) -> Draft:
    """The Draft of a new post, its mentions still open. Raises BadRequest, Unprocessable."""
    if idempotency_key and len(idempotency_key) > MAX_KEY:
        raise BadRequest(f"An Idempotency-Key has at most {MAX_KEY} characters.")
    return Draft(
        text=params.text("status") or "",
        visibility=params.text("visibility") or None,
        reach="department" if params.flag("local_only") else params.text("reach") or None,
        sensitive=params.boolean("sensitive"),
        spoiler_text=params.text("spoiler_text") or "",
        language=language_of(params),
        in_reply_to_id=params.id("in_reply_to_id"),
        quoted_id=params.id("quoted_status_id"),
        quote_policy=quote_policy_of(params),
        media_ids=tuple(params.ids("media_ids")),
        poll=_poll(params),
        application_id=viewer.application_id,
        idempotency_key=idempotency_key or None,
    )


def read_edit(params: Params, status: Status, media_ids: tuple[int, ...]) -> Draft:
    """The Draft of an edit of `status`; what the request leaves out stays. Raises BadRequest, Unprocessable."""
    text, spoiler_text, sensitive = params.text("status"), params.text("spoiler_text"), params.boolean("sensitive")
    spoiler_text = status.spoiler_text if spoiler_text is None else spoiler_text
    loses_warning = bool(status.spoiler_text) and not spoiler_text  # which was why it counted as sensitive
    return Draft(
        text=status.text if text is None else text,
        sensitive=(status.sensitive and not loses_warning) if sensitive is None else sensitive,
        spoiler_text=spoiler_text,
        language=language_of(params),
        media_ids=tuple(params.ids("media_ids")) if "media_ids" in params else media_ids,
        media_details={
            id_: Detail(item.text("description"), focus_of(item))
            for item in params.records("media_attributes")
            if (id_ := item.id("id")) is not None
        },
        poll=_poll(params),
        quoted_id=status.quoted_id,
        quote_policy=quote_policy_of(params),
    )


def quote_policy_of(params: Params) -> str | None:
    """The parameter `quote_approval_policy`, unchecked; a blank one counts as absent."""
    return params.text("quote_approval_policy") or None


def language_of(params: Params) -> str | None:
    """The parameter `language`. What is no code of a language counts as absent: an app must not lose a post over it."""
    return _code_of(params.text("language") or "")


def languages_of(params: Params) -> tuple[str, ...]:
    """The parameter `languages`: those that are codes, each once."""
    codes = dict.fromkeys(_code_of(text) for text in params.texts("languages"))
    return tuple(code for code in codes if code is not None)[:MAX_LANGUAGES]


def _code_of(text: str) -> str | None:
    return text.replace("_", "-") if _LANGUAGE.fullmatch(text) else None


def _poll(params: Params) -> PollDraft | None:
    group = params.group("poll")
    if not group:
        return None
    return PollDraft(
        options=tuple(group.texts("options")),
        expires_in=group.integer("expires_in"),
        multiple=group.flag("multiple"),
        hide_totals=group.flag("hide_totals"),
    )


async def resolve_mentions(call: Call, text: str) -> dict[str, int]:
    """Handles in `text` to account ids. Unknown ones are asked for at their servers, for a few seconds at most."""
    handles = {mention.handle: mention for mention in find_mentions(text)}
    if not handles:
        return {}
    found, unknown = await call.read(_known, handles)
    if not unknown:
        return found
    viewer = await call.viewer()
    clock, resolver = call.context.clock, call.context.resolve

    async def ask(handle: str) -> int | None:
        try:
            return await resolver.account(handle, viewer_id=viewer.account_id)
        except FedcorpError:  # it stays text, as it does when nobody has that name
            return None

    tasks = {clock.spawn(ask(handle), name="resolve a mention"): handle for handle in unknown[:MAX_RESOLVED]}
    done, late = await asyncio.wait(tasks, timeout=RESOLVE_SECONDS)
    for task in late:
        task.cancel()
    return found | {tasks[task]: id_ for task in done if (id_ := task.result()) is not None}


def _known(tx: Tx, viewer: Viewer, handles: dict[str, Mention]) -> tuple[dict[str, int], list[str]]:
    found: dict[str, int] = {}
    unknown: list[str] = []
    for handle, mention in handles.items():
        account = accounts.find_by_handle(tx, mention.username, mention.domain)
        if account is not None and is_shown(tx, account, viewer.account_id):
            found[handle] = account.id
        elif account is None and mention.domain not in (None, tx.site.urls.domain):
            unknown.append(handle)
    return found, unknown
