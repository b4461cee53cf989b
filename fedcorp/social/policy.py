"""May they? Pure rules over facts that are handed in; the SQL face of `may_see` stands in `fedcorp.social.visibility`.

Two questions are kept apart. *Visibility* (Mastodon's public, unlisted, private, direct) says which people may see a
status; *reach* (department < company < partners < public) says to which servers it may go at all.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

VISIBILITIES = ("public", "unlisted", "private", "direct")
"""What an author may choose. A post in a group that only members read has the visibility GROUP, which clients see as
`private`: it is not the author's followers who see it."""
GROUP = "group"
WAITING = "waiting"
"""What an answer or a boost has until the author elsewhere, who wants to be asked, gives leave; and for good where they
do not. Only who wrote it sees it, as `direct`, and whom it was sent to."""
REACHES = ("department", "company", "partners", "public")
TIERS = ("department", "partner", "unknown")
PRESETS = ("open", "request", "private", "announcement", "secret")
ROLES = ("outcast", "member", "moderator", "admin")


def shown_visibility(visibility: str) -> str:
    """The word that clients know: they fail on any other."""
    return {GROUP: "private", WAITING: "direct"}.get(visibility, visibility)


MEMBERS = frozenset({"member", "moderator", "admin"})

_FROM_WIDE_TO_NARROW = ("public", "unlisted", "private", GROUP, "direct", WAITING)
_LEAST_REACH = {"department": "company", "partner": "partners", "unknown": "public"}


def narrower(first: str, second: str) -> str:
    """The narrower of two reaches."""
    return min(first, second, key=REACHES.index)


def wider(first: str, second: str) -> str:
    """The wider of two reaches."""
    return max(first, second, key=REACHES.index)


def reaches(reach: str, tier: str) -> bool:
    """Whether something of this reach may go to a peer of this tier."""
    return REACHES.index(reach) >= REACHES.index(_LEAST_REACH[tier])


def reach_for(tiers: set[str]) -> str:
    """The narrowest reach that covers peers of all these tiers (`department` when there are none)."""
    needed = [REACHES.index(_LEAST_REACH[tier]) for tier in tiers]
    return REACHES[max(needed, default=0)]


def stricter(first: str, second: str) -> str:
    """The visibility that fewer people see."""
    return max(first, second, key=_FROM_WIDE_TO_NARROW.index)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: a local account, a peer's server on behalf of its people (`tier`), or nobody in particular."""

    account_id: int | None = None
    tier: str | None = None  # of the asking peer; None for people and for anonymous readers


ANONYMOUS = Viewer()


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known of a status and a local viewer to decide `may_see`."""

    author_id: int
    visibility: str
    reach: str
    deleted: bool = False
    author_hidden: bool = False  # suspended or deleted
    follows_author: bool = False  # accepted
    mentioned: bool = False
    blocked: bool = False  # the author blocks the viewer, or the viewer the author or their domain
    member: bool = False  # of its group, since a time that lets the viewer read it
    asked: bool = False  # for leave, by this status that waits for it


def may_see(viewer: Viewer, facts: Facts) -> bool:
    """Whether this viewer may see a status: the one rule behind every door.

    An anonymous reader sees only what is public in both senses. A peer is judged by reach and by
    `may_peer_see`, since its people are not known here one by one.
    """
    if facts.deleted or facts.author_hidden:
        return False
    if viewer.account_id is None:
        return facts.visibility in ("public", "unlisted") and facts.reach == "public"
    if viewer.account_id == facts.author_id:
        return True
    if facts.blocked:
        return False
    if facts.visibility == GROUP:
        return facts.member
    if facts.visibility == WAITING:
        return facts.asked
    if facts.visibility in ("public", "unlisted") or facts.mentioned:
        return True
    return facts.visibility == "private" and facts.follows_author


def may_peer_see(
    tier: str, *, visibility: str, reach: str, has_follower: bool, has_recipient: bool, has_member: bool = False
) -> bool:
    """Whether a peer's server may fetch a status of ours.

    `has_follower`: somebody there follows the author; `has_recipient`: somebody there is addressed by name;
    `has_member`: whoever signed (a person, or a server for somebody of its people) belongs to its group. Of what waits
    for leave the recipient is who was asked for it.
    """
    if visibility in ("direct", WAITING):
        return has_recipient
    if not reaches(reach, tier):
        return False
    if visibility == GROUP:
        return has_member
    return visibility in ("public", "unlisted") or has_recipient or has_follower


def is_counted(visibility: str) -> bool:
    """Whether a status counts on the profile of its author: not what only some know of, whom nobody else knows."""
    return visibility not in ("direct", GROUP, WAITING)


def may_reblog(*, visibility: str, own: bool) -> bool:
    """Public and unlisted statuses may be passed on by everybody, private ones only by their author."""
    return visibility in ("public", "unlisted") or (visibility == "private" and own)


# -- quotes ----------------------------------------------------------------------------------------------------------

QUOTERS = ("public", "followers", "nobody")
"""Who may quote a post, as its author chooses. `public`: whoever may read it, and no further than it goes itself."""
_FOLLOWING, UNSUPPORTED = "following", "unsupported_policy"


class QuotePolicy(NamedTuple):
    """Whose quotes are accepted at once, and whose after the author looked: words of QUOTERS (not `nobody`), and from
    other servers `following` and `unsupported_policy`."""

    automatic: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()

    def kept(self) -> str:
        """The text that `quote_policy` reads."""
        return "|".join((" ".join(self.automatic), " ".join(self.manual))) if self.automatic or self.manual else ""


@lru_cache(maxsize=256)
def quote_policy(kept: str) -> QuotePolicy:
    """The policy that was kept as text; "" is that nobody but the author may quote."""
    automatic, _, manual = kept.partition("|")
    return QuotePolicy(tuple(automatic.split()), tuple(manual.split()))


def own_quote_policy(chosen: str, visibility: str) -> str:
    """What is kept of the choice of an author here (of QUOTERS); posts that not everybody reads have none."""
    return "" if chosen == "nobody" or visibility in ("private", "direct") else QuotePolicy((chosen,)).kept()


def may_quote(policy: QuotePolicy, *, visibility: str, own: bool, follows: bool, followed: bool) -> str:
    """`automatic`, `manual`, `denied` or `unknown` for somebody who may read a post.

    `follows`: they follow the author; `followed`: the author follows them. What is for followers or for whom it names
    alone is quoted by nobody else; a direct message not even by its author.
    """
    if visibility in ("direct", WAITING):
        return "denied"
    if own:
        return "automatic"
    if visibility == "private":
        return "denied"
    for answer, words in (("automatic", policy.automatic), ("manual", policy.manual)):
        if "public" in words or ("followers" in words and follows) or (_FOLLOWING in words and followed):
            return answer
    return "unknown" if UNSUPPORTED in policy.automatic + policy.manual else "denied"


# -- answers, favourites and boosts ----------------------------------------------------------------------------------

REPLY, LIKE, ANNOUNCE = "reply", "like", "announce"
ACTS = (REPLY, LIKE, ANNOUNCE)


def interaction_policy(rules: dict[str, QuotePolicy]) -> str:
    """The text that is kept of whom an author elsewhere lets answer, like and boost a post: by the act (of ACTS) what
    its author said of it. The words are `public`, `followers`, `following`, and `@ID` for an account here. An act that
    is left out is everybody's, as is every act in ""."""
    return ";".join(f"{act}={rules[act].kept()}" for act in ACTS if act in rules)


