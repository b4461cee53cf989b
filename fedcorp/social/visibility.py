"""The SQL face of `fedcorp.social.policy.may_see`: one predicate for every list. A test holds the two together."""

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from fedcorp.social.policy import GROUP, MEMBERS
from fedcorp.storage.tables import accounts, blocks, follows, group_posts, memberships, mentions


def visible(status: FromClause, viewer_id: int | None) -> ColumnElement[bool]:
    """Rows of `status` (the table or an alias of it) that this local viewer, or an anonymous reader, may see."""
    columns = status.c
    hidden = sa.exists().where(
        accounts.c.id == columns.account_id,
        sa.or_(accounts.c.suspended_at.is_not(None), accounts.c.deleted_at.is_not(None)),
    )
    alive = sa.and_(columns.deleted_at.is_(None), ~hidden)
    open_to_all = columns.visibility.in_(("public", "unlisted"))
    if viewer_id is None:
        return sa.and_(alive, open_to_all, columns.reach == "public")
    follows_author = sa.exists().where(
        follows.c.follower_id == viewer_id, follows.c.target_id == columns.account_id, follows.c.state == "accepted"
    )
    mentioned = sa.exists().where(mentions.c.status_id == columns.id, mentions.c.account_id == viewer_id)
    blocked = sa.exists().where(
        sa.or_(
            sa.and_(blocks.c.account_id == viewer_id, blocks.c.target_id == columns.account_id),
            sa.and_(blocks.c.account_id == columns.account_id, blocks.c.target_id == viewer_id),
        )
    )
    granted = sa.case(
        (columns.visibility == GROUP, _of_a_member(columns, viewer_id)),
        else_=sa.or_(open_to_all, mentioned, sa.and_(columns.visibility == "private", follows_author)),
    )
    return sa.and_(alive, sa.or_(columns.account_id == viewer_id, sa.and_(granted, ~blocked)))


def _of_a_member(
    columns: "sa.ColumnCollection[str, sa.ColumnElement[object]]", viewer_id: int | None
) -> ColumnElement[bool]:
    """What a group that the viewer belongs to passed on, and not before the viewer may read it."""
    shown = sa.func.coalesce(columns.reblog_of_id, columns.id)
    return sa.exists().where(
        group_posts.c.status_id == shown,
        group_posts.c.state == "distributed",
        memberships.c.group_id == group_posts.c.group_id,
        memberships.c.account_id == viewer_id,
        memberships.c.role.in_(sorted(MEMBERS)),
        sa.or_(memberships.c.reads_from.is_(None), memberships.c.reads_from <= group_posts.c.created_at),
    )
