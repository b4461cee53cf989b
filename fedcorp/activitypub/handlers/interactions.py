"""Likes, emoji reactions, dislikes and Announces of a note, and their Undo.

They are always about the actor itself; what must be shown is that it may see the note. Which emoji it is stands in an
EmojiReact, in a Like that has content (Misskey, ours), or is thumbs down for a Dislike (Lemmy and its kin); a Like
without one is a favourite.
"""

import sqlalchemy as sa

from fedcorp.activitypub import discovery, translate
from fedcorp.activitypub.documents import Activity, parse_time
from fedcorp.activitypub.handlers.parties import (
    DUPLICATE,
    IGNORED,
    PROCESSED,
    field_uri,
    find_status,
    has_local_follower,
    is_undone,
    note_undone,
    orphan,
    pass_on,
    sender,
)
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.vocabulary import PUBLIC
from fedcorp.clock import to_ms
from fedcorp.errors import Forbidden, Unprocessable
from fedcorp.social import accounts, custom_emojis, group_posts, interactions, policy, reactions, receiving, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.reactions import Kind
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import favourites
from fedcorp.storage.tables import statuses as statuses_table


def verify_reaction(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Raises Forbidden when the actor may not see what it reacts to."""
    account = sender(tx, activity, intake)
    status = find_status(tx, activity.object_id, intake)
    if status is not None:
        check_may_see(tx, account, status, intake)


def check_may_see(tx: Tx, account: Account, status: Status, intake: Intake) -> None:
    """Of our own statuses we know who may see them; of others their own server decides. Raises Forbidden."""
    if not status.local:
        return
    within_reach = status.visibility == "direct" or policy.reaches(status.reach, intake.tier)
    if not within_reach or not policy.may_see(policy.Viewer(account.id), statuses.facts(tx, status, account.id)):
        raise Forbidden("This status is not shown to that actor.")


def receive_like(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Somebody likes a note, or reacts to it. One that is not here yet is waited for; ours, when it is gone, is not."""
    account = sender(tx, activity, intake)
    status = find_status(tx, activity.object_id, intake)
    if status is None:
        return _put_aside(tx, activity, intake)
    kind = translate.reaction_of(activity.doc, account.domain)
    if kind is not None:
        if not _react(tx, activity, account, status, kind):
            return IGNORED
    else:
        interactions.favourite(tx, account, status, uri=activity.id, beside=activity.type == "EmojiReact")
        reactions.take_back_vote(tx, account, status.id)  # where people vote, the new vote is sent alone
    if not intake.forwarded and status.group_id is not None:
        pass_on(tx, activity, status)
    return PROCESSED


def _react(tx: Tx, activity: Activity, account: Account, status: Status, kind: Kind) -> bool:
    """Keep a reaction; False when there is no room for it."""
    try:
        reactions.react(tx, account, status, kind, uri=activity.id, vote=activity.type == "Dislike")
    except Unprocessable:
        return False
    if kind.is_custom:
        custom_emojis.store_remote(tx, account.domain, translate.emoji_of(activity.doc, kind))
    if activity.type == "Dislike":
        interactions.unfavourite(tx, account, status.id)
    return True


def _put_aside(tx: Tx, activity: Activity, intake: Intake) -> str:
    uri = activity.object_id
    if uri is None or tx.site.urls.owns(uri) or intake.tier == "unknown" or receiving.is_gone(tx, uri):
        return IGNORED
    return orphan(tx, activity, uri, intake)


def receive_announce(tx: Tx, activity: Activity, intake: Intake) -> str:
    """Somebody boosts a note, or a group passes one on by its id; what is boosted is fetched when it is not here."""
    account = sender(tx, activity, intake)
    uri = activity.object_id
    if uri is None or activity.id is None or is_undone(tx, activity.id) or receiving.is_tombstoned(tx, activity.id):
        return IGNORED
    known = statuses.find_by_uri(tx, activity.id)
    if known is not None and (known.deleted_at is None or not discovery.repeats(tx, account.domain)):
        return DUPLICATE  # what was taken back does not come again by itself
    status = find_status(tx, uri, intake)
    if not _matters(tx, account, status, intake):
        return IGNORED
    if status is None:
        if tx.site.urls.owns(uri) or receiving.is_gone(tx, uri):
            return IGNORED
        intake.require(uri, "status")
        return _put_aside(tx, activity, intake)
    if account.is_group and status.visibility in ("public", "unlisted"):  # a boost is how many groups take a post
        group_posts.note_state(tx, account.id, status.id, "distributed")
        group_posts.own_thread(tx, account, status)
    boost(tx, activity, account, status)
    return PROCESSED


def boost(tx: Tx, activity: Activity | None, account: Account, status: Status) -> None:
    """Store the boost that an Announce tells of, at its own time and with its own audience.

    Without one (a group's post that was found in its ledger) the time is that of the status.
    """
    if activity is None or activity.id is None:
        uri = f"{account.uri}#announce-{status.id}"
        if statuses.find_by_uri(tx, uri) is not None:  # it was shown before, and taken out since
            uri = f"{uri}-{tx.new_id()}"
        interactions.reblog(tx, account, status, visibility=status.visibility, uri=uri, at=status.created_at)
        return
    published = parse_time(activity.published)
    at = to_ms(published) if published is not None else tx.ms
    uri = activity.id
    if statuses.find_by_uri(tx, uri) is not None:  # several posts in one Announce, or the boost was taken back before
        uri = f"{uri}#{tx.new_id()}"
    interactions.reblog(tx, account, status, visibility=_visibility(activity), uri=uri, at=min(at, tx.ms))


def _visibility(activity: Activity) -> str:
    if PUBLIC in activity.to:
        return "public"
    return "unlisted" if PUBLIC in activity.cc else "private"


def _matters(tx: Tx, account: Account, status: Status | None, intake: Intake) -> bool:
    """Whether anybody here would see the boost: a follower of the booster, or the author of what is boosted."""
    return (status is not None and status.local) or has_local_follower(tx, account.id)


def verify_undo(tx: Tx, activity: Activity, intake: Intake) -> None:
    """Only who did something may undo it. Raises Forbidden."""
    sender(tx, activity, intake)
    claimed = field_uri(activity.object, "actor")
    if claimed is not None and claimed != activity.actor:
        raise Forbidden("Only the actor may undo this.")


def receive_undo_like(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A like or a reaction is taken back: a like by who liked what, else by its id; a reaction by its id, else by who
    reacted to what and how."""
    account = sender(tx, activity, intake)
    status = find_status(tx, field_uri(activity.object, "object"), intake)
    if not _undo_reaction(tx, activity, account, status) and not _undo_favourite(tx, activity, account, status):
        note_undone(tx, activity.object_id, activity.actor)
        return IGNORED
    if not intake.forwarded and status is not None and status.group_id is not None:
        pass_on(tx, activity, status)
    return PROCESSED


def _undo_reaction(tx: Tx, activity: Activity, account: Account, status: Status | None) -> bool:
    known = reactions.find_by_uri(tx, account.id, activity.object_id) if activity.object_id is not None else None
    if known is not None:
        return reactions.take_back(tx, account, *known)
    kind = translate.reaction_of(activity.object, account.domain)
    if status is None or kind is None:
        return False
    # With an id, it may be that of a reaction that has not come yet; votes are undone under a new one (Lemmy).
    by_pair = activity.object_id is None or activity.object_type == "Dislike"
    return by_pair and reactions.take_back(tx, account, status.id, kind)


def _undo_favourite(tx: Tx, activity: Activity, account: Account, status: Status | None) -> bool:
    """Also of a reaction that could not be read as one, or came before they were kept."""
    is_like = translate.reaction_of(activity.object, account.domain) is None and activity.object_type != "EmojiReact"
    by_pair = status is not None and (activity.object_id is None or is_like)
    values = {
        "account": account.id, "status": status.id if status and by_pair else 0, "uri": activity.object_id or "",
    }  # fmt: skip
    status_id = tx.conn.execute(_LIKED, values).scalar()
    if status_id is None:
        return False
    interactions.unfavourite(tx, account, status_id)
    return True


_LIKED = sa.select(favourites.c.status_id).where(
    favourites.c.account_id == sa.bindparam("account"),
    ~favourites.c.implied,
    sa.or_(favourites.c.status_id == sa.bindparam("status"), favourites.c.uri == sa.bindparam("uri")),
)


def receive_undo_announce(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A boost is taken back: matched by the id of the Announce, else by who boosted what."""
    account = sender(tx, activity, intake)
    wrapper = statuses.find_by_uri(tx, activity.object_id) if activity.object_id else None
    original_id = wrapper.reblog_of_id if wrapper is not None and wrapper.account_id == account.id else None
    if original_id is None:
        status = find_status(tx, field_uri(activity.object, "object"), intake)
        original_id = status.id if status is not None else None
    if original_id is None or interactions.find_reblog(tx, account.id, original_id) is None:
        note_undone(tx, activity.object_id, activity.actor)
        return IGNORED
    interactions.unreblog(tx, account, original_id)
    if account.is_group and discovery.shows_threads(tx, account.domain):
        root = statuses.find(tx, original_id)
        if root is not None and root.id == root.thread_id:
            group_posts.let_go(tx, account, root)
    return PROCESSED


def receive_refusal(tx: Tx, activity: Activity, author: Account) -> bool:
    """The author of a post refuses a favourite, a reaction or a boost of ours, which ends here too; False when it
    speaks of none.

    Source: GoToSocial's interaction policies. What a group of ours passes on is the group's affair, and stays.
    """
    uri = activity.object_id
    if uri is None or not tx.site.urls.owns(uri):
        return False
    for found, end in ((_FAVOURITE, interactions.unfavourite), (_BOOST, interactions.unreblog)):
        for account_id, status_id in tx.conn.execute(found, {"uri": uri}):
            account = accounts.find(tx, account_id)
            if account is None or account.is_group or statuses.author_id(tx, status_id) != author.id:
                return False
            end(tx, account, status_id)
            return True
    return _refuse_reaction(tx, uri, author)


def _refuse_reaction(tx: Tx, uri: str, author: Account) -> bool:
    found = reactions.find_told(tx, uri)
    if found is None or statuses.author_id(tx, found.status_id) != author.id:
        return False
    account = accounts.find(tx, found.account_id)
    return account is not None and reactions.take_back(tx, account, found.status_id, found.kind)


_FAVOURITE = sa.select(favourites.c.account_id, favourites.c.status_id).where(favourites.c.uri == sa.bindparam("uri"))
_BOOST = sa.select(statuses_table.c.account_id, statuses_table.c.reblog_of_id).where(
    statuses_table.c.uri == sa.bindparam("uri"),
    statuses_table.c.reblog_of_id.is_not(None),
    statuses_table.c.deleted_at.is_(None),  # once taken back, there may be another by the same person
)
