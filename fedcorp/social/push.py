"""Subscriptions of apps to be told of notifications while nobody looks at them (Web Push), and which want which.

One for each token, and gone with it. A notification becomes a job for each app that wants it; nothing is sent here, and
nothing is rendered (`fedcorp.web.push` does both).
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import follows
from fedcorp.social.applications import ALIVE
from fedcorp.storage import jobs
from fedcorp.storage.database import Site, Tx
from fedcorp.storage.tables import access_tokens, accounts, users
from fedcorp.storage.tables import push_subscriptions as table
from fedcorp.webpush import Receiver

JOB = "push"
ALERTS = (
    "mention", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "quote", "quoted_update",
    "admin.sign_up", "admin.report",
)  # fmt: skip
"""What an app may ask for: Mastodon's kinds, of which some never happen here."""
POLICIES = ("all", "followed", "follower", "none")
MAX_ENDPOINT = 2000
_OFF = "This department sends no push notifications."
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where an app wants to be told, of what, and in which encoding. `sealed` is the token that the app holds."""

    seq: int
    token_id: int
    account_id: int
    endpoint: str = field(repr=False)
    receiver: Receiver
    sealed: bytes = field(repr=False)
    standard: bool
    alerts: frozenset[str]
    policy: str


# -- where it may go -------------------------------------------------------------------------------------------------


def is_on(site: Site) -> bool:
    """Whether this department sends push notifications at all."""
    return bool(site.config.push.services)


def check_endpoint(site: Site, text: str) -> str:
    """The endpoint in its normal form: https, and at a service that the configuration names. Raises Unprocessable."""
    if not is_on(site):
        raise Unprocessable(_OFF)
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    is_plain = text.isascii() and text.strip().isprintable() and " " not in text.strip() and "@" not in parts.netloc
    if parts.scheme != "https" or not host or not is_plain or len(text) > MAX_ENDPOINT:
        raise Unprocessable("Validation failed: Endpoint is not a valid https URL")
    domain = host if port == 443 else f"{host}:{port}"
    if not _is_named(site, domain):
        raise Unprocessable(f"This department does not send push notifications by way of {domain}.")
    return parts._replace(scheme="https", netloc=domain, fragment="").geturl()


def _is_named(site: Site, domain: str) -> bool:
    """Whether the configuration names this host; `*.` stands for one name or several in front."""
    return any(
        domain.endswith(service[1:]) if service.startswith("*.") else domain == service
        for service in (text.removesuffix(":443") for text in site.config.push.services)
    )


# -- one for each token ----------------------------------------------------------------------------------------------

_LIVING = (
    sa.select(table)
    .join(access_tokens, access_tokens.c.id == table.c.token_id)
    .join(users, users.c.account_id == table.c.account_id)
    .join(accounts, accounts.c.id == table.c.account_id)
    .where(access_tokens.c.revoked_at.is_(None), ALIVE)
)
_OF_TOKEN = _LIVING.where(table.c.token_id == sa.bindparam("token", type_=sa.BigInteger))
_BY_SEQ = _LIVING.where(table.c.seq == sa.bindparam("this", type_=sa.BigInteger))
_OF_ACCOUNT = _LIVING.where(table.c.account_id == sa.bindparam("account", type_=sa.BigInteger)).order_by(table.c.seq)


def _row(tx: Tx, row: Any) -> Subscription | None:
    """A row as a value; None when the configuration does not name its service any more."""
    if not _is_named(tx.site, urlsplit(row.endpoint).netloc):
        return None
    return Subscription(
        row.seq, row.token_id, row.account_id, row.endpoint, Receiver(row.point, row.auth), bytes(row.token),
        row.standard, frozenset(orjson.loads(row.alerts)), row.policy,
    )  # fmt: skip


def subscribe(
    tx: Tx, token_id: int, account_id: int, token: str, *, endpoint: str, receiver: Receiver, standard: bool,
    alerts: Collection[str], policy: str,
) -> Subscription:  # fmt: skip
    """Tell the app that holds this token from now on, instead of where it was told before. Raises Unprocessable."""
    endpoint = check_endpoint(tx.site, endpoint)
    unsubscribe(tx, token_id)
    tx.conn.execute(
        sa.insert(table).values(
            token_id=token_id, account_id=account_id, endpoint=endpoint, point=receiver.point, auth=receiver.auth,
            token=_kept(tx, token, token_id), standard=standard, alerts=_written(alerts), policy=policy,
            created_at=tx.ms,
        )
    )  # fmt: skip
    return get(tx, token_id)


def get(tx: Tx, token_id: int) -> Subscription:
    """The subscription of a token. Raises NotFound."""
    row = tx.conn.execute(_OF_TOKEN, {"token": token_id}).first()
    found = _row(tx, row) if row else None
    if found is None:
        raise NotFound
    return found


def find(tx: Tx, seq: int) -> Subscription | None:
    """A subscription whose token and person are still what they were."""
    row = tx.conn.execute(_BY_SEQ, {"this": seq}).first()
    return _row(tx, row) if row else None


def change(tx: Tx, token_id: int, *, alerts: Collection[str] | None, policy: str | None) -> Subscription:
    """Other alerts, another policy; None leaves it as it is. Raises NotFound."""
    get(tx, token_id)
    values = {"alerts": None if alerts is None else _written(alerts), "policy": policy}
    changed = {name: value for name, value in values.items() if value is not None}
    if changed:
        tx.conn.execute(sa.update(table).where(table.c.token_id == token_id).values(changed))
    return get(tx, token_id)


def unsubscribe(tx: Tx, token_id: int) -> None:
    """Tell this app no longer; nothing happens when it was not told."""
    tx.conn.execute(sa.delete(table).where(table.c.token_id == token_id))


def forget(tx: Tx, seq: int) -> None:
    """The service says that there is no such subscription any more."""
    tx.conn.execute(sa.delete(table).where(table.c.seq == seq))


def forget_account(tx: Tx, account_id: int) -> None:
    """End all of an account."""
    tx.conn.execute(sa.delete(table).where(table.c.account_id == account_id))


def _written(alerts: Collection[str]) -> str:
    return orjson.dumps([kind for kind in ALERTS if kind in alerts]).decode()


# -- the token of the app --------------------------------------------------------------------------------------------


def token_of(site: Site, subscription: Subscription) -> str | None:
    """The token that the app of a subscription holds: by it the app finds out for whom a message is.

    Of all others only digests are kept. This one is sealed with the secret of the instance, which keeps it from
    whoever sees this table alone; None when that secret was changed since.
    """
    nonce, sealed = subscription.sealed[:_NONCE_BYTES], subscription.sealed[_NONCE_BYTES:]
    try:
        return _cipher(site).decrypt(nonce, sealed, str(subscription.token_id).encode()).decode()
    except InvalidTag:
        return None


def _cipher(site: Site) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 16, salt=None, info=b"fedcorp-push-token").derive(site.secret))


def _kept(tx: Tx, token: str, token_id: int) -> bytes:
    nonce = tx.clock.random_bytes(_NONCE_BYTES)
    return nonce + _cipher(tx.site).encrypt(nonce, token.encode(), str(token_id).encode())


# -- which notification for whom -------------------------------------------------------------------------------------


def announce(tx: Tx, account_id: int, seq: int, kind: str, from_id: int) -> None:
    """Ask for a message to each app of an account that wants to be told of this notification."""
    if not is_on(tx.site):
        return
    for row in tx.conn.execute(_OF_ACCOUNT, {"account": account_id}).all():
        found = _row(tx, row)
        if found is not None and wants(tx, found, kind, from_id):
            jobs.put(tx, JOB, {"subscription": found.seq, "notification": seq})
            tx.wake("pushes")


def wants(tx: Tx, subscription: Subscription, kind: str, from_id: int) -> bool:
    """Whether an app wants to be told of a kind of notification that this account caused."""
    if kind not in subscription.alerts or subscription.policy == "none":
        return False
    if subscription.policy == "all" or from_id == subscription.account_id:  # the end of one's own poll
        return True
    if subscription.policy == "followed":
        return follows.is_following(tx, subscription.account_id, from_id)
    return follows.is_following(tx, from_id, subscription.account_id)
