"""What waits for the moderators of a group, where they live on another server than the group.

The group's server shows it to a request that the moderator's own key signed, and to no other; the moderator's server
fetches it when the moderator looks. Decisions go back as activities (`group_telling.wished`). These collections are an
agreement between departments of this software, reached by the address of the group and a name.
"""

from collections.abc import Iterator
from typing import Any

from fedcorp.activitypub import render
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.resolve import Budget, Resolver
from fedcorp.activitypub.serving import Served
from fedcorp.activitypub.signers import Signer
from fedcorp.activitypub.vocabulary import as_list, first_string, parse_time, value_or_id
from fedcorp.clock import to_ms
from fedcorp.errors import FedcorpError, NotFound
from fedcorp.social import accounts, group_posts, invitations, memberships, policy, statuses, stewardship, text
from fedcorp.social.accounts import Account
from fedcorp.social.invitations import Invitation
from fedcorp.social.memberships import JoinRequest
from fedcorp.social.pages import Page
from fedcorp.social.statuses import Status
from fedcorp.social.stewardship import Report
from fedcorp.storage.database import Database, Tx

NAMES = ("requests", "invitations", "held", "reports")
MOST = 80
MAX_DIGITS = 18  # of the number of a report
MEMBERS_AT_ONCE = 40

# -- the group's own server ------------------------------------------------------------------------------------------


def page(tx: Tx, uri: str, name: str, signer: Signer) -> Served:
    """One of `NAMES` of a local group, for the moderator who signed. Raises NotFound for everybody else."""
    group = accounts.find_by_uri(tx, uri)
    actor = accounts.find_by_uri(tx, signer.actor_uri)
    if group is None or actor is None or not group.local or group.hidden or not group.is_group:
        raise NotFound
    if not policy.may_moderate(memberships.role_of(tx, group.id, actor.id)):
        raise NotFound
    items = list(_PAGES[name](tx, group))
    return Served(render.collection(f"{uri}/{name}", len(items), items))


def _requests(tx: Tx, group: Account) -> Iterator[dict[str, Any]]:
    asking = memberships.requests(tx, group, Page(MOST))
    known = accounts.find_many(tx, [item.account_id for item in asking])
    for item in asking:
        yield {
            "type": "Follow", "actor": known[item.account_id].uri, "object": group.uri, "content": item.message,
            "published": render.time(item.created_at),
        }  # fmt: skip


def _invitations(tx: Tx, group: Account) -> Iterator[dict[str, Any]]:
    waiting = invitations.of_group(tx, group.id)[:MOST]
    known = accounts.find_many(tx, {id_ for item in waiting for id_ in (item.account_id, item.by_id or 0)})
    for item in waiting:
        by = known.get(item.by_id or 0)
        yield {
            "type": "Invite", "id": item.uri, "actor": group.uri, "object": group.uri,
            "target": known[item.account_id].uri, "content": item.message,
            "published": render.time(item.created_at), "endTime": render.time(item.expires_at),
        } | ({"instrument": {"type": "Activity", "actor": by.uri}} if by is not None else {})  # fmt: skip


def _held(tx: Tx, group: Account) -> Iterator[str]:
    ids = group_posts.held(tx, group.id)[:MOST]
    found = statuses.find_many(tx, ids)
    return (found[id_].uri for id_ in ids if id_ in found and found[id_].deleted_at is None)


def _reports(tx: Tx, group: Account) -> Iterator[dict[str, Any]]:
    for item in stewardship.reports_in(tx, group)[:MOST]:
        subject = accounts.find(tx, item.account_id)
        posts = statuses.find_many(tx, item.status_ids).values()
        if subject is not None:
            yield {
                "type": "Flag", "id": f"{group.uri}/reports/{item.id}", "actor": group.uri,
                "object": [subject.uri, *(status.uri for status in posts)], "content": item.comment,
                "published": render.time(item.created_at),
            }  # fmt: skip


_PAGES = {"requests": _requests, "invitations": _invitations, "held": _held, "reports": _reports}


