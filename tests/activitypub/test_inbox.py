"""The door: who gets in, with what, and what happens to what came twice or too early."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.activitypub.proofs import add_proof
from fedcorp.social import follows, statuses
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import inbox, leases
from tests.activitypub.wire import Network, Stranger, Wire, pair, send
from tests.databases import POSTGRESQL

pytestmark = pytest.mark.anyio


def outcomes(tx: Tx) -> list[tuple[str, str]]:
    return [(row.state, row.outcome) for row in tx.conn.execute(sa.select(inbox).order_by(inbox.c.seq))]


def find(tx: Tx, uri: str) -> statuses.Status | None:
    return statuses.find_by_uri(tx, uri)


async def ann_follows_bo(finance: Wire, stranger: Stranger) -> None:
    ann, bo = await finance.person("ann"), await finance.resolver.actor(stranger.bo)
    await finance.db.write(follows.follow, ann, bo)
    await finance.db.write(follows.accept, ann.id, bo.id)


@pytest.mark.parametrize("dialect", ["cavage", "9421-rsa"])
async def test_a_signed_create_becomes_a_status(finance: Wire, stranger: Stranger, dialect: str) -> None:
    await ann_follows_bo(finance, stranger)
    note = stranger.note("hello")
    assert await stranger.deliver(finance, stranger.activity("Create", note), dialect=dialect) == 202
    status = await finance.db.read(find, note["id"])
    assert status is not None
    assert (status.content, status.visibility, status.reach) == ("<p>hello</p>", "public", "public")


def _hold(tx: Tx, domain: str, until: int) -> None:
    tx.conn.execute(sa.insert(leases).values(name=f"inbox:{domain}", token="another process", lease_until_at=until))


async def test_one_process_at_a_time_acts_on_what_a_peer_sent(finance: Wire, stranger: Stranger) -> None:
    """The one that holds the peer's line; a process that died holds it no longer than its lease."""
    await ann_follows_bo(finance, stranger)
    await finance.db.write(_hold, stranger.domain, finance.clock.ms() + 60_000)
    note = stranger.note("hello")
    assert await stranger.deliver(finance, stranger.activity("Create", note)) == 202
    assert await finance.inbox.process() == 0  # and it did not take the line from the other
    assert await finance.db.read(find, note["id"]) is None
    finance.clock.shift_ms += 61_000
    assert await finance.inbox.process() == 1
    assert await finance.db.read(find, note["id"]) is not None
    held = await finance.db.read(lambda tx: list(tx.conn.execute(sa.select(leases.c.name)).scalars()))
    assert f"inbox:{stranger.domain}" not in held


def unsigned(request: httpx.Request) -> None:
    del request.headers["signature"]


def no_digest(request: httpx.Request) -> None:
    del request.headers["digest"]


def other_body(request: httpx.Request) -> None:
    request.stream = httpx.ByteStream(request.content.replace(b"hello", b"HELLO"))


def other_path(request: httpx.Request) -> None:
    request.url = request.url.copy_with(path="/inbox/")


def plain_json(request: httpx.Request) -> None:
    request.headers["content-type"] = "application/json"


@pytest.mark.parametrize(
    ("tamper", "status"),
    [(unsigned, 401), (no_digest, 401), (other_body, 401), (other_path, 401), (plain_json, 415)],
)
async def test_tampered_requests_stay_outside(
    finance: Wire, stranger: Stranger, tamper: Callable[[httpx.Request], None], status: int
) -> None:
    request = stranger.request(finance, stranger.activity("Create", stranger.note("hello")))
    tamper(request)
    assert await send(finance, request) == status
    assert await finance.db.read(outcomes) == []


