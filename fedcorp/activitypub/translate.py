"""From ActivityStreams to the words of `social`: actors and notes of other servers, cut to our limits and made safe.

Reads documents whose origin was proven by the caller and looks accounts up in the unit it is given; never fetches and
never stores. What a document says of somebody else's things is left out.

Sources: ActivityStreams 2.0, ActivityPub, FEP-521a (keys), FEP-1b12 and FEP-5219 (groups), FEP-9967 (polls), FEP-2c59.
"""

import mimetypes
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from fedcorp.activitypub.documents import domain_of, origin, same_origin
from fedcorp.activitypub.intake import Missing
from fedcorp.activitypub.vocabulary import (
    ACTOR_TYPES,
    KEY_TYPES,
    NOTE_TYPES,
    PUBLIC,
    as_list,
    first_string,
    ids_of,
    parse_time,
    types_of,
    value_or_id,
)
from fedcorp.clock import to_ms
from fedcorp.company import peers
from fedcorp.errors import BadRequest
from fedcorp.keys import load_public, multikey, public_pem
from fedcorp.social import accounts, custom_emojis, groups, memberships, policy, reactions, statuses, text
from fedcorp.social.accounts import Account, RemoteAccount, RemoteGroup, RemoteKey
from fedcorp.social.custom_emojis import RemoteEmoji
from fedcorp.social.media import RemoteMedia
from fedcorp.social.polls import RemotePoll
from fedcorp.social.reactions import Kind
from fedcorp.social.receiving import RemoteStatus
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table

MAX_KEYS, MAX_FIELDS, MAX_ALIASES, MAX_DOMAINS = 10, 50, 256, 100
MAX_NAME, MAX_SUMMARY, MAX_SPOILER, MAX_TITLE = 200, 20_000, 500, 200
MAX_ADDRESSED, MAX_MENTIONS, MAX_TAGS, MAX_MEDIA, MAX_ALT = 200, 50, 100, 16, 10_000
MAX_OPTIONS, MAX_OPTION = 20, 200
MAX_STRANGERS = 10
"""People whom one note makes us look up at most."""
_MAX_URL = 2048
_KINDS = {"image": "image", "video": "video", "audio": "audio"}
_BLANK = re.compile(r"(?:\s|<br ?/?>|</?p>)*")

# -- actors ----------------------------------------------------------------------------------------------------------


def is_actor(doc: dict[str, Any]) -> bool:
    """Whether a document describes an actor, of a known type or by its shape (FEP-2277)."""
    return bool(ACTOR_TYPES & set(types_of(doc))) or ("inbox" in doc and "outbox" in doc)


def actor(doc: dict[str, Any], *, username: str, domain: str, tier: str) -> RemoteAccount:
    """The actor in a document that stands at its own id. The handle was confirmed by the caller. Raises BadRequest."""
    uri = _own_uri(doc, doc.get("id"))
    inbox = _own_uri(doc, value_or_id(doc.get("inbox")))
    if uri is None or inbox is None or not is_actor(doc):
        raise BadRequest("The document is not an actor with an inbox")
    endpoints = doc.get("endpoints")
    shared = (endpoints.get("sharedInbox") if isinstance(endpoints, dict) else None) or doc.get("sharedInbox")
    kinds = set(types_of(doc))
    return RemoteAccount(
        uri=uri,
        url=_page(doc) or uri,
        origin=origin(uri),
        kind="group" if "Group" in kinds else "service" if "Application" in kinds else "person",
        username=text.one_line(username, 100),
        domain=domain,
        inbox_uri=inbox,
        display_name=text.one_line(first_string(doc.get("name")) or "", MAX_NAME),
        note=text.sanitize((first_string(doc.get("summary")) or "")[:MAX_SUMMARY]),
        fields=_fields(doc),
        avatar=_picture(doc.get("icon")),
        header=_picture(doc.get("image")),
        locked=doc.get("manuallyApprovesFollowers") is True,
        bot=bool(kinds & {"Service", "Application", "Group"}),
        discoverable=doc.get("discoverable") is True,
        indexable=doc.get("indexable") is True,
        shared_inbox_uri=_own_uri(doc, shared),
        outbox_uri=_own_uri(doc, value_or_id(doc.get("outbox"))),
        followers_uri=_own_uri(doc, value_or_id(doc.get("followers"))),
        following_uri=_own_uri(doc, value_or_id(doc.get("following"))),
        featured_uri=_own_uri(doc, value_or_id(doc.get("featured"))),
        also_known_as=ids_of(doc.get("alsoKnownAs"))[:MAX_ALIASES],
        created_at=_ms(doc.get("published")),
        updated_at=_ms(doc.get("updated")) or 0,
        keys=tuple(_keys(doc, uri)),
        group=_group(doc, tier) if "Group" in kinds else None,
        emojis=_emojis(doc),
        avatar_description=_words_of(doc.get("icon")),
        header_description=_words_of(doc.get("image")),
        attribution_domains=tuple(
            item for item in as_list(doc.get("attributionDomains"))[:MAX_DOMAINS] if isinstance(item, str)
        ),
    )


