"""Every URL of the instance, on one page. One of the three switchboards of the house.

What is not listed is not offered: docs/api.md says what and why.
"""

from fedcorp.web import activitypub, files, metrics, oauth, oembed, streaming, wellknown
from fedcorp.web.api import (
    accounts,
    admin,
    admin_measures,
    admin_servers,
    announcements,
    apps,
    audit,
    conversations,
    domain_blocks,
    featured_tags,
    filters,
    group_members,
    group_posts,
    groups,
    instance,
    lists,
    markers,
    media,
    notifications,
    openapi,
    polls,
    push,
    reports,
    scheduled,
    search,
    statuses,
    tags,
    timelines,
    translations,
    trends,
    warnings,
)
from fedcorp.web.pages import disputes, joining, views
from fedcorp.web.pagination import PAGE
from fedcorp.web.route import Route

READ_ACCOUNTS, WRITE_ACCOUNTS = "read:accounts", "write:accounts"
READ_STATUSES, WRITE_STATUSES = "read:statuses", "write:statuses"
READ_FOLLOWS, WRITE_FOLLOWS = "read:follows", "write:follows"
READ_FILTERS, WRITE_FILTERS = "read:filters", "write:filters"
READ_GROUPS, WRITE_GROUPS = "read:groups", "write:groups"
READ_LISTS, WRITE_LISTS = "read:lists", "write:lists"
READ_NOTIFICATIONS, WRITE_NOTIFICATIONS = "read:notifications", "write:notifications"

_APPS = (
    Route("POST", "/api/v1/apps", apps.create),
    Route("GET", "/api/v1/apps/verify_credentials", apps.verify, "", app=True),
)