async def test_wrong_keys_times_actors_and_shapes_stay_outside(finance: Wire, stranger: Stranger) -> None:
    create = stranger.activity("Create", stranger.note("hello"))
    assert await stranger.deliver(finance, create, pair=3) == 401
    assert await stranger.deliver(finance, create, now=finance.clock.now() - timedelta(hours=3)) == 401
    eve = stranger.actor("eve")
    assert await stranger.deliver(finance, create, key_id=f"{eve}#main-key") == 401
    assert await stranger.deliver(finance, b"{") == 400
    assert await stranger.deliver(finance, {**create, "id": None}) == 400
    assert await stranger.deliver(finance, b" " * 1_100_000) == 413
    assert await stranger.deliver(finance, create, path="/u/12/inbox") == 404
    assert await finance.db.read(outcomes) == []


async def test_a_server_that_is_no_peer_is_refused_and_never_asked(finance: Wire, network: Network) -> None:
    unknown = Stranger(network, "unknown")
    assert await unknown.deliver(finance, unknown.activity("Create", unknown.note("hello"))) == 403
    assert network.requests == []


async def test_what_comes_twice_counts_once(finance: Wire, stranger: Stranger) -> None:
    await ann_follows_bo(finance, stranger)
    create = stranger.activity("Create", stranger.note("hello"))
    assert await stranger.deliver(finance, create) == 202
    assert await stranger.deliver(finance, create) == 202
    assert await finance.db.read(outcomes) == [("done", "processed")]


async def test_a_rotated_key_is_fetched_again_once(finance: Wire, stranger: Stranger, network: Network) -> None:
    await finance.resolver.actor(stranger.bo)
    network.pages[stranger.bo]["publicKey"]["publicKeyPem"] = pair(3).rsa_public
    like = stranger.activity("Like", "http://finance.localhost/o/1")
    assert await stranger.deliver(finance, like, pair=3) == 202
    assert await stranger.deliver(finance, {**like, "id": stranger.new("acts")}, pair=4) == 401
    assert network.requests.count(f"GET {stranger.bo}") == 2


async def test_deleting_an_account_that_was_never_seen_costs_nothing(
    finance: Wire, stranger: Stranger, network: Network
) -> None:
    assert await stranger.deliver(finance, stranger.activity("Delete", stranger.bo)) == 202
    assert network.requests == []
    assert await finance.db.read(outcomes) == []


def proved(stranger: Stranger, document: dict[str, Any], wire: Wire) -> dict[str, Any]:
    private = keys.load_private(pair(2).ed25519_private)
    return add_proof(document, key_id=f"{document['actor']}#ed25519-key", private=private, created=wire.clock.now())


async def test_a_messenger_is_believed_for_a_proof_only(finance: Wire, stranger: Stranger, network: Network) -> None:
    await ann_follows_bo(finance, stranger)
    messenger = Stranger(network, "messenger")
    await finance.trust(messenger, tier="partner")
    create = proved(stranger, stranger.activity("Create", stranger.note("hello")), finance)
    bare = {name: value for name, value in create.items() if name != "proof"}
    assert await messenger.deliver(finance, bare) == 401
    assert await messenger.deliver(finance, {**create, "summary": "altered"}) == 401
    assert await messenger.deliver(finance, create) == 202
    assert await finance.db.read(find, create["object"]["id"]) is not None


def in_other_words(stranger: Stranger) -> dict[str, Any]:
    """A Create whose note says its content under a prefix, as Fedify writes what it embeds."""
    note = stranger.note("")
    note["as:content"] = note.pop("content").replace("<p></p>", "<p>hello</p>")
    create = stranger.activity("Create", note)
    return {**create, "@context": [create["@context"], {"as": "https://www.w3.org/ns/activitystreams#"}]}


async def test_what_is_proved_in_other_words_is_believed_for_its_signature(finance: Wire, stranger: Stranger) -> None:
    await ann_follows_bo(finance, stranger)
    create = proved(stranger, in_other_words(stranger), finance)
    assert await stranger.deliver(finance, create) == 202
    status = await finance.db.read(find, create["object"]["id"])
    assert status is not None
    assert status.content == "<p>hello</p>"


