"""Emoji below statuses: how often each stands there, and who gave which."""

from collections.abc import Iterable, Sequence
from typing import Any

from fedcorp.social import reactions
from fedcorp.social.custom_emojis import CustomEmoji
from fedcorp.social.reactions import Given, Kind, Tally
from fedcorp.storage.database import Site, Tx
from fedcorp.web.entities import accounts
from fedcorp.web.entities.emojis import emoji


def of_statuses(tx: Tx, ids: Sequence[int], viewer_id: int | None) -> dict[int, tuple[list[dict[str, Any]], bool]]:
    """What stands below these statuses, as glitch-soc and Pleroma tell it, and whether everybody sees just that until
    it changes: nothing by the viewer, and no pictures, which come and go. Those without any are left out."""
    found = reactions.of_statuses(tx, ids, viewer_id)
    drawn = _drawn(tx, (item.kind for items in found.values() for item in items))
    return {
        id_: (
            [_tally(tx.site, item, drawn, personal=viewer_id is not None) for item in items],
            not any(item.me or item.kind.is_custom for item in items),
        )
        for id_, items in found.items()
    }


def who(tx: Tx, rows: Sequence[Given]) -> list[dict[str, Any]]:
    """One entity for each reaction, with the account that gave it, in the order of `rows`."""
    people = {entity["id"]: entity for entity in accounts.many(tx, {row.account_id for row in rows})}
    drawn = _drawn(tx, (row.kind for row in rows))
    return [
        {"id": str(row.id), **_named(tx.site, row.kind, drawn), "account": people[str(row.account_id)]}
        for row in rows
        if str(row.account_id) in people
    ]


def by_emoji(tx: Tx, found: Sequence[Tally], given: Sequence[Given]) -> list[dict[str, Any]]:
    """What Pleroma answers: each emoji with the accounts that gave it, as far as `given` names them."""
    people = {entity["id"]: entity for entity in accounts.many(tx, {row.account_id for row in given})}
    drawn = _drawn(tx, (item.kind for item in found))
    by_kind: dict[Kind, list[dict[str, Any]]] = {}
    for row in given:
        if str(row.account_id) in people:
            by_kind.setdefault(row.kind, []).append(people[str(row.account_id)])
    return [_tally(tx.site, item, drawn, personal=True) | {"accounts": by_kind.get(item.kind, [])} for item in found]


def tallies(tx: Tx, found: Sequence[Tally], *, personal: bool) -> list[dict[str, Any]]:
    """How often each emoji stands below one thing and, if `personal`, whether the viewer gave it."""
    drawn = _drawn(tx, (item.kind for item in found))
    return [_tally(tx.site, item, drawn, personal=personal) for item in found]


def told(tx: Tx, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], dict[str, Any]]:
    """What a notification says of the emoji, in Pleroma's words, by (account id, status id)."""
    found = reactions.last_of(tx, set(pairs))
    drawn = _drawn(tx, found.values())
    return {
        pair: {"emoji": f":{kind.shown}:" if kind.is_custom else kind.name, "emoji_url": _url(tx.site, kind, drawn)}
        for pair, kind in found.items()
    }


def _drawn(tx: Tx, kinds: Iterable[Kind]) -> dict[Kind, CustomEmoji]:
    custom = {kind for kind in kinds if kind.is_custom}
    return reactions.pictures(tx, custom) if custom else {}


def _url(site: Site, kind: Kind, drawn: dict[Kind, CustomEmoji]) -> str | None:
    return str(emoji(site, drawn[kind])["url"]) if kind in drawn else None


def _tally(site: Site, item: Tally, drawn: dict[Kind, CustomEmoji], *, personal: bool) -> dict[str, Any]:
    name = _named(site, item.kind, drawn)
    return {**name, "count": item.people} | ({"me": item.me} if personal else {})


def _named(site: Site, kind: Kind, drawn: dict[Kind, CustomEmoji]) -> dict[str, Any]:
    """The name, and of a custom emoji whose picture is here its addresses."""
    if kind not in drawn:
        return {"name": kind.shown}
    entity = emoji(site, drawn[kind])
    return {"name": kind.shown, "url": entity["url"], "static_url": entity["static_url"]}
