"""Hollo, and with it Fedify: Multikeys beside the RSA key, proofs and then linked-data signatures, single values."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.canonical import b58encode, jcs, sha256
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import reports
from tests.federation.world import Company, pair, plain
from tests.wire.meeting import Meeting, meet, speak
from tests.wire.server import Server

pytestmark = pytest.mark.anyio

HANA = "https://hollo.example/@hana"
NOTES = f"{HANA}/0190-"


async def met(company: Company) -> Meeting:
    made = pair(3)  # the pair of every server that is played
    rsa = keys.multikey(keys.load_public(made.rsa_public))
    return await meet(
        company, "hollo", "hana@hollo.example", "person_hana", "person_hugo",
        rsa_multikey=rsa, ed25519_multikey=made.ed25519_public,
    )  # fmt: skip


def prove(server: Server, document: dict[str, Any], key: str = "#multikey-2") -> dict[str, Any]:
    """As Fedify does: the proof has the context of the document, `created` is in nanoseconds, and a linked-data
    signature comes after it, which the proof does not cover."""
    now = server.company.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": document["actor"] + key,
        "proofPurpose": "assertionMethod",
        "created": f"{now}.123456789Z",
    }
    hashed = sha256(jcs({"@context": document["@context"], **options})) + sha256(jcs(document))
    value = "z" + b58encode(keys.sign(keys.load_private(server.pair.ed25519_private), hashed))
    signature = {
        "type": "RsaSignature2017",
        "creator": document["actor"] + "#main-key",
        "created": "2026-11-02T09:00:02Z",
        "signatureValue": "bm90IHZlcmlmaWVkIGhlcmU=",
    }
    proof = {"@context": document["@context"], **options, "proofValue": value}
    return {**document, "proof": proof, "signature": signature}


async def test_a_person_with_three_keys(company: Company) -> None:
    meeting = await met(company)
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert (shown["display_name"], plain(shown["note"]).strip(), shown["url"]) == ("Hana", "letters", HANA)
    assert [item["name"] for item in shown["fields"]] == ["Desk"]
    await meeting.send("update_person")
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert shown["display_name"] == "Hana B."
    assert await meeting.faults() == []


async def test_every_accept_has_the_same_name(company: Company) -> None:
    meeting = await met(company)
    ann, account_id = meeting.ann, await meeting.ann.find(meeting.name)
    await ann.post(f"/api/v1/accounts/{account_id}/unfollow")
    await ann.post(f"/api/v1/accounts/{account_id}/follow")
    await company.settle()
    old, new = meeting.server.got("Follow")
    for follow, following in ((old, False), (new, True)):  # whoever asks again is not let in by the word of then
        await meeting.send("accept_follow", follow=follow["id"])
        (relation,) = await ann.get("/api/v1/accounts/relationships", **{"id[]": account_id})
        assert (relation["following"], relation["requested"]) == (following, not following)
    assert await meeting.faults() == []


async def test_what_we_send_can_be_read_and_is_proved(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    for item in await speak(meeting, f"{NOTES}a1"):
        proof = item["proof"]
        assert (proof["type"], proof["cryptosuite"], proof["@context"]) == (
            "DataIntegrityProof", "eddsa-jcs-2022", item["@context"],
        )  # fmt: skip


async def test_a_proved_note_counts_whoever_passes_it_on(company: Company) -> None:
    meeting = await met(company)
    mastodon = Server(company, "mastodon", serves_activities=False)
    mastodon.publish("person_tim")
    await mastodon.meet(meeting.finance)
    tim = "https://mastodon.example/users/tim"
    mine = await meeting.publish("look")
    proved = prove(meeting.server, meeting.server.read_file("create_reply", post=mine["uri"]))
    forged = json.loads(json.dumps(proved).replace("me too", "me neither"))
    assert (await mastodon.deliver(meeting.finance, forged, signer=tim)).status_code == 401
    response = await mastodon.deliver(meeting.finance, proved, signer=tim)
    assert response.status_code == 202, response.text
    await company.settle()
    assert plain((await meeting.status(f"{NOTES}a2"))["content"]).strip() == "@ann me too"


async def test_a_note_is_shown_changed_and_deleted(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_note")
    post = await meeting.status(f"{NOTES}a1")
    assert (plain(post["content"]).strip(), post["spoiler_text"]) == ("ink and paper", "mail")
    assert (post["language"], post["visibility"]) == ("en", "public")
    assert [item["description"] for item in post["media_attachments"]] == ["a pen"]
    assert [item["name"].lower() for item in post["tags"]] == ["ink"]
    await meeting.send("update_note")
    assert plain((await meeting.status(f"{NOTES}a1"))["content"]).strip() == "ink alone"
    await meeting.send("delete_note")
    assert await meeting.ann.texts() == []
    assert await meeting.faults() == []


async def test_an_answer(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send("create_reply", post=mine["uri"])
    assert (await meeting.status(f"{NOTES}a2"))["in_reply_to_id"] == mine["id"]
    assert await meeting.faults() == []


async def test_a_post_says_what_it_quotes_when_there_is_leave(company: Company) -> None:
    """Hollo sends a post without what it quotes, then asks, with the whole post, and says the rest in an Update."""
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send("create_quote", post=mine["uri"])
    assert (await meeting.status(f"{NOTES}a3"))["quote"] is None
    await meeting.send("quote_request", post=mine["uri"])
    (accept,) = meeting.server.got("Accept", "QuoteRequest")
    await meeting.send("update_quote", post=mine["uri"], stamp=accept["result"])
    shown = await meeting.status(f"{NOTES}a3")
    assert (shown["quote"]["state"], shown["quote"]["quoted_status"]["uri"]) == ("accepted", mine["uri"])
    assert (await meeting.ann.notifications())[0] == ("quote", meeting.name)
    assert len(await meeting.ann.get(f"/api/v1/statuses/{mine['id']}/quotes")) == 1
    assert meeting.server.got("Reject") == []
    assert await meeting.faults() == []


@pytest.mark.parametrize(("kind", "shown"), [("like", {}), ("react", {"🖋️": 1})])
async def test_a_reaction_counts_as_a_favourite_and_can_be_undone(
    company: Company, kind: str, shown: dict[str, int]
) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send(kind, post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (1, shown)
    await meeting.send(f"undo_{kind}", post=mine["uri"])
    assert (await meeting.count(mine), await meeting.emoji(mine)) == (0, {})


async def test_a_boost_comes_and_goes(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send("announce", post=mine["uri"])
    assert (await meeting.status(mine["uri"]))["reblogs_count"] == 1
    await meeting.send("undo_announce", post=mine["uri"])
    assert (await meeting.status(mine["uri"]))["reblogs_count"] == 0


def kept(tx: Tx) -> list[Any]:
    return list(tx.conn.execute(sa.select(reports.c.target_id, reports.c.comment, reports.c.status_ids)))


async def test_a_report_that_names_posts_before_the_account(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send("flag", post=mine["uri"])
    rows = [tuple(row) for row in await meeting.finance.db.read(kept)]
    assert rows == [(meeting.ann.account.id, "unkind", f"[{mine['id']}]")]


async def test_a_follow_is_undone_and_a_move_takes_followers_along(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("undo_follow")
    await meeting.send("move")
    follow = meeting.server.got("Follow")[-1]
    assert (follow["actor"], follow["object"]) == (meeting.ann.account.uri, "https://hollo.example/@hugo")
    assert await meeting.faults() == []
