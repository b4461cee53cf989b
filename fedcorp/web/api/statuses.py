"""Statuses: write, change, delete, read with their threads, and react."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from starlette.responses import Response

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import (
    accounts,
    descriptions,
    interactions,
    media,
    publishing,
    quotes,
    scheduling,
    statuses,
    threads,
    timelines,
)
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Page
from fedcorp.social.publishing import Draft
from fedcorp.social.statuses import Status
from fedcorp.social.threads import Reading
from fedcorp.social.timelines import Listed
from fedcorp.storage.database import Tx
from fedcorp.web.api import drafts, shown
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import statuses as entities
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.scheduled import scheduled
from fedcorp.web.pagination import page_of
from fedcorp.web.params import Params

REFRESH_SECONDS = 3  # after which it is worth asking again how far a thread has been read

# -- writing ---------------------------------------------------------------------------------------------------------


async def create(call: Call) -> Response:
    """POST /api/v1/statuses: with `scheduled_at` it waits until then"""
    params = await call.params()
    draft, at = (
        drafts.read(params, await call.viewer(), call.headers.get("idempotency-key")),
        params.time("scheduled_at"),
    )
    await _ask_for_descriptions(call, draft)
    draft = replace(draft, mentions=await drafts.resolve_mentions(call, draft.text))
    if at is not None:
        return json(await call.write(_schedule, draft, at))
    return await shown.status(call, await call.write(_publish, draft))


async def _ask_for_descriptions(call: Call, draft: Draft) -> None:
    """Raises Unprocessable, in a unit of its own: that somebody was reminded stays."""
    if draft.media_ids and call.context.config.posts.descriptions != "optional":
        told = await call.write(_descriptions, draft)
        if told is not None:
            raise Unprocessable(f"Validation failed: {told}")


def _descriptions(tx: Tx, viewer: Viewer, draft: Draft) -> str | None:
    return descriptions.ask(tx, viewer.id, draft.media_ids, draft.media_details)


def _publish(tx: Tx, viewer: Viewer, draft: Draft) -> int:
    return publishing.publish(tx, accounts.get(tx, viewer.id), draft).id


def _schedule(tx: Tx, viewer: Viewer, draft: Draft, at: int) -> dict[str, Any]:
    return scheduled(tx, scheduling.create(tx, accounts.get(tx, viewer.id), draft, at))


async def edit(call: Call) -> Response:
    """PUT /api/v1/statuses/{id}"""
    params, id_ = await call.params(), call.id()
    draft = await call.read(_edited, id_, params)
    await _ask_for_descriptions(call, draft)
    draft = replace(draft, mentions=await drafts.resolve_mentions(call, draft.text))
    await call.write(_edit, id_, draft)
    return await shown.status(call, id_)


def _edited(tx: Tx, viewer: Viewer, id_: int, params: Params) -> Draft:
    status = statuses.get_own(tx, viewer.id, id_)
    attached = media.of_statuses(tx, [id_]).get(id_, [])
    return drafts.read_edit(params, status, tuple(item.id for item in attached))


def _edit(tx: Tx, viewer: Viewer, id_: int, draft: Draft) -> None:
    publishing.edit(tx, accounts.get(tx, viewer.id), id_, draft)


async def delete(call: Call) -> Response:
    """DELETE /api/v1/statuses/{id}: answers the post with its source, so that it can be written anew."""
    id_ = call.id()
    body, text = await call.read(_before_deletion, call.context.rendered, id_)
    await call.write(_delete, id_, call.query.flag("delete_media"))
    return json(body[:-1] + b',"text":' + orjson.dumps(text) + b"}")


def _before_deletion(tx: Tx, viewer: Viewer, cache: Rendered, id_: int) -> tuple[bytes, str]:
    status = statuses.get_own(tx, viewer.id, id_)
    return entities.render_one(tx, cache, viewer.id, id_, reveal=True), status.text


def _delete(tx: Tx, viewer: Viewer, id_: int, delete_media: bool) -> None:
    status = statuses.get_own(tx, viewer.id, id_)
    account = accounts.get(tx, viewer.id)
    if status.reblog_of_id is not None:
        interactions.unreblog(tx, account, status.reblog_of_id)
        return
    if not delete_media:  # the files stay for a while, for the post that may be written anew
        media.replace(tx, account.id, id_, [])
    statuses.delete(tx, account, id_)


# -- reading ---------------------------------------------------------------------------------------------------------


async def show(call: Call) -> Response:
    """GET /api/v1/statuses/{id}"""
    return await shown.status(call, call.id())


async def show_many(call: Call) -> Response:
    """GET /api/v1/statuses"""
    ids = call.query.ids("id")[:40]
    cache = call.context.rendered
    return json(await call.read(lambda tx, viewer: shown.listed(tx, cache, viewer, ids)))


async def context(call: Call) -> Response:
    """GET /api/v1/statuses/{id}/context"""
    body, due, reading = await call.read(_context, call.context.rendered, call.id())
    if due is not None:  # answers that other servers know are there when the thread is opened again
        await call.context.db.write(threads.want, due)
        reading = Reading(running=True, found=0)
    if reading is None or not reading.running:
        return json(body)
    told = f'id="{call.id()}", retry={REFRESH_SECONDS}, result_count={reading.found}'
    return json(body, headers={"Mastodon-Async-Refresh": told})


_Context = tuple[bytes, int | None, Reading | None]


def _context(tx: Tx, viewer: Viewer, cache: Rendered, id_: int) -> _Context:
    status = statuses.get_original(tx, viewer.account_id, id_)
    ancestors, descendants = statuses.context(tx, viewer.account_id, status)
    found = [*ancestors, *descendants]
    rendered = entities.render_map(tx, cache, viewer.account_id, found, context="thread")
    parts = [entities.array(rendered[id_] for id_ in ids if id_ in rendered) for ids in (ancestors, descendants)]
    body = b'{"ancestors":%b,"descendants":%b}' % tuple(parts)
    if viewer.account_id is None:
        return body, None, None
    return body, threads.find_due(tx, status), threads.reading_of(tx, status)


async def show_refresh(call: Call) -> Response:
    """GET /api/v1_alpha/async_refreshes/{id}: whether the thread of this post is still being read elsewhere"""
    id_ = call.id()
    reading = await call.read(lambda tx, viewer: threads.reading_of(tx, statuses.get_original(tx, viewer.id, id_)))
    if reading is None:
        raise NotFound
    state = "running" if reading.running else "finished"
    return json({"async_refresh": {"id": str(id_), "status": state, "result_count": reading.found}})


async def source(call: Call) -> Response:
    """GET /api/v1/statuses/{id}/source"""
    id_ = call.id()
    return json(await call.read(lambda tx, viewer: entities.source(statuses.get_own(tx, viewer.id, id_))))


async def history(call: Call) -> Response:
    """GET /api/v1/statuses/{id}/history"""
    return json(await call.read(_history, call.id()))


def _history(tx: Tx, viewer: Viewer, id_: int) -> list[dict[str, Any]]:
    return entities.edits(tx, statuses.get_original(tx, viewer.account_id, id_))


_Lister = Callable[[Tx, int | None, int, Page], list[Listed]]


async def favourited_by(call: Call) -> Response:
    """GET /api/v1/statuses/{id}/favourited_by"""
    return await _list(call, timelines.favourited_by)


async def reblogged_by(call: Call) -> Response:
    """GET /api/v1/statuses/{id}/reblogged_by"""
    return await _list(call, timelines.reblogged_by)


async def _list(call: Call, lister: _Lister) -> Response:
    page = page_of(call.query, default=40, most=80)
    ids, body = await call.read(_who, call.id(), page, lister)
    return shown.page(call, ids, body, page.limit)


def _who(tx: Tx, viewer: Viewer, id_: int, page: Page, lister: _Lister) -> tuple[list[int], list[dict[str, Any]]]:
    status = statuses.get_original(tx, viewer.account_id, id_)
    return shown.people(tx, lister(tx, viewer.account_id, status.id, page))


# -- quotes ----------------------------------------------------------------------------------------------------------


async def list_quotes(call: Call) -> Response:
    """GET /api/v1/statuses/{id}/quotes"""
    page = page_of(call.query)
    ids, body = await call.read(_list_quotes, call.context.rendered, call.id(), page)
    return shown.page(call, ids, body, page.limit)


def _list_quotes(tx: Tx, viewer: Viewer, cache: Rendered, id_: int, page: Page) -> tuple[list[int], bytes]:
    status = statuses.get_original(tx, viewer.account_id, id_)
    ids = quotes.listing(tx, viewer.account_id, status.id, page)
    return ids, shown.found(tx, cache, viewer, ids)


async def revoke_quote(call: Call) -> Response:
    """POST /api/v1/statuses/{id}/quotes/{quoting}/revoke: answers the post that quoted."""
    id_, quoting_id = call.id(), call.id("quoting")
    await call.write(_revoke_quote, id_, quoting_id)
    return await shown.status(call, quoting_id)


def _revoke_quote(tx: Tx, viewer: Viewer, id_: int, quoting_id: int) -> None:
    quotes.revoke(tx, accounts.get(tx, viewer.id), id_, quoting_id)


async def set_interaction_policy(call: Call) -> Response:
    """PUT /api/v1/statuses/{id}/interaction_policy"""
    params, id_ = await call.params(), call.id()
    await call.write(_set_interaction_policy, id_, drafts.quote_policy_of(params))
    return await shown.status(call, id_)


def _set_interaction_policy(tx: Tx, viewer: Viewer, id_: int, chosen: str | None) -> None:
    account = accounts.get(tx, viewer.id)
    status = statuses.get_own(tx, account.id, id_)  # whether it is there comes first
    quotes.set_policy(tx, status, chosen or "")


# -- reacting --------------------------------------------------------------------------------------------------------

_Verb = Callable[[Tx, Account, Status], None]


def _reacting(verb: _Verb) -> "Callable[[Call], Any]":
    """A handler that does `verb` to the status in the path (of a boost: to what it shows) and answers the status."""

    async def handler(call: Call) -> Response:
        return await shown.status(call, await call.write(_react, call.id(), verb))

    return handler


def _react(tx: Tx, viewer: Viewer, id_: int, verb: _Verb) -> int:
    status = statuses.get_original(tx, viewer.id, id_)
    verb(tx, accounts.get(tx, viewer.id), status)
    return status.id


async def reblog(call: Call) -> Response:
    """POST /api/v1/statuses/{id}/reblog: answers the boost, with the original inside."""
    params = await call.params()
    visibility = params.choice("visibility", ("public", "unlisted", "private"))
    return await shown.status(call, await call.write(_reblog, call.id(), visibility))


def _reblog(tx: Tx, viewer: Viewer, id_: int, visibility: str | None) -> int:
    status = statuses.get_original(tx, viewer.id, id_)
    account = accounts.get(tx, viewer.id)
    return interactions.reblog(tx, account, status, visibility=visibility or "public").id


unreblog = _reacting(lambda tx, account, status: interactions.unreblog(tx, account, status.id))
favourite = _reacting(lambda tx, account, status: interactions.favourite(tx, account, status))
unfavourite = _reacting(lambda tx, account, status: interactions.unfavourite(tx, account, status.id))
bookmark = _reacting(lambda tx, account, status: interactions.bookmark(tx, account.id, status.id))
unbookmark = _reacting(lambda tx, account, status: interactions.unbookmark(tx, account.id, status.id))
pin = _reacting(interactions.pin)
unpin = _reacting(interactions.unpin)
mute = _reacting(lambda tx, account, status: interactions.mute_thread(tx, account.id, status.thread_id))
unmute = _reacting(lambda tx, account, status: interactions.unmute_thread(tx, account.id, status.thread_id))
