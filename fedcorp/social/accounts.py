"""Accounts: people, groups and the instance actor, of this department and of others; their keys, users and settings."""

import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fedcorp import ids
from fedcorp.errors import Conflict, Forbidden, NotFound, Unprocessable
from fedcorp.keys import KeyPair
from fedcorp.social import custom_emojis, presentation, text
from fedcorp.social.custom_emojis import RemoteEmoji
from fedcorp.social.events import AccountDeleted, AccountUpdated
from fedcorp.social.policy import QUOTERS, REACHES, VISIBILITIES
from fedcorp.storage import jobs
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, audit, keys, peers, tombstones, users
from fedcorp.storage.upsert import insert_ignore, upsert

USERNAME = re.compile(r"[a-z0-9_]{1,30}\Z")
RESERVED = frozenset({"admin", "actor", "api", "root", "support", "system"})
ROLES = ("user", "moderator", "admin")
KEEP_KEYS_MS = 8 * 86_400_000  # a proof inside what is passed on counts for seven days
_NOT_TOLD = 0  # of new keys: no other server has heard of them
MAX_NAME, MAX_NOTE, MAX_FIELDS, MAX_FIELD = 100, 1000, 8, 500


@dataclass(slots=True)
class Account:
    """One row of `accounts`: times in ms, `note` HTML, `fields`, `also_known_as` and `presentation` JSON text."""

    id: int
    uri: str
    url: str
    origin: str
    local: bool
    kind: str
    username: str
    username_key: str
    domain: str
    display_name: str
    note: str
    note_source: str
    fields: str
    avatar: str | None
    header: str | None
    locked: bool
    bot: bool
    discoverable: bool
    indexable: bool
    hide_collections: bool
    inbox_uri: str
    shared_inbox_uri: str | None
    outbox_uri: str | None
    followers_uri: str | None
    following_uri: str | None
    featured_uri: str | None
    also_known_as: str
    moved_to_id: int | None
    moved_at: int | None
    created_at: int
    updated_at: int
    fetched_at: int | None
    suspended_at: int | None
    silenced_at: int | None
    sensitized_at: int | None
    deleted_at: int | None
    version: int
    statuses_count: int
    followers_count: int
    following_count: int
    last_status_at: int | None
    emojis: str = "[]"
    presentation: str = presentation.UNCHANGED
    statuses_elsewhere: int = 0
    followers_elsewhere: int = 0
    following_elsewhere: int = 0
    counted_at: int | None = None

    @property
    def acct(self) -> str:
        """The handle as Mastodon's API writes it: without a domain for our own accounts."""
        return self.username if self.local else self.handle

    @property
    def handle(self) -> str:
        """username@domain, always with the domain."""
        return f"{self.username}@{self.domain}"

    @property
    def is_group(self) -> bool:
        return self.kind == "group"

    @property
    def hidden(self) -> bool:
        """Suspended or deleted: nothing of it is shown."""
        return self.suspended_at is not None or self.deleted_at is not None