_ACCOUNTS = (
    Route("GET", "/api/v1/accounts/verify_credentials", accounts.verify_credentials, f"{READ_ACCOUNTS} profile"),
    Route("PATCH", "/api/v1/accounts/update_credentials", accounts.update_credentials, WRITE_ACCOUNTS, uploads=True),
    Route("GET", "/api/v1/profile", accounts.show_profile, f"{READ_ACCOUNTS} profile"),
    Route("PATCH", "/api/v1/profile", accounts.update_profile, WRITE_ACCOUNTS, uploads=True),
    Route("DELETE", "/api/v1/profile/avatar", accounts.delete_avatar, WRITE_ACCOUNTS),
    Route("DELETE", "/api/v1/profile/header", accounts.delete_header, WRITE_ACCOUNTS),
    Route("GET", "/api/v1/preferences", accounts.preferences, READ_ACCOUNTS),
    Route("GET", "/api/v1/accounts", accounts.show_many, READ_ACCOUNTS, anonymous=True),
    Route("GET", "/api/v1/accounts/lookup", accounts.lookup, READ_ACCOUNTS, anonymous=True),
    Route("GET", "/api/v1/accounts/search", accounts.find, READ_ACCOUNTS),
    Route("GET", "/api/v1/accounts/relationships", accounts.relationships, READ_FOLLOWS),
    Route("GET", "/api/v1/accounts/familiar_followers", accounts.familiar_followers, READ_FOLLOWS),
    Route("GET", "/api/v1/accounts/{id}", accounts.show, READ_ACCOUNTS, anonymous=True),
    Route("GET", "/api/v1/accounts/{id}/statuses", accounts.list_statuses, READ_STATUSES, anonymous=True),
    Route("GET", "/api/v1/accounts/{id}/followers", accounts.list_followers, READ_ACCOUNTS),
    Route("GET", "/api/v1/accounts/{id}/following", accounts.list_following, READ_ACCOUNTS),
    Route("GET", "/api/v1/accounts/{id}/lists", accounts.list_lists, READ_LISTS),
    Route("GET", "/api/v1/accounts/{id}/featured_tags", featured_tags.of_account, READ_ACCOUNTS, anonymous=True),
    Route("GET", "/api/v1/accounts/{id}/endorsements", accounts.list_endorsements, READ_ACCOUNTS),
    Route("GET", "/api/v1/accounts/{id}/identity_proofs", accounts.list_nothing, READ_ACCOUNTS, anonymous=True),
    Route("POST", "/api/v1/accounts/{id}/follow", accounts.follow, WRITE_FOLLOWS),
    Route("POST", "/api/v1/accounts/{id}/unfollow", accounts.unfollow, WRITE_FOLLOWS),
    Route("POST", "/api/v1/accounts/{id}/remove_from_followers", accounts.remove_from_followers, WRITE_FOLLOWS),
    Route("POST", "/api/v1/accounts/{id}/block", accounts.block, "write:blocks"),
    Route("POST", "/api/v1/accounts/{id}/unblock", accounts.unblock, "write:blocks"),
    Route("POST", "/api/v1/accounts/{id}/mute", accounts.mute, "write:mutes"),
    Route("POST", "/api/v1/accounts/{id}/unmute", accounts.unmute, "write:mutes"),
    Route("POST", "/api/v1/accounts/{id}/note", accounts.note, WRITE_ACCOUNTS),
    Route("POST", "/api/v1/accounts/{id}/endorse", accounts.endorse, WRITE_ACCOUNTS),
    Route("POST", "/api/v1/accounts/{id}/unendorse", accounts.unendorse, WRITE_ACCOUNTS),
    Route("POST", "/api/v1/accounts/{id}/pin", accounts.endorse, WRITE_ACCOUNTS),
    Route("POST", "/api/v1/accounts/{id}/unpin", accounts.unendorse, WRITE_ACCOUNTS),
    Route("GET", "/api/v1/follow_requests", accounts.list_requests, READ_FOLLOWS),
    Route("POST", "/api/v1/follow_requests/{id}/authorize", accounts.authorize_request, WRITE_FOLLOWS),
    Route("POST", "/api/v1/follow_requests/{id}/reject", accounts.reject_request, WRITE_FOLLOWS),
    Route("GET", "/api/v1/blocks", accounts.list_blocks, "read:blocks"),
    Route("GET", "/api/v1/mutes", accounts.list_mutes, "read:mutes"),
    Route("GET", "/api/v1/directory", accounts.directory, READ_ACCOUNTS),
    Route("GET", "/api/v1/suggestions", accounts.suggestions_v1, "read"),
    Route("GET", "/api/v2/suggestions", accounts.suggestions, "read"),
    Route("DELETE", "/api/v1/suggestions/{id}", accounts.dismiss_suggestion, "read"),
    Route("GET", "/api/v1/endorsements", accounts.list_own_endorsements, READ_ACCOUNTS),
    Route("GET", "/api/v1/featured_tags", featured_tags.listing, READ_ACCOUNTS),
    Route("POST", "/api/v1/featured_tags", featured_tags.create, WRITE_ACCOUNTS),
    Route("GET", "/api/v1/featured_tags/suggestions", featured_tags.suggestions, READ_ACCOUNTS),
    Route("DELETE", "/api/v1/featured_tags/{id}", featured_tags.delete, WRITE_ACCOUNTS),
    Route("GET", "/api/v1/domain_blocks", domain_blocks.listing, "read:blocks"),
    Route("POST", "/api/v1/domain_blocks", domain_blocks.create, "write:blocks"),
    Route("DELETE", "/api/v1/domain_blocks", domain_blocks.delete, "write:blocks"),
)

