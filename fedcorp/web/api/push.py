"""Push notifications: an app says where it wants to be told, of what, and caused by whom."""

from starlette.responses import Response

from fedcorp import webpush
from fedcorp.errors import BadRequest
from fedcorp.social import push
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import push as entities
from fedcorp.web.params import Params

_ADMIN = "admin."


async def create(call: Call) -> Response:
    """POST /api/v1/push/subscription"""
    params = await call.params()
    return _answer(call, await call.write(_create, params, call.token() or ""))


def _create(tx: Tx, viewer: Viewer, params: Params, token: str) -> push.Subscription:
    wanted = params.group("subscription") or Params({})
    keys = wanted.group("keys") or Params({})
    endpoint, p256dh, auth = _named(wanted, "endpoint"), _named(keys, "p256dh"), _named(keys, "auth")
    return push.subscribe(
        tx, viewer.token_id or 0, viewer.id, token, endpoint=endpoint, receiver=webpush.read_receiver(p256dh, auth),
        standard=wanted.flag("standard"), alerts=_alerts(params) or set(), policy=_policy(params) or "all",
    )  # fmt: skip


async def show(call: Call) -> Response:
    """GET /api/v1/push/subscription"""
    return _answer(call, await call.read(lambda tx, viewer: push.get(tx, viewer.token_id or 0)))


async def update(call: Call) -> Response:
    """PUT /api/v1/push/subscription"""
    params = await call.params()
    alerts, policy = _alerts(params), _policy(params)
    changed = await call.write(lambda tx, viewer: push.change(tx, viewer.token_id or 0, alerts=alerts, policy=policy))
    return _answer(call, changed)


async def delete(call: Call) -> Response:
    """DELETE /api/v1/push/subscription"""
    await call.write(lambda tx, viewer: push.unsubscribe(tx, viewer.token_id or 0))
    return json({})


def _answer(call: Call, found: push.Subscription) -> Response:
    return json(entities.subscription(call.context.db.site, found))


def _named(group: Params, name: str) -> str:
    """A text that a subscription cannot do without. Raises BadRequest."""
    text = (group.text(name) or "").strip()
    if not text:
        raise BadRequest(f"The parameter {name} of the subscription is missing.")
    return text


def _alerts(params: Params) -> set[str] | None:
    """The kinds that are asked for, None when nothing is said of them; the administrators' ones may be nested."""
    alerts = (params.group("data") or Params({})).group("alerts")
    if alerts is None:
        return None
    admin = alerts.group("admin") or Params({})
    nested = {kind for kind in push.ALERTS if kind.startswith(_ADMIN) and admin.flag(kind.removeprefix(_ADMIN))}
    return nested | {kind for kind in push.ALERTS if alerts.flag(kind)}


def _policy(params: Params) -> str | None:
    """Documented within `data` and beside it; apps send either."""
    data = params.group("data") or Params({})
    return data.choice("policy", push.POLICIES) or params.choice("policy", push.POLICIES)
