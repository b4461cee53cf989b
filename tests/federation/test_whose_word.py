"""Whose word counts for what, tried at the door: the checks that each kind of activity has of its own.

That a signature holds and belongs to the actor is tried in test_locked_doors, groups have test_group_forgery.
"""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.activitypub.handlers import parties
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import group_posts, orphans, tombstones
from tests.federation.test_security_rules import Scene
from tests.federation.world import PUBLIC, Company
from tests.wire.server import outcomes

pytestmark = [pytest.mark.anyio, pytest.mark.once]


@pytest.fixture
async def scene(company: Company) -> Scene:
    """finance, where ann follows eva of a partner, and vic of another."""
    finance = await company.department("finance")
    made = Scene(company, finance, await finance.person("ann"))
    await made.begin()
    return made


async def last(scene: Scene) -> str | None:
    """What became of the last activity."""
    return (await outcomes(scene.finance))[-1][1]


async def by_vic(scene: Scene, kind: str, thing: Any, **more: Any) -> None:
    response = await scene.good.deliver(scene.finance, scene.good.activity(kind, scene.vic, thing, **more))
    assert response.status_code == 202, response.text
    await scene.company.settle()


async def followers(scene: Scene) -> list[str]:
    return [one["acct"] for one in await scene.ann.get(f"/api/v1/accounts/{scene.ann.id}/followers")]


async def counts(scene: Scene, status: Any) -> tuple[int, int]:
    """How often a post was liked and boosted."""
    seen = await scene.ann.get(f"/api/v1/statuses/{status['id']}")
    return seen["favourites_count"], seen["reblogs_count"]


# -- posts and profiles ----------------------------------------------------------------------------------------------


async def test_what_is_told_by_its_id_alone_is_read_there_and_belongs_to_who_tells_it(scene: Scene) -> None:
    theirs, mine = scene.good.note(scene.vic, "true"), scene.evil.note(scene.eva, "mine")
    for kind in ("Create", "Update"):
        await scene.send(kind, theirs["id"])
        assert await last(scene) == "refused"
    nameless = scene.evil.note(scene.eva, "whose?")
    scene.evil.documents[nameless["id"]].pop("attributedTo")
    for kind in ("Create", "Update"):  # a neighbour's, perhaps
        await scene.send(kind, nameless["id"])
        assert await last(scene) == "refused"
    await scene.send("Create", mine["id"])
    assert await scene.seen() == ["mine"]
    mine |= {"content": "<p>mine, changed</p>", "updated": "2026-11-02T10:00:00Z"}
    await scene.send("Update", mine["id"])
    assert await scene.seen() == ["mine, changed"]
    scene.good.documents[scene.vic]["name"] = "Vic the Second"
    await scene.send("Update", scene.vic)
    assert await last(scene) == "refused"
    names = [
        (await scene.ann.get(f"/api/v1/accounts/{await scene.ann.find(handle)}"))["display_name"]
        for handle in ("eva@evil.localhost", "vic@good.localhost")
    ]
    assert names == ["Eva", "Vic"]
    scene.evil.documents[scene.eva]["name"] = "Eva the Second"
    await scene.send("Update", scene.eva)
    found = await scene.ann.get(f"/api/v1/accounts/{await scene.ann.find('eva@evil.localhost')}")
    assert found["display_name"] == "Eva the Second"


async def test_a_profile_is_changed_moved_and_deleted_by_its_owner_alone(scene: Scene) -> None:
    dora = scene.evil.actor("dora", alsoKnownAs=[scene.eva, scene.vic])
    fake = {"type": "Person", "preferredUsername": "x", "name": "Taken", "inbox": f"{dora}/inbox", "updated": "2030"}
    for victim in (scene.vic, scene.eva):
        for thing in ({**fake, "id": victim}, victim):
            for kind, more in (("Update", {}), ("Delete", {}), ("Move", {"target": dora})):
                await scene.send(kind, thing, by=dora, signer=dora, **more)
    for handle, name in (("eva@evil.localhost", "Eva"), ("vic@good.localhost", "Vic")):
        account_id = await scene.ann.find(handle)
        found = await scene.ann.get(f"/api/v1/accounts/{account_id}")
        assert (found["display_name"], found.get("moved")) == (name, None)
        (relation,) = await scene.ann.get("/api/v1/accounts/relationships", **{"id[]": account_id})
        assert relation["following"] is True
    assert await scene.ann.find("dora@evil.localhost"), "nor has dora deleted herself"


