"""Tells apps of notifications while nobody looks at them: an encrypted message to the push service that each one named.

The work of a job that `fedcorp.social.push` asked for, so it may be done twice, and later than it was meant. Whether
the notification is still to be seen is asked again. Never logs what a message says, nor where it goes beyond the host.
"""

import logging
from typing import Any
from urllib.parse import urlsplit

import httpx

from fedcorp import webpush
from fedcorp.activitypub.client import Client
from fedcorp.clock import Clock
from fedcorp.errors import BadRequest, Forbidden, Unavailable
from fedcorp.social import notifications, push, statuses
from fedcorp.social.notifications import Notification
from fedcorp.social.pages import Page
from fedcorp.social.push import Subscription
from fedcorp.storage.database import Database, Site, Tx
from fedcorp.web.entities import push as entities
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.problems import BROKEN, GONE, NOT_FOUND, REQUEST_TIMEOUT, TOO_EARLY, TOO_MANY_REQUESTS, is_success

OLD_MS = 86_400_000  # what could not be told within a day is no news
_NEW_POSTS = ("mention", "status")
KEEP_SECONDS = 2 * 86_400  # how long a service waits for a device that is switched off
MAX_ANSWER = 65_536
_ENDED = frozenset({NOT_FOUND, GONE})  # RFC 8030 section 7.3
_LATER = frozenset({REQUEST_TIMEOUT, TOO_EARLY, TOO_MANY_REQUESTS})

log = logging.getLogger(__name__)


class Pushes:
    """Sends for one instance."""

    def __init__(self, client: Client, db: Database, clock: Clock, rendered: Rendered) -> None:
        self._client = client
        self._db = db
        self._clock = clock
        self._rendered = rendered

    async def send(self, payload: dict[str, Any]) -> None:
        """Run one job. Raises Unavailable when it should be tried again."""
        found = await self._db.read(_prepare, self._rendered, payload["subscription"], payload["notification"])
        if found is None:
            return
        subscription, message = found
        host = urlsplit(subscription.endpoint).netloc
        try:
            response = await self._post(subscription, message)
        except (Forbidden, BadRequest) as error:
            log.info("the push service %s may not be reached: %s", host, error.text)
            return
        status = response.status_code
        if status in _ENDED:
            await self._db.write(push.forget, subscription.seq)
        elif status in _LATER or status >= BROKEN:
            raise Unavailable("The push service is busy.", f"{status} of {host}")
        elif not is_success(status):
            log.info("the push service %s refused a message: %d", host, status)

    async def _post(self, subscription: Subscription, message: bytes) -> httpx.Response:
        site = self._db.site
        server = webpush.load_private(site.vapid)
        proof = webpush.token(server, subscription.endpoint, _contact(site), self._clock.ms())
        salt = self._clock.random_bytes(webpush.SALT_BYTES)
        body, headers = webpush.sealed(
            message, subscription.receiver, server, standard=subscription.standard, salt=salt, proof=proof
        )
        headers |= {"Content-Type": "application/octet-stream", "TTL": str(KEEP_SECONDS), "Urgency": "normal"}
        return await self._client.send("POST", subscription.endpoint, body, headers, {"max_body": MAX_ANSWER})


def _contact(site: Site) -> str:
    """Whom a push service can turn to (RFC 8292 section 2.1)."""
    return f"mailto:{site.config.contact_email}" if site.config.contact_email else site.urls.origin


def _prepare(tx: Tx, cache: Rendered, subscription_seq: int, seq: int) -> tuple[Subscription, bytes] | None:
    """The message, if its subscription holds and its person would still find the notification in the list."""
    subscription = push.find(tx, subscription_seq)
    if subscription is None:
        return None
    around = Page(limit=1, max_id=seq + 1, since_id=seq - 1)
    told = notifications.listing(tx, subscription.account_id, around)
    if not told or _is_old(tx, told[0]) or not push.wants(tx, subscription, told[0].kind, told[0].from_account_id):
        return None
    message = entities.message(tx, cache, subscription, told[0])
    return None if message is None else (subscription, message)


def _is_old(tx: Tx, told: Notification) -> bool:
    """Whether it happened too long ago: posts of a department that was down arrive all at once."""
    post = statuses.find(tx, told.status_id) if told.status_id is not None and told.kind in _NEW_POSTS else None
    return min(told.created_at, told.created_at if post is None else post.created_at) < tx.ms - OLD_MS
