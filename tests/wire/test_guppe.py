"""Guppe: groups without rules that accept by id and boost whatever names them."""

import pytest

from tests.federation.world import Company
from tests.wire.server import Server, join, listed, place

pytestmark = pytest.mark.anyio

GROUP = "https://guppe.example/u/climbing"


async def test_an_accept_by_id_and_a_boost_of_our_post_and_of_somebody_elses(company: Company) -> None:
    finance = await company.department("finance")
    ann, ben = await finance.person("ann"), await finance.person("ben")
    guppe = Server(company, "guppe", serves_activities=False)
    guppe.publish("group")
    mastodon = Server(company, "mastodon", serves_activities=False, group=GROUP)
    mastodon.publish("person_tim", "note_walk")
    for server in (guppe, mastodon):
        await server.meet(finance)
    group_id = await join(guppe, "climbing@guppe.example", ann, ben)
    assert (await ann.get(f"/api/fedcorp/v1/groups/{group_id}"))["role"] == "member"
    mine = await ann.publish("@climbing@guppe.example who holds the rope?")
    await company.settle()
    create = guppe.got("Create")[-1]
    assert GROUP in create["to"] + create["cc"]
    await guppe.send(finance, "announce", post=mine["uri"], author=ann.account.uri)
    assert (await place(ann, mine["id"]))["state"] == "distributed"
    tim = "https://mastodon.example/users/tim"
    await guppe.send(finance, "announce", post=f"{tim}/statuses/503", author=tim)
    assert set(await listed(ben, group_id)) == {"@climbing who holds the rope?", "Round the lake at noon."}
