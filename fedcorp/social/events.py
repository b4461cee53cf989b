"""What happened. Verbs record these facts; `effects` writes what follows from them in the same transaction.

An event names rows, never people's words. Those marked `Federated` are also kept for `fedcorp.activitypub.outbox` when
the acting account is local.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; `kind` is the name under which it is kept."""

    federated: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        return type(self).__name__

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {item.name: getattr(self, item.name) for item in fields(self)}  # plain values: nothing to copy


@dataclass(frozen=True, slots=True)
class Federated(Event):
    """An event that other servers hear of when the acting account is local."""

    federated: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class StatusPublished(Federated):
    status_id: int
    quiet: bool = False  # history that was filled in: no notifications


@dataclass(frozen=True, slots=True)
class StatusEdited(Federated):
    status_id: int


@dataclass(frozen=True, slots=True)
class StatusDeleted(Federated):
    """The row is kept as an empty shell, so its audience can still be told."""

    status_id: int


@dataclass(frozen=True, slots=True)
class StatusReblogged(Federated):
    """`reblog_id` is the wrapper; `status_id` what it shows."""

    reblog_id: int
    status_id: int
    quiet: bool = False  # history of a group that was filled in


@dataclass(frozen=True, slots=True)
class StatusUnreblogged(Federated):
    reblog_id: int
    status_id: int
    account_id: int


@dataclass(frozen=True, slots=True)
class StatusFavourited(Federated):
    account_id: int
    status_id: int
    uri: str


@dataclass(frozen=True, slots=True)
class StatusUnfavourited(Federated):
    account_id: int
    status_id: int
    uri: str


@dataclass(frozen=True, slots=True)
class StatusReacted(Federated):
    """Somebody reacted with an emoji: `name` and `domain` as in `fedcorp.social.reactions.Kind`."""

    account_id: int
    status_id: int
    uri: str
    name: str
    domain: str


@dataclass(frozen=True, slots=True)
class StatusUnreacted(Federated):
    """Somebody took a reaction back."""

    account_id: int
    status_id: int
    uri: str
    name: str
    domain: str


@dataclass(frozen=True, slots=True)
class StatusPinned(Federated):
    account_id: int
    status_id: int
    pinned: bool


@dataclass(frozen=True, slots=True)
class LeaveAsked(Federated):
    """Somebody here (`account_id`) answered or boosted a post of another server, whose author must agree first."""

    account_id: int
    status_id: int


@dataclass(frozen=True, slots=True)
class LeaveWithdrawn(Federated):
    """An answer of somebody here (`account_id`), which others have, is refused by the author of what it answers."""

    account_id: int
    status_id: int


@dataclass(frozen=True, slots=True)
class QuoteRequested(Federated):
    """Somebody here (`account_id`) quotes a post of another server, whose author is asked for leave."""

    account_id: int
    status_id: int


@dataclass(frozen=True, slots=True)
class QuoteAnswered(Federated):
    """The author of a post here (`account_id`) gives or refuses somebody elsewhere leave to quote it. `stamp_uri` is
    the leave, "" when it is refused; `request_uri` and `quoting_uri` are theirs."""

    account_id: int
    quoted_id: int
    requester_id: int
    request_uri: str
    quoting_uri: str
    stamp_uri: str


@dataclass(frozen=True, slots=True)
class QuoteChanged(Federated):
    """A quote came into another state (of `fedcorp.social.quotes.STATES`)."""

    status_id: int
    state: str


@dataclass(frozen=True, slots=True)
class QuoteRevoked(Federated):
    """The author of a post here (`account_id`) took back the leave to quote it."""

    account_id: int
    status_id: int
    stamp_uri: str


@dataclass(frozen=True, slots=True)
class QuotePolicyChanged(Federated):
    """The author of a post chose anew who may quote it."""

    status_id: int


@dataclass(frozen=True, slots=True)
class PollVoted(Federated):
    poll_id: int
    status_id: int
    account_id: int
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PollChanged(Federated):
    """The tally of a local poll changed or the poll closed."""

    poll_id: int
    status_id: int
    closed: bool


@dataclass(frozen=True, slots=True)
class FollowRequested(Federated):
    """`state` is accepted when the target is local and open. `message` and `link` go to a group elsewhere: why somebody
    wants to join, and the link that opens it."""

    follower_id: int
    target_id: int
    uri: str
    state: str
    message: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class FollowAccepted(Federated):
    """The target (when local, on our wire) accepted `uri`."""

    follower_id: int
    target_id: int
    uri: str


@dataclass(frozen=True, slots=True)
class FollowRejected(Federated):
    """A request was refused, or a follower removed; `was` is the state before: pending or accepted."""

    follower_id: int
    target_id: int
    uri: str
    was: str = "pending"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unfollowed(Federated):
    """The follower left; `was` is the state before: pending or accepted."""

    follower_id: int
    target_id: int
    uri: str
    was: str


@dataclass(frozen=True, slots=True)
class AccountUpdated(Federated):
    account_id: int


@dataclass(frozen=True, slots=True)
class AccountDeleted(Federated):
    account_id: int


@dataclass(frozen=True, slots=True)
class AccountMoved(Federated):
    """An account of ours asks its followers to follow another one instead."""

    account_id: int
    target_id: int


@dataclass(frozen=True, slots=True)
class AccountSuspended(Event):
    """A moderator of this department hid an account. Other servers are not told."""

    account_id: int


