"""Both sides agree on who follows (FEP-8fcf): said with every delivery to followers, repaired where it differs."""

import re
from typing import Any

import httpx
import pytest

from fedcorp.activitypub import followers
from fedcorp.activitypub.processor import undefined_terms
from fedcorp.company import peers
from fedcorp.social import accounts, follows
from fedcorp.storage.database import Tx
from tests.federation.test_departments import friends
from tests.federation.world import PUBLIC, Company, Department, Outsider, Person

pytestmark = pytest.mark.anyio
HEADER = re.compile(r'collectionId="([^"]+)", url="([^"]+)", digest="([0-9a-f]{64})"\Z')


def test_the_published_vector() -> None:
    """federation.md section 10, vector 6."""
    uris = ["https://testing.example.org/users/1", "https://testing.example.org/users/2"]
    assert followers.digest(uris) == "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"
    assert followers.digest([]) == "0" * 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        'collectionId="a", url="b"',
        'collectionId="a", url="b", digest="c", digest="d"',
        "collectionId=a, url=b, digest=c",
        'collectionId="a", url="b", digest="c" x',
    ],
)
def test_headers_that_cannot_be_read(text: str) -> None:
    assert followers.parse(text) is None


def delivered(company: Company, to: str) -> list[httpx.Request]:
    return [one for one in company.network.requests if one.method == "POST" and one.url.host == to]


async def test_a_delivery_to_followers_says_who_they_are_and_signs_it(company: Company) -> None:
    ann, bo = await friends(company)
    company.network.requests.clear()
    await ann.publish("for my followers", visibility="private")
    await ann.publish("for everybody")
    await ann.publish(f"@{bo.handle} for you", visibility="direct")
    await company.settle()
    posts = delivered(company, bo.department.domain)
    by_audience: dict[bool, list[httpx.Request]] = {True: [], False: []}
    for one in posts:
        by_audience[f'"{ann.account.uri}/followers"'.encode() in one.content].append(one)
    assert len(by_audience[True]) == 2
    for one in by_audience[True]:
        match = HEADER.match(one.headers["collection-synchronization"])
        assert match, one.headers
        assert match[1] == f"{ann.account.uri}/followers"
        assert match[2] == f"{ann.account.uri}/followers_synchronization"
        assert match[3] == followers.digest([bo.account.uri])
        covered = one.headers.get("signature-input") or one.headers["signature"]
        assert "collection-synchronization" in covered
    assert by_audience[False]
    assert all("collection-synchronization" not in one.headers for one in by_audience[False])


async def _state(department: Department, follower: str, target: str) -> str | None:
    def read(tx: Tx) -> str | None:
        one, other = accounts.find_by_uri(tx, follower), accounts.find_by_uri(tx, target)
        found = follows.find(tx, one.id, other.id) if one and other else None
        return found.state if found else None

    return await department.db.read(read)


async def _wait(company: Company) -> None:
    company.clock.shift_ms += followers.AFTER_MS + 1
    await company.settle()


def _drop(tx: Tx, follower: str, target: str) -> None:
    one, other = accounts.find_by_uri(tx, follower), accounts.find_by_uri(tx, target)
    assert one is not None
    assert other is not None
    tx.conn.exec_driver_sql(f"DELETE FROM follows WHERE follower_id = {one.id} AND target_id = {other.id}")


async def test_a_follow_that_the_other_side_lost_ends_here(company: Company) -> None:
    ann, bo = await friends(company)
    finance, operations = ann.department, bo.department
    col = await operations.person("col")
    await col.follow(ann.handle)
    await company.settle()
    await finance.db.write(_drop, bo.account.uri, ann.account.uri)
    await ann.publish("who is still there?")
    await company.settle()
    assert await _state(operations, bo.account.uri, ann.account.uri) == "accepted", "nothing is done at once"
    await _wait(company)
    assert await _state(operations, bo.account.uri, ann.account.uri) is None
    assert await _state(operations, col.account.uri, ann.account.uri) == "accepted"
    shown = await bo.get("/api/v1/accounts/relationships", id=await bo.find(ann.handle))
    assert shown[0]["following"] is False


async def test_a_follow_that_we_lost_is_ended_there(company: Company) -> None:
    """They still list somebody who does not follow any more: an Undo tells them."""
    ann, bo = await friends(company)
    col = await bo.department.person("col")
    await col.follow(ann.handle)
    await company.settle()
    await bo.department.db.write(_drop, bo.account.uri, ann.account.uri)
    await ann.publish("who is still there?")
    await company.settle()
    await _wait(company)
    assert await _state(ann.department, bo.account.uri, ann.account.uri) is None
    assert await _state(ann.department, col.account.uri, ann.account.uri) == "accepted"


async def test_a_request_whose_answer_was_lost_is_accepted(company: Company) -> None:
    ann, bo = await friends(company)
    col = await bo.department.person("col")
    await col.follow(ann.handle)
    await company.settle()

    def forget(tx: Tx) -> None:
        tx.conn.exec_driver_sql(f"UPDATE follows SET state = 'pending' WHERE follower_id = {col.account.id}")

    await bo.department.db.write(forget)
    await ann.publish("welcome")
    await company.settle()
    await _wait(company)
    assert await _state(bo.department, col.account.uri, ann.account.uri) == "accepted"


