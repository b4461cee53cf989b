"""The instance: what it is called, what it can, whom it federates with."""

import re
from typing import Any

from starlette.responses import Response

from fedcorp.company import peers
from fedcorp.errors import NotFound
from fedcorp.social import custom_emojis, statistics
from fedcorp.storage.database import Tx
from fedcorp.urls import Urls
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import admin, instances
from fedcorp.web.entities.emojis import emoji
from fedcorp.web.entities.times import iso

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


async def show(call: Call) -> Response:
    """GET /api/v2/instance"""
    return json(instances.v2(call.context.db.site, call.base, await call.read(_numbers)))


async def show_v1(call: Call) -> Response:
    """GET /api/v1/instance"""
    config = call.context.config
    return json(instances.v1(config, Urls(config.origin).domain, call.base, await call.read(_numbers)))


def _numbers(tx: Tx, _: Viewer) -> statistics.Statistics:
    return statistics.count(tx)


async def list_peers(call: Call) -> Response:
    """GET /api/v1/instance/peers: who belongs to the company is told to those who belong to it."""
    return json(await call.read(_peers))


def _peers(tx: Tx, viewer: Viewer) -> list[str]:
    if viewer.token_id is None and tx.site.config.closed:
        return []
    return [peer.domain for peer in peers.listing(tx)]


async def list_domain_blocks(call: Call) -> Response:
    """GET /api/v1/instance/domain_blocks: which servers are barred, told like who the peers are."""
    return json(await call.read(_domain_blocks))


def _domain_blocks(tx: Tx, viewer: Viewer) -> list[dict[str, Any]]:
    if viewer.token_id is None and tx.site.config.closed:
        return []
    return [admin.public_domain_block(peer) for peer in peers.barred(tx)]


async def activity(call: Call) -> Response:
    """GET /api/v1/instance/activity"""
    return json(await call.read(_activity))


def _activity(tx: Tx, _: Viewer) -> list[dict[str, str]]:
    return [
        {
            "week": str(start // 1000), "statuses": str(posts), "logins": str(authors), "registrations": str(joined),
        }
        for start, posts, authors, joined in statistics.weeks(tx)
    ]  # fmt: skip


async def extended_description(call: Call) -> Response:
    """GET /api/v1/instance/extended_description"""
    return json({"updated_at": iso(0), "content": call.context.config.description})


async def list_rules(call: Call) -> Response:
    """GET /api/v1/instance/rules"""
    await call.viewer()
    return json(instances.rules(call.context.config))


async def privacy_policy(call: Call) -> Response:
    """GET /api/v1/instance/privacy_policy"""
    return json(instances.privacy_policy(*await _document(call, "privacy_policy")))


async def terms_of_service(call: Call) -> Response:
    """GET /api/v1/instance/terms_of_service"""
    versions = await _terms(call)
    today = _day(call.context.clock.ms())
    date = max((date for date in versions if date <= today), default=None)
    if date is None:
        raise NotFound
    return json(_version(call, versions, date, today))


async def terms_of_service_of(call: Call) -> Response:
    """GET /api/v1/instance/terms_of_service/{date}: those that held, hold or will hold from that day on"""
    versions = await _terms(call)
    if call.path_params["date"] not in versions:
        raise NotFound
    return json(_version(call, versions, call.path_params["date"], _day(call.context.clock.ms())))


async def _terms(call: Call) -> dict[str, str]:
    """Every version of the terms: the day from which it holds to its text. Raises NotFound when there are none.

    The file itself holds from the day when it was written; earlier and later ones stand beside it, with their day in
    the name: terms.2026-01-31.txt beside terms.txt.
    """
    file = call.context.config.document("terms_of_service")
    if file is None:
        raise NotFound
    found = {}
    try:
        for other in file.parent.iterdir():
            date = other.name.removeprefix(f"{file.stem}.").removesuffix(file.suffix)
            if other.name == f"{file.stem}.{date}{file.suffix}" and _DATE.match(date):
                found[date] = other.read_text(encoding="utf-8")
        found[_day(file.stat().st_mtime_ns // 1_000_000)] = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:  # it was there at the start
        raise NotFound(detail=f"{file} or what stands beside it cannot be read: {error}") from None
    return found


def _day(ms: int) -> str:
    return iso(ms)[:10]


def _version(call: Call, versions: dict[str, str], date: str, today: str) -> dict[str, Any]:
    next_ = min((other for other in versions if other > date), default=None)
    urls = Urls(call.context.config.origin)
    return instances.terms_of_service(urls, versions[date], date, effective=date <= today, succeeded_by=next_)


async def _document(call: Call, name: str) -> tuple[Urls, str, int]:
    """The text of a document of the department and when it was written, in ms. Raises NotFound when there is none."""
    config = call.context.config
    file = config.document(name)
    if file is None:
        raise NotFound
    try:
        text, written = file.read_text(encoding="utf-8"), file.stat().st_mtime_ns  # short, and from the local disk
    except (OSError, UnicodeDecodeError) as error:  # it was there at the start
        raise NotFound(detail=f"{file} cannot be read: {error}") from None
    return Urls(config.origin), text, written // 1_000_000


async def list_emojis(call: Call) -> Response:
    """GET /api/v1/custom_emojis: those of this department"""
    return json(await call.read(lambda tx, _: [emoji(tx.site, item) for item in custom_emojis.listing(tx)]))


async def nothing(call: Call) -> Response:
    """A list that is empty because this server has no way to fill it."""
    await call.viewer()
    return json([])


async def health(call: Call) -> Response:
    """GET /health: says OK when the database answers."""
    await call.read(_numbers)
    return json({"status": "OK"})
