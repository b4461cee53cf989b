"""The one place where parts are joined: configuration in, a whole instance out. It decides nothing by itself.

Everything from outside is handed in, so several instances can run in one process, under a clock and over a network that
a test moves by hand.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.datastructures import State
from starlette.types import ASGIApp

from fedcorp import __version__
from fedcorp.activitypub import outbox, settling
from fedcorp.activitypub.attachments import Attachments
from fedcorp.activitypub.backfill import Backfill
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.consent import Consent
from fedcorp.activitypub.counting import Counting
from fedcorp.activitypub.delivery import Delivery
from fedcorp.activitypub.desk import Desk
from fedcorp.activitypub.discovery import Discovery
from fedcorp.activitypub.followers import FollowersSync
from fedcorp.activitypub.heads import Heads
from fedcorp.activitypub.inbox import Inbox
from fedcorp.activitypub.introductions import Introductions
from fedcorp.activitypub.looking import Looking
from fedcorp.activitypub.previews import Previews
from fedcorp.activitypub.pull import LedgerPull
from fedcorp.activitypub.resolve import Finder, Resolver
from fedcorp.activitypub.settling import Settlement
from fedcorp.activitypub.signers import Signers
from fedcorp.activitypub.translator import Translator
from fedcorp.activitypub.upkeep import Upkeep
from fedcorp.activitypub.verifying import Verifier
from fedcorp.activitypub.visitor import Visitor
from fedcorp.clock import Clock
from fedcorp.config import Config
from fedcorp.net import Limits, Transport
from fedcorp.social import (
    accounts,
    counts,
    effects,
    indexing,
    invitations,
    memberships,
    moving,
    polls,
    push,
    scheduling,
    stewardship,
)
from fedcorp.social.studio import Studio
from fedcorp.storage import schema
from fedcorp.storage.database import Database
from fedcorp.storage.media import MediaFiles
from fedcorp.web.context import Context
from fedcorp.web.cors import Cors
from fedcorp.web.entities.cache import Rendered
from fedcorp.web.gate import Gate
from fedcorp.web.hosts import Hosts
from fedcorp.web.problems import Problems
from fedcorp.web.push import Pushes
from fedcorp.web.rate import Buckets, Rate
from fedcorp.web.router import Router
from fedcorp.web.routes import ROUTES
from fedcorp.web.streaming import Streams
from fedcorp.worker import Jobs, Pass, Worker

POLLS_SECONDS = 2.0
SCHEDULED_SECONDS = 5.0
GROUPS_SECONDS = 5.0
UPKEEP_SECONDS = 60.0
HEADS_SECONDS = 10.0
PUSHES_SECONDS = 1.0


class Instance:
    """One department: `app` is what a server calls, `worker` does what is due, `db` holds everything."""

    def __init__(
        self, config: Config, clock: Clock, network: httpx.AsyncBaseTransport, *, worker: bool, serve: bool
    ) -> None:
        self.config = config
        self.clock = clock
        self.network = network
        self.db = Database(config, clock, effects.apply)
        self.files = MediaFiles(config.media_folder)
        agent = f"fedcorp/{__version__} (+{config.origin})"
        self.client = Client(network, self.db, clock, agent)
        self.visitor = Visitor(self.client, self.db)
        self.resolver = Resolver(self.client, self.db, clock)
        self.signers = Signers(self.db, self.resolver, clock)
        self.followers = FollowersSync(self.client, self.db, clock)
        self.inbox = Inbox(self.db, self.resolver, self.signers, clock, self.followers)
        self.delivery = Delivery(self.db, clock, self.client)
        self.studio = Studio(self.db, clock, self.files)
        self.rendered = Rendered()
        self.worker = Worker(self.db, clock, self._passes())
        self.streams = Streams(self.db, clock, self.rendered)
        self.app = self._app()
        self._works, self._serves = worker, serve

    def _passes(self) -> list[Pass]:
        attachments = Attachments(self.client, self.db, self.clock, self.files, self.studio)
        ledgers = LedgerPull(self.db, self.resolver)
        settlement = Settlement(self.client, self.resolver, self.db, self.clock)
        discovery = Discovery(self.client, self.db)
        previews = Previews(self.visitor, self.resolver, self.db, self.clock, self.files)
        backfill = Backfill(self.client, self.resolver, self.db)
        looking = Looking(self.client, self.db)
        kinds = {
            "fetch_media": attachments.fetch,
            "fetch_emoji": attachments.fetch_emoji,
            "verify_links": Verifier(self.visitor, self.db, self.clock).run,
            "fetch_card": previews.run,
            "pull_ledger": ledgers.run,
            settling.JOB: settlement.run,
            "learn_peer": discovery.run,
            "meet": Introductions(self.resolver, self.db, self.clock).run,
            "check_quote": Consent(self.client, self.db, self.resolver).run,
            "sync_followers": self.followers.run,
            "carry_followers": self._carry,
            "read_outbox": backfill.read_outbox,
            "read_pins": backfill.read_pins,
            "read_thread": backfill.read_thread,
            counts.JOB: Counting(self.client, self.db).run,
            "look_in_group": looking.look_in_group,
            "look_at_wish": looking.look_at_wish,
            indexing.JOB: self._index,
        }
        jobs = Jobs(self.db, kinds)
        # A pass of its own: one film takes minutes, and nothing else should wait for it.
        films = Jobs(self.db, {"make_film": self.studio.run}, at_once=1, lease_ms=self.studio.lease_seconds * 1000)
        upkeep = Upkeep(self.db, self.clock, self.files)
        heads = Heads(self.client, self.db, self.clock)
        # A line of their own: a push service that does not answer holds up nothing else.
        pushes = Jobs(self.db, {push.JOB: Pushes(self.client, self.db, self.clock, self.rendered).send}, "pushes")
        return [
            Pass("inbox", self.inbox.process, "inbox", overlap=True),
            Pass("events", self._expand, "events"),
            Pass("deliveries", self.delivery.run_due, "deliveries", overlap=True),
            Pass("jobs", jobs.run, "jobs"),
            Pass("pushes", pushes.run, "pushes", PUSHES_SECONDS, overlap=True),
            Pass("films", films.run, "jobs"),
            Pass("polls", self._close_polls, "polls", POLLS_SECONDS),
            Pass("scheduled", self._publish_due, "scheduled", SCHEDULED_SECONDS),
            Pass("groups", self._tend_groups, "groups", GROUPS_SECONDS),
            Pass("heads", heads.run, "heads", HEADS_SECONDS),
            Pass("upkeep", upkeep.run, "upkeep", UPKEEP_SECONDS),
        ]

    async def _expand(self) -> int:
        return await self.db.write(outbox.expand)

    async def _carry(self, payload: dict[str, Any]) -> None:
        """Let the next followers here of an account that moved follow the new one."""
        await self.db.write(moving.carry, int(payload["old"]), int(payload["new"]), int(payload["after"]))

    async def _close_polls(self) -> int:
        return await self.db.write(polls.close_due)

    async def _publish_due(self) -> int:
        return await self.db.write(scheduling.publish_due)

    async def _index(self, payload: dict[str, Any]) -> None:
        await self.db.write(indexing.continue_, payload)

    async def _tend_groups(self) -> int:
        """End bans, invitations and groups whose time is over."""
        lifted = await self.db.write(memberships.lift_expired) + await self.db.write(invitations.end_expired)
        return lifted + await self.db.write(stewardship.archive_ended)

    def _app(self) -> ASGIApp:
        finder = Finder(self.resolver)
        translator = Translator(self.visitor, self.db, self.clock)
        desk = Desk(self.client, self.resolver, self.db)
        context = Context(
            self.config, self.db, self.clock, self.files, finder, desk, self.rendered, self.studio, translator
        )
        state = State(
            {
                "context": context,
                "streams": self.streams,
                "logins": Buckets(self.clock, self.config.limits.window_seconds),
                "inbox": self.inbox,
                "signers": self.signers,
                "gate": Gate(self.config.limits, self.clock, self.inbox.backlog),
                "client": self.client,
            }
        )
        router = Router(ROUTES, state, self.signers.attend)
        return Cors(Problems(Rate(Hosts(router, self.config), self.config, self.clock)), self.clock)

    async def start(self) -> None:
        """Upgrade the tables and start what runs. Raises ConfigError for a database that cannot be used."""
        schema.upgrade(self.db.engine, self.config, self.clock)
        self.db.start()
        if self._serves:
            self.streams.start()
        if self._works:
            self.worker.start()

    async def check_made(self) -> None:
        """Raises NotFound, once started, when the instance was never made or has another address in the database."""
        await self.db.read(accounts.instance_actor)

    async def stop(self) -> None:
        """Stop what runs and close everything; what was not finished is done after the next start."""
        await self.worker.stop()
        await self.streams.stop()
        await self.network.aclose()
        self.db.close()
        self.clock.close()

    def close_streams(self) -> None:
        """Let every open stream end, so that a server can stop."""
        self.streams.close()

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator["Instance"]:
        """Started inside, stopped outside."""
        try:
            await self.start()
            yield self
        finally:
            await self.stop()


def create_app(
    config: Config,
    *,
    clock: Clock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    worker: bool = True,
    serve: bool = True,
) -> Instance:
    """Join the parts of one instance. Nothing runs and nothing is opened on the network before `start`.

    `transport` replaces the network. Without `worker` nothing is done in the background, but `worker.settle()` works;
    without `serve` streams stay silent.
    """
    limits = config.limits
    network = transport or Transport(
        networks=config.networks,
        insecure_http=config.federation.insecure_http,
        limits=Limits(connect=limits.connect_seconds, total=limits.request_seconds, max_body=limits.body_bytes),
    )
    return Instance(config, clock or Clock(), network, worker=worker, serve=serve)
