"""May they? Pure rules over facts that are handed in; the SQL face of `may_see` stands in `fedcorp.social.visibility`.

Two questions are kept apart. *Visibility* (Mastodon's public, unlisted, private, direct) says which people may see a
status; *reach* (department < company < partners < public) says to which servers it may go at all.
"""

from dataclasses import dataclass

VISIBILITIES = ("public", "unlisted", "private", "direct")
REACHES = ("department", "company", "partners", "public")
TIERS = ("department", "partner", "unknown")
PRESETS = ("open", "request", "private", "announcement", "secret")
ROLES = ("outcast", "member", "moderator", "admin")

_LEAST_REACH = {"department": "company", "partner": "partners", "unknown": "public"}


def narrower(first: str, second: str) -> str:
    """The narrower of two reaches."""
    return min(first, second, key=REACHES.index)


def reaches(reach: str, tier: str) -> bool:
    """Whether something of this reach may go to a peer of this tier."""
    return REACHES.index(reach) >= REACHES.index(_LEAST_REACH[tier])


def reach_for(tiers: set[str]) -> str:
    """The narrowest reach that covers peers of all these tiers (`department` when there are none)."""
    needed = [REACHES.index(_LEAST_REACH[tier]) for tier in tiers]
    return REACHES[max(needed, default=0)]


def stricter(first: str, second: str) -> str:
    """The visibility that fewer people see."""
    return max(first, second, key=VISIBILITIES.index)


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
    blocked: bool = False  # the author blocks the viewer, or the viewer the author


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
    if facts.visibility in ("public", "unlisted") or facts.mentioned:
        return True
    return facts.visibility == "private" and facts.follows_author


def may_peer_see(tier: str, *, visibility: str, reach: str, has_follower: bool, has_recipient: bool) -> bool:
    """Whether a peer's server may fetch a status of ours.

    `has_follower`: somebody there follows the author; `has_recipient`: somebody there is addressed by name.
    """
    if visibility == "direct":
        return has_recipient
    if not reaches(reach, tier):
        return False
    return visibility in ("public", "unlisted") or has_recipient or has_follower


def may_reblog(*, visibility: str, own: bool) -> bool:
    """Public and unlisted statuses may be passed on by everybody, private ones only by their author."""
    return visibility in ("public", "unlisted") or (visibility == "private" and own)


def needs_approval(preset: str) -> bool:
    """Whether joining a group of this preset needs a moderator's word."""
    return preset != "open"


def may_post_in_group(preset: str, role: str | None) -> bool:
    """Whether somebody with this role may post: in an open group everybody but outcasts, else members."""
    if role == "outcast":
        return False
    if preset == "announcement":
        return role in ("moderator", "admin")
    return preset == "open" or role is not None


def may_moderate(role: str | None) -> bool:
    """Whether this role decides on requests and posts of the group."""
    return role in ("moderator", "admin")