def _own_uri(doc: dict[str, Any], uri: Any) -> str | None:
    """`uri` when it has the origin of the document: nobody can name other people's inboxes or keys as theirs."""
    own = isinstance(uri, str) and isinstance(doc.get("id"), str) and same_origin(uri, doc["id"])
    return uri if own else None


def _page(doc: dict[str, Any]) -> str | None:
    for item in as_list(doc.get("url")):
        url = item.get("href") if isinstance(item, dict) else item
        is_page = not isinstance(item, dict) or item.get("mediaType") in (None, "text/html")
        if is_page and _own_uri(doc, url) is not None:
            return str(url)
    return None


def _picture(value: Any) -> str | None:
    for item in as_list(value):
        url = (
            value_or_id(as_list(item.get("url"))[:1]) if isinstance(item, dict) and "url" in item else value_or_id(item)
        )
        if url is not None and _is_web_url(url):
            return url
    return None


def _words_of(picture: Any) -> str:
    """What a picture shows, for who cannot see it: its `name`, with some servers its `summary`."""
    for item in as_list(picture):
        for words in (item.get("name"), item.get("summary")) if isinstance(item, dict) else ():
            if isinstance(words, str) and words:
                return words
    return ""


def _is_web_url(url: Any) -> bool:
    return isinstance(url, str) and len(url) <= _MAX_URL and same_origin(url, url)


