"""What clients must find in the answers of the API, and how each field must look; ours in what is ours too.

The facts are the union over strictly typed clients (Tusky, Pachli, Ice Cubes, Mastodon for iOS and Android, Moshidon):
where a field is missing, null where it may not be, or of another type, at least one of them drops the whole page.
A name that ends in `?` may be absent; everything else must be there.
"""

import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any, str], None]
Shape = dict[str, Check]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ID = re.compile(r"[0-9]{1,19}")
_LINK = re.compile(r"https?://[^\s/]+(/\S*)?")


# -- how a value looks -----------------------------------------------------------------------------------------------


def text(value: Any, at: str) -> None:
    assert isinstance(value, str), f"{at} is no text: {value!r}"


def filled(value: Any, at: str) -> None:
    text(value, at)
    assert value.strip(), f"{at} is empty"


def flag(value: Any, at: str) -> None:
    assert isinstance(value, bool), f"{at} is neither true nor false: {value!r}"


def number(value: Any, at: str) -> None:
    """A count: one of a JavaScript number's whole values, never below zero."""
    assert type(value) is int, f"{at} is no whole number: {value!r}"
    assert 0 <= value < 2**53, f"{at} is out of range: {value!r}"


def small(value: Any, at: str) -> None:
    """A number that some clients read with 32 bits."""
    number(value, at)
    assert value < 2**31, f"{at} has more than 32 bits: {value!r}"


def share(value: Any, at: str) -> None:
    assert type(value) in (int, float), f"{at} is no number: {value!r}"
    assert 0 <= value <= 1, f"{at} is no share: {value!r}"


def matching(pattern: re.Pattern[str], name: str) -> Check:
    def check(value: Any, at: str) -> None:
        text(value, at)
        assert pattern.fullmatch(value), f"{at} is no {name}: {value!r}"

    return check


id_ = matching(_ID, "id")
time = matching(_TIME, "time with milliseconds")
day = matching(_DAY, "day")
link = matching(_LINK, "absolute link")


def one_of(*words: str) -> Check:
    def check(value: Any, at: str) -> None:
        assert value in words, f"{at} is none of {words}: {value!r}"

    return check


def maybe(check: Check) -> Check:
    """Null is allowed, absence is not."""

    def checked(value: Any, at: str) -> None:
        if value is not None:
            check(value, at)

    return checked


def each(check: Check) -> Check:
    def checked(value: Any, at: str) -> None:
        assert isinstance(value, list), f"{at} is no list: {value!r}"
        for number_, item in enumerate(value):
            check(item, f"{at}[{number_}]")

    return checked


def none(value: Any, at: str) -> None:
    """The list of something that this server has none of."""
    assert value == [], f"{at} should be an empty list: {value!r}"


def empty(value: Any, at: str) -> None:
    assert value == {}, f"{at} should be an empty object: {value!r}"


def fields(shape: Shape) -> Check:
    """An object with these fields; others are nobody's harm."""

    def checked(value: Any, at: str) -> None:
        assert isinstance(value, dict), f"{at} is no object: {value!r}"
        for name, check in shape.items():
            key = name.removesuffix("?")
            if key in value:
                check(value[key], f"{at}.{key}")
            else:
                assert key != name, f"{at} has no {key}"

    return checked


def entity(name: str) -> Check:
    """One of SHAPES, looked up late so that entities can hold each other."""

    def checked(value: Any, at: str) -> None:
        fields(SHAPES[name])(value, at)
        for rule in _RULES.get(name, ()):
            rule(value, at)

    return checked


# -- the entities ----------------------------------------------------------------------------------------------------

VISIBILITIES = ("public", "unlisted", "private", "direct")
REACHES = ("department", "company", "partners", "public")
PRESETS = ("open", "request", "private", "announcement", "secret")
ROLES = ("outcast", "member", "moderator", "admin")

_ACCOUNT: Shape = {
    "id": id_, "username": filled, "acct": filled, "url": link, "uri": link, "display_name": text, "note": text,
    "avatar": link, "avatar_static": link, "header": link, "header_static": link, "avatar_description": text,
    "header_description": text, "show_media": flag, "show_media_replies": flag, "show_featured": flag,
    "locked": flag, "bot": flag, "group": flag, "discoverable": flag, "created_at": time,
    "fields": each(entity("Field")), "emojis": each(entity("CustomEmoji")),
    "statuses_count": number, "followers_count": number, "following_count": number, "last_status_at": maybe(day),
    "roles": none,
}  # fmt: skip

_CARD: Shape = {
    "url": link, "title": filled, "description": text, "type": one_of("link"), "author_name": text, "author_url": text,
    "authors": each(fields({"name": filled, "url": text})), "provider_name": text, "provider_url": text, "html": text,
    "width": number, "height": number, "image": maybe(link), "embed_url": text, "blurhash": maybe(filled),
}  # fmt: skip
_MEDIA: Shape = {  # a sound without a cover has no preview
    "id": id_, "type": one_of("image", "gifv", "video", "audio", "unknown"), "url": link, "preview_url": maybe(link),
    "remote_url": maybe(link), "meta": fields({}), "description": maybe(filled), "blurhash": maybe(filled),
}  # fmt: skip
_STATUS: Shape = {
    "id": id_, "uri": link, "url": maybe(link), "created_at": time, "edited_at": maybe(time),
    "account": entity("Account"), "content": text, "visibility": one_of(*VISIBILITIES), "sensitive": flag,
    "spoiler_text": text, "media_attachments": each(entity("MediaAttachment")), "mentions": each(entity("Mention")),
    "tags": each(fields({"name": filled, "url": link})), "emojis": each(entity("CustomEmoji")), "reblogs_count": number,
    "favourites_count": number, "replies_count": number, "in_reply_to_id": maybe(id_),
    "in_reply_to_account_id": maybe(id_), "language": maybe(filled), "poll": maybe(entity("Poll")),
    "card": maybe(entity("Card")), "reblog": maybe(entity("Reblogged")), "reach": one_of(*REACHES), "local_only": flag,
    "application?": entity("ShownApplication"), "favourited?": flag, "reblogged?": flag, "bookmarked?": flag,
    "muted?": flag, "pinned?": flag, "filtered?": each(entity("FilterResult")), "quotes_count": number,
    "quote": maybe(entity("Quote")), "quote_approval": fields({
        "automatic": each(one_of("public", "followers", "following", "unsupported_policy")),
        "manual": each(one_of("public", "followers", "following", "unsupported_policy")),
        "current_user": one_of("automatic", "manual", "denied", "unknown"),
    }),
    "reactions": each(entity("Reaction")), "emoji_reactions?": each(entity("Reaction")),
}  # fmt: skip