async def test_a_post_has_an_id_of_its_own(scene: Scene) -> None:
    note = scene.evil.note(scene.eva, "nameless")
    for more in ({"id": None}, {"id": [note["id"]]}, {"id": 7}):
        await scene.send("Create", note | more)
        await scene.send("Update", note | more)
    await scene.send("Create", {name: value for name, value in note.items() if name != "id"})
    assert {row[1] for row in (await outcomes(scene.finance))[2:]} <= {"refused", "ignored"}
    assert await scene.seen() == []


async def test_a_boost_is_deleted_by_who_made_it(scene: Scene) -> None:
    post = await scene.ann.publish("mine", reach="public")
    boost = scene.evil.new_id()
    await scene.send("Announce", post["uri"], id=boost)
    assert await counts(scene, post) == (0, 1)
    await by_vic(scene, "Delete", boost)
    assert await last(scene) == "refused"
    assert await counts(scene, post) == (0, 1)
    await scene.send("Delete", boost)
    assert await counts(scene, post) == (0, 0)


async def test_a_vote_is_for_an_option_of_a_poll_of_ours_that_the_voter_may_see(scene: Scene) -> None:
    poll = {"options": ["tea", "coffee"], "expires_in": 3600}
    asked = await scene.ann.publish("which?", reach="public", poll=poll)
    hidden = await scene.ann.publish("which, between us?", visibility="direct", poll=poll)
    plain = await scene.ann.publish("no question", reach="public")

    async def vote(uri: str, name: str) -> str | None:
        said = {
            "id": scene.evil.new_id("votes"), "type": "Note", "attributedTo": scene.eva, "name": name,
            "inReplyTo": uri, "to": [scene.ann.account.uri],
        }  # fmt: skip
        await scene.send("Create", said, to=[scene.ann.account.uri])
        return await last(scene)

    async def votes(post: Any) -> list[int]:
        seen = await scene.ann.get(f"/api/v1/statuses/{post['id']}")
        return [one["votes_count"] for one in seen["poll"]["options"]]

    for uri, name in (
        (asked["uri"], "water"), (hidden["uri"], "tea"), (plain["uri"], "tea"),
        (scene.good.note(scene.vic, "not ours")["id"], "tea"), (f"{scene.finance.origin}/o/1", "tea"),
    ):  # fmt: skip
        assert await vote(uri, name) in ("refused", "ignored"), uri
    assert (await votes(asked), await votes(hidden)) == ([0, 0], [0, 0])
    await vote(asked["uri"], "tea")
    assert await votes(asked) == [1, 0]


# -- reactions -------------------------------------------------------------------------------------------------------


async def test_what_does_not_go_so_far_is_not_reacted_to_from_there(scene: Scene) -> None:
    """A post that everybody in the company reads; its address is known to a partner, who is not in the company."""
    inside = await scene.ann.publish("for the company", reach="company")
    for kind in ("Like", "Announce", "EmojiReact", "Dislike"):
        await scene.send(kind, inside["uri"], content="\U0001f44d")
        assert await last(scene) == "refused", kind
    quoting = scene.evil.note(scene.eva, "look", quote=inside["uri"])
    await scene.send("QuoteRequest", inside["uri"], instrument=quoting)
    assert await last(scene) == "refused"
    seen = await scene.ann.get(f"/api/v1/statuses/{inside['id']}")
    assert (seen["favourites_count"], seen["reblogs_count"], seen["reactions"]) == (0, 0, [])


async def test_leave_to_quote_is_asked_of_who_wrote_the_post(scene: Scene) -> None:
    """Not of a server that only has it, nor of somebody who boosted it; then nobody is answered."""
    theirs = scene.good.note(scene.vic, "theirs")
    await by_vic(scene, "Create", theirs)
    (here,) = await scene.ann.home()
    boost = await scene.ann.post(f"/api/v1/statuses/{here['id']}/reblog")
    await scene.company.settle()
    scene.evil.received.clear()
    for uri in (theirs["id"], boost["uri"], f"{scene.finance.origin}/o/1"):
        quoting = scene.evil.note(scene.eva, "look", quote=uri)
        await scene.send("QuoteRequest", uri, instrument=quoting)
        assert await last(scene) == "ignored", uri
    assert scene.evil.received == []


async def test_what_is_gone_is_neither_liked_nor_boosted_nor_waited_for(scene: Scene) -> None:
    mine = await scene.ann.publish("mine", reach="public")
    theirs = scene.good.note(scene.vic, "theirs")
    await by_vic(scene, "Create", theirs)
    await scene.ann.send("DELETE", f"/api/v1/statuses/{mine['id']}")
    await by_vic(scene, "Delete", theirs["id"])
    never = scene.evil.new_id("notes")
    await scene.send("Delete", never)
    scene.good.fetched.clear()
    scene.evil.fetched.clear()
    for uri in (mine["uri"], theirs["id"], never, f"{scene.finance.origin}/o/1"):
        for kind in ("Like", "Announce", "EmojiReact"):
            await scene.send(kind, uri, content="\U0001f44d")
            assert await last(scene) == "ignored", (kind, uri)
    assert (scene.good.fetched, [uri for uri in scene.evil.fetched if "/notes/" in uri]) == ([], [])
    assert await scene.seen() == []
    boost = scene.evil.new_id()
    await scene.send("Delete", boost)
    await scene.send("Announce", (await scene.ann.publish("other", reach="public"))["uri"], id=boost)
    assert await last(scene) == "ignored"