# -- the moderator's server ------------------------------------------------------------------------------------------


class Desk:
    """Fetches what waits in a group elsewhere, with the key of the moderator who looks.

    Every method raises NotFound when that server does not take them for a moderator, Unavailable when it cannot be
    asked.
    """

    def __init__(self, client: Client, resolver: Resolver, db: Database) -> None:
        self._client = client
        self._resolver = resolver
        self._db = db

    async def requests(self, group: Account, viewer_id: int) -> list[JoinRequest]:
        """Who waits to be let in. The ids count from 0: there are no pages."""
        found: list[JoinRequest] = []
        for item in await self._items(group, "requests", viewer_id):
            applicant = await self._account(value_or_id(item.get("actor")))
            if applicant is not None:
                message = text.plain(text.sanitize(first_string(item.get("content")) or ""))
                found.append(JoinRequest(len(found), applicant.id, message, _ms(item, "published")))
        return found

    async def invitations(self, group: Account, viewer_id: int) -> list[Invitation]:
        """Invitations that still hold."""
        found: list[Invitation] = []
        for item in await self._items(group, "invitations", viewer_id):
            invitee = await self._account(value_or_id(item.get("target")))
            because = item.get("instrument")
            by = await self._account(value_or_id(because.get("actor"))) if isinstance(because, dict) else None
            if invitee is not None:
                message = text.plain(text.sanitize(first_string(item.get("content")) or ""))
                found.append(
                    Invitation(
                        len(found), str(item.get("id")), group.id, invitee.id, by.id if by is not None else None,
                        message, "open", _ms(item, "endTime"), _ms(item, "published"),
                    )
                )  # fmt: skip
        return found

    async def held(self, group: Account, viewer_id: int) -> list[int]:
        """Ids of posts that wait for a moderator; they are brought here, and stay unseen by others."""
        found: list[int] = []
        for uri in await self._listed(group, "held", viewer_id):
            if isinstance(uri, str) and (status := await self._status(uri)) is not None:
                await self._db.write(group_posts.note_state, group.id, status.id, "held")
                found.append(status.id)
        return found

    async def reports(self, group: Account, viewer_id: int) -> list[Report]:
        """Reports that nobody has dealt with; posts that cannot be had are left out."""
        found: list[Report] = []
        for item in await self._items(group, "reports", viewer_id):
            first, *others = [uri for uri in as_list(item.get("object")) if isinstance(uri, str)] or [""]
            subject = await self._account(first)
            number = str(item.get("id")).rpartition("/")[2]
            if subject is not None and number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS:
                posts = [status.id for uri in others[:10] if (status := await self._status(uri)) is not None]
                comment = text.plain(text.sanitize(first_string(item.get("content")) or ""))
                found.append(Report(int(number), subject.id, posts, comment, _ms(item, "published")))
        return found

    async def meet(self, group: Account) -> None:
        """Bring the accounts of members that the group's ledger named and that nobody here has met, some at a time."""
        for uri in await self._db.read(memberships.unknown, group, MEMBERS_AT_ONCE):
            await self._account(uri)

    async def _items(self, group: Account, name: str, viewer_id: int) -> list[dict[str, Any]]:
        return [item for item in await self._listed(group, name, viewer_id) if isinstance(item, dict)]

    async def _listed(self, group: Account, name: str, viewer_id: int) -> list[Any]:
        document = await self._client.get(f"{group.uri}/{name}", signer_id=viewer_id, loose=True)
        return as_list(document.get("orderedItems"))[:MOST]

    async def _account(self, uri: str | None) -> Account | None:
        if uri is None:
            return None
        try:
            return await self._resolver.actor(uri, budget=Budget(1))
        except FedcorpError:  # gone, or its server cannot be asked now: the others are shown all the same
            return None

    async def _status(self, uri: str) -> Status | None:
        try:
            return await self._resolver.status(uri, budget=Budget())
        except FedcorpError:
            return None


def _ms(item: dict[str, Any], name: str) -> int:
    time = parse_time(item.get(name))
    return to_ms(time) if time is not None else 0
