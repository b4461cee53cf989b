"""Polls: read and vote."""

from typing import Any

from starlette.responses import Response

from fedcorp.errors import BadRequest
from fedcorp.social import accounts, polls, statuses
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities.emojis import in_words
from fedcorp.web.entities.polls import poll


async def show(call: Call) -> Response:
    """GET /api/v1/polls/{id}"""
    return json(await call.read(_show, call.id()))


def _show(tx: Tx, viewer: Viewer, id_: int) -> dict[str, Any]:
    row = polls.get(tx, id_, viewer.account_id)
    status = statuses.get_visible(tx, viewer.account_id, row.status_id)
    titles = " ".join(option.title for option in row.options)
    emojis = in_words(tx, accounts.get(tx, status.account_id), titles) if ":" in titles else []
    return poll(row, tx.ms, viewer.account_id, status.account_id, emojis)


async def vote(call: Call) -> Response:
    """POST /api/v1/polls/{id}/votes"""
    choices = [_position(text) for text in (await call.params()).texts("choices")]
    return json(await call.write(_vote, call.id(), choices))


def _position(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise BadRequest("The parameter choices must be a list of positions, counted from 0.")
    return int(text)


def _vote(tx: Tx, viewer: Viewer, id_: int, choices: list[int]) -> dict[str, Any]:
    _show(tx, viewer, id_)  # NotFound for those who may not see it
    polls.vote(tx, accounts.get(tx, viewer.id), id_, choices)
    tx.finish()
    return _show(tx, viewer, id_)
