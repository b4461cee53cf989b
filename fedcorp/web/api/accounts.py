"""Accounts: one's own profile, those of others, and how one stands to them."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from fedcorp.errors import NotFound
from fedcorp.social import accounts, blocks, counts, follows, group_acts, lists, memberships, people, search, timelines
from fedcorp.social.accounts import Account, Profile
from fedcorp.social.images import avatar, header
from fedcorp.social.pages import Page
from fedcorp.social.visibility import get_shown, is_shown
from fedcorp.storage.database import Tx
from fedcorp.urls import split_handle
from fedcorp.web.api import shown
from fedcorp.web.api.drafts import language_of, languages_of
from fedcorp.web.api.uploads import Shelf
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import accounts as entities
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.lists import list_
from fedcorp.web.entities.relationships import between
from fedcorp.web.pagination import page_of
from fedcorp.web.params import Params

# -- one's own -------------------------------------------------------------------------------------------------------


async def verify_credentials(call: Call) -> Response:
    """GET /api/v1/accounts/verify_credentials"""
    return json(await call.read(_credentials))


def _credentials(tx: Tx, viewer: Viewer) -> dict[str, Any]:
    return entities.credentials(tx, accounts.get(tx, viewer.id), viewer.role or "user")


async def update_credentials(call: Call) -> Response:
    """PATCH /api/v1/accounts/update_credentials"""
    await _change(call)
    return json(await call.read(_credentials))


async def show_profile(call: Call) -> Response:
    """GET /api/v1/profile"""
    return json(await call.read(_show_profile))


def _show_profile(tx: Tx, viewer: Viewer) -> dict[str, Any]:
    return entities.profile(tx, accounts.get(tx, viewer.id))


async def update_profile(call: Call) -> Response:
    """PATCH /api/v1/profile"""
    await _change(call)
    return json(await call.read(_show_profile))


async def _change(call: Call) -> None:
    await call.viewer()  # before pictures are computed
    params = await call.params()
    async with Shelf(call.context) as shelf:
        pictures = {
            name: await shelf.store_whole(upload, work)
            for name, work in (("avatar", avatar), ("header", header))
            if (upload := params.upload(name)) is not None
        }
        await call.write(_update, _profile(params, pictures))


def _profile(params: Params, pictures: dict[str, str]) -> Profile:
    source = params.group("source")
    fields = None
    if "fields_attributes" in params:
        fields = tuple(
            (item.text("name") or "", item.text("value") or "") for item in params.records("fields_attributes")
        )
    return Profile(
        display_name=params.text("display_name"),
        note=params.text("note"),
        locked=params.boolean("locked"),
        bot=params.boolean("bot"),
        discoverable=params.boolean("discoverable"),
        indexable=params.boolean("indexable"),
        hide_collections=params.boolean("hide_collections"),
        fields=fields,
        settings=_settings(source) if source else {},
        shown=_presentation(params),
        **pictures,
    )


def _presentation(params: Params) -> dict[str, Any]:
    values: dict[str, Any] = {name: params.text(name) for name in ("avatar_description", "header_description")}
    values |= {name: params.boolean(name) for name in ("show_media", "show_media_replies", "show_featured")}
    if "attribution_domains" in params:
        values["attribution_domains"] = params.texts("attribution_domains")
    return {name: value for name, value in values.items() if value is not None}


_WORDS = ("privacy", "reach", "quote_policy")


def _settings(source: Params) -> dict[str, Any]:
    values: dict[str, Any] = {name: source.text(name) for name in _WORDS if source.text(name)}
    if "sensitive" in source:
        values["sensitive"] = source.flag("sensitive")
    if "language" in source:
        values["language"] = language_of(source)
    return values


def _update(tx: Tx, viewer: Viewer, change: Profile) -> None:
    accounts.update_profile(tx, accounts.get(tx, viewer.id), change)


async def delete_avatar(call: Call) -> Response:
    """DELETE /api/v1/profile/avatar"""
    await call.write(_update, Profile(avatar=""))
    return json(await call.read(_credentials))


async def delete_header(call: Call) -> Response:
    """DELETE /api/v1/profile/header"""
    await call.write(_update, Profile(header=""))
    return json(await call.read(_credentials))


async def preferences(call: Call) -> Response:
    """GET /api/v1/preferences"""
    settings = await call.read(lambda tx, viewer: accounts.settings_of(tx, viewer.id))
    return json(entities.preferences(call.context.config, settings))


# -- others ----------------------------------------------------------------------------------------------------------


async def show(call: Call) -> Response:
    """GET /api/v1/accounts/{id}"""
    return await _looked_at(call, await call.read(_show, call.id()))


_Shown = tuple[dict[str, Any], Account | None]


async def _looked_at(call: Call, found: _Shown) -> Response:
    body, uncounted = found
    await shown.count_soon(call, uncounted)
    return json(body)


def _show(tx: Tx, viewer: Viewer, id_: int) -> _Shown:
    account = get_shown(tx, id_, viewer.account_id)
    return entities.whole(tx, account), shown.uncounted(tx, viewer, account)


async def show_many(call: Call) -> Response:
    """GET /api/v1/accounts"""
    ids = call.query.ids("id")[:40]
    return json(await call.read(_show_many, ids))


def _show_many(tx: Tx, viewer: Viewer, ids: list[int]) -> list[dict[str, Any]]:
    known = accounts.find_many(tx, ids)
    shown_to = [id_ for id_ in ids if id_ in known and is_shown(tx, known[id_], viewer.account_id)]
    return entities.many(tx, shown_to)


async def lookup(call: Call) -> Response:
    """GET /api/v1/accounts/lookup"""
    return await _looked_at(call, await call.read(_lookup, call.query.required("acct")))


def _lookup(tx: Tx, viewer: Viewer, acct: str) -> _Shown:
    found = accounts.find_by_handle(tx, *split_handle(acct))
    if found is None or not is_shown(tx, found, viewer.account_id):
        raise NotFound
    return entities.whole(tx, found), shown.uncounted(tx, viewer, found)


async def find(call: Call) -> Response:
    """GET /api/v1/accounts/search"""
    params = call.query
    q = params.text("q") or ""
    limit = params.integer("limit", least=1, most=80) or 40
    viewer = await call.viewer()
    if params.flag("resolve") and split_handle(q)[1] is not None:
        await shown.count_found(call, await call.context.resolve.account(q, viewer_id=viewer.account_id))
    return json(await call.read(_find, q, limit, params.integer("offset") or 0, params.flag("following")))


def _find(tx: Tx, viewer: Viewer, q: str, limit: int, offset: int, following: bool) -> list[dict[str, Any]]:
    return entities.many(tx, search.account_ids(tx, viewer.account_id, q, limit, offset, following=following))


async def list_statuses(call: Call) -> Response:
    """GET /api/v1/accounts/{id}/statuses"""
    params = call.query
    page = page_of(params)
    how: dict[str, Any] = {"tagged": params.text("tagged") or None}
    how |= {name: params.flag(name) for name in ("exclude_replies", "exclude_reblogs", "only_media", "pinned")}
    ids, body = await call.read(_statuses, call.context.rendered, call.id(), page, how)
    return shown.page(call, ids, body, page.limit)


def _statuses(
    tx: Tx, viewer: Viewer, cache: Rendered, id_: int, page: Page, how: dict[str, Any]
) -> tuple[list[int], bytes]:
    get_shown(tx, id_, viewer.account_id)
    found = timelines.account_statuses(tx, viewer.account_id, id_, page, **how)
    return shown.rendered(tx, cache, viewer, found, "account")


_Lister = Callable[[Tx, int | None, Account, Page], list[tuple[int, int]]]


async def list_followers(call: Call) -> Response:
    """GET /api/v1/accounts/{id}/followers"""
    return await _list(call, people.followers)


async def list_following(call: Call) -> Response:
    """GET /api/v1/accounts/{id}/following"""
    return await _list(call, people.following)


async def _list(call: Call, lister: _Lister) -> Response:
    page = page_of(call.query, default=40, most=80)
    ids, body = await call.read(_related, call.id(), page, lister)
    return shown.page(call, ids, body, page.limit)


def _related(tx: Tx, viewer: Viewer, id_: int, page: Page, lister: _Lister) -> tuple[list[int], list[dict[str, Any]]]:
    return shown.people(tx, lister(tx, viewer.account_id, get_shown(tx, id_, viewer.account_id), page))


async def list_lists(call: Call) -> Response:
    """GET /api/v1/accounts/{id}/lists"""
    id_ = call.id()
    rows = await call.read(lambda tx, viewer: lists.containing(tx, viewer.id, get_shown(tx, id_, viewer.id).id))
    return json([list_(row) for row in rows])


async def list_nothing(call: Call) -> Response:
    """Proofs of an account: there is no way to have any."""
    await call.read(lambda tx, viewer: get_shown(tx, call.id(), viewer.account_id))
    return json([])


async def list_endorsements(call: Call) -> Response:
    """GET /api/v1/accounts/{id}/endorsements"""
    return await _endorsements(call, call.id())


async def list_own_endorsements(call: Call) -> Response:
    """GET /api/v1/endorsements"""
    return await _endorsements(call, None)


async def _endorsements(call: Call, id_: int | None) -> Response:
    page = page_of(call.query, default=40, most=80)
    ids, body = await call.read(_endorsed, id_, page)
    return shown.page(call, ids, body, page.limit)


def _endorsed(tx: Tx, viewer: Viewer, id_: int | None, page: Page) -> tuple[list[int], list[dict[str, Any]]]:
    owner = get_shown(tx, viewer.id if id_ is None else id_, viewer.id)
    return shown.people(tx, people.endorsed(tx, viewer.id, owner.id, page))


async def familiar_followers(call: Call) -> Response:
    """GET /api/v1/accounts/familiar_followers"""
    return json(await call.read(_familiar, call.query.ids("id")[:40]))


def _familiar(tx: Tx, viewer: Viewer, ids: list[int]) -> list[dict[str, Any]]:
    found = people.familiar(tx, viewer.id, ids)
    return [{"id": str(id_), "accounts": entities.many(tx, found[id_])} for id_ in found]


# -- how one stands to them ------------------------------------------------------------------------------------------


async def relationships(call: Call) -> Response:
    """GET /api/v1/accounts/relationships"""
    return json(await call.read(_relationships, call.query.ids("id")[:80]))


def _relationships(tx: Tx, viewer: Viewer, ids: list[int]) -> list[dict[str, Any]]:
    known = accounts.find_many(tx, ids) if ids else {}
    return between(tx, viewer.id, [id_ for id_ in ids if id_ in known and is_shown(tx, known[id_], viewer.id)])


_Verb = Callable[[Tx, Account, Account, Params], None]


def _acting(verb: _Verb) -> "Callable[[Call], Any]":
    """A handler that does `verb` to the account in the path and answers how the two stand then."""

    async def handler(call: Call) -> Response:
        params, id_ = await call.params(), call.id()
        return json(await call.write(_act, id_, verb, params))

    return handler


def _act(tx: Tx, viewer: Viewer, id_: int, verb: _Verb, params: Params) -> dict[str, Any]:
    verb(tx, accounts.get(tx, viewer.id), get_shown(tx, id_, viewer.id), params)
    tx.finish()
    return between(tx, viewer.id, [id_])[0]


def _follow(tx: Tx, own: Account, other: Account, params: Params) -> None:
    known = follows.find(tx, own.id, other.id)
    reblogs, notify = params.boolean("reblogs"), params.boolean("notify")
    verb = memberships.join if other.is_group else follows.follow
    verb(
        tx,
        own,
        other,
        reblogs=reblogs if reblogs is not None else known is None or known.reblogs,
        notify=notify if notify is not None else known is not None and known.notify,
        languages=languages_of(params),
    )
    counts.want(tx, other, wait_ms=counts.ANSWERED_MS)


def _unfollow(tx: Tx, own: Account, other: Account, _: Params) -> None:
    if other.is_group:
        memberships.leave(tx, own, other)
    else:
        follows.unfollow(tx, own.id, other.id)


def _mute(tx: Tx, own: Account, other: Account, params: Params) -> None:
    notifications = params.boolean("notifications")
    duration = params.integer("duration", most=blocks.MAX_MUTE_SECONDS) or 0
    blocks.mute(tx, own, other, notifications=notifications is not False, duration=duration)


def _remove_follower(tx: Tx, own: Account, other: Account, _: Params) -> None:
    if follows.find(tx, other.id, own.id) is not None:
        follows.reject(tx, other.id, own.id)


def _note(tx: Tx, own: Account, other: Account, params: Params) -> None:
    people.set_note(tx, own.id, other.id, params.text("comment") or "")


follow = _acting(_follow)
unfollow = _acting(_unfollow)
block = _acting(lambda tx, own, other, _: blocks.block(tx, own, other))
unblock = _acting(lambda tx, own, other, _: blocks.unblock(tx, own.id, other.id))
mute = _acting(_mute)
unmute = _acting(lambda tx, own, other, _: blocks.unmute(tx, own.id, other.id))
remove_from_followers = _acting(_remove_follower)
note = _acting(_note)
endorse = _acting(lambda tx, own, other, _: people.endorse(tx, own.id, other.id))
unendorse = _acting(lambda tx, own, other, _: people.unendorse(tx, own.id, other.id))


# -- requests to follow ----------------------------------------------------------------------------------------------


async def list_requests(call: Call) -> Response:
    """GET /api/v1/follow_requests"""
    page = page_of(call.query, default=40, most=80)
    ids, body = await call.read(lambda tx, viewer: shown.people(tx, people.requests(tx, viewer.id, page)))
    return shown.page(call, ids, body, page.limit)


def _authorize_request(tx: Tx, own: Account, other: Account, _: Params) -> None:
    target_id = people.asked(tx, own.id, other.id)
    if target_id == own.id:
        follows.accept(tx, other.id, own.id)
    else:
        group_acts.approve(tx, accounts.get(tx, target_id), own, other)


def _reject_request(tx: Tx, own: Account, other: Account, _: Params) -> None:
    target_id = people.asked(tx, own.id, other.id)
    if target_id != own.id:
        group_acts.refuse(tx, accounts.get(tx, target_id), own, other)
    elif follows.is_following(tx, other.id, own.id):
        raise NotFound  # it was answered; who follows is removed by another verb
    else:
        follows.reject(tx, other.id, own.id)


authorize_request = _acting(_authorize_request)
reject_request = _acting(_reject_request)


# -- kept away -------------------------------------------------------------------------------------------------------


async def list_blocks(call: Call) -> Response:
    """GET /api/v1/blocks"""
    page = page_of(call.query, default=40, most=80)
    ids, body = await call.read(lambda tx, viewer: shown.people(tx, blocks.blocked(tx, viewer.id, page)))
    return shown.page(call, ids, body, page.limit)


async def list_mutes(call: Call) -> Response:
    """GET /api/v1/mutes"""
    page = page_of(call.query, default=40, most=80)
    ids, body = await call.read(_mutes, page)
    return shown.page(call, ids, body, page.limit)


def _mutes(tx: Tx, viewer: Viewer, page: Page) -> tuple[list[int], list[dict[str, Any]]]:
    rows = blocks.muted(tx, viewer.id, page)
    return [row[0] for row in rows], entities.muted(tx, {row[1]: row[2] for row in rows})


# -- discovery -------------------------------------------------------------------------------------------------------


async def directory(call: Call) -> Response:
    """GET /api/v1/directory"""
    params = call.query
    limit, offset = params.integer("limit", least=1, most=80) or 40, params.integer("offset") or 0
    newest = params.choice("order", ("active", "new")) == "new"
    local = params.flag("local")
    return json(
        await call.read(
            lambda tx, viewer: entities.many(
                tx, people.directory(tx, viewer.account_id, limit, offset, newest=newest, local=local)
            )
        )
    )


async def suggestions(call: Call) -> Response:
    """GET /api/v2/suggestions"""
    found = await _suggested(call)
    return json(
        [
            {
                "source": "staff" if entity["group"] else "global",
                "sources": ["featured" if entity["group"] else "most_followed"],
                "account": entity,
            }
            for entity in found
        ]
    )


async def dismiss_suggestion(call: Call) -> Response:
    """DELETE /api/v1/suggestions/{id}: also of who was never suggested, or is not there"""
    id_ = call.id()
    await call.write(lambda tx, viewer: people.dismiss_suggestion(tx, viewer.id, id_))
    return json({})


async def suggestions_v1(call: Call) -> Response:
    """GET /api/v1/suggestions"""
    return json(await _suggested(call))


async def _suggested(call: Call) -> list[dict[str, Any]]:
    limit = call.query.integer("limit", least=1, most=80) or 40
    return await call.read(lambda tx, viewer: entities.many(tx, people.suggestions(tx, viewer.id, limit)))