_STATUSES = (
    Route("POST", "/api/v1/statuses", statuses.create, WRITE_STATUSES),
    Route("GET", "/api/v1/statuses", statuses.show_many, READ_STATUSES, anonymous=True),
    Route("GET", "/api/v1/statuses/{id}", statuses.show, READ_STATUSES, anonymous=True),
    Route("PUT", "/api/v1/statuses/{id}", statuses.edit, WRITE_STATUSES),
    Route("DELETE", "/api/v1/statuses/{id}", statuses.delete, WRITE_STATUSES),
    Route("GET", "/api/v1/statuses/{id}/context", statuses.context, READ_STATUSES, anonymous=True),
    Route("GET", "/api/v1_alpha/async_refreshes/{id}", statuses.show_refresh, "read"),
    Route("POST", "/api/v1/statuses/{id}/translate", translations.translate, READ_STATUSES),
    Route("GET", "/api/v1/statuses/{id}/source", statuses.source, READ_STATUSES),
    Route("GET", "/api/v1/statuses/{id}/history", statuses.history, READ_STATUSES, anonymous=True),
    Route("GET", "/api/v1/statuses/{id}/quotes", statuses.list_quotes, READ_STATUSES),
    Route("POST", "/api/v1/statuses/{id}/quotes/{quoting}/revoke", statuses.revoke_quote, WRITE_STATUSES),
    Route("PUT", "/api/v1/statuses/{id}/interaction_policy", statuses.set_interaction_policy, WRITE_STATUSES),
    Route("GET", "/api/v1/statuses/{id}/favourited_by", statuses.favourited_by, READ_ACCOUNTS, anonymous=True),
    Route("GET", "/api/v1/statuses/{id}/reblogged_by", statuses.reblogged_by, READ_ACCOUNTS, anonymous=True),
    Route("POST", "/api/v1/statuses/{id}/favourite", statuses.favourite, "write:favourites"),
    Route("POST", "/api/v1/statuses/{id}/unfavourite", statuses.unfavourite, "write:favourites"),
    Route("POST", "/api/v1/statuses/{id}/reblog", statuses.reblog, WRITE_STATUSES),
    Route("POST", "/api/v1/statuses/{id}/unreblog", statuses.unreblog, WRITE_STATUSES),
    Route("POST", "/api/v1/statuses/{id}/bookmark", statuses.bookmark, "write:bookmarks"),
    Route("POST", "/api/v1/statuses/{id}/unbookmark", statuses.unbookmark, "write:bookmarks"),
    Route("POST", "/api/v1/statuses/{id}/pin", statuses.pin, WRITE_ACCOUNTS),
    Route("POST", "/api/v1/statuses/{id}/unpin", statuses.unpin, WRITE_ACCOUNTS),
    Route("POST", "/api/v1/statuses/{id}/mute", statuses.mute, "write:mutes"),
    Route("POST", "/api/v1/statuses/{id}/unmute", statuses.unmute, "write:mutes"),
    Route("GET", "/api/oembed", oembed.show),
    Route("POST", "/api/v2/media", media.create, "write:media", uploads=True, films=True),
    Route("POST", "/api/v1/media", media.create_v1, "write:media", uploads=True, films=True),
    Route("GET", "/api/v1/media/{id}", media.show, "write:media"),
    Route("PUT", "/api/v1/media/{id}", media.update, "write:media", uploads=True),
    Route("DELETE", "/api/v1/media/{id}", media.delete, "write:media"),
    Route("GET", "/api/v1/polls/{id}", polls.show, READ_STATUSES, anonymous=True),
    Route("POST", "/api/v1/polls/{id}/votes", polls.vote, WRITE_STATUSES),
    Route("GET", "/api/v1/scheduled_statuses", scheduled.listing, READ_STATUSES),
    Route("GET", "/api/v1/scheduled_statuses/{id}", scheduled.show, READ_STATUSES),
    Route("PUT", "/api/v1/scheduled_statuses/{id}", scheduled.update, WRITE_STATUSES),
    Route("DELETE", "/api/v1/scheduled_statuses/{id}", scheduled.delete, WRITE_STATUSES),
)

