"""The answers of our own API as JSON Schema (2020-12), for its description. Holds no data and renders nothing.

What `fedcorp.web.entities.groups` makes is written down here field by field; the tests hold every answer against it.
Accounts and statuses are Mastodon's, of which only what our own API is about is named.
"""

from typing import Any

from fedcorp.social import moderation, policy, wishes

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
ID: Schema = {"type": "string", "pattern": "^[0-9]{1,19}$"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_LINK: Schema = {"type": "string", "format": "uri"}
_MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_ROLE: Schema = {"type": ["string", "null"], "enum": [*policy.ROLES, None]}


def named(name: str) -> Schema:
    """A reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def each(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def _word(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _ours(words: str, **fields: Schema) -> Schema:
    """An object of ours: all of these fields, and no others."""
    return {
        "type": "object", "description": words, "properties": fields, "required": list(fields),
        "additionalProperties": False,
    }  # fmt: skip


def _theirs(words: str, **fields: Schema) -> Schema:
    """An object of Mastodon's: these fields and more."""
    return {"type": "object", "description": words, "properties": fields, "required": list(fields)}


SCHEMAS: dict[str, Schema] = {
    "Account": _theirs(
        "Mastodon's Account: somebody, or a group with `group` true.",
        id=ID, username=_TEXT, acct=_TEXT, url=_LINK, uri=_LINK, display_name=_TEXT, note=_TEXT, avatar=_LINK,
        header=_LINK, locked=_FLAG, bot=_FLAG, group=_FLAG, created_at=_TIME,
    ),
    "Status": _theirs(
        "Mastodon's Status: a post.",
        id=ID, uri=_LINK, created_at=_TIME, account=named("Account"), content=_TEXT, visibility=_TEXT,
        spoiler_text=_TEXT, reach=_word(*policy.REACHES),
    ),
    "Group": _ours(
        "What a group is, its rules, and how the viewer stands to it. `join_link` is for its moderators, `pending` "
        "is what the viewer wanted of a group elsewhere, latest first.",
        id=ID, uri=_LINK, url=_LINK, name=_TEXT, acct=_TEXT, department=_TEXT, local=_FLAG, title=_TEXT,
        description=_TEXT, account=named("Account"), preset=_word(*policy.PRESETS), reach=_word(*policy.REACHES),
        joining=_word(*policy.JOINING), reading=_word(*policy.READING), posting=_word(*policy.POSTING),
        inviting=_word(*policy.INVITING), history=_word(*policy.HISTORY), outsiders=_word(*policy.OUTSIDERS),
        premoderated=_FLAG, purpose=_TEXT, rules=each(_TEXT), topics=each(_TEXT), ends_at=_MAYBE_TIME,
        archived_at=_MAYBE_TIME, created_at=_TIME, members_count=_COUNT, role=_ROLE, requested=_FLAG, invited=_FLAG,
        may=_ours(
            "What the viewer may do in it.", read=_FLAG, post=_FLAG, invite=_FLAG, moderate=_FLAG, administer=_FLAG
        ),
        join_link={"type": ["string", "null"], "format": "uri"}, pending=each(named("Wish")),
    ),
    "Member": _ours(
        "Somebody and their role; null for who does not belong.", account=named("Account"), role=_ROLE
    ),
    "Ban": _ours(
        "Somebody who is kept out; `until` is null for good. Of a group elsewhere the reason stays there.",
        account=named("Account"), reason=_TEXT, until=_MAYBE_TIME,
    ),
    "JoinRequest": _ours(
        "Somebody who waits to be let in.", account=named("Account"), message=_TEXT, created_at=_TIME
    ),
    "Invitation": _ours(
        "An invitation that holds; `by` is null when it is not known who invited.",
        account=named("Account"), by={"anyOf": [named("Account"), {"type": "null"}]}, message=_TEXT, created_at=_TIME,
        expires_at=_TIME,
    ),
    "Invited": {
        "description": "The invitation; or, for somebody who had asked to join, that they are a member now.",
        "anyOf": [named("Invitation"), named("Member")],
    },
    "Report": _ours(
        "Something that somebody told the moderators; never who.",
        id=ID, account={"anyOf": [named("Account"), {"type": "null"}]}, status_ids=each(ID), comment=_TEXT,
        created_at=_TIME,
    ),
    "Wish": _ours(
        "What the viewer wanted of a group elsewhere, until its own server decided, and what it decided.",
        id=ID, act=_word(*wishes.ACTS), account_id={"type": ["string", "null"]},
        state=_word("pending", "done", "refused"), reason=_TEXT, created_at=_TIME,
    ),
    "Place": _ours(
        "What became of a post in a group, whose account this is.",
        account=named("Account"), state=_word("pending", "held", "distributed", "rejected", "removed"), reason=_TEXT,
        locked=_FLAG, pinned=_FLAG,
    ),
    "Ledger": _ours(
        "Signed entries of what happened in a group, latest first; `announced_count` is how many its server tells of, "
        "`forked_at` when it was seen to tell two histories.",
        entries_count=_COUNT, announced_count=_COUNT, forked_at=_MAYBE_TIME, entries=each({"type": "object"}),
    ),
    "AccountWarning": _ours(
        "Mastodon's AccountWarning: what moderators did and said to somebody. Which moderator is not told.",
        id=ID, action=_word(*moderation.ACTIONS), text=_TEXT, status_ids={"type": ["array", "null"], "items": ID},
        target_account=named("Account"), created_at=_TIME,
        appeal={"anyOf": [
            _ours("What the person answered, and what came of it.", text=_TEXT,
                  state=_word("pending", "approved", "rejected")),
            {"type": "null"},
        ]},
    ),
    "AuditEntry": _ours(
        "Who did what to whom, when and why. `actor` and `subject` are addresses of accounts, domains, or numbers.",
        id=ID, created_at=_TIME, actor=_TEXT, act=_TEXT, subject=_TEXT, outcome=_TEXT, reason=_TEXT,
    ),
    "Document": {"type": "object", "description": "An OpenAPI document."},
    "Empty": _ours("Nothing more to say."),
    "Error": {
        "type": "object", "description": "One sentence that may be shown.",
        "properties": {"error": _TEXT, "error_description": _TEXT}, "required": ["error"],
    },
}  # fmt: skip
"""Schemas by name. Every answer of /api/fedcorp/ is one of these, or a list of one."""
