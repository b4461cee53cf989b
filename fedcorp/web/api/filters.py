"""Filters as clients manage them: groups of keywords and posts (v2), or one phrase each (v1)."""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from fedcorp.errors import Unprocessable
from fedcorp.social import filters, statuses
from fedcorp.social.filters import Change, Filter, FilteredStatus, KeywordChange
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import filters as entities
from fedcorp.web.params import Params

MOST_SECONDS = 100 * 366 * 86_400

# -- v2 --------------------------------------------------------------------------------------------------------------


async def listing(call: Call) -> Response:
    """GET /api/v2/filters"""
    found = await call.read(lambda tx, viewer: filters.of_account(tx, viewer.id))
    return json([entities.filter_(item) for item in found])


async def show(call: Call) -> Response:
    """GET /api/v2/filters/{id}"""
    id_ = call.id()
    return json(entities.filter_(await call.read(lambda tx, viewer: filters.get(tx, viewer.id, id_))))


async def create(call: Call) -> Response:
    """POST /api/v2/filters"""
    params = await call.params()
    change, keywords = _change(call, params), _keywords(params)
    return json(entities.filter_(await call.write(lambda tx, viewer: filters.create(tx, viewer.id, change, keywords))))


async def update(call: Call) -> Response:
    """PUT /api/v2/filters/{id}"""
    params, id_ = await call.params(), call.id()
    change, keywords = _change(call, params), _keywords(params)
    changed = await call.write(lambda tx, viewer: filters.update(tx, viewer.id, id_, change, keywords))
    return json(entities.filter_(changed))


async def delete(call: Call) -> Response:
    """DELETE /api/v2/filters/{id}"""
    id_ = call.id()
    await call.write(lambda tx, viewer: filters.delete(tx, viewer.id, id_))
    return json({})


def _change(call: Call, params: Params) -> Change:
    return Change(
        title=params.text("title"),
        contexts=tuple(params.texts("context")) if "context" in params else None,
        action=params.text("filter_action") or None,
        expires_at=_expires_at(call, params),
    )


def _expires_at(call: Call, params: Params) -> int | None:
    """When a filter ends (ms): 0 for an empty `expires_in`, which means never; None when it is not named."""
    if "expires_in" not in params:
        return None
    seconds = params.integer("expires_in", least=1, most=MOST_SECONDS)
    return 0 if seconds is None else call.context.clock.ms() + seconds * 1000


def _keywords(params: Params) -> list[KeywordChange]:
    return [
        KeywordChange(item.text("keyword"), item.boolean("whole_word"), item.id("id"), item.flag("_destroy"))
        for item in params.records("keywords_attributes")
    ]


# -- keywords and posts of a filter ----------------------------------------------------------------------------------


async def list_keywords(call: Call) -> Response:
    """GET /api/v2/filters/{id}/keywords"""
    id_ = call.id()
    found = await call.read(lambda tx, viewer: filters.get(tx, viewer.id, id_))
    return json([entities.keyword(item) for item in found.keywords])


async def add_keyword(call: Call) -> Response:
    """POST /api/v2/filters/{id}/keywords"""
    params, id_ = await call.params(), call.id()
    words, whole = params.text("keyword") or "", params.boolean("whole_word") is not False
    made = await call.write(lambda tx, viewer: filters.add_keyword(tx, viewer.id, id_, words, whole_word=whole))
    return json(entities.keyword(made))


async def show_keyword(call: Call) -> Response:
    """GET /api/v2/filters/keywords/{id}"""
    id_ = call.id()
    return json(entities.keyword((await call.read(lambda tx, viewer: filters.get_keyword(tx, viewer.id, id_)))[1]))


async def update_keyword(call: Call) -> Response:
    """PUT /api/v2/filters/keywords/{id}"""
    params, id_ = await call.params(), call.id()
    change = KeywordChange(params.text("keyword"), params.boolean("whole_word"))
    changed = await call.write(lambda tx, viewer: filters.change_keyword(tx, viewer.id, id_, change))
    return json(entities.keyword(changed))


async def delete_keyword(call: Call) -> Response:
    """DELETE /api/v2/filters/keywords/{id}"""
    id_ = call.id()
    await call.write(lambda tx, viewer: filters.delete_keyword(tx, viewer.id, id_))
    return json({})


