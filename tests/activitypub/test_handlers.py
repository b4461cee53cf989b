"""What activities do, in every order in which they may arrive."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.social import accounts, follows, interactions, memberships, polls, publishing, statuses
from fedcorp.social.accounts import Account
from fedcorp.social.publishing import Draft
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import inbox, notifications
from tests.activitypub.wire import PUBLIC, Network, Stranger, Wire, pair, settle

pytestmark = pytest.mark.anyio


def find(tx: Tx, uri: str) -> Status | None:
    return statuses.find_by_uri(tx, uri)


def last_outcome(tx: Tx) -> str | None:
    found: str | None = tx.conn.execute(sa.select(inbox.c.outcome).order_by(inbox.c.seq.desc()).limit(1)).scalar()
    return found


async def must(wire: Wire, uri: str) -> Status:
    status = await wire.db.read(find, uri)
    assert status is not None
    return status


async def publish(wire: Wire, account: Account, text: str = "hello", **values: Any) -> Status:
    return await wire.db.write(publishing.publish, account, Draft(text=text, **values))


async def follow_bo(finance: Wire, stranger: Stranger) -> Account:
    ann, bo = await finance.person("ann"), await finance.resolver.actor(stranger.bo)
    await finance.db.write(follows.follow, ann, bo)
    await finance.db.write(follows.accept, ann.id, bo.id)
    return ann


# -- between departments ---------------------------------------------------------------------------------------------


async def test_a_follow_is_asked_accepted_and_ended(finance: Wire, operations: Wire) -> None:
    ann, bo = await finance.person("ann"), await operations.person("bo")
    bo_here = await finance.resolver.account("bo@operations.localhost")
    assert await finance.db.write(follows.follow, ann, bo_here) == "pending"
    await settle(finance, operations)
    assert await finance.db.read(follows.is_following, ann.id, bo_here.id)
    ann_there = await operations.resolver.account(f"@{ann.handle}")
    assert await operations.db.read(follows.is_following, ann_there.id, bo.id)
    await finance.db.write(follows.unfollow, ann.id, bo_here.id)
    await settle(finance, operations)
    assert await operations.db.read(follows.find, ann_there.id, bo.id) is None


async def test_a_company_wide_post_arrives_with_its_reach_and_its_thread(finance: Wire, operations: Wire) -> None:
    ann, bo = await finance.person("ann"), await operations.person("bo")
    ann_there = await operations.resolver.account(ann.handle)
    first = await publish(finance, ann, "first")
    second = await publish(finance, ann, "second", in_reply_to_id=first.id)
    await operations.db.write(follows.follow, bo, ann_there)
    await settle(finance, operations)
    third = await publish(finance, ann, "third", in_reply_to_id=second.id)
    await settle(finance, operations)
    here = [await must(operations, status.uri) for status in (first, second, third)]
    assert {status.thread_id for status in here} == {here[0].id}
    assert {status.reach for status in here} == {"company"}
    assert await operations.resolver.lookup(first.uri) == here[0]


async def test_a_post_that_stays_at_home_is_not_served(finance: Wire, operations: Wire) -> None:
    ann = await finance.person("ann")
    status = await publish(finance, ann, reach="department")
    finder = operations.resolver
    with pytest.raises(Exception, match="not found"):
        await finder.status(status.uri)


async def test_a_group_of_another_department_announces_to_its_members(finance: Wire, operations: Wire) -> None:
    ann, bo = await finance.person("ann"), await operations.person("bo")
    group = await finance.db.write(memberships.found, ann, "garden", pair(), title="Garden", preset="open")
    there = await operations.resolver.account("garden@finance.localhost")
    await operations.db.write(follows.follow, bo, there)
    await settle(finance, operations)
    assert await operations.db.read(memberships.role_of, there.id, bo.id) == "member"
    mine = await publish(finance, ann, "@garden roses", mentions={"garden": group.id})
    theirs = await publish(operations, bo, "@garden tulips", mentions={"garden": there.id})
    await settle(finance, operations)
    assert (await must(operations, mine.uri)).group_id == there.id
    assert (await must(finance, theirs.uri)).group_id == group.id
    for status in (mine, theirs):
        seen = await must(operations, status.uri)
        assert await operations.db.read(interactions.find_reblog, there.id, seen.id) is not None


async def test_votes_are_counted_where_the_poll_is(finance: Wire, operations: Wire) -> None:
    ann, bo = await finance.person("ann"), await operations.person("bo")
    ann_there = await operations.resolver.account(ann.handle)
    await operations.db.write(follows.follow, bo, ann_there)
    await settle(finance, operations)
    question = await publish(finance, ann, "tea?", poll=polls.PollDraft(("yes", "no"), 3600))
    await settle(finance, operations)
    seen = await must(operations, question.uri)
    assert seen.poll_id is not None
    await operations.db.write(polls.vote, bo, seen.poll_id, [1])
    await settle(finance, operations)
    assert question.poll_id is not None
    tally = await finance.db.read(polls.get, question.poll_id, None)
    assert [option.votes_count for option in tally.options] == [0, 1]
    there = await operations.db.read(polls.get, seen.poll_id, None)
    assert [option.votes_count for option in there.options] == [0, 1]


# -- races -----------------------------------------------------------------------------------------------------------


async def test_a_delete_before_its_create_wins(finance: Wire, stranger: Stranger) -> None:
    await follow_bo(finance, stranger)
    note = stranger.note("hello")
    assert await stranger.deliver(finance, stranger.activity("Delete", note["id"])) == 202
    await finance.resolver.actor(stranger.bo)
    assert await stranger.deliver(finance, stranger.activity("Create", note)) == 202
    assert await finance.db.read(find, note["id"]) is None


async def test_an_undo_before_its_like_wins(finance: Wire, stranger: Stranger) -> None:
    ann = await follow_bo(finance, stranger)
    status = await publish(finance, ann, reach="public")
    like = stranger.activity("Like", status.uri)
    await stranger.deliver(finance, stranger.activity("Undo", like))
    await stranger.deliver(finance, like)
    assert (await must(finance, status.uri)).favourites_count == 0


async def test_a_like_waits_for_its_note(finance: Wire, stranger: Stranger) -> None:
    await follow_bo(finance, stranger)
    note = stranger.note("hello")
    await stranger.deliver(finance, stranger.activity("Like", note["id"]))
    assert await finance.db.read(last_outcome) == "deferred"
    await stranger.deliver(finance, stranger.activity("Create", note))
    await finance.inbox.process()
    assert (await must(finance, note["id"])).favourites_count == 1


async def test_the_later_update_wins_in_any_order(finance: Wire, stranger: Stranger) -> None:
    await follow_bo(finance, stranger)
    note = stranger.note("one")
    await stranger.deliver(finance, stranger.activity("Create", note))
    for minute, text in ((3, "three"), (2, "two")):
        changed = {**note, "content": text, "updated": f"2026-11-20T10:0{minute}:00Z"}
        await stranger.deliver(finance, stranger.activity("Update", changed))
    assert (await must(finance, note["id"])).content == "three"


async def test_a_reply_brings_the_thread_above_it(finance: Wire, stranger: Stranger, network: Network) -> None:
    await follow_bo(finance, stranger)
    chain = [stranger.note("root")]
    for number in range(3):
        chain.append(stranger.note(f"reply {number}", inReplyTo=chain[-1]["id"]))
    network.pages |= {note["id"]: note for note in chain}
    await stranger.deliver(finance, stranger.activity("Create", chain[-1]))
    here = [await must(finance, note["id"]) for note in chain]
    assert len({status.thread_id for status in here}) == 1


# -- authority -------------------------------------------------------------------------------------------------------


async def test_nobody_speaks_for_others(finance: Wire, stranger: Stranger, network: Network) -> None:
    await follow_bo(finance, stranger)
    note = stranger.note("mine")
    await stranger.deliver(finance, stranger.activity("Create", note))
    eve = Stranger(network, "elsewhere")
    await finance.trust(eve, tier="partner")
    forged = {**note, "content": "forged", "updated": "2026-11-22T10:00:00Z"}
    for document in (
        eve.activity("Update", forged),
        eve.activity("Create", {**forged, "id": eve.new("notes")}),
        eve.activity("Delete", note["id"]),
        eve.activity("Update", {**network.pages[stranger.bo], "name": "forged"}),
        eve.activity("Undo", {"type": "Follow", "actor": stranger.bo, "object": finance.origin + "/u/1"}),
    ):
        assert await eve.deliver(finance, document) == 202
        assert await finance.db.read(last_outcome) == "refused", document
    assert (await must(finance, note["id"])).content == "<p>mine</p>"


@pytest.mark.parametrize("kind", ["Accept", "Reject"])
async def test_only_who_is_asked_answers(finance: Wire, stranger: Stranger, network: Network, kind: str) -> None:
    ann, bo = await finance.person("ann"), await finance.resolver.actor(stranger.bo)
    await finance.db.write(follows.follow, ann, bo)
    asked = await finance.db.read(follows.find, ann.id, bo.id)
    assert asked is not None
    fred, eve = stranger.actor("fred"), Stranger(network, "elsewhere")
    await finance.trust(eve, tier="partner")
    assert await eve.deliver(finance, eve.activity(kind, asked.uri)) == 202
    assert await finance.db.read(last_outcome) == "refused"
    neighbour = stranger.activity(kind, asked.uri, actor=fred)
    assert await stranger.deliver(finance, neighbour, key_id=f"{fred}#main-key") == 202
    assert await finance.db.read(last_outcome) == "refused"
    assert await finance.db.read(follows.find, ann.id, bo.id) == asked, "still waiting"
    assert await stranger.deliver(finance, stranger.activity(kind, asked.uri)) == 202
    assert await finance.db.read(last_outcome) == "processed"


async def test_a_note_that_names_nobody_is_whose_activity_brings_it(finance: Wire, stranger: Stranger) -> None:
    await follow_bo(finance, stranger)
    fred = stranger.actor("fred")
    note = {name: value for name, value in stranger.note("mine").items() if name != "attributedTo"}
    assert await stranger.deliver(finance, stranger.activity("Create", note)) == 202
    assert (await must(finance, note["id"])).content == "<p>mine</p>"
    edited = {**note, "content": "edited", "updated": "2026-11-22T10:00:00Z"}
    taken = stranger.activity("Update", {**edited, "content": "taken"}, actor=fred)
    assert await stranger.deliver(finance, taken, key_id=f"{fred}#main-key") == 202
    assert await finance.db.read(last_outcome) == "refused"
    assert await stranger.deliver(finance, stranger.activity("Update", edited)) == 202
    status = await must(finance, note["id"])
    assert status.content == "edited"
    author = await finance.db.read(accounts.get, status.account_id)
    assert author.uri == stranger.bo


async def test_neighbours_on_one_server_do_not_speak_for_each_other(finance: Wire, stranger: Stranger) -> None:
    ann = await follow_bo(finance, stranger)
    mine = await publish(finance, ann, reach="public")
    fred = stranger.actor("fred", featured=f"{stranger.origin}/users/fred/featured")
    note = stranger.note("mine")
    like = stranger.activity("Like", mine.uri)
    for document in (stranger.activity("Create", note), like):
        await stranger.deliver(finance, document)
    forged = {**note, "content": "forged", "updated": "2026-11-22T10:00:00Z"}
    taken = {**forged, "attributedTo": fred}
    other = {**forged, "id": stranger.new("notes")}
    for kind, thing, more in (
        ("Create", other, {}),
        ("Update", forged, {}),
        ("Update", taken, {}),
        ("Undo", like, {}),
        ("Add", note["id"], {"target": f"{stranger.bo}/featured"}),
    ):
        document = stranger.activity(kind, thing, actor=fred, **more)
        assert await stranger.deliver(finance, document, key_id=f"{fred}#main-key") == 202
        assert await finance.db.read(last_outcome) == "refused", document
    assert (await must(finance, note["id"])).content == "<p>mine</p>"
    assert await finance.db.read(find, other["id"]) is None
    assert (await must(finance, mine.uri)).favourites_count == 1


async def test_who_may_not_see_a_poll_cannot_vote(finance: Wire, stranger: Stranger) -> None:
    ann = await finance.person("ann")
    poll = polls.PollDraft(("yes", "no"), 3600)
    question = await publish(finance, ann, "tea?", poll=poll, visibility="private", reach="public")
    assert question.poll_id is not None
    vote = {
        "id": stranger.new("votes"), "type": "Note", "name": "yes", "attributedTo": stranger.bo, "to": [ann.uri],
        "inReplyTo": question.uri,
    }  # fmt: skip
    await finance.resolver.actor(stranger.bo)
    assert await stranger.deliver(finance, stranger.activity("Create", vote, to=[ann.uri])) == 202
    tally = await finance.db.read(polls.get, question.poll_id, None)
    assert [option.votes_count for option in tally.options] == [0, 0]
    assert await finance.db.read(last_outcome) == "ignored"


async def test_a_group_cannot_put_words_into_mouths(finance: Wire, stranger: Stranger, network: Network) -> None:
    club = Stranger(network, "club")
    await finance.trust(club, tier="partner")
    group_uri = club.actor("bo", "Group")
    ann, group = await finance.person("ann"), await finance.resolver.actor(group_uri)
    await finance.db.write(follows.follow, ann, group)
    await finance.db.write(follows.accept, ann.id, group.id)
    real = stranger.activity("Create", stranger.note("real"))
    network.pages[real["id"]] = real
    forged = stranger.activity("Create", stranger.note("forged"))
    for inner in (real, forged, {**real, "object": {**real["object"], "content": "changed"}}):
        await club.deliver(finance, club.activity("Announce", inner))
    assert (await must(finance, real["object"]["id"])).content == "<p>real</p>"
    assert await finance.db.read(find, forged["object"]["id"]) is None


async def test_what_concerns_nobody_here_is_not_kept(finance: Wire, stranger: Stranger) -> None:
    note = stranger.note("to whom it may concern")
    await stranger.deliver(finance, stranger.activity("Create", note))
    assert await finance.db.read(find, note["id"]) is None


async def test_a_mention_rings_once(finance: Wire, stranger: Stranger) -> None:
    ann = await finance.person("ann")
    tag = {"type": "Mention", "href": ann.uri, "name": "@ann"}
    now = finance.clock.now().isoformat()
    note = stranger.note("@ann hello", cc=[ann.uri], tag=[tag], published=now)
    await stranger.deliver(finance, stranger.activity("Create", note))
    await stranger.deliver(finance, stranger.activity("Create", note))
    kinds = await finance.db.read(lambda tx: list(tx.conn.execute(sa.select(notifications.c.kind)).scalars()))
    assert kinds == ["mention"]


async def test_an_account_deletes_itself(finance: Wire, stranger: Stranger) -> None:
    await follow_bo(finance, stranger)
    note = stranger.note("hello")
    await stranger.deliver(finance, stranger.activity("Create", note))
    await stranger.deliver(finance, stranger.activity("Delete", stranger.bo))
    bo = await finance.db.read(accounts.find_by_uri, stranger.bo)
    assert bo is not None
    assert bo.hidden
    assert (await must(finance, note["id"])).deleted_at is not None


async def test_partners_see_only_what_is_for_partners(finance: Wire, stranger: Stranger) -> None:
    ann = await finance.person("ann")
    reaches = {reach: (await publish(finance, ann, reach=reach)).uri for reach in ("company", "partners", "public")}
    answers = {reach: (await stranger.read(finance, uri)).status_code for reach, uri in reaches.items()}
    assert answers == {"company": 404, "partners": 200, "public": 200}
    document = (await stranger.read(finance, reaches["public"])).json()
    assert document["to"] == [PUBLIC]
    await finance.db.write(statuses.delete, ann, (await must(finance, reaches["public"])).id)
    gone = await stranger.read(finance, reaches["public"])
    assert (gone.status_code, gone.json()["type"]) == (410, "Tombstone")