async def test_a_messenger_is_not_believed_for_a_proof_of_other_words(
    finance: Wire, stranger: Stranger, network: Network
) -> None:
    await ann_follows_bo(finance, stranger)
    messenger = Stranger(network, "messenger")
    await finance.trust(messenger, tier="partner")
    create = proved(stranger, in_other_words(stranger), finance)
    assert await messenger.deliver(finance, create) == 401
    assert await finance.db.read(find, create["object"]["id"]) is None
    assert await finance.db.read(outcomes) == []


async def test_a_proof_of_somebody_who_is_no_peer_opens_nothing(finance: Wire, network: Network) -> None:
    messenger, unknown = Stranger(network, "messenger"), Stranger(network, "unknown")
    await finance.trust(messenger, tier="partner")
    create = proved(unknown, unknown.activity("Create", unknown.note("hello")), finance)
    assert await messenger.deliver(finance, create) == 403
    assert not [line for line in network.requests if "unknown" in line]


async def test_an_announce_waits_for_a_server_that_is_away(finance: Wire, stranger: Stranger, network: Network) -> None:
    await ann_follows_bo(finance, stranger)
    other = Stranger(network, "other")
    await finance.trust(other, tier="partner")
    note = other.note("hello")
    network.pages[note["id"]] = note
    network.cut.add(other.domain)
    assert await stranger.deliver(finance, stranger.activity("Announce", note["id"])) == 202
    assert await finance.db.read(outcomes) == [("deferred", "deferred")]
    network.cut.clear()
    finance.clock.shift_ms += 60_000
    await finance.inbox.process()
    assert await finance.db.read(outcomes) == [("done", "processed")]
    assert await finance.db.read(find, note["id"]) is not None


async def test_an_odd_activity_does_not_stop_those_behind_it(finance: Wire, stranger: Stranger) -> None:
    await ann_follows_bo(finance, stranger)
    odd = stranger.activity("Create", {**stranger.note("x"), "attributedTo": [{"a": 1}, 7]})
    good = stranger.activity("Create", stranger.note("hello"))
    for document in (odd, good):
        assert await send(finance, stranger.request(finance, document)) == 202
    assert await finance.inbox.process() == 2
    assert (await finance.db.read(outcomes))[1] == ("done", "processed")


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has one writer")
async def test_what_somebody_else_wrote_meanwhile_is_no_failure(finance: Wire, stranger: Stranger) -> None:
    await ann_follows_bo(finance, stranger)
    with finance.db.engine.begin() as conn:  # a sequence is not rolled back, so only the first try finds the key taken
        conn.exec_driver_sql("CREATE SEQUENCE tries")
        conn.exec_driver_sql(
            "CREATE FUNCTION clash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF nextval('tries') = 1 THEN RAISE unique_violation; END IF; RETURN NEW; END $$"
        )
        conn.exec_driver_sql("CREATE TRIGGER clash BEFORE INSERT ON statuses FOR EACH ROW EXECUTE FUNCTION clash()")
    note = stranger.note("hello")
    await stranger.deliver(finance, stranger.activity("Create", note))
    assert await finance.db.read(outcomes) == [("done", "processed")]
    assert await finance.db.read(find, note["id"]) is not None


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has one writer")
async def test_a_key_that_stays_taken_fails_one_activity_alone(finance: Wire, stranger: Stranger) -> None:
    await ann_follows_bo(finance, stranger)
    with finance.db.engine.begin() as conn:
        conn.exec_driver_sql(
            "CREATE FUNCTION clash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF position('odd' IN NEW.content) > 0 THEN RAISE unique_violation; END IF; RETURN NEW; END $$"
        )
        conn.exec_driver_sql("CREATE TRIGGER clash BEFORE INSERT ON statuses FOR EACH ROW EXECUTE FUNCTION clash()")
    for text in ("odd", "good"):
        assert await send(finance, stranger.request(finance, stranger.activity("Create", stranger.note(text)))) == 202
    assert await finance.inbox.process() == 2
    assert await finance.db.read(outcomes) == [("done", "failed"), ("done", "processed")]