async def list_statuses(call: Call) -> Response:
    """GET /api/v2/filters/{id}/statuses"""
    id_ = call.id()
    found = await call.read(lambda tx, viewer: filters.get(tx, viewer.id, id_))
    return json([entities.filtered_status(item) for item in found.statuses])


async def add_status(call: Call) -> Response:
    """POST /api/v2/filters/{id}/statuses"""
    params, id_ = await call.params(), call.id()
    return json(entities.filtered_status(await call.write(_add_status, id_, params.id("status_id"))))


def _add_status(tx: Tx, viewer: Viewer, filter_id: int, status_id: int | None) -> FilteredStatus:
    filters.get(tx, viewer.id, filter_id)
    if status_id is None:
        raise Unprocessable("Validation failed: Status can't be blank")
    return filters.add_status(tx, viewer.id, filter_id, statuses.get_original(tx, viewer.id, status_id).id)


async def show_status(call: Call) -> Response:
    """GET /api/v2/filters/statuses/{id}"""
    id_ = call.id()
    return json(
        entities.filtered_status((await call.read(lambda tx, viewer: filters.get_status(tx, viewer.id, id_)))[1])
    )


async def delete_status(call: Call) -> Response:
    """DELETE /api/v2/filters/statuses/{id}"""
    id_ = call.id()
    await call.write(lambda tx, viewer: filters.delete_status(tx, viewer.id, id_))
    return json({})


# -- v1: each keyword is a filter ------------------------------------------------------------------------------------


async def listing_v1(call: Call) -> Response:
    """GET /api/v1/filters"""
    found = await call.read(lambda tx, viewer: filters.of_account(tx, viewer.id))
    return json([entities.filter_v1(item, words) for item in found for words in item.keywords])


async def show_v1(call: Call) -> Response:
    """GET /api/v1/filters/{id}"""
    id_ = call.id()
    return json(entities.filter_v1(*(await call.read(lambda tx, viewer: filters.get_keyword(tx, viewer.id, id_)))))


async def create_v1(call: Call) -> Response:
    """POST /api/v1/filters"""
    params = await call.params()
    phrase, change = params.text("phrase") or "", _change_v1(call, params)
    words = KeywordChange(phrase, params.flag("whole_word"))
    return json(await call.write(_create_v1, change, words))


def _create_v1(tx: Tx, viewer: Viewer, change: Change, words: KeywordChange) -> dict[str, Any]:
    phrase = (words.keyword or "").strip()
    if not phrase:
        raise Unprocessable("Validation failed: Phrase can't be blank")
    made = filters.create(tx, viewer.id, replace(change, title=phrase[: filters.MAX_TITLE]), [words])
    return entities.filter_v1(made, made.keywords[0])


async def update_v1(call: Call) -> Response:
    """PUT /api/v1/filters/{id}"""
    params, id_ = await call.params(), call.id()
    words = KeywordChange(params.text("phrase"), params.boolean("whole_word"), id_)
    return json(await call.write(_update_v1, id_, _change_v1(call, params), words))


def _update_v1(tx: Tx, viewer: Viewer, id_: int, change: Change, words: KeywordChange) -> dict[str, Any]:
    known, _ = filters.get_keyword(tx, viewer.id, id_)
    if len(known.keywords) > 1 and _differs(known, change):
        raise Unprocessable("Validation failed: this filter has several keywords; an app for filters v2 can change it")
    filters.update(tx, viewer.id, known.id, change, [words])
    return entities.filter_v1(*filters.get_keyword(tx, viewer.id, id_))


def _differs(known: Filter, change: Change) -> bool:
    wanted = (change.contexts, change.action, change.expires_at)
    return any(
        value is not None and value != now
        for value, now in zip(wanted, (known.contexts, known.action, known.expires_at or 0), strict=True)
    )


def _change_v1(call: Call, params: Params) -> Change:
    hides = params.boolean("irreversible")
    action = None if hides is None else "hide" if hides else "warn"
    contexts = tuple(params.texts("context")) if "context" in params else None
    return Change(None, contexts, action, _expires_at(call, params))


async def delete_v1(call: Call) -> Response:
    """DELETE /api/v1/filters/{id}"""
    await call.write(_delete_v1, call.id())
    return json({})


def _delete_v1(tx: Tx, viewer: Viewer, id_: int) -> None:
    known, _ = filters.get_keyword(tx, viewer.id, id_)
    filters.delete_keyword(tx, viewer.id, id_)
    if len(known.keywords) == 1 and not known.statuses:
        filters.delete(tx, viewer.id, known.id)
