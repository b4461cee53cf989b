"""Our accounts, statuses and acts as ActivityStreams documents, in the one shape that all known servers read.

Reads rows, returns plain dictionaries without proofs; knows nothing of who gets them (`audience`).
Sources: ActivityPub, FEP-1b12, FEP-521a, FEP-844e, FEP-2c59, FEP-5219, FEP-7888, FEP-9967.
"""

from typing import Any

import orjson

from fedcorp.activitypub.vocabulary import (
    ACTOR_CONTEXT,
    AS,
    COLLECTION_CONTEXT,
    FEDCORP,
    GROUP_CONTEXT,
    PUBLIC,
    SECURITY,
    format_time,
    object_context,
)
from fedcorp.clock import from_ms
from fedcorp.keys import load_public, multikey
from fedcorp.social import (
    accounts,
    custom_emojis,
    group_posts,
    groups,
    leaves,
    media,
    moving,
    policy,
    polls,
    presentation,
    quotes,
    reactions,
    statuses,
    text,
)
from fedcorp.social.accounts import Account, OldKey
from fedcorp.social.custom_emojis import CustomEmoji
from fedcorp.social.media import Media
from fedcorp.social.reactions import Kind
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.signed import expiring

MEDIA_WINDOW_MS = 4 * 86_400_000  # a file named in a document may be fetched for four to eight days
_TYPES = {"person": "Person", "group": "Group", "service": "Application"}
_IMPLEMENTS = [
    {"name": "RFC-9421", "href": "https://datatracker.ietf.org/doc/html/rfc9421"},
    {
        "name": "RFC-9421 Ed25519",
        "href": "https://datatracker.ietf.org/doc/html/rfc9421#name-eddsa-using-curve-edwards25",
    },
]


_GROUPS_IMPLEMENT = [
    *_IMPLEMENTS,
    {"name": "FEP-1b12", "href": "https://w3id.org/fep/1b12"},
    {"name": "FEP-5219", "href": "https://w3id.org/fep/5219"},
    {"name": "ledger", "href": f"{FEDCORP}ledger"},
]


def time(ms: int) -> str:
    """A time as the wire writes it. To the millisecond: readers put what was written in one second in its order."""
    return format_time(from_ms(ms), ms=True)


# -- actors ----------------------------------------------------------------------------------------------------------


def actor(tx: Tx, account: Account) -> dict[str, Any]:
    """The document of a local account (ActivityPub 4.1, FEP-521a, FEP-844e)."""
    keys = accounts.public_keys(tx, account.id)
    document: dict[str, Any] = {
        "@context": GROUP_CONTEXT if account.is_group else ACTOR_CONTEXT,
        "id": account.uri,
        "type": "Service" if account.kind == "person" and account.bot else _TYPES[account.kind],
        "preferredUsername": account.username,
        "webfinger": account.handle,
        "name": account.display_name or account.username,
        "summary": account.note,
        "url": account.url,
        "inbox": account.inbox_uri,
        "outbox": account.outbox_uri,
        "endpoints": {"sharedInbox": account.shared_inbox_uri},
        "manuallyApprovesFollowers": account.locked,
        "discoverable": account.discoverable,
        "indexable": account.indexable,
        "published": time(account.created_at),
        "updated": time(account.updated_at),
        "publicKey": {"id": keys["rsa"].id, "owner": account.uri, "publicKeyPem": keys["rsa"].public},
        "assertionMethod": [
            _multikey(account, keys["ed25519"].id, keys["ed25519"].public),
            *(_old_key(account, old) for old in accounts.old_keys(tx, account.id)),
        ],
        "generator": {"type": "Application", "implements": _GROUPS_IMPLEMENT if account.is_group else _IMPLEMENTS},
    }
    if account.kind != "service":
        document |= {name: getattr(account, f"{name}_uri") for name in ("followers", "following", "featured")}
    document |= _pictures(tx, account)
    if domains := presentation.read(account.presentation).attribution_domains:
        document["attributionDomains"] = list(domains)
    if moving.aliases(account):
        document["alsoKnownAs"] = list(moving.aliases(account))
    moved_to = accounts.find(tx, account.moved_to_id) if account.moved_to_id is not None else None
    if moved_to is not None:
        document["movedTo"] = moved_to.uri
    shown = orjson.loads(account.fields)
    if shown:
        document["attachment"] = [
            {"type": "PropertyValue", "name": field["name"], "value": field["value"]} for field in shown
        ]
    tags = _profile_tags(tx, account) + _emojis(tx, account.display_name, account.note, account.fields)
    if tags:
        document["tag"] = tags
    if account.is_group:
        document |= _group_terms(tx, account)
    return document


