"""Collections of accounts: made, read, changed and left, by whom it may be, and never more than a reader may know."""

import asyncio
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp.social import accounts
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import collection_items, collections
from tests.web.instance import ORIGIN, Caller, Office, Person, browser, pair

pytestmark = pytest.mark.anyio
HERE = "/api/v1/collections"


async def collect(owner: Person, *people: "Person | str", **said: Any) -> Any:
    """A new collection with these accounts."""
    ids = [person if isinstance(person, str) else person.id for person in people]
    made = await owner.post(HERE, **{"name": "Nice people", "account_ids": ids, **said})
    return made["collection"]


def at(collection: Any, item: Any = None) -> str:
    """Where a collection is, or one of its items."""
    return f"{HERE}/{collection['id']}" + (f"/items/{item['id']}" if item else "")


async def seen(reader: Caller, collection: Any) -> list[str]:
    """The accounts that a reader is shown; their entities come along, after the owner's."""
    answer = await reader.get(at(collection))
    ids = [item["account_id"] for item in answer["collection"]["items"]]
    assert answer["collection"]["item_count"] == len(ids)
    shown = [account["id"] for account in answer["accounts"]]
    assert shown == list(dict.fromkeys([answer["collection"]["account_id"], *ids]))
    return ids


async def of(reader: Caller, owner: "Person | Account", **query: Any) -> list[str]:
    """The ids of what a reader sees on the profile of somebody."""
    answer = await reader.get(f"/api/v1/accounts/{owner.id}/collections", **query)
    return [item["id"] for item in answer["collections"]]


async def featuring(person: Person, account: "str | None" = None) -> list[str]:
    answer = await person.get(f"/api/v1/accounts/{account or person.id}/in_collections")
    return [item["id"] for item in answer["collections"]]


# -- a life ----------------------------------------------------------------------------------------------------------


async def test_it_is_made_read_changed_and_removed(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    made = await collect(
        ann, ben, name="Chess", description="They play", language="nl", tag_name="#Chess", sensitive=True
    )
    assert (made["account_id"], made["name"], made["description"], made["language"]) == (
        ann.id, "Chess", "They play", "nl",
    )  # fmt: skip
    assert (made["tag"], made["sensitive"], made["discoverable"], made["local"]) == (
        {"name": "chess", "url": f"{ORIGIN}/tags/chess"}, True, True, True,
    )  # fmt: skip
    assert [item["account_id"] for item in made["items"]] == [ben.id]
    assert made["items"][0]["state"] == "accepted"
    assert await seen(cid, made) == [ben.id]
    added = (await ann.post(f"{at(made)}/items", account_id=cid.id))["collection_item"]
    assert (added["account_id"], added["state"]) == (cid.id, "accepted")
    assert await seen(ben, made) == [ben.id, cid.id]
    office.clock.pass_(seconds=60)
    changed = (await ann.patch(at(made), name="Go", language=None, tag_name=""))["collection"]
    assert (changed["name"], changed["description"], changed["language"], changed["tag"]) == (
        "Go", "They play", None, None,
    )  # fmt: skip
    assert changed["sensitive"] is True
    assert changed["created_at"] == made["created_at"] < changed["updated_at"]
    await ann.delete(at(made, made["items"][0]))
    assert await seen(ben, made) == [cid.id]
    assert (await ann.put(at(made), sensitive=False))["collection"]["sensitive"] is False
    await ann.delete(at(made))
    await ben.refused(404, "GET", at(made))
    assert await of(ann, ann) == await featuring(cid) == []
    assert await office.db.read(_rows) == 0


def _rows(tx: Tx) -> int:
    counts = (sa.select(sa.func.count()).select_from(table) for table in (collections, collection_items))
    return sum(tx.conn.execute(count).scalar_one() for count in counts)


async def test_a_description_that_goes_round_and_round_stays_the_same(ann: Person) -> None:
    """Some clients show it as HTML and some as text, and they send back what they got."""
    made = await collect(ann, description="I <3 a & b</p>")
    assert made["description"] == "I &lt;3 a & b&lt;/p&gt;"
    for _ in range(2):
        made = (await ann.patch(at(made), name=made["name"], description=made["description"]))["collection"]
    assert made["description"] == "I &lt;3 a & b&lt;/p&gt;"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"name": " "}, "blank"),
        ({"name": "x" * 41}, "Name is too long"),
        ({"description": "x" * 101}, "Description is too long"),
        ({"tag_name": "two words"}, "no hashtag"),
    ],
)
async def test_what_cannot_be_is_refused(ann: Person, said: dict[str, str], sentence: str) -> None:
    made = await collect(ann)
    assert sentence in await ann.refused(422, "POST", HERE, json={"name": "x", **said})
    assert sentence in await ann.refused(422, "PATCH", at(made), json=said)
    await ann.refused(400, "PATCH", at(made), json={"reach": "everywhere"})
    assert "blank" in await ann.refused(422, "POST", HERE, json={})
    assert await of(ann, ann) == [made["id"]]
    assert (await ann.patch(at(made), name="x" * 40, description="x" * 100))["collection"]["name"] == "x" * 40