_QUOTE_STATE = one_of(
    "pending", "accepted", "rejected", "revoked", "deleted", "unauthorized", "blocked_account", "blocked_domain",
    "muted_account",
)  # fmt: skip
_CONTEXTS = ("home", "notifications", "public", "thread", "account")
_FILTER: Shape = {
    "id": id_, "title": filled, "context": each(one_of(*_CONTEXTS)), "expires_at": maybe(time),
    "filter_action": one_of("warn", "hide", "blur"),
}  # fmt: skip

_INSTANCE_CONFIGURATION: Shape = {
    "accounts": fields({"max_featured_tags": number, "max_pinned_statuses": number}),
    "statuses": fields(
        {"max_characters": number, "max_media_attachments": number, "characters_reserved_per_url": number}
    ),
    "media_attachments": fields(
        {
            "supported_mime_types": each(filled), "image_size_limit": number, "image_matrix_limit": number,
            "video_size_limit": number, "video_frame_rate_limit": number, "video_matrix_limit": number,
        }
    ),
    "polls": fields(
        {"max_options": number, "max_characters_per_option": number, "min_expiration": number, "max_expiration": number}
    ),
    "reactions": fields({"max_reactions": number}),
}  # fmt: skip

_HISTORY = each(fields({"day": filled, "uses": filled, "accounts": filled}))
SHAPES: dict[str, Shape] = {
    "ScheduledStatus": {
        "id": id_, "scheduled_at": time, "media_attachments": each(entity("MediaAttachment")),
        "params": fields({
            "text": text, "poll": maybe(fields({"options": each(filled)})), "media_ids": maybe(each(id_)),
            "sensitive": maybe(flag), "spoiler_text": maybe(text), "visibility": maybe(one_of(*VISIBILITIES)),
            "in_reply_to_id": maybe(id_), "language": maybe(filled), "application_id": maybe(number),
            "scheduled_at": maybe(time), "idempotency": maybe(text), "with_rate_limit": flag,
            "quoted_status_id": maybe(id_), "quote_approval_policy": maybe(one_of("public", "followers", "nobody")),
        }),
    },
    "Filter": {**_FILTER, "keywords": each(entity("FilterKeyword")), "statuses": each(entity("FilterStatus"))},
    "FilterKeyword": {"id": id_, "keyword": filled, "whole_word": flag},
    "FilterStatus": {"id": id_, "status_id": id_},
    "FilterResult": {
        "filter": fields(_FILTER), "keyword_matches": maybe(each(filled)), "status_matches": maybe(each(id_)),
    },
    "OldFilter": {
        "id": id_, "phrase": filled, "context": each(one_of(*_CONTEXTS)), "whole_word": flag,
        "expires_at": maybe(time), "irreversible": flag,
    },
    "Announcement": {
        "id": id_, "content": text, "starts_at": maybe(time), "ends_at": maybe(time), "all_day": flag,
        "published_at": time, "updated_at": time, "read?": flag, "mentions": none, "statuses": none,
        "tags": each(fields({"name": filled, "url": link})), "emojis": each(entity("CustomEmoji")),
        "reactions": each(entity("Reaction")),
    },
    "Reaction": {"name": filled, "count": number, "me?": flag, "url?": link, "static_url?": link},
    "StatusReaction": {
        "id": id_, "name": filled, "url?": link, "static_url?": link, "account": entity("Account"),
    },
    "PleromaReaction": {
        "name": filled, "count": number, "me": flag, "url?": link, "accounts": each(entity("Account")),
    },
    "Field": {"name": text, "value": text, "verified_at": maybe(time)},
    "Account": _ACCOUNT,
    "MutedAccount": _ACCOUNT | {"mute_expires_at": maybe(time)},
    "CredentialAccount": _ACCOUNT
    | {
        "source": fields(
            {
                "note": text, "fields": each(entity("Field")), "privacy": one_of(*VISIBILITIES), "sensitive": flag,
                "language": maybe(filled), "follow_requests_count": number, "reach": one_of(*REACHES),
                "quote_policy": one_of("public", "followers", "nobody"), "attribution_domains": each(filled),
            }
        ),
        "role": fields({"id": filled, "name": text, "color": text, "permissions": text, "highlighted": flag}),
    },
    "Profile": {
        "id": id_, "display_name": text, "note": text, "fields": each(entity("Field")), "avatar": maybe(link),
        "avatar_static": maybe(link), "avatar_description": text, "header": maybe(link), "header_static": maybe(link),
        "header_description": text, "attribution_domains": each(filled), "featured_tags": each(entity("FeaturedTag")),
        **dict.fromkeys(
            (
                "locked", "bot", "hide_collections", "discoverable", "indexable", "show_media", "show_media_replies",
                "show_featured",
            ),
            flag,
        ),
    },
    "Relationship": {
        "id": id_, "note": text, "languages": maybe(each(filled)),
        **dict.fromkeys(
            (
                "following", "showing_reblogs", "notifying", "followed_by", "blocking", "blocked_by", "muting",
                "muting_notifications", "requested", "requested_by", "domain_blocking", "endorsed",
            ),
            flag,
        ),
    },
    "Status": _STATUS,
    "Reblogged": _STATUS,
    "Quoted": _STATUS | {"quote": maybe(entity("ShallowQuote"))},
    "Quote": {"state": _QUOTE_STATE, "quoted_status": maybe(entity("Quoted"))},
    "ShallowQuote": {"state": _QUOTE_STATE, "quoted_status_id": maybe(id_)},
    "DeletedStatus": _STATUS | {"text": text},
    "Mention": {"id": id_, "username": filled, "acct": filled, "url": link},
    "MediaAttachment": _MEDIA,
    "Translation": {
        "content": text, "spoiler_text": text, "language": filled, "detected_source_language": filled,
        "provider": filled, "media_attachments": each(fields({"id": id_, "description": text})),
        "poll": maybe(fields({"id": id_, "options": each(fields({"title": text}))})),
    },
    "CustomEmoji": {
        "shortcode": filled, "url": link, "static_url": link, "visible_in_picker": flag, "category": maybe(filled),
    },
    "Card": _CARD,
    "TrendingLink": _CARD | {
        "history": each(fields({"day": filled, "uses": filled, "accounts": filled})),
    },
    "PendingMedia": _MEDIA | {"url": maybe(link)},
    "Poll": {
        "id": id_, "expires_at": maybe(time), "expired": flag, "multiple": flag, "votes_count": number,
        "voters_count": maybe(number), "options": each(fields({"title": filled, "votes_count": maybe(number)})),
        "emojis": each(entity("CustomEmoji")), "voted": flag, "own_votes": each(number),
    },
    "StatusSource": {"id": id_, "text": text, "spoiler_text": text},
    "StatusEdit": {
        "content": text, "spoiler_text": text, "sensitive": flag, "created_at": time, "account": entity("Account"),
        "media_attachments": each(entity("MediaAttachment")), "emojis": each(entity("CustomEmoji")),
        "poll?": fields({"options": each(fields({"title": filled}))}),
    },
    "Collection": {
        "id": id_, "account_id": id_, "uri": link, "url": link, "name": filled, "description": text,
        "language": maybe(filled), "local": flag, "sensitive": flag, "discoverable": flag, "reach": one_of(*REACHES),
        "tag": maybe(fields({"name": filled, "url": link})), "item_count": small,
        "items": each(entity("CollectionItem")), "created_at": time, "updated_at": time,
    },
    "CollectionItem": {
        "id": id_, "account_id": id_, "state": one_of("pending", "accepted"), "created_at": time,
    },
    "Context": {"ancestors": each(entity("Status")), "descendants": each(entity("Status"))},
    "Notification": {
        "id": id_, "type": filled, "created_at": time, "group_key": filled, "account": entity("Account"),
        "status?": entity("Status"), "report?": entity("ToldReport"), "moderation_warning?": entity("AccountWarning"),
        "collection?": entity("Collection"),
        "emoji?": filled, "emoji_url?": maybe(link),
    },
    "NotificationGroup": {
        "group_key": filled, "notifications_count": number, "type": filled, "most_recent_notification_id": number,
        "page_min_id": id_, "page_max_id": id_, "latest_page_notification_at": time, "sample_account_ids": each(id_),
        "status_id?": id_, "report?": entity("ToldReport"), "moderation_warning?": entity("AccountWarning"),
        "collection?": entity("Collection"),
    },
    "GroupedNotifications": {
        "accounts": each(entity("Account")), "statuses": each(entity("Status")),
        "notification_groups": each(entity("NotificationGroup")),
    },
    "NotificationPolicy": {
        **dict.fromkeys(
            (
                "for_not_following", "for_not_followers", "for_new_accounts", "for_private_mentions",
                "for_limited_accounts",
            ),
            one_of("accept", "filter", "drop"),
        ),
        "summary": fields({"pending_requests_count": number, "pending_notifications_count": number}),
    },
    "NotificationRequest": {
        "id": id_, "created_at": time, "updated_at": time, "notifications_count": filled, "account": entity("Account"),
        "last_status": maybe(entity("Status")),
    },
    "OldNotificationPolicy": {
        **dict.fromkeys(
            ("filter_not_following", "filter_not_followers", "filter_new_accounts", "filter_private_mentions"), flag
        ),
        "summary": fields({"pending_requests_count": number, "pending_notifications_count": number}),
    },
    "List": {"id": id_, "title": filled, "replies_policy": one_of("list", "followed", "none"), "exclusive": flag},
    "FeaturedTag": {
        "id": id_, "name": filled, "url": link, "statuses_count": filled, "last_status_at": maybe(day),
    },
    "Tag": {
        "id": filled, "name": filled, "url": link, "following": flag, "featuring": flag,
        "history": _HISTORY,
    },
    "Marker": {"last_read_id": id_, "version": number, "updated_at": time},
    "Conversation": {
        "id": id_, "unread": flag, "accounts": each(entity("Account")), "last_status": entity("Status"),
    },
    "Search": {
        "accounts": each(entity("Account")), "statuses": each(entity("Status")), "hashtags": each(entity("Tag")),
    },
    "Suggestion": {"source": filled, "sources": each(filled), "account": entity("Account")},
    "FamiliarFollowers": {"id": id_, "accounts": each(entity("Account"))},
    "Preferences": {
        "posting:default:visibility": one_of(*VISIBILITIES), "posting:default:sensitive": flag,
        "posting:default:language": maybe(filled), "reading:expand:media": one_of("default", "show_all", "hide_all"),
        "reading:expand:spoilers": flag, "posting:default:quote_policy": one_of("public", "followers", "nobody"),
    },
    "ShownApplication": {"name": filled, "website": maybe(link)},
    "Application": {
        "id": id_, "name": filled, "website": maybe(link), "scopes": each(filled), "redirect_uri": filled,
        "redirect_uris": each(filled), "vapid_key": filled,
    },
    "PushSubscription": {
        "id": small, "endpoint": link, "standard": flag, "policy": one_of("all", "followed", "follower", "none"),
        "server_key": matching(re.compile(r"[\w-]{87}="), "key in base64url"),
        "alerts": fields(
            dict.fromkeys(
                (
                    "mention", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "quote",
                    "quoted_update", "admin.sign_up", "admin.report",
                ),
                flag,
            )
        ),
    },
    "Token": {"access_token": filled, "token_type": one_of("Bearer"), "scope": filled, "created_at": number},
    "Instance": {
        "domain": filled, "title": filled, "version": filled, "source_url": text, "description": text,
        "usage": fields({"users": fields({"active_month": number})}), "thumbnail": fields({"url": link}),
        "languages": each(filled),
        "configuration": fields(
            _INSTANCE_CONFIGURATION
            | {
                "urls": fields({"streaming": filled}), "vapid": fields({"public_key": text}),
                "translation": fields({"enabled": flag}),
            }
        ),
        "registrations": fields({"enabled": flag, "approval_required": flag, "message": maybe(text)}),
        "api_versions": fields({"mastodon": number}),
        "contact": fields({"email": text, "account": maybe(entity("Account"))}), "rules": each(entity("Rule")),
    },
    "OldInstance": {
        "uri": filled, "title": filled, "short_description": text, "description": text, "email": text,
        "version": filled, "urls": fields({"streaming_api": filled}), "thumbnail": maybe(link),
        "stats": fields({"user_count": number, "status_count": number, "domain_count": number}),
        "languages": each(filled), "registrations": flag, "approval_required": flag, "invites_enabled": flag,
        "configuration": fields(_INSTANCE_CONFIGURATION), "contact_account": maybe(entity("Account")),
        "rules": each(entity("Rule")),
    },
    "Week": {"week": filled, "statuses": filled, "logins": filled, "registrations": filled},
    "ExtendedDescription": {"updated_at": time, "content": text},
    "ToldReport": {
        "id": id_, "action_taken": flag, "action_taken_at": maybe(time),
        "category": one_of("spam", "legal", "violation", "other"), "comment": text, "forwarded": flag,
        "created_at": time, "status_ids": each(id_), "rule_ids": each(id_), "target_account": entity("Account"),
    },
    "AdminAccount": {
        "id": id_, "username": filled, "domain": maybe(filled), "created_at": time, "email": text, "ip": maybe(text),
        "ips": none, "locale": maybe(text), "invite_request": maybe(text), "confirmed": flag, "approved": flag,
        "role": maybe(fields({"id": filled, "name": text, "color": text, "permissions": text, "highlighted": flag})),
        "disabled": flag, "silenced": flag, "sensitized": flag, "suspended": flag, "account": entity("Account"),
    },
    "AccountWarning": {
        "id": id_, "action": one_of("none", "disable", "sensitive", "silence", "suspend"), "text": text,
        "status_ids": maybe(each(id_)), "target_account": entity("Account"), "created_at": time,
        "appeal": maybe(fields({"text": filled, "state": one_of("approved", "rejected", "pending")})),
    },
    "AuditEntry": {
        "id": id_, "created_at": time, "actor": filled, "act": filled, "subject": filled, "outcome": filled,
        "reason": text,
    },
    "AdminMeasure": {
        "key": filled, "unit": maybe(filled), "total": filled, "previous_total": filled, "human_value?": filled,
        "data": each(fields({"date": time, "value": filled})),
    },
    "AdminDimension": {
        "key": filled,
        "data": each(fields(
            {"key": filled, "human_key": filled, "value": filled, "unit?": filled, "human_value?": filled}
        )),
    },
    "AdminCohort": {
        "period": time, "frequency": one_of("day", "month"),
        "data": each(fields({"date": time, "rate": share, "value": filled})),
    },
    "AdminTag": {
        "id": filled, "name": filled, "url": link, "history": _HISTORY, "trendable": flag, "usable": flag,
        "requires_review": flag,
    },
    "AdminDomainAllow": {"id": id_, "domain": filled, "created_at": time, "tier": one_of("department", "partner")},
    "AdminDomainBlock": {
        "id": id_, "domain": filled, "digest": filled, "created_at": time, "severity": one_of("suspend"),
        "reject_media": flag, "reject_reports": flag, "private_comment": maybe(text), "public_comment": maybe(text),
        "obfuscate": flag,
    },
    "DomainBlock": {"domain": filled, "digest": filled, "severity": one_of("suspend", "silence"), "comment": text},
    "AdminReport": {
        "id": id_, "action_taken": flag, "action_taken_at": maybe(time),
        "category": one_of("spam", "legal", "violation", "other"), "comment": text, "forwarded": flag,
        "created_at": time, "updated_at": time, "account": entity("AdminAccount"),
        "target_account": entity("AdminAccount"), "assigned_account": maybe(entity("AdminAccount")),
        "action_taken_by_account": maybe(entity("AdminAccount")), "statuses": each(entity("Status")),
        "rules": each(entity("Rule")),
    },
    "Rule": {"id": id_, "text": filled, "hint": text},
    "Terms": {"effective_date": day, "effective": flag, "content": text, "succeeded_by": maybe(day)},
    # our own API: groups
    "Group": {
        "id": id_, "uri": link, "url": link, "name": filled, "acct": filled, "department": filled, "local": flag,
        "title": filled, "description": text, "account": entity("Account"), "preset": one_of(*PRESETS),
        "reach": one_of(*REACHES), "joining": one_of("open", "approval", "invite"),
        "reading": one_of("everyone", "members"), "posting": one_of("everyone", "members", "moderators"),
        "inviting": one_of("members", "moderators"), "history": one_of("all", "joined"),
        "outsiders": one_of("refuse", "relay"), "premoderated": flag, "purpose": text, "rules": each(filled),
        "topics": each(filled), "ends_at": maybe(time), "archived_at": maybe(time), "created_at": time,
        "members_count": number, "role": maybe(one_of(*ROLES)), "requested": flag, "invited": flag,
        "may": fields(dict.fromkeys(("read", "post", "invite", "moderate", "administer"), flag)),
        "join_link": maybe(link), "pending": each(entity("Wish")),
    },
    "Member": {"account": entity("Account"), "role": maybe(one_of(*ROLES))},
    "Ban": {"account": entity("Account"), "reason": text, "until": maybe(time)},
    "JoinRequest": {"account": entity("Account"), "message": text, "created_at": time},
    "Invitation": {
        "account": entity("Account"), "by": maybe(entity("Account")), "message": text, "created_at": time,
        "expires_at": time,
    },
    "Report": {
        "id": id_, "account": maybe(entity("Account")), "status_ids": each(id_), "comment": text, "created_at": time,
    },
    "Wish": {
        "id": id_, "act": filled, "account_id": maybe(id_), "state": one_of("pending", "done", "refused"),
        "reason": text, "created_at": time,
    },
    "Place": {
        "account": entity("Account"), "state": one_of("pending", "held", "distributed", "rejected", "removed"),
        "reason": text, "locked": flag, "pinned": flag,
    },
    "Ledger": {
        "entries_count": number, "announced_count": number, "forked_at": maybe(time), "entries": each(fields({})),
    },
    "Error": {"error": filled, "error_description?": filled},
}  # fmt: skip