_TIMELINES = (
    Route("GET", "/api/v1/timelines/home", timelines.home, READ_STATUSES),
    Route("GET", "/api/v1/timelines/public", timelines.public, READ_STATUSES, anonymous=True),
    Route("GET", "/api/v1/timelines/tag/{hashtag}", timelines.tag, READ_STATUSES, anonymous=True),
    Route("GET", "/api/v1/timelines/list/{id}", timelines.list_, READ_LISTS),
    Route("GET", "/api/v1/timelines/direct", timelines.direct, READ_STATUSES),
    Route("GET", "/api/v1/favourites", timelines.favourites, "read:favourites"),
    Route("GET", "/api/v1/bookmarks", timelines.bookmarks, "read:bookmarks"),
    Route("GET", "/api/v1/conversations", conversations.listing, READ_STATUSES),
    Route("POST", "/api/v1/conversations/{id}/read", conversations.read, "write:conversations"),
    Route("POST", "/api/v1/conversations/{id}/unread", conversations.unread, "write:conversations"),
    Route("DELETE", "/api/v1/conversations/{id}", conversations.delete, "write:conversations"),
    Route("GET", "/api/v1/markers", markers.show, READ_STATUSES),
    Route("POST", "/api/v1/markers", markers.save, WRITE_STATUSES),
    Route("GET", "/api/v1/lists", lists.list_lists, READ_LISTS),
    Route("POST", "/api/v1/lists", lists.create, WRITE_LISTS),
    Route("GET", "/api/v1/lists/{id}", lists.show, READ_LISTS),
    Route("PUT", "/api/v1/lists/{id}", lists.update, WRITE_LISTS),
    Route("DELETE", "/api/v1/lists/{id}", lists.delete, WRITE_LISTS),
    Route("GET", "/api/v1/lists/{id}/accounts", lists.list_accounts, READ_LISTS),
    Route("POST", "/api/v1/lists/{id}/accounts", lists.add_accounts, WRITE_LISTS),
    Route("DELETE", "/api/v1/lists/{id}/accounts", lists.remove_accounts, WRITE_LISTS),
)

_GROUP = "/api/fedcorp/v1/groups/{id}"
_GROUPS = (
    Route("GET", "/api/fedcorp/v1/groups", groups.listing, READ_GROUPS, takes=groups.LISTED, gives="[Group]"),
    Route(
        "POST", "/api/fedcorp/v1/groups", groups.create, WRITE_GROUPS, uploads=True, takes=groups.CREATED, gives="Group"
    ),
    Route("GET", _GROUP, groups.show, READ_GROUPS, gives="Group"),
    Route(
        "PATCH", _GROUP, groups.update, WRITE_GROUPS, uploads=True, takes=groups.CHANGED, gives="Group", waits="Wish"
    ),
    Route("DELETE", _GROUP, groups.delete, WRITE_GROUPS, gives="Empty", waits="Wish"),
    Route("POST", f"{_GROUP}/join", groups.join, WRITE_GROUPS, takes=groups.JOINED, gives="Group", waits="Group"),
    Route("POST", f"{_GROUP}/leave", groups.leave, WRITE_GROUPS, gives="Group"),
    Route("POST", f"{_GROUP}/decline", groups.decline, WRITE_GROUPS, gives="Group", waits="Wish"),
    Route("POST", f"{_GROUP}/link", groups.create_link, WRITE_GROUPS, gives="Group"),
    Route("DELETE", f"{_GROUP}/link", groups.delete_link, WRITE_GROUPS, gives="Group"),
    Route("GET", f"{_GROUP}/ledger", groups.ledger, READ_GROUPS, takes=PAGE, gives="Ledger"),
    Route("GET", f"{_GROUP}/members", group_members.listing, READ_GROUPS, takes=PAGE, gives="[Member]"),
    *(
        Route(method, f"{_GROUP}/{path}", handler, WRITE_GROUPS, takes=takes, gives="Member", waits="Wish")
        for method, path, handler, takes in (
            ("PUT", "members/{account}", group_members.set_role, group_members.ROLE),
            ("DELETE", "members/{account}", group_members.remove, group_members.REASON),
            ("POST", "requests/{account}/approve", group_members.approve, ()),
            ("POST", "requests/{account}/reject", group_members.reject, group_members.REASON),
            ("DELETE", "invites/{account}", group_members.revoke, ()),
            ("POST", "bans", group_members.ban, group_members.BANNED),
            ("DELETE", "bans/{account}", group_members.unban, ()),
        )
    ),
    Route("GET", f"{_GROUP}/requests", group_members.list_requests, READ_GROUPS, takes=PAGE, gives="[JoinRequest]"),
    Route("GET", f"{_GROUP}/invites", group_members.list_invites, READ_GROUPS, gives="[Invitation]"),
    Route(
        "POST", f"{_GROUP}/invites", group_members.invite, WRITE_GROUPS,
        takes=group_members.INVITED, gives="Invited", waits="Wish",
    ),
    Route("GET", f"{_GROUP}/bans", group_members.list_bans, READ_GROUPS, takes=PAGE, gives="[Ban]"),
    Route("GET", f"{_GROUP}/held", group_posts.held, READ_GROUPS, gives="[Status]"),
    Route("GET", f"{_GROUP}/reports", group_posts.list_reports, READ_GROUPS, gives="[Report]"),
    Route(
        "POST", f"{_GROUP}/reports", group_posts.report, WRITE_GROUPS,
        takes=group_posts.REPORTED, gives="Empty", waits="Wish",
    ),
    Route(
        "POST", f"{_GROUP}/reports/{{report}}/resolve", group_posts.resolve_report, WRITE_GROUPS,
        gives="Empty", waits="Wish",
    ),
    *(
        Route(
            "POST", f"{_GROUP}/statuses/{{status}}/{verb}", handler, WRITE_GROUPS,
            takes=group_posts.JUDGED, gives="Place", waits="Wish",
        )
        for verb, handler in (
            ("remove", group_posts.remove),
            ("restore", group_posts.restore),
            ("lock", group_posts.lock),
            ("unlock", group_posts.unlock),
            ("pin", group_posts.pin),
            ("unpin", group_posts.unpin),
            ("approve", group_posts.approve),
            ("reject", group_posts.reject),
        )
    ),
    Route("GET", "/api/fedcorp/v1/statuses/{id}/groups", group_posts.places, READ_GROUPS, gives="[Place]"),
    Route("GET", openapi.PATH, openapi.show, gives="Document"),
)  # fmt: skip