async def test_there_are_ten_of_twenty_five(office: Office, ann: Person) -> None:
    people = [await office.db.write(_named, f"p{number}") for number in range(26)]
    full = await collect(ann, *people[:25])
    assert "25" in await ann.refused(422, "POST", f"{at(full)}/items", json={"account_id": people[25]})
    assert "25" in await ann.refused(422, "POST", HERE, json={"name": "x", "account_ids": people})
    assert await of(ann, ann) == [full["id"]]  # nothing is left of the one that was too large
    await ann.delete(at(full, full["items"][0]))
    await ann.post(f"{at(full)}/items", account_id=people[25])
    for _ in range(9):
        await collect(ann)
    assert "10" in await ann.refused(422, "POST", HERE, json={"name": "x"})


def _named(tx: Tx, name: str) -> str:
    return str(accounts.create_local(tx, name, pair()).id)


async def test_who_is_added_by_several_apps_at_once_stands_in_it_once(ann: Person, ben: Person) -> None:
    made = await collect(ann)
    adding = (ann.ask("POST", f"{at(made)}/items", json={"account_id": ben.id}) for _ in range(8))
    assert sorted(answer.status_code for answer in await asyncio.gather(*adding)) == [200] + [422] * 7
    assert await seen(ben, made) == [ben.id]
    assert await told(ben) == [("added_to_collection", "Nice people")]


# -- rights ----------------------------------------------------------------------------------------------------------


async def test_only_its_owner_changes_it(ann: Person, ben: Person) -> None:
    made = await collect(ann, ben)
    item = made["items"][0]
    for method, path, body in (
        ("PATCH", at(made), {"name": "mine"}), ("DELETE", at(made), {}),
        ("POST", f"{at(made)}/items", {"account_id": ann.id}), ("DELETE", at(made, item), {}),
    ):  # fmt: skip
        assert await ben.refused(403, method, path, json=body) == "This action is not allowed"
    assert await ann.refused(403, "POST", f"{at(made, item)}/revoke") == "This action is not allowed"
    assert await seen(ann, made) == [ben.id]


async def test_an_item_is_found_in_its_own_collection_alone(ann: Person, ben: Person) -> None:
    made, other = await collect(ann, ben), await collect(ann)
    item = made["items"][0]
    await ann.refused(404, "DELETE", at(other, item))
    await ben.refused(404, "POST", f"{at(other, item)}/revoke")
    assert await seen(ann, made) == [ben.id]


async def test_who_does_not_want_to_be_found_is_not_added(office: Office, ann: Person, ben: Person) -> None:
    made = await collect(ann)
    await ben.patch("/api/v1/accounts/update_credentials", discoverable=False)
    unwanted = await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": ben.id})
    assert unwanted == await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": "1"})
    assert unwanted == await ann.refused(422, "POST", HERE, json={"name": "x", "account_ids": [ben.id]})
    assert "missing" in await ann.refused(422, "POST", f"{at(made)}/items", json={})
    await ben.patch("/api/v1/accounts/update_credentials", discoverable=True)
    await ben.towards(ann, "block")
    assert unwanted == await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": ben.id})
    server = await office.db.read(accounts.instance_actor)
    await office.db.write(_found, server.id)
    assert unwanted == await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": str(server.id)})
    await ann.patch("/api/v1/accounts/update_credentials", discoverable=False)
    await ann.post(f"{at(made)}/items", account_id=ann.id)  # of oneself one may tell
    assert "taken" in await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": ann.id})
    assert await seen(ann, made) == [ann.id]