@lru_cache(maxsize=256)
def read_interaction_policy(kept: str) -> dict[str, QuotePolicy]:
    """The reverse of `interaction_policy`."""
    pairs = (item.partition("=") for item in kept.split(";") if item)
    return {act: quote_policy(words) for act, _, words in pairs}


def may_interact(
    kept: str, act: str, *, account_id: int, own: bool, named: bool, follows: bool, followed: bool
) -> str:  # fmt: skip
    """`automatic`, `manual` or `denied` for an account that may see a post and wants to answer, like or boost it.

    `named`: the post mentions or answers them; `follows`: they follow its author; `followed`: its author follows them.
    Who is named by an account of their own goes before who is one of many, and `automatic` before `manual`. Who follows
    whom the author's server alone can say, so for those it has to be asked even where the answer is known.

    Source: GoToSocial, docs/federation/interaction_policy.md.
    """
    rules = read_interaction_policy(kept).get(act)
    if rules is None or own or (act == REPLY and named):
        return "automatic"
    itself = f"@{account_id}"
    for answer, words in (("automatic", rules.automatic), ("manual", rules.manual)):
        if itself in words:
            return answer
    if "public" in rules.automatic:
        return "automatic"
    words = rules.automatic + rules.manual
    asked = "public" in words or ("followers" in words and follows) or (_FOLLOWING in words and followed)
    return "manual" if asked else "denied"


# -- groups ----------------------------------------------------------------------------------------------------------

JOINING = ("open", "approval", "invite")
READING = ("everyone", "members")
POSTING = ("everyone", "members", "moderators")
INVITING = ("members", "moderators")
HISTORY = ("all", "joined")
OUTSIDERS = ("refuse", "relay")


@dataclass(frozen=True, slots=True)
class GroupRules:
    """Who may do what in a group. `listed`: outsiders may know that it exists."""

    joining: str = "open"
    reading: str = "everyone"
    posting: str = "everyone"
    inviting: str = "members"
    listed: bool = True
    history: str = "all"
    premoderated: bool = False


RULES: dict[str, GroupRules] = {
    "open": GroupRules(),
    "request": GroupRules(joining="approval", posting="members"),
    "private": GroupRules(joining="approval", reading="members", posting="members", inviting="moderators"),
    "announcement": GroupRules(posting="moderators", inviting="moderators"),
    "secret": GroupRules(joining="invite", reading="members", posting="members", inviting="moderators", listed=False),
}
"""What each preset begins with; every rule can be changed afterwards."""


def needs_approval(joining: str) -> bool:
    """Whether a wish to join waits for a moderator's word."""
    return joining != "open"


def may_read_group(reading: str, role: str | None) -> bool:
    """Whether somebody with this role may read what is posted in the group."""
    return reading == "everyone" or role in MEMBERS


def may_post_in_group(posting: str, role: str | None, *, archived: bool = False) -> bool:
    """Whether somebody with this role may post."""
    if archived or role == "outcast":
        return False
    if posting == "moderators":
        return role in ("moderator", "admin")
    return posting == "everyone" or role in MEMBERS


def may_invite(inviting: str, role: str | None) -> bool:
    """Whether somebody with this role may invite others."""
    return role in MEMBERS if inviting == "members" else may_moderate(role)


def may_moderate(role: str | None) -> bool:
    """Whether this role decides on requests and posts of the group."""
    return role in ("moderator", "admin")


def may_act_on(actor_role: str | None, subject_role: str | None) -> bool:
    """Whether the one may remove or ban the other: admins everybody, moderators whoever moderates nothing."""
    return actor_role == "admin" or (may_moderate(actor_role) and not may_moderate(subject_role))


def may_give_role(actor_role: str | None) -> bool:
    """Whether this role makes others moderators and admins, changes the rules, or ends the group."""
    return actor_role == "admin"