_NOTIFICATIONS = (
    Route("GET", "/api/v1/notifications", notifications.listing, READ_NOTIFICATIONS),
    Route("GET", "/api/v1/notifications/unread_count", notifications.unread_count, READ_NOTIFICATIONS),
    Route("POST", "/api/v1/notifications/clear", notifications.clear, WRITE_NOTIFICATIONS),
    Route("GET", "/api/v1/notifications/policy", notifications.policy_v1, READ_NOTIFICATIONS),
    Route("PATCH", "/api/v1/notifications/policy", notifications.update_policy_v1, WRITE_NOTIFICATIONS),
    Route("PUT", "/api/v1/notifications/policy", notifications.update_policy_v1, WRITE_NOTIFICATIONS),
    Route("POST", "/api/v1/notifications/requests/accept", notifications.accept_requests, WRITE_NOTIFICATIONS),
    Route("POST", "/api/v1/notifications/requests/dismiss", notifications.dismiss_requests, WRITE_NOTIFICATIONS),
    Route("GET", "/api/v1/notifications/requests", notifications.requests, READ_NOTIFICATIONS),
    Route("GET", "/api/v1/notifications/requests/merged", notifications.requests_merged, READ_NOTIFICATIONS),
    Route("GET", "/api/v1/notifications/requests/{id}", notifications.show_request, READ_NOTIFICATIONS),
    Route("POST", "/api/v1/notifications/requests/{id}/accept", notifications.accept_request, WRITE_NOTIFICATIONS),
    Route("POST", "/api/v1/notifications/requests/{id}/dismiss", notifications.dismiss_request, WRITE_NOTIFICATIONS),
    Route("GET", "/api/v1/notifications/{id}", notifications.show, READ_NOTIFICATIONS),
    Route("POST", "/api/v1/notifications/{id}/dismiss", notifications.dismiss, WRITE_NOTIFICATIONS),
    Route("GET", "/api/v2/notifications", notifications.grouped, READ_NOTIFICATIONS),
    Route("GET", "/api/v2/notifications/unread_count", notifications.unread_group_count, READ_NOTIFICATIONS),
    Route("GET", "/api/v2/notifications/policy", notifications.policy, READ_NOTIFICATIONS),
    Route("PATCH", "/api/v2/notifications/policy", notifications.update_policy, WRITE_NOTIFICATIONS),
    Route("PUT", "/api/v2/notifications/policy", notifications.update_policy, WRITE_NOTIFICATIONS),
    Route("GET", "/api/v2/notifications/{group_key}", notifications.show_group, READ_NOTIFICATIONS),
    Route("GET", "/api/v2/notifications/{group_key}/accounts", notifications.group_accounts, READ_NOTIFICATIONS),
    Route("POST", "/api/v2/notifications/{group_key}/dismiss", notifications.dismiss_group, WRITE_NOTIFICATIONS),
    Route("GET", "/api/v1/push/subscription", push.show, "push"),
    Route("POST", "/api/v1/push/subscription", push.create, "push"),
    Route("PUT", "/api/v1/push/subscription", push.update, "push"),
    Route("DELETE", "/api/v1/push/subscription", push.delete, "push"),
)