async def test_who_leaves_is_not_added_again(office: Office, ann: Person, ben: Person) -> None:
    made = await collect(ann, ben)
    await ben.post(f"{at(made, made['items'][0])}/revoke")
    assert await seen(ann, made) == await seen(ben, made) == await featuring(ben) == []
    await ben.refused(404, "POST", f"{at(made, made['items'][0])}/revoke")
    await ann.refused(404, "DELETE", at(made, made["items"][0]))
    unwanted = await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": "1"})
    assert unwanted == await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": ben.id})
    await ben.towards(ann, "block")
    await ben.towards(ann, "unblock")
    await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": ben.id})


async def test_where_one_stands_is_for_oneself(office: Office, ann: Person, ben: Person) -> None:
    made, unlisted = await collect(ann, ben), await collect(ann, ben, discoverable=False)
    await collect(ann)
    assert await featuring(ben) == [unlisted["id"], made["id"]]
    assert await featuring(ann) == []
    await ann.refused(403, "GET", f"/api/v1/accounts/{ben.id}/in_collections")
    await office.anybody.refused(401, "GET", f"/api/v1/accounts/{ben.id}/in_collections")


# -- who sees what ---------------------------------------------------------------------------------------------------


async def test_unlisted_ones_are_found_by_their_address(ann: Person, ben: Person) -> None:
    made = await collect(ann, ben, discoverable=False)
    assert await of(ben, ann) == []
    assert await of(ann, ann) == [made["id"]]
    assert await seen(ben, made) == [ben.id]
    await ann.patch(at(made), discoverable=True)
    assert await of(ben, ann) == [made["id"]]


async def test_nobody_else_sees_what_does_not_reach_everybody(office: Office, ann: Person, ben: Person) -> None:
    made = await collect(ann, ben)
    assert made["reach"] == "company"
    public = await collect(ann, ben, reach="public")
    unlisted = await collect(ann, ben, reach="public", discoverable=False)
    assert await of(office.anybody, ann) == [public["id"]]
    assert await seen(office.anybody, public) == [ben.id]
    missing = await office.anybody.refused(404, "GET", f"{HERE}/1")
    for hidden in (made, unlisted):
        assert await office.anybody.refused(404, "GET", at(hidden)) == missing
    await ann.patch(at(public), reach="partners")
    assert await of(office.anybody, ann) == []
    await ann.patch("/api/v1/accounts/update_credentials", source={"reach": "public"})
    assert (await collect(ann))["reach"] == "public"