async def test_what_went_with_its_author_or_was_taken_back_is_boosted_by_nobody(scene: Scene) -> None:
    """It is known here, shown to nobody, and has no tombstone of its own; nobody asks for it again and again."""
    theirs = scene.good.note(scene.vic, "theirs")
    await by_vic(scene, "Create", theirs)
    boost = scene.evil.new_id()
    await scene.send("Announce", (await scene.ann.publish("mine", reach="public"))["uri"], id=boost)
    await scene.send("Undo", {"id": boost, "type": "Announce"})
    await by_vic(scene, "Delete", scene.vic)
    scene.good.fetched.clear()
    for uri in (theirs["id"], boost):
        for kind in ("Announce", "Like"):
            async with asyncio.timeout(20):
                await scene.send(kind, uri)
            assert await last(scene) == "ignored", (kind, uri)
    assert scene.good.fetched == []


async def test_few_things_wait_for_what_one_actor_says_will_come(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parties, "MAX_ORPHANS", 3)
    for number in range(5):
        await scene.send("Like", f"{scene.good.origin}/notes/none-{number}")

    def waiting(tx: Tx) -> int:
        return int(tx.conn.execute(sa.select(sa.func.count()).select_from(orphans)).scalar_one())

    assert await scene.finance.db.read(waiting) == 3


async def test_a_group_shows_nobody_what_an_author_wrote_to_followers(scene: Scene) -> None:
    """A group elsewhere boosts a post that is here because ann follows its author; bob follows the group alone."""
    guild = scene.evil.actor("guild", "Group")
    bob = await scene.finance.person("bob")
    await bob.follow("guild@evil.localhost")
    await scene.company.settle()
    await scene.evil.deliver(scene.finance, scene.evil.activity("Accept", guild, scene.evil.received[-1]))
    note = scene.good.note(scene.vic, "for followers", to=[scene.vic + "/followers"], cc=[])
    await by_vic(scene, "Create", note, to=[scene.vic + "/followers"])
    await scene.send("Announce", note["id"], by=guild, signer=guild)
    assert await bob.texts() == []
    assert await bob.find_status(note["id"]) is None
    assert await scene.finance.db.read(lambda tx: tx.conn.execute(sa.select(group_posts)).all()) == []
    wide = scene.good.note(scene.vic, "for all")
    await by_vic(scene, "Create", wide)
    await scene.send("Announce", wide["id"], by=guild, signer=guild)
    assert await bob.texts() == ["for all"]
    other = scene.good.note(scene.vic, "boosted by a person")
    await by_vic(scene, "Create", other)
    await scene.send("Announce", other["id"])
    rows = await scene.finance.db.read(lambda tx: tx.conn.execute(sa.select(group_posts)).all())
    assert len(rows) == 1, "only groups have posts"


async def test_a_boost_is_shown_to_whom_it_was_addressed(scene: Scene) -> None:
    bob = await scene.finance.person("bob")
    post = await scene.ann.publish("mine", reach="public")
    eva = await bob.find("eva@evil.localhost")
    for to, cc, visibility in (
        ([scene.eva + "/followers"], [], "private"), ([], [], "private"),
        ([scene.eva + "/followers"], [PUBLIC], "unlisted"), ([PUBLIC], [], "public"),
    ):  # fmt: skip
        boost = scene.evil.new_id()
        await scene.send("Announce", post["uri"], id=boost, to=to, cc=cc)
        shown = await bob.get(f"/api/v1/accounts/{eva}/statuses")
        assert [one["visibility"] for one in shown] == ([] if visibility == "private" else [visibility])
        await scene.send("Undo", {"id": boost, "type": "Announce", "actor": scene.eva, "object": post["uri"]})