_FILTERS = (
    Route("GET", "/api/v2/filters", filters.listing, READ_FILTERS),
    Route("POST", "/api/v2/filters", filters.create, WRITE_FILTERS),
    Route("GET", "/api/v2/filters/{id}", filters.show, READ_FILTERS),
    Route("PUT", "/api/v2/filters/{id}", filters.update, WRITE_FILTERS),
    Route("DELETE", "/api/v2/filters/{id}", filters.delete, WRITE_FILTERS),
    Route("GET", "/api/v2/filters/{id}/keywords", filters.list_keywords, READ_FILTERS),
    Route("POST", "/api/v2/filters/{id}/keywords", filters.add_keyword, WRITE_FILTERS),
    Route("GET", "/api/v2/filters/keywords/{id}", filters.show_keyword, READ_FILTERS),
    Route("PUT", "/api/v2/filters/keywords/{id}", filters.update_keyword, WRITE_FILTERS),
    Route("DELETE", "/api/v2/filters/keywords/{id}", filters.delete_keyword, WRITE_FILTERS),
    Route("GET", "/api/v2/filters/{id}/statuses", filters.list_statuses, READ_FILTERS),
    Route("POST", "/api/v2/filters/{id}/statuses", filters.add_status, WRITE_FILTERS),
    Route("GET", "/api/v2/filters/statuses/{id}", filters.show_status, READ_FILTERS),
    Route("DELETE", "/api/v2/filters/statuses/{id}", filters.delete_status, WRITE_FILTERS),
    Route("GET", "/api/v1/filters", filters.listing_v1, READ_FILTERS),
    Route("POST", "/api/v1/filters", filters.create_v1, WRITE_FILTERS),
    Route("GET", "/api/v1/filters/{id}", filters.show_v1, READ_FILTERS),
    Route("PUT", "/api/v1/filters/{id}", filters.update_v1, WRITE_FILTERS),
    Route("DELETE", "/api/v1/filters/{id}", filters.delete_v1, WRITE_FILTERS),
)

_DISCOVERY = (
    Route("GET", "/api/v2/search", search.find, "read:search", anonymous=True),
    Route("GET", "/api/v1/followed_tags", tags.list_followed, READ_FOLLOWS),
    Route("GET", "/api/v1/tags/{name}", tags.show, "read", anonymous=True),
    Route("POST", "/api/v1/tags/{name}/follow", tags.follow, WRITE_FOLLOWS),
    Route("POST", "/api/v1/tags/{name}/unfollow", tags.unfollow, WRITE_FOLLOWS),
    Route("POST", "/api/v1/tags/{name}/feature", featured_tags.feature, WRITE_ACCOUNTS),
    Route("POST", "/api/v1/tags/{name}/unfeature", featured_tags.unfeature, WRITE_ACCOUNTS),
    Route("GET", "/api/v1/trends", trends.list_tags, "read", anonymous=True),
    Route("GET", "/api/v1/trends/tags", trends.list_tags, "read", anonymous=True),
    Route("GET", "/api/v1/trends/statuses", trends.list_statuses, "read", anonymous=True),
    Route("GET", "/api/v1/trends/links", trends.list_links, "read", anonymous=True),
)