async def test_a_block_hides_both_from_each_other(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    made, bens = await collect(ann, ben, cid), await collect(ben, ann, cid)
    await ben.towards(ann, "block")
    await ben.refused(404, "GET", at(made))
    await ann.refused(404, "GET", at(bens))
    await ben.refused(404, "PATCH", at(made), json={"name": "mine"})
    assert await of(ben, ann) == []
    assert await seen(cid, made) == await seen(cid, bens) == [cid.id]
    await ben.towards(ann, "unblock")
    assert await seen(ben, made) == [cid.id]  # they do not come back by themselves
    await cid.towards(ben, "block")
    await collect(ann, ben, cid)
    newest = (await ann.get(f"/api/v1/accounts/{ann.id}/collections"))["collections"][0]
    assert await seen(cid, newest) == [cid.id]
    assert await seen(ben, newest) == [ben.id]
    assert await seen(ann, newest) == [ben.id, cid.id]


async def test_whoever_is_suspended_or_gone_is_in_none(office: Office, ann: Person, ben: Person) -> None:
    cid, mo = await office.person("cid"), await office.staff("mo")
    made, bens = await collect(ann, ben, cid), await collect(ben, cid)
    await mo.post(f"/api/v1/admin/accounts/{ben.id}/action", type="suspend")
    await cid.refused(404, "GET", at(bens))
    assert await seen(cid, made) == [cid.id]
    assert await featuring(cid) == [made["id"]]
    await mo.post(f"/api/v1/admin/accounts/{ben.id}/unsuspend")
    assert await seen(cid, made) == [ben.id, cid.id]
    await office.db.write(accounts.delete, ben.account)
    assert await seen(cid, made) == [cid.id]
    await cid.refused(404, "GET", at(bens))
    await office.db.write(accounts.delete, ann.account)
    assert await office.db.read(_rows) == 0


async def test_limited_accounts_are_recommended_to_who_follows_them(office: Office, ann: Person, ben: Person) -> None:
    cid, dee, mo = await office.person("cid"), await office.person("dee"), await office.staff("mo")
    made = await collect(ann, ben)
    await cid.follow(ben)
    await mo.post(f"/api/v1/admin/accounts/{ben.id}/action", type="silence")
    assert await seen(ann, made) == await seen(cid, made) == await seen(ben, made) == [ben.id]
    assert await seen(dee, made) == []


async def test_groups_are_collected_and_secrets_are_not(office: Office, ann: Person, ben: Person) -> None:
    open_, private = await office.group(ann, "chess"), await office.group(ann, "club", "private")
    secret = await office.group(ann, "plot", "secret")
    made = await collect(ben, open_, private)
    unwanted = await ben.refused(422, "POST", f"{at(made)}/items", json={"account_id": "1"})
    for who, where in ((ben, made), (ann, await collect(ann))):
        assert unwanted == await who.refused(422, "POST", f"{at(where)}/items", json={"account_id": secret})
    await office.db.write(_put, made["id"], secret)  # as if it had become one afterwards
    cid = await office.person("cid")
    assert await seen(cid, made) == await seen(ben, made) == [open_, private]
    assert await seen(ann, made) == [open_, private, secret]
    await ben.patch(at(made), reach="public")
    assert await seen(office.anybody, made) == [open_, private]
    assert await featuring(ann, open_) == [made["id"]]
    await cid.refused(403, "GET", f"/api/v1/accounts/{open_}/in_collections")
    await cid.refused(404, "GET", f"/api/v1/accounts/{secret}/in_collections")
    items = (await ann.get(at(made)))["collection"]["items"]
    await cid.refused(403, "POST", f"{at(made, items[0])}/revoke")
    await cid.refused(404, "POST", f"{at(made, items[2])}/revoke")
    await ann.post(f"{at(made, items[0])}/revoke")  # who moderates a group speaks for it
    assert await seen(cid, made) == [private]


def _put(tx: Tx, collection_id: str, account_id: str) -> None:
    values = {"id": tx.new_id(), "collection_id": int(collection_id), "account_id": int(account_id)}
    tx.conn.execute(sa.insert(collection_items).values(**values, state="accepted", created_at=tx.ms))


async def test_who_works_elsewhere_cannot_be_asked(office: Office, ann: Person, ben: Person) -> None:
    """Only the owner sees them, until departments ask each other."""
    col, dan = await office.colleague("col"), await office.colleague("dan")
    await office.db.write(_found, col.id)
    made = await collect(ann, str(col.id), ben)
    assert [item["state"] for item in made["items"]] == ["pending", "accepted"]
    assert await seen(ann, made) == [str(col.id), ben.id]
    assert await seen(ben, made) == [ben.id]
    await ben.refused(404, "POST", f"{at(made, made['items'][0])}/revoke")
    await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": str(dan.id)})  # does not say that it may
    assert await of(ann, col) == []
    asked = await collect(ben)
    await office.db.write(_put, asked["id"], str(col.id))  # as if it had said yes
    assert await seen(ann, asked) == [str(col.id)]
    await ann.post("/api/v1/domain_blocks", domain="sales.localhost")
    assert await seen(ann, made) == [ben.id]
    assert await seen(ann, asked) == []
    await ann.refused(422, "POST", f"{at(made)}/items", json={"account_id": str(col.id)})
    await ann.delete("/api/v1/domain_blocks", domain="sales.localhost")
    assert await seen(ann, made) == [ben.id]


def _found(tx: Tx, id_: int) -> None:
    tx.conn.execute(sa.update(accounts_table).where(accounts_table.c.id == id_).values(discoverable=True))


# -- pages -----------------------------------------------------------------------------------------------------------


def led(answer: httpx.Response) -> dict[str, str]:
    """Where the Link header leads."""
    return {name: link["url"].removeprefix(ORIGIN) for name, link in answer.links.items() if name}


async def test_the_link_header_leads_through_the_pages(ann: Person, ben: Person) -> None:
    made = [(await collect(ann, ben, name=str(number)))["id"] for number in range(5)][::-1]
    for start, reader in (
        (f"/api/v1/accounts/{ann.id}/collections", ann),
        (f"/api/v1/accounts/{ben.id}/in_collections", ben),
    ):
        answer = await reader.ask("GET", start, params={"limit": 2})
        found, forward = [item["id"] for item in answer.json()["collections"]], led(answer)
        assert set(forward) == {"next"}
        while "next" in led(answer):
            answer = await reader.ask("GET", led(answer)["next"])
            found += [item["id"] for item in answer.json()["collections"]]
        assert found == made
        assert led(answer) == {"prev": f"{start}?limit=2&offset=2"}
        assert led(await reader.ask("GET", start, params={"limit": 5})) == {}
        assert led(await reader.ask("GET", start, params={"offset": 1})) == {"prev": f"{start}?offset=0"}
        assert (await reader.get(start, offset=5))["collections"] == []


async def test_the_page_shows_what_its_reader_may_know(office: Office, ann: Person, ben: Person) -> None:
    made = await collect(ann, ben, name="<b>Chess", reach="public")
    async with browser(office.instance) as reader:
        answer = await reader.get(made["url"])
        assert answer.status_code == 200
        assert "&lt;b&gt;Chess" in answer.text
        assert "@ben@finance.localhost" in answer.text
        missing = await reader.get(f"{ORIGIN}/collections/1")
        assert missing.status_code == 404
        await ann.patch(at(made), reach="company")
        hidden = await reader.get(made["url"])
        assert (hidden.status_code, hidden.text) == (404, missing.text)


# -- who is told -----------------------------------------------------------------------------------------------------


async def told(person: Person) -> list[tuple[str, str]]:
    """(kind, name of the collection) of what a person was told."""
    found = await person.get("/api/v1/notifications", limit=80)
    return [(item["type"], item["collection"]["name"]) for item in found if "collection" in item]


async def test_who_is_added_hears_of_it_and_of_changes(office: Office, ann: Person, ben: Person) -> None:
    cid = await office.person("cid")
    made = await collect(ann, ben, ann, cid, name="Chess")
    assert await told(ben) == await told(cid) == [("added_to_collection", "Chess")]
    assert await told(ann) == []
    unchanged = (await ann.patch(at(made), name="Chess", sensitive=False))["collection"]
    assert (unchanged["updated_at"], len(await told(ben))) == (made["updated_at"], 1)
    for name in ("Go", "Shogi"):
        office.clock.pass_(seconds=1)
        await ann.patch(at(made), name=name)
    assert await told(ben) == [("collection_update", "Shogi"), ("added_to_collection", "Shogi")]
    groups = (await ben.get("/api/v2/notifications"))["notification_groups"]
    assert [(group["type"], group["collection"]["id"]) for group in groups] == [
        ("collection_update", made["id"]), ("added_to_collection", made["id"]),
    ]  # fmt: skip
    await ben.post(f"{at(made, made['items'][0])}/revoke")
    assert await told(ben) == []
    await ann.delete(at(made))
    assert await told(cid) == await cid.notified() == []


async def test_a_policy_keeps_strangers_back(ann: Person, ben: Person) -> None:
    await ben.patch("/api/v2/notifications/policy", for_not_following="drop")
    await collect(ann, ben)
    assert await told(ben) == []
    await ben.follow(ann)
    await collect(ann, ben)
    assert await told(ben) == [("added_to_collection", "Nice people")]