async def test_the_list_is_partial_and_for_signed_servers(company: Company) -> None:
    ann, bo = await friends(company)
    elsewhere = Outsider(company, "social.localhost")
    await ann.department.db.write(peers.add, elsewhere.domain, "partner")
    carl, dora = elsewhere.actor("carl"), elsewhere.actor("dora")
    for one in (carl, dora):
        await elsewhere.deliver(
            ann.department, elsewhere.activity("Follow", one, ann.account.uri, to=[ann.account.uri])
        )
    await company.settle()
    url = f"{ann.account.uri}/followers_synchronization"
    answer = await elsewhere.read(ann.department, url, signer=carl)
    found = answer.json()
    assert found["orderedItems"] == [carl, dora]
    assert found["id"] == url
    assert undefined_terms(found) == []
    assert bo.account.uri not in answer.text
    assert (await elsewhere.read(ann.department, url)).status_code == 401


class Teller:
    """A server of other make that says with a delivery who follows its actor."""

    def __init__(self, company: Company, department: Department) -> None:
        self.server = Outsider(company, "social.localhost")
        self.department = department
        self.carl = self.server.actor("carl")
        self.url = f"{self.carl}/followers_synchronization"

    def lists(self, *uris: str, url: str | None = None, **more: Any) -> str:
        """Serve the list; its digest."""
        address = url or self.url
        self.server.documents[address] = {
            "@context": "https://www.w3.org/ns/activitystreams", "id": address, "type": "OrderedCollection",
            "orderedItems": list(uris), **more,
        }  # fmt: skip
        return followers.digest(uris)

    async def say(self, total: str, *, collection: str = "", url: str = "", signed: bool = True) -> None:
        value = f'collectionId="{collection or self.carl + "/followers"}", url="{url or self.url}", digest="{total}"'
        note = self.server.note(self.carl, "hello", to=[PUBLIC])
        await self.server.deliver(
            self.department, self.server.activity("Create", self.carl, note),
            more={"Collection-Synchronization": value} if signed else None,
            alter=None if signed else lambda request: _with(request, value),
        )  # fmt: skip


def _with(request: httpx.Request, value: str) -> httpx.Request:
    request.headers["Collection-Synchronization"] = value
    return request


async def _told(company: Company) -> tuple[Teller, Person]:
    finance = await company.department("finance")
    teller = Teller(company, finance)
    await finance.db.write(peers.add, teller.server.domain, "partner")
    ann = await finance.person("ann")
    await ann.follow(f"carl@{teller.server.domain}")
    await company.settle()
    follow = teller.server.received[-1]
    await teller.server.deliver(finance, teller.server.activity("Accept", teller.carl, follow))
    await company.settle()
    assert await _state(finance, ann.account.uri, teller.carl) == "accepted"
    return teller, ann


async def test_another_server_says_that_nobody_follows(company: Company) -> None:
    teller, ann = await _told(company)
    await teller.say(teller.lists())
    await _wait(company)
    assert await _state(ann.department, ann.account.uri, teller.carl) is None
    assert teller.server.received[-1]["type"] == "Undo"


async def test_equal_digests_cost_no_request(company: Company) -> None:
    teller, ann = await _told(company)
    await teller.say(teller.lists(ann.account.uri))
    await _wait(company)
    assert teller.url not in teller.server.fetched
    assert await _state(ann.department, ann.account.uri, teller.carl) == "accepted"


async def test_an_unchanged_digest_is_compared_once(company: Company) -> None:
    teller, _ = await _told(company)
    wrong = followers.digest(["https://elsewhere.example/u/1"])
    teller.lists()
    for _ in range(3):
        await teller.say(wrong)
        await _wait(company)
    assert teller.server.fetched.count(teller.url) == 1


async def test_lists_that_are_not_believed(company: Company) -> None:
    """Another list than the one announced, part of a list, a header that nobody signed, or one about somebody else."""
    teller, ann = await _told(company)
    none = followers.digest([])
    teller.lists(f"{ann.department.origin}/u/1")
    await teller.say(none)  # announces an empty list, serves another
    await _wait(company)
    teller.lists(first=f"{teller.url}?page=1", orderedItems=[])
    await teller.say(none.replace("0", "1"))  # its page cannot be read
    await _wait(company)
    teller.lists()
    await teller.say(none, signed=False)
    await _wait(company)
    await teller.say(none, collection=teller.server.actor("dora") + "/followers")
    await _wait(company)
    assert await _state(ann.department, ann.account.uri, teller.carl) == "accepted"


async def test_a_list_elsewhere_is_never_asked_for(company: Company) -> None:
    teller, ann = await _told(company)
    before = len(company.network.requests)
    await teller.say(followers.digest([]), url="http://other.localhost/list")
    await _wait(company)
    assert all(one.url.host != "other.localhost" for one in company.network.requests[before:])
    assert await _state(ann.department, ann.account.uri, teller.carl) == "accepted"


async def test_members_of_a_group_with_a_ledger_are_not_touched(company: Company) -> None:
    ann, bo = await friends(company)
    handle = await ann.department.group(ann, "chess")
    await bo.follow(handle)
    await company.settle()
    company.network.requests.clear()
    await ann.publish("a move @chess")
    await company.settle()
    group = [one for one in delivered(company, bo.department.domain) if b'"Announce"' in one.content]
    assert group
    assert all("collection-synchronization" not in one.headers for one in group)