READ_REPORTS, WRITE_REPORTS = "admin:read:reports", "admin:write:reports"
READ_PEOPLE, WRITE_PEOPLE = "admin:read:accounts", "admin:write:accounts"
_REPORTS = (
    Route("POST", "/api/v1/reports", reports.create, "write:reports"),
    Route("GET", "/api/v1/admin/reports", admin.list_reports, READ_REPORTS, role="moderator"),
    Route("GET", "/api/v1/admin/reports/{id}", admin.show_report, READ_REPORTS, role="moderator"),
    Route("PUT", "/api/v1/admin/reports/{id}", admin.change_report, WRITE_REPORTS, role="moderator"),
    Route("POST", "/api/v1/admin/reports/{id}/assign_to_self", admin.assign_report, WRITE_REPORTS, role="moderator"),
    Route("POST", "/api/v1/admin/reports/{id}/unassign", admin.unassign_report, WRITE_REPORTS, role="moderator"),
    Route("POST", "/api/v1/admin/reports/{id}/resolve", admin.resolve_report, WRITE_REPORTS, role="moderator"),
    Route("POST", "/api/v1/admin/reports/{id}/reopen", admin.reopen_report, WRITE_REPORTS, role="moderator"),
    Route("GET", "/api/v1/admin/accounts", admin.list_accounts_v1, READ_PEOPLE, role="moderator"),
    Route("GET", "/api/v2/admin/accounts", admin.list_accounts, READ_PEOPLE, role="moderator"),
    Route("GET", "/api/v1/admin/accounts/{id}", admin.show_account, READ_PEOPLE, role="moderator"),
    Route("POST", "/api/v1/admin/accounts/{id}/action", admin.act_on_account, WRITE_PEOPLE, role="moderator"),
    Route("POST", "/api/v1/admin/accounts/{id}/unsuspend", admin.unsuspend_account, WRITE_PEOPLE, role="moderator"),
    Route("POST", "/api/v1/admin/accounts/{id}/unsilence", admin.unsilence_account, WRITE_PEOPLE, role="moderator"),
    Route("POST", "/api/v1/admin/accounts/{id}/unsensitive", admin.unsensitive_account, WRITE_PEOPLE, role="moderator"),
    Route("POST", "/api/v1/admin/accounts/{id}/enable", admin.enable_account, WRITE_PEOPLE, role="moderator"),
    Route(
        "GET", "/api/fedcorp/v1/warnings", warnings.listing, READ_NOTIFICATIONS, takes=PAGE, gives="[AccountWarning]"
    ),
    Route(
        "POST",
        "/api/fedcorp/v1/warnings/{id}/appeal",
        warnings.appeal,
        "write:reports",
        takes=warnings.APPEALED,
        gives="AccountWarning",
    ),
    Route(
        "GET",
        "/api/fedcorp/v1/admin/audit",
        audit.listing,
        "admin:read",
        role="moderator",
        takes=audit.LISTED,
        gives="[AuditEntry]",
    ),
)
_MEASURES = (
    Route("POST", "/api/v1/admin/measures", admin_measures.list_measures, "admin:read", role="moderator"),
    Route("POST", "/api/v1/admin/dimensions", admin_measures.list_dimensions, "admin:read", role="moderator"),
    Route("POST", "/api/v1/admin/retention", admin_measures.list_retention, "admin:read", role="moderator"),
    Route("GET", "/api/v1/admin/trends/tags", admin_measures.list_trending_tags, "admin:read", role="moderator"),
    Route("GET", "/api/v1/admin/trends/statuses", trends.list_admin_statuses, "admin:read", role="moderator"),
    Route("GET", "/api/v1/admin/trends/links", trends.list_admin_links, "admin:read", role="moderator"),
)
_ALLOWS, _ALLOW = "/api/v1/admin/domain_allows", "/api/v1/admin/domain_allows/{id}"
_BLOCKS, _BLOCK = "/api/v1/admin/domain_blocks", "/api/v1/admin/domain_blocks/{id}"
_SERVERS = (
    Route("GET", _ALLOWS, admin_servers.list_allows, "admin:read:domain_allows", role="admin"),
    Route("POST", _ALLOWS, admin_servers.create_allow, "admin:write:domain_allows", role="admin"),
    Route("GET", _ALLOW, admin_servers.show_allow, "admin:read:domain_allows", role="admin"),
    Route("DELETE", _ALLOW, admin_servers.delete_allow, "admin:write:domain_allows", role="admin"),
    Route("GET", _BLOCKS, admin_servers.list_blocks, "admin:read:domain_blocks", role="admin"),
    Route("POST", _BLOCKS, admin_servers.create_block, "admin:write:domain_blocks", role="admin"),
    Route("GET", _BLOCK, admin_servers.show_block, "admin:read:domain_blocks", role="admin"),
    Route("PUT", _BLOCK, admin_servers.update_block, "admin:write:domain_blocks", role="admin"),
    Route("DELETE", _BLOCK, admin_servers.delete_block, "admin:write:domain_blocks", role="admin"),
)