# -- what must hold between fields -----------------------------------------------------------------------------------


def _repeats_its_original(status: Any, at: str) -> None:
    original = status["reblog"]
    if original is not None:
        assert original["reblog"] is None, f"{at}.reblog is a boost itself"
        assert status["content"] == original["content"], f"{at} does not repeat the content of what it boosts"


def _names_nobody_unknown(page: Any, at: str) -> None:
    people = {account["id"] for account in page["accounts"]}
    shown = {status["id"] for status in page["statuses"]}
    for group in page["notification_groups"]:
        assert group["sample_account_ids"], f"{at} has a group of nobody: {group['group_key']}"
        assert people.issuperset(group["sample_account_ids"]), f"{at} names accounts that it does not hold"
        assert group.get("status_id") in {None, *shown}, f"{at} names a status that it does not hold"


def _shows_what_it_may(quote: Any, at: str) -> None:
    shown = quote["quoted_status"] is not None
    if "DELETE" not in at:  # whose answer is there to write the post anew
        allowed = quote["state"] in ("accepted", "blocked_account", "blocked_domain", "muted_account")
        assert shown == allowed, f"{at} is {quote['state']} and {'shows' if shown else 'does not show'} what it quotes"


_RULES: dict[str, tuple[Check, ...]] = {
    "Quote": (_shows_what_it_may,),
    "Status": (_repeats_its_original,),
    "DeletedStatus": (_repeats_its_original,),
    "GroupedNotifications": (_names_nobody_unknown,),
}

