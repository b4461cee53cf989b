"""fedcorp's own API of groups: find, make, change and end them; join and leave; their ledger. For pages and scripts.

Groups of other departments work alike: what their own server must decide is sent as a signed wish, answered with 202,
and shown under `pending` until it did.
"""

from collections.abc import Callable
from typing import Any

import orjson
from starlette.responses import Response

from fedcorp import keys
from fedcorp.errors import BadRequest, Conflict, NotFound
from fedcorp.social import accounts, group_acts, groups, ledgers, memberships, policy, stewardship
from fedcorp.social.accounts import Account
from fedcorp.social.groups import Settings
from fedcorp.social.images import avatar, header
from fedcorp.social.pages import Page
from fedcorp.social.visibility import get_shown
from fedcorp.social.wishes import Wish
from fedcorp.storage.database import Tx
from fedcorp.web.api.uploads import Shelf
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import groups as entities
from fedcorp.web.entities.times import iso_or_none
from fedcorp.web.pagination import PAGE, links, page_of
from fedcorp.web.params import Params
from fedcorp.web.problems import ACCEPTED, OK
from fedcorp.web.route import Param

MOST_SECONDS = 10 * 366 * 86_400

# -- what the handlers read ------------------------------------------------------------------------------------------

_RULES = (
    Param("joining", "How one gets in.", choices=policy.JOINING),
    Param("reading", "Who reads what is posted.", choices=policy.READING),
    Param("posting", "Who posts.", choices=policy.POSTING),
    Param("inviting", "Who invites.", choices=policy.INVITING),
    Param("history", "What a new member reads: everything, or what comes from then on.", choices=policy.HISTORY),
    Param("outsiders", "What becomes of people whose servers do not keep a private group.", choices=policy.OUTSIDERS),
    Param("premoderated", "Whether posts of simple members wait for a moderator.", "boolean"),
    Param("purpose", "What the group is for, in one line.", most=groups.MAX_PURPOSE),
    Param("rules", f"Its rules, at most {groups.MAX_RULES} lines of {groups.MAX_RULE} characters.", "texts"),
    Param("topics", f"What it is about, at most {groups.MAX_TOPICS} words of {groups.MAX_TOPIC} characters.", "texts"),
    Param("ends_at", "When it is archived by itself; blank for never.", "time"),
    Param("avatar", "Its picture.", "file"),
    Param("header", "The picture above its profile.", "file"),
)
_DESCRIPTION = Param("description", "What stands on its profile.")
_REACH = Param("reach", "How far its posts travel.", choices=policy.REACHES)
LISTED = (
    *PAGE,
    Param("q", "Words that stand in its name, title, purpose or topics."),
    Param("joined", "Only groups that the viewer belongs to, or only others.", "boolean"),
)
CREATED = (
    Param("name", "The first half of its handle.", needed=True),
    Param("title", "What people call it.", needed=True),
    Param("preset", "The rules that it begins with: open when it is not said.", choices=policy.PRESETS),
    _REACH,
    _DESCRIPTION,
    *_RULES,
)
CHANGED = (
    Param("title", "What people call it."),
    _DESCRIPTION,
    _REACH,
    Param("archived", "Whether it has ended: it stays readable, and nobody posts or joins.", "boolean"),
    *_RULES,
)
JOINED = (
    Param("message", "What the moderators read of a request, 1000 characters of it."),
    Param("link", "The link that a moderator handed out, or the secret at its end: opens the group at once."),
)
UNTIL = (
    Param("expires_at", "When it ends.", "time"),
    Param("expires_in", "The same, in seconds from now.", "integer", least=1, most=MOST_SECONDS),
)

# -- what the chapters about groups share ----------------------------------------------------------------------------


def get_group(tx: Tx, viewer: Viewer, id_: int) -> Account:
    """The group with this account id, of this server or another. Raises NotFound, also for one that hides itself."""
    found = get_shown(tx, id_, viewer.id)
    if not found.is_group or groups.find(tx, id_) is None:
        raise NotFound
    return found


async def enter(call: Call) -> Account:
    """The group in the path, before any parameter is read. Raises Unauthorized, Forbidden, NotFound."""
    return await call.read(get_group, call.id())


Act = Callable[[Tx, Account, Account], Wish | None]
"""What somebody does to a group: (tx, the group, who acts). None: it is done."""


async def acting(call: Call, act: Act, shown: Callable[[Tx, Account, int], Any] = entities.group) -> Response:
    """Do `act` to the group in the path.

    Answers 200 with what `shown` makes of (tx, the group, the id of the viewer) then, or 202 with the wish that
    another department decides on.
    """
    body, status = await call.write(_act, call.id(), act, shown)
    return json(body, status)


