"""The tables, without behaviour. Both databases are made from this one description.

Conventions: `*_at` are integer milliseconds since the Unix epoch; `id` is a time-ordered id (`fedcorp.ids`); `seq` is a
sequence of the database and the only thing that may serve as a cursor over changes; JSON stands in text columns.
Every account and object carries its `origin` (scheme://host[:port]), local ones too: one instance can serve several.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")


def _seq() -> Column[int]:
    return Column("seq", Id, primary_key=True, autoincrement=True)


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False)


def _ref(name: str, *, null: bool = False, primary: bool = False) -> Column[int]:
    return Column(name, Id, nullable=null, primary_key=primary, autoincrement=False)


def _at(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _text(name: str, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=false())


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _told(name: str) -> Column[int]:
    """A count that another server names. Wide, so that the sum with one of ours never overflows."""
    return Column(name, BigInteger, nullable=False, server_default="0")


# -- the instance itself ---------------------------------------------------------------------------------------------

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

nodes = Table(  # leases of id nodes: two processes never mint with the same number
    "nodes",
    metadata,
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("token", Text, nullable=False),
    _at("lease_until_at"),
)

leases = Table(  # named leases of workers: expander of events, inbox of an origin
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", Text, nullable=False),
    _at("lease_until_at"),
)

jobs = Table(
    "jobs",
    metadata,
    _seq(),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("unique_key", Text, unique=True),  # at most one waiting job for one key
    _at("run_at"),
    _count("attempts"),
    Column("lease_token", Text),
    _at("lease_until_at", null=True),
    Column("error", Text),
    sqlite_autoincrement=True,  # a number that was used is never used again
)
Index("ix_jobs_run_at", jobs.c.run_at)

audit = Table(  # only grows: triggers refuse to change or delete a row
    "audit",
    metadata,
    _seq(),
    _at("created_at"),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    _text("reason"),
    sqlite_autoincrement=True,  # a number that was used is never used again
)

# -- the company: peers ----------------------------------------------------------------------------------------------

peers = Table(
    "peers",
    metadata,
    Column("domain", Text, primary_key=True),  # host[:port]
    Column("id", Id, nullable=False, server_default="0", autoincrement=False),  # for the administrators' API
    Column("tier", Text, nullable=False),  # department | partner | unknown (open mode only)
    Column("origin", Text),  # scheme://host[:port], once known
    Column("shared_inbox", Text),
    Column("software", Text),
    Column("version", Text),
    Column("dialect", Text),  # of group fan-out: fedcorp | wrap | boost | both
    Column("signature_profile", Text),  # learned: cavage | 9421-rsa | 9421-ed25519
    _at("learned_at", null=True),
    _at("added_at"),
    _at("removed_at", null=True),  # since when it is barred
    _text("private_comment"),  # why it is barred: for administrators
    _text("public_comment"),  # the same for everybody here
    _flag("obfuscate"),  # show its name to others only in part
    _count("fail_count"),
    _at("next_attempt_at", null=True),
    _at("last_success_at", null=True),
    _at("last_inbound_at", null=True),
    Column("last_error", Text),
    Column("clock_skew_ms", Integer),
    Column("next_seq", Id, nullable=False, server_default="1"),  # of the ordered log, gapless per peer
    Column("cursor", Id, nullable=False, server_default="0"),  # the last entry that is settled
    Column("lease_token", Text),
    _at("lease_until_at", null=True),
)
Index("ix_peers_id", peers.c.id, unique=True)

# -- people ----------------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("uri", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("local", Boolean, nullable=False),
    Column("kind", Text, nullable=False),  # person | group | service (the instance actor and bots)
    Column("username", Text, nullable=False),
    Column("username_key", Text, nullable=False),  # lower case
    Column("domain", Text, nullable=False),  # of the handle; ours for local accounts
    _text("display_name"),
    _text("note"),  # HTML
    _text("note_source"),  # what the person typed; local only
    _text("fields", "[]"),  # [{"name", "value" (HTML), "source"?, "verified_at": ms|null}]
    Column("avatar", Text),  # media key of ours, or https URL of a remote picture
    Column("header", Text),
    _flag("locked"),
    _flag("bot"),
    _flag("discoverable"),
    _flag("indexable"),
    _flag("hide_collections"),
    Column("inbox_uri", Text, nullable=False),
    Column("shared_inbox_uri", Text),
    Column("outbox_uri", Text),
    Column("followers_uri", Text),
    Column("following_uri", Text),
    Column("featured_uri", Text),
    _text("also_known_as", "[]"),
    _ref("moved_to_id", null=True),
    _at("moved_at", null=True),  # the last move
    _at("created_at"),
    _at("updated_at"),  # of a remote account: its own `updated`; greater wins
    _at("fetched_at", null=True),
    _at("suspended_at", null=True),
    _at("silenced_at", null=True),  # shown to who follows or asks for it by name only
    _at("sensitized_at", null=True),  # everything it posts counts as sensitive
    _at("deleted_at", null=True),
    _count("version"),  # raised with every change: part of the key of rendered statuses
    _count("statuses_count"),
    _count("followers_count"),
    _count("following_count"),
    _at("last_status_at", null=True),
    _text("emojis", "[]"),  # in its texts: [{"shortcode", "key", "still_key", "category"}]
    _text("presentation", "{}"),  # what differs from fedcorp.social.presentation.Presentation
    _told("statuses_elsewhere"),  # of a remote account: what its server tells and nobody here knows (social.counts)
    _told("followers_elsewhere"),
    _told("following_elsewhere"),
    _at("counted_at", null=True),  # when its server was last to be asked for them
    UniqueConstraint("domain", "username_key"),
)
Index("ix_accounts_username_key", accounts.c.username_key)
Index(
    "ix_accounts_silenced_at",
    accounts.c.silenced_at,
    sqlite_where=text("silenced_at IS NOT NULL"),
    postgresql_where=text("silenced_at IS NOT NULL"),
)

keys = Table(  # public keys of everybody, private keys of local accounts
    "keys",
    metadata,
    Column("id", Text, primary_key=True),  # the key id on the wire
    _ref("account_id"),
    Column("kind", Text, nullable=False),  # rsa | ed25519
    Column("public", Text, nullable=False),  # SPKI PEM or Multikey
    Column("private", Text),  # PKCS8 PEM, sealed (fedcorp.storage.sealed)
    _at("fetched_at"),
    _at("expires_at", null=True),
    _at("revoked_at", null=True),
)
Index("ix_keys_account_id", keys.c.account_id)

readings = Table(  # when a thread or an outbox elsewhere was last read from end to end
    "readings",
    metadata,
    Column("uri", Text, primary_key=True),
    _at("read_at"),  # asked for
    _at("done_at", null=True),  # of a thread: read to its end, with `found` posts that were not here
    _count("found"),
)

users = Table(  # who may log in here
    "users",
    metadata,
    _ref("account_id", primary=True),
    Column("email", Text, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),  # user | moderator | admin
    _text("settings", "{}"),  # privacy, reach, sensitive, language ... (fedcorp.social.accounts.Settings)
    _at("created_at"),
    _at("disabled_at", null=True),
    _at("last_active_at", null=True),
)

applications = Table(
    "applications",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("website", Text),
    Column("redirect_uris", Text, nullable=False),  # JSON list
    Column("scopes", Text, nullable=False),
    Column("client_id", Text, nullable=False, unique=True),
    Column("secret_hash", Text, nullable=False),
    _at("created_at"),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("code_hash", Text, primary_key=True),
    _ref("application_id"),
    _ref("account_id"),
    Column("redirect_uri", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("challenge", Text),
    _at("expires_at"),
    _at("used_at", null=True),
)

access_tokens = Table(
    "access_tokens",
    metadata,
    _id(),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    _ref("application_id"),
    _ref("account_id", null=True),  # null: the application itself
    Column("scopes", Text, nullable=False),
    Column("code_hash", Text),  # of the code it came from: names the grant, all tokens of which end together
    _at("created_at"),
    _at("revoked_at", null=True),
)
Index("ix_access_tokens_account_id", access_tokens.c.account_id)
Index("ix_access_tokens_code_hash", access_tokens.c.code_hash)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    _ref("application_id"),
    _ref("account_id"),
    Column("scopes", Text, nullable=False),  # all of the grant, even when the access token has fewer
    Column("code_hash", Text, nullable=False),
    _at("created_at"),
    _at("used_at", null=True),  # set: it gave the next pair, and whoever shows it again is a thief or was robbed
)
Index("ix_refresh_tokens_account_id", refresh_tokens.c.account_id)
Index("ix_refresh_tokens_code_hash", refresh_tokens.c.code_hash)

sessions = Table(  # browser sessions of the sign-in page
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    _ref("account_id"),
    _at("created_at"),
    _at("expires_at"),
)

# -- relations between accounts --------------------------------------------------------------------------------------

follows = Table(
    "follows",
    metadata,
    _id(),
    _ref("follower_id"),
    _ref("target_id"),
    Column("state", Text, nullable=False),  # pending | accepted
    Column("uri", Text, nullable=False),  # id of the Follow activity, kept as received
    _text("message"),  # why somebody asks to join
    Column("reblogs", Boolean, nullable=False, server_default=text("true")),
    _flag("notify"),
    _text("languages", "[]"),
    _at("created_at"),
    _text("origin"),  # of the follower
    UniqueConstraint("follower_id", "target_id"),
)
Index("ix_follows_target_id", follows.c.target_id, follows.c.state, follows.c.id)
Index("ix_follows_follower_id", follows.c.follower_id, follows.c.state, follows.c.id)
Index("ix_follows_origin", follows.c.target_id, follows.c.origin, follows.c.state, follows.c.follower_id)
Index("ix_follows_uri", follows.c.uri)

blocks = Table(
    "blocks",
    metadata,
    _id(),
    _ref("account_id"),
    _ref("target_id"),
    _at("created_at"),
    Column("uri", Text),  # id of the Block activity of another server; ours stay here
    UniqueConstraint("account_id", "target_id"),
)
Index("ix_blocks_target_id", blocks.c.target_id)

domain_blocks = Table(  # of people; whom the instance hears at all stands in `peers`
    "domain_blocks",
    metadata,
    _id(),
    _ref("account_id"),
    Column("domain", Text, nullable=False),  # as in handles, whether anybody there is known or not
    _at("created_at"),
    UniqueConstraint("account_id", "domain"),
)

mutes = Table(
    "mutes",
    metadata,
    _id(),
    _ref("account_id"),
    _ref("target_id"),
    _flag("notifications"),
    _at("expires_at", null=True),
    _at("created_at"),
    UniqueConstraint("account_id", "target_id"),
)

endorsements = Table(  # whom people show on their profile, of those whom they follow
    "endorsements",
    metadata,
    _id(),
    _ref("account_id"),
    _ref("target_id"),
    _at("created_at"),
    UniqueConstraint("account_id", "target_id"),
)

account_notes = Table(
    "account_notes",
    metadata,
    _ref("account_id", primary=True),
    _ref("target_id", primary=True),
    Column("comment", Text, nullable=False),
)

dismissed_suggestions = Table(  # whom somebody does not want to be told of as worth following
    "dismissed_suggestions",
    metadata,
    _ref("account_id", primary=True),
    _ref("target_id", primary=True),
    _at("created_at"),
)

# -- groups ----------------------------------------------------------------------------------------------------------

groups = Table(
    "groups",
    metadata,
    _ref("account_id", primary=True),
    Column("preset", Text, nullable=False),  # open | request | private | announcement | secret
    Column("reach", Text, nullable=False),  # department | company | partners | public
    _at("created_at"),
    _at("archived_at", null=True),
    _text("joining", "open"),  # open | approval | invite
    _text("reading", "everyone"),  # everyone | members
    _text("posting", "everyone"),  # everyone | members | moderators
    _text("inviting", "moderators"),  # members | moderators
    _text("history", "all"),  # what a new member may read: all | joined (from joining on)
    _text("outsiders", "refuse"),  # servers that cannot keep a members-only group: refuse | relay
    _flag("premoderated"),  # what members write waits for a moderator
    _text("purpose"),
    _text("rules", "[]"),  # JSON list of lines
    _text("topics", "[]"),  # JSON list of hashtags
    Column("join_token", Text),  # opens the group to whoever holds the link
    _at("ends_at", null=True),
    Column("ledger_uri", Text),
)

memberships = Table(  # of local groups: everybody; of remote groups: our own people
    "memberships",
    metadata,
    _ref("group_id", primary=True),
    _ref("account_id", primary=True),
    Column("role", Text, nullable=False),  # admin | moderator | member | outcast
    _at("created_at"),
    _at("reads_from", null=True),  # what is older is not shown to this member
    _at("until_at", null=True),  # of an outcast: when the ban ends
    _text("reason"),
)
Index("ix_memberships_account_id", memberships.c.account_id)
Index("ix_memberships_role", memberships.c.group_id, memberships.c.role)  # counts, and the few who are no plain members

affiliations = Table(  # of remote groups: everybody's role, as the ledger tells it
    "affiliations",
    metadata,
    _ref("group_id", primary=True),
    Column("subject_uri", Text, primary_key=True),
    Column("origin", Text, nullable=False),  # of the subject
    Column("role", Text, nullable=False),
    _at("since_at"),
    _at("until_at", null=True),
)
Index("ix_affiliations_origin", affiliations.c.group_id, affiliations.c.origin)

invitations = Table(  # into local groups: of everybody; into remote groups: of our own people
    "invitations",
    metadata,
    _id(),
    Column("uri", Text, nullable=False, unique=True),  # the Invite
    _ref("group_id"),
    _ref("account_id"),
    _ref("by_id", null=True),
    _text("message"),
    Column("state", Text, nullable=False),  # open | accepted | declined | revoked | expired
    _at("expires_at"),
    _at("created_at"),
)
Index("ix_invitations_group_id", invitations.c.group_id, invitations.c.id)
Index("ix_invitations_account_id", invitations.c.account_id, invitations.c.id)

group_posts = Table(  # what became of a status in a group
    "group_posts",
    metadata,
    _ref("group_id", primary=True),
    _ref("status_id", primary=True),
    Column("state", Text, nullable=False),  # pending | held | distributed | rejected | removed
    _text("reason"),
    _at("locked_at", null=True),  # of the first post of a thread
    _at("pinned_at", null=True),
    _at("created_at"),
)
Index("ix_group_posts_status_id", group_posts.c.status_id)
Index(
    "ix_group_posts_held",
    group_posts.c.group_id,
    group_posts.c.status_id,
    sqlite_where=text("state = 'held'"),
    postgresql_where=text("state = 'held'"),
)

group_wishes = Table(  # what our people asked of groups elsewhere, until those have decided
    "group_wishes",
    metadata,
    _id(),
    Column("uri", Text, nullable=False, unique=True),  # the activity that was sent
    _ref("group_id"),
    _ref("account_id"),
    Column("act", Text, nullable=False),
    _text("subject_uri"),
    Column("state", Text, nullable=False),  # pending | done | refused
    _text("reason"),
    _at("created_at"),
)
Index("ix_group_wishes_group_id", group_wishes.c.group_id, group_wishes.c.account_id)

relays = Table(  # what a group said in its own name for a member whose server cannot keep its posts
    "relays",
    metadata,
    _ref("group_id", primary=True),
    _ref("status_id", primary=True),  # what the member wrote
    _ref("copy_id"),  # what the group said
)
Index("ix_relays_status_id", relays.c.status_id)

group_reports = Table(
    "group_reports",
    metadata,
    _id(),
    Column("uri", Text, nullable=False, unique=True),  # the Flag
    _ref("group_id"),
    _ref("by_id", null=True),
    _ref("account_id"),
    _text("status_ids", "[]"),
    _text("comment"),
    _at("resolved_at", null=True),
    _at("created_at"),
)
Index("ix_group_reports_group_id", group_reports.c.group_id, group_reports.c.id)

ledger = Table(  # signed history of groups: our own, and the copies of those our people belong to
    "ledger",
    metadata,
    _ref("group_id", primary=True),
    _ref("seq", primary=True),
    Column("uri", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("kind", Text, nullable=False),  # type of the activity that it stands for
    Column("object_uri", Text, nullable=False),  # id of that activity
    Column("digest", Text, nullable=False),
    Column("entry", LargeBinary, nullable=False),  # JSON, signed
    Column("body", LargeBinary),  # the activity, of what changes members, roles or rules
    _at("created_at"),
)
Index("ix_ledger_object_uri", ledger.c.object_uri)

ledger_heads = Table(
    "ledger_heads",
    metadata,
    _ref("group_id", primary=True),
    Column("epoch", Text, nullable=False),
    _ref("seq"),  # of the last entry; 0 before the first
    _text("digest"),
    _ref("announced"),  # of ours: as far as members' servers have been told
    _ref("known"),  # of others: the highest number that we have heard of
    _at("checked_at"),
    _at("forked_at", null=True),  # two histories were seen: nothing is believed until somebody looked
    _text("fork"),  # what was seen, as JSON
    Column(
        "settled", Id, nullable=False, server_default="0"
    ),  # other entries up to this number are no news: somebody looked
)

ledger_given_up = Table(  # what remains of a doubt that was ended: entries of a copy, and the one shown against it
    "ledger_given_up",
    metadata,
    _ref("group_id", primary=True),
    Column("digest", Text, primary_key=True),
    _ref("seq"),
    Column("entry", LargeBinary, nullable=False),
    Column("body", LargeBinary),
    _at("given_up_at"),
)

ledger_keys = Table(  # the keys that sign ledgers, each from one entry on
    "ledger_keys",
    metadata,
    _ref("group_id", primary=True),
    _ref("seq", primary=True),  # of the first entry that it signs
    Column("key_id", Text, nullable=False),
    Column("public", Text, nullable=False),  # Multikey
    _flag("stolen"),  # the group said so when it changed to the next
)

group_lists = Table(  # how a member wants the virtual list of a group
    "group_lists",
    metadata,
    _ref("group_id", primary=True),
    _ref("account_id", primary=True),
    Column("alias", Text),
    _flag("hidden"),
    _flag("exclusive"),
)

# -- statuses --------------------------------------------------------------------------------------------------------

statuses = Table(
    "statuses",
    metadata,
    _id(),
    Column("uri", Text, nullable=False, unique=True),  # of a reblog: the Announce
    Column("url", Text),
    Column("origin", Text, nullable=False),
    Column("local", Boolean, nullable=False),
    _ref("account_id"),
    _ref("reblog_of_id", null=True),
    _ref("in_reply_to_id", null=True),
    _ref("in_reply_to_account_id", null=True),
    Column("in_reply_to_uri", Text),  # kept when the parent is not here (yet)
    _ref("thread_id"),  # id of the first status of the thread that is known here
    Column("context_uri", Text),
    _ref("group_id", null=True),  # the group whose rules and reach govern it
    Column("visibility", Text, nullable=False),  # public | unlisted | private | direct | group | waiting
    Column("reach", Text, nullable=False),  # department | company | partners | public
    _text("content"),  # HTML
    _text("text"),  # what the author typed (local), else the plain text
    _text("spoiler_text"),
    _flag("sensitive"),
    Column("language", Text),
    _ref("poll_id", null=True),
    _ref("application_id", null=True),
    _ref("quoted_id", null=True),  # also null while what it quotes is not here
    Column("quote_state", Text),  # null: quotes nothing; else one of fedcorp.social.quotes.STATES
    _text("quote_policy"),  # who may quote it (fedcorp.social.policy.QuotePolicy); "" is nobody but the author
    _at("created_at"),
    _at("edited_at", null=True),
    _at("deleted_at", null=True),
    _at("pinned_at", null=True),
    _count("version"),
    _count("replies_count"),
    _count("reblogs_count"),
    _count("favourites_count"),
    _count("quotes_count"),
    _count("reactions_count"),
    _count("reactions_version"),  # how often they changed
    _told("reblogs_elsewhere"),  # of a remote status: what its server tells and nobody here knows (social.counts)
    _told("favourites_elsewhere"),
    _at("counted_at", null=True),  # when they were last told otherwise than before
)
Index("ix_statuses_account_id", statuses.c.account_id, statuses.c.id)
Index("ix_statuses_in_reply_to_id", statuses.c.in_reply_to_id)
Index(
    "ix_statuses_in_reply_to_uri",
    statuses.c.in_reply_to_uri,
    sqlite_where=text("in_reply_to_id IS NULL"),
    postgresql_where=text("in_reply_to_id IS NULL"),
)
Index("ix_statuses_thread_id", statuses.c.thread_id, statuses.c.id)
Index(  # partial, so that nobody looks for statuses that are no reblogs through it
    "ix_statuses_reblog_of_id",
    statuses.c.reblog_of_id,
    statuses.c.account_id,
    sqlite_where=text("reblog_of_id IS NOT NULL"),
    postgresql_where=text("reblog_of_id IS NOT NULL"),
)
Index(  # what a group has passed on, in the order of the posts
    "ix_statuses_account_id_reblog_of_id",
    statuses.c.account_id,
    statuses.c.reblog_of_id,
    sqlite_where=text("reblog_of_id IS NOT NULL"),
    postgresql_where=text("reblog_of_id IS NOT NULL"),
)
Index("ix_statuses_group_id", statuses.c.group_id, statuses.c.id)
Index(  # who quotes a post
    "ix_statuses_quoted_id",
    statuses.c.quoted_id,
    statuses.c.id,
    sqlite_where=text("quoted_id IS NOT NULL"),
    postgresql_where=text("quoted_id IS NOT NULL"),
)
Index(  # the public timelines
    "ix_statuses_public",
    statuses.c.id,
    sqlite_where=text("visibility = 'public' AND reblog_of_id IS NULL AND deleted_at IS NULL"),
    postgresql_where=text("visibility = 'public' AND reblog_of_id IS NULL AND deleted_at IS NULL"),
)

status_words = (
    Table(  # what search finds of a status (fedcorp.storage.fulltext); SQLite's index of it is made by a migration
        "status_words",
        metadata,
        _ref("status_id", primary=True),
        Column("words", Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        Column("version", Integer, nullable=False),  # of the way in which words are made of texts
    )
)
Index(
    "ix_status_words_words", status_words.c.words, postgresql_using="gin", postgresql_with={"fastupdate": "off"}
).ddl_if(dialect="postgresql")

status_edits = Table(  # earlier versions, oldest first
    "status_edits",
    metadata,
    _id(),
    _ref("status_id"),
    Column("content", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("spoiler_text", Text, nullable=False),
    Column("sensitive", Boolean, nullable=False),
    _text("media", "[]"),
    _text("poll", "[]"),
    _at("created_at"),
)
Index("ix_status_edits_status_id", status_edits.c.status_id)

mentions = Table(
    "mentions",
    metadata,
    _ref("status_id", primary=True),
    _ref("account_id", primary=True),
    _flag("silent"),  # addressed without being named
)
Index("ix_mentions_account_id", mentions.c.account_id, mentions.c.status_id)

status_tags = Table(
    "status_tags",
    metadata,
    Column("name", Text, primary_key=True),  # normalised
    _ref("status_id", primary=True),
    Column("shown", Text, nullable=False),
)
Index("ix_status_tags_status_id", status_tags.c.status_id)

followed_tags = Table(
    "followed_tags",
    metadata,
    _id(),
    _ref("account_id"),
    Column("name", Text, nullable=False),
    _at("created_at"),
    UniqueConstraint("account_id", "name"),
)
Index("ix_followed_tags_name", followed_tags.c.name)

quotes = Table(  # the papers of a quote: what was asked of the quoted author, and what was answered
    "quotes",
    metadata,
    _ref("status_id", primary=True),  # that quotes
    Column("quoted_uri", Text, nullable=False),
    Column("request_uri", Text),  # the QuoteRequest
    Column("stamp_uri", Text),  # the QuoteAuthorization; without the state `accepted` only a claim
    _at("created_at"),
)
Index("ix_quotes_quoted_uri", quotes.c.quoted_uri)
Index("ix_quotes_request_uri", quotes.c.request_uri)
Index("ix_quotes_stamp_uri", quotes.c.stamp_uri)

interaction_policies = Table(  # of posts from elsewhere that not everybody may answer, like or boost
    "interaction_policies",
    metadata,
    _ref("status_id", primary=True),
    Column("kept", Text, nullable=False),  # fedcorp.social.policy.interaction_policy
)

leaves = Table(  # answers and boosts of ours that had to wait for leave, or were refused it
    "leaves",
    metadata,
    _ref("status_id", primary=True),
    Column("visibility", Text, nullable=False),  # as it was written; the post has `waiting` until there is leave
    Column("state", Text, nullable=False),  # pending | granted | refused | withdrawn
    Column("stamp_uri", Text),  # of the leave
    _text("stamp_type"),  # "" when an Accept alone is the leave
    _at("created_at"),
)

media = Table(
    "media",
    metadata,
    _id(),
    _ref("account_id"),
    _ref("status_id", null=True),  # 0 while its files are being removed
    _ref("scheduled_id", null=True),  # of a post that waits for its time
    Column("kind", Text, nullable=False),  # image | gifv | video | audio | unknown
    Column("mime", Text, nullable=False),
    Column("key", Text),  # in the media folder; null while a remote file is not fetched yet
    Column("preview_key", Text),
    Column("remote_url", Text),
    _text("description"),
    Column("blurhash", Text),
    _text("sizes", "{}"),  # Mastodon's `meta`: original, small, focus
    _count("position"),
    _count("bytes"),
    _at("created_at"),
    _at("failed_at", null=True),
    Column("source_key", Text),  # of what was sent, until a film or sound is made of it
    _at("reminded_at", null=True),  # when its author was asked for a description
)
Index("ix_media_status_id", media.c.status_id)
Index("ix_media_key", media.c.key)
Index("ix_media_preview_key", media.c.preview_key)

custom_emojis = Table(
    "custom_emojis",
    metadata,
    _id(),
    Column("domain", Text, nullable=False),  # of handles; empty for our own
    Column("shortcode", Text, nullable=False),
    Column("key", Text),  # in the media folder; null while the picture is not here
    Column("still_key", Text),  # of a picture that does not move
    Column("mime", Text, nullable=False),
    _text("category"),
    Column("remote_url", Text),
    _at("updated_at"),
    UniqueConstraint("domain", "shortcode"),
)

cards = Table(  # what web pages say that posts link to
    "cards",
    metadata,
    _id(),
    Column("url", Text, nullable=False, unique=True),
    _text("title"),
    _text("description"),
    _text("author"),
    _text("provider"),
    Column("language", Text),
    Column("image_key", Text),
    _count("width"),
    _count("height"),
    Column("blurhash", Text),
    _at("published_at", null=True),
    _at("fetched_at", null=True),
    _at("failed_at", null=True),
    _ref("creator_id", null=True),  # the account that the page names as its author, who need not agree
    _text("found_on"),  # the host where redirects ended
)
Index("ix_cards_image_key", cards.c.image_key)

status_cards = Table(
    "status_cards",
    metadata,
    _ref("status_id", primary=True),
    _ref("card_id"),
)
Index("ix_status_cards_card_id", status_cards.c.card_id)

polls = Table(
    "polls",
    metadata,
    _id(),
    _ref("status_id"),
    _flag("multiple"),
    _flag("hide_totals"),
    _at("expires_at", null=True),
    _at("closed_at", null=True),
    _count("voters_count"),
)

scheduled_statuses = Table(
    "scheduled_statuses",
    metadata,
    _id(),
    _ref("account_id"),
    _at("scheduled_at"),
    Column("draft", Text, nullable=False),  # what the author handed in, as JSON
    _text("error"),  # why it could not be published when it was due
    Column("idempotency_key", Text),
    _at("created_at"),
)
Index("ix_scheduled_statuses_account_id", scheduled_statuses.c.account_id)
Index("ix_scheduled_statuses_scheduled_at", scheduled_statuses.c.scheduled_at)

poll_options = Table(
    "poll_options",
    metadata,
    _ref("poll_id", primary=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    _count("votes_count"),
)

poll_votes = Table(
    "poll_votes",
    metadata,
    _ref("poll_id", primary=True),
    _ref("account_id", primary=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("uri", Text),
    _at("created_at"),
)

favourites = Table(
    "favourites",
    metadata,
    _id(),
    _ref("account_id"),
    _ref("status_id"),
    Column("uri", Text, nullable=False),
    _at("created_at"),
    _flag("implied"),  # nobody favourited it, but reacted, which counts as much; the uri is empty then
    UniqueConstraint("account_id", "status_id"),
)
Index("ix_favourites_status_id", favourites.c.status_id, favourites.c.id)
Index("ix_favourites_uri", favourites.c.uri)

status_reactions = Table(
    "status_reactions",
    metadata,
    _id(),
    _ref("account_id"),
    _ref("status_id"),
    Column("name", Text, nullable=False),  # one emoji, or the code of a custom one
    _text("domain"),  # whose custom emoji it is; empty for our own, and for emoji that are text
    Column("uri", Text, nullable=False),  # of the activity that told it
    _flag("vote"),  # told by a Dislike: a Like of the same person takes its place
    _at("created_at"),
    UniqueConstraint("account_id", "status_id", "name", "domain"),
)
Index(  # holds all that is counted below a post
    "ix_status_reactions_status_id",
    status_reactions.c.status_id,
    status_reactions.c.name,
    status_reactions.c.domain,
    status_reactions.c.account_id,
    status_reactions.c.id,
)
Index("ix_status_reactions_uri", status_reactions.c.uri)

bookmarks = Table(
    "bookmarks",
    metadata,
    _id(),
    _ref("account_id"),
    _ref("status_id"),
    _at("created_at"),
    UniqueConstraint("account_id", "status_id"),
)

thread_mutes = Table(
    "thread_mutes",
    metadata,
    _ref("account_id", primary=True),
    _ref("thread_id", primary=True),
    _at("created_at"),
)

reports = Table(  # what moderators of this department were told about an account
    "reports",
    metadata,
    _id(),
    Column("uri", Text, nullable=False, unique=True),  # the Flag, sent or received
    _ref("account_id"),  # who told it: one of ours, or an actor elsewhere
    _ref("target_id"),
    _text("status_ids", "[]"),
    Column("category", Text, nullable=False),  # spam | legal | violation | other
    _text("rules", "[]"),  # id and text of each rule as it was then
    _text("comment"),
    _flag("forwarded"),
    _ref("assigned_id", null=True),
    _ref("resolved_by_id", null=True),
    _at("resolved_at", null=True),
    _at("created_at"),
    _at("updated_at"),
)
Index("ix_reports_account_id", reports.c.account_id)
Index("ix_reports_target_id", reports.c.target_id)

warnings = Table(  # what moderators told somebody that they did, and what the person answered
    "warnings",
    metadata,
    _id(),
    _ref("account_id"),
    _ref("by_id"),
    Column("action", Text, nullable=False),  # none | sensitive | silence | disable | suspend
    _text("text"),
    _at("created_at"),
    _at("lifted_at", null=True),  # it holds no longer
    _text("appeal"),
    _ref("appeal_report_id", null=True),  # under which the moderators have the answer
)
Index("ix_warnings_account_id", warnings.c.account_id)

conversation_marks = Table(  # the last word of somebody on a thread of direct messages, as it stood then
    "conversation_marks",
    metadata,
    _ref("account_id", primary=True),
    _ref("thread_id", primary=True),
    _ref("status_id"),  # the latest message then; what came later is not spoken of
    Column("state", Text, nullable=False),  # read | unread | removed
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _ref("account_id", primary=True),
    Column("key", Text, primary_key=True),
    _ref("status_id"),
    _at("created_at"),
)

# -- what people see -------------------------------------------------------------------------------------------------

home = Table(
    "home",
    metadata,
    _ref("account_id", primary=True),
    _ref("entry_id", primary=True),  # a status or a reblog of one
    _ref("status_id"),  # the original: one entry per post
    UniqueConstraint("account_id", "status_id"),
)
Index("ix_home_entry_id", home.c.entry_id)
Index("ix_home_status_id", home.c.status_id)

filters = Table(
    "filters",
    metadata,
    _id(),
    _ref("account_id"),
    Column("title", Text, nullable=False),
    Column("contexts", Text, nullable=False),  # home notifications public thread account, with spaces between
    Column("action", Text, nullable=False),  # warn | hide | blur
    _at("expires_at", null=True),
    _at("created_at"),
)
Index("ix_filters_account_id", filters.c.account_id)

filter_keywords = Table(
    "filter_keywords",
    metadata,
    _id(),
    _ref("filter_id"),
    Column("keyword", Text, nullable=False),
    _flag("whole_word"),
)
Index("ix_filter_keywords_filter_id", filter_keywords.c.filter_id)

filter_statuses = Table(
    "filter_statuses",
    metadata,
    _id(),
    _ref("filter_id"),
    _ref("status_id"),
    UniqueConstraint("filter_id", "status_id"),
)

announcements = Table(  # what the administrator tells everybody here
    "announcements",
    metadata,
    _id(),
    Column("text", Text, nullable=False),
    _at("starts_at", null=True),
    _at("ends_at", null=True),
    _flag("all_day"),
    _at("created_at"),
)

announcement_dismissals = Table(
    "announcement_dismissals",
    metadata,
    _ref("account_id", primary=True),
    _ref("announcement_id", primary=True),
)

announcement_reactions = Table(
    "announcement_reactions",
    metadata,
    _ref("announcement_id", primary=True),
    _ref("account_id", primary=True),
    Column("name", Text, primary_key=True),  # an emoji
    _at("created_at"),
)

featured_tags = Table(  # on whose profile which hashtags are shown
    "featured_tags",
    metadata,
    _id(),
    _ref("account_id"),
    Column("name", Text, nullable=False),
    _at("created_at"),
    UniqueConstraint("account_id", "name"),
)

lists = Table(
    "lists",
    metadata,
    _id(),
    _ref("account_id"),
    Column("title", Text, nullable=False),
    _text("replies_policy", "list"),
    _flag("exclusive"),
    _at("created_at"),
)
Index("ix_lists_account_id", lists.c.account_id)

list_accounts = Table(
    "list_accounts",
    metadata,
    _ref("list_id", primary=True),
    _ref("account_id", primary=True),
)
Index("ix_list_accounts_account_id", list_accounts.c.account_id)

collections = Table(  # accounts that somebody recommends to others
    "collections",
    metadata,
    _id(),
    _ref("account_id"),
    Column("name", Text, nullable=False),
    _text("description"),
    Column("language", Text),
    _flag("sensitive"),
    _flag("discoverable"),
    Column("tag", Text),  # a hashtag, normalised
    Column("reach", Text, nullable=False),
    _at("created_at"),
    _at("updated_at"),
)
Index("ix_collections_account_id", collections.c.account_id)

collection_items = Table(
    "collection_items",
    metadata,
    _id(),
    _ref("collection_id"),
    _ref("account_id"),
    Column("state", Text, nullable=False),  # pending | accepted | revoked: by the account, which keeps it out for good
    _at("created_at"),
    UniqueConstraint("collection_id", "account_id"),
)
Index("ix_collection_items_account_id", collection_items.c.account_id)

notifications = Table(
    "notifications",
    metadata,
    _seq(),  # below 2^53: one client field is a number
    _ref("account_id"),
    Column("kind", Text, nullable=False),
    _ref("from_account_id"),
    _ref("status_id", null=True),
    Column("group_key", Text, nullable=False),
    _ref("report_id", null=True),
    _ref("warning_id", null=True),
    _ref("collection_id", null=True),
    _at("created_at"),
    Column("cause", Text, nullable=False),  # one notification for one cause, however often it is told
    _flag("filtered"),  # kept back as a request, by the policy of its reader
    UniqueConstraint("account_id", "cause"),
    sqlite_autoincrement=True,  # a number that was used is never used again
)
Index("ix_notifications_account_id", notifications.c.account_id, notifications.c.seq)
Index("ix_notifications_group_key", notifications.c.account_id, notifications.c.group_key)
Index("ix_notifications_status_id", notifications.c.status_id)

notification_policies = Table(  # accept | filter | drop; no row: everything but of limited accounts is accepted
    "notification_policies",
    metadata,
    _ref("account_id", primary=True),
    Column("not_following", Text, nullable=False),
    Column("not_followers", Text, nullable=False),
    Column("new_accounts", Text, nullable=False),
    Column("private_mentions", Text, nullable=False),
    _text("limited_accounts", "filter"),
)

notification_permissions = Table(  # of whom somebody accepted a request: no policy is asked again
    "notification_permissions",
    metadata,
    _ref("account_id", primary=True),
    _ref("from_account_id", primary=True),
    _at("created_at"),
)

push_subscriptions = Table(  # apps that are told of notifications while nobody looks
    "push_subscriptions",
    metadata,
    _seq(),  # below 2^31: apps read it as such a number
    _ref("token_id"),
    _ref("account_id"),
    Column("endpoint", Text, nullable=False),  # where a push service takes messages: whoever knows it can send some
    Column("point", LargeBinary, nullable=False),  # the app's public key
    Column("auth", LargeBinary, nullable=False),  # its secret
    Column("token", LargeBinary, nullable=False),  # sealed (fedcorp.social.push)
    _flag("standard"),  # aes128gcm, else the draft aesgcm
    _text("alerts", "[]"),  # JSON list of kinds of notifications
    Column("policy", Text, nullable=False),  # all | followed | follower | none
    _at("created_at"),
    UniqueConstraint("token_id"),
    sqlite_autoincrement=True,  # a number that was used is never used again
)
Index("ix_push_subscriptions_account_id", push_subscriptions.c.account_id)

markers = Table(
    "markers",
    metadata,
    _ref("account_id", primary=True),
    Column("timeline", Text, primary_key=True),
    Column("last_read_id", Text, nullable=False),
    _count("version"),
    _at("updated_at"),
)

streams = Table(  # what happened, for those who listen: tailed by every process that serves streams
    "streams",
    metadata,
    _seq(),
    Column("kind", Text, nullable=False),  # `fedcorp.social.streams.Change` says which
    _ref("status_id", null=True),
    _ref("account_id", null=True),
    Column("notification_seq", Id),
    _at("created_at"),
    _ref("announcement_id", null=True),
    Column("reaction", Text),
    sqlite_autoincrement=True,  # a number that was used is never used again
)
Index("ix_streams_created_at", streams.c.created_at)

# -- the wire --------------------------------------------------------------------------------------------------------

events = Table(  # what the outbox must still tell the world
    "events",
    metadata,
    _seq(),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    _at("created_at"),
    sqlite_autoincrement=True,  # a number that was used is never used again
)

activities = Table(  # what was told: the bytes that were signed, served again at their own uri
    "activities",
    metadata,
    _id(),
    Column("uri", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    _ref("account_id"),
    _ref("status_id", null=True),  # governs who may fetch it
    Column("reach", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _at("created_at"),
)
Index("ix_activities_status_id", activities.c.status_id)

deliveries = Table(  # the ordered log of one peer; its cursor stands in `peers`
    "deliveries",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("seq", Id, primary_key=True, autoincrement=False),
    _ref("activity_id"),
    Column("inbox_uri", Text, nullable=False),
    Column("state", Text, nullable=False),  # queued | sent | rejected | skipped
    _count("attempts"),
    Column("last_status", Integer),
    Column("error", Text),
    _at("created_at"),
)
Index("ix_deliveries_activity_id", deliveries.c.activity_id)

inbox = Table(
    "inbox",
    metadata,
    _seq(),
    Column("activity_id", Text, nullable=False, unique=True),
    Column("domain", Text, nullable=False),  # of the peer that delivered it
    Column("actor_uri", Text, nullable=False),
    Column("object_uri", Text),  # of a Create or Update: so that a group can pass the original on
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),  # new | deferred | done
    Column("outcome", Text),  # processed | duplicate | ignored | refused | deferred | failed
    _text("reason"),
    _count("attempts"),
    _at("next_attempt_at", null=True),
    _at("received_at"),
    _flag("forwarded"),  # authenticated by its own proof, not by the sender
    sqlite_autoincrement=True,  # a number that was used is never used again
)
Index(
    "ix_inbox_waiting",
    inbox.c.domain,
    inbox.c.seq,
    sqlite_where=text("state <> 'done'"),
    postgresql_where=text("state <> 'done'"),
)
Index("ix_inbox_received_at", inbox.c.received_at)
Index("ix_inbox_object_uri", inbox.c.object_uri)

tombstones = Table(  # of objects and actors that were deleted, also before they ever arrived
    "tombstones",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("owner_uri", Text, nullable=False),
    _text("former_type"),
    _at("deleted_at"),
)

undone = Table(  # activities whose Undo came first
    "undone",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("owner_uri", Text, nullable=False),
    _at("created_at"),
)

orphans = Table(  # activities that wait for the object they speak of
    "orphans",
    metadata,
    Column("activity_id", Text, primary_key=True),
    Column("waits_for", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("actor_uri", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _at("expires_at"),
)
Index("ix_orphans_waits_for", orphans.c.waits_for)
