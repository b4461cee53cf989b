"""Subscriptions to push notifications as apps read them, and the message that an app gets for a notification."""

from typing import Any

import orjson

from fedcorp.social import accounts, push
from fedcorp.social.markup import plain
from fedcorp.social.notifications import Notification
from fedcorp.social.push import ALERTS, Subscription
from fedcorp.social.text import one_line
from fedcorp.storage.database import Site, Tx
from fedcorp.web.entities import notifications
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.entities.push_titles import REACTED, title
from fedcorp.webpush import server_key

MAX_NAME, MAX_BODY, MAX_ICON = 60, 140, 1000  # so that a message always fits into what push services take


def subscription(site: Site, row: Subscription) -> dict[str, Any]:
    """The WebPushSubscription entity. Its `id` is a number: apps read it as one of 32 bits."""
    return {
        "id": row.seq,
        "endpoint": row.endpoint,
        "standard": row.standard,
        "alerts": {kind: kind in row.alerts for kind in ALERTS},
        "policy": row.policy,
        "server_key": server_key(site.vapid),
    }


def message(tx: Tx, cache: Rendered, row: Subscription, told: Notification) -> bytes | None:
    """What an app shows on a locked screen, in Mastodon's words for it; None for what its person may not see any more,
    or does not want to see by a filter."""
    shown, token = notifications.many(tx, cache, row.account_id, [told]), push.token_of(tx.site, row)
    if not shown or token is None:
        return None
    entity = orjson.loads(orjson.dumps(shown[0]))
    account = entity["account"]
    name = one_line(account["display_name"], MAX_NAME) or account["username"]
    emoji = entity.get("emoji")
    language = accounts.settings_of(tx, row.account_id).language or _language(tx.site)
    drawn = f"{tx.site.urls.origin}/avatars/{account['id']}.png"
    content = {
        "access_token": token,
        "preferred_locale": language,
        "notification_id": told.seq,  # a number to apps, other than in the API
        "notification_type": told.kind,
        "icon": account["avatar_static"] if len(account["avatar_static"]) <= MAX_ICON else drawn,
        "title": title(language, REACTED, name, emoji) if emoji else title(language, told.kind, name),
        "body": one_line(_text(entity), MAX_BODY),
    }
    return orjson.dumps(content)


def _language(site: Site) -> str:
    return next(iter(site.config.languages), "en")


def _text(entity: dict[str, Any]) -> str:
    """The post, or what its author or a filter puts in front of it; without a post the report, or the person."""
    status, report = entity.get("status"), entity.get("report")
    if report is not None:
        return str(report["comment"])
    if status is None:
        return plain(entity["account"]["note"])
    hidden = status.get("filtered")
    return hidden[0]["filter"]["title"] if hidden else status["spoiler_text"] or plain(status["content"])