def _act(tx: Tx, viewer: Viewer, id_: int, act: Act, shown: Callable[[Tx, Account, int], Any]) -> tuple[Any, int]:
    group = get_group(tx, viewer, id_)
    wish = act(tx, group, accounts.get(tx, viewer.id))
    tx.finish()
    if wish is not None:
        return entities.wish(tx, wish), ACCEPTED
    return shown(tx, accounts.find(tx, id_) or group, viewer.id), OK  # found also when the act was to delete it


def nothing(_tx: Tx, _group: Account, _viewer_id: int) -> dict[str, Any]:
    """What is left of something that ended."""
    return {}


def until(call: Call, params: Params) -> int | None:
    """The end that a request names as `expires_at`, or as `expires_in` seconds from now, in ms. Raises BadRequest."""
    seconds = params.integer("expires_in", least=1, most=MOST_SECONDS)
    return params.time("expires_at") if seconds is None else call.context.clock.ms() + seconds * 1000


# -- finding ---------------------------------------------------------------------------------------------------------


async def listing(call: Call) -> Response:
    """GET /api/fedcorp/v1/groups: those that the viewer may know of; with `q` in name, title, purpose or topics."""
    params = call.query
    page = page_of(params, default=40, most=80)
    ids, body = await call.read(_listing, params.text("q") or "", page, params.boolean("joined"))
    return json(body, headers=links(call, ids, full=len(ids) >= page.limit))


def _listing(tx: Tx, viewer: Viewer, q: str, page: Page, joined: bool | None) -> tuple[list[int], list[Any]]:
    ids = groups.find_ids(tx, viewer.id, q, page, joined=joined)
    return ids, entities.many(tx, ids, viewer.id)


async def show(call: Call) -> Response:
    """GET /api/fedcorp/v1/groups/{id}: what it is, its rules, and how the viewer stands to it."""
    return json(await call.read(_show, call.id()))


def _show(tx: Tx, viewer: Viewer, id_: int) -> dict[str, Any]:
    return entities.group(tx, get_group(tx, viewer, id_), viewer.id)


# -- making, changing, ending ----------------------------------------------------------------------------------------


