"""The instance as clients read it at login: what it is called, what it can, and how large things may be.

What is claimed here decides what clients call, so nothing is claimed that is not there.
"""

from typing import Any

from fedcorp import __version__
from fedcorp.config import Config
from fedcorp.social import push
from fedcorp.social.featured_tags import MAX_FEATURED
from fedcorp.social.films import TYPES
from fedcorp.social.images import IMAGE_TYPES, SAFE_PIXELS
from fedcorp.social.interactions import MAX_PINS
from fedcorp.social.media import MAX_DESCRIPTION
from fedcorp.social.polls import MAX_SECONDS, MIN_SECONDS
from fedcorp.social.reactions import MAX_OF_ONE
from fedcorp.social.statistics import Statistics
from fedcorp.social.studio import tools_for
from fedcorp.social.text import URL_LENGTH, render
from fedcorp.storage.database import Site
from fedcorp.urls import Urls
from fedcorp.web.entities.times import iso
from fedcorp.webpush import server_key

VERSION = f"4.3.0 (compatible; fedcorp {__version__})"
API_VERSIONS = {"mastodon": 7}


def _streaming(base: str) -> str:
    """Where streams are: under the name by which the client reached us, which it can surely resolve."""
    return base.replace("http", "ws", 1)


def _configuration(config: Config) -> dict[str, Any]:
    limits = config.limits
    has_films = tools_for(config) is not None
    return {
        "accounts": {"max_featured_tags": MAX_FEATURED, "max_pinned_statuses": MAX_PINS},
        "statuses": {
            "max_characters": limits.status_characters,
            "max_media_attachments": limits.media_attachments,
            "characters_reserved_per_url": URL_LENGTH,
        },
        "media_attachments": {
            "supported_mime_types": [*IMAGE_TYPES, *(TYPES if has_films else ())],
            "description_limit": MAX_DESCRIPTION,
            "image_size_limit": limits.media_bytes,
            "image_matrix_limit": SAFE_PIXELS,
            "video_size_limit": limits.video_bytes if has_films else 0,
            "video_frame_rate_limit": limits.video_frame_rate if has_films else 0,
            "video_matrix_limit": limits.video_pixels if has_films else 0,
        },
        "polls": {
            "max_options": limits.poll_options,
            "max_characters_per_option": limits.poll_option_characters,
            "min_expiration": MIN_SECONDS,
            "max_expiration": MAX_SECONDS,
        },
        "reactions": {"max_reactions": MAX_OF_ONE},
    }


def rules(config: Config) -> list[dict[str, str]]:
    """Rule entities; the id of a rule is its place in the configuration, from 1."""
    return [{"id": str(number), "text": text, "hint": ""} for number, text in enumerate(config.rules, 1)]


def privacy_policy(urls: Urls, text: str, updated_at: int) -> dict[str, Any]:
    """The PrivacyPolicy entity of a plain text; `updated_at` is ms."""
    return {"updated_at": iso(updated_at), "content": render(text, mentions={}, tag_url=urls.tag)}


def terms_of_service(urls: Urls, text: str, date: str, *, effective: bool, succeeded_by: str | None) -> dict[str, Any]:
    """The TermsOfService entity of a plain text: from which day on it holds, and which day brings the next one."""
    return {
        "effective_date": date, "effective": effective, "succeeded_by": succeeded_by,
        "content": render(text, mentions={}, tag_url=urls.tag),
    }  # fmt: skip


def v2(site: Site, base: str, numbers: Statistics) -> dict[str, Any]:
    """The Instance entity; `base` is scheme://host under which the client reached us."""
    config = site.config
    return {
        "domain": site.urls.domain,
        "title": config.name,
        "version": VERSION,
        "source_url": "",
        "description": config.description,
        "usage": {"users": {"active_month": numbers.active_month}},
        "thumbnail": {"url": f"{config.origin}/headers/0.png", "blurhash": None, "versions": {}},
        "icon": [],
        "languages": list(config.languages),
        "configuration": _configuration(config)
        | {
            "urls": {"streaming": _streaming(base), "status": None, "about": config.origin, "privacy_policy": None,
                     "terms_of_service": None},
            "vapid": {"public_key": server_key(site.vapid) if push.is_on(site) else ""},
            "translation": {"enabled": bool(config.translation.url)},
            "timelines_access": {
                "live_feeds": {"local": "public", "remote": "public"},
                "hashtag_feeds": {"local": "public", "remote": "public"},
            },
            "limited_federation": config.closed,
        },
        "registrations": {"enabled": False, "approval_required": False, "reason_required": False, "message": None,
                          "min_age": None, "url": None},
        "api_versions": API_VERSIONS,
        "contact": {"email": config.contact_email, "account": None},
        "rules": rules(config),
    }  # fmt: skip


def v1(config: Config, domain: str, base: str, numbers: Statistics) -> dict[str, Any]:
    """The older Instance entity, whose `uri` is the bare domain."""
    return {
        "uri": domain,
        "title": config.name,
        "short_description": config.description,
        "description": config.description,
        "email": config.contact_email,
        "version": VERSION,
        "urls": {"streaming_api": _streaming(base)},
        "stats": {"user_count": numbers.users, "status_count": numbers.statuses, "domain_count": numbers.domains},
        "thumbnail": f"{config.origin}/headers/0.png",
        "languages": list(config.languages),
        "registrations": False,
        "approval_required": False,
        "invites_enabled": False,
        "configuration": _configuration(config),
        "contact_account": None,
        "rules": rules(config),
    }
