"""Accounts as Mastodon's API shows them: Account, CredentialAccount, Profile, Role."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import orjson

from fedcorp.config import Config
from fedcorp.social import accounts, featured_tags, people, presentation
from fedcorp.social.accounts import Account
from fedcorp.social.pages import Page
from fedcorp.storage.database import Site, Tx
from fedcorp.web.entities.emojis import of_account
from fedcorp.web.entities.lists import featured_tag
from fedcorp.web.entities.times import DAY_MS, day, iso

ROLES = {
    # Permissions are Mastodon's bits: 1 administrator; 4 audit, 8 numbers, 16 reports, 256 hashtags, 512 answers to
    # warnings, 1024 users.
    "user": {"id": "-99", "name": "", "color": "", "permissions": "0", "highlighted": False},
    "moderator": {"id": "2", "name": "Moderator", "color": "", "permissions": "1820", "highlighted": True},
    "admin": {"id": "3", "name": "Admin", "color": "", "permissions": "1", "highlighted": True},
}


def picture(site: Site, value: str | None, fallback: str) -> str:
    """The URL of a picture: ours by key, another server's as it is, or one that is drawn for who has none."""
    if not value:
        return f"{site.urls.origin}{fallback}"
    return value if "://" in value else site.urls.media(value)


def without_counts(site: Site, account: Account) -> dict[str, Any]:
    """Everything that changes only with the version of the account."""
    avatar = picture(site, account.avatar, f"/avatars/{account.id}.png")
    header = picture(site, account.header, f"/headers/{account.id}.png")
    limited = {"limited": True} if account.silenced_at is not None else {}
    shown = presentation.read(account.presentation)
    return {
        "id": str(account.id),
        "username": account.username,
        "acct": account.acct,
        "display_name": account.display_name,
        "locked": account.locked,
        "bot": account.bot and not account.is_group,
        "discoverable": account.discoverable,
        "indexable": account.indexable,
        "group": account.is_group,
        "created_at": iso(account.created_at // DAY_MS * DAY_MS),
        "note": account.note,
        "url": account.url,
        "uri": account.uri,
        "avatar": avatar,
        "avatar_static": avatar,
        "avatar_description": shown.avatar_description,
        "header": header,
        "header_static": header,
        "header_description": shown.header_description,
        "show_media": shown.show_media,
        "show_media_replies": shown.show_media_replies,
        "show_featured": shown.show_featured,
        "noindex": not account.indexable,
        "hide_collections": account.hide_collections,
        "emojis": of_account(site, account),
        "roles": [],
        "fields": [
            {
                "name": field["name"],
                "value": field["value"],
                "verified_at": _verified(field),
            }
            for field in orjson.loads(account.fields)
        ],
        **limited,
    }


def _verified(field: dict[str, Any]) -> str | None:
    return iso(field["verified_at"]) if field.get("verified_at") else None


def account(site: Site, row: Account) -> dict[str, Any]:
    """The Account entity."""
    return without_counts(site, row) | counts(row)


def counts(row: Account) -> dict[str, Any]:
    """The rest of it: what is known here, and what the server of an account elsewhere tells beyond that."""
    return {
        "statuses_count": row.statuses_count + row.statuses_elsewhere,
        "followers_count": row.followers_count + row.followers_elsewhere,
        "following_count": row.following_count + row.following_elsewhere,
        "last_status_at": day(row.last_status_at),
    }


def whole(tx: Tx, row: Account) -> dict[str, Any]:
    """The Account entity with, of one that moved, where to."""
    entity = account(tx.site, row)
    target = accounts.find(tx, row.moved_to_id) if row.moved_to_id is not None else None
    if target is not None and not target.hidden:
        entity["moved"] = account(tx.site, target)
    return entity


def many(tx: Tx, ids: Iterable[int]) -> list[dict[str, Any]]:
    """Account entities in this order; those that are gone or suspended are left out."""
    wanted = list(ids)
    found = accounts.find_many(tx, wanted)
    return [whole(tx, found[id_]) for id_ in wanted if id_ in found and not found[id_].hidden]


def muted(tx: Tx, ends: dict[int, int | None]) -> list[dict[str, Any]]:
    """MutedAccount entities: accounts with the end of the mute, in this order."""
    return [
        entity | {"mute_expires_at": None if (end := ends[int(entity["id"])]) is None else iso(end)}
        for entity in many(tx, ends)
    ]


def credentials(tx: Tx, row: Account, role: str) -> dict[str, Any]:
    """The CredentialAccount entity, for the person itself, who is a user, moderator or admin."""
    settings = accounts.settings_of(tx, row.id)
    return whole(tx, row) | {
        "source": {
            "privacy": settings.privacy,
            "sensitive": settings.sensitive,
            "language": settings.language,
            "note": row.note_source,
            "fields": _sources(row),
            "follow_requests_count": len(people.requests(tx, row.id, Page(limit=100))),
            "hide_collections": row.hide_collections,
            "discoverable": row.discoverable,
            "indexable": row.indexable,
            "reach": settings.reach or tx.site.config.default_reach,
            "quote_policy": settings.quote_policy,
            "attribution_domains": presentation.read(row.presentation).attribution_domains,
        },
        "role": ROLES[role],
    }


def _sources(row: Account) -> list[dict[str, Any]]:
    """The fields of a profile as they were typed."""
    return [
        {"name": field["name"], "value": field.get("source", field["value"]), "verified_at": _verified(field)}
        for field in orjson.loads(row.fields)
    ]


def profile(tx: Tx, row: Account) -> dict[str, Any]:
    """The Profile entity: everything that the person itself can change, as it was typed; null for a drawn picture."""
    shown = asdict(presentation.read(row.presentation))
    avatar, header = (tx.site.urls.media(key) if key else None for key in (row.avatar, row.header))
    return {
        "id": str(row.id),
        "display_name": row.display_name,
        "note": row.note_source,
        "fields": _sources(row),
        "avatar": avatar,
        "avatar_static": avatar,
        "header": header,
        "header_static": header,
        "locked": row.locked,
        "bot": row.bot,
        "hide_collections": row.hide_collections,
        "discoverable": row.discoverable,
        "indexable": row.indexable,
        "featured_tags": [featured_tag(tx, item) for item in featured_tags.of_account(tx, row.id, row.id)],
        **shown,
    }


def preferences(config: Config, settings: accounts.Settings) -> dict[str, Any]:
    """The Preferences entity."""
    return {
        "posting:default:visibility": settings.privacy,
        "posting:default:sensitive": settings.sensitive,
        "posting:default:language": settings.language,
        "posting:default:quote_policy": settings.quote_policy,
        "posting:default:reach": settings.reach or config.default_reach,
        "reading:expand:media": "default",
        "reading:expand:spoilers": False,
        "reading:autoplay:gifs": False,
    }