# -- which route answers what ----------------------------------------------------------------------------------------

_ACCOUNTS, _STATUSES, _TAGS, _LISTS = (each(entity(name)) for name in ("Account", "Status", "Tag", "List"))
_COUNT = fields({"count": number})
_COLLECTIONS = fields({"collections": each(entity("Collection"))})
_MARKERS = fields({"home?": entity("Marker"), "notifications?": entity("Marker")})


def _either(first: str, second: str, *, told_by: str) -> Check:
    """The first entity where the answer has this field, else the second."""

    def checked(value: Any, at: str) -> None:
        entity(first if told_by in value else second)(value, at)

    return checked


def _or_wish(check: Check) -> Check:
    """What the route gives, or the wish that another department decides on."""

    def checked(value: Any, at: str) -> None:
        is_wish = isinstance(value, dict) and "act" in value
        (entity("Wish") if is_wish else check)(value, at)

    return checked


ANSWERS: dict[str, Check | None] = {
    "POST /api/v1/apps": fields(SHAPES["Application"] | {"client_id": filled, "client_secret": filled}),
    "GET /api/v1/apps/verify_credentials": entity("Application"),
    "POST /oauth/token": entity("Token"),
    "POST /oauth/revoke": empty,
    "GET /oauth/userinfo": fields({"iss": link, "sub": link, "name": filled, "preferred_username": filled}),
    "POST /oauth/userinfo": fields({"iss": link, "sub": link, "name": filled, "preferred_username": filled}),
    # accounts
    "GET /api/v1/accounts/verify_credentials": entity("CredentialAccount"),
    "PATCH /api/v1/accounts/update_credentials": entity("CredentialAccount"),
    "GET /api/v1/profile": entity("Profile"),
    "PATCH /api/v1/profile": entity("Profile"),
    "DELETE /api/v1/profile/avatar": entity("CredentialAccount"),
    "DELETE /api/v1/profile/header": entity("CredentialAccount"),
    "GET /api/v1/preferences": entity("Preferences"),
    "GET /api/v1/accounts": _ACCOUNTS,
    "GET /api/v1/accounts/lookup": entity("Account"),
    "GET /api/v1/accounts/search": _ACCOUNTS,
    "GET /api/v1/accounts/relationships": each(entity("Relationship")),
    "GET /api/v1/accounts/familiar_followers": each(entity("FamiliarFollowers")),
    "GET /api/v1/accounts/{id}": entity("Account"),
    "GET /api/v1/accounts/{id}/statuses": _STATUSES,
    "GET /api/v1/accounts/{id}/followers": _ACCOUNTS,
    "GET /api/v1/accounts/{id}/following": _ACCOUNTS,
    "GET /api/v1/accounts/{id}/lists": _LISTS,
    "GET /api/v1/accounts/{id}/featured_tags": each(entity("FeaturedTag")),
    "GET /api/v1/accounts/{id}/endorsements": _ACCOUNTS,
    "GET /api/v1/accounts/{id}/identity_proofs": none,
    **dict.fromkeys(
        (
            f"POST /api/v1/accounts/{{id}}/{verb}"
            for verb in (
                "follow", "unfollow", "remove_from_followers", "block", "unblock", "mute", "unmute", "note",
                "endorse", "unendorse", "pin", "unpin",
            )
        ),
        entity("Relationship"),
    ),
    "GET /api/v1/follow_requests": _ACCOUNTS,
    "POST /api/v1/follow_requests/{id}/authorize": entity("Relationship"),
    "POST /api/v1/follow_requests/{id}/reject": entity("Relationship"),
    "GET /api/v1/blocks": _ACCOUNTS,
    "GET /api/v1/mutes": each(entity("MutedAccount")),
    "GET /api/v1/directory": _ACCOUNTS,
    "GET /api/v1/suggestions": _ACCOUNTS,
    "GET /api/v2/suggestions": each(entity("Suggestion")),
    "DELETE /api/v1/suggestions/{id}": empty,
    "GET /api/v1/endorsements": _ACCOUNTS,
    "GET /api/v1/featured_tags": each(entity("FeaturedTag")),
    "POST /api/v1/featured_tags": entity("FeaturedTag"),
    "GET /api/v1/featured_tags/suggestions": _TAGS,
    "DELETE /api/v1/featured_tags/{id}": empty,
    "GET /api/v1/domain_blocks": each(filled),
    "POST /api/v1/domain_blocks": empty,
    "DELETE /api/v1/domain_blocks": empty,
    "GET /api/v1/accounts/{id}/collections": _COLLECTIONS,
    "GET /api/v1/accounts/{id}/in_collections": _COLLECTIONS,
    "POST /api/v1/collections": fields({"collection": entity("Collection")}),
    "GET /api/v1/collections/{id}": fields({"accounts": _ACCOUNTS, "collection": entity("Collection")}),
    "PATCH /api/v1/collections/{id}": fields({"collection": entity("Collection")}),
    "DELETE /api/v1/collections/{id}": empty,
    "POST /api/v1/collections/{id}/items": fields({"collection_item": entity("CollectionItem")}),
    "DELETE /api/v1/collections/{id}/items/{item}": empty,
    "POST /api/v1/collections/{id}/items/{item}/revoke": empty,
    # statuses
    "POST /api/v1/statuses": _either("ScheduledStatus", "Status", told_by="scheduled_at"),
    "GET /api/v1/statuses": _STATUSES,
    "GET /api/v1/statuses/{id}": entity("Status"),
    "PUT /api/v1/statuses/{id}": entity("Status"),
    "DELETE /api/v1/statuses/{id}": entity("DeletedStatus"),
    "GET /api/v1/statuses/{id}/context": entity("Context"),
    "GET /api/v1_alpha/async_refreshes/{id}": fields({
        "async_refresh": fields({"id": filled, "status": one_of("running", "finished"), "result_count": number}),
    }),
    "GET /api/v1/statuses/{id}/source": entity("StatusSource"),
    "GET /api/v1/statuses/{id}/history": each(entity("StatusEdit")),
    "GET /api/v1/statuses/{id}/quotes": _STATUSES,
    "POST /api/v1/statuses/{id}/quotes/{quoting}/revoke": entity("Status"),
    "PUT /api/v1/statuses/{id}/interaction_policy": entity("Status"),
    "GET /api/v1/statuses/{id}/favourited_by": _ACCOUNTS,
    "GET /api/v1/statuses/{id}/reblogged_by": _ACCOUNTS,
    "POST /api/v1/statuses/{id}/react/{name}": entity("Status"),
    "POST /api/v1/statuses/{id}/unreact/{name}": entity("Status"),
    "GET /api/v1/statuses/{id}/reactions": each(entity("StatusReaction")),
    "GET /api/v1/pleroma/statuses/{id}/reactions": each(entity("PleromaReaction")),
    "GET /api/v1/pleroma/statuses/{id}/reactions/{name}": each(entity("PleromaReaction")),
    "PUT /api/v1/pleroma/statuses/{id}/reactions/{name}": entity("Status"),
    "DELETE /api/v1/pleroma/statuses/{id}/reactions/{name}": entity("Status"),
    **dict.fromkeys(
        (
            f"POST /api/v1/statuses/{{id}}/{verb}"
            for verb in (
                "favourite", "unfavourite", "reblog", "unreblog", "bookmark", "unbookmark", "pin", "unpin", "mute",
                "unmute",
            )
        ),
        entity("Status"),
    ),
    "POST /api/v2/media": entity("PendingMedia"),
    "POST /api/v1/media": entity("MediaAttachment"),
    "GET /api/v1/media/{id}": entity("PendingMedia"),
    "PUT /api/v1/media/{id}": entity("PendingMedia"),
    "DELETE /api/v1/media/{id}": empty,
    "GET /api/v1/polls/{id}": entity("Poll"),
    "POST /api/v1/polls/{id}/votes": entity("Poll"),
    "GET /api/v1/scheduled_statuses": each(entity("ScheduledStatus")),
    "GET /api/v1/scheduled_statuses/{id}": entity("ScheduledStatus"),
    "PUT /api/v1/scheduled_statuses/{id}": entity("ScheduledStatus"),
    "DELETE /api/v1/scheduled_statuses/{id}": empty,
    # timelines
    "GET /api/v1/timelines/home": _STATUSES,
    "GET /api/v1/timelines/public": _STATUSES,
    "GET /api/v1/timelines/tag/{hashtag}": _STATUSES,
    "GET /api/v1/timelines/list/{id}": _STATUSES,
    "GET /api/v1/timelines/direct": _STATUSES,
    "GET /api/v1/favourites": _STATUSES,
    "GET /api/v1/bookmarks": _STATUSES,
    "GET /api/v1/conversations": each(entity("Conversation")),
    "POST /api/v1/conversations/{id}/read": entity("Conversation"),
    "POST /api/v1/conversations/{id}/unread": entity("Conversation"),
    "DELETE /api/v1/conversations/{id}": empty,
    "GET /api/v1/markers": _MARKERS,
    "POST /api/v1/markers": _MARKERS,
    "GET /api/v1/lists": _LISTS,
    "POST /api/v1/lists": entity("List"),
    "GET /api/v1/lists/{id}": entity("List"),
    "PUT /api/v1/lists/{id}": entity("List"),
    "DELETE /api/v1/lists/{id}": empty,
    "GET /api/v1/lists/{id}/accounts": _ACCOUNTS,
    "POST /api/v1/lists/{id}/accounts": empty,
    "DELETE /api/v1/lists/{id}/accounts": empty,
    # notifications
    "GET /api/v1/notifications": each(entity("Notification")),
    "GET /api/v1/notifications/unread_count": _COUNT,
    "POST /api/v1/notifications/clear": empty,
    "GET /api/v1/notifications/policy": entity("OldNotificationPolicy"),
    "PATCH /api/v1/notifications/policy": entity("OldNotificationPolicy"),
    "PUT /api/v1/notifications/policy": entity("OldNotificationPolicy"),
    "GET /api/v1/notifications/requests": each(entity("NotificationRequest")),
    "POST /api/v1/notifications/requests/accept": empty,
    "POST /api/v1/notifications/requests/dismiss": empty,
    "GET /api/v1/notifications/requests/merged": fields({"merged": flag}),
    "GET /api/v1/notifications/requests/{id}": entity("NotificationRequest"),
    "POST /api/v1/notifications/requests/{id}/accept": empty,
    "POST /api/v1/notifications/requests/{id}/dismiss": empty,
    "GET /api/v1/notifications/{id}": entity("Notification"),
    "POST /api/v1/notifications/{id}/dismiss": empty,
    "GET /api/v2/notifications": entity("GroupedNotifications"),
    "GET /api/v2/notifications/unread_count": _COUNT,
    "GET /api/v2/notifications/policy": entity("NotificationPolicy"),
    "PATCH /api/v2/notifications/policy": entity("NotificationPolicy"),
    "PUT /api/v2/notifications/policy": entity("NotificationPolicy"),
    "GET /api/v2/notifications/{group_key}": entity("GroupedNotifications"),
    "GET /api/v2/notifications/{group_key}/accounts": _ACCOUNTS,
    "POST /api/v2/notifications/{group_key}/dismiss": empty,
    **{f"{method} /api/v1/push/subscription": entity("PushSubscription") for method in ("GET", "POST", "PUT")},
    "DELETE /api/v1/push/subscription": empty,
    # filters
    "GET /api/v2/filters": each(entity("Filter")),
    "POST /api/v2/filters": entity("Filter"),
    "GET /api/v2/filters/{id}": entity("Filter"),
    "PUT /api/v2/filters/{id}": entity("Filter"),
    "DELETE /api/v2/filters/{id}": empty,
    "GET /api/v2/filters/{id}/keywords": each(entity("FilterKeyword")),
    "POST /api/v2/filters/{id}/keywords": entity("FilterKeyword"),
    "GET /api/v2/filters/keywords/{id}": entity("FilterKeyword"),
    "PUT /api/v2/filters/keywords/{id}": entity("FilterKeyword"),
    "DELETE /api/v2/filters/keywords/{id}": empty,
    "GET /api/v2/filters/{id}/statuses": each(entity("FilterStatus")),
    "POST /api/v2/filters/{id}/statuses": entity("FilterStatus"),
    "GET /api/v2/filters/statuses/{id}": entity("FilterStatus"),
    "DELETE /api/v2/filters/statuses/{id}": empty,
    "GET /api/v1/filters": each(entity("OldFilter")),
    "POST /api/v1/filters": entity("OldFilter"),
    "GET /api/v1/filters/{id}": entity("OldFilter"),
    "PUT /api/v1/filters/{id}": entity("OldFilter"),
    "DELETE /api/v1/filters/{id}": empty,
    # discovery
    "GET /api/v2/search": entity("Search"),
    "GET /api/v1/followed_tags": _TAGS,
    "GET /api/v1/tags/{name}": entity("Tag"),
    "POST /api/v1/tags/{name}/follow": entity("Tag"),
    "POST /api/v1/tags/{name}/unfollow": entity("Tag"),
    "POST /api/v1/tags/{name}/feature": entity("Tag"),
    "POST /api/v1/tags/{name}/unfeature": entity("Tag"),
    "GET /api/v1/trends": _TAGS,
    "GET /api/v1/trends/tags": _TAGS,
    "GET /api/v1/trends/statuses": each(entity("Status")),
    "GET /api/v1/trends/links": each(entity("TrendingLink")),
    "GET /api/oembed": fields({"type": one_of("rich"), "version": one_of("1.0"), "html": filled, "width": number}),
    # groups
    "GET /api/fedcorp/v1/groups": each(entity("Group")),
    "POST /api/fedcorp/v1/groups": entity("Group"),
    "GET /api/fedcorp/v1/groups/{id}": entity("Group"),
    "PATCH /api/fedcorp/v1/groups/{id}": _or_wish(entity("Group")),
    "DELETE /api/fedcorp/v1/groups/{id}": _or_wish(empty),
    **dict.fromkeys(
        (
            f"{method} /api/fedcorp/v1/groups/{{id}}/{verb}"
            for method, verb in (("POST", "join"), ("POST", "leave"), ("POST", "link"), ("DELETE", "link"))
        ),
        entity("Group"),
    ),
    "POST /api/fedcorp/v1/groups/{id}/decline": _or_wish(entity("Group")),
    "GET /api/fedcorp/v1/groups/{id}/ledger": entity("Ledger"),
    "GET /api/fedcorp/v1/groups/{id}/members": each(entity("Member")),
    **dict.fromkeys(
        (
            f"{method} /api/fedcorp/v1/groups/{{id}}/{path}"
            for method, path in (
                ("PUT", "members/{account}"), ("DELETE", "members/{account}"), ("DELETE", "invites/{account}"),
                ("POST", "requests/{account}/approve"), ("POST", "requests/{account}/reject"), ("POST", "bans"),
                ("DELETE", "bans/{account}"),
            )
        ),
        _or_wish(entity("Member")),
    ),
    "GET /api/fedcorp/v1/groups/{id}/requests": each(entity("JoinRequest")),
    "GET /api/fedcorp/v1/groups/{id}/invites": each(entity("Invitation")),
    "POST /api/fedcorp/v1/groups/{id}/invites": _or_wish(_either("Invitation", "Member", told_by="expires_at")),
    "GET /api/fedcorp/v1/groups/{id}/bans": each(entity("Ban")),
    "GET /api/fedcorp/v1/groups/{id}/held": _STATUSES,
    "GET /api/fedcorp/v1/groups/{id}/reports": each(entity("Report")),
    "POST /api/fedcorp/v1/groups/{id}/reports": _or_wish(empty),
    "POST /api/fedcorp/v1/groups/{id}/reports/{report}/resolve": _or_wish(empty),
    **dict.fromkeys(
        (
            f"POST /api/fedcorp/v1/groups/{{id}}/statuses/{{status}}/{verb}"
            for verb in ("remove", "restore", "lock", "unlock", "pin", "unpin", "approve", "reject")
        ),
        _or_wish(entity("Place")),
    ),
    "GET /api/fedcorp/v1/statuses/{id}/groups": each(entity("Place")),
    "GET /api/fedcorp/v1/openapi.json": fields({"openapi": filled, "paths": fields({})}),
    "POST /api/v1/reports": entity("ToldReport"),
    "GET /api/v1/admin/reports": each(entity("AdminReport")),
    "GET /api/v1/admin/reports/{id}": entity("AdminReport"),
    "PUT /api/v1/admin/reports/{id}": entity("AdminReport"),
    **{
        f"POST /api/v1/admin/reports/{{id}}/{verb}": entity("AdminReport")
        for verb in ("assign_to_self", "unassign", "resolve", "reopen")
    },
    "GET /api/v1/admin/accounts": each(entity("AdminAccount")),
    "GET /api/v2/admin/accounts": each(entity("AdminAccount")),
    "GET /api/v1/admin/accounts/{id}": entity("AdminAccount"),
    "POST /api/v1/admin/accounts/{id}/action": empty,
    **{
        f"POST /api/v1/admin/accounts/{{id}}/{verb}": entity("AdminAccount")
        for verb in ("unsuspend", "unsilence", "unsensitive", "enable")
    },
    "GET /api/fedcorp/v1/warnings": each(entity("AccountWarning")),
    "POST /api/fedcorp/v1/warnings/{id}/appeal": entity("AccountWarning"),
    "GET /api/fedcorp/v1/admin/audit": each(entity("AuditEntry")),
    "POST /api/v1/admin/measures": each(entity("AdminMeasure")),
    "POST /api/v1/admin/dimensions": each(entity("AdminDimension")),
    "POST /api/v1/admin/retention": each(entity("AdminCohort")),
    "GET /api/v1/admin/trends/tags": each(entity("AdminTag")),
    "GET /api/v1/admin/trends/statuses": each(fields(_STATUS | {"requires_review": flag})),
    "GET /api/v1/admin/trends/links": each(fields(SHAPES["TrendingLink"] | {"id": id_, "requires_review": flag})),
    "GET /api/v1/admin/domain_allows": each(entity("AdminDomainAllow")),
    "POST /api/v1/admin/domain_allows": entity("AdminDomainAllow"),
    "GET /api/v1/admin/domain_allows/{id}": entity("AdminDomainAllow"),
    "DELETE /api/v1/admin/domain_allows/{id}": empty,
    "GET /api/v1/admin/domain_blocks": each(entity("AdminDomainBlock")),
    "POST /api/v1/admin/domain_blocks": entity("AdminDomainBlock"),
    "GET /api/v1/admin/domain_blocks/{id}": entity("AdminDomainBlock"),
    "PUT /api/v1/admin/domain_blocks/{id}": entity("AdminDomainBlock"),
    "DELETE /api/v1/admin/domain_blocks/{id}": empty,
    # the instance
    "GET /api/v1/instance": entity("OldInstance"),
    "GET /api/v2/instance": entity("Instance"),
    "GET /api/v1/instance/peers": each(filled),
    "GET /api/v1/instance/activity": each(entity("Week")),
    "GET /api/v1/instance/rules": each(entity("Rule")),
    "GET /api/v1/instance/domain_blocks": each(entity("DomainBlock")),
    "GET /api/v1/instance/extended_description": entity("ExtendedDescription"),
    "GET /api/v1/instance/privacy_policy": entity("ExtendedDescription"),
    "GET /api/v1/instance/terms_of_service": entity("Terms"),
    "GET /api/v1/instance/terms_of_service/{date}": entity("Terms"),
    "GET /api/v1/instance/translation_languages": fields({}),
    "POST /api/v1/statuses/{id}/translate": entity("Translation"),
    "GET /api/v1/custom_emojis": each(entity("CustomEmoji")),
    "GET /api/v1/announcements": each(entity("Announcement")),
    "POST /api/v1/announcements/{id}/dismiss": empty,
    "PUT /api/v1/announcements/{id}/reactions/{name}": empty,
    "DELETE /api/v1/announcements/{id}/reactions/{name}": empty,
    "GET /health": fields({"status": filled}),
}  # fmt: skip
"""Method and template to the look of a good answer; None stands for a route that has nothing to give but 404."""


def check(route: str, answer: Any) -> None:
    """Hold a good answer of a route ("GET /api/v1/...") against what clients need."""
    look = ANSWERS[route]
    assert look is not None, f"{route} cannot give a good answer"
    look(answer, route)


def check_entity(name: str, value: Any) -> None:
    """Hold one entity against what clients need."""
    entity(name)(value, name)
