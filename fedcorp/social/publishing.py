"""What people of this department write: publish and edit, with the rules of reach, groups and mentions applied."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
import sqlalchemy as sa

from fedcorp.company import peers
from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import (
    accounts,
    group_posts,
    groups,
    leaves,
    media,
    memberships,
    policy,
    polls,
    quotes,
    statuses,
    text,
)
from fedcorp.social.accounts import Account
from fedcorp.social.events import QuoteRequested, StatusEdited, StatusPublished
from fedcorp.social.media import Detail
from fedcorp.social.polls import PollDraft
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import idempotency_keys
from fedcorp.storage.tables import statuses as table
from fedcorp.storage.upsert import insert_ignore


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person hands in. `mentions` maps handles as written (lower case) to account ids; None means the default.

    `published_at` (ms, in the past) is for importers; the id of the status follows from it. `to_members` is for groups
    that say something to their own members.
    """

    text: str = ""
    visibility: str | None = None
    reach: str | None = None
    sensitive: bool | None = None
    spoiler_text: str = ""
    language: str | None = None
    in_reply_to_id: int | None = None
    quoted_id: int | None = None
    quote_policy: str | None = None  # of policy.QUOTERS; None is the default, in an edit what it was
    media_ids: tuple[int, ...] = ()
    media_details: Mapping[int, Detail] = field(default_factory=dict)
    poll: PollDraft | None = None
    mentions: Mapping[str, int] = field(default_factory=dict)
    application_id: int | None = None
    idempotency_key: str | None = None
    published_at: int | None = None
    to_members: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a status goes, decided before anything is written; with `waits` once the author of `parent` gives leave."""

    visibility: str
    reach: str
    parent: Status | None
    group_ids: tuple[int, ...]
    named: tuple[Account, ...]
    quoted: Status | None
    waits: bool


def publish(tx: Tx, account: Account, draft: Draft) -> Status:
    """Publish, or keep until the author of what is answered gives leave. The same idempotency key gives the same again.

    Raises Unprocessable on what breaks a rule (the text names it), NotFound when the parent is not visible, Forbidden.
    """
    repeated = _find_repeated(tx, account.id, draft.idempotency_key)
    if repeated is not None:
        return repeated
    _check_content(tx, draft, has_poll=draft.poll is not None)
    settings = accounts.settings_of(tx, account.id)
    place = _place(tx, account, draft, settings)
    id_ = tx.new_id() if draft.published_at is None else statuses.id_at(tx, draft.published_at)
    urls = tx.site.urls
    parent, quoted = place.parent, place.quoted
    asks = quoted is not None and not quoted.local and quoted.account_id != account.id
    status = statuses.insert(
        tx, id=id_, uri=urls.object(id_), url=urls.status_page(account.username, id_), origin=account.origin,
        local=True, account_id=account.id, in_reply_to_id=parent.id if parent else None,
        in_reply_to_account_id=parent.account_id if parent else None, in_reply_to_uri=parent.uri if parent else None,
        thread_id=parent.thread_id if parent else id_,
        context_uri=(parent.context_uri if parent else None) or urls.thread(parent.thread_id if parent else id_),
        group_id=place.group_ids[0] if place.group_ids else None,
        visibility=policy.WAITING if place.waits else place.visibility, reach=place.reach,
        content=_html(tx, draft, place.named, quoted), text=draft.text, spoiler_text=draft.spoiler_text,
        sensitive=_sensitive(draft, settings), language=draft.language or settings.language,
        application_id=draft.application_id, created_at=tx.ms if draft.published_at is None else draft.published_at,
        quoted_id=quoted.id if quoted else None,
        quote_state=None if quoted is None else quotes.PENDING if asks else quotes.ACCEPTED,
        quote_policy=policy.own_quote_policy(draft.quote_policy or settings.quote_policy, place.visibility),
    )  # fmt: skip
    statuses.add_mentions(tx, id_, _addressed(account.id, place.visibility, place.named, quoted))
    statuses.add_tags(tx, id_, [tag.name for tag in text.find_tags(draft.text)])
    _attach(tx, account, status, draft)
    if not place.waits:
        _hand_to_groups(tx, status, set(place.group_ids))
    if draft.idempotency_key:
        insert_ignore(
            tx, idempotency_keys, account_id=account.id, key=draft.idempotency_key, status_id=id_, created_at=tx.ms
        )
    if quoted is not None:
        request_uri = urls.activity(tx.new_id()) if asks else None
        needs_leave = quoted.local and quoted.account_id != account.id
        stamp_uri = urls.stamp(tx.new_id()) if needs_leave else None
        quotes.begin(tx, status, quoted.uri, request_uri=request_uri, stamp_uri=stamp_uri)
    if place.waits:
        leaves.ask(tx, status, place.visibility)
    else:
        _tell(tx, status, quiet=draft.published_at is not None)
    return statuses.get(tx, id_)


def release(tx: Tx, status: Status, stamp_uri: str, stamp_type: str) -> bool:
    """The author of what an answer answers gives leave, which stands at `stamp_uri`: now it is published. Says whether
    it waited."""
    shown = leaves.grant(tx, status, stamp_uri, stamp_type)
    if shown is None:
        return False
    if shown.visibility in ("public", "unlisted", policy.GROUP):
        _hand_to_groups(tx, shown, {*statuses.mentioned_ids(tx, shown.id), shown.group_id} - {None})
    _tell(tx, shown)
    return True


def _hand_to_groups(tx: Tx, status: Status, ids: "set[int | None]") -> None:
    """Groups elsewhere judge later; ours judge at once, in `effects`."""
    for group in accounts.find_many(tx, {id_ for id_ in ids if id_ is not None}).values():
        if group.is_group and not group.local:
            group_posts.note_state(tx, group.id, status.id, "pending")


def _tell(tx: Tx, status: Status, *, quiet: bool = False) -> None:
    tx.record(StatusPublished(status.id, quiet=quiet))
    if status.quote_state == quotes.PENDING:
        tx.record(QuoteRequested(status.account_id, status.id))


def check(tx: Tx, account: Account, draft: Draft) -> None:
    """Raises what `publish` would raise now for the words, the place and whom it names; writes nothing."""
    _check_content(tx, draft, has_poll=draft.poll is not None)
    _place(tx, account, draft, accounts.settings_of(tx, account.id))
    if draft.poll is not None:
        polls.check(tx, draft.poll)


def edit(tx: Tx, account: Account, id_: int, draft: Draft) -> Status:
    """Change an own status; visibility, reach and thread stay. The earlier version is kept. Raises like `publish`."""
    status = statuses.get_own(tx, account.id, id_)
    if status.reblog_of_id is not None:
        raise Unprocessable("A boost cannot be edited.")
    _check_content(tx, draft, has_poll=draft.poll is not None or status.poll_id is not None)
    named = _named(tx, draft.mentions)
    visibility = leaves.as_written(tx, status).visibility
    _check_mentions_reached(tx, named, visibility, status.reach)
    _keep_version(tx, status)
    quoted = statuses.find(tx, status.quoted_id) if status.quoted_id is not None else None
    chosen = draft.quote_policy
    tx.conn.execute(
        sa.update(table).where(table.c.id == id_).values(
            content=_html(tx, draft, named, quoted), text=draft.text, spoiler_text=draft.spoiler_text,
            sensitive=bool(draft.sensitive or draft.spoiler_text), language=draft.language or status.language,
            edited_at=max(tx.ms, (status.edited_at or 0) + 1), version=status.version + 1,
            quote_policy=policy.own_quote_policy(chosen, visibility) if chosen else status.quote_policy,
        )
    )  # fmt: skip
    statuses.write_mentions(tx, id_, _addressed(account.id, visibility, named, quoted))
    statuses.write_tags(tx, id_, [tag.name for tag in text.find_tags(draft.text)])
    media.replace(tx, account.id, id_, list(draft.media_ids))
    _describe(tx, account, draft)
    if draft.poll is not None:
        tx.conn.execute(sa.update(table).where(table.c.id == id_).values(poll_id=polls.replace(tx, status, draft.poll)))
    tx.record(StatusEdited(id_))
    return statuses.get(tx, id_)


_REPEATED = sa.select(idempotency_keys.c.status_id).where(
    idempotency_keys.c.account_id == sa.bindparam("account"), idempotency_keys.c.key == sa.bindparam("key")
)


def _find_repeated(tx: Tx, account_id: int, key: str | None) -> Status | None:
    if not key:
        return None
    found = tx.conn.execute(_REPEATED, {"account": account_id, "key": key}).scalar()
    return statuses.find(tx, found) if found is not None else None


def _check_content(tx: Tx, draft: Draft, *, has_poll: bool) -> None:
    limits = tx.site.config.limits
    if not draft.text.strip() and not draft.media_ids:
        raise Unprocessable("Validation failed: Text can't be blank")
    if text.length(draft.text) + len(draft.spoiler_text) > limits.status_characters:
        raise Unprocessable(f"Validation failed: Text character limit of {limits.status_characters} exceeded")
    if len(draft.media_ids) > limits.media_attachments:
        raise Unprocessable(f"Validation failed: a post has at most {limits.media_attachments} files")
    if draft.media_ids and has_poll:
        raise Unprocessable("Validation failed: a post has either files or a poll")
    if draft.quoted_id is not None and (draft.media_ids or has_poll):
        raise Unprocessable("Validation failed: a post that quotes another has neither files nor a poll")
    if draft.quote_policy is not None:
        quotes.check_policy(draft.quote_policy)
    if draft.published_at is not None and draft.published_at > tx.ms:
        raise Unprocessable("Validation failed: a post cannot come from the future")


def _place(tx: Tx, account: Account, draft: Draft, settings: accounts.Settings) -> _Place:
    visibility = draft.visibility or settings.privacy
    if visibility not in policy.VISIBILITIES:
        raise Unprocessable(f"Validation failed: visibility is one of {', '.join(policy.VISIBILITIES)}")
    if draft.reach is not None and draft.reach not in policy.REACHES:
        raise Unprocessable(f"Validation failed: reach is one of {', '.join(policy.REACHES)}")
    parent = _parent(tx, account, draft)
    quoted = quotes.get_quotable(tx, account, draft.quoted_id) if draft.quoted_id is not None else None
    if quoted is not None and quoted.visibility == "private":  # one's own: for the same people
        visibility = policy.stricter(visibility, "private")
    named = _named(tx, draft.mentions)
    found = _own_group(tx, account, draft) or _groups(tx, account, visibility, parent, named)
    for group in found if not draft.to_members else ():
        group_posts.check_may_post(tx, accounts.get(tx, group.account_id), group, parent, account)
    if found and draft.reach == "department":
        raise Unprocessable("A post to a group goes as far as the group; to keep it here, do not name the group.")
    asked = draft.reach or _usual_reach(tx, settings, parent, named)
    if quoted is not None:
        asked = policy.narrower(asked, quoted.reach)
    reach = _reach(tx, asked, visibility, parent, found, named)
    visibility = _visibility(visibility, found)
    _check_mentions_reached(tx, named, visibility, reach)
    _check_mentions_belong(tx, named, found)
    if quoted is not None:
        _check_quote(tx, account, quoted, visibility, reach, found, named)
    waits = _must_wait(tx, account, parent, visibility, reach, named)
    return _Place(visibility, reach, parent, tuple(group.account_id for group in found), named, quoted, waits)


def _must_wait(
    tx: Tx, account: Account, parent: Status | None, visibility: str, reach: str, named: tuple[Account, ...]
) -> bool:
    """Whether an answer needs leave of the author elsewhere. Raises Unprocessable where there is none to be had.

    What only the members of a group read is the group's affair, and goes to nobody but them.
    """
    if parent is None or account.is_group or visibility == policy.GROUP:
        return False
    if not leaves.must_wait(tx, parent, account, policy.REPLY):
        return False
    if visibility == "direct" and parent.account_id not in {person.id for person in named}:
        author = accounts.get(tx, parent.account_id)
        raise Unprocessable(
            f"@{author.acct} has to be asked for leave to answer this post, and would read this; name them, or write "
            "without answering."
        )
    leaves.check_can_be_asked(tx, parent, reach)
    return True


def _check_quote(
    tx: Tx,
    account: Account,
    quoted: Status,
    visibility: str,
    reach: str,
    found: list[groups.Group],
    named: tuple[Account, ...],
) -> None:
    """A quote goes no further than what it quotes, and to whom it quotes. Raises Unprocessable."""
    if policy.narrower(reach, quoted.reach) != reach:
        raise Unprocessable(
            f"This would go further ({reach}) than the post that you quote ({quoted.reach}); choose whom to write to "
            "among those that it may reach."
        )
    if quoted.visibility == policy.GROUP:
        passed_on = {
            item.group_id
            for item in group_posts.of_statuses(tx, [quoted.id]).get(quoted.id, [])
            if item.state == "distributed"
        }
        if visibility != policy.GROUP or not {group.account_id for group in found} <= passed_on:
            raise Unprocessable("What was written to the members of a group can be quoted in that group alone.")
    if quoted.visibility == "private" and visibility == policy.GROUP:
        raise Unprocessable("What you wrote to your followers can be quoted for them alone.")
    if quoted.account_id == account.id:
        return
    if visibility == "direct" and quoted.account_id not in {person.id for person in named}:
        raise Unprocessable("A direct message that quotes somebody must be written to them as well.")
    author = accounts.get(tx, quoted.account_id)
    tier = _tier(tx, author)
    if not author.local and (tier is None or not policy.reaches(reach, tier)):
        raise Unprocessable(
            f"@{author.acct} has to be asked for leave to be quoted, and is outside the reach of this post ({reach})."
        )


def _own_group(tx: Tx, account: Account, draft: Draft) -> list[groups.Group]:
    group = groups.find(tx, account.id) if draft.to_members else None
    return [group] if group is not None else []


def _parent(tx: Tx, account: Account, draft: Draft) -> Status | None:
    if draft.in_reply_to_id is None:
        return None
    if draft.to_members:  # a group is no member of itself, but sees what it passed on
        known = group_posts.find(tx, account.id, draft.in_reply_to_id)
        return statuses.find(tx, known.status_id) if known is not None and known.state == "distributed" else None
    try:
        parent = statuses.get_original(tx, account.id, draft.in_reply_to_id)
    except NotFound:
        raise NotFound("The post you are trying to reply to does not appear to exist.") from None
    if parent.visibility == policy.WAITING:
        raise Unprocessable("This post waits for leave itself; answer it when it is published.")
    return parent


def _named(tx: Tx, mentions: Mapping[str, int]) -> tuple[Account, ...]:
    found = accounts.find_many(tx, set(mentions.values()))
    return tuple(account for account in found.values() if not account.hidden)


def _groups(
    tx: Tx, account: Account, visibility: str, parent: Status | None, named: tuple[Account, ...]
) -> list[groups.Group]:
    """The groups that it goes to, the one that governs first: that of the thread, then those that are named."""
    if account.is_group or visibility == "direct":
        return []
    ids = [parent.group_id] if parent is not None and parent.group_id is not None else []
    ids += [item.id for item in named if item.is_group and item.id not in ids]
    if len(ids) > group_posts.MOST_GROUPS:
        raise Unprocessable(f"Validation failed: a post goes to at most {group_posts.MOST_GROUPS} groups")
    found = [group for id_ in ids if (group := groups.find(tx, id_)) is not None]
    if visibility == "private":  # for one's followers, which no group is that everybody reads
        return [group for group in found if group.members_only]
    if len({group.members_only for group in found}) > 1:
        raise Unprocessable("A post goes either to groups that only members read, or to others, not to both.")
    return found


def _visibility(asked: str, found: list[groups.Group]) -> str:
    """In a group that only members read, they alone see the post, whatever was asked."""
    return policy.GROUP if any(group.members_only for group in found) else asked


def _check_mentions_belong(tx: Tx, named: tuple[Account, ...], found: list[groups.Group]) -> None:
    """Whoever is named in a members-only group must be able to read it."""
    closed = [accounts.get(tx, group.account_id) for group in found if group.members_only]
    for person in named if closed else ():
        inside = [memberships.role_by_uri(tx, group, person.uri) in policy.MEMBERS for group in closed]
        if not person.is_group and not any(inside):
            raise Unprocessable(
                f"@{person.acct} does not belong to @{closed[0].acct} and would not see this; leave the name out, "
                "or invite them."
            )


def _usual_reach(tx: Tx, settings: accounts.Settings, parent: Status | None, named: tuple[Account, ...]) -> str:
    """How far a post goes that does not say it. An answer includes those it names of whom it answers: they know the
    post already, and apps of people's own choice cannot ask how far an answer shall go."""
    usual = settings.reach or tx.site.config.default_reach
    if parent is None:
        return usual
    heard = {parent.account_id, *statuses.mentioned_ids(tx, parent.id)}
    tiers = {tier for account in named if account.id in heard and (tier := _tier(tx, account))}
    return policy.wider(usual, policy.reach_for(tiers))