def _profile_tags(tx: Tx, account: Account) -> list[dict[str, Any]]:
    """The hashtags in what somebody says of themselves: who does not read our HTML knows them by these alone."""
    found = {text.normalise_tag(tag.name): tag.name for tag in text.find_tags(account.note_source)}
    return [_hashtag(tx, name, shown) for name, shown in found.items()]


def _hashtag(tx: Tx, name: str, shown: str) -> dict[str, Any]:
    return {"type": "Hashtag", "href": tx.site.urls.tag(name), "name": f"#{shown}"}


def key(tx: Tx, account: Account) -> dict[str, Any]:
    """A local account as far as its signatures need it: nothing that people wrote of themselves."""
    whole = actor(tx, account)
    return {name: whole[name] for name in ("id", "type", "publicKey")} | {"@context": [AS, SECURITY]}


def _emojis(tx: Tx, *texts: str) -> list[dict[str, Any]]:
    """The emoji of ours in the texts of something, as its `tag` names them."""
    return [_emoji(tx, item) for item in custom_emojis.in_text(tx, custom_emojis.HERE, " ".join(texts))]


def _emoji(tx: Tx, item: CustomEmoji) -> dict[str, Any]:
    url = item.remote_url if item.domain != custom_emojis.HERE else None
    return {
        "type": "Emoji",
        "name": f":{item.shortcode}:",
        "icon": {"type": "Image", "mediaType": item.mime, "url": url or tx.site.urls.media(item.key or "")},
        "updated": time(item.updated_at),
    }


def reaction(tx: Tx, kind: Kind) -> tuple[str, dict[str, Any]]:
    """(type, properties) of the activity by which somebody reacts with an emoji. A Like with content is a reaction or
    at least a favourite wherever it is read; what must not become one is an EmojiReact."""
    name = "Like" if kind.counts else "EmojiReact"
    if not kind.is_custom:
        return name, {"content": kind.name}
    tags = [_emoji(tx, item) for item in reactions.pictures(tx, [kind]).values()]
    return name, {"content": f":{kind.name}:", "tag": tags}


def _multikey(account: Account, id_: str, public: str) -> dict[str, Any]:
    return {"id": id_, "type": "Multikey", "controller": account.uri, "publicKeyMultibase": public}


def _old_key(account: Account, key: OldKey) -> dict[str, Any]:
    """A key that was replaced. Strict readers want one `publicKey`, so an old RSA key stands here too (FEP-521a)."""
    public = multikey(load_public(key.public)) if key.kind == "rsa" else key.public
    return _multikey(account, key.id, public) | {"expires": format_time(from_ms(key.expires_at))}


def _pictures(tx: Tx, account: Account) -> dict[str, Any]:
    shown = presentation.read(account.presentation)
    named = {"icon": (account.avatar, shown.avatar_description), "image": (account.header, shown.header_description)}
    return {
        name: {"type": "Image", "url": tx.site.urls.media(key), **({"name": words} if words else {})}
        for name, (key, words) in named.items() if key
    }  # fmt: skip


