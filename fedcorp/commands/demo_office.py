"""One department of `fedcorp demo` while it is being filled: makes its people and groups, resolves others, publishes.

Everything goes through the verbs of `fedcorp.social`, beside the running server; nothing here writes a table by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.clock import Clock
from fedcorp.commands.demo_people import Department, Group, Person
from fedcorp.commands.demo_pictures import draw
from fedcorp.commands.demo_plan import DAY, Dice
from fedcorp.company import peers
from fedcorp.config import Config
from fedcorp.errors import ConfigError
from fedcorp.keys import KeyPair
from fedcorp.social import accounts, applications, images, media, memberships, publishing, statuses
from fedcorp.social.accounts import Account, Profile
from fedcorp.social.images import ProcessedImage
from fedcorp.social.publishing import Draft
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.media import MediaFiles
from fedcorp.storage.tables import events, inbox
from fedcorp.storage.tables import peers as peers_table

T = TypeVar("T")

TOGETHER = 40  # units handed in at once; the server writes to the same file between them
ASKED_AT_ONCE = 4
PAUSES = (0.0, 1.0, 3.0, 10.0)  # seconds before each try to find somebody: the first may take a busy machine too long
SCOPES = "read write follow push"


@dataclass(slots=True)
class Office:
    """A department with its open database. `known` maps usernames and group names to account ids in this database."""

    department: Department
    config: Config
    db: Database
    clock: Clock
    dice: Dice
    tokens: list[str] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    domains: dict[str, str] = field(default_factory=dict)  # username or group name -> domain, of everybody everywhere

    @property
    def key(self) -> str:
        return self.department.key

    @property
    def files(self) -> MediaFiles:
        return MediaFiles(self.config.media_folder)

    def handle(self, name: str) -> str:
        """How people here write the handle of somebody, without the leading @."""
        domain = self.domains[name]
        return name if domain == self.config.domain else f"{name}@{domain}"

    # -- before the servers run -----------------------------------------------------------------------------------

    async def furnish(self, groups: list[Group], tiers: dict[str, str], password_hash: str) -> None:
        """Make people, groups and peers (`tiers`: domain -> tier)."""
        for domain, tier in tiers.items():
            await self.db.write(peers.add, domain, tier)
        pairs = await self._key_pairs(len(self.department.people) + len(groups))
        for number, person in enumerate(self.department.people):
            picture = await self._store(images.avatar, images.identicon(person.username))
            role = "admin" if number == 0 else "user"
            joined = self.clock.ms() - self.dice.between(40, 900) * DAY
            made = await self.db.write(_add_person, person, pairs.pop(), password_hash, role, joined, picture[0])
            self.known[person.username] = made.id
        for group in groups:
            made = await self.db.write(_add_group, group, pairs.pop())
            picture = await self._store(images.avatar, images.identicon(group.name))
            await self.db.write(accounts.update_profile, made, Profile(avatar=picture[0]))
            self.known[group.name] = made.id
        asking = [self.known[person.username] for person in self.department.people[:ASKED_AT_ONCE]]
        self.tokens = [await self.db.write(issue_token, account_id) for account_id in asking]

    async def _key_pairs(self, count: int) -> list[KeyPair]:
        return list(await asyncio.gather(*(self.clock.offload(keys.generate) for _ in range(count))))

    async def _store(self, process: Callable[[bytes], ProcessedImage], data: bytes) -> tuple[str, str, ProcessedImage]:
        """Keep a picture and its preview as files; (key, key of the preview, picture)."""
        made = await self.clock.offload(process, data)
        names = []
        for content, mime in ((made.data, made.mime), (made.preview, made.preview_mime)):
            names.append(self.clock.random_bytes(16).hex())
            self.files.put(content, suffix=images.SUFFIXES[mime], key=names[-1])
        return names[0], names[1], made

    # -- people of other servers ----------------------------------------------------------------------------------

    async def resolve(self, names: Iterable[str], base: str) -> None:
        """Let the running server find these people and groups. Raises ConfigError when it cannot."""
        missing = [name for name in dict.fromkeys(names) if name not in self.known]
        async with httpx.AsyncClient(base_url=base, timeout=20, trust_env=False) as http:
            lanes = [missing[start :: len(self.tokens)] for start in range(len(self.tokens))]
            await asyncio.gather(*(self._ask(http, *lane) for lane in zip(self.tokens, lanes, strict=True)))

    async def _ask(self, http: httpx.AsyncClient, token: str, names: list[str]) -> None:
        for name in names:
            self.known[name] = await self._find(http, token, name)

    async def _find(self, http: httpx.AsyncClient, token: str, name: str) -> int:
        asked = {"q": f"@{self.handle(name)}", "resolve": "true", "type": "accounts", "limit": "1"}
        status = 0
        for pause in PAUSES:
            await self.clock.sleep(pause)
            answer = await http.get("/api/v2/search", params=asked, headers={"Authorization": f"Bearer {token}"})
            status, found = answer.status_code, answer.json()["accounts"] if answer.is_success else []
            if found:
                return int(found[0]["id"])
        raise ConfigError(f"{self.config.name} could not find @{self.handle(name)}: HTTP {status}.")

    # -- posts -----------------------------------------------------------------------------------------------------

    async def each(self, act: Callable[..., Awaitable[T]], calls: list[tuple[Any, ...]]) -> list[T]:
        """Call `act` with each of these arguments, some at a time; results in the same order."""
        done: list[T] = []
        for start in range(0, len(calls), TOGETHER):
            done += await asyncio.gather(*(act(*call) for call in calls[start : start + TOGETHER]))
        return done

    async def write_each(self, verb: Callable[..., T], calls: list[tuple[Any, ...]]) -> list[T]:
        """Run `verb(tx, ...)` as a unit of its own for each of these arguments."""
        return await self.each(partial(self.db.write, verb), calls)

    async def publish(self, author: str, draft: Draft) -> Status:
        """Publish in the name of somebody here."""
        return await self.db.write(_publish, self.known[author], draft)

    async def upload(self, author: str, kind: str, number: int) -> int:
        """Draw a picture and keep it as an upload of somebody; its id."""
        data, description = draw(kind, number)
        key, preview_key, made = await self._store(images.process, data)
        sizes = {
            "original": _size(made.width, made.height),
            "small": _size(made.preview_width, made.preview_height),
        }
        return await self.db.write(
            _keep_upload, self.known[author], made, key=key, preview_key=preview_key, sizes=sizes, text=description
        )

    async def received(self, uris: list[str]) -> dict[str, Status]:
        """Which of these posts this department has, by uri."""
        return await self.db.read(_received, uris)

    async def waiting(self) -> int:
        """How much is still on its way: events to tell, entries to send, activities to take in."""
        return await self.db.read(_waiting)


def _size(width: int, height: int) -> dict[str, Any]:
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": width / height}


def _add_person(
    tx: Tx, person: Person, pair: KeyPair, password_hash: str, role: str, joined: int, avatar: str
) -> Account:
    made = accounts.create_local(tx, person.username, pair, created_at=joined)
    accounts.create_user(tx, made.id, email=None, password_hash=password_hash, role=role)
    told = (("Team", person.job), ("Place", person.place))
    profile = Profile(display_name=person.name, note=person.note, fields=told, avatar=avatar)
    return accounts.update_profile(tx, made, profile)


def _add_group(tx: Tx, group: Group, pair: KeyPair) -> Account:
    owner = accounts.find_local(tx, group.owner)
    assert owner is not None
    return memberships.found(
        tx, owner, group.name, pair, title=group.title, preset=group.preset, reach=group.reach, note=group.note
    )


def issue_token(tx: Tx, account_id: int) -> str:
    """A token for the steps that need the running server."""
    application = applications.command_line_application(tx)
    return applications.issue_token(tx, account_id=account_id, application_id=application.id, scopes=SCOPES)


def _publish(tx: Tx, account_id: int, draft: Draft) -> Status:
    return publishing.publish(tx, accounts.get(tx, account_id), draft)


def _keep_upload(
    tx: Tx, account_id: int, made: ProcessedImage, *, key: str, preview_key: str, sizes: dict[str, Any], text: str
) -> int:
    kept = media.create(
        tx, account_id=account_id, kind="image", mime=made.mime, key=key, preview_key=preview_key, description=text,
        blurhash=made.blurhash, sizes=sizes, bytes=len(made.data),
    )  # fmt: skip
    return kept.id


def _received(tx: Tx, uris: list[str]) -> dict[str, Status]:
    found = ((uri, statuses.find_by_uri(tx, uri)) for uri in uris)
    return {uri: status for uri, status in found if status is not None and status.deleted_at is None}


def _waiting(tx: Tx) -> int:
    untold = tx.conn.execute(sa.select(sa.func.count()).select_from(events)).scalar_one()
    unread = tx.conn.execute(sa.select(sa.func.count()).where(inbox.c.state != "done")).scalar_one()
    queued = sa.select(sa.func.coalesce(sa.func.sum(peers_table.c.next_seq - 1 - peers_table.c.cursor), 0))
    return int(untold + unread + tx.conn.execute(queued).scalar_one())