@dataclass(slots=True)
class Key:
    """A public key of anybody. `private` (PKCS8 PEM) is there when it is ours and was asked for to sign."""

    id: str
    account_id: int
    kind: str
    public: str
    fetched_at: int
    account_uri: str
    private: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OldKey:
    """A key of ours that was replaced and holds until `expires_at` (ms)."""

    id: str
    kind: str
    public: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class RemoteKey:
    """A key as another server publishes it; `kind` rsa (SPKI PEM) or ed25519 (Multikey); `expires_at` in ms."""

    id: str
    kind: str
    public: str
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteGroup:
    """What a group of another server says of itself; the words are those of `policy.GroupRules`. Times are ms."""

    preset: str
    reach: str
    joining: str
    reading: str
    posting: str
    inviting: str = "moderators"
    listed: bool = True
    history: str = "all"
    outsiders: str = "refuse"
    premoderated: bool = False
    purpose: str = ""
    rules: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    ledger_uri: str | None = None
    ends_at: int | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """An actor of another server, checked and cut to our limits; `note` is sanitised HTML, times are ms."""

    uri: str
    url: str
    origin: str
    kind: str
    username: str
    domain: str
    inbox_uri: str
    display_name: str = ""
    note: str = ""
    fields: tuple[dict[str, Any], ...] = ()
    avatar: str | None = None
    header: str | None = None
    locked: bool = False
    bot: bool = False
    discoverable: bool = False
    indexable: bool = False
    shared_inbox_uri: str | None = None
    outbox_uri: str | None = None
    followers_uri: str | None = None
    following_uri: str | None = None
    featured_uri: str | None = None
    also_known_as: tuple[str, ...] = ()
    created_at: int | None = None
    updated_at: int = 0
    keys: tuple[RemoteKey, ...] = ()
    group: RemoteGroup | None = None
    emojis: tuple[RemoteEmoji, ...] = ()
    avatar_description: str = ""
    header_description: str = ""
    attribution_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user chose for new posts. `reach` "" means the default of the department."""

    privacy: str = "public"
    reach: str = ""
    sensitive: bool = False
    language: str | None = None
    quote_policy: str = "public"  # one of policy.QUOTERS


@dataclass(frozen=True, slots=True)
class Profile:
    """A change to a profile; None leaves a part as it is. `note` and field values are plain text; `shown` holds fields
    of `presentation.Presentation`. Who changes a picture without words for it loses those of the old one."""

    display_name: str | None = None
    note: str | None = None
    locked: bool | None = None
    bot: bool | None = None
    discoverable: bool | None = None
    indexable: bool | None = None
    hide_collections: bool | None = None
    fields: tuple[tuple[str, str], ...] | None = None
    avatar: str | None = None
    header: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)


_COLUMNS = [accounts.c[item.name] for item in fields(Account)]
_SELECT = sa.select(*_COLUMNS)
_BY_ID = _SELECT.where(accounts.c.id == sa.bindparam("id"))
_BY_IDS = _SELECT.where(accounts.c.id.in_(sa.bindparam("ids", expanding=True)))
_BY_URI = _SELECT.where(accounts.c.uri == sa.bindparam("uri"))
_BY_HANDLE = _SELECT.where(accounts.c.domain == sa.bindparam("domain"), accounts.c.username_key == sa.bindparam("name"))
_ANY_OF = (
    _SELECT.where(
        accounts.c.domain == sa.bindparam("domain"), accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None)
    )
    .order_by(accounts.c.id.desc())
    .limit(1)
)
_KEY_COLUMNS = [keys.c.id, keys.c.account_id, keys.c.kind, keys.c.public, keys.c.fetched_at, accounts.c.uri]
_KEYS = sa.select(*_KEY_COLUMNS).join(accounts, accounts.c.id == keys.c.account_id).where(keys.c.revoked_at.is_(None))
_KEY = _KEYS.where(
    keys.c.id == sa.bindparam("id"), sa.or_(keys.c.expires_at.is_(None), keys.c.expires_at > sa.bindparam("now"))
)
_CURRENT = sa.and_(keys.c.account_id == sa.bindparam("account_id"), keys.c.expires_at.is_(None))
_OWN_KEYS = _KEYS.add_columns(keys.c.private).where(_CURRENT, keys.c.private.is_not(None))
_OWN_KEY = (
    sa.select(*_KEY_COLUMNS, keys.c.private)
    .join(accounts, accounts.c.id == keys.c.account_id)
    .where(keys.c.id == sa.bindparam("id"), keys.c.private.is_not(None))
)
_OLD_KEYS = (
    sa.select(keys.c.id, keys.c.kind, keys.c.public, keys.c.expires_at)
    .where(keys.c.account_id == sa.bindparam("account_id"), keys.c.private.is_not(None), keys.c.revoked_at.is_(None))
    .where(keys.c.expires_at > sa.bindparam("now"))
    .order_by(keys.c.expires_at.desc(), keys.c.id)
)
_KEY_IDS = sa.select(keys.c.id).where(keys.c.account_id == sa.bindparam("account_id"))
_ROLE = sa.select(users.c.role).where(users.c.account_id == sa.bindparam("account"))
_IS_GONE = sa.select(tombstones.c.uri).where(tombstones.c.uri == sa.bindparam("uri"))
_INSERT = sa.insert(accounts)
_LEARN_INBOX = (
    sa.update(peers)
    .where(peers.c.domain == sa.bindparam("of"))
    .values(shared_inbox=sa.bindparam("inbox"), origin=sa.bindparam("at"))
)
_FORGET_KEYS = sa.delete(keys).where(
    keys.c.account_id == sa.bindparam("account"), keys.c.id.not_in(sa.bindparam("kept", expanding=True))
)
_PUBLIC_KEYS = _KEYS.where(_CURRENT)


def find(tx: Tx, id_: int) -> Account | None:
    """The account with this id."""
    return tx.once("accounts", id_, lambda: _find(tx, id_))


def _find(tx: Tx, id_: int) -> Account | None:
    row = tx.conn.execute(_BY_ID, {"id": id_}).first()
    return Account(*row) if row else None


def get(tx: Tx, id_: int) -> Account:
    """The account with this id, unless it is gone. Raises NotFound."""
    account = find(tx, id_)
    if account is None or account.hidden:
        raise NotFound
    return account


def find_many(tx: Tx, wanted: "set[int] | list[int]") -> dict[int, Account]:
    """Accounts by id; those that do not exist are left out."""
    if not wanted:
        return {}
    return {row[0]: Account(*row) for row in tx.conn.execute(_BY_IDS, {"ids": list(wanted)})}


def find_by_uri(tx: Tx, uri: str) -> Account | None:
    """The account with this ActivityStreams id."""
    row = tx.conn.execute(_BY_URI, {"uri": uri}).first()
    return Account(*row) if row else None


def find_by_handle(tx: Tx, username: str, domain: str | None) -> Account | None:
    """The account of a handle; without a domain, or with ours, a local one."""
    values = {"domain": (domain or tx.site.urls.domain).lower(), "name": username.lower()}
    row = tx.conn.execute(_BY_HANDLE, values).first()
    return Account(*row) if row else None


def find_any_of(tx: Tx, domain: str) -> Account | None:
    """The account of a server that came to be known here last."""
    row = tx.conn.execute(_ANY_OF, {"domain": domain.lower()}).first()
    return Account(*row) if row else None


def find_local(tx: Tx, username: str) -> Account | None:
    """The local account of that name."""
    return find_by_handle(tx, username, None)


def instance_actor(tx: Tx) -> Account:
    """The actor that signs for the server itself. Raises NotFound when the instance was never set up."""
    account = find_by_uri(tx, tx.site.urls.instance_actor)
    if account is None:
        raise NotFound(
            f"The database holds no instance at {tx.site.urls.origin}; correct domain and url, or make one with "
            "`fedcorp init`."
        )
    return account


# -- making local accounts -------------------------------------------------------------------------------------------


def create_local(
    tx: Tx,
    username: str,
    pair: KeyPair,
    *,
    kind: str = "person",
    display_name: str = "",
    note: str = "",
    locked: bool = False,
    created_at: int | None = None,
) -> Account:
    """Make a person or group of this department. Raises Unprocessable on a bad name, Conflict on a taken one."""
    if not USERNAME.match(username):
        raise Unprocessable(f"{username!r} cannot be a name here; use up to 30 of a-z, 0-9 and _.")
    if username in RESERVED:
        raise Unprocessable(f"{username!r} is a reserved name; choose another.")
    id_ = tx.new_id()
    uri = tx.site.urls.actor(kind, id_)
    return _insert(tx, id_, uri, username, pair, kind=kind, display_name=display_name, note=note, locked=locked,
                   bot=kind == "group", discoverable=True, created_at=created_at or tx.ms)  # fmt: skip


def create_instance_actor(tx: Tx, pair: KeyPair) -> Account:
    """Make the actor that signs for the server; its name is the host: with a port GoToSocial takes it for a link."""
    urls = tx.site.urls
    return _insert(tx, tx.new_id(), urls.instance_actor, urls.host, pair, kind="service", bot=True,
                   display_name=tx.site.config.name, locked=True, created_at=tx.ms)  # fmt: skip


def _insert(tx: Tx, id_: int, uri: str, username: str, pair: KeyPair, **values: Any) -> Account:
    urls = tx.site.urls
    note = values.pop("note", "")
    row = {
        "id": id_,
        "uri": uri,
        "url": urls.profile(username) if values["kind"] != "service" else urls.origin + "/",
        "origin": urls.origin,
        "local": True,
        "username": username,
        "username_key": username.lower(),
        "domain": urls.domain,
        "note_source": note,
        "note": _html(tx, note),
        "inbox_uri": urls.shared_inbox if values["kind"] == "service" else uri + "/inbox",
        "shared_inbox_uri": urls.shared_inbox,
        "outbox_uri": uri + "/outbox",
        "followers_uri": uri + "/followers",
        "following_uri": uri + "/following",
        "featured_uri": uri + "/featured",
        "updated_at": tx.ms,
        **values,
    }
    try:
        tx.conn.execute(sa.insert(accounts).values(row))
    except IntegrityError:
        raise Conflict(f"the name {username!r} is taken here; people and groups share one list of names.") from None
    _insert_keys(tx, id_, uri, pair)
    account = find(tx, id_)
    assert account is not None
    return account


def _insert_keys(tx: Tx, id_: int, uri: str, pair: KeyPair, suffix: str = "", *, at: int | None = None) -> None:
    for kind, public, private in (
        ("rsa", pair.rsa_public, pair.rsa_private),
        ("ed25519", pair.ed25519_public, pair.ed25519_private),
    ):
        fragment = ("main-key" if kind == "rsa" else "ed25519-key") + suffix
        tx.conn.execute(
            sa.insert(keys).values(
                id=f"{uri}#{fragment}", account_id=id_, kind=kind, public=public,
                private=tx.seal(private, f"{uri}#{fragment}"),
                fetched_at=tx.ms if at is None else at,
            )
        )  # fmt: skip


def create_user(tx: Tx, account_id: int, *, email: str | None, password_hash: str, role: str = "user") -> None:
    """Let somebody log in as a local account. Raises Unprocessable on an unknown role, Conflict on a used address."""
    if role not in ROLES:
        raise Unprocessable(f"a role is one of {', '.join(ROLES)}, not {role!r}.")
    try:
        tx.conn.execute(
            sa.insert(users).values(
                account_id=account_id, email=email, password_hash=password_hash, role=role, created_at=tx.ms
            )
        )
    except IntegrityError:
        raise Conflict(f"the address {email} is used by another account.") from None


def set_password(tx: Tx, account_id: int, password_hash: str) -> None:
    """Let somebody log in with another password from now on."""
    tx.conn.execute(sa.update(users).where(users.c.account_id == account_id).values(password_hash=password_hash))


def find_login(tx: Tx, name_or_email: str) -> tuple[Account, str] | None:
    """(account, password hash) of somebody who may log in, by name, handle or e-mail address."""
    name = name_or_email.strip().lstrip("@").lower()
    local = name.removesuffix("@" + tx.site.urls.domain)
    statement = (
        sa.select(users.c.account_id, users.c.password_hash)
        .join(accounts, accounts.c.id == users.c.account_id)
        .where(users.c.disabled_at.is_(None), accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None))
        .where(
            sa.or_(sa.and_(accounts.c.username_key == local, accounts.c.local), sa.func.lower(users.c.email) == name)
        )
    )
    row = tx.conn.execute(statement).first()
    return (get(tx, row.account_id), row.password_hash) if row else None


def role_of(tx: Tx, account_id: int) -> str | None:
    """user, moderator or admin; None for accounts nobody logs in as."""
    role: str | None = tx.conn.execute(_ROLE, {"account": account_id}).scalar()
    return role


_SETTINGS = sa.select(users.c.settings).where(users.c.account_id == sa.bindparam("account"))


def settings_of(tx: Tx, account_id: int) -> Settings:
    """The posting defaults of a user."""
    value = tx.conn.execute(_SETTINGS, {"account": account_id}).scalar()
    return Settings(**orjson.loads(value)) if value else Settings()


# -- accounts of other servers ---------------------------------------------------------------------------------------


def upsert_remote(tx: Tx, remote: RemoteAccount) -> Account:
    """Store what another server says of its actor; an older `updated` than the known one changes nothing.

    Raises Forbidden when the actor was deleted or when its handle belongs to another live actor.
    """
    if tx.conn.execute(_IS_GONE, {"uri": remote.uri}).first():
        raise Forbidden(f"{remote.uri} was deleted.")
    known = find_by_uri(tx, remote.uri)
    if known is not None and known.updated_at > remote.updated_at > 0:
        return known
    holder = find_by_handle(tx, remote.username, remote.domain)
    if holder is not None and holder.uri != remote.uri:
        raise Forbidden(f"{remote.username}@{remote.domain} is the handle of another actor.")
    id_ = known.id if known else _free_id(tx, remote.created_at or tx.ms)
    _store_remote(tx, id_, remote, known)
    _store_keys(tx, id_, remote)
    account = find(tx, id_)
    assert account is not None
    return account


def _free_id(tx: Tx, ms: int) -> int:
    """An id at `ms` (of the last 30 days), with random low bits that nobody has."""
    ms = min(max(ms, tx.ms - 30 * 86_400_000), tx.ms)
    while True:
        id_ = ids.scattered(ms, tx.clock.random_bits(22))
        if find(tx, id_) is None:
            return id_


def _store_remote(tx: Tx, id_: int, remote: RemoteAccount, known: Account | None) -> None:
    values = {
        name: getattr(remote, name)
        for name in (
            "uri", "url", "origin", "kind", "username", "domain", "inbox_uri", "display_name", "note", "avatar",
            "header", "locked", "bot", "discoverable", "indexable", "shared_inbox_uri", "outbox_uri", "followers_uri",
            "following_uri", "featured_uri", "updated_at",
        )
    }  # fmt: skip
    custom_emojis.store_remote(tx, remote.domain, remote.emojis)
    shown = orjson.dumps(remote.fields).decode()
    values |= {
        "emojis": custom_emojis.of_profile(tx, remote.domain, remote.display_name, remote.note, shown),
        "username_key": remote.username.lower(),
        "fields": shown,
        "also_known_as": orjson.dumps(remote.also_known_as).decode(),
        "fetched_at": tx.ms,
        "presentation": presentation.described(
            remote.avatar_description, remote.header_description, remote.attribution_domains
        ),
    }
    if known is None:
        tx.conn.execute(_INSERT, {"id": id_, "local": False, "created_at": remote.created_at or tx.ms, **values})
    else:
        tx.conn.execute(sa.update(accounts).where(accounts.c.id == id_).values(version=known.version + 1, **values))
    if remote.shared_inbox_uri:
        domain = remote.origin.split("://", 1)[1]
        tx.conn.execute(_LEARN_INBOX, {"of": domain, "inbox": remote.shared_inbox_uri, "at": remote.origin})


def _store_keys(tx: Tx, account_id: int, remote: RemoteAccount) -> None:
    kept = [key.id for key in remote.keys]
    known = set(tx.conn.execute(_KEY_IDS, {"account_id": account_id}).scalars())
    if known and kept and not known & set(kept):  # another owner would look just like that
        values = {"created_at": tx.ms, "actor": remote.origin, "act": "keys.replaced", "subject": remote.uri}
        tx.conn.execute(sa.insert(audit).values(outcome="noted", reason="all keys at once", **values))
    for key in remote.keys:
        upsert(
            tx, keys, ("id",), id=key.id, account_id=account_id, kind=key.kind, public=key.public, fetched_at=tx.ms,
            expires_at=key.expires_at,
        )  # fmt: skip
    tx.conn.execute(_FORGET_KEYS, {"account": account_id, "kept": kept})


# -- keys ------------------------------------------------------------------------------------------------------------


def find_key(tx: Tx, key_id: str) -> Key | None:
    """The key with this id on the wire, with the URI of its owner."""
    row = tx.conn.execute(_KEY, {"id": key_id, "now": tx.ms}).first()
    return Key(*row) if row else None


def signing_keys(tx: Tx, account_id: int) -> dict[str, Key]:
    """The private keys with which a local account signs now: `rsa` and `ed25519`."""
    return {row.kind: _own(tx, row) for row in tx.conn.execute(_OWN_KEYS, {"account_id": account_id})}


def public_keys(tx: Tx, account_id: int) -> dict[str, Key]:
    """The public keys of a local account by kind, those in use now."""
    return {row.kind: Key(*row) for row in tx.conn.execute(_PUBLIC_KEYS, {"account_id": account_id})}


def old_keys(tx: Tx, account_id: int) -> list[OldKey]:
    """Keys of a local account that were replaced and still hold, the last ones first."""
    return [OldKey(*row) for row in tx.conn.execute(_OLD_KEYS, {"account_id": account_id, "now": tx.ms})]


def rotate_keys(tx: Tx, account: Account, pair: KeyPair, *, stolen: bool = False) -> None:
    """Give a local account new keys, under new ids. The old ones are listed for KEEP_KEYS_MS and sign what was made
    before; with `stolen` they are good for nothing from now on, but for the word of a group's ledger that it has
    another key now.
    """
    own = sa.and_(keys.c.account_id == account.id, keys.c.private.is_not(None))
    if stolen:
        tx.conn.execute(sa.update(keys).where(own, keys.c.revoked_at.is_(None)).values(revoked_at=tx.ms))
    else:
        tx.conn.execute(sa.update(keys).where(own, keys.c.expires_at.is_(None)).values(expires_at=tx.ms + KEEP_KEYS_MS))
    _insert_keys(tx, account.id, account.uri, pair, f"-{tx.new_id()}", at=_NOT_TOLD)
    newer = max(tx.ms, account.updated_at + 1)
    tx.conn.execute(sa.update(accounts).where(accounts.c.id == account.id).values(updated_at=newer))
    tx.record(AccountUpdated(account.id))


def find_own_key(tx: Tx, key_id: str) -> Key:
    """A key of a local account, also one that was replaced. Raises NotFound."""
    row = tx.conn.execute(_OWN_KEY, {"id": key_id}).first()
    if row is None:
        raise NotFound
    return _own(tx, row)


def _own(tx: Tx, row: Any) -> Key:
    key = Key(*row)
    key.private = tx.unseal(key.private, key.id)
    return key


def is_revoked(tx: Tx, key_id: str) -> bool:
    """Whether a key is known to be in wrong hands."""
    return tx.conn.execute(sa.select(keys.c.revoked_at).where(keys.c.id == key_id)).scalar() is not None


def end_rotation(tx: Tx, account_id: int) -> bool:
    """The new keys have been told, now: from here on they sign. False when there was nothing to tell."""
    own = sa.and_(keys.c.account_id == account_id, keys.c.private.is_not(None), keys.c.revoked_at.is_(None))
    untold = sa.update(keys).where(own, keys.c.expires_at.is_(None), keys.c.fetched_at == _NOT_TOLD)
    if tx.conn.execute(untold.values(fetched_at=tx.ms)).rowcount == 0:
        return False
    last = sa.select(sa.func.max(keys.c.expires_at)).where(own).scalar_subquery()
    replaced = tx.conn.execute(sa.select(keys.c.id).where(own, keys.c.expires_at == last)).scalars().all()
    tx.conn.execute(sa.update(keys).where(keys.c.id.in_(replaced)).values(expires_at=tx.ms + KEEP_KEYS_MS))
    return True


# -- changing --------------------------------------------------------------------------------------------------------


def update_profile(tx: Tx, account: Account, change: Profile, *, touched: bool = False) -> Account:
    """Change a local profile and the settings for new posts. Raises Unprocessable on what is too long or unknown.

    With `touched` other servers are told even when nothing of the profile itself changed.
    """
    values = _profile_values(tx, account, change)
    if change.settings:
        _save_settings(tx, account.id, change.settings)
    if values or touched:
        tx.conn.execute(
            sa.update(accounts)
            .where(accounts.c.id == account.id)
            .values(updated_at=max(tx.ms, account.updated_at + 1), version=accounts.c.version + 1, **values)
        )
        tx.record(AccountUpdated(account.id))
    return get(tx, account.id)


def _profile_values(tx: Tx, account: Account, change: Profile) -> dict[str, Any]:
    plain = ("display_name", "locked", "bot", "discoverable", "indexable", "hide_collections", "avatar", "header")
    values = {name: getattr(change, name) for name in plain if getattr(change, name) is not None}
    if len(values.get("display_name", "")) > MAX_NAME:
        raise Unprocessable(f"Validation failed: Display name is too long (maximum is {MAX_NAME} characters)")
    if "display_name" in values:
        values["display_name"] = text.one_line(values["display_name"], MAX_NAME)
    if change.note is not None:
        if len(change.note) > MAX_NOTE:
            raise Unprocessable(f"Validation failed: Note is too long (maximum is {MAX_NOTE} characters)")
        values |= {"note_source": change.note, "note": _html(tx, change.note)}
    pictures = {f"{name}_description": "" for name in ("avatar", "header") if name in values}
    if pictures or change.shown:
        values["presentation"] = presentation.changed(account.presentation, pictures | change.shown)
    if change.fields is not None:
        values["fields"] = orjson.dumps(_fields(tx, account, change.fields)).decode()
        jobs.put(tx, "verify_links", {"account_id": account.id}, unique_key=f"verify_links:{account.id}")
    if not values.keys().isdisjoint(("display_name", "note", "fields")):
        texts = (values.get(name, getattr(account, name)) for name in ("display_name", "note", "fields"))
        values["emojis"] = custom_emojis.of_profile(tx, custom_emojis.HERE, *texts)
    return values


def _fields(tx: Tx, account: Account, given: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    if any(len(name) > MAX_FIELD or len(value) > MAX_FIELD for name, value in given):
        raise Unprocessable(f"Validation failed: a field has at most {MAX_FIELD} characters")
    lines = [(text.one_line(name, MAX_FIELD), text.one_line(value, MAX_FIELD)) for name, value in given]
    kept = [(name, value) for name, value in lines if name or value]
    if len(kept) > MAX_FIELDS:
        raise Unprocessable(f"Validation failed: a profile has at most {MAX_FIELDS} fields")
    verified = {field["value"]: field.get("verified_at") for field in orjson.loads(account.fields)}
    shown = [(name, value, _html(tx, value).removeprefix("<p>").removesuffix("</p>")) for name, value in kept]
    return [
        {"name": name, "value": html, "source": value, "verified_at": verified.get(html)} for name, value, html in shown
    ]


def set_verified(tx: Tx, id_: int, results: dict[str, bool]) -> None:
    """Note which fields of a profile, by their HTML, lead to pages that link back, and which do not."""
    account = find(tx, id_)
    if account is None:
        return
    before = orjson.loads(account.fields)
    after = [field | _verdict(tx, field, results) for field in before]
    if after != before:
        values = {"fields": orjson.dumps(after).decode(), "version": accounts.c.version + 1}
        tx.conn.execute(sa.update(accounts).where(accounts.c.id == id_).values(**values))


def _verdict(tx: Tx, field: dict[str, Any], results: dict[str, bool]) -> dict[str, Any]:
    if field["value"] not in results:
        return {}
    return {"verified_at": (field.get("verified_at") or tx.ms) if results[field["value"]] else None}


def _html(tx: Tx, source: str) -> str:
    return (
        text.render(source, mentions={}, tag_url=lambda tag: tx.site.urls.tag(text.normalise_tag(tag)))
        if source
        else ""
    )


def _save_settings(tx: Tx, account_id: int, change: dict[str, Any]) -> None:
    settings = Settings(**(asdict(settings_of(tx, account_id)) | change))
    if settings.privacy not in VISIBILITIES:
        raise Unprocessable(f"Validation failed: privacy is one of {', '.join(VISIBILITIES)}")
    if settings.reach and settings.reach not in REACHES:
        raise Unprocessable(f"Validation failed: reach is one of {', '.join(REACHES)}")
    if settings.quote_policy not in QUOTERS:
        raise Unprocessable(f"Validation failed: quote_policy is one of {', '.join(QUOTERS)}")
    tx.conn.execute(
        sa.update(users)
        .where(users.c.account_id == account_id)
        .values(settings=orjson.dumps(asdict(settings)).decode())
    )


def delete(tx: Tx, account: Account) -> None:
    """Delete an account for good: it shows nowhere, its uri answers 410, and other servers are told."""
    gone = {"deleted_at": tx.ms, "display_name": "", "note": "", "note_source": "", "fields": "[]", "avatar": None,
            "header": None, "presentation": presentation.UNCHANGED, "version": accounts.c.version + 1}  # fmt: skip
    tx.conn.execute(sa.update(accounts).where(accounts.c.id == account.id).values(**gone))
    tx.conn.execute(sa.update(users).where(users.c.account_id == account.id).values(disabled_at=tx.ms))
    insert_ignore(tx, tombstones, uri=account.uri, owner_uri=account.uri, former_type=account.kind, deleted_at=tx.ms)
    tx.record(AccountDeleted(account.id))


_RECOUNT = (
    sa.update(accounts)
    .where(accounts.c.id == sa.bindparam("of"))
    .values(statuses_count=accounts.c.statuses_count + sa.bindparam("by"))
)
_AT = sa.bindparam("at", type_=sa.BigInteger)
_RECOUNT_AT = _RECOUNT.values(
    last_status_at=sa.case(
        (sa.func.coalesce(accounts.c.last_status_at, 0) < _AT, _AT),
        else_=sa.func.coalesce(accounts.c.last_status_at, 0),
    ),
    # What was there when its server told how many there are was one of those that nobody here knew.
    statuses_elsewhere=sa.case(
        (
            sa.and_(accounts.c.counted_at >= _AT, accounts.c.statuses_elsewhere > 0),
            accounts.c.statuses_elsewhere - 1,
        ),
        else_=accounts.c.statuses_elsewhere,
    ),
)


def count_statuses(tx: Tx, account_id: int, change: int, at: int | None = None) -> None:
    """Raise or lower the number of statuses shown on a profile; `at` is the time of a new one."""
    if at is None:
        tx.conn.execute(_RECOUNT, {"of": account_id, "by": change})
    else:
        tx.conn.execute(_RECOUNT_AT, {"of": account_id, "by": change, "at": at})