def _group_terms(tx: Tx, account: Account) -> dict[str, Any]:
    """The terms that tell other servers who may join, read and post (FEP-1b12, FEP-5219, and words of ours)."""
    group = groups.find(tx, account.id)
    assert group is not None
    terms: dict[str, Any] = {
        "attributedTo": account.uri + "/moderators",
        "affiliations": account.uri + "/affiliations",
        "ledger": account.uri + "/ledger",
        "canFollow": "member" if group.members_only else "none",
        "canParticipate": {"everyone": "none", "members": "member", "moderators": "moderator"}[group.posting],
        "postingRestrictedToMods": group.posting == "moderators"
        or (group.joining == "approval" and group.posting == "members" and not group.members_only),
        "scope": group.reach,
        "discoverable": account.discoverable and group.listed,
        "preset": group.preset,
        "joining": group.joining,
        "reading": group.reading,
        "inviting": group.inviting,
        "history": group.history,
        "outsiders": group.outsiders,
        "premoderated": group.premoderated,
        "purpose": group.purpose,
        "rules": orjson.loads(group.rules),
        "topics": orjson.loads(group.topics),
        "archived": group.archived_at is not None,
    }
    if group.ends_at is not None:
        terms["endTime"] = time(group.ends_at)
    return terms


# -- notes -----------------------------------------------------------------------------------------------------------


def addressing(tx: Tx, status: Status, author: Account) -> tuple[list[str], list[str]]:
    """(to, cc) of a status or boost, by its visibility (ActivityPub 6; what Mastodon reads back). What waits for leave
    says to whom it would go."""
    status = leaves.as_written(tx, status)
    people = _addressed(tx, status)
    group = accounts.find(tx, status.group_id) if status.group_id is not None and not author.is_group else None
    followers = [author.followers_uri] if author.followers_uri else []
    if status.visibility == "direct":
        return people, []
    if status.visibility == policy.GROUP:
        return _members(tx, status), people
    if status.visibility == "private":
        return followers, people
    to, cc = ([PUBLIC], followers) if status.visibility == "public" else (followers, [PUBLIC])
    cc = cc + people
    if group is not None:
        to = [*to, group.uri]
        cc = [uri for uri in cc if uri != group.uri] + ([group.followers_uri] if group.followers_uri else [])
    return to, cc


def _members(tx: Tx, status: Status) -> list[str]:
    """The groups that only members read, and their members."""
    shown = status.reblog_of_id if status.reblog_of_id is not None else status.id
    ids = [item.group_id for item in group_posts.of_statuses(tx, [shown]).get(shown, [])]
    found = accounts.find_many(tx, ids).values()
    return [uri for group in found for uri in (group.uri, group.followers_uri) if uri]


def _addressed(tx: Tx, status: Status) -> list[str]:
    ids = statuses.mentioned_ids(tx, status.id)
    answered = status.in_reply_to_account_id
    if answered is not None and answered != status.account_id and status.visibility != "direct":
        ids.append(answered)
    if status.reblog_of_id is not None:
        original = statuses.find(tx, status.reblog_of_id)
        ids += [original.account_id] if original else []
    found = accounts.find_many(tx, ids)
    return [found[id_].uri for id_ in dict.fromkeys(ids) if id_ in found]


def note(tx: Tx, status: Status) -> dict[str, Any]:
    """The object of a local status, without @context: a Note, or a Question when it has a poll."""
    author = accounts.find(tx, status.account_id)
    assert author is not None
    to, cc = addressing(tx, status, author)
    document: dict[str, Any] = {
        "id": status.uri,
        "type": "Note",
        "attributedTo": author.uri,
        "content": status.content,
        "source": {"content": status.text, "mediaType": "text/plain"},
        "published": time(status.created_at),
        "url": status.url,
        "summary": status.spoiler_text or None,
        "sensitive": status.sensitive or author.sensitized_at is not None or bool(status.spoiler_text),
        "inReplyTo": status.in_reply_to_uri,
        "to": to,
        "cc": cc,
        "tag": _tags(tx, status),
        "attachment": attachments(tx, status),
        "context": status.context_uri,
        "conversation": status.context_uri,
        "replies": status.uri + "/replies",
        "likes": status.uri + "/likes",
        "shares": status.uri + "/shares",
    }
    if status.language:
        document["contentMap"] = {status.language: status.content}
    if status.edited_at is not None:
        document["updated"] = time(status.edited_at)
    if status.group_id is not None:
        group = accounts.find(tx, status.group_id)
        document["audience"] = group.uri if group else None
    if status.reach != "public":
        document["scope"] = status.reach
    if status.poll_id is not None:
        document |= _question(tx, status.poll_id)
    written = leaves.as_written(tx, status)
    if written.visibility != "direct":
        document["interactionPolicy"] = {"canQuote": {"automaticApproval": _quoters(tx, written, author)}}
    if status.in_reply_to_account_id not in (None, status.account_id):
        document |= leave(tx, status)
    if status.quote_state is not None:
        document |= _quote(tx, status)
    return document


