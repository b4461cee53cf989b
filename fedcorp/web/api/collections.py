"""Collections of accounts that people recommend: one's own to curate, those of others to read and to leave."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from fedcorp.social import collections
from fedcorp.social.collections import Change, Collection
from fedcorp.social.policy import REACHES
from fedcorp.social.visibility import get_shown
from fedcorp.storage.database import Tx
from fedcorp.web.api.drafts import language_of
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import collections as entities
from fedcorp.web.pagination import offset_links
from fedcorp.web.params import Params

DEFAULT, MOST = 40, 80
Reading = Callable[[Tx, Viewer, int, int, int], list[Collection]]


async def create(call: Call) -> Response:
    """POST /api/v1/collections"""
    params = await call.params()
    said, ids = _said(params), params.ids("account_ids")
    return json(await call.write(lambda tx, viewer: _one(tx, viewer, collections.create(tx, viewer.id, said, ids))))


async def show(call: Call) -> Response:
    """GET /api/v1/collections/{id}"""
    return json(await call.read(_show, call.id()))


def _show(tx: Tx, viewer: Viewer, id_: int) -> dict[str, Any]:
    row = collections.get(tx, viewer.account_id, id_)
    return entities.with_accounts(tx, viewer.account_id, row)


async def update(call: Call) -> Response:
    """PATCH /api/v1/collections/{id}"""
    said, id_ = _said(await call.params()), call.id()
    return json(await call.write(lambda tx, viewer: _one(tx, viewer, collections.update(tx, viewer.id, id_, said))))


async def delete(call: Call) -> Response:
    """DELETE /api/v1/collections/{id}"""
    id_ = call.id()
    await call.write(lambda tx, viewer: collections.delete(tx, viewer.id, id_))
    return json({})


def _said(params: Params) -> Change:
    """What the request says of a collection. A null or blank language or hashtag takes it away; what is no code of a
    language counts as absent."""
    given = params.text("language")
    is_blank = "language" in params and not given
    return Change(
        name=params.text("name"),
        description=params.text("description"),
        language="" if is_blank else language_of(params),
        tag=(params.text("tag_name") or "") if "tag_name" in params else None,
        sensitive=params.boolean("sensitive"),
        discoverable=params.boolean("discoverable"),
        reach=params.choice("reach", REACHES),
    )


def _one(tx: Tx, viewer: Viewer, row: Collection) -> dict[str, Any]:
    return {"collection": entities.many(tx, viewer.account_id, [row])[0]}


# -- lists -----------------------------------------------------------------------------------------------------------


async def of_account(call: Call) -> Response:
    """GET /api/v1/accounts/{id}/collections"""
    return await _page(call, _of_account)


def _of_account(tx: Tx, viewer: Viewer, id_: int, limit: int, offset: int) -> list[Collection]:
    owner = get_shown(tx, id_, viewer.account_id)
    return collections.of_account(tx, viewer.account_id, owner.id, limit, offset)


async def featuring(call: Call) -> Response:
    """GET /api/v1/accounts/{id}/in_collections"""
    return await _page(call, _featuring)


def _featuring(tx: Tx, viewer: Viewer, id_: int, limit: int, offset: int) -> list[Collection]:
    account = get_shown(tx, id_, viewer.account_id)
    return collections.featuring(tx, viewer.id, account.id, limit, offset)


async def _page(call: Call, reading: Reading) -> Response:
    params, id_ = call.query, call.id()
    limit, offset = params.integer("limit", least=1, most=MOST) or DEFAULT, params.integer("offset") or 0
    more, body = await call.read(_listed, reading, id_, limit, offset)
    return json({"collections": body}, headers=offset_links(call, limit, offset, more=more))


def _listed(
    tx: Tx, viewer: Viewer, reading: Reading, id_: int, limit: int, offset: int
) -> tuple[bool, list[dict[str, Any]]]:
    rows = reading(tx, viewer, id_, limit + 1, offset)
    return len(rows) > limit, entities.many(tx, viewer.account_id, rows[:limit])


# -- who stands in it ------------------------------------------------------------------------------------------------


async def add_item(call: Call) -> Response:
    """POST /api/v1/collections/{id}/items"""
    account_id, id_ = (await call.params()).id("account_id"), call.id()
    added = await call.write(lambda tx, viewer: collections.add(tx, viewer.id, id_, account_id))
    return json({"collection_item": entities.item(added)})


async def remove_item(call: Call) -> Response:
    """DELETE /api/v1/collections/{id}/items/{item}"""
    id_, item_id = call.id(), call.id("item")
    await call.write(lambda tx, viewer: collections.remove(tx, viewer.id, id_, item_id))
    return json({})


async def revoke_item(call: Call) -> Response:
    """POST /api/v1/collections/{id}/items/{item}/revoke"""
    id_, item_id = call.id(), call.id("item")
    await call.write(lambda tx, viewer: collections.revoke(tx, viewer.id, id_, item_id))
    return json({})