async def test_what_we_did_to_a_post_is_refused_by_its_author_alone(scene: Scene) -> None:
    note = scene.good.note(scene.vic, "words")
    await by_vic(scene, "Create", note)
    (here,) = await scene.ann.home()
    for act in ("favourite", "reblog"):
        await scene.ann.post(f"/api/v1/statuses/{here['id']}/{act}")
    await scene.ann.send("PUT", f"/api/v1/statuses/{here['id']}/react/\U0001f389")
    await scene.company.settle()
    done = [item for item in scene.good.received if item["type"] in ("Like", "Announce", "EmojiReact")]
    assert len(done) >= 2
    for item in done:
        for thing in (item["id"], {name: item[name] for name in ("id", "type", "actor", "object")}):
            await scene.send("Reject", thing)
            fred = scene.good.actor("fred")
            await scene.good.deliver(scene.finance, scene.good.activity("Reject", fred, thing))
            await scene.company.settle()
    assert await counts(scene, here) == (1, 1)
    for item in done:
        await by_vic(scene, "Reject", item["id"])
    assert await counts(scene, here) == (0, 0)


# -- who follows whom ------------------------------------------------------------------------------------------------


async def test_a_follow_is_taken_back_by_the_follower_alone_whatever_names_it(scene: Scene) -> None:
    follow = scene.evil.new_id()
    await scene.send("Follow", scene.ann.account.uri, id=follow)
    assert await followers(scene) == ["eva@evil.localhost"]
    dora = scene.evil.actor("dora")
    for thing in (
        follow, {"id": follow, "type": "Follow"},
        {"id": follow, "type": "Follow", "actor": dora, "object": scene.ann.account.uri},
        {"type": "Follow", "actor": scene.eva, "object": scene.ann.account.uri},
    ):  # fmt: skip
        await scene.send("Undo", thing, by=dora, signer=dora)
        assert await last(scene) == "refused", thing
        await by_vic(scene, "Undo", thing)
        assert await followers(scene) == ["eva@evil.localhost"]
    await scene.send("Undo", follow)
    assert await followers(scene) == []


async def test_an_acceptance_is_taken_back_by_who_gave_it(scene: Scene) -> None:
    (follow,) = [item for item in scene.good.received if item["type"] == "Follow"]
    accept = {"id": scene.good.new_id(), "type": "Accept", "actor": scene.vic, "object": follow}

    async def follows_vic() -> bool:
        vic = await scene.ann.find("vic@good.localhost")
        (relation,) = await scene.ann.get("/api/v1/accounts/relationships", **{"id[]": vic})
        return bool(relation["following"])

    for thing in (accept, {**accept, "object": follow["id"]}, {**accept, "actor": scene.eva}):
        await scene.send("Undo", thing)
        assert await follows_vic()
    await by_vic(scene, "Undo", {**accept, "object": "http://good.localhost/a/none"})
    assert await follows_vic()
    await by_vic(scene, "Undo", {**accept, "object": follow["id"]})
    assert not await follows_vic()


async def test_nobody_takes_back_beforehand_what_people_of_another_server_will_do(scene: Scene) -> None:
    """What was undone before it came is not done any more; eva says so of what vic does later."""
    post = await scene.ann.publish("mine", reach="public")
    acts = [("Follow", scene.ann.account.uri), ("Like", post["uri"]), ("Announce", post["uri"])]
    uris = {kind: f"{scene.good.origin}/a/later-{kind}" for kind, _ in acts}
    for kind, thing in acts:
        for named in (uris[kind], {"id": uris[kind], "type": kind, "actor": scene.eva, "object": thing}):
            await scene.send("Undo", named)
    for kind, thing in acts:
        await by_vic(scene, kind, thing, id=uris[kind])
    assert await followers(scene) == ["vic@good.localhost"]
    assert await counts(scene, post) == (1, 1)


async def test_people_block_people_of_ours(scene: Scene) -> None:
    """Not who speaks for the server, nor groups, which neither block nor are blocked, nor people of others."""
    handle = await scene.finance.group(scene.ann, "robots", reach="public")
    robots = (await scene.ann.get(f"/api/v1/accounts/{await scene.ann.find(handle)}"))["uri"]
    guild = scene.evil.actor("guild", "Group")
    for actor, thing in (
        (scene.eva, f"{scene.finance.origin}/actor"), (scene.eva, scene.vic), (scene.eva, robots),
        (guild, scene.ann.account.uri),
    ):  # fmt: skip
        await scene.send("Block", thing, by=actor, signer=actor, to=[])
        assert await last(scene) == "ignored", (actor, thing)
    await scene.send("Block", scene.ann.account.uri, to=[])
    assert await last(scene) == "processed"


async def test_a_delete_of_what_never_came_binds_its_own_server_alone(scene: Scene) -> None:
    note = scene.good.note(scene.vic, "to come", to=[PUBLIC])
    await scene.send("Delete", note["id"])
    assert await last(scene) == "refused"
    assert await scene.finance.db.read(lambda tx: tx.conn.execute(sa.select(tombstones)).all()) == []
    await by_vic(scene, "Create", note)
    assert await scene.seen() == ["to come"]