@dataclass(frozen=True, slots=True)
class AccountDisabled(Event):
    """A moderator of this department keeps somebody of it from signing in."""

    account_id: int


# -- groups ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MemberChanged(Federated):
    """A role began, changed or ended (`role` None) in a group; `was` is the one before.

    `actor_id` decided it; None: the rules of the group did, or (in a group elsewhere) its own server. `act_uri` names
    the activity by which somebody elsewhere decided it. `until_at` (ms) ends a ban.
    """

    group_id: int
    account_id: int
    role: str | None
    was: str | None
    actor_id: int | None = None
    reason: str = ""
    until_at: int | None = None
    act_uri: str | None = None


@dataclass(frozen=True, slots=True)
class GroupPosted(Federated):
    """A status was accepted by a local group: the group announces it (`reblog_id` is the group's wrapper)."""

    group_id: int
    status_id: int
    reblog_id: int


@dataclass(frozen=True, slots=True)
class GroupRelays(Event):
    """A group takes what a member wrote whose server cannot keep its posts, and says it itself."""

    group_id: int
    status_id: int


@dataclass(frozen=True, slots=True)
class PostJudged(Federated):
    """A group decided on a status. The verdicts: held, accepted, rejected, removed, restored, locked, unlocked, pinned,
    unpinned. That a post was passed on is told by `GroupPosted`. `actor_id` and `act_uri` as in `MemberChanged`.
    """

    group_id: int
    status_id: int
    verdict: str
    actor_id: int | None = None
    reason: str = ""
    act_uri: str | None = None


@dataclass(frozen=True, slots=True)
class GroupChanged(Federated):
    """Somebody changed the rules or the profile of a local group, archived it or opened it again (`what`)."""

    group_id: int
    actor_id: int | None = None
    act_uri: str | None = None
    what: str = "rules"  # or archived, opened


@dataclass(frozen=True, slots=True)
class Invited(Federated):
    """Somebody was invited into a local group."""

    group_id: int
    invitation_id: int


@dataclass(frozen=True, slots=True)
class InvitationEnded(Federated):
    """An invitation was revoked by the group, or accepted or declined by whom it was for (`state`)."""

    group_id: int
    invitation_id: int
    state: str


@dataclass(frozen=True, slots=True)
class GroupWished(Federated):
    """One of our people wants something of a group elsewhere: `group_wishes` says what; `detail` is more, as JSON."""

    group_id: int
    wish_id: int
    detail: str = "{}"


@dataclass(frozen=True, slots=True)
class Reported(Event):
    """Somebody reported something in a local group to its moderators."""

    group_id: int
    report_id: int


@dataclass(frozen=True, slots=True)
class ReportResolved(Event):
    """A moderator has dealt with a report in a local group."""

    group_id: int
    report_id: int
    actor_id: int


@dataclass(frozen=True, slots=True)
class ReportForwarded(Federated):
    """One of our people (`account_id`, who is not named) wants the server of whom a report is about to know."""

    account_id: int
    report_id: int


@dataclass(frozen=True, slots=True)
class AddedToCollection(Event):
    """A collection shows an account of this department from now on. No other server hears of collections."""

    account_id: int  # whose collection it is
    collection_id: int
    item_id: int
    target_id: int


@dataclass(frozen=True, slots=True)
class RemovedFromCollection(Event):
    """It does so no longer: taken out, or the collection is gone, or the account wanted it."""

    collection_id: int
    target_id: int


@dataclass(frozen=True, slots=True)
class CollectionUpdated(Event):
    """Its owner changed what a collection says of itself."""

    account_id: int
    collection_id: int


@dataclass(frozen=True, slots=True)
class ActivityForGroup(Federated):
    """A local group passes on, wrapped, what a member did to a post of the group; `activity_uri` names the original."""

    group_id: int
    activity_uri: str


@dataclass(frozen=True, slots=True)
class ActivityForwarded(Federated):
    """A received activity goes on, unchanged, to the followers of a local account (ActivityPub 7.1.2), or to those who
    have one post of it."""

    account_id: int
    activity_uri: str
    status_id: int | None = None


KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        StatusPublished,
        StatusEdited,
        StatusDeleted,
        StatusReblogged,
        StatusUnreblogged,
        StatusFavourited,
        StatusUnfavourited,
        StatusReacted,
        StatusUnreacted,
        StatusPinned,
        LeaveAsked,
        LeaveWithdrawn,
        QuoteRequested,
        QuoteAnswered,
        QuoteChanged,
        QuoteRevoked,
        QuotePolicyChanged,
        PollVoted,
        PollChanged,
        FollowRequested,
        FollowAccepted,
        FollowRejected,
        Unfollowed,
        AccountUpdated,
        AccountDeleted,
        AccountMoved,
        AccountSuspended,
        AccountDisabled,
        MemberChanged,
        GroupPosted,
        GroupRelays,
        PostJudged,
        GroupChanged,
        Invited,
        InvitationEnded,
        GroupWished,
        Reported,
        ReportResolved,
        ReportForwarded,
        AddedToCollection,
        RemovedFromCollection,
        CollectionUpdated,
        ActivityForGroup,
        ActivityForwarded,
    )
}


def restore(kind: str, payload: dict[str, Any]) -> Event:
    """The event that was kept under `kind` with `payload`. Raises KeyError for a kind of a newer version."""
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in payload.items()}
    return KINDS[kind](**fields)