async def create(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups: the viewer is its first admin."""
    await call.viewer()
    params = await call.params()
    values = {
        "title": params.required("title"),
        "preset": params.choice("preset", policy.PRESETS) or "open",
        "reach": params.choice("reach", policy.REACHES),
        "note": params.text("description") or "",
    }
    name = params.required("name")
    async with Shelf(call.context) as shelf:
        settings = await _settings(shelf, params)
        await call.read(_check_free, name, settings)  # before the keys, which take a while to make
        pair = await call.context.clock.offload(keys.generate)
        return json(await call.write(_create, name, pair, values, settings))


def _check_free(tx: Tx, _viewer: Viewer, name: str, settings: Settings) -> None:
    groups.check(tx, settings)
    if accounts.find_local(tx, name) is not None:
        raise Conflict(f"The name {name} is taken.")


def _create(
    tx: Tx, viewer: Viewer, name: str, pair: keys.KeyPair, values: dict[str, Any], settings: Settings
) -> dict[str, Any]:
    owner = accounts.get(tx, viewer.id)
    group = memberships.found(tx, owner, name, pair, **values)
    if settings != Settings():
        group_acts.change(tx, group, owner, settings)
    tx.finish()
    return entities.group(tx, accounts.get(tx, group.id), viewer.id)


async def update(call: Call) -> Response:
    """PATCH /api/fedcorp/v1/groups/{id}: what is not named stays. `archived` ends the group, or opens it again."""
    group, params = await enter(call), await call.params()
    archived = params.boolean("archived")
    if not group.local and (params.upload("avatar") or params.upload("header")):
        raise BadRequest("The pictures of this group are changed on its own server.")
    texts = {"title": params.text("title"), "description": params.text("description")}
    async with Shelf(call.context) as shelf:
        settings = await _settings(shelf, params)
        settings = Settings(**{**_values(settings), **texts, "reach": params.choice("reach", policy.REACHES)})
        if archived is None and settings == Settings():
            raise BadRequest("Nothing to change was named.")
        return await acting(call, lambda tx, group, own: _change(tx, group, own, settings, archived))


def _change(tx: Tx, group: Account, own: Account, settings: Settings, archived: bool | None) -> Wish | None:
    wish = group_acts.change(tx, group, own, settings) if settings != Settings() else None
    if archived is not None:
        wish = group_acts.archive(tx, group, own, archived=archived)
    return wish


_CHOICES = {
    "joining": policy.JOINING,
    "reading": policy.READING,
    "posting": policy.POSTING,
    "inviting": policy.INVITING,
    "history": policy.HISTORY,
    "outsiders": policy.OUTSIDERS,
}


def _values(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in Settings.__dataclass_fields__}


async def _settings(shelf: Shelf, params: Params) -> Settings:
    """The rules and pictures that a request names. Raises BadRequest, Unprocessable."""
    values: dict[str, Any] = {name: params.choice(name, choices) for name, choices in _CHOICES.items()}
    values["purpose"] = params.text("purpose")
    values["premoderated"] = params.boolean("premoderated")
    if "ends_at" in params:
        values["ends_at"] = params.time("ends_at") or 0  # an empty one: no end
    for name in ("rules", "topics"):
        if name in params:
            values[name] = tuple(line.strip() for line in params.texts(name) if line.strip())
    for name, work in (("avatar", avatar), ("header", header)):
        if upload := params.upload(name):
            values[name], _ = await shelf.store_whole(upload, work)
    return Settings(**values)


async def delete(call: Call) -> Response:
    """DELETE /api/fedcorp/v1/groups/{id}: for good, with everything that it passed on."""
    return await acting(call, group_acts.delete, nothing)


# -- joining and leaving ---------------------------------------------------------------------------------------------


async def join(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/join: with a `message` to the moderators, or a `link` that they handed out.

    200 for a member, 202 for somebody who waits. A link also opens groups that hide themselves from the viewer.
    """
    params = await call.params()
    said = {"message": params.text("message") or "", "link": params.text("link") or ""}
    body, waits = await call.write(_join, call.id(), said)
    return json(body, ACCEPTED if waits else OK)


def _join(tx: Tx, viewer: Viewer, id_: int, said: dict[str, str]) -> tuple[dict[str, Any], bool]:
    found, rules = accounts.find(tx, id_), groups.find(tx, id_)
    opened = found is not None and rules is not None and not found.hidden and memberships.opens(rules, said["link"])
    group = found if opened and found is not None else get_group(tx, viewer, id_)
    state = memberships.join(tx, accounts.get(tx, viewer.id), group, **said)
    tx.finish()
    return entities.group(tx, accounts.get(tx, id_), viewer.id), state == "pending"


async def leave(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/leave: also takes back a request to join."""
    return json(await call.write(_leave, call.id()))


def _leave(tx: Tx, viewer: Viewer, id_: int) -> dict[str, Any]:
    group = get_group(tx, viewer, id_)
    memberships.leave(tx, accounts.get(tx, viewer.id), group)
    tx.finish()
    return entities.group(tx, accounts.get(tx, id_), viewer.id)


async def decline(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/decline: say no to an invitation."""
    return await acting(call, group_acts.decline)


async def create_link(call: Call) -> Response:
    """POST /api/fedcorp/v1/groups/{id}/link: a new link that lets in whoever holds it; the old one ends."""
    return json(await call.write(_link, call.id(), True))


async def delete_link(call: Call) -> Response:
    """DELETE /api/fedcorp/v1/groups/{id}/link: the link lets nobody in any more."""
    return json(await call.write(_link, call.id(), False))


def _link(tx: Tx, viewer: Viewer, id_: int, wanted: bool) -> dict[str, Any]:
    group = get_group(tx, viewer, id_)
    if not group.local:
        raise BadRequest("The link of this group is made on its own server.")
    stewardship.renew_link(tx, group, accounts.get(tx, viewer.id), wanted=wanted)
    return entities.group(tx, group, viewer.id)


# -- the ledger ------------------------------------------------------------------------------------------------------


async def ledger(call: Call) -> Response:
    """GET /api/fedcorp/v1/groups/{id}/ledger: signed entries, latest first, for who may see the members."""
    page = page_of(call.query, default=40, most=80)
    numbers, body = await call.read(_ledger, call.id(), page)
    return json(body, headers=links(call, numbers, full=len(numbers) >= page.limit))


def _ledger(tx: Tx, viewer: Viewer, id_: int, page: Page) -> tuple[list[int], dict[str, Any]]:
    group = get_group(tx, viewer, id_)
    rules = groups.find(tx, id_)
    if rules is None or not policy.may_read_group(rules.reading, memberships.role_of(tx, id_, viewer.id)):
        raise NotFound
    rows, state = ledgers.entries(tx, group.id, page), ledgers.state(tx, group.id)
    body = {
        "entries_count": state.seq,
        "announced_count": state.known,
        "forked_at": iso_or_none(state.forked_at),
        "entries": [orjson.Fragment(document) for _, document in rows],
    }
    return [seq for seq, _ in rows], body