def _fields(doc: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    found = []
    for item in as_list(doc.get("attachment"))[:MAX_FIELDS]:
        name, value = (item.get("name"), item.get("value")) if isinstance(item, dict) else (None, None)
        if "PropertyValue" in types_of(item) and isinstance(name, str) and isinstance(value, str):
            shown = text.sanitize(value[:2000])
            found.append({"name": text.one_line(name, MAX_NAME), "value": shown, "verified_at": None})
    return tuple(found)


def _keys(doc: dict[str, Any], uri: str) -> Iterable[RemoteKey]:
    """Keys that the actor lists as its own (FEP-521a and publicKey); unreadable and foreign ones are left out."""
    listed = as_list(doc.get("publicKey")) + as_list(doc.get("assertionMethod"))
    for item in listed[:MAX_KEYS]:
        if not isinstance(item, dict) or (types_of(item) and not KEY_TYPES & set(types_of(item))):
            continue
        if item.get("revoked") is not None:
            continue
        expires_at = _ms(item.get("expires"))
        key_id = _own_uri(doc, item.get("id"))
        claimed = value_or_id(item.get("owner") or item.get("controller"))
        encoded = item.get("publicKeyPem") or item.get("publicKeyMultibase")
        if key_id is None or claimed != uri or not isinstance(encoded, str):
            continue
        try:
            public = load_public(encoded)
        except BadRequest:
            continue
        if isinstance(public, RSAPublicKey):
            yield RemoteKey(key_id, "rsa", public_pem(public), expires_at)
        else:
            yield RemoteKey(key_id, "ed25519", multikey(public), expires_at)


def _group(doc: dict[str, Any], tier: str) -> RemoteGroup:
    """The rules of a group: in our own words where a department uses them, else guessed from what it says of itself."""
    preset = _preset(doc)
    begin = policy.RULES[preset]
    ours = doc if tier == "department" else {}
    return RemoteGroup(
        preset=preset,
        reach=reach_of(doc, tier),
        joining=_one_of(ours.get("joining"), policy.JOINING, _joining(doc, begin.joining)),
        reading=_one_of(ours.get("reading"), policy.READING, begin.reading),
        posting=_POSTING.get(str(doc.get("canParticipate")), begin.posting),
        inviting=_one_of(ours.get("inviting"), policy.INVITING, begin.inviting),
        listed=begin.listed,
        history=_one_of(ours.get("history"), policy.HISTORY, begin.history),
        outsiders=_one_of(ours.get("outsiders"), policy.OUTSIDERS, "refuse"),
        premoderated=ours.get("premoderated") is True,
        purpose=text.one_line(first_string(ours.get("purpose")) or "", groups.MAX_PURPOSE),
        rules=_lines(ours.get("rules"), groups.MAX_RULES, groups.MAX_RULE),
        topics=_lines(ours.get("topics"), groups.MAX_TOPICS, groups.MAX_TOPIC),
        ledger_uri=_own_uri(doc, value_or_id(ours.get("ledger"))),
        ends_at=_ms(ours.get("endTime")),
        archived=ours.get("archived") is True,
    )


_POSTING = {"none": "everyone", "member": "members", "moderator": "moderators"}


def _one_of(value: Any, choices: tuple[str, ...], otherwise: str) -> str:
    return value if isinstance(value, str) and value in choices else otherwise


def _joining(doc: dict[str, Any], otherwise: str) -> str:
    return "approval" if doc.get("manuallyApprovesFollowers") is True and otherwise == "open" else otherwise


def _lines(value: Any, most: int, longest: int) -> tuple[str, ...]:
    return tuple(text.one_line(line, longest) for line in as_list(value)[:most] if isinstance(line, str) and line)


def _preset(doc: dict[str, Any]) -> str:
    """The preset that comes nearest to what the group says of itself (FEP-5219, else FEP-1b12)."""
    if doc.get("preset") in policy.PRESETS:
        return str(doc["preset"])
    if doc.get("canParticipate") == "moderator":
        return "announcement"
    if doc.get("postingRestrictedToMods") is True and "canParticipate" not in doc:
        return "announcement"
    if doc.get("canFollow") == "member":
        return "secret" if doc.get("discoverable") is False else "private"
    if doc.get("manuallyApprovesFollowers") is True or doc.get("canParticipate") == "member":
        return "request"
    return "open"


def reach_of(doc: dict[str, Any], tier: str) -> str:
    """How far a document of a peer of this tier goes.

    Departments share our scale. Nobody else narrows below `partners`, since the other words speak of their company, not
    of ours. Unknown servers (open mode) only speak to the public.
    """
    scope = doc.get("scope")
    if tier == "unknown" or scope not in policy.REACHES:
        return "public"
    if tier == "department" or scope == "public":
        return str(scope)
    return "partners"


# -- notes -----------------------------------------------------------------------------------------------------------


def is_note(doc: dict[str, Any]) -> bool:
    """Whether a document is something that we show as a status."""
    return bool(NOTE_TYPES & set(types_of(doc)))


_OF_BOOKS = frozenset({"Review", "Comment", "Quotation"})


def is_of_book(doc: dict[str, Any]) -> bool:
    """Whether a document speaks of a book in the words of BookWyrm."""
    return bool(_OF_BOOKS & set(types_of(doc)))


def of_book(doc: dict[str, Any]) -> dict[str, Any]:
    """The same as a note: a review with its title, a quotation above what is said of it."""
    is_titled = "Review" in types_of(doc) and isinstance(doc.get("name"), str)
    passage = first_string(doc.get("quote")) if "Quotation" in types_of(doc) else None
    content = first_string(doc.get("content")) or ""
    above = f"<blockquote>{passage}</blockquote>" if passage else ""
    return {**doc, "type": "Article" if is_titled else "Note", "content": above + content}


def author_of(doc: dict[str, Any]) -> str | None:
    """The URI of the author: the only one, or the person among several (PeerTube names the channel, too)."""
    listed = as_list(doc.get("attributedTo"))
    people = [item for item in listed if isinstance(item, str) or "Person" in types_of(item)]
    return value_or_id(people[0] if people else listed[0]) if listed else None


def note_time(doc: dict[str, Any]) -> int | None:
    """When a note was published (ms), by its own word."""
    return _ms(doc.get("published"))


def is_vote(doc: dict[str, Any]) -> bool:
    """A note that names an option of a poll and says nothing (FEP-9967); snac says nothing by a line break."""
    if "Note" not in types_of(doc) or not isinstance(doc.get("name"), str) or value_or_id(doc.get("inReplyTo")) is None:
        return False
    content = doc.get("content") or ""
    return isinstance(content, str) and _BLANK.fullmatch(content) is not None


def note(tx: Tx, doc: dict[str, Any], tier: str, author: Account | None = None) -> RemoteStatus:
    """The status in a note that stands at its own id or came with a proof of its author, who is looked up when the
    caller has not.

    Raises Missing when the author is not here, BadRequest when the note is not one or speaks for somebody else.
    """
    uri, author_uri = doc.get("id"), author_of(doc)
    if not isinstance(uri, str) or author_uri is None or not is_note(doc):
        raise BadRequest("The object is not a note with an author")
    if not same_origin(uri, author_uri):
        raise BadRequest("The note and its author have different origins")
    if author is None or author.uri != author_uri:
        author = accounts.find_by_uri(tx, author_uri)
    if author is None:
        raise Missing(author_uri, "actor")
    to, cc = ids_of(doc.get("to"))[:MAX_ADDRESSED], ids_of(doc.get("cc"))[:MAX_ADDRESSED]
    named = [_actor_at(tx, uri) for uri in _mention_uris(doc)]
    here = _accounts_of(tx, {*to, *cc, *named, *ids_of(doc.get("audience"))[:MAX_ADDRESSED]} - {PUBLIC})
    parent_uri = value_or_id(doc.get("inReplyTo"))
    parent = statuses.find_by_uri(tx, parent_uri) if parent_uri else None
    addressed = [account for account in here.values() if account.is_group]
    visibility = visibility_of(to, cc, author, addressed, _members_only(tx, addressed))
    group_id = _find_group(tx, visibility, author, parent, list(here.values()))
    html, language = _content(doc)
    quoted_uri, stamp_uri, asks_for_leave = quote_of(doc)
    return RemoteStatus(
        uri=uri,
        url=_page(doc),
        account=author,
        visibility=visibility,
        reach=_reach(tx, doc, tier, visibility, parent, group_id),
        content=html,
        text=text.plain(html),
        created_at=_ms(doc.get("published")) or tx.ms,
        edited_at=_edited_at(doc),
        spoiler_text=_spoiler(doc, tier),
        sensitive=doc.get("sensitive") is True,
        language=language,
        in_reply_to_uri=parent_uri if parent_uri and _is_web_url(parent_uri) else None,
        context_uri=value_or_id(doc.get("context")) or value_or_id(doc.get("conversation")),
        group_id=group_id,
        mentions=_mentions(here, named, to, cc, author),
        strangers=_strangers(tx, here, named, (*to, *cc) if visibility == "direct" else ()),
        tags=_tags(doc),
        media=_media(doc),
        poll=_poll(doc, tx.ms) if "Question" in types_of(doc) else None,
        quoted_uri=quoted_uri,
        stamp_uri=stamp_uri,
        asks_for_leave=asks_for_leave,
        quote_policy=_quote_policy(doc, author, visibility, addressed),
        interaction_policy=_interaction_policy(tx, doc, author),
        emojis=_emojis(doc),
        favourites_told=_told(doc, "likes"),
        reblogs_told=_told(doc, "shares"),
    )


def counts_of(doc: dict[str, Any]) -> tuple[int | None, int | None]:
    """(favourites, boosts) of a note by its own word; None for what it does not say."""
    return _told(doc, "likes"), _told(doc, "shares")


def _told(doc: dict[str, Any], name: str) -> int | None:
    """The size of a collection that stands inside a document of the same origin."""
    inside = doc.get(name)
    if not isinstance(inside, dict) or ("id" in inside and _own_uri(doc, inside["id"]) is None):
        return None
    return total_of(inside)


_OLD_QUOTES = ("quoteUrl", "quoteUri", "_misskey_quote")
_IS_REACTION = "https://misskey-hub.net/ns#_misskey_reaction"
_IS_QUOTE = "https://misskey-hub.net/ns#_misskey_quote"


def quote_of(doc: dict[str, Any]) -> tuple[str | None, str | None, bool]:
    """(URI of what a note quotes, URI of the leave that it claims, whether it quotes in the way that asks for leave).

    The first one when it names several. The old ways are those of Misskey, Fedibird and Akkoma, and links in `tag`
    (FEP-e232): who writes so asks nobody, but may bring a leave all the same.
    """
    stamp = next((uri for uri in ids_of(doc.get("quoteAuthorization")) if _is_web_url(uri)), None)
    for name in ("quote", *_OLD_QUOTES):
        found = next((uri for uri in ids_of(doc.get(name)) if _is_web_url(uri) and uri != doc.get("id")), None)
        if found is not None:
            return found, stamp, name == "quote"
    for tag in as_list(doc.get("tag"))[:MAX_TAGS]:
        if "Link" in types_of(tag) and _IS_QUOTE in as_list(tag.get("rel")) and _is_web_url(tag.get("href")):
            return str(tag["href"]), stamp, False
    return None, None, False


def _quote_policy(doc: dict[str, Any], author: Account, visibility: str, addressed: list[Account]) -> str:
    """Whose quotes the author accepts, in the words of `policy.QuotePolicy`; GoToSocial had other names once."""
    given = doc.get("interactionPolicy")
    rules = given.get("canQuote") if isinstance(given, dict) else None
    if not isinstance(rules, dict):
        return ""
    groups_ = addressed if visibility == policy.GROUP else []
    members = {uri for group in groups_ for uri in (group.uri, group.followers_uri)}

    def words(*names: str) -> tuple[str, ...]:
        uris = next((ids_of(rules[name])[:MAX_ADDRESSED] for name in names if name in rules), ())
        found = {_quoter(uri, author, members) for uri in uris} - {None}
        return tuple(word for word in _QUOTERS if word in found)

    automatic, manual = words("automaticApproval", "always"), words("manualApproval", "approvalRequired")
    return policy.QuotePolicy(automatic, manual).kept()


_QUOTERS = ("public", "followers", "following", policy.UNSUPPORTED)


def _quoter(uri: str, author: Account, members: set[str | None]) -> str | None:
    """The word for one of those who may quote; the author need not be named."""
    if uri == PUBLIC or uri in members:
        return "public"
    known = {author.followers_uri: "followers", author.following_uri: "following", author.uri: None}
    return known.get(uri, policy.UNSUPPORTED)


_ACTS = (("canReply", policy.REPLY), ("canLike", policy.LIKE), ("canAnnounce", policy.ANNOUNCE))
_AUTOMATIC, _MANUAL = ("automaticApproval", "always"), ("manualApproval", "approvalRequired")


def _interaction_policy(tx: Tx, doc: dict[str, Any], author: Account) -> str:
    """Whom the author lets answer, like and boost, in the words of `policy.interaction_policy`. What is left out, null
    or empty is everybody's. Of single accounts only those here matter here; others are no concern of ours."""
    given = doc.get("interactionPolicy")
    if not isinstance(given, dict):
        return ""
    found = {}
    for name, act in _ACTS:
        rules = given.get(name)
        named = [_first_of(rules, names) for names in (_AUTOMATIC, _MANUAL)] if isinstance(rules, dict) else []
        if any(uris is not None for uris in named):
            automatic, manual = (_deciders(tx, uris or (), author) for uris in named)
            found[act] = policy.QuotePolicy(automatic, manual)
    everybody = policy.QuotePolicy(("public",))
    return policy.interaction_policy({act: rules for act, rules in found.items() if rules != everybody})


def _first_of(rules: dict[str, Any], names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The URIs under the first of these names that there is."""
    value = next((rules[name] for name in names if rules.get(name) is not None), None)
    return None if value is None else ids_of(value)[:MAX_ADDRESSED]


def _deciders(tx: Tx, uris: tuple[str, ...], author: Account) -> tuple[str, ...]:
    collections = {PUBLIC: "public", author.followers_uri: "followers", author.following_uri: "following"}
    words = {collections[uri] for uri in uris if uri in collections}
    ours = {uri for uri in uris if tx.site.urls.owns(uri)}
    people = sorted(account.id for account in _accounts_of(tx, ours).values() if account.local)
    return (*(word for word in _QUOTERS if word in words), *(f"@{id_}" for id_ in people))


def visibility_of(
    to: tuple[str, ...], cc: tuple[str, ...], author: Account, addressed: list[Account], members_only: list[Account]
) -> str:
    """Mastodon's reading of an address: Public in `to` or `cc`, a followers collection, or only people.

    The followers of a members-only group are its members.
    """
    if PUBLIC in to:
        return "public"
    if PUBLIC in cc:
        return "unlisted"
    both = {*to, *cc}
    if both & ({group.followers_uri for group in members_only} - {None}):
        return policy.GROUP
    collections = {author.followers_uri, *(group.followers_uri for group in addressed)} - {None}
    return "private" if collections & both else "direct"


def _members_only(tx: Tx, addressed: list[Account]) -> list[Account]:
    found = []
    for account in addressed:
        group = groups.find(tx, account.id)
        if group is not None and group.members_only:
            found.append(account)
    return found


def _mention_uris(doc: dict[str, Any]) -> list[str]:
    found = [value_or_id(tag.get("href")) for tag in as_list(doc.get("tag")) if "Mention" in types_of(tag)]
    return [uri for uri in found if uri][:MAX_MENTIONS]


def _actor_at(tx: Tx, uri: str) -> str:
    """The actor of a page of ours: WordPress names whom a comment answers by the page; other addresses as they are."""
    page = tx.site.urls.find_page(uri)
    account = accounts.find_local(tx, page[0]) if page is not None and page[1] is None else None
    return account.uri if account is not None else uri


def _accounts_of(tx: Tx, uris: set[str]) -> dict[str, Account]:
    """Those of these actors that are known here."""
    if not uris:
        return {}
    ids = list(tx.conn.execute(_IDS_BY_URI, {"uris": list(uris)}).scalars())
    return {account.uri: account for account in accounts.find_many(tx, ids).values() if not account.hidden}


_IDS_BY_URI = sa.select(accounts_table.c.id).where(accounts_table.c.uri.in_(sa.bindparam("uris", expanding=True)))


def _find_group(
    tx: Tx, visibility: str, author: Account, parent: statuses.Status | None, addressed: list[Account]
) -> int | None:
    """The group that governs, by address or by thread: of those that everybody reads a local one that takes the post.

    A group of another server says itself what it takes, by announcing it; a members-only post always names its group.
    """
    if visibility == policy.GROUP:
        return next((account.id for account in _members_only(tx, [item for item in addressed if item.is_group])), None)
    if visibility not in ("public", "unlisted"):
        return None
    candidates = [parent.group_id] if parent is not None and parent.group_id is not None else []
    candidates += [account.id for account in addressed if account.is_group and account.local]
    for id_ in candidates:
        group = groups.find(tx, id_)
        if group is not None and policy.may_post_in_group(group.posting, memberships.role_of(tx, id_, author.id)):
            return id_
    return None


def _reach(
    tx: Tx, doc: dict[str, Any], tier: str, visibility: str, parent: statuses.Status | None, group_id: int | None
) -> str:
    """Never wider than the author says, than the parent goes, or than the group that governs it."""
    if visibility == "direct":
        return policy.reach_for({tier})
    reach = reach_of(doc, tier)
    if parent is not None and parent.visibility != "direct":
        reach = policy.narrower(reach, parent.reach)
    group = groups.find(tx, group_id) if group_id is not None else None
    return policy.narrower(reach, group.reach) if group is not None else reach


def updated_at(doc: dict[str, Any]) -> int | None:
    """What a document says of its last change, in ms."""
    return _ms(doc.get("updated"))


def _edited_at(doc: dict[str, Any]) -> int | None:
    """When a note was changed; some say `updated` from the first moment on (PeerTube)."""
    updated = updated_at(doc)
    return updated if updated is not None and updated > (_ms(doc.get("published")) or 0) else None


def _content(doc: dict[str, Any]) -> tuple[str, str | None]:
    """(safe HTML, language). Things that are no notes are shown as their title above their text or link; what is said
    to be no HTML (PeerTube's Markdown) as the plain text that it is."""
    by_language = doc.get("contentMap") if isinstance(doc.get("contentMap"), dict) else {}
    source = doc.get("content") if isinstance(doc.get("content"), str) else first_string(by_language) or ""
    language = next((tag for tag, value in by_language.items() if value == source), None) if by_language else None
    if doc.get("mediaType") in ("text/markdown", "text/plain"):
        html = _plain(str(source), _page(doc) or str(doc.get("id")))
    else:
        html = text.sanitize(str(source))
    if not {"Note", "Question"} & set(types_of(doc)) and isinstance(doc.get("name"), str):
        html = _titled(doc, html)
    return html, language[:35] if isinstance(language, str) and language != "und" else None


def _plain(words: str, page: str) -> str:
    """Words without markup; tags in them lead to the page of what they describe."""
    return text.sanitize(text.render(words.strip(), mentions={}, tag_url=lambda _tag: page))


def _is_recording(doc: dict[str, Any]) -> bool:
    """A film or a sound that is to be seen or heard at its own page: it is not brought here (PeerTube, Funkwhale)."""
    return bool({"Video", "Audio"} & set(types_of(doc)))


def _titled(doc: dict[str, Any], html: str) -> str:
    title = text.one_line(str(doc["name"]), MAX_TITLE)
    page = _page(doc) or str(doc.get("id"))
    heading = text.render(title, mentions={}, tag_url=lambda _tag: page).removeprefix("<p>").removesuffix("</p>")
    links = _links(doc) or ([] if html and not _is_recording(doc) else [page])
    below = "".join(text.render(link, mentions={}, tag_url=lambda _tag: page) for link in links)
    return text.sanitize(f"<p><strong>{heading}</strong></p>{below}{html}")


def _links(doc: dict[str, Any]) -> list[str]:
    """Where a post of a community points to: its attachments that are a Link to a page (Lemmy, PieFed, Mbin)."""
    found = [item for item in as_list(doc.get("attachment"))[:MAX_MEDIA] if "Link" in types_of(item)]
    return [str(item.get("href")) for item in found if _is_web_url(item.get("href")) and not _is_file(item)]


def _is_file(link: dict[str, Any]) -> bool:
    """Whether a Link leads to a picture, film or sound, by its media type."""
    mime = link.get("mediaType")
    return isinstance(mime, str) and mime.partition("/")[0].lower() in _KINDS


def _spoiler(doc: dict[str, Any], tier: str = "partner") -> str:
    """The content warning. Departments say it as the plain text that it is here; others, who may mean HTML, have theirs
    stripped of what is markup: `x<y` is none."""
    summary = first_string(doc.get("summary"))
    # What is titled has an excerpt there, and a warning only where it says so (WordPress, PeerTube).
    is_warning = bool({"Note", "Question"} & set(types_of(doc))) or doc.get("sensitive") is True
    if not summary or not is_warning:
        return ""
    return text.one_line(summary if tier == "department" else text.plain_words(summary), MAX_SPOILER)


def _mentions(
    here: dict[str, Account], named: list[str], to: tuple[str, ...], cc: tuple[str, ...], author: Account
) -> tuple[tuple[int, bool], ...]:
    """(account id, silent): silent are those who are addressed without being named in the text."""
    found = {here[uri].id: False for uri in named if uri in here}
    for uri in (*to, *cc):
        if uri in here and here[uri].id != author.id:
            found.setdefault(here[uri].id, True)
    return tuple(found.items())


def _strangers(
    tx: Tx, here: dict[str, Account], named: list[str], addressed: tuple[str, ...]
) -> tuple[tuple[str, bool], ...]:
    """(URI, silent) of people whom a note names, or is for, and who live on servers of peers and are not known here."""
    found = {uri: uri not in named for uri in (*named, *addressed) if uri not in here and _is_web_url(uri)}
    unknown = {uri: silent for uri, silent in found.items() if uri != PUBLIC and not tx.site.urls.owns(uri)}
    tiers = peers.find_tiers(tx, (domain_of(uri) for uri in unknown))
    return tuple(item for item in unknown.items() if tiers[domain_of(item[0])] is not None)[:MAX_STRANGERS]


def _tags(doc: dict[str, Any]) -> tuple[str, ...]:
    names = [tag.get("name") for tag in as_list(doc.get("tag"))[:500] if "Hashtag" in types_of(tag)]
    shown = {text.normalise_tag(name): name.lstrip("#")[:100] for name in names if isinstance(name, str)}
    return tuple(name for key, name in shown.items() if key)[:MAX_TAGS]


def reaction_of(doc: Any, domain: str) -> Kind | None:
    """The emoji that somebody at `domain` reacts with by a Like, EmojiReact or Dislike; None when it shows none, as a
    plain Like."""
    if "Dislike" in types_of(doc):
        return reactions.AGAINST_IT
    if not isinstance(doc, dict):
        return None
    said = (first_string(doc.get(name)) for name in ("content", "contentMap", "_misskey_reaction", _IS_REACTION))
    return next((kind for text in said if text and (kind := reactions.read(text, domain)) is not None), None)


def emoji_of(doc: dict[str, Any], kind: Kind) -> tuple[RemoteEmoji, ...]:
    """What the document of a reaction says of its custom emoji, if it is one."""
    return tuple(item for item in _emojis(doc) if item.shortcode == kind.name)


def _emojis(doc: dict[str, Any]) -> tuple[RemoteEmoji, ...]:
    """What the document says of the emoji in its texts; those of unreadable code or picture are left out."""
    found: dict[str, RemoteEmoji] = {}
    for tag in as_list(doc.get("tag"))[:500]:
        name = tag.get("name") if isinstance(tag, dict) and "Emoji" in types_of(tag) else None
        code = name.strip(":") if isinstance(name, str) else ""
        url = _picture(tag.get("icon")) if custom_emojis.is_code(code) else None
        if url is not None and len(found) < custom_emojis.MAX_IN_TEXT:
            found.setdefault(code, RemoteEmoji(code, url, _ms(tag.get("updated")) or 0))
    return tuple(found.values())


def _media(doc: dict[str, Any]) -> tuple[RemoteMedia, ...]:
    found = []
    for item in _attached(doc)[:MAX_MEDIA]:
        if not isinstance(item, dict) or "PropertyValue" in types_of(item):
            continue
        if "Link" in types_of(item) and not _is_file(item):
            continue  # a page, shown in the text
        source = next(iter(as_list(item.get("url"))), None) or item.get("href")
        link = source if isinstance(source, dict) else item
        url = source.get("href") if isinstance(source, dict) else source
        if _is_web_url(url) and (mime := _mime_of(link, item, str(url))) is not None:
            found.append(_one_media(item, str(url), mime))
    return tuple(found)


_MIMES = {"Image": "image/jpeg", "Video": "video/mp4", "Audio": "audio/mpeg"}


def _mime_of(link: dict[str, Any], item: dict[str, Any], url: str) -> str | None:
    """What an attachment says it is, else what its type or its name let expect; in the end the file itself decides."""
    told = link.get("mediaType") or item.get("mediaType")
    if isinstance(told, str):
        return told
    guessed = mimetypes.guess_type(urlsplit(url).path, strict=False)[0]
    by_type = next((_MIMES[kind] for kind in types_of(item) if kind in _MIMES), None)
    return by_type or (guessed if "Document" in types_of(item) else None)


def _attached(doc: dict[str, Any]) -> list[Any]:
    """The attachments; of a titled post without a picture of its own, the one that stands for it (`image`; of a
    recording the widest `icon`)."""
    listed = as_list(doc.get("attachment"))
    if _is_recording(doc):
        pictures = [item for item in as_list(doc.get("icon")) if "Image" in types_of(item)]
        return listed + sorted(pictures, key=lambda item: -(_size(item.get("width")) or 0))[:1]
    if {"Note", "Question"} & set(types_of(doc)) or any({"Image", "Document"} & set(types_of(item)) for item in listed):
        return listed
    return listed + [item for item in as_list(doc.get("image")) if "Image" in types_of(item)][:1]


def _one_media(item: dict[str, Any], url: str, mime: str) -> RemoteMedia:
    description = first_string(item.get("name")) or first_string(item.get("summary")) or ""
    blurhash = item.get("blurhash")
    return RemoteMedia(
        url=url,
        kind=_KINDS.get(mime.partition("/")[0].lower(), "unknown"),
        mime=mime.partition(";")[0].strip().lower()[:100],
        description=description[:MAX_ALT],
        blurhash=blurhash if isinstance(blurhash, str) and len(blurhash) <= 100 else None,
        width=_size(item.get("width")),
        height=_size(item.get("height")),
        focus=_focus(item.get("focalPoint")),
    )


def _size(value: Any) -> int | None:
    return value if type(value) is int and 0 < value <= 100_000 else None


def _focus(value: Any) -> tuple[float, float] | None:
    point = as_list(value)
    if len(point) != 2 or any(type(part) not in (int, float) or not -1 <= part <= 1 for part in point):
        return None
    return float(point[0]), float(point[1])


def _poll(doc: dict[str, Any], now: int) -> RemotePoll | None:
    listed = as_list(doc.get("anyOf")) or as_list(doc.get("oneOf"))
    told = [_option(item) for item in listed[:MAX_OPTIONS] if isinstance(item, dict)]
    if not told:
        return None
    closed = doc.get("closed")
    closed_at = _ms(closed)
    expires_at = _ms(doc.get("endTime"))
    if closed_at is not None and closed_at > now:  # Pleroma and Akkoma say so when a poll will end
        expires_at, closed_at = expires_at or closed_at, None
    return RemotePoll(
        options=tuple((title, votes or 0) for title, votes in told),
        hide_totals=all(votes is None for _, votes in told),  # Mastodon and GoToSocial tell them when it is over
        multiple=bool(as_list(doc.get("anyOf"))),
        expires_at=expires_at,
        closed_at=closed_at or (expires_at if closed is True else None),
        voters_count=_count(doc.get("votersCount")),
    )


def _option(item: dict[str, Any]) -> tuple[str, int | None]:
    """(title, votes); None when these are not told."""
    replies = item.get("replies")
    votes = replies.get("totalItems") if isinstance(replies, dict) else None
    title = text.one_line(first_string(item.get("name")) or "", MAX_OPTION)
    return title, None if votes is None else _count(votes)


def _count(value: Any) -> int:
    return value if _is_count(value) else 0


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**31


def total_of(collection: dict[str, Any]) -> int | None:
    """How many a collection says that it holds; None when it does not say."""
    total = collection.get("totalItems")
    return total if _is_count(total) else None


def _ms(value: Any) -> int | None:
    time = parse_time(first_string(value))
    return to_ms(time) if time is not None else None