def _reach(
    tx: Tx,
    asked: str,
    visibility: str,
    parent: Status | None,
    found: list[groups.Group],
    named: tuple[Account, ...],
) -> str:
    if visibility == "direct":  # goes to exactly those who are named, wherever they are
        return policy.reach_for({tier for account in named if (tier := _tier(tx, account))})
    if found:
        return min((group.reach for group in found), key=policy.REACHES.index)
    return policy.narrower(asked, parent.reach) if parent else asked


def _tier(tx: Tx, account: Account) -> str | None:
    return None if account.local else peers.find_tier(tx, account.origin.split("://", 1)[1])


def _check_mentions_reached(tx: Tx, named: tuple[Account, ...], visibility: str, reach: str) -> None:
    """A mention never widens the reach: whoever is named must be within it."""
    for account in named:
        if account.local:
            continue
        tier = _tier(tx, account)
        if tier is None:
            raise Unprocessable(f"@{account.acct} cannot be reached: {account.domain} is not a peer of this server.")
        if visibility != "direct" and not policy.reaches(reach, tier):
            wider = policy.reach_for({tier})
            raise Unprocessable(
                f"@{account.acct} is outside the reach of this post ({reach}). "
                f"Choose the reach {wider!r} to include them, or send a direct message."
            )


def _addressed(
    author_id: int, visibility: str, named: tuple[Account, ...], quoted: Status | None
) -> list[tuple[int, bool]]:
    """Whom a post is addressed to. Who is quoted in what only followers see can read it, too, without being named."""
    found = {person.id: False for person in named}
    if quoted is not None and visibility == "private" and quoted.account_id != author_id:
        found.setdefault(quoted.account_id, True)
    return list(found.items())