def _quoters(tx: Tx, status: Status, author: Account) -> list[str]:
    """Whose quotes are accepted (FEP-044f). Who reads a post of a group of members is its members."""
    words = policy.quote_policy(status.quote_policy).automatic
    if "public" in words:
        return _members(tx, status) if status.visibility == policy.GROUP else [PUBLIC]
    return [author.followers_uri] if "followers" in words and author.followers_uri else [author.uri]


def _quote(tx: Tx, status: Status) -> dict[str, Any]:
    """What a note quotes. The words that other software understands, and that know no consent, only once there is."""
    paper = quotes.find(tx, status.id)
    if paper is None:
        return {}
    document: dict[str, Any] = {"quote": paper.quoted_uri}
    if status.quote_state == quotes.ACCEPTED:
        document |= dict.fromkeys(("quoteUrl", "quoteUri", "_misskey_quote"), paper.quoted_uri)
        if paper.stamp_uri is not None:
            document["quoteAuthorization"] = paper.stamp_uri
    return document


def leave(tx: Tx, status: Status) -> dict[str, Any]:
    """The leave of an author elsewhere for an answer or boost of ours; GoToSocial had one word for both until 0.20."""
    known = leaves.find(tx, status.id)
    if known is None or known.stamp_uri is None or known.state != leaves.GRANTED:
        return {}
    if not known.stamp_type.endswith("Authorization"):
        return {"approvedBy": known.stamp_uri}
    name = "replyAuthorization" if status.reblog_of_id is None else "announceAuthorization"
    return {"approvedBy": known.stamp_uri, name: known.stamp_uri}


def stamp(uri: str, author: Account, quoting_uri: str, quoted: Status) -> dict[str, Any]:
    """The leave of an author here for one post to quote another (FEP-044f)."""
    return in_context(
        {
            "id": uri,
            "type": quotes.STAMP,
            "attributedTo": author.uri,
            "interactingObject": quoting_uri,
            "interactionTarget": quoted.uri,
        }
    )


def _tags(tx: Tx, status: Status) -> list[dict[str, Any]]:
    named = accounts.find_many(tx, statuses.mentioned_ids(tx, status.id, silent=False))
    mentions = [{"type": "Mention", "href": account.uri, "name": f"@{account.handle}"} for account in named.values()]
    options = polls.get(tx, status.poll_id, None).options if status.poll_id is not None else []
    texts = (status.content, status.spoiler_text, *(option.title for option in options))
    return mentions + hashtags(tx, status) + _emojis(tx, *texts)


def hashtags(tx: Tx, status: Status) -> list[dict[str, Any]]:
    """The hashtags of a status, as its `tag` names them."""
    return [_hashtag(tx, name.lower(), name) for name in statuses.tags_of(tx, status.id)]


def attachments(tx: Tx, status: Status) -> list[dict[str, Any]]:
    """The files of a local status; of a narrow one under addresses that expire."""
    return [_attachment(tx, status, item) for item in media.of_statuses(tx, [status.id]).get(status.id, [])]


def _attachment(tx: Tx, status: Status, item: Media) -> dict[str, Any]:
    sizes = orjson.loads(item.sizes)
    document: dict[str, Any] = {
        "type": "Document",
        "mediaType": item.mime,
        "url": _file_url(tx, status, item.key),
        "name": item.description or None,
    }
    if item.blurhash:
        document["blurhash"] = item.blurhash
    document |= {name: sizes["original"][name] for name in ("width", "height") if name in sizes.get("original", {})}
    if "focus" in sizes:
        document["focalPoint"] = [sizes["focus"]["x"], sizes["focus"]["y"]]
    if item.kind != "image" and item.preview_key is not None:
        document["icon"] = {"type": "Image", "url": _file_url(tx, status, item.preview_key)}
    return document