_INSTANCE = (
    Route("GET", "/api/v1/instance", instance.show_v1),
    Route("GET", "/api/v2/instance", instance.show),
    Route("GET", "/api/v1/instance/peers", instance.list_peers, "", anonymous=True, app=True),
    Route("GET", "/api/v1/instance/activity", instance.activity, "", anonymous=True, app=True),
    Route("GET", "/api/v1/instance/rules", instance.list_rules, "", anonymous=True, app=True),
    Route("GET", "/api/v1/instance/domain_blocks", instance.list_domain_blocks, "", anonymous=True, app=True),
    Route("GET", "/api/v1/instance/extended_description", instance.extended_description),
    Route("GET", "/api/v1/instance/privacy_policy", instance.privacy_policy),
    Route("GET", "/api/v1/instance/terms_of_service", instance.terms_of_service),
    Route("GET", "/api/v1/instance/terms_of_service/{date}", instance.terms_of_service_of),
    Route("GET", "/api/v1/instance/translation_languages", translations.languages),
    Route("GET", "/api/v1/custom_emojis", instance.list_emojis, "", anonymous=True, app=True),
    Route("GET", "/api/v1/announcements", announcements.listing, ""),
    Route("POST", "/api/v1/announcements/{id}/dismiss", announcements.dismiss, WRITE_ACCOUNTS),
    Route("PUT", "/api/v1/announcements/{id}/reactions/{name}", announcements.react, "write:favourites"),
    Route("DELETE", "/api/v1/announcements/{id}/reactions/{name}", announcements.take_back, "write:favourites"),
    Route("GET", "/health", instance.health),
)

API_ROUTES = (
    *_APPS,
    *_ACCOUNTS,
    *_STATUSES,
    *_TIMELINES,
    *_GROUPS,
    *_FILTERS,
    *_NOTIFICATIONS,
    *_DISCOVERY,
    *_REPORTS,
    *_MEASURES,
    *_SERVERS,
    *_INSTANCE,
)
ROUTES: tuple[Route, ...] = (
    *API_ROUTES,
    *oauth.ROUTES,
    *streaming.ROUTES,
    *files.ROUTES,
    *oembed.ROUTES,
    *metrics.ROUTES,
    *wellknown.ROUTES,
    *activitypub.ROUTES,
    *views.ROUTES,
    *joining.ROUTES,
    *disputes.ROUTES,
)