def _html(tx: Tx, draft: Draft, named: tuple[Account, ...], quoted: Status | None) -> str:
    by_id = {account.id: account for account in named}
    targets = {
        handle: text.MentionTarget(by_id[id_].url, by_id[id_].acct, by_id[id_].username)
        for handle, id_ in draft.mentions.items()
        if id_ in by_id
    }
    html = text.render(draft.text, mentions=targets, tag_url=lambda tag: tx.site.urls.tag(text.normalise_tag(tag)))
    return html if quoted is None else _quote_link(draft.text, quoted) + html


def _quote_link(source: str, quoted: Status) -> str:
    """For readers who know no quotes; the others hide it by its class. Nothing where the author put the link."""
    url = quoted.url or quoted.uri
    if any(found.url in (url, quoted.uri) for found in text.find_urls(source)):
        return ""
    link = text.render(url, mentions={}, tag_url=str).removeprefix("<p>").removesuffix("</p>")
    return f'<p class="quote-inline">RE: {link}</p>'


def _sensitive(draft: Draft, settings: accounts.Settings) -> bool:
    """What has a warning in front is sensitive, as in Mastodon."""
    return bool(draft.spoiler_text) or (settings.sensitive if draft.sensitive is None else draft.sensitive)


def _attach(tx: Tx, account: Account, status: Status, draft: Draft) -> None:
    if draft.media_ids:
        media.attach(tx, account.id, status.id, list(draft.media_ids))
        _describe(tx, account, draft)
    if draft.poll is not None:
        poll_id = polls.create(tx, status.id, draft.poll, created_at=status.created_at)
        tx.conn.execute(sa.update(table).where(table.c.id == status.id).values(poll_id=poll_id))


def _describe(tx: Tx, account: Account, draft: Draft) -> None:
    for media_id, detail in draft.media_details.items():
        if media_id in draft.media_ids:
            media.update(tx, account.id, media_id, description=detail.description, focus=detail.focus)


def _keep_version(tx: Tx, status: Status) -> None:
    poll = polls.load(tx, [status.poll_id], None)[status.poll_id] if status.poll_id else None
    titles = [option.title for option in poll.options] if poll else []
    kept = [item.id for item in media.of_statuses(tx, [status.id]).get(status.id, [])]
    statuses.keep_edit(tx, status, media=orjson.dumps(kept).decode(), poll=orjson.dumps(titles).decode())