def _file_url(tx: Tx, status: Status, key: str | None) -> str:
    path = f"/media/{key}"
    if status.reach != "public" or status.visibility not in ("public", "unlisted"):
        path = expiring(tx.site.secret, path, tx.ms, MEDIA_WINDOW_MS)
    return tx.site.urls.origin + path


def _question(tx: Tx, poll_id: int) -> dict[str, Any]:
    """The terms of a poll (FEP-9967). Counts that its author hides are told when it is over."""
    poll = polls.get(tx, poll_id, None)
    hides = poll.hides_totals(tx.ms)
    options = [
        {
            "type": "Note",
            "name": option.title,
            "replies": {"type": "Collection"} if hides else {"type": "Collection", "totalItems": option.votes_count},
        }
        for option in poll.options
    ]
    document: dict[str, Any] = {
        "type": "Question",
        "anyOf" if poll.multiple else "oneOf": options,
        "votersCount": poll.voters_count,
    }
    if poll.expires_at is not None:
        document["endTime"] = time(poll.expires_at)
    if poll.closed_at is not None:
        document["closed"] = time(poll.closed_at)
    return document


def tombstone(uri: str, former_type: str, deleted_at: int) -> dict[str, Any]:
    """What stands where an object was (ActivityPub 6.4)."""
    return in_context(
        {"id": uri, "type": "Tombstone", "formerType": former_type or "Note", "deleted": time(deleted_at)}
    )


def gone(uri: str) -> dict[str, Any]:
    """What a Delete of a post names: some look for accounts alone where they find no more than an id (BookWyrm)."""
    return {"id": uri, "type": "Tombstone"}


def in_context(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the context that defines its words, in front."""
    return {"@context": object_context(document), **document}


# -- activities ------------------------------------------------------------------------------------------------------


def activity(
    kind: str, uri: str, account: Account, obj: Any, *, at: int, to: list[str], cc: list[str] | None = None, **more: Any
) -> dict[str, Any]:
    """Any activity of ours; to and cc are always both there, since strict readers want them."""
    document = {
        "id": uri, "type": kind, "actor": account.uri, "published": time(at), "to": to, "cc": cc or [], "object": obj,
    }  # fmt: skip
    return in_context(document | more)


def about_note(kind: str, uri: str, account: Account, document: dict[str, Any], at: int) -> dict[str, Any]:
    """Create or Update with the note embedded and its audience copied."""
    more = {name: document[name] for name in ("audience", "scope") if document.get(name)}
    return activity(kind, uri, account, document, at=at, to=document["to"], cc=document["cc"], **more)


def vote(uri: str, account: Account, question: Status, author: Account, title: str, at: int) -> dict[str, Any]:
    """One vote: a Note without content that names the option (FEP-9967)."""
    answer = {
        "id": f"{uri}/vote",
        "type": "Note",
        "name": title,
        "attributedTo": account.uri,
        "inReplyTo": question.uri,
        "published": time(at),
        "to": [author.uri],
        "cc": [],
    }
    return activity("Create", uri, account, answer, at=at, to=[author.uri])


def collection(uri: str, total: int, items: list[Any] | None = None, *, ordered: bool = True) -> dict[str, Any]:
    """A collection; without `items` only its size is told."""
    return {"@context": COLLECTION_CONTEXT, **bare_collection(uri, total, items, ordered=ordered)}


def bare_collection(uri: str, total: int, items: list[Any] | None = None, *, ordered: bool = True) -> dict[str, Any]:
    """A collection without @context."""
    kind, member = ("OrderedCollection", "orderedItems") if ordered else ("Collection", "items")
    document: dict[str, Any] = {"id": uri, "type": kind, "totalItems": total}
    return document if items is None else document | {member: items}


def collection_page(uri: str, items: list[Any]) -> dict[str, Any]:
    """The only page of the collection at `uri`."""
    return {"id": f"{uri}?page=1", "type": "OrderedCollectionPage", "partOf": uri, "orderedItems": items}
